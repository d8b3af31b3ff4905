"""People's labels of a model's own pairs, from the scored log to every command that reads it."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import profile_tasks
from profile_tasks.cli import main
from profile_tasks.leaderboard.samples import resampled
from profile_tasks.report.findings import findings
from profile_tasks.report.headline import at_a_glance, headline, summary
from profile_tasks.runs.inspect_log import read_run
from profile_tasks.runs.labelled import labelled_run
from profile_tasks.runs.reading import read_runs
from profile_tasks.runs.run import Run, on_own_pairs
from profile_tasks.runs.signature import signature

LabelledLog = Callable[..., Path]

pytestmark = pytest.mark.filterwarnings("ignore")  # both harnesses and their dependencies warn


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "1000")


@pytest.fixture(scope="session")
def labelled(labelled_log: LabelledLog) -> Run:
    """A run of a writer of long texts, judged by people who like short ones."""
    (run,) = read_runs(labelled_log("verbose"))
    return run


def run_command(*arguments: object, exit_code: int = 0) -> Result:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == exit_code, done.output
    return done


# The log -----------------------------------------------------------------------------------------


def test_a_log_that_was_scored_with_labels_tells_of_people_on_its_own_pairs(labelled: Run) -> None:
    assert labelled.metrics["own_alignment_generation_pearson"] == pytest.approx(-1.0, abs=0.05)
    assert labelled.metrics["own_alignment_discrimination_pearson"] == pytest.approx(-1.0, abs=0.05)
    assert labelled.metrics["own_labelled_share"] == 1.0
    assert labelled.metrics["own_tau_human_length"] < -0.8
    difference = labelled.metrics["own_difference_generation_length"]
    tau = [labelled.metrics[f"own_tau_{p}_length"] for p in ("generation", "human")]
    assert difference == pytest.approx(tau[0] - tau[1])
    assert labelled.metrics["own_difference_generation_length_p_adjusted"] < 0.01
    of_people = labelled.profile["own_pairs"]["difference_to_human"]["generation"]
    assert of_people["factors"]["length"]["taste"]["verdict"] == "differs in taste"


def test_all_else_in_the_log_is_what_it_is_without_labels(
    labelled: Run, inspect_log: Callable[..., Path]
) -> None:
    (without,) = read_runs(inspect_log("verbose"))
    kept = {name: labelled.metrics[name] for name in without.metrics}
    np.testing.assert_equal(kept, dict(without.metrics))
    assert {**labelled.profile, **without.profile}.keys() - without.profile.keys() == {
        "own_pairs", "own_labels",
    }  # fmt: skip
    assert on_own_pairs(without) is None


def test_which_labels_were_given_is_among_what_tells_runs_apart(labelled: Run) -> None:
    assert "own_labels:labels.jsonl#" in signature(labelled)
    assert labelled.described["people's labels of own pairs"] is not None


def test_the_harness_prints_the_gap_on_the_same_texts(labelled_log: LabelledLog) -> None:
    from inspect_ai.log import read_eval_log

    log = read_eval_log(str(labelled_log("verbose")), header_only=True)
    assert log.results is not None
    printed = list(log.results.scores[0].metrics)
    assert printed[:4] == [
        "self_agreement_pearson",
        "own_alignment_gap_tau_b",
        "own_alignment_generation_tau_b",
        "own_alignment_discrimination_tau_b",
    ]
    assert "own_labelled_pairs" in printed


def test_labels_that_cannot_be_used_stop_the_scorer_before_a_sample(tmp_path: Path) -> None:
    from profile_tasks.scorers.inspect.arguments import OneLineError
    from profile_tasks.scorers.inspect.profile_scorer import factor_profile

    with pytest.raises(OneLineError, match="no such file"):
        factor_profile(own_labels=str(tmp_path / "nowhere.jsonl"))


# Words and pages ---------------------------------------------------------------------------------


def test_the_headline_is_of_people_and_writer_on_the_same_texts(labelled: Run) -> None:
    found = findings(labelled)
    said = headline(found)
    assert "on texts that people judged too" in summary(found)
    assert any("people and writer prefer among the same texts" in sentence for sentence in said)
    assert any(sentence.startswith("On these texts, as a writer,") for sentence in said)
    assert any(sentence.startswith("The gap on the same texts") for sentence in said)
    assert not any("wrote other texts than people compared" in sentence for sentence in said)
    assert not any("paper's gap" in sentence for sentence in said)
    assert "same texts" in at_a_glance(found)[-1]


def test_without_labels_it_says_what_it_said(inspect_log: Callable[..., Path]) -> None:
    (run,) = read_runs(inspect_log("verbose"))
    said = headline(findings(run))
    assert any("wrote other texts than people compared" in sentence for sentence in said)
    assert any(sentence.startswith("The paper's gap") for sentence in said)
    assert not any("same texts as" in sentence or "judged too" in sentence for sentence in said)


def test_the_report_shows_both_profiles_and_the_alignments_on_the_same_texts(
    labelled_log: LabelledLog, tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    run_command("report", labelled_log("verbose"), "-o", page)
    html = page.read_text(encoding="utf-8")
    for text in (
        "on the texts that it wrote and people judged",
        "5 of 8 factors on the same texts, the writer farthest from people first",
        "alignment as a writer, same texts",
        "gap on the same texts, tau_b",
        "own_discrimination_accuracy_half_credit",
        "people&#39;s labels of own pairs",
    ):
        assert text in html, text


def test_labels_of_other_texts_are_told_in_the_report(
    inspect_log: Callable[..., Path], labelled_log: LabelledLog, tmp_path: Path
) -> None:
    log = str(inspect_log("verbose"))
    rows = labelled_log("verbose").with_name("labels.jsonl").read_text("utf-8").splitlines()
    foreign = json.loads(rows[0]) | {"id": "foreign", "response_a": "Nobody wrote this."}
    file = tmp_path / "labels.jsonl"
    file.write_text("\n".join([*rows[:200], json.dumps(foreign)]), encoding="utf-8")
    run = labelled_run(read_run(log, texts=True), str(file))
    assert any("labels.jsonl:201: left out" in warning for warning in run.warnings)
    assert "did not write both of the texts" in run.warnings[-1]


def test_a_run_that_none_of_the_labels_is_about_is_refused(
    inspect_log: Callable[..., Path], labelled_log: LabelledLog
) -> None:
    labels = str(labelled_log("verbose").with_name("labels.jsonl"))
    other = read_run(str(inspect_log("verbose", "document_qa")), texts=True)
    with pytest.raises(ValueError, match="no row has task 'document_qa'"):
        labelled_run(other, labels)
    judged = read_run(str(inspect_log("verbose", setting="discrimination")), texts=True)
    with pytest.raises(ValueError, match="holds no texts that the model wrote"):
        labelled_run(judged, labels)


# Other commands ----------------------------------------------------------------------------------


def test_two_models_are_compared_on_the_texts_that_each_wrote(labelled_log: LabelledLog) -> None:
    logs = labelled_log("verbose"), labelled_log("concise")
    done = json.loads(run_command("compare", *logs, "--format", "json").stdout)
    found = done["alignments"]["own_alignment_generation_tau_b"]
    assert (found["a"], found["b"]) == (pytest.approx(-1, abs=0.1), pytest.approx(1, abs=0.1))
    assert found["ci_high"] < 0
    assert "own_discrimination_accuracy_half_credit" in done["agreement"]
    words = " ".join(done["words"])
    assert "(on the texts that each wrote and people judged), B is closer to people" in words
    assert "the paper's gap" not in words


def test_labels_of_only_one_of_two_models_are_told(
    labelled_log: LabelledLog, inspect_log: Callable[..., Path]
) -> None:
    logs = labelled_log("verbose"), inspect_log("concise")
    done = json.loads(run_command("compare", *logs, "--format", "json").stdout)
    assert "only of A have people judged the pairs that it wrote" in done["notes"]
    assert not any(name.startswith("own_") for name in done["alignments"])
    assert any("the paper's gap" in sentence for sentence in done["words"])


def test_a_board_ranks_by_the_alignment_on_the_same_texts_and_has_its_column(
    labelled_log: LabelledLog, inspect_log: Callable[..., Path]
) -> None:
    logs = labelled_log("verbose"), labelled_log("concise")
    metric = "own_alignment_generation_tau_b"
    done = run_command("leaderboard", *logs, "--sort", metric, "--format", "md")
    assert "writer alignment, same texts" in done.stdout
    rows = [line for line in done.stdout.splitlines() if "planted/" in line and "|" in line]
    assert "planted/concise" in rows[0]
    plain = run_command("leaderboard", inspect_log("verbose"), "--format", "md")
    assert "same texts" not in plain.stdout


def test_a_board_pairs_runs_by_the_sources_of_their_own_pairs(labelled_log: LabelledLog) -> None:
    runs = [read_runs(labelled_log(profile))[0] for profile in ("verbose", "concise")]
    for metric in ("own_tau_human_length", "own_alignment_gap_tau_b"):
        found = resampled(runs, metric)
        for run, each in zip(runs, found, strict=True):
            assert each.value == run.metrics[metric]
            assert each.drawn is not None


def test_a_gate_holds_a_run_to_what_is_of_its_own_pairs(
    labelled_log: LabelledLog, tmp_path: Path
) -> None:
    bars = tmp_path / "bars.yaml"
    other = labelled_log("verbose")
    bars.write_text(
        f"""
