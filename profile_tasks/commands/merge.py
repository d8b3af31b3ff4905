"""``profile-tasks merge``: the logs of all shards as one ordinary log."""

from pathlib import Path

import click

from profile_tasks.commands.printing import say
from profile_tasks.commands.unusable import Unusable


@click.command(
    epilog="Example: profile-tasks merge logs/pairs.shards --shards shards -o logs/pairs.eval"
)
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--shards",
    "folder",
    type=click.Path(path_type=Path),
    required=True,
    help="The folder that `profile-tasks shards` wrote.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="The log (.eval)."
)
@click.option("--overwrite", is_flag=True, help="Replace a log that is there.")
def merge(logs: tuple[Path, ...], folder: Path, output: Path, overwrite: bool) -> None:
    """Make the LOGS of all shards one log, such as a run of all the data leaves.

    LOGS are files, or folders with .eval logs in them. Every shard must be there once, run to its
    end, all in one way; an unfinished log beside a finished one of its shard is left out.
    """
    from profile_tasks.commands.progress import progress
    from profile_tasks.data.shards import read_split
    from profile_tasks.leaderboard.files import found_files
    from profile_tasks.runs.merged import shard_logs, write_merged

    try:
        if output.suffix != ".eval":
            raise ValueError(f"{output}: a log's name ends in .eval; name it so")
        if output.exists() and not overwrite:
            raise ValueError(f"{output} is there already; name another file, or --overwrite")
        split = read_split(folder)
        files = [file for file in found_files(logs) if file.resolve() != output.resolve()]
        there = shard_logs(map(str, files), split)
        total = sum(log.header.results.total_samples for log in there if log.header.results)
        with progress("merging", total) as advance:
            merged = write_merged(there, split, output, advance)
    except ValueError as error:
        raise Unusable(str(error)) from error
    about = merged.eval.metadata or {}
    say(
        f"{output}: {len(there)} of {len(split.shards)} shards, "
        f"{merged.eval.dataset.samples} sources of {about['data']}#{about['data_hash']}"
    )
