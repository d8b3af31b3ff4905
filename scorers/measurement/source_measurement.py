"""What is measured on one source, and the tables that many of them make.

A harness measures source by source and keeps each record in its log; everything that is
estimated over sources reads the records again. So a finished log can be re-read, re-scored and
compared without a model.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import reduce
from operator import add
from types import MappingProxyType
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, Field

from profile_tasks.data.preference import PREFERENCE_SIGNS
from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.data.task_definition import (
    REFERENCE_METRICS,
    ReferenceMetric,
    definition_of,
    is_known,
)
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.surface import factor_values
from profile_tasks.scorers.factors.words import word_count
from profile_tasks.scorers.grading.grader_names import named_apart
from profile_tasks.scorers.grading.record import (
    FactorGrading,
    SourceGrades,
    factor_grading,
    graded_signs,
    graded_values,
)
from profile_tasks.scorers.grading.response_ids import annotated_id, written_id
from profile_tasks.scorers.measurement.pair_systems import named_systems
from profile_tasks.scorers.measurement.slice_labels import logged_labels
from profile_tasks.scorers.measurement.standard_metrics import (
    decided_pairs,
    discrimination_accuracy,
    discrimination_kappa,
    half_credit_accuracy,
    mean,
    rouge,
    tie_calibration,
    verdict_rates,
)
from profile_tasks.scorers.measurement.text_faults import TEXT_FAULTS, TextFault
from profile_tasks.scorers.statistics.comparisons import manifestations
from profile_tasks.scorers.statistics.estimate import none_for_nan
from profile_tasks.scorers.statistics.grader_panel import majority
from profile_tasks.settings import Control
from profile_tasks.solvers.both_orders import PairVerdict, Picks
from profile_tasks.solvers.own_pairs import ScorePair
from profile_tasks.solvers.target_scores import same_text

_PROBLEMS_KEPT = 3
"""All of them stand with the grades; these are for the summary of a run."""

Manifestations = tuple[tuple[int | None, ...], ...]
"""One row a pair, one sign a factor; None where the factor is missing."""


class GenerationPair(BaseModel, frozen=True):
    """Two responses that the model wrote to one source; the higher score counts as preferred."""

    higher: int
    lower: int
    identical: bool


class OwnLabelling(BaseModel, frozen=True):
    """What people say of the pairs that the model wrote to one source.

    Attributes:
        labels: The file of the labels, with a hash of what they say.
        preferences: Of each pair in ``pairs_written``, of which the response for the higher score
            is the first; None where nobody labelled it.
        votes: Single votes behind each of them, as recorded; empty where there are none.
        places: Where the label of each of them stands, file and line.
        unused: Why labels of the source are about none of its pairs -> where they stand.
    """

    labels: str
    preferences: tuple[int | None, ...]
    votes: tuple[tuple[int, ...], ...]
    places: tuple[str | None, ...]
    unused: dict[str, tuple[str, ...]] = {}


class GraderMeasurement(BaseModel, frozen=True):
    """What one grader of a panel says of one source.

    Attributes:
        grader: The model, by a name that no other one of the panel has.
        annotated: Graded factor -> manifestation of each annotated pair; None where it is missing.
        written: The same of each pair of written responses.
        grading: How its grading of each factor went.
        requests: Answers wanted of it, repairs included.
        repairs: Requests to repair an answer.
    """

    grader: str
    annotated: dict[str, tuple[int | None, ...]]
    written: dict[str, tuple[int | None, ...]] = {}
    grading: dict[str, FactorGrading] = {}
    requests: int = 0
    repairs: int = 0


class SourceMeasurement(BaseModel, frozen=True):
    """Everything measured on one source.

    Attributes:
        source_id: The source; unique in a data set.
        group: What is resampled as one.
        factors: Factor ids, in the order of every row of manifestations.
        human: Human preference of each annotated pair, in {1, 0, -1}; None where there is none.
        annotated: Manifestations of the annotated pairs.
        votes: Single votes behind each human preference, as recorded; empty where there are none.
        systems: Who wrote the two responses of each annotated pair, None where it is not named;
            empty where systems are not controlled for.
        slices: Column by which the run is held apart -> the label of each annotated pair, None
            where it has none; of ``length_class`` the words of its two responses. Empty where that
            was not asked.
        picks: Of the verdict on each annotated pair; None where that was not asked.
        margins: The same, none for a missing verdict; None where the model judged in words.
        pairs_written: Compared pairs of written responses; None where that was not asked.
        written: Manifestations of those pairs.
        own_picks: Of the model's verdict as a judge of each pair in ``pairs_written``, of which the
            response for the higher score is the first; empty where it was not asked, as about equal
            texts. None where it was asked about none.
        own_margins: The same; None where the model judged them in words.
        own_human: What people say of the same pairs, as far as they labelled them; None where no
            labels were given.
        words_by_score: Length in words of each written response; None where it is missing.
        truncated_scores: Target scores whose response was cut off by a token limit; None where the
            provider does not tell.
        text_faults: What is wrong with each written text, by target score; None where that was not
            looked at, as in logs of earlier versions.
        verdict_repairs: Verdicts that were asked for once more, as the first answer was unreadable.
        values: Facts, learned and recorded factors: factor id -> response id -> value; None where
            it is missing.
        recorded: Factors whose values the data record: what a model writes has none.
        grading: How the grading of each graded factor went, by all graders together.
        grader: The model that graded, or several, joined by commas; None where no factor needed
            one.
        panel: What each of several graders says; empty for one. The manifestations above are then
            those of their majority, and the values their means.
        grader_requests: Answers wanted of the grader, repairs included.
        grader_repairs: Requests to repair an answer.
        grader_problems: What the grader did not give and why, the first few.
        rouge: ROUGE F1 of the response for the highest score against the reference, if any.
    """

    source_id: str
    group: str
    factors: tuple[str, ...]
    human: tuple[int | None, ...]
    annotated: Manifestations
    votes: tuple[tuple[int, ...], ...] = ()
    systems: tuple[tuple[str | None, str | None], ...] = ()
    slices: dict[str, tuple[str | int | None, ...]] = {}
    picks: tuple[Annotated[Picks, Field(min_length=1)], ...] | None = None
    margins: tuple[tuple[float, ...], ...] | None = None
    pairs_written: tuple[GenerationPair, ...] | None = None
    written: Manifestations = ()
    own_picks: tuple[Picks, ...] | None = None
    own_margins: tuple[tuple[float, ...], ...] | None = None
    own_human: OwnLabelling | None = None
    words_by_score: dict[int, int | None] | None = None
    truncated_scores: tuple[int, ...] | None = ()
    text_faults: dict[int, tuple[TextFault, ...]] | None = None
    verdict_repairs: int = 0
    values: dict[str, dict[str, float | None]] = {}
    recorded: tuple[str, ...] = ()
    grading: dict[str, FactorGrading] = {}
    grader: str | None = None
    panel: tuple[GraderMeasurement, ...] = ()
    grader_requests: int = 0
    grader_repairs: int = 0
    grader_problems: tuple[str, ...] = ()
    rouge: dict[str, float] | None = None

    @property
    def graders(self) -> tuple[str, ...]:
        """The models that graded."""
        if self.panel:
            return tuple(each.grader for each in self.panel)
        return () if self.grader is None else (self.grader,)

    def by_grader(self, place: int) -> "SourceMeasurement":
        """The measurement as one grader of the panel alone makes it; its values are left as means.

        Args:
            place: Of the grader in ``panel``.
        """
        own = self.panel[place]
        return self.model_copy(
            update={
                "annotated": _with_columns(self.annotated, self.factors, own.annotated),
                "written": _with_columns(self.written, self.factors, own.written),
                "grading": own.grading,
                "grader": own.grader,
                "panel": (),
                "grader_requests": own.requests,
                "grader_repairs": own.repairs,
            }
        )

    @property
    def verdicts(self) -> tuple[PairVerdict, ...] | None:
        """The model's verdict on each annotated pair; None where that was not asked."""
        return None if self.picks is None else _verdicts(self.picks, self.margins)

    @property
    def discrimination(self) -> tuple[int | None, ...] | None:
        """The model's preference of each annotated pair; None where a pick was unreadable."""
        verdicts = self.verdicts
        return None if verdicts is None else tuple(verdict.preference for verdict in verdicts)

    @property
    def own_verdicts(self) -> tuple[tuple[GenerationPair, PairVerdict], ...] | None:
        """Each pair that the model wrote, with its verdict as a judge; None: it judged none.

        The first of the two responses is that for the higher score. A verdict without picks was
        not asked for.
        """
        if self.own_picks is None:
            return None
        verdicts = _verdicts(self.own_picks, self.own_margins)
        return tuple(zip(self.pairs_written or (), verdicts, strict=True))

    @property
    def own(self) -> tuple[int | None, ...] | None:
        """The model's preference, as a judge, of each pair that it wrote; None: it judged none.

        1: the response for the higher score; 0: neither, a flip, or equal texts, of which neither
        can be better; None: unreadable, or not asked.
        """
        if self.own_verdicts is None:
            return None
        return tuple(0 if pair.identical else v.preference for pair, v in self.own_verdicts)


