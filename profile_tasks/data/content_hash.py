"""A short hash of what is measured on annotated sources, by which equal data are known as equal.

It is of the content, not of a file: the same rows in another file, format, order or under other
ids have the same hash, and rows of which anything differs that a measurement reads have another.
"""

from collections.abc import Iterable
from hashlib import sha256
from json import JSONEncoder
from typing import TYPE_CHECKING

from profile_tasks.data.preference import VERDICT_PREFIXES

if TYPE_CHECKING:
    from profile_tasks.data.preferences import AnnotatedPair, AnnotatedSource

DIGITS = 8
"""Hexadecimal digits: two data sets have the same by chance once in four billion times."""

_READ_BESIDE = ("factors", "system_a", "system_b")
_READ_PREFIXES = (*VERDICT_PREFIXES, "texts_")
"""Columns, and beginnings of their names, that something measures though no field holds them."""

_json = JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def content_hash(sources: Iterable["AnnotatedSource"]) -> str:
    """The hash of sources with their annotated pairs: ``DIGITS`` hexadecimal digits."""
    return _shown(b"".join(sorted(map(_source, sources))))


def short_hash(value: object) -> str:
    """The hash of a value that JSON can hold: ``DIGITS`` hexadecimal digits.

    >>> short_hash({"a": 1, "b": 2}) == short_hash({"b": 2, "a": 1})
    True
    """
    return _shown(_json(value).encode())


def _shown(content: bytes) -> str:
    return sha256(content).hexdigest()[:DIGITS]


def _source(source: "AnnotatedSource") -> bytes:
    turns = [(turn.role, turn.content) for turn in source.conversation]
    about = (source.group, source.prompt, source.source, source.reference, turns)
    pairs = sorted(map(_pair, source.pairs))
    return sha256(_json(about).encode() + b"".join(pairs)).digest()


def _pair(pair: "AnnotatedPair") -> bytes:
    a, b = (text.encode() for text in (pair.response_a, pair.response_b))
    beside = {
        name: value
        for name, value in pair.extra.items()
        if value is not None and (name in _READ_BESIDE or name.startswith(_READ_PREFIXES))
    }
    before = [[(turn.role, turn.content) for turn in s] for s in (pair.before_a, pair.before_b)]
    # The responses, most of the content, are not escaped as JSON, which would take as long again.
    about = (len(a), pair.preference, pair.annotators, before, pair.factors_a, pair.factors_b)
    return sha256(_json((*about, beside)).encode() + b"\0" + a + b).digest()
