"""lm-eval through this project's command: results, and mistakes told before a model is loaded."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]

PLANTED = ("--model", "planted", "--model_args", "profile=verbose")


def lm_eval(
    *arguments: object, folder: Path, exit_code: int = 0
) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, since lm-eval configures logging for good."""
    done = subprocess.run(
        [sys.executable, "-c", "from profile_tasks.cli import main; main()", "lm-eval",
         *map(str, arguments)],
        check=False, capture_output=True, text=True, cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    assert done.returncode == exit_code, done.stdout + done.stderr
    return done


@pytest.mark.slow
def test_a_run_prints_the_table_and_writes_strict_json(tmp_path: Path) -> None:
    done = lm_eval(
        *PLANTED, "--tasks", "profile_summarization", "--limit", 9, "--log_samples",
        "--output_path", tmp_path / "out", folder=tmp_path,
    )  # fmt: skip
    assert "alignment_gap_tau_b" in done.stdout
    (results,) = (tmp_path / "out").rglob("results_*.json")

    def refuse(constant: str) -> None:
        raise AssertionError(f"{results} holds {constant}")

    read = json.loads(results.read_text(), parse_constant=refuse)
    row = read["results"]["profile_summarization_generation"]
    assert row["tau_generation_length,none"] > 0.5
    assert row["tau_generation_length_stderr,none"] > 0
    assert len(list((tmp_path / "out").rglob("samples_*.jsonl"))) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--tasks", "profile_poems"), "--tasks 'profile_poems' is unknown. Must be one of: "),
        (
            ("--metadata", '{"factor": "length"}'),
            "--metadata 'factor' is no setting; did you mean 'factors'?",
        ),
        (("--metadata", "{"), "Invalid JSON: {"),
        (("--model_args", '{"api_key": "sk-1"}'), "--model_args api_key: lm-eval writes model"),
        (
            ("--model_args", '{"header": {"Authorization": "Bearer sk-1"}}'),
            "--model_args Authorization: lm-eval writes model arguments into logs",
        ),
        (("--include_path", "nowhere"), "--include_path nowhere: no such folder"),
        (
            ("--model", "local-chat-completions", "--tasks", "profile_likelihood"),
            "needs log-likelihoods, which local-chat-completions does not give; use profile_",
        ),
        (("--model", "local-chat-completions"), "takes chats only; add --apply_chat_template"),
    ],
)
def test_mistakes_are_told_in_one_line_before_a_model_is_loaded(
    run: Run, arguments: tuple[str, ...], message: str
) -> None:
    given = ["--model", "planted", "--tasks", "profile_summarization", *arguments]
    error = run("lm-eval", *given, exit_code=2).stderr
    assert message in error
    assert len(error.splitlines()) == 1


def test_a_missing_data_file_is_named_in_one_line(run: Run) -> None:
    error = run(
        "lm-eval", *PLANTED, "--tasks", "profile_summarization_generation",
        "--metadata", '{"dataset": "nowhere.jsonl"}', exit_code=2,
    ).stderr  # fmt: skip
    assert "nowhere.jsonl" in error.splitlines()[-1]


def test_the_folder_of_the_tasks_holds_them(run: Run) -> None:
    folder = Path(run("task-configs").stdout.strip())
    assert (folder / "summarization" / "generation.yaml").is_file()
