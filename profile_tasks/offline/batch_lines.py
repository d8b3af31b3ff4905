"""Lines of OpenAI's batch files: a request as it is sent, an answer as it comes back.

``vllm run-batch`` and the batch endpoints of providers read and write them.
What stands inside is put there, and read, by Inspect's own converters; their public forms look up
the version of the openai package for each request, which takes longer than the rest.
"""
# inspect-evals-lint: ignore-file[IECQ001] -- not public in Inspect; tests/test_dependencies.py

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inspect_ai.model import (
    ChatMessage,
    GenerateConfig,
    ModelOutput,
)

from profile_tasks.untrusted_text import one_line

SENT = (
    *("max_tokens", "temperature", "top_p", "seed", "stop_seqs", "frequency_penalty"),
    *("presence_penalty", "logit_bias", "reasoning_effort", "system_message", "extra_body"),
)
"""The settings of a model that reach the body of a request."""

_SHOWN = 200
"""Characters that are shown of what an endpoint says."""

NO_CHAT = "its body is no chat completion with a choice"
"""What is told of an answer that holds nothing, or something else."""


async def request_body(
    model: str, messages: Sequence[ChatMessage], config: GenerateConfig
) -> dict[str, Any]:
    """The body of a request, as the endpoint for chats takes it.

    Args:
        model: As the endpoint calls it.
        messages: The conversation.
        config: Settings; how a model is reached is left out.
    """
    from inspect_ai.model._openai import messages_to_openai, openai_completion_params

    settings = openai_completion_params(model, config, tools=False)
    further = settings.pop("extra_body", {})
    return {"messages": await messages_to_openai(list(messages)), **settings, **further}


def request_line(custom_id: str, body: Mapping[str, Any]) -> str:
    """A request as a line of a batch file, its end included; ASCII, so that any text fits."""
    line = {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": body}
    return json.dumps(line) + "\n"


def content_id(*content: object) -> str:
    """An id that follows from the content: 32 hexadecimal digits."""
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class AnswerLine:
    """A line that answers a request.

    Attributes:
        custom_id: Of which request.
        body: The completion; None where the request failed.
        failed: Why it failed; None where it did not.
    """

    custom_id: str
    body: dict[str, Any] | None
    failed: str | None = None

    @property
    def said(self) -> str:
        """What tells one answer from another: texts and how they ended, not when they were sent."""
        choices = (self.body or {}).get("choices") or []
        return content_id([[each.get("message"), each.get("finish_reason")] for each in choices])

    @property
    def cut_off(self) -> bool:
        """Whether a token limit ended it."""
        choices = (self.body or {}).get("choices") or []
        return any(each.get("finish_reason") == "length" for each in choices)


def read_answer(line: bytes) -> AnswerLine:
    """Read a line of a file of answers.

    Raises:
        ValueError: It answers no request: it is broken off, or no JSON, or has no ``custom_id``.
    """
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no JSON ({error}); the file may be cut off here") from error
    if not isinstance(found, dict) or not isinstance(found.get("custom_id"), str):
        raise ValueError("no custom_id; expected a line of an OpenAI batch's output")
    response = found.get("response")
    status = response.get("status_code", 200) if isinstance(response, dict) else None
    body = response.get("body") if isinstance(response, dict) else None
    if not found.get("error") and status == 200 and isinstance(body, dict) and _is_chat(body):
        return AnswerLine(found["custom_id"], body)
    told = found.get("error") or (body if status != 200 else None) or NO_CHAT
    return AnswerLine(found["custom_id"], None, " ".join([*_status(status), _told(told)]))


def _is_chat(body: Mapping[str, Any]) -> bool:
    choices = body.get("choices")
    return (
        isinstance(choices, list)
        and bool(choices)
        and all(isinstance(c, dict) and isinstance(c.get("message"), dict) for c in choices)
    )


def _status(status: object) -> list[str]:
    return [] if status in (None, 200) else [f"status {status}:"]


def _told(error: object) -> str:
    """What an error says, however deep its message lies."""
    while isinstance(error, dict):
        error = error.get("message") or error.get("error") or error.get("code") or "an error"
    return one_line(str(error)[:_SHOWN])


def output_of(body: Mapping[str, Any]) -> ModelOutput:
    """A completion as Inspect has it: tokens, reason to stop and log-probabilities are kept.

    Raises:
        ValueError: It has not the form of one.
    """
    from inspect_ai.model._openai import chat_choices_from_openai, model_output_from_openai
    from openai.types.chat import ChatCompletion

    completion = ChatCompletion.model_validate(dict(body))
    return model_output_from_openai(completion, chat_choices_from_openai(completion, tools=[]))
