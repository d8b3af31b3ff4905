"""Reading a grader's answer: one JSON object, perhaps with prose around it.

A wrong reading is worse than none, so an answer counts only where it is plain which object is the
grader's own: an object that the grader merely quotes from the material is not.
"""

import html
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

_T = TypeVar("_T")

_END_OF_THOUGHTS = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_FENCED = re.compile(r"```[a-z]*[ \t]*\n(.*)```", re.DOTALL | re.IGNORECASE)
_BESIDE_THE_POINT = re.compile(r"[^\w{}\[\]:,]+")
"""What two writings of one object may differ in: white space, quotation marks, escapes."""
_ESCAPED = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|[nrtbf])")
_MOST_NAMED = 5
_MOST_STARTS = 1000
"""Opening braces that are tried; an answer has few, and each try may read far."""


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
    In an answer with prose around, the one object with one of the expected keys counts; an object
    whose every entry the material holds too, in whatever quotation marks, white space, escapes and
    order, is taken for a quotation and does not. Several different objects are unreadable, and so
    is what stands in an object that was cut off.

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
    # A tag that the material holds may be quoted after the verdict, and ends no thoughts.
    quoted_tag = any(_END_OF_THOUGHTS.search(shown) for shown in material)
    own = answer if quoted_tag else _END_OF_THOUGHTS.split(answer)[-1]
    # The whole first: a fact that quotes a tag of thoughts does not end any.
    for whole in (answer, own):
        if (content := _whole_object(whole)) and not content.keys().isdisjoint(keys):
            return content
    written = [
        (text, content) for text, content in _objects(own) if not content.keys().isdisjoint(keys)
    ]
    quotable = "\n".join(map(_gist, material)) if written else ""
    found: list[dict[str, Any]] = []
    for text, content in written:
        if content not in found and not (_gist(text) in quotable or _quoted(content, quotable)):
            found.append(content)
    if not found:
        raise UnreadableAnswerError("it holds no JSON object of the form asked for")
    if len(found) > 1:
        raise UnreadableAnswerError("it holds several different JSON objects")
    return found[0]


def _whole_object(text: str) -> dict[str, Any] | None:
    """The object that a text is, perhaps in a code fence; None where it is anything else."""
    fenced = _FENCED.fullmatch(text.strip())
    try:
        content = _DECODER.decode((fenced.group(1) if fenced else text).strip())
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _objects(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every JSON object that stands in the text and in no other object, as written and read."""
    start = text.find("{")
    for _ in range(_MOST_STARTS):
        if start < 0:
            return
        end = start + 1
        try:
            content, end = _DECODER.raw_decode(text, start)
            yield text[start:end], content
        except (ValueError, RecursionError) as error:
            if _endless(error, text):
                return  # all that follows may stand in this object
        start = text.find("{", end)


def _endless(error: Exception, text: str) -> bool:
    """Whether no end of an object was found: it was cut off, or lies too deep to follow."""
    if isinstance(error, json.JSONDecodeError):
        return error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
    return isinstance(error, RecursionError)


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


def _unambiguous(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("a key is given twice")
    return content


def _refused(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_unambiguous, parse_constant=_refused)
