"""Reliability: how far a factor profile would come out again on other sources.

An alignment of two profiles is lowered by the sampling error of both (attenuation; Spearman 1904,
American Journal of Psychology 15). How much, the data themselves say: the groups are split into
random halves, each half gives a profile, and the correlation of the two half-profiles, stepped up
from half to full length, is the split-half reliability (Spearman 1910 and Brown 1910, British
Journal of Psychology 3). The factors take the place of the tested persons, the groups that of the
test's items.

**Averaging.** The correlations of the splits are averaged as they are, and the mean is stepped up
once. Fisher's z is infinite for a correlation of 1, which tau_b of a few factors often is, and the
step-up of single splits has a pole at -1.

**Scale.** ``2 r / (1 + r)``, and dividing by a reliability, are exact for Pearson's r under
classical test theory (errors of the halves uncorrelated and alike in size). tau_b is not on that
scale: with errors that halve Pearson's r it falls by more than half. So tau_b and rho are first
turned into the Pearson correlation that a normal distribution has with them,
``r = sin(pi tau / 2)`` (Greiner 1909) and ``r = 2 sin(pi rho / 6)`` (Pearson 1907), and the result
is turned back. A profile is no normal sample, so for tau_b and rho all of this is a heuristic.

**Intervals.** Not by the bootstrap: a resample holds some groups twice and others not at all, so
its halves are noisier than those of the sample, and their correlation is too low (in a simulation
with 200 groups, 95 % intervals covered 30 to 57 %). Leaving out a twentieth of the groups hardly
changes the noise, so the interval is that of a jackknife over blocks of groups (Efron & Tibshirani
1993, An Introduction to the Bootstrap, chapter 11; blocks rather than single groups, because ranks
are no smooth function: Shao & Wu 1989, Annals of Statistics 17), with t quantiles, on the scale of
Fisher's z where the number is bounded. docs/reliability.md has the simulation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.alignment import (
    COEFFICIENTS,
    MINIMUM_FACTORS,
    Coefficient,
    alignment_replicates,
)
from profile_tasks.scorers.statistics.comparisons import Comparisons, Perspective
from profile_tasks.scorers.statistics.estimate import MINIMUM_DEFINED, Estimate
from profile_tasks.scorers.statistics.influence import group_sums, ratio

BLOCKS = 20
"""At most so many blocks of groups are left out, one at a time, for an interval."""

# Halves are of like length only if no group outweighs the others: a group with this share of the
# pairs makes one half at least twice as long as the other.
_GREATEST_SHARE = 2 / 3

# Fisher's z of 1 is infinite. Beyond this it would blow up differences that mean nothing: of 200
# splits of few factors, one more or less with the same order.
NEARLY_ONE = 0.999

# One chunk of halves (splits x groups, 8 bytes each) stays within this.
_CHUNK_BYTES = 16_000_000


@dataclass(frozen=True, eq=False)
class HalfProfiles:
    """Profiles of random halves of the groups, and the same with each block of groups left out.

    Along the first axis of the three arrays, entry 0 is of all groups, and entry k of all but the
    k-th block. What :func:`split_halves` returns together shares its splits and its blocks.

    Attributes:
        perspective: whose preference it is.
        factors: the F factor names.
        first: (K + 1, S, F) tau_14 over the first half of each split; NaN where no pair counts.
        second: (K + 1, S, F) tau_14 over the other half.
        whole: (K + 1, F) tau_14 over both halves.
        groups: (G,) codes of the groups that were split, in the order of the blocks.
        present: bool (G,), whether this perspective has a pair that counts in the group.
        seed: of the splits and the blocks.
        reason: why halves of this perspective say nothing, or None.

    """

    perspective: Perspective
    factors: tuple[str, ...]
    first: NDArray[np.float64]
    second: NDArray[np.float64]
    whole: NDArray[np.float64]
    groups: NDArray[np.int64]
    present: NDArray[np.bool_]
    seed: int
    reason: str | None


@dataclass(frozen=True)
class Reliability:
    """Split-half reliability of one factor profile.

    Attributes:
        perspective: whose profile it is.
        half: correlation of two half-profiles, averaged over the splits; NaN where not defined.
        full: the same stepped up to the whole sample: the correlation to be expected with the
            profile of as many other sources. An estimate; at most 1. Below 0 it says that nothing
            was found to be reliable. NaN with a reason where not defined.
        n_groups: groups with a pair that counts.
        n_splits: number of random splits.
        method: the method in words.

    """

    perspective: Perspective
    half: Mapping[Coefficient, float]
    full: Mapping[Coefficient, Estimate]
    n_groups: int
    n_splits: int
    method: str


def split_halves(
    perspectives: Sequence[Comparisons], *, splits: int = 200, seed: int = 0
) -> tuple[HalfProfiles, ...]:
    """Split the groups into random halves, the same for all perspectives.

    A half holds half of the groups (of an odd number, one more or less), and half of those that
    have the same perspectives.

    Args:
        perspectives: the tables. A group code must mean the same source in each.
        splits: S, the number of random splits.
        seed: of the splits and blocks. The result depends on nothing else.

    Raises:
        ValueError: ``splits`` is below 1.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> manifestation = rng.choice([-1, 1], (400, 3))
        >>> table = Comparisons(
        ...     np.sign(manifestation @ [3, 1, -1] + rng.logistic(size=400)), manifestation,
        ...     np.zeros((400, 3), bool), np.arange(400) // 4, ("a", "b", "c"), "human",
        ... )
        >>> (halves,) = split_halves([table], splits=50)
        >>> halves.first.shape
        (21, 50, 3)
        >>> reliability(halves).full["pearson"].value > 0.9
        True

    """
    if splits < 1:
        raise ValueError(f"splits is {splits}; give at least 1")
    if not perspectives:
        return ()
    n_codes = max(int(table.group.max(initial=-1)) + 1 for table in perspectives)
    sums = [group_sums(table, n_codes) for table in perspectives]
    counts = np.column_stack([counted.any(axis=1) for _, counted in sums])
    rng = np.random.default_rng(seed)
    groups = rng.permutation(np.flatnonzero(counts.any(axis=1)))
    present = counts[groups]
    # The groups of one half are chosen apart from those that other perspectives have.
    kinds = np.unique(present, axis=0, return_inverse=True)[1].ravel()
    columns = np.hstack([side[groups] for pair in sums for side in pair])
    first, both = _sums_of_halves(columns, kinds, splits, rng)
    halves = []
    for index, (table, (_, counted)) in enumerate(zip(perspectives, sums, strict=True)):
        start = 2 * sum(len(earlier.factors) for earlier in perspectives[:index])
        net = slice(start, start + len(table.factors))
        n = slice(net.stop, net.stop + len(table.factors))
        second = both[:, None] - first
        halves.append(
            HalfProfiles(
                perspective=table.perspective,
                factors=table.factors,
                first=ratio(first[..., net], first[..., n]),
                second=ratio(second[..., net], second[..., n]),
                whole=ratio(both[:, net], both[:, n]),
                groups=groups,
                present=present[:, index],
                seed=seed,
                reason=_no_halves(counted),
            )
        )
    return tuple(halves)


def reliability(halves: HalfProfiles) -> Reliability:
    """Return the split-half reliability of one profile.

    Args:
        halves: the half-profiles, out of :func:`split_halves`.

    Returns:
        The reliability. NaN with a reason for fewer than two groups, fewer than three factors, a
        group that holds most of the pairs, and half-profiles that are constant, or define fewer
        than three factors, in more than 5 % of the splits. No interval below ``MINIMUM_GROUPS``
        groups.

    """
    n_splits = halves.first.shape[1]
    n_groups = int(np.count_nonzero(halves.present))
    reason = halves.reason or too_few_factors(int(np.isfinite(halves.whole[0]).sum()))
    half = {}
    full = {}
    for name, means in mean_correlations(halves.first, halves.second).items():
        full[name] = stepped_up(means, name, 2, n_groups=n_groups, reason=reason)
        half[name] = float(means[0]) if reason is None else np.nan
    return Reliability(
        perspective=halves.perspective,
        half=half,
        full=full,
        n_groups=n_groups,
        n_splits=n_splits,
        method=(
            f"half-profiles correlated, mean of {n_splits} random splits by group, stepped up "
            f"(Spearman-Brown); interval: jackknife, {len(halves.whole) - 1} blocks of groups"
        ),
    )


def mean_correlations(
    first: NDArray[np.float64], second: NDArray[np.float64]
) -> dict[Coefficient, NDArray[np.float64]]:
    """Return the correlations of two profiles, averaged over splits.

    Splits where a correlation is not defined are left out as long as they are few: above 5 % of
    them the rest are a selection, and the mean is NaN.

    Args:
        first: (K, S, F) profiles, one split along the second axis.
        second: (K, S, F) the profiles to correlate them with.

    Returns:
        For each coefficient, (K,) means over the S splits.

    Example:
        >>> first = np.array([[[0.1, 0.2, 0.3], [0.2, 0.1, 0.3]]])
        >>> mean_correlations(first, first[:, ::-1])["spearman"].round(3).tolist()
        [0.5]

    """
    n_profiles, n_splits, n_factors = first.shape
    if n_factors < MINIMUM_FACTORS:
        return {name: np.full(n_profiles, np.nan) for name in COEFFICIENTS}
    rows = (n_profiles * n_splits, n_factors)
    aligned = alignment_replicates(first.reshape(rows), second.reshape(rows))
    means = {}
    for name in COEFFICIENTS:
        values = getattr(aligned, name).reshape(n_profiles, n_splits)
        defined = np.isfinite(values)
        mean = ratio(np.where(defined, values, 0.0).sum(axis=1), defined.sum(axis=1).astype(float))
        means[name] = np.where(defined.mean(axis=1) >= MINIMUM_DEFINED, mean, np.nan)
    return means


def pearson_scale(
    correlation: NDArray[np.float64], coefficient: Coefficient
) -> NDArray[np.float64]:
    """Return the Pearson correlation of a normal distribution with this tau_b or rho.

    Example:
        >>> pearson_scale(np.array([0.0, 1 / 3, 1.0]), "tau_b").round(3).tolist()
        [0.0, 0.5, 1.0]

    """
    if coefficient == "tau_b":
        return np.sin(np.pi / 2 * correlation)
    if coefficient == "spearman":
        return 2 * np.sin(np.pi / 6 * correlation)
    return correlation


def from_pearson_scale(
    correlation: NDArray[np.float64], coefficient: Coefficient
) -> NDArray[np.float64]:
    """Return what :func:`pearson_scale` turned; values outside [-1, 1] become its ends.

    Example:
        >>> from_pearson_scale(np.array([0.0, 0.5, 1.2]), "tau_b").round(3).tolist()
        [0.0, 0.333, 1.0]

    """
    inside = np.clip(correlation, -1, 1)
    if coefficient == "tau_b":
        return np.asarray(2 / np.pi * np.arcsin(inside))
    if coefficient == "spearman":
        return np.asarray(6 / np.pi * np.arcsin(inside / 2))
    return inside


def stepped_up(
    means: NDArray[np.float64],
    coefficient: Coefficient,
    times: float,
    *,
    n_groups: int,
    reason: str | None = None,
) -> Estimate:
    """Return the correlation to be expected of measurements so many times as long.

    The Spearman-Brown formula ``k r / (1 + (k - 1) r)`` on Pearson's scale. A negative mean
    correlation says that there is nothing to step up; the formula would run to minus infinity
    there, so it takes the absolute value below the line and stays within [-1, 1].

    Args:
        means: (K + 1,) correlations: entry 0 of all groups, the others with a block left out.
        coefficient: which correlation it is.
        times: k, how many times as long; 1 leaves the value as it is.
        n_groups: groups behind it; below ``MINIMUM_GROUPS`` there is no interval.
        reason: why it is not defined, if that is known already.

    Example:
        >>> stepped_up(np.array([0.5, 0.4, 0.6]), "pearson", 2, n_groups=2).value.__round__(3)
        0.667

    """
    if reason is None and np.isnan(means[0]):
        reason = (
            "half-profiles are constant, or define fewer than "
            f"{MINIMUM_FACTORS} factors, in more than {1 - MINIMUM_DEFINED:.0%} of the splits"
        )
    if reason is not None:
        return Estimate.undefined(reason)
    r = pearson_scale(means, coefficient)
    z = Estimate.jackknife(np.arctanh(np.clip(r, -NEARLY_ONE, NEARLY_ONE)), n_groups)
    ends = np.array([r[0], np.tanh(z.low), np.tanh(z.high)])
    return around(z, *from_pearson_scale(lengthened(ends, times), coefficient).tolist())


def lengthened(r: NDArray[np.float64], times: float) -> NDArray[np.float64]:
    """Return the correlation of measurements so many times as long (Spearman-Brown)."""
    return times * r / (1 + (times - 1) * np.abs(r))


def around(estimate: Estimate, value: float, low: float, high: float) -> Estimate:
    """Return the estimate on another scale; its ends hold the value in spite of rounding."""
    if not estimate.has_interval:
        return replace(estimate, value=value)
    return replace(estimate, value=value, low=min(low, value), high=max(high, value))


def too_few_factors(n_factors: int) -> str | None:
    """Say why profiles of so few factors have no correlation, if so."""
    if n_factors >= MINIMUM_FACTORS:
        return None
    return f"factors: {n_factors}; a correlation of profiles needs at least {MINIMUM_FACTORS}"


def _sums_of_halves(
    columns: NDArray[np.float64],
    kinds: NDArray[np.intp],
    splits: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sums of the groups' columns (G, C) over random halves, and over all groups.

    Entry 0 of the first axis sums all groups, entry k all but the k-th block: (K + 1, S, C) and
    (K + 1, C). The sums are of whole numbers, so that taking a block away is exact.
    """
    n_groups, n_columns = columns.shape
    blocks = min(BLOCKS, n_groups)
    ends = np.linspace(0, n_groups, blocks + 1).round().astype(int)
    sums = np.zeros((blocks, splits, n_columns))
    rows = max(1, _CHUNK_BYTES // (8 * max(1, n_groups)))
    for start in range(0, splits, rows):
        chunk = slice(start, min(start + rows, splits))
        # Every other group in random order, kind by kind: half of each kind.
        n_rows = chunk.stop - chunk.start
        order = (kinds + rng.random((n_rows, n_groups))).argsort(axis=1)
        half = np.zeros((n_rows, n_groups))
        np.put_along_axis(half, order[:, ::2], 1.0, axis=1)
        for block, (low, high) in enumerate(pairwise(ends)):
            sums[block, chunk] = half[:, low:high] @ columns[low:high]
    of_blocks = np.array([columns[a:b].sum(axis=0) for a, b in pairwise(ends)])
    return left_out_blocks(sums), left_out_blocks(of_blocks.reshape(blocks, n_columns))


def left_out_blocks(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum over all blocks (first axis), then the sums over all but each of them."""
    return np.concatenate([sums.sum(axis=0)[None], sums.sum(axis=0) - sums])


def _no_halves(counted: NDArray[np.float64]) -> str | None:
    """Say why halves of groups with these counted pairs (G, F) say nothing, if so."""
    pairs = counted.max(axis=1, initial=0)
    n_groups = int(np.count_nonzero(pairs))
    if n_groups < 2:
        return f"groups: {n_groups}; halves by group need at least 2"
    share = pairs.max() / pairs.sum()
    if share > _GREATEST_SHARE:
        return (
            f"one group holds {share:.0%} of the pairs; halves by group are of like length "
            f"only while no group holds more than {_GREATEST_SHARE:.0%}"
        )
    return None
