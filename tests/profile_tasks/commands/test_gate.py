"""`profile-tasks gate` on real logs of the planted annotator: known answers and exit statuses."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from inspect_ai.log import read_eval_log, write_eval_log

from profile_tasks.cli import main

pytestmark = pytest.mark.filterwarnings("ignore")  # both harnesses and their dependencies warn

LENGTH = "abs(tau_generation_length - tau_human_length) <= 0.2 with 95% confidence"


@pytest.fixture(autouse=True)
def _no_summary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


def bars_file(folder: Path, *bars: str) -> Path:
    path = folder / "bars.yaml"
    path.write_text(json.dumps({"version": 1, "bars": list(bars)}))  # JSON is YAML
    return path


def gate(log: Path, bars: Path, *arguments: object) -> Result:
    return CliRunner().invoke(main, ["gate", str(log), "--bars", str(bars), *map(str, arguments)])


@pytest.fixture(scope="module")
def own_kind(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration pairs as people would label them who want the longer text, always."""
    rows = []
    demo = repository / "profile_tasks" / "data" / "demo" / "summarization.jsonl"
    for line in demo.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        words = [len(row[f"response_{side}"].split()) for side in "ab"]
        row.pop("annotators", None)
        row["preference"] = "tie" if words[0] == words[1] else "ab"[words[1] > words[0]]
        rows.append(json.dumps(row))
    path = tmp_path_factory.mktemp("data") / "longer.jsonl"
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def test_verbose_misses_a_bar_on_length(inspect_log: Any, tmp_path: Path) -> None:
    done = gate(inspect_log("verbose"), bars_file(tmp_path, LENGTH))
    assert done.exit_code == 1
    assert "missed" in done.stdout
    assert "lies wholly on the wrong side of 0.2" in done.stdout
    assert done.stdout.startswith("gate: missed (exit status 1)\n")


def test_a_model_of_the_peoples_own_kind_meets_it(
    inspect_log: Any, own_kind: Path, tmp_path: Path
) -> None:
    log = inspect_log("verbose", dataset=str(own_kind), weights='{"length": 1.0}', temperature=0.0)
    bars = bars_file(
        tmp_path, LENGTH, "discrimination_accuracy_half_credit >= 0.7 with 95% confidence",
        "discrimination_accuracy >= 0.9",
    )  # fmt: skip
    done = gate(log, bars)
    assert done.exit_code == 0, done.output
    assert done.stdout.count("\nmet: ") == 3


def test_few_sources_cannot_tell_how_well_profiles_align(inspect_log: Any, tmp_path: Path) -> None:
    bar = "alignment_generation_tau_b >= 0.6 with 95% confidence"
    done = gate(inspect_log("verbose"), bars_file(tmp_path, bar))
    assert done.exit_code == 2
    assert "cannot tell" in done.stdout
    assert "lies on both sides of 0.6" in done.stdout
    # The point estimate decides where no confidence is asked for.
    assert gate(inspect_log("verbose"), bars_file(tmp_path, bar[:33])).exit_code == 1


def test_no_worse_than_a_baseline_is_paired(inspect_log: Any, tmp_path: Path) -> None:
    (tmp_path / "base.eval").write_bytes(inspect_log("concise").read_bytes())
    bar = "no worse than base.eval by 0.05 on discrimination_accuracy_half_credit"
    done = gate(inspect_log("concise"), bars_file(tmp_path, f"{bar} with 95% confidence"))
    assert done.exit_code == 0, done.output  # a run is surely hardly worse than itself
    # By which alignments few sources do not tell.
    done = gate(
        inspect_log("concise"), bars_file(tmp_path, "no worse than base.eval with 95% confidence")
    )
    assert done.exit_code == 2
    told = done.output[done.output.index("(alignment_generation_tau_b)") :]
    assert "lies on both sides" in told, told
    far = bars_file(
        tmp_path, "no worse than base.eval by 1 on self_agreement_pearson with 95% confidence"
    )
    assert gate(inspect_log("verbose"), far).exit_code == 0
    near = bars_file(
        tmp_path, "no worse than base.eval by 0.01 on discrimination_accuracy with 95% confidence"
    )
    done = gate(inspect_log("verbose"), near, "--format", "json")
    compare = CliRunner().invoke(
        main,
        ["compare", str(inspect_log("verbose")), str(inspect_log("concise")), "--format", "json"],
    )
    expected = json.loads(compare.stdout)["agreement"]["discrimination_accuracy"]
    (verdict,) = json.loads(done.stdout)["verdicts"]
    assert verdict["value"] == expected["value"]
    # Confidence of a bar is that of one end: 90 % of both where compare has 95 %.
    assert expected["ci_low"] < verdict["low"] < verdict["high"] < expected["ci_high"]


def test_results_of_lm_eval_are_judged_as_far_as_they_go(
    lm_eval_results: Any, tmp_path: Path
) -> None:
    bars = bars_file(
        tmp_path,
        "tau_generation_length >= 0.5 with 95% confidence",
        "abs(tau_generation_length - tau_human_length) >= 0.2",
    )
    assert gate(lm_eval_results("verbose"), bars).exit_code == 0
    done = gate(lm_eval_results("verbose"), bars_file(tmp_path, LENGTH))
    assert done.exit_code == 2
    assert "a results file of lm-eval holds no samples" in done.stdout


