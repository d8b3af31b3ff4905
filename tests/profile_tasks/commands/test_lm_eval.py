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
        (
            ("--tasks", "profile_poems"),
            "--tasks 'profile_poems' is unknown; did you mean 'profile'?",
        ),
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


KEY = "3kXy9q-S3CRET"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--model_args", f"model=x,aws_secret_access_key={KEY},n=1"), "aws_secret_access_key"),
        (("--model_args", f"model=x,vertex_credentials={KEY}"), "vertex_credentials"),
        (("--model_args", "model=x", f"secret_key={KEY}"), "secret_key"),
        (("--model_args", f"header={{'X-Api-Key': '{KEY}'}}"), "X-Api-Key"),
        (("--model_args", f'{{"a": [{{"private_key": "{KEY}"}}]}}'), "private_key"),
        (("--model_args", f"base_url=http://me:{KEY}@host/v1"), "base_url"),
        (("--model_args", f"base_url=http://host/v1?key={KEY}"), "base_url"),
        (("--model_args", f'{{"credentials": "{KEY}"'), "Invalid JSON"),
        (("--model_args", f"api_key={KEY},{KEY}"), "expected `key=value`"),
        (("--gen_kwargs", f"access_key={KEY}"), "--gen_kwargs access_key"),
        (("--metadata", f'{{"dataset": "https://me:{KEY}@host/a.csv"}}'), "--metadata dataset"),
        (("--config", "run.yaml"), "--config run.yaml, model_args: aws_session_token"),
    ],
)
def test_a_key_among_the_arguments_is_refused_and_neither_printed_nor_written(
    run: Run,
    arguments: tuple[str, ...],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    written = f'model: dummy\nmodel_args: "model=x,aws_session_token={KEY}"\n'
    Path("run.yaml").write_text(written, encoding="utf-8")
    given = ["--model", "dummy", "--tasks", "profile_summarization", "--output_path", "out"]
    result = run("lm-eval", *given, *arguments, exit_code=2)
    assert told in result.stderr
    assert KEY not in result.output
    assert not Path("out").exists()


@pytest.mark.slow
def test_arguments_about_tokens_are_no_keys(tmp_path: Path) -> None:
    given = "add_bos_token=True,think_end_token=</think>,eos_token=</s>,max_new_tokens=4"
    lm_eval(
        "--model", "dummy", "--model_args", given, "--tasks", "profile_summarization_generation",
        "--limit", 2, "--output_path", tmp_path / "out", folder=tmp_path,
    )  # fmt: skip
    (results,) = (tmp_path / "out").rglob("results_*.json")
    assert json.loads(results.read_text())["config"]["model_args"] == {
        "add_bos_token": True,
        "think_end_token": "</think>",
        "eos_token": "</s>",
        "max_new_tokens": 4,
    }


@pytest.mark.slow
def test_a_key_in_a_process_of_its_own_is_neither_printed_nor_written(tmp_path: Path) -> None:
    done = lm_eval(
        "--model", "dummy", "--model_args", f"model=x,aws_secret_access_key={KEY}",
        "--tasks", "profile_summarization_generation", "--limit", 2,
        "--output_path", tmp_path / "out", folder=tmp_path, exit_code=2,
    )  # fmt: skip
    assert "--model_args aws_secret_access_key: lm-eval writes model arguments" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert KEY not in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_missing_data_file_is_named_in_one_line(run: Run) -> None:
    error = run(
        "lm-eval", *PLANTED, "--tasks", "profile_summarization_generation",
        "--metadata", '{"dataset": "nowhere.jsonl"}', exit_code=2,
    ).stderr  # fmt: skip
    assert "nowhere.jsonl" in error.splitlines()[-1]


def test_the_folder_of_the_tasks_holds_them(run: Run) -> None:
    folder = Path(run("task-configs").stdout.strip())
    assert (folder / "summarization" / "generation.yaml").is_file()
