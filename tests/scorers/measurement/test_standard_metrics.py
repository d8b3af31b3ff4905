import math
import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from profile_tasks.scorers.measurement.standard_metrics import (
    RougeF1,
    _tokens,
    decided_pairs,
    discrimination_accuracy,
    discrimination_kappa,
    half_credit_accuracy,
    rouge,
    rouge_l,
    tie_calibration,
    verdict_rates,
)
from profile_tasks.solvers.both_orders import PairVerdict

few_words = st.lists(st.sampled_from(["the", "cat", "Sat.", "a-b", "é", "9"]), max_size=30)
texts = st.one_of(st.text(max_size=80), few_words.map(" ".join))
# Letters of the Latin script alone, punctuation and symbols.
latin = st.characters(max_codepoint=0x36F) | st.characters(
    min_codepoint=0x2000, max_codepoint=0x2BFF, exclude_characters="\u2126"
)
latin_texts = st.one_of(st.text(latin, max_size=80), few_words.map(" ".join))
preferences = st.lists(
    st.tuples(st.sampled_from([-1, 0, 1]), st.sampled_from([-1, 0, 1])), min_size=1, max_size=40
)
pick = st.sampled_from(["first", "second", "tie", None])
pairs = st.lists(st.tuples(pick) | st.tuples(pick, pick), max_size=30)


METRICS = [half_credit_accuracy, decided_pairs, discrimination_accuracy, discrimination_kappa]


def rates_of(*picks):
    return verdict_rates([PairVerdict(of_pair) for of_pair in picks])


@pytest.fixture(scope="module")
def rouge_scorer():
    module = pytest.importorskip("rouge_score.rouge_scorer")
    return module.RougeScorer(["rouge1", "rouge2", "rougeL"])


def test_rouge_by_hand():
    # Tokens: a b c d against a c d e f; shared a, c, d; bigram c d; subsequence a c d.
    scores = rouge("A b c, d", "a c d e f")
    assert scores.rouge1 == pytest.approx(2 * 3 / (4 + 5))
    assert scores.rouge2 == pytest.approx(2 * 1 / (3 + 4))
    assert scores.rougeL == pytest.approx(2 * 3 / (4 + 5))


def test_rouge_l_heeds_the_order_of_words_and_rouge_1_does_not():
    assert rouge("c b a", "a b c").rouge1 == 1.0
    assert rouge("c b a", "a b c").rougeL == pytest.approx(1 / 3)


@pytest.mark.parametrize(("response", "reference"), [("", ""), ("", "a"), ("a", ""), ("…", "é")])
def test_rouge_without_tokens_is_zero(response, reference):
    assert rouge(response, reference) == RougeF1(0.0, 0.0, 0.0)


@given(response=latin_texts, reference=latin_texts)
@example(response="", reference="the cat")
@example(response="cat", reference="cat")
@example(response="a a a b", reference="a b a b a")
@example(response="İstanbul KELVIN 2K", reference="istanbul kelvin 2k")
@example(response="snake_case isn't\nhard", reference="snake case isn t hard")
def test_rouge_equals_the_rouge_score_package(rouge_scorer, response, reference):
    ours = rouge(response, reference)
    theirs = rouge_scorer.score(reference, response)
    for name, score in theirs.items():
        assert getattr(ours, name) == pytest.approx(score.fmeasure, rel=0, abs=1e-12)


@given(response=texts, reference=texts)
def test_rouge_keeps_the_tokens_of_the_rouge_score_package_and_is_symmetric(response, reference):
    kept = [token for token in _tokens(response) if re.fullmatch("[a-z0-9]+", token)]
    assert kept == re.findall("[a-z0-9]+", response.lower())
    assert rouge(response, reference).rouge1 == pytest.approx(rouge(reference, response).rouge1)
    assert rouge(response, response).rougeL == (1.0 if _tokens(response) else 0.0)


