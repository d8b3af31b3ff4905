"""Training with TRL's own trainers: what they accept, what a run leaves, and what a crash costs."""

import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from profile_tasks.training.data import METHODS, TrainingData, read_training_data
from profile_tasks.training.export import ExportSettings, export_pairs, json_lines
from profile_tasks.training.pairs import FoundPairs, TrainingPair
from profile_tasks.training.trl import (
    TrainingError,
    TrainingSettings,
    build_trainer,
    check_libraries,
    check_trainable,
    last_checkpoint,
    train,
)

pytestmark = pytest.mark.filterwarnings("ignore")  # TRL and its dependencies warn

trained = pytest.mark.skipif(
    find_spec("trl") is None or find_spec("peft") is None,
    reason="training is optional: pip install 'profile-tasks[train]'",
)


def write_data(folder: Path, format_: str, *, conversational: bool = True) -> Path:
    """Twelve sources as the export writes them, four of them held out."""
    pairs = [
        TrainingPair(
            source_id=f"{n}",
            group=f"{n}",
            task="instruction_following",
            prompt=f"What is {n}?",
            source=None,
            chosen=f"It is {n}.",
            rejected=f"It may well be that it is {n}, or {n + 1}.",
            margin=1.0,
        )
        for n in range(12)
    ]
    found = FoundPairs("pairs", "recorded", tuple(pairs), tuple(p.group for p in pairs), {}, {})
    settings = ExportSettings(format_, conversational, heldout=0.34)
    data = export_pairs([found], settings)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.jsonl").write_text(json_lines(data.train), encoding="utf-8")
    (folder / "heldout.jsonl").write_text(json_lines(data.heldout), encoding="utf-8")
    return folder


def settings(model: Path, method: str = "dpo", **other: Any) -> TrainingSettings:
    usual = {"batch_size": 2, "max_length": 256, "save_steps": 2, "device": "cpu"}
    return TrainingSettings(model=str(model), method=method, **(usual | other))


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(folder / "adapter_model.safetensors")


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    import torch

    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@trained
@pytest.mark.parametrize("conversational", [True, False])
@pytest.mark.parametrize("method", METHODS)
def test_exported_files_load_with_datasets_and_pass_trls_own_preparation(
    method: str, conversational: bool, tiny_model: Path, tmp_path: Path
) -> None:
    from datasets import load_dataset

    folder = write_data(tmp_path / "data", method, conversational=conversational)
    loaded = load_dataset(
        "json",
        data_files={name: str(folder / f"{name}.jsonl") for name in ("train", "heldout")},
        cache_dir=str(tmp_path / "cache"),
    )
    records = tuple(dict(record) for record in loaded["train"])
    data = read_training_data(folder, method)
    assert records == data.train
    chosen = settings(tiny_model, method)
    tokenizer = check_trainable(chosen, data)
    trainer = build_trainer(chosen, data, tmp_path / "run", tokenizer)
    prepared = trainer.train_dataset
    assert len(prepared) == len(data.train)
    first = prepared[0]
    columns = {"dpo": ("chosen_ids", "rejected_ids"), "kto": ("completion_ids",), "sft": ()}
    for column in columns[method]:
        assert tokenizer.decode(first[column]).endswith("<end>")
        assert "What is" not in tokenizer.decode(first[column])
    if method == "sft":
        assert tokenizer.decode(first["input_ids"]).endswith("<end>")
    else:
        assert tokenizer.decode(first["prompt_ids"]).endswith(
            "<assistant>" if conversational else "\n\n"
        )


@trained
def test_nothing_is_removed_before_everything_was_checked(tiny_model: Path, tmp_path: Path) -> None:
    data = read_training_data(write_data(tmp_path / "data", "dpo"), "dpo")
    output = tmp_path / "run"
    train(settings(tiny_model, "dpo", max_steps=1), data, output)
    before = sorted(path.name for path in output.iterdir())
    with pytest.raises(TrainingError):
        train(settings(tmp_path / "no model", "dpo", max_steps=1), data, output, overwrite=True)
    assert sorted(path.name for path in output.iterdir()) == before
    with pytest.raises(TrainingError, match="where the run writes; name another folder"):
        train(settings(output / "model", "dpo", max_steps=1), data, output, overwrite=True)
    assert (output / "model").is_dir()


@trained
def test_a_model_that_no_record_explains_is_not_written_over(
    tiny_model: Path, tmp_path: Path
) -> None:
    data = read_training_data(write_data(tmp_path / "data", "dpo"), "dpo")
    own = tmp_path / "own"
    (own / "model").mkdir(parents=True)
    with pytest.raises(TrainingError, match=r"no training\.json says what it is"):
        train(settings(tiny_model, "dpo", max_steps=1), data, own)


