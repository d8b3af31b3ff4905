"""What is kept of a grader's answers, and what of it counts and can be used again."""

import math

import pytest

from profile_tasks.scorers.factors.facts import Fact, ResponseFacts
from profile_tasks.scorers.factors.taxonomy import load_taxonomy
from profile_tasks.scorers.grading.record import (
    FactorGrading,
    GradedPair,
    SourceGrades,
    digest,
    factor_grading,
    graded_signs,
    graded_values,
    reusable,
    wording,
)

TAXONOMY = load_taxonomy()
FLUENCY, COHERENCE = TAXONOMY["fluency"], TAXONOMY["coherence"]
HALLUCINATION, COVERAGE = TAXONOMY["hallucination"], TAXONOMY["source_coverage"]
WORDINGS = {factor.id: wording(factor) for factor in (FLUENCY, COHERENCE, HALLUCINATION, COVERAGE)}
TEXTS = {"x": digest("one"), "y": digest("two")}


def facts(*labels: str) -> ResponseFacts:
    stated = tuple(
        Fact(text=f"Fact {number}.", labels={"hallucination": label})
        for number, label in enumerate(labels)
    )
    return ResponseFacts(facts=stated, covered=("Key one.",))


def grades(*verdicts: dict[str, tuple[str | None, ...]], **fields: object) -> SourceGrades:
    """Grades of the responses x and y, with their pair's verdicts, and of z, a copy of x."""
    known: dict[str, object] = {
        "grader": "g",
        "wordings": WORDINGS,
        "texts": TEXTS,
        "same_as": {"x": "x", "y": "y", "z": "x"},
        "pairs": tuple(GradedPair(first="x", second="y", verdicts=each) for each in verdicts),
    }
    return SourceGrades(**{**known, **fields})


@pytest.mark.parametrize(
    ("said", "sign"),
    [
        # Verdicts are kept in the recorded order, so two that agree name the same response.
        (("first", "first"), 1),
        (("second", "second"), -1),
        (("first", "second"), 0),
        (("tie", "tie"), 0),
        (("first", None), None),
        ((), None),
    ],
)
def test_two_verdicts_make_a_sign_that_turns_with_the_pair(
    said: tuple[str | None, ...], sign: int | None
) -> None:
    found = grades({"fluency": said})
    assert graded_signs(found, FLUENCY, [("x", "y")]) == [sign]
    assert graded_signs(found, FLUENCY, [("y", "x")]) == [None if sign is None else -sign]


def test_equal_texts_show_equally_much_of_what_was_asked_about() -> None:
    assert graded_signs(grades(), FLUENCY, [("x", "z")]) == [0]
    assert graded_signs(grades(wordings={}), FLUENCY, [("x", "z")]) == [None]


@pytest.mark.parametrize(("swapped", "sign"), [(False, 1), (True, -1)])
def test_of_two_verdicts_one_order_takes_the_one_it_would_have_asked_for(
    swapped: bool, sign: int
) -> None:
    pair = GradedPair(
        first="x", second="y", swapped=swapped, verdicts={"fluency": ("first", "second")}
    )
    assert pair.verdict("fluency", 2).preference == 0
    assert pair.verdict("fluency", 1).preference == sign


def test_an_equal_response_has_the_value_of_the_one_that_was_graded() -> None:
    found = grades(responses={"x": facts("supported", "absent", "absent", "absent")})
    values = graded_values(found, HALLUCINATION)
    assert (values["x"], values["z"]) == (0.75, 0.75)
    assert math.isnan(values["y"])


def test_missing_and_flipped_judgements_are_counted_by_factor() -> None:
    found = grades(
        {"fluency": ("first", "second"), "coherence": ("first", "first")},
        {"fluency": ("first", None), "coherence": ("second", "second")},
    )
    assert factor_grading(found, FLUENCY, "s") == FactorGrading(2, 1, both_orders=1, flipped=1)
    assert factor_grading(found, COHERENCE, "s") == FactorGrading(2, 0, both_orders=2, flipped=0)


def test_a_label_that_was_left_out_is_missing_and_an_empty_share_is_not() -> None:
    left_out = ResponseFacts(facts=(Fact(text="A fact."),))
    found = grades(responses={"x": left_out, "y": ResponseFacts(facts=())})
    # x and y were graded; z is x's text.
    assert factor_grading(found, HALLUCINATION, "s") == FactorGrading(2, 1)


def test_where_a_source_allows_no_factor_nothing_was_asked() -> None:
    assert factor_grading(grades(), HALLUCINATION, None) == FactorGrading(0, 0)


def test_coverage_fails_without_key_facts_and_not_where_the_source_has_none() -> None:
    assert factor_grading(grades(key_facts=None), COVERAGE, "s").missing == 2
    assert factor_grading(grades(key_facts=()), COVERAGE, "s").missing == 0


def test_the_same_words_about_the_same_texts_are_used_again() -> None:
    known = grades(
        {"fluency": ("first", "first")},
        responses={"x": facts("absent"), "y": facts("supported")},
        key_facts=("Key one.",),
    )
    # The next scoring calls the same texts by other names.
    asked = SourceGrades(grader="g", texts={"new x": TEXTS["x"], "new y": TEXTS["y"]})
    again = reusable(known, asked, [FLUENCY, HALLUCINATION])
    assert again.key_facts == ("Key one.",)
    assert again.responses == {"new x": facts("absent"), "new y": facts("supported")}
    assert [(pair.first, pair.second) for pair in again.pairs] == [("new x", "new y")]
    assert again.pairs[0].verdicts == {"fluency": ("first", "first")}


@pytest.mark.parametrize(
    "other",
    [{"grader": "h"}, {"grader_settings": "warm"}, {"prompt_version": 0}, {"material": "m"}],
)
def test_what_another_grader_or_other_words_said_is_not(other: dict[str, object]) -> None:
    asked = SourceGrades(grader="g", texts=TEXTS).model_copy(update=other)
    assert reusable(grades({"fluency": ("first", "first")}), asked, [FLUENCY]) == asked


def test_a_factor_whose_definition_changed_is_asked_about_again() -> None:
    known = grades(
        {"fluency": ("first", "first"), "coherence": ("first", "first")},
        responses={"x": facts("absent")},
        wordings=WORDINGS | {"fluency": "Older words.", "hallucination": "Older words."},
    )
    again = reusable(
        known, SourceGrades(grader="g", texts=TEXTS), [FLUENCY, COHERENCE, HALLUCINATION]
    )
    assert again.pairs[0].verdicts == {"coherence": ("first", "first")}
    assert again.responses["x"].facts == (Fact(text="Fact 0."),)
    assert again.wordings.keys() == WORDINGS.keys() - {"fluency", "hallucination"}


def test_verdicts_of_another_batch_are_not_used_and_facts_are() -> None:
    known = grades({"fluency": ("first", "first")}, responses={"x": facts("absent")})
    asked = SourceGrades(grader="g", texts=TEXTS, judge_batch="one")
    again = reusable(known, asked, [FLUENCY, HALLUCINATION])
    assert again.pairs == ()
    assert again.responses == {"x": facts("absent")}


def test_texts_are_told_apart_from_absent_ones_and_by_where_they_end() -> None:
    assert len({digest(None), digest(""), digest("a", "b"), digest("ab"), digest("b", "a")}) == 5
