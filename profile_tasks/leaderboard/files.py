"""Finding and reading many results, and remembering those that have not changed."""

import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from profile_tasks.runs.reading import finished_runs
from profile_tasks.runs.run import NothingReportedError, Run

CACHE = "profile-tasks leaderboard cache"
CACHE_VERSION = 2
"""Goes up when ``Run``, or how one is read, changes; older caches are then read anew."""

_RESULTS = re.compile(r"results(_.*)?\.json|.*\.eval|\d{4}-\d\d-\d\dT.*\.json")


@dataclass(frozen=True)
class Gathered:
    """What the files held.

    Attributes:
        runs: The runs, by file.
        left_out: Readable files that report nothing, with the reason.
        unreadable: What is wrong with each unreadable file.
        read: Number of files that were opened; the others came from the cache.
    """

    runs: tuple[Run, ...]
    left_out: tuple[tuple[str, str], ...]
    unreadable: tuple[str, ...]
    read: int


@dataclass(frozen=True)
class _Known:
    """A file as it was read: its size and time of change, and what it held."""

    size: int
    changed: int
    runs: tuple[Run, ...]
    why: str | None


def found_files(paths: Iterable[Path]) -> list[Path]:
    """The results among files and folders, folders with everything below; each file once.

    In folders these are ``*.eval``, ``results_*.json`` and JSON logs by Inspect's names; a file
    that is named itself is always taken.

    Raises:
        FileNotFoundError: There is no such file or folder.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"{path}: there is no such file or folder")
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in inside:
            if file == path or (_RESULTS.fullmatch(file.name) and file.is_file()):
                found.setdefault(file.resolve(), file)
    found = {resolved: file for resolved, file in found.items() if resolved.is_file()}
    return list(found.values())


def gathered(files: Sequence[Path], cache: Path | None = None) -> Iterator[Path | Gathered]:
    """Read the files, or take what the cache holds of unchanged ones.

    Args:
        files: The files.
        cache: A file of an earlier call, which is written anew; it need not exist. It knows a file
            by path, size and time of change.

    Yields:
        Each file when it is done with, and last what all of them held.

    Raises:
        ValueError: The cache is a file of something else, which is left as it is, or cannot be
            written.
    """
    known = {} if cache is None else _read_cache(cache)
    now: dict[str, _Known] = {}
    unreadable = []
    read = 0
    for file in files:
        key, state = str(file.resolve()), file.stat()
        held = known.get(key)
        if held is None or (held.size, held.changed) != (state.st_size, state.st_mtime_ns):
            read += 1
            runs: tuple[Run, ...] = ()
            why = None
            try:
                # Many are held at once, and a board has no use for whole profiles.
                runs = tuple(
                    replace(run, profile={}, described={}, settings={})
                    for run in finished_runs(file)
                )
            except NothingReportedError as error:
                why = error.why
            except (OSError, ValueError) as error:
                unreadable.append(str(error))
                yield file
                continue
            held = _Known(state.st_size, state.st_mtime_ns, runs, why)
        now[key] = replace(held, runs=tuple(replace(run, file=str(file)) for run in held.runs))
        yield file
    if cache is not None and now != known:
        _write_cache(cache, now)
    by_name = {str(file.resolve()): str(file) for file in files}
    yield Gathered(
        runs=tuple(run for held in now.values() for run in held.runs),
        left_out=tuple((by_name[key], held.why) for key, held in now.items() if held.why),
        unreadable=tuple(unreadable),
        read=read,
    )


def _read_cache(path: Path) -> dict[str, _Known]:
    if not path.exists():
        return {}
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
        kind = found["kind"]
    except (ValueError, KeyError, TypeError):
        kind = None
    if kind != CACHE:
        raise ValueError(f"{path}: not a cache of this command; name another file, or remove it")
    if found.get("version") != CACHE_VERSION:
        return {}
    try:
        return {
            key: _Known(
                held["size"],
                held["changed"],
                tuple(map(_remembered, held["runs"])),
                held["why"],
            )
            for key, held in found["files"].items()
        }
    except (AttributeError, KeyError, TypeError):
        return {}  # damaged: everything is read anew


def _remembered(run: dict[str, Any]) -> Run:
    """A run out of JSON, which has no tuples."""
    fields: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in run.items()}
    return Run(**fields)


def _write_cache(path: Path, known: dict[str, _Known]) -> None:
    """Write it beside its place first, so that an interrupted command leaves no half of one."""
    found = {
        "kind": CACHE,
        "version": CACHE_VERSION,
        "files": {key: asdict(held) for key, held in known.items()},
    }
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise ValueError(f"{path}: the cache cannot be written ({error.strerror})") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(found, file, allow_nan=False)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
