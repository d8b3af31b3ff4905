"""Intervals with the spread of graders cover what the page says, and those without it do not."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROW = re.compile(r"^\| ([a-z][^|]+ \| \d \| \d+) " + r"\| ([\d.]+) " * 5 + r"\|$", re.MULTILINE)


def read(page: Path) -> dict[str, list[list[float]]]:
    """Of each errors, graders and sources the rows of both tables."""
    rows: dict[str, list[list[float]]] = {}
    for key, *cells in ROW.findall(page.read_text(encoding="utf-8")):
        rows.setdefault(key, []).append(list(map(float, cells)))
    return rows


def check(page: Path, least: float) -> None:
    rows = read(page)
    assert sum(map(len, rows.values())) == 4 * 2 * 3 + 4 * 2
    for key, of_key in rows.items():
        for without, with_it, narrow, wide, _ in of_key:
            assert with_it >= least, key
            assert with_it >= without - 1, key
            assert wide >= narrow, key


def test_the_pages_figures_are_those_of_the_benchmark(repository: Path, tmp_path: Path) -> None:
    kept = read(repository / "docs" / "panel.md")
    check(repository / "docs" / "panel.md", 93)
    many = "some more often | 3 | 1000"
    (row,) = kept[f"by chance, {many}"]
    assert row[0] < 70  # without the spread
    page = tmp_path / "page.md"
    subprocess.run(
        [sys.executable, repository / "benchmarks" / "grader_panels.py", "--studies", "30",
         "--page", page],
        check=True,
        capture_output=True,
    )  # fmt: skip
    check(page, 80)
