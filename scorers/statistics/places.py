"""Places: which of several values are shown to differ, over all their differences at once.

Two intervals that part do not show that two values differ once many values are looked at, and two
that overlap do not show the contrary: values measured on the same sources move together. So every
two are compared by the interval of their difference, and the intervals of all pairs hold together
with the stated confidence: each errs as rarely as its part of the error allows (Bonferroni; Dunn
1961, JASA 56). For 20 values that is within 3 % of what Tukey's studentized range takes. The
largest of all differences in a joint bootstrap takes less where groups are few, and too little: 20
values vary in more directions than 12 groups can show.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.estimate import (
    CONFIDENCE,
    MINIMUM_DEFINED,
    MINIMUM_GROUPS,
    Estimate,
)

_SAME = 1e-12
"""Values, and spreads, that differ by less differ by rounding only."""


@dataclass(frozen=True, eq=False)
class Differences:
    """The difference of every two of n values, with intervals that hold all at once.

    Attributes:
        value: (n, n), value i less value j.
        low: (n, n), lower ends; minus infinity where nothing is known.
        high: (n, n), upper ends.

    """

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @property
    def greater(self) -> NDArray[np.bool_]:
        """(n, n), whether value i is shown to be greater than value j."""
        return self.low > _SAME

    def tied(self, margin: float) -> NDArray[np.bool_]:
        """Return (n, n), whether two values are the same or shown to differ by less than a margin.

        Args:
            margin: above 0.
        """
        shown = (self.low > -margin) & (self.high < margin) & ~self.greater & ~self.greater.T
        return (np.abs(self.value) <= _SAME) | shown


def simultaneous_differences(
    estimates: Sequence[Estimate], *, confidence: float = CONFIDENCE
) -> Differences:
    """Return the difference of every two values, with intervals that hold all at once.

    Two with replicates are compared by these, which must have been drawn together. Others are
    compared by their own intervals, as if they had no source in common (the square-and-add
    intervals of Zou & Donner 2008, Statistics in Medicine 27).

    Args:
        estimates: n defined values.
        confidence: that all intervals hold, between 0 and 1. The intervals of estimates without
            replicates are taken for 95 % ones.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> shared, own = rng.normal(size=(500, 1)), rng.normal(size=(500, 3))
        >>> drawn = [0.9, 0.5, 0.5] + 0.1 * shared + 0.03 * own
        >>> found = simultaneous_differences(
        ...     [Estimate.percentile(v, d, 50) for v, d in zip((0.9, 0.5, 0.5), drawn.T)]
        ... )
        >>> found.greater.tolist()
        [[False, True, True], [False, False, False], [False, False, False]]

    """
    n = len(estimates)
    values = np.array([each.value for each in estimates])
    error = (1 - confidence) / max(1, n * (n - 1) // 2)
    low, high = _unpaired(estimates, error)
    paired = [at for at, each in enumerate(estimates) if _is_resampled(each)]
    if len(paired) > 1:
        margin = _paired([estimates[at] for at in paired], error)
        where = np.ix_(paired, paired)
        difference = (values[:, None] - values)[where]
        low[where], high[where] = difference - margin, difference + margin
    return Differences(values[:, None] - values, low, high)


def _is_resampled(estimate: Estimate) -> bool:
    return (
        estimate.drawn is not None
        and (estimate.n_groups or 0) >= MINIMUM_GROUPS
        and bool(np.isfinite(estimate.drawn).mean() >= MINIMUM_DEFINED)
    )


def _paired(estimates: Sequence[Estimate], error: float) -> NDArray[np.float64]:
    """Return (m, m): how far each difference may lie from the truth, by replicates.

    Args:
        estimates: m of them.
        error: how rarely each interval may err.
    """
    from scipy.special import stdtrit

    drawn = np.column_stack([each.drawn for each in estimates if each.drawn is not None])
    spread = np.array([np.nanstd(drawn - column[:, None], axis=0) for column in drawn.T])
    groups = np.array([each.n_groups or 0 for each in estimates])
    groups = np.minimum(groups[:, None], groups)
    # Resampled groups spread too little.
    margin = -stdtrit(groups - 1, error / 2) * np.sqrt(groups / (groups - 1)) * spread
    # Where every group shows the same difference it has no spread, and its sign alone speaks: a
    # test by flipping signs has no smaller p than this.
    values = np.array([each.value for each in estimates])
    alike = (spread <= _SAME) & (np.abs(values[:, None] - values) > _SAME)
    margin[alike & (2.0 ** (1 - groups) > error)] = np.inf
    return np.asarray(margin)


def _unpaired(
    estimates: Sequence[Estimate], error: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both ends (n, n) of differences of values that share nothing."""
    values = np.array([each.value for each in estimates])
    wider = np.array([_wider(each.n_groups, error) for each in estimates])
    ends = [(each.low, each.high) if each.has_interval else (-np.inf, np.inf) for each in estimates]
    low, high = np.array(ends).reshape(-1, 2).T
    down, up = (values - low) * wider, (high - values) * wider
    difference = values[:, None] - values
    return difference - np.hypot(down[:, None], up), difference + np.hypot(up[:, None], down)


def _wider(n_groups: int | None, error: float) -> float:
    """Return by how much a 95 % interval must be wider to err so rarely."""
    from scipy.special import ndtri, stdtrit

    tails = np.array([error / 2, (1 - CONFIDENCE) / 2])
    if n_groups is None or n_groups < MINIMUM_GROUPS:
        far, near = ndtri(tails)
    else:
        far, near = stdtrit(n_groups - 1, tails)
    return float(far / near)


def places(differences: Differences, *, more_is_better: bool = True) -> list[tuple[int, int]]:
    """Return the best and the worst place of each value that the differences allow.

    Args:
        differences: of every two of n values.
        more_is_better: whether place 1 is that of the greatest value.

    Returns:
        For each value 1 + the number of those shown to be better, and n - the number of those
        shown to be worse.

    Example:
        >>> apart = [Estimate(0.9, 0.85, 0.95), Estimate(0.2, 0.1, 0.3), Estimate(0.15, 0.1, 0.2)]
        >>> places(simultaneous_differences(apart))
        [(1, 1), (2, 3), (2, 3)]

    """
    greater = differences.greater if more_is_better else differences.greater.T
    better, worse = greater.sum(axis=0), greater.sum(axis=1)
    return list(zip((1 + better).tolist(), (len(greater) - worse).tolist(), strict=True))
