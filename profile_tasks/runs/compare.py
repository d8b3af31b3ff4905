"""Two finished runs compared over the sources and the factors that both measured."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from profile_tasks.runs.run import Run, check_finished
from profile_tasks.runs.signature import difference, signature
from profile_tasks.runs.words import comparison_words
from profile_tasks.scorers.measurement.own_labels import labelled_own_pairs, own_named
from profile_tasks.scorers.measurement.tables import (
    agreement_table,
    comparison_tables,
    shared_group_codes,
)
from profile_tasks.scorers.statistics.comparisons import Comparisons, common_factors
from profile_tasks.scorers.statistics.estimate import CONFIDENCE
from profile_tasks.scorers.statistics.records import (
    compared_agreement,
    compared_alignments,
    compared_record,
    side,
)
from profile_tasks.scorers.statistics.study import AGREEMENT, OWN, WRITER, Study
from profile_tasks.scorers.statistics.taste import MARGIN


def compare_runs(
    first: Run,
    second: Run,
    *,
    replicates: int = 2000,
    seed: int = 0,
    confidence: float = CONFIDENCE,
    margin: float = MARGIN,
) -> dict[str, Any]:
    """Compare two runs over the sources and the factors that both measured.

    Args:
        first: Run A.
        second: Run B; differences are A - B.
        replicates: Bootstrap replicates.
        seed: Of everything random.
        confidence: Of every interval, between 0 and 1.
        margin: Departure in taste, in units of tau_14, that equivalence excludes.

    Returns:
        The record of ``compared_record``, with ``notes`` on what was left out, ``words``: what
        the two models differ in, in sentences, both signatures, and ``differ_in``: how else the
        runs differ.

    Raises:
        ValueError: A run did not finish, the runs share no source or no factor, or their human
            preferences differ.
    """
    study, n_sources, notes = paired_study(
        first, second, replicates=replicates, seed=seed, confidence=confidence
    )
    own = _labelled_study(first, second, study)
    record = compared_record(study, margin=margin)
    if own is not None:
        record["alignments"] |= own_named(compared_alignments(own))
        record["agreement"] |= own_named(compared_agreement(own))
    compared = {
        **both_sides(*map(_graded, (first, second))),
        "n_sources": n_sources,
        "notes": [*notes, *_labelled_alone(first, second)],
        **record,
    }
    return compared | {"words": comparison_words(compared)}


def both_sides(first: Run, second: Run) -> dict[str, str | None]:
    """Which runs A and B are, and how else than in their numbers they differ."""
    sides = {"a": first, "b": second}
    return {
        **{f"log_{side}": run.file for side, run in sides.items()},
        **{f"model_{side}": run.model for side, run in sides.items()},
        **{f"not_live_{side}": run.not_live for side, run in sides.items()},
        **{f"signature_{side}": signature(run) for side, run in sides.items()},
        "differ_in": difference(first, second),
    }


def paired_study(
    first: Run,
    second: Run,
    *,
    replicates: int = 2000,
    seed: int = 0,
    confidence: float = CONFIDENCE,
) -> tuple[Study, int, list[str]]:
    """The study of both runs, how many sources they share, and what was left out, in words.

    Args:
        first: Run A; its tables are named as ``side`` says.
        second: Run B.
        replicates: Bootstrap replicates.
        seed: Of everything random.
        confidence: Of every interval, between 0 and 1.

    Raises:
        ValueError: As of ``compare_runs``.
    """
    for run in (first, second):
        check_finished(run)
    shared = _shared_sources(first, second)
    sides = [[m for m in run.measurements if m.source_id in shared] for run in (first, second)]
    codes = shared_group_codes(*sides)
    measured = [comparison_tables(own, codes) for own in sides]
    tables = _common_tables(first, second, measured)
    judges = [agreement_table(own, codes) for own in sides]
    sampling = Study({}, replicates=replicates, seed=seed, confidence=confidence)
    study = _study_of_both(sampling, tables, judges)
    return study, len(shared), [*_differences(first, second), *_left_out(measured, tables)]


def _study_of_both(
    sampling: Study,
    tables: Sequence[Sequence[Comparisons]],
    judges: Sequence[Comparisons],
) -> Study:
    """The study of the tables of both runs, and of how both judged, resampled as another one."""
    return replace(
        sampling,
        tables={
            side(name, table.perspective): table
            for name, own in zip("AB", tables, strict=True)
            for table in own
        },
        shares={
            side(name, AGREEMENT): table
            for name, table in zip("AB", judges, strict=True)
            if all(each.preference.size for each in judges)
        },
    )


def _labelled_study(first: Run, second: Run, sampling: Study) -> Study | None:
    """The same over the pairs that each model wrote and people judged; None where one has none.

    They are other texts of the same sources: alignments are compared, influences are not.
    """
    shared = _shared_sources(first, second)
    sides = [
        labelled_own_pairs(m for m in run.measurements if m.source_id in shared)
        for run in (first, second)
    ]
    if not all(sides):
        return None
    codes = shared_group_codes(*sides)
    tables = _common_tables(first, second, [comparison_tables(own, codes) for own in sides])
    return _study_of_both(sampling, tables, [agreement_table(own, codes) for own in sides])


def _labelled_alone(first: Run, second: Run) -> list[str]:
    """That people judged the own pairs of only one of the two models."""
    in_a, in_b = (bool(labelled_own_pairs(run.measurements)) for run in (first, second))
    if in_a == in_b:
        return []
    return [f"only of {'A' if in_a else 'B'} have people judged the pairs that it wrote"]


def _common_tables(
    first: Run, second: Run, measured: Sequence[Sequence[Comparisons]]
) -> list[list[Comparisons]]:
    """The tables of both runs over the factors that both measured.

    Raises:
        ValueError: They have no factor, or no setting, in common.
    """
    every = common_factors([table for own in measured for table in own])
    if not every[0].factors:
        raise ValueError(f"{first.file} and {second.file} have no factor in common")
    tables = [every[: len(measured[0])], every[len(measured[0]) :]]
    if set.intersection(*map(_perspectives, tables)) == {"human"}:
        raise ValueError(
            f"{first.file} and {second.file} have no setting in common: one judged and the "
            "other wrote"
        )
    return tables


def _left_out(
    measured: Sequence[Sequence[Comparisons]], tables: Sequence[Sequence[Comparisons]]
) -> list[str]:
    """Factors and settings that only one of the runs measured, in words."""
    notes = []
    shared = len(tables[0][0].factors)
    if shared < max(len(table.factors) for own in measured for table in own):
        notes.append(f"only the {shared} factors that both measured are compared")
    in_a, in_b = map(_perspectives, tables)
    for name, own, other in (("A", in_a, in_b), ("B", in_b, in_a)):
        notes += [f"only {name} has a {alone} setting" for alone in sorted(own - other - {OWN})]
        if OWN in own - other and WRITER in other:
            notes.append(f"only {name} judged the pairs that it wrote")
    return notes


def _perspectives(tables: Sequence[Comparisons]) -> set[str]:
    return {table.perspective for table in tables}


def _shared_sources(first: Run, second: Run) -> set[str]:
    """The sources of both runs; their groups and human preferences must be the same."""
    known = [{m.source_id: m for m in run.measurements} for run in (first, second)]
    shared = known[0].keys() & known[1].keys()
    if not shared and first.task != second.task:
        raise ValueError(
            f"A is {first.task}, B is {second.task}; compare runs of one task over the same data"
        )
    if not shared:
        raise ValueError(
            f"{first.file} and {second.file} have no source in common; compare runs over "
            "the same data"
        )
    for source in sorted(shared):
        a, b = known[0][source], known[1][source]
        for what, differs in (
            ("another group", a.group != b.group),
            ("other human preferences", a.human != b.human),
        ):
            if differs:
                raise ValueError(
                    f"source {source!r} has {what} in {second.file} than in "
                    f"{first.file}; compare runs over the same data"
                )
    return shared


def _differences(first: Run, second: Run) -> list[str]:
    """What makes the two runs less comparable, in words."""
    told = [(n, why) for n, r in (("A", first), ("B", second)) for why in (r.not_live, r.restated)]
    notes = [f"{name}: {why}" for name, why in told if why]
    if Path(first.file).resolve() == Path(second.file).resolve():
        notes.append("A and B are the same file")
    if first.task != second.task:
        notes.append(
            f"A is of {first.task} and B of {second.task}: what they differ in may be what they "
            "were asked"
        )
    if {run.conditions.get("judged_by") for run in (first, second)} == {"words", "likelihood"}:
        likely, spoken = ("A", "B") if first.judged_by_likelihood else ("B", "A")
        notes.append(
            f"{likely} judged by likelihood and {spoken} in words: what they differ in as judges "
            "may be the way of asking"
        )
    in_a, in_b = ({m.source_id for m in run.measurements} for run in (first, second))
    for name, own, other in (("A", in_a, in_b), ("B", in_b, in_a)):
        if alone := len(own - other):
            notes.append(f"{alone} sources that only {name} was measured on are left out")
    return notes


def _graded(run: Run) -> Run:
    """The run with the models that graded its sources among its conditions."""
    graders = ", ".join(sorted({g for m in run.measurements for g in m.graders}))
    return replace(run, conditions={**run.conditions, "grader": graders}) if graders else run
