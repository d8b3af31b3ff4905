"""Answers as rows: votes by the responses' names, checks counted, what cannot be used told."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from profile_tasks.annotation.answers import Answer, ForeignExportError, collected
from profile_tasks.annotation.project import Project, ShownTask, make_project
from profile_tasks.data.preferences import load_preferences
from tests.profile_tasks.annotation.conftest import longer, of_pairs

Make = Callable[..., Project]


def answer(project: Project, of: ShownTask, who: str = "1", **changed: object) -> Answer:
    """What somebody says who likes the longer text."""
    whole = Answer(
        project=project.key.project,
        task=of.task,
        annotator=who,
        preference=longer(of),
        skipped=False,
        factors={},
        seconds=5.0,
        comment="",
        content=of.content,
        place="saved.json: 1",
    )
    return replace(whole, **changed)


def other(task: ShownTask) -> str:
    return "second" if longer(task) == "first" else "first"


def test_the_most_frequent_vote_counts_and_equal_ones_tie(project: Make) -> None:
    made = project()
    one, two, *_ = made.sheets[0]
    given = [answer(made, task, who) for task in (one, two) for who in "13"]
    given += [answer(made, task, "2", preference=other(task)) for task in (one, two)]
    given += [answer(made, two, "4", preference=other(two))]
    rows = collected(made.key, given).rows
    first, second = (rows[made.key.tasks[task.task].row or 0] for task in (one, two))
    assert sorted(map(str, first["annotators"])) == ["a", "a", "b"]
    assert (first["preference"], second["preference"]) == ("a", "tie")
    assert len(set(first["annotator_names"])) == 3


@pytest.mark.parametrize("seed", range(5))
def test_what_is_said_of_a_text_is_said_of_the_response_that_it_is(
    seed: int, project: Make
) -> None:
    made = project(seed=seed, annotators=2, dealt=True)
    draw = random.Random(seed)  # noqa: S311 - no secret
    given: list[Answer] = []
    expected: dict[str, list[str]] = {}
    for who, sheet in enumerate(made.sheets):
        for task in sheet:
            said = draw.choice(("first", "second", "tie", None))
            given.append(answer(made, task, str(who), preference=said, skipped=said is None))
            row = made.key.rows[made.key.tasks[task.task].row or 0]
            texts = {"first": task.first, "second": task.second}
            sides = {row["response_a"]: "a", row["response_b"]: "b"}
            vote = said if said in ("tie", None) else sides[texts[said]]
            expected.setdefault(str(row["id"]), []).extend([vote] if vote else [])
    draw.shuffle(given)
    for row in collected(made.key, given).rows:
        assert sorted(row["annotators"]) == sorted(expected[str(row["id"])])


def test_rows_read_as_preference_data_with_nothing_said_about_them(
    project: Make, tmp_path: Path
) -> None:
    made = project(ask=["fluency"])
    asked = of_pairs(made.key, made.sheets[0])[:-1]
    given = [
        answer(made, task, who, factors={"fluency": longer(task)}) for task in asked for who in "12"
    ]
    rows = collected(made.key, given).rows
    file = tmp_path / "people.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    data = load_preferences(str(file))
    assert data.unjudged_pairs == 1
    pairs = [pair for source in data.sources for pair in source.pairs]
    assert {pair.preference for pair in pairs} == {"a", None}
    assert {pair.annotators for pair in pairs} == {("a", "a"), ()}
    assert {pair.extra["earlier_preference"] for pair in pairs} == {"b"}


def test_failed_checks_are_counted_and_leave_votes_out_where_asked(project: Make) -> None:
    made = project(checks=4)
    given: list[Answer] = []
    for task in made.sheets[0]:
        right = made.key.tasks[task.task].right
        careful = right or longer(task)
        given += [
            answer(made, task, "careful", preference=careful),
            answer(made, task, "careless", preference="first"),
            answer(made, task, "absent", preference=None, skipped=True),
        ]
    kept = {
        person.name: person for person in collected(made.key, given, keep_names=True).annotators
    }
    assert (kept["careful"].checks, kept["careful"].failed) == (4, 0)
    failed = sum(made.key.tasks[t.task].right == "second" for t in made.sheets[0])
    assert (kept["careless"].checks, kept["careless"].failed) == (4, failed)
    assert (kept["absent"].checks, kept["absent"].votes, kept["absent"].skipped) == (0, 0, 24)
    strict = collected(made.key, given, most_failed=failed - 1, keep_names=True)
    assert [person.name for person in strict.annotators if person.left_out] == ["careless"]
    assert {tuple(row["annotator_names"]) for row in strict.rows} == {("careful",)}
    assert {tuple(row["annotators"]) for row in strict.rows} == {("a",)}


def test_a_tie_fails_an_attention_check(project: Make) -> None:
    made = project(checks=1)
    (check,) = (t for t in made.sheets[0] if made.key.tasks[t.task].row is None)
    (person,) = collected(made.key, [answer(made, check, preference="tie")]).annotators
    assert (person.checks, person.failed, person.votes) == (1, 1, 0)


def problems(project: Project, given: Sequence[Answer]) -> dict[str, tuple[str, ...]]:
    return dict(collected(project.key, given).problems)


def test_answers_that_cannot_be_used_are_told_by_task(project: Make) -> None:
    made = project()
    task, *_ = made.sheets[0]
    told = f"saved.json: 1: task {task.task}"
    assert problems(made, [answer(made, task, task="added")]) == {
        "unknown": ("saved.json: 1: task added",)
    }
    assert problems(made, [answer(made, task, content="0000")]) == {"edited": (told,)}
    assert problems(made, [answer(made, task)] * 2) == {"equal": (told,)}
    twice = [answer(made, task), answer(made, task, preference=other(task))]
    assert problems(made, twice) == {"contradictory": (told,)}
    assert not any(row["annotators"] for row in collected(made.key, twice).rows)
    assert problems(made, [answer(made, task, preference=None)]) == {"unanswered": (told,)}
    odd = answer(made, task, factors={"fluancy": "first"})
    assert problems(made, [odd]) == {"unasked": (f"{told}: fluancy",)}


def test_the_same_answer_twice_is_one_vote(project: Make) -> None:
    made = project()
    task, *_ = made.sheets[0]
    rows = collected(made.key, [answer(made, task)] * 2).rows
    assert [row["annotators"] for row in rows if row["annotators"]] == [["a"]]


def test_who_answers_two_pages_has_one_vote_a_pair(project: Make) -> None:
    made = project(annotators=2, dealt=True)
    given = [answer(made, task) for sheet in made.sheets for task in sheet]
    found = collected(made.key, given)
    assert {len(row["annotators"]) for row in found.rows} == {1}
    assert len(found.problems["equal"]) == 24
    given[0] = replace(given[0], preference="tie")
    assert len(collected(made.key, given).problems["contradictory"]) == 1


def test_what_was_said_in_an_earlier_round_does_not_stand_beside_what_is_said_now(
    project: Make, tmp_path: Path
) -> None:
    made = project()
    given = [answer(made, task, comment="So so.", preference=None, skipped=True)
             for task in made.sheets[0]]  # fmt: skip
    file = tmp_path / "people.jsonl"
    rows = collected(made.key, given).rows
    assert all({"comments", "skipped_by"} <= row.keys() for row in rows)
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    again = make_project(load_preferences(str(file)), made.wording, {}, pairs=24)
    said = collected(again.key, [answer(again, task) for task in again.sheets[0]]).rows
    assert not any({"comments", "skipped_by"} & row.keys() for row in said)


def test_another_projects_answers_are_refused(project: Make) -> None:
    made, foreign = project(seed=1), project(seed=2)
    with pytest.raises(ForeignExportError, match=f"is of project '{foreign.key.project}'"):
        collected(made.key, [answer(foreign, foreign.sheets[0][0])])


def test_labels_of_factors_stand_by_the_responses_names(project: Make) -> None:
    made = project(ask=["fluency", "coherence"])
    task, *_ = made.sheets[0]
    given = [
        answer(made, task, "1", factors={"fluency": longer(task), "coherence": "tie"}),
        answer(made, task, "2", factors={"fluency": longer(task)}),
    ]
    row = collected(made.key, given).rows[made.key.tasks[task.task].row or 0]
    assert row["factors"] == {"pairwise": {"fluency": "a", "coherence": "tie"}}
    assert row["factor_votes"] == {"fluency": ["a", "a"], "coherence": ["tie"]}
    assert row["origin"] == "people asked about fluency, coherence"
