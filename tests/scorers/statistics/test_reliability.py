"""Split-half reliability: of profiles, and where halves say nothing."""

import math

import numpy as np
import pytest

from profile_tasks.scorers.statistics import reliability as module
from profile_tasks.scorers.statistics.alignment import alignment_replicates
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.influence import profile_of
from profile_tasks.scorers.statistics.reliability import (
    COEFFICIENTS,
    from_pearson_scale,
    mean_correlations,
    pearson_scale,
    reliability,
    split_halves,
    stepped_up,
)

FACTORS = tuple("abcdefghijkl")


def table(preference, manifestation, group, *, perspective="human", factors=None, missing=None):
    manifestation = np.asarray(manifestation)
    return Comparisons(
        preference,
        manifestation,
        np.zeros(manifestation.shape, bool) if missing is None else missing,
        group,
        factors or FACTORS[: manifestation.shape[1]],
        perspective,
    )


def rows(comparisons, kept):
    return table(
        comparisons.preference[kept],
        comparisons.manifestation[kept],
        comparisons.group[kept],
        missing=comparisons.missing[kept],
        perspective=comparisons.perspective,
    )


def noisy(seed, *, n_groups=40, pairs=4, n_factors=5, perspective="human", first_code=0):
    """Pairs preferred by a noisy utility of falling weights."""
    rng = np.random.default_rng(seed)
    n = n_groups * pairs
    manifestation = rng.integers(-1, 2, (n, n_factors))
    weights = np.linspace(2, -1, n_factors)
    preference = np.sign(manifestation @ weights + 2 * rng.logistic(size=n))
    group = first_code + np.arange(n) // pairs
    return table(preference, manifestation, group, perspective=perspective)


# A planted truth: a taste on correlated factors, part of which the source evokes.

PLANTED = np.random.default_rng(7)
TASTE = PLANTED.normal(0, 0.5, len(FACTORS))
MIXING = np.linalg.cholesky(0.3 + 0.7 * np.eye(len(FACTORS)))


def planted_table(rng, n_groups, pairs=4):
    n = n_groups * pairs
    values = rng.normal(size=(n, len(FACTORS))) @ MIXING.T
    manifestation = (np.sign(values) * (np.abs(values) > 0.3)).astype(np.int8)
    group = np.repeat(np.arange(n_groups), pairs)
    evoked = rng.normal(0, 0.5, (n_groups, len(FACTORS)))
    utility = (manifestation * (TASTE + evoked[group])).sum(axis=1) + rng.logistic(size=n)
    return table(np.sign(utility), manifestation, group)


@pytest.fixture(scope="module")
def planted_runs():
    """Reliability and profile of forty samples of 200 sources."""
    rng = np.random.default_rng(1)
    halves = (split_halves([planted_table(rng, 200)], splits=100)[0] for _ in range(40))
    return [(reliability(half), half.whole[0]) for half in halves]


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
def test_reliability_is_the_correlation_with_the_profile_of_other_sources(
    coefficient, planted_runs
):
    profiles = np.array([profile for _, profile in planted_runs])
    first, second = np.triu_indices(len(profiles), 1)
    again = alignment_replicates(profiles[first], profiles[second])
    expected = getattr(again, coefficient).mean()
    estimated = np.mean([found.full[coefficient].value for found, _ in planted_runs])
    assert estimated == pytest.approx(expected, abs=0.03)
    covered = [
        found.full[coefficient].low <= expected <= found.full[coefficient].high
        for found, _ in planted_runs
    ]
    assert np.mean(covered) >= 0.85


def test_halves_are_profiles_of_disjoint_halves_of_the_groups():
    comparisons = noisy(0, n_groups=6)
    (halves,) = split_halves([comparisons], splits=30)
    possible = {}
    for chosen in np.ndindex(*(2,) * 6):
        if sum(chosen) == 3:
            first = np.array(chosen, bool)[comparisons.group]
            key = tuple(profile_of(rows(comparisons, first)).tau.round(12))
            possible[key] = profile_of(rows(comparisons, ~first)).tau
    for first, second in zip(halves.first[0], halves.second[0], strict=True):
        np.testing.assert_allclose(second, possible[tuple(first.round(12))])
    np.testing.assert_allclose(halves.whole[0], profile_of(comparisons).tau)


