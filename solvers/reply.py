"""Asking a model, so that a reply nobody can use costs itself alone, and not the run.

A server may answer with broken JSON, with JSON of another form, or refuse one request (too long, in
its eyes not allowed). Inspect ends a run at that, and what other requests were answered is lost.
Here an unreadable reply is asked for once more, and then the answer is missing and told. What tells
of a model that cannot be asked at all (no connection, a refused key, nothing but such replies) ends
the run as ever; what was answered is kept, and a resumed run does not pay for it again.
"""

import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import wraps
from typing import Any, ParamSpec
from weakref import WeakKeyDictionary

from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    Content,
    GenerateConfig,
    Model,
    ModelAPI,
    ModelCall,
    ModelOutput,
)
from tenacity import RetryError

from profile_tasks.data.conversation import Message
from profile_tasks.solvers.kept_answers import policy_of_run
from profile_tasks.solvers.stop_reason import settings_of_run, with_stop_reason
from profile_tasks.solvers.structured_output import reason_of, refuses_schema, status_of
from profile_tasks.solvers.unusable_replies import (
    LONGEST,
    ONE_REQUEST_REFUSED,
    UNREADABLE,
    Standing,
)
from profile_tasks.untrusted_text import without_halves

logger = logging.getLogger(__name__)

_P = ParamSpec("_P")
_Generated = ModelOutput | tuple[ModelOutput | Exception, ModelCall]

_OWN_SETTINGS = GenerateConfig()

_MARK = "cleans_replies"


_standing: WeakKeyDictionary[ModelAPI, Standing] = WeakKeyDictionary()


_CHAT = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}


def as_chat(messages: Sequence[Message]) -> str | list[ChatMessage]:
    """Messages as Inspect has them; a single one is its text."""
    if len(messages) == 1:
        return messages[0].content
    return [_CHAT[each.role](content=each.content) for each in messages]


async def reply(
    model: Model,
    request: str | Sequence[ChatMessage],
    config: GenerateConfig = _OWN_SETTINGS,
) -> ModelOutput:
    """What a model answers; empty where it sends what nobody can use, twice, or refuses.

    Args:
        model: The model.
        request: What it is asked.
        config: Settings of this request.

    Raises:
        Exception: The model cannot be asked, or a schema in the settings was refused.
    """
    clean_replies(model.api)
    standing = _standing.setdefault(model.api, Standing())
    messages = request if isinstance(request, str) else list(request)
    free = getattr(model.api, "costs_nothing", False)
    chosen = (model.config.cache, settings_of_run().cache) != (None, None)
    kept = {} if free or chosen else policy_of_run()
    for last in (False, True):
        try:
            output = await model.generate(messages, config=config, **kept)
        except Exception as error:
            refused = status_of(error) in ONE_REQUEST_REFUSED
            if not (refused or is_unreadable(error)):
                raise
            if refused and config.response_schema is not None and refuses_schema(error):
                raise
            if last or refused or was_tried_again(error):
                if not standing.still_answers():
                    _standing.pop(model.api, None)  # another run may find it well again
                    raise
                what, status = type(reason_of(error)).__name__, status_of(error) or ""
                logger.warning(
                    "%s: no usable reply (%s); missing", model, f"{what} {status}".strip()
                )
                break
        else:
            standing.note_answer()
            return with_stop_reason(output, model, config)
    return ModelOutput()


def is_unreadable(error: Exception) -> bool:
    """Whether a reply came, and was no answer."""
    reason = reason_of(error)
    if isinstance(reason, UNREADABLE):
        return True
    # Clients wrap what they cannot read in errors of their own, after a status of 200.
    name, message = type(reason).__name__, str(reason)
    return (name == "APIResponseValidationError" and status_of(error) == 200) or (
        name == "OpenAIResponseError" and "non-ChatCompletion" in message
    )


def was_tried_again(error: Exception) -> bool:
    """Whether Inspect has sent the request more than once, and gave up."""
    return isinstance(error, RetryError) and error.last_attempt.attempt_number > 1


def clean_replies(api: ModelAPI) -> None:
    """Let nothing enter by the model's replies that no file and no other request can hold.

    Half a surrogate pair becomes U+FFFD: no log could be written with it, and no other request sent
    that quotes it. An answer of more than ``LONGEST`` characters becomes an empty one. And what a
    model says in refusing is marked as such.
    """
    if not hasattr(api.generate, _MARK):
        vars(api)["generate"] = _cleaning(api.generate, api)


def _cleaning(
    generate: Callable[_P, Awaitable[_Generated]], api: ModelAPI
) -> Callable[_P, Awaitable[_Generated]]:
    @wraps(generate)
    async def cleaning(*args: _P.args, **kwargs: _P.kwargs) -> _Generated:
        result = await generate(*args, **kwargs)
        if not isinstance(result, tuple):
            return _clean(result, None, api)
        output, call = result
        return (_clean(output, call, api) if isinstance(output, ModelOutput) else output), call

    setattr(cleaning, _MARK, True)
    return cleaning


def _clean(output: ModelOutput, call: ModelCall | None, api: ModelAPI) -> ModelOutput:
    """An output that can be kept; its call, as it is logged, is changed with it."""
    _mark_refusals(output)
    if (length := _length(output)) > LONGEST:
        logger.warning("%s sent %d characters; missing", api.model_name, length)
        if call is not None:
            call.response = None
        return output.model_copy(update={"choices": [], "completion": ""})
    if not _can_be_written(output):
        logger.warning("%s sent half characters; each is read as U+FFFD", api.model_name)
        if call is not None:
            call.response = _cleaned(call.response)
        return ModelOutput.model_validate(_cleaned(output.model_dump()))
    return output


def _mark_refusals(output: ModelOutput) -> None:
    """A refusal is no text of the model's: it counts like that of a provider's filter."""
    for choice in output.choices:
        content = choice.message.content
        if not isinstance(content, str) and any(getattr(p, "refusal", None) for p in content):
            choice.stop_reason = "content_filter"


def _length(output: ModelOutput) -> int:
    """Characters of all that was sent, thoughts included."""
    return sum(len(text) for choice in output.choices for text in _texts(choice.message.content))


def _texts(content: str | list[Content]) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    else:
        for part in content:
            yield from (value for value in vars(part).values() if isinstance(value, str))


def _can_be_written(output: ModelOutput) -> bool:
    try:
        output.model_dump_json()
    except ValueError:
        return False
    return True


def _cleaned(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        return without_halves(value)
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(entry) for key, entry in value.items()}
    return [_cleaned(entry) for entry in value] if isinstance(value, list | tuple) else value
