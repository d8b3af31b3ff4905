"""The public sets in their original shapes, hand-written, read by `datasets` itself.

A folder named like the repository, seen from the working folder, is what `datasets` reads in its
stead. All texts here are this project's own.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from profile_tasks.data.preferences import (
    AnnotatedPair,
    PreferenceData,
    PreferenceDataError,
    load_preferences,
)
from profile_tasks.data.public_sets import PUBLIC, TLDR_PROMPT

if TYPE_CHECKING:
    from collections.abc import Iterable

Row = dict[str, object]


@pytest.fixture(autouse=True)
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder without repositories, an empty cache, and no network."""
    # `datasets` takes these from the environment when it is imported, which may be long ago.
    import datasets
    import huggingface_hub

    for library in (datasets.config, huggingface_hub.constants):
        monkeypatch.setattr(library, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def write_parquet(path: Path, rows: list[Row], schema: pa.Schema | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)


def write_jsonl(path: Path, rows: list[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def pairs_of(data: PreferenceData) -> list[AnnotatedPair]:
    return [pair for source in data.sources for pair in source.pairs]


def error_of(name: str, **arguments: object) -> str:
    with pytest.raises(PreferenceDataError) as caught:
        load_preferences(name, **arguments)
    return str(caught.value)


# --- tldr ---------------------------------------------------------------------------------------

POST = "My neighbour parks in front of our gate every Sunday. How do I ask him to stop?"
SHORT = "Neighbour blocks our gate."
LONG = "A neighbour parks before our gate on Sundays; how to ask him to stop?"


def judged(
    choice: int,
    texts: tuple[str, str] = (SHORT, LONG),
    *,
    worker: str = "w1",
    post_id: str = "t3_x",
    post: str | None = POST,
    article: str | None = None,
    extra: Row | None = None,
) -> Row:
    """One worker's row of openai/summarize_from_feedback, comparisons."""
    policies = {SHORT: "sup4", LONG: "ref"}
    return {
        "info": {
            "id": post_id,
            "post": post,
            "title": "Blocked gate",
            "subreddit": "advice",
            "site": None,
            "article": article,
        },
        "summaries": [{"text": t, "policy": policies.get(t, "x"), "note": None} for t in texts],
        "choice": choice,
        "worker": worker,
        "batch": "batch3",
        "split": "valid1",
        "extra": extra or {"confidence": 7},
    }


TLDR_SCHEMA = pa.schema(
    {
        "info": pa.struct(
            dict.fromkeys(("id", "post", "title", "subreddit", "site", "article"), pa.string())
        ),
        "summaries": pa.list_(pa.struct(dict.fromkeys(("text", "policy", "note"), pa.string()))),
        "choice": pa.int32(),
        "worker": pa.string(),
        "batch": pa.string(),
        "split": pa.string(),
        "extra": pa.struct({"confidence": pa.int32()}),
    }
)


def write_tldr(folder: Path, rows: list[Row], split: str = "validation") -> None:
    path = folder / PUBLIC["tldr"].repository / "comparisons" / split / "0000.parquet"
    write_parquet(path, rows, TLDR_SCHEMA)


def test_tldr_maps_every_field(hub: Path) -> None:
    write_tldr(hub, [judged(1)])
    data = load_preferences("tldr")
    assert data.name == "openai/summarize_from_feedback[validation]"
    (source,) = data.sources
    assert (source.id, source.group, source.task) == ("t3_x", "t3_x", "summarization")
    assert (source.prompt, source.source, source.reference) == (TLDR_PROMPT, POST, None)
    (pair,) = source.pairs
    assert (pair.id, pair.preference, pair.annotators) == ("tldr:t3_x-1", "b", ("b",))
    assert (pair.response_a, pair.response_b) == (SHORT, LONG)
    assert pair.extra == {
        "system_a": "sup4",
        "system_b": "ref",
        "origin": "tldr",
        "title": "Blocked gate",
        "subreddit": "advice",
        "workers": ["w1"],
        "confidences": [7],
    }


def test_tldr_choice_0_is_the_first_summary(hub: Path) -> None:
    write_tldr(hub, [judged(0)])
    assert [pair.preference for pair in pairs_of(load_preferences("tldr"))] == ["a"]


def test_tldr_workers_on_the_same_texts_are_votes_on_one_pair(hub: Path) -> None:
    other = ("Gate trouble.", SHORT)
    rows = [
        judged(1, worker="w1"),
        judged(0, other, worker="w1"),
        judged(1, worker="w2", extra={"confidence": None}),
        judged(1, (LONG, SHORT), worker="w3"),  # the other order: the short one again
        judged(1, post_id="t3_y", post="Another post."),
    ]
    write_tldr(hub, rows)
    first, second = load_preferences("tldr").sources
    pair, other_pair = first.pairs
    assert pair.annotators == ("b", "b", "a")
    assert (pair.preference, pair.response_a) == ("b", SHORT)
    assert pair.extra["workers"] == ["w1", "w2", "w3"]
    assert pair.extra["confidences"] == [7, None, 7]
    assert (other_pair.id, other_pair.annotators) == ("tldr:t3_x-2", ("a",))
    assert [pair.id for pair in second.pairs] == ["tldr:t3_y-1"]


@pytest.mark.parametrize(("choice", "votes"), [(0, ("a", "b")), (1, ("a", "a"))])
def test_tldr_votes_count_in_either_order_of_the_summaries(
    choice: int, votes: tuple[str, str], hub: Path
) -> None:
    write_tldr(hub, [judged(0), judged(choice, (LONG, SHORT))])
    (pair,) = pairs_of(load_preferences("tldr"))
    assert pair.annotators == votes
    assert pair.preference == ("a" if votes == ("a", "a") else "tie")


@pytest.mark.parametrize("post", [None, ""])
def test_tldr_takes_the_article_where_there_is_no_post(post: str | None, hub: Path) -> None:
    write_tldr(hub, [judged(0, post=post, article="The council met on Monday.")])
    (source,) = load_preferences("tldr").sources
    assert source.source == "The council met on Monday."


def test_tldr_rows_that_are_not_in_shape_are_named_by_place(hub: Path) -> None:
    rows = [
        judged(0),
        judged(2, post_id="t3_a"),
        judged(0, (SHORT, LONG)[:1], post_id="t3_b"),  # type: ignore[arg-type]
        judged(0, post_id="t3_c", post=None),
        judged(0, ("", LONG), post_id="t3_d"),
    ]
    write_tldr(hub, rows)
    place = "openai/summarize_from_feedback[validation] row"
    assert error_of("tldr").startswith(f"{place} 2: field 'choice' is not as expected: ")
    data = load_preferences("tldr", skip_bad_rows=True)
    assert len(pairs_of(data)) == 1
    assert [row.place for row in data.skipped] == [f"{place} {n}" for n in (2, 3, 4, 5)]
    reasons = [row.reason for row in data.skipped]
    assert reasons[1].startswith("field 'summaries")
    assert reasons[2].endswith("neither 'post' nor 'article' holds a text")
    assert reasons[3] == "empty response: field 'response_a' is blank"


def test_another_split_is_read_from_its_own_files(hub: Path) -> None:
    write_tldr(hub, [judged(0)])
    write_tldr(hub, [judged(1), judged(1, post_id="t3_y")], split="train")
    data = load_preferences("tldr", split="train")
    assert data.name == "openai/summarize_from_feedback[train]"
    assert [pair.preference for pair in pairs_of(data)] == ["b", "b"]
    assert len(pairs_of(load_preferences("tldr"))) == 1


def test_limits_apply_to_public_sets(hub: Path) -> None:
    texts = [f"Summary {n}." for n in range(4)]
    rows = [
        judged(0, (texts[n], texts[n + 1]), post_id=f"t3_{post}")
        for post in range(5)
        for n in range(3)
    ]
    write_tldr(hub, rows)
    data = load_preferences("tldr", limit=2, max_pairs_per_source=2, task="summarization")
    assert [len(source.pairs) for source in data.sources] == [2, 2]


# --- webgpt -------------------------------------------------------------------------------------


def answered(first: float, second: float, **changes: object) -> Row:
    """One row of openai/webgpt_comparisons."""
    return {
        "question": {"dataset": "eli5", "id": "q1", "full_text": "Why is the sea salty?"},
        "quotes_0": {"title": ["Seas (a.org)", "Rivers (b.org)"], "extract": ["Salt.", "Rain."]},
        "tokens_0": {"prefix": [1], "completion": [2]},
        "answer_0": "Rivers carry salt [1].",
        "score_0": first,
        "quotes_1": {"title": ["Rivers (b.org)"], "extract": ["Rain."]},
        "tokens_1": {"prefix": [1], "completion": [2]},
        "answer_1": "Because of rain.",
        "score_1": second,
        **changes,
    }


def write_webgpt(folder: Path, rows: list[Row]) -> None:
    path = folder / PUBLIC["webgpt"].repository / "default" / "train" / "0000.parquet"
    write_parquet(path, rows)


def test_webgpt_maps_every_field(hub: Path) -> None:
    write_webgpt(hub, [answered(0.5, -0.5)])
    data = load_preferences("webgpt")
    assert data.name == "openai/webgpt_comparisons[train]"
    (source,) = data.sources
    assert (source.group, source.task) == ("q1", "document_qa")
    assert source.prompt == "Why is the sea salty?"
    # What both answers quote, each passage once.
    assert source.source == "Seas (a.org)\nSalt.\n\nRivers (b.org)\nRain."
    (pair,) = source.pairs
    assert (pair.id, pair.preference, pair.annotators) == ("webgpt:1", "a", ())
    assert (pair.response_a, pair.response_b) == ("Rivers carry salt [1].", "Because of rain.")
    assert pair.extra == {"origin": "webgpt", "dataset": "eli5", "score_a": 0.5, "score_b": -0.5}


def test_webgpt_equal_scores_are_a_tie(hub: Path) -> None:
    write_webgpt(hub, [answered(0.0, 0.0), answered(-1.0, 1.0), answered(1.0, 0.5)])
    data = load_preferences("webgpt")
    assert [pair.preference for pair in pairs_of(data)] == ["tie", "b", "a"]
    assert [pair.id for pair in pairs_of(data)] == ["webgpt:1", "webgpt:2", "webgpt:3"]


def test_webgpt_pairs_with_other_quotes_are_another_source_of_the_same_group(hub: Path) -> None:
    none: Row = {"title": [], "extract": []}
    rows = [
        answered(1, 0),
        answered(1, 0, quotes_0=none),
        answered(1, 0, quotes_0=none, quotes_1=none),
    ]
    write_webgpt(hub, rows)
    sources = load_preferences("webgpt").sources
    assert [source.id for source in sources] == ["q1#1", "q1#2", "q1#3"]
    assert [source.source for source in sources][1:] == ["Rivers (b.org)\nRain.", None]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"score_1": float("nan")}, "field 'score_1' is not as expected: "),
        ({"score_0": None}, "field 'score_0' is not as expected: "),
        ({"answer_0": " "}, "empty response: field 'response_a' is blank"),
        (
            {"quotes_1": {"title": ["One", "Two"], "extract": ["Text."]}},
            "field 'quotes_1' is not as expected: Value error, 2 titles for 1 extracts",
        ),
    ],
)
def test_webgpt_rows_that_are_not_in_shape_are_named_by_place(
    changes: Row, reason: str, hub: Path
) -> None:
    write_webgpt(hub, [answered(1.0, 0.0), answered(1.0, 0.0, **changes)])
    assert error_of("webgpt").startswith(f"openai/webgpt_comparisons[train] row 2: {reason}")
    data = load_preferences("webgpt", skip_bad_rows=True)
    assert [pair.id for pair in pairs_of(data)] == ["webgpt:1"]


