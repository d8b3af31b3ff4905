"""``profile-tasks power --alignment``: how many sources an alignment, or self-agreement, needs."""

import math
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
        ValueError: The pilot holds no two judges of the same pairs, or none of its alignments can
            be planned.
    """
    from profile_tasks.runs.reading import is_log
    from profile_tasks.scorers.statistics.alignment_planning import planned_alignment

    found = _of_log(file) if is_log(Path(file)) else _of_columns(file, options, seed)
    plans = {
        name: planned_alignment(*tables, sources=sources, width=width, most=most, seed=seed)
        for name, tables in found.items()
    }
    if all(plan.reason is not None for plan in plans.values()):
        told = "; ".join(f"{name}: {plan.reason}" for name, plan in plans.items())
        raise ValueError(f"{file}: nothing can be planned; {told}")
    return plans


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


def emit_plans(
    plans: "dict[str, AlignmentPlan]", title: str, width: float, most: int, format_: str
) -> None:
    """Print the plans, at least one of them with numbers, in the form that is asked for."""
    from profile_tasks.scorers.statistics.estimate import none_for_nan

    notes = _notes(plans)
    record: Record = {
        "title": title,
        "wanted": width,
        "most": most,
        "alignments": {
            name: {
                "r": none_for_nan(plan.r.value),
                **plan.r.interval(),
                "curve": {str(n): none_for_nan(half) for n, half in _curve(plan)},
                "needed": plan.needed,
                "needed_low": plan.needed_range[0],
                "needed_high": plan.needed_range[1],
                "reason": plan.reason,
            }
            for name, plan in plans.items()
        },
        "notes": notes,
    }
    printed = [
        {
            "of": name,
            "r": f"{plan.r.value:+.2f}",
            **{f"{n:,}": _cell(half) for n, half in _curve(plan)},
            f"for ±{width:g}": _needed(plan, most),
        }
        for name, plan in plans.items()
        if plan.reason is None
    ]
    title = f"{title}: 95 % interval of the true r, by number of sources"
    emit(format_, record, _rows(plans), title, printed)
    if format_ == "table":
        for name, plan in plans.items():
            if plan.reason is not None:
                say(f"{name}: {plan.reason}")
        say("")
        for note in notes:
            say(f"- {note}")


def _curve(plan: "AlignmentPlan") -> list[tuple[int, float]]:
    """The half-width at each number of sources; none where nothing can be planned."""
    return list(zip(plan.sources, plan.half_widths, strict=False))


def _rows(plans: "dict[str, AlignmentPlan]") -> list[Record]:
    """One row a number of sources, and one for the number that is needed, or why there is none."""
    from profile_tasks.scorers.statistics.estimate import none_for_nan

    rows: list[Record] = []
    for name, plan in plans.items():
        unmarked = {"needed": False, "needed_low": None, "needed_high": None, "reason": None}
        rows += [
            {"of": name, "sources": n, "half_width": none_for_nan(half), **unmarked}
            for n, half in _curve(plan)
        ]
        low, high = plan.needed_range
        marked = {"needed": True, "needed_low": low, "needed_high": high, "reason": plan.reason}
        rows.append({"of": name, "sources": plan.needed, "half_width": None, **marked})
    return rows


def _cell(half_width: float) -> str:
    if math.isnan(half_width):
        return "-"
    return f"±{half_width:.2f}" if half_width >= 0.005 else "<±0.01"


def _needed(plan: "AlignmentPlan", most: int) -> str:
    """The number of sources with its range."""
    needed, low, high = (
        f"> {most:,}" if n is None else f"{n:,}" for n in (plan.needed, *plan.needed_range)
    )
    return f"{needed} [{low}, {high}]"


def _notes(plans: "dict[str, AlignmentPlan]") -> list[str]:
    """How the numbers come about, and what they do not know."""
    from profile_tasks.scorers.statistics.coverage import of_few_sources
    from profile_tasks.scorers.statistics.estimate import FEW_GROUPS

    planned = {name: plan for name, plan in plans.items() if plan.reason is None}
    notes = [
        f"{name}: r and the noise are those of the pilot's {plan.n_groups} groups, with r within "
        f"[{plan.r.ends_text('{:+.4f}'.format)}]; with n sources the noise is "
        f"√({plan.n_groups} / n) times as large"
        for name, plan in planned.items()
    ]
    notes += [
        "±: half the width of the interval, by inverting tests, in a typical study; near r = 1 or "
        "-1 it is small only if the pilot's r is right",
        "[ , ]: range of the number for r within its interval; that so many groups know the noise "
        "only roughly too is left out",
    ]
    if any(math.isnan(half) for plan in planned.values() for half in plan.half_widths):
        notes.append("-: a typical study of so many sources does not tell the profiles from noise")
    numbers = [n for plan in planned.values() for n in (*plan.sources, plan.needed) if n]
    if few := of_few_sources(min(numbers)):
        notes.append(f"{few[0]}; plan at least {FEW_GROUPS} to compare alignments")
    return notes
