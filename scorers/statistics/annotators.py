"""Annotators: how far people agree with each other, the bar that a model could reach.

Two readings of the single votes. Vote by vote: the share of pairs of annotators that give the same
vote, and Fleiss' kappa. And in the terms of an alignment: a random half of each pair's annotators
is one panel and as many others a second one; both have a factor profile, and the alignment of the
two is what another panel of that size reaches where a model is compared with people. Both panels
judge the same pairs, as the model does, so the two share the sampling error of the pairs as people
and model share it, and the numbers can be set side by side.

Pairs may have different numbers of votes. Fleiss' kappa then averages over pairs what it averages
where the numbers are equal: each pair's share of agreeing annotators, and its shares of the three
votes (Gwet 2014, Handbook of Inter-Rater Reliability, 4th edition, chapter 2). Pairs with fewer
than two votes say nothing about agreement; they are left out and counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.alignment import Coefficient
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.influence import ratio
from profile_tasks.scorers.statistics.reliability import (
    BLOCKS,
    left_out_blocks,
    mean_correlations,
    stepped_up,
)
from profile_tasks.scorers.statistics.resampling import resampled_sums

# Arrays of one chunk (splits x votes, or replicates x groups, 8 bytes each) stay within this.
_CHUNK_BYTES = 16_000_000

_CATEGORIES = (1, -1, 0)


@dataclass(frozen=True, eq=False)
class Votes:
    """The single votes on each pair, row by row with a human comparison table.

    The arrays are copied and made read-only. Lists and other array-likes are accepted.

    Attributes:
        vote: int8 (n, most): 1 the first response, -1 the second, 0 a tie. A column is a place in
            the list of votes, not a person.
        absent: bool (n, most), true where a pair has fewer votes; the cell then holds 0.
        group: int32 (n,), code of the source, as in the comparison table.

    Raises:
        ValueError: a shape or a value does not fit; the message names the place.

    Example:
        >>> votes = Votes([[1, 1, -1], [0, 1, 0]], [[False] * 3, [False, False, True]], [0, 1])
        >>> votes.counts().tolist()
        [[2, 1, 0], [1, 0, 1]]

    """

    vote: NDArray[np.int8]
    absent: NDArray[np.bool_]
    group: NDArray[np.int32]

    def __post_init__(self) -> None:
        fields: tuple[Any, ...] = (self.vote, self.absent, self.group)
        vote, absent, group = (np.asarray(each) for each in fields)
        if vote.ndim != 2:
            raise ValueError(f"vote has shape {vote.shape}; expected (n, most), one row a pair")
        if absent.shape != vote.shape:
            raise ValueError(f"absent has shape {absent.shape}; expected {vote.shape}, as vote")
        if group.shape != vote.shape[:1]:
            raise ValueError(f"group has shape {group.shape}; expected {vote.shape[:1]}, as vote")
        if absent.size and absent.dtype != np.bool_:
            raise ValueError(f"absent has dtype {absent.dtype}; expected bool")
        if group.size and not np.issubdtype(group.dtype, np.integer):
            raise ValueError(f"group has dtype {group.dtype}; expected integer codes")
        for row in np.flatnonzero((group < 0) | (group > np.iinfo(np.int32).max))[:1]:
            raise ValueError(f"group[{row}] is {group[row]}; codes run from 0 to 2**31 - 1")
        for row, place in np.argwhere(~np.isin(vote, _CATEGORIES))[:1]:
            raise ValueError(
                f"vote[{row}, {place}] is {vote[row, place]}. Must be one of: -1, 0, 1; mark a "
                "missing vote in absent, with 0 here"
            )
        absent = absent.astype(np.bool_)
        for row, place in np.argwhere(absent & (vote != 0))[:1]:
            raise ValueError(
                f"vote[{row}, {place}] is marked absent yet holds {vote[row, place]}; an absent "
                "vote must hold 0"
            )
        for name, array, dtype in (
            ("vote", vote, np.int8),
            ("absent", absent, np.bool_),
            ("group", group, np.int32),
        ):
            copy = array.astype(dtype)
            copy.setflags(write=False)
            object.__setattr__(self, name, copy)

    @classmethod
    def from_lists(cls, votes: Sequence[Sequence[int]], group: Sequence[int]) -> Self:
        """Make the table from each pair's list of votes, which may be empty.

        Example:
            >>> Votes.from_lists([[1, 1, -1], [0]], group=[0, 1]).absent.tolist()
            [[False, False, False], [False, True, True]]

        """
        most = max(map(len, votes), default=0)
        vote = np.zeros((len(votes), most), np.int8)
        absent = np.ones((len(votes), most), np.bool_)
        for row, given in enumerate(votes):
            vote[row, : len(given)] = given
            absent[row, : len(given)] = False
        return cls(vote, absent, np.array(group, np.int32))

    def counts(self) -> NDArray[np.int64]:
        """Return (n, 3): each pair's votes for the first response, the second, and a tie."""
        return vote_counts(self.vote, ~self.absent)


