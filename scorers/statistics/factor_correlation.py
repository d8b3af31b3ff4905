"""How factors go together: their correlation, corrected for grading errors, and what it means.

Which response of a pair is the first is arbitrary, so nothing is centred: the correlation of two
factors is the sum of the products of their manifestations over the root of the product of the sums
of squares, over the pairs where both are known. Turning a pair round changes nothing.

A grader's errors hide what factors have in common: an observed correlation is the true one times
the root of both reliabilities (Spearman 1904, American Journal of Psychology 15), and is corrected
by dividing. Reliability is the share of a manifestation's variance that is not error: of what is
computed 1; of what is graded it is found from the grader's two orders, or from human labels. Two
factors whose corrected correlation reaches ``ALIKE`` cannot be told apart, whatever they are called
(discriminant validity; Ronkko & Cho 2022, Organizational Research Methods 25, whose bar it is).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import CONFIDENCE, Estimate
from profile_tasks.scorers.statistics.held_out import sums_by_group

ALIKE = 0.9
"""Two factors whose corrected correlation is this far from 0 cannot be told apart."""


class FactorCorrelation:
    """Correlation of manifestations, added up source by source.

    >>> table = FactorCorrelation(2)
    >>> table.add(((1, 1), (-1, -1), (1, 0), (1, None)))
    >>> table.matrix()[0][1] == 2 / (3 * 2) ** 0.5
    True
    """

    def __init__(self, n_factors: int) -> None:
        self._products = np.zeros((n_factors, n_factors))
        self._squares = np.zeros((n_factors, n_factors))
        self.n_pairs = 0

    def add(self, manifestations: Sequence[Sequence[int | None]]) -> None:
        """Add the pairs of one source: a row a pair, a sign a factor, None where it is missing."""
        if not manifestations:
            return
        signs = np.array(manifestations, dtype=np.float64)  # None becomes NaN
        known = np.isfinite(signs)
        signs = np.where(known, signs, 0.0)
        self._products += signs.T @ signs
        # Sum of squares of the row's factor over the pairs where the column's factor is known.
        self._squares += (signs**2).T @ known
        self.n_pairs += len(signs)

    def matrix(self) -> tuple[tuple[float | None, ...], ...]:
        """Factor by factor; None where one of the two never varies."""
        size = np.sqrt(self._squares * self._squares.T)
        with np.errstate(invalid="ignore", divide="ignore"):
            correlation = self._products / size
        return tuple(
            tuple(float(r) if np.isfinite(r) else None for r in row) for row in correlation
        )


@dataclass(frozen=True)
class CorrelatedFactors:
    """Two factors of one table.

    Attributes:
        first: name of a factor.
        second: that of another.
        observed: correlation of their manifestations, clustered by group.
        corrected: without grading errors, reliabilities taken as known; between -1 and 1.
        alike: whether ``corrected`` reaches ``ALIKE``.

    """

    first: str
    second: str
    observed: Estimate
    corrected: Estimate

    @property
    def alike(self) -> bool:
        """Whether the two cannot be told apart."""
        return abs(self.corrected.value) >= ALIKE


def correlated_factors(
    comparisons: Comparisons,
    reliability: Mapping[str, float] | None = None,
    confidence: float = CONFIDENCE,
) -> tuple[CorrelatedFactors, ...]:
    """Return the correlation of every two factors, in the order of the table.

    Args:
        comparisons: the table; ties of preference count too.
        reliability: of factors that are measured with error, above 0 and up to 1; of others it is
            1. Where it is 0 nothing can be corrected.
        confidence: of the intervals (Student's, of the linearised error).

    Raises:
        ValueError: a reliability is not between 0 and 1.

    Example:
        >>> signs = np.array([[1, 1], [1, 1], [-1, -1], [1, -1]] * 10)
        >>> table = Comparisons(
        ...     [1] * 40, signs, signs == 2, range(40), ("receptiveness", "helpfulness"), "human"
        ... )
        >>> (found,) = correlated_factors(table, {"receptiveness": 0.6})
        >>> print(found.observed, found.corrected)
        +0.50 [+0.22, +0.78] +0.65 [+0.28, +1.00]

    """
    known = dict.fromkeys(comparisons.factors, 1.0) | dict(reliability or {})
    for name, each in known.items():
        if not 0 <= each <= 1:
            raise ValueError(f"reliability of {name!r} is {each}; it must lie between 0 and 1")
    found = []
    for i, first in enumerate(comparisons.factors):
        for j in range(i + 1, len(comparisons.factors)):
            second = comparisons.factors[j]
            observed = _correlation(comparisons, i, j, confidence)
            root = math.sqrt(known[first] * known[second])
            found.append(CorrelatedFactors(first, second, observed, _corrected(observed, root)))
    return tuple(found)


def reliability_of_orders(decided: int, flipped: int) -> float:
    """Return how reliable verdicts in two orders are together, at least.

    Of d pairs on which both orders agree and k that flip, the two correlate by (d - k) / (d + k),
    and together are stepped up from half their number (Spearman 1910, Brown 1910): 1 - k / d. It is
    a lower bound where a flip may be a tie in one order alone, and 0 where it would be below.

    Args:
        decided: pairs for which both orders name the same response.
        flipped: pairs for which they do not say the same.

    Example:
        >>> reliability_of_orders(80, 20)
        0.75

    """
    return max(0.0, 1 - flipped / decided) if decided else 0.0


def reliability_by_labels(grades: ArrayLike, labels: ArrayLike) -> float:
    """Return the reliability of grades whose truth is labelled: their squared correlation.

    Args:
        grades: (n,) signs; NaN is missing.
        labels: (n,) signs of the same pairs; NaN without a label.

    Returns:
        Between 0 and 1; NaN where no pair has both, or one of the two never differs.

    Example:
        >>> reliability_by_labels([1, -1, 1, 1], [1, -1, -1, float("nan")])
        0.1111111111111111

    """
    graded, labelled = np.asarray(grades, np.float64), np.asarray(labels, np.float64)
    both = np.isfinite(graded) & np.isfinite(labelled)
    graded, labelled = graded[both], labelled[both]
    size = float(graded @ graded * (labelled @ labelled))
    return float(graded @ labelled) ** 2 / size if size else math.nan


def effective_number(correlation: ArrayLike) -> float:
    """Return how many uncorrelated factors would spread alike: the participation ratio.

    That is the squared sum of the eigenvalues of the correlations over the sum of their squares:
    F where no two go together, 1 where all are one.

    Args:
        correlation: (F, F); a factor whose own entry is NaN is left out.

    Returns:
        From 1 to F; NaN without any factor.

    Example:
        >>> effective_number([[1, 0], [0, 1]]), effective_number([[1, -1], [-1, 1]])
        (2.0, 1.0)

    """
    matrix = np.asarray(correlation, np.float64)
    varies = np.isfinite(np.diagonal(matrix))
    kept = np.nan_to_num(matrix[np.ix_(varies, varies)])
    return float(len(kept) ** 2 / np.square(kept).sum()) if len(kept) else math.nan


def correlation_matrix(comparisons: Comparisons) -> NDArray[np.float64]:
    """Return the observed correlations of a table's factors, (F, F); NaN where one never varies."""
    table = FactorCorrelation(len(comparisons.factors))
    signs = np.where(comparisons.missing, np.nan, comparisons.manifestation)
    table.add(signs.tolist())
    found = [[math.nan if r is None else r for r in row] for row in table.matrix()]
    return np.array(found, np.float64)


def _correlation(comparisons: Comparisons, i: int, j: int, confidence: float) -> Estimate:
    known = ~(comparisons.missing[:, i] | comparisons.missing[:, j])
    x, y = (comparisons.manifestation[known, at].astype(np.float64) for at in (i, j))
    sums = sums_by_group(comparisons.group[known], np.column_stack([x * y, x * x, y * y]))
    product, of_x, of_y = sums.sum(axis=0).tolist()
    if not of_x * of_y:
        return Estimate.undefined("a factor never differs where both are known", "linearised")
    size, n = math.sqrt(of_x * of_y), len(sums)
    value = product / size
    rows = sums[:, 0] / size - value / 2 * (sums[:, 1] / of_x + sums[:, 2] / of_y)
    error = float(np.linalg.norm(rows)) * math.sqrt(n / max(1, n - 1))
    return Estimate.student(value, error, n, limit=1.0, confidence=confidence)


def _corrected(observed: Estimate, root: float) -> Estimate:
    if not root:
        return Estimate.undefined("a factor is graded no better than by chance", observed.method)
    value, low, high = (
        float(np.clip(each / root, -1, 1)) for each in (observed.value, observed.low, observed.high)
    )
    return replace(observed, value=value, low=low, high=high)
