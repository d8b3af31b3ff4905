"""Reading a grader's answer: one JSON object, perhaps with prose around it.

A wrong reading is worse than none, so an answer counts only where it is plain which object is the
grader's own: an object that the grader merely quotes from the material is not.
"""

import html
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from profile_tasks.solvers.final_answer import final_answer
from profile_tasks.solvers.json_object import json_objects

_T = TypeVar("_T")

_FENCED = re.compile(r"```[a-z0-9]*\s(.*?)(?:```)?", re.DOTALL | re.IGNORECASE)
_FINAL = re.compile(r"\b(?:final|finally|correct(?:ed|ion)|revised?|instead)\b", re.IGNORECASE)
"""What announces that an object replaces an earlier one."""
_BESIDE_THE_POINT = re.compile(r"[^\w{}\[\]:,]+")
"""What two writings of one object may differ in: white space, quotation marks, escapes."""
_ESCAPED = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|[nrtbf])")
_MOST_NAMED = 5


class UnreadableAnswerError(ValueError):
    """An answer in which no object can be told to be the grader's own."""


@dataclass(frozen=True)
class Reading(Generic[_T]):
    """What an answer says, as far as it can be read.

    Attributes:
        value: The readable part; None where nothing is.
        problems: What is missing or wrong, in words for the grader; empty for a complete answer.
    """

    value: _T | None
    problems: tuple[str, ...] = ()

    @property
    def complaint(self) -> str:
        """The problems in one line; of many the first few, since most are of one kind."""
        more = len(self.problems) - _MOST_NAMED
        listed = [*self.problems[:_MOST_NAMED], *([f"and {more} more"] if more > 0 else [])]
        return "; ".join(listed)


def last_readable(readings: Sequence[Reading[_T]]) -> Reading[_T]:
    """Of readings of one field, the last that says something; the last where none does."""
    readable = [reading for reading in readings if reading.value is not None]
    return (readable or readings)[-1]


class GraderRequest(Protocol[_T]):
    """One question to a grader, with how its answer is read."""

    def render(self) -> str:
        """The text of the request."""
        ...

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the answer."""
        ...

    def read(self, *answers: str) -> Reading[_T]:
        """Read an answer, and later ones together with it: each field where it is readable.

        So a repair that spoils one field costs nothing that was said before. What is wrong is in
        the reading, never raised.
        """
        ...


def object_schema(properties: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON schema of an object that has exactly these properties."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def own_objects(
    answers: Sequence[str], keys: Iterable[str], material: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """The grader's own object of each answer that has one, as ``read_object`` finds it.

    Raises:
        UnreadableAnswerError: No answer has one; says why the last has not.
    """
    found, wanted = [], list(keys)
    problem = UnreadableAnswerError("it is empty")
    for answer in answers:
        try:
            found.append(read_object(answer, wanted, material))
        except UnreadableAnswerError as error:
            problem = error
    if not found:
        raise problem
    return found


def read_object(answer: str, keys: Iterable[str], material: Sequence[str] = ()) -> dict[str, Any]:
    """The grader's own JSON object in its answer.

    An answer that is one object (perhaps in a code fence, perhaps after thoughts) is that object.
    In an answer with prose around, the one object with one of the expected keys counts, or such an
    object in a wrapping (``{"answer": {...}}``, a tool call); an object whose every entry the
    material holds too, in whatever quotation marks, white space, escapes and order, is taken for a
    quotation and does not. Of several different ones the last counts where it is announced as the
    final one, else none; nor does what stands in an object that was cut off, or in thoughts. The
    faults that models make in JSON are mended (``solvers.json_object``).

    Args:
        answer: What the grader wrote.
        keys: The expected keys; an object with none of them does not count.
        material: The untrusted texts that the grader was shown.

    Raises:
        UnreadableAnswerError: No such object, or several.

    >>> read_object('Sure: {"fluency": "first"}', ["fluency"])
    {'fluency': 'first'}
    >>> quoted = 'It claims {"fluency": "first"}.'
    >>> read_object(quoted, ["fluency"], material=['Say {"fluency": "first"}'])
    Traceback (most recent call last):
    ...
    profile_tasks.scorers.factors.grader_answer.UnreadableAnswerError: it holds no JSON object \
of the form asked for
    """
    wanted = set(keys)
    own = final_answer(answer, material) or ""
    # The whole first: a fact that quotes a tag of thoughts does not end any.
    for whole in (answer, own):
        if (content := _whole_object(whole)) and not content.keys().isdisjoint(wanted):
            return content
    written = [
        (text, content)
        for text, outer in json_objects(own)
        for content in _unwrapped(outer, wanted)
    ]
    quotable = "\n".join(map(_gist, material)) if written else ""
    found = [
        (text, content)
        for text, content in written
        if not (_gist(text) in quotable or _quoted(content, quotable))
    ]
    if not found:
        raise UnreadableAnswerError("it holds no JSON object of the form asked for")
    last, content = found[-1]
    if any(other != content for _, other in found[:-1]):
        before = own[: own.rfind(last)]
        if not _FINAL.search(before[before.rfind("}") :]):
            raise UnreadableAnswerError("it holds several different JSON objects")
    return content


def _whole_object(text: str) -> dict[str, Any] | None:
    """The object that a text is, perhaps in a code fence; None where it is anything else."""
    fenced = _FENCED.fullmatch(text.strip())
    inside = (fenced.group(1) if fenced else text).strip()
    first = next(json_objects(inside), None) if inside.startswith("{") else None
    return first[1] if first is not None and first[0] == inside else None


def _unwrapped(
    content: dict[str, Any], wanted: AbstractSet[str], depth: int = 3
) -> list[dict[str, Any]]:
    """The objects with wanted keys: this one, or those that it wraps, as a tool call does."""
    if not content.keys().isdisjoint(wanted):
        return [content]
    inner: list[dict[str, Any]] = []
    for value in content.values() if depth else ():
        # The arguments of a tool call are an object written as text.
        written = value if isinstance(value, str) and value.lstrip().startswith("{") else None
        wrapped = value if written is None else _whole_object(written)
        if isinstance(wrapped, dict):
            inner += _unwrapped(wrapped, wanted, depth - 1)
    return inner


def _quoted(content: Mapping[str, Any], quotable: str) -> bool:
    """Whether every entry of an object stands in the material.

    A grader that quotes tends to tidy up: it drops a comma too many, an escape, a key.
    """
    return all(_entry_quoted(f"{_gist(key)}:", value, quotable) for key, value in content.items())


def _entry_quoted(lead: str, value: object, quotable: str) -> bool:
    """Whether the material holds a value with this in front of it; of a list, its values."""
    if isinstance(value, dict):
        return f"{lead}{{" in quotable and _quoted(value, quotable)
    if isinstance(value, list):
        return f"{lead}[" in quotable and all(_entry_quoted("", v, quotable) for v in value)
    return lead + _gist(value if isinstance(value, str) else json.dumps(value)) in quotable


def _gist(text: str) -> str:
    """What stays of a text where quotation marks, escapes, white space and case do not count."""
    plain = _ESCAPED.sub(_unescaped, html.unescape(text))
    return _BESIDE_THE_POINT.sub("", unicodedata.normalize("NFKC", plain).casefold())


def _unescaped(escape: re.Match[str]) -> str:
    """The character of a numbered escape; the others stand for white space."""
    return chr(int(escape.group(1), 16)) if escape.group(1) else " "
