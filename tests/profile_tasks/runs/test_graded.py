"""A finished run with a grader as recorded preferences, whose grades human labels correct."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from profile_tasks.cli import main
from profile_tasks.runs.graded import graded_preferences
from profile_tasks.runs.inspect_log import read_run

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

FACTORS = "length,hallucination,fluency"
LABELS = """
version: 1
data_sets:
  demo:
    - {label: invented_facts, factor: hallucination, direction: same, kind: values, tolerance: 0}
"""


@pytest.fixture(scope="module")
def graded(inspect_log: Callable[..., Path]) -> Path:
    return inspect_log("verbose", grader="planted/grader")


def command(*arguments: object, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == exit_code, result.output
    return result


@pytest.mark.parametrize("whose", ["human", "discrimination"])
def test_the_influences_are_those_of_the_run(graded: Path, whose: str) -> None:
    column = "preference" if whose == "human" else whose
    found = json.loads(
        command(
            "influence", graded, "--factors", FACTORS, "--preference-column", column,
            "--replicates", 100, "--format", "json",
        ).stdout
    )  # fmt: skip
    run = read_run(str(graded))
    for factor, values in found["factors"].items():
        of_run = run.profile[whose]["factors"][factor]
        for name in ("tau", "concordant", "discordant", "tied", "missing", "ci_low", "p_value"):
            assert values[name] == pytest.approx(of_run[name]), (factor, name)
    assert found["read_as"].startswith("grades of planted/grader (SIMULATED: no evidence about any")


def test_human_labels_in_the_rows_correct_the_grades_of_the_run(
    graded: Path, tmp_path: Path
) -> None:
    (tmp_path / "labels.yaml").write_text(LABELS, encoding="utf-8")
    shown = command(
        "influence", graded, "--factors", "hallucination,invented_facts",
        "--human-labels", tmp_path / "labels.yaml", "--replicates", 100, "--format", "json",
    ).stdout  # fmt: skip
    found = json.loads(shown)["factors"]
    assert found["hallucination"]["n_labelled"] > 0
    # Every pair has a label, so it is their influence.
    alone = pytest.approx(found["invented_facts"]["tau"])
    assert found["hallucination"]["labels_alone"] == alone
    assert found["hallucination"]["corrected"] == alone


def test_a_missing_grade_stays_missing(graded: Path) -> None:
    run = read_run(str(graded), texts=True)
    lacking = tuple(
        m.model_copy(update={"annotated": tuple((None,) * len(row) for row in m.annotated)})
        for m in run.measurements
    )
    data = graded_preferences(replace(run, measurements=lacking))
    assert all(
        pair.factors_a.keys() == {"invented_facts"}
        for source in data.sources
        for pair in source.pairs
    )


def test_a_run_without_a_grader_or_a_judge_is_refused(
    graded: Path, inspect_log: Callable[..., Path]
) -> None:
    plain = command("influence", inspect_log("verbose"), "--human-labels", "packaged", exit_code=2)
    assert "no grader graded in this run" in plain.output
    writer = command("influence", graded, "--preference-column", "generation", exit_code=2)
    assert "a run holds no preference 'generation'" in writer.output
    option = command("influence", graded, "--task", "summarization", exit_code=2)
    assert "is a log, for which --task says nothing" in option.output
