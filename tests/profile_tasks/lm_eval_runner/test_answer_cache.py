"""lm-eval against a faulty server: what cannot be read is missing, what was answered is kept."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from profile_tasks.lm_eval_runner.answer_cache import NoEchoError, answers_kept

REQUESTS = 20
METADATA = json.dumps({"max_pairs_per_source": 1, "scores": "1,2,3"})


@pytest.fixture
def server(faults: Any) -> Iterator[Any]:
    served = faults.FaultyServer()
    yield served
    served.close()


def lm_eval(
    folder: Path, url: str, *options: object, kind: str = "local-chat-completions", **model: object
) -> subprocess.CompletedProcess[str]:
    given = {
        "base_url": url,
        "model": "m",
        "num_concurrent": 4,
        "max_retries": 2,
        "tokenizer_backend": "none",
    } | model
    return subprocess.run(
        [sys.executable, "-c", "from profile_tasks.cli import main; main()", "lm-eval",
         "--model", kind, "--model_args", ",".join(f"{k}={v}" for k, v in given.items()),
         "--limit", "4", "--metadata", METADATA, "--log_samples", "--output_path",
         folder / "out", *map(str, options)],
        check=False, capture_output=True, text=True, cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "HF_HUB_OFFLINE": "1"}
        | {"OPENAI_API_KEY": "sk-local-4f9c2d7e81b35a60", "NO_PROXY": "127.0.0.1"},
    )  # fmt: skip


def chats(
    server: Any, folder: Path, *options: object, **model: object
) -> subprocess.CompletedProcess[str]:
    return lm_eval(
        folder, f"{server.url}/chat/completions", "--apply_chat_template",
        "--tasks", "profile_summarization", "--use_cache", folder / "answers", *options, **model,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("at_once", [1, 4])
@pytest.mark.parametrize("kind", ["200, broken JSON", "200, choices []", "400"])
def test_what_nobody_can_read_is_missing_and_asked_for_by_the_next_run(
    kind: str, at_once: int, faults: Any, server: Any, tmp_path: Path
) -> None:
    server.fault = faults.KINDS[kind]
    done = chats(server, tmp_path, num_concurrent=at_once)
    assert done.returncode == 0, done.stderr
    assert "answers are missing" in done.stderr
    row = faults.Row()
    leaves = faults.lm_eval_leaves(faults.Setup("", tmp_path))
    faults.compare_leaves(leaves, server, row)
    assert (row.lost, row.wrong) == (0, 0)
    assert 0 < row.missing < REQUESTS

    server.fault, answered = None, server.answered
    assert chats(server, tmp_path, num_concurrent=at_once).returncode == 0
    assert server.answered == REQUESTS
    assert server.paid_twice == 0
    assert answered < REQUESTS


@pytest.mark.slow
def test_two_models_that_share_a_cache_have_answers_of_their_own(
    server: Any, tmp_path: Path
) -> None:
    asked = []
    for model, at_once in (("a", 4), ("b", 4), ("a", 2), ("b", 4)):
        done = chats(server, tmp_path, model=model, num_concurrent=at_once)
        assert done.returncode == 0, done.stderr
        asked.append(len(server.asked))
    assert asked == [REQUESTS, 2 * REQUESTS, 2 * REQUESTS, 2 * REQUESTS]


@pytest.mark.slow
@pytest.mark.parametrize("at_once", [1, 4])
def test_a_refused_key_ends_the_run_in_one_line_that_says_where_the_answers_are(
    at_once: int, faults: Any, server: Any, tmp_path: Path
) -> None:
    server.fault, server.middle = faults.KINDS["401 from the middle on"], 8
    done = chats(server, tmp_path, num_concurrent=at_once)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    (told,) = (line for line in done.stderr.splitlines() if line.startswith("Error: "))
    assert told.startswith("Error: the model did not answer: ")
    assert "401" in told
    assert f"Answers so far are in {tmp_path / 'answers'}_rank0.db" in told
    assert told.endswith("the same command sends only what is missing")


@pytest.mark.slow
def test_half_a_character_is_in_no_file(faults: Any, server: Any, tmp_path: Path) -> None:
    server.fault = faults.KINDS["200, lone surrogate in the text"]
    assert chats(server, tmp_path).returncode == 0
    held = "".join(file.read_text("utf-8") for file in tmp_path.rglob("samples_*.jsonl"))
    assert "\ufffd" in held


@pytest.mark.slow
def test_completions_without_echo_end_in_one_line(tiny_model: Path, tmp_path: Path) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            logprobs = {"token_logprobs": [-1.0], "top_logprobs": [{"x": -1.0}]}
            choice = {"index": 0, "text": "x", "logprobs": logprobs}
            content = json.dumps({"choices": [choice]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
        done = lm_eval(
            tmp_path, f"http://127.0.0.1:{http.server_port}/v1/completions",
            "--tasks", "profile_summarization_discrimination_loglikelihood",
            kind="local-completions", tokenizer_backend="huggingface", tokenizer=tiny_model,
            num_concurrent=1,
        )  # fmt: skip
        http.shutdown()
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert any("`echo`" in line for line in done.stderr.splitlines() if line.startswith("Error: "))


@pytest.mark.filterwarnings("ignore")  # lm-eval and its dependencies warn
def test_log_probabilities_of_a_written_token_are_not_taken_for_those_of_the_text() -> None:
    from lm_eval.models.openai_completions import LocalCompletionsAPI

    def reply(*told: float) -> dict[str, Any]:
        top = [{"x": value} for value in told]
        logprobs = {"token_logprobs": list(told), "top_logprobs": top}
        return {"choices": [{"index": 0, "logprobs": logprobs}]}

    with answers_kept("m"):
        assert LocalCompletionsAPI.parse_logprobs(reply(-9, -9, -1, -2, -5), ctxlens=[2]) == [
            (-3, True)
        ]
        for silent in (reply(-5), {"choices": [{"index": 0, "text": "x"}]}):
            with pytest.raises(NoEchoError, match="`echo`"):
                LocalCompletionsAPI.parse_logprobs(silent, ctxlens=[2])
