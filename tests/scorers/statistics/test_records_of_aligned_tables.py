"""The record of an alignment holds what the statistics say, as JSON has it."""

import json
import math
from typing import Any

import numpy as np
import pytest

from profile_tasks.scorers.statistics import records
from profile_tasks.scorers.statistics.alignment import (
    COEFFICIENTS,
    Coefficient,
    align,
    alignment_replicates,
)
from profile_tasks.scorers.statistics.attenuation import AttainableAlignment, attainable_alignment
from profile_tasks.scorers.statistics.comparisons import Comparisons, Perspective
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.influence import profile_of
from profile_tasks.scorers.statistics.records import aligned_profiles, aligned_tables
from profile_tasks.scorers.statistics.reliability import reliability, split_halves
from profile_tasks.scorers.statistics.resampling import bootstrap_taus

FACTORS = ("length", "fluency", "coherence", "markdown", "readability")
HUMAN = {"length": 0.3, "fluency": 0.2, "hallucination": -0.4, "off_focus": -0.1}
MODEL = {"length": 0.5, "fluency": 0.1, "hallucination": -0.2, "off_focus": -0.3}


def table(
    seed: int, *, perspective: Perspective = "human", groups: range = range(30), n_factors: int = 5
) -> Comparisons:
    """Six pairs a group of a judge with its own noise; the manifestations are those of the group.

    The same groups of two judges have the same pairs.
    """
    manifestation = np.vstack(
        [np.random.default_rng(group).integers(-1, 2, (6, n_factors)) for group in groups]
    )
    taste = np.array([1.0, 0.5, 0.0, -0.7, -0.2])[:n_factors]
    utility = manifestation @ taste + np.random.default_rng([9, seed]).logistic(
        size=len(manifestation)
    )
    return Comparisons(
        np.sign(utility), manifestation, np.zeros(manifestation.shape, bool),
        np.repeat(np.array(groups), 6), FACTORS[:n_factors], perspective,
    )  # fmt: skip


def taus(comparisons: Comparisons) -> dict[str, float]:
    profile = profile_of(comparisons)
    return dict(zip(profile.factors, profile.tau.tolist(), strict=True))


def strictly(record: dict[str, Any]) -> dict[str, Any]:
    """The record as a strict reader of JSON gets it."""
    return json.loads(json.dumps(record, allow_nan=False))


def test_two_profiles_have_their_correlations_and_p_values() -> None:
    record = aligned_profiles(HUMAN, MODEL, permutations=99, seed=3)
    expected = align(HUMAN, MODEL, permutations=99, seed=3)
    assert strictly(record) == record
    for name in (*COEFFICIENTS, "n_factors", "p_value", "p_value_spearman", "p_value_pearson"):
        assert record[name] == getattr(expected, name)
    assert record["p_value_method"] == "exact"
    assert record["reason"] is None


def test_factors_of_one_profile_alone_are_named() -> None:
    record = aligned_profiles({**HUMAN, "b": 1, "a": 1}, {**MODEL, "c": math.nan}, permutations=99)
    assert (record["only_in_a"], record["only_in_b"]) == (["a", "b"], ["c"])
    assert record["n_factors"] == 4


def test_an_alignment_of_too_few_factors_is_null_with_a_reason() -> None:
    record = aligned_profiles(HUMAN, {"length": 0.1, "fluency": 0.3}, permutations=99)
    assert strictly(record) == record
    for name in (*COEFFICIENTS, "p_value", "p_value_spearman", "p_value_pearson"):
        assert record[name] is None
    assert record["reason"].startswith("factors defined in both profiles: 2")


def test_two_tables_have_the_alignment_of_their_profiles_with_symmetric_intervals() -> None:
    tables = [table(0), table(1, perspective="discrimination")]
    record = aligned_tables(*tables, permutations=199, replicates=300, seed=2)
    assert strictly(record) == record
    expected = align(taus(tables[0]), taus(tables[1]), permutations=199, seed=2)
    drawn = alignment_replicates(*bootstrap_taus(tables, replicates=300, seed=2))
    for name in COEFFICIENTS:
        value = getattr(expected, name)
        interval = Estimate.symmetric(value, getattr(drawn, name), 30)
        assert record[name] == value
        assert (record[f"{name}_ci_low"], record[f"{name}_ci_high"]) == (
            interval.low, interval.high,
        )  # fmt: skip
        assert record["interval"][name]["value"] == value
    assert record["p_value"] == expected.p_value
    assert (record["replicates"], record["seed"], record["n_factors"]) == (300, 2, 5)


