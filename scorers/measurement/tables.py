"""The tables that the measurements of many sources make: everything estimated reads these."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.taxonomy import load_taxonomy
from profile_tasks.scorers.measurement.slice_labels import LENGTH_CLASS, length_classes
from profile_tasks.scorers.measurement.source_measurement import Manifestations, SourceMeasurement
from profile_tasks.scorers.statistics.annotators import Votes
from profile_tasks.scorers.statistics.comparisons import Comparisons, Perspective
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.grader_panel import GraderPanel
from profile_tasks.scorers.statistics.records import Record, run_slices_record
from profile_tasks.scorers.statistics.slices import judged_slices, metrics_in_slices
from profile_tasks.scorers.statistics.study import (
    AGREEMENT,
    HUMAN,
    JUDGE,
    OWN,
    REPLICATES,
    WRITER,
    Study,
)
from profile_tasks.scorers.statistics.systems import Systems
from profile_tasks.solvers.both_orders import PairVerdict

AGREEMENT_SHARES = (
    "discrimination_accuracy_half_credit",
    "discrimination_accuracy",
    "flip_rate",
    "first_position_rate",
    "unreadable_rate",
)
"""The columns of ``agreement_table``."""

_Label = str | int | None
"""Of a pair, as a log holds it: of ``length_class`` its words."""


def run_study(
    measurements: Iterable[SourceMeasurement], *, replicates: int = REPLICATES, seed: int = 0
) -> Study:
    """The study of one run: people, the model as judge, as writer and as judge of what it wrote.

    Args:
        measurements: What was measured on each source.
        replicates: Bootstrap replicates.
        seed: Of everything random.

    Raises:
        ValueError: No measurement, or measurements of different factors.
    """
    records = list(measurements)
    agreement = agreement_table(records)
    return Study(
        {table.perspective: table for table in comparison_tables(records)},
        {AGREEMENT: agreement} if agreement.preference.size else {},
        human_votes(records),
        replicates,
        seed,
        systems=annotated_systems(records),
        panel=grader_panel(records),
    )


def grader_panel(measurements: Iterable[SourceMeasurement]) -> GraderPanel | None:
    """What each of several graders says, beside the tables of their majority.

    How far they agree is told over the annotated pairs, once a source, and over the pairs of
    different texts that the model wrote.

    Args:
        measurements: What was measured on each source.

    Returns:
        None where one model graded, or nothing that counts; and where not every source was graded
        by the same ones, of which ``graded_by`` of ``full_profile`` warns.
    """
    records = _in_order(measurements)
    panels = {record.graders for record in records}
    graders = next(iter(panels), ())
    factors = tuple(f for record in records[:1] for f in record.factors if f in record.grading)
    if len(panels) != 1 or len(graders) < 2 or not factors:
        return None
    codes = shared_group_codes(records)
    # The majority's measurements are in order; each grader's must stay so, row by row.
    alone = [[r.by_grader(place) for r in records] for place in range(len(graders))]
    by_grader = [_tables_in_order(own, codes) for own in alone]
    once = {id(record) for record in _one_a_source(records)}
    signs: list[list[list[int | None]]] = []
    groups: list[int] = []
    for record in records:
        written = [not pair.identical for pair in record.pairs_written or ()]
        for side, wanted in (
            ("annotated", [id(record) in once] * len(record.human)),
            ("written", written),
        ):
            for at in (at for at, counts in enumerate(wanted) if counts):
                signs.append([[getattr(g, side)[f][at] for f in factors] for g in record.panel])
                groups.append(codes[record.group])
    shape = (len(signs), len(graders), len(factors))
    missing = np.array([[[s is None for s in f] for f in g] for g in signs], np.bool_)
    return GraderPanel(
        graders=graders,
        factors=factors,
        tables={
            table.perspective: tuple(own[at] for own in by_grader)
            for at, table in enumerate(by_grader[0])
        },
        signs=np.array([[[s or 0 for s in f] for f in g] for g in signs], np.int8)
        .reshape(shape)
        .swapaxes(0, 1),
        missing=missing.reshape(shape).swapaxes(0, 1),
        group=np.array(groups, np.int32),
    )


def comparison_tables(
    measurements: Iterable[SourceMeasurement], group_codes: Mapping[str, int] | None = None
) -> list[Comparisons]:
    """The human table and, where asked, the discrimination, generation and own tables.

    The own table has the pairs of the generation table, with the model's verdicts as their judge.

    Group codes are shared by all tables. A source measured several times (epochs) gives its
    human preferences once and its model preferences every time.

    Args:
        measurements: What was measured on each source.
        group_codes: Code of each group, where tables of another run share them.

    Raises:
        ValueError: No measurement, or measurements of different factors.
    """
    records = _in_order(measurements)
    return _tables_in_order(records, group_codes or shared_group_codes(records))


def _tables_in_order(
    records: Sequence[SourceMeasurement], codes: Mapping[str, int]
) -> list[Comparisons]:
    factors = {record.factors for record in records}
    if len(factors) != 1:
        raise ValueError(f"expected measurements of the same factors, got {sorted(factors)}")
    tables: dict[Perspective, _Rows] = {"human": _Rows()}
    for record in _one_a_source(records):
        tables["human"].extend(codes[record.group], record.human, record.annotated)
    for record in records:
        code = codes[record.group]
        if (judged := record.discrimination) is not None:
            tables.setdefault("discrimination", _Rows()).extend(code, judged, record.annotated)
        if record.pairs_written is not None:
            preferred = (1,) * len(record.pairs_written)
            tables.setdefault("generation", _Rows()).extend(code, preferred, record.written)
        if (judged_own := record.own) is not None:
            tables.setdefault(OWN, _Rows()).extend(code, judged_own, record.written)
    (names,) = factors
    return [rows.comparisons(names, perspective) for perspective, rows in tables.items()]


def table_of_signs(
    preferences: Sequence[int],
    signs: Sequence[Sequence[int | None]],
    groups: Sequence[int],
    factors: tuple[str, ...],
    perspective: Perspective,
) -> Comparisons:
    """A table from one row of signs a pair, in which None is missing.

    Args:
        preferences: (n,) in {1, 0, -1}.
        signs: n rows of F signs.
        groups: (n,) code of each pair's group.
        factors: The F factors.
        perspective: Whose preferences they are.
    """
    shape = (len(signs), len(factors))
    return Comparisons(
        preference=np.array(preferences, dtype=np.int8),
        manifestation=np.array([[s or 0 for s in row] for row in signs], np.int8).reshape(shape),
        missing=np.array([[s is None for s in row] for row in signs], np.bool_).reshape(shape),
        group=np.array(groups, dtype=np.int32),
        factors=factors,
        perspective=perspective,
    )


def human_votes(measurements: Iterable[SourceMeasurement]) -> Votes:
    """The single votes on the annotated pairs, row by row with the human table."""
    records = _in_order(measurements)
    codes = shared_group_codes(records)
    votes: list[tuple[int, ...]] = []
    groups: list[int] = []
    for record in _one_a_source(records):
        known = [preference is not None for preference in record.human]
        votes += compress(record.votes or [()] * len(known), known)
        groups += [codes[record.group]] * sum(known)
    return Votes.from_lists(votes, groups)


def verdicts_beside_people(measurements: Iterable[SourceMeasurement]) -> NDArray[np.float64]:
    """The model's verdict on each row of the human table: 1, 0 or -1; NaN where there is none."""
    said = [
        np.nan if verdict is None else verdict
        for record in _one_a_source(_in_order(measurements))
        for human, verdict in zip(
            record.human, record.discrimination or [None] * len(record.human), strict=True
        )
        if human is not None
    ]
    return np.array(said, np.float64)


