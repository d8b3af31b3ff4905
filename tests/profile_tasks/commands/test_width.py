"""What people read fits their terminal, words come first, and a misspelt name gets the nearest."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from rich.cells import cell_len

from profile_tasks.commands.printing import command_line, folded, say, table_text

pytestmark = pytest.mark.filterwarnings("ignore")  # both harnesses and their dependencies warn

Run = Callable[..., Result]

HOSTILE = "gpt\x1b[31m-\N{CJK UNIFIED IDEOGRAPH-6587}[/b]" + "long" * 40


def lines_of(shown: str) -> list[str]:
    return shown.splitlines()


def write_rows(path: Path, **columns: Any) -> Path:
    """Forty pairs without a task; judges have hostile names, and one a long factor of its own."""
    rows = [
        {
            "id": f"r{i}",
            "prompt": f"Say {i}.",
            "response_a": "one two three" + " more" * (i % 5),
            "response_b": "one" + " b." * (i % 3),
            "preference": "a" if i % 4 == 0 else "b",
            "judge_x": "a" if i % 3 else "b",
            f"judge_{HOSTILE}": "a",
            "factors": {"a": {"very_long_name_of_a_factor" * 3: i % 3}, "b": {}},
            **columns,
        }
        for i in range(40)
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


@pytest.fixture
def inputs(inspect_log: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What stands in capitals in the commands below; short paths, as a folder of one's own has."""
    monkeypatch.chdir(tmp_path)
    for name in ("verbose", "concise"):
        (tmp_path / f"{name}.eval").symlink_to(inspect_log(name))
    write_rows(tmp_path / "rows.jsonl")
    bars = ["flip_rate <= 0.2", "alignment_generation_tau_b >= 0.4 with 95% confidence"]
    (tmp_path / "bars.yaml").write_text(json.dumps({"version": 1, "bars": bars}))
    return {"A": "verbose.eval", "B": "concise.eval", "ROWS": "rows.jsonl", "BARS": "bars.yaml"}


