"""Tests of single factors: does this influence differ from zero.

If a factor has no influence, a group is as likely to speak for it as against it, so the sign of its
net sum C - D may be flipped. Flipping whole groups keeps the dependence of pairs from one source,
where a test over pairs would reject far too often (docs/method.md; sign-flipping by cluster:
Canay, Romano & Shaikh 2017, Econometrica 85).
"""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.comparisons import Comparisons
from profile_tasks.scorers.influence import group_sums

Adjustment = Literal["holm", "fdr_bh"]

# One chunk of signs (flips x groups, 8 bytes each) stays within this.
_CHUNK_BYTES = 16_000_000


def sign_flip_p_values(
    comparisons: Comparisons, *, permutations: int = 9999, seed: int = 0
) -> NDArray[np.float64]:
    """Return the two-sided p-value of every factor under the hypothesis of no influence.

    The test statistic is |C - D|; the denominator of tau_14 does not change under flips. With k
    groups whose net sum is not zero there are 2**k flips: all of them are taken while
    ``2**k <= permutations + 1``, else ``permutations`` random ones, with
    ``p = (1 + count) / (1 + permutations)`` (Phipson & Smyth 2010). Few groups limit what can be
    found: no p-value is below ``2 / 2**k``.

    Args:
        comparisons: the table.
        permutations: number of random flips.
        seed: of the random flips, which all factors share.

    Returns:
        (F,) p-values in (0, 1]; NaN where tau_14 is.

    Raises:
        ValueError: ``permutations`` is below 1.

    Example:
        >>> table = Comparisons(
        ...     [1, 1, 1], [[1], [1], [1]], [[False]] * 3, [0, 1, 2], ("length",), "human"
        ... )
        >>> sign_flip_p_values(table).tolist()
        [0.25]

    """
    if permutations < 1:
        raise ValueError(f"permutations is {permutations}; give at least 1")
    n_groups = int(comparisons.group.max()) + 1 if comparisons.group.size else 0
    net, counted = group_sums(comparisons, n_groups)
    occurring = net.any(axis=1)
    net = net[occurring]
    # 2**k <= permutations + 1, without the power, which overflows beyond 1,023 groups.
    exact = np.count_nonzero(net, axis=0) < (permutations + 1).bit_length()
    p_values = np.full(len(comparisons.factors), np.nan)
    p_values[exact] = [_exact_p_value(column) for column in net.T[exact]]
    p_values[~exact] = _sampled_p_values(net[:, ~exact], permutations, seed)
    p_values[~counted.any(axis=0)] = np.nan
    return p_values


def adjust_p_values(p_values: NDArray[np.float64], method: Adjustment) -> NDArray[np.float64]:
    """Return p-values adjusted for testing several factors; NaN stays NaN and is not counted.

    Args:
        p_values: (F,) p-values in [0, 1], NaN where there is no test.
        method: ``holm`` bounds the chance of any false finding, ``fdr_bh`` (Benjamini-Hochberg) the
            expected share of false ones among the findings.

    Raises:
        ValueError: the method is unknown, or a p-value lies outside [0, 1].

    Example:
        >>> adjust_p_values(np.array([0.01, np.nan, 0.04]), "holm").tolist()
        [0.02, nan, 0.04]

    """
    if method not in get_args(Adjustment):
        raise ValueError(
            f"unknown adjustment {method!r}. Must be one of: {', '.join(get_args(Adjustment))}"
        )
    adjusted = np.array(p_values, dtype=np.float64)
    tested = ~np.isnan(adjusted)
    outside = tested & ~((adjusted >= 0) & (adjusted <= 1))
    if outside.any():
        index = int(outside.argmax())
        raise ValueError(f"p_values[{index}] is {adjusted[index]}; p-values lie between 0 and 1")
    if tested.any():
        from statsmodels.stats.multitest import multipletests

        adjusted[tested] = multipletests(adjusted[tested], method=method)[1]
    return adjusted


def _exact_p_value(net: NDArray[np.float64]) -> float:
    """Return the share of all sign flips with a sum as far from zero as the observed one."""
    sums = np.zeros(1)
    for value in net[net != 0]:
        sums = np.concatenate([sums + value, sums - value])
    return float(np.mean(np.abs(sums) >= abs(net.sum())))


def _sampled_p_values(
    net: NDArray[np.float64], permutations: int, seed: int
) -> NDArray[np.float64]:
    """Return the p-values of net sums (G, F) from random flips that all columns share."""
    n_groups, n_factors = net.shape
    if n_factors == 0:
        return np.zeros(0)
    rng = np.random.default_rng(seed)
    observed = np.abs(net.sum(axis=0))
    as_far = np.zeros(n_factors, dtype=np.int64)
    rows = max(1, _CHUNK_BYTES // (8 * n_groups))
    for start in range(0, permutations, rows):
        # 64-bit draws: smaller ones are buffered per call, so the result would depend on chunks.
        size = (min(rows, permutations - start), n_groups)
        signs = 1.0 - 2.0 * rng.integers(2, size=size, dtype=np.int64)
        as_far += np.count_nonzero(np.abs(signs @ net) >= observed, axis=0)
    return np.asarray((1 + as_far) / (1 + permutations))
