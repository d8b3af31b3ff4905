"""Objects as models write them are found and mended; what was cut off is not."""

import time

import pytest

from profile_tasks.solvers.json_object import json_objects


def contents(text: str) -> list[dict[str, object]]:
    return [content for _, content in json_objects(text)]


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "x", "b": 1}',
        'Here: {"a": "x", "b": 1}.',
        "{'a': 'x', 'b': 1}",
        '{"a": "x", "b": 1,}',
        "{\u201ca\u201d: \u201cx\u201d, \u201cb\u201d: 1}",
        "{a: x, b: 1}",
        '{"a": "x" "b": 1}',
        "{&quot;a&quot;: &quot;x&quot;, &quot;b&quot;: 1}",
        '{ no object } {"a": "x", "b": 1}',
    ],
)
def test_an_object_is_found_in_whatever_form(text: str) -> None:
    assert {"a": "x", "b": 1} in contents(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "x", "b',
        '{"a": {"b": 1}',
        "{'a': 'x'",
        '{"a": 1, "a": 2}',
        "{'a': 1, 'a': 2}",
        '{"a": NaN}',
        "{}",
        "{A, B}",
        '{"a": 1|2|3}',
        '{"n": >4}',
        '{"n": "4" or "5",}',
    ],
)
def test_what_was_cut_off_or_says_two_things_is_none(text: str) -> None:
    assert [found for found in contents(text) if found] == []


@pytest.mark.parametrize(
    "text",
    [
        "{" * 10_000 + "}" * 10_000,
        '{"a": ' * 10_000 + "1" + "}" * 10_000,
        "{ no json } " * 5_000,
        '{"a": "x",} ' * 5_000,
        "{'a': 'b', " * 30_000 + "}",
        "{" + "k: v, " * 5_000 + "}",
        '{"' * 50_000,
    ],
    ids=lambda text: text[:12],
)
def test_hostile_text_is_read_in_little_time(text: str) -> None:
    start = time.process_time()
    contents(text)
    assert time.process_time() - start < 5
