"""Tables that hold next to nothing: every statistic is defined, or says why it is not."""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from profile_tasks.scorers.statistics.adjusted import adjusted_influence
from profile_tasks.scorers.statistics.annotators import (
    Votes,
    annotator_agreement,
    annotator_alignment,
)
from profile_tasks.scorers.statistics.comparisons import Comparisons, Perspective
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.influence import profile_of
from profile_tasks.scorers.statistics.power import StudyDesign, power_curves
from profile_tasks.scorers.statistics.ranks import factor_ranks
from profile_tasks.scorers.statistics.records import (
    Record,
    aligned_tables,
    compared_record,
    difference_record,
    flat_record,
    influence_record,
    side,
    study_record,
)
from profile_tasks.scorers.statistics.reliability import reliability, split_halves
from profile_tasks.scorers.statistics.resampling import bootstrap_taus
from profile_tasks.scorers.statistics.significance import (
    FactorTests,
    difference_tests,
    influence_tests,
)
from profile_tasks.scorers.statistics.source_population import pilot_population
from profile_tasks.scorers.statistics.study import AGREEMENT, Study
from profile_tasks.scorers.statistics.true_alignment import true_alignment

FACTORS = ("length", "novel_words", "fluency", "coherence")
REPLICATES = 100


def ordinary(groups: int = 20, pairs: int = 4, n_factors: int = 4) -> Comparisons:
    rng = np.random.default_rng(0)
    manifestation = rng.integers(-1, 2, (groups * pairs, n_factors))
    utility = manifestation @ np.array([1.0, 0.5, 0.0, -0.7])[:n_factors]
    return Comparisons(
        np.sign(utility + rng.logistic(size=len(manifestation))), manifestation,
        np.zeros(manifestation.shape, bool), np.repeat(np.arange(groups), pairs),
        FACTORS[:n_factors], "human",
    )  # fmt: skip


def empty() -> Comparisons:
    return Comparisons([], np.empty((0, 4)), np.empty((0, 4), bool), [], FACTORS, "human")


def constant_factor() -> Comparisons:
    whole = ordinary()
    manifestation = whole.manifestation.copy()
    manifestation[:, 1] = 0
    return replace(whole, manifestation=manifestation)


def one_factor_missing() -> Comparisons:
    whole = constant_factor()
    missing = whole.missing.copy()
    missing[:, 1] = True
    return replace(whole, missing=missing)


def all_missing() -> Comparisons:
    whole = ordinary()
    return replace(
        whole,
        manifestation=np.zeros_like(whole.manifestation),
        missing=np.ones_like(whole.missing),
    )


def known_in_one_pair_each() -> Comparisons:
    """No pair has two factors known, and no factor is known in two pairs."""
    whole = ordinary()
    missing = np.ones_like(whole.missing)
    missing[np.arange(4), np.arange(4)] = False
    return replace(whole, manifestation=(~missing).astype(np.int8), missing=missing)


def duplicated_rows() -> Comparisons:
    """One pair, over and over, in every group."""
    return Comparisons(
        np.ones(80), np.tile([1, 0, -1, 1], (80, 1)), np.zeros((80, 4), bool),
        np.repeat(np.arange(20), 4), FACTORS, "human",
    )  # fmt: skip


def duplicated_factors() -> Comparisons:
    whole = ordinary()
    return replace(whole, manifestation=whole.manifestation[:, [0, 0, 2, 2]])


def one_group_holds_nearly_all() -> Comparisons:
    group = np.zeros(1000, int)
    group[:10] = np.arange(1, 11)
    return replace(ordinary(1, 1000), group=group)


def one_group_of_many_decides() -> Comparisons:
    """All groups but one tie on every factor."""
    whole = ordinary()
    return replace(whole, manifestation=np.where(whole.group[:, None] == 3, whole.manifestation, 0))


TABLES: dict[str, Callable[[], Comparisons]] = {
    "no rows": empty,
    "one pair": lambda: ordinary(1, 1),
    "one source": lambda: ordinary(1, 12),
    "two sources": lambda: ordinary(2, 6),
    "one pair a source": lambda: ordinary(20, 1),
    "all preference ties": lambda: replace(ordinary(), preference=np.zeros(80, np.int8)),
    "one decided pair": lambda: replace(ordinary(), preference=np.eye(1, 80, dtype=np.int8)[0]),
    "a constant factor": constant_factor,
    "all factors constant": lambda: replace(ordinary(), manifestation=np.zeros((80, 4), np.int8)),
    "a factor missing": one_factor_missing,
    "all missing": all_missing,
    "known in one pair each": known_in_one_pair_each,
    "two factors": lambda: ordinary(n_factors=2),
    "one factor": lambda: ordinary(n_factors=1),
    "duplicate rows": duplicated_rows,
    "duplicate factors": duplicated_factors,
    "one group with 99 % of the pairs": one_group_holds_nearly_all,
    "one group decides": one_group_of_many_decides,
    "separated": lambda: replace(
        ordinary(), preference=np.where(ordinary().manifestation[:, 0] >= 0, 1, -1)
    ),
}


