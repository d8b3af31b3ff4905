"""How every command prints its result: as a table for people, as JSON or CSV for programs."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import click

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
        rows: What CSV holds, at least one, all with the same columns.
        title: The line above the table.
        printed: The rows of the table as texts, at least one, all with the same columns.
        justify: Side on which the table's columns align, but the first one.
        width: Columns of text from which on the table wraps its cells. By default it wraps none:
            a wrapped interval misleads, and a terminal wraps by itself.
    """
    if format_ == "json":
        click.echo(json.dumps(record, indent=2, allow_nan=False))
    elif format_ == "csv":
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        click.echo(text.getvalue(), nl=False)
    else:
        _print_table(title, printed, justify, width)


def p_value(value: float | None) -> str:
    """A p-value as tables show it: three decimals, "-" for None."""
    if value is None:
        return "-"
    return "<.001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def interval(value: float | None, low: float | None, high: float | None, *, digits: int) -> str:
    """A value with its interval as tables show it."""
    if value is None:
        return "not defined"
    bounds = "no interval" if low is None or high is None else f"{low:+.2f}, {high:+.2f}"
    return f"{value:+.{digits}f} [{bounds}]"


def estimate(record: Record) -> str:
    """An estimate with ``value``, ``ci_low``, ``ci_high`` and ``reason`` as a line shows it."""
    shown = interval(record["value"], record["ci_low"], record["ci_high"], digits=2)
    return f"{shown} ({record['reason']})" if record["reason"] else shown


def _print_table(
    title: str, rows: Sequence[Mapping[str, str]], justify: Literal["left", "right"], width: int
) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for index, column in enumerate(rows[0]):
        table.add_column(column, justify=justify if index else "left", no_wrap=index == 0)
    for row in rows:
        # Text, not str: factor names come from files and must not be read as markup.
        table.add_row(*(Text(cell) for cell in row.values()))
    click.echo(title)
    Console(width=width).print(table)
