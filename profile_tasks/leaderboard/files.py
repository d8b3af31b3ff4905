"""Finding and reading many results."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from profile_tasks.runs.reading import finished_runs
from profile_tasks.runs.run import NothingReportedError, Run

_RESULTS = re.compile(r"results(_.*)?\.json|.*\.eval|\d{4}-\d\d-\d\dT.*\.json")


@dataclass(frozen=True)
class Gathered:
    """What the files held.

    Attributes:
        runs: The runs, by file.
        left_out: Readable files that report nothing, with the reason.
        unreadable: What is wrong with each unreadable file.
    """

    runs: tuple[Run, ...]
    left_out: tuple[tuple[str, str], ...]
    unreadable: tuple[str, ...]


def found_files(paths: Iterable[Path]) -> list[Path]:
    """The results among files and folders, folders with everything below; each file once.

    In folders these are ``*.eval``, ``results_*.json`` and JSON logs by Inspect's names, without
    the shards of a merged log; a file that is named itself is always taken.

    Raises:
        FileNotFoundError: There is no such file or folder.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"{path}: there is no such file or folder")
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in inside:
            if file == path or (
                _RESULTS.fullmatch(file.name) and file.is_file() and not _merged(file, path)
            ):
                found.setdefault(file.resolve(), file)
    found = {resolved: file for resolved, file in found.items() if resolved.is_file()}
    return list(found.values())


def _merged(file: Path, under: Path) -> bool:
    """Whether it is a shard's log, by Inspect's names: in NAME.shards, beside a NAME.eval."""
    folders = [under / each for each in file.relative_to(under).parents][:-1]
    return any(
        folder.suffix == ".shards" and folder.with_suffix(".eval").is_file() for folder in folders
    )


def gathered(files: Iterable[Path], advance: Callable[[], object] = lambda: None) -> Gathered:
    """Read the files, as far as a board needs them.

    Args:
        files: The files.
        advance: Called when a file is done with.
    """
    runs: list[Run] = []
    left_out: list[tuple[str, str]] = []
    unreadable: list[str] = []
    for file in files:
        try:
            # Many are held at once, and a board has no use for whole profiles.
            runs += (
                replace(run, profile={}, described={}, settings={}) for run in finished_runs(file)
            )
        except NothingReportedError as error:
            left_out.append((str(file), error.why))
        except (OSError, ValueError) as error:
            unreadable.append(str(error))
        advance()
    return Gathered(tuple(runs), tuple(left_out), tuple(unreadable))
