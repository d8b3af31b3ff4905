"""A random sample of groups that does not depend on how the data were read.

Some statistics need the pairs themselves, which nobody can keep of any number of groups. Those are
kept of the groups whose names have the smallest hashes: a sample as random as the hash, which is
the same in whatever parts the groups come, and merges (bottom-k sampling; Cohen & Kaplan 2007,
"Summarizing data using bottom-k sketches"). Of no more groups than it holds it is all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from profile_tasks.scorers.statistics.annotators import Votes
from profile_tasks.scorers.statistics.comparisons import Comparisons

SAMPLED_GROUPS = 1 << 13
"""Groups that a sample holds: regressions and halves on them have errors below what matters, and
take part of a second."""


class ScatteredGroupError(ValueError):
    """Pairs of one group were counted apart, and have to be counted together."""


def group_hashes(names: Sequence[str]) -> NDArray[np.uint64]:
    """The hashes of the names of groups, 64 bits each."""
    return np.fromiter(map(xxh3_64_intdigest, map(str.encode, names)), np.uint64, len(names))


@dataclass(frozen=True, eq=False)
class GroupSample:
    """The pairs of some groups.

    Attributes:
        names: (k,) of the groups, rising; the group code of a pair is its place here.
        hashes: (k,) of the names.
        table: the pairs of these groups.
        votes: the single votes behind the preferences, row by row.
        most: how many groups the sample may hold.

    Example:
        >>> table = Comparisons([1, -1], [[1]] * 2, [[False]] * 2, [0, 1], ("length",), "human")
        >>> votes = Votes.from_lists([[], []], [0, 1])
        >>> whole = GroupSample.of(("g1", "g2"), table, votes)
        >>> (whole + GroupSample.of(("g0", "g3"), table, votes)).names.tolist()
        ['g0', 'g1', 'g2', 'g3']

    """

    names: NDArray[np.object_]
    hashes: NDArray[np.uint64]
    table: Comparisons
    votes: Votes
    most: int = SAMPLED_GROUPS

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        table: Comparisons,
        votes: Votes,
        most: int = SAMPLED_GROUPS,
        hashes: NDArray[np.uint64] | None = None,
    ) -> Self:
        """Return the sample of groups that are whole.

        Args:
            names: of the groups; the group codes of the table are places here. Those that have
                no pair are left out.
            table: the pairs.
            votes: row by row with the table.
            most: how many groups it may hold.
            hashes: of the names, where they are known.
        """
        if hashes is None:
            hashes = group_hashes(names)
        held = np.array(names, object)
        return cls(held, hashes, table, votes, most)._smallest()

    def __add__(self, other: Self) -> Self:
        """Return the sample of the groups of both, of which none may be in the two.

        Raises:
            ScatteredGroupError: a group is in both, so that its pairs stand in two parts.
            ValueError: the factors differ.
        """
        if self.table.factors != other.table.factors:
            raise ValueError(
                f"one part has the factors {', '.join(self.table.factors)}, another "
                f"{', '.join(other.table.factors)}"
            )
        names = np.concatenate([self.names, other.names])
        if (both := np.intersect1d(self.hashes, other.hashes)).size:
            twice = self.names[np.isin(self.hashes, both)][0]
            raise ScatteredGroupError(
                f"group {twice!r} stands in two parts, and its pairs have to stand in one; sort or "
                "partition the rows by group"
            )
        joined = type(self)(
            names,
            np.concatenate([self.hashes, other.hashes]),
            _stacked(self.table, other.table, len(self.names)),
            _stacked_votes(self.votes, other.votes, len(self.names)),
            self.most,
        )
        return joined._smallest()

    def in_order(self) -> Self:
        """Return the sample, the pairs of each group in an order that no way of reading changes.

        They stand by all that is known of them, so that equal ones alone could change places.
        """
        known = (self.table.preference, *self.table.manifestation.T, *self.table.missing.T)
        rows = np.lexsort((*self.votes.vote.T, *self.votes.absent.T, *known, self.table.group))
        return replace(self, **self._pairs(rows, self.table.group[rows]))

    def _smallest(self) -> Self:
        """Keep the groups with the smallest hashes, in the order of their names."""
        kept = np.flatnonzero(np.bincount(self.table.group, minlength=len(self.names)))
        if len(kept) > self.most:
            kept = kept[np.argpartition(self.hashes[kept], self.most)[: self.most]]
        kept = kept[np.argsort(self.names[kept], kind="stable")]
        code = np.full(len(self.names), -1, np.int32)
        code[kept] = np.arange(len(kept))
        group = code[self.table.group]
        rows = np.flatnonzero(group >= 0)
        rows = rows[np.argsort(group[rows], kind="stable")]
        pairs = self._pairs(rows, group[rows])
        return replace(self, names=self.names[kept], hashes=self.hashes[kept], **pairs)

    def _pairs(self, rows: NDArray[np.intp], group: NDArray[np.int32]) -> dict[str, Any]:
        """Some of the pairs, with new codes of their groups."""
        table, votes = self.table, self.votes
        return {
            "table": replace(
                table,
                preference=table.preference[rows],
                manifestation=table.manifestation[rows],
                missing=table.missing[rows],
                group=group,
            ),
            "votes": Votes(votes.vote[rows], votes.absent[rows], group),
        }


def _stacked(first: Comparisons, second: Comparisons, shift: int) -> Comparisons:
    """The rows of both, the group codes of the second after those of the first."""
    return replace(
        first,
        preference=np.concatenate([first.preference, second.preference]),
        manifestation=np.concatenate([first.manifestation, second.manifestation]),
        missing=np.concatenate([first.missing, second.missing]),
        group=np.concatenate([first.group, second.group + np.int32(shift)]),
    )


def _stacked_votes(first: Votes, second: Votes, shift: int) -> Votes:
    most = max(first.vote.shape[1], second.vote.shape[1])
    vote, absent = (
        np.concatenate(
            [
                np.pad(array, ((0, 0), (0, most - array.shape[1])), constant_values=filling)
                for array in both
            ]
        )
        for both, filling in (
            ((first.vote, second.vote), 0),
            ((first.absent, second.absent), True),
        )
    )
    return Votes(vote, absent, np.concatenate([first.group, second.group + np.int32(shift)]))