def annotated_systems(measurements: Iterable[SourceMeasurement]) -> dict[str, Systems]:
    """Who wrote the annotated responses, row by row with the tables that judge them, by name.

    Empty where systems were not controlled for.
    """
    records = _in_order(measurements)
    if not any(record.systems for record in records):
        return {}
    judged = [(r.systems, r.discrimination) for r in records if r.discrimination is not None]
    people = [(r.systems, r.human) for r in _one_a_source(records)]
    return {
        name: Systems.from_names(
            [
                names
                for systems, preferences in rows
                for names, preference in zip(systems, preferences, strict=True)
                if preference is not None
            ]
        )
        for name, rows in ((HUMAN, people), (JUDGE, judged))
    }


def slices_of_run(measurements: Iterable[SourceMeasurement], study: Study) -> Record:
    """What a run says of its slices: column -> as of ``run_slices_record``; empty: none asked for.

    Args:
        measurements: What was measured on each source.
        study: As ``run_study`` makes it of them.
    """
    labels = slice_labels_by_table(measurements)
    return {column: run_slices_record(study, by_table) for column, by_table in labels.items()}


def estimates_in_slices(
    measurements: Iterable[SourceMeasurement], study: Study
) -> dict[str, Estimate]:
    """The metrics that a run has by slice, by name; arguments as of ``slices_of_run``."""
    return metrics_in_slices(
        {
            column: {
                label: judged.estimates for label, judged in judged_slices(study, by_table).items()
            }
            for column, by_table in slice_labels_by_table(measurements).items()
        }
    )


