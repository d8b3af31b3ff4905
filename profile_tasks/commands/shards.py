"""``profile-tasks shards``: data split into files that are run apart."""

from pathlib import Path

import click

from profile_tasks.commands.printing import say
from profile_tasks.commands.settings_options import settings_options
from profile_tasks.commands.unusable import Unusable
from profile_tasks.settings import DataSettings, PairSettings


class _Splitting(PairSettings, DataSettings):
    """Which data are split: as a task takes them."""


_SETTINGS = [name for name in _Splitting.model_fields if name != "dataset"]


@click.command(epilog="Example: profile-tasks shards pairs.jsonl -n 8 -o shards")
@click.argument("file")
@click.option("-n", "n", type=click.IntRange(2), required=True, help="Number of shards.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder for them."
)
@click.option("--task", help="Only the rows of this task; rows without one are of any.")
@settings_options(_Splitting, _SETTINGS)
def shards(file: str, n: int, output: Path, task: str | None, **given: object) -> None:
    """Split FILE by group into N files; a run of each, and `profile-tasks merge` makes them one.

    Which sources and pairs are taken is said here, and not in the runs.
    """
    from profile_tasks.data.shards import write_shards
    from profile_tasks.data.sources import load_data
    from profile_tasks.tasks.profile_task import data_metadata

    try:
        settings = _Splitting.read({"dataset": file} | given)
        data = load_data(settings, task)
        if len(tasks := sorted({source.task for source in data.sources} - {""})) > 1:
            raise ValueError(
                f"{data.name}: the rows are of several tasks, and a run is of one; give --task: "
                f"{', '.join(tasks)}"
            )
        # The seed of a run is its own: here it only chose sources and pairs.
        read_as = settings.model_dump(mode="json", exclude={"seed"})
        split = write_shards(data, n, output, about=data_metadata(data), settings=read_as)
    except (ImportError, ValueError) as error:
        raise Unusable(str(error)) from error
    for shard in split.shards:
        say(f"{output / shard.file}: {shard.pairs} pairs of {shard.sources} sources")
    for row in data.skipped:
        say(f"skipped: {row}", err=True)
