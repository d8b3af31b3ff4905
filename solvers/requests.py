"""The two requests a model is sent, as text and back.

Untrusted texts (sources, responses) stand between tags that none of them contains, so a text
can neither close its own section nor open another one. ``parse_request`` is the exact inverse
of ``render``: the planted annotator and the tests read requests with it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from profile_tasks.solvers.prompts import DISCRIMINATION_PROMPTS, GENERATION_PROMPTS

SECTION_TAGS = ("request", "source", "response_a", "response_b")


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
    """

    task: str
    prompt: str
    source: str | None
    score: int
    low: int = 1
    high: int = 5

    def render(self) -> str:
        """The text of the request."""
        sections = _render_sections({"request": self.prompt, "source": self.source})
        return GENERATION_PROMPTS[self.task].format(
            score=self.score, low=self.low, high=self.high, sections=sections
        )


@dataclass(frozen=True)
class DiscriminationRequest:
    """Pick the better of two responses, shown in this order.

    Attributes:
        task: Which prompt is used; one of the keys of ``DISCRIMINATION_PROMPTS``.
        prompt: The instruction or question.
        source: The document, or None where there is none.
        response_a: The response shown first.
        response_b: The response shown second.
    """

    task: str
    prompt: str
    source: str | None
    response_a: str
    response_b: str

    def render(self) -> str:
        """The text of the request."""
        sections = _render_sections(
            {
                "request": self.prompt,
                "source": self.source,
                "response_a": self.response_a,
                "response_b": self.response_b,
            }
        )
        return DISCRIMINATION_PROMPTS[self.task].format(sections=sections)


def parse_request(text: str) -> GenerationRequest | DiscriminationRequest:
    """Read a rendered request back.

    Raises:
        ValueError: The text is not a request of this project.
    """
    opening = re.search(r"^<request(-\d+)?>$", text, re.MULTILINE)
    if opening is None:
        raise ValueError(f"not a request of profile-tasks: {text[:80]!r}")
    before, suffix = text[: opening.start()], opening.group(1) or ""
    contents: dict[str, str] = {}
    position = opening.start()
    for tag in SECTION_TAGS:
        start, end = f"<{tag}{suffix}>\n", f"\n</{tag}{suffix}>"
        if text.startswith(start, position):
            stop = text.index(end, position)
            contents[tag] = text[position + len(start) : stop]
            position = stop + len(end) + len("\n\n")
    prompt, source = contents["request"], contents.get("source")
    target = re.search(r"^Target score: (\d+) on the scale (\d+) to (\d+)$", before, re.MULTILINE)
    templates: Mapping[str, str] = GENERATION_PROMPTS if target else DISCRIMINATION_PROMPTS
    task = next((name for name, words in templates.items() if before[:20] == words[:20]), None)
    if task is None:
        raise ValueError(f"not a request of profile-tasks: {text[:80]!r}")
    if target:
        score, low, high = (int(number) for number in target.groups())
        return GenerationRequest(task, prompt, source, score, low, high)
    return DiscriminationRequest(
        task, prompt, source, contents["response_a"], contents["response_b"]
    )


def _render_sections(texts: Mapping[str, str | None]) -> str:
    """Each text between its tags, in the given order; None leaves the section out."""
    present = {tag: text for tag, text in texts.items() if text is not None}
    suffix = _unused_suffix(list(present.values()))
    return "\n\n".join(
        f"<{tag}{suffix}>\n{text}\n</{tag}{suffix}>" for tag, text in present.items()
    )


def _unused_suffix(texts: list[str]) -> str:
    """The first of "", "-1", "-2", ... whose tags occur in none of the texts.

    Not even with white space or attributes inside, which a model might read as the tag.
    """
    together, tags = "\n".join(texts), "|".join(SECTION_TAGS)
    suffix, number = "", 0
    while re.search(rf"<[\s/]*(?:{tags}){suffix}(?:\s[^<>]*)?>", together, re.IGNORECASE):
        number += 1
        suffix = f"-{number}"
    return suffix