# --- shp2 ---------------------------------------------------------------------------------------


def commented(label: int, **changes: object) -> Row:
    """One row of stanfordnlp/SHP-2."""
    return {
        "post_id": "abc",
        "domain": "askbaking",
        "upvote_ratio": 0.9,
        "history": "Why did my bread not rise?",
        "c_root_id_A": "c1",
        "c_root_id_B": "c2",
        "created_at_utc_A": 1600000000,
        "created_at_utc_B": 1600000100,
        "score_A": 12,
        "score_B": 4,
        "human_ref_A": "The yeast may be old.",
        "human_ref_B": "Try another oven.",
        "labels": label,
        "seconds_difference": 100.0,
        "score_ratio": 3.0,
        **changes,
    }


def write_shp2(
    folder: Path, rows: list[Row], split: str = "validation", forum: str = "reddit/askbaking"
) -> None:
    write_jsonl(folder / PUBLIC["shp2"].repository / forum / f"{split}.json", rows)


def test_shp2_maps_every_field(hub: Path) -> None:
    write_shp2(hub, [commented(1)])
    data = load_preferences("shp2")
    assert data.name == "stanfordnlp/SHP-2[validation]"
    (source,) = data.sources
    assert (source.id, source.group) == ("askbaking:abc", "askbaking:abc")
    assert (source.task, source.prompt) == ("instruction_following", "Why did my bread not rise?")
    assert (source.source, source.reference) == (None, None)
    (pair,) = source.pairs
    assert (pair.id, pair.preference) == ("shp2:askbaking:abc-c1-c2", "a")
    assert (pair.response_a, pair.response_b) == ("The yeast may be old.", "Try another oven.")
    assert pair.extra == {
        "origin": "shp2",
        "domain": "askbaking",
        "score_a": 12,
        "score_b": 4,
        "score_ratio": 3.0,
    }