def slice_labels_by_table(
    measurements: Iterable[SourceMeasurement],
) -> dict[str, dict[str, list[str | None]]]:
    """Column -> name of a table of a run, or of its verdicts -> the label of each of its rows.

    A pair that the model wrote has the label that all annotated pairs of its source share, or
    none; its ``length_class`` is by its own texts, in thirds of all that were written.
    """
    records = _in_order(measurements)
    columns = [c for c in records[0].slices if all(c in record.slices for record in records)]
    return {column: _labels_by_table(records, column) for column in columns}


def _labels_by_table(
    records: Sequence[SourceMeasurement], column: str
) -> dict[str, list[str | None]]:
    judges = [record for record in records if record.verdicts is not None]
    held: dict[str, list[Any]] = {
        HUMAN: [each for r in _one_a_source(records) for each in _known(r.human, r.slices[column])],
        JUDGE: [each for r in judges for each in _known(r.discrimination or (), r.slices[column])],
        AGREEMENT: [each for r in judges for each in r.slices[column] for _ in range(2)],
        WRITER: [each for record in records for each in _of_written(record, column)],
    }
    if column != LENGTH_CLASS:
        return held
    annotated = held[HUMAN] or held[AGREEMENT]
    return {
        name: [*length_classes(words, None if name == WRITER else annotated)]
        for name, words in held.items()
    }


def _known(preferences: Sequence[int | None], labels: Sequence[_Label]) -> Iterator[_Label]:
    """The labels of the pairs with a preference."""
    return compress(labels, [preference is not None for preference in preferences])


def _of_written(record: SourceMeasurement, column: str) -> list[_Label]:
    pairs, words = record.pairs_written or (), record.words_by_score or {}
    if column == LENGTH_CLASS:
        return [(words[pair.higher] or 0) + (words[pair.lower] or 0) for pair in pairs]
    shared = set(record.slices[column])
    return [shared.pop() if len(shared) == 1 else None] * len(pairs)


def reasons_of_recorded(measurements: Iterable[SourceMeasurement]) -> dict[str, str]:
    """Why the influences that recorded factors cannot have are missing, by the metric's name."""
    return {
        f"tau_generation_{factor}": "the data record the factor for annotated responses alone"
        for record in measurements
        if record.pairs_written is not None
        for factor in record.recorded
    }


def with_units(influence: Record) -> Record:
    """An influence record that says what each surface factor counts, and in which responses.

    ``unit`` and ``defined_for`` are those of the factor, None where it has none or is no surface
    factor; where it is missing, the reasons name ``defined_for`` too.
    """
    known = load_taxonomy()
    surface = {name for name, factor in known.items() if factor.kind == "surface"}
    return influence | {
        "factors": {
            name: _with_unit(entry, known[name] if name in surface else None)
            for name, entry in influence["factors"].items()
        }
    }


