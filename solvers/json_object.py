"""JSON objects as models write them: after prose, in fences, with the faults that they make.

What is broken is mended by json-repair. What was cut off is not: nobody knows what was to follow.
"""

import html
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import json_repair

_MOST_STARTS, _MOST_CLOSED = 1000, 10
"""Opening braces that are tried, and broken ones whose end is looked for; an answer has few."""
_LONGEST_MENDED, _DEEPEST_MENDED = 20_000, 20
"""Characters of a broken object that is mended, and its opening braces."""
_OPENERS = {'"': '"', "\u201c": "\u201d"}
_ALTERNATIVES = re.compile(r"[\w\"']\s*\|\s*[\w\"']|[\"']\s+or\s+[\"']|:\s*[<>]")
_SIGNS = re.compile(r"[{}\"\u201c\u201d]|\\.", re.DOTALL)
_KEY = re.compile(r"(?:[{,]|[\"'\u201d\u2019]\s)\s*[\"'\u201c\u2018]?(\w+)[\"'\u201d\u2019]?\s*:")


def json_objects(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every JSON object that stands in a text and in no other object, as written and read.

    An object that was cut off ends the search, since all that follows may stand in it. One with a
    key given twice, or with NaN, is none.

    >>> [content for _, content in json_objects("Sure: {'verdict': 'B',} and {more")]
    [{'verdict': 'B'}]
    """
    start, broken = text.find("{"), 0
    for _ in range(_MOST_STARTS):
        if start < 0:
            return
        end = start + 1
        try:
            content, end = _DECODER.raw_decode(text, start)
        except RecursionError:
            return
        except _AmbiguousError:
            content, end = None, _end_of_braces(text, start) or end
        except ValueError as error:
            broken += 1
            if broken > _MOST_CLOSED or _cut_off(error, text):
                return
            closed = _end_of_braces(text, start)
            content = None if closed is None else _mended(text[start:closed])
            end = closed if closed is not None and content is not None else end
        if content is not None:
            yield text[start:end], content
        start = text.find("{", end)


def _cut_off(error: ValueError, text: str) -> bool:
    """Whether no end of an object was found, so that all that follows may stand in it."""
    return isinstance(error, json.JSONDecodeError) and (
        error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
    )


def unescaped(text: str) -> str:
    """A text without HTML entities; as it is where they cannot be read.

    >>> unescaped("{&quot;a&quot;: 1}")
    '{"a": 1}'
    """
    try:
        return html.unescape(text)
    except ValueError:  # a number of thousands of digits
        return text


def _mended(written: str) -> dict[str, Any] | None:
    if len(written) > _LONGEST_MENDED or written.count("{") > _DEEPEST_MENDED:
        return None
    plain = unescaped(written)
    if _ALTERNATIVES.search(plain):
        return None  # a template, and no answer to it
    named = Counter(_KEY.findall(plain))
    try:
        content = json_repair.loads(plain)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or max(named.values(), default=0) > 1:
        return None
    # json-repair makes an object of anything in braces; one without a key that was written is none.
    return content if content and content.keys() <= named.keys() else None


def _end_of_braces(text: str, start: int) -> int | None:
    """Where the braces that open at a place are closed, outside of quotations if that is possible.

    None where they never are: the object was cut off.
    """
    for heeding_quotes in (True, False):
        depth, closing = 0, ""
        for sign in _SIGNS.finditer(text, start, start + _LONGEST_MENDED):
            found = sign.group()
            if closing:
                closing = "" if found == closing else closing
            elif found == "{":
                depth += 1
                if depth > _DEEPEST_MENDED:
                    return None
            elif found == "}":
                depth -= 1
                if depth == 0:
                    return sign.end()
            elif heeding_quotes:
                closing = _OPENERS.get(found, "")
    return None


class _AmbiguousError(ValueError):
    """An object that says two things."""


def _unambiguous(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise _AmbiguousError("a key is given twice")
    return content


def _refused(constant: str) -> float:
    raise _AmbiguousError(f"{constant} is no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_unambiguous, parse_constant=_refused)
