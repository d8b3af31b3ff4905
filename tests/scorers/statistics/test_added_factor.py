"""What a factor adds to known ones: a known size, no false alarm, reasons where none is told."""

import numpy as np
import pytest

from profile_tasks.scorers.statistics.added_factor import AddedFactor, added_factor
from profile_tasks.scorers.statistics.adjusted import adjusted_influence
from profile_tasks.scorers.statistics.comparisons import Comparisons

GROUP = np.arange(400) // 2


def turned(own: np.ndarray, known: np.ndarray, weight: float, seed: int = 1) -> AddedFactor:
    noise = np.random.default_rng(seed).logistic(size=len(own))
    turn = np.sign(weight * own + 2 * known + noise)
    return added_factor(own * turn, (known * turn)[:, None], GROUP)


RNG = np.random.default_rng(0)
SHOWN, AMOUNT = RNG.choice([-1.0, 1.0], 400), RNG.normal(size=400)


def test_an_addition_of_known_size_is_found() -> None:
    found = turned(SHOWN, AMOUNT, 1.0)
    assert found.estimate.low < 1.0 < found.estimate.high
    assert found.p_value < 0.001
    assert (found.n_pairs, found.n_groups) == (400, 200)


def test_what_goes_with_the_amount_of_a_control_adds_nothing() -> None:
    """Signs of the control alone would leave its amount to the candidate."""
    follows = np.sign(AMOUNT) * (np.abs(AMOUNT) > 0.8)
    told = [turned(follows, AMOUNT, 0.0, seed).p_value < 0.05 for seed in range(60)]
    assert sum(told) <= 7  # of 60, at 5 %


def test_with_signs_alone_it_is_the_adjusted_influence() -> None:
    known = RNG.choice([-1, 1], 400)
    preference = np.sign(SHOWN + known + np.random.default_rng(2).logistic(size=400))
    table = Comparisons(
        preference.astype(np.int8),
        np.column_stack([SHOWN, known]).astype(np.int8),
        np.zeros((400, 2), bool),
        GROUP.astype(np.int32),
        ("new", "known"),
        "human",
    )
    adjusted = adjusted_influence(table)
    found = added_factor(SHOWN * preference, (known * preference)[:, None], GROUP)
    assert found.estimate.value == pytest.approx(adjusted.coefficient[0])
    assert found.p_value == pytest.approx(adjusted.p_value[0])


def test_pairs_where_it_is_missing_take_no_part() -> None:
    half = np.where(np.arange(400) < 200, np.nan, SHOWN)
    assert turned(half, AMOUNT, 0.0).n_pairs <= 200
    turn = np.sign(AMOUNT)
    found = added_factor(half * turn, np.ones((400, 1)) * SHOWN[:, None], GROUP)
    assert (found.n_pairs, found.n_groups) == (200, 100)


def test_controls_that_repeat_each_other_do_no_harm() -> None:
    noise = np.random.default_rng(1).logistic(size=400)
    turn = np.sign(SHOWN + 2 * AMOUNT + noise)
    twice = np.column_stack([AMOUNT, 3 * AMOUNT, np.zeros(400)]) * turn[:, None]
    assert added_factor(SHOWN * turn, twice, GROUP).p_value == pytest.approx(
        turned(SHOWN, AMOUNT, 1.0).p_value
    )


def test_few_groups_hold_few_controls_fixed() -> None:
    """With all 15, the test in 30 groups claimed something in 13 % of nulls, where it could."""
    told = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        controls, own = rng.normal(size=(30, 15)), rng.choice([-1.0, 0.0, 1.0], 30)
        turn = np.sign(controls[:, 0] + rng.logistic(size=30))
        found = added_factor(own * turn, controls * turn[:, None], np.arange(30))
        assert found.n_controls == 6
        told.append(found.p_value)
    assert np.isnan(told).sum() <= 4
    assert (np.array(told) < 0.05).sum() <= 5


def test_pairs_that_a_control_decides_leave_the_others() -> None:
    turn = np.sign(SHOWN + np.random.default_rng(1).logistic(size=400))
    decided = np.where(np.arange(400) < 40, 1.0, 0.0)  # always with the preferred one
    found = added_factor(SHOWN * turn, decided[:, None], GROUP)
    assert found.n_pairs == 360
    assert found.p_value < 0.001


def test_what_decides_every_preference_is_told_without_a_coefficient() -> None:
    """Nothing speaks louder, and a regression alone would say nothing of it."""
    bears = np.where(np.arange(400) % 4 == 0, 1.0, 0.0)
    noise = np.random.default_rng(5).normal(size=(400, 1))
    for sign in (1, -1):
        found = added_factor(sign * bears, noise, GROUP)
        assert found.estimate.reason is not None
        assert "separated" in found.estimate.reason
        assert found.p_value < 1e-6
        assert found.direction == sign


@pytest.mark.parametrize(
    ("own", "known", "group", "why"),
    [
        (np.zeros(400), AMOUNT, GROUP, "differs in no pair"),
        (np.full(400, np.nan), AMOUNT, GROUP, "differs in no pair"),
        (AMOUNT, AMOUNT, GROUP, "collinear"),
        (SHOWN, AMOUNT, np.zeros(400, int), "1 groups for 2 coefficients"),
    ],
)
def test_where_there_is_no_test_the_reason_stands(
    own: np.ndarray, known: np.ndarray, group: np.ndarray, why: str
) -> None:
    found = added_factor(own, known[:, None], group)
    assert np.isnan(found.p_value)
    assert found.estimate.reason is not None
    assert why in found.estimate.reason
