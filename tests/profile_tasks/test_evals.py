"""What listings of evaluations are told of each task, and what each task is made of."""

import ast
import re
from collections.abc import Callable
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from inspect_ai.util import registry_info

import profile_tasks
from profile_tasks.data.public_sets import PUBLIC

TASKS = ("summarization", "instruction_following", "document_qa")
"""Those with a name of their own in Inspect."""

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

FOLDER = Path(profile_tasks.__file__).parent / "evals"


def built(name: str, **arguments: Any) -> Any:
    """A task as Inspect's registry knows it by this name."""
    return getattr(import_module("profile_tasks._registry"), name)(**arguments)


def entry(task: str) -> dict[str, Any]:
    """What we tell the inspect_evals register of a task."""
    said: dict[str, Any] = yaml.safe_load((FOLDER / task / "eval.yaml").read_text(encoding="utf-8"))
    return said


def test_each_task_has_its_eval_yaml() -> None:
    assert sorted(path.parent.name for path in FOLDER.rglob("*.yaml")) == sorted(TASKS)


@pytest.mark.parametrize("task", TASKS)
def test_eval_yaml_says_what_is_so(task: str, repository: Path) -> None:
    said = entry(task)
    assert said["arxiv"] in (repository / "task_configs" / task / "README.md").read_text("utf-8")
    assert len(said["description"].split()) <= 80  # what the register asks of a description
    found = built(task)
    (only,) = said["tasks"]
    assert (only["name"], only["dataset_samples"]) == (task, len(found.dataset))
    # The register finds the task in this file, which may hold no other one.
    file = ast.parse((repository / only["task_path"]).read_text(encoding="utf-8"))
    tasks = [
        part.name
        for part in ast.walk(file)
        if isinstance(part, ast.FunctionDef)
        and any(isinstance(mark, ast.Name) and mark.id == "task" for mark in part.decorator_list)
    ]
    assert tasks == [task]


@pytest.mark.parametrize("task", TASKS)
def test_eval_yaml_says_where_a_public_set_is_pinned(task: str) -> None:
    (name,) = (name for name, public in PUBLIC.items() if public.task == task)
    public = PUBLIC[name]
    pinned = re.fullmatch("[0-9a-f]{40}", public.revision)
    assert (
        f"-T dataset={name} fetches {public.repository} at {public.revision}: "
        f"{'pinned.' if pinned else 'a branch, not pinned,'}"
    ) in entry(task)["tasks"][0]["comment"]


@pytest.mark.parametrize("task", TASKS)
def test_the_register_accepts_the_entry(task: str, repository: Path) -> None:
    register = pytest.importorskip(
        "inspect_evals.metadata", reason="pip install --no-deps inspect-evals"
    )
    resolver = import_module("register_tooling.task_resolver")
    source = {"repository_url": "https://github.com/owner/name", "repository_commit": "0" * 40}
    read = register.ExternalEvalMetadata(id=f"profile_{task}", source=source, **entry(task))
    assert (read.package, [each.name for each in read.benchmark_tasks]) == ("name", [task])
    file = (repository / read.tasks[0].task_path).read_text(encoding="utf-8")
    assert resolver.resolve_task(file, line_anchor=None).name == task


# The evaluation report ----------------------------------------------------------------------------

ROWS = {
    "tau_human_length": "tau of length: people",
    "tau_generation_length": "tau of length: writer",
    "alignment_generation_tau_b": "alignment of the writer with people, tau_b",
    "generation_missing_rate": "texts missing",
    "generation_score_talk_rate": "talk of the score",
    "generation_loop_rate": "loops",
    "generation_identical_rate": "pairs of equal texts",
    "unreadable_rate": "unreadable verdicts, by the word",
    "first_position_rate": "first position picked, by the word",
    "flip_rate": "flips, by the word",
    "discrimination_accuracy_half_credit": "accuracy, half credit, by the word",
}
"""Metric of an entry -> what its row is called in docs/findings.md."""


def rows(page: str) -> dict[str, list[str]]:
    """First cell of each row of the tables -> its other cells."""
    cells = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("| ")]
    return {row[0].strip(): [cell.strip() for cell in row[1:]] for row in cells}


@pytest.fixture(scope="module")
def report(repository: Path) -> str:
    return (repository / "docs" / "evaluation-report.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def findings(repository: Path) -> str:
    return (repository / "docs" / "findings.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("task", TASKS)
def test_the_figures_of_an_entry_stand_in_the_findings(task: str, findings: str) -> None:
    table = findings.partition("<!-- smollm2: begin -->")[2].partition("<!-- smollm2: end -->")[0]
    heads = next(line for line in table.splitlines() if line.startswith("|")).split("|")[2:]
    column = next(n for n, head in enumerate(heads) if head.split()[:1] == [task])
    (result,) = entry(task)["evaluation_report"]["results"]
    assert {metric["key"] for metric in result["metrics"]} == set(ROWS)
    for metric in result["metrics"]:
        cell = rows(table)[ROWS[metric["key"]]][column]
        ends = [metric[end] for end in ("ci_low", "ci_high") if end in metric]
        assert [float(x) for x in re.findall(r"[+-]?\d+\.\d+", cell)] == [metric["value"], *ends]


@pytest.mark.parametrize("task", TASKS)
def test_the_report_gives_the_command_that_was_run(
    task: str, report: str, benchmark: Callable[[str], Any]
) -> None:
    script = benchmark("real_model")
    told = entry(task)["evaluation_report"]
    assert told["command"] == " ".join(script.question(task, Path(f"{script.FILES[task]}.jsonl")))
    assert f"\n{told['command']}\n" in report
    assert told["timestamp"] in report
    assert f"`{told['commit'][:7]}`" in report


@pytest.mark.parametrize("task", TASKS)
def test_the_report_is_of_this_version_or_says_of_which(task: str, report: str) -> None:
    version = entry(task)["evaluation_report"]["version"]
    assert int(version) <= built(task).version
    assert f"Task version {version}," in report


def test_every_row_of_the_report_is_one_of_the_findings(report: str, findings: str) -> None:
    results = report.partition("## Results")[2].partition("## Reproducibility")[0]
    there = set(findings.splitlines())
    told = [line for line in results.splitlines() if line.startswith("| ")]
    assert len(told) >= 15
    assert [line for line in told if line not in there] == []
    assert "people's tau of length −0.41 [−0.52, −0.29]" in report
    assert "People's tau of length: −0.41 [−0.52, −0.29]." in findings


@pytest.mark.parametrize("task", TASKS)
def test_the_report_pins_the_demonstration_data(task: str, report: str) -> None:
    name = f"profile_tasks/data/demo/{task}.jsonl"
    file = Path(profile_tasks.__file__).parent / "data" / "demo" / f"{task}.jsonl"
    pinned = f"| `{name}` | SHA-256 `{sha256(file.read_bytes()).hexdigest()}` |"
    assert pinned in report, f"docs/evaluation-report.md has to say: {pinned}"


def test_the_report_says_which_public_sets_are_pinned(report: str) -> None:
    for name, public in PUBLIC.items():
        row = next(
            line for line in report.splitlines() if re.match(rf"\| .*`{name}`.*hub \|", line)
        )
        assert ("**not pinned**" in row) != bool(re.fullmatch("[0-9a-f]{40}", public.revision))


# What a task is made of ---------------------------------------------------------------------------


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
