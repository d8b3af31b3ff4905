"""lm-eval's own models over these tasks: a transformers model, and a chat API on a real socket."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_RDWR
from threading import Lock, Thread
from typing import Any

import pytest

from profile_tasks.planted.annotator import PlantedAnnotator, planted_profile

pytestmark = pytest.mark.slow

Row = dict[str, Any]

SOURCES = 4
KEY = "sk-local-72b1e0c95d"

VERDICTS = {
    f"{name}{end}"
    for name in (
        "discrimination_accuracy_half_credit",
        "discrimination_accuracy",
        "flip_rate",
        "first_position_rate",
        "unreadable_rate",
    )
    for end in ("", "_ci_low", "_ci_high")
} | {"discrimination_decided_pairs"}
DISCRIMINATION = VERDICTS | {
    f"tau_{side}_{factor}{end}"
    for side in ("human", "discrimination")
    for factor in ("length", "novel_words")
    for end in ("", "_ci_low", "_ci_high")
}
EXPECTED = {
    "profile_summarization_generation": {
        "tau_human_length",
        "tau_generation_length",
        "alignment_generation_tau_b",
        "words_at_score_1",
        "words_at_score_5",
        "generation_missing_rate",
        "rougeL",
    },
    "profile_summarization_discrimination": DISCRIMINATION | {"alignment_gap_tau_b"},
    "profile_summarization_discrimination_loglikelihood": DISCRIMINATION
    | {"discrimination_accuracy_tie_calibrated", "discrimination_tie_threshold"},
    "profile_summarization_score_validity": {
        f"{name}{end}"
        for name in ("score_validity_within", "score_validity_pooled")
        for end in ("", "_ci_low", "_ci_high")
    },
}
"""Task -> metrics that a run of it must hold, whatever the model; a new task needs a line here."""


OURS = ("-c", "from profile_tasks.cli import main; main()")


def command(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """A process of its own, since lm-eval configures logging for good."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        check=False, capture_output=True, text=True, cwd=folder,
        env=os.environ
        | {"PYTHONPATH": str(Path(__file__).parents[2]), "HF_HUB_OFFLINE": "1"}
        | {"OPENAI_API_KEY": KEY, "NO_PROXY": "127.0.0.1"},
    )  # fmt: skip


def rows(folder: Path) -> Mapping[str, Row]:
    """Task -> its results, out of the one results file, which has to be strict JSON."""
    (file,) = folder.rglob("results_*.json")

    def refuse(constant: str) -> None:
        raise AssertionError(f"{file} holds {constant}")

    found: Mapping[str, Row] = json.loads(file.read_text(), parse_constant=refuse)["results"]
    return found


