"""Factor influence: how strongly preferring one response follows its showing more of a factor.

``tau_14(f) = (C - D) / (C + D + T)`` over the pairs with a preference, where C pairs show more of f
in the preferred response, D in the other one, and T in neither (docs/method.md). Factor ties
stay in the denominator, preference ties are dropped: a factor that rarely differs cannot have a
strong influence. Over all pairs of one group's responses this is Somers' D of the factor value on
the score of preference (``scipy.stats.somersd(scores, values)``; Somers 1962, American Sociological
Review 27); over several groups it is their mean, weighted by the number of pairs.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.comparisons import Comparisons, Perspective


@dataclass(frozen=True, eq=False)
class FactorProfile:
    """The influence of every factor on one perspective's preference, with its counts.

    Attributes:
        perspective: whose preference it is.
        factors: the F factor names.
        tau: float (F,), tau_14 in [-1, 1]; NaN where no pair counts.
        concordant: int (F,), C: the preferred response shows more of the factor.
        discordant: int (F,), D: the other response does.
        tied: int (F,), T: neither does.
        missing: int (F,), pairs with a preference whose manifestation is unknown. Pairs without a
            preference are counted once, in ``n_preference_ties``, whatever their manifestation,
            so ``C + D + T + missing == n_pairs`` for every factor.
        groups: int (F,), groups with at least one counted pair.
        n_pairs: rows with a preference.
        n_groups: groups with at least one row.
        n_preference_ties: rows without a preference.
        reasons: F entries: why tau is NaN, or None.

    """

    perspective: Perspective
    factors: tuple[str, ...]
    tau: NDArray[np.float64]
    concordant: NDArray[np.int64]
    discordant: NDArray[np.int64]
    tied: NDArray[np.int64]
    missing: NDArray[np.int64]
    groups: NDArray[np.int64]
    n_pairs: int
    n_groups: int
    n_preference_ties: int
    reasons: tuple[str | None, ...]

    def record(self, index: int) -> dict[str, float | int | None]:
        """Return tau and the counts behind it of one factor, as JSON has them: NaN is None."""
        return {
            "tau": none_for_nan(self.tau[index]),
            "concordant": int(self.concordant[index]),
            "discordant": int(self.discordant[index]),
            "tied": int(self.tied[index]),
            "missing": int(self.missing[index]),
            "groups": int(self.groups[index]),
        }


def none_for_nan(value: float) -> float | None:
    """Return the value as JSON can hold it, which has no NaN."""
    return None if math.isnan(value) else float(value)


def factor_profile(comparisons: Comparisons) -> FactorProfile:
    """Return tau_14 of every factor and the counts behind it.

    Example:
        >>> table = Comparisons(
        ...     preference=[1, 1, -1, -1, 0],
        ...     manifestation=[[1], [0], [-1], [1], [1]],
        ...     missing=[[False]] * 5,
        ...     group=[0, 0, 1, 1, 1],
        ...     factors=("length",),
        ...     perspective="human",
        ... )
        >>> profile = factor_profile(table)
        >>> profile.tau.tolist(), profile.n_preference_ties
        ([0.25], 1)

    """
    codes, compact = np.unique(comparisons.group, return_inverse=True)
    agreement, counted = _agreement(comparisons)
    concordant = np.count_nonzero(agreement > 0, axis=0)
    discordant = np.count_nonzero(agreement < 0, axis=0)
    total = np.count_nonzero(counted, axis=0)
    decided = int(np.count_nonzero(comparisons.preference))
    return FactorProfile(
        perspective=comparisons.perspective,
        factors=comparisons.factors,
        tau=ratio(concordant - discordant, total),
        concordant=concordant,
        discordant=discordant,
        tied=total - concordant - discordant,
        missing=decided - total,
        groups=np.count_nonzero(_sum_by_group(counted, compact, len(codes)), axis=0),
        n_pairs=decided,
        n_groups=len(codes),
        n_preference_ties=len(comparisons.preference) - decided,
        reasons=tuple(_reason(comparisons, decided) if n == 0 else None for n in total),
    )


def group_sums(
    comparisons: Comparisons, n_groups: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each group's share of tau_14's numerator and denominator.

    tau_14 is a ratio of sums over groups, so these two matrices are all that resampling or
    sign-flipping by group needs. They hold whole numbers, hence their sums are exact in any order.

    Args:
        comparisons: the table.
        n_groups: G, the number of rows wanted; row g belongs to group code g.

    Returns:
        ``net`` (G, F) with C - D and ``counted`` (G, F) with C + D + T of every group; zero rows
        for codes that do not occur.

    Raises:
        ValueError: a group code is not below ``n_groups``.

    Example:
        >>> table = Comparisons(
        ...     [1, -1, 1], [[1], [1], [0]], [[False]] * 3, [0, 0, 2], ("length",), "human"
        ... )
        >>> net, counted = group_sums(table, 3)
        >>> net.ravel().tolist(), counted.ravel().tolist()
        ([0.0, 0.0, 0.0], [2.0, 0.0, 1.0])

    """
    if comparisons.group.size and comparisons.group.max() >= n_groups:
        raise ValueError(
            f"group code {comparisons.group.max()} does not fit n_groups={n_groups}; "
            "give 1 + the greatest code"
        )
    agreement, counted = _agreement(comparisons)
    return (
        _sum_by_group(agreement, comparisons.group, n_groups),
        _sum_by_group(counted, comparisons.group, n_groups),
    )


def ratio(
    net: NDArray[np.float64] | NDArray[np.int64], counted: NDArray[np.float64] | NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return tau_14 from its sums, ``net / counted``; NaN where nothing is counted.

    Example:
        >>> ratio(np.array([1.0, 0.0]), np.array([4.0, 0.0])).tolist()
        [0.25, nan]

    """
    undefined = np.full(np.shape(net), np.nan)
    return np.divide(net, counted, out=undefined, where=np.asarray(counted) > 0)


def _agreement(comparisons: Comparisons) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Return +1 concordant, -1 discordant, 0 otherwise, and which cells count; both (n, F)."""
    agreement = comparisons.preference[:, None] * comparisons.manifestation
    return agreement, (comparisons.preference[:, None] != 0) & ~comparisons.missing


def _sum_by_group(
    values: NDArray[np.int8] | NDArray[np.bool_], group: NDArray[np.integer], n_groups: int
) -> NDArray[np.float64]:
    """Return the (G, F) sums of values (n, F) over the rows of each group."""
    sums = np.zeros((n_groups, values.shape[1]))
    for index, column in enumerate(values.T):
        sums[:, index] = np.bincount(group, weights=column, minlength=n_groups)
    return sums


def _reason(comparisons: Comparisons, decided: int) -> str:
    n = len(comparisons.preference)
    if n == 0:
        return "there are no pairs"
    if decided == 0:
        return f"all {n} pairs are preference ties"
    return f"the factor is missing in all {decided} pairs with a preference"
