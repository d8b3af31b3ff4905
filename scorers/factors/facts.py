"""Facts factors: the grader lists and labels a response's atomic facts, arithmetic does the rest.

Atomic facts after FActScore (Min et al., EMNLP 2023). One request a response lists its facts and
labels each one for every factor that needs a label, so five responses cost five requests and not
ten pairs; one request a source lists its key facts, for coverage. Every fact stays in the log with
its labels, so that a person can check it. This implementation's own protocol.
"""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeGuard

from pydantic import BaseModel

from profile_tasks.scorers.factors.batch import Batch
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.grader_answer import (
    Reading,
    UnreadableAnswerError,
    last_readable,
    object_schema,
    own_objects,
)
from profile_tasks.scorers.factors.grader_prompts import (
    COMPARE_TASK,
    COVERAGE_TASK,
    FACTS_BATCH_PROMPT,
    FACTS_PROMPT,
    KEY_FACTS_PROMPT,
    LABEL_FACTS_TASK,
    LABEL_LINE,
    LABEL_TASK,
    LIST_FACTS_TASK,
    MOST_KEY_FACTS,
    WORDS_PER_FACTS_REQUEST,
)
from profile_tasks.scorers.factors.words import sentences
from profile_tasks.solvers.sections import render_sections

_KEY_FACTS, _FACTS, _LABELS, _COVERED = "key_facts", "facts", "labels", "covered"


class Fact(BaseModel, frozen=True):
    """An atomic fact of a response.

    Attributes:
        text: What the response states.
        labels: Factor id -> label; a label that the grader did not give is absent.
    """

    text: str
    labels: dict[str, str] = {}


class ResponseFacts(BaseModel, frozen=True):
    """What the grader found in one response.

    Attributes:
        facts: Its atomic facts; None where they are missing.
        covered: The source's key facts that it conveys; None where they are missing.
    """

    facts: tuple[Fact, ...] | None = None
    covered: tuple[str, ...] | None = None


