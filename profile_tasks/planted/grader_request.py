"""A grader's request read back out of its words, as the planted grader is shown it.

The planted grader gets what any grader gets, a text. So the words and the sections of a request
are checked on the way: what is read back must render to the same text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter

from profile_tasks.scorers.factors.grader_prompts import (
    COVERAGE_PROMPT,
    COVERAGE_TASK,
    CRITERION_LINE,
    JUDGED_PROMPT,
    KEY_FACTS_PROMPT,
    LABEL_FACTS_PROMPT,
    LABEL_LINE,
    LABEL_TASK,
    LIST_FACTS_PROMPT,
)
from profile_tasks.solvers.sections import read_sections, render_sections


@dataclass(frozen=True)
class AskedKeyFacts:
    """A request for a source's key facts, read back.

    Attributes:
        prompt: What was asked of the evaluated model.
        source: The document.
        most: How many key facts are wanted at most.
    """

    prompt: str
    source: str
    most: int


@dataclass(frozen=True)
class AskedLabel:
    """One decision that is asked for on each fact.

    Attributes:
        id: The factor.
        question: What is to be decided.
        values: The labels on offer.
    """

    id: str
    question: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class AskedFacts:
    """A request for facts, their labels, or coverage, read back.

    Attributes:
        prompt: What was asked of the evaluated model.
        source: The document, None where there is none.
        response: The response.
        labels: What is to be decided on each fact.
        facts: The facts to label; None where none are shown.
        key_facts: The source's key facts to compare with the response; None where none are shown.
        listing: Whether the facts are to be listed.
    """

    prompt: str
    source: str | None
    response: str
    labels: tuple[AskedLabel, ...]
    facts: tuple[str, ...] | None
    key_facts: tuple[str, ...] | None
    listing: bool


@dataclass(frozen=True)
class AskedVerdicts:
    """A request for verdicts on two responses, read back.

    Attributes:
        prompt: What was asked of the evaluated model.
        source: The document, None where there is none.
        first: The response shown first.
        second: The response shown second.
        definitions: Factor id -> definition, in the request's order.
    """

    prompt: str
    source: str | None
    first: str
    second: str
    definitions: Mapping[str, str]


Asked = AskedKeyFacts | AskedFacts | AskedVerdicts


def _pattern(template: str) -> re.Pattern[str]:
    """What a template's fields are filled with, by their names."""
    fields = {"id": r"\w+", "most": r"\d+", "values": r"[^\s,]+(?:, [^\s,]+)*"}
    parts = [
        re.escape(literal) + (f"(?P<{name}>{fields.get(name, '.*?')})" if name else "")
        for literal, name, _, _ in Formatter().parse(template)
    ]
    return re.compile("".join(parts), re.DOTALL)


_SECTIONS: Mapping[str, tuple[str, ...]] = {
    KEY_FACTS_PROMPT: ("request", "source"),
    LIST_FACTS_PROMPT: ("request", "source", "key_facts", "response"),
    LABEL_FACTS_PROMPT: ("request", "source", "key_facts", "response", "facts"),
    COVERAGE_PROMPT: ("request", "source", "key_facts", "response"),
    JUDGED_PROMPT: ("request", "source", "first_response", "second_response"),
}
"""Which sections follow which words, in their order."""

_HEADS = {words: _pattern(words.partition("{sections}")[0]) for words in _SECTIONS}
_LABEL_TASK, _LABEL_LINE, _CRITERION_LINE = map(_pattern, (LABEL_TASK, LABEL_LINE, CRITERION_LINE))
_NUMBERED_LINE = re.compile(r"\d+\. (?P<fact>.*)")


def is_grader_request(text: str) -> bool:
    """Whether a text is a rendered grader request, by its structure and not by words in it.

    >>> is_grader_request("List the key facts of the source below.")
    False
    """
    try:
        parse_grader_request(text)
    except ValueError:
        return False
    return True


def parse_grader_request(text: str) -> Asked:
    """Read a rendered grader request back.

    Raises:
        ValueError: The text is not a grader request of this project.
    """
    for words, order in _SECTIONS.items():
        head, sections = read_sections(text, order)
        found = _HEADS[words].fullmatch(head)
        if found is not None:
            fields = found.groupdict()
            again = words.format(**fields, sections=render_sections(sections))
            complete = set(order) - {"source", "key_facts"} <= sections.keys()
            covering = fields.get("tasks", "").endswith(COVERAGE_TASK)
            if again == text and complete and covering == ("key_facts" in sections):
                return _asked(words, fields, sections)
    raise _not_a_request(text)


def _asked(words: str, fields: Mapping[str, str], sections: Mapping[str, str]) -> Asked:
    prompt, source = sections["request"], sections.get("source")
    if words == KEY_FACTS_PROMPT:
        return AskedKeyFacts(prompt, source or "", int(fields["most"]))
    if words == JUDGED_PROMPT:
        criteria = [_read(_CRITERION_LINE, line) for line in fields["criteria"].split("\n")]
        return AskedVerdicts(
            prompt,
            source,
            sections["first_response"],
            sections["second_response"],
            {criterion["id"]: criterion["definition"] for criterion in criteria},
        )
    tasks = fields["tasks"]
    return AskedFacts(
        prompt,
        source,
        sections["response"],
        _asked_labels(tasks.removesuffix(COVERAGE_TASK)),
        _numbered(sections.get("facts")),
        _numbered(sections.get("key_facts")),
        listing=words == LIST_FACTS_PROMPT,
    )


def _asked_labels(task: str) -> tuple[AskedLabel, ...]:
    if not task:
        return ()
    lines = _read(_LABEL_TASK, task)["labels"].split("\n")
    found = [_read(_LABEL_LINE, line) for line in lines]
    return tuple(
        AskedLabel(line["id"], line["question"], tuple(line["values"].split(", ")))
        for line in found
    )


def _numbered(section: str | None) -> tuple[str, ...] | None:
    if section is None:
        return None
    lines = section.split("\n") if section else []
    return tuple(_read(_NUMBERED_LINE, line)["fact"] for line in lines)


def _read(pattern: re.Pattern[str], text: str) -> dict[str, str]:
    found = pattern.fullmatch(text)
    if found is None:
        raise _not_a_request(text)
    return found.groupdict()


def _not_a_request(text: str) -> ValueError:
    return ValueError(f"not a grader request of profile-tasks: {text[:80]!r}")