def _with_columns(
    rows: Manifestations, factors: Sequence[str], columns: Mapping[str, Sequence[int | None]]
) -> Manifestations:
    """Rows of signs in which the columns of some factors are replaced."""
    return tuple(
        tuple(
            columns[factor][at] if factor in columns else sign
            for factor, sign in zip(factors, row, strict=True)
        )
        for at, row in enumerate(rows)
    )


def _verdicts(
    picks: Sequence[Picks], margins: Sequence[tuple[float, ...]] | None
) -> tuple[PairVerdict, ...]:
    """Verdicts as a record holds them; without margins where they were given in words."""
    return tuple(map(PairVerdict, picks, margins if margins is not None else [()] * len(picks)))


@dataclass(frozen=True)
class ComparedResponses:
    """The responses to one source, by id, and the pairs of them that are compared.

    Attributes:
        texts: Response id -> text.
        annotated: Pairs of response ids: the annotated pairs, in their order.
        written: Pairs of response ids: what the model wrote, the higher target score first.
    """

    texts: Mapping[str, str]
    annotated: tuple[tuple[str, str], ...]
    written: tuple[tuple[str, str], ...] = ()


def compared_responses(
    annotated: AnnotatedSource,
    responses_by_score: Mapping[int, str | None] | None = None,
    generation_pairs: Sequence[tuple[int, int]] = (),
) -> ComparedResponses:
    """The responses to a source that are compared.

    Args:
        annotated: The source with its annotated pairs.
        responses_by_score: What the model wrote for each target score, None where it is missing.
        generation_pairs: Pairs (higher score, lower score); a pair with a missing response is
            left out.
    """
    texts: dict[str, str] = {}
    pairs: list[tuple[str, str]] = []
    for pair in annotated.pairs:
        ids = (annotated_id(pair.id, "a"), annotated_id(pair.id, "b"))
        texts |= dict(zip(ids, (pair.response_a, pair.response_b), strict=True))
        pairs.append(ids)
    present = {s: text for s, text in (responses_by_score or {}).items() if text is not None}
    texts |= {written_id(score): text for score, text in present.items()}
    return ComparedResponses(
        texts=texts,
        annotated=tuple(pairs),
        written=tuple(
            (written_id(high), written_id(low))
            for high, low in generation_pairs
            if high in present and low in present
        ),
    )


