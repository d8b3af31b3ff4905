"""No file that a run writes and no line that it prints holds a key, whatever a server says."""

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import eval as inspect_eval
from inspect_ai import eval_set
from inspect_ai.log import EvalLog
from inspect_ai.model import GenerateConfig, Model, ModelCall, get_model

from profile_tasks.scorers.inspect.arguments import ArgumentError
from profile_tasks.summarization import summarization
from profile_tasks.tasks.feedback import summarization_feedback

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

GATE = "gate-S3CRET-71c22e"
"""A key beside that of the server, in a header."""

HEADERS = {"X-Gateway-Key": GATE}
SMALL = {"setting": "discrimination", "factors": "surface", "limit": 1, "max_pairs_per_source": 1}


def written(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file in a folder, and every part of a log in it: those are compressed."""
    for file in folder.rglob("*"):
        if file.is_file():
            yield file.name, file.read_bytes()
        if file.suffix == ".eval":
            with zipfile.ZipFile(file) as parts:
                yield from ((name, parts.read(name)) for name in parts.namelist())


def holding(folder: Path, *keys: str) -> list[str]:
    """What holds one of the keys, of all that was written."""
    files = dict(written(folder))
    assert any(name.endswith(".eval") for name in files)
    return [name for name, held in files.items() if any(key.encode() in held for key in keys)]


def quotes_keys(server: Any, status: int = 401) -> None:
    """Let the server refuse every request, and quote all that it was sent."""
    server.script = lambda asked: server.Behaviour(
        status=status, text=f"bad key {asked.key} of {json.dumps(asked.headers)}"
    )


def inspect(server: Any, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``inspect eval`` of one source, in a process of its own."""
    given = [part for name, value in SMALL.items() for part in ("-T", f"{name}={value}")]
    return subprocess.run(
        [sys.executable, "-m", "inspect_ai", "eval", "profile_tasks/summarization",
         "--model", "openai-api/local/m", "-M", "max_retries=0", "--max-retries", "0",
         *given, "--log-dir", str(folder), "--display", "plain", *arguments],
        check=False, capture_output=True, text=True, cwd=folder.parent,
        env=os.environ | {"LOCAL_BASE_URL": server.url},
    )  # fmt: skip


def printed(done: subprocess.CompletedProcess[str]) -> str:
    """What a process printed, as one line: it may have broken a key in two."""
    return re.sub(r"\s+", "", done.stdout + done.stderr)


def evaluate(task: Any, folder: Path, model: Model, **options: Any) -> EvalLog:
    (log,) = inspect_eval(
        task, model=model, log_dir=str(folder), display="none", log_realtime=False, **options
    )
    return log


def gated(server: Any, name: str) -> Model:
    """A model of the server that sends a second key, and one argument that is none."""
    return get_model(
        f"openai-api/local/{name}",
        base_url=server.url,
        memoize=False,
        max_retries=0,
        default_headers=HEADERS,
        config=GenerateConfig(max_retries=0),
    )


@pytest.mark.slow
def test_a_command_whose_model_is_refused_writes_and_prints_no_key(
    server: Any, tmp_path: Path
) -> None:
    quotes_keys(server)
    done = inspect(
        server, tmp_path / "logs", "-M", f"default_headers={json.dumps(HEADERS)}", "-M",
        "webhook_secret=" + GATE,
    )  # fmt: skip
    assert server.asked[0].headers["x-gateway-key"] == GATE
    assert holding(tmp_path / "logs", server.key, GATE) == []
    assert holding(tmp_path / "logs", "bad key [API key] of ") != []
    assert server.key not in printed(done)
    assert GATE not in printed(done)


@pytest.mark.parametrize(("status", "ended"), [(400, "success"), (500, "error")])
def test_a_model_that_fails_otherwise_leaves_no_key_in_the_log(
    server: Any, tmp_path: Path, status: int, ended: str
) -> None:
    quotes_keys(server, status)
    log = evaluate(summarization, tmp_path, gated(server, "m"), task_args=SMALL)
    assert log.status == ended
    assert holding(tmp_path, "bad key [API key] of ") != []
    assert holding(tmp_path, server.key, GATE) == []


@pytest.mark.slow
def test_a_command_with_a_key_in_a_header_of_requests_is_refused_in_one_line(
    server: Any, tmp_path: Path
) -> None:
    done = inspect(server, tmp_path / "logs", "--extra-headers", json.dumps(HEADERS))
    assert done.returncode != 0
    told = "X-Gateway-Key of the evaluated model: Inspect writes it into the log, the key included"
    assert told in " ".join(done.stdout.split())
    assert "Traceback" not in done.stdout + done.stderr
    assert GATE not in printed(done)
    assert not list(tmp_path.rglob("*.eval"))


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"extra_headers": HEADERS}, "X-Gateway-Key of the evaluated model"),
        ({"extra_body": {"auth": GATE}}, "auth of the evaluated model"),
        ({"model_base_url": f"http://me:{GATE}@host/v1"}, "base_url of the evaluated model"),
        ({"model_base_url": f"http://host/v1?key={GATE}"}, "base_url of the evaluated model"),
        ({"role": {"config": GenerateConfig(extra_headers=HEADERS)}}, "X-Gateway-Key of role"),
        ({"role": {"base_url": f"http://me:{GATE}@host/v1"}}, "base_url of role grader"),
    ],
)
def test_a_key_that_inspect_would_log_is_refused_before_a_log_begins(
    server: Any, tmp_path: Path, options: dict[str, Any], name: str
) -> None:
    role = options.pop("role", {})
    grader = get_model("openai-api/local/g", memoize=False, **{"base_url": server.url, **role})
    with pytest.raises(ArgumentError) as refused:
        inspect_eval(
            summarization, task_args=SMALL, model="openai-api/local/m",
            model_roles={"grader": grader}, log_dir=str(tmp_path), display="none",
            log_realtime=False,
            **({"model_base_url": server.url} | options),
        )  # fmt: skip
    assert name in str(refused.value)
    assert "Inspect writes it into the log, the key included; give the key in" in str(refused.value)
    assert GATE not in str(refused.value)
    assert list(tmp_path.iterdir()) == []
    assert server.asked == []


