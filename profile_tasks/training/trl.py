"""Training a model on preferences with TRL and PEFT: DPO, SFT or KTO, with LoRA.

The trainers are TRL's own. Here stand what TRL leaves to its user: checks before any work, a
record of what was run, and going on after a crash from the last checkpoint that is whole, which
ends in the very weights that an undisturbed run ends in.
"""

import importlib.metadata
import importlib.util
import json
import logging
import math
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from profile_tasks import __version__
from profile_tasks.training.data import Method, TrainingData
from profile_tasks.whole_files import write_whole

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, Trainer

logger = logging.getLogger(__name__)

Device = Literal["auto", "cpu"]
Precision = Literal["auto", "fp32", "bf16"]

RUN_FILE, ADAPTER, MODEL = "training.json", "adapter", "model"
"""What a finished run leaves in its folder, beside checkpoints."""

_LIBRARIES = ("torch", "transformers", "accelerate", "peft", "trl")


class TrainingError(ValueError):
    """A training run that cannot be started; the message names the remedy."""


@dataclass(frozen=True)
class TrainingSettings:
    """How a model is trained.

    Attributes:
        model: Folder of a causal language model of transformers, or its name on the hub.
        method: "dpo", "sft" or "kto".
        lora: Train low-rank adapters; else all weights.
        lora_rank: Rank of the adapters.
        lora_alpha: Their scale is ``lora_alpha / lora_rank``.
        lora_dropout: Dropout in front of them.
        epochs: Passes over the data.
        max_steps: Stop after so many optimiser steps; None: after the epochs.
        learning_rate: Highest learning rate; it falls linearly.
        batch_size: Records a device and step.
        gradient_accumulation: Batches that make one optimiser step.
        beta: Strength of the pull towards the untrained model (DPO, KTO).
        sft_weight: Weight of the likelihood of the chosen responses beside the preference loss
            (DPO); above 0 it keeps a small model from forgetting how to write.
        max_length: Longest sequence in tokens; longer ones are cut.
        save_steps: Steps between checkpoints, and between evaluations on held-out records.
        seed: Of everything random.
        device: "auto" (a GPU where there is one) or "cpu".
        precision: "auto" (bf16 where a GPU has it), "fp32" or "bf16".
        gradient_checkpointing: Compute activations twice to save memory.
    """

    model: str
    method: Method
    lora: bool = True
    lora_rank: int = 16
    lora_alpha: int = 32
    lora_dropout: float = 0.0
    epochs: float = 1.0
    max_steps: int | None = None
    learning_rate: float = 2e-4
    batch_size: int = 8
    gradient_accumulation: int = 1
    beta: float = 0.1
    sft_weight: float = 0.0
    max_length: int = 1024
    save_steps: int = 50
    seed: int = 0
    device: Device = "auto"
    precision: Precision = "auto"
    gradient_checkpointing: bool = False


_MAY_CHANGE = ("device", "precision", "gradient_checkpointing", "save_steps")
"""Settings that a resumed run may have otherwise: they change no step's data."""


