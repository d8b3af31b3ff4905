"""``profile-tasks influence``: the factor profile of recorded preferences."""

import click

from profile_tasks.commands.printing import FORMAT_OPTION, Record, emit, p_value


@click.command()
@click.argument("file")
@click.option(
    "--factors",
    default="auto",
    show_default=True,
    help="auto, surface, factor ids, taxonomy files (.yaml); with commas.",
)
@click.option("--preference-column", default="preference", show_default=True)
@click.option("--factors-column", default="factors", show_default=True)
@click.option("--sources", help="File of source texts, for rows that name a source_id.")
@click.option("--task", help="Only the rows of this task.")
@click.option("--limit", type=click.IntRange(1), help="Use this many sources, chosen by the seed.")
@click.option("--skip-bad-rows", is_flag=True, help="Leave bad rows out and count them.")
@click.option("--replicates", type=click.IntRange(100, 1_000_000), default=2000, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@FORMAT_OPTION
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
    except (ImportError, ValueError) as error:
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
    emit(format_, record, columns, title, _printed_rows(record))
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


def _printed_rows(record: Record) -> list[dict[str, str]]:
    """The factors of an influence record as they are printed."""
    return [
        {
            "factor": factor,
            "tau [95 %]": _interval(values["tau"], values["ci_low"], values["ci_high"], digits=3),
            "p Holm": p_value(values["p_adjusted"]),
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
