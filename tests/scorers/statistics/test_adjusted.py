"""Adjusted influence: planted coefficients, symmetry, and designs that have no answer."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from profile_tasks.scorers.statistics import adjusted
from profile_tasks.scorers.statistics.adjusted import adjusted_influence, separating_direction
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.systems import Systems

FIELDS = ("coefficient", "low", "high", "p_value")


def table(preference, manifestation, group, *, missing=None):
    manifestation = np.asarray(manifestation)
    return Comparisons(
        preference,
        manifestation,
        np.zeros(manifestation.shape, bool) if missing is None else missing,
        group,
        tuple("abcdefgh"[: manifestation.shape[1]]),
        "human",
    )


def planted(weights, *, n=2000, n_groups=250, seed=0, share_tied=0.3):
    """Pairs preferred by a logistic utility with these weights on the manifestations."""
    rng = np.random.default_rng(seed)
    manifestation = rng.choice([-1, 1], (n, len(weights)))
    manifestation[rng.random(manifestation.shape) < share_tied] = 0
    preference = np.sign(manifestation @ np.asarray(weights) + rng.logistic(size=n))
    return table(preference, manifestation, np.arange(n) % n_groups)


def swapped(comparisons, turn):
    return table(
        comparisons.preference * turn,
        comparisons.manifestation * turn[:, None],
        comparisons.group,
        missing=comparisons.missing,
    )


def with_column(comparisons, column):
    return table(
        comparisons.preference,
        np.column_stack([comparisons.manifestation, column]),
        comparisons.group,
    )


def assert_undefined(result, indices):
    for name in FIELDS:
        assert np.isnan(getattr(result, name)[indices]).all()
    assert all(result.reasons[index] for index in np.atleast_1d(indices))


def test_planted_coefficients_are_recovered():
    weights = np.array([1.2, -0.6, 0.0])
    comparisons = planted(weights)
    result = adjusted_influence(comparisons)
    scale = np.sqrt((comparisons.manifestation.astype(float) ** 2).mean(axis=0))
    np.testing.assert_allclose(result.coefficient, weights * scale, atol=0.12)
    assert (result.low <= weights * scale).all()
    assert (weights * scale <= result.high).all()
    assert (result.p_value[:2] < 1e-6).all()
    assert result.p_value[2] > 0.05
    np.testing.assert_allclose(result.vif, 1, atol=0.02)
    assert (result.n_pairs, result.n_groups, result.reasons) == (2000, 250, (None,) * 3)


def test_a_factor_that_only_accompanies_another_has_no_adjusted_influence():
    comparisons = planted([1.5])
    copied = np.random.default_rng(1).random(2000) < 0.6
    companion = np.where(copied, comparisons.manifestation[:, 0], 0)
    result = adjusted_influence(with_column(comparisons, companion))
    assert result.low[1] < 0 < result.high[1]
    assert result.low[0] > 0.5


def corrected(design, coefficient, group):
    """CR2 errors and Satterthwaite's degrees of freedom by definition, with n x n matrices."""
    residual = 1 / (1 + np.exp(design @ coefficient))
    weight = residual * (1 - residual)
    x = design * np.sqrt(weight)[:, None]
    bread = np.linalg.inv(x.T @ x)
    annihilator = np.eye(len(x)) - x @ bread @ x.T
    scores, pulls = [], []
    for code in np.unique(group):
        own = group == code
        values, vectors = np.linalg.eigh(annihilator[np.ix_(own, own)])
        adjusted = vectors / np.sqrt(values) @ vectors.T @ x[own]
        scores.append(adjusted.T @ (residual / np.sqrt(weight))[own])
        pulls.append(annihilator[:, own] @ adjusted @ bread)
    error = np.sqrt((np.array(scores) @ bread) ** 2).T
    forms = np.einsum("gnk,hnk->kgh", pulls, pulls)
    traces = np.trace(forms, axis1=1, axis2=2)
    return np.sqrt((error**2).sum(axis=1)), traces**2 / (forms**2).sum(axis=(1, 2))


