"""What the commands that ask a grader share: its options, the model, and a run to its end."""

import os
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from profile_tasks.commands.settings_options import settings_options
from profile_tasks.commands.unusable import Unusable
from profile_tasks.secrets import hidden, keys_in
from profile_tasks.settings import GraderValidationSettings

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.log import EvalLog
    from inspect_ai.model import Model

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("-M", "model_args", multiple=True, metavar="KEY=VALUE", help="A model argument."),
    settings_options(GraderValidationSettings, ["judge_orders", "grading", "seed"]),
    click.option(
        "--log-dir",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("logs"),
        show_default=True,
        help="Where the Inspect log goes.",
    ),
)


_ONE = click.option("--grader", required=True, help="The grader, as Inspect names models.")
_SEVERAL = click.option(
    "--grader",
    "graders",
    multiple=True,
    help="A grader, as Inspect names models or '{model: NAME, model_args: {...}}'; several are a "
    "panel.",
)


def grader_options(*, several: bool = False) -> Callable[[_Command], _Command]:
    """Add the options about the grader to a command.

    Args:
        several: Whether it may be given more than once, as ``graders``.
    """

    def add(command: _Command) -> _Command:
        for option in (*reversed(_OPTIONS), _SEVERAL if several else _ONE):
            command = option(command)
        return command

    return add


def called_grader(name: str, arguments: Sequence[str], role: str = "grader") -> "Model":
    """The grader, or the model of another role.

    Args:
        name: As Inspect names models, or a mapping in YAML of ``model``, ``model_args`` and
            settings, as its ``--model-role`` takes.
        arguments: Of ``-M``, each KEY=VALUE.
        role: What the model is, as its option is called.

    Raises:
        Unusable: There is no such model, or it takes no such argument, or the log would hold a key.
    """
    from inspect_ai.model import GenerateConfig, get_model

    from profile_tasks.scorers.grading.api_key import hide_keys, refuse_logged_keys

    given = dict(argument(text) for text in arguments)
    try:
        settings: dict[str, Any] = {}
        if name.startswith("{"):
            settings = _mapping(name)
            name = str(settings.pop("model", ""))
            given |= settings.pop("model_args", {})
        with inspect_on_stderr():
            model = get_model(
                name, config=GenerateConfig.model_validate(settings), memoize=False, **given
            )
        refuse_logged_keys(model, f"the {role}")
    except Exception as error:  # each provider has its own way to refuse a name or an argument
        told = hidden(_one_line(str(error)), keys_in(given, os.environ))
        raise Unusable(f"--{role} {name}: {told}") from error
    hide_keys(model)
    return model


def run_to_end(
    task: "Task",
    log_dir: Path,
    *,
    model: "Model | str",
    roles: "dict[str, Model | list[Model]] | None" = None,
) -> "EvalLog":
    """The log of a run.

    Raises:
        click.ClickException: The user ended it.
    """
    from inspect_ai import eval as inspect_eval

    watched = sys.stderr.isatty()
    with inspect_on_stderr():
        logs = inspect_eval(
            task,
            model=model,
            model_roles=roles,
            log_dir=str(log_dir),
            display="plain" if watched else "none",
            log_realtime=False,  # for viewers, of a run that shows its own progress: a third of it
        )
    # It takes an interruption for itself, and then returns no log or a cancelled one.
    if not logs or logs[0].status == "cancelled":
        raise _InterruptedError
    return logs[0]


def inspect_on_stderr() -> redirect_stdout[Any]:
    """What Inspect says of itself must not stand in the middle of JSON."""
    return redirect_stdout(sys.stderr)


def argument(text: str, option: str = "-M") -> tuple[str, Any]:
    """``key=value``, the value read as Inspect reads it: 0.2 is a number, true a truth value.

    Raises:
        Unusable: It has another form.
    """
    import yaml

    key, separator, value = text.partition("=")
    if not separator or not key:
        raise Unusable(f"{option} {text}: expected KEY=VALUE")
    try:
        return key.replace("-", "_"), yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise Unusable(f"{option} {key}: the value is not valid YAML") from error


def _mapping(text: str) -> dict[str, Any]:
    """A grader with its arguments and settings, as YAML or JSON."""
    import yaml

    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError("not valid YAML") from error
    arguments = found.get("model_args", {}) if isinstance(found, dict) else None
    if not isinstance(arguments, dict) or not found.get("model"):
        raise ValueError("expected {model: NAME, model_args: {KEY: VALUE, ...}}")
    return dict(found)


def _one_line(text: str) -> str:
    """Provider errors come in paragraphs, some with markup."""
    return " ".join(re.sub(r"\[/?[a-z]+\]", "", text).split())


class _InterruptedError(click.ClickException):
    """The user ended the run."""

    exit_code = 130  # as of a program that SIGINT ends

    def __init__(self) -> None:
        super().__init__(
            "interrupted; the answers given so far are cached, and the same command asks only for "
            "the others"
        )