@trained
def test_a_run_that_diverges_leaves_a_record_in_strict_json(
    tiny_model: Path, tmp_path: Path
) -> None:
    data = read_training_data(write_data(tmp_path / "data", "dpo"), "dpo")
    output = tmp_path / "run"
    train(settings(tiny_model, "dpo", max_steps=3, learning_rate=1e20), data, output)

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    record = json.loads((output / "training.json").read_text(), parse_constant=refuse)
    assert record["status"] == "finished"


@trained
def test_the_likelihood_of_the_chosen_responses_adds_to_the_preference_loss(
    tiny_model: Path, tmp_path: Path
) -> None:
    data = read_training_data(write_data(tmp_path / "data", "dpo"), "dpo")
    losses = [
        train(
            settings(tiny_model, "dpo", max_steps=1, learning_rate=1e-9, sft_weight=weight),
            data,
            tmp_path / f"run {weight}",
        )["evaluation"]["eval_loss"]
        for weight in (0.0, 1.0, 2.0)
    ]
    alone, once, twice = losses
    assert alone == pytest.approx(0.693, abs=0.01)  # log 2: nothing is learned yet
    assert twice - alone == pytest.approx(2 * (once - alone), rel=0.01)
    assert once - alone > 1  # of random weights over 256 bytes


@trained
@pytest.mark.parametrize("method", METHODS)
def test_a_run_leaves_an_adapter_a_merged_model_and_a_record(
    method: str, tiny_model: Path, tmp_path: Path
) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    data = read_training_data(write_data(tmp_path / "data", method), method)
    output = tmp_path / "run"
    record = train(settings(tiny_model, method, max_steps=2, learning_rate=1e-2), data, output)
    assert record == json.loads((output / "training.json").read_text(encoding="utf-8"))
    assert (record["status"], record["steps"], record["resumed_from"]) == ("finished", 2, [])
    assert record["versions"].keys() >= {"trl", "peft", "torch"}
    assert record["evaluation"]["eval_loss"] > 0
    if method == "dpo":
        assert 0 <= record["evaluation"]["eval_rewards/accuracies"] <= 1
    ids = torch.tensor([[10, 20, 30]])
    base = AutoModelForCausalLM.from_pretrained(tiny_model)
    before = base(ids).logits
    adapted = PeftModel.from_pretrained(base, str(output / "adapter"))(ids).logits
    merged = AutoModelForCausalLM.from_pretrained(output / "model")(ids).logits
    assert torch.allclose(adapted, merged, atol=1e-4)
    assert not torch.allclose(before, merged, atol=1e-4)


@trained
def test_all_weights_can_be_trained(tiny_model: Path, tmp_path: Path) -> None:
    data = read_training_data(write_data(tmp_path / "data", "sft"), "sft")
    record = train(settings(tiny_model, "sft", lora=False, max_steps=1), data, tmp_path / "run")
    assert record["model"] == "model"
    assert (tmp_path / "run" / "model" / "model.safetensors").is_file()
    assert not (tmp_path / "run" / "adapter").exists()


@trained
def test_a_folder_with_a_run_is_neither_written_over_nor_mixed_with_another(
    tiny_model: Path, tmp_path: Path
) -> None:
    data = read_training_data(write_data(tmp_path / "data", "dpo"), "dpo")
    output = tmp_path / "run"
    first = train(settings(tiny_model, max_steps=2), data, output)
    with pytest.raises(TrainingError, match=r"holds a run already; go on with it \(--resume\)"):
        train(settings(tiny_model, max_steps=2), data, output)
    with pytest.raises(TrainingError, match=r"settings.seed: 0 -> 1"):
        train(settings(tiny_model, max_steps=2, seed=1), data, output, resume=True)
    other = TrainingData(data.train, data.heldout, True, {"train.jsonl": "other"})
    with pytest.raises(TrainingError, match=r"data.train.jsonl: .* -> 'other'"):
        train(settings(tiny_model, max_steps=2), other, output, resume=True)
    assert train(settings(tiny_model, max_steps=2), data, output, resume=True) == first
    again = train(settings(tiny_model, max_steps=1), data, output, overwrite=True)
    assert (again["steps"], sorted(p.name for p in output.glob("checkpoint-*"))) == (
        1,
        ["checkpoint-1"],
    )


@trained
def test_records_that_are_too_long_are_counted_and_none_left_is_an_error(
    tiny_model: Path, tmp_path: Path
) -> None:
    folder = write_data(tmp_path / "data", "dpo")
    long = json.loads((folder / "train.jsonl").read_text().splitlines()[0])
    long["prompt"][0]["content"] = "Why? " * 100
    cut = json.loads((folder / "train.jsonl").read_text().splitlines()[1])
    cut["rejected"][0]["content"] = "Because. " * 40
    with (folder / "train.jsonl").open("a", encoding="utf-8") as file:
        file.write(f"{json.dumps(long)}\n{json.dumps(cut)}\n")
    data = read_training_data(folder, "dpo")
    record = train(settings(tiny_model, max_steps=1), data, tmp_path / "run")
    assert record["too_long"] == {
        "train": {"dropped": 1, "cut": 1},
        "heldout": {"dropped": 0, "cut": 0},
    }
    with pytest.raises(TrainingError, match="all 10 train records have prompts of 16 tokens"):
        train(settings(tiny_model, max_length=16), data, tmp_path / "other")
    assert not (tmp_path / "other" / "training.json").exists()


