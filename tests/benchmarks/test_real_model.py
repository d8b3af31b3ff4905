"""The table of a real model: its cells are the runs' metrics, and the page has its rows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from profile_tasks.runs.reading import read_runs

pytestmark = pytest.mark.filterwarnings("ignore")  # both harnesses and their dependencies warn


@pytest.fixture(scope="module")
def real_model(benchmark: Callable[[str], Any]) -> Any:
    return benchmark("real_model")


@pytest.fixture(scope="module")
def lines(
    real_model: Any, inspect_log: Callable[..., Path], lm_eval_results: Callable[..., Path]
) -> dict[str, list[str]]:
    """Of runs of the planted annotator: what a row is called -> its cells."""
    (asked,) = read_runs(inspect_log("verbose"))
    (judged,) = read_runs(
        lm_eval_results("verbose", "profile_summarization_discrimination_loglikelihood")
    )
    return cells(real_model.table({"summarization": real_model.Measured(asked, judged)}))


def cells(table: str) -> dict[str, list[str]]:
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("|")]
    return {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows}


def test_each_cell_is_the_metric_that_its_row_names(
    lines: dict[str, list[str]], inspect_log: Callable[..., Path]
) -> None:
    (run,) = read_runs(inspect_log("verbose"))
    assert lines["sources"] == ["24"]
    assert lines["texts missing"] == ["0.00"]
    assert lines["tau of length: people"] == [str(run.estimate("tau_human_length"))]
    assert lines["tau of length: writer"] == [str(run.estimate("tau_generation_length"))]
    assert lines["**as writer**, for target scores"] == ["1, 2, 3, 4, 5"]
    first, fifth = (f"{run.metrics[f'words_at_score_{score}']:.0f}" for score in (1, 5))
    assert lines["mean words at score 1, at score 5"] == [f"{first}, {fifth}"]


def test_the_page_has_the_rows_of_the_script(repository: Path, lines: dict[str, list[str]]) -> None:
    page = (repository / "docs" / "findings.md").read_text("utf-8")
    table = page.partition("<!-- smollm2: begin -->")[2].partition("<!-- smollm2: end -->")[0]
    kept = cells(table)
    assert kept.keys() == lines.keys()
    assert all(int(cell) >= 30 for cell in kept["sources"])
    assert {len(row) for row in kept.values()} == {3}
