"""Differences of two models in words: stated where they are shown, undecided elsewhere."""

import math
from typing import Any

import pytest

from profile_tasks.runs.words import comparison_words, more_like_people, strongest_difference
from profile_tasks.scorers.statistics.estimate import Estimate, none_for_nan


def found(a: float, b: float, width: float, **more: Any) -> dict[str, Any]:
    return {
        "a": a,
        "b": b,
        "value": a - b,
        "ci_low": a - b - width,
        "ci_high": a - b + width,
    } | more


def compared(**parts: Any) -> dict[str, Any]:
    return {"alignments": {}, "perspectives": {}, "agreement": {}} | parts


def generation(**factors: dict[str, Any]) -> dict[str, Any]:
    return compared(perspectives={"generation": {"factors": factors}})


def test_an_alignment_is_closer_only_where_the_interval_says_so() -> None:
    (shown,) = comparison_words(
        compared(alignments={"alignment_generation_tau_b": found(0.1, 0.5, 0.2)})
    )
    assert shown == (
        "as a writer (across texts: people chose among others), B is closer to people than A: "
        "alignment (tau_b) +0.10 against +0.50, "
        "A - B -0.40 [-0.60, -0.20]"
    )
    (undecided,) = comparison_words(
        compared(alignments={"alignment_discrimination_tau_b": found(0.1, 0.5, 0.5)})
    )
    assert undecided.startswith("as a judge, it is undecided whether A or B is closer to people:")


@pytest.mark.parametrize(
    ("a", "b", "width", "said"),
    [
        (0.9, 0.2, 0.3, "A writes more as it judges than B: r +0.90 against +0.20, A - B +0.70"),
        (0.2, 0.9, 0.3, "B writes more as it judges than A: r +0.20 against +0.90, A - B -0.70"),
        (0.9, 0.8, 0.3, "it is undecided whether A or B writes more as it judges: r +0.90 against"),
    ],
)
def test_self_agreement_is_told_first(a: float, b: float, width: float, said: str) -> None:
    alignments = {
        "alignment_discrimination_tau_b": found(0.1, 0.5, 0.2),
        "self_agreement_pearson": found(a, b, width),
    }
    assert comparison_words(compared(alignments=alignments))[0].startswith(said)


def test_the_gap_and_the_accuracy_have_sentences_of_their_own() -> None:
    gap, accuracy, decided = comparison_words(
        compared(
            alignments={"alignment_gap_tau_b": found(0.4, 0.1, 0.1)},
            agreement={
                "discrimination_accuracy": found(0.7, 0.71, 0.1),
                "discrimination_accuracy_half_credit": found(0.6, 0.61, 0.1),
            },
        )
    )
    assert gap.startswith(
        "the paper's gap, alignment as a judge less alignment as a writer on other texts, is "
        "greater in A than in B: +0.40"
    )
    undecided = "it is undecided whether A or B judges more like people: accuracy"
    assert accuracy.startswith(f"{undecided} with half credit 0.60")
    assert decided.startswith(f"of the pairs that each decides, {undecided} 0.70")


@pytest.mark.parametrize(
    ("a", "b", "better", "worse", "numbers"),
    [
        (0.7, 0.5, "A", "B", "0.70 against 0.50, A - B +0.20 [+0.10, +0.30]"),
        (0.5, 0.7, "B", "A", "0.50 against 0.70, A - B -0.20 [-0.30, -0.10]"),
    ],
)
def test_the_better_one_is_named_first_and_the_numbers_stay_those_of_a_and_b(
    a: float, b: float, better: str, worse: str, numbers: str
) -> None:
    entry = found(a, b, 0.1)
    names = ("alignment_generation_tau_b", "alignment_discrimination_tau_b", "alignment_gap_tau_b")
    writer, judge, gap, accuracy = comparison_words(
        compared(
            alignments=dict.fromkeys(names, entry),
            agreement={"discrimination_accuracy_half_credit": entry},
        )
    )
    signed = f"+{numbers}".replace("against ", "against +")
    across = "as a writer (across texts: people chose among others)"
    for role, sentence in ((across, writer), ("as a judge", judge)):
        assert sentence == (
            f"{role}, {better} is closer to people than {worse}: alignment (tau_b) {signed}"
        )
    assert gap == (
        "the paper's gap, alignment as a judge less alignment as a writer on other texts, is "
        f"greater in {better} than in {worse}: {signed}"
    )
    assert accuracy == (
        f"{better} judges more like people than {worse}: accuracy with half credit {numbers}"
    )


