"""The requests of feedback-driven generation, as text and back: comment on a draft, revise it.

The draft itself is asked for by a ``NeutralRequest``. Drafts and feedback are as untrusted as any
text of a model, and stand in sections of their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from profile_tasks.solvers.prompts import (
    CRITIQUE_PROMPTS,
    DRAFT_COMPARISON_PROMPTS,
    FEEDBACK_REVISION_PROMPTS,
    REVISION_PROMPTS,
)
from profile_tasks.solvers.sections import read_sections, render_sections

_SECTIONS = ("request", "source", "draft", "other_draft", "feedback")


@dataclass(frozen=True)
class CritiqueRequest:
    """Say what is to be changed in a draft of one's own.

    Attributes:
        task: Which prompt is used; one of the keys of ``CRITIQUE_PROMPTS``.
        prompt: The instruction or question.
        source: The document, or None where there is none.
        draft: The draft.
    """

    task: str
    prompt: str
    source: str | None
    draft: str

    def render(self) -> str:
        """The text of the request."""
        return CRITIQUE_PROMPTS[self.task].format(
            sections=render_sections(
                {"request": self.prompt, "source": self.source, "draft": self.draft}
            )
        )


@dataclass(frozen=True)
class DraftComparisonRequest:
    """Say which of two drafts is better and why, and what is to be changed in the first.

    Attributes:
        task: Which prompt is used; one of the keys of ``DRAFT_COMPARISON_PROMPTS``.
        prompt: The instruction or question.
        source: The document, or None where there is none.
        draft: The draft that will be revised.
        other_draft: What it is compared with.
    """

    task: str
    prompt: str
    source: str | None
    draft: str
    other_draft: str

    def render(self) -> str:
        """The text of the request."""
        return DRAFT_COMPARISON_PROMPTS[self.task].format(
            sections=render_sections(
                {
                    "request": self.prompt,
                    "source": self.source,
                    "draft": self.draft,
                    "other_draft": self.other_draft,
                }
            )
        )


@dataclass(frozen=True)
class RevisionRequest:
    """Revise a draft of one's own.

    Attributes:
        task: Which prompt is used; one of the keys of ``REVISION_PROMPTS``.
        prompt: The instruction or question.
        source: The document, or None where there is none.
        draft: The draft.
        feedback: What was said of it; None: nothing.
    """

    task: str
    prompt: str
    source: str | None
    draft: str
    feedback: str | None = None

    def render(self) -> str:
        """The text of the request."""
        prompts = REVISION_PROMPTS if self.feedback is None else FEEDBACK_REVISION_PROMPTS
        return prompts[self.task].format(
            sections=render_sections(
                {
                    "request": self.prompt,
                    "source": self.source,
                    "draft": self.draft,
                    "feedback": self.feedback,
                }
            )
        )


FeedbackRequest = CritiqueRequest | DraftComparisonRequest | RevisionRequest


def parse_feedback_request(text: str) -> FeedbackRequest | None:
    """Read a rendered request back; None where the text is no request of this module."""
    try:
        before, contents = read_sections(text, _SECTIONS)
    except ValueError:
        return None
    known = ((prompts, task) for prompts in _PROMPTS for task in prompts)
    for prompts, task in known:
        if before == prompts[task].partition("{sections}")[0]:
            shown = (task, contents["request"], contents.get("source"), contents["draft"])
            if prompts is CRITIQUE_PROMPTS:
                return CritiqueRequest(*shown)
            if prompts is DRAFT_COMPARISON_PROMPTS:
                return DraftComparisonRequest(*shown, contents["other_draft"])
            return RevisionRequest(*shown, contents.get("feedback"))
    return None


_PROMPTS: tuple[Mapping[str, str], ...] = (
    CRITIQUE_PROMPTS,
    DRAFT_COMPARISON_PROMPTS,
    REVISION_PROMPTS,
    FEEDBACK_REVISION_PROMPTS,
)
