"""Inspect's ``--batch``: what a provider answers hours later gives the numbers of a run that waits.

A local server speaks the part of OpenAI's API that batches take (files, batches), and answers as
the planted annotator and grader do.
"""

import json
from collections.abc import Iterator
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import pytest
from inspect_ai import eval as inspect_eval
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import BatchConfig, GenerateConfig, Model, get_model

from profile_tasks.planted.grader_request import is_grader_request

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

LIMIT = 3
SCORES, ANNOTATED, OWN = 5, 6, 10
"""Of a source of the demonstration: texts to write, annotated pairs, pairs of its own."""
KEY = "sk-local-4f9c2d7e81b35a60"


class BatchServer:
    """Answers whole files of requests, the last one first.

    The first batches are done when as many requests are there as are told; so a task that waited
    for an answer before it had asked all of them would wait for ever.

    Attributes:
        batches: The requests of each batch, in the order of their coming.
        alone: Paths of requests that were sent outside a batch.
    """

    def __init__(self, faults: Any, first: int) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self.alone: list[str] = []
        self._faults, self._first, self._lock = faults, first, Lock()
        self._files: list[bytes] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with server._lock:
                    self.reply(server._posted(self.path, self.headers["Content-Type"], body))

            def do_GET(self) -> None:
                with server._lock:
                    self.reply(server._got(self.path))

            def reply(self, content: bytes | dict[str, Any]) -> None:
                body = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def _posted(self, path: str, kind: str, body: bytes) -> dict[str, Any]:
        if path == "/v1/files":
            form = message_from_bytes(f"Content-Type: {kind}\n\n".encode() + body)
            (file,) = (
                part for part in form.walk() if 'name="file"' in str(part["Content-Disposition"])
            )
            return {"id": self._kept(file.get_payload(decode=True)), "object": "file"}
        if path == "/v1/batches":
            asked = json.loads(body)
            lines = self._files[int(asked["input_file_id"])].splitlines()
            self.batches.append([json.loads(line) for line in lines])
            return self._batch(len(self.batches) - 1)
        self.alone.append(path)
        return {"error": {"message": "answered in batches alone"}}

    def _got(self, path: str) -> bytes | dict[str, Any]:
        _, _, kind, number, *_ = path.split("/")
        return self._batch(int(number)) if kind == "batches" else self._files[int(number)]

    def _batch(self, number: int) -> dict[str, Any]:
        batch: dict[str, Any] = {
            "id": str(number),
            "object": "batch",
            "endpoint": "/v1/chat/completions",
            "completion_window": "24h",
            "input_file_id": "-",
            "created_at": 0,
            "status": "in_progress",
        }
        if sum(map(len, self.batches)) < self._first:
            return batch
        answers = [
            {"custom_id": line["custom_id"], "response": {"body": self._answer(line["body"])}}
            for line in self.batches[number][::-1]
        ]
        content = "".join(f"{json.dumps(answer)}\n" for answer in answers)
        return batch | {"status": "completed", "output_file_id": self._kept(content.encode())}

    def _answer(self, body: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._faults.reply_of(body, self._faults.answer_of(body))
        return answer

    def _kept(self, content: bytes) -> str:
        self._files.append(content)
        return str(len(self._files) - 1)


@pytest.fixture
def server(faults: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    running = BatchServer(faults, first=LIMIT * (SCORES + 2 * ANNOTATED))
    yield running
    running.close()


def batched(server: BatchServer, folder: Path, grader: bool, **arguments: Any) -> EvalLog:
    # A round of requests is one batch where the wait for more is longer than it takes to ask.
    config = BatchConfig(size=100_000, send_delay=0.5, tick=0.1)

    def model(**sent: Any) -> Model:
        return get_model(
            "openai/gpt-4o-mini",
            base_url=server.url,
            api_key=KEY,
            responses_api=False,
            memoize=False,
            config=GenerateConfig(**sent),
        )

    (log,) = inspect_eval(
        "profile_tasks/summarization",
        task_args={"limit": LIMIT, **arguments},
        model=model(),
        # As `--batch` does, this says it of the evaluated model alone.
        batch=config,
        model_roles={"grader": model(batch=config)} if grader else None,
        time_limit=120,
        log_dir=str(folder),
        display="none",
        log_realtime=False,
    )
    assert log.status == "success", log.error
    return log


def values(log: EvalLog) -> dict[str, float]:
    assert log.results is not None
    (score,) = log.results.scores
    return {name: float(metric.value) for name, metric in score.metrics.items()}


@pytest.mark.parametrize(
    ("grader", "factors"), [(False, "surface"), (True, "length,source_coverage,fluency")]
)
def test_a_run_in_batches_gives_the_numbers_of_one_that_is_answered_at_once(
    grader: bool,
    factors: str,
    server: BatchServer,
    inspect_log: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "cache"))
    log = batched(server, tmp_path, grader, factors=factors)
    planted = {"grader": "planted/grader"} if grader else {}
    at_once = read_eval_log(str(inspect_log("verbose", limit=LIMIT, factors=factors, **planted)))
    assert values(log).keys() ^ values(at_once).keys() == set()
    assert values(log) == pytest.approx(values(at_once), rel=1e-12, nan_ok=True)
    assert server.alone == []
    asked = [str(line["body"]["messages"][0]["content"]) for b in server.batches for line in b]
    of_the_model = [request for request in asked if not is_grader_request(request)]
    assert len(of_the_model) == LIMIT * (SCORES + 2 * ANNOTATED + 2 * OWN)
    assert (len(of_the_model) < len(asked)) == grader
