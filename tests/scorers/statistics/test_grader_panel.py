"""A panel of graders: its majority, its agreement, and what its spread adds to intervals."""

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.comparisons import Comparisons, Perspective
from profile_tasks.scorers.statistics.grader_panel import (
    GraderPanel,
    jackknifed,
    majority,
    panel_agreement,
)
from profile_tasks.scorers.statistics.records import flat_panel, influence_record, panel_record
from profile_tasks.scorers.statistics.slices import judged_slices
from profile_tasks.scorers.statistics.study import AGREEMENT, Study

Signs = NDArray[np.int8]

FACTORS = ("length", "fluency", "coherence", "helpfulness")
GRADED = FACTORS[1:]


def table(signs: Signs, perspective: Perspective = "human", seed: int = 0) -> Comparisons:
    """Of four pairs a source; preferences follow the exact signs, as far as the seed lets them."""
    rng = np.random.default_rng(seed)
    truth = np.random.default_rng(99).choice([1, -1], signs.shape)
    utility = truth @ [1, 2, 0.5, -1] + rng.logistic(size=len(signs))
    return Comparisons(
        np.where(utility > 0, 1, -1).astype(np.int8),
        signs,
        np.zeros(signs.shape, bool),
        np.arange(len(signs), dtype=np.int32) // 4,
        FACTORS,
        perspective,
    )


def panel_study(errors: tuple[float, ...], n: int = 160) -> Study:
    """People and a judge on the same pairs, graded by graders that err so often."""
    truth = np.random.default_rng(99).choice(np.array([1, -1], np.int8), (n, len(FACTORS)))
    by_grader = []
    for seed, rate in enumerate(errors):
        wrong = np.random.default_rng(seed).random(truth.shape) < rate
        wrong[:, 0] = False  # length is counted
        by_grader.append(np.where(wrong, -truth, truth).astype(np.int8))
    stacked = np.array(by_grader)
    most, _ = majority(stacked, np.zeros(stacked.shape, bool))
    seeds: dict[Perspective, int] = {"human": 1, "discrimination": 2}
    return Study(
        {name: table(most, name, seed) for name, seed in seeds.items()},
        replicates=200,
        panel=GraderPanel(
            tuple(f"g{i}" for i in range(len(errors))),
            GRADED,
            {name: tuple(table(s, name, seed) for s in by_grader) for name, seed in seeds.items()},
            stacked[:, :, 1:],
            np.zeros(stacked[:, :, 1:].shape, bool),
            np.arange(n, dtype=np.int32) // 4,
        ),
    )


@pytest.mark.parametrize(
    ("said", "sign"),
    [
        ([1, 1, -1], 1),
        ([1, 0, 0], 0),
        ([1, -1, 0], 0),  # each once
        ([1, -1], 0),
        ([1, 0], 0),
        ([-1, None, None], -1),  # who cannot be read has no say
        ([1, 1, -1, None], 1),
        ([1, 1, 0, 0, -1], 0),
        ([None, None], None),
    ],
)
def test_the_sign_most_readable_graders_give_counts(
    said: list[int | None], sign: int | None
) -> None:
    signs = np.array([s or 0 for s in said], np.int8)
    found, missing = majority(signs, np.array([s is None for s in said]))
    assert (None if missing else int(found)) == sign


def test_alpha_is_inspects_of_both_orders() -> None:
    from inspect_ai.scorer import SampleScore, Score, krippendorff_alpha

    rng = np.random.default_rng(3)
    signs = rng.choice(np.array([1, 1, 0, -1], np.int8), (4, 60))
    signs[1:3] = np.where(rng.random((2, 60)) < 0.6, signs[0], signs[1:3])
    missing = rng.random(signs.shape) < 0.2
    found = panel_agreement(
        np.where(missing, 0, signs).astype(np.int8), missing, np.arange(60, dtype=np.int32) // 3
    )
    units = [signs[~missing[:, i], i] for i in range(60) if (~missing[:, i]).sum() > 1]
    scores = [
        SampleScore(score=Score(value=[int(side * sign) for sign in unit]))
        for unit in units
        for side in (1, -1)
    ]
    assert found.alpha.value == pytest.approx(krippendorff_alpha()(scores), abs=1e-12)
    assert found.alpha.low < found.alpha.value < found.alpha.high
    agreeing = [np.mean(u[:, None] == u[None], dtype=float) for u in units]
    sizes = [len(u) for u in units]
    pairs = [(a * n * n - n) / (n * (n - 1)) for a, n in zip(agreeing, sizes, strict=True)]
    assert found.agreement.value == pytest.approx(np.mean(pairs))
    assert (found.n_pairs, found.n_groups) == (len(units), 20)


def test_agreement_that_is_not_defined_says_why() -> None:
    same = panel_agreement(
        np.zeros((3, 40), np.int8), np.zeros((3, 40), bool), np.arange(40, dtype=np.int32)
    )
    assert math.isnan(same.alpha.value)
    assert same.alpha.reason == "all signs are the same, so chance agrees fully"
    assert same.agreement.value == 1
    alone = panel_agreement(
        np.ones((2, 9), np.int8),
        np.array([[False] * 9, [True] * 9]),
        np.arange(9, dtype=np.int32),
    )
    assert math.isnan(alone.agreement.value)
    assert alone.agreement.reason == "pairs that two graders or more can be read on: 0 of 9"


@pytest.mark.parametrize("graders", [2, 3])
def test_the_variance_between_panels_is_that_of_a_mean(graders: int) -> None:
    rng = np.random.default_rng(0)
    tables = [table(rng.choice(np.array([1, -1], np.int8), (40, 4))) for _ in range(graders)]
    taus = np.array([(t.preference[:, None] * t.manifestation).mean(axis=0) for t in tables])
    found = np.square(jackknifed(tables)).sum(axis=0)
    np.testing.assert_allclose(found, taus.var(axis=0, ddof=1) / graders)


