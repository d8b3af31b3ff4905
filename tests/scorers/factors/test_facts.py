"""Facts factors: requests, readings and the arithmetic on labels."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profile_tasks.scorers.factors.facts import (
    Fact,
    FactsRequest,
    KeyFactsRequest,
    ResponseFacts,
    facts_value,
    parts,
)
from profile_tasks.scorers.factors.grader_prompts import MOST_KEY_FACTS, WORDS_PER_FACTS_REQUEST
from profile_tasks.scorers.factors.taxonomy import load_taxonomy
from profile_tasks.solvers.sections import read_sections

TAXONOMY = load_taxonomy()
HALLUCINATION, OFF_FOCUS = TAXONOMY["hallucination"], TAXONOMY["off_focus"]
ORDER = ("request", "source", "key_facts", "response", "facts")
LISTING = FactsRequest("Q", "S", "R", (HALLUCINATION, OFF_FOCUS))
COVERING = FactsRequest("Q", "S", "R", (), (), ("one", "two"))
RELABELLING = FactsRequest("Q", "S", "R", (OFF_FOCUS,), ("It rained.", "It snowed."))


def fact(text: str = "f", hallucination: str = "absent", off_focus: str = "on") -> dict[str, str]:
    return {"fact": text, "hallucination": hallucination, "off_focus": off_focus}


def test_a_listing_asks_only_for_what_the_factors_need() -> None:
    before, sections = read_sections(LISTING.render(), ORDER)
    assert "- hallucination: " in before
    assert "- off_focus: " in before
    assert "covered" not in before
    assert "- " not in read_sections(FactsRequest("Q", "S", "R").render(), ORDER)[0]
    assert sections == {"request": "Q", "source": "S", "response": "R"}
    entry = LISTING.schema()["properties"]["facts"]["items"]
    assert entry["required"] == ["fact", "hallucination", "off_focus"]
    assert entry["properties"]["off_focus"]["enum"] == ["on", "off"]


def test_key_facts_are_numbered_line_by_line() -> None:
    _, sections = read_sections(COVERING.render(), ORDER)
    assert sections["key_facts"] == "1. one\n2. two"
    assert "facts" not in sections
    assert COVERING.schema()["required"] == ["covered"]
    request = FactsRequest("Q", "S", "R", key_facts=("one\n2. two",))
    assert read_sections(request.render(), ORDER)[1]["key_facts"] == "1. one 2. two"


def test_known_facts_are_labelled_by_number() -> None:
    _, sections = read_sections(RELABELLING.render(), ORDER)
    assert sections["facts"] == "1. It rained.\n2. It snowed."
    labels = [{"number": 2, "off_focus": "off"}, {"number": 1, "off_focus": "ON"}]
    reading = RELABELLING.read(json.dumps({"labels": labels}))
    assert reading.problems == ()
    assert reading.value is not None
    assert reading.value.facts == (
        Fact(text="It rained.", labels={"off_focus": "on"}),
        Fact(text="It snowed.", labels={"off_focus": "off"}),
    )


@pytest.mark.parametrize(
    "labels",
    [
        "none",
        [{"number": 0, "off_focus": "on"}],
        [{"number": 3, "off_focus": "on"}],
        [{"number": True, "off_focus": "on"}],
        [{"number": 1, "off_focus": "on"}, {"number": 1, "off_focus": "off"}],
        ["on", "off"],
    ],
)
def test_labels_that_cannot_be_assigned_are_missing(labels: object) -> None:
    reading = RELABELLING.read(json.dumps({"labels": labels}))
    assert reading.value is None
    assert reading.problems


def test_a_label_that_is_left_out_is_missing_for_its_fact_alone() -> None:
    reading = RELABELLING.read('{"labels": [{"number": 1, "off_focus": "on"}]}')
    assert reading.value is not None
    assert reading.value.facts is not None
    assert [f.labels for f in reading.value.facts] == [{"off_focus": "on"}, {}]
    assert reading.problems == ('"off_focus" of fact 2 must be one of: on, off',)


def test_facts_are_read_with_their_labels() -> None:
    reading = LISTING.read(json.dumps({"facts": [fact(" two\nlines ", "Supported")]}))
    assert reading.value == ResponseFacts(
        facts=(Fact(text="two lines", labels={"hallucination": "supported", "off_focus": "on"}),)
    )
    assert reading.problems == ()


def test_no_facts_is_an_answer() -> None:
    assert LISTING.read('{"facts": []}').value == ResponseFacts(facts=())


@pytest.mark.parametrize(
    "facts", [None, "x", {"fact": "x"}, ["x"], [{"fact": ""}], [{"fact": 3}], [{}]]
)
def test_a_list_that_holds_something_else_is_missing_as_a_whole(facts: object) -> None:
    reading = LISTING.read(json.dumps({"facts": facts}))
    assert reading.value is None
    assert reading.problems


def test_a_wrong_label_is_missing_and_named() -> None:
    reading = LISTING.read(json.dumps({"facts": [fact(), fact(hallucination="maybe")]}))
    assert reading.value is not None
    assert reading.value.facts is not None
    assert "hallucination" not in reading.value.facts[1].labels
    assert reading.problems == (
        '"hallucination" of fact 2 must be one of: supported, absent, contradicted',
    )


@pytest.mark.parametrize("covered", [None, "1", [0], [3], [1.0], [True], ["1"], {"1": True}])
def test_wrong_numbers_of_key_facts_are_missing(covered: object) -> None:
    reading = COVERING.read(json.dumps({"covered": covered}))
    assert reading.value is None
    assert reading.problems == ('"covered" must be a list of numbers from 1 to 2',)


def test_a_spoilt_repair_costs_no_field_that_was_readable() -> None:
    request = replace(LISTING, key_facts=("one", "two"))
    first = json.dumps({"facts": [fact(hallucination="x"), fact(hallucination="x")], "covered": 3})
    reading = request.read(first, '{"facts": "none", "covered": [1]}')
    assert reading.value is not None
    assert reading.value.facts is not None
    assert len(reading.value.facts) == 2
    assert reading.value.covered == ("one",)
    assert len(reading.problems) == 2
    assert all('"hallucination" of fact' in problem for problem in reading.problems)


def test_labels_of_the_same_facts_count_together() -> None:
    answers = [[fact(off_focus="x")], [fact(hallucination="x")]]
    reading = LISTING.read(*(json.dumps({"facts": facts}) for facts in answers))
    assert reading.problems == ()
    assert reading.value == ResponseFacts(
        facts=(Fact(text="f", labels={"hallucination": "absent", "off_focus": "on"}),)
    )


def test_of_different_facts_those_count_that_cost_fewer_factors() -> None:
    fewer = [fact(off_focus="x", hallucination="x")]
    more = [fact(off_focus="x"), fact(off_focus="x"), fact(off_focus="x")]
    for answers in ([fewer, more], [more, fewer]):
        reading = LISTING.read(*(json.dumps({"facts": facts}) for facts in answers))
        assert reading.value is not None
        assert len(reading.value.facts or ()) == 3


def test_conveyed_key_facts_are_counted_once() -> None:
    assert COVERING.read('{"covered": [2, 1, 2]}').value == ResponseFacts(covered=("one", "two"))


def test_key_facts_are_read_without_repetitions_and_up_to_the_most() -> None:
    request = KeyFactsRequest("Q", "S")
    assert request.read('{"key_facts": ["b", "a ", "a"]}').value == ("b", "a")
    many = json.dumps({"key_facts": [f"fact {n}" for n in range(50)]})
    assert len(request.read(many).value or ()) == MOST_KEY_FACTS
    for wrong in ('{"key_facts": "a"}', '{"key_facts": ["a", 1]}', '{"key_facts": [" "]}', "no"):
        assert request.read(wrong).value is None


def test_counts_and_shares_are_arithmetic_on_the_labels() -> None:
    labels = ["supported", "absent", "contradicted", "supported"]
    found = ResponseFacts(
        facts=tuple(Fact(text=str(n), labels={"hallucination": v}) for n, v in enumerate(labels)),
        covered=("one", "four"),
    )
    assert facts_value(TAXONOMY["number_of_facts"], found, None) == 4
    assert facts_value(HALLUCINATION, found, None) == 0.5
    assert facts_value(TAXONOMY["source_coverage"], found, 8) == 0.25


def test_a_share_among_some_labels_leaves_the_others_out() -> None:
    def precision(*labels: str) -> float:
        facts = tuple(Fact(text=v, labels={"citation_precision": v}) for v in labels)
        return facts_value(TAXONOMY["citation_precision"], ResponseFacts(facts=facts), None)

    assert precision("supported", "none", "unsupported", "none") == 0.5
    assert precision("supported", "none") == 1
    assert math.isnan(precision("none", "none"))


@pytest.mark.parametrize(
    ("factor", "found", "key_facts"),
    [
        ("number_of_facts", None, 3),
        ("number_of_facts", ResponseFacts(), 3),
        ("hallucination", ResponseFacts(facts=()), 3),
        ("hallucination", ResponseFacts(facts=(Fact(text="unlabelled"),)), 3),
        ("source_coverage", ResponseFacts(covered=("one",)), None),
        ("source_coverage", ResponseFacts(covered=()), 0),
        ("source_coverage", ResponseFacts(facts=()), 3),
    ],
)
def test_what_is_not_known_or_not_defined_is_missing(
    factor: str, found: ResponseFacts | None, key_facts: int | None
) -> None:
    assert math.isnan(facts_value(TAXONOMY[factor], found, key_facts))


def test_a_response_without_facts_has_none_of_them() -> None:
    assert facts_value(TAXONOMY["number_of_facts"], ResponseFacts(facts=()), None) == 0


def test_a_long_response_is_split_on_sentences() -> None:
    sentence = "The old cat sat quietly on the warm mat today."
    count = 3 * WORDS_PER_FACTS_REQUEST // 10
    found = parts(" ".join([sentence] * count))
    assert len(found) == 3
    assert all(part.endswith("today.") for part in found)
    assert all(len(part.split()) <= WORDS_PER_FACTS_REQUEST for part in found)
    assert " ".join(found).split() == ([*sentence.split()] * count)


def test_a_text_without_full_stops_is_split_too() -> None:
    found = parts("word " * (2 * WORDS_PER_FACTS_REQUEST + 1))
    assert [len(part.split()) for part in found] == [*[WORDS_PER_FACTS_REQUEST] * 2, 1]


@given(st.lists(st.sampled_from(["a", "word", "it.", "\n", "Stop!", "é"]), max_size=900))
def test_splitting_loses_no_word(words: list[str]) -> None:
    response = " ".join(words)
    together = " ".join(parts(response))
    assert [w for w in together.split() if w.isalnum()] == [
        w for w in response.split() if w.isalnum()
    ]