COMMANDS = {
    "influence demo --task summarization": 0,
    "influence ROWS": 0,
    f"influence ROWS --factors length,{'very_long_name_of_a_factor' * 3}": 0,
    "align ROWS ROWS --second-preference-column judge_x": 0,
    "judges ROWS": 0,
    "judges ROWS --judge x": 0,
    "contributions ROWS --factors length,readability": 0,
    "contributions A": 0,
    "compare A B": 0,
    "leaderboard A B": 0,
    "gate A B --bars BARS": 1,
    "cost demo --task summarization": 0,
    "power ROWS --simulations 100": 0,
    "power A --alignment 0.2": 0,
    "factors": 0,
    "export demo --task summarization --format dpo --output data": 0,
    "pairs A B -o pairs.jsonl": 0,
    "convert ROWS -o converted.jsonl": 0,
    "report A -o report.html": 0,
    "validate --tasks profile_summarization": 0,
}


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("command", COMMANDS)
def test_no_line_is_wider_than_the_terminal(
    run: Run,
    inputs: dict[str, str],
    command: str,
    columns: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    words = [inputs.get(word, word) for word in command.split()]
    done = run(*words, exit_code=COMMANDS[command])
    wide = [line for line in lines_of(done.output) if cell_len(line) > columns]
    assert done.output
    assert not wide


@pytest.mark.parametrize(
    ("command", "beginning"),
    [
        ("influence demo --task summarization", "people prefer more sentence_count (+0.40"),
        ("compare A B", "A, planted/verbose, beside B, planted/concise: as a judge, A follows"),
        ("align ROWS ROWS --second-preference-column judge_x", "whether the two align is not told"),
        ("leaderboard A B", "planted/verbose leads by alignment as judge, tau_b, ahead of all"),
        ("gate A B --bars BARS", "gate: missed (exit status 1)\n"),
        ("judges ROWS", "x: "),
    ],
)
def test_what_matters_is_said_first(
    run: Run, inputs: dict[str, str], command: str, beginning: str
) -> None:
    words = [inputs.get(word, word) for word in command.split()]
    assert run(*words, exit_code=1 if words[0] == "gate" else 0).stdout.startswith(beginning)


@pytest.mark.parametrize(
    ("command", "meant"),
    [
        ("influnce", "influence"),
        ("influence ROWS --factors lenght", "length"),
        ("influence ROWS --preference-column judge_y", "judge_x"),
        ("influence ROWS --factors-column factor", "factors"),
        ("influence demo --task sumarization", "summarization"),
        ("cost demo --task sumarization", "summarization"),
        ("factors --task sumarization", "summarization"),
        ("factors --factors lenght", "length"),
        ("judges ROWS --judge xx", "x"),
        ("leaderboard A --task sumarization", "summarization"),
        ("leaderboard A --sort flip-rate", "flip_rate"),
        ("gate A --bars BARS --task sumarization", "summarization"),
        ("pairs A B --task sumarization", "summarization"),
        ("validate --tasks profile_sumarization", "profile_summarization"),
    ],
)
def test_a_misspelt_name_gets_the_nearest(
    run: Run, inputs: dict[str, str], command: str, meant: str
) -> None:
    words = [inputs.get(word, word) for word in command.split()]
    told = run(*words, exit_code=2).stderr
    assert f"did you mean {meant!r}?" in told or f"is {meant!r} meant?" in told


def test_without_a_task_what_every_task_has_is_measured(run: Run, inputs: dict[str, str]) -> None:
    done = run("influence", inputs["ROWS"])
    assert "note: rows name no task, so the factors are those that every task has" in done.stderr
    assert "\nlength " in done.stdout
    assert "novel_words" not in done.stdout  # which instructions do not have


def test_several_logs_have_a_verdict_each_and_the_worst_is_the_status(
    run: Run, inputs: dict[str, str], tmp_path: Path
) -> None:
    bars = tmp_path / "length.yaml"
    bars.write_text("version: 1\nbars:\n  - tau_generation_length > 0\n")
    asked = ("gate", inputs["A"], inputs["B"], "--bars", bars, "--junit", tmp_path / "gate.xml")
    shown = run(*asked, exit_code=1).stdout
    assert "planted/verbose on summarization: met (1 met of 1 bar)" in shown
    assert "planted/concise on summarization: missed (1 missed of 1 bar)" in shown
    assert (tmp_path / "gate.xml").read_text().count("<testsuite ") == 2
    record = json.loads(run(*asked, "--format", "json", exit_code=1).stdout)
    assert (record["outcome"], record["exit_status"]) == ("missed", 1)
    assert [(each["log"], each["outcome"]) for each in record["runs"]] == [
        ("verbose.eval", "met"),
        ("concise.eval", "missed"),
    ]


def test_the_pairs_of_an_export_add_up(run: Run, inputs: dict[str, str]) -> None:
    asked = ("demo", "--task", "summarization", "--format", "dpo", "--output", "data")
    shown = run("export", *asked).stdout
    assert "144 pairs found = 132 written + 12 left out (tie 12)\n" in shown


def test_a_sentence_goes_on_indented_and_keeps_a_number_with_its_interval() -> None:
    assert lines_of(folded("- the influence is +0.10 [-0.20, +0.40] of all", 24)) == [
        "- the influence is",
        "  +0.10 [-0.20, +0.40]",
        "  of all",
    ]


def test_a_word_that_no_line_holds_is_cut_by_its_width_on_the_screen() -> None:
    wide = "\N{CJK UNIFIED IDEOGRAPH-6587}" * 30
    assert all(cell_len(line) <= 20 for line in lines_of(folded(f"of {wide}", 20)))
    assert folded(wide, 20).count("\N{CJK UNIFIED IDEOGRAPH-6587}") == 30


def test_a_long_name_is_cut_at_a_joint_and_not_in_its_ending() -> None:
    name = "2026-11-29T00-20-41_summarization_7ajq9mhLSa68iZ.eval"
    assert lines_of(folded(f"note: {name}", 52)) == [
        "note:",
        "  2026-11-29T00-20-41_summarization_",
        "  7ajq9mhLSa68iZ.eval",
    ]


def test_a_table_stands_in_parts_each_with_its_first_column(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    row = {"factor": "length"} | {f"column {i}": f"0.0{i} [-0.62, 0.69]" for i in range(6)}
    text = table_text([row])
    parts = text.split("\n\n")
    assert len(parts) > 1
    assert all("length" in part for part in parts)
    assert all(cell in text for cell in row.values())


def test_a_command_is_broken_where_a_shell_lets_it_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = command_line("profile-tasks", "influence", "a b.jsonl", "--task", "t" * 60)
    assert text == f"  profile-tasks influence 'a b.jsonl' \\\n    --task {'t' * 60}"


def test_what_is_to_be_copied_is_not_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    say(f"log: {'x' * 100}", whole=True)
    assert capsys.readouterr().out == f"log: {'x' * 100}\n"
