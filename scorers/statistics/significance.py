"""Tests of single factors: does an influence differ from zero, and from another judge's.

**Against zero.** If a factor has no influence, a group is as likely to speak for it as against it,
so the sign of its net sum C - D may be flipped. Flipping whole groups keeps the dependence of pairs
from one source, where a test over pairs would reject far too often (docs/method.md; sign-flipping
by cluster: Canay, Romano & Shaikh 2017, Econometrica 85). It is preferred to a cluster-robust z,
which rejects a true hypothesis too often with few groups; docs/calibration.md has both.

**Two judges.** tau_a - tau_b is a sum over groups of ``(net_a - t n_a) / N_a`` less the same of b,
with n the counted pairs of a group, N those of all groups, and t any number. With t the two judges'
common tau, these terms are as likely positive as negative if the judges have the same influence, so
the same flips test them. Where both judged the same pairs, a flip swaps the judges in a group. Each
group is compared with itself: a model with people, or one model with another, on the same sources.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.influence import group_sums, profile_of, ratio

Adjustment = Literal["holm", "fdr_bh"]

# Sums this close, as a share of the sum of all sizes, differ by rounding; a group's own part in a
# difference of two taus is never as small.
_ROUNDING = 1e-12

# One chunk of signs (flips x groups, 8 bytes each) stays within this.
_CHUNK_BYTES = 16_000_000


@dataclass(frozen=True, eq=False)
class FactorTests:
    """A family of tests, one a factor, with p-values adjusted over the family.

    Attributes:
        factors: the F factor names.
        value: (F,) the tested influence or difference; NaN where it is not defined.
        p_value: (F,) two-sided, in (0, 1]; NaN where there is no test.
        p_holm: (F,) adjusted by Holm: bounds the chance of any false finding in the family.
        p_bh: (F,) adjusted by Benjamini and Hochberg: bounds the expected share of false findings.
        n_groups: (F,) groups that the test rests on.
        reasons: F entries: why there is no test, or None.
        family: which tests were adjusted together, in words.
        method: the test in words.

    """

    factors: tuple[str, ...]
    value: NDArray[np.float64]
    p_value: NDArray[np.float64]
    p_holm: NDArray[np.float64]
    p_bh: NDArray[np.float64]
    n_groups: NDArray[np.int64]
    reasons: tuple[str | None, ...]
    family: str
    method: str


def influence_tests(
    comparisons: Comparisons, *, permutations: int = 9999, seed: int = 0
) -> FactorTests:
    """Test every factor's influence against 0, by flipping the signs of whole groups.

    Args:
        comparisons: the table.
        permutations: number of random flips, where not all are taken.
        seed: of the random flips.

    Raises:
        ValueError: ``permutations`` is below 1.

    Example:
        >>> table = Comparisons(
        ...     [1] * 8, [[1, 1]] * 4 + [[1, -1]] * 4, [[False] * 2] * 8, range(8),
        ...     ("length", "fluency"), "human",
        ... )
        >>> tests = influence_tests(table)
        >>> tests.p_value.tolist(), tests.p_holm.tolist(), tests.family
        ([0.0078125, 1.0], [0.015625, 1.0], 'influence on the human preference: 2 factors')

    """
    profile = profile_of(comparisons)
    return _adjusted(
        comparisons.factors,
        profile.tau,
        sign_flip_p_values(comparisons, permutations=permutations, seed=seed),
        profile.groups,
        profile.reasons,
        f"influence on the {comparisons.perspective} preference",
        f"sign-flip test by group, {permutations} flips or all of them",
    )


def difference_tests(
    first: Comparisons,
    second: Comparisons,
    *,
    names: tuple[str, str] | None = None,
    permutations: int = 9999,
    seed: int = 0,
) -> FactorTests:
    """Test for every factor whether it drives two judges alike, paired by group.

    Args:
        first: preferences of one judge.
        second: preferences of the other, with the same factors. A group code must mean the same
            source in both; the pairs may differ.
        names: what to call the two; by default their perspectives.
        permutations: number of random flips, where not all are taken.
        seed: of the random flips.

    Returns:
        Tests of tau of the first less tau of the second. NaN with a reason where one of the two is
        not defined.

    Raises:
        ValueError: the factors differ, or ``permutations`` is below 1.

    Example:
        >>> pairs = dict(
        ...     manifestation=[[1]] * 8, missing=[[False]] * 8, group=range(8), factors=("length",)
        ... )
        >>> human = Comparisons([1] * 7 + [-1], **pairs, perspective="human")
        >>> model = Comparisons([-1] * 7 + [1], **pairs, perspective="discrimination")
        >>> tests = difference_tests(model, human)
        >>> tests.value.tolist(), tests.p_value.tolist()
        ([-1.5], [0.0703125])

    """
    if first.factors != second.factors:
        raise ValueError(
            f"the factors of the two judges differ: {', '.join(first.factors)}; "
            f"{', '.join(second.factors)}"
        )
    n_groups = max(int(table.group.max(initial=-1)) + 1 for table in (first, second))
    value, terms, counts = difference_terms(first, second, n_groups)
    defined = ~np.isnan(value)
    p_values = np.full(len(first.factors), np.nan)
    p_values[defined] = flipped_p_values(terms[:, defined], permutations, seed)
    labels = names or (first.perspective, second.perspective)
    profiles = [profile_of(table) for table in (first, second)]
    reasons = [
        next((f"{label}: {why}" for label, why in zip(labels, whys, strict=True) if why), None)
        for whys in zip(*(profile.reasons for profile in profiles), strict=True)
    ]
    return _adjusted(
        first.factors,
        value,
        p_values,
        np.count_nonzero(counts, axis=0),
        reasons,
        f"influence on {labels[0]} less that on {labels[1]}",
        f"paired sign-flip test by group, {permutations} flips or all of them",
    )


def difference_terms(
    first: Comparisons, second: Comparisons, n_groups: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return each difference of two judges' taus, and what every group adds to it.

    Args:
        first: preferences of one judge.
        second: those of the other, with the same factors.
        n_groups: G, more than the greatest group code.

    Returns:
        The differences (F,); the terms (G, F) that add up to them, taken from a tau in common, so
        that each is as likely turned where the two are driven alike; and (G, F) which groups count.
        Of a factor that one judge lacks all are NaN.
    """
    (net_a, n_a), (net_b, n_b) = (group_sums(table, n_groups) for table in (first, second))
    tau_a, tau_b = (
        ratio(net.sum(axis=0), n.sum(axis=0)) for net, n in ((net_a, n_a), (net_b, n_b))
    )
    common = (tau_a + tau_b) / 2
    terms = (net_a - common * n_a) / np.maximum(n_a.sum(axis=0), 1) - (
        net_b - common * n_b
    ) / np.maximum(n_b.sum(axis=0), 1)
    terms[np.abs(terms) < _ROUNDING] = 0
    return tau_a - tau_b, terms, (n_a > 0) | (n_b > 0)


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
    net, counted = group_sums(comparisons, int(comparisons.group.max(initial=-1)) + 1)
    p_values = flipped_p_values(net, permutations, seed)
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
    if not tested.any():
        return adjusted
    if method == "fdr_bh":
        from scipy.stats import false_discovery_control

        adjusted[tested] = false_discovery_control(adjusted[tested])
    else:
        adjusted[tested] = _holm(adjusted[tested])
    return adjusted


