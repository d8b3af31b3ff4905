"""Grading samples that lm-eval logged: the numbers of the Inspect tasks, nothing paid twice."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Run = Callable[..., Result]
Samples = tuple[Path, Path]

pytestmark = pytest.mark.filterwarnings("ignore")  # both harnesses and their dependencies warn

MODEL = "planted/verbose"
GRADER = "planted/grader"
SOURCES = 12
"""Of the demonstration's 24: what is equal of these is equal of all."""


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """Generation and discrimination samples of one evaluation, as lm-eval writes them."""
    return written_samples(tmp_path_factory.mktemp("out"), SOURCES)


@pytest.fixture(scope="module")
def of_two_sources(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """The same where what is asked and written matters, not the numbers."""
    return written_samples(tmp_path_factory.mktemp("out"), 2)


def written_samples(folder: Path, limit: int) -> Samples:
    from lm_eval import simple_evaluate
    from lm_eval.loggers import EvaluationTracker

    from profile_tasks.lm_eval_runner.run import OwnTaskManager

    tracker = EvaluationTracker(output_path=str(folder))
    results = simple_evaluate(
        model="planted",
        model_args={"profile": "verbose"},
        tasks=["profile_summarization"],
        task_manager=OwnTaskManager(metadata={"limit": limit}),
        bootstrap_iters=0,
        evaluation_tracker=tracker,
    )
    assert results is not None
    logged = results.pop("samples")
    tracker.save_results_aggregated(results=results, samples=logged)
    for task in logged:
        tracker.save_results_samples(task, logged[task])
    (generation,) = folder.rglob("samples_*_generation_*.jsonl")
    (discrimination,) = folder.rglob("samples_*_discrimination_*.jsonl")
    return generation, discrimination


@pytest.fixture
def score(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, Any]]:
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "cache"))

    def score(*arguments: object) -> dict[str, Any]:
        output = tmp_path / "graded.json"
        run(
            "score-lm-eval", *arguments, "--grader", GRADER, "--log-dir", tmp_path / "logs",
            "-o", output,
        )  # fmt: skip
        results: dict[str, Any] = json.loads(output.read_text())
        return results

    return score


def test_the_numbers_are_those_of_the_inspect_task(
    score: Callable[..., dict[str, Any]], samples: Samples, read_inspect_log: Callable[..., Any]
) -> None:
    (scored,) = read_inspect_log("verbose", grader=GRADER, limit=SOURCES).results.scores
    theirs = {name: metric.value for name, metric in scored.metrics.items()}
    results = score(*samples)
    assert results["profile_tasks_grading"]["graders"] == [GRADER]
    assert results["profile_tasks_grading"]["answered_by"] == MODEL
    compared = 0
    for kind in ("generation", "discrimination"):
        for name, value in results["results"][f"profile_summarization_{kind}"].items():
            metric = name.removesuffix(",none")
            if metric in theirs and metric.startswith(("tau_", "alignment_", "grader_missing")):
                if any(factor in metric for factor in results["profile_tasks_grading"]["factors"]):
                    compared += 1
                if value is None:
                    assert math.isnan(theirs[metric]), metric
                else:
                    assert value == pytest.approx(theirs[metric], abs=1e-12), metric
    assert compared > 60


@pytest.mark.slow
def test_a_panel_gives_the_numbers_of_the_inspect_task(
    run: Run, tmp_path: Path, samples: Samples, read_inspect_log: Callable[..., Any]
) -> None:
    panel, factors = ((0.1, 1), (0.13, 2), (0.16, 3)), "length,hallucination,fluency,coherence"
    given = {"grader": panel, "factors": factors, "limit": SOURCES}
    (scored,) = read_inspect_log("verbose", **given).results.scores
    graders = [
        f"{{model: planted/grader, model_args: {{error_rate: {rate}, seed: {seed}}}}}"
        for rate, seed in panel
    ]
    output = tmp_path / "graded.json"
    run(
        "score-lm-eval", *samples, *(part for each in graders for part in ("--grader", each)),
        "--factors", factors, "--no-cache", "--log-dir", tmp_path / "logs", "-o", output,
    )  # fmt: skip
    results = json.loads(output.read_text())
    grading, row = (
        results["profile_tasks_grading"],
        results["results"]["profile_summarization_discrimination"],
    )
    names = [f"planted/grader #{place}" for place in (1, 2, 3)]
    assert grading["graders"] == names
    for name in ("tau_human_fluency", "tau_discrimination_hallucination", "tau_human_length"):
        for end in ("", "_ci_low", "_ci_high"):
            theirs = scored.metrics[f"{name}{end}"].value
            assert row[f"{name}{end},none"] == pytest.approx(theirs, abs=1e-12)
    alone = scored.metadata["profile"]["panel"]["graders"]
    for name in names:
        for perspective in ("human", "generation"):
            assert grading["panel"]["graders"][name][perspective] == alone[name][perspective]
    assert "grader_alpha_fluency,none" in row


