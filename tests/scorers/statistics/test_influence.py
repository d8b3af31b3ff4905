"""tau_14 and its counts against hand-computed cases and scipy's Somers' D."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import somersd

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.influence import group_sums, profile_of


def table(preference, manifestation, *, missing=None, group=None):
    """One column of manifestations, or several."""
    manifestation = np.array(manifestation, dtype=np.int8)
    manifestation = manifestation if manifestation.ndim == 2 else manifestation[:, None]
    n, n_factors = manifestation.shape
    return Comparisons(
        preference=preference,
        manifestation=manifestation,
        missing=np.zeros((n, n_factors), bool) if missing is None else missing,
        group=np.zeros(n, int) if group is None else group,
        factors=tuple(f"factor_{index}" for index in range(n_factors)),
        perspective="human",
    )


def all_pairs(scores, values, group=0):
    """All pairs of one source's responses, preferred by score."""
    first, second = np.array(list(combinations(range(len(scores)), 2))).T
    scores, values = np.asarray(scores), np.asarray(values, dtype=float)[:, None]
    return Comparisons.from_values(
        np.sign(scores[first] - scores[second]),
        values[first],
        values[second],
        np.full(len(first), group),
        ("factor",),
        "human",
    )


def concatenated(tables):
    names = ("preference", "manifestation", "missing", "group")
    return Comparisons(
        *(np.concatenate([getattr(each, name) for each in tables]) for name in names),
        tables[0].factors,
        tables[0].perspective,
    )


@st.composite
def tables(draw):
    n = draw(st.integers(1, 30))
    n_factors = draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    missing = rng.random((n, n_factors)) < 0.2
    return table(
        rng.integers(-1, 2, n),
        np.where(missing, 0, rng.integers(-1, 2, (n, n_factors))),
        missing=missing,
        group=rng.integers(0, 5, n),
    )


def test_concordant_discordant_and_tied_pairs_by_hand():
    # C: rows 0, 1, 3; D: row 2; T: row 4. tau = (3 - 1) / 5.
    profile = profile_of(table([1, -1, 1, 1, -1], [1, -1, -1, 1, 0]))
    assert profile.tau.tolist() == [0.4]
    counts = (profile.concordant, profile.discordant, profile.tied)
    assert [count.tolist() for count in counts] == [[3], [1], [1]]
    assert profile.reasons == (None,)


def test_preference_ties_are_dropped_and_factor_ties_stay_in_the_denominator():
    profile = profile_of(table([1, 0, 0, 1, 1, 1], [1, 1, -1, 0, 0, 0]))
    assert profile.tau.tolist() == [0.25]
    assert (profile.n_pairs, profile.n_preference_ties) == (4, 2)


def test_a_missing_manifestation_drops_the_pair_for_that_factor_only():
    profile = profile_of(
        table(
            [1, 1, -1],
            [[1, 0], [0, -1], [-1, -1]],
            missing=np.array([[0, 1], [0, 0], [0, 0]], bool),
        )
    )
    np.testing.assert_allclose(profile.tau, [2 / 3, 0.0])
    assert profile.missing.tolist() == [0, 1]


def test_missing_is_counted_only_among_pairs_with_a_preference():
    missing = np.array([[1], [1], [0]], bool)
    profile = profile_of(table([0, 1, 1], [0, 0, 1], missing=missing))
    assert profile.missing.tolist() == [1]
    assert profile.n_preference_ties == 1


def test_groups_count_only_where_a_pair_counts():
    # Group 7 has only a preference tie, group 9 only a missing cell.
    profile = profile_of(
        table(
            [1, 1, 0, 1],
            [1, 1, 1, 0],
            missing=np.array([[0], [0], [0], [1]], bool),
            group=[2, 2, 7, 9],
        )
    )
    assert profile.groups.tolist() == [1]
    assert profile.n_groups == 3


@pytest.mark.parametrize(
    ("comparisons", "reason"),
    [
        (table([], np.empty((0, 1))), "there are no pairs"),
        (table([0, 0], [1, 1]), "all 2 pairs are preference ties"),
        (
            table([1, 0, -1], [0, 1, 0], missing=np.array([[1], [0], [1]], bool)),
            "the factor is missing in all 2 pairs with a preference",
        ),
    ],
)
def test_without_a_counted_pair_tau_is_nan_with_a_reason(comparisons, reason):
    profile = profile_of(comparisons)
    assert np.isnan(profile.tau).all()
    assert profile.reasons == (reason,)


