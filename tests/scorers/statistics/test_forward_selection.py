"""Which candidates come into a regression: those that add, each once, by groups."""

import numpy as np
import pytest

from profile_tasks.scorers.statistics.forward_selection import (
    forward_selection,
    score_statistics,
)

GROUP = np.arange(300) // 2


def pairs(weight: float, known: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Ten candidates, of which the first counts, and a control, all turned to the preferred."""
    rng = np.random.default_rng(seed)
    shown, control = rng.choice([-1.0, 0.0, 1.0], (300, 10)), rng.normal(size=(300, 1))
    utility = weight * shown[:, 0] + known * control[:, 0] + rng.logistic(size=300)
    turn = np.sign(utility)[:, None]
    return shown * turn, control * turn


def test_the_one_that_counts_comes_first() -> None:
    (first, z), *others = forward_selection(*pairs(1.0, 1.0), GROUP, at_most=3)
    assert first == 0
    assert z > 4
    assert len(others) == 2
    assert max(abs(z) for _, z in others) < 3


def test_of_what_people_like_less_the_statistic_is_negative() -> None:
    assert forward_selection(*pairs(-1.0, 1.0), GROUP, at_most=1)[0][1] < -4


def test_of_two_that_say_the_same_one_comes_in() -> None:
    candidates, controls = pairs(1.0, 1.0)
    candidates = np.hstack([candidates, -candidates[:, :1]])
    chosen = [at for at, _ in forward_selection(candidates, controls, GROUP, at_most=11)]
    assert 0 in chosen
    assert 10 not in chosen


def test_what_a_control_says_does_not_come_in_first() -> None:
    candidates, controls = pairs(0.0, 2.0)
    candidates[:, 3] = controls[:, 0]
    assert abs(score_statistics(candidates, controls, GROUP)[3]) < 0.5
    assert forward_selection(candidates, controls[:, :0], GROUP, at_most=1)[0][0] == 3


def test_where_nothing_counts_the_statistics_are_standard_normal() -> None:
    z = [score_statistics(*pairs(0.0, 1.0, seed), GROUP) for seed in range(100)]
    assert np.std(z) == pytest.approx(1.0, abs=0.08)
    assert np.mean(np.abs(z) > 1.96) == pytest.approx(0.05, abs=0.02)


def test_pairs_of_one_source_count_as_one_voice() -> None:
    """Twenty copies of each pair show no more than one of each."""
    candidates, controls = pairs(0.3, 1.0)
    once = score_statistics(candidates, controls[:, :0], np.arange(300))
    copied = score_statistics(
        np.repeat(candidates, 20, axis=0), np.zeros((6000, 0)), np.repeat(np.arange(300), 20)
    )
    assert copied == pytest.approx(once)


def test_nothing_comes_of_nothing() -> None:
    candidates, controls = pairs(1.0, 1.0)
    assert forward_selection(0 * candidates, controls, GROUP, at_most=2) == []
    assert forward_selection(candidates[:, :0], controls, GROUP, at_most=2) == []


def test_rows_that_do_not_fit_are_refused() -> None:
    candidates, controls = pairs(1.0, 1.0)
    with pytest.raises(ValueError, match="must be equal"):
        forward_selection(candidates, controls[:-1], GROUP, at_most=2)
