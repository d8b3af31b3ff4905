"""Prompts and responses of other people's rows: texts, messages, whole conversations."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from profile_tasks.data.conversation import Message, listed, looks_like_messages, read_messages
from profile_tasks.data.files import Row, RowError, quoted
from profile_tasks.data.foreign_verdicts import number_of
from profile_tasks.data.formats import Format

_BOTH = (
    ("conversation_a", "conversation_b"),
    ("chosen", "rejected"),
    ("response_a", "response_b"),
)
"""Where the two responses may stand."""


def texts_of(format_: Format, held: Row) -> Row:
    """Prompt and responses in the form of docs/data.md, of whatever form they have.

    Args:
        format_: Of the file.
        held: What a row holds, by the fields of ``formats.FIELDS``.

    Raises:
        RowError: They cannot be told apart, or are not as the format says.
    """
    names = next((pair for pair in _BOTH if set(pair) & held.keys()), None)
    if names is None:
        return {"prompt": held["prompt"]} if "prompt" in held else {}
    prompt, a, b = (_said(format_, held, field) for field in ("prompt", *names))
    if isinstance(prompt, list):  # the user's turns alone, as in LMSYS-Kaggle
        a, b = (_interleaved(prompt, answers, n) for answers, n in zip((a, b), names, strict=True))
        prompt = None
    for said, name in zip((a, b), names, strict=True):
        if said is None:
            raise RowError(f"empty response: field {name!r} is missing or null")
        whole = name.startswith("conversation")
        if isinstance(said, list) or (whole and isinstance(said, str)):
            expected = "a list of messages, as JSON" if whole else "a text or messages"
            raise RowError(f"field {name!r} is {quoted(held[name])}; expected {expected}")
    if isinstance(a, str) and isinstance(b, str):
        if prompt is None and "chosen" in held:
            if format_.recognised_by:
                raise RowError(
                    "there is no 'prompt'; where it ends in 'chosen' and 'rejected' is a guess, "
                    f"which format={format_.name} takes (on the command line --data-format)"
                )
            return _split_texts(a, b, names)
        asked = listed(prompt) if isinstance(prompt, tuple) else prompt
        return _known({"prompt": asked, "response_a": a, "response_b": b})
    before = _messages_of(prompt)
    sides = [_whole(before, said, name) for said, name in zip((a, b), names, strict=True)]
    if held.get("turn") is not None:
        sides = [_until(number_of(held["turn"], "turn"), said) for said in sides]
    return _of_conversations(sides[0], sides[1], names)


def _known(row: Mapping[str, JsonValue]) -> Row:
    return {name: value for name, value in row.items() if value is not None}


def _said(format_: Format, held: Row, field: str) -> Any:  # noqa: ANN401 - one of four forms
    """A text, messages as a tuple, a list of texts, or None."""
    value = held.get(field)
    if isinstance(value, str) and format_.speakers and field in ("chosen", "rejected"):
        return _spoken(format_.speakers, value, field)
    if looks_like_messages(value):
        return read_messages(value, field)
    if isinstance(value, list):
        return value
    if value is not None and not isinstance(value, str):
        raise RowError(f"field {field!r} is {quoted(value)}; expected text or messages")
    return value


def _spoken(speakers: Mapping[str, str], text: str, field: str) -> tuple[Message, ...]:
    """The turns of a conversation that is one text.

    A turn begins with its speaker at the start of a paragraph; in HH-RLHF that is
    "Human:" and "Assistant:".
    """
    names = "|".join(map(re.escape, speakers))
    parts = re.split(rf"(?:\A|\n\n)\s*({names}):[ ]?", text)
    if parts[0].strip() or len(parts) < 3:
        raise RowError(
            f"field {field!r} is {quoted(text)}; expected turns that begin with "
            + " or ".join(f"'{name}:'" for name in speakers)
        )
    listed: list[JsonValue] = [
        {"role": speakers[name], "content": said.strip()}
        for name, said in zip(parts[1::2], parts[2::2], strict=True)
    ]
    return read_messages(listed, field)


def _interleaved(asked: Sequence[JsonValue], answers: JsonValue, field: str) -> Any:  # noqa: ANN401
    if not isinstance(answers, list) or not 0 < len(answers) == len(asked):
        raise RowError(
            f"field {field!r} is {quoted(answers)}; expected one answer a turn, of which there are "
            f"{len(asked)}"
        )
    if not isinstance(answers[-1], str) or not answers[-1].strip():
        raise RowError(f"empty response: the last answer in field {field!r} is {answers[-1]!r}")
    turns: list[JsonValue] = []
    for user, answer in zip(asked, answers, strict=True):
        turns += [
            {"role": "user", "content": user or ""},
            {"role": "assistant", "content": answer or ""},
        ]
    return read_messages(turns, field)


def _messages_of(prompt: Any) -> tuple[Message, ...]:  # noqa: ANN401 - a text, messages or None
    if prompt is None:
        return ()
    return prompt if isinstance(prompt, tuple) else (Message(role="user", content=prompt),)


def _whole(before: tuple[Message, ...], said: Any, field: str) -> tuple[Message, ...]:  # noqa: ANN401
    """A conversation from its first turn on, of which a prompt column may hold the beginning.

    Messages that do not begin with what the assistant said are the whole conversation already.
    """
    if isinstance(said, str):
        return (*before, Message(role="assistant", content=said))
    messages: tuple[Message, ...] = said
    if messages[0].role == "assistant":
        return (*before, *messages)
    told = {each.content.strip() for each in messages}
    if any(each.content.strip() not in told for each in before):
        raise RowError(f"field {field!r} is a whole conversation, in which 'prompt' does not stand")
    return messages


def _until(turn: float, said: tuple[Message, ...]) -> tuple[Message, ...]:
    """A conversation up to the assistant's answer that was judged, the first one being turn 1."""
    answers = [at for at, each in enumerate(said, start=1) if each.role == "assistant"]
    return said[: answers[int(turn) - 1]] if 1 <= turn <= len(answers) else said


