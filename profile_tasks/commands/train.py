"""``profile-tasks train``: DPO, SFT or KTO on exported data, with TRL and PEFT."""

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import click

from profile_tasks.commands.printing import say
from profile_tasks.commands.unusable import Unusable
from profile_tasks.training.trl import TrainingSettings


def _from_file(ctx: click.Context, _: click.Parameter, path: Path | None) -> None:
    """Take the options of a file as defaults, so that the command line overrides them."""
    if path is None:
        return
    import yaml

    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise click.BadParameter(f"{path}: {error}", ctx) from error
    if not isinstance(given, dict):
        raise click.BadParameter(f"{path}: expected options by name, e.g. 'learning_rate: 1e-4'")
    names = {param.name for param in ctx.command.params} - {"config", "help"}
    options = {f"{name}".replace("-", "_"): value for name, value in given.items()}
    if unknown := sorted(options.keys() - names):
        raise click.BadParameter(
            f"{path}: unknown option {', '.join(unknown)}. "
            f"Must be one of: {', '.join(sorted(name for name in names if name))}"
        )
    for name, value in options.items():
        param = next(p for p in ctx.command.params if p.name == name)
        part = isinstance(value, float) and not value.is_integer()
        if not isinstance(value, str | int | float | bool) or (
            part and isinstance(param.type, click.IntRange)
        ):
            raise click.BadParameter(f"{path}: {name} is {value!r}; expected {param.type.name}")
    ctx.default_map = {**(ctx.default_map or {}), **options}


_Command = TypeVar("_Command", bound=Callable[..., Any])

_DEFAULTS = {field.name: field.default for field in fields(TrainingSettings)}


def _setting(
    name: str, kind: click.ParamType[Any] | type[bool], text: str
) -> Callable[[_Command], _Command]:
    """The option of a setting, whose default stands in ``TrainingSettings``."""
    default = _DEFAULTS[name]
    option = f"--{name.replace('_', '-')}"
    return click.option(
        f"{option}/--no-{name.replace('_', '-')}" if kind is bool else option,
        default=default,
        show_default=default is not None,
        type=None if kind is bool else kind,
        help=text,
    )


@click.command(epilog="Example: profile-tasks train pairs --model MODEL --method dpo --output out")
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    is_eager=True,
    expose_value=False,
    callback=_from_file,
    help="YAML file with these options by name; the command line overrides it.",
)
@click.option("--model", required=True, help="Folder of a transformers model, or its hub name.")
@click.option("--method", type=click.Choice(["dpo", "sft", "kto"]), required=True)
@click.option("--output", type=click.Path(path_type=Path), required=True, help="Folder of the run.")
@click.option(
    "--heldout",
    type=click.Path(path_type=Path),
    help="File to evaluate on, instead of DATA/heldout.jsonl.",
)
@click.option("--resume", is_flag=True, help="Go on from the last whole checkpoint in the folder.")
@click.option("--overwrite", is_flag=True, help="Remove an earlier run in the folder.")
@_setting("lora", bool, "Train low-rank adapters, or all weights.")
@_setting("lora_rank", click.IntRange(1), "Rank of the adapters.")
@_setting("lora_alpha", click.IntRange(1), "Scale of the adapters, times their rank.")
@_setting("lora_dropout", click.FloatRange(0, 1, max_open=True), "Dropout in front of them.")
@_setting("epochs", click.FloatRange(0, min_open=True), "Passes over the data.")
@_setting("max_steps", click.IntRange(1), "Stop after so many steps.")
@_setting("learning_rate", click.FloatRange(0, min_open=True), "Highest; it falls linearly.")
@_setting("batch_size", click.IntRange(1), "Records a device and batch.")
@_setting("gradient_accumulation", click.IntRange(1), "Batches a step.")
@_setting(
    "beta", click.FloatRange(0, min_open=True), "Pull towards the untrained model (dpo, kto)."
)
@_setting("sft_weight", click.FloatRange(0), "Weight of the chosen responses' likelihood (dpo).")
@_setting("max_length", click.IntRange(8), "Longest sequence in tokens.")
@_setting("save_steps", click.IntRange(1), "Steps between checkpoints, and evaluations.")
@_setting("seed", click.IntRange(0), "Of everything random.")
@_setting("device", click.Choice(["auto", "cpu"]), "auto: a GPU where there is one.")
@_setting("precision", click.Choice(["auto", "fp32", "bf16"]), "auto: bf16 where a GPU has it.")
@_setting("gradient_checkpointing", bool, "Less memory for more time.")
def train(
    data: Path,
    output: Path,
    heldout: Path | None,
    resume: bool,
    overwrite: bool,
    **settings: Any,  # noqa: ANN401 - the fields of TrainingSettings, checked by click
) -> None:
    """Train a model on DATA, the folder that export wrote, or a JSON Lines file.

    Needs the extra train. Several GPUs: accelerate launch "$(which profile-tasks)" train DATA ...
    The folder of the run holds checkpoints, adapter/, the merged model/ and training.json.
    """
    from profile_tasks.training.data import read_training_data
    from profile_tasks.training.trl import check_libraries, train

    if resume and overwrite:
        raise click.UsageError("--resume goes on with a run, --overwrite removes it: give one")
    try:
        check_libraries()
        records = read_training_data(data, settings["method"], heldout)
        record = train(
            TrainingSettings(**settings), records, output, resume=resume, overwrite=overwrite
        )
    except (OSError, ValueError) as error:
        raise Unusable(str(error)) from error
    click.echo(json.dumps({name: record[name] for name in _TOLD}, indent=2))
    say(f"written to {output}", err=True)


_TOLD = ("status", "steps", "resumed_from", "too_long", "train_loss", "evaluation")
"""What of the record is printed."""
