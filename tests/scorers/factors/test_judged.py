"""Judged factors: what the grader is asked, and what its answer says."""

import json

import pytest

from profile_tasks.scorers.factors.judged import JudgedRequest, batches
from profile_tasks.scorers.factors.taxonomy import load_taxonomy
from profile_tasks.solvers.sections import read_sections

TAXONOMY = load_taxonomy()
FLUENCY, COHERENCE = TAXONOMY["fluency"], TAXONOMY["coherence"]
REQUEST = JudgedRequest("Summarize.", "A cat sat.", "Cat sat.", "It sat.", (FLUENCY, COHERENCE))


def test_the_request_names_each_factor_once_with_its_definition() -> None:
    before, sections = read_sections(
        REQUEST.render(), ("request", "source", "first_response", "second_response")
    )
    assert before.count("- fluency: ") == before.count("- coherence: ") == 1
    assert " ".join(FLUENCY.definition.split()) in before
    assert sections == {
        "request": "Summarize.",
        "source": "A cat sat.",
        "first_response": "Cat sat.",
        "second_response": "It sat.",
    }


def test_a_request_without_source_has_no_section_for_it() -> None:
    request = JudgedRequest("Why?", None, "a", "b", (FLUENCY,))
    assert "<source>" not in request.render()


def test_the_schema_holds_exactly_the_factors() -> None:
    schema = REQUEST.schema()
    assert schema["required"] == ["fluency", "coherence"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["fluency"]["enum"] == ["first", "second", "equal"]


def test_a_complete_answer_is_read() -> None:
    reading = REQUEST.read('{"fluency": "First ", "coherence": "equal"}')
    assert reading.value == {"fluency": "first", "coherence": "tie"}
    assert reading.problems == ()


@pytest.mark.parametrize("wrong", ["better", "a", "", 1, None, True, ["first"], {"is": "first"}])
def test_a_wrong_verdict_is_missing_and_never_a_tie(wrong: object) -> None:
    reading = REQUEST.read(json.dumps({"fluency": "second", "coherence": wrong}))
    assert reading.value == {"fluency": "second"}
    assert reading.problems == ('"coherence" must be one of: first, second, equal',)


def test_a_missing_factor_is_missing() -> None:
    reading = REQUEST.read('{"coherence": "first"}')
    assert reading.value == {"coherence": "first"}
    assert len(reading.problems) == 1


def test_of_several_answers_each_factor_has_its_last_readable_verdict() -> None:
    reading = REQUEST.read(
        '{"fluency": "first", "coherence": "both"}', '{"fluency": "?", "coherence": "second"}', "no"
    )
    assert reading.value == {"fluency": "first", "coherence": "second"}
    assert reading.problems == ()


def test_an_answer_without_any_verdict_has_no_value() -> None:
    assert REQUEST.read('{"fluency": "x", "coherence": "y"}').value is None
    assert REQUEST.read("I cannot help with that.").value is None


def test_factors_are_asked_together_or_one_by_one() -> None:
    assert batches([FLUENCY, COHERENCE], "all") == [(FLUENCY, COHERENCE)]
    assert batches([FLUENCY, COHERENCE], "one") == [(FLUENCY,), (COHERENCE,)]
    assert batches([], "all") == batches([], "one") == []
