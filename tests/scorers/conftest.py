"""A local server in the shape of OpenAI's, and tables whose every number is known by hand."""

import gc
import json
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR
from threading import Event, Lock, Thread
from typing import Any

import numpy as np
import pytest
from inspect_ai.model import GenerateConfig, Model, get_model

from profile_tasks.scorers.statistics.comparisons import Comparisons, Perspective
from profile_tasks.solvers.sections import read_sections

FivePairs = Callable[..., Comparisons]


@pytest.fixture(scope="session")
def five_pairs() -> FivePairs:
    """Tables of ten sources that are alike, of five pairs each: so is every resample.

    Of each factor is given how many of the five pairs go with it. The others go against it, so
    that 5, 4, 3, 2, 1, 0 of them are influences of 1, 0.6, 0.2, -0.2, -0.6, -1.
    """

    def table(perspective: Perspective, **going_with_it: int) -> Comparisons:
        columns = [[1] * n + [-1] * (5 - n) for n in going_with_it.values()]
        signs = np.tile(np.array(columns, dtype=np.int8).T, (10, 1))
        return Comparisons(
            np.ones(50), signs, np.zeros(signs.shape, bool), np.repeat(np.arange(10), 5),
            tuple(going_with_it), perspective,
        )  # fmt: skip

    return table


KEY = "sk-local-4f9c2d7e81b35a60"
"""What the clients of the server send as their API key."""

_TAGS = ("request", "source", "key_facts", "first_response", "second_response", "response", "facts")


@dataclass(frozen=True)
class Asked:
    """One request, as the server received it."""

    body: dict[str, Any]
    key: str
    headers: dict[str, str]

    @property
    def model(self) -> str:
        return str(self.body["model"])

    @property
    def text(self) -> str:
        """The request itself, which a repair repeats."""
        return str(self.body["messages"][0]["content"])

    @property
    def is_repair(self) -> bool:
        return len(self.body["messages"]) > 1

    @property
    def schema(self) -> dict[str, Any] | None:
        """The JSON schema that the answer must keep, if any."""
        form = self.body.get("response_format")
        return None if form is None else form["json_schema"]["schema"]

    @cached_property
    def sections(self) -> dict[str, str]:
        return read_sections(self.text, _TAGS)[1]

    @cached_property
    def form(self) -> dict[str, Any]:
        """The answer's form as the text shows it, with one entry in each list."""
        shown = re.search(r"nothing else: (\{.*\})$", self.text, re.MULTILINE)
        return {} if shown is None else json.loads(shown.group(1).replace(", ...", ""))

    @property
    def factors(self) -> set[str]:
        """Ids of the judged factors, or of the labels, that are asked for."""
        entry = next((e[0] for name in ("facts", "labels") for e in [self.form.get(name)] if e), {})
        return (entry or self.form).keys() - {"fact", "number", "key_facts", "covered"}

    @property
    def kind(self) -> str:
        """One of: key_facts, facts, labels, covered, judged."""
        kinds = ("key_facts", "facts", "labels", "covered")
        return next((kind for kind in kinds if kind in self.form), "judged")


@dataclass(frozen=True)
class Behaviour:
    """What the server does with one request.

    Attributes:
        text: The completion; None: the proper answer.
        finish: Its finish_reason.
        refusal: The message's refusal text.
        status: HTTP status; where it is not 200, text is the error's message.
        headers: More HTTP headers.
        stalls: Seconds without a byte before the answer.
        drops: Close the connection without an answer.
        no_choices: Answer with an empty list of choices.
    """

    text: str | None = None
    finish: str = "stop"
    refusal: str | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    stalls: float = 0.0
    drops: bool = False
    no_choices: bool = False


def completion(asked: Asked, done: Behaviour) -> dict[str, Any]:
    """The body of the answer."""
    if done.status != 200:
        return {"error": {"message": done.text, "type": "error", "code": None}}
    message = {
        "role": "assistant",
        "content": None if done.refusal else proper(asked) if done.text is None else done.text,
        "refusal": done.refusal,
    }
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": asked.model,
        "choices": []
        if done.no_choices
        else [{"index": 0, "message": message, "finish_reason": done.finish}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    }


