"""Two models on the same sources: which factors, alignments and gaps differ, paired by source.

All profiles of both models are resampled together, so what their sources have in common cancels out
of a difference. Two models that were measured on different sources can not be compared so.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.difference_record import difference_record
from profile_tasks.scorers.statistics.estimate import json_record, symmetric_estimate
from profile_tasks.scorers.statistics.influence import factor_profile, none_for_nan
from profile_tasks.scorers.statistics.study import (
    GAP,
    MODEL_PERSPECTIVES,
    ProfileMetrics,
    profile_metrics,
)
from profile_tasks.scorers.statistics.uncertainty import bootstrap_taus

Record = dict[str, Any]


def compare_models(
    first: Sequence[Comparisons],
    second: Sequence[Comparisons],
    *,
    names: tuple[str, str] = ("A", "B"),
    replicates: int = 2000,
    seed: int = 0,
) -> Record:
    """Compare two models' profiles, their alignments with people, and their gaps.

    Args:
        first: Tables of the one model: human, and discrimination, generation or both.
        second: Those of the other. Factors and sources must be the same: a group code means the
            same source in all tables.
        names: What to call the two.
        replicates: Bootstrap replicates, shared by everything.
        seed: Of everything random.

    Returns:
        A JSON-ready record. ``perspectives`` has, for each that both models have, every factor's
        influence on either model's preference (``a``, ``b``) and the difference a - b with its
        interval and p-values; ``alignments`` has, by metric name, either model's value and the
        difference with its interval. NaN is None with a reason.

    Raises:
        ValueError: The factors differ, or the two have no perspective in common.
    """
    tables = [{table.perspective: table for table in side} for side in (first, second)]
    shared = [name for name in MODEL_PERSPECTIVES if all(name in side for side in tables)]
    if not shared:
        raise ValueError(f"{names[0]} and {names[1]} have no perspective of a model in common")
    every = [*first, *second]
    if len({table.factors for table in every}) != 1:
        raise ValueError(f"the factors of {names[0]} and {names[1]} differ")
    drawn = bootstrap_taus(every, replicates=replicates, seed=seed)
    profiled = [
        profile_metrics(side, replicates=replicates, seed=seed, taus=taus)
        for side, taus in ((first, drawn[: len(first)]), (second, drawn[len(first) :]))
    ]
    n_groups = int(np.unique(np.concatenate([table.group for table in every])).size)
    return {
        "names": list(names),
        "n_groups": n_groups,
        "factors": list(every[0].factors),
        "replicates": replicates,
        "seed": seed,
        "perspectives": {
            name: _perspective(
                tables[0][name],
                tables[1][name],
                profiled[0].taus[name] - profiled[1].taus[name],
                names,
                seed,
            )
            for name in shared
        },
        "alignments": {
            name: _alignment(name, profiled[0], profiled[1], n_groups)
            for name in profiled[0].correlations
            if name in profiled[1].correlations
        },
    }


def compare_tables(
    first: Comparisons,
    second: Comparisons,
    *,
    names: tuple[str, str] = ("A", "B"),
    replicates: int = 2000,
    seed: int = 0,
) -> Record:
    """Compare one table of either model: each column's tau_14 and the difference, as a record.

    Args:
        first: Table of the one model.
        second: That of the other, with the same columns and group codes.
        names: What to call the two.
        replicates: Bootstrap replicates.
        seed: Of everything random.
    """
    drawn = bootstrap_taus([first, second], replicates=replicates, seed=seed)
    return _perspective(first, second, drawn[0] - drawn[1], names, seed)


def _perspective(
    first: Comparisons,
    second: Comparisons,
    drawn: NDArray[np.float64],
    names: tuple[str, str],
    seed: int,
) -> Record:
    """Influence on either model's preference, and the difference, factor by factor."""
    record = difference_record(first, second, drawn, names=names, seed=seed)
    profiles = (factor_profile(first), factor_profile(second))
    for i, found in enumerate(record["factors"].values()):
        found |= {
            side: none_for_nan(profile.tau[i])
            for side, profile in zip(("a", "b"), profiles, strict=True)
        }
    return record


def _alignment(name: str, first: ProfileMetrics, second: ProfileMetrics, n_groups: int) -> Record:
    """An alignment, or the gap, of either model, and the difference."""
    a, b = first.estimates[name], second.estimates[name]
    difference = symmetric_estimate(
        a.value - b.value,
        first.correlations[name] - second.correlations[name],
        n_groups,
        a.reason or b.reason,
        limit=4 if name == GAP else 2,
    )
    return {
        **json_record(difference),
        "a": none_for_nan(a.value),
        "b": none_for_nan(b.value),
    }
