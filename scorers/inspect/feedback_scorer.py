"""The Inspect scorer of feedback-driven generation, and the metrics that it prints.

The scorer keeps one ``RevisionMeasurement`` a sample in the log, with the texts that it measured;
``full_revision`` adds every other metric to the finished log.
"""

from functools import cache

from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, Value, metric, scorer
from inspect_ai.solver import TaskState

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.data.task_definition import is_known, task_key
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.selection import measured_factors
from profile_tasks.scorers.grading.grader import grader_model
from profile_tasks.scorers.grading.record import logged
from profile_tasks.scorers.inspect.arguments import told_of_a_scorer
from profile_tasks.scorers.inspect.live_metrics import seldom_while_running
from profile_tasks.scorers.inspect.sample_grading import SampleGrading
from profile_tasks.scorers.measurement.revision_metrics import revision_metrics
from profile_tasks.scorers.measurement.revisions import (
    RevisionMeasurement,
    compared_revisions,
    measure_revisions,
)
from profile_tasks.scorers.statistics.metric_catalogue import points_first, printed
from profile_tasks.scorers.statistics.study import REPLICATES
from profile_tasks.settings import GradingSettings, ScoredTaskSettings, Selection, takes
from profile_tasks.solvers.feedback_revision import RevisedDraft, revised_draft

SCORER = "feedback_profile"


@metric(scores="unreduced")
def revision_headline(replicates: int = REPLICATES, seed: int = 0) -> Metric:
    """Alignments, win rates and lengths of the revisions, and what feedback adds to them.

    Args:
        replicates: Bootstrap replicates.
        seed: Seed of the bootstrap.
    """

    def compute(scores: list[SampleScore]) -> Value:
        if not scores:
            return {}
        measured = [revision_of(score.score) for score in scores]
        every = revision_metrics(measured, replicates=replicates, seed=seed).values()
        return {name: every[name] for name in points_first(printed(every))}

    return seldom_while_running(compute)


class FeedbackProfileSettings(GradingSettings, ScoredTaskSettings):
    """Settings of the scorer, as of ``inspect score -S``."""

    factors: Selection = "auto"
    """auto is core with a grader, else surface."""


@scorer(metrics=[revision_headline()])
@told_of_a_scorer()
@takes(FeedbackProfileSettings)
def feedback_profile(settings: FeedbackProfileSettings) -> Scorer:
    """Measure a source's annotated pairs, and each revision beside its draft."""
    grading = SampleGrading(settings)
    task = task_key(settings.task)

    @cache
    def chosen(of_task: str, grader: bool) -> tuple[Factor, ...]:
        if task not in (None, of_task):
            raise ValueError(f"the scorer is for {task!r}, and the samples are of {of_task!r}")
        return measured_factors(settings.factors, of_task, grader=grader, learned_by={})

    # A wrong selection is told before a sample is scored; of a task that a log holds, with it.
    if task is not None and is_known(task):
        chosen(task, True)

    async def score(state: TaskState, target: Target) -> Score:
        annotated = state.metadata_as(AnnotatedSource)
        revised = revised_draft(state)
        wanted = chosen(annotated.task, grading.is_possible)
        texts, pairs, revisions = compared_revisions(annotated, revised)
        if grading.is_possible:
            grader_model()  # refuses a panel, whose majority is not measured here
        grades = await grading.grade(annotated, texts, [*pairs, *revisions.values()], wanted)
        measurement = measure_revisions(annotated, wanted, revised, grades[0] if grades else None)
        metadata = measurement.model_dump(mode="json") | {"texts": revised.model_dump(mode="json")}
        return Score(
            value=sample_value(measurement),
            answer=revised.draft,
            explanation=explanation(revised),
            metadata=metadata | logged(grades),
        )

    return score


def revision_of(score: Score) -> RevisionMeasurement:
    """The measurement that a score of this scorer holds."""
    return RevisionMeasurement.model_validate(score.metadata)


def sample_value(measurement: RevisionMeasurement) -> dict[str, int]:
    """Counts that Inspect shows beside a sample."""
    found = [revision for revision in measurement.revisions.values() if revision is not None]
    return {
        "revisions": len(found),
        "changed": sum(not revision.unchanged for revision in found),
        "preferred_to_draft": sum(revision.preference == 1 for revision in found),
    }


def explanation(revised: RevisedDraft) -> str:
    """Draft, feedback and revisions one below the other, for the log viewer."""
    parts = [f"DRAFT\n{revised.draft or '(missing)'}"]
    if revised.other_draft is not None:
        parts.append(f"SECOND DRAFT, for the evaluator\n{revised.other_draft}")
    for condition, revision in revised.revisions.items():
        if condition != "none":
            parts.append(f"FEEDBACK, {condition}\n{revision.feedback or '(missing)'}")
        parts.append(f"REVISION, {condition}\n{revision.text or '(missing)'}")
    return "\n\n".join(parts)
