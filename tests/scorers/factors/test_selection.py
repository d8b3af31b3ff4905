"""What a user selects, turned into the factors that a run measures."""

import dataclasses
import math
from pathlib import Path

import pytest
import yaml

from profile_tasks.data.task_definition import (
    TaskDefinition,
    packaged_tasks,
    read_definition,
    remembered,
)
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.selection import (
    measured_factors,
    needing_grader,
    read_selection,
    resolve_factors,
)
from profile_tasks.scorers.factors.taxonomy import load_taxonomy

TASKS = packaged_tasks()

FIELDS = {
    "id": "warmth",
    "level": 3,
    "kind": "judged",
    "tasks": ["summarization"],
    "definition": "How warm it sounds.",
    "unit": "verdict",
    "more": "warmer",
}
WARMTH = Factor(**{**FIELDS, "tasks": ("summarization",), "range": (-1, 1)})
JUDGED = {"fluency": "judged", "coherence": "judged"}


def taxonomy_file(tmp_path, *entries, version=1, name="mine.yaml"):
    path = tmp_path / name
    path.write_text(
        yaml.safe_dump({"version": version, "factors": list(entries)}), encoding="utf-8"
    )
    return path


def ids(factors):
    return [factor.id for factor in factors]


def core_of(task):
    return [f.id for f in load_taxonomy().values() if f.core and task in f.tasks]


@pytest.mark.parametrize("selection", ["auto", "surface"])
def test_without_a_grader_auto_is_the_surface_factors_without_mirrors(selection):
    assert ids(resolve_factors(selection, "summarization")) == [
        "length",
        "novel_words",
        "sentence_count",
        "mean_sentence_length",
        "lexical_diversity",
        "readability",
        "markdown",
        "extractiveness",
    ]


@pytest.mark.parametrize("task", TASKS)
def test_with_a_grader_auto_is_the_core_factors(task):
    assert ids(resolve_factors("auto", task, grader=True)) == core_of(task)


@pytest.mark.parametrize("selection", ["core", "surface", "all", "length"])
def test_what_is_named_does_not_depend_on_a_grader(selection):
    with_grader = resolve_factors(selection, "document_qa", grader=True)
    assert with_grader == resolve_factors(selection, "document_qa")


def test_all_is_every_factor_of_the_task_without_mirrors():
    chosen = ids(resolve_factors("all", "document_qa"))
    of_task = {f.id for f in load_taxonomy().values() if "document_qa" in f.tasks}
    assert of_task - set(chosen) == {"source_compression"}
    assert set(chosen) <= of_task


def test_without_a_source_the_factors_of_the_source_are_left_out():
    assert ids(resolve_factors("surface", "instruction_following")) == [
        "length",
        "sentence_count",
        "mean_sentence_length",
        "lexical_diversity",
        "readability",
        "markdown",
    ]


def test_several_tasks_give_the_factors_of_any_of_them():
    both = ids(resolve_factors("core", ["summarization", "instruction_following"]))
    assert set(both) == {*core_of("summarization"), *core_of("instruction_following")}
    assert ids(resolve_factors("novel_words", TASKS)) == ["novel_words"]


@pytest.mark.parametrize(
    "selection", ["markdown,length", " markdown , length ", ["markdown", "length"]]
)
def test_ids_come_as_a_list_or_a_comma_separated_string_and_keep_their_order(selection):
    assert ids(resolve_factors(selection, "document_qa")) == ["markdown", "length"]


@pytest.mark.parametrize("selection", ["source_compression", ["source_compression"]])
def test_a_single_id_gives_that_factor_even_if_auto_leaves_it_out(selection):
    assert ids(resolve_factors(selection, "document_qa")) == ["source_compression"]


@pytest.mark.parametrize("selection", ["core,length", ["length", "all"]])
def test_a_selection_name_beside_ids_is_refused(selection):
    with pytest.raises(ValueError, match="stands alone, or beside taxonomy files"):
        resolve_factors(selection, "document_qa")


def test_a_selection_name_may_come_alone_in_a_list():
    assert resolve_factors(["core"], "document_qa") == resolve_factors("core", "document_qa")


def test_ids_of_a_given_taxonomy_are_found():
    assert resolve_factors("warmth", "summarization", {"warmth": WARMTH}) == (WARMTH,)