@pytest.fixture(params=TABLES)
def table(request: pytest.FixtureRequest) -> Comparisons:
    return TABLES[request.param]()


def judged_by(table: Comparisons, perspective: Perspective) -> Comparisons:
    return replace(table, perspective=perspective)


def by_a_model(table: Comparisons) -> list[Comparisons]:
    """The same preferences as of people, of a judge, of a writer, and of a judge of its own."""
    names = ("human", "discrimination", "generation", "own")
    return [judged_by(table, cast("Perspective", name)) for name in names]


def turned_round(table: Comparisons) -> Comparisons:
    return replace(table, preference=-table.preference)


def votes_of(table: Comparisons, n: int) -> Votes:
    """So many votes on each pair, the last of them the opposite one."""
    vote = np.repeat(table.preference[:, None], n, axis=1)
    vote[:, n - 1 :] *= -1
    return Votes(vote, np.zeros(vote.shape, bool), table.group)


VALUES = ("value", "tau", "tau_b")


def check(record: dict[str, Any]) -> None:
    """Strict JSON, in which what is not defined has a reason beside it, and bounds are in order."""
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    for part in _parts(record):
        if "reason" in part:
            for name in set(VALUES) & part.keys():
                assert (part[name] is None) <= bool(part["reason"])
                low, high = part.get("ci_low"), part.get("ci_high")
                if "ci_low" in part and low is None:
                    assert part["reason"]
                if part[name] is None and not refused(part["reason"]):
                    assert (low, high) == (None, None)
                elif low is not None:
                    assert low <= high
            assert part["reason"] is None or part["reason"].strip()


def _parts(record: Any) -> Iterator[dict[str, Any]]:
    if isinstance(record, dict):
        yield record
        for value in record.values():
            yield from _parts(value)
    elif isinstance(record, list):
        for value in record:
            yield from _parts(value)


def check_estimate(estimate: Estimate) -> None:
    assert math.isnan(estimate.value) <= bool(estimate.reason)
    assert math.isnan(estimate.low) <= bool(estimate.reason)
    assert math.isnan(estimate.value) <= math.isnan(estimate.low) or refused(estimate.reason)
    check(estimate.record())


def refused(reason: str | None) -> bool:
    """Whether an alignment is refused, of which the ends alone are known."""
    return bool(reason) and reason.startswith("not estimable")


def check_tests(tests: FactorTests) -> None:
    undefined = np.isnan(tests.value)
    for p_values in (tests.p_value, tests.p_holm, tests.p_bh):
        np.testing.assert_array_equal(np.isnan(p_values), undefined)
        assert ((p_values > 0) & (p_values <= 1))[~undefined].all()
    assert [bool(reason) for reason in tests.reasons] == undefined.tolist()
    assert tests.family.endswith(f": {np.count_nonzero(~undefined)} factors")


def study_of(tables: Sequence[Comparisons], **shares: Comparisons) -> Study:
    votes = votes_of(tables[0], 2)
    return Study({t.perspective: t for t in tables}, shares, votes, replicates=REPLICATES)


def test_influence_record(table: Comparisons) -> None:
    record = influence_record(study_of([table]), "human")
    check(record)
    tau = profile_of(table).tau
    for i, found in enumerate(record["factors"].values()):
        assert (found["tau"] is None) == np.isnan(tau[i])
        assert (found["rank"] is None) == (found["p_value"] is None) == (found["tau"] is None)
        assert (found["adjusted"] is None) == bool(found["adjusted_reason"])
        assert (found["adjusted"] is None) == (found["adjusted_ci_low"] is None)
        if found["tau"] is not None:
            assert found["concordant"] + found["discordant"] + found["tied"] == found["n"] > 0


def test_influence_tests(table: Comparisons) -> None:
    tests = influence_tests(table)
    check_tests(tests)
    np.testing.assert_array_equal(tests.value, profile_of(table).tau)


def test_factor_ranks(table: Comparisons) -> None:
    profile = profile_of(table)
    (taus,) = bootstrap_taus([table], replicates=REPLICATES)
    ranks = factor_ranks(table.factors, profile.tau, taus, n_groups=profile.groups)
    for rank, tau in zip(ranks.estimates, profile.tau, strict=True):
        assert math.isnan(rank.value) == math.isnan(tau)
        assert math.isnan(rank.low) == math.isnan(rank.high) == bool(rank.reason)
        assert math.isnan(rank.low) or 1 <= rank.low <= rank.value <= rank.high


def test_adjusted_influence(table: Comparisons) -> None:
    adjusted = adjusted_influence(table)
    undefined = [bool(reason) for reason in adjusted.reasons]
    for name in ("coefficient", "low", "high", "p_value"):
        assert np.isnan(getattr(adjusted, name)).tolist() == undefined
    assert adjusted.n_pairs <= np.count_nonzero(table.preference)


def test_reliability(table: Comparisons) -> None:
    for half in split_halves(by_a_model(table)):
        found = reliability(half)
        for estimate in found.full.values():
            check_estimate(estimate)


