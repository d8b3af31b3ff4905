"""Boards of equal models part as seldom as their places promise."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def test_equal_models_hardly_ever_part(repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, repository / "benchmarks" / "board_places.py", "--boards", "30"],
        check=True,
        capture_output=True,
        text=True,
    )
    rows = re.findall(
        r"^\| \d+, \d+ \|.*\| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", done.stdout, re.M
    )
    assert len(rows) == 12
    paired, flat, overlapping = ([float(row[column]) for row in rows] for column in range(3))
    # Of 30 boards that part with a chance of 5 % each, more than 5 do once in 300 times.
    assert max(paired + flat) <= 100 * 5 / 30
    assert sum(overlapping) > 2 * sum(paired)
