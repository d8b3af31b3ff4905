"""Texts of finished runs, read from lm-eval's samples and from Inspect logs."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from profile_tasks.data.preferences import (
    AnnotatedPair,
    AnnotatedSource,
    Preference,
    PreferenceData,
)
from profile_tasks.runs.scored_texts import recorded_scores, scored_texts, written_texts


def sample(**changes: Any) -> dict[str, Any]:
    measured = {
        "source_id": "s1",
        "group": "s1",
        "factors": ["length"],
        "human": [1],
        "annotated": [[1]],
        "words_by_score": {"1": 1, "5": 2},
    }
    pair = {"id": "p", "response_a": "a", "response_b": "b", "preference": "a"}
    doc = {"id": "s1", "group": "s1", "task": "document_qa", "prompt": "Why?", "pairs": [pair]}
    known = {"doc": doc, "resps": [[" short "], ["rather long"]], "measured_sources": measured}
    return known | changes


def written(folder: Path, *lines: object) -> str:
    path = folder / "samples_profile_summarization_generation_x.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return str(path)


def test_responses_stand_by_source_and_score(tmp_path: Path) -> None:
    texts = written_texts(written(tmp_path, sample()))
    assert (texts["s1"].source.prompt, texts["s1"].source.source) == ("Why?", None)
    assert {name: about.texts for name, about in texts.items()} == {
        "s1": {1: "short", 5: "rather long"}
    }


def test_an_empty_response_is_left_out(tmp_path: Path) -> None:
    empty = sample(resps=[["  "], ["rather long"]])
    assert written_texts(written(tmp_path, empty))["s1"].texts == {5: "rather long"}


@pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn
def test_an_inspect_log_holds_the_same(inspect_log: Any) -> None:
    texts = written_texts(str(inspect_log("concise", setting="generation")))
    assert [sorted(about.texts) for about in texts.values()] == [[1, 2, 3, 4, 5]] * 24


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["{"], r"jsonl:1: no sample of this project"),
        ([{"resps": []}], r"jsonl:1: no sample of this project: field 'measured_sources'"),
        ([sample(), sample(measured_sources={"a": 1})], r"jsonl:2: .* no measurement of a gen"),
        ([], "holds no responses to target scores"),
        ([sample(), sample()], "source 's1' stands in the file twice"),
        ([sample(resps=[["a"]])], "'resps' does not hold one text for each of 2 target scores"),
        ([sample(resps=[[], [None]])], "'resps' does not hold one text for each"),
        ([sample(resps="ab")], "'resps' does not hold one text for each"),
    ],
)
def test_other_files_are_refused_by_line(tmp_path: Path, lines: list[object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        written_texts(written(tmp_path, *lines))


def test_a_line_that_is_not_json_is_named(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_bytes(b'{"a": \xff}\n')
    with pytest.raises(ValueError, match=r"samples.jsonl:1: not JSON in UTF-8"):
        written_texts(str(path))


def annotated(*pairs: tuple[str, str, Preference | None]) -> AnnotatedSource:
    return AnnotatedSource(
        id="s",
        group="s",
        task="document_qa",
        prompt="Why?",
        source="Because.",
        pairs=tuple(
            AnnotatedPair(id=f"{n}", response_a=a, response_b=b, preference=preference)
            for n, (a, b, preference) in enumerate(pairs)
        ),
    )


def test_the_preferred_response_has_the_higher_score() -> None:
    found = recorded_scores(annotated(("good", "bad", "a"), ("worse", "better", "b")))
    assert found == [(1, "good"), (0, "bad"), (0, "worse"), (1, "better")]


def test_annotated_responses_that_nobody_preferred_have_no_scores() -> None:
    known, unknown = annotated(("good", "bad", "a")), annotated(("x", "y", None))
    data = PreferenceData((known, unknown.model_copy(update={"id": "t"})), (), 0, 0, "pairs.jsonl")
    assert list(scored_texts(data, None)) == ["s"]
    with pytest.raises(ValueError, match=r"^pairs\.jsonl: no row has a preference of people, so "):
        scored_texts(replace(data, sources=(unknown,)), None)


def test_a_tie_is_half_a_win_and_a_text_of_several_pairs_has_their_share() -> None:
    found = recorded_scores(
        annotated(("x", "y", "a"), ("x", "z", "tie"), ("y", "x", "b"), ("z", "x", "a"))
    )
    # x won against y twice, tied with z once and lost to it once.
    assert {text: score for score, text in found} == {"x": 2.5 / 4, "y": 0, "z": 1.5 / 2}
