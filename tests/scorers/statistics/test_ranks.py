"""Ranks of factors: by hand, with what cannot be told apart, and with intervals that cover."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.influence import profile_of
from profile_tasks.scorers.statistics.ranks import factor_ranks
from profile_tasks.scorers.statistics.resampling import bootstrap_taus

NAN = np.nan


def ranked(tau, *, error=0.01, replicates=400, n_groups=50, seed=0, **options):
    """Ranks from independent normal replicates around the influences."""
    tau = np.asarray(tau, dtype=float)
    drawn = tau + error * np.random.default_rng(seed).normal(size=(replicates, tau.size))
    groups = np.broadcast_to(n_groups, tau.shape)
    return factor_ranks("abcdefgh"[: tau.size], tau, drawn, n_groups=groups, **options)


def places(ranks):
    return [rank.value for rank in ranks.estimates]


def bounds(ranks):
    return [(interval.low, interval.high) for interval in ranks.estimates]


def test_the_greatest_influence_ranks_first_and_the_most_negative_last():
    ranks = ranked([0.1, 0.5, -0.4])
    assert [rank.value for rank in ranks.estimates] == [2, 1, 3]
    assert bounds(ranks) == [(2, 2), (1, 1), (3, 3)]


def test_equal_influences_share_their_mean_rank_and_its_bounds():
    ranks = ranked([0.2, 0.5, 0.2, -0.1])
    assert [rank.value for rank in ranks.estimates] == [2.5, 1, 2.5, 4]
    assert bounds(ranks) == [(2, 3), (1, 1), (2, 3), (4, 4)]


def test_influences_that_are_not_told_apart_may_each_have_either_rank():
    assert bounds(ranked([0.5, 0.201, 0.2])) == [(1, 1), (2, 3), (2, 3)]


def test_the_more_noise_the_wider_the_bounds():
    def widths(error):
        return [high - low for low, high in bounds(ranked([0.4, 0.2, 0.0], error=error))]

    assert widths(0.01) == [0, 0, 0]
    assert widths(10.0) == [2, 2, 2]


def test_the_confidence_asked_for_decides_the_bounds():
    # The difference is 2.1 of its standard errors.
    drawn = {"error": 0.1, "replicates": 4000}
    assert bounds(ranked([0.3, 0.0], confidence=0.9, **drawn)) == [(1, 1), (2, 2)]
    assert bounds(ranked([0.3, 0.0], confidence=0.99, **drawn)) == [(1, 2), (1, 2)]


def test_an_undefined_influence_has_no_rank_and_takes_none():
    tau = np.array([0.5, NAN, 0.1])
    drawn = tau + 0.01 * np.random.default_rng(0).normal(size=(200, 3))
    ranks = factor_ranks("abc", tau, drawn, n_groups=np.array([50, 0, 50]))
    np.testing.assert_array_equal(places(ranks), [1, NAN, 2])
    np.testing.assert_array_equal(bounds(ranks), [(1, 1), (NAN, NAN), (2, 2)])
    assert [i.reason for i in ranks.estimates] == [None, "the influence is not defined", None]


def test_a_factor_in_few_groups_is_ranked_and_may_stand_anywhere():
    ranks = ranked([0.5, 0.3, 0.1], n_groups=[50, 7, 50])
    assert [rank.value for rank in ranks.estimates] == [1, 2, 3]
    assert ranks.estimates[1].reason == "groups: 7; an interval needs at least 8"
    assert np.isnan(ranks.estimates[1].low)
    # The others are told apart from each other, but not from it.
    assert (bounds(ranks)[0], bounds(ranks)[2]) == ((1, 2), (2, 3))


def test_a_factor_that_is_often_undefined_is_ranked_and_may_stand_anywhere():
    tau = np.array([0.5, 0.3, 0.1])
    drawn = tau + 0.01 * np.random.default_rng(0).normal(size=(200, 3))
    drawn[:11, 1] = NAN
    ranks = factor_ranks("abc", tau, drawn, n_groups=np.full(3, 50))
    assert [rank.value for rank in ranks.estimates] == [1, 2, 3]
    assert ranks.estimates[1].reason == (
        "the influence is defined in fewer than 95% of the replicates"
    )
    assert (bounds(ranks)[0], bounds(ranks)[2]) == ((1, 2), (2, 3))


def test_without_replicates_that_define_all_factors_nothing_is_told_apart():
    # Each of 13 factors is undefined in 20 other replicates of 400: 140 are complete.
    tau = np.linspace(0.6, -0.6, 13)
    drawn = np.tile(tau, (400, 1))
    for index in range(13):
        drawn[20 * index : 20 * (index + 1), index] = NAN
    ranks = factor_ranks("abcdefghijklm", tau, drawn, n_groups=np.full(13, 50))
    assert [rank.value for rank in ranks.estimates] == list(range(1, 14))
    assert {i.reason for i in ranks.estimates} == {
        "all factors are defined in only 140 of 400 replicates"
    }
    assert np.isnan(bounds(ranks)).all()


def test_duplicates_of_a_factor_always_move_together_and_are_not_told_apart():
    tau = np.array([0.3, 0.3, 0.3, -0.3])
    drawn = tau + 0.01 * np.random.default_rng(0).normal(size=(200, 4))
    drawn[:, 1] = drawn[:, 2] = drawn[:, 0]
    ranks = factor_ranks("abcd", tau, drawn, n_groups=np.full(4, 50))
    assert [rank.value for rank in ranks.estimates] == [2, 2, 2, 4]
    assert bounds(ranks) == [(1, 3)] * 3 + [(4, 4)]


def test_duplicates_that_differ_by_rounding_are_not_told_apart():
    tau = np.array([0.1 + 0.2, 0.3, -0.3])
    drawn = tau + np.array([[0.1], [0.0], [-0.1]] * 50)
    ranks = factor_ranks("abc", tau, drawn, n_groups=np.full(3, 50))
    assert bounds(ranks) == [(1, 2), (1, 2), (3, 3)]


def test_factors_that_always_move_together_are_told_apart_by_any_difference():
    tau = np.array([0.3, 0.29])
    drawn = tau + np.random.default_rng(0).normal(size=(200, 1))
    assert bounds(factor_ranks("ab", tau, drawn, n_groups=np.full(2, 50))) == [(1, 1), (2, 2)]


def test_without_any_spread_the_ranks_are_certain():
    tau = np.array([0.3, 0.1, 0.3])
    ranks = factor_ranks("abc", tau, np.tile(tau, (100, 1)), n_groups=np.full(3, 50))
    assert [rank.value for rank in ranks.estimates] == [1.5, 3, 1.5]
    assert bounds(ranks) == [(1, 2), (3, 3), (1, 2)]


def test_a_single_factor_ranks_first_of_one():
    ranks = ranked([0.2])
    assert [rank.value for rank in ranks.estimates] == [1]
    assert bounds(ranks) == [(1, 1)]


def test_without_factors_there_are_no_ranks():
    ranks = factor_ranks((), np.empty(0), np.empty((100, 0)), n_groups=np.empty(0, int))
    assert ranks.estimates == ()


@given(st.integers(0, 2**32 - 1), st.integers(1, 7))
def test_bounds_are_whole_ranks_that_hold_the_rank(seed, n_factors):
    rng = np.random.default_rng(seed)
    tau = rng.integers(-3, 4, n_factors) / 5
    ranks = ranked(tau, error=rng.choice([0.01, 0.1, 1.0]), replicates=50, seed=seed)
    np.testing.assert_array_equal(places(ranks), rankdata(-tau))
    for rank, (low, high) in zip(places(ranks), bounds(ranks), strict=True):
        assert 1 <= low <= rank <= high <= n_factors
        assert (low.is_integer(), high.is_integer()) == (True, True)


@given(st.integers(0, 2**32 - 1))
def test_whatever_is_shown_to_be_greater_is_so_from_either_side(seed):
    # With two factors, the one can only be first for certain if the other is second for certain.
    first, second = bounds(ranked(np.random.default_rng(seed).normal(size=2) / 5, error=0.1))
    assert (first == (1, 1)) == (second == (2, 2))
    assert (first == (2, 2)) == (second == (1, 1))


def coverage(truth, n_groups, *, simulations=300, n_pairs=6):
    """How often each true rank is covered, and the ranking as a whole is right."""
    rng = np.random.default_rng(n_groups)
    true_rank = rankdata(-truth)
    factors = tuple("abcdefghijklm"[: truth.size])
    covered, right = np.zeros(truth.size), 0
    for _ in range(simulations):
        own = 0.2 * rng.normal(size=(n_groups, 1, truth.size))
        chance = np.clip((1 + truth + own) / 2, 0, 1)
        agrees = rng.random((n_groups, n_pairs, truth.size)) < chance
        comparisons = Comparisons(
            np.ones(n_groups * n_pairs),
            np.where(agrees, 1, -1).reshape(-1, truth.size),
            np.zeros((n_groups * n_pairs, truth.size), bool),
            np.repeat(np.arange(n_groups), n_pairs),
            factors,
            "human",
        )
        profile = profile_of(comparisons)
        (taus,) = bootstrap_taus([comparisons], replicates=300)
        ranks = factor_ranks(factors, profile.tau, taus, n_groups=profile.groups)
        low, high = np.transpose(bounds(ranks))
        covered += (low <= true_rank) & (true_rank <= high)
        right += (np.array(places(ranks)) == true_rank).all()
    return covered / simulations, right / simulations


def test_the_bounds_cover_the_true_rank_of_nearly_equal_influences():
    # Influences that lie closer than their errors: the ranks themselves are rarely right.
    covered, right = coverage(np.array([0.30, 0.29, 0.28, 0.10, 0.09, -0.2]), n_groups=30)
    assert (covered >= 0.95).all()
    assert right < 0.5


def test_the_bounds_cover_the_true_rank_also_with_few_groups():
    covered, _ = coverage(0.2 + 0.001 * np.arange(13), n_groups=10)
    assert (covered >= 0.925).all()  # 0.95 but for two standard errors of the simulation


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_an_impossible_confidence_is_refused(confidence):
    with pytest.raises(ValueError, match=f"confidence is {confidence}"):
        ranked([0.1, 0.2], confidence=confidence)


@pytest.mark.parametrize(
    ("tau", "replicates", "n_groups"),
    [
        (np.zeros(3), np.zeros((5, 2)), np.zeros(2, int)),
        (np.zeros(2), np.zeros((5, 3)), np.zeros(2, int)),
        (np.zeros(2), np.zeros((5, 2)), np.zeros(3, int)),
    ],
)
def test_shapes_that_do_not_fit_are_named(tau, replicates, n_groups):
    with pytest.raises(ValueError, match=r"2 factors, but tau has shape .* expected \(2,\)"):
        factor_ranks("ab", tau, replicates, n_groups=n_groups)
