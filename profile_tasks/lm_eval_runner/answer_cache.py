"""lm-eval's cache of answers (``--use_cache``), so that a run that fails loses no answer.

lm-eval writes an answer into its cache when it arrives. When a request fails for good, the run ends
at once: what other connections have under way is broken off, though the model may have written it
and charged for it, and the last answers may still wait to be written. Here no new request is sent
then, those under way are let finish, and everything is on disk before the run ends.

A reply that nobody can read, and the refusal of one request, cost themselves alone: the answer is
missing, is not kept, and the same command asks for it again. Each model has answers of its own in
the cache, whose keys are the texts of requests alone.

And lm-eval logs the repr of an error, which for aiohttp's holds the headers with the API key: here
it is the error's text.
"""

import asyncio
import hashlib
import json
import logging
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial, partialmethod
from typing import Any
from unittest import mock

import lm_eval.api.model
from lm_eval.api.model import CacheHook, CachingLM, hash_args

from profile_tasks.solvers.unusable_replies import (
    LONGEST,
    ONE_REQUEST_REFUSED,
    UNREADABLE,
    Standing,
)
from profile_tasks.untrusted_text import without_halves

logger = logging.getLogger(__name__)

REQUEST_TYPES = ("generate_until", "loglikelihood", "loglikelihood_rolling")

_MISSING = ""
"""What lm-eval has for an answer that did not come."""

_NOTHING = {"choices": [{"index": 0, "text": _MISSING, "message": {"content": _MISSING}}]}
"""A reply in OpenAI's form without an answer."""

_CHANGES_NO_ANSWER = frozenset(
    {
        *("num_concurrent", "max_retries", "timeout", "batch_size", "max_batch_size", "device"),
        *("verify_certificate", "ca_cert_path", "auth_token", "header"),
    }
)
"""Model arguments that say how a model is reached or run, not what it answers."""

_NO_ECHO = (
    "the server sends no log-probabilities of the text that it is asked about (it takes no "
    "`echo`): use a task in words (without _loglikelihood), or a server that echoes, as vLLM's does"
)


class AnswerCache(CachingLM):
    """lm-eval's cache, complete on disk however the requests end; one table a model.

    Args:
        lm: The model.
        cache_db: The file.
        model: What tells the model from others.
    """

    dbdict: Any

    def __init__(self, lm: Any, cache_db: str, *, model: str) -> None:  # noqa: ANN401 - lm-eval's own
        from sqlitedict import SqliteDict

        super().__init__(lm, cache_db)
        self.dbdict.close()
        table = f"answers_{hashlib.sha256(model.encode()).hexdigest()[:16]}"
        self.dbdict = SqliteDict(cache_db, tablename=table, autocommit=True)
        lm.set_cache_hook(self.get_cache_hook())

    def get_cache_hook(self) -> CacheHook:
        """What keeps an answer when it arrives."""
        return _KeepsAnswers(self)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the model has
        attribute = super().__getattr__(name)
        if name not in REQUEST_TYPES:
            return attribute

        def answers(requests: Sequence[Any]) -> Any:  # noqa: ANN401
            from aiohttp import ClientError

            try:
                answered = attribute(requests)
                for request, answer in zip(requests, answered, strict=True):
                    if _is_missing(answer):
                        self.dbdict.pop(hash_args(name, request.args), None)
                return answered
            except (ClientError, OSError, *UNREADABLE) as error:
                raise NoAnswerError(
                    f"{_reason(error)}. Answers so far are in {self.cache_db}; the same command "
                    "sends only what is missing"
                ) from error
            finally:
                self.dbdict.commit()

        return answers


class NoAnswerError(ConnectionError):
    """A model did not answer, and was asked as often as it may be."""


def _reason(error: Exception) -> str:
    if isinstance(error, NoAnswerError):
        return str(error)
    return f"the model did not answer: {type(error).__name__} {error}"


