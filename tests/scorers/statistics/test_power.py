"""Needed numbers of sources against known answers, real tests and independent simulations."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from profile_tasks.data.preferences import load_preferences
from profile_tasks.scorers.measurement.recorded import human_comparisons
from profile_tasks.scorers.statistics import power, simulated_studies, source_population
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.influence import profile_of
from profile_tasks.scorers.statistics.power import StudyDesign, power_curves
from profile_tasks.scorers.statistics.resampling import bootstrap_taus
from profile_tasks.scorers.statistics.significance import adjust_p_values, sign_flip_p_values
from profile_tasks.scorers.statistics.source_population import (
    Assumptions,
    assumed_population,
    check_difference,
    pilot_population,
    pilot_with_second_judge,
)


def table(agreement, group, *, preference=None):
    agreement = np.asarray(agreement)
    agreement = agreement[:, None] if agreement.ndim == 1 else agreement
    return Comparisons(
        np.ones(len(agreement)) if preference is None else preference,
        agreement,
        np.zeros(agreement.shape, bool),
        group,
        tuple("abcdefgh"[: agreement.shape[1]]),
        "human",
    )


def single_pairs(share, n=200):
    """Groups of one pair without ties, of which this share agrees with the factor."""
    return table(np.where(np.arange(n) < share * n, 1, -1), np.arange(n))


def clustered(seed, *, n_groups=60, n_pairs=10, tau=0.2, spread=0.5):
    """Groups whose pairs agree with the factor at the group's own rate."""
    rng = np.random.default_rng(seed)
    rate = np.repeat(np.clip(rng.normal((1 + tau) / 2, spread / 2, n_groups), 0, 1), n_pairs)
    agreement = np.where(rng.random(rate.size) < rate, 1, -1)
    return table(agreement, np.repeat(np.arange(n_groups), n_pairs))


def study(pilot, n, rng):
    """A table of n groups drawn from the pilot, each draw a group of its own."""
    groups = np.unique(pilot.group)
    drawn = [np.flatnonzero(pilot.group == group) for group in rng.choice(groups, n)]
    rows = np.concatenate(drawn)
    return Comparisons(
        pilot.preference[rows],
        pilot.manifestation[rows],
        pilot.missing[rows],
        np.repeat(np.arange(n), [len(each) for each in drawn]),
        pilot.factors,
        pilot.perspective,
    )


def needed(population, goal, **wanted):
    curves = {curve.goal: curve for curve in power_curves(population, StudyDesign(**wanted))}
    return curves[goal].needed


def n_needed(population, goal, **wanted):
    return needed(population, goal, **wanted)[0].n


@pytest.mark.parametrize("tau", [0.0, 0.5, -0.7])
@pytest.mark.parametrize("width", [0.05, 0.1])
def test_independent_pairs_need_what_the_binomial_says(tau, width):
    exact = (1.96 / width) ** 2 * (1 - tau**2)
    assert n_needed(pilot_population(single_pairs((1 + tau) / 2)), "width", width=width) == (
        pytest.approx(exact, rel=0.05)
    )
    assumed = assumed_population(Assumptions(responses=2, tau=tau))
    assert n_needed(assumed, "width", width=width) == pytest.approx(exact, rel=0.05)


def test_twice_the_precision_needs_four_times_the_sources():
    population = pilot_population(clustered(0))
    wide, narrow = (n_needed(population, "width", width=width) for width in (0.1, 0.05))
    assert narrow / wide == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize("effect", [0.15, 0.3])
