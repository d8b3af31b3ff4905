"""With one large group only corrected errors keep the level; the figures are on the page."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROW = re.compile(r"^\| (\d+ \| [^|]+ \| \d+) \| ([\d.]+) \| ([\d.]+) \| \d+ \|$", re.MULTILINE)


def test_plain_errors_reject_too_often_where_one_group_is_large(
    repository: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    subprocess.run(
        [sys.executable, repository / "benchmarks" / "adjusted_errors.py", "--studies", "100",
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
    before, now = rows["12 | one of 60, 4 each | 3"]
    assert before > 8
    assert now < 12
    assert now < before