def _of_conversations(
    a: tuple[Message, ...], b: tuple[Message, ...], names: tuple[str, str]
) -> Row:
    """The shared request, the last turns, and what was said between them where that differs."""
    for said, name in ((a, names[0]), (b, names[1])):
        if said[-1].role != "assistant":
            raise RowError(f"field {name!r} does not end with what the assistant said")
    most = min(len(a), len(b)) - 1
    same = next((at for at in range(most) if a[at] != b[at]), most)
    while same and a[same - 1].role != "user":
        same -= 1  # a request ends with a user's turn
    if not same:
        raise RowError(
            f"fields {names[0]!r} and {names[1]!r} do not begin with the same turn of a user"
        )
    row: Row = {
        "prompt": a[0].content if same == 1 else listed(a[:same]),
        "response_a": a[-1].content,
        "response_b": b[-1].content,
    }
    for side, said in (("a", a), ("b", b)):
        if between := said[same:-1]:
            row[f"before_{side}"] = listed(between)
    return row


def _split_texts(a: str, b: str, names: tuple[str, str]) -> Row:
    """Whole texts with an implicit prompt, which is what both begin with, to the last space.

    So TRL's ``extract_prompt`` has it.
    """
    if not a or not b:
        raise RowError(f"empty response: field {names[0 if not a else 1]!r} is blank")
    shared = next(
        (at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b))
    )
    end = max(a.rfind(" ", 0, shared), a.rfind("\n", 0, shared)) + 1
    prompt = a[:end].strip()
    if not prompt:
        raise RowError(
            f"fields {names[0]!r} and {names[1]!r} are texts that begin differently, and there is "
            "no 'prompt'; expected both to begin with the prompt"
        )
    return {"prompt": prompt, "response_a": a[end:].strip(), "response_b": b[end:].strip()}
