"""The factor profile of files of any size by Ray Data, on this machine or on a cluster.

Each piece of Parquet, and each text file, is read by whichever machine is free; so every machine
has to see the files under the same path, and to have this package installed.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from profile_tasks.data.columns import RowRules
from profile_tasks.data.files import PreferenceDataError
from profile_tasks.data.pieces import Piece, pieces
from profile_tasks.scorers.factors.selection import FactorChoice
from profile_tasks.scorers.measurement.parted_profile import PART, PartedProfile
from profile_tasks.scorers.measurement.recorded import chosen_by_first_rows


def ray_profile(
    files: Sequence[Path],
    factors: FactorChoice = "auto",
    *,
    name: str,
    address: str,
    rules: RowRules,
    workers: int | None = None,
    replicates: int = 2000,
    seed: int = 0,
) -> dict[str, Any]:
    """The factor profile of files in our schema, the same as of ``streamed_profile``.

    Args:
        files: One or more, as of ``pieces``; the rows of a group may be anywhere in them.
        factors: As of ``human_comparisons``; chosen by the first rows.
        name: Of the data.
        address: Of a running cluster, as of ``ray.init``; "local": on this machine alone.
        rules: How rows are read.
        workers: Processors that are used on this machine; of a cluster, all are.
        replicates: Of what is drawn.
        seed: Of everything random.

    Raises:
        ImportError: Ray is not installed.
        PreferenceDataError: A file or a row cannot be used, or there is no cluster.
        ValueError: As of ``human_comparisons``.
    """
    try:
        import ray.data
    except ImportError as error:
        raise ImportError(
            "--ray needs Ray Data, which is optional: pip install 'profile-tasks[ray]'"
        ) from error
    measuring = chosen_by_first_rows(next(pieces(files[0])), factors, rules)
    study = PartedProfile(measuring, name)
    for logger in ("ray.data", "ray"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray.init(address, num_cpus=workers, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, ValueError) as error:
        raise PreferenceDataError(f"--ray {address}: no cluster is there ({error})") from error
    try:
        tasks = ray.data.from_items([task for path in files for task in _tasks(path)])
        signs = tasks.map_batches(_signs, batch_size=1, fn_args=(study,))
        states = signs.groupby(PART).map_groups(study.state, batch_format="pyarrow")
        return study.profile(states.iter_rows(), replicates=replicates, seed=seed)
    except ray.exceptions.RayTaskError as error:
        if (wrong := _wrong_data(error)) is None:
            raise
        raise wrong from None
    finally:
        ray.shutdown()


def _tasks(path: Path) -> Iterator[dict[str, Any]]:
    """What is read at once: pieces of Parquet, which are named alone, and other files whole."""
    path = path.resolve()
    if path.suffix.lower() != ".parquet":
        yield {"read": path}
        return
    for piece in pieces(path):
        yield {"read": piece}


def _signs(tasks: dict[str, Any], study: PartedProfile) -> Iterator[Any]:
    for read in tasks["read"]:
        found: Iterator[Piece] = pieces(read) if isinstance(read, Path) else iter([read])
        for piece in found:
            yield from study.signs_of_piece(piece)


def _wrong_data(error: BaseException) -> PreferenceDataError | None:
    """Return what was wrong with the data; None if it was something else."""
    import ray

    cause: BaseException | None = error
    while isinstance(cause, ray.exceptions.RayTaskError | ray.exceptions.UserCodeException):
        cause = getattr(cause, "cause", None) or cause.__cause__
    if not isinstance(cause, PreferenceDataError):
        return None
    return PreferenceDataError(str(cause).split(_OF_RAY)[0])


_OF_RAY = "\nFailed to apply"
"""What Ray adds to an error: how often it tried."""
