"""Shards: which group is in which, and that together they are the data, neither more nor less."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from profile_tasks.data.preferences import PreferenceData, load_preferences
from profile_tasks.data.shards import RECORD, Split, read_split, write_shards

Row = dict[str, Any]


def rows_of(n: int, **more: Any) -> list[Row]:
    return [
        {
            "id": f"p{i}",
            "group": f"g{i // 2}",
            "prompt": "Which?",
            "response_a": f"One {i}.",
            "response_b": f"Two, {i}.",
            "preference": "a" if i % 3 else "tie",
            **more,
        }
        for i in range(n)
    ]


def data_of(folder: Path, rows: Sequence[Row], name: str = "pairs") -> PreferenceData:
    path = folder / f"{name}.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return load_preferences(path)


def split_of(data: PreferenceData, n: int, folder: Path) -> Split:
    return write_shards(data, n, folder, about=data.identity, settings={"dataset": data.name})


def groups_of(folder: Path, split: Split) -> list[set[str]]:
    return [
        {source.group for source in load_preferences(folder / shard.file).sources}
        for shard in split.shards
    ]


def test_together_the_shards_are_the_data(tmp_path: Path) -> None:
    data = data_of(tmp_path, rows_of(40, judge_gpt="b", system_a="x", note="kept"))
    split = split_of(data, 3, tmp_path / "shards")
    parts = [load_preferences(tmp_path / "shards" / shard.file) for shard in split.shards]
    sources = {source.id: source for part in parts for source in part.sources}
    assert sources == {source.id: source for source in data.sources}
    assert sum(len(part.sources) for part in parts) == len(data.sources)
    for shard, part in zip(split.shards, parts, strict=True):
        pairs = sum(len(source.pairs) for source in part.sources)
        assert (shard.data_hash, shard.sources, shard.pairs) == (
            part.content_hash,
            len(part.sources),
            pairs,
        )
    assert read_split(tmp_path / "shards") == split
    assert [shard.file for shard in split.shards] == [f"pairs-{k}-of-3.jsonl" for k in (1, 2, 3)]


def test_where_a_group_is_hangs_on_its_name_alone(tmp_path: Path) -> None:
    rows = rows_of(60)
    in_order = split_of(data_of(tmp_path, rows[:40]), 3, tmp_path / "in_order")
    more = split_of(data_of(tmp_path, rows[::-1]), 3, tmp_path / "more")
    there = groups_of(tmp_path / "in_order", in_order)
    for before, after in zip(there, groups_of(tmp_path / "more", more), strict=True):
        assert before < after


def test_all_sources_of_a_group_are_in_one_shard(tmp_path: Path) -> None:
    rows = [row | {"prompt": f"Question {i}?"} for i, row in enumerate(rows_of(40))]
    data = data_of(tmp_path, rows)
    split = split_of(data, 3, tmp_path / "shards")
    assert {source.id for source in data.sources} > {"g0#1", "g0#2"}
    assert sum(map(len, groups_of(tmp_path / "shards", split))) == 20


def test_written_again_the_files_are_the_same(tmp_path: Path) -> None:
    data = data_of(tmp_path, rows_of(40))

    def content() -> dict[str, bytes]:
        split_of(data, 3, tmp_path / "shards")
        return {path.name: path.read_bytes() for path in (tmp_path / "shards").iterdir()}

    first = content()
    (tmp_path / "shards" / RECORD).unlink()  # as if it had been stopped before the end
    (tmp_path / "shards" / "pairs-2-of-3.jsonl").write_text("")
    assert content() == first


def test_an_empty_shard_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"2 groups leave shard \d of 8 empty; name fewer shards"):
        split_of(data_of(tmp_path, rows_of(4)), 8, tmp_path / "shards")
    assert not (tmp_path / "shards").exists()


def test_a_shard_that_could_not_measure_the_same_is_refused(tmp_path: Path) -> None:
    rows = rows_of(40)
    rows[0]["factors"] = {"a": {"charm": 1}, "b": {"charm": 0}}
    with pytest.raises(ValueError, match=r"no pair in shard \d of 3 records the factor 'charm'"):
        split_of(data_of(tmp_path, rows), 3, tmp_path / "shards")


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    data, folder = data_of(tmp_path, rows_of(40)), tmp_path / "shards"
    split_of(data, 3, folder)
    with pytest.raises(ValueError, match=r"holds 'pairs-1-of-3\.jsonl', no shard of this split"):
        split_of(data, 2, folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ValueError, match=r"holds shards of other data \(hash \w+, now \w+\)"):
        split_of(data_of(tmp_path, rows_of(50)), 3, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_sources_that_would_get_other_names_are_told(tmp_path: Path) -> None:
    """A group "g0#1" beside a group "g0" of two sources moves the numbers of these."""
    rows = [
        row | {"prompt": f"Question {i}?", "group": row["group"]}
        for i, row in enumerate(rows_of(40))
    ]
    rows += [row | {"id": f"q{i}", "group": f"g{i}#1"} for i, row in enumerate(rows_of(20))]
    with pytest.raises(ValueError, match=r"reads otherwise than its part of the data, about sourc"):
        split_of(data_of(tmp_path, rows), 3, tmp_path / "shards")


def test_a_record_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="name the folder that `profile-tasks shards` wrot"):
        read_split(tmp_path)
    (tmp_path / RECORD).write_text('{"about": {}}')
    with pytest.raises(ValueError, match=r"shards\.json: not as .* \(settings: Field required\)"):
        read_split(tmp_path)
