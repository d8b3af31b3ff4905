"""Keeps an API key out of a log.

A grader's failed request does not end a run, so its error stays in a log that people share, and a
server's error may quote the key. Inspect writes every error of a provider into the log as it is,
and offers no hook in between; so the provider's own ``generate`` is wrapped.
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from inspect_ai.model import ModelAPI

_P = ParamSpec("_P")
_T = TypeVar("_T")


def hide_key(api: ModelAPI) -> None:
    """Keep the provider's API key out of the errors that its requests raise or return."""
    if "generate" not in vars(api):
        vars(api)["generate"] = _hiding_key(api.generate, api)


def _hiding_key(
    generate: Callable[_P, Awaitable[_T]], api: ModelAPI
) -> Callable[_P, Awaitable[_T]]:
    @wraps(generate)
    async def hiding(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            result = await generate(*args, **kwargs)
        except Exception as error:
            _redact(error, api.api_key)
            raise
        if isinstance(result, tuple) and isinstance(result[0], Exception):
            _redact(result[0], api.api_key)
            result[1].response = _redacted(result[1].response, api.api_key)
        return result

    return hiding


def _redact(error: BaseException, key: str | None) -> None:
    """Take the key out of an error and of those behind it, in place: its type tells what to do."""
    behind: BaseException | None = error
    seen: set[int] = set()
    while behind is not None and id(behind) not in seen:
        seen.add(id(behind))  # an error may be its own cause
        behind.args = tuple(_redacted(argument, key) for argument in behind.args)
        vars(behind).update({name: _redacted(entry, key) for name, entry in vars(behind).items()})
        behind = behind.__cause__ or behind.__context__


def _redacted(value: object, key: str | None) -> object:
    if not key:
        return value
    if isinstance(value, str):
        return value.replace(key, "[API key]")
    if isinstance(value, dict):
        return {name: _redacted(entry, key) for name, entry in value.items()}
    if isinstance(value, list):
        return [_redacted(entry, key) for entry in value]
    return value
