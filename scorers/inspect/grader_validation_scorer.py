"""The Inspect scorer that asks a grader about human-labelled responses and compares the two.

The model under test is the one in the role ``grader``, else the evaluated one. The scorer keeps
every human label beside the grader's result in the log, and the grades behind them.
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, Value, metric, scorer
from inspect_ai.solver import TaskState
from numpy.typing import NDArray
from pydantic import BaseModel

from profile_tasks.data.preferences import AnnotatedPair, AnnotatedSource
from profile_tasks.scorers.grading.grader import Grader, RunNotes, grader_model
from profile_tasks.scorers.grading.record import (
    SourceGrades,
    graded_signs,
    graded_values,
)
from profile_tasks.scorers.grading.requests import SourceToGrade, grade_source
from profile_tasks.scorers.grading.response_ids import annotated_id
from profile_tasks.scorers.inspect.arguments import told_of_a_scorer
from profile_tasks.scorers.inspect.live_metrics import seldom_while_running
from profile_tasks.scorers.measurement.human_labels import HumanLabel, chosen_labels, labels_of
from profile_tasks.scorers.statistics.comparisons import manifestations
from profile_tasks.scorers.statistics.grader_agreement import (
    GraderAgreement,
    LabelledResults,
    grader_agreement,
)
from profile_tasks.scorers.statistics.metric_catalogue import points_first
from profile_tasks.settings import LabelSettings, Text, takes

SCORER = "human_agreement"

REPLICATES = 1000
"""Bootstrap replicates; cheap enough for the metrics that Inspect refreshes during a run."""


class LabelledUnit(BaseModel, frozen=True):
    """One human label beside the grader's result.

    Attributes:
        unit: Id of the pair, or of the response.
        human: The label in the factor's terms: 1, 0 or -1 of a pair, 1 or 0 of a response.
        grader: The grader's result, coded alike; None where it is missing.
        preference: Human preference of the pair; None for a response.
        flipped: Whether the verdicts in two orders name different responses; None where there are
            no two readable ones.
        repeated: The result of the second run, None where it is missing.
    """

    unit: str
    human: int
    grader: int | None
    preference: int | None = None
    flipped: bool | None = None
    repeated: int | None = None


class LabelRecord(BaseModel, frozen=True):
    """All units of one source with one human label.

    Attributes:
        factor: Id of the factor.
        of_pairs: Whether the units are pairs, else they are responses.
        two_orders: Whether the grader is asked for the factor in two orders.
        units: The units, in the order of the data.
    """

    factor: str
    of_pairs: bool
    two_orders: bool
    units: tuple[LabelledUnit, ...]


class SourceValidation(BaseModel, frozen=True):
    """What people and grader say about one source.

    Attributes:
        source_id: The source; unique in a data set.
        group: What is resampled as one.
        grader: The model that graded.
        retested: Whether there was a second run.
        labels: Label name -> its units.
    """

    source_id: str
    group: str
    grader: str
    retested: bool
    labels: dict[str, LabelRecord]


@metric(scores="unreduced")
def agreement_metrics(replicates: int = REPLICATES, seed: int = 0) -> Metric:
    """Agreement of the grader with each human label, with intervals.

    Args:
        replicates: Bootstrap replicates.
        seed: Seed of the bootstrap.
    """

    def compute(scores: list[SampleScore]) -> Value:
        if not scores:
            return {}
        validations = [validation_of(score.score) for score in scores]
        every = run_agreement(validations, replicates=replicates, seed=seed).values()
        return {name: every[name] for name in points_first(every)}

    return seldom_while_running(compute)


class HumanAgreementSettings(LabelSettings):
    """Settings of the scorer."""

    data_set: Text
    """Which labels of the mapping: the rows' origin, or the name of the file."""


