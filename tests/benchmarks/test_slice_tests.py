"""The simulation of slices runs from end to end; its figures are in docs/slices.md."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def test_what_is_planted_is_found_and_little_else(repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, repository / "benchmarks" / "slice_tests.py", "--studies", "40"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    rows = re.findall(r"^\| (\d+ x \d) \| ([\d.]+) \| ([\d.]+) / .*$", done.stdout, re.MULTILINE)
    assert [row[:2] for row in rows] == [
        ("60 x 3", "0"), ("60 x 3", "1.5"), ("200 x 1", "0"), ("200 x 1", "1.5")
    ]  # fmt: skip
    found = [float(row[2]) for row in rows]
    assert max(found[::2]) < 20
    assert min(found[1::2]) > 60
    page = (repository / "docs" / "slices.md").read_text(encoding="utf-8")
    assert all(f"| {design} | {planted} |" in page for design, planted, _ in rows)