def measure_source(
    annotated: AnnotatedSource,
    factors: Sequence[Factor],
    *,
    verdicts: Sequence[PairVerdict] | None = None,
    responses_by_score: Mapping[int, str | None] | None = None,
    truncated_scores: Sequence[int] | None = (),
    text_faults: Mapping[int, tuple[TextFault, ...]] | None = None,
    verdict_repairs: int = 0,
    generation_pairs: Sequence[ScorePair] = (),
    own_verdicts: Mapping[ScorePair, PairVerdict] | None = None,
    grades: SourceGrades | Sequence[SourceGrades] | None = None,
    learned: Mapping[str, Mapping[str, float]] = MappingProxyType({}),
    control: Control = "none",
    slices: Sequence[str] = (),
) -> SourceMeasurement:
    """Measure one source: its annotated pairs, and what a model judged and wrote.

    Args:
        annotated: The source with its annotated pairs.
        factors: Which factors to measure.
        verdicts: On each annotated pair; None where that was not asked.
        responses_by_score: What the model wrote for each target score.
        truncated_scores: Target scores whose response was cut off; compared all the same. None:
            that is not known.
        text_faults: What is wrong with each text that was written.
        verdict_repairs: Verdicts that were asked for once more.
        generation_pairs: Pairs (higher score, lower score) to compare; a pair with a missing
            response is left out.
        own_verdicts: The model's verdicts as a judge of those pairs, as far as it was asked; None:
            it was asked about none.
        grades: What the grader said, or each of several, whose majority counts; without them facts
            and judged factors are missing.
        learned: Values of the learned factors: factor id -> response id -> value.
        control: Whether to record the systems, so that their strength can be held fixed.
        slices: Columns by which the run is held apart, as of ``slice_labels``.

    Raises:
        ValueError: A system's name is no text, or a slice's is a list or an object.
    """
    compared = compared_responses(annotated, responses_by_score, generation_pairs)
    graded = [factor for factor in factors if factor.graded]
    recorded = tuple(factor.id for factor in factors if factor.kind == "recorded")
    values = dict(learned) | {factor: recorded_values(annotated, factor) for factor in recorded}
    said = (grades,) if isinstance(grades, SourceGrades) else tuple(grades or ())
    by_grader = [
        {f.id: graded_values(each, f) for f in graded if f.kind == "facts"} for each in said
    ]
    if said:
        values |= _means(by_grader)
    only = said[0] if len(said) == 1 else None
    table = PairManifestations(annotated, factors, compared.texts, values, only)
    added: dict[str, Any] = {}
    if verdicts is not None:
        added |= _judged(verdicts)
    if said:
        added |= _grading(said, graded, annotated.source)
    if responses_by_score is not None:
        added |= {
            "written": table.of(compared.written),
            "truncated_scores": None if truncated_scores is None else tuple(truncated_scores),
            "text_faults": None if text_faults is None else dict(text_faults),
            **_written(annotated, responses_by_score, generation_pairs),
        }
        if own_verdicts is not None:
            own = [
                own_verdicts.get((pair.higher, pair.lower), PairVerdict(()))
                for pair in added["pairs_written"]
            ]
            added |= {f"own_{name}": value for name, value in _judged(own).items()}
    measured = SourceMeasurement(
        source_id=annotated.id,
        group=annotated.group,
        factors=tuple(factor.id for factor in factors),
        human=tuple(pair.sign for pair in annotated.pairs),
        annotated=table.of(compared.annotated),
        votes=_votes(annotated),
        systems=tuple(map(named_systems, annotated.pairs)) if control == "system" else (),
        slices=logged_labels(annotated, slices),
        verdict_repairs=verdict_repairs,
        values={
            factor: {response: none_for_nan(value) for response, value in by_response.items()}
            for factor, by_response in values.items()
        },
        recorded=recorded,
        **added,
    )
    if len(said) < 2:
        return measured
    names = named_apart([each.grader for each in said])
    panel = []
    for name, each, own_values in zip(names, said, by_grader, strict=True):
        own_signs = PairManifestations(annotated, graded, compared.texts, own_values, each)
        panel.append(
            GraderMeasurement(
                grader=name,
                annotated=own_signs.columns(compared.annotated),
                written={} if responses_by_score is None else own_signs.columns(compared.written),
                grading={f.id: factor_grading(each, f, annotated.source) for f in graded},
                requests=each.requests,
                repairs=each.repairs,
            )
        )
    return measured.model_copy(
        update={
            "panel": tuple(panel),
            "annotated": _with_columns(
                measured.annotated, measured.factors, _majority([p.annotated for p in panel])
            ),
            "written": _with_columns(
                measured.written, measured.factors, _majority([p.written for p in panel])
            ),
        }
    )


