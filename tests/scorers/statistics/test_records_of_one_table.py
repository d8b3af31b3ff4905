"""The record of one table of a study holds what the statistics say, as JSON has it."""

import json
from typing import Any

import numpy as np
import pytest

from profile_tasks.scorers.statistics.adjusted import adjusted_influence
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import Estimate, none_for_nan
from profile_tasks.scorers.statistics.influence import group_sums, profile_of
from profile_tasks.scorers.statistics.ranks import factor_ranks
from profile_tasks.scorers.statistics.records import influence_record as record_of
from profile_tasks.scorers.statistics.reliability import reliability, split_halves
from profile_tasks.scorers.statistics.resampling import bootstrap_taus
from profile_tasks.scorers.statistics.significance import influence_tests
from profile_tasks.scorers.statistics.study import Study

FACTORS = ("length", "fluency", "coherence", "markdown")


def table(seed: int = 0, *, groups: int = 30, missing: float = 0.1) -> Comparisons:
    """Six pairs a group, some of them ties, some manifestations missing."""
    rng = np.random.default_rng(seed)
    n = 6 * groups
    absent = rng.random((n, len(FACTORS))) < missing
    manifestation = np.where(absent, 0, rng.integers(-1, 2, absent.shape))
    utility = manifestation @ [1.0, 0.5, 0.0, -0.7] + rng.logistic(size=n)
    preference = np.where(np.abs(utility) < 0.3, 0, np.sign(utility))
    return Comparisons(
        preference, manifestation, absent, np.repeat(np.arange(groups), 6), FACTORS, "human"
    )


def influence_record(human: Comparisons, **options: Any) -> dict[str, Any]:
    return record_of(Study({"human": human}, **options), "human")


def strictly(record: dict[str, Any]) -> dict[str, Any]:
    """The record as a strict reader of JSON gets it."""
    return json.loads(json.dumps(record, allow_nan=False))


def column(record: dict[str, Any], name: str) -> list[Any]:
    return [found[name] for found in record["factors"].values()]


def test_a_record_is_strict_json() -> None:
    record = influence_record(table(), replicates=200)
    assert strictly(record) == record


def test_counts_and_influence_are_those_of_the_profile() -> None:
    record, profile = influence_record(table(), replicates=200), profile_of(table())
    assert tuple(record["factors"]) == FACTORS
    for name in ("tau", "concordant", "discordant", "tied", "missing", "groups"):
        assert column(record, name) == getattr(profile, name).tolist()
    assert column(record, "n") == (profile.n_pairs - profile.missing).tolist()
    assert (record["n_pairs"], record["n_groups"]) == (profile.n_pairs, 30)
    assert record["n_preference_ties"] == profile.n_preference_ties > 0
    assert record["perspective"] == "human"


def test_intervals_p_values_and_ranks_are_those_of_the_statistics() -> None:
    record = influence_record(table(), replicates=300, seed=4)
    profile = profile_of(table())
    (taus,) = bootstrap_taus([table()], replicates=300, seed=4)
    sums = zip(profile.tau, *(side.T for side in group_sums(table(), 30)), strict=True)
    intervals = [Estimate.share(*of_one, least=-1) for of_one in sums]
    assert column(record, "ci_low") == [interval.low for interval in intervals]
    assert column(record, "ci_high") == [interval.high for interval in intervals]
    tests = influence_tests(table())
    assert column(record, "p_value") == tests.p_value.tolist()
    assert column(record, "p_adjusted") == tests.p_holm.tolist()
    assert column(record, "p_adjusted_bh") == tests.p_bh.tolist()
    assert (record["p_family"], record["p_adjustment"]) == (tests.family, "holm")
    ranks = factor_ranks(FACTORS, profile.tau, taus, n_groups=profile.groups)
    assert column(record, "rank") == [rank.value for rank in ranks.estimates]
    assert column(record, "rank_low") == [rank.low for rank in ranks.estimates]
    assert column(record, "rank_high") == [rank.high for rank in ranks.estimates]
    assert (record["replicates"], record["seed"]) == (300, 4)


