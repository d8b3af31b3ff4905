"""``profile-tasks power --alignment``: how many sources an alignment, or self-agreement, needs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from profile_tasks.commands.printing import Record, emit, say
from profile_tasks.commands.recorded import load_two_judges

if TYPE_CHECKING:
    from profile_tasks.scorers.statistics.alignment_planning import AlignmentPlan
    from profile_tasks.scorers.statistics.comparisons import Comparisons


def plan_alignments(
    file: str, options: Record, sources: Sequence[int], width: float, most: int, seed: int
) -> dict[str, "AlignmentPlan"]:
    """The plan of each alignment that a pilot has, by its name.

    Args:
        file: An Inspect log, or recorded preferences with those of a second judge.
        options: Of the command.
        sources: Numbers of sources to show.
        width: Half the width that is wanted.
        most: Greatest number of sources to consider.
        seed: Of everything random.

    Raises:
        ValueError: The pilot holds no two judges of the same pairs.
    """
    from profile_tasks.runs.reading import is_log
    from profile_tasks.scorers.statistics.alignment_planning import planned_alignment

    found = _of_log(file) if is_log(Path(file)) else _of_columns(file, options, seed)
    return {
        name: planned_alignment(*tables, sources=sources, width=width, most=most, seed=seed)
        for name, tables in found.items()
    }


def _of_log(file: str) -> dict[str, tuple["Comparisons", "Comparisons"]]:
    from profile_tasks.runs.inspect_log import read_run
    from profile_tasks.scorers.measurement.tables import comparison_tables
    from profile_tasks.scorers.statistics.study import HUMAN, JUDGE, OWN, WRITER

    tables = {table.perspective: table for table in comparison_tables(read_run(file).measurements)}
    pairs = {"self-agreement": (OWN, WRITER), "alignment as a judge": (HUMAN, JUDGE)}
    found = {
        name: (tables[first], tables[second])
        for name, (first, second) in pairs.items()
        if first in tables and second in tables
    }
    if not found:
        raise ValueError(f"{file}: the run neither judged annotated pairs nor its own; no pilot")
    return found


def _of_columns(
    file: str, options: Record, seed: int
) -> dict[str, tuple["Comparisons", "Comparisons"]]:
    from profile_tasks.scorers.measurement.recorded import human_comparisons

    second = options["second_preference_column"]
    if second is None:
        raise ValueError(
            "--alignment is about two judges: name the second one's --second-preference-column, or "
            "give an Inspect log as FILE"
        )
    columns = (options["preference_column"], second)
    first, other = (
        human_comparisons(each, options["factors"])
        for each in load_two_judges(file, options, seed=seed, second_column=second)
    )
    return {f"alignment of {columns[0]} and {columns[1]}": (first, other)}


def emit_plans(plans: "dict[str, AlignmentPlan]", title: str, width: float, format_: str) -> None:
    """Print the plans in the form that is asked for."""
    from profile_tasks.scorers.statistics.estimate import none_for_nan

    record: Record = {
        "title": title,
        "wanted": width,
        "alignments": {
            name: {
                "r": none_for_nan(plan.estimate),
                "curve": dict(zip(map(str, plan.sources), plan.half_widths, strict=False)),
                "needed": plan.needed,
                "reason": plan.reason,
            }
            for name, plan in plans.items()
        },
    }
    rows = [
        {"of": name, "sources": n, "half_width": half_width}
        for name, plan in plans.items()
        for n, half_width in zip(plan.sources, plan.half_widths, strict=False)
    ]
    printed = [
        {
            "of": name,
            "r": f"{plan.estimate:+.2f}",
            **{
                f"{n:,}": f"±{half:.2f}"
                for n, half in zip(plan.sources, plan.half_widths, strict=False)
            },
            f"for ±{width:g}": "not reached" if plan.needed is None else f"{plan.needed:,}",
        }
        for name, plan in plans.items()
        if plan.reason is None
    ]
    emit(
        format_,
        record,
        rows,
        f"{title}: 95 % interval of the true r, by number of sources",
        printed,
    )
    if format_ == "table":
        for name, plan in plans.items():
            if plan.reason is not None:
                say(f"{name}: {plan.reason}")
