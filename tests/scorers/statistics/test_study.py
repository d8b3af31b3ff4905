"""Metrics have the documented names, values that can be recomputed, and shared resamples."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import kendalltau

from profile_tasks.scorers.statistics.comparisons import Comparisons, Perspective
from profile_tasks.scorers.statistics.estimate import FEW_GROUPS, Estimate
from profile_tasks.scorers.statistics.influence import group_sums, profile_of
from profile_tasks.scorers.statistics.study import GAP_PARTS, OWN, Study

FivePairs = Callable[..., Comparisons]

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


def judged(
    perspective: Perspective,
    weights: Sequence[float],
    *,
    texts: int,
    noise: int,
    groups: int = 60,
    consistency: float = 1.0,
) -> Comparisons:
    """Preferences of somebody with these weights among pairs that ``texts`` decides."""
    manifestation = np.random.default_rng(texts).integers(-1, 2, (6 * groups, len(weights)))
    error = np.random.default_rng([texts, noise]).logistic(size=len(manifestation))
    return Comparisons(
        np.sign(consistency * manifestation @ np.array(weights) + error), manifestation,
        np.zeros(manifestation.shape, bool), np.repeat(np.arange(groups), 6),
        FACTORS[: len(weights)], perspective,
    )  # fmt: skip


def study_of(tables: Sequence[Comparisons], **options: Any) -> Study:
    named = {table.perspective: table for table in tables}
    return Study(named, **{"replicates": 200, **options})


ALL_ALIKE = "all sources show the same influences, which does not tell how far others would differ"

PEOPLE = {"f1": 5, "f2": 4, "f3": 3, "f4": 2}
"""Of five pairs, how many go with each factor: influences of 1, 0.6, 0.2 and -0.2."""

NEARLY_PEOPLE = {"f1": 5, "f2": 4, "f3": 2, "f4": 3}
"""One of the six pairs of factors the other way round than people: tau_b = (5 - 1) / 6."""

NEARLY_THEIR_OPPOSITE = {"f1": 2, "f2": 3, "f3": 5, "f4": 4}
"""Five of six the other way round: tau_b = (1 - 5) / 6."""

HALFWAY = {"f1": 4, "f2": 5, "f3": 2, "f4": 3}
"""Two of six the other way round: tau_b = (4 - 2) / 6."""

TABLES = [table("human", 1), table("discrimination", 2), table("generation", 3)]

WITH_OWN = [*TABLES, table("own", 4)]
"""The model judges pairs of its own, too."""


def test_the_headline_comes_first_and_every_metric_has_its_interval() -> None:
    values = study_of(TABLES).flat()
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


def test_self_agreement_comes_before_all_else_where_the_model_judges_its_own_pairs() -> None:
    names = [name for name in study_of(WITH_OWN).flat() if "_ci_" not in name]
    assert names[:8] == [
        "self_agreement_pearson",
        "self_agreement_spearman",
        "self_agreement_tau_b",
        "alignment_discrimination_tau_b",
        "alignment_generation_tau_b",
        "alignment_gap_texts_tau_b",
        "alignment_gap_taste_tau_b",
        "alignment_gap_tau_b",
    ]
    assert "tau_own_f1" in names
    few = [table(each.perspective, 1, groups=7) for each in WITH_OWN]
    assert list(study_of(few).flat()) == list(study_of(WITH_OWN).flat())
    without = study_of([TABLES[0], TABLES[1], WITH_OWN[3]]).flat()
    assert not [name for name in without if "self_agreement" in name or "gap" in name]


def test_values_are_the_influence_and_its_correlation() -> None:
    values = study_of(TABLES).flat()
    human, judge, writer = (profile_of(t).tau for t in TABLES)
    assert values["tau_human_f5"] == human[4]
    assert values["alignment_discrimination_tau_b"] == pytest.approx(
        kendalltau(human, judge).statistic
    )
    assert values["alignment_gap_tau_b"] == pytest.approx(
        kendalltau(human, judge).statistic - kendalltau(human, writer).statistic
    )


@pytest.mark.parametrize(
    ("judge", "writer", "gap"),
    [
        (NEARLY_PEOPLE, NEARLY_THEIR_OPPOSITE, 4 / 3),
        (NEARLY_THEIR_OPPOSITE, NEARLY_PEOPLE, -4 / 3),
        (NEARLY_PEOPLE, NEARLY_PEOPLE, 0),
    ],
    ids=["the judge is closer to people", "the writer is closer", "both are as close"],
)
def test_the_gap_is_the_alignment_of_the_judge_less_that_of_the_writer(
    five_pairs: FivePairs, judge: dict[str, int], writer: dict[str, int], gap: float
) -> None:
    tables = [
        five_pairs("human", **PEOPLE),
        five_pairs("discrimination", **judge),
        five_pairs("generation", **writer),
    ]
    for order in (tables, tables[::-1]):  # the perspectives are told by their names
        found = study_of(order, replicates=50).estimates["alignment_gap_tau_b"]
        assert found.value == pytest.approx(gap)
        assert not found.has_interval
        assert found.reason == ALL_ALIKE


def test_each_alignment_is_of_its_own_perspective(five_pairs: FivePairs) -> None:
    tables = [
        five_pairs("human", **PEOPLE),
        five_pairs("discrimination", **NEARLY_PEOPLE),
        five_pairs("generation", **NEARLY_THEIR_OPPOSITE),
    ]
    values = study_of(tables, replicates=50).flat()
    assert values["alignment_discrimination_tau_b"] == pytest.approx(2 / 3)
    assert values["alignment_generation_tau_b"] == pytest.approx(-2 / 3)
    assert values["tau_human_f1"] == pytest.approx(1)
    assert values["tau_discrimination_f3"] == pytest.approx(-0.2)
    assert values["tau_generation_f3"] == pytest.approx(1)


def test_influences_and_shares_have_the_intervals_of_their_sums_by_source() -> None:
    judged, written = TABLES[1], replace(TABLES[2], group=TABLES[2].group + 5)
    right = replace(judged, preference=np.ones_like(judged.preference))
    right = replace(right, manifestation=np.abs(right.manifestation))
    study = Study({"judge": judged, "writer": written}, {"right": right}, replicates=50)
    for name, each, least in (("judge", judged, -1), ("writer", written, -1), ("right", right, 0)):
        net, counted = group_sums(each, 35)
        for i, (factor, found) in enumerate(study.influence(name).items()):
            value = net[:, i].sum() / counted[:, i].sum()
            expected = Estimate.share(value, net[:, i], counted[:, i], least=least)
            assert found.cells() == expected.cells()
            assert found.low < value < found.high
            assert factor == f"f{i + 1}"
            assert found.n_groups == 30
            np.testing.assert_array_equal(found.drawn, study.drawn[name][:, i])
    assert study.share("right", "f2") == study.influence("right")["f2"]


def test_a_share_of_nothing_says_what_there_is_none_of_in_its_own_words() -> None:
    """Its rows are verdicts: no factor is missing in pairs with a preference."""
    names = ("discrimination_accuracy", "first_position_rate")
    nothing = Comparisons(
        np.ones(60), np.zeros((60, 2)), np.ones((60, 2), bool), np.arange(60), names,
        "discrimination",
    )  # fmt: skip
    study = Study({}, {"A agreement": nothing, "B agreement": nothing}, replicates=50)
    differences, _ = study.difference("A agreement", "B agreement", names=("A", "B"))
    for found in (study.influence("A agreement"), differences):
        assert [each.reason for each in found.values()] == [
            "there is no pair on which both people and the model decide",
            "of no verdict for a response is it known which was shown first",
        ]


def test_an_influence_at_the_end_of_its_scale_has_an_interval_with_a_width(
    five_pairs: FivePairs,
) -> None:
    always = Study({"human": five_pairs("human", **PEOPLE)}, replicates=50).influence("human")["f1"]
    # Ten sources that all say the same are ten observations: 1 - .025 ** (1 / n), n for t.
    assert (always.value, always.high) == (1, 1)
    assert always.low == pytest.approx(2 * 0.025 ** (1 / (10 * (1.959964 / 2.262157) ** 2)) - 1)


def test_the_parts_of_the_gap_are_the_shift_of_texts_and_what_is_taste(
    five_pairs: FivePairs,
) -> None:
    tables = [
        five_pairs("human", **PEOPLE),
        five_pairs("discrimination", **NEARLY_PEOPLE),
        five_pairs("own", **HALFWAY),
        five_pairs("generation", **NEARLY_THEIR_OPPOSITE),
    ]
    for order in (tables, tables[::-1]):
        values = study_of(order, replicates=50).flat()
        # Of the judge 2/3 among the annotated responses, 1/3 among its own; of the writer -2/3.
        assert values["alignment_gap_texts_tau_b"] == pytest.approx(2 / 3 - 1 / 3)
        assert values["alignment_gap_taste_tau_b"] == pytest.approx(1 / 3 - -2 / 3)
        assert values["alignment_gap_tau_b"] == pytest.approx(2 / 3 - -2 / 3)


def test_self_agreement_is_of_the_writer_and_the_judge_of_the_same_texts(
    five_pairs: FivePairs,
) -> None:
    people, other = (five_pairs(who, **PEOPLE) for who in ("human", "discrimination"))
    own = five_pairs("own", **NEARLY_THEIR_OPPOSITE)
    for writer, value in ((NEARLY_THEIR_OPPOSITE, 1), (PEOPLE, -2 / 3)):
        tables = [people, other, own, five_pairs("generation", **writer)]
        study = study_of(tables, replicates=50)
        assert study.self_agreement()["tau_b"].value == pytest.approx(value)
        assert study.estimates["self_agreement_tau_b"].value == pytest.approx(value)


@pytest.mark.parametrize("consistency", [0.4, 1.0])
def test_one_taste_agrees_with_itself_at_1_however_noisy_and_no_part_of_its_gap_is_taste(
    consistency: float,
) -> None:
    weights = [2, 1, -1, -0.5, 0]
    tables = [
        judged("human", weights, texts=1, noise=1, groups=150),
        judged("discrimination", weights, texts=1, noise=2, groups=150),
        judged("own", weights, texts=2, noise=3, groups=150, consistency=consistency),
        judged("generation", weights, texts=2, noise=4, groups=150),
    ]
    study = study_of(tables, replicates=1000)
    pearson = study.self_agreement()["pearson"]
    assert pearson.value == pytest.approx(1, abs=0.03)
    assert pearson.low < study.alignment(OWN, "generation")["pearson"].value
    taste = study.gap_parts()["alignment_gap_taste_tau_b"]
    assert taste.low <= 0 <= taste.high


def test_a_model_that_writes_by_another_taste_does_not_agree_with_itself() -> None:
    tables = [
        judged("human", [2, 1, -1, -0.5, 0], texts=1, noise=1),
        judged("discrimination", [2, 1, -1, -0.5, 0], texts=1, noise=2),
        judged("own", [2, 1, -1, -0.5, 0], texts=2, noise=3),
        judged("generation", [-1, 0, 2, 0, -0.5], texts=2, noise=4),
    ]
    study = study_of(tables, replicates=1000)
    assert study.self_agreement()["pearson"].high < 0.2
    assert study.gap_parts()["alignment_gap_taste_tau_b"].low > 0
    shift = study.gap_parts()["alignment_gap_texts_tau_b"]
    assert shift.low < 0 < shift.high


def test_a_judge_of_its_own_pairs_without_any_taste_is_refused_in_words() -> None:
    weights = [2.0, 1, -1, -0.5, 0]
    tables = [
        judged("own", [0.0] * 5, texts=2, noise=3),
        judged("generation", weights, texts=2, noise=4),
    ]
    study = study_of(tables)
    for found in study.self_agreement().values():
        assert math.isnan(found.value)
        assert found.reason is not None
        assert found.reason.startswith(
            "not estimable: the own profile is not told from noise alone; r within [-"
        )


def test_the_gap_and_its_parts_turn_their_sign_and_ends_with_what_is_taken_away() -> None:
    study = study_of(WITH_OWN)
    one = study.gap()["tau_b"]
    other = study.gap(judge="generation", writer="discrimination")["tau_b"]
    assert one.low < one.disattenuated < one.high
    assert (other.value, other.disattenuated) == pytest.approx((-one.value, -one.disattenuated))
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low))
    texts, taste = (study.gap_parts()[name] for name in GAP_PARTS)
    assert texts.value + taste.value == pytest.approx(one.value)
    assert texts.low < texts.disattenuated < texts.high
    assert taste.low < taste.disattenuated < taste.high


def test_the_ends_of_the_gap_are_put_together_from_those_of_both_alignments() -> None:
    study = study_of(TABLES)
    judge = study.alignment("human", "discrimination", beside=["generation"])["pearson"]
    writer = study.alignment("human", "generation", beside=["discrimination"])["pearson"]
    assert study.n_groups < FEW_GROUPS
    gap = study.gap()["pearson"]
    assert gap.low == pytest.approx(judge.low - writer.high)
    assert gap.value == judge.value - writer.value


def test_another_confidence_moves_every_interval_and_no_value() -> None:
    usual, narrow = study_of(WITH_OWN), study_of(WITH_OWN, confidence=0.5)
    for name, each in usual.estimates.items():
        other = narrow.estimates[name]
        assert other.value == each.value
        assert other.high - other.low < each.high - each.low, name
    differences = (study.difference("own", "generation")[0]["f1"] for study in (usual, narrow))
    wide, close = (each.high - each.low for each in differences)
    assert close < wide


def test_paired_alignments_are_of_the_table_named_and_not_of_the_one_beside(
    five_pairs: FivePairs,
) -> None:
    study = Study(
        {
            "human": five_pairs("human", **PEOPLE),
            "near": five_pairs("revision", **NEARLY_PEOPLE),
            "far": five_pairs("revision", **NEARLY_THEIR_OPPOSITE),
        },
        replicates=20,
    )
    first = study.alignment("human", "near", beside=["far"])["tau_b"]
    second = study.alignment("human", "far", beside=["near"])["tau_b"]
    assert (first.value, second.value) == pytest.approx((2 / 3, -2 / 3))
    assert first.drawn == pytest.approx([2 / 3] * 20)
    assert second.drawn == pytest.approx([-2 / 3] * 20)
    assert (first.disattenuated, second.disattenuated) == (first.value, second.value)
    gaps = study.gap(judge="near", writer="far"), study.gap(judge="far", writer="near")
    assert [each["tau_b"].value for each in gaps] == pytest.approx([4 / 3, -4 / 3])


def test_a_judge_that_is_the_human_has_alignment_one_and_the_pairs_tell_no_more() -> None:
    human = table("human", 1)
    judge = Comparisons(
        human.preference, human.manifestation, human.missing, human.group, FACTORS,
        "discrimination",
    )  # fmt: skip
    found = study_of([human, judge]).estimates["alignment_discrimination_pearson"]
    assert (found.value, found.disattenuated, found.has_interval) == (1, 1, False)
    assert found.reason is not None
    assert found.reason.startswith("all verdicts are the same")


def test_the_seed_decides() -> None:
    first, again, other = (study_of(TABLES, seed=seed).flat() for seed in (1, 1, 2))
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
    study = study_of(few)
    for name in ("alignment_discrimination_tau_b", "alignment_gap_tau_b"):
        assert math.isnan(study.estimates[name].value)
        assert study.estimates[name].reason
        assert math.isnan(study.estimates[name].low)
        assert math.isnan(study.estimates[name].high)


def test_few_sources_have_no_interval() -> None:
    few = [table("human", 1, groups=7), table("discrimination", 2, groups=7)]
    study = study_of(few)
    few_groups = study.estimates["tau_human_f1"]
    assert math.isnan(few_groups.low)
    assert few_groups.reason == "groups: 7; an interval needs at least 8"
    assert not math.isnan(study.estimates["tau_human_f1"].value)


def test_the_gap_compares_alignments_over_the_same_factors() -> None:
    human, judge, writer = TABLES
    gone = np.zeros(writer.missing.shape, bool)
    gone[:, 0] = True
    partial = Comparisons(
        writer.preference, np.where(gone, 0, writer.manifestation), gone, writer.group, FACTORS,
        "generation",
    )  # fmt: skip
    values = study_of([human, judge, partial]).flat()
    taus = [profile_of(t).tau[1:] for t in (human, judge, writer)]
    assert values["alignment_gap_tau_b"] == pytest.approx(
        kendalltau(taus[0], taus[1]).statistic - kendalltau(taus[0], taus[2]).statistic
    )
    assert values["alignment_discrimination_tau_b"] == pytest.approx(
        kendalltau(profile_of(human).tau, profile_of(judge).tau).statistic
    )
    assert math.isfinite(values["alignment_gap_tau_b_ci_low"])


def test_tables_of_any_names_share_their_resamples() -> None:
    human, judge, writer = TABLES
    study = Study({"people": human, "one": judge, "other": writer}, replicates=200)
    usual = study_of(TABLES)
    assert study.gap("people", "one", "other")["tau_b"] == usual.estimates["alignment_gap_tau_b"]
    assert study.alignment("people", "one") == usual.alignment("human", "discrimination")
    assert study.influence("other") == usual.influence("generation")


def test_a_difference_is_the_first_less_the_second() -> None:
    study = study_of(TABLES)
    found, tests = study.difference("generation", "human")
    taus = [profile_of(t).tau for t in (TABLES[2], TABLES[0])]
    for i, factor in enumerate(FACTORS):
        assert found[factor].value == tests.value[i] == taus[0][i] - taus[1][i]
        # As far as the replicates say, and a little more for the pair on which the two may differ.
        drawn = study.drawn["generation"][:, i] - study.drawn["human"][:, i]
        expected = Estimate.percentile(found[factor].value, drawn, 30)
        assert found[factor].low == pytest.approx(expected.low, abs=0.06)
        assert found[factor].high == pytest.approx(expected.high, abs=0.06)
        np.testing.assert_array_equal(found[factor].drawn, drawn)


def test_judges_that_never_differed_may_do_so_on_a_pair() -> None:
    judge = TABLES[1]
    study = Study({"one": judge, "other": judge}, replicates=50)
    found, _ = study.difference("one", "other")
    decided = np.count_nonzero(judge.preference)
    for each in found.values():
        margin = 2.0452 * 2 / decided  # t of 30 sources; one pair of all differs by 2
        assert each.cells() == pytest.approx((0, -margin, margin), rel=1e-3)


def test_a_share_is_that_of_the_rows_where_the_indicator_holds() -> None:
    held = Comparisons(
        [1] * 40, [[1]] * 30 + [[0]] * 10, np.zeros((40, 1), bool), np.arange(40) // 4, ("right",),
        "discrimination",
    )  # fmt: skip
    study = Study({}, {"agreement": held}, replicates=200)
    assert study.share("agreement", "right").value == 0.75
    assert study.share("agreement", "right").low < 0.75 < study.share("agreement", "right").high
    assert study.estimates == {}  # shares have names of their own


def test_standard_errors_are_those_of_the_estimates() -> None:
    study = study_of(TABLES)
    errors = study.errors()
    assert errors["tau_human_f1_stderr"] == study.drawn["human"][:, 0].std(ddof=1)
    # A bootstrap of an alignment holds the sampling noise twice.
    alike = {name for name in study.estimates if name.startswith("alignment_")}
    assert len(alike) == 7
    assert set(errors) == {f"{name}_stderr" for name in study.estimates.keys() - alike}
