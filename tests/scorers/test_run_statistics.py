"""What a finished run's log holds: the same numbers as the metrics, with tests beside them."""

import json
import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from profile_tasks.scorers.alignment import COEFFICIENTS, align
from profile_tasks.scorers.annotators import Votes, annotator_agreement, annotator_alignment
from profile_tasks.scorers.attenuation import attainable_alignment
from profile_tasks.scorers.comparisons import Comparisons, Perspective
from profile_tasks.scorers.influence_record import influence_record
from profile_tasks.scorers.profile_metrics import ProfileMetrics, by_factor, profile_metrics
from profile_tasks.scorers.reliability import split_halves
from profile_tasks.scorers.run_statistics import RunStatistics, annotators_record, run_statistics
from profile_tasks.scorers.significance import difference_tests
from profile_tasks.scorers.uncertainty import bootstrap_taus, percentile_interval

FACTORS = ("length", "novel_words", "fluency", "markdown")
SEED = 3


def table(perspective: Perspective, seed: int, *, groups: int = 30) -> Comparisons:
    rng = np.random.default_rng(seed)
    manifestation = rng.integers(-1, 2, (6 * groups, len(FACTORS)))
    utility = manifestation @ [1.0, -0.5, 0.3, 0.0] + rng.logistic(size=len(manifestation))
    return Comparisons(
        np.sign(utility), manifestation, np.zeros(manifestation.shape, bool),
        np.repeat(np.arange(groups), 6), FACTORS, perspective,
    )  # fmt: skip


HUMAN = table("human", 1)
TABLES = [HUMAN, table("discrimination", 2), table("generation", 3, groups=25)]


def votes_of(human: Comparisons) -> Votes:
    """Three votes on each pair: two for the preference, one drawn."""
    other = np.random.default_rng(0).integers(-1, 2, human.preference.size)
    vote = np.column_stack([human.preference, human.preference, other])
    return Votes(vote, np.zeros(vote.shape, bool), human.group)


def agreement(seed: int = 4) -> Comparisons:
    rng = np.random.default_rng(seed)
    shown = (rng.random((120, 2)) < [0.7, 0.2]).astype(int)
    return Comparisons(
        np.ones(120), shown, np.zeros((120, 2), bool), np.repeat(np.arange(30), 4),
        ("discrimination_accuracy", "flip_rate"), "discrimination",
    )  # fmt: skip


def metrics_of(tables: Sequence[Comparisons]) -> ProfileMetrics:
    return profile_metrics(tables, replicates=200, seed=SEED)


@pytest.fixture(scope="module")
def profiled() -> ProfileMetrics:
    return metrics_of(TABLES)


@pytest.fixture(scope="module")
def statistics(profiled: ProfileMetrics) -> RunStatistics:
    return run_statistics(TABLES, profiled, votes_of(HUMAN), agreement())


def test_the_record_is_strict_json(statistics: RunStatistics) -> None:
    record = statistics.record()
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert set(record) == {
        "human", "discrimination", "generation", "difference_to_human", "alignment_to_human",
        "annotators", "agreement",
    }  # fmt: skip


def test_intervals_of_influences_are_those_of_the_metrics(
    statistics: RunStatistics, profiled: ProfileMetrics
) -> None:
    metrics = profiled.values()
    for perspective, record in statistics.influence.items():
        for factor, found in record["factors"].items():
            name = f"tau_{perspective}_{factor}"
            assert (found["tau"], found["ci_low"], found["ci_high"]) == (
                metrics[name], metrics[f"{name}_ci_low"], metrics[f"{name}_ci_high"],
            )  # fmt: skip
        assert (record["replicates"], record["seed"]) == (200, SEED)


def test_influence_records_are_those_of_the_tables_split_and_drawn_together(
    statistics: RunStatistics, profiled: ProfileMetrics
) -> None:
    halves = split_halves(TABLES, seed=SEED)
    for each, half in zip(TABLES, halves, strict=True):
        assert statistics.influence[each.perspective] == influence_record(
            each, seed=SEED, taus=profiled.taus[each.perspective], halves=half
        )


