"""Log-likelihood of a given text: local models, prompts' own tokens, echoed prompts; or refused."""

import json
import math
import re
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import anyio
import pytest
from inspect_ai import eval as inspect_eval
from inspect_ai.model import Model, get_model

from profile_tasks.data.sources import load_data
from profile_tasks.settings import ProfileSettings
from profile_tasks.solvers.log_likelihood import (
    LogLikelihoodError,
    RequestRefusedError,
    check_log_likelihoods,
    log_likelihoods,
)
from profile_tasks.solvers.prompts import VERDICTS
from profile_tasks.solvers.requests import DiscriminationRequest, NeutralRequest
from profile_tasks.tasks.request_cost import request_cost

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

REQUEST = NeutralRequest("document_qa", "Why is the sky blue?", "Air scatters blue.").render()


def likelihood(model: Model, text: str, request: str = REQUEST) -> float:
    (told,) = anyio.run(log_likelihoods, model, request, (text,))
    return told


def words(text: str) -> list[str]:
    """Tokens of the servers below: words with the space before them."""
    return re.findall(r"\s*\S+|\s+$", text)


def told(token: str) -> float:
    """What the servers below find of a token."""
    return -0.1 * len(token)


@pytest.fixture
def server() -> Iterator[Callable[..., Model]]:
    """Servers in the shape of vLLM's chat endpoint, and of a completions endpoint."""
    answers: list[Callable[[dict[str, Any]], dict[str, Any]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            sent = json.dumps(answers[-1](body)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            """Nothing on stderr."""

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=running.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{running.server_address[1]}/v1"

    def model(provider: str, answer: Callable[[dict[str, Any]], dict[str, Any]]) -> Model:
        answers.append(answer)
        return get_model(f"{provider}/local/m", base_url=address, api_key="k", memoize=False)

    yield model
    running.shutdown()
    running.server_close()


def chat(body: dict[str, Any]) -> dict[str, Any]:
    """vLLM: the tokens of the whole chat, that of the template around the messages included."""
    text = "".join(f"<|{m['role']}|> {m['content']} <|end|>" for m in body["messages"])
    tokens = words(f"{text}<|assistant|>")
    assert body["prompt_logprobs"] == 1
    return chat_without(body) | {
        "prompt_logprobs": [
            None,
            *(
                {str(i): {"decoded_token": token, "logprob": told(token), "rank": 1}}
                for i, token in enumerate(tokens)
            ),
        ]
    }


def chat_without(body: dict[str, Any]) -> dict[str, Any]:
    message = {"role": "assistant", "content": "and"}
    return {
        "id": "1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "finish_reason": "length", "message": message}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }  # fmt: skip


def echo(body: dict[str, Any]) -> dict[str, Any]:
    """Completions: the echoed prompt's tokens and one more."""
    assert body["echo"]
    tokens = [*words(body["prompt"]), " and"]
    return {
        "id": "1", "object": "text_completion", "created": 1, "model": "m",
        "choices": [
            {
                "index": 0, "finish_reason": "length", "text": body["prompt"] + " and",
                "logprobs": {
                    "tokens": tokens,
                    "token_logprobs": [None, *map(told, tokens[1:])],
                    "top_logprobs": None,
                    "text_offset": [],
                },
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }  # fmt: skip


def no_echo(body: dict[str, Any]) -> dict[str, Any]:
    answer = echo(body)
    answer["choices"][0] |= {"text": " and", "logprobs": None}
    return answer


TEXT = "Short waves scatter most."


def test_a_prompts_own_tokens_tell_it(server: Callable[..., Model]) -> None:
    found = likelihood(server("openai-api", chat), TEXT)
    assert found == pytest.approx(sum(told(token) for token in words(f" {TEXT}")))


def test_the_last_of_equal_texts_is_meant(server: Callable[..., Model]) -> None:
    request = REQUEST.replace("Air scatters blue.", TEXT)
    found = likelihood(server("openai-api", chat), TEXT, request)
    assert found == pytest.approx(sum(told(token) for token in words(f" {TEXT}")))


def test_an_echoed_prompt_tells_it(server: Callable[..., Model]) -> None:
    found = likelihood(server("openai-api-completions", echo), TEXT)
    assert found == pytest.approx(sum(told(token) for token in words(f"\n\n{TEXT}")))


@pytest.mark.parametrize(
    ("provider", "answer", "message"),
    [
        ("openai-api", chat_without, "gives no log-probabilities of the prompt; serve the model"),
        ("openai-api-completions", no_echo, "does not echo the prompt with log-probabilities"),
    ],
)
def test_a_server_that_tells_nothing_is_named(
    server: Callable[..., Model], provider: str, answer: Any, message: str
) -> None:
    with pytest.raises(LogLikelihoodError, match=message):
        likelihood(server(provider, answer), TEXT)


VERDICT = DiscriminationRequest("document_qa", "Why?", None, "One.", "Two.").render()


@pytest.mark.parametrize(
    ("provider", "answer"), [("openai-api", chat), ("openai-api-completions", echo)]
)
def test_verdicts_are_not_those_that_the_request_quotes(
    server: Callable[..., Model], provider: str, answer: Any
) -> None:
    def starts(body: dict[str, Any]) -> dict[str, Any]:
        answered = answer(body)
        # A token of the request itself, which says how a verdict has to look, is very unlikely.
        told_of = answered.get("prompt_logprobs") or answered["choices"][0]["logprobs"]
        if isinstance(told_of, list):
            for place, token in enumerate(told_of[1:], 1):
                if '"' in token[f"{place - 1}"]["decoded_token"]:
                    token[f"{place - 1}"]["logprob"] = -1000.0
        else:
            for place, token in enumerate(told_of["tokens"]):
                if '"' in token:
                    told_of["token_logprobs"][place] = -1000.0
        return answered

    model = server(provider, starts)
    first, second = anyio.run(log_likelihoods, model, VERDICT, VERDICTS)
    space = " " if provider == "openai-api" else "\n\n"
    assert first == pytest.approx(sum(told(token) for token in words(f"{space}Verdict: A")))
    assert first == pytest.approx(second)


def test_a_run_that_judges_by_likelihood_sends_what_was_estimated(
    server: Callable[..., Model], tmp_path: Path
) -> None:
    sent: list[str] = []

    def counted(body: dict[str, Any]) -> dict[str, Any]:
        sent.append(body["prompt"])
        assert body["max_tokens"] == 1
        return echo(body)

    (log,) = inspect_eval(
        "profile_tasks/summarization",
        model=server("openai-api-completions", counted),
        task_args={"limit": 2, "setting": "discrimination", "judge_by": "likelihood"},
        log_dir=str(tmp_path), display="none",
    )  # fmt: skip
    assert log.status == "success", log.error
    settings = ProfileSettings(setting="discrimination", judge_by="likelihood", limit=2)
    cost = request_cost(load_data(settings, "summarization"), (), settings)
    count = cost.by_purpose["discrimination"]
    assert count.requests == count.output_tokens == len(sent) == len(set(sent))
    assert count.input_tokens == pytest.approx(sum(map(len, sent)) / 4, abs=1)
    assert {prompt.rpartition("\n\n")[2] for prompt in sent} == set(VERDICTS)
    assert any("by likelihood: two requests" in note for note in cost.notes)


def test_a_request_that_the_server_refuses_is_missing_and_not_the_models_fault(
    server: Callable[..., Model],
) -> None:
    model = server("openai-api", lambda _: {"choices": []})
    with pytest.raises(RequestRefusedError, match="no usable reply"):
        likelihood(model, TEXT)


def test_other_providers_are_refused_with_the_way_out() -> None:
    with pytest.raises(LogLikelihoodError, match="mockllm/model gives no log-likelihoods") as error:
        check_log_likelihoods(get_model("mockllm/model"))
    assert "-T measure=compliance" in str(error.value)
    check_log_likelihoods(get_model("planted/verbose"))


def test_the_planted_annotator_tells_its_rule() -> None:
    found = likelihood(get_model("planted/verbose"), "two words")
    assert found == pytest.approx(9 * -math.log1p(math.exp(-math.log1p(2))))


@pytest.mark.slow
def test_a_local_model_finds_what_lm_eval_finds(tiny_model: Path) -> None:
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    theirs = HFLM(pretrained=str(tiny_model), device="cpu", dtype="float32")
    ours = get_model("hf/tiny", model_path=str(tiny_model), memoize=False)
    texts = [TEXT, " starts with a space", "ümlaut – dash", "x"]
    chat = theirs.apply_chat_template([{"role": "user", "content": REQUEST}])
    requests = [Instance("loglikelihood", {}, (chat, text), 0) for text in texts]
    expected = [value for value, _ in theirs.loglikelihood(requests, disable_tqdm=True)]
    found = [likelihood(ours, text) for text in texts]
    assert found == pytest.approx(expected, rel=1e-4)
    assert len({round(value, 3) for value in found}) == len(texts)


@pytest.mark.slow
def test_a_context_that_is_too_long_is_named(tiny_model: Path) -> None:
    model = get_model("hf/tiny", model_path=str(tiny_model), memoize=False)
    with pytest.raises(LogLikelihoodError, match="tokens, and the model takes 8192"):
        likelihood(model, "unheard-of words " * 600)
