"""Where the stronger write longer only the controlled interval covers; figures are on the page."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROW = re.compile(
    r"^\| (\d+ x \d+ \| \d+ \| [a-z ]+ \| [\d.]+) \| \d+ \| \S+ \| ([\d.]+) \| \S+ \| ([\d.]+) \|",
    re.MULTILINE,
)


def test_only_with_control_is_the_influence_of_length_covered(
    repository: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    subprocess.run(
        [sys.executable, repository / "benchmarks" / "system_control.py", "--studies", "30",
         "--page", page],
        check=True,
        capture_output=True,
    )  # fmt: skip
    rows = {key: (float(a), float(b)) for key, a, b in ROW.findall(page.read_text("utf-8"))}
    kept = {
        key for key, *_ in ROW.findall((repository / "docs" / "adjusted.md").read_text("utf-8"))
    }
    assert len(rows) == 18
    assert rows.keys() == kept
    without, with_control = rows["100 x 4 | 6 | better ones longer | 0"]
    assert without < 20
    assert with_control > 80
