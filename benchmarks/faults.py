"""What a run keeps, loses and pays twice when a model's server misbehaves, or the run is killed.

    python benchmarks/faults.py [--only KIND ...] [--kills 12] [--work FOLDER] [--page FILE]

Writes its table into docs/reliability-under-faults.md, between the marks there. A local server of
OpenAI's chat API answers as the planted annotator and grader do, so that each answer has a right
one, and commits one kind of fault. Both harnesses run against it, in processes of their own; what
their logs hold is then compared with what the server sent. A simulation.
"""

import argparse
import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_RDWR
from threading import Event, Lock, Thread
from typing import Any

from calibration import write
from inspect_ai.log import EvalLog, EvalSample, list_eval_logs, read_eval_log
from inspect_ai.model import GenerateConfig

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.planted.annotator import PlantedAnnotator, planted_profile
from profile_tasks.planted.grader import PlantedGrader
from profile_tasks.planted.grader_request import is_grader_request
from profile_tasks.scorers.grading import grader
from profile_tasks.solvers.both_orders import discrimination_requests, pair_requests
from profile_tasks.solvers.requests import DiscriminationRequest, GenerationRequest
from profile_tasks.solvers.target_scores import response_text
from profile_tasks.solvers.verdict import read_pick

PAGE = Path(__file__).parents[1] / "docs" / "reliability-under-faults.md"
SOURCES, SCORES, FACTORS = 4, (1, 2, 3), ("length", "number_of_facts", "source_coverage", "fluency")
TOO_LONG = 20_000_000

# The faults ---------------------------------------------------------------------------------------