def test_the_power_is_that_of_the_normal_test(effect):
    population = assumed_population(Assumptions(responses=2, tau=effect))
    design = StudyDesign(sources=(50, 100, 300), simulations=4000)
    _, influence = power_curves(population, design)
    # The test divides by sqrt(sum net**2), which is sqrt(n) for single pairs.
    n = np.array(design.sources)
    spread = math.sqrt(1 - effect**2)
    analytic = norm.sf((1.96 - effect * np.sqrt(n)) / spread) + norm.cdf(
        (-1.96 - effect * np.sqrt(n)) / spread
    )
    # Sums of signs are coarse: one step of the sum is 2 / sqrt(n) of its deviation.
    np.testing.assert_allclose(influence.values[:, 0], analytic, atol=0.06)
    exact = ((1.96 + 0.8416 * spread) / effect) ** 2
    assert influence.needed[0].n == pytest.approx(exact, rel=0.1)
    assert influence.needed[0].value >= 0.8
    assert influence.needed[0].error == pytest.approx(0.4 / math.sqrt(4000), rel=0.1)


def test_an_effect_of_zero_is_found_at_the_level():
    population = pilot_population(clustered(1, n_groups=200))
    _, influence = power_curves(population, StudyDesign(effect=0.0, sources=(100,)))
    assert np.isnan(influence.values).all()
    assert influence.needed[0].n is None
    assert "the influence to find is 0" in influence.needed[0].reason
    _, tiny = power_curves(population, StudyDesign(effect=1e-9, sources=(100,)))
    assert tiny.values[0, 0] == pytest.approx(0.05, abs=0.02)


def test_the_width_is_that_of_the_percentile_bootstrap():
    pilot = clustered(2)
    (curve, _) = power_curves(pilot_population(pilot), StudyDesign(sources=(80,)))
    rng = np.random.default_rng(3)
    widths = []
    for _ in range(60):
        (taus,) = bootstrap_taus([study(pilot, 80, rng)], replicates=1000)
        interval = Estimate.percentile(0.0, taus[:, 0])
        widths.append((interval.high - interval.low) / 2)
    assert curve.values[0, 0] == pytest.approx(np.median(widths), rel=0.05)


def test_the_power_is_that_of_the_sign_flip_test_on_whole_studies():
    pilot = clustered(4, spread=0.6)
    _, influence = power_curves(pilot_population(pilot), StudyDesign(sources=(30,)))
    rng = np.random.default_rng(5)
    found = [sign_flip_p_values(study(pilot, 30, rng))[0] <= 0.05 for _ in range(300)]
    assert 0.2 < influence.values[0, 0] < 0.9
    assert influence.values[0, 0] == pytest.approx(np.mean(found), abs=0.08)


def test_five_sources_find_nothing_because_the_test_cannot():
    population = pilot_population(single_pairs(0.99))
    _, influence = power_curves(population, StudyDesign(sources=(5, 6)))
    assert influence.values[0, 0] == 0
    assert influence.values[1, 0] > 0.8


def test_a_study_without_an_interval_has_an_infinite_one():
    (curve, _) = power_curves(
        pilot_population(single_pairs(0.5)), StudyDesign(width=0.9, sources=(7, 8))
    )
    assert math.isinf(curve.values[0, 0])
    assert math.isfinite(curve.values[1, 0])
    assert curve.needed[0].n >= 8


def test_the_number_from_a_real_pilot_holds_in_an_independent_simulation(shared_data):
    pilot = human_comparisons(load_preferences(str(shared_data / "pandalm.jsonl")), "length")
    population = pilot_population(pilot)
    width, influence = power_curves(population, StudyDesign(width=0.1, effect=None))
    assert population.taus[0][0] == pytest.approx(profile_of(pilot).tau[0])
    rng = np.random.default_rng(6)
    taus = [profile_of(study(pilot, width.needed[0].n, rng)).tau[0] for _ in range(1500)]
    assert 1.96 * np.std(taus) == pytest.approx(0.1, rel=0.07)
    found = [
        sign_flip_p_values(study(pilot, influence.needed[0].n, rng))[0] <= 0.05 for _ in range(300)
    ]
    assert np.mean(found) == pytest.approx(0.8, abs=0.08)


def test_dependent_pairs_are_worth_less_than_independent_ones():
    pilot = clustered(7, spread=0.8)
    by_pair = table(pilot.manifestation, np.arange(len(pilot.group)))
    sources = n_needed(pilot_population(pilot), "width", width=0.1)
    pairs = n_needed(pilot_population(by_pair), "width", width=0.1)
    assert pairs / 10 * 2 < sources < pairs


