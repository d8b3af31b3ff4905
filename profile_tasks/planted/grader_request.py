"""A grader's request read back out of its words, as the planted grader is shown it.

The planted grader gets what any grader gets, a text. So the words and the sections of a request
are checked on the way: what is read back must render to the same text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter

from profile_tasks.scorers.factors.grader_prompts import (
    COMPARE_TASK,
    COVERAGE_TASK,
    CRITERION_LINE,
    FACTS_BATCH_PROMPT,
    FACTS_PROMPT,
    JUDGED_BATCH_PROMPT,
    JUDGED_PROMPT,
    KEY_FACTS_PROMPT,
    LABEL_FACTS_TASK,
    LABEL_LINE,
    LABEL_TASK,
    LIST_FACTS_TASK,
    PAIR_LINE,
    PAIRS_PER_BATCH,
    WORDS_PER_FACTS_REQUEST,
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


@dataclass(frozen=True)
class AskedBatch:
    """Requests of one kind that were asked together, read back.

    Attributes:
        requests: Each of them, by its number from 1 on.
    """

    requests: tuple[AskedFacts | AskedVerdicts, ...]


Asked = AskedKeyFacts | AskedFacts | AskedVerdicts | AskedBatch


def template_pattern(template: str) -> re.Pattern[str]:
    """What a template's fields are filled with, by their names."""
    number = r"\d+"
    fields = {
        "id": r"\w+",
        "values": r"[^\s,]+(?:, [^\s,]+)*",
        **dict.fromkeys(
            ("most", "last", "number", "first", "second", "request", "preferred"), number
        ),
    }
    parts = [
        re.escape(literal) + (f"(?P<{name}>{fields.get(name, '.*?')})" if name else "")
        for literal, name, _, _ in Formatter().parse(template)
    ]
    return re.compile("".join(parts), re.DOTALL)


def _facts_prompt(words: str, task: str) -> str:
    """The prompt of a facts task, whose labels and coverage are the field ``tasks``."""
    return words.replace("{task}", task + "{tasks}")


def _numbered_tags(*tags: str, most: int) -> tuple[str, ...]:
    return tuple(f"{tag}_{number}" for number in range(1, most + 1) for tag in tags)


_SHARED = ("request", "source", "key_facts")
_FACTS_TASKS = (LIST_FACTS_TASK, LABEL_FACTS_TASK, COMPARE_TASK)
_LISTINGS = tuple(
    _facts_prompt(words, LIST_FACTS_TASK) for words in (FACTS_PROMPT, FACTS_BATCH_PROMPT)
)
_SECTIONS: Mapping[str, tuple[str, ...]] = {
    KEY_FACTS_PROMPT: ("request", "source"),
    JUDGED_PROMPT: ("request", "source", "first_response", "second_response"),
    JUDGED_BATCH_PROMPT: (
        *("request", "source"),
        *_numbered_tags("response", most=2 * PAIRS_PER_BATCH),
    ),
    **{_facts_prompt(FACTS_PROMPT, task): (*_SHARED, "response", "facts") for task in _FACTS_TASKS},
    **{
        _facts_prompt(FACTS_BATCH_PROMPT, task): (
            *_SHARED,
            *_numbered_tags("response", "facts", most=WORDS_PER_FACTS_REQUEST),
        )
        for task in _FACTS_TASKS
    },
}
"""Which sections follow which words, in their order."""

_HEADS = {words: template_pattern(words.partition("{sections}")[0]) for words in _SECTIONS}
_LABEL_TASK, _LABEL_LINE, _CRITERION_LINE, _PAIR_LINE = map(
    template_pattern, (LABEL_TASK, LABEL_LINE, CRITERION_LINE, PAIR_LINE)
)
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
    head, _ = read_sections(text, ("request",))
    for words, order in _SECTIONS.items():
        found = _HEADS[words].fullmatch(head)
        if found is not None:
            fields = found.groupdict()
            _, sections = read_sections(text, order)
            again = words.format(**fields, sections=render_sections(sections))
            covering = fields.get("tasks", "").endswith(COVERAGE_TASK)
            if again == text and covering == ("key_facts" in sections):
                try:
                    return _asked(words, fields, sections)
                except KeyError:  # a section is missing
                    break
    raise _not_a_request(text)


def _asked(words: str, fields: Mapping[str, str], sections: Mapping[str, str]) -> Asked:
    if words == KEY_FACTS_PROMPT:
        return AskedKeyFacts(sections["request"], sections["source"], int(fields["most"]))
    if words == JUDGED_PROMPT:
        return _verdicts(fields, sections, "first_response", "second_response")
    if words == JUDGED_BATCH_PROMPT:
        pairs = [_read(_PAIR_LINE, line) for line in fields["pairs"].split("\n")]
        if [pair["number"] for pair in pairs] != _numbers(fields["last"]):
            raise _not_a_request(fields["pairs"])
        return AskedBatch(
            tuple(
                _verdicts(fields, sections, *(f"response_{pair[n]}" for n in ("first", "second")))
                for pair in pairs
            )
        )
    listing = words in _LISTINGS
    labelling = not listing and fields["tasks"].removesuffix(COVERAGE_TASK) != ""
    if "last" not in fields:
        return _facts(fields, sections, "", listing=listing, labelling=labelling)
    return AskedBatch(
        tuple(
            _facts(fields, sections, f"_{number}", listing=listing, labelling=labelling)
            for number in _numbers(fields["last"])
        )
    )


def _verdicts(
    fields: Mapping[str, str], sections: Mapping[str, str], first: str, second: str
) -> AskedVerdicts:
    criteria = [_read(_CRITERION_LINE, line) for line in fields["criteria"].split("\n")]
    return AskedVerdicts(
        sections["request"],
        sections.get("source"),
        sections[first],
        sections[second],
        {criterion["id"]: criterion["definition"] for criterion in criteria},
    )


def _facts(
    fields: Mapping[str, str],
    sections: Mapping[str, str],
    suffix: str,
    *,
    listing: bool,
    labelling: bool,
) -> AskedFacts:
    return AskedFacts(
        sections["request"],
        sections.get("source"),
        sections[f"response{suffix}"],
        _asked_labels(fields["tasks"].removesuffix(COVERAGE_TASK)),
        _numbered(sections[f"facts{suffix}"]) if labelling else None,
        _numbered(sections.get("key_facts")),
        listing=listing,
    )


def _numbers(last: str) -> list[str]:
    return [str(number) for number in range(1, int(last) + 1)]


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