@pytest.mark.parametrize("selection", ["charm", "length,charm", ["charm"], ""])
def test_an_unknown_id_is_answered_with_the_known_ones(selection):
    with pytest.raises(ValueError, match=r"unknown\. Must be one of: auto, core, surface, all,"):
        resolve_factors(selection, "summarization")


@pytest.mark.parametrize("selection", ["lenght", "length,lenght", ["lenght"]])
def test_a_misspelt_id_is_answered_with_the_nearest_one(selection):
    told = r"'lenght' is unknown; did you mean 'length'\? Must be one of: auto, core, .*markdown"
    with pytest.raises(ValueError, match=told):
        resolve_factors(selection, "summarization")


def test_recorded_names_are_factors_where_they_are_asked_for():
    chosen = resolve_factors("errors,length", "summarization", recorded=["errors", "charm"])
    assert [(factor.id, factor.kind) for factor in chosen] == [
        ("errors", "recorded"),
        ("length", "surface"),
    ]
    assert not any(factor.graded for factor in chosen)
    for selection in ("surface", "all"):
        found = ids(resolve_factors(selection, "summarization", recorded=["errors"]))
        assert found == ids(resolve_factors(selection, "summarization"))
    with pytest.raises(
        ValueError, match=r"'eror' is unknown; did you mean 'errors'.* errors; or a"
    ):
        resolve_factors("eror", "summarization", recorded=["errors"])


def test_what_is_recorded_stands_in_for_a_grader_and_for_nothing_else():
    def kinds(selection, *, grader):
        recorded = ["fluency", "length"]
        chosen = resolve_factors(selection, "summarization", grader=grader, recorded=recorded)
        return {factor.id: factor.kind for factor in chosen}

    assert kinds("fluency,length", grader=True) == {"fluency": "judged", "length": "surface"}
    assert kinds("fluency,length", grader=False) == {"fluency": "recorded", "length": "surface"}
    assert kinds("core", grader=False)["fluency"] == "recorded"
    assert kinds("core", grader=False)["coherence"] == "judged"
    assert "fluency" not in kinds("auto", grader=False)
    (fluency,) = resolve_factors("fluency", "summarization", recorded=["fluency"])
    assert fluency.range == (-math.inf, math.inf)  # of a person's scale, not of verdicts
    assert fluency.definition == load_taxonomy()["fluency"].definition


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


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A working folder with mine.yaml: a factor of one's own, and an override."""
    monkeypatch.chdir(tmp_path)
    override = {"id": "coherence", "definition": "How well one sentence follows another."}
    return taxonomy_file(tmp_path, FIELDS, override)


SURFACE = ids(resolve_factors("surface", "summarization"))


@pytest.mark.parametrize(
    ("selection", "grader", "expected"),
    [
        ("mine.yaml", False, [*SURFACE[:2], "coherence", *SURFACE[2:], "warmth"]),
        ("mine.yaml", True, [*core_of("summarization"), "warmth"]),
        ("mine.yaml,core", False, [*core_of("summarization"), "warmth"]),
        (["core", "mine.yaml"], False, [*core_of("summarization"), "warmth"]),
        ("mine.yaml,length,warmth", False, ["length", "warmth"]),
        ("warmth, length, mine.yaml", False, ["warmth", "length"]),
    ],
)
def test_a_files_factors_join_a_selection_or_are_chosen_by_id(mine, selection, grader, expected):
    chosen = resolve_factors(selection, "summarization", grader=grader)
    assert ids(chosen) == expected
    for factor in chosen:
        if factor.id == "coherence":
            assert factor.definition == "How well one sentence follows another."


def test_a_path_may_lead_anywhere(mine, monkeypatch):
    monkeypatch.chdir("/")
    assert "warmth" in ids(resolve_factors([str(mine)], "summarization"))


def test_a_later_file_builds_on_an_earlier_one(mine, tmp_path):
    taxonomy_file(tmp_path, {"id": "warmth", "more": "kinder"}, name="more.yml")
    assert resolve_factors("mine.yaml,more.yml,warmth", "summarization") == (
        dataclasses.replace(WARMTH, more="kinder"),
    )
    with pytest.raises(ValueError, match=r"more\.yml, .*'warmth'.*, field 'kind': Field required"):
        resolve_factors("more.yml,mine.yaml,warmth", "summarization")


