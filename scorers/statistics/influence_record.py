"""All that one table of preferences says of its factors, as one JSON-ready record.

The field names are stable: the command line prints them, and the log of a run holds them.
"""

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.adjusted import AdjustedInfluence, adjusted_influence
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import json_record
from profile_tasks.scorers.statistics.influence import FactorProfile, factor_profile, none_for_nan
from profile_tasks.scorers.statistics.ranks import FactorRanks, factor_ranks
from profile_tasks.scorers.statistics.reliability import (
    HalfProfiles,
    Reliability,
    reliability,
    split_halves,
)
from profile_tasks.scorers.statistics.significance import FactorTests, influence_tests
from profile_tasks.scorers.statistics.uncertainty import (
    Interval,
    bca_interval,
    bootstrap_taus,
    left_out_taus,
    percentile_interval,
)

IntervalMethod = Literal["percentile", "bca"]


def influence_record(
    comparisons: Comparisons,
    *,
    replicates: int = 2000,
    seed: int = 0,
    interval: IntervalMethod = "percentile",
    taus: NDArray[np.float64] | None = None,
    halves: HalfProfiles | None = None,
) -> dict[str, Any]:
    """Marginal and adjusted influence of every factor, with intervals, p-values and ranks.

    ``p_value`` is of the sign-flip test by group, ``p_adjusted`` its Holm adjustment over
    ``p_family`` and ``p_adjusted_bh`` the one of Benjamini and Hochberg. ``adjusted`` is the change
    in log-odds per root mean square of the factor's manifestation with the other factors held
    fixed, over the ``adjusted_n_pairs`` pairs where all are known, and ``vif`` its variance
    inflation. ``reliability`` is what the whole profile would correlate by with that of as many
    other sources. NaN is written as None with a reason.

    Args:
        comparisons: The table.
        replicates: Bootstrap replicates.
        seed: Seed of everything random.
        interval: Which bootstrap interval of tau_14.
        taus: (replicates, F) of this table, where they were drawn together with other tables.
        halves: Half-profiles, where they were split together with other tables.

    Raises:
        ValueError: ``interval`` is unknown, or ``replicates`` below 1.
    """
    if interval not in get_args(IntervalMethod):
        raise ValueError(
            f"unknown interval {interval!r}. Must be one of: {', '.join(get_args(IntervalMethod))}"
        )
    profile = factor_profile(comparisons)
    if taus is None:
        (taus,) = bootstrap_taus([comparisons], replicates=replicates, seed=seed)
    if halves is None:
        (halves,) = split_halves([comparisons], seed=seed)
    intervals = _intervals(comparisons, profile, taus, interval)
    tests = influence_tests(comparisons, seed=seed)
    adjusted = adjusted_influence(comparisons)
    ranks = factor_ranks(profile.factors, profile.tau, taus, n_groups=profile.groups)
    return {
        "perspective": comparisons.perspective,
        "n_pairs": profile.n_pairs,
        "n_groups": profile.n_groups,
        "n_preference_ties": profile.n_preference_ties,
        "seed": seed,
        "replicates": len(taus),
        "interval_method": f"{_named(intervals)}; cluster bootstrap by group",
        "p_method": tests.method,
        "p_family": tests.family,
        "p_adjustment": "holm",
        "adjusted_method": adjusted.method,
        "adjusted_n_pairs": adjusted.n_pairs,
        "adjusted_n_groups": adjusted.n_groups,
        "rank_method": ranks.method,
        "reliability": reliability_record(reliability(halves)),
        "factors": {
            factor: {
                **profile.record(i),
                "n": int(profile.n_pairs - profile.missing[i]),
                "ci_low": none_for_nan(intervals[i].low),
                "ci_high": none_for_nan(intervals[i].high),
                **_tested(tests, i),
                **_adjusted(adjusted, i),
                **_ranked(ranks, i),
                "reason": profile.reasons[i] or intervals[i].reason,
            }
            for i, factor in enumerate(profile.factors)
        },
    }


def reliability_record(found: Reliability) -> dict[str, Any]:
    """Split-half reliability of a profile, coefficient by coefficient."""
    return {
        **{name: json_record(estimate) for name, estimate in found.full.items()},
        "n_groups": found.n_groups,
        "method": found.method,
    }


def _intervals(
    comparisons: Comparisons,
    profile: FactorProfile,
    taus: NDArray[np.float64],
    method: IntervalMethod,
) -> list[Interval]:
    groups = profile.groups.tolist()
    if method == "percentile":
        return [percentile_interval(taus[:, i], n_groups=n) for i, n in enumerate(groups)]
    (left_out,) = left_out_taus([comparisons])
    return [
        bca_interval(float(profile.tau[i]), taus[:, i], left_out[:, i], n_groups=n)
        for i, n in enumerate(groups)
    ]


def _named(intervals: list[Interval]) -> str:
    return ", ".join(dict.fromkeys(interval.method for interval in intervals))


def _tested(tests: FactorTests, index: int) -> dict[str, float | None]:
    return {
        "p_value": none_for_nan(tests.p_value[index]),
        "p_adjusted": none_for_nan(tests.p_holm[index]),
        "p_adjusted_bh": none_for_nan(tests.p_bh[index]),
    }


def _adjusted(adjusted: AdjustedInfluence, index: int) -> dict[str, float | str | None]:
    vif = float(adjusted.vif[index])
    return {
        "adjusted": none_for_nan(adjusted.coefficient[index]),
        "adjusted_ci_low": none_for_nan(adjusted.ci_low[index]),
        "adjusted_ci_high": none_for_nan(adjusted.ci_high[index]),
        "adjusted_p_value": none_for_nan(adjusted.p_value[index]),
        "vif": None if np.isinf(vif) else none_for_nan(vif),  # JSON has no infinity
        "adjusted_reason": adjusted.reasons[index],
    }


def _ranked(ranks: FactorRanks, index: int) -> dict[str, float | str | None]:
    return {
        "rank": none_for_nan(ranks.rank[index]),
        "rank_low": none_for_nan(ranks.intervals[index].low),
        "rank_high": none_for_nan(ranks.intervals[index].high),
    }