Reply = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """One kind.

    Attributes:
        status: HTTP status of the answer; where it is not 200, the body is an error's.
        headers: More headers.
        body: The whole body, made from the proper reply; None: the reply as JSON.
        text: What becomes of the answer's text.
        delivered: What a client can read of it, made from the text that was sent; None: nothing.
        sure: Whether every client can; else nothing is lost with it.
        how: How it is sent: whole, dropped, cut, stalled, dripped.
        when: "some": every time for a fifth of the requests, once for another fifth; "at first":
            the first two times for a third of them; "from": all of them from the middle of the run
            on, until the run has ended and is resumed.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    body: Callable[[Reply], bytes] | None = None
    text: Callable[[str], str] = str
    delivered: Callable[[str], str | None] = lambda text: None
    sure: bool = True
    how: str = "whole"
    when: str = "some"


def _message(**entries: object) -> Callable[[Reply], bytes]:
    def body(reply: Reply) -> bytes:
        choice = reply["choices"][0]
        choice["message"] |= entries
        return json.dumps(reply).encode()

    return body


def _with(**entries: object) -> Callable[[Reply], bytes]:
    return lambda reply: json.dumps(reply | entries).encode()


def _finish(reason: str, content: object = None) -> Callable[[Reply], bytes]:
    def body(reply: Reply) -> bytes:
        reply["choices"][0]["finish_reason"] = reason
        if content is not None:
            reply["choices"][0]["message"]["content"] = content
        return json.dumps(reply).encode()

    return body


def _twice(reply: Reply) -> bytes:
    first = reply["choices"][0]
    return json.dumps(reply | {"choices": [first, first | {"index": 1}]}).encode()


def _list_content(reply: Reply) -> bytes:
    text = reply["choices"][0]["message"]["content"]
    return _message(content=[{"type": "text", "text": text}])(reply)


def _error(status: int, when: str = "at first", **headers: str) -> Fault:
    return Fault(status, headers={"Content-Type": "application/json", **headers}, when=when)


KINDS: Mapping[str, Fault] = {
    # Those that are known to have failed come first.
    "200, broken JSON": Fault(body=lambda reply: json.dumps(reply).encode()[:-20]),
    "200, lone surrogate in the text": Fault(
        text=lambda text: f"{text}\ud83d",
        delivered=lambda text: text.replace("\ud83d", "\ufffd"),
    ),
    "200, empty body": Fault(body=lambda reply: b""),
    "200, an HTML page": Fault(
        body=lambda reply: b"<html><body>Bad gateway</body></html>",
        headers={"Content-Type": "text/html"},
    ),
    "200, {error}": Fault(body=lambda reply: b'{"error": {"message": "overloaded"}}'),
    "200, {}": Fault(body=lambda reply: b"{}"),
    "200, null": Fault(body=lambda reply: b"null"),
    "200, choices []": Fault(body=_with(choices=[])),
    "200, choices null": Fault(body=_with(choices=None)),
    "200, message null": Fault(body=_with(choices=[{"index": 0, "message": None}])),
    "200, content null": Fault(body=_message(content=None)),
    "200, content a list": Fault(body=_list_content, delivered=str, sure=False),
    "200, usage a string": Fault(body=_with(usage="some"), delivered=str, sure=False),
    "200, wrong content type": Fault(headers={"Content-Type": "text/plain"}, delivered=str),
    "200, NUL in the text": Fault(text=lambda text: f"{text}\0", delivered=str),
    "200, 20 MB of text": Fault(text=lambda text: text + " more" * (TOO_LONG // 5)),
    "200, cut off (length)": Fault(
        text=lambda text: text[: len(text) // 2], delivered=str, body=_finish("length")
    ),
    "200, content filter": Fault(body=_finish("content_filter", "")),
    "200, refusal": Fault(body=_message(content=None, refusal="I will not.")),
    "200, thoughts unclosed": Fault(text=lambda text: f"<think>{text}", delivered=str),
    "200, the answer twice": Fault(body=_twice, delivered=str),
    "400": _error(400, "some"),
    "409": _error(409),
    "413": _error(413, "some"),
    "422": _error(422, "some"),
    "408": _error(408),
    "429": _error(429),
    "429, Retry-After": _error(429, **{"Retry-After": "1"}),
    "500": _error(500),
    "502": _error(502),
    "503": _error(503),
    "504": _error(504),
    "529": _error(529),
    "closed before the answer": Fault(how="dropped", when="at first"),
    "closed in the midst of it": Fault(how="cut", when="at first"),
    "no answer until timeout": Fault(how="stalled", when="at first"),
    "slow drip": Fault(how="dripped", delivered=str),
    "401 from the middle on": _error(401, "from"),
    "403 from the middle on": _error(403, "from"),
    "404 from the middle on": _error(404, "from"),
    "503 from the middle on": _error(503, "from"),
    "closed from the middle on": Fault(how="dropped", when="from"),
}

TIMEOUT = 3.0
"""Seconds that a client waits for an answer."""


# The server ---------------------------------------------------------------------------------------


@dataclass
class Asked:
    """One request, and what the server made of it.

    Attributes:
        key: All messages.
        first: Text of the first one, which a repair repeats.
        fault: Whether it met the fault.
        delivered: The text that its client can read; None where there was none.
        sure: Whether it can be sure to.
        done: Whether the server has done with it.
    """

    key: str
    first: str
    fault: bool = False
    delivered: str | None = None
    sure: bool = True
    done: bool = False


class FaultyServer:
    """Answers chat completions on a port of this machine, as planted models do, with a fault.

    Attributes:
        asked: What arrived, in its order.
        fault: The fault; None: there is none.
        middle: Requests before a fault "from the middle on" begins.
        delay: Seconds that an answer takes.
        most_at_once: The most requests that it had under way at once.
    """

    def __init__(self, fault: Fault | None = None, middle: int = 15, delay: float = 0.0) -> None:
        self.asked: list[Asked] = []
        self.fault, self.middle, self.delay = fault, middle, delay
        self.most_at_once = 0
        self._seen: Counter[str] = Counter()
        self._lock, self._closing = Lock(), Event()
        self.arrived: Callable[[int], None] = lambda number: None
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server._answer(self, body)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads, block_on_close, request_queue_size = True, False, 128

            def handle_error(self, *_: object) -> None:
                """A client that gave up, or was killed, is part of it."""

        self._http = Server(("127.0.0.1", 0), Handler)
        Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        """Where the API is."""
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def close(self) -> None:
        """Answer nothing more."""
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        first = str(body["messages"][0]["content"])
        asked = Asked(json.dumps(body["messages"]), first)
        with self._lock:
            self._seen[asked.key] += 1
            fault = self._fault(asked.key, self._seen[asked.key])
            asked.fault = fault is not None
            self.asked.append(asked)
            number = len(self.asked)
            self.most_at_once = max(self.most_at_once, sum(not a.done for a in self.asked))
        self.arrived(number)
        if self.delay:
            time.sleep(self.delay)
        fault = fault or Fault(delivered=str)
        text = fault.text(answer_of(body))
        try:
            self._send(handler, fault, reply_of(body, text))
            asked.delivered, asked.sure = fault.delivered(text), fault.sure
        finally:
            asked.done = True

    def _fault(self, key: str, time_asked: int) -> Fault | None:
        if self.fault is None:
            return None
        number = int.from_bytes(sha256(key.encode()).digest()[:4])
        happens = {
            "some": number % 5 == 0 or (number % 5 == 1 and time_asked == 1),
            "at first": number % 3 == 0 and time_asked <= 2,
            "from": len(self.asked) >= self.middle,
        }[self.fault.when]
        return self.fault if happens else None

    def _send(self, handler: BaseHTTPRequestHandler, fault: Fault, reply: Reply) -> None:
        if fault.how == "stalled":
            self._closing.wait(2 * TIMEOUT)
        if fault.how in ("stalled", "dropped"):
            handler.close_connection = True
            with suppress(OSError):
                handler.connection.shutdown(SHUT_RDWR)
            return
        if fault.status != 200:
            content = json.dumps({"error": {"message": f"fault {fault.status}", "code": None}})
            body = content.encode()
        else:
            body = json.dumps(reply).encode() if fault.body is None else fault.body(reply)
        handler.send_response(fault.status)
        for name, value in fault.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if fault.how == "cut":
            handler.wfile.write(body[: len(body) // 2])
            handler.close_connection = True
            with suppress(OSError):
                handler.connection.shutdown(SHUT_RDWR)
        elif fault.how == "dripped":
            step = len(body) // 10 + 1
            for start in range(0, len(body), step):
                handler.wfile.write(body[start : start + step])
                time.sleep(0.1)
        else:
            handler.wfile.write(body)

    # What came of it ---------------------------------------------------------------------------

    @property
    def answered(self) -> int:
        """Requests whose client was sure to have the answer."""
        return sum(asked.delivered is not None and asked.sure for asked in self.asked)

    @property
    def paid_twice(self) -> int:
        """Answers that a client could read beyond the first one to the same messages."""
        times = Counter(a.key for a in self.asked if a.delivered is not None and a.sure)
        return sum(count - 1 for count in times.values())

    def delivered(self, *, sure: bool) -> Mapping[str, list[str]]:
        """The text of a request -> what its client could read, or was sure to; repairs included."""
        found: dict[str, list[str]] = defaultdict(list)
        for asked in self.asked:
            if asked.delivered is not None and (asked.sure or not sure):
                found[asked.first].append(asked.delivered)
        return found


_ANNOTATOR, _GRADER = PlantedAnnotator(planted_profile("verbose")), PlantedGrader()


def answer_of(body: Mapping[str, Any]) -> str:
    """The right answer to a request; a repair has the same."""
    request = str(body["messages"][0]["content"])
    return _GRADER.answer(request) if is_grader_request(request) else _ANNOTATOR.answer(request)


def reply_of(body: Mapping[str, Any], text: str) -> Reply:
    """A text in the form of OpenAI's API."""
    message = {"role": "assistant", "content": text}
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    }