def test_a_difference_is_that_of_the_model_less_people(
    five_pairs: Callable[..., Comparisons],
) -> None:
    tables = [
        five_pairs("human", length=2, fluency=4, markdown=3),  # -0.2, 0.6, 0.2
        five_pairs("discrimination", length=5, fluency=3, markdown=3),  # 1, 0.2, 0.2
        five_pairs("generation", length=0, fluency=5, markdown=3),  # -1, 1, 0.2
    ]
    flat = run_statistics(tables, profile_metrics(tables, replicates=50)).values()
    for name, difference in (
        ("difference_discrimination_length", 1.2),
        ("difference_discrimination_fluency", -0.4),
        ("difference_discrimination_markdown", 0.0),
        ("difference_generation_length", -0.8),
        ("difference_generation_fluency", 0.4),
    ):
        found = [flat[f"{name}{end}"] for end in ("", "_ci_low", "_ci_high")]
        assert found == pytest.approx([difference] * 3), name
    assert [flat[f"rank_human_{name}"] for name in ("length", "fluency", "markdown")] == [3, 1, 2]


def test_ceiling_and_correction_keep_their_names() -> None:
    def number(value: float) -> dict[str, float | None]:
        return {"value": value, "ci_low": value - 0.1, "ci_high": value + 0.1}

    record = {
        "p_value": dict.fromkeys(COEFFICIENTS, 0.5),
        "ceiling": dict.fromkeys(COEFFICIENTS, number(0.9)),
        "corrected": dict.fromkeys(COEFFICIENTS, number(0.4)),
    }
    flat = RunStatistics({}, {}, {"generation": record}, {}, {}).values()
    for coefficient in COEFFICIENTS:
        name = f"alignment_generation_{coefficient}"
        assert (flat[f"{name}_ceiling"], flat[f"{name}_ceiling_ci_low"]) == (0.9, 0.8)
        assert (flat[f"{name}_corrected"], flat[f"{name}_corrected_ci_high"]) == (0.4, 0.5)


def test_differences_to_people_share_the_resamples_of_the_metrics(
    statistics: RunStatistics, profiled: ProfileMetrics
) -> None:
    assert set(statistics.difference) == {"discrimination", "generation"}
    for each in TABLES[1:]:
        tests = difference_tests(each, HUMAN, seed=SEED)
        record = statistics.difference[each.perspective]
        for i, found in enumerate(record["factors"].values()):
            drawn = profiled.taus[each.perspective][:, i] - profiled.taus["human"][:, i]
            interval = percentile_interval(drawn, n_groups=30)
            assert found["value"] == tests.value[i]
            assert (found["ci_low"], found["ci_high"]) == (interval.low, interval.high)
            assert found["p_adjusted"] == tests.p_holm[i]


def test_alignments_have_p_values_ceilings_and_corrections(
    statistics: RunStatistics, profiled: ProfileMetrics
) -> None:
    halves = split_halves(TABLES, seed=SEED)
    for place, perspective in ((1, "discrimination"), (2, "generation")):
        record = statistics.alignment[perspective]
        profiles = [by_factor(profiled.profiles[name]) for name in ("human", perspective)]
        aligned = align(*profiles, seed=SEED)
        assert record["p_value"] == {
            "tau_b": aligned.p_value,
            "spearman": aligned.p_value_spearman,
            "pearson": aligned.p_value_pearson,
        }
        attainable = attainable_alignment(halves[0], halves[place])
        for name in COEFFICIENTS:
            assert record["ceiling"][name]["value"] == attainable.ceiling[name].value
        assert record["n_factors"] == 4


def test_annotators_are_those_of_the_votes(statistics: RunStatistics) -> None:
    votes = votes_of(HUMAN)
    found, panels = annotator_agreement(votes, seed=SEED), annotator_alignment(
        HUMAN, votes, seed=SEED
    )  # fmt: skip
    record = statistics.annotators
    assert record["kappa"]["value"] == found.kappa.value
    assert record["agreement"]["ci_low"] == found.agreement.interval.low
    assert (record["n_pairs"], record["n_votes"], record["n_groups"]) == (180, 540, 30)
    for name in COEFFICIENTS:
        assert record["alignment"]["half_panel"][name]["value"] == panels.half[name].value
        assert record["alignment"]["full_panel"][name]["value"] == panels.full[name].value


def test_single_votes_say_nothing_of_annotators(profiled: ProfileMetrics) -> None:
    one = Votes(HUMAN.preference[:, None], np.zeros((180, 1), bool), HUMAN.group)
    assert annotators_record(HUMAN, one) == {}
    statistics = run_statistics(TABLES, profiled, one)
    assert statistics.annotators == {}
    assert not [name for name in statistics.values() if "annotator" in name or "panel" in name]


