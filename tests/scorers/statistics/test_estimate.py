"""A number with its interval: how each interval is made, read back, printed and subtracted."""

import importlib.util
import json
import math
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from profile_tasks.scorers.statistics.estimate import (
    RANK_ENDS,
    Estimate,
    flat_metrics,
    reasons,
    standard_errors,
    with_standard_errors,
)

FINE = Estimate(0.5, 0.4, 0.6, "percentile")
NO_INTERVAL = Estimate(0.5, reason="groups: 3")
NOTHING = Estimate.undefined("no pairs")


def test_each_name_is_followed_by_its_ends():
    flat = flat_metrics({"b": FINE, "a": FINE})
    assert list(flat) == ["b", "b_ci_low", "b_ci_high", "a", "a_ci_low", "a_ci_high"]
    assert list(flat.values()) == [0.5, 0.4, 0.6] * 2


def test_what_is_not_defined_has_a_reason_and_what_is_has_none():
    found = reasons({"fine": FINE, "wide": NO_INTERVAL, "none": NOTHING})
    assert found == {"wide": "groups: 3", "none": "no pairs"}


def test_json_has_null_for_nan_and_gives_the_estimate_back():
    assert NOTHING.record() == {
        "value": None, "ci_low": None, "ci_high": None, "reason": "no pairs"
    }  # fmt: skip
    for each in (FINE, NO_INTERVAL, NOTHING):
        again = Estimate.of_record(json.loads(json.dumps(each.record(), allow_nan=False)))
        assert again.record() == each.record()


def test_flat_metrics_give_the_estimate_back():
    flat = FINE.flat("kappa") | NO_INTERVAL.flat("flips")
    assert Estimate.of_metrics(flat, "kappa").record() == FINE.record()
    assert not Estimate.of_metrics(flat, "flips").has_interval
    assert not Estimate.of_metrics(flat, "missing").defined
    assert not Estimate.of_metrics({"kappa": None}, "kappa").defined


def test_ends_under_other_names_give_the_estimate_back():
    flat = Estimate(3, 1, 4).flat("rank", RANK_ENDS)
    assert flat == {"rank": 3, "rank_low": 1, "rank_high": 4}
    assert Estimate.of_metrics(flat, "rank", RANK_ENDS).cells() == (3, 1, 4)


@pytest.mark.parametrize("other", [None, "0.5", True, [0.5], math.inf, -math.inf, math.nan])
def test_what_is_no_finite_number_in_a_file_is_not_defined(other):
    record = {"value": other, "ci_low": 0.4, "ci_high": other}
    found = Estimate.of_record(record)
    assert (found.defined, found.has_interval, found.cells()) == (False, False, (None, 0.4, None))
    assert not Estimate.of_metrics({"kappa": other}, "kappa").defined


def test_only_what_has_neither_value_nor_reason_says_nothing():
    said = [
        each.says_nothing for each in (FINE, NO_INTERVAL, NOTHING, Estimate.of_metrics({}, "x"))
    ]
    assert said == [False, False, False, True]


@pytest.mark.parametrize(
    ("low", "high", "excluded"),
    [(0.1, 0.2, True), (-0.2, -0.1, True), (-0.1, 0.1, False), (0, 0.1, False), (-0.1, 0, False),
     (math.nan, math.nan, False), (0.1, math.nan, False)],
)  # fmt: skip
def test_an_interval_excludes_zero_on_either_side_of_it(low, high, excluded):
    assert Estimate(0, low, high).excludes_zero is excluded


def test_intervals_that_touch_overlap_and_a_missing_one_tells_nothing():
    assert FINE.overlaps(Estimate(0.7, 0.6, 0.8)) is True
    assert FINE.overlaps(Estimate(0.7, 0.61, 0.8)) is False
    assert Estimate(0.7, 0.61, 0.8).overlaps(FINE) is False
    assert FINE.overlaps(NO_INTERVAL) is None
    assert NO_INTERVAL.overlaps(FINE) is None


@pytest.mark.parametrize(
    ("estimate", "expected"),
    [
        (Estimate(-0.5, -0.6, -0.4), (0.5, 0.4, 0.6)),
        (Estimate(0.1, -0.3, 0.2), (0.1, 0.0, 0.3)),
        (NO_INTERVAL, (0.5, None, None)),
    ],
)
def test_an_absolute_value_keeps_its_interval(estimate, expected):
    assert estimate.absolute().cells() == expected


def test_the_ends_are_written_as_asked_and_a_missing_interval_is_empty():
    assert FINE.ends_text("{:+.1f}".format, " to ") == "+0.4 to +0.6"
    assert NO_INTERVAL.ends_text(str) == ""