def _means(by_grader: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, dict[str, float]]:
    """Values of the facts factors, over those graders that gave one; NaN where none did."""
    if len(by_grader) == 1:
        return {factor: dict(found) for factor, found in by_grader[0].items()}
    return {
        factor: {
            response: mean(v for each in by_grader if not math.isnan(v := each[factor][response]))
            for response in found
        }
        for factor, found in by_grader[0].items()
    }


def _majority(
    panel: Sequence[Mapping[str, Sequence[int | None]]],
) -> dict[str, tuple[int | None, ...]]:
    """The signs that most graders give, by factor."""
    found = {}
    for factor in panel[0]:
        signs = [each[factor] for each in panel]
        most, missing = majority(
            np.array([[sign or 0 for sign in own] for own in signs], np.int8),
            np.array([[sign is None for sign in own] for own in signs], np.bool_),
        )
        found[factor] = tuple(
            None if absent else sign
            for sign, absent in zip(most.tolist(), missing.tolist(), strict=True)
        )
    return found


def with_verdicts(
    measured: SourceMeasurement, verdicts: Sequence[PairVerdict]
) -> SourceMeasurement:
    """A measurement of annotated pairs with somebody's verdict on each of them."""
    return measured.model_copy(update=_judged(verdicts))


def _judged(verdicts: Sequence[PairVerdict]) -> dict[str, Any]:
    """The model's verdicts, with their margins where it judged by likelihood."""
    return {
        "picks": tuple(verdict.picks for verdict in verdicts),
        "margins": (
            tuple(verdict.margins for verdict in verdicts)
            if any(verdict.margins for verdict in verdicts)
            else None
        ),
    }