# A transformers model ----------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["as text", "as chat"])
def stock_run(
    request: pytest.FixtureRequest, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Row]:
    """One run of the stock command over all tasks, since it indexes its own for 20 seconds."""
    folder = tmp_path_factory.mktemp("stock")
    printed = command(*OURS, "task-configs", folder=folder)
    done = command(
        "-m", "lm_eval", "--include_path", printed.stdout.strip(), "--tasks", ",".join(EXPECTED),
        "--model", "hf", "--model_args", f"pretrained={tiny_model}", "--device", "cpu",
        "--limit", SOURCES, "--gen_kwargs", "max_gen_toks=16", "--output_path", folder / "out",
        *(["--apply_chat_template"] if request.param == "as chat" else []), folder=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return rows(folder)


@pytest.mark.parametrize("task", EXPECTED)
def test_the_stock_command_runs_a_transformers_model(
    stock_run: Mapping[str, Row], task: str
) -> None:
    row = stock_run[task]
    assert row["measured_sources,none"] == SOURCES
    assert {f"{name},none" for name in EXPECTED[task]} <= row.keys()


def test_a_language_model_has_a_verdict_on_every_pair(stock_run: Mapping[str, Row]) -> None:
    row = stock_run["profile_summarization_discrimination_loglikelihood"]
    assert row["unreadable_rate,none"] == 0
    assert 0 <= row["first_position_rate,none"] <= 1


@pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn
@pytest.mark.parametrize("as_chat", [True, False], ids=["as chat", "as text"])
def test_likelihoods_judge_as_in_inspect(tiny_model: Path, tmp_path: Path, as_chat: bool) -> None:
    from inspect_ai import eval as inspect_eval
    from inspect_ai.log import read_eval_log
    from inspect_ai.model import get_model

    task = "profile_summarization_discrimination_loglikelihood"
    done = command(
        *OURS, "lm-eval", "--model", "hf", "--tasks", task, "--device", "cpu",
        "--model_args", f"pretrained={tiny_model}", "--metadata",
        json.dumps({"limit": SOURCES}), "--log_samples", "--output_path", tmp_path / "out",
        *(["--apply_chat_template"] if as_chat else []), folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = tmp_path.rglob("samples_*.jsonl")
    theirs = {
        measured["source_id"]: measured["margins"]
        for measured in (json.loads(x)["measured_sources"] for x in file.read_text().splitlines())
    }
    (log,) = inspect_eval(
        "profile_tasks/summarization",
        model=get_model(
            "hf/tiny", model_path=str(tiny_model), device="cpu", memoize=False,
            **({} if as_chat else {"use_chat_template": False}),
        ),
        task_args={"limit": SOURCES, "setting": "discrimination", "judge_by": "likelihood"},
        log_dir=str(tmp_path), display="none",
    )  # fmt: skip
    log = read_eval_log(log.location)
    assert log.results is not None, log.error
    ours = {sample.id: sample.scores["factor_profile"].metadata for sample in log.samples or ()}
    assert ours.keys() == theirs.keys()
    assert max(len(pairs) for pairs in theirs.values()) > 1
    for source, pairs in theirs.items():
        for expected, found in zip(pairs, ours[source]["margins"], strict=True):
            assert found == pytest.approx(expected, rel=0, abs=1e-9)
    metrics, row = log.results.scores[0].metrics, rows(tmp_path)[task]
    shared = [name for name in metrics if row.get(f"{name},none") is not None]
    assert {"tau_discrimination_length", "flip_rate", "discrimination_tie_threshold"} <= {*shared}
    for name in shared:
        assert metrics[name].value == pytest.approx(row[f"{name},none"], rel=0, abs=1e-9), name


def test_torch_is_seeded_for_a_model_that_uses_it_and_not_imported_for_others(
    tiny_model: Path, tmp_path: Path
) -> None:
    script = (
        "import sys, lm_eval.evaluator\n"
        "from profile_tasks.lm_eval_runner.run import run_lm_eval\n"
        "def seen(*_, **__):\n"
        "    lm_eval.evaluator.set_torch_seed(77)\n"
        "    torch = sys.modules.get('torch')\n"
        "    print('seed', torch and torch.initial_seed())\n"
        "    sys.exit()\n"
        "lm_eval.evaluator.simple_evaluate = seen\n"
        "run_lm_eval(['--tasks', 'profile_summarization_generation', *sys.argv[1:]])\n"
    )
    for model, seed in (("planted", None), ("hf", 77)):
        done = command("-c", script, "--model", model, folder=tmp_path)
        assert f"seed {seed}" in done.stdout.splitlines(), done.stdout + done.stderr


# A chat API --------------------------------------------------------------------------------------


class PlantedServer:
    """Chat completions by a planted annotator on a port of this machine.

    Attributes:
        sent: The requests that arrived.
        answered: Those of them that it answered.
        answers: Answer so many requests; close the connection on all others.
        status: HTTP status of the answers; an error quotes the key that it was sent.
    """

    SLOW = 0.5
    """Seconds that the last requests take which are answered: they are under way at the failure."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.answered: list[str] = []
        self.answers: int | None = None
        self.status = 200
        annotator, lock, server = PlantedAnnotator(planted_profile("verbose")), Lock(), self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                text = body["messages"][-1]["content"]
                with lock:
                    server.sent.append(text)
                    left = 1_000 if server.answers is None else server.answers - len(server.sent)
                if left < 0:
                    self.close_connection = True
                    self.connection.shutdown(SHUT_RDWR)
                    return
                if left < 3:
                    time.sleep(server.SLOW)
                message = {"role": "assistant", "content": annotator.answer(text)}
                choice = {"index": 0, "message": message, "finish_reason": "stop"}
                answer = {"choices": [choice]}
                if server.status != 200:
                    answer = {"error": f"bad key: {self.headers['Authorization']}"}
                content = json.dumps(answer).encode()
                with lock:
                    server.answered.append(text)
                self.send_response(server.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Nothing: the tests read what was sent."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/v1/chat/completions"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[PlantedServer]:
    served = PlantedServer()
    yield served
    served.close()


def own_command(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """``profile-tasks lm-eval`` over both tasks in words."""
    return command(
        *OURS, "lm-eval", *arguments, "--tasks", "profile_summarization",
        "--limit", SOURCES, "--output_path", folder / "out", folder=folder,
    )  # fmt: skip


def asked_over_the_socket(
    server: PlantedServer, folder: Path, at_once: int = 2, *options: object
) -> subprocess.CompletedProcess[str]:
    return own_command(
        "--model", "local-chat-completions", "--model_args",
        f"base_url={server.url},model=m,num_concurrent={at_once},max_retries=1,"
        "tokenizer_backend=none",
        "--apply_chat_template", *options, folder=folder,
    )  # fmt: skip


@pytest.fixture(scope="module")
def known_rows(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Row]:
    """What the planted annotator comes to, without a server."""
    folder = tmp_path_factory.mktemp("known")
    done = own_command("--model", "planted", "--model_args", "profile=verbose", folder=folder)
    assert done.returncode == 0, done.stderr
    return rows(folder)


def test_a_chat_api_gives_the_numbers_of_the_model_behind_it(
    server: PlantedServer, known_rows: Mapping[str, Row], tmp_path: Path
) -> None:
    done = asked_over_the_socket(server, tmp_path)
    assert done.returncode == 0, done.stderr
    assert rows(tmp_path) == known_rows
    assert len(server.sent) == len(set(server.sent))


@pytest.mark.parametrize("at_once", [1, 2, 8])
def test_a_run_that_failed_sends_only_what_is_missing(
    server: PlantedServer, known_rows: Mapping[str, Row], tmp_path: Path, at_once: int
) -> None:
    cache = ("--use_cache", tmp_path / "answers")
    server.answers = 12
    failed = asked_over_the_socket(server, tmp_path, at_once, *cache)
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
    assert f"Answers so far are in {tmp_path / 'answers'}_rank0.db" in failed.stderr
    answered = set(server.answered)
    assert len(answered) == 12
    assert len(server.sent) <= 12 + at_once  # the failure stops what was not sent yet
    all_requests = answered | set(server.sent)

    server.answers, server.sent = None, []
    done = asked_over_the_socket(server, tmp_path, at_once, *cache)
    assert done.returncode == 0, done.stderr
    assert not answered & set(server.sent)
    assert all_requests - answered <= set(server.sent)
    assert rows(tmp_path) == known_rows

    server.sent = []
    assert asked_over_the_socket(server, tmp_path, at_once, *cache).returncode == 0
    assert server.sent == []


@pytest.mark.parametrize(("at_once", "status"), [(1, 401), (1, 503), (2, 401), (2, 503)])
def test_an_error_of_the_server_shows_its_status_and_not_the_key_that_it_quotes(
    server: PlantedServer, tmp_path: Path, at_once: int, status: int
) -> None:
    server.status = status
    done = asked_over_the_socket(server, tmp_path, at_once)
    assert done.returncode == 1
    assert str(status) in done.stderr
    assert "bad key: Bearer [API key]" in done.stderr
    assert KEY not in done.stdout + done.stderr
    assert not any(KEY.encode() in file.read_bytes() for file in tmp_path.rglob("*.*"))
