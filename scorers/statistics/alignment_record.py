"""The alignment of two profiles, or of two tables of preferences, as one JSON-ready record.

The field names are stable. Two profiles alone have p-values; only tables, whose groups can be
resampled, have intervals, ceilings and corrected alignments.
"""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from profile_tasks.scorers.statistics.alignment import (
    COEFFICIENTS,
    Alignment,
    align,
    alignment_replicates,
)
from profile_tasks.scorers.statistics.attenuation import AttainableAlignment, attainable_alignment
from profile_tasks.scorers.statistics.comparisons import Comparisons, common_factors
from profile_tasks.scorers.statistics.estimate import json_record, symmetric_estimate
from profile_tasks.scorers.statistics.influence import factor_profile, none_for_nan
from profile_tasks.scorers.statistics.reliability import reliability, split_halves
from profile_tasks.scorers.statistics.uncertainty import bootstrap_taus

Record = dict[str, Any]


def aligned_profiles(
    first: Mapping[str, float], second: Mapping[str, float], *, permutations: int, seed: int = 0
) -> Record:
    """Alignment of two profiles of which nothing but the influences is known.

    Args:
        first: Influence by factor; NaN is not defined.
        second: The other profile.
        permutations: Random permutations of the factors for the p-values.
        seed: Of those.
    """
    aligned = align(first, second, permutations=permutations, seed=seed)
    return _record(aligned, first, second)


def aligned_tables(
    first: Comparisons,
    second: Comparisons,
    *,
    permutations: int = 9999,
    replicates: int = 2000,
    seed: int = 0,
) -> Record:
    """Alignment of the profiles of two tables, with interval, ceiling and correction.

    Args:
        first: One judge's preferences.
        second: Another's. A group code must mean the same source in both. Only the factors that
            both have are aligned.
        permutations: Random permutations of the factors for the p-values.
        replicates: Bootstrap replicates.
        seed: Of everything random.
    """
    names = [first.factors, second.factors]
    first, second = common_factors([first, second])
    profiles = [factor_profile(table) for table in (first, second)]
    taus = [dict(zip(p.factors, p.tau.tolist(), strict=True)) for p in profiles]
    aligned = align(*taus, permutations=permutations, seed=seed)
    drawn = alignment_replicates(*bootstrap_taus([first, second], replicates=replicates, seed=seed))
    halves = split_halves([first, second], seed=seed)
    attainable = attainable_alignment(*halves)
    n_groups = min(profile.n_groups for profile in profiles)
    intervals = {
        name: json_record(
            symmetric_estimate(
                getattr(aligned, name), getattr(drawn, name), n_groups, aligned.reason
            )
        )
        for name in COEFFICIENTS
    }
    return {
        **_record(aligned, *names),
        **{
            f"{name}_{end}": intervals[name][end]
            for name in COEFFICIENTS
            for end in ("ci_low", "ci_high")
        },
        "interval": intervals,
        "n_groups": int(np.union1d(first.group, second.group).size),
        "n_shared_groups": int(np.intersect1d(first.group, second.group).size),
        "replicates": replicates,
        "seed": seed,
        "reliability": [
            {name: json_record(estimate) for name, estimate in reliability(half).full.items()}
            for half in halves
        ],
        **attainable_record(attainable),
    }


def attainable_record(attainable: AttainableAlignment) -> Record:
    """Ceilings and corrected alignments, coefficient by coefficient."""
    return {
        "ceiling": {name: json_record(attainable.ceiling[name]) for name in COEFFICIENTS},
        "corrected": {name: json_record(attainable.corrected[name]) for name in COEFFICIENTS},
        "corrected_is": "an estimate",
        "corrected_clipped": list(attainable.clipped),
        "errors": attainable.errors,
        "method": attainable.method,
    }


def _record(aligned: Alignment, first: Collection[str], second: Collection[str]) -> Record:
    return {
        "tau_b": none_for_nan(aligned.tau_b),
        "spearman": none_for_nan(aligned.spearman),
        "pearson": none_for_nan(aligned.pearson),
        "n_factors": aligned.n_factors,
        "p_value": none_for_nan(aligned.p_value),
        "p_value_spearman": none_for_nan(aligned.p_value_spearman),
        "p_value_pearson": none_for_nan(aligned.p_value_pearson),
        "p_value_method": aligned.p_value_method,
        "reason": aligned.reason,
        "only_in_a": sorted(set(first) - set(second)),
        "only_in_b": sorted(set(second) - set(first)),
    }