def _holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    # statsmodels' multipletests gives the same, and collects garbage at each call, which took most
    # of the time of all statistics of a run.
    order = p_values.argsort()
    steps = p_values[order] * np.arange(p_values.size, 0, -1)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted


def _adjusted(
    factors: tuple[str, ...],
    value: NDArray[np.float64],
    p_value: NDArray[np.float64],
    n_groups: NDArray[np.int64],
    reasons: Sequence[str | None],
    family: str,
    method: str,
) -> FactorTests:
    return FactorTests(
        factors=factors,
        value=value,
        p_value=p_value,
        p_holm=adjust_p_values(p_value, "holm"),
        p_bh=adjust_p_values(p_value, "fdr_bh"),
        n_groups=n_groups,
        reasons=tuple(reasons),
        family=f"{family}: {np.count_nonzero(~np.isnan(p_value))} factors",
        method=method,
    )


def flipped_p_values(
    net: NDArray[np.float64], permutations: int = 9999, seed: int = 0, *, mid: bool = False
) -> NDArray[np.float64]:
    """Return the two-sided p-values (F,) of sums over groups whose signs are as likely turned.

    Args:
        net: (G, F), what each group adds to every sum.
        permutations: as of :func:`sign_flip_p_values`.
        seed: likewise.
        mid: count the flips that come exactly as far by half (mid-p, Lancaster 1961). Sums of few
            whole numbers are lumpy: a test that counts them whole errs less often than it may, and
            finds less.

    Raises:
        ValueError: ``permutations`` is below 1.

    Example:
        >>> flipped_p_values(np.ones((3, 1))).tolist()
        [0.25]
        >>> flipped_p_values(np.ones((3, 1)), mid=True).tolist()
        [0.125]

    """
    if permutations < 1:
        raise ValueError(f"permutations is {permutations}; give at least 1")
    net = net[net.any(axis=1)]
    # 2**k <= permutations + 1, without the power, which overflows beyond 1,023 groups.
    exact = np.count_nonzero(net, axis=0) < (permutations + 1).bit_length()
    p_values = np.full(net.shape[1], np.nan)
    as_far = 0.5 if mid else 1.0
    p_values[exact] = [_exact_p_value(column, as_far) for column in net.T[exact]]
    p_values[~exact] = _sampled_p_values(net[:, ~exact], permutations, seed, as_far)
    return p_values


def _exact_p_value(net: NDArray[np.float64], as_far: float) -> float:
    """Return the share of all sign flips with a sum as far from zero as the observed one.

    Those that are exactly as far count by ``as_far``.
    """
    sums = np.zeros(1)
    for value in net[net != 0]:
        sums = np.concatenate([sums + value, sums - value])
    least, beyond = _bounds(net[:, None])
    farther, far = (float(np.mean(np.abs(sums) >= bound)) for bound in (beyond, least))
    return farther + as_far * (far - farther)


def _bounds(net: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sizes (F,) from which on a flipped sum is as far from zero, and farther."""
    observed, rounding = np.abs(net.sum(axis=0)), _ROUNDING * np.abs(net).sum(axis=0)
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
