"""Slices: a factor that drives preferences otherwise in one part is told, and no other one is."""

from dataclasses import replace

import numpy as np
import pytest

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.influence import profile_of
from profile_tasks.scorers.statistics.metric_catalogue import find
from profile_tasks.scorers.statistics.slices import (
    check_identifiers,
    judged_slices,
    metric_in_slice,
    metrics_in_slices,
    sliced,
)
from profile_tasks.scorers.statistics.study import AGREEMENT, HUMAN, JUDGE, Study


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


def test_groups_without_a_preference_do_not_count_among_those_of_a_slice() -> None:
    table, labels = judged()
    undecided = np.where(table.group == table.group[0], 0, table.preference)
    tied = replace(table, preference=undecided)
    counts = [
        {each.label: each.n_groups for each in sliced(judgements, labels, replicates=200).slices}
        for judgements in (table, tied)
    ]
    assert sum(counts[0].values()) - sum(counts[1].values()) == 1


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


# The judge of a run by slice ----------------------------------------------------------------------


def run_of_a_judge(*, groups: int = 60) -> tuple[Study, dict[str, list[str | None]]]:
    """A judge that agrees with people in slice y, and in x turns every preference round."""
    people, labels = judged(groups=groups)
    inside = np.array([label == "x" for label in labels])
    turned = np.where(inside, -people.preference, people.preference)
    judge = Comparisons(
        turned, people.manifestation, people.missing, people.group, people.factors,
        "discrimination",
    )  # fmt: skip
    agrees = np.repeat((~inside).astype(np.int8), 2)[:, None]  # a row an order
    shares = Comparisons(
        np.ones(len(agrees), np.int8), np.hstack([agrees, np.zeros_like(agrees)]),
        np.zeros((len(agrees), 2), bool), np.repeat(people.group, 2),
        ("discrimination_accuracy_half_credit", "flip_rate"), "discrimination",
    )  # fmt: skip
    study = Study({HUMAN: people, JUDGE: judge}, {AGREEMENT: shares}, replicates=100)
    verdicts = [label for label in labels for _ in range(2)]
    return study, {HUMAN: labels, JUDGE: labels, AGREEMENT: verdicts}


def test_accuracy_and_flips_are_those_of_the_pairs_of_the_slice() -> None:
    found = judged_slices(*run_of_a_judge())
    assert list(found) == ["x", "y"]
    assert [each.n_pairs for each in found.values()] == [40, 80]
    assert [each.n_groups for each in found.values()] == [20, 40]
    for name, of_x, of_y in (("discrimination_accuracy_half_credit", 0, 1), ("flip_rate", 0, 0)):
        assert found["x"].estimates[name].value == of_x
        assert found["y"].estimates[name].value == of_y
    assert found["y"].estimates["discrimination_accuracy_half_credit"].low > 0.8
    # Two factors make no alignment, and that is said.
    reason = found["x"].estimates["alignment_discrimination_tau_b"].reason
    assert reason is not None


def test_a_slice_of_few_sources_has_the_reason_and_no_number() -> None:
    study, labels = run_of_a_judge(groups=15)
    few = judged_slices(study, labels)["x"]
    assert few.n_groups == 5
    for each in few.estimates.values():
        assert np.isnan(each.value)
        assert each.reason == "groups: 5; an interval needs at least 8"


def test_slices_are_not_resampled_together() -> None:
    for each in judged_slices(*run_of_a_judge()).values():
        assert all(found.drawn is None for found in each.estimates.values())


# Names of metrics ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "identifier"),
    [
        ("natural", "subset_natural"),
        ("pt-BR", "subset_pt_BR"),
        ("news, verse & prose", "subset_news_verse_prose"),
        ("Über", "subset_Über"),
        ("ﬁn²", "subset_fin2"),  # as Python reads an identifier
        ("<b>", "subset__b_"),
    ],
)
def test_a_slice_has_an_identifier(label: str, identifier: str) -> None:
    name = metric_in_slice("flip_rate", "subset", label)
    assert name == f"flip_rate_in_{identifier}"
    assert name.isidentifier()
    metric = find(f"{name}_ci_low")
    assert metric is not None
    assert metric.name == "flip_rate_in_{slice}"


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"kind": ["a b", "a-b"]}, "'a b' of 'kind' and 'a-b' of 'kind' would both have metrics"),
        ({"a": ["b_c"], "a_b": ["c"]}, "'b_c' of 'a' and 'c' of 'a_b' would both have metrics"),
        ({"kind": ["x_ci_low"]}, "would end in 'kind_x_ci_low', as the ends of an interval do"),
    ],
)
def test_no_two_slices_have_the_same_metrics(labels: dict[str, list[str]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_identifiers(labels)
    check_identifiers({"kind": ["a b", "a c"], "other": ["a b"]})


def test_slices_of_one_name_have_no_metric_that_is_one_of_theirs() -> None:
    of = {"flip_rate": Estimate(0.1, 0.0, 0.2)}
    found = metrics_in_slices({"kind": {"a b": of, "a-b": of, "c": of, "c_ci_low": of}})
    assert found["flip_rate_in_kind_c"] == of["flip_rate"]
    shared = found["flip_rate_in_kind_a_b"]
    assert np.isnan(shared.value)
    assert "labels 'a b' of 'kind' and 'a-b' of 'kind' would both have" in str(shared.reason)
    assert list(found) == ["flip_rate_in_kind_a_b", "flip_rate_in_kind_c"]