def test_adjusted_influence_and_reliability_are_those_of_the_statistics() -> None:
    record = influence_record(table(), replicates=200)
    adjusted = adjusted_influence(table())
    assert column(record, "adjusted") == adjusted.coefficient.tolist()
    assert column(record, "adjusted_ci_low") == adjusted.low.tolist()
    assert column(record, "adjusted_ci_high") == adjusted.high.tolist()
    assert column(record, "adjusted_p_value") == adjusted.p_value.tolist()
    assert column(record, "vif") == adjusted.vif.tolist()
    assert record["adjusted_n_pairs"] == adjusted.n_pairs < record["n_pairs"]
    found = reliability(split_halves([table()])[0])
    for name, estimate in found.full.items():
        assert record["reliability"][name]["value"] == estimate.value
        assert record["reliability"][name]["ci_low"] == estimate.low
    assert record["reliability"]["n_groups"] == 30
    assert record["reliability"]["method"] == found.method


def test_halves_and_resamples_are_shared_with_the_other_tables_of_the_study() -> None:
    both = {"human": table(0), "generation": table(1, groups=40)}
    taus = bootstrap_taus(list(both.values()), replicates=150)[0]
    halves = split_halves(list(both.values()))[0]
    study = Study(both, replicates=150)
    record = record_of(study, "human")
    assert record["replicates"] == 150
    np.testing.assert_array_equal(study.influence("human")["length"].drawn, taus[:, 0])
    assert record["reliability"]["pearson"]["value"] == reliability(halves).full["pearson"].value
    alone = influence_record(both["human"], replicates=150)
    assert alone["reliability"] != record["reliability"]
    # What other tables hold says nothing of the interval of an influence.
    assert column(alone, "ci_low") == column(record, "ci_low")


def test_the_seed_decides_the_record() -> None:
    first, again, other = (influence_record(table(), replicates=200, seed=s) for s in (1, 1, 2))
    assert first == again
    assert first["reliability"] != other["reliability"]
    assert column(first, "ci_low") == column(other, "ci_low")


def test_what_is_not_defined_is_null_with_a_reason() -> None:
    whole = table()
    gone = whole.missing.copy()
    gone[:, 1] = True
    record = influence_record(
        Comparisons(
            whole.preference, np.where(gone, 0, whole.manifestation), gone, whole.group, FACTORS,
            "human",
        ),
        replicates=200,
    )  # fmt: skip
    assert strictly(record) == record
    found = record["factors"]["fluency"]
    for name in ("tau", "ci_low", "p_value", "p_adjusted_bh", "adjusted", "rank", "vif"):
        assert found[name] is None
    assert found["n"] == 0
    assert found["reason"] == (
        f"the factor is missing in all {record['n_pairs']} pairs with a preference"
    )
    assert found["adjusted_reason"] == found["reason"]
    assert record["p_family"] == "influence on the human preference: 3 factors"
    assert column(record, "rank") == [1, None, 2, 3]


def test_factors_that_cannot_be_told_apart_have_no_infinite_inflation() -> None:
    whole = table(missing=0)
    twice = np.column_stack([whole.manifestation, whole.manifestation[:, 0]])
    record = influence_record(
        Comparisons(
            whole.preference, twice, np.zeros(twice.shape, bool), whole.group,
            (*FACTORS, "words"), "human",
        ),
        replicates=200,
    )  # fmt: skip
    assert strictly(record) == record
    for name in ("length", "words"):
        assert record["factors"][name]["vif"] is None
        assert "collinear: length, words" in record["factors"][name]["adjusted_reason"]
        assert record["factors"][name]["rank"] == 1.5


def test_few_groups_have_influences_without_intervals() -> None:
    record = influence_record(table(groups=7), replicates=200)
    assert strictly(record) == record
    assert column(record, "tau") == [none_for_nan(t) for t in profile_of(table(groups=7)).tau]
    for name in ("ci_low", "ci_high", "rank_low", "rank_high"):
        assert column(record, name) == [None] * 4
    assert set(column(record, "reason")) == {"groups: 7; an interval needs at least 8"}
    assert record["reliability"]["pearson"]["ci_low"] is None


def test_no_replicates_are_refused() -> None:
    with pytest.raises(ValueError, match="replicates is 0"):
        influence_record(table(), replicates=0)
