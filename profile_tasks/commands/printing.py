"""How every command prints its result: as a table for people, as JSON or CSV for programs."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import click

from profile_tasks.untrusted_text import one_line

Record = Mapping[str, Any]

FORMAT_OPTION = click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="Output form.",
)


def emit(
    format_: str,
    record: Record,
    rows: Sequence[Record],
    title: str,
    printed: Sequence[Mapping[str, str]],
    *,
    justify: Literal["left", "right"] = "right",
    width: int = 1000,
) -> None:
    """Write the record as JSON, its rows as CSV, or the printed rows as a table.

    Args:
        format_: "table", "json" or "csv".
        record: What JSON holds; NaN and infinity are to be null in it.
        rows: What CSV holds, all with the same columns; without any it is empty.
        title: The line above the table.
        printed: The rows of the table as texts, all with the same columns; without any the title
            stands alone.
        justify: Side on which the table's columns align, but the first one.
        width: Columns of text from which on the table wraps its cells. By default it wraps none:
            a wrapped interval misleads, and a terminal wraps by itself.
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
        _print_table(title, printed, justify, width)


def say(text: str, *, err: bool = False) -> None:
    """Print lines for people, on stderr on demand; a terminal obeys nothing in them."""
    click.echo("\n".join(map(_harmless, text.split("\n"))), err=err)


def _harmless(line: str) -> str:
    return line if line.isprintable() else one_line(line)


def p_value(value: float | None) -> str:
    """A p-value as tables show it: three decimals, "-" for None."""
    if value is None:
        return "-"
    return "<.001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def estimate(record: Record, value: str = "value", *, digits: int = 2) -> str:
    """An estimate with its interval as a cell of a table shows it.

    Args:
        record: What ``Estimate.record`` wrote, with ``ci_low`` and ``ci_high``.
        value: Name of the value in it.
        digits: Decimals of the value.
    """
    # The statistics take seconds to import, so that --help must not wait for them.
    from profile_tasks.scorers.statistics.estimate import Estimate

    return Estimate.of_record(record, value).text(digits)


def estimate_or_why(record: Record) -> str:
    """An estimate as a line of text shows it, with the reason for what it lacks."""
    return estimate(record) + (f" ({record['reason']})" if record["reason"] else "")


def metric(record: Record, name: str, *, digits: int = 2, signed: bool = True) -> str:
    """A metric with the interval beside it, as ``Estimate.flat`` wrote both."""
    from profile_tasks.scorers.statistics.estimate import Estimate

    return Estimate.of_metrics(record, name).text(digits, signed=signed)


def _print_table(
    title: str, rows: Sequence[Mapping[str, str]], justify: Literal["left", "right"], width: int
) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    say(title)
    if not rows:
        return
    table = Table(box=None, pad_edge=False)
    for index, column in enumerate(rows[0]):
        side = justify if index else "left"
        table.add_column(column, justify=side, no_wrap=index == 0, overflow="fold")
    for row in rows:
        # Text, not str: factor names come from files and must not be read as markup.
        table.add_row(*(Text(_harmless(cell)) for cell in row.values()))
    Console(width=width).print(table)
