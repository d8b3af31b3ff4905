"""Wrong arguments of tasks, scorers and models: named, in one line of Inspect's terminal."""
# inspect-evals-lint: ignore-file[IECQ001] -- not public in Inspect; tests/test_dependencies.py

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from os import PathLike, fspath
from typing import Any, ParamSpec, cast

from inspect_ai import Task
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.model._model import active_model
from rich.markup import escape

from profile_tasks.data.task_definition import definition_of, own_definition, task_key
from profile_tasks.scorers.grading.api_key import hide_keys_of_run


class OneLineError(PrerequisiteError):
    """What is wrong with a user's input. Inspect prints the message of such an error alone."""

    def __init__(self, message: str) -> None:
        super().__init__(escape(message))

    def __str__(self) -> str:
        return str(self.message)


class ArgumentError(OneLineError, ValueError):
    """An argument of a task or a model cannot be used."""


@contextmanager
def told_of_a_scorer() -> Iterator[None]:
    """Turn what building a scorer raises for its user into what Inspect prints as one line.

    No ValueError: ``inspect score`` takes one for a scorer that it cannot find.

    Raises:
        OneLineError: A ValueError, OSError or ImportError was raised within.
    """
    try:
        yield
    except (ValueError, OSError, ImportError) as error:
        raise OneLineError(str(error)) from error


@contextmanager
def told_in_one_line(*, in_python: bool = False) -> Iterator[None]:
    """Turn what building a task raises for its user into what Inspect prints as one line.

    A task is built before Inspect begins its log, so the keys of the run's models are hidden here.

    Args:
        in_python: Do so outside an evaluation too. Else whoever builds a task in Python gets the
            exception itself.

    Raises:
        ArgumentError: A ValueError, OSError or ImportError was raised within, or the log would
            hold a key.
    """
    try:
        if not in_python:
            # Importing it registers its hook, which other people's evaluations should not carry.
            import profile_tasks.scorers.inspect.hidden_keys  # noqa: F401

            if in_evaluation():
                hide_keys_of_run()
        yield
    except (ValueError, OSError, ImportError) as error:
        if in_python or in_evaluation():
            raise ArgumentError(str(error)) from error
        raise


_P = ParamSpec("_P")


def definition_in_log(build: Callable[_P, Task]) -> Callable[_P, Task]:
    """Let a task that takes a definition be called with its file, and log what stands there.

    Inspect logs the arguments of a task as they are given, and builds it of them again for a retry,
    wherever that runs.

    Args:
        build: The task; its first argument, ``task``, says which definition is meant.
    """

    @wraps(build)
    @told_in_one_line()
    def built(*args: _P.args, **given: _P.kwargs) -> Task:
        arguments: dict[str, Any] = {**dict(zip(("task",), args, strict=False)), **given}
        named = arguments.get("task")
        if isinstance(named, str | PathLike) and own_definition(key := task_key(fspath(named))):
            arguments["task"] = definition_of(str(key)).record()
        return cast("Callable[..., Task]", build)(**arguments)

    return built


def in_evaluation() -> bool:
    """Whether Inspect builds the task for a run, whose models and roles it then knows."""
    return active_model() is not None
