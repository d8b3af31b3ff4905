"""A short hash of what is measured on annotated pairs, by which equal data are known as equal.

It is of the content, not of a file: the same rows in another file, format, order or under other
ids have the same hash, and rows of which anything differs that a measurement reads have another.
It is a sum over pairs, so that parts of data have hashes that add up to that of the whole.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b, sha256
from json import JSONEncoder
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

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
    contents: list[bytes] = []
    cells: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for source in sources:
        turns = [(turn.role, turn.content) for turn in source.conversation]
        about = (source.group, source.prompt, source.source, source.reference)
        shared = b"".join(map(told, about))
        for pair in source.pairs:
            for side, values in (("a", pair.factors_a), ("b", pair.factors_b)):
                for name, value in values.items():
                    if value is not None:
                        cells[f"{side}.{name}"].append((len(contents), value))
            responses = told(pair.response_a) + told(pair.response_b)
            contents.append(shared + responses + told(_rest(pair, turns)))
    numbers = {}
    for name, known in cells.items():
        numbers[name] = np.full(len(contents), np.nan)
        at, values = zip(*known, strict=True)
        numbers[name][list(at)] = values
    return shown(row_hashes(contents, numbers))


def row_hashes(contents: Sequence[bytes], numbers: Mapping[str, NDArray[np.float64]]) -> _Hashes:
    """The hash of each pair, of which those of data are the sum.

    Args:
        contents: (n,) texts of each pair, and all else that is no number, each as ``told``.
        numbers: (n,) each factor's values of one side, by side and name; NaN: there is none.
    """
    digests = [blake2b(content, digest_size=8).digest() for content in contents]
    hashes = np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)
    for name, values in numbers.items():
        salt = np.frombuffer(blake2b(name.encode(), digest_size=8).digest(), "<u8")[0]
        bits = (values + 0.0).view(np.uint64)  # which makes -0 a 0
        hashes = hashes + np.where(np.isnan(values), np.uint64(0), _mixed(bits ^ salt))
    return _mixed(hashes)


def shown(hashes: _Hashes) -> str:
    """The hash of data, of those of their pairs."""
    return f"{int(hashes.sum(dtype=np.uint64)):016x}"[:DIGITS]


def short_hash(value: object) -> str:
    """The hash of a value that JSON can hold: ``DIGITS`` hexadecimal digits.

    >>> short_hash({"a": 1, "b": 2}) == short_hash({"b": 2, "a": 1})
    True
    """
    return sha256(_json(value).encode()).hexdigest()[:DIGITS]


def told(text: str | None) -> bytes:
    r"""A text in bytes with how long it is, so that texts in a row cannot run into each other.

    >>> told("é") + told(None) + told("")
    b'2:\\xc3\\xa9-0:'
    """
    if text is None:
        return b"-"
    content = text.encode()
    return b"%d:%b" % (len(content), content)


def rest_of(preference: str | None) -> str:
    """What a pair that has texts, factor values and a preference alone has beside its texts."""
    return _json([preference, [], [], [[], []], {}])


def _rest(pair: "AnnotatedPair", turns: Sequence[tuple[str, str]]) -> str:
    """All of a pair that is neither a text of it nor a factor's value."""
    beside = {
        name: value
        for name, value in pair.extra.items()
        if value is not None and (name in _READ_BESIDE or name.startswith(_READ_PREFIXES))
    }
    if (labels := beside.pop("factors", None)) and (left := _other_labels(labels, pair)):
        beside["factors"] = left
    before = [[(turn.role, turn.content) for turn in s] for s in (pair.before_a, pair.before_b)]
    if not (beside or turns or pair.annotators or any(before)):
        return rest_of(pair.preference)
    return _json([pair.preference, pair.annotators, turns, before, beside])


def _other_labels(labels: object, pair: "AnnotatedPair") -> object:
    """What the column of people's labels holds that is no factor's value of the pair."""
    if not isinstance(labels, dict):
        return labels
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
