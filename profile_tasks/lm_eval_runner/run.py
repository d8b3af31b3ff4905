"""lm-eval over this project's tasks: its own command line with a task manager of ours.

The stock task manager indexes some 14,000 configurations before anything else. Everything that can
be wrong with the arguments is checked before a model is loaded or paid for.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

import lm_eval.evaluator
import lm_eval.tasks
from lm_eval._cli.harness import HarnessCLI
from lm_eval.api.registry import get_model
from lm_eval.config.evaluate_config import EvaluatorConfig
from lm_eval.tasks import TaskManager
from lm_eval.utils import set_torch_seed, simple_parse_args_string

import profile_tasks.task_configs.planted_lm  # noqa: F401 - registers the model
from profile_tasks.lm_eval_runner.answer_cache import answers_kept, model_identity
from profile_tasks.lm_eval_runner.keys import keys_hidden, refuse_keys, stderr_without
from profile_tasks.lm_eval_runner.validation import (
    CheckedTask,
    check_backend,
    check_chats,
    check_folder,
    check_model,
    check_task,
    chosen_names,
    meant_by,
)
from profile_tasks.secrets import keys_in, typed_keys
from profile_tasks.task_configs import FOLDER
from profile_tasks.task_configs.run_settings import check_names
from profile_tasks.task_configs.source_task import SourceTask


class OwnTaskManager(TaskManager):
    """Knows this project's tasks, and those of a folder that the user names."""

    def __init__(
        self,
        verbosity: str | None = None,
        include_path: str | Path | Sequence[str | Path] | None = None,
        include_defaults: bool = False,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        given = [include_path] if isinstance(include_path, str | Path) else include_path or []
        super().__init__(
            verbosity=verbosity,
            include_path=[FOLDER, *given],
            include_defaults=include_defaults,
            metadata=metadata,
        )

    def match_tasks(self, task_list: list[str]) -> list[str]:
        """The tasks that names and patterns mean, each once."""
        matched = (
            meant_by(name, super(OwnTaskManager, self).match_tasks([name])) for name in task_list
        )
        return list(dict.fromkeys(name for each in matched for name in each))


def run_lm_eval(arguments: list[str]) -> None:
    """Run lm-eval with the arguments of its own command line.

    Raises:
        ValueError: An argument cannot work; the message says which one, and what to do.
        ConnectionError: With ``--use_cache``, the model did not answer; what it did is kept.
    """
    keys = keys_in(os.environ).union(*map(typed_keys, arguments))
    with keys_hidden(keys):
        _run(arguments, keys)


def _run(arguments: list[str], keys: frozenset[str]) -> None:
    with mock.patch.object(sys, "argv", ["lm-eval", *arguments]), stderr_without(keys):
        harness = HarnessCLI()
        parsed = harness.parse_args()
    if parsed.command == "run":
        check_arguments(parsed)
    model = getattr(parsed, "model", None)
    if model is None:  # it may stand in a configuration file, and be any
        import_module("lm_eval.models.api_models")
    else:
        get_model(model)  # imports its module, and so what it runs on
    with (
        mock.patch.object(lm_eval.tasks, "TaskManager", OwnTaskManager),
        mock.patch.object(lm_eval.evaluator, "set_torch_seed", partial(_seed_torch, model)),
        answers_kept(_identity(parsed)),
    ):
        harness.execute(parsed)


def _identity(arguments: argparse.Namespace) -> str:
    """What tells the model from others; a configuration file may name it."""
    file = getattr(arguments, "config", None)
    named = (EvaluatorConfig.load_yaml_config(file) if file else {}) | {
        name: value for name, value in vars(arguments).items() if value
    }
    given = named.get("model_args") or {}
    return model_identity(
        str(named.get("model")),
        simple_parse_args_string(given) if isinstance(given, str) else given,
    )


def _seed_torch(model: str | None, seed: int) -> None:
    """Seed torch where the model uses it; lm-eval imports it, for a second, for any model."""
    if model is None or "torch" in sys.modules:
        set_torch_seed(seed)


def check_arguments(arguments: argparse.Namespace) -> None:
    """Refuse what would fail late, or silently do something else.

    Args:
        arguments: As lm-eval parsed them; what was not given may be absent.

    Raises:
        ValueError: As ``validated_tasks``.
    """
    for name in ("model_args", "gen_kwargs", "metadata"):
        refuse_keys(f"--{name}", getattr(arguments, name, None))
    if file := getattr(arguments, "config", None):
        for name, settings in EvaluatorConfig.load_yaml_config(file).items():
            refuse_keys(f"--config {file}, {name}:", settings)
    validated_tasks(
        getattr(arguments, "tasks", None) or [],
        metadata=getattr(arguments, "metadata", None) or {},
        include_path=getattr(arguments, "include_path", None),
        model=getattr(arguments, "model", None),
        chat_template=bool(getattr(arguments, "apply_chat_template", False)),
        own_only=True,
    )


def validated_tasks(
    tasks: Sequence[str] | str,
    *,
    metadata: Mapping[str, Any],
    include_path: str | None = None,
    model: str | None = None,
    chat_template: bool = False,
    own_only: bool = False,
) -> list[CheckedTask]:
    """Build tasks without a model, and check everything that a run would find out later.

    Args:
        tasks: Names, patterns, or YAML files.
        metadata: The settings.
        include_path: A folder with tasks of the user's own.
        model: The model type; None leaves it unchecked.
        chat_template: Whether requests are put into chats.
        own_only: Leave tasks that are not this project's unmeasured: what they do with made-up
            answers is not known.

    Raises:
        ValueError: Metadata that are no settings, a missing folder or broken file, an unknown
            task, data that cannot be used, metrics that do not fit, or a model that cannot be
            asked so.
    """
    if include_path:
        check_folder(include_path)
    check_names(metadata)
    manager = OwnTaskManager(include_path=include_path, metadata=dict(metadata))
    names = chosen_names(tasks, manager.all_tasks)
    if model is not None:
        check_model(model)
    built = manager.load(names)["tasks"].values()
    if model is not None:
        for task in built:
            check_backend(task, model)
        check_chats(model, chat_template)
    return [check_task(task) for task in built if isinstance(task, SourceTask) or not own_only]
