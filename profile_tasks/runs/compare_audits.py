"""Two audits of judges over the same pairs: what each probe finds of A less of B, paired by source.

What a probe observed is a table whose tau_14 is its mean, so two audits are resampled and tested as
two runs are (``compare``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from profile_tasks.runs.compare import both_sides
from profile_tasks.runs.inspect_log import judge_audit_run, open_log, probed_sources
from profile_tasks.runs.run import Run, check_finished
from profile_tasks.scorers.measurement.probed_source import (
    ProbedSource,
    observation_table,
    observed_rows,
)
from profile_tasks.scorers.measurement.tables import shared_group_codes
from profile_tasks.scorers.statistics.estimate import CONFIDENCE, Estimate, none_for_nan
from profile_tasks.scorers.statistics.probes import BY_NAME, PROBES
from profile_tasks.scorers.statistics.significance import FactorTests, adjust_p_values
from profile_tasks.scorers.statistics.study import Study

_SIDES = ("A", "B")

NOT_PAIRED = {
    "wording_taste": "the widest of many differences is another one in each audit",
    "wording_alignment": "the least alike profiles are others in each audit",
    "self_preference": "log-odds of a regression, of which no difference is resampled",
}
"""Probes that two audits are not compared on, and why."""


@dataclass(frozen=True)
class Audit:
    """A finished audit of a judge, with what the judge said in the probes of each source."""

    run: Run
    sources: Sequence[ProbedSource]


def read_audit(location: str) -> Audit | None:
    """The audit in a log; None where it is a log of something else.

    Raises:
        FileNotFoundError: There is no such log.
        ValueError: The file is no log, or a damaged or unfinished one.
    """
    log = open_log(location)
    run = judge_audit_run(log)
    if run is None:
        return None
    check_finished(run)
    return Audit(run, probed_sources(log))


def compare_audits(
    first: Audit,
    second: Audit,
    *,
    replicates: int = 2000,
    seed: int = 0,
    confidence: float = CONFIDENCE,
) -> dict[str, Any]:
    """Compare two audits over the sources and the probes that both have.

    Args:
        first: Audit A.
        second: Audit B; differences are A - B.
        replicates: Bootstrap replicates.
        seed: Of everything random.
        confidence: Of every interval, between 0 and 1.

    Returns:
        ``probes``: of each the two effects, the difference with its interval and p-values; both
        models, files and signatures, ``notes`` on what was left out.

    Raises:
        ValueError: The audits share no source or no probe, or a source has other groups.
    """
    runs = (first.run, second.run)
    sides, notes = _shared(first, second)
    codes = shared_group_codes(*([each.measured for each in own] for own in sides))
    rows = [observed_rows(own, codes) for own in sides]
    names = [probe.name for probe in PROBES if all(probe.name in own for own in rows)]
    if not names:
        raise ValueError(f"{runs[0].file} and {runs[1].file} have no probe in common")
    for side, own, other in zip(_SIDES, rows, rows[::-1], strict=True):
        if alone := [BY_NAME[name].label for name in own if name not in other]:
            notes.append(f"only {side} has: {', '.join(alone)}")
    notes += [f"not compared, {BY_NAME[name].label}: {why}" for name, why in NOT_PAIRED.items()]
    effects = [name for name in names if not BY_NAME[name].is_rate]
    rates = [name for name in names if BY_NAME[name].is_rate]
    # Of a rate tau_14 is a share, so that a difference is 1 at most.
    study = Study(
        _tables("effects", rows, effects),
        _tables("rates", rows, rates),
        replicates=replicates,
        seed=seed,
        confidence=confidence,
    )
    found: dict[str, tuple[Estimate, FactorTests]] = {}
    for kind, probes in (("effects", effects), ("rates", rates)):
        if probes:
            differences, tests = study.difference(
                *(f"{side} {kind}" for side in _SIDES), names=_SIDES
            )
            found |= {name: (differences[name], tests) for name in probes}
    return {
        **both_sides(*runs),
        "n_sources": len(sides[0]),
        "n_groups": study.n_groups,
        "replicates": replicates,
        "seed": seed,
        "notes": [
            *(
                f"{side}: {run.not_live}"
                for side, run in zip(_SIDES, runs, strict=True)
                if run.not_live
            ),
            *notes,
        ],
        "p_method": next(iter(found.values()))[1].method,
        "p_family": f"{len(names)} probes that both audits have",
        "probes": _records(names, rows, found),
    }


def _shared(first: Audit, second: Audit) -> tuple[list[list[ProbedSource]], list[str]]:
    """The sources of both, A's and B's in one order, and what was left out.

    Raises:
        ValueError: There is none, or one has another group.
    """
    known = [{each.measured.source_id: each for each in audit.sources} for audit in (first, second)]
    shared = sorted(known[0].keys() & known[1].keys())
    files = (first.run.file, second.run.file)
    for file, own in zip(files, known, strict=True):
        if not own:
            raise ValueError(f"{file}: the log holds no samples, which an audit is compared by")
    if not shared:
        raise ValueError(f"{files[0]} and {files[1]} have no source in common")
    for source in shared:
        a, b = (own[source].measured for own in known)
        if a.group != b.group or a.human != b.human:
            raise ValueError(
                f"source {source!r} has another group, or other pairs, in {files[1]} than in "
                f"{files[0]}; compare audits over the same data"
            )
    notes = [
        f"{alone} sources that only {side} was asked about are left out"
        for side, own in zip(_SIDES, known, strict=True)
        if (alone := len(own) - len(shared))
    ]
    return [[own[source] for source in shared] for own in known], notes


def _tables(kind: str, rows: Sequence[Any], probes: Sequence[str]) -> dict[str, Any]:
    if not probes:
        return {}
    return {
        f"{side} {kind}": observation_table(own, probes)
        for side, own in zip(_SIDES, rows, strict=True)
    }


def _records(
    names: Sequence[str],
    rows: Sequence[Mapping[str, Sequence[tuple[int, float]]]],
    found: Mapping[str, tuple[Estimate, FactorTests]],
) -> dict[str, dict[str, Any]]:
    p_values = [tests.p_value[tests.factors.index(name)] for name, (_, tests) in found.items()]
    adjusted = dict(zip(found, adjust_p_values(np.array(p_values), "holm"), strict=True))
    records = {}
    for name in names:
        each, tests = found[name]
        # A lean is reported as a share less one half, of which tau_14 is the double.
        scale = 0.5 if BY_NAME[name].kind == "lean" else 1.0
        value, low, high = (end * scale for end in (each.value, each.low, each.high))
        means = [scale * float(np.mean([value for _, value in own[name]])) for own in rows]
        at = tests.factors.index(name)
        records[name] = {
            "a": means[0],
            "b": means[1],
            **Estimate(value, low, high, reason=each.reason).record(),
            "p_value": none_for_nan(float(tests.p_value[at])),
            "p_adjusted": none_for_nan(float(adjusted[name])),
            "n_a": len(rows[0][name]),
            "n_b": len(rows[1][name]),
            "groups": int(tests.n_groups[at]),
        }
    return records
