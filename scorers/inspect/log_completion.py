"""Writes what a scorer measured, and no terminal could print, into the finished Inspect log.

Inspect prints every metric that a scorer returns. So the scorers of this project return a headline,
and a hook completes the log when its task has ended; a log that was scored again later can be
completed by the same code.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from inspect_ai.hooks import Hooks, SampleEnd, SampleStart, TaskEnd, TaskStart
from inspect_ai.log import EvalLog, EvalMetric, EvalResults, EvalScore, write_eval_log_async
from inspect_ai.scorer import Score

from profile_tasks.scorers.inspect.evaluated_model import evaluated_model
from profile_tasks.scorers.statistics.metric_catalogue import short_label
from profile_tasks.solvers.kept_answers import keep_answers
from profile_tasks.solvers.recorded_answers import RECORDED, RECORDED_NOTE

_Measured = TypeVar("_Measured")

VIEWED = 5
"""Inspect's viewer heads a log with so many metrics, the first, in one line beside the title."""


@dataclass(frozen=True)
class LogCompletion(Generic[_Measured]):
    """How the logs of one scorer are completed.

    Attributes:
        scorer: Name of the scorer.
        measurement: What a sample's score holds.
        completed: A score with every metric, from what was measured and the evaluated model.
        tell: What the user must be told of a log that was completed when its task had ended.
    """

    scorer: str
    measurement: Callable[[Score], _Measured]
    completed: Callable[[EvalScore, list[_Measured], str], EvalScore]
    tell: Callable[[EvalLog, list[_Measured]], None] = lambda log, measured: None

    def is_own_score(self, name: str) -> bool:
        """Whether the scorer made a score; one that is appended to a log gets a number."""
        return re.fullmatch(rf"{self.scorer}\d*", name) is not None

    def logged(self, log: EvalLog, score: str | None = None) -> list[_Measured]:
        """What the samples of a finished log hold.

        Args:
            log: The log.
            score: Name of the score; None: that of the scorer.

        Raises:
            ValueError: No sample holds it.
        """
        name = score or self.scorer
        found = [
            self.measurement(sample.scores[name])
            for sample in log.samples or ()
            if sample.scores and name in sample.scores
        ]
        if not found:
            raise ValueError(f"{log.location}: no sample has a score {name!r}")
        return found

    def results(
        self, results: EvalResults, measured: Mapping[str, list[_Measured]], evaluated: str
    ) -> EvalResults:
        """A copy of the results in which the scorer's scores hold every metric.

        Args:
            results: The results.
            measured: Name of a score -> what was measured on each source.
            evaluated: The evaluated model.
        """
        scores = [
            self.completed(score, measured[score.name], evaluated)
            if score.name in measured
            else score
            for score in results.scores
        ]
        return results.model_copy(update={"scores": scores})

    def log(self, log: EvalLog) -> EvalLog:
        """A finished log with every metric again, e.g. after `inspect score` has rescored it.

        Raises:
            ValueError: The log holds no samples, or no results.
        """
        if log.results is None:
            raise ValueError(f"{log.location} holds no results, so there is nothing to complete")
        measured = {
            score.name: self.logged(log, score.name)
            for score in log.results.scores
            if self.is_own_score(score.name)
        }
        results = self.results(log.results, measured, evaluated_model(log))
        return log.model_copy(update={"results": results})


class CompletesLogs(Hooks, Generic[_Measured]):
    """A hook that completes the logs of one scorer, and leaves every other log alone.

    It also notes in which run a sample is asked, so that a resumed run need not ask again.
    """

    completion: ClassVar[LogCompletion[Any]]

    def __init__(self) -> None:
        self._measured: dict[str, list[_Measured]] = {}
        self._tasks: dict[str, str] = {}  # of each attempt, what it shares with those it resumes

    async def on_task_start(self, data: TaskStart) -> None:
        """Note the task, whose id a resumed run keeps."""
        self._tasks[data.eval_id] = data.spec.task_id

    async def on_sample_start(self, data: SampleStart) -> None:
        """Note the sample; Inspect calls this in the very context in which the sample runs."""
        if (task := self._tasks.get(data.eval_id)) is not None:
            keep_answers(task, str(data.summary.id), data.summary.epoch)

    async def on_sample_end(self, data: SampleEnd) -> None:
        """Keep the measurement, so that the log need not be read again."""
        score = (data.sample.scores or {}).get(self.completion.scorer)
        if score is not None:
            measurement = self.completion.measurement(score)
            self._measured.setdefault(data.eval_id, []).append(measurement)

    async def on_task_end(self, data: TaskEnd) -> None:
        """Add all metrics to the log's header."""
        measured, log = self._measured.pop(data.eval_id, []), data.log
        if log.results is None:
            return
        ours = next((s for s in log.results.scores if self.completion.is_own_score(s.name)), None)
        if ours is None:
            return
        if len(measured) != ours.scored_samples:
            # A retried evaluation takes samples over from the log before.
            measured = self.completion.logged(log, ours.name)
        log.results = self.completion.results(
            log.results, {ours.name: measured}, evaluated_model(log)
        )
        if log.eval.model.startswith(RECORDED):
            log.eval.metadata = {**(log.eval.metadata or {}), "recorded": RECORDED_NOTE}
        self.completion.tell(log, measured)
        await write_eval_log_async(log, log.location, header_only=True)


def bootstrap_of(score: EvalScore, replicates: int) -> tuple[int, int]:
    """Replicates and seed that the printed metrics of a score used.

    Args:
        score: The score.
        replicates: Where the score does not say.
    """
    params = _params(score)
    return params.get("replicates", replicates), params.get("seed", 0)


def with_metrics(
    score: EvalScore, group: str, values: Mapping[str, float], metadata: Mapping[str, object]
) -> EvalScore:
    """A copy of a score with further metrics, and with entries in its metadata.

    Args:
        score: The score; what it has of these metrics gets the value that is given.
        group: The metric function that the values are shown with.
        values: Metric name -> value.
        metadata: Entries to add.
    """
    params = _params(score)
    given = {
        name: score.metrics[name].model_copy(update={"value": value})
        if name in score.metrics
        else EvalMetric(name=name, group=group, value=value, params=params)
        for name, value in values.items()
    }
    return with_short_labels(
        score.model_copy(
            update={
                "metrics": score.metrics | given,
                "metadata": {**(score.metadata or {}), **metadata},
            }
        )
    )


def with_short_labels(score: EvalScore) -> EvalScore:
    """A copy of a score whose first metrics have labels that fit beside the viewer's title.

    The viewer shows a metric's label (``EvalMetric.name``), and long ones cover the title. Programs
    find it by its key, which stays its name; so do the labels of the others, to be copied.
    """
    labelled = {
        name: metric.model_copy(update={"name": short_label(name)})
        for name, metric in list(score.metrics.items())[:VIEWED]
    }
    return score.model_copy(update={"metrics": score.metrics | labelled})


def _params(score: EvalScore) -> dict[str, int]:
    printed = next(iter(score.metrics.values()), None)
    return printed.params if printed else {}
