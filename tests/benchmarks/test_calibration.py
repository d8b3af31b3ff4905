"""The calibration runs from end to end; what it finds is in docs/calibration.md."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def calibrated(repository: Path, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("calibration")
    page = folder / "page.md"
    page.write_text(
        "before\n<!-- calibration: begin -->\nold\n<!-- calibration: end -->\nafter\n",
        encoding="utf-8",
    )
    subprocess.run(
        [sys.executable, repository / "benchmarks" / "calibration.py", "--repetitions", "12",
         "--page", page, "--output", folder / "results.json"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return page.read_text(encoding="utf-8"), json.loads((folder / "results.json").read_text())


def test_the_tables_stand_between_the_marks_and_replace_the_old_ones(calibrated):
    page, _ = calibrated
    assert page.startswith("before\n<!-- calibration: begin -->\n12 simulated studies")
    assert page.endswith("<!-- calibration: end -->\nafter\n")
    assert "old" not in page


def test_pairs_taken_as_independent_cover_less_than_sources(calibrated):
    _, results = calibrated
    for by_size in results["distinct"].values():
        naive = by_size["tau_14 | pairs as independent"]["covered"]
        assert naive < by_size["tau_14 | percentile, expanded"]["covered"]


def test_the_page_of_the_project_is_one_that_this_script_wrote(calibrated, repository: Path):
    page, _ = calibrated
    kept = (repository / "docs" / "calibration.md").read_text(encoding="utf-8")
    rows = [re.findall(r"^\| ([^|]+ \| [^|]+) \|", text, re.MULTILINE) for text in (page, kept)]
    assert rows[0] == [row for row in rows[1] if row in set(rows[0])]
