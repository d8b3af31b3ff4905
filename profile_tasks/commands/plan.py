"""``profile-tasks plan``: the requests of a run, in files for a batch endpoint."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from profile_tasks.commands.known_name import KnownName
from profile_tasks.commands.printing import command_line, say
from profile_tasks.commands.unusable import Unusable
from profile_tasks.data.task_definition import PREFERENCE, packaged_tasks

if TYPE_CHECKING:
    from profile_tasks.offline.plan import AskedModel, Step

_TASKS = [
    f"{task}{kind}"
    for kind in ("", "_judge_audit", "_feedback", "_self_guided")
    for task in (*packaged_tasks(), PREFERENCE)
    if find_spec(f"profile_tasks.{task}") is not None  # those with a name of their own in Inspect
]
"""Not score validity, which takes log-likelihoods of given texts; batch endpoints tell none."""


@click.command(epilog="Example: profile-tasks plan summarization --model Qwen/Qwen3-8B -o study")
@click.argument("task", type=KnownName(_TASKS), metavar="TASK")
@click.option(
    "--model",
    required=True,
    metavar="NAME",
    help="The evaluated model, as the endpoint calls it, or '{model: NAME, temperature: 0.7, "
    "max_tokens: 900}' with settings of its requests.",
)
@click.option(
    "--grader",
    "graders",
    multiple=True,
    metavar="NAME",
    help="A grader, likewise; several a panel.",
)
@click.option("-T", "settings", multiple=True, metavar="KEY=VALUE", help="A setting of the task.")
@click.option("--epochs", type=click.IntRange(1), default=1, show_default=True)
@click.option(
    "-o",
    "--output",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the plan; requests, and in the end the log, go into it.",
)
def plan(
    task: str,
    model: str,
    graders: tuple[str, ...],
    settings: tuple[str, ...],
    epochs: int,
    folder: Path,
) -> None:
    """Write every model request of a run of TASK that depends on no answer; no model is called.

    The files are those of OpenAI's batches (JSONL), one a model. What follows from the answers, as
    grading of written texts, is written by profile-tasks ingest, and so is the log.
    """
    # Inspect takes seconds to import, so that --help must not wait for it.
    import profile_tasks._registry  # noqa: F401 - the tasks, also where nothing is installed
    from profile_tasks.commands.grader_run import argument, inspect_on_stderr
    from profile_tasks.offline.plan import Plan, begin

    try:
        planned = Plan(
            task=task,
            settings=_settings(dict(argument(text, "-T") for text in settings)),
            epochs=epochs,
            model=_asked(model, "--model"),
            graders=tuple(_asked(each, "--grader") for each in graders),
        )
        with inspect_on_stderr():
            step = begin(planned, folder)
    except (ImportError, ValueError) as error:
        raise Unusable(str(error)) from error
    say_requests(step, folder)


def _settings(given: dict[str, Any]) -> dict[str, Any]:
    """The settings as a plan holds them: with the definition of a task, not its file alone."""
    from profile_tasks.data.task_definition import is_file, read_definition

    task = given.get("task")
    if isinstance(task, str) and is_file(task):
        return given | {"task": read_definition(task).record()}
    return given


def _asked(text: str, option: str) -> "AskedModel":
    """A model by its name, or by a mapping with its settings."""
    import yaml
    from pydantic import ValidationError

    from profile_tasks.offline.plan import AskedModel

    name, settings = text, {}
    try:
        if text.startswith("{"):
            settings = yaml.safe_load(text)
            name = settings.pop("model", "")
        return AskedModel(model=name, settings=settings)
    except (AttributeError, TypeError, yaml.YAMLError) as error:
        raise Unusable(f"{option} {text}: expected NAME or {{model: NAME, ...}}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = " ".join(map(str, first["loc"]))
        raise Unusable(
            f"{option}: {where}: {first['msg'].removeprefix('Value error, ')}"
        ) from error


def say_requests(step: "Step", folder: Path) -> None:
    """Say what is asked, and what to do with it."""
    for path, number in step.requests.items():
        say(f"{path}: {number:,} requests", whole=True)
    say("have each file answered by a batch endpoint, then:")
    say(command_line("profile-tasks", "ingest", str(folder), "ANSWERS.jsonl"), whole=True)