@dataclass(frozen=True)
class KeyFactsRequest:
    """Which key facts does a source hold?"""

    prompt: str
    source: str

    def render(self) -> str:
        """The text of the request."""
        sections = render_sections({"request": self.prompt, "source": self.source})
        return KEY_FACTS_PROMPT.format(most=MOST_KEY_FACTS, sections=sections)

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the answer."""
        return object_schema({_KEY_FACTS: {"type": "array", "items": {"type": "string"}}})

    def read(self, *answers: str) -> Reading[tuple[str, ...]]:
        """The key facts, most important first; what exceeds the wanted number is left out."""
        try:
            contents = own_objects(answers, [_KEY_FACTS], [self.prompt, self.source])
        except UnreadableAnswerError as error:
            return Reading(None, (str(error),))
        return last_readable([self._listed(content[_KEY_FACTS]) for content in contents])

    def _listed(self, found: object) -> Reading[tuple[str, ...]]:
        if not isinstance(found, list) or not all(_is_text(fact) for fact in found):
            return Reading(None, (f'"{_KEY_FACTS}" must be a list of sentences',))
        return Reading(tuple(dict.fromkeys(_line(fact) for fact in found))[:MOST_KEY_FACTS])


@dataclass(frozen=True)
class FactsRequest:
    """Which facts does a response state, and what is each of them?

    Attributes:
        prompt: What was asked.
        source: The document, None where there is none.
        response: The response, or a part of a long one.
        labelled: Factors of measure "share": each fact is labelled for each of them.
        facts: The response's facts where they are known, to be labelled only; None: list them.
        key_facts: The source's key facts, to be compared with the response; None: do not.
    """

    prompt: str
    source: str | None
    response: str
    labelled: tuple[Factor, ...] = ()
    facts: tuple[str, ...] | None = None
    key_facts: tuple[str, ...] | None = None

    def render(self) -> str:
        """The text of the request."""
        return FACTS_PROMPT.format(
            task=self.task,
            answer=self.form,
            sections=render_sections(self.shared_sections | self.own_sections),
        )

    @property
    def task(self) -> str:
        """What is to be done, in words."""
        if self.facts is None:
            task = LIST_FACTS_TASK
        else:
            task = LABEL_FACTS_TASK if self.labelled else COMPARE_TASK
        if self.labelled:
            task += LABEL_TASK.format(labels="\n".join(map(_label_line, self.labelled)))
        return task if self.key_facts is None else task + COVERAGE_TASK

    @property
    def shared_sections(self) -> dict[str, str | None]:
        """What is shown whatever the response."""
        return {
            "request": self.prompt,
            "source": self.source,
            "key_facts": _numbered(self.key_facts),
        }

    @property
    def own_sections(self) -> dict[str, str | None]:
        """The response, and its facts where they are to be labelled."""
        return {
            "response": self.response,
            "facts": _numbered(self.facts) if self.labelled else None,
        }

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the answer."""
        entry: dict[str, Any] = {
            factor.id: {"type": "string", "enum": list(_values(factor))} for factor in self.labelled
        }
        wanted: dict[str, Any] = {}
        if self.facts is None:
            fact = {"fact": {"type": "string"}}
            wanted[_FACTS] = {"type": "array", "items": object_schema(fact | entry)}
        elif self.labelled:
            number = {"number": {"type": "integer"}}
            wanted[_LABELS] = {"type": "array", "items": object_schema(number | entry)}
        if self.key_facts is not None:
            wanted[_COVERED] = {"type": "array", "items": {"type": "integer"}}
        return object_schema(wanted)

    @property
    def material(self) -> tuple[str, ...]:
        """The untrusted texts that are shown."""
        own = (self.prompt, self.source or "", self.response)
        return (*own, *(self.facts or ()), *(self.key_facts or ()))

    def read(self, *answers: str) -> Reading[ResponseFacts]:
        """The facts with their labels, and the key facts that are conveyed."""
        try:
            return self.reading(own_objects(answers, self.schema()["required"], self.material))
        except UnreadableAnswerError as error:
            return Reading(None, (str(error),))

    def reading(self, contents: Sequence[Mapping[str, Any]]) -> Reading[ResponseFacts]:
        """The same out of the grader's objects, at least one."""
        facts = self._most_labelled(
            [self._listed(content.get(_FACTS)) for content in contents]
            if self.facts is None
            else [self._labels_of(self.facts, content.get(_LABELS)) for content in contents]
        )
        covered = last_readable([self._conveyed(content.get(_COVERED)) for content in contents])
        problems = facts.problems + covered.problems
        if facts.value is None and covered.value is None:
            return Reading(None, problems)
        return Reading(ResponseFacts(facts=facts.value, covered=covered.value), problems)

    @property
    def form(self) -> str:
        """The answer's form as the grader is shown it."""
        labels = "".join(f', "{factor.id}": "..."' for factor in self.labelled)
        parts = []
        if self.facts is None:
            parts.append(f'"{_FACTS}": [{{"fact": "..."{labels}}}, ...]')
        elif self.labelled:
            parts.append(f'"{_LABELS}": [{{"number": 1{labels}}}, ...]')
        if self.key_facts is not None:
            parts.append(f'"{_COVERED}": [1, ...]')
        return "{" + ", ".join(parts) + "}"

    def _listed(self, entries: object) -> Reading[tuple[Fact, ...]]:
        """The listed facts, with the labels that are readable."""
        if not isinstance(entries, list):
            return Reading(None, (f'"{_FACTS}" must be a list of objects',))
        for number, entry in enumerate(entries, start=1):
            if not isinstance(entry, dict) or not _is_text(entry.get("fact")):
                return Reading(None, (f'fact {number} has no text under "fact"',))
        return Reading(
            tuple(Fact(text=_line(entry["fact"]), labels=self._labels(entry)) for entry in entries)
        )

    def _labels_of(self, texts: Sequence[str], entries: object) -> Reading[tuple[Fact, ...]]:
        """The known facts, with the labels that are readable."""
        if not self.labelled:
            return Reading(None)
        if not isinstance(entries, list):
            return Reading(None, (f'"{_LABELS}" must be a list of objects',))
        by_number: dict[int, Mapping[str, Any]] = {}
        for entry in entries:
            number = entry.get("number") if isinstance(entry, dict) else None
            if not _is_number(number, len(texts)) or number in by_number:
                problem = f'each entry of "{_LABELS}" needs its own "number" from 1 to {len(texts)}'
                return Reading(None, (problem,))
            by_number[number] = entry
        return Reading(
            tuple(
                Fact(text=text, labels=self._labels(by_number.get(number, {})))
                for number, text in enumerate(texts, start=1)
            )
        )

    def _labels(self, entry: Mapping[str, Any]) -> dict[str, str]:
        labels = {}
        for factor in self.labelled:
            label = entry.get(factor.id)
            label = label.strip().casefold() if isinstance(label, str) else label
            if label in _values(factor):
                labels[factor.id] = label
        return labels

    def _most_labelled(
        self, listings: Sequence[Reading[tuple[Fact, ...]]]
    ) -> Reading[tuple[Fact, ...]]:
        """What several listings of the facts come to, with a problem for each label that lacks."""
        readable = [listing.value for listing in listings if listing.value is not None]
        if not readable:
            return listings[-1]
        facts = reduce(self._more_labelled, readable)
        return Reading(
            facts,
            tuple(
                f'"{factor.id}" of fact {number} must be one of: {", ".join(_values(factor))}'
                for number, fact in enumerate(facts, start=1)
                for factor in self.labelled
                if factor.id not in fact.labels
            ),
        )

    def _more_labelled(self, first: tuple[Fact, ...], later: tuple[Fact, ...]) -> tuple[Fact, ...]:
        """Labels of the same facts together; else the listing that costs fewer factors."""
        if [fact.text for fact in first] == [fact.text for fact in later]:
            return tuple(
                Fact(text=old.text, labels=old.labels | new.labels)
                for old, new in zip(first, later, strict=True)
            )
        return first if len(self._lost(first)) < len(self._lost(later)) else later

    def _lost(self, facts: Sequence[Fact]) -> set[str]:
        """Ids of the factors that have no value, for want of one label at least."""
        return {f.id for f in self.labelled if any(f.id not in fact.labels for fact in facts)}

    def _conveyed(self, numbers: object) -> Reading[tuple[str, ...]]:
        """The key facts with these numbers."""
        if self.key_facts is None:
            return Reading(None)
        most = len(self.key_facts)
        if not isinstance(numbers, list) or not all(_is_number(n, most) for n in numbers):
            return Reading(None, (f'"{_COVERED}" must be a list of numbers from 1 to {most}',))
        return Reading(tuple(self.key_facts[number - 1] for number in sorted(set(numbers))))


