"""Numbers of a file keep their names in a run, and the greatest difference comes first."""

from profile_tasks.report.report_data import (
    Departure,
    Difference,
    alignments_of_metrics,
    differences_of_record,
    taste_of_record,
)
from profile_tasks.scorers.statistics.estimate import Estimate


def flat(name: str, value: float) -> dict[str, float | None]:
    return {name: value, f"{name}_ci_low": value - 0.25, f"{name}_ci_high": value + 0.25}


METRICS = {
    **flat("alignment_generation_tau_b", 0.25),
    "alignment_generation_tau_b_p_value": 0.125,
    **flat("alignment_generation_tau_b_ceiling", 0.75),
    **flat("alignment_generation_tau_b_corrected", 0.5),
}


def test_ceiling_and_correction_of_flat_metrics_keep_their_places() -> None:
    found = alignments_of_metrics(METRICS)["generation"]["tau_b"]
    assert found.number == Estimate(0.25, 0.0, 0.5)
    assert found.ceiling == Estimate(0.75, 0.5, 1.0)
    assert found.corrected == Estimate(0.5, 0.25, 0.75)
    assert found.p_value == 0.125


def test_ceiling_and_correction_of_a_record_keep_their_places() -> None:
    record = {
        "generation": {
            "ceiling": {"tau_b": {"value": 0.75, "ci_low": 0.5, "ci_high": 1.0, "reason": None}},
            "corrected": {"tau_b": {"value": None, "reason": "it is not reliable"}},
        }
    }
    found = alignments_of_metrics(METRICS, record)["generation"]["tau_b"]
    assert found.ceiling == Estimate(0.75, 0.5, 1.0)
    assert found.corrected == Estimate.undefined("it is not reliable")


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