class _KeepsAnswers(CacheHook):
    """Keeps what is an answer, and can be written into a file."""

    def add_partial(self, attr: str, req: Any, res: Any) -> None:  # noqa: ANN401
        if not _is_missing(res := _clean(res)):
            super().add_partial(attr, req, res)


def _is_missing(answer: object) -> bool:
    return isinstance(answer, str) and not answer.strip()


def _clean(answer: Any) -> Any:  # noqa: ANN401 - a text, or log-likelihoods
    """An answer without half characters; none where it is too long, or of no form that is known."""
    if isinstance(answer, list):  # parts of a message
        answer = "".join(str(part.get("text", "")) for part in answer if isinstance(part, dict))
    if not isinstance(answer, str):
        return answer
    return _MISSING if len(answer) > LONGEST else without_halves(answer)


def model_identity(model: str, arguments: Mapping[str, Any]) -> str:
    """What tells a model from others: its type, and the arguments that change its answers.

    >>> model_identity("hf", {"pretrained": "a", "batch_size": 4})
    '["hf", {"pretrained": "a"}]'
    """
    changing = {name: arguments[name] for name in arguments if name not in _CHANGES_NO_ANSWER}
    return json.dumps([model, changing], sort_keys=True, default=str)


@contextmanager
def answers_kept(model: str) -> Iterator[None]:
    """Within it, lm-eval's runs keep every answer that they were given, and tell no key.

    The module of the model must have been imported before: models without an API need not wait for
    the libraries of the others.

    Args:
        model: What tells the model from others, as of ``model_identity``.
    """
    with ExitStack() as stack:
        replaced: list[tuple[Any, str, Any]] = [
            (lm_eval.api.model, "CachingLM", partial(AnswerCache, model=model))
        ]
        if api := sys.modules.get("lm_eval.models.api_models"):
            from aiohttp import ClientResponse, ClientResponseError

            template = api.TemplateAPI
            replaced += [
                (template, "get_batched_requests", _all_or_those_under_way),
                (template, "model_call", _one_at_a_time(template.model_call)),
                (template, "generate_until", _cleaning(template.generate_until)),
                (ClientResponseError, "__repr__", _text),
                # A server may call its JSON something else.
                (ClientResponse, "json", partialmethod(ClientResponse.json, content_type=None)),
            ]
        if openai := sys.modules.get("lm_eval.models.openai_completions"):
            completions = openai.LocalCompletionsAPI
            reading = staticmethod(_echoed(completions.parse_logprobs))
            replaced.append((completions, "parse_logprobs", reading))
        for owner, name, ours in replaced:
            stack.enter_context(mock.patch.object(owner, name, ours))
        yield


def _text(error: Exception) -> str:
    return f"{type(error).__name__}({error})"


def _cleaning(generate: Callable[..., list[str]]) -> Callable[..., list[str]]:
    """Texts that a file can hold, kept or not; what is missing is told, and why the run ends."""

    def generate_until(*args: Any, **options: Any) -> list[str]:  # noqa: ANN401 - lm-eval's own
        from aiohttp import ClientError

        try:
            texts = [_clean(text) for text in generate(*args, **options)]
        except (ClientError, OSError, *UNREADABLE) as error:
            raise NoAnswerError(_reason(error)) from error
        if missing := sum(map(_is_missing, texts)):
            logger.warning(
                "%d of %d answers are missing: empty, refused, or of no form that can be read. "
                "With --use_cache, the same command asks for them again",
                missing,
                len(texts),
            )
        return texts

    return generate_until


def _echoed(parse: Callable[..., Any]) -> Callable[..., Any]:
    """Log-likelihoods, of a server that sends those of the text that it was sent."""

    def parse_logprobs(outputs: Any, *args: Any, ctxlens: Any = None, **options: Any) -> Any:  # noqa: ANN401
        for output in outputs if isinstance(outputs, list) else [outputs]:
            for choice, context in zip(output["choices"], ctxlens or (), strict=False):
                told = (choice.get("logprobs") or {}).get("token_logprobs") or ()
                if len(told) <= context:
                    raise NoEchoError(_NO_ECHO)
        return parse(outputs, *args, ctxlens=ctxlens, **options)

    return parse_logprobs