class FactsBatch(Batch[FactsRequest, ResponseFacts]):
    """The same about several responses to one source, which share the task and the key facts."""

    entries, number = "responses", "response"

    @staticmethod
    def alike(request: FactsRequest) -> Hashable:
        """The task; the key facts of a source are the same."""
        return request.task

    @staticmethod
    def fit(requests: Sequence[FactsRequest]) -> bool:
        """Whether a list of all their facts is no longer than that of a response may be."""
        words = sum(len(request.response.split()) for request in requests)
        return words <= WORDS_PER_FACTS_REQUEST

    def render(self) -> str:
        """The text of the request."""
        shown = dict(self.requests[0].shared_sections)
        for number, request in enumerate(self.requests, start=1):
            shown |= {f"{tag}_{number}": text for tag, text in request.own_sections.items()}
        return FACTS_BATCH_PROMPT.format(
            task=self.requests[0].task,
            last=len(self.requests),
            answer=self.form_of(self.requests[0].form),
            sections=render_sections(shown),
        )


def parts(response: str) -> tuple[str, ...]:
    """A response as it is sent: whole, or split on sentences where it is long.

    >>> parts("A short response.")
    ('A short response.',)
    """
    if len(response.split()) <= WORDS_PER_FACTS_REQUEST:
        return (response,)
    found: list[list[str]] = [[]]
    for sentence in sentences(response):
        words = sentence.split()
        if found[-1] and len(found[-1]) + len(words) > WORDS_PER_FACTS_REQUEST:
            found.append([])
        found[-1] += words
        while len(found[-1]) > WORDS_PER_FACTS_REQUEST:  # a list or a loop without a full stop
            found[-1:] = [found[-1][:WORDS_PER_FACTS_REQUEST], found[-1][WORDS_PER_FACTS_REQUEST:]]
    return tuple(" ".join(part) for part in found if part) or (response,)