def test_accuracy_and_flip_rate_have_intervals_by_source(statistics: RunStatistics) -> None:
    judged = agreement()
    (drawn,) = bootstrap_taus([judged], replicates=200, seed=SEED)
    for i, name in enumerate(judged.factors):
        interval = percentile_interval(drawn[:, i], n_groups=30)
        assert statistics.agreement[name] == {
            "value": judged.manifestation[:, i].mean(),
            "ci_low": interval.low,
            "ci_high": interval.high,
            "reason": None,
        }


def test_flat_metrics_are_the_numbers_of_the_record(statistics: RunStatistics) -> None:
    flat, record = statistics.values(), statistics.record()
    length = record["discrimination"]["factors"]["length"]
    assert flat["tau_discrimination_length_p_value"] == length["p_value"]
    assert flat["tau_discrimination_length_p_adjusted_bh"] == length["p_adjusted_bh"]
    assert flat["adjusted_discrimination_length_ci_low"] == length["adjusted_ci_low"]
    assert flat["rank_discrimination_length"] == length["rank"]
    assert flat["rank_discrimination_length_ci_high"] == length["rank_high"]
    difference = record["difference_to_human"]["generation"]["factors"]["fluency"]
    assert flat["difference_generation_fluency"] == difference["value"]
    assert flat["difference_generation_fluency_p_adjusted"] == difference["p_adjusted"]
    aligned = record["alignment_to_human"]["generation"]
    assert flat["alignment_generation_pearson_p_value"] == aligned["p_value"]["pearson"]
    assert flat["alignment_generation_tau_b_ceiling"] == aligned["ceiling"]["tau_b"]["value"]
    assert flat["reliability_human_pearson"] == record["human"]["reliability"]["pearson"]["value"]
    panels = record["annotators"]["alignment"]
    assert flat["alignment_human_half_panel_tau_b"] == panels["half_panel"]["tau_b"]["value"]
    assert flat["annotator_kappa_ci_low"] == record["annotators"]["kappa"]["ci_low"]
    assert flat["flip_rate"] == record["agreement"]["flip_rate"]["value"]
    # A correction that is not defined is null in the record and NaN among the metrics.
    for coefficient in COEFFICIENTS:
        corrected = aligned["corrected"][coefficient]["value"]
        value = flat[f"alignment_generation_{coefficient}_corrected"]
        assert math.isnan(value) if corrected is None else value == corrected


def test_flat_metrics_are_numbers_with_names_that_harnesses_take(
    statistics: RunStatistics, profiled: ProfileMetrics
) -> None:
    flat = statistics.values()
    assert all(isinstance(value, float) for value in flat.values())
    assert not [name for name in flat if "," in name or "/" in name or " " in name]
    assert not flat.keys() & profiled.values().keys()  # neither hides a number of the other


def test_one_perspective_of_a_model_alone_is_compared_with_people() -> None:
    tables = [HUMAN, table("generation", 3)]
    statistics = run_statistics(tables, metrics_of(tables))
    assert set(statistics.influence) == {"human", "generation"}
    assert set(statistics.difference) == set(statistics.alignment) == {"generation"}
    assert (statistics.annotators, statistics.agreement) == ({}, {})


def test_people_alone_are_compared_with_nobody() -> None:
    statistics = run_statistics([HUMAN], metrics_of([HUMAN]), votes_of(HUMAN))
    assert (statistics.difference, statistics.alignment) == ({}, {})
    assert statistics.annotators["kappa"]["value"] is not None


def test_a_model_that_did_not_judge_has_no_agreement(profiled: ProfileMetrics) -> None:
    nothing = Comparisons(
        [], np.empty((0, 2)), np.empty((0, 2), bool), [], agreement().factors, "discrimination"
    )
    assert run_statistics(TABLES, profiled, agreement=nothing).agreement == {}


def test_what_cannot_be_counted_of_agreement_is_null_with_a_reason(
    profiled: ProfileMetrics,
) -> None:
    judged = agreement()
    gone = np.zeros((120, 2), bool)
    gone[:, 1] = True
    one_order = Comparisons(
        judged.preference, np.where(gone, 0, judged.manifestation), gone, judged.group,
        judged.factors, "discrimination",
    )  # fmt: skip
    statistics = run_statistics(TABLES, profiled, agreement=one_order)
    assert statistics.agreement["flip_rate"]["value"] is None
    assert statistics.agreement["flip_rate"]["reason"]
    assert math.isnan(statistics.values()["flip_rate"])
