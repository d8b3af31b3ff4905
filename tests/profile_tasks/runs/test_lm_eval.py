"""What lm-eval leaves: results files, whose they are, and samples joined by source."""

import json
from pathlib import Path
from typing import Any

import pytest

from profile_tasks.runs.lm_eval import (
    model_of,
    read_results,
    read_sampled_run,
    results_beside,
)
from profile_tasks.runs.run import Run
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement


def test_results_of_samples_have_their_date(tmp_path: Path) -> None:
    name = "profile_document_qa_generation_2026-01-02T03-04-05.678901"
    samples = tmp_path / f"samples_{name}.jsonl"
    assert results_beside(samples) is None
    (tmp_path / "results_2026-01-02T03-04-05.678901.json").write_text("{}")
    assert results_beside(samples) == tmp_path / "results_2026-01-02T03-04-05.678901.json"
    assert results_beside(tmp_path / "renamed.jsonl") is None


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ({"model": "hf", "model_args": {"pretrained": "org/m", "dtype": "auto"}}, "hf/org/m"),
        ({"model": "hf", "model_args": "dtype=auto,pretrained=org/m"}, "hf/org/m"),
        ({"model": "local-chat-completions", "model_args": {"model": "m"}},
         "local-chat-completions/m"),
        ({"model": "planted", "model_args": {}}, "planted/balanced"),
        ({"model": "planted", "model_args": None}, "planted/balanced"),
        ({"model": "hf", "model_args": {"pretrained": "org/m", "peft": "a/b"}}, "hf/a/b"),
        ({"model": "vllm"}, "vllm"),
        ({}, "unknown"),
    ],
)  # fmt: skip
def test_a_model_is_named_by_its_arguments(config: dict[str, object], name: str) -> None:
    assert model_of({"config": config}) == name


@pytest.mark.parametrize(
    ("text", "message"), [("{", "not JSON in UTF-8"), ("[]", "field 'results' is missing")]
)
def test_other_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_results(path)
    with pytest.raises(FileNotFoundError, match="no such results file"):
        read_results(tmp_path / "other.json")


PAIR = {"id": "p1", "response_a": "a", "response_b": "b b", "preference": "a"}


def doc(name: str = "s1", **changes: Any) -> dict[str, Any]:
    source = {"id": name, "group": name, "task": "document_qa", "prompt": "Why?", "pairs": [PAIR]}
    return source | changes


def measured(name: str = "s1", **parts: Any) -> dict[str, Any]:
    known = {"source_id": name, "group": name, "factors": ["length"], "human": [1]}
    return known | {"annotated": [[-1]]} | parts


def wrote(name: str = "s1", *texts: str, **changes: Any) -> dict[str, Any]:
    answers = texts or ("one", "two words", "and now three")
    words = {str(score): len(text.split()) or None for score, text in enumerate(answers, 1)}
    pairs = [
        {"higher": high, "lower": low, "identical": False}
        for high, low in ((2, 1), (3, 1), (3, 2))
        if words[str(high)] and words[str(low)]
    ]
    record = measured(name, words_by_score=words, pairs_written=pairs, written=[[1]] * len(pairs))
    sample = {"doc": doc(name), "resps": [[text] for text in answers], "measured_sources": record}
    return sample | changes


def judged_own(name: str = "s1", *texts: str) -> dict[str, Any]:
    sample = wrote(name, *texts)
    record = sample["measured_sources"]
    record["own_picks"] = [["first", "second"]] * len(record["pairs_written"])
    return sample | {"resps": [["A"], ["B"]] * len(record["pairs_written"])}


def judged(name: str = "s1", **changes: Any) -> dict[str, Any]:
    record = measured(name, picks=[["first", "second"]], **changes)
    return {"doc": doc(name), "resps": [["A"], ["B"]], "measured_sources": record}


@pytest.fixture
def file(tmp_path: Path) -> Any:
    def file(name: str, *samples: dict[str, Any]) -> str:
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(f"{json.dumps(sample)}\n" for sample in samples))
        return str(path)

    return file


def responses(run: Run) -> dict[str, dict[int, str | None]]:
    return {answered.source.id: dict(answered.responses) for answered in run.answers}


