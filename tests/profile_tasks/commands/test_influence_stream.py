"""``profile-tasks influence`` of a file in pieces: chosen by itself where it is large."""

import csv
import gzip
import io
import json
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from click.testing import Result

from profile_tasks.data import pieces

Run = Callable[..., Result]


def write(path: Path, n: int = 60, **more: Any) -> Path:
    """Pairs of which the longer response is mostly preferred, two a group."""
    rows = [
        {
            "id": f"r{i}",
            "prompt": f"Say {i // 2}.",
            "response_a": "word " * (2 + i % 5),
            "response_b": "word " * (1 + i % 3),
            "preference": "b" if i % 4 == 0 else "a",
            "group": f"g{i // 2}",
            "task": "instruction_following",
            **more,
        }
        for i in range(n)
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_it_says_the_same_as_of_the_whole(run: Run, tmp_path: Path) -> None:
    path = str(write(tmp_path / "a.jsonl", judge_m="a"))
    for options in ([], ["--preference-column", "judge_m"], ["--task", "instruction_following"]):
        for form in ("table", "json", "csv"):
            command = ["influence", path, *options, "--format", form]
            whole, streamed = run(*command, "--no-stream"), run(*command, "--stream")
            assert streamed.stdout == whole.stdout
            assert streamed.stderr == whole.stderr


def test_rows_without_a_task_or_a_verdict_are_told_alike(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", task=None, response_a="日本語のテキスト")
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[3] = json.dumps(json.loads(lines[3]) | {"preference": None, "annotators": []})
    path.write_text("\n".join(lines), encoding="utf-8")
    whole, streamed = (run("influence", str(path), how) for how in ("--no-stream", "--stream"))
    assert streamed.stderr == whole.stderr
    assert "1 pairs without a preference of people" in whole.stderr
    assert "rows name no task" in " ".join(whole.stderr.split())
    assert streamed.stdout == whole.stdout
    assert "grapheme clusters" in " ".join(whole.stdout.split())


def test_a_large_file_is_read_in_pieces_by_itself(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    original = pieces.pieces

    def seen(path: Path) -> Any:
        read.append(path)
        return original(path)

    monkeypatch.setattr("profile_tasks.scorers.measurement.streamed.pieces", seen)
    path = write(tmp_path / "a.jsonl")
    run("influence", path)
    assert not read
    monkeypatch.setattr(pieces, "_LARGE_BYTES", 1000)
    run("influence", path)
    assert read
    read.clear()
    # Options that look at all rows together, and files of others, are read as they always were.
    run("influence", path, "--limit", "20")
    assert not read


def test_what_cannot_be_read_in_pieces_is_refused_with_the_reason(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl")
    (tmp_path / "a.json").write_text("[]", encoding="utf-8")
    for arguments, why in (
        ([str(path), "--limit", "3"], "without --limit, which looks at all rows together"),
        ([str(tmp_path / "a.json")], "--stream reads files in our schema that end in .jsonl"),
        (["demo", "--task", "document_qa"], "--stream reads files"),
        ([str(path), "--preference-column", "judge_x"], "missing field 'judge_x'"),
    ):
        result = run("influence", *arguments, "--stream", exit_code=2)
        assert why in " ".join(result.stderr.split())
    other = tmp_path / "other.jsonl"
    other.write_text('{"prompt": "x", "chosen": "y", "rejected": "z"}\n' * 3, encoding="utf-8")
    run("influence", other)
    result = run("influence", str(other), "--stream", exit_code=2)
    assert "the rows are in another format than ours" in " ".join(result.stderr.split())


def test_a_sample_is_told(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from profile_tasks.scorers.statistics.group_sample import GroupSample

    monkeypatch.setattr(GroupSample.of.__func__, "__defaults__", (20, None))
    path = str(write(tmp_path / "a.jsonl"))
    for how in ("--stream", "--no-stream"):
        result = run("influence", path, how)
        assert "of a random sample of 20 groups" in " ".join(result.stdout.split())


def jsonl(path: Path, change: dict[str, Any], at: int) -> None:
    lines = write(path).read_text(encoding="utf-8").splitlines()
    lines[at] = json.dumps(json.loads(lines[at]) | change)
    path.write_text("\n".join(lines), encoding="utf-8")


def table(path: Path, **more: Any) -> None:
    rows = [json.loads(line) for line in write(path).read_text(encoding="utf-8").splitlines()]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    pq.write_table(pa.table(columns | {n: [v] * len(rows) for n, v in more.items()}), path)


def csv_file(path: Path, *changes: tuple[str, str], **more: str) -> None:
    rows = [json.loads(line) for line in write(path).read_text(encoding="utf-8").splitlines()]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [*rows[0], *more])
    writer.writeheader()
    writer.writerows(row | more for row in rows)
    content = text.getvalue()
    for old, new in changes:
        assert old in content
        content = content.replace(old, new, 1)
    path.write_text(content, encoding="utf-8", newline="")


def both(run: Run, path: Path, *options: str, exit_code: int) -> tuple[Result, Result]:
    command = ["influence", str(path), "--factors", "length", *options, "--format", "json"]
    command += ["--workers", "1"]
    whole, streamed = (
        run(*command, how, exit_code=exit_code) for how in ("--no-stream", "--stream")
    )
    return whole, streamed


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "BLOCK_BYTES", 2000)
    monkeypatch.setattr(pieces, "_ROWS", 8)
    monkeypatch.setattr(pieces, "_PIECE_ROWS", 16)


@pytest.mark.parametrize("at", [2, 50], ids=["early", "late"])
@pytest.mark.parametrize(
    "change",
    [
        {"preference": "left"},
        {"annotators": "a"},
        {"annotators": {"a": 1}},
        {"annotators": 1},
        {"annotators": [["a"]]},
        {"annotators": [{"a": 1}], "preference": None},
        {"response_b": ' [{"role": "assistant", "content": "Yes."}]'},
        {"source_id": " "},
        {"source_id": 1.5},
        {"id": "r1"},
    ],
    ids=str,
)
@pytest.mark.usefixtures("small_pieces")
def test_a_wrong_row_is_told_as_of_the_whole(
    change: dict[str, Any], at: int, run: Run, tmp_path: Path
) -> None:
    jsonl(tmp_path / "a.jsonl", change, at)
    whole, streamed = both(run, tmp_path / "a.jsonl", exit_code=2)
    assert f"a.jsonl:{at + 1}: " in whole.stderr
    assert streamed.stderr == whole.stderr


@pytest.mark.usefixtures("small_pieces")
def test_a_row_without_a_preference_is_told_where_only_a_part_names_judges_alone(
    run: Run, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.jsonl", n=300, judge_m="a")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for row in rows[250:]:
        del row["preference"]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    whole, streamed = both(run, path, exit_code=2)
    assert "a.jsonl:251: missing field 'preference'" in whole.stderr
    assert streamed.stderr == whole.stderr


@pytest.mark.parametrize("between", ["", "\n", "\n\n"])
def test_two_objects_in_a_line_are_told_though_the_lines_are_as_many(
    between: str, run: Run, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.jsonl", n=400)
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[300:302] = [lines[300] + lines[301] + between]
    path.write_text("\n".join(lines), encoding="utf-8")
    whole, streamed = both(run, path, exit_code=2)
    assert "a.jsonl:301: broken JSON (Extra data" in whole.stderr
    assert streamed.stderr == whole.stderr


def test_an_object_over_two_lines_is_told(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", n=400)
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[300:303] = [lines[300] + lines[301], *lines[302].split(", ", 1)]
    lines[302] = f",{lines[302]}"
    path.write_text("\n".join(lines), encoding="utf-8")
    whole, streamed = both(run, path, exit_code=2)
    assert "a.jsonl:301: broken JSON" in whole.stderr
    assert streamed.stderr == whole.stderr


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", None),
        ("a.jsonl", b'{"id": "caf\xe9"}'),
        ("a.jsonl", b"{}"),
        ("a.csv", "id,prompt".encode("utf-16")),
        ("a.csv", b""),
        ("a.csv", b"id;prompt;preference\n1;2;a\n"),
        ("a.csv", b'id,prompt,preference\n1,"2,a\n'),
        ("a.csv", b"id,prompt,response_a,response_b,preference\n1,2,3,4,a\n5\n"),
        ("a.csv", b"id,prompt,preference\n1,2,a\n3,4\xff,b\n"),
        ("a.parquet", b"PAR1" * 9),
        ("a.jsonl.gz", b"{}"),
        ("a.jsonl.gz", gzip.compress(b'{"id": 1}\n' * 99, mtime=0)[:-5]),
        ("a.jsonl.zst", b"{}"),
        ("a.jsonl.zst", zstandard.compress(b'{"id": 1}\n' * 99)[:-5]),
    ],
)
def test_a_broken_file_is_told_as_of_the_whole(
    name: str, content: bytes | None, run: Run, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    whole, streamed = both(run, tmp_path / name, exit_code=2)
    assert name in whole.stderr
    assert streamed.stderr == whole.stderr


def test_a_folder_is_told_as_of_the_whole(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    whole, streamed = both(run, tmp_path / "a.csv", exit_code=2)
    assert streamed.stderr == whole.stderr


def test_columns_of_one_name_are_told_as_of_the_whole(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table(path)
    held = pq.read_table(path)
    twice = pa.Table.from_arrays([*held.columns, held["id"]], names=[*held.column_names, "id"])
    pq.write_table(twice, path)
    whole, streamed = both(run, path, exit_code=2)
    assert "2 columns are named 'id'" in whole.stderr
    assert streamed.stderr == whole.stderr


def test_decimals_and_cells_of_json_are_read_from_the_first_row_on(
    run: Run, tmp_path: Path
) -> None:
    charms = {side: {"charm": Decimal(at)} for side, at in (("a", 1), ("b", 2))}
    table(tmp_path / "a.parquet", factors=charms)
    labels = '{"a": {"charm": 1}, "b": {"charm": 2}}'
    csv_file(tmp_path / "a.csv", labels=labels, judge_m='["a", "b", "a"]')
    for name, options in (
        ("a.parquet", ["--factors", "charm"]),
        ("a.csv", ["--factors", "charm", "--factors-column", "labels"]),
        ("a.csv", ["--preference-column", "judge_m"]),
    ):
        whole, streamed = both(run, tmp_path / name, *options, exit_code=0)
        assert streamed.stdout == whole.stdout


@pytest.mark.parametrize(
    "changes",
    [
        [("id,prompt", "\n\nid,prompt")],
        [(",task\r\n", ',"task\nof it"\r\n')],
        [("Say 3.", '"Say\r\n""3"".\n"')],
        [("id,prompt", "\ufeffid,prompt")],
    ],
    ids=["blank lines first", "line end in the header", "line ends in a cell", "byte order mark"],
)
def test_odd_csv_reads_as_it_does_as_a_whole(
    changes: list[tuple[str, str]], run: Run, tmp_path: Path
) -> None:
    csv_file(tmp_path / "a.csv", *changes)
    whole, streamed = both(run, tmp_path / "a.csv", exit_code=0)
    assert streamed.stdout == whole.stdout


@pytest.mark.parametrize("cell", ['"Say" 3.', '""Say 3.', '"Say ""my"" name" 3.'])
def test_what_stands_behind_a_cell_in_quotes_is_told(cell: str, run: Run, tmp_path: Path) -> None:
    csv_file(tmp_path / "a.csv", ("Say 3.", cell))
    whole, streamed = both(run, tmp_path / "a.csv", exit_code=2)
    assert "expected after '\"'" in whole.stderr
    assert streamed.stderr == whole.stderr
    csv_file(tmp_path / "a.csv", ("Say 3.", 'Say "3".'), ("Say 4.", '"Say ""4"""'))
    whole, streamed = both(run, tmp_path / "a.csv", exit_code=0)
    assert streamed.stdout == whole.stdout


def test_a_cell_that_is_no_json_by_itself_is_no_factor(run: Run, tmp_path: Path) -> None:
    csv_file(tmp_path / "a.csv", factors='{"a": {}}, "cell2": {}')
    whole, streamed = both(run, tmp_path / "a.csv", exit_code=2)
    assert "expected JSON" in whole.stderr
    assert "expected JSON" in streamed.stderr


def test_by_default_what_cannot_be_read_in_pieces_is_read_as_a_whole(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    monkeypatch.setattr(pieces, "_LARGE_BYTES", 1000)
    for name, change in (
        ("scattered.jsonl", {"group": "g0"}),
        ("late.jsonl", {"task": "document_qa"}),
    ):
        path = write(tmp_path / name, n=400)
        lines = path.read_text(encoding="utf-8").splitlines()
        lines[-1] = json.dumps(json.loads(lines[-1]) | change)
        path.write_text("\n".join(lines), encoding="utf-8")
        result = run("influence", str(path))
        assert result.stdout == run("influence", str(path), "--no-stream").stdout
        assert "read as a whole, in memory" in result.stderr
        run("influence", str(path), "--stream", exit_code=2)
    path = write(tmp_path / "judge.jsonl", preference=None, annotators=[], judge_m="a")
    assert "recorded judge judge_m" in run("influence", str(path)).stdout
    path = write(tmp_path / "a.jsonl")
    result = run("influence", str(path), "--task", "instruction_followin", exit_code=2)
    assert "did you mean 'instruction_following'" in result.stderr
    result = run("influence", str(path), "--task", "x", "--stream", exit_code=2)
    assert "no row has task 'x'" in result.stderr
