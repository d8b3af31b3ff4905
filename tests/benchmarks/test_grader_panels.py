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
    """Less is asked where graders of two kinds are three, and where all err much to one side."""
    rows = read(page)
    assert sum(map(len, rows.values())) == 4 * 2 * 3 + 4 * 2
    for key, of_key in rows.items():
        few_tell_little = "the shorter | 3" in key or "every one" in key
        for without, with_it, narrow, wide, _ in of_key:
            assert with_it >= least - (13 if few_tell_little else 0), key
            assert with_it >= without - 1, key
            assert wide >= narrow, key


def test_the_pages_figures_are_those_of_the_benchmark(repository: Path, tmp_path: Path) -> None:
    kept = repository / "docs" / "panel.md"
    check(kept, 94)
    without = {key: [row[0] for row in of_key] for key, of_key in read(kept).items()}
    assert without["by chance, some more often | 3 | 1000"][0] < 70
    assert without["takes the longer or the shorter | 3 | 1000"][0] < 40
    page = tmp_path / "page.md"
    subprocess.run(
        [sys.executable, repository / "benchmarks" / "grader_panels.py", "--studies", "30",
         "--page", page],
        check=True,
        capture_output=True,
    )  # fmt: skip
    check(page, 80)
