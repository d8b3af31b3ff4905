"""Settings as options of a command: their names, choices, defaults and help."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, get_type_hints

import click

from profile_tasks.commands.known_name import KnownName
from profile_tasks.settings import Settings, choices_of

_Command = TypeVar("_Command", bound=Callable[..., Any])


def settings_options(
    settings: type[Settings], names: Sequence[str]
) -> Callable[[_Command], _Command]:
    """Add an option for each of these settings to a command; it is checked as settings are.

    Args:
        settings: The class of the settings.
        names: Which of them, in the order of ``--help``.
    """

    def add(command: _Command) -> _Command:
        for name in reversed(names):
            command = _option(settings, name)(command)
        return command

    return add


def _option(settings: type[Settings], name: str) -> Callable[[_Command], _Command]:
    field, type_ = settings.model_fields[name], get_type_hints(settings)[name]
    shown: dict[str, Any] = {"help": field.description, "default": field.default}
    if isinstance(field.default, tuple):
        shown["default"] = ",".join(map(str, field.default))
    choices = [str(choice) for choice in choices_of(field)]
    if type_ is bool:
        kind: dict[str, Any] = {"is_flag": True}
    elif type_ is float:
        kind = {"type": float}
    elif isinstance(field.default, int) or type_ == int | None:
        kind = {"type": int, "metavar": f"[{'|'.join(choices)}]" if choices else None}
    else:
        kind = {"type": KnownName(choices) if choices else str}
    option = _OPTIONS.get(name, name).replace("_", "-")
    names = f"--{option}" + f"/--no-{option}" * (field.default is True)
    return click.option(names, name, show_default=True, **shown, **kind)


_OPTIONS = {"format": "data-format"}
"""Options that are not called as their settings: --format is what a command prints."""