def test_a_constant_factor_has_no_influence_which_is_a_result():
    profile = profile_of(table([1, -1], [0, 0]))
    assert profile.tau.tolist() == [0.0]
    assert profile.reasons == (None,)


def test_a_table_without_factors_has_an_empty_profile():
    empty = Comparisons([1], np.empty((1, 0)), np.empty((1, 0), bool), [0], (), "human")
    assert profile_of(empty).tau.shape == (0,)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # scipy's p value, unused here
@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(0, 4)), min_size=2, max_size=9).filter(
        lambda responses: all(len(set(column)) > 1 for column in zip(*responses, strict=True))
    )
)
def test_within_one_group_tau_is_somers_d(responses):
    # Where the values are constant scipy gives NaN; here every pair is a factor tie, and tau is 0.
    scores, values = zip(*responses, strict=True)
    tau = profile_of(all_pairs(scores, values)).tau[0]
    assert tau == pytest.approx(somersd(scores, values).statistic, abs=1e-12)


def test_pooled_tau_is_the_mean_of_somers_d_weighted_by_pairs():
    rng = np.random.default_rng(1)
    sources = [(np.arange(n), rng.integers(0, 4, n)) for n in (3, 4, 5, 6)]
    pooled = profile_of(
        concatenated([all_pairs(*source, group=code) for code, source in enumerate(sources)])
    )
    expected = np.average(
        [somersd(*source).statistic for source in sources],
        weights=[len(scores) * (len(scores) - 1) / 2 for scores, _ in sources],
    )
    assert pooled.tau[0] == pytest.approx(expected, abs=1e-12)


@given(tables())
def test_counts_add_up_to_all_pairs(comparisons):
    profile = profile_of(comparisons)
    counted = profile.concordant + profile.discordant + profile.tied
    assert (counted + profile.missing == profile.n_pairs).all()
    assert profile.n_pairs + profile.n_preference_ties == len(comparisons.preference)
    assert (np.abs(profile.tau[counted > 0]) <= 1).all()
    assert [reason is None for reason in profile.reasons] == (counted > 0).tolist()


@given(tables(), st.integers(0, 2**32 - 1))
def test_swapping_the_responses_of_any_pairs_changes_nothing(comparisons, seed):
    n = len(comparisons.preference)
    turn = np.random.default_rng(seed).choice([-1, 1], n).astype(np.int8)
    swapped = replace(
        comparisons,
        preference=comparisons.preference * turn,
        manifestation=comparisons.manifestation * turn[:, None],
    )
    np.testing.assert_array_equal(profile_of(swapped).tau, profile_of(comparisons).tau)


@given(tables())
def test_reversing_all_preferences_turns_the_sign_of_tau(comparisons):
    reversed_ = replace(comparisons, preference=-comparisons.preference)
    np.testing.assert_array_equal(profile_of(reversed_).tau, -profile_of(comparisons).tau)


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(-20, 20)), min_size=2, max_size=9))
def test_tau_does_not_change_with_a_strictly_monotone_transform_of_the_values(responses):
    scores, values = map(np.array, zip(*responses, strict=True))
    tau = profile_of(all_pairs(scores, values)).tau
    for transform in (np.exp, np.cbrt, lambda v: 3.0 * v - 7.0):
        np.testing.assert_array_equal(profile_of(all_pairs(scores, transform(values))).tau, tau)


def test_group_sums_by_hand():
    comparisons = table(
        [1, -1, 1, 0, 1],
        [[1, 0], [1, -1], [1, 0], [1, 1], [0, 0]],
        missing=np.array([[0, 1], [0, 0], [0, 0], [0, 0], [0, 0]], bool),
        group=[0, 0, 2, 2, 3],
    )
    net, counted = group_sums(comparisons, 5)
    assert net.tolist() == [[0, 1], [0, 0], [1, 0], [0, 0], [0, 0]]
    assert counted.tolist() == [[2, 1], [0, 0], [1, 1], [1, 1], [0, 0]]


@given(tables())
def test_group_sums_add_up_to_tau(comparisons):
    net, counted = group_sums(comparisons, 5)
    profile = profile_of(comparisons)
    np.testing.assert_array_equal(net.sum(axis=0), profile.concordant - profile.discordant)
    np.testing.assert_array_equal(
        counted.sum(axis=0), profile.concordant + profile.discordant + profile.tied
    )
    np.testing.assert_array_equal((counted > 0).sum(axis=0), profile.groups)


def test_a_group_code_beyond_the_rows_is_refused():
    with pytest.raises(ValueError, match="group code 3 does not fit n_groups=3"):
        group_sums(table([1], [1], group=[3]), 3)


