"""Sign-flip tests against brute force, and adjustment for several factors."""

from itertools import product
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control
from statsmodels.stats.multitest import multipletests

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.influence import profile_of
from profile_tasks.scorers.statistics.significance import (
    adjust_p_values,
    difference_tests,
    influence_tests,
    sign_flip_p_values,
)


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


def test_influence_tests_hold_each_factor_against_zero():
    comparisons = random_table(7, n=120, n_groups=30)
    tests = influence_tests(comparisons)
    profile = profile_of(comparisons)
    assert tests.factors == ("a", "b", "c")
    assert tests.value.tolist() == profile.tau.tolist()
    assert tests.n_groups.tolist() == profile.groups.tolist()
    p_values = sign_flip_p_values(comparisons)
    assert tests.p_value.tolist() == p_values.tolist()
    assert tests.p_holm.tolist() == adjust_p_values(p_values, "holm").tolist()
    assert tests.p_bh.tolist() == adjust_p_values(p_values, "fdr_bh").tolist()
    assert tests.reasons == (None, None, None)
    assert tests.family == "influence on the human preference: 3 factors"
    assert tests.method == "sign-flip test by group, exact"


def lacking_a_factor(n=20):
    missing = np.zeros((n, 3), bool)
    missing[:, 1] = True
    manifestation = np.where(missing, 0, np.array([1, 0, -1]))
    manifestation[:4, 2] = 1
    return table(manifestation, range(n), missing=missing)


def test_a_factor_without_an_influence_has_no_test_and_is_not_counted():
    tests = influence_tests(lacking_a_factor())
    np.testing.assert_array_equal(np.isnan(tests.p_value), [False, True, False])
    # Two tests are adjusted: the smallest p is doubled, not tripled.
    np.testing.assert_allclose(tests.p_holm, [2 * tests.p_value[0], np.nan, tests.p_value[2]])
    np.testing.assert_allclose(tests.p_bh, [2 * tests.p_value[0], np.nan, tests.p_value[2]])
    assert tests.family == "influence on the human preference: 2 factors"
    assert tests.reasons == (
        None,
        "the factor is missing in all 20 pairs with a preference",
        None,
    )


def judged(seed, *, taus, perspective="human", n_groups=8, sizes=(1, 7), spread=0.3, pairs=None):
    """Pairs without ties that agree with each factor as often as the influence says.

    Each group has its own influences around ``taus``, and its own number of pairs.
    """
    rng = np.random.default_rng(seed)
    counts = rng.integers(*sizes, n_groups) if pairs is None else pairs
    group = np.repeat(np.arange(n_groups), counts)
    own = np.asarray(taus) + spread * rng.normal(size=(n_groups, len(taus)))
    agrees = rng.random((group.size, len(taus))) < (1 + own[group]) / 2
    return Comparisons(
        np.ones(group.size),
        np.where(agrees, 1, -1),
        np.zeros(agrees.shape, bool),
        group,
        tuple("abcdefgh"[: len(taus)]),
        perspective,
    )


