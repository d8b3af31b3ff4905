"""What a judge said in the probes of one source, and the observations that many sources make."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import combinations
from typing import Self

import numpy as np
from pydantic import BaseModel, JsonValue

from profile_tasks.data.preference import PREFERENCE_SIGNS
from profile_tasks.data.preferences import AnnotatedPair, AnnotatedSource
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.words import word_count
from profile_tasks.scorers.measurement.source_measurement import (
    SourceMeasurement,
    measure_source,
    with_verdicts,
)
from profile_tasks.scorers.measurement.tables import comparison_tables, shared_group_codes
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.probes import (
    PERMUTATIONS,
    Observations,
    ProbeFinding,
    adjusted_findings,
    alignment_of_wordings,
    probe_finding,
    self_preference,
    taste_of_wordings,
)
from profile_tasks.scorers.statistics.study import JUDGE
from profile_tasks.solvers.both_orders import PairVerdict, Pick
from profile_tasks.solvers.probe_requests import (
    CARRIED,
    IDENTICAL,
    OWN,
    REPEAT,
    VARIED,
    ProbeAnswers,
)
from profile_tasks.solvers.prompts import STANDARD

STRENGTH = "strength"
"""The column in which data record how strong a preference is: a number, of either sign."""

_SIGNS: Mapping[Pick, int] = {"first": 1, "a": 1, "tie": 0, "second": -1, "b": -1}

Rows = dict[str, list[tuple[int, float]]]


class ProbedSource(BaseModel, frozen=True):
    """What a judge said about one source.

    Attributes:
        measured: Its annotated pairs, measured without a judge.
        answers: What the judge said.
        strengths: How strong the preference of each annotated pair is, None where nobody said.
        log_ratios: Of each text that the judge's own was shown beside, the logarithm of the own
            text's words over that one's.
    """

    measured: SourceMeasurement
    answers: ProbeAnswers
    strengths: tuple[float | None, ...] = ()
    log_ratios: tuple[float, ...] = ()

    @classmethod
    def of(cls, source: AnnotatedSource, answers: ProbeAnswers, factors: Sequence[Factor]) -> Self:
        """Measure a source.

        Args:
            source: The source with its annotated pairs.
            answers: What the judge said of it.
            factors: Whose influence is compared between wordings.
        """
        own = word_count(answers.own or "")
        return cls(
            measured=measure_source(source, factors),
            answers=answers,
            strengths=tuple(strength_of(pair) for pair in source.pairs),
            log_ratios=tuple(math.log1p(own) - math.log1p(word_count(t)) for t in answers.others),
        )

    @cached_property
    def by_wording(self) -> dict[str, list[PairVerdict]]:
        """The verdicts on the annotated pairs by wording, without those asked again."""
        return {
            name: [told.verdict for told in said]
            for name, said in self.answers.verdicts.items()
            if name != REPEAT
        }


def strength_of(pair: AnnotatedPair) -> float | None:
    """How strong a recorded preference is, of either side; None where nobody said.

    The column ``STRENGTH``, or else the mean of the votes where there are several.
    """
    value: JsonValue = pair.extra.get(STRENGTH)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return abs(float(value))
    votes = [PREFERENCE_SIGNS[vote] for vote in pair.annotators]
    return abs(sum(votes)) / len(votes) if len(votes) > 1 else None


def judge_findings(
    records: Sequence[ProbedSource],
    *,
    aligned: bool = True,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> dict[str, ProbeFinding]:
    """All that the probes found of one judge, by the name of the probe.

    Args:
        records: One a source; of several epochs, one each.
        aligned: Whether the profiles by wording are aligned too, which takes most of the time.
        permutations: Sign flips of the test of tastes.
        seed: Of that test, and of the alignment.
    """
    ordered = sorted(records, key=lambda record: (record.measured.group, record.measured.source_id))
    codes = shared_group_codes(record.measured for record in ordered)
    rows = observed_rows(ordered, codes)
    findings = [probe_finding(name, Observations.of(of)) for name, of in rows.items()]
    if any(OWN in record.answers.probed for record in ordered):
        findings.append(_self_preference(ordered, codes))
    if len(tables := tables_by_wording(ordered, codes)) > 1:
        findings.append(taste_of_wordings(tables, permutations=permutations, seed=seed))
        if aligned:
            findings.append(alignment_of_wordings(tables, seed=seed))
    return adjusted_findings(findings)


def observed_rows(records: Sequence[ProbedSource], codes: Mapping[str, int]) -> Rows:
    """Every observation of leans, moves and rates, by the name of the probe."""
    rows: Rows = {}
    for record in records:
        for name, value in _observed(record):
            rows.setdefault(name, []).append((codes[record.measured.group], value))
    return rows | by_strength(records, codes)


def observation_table(rows: Rows, probes: Sequence[str]) -> Comparisons:
    """The observations as a table whose tau_14 is the mean of each probe, so that it is resampled.

    Args:
        rows: As of ``observed_rows``.
        probes: The columns.
    """
    counts = [len(rows[name]) for name in probes]
    column = np.repeat(np.arange(len(probes)), counts)
    group, value = np.array([row for name in probes for row in rows[name]]).reshape(-1, 2).T
    signs = np.zeros((column.size, len(probes)), dtype=np.int8)
    known = np.zeros(signs.shape, dtype=bool)
    signs[np.arange(column.size), column] = value
    known[np.arange(column.size), column] = True
    return Comparisons(
        preference=np.ones(column.size, dtype=np.int8),
        manifestation=signs,
        missing=~known,
        group=group.astype(np.int32),
        factors=tuple(probes),
        perspective="discrimination",
    )


def _observed(record: ProbedSource) -> Iterator[tuple[str, float]]:
    """Every observation about a source, with its probe."""
    by_wording, probed = record.by_wording, record.answers.probed
    standard = by_wording.get(STANDARD, [])
    # Recorded judges were asked in others' words alone.
    for said in [standard] if standard else by_wording.values():
        yield from positions(said)
    yield from between_wordings(list(by_wording.values()))
    yield from _asked_again(record, standard)
    for told in probed.get(IDENTICAL, ()):
        yield from ((IDENTICAL, _SIGNS[pick]) for pick in told.picks if pick is not None)
    for name in (*VARIED, OWN):
        for told in probed.get(name, ()):
            yield from ((name, _SIGNS[pick]) for pick in told.verdict.recorded if pick is not None)
    for name in set(CARRIED).intersection(probed):
        for before, told, side in zip(standard, probed[name], record.answers.carrier, strict=True):
            for old, new in zip(before.recorded, told.verdict.recorded, strict=True):
                if old is not None and new is not None:
                    yield name, side * float(np.sign(_SIGNS[new] - _SIGNS[old]))


def _asked_again(
    record: ProbedSource, standard: Sequence[PairVerdict]
) -> Iterator[tuple[str, float]]:
    """What changes when the same is asked again, and how much more in other words."""
    again = [told.verdict for told in record.answers.verdicts.get(REPEAT, ())]
    if not again:
        return
    changed = _changes(standard, again)
    yield from (("repeat", change) for change in changed if change is not None)
    for name, said in record.by_wording.items():
        for by_words, by_chance in zip(_changes(standard, said), changed, strict=True):
            if name != STANDARD and by_words is not None and by_chance is not None:
                yield "wording_excess", by_words - by_chance


def positions(verdicts: Iterable[PairVerdict]) -> Iterator[tuple[str, float]]:
    """Which position verdicts are for, and which of them flip with it.

    Of pairs with two readable picks alone: what is in the texts then cancels.
    """
    for verdict in verdicts:
        if verdict.flipped is not None:
            yield "position_flips", float(verdict.flipped)
            signs = (_SIGNS[pick] for pick in verdict.picks if pick is not None)
            yield from (("position", sign) for sign in signs if sign)


def by_strength(records: Sequence[ProbedSource], codes: Mapping[str, int]) -> Rows:
    """The same of weak and of strong preferences; empty where the data do not tell them apart.

    Strong are those of the median and above, or above the least where half are the least.
    """
    known = [
        (codes[record.measured.group], strength, told.verdict)
        for record in records
        for strength, told in zip(
            record.strengths, record.answers.verdicts.get(STANDARD, ()), strict=False
        )
        if strength is not None
    ]
    strengths = sorted(strength for _, strength, _ in known)
    if not strengths or strengths[0] == strengths[-1]:
        return {}
    median = strengths[len(strengths) // 2]
    bound = max(median, min(each for each in strengths if each > strengths[0]))
    rows: Rows = {}
    for code, strength, verdict in known:
        for name, value in positions([verdict]):
            of = f"{name}_{'weak' if strength < bound else 'strong'}"
            rows.setdefault(of, []).append((code, value))
    return rows


def between_wordings(said: Sequence[Sequence[PairVerdict]]) -> Iterator[tuple[str, float]]:
    """Whether the picks about each pair in each order differ, between every two wordings."""
    for first, second in combinations(said, 2):
        yield from (("wording", each) for each in _changes(first, second) if each is not None)


def _changes(first: Sequence[PairVerdict], second: Sequence[PairVerdict]) -> list[float | None]:
    """Whether the picks of each pair and order differ; None where one could not be read."""
    return [
        None if one is None or other is None else float(one != other)
        for before, after in zip(first, second, strict=True)
        for one, other in zip(before.picks, after.picks, strict=False)
    ]


def tables_by_wording(
    records: Sequence[ProbedSource], codes: Mapping[str, int]
) -> dict[str, Comparisons]:
    """The judge's preferences on the annotated pairs, a table a wording."""
    names = dict.fromkeys(name for record in records for name in record.by_wording)
    found = {}
    for name in names:
        judged = [
            with_verdicts(record.measured, record.by_wording[name])
            for record in records
            if name in record.by_wording
        ]
        tables = comparison_tables(judged, codes)
        found[name] = next(table for table in tables if table.perspective == JUDGE)
    return found


def _self_preference(records: Sequence[ProbedSource], codes: Mapping[str, int]) -> ProbeFinding:
    rows = [
        (_SIGNS[pick], ratio, order == 0, codes[record.measured.group])
        for record in records
        for told, ratio in zip(record.answers.probed.get(OWN, ()), record.log_ratios, strict=True)
        for order, pick in enumerate(told.verdict.recorded)
        if pick is not None
    ]
    won, ratios, first, group = np.array(rows, dtype=np.float64).reshape(-1, 4).T
    return self_preference(won, ratios, first > 0, group.astype(np.int64))
