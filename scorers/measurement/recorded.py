"""Recorded preferences as one comparison table: computed and recorded factors side by side."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profile_tasks import __version__
from profile_tasks.data.columns import RowRules, columns_of_records
from profile_tasks.data.content_hash import shown
from profile_tasks.data.files import RowError
from profile_tasks.data.formats import chosen_format
from profile_tasks.data.pieces import NotInPiecesError, Piece, pieces
from profile_tasks.data.preference import PREFERENCE_SIGNS
from profile_tasks.data.preferences import (
    LOOKED_AT,
    AnnotatedPair,
    AnnotatedSource,
    PreferenceData,
    PreferenceDataError,
    of_people,
    recorded_factors,
)
from profile_tasks.data.task_definition import name_of, packaged_tasks
from profile_tasks.nearest_name import instead_of
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.selection import (
    FactorChoice,
    needing_grader,
    read_selection,
    resolve_factors,
    with_recorded,
)
from profile_tasks.scorers.factors.surface import factor_values
from profile_tasks.scorers.factors.taxonomy import own_factors_hash, taxonomy_of
from profile_tasks.scorers.measurement.human_labels import (
    DERIVED_NOTE,
    HumanLabel,
    HumanLabelError,
    data_set_name,
    is_derived,
    is_its_factor,
)
from profile_tasks.scorers.measurement.label_correction import (
    correction_record,
    label_of_each_factor,
    label_signs,
)
from profile_tasks.scorers.measurement.pair_systems import check_systems, named_systems
from profile_tasks.scorers.measurement.signs import PreferenceState, sampled_study
from profile_tasks.scorers.measurement.slice_labels import slice_labels
from profile_tasks.scorers.measurement.streamed import ChoiceError, Measuring, streamed_state
from profile_tasks.scorers.measurement.tables import shared_group_codes, with_units
from profile_tasks.scorers.statistics.annotators import Votes
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.factor_correlation import reliability_by_labels
from profile_tasks.scorers.statistics.group_sample import GroupSample
from profile_tasks.scorers.statistics.moments import Moments
from profile_tasks.scorers.statistics.records import (
    annotators_record,
    influence_record,
    slices_record,
)
from profile_tasks.scorers.statistics.slices import sliced
from profile_tasks.scorers.statistics.study import Study
from profile_tasks.scorers.statistics.systems import Systems
from profile_tasks.settings import Control


def recorded_profile(
    data: PreferenceData,
    factors: FactorChoice = "auto",
    *,
    control: Control = "none",
    human_labels: str | None = None,
    slices: Sequence[str] = (),
    replicates: int = 2000,
    seed: int = 0,
) -> dict[str, Any]:
    """The factor profile of a data set, as JSON of ``profile-tasks influence`` has it.

    Args:
        data: Sources with annotated pairs.
        factors: As of ``human_comparisons``.
        control: "system": beside the adjusted influence, one with the systems held fixed.
        human_labels: A mapping from human labels in the data to factors, as of
            ``label_of_each_factor``: recorded factors are a grader's, and corrected by them.
        slices: Columns by whose values the pairs are held apart, as of ``slice_labels``.
        replicates: Bootstrap replicates.
        seed: Of everything random.

    Raises:
        ValueError: As of ``human_comparisons``, ``recorded_systems``, ``label_of_each_factor``
            and ``slice_labels``.
    """
    table, votes = human_comparisons(data, factors), recorded_votes(data)
    whose = table.perspective
    if control == "none":
        sample = GroupSample.of(list(shared_group_codes(data.sources)), table, votes)
        moments = Moments.of({whose: table})
        study = sampled_study(moments, sample, replicates=replicates, seed=seed)
    else:
        study = Study(
            {whose: table},
            votes=votes,
            replicates=replicates,
            seed=seed,
            systems={whose: recorded_systems(data)},
        )
    record = with_units(influence_record(study, whose)) | {
        "judge": data.judge,
        "read_as": data.read_as,
        "n_unjudged_pairs": data.unjudged_pairs,
        "annotators": annotators_record(study, whose),
        **data.identity,
        "own_factors_hash": own_factors_hash(chosen_factors(data, factors)),
    }
    if slices:
        rows = judged_rows(data)
        by_column = {column: slice_labels(rows, column) for column in slices}
        record["slices"] = {
            column: slices_record(sliced(table, labels, replicates=replicates, seed=seed))
            for column, labels in by_column.items()
        }
    if human_labels is not None:
        labels = _labels_of_graded(data, factors, human_labels)
        about, corrected = correction_record(table, judged_rows(data), labels)
        if is_derived(data):
            about["cautions"].append(DERIVED_NOTE)
        record["human_labels"] = about
        record["factors"] = {f: v | corrected[f] for f, v in record["factors"].items()}
    return _of_judge(record)


def _of_judge(record: dict[str, Any]) -> dict[str, Any]:
    """A record whose words name the recorded judge, if it is of one."""
    if judge := record["judge"]:
        family = record["p_family"].replace("recorded preference", f"preference of {judge}")
        record["p_family"] = family
    return record


def streamed_profile(
    path: Path,
    factors: FactorChoice = "auto",
    *,
    rules: RowRules,
    workers: int = 1,
    replicates: int = 2000,
    seed: int = 0,
    step: Callable[[int], None] = lambda size: None,
) -> dict[str, Any]:
    """The factor profile of a file in our schema that is read in pieces, as of any size.

    The same as of ``recorded_profile``, which needs all rows in memory.

    Args:
        path: Of the file, as of ``pieces``.
        factors: As of ``human_comparisons``; chosen by the first rows.
        rules: How rows are read.
        workers: Processes; the numbers do not depend on them.
        replicates: Of what is drawn.
        seed: Of everything random.
        step: Is called with the size of each piece that is done.

    Raises:
        NotInPiecesError: What is measured cannot be chosen by the first rows, these are in another
            format, or no row counts.
        PreferenceDataError: The file or a row cannot be used.
        ValueError: As of ``human_comparisons``.
    """
    measuring = chosen_by_first_rows(next(pieces(path)), factors, rules)
    state = streamed_state(path, measuring, workers=workers, step=step)
    return profile_of_state(state, measuring, path.name, replicates=replicates, seed=seed)


def profile_of_state(
    state: PreferenceState, measuring: Measuring, name: str, *, replicates: int, seed: int
) -> dict[str, Any]:
    """The factor profile of what is known after all groups; as of ``streamed_profile``.

    Args:
        state: After all groups.
        measuring: What was measured of them.
        name: Of the data.
        replicates: Of what is drawn.
        seed: Of everything random.

    Raises:
        PreferenceDataError: Nobody preferred anything.
    """
    rules = measuring.rules
    if not state.moments.rows[:2].any():
        if rules.of_people:  # as a whole, the only judge there is may stand for them
            raise NotInPiecesError(
                f"{name}: no row has a preference of people; --preference-column names a judge's"
            )
        raise PreferenceDataError(f"{name}: field {rules.preference_column!r} is null in every row")
    study = state.study(replicates=replicates, seed=seed)
    whose = measuring.perspective
    return _of_judge(
        with_units(influence_record(study, whose))
        | {
            "judge": None if rules.of_people else rules.preference_column,
            "read_as": None,
            "n_unjudged_pairs": state.n_unjudged,
            "annotators": annotators_record(study, whose),
            "data": name,
            "data_hash": shown(np.array([state.content], np.uint64)),
            "package_version": __version__,
            "own_factors_hash": own_factors_hash(measuring.factors),
            "unspaced": state.unspaced,
            "without_task": "" in (measuring.tasks or ()),
        }
    )


def chosen_by_first_rows(piece: Piece, factors: FactorChoice, rules: RowRules) -> Measuring:
    """What is measured of all rows, by the first ones; as of ``streamed_profile``."""
    records = list(islice(piece.records(rules), _LOOKED_AT))
    rows = [row for _, row in records if not isinstance(row, RowError)]
    named = dict.fromkeys(name for row in rows for name in row)
    if chosen_format(None, None, None, rows[:LOOKED_AT], piece.name) is not None:
        raise ChoiceError(f"{piece.name}: the rows are in another format than ours")
    if rules.factors_column not in ("factors", *named):
        meant = instead_of(rules.factors_column, named)
        raise ChoiceError(
            f"{piece.name}: no row has the factors column {rules.factors_column!r}{meant}"
        )
    if rules.of_people and not of_people(named):
        raise ChoiceError(
            f"{piece.name}: no row has a preference of people; --preference-column names a judge's"
        )
    rules = replace(rules, people=rules.of_people)
    first = columns_of_records(records, rules, named)
    asked = name_of(rules.task or "")
    if rules.task and not first.tasks and rules.task not in packaged_tasks():
        raise ChoiceError(
            f"{piece.name}: no row has task {asked!r} among the first"
            + instead_of(asked, sorted({str(row["task"]) for row in rows if row.get("task")}))
        )
    tasks = first.tasks if rules.task is None else frozenset({rules.task})
    by_word = read_selection(factors).word is not None
    return Measuring(
        rules,
        resolved_factors(tasks, tuple(first.factors), factors),
        frozenset(first.factors) if by_word else None,
        tasks if by_word else None,
        "human" if rules.of_people else "recorded",
    )


_LOOKED_AT = 200
"""Rows by which it is chosen what is measured of a file that is read in pieces."""


def human_comparisons(
    data: PreferenceData,
    factors: FactorChoice = "auto",
    group_codes: Mapping[str, int] | None = None,
) -> Comparisons:
    """The comparison table of a data set: of people's preferences, or of a recorded judge's.

    Args:
        data: Sources with annotated pairs.
        factors: A selection as `resolve_factors` takes it, for the tasks in the data; or ids: of
            computed factors, or names that the data record under ``factors.a`` and
            ``factors.b``. Taxonomy files add computed factors. A factor that needs a grader is
            taken from the data.
        group_codes: Code of each group, where another table shares them; by default the groups
            are numbered in the order of their names.

    Raises:
        ValueError: An id that is neither computed nor recorded, or is both; a factor that needs
            a grader and is not recorded; nobody preferred anything.
    """
    rows = judged_rows(data)
    if not rows:
        judges = f"; --preference-column names a recorded judge: {', '.join(data.judges)}"
        raise ValueError(
            f"{data.name}: no row has a preference of people{judges if data.judges else ''}"
        )
    chosen = chosen_factors(data, factors)
    codes = shared_group_codes(data.sources) if group_codes is None else group_codes
    values_a, values_b = values_of_sides(rows, chosen)
    return Comparisons.from_values(
        preference=np.array([pair.sign for _, pair in rows], np.int8),
        values_a=values_a,
        values_b=values_b,
        group=np.array([codes[source.group] for source, _ in rows]),
        factors=tuple(factor.id for factor in chosen),
        perspective="human" if data.judge is None else "recorded",
    )


def values_of_sides(
    rows: Sequence[tuple[AnnotatedSource, AnnotatedPair]], factors: Sequence[Factor]
) -> list[NDArray[np.float64]]:
    """The values of computed and recorded factors of the responses a and b, each (n, F).

    Args:
        rows: As of ``judged_rows``.
        factors: As of ``chosen_factors``.
    """
    computed = [factor for factor in factors if factor.kind != "recorded"]
    sources = [source.source for source, _ in rows]
    prompts = [source.prompt for source, _ in rows]
    sides = []
    for side in "ab":
        texts = [getattr(pair, f"response_{side}") for _, pair in rows]
        recorded = [getattr(pair, f"factors_{side}") for _, pair in rows]
        columns = dict(
            zip(
                (factor.id for factor in computed),
                factor_values(computed, texts, sources, prompts).T,
                strict=True,
            )
        )
        for factor in factors:
            if factor.kind == "recorded":
                # None, or nothing, becomes NaN.
                columns[factor.id] = np.array([of.get(factor.id) for of in recorded], float)
        sides.append(np.column_stack([columns[factor.id] for factor in factors]))
    return sides


def common_pairs(first: PreferenceData, second: PreferenceData) -> tuple[PreferenceData, ...]:
    """Two judges' preferences in one data set, over the pairs that both judged."""
    both = set.intersection(
        *({p.id for source in data.sources for p in _judged(source)} for data in (first, second))
    )
    return tuple(
        replace(
            data,
            sources=tuple(
                source.model_copy(update={"pairs": pairs})
                for source in data.sources
                if (pairs := tuple(pair for pair in source.pairs if pair.id in both))
            ),
        )
        for data in (first, second)
    )


