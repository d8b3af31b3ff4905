"""Numbers of a file keep their names in a run, and the greatest difference comes first."""

from math import nan

from profile_tasks.report.report_data import (
    Departure,
    Difference,
    alignments_of_metrics,
    differences_of_record,
    found_alignments,
    taste_of_record,
)
from profile_tasks.runs.run import Run
from profile_tasks.scorers.statistics.estimate import Estimate


def flat(name: str, value: float) -> dict[str, float | None]:
    return {name: value, f"{name}_ci_low": value - 0.25, f"{name}_ci_high": value + 0.25}


def run(metrics: dict[str, float | None], groups: int | None = None, **profile: object) -> Run:
    return Run(
        "x", "lm-eval", "m", "summarization", "x", "both",
        groups=groups, metrics=metrics, profile=profile,
    )  # fmt: skip


METRICS = {
    **flat("alignment_generation_tau_b", 0.25),
    **flat("alignment_discrimination_pearson", 0.5),
    **flat("alignment_discrimination_pearson_disattenuated", 0.75),
    "alignment_discrimination_pearson_p_value": 0.125,
    **flat("alignment_discrimination_distance", 0.375),
    **flat("self_agreement_pearson", 0.875),
}


def test_what_is_known_of_an_alignment_keeps_its_place_among_flat_metrics() -> None:
    found = alignments_of_metrics(run(METRICS))
    judge = found["discrimination"]["pearson"]
    assert judge.number == Estimate(0.5, 0.25, 0.75)
    assert judge.disattenuated == Estimate(0.75, 0.5, 1.0)
    assert judge.unrelated == 0.125
    assert judge.distance == Estimate(0.375, 0.125, 0.625)
    writer = found["generation"]["tau_b"]
    assert writer.number == Estimate(0.25, 0.0, 0.5)
    assert (writer.disattenuated, writer.unrelated) == (Estimate(nan), None)
    assert set(found) == {"generation", "discrimination"}


def test_a_record_gives_the_reasons_of_what_is_refused() -> None:
    why = "not estimable: it is not told from noise alone"
    entry = {"value": None, "ci_low": -0.5, "ci_high": 1.0, "reason": why}
    record = {"discrimination": {"disattenuated": {"pearson": entry}, "refusal": why}}
    found = alignments_of_metrics(run(METRICS, alignment_to_human=record))["discrimination"][
        "pearson"
    ]
    assert found.number == Estimate(0.5, 0.25, 0.75, reason=why)
    assert found.disattenuated == Estimate(nan, -0.5, 1.0, reason=why)


def test_self_agreement_is_told_from_the_alignments_with_people() -> None:
    found = found_alignments(run(METRICS), "self_agreement", {})
    assert list(found) == ["pearson"]
    assert found["pearson"].number == Estimate(0.875, 0.625, 1.125)
    assert found_alignments(run({}), "self_agreement", {}) == {}


def test_flat_metrics_give_a_reason_where_they_tell_one() -> None:
    metrics = {**flat("self_agreement_pearson", 0.5), "self_agreement_pearson": None}
    refused = found_alignments(run(metrics), "self_agreement", {})["pearson"].number
    assert refused.reason == (
        "a profile is not told from noise alone; the true one lies within [0.25, 0.75]"
    )
    few = found_alignments(run({"self_agreement_pearson": None}, 5), "self_agreement", {})
    assert few["pearson"].number.reason == "groups: 5; an interval needs at least 8"


def test_differences_of_a_record_keep_their_sign() -> None:
    entry = {"value": -0.5, "ci_low": -0.75, "ci_high": -0.25, "reason": None, "p_adjusted": 0.01}
    found = differences_of_record({"generation": {"factors": {"length": entry}}})
    assert found == {"generation": {"length": Difference(Estimate(-0.5, -0.75, -0.25), 0.01)}}


def test_the_greatest_departure_in_taste_is_named_first_whatever_its_sign() -> None:
    values = {"length": (0.25, True), "markdown": (-0.75, True), "fluency": (0.9, False)}
    entries = {
        name: {
            "taste": {
                **Estimate(value, value - 0.125, value + 0.125).record(),
                "verdict": "differs in taste" if differs else "undecided",
                "smallest_shown": 0.5,
            }
        }
        for name, (value, differs) in values.items()
    }
    consistency = Estimate(2.0, 1.5, 2.5)
    whole = {"verdict": "differs in taste", "consistency": consistency.record(), "margin": 0.25}
    found = taste_of_record({"taste": whole, "factors": entries})
    assert found is not None
    assert found.differing == ("markdown", "length")
    assert (found.verdict, found.consistency, found.margin) == (
        "differs in taste", consistency, 0.25,
    )  # fmt: skip
    assert found.factors["fluency"] == Departure(
        Estimate(0.9, 0.775, 1.025), "undecided", smallest=0.5
    )
    assert taste_of_record({"factors": {}}) is None


def test_an_interval_excludes_zero_on_either_side() -> None:
    assert Estimate(0.5, 0.25, 0.75).excludes_zero
    assert Estimate(-0.5, -0.75, -0.25).excludes_zero
    assert not Estimate(0.25, -0.25, 0.75).excludes_zero
    assert not Estimate(0.25).excludes_zero