def _grading(
    said: Sequence[SourceGrades], graded: Sequence[Factor], source: str | None
) -> dict[str, Any]:
    """Who graded, and what was left out."""
    names = named_apart([each.grader for each in said])
    problems = [
        f"{name}: {problem}" if len(said) > 1 else problem
        for name, each in zip(names, said, strict=True)
        for problem in each.problems[:_PROBLEMS_KEPT]
    ]
    return {
        "grading": {
            f.id: reduce(add, (factor_grading(each, f, source) for each in said)) for f in graded
        },
        "grader": ", ".join(names),
        "grader_requests": sum(each.requests for each in said),
        "grader_repairs": sum(each.repairs for each in said),
        "grader_problems": tuple(problems[:_PROBLEMS_KEPT]),
    }


def _votes(annotated: AnnotatedSource) -> tuple[tuple[int, ...], ...]:
    """The single votes on each pair; empty where no pair has any."""
    if not any(pair.annotators for pair in annotated.pairs):
        return ()
    return tuple(tuple(PREFERENCE_SIGNS[v] for v in pair.annotators) for pair in annotated.pairs)


def _written(
    annotated: AnnotatedSource,
    responses_by_score: Mapping[int, str | None],
    generation_pairs: Sequence[tuple[int, int]],
) -> dict[str, Any]:
    """What is told of the written texts beside their factors."""
    best = responses_by_score.get(max(responses_by_score))
    present = {score for score, text in responses_by_score.items() if text is not None}
    return {
        "pairs_written": tuple(
            GenerationPair(
                higher=high,
                lower=low,
                identical=same_text(responses_by_score[high], responses_by_score[low]),
            )
            for high, low in generation_pairs
            if {high, low} <= present
        ),
        "words_by_score": {
            score: None if text is None else word_count(text)
            for score, text in responses_by_score.items()
        },
        "rouge": None if best is None else _against_reference(annotated, best),
    }


def _against_reference(annotated: AnnotatedSource, best: str) -> dict[str, float] | None:
    """What the task measures of a response against the reference; None: nothing."""
    wanted = reference_metrics([annotated])
    if not wanted or annotated.reference is None:
        return None
    every = asdict(rouge(best, annotated.reference))
    return {name: every[name] for name in wanted}


def reference_metrics(sources: Iterable[AnnotatedSource]) -> tuple[ReferenceMetric, ...]:
    """The metrics of a response against a reference that these sources have.

    All of them where a source names no task that is known.
    """
    wanted: dict[ReferenceMetric, None] = {}
    for source in sources:
        if source.reference:
            of_task = (
                definition_of(source.task).metrics if is_known(source.task) else REFERENCE_METRICS
            )
            wanted |= dict.fromkeys(of_task)
    return tuple(name for name in REFERENCE_METRICS if name in wanted)


def recorded_values(annotated: AnnotatedSource, factor: str) -> dict[str, float]:
    """What the data record of a factor: id of an annotated response -> value, NaN if missing."""
    return {
        annotated_id(pair.id, side): value
        for pair in annotated.pairs
        for side, value in zip("ab", pair.recorded(factor), strict=True)
    }


