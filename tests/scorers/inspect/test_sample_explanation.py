"""A sample in words: which pairs, which factors."""

import pytest

from profile_tasks.scorers.inspect.sample_explanation import (
    LINES,
    sample_answer,
    sample_explanation,
    sample_value,
)
from profile_tasks.scorers.measurement.source_measurement import (
    GenerationPair,
    OwnLabelling,
    SourceMeasurement,
)


@pytest.fixture
def measured() -> SourceMeasurement:
    return SourceMeasurement(
        source_id="s",
        group="s",
        factors=("length", "fluency"),
        human=(1, -1),
        annotated=((1, -1), (0, None)),
        picks=(("first", "second"), (None, "first")),
        pairs_written=(
            GenerationPair(higher=5, lower=1, identical=False),
            GenerationPair(higher=2, lower=1, identical=True),
        ),
        written=((1, 1), (0, 0)),
        words_by_score={1: 10, 2: 10, 5: None},
    )


def test_each_pair_says_who_prefers_what_and_which_factors_show(
    measured: SourceMeasurement,
) -> None:
    assert sample_explanation(measured, ["p1", "p2"]).splitlines() == [
        "2 annotated pairs; judged: 1 as the human label, 1 unreadable; words written by target "
        "score: 1: 10, 2: 10, 5: missing",
        "- p1: people prefer A, the model A; A shows more length; B shows more fluency",
        "- p2: people prefer B, the model unreadably; no factor tells them apart",
        "- score 5 over score 1: score 5 shows more length, fluency",
        "- score 2 over score 1: equal texts",
    ]


def test_what_was_judged_of_the_own_pairs_is_told(measured: SourceMeasurement) -> None:
    pairs = (
        *(GenerationPair(higher=high, lower=1, identical=False) for high in (5, 4, 3, 2)),
        GenerationPair(higher=3, lower=2, identical=True),
    )
    both, second = ("first", "second"), ("second", "first")
    judged = measured.model_copy(
        update={
            "pairs_written": pairs,
            "written": ((1, 0),) * 5,
            "own_picks": (both, second, ("first", "first"), (None, "first"), ()),
        }
    )
    summary, *lines = sample_explanation(judged, ["p1", "p2"]).splitlines()
    assert summary.endswith("; own pairs judged: 1 as written, 1 missing")
    assert [line.partition(": ")[0] for line in lines[2:]] == [
        "- score 5 over score 1, the model judges so",
        "- score 4 over score 1, the model judges the other way",
        "- score 3 over score 1, the model judges alike, or with the order",
        "- score 2 over score 1, the model judges unreadably",
        "- score 3 over score 2",
    ]


def test_what_people_prefer_of_the_own_pairs_is_told(measured: SourceMeasurement) -> None:
    pairs = tuple(GenerationPair(higher=high, lower=1, identical=False) for high in (5, 4, 3, 2))
    labels = OwnLabelling(
        labels="labels.jsonl#0", preferences=(1, -1, 0, None), votes=((),) * 4, places=("",) * 4
    )
    labelled = measured.model_copy(
        update={"pairs_written": pairs, "written": ((1, 0),) * 4, "own_human": labels}
    )
    summary, *lines = sample_explanation(labelled, ["p1", "p2"]).splitlines()
    assert summary.endswith("; own pairs judged by people: 1 as written, 1 missing")
    assert [line.partition(": ")[0] for line in lines[2:]] == [
        "- score 5 over score 1, people prefer it so",
        "- score 4 over score 1, people prefer it the other way",
        "- score 3 over score 1, people prefer neither",
        "- score 2 over score 1",
    ]


def test_without_verdicts_nothing_is_said_of_the_model(measured: SourceMeasurement) -> None:
    unasked = measured.model_copy(update={"picks": None})
    assert "the model" not in sample_explanation(unasked, ["p1", "p2"])
    assert sample_answer(unasked) is None


def test_counts_and_answer_are_those_of_the_pairs(measured: SourceMeasurement) -> None:
    assert sample_value(measured) == {
        "annotated_pairs": 2,
        "judged_as_human": 1,
        "written_pairs": 2,
    }
    assert sample_answer(measured) == "1 of 2 pairs judged as by people"


def test_long_samples_are_cut_with_a_word(measured: SourceMeasurement) -> None:
    many = measured.model_copy(
        update={"human": (1,) * 40, "annotated": ((1, 0),) * 40, "picks": None}
    )
    lines = sample_explanation(many, [f"p{i}" for i in range(40)]).splitlines()
    assert len(lines) == 1 + LINES + 1
    assert lines[-1] == f"- and {42 - LINES} pairs more, in the score's metadata"
