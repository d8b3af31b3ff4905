"""Untrusted texts between tags that none of them contains.

Sources, responses and facts come from data sets and models. Each stands in a section of its own,
and no text can close its section or open another one. ``read_sections`` is the exact inverse of
``render_sections``: the planted models and the tests read requests with it.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from functools import cache

from profile_tasks.data.task_definition import RESERVED_TAGS

SECTION_TAGS = ("request", "source", *RESERVED_TAGS)
"""Every tag that a request of this project uses, beside those that a task chooses for its prompt
and source; of several responses with a number, _1, _2."""


def render_sections(texts: Mapping[str, str | None]) -> str:
    """Each text between its tags, in the given order; None leaves the section out.

    >>> print(render_sections({"request": "Why?", "source": None}))
    <request>
    Why?
    </request>
    """
    present = {tag: text for tag, text in texts.items() if text is not None}
    suffix = _unused_suffix(present.values(), texts)
    return "\n\n".join(
        f"<{tag}{suffix}>\n{text}\n</{tag}{suffix}>" for tag, text in present.items()
    )


def read_sections(text: str, order: Sequence[str]) -> tuple[str, dict[str, str]]:
    r"""What stands before the sections of a rendered request, and the text of each section.

    Args:
        text: The request.
        order: The tags that may occur, in their order; the first one always does.

    Raises:
        ValueError: The text has no such sections.

    >>> read_sections("Answer. " + render_sections({"request": "Why?"}), ["request"])
    Traceback (most recent call last):
    ...
    ValueError: not a request of profile-tasks: 'Answer. <request>\nWhy?\n</request>'
    >>> read_sections("Answer.\n" + render_sections({"request": "Why?"}), ["request"])
    ('Answer.\n', {'request': 'Why?'})
    """
    opening = re.search(rf"^<{order[0]}(-\d+)?>$", text, re.MULTILINE)
    if opening is None:
        raise ValueError(f"not a request of profile-tasks: {text[:80]!r}")
    suffix, position = opening.group(1) or "", opening.start()
    contents: dict[str, str] = {}
    for tag in order:
        start, end = f"<{tag}{suffix}>\n", f"\n</{tag}{suffix}>"
        if text.startswith(start, position):
            stop = text.find(end, position)
            if stop < 0:
                raise ValueError(f"not a request of profile-tasks: section {tag!r} has no end")
            contents[tag] = text[position + len(start) : stop]
            position = stop + len(end) + len("\n\n")
    return text[: opening.start()], contents


def _unused_suffix(texts: Collection[str], tags: Collection[str]) -> str:
    """The first of "", "-1", "-2", ... whose tags occur in none of the texts.

    Not even with white space or attributes inside, which a model might read as the tag.
    """
    tag = _tag(frozenset(tags))
    used = {suffix for text in texts for suffix in tag.findall(text)}
    suffix, number = "", 0
    while suffix in used:
        number += 1
        suffix = f"-{number}"
    return suffix


@cache
def _tag(tags: frozenset[str]) -> re.Pattern[str]:
    """Any of these tags, and of those that are known to all, as a text may hold it."""
    names = "|".join(dict.fromkeys((*SECTION_TAGS, *sorted(tags))))
    return re.compile(rf"<[\s/]*(?:{names})(?:_\d+)?(-\d+)?(?:\s[^<>]*)?>", re.IGNORECASE)