# The runs -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Setup:
    """Where a run has its server and its files."""

    url: str
    folder: Path
    cache: Path | None = None

    def environment(self) -> dict[str, str]:
        """What both harnesses are told by it."""
        return {
            "LOCAL_BASE_URL": self.url,
            "LOCAL_API_KEY": "sk-local-4f9c2d7e81b35a60",
            "OPENAI_API_KEY": "sk-local-4f9c2d7e81b35a60",
            "INSPECT_CACHE_DIR": str(self.cache or self.folder / "cache"),
            "INSPECT_DISPLAY": "none",
            "NO_PROXY": "127.0.0.1",
            "HF_HUB_OFFLINE": "1",
        }

    @property
    def logs(self) -> Path:
        """Inspect's."""
        return self.folder / "logs"


MODEL = "openai-api/local/verbose"


def inspect_model(setup: Setup, resume: bool) -> None:
    """The evaluated model is behind the server."""
    _inspect(setup, resume, MODEL, None, ("length", "novel_words"))


def inspect_grader(setup: Setup, resume: bool) -> None:
    """The grader is behind the server."""
    _inspect(setup, resume, "planted/verbose", MODEL, FACTORS)


def inspect_both(setup: Setup, resume: bool) -> None:
    """Both are."""
    _inspect(setup, resume, MODEL, MODEL, FACTORS)


