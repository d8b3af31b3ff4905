import dataclasses
import math
import re

import pytest
import yaml

from profile_tasks.data.task_definition import packaged_tasks
from profile_tasks.scorers.factors.factor import FactLabel, Factor, surface_function
from profile_tasks.scorers.factors.selection import resolve_factors
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
JUDGED = Factor(**{**FIELDS, "tasks": ("summarization",), "range": (-1, 1)})
LABEL = {"question": "Is it warm (warm) or not (cold)?", "values": ["warm", "cold"]}
LABEL["counted"] = ["warm"]
FACTS = {**FIELDS, "id": "warm_facts", "level": 2, "kind": "facts", "measure": "share"}
FACTS["label"] = LABEL
CORE = {
    "summarization": [
        "length",
        "novel_words",
        "number_of_facts",
        "source_coverage",
        "hallucination",
        "off_focus",
        "fluency",
        "coherence",
        "intent_alignment",
        "formality_alignment",
    ],
    "instruction_following": [
        "length",
        "number_of_facts",
        "off_focus",
        "helpfulness",
        "misinformation",
        "fluency",
        "coherence",
        "intent_alignment",
        "formality_alignment",
        "receptiveness",
    ],
    "document_qa": [
        "length",
        "novel_words",
        "number_of_facts",
        "source_coverage",
        "hallucination",
        "off_focus",
        "helpfulness",
        "fluency",
        "coherence",
        "formality_alignment",
        "receptiveness",
    ],
}


def taxonomy_file(tmp_path, *entries, version=1, name="mine.yaml"):
    path = tmp_path / name
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


@pytest.mark.parametrize("task", CORE)
def test_the_core_factors_of_a_task_are_those_of_the_method(task):
    assert ids(resolve_factors("core", task)) == CORE[task]


def test_the_packaged_taxonomy_holds_the_methods_twenty_factors_and_the_precision_of_citations():
    core = {factor_id for of_task in CORE.values() for factor_id in of_task}
    rest = [
        factor
        for factor in load_taxonomy().values()
        if factor.id not in core and set(factor.tasks) & CORE.keys()
    ]
    assert len(core) == 13
    assert not any(factor.core for factor in rest)
    others = [factor.id for factor in rest if factor.kind != "surface"]
    assert (len(rest), others) == (8, ["citation_precision"])


def test_each_task_beyond_the_papers_has_a_judged_factor_of_its_own():
    others = {f.id: f.tasks for f in load_taxonomy().values() if not set(f.tasks) & CORE.keys()}
    assert others == {"context_use": ("dialogue",), "actionability": ("code_review",)}


def test_levels_follow_from_how_a_factor_is_measured():
    levels = {"surface": 1, "facts": 2, "judged": 3}
    assert all(factor.level == levels[factor.kind] for factor in load_taxonomy().values())


def test_facts_factors_are_counted_as_the_method_says():
    facts = [factor for factor in load_taxonomy().values() if factor.kind == "facts"]
    assert {f.id: (f.measure, f.label.counted if f.label else ()) for f in facts} == {
        "number_of_facts": ("count", ()),
        "source_coverage": ("coverage", ()),
        "hallucination": ("share", ("absent", "contradicted")),
        "off_focus": ("share", ("off",)),
        "helpfulness": ("share", ("yes",)),
        "misinformation": ("share", ("misleading", "wrong")),
        "citation_precision": ("share", ("supported",)),
    }


def test_a_packaged_label_question_explains_each_of_its_values():
    for factor in load_taxonomy().values():
        for value in factor.label.values if factor.label else ():
            assert re.search(rf"\b{value}\b", factor.label.question)


def test_factors_that_compare_with_the_source_need_one():
    assert {factor.id for factor in load_taxonomy().values() if factor.needs_source} == {
        "novel_words",
        "source_coverage",
        "hallucination",
        "extractiveness",
        "citation_precision",
        "source_compression",
    }


def test_facts_and_judged_factors_need_a_grader():
    graded = {factor.kind for factor in load_taxonomy().values() if factor.graded}
    assert graded == {"facts", "judged"}
    assert not load_taxonomy()["length"].graded


