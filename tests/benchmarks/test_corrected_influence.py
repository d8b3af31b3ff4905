"""Only corrected intervals hold the truth where a grader errs; the figures are on the page."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

BY_ERROR = re.compile(
    r"^\| ([a-z][^|]+ \| \d+) \| ([\d.]+) \| ([\d.]+) \| [\d.]+, [\d.]+ \|"
    r" ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$",
    re.MULTILINE,
)
BY_LABELLED = re.compile(
    r"^\| (\d+) \| ([\d.]+) \| [\d.]+, [\d.]+ \| ([\d.]+) \| [\d.]+, [\d.]+ \| ([\d.]+) \|$",
    re.MULTILINE,
)


def read(page: Path) -> tuple[dict[str, list[float]], dict[int, list[float]]]:
    text = page.read_text(encoding="utf-8")
    return (
        {key: list(map(float, cells)) for key, *cells in BY_ERROR.findall(text)},
        {int(key): list(map(float, cells)) for key, *cells in BY_LABELLED.findall(text)},
    )


def check(page: Path, least: float, most: float) -> None:
    by_error, by_labelled = read(page)
    assert len(by_error) == 13
    assert len(by_labelled) == 7
    for key, (graded, corrected, width, now, alone) in by_error.items():
        errors, rate = key.split(" | ")
        assert least <= corrected <= most, key
        assert width < now < alone, key  # it costs width, and labels alone cost more
        if rate == "20" and errors != "takes the longer response":
            assert graded < 60, key
    for labelled, (few_errors, many_errors, _) in by_labelled.items():
        assert min(few_errors, many_errors) >= least, labelled


def test_corrected_intervals_cover_and_graded_ones_do_not(repository: Path, tmp_path: Path) -> None:
    kept, page = repository / "docs" / "corrected.md", tmp_path / "page.md"
    check(kept, 93, 97)
    subprocess.run(
        [sys.executable, repository / "benchmarks" / "corrected_influence.py", "--studies", "40",
         "--page", page],
        check=True,
        capture_output=True,
    )  # fmt: skip
    check(page, 88, 100)  # of 240 studies and more
