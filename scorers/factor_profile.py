"""The Inspect scorer: measures each source, and prints the headline of the whole run.

The scorer keeps one ``SourceMeasurement`` a sample in the log. The printed metrics are the
headline; ``full_profile`` adds every other metric, with its interval, to the finished log.
"""

from collections.abc import Sequence

from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, Value, metric, scorer
from inspect_ai.solver import TaskState

from profile_tasks.preference_data import AnnotatedSource
from profile_tasks.scorers.factors.taxonomy import resolve_factors
from profile_tasks.scorers.profile_metrics import profile_metrics
from profile_tasks.scorers.source_measurement import (
    SourceMeasurement,
    comparison_tables,
    measure_source,
    standard_metrics,
)
from profile_tasks.solvers.pairwise_discrimination import picks_by_pair
from profile_tasks.solvers.score_conditioned_generation import (
    Pairing,
    generation_pairs,
    responses_by_score,
    truncated_scores,
)

REPLICATES = 1000
"""Bootstrap replicates; cheap enough for the metrics that Inspect refreshes during a run."""

PRINTED_FACTORS = 2
"""The printed table shows the influence of the first few factors; the log has all of them."""

_PRINTED_STANDARD = (
    "discrimination_accuracy",
    "discrimination_kappa",
    "flip_rate",
    "first_position_rate",
    "unreadable_rate",
    "rouge1",
    "rouge2",
    "rougeL",
)


@metric(scores="unreduced")
def headline_metrics(replicates: int = REPLICATES, seed: int = 0) -> Metric:
    """Alignments and gap with intervals, agreement, and the first factors' influence.

    Args:
        replicates: Bootstrap replicates.
        seed: Seed of the bootstrap.
    """

    def compute(scores: list[SampleScore]) -> Value:
        if not scores:
            return {}
        measurements = [measurement_of(score.score) for score in scores]
        profiled = profile_metrics(
            comparison_tables(measurements), replicates=replicates, seed=seed
        )
        every = profiled.values() | standard_metrics(measurements)
        return {name: every[name] for name in printed_names(every, measurements[0].factors)}

    return compute


def printed_names(every: dict[str, float], factors: Sequence[str]) -> list[str]:
    """Which metrics the terminal shows: those that fit a screen, headline first."""
    headline = [n for n in every if n.startswith("alignment_") and "_tau_b" in n]
    standard = [name for name in _PRINTED_STANDARD if name in every]
    taus = [
        name
        for factor in factors[:PRINTED_FACTORS]
        for perspective in ("human", "discrimination", "generation")
        if (name := f"tau_{perspective}_{factor}") in every
    ]
    return headline + standard + taus


@scorer(metrics=[headline_metrics()])
def factor_profile(
    task: str, factors: str | Sequence[str] = "auto", pairing: Pairing = "all"
) -> Scorer:
    """Measure a source's annotated pairs, and what the model judged and wrote.

    Args:
        task: The task whose factors are meant.
        factors: "auto", "core", "surface" or factor ids.
        pairing: Which written responses are compared: "all" pairs or "adjacent" scores.
    """
    chosen = resolve_factors(factors, task)

    async def score(state: TaskState, target: Target) -> Score:
        written = responses_by_score(state)
        measurement = measure_source(
            state.metadata_as(AnnotatedSource),
            chosen,
            picks=picks_by_pair(state),
            responses_by_score=written,
            truncated_scores=truncated_scores(state),
            generation_pairs=generation_pairs(list(written), pairing) if written else (),
        )
        return Score(
            value=sample_value(measurement),
            answer=answer(measurement),
            explanation=explanation(measurement),
            metadata=measurement.model_dump(mode="json"),
        )

    return score


def measurement_of(score: Score) -> SourceMeasurement:
    """The measurement that a score of this scorer holds."""
    return SourceMeasurement.model_validate(score.metadata)


def sample_value(measurement: SourceMeasurement) -> dict[str, int]:
    """Counts that Inspect shows beside a sample."""
    judged = measurement.discrimination or ()
    return {
        "annotated_pairs": len(measurement.human),
        "judged_as_human": sum(
            human == model for human, model in zip(measurement.human, judged, strict=False)
        ),
        "written_pairs": len(measurement.pairs_written or ()),
    }


def answer(measurement: SourceMeasurement) -> str | None:
    """How the model judged, in the few words of the log viewer's column."""
    if measurement.picks is None:
        return None
    agreed = sample_value(measurement)["judged_as_human"]
    return f"{agreed} of {len(measurement.human)} pairs judged as by people"


def explanation(measurement: SourceMeasurement) -> str:
    """The sample in words, for the log viewer."""
    parts = [f"{len(measurement.human)} annotated pairs"]
    if (judged := measurement.discrimination) is not None:
        missing = sum(preference is None for preference in judged)
        agreed = sample_value(measurement)["judged_as_human"]
        parts.append(f"judged: {agreed} as the human label, {missing} unreadable")
    if measurement.words_by_score is not None:
        words = ", ".join(
            f"{score}: {'missing' if count is None else count}"
            for score, count in measurement.words_by_score.items()
        )
        parts.append(f"words written by target score: {words}")
    return "; ".join(parts)