def test_rouge_of_mixed_scripts_by_hand():
    # 我 用 python 写 | я пишу на python: one of four shared on either side.
    assert rouge("我用Python写。", "Я пишу на Python!").rouge1 == pytest.approx(1 / 4)
    assert rouge("β-carotene", "Carotene").rouge1 == pytest.approx(2 / 3)
    assert rouge("هذا ٢٠٢٤", "عام ٢٠٢٤").rouge1 == pytest.approx(1 / 2)


@given(response=texts, reference=texts)
def test_rouge_l_alone_is_that_of_all_three(response, reference):
    assert rouge_l(response, reference) == rouge(response, reference).rougeL


def test_accuracy_leaves_out_ties_of_either_side():
    human = np.array([1, 1, -1, 0, 1], dtype=np.int8)
    model = np.array([1, -1, -1, 1, 0], dtype=np.int8)
    assert discrimination_accuracy(human, model) == pytest.approx(2 / 3)


@pytest.mark.parametrize(("human", "model"), [([], []), ([0, 0], [1, -1])])
def test_half_credit_over_no_human_preference_is_undefined(human, model):
    assert math.isnan(half_credit_accuracy(human, model))


@pytest.mark.parametrize(("human", "model"), [([], []), ([0, 1], [1, 0])])
def test_accuracy_over_no_decided_pair_is_undefined(human, model):
    assert math.isnan(discrimination_accuracy(human, model))


def test_half_credit_counts_every_pair_that_people_decide():
    human = [1, 1, -1, -1, 0, 1]
    model = [1, -1, -1, 0, 1, 0]
    assert half_credit_accuracy(human, model) == pytest.approx((1 + 0 + 1 + 0.5 + 0.5) / 5)
    assert discrimination_accuracy(human, model) == pytest.approx(2 / 3)
    assert decided_pairs(human, model) == 3


def test_half_credit_does_not_reward_leaving_hard_pairs_undecided():
    human = np.ones(10)
    careful, bold = np.repeat([1, 0], [2, 8]), np.repeat([1, -1], [9, 1])
    assert discrimination_accuracy(human, careful) > discrimination_accuracy(human, bold)
    assert half_credit_accuracy(human, careful) < half_credit_accuracy(human, bold)


@given(preferences)
def test_half_credit_is_accuracy_where_all_is_decided_and_one_half_where_nothing_is(rows):
    human, model = np.array(rows, dtype=np.int8).T
    bold = np.where(model == 0, 1, model)
    assert half_credit_accuracy(human, bold) == pytest.approx(
        discrimination_accuracy(human, bold), nan_ok=True
    )
    if human.any():
        assert half_credit_accuracy(human, np.zeros_like(human)) == 0.5


def test_a_tie_is_predicted_up_to_the_threshold_that_serves_best():
    human, margins = [1, -1, 0, 0, 1], [4.0, -3.0, 1.0, -2.0, 0.5]
    # 0: 3 of 5; up to 0.5: 2; up to 1: 3; up to 2: 4; up to 3: 3; up to 4: 2.
    found = tie_calibration(human, margins)
    assert (found.accuracy, found.threshold) == (4 / 5, 2.0)


def test_of_thresholds_that_serve_alike_the_least_is_taken():
    assert tie_calibration([1, 1, 0], [3.0, 2.0, 0.0]).threshold == 0
    assert tie_calibration([1, 1], [3.0, -2.0]).threshold == 0


@given(
    st.lists(
        st.tuples(st.sampled_from([-1, 0, 1]), st.sampled_from([-2.0, -1.0, 0.0, 0.5, 1.0, 3.0])),
        min_size=1,
        max_size=30,
    )
)
def test_tie_calibration_is_the_best_of_all_thresholds(rows):
    human, margins = np.array(rows).T
    sizes = np.unique(np.append(np.abs(margins), 0.0))
    right = [
        np.mean(np.where(np.abs(margins) <= size, 0, np.sign(margins)) == human) for size in sizes
    ]
    found = tie_calibration(human, margins)
    assert found.accuracy == pytest.approx(max(right))
    assert found.threshold == sizes[int(np.argmax(right))]


