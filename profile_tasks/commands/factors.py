"""``profile-tasks factors``: the factor taxonomy, as a run would use it."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from profile_tasks.commands.printing import FORMAT_OPTION, emit, say
from profile_tasks.commands.task_name import TaskName
from profile_tasks.commands.unusable import Unusable

if TYPE_CHECKING:
    from profile_tasks.scorers.factors.factor import Factor


@click.command(epilog="Example: profile-tasks factors --task summarization")
@click.option("--task", type=TaskName(), help="Only this task's factors.")
@click.option(
    "--factors",
    "selection",
    help="auto, core, surface, all, factor ids, taxonomy files (.yaml); with commas. "
    "Without it: every factor.",
)
@FORMAT_OPTION
def factors(task: str | None, selection: str | None, format_: str) -> None:
    """The factors there are, or those that a selection holds.

    Checks a taxonomy file of your own as a run would: --factors mine.yaml (or mine.yaml,core for
    a run with a grader) shows what it adds or overrides, or names what is wrong with it.
    """
    from profile_tasks.data.task_definition import packaged_tasks, read_definition
    from profile_tasks.scorers.factors.factor import surface_function
    from profile_tasks.scorers.factors.selection import resolve_factors
    from profile_tasks.scorers.factors.taxonomy import taxonomy_of

    try:
        asked = [read_definition(each) for each in ([task] if task else packaged_tasks())]
        tasks, names = [each.key for each in asked], {each.of_factors for each in asked}
        if selection is None:
            chosen = [f for f in taxonomy_of(tasks).values() if names & set(f.tasks)]
        else:
            chosen = list(resolve_factors(selection, tasks))
        for factor in chosen:
            if factor.kind == "surface":
                surface_function(factor)
    except (ImportError, TypeError, ValueError) as error:
        raise Unusable(str(error)) from error
    fields = {factor.id: _fields(factor) for factor in chosen}
    initials = {name: _initials(name) for name in (*packaged_tasks(), *names)}
    title = f"{len(chosen)} factor{'s' * (len(chosen) > 1)}" + (f" for {tasks[0]}" if task else "")
    emit(
        format_,
        {"factors": fields},
        [_flat(row) for row in fields.values()],
        title,
        _printed_rows(chosen, initials),
        justify="left",
    )
    if format_ == "table":
        say(f"\ntasks: {', '.join(f'{short} {name}' for name, short in initials.items())}")
        if any(factor.graded for factor in chosen):
            say("facts and judged factors need a grader model")


def _fields(factor: "Factor") -> dict[str, Any]:
    """Every field of the factor, as JSON can hold it; an unbounded end of the range is null."""
    bounds = [bound if math.isfinite(bound) else None for bound in factor.range]
    return {**asdict(factor), "range": bounds, "graded": factor.graded}


def _flat(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields as CSV can hold them: lists and labels as JSON."""
    return {
        name: json.dumps(value) if isinstance(value, list | tuple | dict) else value
        for name, value in fields.items()
    }


def _initials(task: str) -> str:
    """A task's name as a column has room for it.

    >>> _initials("code_review")
    'CR'
    """
    return "".join(part[:1].upper() for part in task.split("_"))


def _printed_rows(chosen: Sequence["Factor"], initials: Mapping[str, str]) -> list[dict[str, str]]:
    return [
        {
            "factor": factor.id,
            "level": str(factor.level),
            "kind": factor.kind,
            "tasks": " ".join(
                short if not factor.tasks or task in factor.tasks else " " * len(short)
                for task, short in initials.items()
            ),
            "core": "core" if factor.core else "",
            "more means": factor.more,
        }
        for factor in chosen
    ]
