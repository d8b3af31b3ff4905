"""How every command prints its result: as a table for people, as JSON or CSV for programs.

What people read is as wide as their terminal: tables fold their headings, then stand in parts, each
with the first column; sentences wrap. ``COLUMNS`` overrides the width; that of a pipe is 80.
"""

import csv
import io
import json
import re
import shlex
import shutil
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import click

from profile_tasks.untrusted_text import one_line

Record = Mapping[str, Any]

Side = Literal["left", "right"]

FORMAT_OPTION = click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="Output form.",
)

_LEAST_WIDTH = 80
"""Narrower terminals wrap by themselves: an interval in pieces misleads."""

_TEXT, _NAMES = 30, 40
"""A column of longer cells, and a first one of longer names, may fold; numbers never do."""

_UNBROKEN = re.compile(r"(?:[^ ]+ - [^ ]+|[^ ]+)(?: \[[^ \[\]]+ [^ \[\]]+\][^ ]*)?")
"""What stays in one line of a sentence: a word, a difference, a number with its interval."""

_BETWEEN = 2
"""Spaces between two columns."""


def terminal_width() -> int:
    """Columns that a line may take: those of the terminal, or of ``COLUMNS``; 80 at least."""
    return max(_LEAST_WIDTH, shutil.get_terminal_size((_LEAST_WIDTH, 24)).columns)


def emit(
    format_: str,
    record: Record,
    rows: Sequence[Record],
    title: str,
    printed: Sequence[Mapping[str, str]],
    *,
    justify: Side = "right",
) -> None:
    """Write the record as JSON, its rows as CSV, or the printed rows as a table.

    Args:
        format_: "table", "json" or "csv".
        record: What JSON holds; NaN and infinity are to be null in it.
        rows: What CSV holds, all with the same columns; without any it is empty.
        title: The line above the table.
        printed: The rows of the table as texts, all with the same columns, what matters most first;
            without any the title stands alone.
        justify: Side on which the table's columns align, but the first one.
    """
    if format_ == "json":
        click.echo(json.dumps(record, indent=2, allow_nan=False))
    elif format_ == "csv":
        if rows:
            text = io.StringIO()
            writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(
                {name: _harmless(v) if isinstance(v, str) else v for name, v in row.items()}
                for row in rows
            )
            click.echo(text.getvalue(), nl=False)
    else:
        say(title)
        click.echo(table_text(printed, justify), nl=False)


def say(text: str, *, err: bool = False, whole: bool = False) -> None:
    """Print lines for people; a terminal obeys nothing in them.

    Args:
        text: The lines. One that is wider than the terminal goes on, indented, in the next.
        err: Print on stderr.
        whole: Break none: what is to be copied, as a path.
    """
    click.echo(folded(text, terminal_width()) if not whole else _harmless_lines(text), err=err)


def say_signature(signature: str, of: str = "") -> None:
    """Print what a result is of, last: broken behind its bars where the terminal ends.

    Args:
        signature: As of ``profile_tasks.runs.signature``.
        of: Of which of several results it is.
    """
    from profile_tasks.runs.signature import wrapped

    start = f"signature of {of}: " if of else "signature: "
    click.echo("\n".join(wrapped(start + signature, terminal_width())))


def folded(text: str, width: int) -> str:
    """The lines of a text, made harmless, none wider than so many columns of a terminal.

    >>> print(folded("one two three four", 12))
    one two
      three four
    """
    return "\n".join(
        part for line in _harmless_lines(text).split("\n") for part in _folded(line, width)
    )


def _folded(line: str, width: int) -> list[str]:
    if line.isascii() and len(line) <= width:
        return [line]
    from rich.cells import cell_len

    own = " " * (len(line) - len(line.lstrip(" ")))
    indent = own + "  "
    parts = [own]
    for word in _UNBROKEN.findall(line):
        joined = f"{parts[-1]} {word}" if parts[-1].strip() else parts[-1] + word
        if cell_len(joined) <= width:
            parts[-1] = joined
            continue
        if parts[-1].strip():
            parts.append(indent)
        # A word that no line holds, as a long path or a hostile name.
        first, *more = _chopped(word, width - cell_len(indent))
        parts[-1] += first
        parts += [indent + piece for piece in more]
    return parts


def _chopped(word: str, width: int) -> list[str]:
    """The pieces of a word: cut where a name has a joint in the line's later half, else its end."""
    from rich.cells import cell_len, chop_cells

    pieces = []
    while cell_len(word) > width:
        piece = chop_cells(word, width)[0]
        joint = 1 + max(map(piece.rfind, "/_-"))
        pieces.append(piece[:joint] if joint > len(piece) / 2 else piece)
        word = word[len(pieces[-1]) :]
    return [*pieces, word]


def command_line(*words: str) -> str:
    """A shell command to copy, indented, in as many lines as the terminal's width asks for."""
    pieces: list[str] = []
    for word in map(shlex.quote, words):  # an option stays with its value
        if pieces and pieces[-1].startswith("-") and " " not in pieces[-1]:
            pieces[-1] += f" {word}"
        else:
            pieces.append(word)
    lines = [" "]
    for word in pieces:
        if len(lines[-1]) + len(word) + 3 > terminal_width() and lines[-1].strip():
            lines.append("   ")
        lines[-1] += f" {word}"
    return " \\\n".join(lines)


