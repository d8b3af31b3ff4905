"""Label Studio: what it is given, and its exports read back with their sides undone."""

import json
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from profile_tasks.annotation.answers import Answer, collected
from profile_tasks.annotation.label_studio import (
    labelling_config,
    studio_project,
    studio_tasks,
)
from profile_tasks.annotation.label_studio_exports import is_studio_export, studio_answers
from profile_tasks.annotation.project import Project
from tests.profile_tasks.annotation.conftest import longer, of_pairs, studio_export

Make = Callable[..., Project]


def test_the_configuration_shows_both_texts_and_asks_every_question(project: Make) -> None:
    view = ElementTree.fromstring(labelling_config(project(ask=["fluency"])))  # noqa: S314 - ours
    texts = {each.get("name"): each.get("value") for each in view.iter("Text")}
    assert texts == {
        "request": "$request", "document": "$document", "first": "$first", "second": "$second"
    }  # fmt: skip
    asked = {each.get("name"): each for each in view.iter("Choices")}
    assert asked.keys() == {"preference", "factor_fluency"}
    assert asked["preference"].get("required") == "true"
    assert asked["factor_fluency"].get("required") is None
    answers = [(each.get("value"), each.get("alias")) for each in asked["preference"]]
    assert answers == [("Text A", "first"), ("Text B", "second"), ("Equally good", "tie")]


def test_tasks_hold_what_is_shown_and_nothing_else(project: Make) -> None:
    made = project(checks=1)
    tasks = studio_tasks(made)
    assert len(tasks) == 25
    for task in tasks:
        assert isinstance(task, dict)
        assert task.keys() == {"data"}
        assert isinstance(task["data"], dict)
        assert task["data"].keys() == {
            "profile_tasks_project", "task", "request", "document", "first", "second"
        }  # fmt: skip


def test_overlap_is_a_setting_of_the_project(project: Make) -> None:
    settings = studio_project(project(annotators=3, overlap=0.3))
    assert (settings["maximum_annotations"], settings["overlap_cohort_percentage"]) == (3, 30)
    assert "<p>You see a request" in str(settings["expert_instruction"])


def answers(project: Project, export: object) -> list[Answer]:
    assert is_studio_export(export)
    assert isinstance(export, list)
    return list(studio_answers(export, "export.json"))


def test_who_likes_long_texts_is_read_as_liking_response_a(project: Make) -> None:
    made = project()
    said = [(1, task, {"preference": longer(task)}) for task in made.sheets[0]]
    found = collected(made.key, answers(made, studio_export(made, said)))
    assert {row["preference"] for row in found.rows} == {"a"}
    assert {tuple(row["annotators"]) for row in found.rows} == {("a",)}
    (person,) = found.annotators
    assert (person.votes, person.ties, person.skipped, person.seconds) == (24, 0, 0, 7.5)
    # They picked a side as often as the longer text stood there.
    assert person.first == sum(not kept.swapped for kept in made.key.tasks.values())


def test_the_short_form_reads_alike(project: Make) -> None:
    made = project(ask=["fluency"])
    task, *_ = made.sheets[0]
    given = {"preference": "second", "factor_fluency": "tie", "comment": "so <so>"}
    (whole,) = studio_export(made, [(3, task, given)])
    flat = whole["data"] | given | {
        "id": 1, "annotator": 3, "annotation_id": 9, "lead_time": 7.5,
        "created_at": "2026-11-29T11:25:20.344511Z", "updated_at": "2026-11-29T11:25:20.344556Z",
    }  # fmt: skip
    assert answers(made, [flat]) == answers(made, [whole])
    (answer,) = answers(made, [flat])
    assert answer.factors == {"fluency": "tie"}
    assert answer.comment == "so <so>"


def test_a_skipped_task_is_missing_and_never_a_tie(project: Make) -> None:
    made = project()
    one, other = of_pairs(made.key, made.sheets[0])[:2]
    export = studio_export(
        made, [(1, one, {"preference": None}), (1, other, {"preference": "tie"})]
    )
    found = collected(made.key, answers(made, export))
    rows = dict(enumerate(found.rows))
    skipped, tied = (rows[made.key.tasks[task.task].row] for task in (one, other))
    assert (skipped["annotators"], "preference" in skipped) == ([], False)
    assert skipped["skipped_by"] == [made.key.pseudonym("1")]
    assert (tied["annotators"], tied["preference"]) == (["tie"], "tie")
    (person,) = found.annotators
    assert (person.votes, person.ties, person.skipped) == (1, 1, 1)


def test_an_annotator_with_an_address_is_called_by_it_where_asked(project: Make) -> None:
    made = project()
    task, *_ = made.sheets[0]
    (held,) = studio_export(made, [(1, task, {"preference": "first"})])
    held["annotations"][0]["completed_by"] = {"id": 1, "email": "robin@example.org"}
    (named,) = collected(made.key, answers(made, [held]), keep_names=True).annotators
    assert named.name == "robin@example.org"
    (hidden,) = collected(made.key, answers(made, [held])).annotators
    assert "robin" not in json.dumps(vars(hidden))


def test_a_task_that_somebody_added_in_the_tool_is_told_and_left_out(project: Make) -> None:
    made = project()
    task, *_ = made.sheets[0]
    (held,) = studio_export(made, [(1, task, {"preference": "first"})])
    box = {"from_name": "box", "value": {"x": 1}}
    added = {
        "id": 9,
        "data": {"text": "Mine."},
        "annotations": [{"completed_by": 1, "result": [box]}],
    }
    found = collected(made.key, answers(made, [held, added]))
    assert found.problems == {"unknown": ("export.json: entry 2: task None",)}
    assert found.judged == 1


def test_who_annotated_has_to_be_told(project: Make) -> None:
    made = project()
    export = studio_export(made, [(1, made.sheets[0][0], {"preference": "first"})])
    del export[0]["annotations"][0]["completed_by"]
    with pytest.raises(ValueError, match="entry 1: does not say who annotated it"):
        answers(made, export)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"choices": ["first", "second"]}, "entry 1: one question has 2 answers; expected one"),
        ({"choices": ["Text A"]}, "entry 1: an answer is 'Text A'; expected first, second or tie"),
    ],
)
def test_an_answer_that_is_none_is_told_with_its_place(
    change: dict[str, list[str]], told: str, project: Make
) -> None:
    made = project()
    export = studio_export(made, [(1, made.sheets[0][0], {"preference": "first"})])
    export[0]["annotations"][0]["result"][0]["value"] = change
    with pytest.raises(ValueError, match=told):
        answers(made, export)


def test_an_export_that_is_damaged_is_told_with_its_place(project: Make) -> None:
    made = project()
    export = studio_export(made, [(1, made.sheets[0][0], {"preference": "first"})])
    export[0]["annotations"] = "none"
    with pytest.raises(ValueError, match=r"entry 1: annotations: .* expected an export of Label"):
        answers(made, export)
