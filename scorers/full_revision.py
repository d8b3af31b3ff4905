"""Writes every metric of revisions, with its interval, into the finished Inspect log.

As ``full_profile`` does for factor profiles: the scorer prints a headline that fits a screen, and
when the task has ended this hook adds the rest to the log's header.
"""

import re
from collections.abc import Mapping

from inspect_ai.hooks import Hooks, SampleEnd, TaskEnd, hooks
from inspect_ai.log import EvalLog, EvalMetric, EvalResults, EvalScore, write_eval_log_async

from profile_tasks.scorers.feedback_profile import SCORER, revision_of
from profile_tasks.scorers.full_profile import grading_record
from profile_tasks.scorers.profile_metrics import REPLICATES
from profile_tasks.scorers.revision_measurement import RevisionMeasurement
from profile_tasks.scorers.revision_metrics import revision_metrics

_METRIC = "revision_headline"


@hooks(name="full_revision", description="Adds all metrics of revisions to a finished log")
class FullRevision(Hooks):
    """Completes the logs of the scorer ``feedback_profile``; leaves every other log alone."""

    def __init__(self) -> None:
        self._measured: dict[str, list[RevisionMeasurement]] = {}

    async def on_sample_end(self, data: SampleEnd) -> None:
        """Keep the measurement, so that the log need not be read again."""
        if data.sample.scores and SCORER in data.sample.scores:
            measurement = revision_of(data.sample.scores[SCORER])
            self._measured.setdefault(data.eval_id, []).append(measurement)

    async def on_task_end(self, data: TaskEnd) -> None:
        """Add all metrics to the log's header."""
        measured, log = self._measured.pop(data.eval_id, []), data.log
        if log.results is None:
            return
        ours = next((s for s in log.results.scores if _is_own_score(s.name)), None)
        if ours is None:
            return
        if len(measured) != ours.scored_samples:
            # A retried evaluation takes samples over from the log before.
            measured = logged_revisions(log, ours.name)
        log.results = _completed(log.results, {ours.name: measured}, log.eval.model)
        await write_eval_log_async(log, log.location, header_only=True)


def complete_log(log: EvalLog) -> EvalLog:
    """A finished log with every metric again, e.g. after `inspect score` has rescored it.

    Raises:
        ValueError: The log holds no samples, or no results.
    """
    if log.results is None:
        raise ValueError(f"{log.location} holds no results, so there is nothing to complete")
    measured = {
        score.name: logged_revisions(log, score.name)
        for score in log.results.scores
        if _is_own_score(score.name)
    }
    return log.model_copy(update={"results": _completed(log.results, measured, log.eval.model)})


def logged_revisions(log: EvalLog, score: str = SCORER) -> list[RevisionMeasurement]:
    """The measurements that the samples of a finished log hold.

    Raises:
        ValueError: The log holds no such score.
    """
    found = [
        revision_of(sample.scores[score])
        for sample in log.samples or []
        if sample.scores and score in sample.scores
    ]
    if not found:
        raise ValueError(f"{log.location}: no sample has a score {score!r}")
    return found


def _completed(
    results: EvalResults, measured: Mapping[str, list[RevisionMeasurement]], evaluated: str
) -> EvalResults:
    """A copy of the results in which the scores of this scorer hold every metric."""
    scores = [
        _completed_score(score, measured[score.name], evaluated)
        if score.name in measured
        else score
        for score in results.scores
    ]
    return results.model_copy(update={"scores": scores})


def _completed_score(
    score: EvalScore, measured: list[RevisionMeasurement], evaluated: str
) -> EvalScore:
    """A copy of the score that holds every metric, and the counts behind them."""
    printed = next(iter(score.metrics.values()), None)
    params = printed.params if printed else {}
    found = revision_metrics(
        measured, replicates=params.get("replicates", REPLICATES), seed=params.get("seed", 0)
    )
    added = {
        name: EvalMetric(name=name, group=_METRIC, value=value, params=params)
        for name, value in found.values().items()
        if name not in score.metrics
    }
    record = found.record() | grading_record([one.source for one in measured], evaluated)
    return score.model_copy(
        update={
            "metrics": score.metrics | added,
            "metadata": (score.metadata or {}) | {"revision": record},
        }
    )


def _is_own_score(name: str) -> bool:
    """Whether ``feedback_profile`` made a score; one that is appended to a log gets a number."""
    return re.fullmatch(rf"{SCORER}\d*", name) is not None