@pytest.mark.parametrize(
    ("estimate", "signed", "text"),
    [
        (FINE, True, "+0.500 [+0.40, +0.60]"),
        (FINE, False, "0.500 [0.40, 0.60]"),
        (Estimate(-0.25, -0.5, 0.0), True, "-0.250 [-0.50, +0.00]"),
        (NO_INTERVAL, True, "+0.500 [no interval]"),
        (NOTHING, True, "not defined"),
    ],
)
def test_a_cell_holds_the_value_and_its_interval(estimate, signed, text):
    assert estimate.text(3, signed=signed) == text


def test_the_standard_error_is_the_spread_of_the_replicates():
    drawn = np.random.default_rng(0).normal(size=500)
    drawn[:10] = np.nan
    found = Estimate.percentile(0.1, drawn, 20)
    assert found.error == drawn[10:].std(ddof=1)
    assert standard_errors({"a": found}) == {"a_stderr": found.error}


def test_without_an_interval_there_is_no_standard_error():
    for each in (Estimate.percentile(0.1, np.zeros(9), 3), NOTHING, FINE):
        assert math.isnan(each.error)


def test_replicates_that_are_all_alike_tell_no_standard_error():
    never = Estimate.share(0.0, np.zeros(12), np.ones(12), np.zeros(100))
    assert never.high > 0.2
    assert math.isnan(never.error)


def test_standard_errors_stand_behind_their_metrics():
    assert with_standard_errors(FINE.flat("a")) == ["a", "a_stderr", "a_ci_low", "a_ci_high"]


def test_a_students_interval_is_that_of_t():
    found = Estimate.student(0.3, 0.1, 20)
    assert found.cells() == pytest.approx((0.3, 0.3 - 2.093024 * 0.1, 0.3 + 2.093024 * 0.1))
    assert found.method == "linearised"


def test_a_students_interval_ends_where_the_scale_does():
    assert Estimate.student(1.9, 0.2, 20, limit=2).high == 2
    assert Estimate.student(-1.9, 0.2, 20, limit=2).low == -2


def test_a_students_interval_of_few_groups_or_of_nothing_is_none():
    few = Estimate.student(0.3, 0.1, 7)
    assert (few.value, few.reason) == (0.3, "groups: 7; an interval needs at least 8")
    assert not few.has_interval
    nothing = Estimate.student(math.nan, 0.1, 20, reason="no pairs")
    assert (nothing.defined, nothing.reason) == (False, "no pairs")


def test_a_jackknife_interval_is_that_of_student():
    values = np.array([0.5, 0.4, 0.6, 0.5])
    found = Estimate.jackknife(values, 30)
    error = np.sqrt(2 / 3 * 0.02)
    assert (found.value, found.reason) == (0.5, None)
    assert found.high - 0.5 == pytest.approx(stats.t.ppf(0.975, 2) * error)
    assert 0.5 - found.low == pytest.approx(found.high - 0.5)


@pytest.fixture(scope="module")
def reference(shared_data):
    """The reference that the procedures were derived with, beside the checkout."""
    path = shared_data.parent / "reference" / "alignment_inference.py"
    if not path.is_file():
        pytest.skip(f"no reference {path} to hold the intervals against")
    spec = importlib.util.spec_from_file_location("alignment_inference", path)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "dont_write_bytecode", True)
        spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_interval_of_a_share_and_of_an_influence_is_that_of_the_reference(
    reference, confidence
):
    rng = np.random.default_rng(15)
    for _ in range(200):
        groups, rate = rng.integers(8, 60), rng.choice([0, 0.05, 0.5, 0.97, 1])
        counted = rng.integers(0, 5, groups).astype(float)
        counted[:8] += 1
        ties = rng.binomial(counted.astype(int), rng.choice([0, 0.3]))
        hits = rng.binomial((counted - ties).astype(int), rate)
        score = hits + ties / 2
        low, value, high = reference.share_interval(score, counted, confidence)
        found = Estimate.share(value, score, counted, confidence=confidence)
        assert found.cells() == pytest.approx((value, low, high), rel=0, abs=1e-9)
        net = 2 * score - counted
        tau = Estimate.share(2 * value - 1, net, counted, least=-1, confidence=confidence)
        ends = (2 * value - 1, 2 * low - 1, 2 * high - 1)
        assert tau.cells() == pytest.approx(ends, rel=0, abs=1e-9)


