"""Words and phrases as factors: what is compared, and texts that mean harm."""

import numpy as np
import pytest
import yaml

from profile_tasks.discovery.contrasts import contrasts_of
from profile_tasks.discovery.wording import phrases_of, standing_out, wording_factor
from profile_tasks.scorers.factors.factor import surface_function
from profile_tasks.scorers.factors.taxonomy import problems


def count(phrase: str, text: str, *, per_word: bool = False) -> float:
    return surface_function(wording_factor(phrase, per_word=per_word))(text, None, "")


@pytest.mark.parametrize(
    ("phrase", "text", "times"),
    [
        ("cat", "A cat, cats; CAT!", 2),
        ("for example", "For example, so. for\nexample", 2),
        ("don't", "Don’t, don't", 2),
        ("c++", "c++ and c", 1),
        ("a.b", "a.b aXb", 1),
        ("(?i)x", "x (?i)x", 1),
        ("straße", "STRASSE Straße", 2),
        ("我", "我用我的", 2),
        ("用 我", "我用我的", 1),
        ("кот", "Кот, коты", 1),
    ],
)
def test_a_phrase_is_counted_as_it_stands(phrase: str, text: str, times: int) -> None:
    assert count(phrase, text) == times


def test_a_frequent_one_is_counted_per_word() -> None:
    assert count("the", "The cat and the dog", per_word=True) == 0.4


def test_phrases_are_of_words_as_they_are_compared() -> None:
    assert list(phrases_of("Don’t - go!")) == ["don't", "go", "don't go"]


def test_what_no_reader_says_is_no_phrase() -> None:
    assert not list(phrases_of("x" * 5000))
    assert not list(phrases_of("a\u202eb"))  # turns what stands around it
    assert list(phrases_of("a\x1b[31mb c")) == ["c"]


@pytest.mark.parametrize(("phrase", "id_"), [("吗", "says_u5417"), ("c++ 用", "says_c"),
                                             ("кот", "says_u43a_u43e_u442")])  # fmt: skip
def test_an_id_depends_on_the_phrase_alone(phrase: str, id_: str) -> None:
    assert wording_factor(phrase).id == id_


@pytest.mark.parametrize("phrase", ["<script>", "a: b", "#", "привет", "- x", "é'\"", "{{x}}"])
def test_any_phrase_makes_a_factor_that_a_file_holds(phrase: str) -> None:
    factor = wording_factor(phrase, taken={"says_a_wording", "says_x"})
    assert not problems(factor)
    assert yaml.safe_load(yaml.safe_dump(factor.pattern)) == factor.pattern


def test_what_preferred_responses_say_stands_out(rows, loaded) -> None:
    found = standing_out(contrasts_of(loaded(rows(200))), least_groups=5, most=10)
    first = found.factors[0]
    assert first.id in {"says_and", "says_and_you", "says_you", "says_which", "says_them"}
    assert found.signs.shape == (200, len(found.factors))
    assert found.signs[:, 0].sum() > 0
    assert found.n_tried > 10


def test_columns_that_say_the_same_stand_once(rows, loaded) -> None:
    found = standing_out(contrasts_of(loaded(rows(200))), least_groups=5)
    assert len(np.unique(found.signs, axis=1).T) == len(found.factors)
    assert sum("you" in factor.id or "which" in factor.id for factor in found.factors) <= 1


def test_texts_without_words_have_no_wording(rows, loaded) -> None:
    silent = [row | {"response_a": "?!", "response_b": "..."} for row in rows(20)]
    found = standing_out(contrasts_of(loaded(silent)), least_groups=2)
    assert (found.factors, found.n_tried, found.signs.shape) == ((), 0, (20, 0))
