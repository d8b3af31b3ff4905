"""Which pairs speak most for and against a factor, and what decided it.

A pair speaks for a factor where the preferred response shows more of it, and against it where the
other one does; the further apart their values, the louder. A judged factor has no values: there a
verdict agreed in both orders is all there is, and the examples are a random choice of those.
"""

import hashlib
import heapq
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.runs.run import AnsweredSource
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.surface import factor_values
from profile_tasks.scorers.factors.taxonomy import load_taxonomy
from profile_tasks.scorers.grading.record import SourceGrades
from profile_tasks.scorers.grading.response_ids import annotated_id, written_id
from profile_tasks.scorers.measurement.source_measurement import (
    SourceMeasurement,
    compared_responses,
)
from profile_tasks.untrusted_text import cut, shown

EXAMPLES = 3
"""Pairs for, and as many against, for each factor and perspective."""

MOST_CHARACTERS = 1200
"""Of a response; the request is cut sooner, and a fact sooner still."""

_REQUEST_CHARACTERS, _FACT_CHARACTERS, _MOST_FACTS = 300, 240, 12
_TOKEN = re.compile(r"\S+\s*|\s+")
_EQUALLY_LOUD = 1.0

Side = tuple["Segment", ...]


@dataclass(frozen=True)
class Segment:
    """A piece of a response: words of both responses, or of this one alone."""

    text: str
    shared: bool


@dataclass(frozen=True)
class Response:
    """One response of an example.

    Attributes:
        name: What it is, e.g. "response a" or "written for score 5".
        text: Its beginning, as segments.
        length: Characters of the whole of it.
        value: Its value of the factor; None where there is none, or it was not computed.
        facts: What the grader found in it: the fact, and its label.
        more_facts: How many facts are left out.
    """

    name: str
    text: Side
    length: int
    value: float | None = None
    facts: tuple[tuple[str, str], ...] = ()
    more_facts: int = 0

    @property
    def is_cut(self) -> bool:
        """Whether only the beginning is shown."""
        return self.length > MOST_CHARACTERS


@dataclass(frozen=True)
class Example:
    """A pair that speaks for or against a factor.

    Attributes:
        source: Id of the source.
        request: The beginning of the request.
        preferred: The response that the perspective preferred.
        other: The other one.
        decided_by: The verdicts and votes that decided, in words.
    """

    source: str
    request: str
    preferred: Response
    other: Response
    decided_by: tuple[str, ...]

    @property
    def shared(self) -> float:
        """Share of the shown characters that both have; 0 where nothing is shown."""
        segments = (*self.preferred.text, *self.other.text)
        length = sum(len(segment.text) for segment in segments)
        return sum(len(s.text) for s in segments if s.shared) / length if length else 0.0


def marked_differences(first: str, second: str) -> tuple[Side, Side]:
    """Two texts in segments: words that both have in order, and words of one of them alone.

    >>> marked_differences("The mill is old.", "The mill is very old.")[1]
    (Segment(text='The mill is ', shared=True), Segment(text='very ', shared=False), \
Segment(text='old.', shared=True))
    """
    from rapidfuzz.distance import Indel

    words = [_TOKEN.findall(text) for text in (first, second)]
    sides: tuple[list[Segment], list[Segment]] = ([], [])
    # White space belongs to the word before it, and does not make it another word.
    keys = [[word.strip() for word in side] for side in words]
    for step in Indel.opcodes(*keys):
        shared = step.tag == "equal"
        for side, start, end, own in zip(
            sides,
            (step.src_start, step.dest_start),
            (step.src_end, step.dest_end),
            words,
            strict=True,
        ):
            if text := "".join(own[start:end]):
                side.append(Segment(text, shared))
    return tuple(sides[0]), tuple(sides[1])


Examples = Mapping[str, Mapping[str, tuple[tuple[Example, ...], tuple[Example, ...]]]]
"""Perspective -> factor -> examples for it, and against it, the loudest first."""


@dataclass(frozen=True)
class Candidate:
    """A source whose pairs may become examples: its texts, what was measured, and the grades."""

    answered: AnsweredSource
    measurement: SourceMeasurement
    grades: SourceGrades | None = None

    @property
    def annotated(self) -> AnnotatedSource:
        """The source itself."""
        return self.answered.source


@dataclass(frozen=True)
class _Pair:
    """A pair with a preference: ids of the preferred and the other response, and the factors."""

    preferred: str
    other: str
    signs: tuple[int | None, ...]
    index: int


_Loud = tuple[float, str, int, Candidate, _Pair]
"""How loud, a random draw, the order of arrival (no two are equal), and the pair."""


