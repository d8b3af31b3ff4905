"""The alignment of true profiles: against a reference, and where the answer is known."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from profile_tasks.data.preferences import load_preferences
from profile_tasks.scorers.measurement.recorded import human_comparisons
from profile_tasks.scorers.statistics.alignment import COEFFICIENTS, alignment_replicates
from profile_tasks.scorers.statistics.comparisons import Comparisons, Perspective, with_factors
from profile_tasks.scorers.statistics.estimate import FEW_GROUPS, Estimate
from profile_tasks.scorers.statistics.influence import group_sums
from profile_tasks.scorers.statistics.sampling_error import profile_errors
from profile_tasks.scorers.statistics.true_alignment import (
    alignment_difference,
    distance,
    mover,
    pearson_interval,
    true_alignment,
    true_profiles,
    unrelated_tastes,
)

REFERENCE = Path(__file__).parents[4] / "shared" / "reference" / "alignment_inference.py"
DRAWS = 200
PREFERENCES = [
    file
    for file in sorted((REFERENCE.parents[1] / "data").glob("*.jsonl"))
    if file.stem != "squality_sources"
]


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    if not REFERENCE.is_file():
        pytest.skip("the reference of alignment inference is not there (shared/reference)")
    spec = importlib.util.spec_from_file_location("alignment_inference", REFERENCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def judged(
    manifestation: NDArray[np.int64],
    utility: NDArray[np.float64],
    group: NDArray[np.int64],
    who: Perspective,
) -> Comparisons:
    return Comparisons(
        np.sign(utility),
        manifestation,
        np.zeros(manifestation.shape, bool),
        group,
        tuple(f"factor_{i}" for i in range(manifestation.shape[1])),
        who,
    )


def two_judges(
    rng: np.random.Generator,
    first: list[float],
    second: list[float],
    *,
    groups: int = 40,
    pairs: int = 5,
    noise: float = 1.0,
    shared_pairs: bool = True,
) -> list[Comparisons]:
    """Preferences of two judges of these weights, on the same pairs or on others."""
    tables = []
    manifestation = rng.choice([-1, 0, 1], (groups * pairs, len(first)))
    group = np.repeat(np.arange(groups), pairs)
    for weights, who in ((first, "human"), (second, "discrimination")):
        if not shared_pairs:
            manifestation = rng.choice([-1, 0, 1], manifestation.shape)
        utility = manifestation @ np.array(weights) + noise * rng.logistic(size=len(group))
        tables.append(judged(manifestation, utility, group, who))  # type: ignore[arg-type]
    return tables


@pytest.mark.parametrize("seed", range(200))
def test_every_step_is_that_of_the_reference(reference: ModuleType, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_factors, groups, pairs = (int(rng.integers(*ends)) for ends in ((3, 9), (8, 60), (1, 6)))
    weights = rng.normal(size=(2, n_factors)).tolist()
    shared = bool(rng.integers(2))
    tables = two_judges(rng, *weights, groups=groups, pairs=pairs, shared_pairs=shared)
    every_step_agrees(reference, tables, seed)


@pytest.mark.parametrize("file", PREFERENCES, ids=lambda file: file.stem)
def test_every_step_is_that_of_the_reference_on_recorded_pairs(
    reference: ModuleType, file: Path
) -> None:
    people = human_comparisons(load_preferences(str(file)), "surface")
    varies = np.flatnonzero(people.manifestation.any(axis=0))
    people = with_factors(people, [people.factors[at] for at in varies])
    rng = np.random.default_rng(1)
    utility = people.manifestation @ rng.normal(size=varies.size)
    utility += rng.logistic(size=people.group.size)
    judge = replace(
        people, preference=np.sign(utility).astype(np.int8), perspective="discrimination"
    )
    every_step_agrees(reference, [people, judge], seed=1)


def every_step_agrees(reference: ModuleType, tables: list[Comparisons], seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_factors = len(tables[0].factors)
    groups = 1 + max(int(table.group.max()) for table in tables)
    sums = [group_sums(table, groups) for table in tables]
    net, counted = (np.hstack([pair[i] for pair in sums]) for i in (0, 1))

    tau, rows, n_groups = reference.noise(net, counted)
    errors = profile_errors(tables)
    assert errors.n_groups == n_groups
    np.testing.assert_allclose(errors.tau.ravel(), tau, atol=1e-12)
    np.testing.assert_allclose(errors.rows, rows, atol=1e-12)

    theirs, ours = (np.random.default_rng(seed) for _ in range(2))
    drawn = [reference.error_draws(rows, n_groups, n_factors, DRAWS, theirs) for _ in range(2)]
    raw = [errors.draws(DRAWS, ours) for _ in range(2)]
    centred = [each - each.mean(axis=2, keepdims=True) for each in raw]
    np.testing.assert_allclose(centred, drawn, atol=1e-12)

    x, y = errors.tau - errors.tau.mean(axis=1, keepdims=True)
    low, estimate, high, lengths, curve = reference.alignment_interval(x, y, *drawn)
    found = pearson_interval(x, y, centred[0], centred[1])
    np.testing.assert_allclose(
        (found.low, found.estimate, found.high), (low, estimate, high), atol=1e-9
    )
    np.testing.assert_allclose(found.lengths, lengths, atol=1e-9)

    def tau_b(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        return alignment_replicates(a, b).tau_b

    ends = reference.rank_interval(x, y, rows, lengths, curve, tau_b, theirs, DRAWS)
    profiles = true_profiles(x, y, errors.rows, found.lengths, found.curve, DRAWS, ours)
    np.testing.assert_allclose(
        np.nanquantile(tau_b(*profiles), (0.015, 0.5, 0.985)), ends, atol=1e-9
    )

    gram = rng.normal(size=(n_factors, n_factors))
    p_value, _ = reference.unrelated_tastes(x, y, drawn[0], gram, theirs)
    assert unrelated_tastes(x, y, centred[0], gram, ours) == pytest.approx(p_value, abs=1e-9)

    np.testing.assert_allclose(
        distance(x, y, centred[0]).cells(),
        [reference.rms_distance(x, y, drawn[0])[i] for i in (1, 0, 2)],
        atol=1e-9,
    )
    parts = [sorted(rng.uniform(-1, 1, 3)) for _ in range(2)]
    r = float(rng.uniform(-1, 1))
    np.testing.assert_allclose(
        mover(tuple(parts[0]), tuple(parts[1]), r), reference.difference(*parts, r), atol=1e-12
    )


def test_one_taste_with_noise_is_estimated_at_1_where_less_is_observed() -> None:
    weights = [2, 1, -1, 0.5, 0]
    tables = two_judges(np.random.default_rng(1), weights, weights, groups=200, noise=4)
    found = true_alignment(*tables)
    pearson = found.coefficients["pearson"]
    assert found.refusal is None
    assert pearson.value < 0.93
    assert pearson.disattenuated > 0.97
    assert pearson.low < pearson.disattenuated <= pearson.high <= 1
    assert found.unrelated < 0.05


def test_unrelated_tastes_are_estimated_near_0_and_their_interval_holds_0() -> None:
    tables = two_judges(np.random.default_rng(2), [2, 0, -2, 0], [0, 2, 0, -2], groups=200)
    found = true_alignment(*tables)
    assert abs(found.coefficients["pearson"].disattenuated) < 0.2
    for each in found.coefficients.values():
        assert each.low < 0 < each.high
    assert found.unrelated > 0.05


def test_where_no_drawn_profile_has_an_order_ranks_have_no_interval() -> None:
    """Coins, of which noise alone makes as much: it ended in a warning of NumPy's."""
    coins = [0.0] * 8
    tables = two_judges(np.random.default_rng(24), coins, coins, groups=20, pairs=1)
    ranks = true_alignment(*tables, draws=100).coefficients["tau_b"]
    assert not ranks.has_interval
    assert ranks.reason is not None
    assert ranks.reason.startswith("not estimable")