def test_tie_calibration_of_nothing_is_undefined_and_refuses_broken_margins():
    nothing = tie_calibration([], [])
    assert math.isnan(nothing.accuracy)
    assert math.isnan(nothing.threshold)
    with pytest.raises(ValueError, match="a margin is not finite"):
        tie_calibration([1], [math.inf])


def test_kappa_by_hand():
    # Agreement on 3 of 4; by chance 2/4 * 2/4 first, 1/4 * 0 ties and 1/4 * 2/4 second.
    by_chance = 1 / 4 + 0 + 1 / 8
    kappa = discrimination_kappa([1, 1, 0, -1], [1, 1, -1, -1])
    assert kappa == pytest.approx((3 / 4 - by_chance) / (1 - by_chance))


@pytest.mark.parametrize(("human", "model"), [([], []), ([1, 1], [1, 1]), ([0], [0])])
def test_kappa_is_undefined_where_chance_gives_full_agreement(human, model):
    assert math.isnan(discrimination_kappa(human, model))


@pytest.mark.parametrize(
    ("human", "model"), [([1, 0, -1], [1, 1, 1]), ([-1, -1], [1, 1]), ([0, 0], [1, -1])]
)
def test_kappa_with_one_side_constant_is_chance(human, model):
    assert discrimination_kappa(human, model) == 0.0


@given(preferences)
def test_kappa_and_accuracy_are_bounded_and_symmetric(rows):
    human, model = np.array(rows, dtype=np.int8).T
    assert math.isnan(half := half_credit_accuracy(human, model)) or 0 <= half <= 1
    for metric, low in ((discrimination_accuracy, 0), (discrimination_kappa, -1)):
        result = metric(human, model)
        assert math.isnan(result) or low <= result <= 1
        assert result == pytest.approx(metric(model, human), nan_ok=True)


@given(preferences)
def test_recording_every_pair_the_other_way_round_changes_nothing(rows):
    human, model = np.array(rows, dtype=np.int8).T
    for metric in (half_credit_accuracy, discrimination_accuracy, discrimination_kappa):
        assert metric(-human, -model) == pytest.approx(metric(human, model), nan_ok=True)


@pytest.mark.parametrize("metric", METRICS)
def test_a_value_that_is_no_preference_is_named(metric):
    with pytest.raises(ValueError, match="model preference of pair number 1 is 2"):
        metric([1, 1], [1, 2])
    with pytest.raises(ValueError, match="human preference of pair number 0 is nan"):
        metric([math.nan, 1], [1, 1])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("human", "model"), [([1], [1, 1]), ([[1]], [[1]])])
def test_preferences_over_different_pairs_are_refused(metric, human, model):
    with pytest.raises(ValueError, match=r"must both have shape \(n,\)"):
        metric(human, model)


def test_verdict_rates_by_hand():
    rates = rates_of(
        ("first", "second"),  # agrees
        ("tie", "tie"),  # agrees
        ("first", "first"),  # flip
        ("tie", "first"),  # flip
        (None, "second"),  # no flip to speak of
        ("second",),
    )
    assert rates == pytest.approx(
        {"flip_rate": 2 / 4, "first_position_rate": 4 / 7, "unreadable_rate": 1 / 11}
    )


@pytest.mark.parametrize(
    ("picks", "undefined"),
    [
        ([], {"flip_rate", "first_position_rate", "unreadable_rate"}),
        ([("first",)], {"flip_rate"}),
        ([("tie", "tie")], {"first_position_rate"}),
        ([(None, None)], {"flip_rate", "first_position_rate"}),
    ],
)
def test_a_rate_over_nothing_is_undefined(picks, undefined):
    assert {name for name, rate in rates_of(*picks).items() if math.isnan(rate)} == undefined


@given(pairs)
def test_exchanging_the_two_positions_keeps_flips_and_mirrors_the_rest(rows):
    verdicts = [PairVerdict(row) for row in rows]
    before, after = verdict_rates(verdicts), verdict_rates([v.exchanged() for v in verdicts])
    mirrored = before | {"first_position_rate": 1 - before["first_position_rate"]}
    assert after == pytest.approx(mirrored, nan_ok=True)
