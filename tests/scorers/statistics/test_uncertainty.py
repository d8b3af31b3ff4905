"""The cluster bootstrap: exact replicates, shared resamples, and intervals that cover."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from profile_tasks.scorers.statistics import uncertainty
from profile_tasks.scorers.statistics.alignment import alignment_replicates
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.influence import factor_profile
from profile_tasks.scorers.statistics.uncertainty import (
    Interval,
    bca_interval,
    bootstrap_taus,
    left_out_taus,
    percentile_interval,
    resampled_sums,
    symmetric_interval,
)


def random_table(seed, *, n=60, n_factors=4, n_groups=12, perspective="human"):
    rng = np.random.default_rng(seed)
    missing = rng.random((n, n_factors)) < 0.1
    return Comparisons(
        rng.integers(-1, 2, n),
        np.where(missing, 0, rng.integers(-1, 2, (n, n_factors))),
        missing,
        rng.integers(0, n_groups, n),
        tuple("abcdefgh"[:n_factors]),
        perspective,
    )


def one_factor(agreement, group):
    """Pairs that agree (1), disagree (-1) or tie (0) with one factor."""
    agreement = np.asarray(agreement)[:, None]
    return Comparisons(
        np.ones(len(agreement)), agreement, np.zeros(agreement.shape, bool), group, ("f",), "human"
    )


def test_a_replicate_is_tau_of_the_drawn_groups():
    # Three groups with tau 1, 0 and -1 of one pair each: a draw of three gives multiples of 1/3.
    (taus,) = bootstrap_taus([one_factor([1, 0, -1], [0, 1, 2])], replicates=500)
    assert set(np.round(3 * taus[:, 0]).astype(int)) == {-3, -2, -1, 0, 1, 2, 3}
    np.testing.assert_allclose(3 * taus, np.round(3 * taus), atol=1e-12)


def test_a_group_weighs_by_its_pairs_not_as_one():
    # Group 0 has three concordant pairs, group 1 one discordant: one of each gives (3 - 1) / 4.
    (taus,) = bootstrap_taus([one_factor([1, 1, 1, -1], [0, 0, 0, 1])], replicates=200)
    assert set(taus[:, 0]) == {1.0, 0.5, -1.0}


def test_replicates_are_those_of_repeated_groups():
    table = random_table(0)
    (taus,) = bootstrap_taus([table], replicates=5, seed=3)
    present = np.unique(table.group)
    drawn = np.random.default_rng(3).integers(present.size, size=(5, present.size))
    for tau, groups in zip(taus, present[drawn], strict=True):
        rows = np.concatenate([np.flatnonzero(table.group == group) for group in groups])
        resampled = Comparisons(
            table.preference[rows],
            table.manifestation[rows],
            table.missing[rows],
            table.group[rows],
            table.factors,
            table.perspective,
        )
        np.testing.assert_allclose(tau, factor_profile(resampled).tau)


def test_replicates_centre_on_the_estimate():
    table = random_table(1, n=400, n_groups=100)
    (taus,) = bootstrap_taus([table])
    np.testing.assert_allclose(taus.mean(axis=0), factor_profile(table).tau, atol=0.01)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_identical_perspectives_get_identical_replicates_and_so_alignment_one(seed, replicates):
    human = random_table(2)
    model = random_table(2, perspective="discrimination")
    other = random_table(5, perspective="generation")
    first, _, second = bootstrap_taus([human, other, model], replicates=replicates, seed=seed)
    np.testing.assert_array_equal(first, second)
    tau_b = alignment_replicates(first, second).tau_b
    assert (np.isnan(tau_b) | np.isclose(tau_b, 1.0)).all()
    assert not np.isnan(tau_b).all()


def test_perspectives_may_have_different_factors_and_groups():
    human = random_table(3, n_factors=4, n_groups=5)
    model = random_table(4, n_factors=2, n_groups=30)
    taus = bootstrap_taus([human, model], replicates=7)
    assert [each.shape for each in taus] == [(7, 4), (7, 2)]


def test_only_groups_that_occur_are_drawn():
    sparse = one_factor([1, -1, 1], [2, 5, 900])
    dense = one_factor([1, -1, 1], [0, 1, 2])
    np.testing.assert_array_equal(bootstrap_taus([sparse])[0], bootstrap_taus([dense])[0])


def test_the_seed_decides_the_replicates():
    table = random_table(6)
    (first,), (again,), (other,) = (
        bootstrap_taus([table], replicates=20, seed=seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@given(st.integers(1, 30))
def test_the_chunks_do_not_change_the_replicates(rows):
    table = random_table(7)
    (whole,) = bootstrap_taus([table], replicates=30)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uncertainty, "_CHUNK_BYTES", 8 * np.unique(table.group).size * rows)
        (chunked,) = bootstrap_taus([table], replicates=30)
    np.testing.assert_array_equal(chunked, whole)


def test_a_replicate_without_counted_pairs_is_nan():
    # The factor is known in one of three groups: (2/3)**3 of the draws miss it.
    missing = np.array([[False], [True], [True]])
    table = Comparisons([1, 1, 1], [[1], [0], [0]], missing, [0, 1, 2], ("f",), "human")
    (taus,) = bootstrap_taus([table], replicates=4000)
    assert np.isnan(taus).mean() == pytest.approx(8 / 27, abs=0.03)
    assert (taus[~np.isnan(taus)] == 1).all()


@pytest.mark.parametrize(
    "table",
    [
        Comparisons([], np.empty((0, 2)), np.empty((0, 2), bool), [], ("a", "b"), "human"),
        Comparisons([0], [[1, 1]], np.zeros((1, 2), bool), [0], ("a", "b"), "human"),
        Comparisons([1], [[0, 0]], np.ones((1, 2), bool), [0], ("a", "b"), "human"),
    ],
    ids=["no rows", "only preference ties", "all missing"],
)
def test_a_table_without_counted_pairs_has_undefined_replicates(table):
    (taus,) = bootstrap_taus([table], replicates=3)
    assert taus.shape == (3, 2)
    assert np.isnan(taus).all()


def test_nothing_to_resample_gives_nothing():
    assert bootstrap_taus([]) == ()


def test_without_replicates_the_bootstrap_is_refused():
    with pytest.raises(ValueError, match="replicates is 0"):
        bootstrap_taus([random_table(8)], replicates=0)


def test_the_interval_covers_the_truth_and_one_over_pairs_does_not():
    # Ten pairs of one source agree with the factor at the source's own rate, uniform on (0.3, 1):
    # true tau 0.3. Taking every pair for a group of its own ignores what they share.
    rng = np.random.default_rng(9)
    n_tables, n_groups, n_pairs, truth = 250, 40, 10, 0.3
    covered = {"clusters": 0, "pairs": 0}
    for _ in range(n_tables):
        rate = np.repeat(rng.uniform(0.3, 1.0, n_groups), n_pairs)
        agreement = np.where(rng.random(rate.size) < rate, 1, -1)
        clusters = np.repeat(np.arange(n_groups), n_pairs)
        for name, group in (("clusters", clusters), ("pairs", np.arange(rate.size))):
            (taus,) = bootstrap_taus([one_factor(agreement, group)], replicates=300)
            interval = percentile_interval(taus[:, 0])
            covered[name] += interval.low <= truth <= interval.high
    assert 0.91 <= covered["clusters"] / n_tables <= 0.98
    assert covered["pairs"] / n_tables < 0.88


def test_the_interval_is_between_the_quantiles():
    interval = percentile_interval(np.arange(201.0))
    assert (interval.low, interval.high) == pytest.approx((5, 195))
    assert (interval.defined, interval.reason) == (1.0, None)


def test_few_undefined_replicates_are_left_out():
    replicates = np.concatenate([np.full(5, np.nan), np.linspace(0, 1, 95)])
    interval = percentile_interval(replicates, confidence=0.5)
    assert (interval.low, interval.high) == pytest.approx((0.25, 0.75))
    assert (interval.defined, interval.reason) == (0.95, None)


def test_many_undefined_replicates_leave_no_interval():
    replicates = np.concatenate([np.full(6, np.nan), np.linspace(0, 1, 94)])
    interval = percentile_interval(replicates)
    assert np.isnan([interval.low, interval.high]).all()
    assert interval.defined == 0.94
    assert interval.reason == "only 94 of 100 replicates are defined; an interval needs 95% of them"


@pytest.mark.parametrize("n_groups", [0, 1, 7])
def test_few_groups_leave_no_interval(n_groups):
    interval = percentile_interval(np.full(100, 0.5), n_groups=n_groups)
    assert np.isnan([interval.low, interval.high]).all()
    assert interval.reason == f"groups: {n_groups}; an interval needs at least 8"
    assert percentile_interval(np.full(100, 0.5), n_groups=8).low == 0.5


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_an_impossible_confidence_is_refused(confidence):
    with pytest.raises(ValueError, match=f"confidence is {confidence}"):
        percentile_interval(np.zeros(3), confidence)


@pytest.mark.parametrize("shape", [(0,), (3, 2)])
def test_replicates_of_the_wrong_shape_are_refused(shape):
    with pytest.raises(ValueError, match="replicates has shape"):
        percentile_interval(np.zeros(shape))


def without_group(table, group):
    kept = table.group != group
    return Comparisons(
        table.preference[kept],
        table.manifestation[kept],
        table.missing[kept],
        table.group[kept],
        table.factors,
        table.perspective,
    )


def test_resampled_sums_are_those_of_the_drawn_groups():
    columns = np.arange(12.0).reshape(4, 3) ** 2
    drawn = np.random.default_rng(5).integers(4, size=(6, 4))
    np.testing.assert_array_equal(
        resampled_sums(columns, replicates=6, seed=5), columns[drawn].sum(axis=1)
    )


def test_resampled_sums_of_no_groups_are_zero():
    assert resampled_sums(np.zeros((0, 2)), replicates=3, seed=0).tolist() == [[0.0, 0.0]] * 3


def test_resampled_sums_depend_on_the_number_of_groups_and_the_seed_alone():
    columns = np.random.default_rng(0).normal(size=(9, 4))
    whole = resampled_sums(columns, replicates=20, seed=1)
    np.testing.assert_allclose(resampled_sums(columns[:, 2:], replicates=20, seed=1), whole[:, 2:])
    assert (resampled_sums(columns, replicates=20, seed=2) != whole).all()


def test_without_replicates_no_sums_are_resampled():
    with pytest.raises(ValueError, match="replicates is 0"):
        resampled_sums(np.ones((2, 1)), replicates=0, seed=0)


@given(st.integers(0, 2**32 - 1))
def test_influences_with_a_group_left_out_are_those_of_the_other_groups(seed):
    table = random_table(seed, n=30, n_groups=7)
    (left_out,) = left_out_taus([table])
    for row, group in zip(left_out, np.unique(table.group), strict=True):
        np.testing.assert_allclose(row, factor_profile(without_group(table, group)).tau)


def test_each_group_of_any_perspective_is_left_out_of_all_of_them():
    human = random_table(0, n_groups=4)
    model = one_factor([1, -1, 1], [2, 6, 6])
    of_human, of_model = left_out_taus([human, model])
    assert of_human.shape == (5, 4)  # groups 0 to 3, and 6
    np.testing.assert_allclose(of_human[4], factor_profile(human).tau)
    np.testing.assert_allclose(of_model[:, 0], [1 / 3, 1 / 3, 0, 1 / 3, 1])


def test_the_only_group_left_out_leaves_nothing_defined():
    assert np.isnan(left_out_taus([one_factor([1, 1], [3, 3])])[0]).tolist() == [[True]]
    assert left_out_taus([]) == ()


@pytest.mark.parametrize("n_groups", [8, 9, 30, 1000])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_tails_are_as_much_wider_as_students_t_is(n_groups, confidence):
    replicates = np.random.default_rng(0).normal(size=5000)
    interval = percentile_interval(replicates, confidence, n_groups)
    quantile = stats.t.ppf((1 - confidence) / 2, n_groups - 1)
    tail = stats.norm.cdf(np.sqrt(n_groups / (n_groups - 1)) * quantile)
    assert interval.low == pytest.approx(np.quantile(replicates, tail))
    assert interval.high == pytest.approx(np.quantile(replicates, 1 - tail))


def test_wider_tails_vanish_with_many_groups():
    replicates = np.linspace(-1, 1, 2001)
    plain = percentile_interval(replicates)
    ends = [percentile_interval(replicates, n_groups=n).low for n in (8, 20, 100, 10**6)]
    assert ends == sorted(ends)
    assert ends[-1] == pytest.approx(plain.low, abs=1e-5)
    assert ends[0] < plain.low - 0.03


def test_wider_tails_make_up_for_few_groups():
    # Means of ten groups: percentiles as they are cover a true mean of 0 too rarely.
    rng = np.random.default_rng(1)
    covered = np.zeros(2)
    for seed in range(1000):
        values = rng.normal(size=(10, 1))
        means = resampled_sums(values, replicates=999, seed=seed)[:, 0] / 10
        for place, n_groups in enumerate([None, 10]):
            interval = percentile_interval(means, n_groups=n_groups)
            covered[place] += interval.low <= 0 <= interval.high
    plain, widened = covered / 1000
    assert plain < 0.925
    assert 0.93 <= widened <= 0.97


def test_a_symmetric_interval_reaches_as_far_as_the_replicates_lie():
    replicates = 0.2 + np.linspace(-0.1, 0.1, 2001)
    interval = symmetric_interval(0.2, replicates, 0.9, limits=(-1, 1))
    assert (interval.low, interval.high) == pytest.approx((0.2 - 0.09, 0.2 + 0.09), abs=1e-3)


def test_replicates_that_are_biased_widen_a_symmetric_interval_on_both_sides():
    interval = symmetric_interval(0.6, np.full(100, 0.4), limits=(-1, 1))
    assert (interval.low, interval.high) == pytest.approx((0.4, 0.8))


def test_a_symmetric_interval_ends_where_nothing_can_lie():
    interval = symmetric_interval(0.9, np.full(100, 0.4), limits=(-1, 1))
    assert (interval.low, interval.high) == pytest.approx((0.4, 1.0))


def test_the_radius_is_a_quantile_of_the_widened_tails():
    replicates = np.random.default_rng(1).normal(size=4000)
    tail = stats.norm.cdf(np.sqrt(12 / 11) * stats.t.ppf(0.025, 11))
    interval = symmetric_interval(0.1, replicates, n_groups=12, limits=(-9, 9))
    radius = np.quantile(np.abs(replicates - 0.1), 1 - 2 * tail)
    assert (interval.low, interval.high) == pytest.approx((0.1 - radius, 0.1 + radius))


@given(
    st.floats(-1, 1),
    arrays.arrays(np.float64, st.integers(1, 60), elements=st.floats(-1, 1)),
    st.sampled_from([None, 8, 40]),
)
def test_a_symmetric_interval_holds_its_estimate_within_the_limits(value, replicates, n_groups):
    interval = symmetric_interval(value, replicates, n_groups=n_groups, limits=(-1, 1))
    assert -1 <= interval.low <= value <= interval.high <= 1


@pytest.mark.parametrize("shape", ["skewed", "symmetric", "discrete"])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_bca_is_that_of_scipy(shape, confidence):
    rng = np.random.default_rng(3)
    draw = {
        "skewed": lambda: rng.exponential(size=25),
        "symmetric": lambda: rng.normal(size=25),
        "discrete": lambda: rng.integers(-1, 2, size=25).astype(float),
    }
    sample = draw[shape]()
    expected = stats.bootstrap(
        (sample,), np.mean, n_resamples=999, confidence_level=confidence, method="BCa", rng=rng
    )
    left_out = (sample.sum() - sample) / (sample.size - 1)
    found = bca_interval(
        sample.mean(), expected.bootstrap_distribution, left_out, confidence, sample.size
    )
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval))


def test_bca_of_replicates_that_are_all_the_estimate_has_no_width():
    interval = bca_interval(0.3, np.full(200, 0.3), np.full(20, 0.3), n_groups=20)
    assert (interval.low, interval.high, interval.reason) == (0.3, 0.3, None)


def test_bca_takes_replicates_that_equal_the_estimate_but_for_rounding_for_equal():
    half_equal = np.concatenate([np.full(50, 0.1 + 0.2), np.linspace(0.4, 0.5, 50)])
    interval = bca_interval(0.3, half_equal, np.full(20, 0.3))
    exact = np.concatenate([np.full(50, 0.3), np.linspace(0.4, 0.5, 50)])
    expected = bca_interval(0.3, exact, np.full(20, 0.3))
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("estimate", [-2.0, 2.0])
def test_bca_of_an_estimate_beside_all_replicates_ends_at_the_nearest(estimate):
    replicates = np.linspace(-1, 1, 1000)
    interval = bca_interval(estimate, replicates, np.linspace(-1, 1, 20), n_groups=20)
    assert -1 <= interval.low <= interval.high <= 1
    assert (interval.low if estimate < 0 else interval.high) == pytest.approx(np.sign(estimate))


@given(
    st.floats(-2, 2),
    arrays.arrays(np.float64, st.integers(1, 50), elements=st.floats(-1, 1)),
    arrays.arrays(np.float64, st.integers(1, 20), elements=st.floats(-1, 1)),
)
def test_bca_ends_are_replicates_in_order(estimate, replicates, left_out):
    interval = bca_interval(estimate, replicates, left_out)
    assert replicates.min() <= interval.low <= interval.high <= replicates.max()


@pytest.mark.parametrize("sign", [1, -1])
def test_bca_ends_are_in_order_where_one_group_decides_and_the_estimate_lies_beside(sign):
    # Acceleration 1 / 6 with a bias beyond 4 turns the formula's denominator negative.
    left_out = np.zeros(1000)
    left_out[0] = -sign
    interval = bca_interval(2.0 * sign, np.linspace(-1, 1, 100_000), left_out)
    assert interval.low <= interval.high
    assert (interval.high if sign > 0 else interval.low) == pytest.approx(sign, abs=1e-3)


def test_bca_needs_the_statistic_without_each_group():
    left_out = np.array([0.1] * 18 + [np.nan] * 2)
    interval = bca_interval(0.1, np.linspace(0, 1, 100), left_out, n_groups=20)
    assert np.isnan([interval.low, interval.high]).all()
    assert interval.reason == (
        "defined in only 18 of 20 samples with a group left out; a BCa interval needs 95% of them"
    )
    one_of_twenty = np.array([0.1] * 19 + [np.nan])
    assert bca_interval(0.1, np.linspace(0, 1, 100), one_of_twenty, n_groups=20).reason is None


INTERVALS = {
    "percentile": lambda replicates, n: percentile_interval(replicates),
    "percentile, expanded": lambda replicates, n: percentile_interval(replicates, n_groups=n),
    "symmetric": lambda replicates, n: symmetric_interval(
        0.5, replicates, n_groups=n, limits=(-1, 1)
    ),
    "BCa": lambda replicates, n: bca_interval(0.5, replicates, np.zeros(20), n_groups=n),
}


@pytest.mark.parametrize("method", INTERVALS)
def test_an_interval_carries_the_name_of_its_method_also_where_there_is_none(method):
    assert INTERVALS[method](np.linspace(0, 1, 100), 20).method == method
    undefined = INTERVALS[method](np.full(100, np.nan), 20)
    assert undefined.method == method
    assert undefined.reason == (
        "only 0 of 100 replicates are defined; an interval needs 95% of them"
    )
    assert Interval.none("nothing").method == ""


@pytest.mark.parametrize("method", ["symmetric", "BCa"])
def test_no_other_interval_has_few_groups_either(method):
    interval = INTERVALS[method](np.linspace(0, 1, 100), 7)
    assert np.isnan([interval.low, interval.high]).all()
    assert interval.reason == "groups: 7; an interval needs at least 8"
    assert INTERVALS[method](np.linspace(0, 1, 100), 8).reason is None


def test_other_intervals_refuse_an_impossible_confidence_and_shape_too():
    with pytest.raises(ValueError, match="confidence is 95"):
        symmetric_interval(0, np.zeros(3), 95, limits=(-1, 1))
    with pytest.raises(ValueError, match="replicates has shape"):
        bca_interval(0, np.zeros((3, 2)), np.zeros(3))
