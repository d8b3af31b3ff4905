"""The shortened training run: a model from scratch, trained on preferences, and what moved."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.skipif(
    find_spec("trl") is None or find_spec("peft") is None,
    reason="training is optional: pip install 'profile-tasks[train]'",
)
def test_training_on_a_taste_for_short_texts_moves_the_writing_there(
    repository: Path, tmp_path: Path
) -> None:
    script = repository / "benchmarks" / "self_guided_training.py"
    output = tmp_path / "record.json"
    subprocess.run(
        [sys.executable, str(script), "--quick", "--work", str(tmp_path), "--output", str(output)],
        check=True,
    )
    (run,) = json.loads(output.read_text(encoding="utf-8"))["runs"]
    assert run["chosen_over_rejected_length"] < -0.8
    assert run["heldout_accuracy"] > 0.6
    assert run["length"]["value"] < 0
    assert run["length"]["ci_high"] < 0