def _inspect(
    setup: Setup, resume: bool, model: str, graded_by: str | None, factors: Sequence[str]
) -> None:
    from inspect_ai import eval, eval_retry
    from inspect_ai.model import get_model

    arguments = {"client_timeout": TIMEOUT}
    options: dict[str, Any] = {"max_retries": 1, "max_connections": 8, "display": "none"}
    options |= {"log_realtime": False, "score_display": False}  # cheaper
    if resume:
        (last,) = list_eval_logs(str(setup.logs))[:1]
        eval_retry(last, log_dir=str(setup.logs), **options)
        return
    eval(
        "profile_tasks/summarization",
        task_args={
            "limit": SOURCES,
            "max_pairs_per_source": 1,
            "scores": list(SCORES),
            "factors": list(factors),
        },
        model=model,
        model_args=arguments if model == MODEL else {},
        model_roles={"grader": get_model(graded_by, **arguments)} if graded_by else None,
        log_dir=str(setup.logs),
        **options,
    )


def lm_eval_model(setup: Setup, resume: bool) -> None:
    """The evaluated model is behind the server; the same command resumes."""
    _command(
        *("lm-eval", "--model", "local-chat-completions", "--apply_chat_template", "--model_args"),
        f"base_url={setup.url}/chat/completions,model=verbose,num_concurrent=8,max_retries=3,"
        f"timeout={TIMEOUT:.0f},tokenizer_backend=none",
        *("--tasks", "profile_summarization", "--limit", SOURCES, "--log_samples"),
        *("--metadata", json.dumps({"max_pairs_per_source": 1, "scores": "1,2,3"})),
        *("--use_cache", setup.folder / "answers", "--output_path", setup.folder / "out"),
    )


def lm_eval_grader(setup: Setup, resume: bool) -> None:
    """The grader of ``score-lm-eval`` is behind the server; the same command resumes."""
    samples = sorted((setup.folder.parent / "samples").rglob("samples_*.jsonl"))
    _command(
        *("score-lm-eval", *samples, "--grader", MODEL, "-M", f"client_timeout={TIMEOUT}"),
        *("--factors", ",".join(FACTORS), "--log-dir", setup.logs),
        *("--output", setup.folder / "graded.json"),
    )


def lm_eval_samples(setup: Setup, resume: bool) -> None:
    """What ``lm_eval_grader`` grades."""
    _command(
        *("lm-eval", "--model", "planted", "--model_args", "profile=verbose"),
        *("--tasks", "profile_summarization", "--limit", SOURCES, "--log_samples"),
        *("--metadata", json.dumps({"max_pairs_per_source": 1, "scores": "1,2,3"})),
        *("--output_path", setup.folder),
    )


def _command(*arguments: object) -> None:
    from profile_tasks.cli import main

    sys.argv = ["profile-tasks", *map(str, arguments)]
    main()


Runner = Callable[[Setup, bool], None]

