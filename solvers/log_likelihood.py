"""Log-likelihood of a given text as a model's answer, for Inspect's providers that can tell.

Inspect has log-probabilities of what a model generates. Of a text that is given, there are those
that a local model computes (hf), those of a prompt's own tokens (vLLM and SGLang servers), and
those of an echoed prompt (completions endpoints). Chat APIs such as OpenAI's give none.
"""

import math
from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Any, Protocol, runtime_checkable

import anyio
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageUser,
    GenerateConfig,
    Model,
)

IN_THE_PROMPT = ("vllm", "sglang", "openai-api")
"""Providers whose servers may give the log-probabilities of a prompt's tokens."""

ECHOED = ("vllm-completions", "openai-api-completions")
"""Providers of completions endpoints, which echo a prompt with its log-probabilities."""


class LogLikelihoodError(ValueError):
    """A model gives no log-likelihood of a text."""


@runtime_checkable
class TellsLogLikelihoods(Protocol):
    """A provider that computes them itself."""

    def log_likelihood(self, request: str, text: str) -> float:
        """Of the text as the answer to the request."""
        ...


def check_log_likelihoods(model: Model) -> None:
    """Refuse a model that cannot tell how likely a given text is.

    Raises:
        LogLikelihoodError: Its provider is not known to.
    """
    name = str(model)
    provider = name.partition("/")[0]
    if provider in ("hf", *IN_THE_PROMPT, *ECHOED) or isinstance(model.api, TellsLogLikelihoods):
        return
    raise LogLikelihoodError(
        f"{name} gives no log-likelihoods of given texts; use one of: hf/..., "
        + ", ".join(f"{known}/..." for known in (*IN_THE_PROMPT, *ECHOED))
        + ", or -T measure=compliance, which needs none"
    )


async def log_likelihood(model: Model, request: str, text: str) -> float:
    """Natural logarithm of the probability that a model answers a request with exactly this text.

    Args:
        model: The model.
        request: The request.
        text: The answer, not empty.

    Raises:
        LogLikelihoodError: The model gives none, or its tokens do not spell the text.
    """
    check_log_likelihoods(model)
    if isinstance(model.api, TellsLogLikelihoods):
        return model.api.log_likelihood(request, text)
    provider = str(model).partition("/")[0]
    if provider in IN_THE_PROMPT:
        return await _in_the_prompt(model, request, text)
    if provider in ECHOED:
        return await _echoed(model, request, text)
    return await anyio.to_thread.run_sync(_of_local_model, model.api, request, text)


async def _in_the_prompt(model: Model, request: str, text: str) -> float:
    messages: list[ChatMessage] = [
        ChatMessageUser(content=request),
        ChatMessageAssistant(content=text),
    ]
    output = await model.generate(
        messages, config=GenerateConfig(prompt_logprobs=1, max_tokens=1, temperature=0.0)
    )
    told = None if output.empty else output.choices[0].prompt_logprobs
    if told is None:
        raise LogLikelihoodError(
            f"{model}: the server gives no log-probabilities of the prompt; serve the model with "
            "vLLM or SGLang, or use hf/..."
        )
    tokens = [(token.token, token.logprob) for token in told.content]
    start = "".join(token for token, _ in tokens).rfind(text)
    if start < 0:
        raise LogLikelihoodError(f"{model}: the tokens of the prompt do not spell the text")
    return _between(tokens, start, start + len(text))


async def _echoed(model: Model, request: str, text: str) -> float:
    prompt = f"{request}\n\n{text}"
    output = await model.generate(
        [ChatMessageUser(content=prompt)],
        config=GenerateConfig(
            logprobs=True, max_tokens=1, temperature=0.0, extra_body={"echo": True}
        ),
    )
    told = None if output.empty else output.choices[0].logprobs
    tokens = [(token.token, token.logprob) for token in told.content] if told else []
    # The first token of a prompt has no log-probability, and may have been left out with it.
    spelled = "".join(token for token, _ in tokens)
    at = spelled.find(text, max(0, len(spelled) - len(text) - _GENERATED))
    if at < 0:
        raise LogLikelihoodError(
            f"{model}: the server does not echo the prompt with log-probabilities; use hf/... or a "
            "server that does"
        )
    return _between(tokens, at, at + len(text))


_GENERATED = 100
"""Characters that one generated token has at most."""


def _between(tokens: Sequence[tuple[str, float]], start: int, end: int) -> float:
    """Sum over the tokens that stand, in part at least, between two places.

    >>> _between([("ab", -1.0), ("cd", -2.0), ("ef", -4.0)], 3, 4)
    -2.0
    """
    return math.fsum(_overlapping(tokens, start, end))


def _overlapping(tokens: Sequence[tuple[str, float]], start: int, end: int) -> Iterable[float]:
    at = 0
    for token, logprob in tokens:
        if at < end and at + len(token) > start:
            yield logprob
        at += len(token)


_ONE_AT_A_TIME = Lock()
"""A local model gains nothing from samples that run side by side."""


def _of_local_model(api: Any, request: str, text: str) -> float:  # noqa: ANN401 - Inspect's hf
    """Teacher forcing with the provider's own model, tokenizer and chat template."""
    import torch

    context = api.hf_chat([ChatMessageUser(content=request)], [])
    before, whole = (
        api.tokenizer(words, **api.tokenizer_call_args)["input_ids"]
        for words in (context, context + text)
    )
    answered = len(whole) - len(before)
    if answered < 1 or whole[: len(before)] != before:
        # The text's first token took in the end of the context: the context gives way.
        shared = next(
            (at for at, (a, b) in enumerate(zip(before, whole, strict=False)) if a != b),
            min(len(before), len(whole)),
        )
        answered = len(whole) - shared
    longest = getattr(api.model.config, "max_position_embeddings", None)
    if longest is not None and len(whole) > longest:
        raise LogLikelihoodError(
            f"a request with its answer has {len(whole)} tokens, and the model takes {longest}; "
            "choose shorter sources (limit, max_pairs_per_source) or a model with a longer context"
        )
    with _ONE_AT_A_TIME, torch.no_grad():
        ids = torch.tensor([whole], device=api.model.device)
        logits = api.model(ids).logits[0, -answered - 1 : -1].float()
        told = torch.log_softmax(logits, dim=-1).gather(1, ids[0, -answered:, None])
    return float(told.sum())
