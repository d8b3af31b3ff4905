"""The coverage of shares and influences runs from end to end; its figures are in the docs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROW = re.compile(
    r"^\| (\d+) \| ([\d.]+) \| ([\d.]+) \([\d.]+\) \| [\d.]+ \| ([\d.]+) \([\d.]+\) \| [\d.]+ \|$",
    re.MULTILINE,
)


def test_near_the_ends_only_the_interval_in_use_covers(repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, repository / "benchmarks" / "share_intervals.py", "--studies", "100"],
        check=True,
        capture_output=True,
        text=True,
    )
    found = {(int(row[0]), float(row[1])): row[2:] for row in ROW.findall(done.stdout)}
    assert len(found) == 20
    assert all(float(in_use) > 93 for _, in_use in found.values())
    for sources in (12, 20, 50):
        percentile, _ = found[sources, 0.97]
        assert float(percentile) < 90
    page = (repository / "docs" / "calibration.md").read_text(encoding="utf-8")
    assert found.keys() <= {(int(row[0]), float(row[1])) for row in ROW.findall(page)}