def test_files_build_on_a_given_taxonomy(mine, tmp_path):
    path = taxonomy_file(tmp_path, {"id": "warmth", "core": True}, name="core.yaml")
    chosen = resolve_factors([str(path), "core"], "summarization", {"warmth": WARMTH})
    assert chosen == (dataclasses.replace(WARMTH, core=True),)


def test_a_files_factors_of_other_tasks_are_left_out_but_not_all_of_them(mine, tmp_path):
    assert ids(resolve_factors("mine.yaml,core", "document_qa")) == core_of("document_qa")
    taxonomy_file(tmp_path, FIELDS, name="one.yaml")
    with pytest.raises(ValueError, match=r"'one\.yaml' holds no factor for task 'document_qa'"):
        resolve_factors("one.yaml,core", "document_qa")


def test_a_missing_taxonomy_file_is_named_with_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=rf"no taxonomy file 'her\.yaml' .*{Path.cwd().name}"):
        resolve_factors("length,her.yaml", "summarization")


def test_a_selection_may_name_what_the_taxonomy_does_not_know(mine):
    asked = read_selection("mine.yaml,errors,length")
    assert (asked.names, asked.word) == (("errors", "length"), None)
    assert asked.from_files == {"mine.yaml": {"warmth", "coherence"}}
    assert read_selection("mine.yaml").word == "auto"


@pytest.mark.parametrize("selection", [[], "auto"])
def test_a_selection_that_holds_nothing_is_refused(selection):
    with pytest.raises(ValueError, match="holds no factor for task 'summarization'"):
        resolve_factors(selection, "summarization", {"warmth": WARMTH})


def measured(selection: str, *, grader: bool, **learned_by: str) -> list[str]:
    chosen = measured_factors(
        selection, "summarization", grader=grader, learned_by=JUDGED | learned_by
    )
    return [factor.id for factor in chosen]


def test_auto_is_core_with_a_grader_and_surface_without() -> None:
    assert measured("auto", grader=True) == measured("core", grader=False)
    assert measured("auto", grader=False) == measured("surface", grader=True)
    assert "hallucination" in measured("auto", grader=True)


def test_a_learned_factor_keeps_its_place_and_needs_no_grader() -> None:
    chosen = measured_factors(
        "core", "summarization", grader=True, learned_by=JUDGED | {"fluency": "unieval"}
    )
    assert [factor.id for factor in chosen] == measured("core", grader=True)
    kinds = {factor.id: factor.kind for factor in chosen}
    assert (kinds["fluency"], kinds["coherence"]) == ("learned", "judged")
    assert "fluency" not in needing_grader(chosen)
    assert "coherence" in needing_grader(chosen)


def test_a_learned_factor_is_measured_where_the_selection_leaves_it_out() -> None:
    assert measured("auto", grader=False, coherence="unieval")[-1] == "coherence"


def test_a_surface_function_that_cannot_be_imported_is_refused_where_it_is_chosen(
    tmp_path: Path,
) -> None:
    (tmp_path / "own.yaml").write_text(
        "version: 1\nfactors:\n  - {id: charm, kind: surface, tasks: [summarization], "
        "definition: Charm., function: 'no_such_module:charm'}\n"
    )
    with pytest.raises(ImportError, match="Factor 'charm': cannot import its function"):
        measured(f"{tmp_path / 'own.yaml'},length,charm", grader=True)
    assert measured(f"{tmp_path / 'own.yaml'},length", grader=True) == ["length"]


def test_a_function_that_only_a_log_names_is_not_imported(tmp_path: Path) -> None:
    own = Path(__file__).parents[2] / "own_task.yaml"
    called = {"id": "harm", "kind": "surface", "definition": "None.", "function": "os:system"}
    held = yaml.safe_load(own.read_text("utf-8")) | {"name": "told", "factors": ["length", called]}

    def measured(selection: str, key: str) -> list[str]:
        chosen = measured_factors(selection, key, grader=False, learned_by={})
        return [factor.id for factor in chosen]

    of_log = remembered(TaskDefinition.model_validate(held)).key
    assert measured("length", of_log) == ["length"]
    with pytest.raises(ValueError, match="'os:system', a Python function that only the log"):
        measured("auto", of_log)
    file = tmp_path / "told.yaml"
    file.write_text(yaml.safe_dump(held), encoding="utf-8")
    assert "harm" in measured("auto", read_definition(file).key)
