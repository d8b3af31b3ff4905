"""What each grader of a panel says stands in the report as two tables."""

from collections.abc import Callable
from pathlib import Path

import pytest

from profile_tasks.report.by_grader import agreement_rows, grader_columns, grader_rows
from profile_tasks.report.findings import findings
from profile_tasks.report.page import rendered, task_sections
from profile_tasks.report.reading import read_findings
from profile_tasks.runs.run import Run

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

PANEL = ((0.1, 1), (0.13, 2), (0.16, 3))
FACTORS = "length,hallucination,fluency,coherence"


@pytest.fixture(scope="module")
def log(inspect_log: Callable[..., Path]) -> Path:
    return inspect_log("verbose", grader=PANEL, factors=FACTORS, limit=12)


def test_factors_by_grader_and_alignments_by_grader(log: Path) -> None:
    (found,) = read_findings(log)
    assert [row[0] for row in agreement_rows(found)] == ["hallucination", "fluency", "coherence"]
    assert grader_columns(found) == (
        *("what", "whose", "majority"),
        *(f"planted/grader #{place}" for place in (1, 2, 3)),
    )
    rows = {(what, whose): cells for what, whose, *cells in grader_rows(found)}
    assert rows["fluency", "people"][0] == found.profiles["human"].influences["fluency"].tau.text()
    assert len({*rows["fluency", "people"]}) == 4  # each says another thing
    assert ("length", "people") not in rows
    aligned = rows["alignment", "judge with people, tau_b"]
    assert aligned[0] == found.alignments["discrimination"]["tau_b"].number.text()


def test_the_page_has_them_beside_agreement(log: Path, inspect_log: Callable[..., Path]) -> None:
    page = rendered(task_sections(read_findings(log)))
    assert "How far the graders agree: planted/verbose, summarization" in page
    assert "planted/grader #3" in page
    one = inspect_log("verbose", grader=PANEL[1:2], factors=FACTORS, limit=12)
    assert "How far the graders agree" not in rendered(task_sections(read_findings(one)))


def test_a_grader_with_a_hostile_name_is_named_and_not_obeyed() -> None:
    entry = {"value": 0.5, "ci_low": 0.4, "ci_high": 0.6, "reason": None}
    panel = {
        "factors": {"fluency": {"alpha": entry, "agreement": entry, "n_pairs": 9, "n_groups": 9}},
        "graders": {"a\u202egrader": {"human": {"fluency": entry}}},
    }
    run = Run("x", "lm-eval", "m", "summarization", "t", "both", profile={"panel": panel})
    assert "\u202e" not in grader_columns(findings(run))[-1]
