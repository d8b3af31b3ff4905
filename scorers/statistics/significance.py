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

``sign_flips`` has the p-values: exact for net sums, which are whole numbers, and for two judges who
counted the same pairs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.influence import (
    FactorProfile,
    group_sums,
    profile_of,
    ratio,
)
from profile_tasks.scorers.statistics.sign_flips import ROUNDING, flipped_p_values

Adjustment = Literal["holm", "fdr_bh"]


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


def influence_tests(comparisons: Comparisons) -> FactorTests:
    """Test every factor's influence against 0, by flipping the signs of whole groups.

    Example:
        >>> table = Comparisons(
        ...     [1] * 8, [[1, 1]] * 4 + [[1, -1]] * 4, [[False] * 2] * 8, range(8),
        ...     ("length", "fluency"), "human",
        ... )
        >>> tests = influence_tests(table)
        >>> tests.p_value.round(9).tolist(), tests.p_holm.round(9).tolist(), tests.family
        ([0.0078125, 1.0], [0.015625, 1.0], 'influence on the human preference: 2 factors')

    """
    profile = profile_of(comparisons)
    return adjusted_tests(
        comparisons.factors,
        profile.tau,
        sign_flip_p_values(comparisons),
        profile.groups,
        profile.reasons,
        f"influence on the {comparisons.perspective} preference",
        "sign-flip test by group, exact",
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
        permutations: number of random flips, where the two counted different pairs.
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
        >>> tests.value.tolist(), tests.p_value.round(9).tolist()
        ([-1.5], [0.0703125])

    """
    if first.factors != second.factors:
        raise ValueError(
            f"the factors of the two judges differ: {', '.join(first.factors)}; "
            f"{', '.join(second.factors)}"
        )
    n_groups = max(int(table.group.max(initial=-1)) + 1 for table in (first, second))
    value, terms, counts, of_same = difference_terms(first, second, n_groups)
    defined = ~np.isnan(value)
    whole = np.where(of_same, np.rint(terms * of_same), terms)
    p_values = np.full(len(first.factors), np.nan)
    p_values[defined] = flipped_p_values(whole[:, defined], permutations, seed)
    labels = names or (first.perspective, second.perspective)
    reasons = untold(labels, [profile_of(table) for table in (first, second)])
    return adjusted_tests(
        first.factors,
        value,
        p_values,
        np.count_nonzero(counts, axis=0),
        reasons,
        f"influence on {labels[0]} less that on {labels[1]}",
        f"paired sign-flip test by group, exact or {permutations} flips",
    )


def untold(labels: Sequence[str], profiles: Sequence[FactorProfile]) -> list[str | None]:
    """Return for each factor why its influences have no difference: of the first that has none.

    Args:
        labels: what to call the profiles.
        profiles: over the same factors.
    """
    return [
        next((f"{label}: {why}" for label, why in zip(labels, whys, strict=True) if why), None)
        for whys in zip(*(profile.reasons for profile in profiles), strict=True)
    ]


def difference_terms(
    first: Comparisons, second: Comparisons, n_groups: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    """Return each difference of two judges' taus, and what every group adds to it.

    Args:
        first: preferences of one judge.
        second: those of the other, with the same factors.
        n_groups: G, more than the greatest group code.

    Returns:
        The differences (F,); the terms (G, F) that add up to them, taken from a tau in common, so
        that each is as likely turned where the two are driven alike; (G, F) which groups count; and
        (F,) the pairs that each counted, where they counted the same of every group: as many terms
        make a whole number. 0 where they did not. Of a factor that one judge lacks all are NaN.
    """
    (net_a, n_a), (net_b, n_b) = (group_sums(table, n_groups) for table in (first, second))
    tau_a, tau_b = (
        ratio(net.sum(axis=0), n.sum(axis=0)) for net, n in ((net_a, n_a), (net_b, n_b))
    )
    common = (tau_a + tau_b) / 2
    terms = (net_a - common * n_a) / np.maximum(n_a.sum(axis=0), 1) - (
        net_b - common * n_b
    ) / np.maximum(n_b.sum(axis=0), 1)
    terms[np.abs(terms) < ROUNDING] = 0
    same = np.where((n_a == n_b).all(axis=0), n_a.sum(axis=0), 0.0)
    return tau_a - tau_b, terms, (n_a > 0) | (n_b > 0), same


def sign_flip_p_values(comparisons: Comparisons) -> NDArray[np.float64]:
    """Return the two-sided p-value of every factor under the hypothesis of no influence.

    The test statistic is |C - D|; the denominator of tau_14 does not change under flips. All 2**k
    flips of the k groups whose net sum is not zero are counted. Few groups limit what can be found:
    no p-value is below ``2 / 2**k``.

    Args:
        comparisons: the table.

    Returns:
        (F,) p-values in (0, 1]; NaN where tau_14 is.

    Example:
        >>> table = Comparisons(
        ...     [1, 1, 1], [[1], [1], [1]], [[False]] * 3, [0, 1, 2], ("length",), "human"
        ... )
        >>> sign_flip_p_values(table).round(12).tolist()
        [0.25]

    """
    net, counted = group_sums(comparisons, int(comparisons.group.max(initial=-1)) + 1)
    p_values = flipped_p_values(net)
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
    # statsmodels' multipletests gives the same, and takes longer to import than a run's statistics.
    p = adjusted[tested]
    order, left = p.argsort(), np.arange(p.size, 0, -1)
    if method == "holm":
        steps = np.maximum.accumulate(p[order] * left)
    else:
        steps = np.minimum.accumulate((p[order] * p.size / left[::-1])[::-1])[::-1]
    p[order] = np.minimum(steps, 1)
    adjusted[tested] = p
    return adjusted


def adjusted_tests(
    factors: tuple[str, ...],
    value: NDArray[np.float64],
    p_value: NDArray[np.float64],
    n_groups: NDArray[np.int64],
    reasons: Sequence[str | None],
    family: str,
    method: str,
) -> FactorTests:
    """Return a family of tests, with their p-values adjusted; arguments as of ``FactorTests``."""
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
