"""Log-likelihood of a given text as a model's answer, for Inspect's providers that can tell.

Inspect has log-probabilities of what a model generates. Of a text that is given, there are those
that a local model computes (hf), those of a prompt's own tokens (vLLM and SGLang servers), and
those of an echoed prompt (completions endpoints). Chat APIs such as OpenAI's give none.

A request is put as lm-eval puts it, so that both harnesses find the same numbers: in the model's
chat template (lm-eval: --apply_chat_template), or plain with an empty line below where there is
none; and no text begins with two tokens for its beginning.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import Any, Protocol, runtime_checkable

import anyio
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
    Model,
)
from inspect_ai.util import collect

from profile_tasks.solvers.reply import reply
from profile_tasks.solvers.stop_reason import settings_of_run

IN_THE_PROMPT = ("vllm", "sglang", "openai-api")
"""Providers whose servers may give the log-probabilities of a prompt's tokens."""

ECHOED = ("vllm-completions", "openai-api-completions")
"""Providers of completions endpoints, which echo a prompt with its log-probabilities."""


class LogLikelihoodError(ValueError):
    """A model gives no log-likelihood of a text."""


class RequestRefusedError(LogLikelihoodError):
    """It gives none of this text: the request is too long, or was answered by nothing usable."""


@runtime_checkable
class TellsLogLikelihoods(Protocol):
    """A provider that computes them itself."""

    def log_likelihood(self, request: str, text: str) -> float:
        """Of the text as the answer to the request."""
        ...