def _harmless_lines(text: str) -> str:
    return "\n".join(map(_harmless, text.split("\n")))


def _harmless(line: str) -> str:
    return line if line.isprintable() else one_line(line)


def p_value(value: float | None) -> str:
    """A p-value as tables show it: three decimals, "-" for None."""
    if value is None:
        return "-"
    return "<.001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def number(value: float | None, digits: int = 2) -> str:
    """A number as a cell of a table shows it, "-" for None; as 0.00 has no sign, -0.001 has none.

    >>> number(0.5), number(-0.001), number(None)
    ('0.50', '0.00', '-')
    """
    return "-" if value is None else f"{value:z.{digits}f}"


def estimate(record: Record, value: str = "value") -> str:
    """An estimate with its interval as a cell of a table shows it: 0.04 [-0.62, 0.69].

    Args:
        record: What ``Estimate.record`` wrote, with ``ci_low`` and ``ci_high``.
        value: Name of the value in it.
    """
    # The statistics take seconds to import, so that --help must not wait for them.
    from profile_tasks.scorers.statistics.estimate import Estimate

    return Estimate.of_record(record, value).text(signed=False)


def estimate_or_why(record: Record) -> str:
    """An estimate as a line of text shows it, with the reason for what it lacks."""
    return estimate(record) + (f" ({record['reason']})" if record["reason"] else "")


def metric(record: Record, name: str) -> str:
    """A metric with its interval, as ``Estimate.flat`` wrote both; "-" without a value."""
    from profile_tasks.scorers.statistics.estimate import Estimate

    found = Estimate.of_metrics(record, name)
    return found.text(signed=False) if found.defined else "-"


def reasons(lacking: Iterable[tuple[str, str | None]], what: str = "no value or interval") -> None:
    """Say which numbers are missing, those of one reason together.

    Args:
        lacking: What a number is called, and why it is not there; None where it is.
        what: What is not there of them.
    """
    names: dict[str, list[str]] = {}
    for name, why in lacking:
        if why:
            names.setdefault(why, []).append(name)
    for why, which in names.items():
        say(f"{what} of {'; '.join(dict.fromkeys(which))}: {why}")


def table_text(
    rows: Sequence[Mapping[str, str]], justify: Side = "right", lefts: Iterable[str] = ()
) -> str:
    """Rows as a table no wider than the terminal, in parts where they have too many columns.

    Args:
        rows: As of :func:`emit`.
        justify: As there.
        lefts: Columns that align on the left in any case.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return ""
    width, left = terminal_width(), {next(iter(rows[0])), *lefts}
    text = io.StringIO()
    console = Console(file=text, width=width, color_system=None)
    for part, widths in enumerate(_parts(rows, width)):
        headings = {column: _heading(column, wide) for column, wide in widths.items()}
        high = max(map(len, headings.values()))
        table = Table(box=None, pad_edge=False)
        for column, lines in headings.items():
            table.add_column(
                Text("\n".join([""] * (high - len(lines)) + lines)),
                justify="left" if column in left else justify,
                width=widths[column],
                overflow="fold",
            )
        for row in rows:
            # Text, not str: factor names come from files and must not be read as markup.
            table.add_row(*(Text(_harmless(row[column])) for column in widths))
        if part:
            console.print()
        console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def _parts(rows: Sequence[Mapping[str, str]], width: int) -> list[dict[str, int]]:
    """The columns of each part of a table with their widths: the first one, and those that fit."""
    whole = {column: max(_cells(rows, column), _wide(column)) for column in rows[0]}
    if _together(whole) <= width:
        return [whole]
    natural = {
        column: max(_cells(rows, column), *map(_wide, column.split() or [""])) for column in rows[0]
    }
    key, *columns = natural
    least = {column: min(wide, _TEXT) for column, wide in natural.items()}
    least[key] = min(natural[key], _NAMES)
    parts = [{key: least[key]}]
    for column in columns:
        if _together(parts[-1] | {column: least[column]}) > width:
            parts.append({key: least[key]})
        parts[-1][column] = least[column]
    if len(parts) > 1 and len(parts[-1]) == 2 and len(parts[-2]) > 3:  # none stands alone
        last = list(parts[-2])[-1]
        parts[-1] = {key: least[key], last: parts[-2].pop(last)} | parts[-1]
    for part in parts:  # text takes what is left, and then headings
        for wanted in (natural, whole):
            for column in part:
                part[column] += max(0, min(width - _together(part), wanted[column] - part[column]))
    return parts


def _heading(column: str, wide: int) -> list[str]:
    from rich.cells import chop_cells

    words = textwrap.wrap(_harmless(column), wide, break_long_words=False) or [""]
    return [piece for word in words for piece in chop_cells(word, wide) or [""]]


def _together(widths: Mapping[str, int]) -> int:
    return sum(widths.values()) + _BETWEEN * (len(widths) - 1)


def _cells(rows: Sequence[Mapping[str, str]], column: str) -> int:
    return max(_wide(_harmless(row[column])) for row in rows)


def _wide(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(_harmless(text))
