import dataclasses

import pytest
import yaml

from profile_tasks.scorers.factors.taxonomy import (
    TASKS,
    Factor,
    load_taxonomy,
    resolve_factors,
    surface_function,
)

FIELDS = {
    "id": "warmth",
    "level": 3,
    "kind": "judged",
    "tasks": ["summarization"],
    "definition": "How warm it sounds.",
    "unit": "verdict",
    "more": "warmer",
}
JUDGED = Factor(**{**FIELDS, "tasks": ("summarization",)})


def taxonomy_file(tmp_path, *entries, version=1):
    path = tmp_path / "mine.yaml"
    path.write_text(
        yaml.safe_dump({"version": version, "factors": list(entries)}), encoding="utf-8"
    )
    return path


def ids(factors):
    return [factor.id for factor in factors]


def test_the_packaged_surface_factors_are_those_of_the_method():
    surface = [factor for factor in load_taxonomy().values() if factor.kind == "surface"]
    assert ids(surface) == [
        "length",
        "novel_words",
        "sentence_count",
        "mean_sentence_length",
        "lexical_diversity",
        "readability",
        "markdown",
        "extractiveness",
        "source_compression",
    ]
    assert [factor.id for factor in surface if factor.core] == ["length", "novel_words"]


def test_the_packaged_taxonomy_is_keyed_by_id_and_says_where_each_definition_comes_from():
    for factor_id, factor in load_taxonomy().items():
        assert factor_id == factor.id
        assert factor.citation


def test_every_packaged_surface_function_imports_under_the_name_of_its_factor():
    for factor in load_taxonomy().values():
        if factor.kind == "surface":
            assert surface_function(factor).__name__ == factor.id


def test_changing_a_loaded_taxonomy_leaves_the_next_one_whole():
    load_taxonomy().clear()
    assert "length" in load_taxonomy()


def test_a_factor_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        load_taxonomy()["length"].core = False


def test_a_users_file_gives_its_own_factors_with_defaults(tmp_path):
    assert load_taxonomy(taxonomy_file(tmp_path, FIELDS)) == {"warmth": JUDGED}


def test_a_users_factor_may_mirror_a_packaged_one(tmp_path):
    path = taxonomy_file(tmp_path, {**FIELDS, "mirrors": "length"})
    assert load_taxonomy(path)["warmth"].mirrors == "length"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"level": 4}, r"field 'level': Input should be 1, 2 or 3 \(found 4\)"),
        ({"kind": "guessed"}, r"field 'kind': .*'judged'.* \(found 'guessed'\)"),
        ({"tasks": "summarization"}, "field 'tasks'"),
        ({"tasks": []}, "field 'tasks': is empty"),
        ({"tasks": ["poetry"]}, f"field 'tasks': holds poetry. Must be one of: {TASKS[0]}, "),
        ({"definition": " "}, "field 'definition': must not be blank"),
        ({"more": 3}, "field 'more'"),
        ({"colour": "red"}, "field 'colour' is unknown. Must be one of: id, level, "),
        ({"id": "Warm/th"}, "field 'id': only lower-case"),
        ({"id": "auto"}, "field 'id': is the name of a selection"),
        ({"kind": "surface"}, "field 'function': is missing"),
        ({"function": "module.name"}, "field 'function': is 'module.name'. Must be 'package"),
        ({"mirrors": "warmness"}, "field 'mirrors': names 'warmness', which is no other factor"),
        ({"mirrors": "warmth"}, "field 'mirrors': names 'warmth', which is no other factor"),
        ({"range": [1, 0]}, "field 'range': must be "),
    ],
)
def test_a_malformed_field_is_named_with_its_file_and_factor(tmp_path, change, complaint):
    entry = {**FIELDS, **change}
    with pytest.raises(ValueError, match=rf"mine\.yaml, factor .*{entry['id']}.*{complaint}"):
        load_taxonomy(taxonomy_file(tmp_path, entry))


@pytest.mark.parametrize("field", FIELDS)
def test_a_missing_field_is_named(tmp_path, field):
    entry = {key: text for key, text in FIELDS.items() if key != field}
    with pytest.raises(ValueError, match=rf"factor number 1.* field '{field}': .*required"):
        load_taxonomy(taxonomy_file(tmp_path, entry))


def test_an_id_given_to_two_factors_is_refused(tmp_path):
    with pytest.raises(ValueError, match="factor 'warmth': field 'id' is not unique"):
        load_taxonomy(taxonomy_file(tmp_path, FIELDS, FIELDS))


