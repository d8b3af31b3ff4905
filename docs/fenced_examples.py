"""For the site: examples in docstrings as code, which Markdown would take for quotations."""

import re
from typing import Any

import griffe

_EXAMPLE = re.compile(r"^(?:>>>.*\n?)(?:[^\n]+(?:\n|\Z))*", re.MULTILINE)


class FencedExamples(griffe.Extension):
    """Put each example, from its first prompt to the next blank line, between fences."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:  # noqa: ANN401 - griffe's own
        """Fence the examples of an object's docstring, but those under a heading of their own."""
        if obj.docstring is not None:
            # Google's name for the section is in the plural.
            text = re.sub(r"^Example:$", "Examples:", obj.docstring.value, flags=re.MULTILINE)
            obj.docstring.value = _EXAMPLE.sub(
                lambda found: f"```pycon\n{found.group().rstrip()}\n```\n", text
            )
