"""Every metric of revisions, with its interval, in the finished Inspect log."""

from inspect_ai.hooks import hooks
from inspect_ai.log import EvalScore

from profile_tasks.scorers.inspect.feedback_scorer import SCORER, revision_of
from profile_tasks.scorers.inspect.full_profile import grading_record
from profile_tasks.scorers.inspect.log_completion import (
    CompletesLogs,
    LogCompletion,
    bootstrap_of,
    with_metrics,
)
from profile_tasks.scorers.measurement.revision_metrics import revision_metrics
from profile_tasks.scorers.measurement.revisions import RevisionMeasurement
from profile_tasks.scorers.statistics.study import REPLICATES

_METRIC = "revision_headline"


def _completed(score: EvalScore, measured: list[RevisionMeasurement], evaluated: str) -> EvalScore:
    replicates, seed = bootstrap_of(score, REPLICATES)
    found = revision_metrics(measured, replicates=replicates, seed=seed)
    record = found.record() | grading_record([one.source for one in measured], evaluated)
    return with_metrics(score, _METRIC, found.values(), {"revision": record})


COMPLETION = LogCompletion(SCORER, revision_of, _completed)


@hooks(name="full_revision", description="Adds all metrics of revisions to a finished log")
class FullRevision(CompletesLogs[RevisionMeasurement]):
    """Completes the logs of the scorer ``feedback_profile``."""

    completion = COMPLETION
