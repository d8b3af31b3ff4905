"""Which slice each pair stands in: by a column that the data record, or by what its texts are."""

from collections.abc import Iterable, Sequence

import numpy as np

from profile_tasks.data.preferences import AnnotatedPair, AnnotatedSource
from profile_tasks.data.rows import COLUMNS
from profile_tasks.data.task_definition import name_of
from profile_tasks.nearest_name import instead_of
from profile_tasks.scorers.factors.words import word_count
from profile_tasks.scorers.statistics.slices import check_identifiers

LENGTH_CLASS = "length_class"
"""Thirds by the mean number of words of the two responses."""

LENGTH_CLASSES = ("short", "middle", "long")

MOST_LABELS = 50
"""A run has metrics by slice: of a column with more labels there would be hundreds."""

Rows = Sequence[tuple[AnnotatedSource, AnnotatedPair]]


def slice_labels(rows: Rows, column: str) -> list[str | None]:
    """The label of each pair; None where the row has none.

    Args:
        rows: Each pair with its source.
        column: A column of the data whose values are texts, numbers or truth values; ``task``; or
            ``length_class``.

    Raises:
        ValueError: No row has the column or a label in it, a value is a list or an object, or the
            rows have a column ``length_class`` of their own.
    """
    if column == LENGTH_CLASS:
        if any(LENGTH_CLASS in pair.extra for _, pair in rows):
            raise ValueError(
                f"the rows have a column {LENGTH_CLASS!r} of their own, and as a slice that is "
                "thirds by the number of words; rename the column"
            )
        return list(length_classes([_words(pair) for _, pair in rows]))
    labels = [_label(source, pair, column) for source, pair in rows]
    if column != "task" and not any(label is not None for label in labels):
        if column in COLUMNS:
            raise ValueError(
                f"column {column!r} is part of every pair, and slices are by the columns beside "
                "them; copy it into a column of another name"
            )
        there = dict.fromkeys(name for _, pair in rows for name in pair.extra)
        if column in there:
            raise ValueError(
                f"column {column!r} is empty in all {len(rows)} rows: there is no slice"
            )
        known = [LENGTH_CLASS, "task", *(name for name in there if name not in COLUMNS)]
        raise ValueError(f"no row has the column {column!r}{instead_of(column, known)}")
    return labels


def check_slices(
    sources: Iterable[AnnotatedSource], columns: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Check that a run can be held apart by these columns.

    Args:
        sources: The run's data.
        columns: As of ``slice_labels``.

    Returns:
        Column -> its labels, in their order.

    Raises:
        ValueError: As of ``slice_labels``; a column has more than ``MOST_LABELS`` labels; or two
            labels would have the same metrics.
    """
    rows = [(source, pair) for source in sources for pair in source.pairs]
    found: dict[str, tuple[str, ...]] = {}
    for column in columns:
        labels = {label for label in slice_labels(rows, column) if label is not None}
        if len(labels) > MOST_LABELS:
            raise ValueError(
                f"slices: column {column!r} has {len(labels)} labels, in {len(rows)} pairs; a run "
                f"takes columns of at most {MOST_LABELS}"
            )
        found[column] = LENGTH_CLASSES if column == LENGTH_CLASS else tuple(sorted(labels))
    check_identifiers(found)
    return found


def unknown_slices(source: AnnotatedSource, columns: Sequence[str]) -> list[str]:
    """What is wrong with columns that no pair of a source has, with the nearest that there are."""
    there = dict.fromkeys(name for pair in source.pairs for name in pair.extra)
    known = [LENGTH_CLASS, "task", *there]
    return [
        f"slices: no pair has the column {column!r}{instead_of(column, known)}"
        for column in columns
        if column not in known
    ]


def logged_labels(
    source: AnnotatedSource, columns: Sequence[str]
) -> dict[str, tuple[str | int | None, ...]]:
    """What a log holds of the slices of a source, from which the labels are found again.

    Returns:
        Column -> the label of each annotated pair; of ``length_class`` the words of its two
        responses, since the thirds are those of all pairs of a run.

    Raises:
        ValueError: A value is a list or an object.
    """
    return {
        column: tuple(
            _words(pair) if column == LENGTH_CLASS else _label(source, pair, column)
            for pair in source.pairs
        )
        for column in columns
    }


def length_classes(words: Sequence[int], among: Sequence[int] | None = None) -> list[str]:
    """The class of each pair by its words.

    Args:
        words: Of each pair.
        among: Those whose thirds count; None: the same.
    """
    if not words:
        return []
    thirds = np.quantile(np.array(among or words, dtype=float), [1 / 3, 2 / 3])
    return [LENGTH_CLASSES[place] for place in np.searchsorted(thirds, words)]


def _words(pair: AnnotatedPair) -> int:
    return word_count(pair.response_a) + word_count(pair.response_b)


def _label(source: AnnotatedSource, pair: AnnotatedPair, column: str) -> str | None:
    if column == "task":
        return name_of(source.task) or None
    value = pair.extra.get(column)
    if isinstance(value, list | dict):
        raise ValueError(
            f"column {column!r} of pair {pair.id!r} is {value!r}; expected a text or a number"
        )
    return None if value is None or value == "" else str(value)
