"""A Python function as a factor: what it may take, what it is called, what it must return."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from profile_tasks.scorers.factors.own_function import function_factor
from profile_tasks.scorers.factors.selection import read_selection, resolve_factors
from profile_tasks.scorers.factors.surface import factor_values


def exclamations(response: str) -> int:
    """Exclamation marks."""
    return response.count("!")


def values(function: Any, *responses: str, source: str | None = None, prompt: str = "") -> list:
    n = len(responses)
    factor = function_factor(function, "own")
    return factor_values([factor], responses, [source] * n, [prompt] * n)[:, 0].tolist()


def test_a_function_of_the_response_is_a_factor_of_its_name() -> None:
    factor = function_factor(exclamations)
    assert (factor.id, factor.kind, factor.definition) == (
        "exclamations",
        "surface",
        "Exclamation marks.",
    )
    assert values(exclamations, "Oh! No!", "no") == [2, 0]


def test_it_gets_source_and_prompt_where_it_asks_for_them_by_name() -> None:
    def shared(response: str, prompt: str, *, source: str | None = None) -> float:
        return float(response == prompt) + 2 * float(response == source)

    assert values(shared, "p", "s", source="s", prompt="p") == [1, 2]


def test_what_else_it_takes_keeps_its_default() -> None:
    def at_least(response: str, words: int = 2) -> float:
        return float(len(response.split()) >= words)

    assert values(at_least, "one two", "one") == [1, 0]


@pytest.mark.parametrize("function", [len, str.__len__])
def test_a_built_in_function_is_one_too(function: Callable[[str], int]) -> None:
    assert values(function, "four") == [4]


def test_a_value_may_be_missing() -> None:
    assert math.isnan(values(lambda response: math.nan, "x")[0])


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (lambda: 1, "takes no response"),
        (lambda *, response: 1, "takes no response"),
        (lambda response, text: 1, "needs text too"),
        (3, "3 is no function"),
    ],
)
def test_other_arguments_are_refused_by_the_name_of_the_factor(function: Any, problem: str) -> None:
    with pytest.raises(TypeError, match=rf"factor 'own'.*{problem}"):
        function_factor(function, "own")


@pytest.mark.parametrize("returned", [None, "3", True, [1]])
def test_what_is_no_number_is_refused_with_the_response(returned: Any) -> None:
    with pytest.raises(TypeError, match=r"Factor 'own' returned .* for the response 'text'"):
        values(lambda response: returned, "text")


def test_what_a_function_raises_names_the_factor() -> None:
    with pytest.raises(ZeroDivisionError) as found:
        values(lambda response: 1 / 0, "text")
    assert "factor 'own' on the response 'text'" in found.value.__notes__[0]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (None, r"'<lambda>'.*Name it: \{'my_factor': function\}"),
        ("Two words", "lower-case letters"),
        ("auto", "name of a selection"),
        ("length", r"another of that name.*\{'my_length'"),
    ],
)
def test_a_name_that_no_factor_can_have_is_refused(name: str | None, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        function_factor(lambda response: 1, name)


@pytest.mark.parametrize(
    ("selection", "ids"),
    [
        (exclamations, ["exclamations"]),
        (["length", exclamations], ["length", "exclamations"]),
        ([exclamations, "length"], ["exclamations", "length"]),
        ({"marks": exclamations}, ["marks"]),
        (["length", {"marks": exclamations, "size": len}], ["length", "marks", "size"]),
    ],
)
def test_functions_stand_beside_ids_in_their_order(selection: Any, ids: list[str]) -> None:
    chosen = resolve_factors(selection, "summarization")
    assert [factor.id for factor in chosen] == ids


def test_a_word_for_several_factors_takes_functions_along() -> None:
    surface = [factor.id for factor in resolve_factors("surface", "summarization")]
    chosen = resolve_factors(["surface", exclamations], "summarization")
    assert [factor.id for factor in chosen] == [*surface, "exclamations"]


def test_a_name_is_given_once() -> None:
    with pytest.raises(ValueError, match="more than once: exclamations"):
        read_selection([exclamations, {"exclamations": len}])
