"""Uncertainty: cluster bootstrap by group with one resample for everything compared.

Pairs from one source are not independent, so whole groups are drawn, not pairs (docs/method.md;
Field & Welsh 2007, JRSS B 69, "Bootstrapping clustered data"). tau_14 is a ratio of sums over
groups, so a replicate needs no pairs: it is one row of multinomial weights times the sums of each
group, and all replicates are one matrix product. Every perspective, and every model on the same
sources, is multiplied with the *same* weights: only so do differences of replicates mean anything.

Three intervals are made of the replicates; docs/calibration.md has what each one covers.

* **percentile**, for influences and shares: its tails are widened as Student's t is wider than the
  normal distribution, since G resampled groups spread too little by (G - 1) / G and in tails too
  short (the expanded percentile interval of Hesterberg 2015, The American Statistician 69).
* **symmetric**, for alignments and their gap: as far on both sides of the estimate as 95 % of the
  replicates lie from it (Hall 1988, JRSS B 50). Correlations of noisy profiles are biased towards
  0, and those of resampled ones once more, so that a percentile interval may lie beside the truth;
  here the bias of the replicates widens the interval instead of shifting it.
* **BCa**, bias-corrected and accelerated (Efron 1987, JASA 82), for comparison.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.influence import group_sums, ratio

MINIMUM_GROUPS = 8
"""Fewer groups give no interval."""

MINIMUM_DEFINED = 0.95
"""Where a statistic is defined in a smaller share of the replicates, there is no interval."""

# A replicate this close to the estimate equals it but for rounding.
_ROUNDING = 1e-12

# One chunk of weights (replicates x groups, 8 bytes each) stays within this.
_CHUNK_BYTES = 16_000_000


@dataclass(frozen=True)
class Interval:
    """A bootstrap confidence interval.

    Attributes:
        low: lower end, NaN with a reason where there is no interval.
        high: upper end, likewise.
        defined: share of the replicates, 0 to 1, in which the statistic is defined.
        reason: why there is no interval, or None.
        method: which interval it is; empty where nothing was estimated.

    """

    low: float
    high: float
    defined: float
    reason: str | None
    method: str

    @classmethod
    def none(cls, reason: str, *, defined: float = 0.0, method: str = "") -> Self:
        """Return that there is no interval, and why."""
        return cls(np.nan, np.nan, defined, reason, method)


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
    net, counted = _sums_of_all(perspectives)
    drawn = resampled_sums(np.hstack([net, counted]), replicates=replicates, seed=seed)
    return _by_perspective(perspectives, ratio(*np.split(drawn, 2, axis=1)))


def left_out_taus(perspectives: Sequence[Comparisons]) -> tuple[NDArray[np.float64], ...]:
    """Return every perspective's influences with each group left out in turn, for BCa intervals.

    Args:
        perspectives: as in :func:`bootstrap_taus`.

    Returns:
        For each perspective, (G, F_i), one row for each group that occurs in at least one of them.

    Example:
        >>> table = Comparisons(
        ...     [1, 1, -1], [[1], [0], [1]], [[False]] * 3, [0, 1, 2], ("length",), "human"
        ... )
        >>> left_out_taus([table])[0].ravel().tolist()
        [-0.5, 0.0, 0.5]

    """
    net, counted = _sums_of_all(perspectives)
    return _by_perspective(
        perspectives, ratio(net.sum(axis=0) - net, counted.sum(axis=0) - counted)
    )


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


def percentile_interval(
    replicates: NDArray[np.float64], confidence: float = 0.95, n_groups: int | None = None
) -> Interval:
    """Return the percentile interval of bootstrap replicates.

    Undefined replicates are left out as long as they are few: above 5 % of them the rest are a
    selection, and there is no interval.

    Args:
        replicates: (B,) replicates of one statistic, NaN where undefined.
        confidence: coverage wanted, between 0 and 1.
        n_groups: number of groups behind the statistic, for which the tails are widened. Below
            ``MINIMUM_GROUPS`` there is no interval. None leaves the tails as they are.

    Raises:
        ValueError: ``confidence`` is not between 0 and 1, or ``replicates`` is not (B,) with B > 0.

    Example:
        >>> percentile_interval(np.arange(101.0), confidence=0.5).low
        25.0
        >>> percentile_interval(np.arange(101.0), confidence=0.5, n_groups=10).low.__round__(1)
        22.9

    """
    method = "percentile" if n_groups is None else "percentile, expanded"
    values, defined, reason = _defined(replicates, confidence, n_groups)
    if reason is not None:
        return Interval.none(reason, defined=defined, method=method)
    tail = _tail(confidence, n_groups)
    low, high = np.quantile(values, (tail, 1 - tail)).tolist()
    return Interval(low, high, defined, None, method)


def symmetric_interval(
    estimate: float,
    replicates: NDArray[np.float64],
    confidence: float = 0.95,
    n_groups: int | None = None,
    *,
    limits: tuple[float, float],
) -> Interval:
    """Return the interval as wide on both sides as the replicates lie from the estimate.

    Args:
        estimate: the statistic itself.
        replicates: as in :func:`percentile_interval`.
        confidence: likewise.
        n_groups: likewise.
        limits: the interval ends there; nothing can lie outside.

    Raises:
        ValueError: as in :func:`percentile_interval`.

    Example:
        >>> replicates = 0.5 + np.arange(-0.5, 0.51, 0.01)
        >>> interval = symmetric_interval(0.7, replicates, limits=(-1, 1))
        >>> round(interval.low, 3), interval.high
        (0.05, 1)

    """
    method = "symmetric"
    values, defined, reason = _defined(replicates, confidence, n_groups)
    if reason is not None:
        return Interval.none(reason, defined=defined, method=method)
    radius = float(np.quantile(np.abs(values - estimate), 1 - 2 * _tail(confidence, n_groups)))
    low, high = max(limits[0], estimate - radius), min(limits[1], estimate + radius)
    return Interval(low, high, defined, None, method)


def bca_interval(
    estimate: float,
    replicates: NDArray[np.float64],
    left_out: NDArray[np.float64],
    confidence: float = 0.95,
    n_groups: int | None = None,
) -> Interval:
    """Return the bias-corrected and accelerated interval.

    Args:
        estimate: the statistic itself.
        replicates: as in :func:`percentile_interval`.
        left_out: (G,) the statistic with each group left out, as of :func:`left_out_taus`.
        confidence: as in :func:`percentile_interval`.
        n_groups: number of groups; below ``MINIMUM_GROUPS`` there is no interval. The tails are
            not widened.

    Raises:
        ValueError: as in :func:`percentile_interval`.

    Example:
        >>> replicates = np.arange(1.0, 101.0)
        >>> bca_interval(50.5, replicates, np.array([50.0, 51.0]), confidence=0.9).low.__round__(2)
        5.95

    """
    from scipy.special import ndtr, ndtri

    values, defined, reason = _defined(replicates, confidence, n_groups)
    known = left_out[np.isfinite(left_out)]
    if reason is None and known.size < MINIMUM_DEFINED * left_out.size:
        reason = (
            f"defined in only {known.size} of {left_out.size} samples with a group left out; "
            f"a BCa interval needs {MINIMUM_DEFINED:.0%} of them"
        )
    if reason is not None:
        return Interval.none(reason, defined=defined, method="BCa")
    below = np.count_nonzero(values < estimate - _ROUNDING)
    equal = np.count_nonzero(np.abs(values - estimate) <= _ROUNDING)
    # A share of 0 or 1 has no quantile; it stands for less than half a replicate.
    share = np.clip((below + equal / 2) / values.size, 0.5 / values.size, 1 - 0.5 / values.size)
    bias = ndtri(share)
    deviation = known.mean() - known
    spread = np.sqrt(np.square(deviation).sum())
    acceleration = 0.0 if spread <= _ROUNDING else (deviation**3).sum() / (6 * spread**3)
    tail = (1 - confidence) / 2
    shifted = bias + ndtri(np.array([tail, 1 - tail]))
    # Where one group decides, the denominator may reach 0: the quantile then runs to its end.
    room = np.maximum(1 - acceleration * shifted, _ROUNDING)
    low, high = np.quantile(values, ndtr(bias + shifted / room)).tolist()
    return Interval(low, high, defined, None, "BCa")


def _sums_of_all(
    perspectives: Sequence[Comparisons],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return C - D and C + D + T, both (G, sum of F_i), of the groups that occur."""
    groups: list[ArrayLike] = [table.group for table in perspectives]
    present = np.unique(np.concatenate([*groups, np.zeros(0, np.int32)])).astype(np.int32)
    n_groups = int(present[-1]) + 1 if present.size else 0
    sums = [group_sums(table, n_groups) for table in perspectives]
    empty = [np.zeros((present.size, 0))]
    net = np.hstack([*empty, *(net[present] for net, _ in sums)])
    counted = np.hstack([*empty, *(counted[present] for _, counted in sums)])
    return net, counted


