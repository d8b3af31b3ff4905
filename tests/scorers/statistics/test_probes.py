"""Estimates and tests of probes, by hand and beside statsmodels."""

import math

import numpy as np
import pytest

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.metric_catalogue import find
from profile_tasks.scorers.statistics.probes import (
    PROBES,
    Observations,
    ProbeFinding,
    adjusted_findings,
    alignment_of_wordings,
    probe_finding,
    self_preference,
    taste_of_wordings,
)


def observed(values: list[float], a_group: int = 1) -> Observations:
    return Observations(np.array(values, float), np.arange(len(values)) // a_group)


def test_a_lean_is_the_share_for_the_first_side_less_one_half() -> None:
    found = probe_finding("position", observed([1] * 9 + [-1] * 3))
    assert found.estimate.value == 9 / 12 - 1 / 2
    assert -0.5 <= found.estimate.low < found.estimate.value < found.estimate.high <= 0.5
    assert (found.n, found.n_groups) == (12, 12)


def test_neither_side_counts_as_half_a_verdict_for_each() -> None:
    assert probe_finding("identical", observed([1, 0, 0, 0] * 4)).estimate.value == 1 / 8


def test_a_move_is_what_goes_there_less_what_goes_away() -> None:
    found = probe_finding("authority", observed([1, 1, 1, -1] + [0] * 16))
    assert found.estimate.value == pytest.approx(2 / 20)


def test_a_test_turns_the_signs_of_whole_sources() -> None:
    # Of 2^4 flips of net sums 2, 2, 2, 2 two are as far, of 8 single ones two of 2^8; mid-p halves.
    assert probe_finding("style", observed([1] * 8, a_group=2)).p_value == 2 / 16 / 2
    assert probe_finding("style", observed([1] * 8)).p_value == 2 / 256 / 2


def test_where_every_source_balances_nothing_is_told() -> None:
    found = probe_finding("position", observed([1, -1] * 20, a_group=2))
    assert (found.estimate.value, found.p_value) == (0, 1)
    assert found.detectable > 0


def test_a_rate_has_an_interval_and_no_test() -> None:
    found = probe_finding("repeat", observed([1, 0, 0, 0] * 10))
    assert found.estimate.value == 0.25
    assert found.estimate.low > 0
    assert math.isnan(found.p_value)
    assert found.flat().keys() == {"probe_repeat", "probe_repeat_ci_low", "probe_repeat_ci_high"}


def test_the_smallest_effect_that_could_have_shown_shrinks_with_the_sources() -> None:
    rng = np.random.default_rng(0)
    sizes = [
        probe_finding("padding", observed(rng.choice([-1, 1], n).tolist())).detectable
        for n in (25, 100, 400)
    ]
    # 2.8 standard errors of a share of one half.
    assert sizes == pytest.approx([2.8 * 0.5 / math.sqrt(n) for n in (25, 100, 400)], rel=0.12)


def test_no_effect_is_promised_that_is_more_than_there_can_be() -> None:
    even = observed([1, -1] * 9, a_group=2)  # nine sources, each of which balances
    for name in ("position", "authority"):  # a share less one half, and a balance up to 1
        found = probe_finding(name, even)
        assert found.estimate.smallest_shown > {"position": 0.5, "authority": 1.0}[name]
        assert math.isnan(found.detectable)


def test_without_a_verdict_there_is_a_reason() -> None:
    found = probe_finding("position", Observations.of([]))
    assert found.estimate.reason == "no verdict counts"
    assert math.isnan(found.p_value)


@pytest.mark.parametrize(
    ("value", "group", "message"),
    [([1.0, 2.0], [0, 1], r"outside \[-1, 1\]"), ([1.0], [0, 1], "expected")],
)
def test_what_is_no_observation_is_refused(
    value: list[float], group: list[int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Observations(np.array(value), np.array(group))


def own(rng: np.random.Generator, n: int, taste: float, liking: float) -> tuple[np.ndarray, ...]:
    ratios, first = rng.normal(0.6, 0.5, n), np.arange(n) % 2 == 0
    utility = liking + taste * ratios + np.where(first, 0.3, -0.3)
    return np.where(utility + rng.logistic(size=n) > 0, 1.0, -1.0), ratios, first


def test_a_taste_for_length_is_no_liking_for_ones_own() -> None:
    rng = np.random.default_rng(1)
    won, ratios, first = own(rng, 600, taste=1.5, liking=0.0)
    found = self_preference(won, ratios, first, np.arange(600) // 2)
    assert won.mean() > 0.3  # its texts are longer, and win
    assert found.estimate.low < 0 < found.estimate.high
    won, ratios, first = own(rng, 600, taste=1.5, liking=1.0)
    found = self_preference(won, ratios, first, np.arange(600) // 2)
    assert found.estimate.low < 1 < found.estimate.high
    assert found.p_value < 0.001


def test_the_odds_are_those_of_statsmodels() -> None:
    from statsmodels.discrete.discrete_model import Logit

    won, ratios, first = own(np.random.default_rng(2), 200, 0.5, 0.5)
    design = np.column_stack([np.ones(200), ratios, np.where(first, 1.0, -1.0)])
    fit = Logit((won > 0).astype(float), design).fit(disp=0)
    found = self_preference(won, ratios, first, np.arange(200))
    assert found.estimate.value == pytest.approx(fit.params[0], abs=1e-6)


def test_who_always_takes_its_own_has_odds_without_end() -> None:
    found = self_preference(np.ones(40), np.linspace(-1, 1, 40), np.arange(40) % 2 == 0,
                            np.arange(40))  # fmt: skip
    assert "separated" in found.estimate.reason
    assert math.isnan(found.detectable)


def table(preference: np.ndarray, manifestation: np.ndarray) -> Comparisons:
    return Comparisons(
        preference, manifestation, np.zeros(manifestation.shape, bool),
        np.arange(len(preference)), ("length", "fluency", "markdown"), "discrimination",
    )  # fmt: skip


def judged(rng: np.random.Generator, shown: np.ndarray, weights: list[float]) -> Comparisons:
    utility = shown @ np.array(weights) + rng.logistic(size=len(shown))
    return table(np.sign(utility), shown)


def test_the_widest_difference_names_its_factor_and_wordings() -> None:
    rng = np.random.default_rng(3)
    shown = rng.choice([-1, 1], (200, 3))
    tables = {
        "plain": judged(rng, shown, [1, 0, 0]),
        "curt": judged(rng, shown, [1, 0, 0]),
        "long": judged(rng, shown, [1, 1.5, 0]),
    }
    found = taste_of_wordings(tables)
    assert found.where in ("fluency, plain less long", "fluency, curt less long")
    assert found.p_value < 0.001
    assert found.estimate.high < 0
    aligned = alignment_of_wordings(tables)
    assert "long" in aligned.where
    assert aligned.estimate.value < 0.95


def test_one_taste_is_seldom_told_apart_however_many_differences_there_are() -> None:
    told = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        shown = rng.choice([-1, 1], (60, 3))
        tables = {str(w): judged(rng, shown, [1, 0.5, 0]) for w in range(4)}
        told += taste_of_wordings(tables, permutations=199).p_value <= 0.05
    assert told <= 8  # of 18 differences each, at 5 % a study; above 8 of 60 by chance in 1 %


def test_wordings_that_change_nothing_have_no_difference_to_test() -> None:
    shown = np.ones((20, 3), int)
    same = table(np.ones(20), shown)
    found = taste_of_wordings({"a": same, "b": same})
    assert "differ between wordings in 0 sources" in found.estimate.reason


def test_p_values_are_adjusted_over_the_tests_of_one_judge() -> None:
    told = [probe_finding("style", observed([1] * 12)), probe_finding("repeat", observed([1] * 12)),
            probe_finding("padding", observed([1, -1] * 6))]  # fmt: skip
    found = adjusted_findings(told)
    assert list(found) == ["repeat", "padding", "style"]  # the order in which they are shown
    assert found["style"].p_adjusted == pytest.approx(2 * told[0].p_value)
    assert math.isnan(found["repeat"].p_adjusted)
    assert (found["style"].found, found["padding"].found) == (True, False)


def test_every_probe_is_a_metric_with_the_same_label() -> None:
    for probe in PROBES:
        metric = find(probe.metric)
        assert metric is not None, probe.metric
        if "{" not in metric.name:
            assert metric.label == probe.label
        for end in ("_p_value", "_detectable"):
            assert find(probe.metric + end).name == f"probe_{{probe}}{end}"


def test_a_finding_is_read_as_it_was_written() -> None:
    written = [probe_finding("repeat", observed([1, 0, 0, 0] * 10))]
    written.append(probe_finding("style", observed([1, 1, -1, 1] * 10)))
    for name, found in adjusted_findings(written).items():
        read = ProbeFinding.of_record(name, found.record())
        assert read.record() == found.record()
        assert (read.found, read.probe) == (found.found, found.probe)
    assert ProbeFinding.of_record("repeat", written[0].record()).number == "0.25 [0.12, 0.42]"
    with pytest.raises(KeyError, match="no_such_probe"):
        ProbeFinding.of_record("no_such_probe", written[0].record())
