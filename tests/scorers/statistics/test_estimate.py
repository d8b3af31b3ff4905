"""Estimates become flat metrics, and say why one is not defined."""

from profile_tasks.scorers.statistics.estimate import Estimate, flat_metrics, undefined
from profile_tasks.scorers.statistics.uncertainty import Interval

FINE = Estimate(0.5, Interval(0.4, 0.6, 1.0, None, "percentile"))
NO_INTERVAL = Estimate(0.5, Interval.none("groups: 3"))
NOTHING = Estimate.undefined("no pairs")


def test_each_name_is_followed_by_its_bounds() -> None:
    flat = flat_metrics({"b": FINE, "a": FINE})
    assert list(flat) == ["b", "b_ci_low", "b_ci_high", "a", "a_ci_low", "a_ci_high"]
    assert list(flat.values()) == [0.5, 0.4, 0.6] * 2


def test_what_is_not_defined_has_a_reason_and_what_is_has_none() -> None:
    found = undefined({"fine": FINE, "wide": NO_INTERVAL, "none": NOTHING})
    assert found == {"wide": "groups: 3", "none": "no pairs"}