def labelled_reliability(
    data: PreferenceData, factors: FactorChoice, human_labels: str
) -> dict[str, float]:
    """How reliable recorded grades are by human labels of them, of each factor that has some.

    Args:
        data: As of ``human_comparisons``.
        factors: As there.
        human_labels: As of ``recorded_profile``.

    Raises:
        ValueError: As of ``recorded_profile``; or no pair has both a grade and a label that differ.
    """
    table, rows = human_comparisons(data, factors), judged_rows(data)
    found = {}
    for factor, label in _labels_of_graded(data, factors, human_labels).items():
        at = table.factors.index(factor)
        grades = np.where(table.missing[:, at], np.nan, table.manifestation[:, at])
        found[factor] = reliability_by_labels(grades, label_signs(rows, label))
        if np.isnan(found[factor]):
            raise ValueError(
                f"factor {factor!r}: no pair has both a grade and a label {label.name!r} that "
                "differ; leave it out of the mapping of --human-labels"
            )
    return found


def recorded_votes(data: PreferenceData) -> Votes:
    """The single votes that the data record, row by row with ``human_comparisons``."""
    rows = [(source.group, p.annotators) for source in data.sources for p in _judged(source)]
    codes = shared_group_codes(data.sources)
    return Votes.from_lists(
        [[PREFERENCE_SIGNS[vote] for vote in votes] for _, votes in rows],
        [codes[group] for group, _ in rows],
    )


