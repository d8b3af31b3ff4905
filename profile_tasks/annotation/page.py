"""The page for annotators without a server: it opens from disk, and saves a file."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict, FiniteFloat, ValidationError

from profile_tasks.annotation.answers import Answer, Given
from profile_tasks.annotation.malformed import first_problem
from profile_tasks.annotation.project import Project
from profile_tasks.report.web_page import packaged, web_page

_HERE = "profile_tasks.annotation"


def annotation_page(project: Project, number: int) -> str:
    """The page of one annotator.

    Args:
        project: The project.
        number: Whose sheet it holds, from 1.
    """
    sheet = project.sheets[number - 1]
    content = {
        "project": project.key.project,
        "sheet": f"annotator {number}",
        "factors": list(project.questions),
        "tasks": [asdict(task) for task in sheet],
    }
    return web_page(
        packaged("page.html", _HERE),
        script=packaged("page.js", _HERE),
        more_style=packaged("page.css", _HERE),
        words=project.wording,
        instructions=project.instructions,
        questions=project.questions,
        total=len(sheet),
        content=content,
    )


class _Said(BaseModel):
    """What an annotator said of a task."""

    model_config = ConfigDict(extra="forbid")

    task: str
    preference: Given | None
    skipped: bool
    factors: dict[str, Given]
    seconds: FiniteFloat
    comment: str


class _Saved(BaseModel):
    """The file that a page saves."""

    model_config = ConfigDict(extra="forbid")

    profile_tasks_answers: int
    project: str
    sheet: str
    annotator: str
    answers: list[_Said]


def is_saved_by_page(content: object) -> bool:
    """Whether JSON has the form of what a page saves."""
    return isinstance(content, Mapping) and "profile_tasks_answers" in content


def page_answers(content: Mapping[str, Any], name: str) -> Iterator[Answer]:
    """The answers that a page saved.

    Args:
        content: The file's.
        name: The file's, for places.

    Raises:
        ValueError: It is not as a page saves it.
    """
    try:
        saved = _Saved.model_validate(content)
    except ValidationError as error:
        raise ValueError(
            f"{name}: {first_problem(error)}; expected the file as the page saved it"
        ) from error
    for number, said in enumerate(saved.answers, start=1):
        yield Answer(
            project=saved.project,
            annotator=saved.annotator,
            content=None,
            place=f"{name}: answer {number}",
            **said.model_dump(),
        )
