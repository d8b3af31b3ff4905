"""Every command of docs/self-guided.md runs as it is printed, on a small local model."""

import json
import os
import re
import shutil
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
def test_the_walk_from_samples_to_a_compared_profile_runs(
    repository: Path, tiny_model: Path, tmp_path: Path
) -> None:
    page = (repository / "docs" / "self-guided.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```console\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    first, *commands = "".join(blocks).splitlines()
    # The test of the training run makes the real one; random weights are enough to run commands.
    assert first.startswith("python benchmarks/self_guided_training.py --quick --model-only")
    model = tmp_path / "small" / "base" / "model"
    shutil.copytree(tiny_model, model)
    # Random weights hardly ever end a text by themselves, and what is cut off is not exported.
    settings = model / "generation_config.json"
    ends = {"eos_token_id": list(range(3, 260, 13))}
    settings.write_text(json.dumps(json.loads(settings.read_text("utf-8")) | ends))
    for name in ("sources", "heldout"):
        rows = [
            {
                "id": f"{number}",
                "task": "instruction_following",
                "prompt": f"What is {name} {number}?",
                "response_a": "One.",
                "response_b": "One and two.",
                "preference": "a",
            }
            for number in range(6)
        ]
        text = "".join(f"{json.dumps(row)}\n" for row in rows)
        (tmp_path / "small" / f"{name}.jsonl").write_text(text)
    assert len(commands) == 9
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    for command in commands:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=tmp_path,
            env=os.environ | {"PATH": path, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
