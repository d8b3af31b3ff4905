"""Graded factors corrected by human labels: which label each has, and what comes of it.

Which recorded label is one of which factor is said where a grader is validated too
(``human_labels``); here the labels stand on some of the pairs whose grades are known.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profile_tasks.data.preferences import AnnotatedPair, AnnotatedSource
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.measurement.human_labels import (
    HumanLabel,
    HumanLabelError,
    labels_of,
    labels_of_data_set,
)
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.corrected import METHOD, corrected_influence
from profile_tasks.scorers.statistics.records import corrected_entry

PACKAGED = "packaged"
"""What stands for the package's own mapping from labels to factors."""

ASSUMPTION = (
    "assumed: a label is the truth, the labelled groups are a random sample of all, and in each of "
    "them the labelled pairs are one of its pairs"
)


def label_of_each_factor(
    data_set: str, mapping: str, graded: Sequence[str], taxonomy: Mapping[str, Factor]
) -> dict[str, HumanLabel]:
    """The label of each graded factor that has one: of several the first in the mapping.

    Args:
        data_set: The rows' origin, or the file's name without its ending.
        mapping: A YAML file from labels to factors, or ``PACKAGED``.
        graded: Ids of the factors of which grades are known.
        taxonomy: The factors that the mapping may name.

    Raises:
        HumanLabelError: No label is one of these factors, or the mapping cannot be used.
    """
    path = None if mapping == PACKAGED else mapping
    labels = [
        label
        for label in labels_of_data_set(data_set, path, taxonomy)
        if label.kind != "spans"  # one response has it, and an influence is of pairs
    ]
    found = {label.factor.id: label for label in reversed(labels) if label.factor.id in graded}
    if not found:
        known = ", ".join(dict.fromkeys(label.factor.id for label in labels)) or "none"
        raise HumanLabelError(
            f"--human-labels {mapping}: of data set {data_set!r} there are labels of pairs for "
            f"these factors: {known}; and grades for these: {', '.join(graded) or 'none'}. Name a "
            "factor that has both in --factors"
        )
    return {factor: found[factor] for factor in graded if factor in found}


def correction_record(
    table: Comparisons,
    rows: Sequence[tuple[AnnotatedSource, AnnotatedPair]],
    labels: Mapping[str, HumanLabel],
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """What the correction rests on, and for every factor what stands beside its ``tau``.

    Args:
        table: The table, with grades of the labelled factors.
        rows: The pair of each of its rows, with its source.
        labels: As of ``label_of_each_factor``.

    Raises:
        HumanLabelError: A label that cannot be read.
    """
    found = {
        factor: corrected_influence(table, factor, label_signs(rows, label))
        for factor, label in labels.items()
    }
    about = {
        "labels": {factor: label.name for factor, label in labels.items()},
        "method": METHOD,
        "assumption": ASSUMPTION,
        "cautions": [
            f"{factor}: {caution}" for factor, each in found.items() for caution in each.cautions
        ],
    }
    return about, {factor: corrected_entry(found.get(factor)) for factor in table.factors}


def label_signs(
    rows: Sequence[tuple[AnnotatedSource, AnnotatedPair]], label: HumanLabel
) -> NDArray[np.float64]:
    """The label of each row; NaN without one."""
    sources = {source.id: source for source, _ in rows}
    said = {id_: labels_of(source, label) for id_, source in sources.items()}
    return np.array([said[source.id].get(pair.id, np.nan) for source, pair in rows], np.float64)