def test_the_packaged_taxonomy_is_keyed_by_id_and_says_where_each_definition_comes_from():
    for factor_id, factor in load_taxonomy().items():
        assert factor_id == factor.id
        assert factor.citation
        assert factor.unit
        assert factor.range != (-math.inf, math.inf)


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
        ({"tasks": ["poetry"]}, f"field 'tasks': holds poetry. Must be one of: {TASKS[0]}, "),
        ({"definition": " "}, "field 'definition': must not be blank"),
        ({"more": 3}, "field 'more'"),
        ({"colour": "red"}, "field 'colour' is unknown. Must be one of: id, level, "),
        ({"id": "Warm/th"}, "field 'id': only lower-case"),
        ({"id": "auto"}, "field 'id': is the name of a selection"),
        ({"id": "fact"}, "field 'id': is a name in the tables or the grader's answers"),
        (
            {"kind": "learned"},
            "field 'kind': is 'learned', which is known of fluency and coherence only",
        ),
        (
            {"kind": "recorded"},
            "field 'kind': is 'recorded', which a factor is by the data alone",
        ),
        ({"kind": "surface"}, "field 'function': is missing"),
        (
            {"kind": "surface", "function": "module.name"},
            "field 'function': is 'module.name'. Must be 'package",
        ),
        ({"mirrors": "warmness"}, "field 'mirrors': names 'warmness', which is no other factor"),
        ({"mirrors": "warmth"}, "field 'mirrors': names 'warmth', which is no other factor"),
        ({"range": [1, 0]}, "field 'range': must be "),
        ({"range": [1]}, r"field 'range': .*required \(found"),
        ({"function": "math:sqrt"}, "field 'function': is for surface factors only"),
        ({"measure": "count"}, "field 'measure': is for facts factors only"),
        ({"label": LABEL}, "field 'label': is for facts factors of measure 'share' only"),
        ({"core": "maybe"}, r"field 'core': .* \(found 'maybe'\)"),
    ],
)
def test_a_malformed_field_is_named_with_its_file_and_factor(tmp_path, change, complaint):
    entry = {**FIELDS, **change}
    with pytest.raises(ValueError, match=rf"mine\.yaml, factor .*{entry['id']}.*{complaint}"):
        load_taxonomy(taxonomy_file(tmp_path, entry))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"measure": None}, "field 'measure': is missing. Must be one of: count, share, coverage"),
        ({"measure": "mean"}, "field 'measure': .*'coverage'.* .found 'mean'"),
        ({"measure": "count"}, "field 'label': is for facts factors of measure 'share' only"),
        ({"label": None}, "field 'label': is missing. A share needs"),
        ({"label": "warm"}, "field 'label': .*FactLabel"),
        ({"label": {**LABEL, "colour": 1}}, "field 'label.colour' is unknown. .* question, values"),
        ({"label": {**LABEL, "question": " "}}, "field 'label.question': must not be blank"),
        ({"label": {**LABEL, "values": ["warm"]}}, "'label.values': must be at least two"),
        ({"label": {**LABEL, "values": ["warm"] * 2}}, "'label.values': must be at least two"),
        ({"label": {**LABEL, "values": ["warm", "Cold"]}}, "'label.values': .*lower-case words"),
        ({"label": {**LABEL, "counted": []}}, "'label.counted': must be some of warm, cold"),
        ({"label": {**LABEL, "counted": ["warm", "cold"]}}, "'label.counted': must be some of"),
        ({"label": {**LABEL, "counted": ["hot"]}}, "'label.counted': must be some of warm, cold"),
    ],
)
def test_a_malformed_measure_or_label_is_named(tmp_path, change, complaint):
    with pytest.raises(ValueError, match=rf"mine\.yaml, factor .*'warm_facts'.*{complaint}"):
        load_taxonomy(taxonomy_file(tmp_path, {**FACTS, **change}))


def test_label_values_that_yaml_reads_as_truth_values_are_to_be_quoted(tmp_path):
    label = {**LABEL, "values": [True, False]}  # what YAML makes of [yes, no]
    with pytest.raises(ValueError, match=r"'label\.values': .*put yes, no, .* in quotes"):
        load_taxonomy(taxonomy_file(tmp_path, {**FACTS, "label": label}))


def test_a_facts_factor_of_ones_own_has_its_label(tmp_path):
    factor = load_taxonomy(taxonomy_file(tmp_path, FACTS))["warm_facts"]
    assert factor.measure == "share"
    assert factor.label == FactLabel(LABEL["question"], ("warm", "cold"), ("warm",))


@pytest.mark.parametrize("field", ["id", "kind", "definition"])
def test_a_missing_field_is_named(tmp_path, field):
    entry = {key: text for key, text in FIELDS.items() if key != field}
    with pytest.raises(ValueError, match=rf"factor number 1.* field '{field}': .*required"):
        load_taxonomy(taxonomy_file(tmp_path, entry))