version: 1
bars:
- {{name: a, bar: own_alignment_generation_tau_b >= 0.5 with 95% confidence}}
- {{name: b, bar: abs(own_alignment_gap_tau_b) <= 0.5 with 95% confidence}}
- {{name: c, bar: own_difference_generation_length <= 0.3 with 95% confidence}}
- {{name: d, bar: 'no worse than "{other}" on own_alignment_generation_tau_b'}}
- {{name: e, bar: own_tau_human_length <= -0.5 with 90% confidence}}
""",
        encoding="utf-8",
    )
    done = json.loads(
        run_command("gate", labelled_log("concise"), "--bars", bars, "--format", "json").stdout
    )
    assert [each["outcome"] for each in done["verdicts"]] == ["met"] * 5, done["verdicts"]


def test_contributions_are_told_of_people_on_own_pairs_too(labelled_log: LabelledLog) -> None:
    log = labelled_log("verbose")
    done = json.loads(run_command("contributions", log, "--format", "json").stdout)
    assert {"own_human", "own_discrimination", "own_generation"} <= done["profiles"].keys()
    pairs = [(each["first"], each["second"]) for each in done["alignment"]]
    assert ("own_human", "own_generation") in pairs


def test_python_takes_labels_without_a_log_of_them_and_gives_the_same_numbers(
    labelled: Run, labelled_log: LabelledLog, inspect_log: Callable[..., Path]
) -> None:
    labels = labelled_log("verbose").with_name("labels.jsonl")
    result = profile_tasks.read_run(str(inspect_log("verbose")), own_labels=labels)
    frame = result.frame().set_index(["quantity", "perspective", "factor"]).sort_index()
    tau = frame.loc[("own_influence", "human", "length"), "estimate"].item()
    assert tau == labelled.metrics["own_tau_human_length"]
    gap = frame.loc["own_alignment_gap_tau_b", "estimate"].item()
    assert gap == labelled.metrics["own_alignment_gap_tau_b"]
    assert any("same texts" in sentence for sentence in result.words)


# lm-eval -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_samples_of_lm_eval_with_labels_have_the_numbers_of_the_inspect_log(
    labelled: Run, labelled_log: LabelledLog, tmp_path: Path
) -> None:
    labels = labelled_log("verbose").with_name("labels.jsonl")
    command = ["lm-eval", "--model", "planted", "--model_args", "profile=verbose", "--log_samples"]
    out = ["--output_path", str(tmp_path)]
    run_command(*command, "--tasks", "profile_summarization", *out)
    (generation,) = tmp_path.rglob("samples_*_generation_*.jsonl")
    metadata = ["--metadata", json.dumps({"texts": str(generation)})]
    run_command(*command, "--tasks", "profile_summarization_own_pairs", *out, *metadata)
    samples = [generation, *tmp_path.rglob("samples_*_own_pairs_*.jsonl")]
    results = tmp_path / "labelled.json"
    run_command(
        "score-lm-eval", *samples, "--own-labels", labels, "--log-dir", tmp_path / "logs",
        "-o", results,
    )  # fmt: skip
    runs = {run.setting: run for run in read_runs(results)}
    compared = 0
    for name, value in runs["own_pairs"].metrics.items():
        if name.startswith("own_") and name in labelled.metrics:
            compared += 1
            assert value == pytest.approx(labelled.metrics[name], abs=1e-12, nan_ok=True), name
    assert compared > 60
    assert "own_labels:labels.jsonl#" in signature(runs["own_pairs"])
    said = headline(findings(runs["own_pairs"]))
    assert any(sentence.startswith("The gap on the same texts") for sentence in said)


def test_score_lm_eval_wants_a_grader_or_labels(tmp_path: Path) -> None:
    done = run_command("score-lm-eval", tmp_path / "samples.jsonl", exit_code=2)
    assert "--grader" in done.output
    assert "--own-labels" in done.output