_PRELOADED = (
    *("inspect_ai", "openai", "profile_tasks._registry", "profile_tasks.cli"),
    *("profile_tasks.lm_eval_runner.run", "profile_tasks.commands.score_lm_eval"),
    *("profile_tasks.lm_eval_runner.grading", "lm_eval.models.openai_completions"),
    *("acp", "fastapi", "markdown_it", "linkify_it", "jiter"),
    *("scipy.stats", "sentencex", "pyphen", "rapidfuzz", "textual", "inspect_ai.hooks"),
)
"""A fresh process of a harness takes some seconds to import it; one forked from these does not."""


def _processes() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__ if __name__ != "__main__" else "faults", *_PRELOADED])
    return context


def start(runner: Runner, setup: Setup, *, resume: bool) -> multiprocessing.process.BaseProcess:
    """Start a run in a process of its own; what it prints goes into a file of its folder."""
    setup.folder.mkdir(parents=True, exist_ok=True)
    process = _processes().Process(target=_in_process, args=(runner.__name__, setup, resume))
    process.start()
    return process


def _in_process(runner: str, setup: Setup, resume: bool) -> None:
    os.environ.update(setup.environment())
    os.setsid()
    printed = os.open(setup.folder / "printed.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    # A user's grader is tried five times, with waits that double.
    grader.GRADER_CONFIG = grader.GRADER_CONFIG.merge(GenerateConfig(max_retries=1))
    globals()[runner](setup, resume)


# What their logs hold -----------------------------------------------------------------------------


@dataclass
class Row:
    """What came of one run."""

    asked: int = 0
    answered: int = 0
    missing: int = 0
    lost: int = 0
    twice: int = 0
    wrong: int = 0
    resumed: bool = False
    ended: str = ""

    def cell(self) -> str:
        """For the table."""
        counts = (self.asked, self.answered, self.missing, self.lost, self.twice, self.wrong)
        return " / ".join(map(str, counts)) + " (resumed)" * self.resumed + self.ended


Leaf = tuple[str, object, Callable[[str], object]]
"""Text of a request, what the log holds for it, and how an answer to it is read."""


def last_log(setup: Setup) -> EvalLog:
    """The latest log of a folder."""
    (last,) = list_eval_logs(str(setup.logs))[:1]
    return read_eval_log(last, resolve_attachments=True)


def evaluated_leaves(sample: EvalSample) -> Iterator[Leaf]:
    """What a sample holds of the evaluated model."""
    source = AnnotatedSource.model_validate(sample.metadata)
    written = sample.store["responses_by_score"]
    for score, text in written.items():
        request = GenerationRequest(source.task, source.prompt, source.source, int(score), 1, 5)
        yield request.render(), text, response_text
    picks = [pick for pair in sample.store["picks"] for pick in pair]
    for asked, pick in zip(discrimination_requests(source, 2), picks, strict=True):
        yield _verdict_leaf(asked, pick)
    for high, low, own in sample.store["own_picks"]:
        shown = pair_requests(source, written[str(high)], written[str(low)], 2)
        for asked, pick in zip(shown, own, strict=True) if own else ():
            yield _verdict_leaf(asked, pick)


def _verdict_leaf(asked: DiscriminationRequest, pick: object) -> Leaf:
    return asked.render(), pick, lambda text: read_pick(text, material=asked.material)


def lm_eval_leaves(setup: Setup) -> Iterator[Leaf]:
    """What lm-eval's samples hold: each answer, and each verdict that was read."""
    for file in sorted((setup.folder / "out").rglob("samples_*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            sample = json.loads(line)
            measured, source = sample["measured_sources"], sample["doc"]
            answers = [answer for (answer,) in sample["resps"]]
            prompts = [
                json.loads(sample["arguments"][f"gen_args_{index}"]["arg_0"][0])[-1]["content"]
                for index in range(len(answers))
            ]
            for prompt, answer in zip(prompts, answers, strict=True):
                held = None if answer is None or "LMEVAL" in answer else answer.strip() or None
                yield prompt, held, str.strip
            if measured["picks"] is not None:
                asked = discrimination_requests(AnnotatedSource.model_validate(source), 2)
                picks = [pick for pair in measured["picks"] for pick in _picks(pair)]
                for request, pick in zip(asked, picks, strict=True):
                    yield _verdict_leaf(request, pick)


def _picks(pair: object) -> Sequence[object]:
    return pair["picks"] if isinstance(pair, dict) else pair  # type: ignore[return-value]


def compare_leaves(leaves: Iterator[Leaf], server: FaultyServer, row: Row) -> None:
    """Hold what a log has against what the server sent."""
    sent, sure = server.delivered(sure=False), server.delivered(sure=True)
    missing = set()
    for request, held, read in leaves:
        if held is None:
            missing.add(request)
            row.lost += any(read(text) is not None for text in sure.get(request, ()))
        elif held not in map(read, sent.get(request, ())):
            row.wrong += 1
    row.missing += len(missing)


def compare_grades(log: EvalLog, reference: EvalLog, server: FaultyServer, row: Row) -> None:
    """Hold the grades of a log against those of an undisturbed run."""
    missing: list[int] = []
    for sample, known in zip(log.samples or (), reference.samples or (), strict=True):
        held, right = _grades(sample), _grades(known)
        row.wrong += sum(_differences({k: held[k] for k in _KEPT}, {k: right[k] for k in _KEPT}))
        missing.append(len(held["problems"]))
    usable = server.delivered(sure=True)
    never = {a.first for a in server.asked if is_grader_request(a.first)} - usable.keys()
    if server.fault is not None and server.fault.text is not str:
        never |= {a.first for a in server.asked if a.fault}  # delivered, and may be unreadable
    row.missing += sum(missing)
    row.lost += max(0, sum(missing) - len(never))


_KEPT = ("key_facts", "responses", "pairs")


def _grades(sample: EvalSample) -> dict[str, Any]:
    (score,) = (sample.scores or {}).values()
    return dict((score.metadata or {})["grades"])


def _differences(held: object, right: object) -> Iterator[bool]:
    """For each value that is held: whether it is not the right one."""
    if held is None:
        return
    if isinstance(held, dict) and isinstance(right, dict):
        for key in held:
            yield from _differences(held[key], right.get(key))
    elif isinstance(held, list) and isinstance(right, list) and len(held) == len(right):
        for one, other in zip(held, right, strict=True):
            yield from _differences(one, other)
    else:
        yield held != right


# A kind of fault, and a kill ----------------------------------------------------------------------

RUNNERS: Mapping[str, Runner] = {
    "Inspect, model": inspect_model,
    "Inspect, grader": inspect_grader,
    "lm-eval, model": lm_eval_model,
    "lm-eval, grader": lm_eval_grader,
}


def finished(runner: Runner, setup: Setup) -> bool:
    """Whether a run has come to its end."""
    if runner is lm_eval_model:
        return any((setup.folder / "out").rglob("results_*.json"))
    if runner is lm_eval_grader and not (setup.folder / "graded.json").is_file():
        return False
    return last_log(setup).status == "success"


def under_fault(name: str, fault: Fault, runner: Runner, work: Path, references: Path) -> Row:
    """Run a small evaluation against a server with a fault; resume it where it ended."""
    server = FaultyServer(fault)
    folder = work / f"{runner.__name__} {''.join(c if c.isalnum() else '-' for c in name)}"
    setup = Setup(server.url, folder)
    row = Row()
    try:
        _wait(start(runner, setup, resume=False), row)
        if fault.when == "from" and runner in (inspect_grader, lm_eval_grader):
            row.resumed = _rescored(runner, setup, server)
        elif not finished(runner, setup):
            if fault.when == "from":
                server.fault = None
            row.resumed = True
            _wait(start(runner, setup, resume=True), row)
        if finished(runner, setup):
            _compare(runner, setup, server, references, row)
        else:
            row.ended = " **no result**"
        server.fault = None
    finally:
        server.close()
    row.asked, row.answered, row.twice = len(server.asked), server.answered, server.paid_twice
    if fault.when != "from" and row.resumed:
        row.ended += " **ended by an error**"
    if "Traceback (most recent" in (folder / "printed.txt").read_text(errors="replace"):
        row.ended += " **traceback**"
    return row


def _rescored(runner: Runner, setup: Setup, server: FaultyServer) -> bool:
    """A grader that refuses ends no run: scoring again asks for what is missing."""
    server.fault = None
    again = rescore if runner is inspect_grader else lm_eval_grader
    _wait(start(again, setup, resume=True), Row())
    return True


def rescore(setup: Setup, resume: bool) -> None:
    """Score the last log again."""
    from inspect_ai import score
    from inspect_ai.log import write_eval_log
    from inspect_ai.model import get_model

    from profile_tasks.scorers.inspect.profile_scorer import factor_profile

    (last,) = list_eval_logs(str(setup.logs))[:1]
    log = read_eval_log(last)
    again = score(
        log,
        factor_profile("summarization", factors=list(FACTORS)),
        action="overwrite",
        model_roles={"grader": get_model(MODEL, client_timeout=TIMEOUT)},
    )
    write_eval_log(again, log.location)


def _compare(
    runner: Runner, setup: Setup, server: FaultyServer, references: Path, row: Row
) -> None:
    if runner is lm_eval_model:
        compare_leaves(lm_eval_leaves(setup), server, row)
        return
    log = last_log(setup)
    if runner is inspect_model:
        leaves = (leaf for sample in log.samples or () for leaf in evaluated_leaves(sample))
        compare_leaves(leaves, server, row)
    else:
        right = last_log(Setup("", references / runner.__name__))
        compare_grades(log, right, server, row)


def _wait(process: multiprocessing.process.BaseProcess, row: Row, limit: float = 120.0) -> None:
    process.join(limit)
    if process.exitcode is None:
        process.kill()
        process.join()
        row.ended += " **hangs**"


def results_of(runner: Runner, setup: Setup) -> object:
    """The numbers of a finished run, for a comparison to the last bit."""
    if runner is lm_eval_model:
        (file,) = (setup.folder / "out").rglob("results_*.json")
        return json.loads(file.read_text())["results"]
    results = last_log(setup).results
    return [
        (score.name, {name: metric.value for name, metric in score.metrics.items()})
        for score in (results.scores if results else ())
    ]


def killed(runner: Runner, at: int, work: Path, reference: object) -> tuple[Row, int, bool]:
    """Kill a run when the server gets its k-th request, and resume it.

    Returns:
        What came of it, the most requests under way at once, and whether the numbers are the same.
    """
    server = FaultyServer(delay=0.05)
    setup = Setup(server.url, work / f"{runner.__name__} killed at {at}")
    row = Row(resumed=True)
    reached = Event()
    server.arrived = lambda number: reached.set() if number == at else None
    try:
        process = start(runner, setup, resume=False)
        reached.wait(60)
        process.kill()
        process.join()
        time.sleep(0.1)
        _wait(start(runner, setup, resume=True), row)
        if finished(runner, setup):
            same = repr(results_of(runner, setup)) == repr(reference)
            if runner is lm_eval_model:
                compare_leaves(lm_eval_leaves(setup), server, row)
            else:
                samples = last_log(setup).samples or ()
                leaves = (leaf for sample in samples for leaf in evaluated_leaves(sample))
                compare_leaves(leaves, server, row)
        else:
            same, row.ended = False, " **no result**"
    finally:
        server.close()
    row.asked, row.answered, row.twice = len(server.asked), server.answered, server.paid_twice
    return row, server.most_at_once, same


def shared_cache(work: Path) -> Row:
    """Two runs at once that share a grader's cache."""
    server = FaultyServer(delay=0.05)
    setups = [
        Setup(server.url, work / f"shared {number}", work / "shared cache") for number in "12"
    ]
    row = Row()
    try:
        for process in [start(inspect_grader, setup, resume=False) for setup in setups]:
            _wait(process, row)
    finally:
        server.close()
    if not all(finished(inspect_grader, setup) for setup in setups):
        row.ended = " **no result**"
    row.asked, row.answered, row.twice = len(server.asked), server.answered, server.paid_twice
    return row


# The table ----------------------------------------------------------------------------------------


def main() -> None:
    """Run everything, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", metavar="KIND", help="kinds whose name begins so")
    parser.add_argument("--runs", nargs="*", choices=list(RUNNERS), help="only these runs")
    parser.add_argument("--kills", type=int, default=12, help="kills of each harness")
    parser.add_argument("--work", type=Path, help="keep the logs here")
    parser.add_argument("--page", type=Path, help="by default, of a whole run, that in docs/")
    parser.add_argument("--at-once", type=int, default=2, help="runs side by side")
    options = parser.parse_args()
    work = options.work or Path(tempfile.mkdtemp(prefix="faults-"))
    begun = time.monotonic()
    kinds = {
        name: fault
        for name, fault in KINDS.items()
        if options.only is None or name.startswith(tuple(options.only))
    }
    chosen = {name: RUNNERS[name] for name in options.runs or RUNNERS}
    references = work / "undisturbed"
    _wait(start(lm_eval_samples, Setup("", work / "samples"), resume=False), Row())
    numbers: dict[Runner, object] = {}
    for runner in {*chosen.values(), *((inspect_both, lm_eval_model) if options.kills else ())}:
        server = FaultyServer()
        setup = Setup(server.url, references / runner.__name__)
        if runner is lm_eval_grader:
            setup = Setup(server.url, work / "undisturbed-graded")
            (references / runner.__name__).parent.mkdir(parents=True, exist_ok=True)
            (references / runner.__name__).symlink_to(setup.folder)
        _wait(start(runner, setup, resume=False), Row())
        numbers[runner] = (results_of(runner, setup), len(server.asked))
        server.close()
    with ThreadPoolExecutor(options.at_once) as pool:
        rows = {
            (kind, run): pool.submit(under_fault, kind, fault, runner, work, references)
            for kind, fault in kinds.items()
            for run, runner in chosen.items()
        }
        moments = random.Random(0)  # noqa: S311 - no secret
        kills = [
            (harness, pool.submit(killed, runner, at, work, numbers[runner][0]))
            for harness, runner in (("Inspect", inspect_both), ("lm-eval", lm_eval_model))
            if options.kills
            for at in moments.sample(range(1, numbers[runner][1] + 1), options.kills)
        ]
        lines = ["| fault | " + " | ".join(chosen) + " |", "|---|" + "---|" * len(chosen)]
        for kind in kinds:
            cells = [rows[kind, run].result().cell() for run in chosen]
            lines.append(f"| {kind} | " + " | ".join(cells) + " |")
            print(lines[-1], f"[{time.monotonic() - begun:.0f} s]", flush=True)
        table = "\n".join(lines)
        if kills:
            both = pool.submit(shared_cache, work)
            table += "\n\n" + _kill_table([(harness, kill.result()) for harness, kill in kills])
            row = both.result()
            table += (
                f"\n\nTwo runs at once that share a grader's cache: {row.asked} requests, "
                f"{row.answered} answers, {row.twice} paid twice.{row.ended}"
            )
    print("\n\n".join(table.split("\n\n")[1:]))
    whole = options.only is options.runs is None
    if options.page or whole:
        write(options.page or PAGE, table, "faults")
    print(f"{time.monotonic() - begun:.0f} s; logs in {work}")


def _kill_table(kills: Sequence[tuple[str, tuple[Row, int, bool]]]) -> str:
    lines = [
        "| killed | runs | identical | lost | wrong | paid twice | most in a run | at once |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for harness in dict.fromkeys(harness for harness, _ in kills):
        of = [kill for name, kill in kills if name == harness]
        lost, wrong, twice = (
            sum(getattr(r, n) for r, _, _ in of) for n in ("lost", "wrong", "twice")
        )
        lines.append(
            f"| {harness} | {len(of)} | {sum(same for *_, same in of)} | {lost} | {wrong} "
            f"| {twice} | {max(r.twice for r, *_ in of)} | {max(most for _, most, _ in of)} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
