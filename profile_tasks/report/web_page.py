"""One HTML page of ours: our style and script within, and nothing that is loaded from elsewhere."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from profile_tasks import __version__


def web_page(
    template: str,
    filters: Mapping[str, Callable[..., object]] = MappingProxyType({}),
    *,
    script: str | None = None,
    more_style: str = "",
    **content: Any,  # noqa: ANN401 - whatever the template shows
) -> str:
    """A page.

    Args:
        template: A template's text, with the blocks ``title`` and ``body`` of ``base.html``. What
            it shows is escaped, and no other script than ours runs, whatever a text holds.
        filters: Of the template, by name.
        script: JavaScript in place of the report's, which sorts tables and opens examples.
        more_style: CSS behind ours.
        content: What it shows, by name.

    Raises:
        jinja2.UndefinedError: The template shows what is not given.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("profile_tasks.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= filters
    script = packaged("page.js") if script is None else script
    return environment.from_string(template).render(
        version=__version__,
        style=Markup(packaged("page.css") + more_style),  # noqa: S704 - ours
        script=Markup(script),  # noqa: S704 - ours
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        **content,
    )


def packaged(name: str, package: str = "profile_tasks.report") -> str:
    """The text of a file that stands beside a package's modules."""
    return (files(package) / name).read_text(encoding="utf-8")
