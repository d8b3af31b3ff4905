"""Data split by group into shards: files that are run apart, and whose logs become one again.

Which shard a group is in hangs on its name alone, so it is the same in any order of the rows, and
stays where rows are added. All sources of a group are in one shard: what is counted by group can be
added up over shards.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from profile_tasks.data.preferences import (
    PreferenceData,
    load_preferences,
    plain_rows,
    recorded_factors,
)
from profile_tasks.untrusted_text import file_name
from profile_tasks.whole_files import read_whole, write_whole

RECORD = "shards.json"
"""The file beside the shards that says what they are shards of."""


class Shard(BaseModel):
    """One of the files.

    Attributes:
        file: Its name.
        data_hash: The hash of its content, which the log of a run of it holds.
        sources: How many sources it holds.
        pairs: How many pairs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    data_hash: str
    sources: int
    pairs: int


class Split(BaseModel):
    """What the shards are shards of.

    Attributes:
        about: What the log of a run of all the data would say about them.
        settings: The settings by which such a run would read them: name -> value.
        shards: All shards, in order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    about: dict[str, Any]
    settings: dict[str, Any]
    shards: tuple[Shard, ...]


def shard_of(group: str, n: int) -> int:
    """In which of ``n`` shards a group is, from 0.

    >>> [shard_of(group, 4) for group in ("a", "b", "c", "d")]
    [2, 2, 2, 1]
    """
    return int.from_bytes(sha256(group.encode("utf-8", "surrogatepass")).digest()[:8]) % n


def write_shards(
    data: PreferenceData,
    n: int,
    folder: Path,
    *,
    about: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> Split:
    """Write data as ``n`` files, and last of all the record of the split.

    Each file is read again, as its run will read it. Written again, the files are the same.

    Args:
        data: The data.
        n: Number of files.
        folder: Where to; it is made where it is not there.
        about: As of ``Split``.
        settings: As there.

    Raises:
        ValueError: A shard would be empty, or lack a factor that others record; the folder holds
            something else; or a shard reads otherwise than its part of the data.
    """
    parts = [
        replace(data, sources=tuple(s for s in data.sources if shard_of(s.group, n) == k))
        for k in range(n)
    ]
    stem, digits = file_name(Path(data.name).stem), len(str(n))
    names = [f"{stem}-{k:0{digits}}-of-{n}.jsonl" for k in range(1, n + 1)]
    _check_parts(data, parts)
    _check_folder(folder, {*names, RECORD}, about)
    folder.mkdir(parents=True, exist_ok=True)
    shards = []
    for name, part in zip(names, parts, strict=True):
        rows = (f"{json.dumps(row, ensure_ascii=False)}\n" for row in plain_rows(part))
        write_whole(folder / name, "".join(rows))
        _check_reading(folder / name, part)
        pairs = sum(len(source.pairs) for source in part.sources)
        shards.append(
            Shard(file=name, data_hash=part.content_hash, sources=len(part.sources), pairs=pairs)
        )
    split = Split(about=dict(about), settings=dict(settings), shards=tuple(shards))
    write_whole(folder / RECORD, split.model_dump_json(indent=1) + "\n")
    return split


def read_split(folder: Path) -> Split:
    """The record of a split.

    Raises:
        FileNotFoundError: The folder holds none.
        ValueError: It is not as this version writes it.
    """
    path = folder / RECORD
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: there is no such file; name the folder that `profile-tasks shards` wrote"
        )
    try:
        return Split.model_validate_json(read_whole(path))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        raise ValueError(
            f"{path}: not as `profile-tasks shards` of this version writes it "
            f"({'.'.join(map(str, problem['loc']))}: {problem['msg']}); write the shards again"
        ) from error


def _check_parts(data: PreferenceData, parts: Sequence[PreferenceData]) -> None:
    n, groups = len(parts), len({source.group for source in data.sources})
    recorded = {*recorded_factors(data.sources)}
    for k, part in enumerate(parts, 1):
        if not part.sources:
            raise ValueError(
                f"{data.name}: {groups} groups leave shard {k} of {n} empty; name fewer shards"
            )
        if lacking := sorted(recorded.difference(recorded_factors(part.sources))):
            raise ValueError(
                f"{data.name}: no pair in shard {k} of {n} records the factor {lacking[0]!r}, "
                "which others record, and all must measure the same; name fewer shards"
            )


def _check_folder(folder: Path, names: set[str], about: Mapping[str, Any]) -> None:
    if not folder.is_dir():
        if folder.exists():
            raise ValueError(f"{folder}: is a file; name a folder")
        return
    if others := sorted({path.name for path in folder.iterdir()} - names):
        raise ValueError(
            f"{folder}: holds {others[0]!r}, no shard of this split; name a new folder"
        )
    if (folder / RECORD).exists():
        there = read_split(folder).about.get("data_hash")
        if there != about["data_hash"]:
            raise ValueError(
                f"{folder}: holds shards of other data (hash {there}, now {about['data_hash']}), "
                "which logs may be of; name a new folder"
            )


def _check_reading(path: Path, part: PreferenceData) -> None:
    again = load_preferences(path)
    ids = [[source.id for source in data.sources] for data in (part, again)]
    if ids[0] != ids[1] or again.content_hash != part.content_hash:
        differ = next((a for a, b in zip(*ids, strict=False) if a != b), part.sources[0].id)
        raise ValueError(
            f"{path}: reads otherwise than its part of the data, about source {differ!r}; "
            "give every source a group of its own name"
        )
