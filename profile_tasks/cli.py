"""The command ``profile-tasks``: factor profiles of recorded preferences, and their alignment."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from profile_tasks import __version__

Record = Mapping[str, Any]

_FORMATS = click.Choice(["table", "json", "csv"])
_FORMAT_OPTION = click.option(
    "--format", "format_", type=_FORMATS, default="table", show_default=True, help="Output form."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="profile-tasks")
def main() -> None:
    """Which factors drive preferences, and how well two profiles align."""


@main.command()
@click.argument("file")
@click.option("--factors", default="auto", show_default=True, help="Factor ids, with commas.")
@click.option("--preference-column", default="preference", show_default=True)
@click.option("--factors-column", default="factors", show_default=True)
@click.option("--sources", help="File of source texts, for rows that name a source_id.")
@click.option("--task", help="Only the rows of this task.")
@click.option("--limit", type=click.IntRange(1), help="Use this many sources, chosen by the seed.")
@click.option("--skip-bad-rows", is_flag=True, help="Leave bad rows out and count them.")
@click.option("--replicates", type=click.IntRange(100, 1_000_000), default=2000, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@_FORMAT_OPTION
def influence(
    file: str,
    factors: str,
    preference_column: str,
    factors_column: str,
    sources: str | None,
    task: str | None,
    limit: int | None,
    skip_bad_rows: bool,
    replicates: int,
    seed: int,
    format_: str,
) -> None:
    """Factor profile of the recorded preferences in FILE; no model is needed.

    FILE holds annotated pairs as .jsonl, .json, .csv or .parquet, or is one of the data sets
    demo (with --task), tldr, shp2, webgpt.
    """
    # The statistics take seconds to import, so that --help must not wait for them.
    from profile_tasks.influence_record import influence_record
    from profile_tasks.preference_data import load_preferences
    from profile_tasks.recorded_preferences import human_comparisons

    try:
        data = load_preferences(
            file,
            task=task,
            source_file=sources,
            preference_column=preference_column,
            factors_column=factors_column,
            skip_bad_rows=skip_bad_rows,
            limit=limit,
            seed=seed,
        )
        table = human_comparisons(data, factors)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    for row in data.skipped:
        click.echo(f"skipped: {row}", err=True)
    if data.unjoined_rows:
        click.echo(
            f"note: {data.unjoined_rows} rows name a source_id without --sources; "
            "factors that need the source are missing there",
            err=True,
        )
    record = influence_record(table, replicates=replicates, seed=seed)
    columns = [{"factor": factor, **values} for factor, values in record["factors"].items()]
    title = (
        f"{record['n_pairs']} decided pairs in {record['n_groups']} groups; "
        f"{record['n_preference_ties']} preference ties left out"
    )
    _emit(format_, record, columns, title, _influence_rows(record))
    if format_ == "table" and record["adjusted_n_pairs"] < record["n_pairs"]:
        click.echo(
            f"adjusted over the {record['adjusted_n_pairs']} pairs where every factor is known "
            "and that no factor alone decides"
        )
    for column in columns if format_ == "table" else ():
        if column["missing"]:
            click.echo(f"{column['factor']}: missing in {column['missing']} pairs, left out there")
        for part, reason in (("tau", column["reason"]), ("adjusted", column["adjusted_reason"])):
            if reason:
                click.echo(f"{column['factor']}, {part}: {reason}")


@main.command()
@click.argument("a", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("b", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--permutations", type=click.IntRange(99, 1_000_000), default=9999, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@_FORMAT_OPTION
def align(a: Path, b: Path, permutations: int, seed: int, format_: str) -> None:
    """Alignment of two factor profiles: JSON of `influence`, or {"factor": value} maps."""
    from profile_tasks.scorers.alignment import align as align_profiles
    from profile_tasks.scorers.influence import none_for_nan

    try:
        first, second = read_profile(a), read_profile(b)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    aligned = align_profiles(first, second, permutations=permutations, seed=seed)
    record = {
        "tau_b": none_for_nan(aligned.tau_b),
        "spearman": none_for_nan(aligned.spearman),
        "pearson": none_for_nan(aligned.pearson),
        "n_factors": aligned.n_factors,
        "p_value": none_for_nan(aligned.p_value),
        "p_value_spearman": none_for_nan(aligned.p_value_spearman),
        "p_value_pearson": none_for_nan(aligned.p_value_pearson),
        "p_value_method": aligned.p_value_method,
        "reason": aligned.reason,
        "only_in_a": sorted(set(first) - set(second)),
        "only_in_b": sorted(set(second) - set(first)),
    }
    rows: list[Record] = [
        {"coefficient": name, "value": record[name], "p_value": record[p]}
        for name, p in (
            ("tau_b", "p_value"),
            ("spearman", "p_value_spearman"),
            ("pearson", "p_value_pearson"),
        )
    ]
    title = f"alignment over {aligned.n_factors} shared factors"
    printed = [
        {
            "coefficient": str(row["coefficient"]),
            "value": "not defined" if row["value"] is None else f"{row['value']:+.3f}",
            "p": _p_value(row["p_value"]),
        }
        for row in rows
    ]
    _emit(format_, record, rows, title, printed)
    if format_ == "table" and aligned.reason:
        click.echo(f"not defined: {aligned.reason}")


def read_profile(path: Path) -> dict[str, float]:
    """A profile: JSON of ``influence``, or a plain ``{"factor": value}`` map; null is NaN.

    Raises:
        ValueError: The file is no JSON, or no profile.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{path}: not JSON in UTF-8 ({error})") from error
    entries = content.get("factors", content) if isinstance(content, dict) else None
    if not isinstance(entries, dict):
        raise ValueError(
            f'{path}: expected the JSON of `profile-tasks influence`, or {{"factor": value, ...}}'
        )
    return {factor: _tau(path, factor, entry) for factor, entry in entries.items()}


