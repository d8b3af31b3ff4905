"""Input that a command cannot use."""

import click


class Unusable(click.ClickException):
    """One clear line on stderr and exit status 2, as for a wrong option: nothing was decided."""

    exit_code = 2
