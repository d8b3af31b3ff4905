"""Files that no command can use: one line that names the file, and never a traceback."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]

BARS = "version: 1\nbars: [flip_rate <= 1]\n"
ROW = (
    '{"id": "p", "task": "summarization", "prompt": "x", "source": "s", "response_a": "a b", '
    '"response_b": "c", "preference": "a", "extra": %s}'
)
DEEP = "[" * 100_000

Command = tuple[object, ...]


def reading_rows(file: object) -> Iterator[Command]:
    yield "influence", file
    yield "align", file, file
    yield "power", file
    yield "cost", file, "--task", "summarization"
    yield "export", file, "--format", "dpo", "--output", "pairs"
    yield "validate-grader", file, "--grader", "mockllm/model"


def reading_runs(file: object) -> Iterator[Command]:
    yield "report", file
    yield "compare", file, file
    yield "leaderboard", file
    yield "gate", file, "--bars", "bars.yaml"
    yield "export", file, "--format", "dpo", "--output", "pairs"


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("bars.yaml").write_text(BARS, encoding="utf-8")
    return tmp_path


def refused(run: Run, command: Command, named: str) -> None:
    lines = run(*command, exit_code=2).stderr.splitlines()
    assert len(lines) == 1, command
    assert named in lines[0], command


@pytest.mark.parametrize(
    "commands", [reading_rows, reading_runs], ids=lambda commands: commands.__name__
)
@pytest.mark.parametrize("ending", ["jsonl", "json", "csv", "parquet", "eval"])
def test_a_folder_a_long_name_and_an_unreadable_file_are_one_line(
    run: Run, ending: str, commands: Callable[[object], Iterator[Command]]
) -> None:
    if (ending == "eval") == (commands is reading_rows):
        pytest.skip("of the other kind")
    Path(f"folder.{ending}").mkdir()
    Path(f"unreadable.{ending}").symlink_to("/proc/self/mem")  # opens, and fails when it is read
    for name in (f"folder.{ending}", f"{'x' * 300}.{ending}", f"unreadable.{ending}"):
        for command in commands(name):
            if command[0] == "leaderboard" and name.startswith("folder"):
                continue  # it reads what is in folders
            refused(run, command, name[:100])


def test_other_files_that_commands_read_are_named_too(run: Run) -> None:
    long = "x" * 300
    demo = ("influence", "demo", "--task", "summarization")
    refused(run, (*demo, "--factors", f"{long}.yaml"), long)
    refused(run, ("gate", "run.eval", "--bars", f"{long}.yaml"), long)
    refused(run, ("score-lm-eval", f"{long}.jsonl", "--grader", "mockllm/model"), long)
    refused(run, ("validate", "--tasks", f"{long}.yaml"), long)
    refused(run, ("report", "bars.yaml", "-o", f"{long}.html"), "bars.yaml")


@pytest.mark.parametrize(
    "content",
    [
        DEEP,
        f'{{"results": {DEEP}',
        f'{{"version": 2, "status": {DEEP}',
        f'{{"factors": {{"length": {DEEP}',
    ],
    ids=["nothing else", "results", "log", "profile"],
)
def test_results_nested_without_end_are_one_line(run: Run, content: str) -> None:
    file = Path("results_1.json")
    file.write_text(content, encoding="utf-8")
    for command in (*reading_runs(file), ("align", file, file)):
        refused(run, command, "results_1.json")


def test_results_nested_without_end_cost_a_board_themselves_alone(
    run: Run, lm_eval_results: Callable[..., Path]
) -> None:
    Path("results_1.json").write_text(DEEP, encoding="utf-8")
    shown = run("leaderboard", lm_eval_results(), "results_1.json", "--skip-bad")
    assert shown.stderr.startswith("skipped: results_1.json: ")
    assert "planted/verbose" in shown.stdout


def test_a_row_nested_without_end_costs_itself_alone(run: Run) -> None:
    rows = [ROW.replace('"p"', f'"p{n}"') % 1 for n in range(10)]
    lines = [*rows[:5], ROW % DEEP, *rows[5:]]
    Path("pairs.jsonl").write_text("\n".join(lines), encoding="utf-8")
    refused(run, ("influence", "pairs.jsonl"), "pairs.jsonl:6: broken JSON")
    refused(run, ("score-lm-eval", "pairs.jsonl", "--grader", "mockllm/model"), "pairs.jsonl:1")
    options = ("--factors", "length", "--skip-bad-rows", "--format", "json")
    shown = run("influence", "pairs.jsonl", *options)
    assert json.loads(shown.stdout)["n_pairs"] == 10
    assert shown.stderr.startswith("skipped: pairs.jsonl:6: broken JSON")