def _tau(path: Path, factor: str, entry: object) -> float:
    if isinstance(entry, dict) and "tau" not in entry:
        raise ValueError(f"{path}: factor {factor!r} has no field 'tau'")
    value = entry["tau"] if isinstance(entry, dict) else entry
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e300:
        raise ValueError(f"{path}: factor {factor!r} is {value!r:.60}; expected a number or null")
    return float(value)


def _influence_rows(record: Record) -> list[dict[str, str]]:
    """The factors of an influence record as they are printed."""
    return [
        {
            "factor": factor,
            "tau [95 %]": _interval(values["tau"], values["ci_low"], values["ci_high"], digits=3),
            "p Holm": _p_value(values["p_adjusted"]),
            "C/D/T": f"{values['concordant']}/{values['discordant']}/{values['tied']}",
            "adjusted [95 %]": _interval(
                values["adjusted"], values["adjusted_ci_low"], values["adjusted_ci_high"], digits=2
            ),
        }
        for factor, values in record["factors"].items()
    ]


def _interval(value: float | None, low: float | None, high: float | None, *, digits: int) -> str:
    if value is None:
        return "not defined"
    bounds = "no interval" if low is None or high is None else f"{low:+.2f}, {high:+.2f}"
    return f"{value:+.{digits}f} [{bounds}]"


def _p_value(value: float | None) -> str:
    if value is None:
        return "-"
    return "<.001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def _emit(
    format_: str,
    record: Record,
    rows: Sequence[Record],
    title: str,
    printed: Sequence[Mapping[str, str]],
) -> None:
    """Write the record as JSON, its rows as CSV, or the printed rows as a table."""
    if format_ == "json":
        click.echo(json.dumps(record, indent=2, allow_nan=False))
    elif format_ == "csv":
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        click.echo(text.getvalue(), nl=False)
    else:
        _print_table(title, printed)


def _print_table(title: str, rows: Sequence[Mapping[str, str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for index, column in enumerate(rows[0]):
        table.add_column(column, justify="right" if index else "left", no_wrap=index == 0)
    for row in rows:
        # Text, not str: factor names come from files and must not be read as markup.
        table.add_row(*(Text(cell) for cell in row.values()))
    click.echo(title)
    # Wide enough for any row: a wrapped interval misleads, and a terminal wraps by itself.
    Console(width=1000).print(table)
