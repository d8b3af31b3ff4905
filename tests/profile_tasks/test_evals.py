"""What listings of evaluations are told of each task, and what each task is made of."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from inspect_ai.util import registry_info

import profile_tasks
from profile_tasks.data.preferences import TASKS
from profile_tasks.data.public_sets import PUBLIC

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

FOLDER = Path(profile_tasks.__file__).parent / "evals"


def built(name: str, **arguments: Any) -> Any:
    """A task as Inspect's registry knows it by this name."""
    return getattr(import_module("profile_tasks._registry"), name)(**arguments)


def test_each_task_has_its_eval_yaml() -> None:
    assert sorted(path.parent.name for path in FOLDER.rglob("*.yaml")) == sorted(TASKS)


@pytest.mark.parametrize("task", TASKS)
def test_eval_yaml_says_what_is_so(task: str) -> None:
    said = yaml.safe_load((FOLDER / task / "eval.yaml").read_text(encoding="utf-8"))
    # What inspect_evals asks of an evaluation.
    assert {"title", "description", "group", "contributors", "version"} <= said.keys()
    found = built(task)
    (only,) = said["tasks"]
    assert (only["name"], only["dataset_samples"]) == (task, len(found.dataset))
    # Its letter is for changes of arguments, which leave results comparable.
    assert re.fullmatch(rf"{found.version}-[A-Z]", said["version"])
    assert {asset["source"]: asset["state"] for asset in said["external_assets"]} == {
        public.repository: (
            "pinned" if re.fullmatch("[0-9a-f]{40}", public.revision) else "floating"
        )
        for public in PUBLIC.values()
        if public.task == task
    }


@pytest.mark.parametrize(
    ("task", "arguments", "setup", "solver", "scorer"),
    [
        ("summarization", {}, None, "both_settings", "factor_profile"),
        (
            "summarization",
            {"setting": "generation"},
            None,
            "score_conditioned_generation",
            "factor_profile",
        ),
        (
            "summarization",
            {"setting": "discrimination"},
            None,
            "pairwise_discrimination",
            "factor_profile",
        ),
        ("document_qa", {"factors": "core"}, "grader_check", "both_settings", "factor_profile"),
        ("document_qa_feedback", {}, None, "feedback_revision", "feedback_profile"),
        ("document_qa_self_guided", {}, None, "self_guided_sampling", "self_guided_ranking"),
        ("document_qa_score_validity", {}, None, "text_likelihood", "text_validity"),
        ("document_qa_judge_audit", {}, None, "judge_probes", "judge_sensitivity"),
    ],
)
def test_a_log_names_what_the_task_is_made_of(
    task: str, arguments: dict[str, str], setup: str | None, solver: str, scorer: str
) -> None:
    made = built(task, **arguments)
    parts = [made.setup, made.solver, *made.scorer]
    assert [part and registry_info(part).name.removeprefix("profile_tasks/") for part in parts] == [
        setup, solver, scorer,
    ]  # fmt: skip