def test_of_single_observations_it_is_the_interval_of_clopper_and_pearson_with_fewer_of_them():
    # Nothing is clustered: 30 of 40, a variance of G / (G - 1) times the binomial one.
    score = np.repeat([1.0, 0.0], [30, 10])
    found = Estimate.share(0.75, score, np.ones(40))
    n = 39 * (stats.norm.ppf(0.025) / stats.t.ppf(0.025, 39)) ** 2
    assert found.low == pytest.approx(stats.beta.ppf(0.025, 0.75 * n, 0.25 * n + 1))
    assert found.high == pytest.approx(stats.beta.ppf(0.975, 0.75 * n + 1, 0.25 * n))
    assert (found.method, found.effective) == ("Korn-Graubard", pytest.approx(39))


def test_groups_of_pairs_that_go_together_count_once():
    alone = Estimate.share(0.75, np.repeat([1.0, 0.0], [30, 10]), np.ones(40))
    together = Estimate.share(0.75, np.repeat([5.0, 0.0], [30, 10]), np.full(40, 5.0))
    assert together.cells() == pytest.approx(alone.cells())


@pytest.mark.parametrize(("value", "end"), [(1.0, "high"), (0.0, "low")])
def test_where_every_group_says_the_same_the_interval_has_a_width_all_the_same(value, end):
    few, many = (Estimate.share(value, np.full(n, value), np.ones(n)) for n in (12, 120))
    assert getattr(few, end) == getattr(many, end) == value
    assert 0 < many.high - many.low < few.high - few.low < 0.35


def test_the_ends_of_a_share_stay_within_its_scale_and_hold_the_value():
    rng = np.random.default_rng(3)
    for least in (0, -1):
        for _ in range(100):
            score = rng.uniform(least, 1, 9)
            found = Estimate.share(score.mean(), score, np.ones(9), least=least)
            assert least <= found.low <= found.value <= found.high <= 1


def test_groups_in_which_nothing_counts_are_no_observations():
    score, counted = np.repeat([1.0, 0.0], [6, 3]), np.ones(9)
    padded = Estimate.share(6 / 9, np.append(score, [0, 0]), np.append(counted, [0, 0]))
    assert padded.cells() == Estimate.share(6 / 9, score, counted).cells()
    few = Estimate.share(1.0, np.append(np.ones(7), 0), np.append(np.ones(7), 0))
    assert (few.has_interval, few.reason) == (False, "groups: 7; an interval needs at least 8")


def test_a_share_of_nothing_is_not_defined_and_says_why():
    found = Estimate.share(math.nan, np.zeros(9), np.zeros(9), reason="there are no pairs")
    assert (found.defined, found.reason) == (False, "there are no pairs")


def test_an_estimate_at_another_confidence_is_what_it_would_have_been_made_at():
    rng = np.random.default_rng(4)
    drawn, score = rng.normal(0.5, 0.1, 500), rng.random(20)
    for make in (
        lambda **how: Estimate.percentile(0.5, drawn, 20, **how),
        lambda **how: Estimate.symmetric(0.5, drawn, 20, limit=2, **how),
        lambda **how: Estimate.share(score.mean(), score, np.ones(20), drawn, **how),
    ):
        wide, narrow = make(), make(confidence=0.5)
        assert wide.at(0.5).cells() == narrow.cells()
        assert narrow.at(0.95).cells() == wide.cells()
        assert narrow.low > wide.low
        with pytest.raises(ValueError, match="confidence is 95"):
            wide.at(95)
    with pytest.raises(ValueError, match="only estimates with replicates"):
        FINE.at(0.5)


def test_the_interval_is_between_the_quantiles():
    interval = Estimate.percentile(0.5, np.arange(201.0))
    assert (interval.low, interval.high) == pytest.approx((5, 195))
    assert interval.reason is None


def test_few_undefined_replicates_are_left_out():
    replicates = np.concatenate([np.full(5, np.nan), np.linspace(0, 1, 95)])
    interval = Estimate.percentile(0.5, replicates, confidence=0.5)
    assert (interval.low, interval.high) == pytest.approx((0.25, 0.75))
    assert interval.reason is None


def test_many_undefined_replicates_leave_no_interval():
    replicates = np.concatenate([np.full(6, np.nan), np.linspace(0, 1, 94)])
    interval = Estimate.percentile(0.5, replicates)
    assert np.isnan([interval.low, interval.high]).all()
    assert interval.reason == "only 94 of 100 replicates are defined; an interval needs 95% of them"


@pytest.mark.parametrize("n_groups", [0, 1, 7])
def test_few_groups_leave_no_interval(n_groups):
    interval = Estimate.percentile(0.5, np.full(100, 0.5), n_groups)
    assert np.isnan([interval.low, interval.high]).all()
    assert interval.reason == f"groups: {n_groups}; an interval needs at least 8"
    assert Estimate.percentile(0.5, np.full(100, 0.5), 8).low == 0.5


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_an_impossible_confidence_is_refused(confidence):
    with pytest.raises(ValueError, match=f"confidence is {confidence}"):
        Estimate.percentile(0.5, np.zeros(3), confidence=confidence)


