"""The record of an alignment holds what the statistics say, as JSON has it."""

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from profile_tasks.scorers.statistics.alignment import COEFFICIENTS, align
from profile_tasks.scorers.statistics.comparisons import Comparisons, Perspective
from profile_tasks.scorers.statistics.influence import profile_of
from profile_tasks.scorers.statistics.records import aligned_profiles, aligned_tables
from profile_tasks.scorers.statistics.reliability import reliability, split_halves
from profile_tasks.scorers.statistics.true_alignment import true_alignment

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


def test_two_profiles_have_their_correlations_and_nothing_of_the_true_ones() -> None:
    record = aligned_profiles(HUMAN, MODEL)
    expected = align(HUMAN, MODEL)
    assert strictly(record) == record
    for name in (*COEFFICIENTS, "n_factors"):
        assert record[name] == getattr(expected, name)
    assert (record["p_value"], record["reason"]) == (None, None)
    assert "tau_b_ci_low" not in record


def test_factors_of_one_profile_alone_are_named() -> None:
    record = aligned_profiles({**HUMAN, "b": 1, "a": 1}, {**MODEL, "c": math.nan})
    assert (record["only_in_a"], record["only_in_b"]) == (["a", "b"], ["c"])
    assert record["n_factors"] == 4


def test_an_alignment_of_too_few_factors_is_null_with_a_reason() -> None:
    record = aligned_profiles(HUMAN, {"length": 0.1, "fluency": 0.3})
    assert strictly(record) == record
    for name in (*COEFFICIENTS, "p_value"):
        assert record[name] is None
    assert record["reason"].startswith("factors defined in both profiles: 2")


def test_two_tables_have_what_is_observed_and_what_is_known_of_the_true_alignment() -> None:
    tables = [table(0), table(1, perspective="discrimination")]
    record = aligned_tables(*tables, replicates=300, seed=2)
    assert strictly(record) == record
    observed = align(taus(tables[0]), taus(tables[1]))
    expected = true_alignment(*tables, draws=300, seed=2)
    for name in COEFFICIENTS:
        found = expected.coefficients[name]
        assert record[name] == getattr(observed, name)
        ends = (record[f"{name}_ci_low"], record[f"{name}_ci_high"])
        assert ends == (found.low, found.high)
        assert record["interval"][name]["value"] == record[name]
        without = record["disattenuated"][name]
        assert without["value"] == found.disattenuated
        assert (without["ci_low"], without["ci_high"]) == ends
        assert found.low < without["value"] <= found.high
    assert record["p_value"] == expected.unrelated
    assert record["p_value_method"] == "share of unrelated tastes that come as close (one-sided)"
    assert record["distance"]["value"] == expected.distance.value
    assert (record["refusal"], record["reason"]) == (None, None)
    assert (record["replicates"], record["seed"], record["n_factors"]) == (300, 2, 5)


def test_one_taste_is_at_1_without_the_noise_where_less_is_observed() -> None:
    record = aligned_tables(table(0), table(1, groups=range(30, 60)), replicates=500)
    assert record["pearson"] < record["disattenuated"]["pearson"]["value"]
    assert record["pearson_ci_high"] == pytest.approx(1, abs=0.01)


def test_two_tables_have_the_reliability_of_each() -> None:
    tables = [table(0), table(1, perspective="discrimination")]
    record = aligned_tables(*tables, replicates=100)
    for name in COEFFICIENTS:
        assert [found[name]["value"] for found in record["reliability"]] == [
            reliability(half).full[name].value for half in split_halves(tables)
        ]


def test_a_table_aligns_with_itself_and_does_not_tell_how_far_others_would() -> None:
    record = aligned_tables(table(0), table(0), replicates=200)
    assert strictly(record) == record
    for name in COEFFICIENTS:
        assert record[name] == record["disattenuated"][name]["value"] == 1
        assert record[f"{name}_ci_low"] is None
    assert record["refusal"].startswith("all verdicts are the same")
    assert record["p_value"] is None


def test_a_judge_without_any_taste_is_refused_in_words_and_keeps_what_was_observed() -> None:
    first = table(0)
    coins = np.random.default_rng(3).choice([-1, 1], len(first.preference))
    second = Comparisons(
        coins, first.manifestation, first.missing, first.group, FACTORS, "discrimination"
    )
    record = aligned_tables(first, second, replicates=300)
    assert strictly(record) == record
    assert record["refusal"].startswith(
        "not estimable: the discrimination profile is not told from noise alone; r within ["
    )
    for name in COEFFICIENTS:
        assert record["disattenuated"][name]["value"] is None
        assert record["disattenuated"][name]["reason"] == record["refusal"]
        assert record[f"{name}_ci_low"] < record[name] < record[f"{name}_ci_high"]
    assert record["reason"] is None  # the observed alignment is there


def test_the_tables_may_change_places() -> None:
    second = table(1, groups=range(10, 40))
    # Another taste: as the first judge's, with the first three factors in one another's place.
    moved = replace(second, manifestation=second.manifestation[:, [2, 0, 1, 3, 4]])
    tables = [table(0), moved]
    one, other = (aligned_tables(*order, replicates=2000) for order in (tables, tables[::-1]))
    for name in COEFFICIENTS:
        assert one[name] == pytest.approx(other[name])
        # The draws are others.
        for end in ("ci_low", "ci_high"):
            assert one[f"{name}_{end}"] == pytest.approx(other[f"{name}_{end}"], abs=0.1)
    assert one["distance"]["value"] == pytest.approx(other["distance"]["value"], abs=0.02)
    assert one["reliability"] == other["reliability"][::-1]


def test_sources_of_one_table_alone_are_counted() -> None:
    record = aligned_tables(table(0), table(1, groups=range(20, 60)), replicates=100)
    assert (record["n_groups"], record["n_shared_groups"]) == (60, 10)


def test_tables_without_a_common_source_are_aligned_too() -> None:
    record = aligned_tables(table(0), table(1, groups=range(30, 60)), replicates=100)
    assert strictly(record) == record
    assert (record["n_groups"], record["n_shared_groups"]) == (60, 0)
    assert record["pearson_ci_low"] < record["disattenuated"]["pearson"]["value"]


def test_of_few_sources_no_alignment_is_defined() -> None:
    record = aligned_tables(table(0, groups=range(7)), table(1, groups=range(7)), replicates=100)
    assert strictly(record) == record
    assert record["tau_b"] is record["tau_b_ci_low"] is None
    refusal = "groups with decided pairs: 7; an alignment needs at least 8"
    assert record["interval"]["tau_b"]["reason"] == record["refusal"] == refusal


def test_too_few_factors_leave_everything_null_with_reasons() -> None:
    record = aligned_tables(table(0, n_factors=2), table(1, n_factors=2), replicates=100)
    assert strictly(record) == record
    assert record["reason"].startswith("factors defined in both profiles: 2")
    for name in COEFFICIENTS:
        for kind in ("interval", "disattenuated"):
            assert record[kind][name]["value"] is None
            assert record[kind][name]["reason"]
