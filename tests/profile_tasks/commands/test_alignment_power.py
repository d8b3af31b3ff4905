"""``profile-tasks power --alignment``: pilots that are logs or files of two judges."""

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


def test_two_columns_of_a_file_plan_their_alignment(tmp_path: Path) -> None:
    rows = [
        {"id": f"{i}", "group": f"g{i // 2}", "task": "instruction_following", "prompt": "Say.",
         "response_a": "word " * (2 + i % 7), "response_b": "Other words. " * (1 + i % 5),
         "preference": "ab"[i % 3 % 2], "judge": "ab"[i % 4 % 2]}
        for i in range(60)
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