def standard_metrics(measurements: Iterable[SourceMeasurement]) -> dict[str, float]:
    """The metrics beside the profile, by name; only those that the measurements allow.

    Discrimination: accuracy with half credit and over decided pairs, their number, kappa, flip
    rate, first-position rate, unreadable rate; by likelihood, tie-calibrated accuracy; flip rate
    and unreadable rate of the verdicts on the model's own pairs; verdicts asked for once more.
    Generation: shares of missing, of truncated and of faulty responses, share of identical pairs,
    mean length by target score, mean ROUGE where sources have a reference, mean citation precision
    where it is measured.
    Grader: share of missing judgements and of flipped pairs, over all graded factors and by factor;
    requests and repairs.
    """
    records = list(measurements)
    metrics: dict[str, float] = {}
    judged = [
        (human, verdict)
        for record in records
        if record.verdicts is not None
        for human, verdict in zip(record.human, record.verdicts, strict=True)
    ]
    if judged:
        metrics |= _judge_metrics(judged)
        metrics["verdict_repairs"] = float(sum(record.verdict_repairs for record in records))
    written = [record for record in records if record.words_by_score is not None]
    if written:
        metrics |= _generation_metrics(written)
    if any(record.own_picks is not None for record in records):
        metrics |= _own_verdict_rates(records)
    if any(record.grading for record in records):
        metrics |= _grader_metrics(records)
    return metrics


def _judge_metrics(judged: Sequence[tuple[int | None, PairVerdict]]) -> dict[str, float]:
    """How the model's verdicts agree with the human preference of each pair, and behave."""
    compared = [(human, verdict) for human, verdict in judged if human is not None]
    readable = [(human, v.preference) for human, v in compared if v.preference is not None]
    human, model = (np.array([pair[side] for pair in readable], np.int8) for side in (0, 1))
    metrics = {
        "discrimination_accuracy_half_credit": half_credit_accuracy(human, model),
        "discrimination_accuracy": discrimination_accuracy(human, model),
        "discrimination_decided_pairs": float(decided_pairs(human, model)),
        "discrimination_kappa": discrimination_kappa(human, model),
        **verdict_rates([verdict for _, verdict in judged]),
    }
    margins = [(h, v.margin) for h, v in judged if h is not None and v.margin is not None]
    if margins:
        calibrated = tie_calibration(*zip(*margins, strict=True))
        metrics["discrimination_accuracy_tie_calibrated"] = calibrated.accuracy
        metrics["discrimination_tie_threshold"] = calibrated.threshold
    return metrics


def _generation_metrics(records: Sequence[SourceMeasurement]) -> dict[str, float]:
    words = [(s, n) for r in records for s, n in (r.words_by_score or {}).items()]
    identical = [pair.identical for r in records for pair in r.pairs_written or ()]
    cut = [record.truncated_scores for record in records]
    truncated = [math.nan if scores is None else len(scores) for scores in cut]
    return {
        **_reference_metrics(records),
        "generation_missing_rate": mean(count is None for _, count in words),
        "generation_truncated_rate": sum(truncated) / len(words),
        "generation_identical_rate": mean(identical),
        **_fault_rates(records),
        **{
            f"words_at_score_{score}": mean(
                count for s, count in words if s == score and count is not None
            )
            for score in sorted({score for score, _ in words})
        },
    }


def _fault_rates(records: Sequence[SourceMeasurement]) -> dict[str, float]:
    """Share of the written texts that have each fault, where that was looked at."""
    found = [each for r in records for each in (r.text_faults or {}).values()]
    if any(record.text_faults is None for record in records):
        return {}
    return {
        f"generation_{fault}_rate": mean(fault in each for each in found) for fault in TEXT_FAULTS
    }


def _own_verdict_rates(records: Sequence[SourceMeasurement]) -> dict[str, float]:
    """How the verdicts on the model's own pairs behave, where it was asked for one."""
    verdicts = [v for record in records for _, v in record.own_verdicts or () if v.picks]
    rates = verdict_rates(verdicts)
    return {f"own_{name}": rates[name] for name in ("flip_rate", "unreadable_rate")}