def recorded_systems(data: PreferenceData) -> Systems:
    """Who wrote the responses, row by row with ``human_comparisons``.

    Raises:
        ValueError: No pair names both of its systems, or a name is no text.
    """
    check_systems(data.sources)
    return Systems.from_names(
        [named_systems(pair) for source in data.sources for pair in _judged(source)]
    )


def _labels_of_graded(
    data: PreferenceData, factors: FactorChoice, mapping: str
) -> dict[str, HumanLabel]:
    """The human label of each recorded factor that has one.

    Raises:
        ValueError: As of ``label_of_each_factor``; or label and grade are the same numbers.
    """
    tasks = {source.task for source in data.sources}
    asked = read_selection(factors, taxonomy_of(tasks))
    recorded = recorded_factors(data.sources)
    # The mapping may name factors that the data alone know; others it knows as a grader finds them.
    alone = with_recorded(replace(asked, names=recorded), recorded, grader=False)
    known = {**alone, **asked.taxonomy}
    graded = [factor.id for factor in chosen_factors(data, factors) if factor.kind == "recorded"]
    labels = label_of_each_factor(data_set_name(data), mapping, graded, known)
    for factor, label in labels.items():
        if label.name == factor and all(is_its_factor(source, label) for source in data.sources):
            raise HumanLabelError(
                f"{data.name}: factor {factor!r} is its own label, the numbers of people in "
                "factors.a and factors.b; a grader's go into a column of their own "
                "(--factors-column), or have another name"
            )
    return labels