def test_sources_that_differ_more_are_needed_more():
    numbers = [
        n_needed(
            assumed_population(Assumptions(responses=5, tau=0.2, source_spread=spread)),
            "width",
            width=0.05,
        )
        for spread in (0.0, 0.2, 0.4)
    ]
    assert numbers == sorted(numbers)
    assert numbers[2] > 1.3 * numbers[0]


@pytest.mark.parametrize("tau", [-0.3, 0.0, 0.25])
def test_the_assumptions_are_what_the_sources_show(tau, monkeypatch):
    # What the sources are moved by at the end is small: the model itself has the assumed mean.
    monkeypatch.setattr(source_population, "_MADE_UP", 40_000)
    assumptions = Assumptions(
        responses=4, tau=tau, tie_rate=0.3, preference_tie_rate=0.2, source_spread=0.2
    )
    population = assumed_population(assumptions)
    net, counted = population.judges[0]
    assert population.taus[0][0] == pytest.approx(tau)
    assert population.share @ counted[:, 0] == pytest.approx(0.8 * 6, rel=0.01)
    moved = np.abs(net - np.round(net))
    assert np.max(moved[counted == 1]) < 0.012


@pytest.mark.parametrize("agreement", [0.7, 0.9])
def test_a_made_up_second_judge_agrees_as_often_as_stated(agreement):
    assumptions = Assumptions(responses=2, tau=0.0)
    population = assumed_population(assumptions, difference=0.0, agreement=agreement)
    (first, _), (second, _) = population.judges
    assert population.share @ (np.sign(first) == np.sign(second))[:, 0] == (
        pytest.approx(agreement, abs=0.01)
    )


def test_the_power_of_a_difference_is_that_of_the_paired_test():
    # Single pairs, agreement a: the difference of two signs has the variance 4 (1 - a) - D**2,
    # of the unshifted judges 4 (1 - a) as both have the same tau, 0.
    agreement, difference = 0.75, 0.2
    population = pilot_with_second_judge(single_pairs(0.5), agreement)
    size = n_needed(population, "difference", difference=difference)
    variance = 4 * (1 - agreement)
    assert size == pytest.approx((1.96 + 0.8416) ** 2 * variance / difference**2, rel=0.1)


def test_a_real_second_judge_counts_as_it_is():
    first = clustered(8, n_groups=100)
    flipped = np.random.default_rng(9).random(len(first.preference)) < 0.25
    second = table(
        first.manifestation, first.group, preference=np.where(flipped, -1, 1) * first.preference
    )
    real, made_up = (
        n_needed(population, "difference", difference=0.1, simulations=500)
        for population in (
            pilot_population(first, second),
            pilot_with_second_judge(first, 0.75),
        )
    )
    assert real == pytest.approx(made_up, rel=0.25)
    with pytest.raises(ValueError, match="factors of the two judges differ"):
        pilot_population(first, table(np.ones((3, 2)), range(3)))


def test_judges_who_agree_more_are_told_apart_with_fewer_sources():
    numbers = [
        n_needed(
            assumed_population(
                Assumptions(responses=5, tau=0.2, source_spread=0.1),
                difference=0.1,
                agreement=agreement,
            ),
            "difference",
            difference=0.1,
            simulations=500,
        )
        for agreement in (0.9, 0.8, 0.6)
    ]
    assert numbers == sorted(numbers)


def test_a_difference_of_zero_or_beyond_the_agreement_is_refused():
    (size,) = needed(
        pilot_with_second_judge(single_pairs(0.6)), "difference", difference=0.0, effect=0.2
    )
    assert size.n is None
    assert size.reason == "the difference to find is 0, and a test of it finds only errors"
    with pytest.raises(ValueError, match=r"agree on 90% of the pairs differ by 0\.2 at most"):
        check_difference(0.3, 0.9)
    with pytest.raises(ValueError, match="a difference needs a second judge"):
        power_curves(pilot_population(single_pairs(0.6)), StudyDesign(difference=0.1))


