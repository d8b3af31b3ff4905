"""Held-out prediction: by statsmodels, by hand, and with planted people whose taste is known."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.held_out import (
    dealt_pairs,
    fitted,
    half_credit,
    half_credit_difference,
    held_out_predictions,
)


def planted(weights, n=600, pairs=3, seed=0, missing=0.0) -> Comparisons:
    """People who weigh the factors so; factors are named f0, f1, ..."""
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1, 0, 1], size=(n, len(weights)), p=[0.4, 0.2, 0.4])
    utility = signs @ np.asarray(weights, float) + rng.logistic(size=n)
    unknown = rng.random(signs.shape) < missing
    return Comparisons(
        np.sign(utility).astype(np.int8),
        np.where(unknown, 0, signs).astype(np.int8),
        unknown,
        np.arange(n, dtype=np.int32) // pairs,
        tuple(f"f{i}" for i in range(len(weights))),
        "human",
    )


def test_all_models_at_once_are_the_models_one_by_one():
    rng = np.random.default_rng(1)
    rows, counts = rng.choice([-1.0, 0, 1], size=(40, 3)), rng.integers(1, 5, 40).astype(float)
    subsets = np.array([[1, 1, 1], [1, 0, 1], [0, 1, 0], [0, 0, 0]], bool)
    for found, subset in zip(fitted(rows, counts, subsets), subsets, strict=True):
        own = rows[:, subset]

        def loss(b, own=own):
            return counts @ np.logaddexp(0, -own @ b) + b @ b / 2

        expected = np.zeros(3)
        if subset.any():
            expected[subset] = minimize(loss, np.zeros(subset.sum()), tol=1e-12).x
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_separated_factor_has_a_finite_coefficient():
    (found,) = fitted(np.array([[1.0]]), np.array([1e6]), np.array([[True]]))
    assert 5 < found[0] < 20


def test_pairs_of_one_source_stand_in_one_fold():
    pairs = dealt_pairs(planted([1.0], n=60, pairs=4), n_folds=5)
    folds = {group: set(pairs.fold[pairs.group == group]) for group in set(pairs.group)}
    assert all(len(each) == 1 for each in folds.values())
    assert np.bincount(pairs.fold).tolist() == [12] * 5


def test_a_source_is_predicted_by_the_others_alone():
    # In source 0 people like less of the factor, in the others more: memory would know, others
    # cannot.
    table = Comparisons(
        [-1] * 5 + [1] * 20,
        [[1]] * 25,
        [[False]] * 25,
        [0] * 5 + list(range(1, 21)),
        ("f",),
        "human",
    )
    predicted = held_out_predictions(table)
    assert predicted[:5].tolist() == [1] * 5
    assert (predicted[5:] == 1).all()


def test_a_prediction_turns_with_the_pair():
    table = planted([1.0, -0.5])
    turn = np.random.default_rng(3).choice([-1, 1], len(table.preference))
    turned = Comparisons(
        table.preference * turn,
        table.manifestation * turn[:, None],
        table.missing,
        table.group,
        table.factors,
        "human",
    )
    np.testing.assert_array_equal(held_out_predictions(turned), held_out_predictions(table) * turn)


def test_who_knows_the_taste_predicts_no_better_than_the_factors_do():
    weights = [2.0, 0.0, -1.0]
    table = planted(weights, n=3000)
    known = np.sign(table.manifestation @ np.array(weights))
    found = half_credit(table.preference, held_out_predictions(table), table.group).value
    best = half_credit(table.preference, known, table.group).value
    assert best - 0.01 < found <= best + 0.01
    assert found > 0.75


def test_without_influence_prediction_is_a_coin():
    accuracy = half_credit(
        (table := planted([0.0, 0.0], n=2000)).preference, held_out_predictions(table), table.group
    )
    assert accuracy.low < 0.5 < accuracy.high


def test_a_missing_factor_leaves_the_pair_to_the_others():
    table = planted([2.0, 1.0], missing=0.5)
    unknown = table.missing.all(axis=1)
    assert unknown.any()
    assert (held_out_predictions(table)[unknown] == 0).all()
    one = table.missing[:, 0] & (table.manifestation[:, 1] != 0)
    assert (held_out_predictions(table)[one] != 0).all()


def test_half_credit_by_hand():
    found = half_credit([1, -1, 1, 0], [1, 1, 0, 1], [0, 1, 2, 3])
    assert found.value == (1 + 0 + 0.5) / 3
    assert math.isnan(half_credit([0], [1], [0]).value)


def test_a_difference_is_paired_by_source():
    table = planted([2.0, 0.0], n=900)
    own = held_out_predictions(table)
    found = half_credit_difference(table.preference, own, own, table.group)
    assert found.value == 0
    assert 0 < found.high < 0.01  # it is not known that they never would differ
    other = half_credit_difference(
        table.preference, own, held_out_predictions(table, ["f1"]), table.group
    )
    assert other.low > 0.1


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="n_folds is 1; a held-out fold needs at least 2"):
        held_out_predictions(planted([1.0]), n_folds=1)
    with pytest.raises(ValueError, match=r"preference has shape \(2,\), predictions \(1,\)"):
        half_credit([1, 1], [1], [0, 1])
