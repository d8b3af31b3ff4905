"""Flipped sums: exact for whole numbers, held against enumeration and the binomial distribution."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, norm

from profile_tasks.scorers.statistics import sign_flips
from profile_tasks.scorers.statistics.sign_flips import flipped_p_values

FRACTIONS = 0.1 + np.array([[1.0], [2.0], [4.0]])


def by_enumeration(net, as_far=1.0):
    sums = np.abs(np.array(list(product([1, -1], repeat=len(net)))) @ net)
    observed = abs(sum(net))
    return (sums > observed).mean() + as_far * (sums == observed).mean()


@given(st.lists(st.integers(-40, 40), min_size=1, max_size=12).filter(any), st.booleans())
def test_whole_numbers_have_the_p_value_of_all_flips(net, mid):
    (p_value,) = flipped_p_values(np.array(net, float)[:, None], mid=mid)
    assert p_value == pytest.approx(by_enumeration(net, 0.5 if mid else 1.0), rel=1e-12)


@pytest.mark.parametrize("n_groups", [100, 2_001, 600_000])
@pytest.mark.parametrize("far", [0, 1, 4, 12, 30])
def test_groups_of_one_size_are_binomial_however_far_the_sum(n_groups, far):
    up = min(n_groups, int(n_groups / 2 + far * np.sqrt(n_groups) / 2))
    net = np.where(np.arange(n_groups) < up, 1.0, -1.0)[:, None]
    exact = min(1.0, 2 * binom.sf(max(up, n_groups - up) - 1, n_groups, 0.5))
    assert flipped_p_values(net)[0] == pytest.approx(exact, rel=1e-9)


def test_many_groups_of_many_sizes_are_nearly_normal():
    net = np.random.default_rng(0).integers(-300, 301, 200_000).astype(float)
    net[:400] = 300
    z = abs(net.sum()) / np.linalg.norm(net)
    assert flipped_p_values(net[:, None])[0] == pytest.approx(2 * norm.sf(z), rel=1e-3)


def test_whole_numbers_of_any_size_are_flipped():
    net = np.array([[3e9], [1e10], [-1e10], [5.0]])
    assert flipped_p_values(net)[0] == 0.75
    many = np.random.default_rng(2).integers(-(10**9), 10**9, (40, 1)).astype(float)
    z = abs(many.sum()) / np.linalg.norm(many)
    assert flipped_p_values(many)[0] == pytest.approx(2 * norm.sf(z), abs=0.02)


@pytest.mark.parametrize("undefined", [np.nan, np.inf])
def test_what_is_undefined_is_refused_with_its_place(undefined):
    net = np.array([[1.0, 1.0], [1.0, undefined]])
    with pytest.raises(ValueError, match=r"group 1 adds (nan|inf) to sum 1"):
        flipped_p_values(net)


def test_no_p_value_is_zero():
    assert flipped_p_values(np.ones((5_000, 1)))[0] > 0


def test_whole_numbers_need_no_seed():
    net = np.random.default_rng(1).integers(-3, 4, (300, 4)).astype(float)
    one, other = (flipped_p_values(net, permutations=9, seed=seed) for seed in (1, 2))
    assert one.tolist() == other.tolist()


def test_other_numbers_are_enumerated_while_their_flips_are_within_the_permutations():
    assert flipped_p_values(FRACTIONS, permutations=7).tolist() == [0.25]
    sampled = flipped_p_values(FRACTIONS, permutations=6) * 7
    assert sampled.round(9).tolist() in [[float(count)] for count in range(1, 8)]


def test_sampled_p_values_are_close_to_the_exact_ones_and_never_zero():
    net = np.random.default_rng(2).integers(-4, 5, (60, 3)).astype(float)
    sampled = flipped_p_values(net * 1.1, permutations=2000)
    np.testing.assert_allclose(sampled, flipped_p_values(net), atol=0.04)
    assert flipped_p_values(np.full((60, 1), 0.5), permutations=99).tolist() == [0.01]


def test_the_seed_decides_the_sampled_p_values():
    net = np.random.default_rng(3).normal(size=(60, 3))
    first, again, other = (flipped_p_values(net, seed=seed) for seed in (1, 1, 2))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


def test_the_chunks_do_not_change_the_p_values(monkeypatch):
    net = np.random.default_rng(4).normal(size=(61, 3))
    whole = flipped_p_values(net, permutations=500)
    monkeypatch.setattr(sign_flips, "_CHUNK_BYTES", 8 * 61 * 7)
    assert flipped_p_values(net, permutations=500).tolist() == whole.tolist()


def test_columns_of_whole_and_of_other_numbers_stand_side_by_side():
    net = np.column_stack([np.ones(60), np.full(60, 0.5)])
    assert flipped_p_values(net, permutations=99).tolist() == [2.0**-59, 0.01]


def test_without_permutations_the_test_is_refused():
    with pytest.raises(ValueError, match="permutations is 0"):
        flipped_p_values(np.ones((3, 1)), permutations=0)
