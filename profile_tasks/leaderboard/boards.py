"""Ranks of models within a task, as ranges of places: pure functions on what runs reported."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from profile_tasks.runs.run import Run
from profile_tasks.scorers.statistics.metric_catalogue import higher_is_better, names

HEADLINE = names(lambda metric: metric.headline)
"""Metrics that every form shows first, in this order."""

SORT = HEADLINE[0]
"""What ranks the rows, where nothing else is asked for."""

METHOD = (
    "Places are ranges: the best one is behind those models only whose 95 % interval lies wholly "
    "on the better side of a model's own, the worst one ahead of those only whose interval lies "
    "wholly on the worse side. Overlapping intervals share places. A value without an interval "
    "could have any place."
)


@dataclass(frozen=True)
class Row:
    """One run on a board.

    Attributes:
        run: What it reported.
        places: Best and worst place that the intervals allow, from 1; None where the run has no
            value of the metric.
    """

    run: Run
    places: tuple[int, int] | None


@dataclass(frozen=True)
class Board:
    """Runs that may be ranked: of one task, one data set and one set of factors.

    Attributes:
        task: Name of the task.
        data: Name of the data set.
        factors: Ids of the factors.
        rows: The runs, in the order of the metric.
        notes: What makes the rows less comparable, in words.
    """

    task: str
    data: str
    factors: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def _stands_on(run: Run) -> tuple[str, str, frozenset[str]]:
    """What runs of one board have in common."""
    return run.task, run.data, frozenset(run.factors)


def newest(
    runs: Iterable[Run],
) -> tuple[list[Run], list[tuple[Run, Run]]]:
    """Of several runs of a model on one board, the newest of each setting.

    Returns:
        The runs that stand, newest first; and those that are superseded, each with the newest run
        that measured the same.
    """
    kept: list[Run] = []
    superseded = []
    for run in sorted(runs, key=lambda run: (run.date, run.file), reverse=True):
        newer = [k for k in kept if (k.model, _stands_on(k)) == (run.model, _stands_on(run))]
        covered = frozenset[str]().union(*(k.measured for k in newer))
        if run.measured <= covered:
            superseded.append((run, newer[0]))
        else:
            kept.append(run)
    return kept, superseded


def boards(runs: Iterable[Run], sort: str = SORT, *, ascending: bool = False) -> list[Board]:
    """Put the runs of each task, data set and set of factors on a board of their own.

    Args:
        runs: The runs; each becomes a row.
        sort: The metric that ranks them. The best value comes first; the greatest, where neither
            side is better.
        ascending: List the least value first, whichever side is better. Place 1 remains the best
            one; where neither side is better, it goes to the first row.
    """

    def kind(run: Run) -> tuple[str, str, list[str]]:
        return run.task, run.data, sorted(run.factors)

    return [
        _board(list(same), sort, ascending=ascending)
        for _, same in groupby(sorted(runs, key=kind), key=kind)
    ]


def places(
    intervals: Sequence[tuple[float, float]], *, more_is_better: bool = True
) -> list[tuple[int, int]]:
    """Best and worst place of each row that the intervals allow.

    Args:
        intervals: Lower and upper end of each row; infinite where nothing is known.
        more_is_better: Whether place 1 is that of the greatest value.

    Returns:
        For each row, 1 + the number of rows wholly on its better side, and n - the number of rows
        wholly on its worse side.

    Example:
        >>> places([(0.6, 0.8), (0.5, 0.7), (0.1, 0.3)])
        [(1, 2), (1, 2), (3, 3)]
    """
    ends = [(low, high) if more_is_better else (-high, -low) for low, high in intervals]
    return [
        (
            1 + sum(other_low > high for other_low, _ in ends),
            len(ends) - sum(other_high < low for _, other_high in ends),
        )
        for low, high in ends
    ]


def _board(runs: list[Run], sort: str, *, ascending: bool) -> Board:
    valued = [run for run in runs if run.metrics.get(sort) is not None]
    better = higher_is_better(sort)
    found = places(
        [
            (found.low, found.high) if found.has_interval else (-math.inf, math.inf)
            for found in (run.estimate(sort) for run in valued)
        ],
        more_is_better=not ascending if better is None else better,
    )
    direction = 1 if ascending or better is False else -1
    rows = sorted(
        (Row(run, place) for run, place in zip(valued, found, strict=True)),
        key=lambda row: (direction * (row.run.metrics[sort] or 0.0), row.run.model),
    )
    rows += [Row(run, None) for run in sorted(runs, key=lambda r: r.model) if run not in valued]
    return Board(
        task=runs[0].task,
        data=runs[0].data,
        factors=runs[0].factors,
        rows=tuple(rows),
        notes=tuple(_notes(runs, valued, sort)),
    )


def _notes(runs: list[Run], valued: list[Run], sort: str) -> list[str]:
    """What a reader of the ranks must know."""
    notes = []
    if higher_is_better(sort) is None:
        notes.append(f"{sort} has no better side; its places only order the values")
    bare = [r.model for r in valued if not r.estimate(sort).has_interval]
    if bare:
        notes.append(f"no interval of {sort}, so any place: {', '.join(bare)}")
    if without := [run.model for run in runs if run not in valued]:
        notes.append(f"no value of {sort}, so no place: {', '.join(without)}")
    notes += _differing_conditions(runs)
    # The human profile depends on the data alone, so it tells changed files of one name apart.
    human = [run.metrics.get("tau_human_length") for run in runs]
    if len({round(tau, 9) for tau in human if tau is not None}) > 1:
        notes.append(
            "the rows were not measured on the same annotated pairs (their tau_human_length "
            "differs), so they are hardly comparable"
        )
    return notes


def _differing_conditions(runs: list[Run]) -> Iterator[str]:
    named: dict[str, list[str | int | float | None]] = {
        "sources": [run.sources for run in runs],
        **{
            name: [run.conditions.get(name) for run in runs]
            for name in dict.fromkeys(name for run in runs for name in run.conditions)
        },
    }
    for name, values in named.items():
        counted = Counter(value for value in values if value is not None)
        if len(counted) > 1:
            shown = ", ".join(f"{value} ({_rows(n)})" for value, n in counted.most_common())
            yield f"the rows differ in {name.replace('_', ' ')}: {shown}"


def _rows(n: int) -> str:
    return "1 row" if n == 1 else f"{n} rows"