def test_a_checkpoint_that_was_cut_short_is_passed_over(tmp_path: Path) -> None:
    assert last_checkpoint(tmp_path) is None
    for step, state in ((2, '{"global_step": 2}'), (10, '{"global_step": 10}'), (12, '{"glo')):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "trainer_state.json").write_text(state)
    (tmp_path / "checkpoint-14").mkdir()
    (tmp_path / "checkpoint-last").mkdir()
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-10"


@trained
def test_a_model_that_cannot_be_trained_is_told_before_any_work(
    tiny_model: Path, tmp_path: Path
) -> None:
    data = read_training_data(write_data(tmp_path / "data", "dpo"), "dpo")
    mute = tmp_path / "mute"
    mute.mkdir()
    for file in tiny_model.iterdir():
        if file.name != "chat_template.jinja":
            (mute / file.name).write_bytes(file.read_bytes())
    with pytest.raises(TrainingError, match=r"no chat template, and the data are .*--plain"):
        train(settings(mute), data, tmp_path / "run")
    with pytest.raises(TrainingError, match=r"model '.*nowhere' cannot be loaded"):
        train(settings(tmp_path / "nowhere"), data, tmp_path / "run")
    (mute / "adapter_config.json").write_text("{}")
    with pytest.raises(TrainingError, match="is an adapter; give the model"):
        train(settings(mute), data, tmp_path / "run")
    with pytest.raises(TrainingError, match="give --batch-size 2 or more"):
        train(settings(tiny_model, "kto", batch_size=1), data, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@trained
def test_a_precision_that_no_device_has_is_told(tiny_model: Path, tmp_path: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("a GPU is at hand")
    data = read_training_data(write_data(tmp_path / "data", "dpo"), "dpo")
    with pytest.raises(TrainingError, match="no GPU with bf16 is at hand"):
        train(settings(tiny_model, device="auto", precision="bf16"), data, tmp_path / "run")


@pytest.mark.skipif(find_spec("trl") is not None, reason="the extra train is installed")
def test_without_the_extra_the_command_says_what_to_install() -> None:
    with pytest.raises(TrainingError, match=r"pip install 'profile-tasks\[train\]'"):
        check_libraries()


def command(model: Path, data: Path, output: Path, *other: str) -> list[str]:
    return [
        *(str(Path(sys.executable).parent / "profile-tasks"), "train", str(data)),
        *("--model", str(model), "--method", "dpo", "--output", str(output), "--device", "cpu"),
        *("--batch-size", "2", "--epochs", "6", "--save-steps", "3", "--lora-dropout", "0.1"),
        *other,
    ]


ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


@trained
@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_in_the_weights_of_an_undisturbed_one(
    tiny_model: Path, tmp_path: Path
) -> None:
    data = write_data(tmp_path / "data", "dpo")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run(
        command(tiny_model, data, whole), check=True, capture_output=True, env=ENVIRONMENT
    )
    with subprocess.Popen(
        command(tiny_model, data, killed),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
    ) as process:
        until = time.monotonic() + 240
        while not (killed / "checkpoint-6" / "trainer_state.json").is_file():
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    record = json.loads((killed / "training.json").read_text(encoding="utf-8"))
    assert record["status"] == "running"
    subprocess.run(
        command(tiny_model, data, killed, "--resume"),
        check=True,
        capture_output=True,
        env=ENVIRONMENT,
    )
    ended, undisturbed = (
        json.loads((run / "training.json").read_text(encoding="utf-8")) for run in (killed, whole)
    )
    assert ended["steps"] == undisturbed["steps"] == 24
    (resumed_from,) = ended["resumed_from"]
    assert 0 <= resumed_from < 24
    assert ended["evaluation"]["eval_loss"] == undisturbed["evaluation"]["eval_loss"]
    assert same(weights(killed / "adapter"), weights(whole / "adapter"))
    state = json.loads((killed / "checkpoint-24" / "trainer_state.json").read_text())
    logged = [entry["step"] for entry in state["log_history"] if "loss" in entry]
    assert logged == sorted(set(logged))


@trained
@pytest.mark.slow
def test_two_processes_share_a_run(tiny_model: Path, tmp_path: Path) -> None:
    data, output = write_data(tmp_path / "data", "dpo"), tmp_path / "run"
    subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
            *("--nproc-per-node", "2", *command(tiny_model, data, output)),
        ],
        check=True,
        capture_output=True,
        env=ENVIRONMENT,
    )
    record = json.loads((output / "training.json").read_text(encoding="utf-8"))
    assert (record["processes"], record["steps"]) == (2, 12)
    assert (output / "model" / "model.safetensors").is_file()