def two_judges(seed, n_groups=8):
    """Two judges of the same pairs, none of them a tie, with different tastes."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(n_groups), rng.integers(1, 6, n_groups))
    manifestation = rng.integers(-1, 2, (group.size, 3))
    return [
        Comparisons(
            np.where(manifestation @ taste + rng.logistic(size=group.size) > 0, 1, -1),
            manifestation,
            np.zeros(manifestation.shape, bool),
            group,
            ("a", "b", "c"),
            perspective,
        )
        for perspective, taste in (("discrimination", [1, 0.5, 0]), ("human", [0, 0.5, -1]))
    ]


def by_swapping_judges(first, second):
    """The share of all ways to swap the two judges in groups with as great a difference."""
    groups = np.unique(first.group)
    observed = np.abs(profile_of(first).tau - profile_of(second).tau)
    as_great = np.zeros(len(first.factors))
    for swapped in product([False, True], repeat=groups.size):
        rows = np.isin(first.group, groups[list(swapped)])
        net = np.where(
            rows, second.preference - first.preference, first.preference - second.preference
        )
        difference = net @ first.manifestation / net.size
        as_great += np.abs(difference) >= observed - 1e-9
    return as_great / 2**groups.size


@given(st.integers(0, 2**32 - 1))
def test_judges_of_the_same_pairs_are_tested_by_swapping_them_in_groups(seed):
    first, second = two_judges(seed, n_groups=6)
    tests = difference_tests(first, second)
    np.testing.assert_allclose(tests.p_value, by_swapping_judges(first, second))
    np.testing.assert_allclose(tests.value, profile_of(first).tau - profile_of(second).tau)


@given(st.integers(0, 2**32 - 1))
def test_the_judges_may_change_places(seed):
    # Tables of different pairs, groups, ties and missing cells.
    first, second = random_table(seed), random_table(seed + 1, n=25, n_groups=9)
    one, other = difference_tests(first, second), difference_tests(second, first)
    np.testing.assert_array_equal(one.value, -other.value)
    np.testing.assert_array_equal(one.p_value, other.p_value)
    np.testing.assert_array_equal(one.p_holm, other.p_holm)
    np.testing.assert_array_equal(one.p_bh, other.p_bh)
    np.testing.assert_array_equal(one.n_groups, other.n_groups)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_a_judge_does_not_differ_from_itself(seed, n_groups):
    comparisons = random_table(seed, n_groups=n_groups)
    order = np.random.default_rng(seed).permutation(comparisons.preference.size)
    same = Comparisons(
        comparisons.preference[order],
        comparisons.manifestation[order],
        comparisons.missing[order],
        comparisons.group[order],
        comparisons.factors,
        "discrimination",
    )
    tests = difference_tests(same, comparisons, permutations=99)
    assert tests.value.tolist() == [0, 0, 0]
    assert tests.p_value.tolist() == [1, 1, 1]
    assert tests.p_holm.tolist() == [1, 1, 1]


@given(st.integers(0, 2**32 - 1), st.sampled_from([3, 7, 11]))
def test_the_same_pairs_several_times_are_no_other_judge(seed, times):
    # Here the groups' parts differ by rounding.
    comparisons = random_table(seed, n_groups=20)
    repeated = Comparisons(
        np.tile(comparisons.preference, times),
        np.tile(comparisons.manifestation, (times, 1)),
        np.tile(comparisons.missing, (times, 1)),
        np.tile(comparisons.group, times),
        comparisons.factors,
        "discrimination",
    )
    tests = difference_tests(repeated, comparisons, permutations=99)
    assert tests.value.tolist() == [0, 0, 0]
    assert tests.p_value.tolist() == [1, 1, 1]


def test_two_judges_with_opposite_tastes_in_five_groups_by_hand():
    first = table(np.ones((5, 1)), range(5))
    second = table(-np.ones((5, 1)), range(5))
    tests = difference_tests(first, second)
    assert (tests.value.tolist(), tests.p_value.tolist()) == ([2.0], [2 / 2**5])


def rejections(pairs_of_tables, permutations=199):
    tests = [difference_tests(*both, permutations=permutations) for both in pairs_of_tables]
    return np.mean([test.p_value <= 0.05 for test in tests])


@pytest.mark.parametrize("tau", [0.0, 0.7])
def test_judges_of_other_pairs_with_the_same_influence_are_rejected_at_the_level(tau):
    # 1 to 11 pairs a group, other numbers for the other judge, groups that differ in influence.
    null = (
        (
            judged(2 * i, taus=[tau], n_groups=25, sizes=(1, 12), spread=0.1),
            judged(2 * i + 1, taus=[tau], n_groups=25, sizes=(1, 12), spread=0.1),
        )
        for i in range(400)
    )
    assert 0.03 <= rejections(null) <= 0.075


def test_written_pairs_beside_annotated_ones_are_rejected_at_the_level():
    # Ten pairs of five written responses a source, beside one to three annotated pairs.
    first, second = np.triu_indices(5, 1)
    rng = np.random.default_rng(1)

    def written():
        values = rng.normal(size=(25, 5))
        scores = 0.5 * values + rng.normal(size=(25, 5))
        return Comparisons(
            np.sign(scores[:, first] - scores[:, second]).ravel(),
            np.sign(values[:, first] - values[:, second]).reshape(-1, 1),
            np.zeros((250, 1), bool),
            np.repeat(np.arange(25), 10),
            ("a",),
            "generation",
        )

    # Of a bivariate normal with correlation r, tau is 2 / pi * asin(r).
    tau = 2 / np.pi * np.arcsin(0.5 / np.sqrt(1.25))
    null = ((written(), judged(i, taus=[tau], n_groups=25, sizes=(1, 4))) for i in range(400))
    assert 0.03 <= rejections(null) <= 0.075


def test_a_real_difference_is_found():
    different = (
        (
            judged(2 * i, taus=[0.4], n_groups=60),
            judged(2 * i + 1, taus=[0.0], n_groups=60),
        )
        for i in range(40)
    )
    assert rejections(different) >= 0.9


def test_groups_of_one_judge_alone_count_as_they_are():
    first = judged(0, taus=[0.5], n_groups=10)
    second = judged(1, taus=[0.5], n_groups=20, perspective="discrimination")
    assert difference_tests(first, second).n_groups.tolist() == [20]


def test_what_one_judge_lacks_is_not_compared_and_says_why():
    complete = table(np.ones((20, 3)), range(20))
    tests = difference_tests(complete, lacking_a_factor(), names=("A", "B"))
    np.testing.assert_array_equal(np.isnan(tests.value), [False, True, False])
    np.testing.assert_array_equal(np.isnan(tests.p_value), [False, True, False])
    assert tests.reasons == (
        None,
        "B: the factor is missing in all 20 pairs with a preference",
        None,
    )
    assert tests.family == "influence on A less that on B: 2 factors"
    assert tests.p_holm[2] == 2 * tests.p_value[2]  # adjusted over two, not over three
    assert tests.p_holm[0] == 1


def test_the_judges_are_called_by_their_perspectives_unless_named():
    first, second = two_judges(0)
    tests = difference_tests(first, second, permutations=99)
    assert tests.family == "influence on discrimination less that on human: 3 factors"
    assert tests.method == "paired sign-flip test by group, exact or 99 flips"
    nothing = table(np.empty((0, 3)), np.empty(0, int))
    assert difference_tests(first, nothing).reasons == ("human: there are no pairs",) * 3
    assert difference_tests(nothing, nothing).family.endswith(": 0 factors")


def test_the_seed_decides_the_sampled_p_values_of_a_difference():
    first, second = (random_table(seed, n=300, n_groups=60) for seed in (8, 9))
    one, again, other = (difference_tests(first, second, seed=seed).p_value for seed in (1, 1, 2))
    assert one.tolist() == again.tolist()
    assert one.tolist() != other.tolist()


def test_judges_with_different_factors_are_refused():
    first, second = random_table(0, n_factors=2), random_table(0, n_factors=3)
    with pytest.raises(ValueError, match="factors of the two judges differ: a, b; a, b, c"):
        difference_tests(first, second)


def test_without_permutations_a_difference_is_refused():
    with pytest.raises(ValueError, match="permutations is 0"):
        difference_tests(*two_judges(0), permutations=0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_adjusted_values_are_those_of_statsmodels(p_values):
    values = np.array(p_values)
    for method in ("holm", "fdr_bh"):
        # It collects garbage at each call, which beside every other test's modules takes a second.
        with mock.patch("gc.collect"):
            expected = multipletests(values, method=method)[1]
        np.testing.assert_allclose(adjust_p_values(values, method), expected, atol=1e-12)
