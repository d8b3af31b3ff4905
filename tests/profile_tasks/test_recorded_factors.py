"""Factors that the data record: measured on annotated pairs by every road, missing elsewhere."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from inspect_ai import eval as inspect_eval
from inspect_ai import score
from inspect_ai.log import EvalLog

from profile_tasks.cli import main
from profile_tasks.scorers.inspect.complete_log import complete_log
from profile_tasks.scorers.inspect.full_profile import rescoring
from profile_tasks.scorers.inspect.profile_scorer import factor_profile
from profile_tasks.summarization import summarization

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

FACTORS = "length,readability,novel_words,invented_facts"
LABELLED = "invented_facts,coherence,length"


def run(tmp_path: Path, roles: dict[str, str] | None = None, **arguments: Any) -> EvalLog:
    (log,) = inspect_eval(
        summarization,
        task_args=arguments,
        model="planted/balanced",
        model_roles=roles,
        log_dir=str(tmp_path / "logs"),
        display="none",
        log_realtime=False,
    )
    assert log.status == "success", log.error
    return log


def profile(log: EvalLog) -> dict[str, Any]:
    assert log.results is not None
    (only,) = log.results.scores
    return only.metadata["profile"] | {"metrics": {n: m.value for n, m in only.metrics.items()}}


def command(*arguments: object) -> Any:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> EvalLog:
    return run(tmp_path_factory.mktemp("recorded"), factors=FACTORS)


def test_the_human_influence_is_that_of_the_command(log: EvalLog) -> None:
    options = ("--task", "summarization", "--factors", FACTORS, "--replicates", 1000)
    by_command = command("influence", "demo", *options, "--format", "json")["factors"]
    found = profile(log)
    for factor in FACTORS.split(","):
        counts = found["human"]["factors"][factor]
        for name in ("tau", "concordant", "discordant", "tied", "missing", "p_value", "adjusted"):
            assert counts[name] == by_command[factor][name], (factor, name)
        assert found["metrics"][f"tau_human_{factor}"] == by_command[factor]["tau"]
    assert by_command["invented_facts"]["tau"] < 0


def test_the_judge_is_measured_and_the_writer_is_missing_with_a_reason(log: EvalLog) -> None:
    found = profile(log)
    metrics = found["metrics"]
    assert -1 < metrics["tau_discrimination_invented_facts"] < 1
    assert metrics["tau_discrimination_invented_facts_ci_low"] < 0
    for name in ("tau_generation_invented_facts", "tau_generation_invented_facts_ci_low"):
        assert math.isnan(metrics[name])
    written = found["generation"]["factors"]["invented_facts"]
    assert written["tau"] is None
    assert written["missing"] == found["generation"]["n_pairs"]
    assert written["concordant"] == written["discordant"] == written["tied"] == 0
    assert found["reasons"]["tau_generation_invented_facts"] == (
        "the data record the factor for annotated responses alone"
    )
    assert "tau_generation_length" not in found["reasons"]
    # The gap is over the three factors that all the profiles define.
    assert not math.isnan(metrics["alignment_gap_tau_b"])


def test_the_log_says_what_the_factor_is(log: EvalLog) -> None:
    assert log.eval.metadata is not None
    assert log.eval.metadata["factors"] == FACTORS.split(",")
    assert log.eval.metadata["own_factors"].keys() == {"invented_facts"}
    assert log.eval.metadata["own_factors"]["invented_facts"]["kind"] == "recorded"
    assert rescoring(log).endswith(f"-S factors={FACTORS} -S recorded=invented_facts")


def test_scored_again_it_is_the_same(log: EvalLog) -> None:
    before = profile(log)["metrics"]
    scorer = factor_profile(task="summarization", factors=FACTORS, recorded="invented_facts")
    again = complete_log(score(log, scorer, action="overwrite", display="none"))
    after = profile(again)["metrics"]
    assert after == pytest.approx(before, abs=0, nan_ok=True)


@pytest.mark.parametrize("setting", ["discrimination", "generation"])
def test_lm_eval_gives_the_same_numbers(log: EvalLog, setting: str) -> None:
    from lm_eval import simple_evaluate

    from profile_tasks.lm_eval_runner.run import OwnTaskManager

    name = f"profile_summarization_{setting}"
    results = simple_evaluate(
        model="planted",
        model_args={"profile": "balanced"},
        tasks=[name],
        task_manager=OwnTaskManager(metadata={"factors": FACTORS}),
        bootstrap_iters=0,
    )
    assert results is not None
    settings = results["configs"][name]["metadata"]["settings"]
    assert (settings["factors"], settings["seed"], settings["orders"]) == (FACTORS, 0, 2)
    theirs = profile(log)["metrics"]
    for perspective in ("human", setting):
        for end in ("", "_ci_low", "_ci_high"):
            metric = f"tau_{perspective}_invented_facts{end}"
            value = results["results"][name][f"{metric},none"]
            if perspective == "generation":
                assert value is None
            else:
                assert value == pytest.approx(theirs[metric], abs=1e-12)


@pytest.fixture
def labelled(tmp_path: Path) -> str:
    """Two sources with two pairs each; people recorded coherence, and what is invented."""
    rows = [
        {
            "id": str(n), "task": "summarization", "group": f"g{n // 2}",
            "prompt": f"Summarize text {n // 2}.", "source": f"The ferry {n // 2} left. It rained.",
            "response_a": "The ferry left.", "response_b": "It rained, and the ferry left at nine.",
            "preference": "a",
            "factors": {"a": {"coherence": 4, "invented_facts": 0},
                        "b": {"coherence": 2, "invented_facts": 1}},
        }
        for n in range(4)
    ]  # fmt: skip
    file = tmp_path / "labelled.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return str(file)


def test_what_people_recorded_stands_in_for_a_grader_that_there_is_not(
    labelled: str, tmp_path: Path
) -> None:
    alone = run(tmp_path, dataset=labelled, factors=LABELLED, setting="discrimination")
    human = profile(alone)["human"]["factors"]
    # The preferred response is the more coherent one in each of the pairs.
    assert (human["coherence"]["concordant"], human["coherence"]["tau"]) == (4, 1)
    assert alone.stats.role_usage == {}
    graded = run(
        tmp_path,
        {"grader": "planted/grader"},
        dataset=labelled,
        factors=LABELLED,
        setting="discrimination",
    )
    assert profile(graded)["grading"]["graders"] == ["planted/grader"]
    assert graded.samples is not None
    (measured,) = (sample.scores["factor_profile"].metadata for sample in graded.samples[:1])
    assert measured["recorded"] == ["invented_facts"]


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ("length,invented_fact", "'invented_fact' is unknown; did you mean 'invented_facts'"),
        ("charm", r"'charm' is unknown\. Must be one of: auto, .*, invented_facts; or a taxonomy"),
        ("fluency", "need a grader"),
    ],
)
def test_what_is_neither_known_nor_recorded_is_refused(
    factors: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        run(tmp_path, factors=factors)


def test_a_name_that_no_metric_can_have_is_refused(tmp_path: Path) -> None:
    row = {
        "id": "1", "prompt": "Summarize.", "source": "It rained.", "response_a": "Rain.",
        "response_b": "Sun.", "preference": "a", "factors": {"a": {"yes/no": 1}},
    }  # fmt: skip
    (tmp_path / "pairs.jsonl").write_text(json.dumps(row), encoding="utf-8")
    with pytest.raises(ValueError, match="recorded factor 'yes/no': no metric may have a slash"):
        summarization(dataset=str(tmp_path / "pairs.jsonl"), factors="yes/no")


def test_a_recorded_factor_costs_nothing() -> None:
    options = ("cost", "demo", "--task", "summarization", "--format", "json", "--factors")
    found = command(*options, "length,invented_facts")
    assert found["factors"] == ["length", "invented_facts"]
    assert found["requests"] == command(*options, "length")["requests"]
