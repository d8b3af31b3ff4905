"""A short hash of what is measured on annotated pairs, by which equal data are known as equal.

It is of the content, not of a file: the same rows in another file, format, order or under other
ids have the same hash, and rows of which anything differs that a measurement reads have another.
It is a sum over pairs, so that parts of data have hashes that add up to that of the whole.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from json import JSONEncoder
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from profile_tasks.data.preference import VERDICT_PREFIXES

if TYPE_CHECKING:
    from profile_tasks.data.preferences import AnnotatedPair, AnnotatedSource

DIGITS = 8
"""Hexadecimal digits: two data sets have the same by chance once in four billion times."""

_READ_BESIDE = ("factors", "system_a", "system_b")
_READ_PREFIXES = (*VERDICT_PREFIXES, "texts_")
"""Columns, and beginnings of their names, that something measures though no field holds them."""

_json = JSONEncoder(sort_keys=True, separators=(",", ":")).encode

_Hashes = NDArray[np.uint64]


def content_hash(sources: Iterable["AnnotatedSource"]) -> str:
    """The hash of sources with their annotated pairs: ``DIGITS`` hexadecimal digits."""
    sources = tuple(sources)
    cells: dict[str, list[tuple[int, float]]] = defaultdict(list)
    pairs = [pair for source in sources for pair in source.pairs]
    for at, pair in enumerate(pairs):
        for side, values in (("a", pair.factors_a), ("b", pair.factors_b)):
            for name, value in values.items():
                if value is not None:
                    cells[f"{side}.{name}"].append((at, value))
    numbers = {}
    for name, known in cells.items():
        numbers[name] = np.full(len(pairs), np.nan)
        numbers[name][[at for at, _ in known]] = [value for _, value in known]
    return shown(row_hashes(contents_of(sources), numbers))


def contents_of(sources: Iterable["AnnotatedSource"]) -> list[bytes]:
    """All of each pair but its factors' values, in bytes."""
    return [
        _content(
            (source.group, source.prompt, source.source, source.reference),
            [(turn.role, turn.content) for turn in source.conversation],
            pair,
        )
        for source in sources
        for pair in source.pairs
    ]


def row_hashes(contents: Iterable[bytes], numbers: Mapping[str, NDArray[np.float64]]) -> _Hashes:
    """The hash of each pair, of which those of data are the sum.

    Args:
        contents: (n,) texts of each pair, and all else that is no number, as ``contents_of``.
        numbers: (n,) each factor's values of one side, by side and name; NaN: there is none.
    """
    hashes = content_hashes(contents)
    for name, values in numbers.items():
        salt = content_hashes([name.encode()])
        bits = (values + 0.0).view(np.uint64)  # which makes -0 a 0
        hashes = hashes + np.where(np.isnan(values), np.uint64(0), _mixed(bits ^ salt))
    return _mixed(hashes)


def content_hashes(contents: Iterable[bytes]) -> _Hashes:
    """The hashes of n contents, (n,): the same on every machine."""
    return np.fromiter(map(xxh3_64_intdigest, contents), np.uint64)


def shown(hashes: _Hashes) -> str:
    """The hash of data, of those of their pairs."""
    return f"{int(hashes.sum(dtype=np.uint64)):016x}"[:DIGITS]


def short_hash(value: object) -> str:
    """The hash of a value that JSON can hold: ``DIGITS`` hexadecimal digits.

    >>> short_hash({"a": 1, "b": 2}) == short_hash({"b": 2, "a": 1})
    True
    """
    return sha256(_json(value).encode()).hexdigest()[:DIGITS]


def is_read(column: str) -> bool:
    """Whether something measures a column though no field holds it."""
    return column in _READ_BESIDE or column.startswith(_READ_PREFIXES)


def _content(
    about: Sequence[str | None], turns: Sequence[tuple[str, str]], pair: "AnnotatedPair"
) -> bytes:
    beside: dict[str, object] = {
        n: value for n, value in pair.extra.items() if value is not None and is_read(n)
    }
    if labels := beside.pop("factors", None):
        beside |= {"factors": left} if (left := _other_labels(labels, pair)) else {}
    before = [[(turn.role, turn.content) for turn in s] for s in (pair.before_a, pair.before_b)]
    rest = told_rest(pair.preference, pair.annotators, beside, turns, before)
    return b"".join(map(_told, (*about, pair.response_a, pair.response_b, rest)))


def told_rest(
    preference: str | None,
    votes: Sequence[str] = (),
    beside: Mapping[str, object] = MappingProxyType({}),
    turns: Sequence[object] = (),
    before: Sequence[Sequence[object]] = ((), ()),
) -> str:
    """What a pair has beside its texts and numbers.

    Args:
        preference: None where there is none.
        votes: behind it.
        beside: other columns that something measures.
        turns: of the prompt, where it is a conversation.
        before: what was said before either response.
    """
    return _json([preference, votes, turns, before, dict(beside)])


def _told(text: str | None) -> bytes:
    """A text in bytes with how long it is, so that texts in a row cannot run into each other."""
    if text is None:
        return b"-"
    content = text.encode()
    return b"%d:%b" % (len(content), content)


def _other_labels(labels: object, pair: "AnnotatedPair") -> object:
    """What the column of people's labels holds that is no factor's value of the pair."""
    if not isinstance(labels, dict) or labels == {"a": pair.factors_a, "b": pair.factors_b}:
        return labels if not isinstance(labels, dict) else None
    values: dict[str, Mapping[str, object]] = {"a": pair.factors_a, "b": pair.factors_b}
    left = {}
    for side, held in labels.items():
        kept = held
        if isinstance(held, dict):
            known = values.get(side, {})
            kept = {n: v for n, v in held.items() if v is not None and not _same(known.get(n), v)}
        if kept:
            left[side] = kept
    return left


def _same(value: object, label: object) -> bool:
    return isinstance(label, int | float) and not isinstance(label, bool) and value == label


def _mixed(bits: _Hashes) -> _Hashes:
    """Bits that all depend on all of those given (SplitMix64; Steele, Lea & Flood 2014)."""
    with np.errstate(over="ignore"):
        bits = bits + np.uint64(0x9E3779B97F4A7C15)
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return bits ^ (bits >> np.uint64(31))