def test_reports_are_written_for_builds(
    inspect_log: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = tmp_path / "step.md"
    beside.write_text("earlier\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(beside))
    junit, summary = tmp_path / "junit.xml", tmp_path / "summary.md"
    bars = bars_file(tmp_path, "flip_rate <= 0.5", LENGTH)
    done = gate(inspect_log("verbose"), bars, "--junit", junit, "--summary", summary)
    assert done.exit_code == 1
    (suite,) = ET.parse(junit).getroot()  # noqa: S314
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "0")
    assert suite[1].get("classname") == "planted/verbose on summarization"
    assert summary.read_text().startswith("### Preference alignment gate: ❌ missed")
    assert beside.read_text() == "earlier\n" + summary.read_text()


@pytest.mark.parametrize("form", ["json", "csv"])
def test_programs_read_the_verdicts(inspect_log: Any, tmp_path: Path, form: str) -> None:
    done = gate(inspect_log("verbose"), bars_file(tmp_path, LENGTH), "--format", form)
    assert done.exit_code == 1
    if form == "json":
        record = json.loads(done.stdout)
        assert (record["outcome"], record["exit_status"]) == ("missed", 1)
        assert record["verdicts"][0]["limit"] == 0.2
    else:
        assert done.stdout.startswith("name,bar,outcome,value,low,high,limit,why,not_live\n")


@pytest.mark.parametrize(
    ("bar", "problem"),
    [
        ("flip_rat <= 0.2", "no metric 'flip_rat'; did you mean 'flip_rate'?"),
        (
            "accuracy >= 0.2",
            "no metric 'accuracy'; did you mean 'discrimination_accuracy_half_credit'?",
        ),
        ("no worse than gone.eval on flip_rat", "no metric 'flip_rat'; did you mean 'flip_rate'?"),
    ],
)
def test_a_misspelt_metric_is_no_verdict_and_the_nearest_is_named(
    inspect_log: Any, tmp_path: Path, bar: str, problem: str
) -> None:
    bars = bars_file(tmp_path, "flip_rate <= 1", bar)
    done = gate(inspect_log("verbose"), bars)
    assert done.exit_code == 2
    assert done.stderr == f"Error: no verdict: {bars}: bars[2]: {problem}\n"
    known = gate(inspect_log("verbose"), bars_file(tmp_path, "own_flip_rate_of > 0"))
    assert "no metric 'own_flip_rate_of'" in known.stderr


def test_an_unfinished_run_is_said_to_be_one_with_what_goes_on_with_it(
    inspect_log: Any, tmp_path: Path
) -> None:
    log = read_eval_log(str(inspect_log("concise", setting="generation")))
    log.status, log.results = "cancelled", None
    cut = tmp_path / "cut.eval"
    write_eval_log(log, str(cut))
    done = gate(cut, bars_file(tmp_path, "flip_rate <= 1"))
    assert done.exit_code == 2
    assert done.stderr == (
        f"Error: no verdict: {cut}: an unfinished run (status: cancelled): "
        "`inspect eval-retry FILE` goes on with it\n"
    )


def test_a_known_metric_that_the_run_lacks_cannot_be_told(inspect_log: Any, tmp_path: Path) -> None:
    done = gate(inspect_log("verbose"), bars_file(tmp_path, "probe_padding <= 0.1"))
    assert done.exit_code == 2
    assert done.stdout.startswith("gate: cannot tell (exit status 2)\n")
    assert "(1 cannot tell of 1 bar)" in done.stdout
    assert "the run reports no metric probe_padding" in done.stdout


def test_what_cannot_be_used_is_one_line_with_status_two(inspect_log: Any, tmp_path: Path) -> None:
    good, bad = bars_file(tmp_path, "flip_rate <= 1"), tmp_path / "bad.yaml"
    bad.write_text("version: 1\nbars: [flip_rate = 1]\n")
    broken = tmp_path / "broken.eval"
    broken.write_text("nothing")
    (tmp_path / "other").mkdir()
    missing = bars_file(tmp_path / "other", "no worse than no.eval")
    for log, bars, problem in (
        (inspect_log("verbose"), bad, "bad.yaml: bars[1]"),
        (inspect_log("verbose"), tmp_path / "no.yaml", "no.yaml: cannot be read"),
        (broken, good, "broken.eval: not an Inspect log"),
        (tmp_path / "no.eval", good, "no.eval: there is no such file"),
        (inspect_log("verbose"), missing, "no.eval: there is no such log"),
    ):
        done = gate(log, bars)
        assert done.exit_code == 2
        assert done.stderr.startswith("Error: no verdict: ")
        assert problem in done.stderr
        assert done.stderr.count("\n") == 1
        assert done.stdout == ""


def test_an_older_log_is_judged_by_what_its_metrics_mean_today(
    older_log: Path, inspect_log: Any, tmp_path: Path
) -> None:
    bars = bars_file(tmp_path, "alignment_discrimination_pearson_p_value <= 0.01")
    older, today = (gate(log, bars) for log in (older_log, inspect_log("verbose", own_pairs=False)))
    assert "note: the log is of an older version (task version 2)" in older.output
    assert older.exit_code == today.exit_code == 1  # by what it holds it were met: 0.003