def test_shp2_label_1_prefers_the_first_comment_and_0_the_second(hub: Path) -> None:
    write_shp2(hub, [commented(1), commented(0, c_root_id_A="c3"), commented(1, c_root_id_B="c4")])
    data = load_preferences("shp2")
    assert [pair.preference for pair in pairs_of(data)] == ["a", "b", "a"]
    assert len(data.sources) == 1


def test_shp2_takes_all_forums_and_keeps_equal_post_numbers_apart(hub: Path) -> None:
    write_shp2(hub, [commented(1, post_id="7")])
    write_shp2(hub, [commented(0, post_id="7", domain="bread")], forum="stackexchange/stack_bread")
    data = load_preferences("shp2")
    assert {source.group for source in data.sources} == {"askbaking:7", "bread:7"}


def test_shp2_rows_without_comment_numbers_are_numbered(hub: Path) -> None:
    rows = [
        {k: v for k, v in commented(label).items() if not k.startswith("c_root")}
        for label in (0, 1)
    ]
    write_shp2(hub, rows)
    assert [pair.id for pair in pairs_of(load_preferences("shp2"))] == ["shp2:1", "shp2:2"]


def test_shp2_rows_that_are_not_in_shape_are_named_by_place(hub: Path) -> None:
    rows = [commented(1), commented(2, post_id="d"), commented(0, post_id="e", human_ref_B="")]
    write_shp2(hub, [*rows, commented(0)])
    place = "stanfordnlp/SHP-2[validation] row"
    assert error_of("shp2").startswith(f"{place} 2: field 'labels' is not as expected: ")
    skipped = load_preferences("shp2", skip_bad_rows=True).skipped
    assert [str(row) for row in skipped][1:] == [
        f"{place} 3: empty response: field 'response_b' is blank",
        f"{place} 4: duplicate id 'shp2:askbaking:abc-c1-c2'; first at {place} 1",
    ]


