"""Label Studio's exports: what annotators answered there, as JSON or JSON-MIN has it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, FiniteFloat, ValidationError

from profile_tasks.annotation.answers import GIVEN, Answer, Given
from profile_tasks.annotation.label_studio import (
    COMMENT,
    DOCUMENT,
    FACTOR,
    NO_SOURCE,
    PREFERENCE,
    PROJECT,
)
from profile_tasks.annotation.malformed import first_problem
from profile_tasks.data.content_hash import short_hash


class _Result(BaseModel):
    """One answer within an annotation."""

    from_name: str = ""
    value: dict[str, Any] = {}


class _Annotation(BaseModel):
    """What one annotator said of a task."""

    completed_by: int | str | dict[str, Any] | None = None
    result: list[_Result]
    was_cancelled: bool = False
    lead_time: FiniteFloat | None = None


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
    lead_time: FiniteFloat | None = None


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
            raise ValueError(
                f"{place}: {first_problem(error)}; expected an export of Label Studio (JSON or "
                "JSON-MIN)"
            ) from error


def _answer(data: Mapping[str, Any], held: _Annotation, place: str) -> Answer:
    given = {
        each.from_name: _said(each.value, place)
        for each in held.result
        if _is_asked(each.from_name)
    }
    return _of(data, given, held.completed_by, held.lead_time, place, skipped=held.was_cancelled)


def _flat_answer(held: _Flat, place: str) -> Answer:
    fields = held.model_extra or {}
    given = {
        name: _said(value if isinstance(value, dict) else {"text": value}, place)
        for name, value in fields.items()
        if _is_asked(name)
    }
    return _of(fields, given, held.annotator, held.lead_time, place, skipped=False)


def _is_asked(name: str) -> bool:
    """Whether it is what a project of ours asks."""
    return name in (PREFERENCE, COMMENT) or name.startswith(FACTOR)


def _of(
    data: Mapping[str, Any],
    given: Mapping[str, str],
    annotator: object,
    seconds: float | None,
    place: str,
    *,
    skipped: bool,
) -> Answer:
    said = {name: _given(text, place) for name, text in given.items() if name != COMMENT}
    texts = [str(data.get(name) or "") for name in ("request", DOCUMENT, "first", "second")]
    texts[1] = "" if texts[1] == NO_SOURCE else texts[1]
    if isinstance(annotator, dict):
        annotator = annotator.get("email") or annotator.get("id")
    if annotator is None:
        raise ValueError(f"{place}: does not say who annotated it; export as JSON, with all fields")
    return Answer(
        project=data.get(PROJECT),
        task=str(data.get("task")),
        annotator=str(annotator),
        preference=None if skipped else said.get(PREFERENCE),
        skipped=skipped,
        factors={
            name.removeprefix(FACTOR): side
            for name, side in said.items()
            if name.startswith(FACTOR)
        },
        seconds=seconds,
        comment=given.get(COMMENT, ""),
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
