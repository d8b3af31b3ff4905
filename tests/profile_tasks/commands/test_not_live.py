"""Every form of every command that reads runs says which of their models no live model is."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from profile_tasks.leaderboard.boards import boards
from profile_tasks.runs.reading import read_runs
from profile_tasks.runs.run import Run
from profile_tasks.solvers.recorded_answers import RECORDED_NOTE
from profile_tasks.solvers.simulated_answers import GRADER_SIMULATION_NOTE, SIMULATION_NOTE

pytestmark = pytest.mark.filterwarnings("ignore")  # both harnesses and their dependencies warn

SAID = f"SIMULATED: {SIMULATION_NOTE}"
FORMS = [
    *("compare A B", "compare A B --format json", "compare A B --format csv"),
    *("leaderboard A B", "leaderboard A B --format md", "leaderboard A B --format csv"),
    *("leaderboard A B --format json", "leaderboard A B --format html"),
    *("gate A --bars BARS", "gate A --bars BARS --format json", "gate A --bars BARS --format csv"),
    *("gate A --bars BARS --junit FILE", "gate A --bars BARS --summary FILE"),
]


@pytest.fixture
def inputs(inspect_log: Any, tmp_path: Path) -> dict[str, Path]:
    """What stands in capitals in the commands."""
    bars = tmp_path / "bars.yaml"
    bars.write_text("version: 1\nbars:\n  - flip_rate <= 1\n")
    logs = {"A": inspect_log("verbose"), "B": inspect_log("concise")}
    return logs | {"BARS": bars, "FILE": tmp_path / "written"}


@pytest.mark.parametrize("form", FORMS)
def test_a_planted_model_is_said_to_be_simulated(
    run: Callable[..., Result],
    inputs: dict[str, Path],
    form: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    shown = run(*(inputs.get(word, word) for word in form.split())).stdout
    if "FILE" in form:
        shown = inputs["FILE"].read_text(encoding="utf-8")
    assert SAID in shown


def test_programs_find_it_in_a_field(
    run: Callable[..., Result], inputs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def record(*words: object) -> Any:
        return json.loads(run(*words, "--format", "json").stdout)

    a, b = inputs["A"], inputs["B"]
    compared = record("compare", a, b)
    assert compared["not_live_a"] == f"planted/verbose: {SAID}"
    assert compared["not_live_b"] == f"planted/concise: {SAID}"
    assert record("gate", a, "--bars", inputs["BARS"])["not_live"] == f"planted/verbose: {SAID}"
    (board,) = record("leaderboard", a, b)["boards"]
    assert {row["not_live"] for row in board["rows"]} == {
        f"planted/{name}: {SAID}" for name in ("verbose", "concise")
    }


def test_what_is_said_of_a_run_is_that_of_its_model_and_its_grader(inputs: dict[str, Path]) -> None:
    (planted,) = read_runs(inputs["A"])

    def said(model: str, *graders: str) -> str | None:
        return replace(planted, model=model, graders=graders).not_live

    assert said("openai/gpt") is None
    assert said("recorded/x") == f"recorded/x: {RECORDED_NOTE}"
    assert said("openai/gpt", "planted/grader") == (
        f"planted/grader: SIMULATED: {GRADER_SIMULATION_NOTE}"
    )
    assert said("recorded/x", "planted/grader") == (
        f"recorded/x: {RECORDED_NOTE}; planted/grader: SIMULATED: {GRADER_SIMULATION_NOTE}"
    )


def test_a_board_names_the_rows_that_it_is_said_of(inputs: dict[str, Path]) -> None:
    (planted,) = read_runs(inputs["A"])

    def notes(*runs: Run) -> tuple[str, ...]:
        (board,) = boards(runs)
        return board.notes

    live = replace(planted, model="openai/gpt")
    assert f"planted/verbose: {SAID}" in notes(planted, live)
    assert f"every row: {SAID}" in notes(planted)
    assert not any("SIMULATED" in note for note in notes(live))
