"""What intervals of contributions cover is what the page says, and what the output says of few."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from profile_tasks.scorers.statistics.coverage import of_contributions

ROW = re.compile(
    r"^\| (\d+) x (\d+) \| [\d.]+ \| [\d.]+ \|" + r" ([\d.]+) \|" * 7 + "$", re.MULTILINE
)
"""Sources, pairs, then seven shares of studies."""


def check(page: Path, slack: float) -> None:
    rows = ROW.findall(page.read_text(encoding="utf-8"))
    assert len(rows) == 10
    for n_sources, pairs, *covers in rows:
        explained, contributions, shares, below, _, *accuracies = map(float, covers)
        said = of_contributions(int(n_sources) * int(pairs), int(n_sources))
        least = 87 if said else 92.5
        assert explained >= 93 - slack
        assert min(contributions, shares) >= least - slack
        assert below <= 5
        assert min(accuracies) >= 91 - slack


def test_the_page_says_what_is_covered(repository: Path) -> None:
    check(repository / "docs" / "contributions.md", 0)


@pytest.mark.slow
def test_new_studies_cover_as_much(repository: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    marks = "<!-- contribution-intervals: begin -->\n<!-- contribution-intervals: end -->\n"
    page.write_text(marks, encoding="utf-8")
    script = repository / "benchmarks" / "contribution_intervals.py"
    subprocess.run(
        [sys.executable, script, "--studies", "60", "--page", page], check=True, capture_output=True
    )
    check(page, 12)  # of 60 studies, and of a third of them where shares are told
