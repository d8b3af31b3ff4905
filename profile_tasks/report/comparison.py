"""Two runs of a report compared, paired by source: the numbers of ``profile-tasks compare``."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from profile_tasks.report.findings import Findings
from profile_tasks.runs.compare import compare_runs
from profile_tasks.runs.words import more_like_people, strongest_difference
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.untrusted_text import shown

MOST = 4
"""Comparisons with the first run of a task; a report of many models is a leaderboard's work."""


@dataclass(frozen=True)
class PairedRuns:
    """A run against the first one of its task.

    Attributes:
        first: Place of run A among the runs of the task.
        second: Place of run B.
        lead: What ``profile-tasks compare`` says first; and which judges more like people, where
            both have been asked. Empty where the two cannot be compared.
        words: What differs, in sentences.
        notes: What was left out; or why the two cannot be compared.
        rows: Metric, value of A, value of B, difference A - B, its ends, p-value adjusted by Holm.
    """

    first: int
    second: int
    lead: tuple[str, ...]
    words: tuple[str, ...]
    notes: tuple[str, ...]
    rows: tuple[tuple[str | float | None, ...], ...]


COLUMNS = ("metric", "A", "B", "A - B", "low", "high", "p Holm")


def paired_comparisons(
    logs: Sequence[tuple[Path, Findings]], score: str | None = None
) -> dict[str, tuple[PairedRuns, ...]]:
    """The first Inspect log of each task against the others of that task.

    Args:
        logs: What was found in each file, with the file, in the report's order.
        score: Name of the score, where a log holds several.

    Returns:
        Task -> comparisons; a task with one log has none.
    """
    by_task: dict[str, list[tuple[int, Path]]] = {}
    places: dict[str, int] = {}
    for path, findings in logs:
        if findings.run.is_audit:
            continue
        task = findings.run.task
        place = places[task] = places.get(task, -1) + 1
        if findings.run.harness == "inspect" and findings.compared:
            by_task.setdefault(task, []).append((place, path))
    return {
        task: tuple(_with_the_first(own[: 1 + MOST], score))
        for task, own in by_task.items()
        if len(own) > 1
    }


def _with_the_first(logs: Sequence[tuple[int, Path]], score: str | None) -> Iterator[PairedRuns]:
    from profile_tasks.runs.inspect_log import read_run  # a report without logs needs no Inspect

    (place, path), *others = logs
    first = None
    for other_place, other in others:
        try:
            first = first or read_run(str(path), score)  # once, since a log may be large
            record = compare_runs(first, read_run(str(other), score))
        except ValueError as error:
            yield PairedRuns(place, other_place, (), (), (shown(error),), ())
        else:
            yield _compared(place, other_place, record)


def _compared(first: int, second: int, record: dict[str, Any]) -> PairedRuns:
    notes = (
        f"{record['n_sources']} sources that both were measured on",
        record["differ_in"],
        *record["notes"],
    )
    return PairedRuns(
        first,
        second,
        tuple(
            shown(said[:1].upper() + said[1:])
            for said in (strongest_difference(record), more_like_people(record))
            if said
        ),
        tuple(map(shown, record["words"])),
        tuple(map(shown, notes)),
        tuple(_rows(record)),
    )


def _rows(record: dict[str, Any]) -> list[tuple[str | float | None, ...]]:
    entries = {**record["alignments"], **record["agreement"]}
    for perspective, compared in record["perspectives"].items():
        entries |= {
            f"tau_{perspective}_{shown(factor)}": found
            for factor, found in compared["factors"].items()
        }
    return [
        (name, found["a"], found["b"], *Estimate.of_record(found).cells(), found.get("p_adjusted"))
        for name, found in entries.items()
    ]
