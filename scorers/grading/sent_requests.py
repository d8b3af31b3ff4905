"""Whether an answer was sent for, or came from Inspect's cache.

Inspect writes that into its log and does not tell its caller. A cached answer never reaches the
provider, so the provider's own ``generate`` is wrapped, as in ``api_key``.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, TypeVar

from inspect_ai.model import ModelAPI

_P = ParamSpec("_P")
_T = TypeVar("_T")

_sent: ContextVar[list[ModelAPI] | None] = ContextVar("sent", default=None)

_MARK = "notes_requests"


def note_requests(api: ModelAPI) -> None:
    """Let ``sent_requests`` see what the provider is sent."""
    if not hasattr(api.generate, _MARK):
        vars(api)["generate"] = _noting(api.generate, api)


@contextmanager
def sent_requests() -> Iterator[list[ModelAPI]]:
    """The providers that are sent something within, one entry a request."""
    sent: list[ModelAPI] = []
    token = _sent.set(sent)
    try:
        yield sent
    finally:
        _sent.reset(token)


def _noting(generate: Callable[_P, Awaitable[_T]], api: ModelAPI) -> Callable[_P, Awaitable[_T]]:
    @wraps(generate)
    async def noting(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        if (sent := _sent.get()) is not None:
            sent.append(api)
        return await generate(*args, **kwargs)

    setattr(noting, _MARK, True)
    return noting