def distinct(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """The facts without those that are listed again in the same words.

    >>> [fact.text for fact in distinct([Fact(text="It rained."), Fact(text="it rained")])]
    ['It rained.']
    """
    first: dict[str, Fact] = {}
    for fact in facts:
        first.setdefault(fact.text.casefold().rstrip(".!? "), fact)
    return tuple(first.values())


def facts_value(factor: Factor, response: ResponseFacts | None, n_key_facts: int | None) -> float:
    """The value of a facts factor for one response; NaN where it is missing.

    Args:
        factor: A factor of kind "facts": the number of facts, the share of the facts whose label
            is a counted one, or the share of the source's key facts that are conveyed.
        response: What the grader found in the response, None where that is missing.
        n_key_facts: How many key facts the source has, None where that is missing.

    Shares are missing where there is nothing to share out (no such fact, no key fact), and where
    the grader left out a single label: a share of the labelled rest would be another number.

    >>> from profile_tasks.scorers.factors.taxonomy import load_taxonomy
    >>> found = ResponseFacts(
    ...     facts=(
    ...         Fact(text="It rained.", labels={"hallucination": "supported"}),
    ...         Fact(text="It snowed.", labels={"hallucination": "absent"}),
    ...     ),
    ...     covered=("It rained.",),
    ... )
    >>> taxonomy = load_taxonomy()
    >>> [
    ...     facts_value(taxonomy[factor], found, 4)
    ...     for factor in ("number_of_facts", "hallucination", "source_coverage")
    ... ]
    [2.0, 0.5, 0.25]
    """
    response = response or ResponseFacts()
    if factor.measure == "coverage":
        if response.covered is None or not n_key_facts:
            return math.nan
        return len(response.covered) / n_key_facts
    if response.facts is None:
        return math.nan
    if factor.measure == "count":
        return float(len(response.facts))
    labels = [fact.labels.get(factor.id) for fact in response.facts]
    if None in labels or factor.label is None:
        return math.nan
    among = [label for label in labels if label in (factor.label.among or factor.label.values)]
    return sum(label in factor.label.counted for label in among) / len(among) if among else math.nan


def _values(factor: Factor) -> tuple[str, ...]:
    return () if factor.label is None else factor.label.values


def _label_line(factor: Factor) -> str:
    question = "" if factor.label is None else _line(factor.label.question)
    return LABEL_LINE.format(id=factor.id, question=question, values=", ".join(_values(factor)))


def _numbered(facts: Sequence[str] | None) -> str | None:
    if facts is None:
        return None
    return "\n".join(f"{number}. {_line(fact)}" for number, fact in enumerate(facts, start=1))


def _line(text: str) -> str:
    """The text on one line, so that each line of a list is one entry."""
    return " ".join(text.split())


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_number(value: object, most: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most
