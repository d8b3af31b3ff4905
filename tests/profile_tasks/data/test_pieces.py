"""A file in pieces holds what it holds as a whole, and errs where that errs, in the same words."""

import csv
import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from profile_tasks.data import pieces as module
from profile_tasks.data.columns import PreferenceColumns, RowRules
from profile_tasks.data.content_hash import shown
from profile_tasks.data.pieces import in_pieces, pieces
from profile_tasks.data.preferences import PreferenceDataError, load_preferences

SHARED = Path(__file__).parents[4] / "shared"


def rows(n: int = 40) -> list[dict[str, Any]]:
    """Pairs in groups of 4, with recorded factors, of which some are missing."""
    rng = np.random.default_rng(0)
    return [
        {
            "id": f"r{i}",
            "prompt": f"Say {i // 4}.",
            "source": "Ein Text." if i // 4 % 2 else None,
            "response_a": f"one {i}",
            "response_b": f"zwei {i} Wörter",
            "preference": ["a", "b", "tie"][rng.integers(3)],
            "group": f"g{i // 4}",
            "system_a": "x",
            "factors": {
                "a": {"charm": float(rng.integers(3)), "wit": None if i % 5 else 2},
                "b": {"charm": float(rng.integers(3)), "wit": 1},
            },
        }
        for i in range(n)
    ]


def columns(path: Path, rules: RowRules | None = None) -> Iterator[PreferenceColumns]:
    for piece in pieces(path):
        yield from piece.columns(rules or RowRules())


def told(path: Path, rules: RowRules | None = None) -> tuple[object, ...]:
    """What a file holds, read in pieces."""
    found = list(columns(path, rules))
    groups = [name for part in found for name in part.group.to_pylist()]
    signs = [
        sign if judged else None
        for part in found
        for sign, judged in zip(part.sign.tolist(), part.judged.tolist(), strict=True)
    ]
    charms = [
        value
        for part in found
        for value in part.factors.get("charm", np.full((len(part), 2), np.nan)).tolist()
    ]
    hashes = np.concatenate([part.hashes for part in found])
    return groups, signs, [str(each) for each in charms], shown(hashes)


def told_whole(path: Path, **options: Any) -> tuple[object, ...]:
    """The same, read as a whole."""
    data = load_preferences(path, **options)
    pairs = [(source, pair) for source in data.sources for pair in source.pairs]
    return (
        [source.group for source, _ in pairs],
        [pair.sign for _, pair in pairs],
        [str(list(pair.recorded("charm"))) for _, pair in pairs],
        data.content_hash,
    )


def as_jsonl(path: Path, data: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in data), encoding="utf-8")