def test_the_other_entries_leave_out_one_block_of_groups_each():
    comparisons = noisy(1, n_groups=45)
    (halves,) = split_halves([comparisons], splits=3)
    assert len(halves.whole) == 1 + module.BLOCKS
    ends = np.linspace(0, 45, module.BLOCKS + 1).round().astype(int)
    for block in range(module.BLOCKS):
        gone = halves.groups[ends[block] : ends[block + 1]]
        kept = ~np.isin(comparisons.group, gone)
        expected = profile_of(rows(comparisons, kept)).tau
        np.testing.assert_allclose(halves.whole[1 + block], expected)


def test_perspectives_share_the_splits():
    human = noisy(2)
    alone = split_halves([human], seed=4)[0]
    first, second = split_halves([human, human], seed=4)
    np.testing.assert_array_equal(first.first, second.first)
    np.testing.assert_array_equal(first.first, alone.first)


def test_groups_that_only_one_perspective_has_are_halved_by_themselves():
    # One pair a group; the factor is concordant in group 0 only, so that its half of n groups has
    # a tau of 1 / n, and the other half one of 0.
    manifestation = np.zeros((40, 1), int)
    manifestation[0] = 1
    human = table(np.ones(40), manifestation, np.arange(40))
    model = table(np.ones(20), manifestation[:20], np.arange(20), perspective="discrimination")
    halves = split_halves([human, model], splits=50)
    assert [int(half.present.sum()) for half in halves] == [40, 20]
    for half, size in zip(halves, (20, 10), strict=True):
        taus = np.sort(np.stack([half.first[0, :, 0], half.second[0, :, 0]]), axis=0)
        np.testing.assert_allclose(taus[0], 0)
        np.testing.assert_allclose(taus[1], 1 / size)


def test_spearman_brown_of_a_half_of_one_half_is_two_thirds():
    estimate = stepped_up(np.array([0.5] * 21), "pearson", 2, n_groups=40)
    assert estimate.value == pytest.approx(2 / 3)
    assert (estimate.low, estimate.high) == pytest.approx((2 / 3, 2 / 3))
    assert stepped_up(np.array([0.4, 0.3]), "pearson", 3, n_groups=2).value == pytest.approx(2 / 3)


def test_tau_b_is_stepped_up_on_the_scale_of_pearson():
    # tau_b 1/3 is r = 0.5, stepped up 2/3, which is a tau_b of 0.4646 (Greiner's relation).
    estimate = stepped_up(np.array([1 / 3] * 21), "tau_b", 2, n_groups=40)
    assert estimate.value == pytest.approx(2 / math.pi * math.asin(2 / 3))


def test_hardly_any_spread_near_one_is_a_narrow_interval():
    # 199 of 200 splits have the full order in some of the samples, all of them in the others.
    for means in ([1.0] * 21, [1.0, *[1.0, 0.999] * 10], [0.9995] * 21):
        estimate = stepped_up(np.array(means), "tau_b", 2, n_groups=40)
        assert 0.97 < estimate.low <= estimate.value <= estimate.high <= 1


def test_a_negative_half_correlation_stays_negative_and_finite():
    for r in (-0.2, -0.9, -1.0):
        value = stepped_up(np.array([r] * 21), "pearson", 2, n_groups=40).value
        assert -1 <= value < 0
    assert stepped_up(np.zeros(21), "pearson", 2, n_groups=40).value == 0


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
def test_the_scales_turn_back_and_keep_their_ends(coefficient):
    values = np.linspace(-1, 1, 9)
    there = pearson_scale(values, coefficient)
    np.testing.assert_allclose(from_pearson_scale(there, coefficient), values, atol=1e-12)
    assert there[[0, 4, 8]].tolist() == pytest.approx([-1, 0, 1])


def test_means_leave_out_few_undefined_splits_and_refuse_many():
    profile = np.tile([0.1, 0.2, 0.4], (1, 40, 1))
    profile[0, :2] = 0.3  # constant in 2 of 40
    other = np.tile([0.1, 0.2, 0.4], (1, 40, 1))
    assert mean_correlations(profile, other)["tau_b"] == [1.0]
    profile[0, :3] = 0.3
    assert np.isnan(mean_correlations(profile, other)["tau_b"]).all()


def test_chunks_do_not_change_the_result(monkeypatch):
    comparisons = noisy(8, n_groups=31)
    (whole,) = split_halves([comparisons], splits=20, seed=3)
    monkeypatch.setattr(module, "_CHUNK_BYTES", 8 * 31 * 3)
    (parts,) = split_halves([comparisons], splits=20, seed=3)
    np.testing.assert_array_equal(whole.first, parts.first)
    np.testing.assert_array_equal(whole.second, parts.second)


def test_the_seed_decides_the_splits():
    comparisons = noisy(9)
    a, b, c = (split_halves([comparisons], seed=seed)[0].first for seed in (0, 0, 1))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


