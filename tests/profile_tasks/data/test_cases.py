"""Files that went wrong once, each read with its right meaning or refused in one line."""

from collections import Counter
from pathlib import Path

import pytest

from profile_tasks.data.preferences import (
    AnnotatedPair,
    PreferenceData,
    PreferenceDataError,
    load_preferences,
)

SPARROW = "It is a sparrow, which hops and sings in gardens."
READ = {
    # file: pairs, sources, a first response, a second one
    "crlf.jsonl": (6, 6, "A robin is a small bird.", SPARROW),
    "messages_prompt.jsonl": (1, 1, "A robin is a small bird.", SPARROW),
    "excel.csv": (4, 1, 'A robin, "small".\r\nYes', "NA"),
    "ja.jsonl": (12, 12, None, "今日はいい天気です。"),
    "russian.jsonl": (8, 8, "Музей открыт с девяти.", "Вход платный, музей открыт до пяти."),  # noqa: RUF001
    "same.jsonl": (6, 6, "A robin is a small bird.", "A robin is a small bird."),
    "turns.jsonl": (1, 1, "A robin is a small bird.", SPARROW),
    "u2028.jsonl": (3, 3, "line one\u2028line two\x85three", SPARROW),
    "unicode.jsonl": (6, 6, "スズメです。", None),
    "zh.jsonl": (12, 12, None, "今天天气很好。"),
}

MEANT = "expected 'a', 'b' or 'tie', or labels that say what it means, as in labels="
REFUSED = {
    "dupid.jsonl": "dupid.jsonl:2: duplicate id 'r0'; first at dupid.jsonl:1",
    "float_pref.jsonl": f"float_pref.jsonl:1: field 'preference' is 1.0; {MEANT}1=a",
    "model_pref.jsonl": f"model_pref.jsonl:1: field 'preference' is 'model_a'; {MEANT}model_a=a",
    "null_resp.jsonl": "null_resp.jsonl:1: empty response: field 'response_a' is null",
    "text_a.jsonl": f"text_a.jsonl:1: field 'preference' is 'text_a'; {MEANT}text_a=a",
}


@pytest.fixture(scope="module")
def cases(repository: Path) -> Path:
    folder = repository.parent / "shared" / "cases" / "data"
    if not folder.is_dir():
        pytest.skip(f"no folder {folder} with the cases")
    return folder


def pairs_of(data: PreferenceData) -> list[AnnotatedPair]:
    return [pair for source in data.sources for pair in source.pairs]


def test_every_case_is_decided_here(cases: Path) -> None:
    assert {file.name for file in cases.iterdir()} == {"hf_style.jsonl", *READ, *REFUSED}


def test_chosen_and_rejected_are_read_as_trl_has_them(cases: Path) -> None:
    (pair,) = pairs_of(load_preferences(str(cases / "hf_style.jsonl")))
    texts = {"a": pair.response_a, "b": pair.response_b}
    assert pair.preference in ("a", "b")
    assert texts[pair.preference] == "a b"
    assert set(texts.values()) == {"a b", "c"}


@pytest.mark.parametrize("name", READ)
def test_a_case_is_read_with_its_meaning(name: str, cases: Path) -> None:
    count, sources, response_a, response_b = READ[name]
    data = load_preferences(str(cases / name))
    pairs = pairs_of(data)
    assert (len(pairs), len(data.sources), data.skipped) == (count, sources, ())
    assert response_a in {None, pairs[0].response_a}
    assert response_b in {None, pairs[0].response_b}
    assert pairs[0].preference == "a"


@pytest.mark.parametrize("name", REFUSED)
def test_a_case_is_refused_in_one_line_that_says_what_to_do(name: str, cases: Path) -> None:
    with pytest.raises(PreferenceDataError) as caught:
        load_preferences(str(cases / name))
    assert str(caught.value) == REFUSED[name]


@pytest.mark.parametrize(
    ("name", "count"), [("arena.csv", 60), ("hh.jsonl", 52), ("msgs.jsonl", 60), ("trl.jsonl", 52)]
)
def test_exports_of_the_same_pairs_say_the_same(name: str, count: int, cases: Path) -> None:
    # HH-RLHF and TRL have no ties: 52 of the 60 pairs.
    data, whole = (
        load_preferences(str(cases.parent / "exports" / file)) for file in (name, "msgs.jsonl")
    )
    assert (len(pairs_of(data)), len(data.sources)) == (count, 20)
    said, all_said = (Counter(map(told, pairs_of(each))) for each in (data, whole))
    assert said <= all_said
    assert (data.read_as is None) == (name == "msgs.jsonl")


def told(pair: AnnotatedPair) -> tuple[frozenset[str], str | None]:
    return frozenset({pair.response_a, pair.response_b}), better(pair)


def better(pair: AnnotatedPair) -> str | None:
    return {"a": pair.response_a, "b": pair.response_b}.get(pair.preference or "")
