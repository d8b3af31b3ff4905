"""Input that a command cannot use."""

import click

from profile_tasks.untrusted_text import one_line


class Unusable(click.ClickException):
    """One clear line on stderr and exit status 2, as for a wrong option: nothing was decided.

    The line may quote names from files, which a terminal must not obey.
    """

    exit_code = 2

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))
