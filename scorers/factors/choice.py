"""Which factors a run measures: those selected, and how fluency and coherence are found."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from profile_tasks.scorers.factors.taxonomy import (
    Factor,
    read_selection,
    resolve_factors,
    surface_function,
)
from profile_tasks.settings import LearnedBy


def measured_factors(
    selection: str | Sequence[str],
    task: str,
    *,
    grader: bool,
    learned_by: Mapping[str, LearnedBy],
    recorded: Collection[str] = (),
) -> tuple[Factor, ...]:
    """The factors of a run, in the order of every table; all surface functions can be imported.

    Args:
        selection: As of ``resolve_factors``.
        task: One of ``TASKS``.
        grader: Whether there is a grader; decides what "auto" is.
        learned_by: Factor id -> how it is found. A factor found by UniEval is measured even where
            the selection, for want of a grader, leaves it out.
        recorded: Names of factors that the data record, as of ``with_recorded``.

    Raises:
        ValueError: As ``resolve_factors``, and as ``surface_function``; or a recorded name cannot
            be a metric's.
        ImportError: A surface function cannot be imported. Found here, before a model is paid.

    >>> chosen = measured_factors(
    ...     "length", "summarization", grader=False, learned_by={"fluency": "unieval"}
    ... )
    >>> [(factor.id, factor.kind) for factor in chosen]
    [('length', 'surface'), ('fluency', 'learned')]
    """
    chosen = {f.id: f for f in resolve_factors(selection, task, grader=grader, recorded=recorded)}
    for name in (name for name, how in learned_by.items() if how == "unieval"):
        judged = chosen.get(name) or read_selection(selection).taxonomy[name]
        chosen[name] = replace(
            judged, kind="learned", unit="UniEval's probability of yes", range=(0.0, 1.0)
        )
    for factor in chosen.values():
        if factor.kind == "surface":
            surface_function(factor)
        if factor.kind == "recorded" and "/" in factor.id:
            raise ValueError(
                f"recorded factor {factor.id!r}: no metric may have a slash in its name; rename it "
                "in the data"
            )
    return tuple(chosen.values())


def needing_grader(factors: Sequence[Factor]) -> tuple[str, ...]:
    """Ids of the factors that only a grader can measure."""
    return tuple(factor.id for factor in factors if factor.graded)
