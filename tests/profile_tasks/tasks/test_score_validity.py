"""Score validity in Inspect: the numbers of lm-eval, compliance for every model."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import Model, ModelOutput, ModelUsage, get_model

from profile_tasks.tasks.score_validity import (
    document_qa_score_validity,
    instruction_following_score_validity,
    summarization_score_validity,
)

pytestmark = pytest.mark.filterwarnings("ignore")  # both harnesses and their dependencies warn

TASKS = {
    "summarization": summarization_score_validity,
    "instruction_following": instruction_following_score_validity,
    "document_qa": document_qa_score_validity,
}


def run(task: Task, folder: Path, model: str | Model = "planted/verbose") -> EvalLog:
    (log,) = inspect_eval(
        task, model=model, log_dir=str(folder), display="none", log_realtime=False
    )
    return read_eval_log(log.location)


def values(log: EvalLog) -> dict[str, float]:
    assert log.results is not None, log.error
    return {name: metric.value for name, metric in log.results.scores[0].metrics.items()}


@pytest.fixture(scope="module")
def generation(inspect_log: Any) -> str:
    return str(inspect_log("verbose", setting="generation"))


@pytest.mark.parametrize("name", TASKS)
def test_the_numbers_are_those_of_lm_eval(name: str, tmp_path: Path) -> None:
    from lm_eval import simple_evaluate

    from profile_tasks.lm_eval_runner.run import OwnTaskManager

    found = values(run(TASKS[name](), tmp_path))
    task = f"profile_{name}_score_validity"
    results = simple_evaluate(
        model="planted",
        model_args={"profile": "verbose"},
        tasks=[task],
        task_manager=OwnTaskManager(),
        bootstrap_iters=0,
    )
    assert results is not None
    compared = 0
    for key, value in results["results"][task].items():
        metric = key.removesuffix(",none")
        if metric in found:
            assert value == pytest.approx(found[metric], abs=1e-12), metric
            compared += 1
    assert compared == 8


def test_texts_of_a_run_are_valid_to_who_wrote_them(generation: str, tmp_path: Path) -> None:
    log = run(summarization_score_validity(texts=generation), tmp_path)
    found = values(log)
    assert found["score_validity_within_ci_low"] > 0.5
    assert found["score_compliance"] == 1
    assert found["score_validity_missing"] == 0
    explanation = log.samples[0].scores["text_validity"].explanation
    assert "the text for the highest score is the better of the extremes" in explanation
    other = values(run(summarization_score_validity(texts=generation), tmp_path, "planted/concise"))
    assert other["score_validity_within_ci_high"] < -0.5
    assert other["score_compliance"] == 0


def always_the_first() -> Model:
    """A model that sees nothing but the position, and has no log-probabilities."""

    def outputs() -> Iterator[ModelOutput]:
        while True:
            output = ModelOutput.from_content("mockllm/model", "Verdict: A")
            output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
            yield output

    return get_model("mockllm/model", custom_outputs=outputs(), memoize=False)


def test_compliance_needs_no_log_likelihoods(generation: str, tmp_path: Path) -> None:
    task = summarization_score_validity(texts=generation, measure="compliance", limit=9)
    found = values(run(task, tmp_path, always_the_first()))
    # Nine sources that all tie are nine observations of one half.
    assert 0.1 < found.pop("score_compliance_ci_low") < 0.2
    assert 0.8 < found.pop("score_compliance_ci_high") < 0.9
    assert found == {
        "score_compliance": 0.5,
        "score_compliance_unreadable": 0,
    }


def test_a_model_without_log_likelihoods_is_refused_before_it_is_asked(tmp_path: Path) -> None:
    log = run(summarization_score_validity(limit=2), tmp_path, "mockllm/model")
    assert log.status == "error"
    assert "gives no log-likelihoods of given texts" in log.error.message
    assert not log.stats.model_usage


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"measure": "all"}, "measure is 'all'. Must be one of: both, likelihood, compliance"),
        ({"texts": "nowhere.eval"}, r"nowhere\.eval: there is no such log"),
        ({"limit": 0}, "limit is 0"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        summarization_score_validity(**arguments)


def test_texts_about_other_sources_are_refused(generation: str) -> None:
    with pytest.raises(ValueError, match="have no source in common"):
        document_qa_score_validity(texts=generation)
