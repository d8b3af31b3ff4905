"""Factor influence: how strongly preferring one response follows its showing more of a factor.

``tau_14(f) = (C - D) / (C + D + T)`` over the pairs with a preference, where C pairs show more of f
in the preferred response, D in the other one, and T in neither (docs/method.md). Factor ties
stay in the denominator, preference ties are dropped: a factor that rarely differs cannot have a
strong influence. Over all pairs of one group's responses this is Somers' D of the factor value on
the score of preference (``scipy.stats.somersd(scores, values)``; Somers 1962, American Sociological
Review 27); over several groups it is their mean, weighted by the number of pairs.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.comparisons import Comparisons, Perspective
from profile_tasks.scorers.statistics.estimate import none_for_nan


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


def profile_of(comparisons: Comparisons) -> FactorProfile:
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
        >>> profile = profile_of(table)
        >>> profile.tau.tolist(), profile.n_preference_ties
        ([0.25], 1)

    """
    concordant, discordant = _agreements(comparisons)
    missing, groups, n_groups = _missing_and_groups(comparisons)
    decided = int(np.count_nonzero(comparisons.preference))
    total = decided - missing
    return FactorProfile(
        perspective=comparisons.perspective,
        factors=comparisons.factors,
        tau=ratio(concordant - discordant, total),
        concordant=concordant,
        discordant=discordant,
        tied=total - concordant - discordant,
        missing=missing,
        groups=groups,
        n_pairs=decided,
        n_groups=n_groups,
        n_preference_ties=len(comparisons.preference) - decided,
        reasons=tuple(
            undefined(len(comparisons.preference), decided) if n == 0 else None for n in total
        ),
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
    group = comparisons.group.astype(np.intp)  # once, rather than in every count below
    net = np.empty((n_groups, len(comparisons.factors)), order="F")
    for index in range(len(comparisons.factors)):
        net[:, index] = np.bincount(group, _agreement(comparisons, index), n_groups)
    counted = np.empty_like(net)
    decided = group[np.flatnonzero(comparisons.preference)]
    counted[:] = np.bincount(decided, minlength=n_groups)[:, None]
    for index, rows in _unknown_rows(comparisons):
        counted[:, index] -= np.bincount(group[rows], minlength=n_groups)
    return net, counted


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


def undefined(n: int, decided: int) -> str:
    """Return why no pair counts of so many, of which so many have a preference."""
    if n == 0:
        return "there are no pairs"
    if decided == 0:
        return f"all {n} pairs are preference ties"
    return f"the factor is missing in all {decided} pairs with a preference"


def _agreement(comparisons: Comparisons, index: int) -> NDArray[np.int8]:
    """Return (n,) of one factor: +1 concordant, -1 discordant, 0 otherwise."""
    return comparisons.preference * comparisons.manifestation[:, index]


def _agreements(comparisons: Comparisons) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return C and D of every factor, both (F,)."""
    concordant, discordant = np.zeros((2, len(comparisons.factors)), np.int64)
    for index in range(len(comparisons.factors)):
        agreement = _agreement(comparisons, index)
        concordant[index] = np.count_nonzero(agreement > 0)
        discordant[index] = np.count_nonzero(agreement) - concordant[index]
    return concordant, discordant


def _missing_and_groups(
    comparisons: Comparisons,
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return ``missing`` and ``groups`` of every factor, and the number of groups of the table."""
    n_groups = _n_groups(comparisons.group)
    missing = np.zeros(len(comparisons.factors), np.int64)
    groups = np.full(len(comparisons.factors), n_groups)
    if comparisons.preference.all() and not comparisons.missing.any():
        return missing, groups, n_groups
    group = _dense_codes(comparisons.group)
    pairs = np.bincount(group[np.flatnonzero(comparisons.preference)])
    groups[:] = np.count_nonzero(pairs)
    for index, rows in _unknown_rows(comparisons):
        missing[index] = rows.size
        groups[index] = np.count_nonzero(pairs > np.bincount(group[rows], minlength=len(pairs)))
    return missing, groups, n_groups


def _n_groups(group: NDArray[np.int32]) -> int:
    steps = np.diff(group)
    if steps.min(initial=0) >= 0:  # the rows stand in order, and need not be brought into it
        return int(np.count_nonzero(steps)) + min(1, group.size)
    return int(np.count_nonzero(np.bincount(_dense_codes(group))))


def _dense_codes(group: NDArray[np.int32]) -> NDArray[np.integer]:
    """Return codes below the number of rows, so that an array over all codes stays small."""
    if group.size and group.max() >= group.size:
        return np.unique(group, return_inverse=True)[1]
    return group


def _unknown_rows(comparisons: Comparisons) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Yield each factor with missing cells, and the rows with a preference that lack it.

    They are few as a rule, so counting them and subtracting is faster than counting the others.
    """
    decided = comparisons.preference != 0
    for index in np.flatnonzero(comparisons.missing.any(axis=0)).tolist():
        yield index, np.flatnonzero(comparisons.missing[:, index] & decided)