def test_factors_are_named_by_their_adjusted_test_surest_first() -> None:
    sentences = comparison_words(
        generation(
            length=found(0.9, 0.3, 0.1, p_adjusted=0.04, human=0.2),
            fluency=found(0.1, 0.3, 0.1, p_adjusted=0.01, human=None),
            novelty=found(0.1, 0.9, 0.1, p_adjusted=0.06, human=0.1),
        )
    )
    assert sentences == [
        "as a writer, A follows fluency less than B: +0.10 against +0.30, "
        "A - B -0.20 [-0.30, -0.10]",
        "as a writer, A follows length more than B: +0.90 against +0.30, "
        "A - B +0.60 [+0.50, +0.70]; people +0.20",
        "as a writer, it is undecided whether the others (1) differ",
        "as a writer, A and B wrote other texts: a difference of influence is not shown to be one "
        "of taste",
    ]


def test_no_difference_is_not_called_sameness() -> None:
    (shown,) = comparison_words(generation(length=found(0.9, 0.3, 1, p_adjusted=0.5, human=0)))
    assert shown == (
        "as a writer, no factor's influence is shown to differ (Holm); that does not show that "
        "they are equal: a difference in one of them below 1.43 may not show"
    )


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (-0.4, -0.8, "A goes against length less than B"),
        (-0.8, -0.4, "A goes against length more than B"),
        (0.3, -0.4, "A follows length, and B goes against it"),
        (0.3, 0.0, "A follows length more than B"),
    ],
)
def test_who_follows_a_factor_is_told_by_both_signs(a: float, b: float, words: str) -> None:
    shown, caution = comparison_words(generation(length=found(a, b, 0.1, p_adjusted=0.01)))
    assert "wrote other texts" in caution
    assert shown.startswith(f"as a writer, {words}: ")


def test_too_few_groups_for_a_test_are_said_to_be_so() -> None:
    (shown,) = comparison_words(generation(length=found(0.9, 0.1, 0.1, p_adjusted=None)))
    assert shown == "as a writer, the data are too few to test whether factors differ"


@pytest.mark.parametrize("missing", ["ci_low", "ci_high"])
def test_without_an_interval_nothing_is_decided(missing: str) -> None:
    entry = found(0.9, 0.1, 0.1) | {missing: None}
    (shown,) = comparison_words(compared(alignments={"alignment_generation_tau_b": entry}))
    assert "undecided" in shown
    assert "[no interval]" in shown


def test_what_is_not_defined_is_said_to_be_so() -> None:
    entry = dict.fromkeys(("a", "b", "value", "ci_low", "ci_high"))
    alignment, accuracy = comparison_words(
        compared(
            alignments={"alignment_generation_tau_b": entry},
            agreement={"discrimination_accuracy_half_credit": entry},
        )
    )
    assert "not defined against not defined, A - B not defined" in alignment
    assert accuracy == (
        "the accuracy with half credit of judging cannot be compared: it is not defined"
    )


def judged(
    verdict: str,
    consistency: Estimate,
    p_adjusted: float = 0.5,
    **factors: tuple[str, float, float],
) -> list[str]:
    """What is said of two judges; of each factor its verdict, departure and smallest departure."""
    entries = {
        name: {"a": 0.5, "b": 0.25, "human": 0.125, "value": 0.25, "p_adjusted": p_adjusted}
        | {
            "taste": {
                "verdict": each,
                **Estimate(departure, departure - 0.0625, departure + 0.0625).record(),
                "p_adjusted": 0.01 * i,
                "smallest_shown": none_for_nan(smallest),
            }
        }
        for i, (name, (each, departure, smallest)) in enumerate(factors.items())
    }
    taste = {"verdict": verdict, "consistency": consistency.record(), "margin": 0.1}
    return comparison_words(
        compared(perspectives={"discrimination": {"factors": entries, "taste": taste}})
    )


def test_judges_of_the_same_pairs_are_told_apart_by_taste_and_by_consistency() -> None:
    assert judged(
        "differs in taste",
        Estimate(2, 1.5, 2.5),
        length=("differs in taste", 0.25, 0.2),
        fluency=("differs in consistency", 0.0, 0.2),
        novelty=("undecided", 0.125, 0.3),
        markdown=("equivalent", 0.0, 0.05),
    ) == [
        "as a judge, differs in taste: A follows length more than B, +0.50 against +0.25, after "
        "one scale A - B +0.25 [+0.19, +0.31]; people +0.12",
        "as a judge, A differs in consistency from B: it is 2.00 [1.50, 2.50] times as consistent",
        "as a judge, equivalent in taste (a departure below 0.1): markdown",
        "as a judge, differs in consistency, with no departure in taste shown: fluency (from 0.20 "
        "on it would have shown)",
        "as a judge, undecided: novelty (from 0.30 on it would have shown)",
    ]


