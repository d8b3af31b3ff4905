"""Metrics while samples still run.

For the terminal Inspect computes a run's metrics again and again, as long as that takes no more
than a tenth of the time. Ours are those of a whole study: the tenth would be the greater part of
what a run costs beside its requests.
"""

from collections.abc import Callable
from operator import is_
from typing import TypeAlias

from inspect_ai.scorer import Metric, SampleScore, Score, Value
from inspect_ai.util import sample_limits

GROWTH = 1.5
"""Scores by which there must be more before they are computed again."""

_Compute: TypeAlias = Callable[[list[SampleScore]], Value]


def seldom_while_running(compute: _Compute) -> Metric:
    """A metric that gives its last value while samples run and few were added to its scores.

    When no sample runs, as at the end of a run, it is always computed.

    Args:
        compute: The metric.
    """
    of: list[Score] = []
    last: Value = {}

    def computed(scores: list[SampleScore]) -> Value:
        nonlocal of, last
        now = [each.score for each in scores]
        few_added = len(of) <= len(now) < GROWTH * len(of) and all(map(is_, of, now))
        running = _a_sample_runs()
        if not (running and few_added):
            last = compute(scores)
            of = now if running else []
        return dict(last) if isinstance(last, dict) else last

    return computed


def _a_sample_runs() -> bool:
    try:
        sample_limits()
    except RuntimeError:
        return False
    return True
