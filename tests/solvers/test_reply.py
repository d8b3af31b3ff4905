"""A reply nobody can use costs itself alone; what tells of a dead model ends the run.

Over a real socket: the server commits a fault on what it is asked, as in ``benchmarks/faults.py``.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from inspect_ai.model import GenerateConfig, Model, ModelOutput, ResponseSchema, get_model
from inspect_ai.util import JSONSchema, LimitExceededError

from profile_tasks.solvers.kept_answers import keep_answers
from profile_tasks.solvers.reply import is_unreadable, reply
from profile_tasks.solvers.requests import NeutralRequest
from profile_tasks.solvers.score_conditioned_generation import written_text
from profile_tasks.solvers.unusable_replies import FROM_THE_START, IN_A_ROW

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

ASKED = NeutralRequest("summarization", "Sum this up.", "The ferry sank. Nobody was hurt.").render()
UNREADABLE = (
    "200, broken JSON",
    "200, empty body",
    "200, an HTML page",
    "200, {error}",
    "200, {}",
    "200, null",
    "200, choices null",
    "200, message null",
    "200, usage a string",
)
ENDING = ("401", "403", "404", "408", "409", "429", "500", "503", "529")


@pytest.fixture
def server(faults: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    monkeypatch.setenv("LOCAL_API_KEY", "sk-local-4f9c2d7e81b35a60")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("INSPECT_HTTP_POOL_KEEPALIVE_CONNECTIONS", "0")
    served = faults.FaultyServer()
    yield served
    served.close()


def model_of(server: Any) -> Model:
    return get_model(
        "openai-api/local/verbose",
        base_url=server.url,
        config=GenerateConfig(max_retries=0),
        memoize=False,
        max_retries=0,
    )


def always(faults: Any, kind: str) -> Any:
    """The fault of a kind, or an HTTP status, from the first request on."""
    fault = faults.Fault(status=int(kind)) if kind.isdigit() else faults.KINDS[kind]
    return replace(fault, when="from")


def said(*models: Model, text: str = ASKED, **config: Any) -> list[ModelOutput]:
    async def ask() -> list[ModelOutput]:
        return [await reply(model, text, GenerateConfig(**config)) for model in models]

    return anyio.run(ask)


@pytest.mark.parametrize("kind", UNREADABLE)
def test_an_unreadable_reply_is_asked_for_once_more_and_then_missing(
    kind: str, faults: Any, server: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server.fault, server.middle = always(faults, kind), 0
    (output,) = said(model_of(server))
    assert output.completion == ""
    assert len(server.asked) == 2
    assert "no usable reply" in caplog.text


@pytest.mark.parametrize("kind", [*ENDING, "closed before the answer"])
def test_what_tells_of_a_model_that_cannot_be_asked_ends_the_run(
    kind: str, faults: Any, server: Any
) -> None:
    server.fault, server.middle = always(faults, kind), 0
    with pytest.raises(Exception, match=r".") as raised:
        said(model_of(server))
    assert not is_unreadable(raised.value)  # type: ignore[arg-type]
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", ["400", "413", "422"])
def test_a_request_that_is_refused_is_missing_alone(status: str, faults: Any, server: Any) -> None:
    server.fault, server.middle = always(faults, status), 1
    model = model_of(server)
    assert [bool(output.completion) for output in said(model, model, model)] == [True, False, False]
    assert len(server.asked) == 3


def test_a_refused_schema_is_left_to_who_asked_with_one(faults: Any, server: Any) -> None:
    server.fault, server.middle = always(faults, "400"), 0
    schema = ResponseSchema(name="x", json_schema=JSONSchema(type="object"))
    with pytest.raises(Exception, match="400"):
        said(model_of(server), response_schema=schema)


@pytest.mark.parametrize("kind", ["200, broken JSON", "400"])
def test_a_server_that_never_answers_so_that_it_can_be_read_ends_the_run(
    kind: str, faults: Any, server: Any
) -> None:
    server.fault, server.middle = always(faults, kind), 0
    model = model_of(server)
    said(*[model] * (FROM_THE_START - 1))
    with pytest.raises(Exception, match=r"JSON|property name|400"):
        said(model)


def test_a_key_that_is_refused_as_a_bad_request_ends_the_run_later(
    faults: Any, server: Any
) -> None:
    server.fault, server.middle = always(faults, "400"), 1
    model = model_of(server)
    said(*[model] * IN_A_ROW)
    with pytest.raises(Exception, match="400"):
        said(model)


def test_a_limit_of_the_run_is_no_reply() -> None:
    assert not is_unreadable(LimitExceededError("token", value=2, limit=1))


def test_half_a_character_is_replaced_where_it_enters(
    faults: Any, server: Any, caplog: pytest.LogCaptureFixture
) -> None:
    model = model_of(server)
    (right,) = said(model)
    server.fault, server.middle = always(faults, "200, lone surrogate in the text"), 0
    (output,) = said(model)
    assert output.completion == f"{right.completion}\ufffd"
    assert output.choices[0].message.model_dump_json()
    assert "half characters" in caplog.text


def test_an_answer_beyond_all_measure_is_missing(
    faults: Any, server: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server.fault, server.middle = always(faults, "200, 20 MB of text"), 0
    (output,) = said(model_of(server))
    assert output.empty
    assert "characters; missing" in caplog.text


def test_a_refusal_is_no_text_of_the_model(faults: Any, server: Any) -> None:
    server.fault, server.middle = always(faults, "200, refusal"), 0
    (output,) = said(model_of(server))
    assert output.completion == "I will not."
    assert written_text(output) is None


def test_a_resumed_run_does_not_ask_for_what_was_answered(server: Any) -> None:
    model = model_of(server)

    async def ask(run: str, sample: str) -> str:
        keep_answers(run, sample)
        return (await reply(model, ASKED)).completion

    async def twice() -> list[str]:
        in_turn = [("r", "1"), ("r", "1"), ("r", "2"), ("other", "1")]
        found = []
        for run, sample in in_turn:
            async with anyio.create_task_group() as group:  # a context of its own

                async def note(run: str = run, sample: str = sample) -> None:
                    found.append(await ask(run, sample))

                group.start_soon(note)
        return found

    assert len(set(anyio.run(twice))) == 1
    assert len(server.asked) == 3
