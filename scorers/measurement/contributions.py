"""What each factor, and each level of factors, contributes to preferences and to their alignment.

Of tables of one data set, or of one run: the contributions of the factors to each preference
(``dominance``); the alignment of two profiles by level and without each factor; how far the factors
can be told apart (``factor_correlation``); how well they predict people's preference on held-out
sources, beside length alone and beside the judges (``held_out``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profile_tasks.data.preferences import PreferenceData
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.selection import FactorChoice, read_selection
from profile_tasks.scorers.factors.taxonomy import taxonomy_of
from profile_tasks.scorers.measurement.own_labels import labelled_own_pairs
from profile_tasks.scorers.measurement.recorded import chosen_factors, labelled_reliability
from profile_tasks.scorers.measurement.recorded_judges import RecordedJudges
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement
from profile_tasks.scorers.measurement.tables import (
    comparison_tables,
    shared_group_codes,
    verdicts_beside_people,
)
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.coverage import of_contributions
from profile_tasks.scorers.statistics.dominance import FactorContributions, factor_contributions
from profile_tasks.scorers.statistics.estimate import none_for_nan
from profile_tasks.scorers.statistics.factor_correlation import (
    ALIKE,
    correlated_factors,
    correlation_matrix,
    effective_number,
    reliability_of_orders,
)
from profile_tasks.scorers.statistics.held_out import (
    N_FOLDS,
    half_credit,
    half_credit_difference,
    held_out_predictions,
)
from profile_tasks.scorers.statistics.metric_catalogue import OWN_PREFIX
from profile_tasks.scorers.statistics.study import HUMAN, JUDGE, OWN, WRITER
from profile_tasks.scorers.statistics.true_alignment import TrueAlignment, true_alignment
from profile_tasks.solvers.recorded_answers import recorded_models, recorded_names

LEVELS = (1, 2, 3)
LENGTH = "length"


@dataclass(frozen=True, eq=False)
class Preferences:
    """Preferences whose factors are looked into.

    Attributes:
        tables: Whose preferences -> the table, people's (or of whoever stands for them) first; all
            have the same factors.
        aligned: Names of two tables each whose profiles are held against each other.
        levels: Factor id -> its level; a factor without one counts at no level.
        verdicts: Judge -> its verdict on each row of the first table: 1, 0, -1, NaN where missing.
        reliability: Of factors that are graded with error, between 0 and 1.
    """

    tables: Mapping[str, Comparisons]
    aligned: Sequence[tuple[str, str]]
    levels: Mapping[str, int]
    verdicts: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    reliability: Mapping[str, float] = field(default_factory=dict)


def recorded_preferences(
    data: PreferenceData,
    names: Sequence[str] = (),
    factors: FactorChoice = "auto",
    human_labels: str | None = None,
) -> Preferences:
    """The preferences of people, and of every judge whose verdicts the data record.

    Args:
        data: Sources with annotated pairs.
        names: Only these judges; without any, all that there are.
        factors: As of ``human_comparisons``. Those that the data alone know have no level.
        human_labels: As of ``recorded_profile``; by them the reliability of recorded grades.

    Raises:
        ValueError: As of these two; or nothing is recorded of a judge.
    """
    wanted = names or recorded_names(data.sources)
    models = recorded_models(data.sources, data.name, names) if wanted else []
    found = RecordedJudges.of_data(data, models, chosen_factors(data, factors))
    tasks = {source.task for source in data.sources}
    known = read_selection(factors, taxonomy_of(tasks)).taxonomy
    people = found.reference
    judges = dict(zip(found.measurements, list(found.study.tables)[1:], strict=True))
    tables = {people: found.study.tables[HUMAN]}
    tables |= {name: found.study.tables[table] for name, table in judges.items()}
    return Preferences(
        tables,
        [(people, name) for name in judges],
        {id_: known[id_].level for id_ in found.study.tables[HUMAN].factors if id_ in known},
        {name: verdicts_beside_people(each) for name, each in found.measurements.items()},
        {} if human_labels is None else labelled_reliability(data, factors, human_labels),
    )


def measured_preferences(
    measurements: Sequence[SourceMeasurement], factors: Mapping[str, Factor]
) -> Preferences:
    """The preferences of people and of the model in a finished run.

    Args:
        measurements: What was measured on each source.
        factors: What is known of its factors, by id.
    """
    codes = shared_group_codes(measurements)
    tables = {str(t.perspective): t for t in comparison_tables(measurements, codes)}
    judged = JUDGE in tables
    pairs = [(HUMAN, JUDGE), (OWN, WRITER)]
    if labelled := labelled_own_pairs(measurements):  # there all three chose among the same texts
        of_labelled = comparison_tables(labelled, codes)
        tables |= {OWN_PREFIX + str(table.perspective): table for table in of_labelled}
        pairs += [(OWN_PREFIX + HUMAN, OWN_PREFIX + name) for name in (JUDGE, WRITER)]
    ids = tables[HUMAN].factors
    return Preferences(
        {name: table for name, table in tables.items() if table.preference.any()},
        [(a, b) for a, b in pairs if a in tables and b in tables],
        {id_: factors[id_].level for id_ in ids if id_ in factors},
        {JUDGE: verdicts_beside_people(measurements)} if judged else {},
        _reliabilities(measurements),
    )


def _reliabilities(measurements: Iterable[SourceMeasurement]) -> dict[str, float]:
    """How reliable the grader's two orders are together, of each factor that was asked in both."""
    decided: dict[str, int] = {}
    flipped: dict[str, int] = {}
    both: dict[str, int] = {}
    for measured in measurements:
        for at, factor in enumerate(measured.factors):
            grading = measured.grading.get(factor)
            if grading is None:
                continue
            signs = [row[at] for row in (*measured.annotated, *measured.written)]
            decided[factor] = decided.get(factor, 0) + sum(map(bool, signs))
            flipped[factor] = flipped.get(factor, 0) + grading.flipped
            both[factor] = both.get(factor, 0) + grading.both_orders
    return {
        factor: reliability_of_orders(decided[factor], flipped[factor])
        for factor in decided
        if both[factor]
    }