@scorer(metrics=[agreement_metrics()])
@told_of_a_scorer()
@takes(HumanAgreementSettings)
def human_agreement(settings: HumanAgreementSettings) -> Scorer:
    """Grade what has human labels, and keep label and result side by side."""
    chosen = chosen_labels(settings.data_set, settings.labels, settings.factors)
    wanted = list({label.factor.id: label.factor for label in chosen}.values())
    notes = RunNotes()

    async def score(state: TaskState, target: Target) -> Score:
        if state.epoch > 1:
            raise ValueError(
                "grader_validation takes one epoch, since each would count every human label once "
                "more; leave --epochs out. -T retest=true asks the grader twice"
            )
        annotated = state.metadata_as(AnnotatedSource)
        shown = labelled_material(annotated, chosen)
        runs = []
        # A repetition has a part of the cache to itself, so the second run asks anew.
        for repetition in range(2 if settings.retest else 1):
            grader = Grader(grader_model(under_test=True), settings.grader_cache, repetition, notes)
            runs.append(
                await grade_source(
                    shown,
                    wanted,
                    grader.ask,
                    grader=grader.name,
                    grader_settings=grader.settings,
                    judging=settings,
                )
            )
        validation = validate_source(
            annotated,
            chosen,
            runs[0],
            runs[1] if settings.retest else None,
            judge_orders=settings.judge_orders,
        )
        units = [unit for record in validation.labels.values() for unit in record.units]
        agreed = sum(unit.human == unit.grader for unit in units)
        return Score(
            value={"labels": len(units), "agreed": agreed},
            answer=f"{agreed} of {len(units)} labels as people gave them",
            explanation=_explanation(validation),
            metadata={
                **validation.model_dump(mode="json"),
                "grades_by_run": [grades.model_dump(mode="json") for grades in runs],
            },
        )

    return score


def validation_of(score: Score) -> SourceValidation:
    """What a score of this scorer holds."""
    return SourceValidation.model_validate(score.metadata)


def labelled_material(annotated: AnnotatedSource, labels: Sequence[HumanLabel]) -> SourceToGrade:
    """What the grader is shown of a source: the labelled pairs and responses, and nothing else."""
    pairs = _labelled_pairs(annotated, labels)
    responses = {
        response
        for label in labels
        if label.kind == "spans"
        for response in labels_of(annotated, label)
    }
    compared = [_ids(pair) for pair in pairs]
    wanted = responses | {response for ids in compared for response in ids}
    return SourceToGrade(
        annotated.prompt,
        annotated.source,
        {
            response: text
            for pair in annotated.pairs
            for response, text in zip(_ids(pair), (pair.response_a, pair.response_b), strict=True)
            if response in wanted
        },
        compared,
    )


def validate_source(
    annotated: AnnotatedSource,
    labels: Sequence[HumanLabel],
    grades: SourceGrades,
    repeated: SourceGrades | None = None,
    *,
    judge_orders: int = 2,
) -> SourceValidation:
    """Put each human label of a source beside the grader's result.

    Args:
        annotated: The source with its pairs.
        labels: The labels that are validated.
        grades: What the grader said of ``labelled_material``.
        repeated: What it said the second time.
        judge_orders: Orders in which the grader was shown a pair.
    """
    return SourceValidation(
        source_id=annotated.id,
        group=annotated.group,
        grader=grades.grader,
        retested=repeated is not None,
        labels={
            label.name: LabelRecord(
                factor=label.factor.id,
                of_pairs=label.kind != "spans",
                two_orders=label.factor.kind == "judged" and judge_orders == 2,
                units=_units(annotated, label, grades, repeated),
            )
            for label in labels
        },
    )


