"""The command that checks lm-eval tasks before anything is paid for."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]

pytestmark = pytest.mark.filterwarnings("ignore")  # lm-eval and its dependencies warn


def test_what_can_run_is_listed_with_its_requests(run: Run) -> None:
    shown = run(
        "validate", "--tasks", "profile_document_qa", "--model", "local-chat-completions",
        "--apply_chat_template", "--metadata", "limit=4,factors=length", "--format", "json",
    ).stdout  # fmt: skip
    tasks = {task["name"]: task for task in json.loads(shown)["tasks"]}
    assert tasks["profile_document_qa_generation"]["documents"] == 4
    assert tasks["profile_document_qa_generation"]["requests"] == 5


def test_the_table_says_so_in_words(run: Run) -> None:
    assert "these tasks can run" in run("validate", "--tasks", "profile_summarization").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--metadata", "{"), "--metadata: "),
        (("--metadata", '{"scores": [1]}'), "metadata 'scores' is [1]"),
        (("--tasks", "profile_likelihood", "--model", "litellm", "--apply_chat_template"), "does"),
        (("--tasks", "nothing"), "--tasks 'nothing' is unknown"),
    ],
)
def test_mistakes_end_with_one_line(run: Run, arguments: tuple[str, ...], message: str) -> None:
    error = run("validate", *arguments, exit_code=2).stderr
    assert message in error
    assert len(error.splitlines()) == 1


def test_a_broken_data_file_is_named_with_its_line(run: Run, tmp_path: Path) -> None:
    data = tmp_path / "pairs.jsonl"
    data.write_text('{"id": "1", "preference": "A>B"}\n')
    error = run(
        "validate", "--tasks", "profile_summarization", "--metadata",
        json.dumps({"dataset": str(data)}), exit_code=2,
    ).stderr  # fmt: skip
    assert "pairs.jsonl:1: missing field" in error