DEGENERATE = {
    "one pair": (table([1], [1]), 1.0, 1),
    "one source": (table([1, 1, -1, 1], [1, 1, 1, 0]), 0.25, 1),
    "a constant factor that shows": (table([1, 1, -1, -1], [1, 1, 1, 1]), 0.0, 1),
    "a factor that never differs": (table([1, -1], [0, 0]), 0.0, 1),
    "the same row over and over": (table([1] * 5, [-1] * 5, group=[3] * 5), -1.0, 1),
    "one group with 99 % of the pairs": (
        table([1] * 100, [1] * 99 + [-1], group=[0] * 99 + [1]),
        0.98,
        2,
    ),
    "groups far apart, out of order": (
        table([1, 1, -1], [1, 0, 1], group=[2**31 - 1, 5, 2**31 - 1]),
        0.0,
        2,
    ),
    "one counted pair among ties and missing cells": (
        table([0, 1, 1], [1, 0, -1], missing=[[False], [True], [False]], group=[0, 1, 2]),
        -1.0,
        1,
    ),
    "no rows": (table([], np.empty((0, 1))), None, 0),
    "preference ties only": (table([0, 0], [1, -1]), None, 0),
    "missing cells only": (table([1, -1], [0, 0], missing=np.ones((2, 1), bool)), None, 0),
}


@pytest.mark.parametrize(("comparisons", "tau", "groups"), DEGENERATE.values(), ids=DEGENERATE)
def test_a_degenerate_table_has_a_value_or_a_reason(comparisons, tau, groups):
    profile = profile_of(comparisons)
    assert profile.groups.tolist() == [groups]
    if tau is None:
        assert np.isnan(profile.tau[0])
        assert profile.reasons[0]
    else:
        assert profile.tau.tolist() == [pytest.approx(tau)]
        assert profile.reasons == (None,)


@pytest.mark.parametrize(("comparisons", "tau", "groups"), DEGENERATE.values(), ids=DEGENERATE)
def test_the_sums_by_group_of_a_degenerate_table_give_the_same_tau(comparisons, tau, groups):
    # Dense codes: a sum has a row for every code up to the greatest.
    codes = np.unique(comparisons.group, return_inverse=True)[1]
    net, counted = group_sums(replace(comparisons, group=codes), 3)
    assert net.shape == counted.shape == (3, 1)
    assert np.count_nonzero(counted) == groups
    assert counted.sum() == 0 if tau is None else net.sum() / counted.sum() == pytest.approx(tau)


def test_the_sums_of_no_groups_are_empty():
    net, counted = group_sums(table([], np.empty((0, 2))), 0)
    assert net.shape == counted.shape == (0, 2)


@given(tables(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_and_the_names_of_the_groups_change_nothing(comparisons, random):
    order = list(range(len(comparisons.preference)))
    random.shuffle(order)
    names = np.array(random.sample(range(2**31), 5))
    shuffled = replace(
        comparisons,
        preference=comparisons.preference[order],
        manifestation=comparisons.manifestation[order],
        missing=comparisons.missing[order],
        group=names[comparisons.group[order]],
    )
    old, new = profile_of(comparisons), profile_of(shuffled)
    for name in ("tau", "concordant", "discordant", "tied", "missing", "groups"):
        np.testing.assert_array_equal(getattr(new, name), getattr(old, name))
    assert new.n_groups == old.n_groups


@pytest.mark.filterwarnings("ignore")  # the package and what it imports warn
def test_tau_is_the_strength_of_feedback_forensics_where_no_preference_ties():
    metrics = pytest.importorskip("feedback_forensics.app.metrics", exc_type=ImportError)
    rng = np.random.default_rng(3)
    comparisons = table(rng.choice([-1, 1], 300), rng.integers(-1, 2, (300, 6)))
    texts = ["text_b", "both", "text_a"]
    votes = pd.DataFrame(
        {
            name: pd.Categorical.from_codes(signs + 1, texts)
            for name, signs in zip(
                ("preferred_text", *comparisons.factors),
                (comparisons.preference, *comparisons.manifestation.T),
                strict=True,
            )
        }
    )
    computed = metrics.compute_annotator_metrics(
        votes,
        {name: {"annotator_in_row_name": name} for name in comparisons.factors},
        list(comparisons.factors),
        "preferred_text",
    )
    strengths = [computed["metrics"]["strength"][name]["strength"] for name in comparisons.factors]
    np.testing.assert_allclose(profile_of(comparisons).tau, strengths, rtol=0, atol=1e-12)
