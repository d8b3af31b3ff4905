"""Sums over groups whose signs are as likely turned: how often they come as far from zero.

Of whole numbers, as net sums C - D are, the distribution of the flipped sum is known: it is the
inverse Fourier transform of a product of cosines (Pagano & Tritchler 1983, Journal of the American
Statistical Association 78). Signs are tilted so that the observed sum is the expected one, and the
chances weighed back, which makes small p-values as exact as large ones. Other numbers are flipped
in all ways where these are few, else at random.
"""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

# Sums this close, as a share of the sum of all sizes, differ by rounding; a group's own part in a
# difference of two taus is never as small.
ROUNDING = 1e-12

# One chunk of signs (flips x groups, 8 bytes each) stays within this.
_CHUNK_BYTES = 16_000_000

# Root sums of squares around the observed sum that are looked at; beyond lies less than e^-128
# (Hoeffding 1963).
_WINDOW = 16

# Whole sums that reach farther are flipped as other numbers are: a transform of as many places
# takes seconds a size, and memory.
_FARTHEST = 1 << 22

# A term of a transform below this adds nothing to a chance, but for rounding.
_NOTHING = 1e-25


def flipped_p_values(
    net: NDArray[np.float64], permutations: int = 9999, seed: int = 0, *, mid: bool = False
) -> NDArray[np.float64]:
    """Return the two-sided p-values (F,) of sums over groups whose signs are as likely turned.

    With k groups that are not zero there are 2**k flips. All of them count where a column holds
    whole numbers (of sizes below some millions), or where ``2**k <= permutations + 1``; else
    ``permutations`` random ones, with
    ``p = (1 + count) / (1 + permutations)`` (Phipson & Smyth 2010).

    Args:
        net: (G, F), what each group adds to every sum.
        permutations: number of random flips.
        seed: of the random flips, which all columns share.
        mid: count the flips that come exactly as far by half (mid-p, Lancaster 1961). Sums of few
            whole numbers are lumpy: a test that counts them whole errs less often than it may, and
            finds less.

    Raises:
        ValueError: ``permutations`` is below 1, or a number is NaN or infinite.

    Example:
        >>> flipped_p_values(np.ones((3, 1))).round(12).tolist()
        [0.25]
        >>> flipped_p_values(np.ones((3, 1)), mid=True).round(12).tolist()
        [0.125]

    """
    if permutations < 1:
        raise ValueError(f"permutations is {permutations}; give at least 1")
    net = np.asarray(net, np.float64)
    if not np.isfinite(net).all():
        group, column = np.argwhere(~np.isfinite(net))[0]
        raise ValueError(
            f"group {group} adds {net[group, column]} to sum {column}; leave out what is undefined"
        )
    net = net[net.any(axis=1)]
    as_far = 0.5 if mid else 1.0
    p_values = np.full(net.shape[1], np.nan)
    reach = np.minimum(np.abs(net).sum(axis=0), _WINDOW * np.linalg.norm(net, axis=0))
    whole = (net == np.rint(net)).all(axis=0) & (reach < _FARTHEST)
    p_values[whole] = [_p_value_of_whole(column, as_far) for column in net.T[whole]]
    # 2**k <= permutations + 1, without the power, which overflows beyond 1,023 groups.
    few = ~whole & (np.count_nonzero(net, axis=0) < (permutations + 1).bit_length())
    p_values[few] = [_enumerated_p_value(column, as_far) for column in net.T[few]]
    sampled = ~whole & ~few
    p_values[sampled] = _sampled_p_values(net[:, sampled], permutations, seed, as_far)
    return p_values


def _p_value_of_whole(net: NDArray[np.float64], as_far: float) -> float:
    """Return the share of all sign flips of whole numbers with a sum as far from zero.

    Those that are exactly as far count by ``as_far``.
    """
    sizes, counts = np.unique(np.abs(net[net != 0]).astype(np.int64), return_counts=True)
    return _p_value(sizes, counts, abs(int(net.sum())), as_far)


def p_value_of_sizes(sizes: Mapping[int, int], observed: int) -> float:
    """Return the two-sided p-value of a sum over groups whose signs are as likely turned.

    Args:
        sizes: of what each group adds, whole numbers above 0, with how many groups have each.
        observed: size of the sum.

    Example:
        >>> round(p_value_of_sizes({1: 3}, 3), 12)
        0.25

    """
    known = sorted(sizes)
    return _p_value(np.array(known, np.int64), np.array([sizes[n] for n in known]), observed, 1.0)


