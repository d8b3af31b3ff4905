"""Places: what is shown by all differences at once, what is tied, and what nobody can tell."""

import numpy as np
import pytest
from scipy import stats

from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.places import places, simultaneous_differences

INF = np.inf


def resampled(values, *, shared=0.1, own=0.02, groups=50, seed=0, replicates=2000):
    """Estimates whose replicates move together, and a little on their own."""
    rng = np.random.default_rng(seed)
    common = shared * rng.normal(size=replicates)
    return [
        Estimate.percentile(value, value + common + own * rng.normal(size=replicates), groups)
        for value in values
    ]


def flat(*ends):
    """Estimates of which nothing but the interval is known."""
    return [Estimate((low + high) / 2, low, high) for low, high in ends]


def test_what_moves_together_is_told_apart_though_the_intervals_overlap():
    estimates = resampled([0.6, 0.45])
    assert estimates[0].overlaps(estimates[1])
    assert places(simultaneous_differences(estimates)) == [(1, 1), (2, 2)]
    alone = [Estimate(e.value, e.low, e.high) for e in estimates]
    assert places(simultaneous_differences(alone)) == [(1, 2), (1, 2)]


def test_the_intervals_of_two_are_those_of_one_difference():
    found = simultaneous_differences(resampled([0.6, 0.5], shared=1, own=0.05))
    # One pair: 1.96 standard errors of a difference, as Student's t has it.
    error = np.sqrt(2) * 0.05 * np.sqrt(50 / 49) * stats.t.ppf(0.975, 49)
    assert found.value[0, 1] == pytest.approx(0.1)
    assert found.high[0, 1] - 0.1 == pytest.approx(error, rel=0.05)
    assert 0.1 - found.low[0, 1] == pytest.approx(found.high[0, 1] - 0.1)
    np.testing.assert_allclose(found.low, -found.high.T)


def test_the_more_are_compared_the_more_it_takes():
    def margin(n, make):
        found = simultaneous_differences(make(n))
        return found.high[0, 1] - found.value[0, 1]

    paired = [margin(n, lambda n: resampled([0.5] * n)) for n in (2, 5, 20)]
    apart = [margin(n, lambda n: flat(*[(0.4, 0.6)] * n)) for n in (2, 5, 20)]
    for margins in (paired, apart):
        assert margins == sorted(margins)
        assert margins[2] > 1.5 * margins[0]


def test_fewer_groups_take_more():
    wide, narrow = (
        simultaneous_differences(resampled([0.5] * 5, groups=n)).high[0, 1] for n in (12, 200)
    )
    assert wide > 1.2 * narrow


def test_flat_intervals_are_added_as_squares():
    found = simultaneous_differences(flat((0.5, 0.7), (0.2, 0.3)))
    assert found.low[0, 1] == pytest.approx(0.35 - np.hypot(0.1, 0.05))
    assert found.high[0, 1] == pytest.approx(0.35 + np.hypot(0.1, 0.05))


def test_an_asymmetric_interval_reaches_as_far_on_either_side_as_it_says():
    one, other = Estimate(0.9, 0.6, 1.0), Estimate(0.5, 0.4, 0.7)
    found = simultaneous_differences([one, other])
    assert found.low[0, 1] == pytest.approx(0.4 - np.hypot(0.3, 0.2))
    assert found.high[0, 1] == pytest.approx(0.4 + np.hypot(0.1, 0.1))


def test_without_an_interval_nobody_can_tell():
    found = simultaneous_differences([*flat((0.8, 0.9)), Estimate(0.1), *flat((0.0, 0.1))])
    assert (found.low[0, 1], found.high[0, 1]) == (-INF, INF)
    assert places(found) == [(1, 2), (1, 3), (2, 3)]
    assert not found.tied(0.5)[0, 1]


def test_paired_and_unpaired_stand_on_one_board():
    estimates = [*resampled([0.6, 0.45], own=0.01), Estimate(0.5, 0.3, 0.7)]
    assert places(simultaneous_differences(estimates)) == [(1, 2), (2, 3), (1, 3)]


@pytest.mark.parametrize(
    "bare",
    [
        Estimate.percentile(0.1, np.full(2000, 0.1), 7),
        Estimate.percentile(0.1, np.full(2000, np.nan), 50),
    ],
    ids=["too few groups", "undefined replicates"],
)
def test_what_cannot_be_resampled_is_not_paired(bare):
    found = simultaneous_differences([*resampled([0.6, 0.45]), bare])
    assert np.isinf(found.high[0, 2])
    assert found.greater[0, 1]


def test_of_errors_the_least_has_the_first_place():
    found = simultaneous_differences(resampled([0.6, 0.3, 0.29]))
    assert places(found, more_is_better=False) == [(3, 3), (1, 2), (1, 2)]


def test_the_same_value_is_tied_and_a_near_one_only_where_that_is_shown():
    same = resampled([0.5, 0.5, 0.51], own=0.005)
    found = simultaneous_differences(same)
    assert found.tied(0.05).all()
    assert not found.tied(0.011)[0, 2]
    wide = simultaneous_differences(resampled([0.5, 0.5, 0.51], own=0.2))
    assert wide.tied(0.05).tolist() == [
        [True, True, False],
        [True, True, False],
        [False] * 2 + [True],
    ]


def test_what_is_shown_to_differ_is_not_tied_however_little():
    found = simultaneous_differences(resampled([0.52, 0.5], own=0.001))
    assert found.greater[0, 1]
    assert not found.tied(0.05)[0, 1]


def test_where_all_sources_differ_alike_the_number_of_sources_decides():
    def shown(groups, models):
        drawn = [Estimate.percentile(v, np.full(500, v), groups) for v in (1.0, *[0.0] * models)]
        return bool(simultaneous_differences(drawn).greater[0, 1])

    # A test by flipping signs: 2 / 2**8 is below .05, and above .05 / 36.
    assert shown(8, 1)
    assert not shown(8, 8)
    assert shown(12, 8)


def test_a_value_alone_has_the_first_place():
    assert places(simultaneous_differences(flat((0.1, 0.2)))) == [(1, 1)]
    assert places(simultaneous_differences([])) == []