class LoudestPairs:
    """Keeps the pairs that speak most for and against each factor, source by source.

    Only the sources of pairs that are kept stay in memory.
    """

    def __init__(self, factors: Mapping[str, Factor]) -> None:
        self._factors = factors
        self._kept: dict[tuple[str, str, bool], list[_Loud]] = {}
        self._arrivals = count()

    def add(self, source: Candidate) -> None:
        """Look at the pairs of one more source."""
        values = _values(source, self._factors)
        for perspective, pairs in _preferences(source):
            for column, factor in enumerate(source.measurement.factors):
                loudest: dict[bool, _Loud] = {}
                for pair in pairs:
                    if not (sign := pair.signs[column]):
                        continue
                    entry = (
                        _loudness(values.get(factor), pair),
                        _drawn(source, pair, factor),
                        next(self._arrivals),
                        source,
                        pair,
                    )
                    speaks_for = sign > 0
                    loudest[speaks_for] = max(loudest.get(speaks_for, entry), entry)
                # One pair a source, so that examples are not all of one source.
                for speaks_for, entry in loudest.items():
                    kept = self._kept.setdefault((perspective, factor, speaks_for), [])
                    keep = heapq.heappush if len(kept) < EXAMPLES else heapq.heappushpop
                    keep(kept, entry)

    def examples(self) -> Examples:
        """What was kept."""
        found: dict[str, dict[str, tuple[tuple[Example, ...], tuple[Example, ...]]]] = {}
        for perspective, factor in dict.fromkeys(key[:2] for key in self._kept):
            sides = [
                tuple(
                    _example(source, pair, perspective, factor, self._factors.get(factor))
                    for *_, source, pair in sorted(
                        self._kept.get((perspective, factor, speaks_for), []), reverse=True
                    )
                )
                for speaks_for in (True, False)
            ]
            found.setdefault(perspective, {})[shown(factor)] = (sides[0], sides[1])
        return found


def _preferences(source: Candidate) -> Iterator[tuple[str, list[_Pair]]]:
    """The decided pairs of each perspective, the signs turned towards the preferred response."""
    measured = source.measurement
    ids = [
        (annotated_id(pair.id, "a"), annotated_id(pair.id, "b")) for pair in source.annotated.pairs
    ]
    for perspective, preferences in (
        ("human", measured.human),
        ("discrimination", measured.discrimination or ()),
    ):
        yield (
            perspective,
            [
                _Pair(*(pair if sign > 0 else pair[::-1]), _turned(row, sign), index)
                for index, (pair, sign, row) in enumerate(
                    zip(ids, preferences, measured.annotated, strict=False)
                )
                if sign
            ],
        )
    yield (
        "generation",
        [
            _Pair(written_id(pair.higher), written_id(pair.lower), row, index)
            for index, (pair, row) in enumerate(
                zip(measured.pairs_written or (), measured.written, strict=False)
            )
            if not pair.identical
        ],
    )


def _turned(signs: tuple[int | None, ...], sign: int) -> tuple[int | None, ...]:
    return tuple(None if s is None else s * sign for s in signs)


def _texts(source: Candidate) -> Mapping[str, str]:
    return compared_responses(source.annotated, source.answered.responses).texts


def _values(source: Candidate, factors: Mapping[str, Factor]) -> dict[str, dict[str, float | None]]:
    """Factor -> response -> value, of every factor that has values and is known here."""
    values = dict(source.measurement.values)
    texts = _texts(source)
    for factor in source.measurement.factors:
        known = factors.get(factor)
        if factor not in values and known is not None and known.kind == "surface":
            n = len(texts)
            column = factor_values(
                [known],
                list(texts.values()),
                [source.annotated.source] * n,
                [source.annotated.prompt] * n,
            )[:, 0]
            values[factor] = dict(zip(texts, column.tolist(), strict=True))
    return values


def _loudness(values: Mapping[str, float | None] | None, pair: _Pair) -> float:
    if values is None:
        return _EQUALLY_LOUD
    more, less = values.get(pair.preferred), values.get(pair.other)
    if more is None or less is None or not math.isfinite(more - less):
        return 0.0
    return abs(more - less)


