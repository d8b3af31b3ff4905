"""``profile-tasks leaderboard``: many models side by side, from their results."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from profile_tasks.commands.printing import say
from profile_tasks.commands.progress import progress
from profile_tasks.commands.unusable import Unusable
from profile_tasks.whole_files import write_whole

if TYPE_CHECKING:
    from profile_tasks.leaderboard.files import Gathered
    from profile_tasks.leaderboard.forms import Leaderboard


@click.command(epilog="Example: profile-tasks leaderboard logs --sort flip_rate -o board.html")
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--task", "tasks", multiple=True, help="Only this task; may be repeated.")
@click.option(
    "--sort",
    help="Metric that ranks.  [default: self_agreement_pearson, or the first that is there]",
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
    from profile_tasks.leaderboard.boards import MARGIN

    held = _read(results)
    if held.unreadable and not skip_bad:
        first, *others = held.unreadable
        more = f", and {len(others)} other files" if others else ""
        raise Unusable(f"{first}{more}; --skip-bad leaves out what cannot be read")
    for problem in held.unreadable:
        say(f"skipped: {problem}", err=True)
    board = _leaderboard(held, tasks, sort, margin or MARGIN, ascending=ascending, every=every)
    text = _written(board, format_ or _form_of(output))
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        write_whole(output, text)
    except OSError as error:
        raise Unusable(f"{output}: cannot be written ({error.strerror})") from error


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
    from profile_tasks.leaderboard.boards import HEADLINE, boards, newest
    from profile_tasks.leaderboard.forms import Leaderboard
    from profile_tasks.leaderboard.samples import resampled

    left_out = list(held.left_out)
    runs = list(held.runs)
    if tasks:
        there = sorted({run.task for run in runs})
        for task in tasks:
            if task not in there:
                found = ", ".join(there) or "none"
                raise Unusable(f"--task {task!r}: no result of that task; there are: {found}")
        runs = [run for run in runs if run.task in tasks]
    if not runs:
        why = "; ".join(f"{file}: {reason}" for file, reason in left_out[:3]) or "no such file"
        raise Unusable(f"no result of this project's tasks ({why})")
    known = {name for run in runs for name in run.metrics}
    sort = sort or next((name for name in HEADLINE if name in known), HEADLINE[0])
    _check_metric(sort, known)
    if not every:
        runs, superseded = newest(runs)
        left_out += [
            (old.file, f"{old.model} on {old.task}: a newer run stands, {new.file}")
            for old, new in superseded
        ]
    with progress("reading samples", len(runs)) as advance:
        resample = partial(resampled, advance=advance)
        ranked = boards(runs, sort, ascending=ascending, margin=margin, resample=resample)
    return Leaderboard(sort, tuple(ranked), tuple(left_out), margin)


def _check_metric(sort: str, known: set[str]) -> None:
    if sort not in known:
        import difflib

        close = ", ".join(difflib.get_close_matches(sort, known, n=3)) or "none near it"
        raise Unusable(f"--sort {sort!r}: no result reports it; there is: {close}")


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
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from profile_tasks.leaderboard.forms import left_out_lines, printed_rows, title
    from profile_tasks.untrusted_text import one_line

    console = Console(width=1000)
    with console.capture() as captured:
        for each in board.boards:
            rows = printed_rows(each, board.sort)
            table = Table(box=None, pad_edge=False)
            for column in rows[0]:
                left = column in ("others", "model")
                table.add_column(column, justify="left" if left else "right")
            for row in rows:
                table.add_row(*(Text(cell) for cell in row.values()))
            console.print(Text(one_line(title(each))))
            console.print(table)
            for note in each.notes:
                console.print(Text(f"note: {one_line(note)}"))
            console.print()
    ending = [f"ranked by {board.sort}, with 95 % intervals", board.method, *left_out_lines(board)]
    return captured.get() + "\n".join(ending) + "\n"