def _p_value(
    sizes: NDArray[np.int64], counts: NDArray[np.int64], observed: int, as_far: float
) -> float:
    if not sizes.size:
        return 1.0
    above, at = _upper_tail(sizes, counts, observed)
    if observed == 0:  # all sums are at least as far, on both sides of the one that is 0
        return 1 - (1 - as_far) * at
    return min(1.0, max(2 * (above + as_far * at), np.finfo(np.float64).tiny))


def _upper_tail(
    sizes: NDArray[np.int64], counts: NDArray[np.int64], observed: int
) -> tuple[float, float]:
    """Return the chances that the flipped sum is above the observed one, and that it is the same.

    Args:
        sizes: different sizes, at least 1.
        counts: how many groups have each.
        observed: the sum, not below 0.
    """
    most = int(sizes @ counts)
    if observed == most:
        return 0.0, math.exp2(-int(counts.sum()))
    tilt = _tilt(sizes, counts, observed)
    # Sums lie 2 apart, and are looked at modulo 2 n, of which those within the window are enough.
    window = math.ceil(_WINDOW * math.sqrt(float(counts @ sizes**2)))
    n = 1 << min(most, window).bit_length()
    j = np.arange(n // 2 + 1)
    factors = np.exp(1j * np.pi / n * (j * observed % (2 * n)))
    for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
        angle = np.pi / n * (j * size % (2 * n))
        factors = factors * (np.cos(angle) - 1j * math.tanh(size * tilt) * np.sin(angle)) ** count
        # With many groups, few places are left after the first sizes.
        j, factors = (each[np.abs(factors) > _NOTHING] for each in (j, factors))
    transform = np.zeros(n // 2 + 1, complex)
    transform[j] = factors
    tilted = np.fft.irfft(transform, n)[: min((most - observed) // 2, n // 2) + 1]
    log_growth = counts @ (np.logaddexp(sizes * tilt, -sizes * tilt) - math.log(2))
    # Rounding leaves some chances of nothing a little below 0.
    tail = np.maximum(tilted, 0) * np.exp(
        log_growth - tilt * observed - 2 * tilt * np.arange(tilted.size)
    )
    return float(tail[1:].sum()), float(tail[0])


def _tilt(sizes: NDArray[np.int64], counts: NDArray[np.int64], observed: int) -> float:
    """Return the tilt of signs under which the observed sum is expected, within half of 1.

    Chances are right under any tilt; under this one they lose the fewest digits. Newton's steps
    come from below, and never go beyond.
    """
    tilt = 0.0
    while True:
        turned = np.tanh(sizes * tilt)
        short = observed - float(counts @ (sizes * turned))
        if short <= 0.5:
            return tilt
        tilt += short / float(counts @ (sizes**2 * (1 - turned**2)))


def _enumerated_p_value(net: NDArray[np.float64], as_far: float) -> float:
    """Return the same of any numbers, flipped in all ways."""
    sums = np.zeros(1)
    for value in net[net != 0]:
        sums = np.concatenate([sums + value, sums - value])
    least, beyond = _bounds(net[:, None])
    farther, far = (float(np.mean(np.abs(sums) >= bound)) for bound in (beyond, least))
    return farther + as_far * (far - farther)


def _bounds(net: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sizes (F,) from which on a flipped sum is as far from zero, and farther."""
    observed, rounding = np.abs(net.sum(axis=0)), ROUNDING * np.abs(net).sum(axis=0)
    return observed - rounding, observed + rounding


def _sampled_p_values(
    net: NDArray[np.float64], permutations: int, seed: int, as_far: float
) -> NDArray[np.float64]:
    """Return the p-values of net sums (G, F) from random flips that all columns share."""
    n_groups, n_factors = net.shape
    if n_factors == 0:
        return np.zeros(0)
    rng = np.random.default_rng(seed)
    least, beyond = _bounds(net)
    counted = np.zeros(n_factors)
    rows = max(1, _CHUNK_BYTES // (8 * n_groups))
    for start in range(0, permutations, rows):
        # 64-bit draws: smaller ones are buffered per call, so the result would depend on chunks.
        size = (min(rows, permutations - start), n_groups)
        signs = 1.0 - 2.0 * rng.integers(2, size=size, dtype=np.int64)
        sums = np.abs(signs @ net)
        counted += as_far * np.count_nonzero(sums >= least, axis=0)
        if as_far < 1:
            counted += (1 - as_far) * np.count_nonzero(sums >= beyond, axis=0)
    return np.asarray((1 + counted) / (1 + permutations))
