"""Keeps the keys of a model out of the Inspect log.

Inspect writes a model's arguments into the log, all but those named ``api_key`` and ``aws_*``, and
every error of a provider as it is: a server's error may quote the key, and a grader's failed
request does not even end a run. Inspect offers no hook in between. So the arguments that are keys
are taken from the model, whose provider has them by then, and the provider's own ``generate`` is
wrapped.
"""

import os
from collections.abc import Awaitable, Callable, Iterator
from functools import wraps
from typing import ParamSpec

from inspect_ai.event import ModelEvent
from inspect_ai.log import transcript
from inspect_ai.model import (
    GenerateConfig,
    Model,
    ModelAPI,
    ModelCall,
    ModelOutput,
    get_model,
    model_roles,
)

from profile_tasks.secrets import error_without, hidden, key_names, keys_in, without_keys

_P = ParamSpec("_P")
_Generated = ModelOutput | tuple[ModelOutput | Exception, ModelCall]

_MARK = "hides_keys"
_EVALUATED = "the evaluated model"


def hide_keys(model: Model) -> None:
    """Keep the model's keys out of its logged arguments, and out of what failed requests say."""
    if not hasattr(model.api.generate, _MARK):
        given = keys_in(model.model_args, {"base_url": model.api.base_url})
        vars(model.api)["generate"] = _hiding_keys(model.api.generate, model.api, given)
    model.model_args = without_keys(model.model_args)


def hide_keys_of_run() -> None:
    """Hide the keys of all models of the running evaluation, before Inspect begins its log.

    Raises:
        ValueError: As ``refuse_logged_keys``.
    """
    for place, model in models_of_run():
        refuse_logged_keys(model, place)
        hide_keys(model)


def refuse_logged_keys(model: Model, place: str) -> None:
    """Refuse a key where Inspect logs it for certain: a header or entry of requests, an address.

    Args:
        model: The model.
        place: What it is in the run.

    Raises:
        ValueError: There is one; the message does not show it.
    """
    addresses = [model.explicit_base_url]
    if place != _EVALUATED:  # of that one, Inspect logs no address from the environment
        addresses.append(model.api.base_url)
    if names := key_names({"base_url": addresses, **_headers_and_body(model.config)}):
        raise ValueError(
            f"{names[0]} of {place}: Inspect writes it into the log, the key included; give the "
            "key in the environment variable of the provider (e.g. OPENAI_API_KEY), or as a "
            "header among the model's arguments (default_headers), which are kept out of the log"
        )


def models_of_run() -> Iterator[tuple[str, Model]]:
    """The models of the running evaluation, each with what it is there."""
    yield _EVALUATED, get_model()
    for role, bound in model_roles().items():
        for model in bound if isinstance(bound, list) else [bound]:
            yield f"role {role}", model


def _headers_and_body(config: GenerateConfig) -> dict[str, object]:
    return config.model_dump(include={"extra_headers", "extra_body"}, exclude_none=True)


def _hiding_keys(
    generate: Callable[_P, Awaitable[_Generated]], api: ModelAPI, given: frozenset[str]
) -> Callable[_P, Awaitable[_Generated]]:
    @wraps(generate)
    async def hiding(*args: _P.args, **kwargs: _P.kwargs) -> _Generated:
        def keys() -> frozenset[str]:
            """Looked for when they are wanted: a provider may have got another one since."""
            settings = (one for one in (*args, *kwargs.values()) if isinstance(one, GenerateConfig))
            sent = map(_headers_and_body, settings)
            return given | keys_in({"api_key": api.api_key}, os.environ, *sent)

        try:
            result = await generate(*args, **kwargs)
        except Exception as error:
            for event in transcript().history.resident_events:
                if isinstance(event, ModelEvent) and event.pending and event.call:
                    _hide_in_call(event.call, keys())
            told = error_without(error, keys())
            if told is error:
                raise
            raise told from None
        if not isinstance(result, tuple):
            return result
        output, call = result
        if isinstance(output, Exception):
            _hide_in_call(call, keys())
            return error_without(output, keys()), call
        return result

    setattr(hiding, _MARK, True)
    return hiding


def _hide_in_call(call: ModelCall, keys: frozenset[str]) -> None:
    call.request, call.response = hidden(call.request, keys), hidden(call.response, keys)
