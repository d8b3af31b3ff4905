"""Asking for an answer of a given JSON form, of whatever model takes such a wish.

Providers that know JSON schemas are sent one, others ignore it, and a server that refuses it is
asked without one from then on.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from weakref import WeakSet

from inspect_ai.model import GenerateConfig, Model, ModelAPI, ResponseSchema
from inspect_ai.util import JSONSchema

_T = TypeVar("_T")

_REFUSES_SCHEMA = frozenset({400, 404, 415, 422, 501})
"""HTTP statuses by which a server may say that it knows no structured output."""

_refused: WeakSet[ModelAPI] = WeakSet()


def form(name: str, schema: dict[str, Any]) -> ResponseSchema:
    """The form of an answer, as it is wished for.

    Args:
        name: What it is called.
        schema: Its JSON schema.
    """
    return ResponseSchema(name=name, json_schema=JSONSchema.model_validate(schema), strict=True)


async def structured(
    model: Model,
    wished: ResponseSchema,
    call: Callable[[GenerateConfig], Awaitable[_T]],
    refused: Callable[[], None] = lambda: None,
) -> _T:
    """What a call returns, with a wish for this form where the model's server takes one.

    Args:
        model: The model that is called.
        wished: Form of the answer, as of ``form``.
        call: Sends the request with this configuration.
        refused: Called where the server took no schema.
    """
    if model.api in _refused:
        return await call(GenerateConfig())
    try:
        return await call(GenerateConfig(response_schema=wished))
    except Exception as error:
        if not refuses_schema(error):
            raise
        answered = await call(GenerateConfig())
        _refused.add(model.api)
        refused()
        return answered


def refuses_schema(error: BaseException) -> bool:
    """Whether an error may mean that the server knows no structured output."""
    return status_of(error) in _REFUSES_SCHEMA


def reason_of(error: BaseException) -> BaseException:
    """What went wrong: the last error, where Inspect tried again and gave up."""
    return error.__cause__ or error


def status_of(error: BaseException) -> int | None:
    """The HTTP status of an error that has one."""
    status = getattr(reason_of(error), "status_code", None)
    return status if isinstance(status, int) else None
