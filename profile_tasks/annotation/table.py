"""Tasks as a table, for tools and panels that take one; and answers as a table, a vote a row.

Columns that begin with ``META_`` are those that Prolific keeps from participants and gives back
(https://docs.prolific.com/api-reference/ai-task-builder/datasets).
"""

import csv
import io
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import JsonValue

from profile_tasks.annotation.answers import GIVEN, Answer, Given
from profile_tasks.annotation.project import Project
from profile_tasks.data.files import RowError, read_file

_PROJECT, _TASK = "META_project", "META_task"
_NEEDED = (_PROJECT, _TASK, "annotator", "preference")
_FACTOR = "factor_"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def task_table(project: Project) -> str:
    """The tasks as CSV, a row each, with the heads of the texts as those of the columns."""
    (sheet,) = project.sheets
    words, text = project.wording, io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    heads = (words.request, words.source, words.first, words.second)
    writer.writerow((_PROJECT, _TASK, *heads))
    for task in sheet:
        texts = (task.request, task.source or "", task.first, task.second)
        writer.writerow((project.key.project, task.task, *map(_no_formula, texts)))
    return text.getvalue()


def _no_formula(text: str) -> str:
    """A text that no spreadsheet takes for a formula, and that reads as it did."""
    return f" {text}" if text.startswith(_FORMULA) else text


def table_answers(path: Path) -> Iterator[Answer]:
    """The answers in a table with the columns META_project, META_task, annotator and preference.

    The preference is first, second or tie; empty: skipped. Columns that may be there too: seconds,
    comment, and factor_<id> with the same three answers.

    Raises:
        ValueError: A column is missing, or a cell holds something else; it names the place.
    """
    for place, row in read_file(path, (), None):
        try:
            if isinstance(row, RowError):
                raise row
            yield _answer(row, place)
        except RowError as error:
            raise ValueError(f"{place}: {error}") from error


def _answer(row: Mapping[str, JsonValue], place: str) -> Answer:
    if lacking := [name for name in _NEEDED if name not in row]:
        raise RowError(
            f"no column {', '.join(lacking)}; expected {', '.join(_NEEDED)} (an export of Label "
            "Studio reads as JSON)"
        )
    if row["annotator"] is None:
        raise RowError("column 'annotator' is empty; expected who answered, by any name")
    preference = _given(row, "preference")
    factors = {name: _given(row, name) for name in row if name.startswith(_FACTOR)}
    seconds = row.get("seconds")
    try:
        took = None if seconds is None else float(str(seconds))
    except ValueError:
        took = math.nan
    if took is not None and not math.isfinite(took):
        raise RowError(f"column 'seconds' holds {seconds!r:.60}; expected a number")
    return Answer(
        project=None if row[_PROJECT] is None else str(row[_PROJECT]),
        task=str(row[_TASK]),
        annotator=str(row["annotator"]),
        preference=preference,
        skipped=preference is None,
        factors={name.removeprefix(_FACTOR): each for name, each in factors.items() if each},
        seconds=took,
        comment=str(row.get("comment") or ""),
        content=None,
        place=place,
    )


def _given(row: Mapping[str, JsonValue], column: str) -> Given | None:
    held = row[column]
    if held is None:
        return None
    for given in GIVEN:
        if held == given:
            return given
    raise RowError(f"column {column!r} holds {held!r:.60}; expected {', '.join(GIVEN)}, or nothing")
