"""What lm-eval would tell late, or not at all, is told before a model is loaded."""

import ast
import importlib
import inspect
import json
import textwrap
from pathlib import Path
from typing import Any

import pytest

from profile_tasks.lm_eval_runner.run import validated_tasks
from profile_tasks.lm_eval_runner.validation import CheckedTask, check_chats, check_model

pytestmark = pytest.mark.filterwarnings("ignore")  # lm-eval and its dependencies warn

OWN_TASK = """
task: own_question
dataset_path: json
dataset_kwargs:
  data_files: {{test: {data}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{question}}}}"
doc_to_target: "{{{{answer}}}}"
process_results: !function own_functions.process_results
metric_list:
  - metric: exact
    aggregation: mean
    higher_is_better: true
  - metric: {second}
    aggregation: mean
    higher_is_better: true
metadata:
  version: 1.0
"""
OWN_FUNCTIONS = """
def process_results(doc, results):
    return {"exact": float(results[0] == doc["answer"]), "words": len(results[0].split())}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "data.jsonl"
    data.write_text(json.dumps({"question": "Why?", "answer": "Because."}) + "\n")
    (tmp_path / "own_functions.py").write_text(OWN_FUNCTIONS)
    (tmp_path / "own.yaml").write_text(OWN_TASK.format(data=data, second="words"))
    return tmp_path


def test_the_tasks_of_this_project_can_run() -> None:
    checked = validated_tasks("profile,profile_likelihood", metadata={})
    assert len(checked) == 12
    assert checked[0] == CheckedTask(
        "profile_summarization_generation", 24, 5, "generate_until", checked[0].metrics
    )
    assert checked[0].metrics > 60


def test_patterns_name_several_tasks() -> None:
    checked = validated_tasks(["profile_*_generation,profile_document_qa_gen*"], metadata={})
    assert [task.name for task in checked] == [
        f"profile_{task}_generation"
        for task in ("document_qa", "instruction_following", "summarization")
    ]


def test_a_group_beside_its_own_member_is_refused() -> None:
    with pytest.raises(ValueError, match="Duplicate task 'profile_summarization_discrimination'"):
        validated_tasks("profile_summarization,profile_summarization_d*", metadata={})


def test_a_task_of_the_users_own_is_checked_too(folder: Path) -> None:
    (checked,) = validated_tasks("own_question", metadata={}, include_path=str(folder))
    assert (checked.documents, checked.metrics) == (1, 2)


def test_a_metric_that_is_never_returned_is_named(folder: Path) -> None:
    own = folder / "own.yaml"
    own.write_text(own.read_text().replace("metric: words", "metric: length"))
    with pytest.raises(ValueError, match="metrics length are listed and never returned"):
        validated_tasks("own_question", metadata={}, include_path=str(folder))


def test_broken_yaml_is_named_with_its_line(folder: Path) -> None:
    (folder / "broken.yaml").write_text("task: x\nmetric_list: [\n")
    with pytest.raises(ValueError, match=r"broken\.yaml:3: not valid YAML"):
        validated_tasks("own_question", metadata={}, include_path=str(folder))


def test_yaml_cannot_run_code(folder: Path) -> None:
    (folder / "hostile.yaml").write_text("task: !!python/object/apply:os.getcwd []\n")
    with pytest.raises(ValueError, match=r"hostile\.yaml:1: not valid YAML"):
        validated_tasks("own_question", metadata={}, include_path=str(folder))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tasks": "profile_poems"}, r"'profile_poems' is unknown; did you mean 'profile'\?"),
        ({"tasks": "nowhere.yaml"}, r"--tasks nowhere\.yaml: there is no such file"),
        ({"include_path": "nowhere"}, "--include_path nowhere: no such folder"),
        ({"metadata": {"factor": "length"}}, "--metadata 'factor' is no setting"),
        ({"metadata": {"dataset": "nowhere.jsonl"}}, r"nowhere\.jsonl"),
        ({"metadata": {"factors": "beauty"}}, "beauty"),
        ({"metadata": {"factors": "core"}}, "grade them afterwards: profile-tasks score-lm-eval"),
        ({"model": "gpt-4o"}, "--model 'gpt-4o' is unknown. Must be one of: anthropic-chat"),
        ({"model": "openai-chat-completions"}, "takes chats only; add --apply_chat_template"),
        (
            {"model": "local-chat-completions", "chat_template": True,
             "tasks": "profile_document_qa_discrimination_loglikelihood"},
            "does not give; use profile_document_qa_discrimination, or a model such as hf",
        ),
        (
            {"model": "local-chat-completions", "chat_template": True,
             "tasks": "profile_document_qa_score_validity"},
            "which local-chat-completions does not give; use a model such as hf or vllm",
        ),
        ({"model": "onnxruntime"}, "needs generated text, which onnxruntime does not give"),
    ],
)  # fmt: skip
def test_mistakes_are_named_with_the_way_out(options: dict[str, Any], message: str) -> None:
    given = {"tasks": "profile_summarization", "metadata": {}} | options
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        validated_tasks(given.pop("tasks"), **given)


def test_every_chat_model_and_no_other_lacks_log_likelihoods() -> None:
    # Held against lm-eval's own classes, as far as they can be imported here.
    from lm_eval.models import MODEL_MAPPING

    from profile_tasks.lm_eval_runner.validation import NO_LIKELIHOODS

    looked_at = 0
    for name, target in MODEL_MAPPING.items():
        module, _, attribute = target.partition(":")
        try:
            found = getattr(importlib.import_module(module), attribute)
        except Exception:  # noqa: S112 - an optional backend that is not installed
            continue
        (function,) = ast.parse(textwrap.dedent(inspect.getsource(found.loglikelihood))).body
        assert isinstance(function, ast.FunctionDef)
        refuses = isinstance(function.body[-1], ast.Raise) and len(function.body) < 3
        assert refuses == (name in NO_LIKELIHOODS), name
        looked_at += 1
    assert looked_at > 8


def test_a_known_model_is_not_refused() -> None:
    for model in ("hf", "vllm", "planted", "dummy"):
        check_model(model)
        check_chats(model, False)
