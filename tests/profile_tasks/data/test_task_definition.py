"""A task is a file: what it holds is checked, and what is wrong is named with place and remedy."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from profile_tasks.data.preferences import AnnotatedSource, PreferenceDataError, load_preferences
from profile_tasks.data.sources import check_sources
from profile_tasks.data.task_definition import (
    TaskDefinitionError,
    definition_of,
    is_meant,
    name_of,
    packaged_tasks,
    read_definition,
)
from profile_tasks.scorers.factors.selection import resolve_factors

OWN = Path(__file__).parents[2] / "own_task.yaml"


def held(**changes: Any) -> dict[str, Any]:
    """What a definition holds, changed; fields of parts as ``prompts__judge``; None leaves out."""
    content = yaml.safe_load(OWN.read_text(encoding="utf-8"))
    for name, value in changes.items():
        *parts, last = name.split("__")
        place = content
        for part in parts:
            place = place[part]
        if value is None:
            place.pop(last)
        else:
            place[last] = value
    return content


@pytest.fixture
def written(tmp_path: Path) -> Any:
    """Writes a definition into a file."""

    def write(**changes: Any) -> Path:
        path = tmp_path / "my_task.yaml"
        path.write_text(yaml.safe_dump(held(**changes)), encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("task", packaged_tasks())
def test_packaged_tasks_are_definitions_that_a_user_could_have_written(
    task: str, tmp_path: Path
) -> None:
    packaged = definition_of(task)
    assert (packaged.key, packaged.own) == (task, False)
    copy = tmp_path / "copy.yaml"
    copy.write_text(yaml.safe_dump(packaged.record()), encoding="utf-8")
    assert read_definition(copy).key == task  # the same task, wherever its file stands
    assert Path(str(packaged.dataset)).is_file()
    assert len(packaged.factors) >= 10


def test_a_definition_survives_the_log_and_keeps_its_key() -> None:
    definition = read_definition(OWN)
    again = read_definition(json.loads(json.dumps(definition.record())))
    assert again == definition
    assert again.key == definition.key == f"kind_notes#{definition.hash}"
    assert definition_of(definition.key) == definition
    assert definition.dataset == str(OWN.with_name("own_task.jsonl"))  # from any folder


def test_two_definitions_of_one_name_are_two_tasks(written: Any) -> None:
    first, other = read_definition(OWN), read_definition(written(factors=["length"]))
    assert first.name == other.name
    assert first.key != other.key
    assert name_of(other.key) == "kind_notes"
    assert is_meant(other.key, "kind_notes")
    assert is_meant(first.key, str(OWN))
    assert not is_meant(other.key, str(OWN))


def test_where_data_come_from_is_no_part_of_what_a_task_is(written: Any) -> None:
    assert read_definition(written(dataset="other.csv", map=None)).key == read_definition(OWN).key


def test_a_file_with_the_name_of_a_packaged_task_and_other_words_is_another_task(
    written: Any,
) -> None:
    definition = read_definition(written(name="summarization"))
    assert definition.own
    assert definition_of("summarization").key == "summarization"
    measured = [factor.id for factor in resolve_factors("all", definition.key)]
    assert measured == ["length", "lexical_diversity", "readability", "warmth"]
    assert "warmth" not in [factor.id for factor in resolve_factors("all", "summarization")]


def test_its_data_are_read_as_it_says() -> None:
    key = read_definition(OWN).key
    for named in (key, str(OWN)):
        data = load_preferences("demo", task=named)
        assert [pair.preference for s in data.sources for pair in s.pairs] == ["b", "a", "b", "tie"]
        assert {source.task for source in data.sources} == {key}
        assert data.name == "own_task.jsonl"
    source = data.sources[0]
    assert source.reference == "Thank you for six good years."
    logged = source.model_dump(mode="json")
    assert AnnotatedSource.model_validate(logged) == source
    assert logged["task_definition"]["name"] == "kind_notes"


def test_sources_of_packaged_tasks_are_logged_as_they_were() -> None:
    (source,) = load_preferences("demo", task="summarization", limit=1).sources
    assert "task_definition" not in source.model_dump(mode="json")


def test_a_file_in_another_form_is_read_as_whoever_gives_it_says(tmp_path: Path) -> None:
    plain = tmp_path / "plain.jsonl"
    row = {"id": "1", "prompt": "p", "response_a": "x", "response_b": "y", "preference": "a"}
    plain.write_text(json.dumps(row), encoding="utf-8")
    data = load_preferences(str(plain), task=str(OWN), format="profile-tasks")
    assert data.sources[0].prompt == "p"


def test_rows_of_another_task_are_left_out_by_its_name(tmp_path: Path, written: Any) -> None:
    row = {"prompt": "p", "response_a": "x", "response_b": "y", "preference": "a"}
    rows = [{"id": "1", "task": "kind_notes", **row}, {"id": "2", "task": "other", **row}]
    (tmp_path / "own_task.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    data = load_preferences("demo", task=str(written(map=None, labels=None)))
    assert (len(data.sources), data.other_task_rows) == (1, 1)


def test_without_data_of_its_own_a_file_has_to_be_named(written: Any) -> None:
    path = written(dataset=None)
    with pytest.raises(PreferenceDataError, match=r"names no data of its own; give a file"):
        load_preferences("demo", task=str(path))


def test_what_a_task_requires_is_missed_where_a_model_is_to_write(
    tmp_path: Path, written: Any
) -> None:
    path = written(sections={"source": {"tag": "diff", "required": True}})
    (tmp_path / "own_task.jsonl").write_text(OWN.with_name("own_task.jsonl").read_text())
    key = read_definition(path).key
    data = load_preferences("demo", task=key)
    check_sources(key, data, "discrimination")
    with pytest.raises(ValueError, match=r"4 of 4 sources have no source.* write a note of"):
        check_sources(key, data, "generation")


def test_its_factors_are_those_that_it_names_and_its_own() -> None:
    key = read_definition(OWN).key
    ids = [factor.id for factor in resolve_factors("all", key)]
    assert ids == ["length", "lexical_diversity", "readability", "warmth"]
    assert [f.id for f in resolve_factors("auto", key)] == [
        "length",
        "lexical_diversity",
        "readability",
    ]
    assert "warmth" in [f.id for f in resolve_factors("auto", key, grader=True)]
    with pytest.raises(ValueError, match="'novel_words' is not meant for task 'kind_notes'"):
        resolve_factors("novel_words", key)


# What is wrong is told ----------------------------------------------------------------------------

WRITE = held()["prompts"]["write"]
JUDGE = held()["prompts"]["judge"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"promts": {}}, r"field 'promts' is unknown; did you mean 'prompts'\?"),
        ({"prompts__juge": "x"}, r"field 'prompts\.juge' is unknown; did you mean 'judge'\?"),
        ({"sections__prompt__tags": "x"}, r"field 'sections\.prompt\.tags' is unknown"),
        ({"name": None}, "field 'name' is missing"),
        ({"prompts__write": None}, r"field 'prompts\.write' is missing"),
        ({"name": "My task"}, r"field 'name' is 'My task'; expected lower-case"),
        ({"version": "1"}, "field 'version' is '1'"),
        ({"version": 0}, "field 'version' is 0"),
        ({"metrics": ["rougel"]}, r"field 'metrics' 'rougel' is unknown; did you mean 'rougeL'\?"),
        ({"factors": []}, "field 'factors'"),
        ({"factors": "length"}, r"field 'factors' is 'length': expected a list, as in \[a, b\]"),
        ({"factors": ["length", 1]}, "field 'factors', entry 2, is 1: expected the id of a factor"),
        ({"words": "note"}, "field 'words' is 'note': expected a mapping of fields"),
        ({"name": False}, "field 'name' is False: expected text; yes, no, .* in quotes"),
        ({"prompts__write": "{sections}"}, r"field 'prompts\.write' lacks \{score\}"),
        ({"prompts__write": WRITE.replace("{low}", "1")}, r"lacks \{low\}"),
        ({"prompts__write": WRITE + "{score.real}"}, r"holds \{score\.real\}; it may hold"),
        ({"prompts__write": WRITE + "{score[0]}"}, r"holds \{score\[0\]\}"),
        ({"prompts__write": WRITE + "{score!r}"}, r"holds \{score!r\}"),
        ({"prompts__write": WRITE + "{score:>9}"}, r"holds \{score:>9\}"),
        ({"prompts__write": WRITE + "{}"}, r"holds \{\}"),
        ({"prompts__write": WRITE + "{"}, "has a brace alone"),
        ({"prompts__judge": JUDGE + "{score}"}, r"holds \{score\}; it may hold \{sections\}"),
        ({"prompts__judge": JUDGE.replace("\n\n{sections}", " {sections}")}, "alone on its line"),
        ({"prompts__judge": f"{JUDGE}\n{{sections}}\n"}, "once, alone on its line"),
        ({"prompts__judge": JUDGE.replace("Verdict: B", "B")}, 'names no "Verdict: B"'),
        ({"prompts__write_neutral": JUDGE}, "are the same up to {sections}"),
        ({"sections__prompt__tag": "response_a"}, r"'sections\.prompt\.tag' is 'response_a'"),
        ({"sections__prompt__tag": "a b"}, r"expected lower-case letters"),
        ({"sections__source__tag": "occasion"}, "prompt and source have one tag, 'occasion'"),
        ({"words__people": "a {score}"}, r"field 'words\.people' is 'a \{score\}'; expected words"),
        ({"words__response": "a\nb"}, r"field 'words\.response' is .*one line"),
        ({"labels": {"x": "first"}}, "field 'labels"),
    ],
)
def test_what_cannot_be_used_is_named_with_file_field_and_remedy(
    written: Any, change: dict[str, Any], told: str
) -> None:
    with pytest.raises(TaskDefinitionError, match=rf"my_task\.yaml.*{told}"):
        read_definition(written(**change))


@pytest.mark.parametrize(
    ("factors", "told"),
    [
        (["lenght"], r"field 'factors': 'lenght' is unknown; did you mean 'length'\?"),
        (["length", "length"], "field 'factors': 'length' is given twice"),
        (["length", {"id": "charm", "kind": "judged"}], r"field 'factors'.*'charm'.*'definition'"),
        ([{"id": "charm", "kind": "juged", "definition": "x"}], r"field 'factors'.*field 'kind'"),
        (
            [{"id": "charm", "kind": "judged", "definition": "x", "tasks": ["dialogue"]}],
            "'charm': states tasks",
        ),
    ],
)
def test_a_factor_that_cannot_be_used_is_named_with_the_file(
    written: Any, factors: list[Any], told: str
) -> None:
    path = written(factors=factors)
    with pytest.raises(TaskDefinitionError, match=rf"my_task\.yaml.*{told}"):
        resolve_factors("all", read_definition(path).key)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: [", "not readable as YAML"),
        ("- a list", "is no mapping of fields; expected name, "),
        ("", "is no mapping of fields"),
        ("name: a\nname: b\n", "key 'name': is given twice"),
        ("name: !!python/object/apply:os.getcwd []", "not readable as YAML"),
    ],
)
def test_a_file_that_is_no_definition_is_named(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "my_task.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TaskDefinitionError, match=rf"my_task\.yaml.*{told}"):
        read_definition(path)


@pytest.mark.parametrize("place", ["about: ", "factors: ", "factors:\n  - id: x\n    range: "])
def test_a_file_that_is_endless_inside_is_told_at_once(tmp_path: Path, place: str) -> None:
    content = yaml.safe_dump(held(**{place.partition(":")[0]: None}))
    lists = ["&a0 [x, x, x, x, x, x, x, x, x]"]
    lists += [f"&a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    path = tmp_path / "endless.yaml"
    for endless in (f"[{', '.join(lists)}]", "&x [*x]"):
        path.write_text(f"{content}\n{place}{endless}\n", encoding="utf-8")
        with pytest.raises(TaskDefinitionError, match=r"endless\.yaml, field") as told:
            read_definition(path)
        assert len(str(told.value)) < 500


def test_a_task_that_there_is_not_is_named_with_the_nearest() -> None:
    with pytest.raises(
        TaskDefinitionError, match=r"'dialog' is unknown; did you mean 'dialogue'\?"
    ):
        read_definition("dialog")
    with pytest.raises(TaskDefinitionError, match=r"there is no file 'no\.yaml'.*working folder"):
        read_definition("no.yaml")