class NoEchoError(ValueError):
    """A server has no log-likelihoods of given texts."""


def _is_alone(error: Exception, standing: Standing) -> bool:
    """Whether an error, when tries are used up, concerns its request and not the model."""
    of_request = isinstance(error, UNREADABLE) or _status(error) in ONE_REQUEST_REFUSED
    return of_request and standing.still_answers()


def _status(error: Exception) -> int | None:
    """The HTTP status in an error of aiohttp or of requests."""
    response = getattr(error, "response", None)
    return getattr(error, "status", None) or getattr(response, "status_code", None)


def _one_at_a_time(call: Callable[..., Any]) -> Callable[..., Any]:
    """In place of ``TemplateAPI.model_call``, which is sent again as often as it raises."""
    standing, tries = Standing(), Counter[str]()

    def model_call(model: Any, messages: Any, *, generate: bool = True, **options: Any) -> Any:  # noqa: ANN401
        try:
            outputs = call(model, messages, generate=generate, **options)
            if generate and len(model.parse_generations(outputs=outputs)) < len(messages):
                raise IndexError("the reply holds no answer")
        except Exception as error:
            tries[request := str(messages)] += 1
            given_up = tries[request] >= model.max_retries
            if generate and given_up and len(messages) == 1 and _is_alone(error, standing):
                return _NOTHING
            raise
        standing.note_answer()
        return outputs

    return model_call


async def _all_or_those_under_way(
    model: Any,  # noqa: ANN401 - a TemplateAPI
    requests: Sequence[Any],
    cache_keys: Sequence[Any],
    *,
    generate: bool = True,
    ctxlens: Sequence[int] | None = None,
    **options: Any,  # noqa: ANN401
) -> list[Any]:
    """In place of ``TemplateAPI.get_batched_requests``: a failure waits for those under way.

    What concerns a request alone is no failure; its answer is missing.

    Raises:
        Exception: Of the first request that failed as often as the model may try.
    """
    from aiohttp import ClientSession, ClientTimeout, TCPConnector
    from tenacity import retry, stop_after_attempt, wait_exponential
    from tqdm.asyncio import tqdm_asyncio

    failures: list[Exception] = []
    standing = Standing()
    at_once, batch_size = model._concurrent, model._batch_size
    slots = asyncio.Semaphore(at_once)
    call: Callable[..., Awaitable[Any]] = retry(
        stop=stop_after_attempt(model.max_retries),
        wait=wait_exponential(multiplier=0.5, min=1, max=10),
        reraise=True,
    )(model.amodel_call)

    async def answer(session: ClientSession, start: int) -> Any:  # noqa: ANN401
        batch = slice(start, start + batch_size)
        async with slots:
            if failures:
                return None
            try:
                answered = await call(
                    session=session,
                    sem=asyncio.Semaphore(1),  # the slot is taken
                    messages=requests[batch],
                    cache_keys=cache_keys[batch],
                    ctxlens=None if ctxlens is None else ctxlens[batch],
                    generate=generate,
                    **options,
                )
            except Exception as error:  # raised again when all are back
                if not (generate and _is_alone(error, standing)):
                    failures.append(error)
                return [_MISSING] * len(requests[batch])
            if not all(map(_is_missing, answered)):
                standing.note_answer()
            # A reply may hold fewer choices than it should, or more.
            wanted = len(requests[batch])
            return [*answered, *[_MISSING] * wanted][:wanted] if generate else answered

    async with ClientSession(
        connector=TCPConnector(limit=at_once, ssl=model.verify_certificate),
        timeout=ClientTimeout(total=model.timeout),
    ) as session:
        answers: list[Any] = await tqdm_asyncio.gather(
            *(answer(session, start) for start in range(0, len(requests), batch_size)),
            desc="Requesting API",
        )
    if failures:
        raise failures[0]
    return answers
