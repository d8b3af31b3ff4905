"""Finished runs, comparisons and recorded judges in Python: the numbers of files and commands."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import profile_tasks as pt
from profile_tasks.runs.inspect_log import read_run as read_log
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.solvers.recorded_answers import RECORDED_NOTE
from tests.profile_tasks.notebook.test_profile import number, printed, rows

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

Log = Callable[..., Path]


def commas(response: str) -> int:
    return response.count(",")


def cells(estimate: Estimate) -> list[float | None]:
    return list(estimate.cells())


def test_a_log_gives_what_it_reports_by_perspective(inspect_log: Log) -> None:
    log = inspect_log("verbose")
    frame, run = pt.read_run(log).frame(), read_log(str(log))
    influence = frame[frame.quantity == "influence"]
    people_and_roles = ["human", "generation", "discrimination", "own"]
    assert list(dict.fromkeys(influence.perspective)) == people_and_roles
    for row in influence.itertuples():
        reported = run.estimate(f"tau_{row.perspective}_{row.factor}")
        assert [row.estimate, row.low, row.high] == cells(reported)
        assert row.model == ("people" if row.perspective == "human" else "planted/verbose")
    for perspective in ("generation", "discrimination"):
        found = number(frame, quantity="alignment_tau_b", perspective=perspective)
        assert found == cells(run.estimate(f"alignment_{perspective}_tau_b"))
    for metric in ("self_agreement_pearson", "alignment_gap_tau_b", "flip_rate"):
        assert number(frame, quantity=metric) == cells(run.estimate(metric))
    half = "discrimination_accuracy_half_credit"
    assert number(frame, quantity=half) == cells(run.estimate(half))


def test_what_inspect_returns_is_a_log_too(read_inspect_log: Any, inspect_log: Log) -> None:
    returned = read_inspect_log("verbose")
    assert returned.location
    pd.testing.assert_frame_equal(
        pt.read_run(returned).frame(), pt.read_run(inspect_log("verbose")).frame()
    )


def test_a_simulated_model_is_called_so(inspect_log: Log) -> None:
    found = pt.read_run(inspect_log("verbose"))
    assert any(note.startswith("SIMULATED") for note in found.notes)
    assert "SIMULATED" in repr(found)
    assert "SIMULATED" in found._repr_html_()
    assert "SIMULATED" in found.plot().get_xlabel()


def test_results_of_lm_eval_hold_one_run_a_task(lm_eval_results: Log) -> None:
    results = lm_eval_results("verbose")
    frame = pt.read_run(results).frame()
    reported = json.loads(results.read_text())["results"]["profile_summarization_discrimination"]
    found = number(frame, quantity="influence", perspective="discrimination", factor="length")
    assert found[0] == reported["tau_discrimination_length,none"]
    assert set(frame.task) == {"summarization"}


@pytest.mark.parametrize("setting", ["generation", "discrimination"])
def test_samples_of_lm_eval_give_what_the_log_of_inspect_does(
    lm_eval_samples: Callable[[str], Path], inspect_log: Log, setting: str
) -> None:
    factors = ["length", commas]
    samples = pt.read_run(lm_eval_samples(setting), factors).frame()
    log = pt.read_run(inspect_log("verbose"), factors).frame()
    keys = ["quantity", "perspective", "factor"]
    both = samples.merge(log, on=keys, suffixes=("", "_log"))
    both = both[both.quantity == "influence"]
    assert sorted(both.perspective) == sorted(["human", setting] * 2)
    for column in ("estimate", "low", "high", "n"):
        assert (both[column] == both[f"{column}_log"]).all()


def test_json_of_influence_is_read_as_the_profile_it_came_from(tmp_path: Path) -> None:
    profile = pt.profile("demo", "length,readability", task="summarization", replicates=100)
    file = tmp_path / "demo.json"
    file.write_text(json.dumps(profile.record), encoding="utf-8")
    read, made = pt.read_run(file).frame(), profile.frame()
    assert set(read.task) == {"demo"}  # all that such a file has is its name
    columns = ["quantity", "model", "perspective", "factor", "estimate", "low", "high", "n"]
    made = made.reset_index(drop=True)
    pd.testing.assert_frame_equal(read[: len(made)][columns], made[columns])


def test_a_function_is_measured_on_the_texts_of_a_log(inspect_log: Log) -> None:
    log = inspect_log("verbose")
    as_reported, anew = pt.read_run(log), pt.read_run(log, ["auto", commas])
    keys = ["quantity", "model", "perspective", "factor"]
    both = as_reported.frame().merge(anew.frame(), on=keys, suffixes=("", "_anew"))
    both = both[both.quantity == "influence"]
    assert len(both) == 4 * 8
    assert (both.estimate == both.estimate_anew).all()
    people = pt.profile("demo", {"commas": commas}, task="summarization")
    for perspective in ("human", "generation", "discrimination", "own"):
        found = number(anew.frame(), quantity="influence", perspective=perspective, factor="commas")
        if perspective == "human":
            assert found == number(people.frame(), quantity="influence", factor="commas")
        else:
            assert found[0] is not None


def test_factors_measured_anew_are_those_that_the_run_would_have_measured(
    inspect_log: Log,
) -> None:
    """The same surface factor, once by the task and once from the texts of another log."""
    measured = pt.read_run(inspect_log("verbose", factors="length,markdown", limit=9))
    anew = pt.read_run(inspect_log("verbose", factors="length", limit=9), ["length", "markdown"])
    pd.testing.assert_frame_equal(measured.frame(), anew.frame())


@pytest.mark.parametrize("beside", [[], [commas]])
def test_what_a_grader_found_in_the_run_stays(inspect_log: Log, beside: list[Any]) -> None:
    log = inspect_log("verbose", grader="planted/grader", factors="length,hallucination", limit=9)
    reported, anew = pt.read_run(log).frame(), pt.read_run(log, ["hallucination", *beside]).frame()
    for perspective in ("human", "generation", "discrimination", "own"):
        at = {"quantity": "influence", "perspective": perspective, "factor": "hallucination"}
        assert number(anew, **at) == number(reported, **at)
    assert set(anew.factor.dropna()) == {"hallucination", *(each.__name__ for each in beside)}


@pytest.mark.parametrize(
    ("factors", "problem"),
    [
        ("lenght", "did you mean 'length'"),
        ("fluency", "factors fluency need a grader model, and the run did not measure them"),
    ],
)
def test_factors_that_cannot_be_measured_are_refused(
    inspect_log: Log, factors: str, problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        pt.read_run(inspect_log("verbose"), factors)


def test_results_hold_no_texts_for_other_factors(lm_eval_results: Log) -> None:
    with pytest.raises(ValueError, match="no Inspect log, and only logs and samples hold"):
        pt.read_run(lm_eval_results("verbose"), ["length", commas])


def test_several_files_are_one_run_only_as_samples(inspect_log: Log) -> None:
    logs = [inspect_log("verbose"), inspect_log("concise")]
    with pytest.raises(ValueError, match="several files are one run only where lm-eval"):
        pt.read_run(logs)


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such file"):
        pt.read_run(tmp_path / "none.eval")
    with pytest.raises(FileNotFoundError, match="no such"):
        pt.compare(tmp_path / "none.eval", tmp_path / "none.eval")


def test_a_comparison_is_what_the_command_gives(inspect_log: Log) -> None:
    logs = [inspect_log("verbose"), inspect_log("concise")]
    found = pt.compare(*logs, replicates=200)
    record = printed("compare", *logs, "--replicates", 200)
    assert json.loads(json.dumps(found.record)) == record
    frame = found.frame()
    for perspective, compared in record["perspectives"].items():
        for factor, entry in compared["factors"].items():
            at = {"perspective": perspective, "factor": factor}
            expected = [entry["value"], entry["ci_low"], entry["ci_high"]]
            assert number(frame, quantity="difference", **at) == expected
            for model, side in (("planted/verbose", "a"), ("planted/concise", "b")):
                assert number(frame, quantity="influence", model=model, **at)[0] == entry[side]
    assert list(found.words) == record["words"]


def test_a_model_before_and_after_is_told_apart(inspect_log: Log) -> None:
    log = inspect_log("verbose")
    models = set(pt.compare(log, log, ["length", commas], replicates=100).frame().model)
    assert models == {
        "people",
        "planted/verbose (A)",
        "planted/verbose (B)",
        "planted/verbose (A) − planted/verbose (B)",
    }


def judged() -> list[dict[str, Any]]:
    return [
        {
            **row,
            "judge_long": "a",
            "picks_fickle": ["first", "first" if i % 3 else "second"],
        }
        for i, row in enumerate(rows(40))
    ]


def test_judges_are_what_the_command_gives(tmp_path: Path) -> None:
    file = tmp_path / "judged.jsonl"
    file.write_text("\n".join(map(json.dumps, judged())), encoding="utf-8")
    found = pt.judges(pd.DataFrame(judged()), factors=["length", "markdown"], replicates=200)
    record = printed("judges", file, "--factors", "length,markdown", "--replicates", 200)
    frame = found.frame()
    for name, of in record["judges"].items():
        assert found.record["judges"][name].items() <= of.items()
        for factor, entry in of["factors"].items():
            at = {"model": name, "factor": factor}
            difference = entry["difference"]
            for quantity, value, entry_of in (
                ("influence", "tau", entry),
                ("difference", "value", difference),
                ("departure", "value", difference["taste"]),
            ):
                expected = [entry_of[value], entry_of["ci_low"], entry_of["ci_high"]]
                assert number(frame, quantity=quantity, **at) == expected
        for quantity, metric in (
            ("discrimination_accuracy_half_credit", "accuracy_half_credit"),
            ("discrimination_accuracy", "accuracy_decided"),
            ("discrimination_kappa", "kappa"),
            ("flip_rate", "flip_rate"),
        ):
            expected = [of[metric], of[f"{metric}_ci_low"], of[f"{metric}_ci_high"]]
            assert number(frame, quantity=quantity, model=name) == expected
    people = number(frame, quantity="influence", model="people", factor="length")
    assert people[0] == record["people"]["factors"]["length"]["tau"]
    assert RECORDED_NOTE in found.notes


def test_judges_are_measured_by_a_function_and_chosen_by_name() -> None:
    found = pt.judges(pd.DataFrame(judged()), ["long"], {"ends": lambda r: r.count("!")})
    assert set(found.frame().model) == {"people", "long"}
    assert set(found.frame().factor.dropna()) == {"ends"}
    with pytest.raises(ValueError, match="nothing is recorded of 'lnog'; did you mean 'long'"):
        pt.judges(pd.DataFrame(judged()), ["lnog"])
