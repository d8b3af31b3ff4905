"""``profile-tasks influence`` of a file in pieces: chosen by itself where it is large."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
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
