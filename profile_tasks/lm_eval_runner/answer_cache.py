"""lm-eval's cache of answers (``--use_cache``), so that a run that fails loses no answer.

lm-eval writes an answer into its cache when it arrives. When a request fails for good, the run ends
at once: what other connections have under way is broken off, though the model may have written it
and charged for it, and the last answers may still wait to be written. Here no new request is sent
then, those under way are let finish, and everything is on disk before the run ends.

And lm-eval logs the repr of an error, which for aiohttp's holds the headers with the API key: here
it is the error's text.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import lm_eval.api.model
from lm_eval.api.model import CachingLM

REQUEST_TYPES = ("generate_until", "loglikelihood", "loglikelihood_rolling")


class AnswerCache(CachingLM):
    """lm-eval's cache, complete on disk however the requests end."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the model has
        attribute = super().__getattr__(name)
        if name not in REQUEST_TYPES:
            return attribute

        def answers(requests: Sequence[Any]) -> Any:  # noqa: ANN401
            from aiohttp import ClientError

            try:
                return attribute(requests)
            except (ClientError, OSError) as error:
                raise ConnectionError(
                    f"the model did not answer: {type(error).__name__} {error}. Answers so far "
                    f"are in {self.cache_db}; the same command sends only what is missing"
                ) from error
            finally:
                self.dbdict.commit()

        return answers


@contextmanager
def answers_kept() -> Iterator[None]:
    """Within it, lm-eval's runs keep every answer that they were given, and tell no key.

    The module of the model must have been imported before: models without an API need not wait for
    the libraries of the others.
    """
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(lm_eval.api.model, "CachingLM", AnswerCache))
        if api := sys.modules.get("lm_eval.models.api_models"):
            from aiohttp import ClientResponseError

            for owner, name, ours in (
                (api.TemplateAPI, "get_batched_requests", _all_or_those_under_way),
                (ClientResponseError, "__repr__", _text),
            ):
                stack.enter_context(mock.patch.object(owner, name, ours))
        yield


def _text(error: Exception) -> str:
    return f"{type(error).__name__}({error})"


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

    Raises:
        Exception: Of the first request that failed as often as the model may try.
    """
    from aiohttp import ClientSession, ClientTimeout, TCPConnector
    from tenacity import retry, stop_after_attempt, wait_exponential
    from tqdm.asyncio import tqdm_asyncio

    failures: list[Exception] = []
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
                return await call(
                    session=session,
                    sem=asyncio.Semaphore(1),  # the slot is taken
                    messages=requests[batch],
                    cache_keys=cache_keys[batch],
                    ctxlens=None if ctxlens is None else ctxlens[batch],
                    generate=generate,
                    **options,
                )
            except Exception as error:  # raised again when all are back
                failures.append(error)
                return None

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
