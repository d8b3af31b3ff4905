"""Metrics have the documented names, values that can be recomputed, and shared resamples."""

import math

import numpy as np
import pytest
from scipy.stats import kendalltau

from profile_tasks.scorers.statistics.comparisons import Comparisons, Perspective
from profile_tasks.scorers.statistics.influence import factor_profile
from profile_tasks.scorers.statistics.study import profile_metrics

FACTORS = ("f1", "f2", "f3", "f4", "f5")


def table(perspective: Perspective, seed: int, groups: int = 30) -> Comparisons:
    rng = np.random.default_rng(seed)
    n = 6 * groups
    manifestation = rng.integers(-1, 2, size=(n, len(FACTORS)), dtype=np.int8)
    utility = manifestation @ np.linspace(-1, 1, len(FACTORS)) + rng.logistic(size=n)
    return Comparisons(
        preference=np.sign(utility).astype(np.int8),
        manifestation=manifestation,
        missing=np.zeros(manifestation.shape, bool),
        group=np.repeat(np.arange(groups, dtype=np.int32), 6),
        factors=FACTORS,
        perspective=perspective,
    )


TABLES = [table("human", 1), table("discrimination", 2), table("generation", 3)]


def test_the_headline_comes_first_and_every_metric_has_its_interval() -> None:
    values = profile_metrics(TABLES, replicates=200).values()
    names = list(values)
    assert names[:7] == [
        "alignment_discrimination_tau_b",
        "alignment_discrimination_tau_b_ci_low",
        "alignment_discrimination_tau_b_ci_high",
        "alignment_generation_tau_b",
        "alignment_generation_tau_b_ci_low",
        "alignment_generation_tau_b_ci_high",
        "alignment_gap_tau_b",
    ]
    expected = {
        *(f"tau_{p}_{f}" for p in ("human", "discrimination", "generation") for f in FACTORS),
        *(
            f"alignment_{p}_{c}"
            for p in ("discrimination", "generation")
            for c in ("tau_b", "spearman", "pearson")
        ),
        "alignment_gap_tau_b",
    }
    assert set(names) == {
        f"{name}{end}" for name in expected for end in ("", "_ci_low", "_ci_high")
    }


def test_values_are_the_influence_and_its_correlation() -> None:
    values = profile_metrics(TABLES, replicates=200).values()
    human, judge, writer = (factor_profile(t).tau for t in TABLES)
    assert values["tau_human_f5"] == human[4]
    assert values["alignment_discrimination_tau_b"] == pytest.approx(
        kendalltau(human, judge).statistic
    )
    assert values["alignment_gap_tau_b"] == pytest.approx(
        kendalltau(human, judge).statistic - kendalltau(human, writer).statistic
    )


def test_a_judge_that_is_the_human_has_alignment_one_without_uncertainty() -> None:
    human = table("human", 1)
    judge = Comparisons(
        human.preference, human.manifestation, human.missing, human.group, FACTORS,
        "discrimination",
    )  # fmt: skip
    values = profile_metrics([human, judge], replicates=200).values()
    assert values["alignment_discrimination_pearson"] == pytest.approx(1)
    assert values["alignment_discrimination_pearson_ci_low"] == pytest.approx(1)


def test_the_seed_decides() -> None:
    first, again, other = (
        profile_metrics(TABLES, replicates=200, seed=seed).values() for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_what_is_not_defined_is_nan_with_a_reason() -> None:
    few = [
        Comparisons(
            t.preference, t.manifestation[:, :2], t.missing[:, :2], t.group, FACTORS[:2],
            t.perspective,
        )
        for t in TABLES
    ]  # fmt: skip
    metrics = profile_metrics(few, replicates=200)
    for name in ("alignment_discrimination_tau_b", "alignment_gap_tau_b"):
        assert math.isnan(metrics.estimates[name].value)
        assert metrics.estimates[name].reason
        assert math.isnan(metrics.estimates[name].interval.low)
        assert math.isnan(metrics.estimates[name].interval.high)


def test_few_sources_have_no_interval() -> None:
    few = [table("human", 1, groups=7), table("discrimination", 2, groups=7)]
    metrics = profile_metrics(few, replicates=200)
    interval = metrics.estimates["tau_human_f1"].interval
    assert math.isnan(interval.low)
    assert metrics.reasons()["tau_human_f1"] == ("groups: 7; an interval needs at least 8")
    assert not math.isnan(metrics.estimates["tau_human_f1"].value)


def test_the_gap_compares_alignments_over_the_same_factors() -> None:
    human, judge, writer = TABLES
    gone = np.zeros(writer.missing.shape, bool)
    gone[:, 0] = True
    partial = Comparisons(
        writer.preference, np.where(gone, 0, writer.manifestation), gone, writer.group, FACTORS,
        "generation",
    )  # fmt: skip
    values = profile_metrics([human, judge, partial], replicates=200).values()
    taus = [factor_profile(t).tau[1:] for t in (human, judge, writer)]
    assert values["alignment_gap_tau_b"] == pytest.approx(
        kendalltau(taus[0], taus[1]).statistic - kendalltau(taus[0], taus[2]).statistic
    )
    assert values["alignment_discrimination_tau_b"] == pytest.approx(
        kendalltau(factor_profile(human).tau, factor_profile(judge).tau).statistic
    )
    assert math.isfinite(values["alignment_gap_tau_b_ci_low"])
