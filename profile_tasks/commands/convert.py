"""``profile-tasks convert``: a preference file of other people in the project's own form."""

import json
from pathlib import Path

import click

from profile_tasks.commands.new_rows import check_new_rows
from profile_tasks.commands.printing import say
from profile_tasks.commands.recorded import FORMAT_SETTINGS, format_of
from profile_tasks.commands.settings_options import settings_options
from profile_tasks.commands.unusable import Unusable
from profile_tasks.settings import DataSettings
from profile_tasks.whole_files import write_whole


@click.command(epilog="Example: profile-tasks convert arena.csv -o pairs.jsonl")
@click.argument("file")
@settings_options(DataSettings, [*FORMAT_SETTINGS, "sources"])
@click.option("--task", help="Only the rows of this task; rows without one get it.")
@click.option("--skip-bad-rows", is_flag=True, help="Leave bad rows out and count them.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File; else it is printed.")
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
def convert(
    file: str,
    sources: str | None,
    task: str | None,
    skip_bad_rows: bool,
    output: Path | None,
    overwrite: bool,
    **read_as: object,
) -> None:
    """The pairs in FILE as JSON Lines of the form in docs/data.md.

    FILE is in one of the named formats, or --data-format, --map and --labels say how it reads.
    """
    from profile_tasks.data.preferences import load_preferences, plain_rows

    try:
        check_new_rows(output, overwrite=overwrite)
        data = load_preferences(
            file,
            task=task,
            source_file=sources,
            skip_bad_rows=skip_bad_rows,
            **format_of(read_as),
        )
        rows = list(plain_rows(data))
        text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
        if output is not None:
            write_whole(output, text)
    except (ImportError, OSError, ValueError) as error:
        raise Unusable(str(error)) from error
    if output is None:
        click.echo(text, nl=False)
    told = [data.read_as or "", *(f"skipped: {row}" for row in data.skipped)]
    where = "" if output is None else f", written to {output}"
    for line in filter(None, [*told, f"{len(rows)} pairs of {len(data.sources)} sources{where}"]):
        say(line, err=True)
