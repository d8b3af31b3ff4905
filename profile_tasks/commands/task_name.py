"""A task as the value of an option: a packaged one by its name, or the file of one's own."""

from collections.abc import Sequence

import click

from profile_tasks.commands.known_name import KnownName
from profile_tasks.data.task_definition import is_file, packaged_tasks


class TaskName(KnownName):
    """The name of a packaged task or a YAML file, as it stands or with an ending.

    Args:
        endings: What may follow the name of a packaged task, or the file of one's own.
    """

    or_else = "; or the YAML file of one of yours"

    def __init__(self, endings: Sequence[str] = ()) -> None:
        names = packaged_tasks()
        self.endings = ("", *endings)
        super().__init__([f"{name}{ending}" for ending in self.endings for name in names])

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """The name or file, once the name is known; a file is read by whoever uses it."""
        given = str(value)
        if any(is_file(given.removesuffix(ending)) for ending in self.endings):
            return given
        return super().convert(value, param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """The names, and that a file may stand there."""
        return f"[{'|'.join(self.choices)}|FILE.yaml]"