@pytest.mark.parametrize("shape", [(0,), (3, 2)])
def test_replicates_of_the_wrong_shape_are_refused(shape):
    with pytest.raises(ValueError, match="replicates has shape"):
        Estimate.percentile(0.5, np.zeros(shape))


@pytest.mark.parametrize("n_groups", [8, 9, 30, 1000])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_tails_are_as_much_wider_as_students_t_is(n_groups, confidence):
    replicates = np.random.default_rng(0).normal(size=5000)
    interval = Estimate.percentile(0.0, replicates, n_groups, confidence=confidence)
    quantile = stats.t.ppf((1 - confidence) / 2, n_groups - 1)
    tail = stats.norm.cdf(np.sqrt(n_groups / (n_groups - 1)) * quantile)
    assert interval.low == pytest.approx(np.quantile(replicates, tail))
    assert interval.high == pytest.approx(np.quantile(replicates, 1 - tail))


def test_wider_tails_vanish_with_many_groups():
    replicates = np.linspace(-1, 1, 2001)
    plain = Estimate.percentile(0.5, replicates)
    ends = [Estimate.percentile(0.5, replicates, n).low for n in (8, 20, 100, 10**6)]
    assert ends == sorted(ends)
    assert ends[-1] == pytest.approx(plain.low, abs=1e-5)
    assert ends[0] < plain.low - 0.03


def test_a_symmetric_interval_reaches_as_far_as_the_replicates_lie():
    replicates = 0.2 + np.linspace(-0.1, 0.1, 2001)
    interval = Estimate.symmetric(0.2, replicates, confidence=0.9)
    assert (interval.low, interval.high) == pytest.approx((0.2 - 0.09, 0.2 + 0.09), abs=1e-3)


def test_replicates_that_are_biased_widen_a_symmetric_interval_on_both_sides():
    interval = Estimate.symmetric(0.6, np.full(100, 0.4))
    assert (interval.low, interval.high) == pytest.approx((0.4, 0.8))


def test_a_symmetric_interval_ends_where_nothing_can_lie():
    interval = Estimate.symmetric(0.9, np.full(100, 0.4))
    assert (interval.low, interval.high) == pytest.approx((0.4, 1.0))


def test_the_radius_is_a_quantile_of_the_widened_tails():
    replicates = np.random.default_rng(1).normal(size=4000)
    tail = stats.norm.cdf(np.sqrt(12 / 11) * stats.t.ppf(0.025, 11))
    interval = Estimate.symmetric(0.1, replicates, 12, limit=9)
    radius = np.quantile(np.abs(replicates - 0.1), 1 - 2 * tail)
    assert (interval.low, interval.high) == pytest.approx((0.1 - radius, 0.1 + radius))


@given(
    st.floats(-1, 1),
    arrays.arrays(np.float64, st.integers(1, 60), elements=st.floats(-1, 1)),
    st.sampled_from([None, 8, 40]),
)
def test_a_symmetric_interval_holds_its_estimate_within_the_limits(value, replicates, n_groups):
    interval = Estimate.symmetric(value, replicates, n_groups)
    assert -1 <= interval.low <= value <= interval.high <= 1


INTERVALS = {
    "percentile": lambda replicates, n: Estimate.percentile(0.5, replicates),
    "percentile, expanded": lambda replicates, n: Estimate.percentile(0.5, replicates, n),
    "symmetric": lambda replicates, n: Estimate.symmetric(0.5, replicates, n),
}


@pytest.mark.parametrize("method", INTERVALS)
def test_an_interval_carries_the_name_of_its_method_also_where_there_is_none(method):
    assert INTERVALS[method](np.linspace(0, 1, 100), 20).method == method
    undefined = INTERVALS[method](np.full(100, np.nan), 20)
    assert undefined.method == method
    assert undefined.reason == (
        "only 0 of 100 replicates are defined; an interval needs 95% of them"
    )
    assert Estimate.undefined("nothing").method == ""


def test_a_symmetric_interval_needs_as_many_groups():
    interval = INTERVALS["symmetric"](np.linspace(0, 1, 100), 7)
    assert np.isnan([interval.low, interval.high]).all()
    assert interval.reason == "groups: 7; an interval needs at least 8"
    assert INTERVALS["symmetric"](np.linspace(0, 1, 100), 8).reason is None


def test_a_symmetric_interval_refuses_an_impossible_confidence_and_shape_too():
    with pytest.raises(ValueError, match="confidence is 95"):
        Estimate.symmetric(0, np.zeros(3), confidence=95)
    with pytest.raises(ValueError, match="replicates has shape"):
        Estimate.symmetric(0, np.zeros((3, 2)))
