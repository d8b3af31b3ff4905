"""Which slice a pair stands in: by any column of the data, or by the length of its texts."""

import pytest

from profile_tasks.data.preferences import AnnotatedPair, AnnotatedSource
from profile_tasks.scorers.measurement.slice_labels import slice_labels


def rows(
    *columns: dict[str, object], words: int = 3
) -> list[tuple[AnnotatedSource, AnnotatedPair]]:
    found = []
    for number, extra in enumerate(columns):
        pair = AnnotatedPair(
            id=f"p{number}", response_a="word " * (number + words), response_b="word",
            preference="a", extra=extra,
        )  # fmt: skip
        source = AnnotatedSource(
            id=f"s{number}", task="summarization", prompt="Q", source=None, group=f"s{number}",
            pairs=(pair,),
        )  # fmt: skip
        found.append((source, pair))
    return found


def test_a_column_holds_texts_numbers_and_truth_values_or_nothing() -> None:
    held = rows({"kind": "news"}, {"kind": 3}, {"kind": True}, {"kind": None}, {"kind": ""}, {})
    assert slice_labels(held, "kind") == ["news", "3", "True", None, None, None]


def test_the_task_is_one() -> None:
    assert slice_labels(rows({}, {}), "task") == ["summarization"] * 2


def test_length_classes_are_thirds_by_the_words_of_both_responses() -> None:
    assert slice_labels(rows(*[{}] * 6), "length_class") == [
        "short", "short", "middle", "middle", "long", "long"
    ]  # fmt: skip


def test_an_unknown_column_is_named_with_the_nearest_and_all_there_are() -> None:
    with pytest.raises(ValueError, match=r"no row has the column 'knd'; did you mean 'kind'\?"):
        slice_labels(rows({"kind": "news"}), "knd")


def test_a_field_of_every_pair_is_no_column_to_slice_by() -> None:
    with pytest.raises(ValueError, match="column 'group' is part of every pair"):
        slice_labels(rows({"kind": "news", "factors": {}}), "group")
    with pytest.raises(ValueError, match=r"Must be one of: length_class, task, kind$"):
        slice_labels(rows({"kind": "news", "factors": {}}), "zzz")


def test_a_column_that_is_empty_everywhere_is_said_to_be_so() -> None:
    with pytest.raises(ValueError, match="column 'kind' is empty in all 2 rows: there is no slice"):
        slice_labels(rows({"kind": None}, {"kind": ""}), "kind")


def test_a_column_of_the_data_is_not_taken_for_thirds_by_length() -> None:
    with pytest.raises(ValueError, match=r"'length_class' of their own.*rename the column"):
        slice_labels(rows({"length_class": "XL"}), "length_class")


def test_a_list_is_no_label() -> None:
    with pytest.raises(ValueError, match=r"column 'kind' of pair 'p0' is \['a'\]; expected a text"):
        slice_labels(rows({"kind": ["a"]}), "kind")
