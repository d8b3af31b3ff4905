"""The train command: options from the command line and from a file, and errors before any work."""

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]

pytestmark = pytest.mark.filterwarnings("ignore")  # TRL and its dependencies warn

trained = pytest.mark.skipif(
    find_spec("trl") is None or find_spec("peft") is None,
    reason="training is optional: pip install 'profile-tasks[train]'",
)


@pytest.fixture
def data(run: Run, tmp_path: Path) -> Path:
    run(
        *("export", "demo", "--task", "instruction_following", "--format", "dpo"),
        *("--output", tmp_path / "data", "--heldout", 0.25),
    )
    return tmp_path / "data"


@trained
def test_a_file_of_options_is_read_and_the_command_line_overrides_it(
    run: Run, data: Path, tiny_model: Path, tmp_path: Path
) -> None:
    config = tmp_path / "run.yaml"
    config.write_text(
        f"model: {tiny_model}\nmethod: dpo\noutput: {tmp_path / 'run'}\ndevice: cpu\n"
        "max-steps: 5\nbatch_size: 2\nmax_length: 512\nlora: false\n"
    )
    printed = run("train", data, "--config", config, "--max-steps", 1)
    record = json.loads((tmp_path / "run" / "training.json").read_text(encoding="utf-8"))
    assert (record["steps"], record["settings"]["batch_size"]) == (1, 2)
    assert record["settings"]["lora"] is False
    assert '"eval_rewards/accuracies"' in printed.stdout


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("learning_rat: 1", "unknown option learning_rat. Must be one of: batch_size, beta"),
        ("- 1", "expected options by name"),
        ("a: [", "run.yaml"),
        ("epochs: many", "'many' is not a valid float"),
        ("method: ppo", "'ppo' is not one of 'dpo', 'sft', 'kto'"),
    ],
)
def test_a_bad_file_of_options_is_told(text: str, told: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(text)
    found = run(
        *("train", "data", "--config", tmp_path / "run.yaml", "--model", "m", "--output", "o"),
        *(("--method", "dpo") if "method" not in text else ()),
        exit_code=2,
    )
    assert told in found.output


@trained
def test_data_of_another_format_are_told_before_a_model_is_loaded(
    run: Run, data: Path, tmp_path: Path
) -> None:
    found = run(
        *("train", data, "--model", "nowhere", "--method", "kto", "--output", tmp_path / "run"),
        exit_code=2,
    )
    assert "train.jsonl:1: the record has prompt, chosen, rejected; kto needs" in found.output
    assert "--method dpo" in found.output
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(find_spec("trl") is not None, reason="the extra train is installed")
def test_without_the_extra_the_command_says_what_to_install(
    run: Run, data: Path, tmp_path: Path
) -> None:
    found = run(
        *("train", data, "--model", "m", "--method", "dpo", "--output", tmp_path / "run"),
        exit_code=2,
    )
    assert "pip install 'profile-tasks[train]'" in found.output


def test_going_on_and_starting_anew_exclude_each_other(run: Run) -> None:
    found = run(
        *("train", "data", "--model", "m", "--method", "dpo", "--output", "o"),
        *("--resume", "--overwrite"),
        exit_code=2,
    )
    assert "give one" in found.output