def proper(asked: Asked) -> str:
    """What a good model answers."""
    target = re.search(r"^Target score: (\d)", asked.text, re.MULTILINE)
    if target is not None:
        score = int(target.group(1))
        return f"A summary for score {score}." + " It has one more sentence." * score
    if not asked.form:
        return "Verdict: A"
    sections = asked.sections
    if asked.kind == "judged":
        first, second = (len(sections[f"{n}_response"].split()) for n in ("first", "second"))
        verdict = "equal" if first == second else "first" if first > second else "second"
        return json.dumps(dict.fromkeys(asked.factors, verdict))
    labels = {factor: _first_value(asked, factor) for factor in asked.factors}
    answer: dict[str, object] = {}
    if "key_facts" in asked.form:
        answer["key_facts"] = ["The first key fact.", "The second key fact."]
    if "facts" in asked.form:
        answer["facts"] = [
            {"fact": fact} | labels for fact in re.findall(r"[^.]+\.", sections["response"])
        ]
    if "labels" in asked.form:
        count = len(sections["facts"].splitlines())
        answer["labels"] = [{"number": n} | labels for n in range(1, count + 1)]
    if "covered" in asked.form:
        answer["covered"] = [1]
    return json.dumps(answer)


def _first_value(asked: Asked, factor: str) -> str:
    """The first of the values of a label: of the schema, or without one of the text."""
    if asked.schema is not None:
        entry = asked.schema["properties"][asked.kind]["items"]
        return str(entry["properties"][factor]["enum"][0])
    line = re.search(rf"^- {factor}: .* One of: (\w+)", asked.text, re.MULTILINE)
    assert line is not None
    return line.group(1)


Script = Callable[[Asked], Behaviour | None]


class LocalServer:
    """Answers chat completions on a port of this machine, and keeps what it was asked.

    ``script`` may decide what becomes of a request; None leaves it to the proper answer, that of
    a model which finds that the longer response shows more of everything, and that every sentence
    is a fact.
    """

    Behaviour = Behaviour
    key = KEY
    proper = staticmethod(proper)

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.script: Script = lambda asked: None
        self._lock, self._closing = Lock(), Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(json.loads(body), headers["authorization"].split()[-1], headers)
                with server._lock:
                    server.asked.append(asked)
                    done = server.script(asked) or Behaviour()
                if done.stalls:
                    server._closing.wait(done.stalls)
                if done.drops or server._closing.is_set():
                    self.close_connection = True
                    self.connection.shutdown(SHUT_RDWR)
                    return
                self.answer(done.status, done.headers, completion(asked, done))

            def answer(self, status: int, headers: dict[str, str], content: object) -> None:
                written = json.dumps(content).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(written)))
                self.end_headers()
                self.wfile.write(written)

            def log_message(self, *_: object) -> None:
                """Nothing: the tests read what was asked."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 128

            def handle_error(self, *_: object) -> None:
                """A client that gave up is part of a test."""

        self._http = Server(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def close(self) -> None:
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def model(self, name: str = "grader", *, client_retries: int = 2, **config: Any) -> Model:
        """A model of this server.

        Its client repeats a failed request by itself, after about half a second, before Inspect
        (``max_retries`` in the config) does so after some seconds.
        """
        return get_model(
            f"openai-api/local/{name}",
            base_url=self.url,
            config=GenerateConfig(**config),
            memoize=False,
            max_retries=client_retries,
        )

    def of(self, model: str) -> list[Asked]:
        """What a model was asked."""
        return [asked for asked in self.asked if asked.model == model]


@pytest.fixture(scope="module")
def no_streams_left() -> Iterator[None]:
    """Collects what runs that failed leave open, before it warns in a test of something else."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, no_streams_left: None) -> Iterator[LocalServer]:
    """A server that answers properly until its script says otherwise."""
    monkeypatch.setenv("LOCAL_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    # Connections that outlive the event loop of their run would warn.
    monkeypatch.setenv("INSPECT_HTTP_POOL_KEEPALIVE_CONNECTIONS", "0")
    served = LocalServer()
    yield served
    served.close()