def as_csv(path: Path, data: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(
            file, list(data[0]), delimiter="\t" if path.suffix == ".tsv" else ","
        )
        writer.writeheader()
        writer.writerows(
            {k: json.dumps(v) if isinstance(v, dict) else v for k, v in row.items()} for row in data
        )


def as_parquet(path: Path, data: list[dict[str, Any]]) -> None:
    pq.write_table(pa.Table.from_pylist(data), path, row_group_size=7)


def as_packed(path: Path, data: list[dict[str, Any]]) -> None:
    plain = path.with_suffix("")
    as_jsonl(plain, data)
    pack = gzip.compress if path.suffix == ".gz" else zstandard.ZstdCompressor().compress
    path.write_bytes(pack(plain.read_bytes()))


WRITERS = {
    "a.jsonl": as_jsonl,
    "a.csv": as_csv,
    "a.tsv": as_csv,
    "a.parquet": as_parquet,
    "a.jsonl.gz": as_packed,
    "a.jsonl.zst": as_packed,
}


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that few rows make many pieces."""
    monkeypatch.setattr(module, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(module, "_ROWS", 3)
    monkeypatch.setattr(module, "_PIECE_ROWS", 10)


@pytest.fixture
def no_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where rows are not to be read one by one."""

    def refused(*_: object) -> None:
        raise AssertionError("read row by row")

    monkeypatch.setattr(module, "columns_of_records", refused)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.usefixtures("small_pieces", "no_rows")
def test_every_kind_of_file_reads_by_columns_as_it_does_as_a_whole(
    name: str, tmp_path: Path
) -> None:
    WRITERS[name](tmp_path / name, rows())
    assert told(tmp_path / name) == told_whole(tmp_path / name)
    assert len(list(pieces(tmp_path / name))) > 1 or name.endswith((".csv", ".tsv"))


@pytest.mark.parametrize(
    "change",
    [
        {"preference": None, "annotators": ["a", "tie", "a"]},
        {"preference": "a", "annotators": ["a"]},
        {"preference": None, "annotators": []},
        {"source": "  "},
        {"reference": "Ein Satz."},
        {"reference": " "},
        {"judge_m": "b"},
        {"id": 7},
        {"group": None, "source_id": "s"},
        {"factors": None},
        {"factors": {"a": {"charm": 1, "mood": "warm"}, "b": {"charm": 2}}},
        {"factors": {"a": {"charm": 1}, "note": "x"}},
        {"prompt": [{"role": "user", "content": "Hi"}]},
        {"prompt": "[1] is a list"},
        {"before_a": [{"role": "assistant", "content": "?"}, {"role": "user", "content": "!"}]},
        {"prompt": "", "source": "Both."},
        {"id": "2020-01-01", "group": "2020-01-01"},
        {"remark": {"any": ["thing", 1]}},
        {"response_a": "\ufeff x\u2028y\u00a0"},
    ],
    ids="+".join,
)
@pytest.mark.parametrize("all_rows", [True, False])
def test_what_is_rare_reads_as_it_does_as_a_whole(
    change: dict[str, Any], all_rows: bool, tmp_path: Path
) -> None:
    data = rows(8)
    for i, row in enumerate(data):
        if all_rows or i == 2:
            row |= {
                name: value + i if name == "id" and isinstance(value, int) else value
                for name, value in change.items()
            }
            if all_rows and isinstance(change.get("id"), str):
                row["id"] += f"T00:00:0{i}"
    as_jsonl(tmp_path / "a.jsonl", data)
    groups, *rest = told(tmp_path / "a.jsonl")
    expected, *expected_rest = told_whole(tmp_path / "a.jsonl")
    # As a whole, rows are gathered by source; the hash holds all of them in any order.
    assert sorted(groups) == sorted(expected)  # type: ignore[call-overload]
    assert rest[-1] == expected_rest[-1]


@pytest.mark.parametrize(
    "change",
    [
        {"preference": "A>B"},
        {"preference": None},
        {"preference": "a", "annotators": ["b"]},
        {"annotators": ["c"]},
        {"response_b": " "},
        {"response_a": None},
        {"prompt": "", "source": None},
        {"id": "r1"},
        {"id": True},
        {"group": "  "},
        {"factors": {"a": {"charm": float("inf")}}},
        {"factors": {"a": {"charm": "1.5"}}},
        {"factors": {"a": {"x,y": 1}}},
        {"factors": [1]},
        {"response_a": "\ud800"},
        {"task": 5},
        {"reference": "another"},
    ],
    ids=lambda change: "+".join(f"{name}={value!a}"[:30] for name, value in change.items()),
)
@pytest.mark.usefixtures("small_pieces")
def test_a_wrong_row_is_told_in_the_same_words(change: dict[str, Any], tmp_path: Path) -> None:
    data = [row | {"reference": f"as {row['group']}"} for row in rows(12)]
    data[2] |= change
    as_jsonl(tmp_path / "a.jsonl", data)
    with pytest.raises(PreferenceDataError) as whole:
        load_preferences(tmp_path / "a.jsonl")
    with pytest.raises(PreferenceDataError) as in_parts:
        told(tmp_path / "a.jsonl")
    assert str(in_parts.value) == str(whole.value)


@pytest.mark.parametrize(
    "line",
    ['{"id": 1', '{"id": 1, "id": 2}', "[]", '{"id": 1}{"id": 2}', '"text"', '{"a": NaN}'],
)
def test_a_broken_line_is_told_in_the_same_words(line: str, tmp_path: Path) -> None:
    as_jsonl(tmp_path / "a.jsonl", rows(3))
    with (tmp_path / "a.jsonl").open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    with pytest.raises(PreferenceDataError) as whole:
        load_preferences(tmp_path / "a.jsonl")
    with pytest.raises(PreferenceDataError, match=r"^a\.jsonl:5: ") as in_parts:
        told(tmp_path / "a.jsonl")
    assert str(in_parts.value) == str(whole.value)


def test_bytes_that_are_no_text_are_told_with_their_line(tmp_path: Path) -> None:
    as_jsonl(tmp_path / "a.jsonl", rows(3))
    content = (tmp_path / "a.jsonl").read_bytes().replace(b"zwei 1", b"zwei \xff")
    (tmp_path / "a.jsonl").write_bytes(content)
    with pytest.raises(PreferenceDataError, match=r"^a\.jsonl:2: not UTF-8"):
        told(tmp_path / "a.jsonl")


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_a_wrong_row_of_any_kind_of_file_is_told_with_its_place(name: str, tmp_path: Path) -> None:
    data = rows(12)
    data[5]["preference"] = "left"
    WRITERS[name](tmp_path / name, data)
    place = {"a.jsonl": ":6", "a.csv": ": row 6", "a.parquet": ": row 6"}[name]
    with pytest.raises(PreferenceDataError, match=rf"^{name}{place}: field 'preference' is 'left'"):
        told(tmp_path / name)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.parquet", "a.csv"])
def test_files_that_are_none_are_told(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(PreferenceDataError, match=name):
        told(tmp_path / name)
    if name != "a.csv":
        (tmp_path / name).write_bytes(os.urandom(2000))
        with pytest.raises(PreferenceDataError, match=name):
            told(tmp_path / name)


def test_other_tasks_are_left_out_and_a_recorded_judge_has_no_votes(tmp_path: Path) -> None:
    data = rows(12)
    for i, row in enumerate(data):
        row |= {"task": ["summarization", "document_qa", None][i // 4]}
        row |= {"judge_m": [None, "a", "b"][i % 3], "annotators": [row["preference"]]}
    as_jsonl(tmp_path / "a.jsonl", data)
    rules = RowRules(task="document_qa")
    expected = told_whole(tmp_path / "a.jsonl", task="document_qa")
    assert told(tmp_path / "a.jsonl", rules) == expected
    (part,) = columns(tmp_path / "a.jsonl", rules)
    assert (part.n_other, part.tasks) == (4, {"document_qa"})
    rules = RowRules(preference_column="judge_m")
    expected = told_whole(tmp_path / "a.jsonl", preference_column="judge_m")
    assert told(tmp_path / "a.jsonl", rules) == expected
    assert not next(columns(tmp_path / "a.jsonl", rules)).votes


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
@pytest.mark.parametrize(
    "path",
    sorted([*SHARED.glob("data/*.jsonl"), *SHARED.glob("data/recorded/*.jsonl")]),
    ids=lambda path: path.stem,
)
@pytest.mark.usefixtures("small_pieces")
def test_files_of_people_read_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_BYTES", 200_000)
    assert in_pieces(path)

    def outcome(read: Any) -> object:
        try:
            return read(path)[-1]
        except PreferenceDataError as error:
            return str(error)

    assert outcome(told) == outcome(told_whole)