@pytest.mark.parametrize("groups", ["equal", "unequal"])
def test_errors_are_cr2_and_degrees_of_freedom_are_satterthwaites(groups):
    comparisons = planted([0.8, -0.3], n=120, n_groups=12)
    if groups == "unequal":
        codes = np.random.default_rng(5).permutation(
            np.repeat(np.arange(12), np.arange(12) + 5)[:120]
        )
        comparisons = table(comparisons.preference, comparisons.manifestation, codes)
    oriented = comparisons.manifestation * comparisons.preference[:, None]
    design = oriented / np.sqrt((oriented.astype(float) ** 2).mean(axis=0))
    fit = sm.Logit(np.ones(120), design).fit(disp=0)
    error, freedom = corrected(design, fit.params, comparisons.group)
    result = adjusted_influence(comparisons, confidence=0.9)
    np.testing.assert_allclose(result.coefficient, fit.params, rtol=1e-6)
    margin = stats.t(freedom).ppf(0.95) * error
    np.testing.assert_allclose(result.high - result.coefficient, margin, rtol=1e-6)
    np.testing.assert_allclose(
        result.p_value, 2 * stats.t(freedom).sf(np.abs(fit.params) / error), rtol=1e-5
    )
    assert (freedom < 11).all()


@pytest.mark.parametrize("pairs", [1, 3, 24])  # a group below and above the number of columns
def test_with_systems_they_are_those_of_the_whole_design(pairs):
    comparisons = planted([0.8, -0.3], n=240, n_groups=240)
    comparisons = table(comparisons.preference, comparisons.manifestation, np.arange(240) // pairs)
    rng = np.random.default_rng(6)
    code = np.column_stack(
        [first := rng.integers(0, 4, 240), (first + rng.integers(1, 4, 240)) % 4]
    )
    oriented = comparisons.manifestation * comparisons.preference[:, None]
    strength = (np.eye(4)[code[:, 0]] - np.eye(4)[code[:, 1]]) * comparisons.preference[:, None]
    scaled = oriented / np.sqrt((oriented.astype(float) ** 2).mean(axis=0))
    design = np.hstack([scaled, strength[:, 1:]])
    fit = sm.Logit(np.ones(240), design).fit(disp=0)
    error, freedom = corrected(design, fit.params, comparisons.group)
    result = adjusted_influence(comparisons, systems=Systems(code, ("k", "l", "m", "n")))
    np.testing.assert_allclose(result.coefficient, fit.params[:2], rtol=1e-6)
    margin = stats.t(freedom[:2]).ppf(0.975) * error[:2]
    np.testing.assert_allclose(result.high - result.coefficient, margin, rtol=1e-6)


@pytest.mark.parametrize("sizes", [[10] * 12, [60] + [4] * 11])
def test_no_influence_is_rarely_told_from_0_with_twelve_groups(sizes):
    """Simulated: three factors, one without influence, and groups with tastes of their own."""
    rejected = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        group = np.repeat(np.arange(12), sizes)
        signs = rng.choice([-1, 0, 1], (group.size, 3))
        tastes = np.array([0, 0.8, -0.5]) + 0.7 * rng.standard_normal((12, 3))
        preference = np.sign((signs * tastes[group]).sum(axis=1) + rng.logistic(size=group.size))
        rejected += adjusted_influence(table(preference, signs, group)).p_value[0] < 0.05
    assert rejected <= 24  # 8 %


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_swapping_the_responses_of_any_pairs_changes_nothing(seed):
    comparisons = planted([0.8, -0.3], n=150, n_groups=30)
    turn = np.random.default_rng(seed).choice([-1, 1], 150)
    result, again = map(adjusted_influence, (comparisons, swapped(comparisons, turn)))
    for name in (*FIELDS, "vif"):
        np.testing.assert_array_equal(getattr(again, name), getattr(result, name))


def test_preference_ties_and_incomplete_pairs_are_dropped():
    complete = planted([0.8, -0.3], n=200, n_groups=40)
    extra = 30
    preference = np.concatenate([complete.preference, np.zeros(extra), np.ones(extra)])
    manifestation = np.concatenate(
        [complete.manifestation, np.ones((extra, 2)), np.tile([1, 0], (extra, 1))]
    )
    missing = np.zeros(manifestation.shape, bool)
    missing[-extra:, 1] = True
    group = np.concatenate([complete.group, np.arange(2 * extra) + 1000])
    result = adjusted_influence(table(preference, manifestation, group, missing=missing))
    expected = adjusted_influence(complete)
    np.testing.assert_allclose(result.coefficient, expected.coefficient, rtol=1e-12)
    np.testing.assert_allclose(result.low, expected.low, rtol=1e-12)
    assert (result.n_pairs, result.n_groups) == (200, 40)


def test_a_factor_that_never_differs_is_named_and_the_others_stay():
    comparisons = planted([0.8, -0.3], n=200, n_groups=40)
    result = adjusted_influence(with_column(comparisons, np.zeros(200)))
    assert_undefined(result, 2)
    assert result.reasons == (None, None, "the factor never differs between two responses")
    np.testing.assert_array_equal(
        result.coefficient[:2], adjusted_influence(comparisons).coefficient
    )


def test_a_factor_missing_everywhere_does_not_take_all_pairs_with_it():
    comparisons = planted([0.8], n=200, n_groups=40)
    missing = np.zeros((200, 2), bool)
    missing[:, 1] = True
    result = adjusted_influence(
        table(
            comparisons.preference,
            np.column_stack([comparisons.manifestation, np.zeros(200)]),
            comparisons.group,
            missing=missing,
        )
    )
    assert result.reasons == (None, "the factor is missing in all 200 pairs with a preference")
    assert result.n_pairs == 200


@pytest.mark.parametrize("sign", [1, -1])
def test_a_mirrored_factor_is_collinear_and_named(sign):
    comparisons = planted([0.8, -0.3], n=300, n_groups=60)
    mirrored = with_column(comparisons, sign * comparisons.manifestation[:, 0])
    result = adjusted_influence(mirrored)
    assert_undefined(result, [0, 2])
    assert result.reasons[0] == result.reasons[2]
    assert result.reasons[0].startswith("collinear: a, c cannot be told apart")
    assert np.isinf(result.vif[[0, 2]]).all()


def test_factors_outside_a_collinear_set_stay_adjusted_for_it():
    comparisons = planted([0.8, -0.3], n=300, n_groups=60)
    mirrored = with_column(comparisons, -comparisons.manifestation[:, 0])
    result, alone = adjusted_influence(mirrored), adjusted_influence(comparisons)
    assert result.reasons[1] is None
    assert result.coefficient[1] == pytest.approx(alone.coefficient[1], rel=1e-9)
    assert result.vif[1] == pytest.approx(alone.vif[1], rel=1e-9)


def test_a_combination_of_three_factors_is_collinear():
    rng = np.random.default_rng(2)
    a, b, other = rng.choice([-1, 0, 1], (3, 400))
    b[a != 0] = 0
    preference = np.sign(0.5 * a + 0.5 * other + rng.logistic(size=400))
    result = adjusted_influence(
        table(preference, np.column_stack([a, b, a + b, other]), np.arange(400) // 4)
    )
    assert_undefined(result, [0, 1, 2])
    assert result.reasons[0].startswith("collinear: a, b, c ")
    assert result.reasons[3] is None


def test_nearly_mirrored_factors_are_collinear_too():
    comparisons = planted([0.8], n=600, n_groups=60, share_tied=0)
    mirrored = comparisons.manifestation[:, 0].copy()
    mirrored[0] = -mirrored[0]
    result = adjusted_influence(with_column(comparisons, mirrored))
    assert_undefined(result, [0, 1])
    assert (np.isfinite(result.vif) & (result.vif > 100)).all()


def test_complete_separation_is_named():
    rng = np.random.default_rng(3)
    manifestation = rng.choice([-1, 1], (100, 2))
    result = adjusted_influence(table(manifestation[:, 0], manifestation, np.arange(100) // 2))
    assert_undefined(result, [0, 1])
    assert result.reasons[0] == "separated: every preference that a bears on follows it"
    assert result.reasons[1] == "the factor differs in no pair left for the regression"
    assert result.n_pairs == 0


def test_a_rare_factor_that_always_wins_does_not_take_the_others_with_it():
    comparisons = planted([0.8, -0.3], n=300, n_groups=60)
    rare = np.zeros(300)
    rare[:4] = comparisons.preference[:4]
    result = adjusted_influence(with_column(comparisons, rare))
    assert_undefined(result, 2)
    assert result.reasons[2] == "separated: every preference that c bears on follows it"
    # In the limit of an endless coefficient the pairs that it decides say nothing more.
    rest = table(comparisons.preference[4:], comparisons.manifestation[4:], comparisons.group[4:])
    expected = adjusted_influence(rest)
    np.testing.assert_allclose(result.coefficient[:2] / expected.coefficient, 1, rtol=0.02)
    np.testing.assert_allclose(result.p_value[:2], expected.p_value, rtol=1e-6)
    assert (result.n_pairs, result.n_groups) == (expected.n_pairs, expected.n_groups)


def test_separation_by_a_combination_of_factors_is_found():
    # a + b never contradicts the preference, though a and b each do where they disagree.
    rng = np.random.default_rng(4)
    manifestation = rng.choice([-1, 1], (200, 3))
    both = manifestation[:, 0] + manifestation[:, 1]
    preference = np.where(both != 0, np.sign(both), rng.choice([-1, 1], 200))
    result = adjusted_influence(table(preference, manifestation, np.arange(200) // 2))
    assert_undefined(result, [0, 1])
    assert result.reasons[0] == "separated: every preference that a, b bears on follows it"
    assert np.isfinite(result.coefficient[2])


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_a_maximum_that_is_seen_spares_the_linear_programme_and_never_contradicts_it(seed):
    rng = np.random.default_rng(seed)
    design = rng.integers(-1, 2, (rng.integers(3, 40), rng.integers(1, 5))).astype(float)
    seen = separating_direction(design)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adjusted, "_has_a_maximum", lambda _: False)
        decided = separating_direction(design)
    assert (seen is None) == (decided is None)


def test_a_maximum_is_seen_where_many_pairs_overlap():
    rng = np.random.default_rng(5)
    overlapping, decided = rng.choice([-1.0, 1.0], (400, 6)), np.ones((400, 1))
    assert adjusted._has_a_maximum(adjusted._fitted(overlapping))
    assert not adjusted._has_a_maximum(adjusted._fitted(decided))


def test_strong_but_not_separating_factors_have_finite_estimates():
    manifestation = np.ones((200, 1))
    preference = np.where(np.arange(200) == 0, -1, 1)
    result = adjusted_influence(table(preference, manifestation, np.arange(200)))
    assert result.reasons == (None,)
    assert result.coefficient[0] == pytest.approx(np.log(199), rel=1e-6)


@pytest.mark.parametrize(("n_groups", "reason"), [(4, None), (3, "3 groups for 3 factors")])
def test_fewer_groups_than_factors_and_one_leave_no_regression(n_groups, reason):
    result = adjusted_influence(planted([0.5, -0.5, 0.2], n=300, n_groups=n_groups))
    if reason is None:
        assert result.reasons == (None,) * 3
    else:
        assert_undefined(result, [0, 1, 2])
        assert all(each.startswith(reason) for each in result.reasons)


def test_groups_that_each_balance_show_no_error_and_so_no_estimate():
    result = adjusted_influence(table([1, -1] * 20, np.ones((40, 1)), np.arange(40) // 2))
    assert_undefined(result, 0)
    assert result.reasons == ("the regression found no estimate with an error",)


@pytest.mark.parametrize(
    ("comparisons", "reason"),
    [
        (table([], np.empty((0, 2)), np.empty(0, int)), "there are no pairs with a preference"),
        (table([0, 0], np.ones((2, 2)), [0, 1]), "there are no pairs with a preference"),
        (
            table([1, 1], np.zeros((2, 2)), [0, 1], missing=np.ones((2, 2), bool)),
            "the factor is missing in all 2 pairs with a preference",
        ),
        (
            table([1, 1], [[1, 0], [0, 1]], [0, 1], missing=np.array([[0, 1], [1, 0]], bool)),
            "no pair has all of the factors known",
        ),
        (table([1, -1], np.zeros((2, 2)), [0, 1]), "the factor never differs"),
        (planted([0.5, 0.5], n=50, n_groups=1), "1 groups for 2 factors"),
    ],
    ids=["no rows", "only ties", "all missing", "none complete", "constant", "one group"],
)
def test_degenerate_tables_have_a_reason_for_every_factor(comparisons, reason):
    result = adjusted_influence(comparisons)
    assert_undefined(result, [0, 1])
    assert all(each.startswith(reason) for each in result.reasons)


def test_a_table_without_factors_has_nothing_to_adjust():
    result = adjusted_influence(table([1, -1], np.empty((2, 0)), [0, 1]))
    assert (result.factors, result.reasons) == ((), ())


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_no_table_gives_a_huge_number_or_a_warning(seed):
    rng = np.random.default_rng(seed)
    n, n_factors = int(rng.integers(1, 40)), int(rng.integers(1, 5))
    missing = rng.random((n, n_factors)) < rng.choice([0, 0.2])
    result = adjusted_influence(
        table(
            rng.integers(-1, 2, n),
            np.where(missing, 0, rng.integers(-1, 2, (n, n_factors))),
            rng.integers(0, 20, n),
            missing=missing,
        )
    )
    for coefficient, low, high, reason in zip(
        result.coefficient, result.low, result.high, result.reasons, strict=True
    ):
        if reason is None:
            assert abs(coefficient) < 50
            assert low <= coefficient <= high
        else:
            assert np.isnan([coefficient, low, high]).all()


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_an_impossible_confidence_is_refused(confidence):
    with pytest.raises(ValueError, match=f"confidence is {confidence}"):
        adjusted_influence(planted([0.5], n=20), confidence)
