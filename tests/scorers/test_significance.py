"""Sign-flip tests against brute force, and adjustment for several factors."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from profile_tasks.scorers import significance
from profile_tasks.scorers.comparisons import Comparisons
from profile_tasks.scorers.significance import adjust_p_values, sign_flip_p_values


def table(manifestation, group, *, preference=None, missing=None):
    manifestation = np.asarray(manifestation)
    n, n_factors = manifestation.shape
    return Comparisons(
        np.ones(n) if preference is None else preference,
        manifestation,
        np.zeros((n, n_factors), bool) if missing is None else missing,
        group,
        tuple("abcdefgh"[:n_factors]),
        "human",
    )


def random_table(seed, *, n=40, n_factors=3, n_groups=6):
    rng = np.random.default_rng(seed)
    return table(
        rng.integers(-1, 2, (n, n_factors)),
        rng.integers(0, n_groups, n),
        preference=rng.integers(-1, 2, n),
    )


def by_brute_force(comparisons):
    agreement = comparisons.preference[:, None] * comparisons.manifestation
    groups = np.unique(comparisons.group)
    net = np.array([agreement[comparisons.group == group].sum(axis=0) for group in groups])
    flips = np.array(list(product([1, -1], repeat=len(groups))))
    return (np.abs(flips @ net) >= np.abs(net.sum(axis=0))).mean(axis=0)


@given(st.integers(0, 2**32 - 1))
def test_exact_p_values_equal_brute_force(seed):
    comparisons = random_table(seed)
    np.testing.assert_allclose(sign_flip_p_values(comparisons), by_brute_force(comparisons))


def test_five_groups_on_one_side_by_hand():
    assert sign_flip_p_values(table(np.ones((5, 1)), range(5))).tolist() == [2 / 2**5]


def test_groups_are_flipped_not_pairs():
    # Twenty concordant pairs of two sources: four flips, two of them as far out.
    assert sign_flip_p_values(table(np.ones((20, 1)), np.arange(20) % 2)).tolist() == [0.5]


def test_flips_are_enumerated_while_they_are_within_the_permutations():
    # Group 3 balances, so three groups of four and 2**3 flips remain.
    comparisons = table([[1], [1], [1], [1], [-1]], [0, 1, 2, 3, 3])
    exact = sign_flip_p_values(comparisons, permutations=7)
    assert exact.tolist() == [0.25]
    sampled = sign_flip_p_values(comparisons, permutations=6)
    assert (sampled * 7).round(9).tolist() in [[float(count)] for count in range(1, 8)]


def test_sampled_p_values_are_close_to_the_exact_ones_and_never_zero():
    comparisons = random_table(2, n=200, n_groups=11)
    sampled = sign_flip_p_values(comparisons, permutations=2000)
    np.testing.assert_allclose(sampled, by_brute_force(comparisons), atol=0.04)
    certain = table(np.ones((60, 1)), range(60))
    assert sign_flip_p_values(certain, permutations=99).tolist() == [0.01]


def test_thousands_of_groups_are_sampled():
    assert sign_flip_p_values(table(np.ones((3000, 1)), range(3000)), permutations=99)[0] == 0.01


def test_factors_with_few_groups_stay_exact_beside_sampled_ones():
    missing = np.zeros((60, 2), bool)
    missing[3:, 1] = True
    both = table(np.where(missing, 0, 1), range(60), missing=missing)
    assert sign_flip_p_values(both, permutations=99).tolist() == [0.01, 0.25]


def test_the_seed_decides_the_sampled_p_values():
    comparisons = random_table(3, n=300, n_groups=60)
    first, again, other = (sign_flip_p_values(comparisons, seed=seed) for seed in (1, 1, 2))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


def test_the_chunks_do_not_change_the_p_values(monkeypatch):
    comparisons = random_table(4, n=300, n_groups=61)
    whole = sign_flip_p_values(comparisons, permutations=500)
    monkeypatch.setattr(significance, "_CHUNK_BYTES", 8 * 61 * 7)
    assert sign_flip_p_values(comparisons, permutations=500).tolist() == whole.tolist()


def test_a_true_hypothesis_is_rejected_at_its_level():
    # Five responses of a source give ten dependent pairs; no influence of the factor at all.
    rng = np.random.default_rng(5)
    first, second = np.triu_indices(5, 1)
    rejected = 0
    for _ in range(200):
        scores, values = rng.normal(size=(2, 12, 5))
        comparisons = table(
            np.sign(values[:, first] - values[:, second]).reshape(-1, 1),
            np.repeat(np.arange(12), 10),
            preference=np.sign(scores[:, first] - scores[:, second]).ravel(),
        )
        rejected += sign_flip_p_values(comparisons)[0] <= 0.05
    assert rejected <= 20


def test_no_net_sum_at_all_is_no_evidence():
    assert sign_flip_p_values(table([[1], [-1], [0]], [0, 0, 1])).tolist() == [1.0]


@pytest.mark.parametrize(
    "comparisons",
    [
        table(np.empty((0, 2)), np.empty(0, int)),
        table([[1, 1]], [0], preference=[0]),
        table([[0, 0]], [0], missing=np.ones((1, 2), bool)),
    ],
    ids=["no rows", "only preference ties", "all missing"],
)
def test_where_tau_is_undefined_there_is_no_test(comparisons):
    assert np.isnan(sign_flip_p_values(comparisons)).tolist() == [True, True]


def test_without_permutations_the_test_is_refused():
    with pytest.raises(ValueError, match="permutations is 0"):
        sign_flip_p_values(random_table(6), permutations=0)


def test_holm_by_hand():
    # Sorted 0.01, 0.02, 0.04 times 3, 2, 1, then made monotone.
    adjusted = adjust_p_values(np.array([0.04, 0.01, 0.02]), "holm")
    np.testing.assert_allclose(adjusted, [0.04, 0.03, 0.04])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=13))
def test_benjamini_hochberg_equals_scipy(p_values):
    np.testing.assert_allclose(
        adjust_p_values(np.array(p_values), "fdr_bh"), false_discovery_control(p_values), atol=1e-15
    )


@pytest.mark.parametrize("method", ["holm", "fdr_bh"])
def test_factors_without_a_test_are_not_counted(method):
    with_gap = adjust_p_values(np.array([0.01, np.nan, 0.03]), method)
    without = adjust_p_values(np.array([0.01, 0.03]), method)
    np.testing.assert_array_equal(with_gap, [without[0], np.nan, without[1]])


@pytest.mark.parametrize("p_values", [np.array([]), np.full(3, np.nan)])
def test_nothing_to_adjust_stays_as_it_is(p_values):
    np.testing.assert_array_equal(adjust_p_values(p_values, "holm"), p_values)


def test_adjusting_leaves_the_given_p_values_alone():
    p_values = np.array([0.01, 0.02])
    adjust_p_values(p_values, "holm")
    assert p_values.tolist() == [0.01, 0.02]


def test_an_unknown_adjustment_is_refused():
    with pytest.raises(ValueError, match=r"'bonf'\. Must be one of: holm, fdr_bh"):
        adjust_p_values(np.array([0.1]), "bonf")


@pytest.mark.parametrize("wrong", [1.5, -0.1])
def test_a_number_that_is_no_probability_is_refused(wrong):
    with pytest.raises(ValueError, match=r"p_values\[1\] is"):
        adjust_p_values(np.array([0.1, wrong]), "holm")