def judged_rows(data: PreferenceData) -> list[tuple[AnnotatedSource, AnnotatedPair]]:
    """The pairs that have a preference, each with its source."""
    return [(source, pair) for source in data.sources for pair in _judged(source)]


def _judged(source: AnnotatedSource) -> list[AnnotatedPair]:
    """The pairs that have a preference."""
    return [pair for pair in source.pairs if pair.preference is not None]


def chosen_factors(data: PreferenceData, factors: FactorChoice) -> tuple[Factor, ...]:
    """The factors asked for, in their order; what no grader is asked about stands in the data.

    Args:
        data: As of ``human_comparisons``.
        factors: As there.

    Raises:
        ValueError: As there.
    """
    tasks = dict.fromkeys(source.task for source in data.sources)
    return resolved_factors(tasks, recorded_factors(data.sources), factors)


def resolved_factors(
    tasks: Collection[str], recorded: Sequence[str], factors: FactorChoice
) -> tuple[Factor, ...]:
    """The factors asked for, as of ``chosen_factors``.

    Args:
        tasks: That the rows name; "" where one names none.
        recorded: Factors that the rows record.
        factors: As there.

    Raises:
        ValueError: As there.
    """
    asked = read_selection(factors, taxonomy_of(tasks))
    if asked.word is not None:
        # Rows without a task may be of any: what every task has can be measured.
        each = [
            resolve_factors(factors, task, recorded=recorded)
            for task in (packaged_tasks() if "" in tasks else [list(tasks)])
        ]
        chosen = tuple(factor for factor in each[0] if all(factor in other for other in each))
    else:
        known = with_recorded(asked, recorded, grader=False)
        for name in asked.names:
            if name not in known:
                choices = [*known, *sorted(set(recorded) - known.keys())]
                raise ValueError(f"factor {name!r} is unknown{instead_of(name, choices)}")
            if name in recorded and known[name].kind != "recorded":
                raise ValueError(
                    f"factor {name!r} is computed here and also recorded in the data; "
                    "rename the recorded one"
                )
        chosen = tuple(known[name] for name in asked.names)
    if graded := needing_grader(chosen):
        raise ValueError(
            f"factors {', '.join(graded)} need a grader model, and here none is asked. Choose "
            "surface factors or recorded ones here, for example --factors length,readability. "
            "The Inspect tasks measure graded factors: -T factors=... with --model-role grader=..."
        )
    return chosen
