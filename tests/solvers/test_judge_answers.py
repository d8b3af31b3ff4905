"""Labelled answers of judges: none is read as what it does not say, and most are read.

``judge_answers.jsonl`` was written for this test and labelled by hand before anything was run: 130
answers, then 167 of the kinds that had been held back, answers that an earlier reading got wrong,
and 110 that were written when the grammar was done. ``stated``: a verdict line, or the first or
last line, states the choice by itself.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from profile_tasks.solvers.verdict import read_verdict

Row = dict[str, Any]


def rows_of(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


OWN = rows_of(Path(__file__).parent / "judge_answers.jsonl")


def read(row: Row) -> str | None:
    return read_verdict(row["text"], truncated=row["truncated"], material=row.get("material", ()))


@pytest.mark.parametrize("row", OWN, ids=[row["id"] for row in OWN])
def test_an_answer_is_read_as_what_it_says_or_not_at_all(row: Row) -> None:
    assert read(row) in (row["right"], None)


def test_nearly_every_answer_is_read_that_states_its_choice_by_itself() -> None:
    stated = [row for row in OWN if row["stated"] and row["right"] is not None]
    unread = [row["text"] for row in stated if read(row) is None]
    assert len(unread) <= 0.06 * len(stated), unread


def test_recorded_answers_are_read_right(shared_cases: Path) -> None:
    rows = rows_of(shared_cases / "verdicts.jsonl")
    found = [(read(row), row["right"]) for row in rows]
    assert [pair for pair in found if pair[0] not in (pair[1], None)] == []
    readable = [said for said, right in found if right is not None]
    assert sum(said is not None for said in readable) >= 0.85 * len(readable)


def test_answers_of_a_small_real_model_are_read_right(shared_cases: Path) -> None:
    rows = rows_of(shared_cases / "smollm2" / "answers.jsonl")
    labels = json.loads((Path(__file__).parent / "smollm2_labels.json").read_text("utf-8"))
    found = {
        at: (read_verdict(rows[int(at)]["answer"], truncated=_cut(rows[int(at)])), right)
        for at, right in labels["labels"].items()
    }
    assert {at: pair for at, pair in found.items() if pair[0] not in (pair[1], None)} == {}
    assert sum(said is not None for said, _ in found.values()) >= 0.8 * len(found)


def _cut(row: Row) -> bool:
    return bool(row["finish_reason"] == "length")
