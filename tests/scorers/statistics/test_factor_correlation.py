"""How factors go together: whatever the order of a pair, and whatever the grader's errors."""

import numpy as np
import pytest

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.factor_correlation import (
    FactorCorrelation,
    correlated_factors,
    correlation_matrix,
    effective_number,
    reliability_by_labels,
    reliability_of_orders,
)


def matrix(pairs):
    table = FactorCorrelation(len(pairs[0]))
    table.add(pairs)
    return table.matrix()


def test_turning_pairs_round_changes_nothing() -> None:
    signs = np.random.default_rng(0).integers(-1, 2, (200, 3))
    turned = signs * np.random.default_rng(1).choice([-1, 1], (200, 1))
    np.testing.assert_allclose(matrix(signs.tolist()), matrix(turned.tolist()))


def test_equal_and_opposite_factors_are_at_the_ends() -> None:
    found = matrix([(1, 1, -1), (-1, -1, 1), (1, 1, -1)])
    np.testing.assert_allclose(found, [[1, 1, -1], [1, 1, -1], [-1, -1, 1]])


def test_missing_manifestations_are_left_out_pair_by_pair() -> None:
    assert matrix([(1, 1), (1, None), (None, -1)])[0][1] == pytest.approx(1)


def test_a_factor_that_never_varies_has_no_correlation() -> None:
    assert matrix([(1, 0), (-1, 0)])[0][1] is None


def graded(rng, n: int, error: float, between: float) -> tuple[np.ndarray, np.ndarray]:
    """True signs of two factors that agree so often, and a grader's that errs so often."""
    first = rng.choice([-1, 1], n)
    true = np.column_stack([first, np.where(rng.random(n) < between, first, -first)])
    return true, np.where(rng.random((n, 2)) < error, -true, true)


def table_of(signs: np.ndarray) -> Comparisons:
    return Comparisons(
        np.ones(len(signs), np.int8), signs, signs == 2, np.arange(len(signs)) // 4,
        ("receptiveness", "helpfulness"), "human",
    )  # fmt: skip


def test_correction_by_two_orders_finds_the_planted_correlation() -> None:
    rng = np.random.default_rng(0)
    true, _ = graded(rng, 8000, 0, 0.8)  # correlation 0.6
    # The grader errs on its own in each of the two orders; disagreement is no difference.
    orders = [np.where(rng.random(true.shape) < 0.15, -true, true) for _ in range(2)]
    both = np.where(orders[0] == orders[1], orders[0], 0)
    reliability = {
        name: reliability_of_orders(int((both[:, at] != 0).sum()), int((both[:, at] == 0).sum()))
        for at, name in enumerate(("receptiveness", "helpfulness"))
    }
    (found,) = correlated_factors(table_of(both), reliability)
    assert found.observed.high < 0.55
    assert found.corrected.low < 0.6 < found.corrected.high
    assert not found.alike


def test_correction_by_human_labels_finds_the_planted_correlation() -> None:
    true, grades = graded(np.random.default_rng(1), 8000, 0.2, 0.8)
    reliability = {
        name: reliability_by_labels(grades[:, at], true[:, at])
        for at, name in enumerate(("receptiveness", "helpfulness"))
    }
    assert reliability["receptiveness"] == pytest.approx(0.6**2, abs=0.03)
    (found,) = correlated_factors(table_of(grades), reliability)
    assert found.corrected.low < 0.6 < found.corrected.high


def test_one_factor_under_two_names_is_told_though_the_grader_errs() -> None:
    true, grades = graded(np.random.default_rng(2), 4000, 0.2, 1.0)
    assert not correlated_factors(table_of(grades))[0].alike
    known = dict.fromkeys(("receptiveness", "helpfulness"), 0.36)
    assert correlated_factors(table_of(grades), known)[0].alike
    assert correlated_factors(table_of(true))[0].observed.value == pytest.approx(1)


def test_the_interval_covers_the_true_correlation_of_clustered_pairs() -> None:
    covered = []
    for seed in range(200):
        true, _ = graded(np.random.default_rng(seed), 240, 0, 0.75)
        observed = correlated_factors(table_of(true))[0].observed
        covered.append(observed.low <= 0.5 <= observed.high)
    assert 0.90 <= np.mean(covered) <= 0.99


def test_observed_correlations_are_those_of_the_report() -> None:
    signs = np.random.default_rng(3).integers(-1, 2, (100, 2))
    found = correlation_matrix(table_of(signs))
    np.testing.assert_allclose(found, matrix(signs.tolist()))
    assert correlated_factors(table_of(signs))[0].observed.value == pytest.approx(found[0, 1])


def test_effective_number_counts_what_does_not_go_together() -> None:
    assert effective_number(np.eye(5)) == 5
    assert effective_number(np.ones((4, 4))) == 1
    assert effective_number([[1, 0.5], [0.5, 1]]) == pytest.approx(4 / 2.5)
    assert effective_number([[1, np.nan], [np.nan, np.nan]]) == 1  # one never varies


def test_reliabilities_have_ends() -> None:
    assert reliability_of_orders(100, 0) == 1
    assert reliability_of_orders(10, 30) == 0
    assert reliability_of_orders(0, 0) == 0
    assert np.isnan(reliability_by_labels([1, 1], [np.nan, np.nan]))
    true, _ = graded(np.random.default_rng(4), 40, 0, 0.8)
    (found,) = correlated_factors(table_of(true), {"receptiveness": 0})
    assert found.corrected.reason == "a factor is graded no better than by chance"
    assert not found.alike
    with pytest.raises(ValueError, match=r"reliability of 'helpfulness' is 1\.5"):
        correlated_factors(table_of(true), {"helpfulness": 1.5})
