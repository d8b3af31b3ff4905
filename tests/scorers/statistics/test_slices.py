"""Slices: a factor that drives preferences otherwise in one part is told, and no other one is."""

import numpy as np
import pytest

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.influence import profile_of
from profile_tasks.scorers.statistics.slices import sliced


def judged(
    *, groups: int = 90, pairs: int = 2, more_in_x: float = 0.0, seed: int = 0
) -> tuple[Comparisons, list[str | None]]:
    """Pairs of which every third source stands in slice x, where length weighs so much more."""
    drawn = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), pairs)
    in_x = group % 3 == 0
    manifestation = drawn.choice([-1, 1], size=(len(group), 2))
    weight = np.column_stack([0.5 + more_in_x * in_x, np.full(len(group), 0.5)])
    utility = (weight * manifestation).sum(axis=1) + drawn.logistic(size=len(group))
    table = Comparisons(
        np.sign(utility).astype(np.int8), manifestation, np.zeros(manifestation.shape, bool),
        group, ("length", "fluency"), "human",
    )  # fmt: skip
    return table, ["x" if each else "y" for each in in_x]


def test_what_weighs_more_in_a_slice_is_told_of_that_factor_alone() -> None:
    told = np.zeros((2, 2), int)
    for seed in range(12):
        table, labels = judged(groups=300, more_in_x=1.5, seed=seed)
        found = {each.label: each for each in sliced(table, labels, replicates=100).slices}
        assert list(found) == ["y", "x"]  # the largest first
        told += [found["x"].p_adjusted <= 0.05, found["x"].interaction_p_adjusted <= 0.05]
        assert found["x"].interaction[0] > 0 > found["y"].interaction[0]
        difference = found["x"].difference["length"]
        assert difference.low > 0
        assert found["y"].difference["length"].value == pytest.approx(-difference.value)
    assert told[:, 0].tolist() == [12, 12]
    # The other factor decides less where length decides more: its tau differs, its weight does not.
    assert told[1, 1] <= 2


def test_influences_are_those_of_the_pairs_of_the_slice() -> None:
    table, labels = judged()
    for each in sliced(table, labels, replicates=200).slices:
        rows = [i for i, label in enumerate(labels) if label == each.label]
        alone = Comparisons(
            table.preference[rows], table.manifestation[rows], table.missing[rows],
            table.group[rows], table.factors, table.perspective,
        )  # fmt: skip
        taus = profile_of(alone).tau
        assert [each.influence[f].value for f in table.factors] == pytest.approx(taus.tolist())
        assert each.n_pairs == len(rows)
        assert each.n_groups == len(set(table.group[rows]))


def test_where_nothing_differs_little_is_told() -> None:
    """By Benjamini and Hochberg at 5 %, of 60 studies seven or fewer (chance: 1 in 50)."""
    told = 0
    for seed in range(60):
        table, labels = judged(groups=45, seed=seed)
        slices = sliced(table, labels, replicates=100).slices
        told += any(np.nanmin(each.p_adjusted) <= 0.05 for each in slices)
    assert told <= 7


def test_small_slices_and_pairs_without_a_label_count_among_the_rest() -> None:
    table, labels = judged(groups=60)
    labels = [
        "z" if group in (1, 2) else label for group, label in zip(table.group, labels, strict=True)
    ]
    labels = [
        None if group >= 50 else label for group, label in zip(table.group, labels, strict=True)
    ]
    found = sliced(table, labels, replicates=100)
    assert [each.label for each in found.slices] == ["y", "x"]
    assert found.too_small == {"z": 2}
    assert found.n_unlabelled == int((table.group >= 50).sum())


def test_one_slice_has_nothing_beside_it() -> None:
    table, _ = judged()
    found = sliced(table, ["all"] * len(table.preference), replicates=100)
    assert (found.slices, found.too_small) == ((), {"all": 0})


def test_a_factor_that_decides_every_pair_of_a_slice_says_so() -> None:
    table, labels = judged()
    inside = np.array([label == "x" for label in labels])
    preference = np.where(inside, table.manifestation[:, 0], table.preference)
    decided = Comparisons(
        preference, table.manifestation, table.missing, table.group, table.factors, "human"
    )
    (x,) = (each for each in sliced(decided, labels, replicates=100).slices if each.label == "x")
    assert x.influence["length"].value == 1
    assert x.reasons[0] is not None
    assert "separated" in x.reasons[0]
    assert "length, x" in x.reasons[0]
    assert np.isnan(x.interaction[0])


def test_another_number_of_labels_is_refused() -> None:
    table, labels = judged()
    with pytest.raises(ValueError, match=r"labels has 3 rows; expected 180, one a pair"):
        sliced(table, labels[:3])
