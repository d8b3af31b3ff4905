"""Human labels: the mapping file, and what rows become."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from profile_tasks.data.preferences import AnnotatedPair, AnnotatedSource, load_preferences
from profile_tasks.scorers.factors.taxonomy import load_taxonomy
from profile_tasks.scorers.measurement.human_labels import (
    HumanLabel,
    HumanLabelError,
    check_labels,
    chosen_labels,
    data_set_name,
    labels_of,
    load_labels,
)

FACTORS = load_taxonomy()
ENTRY = {"label": "flow", "factor": "coherence", "direction": "same", "kind": "pairwise"}
SPANS = {
    "label": "invented",
    "factor": "hallucination",
    "direction": "same",
    "kind": "spans",
    "types": ["Wrong"],
}


def write_mapping(folder: Path, *entries: object) -> str:
    path = folder / "labels.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "data_sets": {"mine": list(entries)}}))
    return str(path)


def source_with(*factors: object, texts: tuple[str, str] = ("one", "two")) -> AnnotatedSource:
    """A source with one pair for each content of the factor column."""
    pairs = [
        AnnotatedPair(
            id=f"p{number}",
            response_a=texts[0],
            response_b=texts[1],
            preference="a",
            extra={"factors": column},
        )
        for number, column in enumerate(factors)
    ]
    return AnnotatedSource(id="s", group="s", task="", prompt="Say.", pairs=tuple(pairs))


def label(**fields: Any) -> HumanLabel:
    given = {"name": "flow", "factor": "coherence", "direction": "same", "kind": "pairwise"}
    given |= fields
    return HumanLabel(**{**given, "factor": FACTORS[given["factor"]]})


def test_the_packaged_mapping_covers_the_labelled_files() -> None:
    found = {
        name: {(entry.name, entry.factor.id, entry.direction) for entry in entries}
        for name, entries in load_labels().items()
    }
    assert found == {
        "booookscore": {
            ("detail", "number_of_facts", "same"),
            ("structure", "coherence", "same"),
            ("logic", "coherence", "same"),
        },
        "summeval": {
            ("coherence", "coherence", "same"),
            ("consistency", "hallucination", "opposite"),
            ("fluency", "fluency", "same"),
            ("relevance", "intent_alignment", "same"),
        },
        "haluquestqa": {
            ("factuality", "misinformation", "opposite"),
            ("relevance", "off_focus", "opposite"),
            ("completeness", "receptiveness", "same"),
        },
        "qa_feedback": {
            ("ungrounded", "hallucination", "same"),
            ("irrelevant", "off_focus", "same"),
        },
    }


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        # How often people saw more of the factor, none, less: counted in the files themselves.
        ("booookscore", {"detail": (25, 3, 28), "structure": (22, 2, 32), "logic": (24, 4, 28)}),
        ("qa_feedback", {"ungrounded": (40, 75, 0), "irrelevant": (90, 25, 0)}),
    ],
)
def test_the_labels_of_real_files_are_all_there(
    name: str, counts: dict[str, tuple[int, ...]], shared_data: Path
) -> None:
    data = load_preferences(str(shared_data / f"{name}.jsonl"))
    chosen = chosen_labels(data_set_name(data))
    check_labels(data, chosen)
    for entry in chosen:
        said = [value for source in data.sources for value in labels_of(source, entry).values()]
        assert tuple(said.count(sign) for sign in (1, 0, -1)) == counts[entry.name]


@pytest.mark.parametrize("name", ["summeval", "haluquestqa"])
def test_numbers_of_real_files_become_signs(name: str, shared_data: Path) -> None:
    data = load_preferences(str(shared_data / f"{name}.jsonl"))
    for entry in load_labels()[name]:
        turned = -1 if entry.direction == "opposite" else 1
        for source in data.sources:
            said = labels_of(source, entry)
            assert len(said) == len(source.pairs)
            for pair in source.pairs:
                a, b = pair.factors_a[entry.name], pair.factors_b[entry.name]
                assert said[pair.id] == turned * ((a > b) - (a < b))


@pytest.mark.parametrize(("vote", "same"), [("a", 1), ("b", -1), ("tie", 0)])
def test_a_pairwise_label_is_the_response_that_is_better(vote: str, same: int) -> None:
    source = source_with({"pairwise": {"flow": vote}})
    assert labels_of(source, label()) == {"p0": same}
    assert labels_of(source, label(direction="opposite")) == {"p0": -same}


@pytest.mark.parametrize(("a", "sign"), [(3.0, 1), (2.6, 1), (2.5, 0), (1.5, 0), (1.4, -1)])
def test_values_tie_within_the_tolerance(a: float, sign: int) -> None:
    source = source_with({"a": {"flow": a}, "b": {"flow": 2}})
    assert labels_of(source, label(kind="values", tolerance=0.5)) == {"p0": sign}


@pytest.mark.parametrize(
    "column",
    [
        None,
        {},
        {"pairwise": None},
        {"pairwise": {"flow": None}},
        {"pairwise": {"other": "a"}},
    ],
)
def test_a_pair_without_a_label_is_absent_and_no_tie(column: object) -> None:
    assert labels_of(source_with(column), label()) == {}


def test_one_value_alone_is_no_label() -> None:
    source = source_with({"a": {"flow": 3}, "b": {"flow": None}}, {"a": {"flow": 3}})
    assert labels_of(source, label(kind="values")) == {}


def test_spans_label_each_text_once() -> None:
    wrong = {"errors": [{"type": "Wrong", "start": 0, "end": 2}]}
    other = {"errors": [{"type": "Dull", "start": 0, "end": 2}]}
    invented = label(factor="hallucination", kind="spans", types=("Wrong",))
    found = labels_of(source_with({"a": wrong}, {"a": wrong, "b": other}, {"b": other}), invented)
    assert found == {"p0 a": 1, "p1 b": 0}


def test_no_span_is_no_error_and_no_list_is_no_label() -> None:
    invented = label(factor="hallucination", kind="spans", types=("Wrong",))
    assert labels_of(source_with({"a": {"errors": []}, "b": {"comment": "fine"}}), invented) == {
        "p0 a": 0
    }


def test_spans_of_the_opposite_direction_turn_the_label() -> None:
    helped = label(factor="helpfulness", kind="spans", types=("Wrong",), direction="opposite")
    source = source_with({"a": {"errors": []}, "b": {"errors": [{"type": "Wrong"}]}})
    assert labels_of(source, helped) == {"p0 a": 1, "p0 b": 0}


@pytest.mark.parametrize(
    ("column", "fields", "message"),
    [
        ({"pairwise": {"flow": "A"}}, {}, r"'p0': field 'factors.pairwise.flow' is 'A'; expected"),
        ({"pairwise": {"flow": True}}, {}, "is True; expected 'a', 'b' or 'tie'"),
        ({"pairwise": "a"}, {}, "field 'factors.pairwise' is 'a'; expected an object"),
        (
            {"a": {"flow": "3"}, "b": {"flow": 2}},
            {"kind": "values"},
            "'factors.a.flow' is '3'; expected a number",
        ),
        ({"a": {"errors": 2}}, {"kind": "spans"}, "'factors.a.errors' is 2; expected a list"),
        ({"b": {"errors": [{"kind": "x"}]}}, {"kind": "spans"}, "'type' each"),
    ],
)
def test_a_malformed_label_is_named(column: object, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(HumanLabelError, match=message):
        labels_of(source_with(column), label(**fields))


def test_spans_that_contradict_each_other_on_one_text_are_named() -> None:
    source = source_with({"a": {"errors": [{"type": "Wrong"}]}}, {"a": {"errors": []}})
    with pytest.raises(HumanLabelError, match=r"'p1'.*contradicts the one of the same text in 'p0"):
        labels_of(source, label(factor="hallucination", kind="spans", types=("Wrong",)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": None}, "'label': is None"),
        ({"label": "a/b"}, "'label': only letters, digits and underscores"),
        ({"factor": "charm"}, "'factor': 'charm' is unknown. Must be one of: number_of_facts"),
        ({"factor": "length"}, "'factor': 'length' needs no grader"),
        ({"direction": "up"}, "'direction': is 'up'"),
        ({"kind": "words"}, "'kind': is 'words'"),
        ({"note": "x"}, "'note': is unknown. Must be one of: label, factor"),
        ({"tolerance": 0.1}, "'tolerance': goes with kind 'values'"),
        ({"kind": "values"}, "'tolerance': goes with kind 'values', and that kind needs it"),
        ({"kind": "values", "tolerance": -1}, "'tolerance': is -1"),
        ({"kind": "values", "tolerance": "0.1"}, "'tolerance': is '0.1'"),
        ({"types": ["Wrong"]}, "'types': goes with kind 'spans'"),
        ({"kind": "spans", "types": ["x"]}, "'factor': 'coherence' has no share"),
        (SPANS | {"types": []}, "'types': goes with kind 'spans', and that kind needs"),
        (SPANS | {"factor": "number_of_facts"}, "'number_of_facts' has no share"),
    ],
)
def test_what_is_wrong_with_an_entry_is_named(
    changes: dict[str, object], message: str, tmp_path: Path
) -> None:
    path = write_mapping(tmp_path, ENTRY | changes)
    with pytest.raises(HumanLabelError) as raised:
        load_labels(path)
    assert str(raised.value).startswith(f"{path}, data set 'mine', label number 1")
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1\ndata_sets: [", "not valid YAML"),
        ("just words", "must be a mapping of exactly 'version' and 'data_sets'"),
        ("version: 2\ndata_sets: {}", "version is 2. Must be 1"),
        ("version: 1\ndata_sets: {}", "must be a mapping of data sets to labels"),
        ("version: 1\ndata_sets: {mine: []}", "data set 'mine': must be a list of labels"),
        ("version: 1\ndata_sets: {mine: [flow]}", "label number 1: must be a mapping of fields"),
        ("version: 1\ndata_sets: !!python/object:os.system {}", "not valid YAML"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.yaml"
    path.write_text(text)
    with pytest.raises(HumanLabelError, match=r"labels\.yaml") as raised:
        load_labels(path)
    assert message in str(raised.value)


def test_an_entry_without_a_field_names_the_field(tmp_path: Path) -> None:
    entry = {name: value for name, value in ENTRY.items() if name != "direction"}
    with pytest.raises(
        HumanLabelError, match=r"number 1 \('flow'\), field 'direction': is missing"
    ):
        load_labels(write_mapping(tmp_path, entry))


def test_a_label_twice_is_named(tmp_path: Path) -> None:
    with pytest.raises(HumanLabelError, match="'flow': field 'label' is not unique"):
        load_labels(write_mapping(tmp_path, ENTRY, ENTRY))


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(HumanLabelError, match=r"nowhere\.yaml: cannot be read"):
        load_labels("nowhere.yaml")


def test_factors_restrict_the_labels() -> None:
    assert [entry.name for entry in chosen_labels("booookscore", None, "coherence")] == [
        "structure",
        "logic",
    ]


def test_a_factor_of_ones_own_can_be_validated(tmp_path: Path) -> None:
    taxonomy = tmp_path / "own.yaml"
    taxonomy.write_text(
        "version: 1\nfactors:\n  - {id: charm, kind: judged, definition: How charming it is., "
        "tasks: [summarization]}\n"
    )
    path = write_mapping(tmp_path, ENTRY | {"factor": "charm"}, ENTRY | {"label": "order"})
    assert [entry.name for entry in chosen_labels("mine", path, str(taxonomy))] == ["flow", "order"]
    (only,) = chosen_labels("mine", path, f"{taxonomy},charm")
    assert only.factor.definition == "How charming it is."


@pytest.mark.parametrize(
    ("data_set", "factors", "message"),
    [
        ("mine", None, "the packaged mapping has no labels for data set 'mine', only for: booook"),
        ("summeval", "receptiveness", "'receptiveness' has no label for data set 'summeval'"),
        ("summeval", "core", "'core' has no label for data set 'summeval'"),
    ],
)
def test_what_has_no_label_is_named(data_set: str, factors: str | None, message: str) -> None:
    with pytest.raises(HumanLabelError, match=message):
        chosen_labels(data_set, None, factors)


def rows_in(folder: Path, *rows: dict[str, object]) -> str:
    path = folder / "mine.jsonl"
    full = [
        {
            "prompt": "Say.",
            "response_a": "one",
            "response_b": "two",
            "preference": "a",
            "id": f"{i}",
        }
        | row
        for i, row in enumerate(rows)
    ]
    path.write_text("\n".join(json.dumps(row) for row in full))
    return str(path)


def test_data_without_an_origin_go_by_the_name_of_their_file(tmp_path: Path) -> None:
    assert data_set_name(load_preferences(rows_in(tmp_path, {}))) == "mine"
    assert data_set_name(load_preferences(rows_in(tmp_path, {"origin": "yours"}))) == "yours"


def test_rows_of_several_origins_are_refused(tmp_path: Path) -> None:
    data = load_preferences(rows_in(tmp_path, {"origin": "x"}, {"origin": "y"}))
    with pytest.raises(HumanLabelError, match=r"several origins \(x, y\)"):
        data_set_name(data)


def test_a_label_that_no_row_holds_is_named_with_its_place(tmp_path: Path) -> None:
    data = load_preferences(rows_in(tmp_path, {"factors": {"pairwise": {"order": "a"}}}))
    with pytest.raises(HumanLabelError, match=r"in none of the 1 rows.*factors\.pairwise\.flow"):
        check_labels(data, [label()])


def test_a_factor_that_needs_a_source_is_refused_where_there_is_none(tmp_path: Path) -> None:
    data = load_preferences(rows_in(tmp_path, {"factors": {"pairwise": {"flow": "a"}}}))
    with pytest.raises(HumanLabelError, match="'hallucination' needs a source, and 1 of the 1"):
        check_labels(data, [label(factor="hallucination")])


def test_the_example_of_the_documentation_works(tmp_path: Path, repository: Path) -> None:
    page = (repository / "docs" / "grader.md").read_text(encoding="utf-8")
    mapping = tmp_path / "my_labels.yaml"
    mapping.write_text(re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[0])
    (row,) = re.findall(r"^The rows then hold `(\{.*\})`\.$", page, re.MULTILINE)
    data = load_preferences(rows_in(tmp_path, {"source": "Text.", **json.loads(row)}))
    chosen = chosen_labels("pairs", str(mapping))
    check_labels(data, chosen)
    said = [labels_of(data.sources[0], entry) for entry in chosen]
    assert said == [{"0": 1}, {"0": 1}]
