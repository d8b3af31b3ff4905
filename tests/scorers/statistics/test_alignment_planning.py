"""How many sources an alignment needs, against studies of so many."""

import numpy as np
import pytest

from profile_tasks.scorers.statistics.alignment_planning import planned_alignment
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.true_alignment import true_alignment

FIRST, SECOND = [2.0, 1.0, -1.0, 0.5, 0.0], [2.0, 0.0, -1.0, 0.5, 1.5]


def study(seed: int, sources: int, *, noise: float = 2.0) -> list[Comparisons]:
    rng = np.random.default_rng(seed)
    manifestation = rng.choice([-1, 0, 1], (4 * sources, len(FIRST)))
    return [
        Comparisons(
            np.sign(manifestation @ np.array(weights) + noise * rng.logistic(size=4 * sources)),
            manifestation,
            np.zeros(manifestation.shape, bool),
            np.repeat(np.arange(sources), 4),
            tuple("abcde"),
            who,
        )
        for weights, who in ((FIRST, "human"), (SECOND, "discrimination"))
    ]


def half_width(tables: list[Comparisons]) -> float:
    found = true_alignment(*tables).coefficients["pearson"]
    return (found.high - found.low) / 2


@pytest.mark.parametrize("sources", [60, 240])
def test_the_planned_width_is_that_of_typical_studies(sources: int) -> None:
    plan = planned_alignment(*study(0, 1000), sources=[sources])
    typical = np.median([half_width(study(seed, sources)) for seed in range(1, 21)])
    assert plan.half_widths[0] == pytest.approx(typical, rel=0.3)


def test_the_number_needed_is_the_fewest_with_the_wanted_width() -> None:
    tables = study(0, 200)
    plan = planned_alignment(*tables, sources=[100], width=0.1)
    assert plan.needed is not None
    enough, too_few = (
        planned_alignment(*tables, sources=[n]).half_widths[0]
        for n in (plan.needed, plan.needed - 1)
    )
    assert enough <= 0.1 < too_few


def test_the_range_is_that_of_r_within_the_pilots_interval() -> None:
    tables = study(0, 60)
    plan = planned_alignment(*tables, sources=[100], width=0.1)
    low, high = plan.needed_range
    assert plan.r.low < plan.r.value < plan.r.high
    assert low is not None
    assert high is not None
    assert low < (plan.needed or 0) < high
    assert plan.n_groups == 60


def test_so_few_sources_that_an_alignment_is_refused_are_never_enough() -> None:
    plan = planned_alignment(*study(0, 200, noise=4), sources=[20, 400], width=1)
    assert np.isnan(plan.half_widths[0])
    assert plan.half_widths[1] < 0.2
    assert (plan.needed or 0) > 20
    fewer = [true_alignment(*study(seed, 20, noise=4)) for seed in range(1, 8)]
    assert all(each.refusal is not None for each in fewer)


def test_what_is_out_of_reach_has_no_number() -> None:
    assert planned_alignment(*study(0, 100), sources=[50], width=0.01, most=200).needed is None


def test_a_pilot_of_noise_alone_plans_nothing_and_says_why() -> None:
    plan = planned_alignment(*study(3, 12, noise=30), sources=[50], width=0.1)
    assert plan.half_widths == ()
    assert plan.needed is None
    assert plan.reason is not None
    assert "not told from noise alone" in plan.reason


def test_too_few_sources_to_show_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^7 sources: an alignment has an interval from 8"):
        planned_alignment(*study(0, 50), sources=[7, 50])
