"""``profile-tasks power --alignment``: pilots that are logs or files of two judges."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from profile_tasks.cli import main

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn


def power(*arguments: object) -> Any:
    return CliRunner().invoke(main, ["power", *map(str, arguments)])


def test_a_log_plans_self_agreement_and_the_judges_alignment(inspect_log: Any) -> None:
    done = power(inspect_log("verbose"), "--alignment", 0.1, "--format", "json", "--at", "20,200")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["alignments"]
    assert found.keys() == {"self-agreement", "alignment as a judge"}
    curve = found["self-agreement"]["curve"]
    assert curve["20"] >= curve["200"] >= 0


def test_a_table_says_how_it_came_about_and_what_it_does_not_know(inspect_log: Any) -> None:
    done = power(inspect_log("verbose"), "--alignment", 0.2)
    assert done.exit_code == 0, done.output
    told = " ".join(done.stdout.split())
    # A half-width near r = 1 is no certainty, and few sources say little.
    for part in (
        "<±0.01", "8 [8, 8]", "the pilot's 24 groups, with r within [+0.9980, +1.0000]",
        "near r = 1 or -1 it is small only if the pilot's r is right",
        "range of the number for r within its interval", "few sources (8 groups)",
        "plan at least 50 to compare alignments", "alignment as a judge: not estimable",
    ):  # fmt: skip
        assert part in told


def test_csv_marks_the_number_needed_and_why_there_is_none(inspect_log: Any) -> None:
    done = power(inspect_log("verbose"), "--alignment", 0.2, "--at", "20", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["of"], row["sources"], row["needed"]) for row in rows] == [
        ("self-agreement", "20", "False"),
        ("self-agreement", "8", "True"),
        ("alignment as a judge", "", "True"),
    ]
    assert rows[2]["reason"].startswith("not estimable")


@pytest.mark.parametrize("format_", ["table", "json", "csv"])
@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"own_pairs": False}, "alignment as a judge: not estimable"),
        ({"setting": "discrimination"}, "alignment as a judge: not estimable"),
        (
            {"limit": 7},
            "self-agreement: groups with decided pairs: 7; an alignment needs",
        ),
    ],
)
def test_a_log_of_which_nothing_can_be_planned_is_told_in_one_line(
    settings: dict[str, Any], told: str, format_: str, inspect_log: Any
) -> None:
    done = power(inspect_log("verbose", **settings), "--alignment", 0.2, "--format", format_)
    assert done.exit_code == 2
    assert f"nothing can be planned; {told}" in done.output
    assert done.output.count("\n") == 1
    assert done.stdout == ""


def test_two_columns_of_a_file_plan_their_alignment(tmp_path: Path) -> None:
    rows = [
        {"id": f"{i}", "group": f"g{i // 2}", "task": "instruction_following", "prompt": "Say.",
         "response_a": "word " * (2 + i % 7), "response_b": "Other words. " * (1 + i % 5),
         "preference": "ab"[(i % 7 < i % 5) ^ (i % 8 == 0)],
         "judge": "ab"[(i % 7 < i % 5) ^ (i % 9 == 0)]}
        for i in range(120)
    ]  # fmt: skip
    file = tmp_path / "pairs.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    done = power(
        file, "--alignment", 0.2, "--second-preference-column", "judge", "--format", "json"
    )
    assert done.exit_code == 0, done.output
    assert [*json.loads(done.stdout)["alignments"]] == ["alignment of preference and judge"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--alignment", "0.1"], "--alignment needs a pilot FILE"),
        (["demo", "--task", "summarization", "--alignment", "0.1"], "is about two judges: name"),
        (["demo", "--alignment", "0.1", "--width", "0.1"], "--width plans something else"),
    ],
)
def test_what_cannot_be_planned_is_told_in_one_line(arguments: list[str], told: str) -> None:
    done = power(*arguments)
    assert done.exit_code == 2
    assert told in done.output
    assert done.output.count("\n") == 1
