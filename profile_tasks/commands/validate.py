"""``profile-tasks validate``: whether lm-eval tasks would run, without a model."""

from typing import Any

import click

from profile_tasks.commands.printing import FORMAT_OPTION, emit
from profile_tasks.commands.unusable import Unusable


@click.command(epilog="Example: profile-tasks validate --tasks profile_summarization --model hf")
@click.option(
    "--tasks",
    default="profile,profile_likelihood",
    show_default=True,
    help="Names, patterns or YAML files; with commas.",
)
@click.option("--metadata", default="{}", help="The settings, as JSON or KEY=VALUE with commas.")
@click.option("--include_path", help="A folder with tasks of your own.")
@click.option("--model", help="lm-eval's model type: can its backend do what the tasks need?")
@click.option("--apply_chat_template", is_flag=True, help="As it will be given to lm-eval.")
@FORMAT_OPTION
def validate(
    tasks: str,
    metadata: str,
    include_path: str | None,
    model: str | None,
    apply_chat_template: bool,
    format_: str,
) -> None:
    """Build lm-eval tasks and their first requests without a model, and measure made-up answers.

    Tells what lm-eval would tell late or not at all: broken YAML, wrong settings, data that cannot
    be used, metrics that are never returned, a model without log-likelihoods. The options are
    lm-eval's own.
    """
    from dataclasses import asdict

    from profile_tasks.lm_eval_runner.run import validated_tasks

    try:
        checked = validated_tasks(
            tasks,
            metadata=_parsed(metadata),
            include_path=include_path,
            model=model,
            chat_template=apply_chat_template,
        )
    except Exception as error:  # a user's own task may raise anything while it is built
        raise Unusable(_one_line(error)) from error
    rows = [asdict(task) for task in checked]
    printed = [{_SHORT.get(name, name): str(value) for name, value in row.items()} for row in rows]
    emit(format_, {"tasks": rows}, rows, "these tasks can run", printed)


_SHORT = {"documents": "docs", "output_type": "output"}
"""Headings, where a column's name is too wide."""


def _parsed(metadata: str) -> dict[str, Any]:
    from argparse import ArgumentTypeError

    from lm_eval._cli.utils import key_val_to_dict, try_parse_json

    try:
        parsed = try_parse_json(metadata)
    except (ArgumentTypeError, ValueError) as error:
        raise ValueError(f"--metadata: {error}") from error
    return parsed if isinstance(parsed, dict) else key_val_to_dict(metadata)


def _one_line(error: Exception) -> str:
    """The message; with the error's name where a message alone would say little, as KeyError's."""
    text = " ".join(str(error).split())
    return text if isinstance(error, ValueError | OSError) else f"{type(error).__name__}: {text}"
