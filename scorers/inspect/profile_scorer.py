"""The Inspect scorer: measures each source, and prints the headline of the whole run.

The scorer keeps one ``SourceMeasurement`` a sample in the log. The printed metrics are the
headline; ``full_profile`` adds every other metric, with its interval, to the finished log.
"""

import logging
from collections.abc import Mapping, Sequence
from functools import cache
from threading import Lock
from typing import Any

import anyio
from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, Value, metric, scorer
from inspect_ai.solver import TaskState

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.data.task_definition import definition_of, is_known, task_key
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.learned import UniEval, learned_values
from profile_tasks.scorers.factors.selection import measured_factors
from profile_tasks.scorers.grading.record import SourceGrades, logged
from profile_tasks.scorers.inspect.arguments import told_of_a_scorer
from profile_tasks.scorers.inspect.live_metrics import seldom_while_running
from profile_tasks.scorers.inspect.sample_explanation import (
    sample_answer,
    sample_explanation,
    sample_value,
)
from profile_tasks.scorers.inspect.sample_grading import SampleGrading
from profile_tasks.scorers.measurement.own_labels import (
    OwnLabels,
    own_metrics,
    own_study,
    read_own_labels,
)
from profile_tasks.scorers.measurement.slice_labels import unknown_slices
from profile_tasks.scorers.measurement.source_measurement import (
    SourceMeasurement,
    compared_responses,
    measure_source,
    standard_metrics,
)
from profile_tasks.scorers.measurement.tables import run_study
from profile_tasks.scorers.measurement.text_faults import measured_texts, text_faults
from profile_tasks.scorers.statistics.metric_catalogue import points_first, printed
from profile_tasks.scorers.statistics.study import REPLICATES
from profile_tasks.settings import (
    MeasuringSettings,
    Names,
    OptionalText,
    ScoredTaskSettings,
    takes,
)
from profile_tasks.solvers.pairwise_discrimination import (
    own_verdicts,
    verdict_repairs,
    verdicts_by_pair,
)
from profile_tasks.solvers.score_conditioned_generation import responses_by_score, truncated_scores
from profile_tasks.solvers.target_scores import generation_pairs

logger = logging.getLogger(__name__)

PRINTED_FACTORS = 2
"""Without a grader the printed table shows the influence of the first few factors only, so that it
fits a screen; the log has all of them. Who pays for a grader sees every factor."""


@metric(scores="unreduced")
def headline_metrics(replicates: int = REPLICATES, seed: int = 0) -> Metric:
    """Alignments with intervals, agreement, and the first factors' influence.

    Args:
        replicates: Bootstrap replicates.
        seed: Seed of the bootstrap.
    """

    def compute(scores: list[SampleScore]) -> Value:
        if not scores:
            return {}
        measurements = [measurement_of(score.score) for score in scores]
        study = run_study(measurements, replicates=replicates, seed=seed)
        own = own_study(measurements, replicates=replicates, seed=seed)
        every = study.flat() | own_metrics(measurements, own) | standard_metrics(measurements)
        _tell_of_labels(measurements)
        factors = measurements[0].factors
        if not any(measurement.grading for measurement in measurements):
            factors = factors[:PRINTED_FACTORS]
        return {name: every[name] for name in printed_names(every, factors)}

    return seldom_while_running(compute)


def printed_names(every: Mapping[str, float], factors: Sequence[str]) -> list[str]:
    """Which metrics the terminal shows, the leading ones first; influences of these factors."""
    taus = [
        name
        for factor in factors
        for perspective in ("human", "discrimination", "generation")
        if (name := f"tau_{perspective}_{factor}") in every
    ]
    return points_first(printed(every) + taus)


class FactorProfileSettings(MeasuringSettings, ScoredTaskSettings):
    """Settings of the scorer, as of ``inspect score -S``."""

    recorded: Names = None
    """Those of the factors that the data record for annotated responses: taken from there."""
    own_labels: OptionalText = None
    """File of people's preferences among the pairs that the model wrote, matched by their texts."""

    @property
    def recorded_names(self) -> Sequence[str]:
        """The names, as a command line may give them."""
        return self.recorded.split(",") if isinstance(self.recorded, str) else self.recorded or ()


def profile_scorer(task: str, settings: MeasuringSettings, factors: Sequence[Factor]) -> Scorer:
    """The scorer of a run.

    Args:
        task: The key of a task.
        settings: Those of the run.
        factors: What they choose on its data.
    """
    return factor_profile(**scorer_options(task, settings, factors))


def scorer_options(
    task: str, settings: MeasuringSettings, factors: Sequence[Factor]
) -> dict[str, Any]:
    """What the scorer of a run is called with, as a log holds it; arguments as there."""
    return {
        "task": task,
        **settings.model_dump(include=set(MeasuringSettings.model_fields)),
        "recorded": [factor.id for factor in factors if factor.kind == "recorded"] or None,
    }


