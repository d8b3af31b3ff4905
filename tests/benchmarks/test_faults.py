"""No fault of a server loses an answer, or makes a value wrong; the script runs from end to end."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

KINDS = ("200, broken JSON", "200, lone surrogate in the text", "400", "401 from the middle on")
CELL = re.compile(r"(\d+) / (\d+) / (\d+) / (\d+) / (\d+) / (\d+)")


def cells(table: str) -> dict[str, list[tuple[int, ...]]]:
    """Kind of fault -> asked, answered, missing, lost, paid twice and wrong, run by run."""
    rows = (line.split("|")[1:-1] for line in table.splitlines() if line.startswith("| "))
    return {
        kind.strip(): found
        for kind, *others in rows
        if (found := [tuple(map(int, match)) for match in CELL.findall(" ".join(others))])
    }


@pytest.fixture(scope="module")
def written(repository: Path) -> str:
    return (repository / "docs" / "reliability-under-faults.md").read_text(encoding="utf-8")


def test_a_handful_of_kinds_and_a_kill_lose_nothing(repository: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    subprocess.run(
        [sys.executable, repository / "benchmarks" / "faults.py", "--only", *KINDS,
         "--runs", "Inspect, model", "lm-eval, model", "--kills", "1", "--page", page],
        check=True,
        capture_output=True,
        cwd=tmp_path,
    )  # fmt: skip
    table = page.read_text(encoding="utf-8")
    found = cells(table)
    assert found.keys() == {*KINDS}
    for kind, runs in found.items():
        assert len(runs) == 2
        for asked, answered, _, lost, twice, wrong in runs:
            assert 0 < answered <= asked
            assert (lost, twice, wrong) == (0, 0, 0), kind
    assert "**" not in table
    for harness in ("Inspect", "lm-eval"):
        assert re.search(rf"^\| {harness} \| 1 \| 1 \| 0 \| 0 \|", table, re.MULTILINE)


def test_the_page_holds_thirty_kinds_and_no_loss(written: str) -> None:
    found = cells(written)
    assert len(found) >= 30
    for kind, runs in found.items():
        assert len(runs) == 4, kind
        assert all(run[3:] == (0, 0, 0) for run in runs), kind
    kills = re.findall(
        r"^\| (?:Inspect|lm-eval) \| 12 \| 12 \| 0 \| 0 \| \d+ \| (\d+) \| (\d+) \|$",
        written,
        re.MULTILINE,
    )
    assert len(kills) == 2
    assert all(int(most_in_a_run) <= int(at_once) for most_in_a_run, at_once in kills)
    assert "cache: 56 requests, 56 answers, 0 paid twice" in written