def test_two_equal_judges_show_no_spread_to_plan_with():
    pilot = single_pairs(0.6)
    (size,) = needed(pilot_population(pilot, pilot), "difference", difference=0.1)
    assert "the two judges do not differ in any group" in size.reason


def test_holm_is_that_of_the_single_study():
    p_values = np.random.default_rng(10).random((50, 5)) ** 3
    p_values[::7, 2] = np.nan
    expected = [adjust_p_values(row, "holm") for row in p_values]
    np.testing.assert_allclose(power._holm(p_values, 0), expected)


def test_holm_needs_more_sources_and_assumed_factors_count():
    # Beside factors without influence, and beside strong ones, which Holm's steps leave behind.
    signs = np.random.default_rng(11).choice([1, -1], (100, 6))
    strong = np.where(np.arange(100)[:, None] < 99, [[1, 1, 1, 1, 1, 0]], -1) + signs * [
        [0] * 5 + [1]
    ]
    for columns, dearer in ((signs, True), (np.clip(strong, -1, 1), False)):
        plain, adjusted = (
            needed(
                pilot_population(table(columns, np.arange(100))),
                "influence",
                effect=0.2,
                holm=holm,
                simulations=500,
            )[5].n
            for holm in (False, True)
        )
        assert plain < adjusted if dearer else plain == adjusted
    sizes = [
        n_needed(
            assumed_population(Assumptions(responses=2, tau=0.2, factors=factors)),
            "influence",
            holm=True,
        )
        for factors in (1, 13)
    ]
    z = norm.isf(0.025 / np.array([1, 13])) + 0.8416
    assert sizes[1] / sizes[0] == pytest.approx((z[1] / z[0]) ** 2, rel=0.12)


def test_more_assurance_needs_more_sources():
    population = pilot_population(clustered(12, n_groups=30))
    median, sure = (
        n_needed(population, "width", width=0.1, assurance=assurance) for assurance in (0.5, 0.9)
    )
    assert median < sure


def test_the_range_of_a_pilot_holds_the_number_of_the_truth():
    truth = pilot_population(clustered(13, n_groups=5000))
    right = n_needed(truth, "width", width=0.05)
    held = 0
    for seed in range(40):
        pilot = pilot_population(clustered(100 + seed, n_groups=40))
        (size,) = needed(pilot, "width", width=0.05, simulations=500)
        held += size.low <= right <= size.high
    assert held >= 32


def test_the_spread_of_a_small_pilot_is_not_taken_for_too_small():
    variances = []
    for seed in range(300):
        population = pilot_population(single_pairs_by_chance(seed, 8))
        if population.reasons[0] is None:
            net, counted = population.judges[0]
            variances.append(population.share @ (net - population.taus[0] * counted)[:, 0] ** 2)
        else:
            variances.append(0.0)
    assert np.mean(variances) == pytest.approx(1.0, abs=0.05)


def single_pairs_by_chance(seed, n):
    return table(np.random.default_rng(seed).choice([-1, 1], n), np.arange(n))


def test_the_smallest_number_is_found():
    for most in (8, 100, 1000):
        for limit in (1, 7, 8, 64, 99, 100):
            found = power.smallest(lambda n, limit=limit: n >= limit, most)
            assert found == (limit if limit <= most else None)


def test_what_is_out_of_reach_says_how_far_it_got():
    population = pilot_population(single_pairs(0.6))
    width, influence = power_curves(
        population, StudyDesign(width=0.01, effect=0.01, most=1000, sources=(1000,))
    )
    assert width.needed[0].n is None
    assert width.needed[0].reason == (
        f"with 1,000 sources half the width is still {width.values[0, 0]:.3f}"
    )
    assert influence.needed[0].reason.startswith("with 1,000 sources the power is ")
    assert width.needed_by_all is None