@pytest.mark.parametrize(
    "grader",
    ["{model: planted/grader", "{model_args: 3, model: a/b}", "{modle: planted/grader}"],
)
def test_a_grader_in_yaml_that_cannot_be_read_is_told(
    grader: str, run: Run, of_two_sources: Samples
) -> None:
    told = run("score-lm-eval", *of_two_sources, "--grader", grader, exit_code=2).output
    assert f"--grader {grader}: " in told


def test_what_lm_eval_measured_stays(
    score: Callable[..., dict[str, Any]], samples: Samples
) -> None:
    generation, _ = samples
    results = score(generation, "--factors", "fluency,length")
    row = results["results"]["profile_summarization_generation"]
    assert row["words_at_score_5,none"] > row["words_at_score_1,none"]
    assert row["tau_generation_fluency,none"] is not None
    assert row["tau_generation_fluency_stderr,none"] > 0
    assert results["config"]["model"] == "planted"
    other = results["results"]["profile_summarization_discrimination"]
    assert "tau_discrimination_fluency,none" not in other


def test_graded_factors_are_added_to_own_pairs_too(
    score: Callable[..., dict[str, Any]],
    samples: Samples,
    read_inspect_log: Callable[..., Any],
) -> None:
    own = own_samples(samples[0])
    (scored,) = read_inspect_log("verbose", grader=GRADER, limit=SOURCES).results.scores
    results = score(own, *samples)["results"]
    row = results["profile_summarization_own_pairs"]
    for name in ("tau_own_fluency", "tau_own_hallucination_ci_low", "tau_generation_coherence"):
        assert row[f"{name},none"] == pytest.approx(scored.metrics[name].value, abs=1e-12), name
    for kind in ("generation", "discrimination"):
        taus = [name for name in results[f"profile_summarization_{kind}"] if "tau_own" in name]
        assert taus == []


def own_samples(generation: Path) -> Path:
    """Samples in which the model judges what it wrote there."""
    from lm_eval import simple_evaluate
    from lm_eval.loggers import EvaluationTracker

    from profile_tasks.lm_eval_runner.run import OwnTaskManager

    task = "profile_summarization_own_pairs"
    results = simple_evaluate(
        model="planted",
        model_args={"profile": "verbose"},
        tasks=[task],
        task_manager=OwnTaskManager(metadata={"texts": str(generation), "limit": SOURCES}),
        bootstrap_iters=0,
    )
    assert results is not None
    tracker = EvaluationTracker(output_path=str(generation.parent))
    tracker.general_config_tracker.model_name_sanitized = "own"
    tracker.date_id = "now"
    tracker.save_results_samples(task, results["samples"][task])
    (written,) = generation.parent.rglob("samples_*_own_pairs_*.jsonl")
    return written


def tokens_paid(results: dict[str, Any]) -> int:
    from inspect_ai.log import read_eval_log

    log = read_eval_log(results["profile_tasks_grading"]["log"], header_only=True)
    assert [step.solver for step in log.plan.steps] == ["profile_tasks/replayed_answers"]
    return sum(usage.total_tokens for usage in log.stats.model_usage.values())


def test_a_second_grading_pays_for_nothing(
    score: Callable[..., dict[str, Any]], of_two_sources: Samples
) -> None:
    first, second = (score(*of_two_sources, "--factors", "fluency,hallucination") for _ in "ab")
    assert second["results"] == first["results"]
    assert tokens_paid(first) > 1000
    assert tokens_paid(second) == 0


