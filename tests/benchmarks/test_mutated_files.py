"""Files with wrong bytes are read with their meaning or refused in one line."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def test_wrong_bytes_cost_their_record_alone_and_are_no_traceback(repository: Path) -> None:
    script = repository / "benchmarks" / "mutated_files.py"
    done = subprocess.run(
        [sys.executable, script, "--mutations", "400", "--seed", "1"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^\| (.+?) \| (\d+) \| (\d+) \| (\d+) \| 0 \| 0 \| 0 \|$", done.stdout, re.M)
    assert [row[0] for row in rows] == ["JSONL", "JSON", "CSV", "Parquet", "Inspect log"]
    for _, mutations, accepted, refused in rows:
        assert int(accepted) + int(refused) == int(mutations) == 80
        assert int(accepted) > 0 < int(refused)
