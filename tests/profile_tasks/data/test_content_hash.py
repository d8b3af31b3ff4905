"""The hash of data is one of what is measured on them, and of nothing else."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from profile_tasks.data.content_hash import DIGITS
from profile_tasks.data.preferences import load_preferences

ROWS: list[dict[str, Any]] = [
    {
        "id": f"r{i}",
        "prompt": f"Say {i // 2}.",
        "source": "A text.",
        "reference": "Said.",
        "group": f"g{i // 2}",
        "response_a": f"one {i}",
        "response_b": f"two {i}",
        "preference": "ab"[i % 2],
        "system_a": "x",
        "system_b": "y",
        "judge_m": "a",
        "factors": {"a": {"charm": 1.0, "tone": "dry"}, "b": {"charm": 2.0}},
        "remark": i,
    }
    for i in range(6)
]


def hash_of(rows: list[dict[str, Any]], path: Path) -> str:
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return load_preferences(str(path)).content_hash


def test_a_hash_is_short_and_of_the_rows_not_of_their_file(tmp_path: Path) -> None:
    first = hash_of(ROWS, tmp_path / "a.jsonl")
    assert len(first) == DIGITS
    assert int(first, 16) >= 0
    others = [row | {"id": f"other {row['id']}", "remark": "another"} for row in ROWS[::-1]]
    assert hash_of(others, tmp_path / "b.jsonl") == first
    with (tmp_path / "c.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(ROWS[0]))
        writer.writeheader()
        writer.writerows(row | {"factors": json.dumps(row["factors"])} for row in ROWS)
    assert load_preferences(str(tmp_path / "c.csv")).content_hash == first


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "Say it."},
        {"source": "Another text."},
        {"reference": "Spoken."},
        {"group": "another"},
        {"response_a": "one"},
        {"response_a": ROWS[0]["response_b"], "response_b": ROWS[0]["response_a"]},
        {"response_a": "one 0tw", "response_b": "o 0"},
        {"preference": "tie"},
        {"annotators": ["a", "b", "a"], "preference": "a"},
        {"before_a": [{"role": "assistant", "content": "Hm."}, {"role": "user", "content": "?"}]},
        {"system_a": "z"},
        {"judge_m": "b"},
        {"factors": {"a": {"charm": 3.0, "tone": "dry"}, "b": {"charm": 2.0}}},
        {"factors": {"a": {"charm": 1.0, "tone": "warm"}, "b": {"charm": 2.0}}},
    ],
    ids="+".join,
)
def test_whatever_is_measured_changes_the_hash(change: Mapping[str, Any], tmp_path: Path) -> None:
    # The other row of the group goes, with which the changed one would have to agree.
    rows = [ROWS[0], *ROWS[2:]]
    changed = [ROWS[0] | change, *ROWS[2:]]
    assert hash_of(rows, tmp_path / "a.jsonl") != hash_of(changed, tmp_path / "a.jsonl")


def test_a_row_less_is_another_hash(tmp_path: Path) -> None:
    assert hash_of(ROWS, tmp_path / "a.jsonl") != hash_of(ROWS[1:], tmp_path / "a.jsonl")
