"""The benchmark of the lm-eval tasks runs from end to end; its figures are not judged here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_every_kind_of_task_and_the_start_up_have_a_ratio(repository: Path, tmp_path: Path) -> None:
    # The run ends where the YAML tasks do not send the very requests of ours.
    output = tmp_path / "speed.json"
    subprocess.run(
        [sys.executable, repository / "benchmarks" / "lm_eval_speed.py", "--small",
         "--output", output],
        check=True,
        capture_output=True,
        env=os.environ | {"HF_DATASETS_CACHE": str(tmp_path / "cache")},
    )  # fmt: skip
    ratios = json.loads(output.read_text(encoding="utf-8"))["ratios"]
    assert [ratio["work"] for ratio in ratios] == [
        f"{count} requests of {kind}, 20 sources{loading}"
        for kind, count in (
            ("generation", 100),
            ("discrimination", 80),
            ("discrimination_loglikelihood", 160),
            ("score_validity", 100),
        )
        for loading in ("", ", with loading")
    ] + ["start-up, to the first request"]
    for ratio in ratios:
        assert 0 < ratio["low"] <= ratio["ratio"] <= ratio["high"]
