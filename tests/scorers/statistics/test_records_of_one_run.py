"""What a finished run's log holds: the same numbers as the metrics, with tests beside them."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from profile_tasks.scorers.statistics.alignment import COEFFICIENTS
from profile_tasks.scorers.statistics.annotators import (
    Votes,
    annotator_agreement,
    annotator_alignment,
)
from profile_tasks.scorers.statistics.comparisons import Comparisons, Perspective
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.influence import group_sums
from profile_tasks.scorers.statistics.records import (
    ACROSS_TEXTS,
    Record,
    annotators_record,
    flat_record,
    influence_record,
    study_record,
)
from profile_tasks.scorers.statistics.significance import difference_tests
from profile_tasks.scorers.statistics.study import AGREEMENT, Study
from profile_tasks.scorers.statistics.taste import taste_difference
from profile_tasks.scorers.statistics.true_alignment import true_alignment

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
OWN = table("own", 5, groups=25)


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


def study_of(
    tables: Sequence[Comparisons], votes: Votes | None = None, shares: Comparisons | None = None
) -> Study:
    return Study(
        {each.perspective: each for each in tables},
        {} if shares is None else {AGREEMENT: shares},
        votes,
        replicates=200,
        seed=SEED,
    )


@pytest.fixture(scope="module")
def study() -> Study:
    return study_of([*TABLES, OWN], votes_of(HUMAN), agreement())


@pytest.fixture(scope="module")
def record(study: Study) -> Record:
    return study_record(study)


def by_factor(study: Study, name: str) -> dict[str, float]:
    profile = study.profiles[name]
    return dict(zip(profile.factors, profile.tau.tolist(), strict=True))


def test_the_record_is_strict_json(record: Record) -> None:
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert set(record) == {
        "human", "discrimination", "generation", "own", "difference_to_human",
        "difference_to_own", "alignment_to_human", "self_agreement", "annotators", "agreement",
        "replicates", "seed", "reasons",
    }  # fmt: skip


def test_tastes_are_compared_over_the_same_pairs_only(record: Record, study: Study) -> None:
    judged = record["difference_to_human"]["discrimination"]
    found = taste_difference(TABLES[1], HUMAN, difference_tests(TABLES[1], HUMAN, seed=SEED))
    assert judged["taste"]["verdict"] == found.verdict
    assert judged["taste"]["consistency"] == found.consistency.record()
    for i, factor in enumerate(FACTORS):
        assert judged["factors"][factor]["taste"] == {
            "verdict": found.verdicts[i],
            **found.departures[i].record(),
            "p_value": found.p_value[i],
            "p_adjusted": found.p_holm[i],
            "p_equivalent": found.p_equivalent[i],
            "smallest_shown": found.smallest[i],
        }
    written = record["difference_to_human"]["generation"]
    assert "taste" not in written
    assert all("taste" not in each for each in written["factors"].values())
    assert record["difference_to_own"].keys() == {"generation"}
    assert study_record(study_of(TABLES[:3]))["difference_to_own"] == {}


def test_a_writer_is_compared_with_its_own_judgement_of_the_same_pairs() -> None:
    own = replace(TABLES[2], preference=-TABLES[2].preference, perspective="own")
    record = study_record(study_of([*TABLES, own]))
    compared = record["difference_to_own"]["generation"]
    assert compared["taste"]["verdict"] == "differs in taste"
    length = compared["factors"]["length"]
    assert length["value"] == pytest.approx(2 * record["generation"]["factors"]["length"]["tau"])
    assert length["taste"]["verdict"] == "differs in taste"


def test_intervals_of_influences_are_those_of_the_metrics(record: Record, study: Study) -> None:
    metrics = study.flat()
    for perspective in study.tables:
        for factor, found in record[perspective]["factors"].items():
            name = f"tau_{perspective}_{factor}"
            assert (found["tau"], found["ci_low"], found["ci_high"]) == (
                metrics[name], metrics[f"{name}_ci_low"], metrics[f"{name}_ci_high"],
            )  # fmt: skip
        of_one = record[perspective]
        assert (of_one["replicates"], of_one["seed"]) == (200, SEED)


def test_influence_records_are_those_of_the_tables_split_and_drawn_together(
    record: Record, study: Study
) -> None:
    for each in (*TABLES, OWN):
        assert record[each.perspective] == influence_record(study, each.perspective)


def test_a_difference_is_that_of_the_model_less_people(
    five_pairs: Callable[..., Comparisons],
) -> None:
    tables = [
        five_pairs("human", length=2, fluency=4, markdown=3),  # -0.2, 0.6, 0.2
        five_pairs("discrimination", length=5, fluency=3, markdown=3),  # 1, 0.2, 0.2
        five_pairs("generation", length=0, fluency=5, markdown=3),  # -1, 1, 0.2
    ]
    flat = flat_record(study_record(study_of(tables)))
    for name, difference in (
        ("difference_discrimination_length", 1.2),
        ("difference_discrimination_fluency", -0.4),
        ("difference_discrimination_markdown", 0.0),
        ("difference_generation_length", -0.8),
        ("difference_generation_fluency", 0.4),
    ):
        value, low, high = (flat[f"{name}{end}"] for end in ("", "_ci_low", "_ci_high"))
        assert value == pytest.approx(difference), name
        # All sources are alike; what is left is the one pair on which two may differ.
        assert low < value < high < low + 0.2, name
    assert [flat[f"rank_human_{name}"] for name in ("length", "fluency", "markdown")] == [3, 1, 2]


def test_differences_to_people_share_the_resamples_of_the_metrics(
    record: Record, study: Study
) -> None:
    differences = record["difference_to_human"]
    assert set(differences) == {"discrimination", "generation"}
    for each in TABLES[1:]:
        tests = difference_tests(each, HUMAN, seed=SEED)
        of_one = differences[each.perspective]
        differences_of, _ = study.difference(each.perspective, "human")
        for i, (factor, found) in enumerate(of_one["factors"].items()):
            interval = differences_of[factor]
            assert found["value"] == tests.value[i]
            assert (found["ci_low"], found["ci_high"]) == (interval.low, interval.high)
            assert found["p_adjusted"] == tests.p_holm[i]


def test_of_the_judge_there_stands_what_is_known_of_its_true_alignment(record: Record) -> None:
    found = record["alignment_to_human"]["discrimination"]
    expected = true_alignment(HUMAN, TABLES[1], seed=SEED)
    for name in COEFFICIENTS:
        without = found["disattenuated"][name]
        assert without["value"] == expected.coefficients[name].disattenuated
        assert without["ci_low"] == expected.coefficients[name].low
    assert found["p_value"] == expected.unrelated
    assert found["distance"]["value"] == expected.distance.value
    assert (found["refusal"], found["n_factors"]) == (None, 4)


def test_of_the_writer_there_stands_that_it_is_compared_across_texts_and_nothing_more(
    record: Record,
) -> None:
    found = record["alignment_to_human"]["generation"]
    assert found == {"n_factors": 4, "n_groups": 30, "caution": ACROSS_TEXTS}
    flat = flat_record(record)
    assert not [name for name in flat if name.startswith("alignment_generation")]


def test_self_agreement_is_of_the_judge_and_the_writer_of_the_same_texts(record: Record) -> None:
    found = record["self_agreement"]
    expected = true_alignment(OWN, TABLES[2], seed=SEED)
    for name in COEFFICIENTS:
        assert found["disattenuated"][name]["value"] == expected.coefficients[name].disattenuated
    assert found["p_value"] == expected.unrelated
    flat = flat_record(record)
    assert flat["self_agreement_pearson_p_value"] == expected.unrelated
    assert flat["self_agreement_distance_ci_high"] == expected.distance.high
    assert flat["rank_own_length"] == record["own"]["factors"]["length"]["rank"]


def test_without_pairs_of_its_own_nothing_is_said_of_self_agreement() -> None:
    for tables in (TABLES, [HUMAN, TABLES[1], OWN]):
        record = study_record(study_of(tables))
        assert record["self_agreement"] == {}
        assert not [name for name in flat_record(record) if "self_agreement" in name]


def test_what_is_refused_is_null_with_the_reason_and_nan_among_the_metrics() -> None:
    coins = np.random.default_rng(8).choice([-1, 1], HUMAN.preference.size)
    judge = Comparisons(
        coins, HUMAN.manifestation, HUMAN.missing, HUMAN.group, FACTORS, "discrimination"
    )
    record = study_record(study_of([HUMAN, judge]))
    found = record["alignment_to_human"]["discrimination"]
    assert found["refusal"].startswith("not estimable: the discrimination profile is not told from")
    assert record["reasons"]["alignment_discrimination_tau_b"] == found["refusal"]
    flat = flat_record(record)
    for name in COEFFICIENTS:
        assert found["disattenuated"][name]["value"] is None
        assert math.isnan(flat[f"alignment_discrimination_{name}_disattenuated"])
    assert 0 < flat["alignment_discrimination_pearson_p_value"] <= 1


def test_annotators_are_those_of_the_votes(study: Study) -> None:
    votes = votes_of(HUMAN)
    found, panels = annotator_agreement(votes, seed=SEED), annotator_alignment(
        HUMAN, votes, seed=SEED
    )  # fmt: skip
    record = annotators_record(study)
    assert record["kappa"]["value"] == found.kappa.value
    assert record["agreement"]["ci_low"] == found.agreement.low
    assert (record["n_pairs"], record["n_votes"], record["n_groups"]) == (180, 540, 30)
    for name in COEFFICIENTS:
        assert record["alignment"]["half_panel"][name]["value"] == panels.half[name].value
        assert record["alignment"]["full_panel"][name]["value"] == panels.full[name].value


def test_single_votes_say_nothing_of_annotators() -> None:
    one = study_of(TABLES, Votes(HUMAN.preference[:, None], np.zeros((180, 1), bool), HUMAN.group))
    assert annotators_record(one) == {}
    flat = flat_record(study_record(one))
    assert not [name for name in flat if "annotator" in name or "panel" in name]


def test_accuracy_and_flip_rate_have_intervals_by_source(record: Record) -> None:
    judged = agreement()
    net, counted = group_sums(judged, 30)
    for i, name in enumerate(judged.factors):
        interval = Estimate.share(net[:, i].sum() / 120, net[:, i], counted[:, i])
        assert record["agreement"][name] == {
            "value": judged.manifestation[:, i].mean(),
            "ci_low": interval.low,
            "ci_high": interval.high,
            "reason": None,
        }


def test_flat_metrics_are_the_numbers_of_the_record(record: Record) -> None:
    flat = flat_record(record)
    length = record["discrimination"]["factors"]["length"]
    assert flat["tau_discrimination_length_p_value"] == length["p_value"]
    assert flat["tau_discrimination_length_p_adjusted_bh"] == length["p_adjusted_bh"]
    assert flat["adjusted_discrimination_length_ci_low"] == length["adjusted_ci_low"]
    assert flat["rank_discrimination_length"] == length["rank"]
    assert flat["rank_discrimination_length_ci_high"] == length["rank_high"]
    difference = record["difference_to_human"]["generation"]["factors"]["fluency"]
    assert flat["difference_generation_fluency"] == difference["value"]
    assert flat["difference_generation_fluency_p_adjusted"] == difference["p_adjusted"]
    aligned = record["alignment_to_human"]["discrimination"]
    assert flat["alignment_discrimination_pearson_p_value"] == aligned["p_value"]
    assert flat["alignment_discrimination_distance"] == aligned["distance"]["value"]
    without = aligned["disattenuated"]["tau_b"]
    assert flat["alignment_discrimination_tau_b_disattenuated"] == without["value"]
    assert flat["alignment_discrimination_tau_b_disattenuated_ci_low"] == without["ci_low"]
    assert flat["reliability_human_pearson"] == record["human"]["reliability"]["pearson"]["value"]
    panels = record["annotators"]["alignment"]
    assert flat["alignment_human_half_panel_tau_b"] == panels["half_panel"]["tau_b"]["value"]
    assert flat["annotator_kappa_ci_low"] == record["annotators"]["kappa"]["ci_low"]
    assert flat["flip_rate"] == record["agreement"]["flip_rate"]["value"]


def test_flat_metrics_are_numbers_with_names_that_harnesses_take(
    record: Record, study: Study
) -> None:
    flat = flat_record(record)
    assert all(isinstance(value, float) for value in flat.values())
    assert not [name for name in flat if "," in name or "/" in name or " " in name]
    assert not flat.keys() & study.flat().keys()  # neither hides a number of the other


def test_one_perspective_of_a_model_alone_is_compared_with_people() -> None:
    record = study_record(study_of([HUMAN, table("generation", 3)]))
    assert {"human", "generation"} <= set(record)
    assert "discrimination" not in record
    assert set(record["difference_to_human"]) == {"generation"}
    assert set(record["alignment_to_human"]) == {"generation"}
    assert (record["annotators"], record["agreement"]) == ({}, {})


def test_people_alone_are_compared_with_nobody() -> None:
    record = study_record(study_of([HUMAN], votes_of(HUMAN)))
    assert (record["difference_to_human"], record["alignment_to_human"]) == ({}, {})
    assert record["annotators"]["kappa"]["value"] is not None


def test_what_cannot_be_counted_of_agreement_is_null_with_a_reason() -> None:
    judged = agreement()
    gone = np.zeros((120, 2), bool)
    gone[:, 1] = True
    one_order = Comparisons(
        judged.preference, np.where(gone, 0, judged.manifestation), gone, judged.group,
        judged.factors, "discrimination",
    )  # fmt: skip
    record = study_record(study_of(TABLES, shares=one_order))
    assert record["agreement"]["flip_rate"]["value"] is None
    assert record["agreement"]["flip_rate"]["reason"]
    assert math.isnan(flat_record(record)["flip_rate"])
