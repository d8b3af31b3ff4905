"""Projects for Label Studio: labelling configuration, tasks, settings; and its exports.

The form is that of Label Studio's community edition, which deals the tasks of a project out to its
annotators; how many of them judge a task is a setting of the project.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from profile_tasks.annotation.answers import GIVEN, Answer, Given
from profile_tasks.annotation.project import Project, ShownTask
from profile_tasks.data.content_hash import short_hash

_PREFERENCE, _FACTOR, _COMMENT = "preference", "factor_", "comment"
_DOCUMENT = "document"
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
        _text(view, words.source, _DOCUMENT, style="max-height: 24rem; overflow: auto")
    sides = _view(view, "display: grid; grid-template-columns: 1fr 1fr; gap: 2rem")
    for side, head in (("first", words.first), ("second", words.second)):
        _text(_view(sides, "min-width: 0"), head, side)
    _choices(view, words.preference, _PREFERENCE, project, required=True)
    for factor, question in project.questions.items():
        _choices(view, question, f"{_FACTOR}{factor}", project, required=False)
    _header(view, words.comment)
    ElementTree.SubElement(
        view, "TextArea", name=_COMMENT, toName="request", rows="2", maxSubmissions="1"
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
        "profile_tasks_project": project.key.project,
        "task": task.task,
        "request": task.request,
        **({_DOCUMENT: task.source or NO_SOURCE} if project.has_sources else {}),
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


# Reading -----------------------------------------------------------------------------------------


class _Result(BaseModel):
    """One answer within an annotation."""

    from_name: str = ""
    value: dict[str, Any] = {}


class _Annotation(BaseModel):
    """What one annotator said of a task."""

    completed_by: int | str | dict[str, Any] | None = None
    result: list[_Result]
    was_cancelled: bool = False
    lead_time: float | None = None


class _Task(BaseModel):
    """A task with everything that was said of it."""

    id: int | str | None = None
    data: dict[str, Any]
    annotations: list[_Annotation]


class _Flat(BaseModel):
    """An annotation in JSON-MIN, beside the fields of its task and what was chosen."""

    model_config = ConfigDict(extra="allow")

    id: int | str | None = None
    annotator: int | str | dict[str, Any] | None = None
    lead_time: float | None = None


def is_studio_export(content: object) -> bool:
    """Whether JSON has the form of one of Label Studio's exports, JSON or JSON-MIN."""
    first = content[0] if isinstance(content, list) and content else None
    return isinstance(first, dict) and (
        {"data", "annotations"} <= first.keys() or {"annotator", "lead_time"} <= first.keys()
    )


def studio_answers(content: Sequence[object], name: str) -> Iterator[Answer]:
    """The answers in an export, JSON or JSON-MIN.

    Args:
        content: The export.
        name: Of its file, for places.

    Raises:
        ValueError: It is not as Label Studio exports one; it names the place.
    """
    for number, held in enumerate(content, start=1):
        place = f"{name}: entry {number}"
        try:
            if isinstance(held, dict) and "annotations" in held:
                task = _Task.model_validate(held)
                for each in task.annotations:
                    yield _answer(task.data, each, place)
            else:
                yield _flat_answer(_Flat.model_validate(held), place)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise ValueError(
                f"{place}: {where}: {first['msg']}; expected an export of Label Studio (JSON or "
                "JSON-MIN)"
            ) from error


def _answer(data: Mapping[str, Any], held: _Annotation, place: str) -> Answer:
    given = {each.from_name: _said(each.value, place) for each in held.result}
    return _of(data, given, held.completed_by, held.lead_time, place, skipped=held.was_cancelled)


def _flat_answer(held: _Flat, place: str) -> Answer:
    fields = held.model_extra or {}
    given = {
        name: _said(value if isinstance(value, dict) else {"text": value}, place)
        for name, value in fields.items()
        if name in (_PREFERENCE, _COMMENT) or name.startswith(_FACTOR)
    }
    return _of(fields, given, held.annotator, held.lead_time, place, skipped=False)


def _of(
    data: Mapping[str, Any],
    given: Mapping[str, str],
    annotator: object,
    seconds: float | None,
    place: str,
    *,
    skipped: bool,
) -> Answer:
    said = {name: _given(text, place) for name, text in given.items() if name != _COMMENT}
    texts = [str(data.get(name) or "") for name in ("request", _DOCUMENT, "first", "second")]
    texts[1] = "" if texts[1] == NO_SOURCE else texts[1]
    if isinstance(annotator, dict):
        annotator = annotator.get("email") or annotator.get("id")
    if annotator is None:
        raise ValueError(f"{place}: does not say who annotated it; export as JSON, with all fields")
    return Answer(
        project=str(data.get("profile_tasks_project")),
        task=str(data.get("task")),
        annotator=str(annotator),
        preference=None if skipped else said.get(_PREFERENCE),
        skipped=skipped,
        factors={
            name.removeprefix(_FACTOR): side
            for name, side in said.items()
            if name.startswith(_FACTOR)
        },
        seconds=seconds,
        comment=given.get(_COMMENT, ""),
        content=short_hash(texts),
        place=place,
    )


def _said(value: Mapping[str, Any], place: str) -> str:
    """The one choice, or the text, of an answer."""
    held = value.get("choices", value.get("text", ""))
    if isinstance(held, list):
        if len(held) != 1 and "choices" in value:
            raise ValueError(f"{place}: one question has {len(held)} answers; expected one")
        held = "\n".join(map(str, held))
    return str(held)


def _given(text: str, place: str) -> Given:
    for given in GIVEN:
        if text == given:
            return given
    raise ValueError(
        f"{place}: an answer is {text!r:.60}; expected first, second or tie, as in the labelling "
        "configuration of the project"
    )