def test_graders_who_agree_widen_nothing() -> None:
    study = panel_study((0.0, 0.0, 0.0))
    alone = study.by_grader("g0")
    for name in ("human", "discrimination"):
        assert study.influence(name) == alone.influence(name)
    assert study.alignment("human", "discrimination")["pearson"].low == pytest.approx(
        alone.alignment("human", "discrimination")["pearson"].low, abs=0.02
    )


def test_graders_who_differ_widen_graded_factors_and_alignments_alone() -> None:
    study = panel_study((0.0, 0.2, 0.45))
    plain = Study(study.tables, replicates=200)
    now, before = (each.influence("human") for each in (study, plain))
    assert now["length"] == before["length"]
    for factor in GRADED:
        assert now[factor].value == before[factor].value
        assert now[factor].low < before[factor].low < before[factor].high < now[factor].high
        assert now[factor].method == "Korn-Graubard, with the spread of graders"
        assert now[factor].at(0.5).high < now[factor].high
    wide, narrow = (each.alignment("human", "discrimination")["pearson"] for each in (study, plain))
    assert wide.value == narrow.value
    assert wide.high - wide.low > narrow.high - narrow.low


def test_a_grader_who_can_never_be_read_is_no_witness_of_the_spread() -> None:
    two = panel_study((0.0, 0.3))
    assert two.panel is not None
    silent = {
        name: replace(
            tables[0],
            manifestation=np.where([True, False, False, False], tables[0].manifestation, 0),
            missing=np.broadcast_to([False, True, True, True], tables[0].missing.shape),
        )
        for name, tables in two.panel.tables.items()
    }
    signs = two.panel.signs
    three = replace(
        two,
        panel=replace(
            two.panel,
            graders=(*two.panel.graders, "silent"),
            tables={name: (*by, silent[name]) for name, by in two.panel.tables.items()},
            signs=np.concatenate([signs, np.zeros_like(signs[:1])]),
            missing=np.concatenate([two.panel.missing, np.ones_like(two.panel.missing[:1])]),
        ),
    )
    assert three.influence("human") == two.influence("human")
    found, expected = (
        influence_record(study, "human")["factors"]["fluency"] for study in (three, two)
    )
    assert found["adjusted_ci_low"] == expected["adjusted_ci_low"]


def test_adjusted_influences_bear_the_spread_and_those_of_graders_who_agree_do_not() -> None:
    for errors, widens in (((0.0, 0.2, 0.45), True), ((0.0, 0.0, 0.0), False)):
        study = panel_study(errors)
        now = influence_record(study, "human")["factors"]["fluency"]
        before = influence_record(Study(study.tables, replicates=200), "human")["factors"][
            "fluency"
        ]
        assert now["adjusted"] == before["adjusted"]
        widths = [e["adjusted_ci_high"] - e["adjusted_ci_low"] for e in (now, before)]
        if widens:
            assert widths[0] > widths[1]
            assert now["adjusted_p_value"] > before["adjusted_p_value"]
        else:
            assert widths[0] == pytest.approx(widths[1], rel=1e-9)


def test_a_slice_has_the_spread_of_its_own_pairs() -> None:
    study, n = panel_study((0.0, 0.2, 0.45)), 160
    verdicts = Comparisons(
        np.ones(2 * n, np.int8),
        np.ones((2 * n, 2), np.int8),
        np.zeros((2 * n, 2), bool),
        np.repeat(np.arange(n, dtype=np.int32) // 4, 2),
        ("discrimination_accuracy_half_credit", "flip_rate"),
        "discrimination",
    )
    halves = ["first"] * (n // 2) + ["second"] * (n // 2)
    labels = {
        "human": halves,
        "discrimination": halves,
        AGREEMENT: [h for h in halves for _ in "ab"],
    }
    widths = []
    for panel in (study.panel, None):
        found = judged_slices(replace(study, shares={AGREEMENT: verdicts}, panel=panel), labels)
        aligned = found["first"].estimates["alignment_discrimination_pearson"]
        widths.append(aligned.high - aligned.low)
    assert widths[0] > widths[1]


def test_more_graders_of_one_kind_leave_less_spread() -> None:
    few, many = (panel_study((0.05, 0.2, 0.35) * n).panel for n in (1, 3))
    assert few is not None
    assert many is not None
    least, most = (np.square(p.spread("human")).sum(axis=0)[1:] for p in (many, few))
    assert (least < most).all()


def test_the_record_has_each_grader_alone_and_how_they_agree() -> None:
    study = panel_study((0.0, 0.1, 0.3))
    record = panel_record(study)
    assert list(record["graders"]) == ["g0", "g1", "g2"]
    alone = study.by_grader("g2")
    entry = record["graders"]["g2"]
    assert set(entry) == {"human", "discrimination", "alignment_discrimination"}
    assert list(entry["human"]) == list(GRADED)
    assert entry["human"]["fluency"]["value"] == alone.influence("human")["fluency"].value
    flat = flat_panel(record)
    assert flat["grader_alpha_fluency_ci_low"] < flat["grader_alpha_fluency"]
    assert set(flat) >= {f"grader_{name}_{f}" for name in ("alpha", "agreement") for f in GRADED}
    assert panel_record(Study(study.tables)) == {} == flat_panel({})
    with pytest.raises(ValueError, match="no grader 'g7' in a panel of 3"):
        study.by_grader("g7")
