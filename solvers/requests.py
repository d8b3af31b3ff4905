"""The requests a model is sent, as text and back.

Untrusted texts (sources, responses) stand in sections of their own. ``parse_request`` is the exact
inverse of ``render``: the planted annotator and the tests read requests with it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from profile_tasks.data.conversation import Message
from profile_tasks.solvers.prompts import (
    DISCRIMINATION_PROMPTS,
    GENERATION_PROMPTS,
    NEUTRAL_PROMPTS,
    STANDARD,
    wordings,
)
from profile_tasks.solvers.sections import read_sections, render_sections

_SECTIONS = ("request", "source", "response_a", "response_b")


@dataclass(frozen=True)
class GenerationRequest:
    """Write one response for a target score.

    Attributes:
        task: Which prompt is used; one of the keys of ``GENERATION_PROMPTS``.
        prompt: The instruction or question.
        source: The document, or None where there is none.
        score: Target score, ``low <= score <= high``.
        low: The worst score of the scale.
        high: The best score of the scale.
        conversation: The turns of the prompt, where it has several.
    """

    task: str
    prompt: str
    source: str | None
    score: int
    low: int = 1
    high: int = 5
    conversation: tuple[Message, ...] = ()

    def messages(self) -> list[Message]:
        """The request as a chat model is asked: the last turn asks, the others were said before."""
        return _in_conversation(self)

    def render(self) -> str:
        """The text of the request."""
        sections = render_sections({"request": self.prompt, "source": self.source})
        return GENERATION_PROMPTS[self.task].format(
            score=self.score, low=self.low, high=self.high, sections=sections
        )


@dataclass(frozen=True)
class NeutralRequest:
    """Write one response; no score is named.

    Attributes:
        task: Which prompt is used; one of the keys of ``NEUTRAL_PROMPTS``.
        prompt: The instruction or question.
        source: The document, or None where there is none.
        conversation: The turns of the prompt, where it has several.
    """

    task: str
    prompt: str
    source: str | None
    conversation: tuple[Message, ...] = ()

    def messages(self) -> list[Message]:
        """The request as a chat model is asked: the last turn asks, the others were said before."""
        return _in_conversation(self)

    def render(self) -> str:
        """The text of the request."""
        sections = render_sections({"request": self.prompt, "source": self.source})
        return NEUTRAL_PROMPTS[self.task].format(sections=sections)


def _in_conversation(request: GenerationRequest | NeutralRequest) -> list[Message]:
    *before, last = request.conversation or (Message(role="user", content=request.prompt),)
    asked = replace(request, prompt=last.content, conversation=()).render()
    return [*before, Message(role="user", content=asked)]


@dataclass(frozen=True)
class DiscriminationRequest:
    """Pick the better of two responses, shown in this order.

    Attributes:
        task: Which prompt is used; one of the keys of ``DISCRIMINATION_PROMPTS``.
        prompt: The instruction or question.
        source: The document, or None where there is none.
        response_a: The response shown first.
        response_b: The response shown second.
        wording: Which of ``wordings`` asks.
    """

    task: str
    prompt: str
    source: str | None
    response_a: str
    response_b: str
    wording: str = STANDARD

    @property
    def material(self) -> tuple[str, ...]:
        """The texts that are shown, which an answer may quote."""
        shown = (self.prompt, self.source, self.response_a, self.response_b)
        return tuple(text for text in shown if text is not None)

    def render(self) -> str:
        """The text of the request."""
        sections = render_sections(
            {
                "request": self.prompt,
                "source": self.source,
                "response_a": self.response_a,
                "response_b": self.response_b,
            }
        )
        known = {STANDARD: DISCRIMINATION_PROMPTS} if self.wording == STANDARD else wordings()
        return known[self.wording][self.task].format(sections=sections)


def parse_request(text: str) -> GenerationRequest | NeutralRequest | DiscriminationRequest:
    """Read a rendered request back.

    Raises:
        ValueError: The text is not a request of this project.
    """
    before, contents = read_sections(text, _SECTIONS)
    prompt, source = contents["request"], contents.get("source")
    target = re.search(r"^Target score: (\d+) on the scale (\d+) to (\d+)$", before, re.MULTILINE)
    prompts: Mapping[str, Mapping[str, str]] = (
        {"generation": GENERATION_PROMPTS}
        if target
        else {"neutral": NEUTRAL_PROMPTS, "discrimination": DISCRIMINATION_PROMPTS}
    )
    kind, task = next(
        (
            (kind, name)
            for kind, templates in prompts.items()
            for name, words in templates.items()
            if before[:20] == words[:20]
        ),
        ("", ""),
    )
    wording = STANDARD
    if not task and not target:
        kind, (wording, task) = "discrimination", _other_wording(before)
    if not task:
        raise ValueError(f"not a request of profile-tasks: {text[:80]!r}")
    if target:
        score, low, high = (int(number) for number in target.groups())
        return GenerationRequest(task, prompt, source, score, low, high)
    if kind == "neutral":
        return NeutralRequest(task, prompt, source)
    return DiscriminationRequest(
        task, prompt, source, contents["response_a"], contents["response_b"], wording
    )


def _other_wording(before: str) -> tuple[str, str]:
    """Which wording, for which task, puts these words before the material; "" where none does."""
    return next(
        (
            (name, task)
            for name, templates in wordings().items()
            for task, template in templates.items()
            if before == template.partition("{sections}")[0]
        ),
        (STANDARD, ""),
    )