def test_an_entry_that_is_no_mapping_is_refused(tmp_path):
    with pytest.raises(ValueError, match="factor number 2: must be a mapping of fields, not 'x'"):
        load_taxonomy(taxonomy_file(tmp_path, FIELDS, "x"))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("version: [", "not valid YAML"),
        ("", "must be a mapping"),
        ("version: 1\nfactors: []\nmore: 1", "must be a mapping of exactly"),
        ("version: 1\nfactors: {}", "'factors' must be a list"),
        ("version: 2\nfactors: []", "version is 2. Must be 1"),
    ],
)
def test_a_malformed_file_is_named(tmp_path, text, complaint):
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"mine\.yaml: .*{complaint}"):
        load_taxonomy(path)


def test_a_missing_file_is_reported_as_such(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_taxonomy(tmp_path / "none.yaml")


def test_auto_leaves_out_what_repeats_another_factor():
    auto = ids(resolve_factors("auto", "summarization"))
    everything = ids(resolve_factors("surface", "summarization"))
    assert len(everything) == 9
    assert set(everything) - set(auto) == {"source_compression"}


def test_without_a_source_the_factors_of_the_source_are_left_out():
    assert ids(resolve_factors("surface", "instruction_following")) == [
        "length",
        "sentence_count",
        "mean_sentence_length",
        "lexical_diversity",
        "readability",
        "markdown",
    ]
    assert ids(resolve_factors("core", "instruction_following")) == ["length"]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("selection", ["auto", "core", "surface"])
def test_a_named_selection_holds_surface_factors_of_the_task_only(selection, task):
    taxonomy = {**load_taxonomy(), "warmth": JUDGED}
    factors = resolve_factors(selection, task, taxonomy)
    assert factors
    assert all(factor.kind == "surface" and task in factor.tasks for factor in factors)


@pytest.mark.parametrize(
    "selection", ["markdown,length", " markdown , length ", ["markdown", "length"]]
)
def test_ids_come_as_a_list_or_a_comma_separated_string_and_keep_their_order(selection):
    assert ids(resolve_factors(selection, "document_qa")) == ["markdown", "length"]


@pytest.mark.parametrize("selection", ["source_compression", ["source_compression"]])
def test_a_single_id_gives_that_factor_even_if_auto_leaves_it_out(selection):
    assert ids(resolve_factors(selection, "document_qa")) == ["source_compression"]


def test_a_selection_name_may_come_alone_in_a_list():
    assert resolve_factors(["core"], "document_qa") == resolve_factors("core", "document_qa")


def test_ids_of_a_given_taxonomy_are_found():
    assert resolve_factors("warmth", "summarization", {"warmth": JUDGED}) == (JUDGED,)


@pytest.mark.parametrize("selection", ["lenght", "length,lenght", ["lenght"], ""])
def test_an_unknown_id_is_answered_with_the_known_ones(selection):
    with pytest.raises(ValueError, match=r"unknown\. Must be one of: auto, core, surface, length,"):
        resolve_factors(selection, "summarization")


def test_an_unknown_task_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'poetry' is unknown\. Must be one of: summarization, "):
        resolve_factors("auto", "poetry")


def test_an_id_given_twice_is_refused():
    with pytest.raises(ValueError, match="more than once: length"):
        resolve_factors("length,markdown,length", "summarization")


def test_an_id_of_another_task_is_answered_with_its_tasks():
    with pytest.raises(
        ValueError,
        match="'novel_words' is not meant for task 'instruction_following', "
        "only for: summarization, document_qa",
    ):
        resolve_factors("length,novel_words", "instruction_following")


@pytest.mark.parametrize("selection", [[], "auto"])
def test_a_selection_that_holds_nothing_is_refused(selection):
    with pytest.raises(ValueError, match="holds no factor for task 'summarization'"):
        resolve_factors(selection, "summarization", {"warmth": JUDGED})


def test_a_factor_of_another_kind_has_no_surface_function():
    with pytest.raises(ValueError, match=r"'warmth' \(kind 'judged'\) has no surface function"):
        surface_function(JUDGED)


@pytest.mark.parametrize("function", ["no.such.module:name", "math:no_such_name"])
def test_a_function_that_cannot_be_imported_is_named_with_its_factor(function):
    factor = dataclasses.replace(load_taxonomy()["length"], function=function)
    with pytest.raises(ImportError, match=f"Factor 'length': .*'{function}'"):
        surface_function(factor)


def test_a_function_that_is_not_callable_is_refused():
    factor = dataclasses.replace(load_taxonomy()["length"], function="math:pi")
    with pytest.raises(TypeError, match="'math:pi' is not callable"):
        surface_function(factor)