def _drawn(source: Candidate, pair: _Pair, factor: str) -> str:
    """Settles a draw at random, and the same way each time."""
    name = f"{source.measurement.source_id} {pair.index} {factor}"
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def _example(
    source: Candidate, pair: _Pair, perspective: str, factor: str, known: Factor | None
) -> Example:
    texts = _texts(source)
    values = _values(source, {factor: known} if known else {}).get(factor, {})
    beginnings = [
        cut(shown(texts.get(response, "")[: 2 * MOST_CHARACTERS]), MOST_CHARACTERS)[0]
        for response in (pair.preferred, pair.other)
    ]
    sides = [
        _response(source, response, marked, texts, values, known)
        for response, marked in zip(
            (pair.preferred, pair.other), marked_differences(*beginnings), strict=True
        )
    ]
    request = source.annotated.prompt or source.annotated.source or ""
    beginning, length = cut(shown(request[: 2 * _REQUEST_CHARACTERS]), _REQUEST_CHARACTERS)
    return Example(
        source=shown(source.measurement.source_id)[:200],
        request=beginning
        + ("…" if len(request) > len(beginning) or length > len(beginning) else ""),
        preferred=sides[0],
        other=sides[1],
        decided_by=tuple(_decided_by(source, pair, perspective, factor, known)),
    )


def _response(
    source: Candidate,
    response: str,
    marked: Side,
    texts: Mapping[str, str],
    values: Mapping[str, float | None],
    factor: Factor | None,
) -> Response:
    facts = list(_facts(source.grades, response, factor))
    return Response(
        name=_name(response, source),
        text=marked,
        length=len(texts.get(response, "")),
        value=values.get(response),
        facts=tuple(facts[:_MOST_FACTS]),
        more_facts=max(len(facts) - _MOST_FACTS, 0),
    )


def _name(response: str, source: Candidate) -> str:
    for pair in source.annotated.pairs:
        for side in "ab":
            if response == annotated_id(pair.id, side):
                return f"response {side}"
    return f"written for {response}"


def _facts(
    grades: SourceGrades | None, response: str, factor: Factor | None
) -> Iterator[tuple[str, str]]:
    """The facts of a response with the labels that decided; nothing for other kinds of factors."""
    if grades is None or factor is None or factor.kind != "facts":
        return
    found = grades.responses.get(grades.same_as.get(response, response))
    if found is None:
        return
    if factor.measure == "coverage":
        for fact in found.covered or ():
            yield _fact(fact), "conveyed"
        return
    for stated in found.facts or ():
        label = stated.labels.get(factor.id, "no label") if factor.measure == "share" else ""
        counted = factor.label is not None and label in factor.label.counted
        yield _fact(stated.text), shown(label) + (" (counts)" if counted else "")


def _fact(text: str) -> str:
    return cut(shown(text), _FACT_CHARACTERS)[0]


def _decided_by(
    source: Candidate, pair: _Pair, perspective: str, factor: str, known: Factor | None
) -> Iterator[str]:
    measured, grades = source.measurement, source.grades
    if perspective == "generation":
        yield f"{_name(pair.preferred, source)}, the other {_name(pair.other, source)}"
    elif perspective == "human":
        votes = source.annotated.pairs[pair.index].annotators
        yield (
            "people: " + ", ".join(f"{side} {votes.count(side)}" for side in ("a", "b", "tie"))
            if votes
            else "people: the recorded preference"
        )
    elif measured.margins and measured.margins[pair.index]:
        yield "log-likelihood of the first shown less that of the other: " + ", ".join(
            f"{margin:+.2f}" for margin in measured.margins[pair.index]
        )
    elif measured.picks is not None:
        picks = measured.picks[pair.index]
        alone = {"a", "b"} & set(picks)
        start = "the recorded verdict: " if alone else "the model's verdicts, by position shown: "
        yield start + ", ".join(shown(pick or "unreadable") for pick in picks)
    if known is not None and known.kind == "judged" and grades is not None:
        ids = [grades.same_as.get(response, response) for response in (pair.preferred, pair.other)]
        yield "the grader's verdicts, one an order shown: " + ", ".join(
            {
                "first": "the preferred one shows more",
                "second": "the other one shows more",
                "tie": "neither shows more",
            }.get(verdict or "", "unreadable")
            for verdict in grades.verdict_on(ids[0], ids[1], factor).recorded
        )


@cache
def packaged_factors() -> Mapping[str, Factor]:
    """The factors that this package computes or knows the labels of."""
    return load_taxonomy()


def known_factors(ids: Sequence[str], own: Mapping[str, Any]) -> dict[str, Factor]:
    """What is known of a run's factors: the packaged ones, and the run's own as its log has them.

    A log names the Python function of an own surface factor. It is never imported to look at the
    log: there the examples are those of a sign alone.
    """
    packaged = packaged_factors()
    known = {}
    for id_ in ids:
        if id_ not in own:
            if id_ in packaged:
                known[id_] = packaged[id_]
            continue
        factor = _own_factor(own[id_])
        if factor is not None and factor.kind in {"facts", "judged"}:
            known[id_] = factor
    return known


def _own_factor(record: object) -> Factor | None:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Factor).validate_python(record)
    except ValidationError:
        return None