def _by_perspective(
    perspectives: Sequence[Comparisons], taus: NDArray[np.float64]
) -> tuple[NDArray[np.float64], ...]:
    ends = np.cumsum([len(table.factors) for table in perspectives])
    return tuple(np.split(taus, ends[:-1], axis=1)) if perspectives else ()


def _defined(
    replicates: NDArray[np.float64], confidence: float, n_groups: int | None
) -> tuple[NDArray[np.float64], float, str | None]:
    """Return the defined replicates, their share, and why there is no interval, if so."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; it must lie between 0 and 1")
    if replicates.ndim != 1 or replicates.size == 0:
        raise ValueError(f"replicates has shape {replicates.shape}; expected (B,) with B > 0")
    values = replicates[np.isfinite(replicates)]
    defined = values.size / replicates.size
    if n_groups is not None and n_groups < MINIMUM_GROUPS:
        return values, defined, f"groups: {n_groups}; an interval needs at least {MINIMUM_GROUPS}"
    if defined < MINIMUM_DEFINED:
        reason = (
            f"only {values.size} of {replicates.size} replicates are defined; "
            f"an interval needs {MINIMUM_DEFINED:.0%} of them"
        )
        return values, defined, reason
    return values, defined, None


def _tail(confidence: float, n_groups: int | None) -> float:
    """Return the share of replicates beyond either end."""
    from scipy.special import ndtr, ndtri

    tail = (1 - confidence) / 2
    if n_groups is None:
        return tail
    return float(ndtr(ndtri(tail) * widening(confidence, np.array(n_groups))))


def widening(confidence: float, n_groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return by how much an interval must be wider for groups so few (Hesterberg 2015).

    Resampled groups spread too little by (G - 1) / G, and Student's t has longer tails.

    Example:
        >>> widening(0.95, np.array([8, 20, 200])).round(2).tolist()
        [1.29, 1.1, 1.01]

    """
    from scipy.special import ndtri, stdtrit

    tail = (1 - confidence) / 2
    spread = np.sqrt(n_groups / (n_groups - 1))
    return np.asarray(spread * stdtrit(n_groups - 1, tail) / ndtri(tail))


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
