"""Which slice each pair stands in: by a column that the data record, or by what its texts are."""

from collections.abc import Sequence

import numpy as np

from profile_tasks.data.preferences import AnnotatedPair, AnnotatedSource
from profile_tasks.nearest_name import instead_of
from profile_tasks.scorers.factors.words import word_count

LENGTH_CLASS = "length_class"
"""Thirds by the mean number of words of the two responses."""

LENGTH_CLASSES = ("short", "middle", "long")


def slice_labels(
    rows: Sequence[tuple[AnnotatedSource, AnnotatedPair]], column: str
) -> list[str | None]:
    """The label of each pair; None where the row has none.

    Args:
        rows: Each pair with its source.
        column: A column of the data whose values are texts, numbers or truth values; ``task``; or
            ``length_class``.

    Raises:
        ValueError: No row has the column, or a value is a list or an object.
    """
    if column == LENGTH_CLASS:
        return _length_classes(rows)
    if column == "task":
        return [source.task or None for source, _ in rows]
    labels: list[str | None] = []
    for _, pair in rows:
        value = pair.extra.get(column)
        if isinstance(value, list | dict):
            raise ValueError(
                f"column {column!r} of pair {pair.id!r} is {value!r}; expected a text or a number"
            )
        labels.append(None if value is None or value == "" else str(value))
    if not any(label is not None for label in labels):
        there = dict.fromkeys(name for _, pair in rows for name in pair.extra)
        known = [LENGTH_CLASS, "task", *there]
        raise ValueError(f"no row has the column {column!r}{instead_of(column, known)}")
    return labels


def _length_classes(rows: Sequence[tuple[AnnotatedSource, AnnotatedPair]]) -> list[str | None]:
    words = np.array(
        [word_count(p.response_a) + word_count(p.response_b) for _, p in rows], dtype=float
    )
    thirds = np.quantile(words, [1 / 3, 2 / 3])
    return [LENGTH_CLASSES[place] for place in np.searchsorted(thirds, words)]