@dataclass(frozen=True)
class AnnotatorAgreement:
    """How often annotators of one pair give the same vote.

    Attributes:
        agreement: share of agreeing pairs of annotators, averaged over the pairs of responses.
        kappa: Fleiss' kappa over first / second / tie: agreement above what the overall shares of
            the three votes would give by chance; 1 is full agreement, 0 no more than chance.
        kappa_either_order: the same with every pair counted in both orders. Which response is
            called the first is arbitrary, and where a file puts the better one first, only this
            kappa means anything.
        n_pairs: pairs with at least two votes; all of this is over them.
        n_left_out: pairs with fewer.
        n_votes: votes on the pairs that count.
        n_groups: groups of those pairs.
        method: the method in words.

    """

    agreement: Estimate
    kappa: Estimate
    kappa_either_order: Estimate
    n_pairs: int
    n_left_out: int
    n_votes: int
    n_groups: int
    method: str


@dataclass(frozen=True)
class AnnotatorAlignment:
    """The alignment of one half of the annotators with the other.

    Attributes:
        half: alignment of the factor profiles of two panels of ``half_size`` annotators each,
            averaged over random panels.
        full: an estimate of the same for two panels of ``panel_size``: stepped up. It is the bar
            for one more panel; the root of it is that of a model without any noise of its own.
        half_size: annotators in each of the two panels, mean over the pairs.
        panel_size: votes of a pair, mean over the pairs.
        n_pairs: pairs with at least two votes; all of this is over them.
        n_left_out: pairs with fewer.
        n_groups: groups of the pairs that count.
        n_factors: factors that every panel's profile defines.
        n_splits: number of random panels.
        method: the method in words.

    """

    half: Mapping[Coefficient, Estimate]
    full: Mapping[Coefficient, Estimate]
    half_size: float
    panel_size: float
    n_pairs: int
    n_left_out: int
    n_groups: int
    n_factors: int
    n_splits: int
    method: str


def annotator_agreement(
    votes: Votes, *, replicates: int = 2000, seed: int = 0
) -> AnnotatorAgreement:
    """Return how often annotators agree, with intervals by group.

    Kappa is a function of sums over groups, so a replicate needs no votes.

    Args:
        votes: the single votes.
        replicates: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        The agreement. NaN with a reason where no pair has two votes; kappa also where all votes
        are the same, so that chance agrees fully.

    Raises:
        ValueError: ``replicates`` is below 1.

    Example:
        >>> votes = Votes([[1, 1, 1], [-1, -1, 1], [0, 0, 0]], np.zeros((3, 3), bool), [0, 1, 2])
        >>> found = annotator_agreement(votes)
        >>> round(found.agreement.value, 3), round(found.kappa.value, 3)
        (0.778, 0.654)

    """
    counts = votes.counts()
    n = counts.sum(axis=1)
    several = n >= 2
    counts, n = counts[several], n[several]
    codes, group = np.unique(votes.group[several], return_inverse=True)
    same = (counts * (counts - 1)).sum(axis=1)
    # What kappa needs of a pair: that it counts, its agreement, its shares of the three votes.
    by_pair = np.column_stack([np.ones(len(n)), same / (n * (n - 1)), counts / n[:, None]])
    sums = np.column_stack(
        [np.bincount(group, column, codes.size).astype(np.float64) for column in by_pair.T]
    )
    whole = _agreements(by_pair.sum(axis=0)[None])[:, 0]
    drawn = _agreements(resampled_sums(sums, replicates=replicates, seed=seed))
    reason = None if len(n) else f"pairs with two votes or more: 0 of {len(several)}"
    constant = reason or "all votes are the same, so chance agrees fully"
    agreement = Estimate.share(float(whole[0]), sums[:, 1], sums[:, 0], drawn[0], reason)
    kappa, either = (
        Estimate.percentile(float(value), each, codes.size, constant)
        for value, each in zip(whole[1:], drawn[1:], strict=True)
    )
    return AnnotatorAgreement(
        agreement=agreement,
        kappa=kappa,
        kappa_either_order=either,
        n_pairs=len(n),
        n_left_out=int(np.count_nonzero(~several)),
        n_votes=int(n.sum()),
        n_groups=codes.size,
        method=(
            "intervals by group: of the agreement Korn-Graubard, of Fleiss' kappa bootstrap, "
            f"{replicates} replicates"
        ),
    )