def test_the_order_of_the_pairs_and_of_the_responses_in_them_does_not_matter():
    comparisons = noisy(10)
    rng = np.random.default_rng(0)
    turn = rng.choice([-1, 1], len(comparisons.preference))
    order = rng.permutation(len(turn))
    turned = table(
        (comparisons.preference * turn)[order],
        (comparisons.manifestation * turn[:, None])[order],
        comparisons.group[order],
    )
    for other in split_halves([turned]):
        assert reliability(other) == reliability(split_halves([comparisons])[0])


def degenerate():
    full = noisy(11, n_groups=20)
    n = len(full.preference)
    nothing = np.zeros_like(full.manifestation)
    many = noisy(18, n_groups=100)
    dominated = np.where(np.arange(400) < 396, 0, np.arange(400))
    constant = np.repeat(full.manifestation[:, :1], 4, axis=1)
    return {
        "no pairs": (rows(full, np.zeros(n, bool)), "groups: 0"),
        "one pair": (rows(full, np.arange(n) == 0), "groups: 1"),
        "one group": (table(full.preference, full.manifestation, np.zeros(n, int)), "groups: 1"),
        "all ties": (table(0 * full.preference, full.manifestation, full.group), "groups: 0"),
        "all missing": (
            table(full.preference, nothing, full.group, missing=nothing == 0),
            "groups: 0",
        ),
        "two factors": (
            table(full.preference, full.manifestation[:, :2], full.group),
            "factors: 2",
        ),
        "no factors": (table(full.preference, full.manifestation[:, :0], full.group), "groups: 0"),
        "a constant profile": (table(full.preference, constant, full.group), "constant"),
        "one group of 99 %": (
            table(many.preference, many.manifestation, dominated),
            "one group holds 99%",
        ),
    }


@pytest.mark.parametrize("name", degenerate())
def test_where_halves_say_nothing_there_is_a_reason_and_no_number(name):
    comparisons, reason = degenerate()[name]
    (halves,) = split_halves([comparisons], splits=20)
    found = reliability(halves)
    for coefficient in COEFFICIENTS:
        assert math.isnan(found.half[coefficient])
        estimate = found.full[coefficient]
        assert math.isnan(estimate.value)
        assert math.isnan(estimate.low)
        assert reason in estimate.reason


def test_one_constant_factor_takes_part_like_any_other():
    full = noisy(12, n_groups=80)
    manifestation = full.manifestation.copy()
    manifestation[:, 2] = 0
    (halves,) = split_halves([table(full.preference, manifestation, full.group)])
    assert reliability(halves).full["pearson"].value > 0.5


def test_a_factor_that_is_missing_takes_no_part():
    full = noisy(13, n_groups=80)
    missing = np.zeros(full.manifestation.shape, bool)
    missing[:, 1] = True
    lacking = table(
        full.preference, np.where(missing, 0, full.manifestation), full.group, missing=missing
    )
    four = table(full.preference, full.manifestation[:, [0, 2, 3, 4]], full.group)
    found, expected = (
        reliability(split_halves([each])[0]).full["pearson"].value for each in (lacking, four)
    )
    assert found == pytest.approx(expected)


def test_few_groups_have_a_reliability_without_an_interval():
    comparisons = noisy(14, n_groups=7, pairs=40)
    (halves,) = split_halves([comparisons])
    estimate = reliability(halves).full["pearson"]
    assert estimate.value > 0
    assert estimate.reason == "groups: 7; a jackknife interval needs at least 8"


def test_noise_is_not_shown_to_be_reliable():
    signs = np.random.default_rng(15).integers(-1, 2, (200, 6))
    (halves,) = split_halves([table(signs[:, 0], signs[:, 1:], np.arange(200) // 2)])
    assert reliability(halves).full["tau_b"].low < 0


def test_no_splits_and_no_tables():
    assert split_halves([]) == ()
    with pytest.raises(ValueError, match="splits is 0; give at least 1"):
        split_halves([noisy(17)], splits=0)


def test_real_profiles_of_many_pairs_are_reliable(shared_data):
    from profile_tasks.data.preferences import load_preferences
    from profile_tasks.scorers.measurement.recorded import human_comparisons

    data = load_preferences(str(shared_data / "pandalm.jsonl"))
    factors = "length,sentence_count,mean_sentence_length,lexical_diversity,readability,markdown"
    (halves,) = split_halves([human_comparisons(data, factors)])
    found = reliability(halves)
    assert found.full["pearson"].low > 0.4
    assert found.full["pearson"].value < 1
