"""Agreement of a grader with human labels: by hand, and as other libraries have it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profile_tasks.scorers.measurement.standard_metrics import discrimination_kappa
from profile_tasks.scorers.statistics.alignment import align
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.grader_agreement import (
    ALIGNMENT,
    GraderAgreement,
    LabelledResults,
    grader_agreement,
)
from profile_tasks.scorers.statistics.influence import profile_of

nan = math.nan
signs = st.sampled_from([-1, 0, 1])


def table(human, grader, **fields) -> LabelledResults:
    """One label, every unit in a group of its own unless the fields say otherwise."""
    fields = {"label": "logic", "group": np.arange(len(human))} | fields
    fields.setdefault("factor", fields["label"])
    return LabelledResults(human=human, grader=grader, **fields)


def agreement_of(*tables: LabelledResults, **settings: int) -> GraderAgreement:
    return grader_agreement(tables, **{"replicates": 200, **settings})


def test_every_number_of_six_pairs_by_hand():
    found = agreement_of(
        table(
            human=[1, 1, -1, -1, 0, 1],
            grader=[1, -1, -1, 0, 0, nan],
            preference=[1, 1, -1, 1, 0, 1],
            flipped=[0, 0, 0, 1, nan, nan],
            repeated=[1, 1, -1, 0, nan, 1],
        )
    )
    values = found.values()
    assert values["n_logic"] == 5
    assert values["agreement_logic"] == 3 / 5
    # Of the five: people 2, 1 and 2 of (1, 0, -1); grader 1, 2 and 2.
    by_chance = (2 * 1 + 1 * 2 + 2 * 2) / 25
    assert values["kappa_logic"] == pytest.approx((3 / 5 - by_chance) / (1 - by_chance))
    assert values["agreement_decided_logic"] == pytest.approx(2 / 3)
    assert values["flip_rate_logic"] == 1 / 4
    assert values["missing_rate_logic"] == pytest.approx(1 / 6)
    assert values["retest_logic"] == 3 / 4
    # Preferences of the pairs with both labels: 1, 1, -1, 1, and a tie that drops out.
    assert values["tau_human_label_logic"] == (3 - 1) / 4
    assert values["tau_grader_logic"] == (2 - 1) / 4
    (entry,) = found.labels
    assert (entry.n_labels, entry.n, entry.n_groups, entry.unit) == (6, 5, 5, "pair")


def test_a_grader_that_says_what_people_say_agrees_fully():
    human = [1, -1, 0, 1, -1, 1, 0, -1, 1, 1]
    values = agreement_of(table(human, human, preference=[1, 1, -1, 0, 1] * 2)).values()
    # Of n right out of n, as many as ten and eight groups are worth: .025 ** (1 / n).
    for name, low in (("agreement", 0.612), ("kappa", 1), ("agreement_decided", 0.511)):
        found = [values[f"{name}_logic{end}"] for end in ("", "_ci_low", "_ci_high")]
        assert found == pytest.approx([1, low, 1], abs=5e-4)
    assert values["tau_human_label_logic"] == values["tau_grader_logic"]


def test_a_grader_that_says_the_opposite_agrees_never():
    human = np.array([1, -1] * 10)
    values = agreement_of(table(human, -human, preference=human)).values()
    assert values["agreement_decided_logic"] == 0
    assert values["kappa_logic"] == -1
    assert (values["tau_human_label_logic"], values["tau_grader_logic"]) == (1, -1)


@settings(max_examples=60)
@given(rows=st.lists(st.tuples(signs, signs), min_size=1, max_size=40))
def test_kappa_is_that_of_scikit_learn_and_of_the_standard_metrics(rows):
    metrics = pytest.importorskip("sklearn.metrics")
    human, grader = np.array(rows).T
    kappa = agreement_of(table(human, grader, preference=human), replicates=2).values()[
        "kappa_logic"
    ]
    assert kappa == pytest.approx(discrimination_kappa(human, grader), nan_ok=True)
    if not math.isnan(kappa):
        assert kappa == pytest.approx(metrics.cohen_kappa_score(human, grader))


@settings(max_examples=60)
@given(
    rows=st.lists(
        st.tuples(signs, signs, st.sampled_from([-1, 0, 1, nan])), min_size=1, max_size=40
    )
)
def test_taus_are_the_influence_of_the_two_labels_where_both_are_known(rows):
    preference, human, grader = np.array(rows, dtype=float).T
    known = ~np.isnan(grader)
    values = agreement_of(table(human, grader, preference=preference), replicates=2).values()
    labels = np.column_stack([human, grader])[known]
    profile = profile_of(
        Comparisons(
            preference=preference[known],
            manifestation=labels,
            missing=np.zeros(labels.shape, dtype=bool),
            group=np.arange(len(labels)),
            factors=("human", "grader"),
            perspective="human",
        )
    )
    found = [values["tau_human_label_logic"], values["tau_grader_logic"]]
    assert found == pytest.approx(profile.tau.tolist(), nan_ok=True)


def test_labels_of_responses_have_neither_taus_nor_decided_pairs():
    human, grader = [1, 1, 0, 0, 1], [1, 0, 0, 1, 1]
    found = agreement_of(table(human, grader))
    (entry,) = found.labels
    assert entry.unit == "response"
    assert set(entry.estimates) == {"agreement", "kappa", "missing_rate"}
    assert found.alignment is None
    assert found.values()["agreement_logic"] == 3 / 5
    by_chance = (3 * 3 + 2 * 2) / 25
    assert found.values()["kappa_logic"] == pytest.approx((3 / 5 - by_chance) / (1 - by_chance))


def test_the_profiles_are_aligned_over_the_labels():
    rng = np.random.default_rng(3)
    preference = rng.choice([-1, 1], 60)
    tables = []
    for label, follows in {"a": 0.9, "b": 0.5, "c": 0.1, "d": 0.3}.items():
        human = np.where(rng.random(60) < follows, preference, -preference)
        grader = np.where(rng.random(60) < 0.8, human, -human)
        tables.append(table(human, grader, preference=preference, label=label))
    found = agreement_of(*tables)
    values = found.values()
    human, grader = (
        {entry.label: values[f"{side}_{entry.label}"] for entry in found.labels}
        for side in ("tau_human_label", "tau_grader")
    )
    assert values[ALIGNMENT] == align(human, grader).tau_b
    assert -1 <= values[f"{ALIGNMENT}_ci_low"] <= values[f"{ALIGNMENT}_ci_high"] <= 1


def test_a_factor_with_two_labels_counts_once_in_the_alignment():
    rng = np.random.default_rng(5)
    preference = rng.choice([-1, 1], 40)
    tables = [
        table(rng.permutation(preference), rng.permutation(preference), preference=preference,
              label=label, factor=factor)
        for label, factor in {"a": "f", "b": "g", "c": "h", "d": "f"}.items()
    ]  # fmt: skip
    assert (
        agreement_of(*tables).values()[ALIGNMENT] == agreement_of(*tables[:3]).values()[ALIGNMENT]
    )
    assert math.isnan(agreement_of(tables[0], tables[1], tables[3]).values()[ALIGNMENT])


def test_two_labels_make_no_profile_to_align():
    preference = [1, -1] * 5
    tables = [table(preference, preference, preference=preference, label=name) for name in "ab"]
    found = agreement_of(*tables)
    assert math.isnan(found.values()[ALIGNMENT])
    assert "3" in found.reasons()[ALIGNMENT]


def test_intervals_are_by_group_and_not_by_pair():
    # Eight sources of 50 equal pairs each: 400 pairs, yet only eight things to resample.
    human = np.repeat([1, 1, 1, 1, 1, 1, -1, -1], 50)
    grader = np.repeat([1, 1, 1, 1, -1, -1, -1, -1], 50)
    fields = {"preference": human}
    by_group = agreement_of(
        table(human, grader, group=np.repeat(np.arange(8), 50), **fields), replicates=1000
    ).values()
    by_pair = agreement_of(table(human, grader, **fields), replicates=1000).values()
    assert by_group["agreement_logic"] == by_pair["agreement_logic"] == 0.75
    width = {
        name: values["agreement_logic_ci_high"] - values["agreement_logic_ci_low"]
        for name, values in (("group", by_group), ("pair", by_pair))
    }
    assert width["group"] >= 0.5
    assert width["pair"] < 0.1


def test_an_interval_covers_the_true_agreement_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for trial in range(100):
        human = rng.choice([-1, 1], 80)
        grader = np.where(rng.random(80) < 0.7, human, -human)
        values = agreement_of(table(human, grader, preference=human), seed=trial).values()
        covered += values["agreement_logic_ci_low"] <= 0.7 <= values["agreement_logic_ci_high"]
    assert 88 <= covered <= 100


def test_all_labels_share_each_resample():
    rng = np.random.default_rng(1)
    human, grader = rng.choice([-1, 0, 1], (2, 40))
    both = [table(human, grader, preference=human, label=name) for name in "ab"]
    values = agreement_of(*both).values()
    for name in ("agreement", "kappa", "tau_grader"):
        assert values[f"{name}_a_ci_low"] == values[f"{name}_b_ci_low"]
        assert values[f"{name}_a_ci_high"] == values[f"{name}_b_ci_high"]


def test_few_groups_have_values_and_no_interval():
    found = agreement_of(table([1, -1, 1], [1, 1, 1], preference=[1, 1, 1]))
    assert found.values()["agreement_logic"] == pytest.approx(2 / 3)
    assert math.isnan(found.values()["agreement_logic_ci_low"])
    assert found.reasons()["agreement_logic"].startswith("groups: 3")


@pytest.mark.parametrize(
    ("fields", "metric", "reason"),
    [
        ({"human": [1, -1], "grader": [nan, nan]}, "agreement", "no result"),
        ({"human": [1, -1], "grader": [nan, nan]}, "kappa", "no result"),
        ({"human": [1, 1], "grader": [1, 1]}, "kappa", "same one label"),
        ({"human": [1, 0], "grader": [0, 1]}, "agreement_decided", "both people and grader"),
        ({"human": [1, 0], "grader": [0, 1], "flipped": [nan, nan]}, "flip_rate", "two readable"),
        ({"human": [1, 0], "grader": [0, 1], "repeated": [nan, nan]}, "retest", "both runs"),
        ({"human": [1, 0], "grader": [0, 1], "preference": [0, 0]}, "tau_grader", "ties"),
    ],
)
def test_what_is_not_defined_is_nan_with_its_reason(fields, metric, reason):
    found = agreement_of(table(**({"preference": [1, 1]} | fields)))
    assert math.isnan(found.values()[f"{metric}_logic"])
    assert reason in found.reasons()[f"{metric}_logic"]


def test_a_label_without_a_single_unit_is_undefined_and_no_error():
    full = table([1, -1], [1, 1], preference=[1, 1], label="full")
    empty = table([], [], preference=[], label="empty")
    values = agreement_of(full, empty).values()
    assert values["n_empty"] == 0
    assert math.isnan(values["agreement_empty"])
    assert values["agreement_full"] == 0.5


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"human": [1, 2]}, "human holds 2. Must be one of: -1, 0, 1"),
        ({"human": [1, nan]}, "human holds nan"),
        ({"grader": [0.5, nan]}, "grader holds 0.5"),
        ({"preference": None, "human": [1, -1]}, "human holds -1. Must be one of: 0, 1"),
        ({"flipped": [nan, -1]}, "flipped holds -1"),
        ({"grader": [1]}, "grader has shape"),
        ({"group": [0]}, "group has shape"),
    ],
)
def test_a_value_or_shape_that_does_not_fit_is_named(fields, message):
    with pytest.raises(ValueError, match=f"label 'logic': {message}"):
        table(**({"human": [1, 1], "grader": [1, 0], "preference": [1, 1]} | fields))