def test_batched_grading_gives_the_numbers_of_a_single_one_for_fewer_requests(
    score: Callable[..., dict[str, Any]], of_two_sources: Samples
) -> None:
    single, batched = (
        score(*of_two_sources, "--grading", grading)["results"] for grading in ("single", "batched")
    )
    asked = "grader_requests,none"
    assert sum(row.pop(asked, 0) for row in batched.values()) < (
        sum(row.pop(asked, 0) for row in single.values()) / 3
    )
    assert batched.keys() == single.keys()
    for task, row in single.items():
        assert batched[task] == pytest.approx(row, nan_ok=True)


def test_the_results_stand_beside_those_of_lm_eval(
    run: Run, of_two_sources: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "cache"))
    shown = run(
        "score-lm-eval", *of_two_sources, "--grader", GRADER,
        "--factors", "fluency,hallucination,length", "--log-dir", tmp_path / "logs",
    ).stdout  # fmt: skip
    (graded,) = of_two_sources[0].parent.glob("results_*_graded_by_planted_grader.json")
    assert str(graded) in shown.replace("\n", "")
    assert "planted/verbose, graded by planted/grader" in shown
    assert json.loads(graded.read_text())["profile_tasks_grading"]["factors"] == [
        "fluency", "hallucination", "length",
    ]  # fmt: skip


def test_samples_of_two_models_are_not_joined(run: Run, samples: Samples, tmp_path: Path) -> None:
    generation, discrimination = samples
    for name, text in ((generation, "balanced"), (discrimination, "verbose")):
        folder = tmp_path / text
        folder.mkdir()
        (folder / name.name).write_bytes(name.read_bytes())
        (results,) = name.parent.glob("results_*[0-9].json")
        changed = json.loads(results.read_text())
        changed["config"]["model_args"] = {"profile": text}
        (folder / results.name).write_text(json.dumps(changed))
    error = run(
        "score-lm-eval", tmp_path / "balanced" / generation.name,
        tmp_path / "verbose" / discrimination.name, "--grader", GRADER, exit_code=2,
    ).stderr  # fmt: skip
    assert "samples of several models (planted/balanced, planted/verbose)" in error


def test_no_gap_over_other_factors_is_left(
    score: Callable[..., dict[str, Any]], of_two_sources: Samples
) -> None:
    results = score(of_two_sources[0], "--factors", "fluency,length")
    left = [k for row in results["results"].values() for k in row if k.startswith("alignment_gap")]
    assert left == []
    row = results["results"]["profile_summarization_generation"]
    assert "generation_truncated_rate,none" not in row


@pytest.mark.slow
def test_json_stands_alone_on_stdout(samples: Samples, tmp_path: Path) -> None:
    # A process of its own, in which Inspect introduces itself for the first time.
    done = subprocess.run(
        [sys.executable, "-c", "from profile_tasks.cli import main; main()", "score-lm-eval",
         str(samples[0]), "--grader", GRADER, "--factors", "fluency", "--format", "json",
         "-o", str(tmp_path / "out.json"), "--log-dir", str(tmp_path / "logs")],
        check=True, capture_output=True, text=True, cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
    )  # fmt: skip
    assert json.loads(done.stdout) == json.loads((tmp_path / "out.json").read_text())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere.jsonl", "--grader", GRADER), "nowhere.jsonl: there is no such file of samples"),
        (("SAMPLES", "--grader", "planted/nobody"), "--grader planted/nobody: "),
        (("SAMPLES", "--grader", GRADER, "--factors", "beauty"), "beauty"),
        (("SAMPLES", "SAMPLES", "--grader", GRADER), "a file is given twice"),
    ],
)
def test_mistakes_are_told_in_one_line_before_anybody_is_asked(
    run: Run, samples: Samples, arguments: tuple[str, ...], message: str
) -> None:
    given = [str(samples[0]) if text == "SAMPLES" else text for text in arguments]
    error = run("score-lm-eval", *given, exit_code=2).stderr
    assert message in error
    assert len(error.splitlines()) == 1