def test_no_model_of_a_run_leaves_a_key_among_its_logged_arguments(
    server: Any, tmp_path: Path
) -> None:
    log = evaluate(
        summarization, tmp_path, gated(server, "m"), task_args=SMALL,
        model_roles={"grader": [gated(server, "g"), gated(server, "h")]},
    )  # fmt: skip
    assert log.status == "success"
    assert {asked.headers["x-gateway-key"] for asked in server.asked} == {GATE}
    assert log.eval.model_args == {"max_retries": 0, "default_headers": {}}
    assert holding(tmp_path, server.key, GATE) == []


def test_an_eval_set_does_not_list_the_keys_of_its_models(server: Any, tmp_path: Path) -> None:
    # Where it is called, eval_set leaves its model the active one: tasks of later tests would take
    # themselves for parts of an evaluation.
    done, _ = copy_context().run(
        eval_set, "profile_tasks/summarization", model=gated(server, "m"), log_dir=str(tmp_path),
        task_args=SMALL, display="none", retry_attempts=1,
    )  # fmt: skip
    assert done
    assert "eval-set.json" in dict(written(tmp_path))
    assert holding(tmp_path, server.key, GATE) == []


def test_a_refused_evaluator_of_feedback_tells_no_key(server: Any, tmp_path: Path) -> None:
    quotes_keys(server)
    log = evaluate(
        summarization_feedback, tmp_path, get_model("planted/verbose"),
        task_args={"condition": "evaluator", "factors": "surface", "limit": 1},
        model_roles={"grader": gated(server, "evaluator")},
    )  # fmt: skip
    assert log.status == "error"
    assert log.error is not None
    assert "bad key [API key] of " in log.error.message
    assert holding(tmp_path, server.key, GATE) == []


def test_a_task_that_was_built_before_its_evaluation_hides_the_keys_too(
    server: Any, tmp_path: Path
) -> None:
    quotes_keys(server)
    log = evaluate(summarization(**SMALL), tmp_path, gated(server, "m"))
    assert log.status == "error"
    assert holding(tmp_path, "bad key [API key] of ") != []
    assert holding(tmp_path, server.key, GATE) == []


def test_a_task_that_was_built_before_its_evaluation_tells_which_keys_its_log_holds(
    server: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    evaluate(summarization(**SMALL), tmp_path, server.model(extra_headers=HEADERS))
    told = "the log of profile_tasks/summarization holds keys: X-Gateway-Key. Do not share it."
    assert told in caplog.text
    assert GATE not in caplog.text


def test_a_provider_that_logs_an_error_before_it_raises_tells_no_key(
    server: Any, tmp_path: Path
) -> None:
    """As the one of Anthropic does, in inspect-ai 0.3.285."""
    from inspect_ai.log._samples import set_active_model_event_call

    model = server.model()

    async def generate(*_: object, **__: object) -> tuple[Exception, ModelCall]:
        call = set_active_model_event_call({"messages": []})
        call.set_error({"error": f"bad key {server.key}"})
        raise ValueError(f"bad key {server.key}")

    model.api.generate = generate
    log = evaluate(summarization, tmp_path, model, task_args=SMALL)
    assert log.status == "error"
    assert holding(tmp_path, "bad key [API key]") != []
    assert holding(tmp_path, server.key) == []