def test_opposite_tastes_are_estimated_at_less_than_0() -> None:
    tables = two_judges(np.random.default_rng(3), [2, 1, -1, 0], [-2, -1, 1, 0], groups=100)
    found = true_alignment(*tables)
    assert found.coefficients["pearson"].high < -0.8
    assert found.coefficients["tau_b"].disattenuated < -0.7
    assert found.unrelated > 0.95


def test_a_profile_that_is_noise_alone_is_refused_with_the_interval_in_words() -> None:
    rng = np.random.default_rng(4)
    tables = two_judges(rng, [2, 1, -1, 0], [0, 0, 0, 0], shared_pairs=False)
    found = true_alignment(*tables)
    pearson = found.coefficients["pearson"]
    assert found.refusal is not None
    assert found.refusal.startswith(
        "not estimable: the discrimination profile is not told from noise alone; r within [-"
    )
    assert np.isnan(pearson.disattenuated)
    assert pearson.has_interval
    assert pearson.reason == found.refusal


@pytest.mark.parametrize("seed", [20, 38, 48])
def test_noise_that_is_alike_by_luck_says_nothing_of_the_order_either(seed: int) -> None:
    # Seen first on texts of SmolLM2: tau_b 0.867 with an interval from 1 to 1.
    tables = two_judges(
        np.random.default_rng(seed), [0, 0, 0, 0], [0, 0, 0, 0], groups=20, shared_pairs=False
    )
    found = true_alignment(*tables).coefficients
    assert abs(found["pearson"].value) > 0.95
    for estimate in found.values():
        assert (estimate.low, estimate.high) == (-1, 1)


