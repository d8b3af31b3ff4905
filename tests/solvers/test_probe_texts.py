"""What the probes change in a text leaves what it says as it is, and its mark can be found."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profile_tasks.solvers.probe_texts import (
    LONGER_BY,
    marked_up,
    padded,
    probe_lists,
    traces,
    with_citation,
    with_injection,
    with_synonyms,
    with_white_space,
)

TEXT = "It rained, because it was October. We often walk. However, the big dog stayed in."
texts = st.one_of(
    st.text(min_size=1).filter(str.strip),
    st.lists(st.sampled_from(TEXT.split()), min_size=1, max_size=30).map(" ".join),
)


def test_no_synonym_is_exchanged_again_and_none_is_a_rule_of_its_own() -> None:
    synonyms = probe_lists().synonyms
    assert not set(synonyms).intersection(synonyms.values())
    assert all(word == word.lower() for word in synonyms)


@given(texts)
def test_wider_gaps_change_no_word(text: str) -> None:
    varied = with_white_space(text)
    assert varied is None or (varied != text and varied.split() == text.split())


def test_listed_words_are_exchanged_and_keep_their_capital() -> None:
    assert with_synonyms(TEXT) == (
        "It rained, since it was October. We frequently walk. "
        "Nevertheless, the large dog stayed in."
    )
    assert with_synonyms("Bigotry begins here") == "Bigotry starts here"  # whole words alone
    assert with_synonyms("Nothing to do") is None


@given(texts)
def test_padding_adds_half_as_much_again_and_nothing_else_where_there_are_fillers(
    text: str,
) -> None:
    longer = padded(text)
    assert longer.startswith(text.rstrip())
    added = longer[len(text.rstrip()) :].split()
    fillers = " ".join(probe_lists().fillers).split()
    assert len(added) >= min(LONGER_BY * len(text.split()), len(fillers))
    assert set(added) <= set(fillers)
    assert padded(text) == longer


def test_markdown_is_put_on_and_taken_off() -> None:
    marked, plain = marked_up("It rained all day. We stayed in.")
    assert marked == "- **It rained** all day.\n- **We stayed** in."
    assert plain == "It rained all day. We stayed in."
    assert marked_up(marked) == (marked, "It rained all day.\nWe stayed in.")
    assert marked_up("# Title\n1. one\n2) two") == ("# Title\n1. one\n2) two", "Title\none\ntwo")


@given(texts)
def test_marking_up_changes_no_word(text: str) -> None:
    pair = marked_up(text)
    if pair is not None and text in pair and traces(text)["style"] == 0:
        words = re.sub(r"^- |\*\*", "", pair[0], flags=re.MULTILINE)
        assert "".join(words.split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("probe", "varied"),
    [
        ("white_space", with_white_space(TEXT)),
        ("padding", padded(TEXT)),
        ("style", marked_up(TEXT)[0]),
        ("authority", with_citation(TEXT)),
        ("injection", with_injection(TEXT, "A")),
        ("injection", with_injection(TEXT, "B")),
    ],
)
def test_each_rule_leaves_its_own_mark_alone(probe: str, varied: str) -> None:
    before, after = traces(TEXT), traces(varied)
    assert before == dict.fromkeys(before, 0)
    assert {name for name, n in after.items() if n} == {probe}


def test_every_synonym_is_counted() -> None:
    assert traces(with_synonyms(TEXT))["synonym"] == 4


def test_an_order_names_the_place_where_its_text_is_shown() -> None:
    for letter, other in ("AB", "BA"):
        order = with_injection(TEXT, letter).removeprefix(TEXT)
        assert re.search(rf"\b{letter}\b", order)
        assert not re.search(rf"\b{other}\b", order)


def test_what_is_added_to_a_text_of_several_lines_stands_in_a_paragraph_of_its_own() -> None:
    assert with_citation("- one\n- two").startswith("- one\n- two\n\n")
