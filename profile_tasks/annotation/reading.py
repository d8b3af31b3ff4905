"""Answers out of whatever file a tool saved them in."""

import json
from collections.abc import Iterator
from pathlib import Path

from profile_tasks.annotation.answers import Answer
from profile_tasks.annotation.label_studio_exports import is_studio_export, studio_answers
from profile_tasks.annotation.page import is_saved_by_page, page_answers
from profile_tasks.annotation.table import table_answers
from profile_tasks.whole_files import read_whole


def read_answers(path: Path) -> Iterator[Answer]:
    """The answers in a file: an export of Label Studio, what a page saved, or a table.

    Raises:
        OSError: It cannot be read.
        ValueError: It is none of these, or damaged; it names the place.
    """
    if path.suffix.lower() in (".csv", ".tsv"):
        yield from table_answers(path)
        return
    try:
        content = json.loads(read_whole(path))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not JSON ({error})") from error
    if is_studio_export(content):
        yield from studio_answers(content, path.name)
    elif is_saved_by_page(content):
        yield from page_answers(content, path.name)
    else:
        raise ValueError(
            f"{path}: neither an export of Label Studio (JSON or JSON-MIN), nor saved by a page, "
            "nor a table (.csv)"
        )