@pytest.mark.parametrize(("split", "rows"), [("train", 2), ("test", 3)])
def test_shp2_has_three_splits(split: str, rows: int, hub: Path) -> None:
    for name, n in (("validation", 1), ("train", 2), ("test", 3)):
        write_shp2(hub, [commented(1, post_id=f"p{i}") for i in range(n)], split=name)
    assert len(pairs_of(load_preferences("shp2", split=split))) == rows


# --- all of them --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PUBLIC)
def test_an_unreachable_hub_is_an_error_with_a_remedy(name: str) -> None:
    public_set = PUBLIC[name]
    message = error_of(name)
    assert message.startswith(
        f"{public_set.repository} at revision {public_set.revision!r} could not be fetched ("
    )
    assert message.endswith(
        "check the network, or download the set elsewhere, convert it to the plain schema "
        "and give the path of that file"
    )


@pytest.mark.parametrize("name", PUBLIC)
@pytest.mark.parametrize("revision", [None, "my-branch"])
def test_the_pinned_revision_or_the_given_one_is_asked_for(
    name: str, revision: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets

    asked: list[object] = []
    load_dataset = datasets.load_dataset

    def recording(*args: object, **kwargs: object) -> "Iterable[object]":
        asked.append(kwargs["revision"])
        return load_dataset(*args, **kwargs)

    monkeypatch.setattr(datasets, "load_dataset", recording)
    expected = revision or PUBLIC[name].revision
    assert f"at revision {expected!r} could not be fetched" in error_of(name, revision=revision)
    assert asked == [expected]


def test_a_folder_without_the_files_is_an_error(hub: Path) -> None:
    (hub / PUBLIC["tldr"].repository).mkdir(parents=True)
    assert "openai/summarize_from_feedback at revision" in error_of("tldr")


def test_files_that_cannot_be_read_are_an_error(hub: Path) -> None:
    path = hub / PUBLIC["tldr"].repository / "comparisons" / "validation" / "0000.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not Parquet")
    assert "openai/summarize_from_feedback at revision" in error_of("tldr")


@pytest.mark.parametrize("name", PUBLIC)
def test_an_unknown_split_lists_those_there_are(name: str) -> None:
    assert error_of(name, split="valid") == (
        f"split of data set {name!r} is 'valid'. Must be one of: {', '.join(PUBLIC[name].splits)}"
    )


@pytest.mark.parametrize("name", PUBLIC)
def test_another_task_is_refused_before_anything_is_fetched(name: str) -> None:
    assert error_of(name, task="poetry") == (
        f"task is 'poetry', but all rows of data set {name!r} have task {PUBLIC[name].task!r}"
    )


def test_the_documentation_names_the_pinned_revisions(repository: Path) -> None:
    text = (repository / "docs" / "data.md").read_text(encoding="utf-8")
    for name, public_set in PUBLIC.items():
        (line,) = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]
        cells = [cell.strip() for cell in line.split("|")]
        assert f"`{public_set.repository}`" in cells[2]
        assert f"`{public_set.revision}`" in cells[3]
        assert cells[4] == f"`{public_set.splits[0]}`"
