"""Texts that answer nothing are told: echoes, talk of the score, loops."""

import json
from pathlib import Path

import pytest

from profile_tasks.data.preferences import AnnotatedSource, load_preferences
from profile_tasks.scorers.factors.selection import resolve_factors
from profile_tasks.scorers.measurement.source_measurement import measure_source, standard_metrics
from profile_tasks.scorers.measurement.text_faults import measured_texts, text_faults
from profile_tasks.solvers.requests import GenerationRequest, parse_request

SOURCE = load_preferences("demo", task="summarization", limit=1).sources[0]


def faults(text: str, source: AnnotatedSource = SOURCE) -> tuple[str, ...]:
    return text_faults(source, {1: text})[1]


def test_a_good_summary_has_none() -> None:
    for pair in SOURCE.pairs:
        assert faults(pair.response_a) == faults(pair.response_b) == ()
    assert SOURCE.reference is None or faults(SOURCE.reference) == ()


def test_the_request_given_back_is_an_echo() -> None:
    request = GenerationRequest("summarization", SOURCE.prompt, SOURCE.source, 2).render()
    assert "echo" in faults(request.split("\n")[0])


@pytest.mark.parametrize(
    "talk",
    ["It is rated 2 out of 5.", "With a target score of 2.", "Score: 3", "I give it 4/5.",
     "On a scale of 1 to 5 it is good."],
)  # fmt: skip
def test_talk_of_the_score_is_told(talk: str) -> None:
    assert faults(f"The museum opens later. {talk}") == ("score_talk",)


@pytest.mark.parametrize(
    "fact",
    ["The treaty was signed on 2018/10/05.", "Add 3/10 of the flour.", "Rated 7.5 by critics.",
     "About 3 out of 10 patients recovered.", "He won with a score of 3 to 1.",
     "A rating of 15 amps is needed."],
)  # fmt: skip
def test_numbers_of_the_world_are_no_talk_of_the_score(fact: str) -> None:
    assert faults(fact) == ()


def test_a_source_about_scores_may_be_talked_about() -> None:
    about = SOURCE.model_copy(update={"source": "The hotel was rated 4 out of 5 by its guests."})
    assert faults("Guests rated 4 out of 5 for the hotel.", about) == ()


def test_a_text_that_repeats_itself_is_a_loop() -> None:
    assert faults("The museum opens at nine. " * 6) == ("loop",)
    assert faults("Very, very, very good.") == ()


def test_faulty_texts_can_be_made_missing() -> None:
    written: dict[int, str | None] = {1: "Target score 1.", 2: "Fine.", 3: None}
    found = text_faults(SOURCE, written)
    assert measured_texts(written, found, "missing") == {1: None, 2: "Fine.", 3: None}
    assert measured_texts(written, found, "count") == written


def test_their_rates_are_of_the_texts_that_were_written() -> None:
    written: dict[int, str | None] = {1: "Target score 1.", 2: "Fine text.", 3: None}
    length = resolve_factors("length", "summarization")
    measured = measure_source(
        SOURCE, length, responses_by_score=written, text_faults=text_faults(SOURCE, written)
    )
    found = standard_metrics([measured])
    assert found["generation_score_talk_rate"] == 0.5
    assert found["generation_echo_rate"] == found["generation_loop_rate"] == 0
    unknown = measure_source(SOURCE, length, responses_by_score=written)
    assert "generation_loop_rate" not in standard_metrics([unknown])


def test_most_summaries_of_a_small_real_model_are_told(shared_cases: Path) -> None:
    told = []
    for line in (shared_cases / "smollm2" / "answers.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        request = row["messages"][-1]["content"] if row["messages"] else ""
        if request.startswith("Summaries of a text are rated"):
            asked = parse_request(request)
            source = SOURCE.model_copy(update={"prompt": asked.prompt, "source": asked.source})
            told.append(bool(faults(row["answer"], source)))
    assert len(told) == 30
    assert sum(told) >= 25  # read by hand, 26 answer nothing