def check_libraries() -> None:
    """Refuse to start without the libraries of the extra ``train``.

    Raises:
        TrainingError: One is missing.
    """
    missing = [name for name in _LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        raise TrainingError(
            f"training needs {', '.join(missing)}; install them: pip install 'profile-tasks[train]'"
        )


def check_trainable(settings: TrainingSettings, data: TrainingData) -> "PreTrainedTokenizerBase":
    """The model's tokenizer, once it is sure that the model can be trained on the data.

    Raises:
        TrainingError: There is no such model, it has no chat template for conversational data, or
            it is an adapter.
    """
    from transformers import AutoConfig, AutoTokenizer

    folder = Path(settings.model)
    if (folder / "adapter_config.json").is_file():
        raise TrainingError(
            f"{settings.model} is an adapter; give the model that it was merged into (the folder "
            f"{MODEL!r} of a training run)"
        )
    try:
        AutoConfig.from_pretrained(settings.model)
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(settings.model)
    except (OSError, ValueError) as error:
        problem = str(error).strip().partition("\n")[0]
        raise TrainingError(
            f"model {settings.model!r} cannot be loaded: {problem}. Give a folder with a "
            "transformers model, or its name on the hub"
        ) from error
    if data.conversational and not tokenizer.chat_template:
        raise TrainingError(
            f"model {settings.model!r} has no chat template, and the data are conversational; "
            "export them with --plain, or give the tokenizer a chat template"
        )
    if tokenizer.eos_token is None:
        raise TrainingError(f"the tokenizer of {settings.model!r} has no end-of-sequence token")
    if settings.method == "kto" and settings.batch_size < 2:
        raise TrainingError("kto compares records within a batch; give --batch-size 2 or more")
    return tokenizer


def check_devices(settings: TrainingSettings) -> None:
    """Refuse a precision or a number of devices that cannot be used.

    Raises:
        TrainingError: bf16 is asked for where there is none, or several GPUs are visible to one
            process.
    """
    import torch

    if settings.device == "cpu":
        return
    if settings.precision == "bf16" and not (
        torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    ):
        raise TrainingError("no GPU with bf16 is at hand; leave --precision out, or give fp32")
    if torch.cuda.device_count() > 1 and "WORLD_SIZE" not in os.environ:
        raise TrainingError(
            f"{torch.cuda.device_count()} GPUs are visible to one process; start one process each "
            '(accelerate launch "$(which profile-tasks)" train ...), or set CUDA_VISIBLE_DEVICES=0'
        )


def last_checkpoint(output: Path) -> Path | None:
    """The latest checkpoint that was written to its end; None where there is none.

    The trainer's state is the last file of a checkpoint, so one that a crash cut short lacks it.
    """
    found = {
        int(path.name.removeprefix("checkpoint-")): path
        for path in output.glob("checkpoint-*")
        if path.name.removeprefix("checkpoint-").isdigit()
    }
    for step in sorted(found, reverse=True):
        try:
            state = json.loads((found[step] / "trainer_state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if state.get("global_step") == step:
            return found[step]
    return None


def prepare_output(
    output: Path, run: Mapping[str, Any], *, resume: bool, overwrite: bool
) -> dict[str, Any] | None:
    """Look at what the folder holds of an earlier run.

    Args:
        output: The folder.
        run: What is to be run: ``settings``, ``data`` and ``processes``.
        resume: Go on with the run in the folder.
        overwrite: Remove the run in the folder.

    Returns:
        The record of the run in the folder where it goes on, None for a new one.

    Raises:
        TrainingError: The folder holds a run that is neither to go on nor to be removed, or one of
            other settings or data.
    """
    file = output / RUN_FILE
    if output.exists() and not output.is_dir():
        raise TrainingError(f"{output} is a file; name a folder (--output)")
    if not file.is_file():
        foreign = [path for path in _written_by_a_run(output) if path.exists()]
        if foreign:
            raise TrainingError(
                f"{foreign[0]} is there and no {RUN_FILE} says what it is; name another folder "
                "(--output)"
            )
        return None
    if overwrite:
        return None
    if not resume:
        raise TrainingError(
            f"{output} holds a run already; go on with it (--resume), remove it (--overwrite), or "
            "name another folder"
        )
    try:
        earlier: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if not {"settings", "data", "processes", "status", "resumed_from"} <= earlier.keys():
            raise ValueError("fields are missing")
    except (AttributeError, ValueError) as error:
        raise TrainingError(f"{file}: not the record of a run ({error})") from error
    differing = [
        f"{part}.{name}: {earlier[part].get(name)!r} -> {run[part].get(name)!r}"
        for part in ("settings", "data")
        for name in {**earlier[part], **run[part]}
        if name not in _MAY_CHANGE and earlier[part].get(name) != run[part].get(name)
    ]
    if earlier["processes"] != run["processes"]:
        differing.append(f"processes: {earlier['processes']} -> {run['processes']}")
    if differing:
        raise TrainingError(
            f"the run in {output} cannot go on, it differs: {'; '.join(differing)}. Give what it "
            "was started with, or start anew (--overwrite)"
        )
    return earlier


def _written_by_a_run(output: Path) -> list[Path]:
    return [*output.glob("checkpoint-*"), output / ADAPTER, output / MODEL]


def _remove_run(output: Path) -> None:
    """Remove what an earlier run left; nothing else that stands in its folder."""
    if _is_main_process() and (output / RUN_FILE).is_file():
        for path in _written_by_a_run(output):
            shutil.rmtree(path, ignore_errors=True)
        (output / RUN_FILE).unlink()


def train(
    settings: TrainingSettings,
    data: TrainingData,
    output: Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Train a model, and leave the adapter, the merged model and a record in a folder.

    Args:
        settings: How.
        data: On what.
        output: Folder of the run.
        resume: Go on from the last whole checkpoint in the folder. A finished run is left as it is.
        overwrite: Remove an earlier run in the folder.

    Returns:
        The record, as ``training.json`` holds it: ``status``, ``settings``, ``data``, ``versions``,
        ``too_long``, ``steps``, ``resumed_from`` (a step each time), ``train_loss``,
        ``evaluation``.

    Raises:
        TrainingError: As the checks do, before any work.
    """
    check_libraries()
    check_devices(settings)
    if Path(settings.model).exists() and Path(settings.model).resolve().is_relative_to(
        output.resolve()
    ):
        raise TrainingError(
            f"the model {settings.model} stands in {output}, where the run writes; name another "
            "folder (--output)"
        )
    run: dict[str, Any] = {
        "status": "running",
        "settings": asdict(settings),
        "data": {**data.files, "train": len(data.train), "heldout": len(data.heldout)},
        "processes": int(os.environ.get("WORLD_SIZE", "1")),
        "versions": {
            "profile-tasks": __version__,
            **{name: importlib.metadata.version(name) for name in _LIBRARIES},
        },
        "resumed_from": [],
    }
    earlier = prepare_output(output, run, resume=resume, overwrite=overwrite)
    if earlier is not None and earlier["status"] == "finished":
        return earlier
    tokenizer = check_trainable(settings, data)
    checkpoint = last_checkpoint(output) if earlier is not None else None
    if earlier is not None:
        at = int(checkpoint.name.removeprefix("checkpoint-")) if checkpoint else 0
        run["resumed_from"] = [*earlier["resumed_from"], at]
    started = time.monotonic()
    trainer = build_trainer(settings, data, output, tokenizer)
    run["too_long"] = too_long(trainer, data, settings)
    if overwrite:
        _remove_run(output)  # not before everything was checked
    output.mkdir(parents=True, exist_ok=True)
    _write(output, run)
    outcome = trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    evaluation = trainer.evaluate() if data.heldout else {}
    merged = _save(trainer, tokenizer, output, lora=settings.lora)
    run |= {
        "status": "finished",
        "steps": trainer.state.global_step,
        "epochs": trainer.state.epoch,
        "train_loss": outcome.training_loss,
        "evaluation": {name: value for name, value in evaluation.items() if name != "epoch"},
        "device": str(trainer.args.device),
        "precision": "bf16" if trainer.args.bf16 else "fp32",
        "seconds_since_last_start": round(time.monotonic() - started, 1),
        "model": merged,
    }
    _write(output, run)
    return run


def build_trainer(
    settings: TrainingSettings,
    data: TrainingData,
    output: Path,
    tokenizer: "PreTrainedTokenizerBase",
) -> "Trainer":
    """TRL's trainer of the method, with the model loaded and the data tokenised."""
    import torch
    import trl
    from datasets import Dataset
    from peft import LoraConfig

    bf16 = settings.precision == "bf16" or (
        settings.precision == "auto"
        and settings.device == "auto"
        and torch.cuda.is_available()
        and torch.cuda.is_bf16_supported()
    )
    config_class, trainer_class = {
        "dpo": (trl.DPOConfig, trl.DPOTrainer),
        "sft": (trl.SFTConfig, trl.SFTTrainer),
        "kto": (trl.KTOConfig, trl.KTOTrainer),
    }[settings.method]
    arguments: dict[str, Any] = {
        "output_dir": str(output),
        "per_device_train_batch_size": settings.batch_size,
        "per_device_eval_batch_size": settings.batch_size,
        "gradient_accumulation_steps": settings.gradient_accumulation,
        "num_train_epochs": settings.epochs,
        "max_steps": settings.max_steps or -1,
        "learning_rate": settings.learning_rate,
        "max_length": settings.max_length,
        "logging_steps": 10,
        "save_strategy": "steps",
        "save_steps": settings.save_steps,
        "save_total_limit": 2,
        "eval_strategy": "steps" if data.heldout else "no",
        "eval_steps": settings.save_steps if data.heldout else None,
        "seed": settings.seed,
        "bf16": bf16,
        "use_cpu": settings.device == "cpu",
        "gradient_checkpointing": settings.gradient_checkpointing,
        "report_to": "none",
        "dataloader_pin_memory": settings.device != "cpu" and torch.cuda.is_available(),
        # Full training with bf16 keeps its weights in fp32; beside adapters they never change.
        "model_init_kwargs": {"dtype": "bfloat16" if bf16 and settings.lora else "float32"},
    }
    if settings.method != "sft":
        arguments["beta"] = settings.beta
    if settings.method == "dpo" and settings.sft_weight:
        arguments["loss_type"] = ["sigmoid", "sft"]
        arguments["loss_weights"] = [1.0, settings.sft_weight]
    return trainer_class(
        model=settings.model,
        args=config_class(**arguments),
        train_dataset=Dataset.from_list(list(data.train)),
        eval_dataset=Dataset.from_list(list(data.heldout)) if data.heldout else None,
        processing_class=tokenizer,
        peft_config=(
            LoraConfig(
                task_type="CAUSAL_LM",
                r=settings.lora_rank,
                lora_alpha=settings.lora_alpha,
                lora_dropout=settings.lora_dropout,
                target_modules="all-linear",
            )
            if settings.lora
            else None
        ),
    )


def too_long(
    trainer: "Trainer", data: TrainingData, settings: TrainingSettings
) -> dict[str, dict[str, int]]:
    """Records that ``max_length`` drops, because their prompt fills it, and those that it cuts.

    Raises:
        TrainingError: No record of a split is left.
    """
    # SFT's preparation has cut its records already, so what fills the length counts as cut.
    longest = settings.max_length - (settings.method == "sft")
    found = {}
    for name, prepared, records in (
        ("train", trainer.train_dataset, data.train),
        ("heldout", trainer.eval_dataset, data.heldout),
    ):
        if not records:
            continue
        if not len(prepared):
            raise TrainingError(
                f"all {len(records)} {name} records have prompts of {settings.max_length} tokens "
                "or more; raise --max-length"
            )
        lengths = [
            len(record.get("prompt_ids", ()))
            + max(len(record.get(column, ())) for column in _COMPLETIONS)
            for record in prepared
        ]
        found[name] = {
            "dropped": len(records) - len(prepared),
            "cut": sum(length > longest for length in lengths),
        }
        if any(found[name].values()):
            logger.warning(
                "%s: --max-length %d drops %d of %d records and cuts %d",
                name,
                settings.max_length,
                found[name]["dropped"],
                len(records),
                found[name]["cut"],
            )
    return found


_COMPLETIONS = ("chosen_ids", "rejected_ids", "completion_ids", "input_ids")
"""Where TRL's trainers keep the tokens of a response, or of the whole text (SFT)."""


def _save(
    trainer: "Trainer", tokenizer: "PreTrainedTokenizerBase", output: Path, *, lora: bool
) -> str | None:
    """Save the adapter and the merged model; the merged model's folder, None without one."""
    trainer.save_model(str(output / (ADAPTER if lora else MODEL)))
    if not lora:
        return MODEL
    if trainer.is_deepspeed_enabled or trainer.is_fsdp_enabled:
        return None  # no process holds all weights
    if trainer.is_world_process_zero():
        model = trainer.accelerator.unwrap_model(trainer.model).merge_and_unload()
        model.save_pretrained(str(output / MODEL))
        tokenizer.save_pretrained(str(output / MODEL))
    return MODEL


def _is_main_process() -> bool:
    return os.environ.get("RANK", "0") == "0"


def _finite(value: Any) -> Any:  # noqa: ANN401 - as JSON has it
    """Null for what JSON has no number for: the losses of a run that diverged."""
    if isinstance(value, Mapping):
        return {name: _finite(held) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(held) for held in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write(output: Path, run: Mapping[str, Any]) -> None:
    if _is_main_process():
        text = json.dumps(_finite(run), indent=2, allow_nan=False)
        write_whole(output / RUN_FILE, f"{text}\n")