def annotator_alignment(
    comparisons: Comparisons, votes: Votes, *, splits: int = 200, seed: int = 0
) -> AnnotatorAlignment:
    """Return the alignment of a random half of each pair's annotators with as many others.

    Of an odd number of annotators one, drawn anew for each split, is in neither panel: of three,
    one annotator is compared with one other, because panels of one and two would differ in noise.
    A panel's preference is its most frequent vote; equally frequent ones are a tie, as in the
    recorded preference. Averages, step-up and interval are those of ``reliability``.

    Args:
        comparisons: the human table; its manifestations are used, not its preference.
        votes: the single votes, row by row with the table.
        splits: number of random panels.
        seed: of the panels, and of the blocks of groups behind the interval.

    Returns:
        The alignment. NaN with a reason where no pair has two votes, or where profiles are
        constant or define fewer than three factors in more than 5 % of the splits.

    Raises:
        ValueError: ``splits`` is below 1, or the rows are not those of the table.

    """
    if splits < 1:
        raise ValueError(f"splits is {splits}; give at least 1")
    if not np.array_equal(votes.group, comparisons.group):
        raise ValueError(
            "the votes and the comparisons differ in their rows: group is not the same; make both "
            "from the same data, for example recorded_votes(data) and "
            "human_comparisons(data)"
        )
    n_votes = np.count_nonzero(~votes.absent, axis=1)
    several = np.flatnonzero(n_votes >= 2)
    rng = np.random.default_rng(seed)
    codes, group = np.unique(comparisons.group[several], return_inverse=True)
    blocks = min(BLOCKS, codes.size)
    block = (rng.permutation(codes.size) * blocks // max(1, codes.size))[group]
    n_factors = len(comparisons.factors)
    # Of each block of groups: C - D and C + D + T of either panel.
    sums = np.zeros((blocks, 4, splits, n_factors))
    for index in range(blocks):
        rows = several[block == index]
        manifestation = comparisons.manifestation[rows].astype(np.float64)
        known = (~comparisons.missing[rows]).astype(np.float64)
        chunk = max(1, _CHUNK_BYTES // (8 * max(1, votes.vote[rows].size)))
        for start in range(0, splits, chunk):
            part = slice(start, min(start + chunk, splits))
            panels = _panels(votes.vote[rows], votes.absent[rows], part.stop - part.start, rng)
            for side, preference in enumerate(panels):
                sums[index, 2 * side, part] = preference @ manifestation
                sums[index, 2 * side + 1, part] = np.abs(preference) @ known
    # Entry 0 over all blocks, the others over all but one.
    left_out = left_out_blocks(sums)
    first, second = (ratio(left_out[:, i], left_out[:, i + 1]) for i in (0, 2))
    reason = None if several.size else f"pairs with two votes or more: 0 of {len(n_votes)}"
    panel_size, half_size = (
        float(sizes[several].mean()) if several.size else np.nan
        for sizes in (n_votes, n_votes // 2)
    )
    half = {}
    full = {}
    for name, means in mean_correlations(first, second).items():
        half[name] = stepped_up(means, name, 1, n_groups=codes.size, reason=reason)
        times = panel_size / half_size
        full[name] = stepped_up(means, name, times, n_groups=codes.size, reason=reason)
    return AnnotatorAlignment(
        half=half,
        full=full,
        half_size=half_size,
        panel_size=panel_size,
        n_pairs=several.size,
        n_left_out=len(n_votes) - several.size,
        n_groups=codes.size,
        n_factors=int(np.isfinite([first[0], second[0]]).all(axis=(0, 1)).sum()),
        n_splits=splits,
        method=(
            f"profiles of two random panels, mean of {splits} draws; full: stepped up "
            f"(Spearman-Brown); interval: jackknife, {blocks} blocks of groups"
        ),
    )


def vote_counts(vote: NDArray[np.int8], counted: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return (..., 3): the counted votes along the last axis for first, second and tie."""
    return np.stack(
        [np.count_nonzero((vote == category) & counted, axis=-1) for category in _CATEGORIES],
        axis=-1,
    )


def _panels(
    vote: NDArray[np.int8], absent: NDArray[np.bool_], splits: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the preferences (S, n) of two random panels of half of each pair's annotators."""
    n, most = vote.shape
    # Absent votes come last, in whatever order.
    order = (absent + rng.random((splits, n, most))).argsort(axis=-1)
    shuffled = np.take_along_axis(np.broadcast_to(vote, order.shape), order, axis=-1)
    half = (np.count_nonzero(~absent, axis=1) // 2)[:, None]
    place = np.arange(most)
    in_first = np.broadcast_to(place < half, order.shape)
    in_second = np.broadcast_to((place >= half) & (place < 2 * half), order.shape)
    return plurality(vote_counts(shuffled, in_first)), plurality(vote_counts(shuffled, in_second))


def plurality(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the most frequent vote of (..., 3), as a sign (...); 0 where several are."""
    first, second, tie = (counts[..., column] for column in range(3))
    return np.where(
        (first > second) & (first > tie),
        1.0,
        np.where((second > first) & (second > tie), -1.0, 0.0),
    )


def _agreements(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (3, B): agreement, Fleiss' kappa and that of either order, from sums (B, 5)."""
    agreement = ratio(sums[:, 1], sums[:, 0])
    shares = np.stack([ratio(sums[:, column], sums[:, 0]) for column in (2, 3, 4)])
    either = np.stack([(shares[0] + shares[1]) / 2, (shares[0] + shares[1]) / 2, shares[2]])
    kappas = []
    for each in (shares, either):
        by_chance = np.square(each).sum(axis=0)
        kappas.append(ratio(agreement - by_chance, 1 - by_chance))
    return np.stack([agreement, *kappas])
