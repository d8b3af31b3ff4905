"""Held-out prediction: how well factors predict preferences on sources they were not fitted to.

The model is that of the adjusted influence (``adjusted``): a logistic regression of the preference
on the manifestations, without intercept, since which response comes first is arbitrary. The sources
are dealt into folds, and the pairs of each fold are predicted by a model fitted to the other folds,
so that pairs of one source never help to predict each other (Stone 1974, JRSS B 36; by group).

Two things are unlike ``adjusted``, which estimates and does not predict. A standard normal prior on
each coefficient (a ridge penalty of 1) keeps every fit finite, whatever is separated or collinear;
two copies of one factor then share its coefficient. And a missing manifestation counts as 0: a
factor that is unknown for a pair says nothing about it, and the pair is predicted by the others.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from profile_tasks.scorers.statistics.comparisons import Comparisons, with_factors
from profile_tasks.scorers.statistics.estimate import CONFIDENCE, Estimate

N_FOLDS = 10
"""Into so many folds the sources are dealt; into one a source where there are fewer."""

_PENALTY = 1.0

# Utilities nearer to 0 than this are 0 but for the rounding of the fit.
_NO_UTILITY = 1e-9

_TOLERANCE = 1e-6
_ROUNDS = 100

_Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DealtPairs:
    """Pairs with a preference, turned so that the first response is the preferred one.

    Attributes:
        patterns: (P, F) the different rows of manifestations, in {-1, 0, 1}; 0 where missing.
        pattern: (n,) which of them each pair has.
        fold: (n,) fold of each pair; pairs of one group share it.
        group: (n,) group codes.
        row: (n,) row of the table that each pair is.

    """

    patterns: _Array
    pattern: NDArray[np.intp]
    fold: NDArray[np.intp]
    group: NDArray[np.int32]
    row: NDArray[np.intp]

    @property
    def n_folds(self) -> int:
        """How many folds there are."""
        return int(self.fold.max(initial=-1)) + 1

    def counts(self, rows: NDArray[np.bool_]) -> _Array:
        """How often each pattern occurs among these pairs, (P,)."""
        return np.bincount(self.pattern[rows], minlength=len(self.patterns)).astype(np.float64)


def dealt_pairs(comparisons: Comparisons, *, n_folds: int = N_FOLDS, seed: int = 0) -> DealtPairs:
    """Return the pairs with a preference, dealt into folds by group.

    Args:
        comparisons: the table.
        n_folds: at least 2; no more folds than groups are made.
        seed: of the deal.

    Raises:
        ValueError: ``n_folds`` is below 2.

    """
    if n_folds < 2:
        raise ValueError(f"n_folds is {n_folds}; a held-out fold needs at least 2")
    row = np.flatnonzero(comparisons.preference)
    signs = comparisons.manifestation[row] * comparisons.preference[row, None]
    patterns, pattern = np.unique(signs, axis=0, return_inverse=True)
    groups, of_group = np.unique(comparisons.group[row], return_inverse=True)
    dealt = np.random.default_rng(seed).permutation(groups.size) % min(n_folds, max(1, groups.size))
    return DealtPairs(
        patterns.astype(np.float64),
        np.reshape(pattern, -1),
        dealt[of_group].astype(np.intp),
        comparisons.group[row],
        row,
    )


def fitted(patterns: _Array, counts: _Array, subsets: NDArray[np.bool_]) -> _Array:
    """Return the coefficients of the models with these factors each, all fitted at once.

    Newton's method, one step of all models at a time.

    Args:
        patterns: (P, F) rows turned to the preferred response.
        counts: (P,) how often each occurs.
        subsets: (S, F) which factors each model has.

    Returns:
        (S, F) log odds of being preferred per manifestation; 0 where a model lacks the factor.

    Raises:
        RuntimeError: a fit did not end.

    Example:
        >>> rows, counts = np.array([[1.0], [-1.0]]), np.array([300.0, 100.0])
        >>> fitted(rows, counts, np.array([[True], [False]])).round(2).tolist()
        [[1.08], [0.0]]

    """
    n_factors = patterns.shape[1]
    squares = (patterns[:, :, None] * patterns[:, None, :]).reshape(len(patterns), -1)
    both = subsets[:, :, None] & subsets[:, None, :]
    diagonal = np.eye(n_factors)
    coefficient = np.zeros(subsets.shape)
    if not n_factors:
        return coefficient
    for _ in range(_ROUNDS):
        wrong = 1 / (1 + np.exp(np.clip(patterns @ coefficient.T, -500, 500)))  # (P, S)
        slope = (counts[:, None] * wrong).T @ patterns - _PENALTY * coefficient
        curve = ((counts[:, None] * wrong * (1 - wrong)).T @ squares).reshape(both.shape)
        # Factors that a model lacks have a unit curve and no slope, so they stay at 0.
        curve = np.where(both, curve, 0.0) + _PENALTY * diagonal
        step = np.linalg.solve(curve, np.where(subsets, slope, 0.0)[:, :, None])[:, :, 0]
        coefficient += step
        if np.abs(step).max(initial=0.0) < _TOLERANCE:
            return coefficient
    raise RuntimeError(f"the fit of held-out models did not end in {_ROUNDS} rounds")


def held_out_predictions(
    comparisons: Comparisons,
    factors: Sequence[str] | None = None,
    *,
    n_folds: int = N_FOLDS,
    seed: int = 0,
) -> NDArray[np.int8]:
    """Return which response the factors predict to be preferred, from the other folds' sources.

    Args:
        comparisons: the table.
        factors: those that the model has; by default all.
        n_folds: as of :func:`dealt_pairs`.
        seed: likewise.

    Returns:
        (n,) 1 the first, -1 the second, 0 neither; 0 too where nobody preferred anything, and where
        all decided pairs are of one group.

    Raises:
        ValueError: a factor is not in the table, or as of :func:`dealt_pairs`.

    """
    table = comparisons if factors is None else with_factors(comparisons, factors)
    pairs = dealt_pairs(table, n_folds=n_folds, seed=seed)
    predicted = np.zeros(len(table.preference), np.int8)
    every = np.ones((1, len(table.factors)), bool)
    for fold in range(pairs.n_folds if pairs.n_folds > 1 else 0):
        out = pairs.fold == fold
        coefficient = fitted(pairs.patterns, pairs.counts(~out), every)[0]
        utility = pairs.patterns[pairs.pattern[out]] @ coefficient
        sign = np.where(np.abs(utility) < _NO_UTILITY, 0, np.sign(utility))
        predicted[pairs.row[out]] = sign * table.preference[pairs.row[out]]
    return predicted


def half_credit(
    preference: ArrayLike, predicted: ArrayLike, group: ArrayLike, confidence: float = CONFIDENCE
) -> Estimate:
    """Return the share of preferences that are predicted; a prediction of neither counts half.

    Args:
        preference: (n,) signs; ties of people take no part.
        predicted: (n,) signs over the same pairs.
        group: (n,) codes of their sources.
        confidence: of the interval (Korn-Graubard, by group).

    Example:
        >>> print(half_credit([1, -1] * 20, [1, -1, 0, 1] * 10, range(40)))
        +0.62 [+0.48, +0.76]

    """
    score, counted = _scores(preference, predicted, group)
    value = float(score.sum() / counted.sum()) if counted.sum() else math.nan
    return Estimate.share(
        value, score, counted, reason="no pair has a preference", confidence=confidence
    )


def half_credit_difference(
    preference: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    group: ArrayLike,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """Return one half-credit accuracy less another over the same pairs, paired by group.

    One pair more counts on which the two differ wholly: of predictions that never differed on so
    few pairs it is not known that they never would.

    Args:
        preference: (n,) signs; ties take no part.
        first: (n,) predictions.
        second: (n,) those whose accuracy is taken away.
        group: (n,) codes of the sources.
        confidence: of the interval (Student's, of the linearised error).
    """
    one, counted = _scores(preference, first, group)
    two, _ = _scores(preference, second, group)
    if not counted.size:
        return Estimate.undefined("no pair has a preference", "linearised")
    value, error = ratio_with_error(one - two, counted)
    return Estimate.student(
        value,
        math.hypot(error, 1 / float(counted.sum())),
        counted.size,
        limit=1.0,
        confidence=confidence,
    )


def ratio_with_error(top: _Array, bottom: _Array) -> tuple[float, float]:
    """Return the ratio of two sums over groups, each (G,), and its linearised standard error."""
    total = bottom.sum()
    value = float(top.sum() / total)
    n = top.size
    error = np.linalg.norm((top - value * bottom) / total) * math.sqrt(n / max(1, n - 1))
    return value, float(error)


def sums_by_group(group: NDArray[np.int32], values: _Array) -> _Array:
    """Return (G, ...) the sums of values (n, ...) over the pairs of each group that has any."""
    groups, of_group = np.unique(group, return_inverse=True)
    sums = np.zeros((groups.size, *values.shape[1:]))
    np.add.at(sums, of_group, values)
    return sums


def _scores(preference: ArrayLike, predicted: ArrayLike, group: ArrayLike) -> tuple[_Array, _Array]:
    """Return the credit of each group with a preference, (G,), and its pairs."""
    signs, said, codes = (np.asarray(each) for each in (preference, predicted, group))
    if not signs.shape == said.shape == codes.shape:
        raise ValueError(
            f"preference has shape {signs.shape}, predictions {said.shape}, group {codes.shape}; "
            "they must be equal"
        )
    decided = signs != 0
    credit = (1 + signs[decided] * said[decided].astype(np.float64)) / 2
    sums = sums_by_group(codes[decided], np.column_stack([credit, np.ones_like(credit)]))
    return sums[:, 0], sums[:, 1]
