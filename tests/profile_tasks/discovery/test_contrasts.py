"""Decided pairs, whichever side and row they stood in; parts that share no source."""

import numpy as np
import pytest

from profile_tasks.discovery.candidates import selected
from profile_tasks.discovery.contrasts import contrasts_of, split_by_group
from profile_tasks.scorers.factors.taxonomy import load_taxonomy

FLIPPED = {"a": "b", "b": "a", "tie": "tie"}


def test_the_preferred_response_comes_first(rows, loaded) -> None:
    found = contrasts_of(loaded(rows(40)))
    better = {
        (row["response_a"], row["response_b"])[:: 1 if row["preference"] == "a" else -1]
        for row in rows(40)
    }
    assert set(zip(found.preferred, found.other, strict=True)) == better


def test_sides_and_order_of_rows_say_nothing(rows, loaded) -> None:
    there = rows(60)
    swapped = [
        row
        | {
            "response_a": row["response_b"],
            "response_b": row["response_a"],
            "preference": FLIPPED[row["preference"]],
        }
        for row in reversed(there)
    ]
    one, two = (contrasts_of(loaded(each)) for each in (there, swapped))
    assert one.preferred == two.preferred
    assert one.groups == two.groups
    assert (one.controls == two.controls).all()
    parts = [split_by_group(each, 0.5, seed=3) for each in (one, two)]
    assert parts[0][0].preferred == parts[1][0].preferred


def test_ties_are_left_out_and_counted(rows, loaded) -> None:
    there = rows(10)
    there[0]["preference"] = "tie"
    found = contrasts_of(loaded(there))
    assert (len(found), found.n_ties) == (9, 1)


def test_nothing_but_ties_is_an_error(rows, loaded) -> None:
    with pytest.raises(ValueError, match="no pair has a preferred response"):
        contrasts_of(loaded([row | {"preference": "tie"} for row in rows(6)]))


def test_no_source_is_in_both_parts(rows, loaded) -> None:
    train, held_out = split_by_group(contrasts_of(loaded(rows(100))), 0.6, seed=1)
    assert not set(train.group) & set(held_out.group)
    assert (train.n_groups, held_out.n_groups) == (30, 20)


@pytest.mark.parametrize(("share", "said"), [(0.0, "between 0 and 1"), (0.01, "cannot be parted")])
def test_a_part_without_sources_is_refused(rows, loaded, share: float, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        split_by_group(contrasts_of(loaded(rows(20))), share, seed=0)


def test_controls_are_direction_and_size_of_each_known_factor(rows, loaded) -> None:
    found = contrasts_of(loaded(rows(40)), "length,lexical_diversity")
    assert found.controls.shape == (40, 4)
    words = [[len(text.split()) for text in side] for side in (found.preferred, found.other)]
    size = np.log1p(words[0]) - np.log1p(words[1])
    assert np.allclose(found.controls[:, 1], size)
    assert (np.sign(found.controls[:, 0]) == np.sign(size)).all()


def test_few_sources_hold_few_factors_fixed(rows, loaded) -> None:
    train, _ = split_by_group(contrasts_of(loaded(rows(40))), 0.5, seed=0)  # ten sources each
    assert train.controlled == ("length",)
    assert train.controls.shape[1] == 2


def test_signs_are_those_of_the_factors(rows, loaded) -> None:
    found = contrasts_of(loaded(rows(20)))
    length = load_taxonomy()["length"]
    expected = [
        np.sign(len(one.split()) - len(two.split()))
        for one, two in zip(found.preferred, found.other, strict=True)
    ]
    assert found.signs([length])[:, 0].tolist() == expected
    assert found.signs([]).shape == (20, 0)


def test_nothing_of_the_held_out_texts_has_a_part_in_what_is_selected(rows, loaded) -> None:
    there = rows(120)
    train, held_out = split_by_group(contrasts_of(loaded(there)), 0.5, seed=0)
    out = {held_out.groups[code] for code in held_out.group}
    other = [
        row | {"response_a": "Quite other! " * at, "response_b": "words; " * 9, "preference": "b"}
        if row["group"] in out
        else row
        for at, row in enumerate(there, start=1)
    ]
    again, _ = split_by_group(contrasts_of(loaded(other)), 0.5, seed=0)
    one, two = (selected(part, at_most=5) for part in (train, again))
    assert [factor.id for factor in one.factors] == [factor.id for factor in two.factors]
    assert one.statistics == two.statistics
