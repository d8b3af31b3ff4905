"""A metric of many runs, from their samples and resampled together, so that runs are paired."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from profile_tasks.runs.run import Run
from profile_tasks.scorers.measurement.own_labels import labelled_own_pairs, own_named
from profile_tasks.scorers.measurement.tables import (
    AGREEMENT_SHARES,
    agreement_table,
    comparison_tables,
)
from profile_tasks.scorers.statistics.alignment import COEFFICIENTS, Coefficient
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.records import side
from profile_tasks.scorers.statistics.study import (
    AGREEMENT,
    GAP,
    HUMAN,
    JUDGE,
    MODEL_PERSPECTIVES,
    OWN,
    SELF_AGREEMENT,
    WRITER,
    Study,
)

_OTHERWISE = 1e-9
"""A reported value that is further from that of the samples was measured otherwise."""


@dataclass(frozen=True)
class Resampled:
    """How a metric of one of several runs is estimated in a study of all of them.

    Attributes:
        tables: The tables of the run that it needs.
        estimate: Of the study and the run's name in it.
        on_own: Whether they are of the pairs that the model wrote and people judged.
    """

    tables: tuple[str, ...]
    estimate: Callable[[Study, str], Estimate]
    on_own: bool = False


def resampled_metrics(factors: Iterable[str]) -> dict[str, Resampled]:
    """The metrics that runs can be paired on, by name.

    Args:
        factors: Ids of the factors of the runs.
    """
    known = {share: Resampled((AGREEMENT,), partial(_share, share)) for share in AGREEMENT_SHARES}
    for factor in factors:
        for table in (HUMAN, *MODEL_PERSPECTIVES, OWN):
            influence = Resampled((table,), partial(_influence, table, factor))
            known[f"tau_{table}_{factor}"] = influence
    for table in MODEL_PERSPECTIVES:
        for coefficient in COEFFICIENTS:
            aligned = Resampled((HUMAN, table), partial(_alignment, table, coefficient))
            known[f"alignment_{table}_{coefficient}"] = aligned
    for coefficient in COEFFICIENTS:
        agreement = Resampled((OWN, WRITER), partial(_self_agreement, coefficient))
        known[f"{SELF_AGREEMENT}_{coefficient}"] = agreement
    known[GAP] = Resampled((HUMAN, JUDGE, WRITER), _gap)
    own = own_named({name: replace(how, on_own=True) for name, how in known.items()})
    return known | own


def _share(column: str, study: Study, run: str) -> Estimate:
    return study.share(side(run, AGREEMENT), column)


def _influence(table: str, factor: str, study: Study, run: str) -> Estimate:
    return study.influence(side(run, table))[factor]


def _alignment(table: str, coefficient: Coefficient, study: Study, run: str) -> Estimate:
    return study.alignment(side(run, HUMAN), side(run, table))[coefficient]


def _self_agreement(coefficient: Coefficient, study: Study, run: str) -> Estimate:
    return study.self_agreement(side(run, OWN), side(run, WRITER))[coefficient]


def _gap(study: Study, run: str) -> Estimate:
    return study.gap(*(side(run, table) for table in (HUMAN, JUDGE, WRITER)))["tau_b"]


def resampled(
    runs: Sequence[Run], metric: str, advance: Callable[[], object] = lambda: None
) -> list[Estimate]:
    """A metric of each run from its samples, with replicates that were drawn together.

    Sources are drawn from all that any of the runs measured: what two runs share is paired in their
    difference, and what one of them measured alone counts for itself.

    Args:
        runs: Runs of one board.
        metric: Of ``resampled_metrics``; of others no sample is read.
        advance: Called when a run is done with.

    Returns:
        One estimate a run; NaN with the reason where its samples do not give the metric.
    """
    how = resampled_metrics(runs[0].factors).get(metric)
    if how is None:
        return [Estimate.undefined(f"{metric} is not resampled") for _ in runs]
    if sum(run.harness == "inspect" for run in runs) < 2:  # nothing to pair it with
        return [Estimate.undefined("fewer than two rows have samples") for _ in runs]
    tables: dict[str, Comparisons] = {}
    reasons: dict[int, str] = {}
    codes: dict[str, int] = {}
    # Resamples follow the codes, which must not depend on the order of the runs.
    for at in sorted(range(len(runs)), key=lambda at: runs[at].file):
        try:
            own = _tables(runs[at], how, codes)
        except (OSError, ValueError) as error:
            reasons[at] = str(error)
        else:
            tables |= {side(str(at), name): table for name, table in own.items()}
        advance()
    of_shares = how.tables == (AGREEMENT,)
    study = Study({} if of_shares else tables, tables if of_shares else {})
    return [
        Estimate.undefined(reasons[at])
        if at in reasons
        else _as_reported(how.estimate(study, str(at)), run.estimate(metric))
        for at, run in enumerate(runs)
    ]


def _tables(run: Run, how: Resampled, codes: dict[str, int]) -> dict[str, Comparisons]:
    """The tables of a run that a metric needs; groups without a code get the next one.

    Raises:
        ValueError: The run has no samples, or they lack a table.
    """
    if run.harness != "inspect":
        raise ValueError("a results file holds no samples")
    from profile_tasks.runs.inspect_log import with_measurements

    wanted = how.tables
    measurements = list(with_measurements(run, run.score).measurements)
    if how.on_own:
        measurements = labelled_own_pairs(measurements)
    for group in sorted({each.group for each in measurements}):
        codes.setdefault(group, len(codes))
    if wanted == (AGREEMENT,):
        table = agreement_table(measurements, codes)
        tables = {AGREEMENT: table} if table.preference.size else {}
    else:
        found = comparison_tables(measurements, codes) if measurements else []
        tables = {each.perspective: each for each in found if each.perspective in wanted}
    if tables.keys() != set(wanted):
        raise ValueError("the log holds no samples of it")
    return tables


def _as_reported(found: Estimate, reported: Estimate) -> Estimate:
    if not found.defined or abs(found.value - reported.value) <= _OTHERWISE:
        return found
    return Estimate.undefined("its samples give another value than it reports")
