"""The requests of feedback-driven generation, as text and back: comment on a draft, revise it.

The draft itself is asked for by a ``NeutralRequest``. Drafts and feedback are as untrusted as any
text of a model, and stand in sections of their own.
"""

from dataclasses import dataclass

from profile_tasks.data.task_definition import definition_of, known_definitions
from profile_tasks.solvers.prompts import FEEDBACK_PROMPTS, feedback_prompt, read_template
from profile_tasks.solvers.sections import read_sections, render_sections


@dataclass(frozen=True)
class CritiqueRequest:
    """Say what is to be changed in a draft of one's own.

    Attributes:
        task: The key of the task, by whose definition is asked.
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
        shown = definition_of(self.task).shown(self.prompt, self.source)
        sections = render_sections({**shown, "draft": self.draft})
        return feedback_prompt(self.task, "criticise").format(sections=sections)


@dataclass(frozen=True)
class DraftComparisonRequest:
    """Say which of two drafts is better and why, and what is to be changed in the first.

    Attributes:
        task: The key of the task, by whose definition is asked.
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
        shown = definition_of(self.task).shown(self.prompt, self.source)
        sections = render_sections({**shown, "draft": self.draft, "other_draft": self.other_draft})
        return feedback_prompt(self.task, "compare_drafts").format(sections=sections)


@dataclass(frozen=True)
class RevisionRequest:
    """Revise a draft of one's own.

    Attributes:
        task: The key of the task, by whose definition is asked.
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
        shown = definition_of(self.task).shown(self.prompt, self.source)
        sections = render_sections({**shown, "draft": self.draft, "feedback": self.feedback})
        template = feedback_prompt(
            self.task, "revise" if self.feedback is None else "revise_by_feedback"
        )
        return template.format(sections=sections)


FeedbackRequest = CritiqueRequest | DraftComparisonRequest | RevisionRequest


def parse_feedback_request(text: str) -> FeedbackRequest | None:
    """Read a rendered request back; None where the text is no request of this module."""
    for task in known_definitions():
        for kind in FEEDBACK_PROMPTS:
            asked = read_template(feedback_prompt(task.key, kind), text)
            if asked is None:
                continue
            tags = (*task.shown("", None), "draft", "other_draft", "feedback")
            contents = read_sections(asked["sections"], tags)[1]
            shown = (task.key, contents[tags[0]], contents.get(tags[1]), contents["draft"])
            if kind == "criticise":
                return CritiqueRequest(*shown)
            if kind == "compare_drafts":
                return DraftComparisonRequest(*shown, contents["other_draft"])
            return RevisionRequest(*shown, contents.get("feedback"))
    return None