def test_a_new_judged_factor_needs_only_id_kind_tasks_and_definition(tmp_path):
    entry = {key: FIELDS[key] for key in ("id", "kind", "tasks", "definition")}
    factor = load_taxonomy(taxonomy_file(tmp_path, entry))["warmth"]
    assert factor == dataclasses.replace(JUDGED, more="more of it")


def test_a_new_surface_factor_needs_its_function_besides(tmp_path):
    entry = {key: FIELDS[key] for key in ("id", "tasks", "definition")}
    entry |= {"kind": "surface", "function": "my.module:warmth"}
    factor = load_taxonomy(taxonomy_file(tmp_path, entry))["warmth"]
    assert (factor.level, factor.unit, factor.more) == (1, "value", "a larger value")
    assert factor.range == (-math.inf, math.inf)


def test_an_entry_with_a_known_id_overrides_the_fields_that_it_states(tmp_path):
    path = taxonomy_file(tmp_path, {"id": "length", "more": "longer", "core": False})
    length = load_taxonomy()["length"]
    assert load_taxonomy(path) == {"length": dataclasses.replace(length, more="longer", core=False)}


def test_an_own_definition_does_not_keep_the_words_of_another_one(tmp_path):
    path = taxonomy_file(tmp_path, {"id": "fluency", "definition": "How well it reads aloud."})
    fluency = load_taxonomy()["fluency"]
    assert load_taxonomy(path)["fluency"] == dataclasses.replace(
        fluency, definition="How well it reads aloud.", more="more of it", citation=""
    )


def test_part_of_a_label_can_be_overridden(tmp_path):
    path = taxonomy_file(tmp_path, {"id": "hallucination", "label": {"counted": ["contradicted"]}})
    label = load_taxonomy()["hallucination"].label
    assert load_taxonomy(path)["hallucination"].label == dataclasses.replace(
        label, counted=("contradicted",)
    )


@pytest.mark.parametrize("label", [{}, {"label": {"counted": ["off"]}}])
def test_a_share_cannot_be_redefined_without_the_question_that_the_grader_reads(tmp_path, label):
    entry = {"id": "off_focus", "definition": "Share of the facts on food.", **label}
    with pytest.raises(ValueError, match=r"'off_focus'.*'definition': override label\.question"):
        load_taxonomy(taxonomy_file(tmp_path, entry))
    entry["label"] = {"question": "Is the fact on food (off) or not (on)?"}
    factor = load_taxonomy(taxonomy_file(tmp_path, entry))["off_focus"]
    assert factor.definition == entry["definition"]
    assert factor.label == FactLabel(entry["label"]["question"], ("on", "off"), ("off",))


def test_an_entry_of_another_kind_must_be_complete(tmp_path):
    entry = {"id": "fluency", "kind": "surface", "function": "my.module:fluency"}
    with pytest.raises(ValueError, match=r"'fluency'.*, field 'definition': Field required"):
        load_taxonomy(taxonomy_file(tmp_path, entry))
    entry |= {"tasks": ["document_qa"], "definition": "A score."}
    factor = load_taxonomy(taxonomy_file(tmp_path, entry))["fluency"]
    assert (factor.level, factor.range, factor.core) == (1, (-math.inf, math.inf), False)


def test_a_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / "mine.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"mine\.yaml: not a text in UTF-8"):
        load_taxonomy(tmp_path / "mine.yaml")


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


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("version: 1\nfactors: []\nversion: 1", "line 3, key 'version'"),
        ("version: 1\nfactors:\n  - id: warmth\n    id: heat", "line 4, key 'id'"),
        ("version: 1\nfactors:\n  - label: {values: [a], values: [b]}", "line 3, key 'values'"),
    ],
)
def test_a_key_given_twice_is_refused(tmp_path, text, where):
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"mine\.yaml, {where}: is given twice\. Keep one"):
        load_taxonomy(path)


def test_an_anchor_may_be_merged_and_overridden(tmp_path):
    text = yaml.safe_dump({"version": 1, "factors": [FIELDS]}, sort_keys=False)
    text = text.replace("- id", "- &warmth\n  id")
    text += "- <<: *warmth\n  id: heat\n"
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    assert list(load_taxonomy(path)) == ["warmth", "heat"]


def test_a_missing_file_is_reported_as_such(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_taxonomy(tmp_path / "none.yaml")