def test_the_same_verdicts_do_not_tell_how_far_below_1_others_are() -> None:
    human, _ = two_judges(np.random.default_rng(5), [2, 1, -1, 0], [2, 1, -1, 0])
    found = true_alignment(human, human)
    assert found.coefficients["pearson"].value == 1
    assert not found.coefficients["pearson"].has_interval
    assert found.refusal is not None
    assert found.refusal.startswith("all verdicts are the same: the alignment is 1 on these pairs")


def test_opposite_verdicts_do_not_tell_how_far_above_minus_1_others_are() -> None:
    human, _ = two_judges(np.random.default_rng(5), [2, 1, -1, 0], [2, 1, -1, 0])
    found = true_alignment(human, replace(human, preference=-human.preference))
    assert found.refusal is not None
    assert found.refusal.startswith("all verdicts are the opposite: the alignment is -1 on these")
    for each in found.coefficients.values():
        assert (each.value, each.disattenuated, each.has_interval) == (-1, -1, False)


def test_a_refusal_names_the_two_as_its_caller_does() -> None:
    tables = two_judges(np.random.default_rng(4), [2, 1, -1, 0], [0, 0, 0, 0], shared_pairs=False)
    found = true_alignment(*tables, names=("people.jsonl", "judge_x"))
    assert found.refusal is not None
    assert found.refusal.startswith("not estimable: the judge_x profile is not told from noise")


@pytest.mark.parametrize("sign", [1, -1])
def test_a_perfect_order_lies_in_its_interval(sign: int) -> None:
    """Rounding put the drawn ones just below it."""
    weights = [2.0, 0.0, -2.0]
    other = [sign * weight for weight in weights]
    tables = two_judges(np.random.default_rng(0), weights, other, groups=300)
    found = true_alignment(*tables).coefficients["spearman"]
    assert found.low == found.value == found.high == sign


def test_of_few_groups_no_alignment_is_defined() -> None:
    tables = two_judges(np.random.default_rng(6), [2, 1, -1, 0], [2, 1, -1, 0], groups=7)
    found = true_alignment(*tables)
    assert found.refusal == "groups with decided pairs: 7; an alignment needs at least 8"
    assert not any(each.defined for each in found.coefficients.values())


def test_few_groups_of_one_of_the_two_have_no_interval_either() -> None:
    tables = two_judges(np.random.default_rng(6), [2, 1, -1, 0], [2, 1, -1, 0], groups=40)
    few = replace(
        tables[1], preference=np.where(tables[1].group < 7, tables[1].preference, 0)
    )  # the others tie
    for pair in ((tables[0], few), (few, tables[0])):
        found = true_alignment(*pair)
        assert found.refusal == "groups with decided pairs: 7; an alignment needs at least 8"
        assert found.n_groups == 40


def test_groups_without_a_known_factor_do_not_count() -> None:
    tables = two_judges(np.random.default_rng(6), [2, 1, -1, 0], [2, 1, -1, 0], groups=40)
    known = [
        replace(
            each,
            manifestation=np.where(each.group[:, None] < 5, each.manifestation, 0),
            missing=np.repeat(each.group[:, None] >= 5, 4, axis=1),
        )
        for each in tables
    ]
    refusal = true_alignment(*known).refusal
    assert refusal == "groups with decided pairs: 5; an alignment needs at least 8"


def test_constant_profiles_have_no_alignment() -> None:
    group = np.arange(20)
    same = judged(np.ones((20, 3), int), np.ones(20), group, "human")
    found = true_alignment(same, same)
    assert found.refusal == "the first profile is constant over the 3 shared factors"
    assert not found.coefficients["tau_b"].defined