def test_equivalent_tastes_are_said_to_be_with_their_margin() -> None:
    assert judged("equivalent", Estimate(1, 0.5, 2), length=("equivalent", 0.0, 0.05)) == [
        "as a judge, it is undecided whether A or B is the more consistent: A is 1.00 [0.50, 2.00] "
        "times as consistent as B",
        "as a judge, the tastes of A and B are equivalent: every departure after one scale is "
        "shown to be smaller than 0.1",
    ]


NOTHING = (math.nan, math.nan)


def test_without_a_scale_neither_taste_nor_consistency_is_compared_and_the_reason_is_said() -> None:
    why = "one factor: its influence cannot be told from the scale"
    assert judged("undecided", Estimate.undefined(why), length=("undecided", *NOTHING)) == [
        f"as a judge, neither tastes nor consistency of A and B can be compared: {why}"
    ]


def test_a_factor_that_differs_is_named_where_it_is_undecided_in_what() -> None:
    why = "no scale is known"
    assert judged("undecided", Estimate.undefined(why), 0.01, length=("undecided", *NOTHING)) == [
        "as a judge, differs, whether in taste or in consistency is undecided: length",
        f"as a judge, neither tastes nor consistency of A and B can be compared: {why}",
    ]
    found = judged("undecided", Estimate(1, 0.5, 2), 0.01, length=("undecided", 0.0, 0.3))
    assert found[0].endswith("is undecided: length (from 0.30 on it would have shown)")
    assert not any("as a judge, undecided" in each for each in found)


def test_what_departs_whatever_the_scale_is_said_without_a_size() -> None:
    assert judged(
        "differs in taste",
        Estimate.undefined("no scale is known"),
        length=("differs in taste", *NOTHING),
        fluency=("undecided", *NOTHING),
    ) == [
        "as a judge, differs in taste: A follows length more than B, +0.50 against +0.25, "
        "whatever the scale; people +0.12",
        "as a judge, the consistency of A and B cannot be compared: no scale is known",
        "as a judge, undecided: fluency",
    ]


def test_equivalent_tastes_of_judges_who_differ_in_consistency_are_said_to_be_both() -> None:
    both = "equivalent in taste, differs in consistency"
    assert judged(both, Estimate(2, 1.5, 2.5), length=(both, 0.0, 0.05)) == [
        "as a judge, A differs in consistency from B: it is 2.00 [1.50, 2.50] times as consistent",
        "as a judge, the tastes of A and B are equivalent: every departure after one scale is "
        "shown to be smaller than 0.1",
    ]
    some = judged(
        "differs in consistency",
        Estimate(2, 1.5, 2.5),
        length=(both, 0.0, 0.05),
        fluency=("equivalent", 0.0, 0.05),
        novelty=("differs in consistency", 0.0, 0.2),
    )
    assert some[1:3] == [
        "as a judge, equivalent in taste (a departure below 0.1): fluency",
        "as a judge, equivalent in taste (a departure below 0.1), differs in consistency: length",
    ]


@pytest.mark.parametrize(
    ("a", "b", "width", "said"),
    [
        (0.71, 0.30, 0.17, "A judges as people do in 71 % of pairs, B in 30 %: difference +41 "
         "points [+24, +58]"),
        (0.30, 0.31, 0.10, "A judges as people do in 30 % of pairs, B in 31 %: difference -1 "
         "points [-11, +9], which leaves open which of the two judges more like people"),
    ],
)  # fmt: skip
def test_who_judges_more_like_people_is_told_in_percent_of_the_pairs(
    a: float, b: float, width: float, said: str
) -> None:
    agreement = {"discrimination_accuracy_half_credit": found(a, b, width)}
    assert more_like_people(compared(agreement=agreement)) == said


def test_who_judges_more_like_people_is_not_told_of_one_that_judged_nothing() -> None:
    assert more_like_people(compared()) == ""
    none = found(0.5, 0.5, 0.1) | {"b": None}
    assert more_like_people(compared(agreement={"discrimination_accuracy_half_credit": none})) == ""


def test_one_factor_is_singular_and_no_number_is_a_negative_zero() -> None:
    one = found(0.7, -0.001, 0.1, p_adjusted=0.001)
    said = strongest_difference(generation(length=one))
    assert "(told in 1 of 1 factor, Holm)" in said
    assert "+0.70 against +0.00" in said
