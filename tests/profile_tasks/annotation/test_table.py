"""Tasks as a table for other tools, and answers as one."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from profile_tasks.annotation.project import Project
from profile_tasks.annotation.reading import read_answers
from profile_tasks.annotation.table import task_table

Make = Callable[..., Project]

HEAD = "META_project,META_task,annotator,preference,seconds,factor_fluency\n"


def test_a_task_is_a_row_whose_ids_participants_do_not_see(project: Make) -> None:
    made = project()
    rows = list(csv.DictReader(io.StringIO(task_table(made))))
    assert list(rows[0]) == [
        "META_project", "META_task", "Request", "Document", "Text A", "Text B"
    ]  # fmt: skip
    assert [row["META_task"] for row in rows] == [task.task for task in made.sheets[0]]
    assert [row["Text A"] for row in rows] == [task.first for task in made.sheets[0]]


def test_no_text_is_a_formula(project: Make) -> None:
    made = project()
    (first, *others) = made.sheets[0]
    formula = replace(first, first="=1+1", second="- a list\n- of two")
    table = task_table(replace(made, sheets=((formula, *others),)))
    row = next(csv.DictReader(io.StringIO(table)))
    assert (row["Text A"], row["Text B"]) == (" =1+1", " - a list\n- of two")


def test_a_vote_is_a_row(project: Make, tmp_path: Path) -> None:
    made = project()
    one, other = made.sheets[0][:2]
    file = tmp_path / "answers.csv"
    file.write_text(
        f"{HEAD}{made.key.project},{one.task},p1,tie,12.5,first\n"
        f"{made.key.project},{other.task},p1,,,\n",
        encoding="utf-8",
    )
    said, skipped = read_answers(file)
    assert (said.task, said.annotator, said.preference) == (one.task, "p1", "tie")
    assert (said.seconds, said.factors, said.skipped) == (12.5, {"fluency": "first"}, False)
    assert (skipped.preference, skipped.skipped, skipped.factors) == (None, True, {})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("META_task,annotator\nt,p\n", "answers.csv:2: no column META_project, preference"),
        (f"{HEAD}p,t,,tie,3,\n", "answers.csv:2: column 'annotator' is empty"),
        (f"{HEAD}p,t,1,A,3,\n", "answers.csv:2: column 'preference' holds 'A'; expected first"),
        (f"{HEAD}p,t,1,tie,soon,\n", "answers.csv:2: column 'seconds' holds 'soon'"),
        (f"{HEAD}p,t,1,tie,nan,\n", "answers.csv:2: column 'seconds' holds 'nan'"),
        ("task,first,preference\nt,x,a\n", "an export of Label Studio reads as JSON"),
    ],
)
def test_a_bad_cell_is_told_with_its_place(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "answers.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=told):
        list(read_answers(tmp_path / "answers.csv"))
