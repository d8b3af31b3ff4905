"""Ranks: which factor drives the preference most, and how sure that is.

Factors are ranked by tau_14, the greatest first. Replicates of the ranks give no interval of them:
they are wrong where two influences are nearly equal, which is where it matters (Hall & Miller 2009,
Annals of Statistics 37). Instead a factor ranks below those whose influence is shown to be greater,
and above those shown to be smaller, by simultaneous bootstrap intervals of its differences to all
others: then its true rank is covered with the stated confidence at least (Mogstad, Romano, Shaikh &
Wilhelm 2024, Review of Economic Studies 91).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.estimate import (
    MINIMUM_DEFINED,
    MINIMUM_GROUPS,
    Estimate,
    too_few,
    widening,
)

# Differences need replicates in which all factors are defined: at least this share of them.
_MINIMUM_COMPLETE = 0.5

# Influences that move together in every group differ by rounding only.
_NO_SPREAD = 1e-12


@dataclass(frozen=True, eq=False)
class FactorRanks:
    """The rank of every factor by its influence.

    Attributes:
        factors: the F factor names.
        estimates: F ranks, 1 for the greatest tau_14; equal influences share their mean rank; NaN
            where tau_14 is not defined. The ends are whole numbers from 1 to F.
        method: the method in words.

    """

    factors: tuple[str, ...]
    estimates: tuple[Estimate, ...]
    method: str


def factor_ranks(
    factors: Sequence[str],
    tau: NDArray[np.float64],
    replicates: NDArray[np.float64],
    *,
    n_groups: NDArray[np.int64],
    confidence: float = 0.95,
) -> FactorRanks:
    """Return the rank of every factor, with an interval that covers each single rank.

    Args:
        factors: the F factor names.
        tau: (F,) influences.
        replicates: (B, F) bootstrap replicates of them, as of ``bootstrap_taus``.
        n_groups: (F,) groups behind each factor. Factors with fewer than ``MINIMUM_GROUPS`` are
            ranked, without an interval; where they stand to the others is not known.
        confidence: of each factor's interval, between 0 and 1.

    Raises:
        ValueError: ``confidence`` is not between 0 and 1, or a shape does not fit.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> tau = np.array([0.4, 0.1, 0.08])
        >>> ranks = factor_ranks(
        ...     ("length", "fluency", "coherence"), tau, tau + 0.05 * rng.normal(size=(1000, 3)),
        ...     n_groups=np.array([50, 50, 50]),
        ... )
        >>> [(int(rank.low), int(rank.high)) for rank in ranks.estimates]
        [(1, 1), (2, 3), (2, 3)]

    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; it must lie between 0 and 1")
    n = len(factors)
    if tau.shape != (n,) or n_groups.shape != (n,) or replicates.shape[1:] != (n,):
        raise ValueError(
            f"{n} factors, but tau has shape {tau.shape}, n_groups {n_groups.shape} and replicates "
            f"{replicates.shape}; expected ({n},), ({n},) and (B, {n})"
        )
    rank = 1.0 + (tau > tau[:, None]).sum(axis=1) + ((tau == tau[:, None]).sum(axis=1) - 1) / 2
    rank[np.isnan(tau)] = np.nan
    usable = np.isfinite(tau) & (n_groups >= MINIMUM_GROUPS)
    usable &= np.isfinite(replicates).mean(axis=0) >= MINIMUM_DEFINED
    estimates = [
        Estimate(float(rank[i]), reason=_reason(tau[i], int(n_groups[i]))) for i in range(n)
    ]
    kept = np.flatnonzero(usable)
    complete = np.isfinite(replicates[:, kept]).all(axis=1)
    drawn = replicates[complete][:, kept]
    for place, index in enumerate(kept):
        if complete.mean() < _MINIMUM_COMPLETE:
            why = f"all factors are defined in only {complete.sum()} of {complete.size} replicates"
            estimates[index] = replace(estimates[index], reason=why)
            continue
        greater, smaller = _shown_to_differ(tau[kept], drawn, place, confidence, n_groups[kept])
        low, high = 1.0 + greater, float(np.isfinite(tau).sum() - smaller)
        estimates[index] = Estimate(float(rank[index]), low, high, "simultaneous differences")
    return FactorRanks(
        factors=tuple(factors),
        estimates=tuple(estimates),
        method=(
            "rank of tau_14, the greatest first; interval: simultaneous bootstrap intervals of the "
            f"differences to the other factors, {confidence:.0%} for each factor"
        ),
    )


def _shown_to_differ(
    tau: NDArray[np.float64],
    replicates: NDArray[np.float64],
    index: int,
    confidence: float,
    n_groups: NDArray[np.int64],
) -> tuple[int, int]:
    """Return how many factors have a greater, and how many a smaller influence than one of them."""
    gap = tau - tau[index]
    deviation = replicates - replicates[:, [index]] - gap
    error = deviation.std(axis=0)
    varies = error > _NO_SPREAD  # the factor itself does not
    if varies.any():
        largest = (np.abs(deviation[:, varies]) / error[varies]).max(axis=1)
        error *= np.quantile(largest, confidence)
    error *= widening(confidence, np.minimum(n_groups, n_groups[index]))
    greater = int(np.count_nonzero(gap > error + _NO_SPREAD))
    smaller = int(np.count_nonzero(gap < -error - _NO_SPREAD))
    return greater, smaller


def _reason(tau: float, n_groups: int) -> str:
    if np.isnan(tau):
        return "the influence is not defined"
    if n_groups < MINIMUM_GROUPS:
        return too_few(n_groups)
    return f"the influence is defined in fewer than {MINIMUM_DEFINED:.0%} of the replicates"