def test_another_confidence_gives_another_width() -> None:
    tables = two_judges(np.random.default_rng(7), [2, 1, -1, 0], [2, 1, 0, 0])
    wide, narrow = (true_alignment(*tables, confidence=c) for c in (0.95, 0.5))
    for name in COEFFICIENTS:
        assert wide.coefficients[name].low <= narrow.coefficients[name].low
    assert wide.coefficients["pearson"].low < narrow.coefficients["pearson"].low


def test_a_difference_is_taken_from_the_intervals_of_both() -> None:
    drawn = np.random.default_rng(8).normal(size=500)
    first = Estimate(0.6, 0.5, 0.9, disattenuated=0.8, drawn=drawn)
    second = Estimate(0.3, 0.1, 0.5, disattenuated=0.4, drawn=drawn)
    apart = alignment_difference(first, second)
    assert apart.value == pytest.approx(0.3)
    assert apart.disattenuated == pytest.approx(0.4)
    # Down: .3 of the first, .1 of the second; up: .1 and .3. Nothing is taken off for errors that
    # go together.
    far = np.hypot(0.3, 0.1)
    assert (apart.low, apart.high) == pytest.approx((0.4 - far, 0.4 + far))
    turned = alignment_difference(second, first)
    assert (turned.low, turned.high) == pytest.approx((-apart.high, -apart.low))
    # Errors that go against each other make it wider: all of both.
    against = alignment_difference(first, replace(second, drawn=-drawn))
    assert (against.low, against.high) == pytest.approx((0.4 - 0.4, 0.4 + 0.4))
    nothing = alignment_difference(first, Estimate(0.3, reason="noise"))
    assert (nothing.value, nothing.has_interval, nothing.reason) == (0.3, False, "noise")


def test_a_difference_does_not_borrow_the_interval_of_the_one_that_is_refused() -> None:
    tables = two_judges(np.random.default_rng(4), [2, 1, -1, 0], [0, 0, 0, 0], shared_pairs=False)
    refused = true_alignment(*tables).coefficients["tau_b"]
    assert "; r within [" in (refused.reason or "")
    apart = alignment_difference(Estimate(0.6, 0.5, 0.9, disattenuated=0.8), refused)
    assert apart.reason == (
        "not estimable: the discrimination profile is not told from noise alone"
    )


def test_a_difference_of_few_groups_or_of_none_estimable_reaches_from_end_to_end() -> None:
    first = Estimate(0.6, 0.5, 0.9, disattenuated=0.8, n_groups=FEW_GROUPS - 1)
    second = Estimate(0.3, 0.1, 0.5, disattenuated=0.4, n_groups=FEW_GROUPS)
    few = alignment_difference(first, second)
    assert (few.low, few.high, few.disattenuated) == pytest.approx((0.0, 0.8, 0.4))
    assert few.n_groups == FEW_GROUPS - 1
    many = alignment_difference(replace(first, n_groups=FEW_GROUPS), second)
    assert few.low < many.low < many.high < few.high
    refused = replace(first, disattenuated=np.nan, reason="noise", n_groups=FEW_GROUPS)
    none = alignment_difference(refused, second)
    assert (none.low, none.high) == pytest.approx((0.0, 0.8))
    assert np.isnan(none.disattenuated)
    assert none.reason == "noise"


def test_rank_coefficients_differ_by_what_their_true_values_may() -> None:
    # The first is .6 or 1, the second .2 or .6, either as likely as the other.
    first = Estimate(0.6, 0.6, 1.0, disattenuated=0.6, likely=np.array([0.6, 1.0] * 500))
    second = Estimate(0.2, 0.2, 0.6, disattenuated=0.2, likely=np.array([0.2] * 500 + [0.6] * 500))
    apart = alignment_difference(first, second)
    assert (apart.value, apart.disattenuated) == pytest.approx((0.4, 0.4))
    assert (apart.low, apart.high) == pytest.approx((0.0, 0.8))


def test_rank_coefficients_whose_errors_go_against_each_other_differ_by_all_of_both() -> None:
    draw = np.random.default_rng(9)
    likely, drawn = draw.normal(size=(2, 1000))
    first = Estimate(0.0, -1.0, 1.0, disattenuated=0.0, likely=likely, drawn=drawn)

    def width(other: np.ndarray) -> float:
        apart = alignment_difference(first, replace(first, likely=likely[::-1], drawn=other))
        return apart.high - apart.low

    alone, half = width(drawn), width(-drawn + np.sqrt(3) * draw.normal(size=1000))
    assert width(-drawn) == pytest.approx(np.sqrt(2) * alone, rel=0.05)
    assert half == pytest.approx(np.sqrt(1.5) * alone, rel=0.05)
