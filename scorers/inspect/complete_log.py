"""A finished log with every metric again, after ``inspect score`` has rescored it."""

from inspect_ai.log import EvalLog

from profile_tasks.scorers.inspect import full_profile, full_revision


def complete_log(log: EvalLog) -> EvalLog:
    """A copy of a log of this project's tasks that holds every metric.

    Raises:
        ValueError: The log holds no samples, or no results.
    """
    for completion in (full_profile.COMPLETION, full_revision.COMPLETION):
        log = completion.log(log)
    return log
