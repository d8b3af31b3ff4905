"""One of several names as an option's value."""

import click

from profile_tasks.nearest_name import instead_of


class KnownName(click.Choice[str]):
    """One of several names; of an unknown one, the nearest is told, and what else it may be."""

    or_else = ""

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """The name, once it is one of them."""
        if value not in self.choices:
            meant = instead_of(str(value), self.choices)
            self.fail(f"{value!r} is unknown{meant}{self.or_else}", param, ctx)
        return super().convert(value, param, ctx)