def measurements(run: Run) -> dict[str, SourceMeasurement]:
    return {measured.source_id: measured for measured in run.measurements}


def test_both_settings_are_joined_by_source(file: Any) -> None:
    files = [file("g", wrote(), wrote("s2")), file("d", judged("s2"), judged())]
    run = read_sampled_run(files)
    assert read_sampled_run(files[::-1]).measurements == run.measurements[::-1]
    assert run.task == "document_qa"
    assert (run.setting, run.sources, run.settings) == ("both", 2, {"pairing": "all"})
    assert list(run.parts.values()) == ["generation", "discrimination"]
    assert responses(run)["s1"] == {1: "one", 2: "two words", 3: "and now three"}
    judged_and_written = measurements(run)["s2"]
    assert judged_and_written.picks == (("first", "second"),)
    assert judged_and_written.words_by_score == {1: 1, 2: 2, 3: 3}


def test_a_response_that_was_missing_stays_missing(file: Any) -> None:
    run = read_sampled_run([file("g", wrote("s1", "one", " ", "three"))])
    assert run.setting == "generation"
    assert responses(run) == {"s1": {1: "one", 2: None, 3: "three"}}
    assert measurements(run)["s1"].picks is None


def test_verdicts_on_own_pairs_join_the_texts_that_they_are_about(file: Any) -> None:
    files = [file("o", judged_own()), file("d", judged()), file("g", wrote(), wrote("s2"))]
    run = read_sampled_run(files)
    assert (run.setting, list(run.parts.values())) == (
        "both", ["own_pairs", "discrimination", "generation"],
    )  # fmt: skip
    joined = measurements(run)
    assert responses(run)["s1"] == {1: "one", 2: "two words", 3: "and now three"}
    assert joined["s1"].own == (1, 1, 1)
    assert joined["s1"].picks == (("first", "second"),)
    assert joined["s2"].own is None
    assert read_sampled_run([files[0], files[2]]).setting == "generation"


def test_own_pairs_of_texts_that_are_not_given_are_refused(file: Any) -> None:
    own = file("o", judged_own())
    for others in ([], [file("d", judged())], [file("g", wrote("s1", "other", "words", "here"))]):
        with pytest.raises(ValueError, match="'s1': samples of own pairs hold no texts; give"):
            read_sampled_run([own, *others])


def test_margins_are_those_of_a_likelihood_task(file: Any) -> None:
    run = read_sampled_run([file("d", judged(margins=[[2.0, -1.0]]))])
    assert run.setting == "discrimination_loglikelihood"
    assert measurements(run)["s1"].margins == ((2.0, -1.0),)


def test_the_pairing_is_read_off_the_compared_pairs(file: Any) -> None:
    sample = wrote()
    sample["measured_sources"]["pairs_written"] = [
        {"higher": high, "lower": low, "identical": False} for high, low in ((2, 1), (3, 2))
    ]
    adjacent = read_sampled_run([file("g", sample)])
    assert adjacent.settings["pairing"] in ("half", "adjacent")
    sample["measured_sources"]["pairs_written"] = []
    with pytest.raises(ValueError, match="'s1': the compared responses are those of no pairing"):
        read_sampled_run([file("g", sample)])


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([[wrote(), wrote()]], r"0\.jsonl:2: source 's1' stands in the file twice"),
        ([[wrote(), judged("s2")]], r"0\.jsonl:2: a sample of discrimination among those of gen"),
        ([[wrote()], [wrote()]], "several files of one setting"),
        ([[wrote()], [judged() | {"doc": doc(prompt="How?")}]], r"1\.jsonl:1: source 's1' is not"),
        ([[wrote() | {"doc": {"id": 1}}]], r"0\.jsonl:1: field 'doc' holds no annotated source"),
        ([[wrote(), wrote("s2") | {"doc": doc("s2", task="x")}]], "several tasks"),
        ([[]], "no samples"),
    ],
)
def test_files_that_do_not_go_together_are_refused(
    file: Any, files: list[list[dict[str, Any]]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        read_sampled_run([file(str(i), *samples) for i, samples in enumerate(files)])