def _reference_metrics(records: Sequence[SourceMeasurement]) -> dict[str, float]:
    """What is measured of the best response against a reference, or the passages it cites."""
    references = [record.rouge for record in records if record.rouge is not None]
    found = [_of_best(record, "citation_precision") for record in records]
    precisions = [precision for precision in found if precision is not None]
    metrics = {
        name: mean(reference[name] for reference in references)
        for name in (references[0] if references else ())
    }
    return metrics | ({"citation_precision": mean(precisions)} if precisions else {})


def _of_best(record: SourceMeasurement, factor: str) -> float | None:
    """Value of a factor of the response for the highest score, as ROUGE is of that response."""
    best = written_id(max(record.words_by_score or {0: None}))
    return record.values.get(factor, {}).get(best)


def _grader_metrics(records: Sequence[SourceMeasurement]) -> dict[str, float]:
    factors = list(dict.fromkeys(factor for record in records for factor in record.grading))
    by_factor = {
        factor: [record.grading[factor] for record in records if factor in record.grading]
        for factor in factors
    }
    every = [grading for gradings in by_factor.values() for grading in gradings]
    metrics = {
        "grader_missing_rate": _ratio(every, "missing", "asked"),
        "grader_flip_rate": _ratio(every, "flipped", "both_orders"),
        "grader_missing": float(sum(grading.missing for grading in every)),
        "grader_requests": float(sum(record.grader_requests for record in records)),
        "grader_repairs": float(sum(record.grader_repairs for record in records)),
    }
    for factor, gradings in by_factor.items():
        metrics[f"grader_missing_rate_{factor}"] = _ratio(gradings, "missing", "asked")
        if any(grading.both_orders for grading in gradings):
            metrics[f"grader_flip_rate_{factor}"] = _ratio(gradings, "flipped", "both_orders")
    return metrics


def _ratio(gradings: Sequence[FactorGrading], part: str, whole: str) -> float:
    total = sum(getattr(grading, whole) for grading in gradings)
    return sum(getattr(grading, part) for grading in gradings) / total if total else math.nan


class PairManifestations:
    """Signs of the factor differences of pairs of responses to one source.

    Args:
        annotated: The source.
        factors: The factors, in the order of the signs.
        texts: Response id -> text.
        values: Facts, learned and recorded factors: factor id -> response id -> value.
        grades: What the grader said; without it judged factors are missing.
    """

    def __init__(
        self,
        annotated: AnnotatedSource,
        factors: Sequence[Factor],
        texts: Mapping[str, str],
        values: Mapping[str, Mapping[str, float]],
        grades: SourceGrades | None,
    ) -> None:
        self._factors, self._grades = factors, grades
        surface = [factor for factor in factors if factor.kind == "surface"]
        count = len(texts)
        computed = factor_values(
            surface, list(texts.values()), [annotated.source] * count, [annotated.prompt] * count
        )
        columns = {factor.id: column for factor, column in zip(surface, computed.T, strict=True)}
        for factor in factors:
            known = values.get(factor.id, {})
            columns.setdefault(factor.id, np.array([known.get(id_, math.nan) for id_ in texts]))
        self._rows = {response: row for row, response in enumerate(texts)}
        self._values = np.column_stack([columns[factor.id] for factor in factors])

    def of(self, pairs: Sequence[tuple[str, str]]) -> Manifestations:
        """One row a pair, one sign a factor; None where the factor is missing."""
        first, second = ([self._rows[pair[side]] for pair in pairs] for side in (0, 1))
        signs, missing = manifestations(self._values[first], self._values[second])
        columns: list[Sequence[int | None]] = [
            [None if absent else int(sign) for sign, absent in zip(*column, strict=True)]
            for column in zip(signs.T, missing.T, strict=True)
        ]
        for index, factor in enumerate(self._factors):
            if factor.kind == "judged" and self._grades is not None:
                columns[index] = graded_signs(self._grades, factor, pairs)
        return tuple(zip(*columns, strict=True))

    def columns(self, pairs: Sequence[tuple[str, str]]) -> dict[str, tuple[int | None, ...]]:
        """The same by factor: one sign a pair."""
        rows = self.of(pairs)
        return {
            factor.id: tuple(row[at] for row in rows) for at, factor in enumerate(self._factors)
        }
