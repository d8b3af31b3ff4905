"""Ranks of models within a task, as ranges of places: pure functions on what runs reported."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from profile_tasks.runs.run import Run, with_audits
from profile_tasks.scorers.statistics.coverage import OF_RANKS
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.metric_catalogue import higher_is_better, names
from profile_tasks.scorers.statistics.places import places, simultaneous_differences

HEADLINE = names(lambda metric: metric.headline)
"""Metrics that every form shows first, in this order."""

SORT = "alignment_discrimination_tau_b"
"""What ranks the rows, where nothing else is asked for and a run reports it: who judges the same
pairs as people do. By self-agreement all who are consistent share the first place."""

SORT_OF_AUDITS = "probe_position_flips"
"""What ranks where there are audits of judges alone. Fewer flips with the order are better whatever
a judge should prefer; of the other probes 0 is no better side, and a rate of noise or of taste."""

MARGIN = 0.05
"""Models that are shown to differ by less are tied, where nothing else is asked for."""

METHOD = (
    "Places are ranges: the best one is behind those models only that are shown to be better, the "
    "worst one ahead of those only that are shown to be worse. Shown is what the 95 % intervals of "
    "all differences on a board say at once; runs with samples are paired by source. Tied are "
    "models of the same value, and those shown to differ by less than {margin:g}; of all others "
    "nobody can tell. What the intervals cover: docs/calibration.md. "
    f"Of single runs, {OF_RANKS}; of few sources they are wide and cover up to 100 %."
)

Resample = Callable[[Sequence[Run], str], Sequence[Estimate]]
"""A metric of each run with replicates that were drawn together; NaN with the reason elsewhere."""


@dataclass(frozen=True)
class Row:
    """One run on a board.

    Attributes:
        run: What it reported.
        places: Best and worst place that the differences allow, from 1; None where the run has no
            value of the metric.
        tied: The models that it is tied with.
        undecided: Number of models of which nobody can tell how they stand to it.
    """

    run: Run
    places: tuple[int, int] | None
    tied: tuple[str, ...] = ()
    undecided: int = 0


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
    """Of several runs of a model on one board, those that no newer one measured as much as.

    Returns:
        The runs that stand, newest first; and those that are superseded, each with the newest run
        that measured all that it did.
    """
    kept: list[Run] = []
    superseded = []
    for run in sorted(runs, key=lambda run: (run.date, run.file), reverse=True):
        same = [k for k in kept if (k.model, _stands_on(k)) == (run.model, _stands_on(run))]
        # Two newer halves measured neither a gap nor self-agreement: one run must hold all.
        if covering := [k for k in same if run.measured <= k.measured]:
            superseded.append((run, covering[0]))
        else:
            kept.append(run)
    return kept, superseded


def beside_their_runs(runs: Sequence[Run]) -> list[Run]:
    """The runs with the audits of their models; other audits stand on the board of the same data.

    Args:
        runs: Runs and audits.
    """
    joined = with_audits(runs)
    boards_of = {(run.task, run.data): run.factors for run in reversed(joined) if not run.is_audit}
    return [
        replace(run, factors=boards_of.get((run.task, run.data), ())) if run.is_audit else run
        for run in joined
    ]


def _no_samples(runs: Sequence[Run], metric: str) -> Sequence[Estimate]:
    return [Estimate.undefined("no samples were read") for _ in runs]


def boards(
    runs: Iterable[Run],
    sort: str = SORT,
    *,
    ascending: bool = False,
    margin: float = MARGIN,
    resample: Resample = _no_samples,
) -> list[Board]:
    """Put the runs of each task, data set and set of factors on a board of their own.

    Args:
        runs: The runs; each becomes a row.
        sort: The metric that ranks them. The best value comes first; the greatest, where neither
            side is better.
        ascending: List the least value first, whichever side is better. Place 1 remains the best
            one; where neither side is better, it goes to the first row.
        margin: Models that are shown to differ by less are tied.
        resample: How the runs' samples are read, where they may be.
    """

    def kind(run: Run) -> tuple[str, str, list[str]]:
        return run.task, run.data, sorted(run.factors)

    return [
        _board(list(same), sort, ascending=ascending, margin=margin, resample=resample)
        for _, same in groupby(sorted(runs, key=kind), key=kind)
    ]


def _board(
    runs: list[Run], sort: str, *, ascending: bool, margin: float, resample: Resample
) -> Board:
    valued = [run for run in runs if run.metrics.get(sort) is not None]
    sampled = resample(valued, sort) if len(valued) > 1 else ()
    better = higher_is_better(sort)
    rows = sorted(
        _placed(valued, sort, sampled, margin, not ascending if better is None else better),
        key=lambda row: (
            (1 if ascending or better is False else -1) * (row.run.metrics[sort] or 0.0),
            row.run.model,
        ),
    )
    rows += [Row(run, None) for run in sorted(runs, key=lambda r: r.model) if run not in valued]
    return Board(
        task=runs[0].task,
        data=runs[0].data,
        factors=runs[0].factors,
        rows=tuple(rows),
        notes=(*_unpaired(valued, sort, sampled), *_notes(runs, valued, sort)),
    )


def _placed(
    runs: Sequence[Run], sort: str, sampled: Sequence[Estimate], margin: float, more: bool
) -> list[Row]:
    """The runs with their places, in their order."""
    reported = [replace(run.estimate(sort), n_groups=run.sources) for run in runs]
    for at, each in enumerate(sampled):
        if each.defined:
            reported[at] = replace(reported[at], drawn=each.drawn, n_groups=each.n_groups)
    differences = simultaneous_differences(reported)
    tied = differences.tied(margin)
    apart = differences.greater | differences.greater.T
    return [
        Row(
            run,
            place,
            tied=tuple(each.model for i, each in enumerate(runs) if tied[at, i] and i != at),
            undecided=int((~tied[at] & ~apart[at]).sum()),
        )
        for at, (run, place) in enumerate(
            zip(runs, places(differences, more_is_better=more), strict=True)
        )
    ]


def _unpaired(runs: Sequence[Run], sort: str, sampled: Sequence[Estimate]) -> Iterator[str]:
    """Which runs are compared by their intervals and not paired by source, and why."""
    why: dict[str, list[str]] = {}
    for run, each in zip(runs, sampled, strict=False):
        if not each.defined and run.estimate(sort).has_interval:
            why.setdefault(each.reason or "", []).append(run.model)
    for reason, models in why.items():
        who = "all rows" if len(models) == len(runs) else ", ".join(models)
        yield f"not paired by source, but taken as if no two shared any: {who} ({reason})"


def _notes(runs: list[Run], valued: list[Run], sort: str) -> list[str]:
    """What a reader of the ranks must know."""
    notes = []
    for note in dict.fromkeys(note for run in runs for note in run.offline.values()):
        told = [model for run in runs for model, said in run.offline.items() if said == note]
        every = all(run.offline.get(run.model) == note for run in runs)
        notes.append(f"{'every row' if every else ', '.join(dict.fromkeys(told))}: {note}")
    if higher_is_better(sort) is None:
        notes.append(f"{sort} has no better side; its places only order the values")
    bare = [r.model for r in valued if not r.estimate(sort).has_interval]
    if bare:
        notes.append(f"no interval of {sort}, so any place: {', '.join(bare)}")
    if without := [run.model for run in runs if run not in valued]:
        notes.append(f"no value of {sort}, so no place: {', '.join(without)}")
    older = dict.fromkeys(run.restated for run in runs if run.restated)
    notes += [f"{', '.join(r.model for r in runs if r.restated == why)}: {why}" for why in older]
    profiled = [run for run in runs if not run.is_audit]
    notes += [*_audits(runs), *_differing_conditions(profiled or runs)]
    # The human profile depends on the data alone, so it tells changed files of one name apart.
    human = [run.metrics.get("tau_human_length") for run in runs]
    if len({round(tau, 9) for tau in human if tau is not None}) > 1:
        notes.append(
            "the rows were not measured on the same annotated pairs (their tau_human_length "
            "differs), so they are hardly comparable"
        )
    return notes


def _audits(runs: Sequence[Run]) -> Iterator[str]:
    """Which rows have no probes, and which probes are over other sources than the row."""
    if all(run.is_audit for run in runs) or not any(run.audit or run.is_audit for run in runs):
        return
    if without := [run.model for run in runs if not (run.audit or run.is_audit)]:
        yield f"no audit of the judge over this data was given, so no probes: {', '.join(without)}"
    if alone := [run.model for run in runs if run.is_audit]:
        yield f"an audit alone, so probes and no profile: {', '.join(alone)}"
    for run in runs:
        over = run.audit and run.audit.conditions.get("data_hash")
        if run.audit and over != run.conditions.get("data_hash"):
            yield (
                f"{run.model}: its audit is over {run.audit.sources} sources, the rest of its row "
                f"over {run.sources}"
            )


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
