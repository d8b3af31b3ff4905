"""The bare task sends what the full one sends, so that their ratio is that of the measurement."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_bare_task_makes_the_same_calls_as_the_full_one(
    repository: Path, tmp_path: Path
) -> None:
    script = [sys.executable, str(repository / "benchmarks" / "overhead.py")]
    data = repository / "profile_tasks" / "data" / "demo" / "summarization.jsonl"
    done = subprocess.run(
        [*script, str(data), "--task", "summarization", "--sources", "2", "3", "--runs", "1"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path)},
    )
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [each["sources"] for each in found] == [2, 3]
    # A source has five texts to write, and six pairs and ten of its own to judge in both orders.
    assert [each["model_calls"] for each in found] == [2 * 37, 3 * 37]
    assert all(each["median_ratio"] > 1 for each in found)
