"""Bars on what is no profile: audits of judges, contributions of factors, corrected influences."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from profile_tasks.cli import main
from profile_tasks.scorers.statistics.metric_catalogue import find

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

AUDITED = {"limit": 10, "max_pairs_per_source": 2}


@pytest.fixture(autouse=True)
def _no_summary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.setenv("COLUMNS", "1000")


def made(folder: Path, *arguments: object) -> Path:
    """The JSON that a command writes."""
    done = CliRunner().invoke(main, [*map(str, arguments), "--format", "json"])
    assert done.exit_code == 0, done.output
    path = folder / f"{arguments[0]}.json"
    path.write_text(done.stdout, encoding="utf-8")
    return path


Gate = Callable[..., Result]


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    def gate(bars: list[str], *logs: Path) -> Result:
        file = tmp_path / "bars.yaml"
        file.write_text(json.dumps({"version": 1, "bars": bars}))  # JSON is YAML
        names = [*map(str, logs), "--bars", str(file)]
        return CliRunner().invoke(main, ["gate", *names, "--format", "json"])

    return gate


def outcomes(done: Result) -> list[str]:
    assert done.stdout, done.stderr
    return [verdict["outcome"] for verdict in json.loads(done.stdout)["verdicts"]]


def whys(done: Result) -> list[str]:
    return [verdict["why"] for verdict in json.loads(done.stdout)["verdicts"]]


@pytest.fixture
def audit(inspect_log: Any) -> Path:
    return Path(inspect_log("verbose", "summarization_judge_audit", **AUDITED))


def test_probes_of_an_audit_are_held_to_bars(gate: Gate, audit: Path) -> None:
    bars = [
        "abs(probe_position) <= 0.3 with 95% confidence",
        "probe_padding_ci_high < 0.1",
        "probe_padding >= 0.1 with 95% confidence",
        "probe_padding - probe_style <= 1 with 95% confidence",
        "probe_padding <= 1 with 99% confidence",
    ]
    done = gate(bars, audit)
    assert outcomes(done) == ["met", "missed", "met", "cannot tell", "cannot tell"]
    assert done.exit_code == 1
    told = whys(done)
    assert "its 95 % interval" in told[0]  # the one that is reported
    assert "an audit of a judge is held to what it reports" in told[3]
    assert "only its 95 % interval is reported" in told[4]


def test_a_misspelt_probe_names_the_nearest(gate: Gate, audit: Path) -> None:
    done = gate(["probe_pading <= 0.1"], audit)
    assert done.exit_code == 2
    assert "no metric 'probe_pading'; did you mean 'probe_padding'?" in done.stderr


def test_a_run_and_the_audit_of_its_model_are_judged_as_one(
    gate: Gate, audit: Path, inspect_log: Any
) -> None:
    run = inspect_log("verbose")
    bars = [
        "probe_padding >= 0.1 with 95% confidence",
        "flip_rate <= 0.5 with 95% confidence",
        "probe_position_flips <= flip_rate + 1",
        "probe_position_flips <= flip_rate + 1 with 95% confidence",
    ]
    done = gate(bars, run, audit)
    assert outcomes(done) == ["met", "met", "met", "cannot tell"]
    assert whys(done)[3].endswith("probe_position_flips is not resampled")
    record = json.loads(done.stdout)
    assert f"probes are those of {audit}, an audit of the same model" in record["notes"]
    alone = gate(bars[:1], run)
    assert outcomes(alone) == ["cannot tell"]
    assert "an audit of its judge does, and none of planted/verbose" in whys(alone)[0]


def test_an_audit_of_another_model_is_judged_alone(
    gate: Gate, audit: Path, inspect_log: Any
) -> None:
    record = json.loads(gate(["probe_padding >= 0.1"], inspect_log("concise"), audit).stdout)
    assert [(run["model"], run["outcome"]) for run in record["runs"]] == [
        ("planted/concise", "cannot tell"),
        ("planted/verbose", "met"),
    ]
    assert [run["task"] for run in record["runs"]][1] == "summarization, audited as a judge"


def test_few_sources_of_an_audit_decide_nothing(gate: Gate, inspect_log: Any) -> None:
    few = inspect_log("verbose", "summarization_judge_audit", limit=7, probes="padding")
    for logs in ((few,), (inspect_log("verbose"), few)):
        done = gate(["probe_padding >= 0"], *logs)
        assert outcomes(done) == ["cannot tell"]
        assert "probe_padding rests on 7 groups of sources" in whys(done)[0]


@pytest.fixture(scope="module")
def contributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    options = ("demo", "--task", "summarization", "--factors", "length,markdown,readability")
    return made(tmp_path_factory.mktemp("contributions"), "contributions", *options)


def test_contributions_are_held_to_bars(gate: Gate, contributions: Path) -> None:
    known = json.loads(contributions.read_text(encoding="utf-8"))
    length = known["profiles"]["people"]["factors"]["length"]
    low = length["contribution"]["ci_low"]
    bars = {
        f"share_human_length >= {length['share']['value']}": "met",
        f"contribution_human_length >= {low} with 95% confidence": "met",
        "share_human_length >= 0.1 with 95% confidence": "cannot tell",
        "share_human_level_1 >= 1": "met",
        "explained_human > 0 with 95% confidence": "met",
        "held_out_accuracy >= 0.9 with 95% confidence": "missed",
        "held_out_less_length_alone > -0.2 with 95% confidence": "met",
        "abs(factor_correlation_human_length_markdown) <= 0.5 with 95% confidence": "met",
        "effective_factors_human >= 2": "met",
        "effective_factors_human >= 2 with 95% confidence": "cannot tell",
        "share_human_length - share_human_markdown > 0 with 95% confidence": "cannot tell",
        "share_human_level_2 > 0": "cannot tell",
    }  # fmt: skip
    done = gate(list(bars), contributions)
    assert outcomes(done) == list(bars.values())
    told = whys(done)
    assert told[9] == "no interval: the number of factors in effect has no interval"
    assert "JSON of `profile-tasks contributions` holds no samples" in told[10]
    assert told[11].endswith("no such factor differs between two responses")
    record = json.loads(done.stdout)
    assert any("cover 87 to 94 %" in note for note in record["notes"])
    assert record["signature"].startswith("task:contributions|data:demo#")
    metrics = [bar.split(" ")[0] for bar in bars if "abs" not in bar]
    assert None not in [find(metric) for metric in metrics]


def test_contributions_of_a_run_say_who_was_simulated(
    gate: Gate, inspect_log: Any, tmp_path: Path
) -> None:
    file = made(tmp_path, "contributions", inspect_log("verbose", limit=9, own_pairs=False))
    record = json.loads(gate(["share_discrimination_length > 0"], file).stdout)
    assert (record["model"], record["outcome"]) == ("planted/verbose", "met")
    assert record["not_live"].startswith("planted/verbose: SIMULATED")


def test_an_influence_is_held_to_bars_by_its_reported_interval(gate: Gate, tmp_path: Path) -> None:
    file = made(tmp_path, "influence", "demo", "--task", "summarization", "--factors", "length")
    bars = [
        "tau_human_length > 0 with 95% confidence",
        "adjusted_human_length > 0 with 95% confidence",
        "corrected_human_length > 0",
        "tau_human_length - adjusted_human_length > 0 with 95% confidence",
    ]
    done = gate(bars, file)
    assert outcomes(done) == ["met", "met", "cannot tell", "cannot tell"]
    assert "JSON of `profile-tasks influence` holds no samples" in whys(done)[3]


def test_of_several_recorded_judges_one_is_to_be_chosen(gate: Gate, tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    row = {
        "task": "instruction_following",
        "response_a": "one two",
        "response_b": "one",
        "preference": "a",
    }
    columns = {f"picks_{name}": ["first", "second"] for name in ("x", "y")} | {
        f"judge_{name}": "a" for name in ("x", "y")
    }
    rows = [{"id": f"r{i}", "prompt": f"Say {i}."} | row | columns for i in range(9)]
    data.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    bars = ["abs(probe_position) <= 0.4"]
    several = gate(bars, made(tmp_path, "judges", data))
    assert several.exit_code == 2
    assert "2 judges, and a gate holds one at a time" in several.stderr
    assert "(profile-tasks judges --judge NAME); it holds: recorded/x, recorded/y" in several.stderr
    assert outcomes(gate(bars, made(tmp_path, "judges", data, "--judge", "x"))) == ["met"]