def contributions_record(
    preferences: Preferences, *, n_folds: int = N_FOLDS, seed: int = 0
) -> dict[str, Any]:
    """All that is told of what factors contribute, as JSON has it.

    Args:
        preferences: Whose.
        n_folds: Into so many folds the sources are dealt.
        seed: Of the deal, and of everything else that is random.
    """
    tables, levels = preferences.tables, preferences.levels
    people, *_ = tables
    texts = [people, *(name for name in (WRITER,) if name in tables)]
    return {
        "n_folds": n_folds,
        "seed": seed,
        "levels": {factor: levels.get(factor) for factor in tables[people].factors},
        "profiles": {
            name: _profile(
                factor_contributions(
                    table,
                    {str(n): [f for f in table.factors if levels.get(f) == n] for n in LEVELS},
                    n_folds=n_folds,
                    seed=seed,
                ),
                levels,
            )
            for name, table in tables.items()
        },
        "alignment": [
            {"first": first, "second": second}
            | _parts(tables[first], tables[second], levels, seed=seed)
            for first, second in preferences.aligned
        ],
        "correlation": {
            name: _correlation(tables[name], preferences.reliability) for name in texts
        },
        "held_out": _held_out(preferences, n_folds, seed),
    }


def _profile(found: FactorContributions, levels: Mapping[str, int]) -> dict[str, Any]:
    columns = ("contribution", "share", "alone", "without", "lost")
    return {
        "n_pairs": found.n_pairs,
        "n_groups": found.n_groups,
        "cautions": of_contributions(found.n_pairs, found.n_groups),
        "n_models": found.n_models,
        "orders": found.orders,
        "explained": found.explained.record(),
        "factors": {
            factor: {
                "level": levels.get(factor),
                **{column: getattr(found, column)[at].record() for column in columns},
                "sampling_error": none_for_nan(float(found.sampling_error[at])),
            }
            for at, factor in enumerate(found.factors)
        },
        "by_level": {
            level: {"contribution": contribution.record(), "share": share.record()}
            for level, (contribution, share) in found.of_sets.items()
        },
    }


def _parts(
    first: Comparisons, second: Comparisons, levels: Mapping[str, int], *, seed: int
) -> dict[str, Any]:
    """The alignment of two profiles: whole, by level, and without each factor."""
    factors = first.factors

    def over(kept: Iterable[bool]) -> dict[str, Any]:
        known = np.fromiter(kept, bool, len(factors))
        return _alignment(true_alignment(first, second, known=known, seed=seed), known)

    return {
        "whole": over(True for _ in factors),
        "by_level": {
            str(level): over(levels.get(factor) == level for factor in factors) for level in LEVELS
        },
        "without": {
            left_out: over(factor != left_out for factor in factors) for left_out in factors
        },
    }


def _alignment(found: TrueAlignment, known: NDArray[np.bool_]) -> dict[str, Any]:
    return {
        "n_factors": int(known.sum()),
        **{name: estimate.record() for name, estimate in found.coefficients.items()},
    }


def _correlation(table: Comparisons, reliability: Mapping[str, float]) -> dict[str, Any]:
    return {
        "n_factors": len(table.factors),
        "effective_number": none_for_nan(effective_number(correlation_matrix(table))),
        "alike_from": ALIKE,
        "reliability": dict(reliability),
        "pairs": [
            {
                "first": pair.first,
                "second": pair.second,
                "observed": pair.observed.record(),
                "corrected": pair.corrected.record(),
                "alike": pair.alike,
            }
            for pair in correlated_factors(table, reliability)
        ],
    }


def _held_out(preferences: Preferences, n_folds: int, seed: int) -> dict[str, Any]:
    """How well people's preference is predicted, by whom, and what the factors are better by."""
    people, *_ = preferences.tables
    table = preferences.tables[people]
    predicted = held_out_predictions(table, n_folds=n_folds, seed=seed)
    others: dict[str, NDArray[np.float64]] = {}
    if LENGTH in table.factors and len(table.factors) > 1:
        alone = held_out_predictions(table, [LENGTH], n_folds=n_folds, seed=seed)
        others["length alone"] = alone.astype(np.float64)
    others |= preferences.verdicts
    beside = {}
    for name, said in others.items():
        known = np.isfinite(said)
        rows = (table.preference[known], predicted[known], said[known], table.group[known])
        preference, own, other, group = rows
        beside[name] = {
            "n": int(np.count_nonzero(preference)),
            "accuracy": half_credit(preference, other, group).record(),
            "factors": half_credit(preference, own, group).record(),
            "difference": half_credit_difference(preference, own, other, group).record(),
        }
    return {
        "n": int(np.count_nonzero(table.preference)),
        "accuracy": half_credit(table.preference, predicted, table.group).record(),
        "beside": beside,
    }
