"""Resampling: cluster bootstrap by group with one resample for everything compared.

Pairs from one source are not independent, so whole groups are drawn, not pairs (docs/method.md;
Field & Welsh 2007, JRSS B 69, "Bootstrapping clustered data"). tau_14 is a ratio of sums over
groups, so a replicate needs no pairs: it is one row of multinomial weights times the sums of each
group, and all replicates are one matrix product. Every perspective, and every model on the same
sources, is multiplied with the *same* weights: only so do differences of replicates mean anything.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.influence import group_sums, ratio

GroupSums = tuple[NDArray[np.float64], NDArray[np.float64]]
"""C - D and C + D + T of every group, both (G, F)."""

# One chunk of weights (replicates x groups, 8 bytes each) stays within this.
_CHUNK_BYTES = 16_000_000


def bootstrap_taus(
    perspectives: Sequence[Comparisons], *, replicates: int = 2000, seed: int = 0
) -> tuple[NDArray[np.float64], ...]:
    """Return bootstrap replicates of every perspective's factor influences.

    Groups are drawn with replacement from those that occur in at least one of the perspectives, and
    replicate b uses the same draw in all of them. A group code must mean the same source in each.

    Args:
        perspectives: the tables that are compared.
        replicates: B, the number of draws.
        seed: of the draws. The result depends on nothing else.

    Returns:
        For each perspective, (B, F_i) replicates of tau_14, NaN where no pair of the factor was
        drawn.

    Raises:
        ValueError: ``replicates`` is below 1.

    Example:
        >>> table = Comparisons(
        ...     [1, 1, -1], [[1], [0], [1]], [[False]] * 3, [0, 1, 2], ("length",), "human"
        ... )
        >>> taus, same = bootstrap_taus([table, table], replicates=100)
        >>> taus.shape, bool((taus == same).all())
        ((100, 1), True)

    """
    return resampled_taus(sums_by_table(perspectives), replicates=replicates, seed=seed)


def resampled_taus(
    sums: Sequence[GroupSums], *, replicates: int, seed: int
) -> tuple[NDArray[np.float64], ...]:
    """Return what :func:`bootstrap_taus` does, of the sums of :func:`sums_by_table`."""
    if not sums:
        return ()
    columns = np.hstack([np.hstack(side) for side in zip(*sums, strict=True)])
    drawn = resampled_sums(columns, replicates=replicates, seed=seed)
    taus = ratio(*np.split(drawn, 2, axis=1))
    ends = np.cumsum([net.shape[1] for net, _ in sums])
    return tuple(np.split(taus, ends[:-1], axis=1))


def sums_by_table(tables: Sequence[Comparisons]) -> list[GroupSums]:
    """Return the sums of each table, row by row over the groups that occur in any of them.

    Example:
        >>> one = Comparisons([1], [[1]], [[False]], [0], ("length",), "human")
        >>> other = Comparisons([1], [[-1]], [[False]], [3], ("length",), "human")
        >>> [net.ravel().tolist() for net, _ in sums_by_table([one, other])]
        [[1.0, 0.0], [0.0, -1.0]]

    """
    groups: list[ArrayLike] = [table.group for table in tables]
    present = np.unique(np.concatenate([*groups, np.zeros(0, np.int32)])).astype(np.int32)
    n_groups = int(present[-1]) + 1 if present.size else 0
    sums = (group_sums(table, n_groups) for table in tables)
    return [(net[present], counted[present]) for net, counted in sums]


def resampled_sums(
    columns: NDArray[np.float64], *, replicates: int, seed: int
) -> NDArray[np.float64]:
    """Return sums over groups that are drawn with replacement.

    Args:
        columns: (G, C), what each group adds to every sum.
        replicates: B, the number of draws of G groups.
        seed: of the draws. They depend on G and the seed alone.

    Returns:
        (B, C). Beside it never more than some 16 MB of weights are in memory.

    Raises:
        ValueError: ``replicates`` is below 1.

    Example:
        >>> resampled_sums(np.array([[1.0], [1.0]]), replicates=3, seed=0).ravel().tolist()
        [2.0, 2.0, 2.0]

    """
    if replicates < 1:
        raise ValueError(f"replicates is {replicates}; give at least 1")
    n_groups = len(columns)
    rng = np.random.default_rng(seed)
    sums = np.empty((replicates, columns.shape[1]))
    rows = max(1, _CHUNK_BYTES // (8 * max(1, n_groups)))
    for start in range(0, replicates, rows):
        chunk = slice(start, min(start + rows, replicates))
        sums[chunk] = _multinomial_weights(rng, chunk.stop - chunk.start, n_groups) @ columns
    return sums


def _multinomial_weights(rng: np.random.Generator, rows: int, n_groups: int) -> NDArray[np.float64]:
    """Return (rows, G): how often each group is drawn in G draws with replacement.

    Counting drawn indices gives the multinomial distribution several times faster than
    ``rng.multinomial``, and the stream is consumed row by row, whatever the chunks.
    """
    if n_groups == 0:
        return np.zeros((rows, 0))
    drawn = rng.integers(n_groups, size=(rows, n_groups))
    drawn += np.arange(rows)[:, None] * n_groups
    counts = np.bincount(drawn.ravel(), minlength=rows * n_groups)
    return counts.reshape(rows, n_groups).astype(np.float64)
