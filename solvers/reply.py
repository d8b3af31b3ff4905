"""Asking a model, so that a reply nobody can use costs itself alone, and not the run.

A server may answer with broken JSON, or with JSON of another form. Inspect ends a run at that, and
what other requests have been answered is lost. Here such a request is sent once more, and then its
answer is missing and told. What tells of a model that cannot be asked at all (no connection, no
such model, a refused key) ends the run as ever.
"""

import json
import logging
from collections.abc import Sequence

from inspect_ai.model import ChatMessage, GenerateConfig, Model, ModelOutput
from pydantic import ValidationError

from profile_tasks.solvers.stop_reason import with_stop_reason
from profile_tasks.solvers.structured_output import reason_of, status_of

logger = logging.getLogger(__name__)

_UNUSABLE = (
    *(json.JSONDecodeError, ValidationError, UnicodeError),
    *(TypeError, AttributeError, KeyError, IndexError),
)
"""What reading a reply raises that has not the form it should have."""

_LONGEST = 1_000_000
"""Characters of an answer that are read; what a model sends beyond is a fault."""


async def reply(
    model: Model,
    request: str | Sequence[ChatMessage],
    config: GenerateConfig | None = None,
) -> ModelOutput:
    """What a model answers; empty where it sends what nobody can use, twice.

    Args:
        model: The model.
        request: What it is asked.
        config: Settings of this request.
    """
    messages = request if isinstance(request, str) else list(request)
    config = config or GenerateConfig()
    for last in (False, True):
        try:
            output = await model.generate(messages, config=config)
        except Exception as error:
            if not _unusable(error):
                raise
            if last:
                what = type(reason_of(error)).__name__
                logger.warning("%s sent a reply that cannot be read (%s); missing", model, what)
        else:
            return with_stop_reason(_capped(output, model), model, config)
    return ModelOutput()


def _unusable(error: Exception) -> bool:
    """Whether a reply came, and was no answer."""
    reason = reason_of(error)
    if isinstance(reason, _UNUSABLE):
        return True
    # Clients wrap what they cannot read in an error of their own.
    return type(reason).__name__ == "APIResponseValidationError" and status_of(error) == 200


def _capped(output: ModelOutput, model: Model) -> ModelOutput:
    if output.empty or len(output.completion) <= _LONGEST:
        return output
    logger.warning("%s sent %d characters; missing", model, len(output.completion))
    return ModelOutput()