def test_the_number_for_all_factors_is_the_greatest_of_those_that_can_be_planned_for():
    columns = np.stack([np.where(np.arange(50) < k, 1, -1) for k in (25, 45)] + [np.zeros(50)], 1)
    width, _ = power_curves(pilot_population(table(columns, np.arange(50))), StudyDesign(width=0.1))
    assert width.needed_by_all == max(size.n for size in width.needed[:2])
    assert width.needed[2].reason == "the two responses show the factor alike in all 50 pairs"
    assert math.isnan(width.needed[2].value)


@pytest.mark.parametrize(
    ("pilot", "reason"),
    [
        (table(np.ones(20), np.zeros(20, int)), "a: groups: 1; a pilot needs at least 8"),
        (table([1, -1] * 10, range(20), preference=np.zeros(20)), "all 20 pairs are preference"),
        (table(np.zeros(20), range(20)), "show the factor alike in all 20 pairs"),
        (table(np.ones(20), range(20)), "all 20 groups have the same influence"),
        (table(np.ones((0, 1)), []), "there are no pairs"),
    ],
    ids=["one group", "preference ties", "constant factor", "no spread", "no rows"],
)
def test_a_degenerate_pilot_is_refused_with_the_reason(pilot, reason):
    with pytest.raises(ValueError, match=f"no factor can be planned for: .*{reason}"):
        power_curves(pilot_population(pilot), StudyDesign(width=0.1))
    with pytest.raises(ValueError, match=reason):
        power_curves(pilot_with_second_judge(pilot), StudyDesign(difference=0.1))


def test_the_seed_decides_the_result_and_the_numbers_shown_do_not():
    population = pilot_population(clustered(14))
    first, again, other, more = (
        power_curves(population, StudyDesign(width=0.08, seed=seed, sources=sources))
        for seed, sources in ((1, (50,)), (1, (50,)), (2, (50,)), (1, (20, 50, 300)))
    )
    assert first[0].needed == again[0].needed == more[0].needed
    assert first[1].values[0, 0] == more[1].values[1, 0]
    assert first[1].values[0, 0] != other[1].values[0, 0]


def test_the_chunks_do_not_change_the_result(monkeypatch):
    population = pilot_population(clustered(15))
    (whole, _) = power_curves(population, StudyDesign(sources=(50,)))
    monkeypatch.setattr(simulated_studies, "_CHUNK_BYTES", 8 * 60 * 7)
    (chunked, _) = power_curves(population, StudyDesign(sources=(50,)))
    np.testing.assert_array_equal(whole.values, chunked.values)


@pytest.mark.parametrize(
    ("assumptions", "complaint"),
    [
        ({"responses": 1, "tau": 0.1}, "responses is 1"),
        ({"responses": 5, "tau": 0.9, "tie_rate": 0.2}, "must lie between -0.8 and 0.8"),
        ({"responses": 5, "tau": 0.1, "tie_rate": 1.0}, "tie_rate is 1.0"),
        ({"responses": 5, "tau": 0.9, "source_spread": 0.5}, "below 0.436"),
    ],
)
def test_assumptions_that_cannot_hold_are_refused(assumptions, complaint):
    with pytest.raises(ValueError, match=complaint):
        Assumptions(**assumptions)


@pytest.mark.parametrize(
    ("design", "complaint"),
    [
        ({"width": 0.0}, "width is 0.0"),
        ({"effect": 1.5}, "effect is 1.5"),
        ({"difference": -0.1}, "difference is -0.1"),
        ({"power": 1.0}, "power is 1.0"),
        ({"assurance": 0.0}, "assurance is 0.0"),
        ({"most": 7}, "most is 7"),
        ({"simulations": 10}, "simulations is 10"),
        ({"sources": (0,)}, "sources is"),
    ],
)
def test_designs_out_of_range_are_refused(design, complaint):
    with pytest.raises(ValueError, match=complaint):
        StudyDesign(**design)


@pytest.mark.parametrize("agreement", [0.5, 1.0])
def test_an_agreement_out_of_range_is_refused(agreement):
    with pytest.raises(ValueError, match=f"agreement is {agreement}"):
        pilot_with_second_judge(single_pairs(0.6), agreement)