def test_two_tables_have_reliabilities_ceilings_and_corrections() -> None:
    tables = [table(0), table(1, perspective="discrimination")]
    record = aligned_tables(*tables, permutations=99, replicates=100)
    halves = split_halves(tables)
    attainable = attainable_alignment(*halves)
    for name in COEFFICIENTS:
        for kind in ("ceiling", "corrected"):
            estimate = getattr(attainable, kind)[name]
            assert record[kind][name]["value"] == estimate.value
            assert record[kind][name]["ci_low"] == estimate.low
        assert [found[name]["value"] for found in record["reliability"]] == [
            reliability(half).full[name].value for half in halves
        ]
    assert record["corrected_is"] == "an estimate"
    assert record["errors"] == "shared"
    assert record["method"] == attainable.method


def test_ceiling_and_correction_stand_under_their_own_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def estimates(value: float) -> dict[Coefficient, Estimate]:
        return dict.fromkeys(COEFFICIENTS, Estimate(value, value - 0.1, value + 0.1, "jackknife"))

    attainable = AttainableAlignment(
        perspectives=("human", "generation"), observed=dict.fromkeys(COEFFICIENTS, 0.3),
        ceiling=estimates(0.9), corrected=estimates(0.4), clipped=(), n_factors=5, n_groups=30,
        n_splits=100, errors="shared", method="cross-half correction",
    )  # fmt: skip
    monkeypatch.setattr(records, "attainable_alignment", lambda *halves: attainable)
    tables = [table(0), table(1, perspective="generation")]
    record = aligned_tables(*tables, permutations=99, replicates=100)
    for name in COEFFICIENTS:
        for kind, numbers in (("ceiling", (0.9, 0.8, 1.0)), ("corrected", (0.4, 0.3, 0.5))):
            found = record[kind][name]
            assert (found["value"], found["ci_low"], found["ci_high"]) == pytest.approx(numbers)


def test_a_table_aligns_with_itself_without_uncertainty() -> None:
    record = aligned_tables(table(0), table(0), permutations=99, replicates=200)
    for name in COEFFICIENTS:
        assert record[name] == 1
        assert record[f"{name}_ci_low"] == pytest.approx(1)
        assert record[f"{name}_ci_high"] == 1
        assert record["corrected"][name]["value"] == pytest.approx(1)


def test_the_tables_may_change_places() -> None:
    tables = [table(0), table(1, groups=range(10, 40))]
    one, other = (
        aligned_tables(*order, permutations=99, replicates=200) for order in (tables, tables[::-1])
    )
    for name in (*COEFFICIENTS, *(f"{name}_ci_low" for name in COEFFICIENTS)):
        assert one[name] == pytest.approx(other[name])
    assert one["reliability"] == other["reliability"][::-1]


def test_sources_of_one_table_alone_are_counted() -> None:
    record = aligned_tables(
        table(0), table(1, groups=range(20, 60)), permutations=99, replicates=100
    )
    assert (record["n_groups"], record["n_shared_groups"]) == (60, 10)
    assert record["errors"] == "shared"


def test_tables_without_a_common_source_have_independent_errors() -> None:
    record = aligned_tables(
        table(0), table(1, groups=range(30, 60)), permutations=99, replicates=100
    )
    assert strictly(record) == record
    assert (record["n_groups"], record["n_shared_groups"]) == (60, 0)
    assert record["errors"] == "independent"
    assert record["method"].startswith("classical correction")


def test_few_sources_have_an_alignment_without_an_interval() -> None:
    record = aligned_tables(
        table(0), table(1, groups=range(7)), permutations=99, replicates=100
    )  # the smaller one decides
    assert strictly(record) == record
    assert record["tau_b"] is not None
    assert record["tau_b_ci_low"] is None
    assert record["interval"]["tau_b"]["reason"] == "groups: 7; an interval needs at least 8"


def test_too_few_factors_leave_everything_null_with_reasons() -> None:
    record = aligned_tables(
        table(0, n_factors=2), table(1, n_factors=2), permutations=99, replicates=100
    )
    assert strictly(record) == record
    assert record["reason"].startswith("factors defined in both profiles: 2")
    for name in COEFFICIENTS:
        for kind in ("interval", "ceiling", "corrected"):
            assert record[kind][name]["value"] is None
            assert record[kind][name]["reason"]
