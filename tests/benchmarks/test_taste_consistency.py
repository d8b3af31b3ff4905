"""Noise is seldom read as taste; the whole script runs, and its figures are on the page."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROW = re.compile(r"^\| ([^|]+ \| \w+ \| \d+ \| [^|]+) \|((?: [\d.]+ \|){4})$", re.MULTILINE)


def test_noise_reads_as_taste_by_plain_differences_alone(
    repository: Path, shared_data: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    subprocess.run(
        [sys.executable, repository / "benchmarks" / "taste_consistency.py", "--studies", "10",
         "--data", shared_data, "--page", page],
        check=True,
        capture_output=True,
    )  # fmt: skip
    rows = {
        key: [float(cell) for cell in cells.split("|")[:4]]
        for key, cells in ROW.findall(page.read_text(encoding="utf-8"))
    }
    kept = dict(ROW.findall((repository / "docs" / "calibration.md").read_text(encoding="utf-8")))
    assert len(rows) == 30
    assert rows.keys() == kept.keys()
    noisy = [row for key, row in rows.items() if key.startswith("one taste, one judge")]
    plain, taste, *_ = (sum(column) / len(noisy) for column in zip(*noisy, strict=True))
    assert plain > 50
    assert taste < 10