def _with_unit(entry: Record, factor: Factor | None) -> Record:
    where = factor.defined_for or None if factor else None
    added = {
        name: f"{entry[name]}; it is defined for {where}"
        for name in ("reason", "adjusted_reason", "adjusted_control_reason")
        if where and entry["missing"] and "the factor is missing" in (entry.get(name) or "")
    }
    return entry | added | {"unit": factor.unit if factor else None, "defined_for": where}


def shared_group_codes(*runs: Iterable[SourceMeasurement | AnnotatedSource]) -> dict[str, int]:
    """A code for each group of one run or data set, or more; groups of one name are one group."""
    groups = sorted({record.group for records in runs for record in records})
    return {group: code for code, group in enumerate(groups)}


def agreement_table(
    measurements: Iterable[SourceMeasurement], group_codes: Mapping[str, int] | None = None
) -> Comparisons:
    """How the model judged, as indicators of which tau_14 is the share.

    So these shares are resampled with everything else. A pair has two rows, one for each order that
    it may be shown in: what is told of an order stands in its row, what is told of the pair in
    both, and half a credit in one of them. What does not count is missing, as in
    ``standard_metrics``.

    Args:
        measurements: What was measured on each source.
        group_codes: Code of each group, where tables of another run share them.
    """
    records = _in_order(measurements)
    codes = group_codes or shared_group_codes(records)
    rows = _Rows()
    for record in records:
        if record.verdicts is None:
            continue
        signs = tuple(
            row
            for human, verdict in zip(record.human, record.verdicts, strict=True)
            for row in _agreement_rows(human, verdict)
        )
        rows.extend(codes[record.group], (1,) * len(signs), signs)
    return rows.comparisons(AGREEMENT_SHARES, "discrimination")


def _agreement_rows(human: int | None, verdict: PairVerdict) -> Iterator[tuple[int | None, ...]]:
    """The two rows of a pair in ``AGREEMENT_SHARES``; None does not count."""
    credit = None if verdict.preference is None or not human else human * verdict.preference
    flipped = None if verdict.flipped is None else int(verdict.flipped)
    for order in (0, 1):
        shown = verdict.picks[order : order + 1]
        yield (
            None if credit is None else int(credit > 0 or (credit == 0 and order == 0)),
            int(credit > 0) if credit else None,
            flipped,
            int(shown[0] == "first") if shown in (("first",), ("second",)) else None,
            int(shown[0] is None) if shown else None,
        )


def _in_order(measurements: Iterable[SourceMeasurement]) -> list[SourceMeasurement]:
    # Samples finish in any order: the resamples follow the group codes, and of several epochs the
    # human table takes the one in which the grader left out the least.
    return sorted(measurements, key=lambda r: (r.group, r.source_id, *_incomplete(r)))


def _one_a_source(records: Iterable[SourceMeasurement]) -> Iterable[SourceMeasurement]:
    """The first record of each source."""
    first: dict[str, SourceMeasurement] = {}
    for record in records:
        first.setdefault(record.source_id, record)
    return first.values()


def _incomplete(record: SourceMeasurement) -> tuple[int, str]:
    """How much is missing of the annotated pairs; and what they show, to settle a draw."""
    return sum(sign is None for row in record.annotated for sign in row), repr(record.annotated)


class _Rows:
    """Rows of one table while it is gathered."""

    def __init__(self) -> None:
        self.groups: list[int] = []
        self.preferences: list[int] = []
        self.manifestations: list[tuple[int | None, ...]] = []

    def extend(self, group: int, preferences: Sequence[int | None], signs: Manifestations) -> None:
        for preference, row in zip(preferences, signs, strict=True):
            if preference is not None:
                self.groups.append(group)
                self.preferences.append(preference)
                self.manifestations.append(row)

    def comparisons(self, factors: tuple[str, ...], perspective: Perspective) -> Comparisons:
        return table_of_signs(
            self.preferences, self.manifestations, self.groups, factors, perspective
        )
