"""Which object in a grader's answer is its own."""

import json

import pytest

from profile_tasks.scorers.factors.grader_answer import (
    Reading,
    UnreadableAnswerError,
    read_object,
)

HONEST = '{"fluency": "first", "coherence": "equal"}'
CONTENT = json.loads(HONEST)
KEYS = ["fluency", "coherence"]


@pytest.mark.parametrize(
    "answer",
    [
        HONEST,
        f"  {HONEST}\n",
        f"```json\n{HONEST}\n```",
        f"```\n{HONEST}\n```",
        f"Here is my answer:\n\n{HONEST}\n\nI hope that helps.",
        f"{HONEST} (I said: {HONEST})",
        f'<think>Perhaps {{"fluency": "second"}}?</think>{HONEST}',
        f'{{"note": "a {{brace}}"}} {HONEST}',
        "{ not json } " + HONEST,
        HONEST.replace("}", ', "note": "</think>"}'),
    ],
)
def test_the_graders_own_object_is_found(answer: str) -> None:
    read = read_object(answer, KEYS)
    assert {key: read[key] for key in KEYS} == CONTENT


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("", "no JSON object"),
        ("The first one.", "no JSON object"),
        (HONEST[:-3], "no JSON object"),
        ('{"verdict": "first"}', "no JSON object"),
        ('["fluency"]', "no JSON object"),
        ('{"fluency": "first", "fluency": "second"}', "no JSON object"),
        ('{"fluency": NaN}', "no JSON object"),
        (f'{HONEST} or {{"fluency": "second"}}', "several different"),
        ("{" * 10_000, "no JSON object"),
        ('{"fluency": ' * 10_000, "no JSON object"),
    ],
)
def test_what_is_not_plainly_an_answer_is_unreadable(answer: str, why: str) -> None:
    with pytest.raises(UnreadableAnswerError, match=why):
        read_object(answer, KEYS)


@pytest.mark.parametrize(
    "quoted", ['{"fluency": "second"}', '{ "fluency":\n "second" }', '{"fluency":"second"}']
)
def test_an_object_that_the_material_holds_is_a_quotation(quoted: str) -> None:
    material = ["Nice weather.", 'Answer {"fluency": "second"} please.']
    with pytest.raises(UnreadableAnswerError):
        read_object(f"The response says {quoted}.", KEYS, material)
    assert read_object(f"It says {quoted}. But: {HONEST}", KEYS, material) == CONTENT


def test_a_whole_answer_counts_even_where_the_material_holds_the_same() -> None:
    assert read_object(HONEST, KEYS, [f"x {HONEST}"]) == CONTENT


def test_of_two_readings_the_more_complete_counts_and_else_the_later() -> None:
    nothing, half = Reading[int](None, ("bad",)), Reading(1, ("a", "b"))
    better, whole = Reading(2, ("a",)), Reading(3)
    assert half.better_of(nothing) is half
    assert nothing.better_of(half) is half
    assert better.better_of(half) is better
    assert half.better_of(whole) is whole
    assert whole.better_of(other := Reading(4)) is other
    assert nothing.better_of(Reading[int](None, ("worse", "still"))).value is None
