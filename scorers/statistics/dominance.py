"""Dominance: how much of what all factors explain of a preference is due to each of them.

What factors explain is the log loss of a coin less that of the model (``held_out``), in parts of
the coin's: McFadden's R2, where 1 is certainty and 0 a coin. In the sample it could only rise with
each factor, so that one of no influence would have a share; on held-out sources each factor costs
about as much as it flatters there. So both are reckoned, and the mean is taken.

Factors go together, so what one adds depends on which others are there already. Its contribution
here is what it adds on average over all orders in which the factors could come: the Shapley value
(Shapley 1953; in regression Lindeman, Merenda & Gold 1980; Lipovetsky & Conklin 2001, Applied
Stochastic Models in Business and Industry 17), which is *general dominance* (Budescu 1993,
Psychological Bulletin 114; Azen & Budescu 2003, Psychological Methods 8). Contributions add up to
what all factors explain together; two copies of one factor share what it is worth.

A contribution is a mean over pairs, since Shapley values are sums of the worth of sets of factors.
So every pair has its own part of it, and the interval is that of a mean, clustered by group,
without a resample (as Williamson & Feng 2020, ICML, have it for predictiveness in general). To the
error is added half of what sample and held-out sources differ by. docs/contributions.md has what
is covered.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import CONFIDENCE, Estimate
from profile_tasks.scorers.statistics.held_out import (
    N_FOLDS,
    DealtPairs,
    dealt_pairs,
    fitted,
    ratio_with_error,
)

EXACT_FACTORS = 13
"""Up to so many factors, all sets of them are fitted (8,192); of more, some random orders."""

_ORDERS = 200

_METHOD = "linearised"

# Cells of the largest array of one chunk of models.
_CELLS = 4_000_000

_Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FactorContributions:
    """What each factor contributes to what all explain of a preference.

    Everything but the shares is in parts of a coin's log loss, at most 1.

    Attributes:
        factors: the F factor names.
        explained: what all factors explain together.
        contribution: F of them: what the factor adds, averaged over all orders of the factors; they
            add up to ``explained``. NaN with the reason where the factor is in no model.
        share: F of them: the contribution in parts of ``explained``; they add up to 1. NaN where
            ``explained`` is not told from 0.
        alone: F of them: what the factor explains as the only one.
        without: F of them: what the other factors explain without it.
        lost: F of them: ``explained`` less ``without``; what only this factor brings.
        n_pairs: pairs with a preference.
        n_groups: groups of these.
        n_models: sets of factors that were fitted, in each fold.
        orders: random orders of the factors; 0 where all were reckoned with.
        sampling_error: (F,) standard error of the contributions by the choice of orders; 0 where
            all were reckoned with.
        of_sets: Name of a set of factors -> contribution and share of its members together.

    """

    factors: tuple[str, ...]
    explained: Estimate
    contribution: tuple[Estimate, ...]
    share: tuple[Estimate, ...]
    alone: tuple[Estimate, ...]
    without: tuple[Estimate, ...]
    lost: tuple[Estimate, ...]
    n_pairs: int
    n_groups: int
    n_models: int
    orders: int
    sampling_error: _Array
    of_sets: Mapping[str, tuple[Estimate, Estimate]]


def factor_contributions(
    comparisons: Comparisons,
    sets: Mapping[str, Collection[str]] | None = None,
    *,
    n_folds: int = N_FOLDS,
    seed: int = 0,
    orders: int | None = None,
    confidence: float = CONFIDENCE,
) -> FactorContributions:
    """Return what each factor contributes to what all of them explain.

    Args:
        comparisons: the table. Preference ties are dropped; a missing manifestation says nothing.
        sets: name -> factors whose contributions are added up, as those of a level.
        n_folds: folds into which the groups are dealt, at least 2.
        seed: of the deal, and of the orders where they are drawn.
        orders: random orders of the factors, at least 2, each taken backwards too; by default all
            orders up to ``EXACT_FACTORS`` factors, and 200 of more.
        confidence: of every interval, between 0 and 1.

    Raises:
        ValueError: ``n_folds`` or ``orders`` is below 2.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> signs = rng.choice([-1, 1], size=(600, 2))
        >>> utility = 2 * signs[:, 0] + rng.logistic(size=600)
        >>> table = Comparisons(
        ...     np.sign(utility), signs, np.zeros((600, 2), bool), np.arange(600) // 3,
        ...     ("length", "fluency"), "human",
        ... )
        >>> found = factor_contributions(table)
        >>> [str(share) for share in found.share]
        ['+1.00 [+0.99, +1.01]', '+0.00 [-0.01, +0.01]']

    """
    if orders is not None and orders < 2:
        raise ValueError(f"orders is {orders}; a sampled contribution needs at least 2")
    pairs = dealt_pairs(comparisons, n_folds=n_folds, seed=seed)
    factors, n_factors = comparisons.factors, len(comparisons.factors)
    n_groups = np.unique(pairs.group).size
    differs = np.flatnonzero(pairs.patterns.any(axis=0))
    if n_groups < 2 or not differs.size:
        why = (
            "no factor differs between two responses"
            if n_groups >= 2
            else f"groups with a preference: {n_groups}; held-out sources need at least 2"
        )
        none = Estimate.undefined(why, _METHOD)
        nothing = (none,) * n_factors
        return FactorContributions(
            factors,
            explained=none,
            contribution=nothing,
            share=nothing,
            alone=nothing,
            without=nothing,
            lost=nothing,
            n_pairs=len(pairs.row),
            n_groups=n_groups,
            n_models=0,
            orders=0,
            sampling_error=np.full(n_factors, math.nan),
            of_sets=dict.fromkeys(sets or {}, (none, none)),
        )
    pairs = replace(pairs, patterns=pairs.patterns[:, differs])
    k = differs.size
    if orders is None and k > EXACT_FACTORS:
        orders = _ORDERS
    if orders is None:
        subsets, weights, by_order = *_all_subsets(k), None
    else:
        subsets, weights, by_order = _drawn_subsets(k, orders, seed)
    # Columns: contributions, what factors explain alone, without, together, and those of sets.
    members = np.array(
        [[factors[index] in names for index in differs] for names in (sets or {}).values()]
    ).reshape(-1, k)
    weights = np.hstack([weights, *_single_sets(subsets), weights @ members.T])
    worth, of_subset = _worth(pairs, subsets, weights, confidence)
    together = 3 * k
    explained = worth.mean(together)
    told = explained.low > 0
    untold = Estimate.undefined(
        explained.reason
        or f"all factors together explain {explained.value:.3f} [{explained.low:.3f}, "
        f"{explained.high:.3f}] of what a coin does not, not told from 0, so nothing is shared",
        _METHOD,
    )

    def share(column: int) -> Estimate:
        return worth.share(column, together) if told else untold

    never = Estimate.undefined("no such factor differs between two responses", _METHOD)

    def placed(found: Sequence[Estimate]) -> tuple[Estimate, ...]:
        by_factor = dict(zip(differs.tolist(), found, strict=True))
        return tuple(by_factor.get(index, never) for index in range(n_factors))

    error = np.full(n_factors, math.nan)
    error[differs] = 0 if by_order is None else _order_error(of_subset, by_order)
    return FactorContributions(
        factors,
        explained,
        placed([worth.mean(index) for index in range(k)]),
        placed([share(index) for index in range(k)]),
        placed([worth.mean(index) for index in range(k, 2 * k)]),
        placed([worth.mean(index) for index in range(2 * k, 3 * k)]),
        placed([worth.mean(together, less=index) for index in range(2 * k, 3 * k)]),
        len(pairs.row),
        n_groups,
        len(subsets),
        orders or 0,
        error,
        {
            name: (worth.mean(column), share(column)) if members[at].any() else (never, never)
            for at, name in enumerate(sets or {})
            for column in [together + 1 + at]
        },
    )


@dataclass(frozen=True, eq=False)
class _Worth:
    """What models, weighted, are worth to the pairs of each group.

    Attributes:
        sums: (G, W) in the sample and held out, averaged.
        apart: (W,) half of what the two differ by, over all pairs.
        n_pairs: (G,) pairs.
        confidence: of every interval.

    """

    sums: _Array
    apart: _Array
    n_pairs: _Array
    confidence: float

    def mean(self, column: int, *, less: int | None = None) -> Estimate:
        """What a pair gains on average, or gains more than by another column."""
        sums, apart = self.sums[:, column], self.apart[column]
        if less is not None:
            sums, apart = sums - self.sums[:, less], apart - self.apart[less]
        value, error = ratio_with_error(sums, self.n_pairs)
        error = math.hypot(error, float(apart / self.n_pairs.sum()))
        return Estimate.student(value, error, len(sums), confidence=self.confidence)

    def share(self, column: int, of: int) -> Estimate:
        """One column in parts of another that is told from 0.

        With Fieller's interval (1954, JRSS B 16), which is wide where the other is hardly known.
        """
        from scipy.special import stdtrit

        rows = self.sums[:, [column, of]]
        n, apart = len(rows), self.apart[[column, of]]
        centred = rows - self.n_pairs[:, None] * rows.sum(axis=0) / self.n_pairs.sum()
        covariance = centred.T @ centred * n / (n - 1) + np.outer(apart, apart)
        t = float(stdtrit(n - 1, (1 + self.confidence) / 2))
        total = rows.sum(axis=0)
        # The share s is where (top - s * bottom)^2 <= t^2 of its variance: a quadratic in s.
        curve = np.outer(total, total) - t**2 * covariance
        c, b, a = (float(curve[at]) for at in ((0, 0), (0, 1), (1, 1)))
        root = math.sqrt(max(0.0, b * b - a * c))
        value = float(total[0] / total[1])
        return Estimate(value, (b - root) / a, (b + root) / a, "Fieller", n_groups=n)


def _all_subsets(k: int) -> tuple[NDArray[np.bool_], _Array]:
    """All sets of k factors (2**k, k), and what each weighs in each contribution, (2**k, k)."""
    subsets = (np.arange(2**k)[:, None] >> np.arange(k)) & 1 == 1
    size = subsets.sum(axis=1)
    # In how many of the k! orders exactly this set comes first, in parts of all orders.
    before = np.array([1 / (k * math.comb(k - 1, s)) if s < k else 0.0 for s in range(k + 1)])
    weights = np.where(subsets, before[np.maximum(size - 1, 0)][:, None], -before[size][:, None])
    return subsets, weights


def _drawn_subsets(
    k: int, orders: int, seed: int
) -> tuple[NDArray[np.bool_], _Array, NDArray[np.intp]]:
    """The sets that some random orders pass through, their weights, and the orders.

    The last is (orders, k, 2): the set before each factor comes, and the set with it. An order
    and its reverse are averaged, which errs less (Mitchell et al. 2022, JMLR 23).

    Also the empty set, the full one, and those of one factor, or all but one, are among the sets.
    """
    rng = np.random.default_rng(seed)
    found: dict[bytes, int] = {}
    rows: list[NDArray[np.bool_]] = []

    def index(subset: NDArray[np.bool_]) -> int:
        key = subset.tobytes()
        if key not in found:
            found[key] = len(rows)
            rows.append(subset.copy())
        return found[key]

    for one in np.eye(k, dtype=bool):
        index(one)
        index(~one)
    drawn = np.empty((orders, 2, k, 2), np.intp)
    for draw in range(orders):
        order = rng.permutation(k)
        for way, turned in enumerate((order, order[::-1])):
            subset = np.zeros(k, bool)
            for factor in turned:
                before = index(subset)
                subset[factor] = True
                drawn[draw, way, factor] = before, index(subset)
    weights = np.zeros((len(rows), k))
    part = 1 / (2 * orders)
    columns = np.broadcast_to(np.arange(k), drawn.shape[:3])
    np.add.at(weights, (drawn[..., 1], columns), part)
    np.add.at(weights, (drawn[..., 0], columns), -part)
    return np.array(rows), weights, drawn


def _single_sets(subsets: NDArray[np.bool_]) -> tuple[_Array, _Array, _Array]:
    """Weights that pick the sets of one factor, (S, k), those without one, and the full set."""
    size, k = subsets.sum(axis=1)[:, None], subsets.shape[1]
    alone, without = subsets & (size == 1), ~subsets & (size == k - 1)
    return alone.astype(float), without.astype(float), (size == k).astype(float)


def _worth(
    pairs: DealtPairs, subsets: NDArray[np.bool_], weights: _Array, confidence: float
) -> tuple[_Worth, _Array]:
    """What the models of sets of factors are worth, (S,) of them weighted by (S, W).

    Beside it the mean gain of each model, (S,).
    """
    groups, of_group = np.unique(pairs.group, return_inverse=True)
    held, own = np.zeros((2, groups.size, weights.shape[1]))
    of_subset = np.zeros(len(subsets))
    chunk = max(1, _CELLS // max(len(pairs.patterns), 2 * subsets.shape[1] ** 2))
    every = np.ones(len(pairs.pattern), bool)
    folds = [(pairs.fold != fold, pairs.fold == fold, held) for fold in range(pairs.n_folds)]
    for trained, tested, sums in [*folds, (every, every, own)]:
        counts, on = pairs.counts(trained), pairs.counts(tested)
        weighted = np.zeros((len(pairs.patterns), weights.shape[1]))
        for start in range(0, len(subsets), chunk):
            part = slice(start, start + chunk)
            coefficient = fitted(pairs.patterns, counts, subsets[part])
            # Logarithms to base 2: a coin loses 1.
            gain = 1 - np.logaddexp(0, -pairs.patterns @ coefficient.T) / math.log(2)
            weighted += gain @ weights[part]
            of_subset[part] += on @ gain / 2
        pattern, group = pairs.pattern[tested], of_group[tested]
        for column, each in enumerate(weighted.T):
            sums[:, column] += np.bincount(group, each[pattern], groups.size)
    n_pairs = np.bincount(of_group, minlength=groups.size).astype(np.float64)
    worth = _Worth((held + own) / 2, (own - held).sum(axis=0) / 2, n_pairs, confidence)
    return worth, of_subset / n_pairs.sum()


def _order_error(of_subset: _Array, drawn: NDArray[np.intp]) -> _Array:
    """Standard errors (k,) of means over orders, each with its reverse."""
    added = of_subset[drawn[..., 1]] - of_subset[drawn[..., 0]]  # (orders, 2, k)
    each = added.mean(axis=1)
    return np.asarray(each.std(axis=0, ddof=1) / math.sqrt(len(each)))
