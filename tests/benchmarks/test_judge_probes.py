"""The simulation of the probes runs from end to end; its figures are in the docs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROW = re.compile(r"^\| (\d+ x \d) \| ([^|]+?) \| ([\d.]+) \| .* \| ([\d–]+) \|$", re.MULTILINE)


def test_planted_biases_are_found_and_absent_ones_are_not(repository: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- judge probes: start -->\n<!-- judge probes: end -->\n", encoding="utf-8")
    command = [sys.executable, repository / "benchmarks" / "judge_probes.py", "--studies", "20"]
    subprocess.run([*command, "--page", page], check=True, capture_output=True)
    found = {row[:2]: row[2:] for row in ROW.findall(page.read_text(encoding="utf-8"))}
    assert len(found) == 28
    for (design, _), (nothing, planted) in found.items():
        assert float(nothing) <= 25  # of 20
        if design == "100 x 1" and planted not in ("–",):
            assert planted.isdigit()
    assert all(float(found["100 x 1", probe][1]) > 50 for probe in ("padding", "Markdown"))
    docs = (repository / "docs" / "judge-audit.md").read_text(encoding="utf-8")
    told = {row[:2]: row for row in ROW.findall(docs)}
    assert {key for key in found if "(rate" not in key[1]} <= told.keys()
