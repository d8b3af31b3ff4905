"""What a run has to show: the log's own numbers, and replicates that give its intervals."""

import json
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import read_eval_log, write_eval_log

from profile_tasks.gate.bars import parse_bar
from profile_tasks.gate.evidence import Evidence, read_evidence
from profile_tasks.gate.verdicts import estimate_of, judge_inequality

pytestmark = pytest.mark.filterwarnings("ignore")  # both harnesses and their dependencies warn


@pytest.fixture(scope="module")
def evidence(inspect_log: Any) -> Evidence:
    return read_evidence(inspect_log("verbose"))


def test_values_are_those_of_the_log(evidence: Evidence) -> None:
    assert len(evidence.estimates) > 25
    for name, value in evidence.run.metrics.items():
        assert evidence.metrics[name] == pytest.approx(value, abs=1e-12), name


def test_the_interval_of_each_metric_is_that_of_the_log(evidence: Evidence) -> None:
    compared = 0
    for name in evidence.estimates:
        found = estimate_of(parse_bar(f"{name} > 0").left, evidence, 0.95)
        reported = evidence.run.estimate(name)
        assert (reported.low, reported.high) == pytest.approx(
            (found.low, found.high), nan_ok=True
        ), name
        compared += 1
    assert compared > 25


def test_the_interval_of_a_difference_is_that_of_the_log(evidence: Evidence) -> None:
    # The log has its own difference to people, from replicates that were drawn together; 95 % of
    # both sides is 97.5 % of one.
    for perspective in ("generation", "discrimination"):
        for factor in evidence.run.factors:
            text = f"tau_{perspective}_{factor} > tau_human_{factor} with 97.5% confidence"
            found = judge_inequality("x", parse_bar(text), evidence).found
            reported = evidence.run.estimate(f"difference_{perspective}_{factor}")
            assert (found.low, found.high) == pytest.approx((reported.low, reported.high))


def test_at_another_coverage_the_study_is_asked_again(evidence: Evidence) -> None:
    assert evidence.at(0.95) is evidence.estimates
    for name, each in evidence.at(0.9).items():
        usual = evidence.estimates[name]
        assert each.value == pytest.approx(usual.value, nan_ok=True)
        if each.has_interval:
            assert each.low >= usual.low - 1e-12, name
            assert each.high <= usual.high + 1e-12, name
    length = "tau_generation_length"
    assert evidence.at(0.9)[length].low > evidence.estimates[length].low


def test_a_results_file_of_lm_eval_has_no_samples(lm_eval_results: Any) -> None:
    evidence = read_evidence(lm_eval_results("verbose"))
    assert evidence.estimates == {}
    assert evidence.without_samples == "a results file of lm-eval holds no samples"
    assert evidence.run.estimate("tau_generation_length").has_interval


def test_a_log_without_samples_shows_what_it_reported(inspect_log: Any, tmp_path: Path) -> None:
    log = read_eval_log(str(inspect_log("concise")))
    log.samples = None
    write_eval_log(log, str(tmp_path / "header.json"), format="json")
    evidence = read_evidence(tmp_path / "header.json")
    assert evidence.without_samples == "the log holds no samples"
    assert evidence.metrics["tau_generation_length"] is not None


def test_one_task_of_a_results_file_is_named(lm_eval_results: Any, tmp_path: Path) -> None:
    found = json.loads(lm_eval_results("verbose").read_text())
    for part in ("results", "configs"):
        found[part] |= {
            name.replace("summarization", "document_qa"): value
            for name, value in found[part].items()
        }
    (tmp_path / "results_two.json").write_text(json.dumps(found))
    with pytest.raises(ValueError, match=r"name one task of it \(--task\); it holds: summ"):
        read_evidence(tmp_path / "results_two.json")
    chosen = read_evidence(tmp_path / "results_two.json", task="document_qa")
    assert chosen.run.task == "document_qa"
