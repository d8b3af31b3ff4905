"""Met, missed, or nobody can tell: from evidence with known replicates."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from profile_tasks.gate.bars import NamedBar, parse_bar
from profile_tasks.gate.evidence import Evidence
from profile_tasks.gate.verdicts import Verdict, judge, judge_inequality, judge_no_worse, overall
from profile_tasks.runs.run import Run
from profile_tasks.scorers.statistics.estimate import Estimate

GROUPS = 40
NOISE = np.random.default_rng(0).normal(0, 0.05, (2, 1000))


def evidence(**values: float | None) -> Evidence:
    """A run whose metrics have these values and standard errors of 0.05."""
    run = Run(
        file="m.eval", harness="inspect", model="m", task="summarization", name="summarization",
        setting="both", date="2026-01-01", sources=GROUPS, data="demo", factors=("length",),
        metrics={"rouge1": 0.3, "reliability_human_tau_b": 0.8,
                 "reliability_human_tau_b_ci_low": 0.7, "reliability_human_tau_b_ci_high": 0.9},
    )  # fmt: skip
    estimates = {
        name: estimate(name, value, NOISE[index % 2])
        for index, (name, value) in enumerate(values.items())
    }
    return Evidence(run, {**run.metrics, **values}, estimates)


def estimate(name: str, value: float | None, noise: NDArray[np.float64]) -> Estimate:
    if value is None:
        return Estimate.undefined("there are no pairs")
    make = Estimate.symmetric if name.startswith("alignment_") else Estimate.percentile
    return make(value, value + noise, GROUPS)


def verdict(text: str, **values: float | None) -> Verdict:
    bar = parse_bar(text)
    return judge_inequality(text, bar, evidence(**values))


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("tau > 0.2 with 95% confidence", "met"),
        ("tau > 0.8 with 95% confidence", "missed"),
        ("tau > 0.5 with 95% confidence", "cannot tell"),
        ("tau < 0.8 with 95% confidence", "met"),
        ("0.8 > tau with 95% confidence", "met"),
        ("0.8 <= tau with 95% confidence", "missed"),
        ("0.55 >= tau with 95% confidence", "cannot tell"),
        # Less confidence asks for less.
        ("0.55 >= tau with 50% confidence", "met"),
        ("tau + 1 < 1.8 with 95% confidence", "met"),
        # Without confidence the point estimate decides.
        ("tau > 0.499", "met"),
        ("tau > 0.5", "missed"),
        ("tau >= 0.5", "met"),
    ],
)
def test_the_whole_interval_must_lie_on_the_right_side(text: str, outcome: str) -> None:
    assert verdict(text, tau=0.5).outcome == outcome


def test_influences_have_percentile_intervals() -> None:
    found = verdict("tau_human_length > 0 with 90% confidence", tau_human_length=0.5).found
    expected = Estimate.percentile(0.5, 0.5 + NOISE[0], GROUPS, confidence=0.90)
    assert (found.low, found.high) == (expected.low, expected.high)


def test_alignments_have_symmetric_intervals_and_end_at_one() -> None:
    name = "alignment_generation_tau_b"
    found = verdict(f"{name} > 0 with 95% confidence", **{name: 0.96}).found
    expected = Estimate.symmetric(0.96, 0.96 + NOISE[0], GROUPS)
    assert (found.low, found.high) == (expected.low, 1)


def test_several_metrics_are_judged_together() -> None:
    # Both move together here, so their difference is certain although either one is not.
    run = evidence(a=0.5)
    together = Evidence(
        run.run, {"a": 0.5, "b": 0.45},
        {"a": run.estimates["a"], "b": estimate("b", 0.45, NOISE[0])},
    )  # fmt: skip
    found = judge_inequality("x", parse_bar("a > b with 95% confidence"), together)
    assert found.outcome == "met"
    assert (found.found.low, found.found.high) == pytest.approx((0.05, 0.05))
    apart = verdict("a > b with 95% confidence", a=0.5, b=0.45)
    assert apart.outcome == "cannot tell"


@pytest.mark.parametrize(
    ("text", "value", "limit", "outcome"),
    [
        ("a > b", 0.3, 0, "met"),
        ("b > a", -0.3, 0, "missed"),
        ("b < a", -0.3, 0, "met"),
        ("a - b >= 0.2", 0.3, 0.2, "met"),
        ("b - a >= 0.2", -0.3, 0.2, "missed"),
        ("0.2 <= a - b", 0.3, 0.2, "met"),
        ("0.2 >= a - b", 0.3, 0.2, "missed"),
        ("a > b + 0.4", -0.1, 0, "missed"),
    ],
)
@pytest.mark.parametrize("confidence", ["", " with 50% confidence"])
def test_a_difference_is_the_left_side_less_the_right_one(
    text: str, value: float, limit: float, outcome: str, confidence: str
) -> None:
    found = verdict(text + confidence, a=0.5, b=0.2)
    assert (found.found.value, found.limit) == pytest.approx((value, limit))
    assert found.outcome == outcome
    if confidence:
        assert found.found.low < value < found.found.high


def test_an_absolute_value_reaches_zero_where_its_inside_does() -> None:
    # Replicates of |x| are all above 0, so their quantiles would "show" any difference.
    assert verdict("abs(x) > 0 with 95% confidence", x=0.01).outcome == "cannot tell"
    near = verdict("abs(x) <= 0.2 with 95% confidence", x=-0.01)
    assert near.outcome == "met"
    assert near.found.low == 0
    far = verdict("abs(x) <= 0.2 with 95% confidence", x=-0.5)
    assert far.outcome == "missed"
    assert 0.35 < far.found.low < 0.5 < far.found.high < 0.65


def test_too_few_groups_have_no_interval() -> None:
    run = evidence(a=0.5)
    few = Evidence(run.run, {"a": 0.5}, {"a": Estimate.percentile(0.5, 0.5 + NOISE[0], 5)})
    found = judge_inequality("x", parse_bar("a > 0 with 95% confidence"), few)
    assert found.outcome == "cannot tell"
    assert "groups: 5; an interval needs at least 8" in found.why
    assert found.found.value == 0.5


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("taw > 0", "the run reports no metric taw; did you mean tau?"),
        ("gone > 0", "gone is not defined here: there are no pairs"),
        ("tau / (tau - tau) > 0", "is not defined here"),
        ("rouge1 > 0.1 with 95% confidence", "rouge1: not resampled, so there is no interval"),
        ("rouge1 + tau > 0.1 with 95% confidence", "rouge1: not resampled"),
        ("reliability_human_tau_b > 0.1 with 90% confidence", "but the reported 95 % one"),
    ],
)
def test_what_cannot_be_told_says_why(text: str, why: str) -> None:
    found = verdict(text, tau=0.5, gone=None)
    assert found.outcome == "cannot tell"
    assert why in found.why


def test_a_reported_interval_will_do_at_its_own_level() -> None:
    assert verdict("reliability_human_tau_b > 0.6 with 95% confidence").outcome == "met"
    assert verdict("reliability_human_tau_b > 0.75 with 95% confidence").outcome == "cannot tell"


def compared(**differences: tuple[float, float, float] | None) -> dict[str, Any]:
    """A record of compare_runs with these differences A - B and their intervals."""
    entries = {
        name: {"value": None, "ci_low": None, "ci_high": None, "reason": "constant profile"}
        if found is None
        else dict(zip(("value", "ci_low", "ci_high"), found, strict=True)) | {"reason": None}
        for name, found in differences.items()
    }
    agreement = {name: entries.pop(name) for name in list(entries) if name == "flip_rate"}
    return {"alignments": entries, "agreement": agreement, "model_b": "base"}


GENERATION = "alignment_generation_tau_b"


@pytest.mark.parametrize(
    ("margin", "difference", "outcome"),
    [
        ("", (0.1, 0.02, 0.18), "met"),
        ("", (0.1, -0.02, 0.22), "cannot tell"),
        (" by 0.05", (0.1, -0.02, 0.22), "met"),
        (" by 0.05", (-0.3, -0.4, -0.2), "missed"),
        ("", (0.0, 0.0, 0.0), "met"),
    ],
)
def test_no_worse_asks_for_the_interval_of_the_paired_difference(
    margin: str, difference: tuple[float, float, float], outcome: str
) -> None:
    bar = parse_bar(f"no worse than b.eval{margin} on {GENERATION} with 95% confidence")
    (found,) = judge_no_worse("x", bar, compared(**{GENERATION: difference}))
    assert found.outcome == outcome


@pytest.mark.parametrize(
    ("metric", "difference", "margin", "outcome"),
    [
        # Of an alignment more is better: the run may lie below its baseline by the margin.
        (GENERATION, 0.03, 0.0, "met"),
        (GENERATION, -0.03, 0.0, "missed"),
        (GENERATION, -0.03, 0.05, "met"),
        (GENERATION, -0.07, 0.05, "missed"),
        # Of errors less is better: it may lie above.
        ("flip_rate", -0.03, 0.0, "met"),
        ("flip_rate", 0.03, 0.0, "missed"),
        ("flip_rate", 0.03, 0.05, "met"),
        ("flip_rate", 0.07, 0.05, "missed"),
    ],
)
@pytest.mark.parametrize("confidence", ["", " with 95% confidence"])
def test_the_margin_is_how_much_worse_a_run_may_be(
    metric: str, difference: float, margin: float, outcome: str, confidence: str
) -> None:
    record = compared(**{metric: (difference, difference - 0.01, difference + 0.01)})
    bar = parse_bar(f"no worse than b.eval by {margin} on {metric}{confidence}")
    (found,) = judge_no_worse("x", bar, record)
    limit = margin if metric == "flip_rate" else -margin
    assert (found.found.value, found.limit) == (difference, limit)
    assert found.outcome == outcome
    if confidence:
        assert (found.found.low, found.found.high) == (difference - 0.01, difference + 0.01)


def test_of_errors_fewer_are_no_worse() -> None:
    record = compared(flip_rate=(0.03, 0.01, 0.05))
    for margin, outcome in ((0.01, "missed"), (0.06, "met")):
        bar = parse_bar(f"no worse than b.eval by {margin} on flip_rate")
        (found,) = judge_no_worse("x", bar, record)
        assert found.outcome == outcome


def test_without_a_metric_both_alignments_are_looked_at() -> None:
    bar = parse_bar("no worse than b.eval")
    record = compared(
        alignment_generation_tau_b=(0.1, 0.0, 0.2), alignment_discrimination_tau_b=(-0.1, -0.2, 0.0)
    )
    found = judge_no_worse("base", bar, record)
    assert [(v.name, v.outcome) for v in found] == [
        ("base (alignment_generation_tau_b)", "met"),
        ("base (alignment_discrimination_tau_b)", "missed"),
    ]
    assert judge_no_worse("base", bar, compared())[0].outcome == "cannot tell"


@pytest.mark.parametrize(
    ("metric", "why"),
    [
        ("alignment_gap_tau_b", "has no better side"),
        ("rougeL", "cannot be compared on rougeL; on these they can: alignment_generation_tau_b"),
        ("alignment_discrimination_tau_b", "constant profile"),
    ],
)
def test_what_no_run_can_be_worse_in_is_told(metric: str, why: str) -> None:
    record = compared(alignment_generation_tau_b=(0.1, 0, 0.2), alignment_discrimination_tau_b=None)
    (found,) = judge_no_worse("x", parse_bar(f"no worse than b.eval on {metric}"), record)
    assert found.outcome == "cannot tell"
    assert why in found.why


def test_one_missed_bar_decides_and_one_untold_keeps_it_open() -> None:
    texts = {"met": "tau > 0", "missed": "tau > 1", "cannot tell": "tau > 0.5 with 95% confidence"}
    found = {name: verdict(text, tau=0.5) for name, text in texts.items()}
    assert {name: v.outcome for name, v in found.items()} == {name: name for name in texts}
    assert overall(found.values()) == "missed"
    assert overall([found["met"], found["cannot tell"]]) == "cannot tell"
    assert overall([found["met"]]) == "met"


def test_without_samples_nothing_is_paired() -> None:
    shown = evidence(tau=0.5)
    bars = [
        NamedBar("base", parse_bar("no worse than b.eval")),
        NamedBar("t", parse_bar("tau > 1")),
    ]
    bare = Evidence(shown.run, shown.metrics, without_samples="the log holds no samples")
    found = judge(bars, bare, lambda baseline: pytest.fail(f"{baseline} was read"))
    assert [v.outcome for v in found] == ["cannot tell", "missed"]
    assert "the log holds no samples" in found[0].why


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("flip_rate <= 0.05 with 95% confidence", "cannot tell"),
        ("flip_rate <= 0.095 with 95% confidence", "met"),
        ("flip_rate <= 0.035 with 50% confidence", "met"),
    ],
)
def test_a_share_of_none_may_be_a_share_of_few(text: str, outcome: str) -> None:
    # None of 40 flips: at 95 % confidence, as many as 9.4 % might.
    none = Estimate.share(0.0, np.zeros(GROUPS), np.ones(GROUPS), np.zeros(1000))
    shown = Evidence(evidence().run, {"flip_rate": 0.0}, {"flip_rate": none})
    found = judge_inequality(text, parse_bar(text), shown)
    assert found.outcome == outcome
    assert "no width" not in found.why
