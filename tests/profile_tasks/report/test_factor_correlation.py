"""How factors go together does not hang on the order of a pair."""

import numpy as np
import pytest

from profile_tasks.report.factor_correlation import FactorCorrelation


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
