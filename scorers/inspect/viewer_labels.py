"""Short labels in the finished logs of the scorers that print all they measure.

Nothing else completes these logs; those of the other scorers get theirs from ``log_completion``.
"""

from inspect_ai.hooks import Hooks, TaskEnd, hooks
from inspect_ai.log import write_eval_log_async

from profile_tasks.scorers.inspect.log_completion import with_short_labels

_SCORERS = ("human_agreement", "judge_sensitivity", "self_guided_ranking", "text_validity")


@hooks(name="viewer_labels", description="Shortens what the viewer heads a finished log with")
class ViewerLabels(Hooks):
    """Labels the metrics of these scorers, and leaves every other log alone."""

    async def on_task_end(self, data: TaskEnd) -> None:
        """Write the labels into the log's header."""
        results = data.log.results
        if results is None or not any(score.scorer in _SCORERS for score in results.scores):
            return
        results.scores = [
            with_short_labels(score) if score.scorer in _SCORERS else score
            for score in results.scores
        ]
        await write_eval_log_async(data.log, data.log.location, header_only=True)