@scorer(metrics=[headline_metrics()])
@told_of_a_scorer()
@takes(FactorProfileSettings)
def factor_profile(settings: FactorProfileSettings) -> Scorer:
    """Measure a source's annotated pairs, and what the model judged and wrote."""
    grading = SampleGrading(settings)
    task = task_key(settings.task)

    @cache
    def chosen(of_task: str, grader: bool) -> tuple[Factor, ...]:
        if task not in (None, of_task):
            raise ValueError(f"the scorer is for {task!r}, and the samples are of {of_task!r}")
        return measured_factors(
            settings.factors,
            of_task,
            grader=grader,
            learned_by=settings.learned_by,
            recorded=settings.recorded_names,
        )

    @cache
    def labels(of_task: str | None) -> OwnLabels | None:
        if settings.own_labels is None:
            return None
        found = read_own_labels(settings.own_labels, of_task)
        _LABELS[found.name] = found
        return found

    # A wrong selection is told before a sample is scored, and so are labels that cannot be used; of
    # a task that a log holds, with it.
    if task is not None and is_known(task):
        chosen(task, True)
    if task is None or is_known(task):
        labels(task)

    async def score(state: TaskState, target: Target) -> Score:
        annotated = state.metadata_as(AnnotatedSource)
        for unknown in unknown_slices(annotated, settings.slice_columns):
            _warn_once(unknown)
        written = responses_by_score(state)
        faults = None if written is None else text_faults(annotated, written)
        if written and faults:
            written = measured_texts(written, faults, settings.faulty_texts)
        pairs = generation_pairs(list(written), settings.pairing, annotated.id) if written else ()
        wanted = chosen(annotated.task, grading.is_possible)
        compared = compared_responses(annotated, written, pairs)
        grades = await grading.grade(
            annotated, compared.texts, [*compared.annotated, *compared.written], wanted
        )
        learned: Mapping[str, Mapping[str, float]] = {}
        if found_by_model := [factor for factor in wanted if factor.kind == "learned"]:
            learned = await anyio.to_thread.run_sync(
                _learned, found_by_model, annotated, compared.texts, settings.unieval_checkpoint
            )
        measurement = measure_source(
            annotated,
            wanted,
            verdicts=verdicts_by_pair(state),
            responses_by_score=written,
            truncated_scores=truncated_scores(state),
            text_faults=faults,
            verdict_repairs=verdict_repairs(state),
            generation_pairs=pairs,
            own_verdicts=own_verdicts(state),
            grades=grades,
            learned=learned,
            control=settings.control,
            slices=settings.slice_columns,
        )
        if (of_people := labels(annotated.task)) is not None and written:
            measurement = of_people.labelled(measurement, annotated, written)
        return score_of(annotated, measurement, grades)

    return score


_LABELS: dict[str, OwnLabels] = {}
"""Labels that a scorer of this process was given, by the name that measurements have of them."""


def _tell_of_labels(measurements: Sequence[SourceMeasurement]) -> None:
    """Warn of labels that are about none of the pairs, once all samples are scored."""
    for name in dict.fromkeys(m.own_human.labels for m in measurements if m.own_human):
        if name in _LABELS:
            for note in _LABELS[name].notes(measurements):
                _warn_once(note)


def score_of(
    annotated: AnnotatedSource, measurement: SourceMeasurement, grades: Sequence[SourceGrades] = ()
) -> Score:
    """The score of a sample.

    Args:
        annotated: The source.
        measurement: What was measured on it.
        grades: What each grader said.
    """
    return Score(
        value=sample_value(measurement),
        answer=sample_answer(measurement),
        explanation=sample_explanation(measurement, [pair.id for pair in annotated.pairs]),
        metadata=measurement.model_dump(mode="json") | logged(grades),
    )


@cache
def _warn_once(problem: str) -> None:
    """Of a finished log it is not known before its samples are read which columns there are."""
    logger.warning(problem)


def _learned(
    factors: Sequence[Factor], annotated: AnnotatedSource, texts: Mapping[str, str], checkpoint: str
) -> dict[str, dict[str, float]]:
    """Values of the learned factors: factor id -> response id -> value."""
    # The authors show UniEval a summary with its document, without a request.
    alone = definition_of(annotated.task).answers_the_source
    prompt = "" if alone else annotated.prompt
    with _ONE_AT_A_TIME:
        unieval = UniEval.load(checkpoint)
        return {
            factor.id: dict(
                zip(
                    texts,
                    learned_values(
                        factor.id, list(texts.values()), annotated.source, prompt, unieval
                    ),
                    strict=True,
                )
            )
            for factor in factors
        }


_ONE_AT_A_TIME = Lock()
"""A local model gains nothing from samples that run side by side, and may not bear them."""


def measurement_of(score: Score) -> SourceMeasurement:
    """The measurement that a score of this scorer holds."""
    return SourceMeasurement.model_validate(score.metadata)