def test_true_alignment(table: Comparisons) -> None:
    for other in (table, turned_round(table), ordinary(n_factors=len(table.factors))):
        found = true_alignment(table, judged_by(other, "discrimination"), draws=REPLICATES)
        for estimate in found.coefficients.values():
            check_estimate(estimate)
            check_estimate(estimate.without_noise())
            assert math.isnan(estimate.value) <= math.isnan(estimate.disattenuated)
            assert (estimate.reason is None) == estimate.has_interval or found.refusal is not None
        check_estimate(found.distance)
        assert math.isnan(found.unrelated) or 0 < found.unrelated <= 1


def test_aligned_tables(table: Comparisons) -> None:
    for other in (table, turned_round(table)):
        record = aligned_tables(table, judged_by(other, "discrimination"), replicates=REPLICATES)
        check(record)
        assert (record["tau_b"] is None) == bool(record["reason"])
        assert (record["p_value"] is None) <= bool(record["refusal"])


def test_an_ordinary_table_beside_it(table: Comparisons) -> None:
    beside = ordinary(n_factors=len(table.factors))
    check(aligned_tables(table, beside, replicates=REPLICATES))
    check_tests(difference_tests(table, beside))


def test_study(table: Comparisons) -> None:
    study = study_of(by_a_model(table))
    for estimate in study.estimates.values():
        check_estimate(estimate)


def test_study_record(table: Comparisons) -> None:
    shown = (table.preference[:, None] == [1, 0]).astype(np.int8)
    agreement = Comparisons(
        np.ones(len(shown)), shown, np.zeros(shown.shape, bool), table.group,
        ("discrimination_accuracy", "flip_rate"), "discrimination",
    )  # fmt: skip
    study = study_of(by_a_model(table), **{AGREEMENT: agreement})
    record = study_record(study)
    check(record)
    flat = flat_record(record)
    assert all(isinstance(value, float) for value in flat.values())
    assert not any(math.isinf(value) for value in flat.values())
    undefined = {name for name, e in study.estimates.items() if math.isnan(e.low)}
    assert set(record["reasons"]) == undefined
    # The copies differ in nothing.
    for differences in record["difference_to_human"].values():
        for found in differences["factors"].values():
            assert found["value"] in {0, None}
            assert found["p_value"] in {1, None}


def compared(first: Sequence[Comparisons], second: Sequence[Comparisons]) -> Record:
    both = zip("AB", (first, second), strict=True)
    tables = {side(run, table.perspective): table for run, own in both for table in own}
    return compared_record(Study(tables, replicates=REPLICATES))


def test_compared_record(table: Comparisons) -> None:
    first = by_a_model(table)
    human, judge, writer, own = first
    for second in (first, [human, turned_round(judge), turned_round(writer), own]):
        record = compared(first, second)
        check(record)
        for part in record["perspectives"].values():
            for found in part["factors"].values():
                assert (found["value"] is None) == (found["a"] is None)
    for found in compared(first, first)["alignments"].values():
        assert found["value"] in {0, None}
        assert (found["value"] is None) == (found["a"] is None)


def test_difference_record(table: Comparisons) -> None:
    study = Study({"one": table, "other": turned_round(table)}, replicates=REPLICATES)
    check(difference_record(study, "one", "other"))


def test_difference_tests(table: Comparisons) -> None:
    check_tests(difference_tests(table, turned_round(table)))
    same = difference_tests(table, judged_by(table, "discrimination"))
    check_tests(same)
    assert (same.p_value[~np.isnan(same.value)] == 1).all()


@pytest.mark.parametrize("n_votes", [1, 2, 3])
def test_annotators(table: Comparisons, n_votes: int) -> None:
    votes = votes_of(table, n_votes)
    agreement = annotator_agreement(votes, replicates=REPLICATES)
    for estimate in (agreement.agreement, agreement.kappa, agreement.kappa_either_order):
        check_estimate(estimate)
    panels = annotator_alignment(table, votes)
    for estimate in (*panels.half.values(), *panels.full.values()):
        check_estimate(estimate)
    assert agreement.n_pairs == panels.n_pairs == (len(table.preference) if n_votes > 1 else 0)


def test_pilot_population(table: Comparisons) -> None:
    population = pilot_population(table, judged_by(turned_round(table), "discrimination"))
    design = StudyDesign(width=0.1, simulations=100, difference=0.1, sources=(20,), most=100)
    for tau, reason in zip(population.taus[0], population.reasons, strict=True):
        assert math.isnan(tau) <= bool(reason)
    if all(population.reasons):
        with pytest.raises(ValueError, match="no factor can be planned for: length: "):
            power_curves(population, design)
        return
    for curve in power_curves(population, design):
        assert len(curve.needed) == len(table.factors)


def test_what_is_not_known_is_never_zero() -> None:
    for name in ("no rows", "all preference ties", "all missing"):
        table = TABLES[name]()
        record = influence_record(Study({"human": table}, replicates=REPLICATES), "human")
        for found in record["factors"].values():
            for number in ("tau", "ci_low", "p_value", "rank", "adjusted", "vif"):
                assert found[number] is None
        flat = flat_record(study_record(Study({t.perspective: t for t in by_a_model(table)})))
        assert all(math.isnan(value) for value in flat.values())
