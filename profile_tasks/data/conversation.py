"""Conversations: requests of several turns, as messages and as the one text that a judge reads."""

import ast
import io
import json
import re
from collections.abc import Sequence
from itertools import pairwise
from token import STRING
from tokenize import TokenError, generate_tokens
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from profile_tasks.data.files import RowError, quoted

Role = Literal["system", "user", "assistant"]

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
}
"""Roles as data sets write them."""


class Message(BaseModel):
    """One turn of a conversation.

    Attributes:
        role: Who said it.
        content: What was said.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role
    content: str


_LIST = re.compile(r"""\s*\[\s*\{\s*["'](role|content|from|value)["']\s*:""")
"""How a list of messages begins, as JSON or as Python prints it."""


def looks_like_messages(value: JsonValue) -> bool:
    """Whether a value is meant as messages: a list of objects with roles, or the text of one."""
    if isinstance(value, str):
        return _LIST.match(value) is not None
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def read_messages(value: JsonValue, field: str) -> tuple[Message, ...]:
    """The messages of a list, or of its text as JSON or as Python prints it.

    Raises:
        RowError: It is no such list; the message names the field.

    >>> read_messages([{"role": "human", "content": "Hi"}], "prompt")
    (Message(role='user', content='Hi'),)
    """
    listed = structured(value, field)
    if not isinstance(listed, list) or not listed:
        raise RowError(f"field {field!r} is {quoted(value)}; expected a list of messages")
    return tuple(_message(each, field) for each in listed)


def structured(value: JsonValue, field: str) -> JsonValue:
    """A value as it is; of a text, what it spells as JSON, or as Python prints lists.

    Raises:
        RowError: The text spells neither.
    """
    if not isinstance(value, str):
        return value
    try:
        parsed: JsonValue = json.loads(value)
    except (ValueError, RecursionError):
        try:
            # By way of JSON, because Python also spells sets, bytes and dots.
            parsed = json.loads(json.dumps(_as_python_prints(value.strip())))
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError, TokenError):
            raise RowError(
                f"field {field!r} is {quoted(value)}; expected a list, as JSON"
            ) from None
    return parsed


def _as_python_prints(text: str) -> object:
    """What Python printed; numpy prints lists without commas, where texts would run together."""
    value = ast.literal_eval(text)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        kinds = [token.type for token in generate_tokens(io.StringIO(text).readline)]
        if (STRING, STRING) in pairwise(kinds):
            raise ValueError(text)
    return value


def _message(value: JsonValue, field: str) -> Message:
    if isinstance(value, dict):
        role = value.get("role", value.get("from"))
        content = _text(value.get("content", value.get("value")))
        if isinstance(role, str) and role.lower() in _ROLES and content is not None:
            return Message(role=_ROLES[role.lower()], content=content)
    raise RowError(
        f"field {field!r} holds {quoted(value)}; expected a message with 'role' "
        "(system, user or assistant) and 'content', a text"
    )


def _text(content: JsonValue) -> str | None:
    """The text of a message's content, which may come in parts; None where a part is no text."""
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, dict) else None for part in content]
        texts = [part for part in parts if isinstance(part, str)]
        return "\n".join(texts) if texts and len(texts) == len(parts) else None
    return content if isinstance(content, str) else None


def listed(messages: Sequence[Message]) -> list[JsonValue]:
    """Messages as JSON has them."""
    return [message.model_dump() for message in messages]


def transcript(messages: Sequence[Message]) -> str:
    """A conversation as one text; what a single user said is their words alone.

    >>> said = [Message(role="user", content="Hi"), Message(role="assistant", content="Hello")]
    >>> print(transcript(said))
    User: Hi
    <BLANKLINE>
    Assistant: Hello
    """
    if len(messages) == 1 and messages[0].role == "user":
        return messages[0].content
    return "\n\n".join(f"{each.role.capitalize()}: {each.content}" for each in messages)
