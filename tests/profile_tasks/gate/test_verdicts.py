"""Met, missed, or nobody can tell: from evidence with known replicates."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from profile_tasks.gate.bars import NamedBar, parse_bar
from profile_tasks.gate.evidence import Evidence, estimates_of
from profile_tasks.gate.verdicts import (
    Verdict,
    coverage_of,
    judge,
    judge_inequality,
    judge_no_worse,
    overall,
)
from profile_tasks.runs.run import Run
from profile_tasks.scorers.statistics.comparisons import Comparisons, Perspective
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.study import AGREEMENT, Study

GROUPS = 60
NOISE = np.random.default_rng(0).normal(0, 0.05, (2, 1000))


@dataclass(frozen=True)
class Resampled(Evidence):
    """Evidence of which the replicates are given, and not what they were drawn from."""

    def at(self, confidence: float) -> Mapping[str, Estimate]:
        return {
            name: each.at(confidence) if each.defined else each
            for name, each in self.estimates.items()
        }


def evidence(**values: float | None) -> Evidence:
    """A run whose metrics have these values and standard errors of 0.05."""
    run = Run(
        file="m.eval", harness="inspect", model="m", task="summarization", name="summarization",
        setting="both", date="2026-01-01", sources=GROUPS, data="demo", factors=("length",),
        metrics={"rouge1": 0.3, "reliability_human_tau_b": 0.8,
                 "reliability_human_tau_b_ci_low": 0.7, "reliability_human_tau_b_ci_high": 0.9},
    )  # fmt: skip
    estimates = {
        name: estimate(value, NOISE[index % 2])
        for index, (name, value) in enumerate(values.items())
    }
    return Resampled(run, {**run.metrics, **values}, estimates)


def estimate(value: float | None, noise: NDArray[np.float64]) -> Estimate:
    if value is None:
        return Estimate.undefined("there are no pairs")
    return Estimate.percentile(value, value + noise, GROUPS)


def judged(perspective: Perspective, weights: list[float], noise: int) -> Comparisons:
    manifestation = np.random.default_rng(1).integers(-1, 2, (6 * GROUPS, 5))
    error = np.random.default_rng([2, noise]).logistic(size=len(manifestation))
    return Comparisons(
        np.sign(manifestation @ np.array(weights) + error), manifestation,
        np.zeros(manifestation.shape, bool), np.repeat(np.arange(GROUPS), 6), tuple("vwxyz"),
        perspective,
    )  # fmt: skip


STUDY = Study(
    {
        "human": judged("human", [1, 0.5, 0, -0.5, -1], 1),
        "discrimination": judged("discrimination", [1, 0.5, 0, -0.5, -1], 2),
        "generation": judged("generation", [-1, 1, 0.5, 0, -0.5], 3),
    },
    {
        AGREEMENT: Comparisons(
            np.ones(100), np.random.default_rng(4).integers(0, 2, (100, 1)),
            np.zeros((100, 1), bool), np.arange(100) % GROUPS, ("flip_rate",), "discrimination",
        )
    },
    replicates=1000,
)  # fmt: skip
JUDGE, WRITER = "alignment_discrimination_tau_b", "alignment_generation_tau_b"


def of_study(text: str) -> Verdict:
    estimates = estimates_of(STUDY)
    metrics = {name: each.value for name, each in estimates.items()}
    shown = Evidence(evidence().run, metrics, estimates, study=STUDY)
    bar = parse_bar(text)
    return judge_inequality(text, bar, shown)


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
        ("0.55 >= tau with 80% confidence", "met"),
        ("tau + 1 < 1.8 with 95% confidence", "met"),
        # Without confidence the point estimate decides.
        ("tau > 0.499", "met"),
        ("tau > 0.5", "missed"),
        ("tau >= 0.5", "met"),
    ],
)
def test_the_whole_interval_must_lie_on_the_right_side(text: str, outcome: str) -> None:
    assert verdict(text, tau=0.5).outcome == outcome


def test_a_bar_has_one_side_so_its_confidence_is_that_of_one_end() -> None:
    # At 95 % confidence either end may be crossed by 5 % of the replicates.
    assert coverage_of(0.95) == pytest.approx(0.9)
    assert coverage_of(0.975) == pytest.approx(0.95)
    shown = verdict("tau_human_length > 0 with 95% confidence", tau_human_length=0.5)
    expected = Estimate.percentile(0.5, 0.5 + NOISE[0], GROUPS, confidence=0.9)
    assert (shown.found.low, shown.found.high) == pytest.approx((expected.low, expected.high))
    assert "its 90 % interval" in shown.why


def test_an_alignment_is_judged_by_the_interval_of_the_true_one() -> None:
    name = "alignment_discrimination_pearson"
    found = of_study(f"{name} > 0 with 95% confidence").found
    narrow = Study(STUDY.tables, replicates=1000, confidence=coverage_of(0.95))
    expected = narrow.alignment("human", "discrimination")["pearson"]
    assert (found.value, found.low, found.high) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )
    usual = STUDY.alignment("human", "discrimination")["pearson"]
    assert found.high - found.low < usual.high - usual.low


@pytest.mark.parametrize("sign", [1, -1])
def test_one_alignment_less_another_is_judged_by_the_interval_of_the_gap(sign: int) -> None:
    first, second = (JUDGE, WRITER)[::sign]
    narrow = Study(STUDY.tables, replicates=1000, confidence=coverage_of(0.95))
    gap = narrow.gap()["tau_b"]
    assert gap.low > 0
    for text in (f"{first} - {second} > 0", f"{first} > {second}"):
        shown = of_study(f"{text} with 95% confidence")
        assert shown.found.value == pytest.approx(sign * gap.value)
        ends = (sign * shown.found.low, sign * shown.found.high)[::sign]
        assert ends == pytest.approx((gap.low, gap.high))
        assert shown.outcome == ("met" if sign == 1 else "missed")


@pytest.mark.parametrize(
    "text", [f"{JUDGE} + {WRITER} > 0", f"{JUDGE} > 2 * {WRITER}", f"{JUDGE} > flip_rate"]
)
def test_alignments_have_no_replicates_that_an_interval_could_be_made_of(text: str) -> None:
    shown = of_study(f"{text} with 95% confidence")
    assert shown.outcome == "cannot tell"
    assert shown.why == "no interval: of alignments, only one alone or one less another has one"
    assert of_study(text).outcome in ("met", "missed")  # the point estimate is there


def test_where_what_was_observed_lies_outside_the_interval_it_is_said() -> None:
    outside = Estimate(0.5, 0.6, 0.9, disattenuated=0.8, drawn=NOISE[0], n_groups=GROUPS)
    inside = Estimate(0.7, 0.6, 0.9, disattenuated=0.8, drawn=NOISE[0], n_groups=GROUPS)
    for found, said in ((outside, True), (inside, False)):
        shown = Evidence(evidence().run, {JUDGE: found.value}, {JUDGE: found})
        why = judge_inequality("x", parse_bar(f"{JUDGE} > 0.55 with 95% confidence"), shown)
        assert why.outcome == "met"
        assert ("what was observed lies outside it" in why.why) is said


def test_several_metrics_are_judged_together() -> None:
    # Both move together here, so their difference is certain although either one is not.
    run = evidence(a=0.5)
    together = Resampled(
        run.run, {"a": 0.5, "b": 0.45},
        {"a": run.estimates["a"], "b": estimate(0.45, NOISE[0])},
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
@pytest.mark.parametrize("confidence", ["", " with 60% confidence"])
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


def test_results_that_tell_only_how_many_groups_they_rest_on_are_held_to_that_number() -> None:
    run = replace(evidence().run, groups=5)
    found = judge_inequality("x", parse_bar("rouge1 > 0.1"), Evidence(run, run.metrics))
    assert found.outcome == "cannot tell"
    enough = Evidence(replace(run, groups=8), run.metrics)
    assert judge_inequality("x", parse_bar("rouge1 > 0.1"), enough).outcome == "met"


@pytest.mark.parametrize("bar", ["a > 0 with 95% confidence", "a > 0", "1 - a < 0.9"])
def test_of_too_few_groups_nothing_is_told_not_even_by_a_point_estimate(bar: str) -> None:
    run = evidence(a=0.5)
    few = Resampled(run.run, {"a": 0.5}, {"a": Estimate.percentile(0.5, 0.5 + NOISE[0], 5)})
    found = judge_inequality("x", parse_bar(bar), few)
    assert found.outcome == "cannot tell"
    assert found.why == "a rests on 5 groups of sources; a bar needs at least 8"
    assert found.found.value == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("tau_humen_length > 0", "no metric tau_humen_length; did you mean tau_human_length?"),
        ("grader_alpha_fluency > 0", "0 models graded, and agreement needs two"),
        ("gone > 0", "gone is not defined here: there are no pairs"),
        ("tau / (tau - tau) > 0", "is not defined here"),
        ("rouge1 > 0.1 with 95% confidence", "no interval: rouge1 is not resampled"),
        ("rouge1 + tau > 0.1 with 95% confidence", "rouge1 is not resampled"),
        ("tau * tau > 0 with 95% confidence", "no interval: it is not linear; state the bar on"),
        ("tau - tau >= 0 with 95% confidence", "no interval: no metric is left in it"),
        ("reliability_human_tau_b > 0.1 with 99% confidence", "only its 95 % interval is"),
    ],
)
def test_what_cannot_be_told_says_why(text: str, why: str) -> None:
    found = verdict(text, tau=0.5, gone=None, tau_human_length=0.5)
    assert found.outcome == "cannot tell"
    assert why in found.why


def test_a_reported_interval_will_do_where_no_wider_one_is_asked_for() -> None:
    assert verdict("reliability_human_tau_b > 0.6 with 95% confidence").outcome == "met"
    assert verdict("reliability_human_tau_b > 0.75 with 95% confidence").outcome == "cannot tell"


def test_a_metric_that_is_no_longer_made_is_not_suggested() -> None:
    # Older logs hold it.
    removed = {"alignment_discrimination_tau_b_corrected": 0.5}
    found = verdict("alignment_discrimination_tau_b_correct > 0", **removed)
    assert found.why == "the run reports no metric alignment_discrimination_tau_b_correct"


NONE_OF_TWELVE = Estimate.share(0.0, np.zeros(12), np.full(12, 6.0), np.zeros(1000))
SOME = Estimate.share(
    11 / 72, np.array([2, 1] * 3 + [1, 0] * 2 + [0] * 2), np.full(12, 6.0), 11 / 72 + NOISE[0]
)
STEEP = Estimate.share(
    59 / 60, np.array([5.0] * 11 + [4]), np.full(12, 5.0), np.full(1000, 0.98), least=-1
)


def of_twelve(text: str) -> Verdict:
    estimates = {"unreadable_rate": NONE_OF_TWELVE, "flip_rate": SOME, "tau_own_length": STEEP}
    values = {name: each.value for name, each in estimates.items()}
    return judge_inequality(text, parse_bar(text), Resampled(evidence().run, values, estimates))


@pytest.mark.parametrize("limit", ["0.02", "0.05", "0.2", "0.24", "0.3", "0.7", "0.91", "0.95"])
@pytest.mark.parametrize("metric", ["unreadable_rate", "flip_rate", "tau_own_length"])
@pytest.mark.parametrize(
    "rewritten",
    [
        "{m} - {x} <= 0",
        "1 - {m} >= 1 - {x}",
        "{m} * 2 <= {x} * 2",
        "0 - {m} >= 0 - {x}",
        "{x} / 3 >= {m} / 3",
        "{m} + flip_rate <= {x} + flip_rate",
        "2 * {m} <= {m} + {x}",
    ],
)
def test_a_bar_that_is_written_otherwise_has_the_same_verdict(
    rewritten: str, metric: str, limit: str
) -> None:
    plain = of_twelve(f"{metric} <= {limit} with 95% confidence")
    other = of_twelve(f"{rewritten.format(m=metric, x=limit)} with 95% confidence")
    assert other.outcome == plain.outcome
    assert other.found.has_interval


def test_no_rounding_decides_a_verdict() -> None:
    # 0.1 + 0.2 is more than 0.3 as computers reckon.
    for text in ("tau <= 0.1", "tau + 0.2 <= 0.3"):
        assert verdict(text, tau=0.1).outcome == "met"
        assert verdict(text.replace("<=", "<"), tau=0.1).outcome == "missed"


@pytest.mark.parametrize(
    ("text", "scale", "offset"),
    [
        ("{a} - {b} <= 0.3", 1, 0),
        ("{a} <= {b} + 0.3", 1, -0.3),
        ("2 * {b} - 2 * {a} >= -0.6", -2, 0),
    ],
)
def test_a_difference_of_influences_has_the_logs_interval_however_it_is_written(
    text: str, scale: float, offset: float
) -> None:
    metrics = {"a": "tau_generation_v", "b": "tau_human_v"}
    shown = of_study(f"{text.format(**metrics)} with 95% confidence")
    narrow = Study(STUDY.tables, replicates=1000, confidence=coverage_of(0.95))
    expected = narrow.difference("generation", "human")[0]["v"]
    assert (shown.found.low, shown.found.high) == pytest.approx(
        sorted(scale * end + offset for end in (expected.low, expected.high))
    )
    assert shown.outcome == "met"
    assert "percentile" not in shown.why


def test_of_other_expressions_of_several_metrics_the_percentile_interval_is_told_of() -> None:
    shown = verdict("a + b > 0.1 with 95% confidence", a=0.5, b=0.2)
    assert shown.outcome == "met"
    assert shown.why.endswith("percentile intervals cover less near the ends of a scale "
                              "(docs/calibration.md)")  # fmt: skip
    assert "percentile" not in verdict("a > 0.1", a=0.5).why


@pytest.mark.parametrize("metric", ["unreadable_rate", "tau_own_length"])
def test_near_the_end_of_a_scale_there_is_no_percentile_interval(metric: str) -> None:
    shown = of_twelve(f"{metric} + flip_rate <= 5 with 95% confidence")
    assert shown.outcome == "cannot tell"
    assert shown.why.startswith(f"no interval: near the end of the scale ({metric})")


def test_an_interval_without_width_says_of_a_rank_coefficient_why_that_is_so() -> None:
    certain = Estimate(1.0, 1.0, 1.0, drawn=np.ones(1000), n_groups=GROUPS)
    for name, told in (
        ("self_agreement_tau_b", "a rank coefficient has few possible values and all draws agree"),
        ("self_agreement_pearson", "all draws agree"),
    ):
        shown = Evidence(evidence().run, {name: 1.0}, {name: certain})
        found = judge_inequality("x", parse_bar(f"{name} >= 0.9 with 95% confidence"), shown)
        assert found.outcome == "met"
        assert f"it has no width, since {told}, which is no certainty" in found.why


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (-0.00004, 0.00003, "-0.00004 to 0.00003"),
        (-1e-13, 0.25, "0.000 to 0.250"),
        (0.99996, 1.0, "0.99996 to 1.00000"),
        (-0.5, 0.5, "-0.500 to 0.500"),
    ],
)
def test_ends_that_differ_look_different_and_zero_has_no_sign(
    low: float, high: float, shown: str
) -> None:
    bar = parse_bar(f"no worse than b.eval on {GENERATION} with 95% confidence")
    (found,) = judge_no_worse("x", bar, compared(**{GENERATION: (-1e-9, low, high)}))
    assert f"is 0.000; its 90 % interval, {shown}, lies" in found.why
    assert " of 0" in found.why
    assert str(found.limit) == "0.0"


def compared(**differences: tuple[float, float, float] | None) -> dict[str, Any]:
    """A record of compare_runs with these differences A - B and their intervals."""
    entries = {
        name: {"value": None, "ci_low": None, "ci_high": None, "reason": "constant profile"}
        if found is None
        else dict(zip(("value", "ci_low", "ci_high"), found, strict=True)) | {"reason": None}
        for name, found in differences.items()
    }
    agreement = {name: entries.pop(name) for name in list(entries) if name == "flip_rate"}
    return {"alignments": entries, "agreement": agreement, "model_b": "base", "notes": []}


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
    ("note", "metric"),
    [
        ("only B has a discrimination setting", "alignment_discrimination_tau_b"),
        ("only B judged the pairs that it wrote", "self_agreement_pearson"),
    ],
)
def test_a_run_does_not_pass_by_leaving_something_out(note: str, metric: str) -> None:
    record = compared(alignment_generation_tau_b=(0.1, 0.0, 0.2)) | {"notes": [note]}
    found = judge_no_worse("base", parse_bar("no worse than b.eval"), record)
    assert {v.name: v.outcome for v in found} == {
        "base (alignment_generation_tau_b)": "met",
        f"base ({metric})": "cannot tell",
    }


def test_an_older_baseline_need_not_have_what_the_run_has() -> None:
    record = compared(alignment_generation_tau_b=(0.1, 0.0, 0.2))
    record["notes"] = ["only A judged the pairs that it wrote"]
    (found,) = judge_no_worse("base", parse_bar("no worse than b.eval"), record)
    assert found.outcome == "met"


def test_self_agreement_is_looked_at_first() -> None:
    record = compared(
        alignment_generation_tau_b=(0.1, 0.0, 0.2), self_agreement_pearson=(-0.1, -0.2, 0.0)
    )
    found = judge_no_worse("base", parse_bar("no worse than b.eval"), record)
    assert [(v.name, v.outcome) for v in found] == [
        ("base (self_agreement_pearson)", "missed"),
        ("base (alignment_generation_tau_b)", "met"),
    ]


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
        ("flip_rate <= 0.08 with 95% confidence", "met"),
        ("flip_rate <= 0.03 with 60% confidence", "met"),
    ],
)
def test_a_share_of_none_may_be_a_share_of_few(text: str, outcome: str) -> None:
    # None of 40 flips: with 95 % confidence, no more than 7.5 % do.
    none = Estimate.share(0.0, np.zeros(GROUPS), np.ones(GROUPS), np.zeros(1000))
    shown = Resampled(evidence().run, {"flip_rate": 0.0}, {"flip_rate": none})
    found = judge_inequality(text, parse_bar(text), shown)
    assert found.outcome == outcome
    assert "no width" not in found.why
