"""The slices of a run as a report reads them from its record."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from profile_tasks.report.report_data import recorded
from profile_tasks.runs.run import finite_or_none
from profile_tasks.runs.words import LEVEL, slice_words
from profile_tasks.scorers.measurement.slice_labels import LENGTH_CLASS, LENGTH_CLASSES
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.slices import JUDGED_BY_SLICE
from profile_tasks.untrusted_text import shown


@dataclass(frozen=True)
class SliceInfluence:
    """A factor's influence in one slice, and its difference to that in all other pairs."""

    tau: Estimate
    difference: Estimate
    p: float | None
    interaction: float | None
    interaction_p: float | None

    @property
    def told(self) -> bool:
        """Whether it is told to differ."""
        return self.p is not None and self.p < LEVEL


@dataclass(frozen=True)
class SlicePart:
    """What one perspective's preference follows in one slice."""

    n_pairs: int
    n_groups: int
    factors: Mapping[str, SliceInfluence]


@dataclass(frozen=True)
class JudgePart:
    """How the judge does in one slice; estimates by the metrics' names."""

    n_pairs: int
    n_groups: int
    estimates: Mapping[str, Estimate]


@dataclass(frozen=True)
class SlicedColumn:
    """A run by the labels of one column; names such that they can be shown.

    Attributes:
        column: Its name.
        parts: Label -> perspective -> what is found there.
        words: What is told to differ, by perspective.
        too_small: Label -> perspective -> groups, of what is not held apart.
        unlabelled: Perspective -> pairs without a label.
        judge: Label -> how the judge does; empty where none judged.
    """

    column: str
    parts: Mapping[str, Mapping[str, SlicePart]]
    words: Mapping[str, str]
    too_small: Mapping[str, Mapping[str, int]]
    unlabelled: Mapping[str, int]
    judge: Mapping[str, JudgePart]


def slices_of_record(record: Mapping[str, Any]) -> tuple[SlicedColumn, ...]:
    """The slices in the profile of a run, column by column.

    Args:
        record: Column -> as of ``run_slices_record``.
    """
    return tuple(_column(column, found["perspectives"], found) for column, found in record.items())


def _column(
    column: str, perspectives: Mapping[str, Any], record: Mapping[str, Any]
) -> SlicedColumn:
    labels = list(dict.fromkeys(name for each in perspectives.values() for name in each["slices"]))
    if column == LENGTH_CLASS:
        labels = [label for label in LENGTH_CLASSES if label in labels]
    small = dict.fromkeys(name for each in perspectives.values() for name in each["too_small"])
    return SlicedColumn(
        column=shown(column),
        parts={
            shown(label): {
                whose: _part(each["slices"][label])
                for whose, each in perspectives.items()
                if label in each["slices"]
            }
            for label in labels
        },
        words={whose: shown(slice_words(each["slices"])) for whose, each in perspectives.items()},
        too_small={
            shown(label): {
                whose: int(each["too_small"][label])
                for whose, each in perspectives.items()
                if label in each["too_small"]
            }
            for label in small
        },
        unlabelled={
            whose: int(each["n_unlabelled"])
            for whose, each in perspectives.items()
            if each["n_unlabelled"]
        },
        judge={
            shown(label): JudgePart(
                int(record["judge"][label]["n_pairs"]),
                int(record["judge"][label]["n_groups"]),
                {name: recorded(record["judge"][label][name]) for name in JUDGED_BY_SLICE},
            )
            for label in sorted(record["judge"], key=[*labels, *record["judge"]].index)
        },
    )


def _part(record: Mapping[str, Any]) -> SlicePart:
    return SlicePart(
        int(record["n_pairs"]),
        int(record["n_groups"]),
        {
            shown(factor): SliceInfluence(
                replace(
                    Estimate.of_metrics(entry, "tau"),
                    reason=entry["reason"] and shown(entry["reason"]),
                ),
                Estimate.of_metrics(entry, "difference"),
                finite_or_none(entry["p_adjusted_bh"]),
                finite_or_none(entry["interaction"]),
                finite_or_none(entry["interaction_p_adjusted_bh"]),
            )
            for factor, entry in record["factors"].items()
        },
    )
