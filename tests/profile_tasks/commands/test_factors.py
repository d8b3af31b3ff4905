"""The taxonomy as a user sees it, and a user's own file as it is checked."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from profile_tasks.commands.factors import factors
from profile_tasks.data.task_definition import packaged_tasks
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.selection import resolve_factors
from profile_tasks.scorers.factors.taxonomy import load_taxonomy

TASKS = packaged_tasks()

Run = Callable[..., Result]

OWN = """
version: 1
factors:
  - {id: warmth, kind: judged, tasks: [summarization], definition: How warm it sounds.}
  - {id: length, more: longer}
  - id: exclamations
    kind: surface
    tasks: [summarization, document_qa]
    definition: Number of exclamation marks.
    function: own_factors:exclamations
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A taxonomy file of one's own beside the module that computes one of its factors."""
    module = "def exclamations(response, source, prompt):\n    return float(response.count('!'))\n"
    (tmp_path / "own_factors.py").write_text(module)
    (tmp_path / "mine.yaml").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return "mine.yaml"


def listed(result: Result) -> list[str]:
    """The ids in the table, between its two header lines and the blank line under it."""
    return [line.split()[0] for line in result.stdout.split("\n\n")[0].splitlines()[2:]]


def test_without_a_selection_every_factor_is_listed_mirrors_too(run: Run) -> None:
    assert listed(run("factors")) == list(load_taxonomy())
    of_task = [f.id for f in load_taxonomy().values() if "document_qa" in f.tasks]
    assert listed(run("factors", "--task", "document_qa")) == of_task
    assert "source_compression" in of_task


@pytest.mark.parametrize("selection", ["auto", "core", "surface", "all", "fluency,length"])
def test_a_selection_is_listed_as_a_run_resolves_it(run: Run, selection: str) -> None:
    shown = run("factors", "--task", "summarization", "--factors", selection)
    assert listed(shown) == [f.id for f in resolve_factors(selection, "summarization")]


def test_a_row_tells_level_kind_tasks_core_and_what_more_means(run: Run) -> None:
    lines = run("factors").stdout.splitlines()
    assert lines[0] == "23 factors"
    assert lines[1].split() == ["factor", "level", "kind", "tasks", "core", "more", "means"]
    shown = {line.split()[0]: " ".join(line.split()[1:]) for line in lines[2:24]}
    assert shown["novel_words"] == (
        "1 surface S DQ CR core a larger share of words not in the source"
    )
    assert (
        shown["receptiveness"] == "3 judged IF DQ D core a more direct answer to the core question"
    )
    assert shown["markdown"] == "1 surface S IF DQ D CR more markdown formatting"
    assert lines[-2] == (
        "tasks: S summarization, IF instruction_following, DQ document_qa, D dialogue, "
        "CR code_review"
    )


def test_only_graded_factors_are_said_to_need_a_grader(run: Run) -> None:
    assert "need a grader" in run("factors").stdout
    assert "grader" not in run("factors", "--factors", "surface").stdout


def test_the_table_fits_a_hundred_columns_and_wraps_long_texts_beyond(
    run: Run, mine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert max(len(line) for line in run("factors").stdout.splitlines()) <= 100
    Path(mine).write_text(
        OWN.replace("more: longer", f"more: {'much ' * 30}longer"), encoding="utf-8"
    )
    lines = run("factors", "--factors", f"{mine},length").stdout.splitlines()
    assert lines[0] == "1 factor"
    assert max(len(line) for line in lines) <= 100
    assert "longer" in " ".join(lines)


def test_json_holds_every_field(run: Run) -> None:
    shown = json.loads(run("factors", "--format", "json").stdout)["factors"]
    assert list(shown) == list(load_taxonomy())
    assert set(shown["length"]) == {*Factor.__dataclass_fields__, "graded"}
    assert shown["length"]["range"] == [0, None]
    assert shown["hallucination"]["label"]["counted"] == ["absent", "contradicted"]
    assert shown["hallucination"]["graded"] is True


def test_csv_holds_a_row_a_factor(run: Run) -> None:
    text = run("factors", "--task", "document_qa", "--format", "csv").stdout
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(text))}
    assert rows["off_focus"]["level"] == "2"
    assert json.loads(rows["off_focus"]["tasks"]) == list(TASKS)
    assert json.loads(rows["off_focus"]["label"])["values"] == ["on", "off"]
    assert rows["length"]["label"] == ""


def test_an_own_file_shows_what_it_adds_and_overrides(run: Run, mine: str) -> None:
    lines = run("factors", "--task", "summarization", "--factors", mine).stdout.splitlines()
    shown = {line.split()[0]: " ".join(line.split()[1:]) for line in lines if line}
    assert shown["warmth"] == "3 judged S more of it"
    assert shown["exclamations"] == "1 surface S DQ a larger value"
    assert shown["length"] == "1 surface S IF DQ D CR core longer"
    assert shown["markdown"] == "1 surface S IF DQ D CR more markdown formatting"


def test_an_own_file_without_task_is_checked_for_all_tasks(run: Run, mine: str) -> None:
    assert listed(run("factors", "--factors", f"{mine},exclamations,warmth")) == [
        "exclamations",
        "warmth",
    ]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("kind: judged", "kind: guessed", "mine.yaml, factor number 1 ('warmth'), field 'kind'"),
        ("own_factors:", "no_factors:", "'exclamations': cannot import its function"),
        ("own_factors:exclamations", "math:pi", "'math:pi' is not callable"),
        ("factors:", "factor:", "mine.yaml: must be a mapping of exactly"),
    ],
)
def test_what_is_wrong_with_an_own_file_is_named(
    run: Run, mine: str, old: str, new: str, complaint: str
) -> None:
    Path(mine).write_text(OWN.replace(old, new, 1), encoding="utf-8")
    assert complaint in run("factors", "--factors", mine, exit_code=2).stderr


def test_a_missing_file_is_named(run: Run) -> None:
    assert (
        "no taxonomy file 'her.yaml'" in run("factors", "--factors", "her.yaml", exit_code=2).stderr
    )


def test_the_tasks_to_choose_from_are_all_tasks() -> None:
    (option,) = (option for option in factors.params if option.name == "task")
    assert tuple(option.type.choices) == TASKS