def run_agreement(
    validations: Sequence[SourceValidation], *, replicates: int = REPLICATES, seed: int = 0
) -> GraderAgreement:
    """The agreement over all sources of a run.

    Args:
        validations: What was found on each source, at least one.
        replicates: Bootstrap replicates.
        seed: Seed of the bootstrap.
    """
    # Sorted, because samples finish in any order and the resamples follow the group codes.
    records = sorted(validations, key=lambda record: (record.group, record.source_id))
    codes = {group: code for code, group in enumerate(dict.fromkeys(r.group for r in records))}
    retested = records[0].retested
    tables = []
    for name, first in records[0].labels.items():
        rows = [(codes[r.group], unit) for r in records for unit in r.labels[name].units]
        units = [unit for _, unit in rows]
        tables.append(
            LabelledResults(
                label=name,
                factor=first.factor,
                human=_array(unit.human for unit in units),
                grader=_array(unit.grader for unit in units),
                group=np.array([code for code, _ in rows], dtype=np.int64),
                preference=_array(u.preference for u in units) if first.of_pairs else None,
                flipped=_array(u.flipped for u in units) if first.two_orders else None,
                repeated=_array(u.repeated for u in units) if retested else None,
            )
        )
    return grader_agreement(tables, replicates=replicates, seed=seed)


def _ids(pair: AnnotatedPair) -> tuple[str, str]:
    return annotated_id(pair.id, "a"), annotated_id(pair.id, "b")


def _labelled_pairs(
    annotated: AnnotatedSource, labels: Sequence[HumanLabel]
) -> list[AnnotatedPair]:
    labelled = {
        pair for label in labels if label.kind != "spans" for pair in labels_of(annotated, label)
    }
    return [pair for pair in annotated.pairs if pair.id in labelled]


def _units(
    annotated: AnnotatedSource,
    label: HumanLabel,
    grades: SourceGrades,
    repeated: SourceGrades | None,
) -> tuple[LabelledUnit, ...]:
    human = labels_of(annotated, label)
    if label.kind == "spans":
        results, again = (_shown_by(run, label, list(human)) for run in (grades, repeated))
        return tuple(
            LabelledUnit(unit=unit, human=said, grader=result, repeated=second)
            for (unit, said), result, second in zip(human.items(), results, again, strict=True)
        )
    pairs = [pair for pair in annotated.pairs if pair.id in human]
    results, again = (
        _signs(run, label, [_ids(pair) for pair in pairs]) for run in (grades, repeated)
    )
    return tuple(
        LabelledUnit(
            unit=pair.id,
            human=human[pair.id],
            grader=result,
            preference=pair.sign or 0,  # where nobody preferred, nothing is decided either
            flipped=_flipped(grades, label, _ids(pair)),
            repeated=second,
        )
        for pair, result, second in zip(pairs, results, again, strict=True)
    )


def _shown_by(
    grades: SourceGrades | None, label: HumanLabel, responses: Sequence[str]
) -> list[int | None]:
    """Whether each response shows any of a factor that is a share."""
    if grades is None:
        return [None] * len(responses)
    values = graded_values(grades, label.factor)
    return [None if math.isnan(values[r]) else int(values[r] > 0) for r in responses]


def _signs(
    grades: SourceGrades | None, label: HumanLabel, pairs: Sequence[tuple[str, str]]
) -> list[int | None]:
    """Which response of each pair shows more of the factor."""
    if grades is None:
        return [None] * len(pairs)
    if label.factor.kind == "judged":
        return graded_signs(grades, label.factor, pairs)
    values = graded_values(grades, label.factor)
    signs, missing = manifestations(
        [values[first] for first, _ in pairs], [values[second] for _, second in pairs]
    )
    return [None if out else int(sign) for sign, out in zip(signs, missing, strict=True)]


def _flipped(grades: SourceGrades, label: HumanLabel, pair: tuple[str, str]) -> bool | None:
    first, second = (grades.same_as[response] for response in pair)
    return grades.verdict_on(first, second, label.factor.id).flipped


def _array(results: Iterable[int | None]) -> NDArray[np.float64]:
    return np.array([math.nan if result is None else result for result in results], dtype=float)


def _explanation(validation: SourceValidation) -> str:
    """The sample in words, for the log viewer."""
    return "; ".join(
        f"{name} ({record.factor}): "
        + ", ".join(
            f"{unit.unit} people {unit.human}, "
            f"grader {'missing' if unit.grader is None else unit.grader}"
            for unit in record.units
        )
        for name, record in validation.labels.items()
        if record.units
    )
