"""lm-eval over this project's tasks: its own command line with a task manager of ours.

The stock task manager indexes some 14,000 configurations before anything else. Everything that can
be wrong with the arguments is checked before a model is loaded or paid for.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import lm_eval.evaluator
import lm_eval.tasks
from lm_eval._cli.harness import HarnessCLI
from lm_eval.api.registry import get_model
from lm_eval.tasks import TaskManager
from lm_eval.utils import set_torch_seed

import profile_tasks.task_configs.planted_lm  # noqa: F401 - registers the model
from profile_tasks.answer_cache import answers_kept
from profile_tasks.task_configs import FOLDER
from profile_tasks.task_configs.run_settings import RunSettings, unknown_settings

CHAT_MODELS = frozenset(
    {
        "anthropic-chat", "anthropic-chat-completions", "litellm", "litellm-chat",
        "litellm-chat-completions", "local-chat-completions", "openai-chat-completions",
    }
)  # fmt: skip
"""Models of lm-eval that only take chats, and have no log-likelihoods."""


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


def run_lm_eval(arguments: list[str]) -> None:
    """Run lm-eval with the arguments of its own command line.

    Raises:
        ValueError: An argument cannot work; the message says which one, and what to do.
        ConnectionError: With ``--use_cache``, the model did not answer; what it did is kept.
    """
    with mock.patch.object(sys, "argv", ["lm-eval", *arguments]):
        harness = HarnessCLI()
        parsed = harness.parse_args()
    if parsed.command == "run":
        check_arguments(parsed)
    seed_torch = partial(_seed_torch, getattr(parsed, "model", None))
    with (
        mock.patch.object(lm_eval.tasks, "TaskManager", OwnTaskManager),
        mock.patch.object(lm_eval.evaluator, "set_torch_seed", seed_torch),
        answers_kept(),
    ):
        harness.execute(parsed)


def _seed_torch(model: str | None, seed: int) -> None:
    """Seed torch for models that use it: lm-eval loads it, for a second, for any model."""
    if model is not None:
        get_model(model)  # loads the module of the model, and so what it runs on
    if model is None or "torch" in sys.modules:
        set_torch_seed(seed)


def check_arguments(arguments: argparse.Namespace) -> None:
    """Refuse what would fail late, or silently do something else.

    Args:
        arguments: As lm-eval parsed them; what was not given may be absent.

    Raises:
        ValueError: Metadata that are no settings, a missing folder, an unknown task, or a model
            that cannot be asked so.
    """
    folder = getattr(arguments, "include_path", None)
    if folder and not Path(folder).is_dir():
        raise ValueError(f"--include_path {folder}: no such folder")
    if unknown := unknown_settings(getattr(arguments, "metadata", None) or {}):
        raise ValueError(
            f"--metadata {unknown[0]!r} is no setting. Must be one of: "
            + ", ".join(field.name for field in fields(RunSettings))
        )
    listed = getattr(arguments, "tasks", None) or []
    known = OwnTaskManager(include_path=folder)
    names = ",".join([listed] if isinstance(listed, str) else listed).split(",")
    for name in names:
        if name and not name.endswith(".yaml") and not known.match_tasks([name]):
            raise ValueError(
                f"--tasks {name!r} is unknown. Must be one of: {', '.join(known.all_tasks)}"
            )
    model = getattr(arguments, "model", None)
    if model in CHAT_MODELS and (likelihood := [name for name in names if "likelihood" in name]):
        raise ValueError(
            f"--tasks {likelihood[0]} needs log-likelihoods, which {model} does not give; use "
            "profile_<task>_discrimination, or a model such as hf or vllm"
        )
    if model in CHAT_MODELS and not getattr(arguments, "apply_chat_template", False):
        raise ValueError(f"--model {model} takes chats only; add --apply_chat_template")
