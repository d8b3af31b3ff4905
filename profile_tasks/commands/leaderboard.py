"""``profile-tasks leaderboard``: many models side by side, from their results."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from profile_tasks.commands.printing import folded, say, table_text, terminal_width
from profile_tasks.commands.progress import progress
from profile_tasks.commands.unusable import Unusable
from profile_tasks.nearest_name import instead_of, nearest
from profile_tasks.whole_files import write_whole

if TYPE_CHECKING:
    from profile_tasks.leaderboard.files import Gathered
    from profile_tasks.leaderboard.forms import Leaderboard


@click.command(epilog="Example: profile-tasks leaderboard logs --sort flip_rate -o board.html")
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--task", "tasks", multiple=True, help="Only this task; may be repeated.")
@click.option(
    "--sort",
    help="Metric that ranks, by its name or its column's title.  "
    "[default: alignment_discrimination_tau_b, or the first that is there]",
)
@click.option("--ascending", is_flag=True, help="List the least value first.")
@click.option(
    "--margin",
    type=click.FloatRange(0, min_open=True),
    help="Models that are shown to differ by less are tied.  [default: 0.05]",
)
@click.option("--all", "every", is_flag=True, help="Every run, not only a model's newest.")
@click.option("--skip-bad", is_flag=True, help="Leave unreadable files out, and name them.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "md", "csv", "json", "html"]),
    help="Output form.  [default: that of the name of -o, else table]",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file."
)
def leaderboard(
    results: tuple[Path, ...],
    tasks: tuple[str, ...],
    sort: str | None,
    ascending: bool,
    margin: float | None,
    every: bool,
    skip_bad: bool,
    format_: str | None,
    output: Path | None,
) -> None:
    """Rank models by their results, with the places that their differences allow.

    RESULTS are results files of lm-eval, Inspect logs, or folders of both. Models are ranked
    within a task, a data set and a set of factors.
    """
    from profile_tasks.data.task_definition import TaskDefinitionError
    from profile_tasks.leaderboard.boards import MARGIN

    held = _read(results)
    if held.unreadable and not skip_bad:
        first, *others = held.unreadable
        more = f", and {len(others)} other files" if others else ""
        raise Unusable(f"{first}{more}; --skip-bad leaves out what cannot be read")
    for problem in held.unreadable:
        say(f"skipped: {problem}", err=True)
    try:
        board = _leaderboard(held, tasks, sort, margin or MARGIN, ascending=ascending, every=every)
    except TaskDefinitionError as error:
        raise Unusable(str(error)) from error
    text = _written(board, format_ or _form_of(output))
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        write_whole(output, text)
    except OSError as error:
        raise Unusable(f"{output}: cannot be written ({error.strerror})") from error
    rows = sum(len(each.rows) for each in board.boards)
    what = f"{len(board.boards)} board{'s' * (len(board.boards) != 1)}"
    say(f"{output}: {what} with {rows} row{'s' * (rows != 1)}", whole=True)


def _read(results: tuple[Path, ...]) -> "Gathered":
    from profile_tasks.leaderboard.files import found_files, gathered

    try:
        files = found_files(results)
    except OSError as error:
        raise Unusable(str(error)) from error
    with progress("reading results", len(files)) as advance:
        return gathered(files, advance)


def _leaderboard(
    held: "Gathered",
    tasks: tuple[str, ...],
    sort: str | None,
    margin: float,
    *,
    ascending: bool,
    every: bool,
) -> "Leaderboard":
    from profile_tasks.data.task_definition import is_meant
    from profile_tasks.leaderboard.boards import (
        HEADLINE,
        SORT,
        SORT_OF_AUDITS,
        beside_their_runs,
        boards,
        newest,
    )
    from profile_tasks.leaderboard.forms import Leaderboard
    from profile_tasks.leaderboard.samples import resampled

    left_out = list(held.left_out)
    runs = list(held.runs)
    if tasks:
        there = sorted({run.task for run in runs})
        for task in tasks:
            if not any(is_meant(each, task) for each in there):
                raise Unusable(f"--task {task!r}: no result of that task{instead_of(task, there)}")
        runs = [run for run in runs if any(is_meant(run.task, task) for task in tasks)]
    if not runs:
        why = "; ".join(f"{file}: {reason}" for file, reason in left_out[:3]) or "no such file"
        raise Unusable(f"no result of this project's tasks ({why})")
    known = {name for run in runs for name in run.metrics}
    default = (name for name in (SORT, *HEADLINE, SORT_OF_AUDITS) if name in known)
    sort = _metric(sort, known) or next(default, SORT)
    if not every:
        runs, superseded = newest(runs)
        left_out += [
            (old.file, f"{old.model} on {old.task}: a newer run stands, {new.file}")
            for old, new in superseded
        ]
    runs = beside_their_runs(runs)
    with progress("reading samples", len(runs)) as advance:
        resample = partial(resampled, advance=advance)
        ranked = boards(runs, sort, ascending=ascending, margin=margin, resample=resample)
    return Leaderboard(sort, tuple(ranked), tuple(left_out), margin)


def _metric(sort: str | None, known: set[str]) -> str | None:
    """The metric that is meant: by its name, or by the title of its column, or how that begins."""
    from profile_tasks.scorers.statistics.metric_catalogue import by_title, titled

    if sort is None or sort in known:
        return sort
    found = by_title(sort, known)
    if found is None:
        titles = [title for title, name in titled().items() if name in known]
        near = nearest(sort, [*(title.split(",")[0] for title in titles), *titles, *known])
        meant = "" if near is None else f"; did you mean {near!r}?"
        raise Unusable(
            f"--sort {sort!r}: no result reports it{meant or '.'} Columns: "
            f"{', '.join(map(repr, _columns(known)))}; --format json names every metric"
        )
    return found


def _columns(known: set[str]) -> list[str]:
    from profile_tasks.scorers.statistics.metric_catalogue import CATALOGUE

    return [metric.column for metric in CATALOGUE if metric.column and metric.name in known]


def _form_of(output: Path | None) -> str:
    suffix = "" if output is None else output.suffix.lower().removeprefix(".")
    return {"htm": "html", "markdown": "md"}.get(
        suffix, suffix if suffix in ("md", "csv", "json", "html") else "table"
    )


def _written(board: "Leaderboard", format_: str) -> str:
    from profile_tasks.leaderboard import forms

    if format_ == "table":
        return _table(board)
    write = {"md": forms.markdown_tables, "csv": forms.csv_text, "json": forms.json_text}
    return write.get(format_, forms.html)(board)


def _table(board: "Leaderboard") -> str:
    from profile_tasks.leaderboard.forms import board_words, left_out_lines, terminal_rows, title
    from profile_tasks.runs.signature import shared_signature, wrapped

    width, parts = terminal_width(), []
    for each in board.boards:
        words = [board_words(each, board.sort), title(each)]
        table = table_text(terminal_rows(each, board.sort), lefts=("others",))
        notes = [f"note: {note}" for note in each.notes]
        parts.append(folded("\n".join(words), width) + "\n\n" + table)
        parts.append(folded("\n".join(notes), width) + "\n" if notes else "")
        parts.append("\n")
    ending = [
        f"ranked by {board.sort}, with 95 % intervals; setting, date, file and every metric: "
        "--format csv or json",
        board.method,
        *left_out_lines(board),
    ]
    signatures = [
        line
        for each in board.boards
        for line in wrapped(f"signature: {shared_signature([row.run for row in each.rows])}", width)
    ]
    return "".join(parts) + folded("\n".join(ending), width) + "\n" + "\n".join([*signatures, ""])
