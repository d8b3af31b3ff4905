"""Projects for Label Studio: labelling configuration, tasks, and settings of a project.

The form is that of Label Studio's community edition, which deals the tasks of a project out to its
annotators; how many of them judge a task is a setting of the project.
"""

from collections.abc import Mapping
from xml.etree import ElementTree

from markupsafe import Markup
from pydantic import JsonValue

from profile_tasks.annotation.answers import GIVEN, Given
from profile_tasks.annotation.project import Project, ShownTask

PROJECT, PREFERENCE, FACTOR, COMMENT = (
    "profile_tasks_project",
    "preference",
    "factor_",
    "comment",
)
"""Fields of a task and names of questions; a factor's is this and its id."""

DOCUMENT = "document"
"""The field of the source; what is called "source" in Label Studio is the task as a whole."""

_HOTKEYS: Mapping[Given, str] = {"first": "a", "second": "b", "tie": "t"}

NO_SOURCE = "–"
"""What stands in place of a document where one task has none; Label Studio wants a text."""


def labelling_config(project: Project) -> str:
    """The labelling configuration, XML: the texts, the question, one a factor, a comment."""
    words = project.wording
    view = ElementTree.Element("View", style="max-width: 90rem")
    _text(view, words.request, "request")
    if project.has_sources:
        _text(view, words.source, DOCUMENT, style="max-height: 24rem; overflow: auto")
    sides = _view(view, "display: grid; grid-template-columns: 1fr 1fr; gap: 2rem")
    for side, head in (("first", words.first), ("second", words.second)):
        _text(_view(sides, "min-width: 0"), head, side)
    _choices(view, words.preference, PREFERENCE, project, required=True)
    for factor, question in project.questions.items():
        _choices(view, question, f"{FACTOR}{factor}", project, required=False)
    _header(view, words.comment)
    ElementTree.SubElement(
        view, "TextArea", name=COMMENT, toName="request", rows="2", maxSubmissions="1"
    )
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"


def studio_project(project: Project) -> dict[str, JsonValue]:
    """The project as Label Studio's API creates one (POST /api/projects)."""
    words = project.wording
    paragraphs = (Markup("<p>{}</p>").format(text) for text in project.instructions)
    return {
        "title": f"{words.title} ({project.key.project})"[:50],
        "label_config": labelling_config(project),
        "expert_instruction": str(Markup("\n").join(paragraphs)),
        "show_instruction": True,
        "show_skip_button": True,
        "enable_empty_annotation": False,
        "sampling": "Sequential sampling",
        "maximum_annotations": project.annotators,
        "overlap_cohort_percentage": round(100 * project.overlap),
    }


def studio_tasks(project: Project) -> list[JsonValue]:
    """The tasks as Label Studio imports them."""
    (sheet,) = project.sheets
    return [{"data": _data(project, task)} for task in sheet]


def _data(project: Project, task: ShownTask) -> dict[str, JsonValue]:
    return {
        PROJECT: project.key.project,
        "task": task.task,
        "request": task.request,
        **({DOCUMENT: task.source or NO_SOURCE} if project.has_sources else {}),
        "first": task.first,
        "second": task.second,
    }


def _view(parent: ElementTree.Element, style: str) -> ElementTree.Element:
    return ElementTree.SubElement(parent, "View", style=style)


def _header(parent: ElementTree.Element, text: str) -> None:
    # What follows a dollar sign is the name of a field in Label Studio; a full-width one is none.
    ElementTree.SubElement(parent, "Header", value=text.replace("$", "\uff04"), size="5")


def _text(parent: ElementTree.Element, head: str, field: str, style: str = "") -> None:
    _header(parent, head)
    box = _view(parent, style) if style else parent
    ElementTree.SubElement(box, "Text", name=field, value=f"${field}", selectionEnabled="false")


def _choices(
    parent: ElementTree.Element, question: str, name: str, project: Project, *, required: bool
) -> None:
    words = project.wording
    answers = (words.first, words.second, words.tie if required else words.alike)
    _header(parent, question)
    choices = ElementTree.SubElement(
        parent, "Choices", name=name, toName="request", choice="single-radio", showInline="true"
    )
    if required:
        choices.set("required", "true")
    for given, answer in zip(GIVEN, answers, strict=True):
        choice = ElementTree.SubElement(choices, "Choice", value=answer, alias=given)
        if required:
            choice.set("hotkey", _HOTKEYS[given])