def check_log_likelihoods(
    model: Model, otherwise: str = "-T measure=compliance, which needs none"
) -> None:
    """Refuse a model that cannot tell how likely a given text is.

    Args:
        model: The model.
        otherwise: What else a user can do.

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
        + f", or {otherwise}"
    )


async def log_likelihoods(
    model: Model, request: str, texts: Sequence[str], *, spaced: bool = False
) -> list[float]:
    """Natural logarithm of the probability that a model answers with exactly this, text by text.

    Args:
        model: The model.
        request: The request.
        texts: Possible answers, none of them empty.
        spaced: A local model counts the white space that ends the request to each text, as lm-eval
            does. What two texts differ by stays the same, but for rounding, which may decide where
            two responses are as good: so both harnesses round alike.

    Raises:
        LogLikelihoodError: The model gives none, or its tokens do not spell a text.
    """
    check_log_likelihoods(model)
    if isinstance(model.api, TellsLogLikelihoods):
        return [model.api.log_likelihood(request, text) for text in texts]
    provider = str(model).partition("/")[0]
    if provider == "hf":
        return await anyio.to_thread.run_sync(_of_local_model, model, request, texts, spaced)
    told = _in_the_prompt if provider in IN_THE_PROMPT else _echoed
    return list(await collect(*(told(model, request, text) for text in texts)))


async def _in_the_prompt(model: Model, request: str, text: str) -> float:
    messages: list[ChatMessage] = [
        ChatMessageUser(content=request),
        ChatMessageAssistant(content=text),
    ]
    config = GenerateConfig(prompt_logprobs=1, max_tokens=1, temperature=0.0)
    output = await reply(model, messages, config)
    if output.empty:
        raise RequestRefusedError(f"{model}: no usable reply")
    told = output.choices[0].prompt_logprobs
    if told is None:
        raise LogLikelihoodError(
            f"{model}: the server gives no log-probabilities of the prompt; serve the model with "
            "vLLM or SGLang, or use hf/..."
        )
    tokens = [(token.token, token.logprob) for token in told.content]
    spelled = "".join(token for token, _ in tokens)
    start = spelled.rfind(text)
    # The request may hold the text too, and be all that the server tells of.
    if start < 0 or request[-_END:] not in spelled[:start]:
        raise LogLikelihoodError(f"{model}: the tokens of the prompt do not spell the text")
    return _between(tokens, start, start + len(text))


_END = 20
"""Characters by which the end of a request is known."""


async def _echoed(model: Model, request: str, text: str) -> float:
    answer = f"\n\n{text}"
    config = GenerateConfig(logprobs=True, max_tokens=1, temperature=0.0, extra_body={"echo": True})
    output = await reply(model, f"{request}{answer}", config)
    if output.empty:
        raise RequestRefusedError(f"{model}: no usable reply")
    told = output.choices[0].logprobs
    tokens = [(token.token, token.logprob) for token in told.content] if told else []
    # The first token of a prompt has no log-probability, and may have been left out with it.
    spelled = "".join(token for token, _ in tokens)
    at = spelled.rfind(answer)
    end = at + len(answer)
    if at < 0 or len(spelled) - end > _GENERATED:
        raise LogLikelihoodError(
            f"{model}: the server does not echo the prompt with log-probabilities; use hf/... or a "
            "server that does"
        )
    return _between(tokens, end - len(text), end)


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


def _of_local_model(model: Model, request: str, texts: Sequence[str], spaced: bool) -> list[float]:
    """Teacher forcing with the provider's own model, tokenizer and chat template."""
    import torch

    api: Any = model.api
    context = _asked(model, request)
    options = _tokenizing(api, context)
    before = api.tokenizer(context.rstrip() if spaced else context, **options)["input_ids"]
    wholes = [api.tokenizer(context + text, **options)["input_ids"] for text in texts]
    longest = getattr(api.model.config, "max_position_embeddings", None)
    if longest is not None and (length := max(map(len, wholes))) > longest:
        raise RequestRefusedError(
            f"a request with its answer has {length} tokens, and the model takes {longest}; "
            "choose shorter sources (limit, max_pairs_per_source) or a model with a longer context"
        )
    starts = [_first_of_answer(before, whole) for whole in wholes]
    # Texts that differ in their last token alone, as two verdicts do, take one pass together.
    passes: dict[tuple[int, ...], Any] = {}
    told = []
    with _ONE_AT_A_TIME, torch.no_grad():
        for whole, start in zip(wholes, starts, strict=True):
            read = tuple(whole[:-1])
            if read not in passes:
                ids = torch.tensor([read], device=api.model.device)
                logits = api.model(ids).logits[0, min(starts) - 1 :]
                exact = logits if logits.dtype == torch.float64 else logits.float()
                passes[read] = torch.log_softmax(exact, dim=-1)
            answer = torch.tensor(whole[start:], device=api.model.device)
            every = passes[read][start - min(starts) :].gather(1, answer[:, None])
            told.append(float(every.sum()))
    return told


def _asked(model: Model, request: str) -> str:
    """The request as the model's provider puts it; plain where it has no chat template."""
    api: Any = model.api
    system = settings_of_run().merge(model.config).system_message
    own = api.chat_template if isinstance(api.chat_template, str) else api.tokenizer.chat_template
    if own is None or api.use_chat_template is False:
        return f"{system}\n\n{request}\n\n" if system else f"{request}\n\n"
    first = [ChatMessageSystem(content=system)] if system else []
    return str(api.hf_chat([*first, ChatMessageUser(content=request)], []))


def _tokenizing(api: Any, context: str) -> Mapping[str, Any]:  # noqa: ANN401 - Inspect's hf
    """How the tokenizer is called: a template may have put the token of the beginning there."""
    begins = api.tokenizer.bos_token
    twice = begins is not None and context.startswith(begins)
    return {**({"add_special_tokens": False} if twice else {}), **api.tokenizer_call_args}


def _first_of_answer(before: Sequence[int], whole: Sequence[int]) -> int:
    """Place of an answer's first token.

    Where that took in the end of the context, the context gives way.

    >>> _first_of_answer([1, 2, 3], [1, 2, 3, 4]), _first_of_answer([1, 2, 3], [1, 2, 9, 4])
    (3, 2)
    """
    shorter = min(len(before), len(whole) - 1)
    return next((at for at in range(shorter) if before[at] != whole[at]), shorter)
