import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from profile_tasks.scorers.standard_metrics import (
    RougeF1,
    combined_preference,
    discrimination_accuracy,
    discrimination_kappa,
    preference_by_margin,
    rouge,
    rouge_l,
    verdict_rates,
)

few_words = st.lists(st.sampled_from(["the", "cat", "Sat.", "a-b", "é", "9"]), max_size=30)
texts = st.one_of(st.text(max_size=80), few_words.map(" ".join))
preferences = st.lists(
    st.tuples(st.sampled_from([-1, 0, 1]), st.sampled_from([-1, 0, 1])), min_size=1, max_size=40
)
verdicts = st.sampled_from(["first", "second", "tie", None])
pairs = st.lists(st.tuples(verdicts) | st.tuples(verdicts, verdicts), max_size=30)


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


@settings(deadline=None)
@given(response=texts, reference=texts)
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
def test_rouge_l_alone_is_that_of_all_three(response, reference):
    assert rouge_l(response, reference) == rouge(response, reference).rougeL


def test_accuracy_leaves_out_ties_of_either_side():
    human = np.array([1, 1, -1, 0, 1], dtype=np.int8)
    model = np.array([1, -1, -1, 1, 0], dtype=np.int8)
    assert discrimination_accuracy(human, model) == pytest.approx(2 / 3)


@pytest.mark.parametrize(("human", "model"), [([], []), ([0, 1], [1, 0])])
def test_accuracy_over_no_decided_pair_is_undefined(human, model):
    assert math.isnan(discrimination_accuracy(human, model))


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


@settings(deadline=None)  # the first example imports statsmodels
@given(preferences)
def test_kappa_and_accuracy_are_bounded_and_symmetric(rows):
    human, model = np.array(rows, dtype=np.int8).T
    for metric, low in ((discrimination_accuracy, 0), (discrimination_kappa, -1)):
        result = metric(human, model)
        assert math.isnan(result) or low <= result <= 1
        assert result == pytest.approx(metric(model, human), nan_ok=True)


@settings(deadline=None)  # the first example imports statsmodels
@given(preferences)
def test_recording_every_pair_the_other_way_round_changes_nothing(rows):
    human, model = np.array(rows, dtype=np.int8).T
    for metric in (discrimination_accuracy, discrimination_kappa):
        assert metric(-human, -model) == pytest.approx(metric(human, model), nan_ok=True)


@pytest.mark.parametrize("metric", [discrimination_accuracy, discrimination_kappa])
def test_a_value_that_is_no_preference_is_named(metric):
    with pytest.raises(ValueError, match="model preference of pair number 1 is 2"):
        metric([1, 1], [1, 2])
    with pytest.raises(ValueError, match="human preference of pair number 0 is nan"):
        metric([math.nan, 1], [1, 1])


@pytest.mark.parametrize("metric", [discrimination_accuracy, discrimination_kappa])
@pytest.mark.parametrize(("human", "model"), [([1], [1, 1]), ([[1]], [[1]])])
def test_preferences_over_different_pairs_are_refused(metric, human, model):
    with pytest.raises(ValueError, match=r"must both have shape \(n,\)"):
        metric(human, model)


@pytest.mark.parametrize(
    ("pair", "preference"),
    [
        (("first",), 1),
        (("second",), -1),
        (("tie",), 0),
        ((None,), None),
        (("first", "second"), 1),
        (("second", "first"), -1),
        (("tie", "tie"), 0),
        (("first", "first"), 0),
        (("second", "second"), 0),
        (("tie", "first"), 0),
        (("second", "tie"), 0),
        (("first", None), None),
        ((None, "tie"), None),
        ((None, None), None),
    ],
)
def test_two_verdicts_that_disagree_are_a_tie_and_an_unreadable_one_is_missing(pair, preference):
    assert combined_preference(pair) == preference


@pytest.mark.parametrize(
    ("margins", "preference"),
    [
        ((0.5,), 1),
        ((-0.5,), -1),
        ((0.0,), 0),
        # The second order shows the responses swapped: there a margin below 0 speaks for the first.
        ((1.0, -1.0), 1),
        ((-1.0, 1.0), -1),
        ((0.0, -1.0), 1),
        ((0.0, 1.0), -1),
        # A liking for the position shown first cancels; what is left of it decides.
        ((2.0, 2.0), 0),
        ((3.0, 1.0), 1),
        ((1.0, 3.0), -1),
        # A liking for the second position likewise.
        ((-2.0, -2.0), 0),
        ((-1.0, -3.0), 1),
        ((-3.0, -1.0), -1),
    ],
)
def test_the_margin_of_the_swapped_order_counts_against_the_first_response(margins, preference):
    assert preference_by_margin(margins) == preference


def test_verdict_rates_by_hand():
    rates = verdict_rates(
        [
            ("first", "second"),  # agrees
            ("tie", "tie"),  # agrees
            ("first", "first"),  # flip
            ("tie", "first"),  # flip
            (None, "second"),  # no flip to speak of
            ("second",),
        ]
    )
    assert rates.flip_rate == pytest.approx(2 / 4)
    assert rates.first_position_rate == pytest.approx(4 / 7)
    assert rates.unreadable_rate == pytest.approx(1 / 11)
    assert rates.n_requests == 11


@pytest.mark.parametrize(
    ("given_verdicts", "undefined"),
    [
        ([], {"flip_rate", "first_position_rate", "unreadable_rate"}),
        ([("first",)], {"flip_rate"}),
        ([("tie", "tie")], {"first_position_rate"}),
        ([(None, None)], {"flip_rate", "first_position_rate"}),
    ],
)
def test_a_rate_over_nothing_is_undefined(given_verdicts, undefined):
    rates = verdict_rates(given_verdicts)
    names = ("flip_rate", "first_position_rate", "unreadable_rate")
    assert {name for name in names if math.isnan(getattr(rates, name))} == undefined


@given(pairs)
def test_exchanging_the_two_positions_keeps_flips_and_mirrors_the_rest(rows):
    exchange = {"first": "second", "second": "first", "tie": "tie", None: None}
    exchanged = [tuple(exchange[verdict] for verdict in row) for row in rows]
    before, after = verdict_rates(rows), verdict_rates(exchanged)
    assert after.flip_rate == pytest.approx(before.flip_rate, nan_ok=True)
    assert after.unreadable_rate == pytest.approx(before.unreadable_rate, nan_ok=True)
    assert after.first_position_rate == pytest.approx(1 - before.first_position_rate, nan_ok=True)
    for row, mirrored in zip(rows, exchanged, strict=True):
        preference = combined_preference(row)
        assert combined_preference(mirrored) == (None if preference is None else -preference)


@pytest.mark.parametrize(
    ("pair", "complaint"),
    [
        ((), "has 0 verdicts. Must be 1, or 2"),
        (("tie", "tie", "tie"), "has 3 verdicts"),
        (("a",), "has the verdict 'a'. Must be one of: first, second, tie"),
    ],
)
def test_a_malformed_pair_is_named(pair, complaint):
    with pytest.raises(ValueError, match=f"Pair number 1 {complaint}"):
        verdict_rates([("tie",), pair])
    with pytest.raises(ValueError, match=complaint):
        combined_preference(pair)
