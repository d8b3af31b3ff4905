"""The calibration runs from end to end; what it finds is in docs/calibration.md."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def calibrated(repository: Path, shared_data: Path, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("calibration")
    page = folder / "page.md"
    page.write_text(
        "before\n<!-- calibration: begin -->\nold\n<!-- calibration: end -->\nafter\n",
        encoding="utf-8",
    )
    subprocess.run(
        [sys.executable, repository / "benchmarks" / "calibration.py", "--repetitions", "4",
         "--cells", "3", "--data", shared_data, "--page", page,
         "--output", folder / "results.json"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return page.read_text(encoding="utf-8"), json.loads((folder / "results.json").read_text())


def test_the_tables_stand_between_the_marks_and_replace_the_old_ones(calibrated):
    page, _ = calibrated
    assert page.startswith("before\n<!-- calibration: begin -->\n20 studies a design")
    assert page.endswith("<!-- calibration: end -->\nafter\n")
    assert "old" not in page


def test_most_studies_hold_the_truth_and_few_tests_reject_it(calibrated):
    _, results = calibrated
    for row in results["covered"]:
        assert row["tau"] > 0.9
        assert row["difference of taus"] > 0.85
        assert row["studies"]["tau"] >= 20 * 5
    for row in results["rejected"]:
        assert row["influence on coin flips, sign flips"] < 0.3


def test_the_page_of_the_project_is_one_that_this_script_wrote(calibrated, repository: Path):
    page, _ = calibrated
    kept = (repository / "docs" / "calibration.md").read_text(encoding="utf-8")
    rows = [re.findall(r"^\| ([^|]+ \| [^|]+) \|", text, re.MULTILINE) for text in (page, kept)]
    heads = [row for row in rows[0] if row.startswith("haluquestqa")]
    assert len(heads) == 4 * 3 + 1  # tastes are held in one of the three designs
    assert set(heads) <= set(rows[1])


def test_a_folder_without_the_files_is_told(repository: Path, tmp_path: Path):
    done = subprocess.run(
        [sys.executable, repository / "benchmarks" / "calibration.py", "--data", tmp_path],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode != 0
    assert f"{tmp_path}: no haluquestqa.jsonl there; name the folder with --data" in done.stderr
