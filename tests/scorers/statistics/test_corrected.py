"""Influence corrected by human labels: by hand, beside ppi-python, and what its intervals cover."""

import math

import numpy as np
import pytest

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.corrected import (
    CorrectedInfluence,
    corrected_influence,
)
from profile_tasks.scorers.statistics.estimate import MINIMUM_GROUPS
from profile_tasks.scorers.statistics.influence import profile_of

nan = math.nan


def table(grades, preference=None, group=None) -> Comparisons:
    """Grades of one factor, NaN where missing; each pair is a source of its own, 1 preferred."""
    grades = np.asarray(grades, float)
    return Comparisons(
        np.ones(len(grades), np.int8) if preference is None else preference,
        np.nan_to_num(grades)[:, None].astype(np.int8),
        np.isnan(grades)[:, None],
        np.arange(len(grades)) if group is None else np.asarray(group),
        ("fluency",),
        "human",
    )


def corrected(grades, labels, *, preference=None, group=None, **options) -> CorrectedInfluence:
    options = {"minimum": 3} | options
    return corrected_influence(table(grades, preference, group), "fluency", labels, **options)


def planted(rng, n, *, tau=0.5, error=0.2, labelled=60, pairs=1):
    """Grades that err, labels of the first sources (they are exchangeable), and groups."""
    true = rng.choice([1, -1], n * pairs, p=[(1 + tau) / 2, (1 - tau) / 2])
    grades = np.where(rng.random(n * pairs) < error, -true, true)
    group = np.repeat(np.arange(n), pairs)
    return grades, np.where(group < labelled, true, nan), group


def test_the_plain_correction_of_eight_pairs_by_hand():
    found = corrected([1, 1, -1, 1, 1, 1, -1, 1], [1, -1, -1, 1, nan, nan, nan, nan], weight=1)
    assert found.graded.value == (6 - 2) / 8
    assert found.labels_alone.value == (2 - 2) / 4
    # The grades are 1/2 too high on the sample: (3 - 1) / 4 against 0.
    assert found.corrected.value == 0.5 + (0 - 0.5)
    assert (found.n_labelled, found.n_labelled_groups, found.n_ungraded) == (4, 4, 0)


def test_half_the_weight_takes_half_of_what_the_grades_differ_off():
    found = corrected([1, 1, -1, 1, 1, 1, 1, 1], [1, -1, -1, 1, nan, nan, nan, nan], weight=0.5)
    assert found.corrected.value == 0 + 0.5 * (6 / 8 - 2 / 4)


def test_a_source_with_some_pairs_labelled_stands_for_all_of_its_pairs():
    # Source 0 has four pairs, of which two have labels that say 1 and -1; the others have one each.
    found = corrected(
        [1, 1, 1, 1, 1, 1, -1],
        [1, -1, nan, nan, 1, 1, nan],
        group=[0, 0, 0, 0, 1, 2, 3],
        weight=0,
    )
    assert found.corrected.value == (4 * 0 + 1 + 1) / 6
    assert (found.n_labelled, found.n_labelled_groups) == (4, 3)


def test_pairs_nobody_decided_and_pairs_without_a_grade_take_no_part():
    grades, labels = [1, -1, 1, 1, nan, 1], [1, 1, 1, -1, 1, nan]
    found = corrected(grades, labels, preference=[1, 1, 1, 0, 1, 1])
    without = corrected([1, -1, 1, 1], [1, 1, 1, nan])
    assert (found.corrected.value, found.weight) == (without.corrected.value, without.weight)
    assert (found.n_labelled, found.n_ungraded) == (3, 1)


def test_labels_on_every_pair_are_the_influence_of_the_labels():
    grades, labels, group = planted(np.random.default_rng(1), 50, labelled=50, pairs=3)
    found = corrected(grades, labels, group=group)
    assert found.corrected.value == pytest.approx(profile_of(table(labels)).tau[0])
    assert found.weight == 0
    assert found.corrected == found.labels_alone


def test_grades_as_good_as_labels_count_fully_and_guesses_hardly():
    rng = np.random.default_rng(2)
    right = corrected(*planted(rng, 2000, error=0, labelled=400)[:2])
    guessed = corrected(*planted(rng, 2000, error=0.5, labelled=400)[:2])
    assert right.weight > 0.95
    assert right.corrected.value == pytest.approx(right.graded.value, abs=0.01)
    assert right.cost < 1.2
    assert guessed.weight < 0.1
    assert guessed.corrected.value == pytest.approx(guessed.labels_alone.value, abs=0.02)


def test_the_weight_in_use_makes_the_interval_narrowest():
    grades, labels, group = planted(np.random.default_rng(3), 300, pairs=3)
    widths = {
        weight: found.corrected.high - found.corrected.low
        for weight in (None, 0, 0.2, 0.8, 1)
        if (found := corrected(grades, labels, group=group, weight=weight))
    }
    # The one that is estimated pays a degree of freedom for it.
    assert widths.pop(None) < 1.01 * min(widths.values())


def test_no_contradicted_grade_is_no_proof_that_there_is_none():
    """Forty labels that agree with all grades leave room for errors on thousands of others."""
    grades = np.tile([1, 1, 1, -1], 1000)
    labels = np.where(np.arange(4000) < 40, grades, nan)
    found = corrected(grades, labels)
    assert found.corrected.value == pytest.approx(found.graded.value)
    assert found.cost > 2


def test_which_response_is_called_the_first_and_how_rows_are_ordered_does_not_matter():
    rng = np.random.default_rng(4)
    grades, labels, group = planted(rng, 100, pairs=3)
    preference = rng.choice([1, -1], grades.size)
    found = corrected(grades, labels, preference=preference, group=group)
    swapped = corrected(-grades, -labels, preference=-preference, group=group)
    order = rng.permutation(grades.size)
    shuffled = corrected(
        grades[order], labels[order], preference=preference[order], group=group[order]
    )
    for other in (swapped, shuffled):
        for name in ("value", "low", "high"):
            expected = getattr(found.corrected, name)
            assert getattr(other.corrected, name) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0, None])
def test_one_pair_a_source_is_the_mean_that_ppi_python_estimates(weight):
    ppi = pytest.importorskip("ppi_py", exc_type=ImportError)
    n, labelled = 6000, 3000
    grades, labels, _ = planted(np.random.default_rng(5), n, labelled=labelled)
    found = corrected(grades, labels, weight=weight)
    data = (labels[:labelled], grades[:labelled].astype(float), grades[labelled:].astype(float))
    # Their weight is of the other sources alone, ours of all with the labelled ones among them.
    theirs = None if weight is None else weight * (n - labelled) / n
    value = float(np.squeeze(ppi.ppi_mean_pointestimate(*data, lam=theirs)))
    low, high = (float(np.squeeze(e)) for e in ppi.ppi_mean_ci(*data, alpha=0.05, lam=theirs))
    assert found.corrected.value == pytest.approx(value, abs=1e-12 if weight is not None else 5e-4)
    assert found.corrected.low == pytest.approx(low, abs=1e-3)
    assert found.corrected.high == pytest.approx(high, abs=1e-3)


def test_at_a_fifth_wrong_grades_the_corrected_interval_covers_and_the_graded_does_not():
    rng = np.random.default_rng(6)
    found = [
        corrected(grades, labels, group=group)
        for grades, labels, group in (planted(rng, 200, labelled=50, pairs=3) for _ in range(300))
    ]
    graded, now = (
        np.mean([each.low <= 0.5 <= each.high for each in estimates])
        for estimates in ([x.graded for x in found], [x.corrected for x in found])
    )
    assert graded < 0.1
    assert 0.91 < now < 0.985
    # The intervals are as wide as the studies scatter.
    spread = np.std([x.corrected.value for x in found])
    assert np.mean([x.corrected.high - x.corrected.low for x in found]) == pytest.approx(
        2 * 2.01 * spread, rel=0.15
    )


def test_too_few_labelled_groups_correct_nothing_and_say_why():
    grades, labels, _ = planted(np.random.default_rng(7), 100, labelled=MINIMUM_GROUPS - 1)
    found = corrected_influence(table(grades), "fluency", labels)
    for each in (found.corrected, found.labels_alone):
        assert math.isnan(each.value)
        assert each.reason == (
            f"labelled groups: {MINIMUM_GROUPS - 1}; a correction needs at least {MINIMUM_GROUPS}"
        )
    assert found.graded.has_interval
    assert math.isnan(found.weight)
    assert math.isnan(found.cost)


def test_without_labels_or_without_grades_there_is_a_reason():
    unlabelled = corrected([1, -1] * 10, [nan] * 20)
    assert unlabelled.corrected.reason == "no pair has a preference, a grade and a human label"
    ungraded = corrected([nan] * 20, [1] * 20)
    assert ungraded.corrected.reason == "the factor is missing in all 20 pairs with a preference"
    assert ungraded.n_ungraded == 20
    assert corrected([], []).corrected.reason == "there are no pairs"


def test_all_labels_and_grades_alike_still_leave_a_width():
    found = corrected([1] * 100, [1] * 40 + [nan] * 60)
    assert (found.corrected.value, found.corrected.high) == (1, 1)
    assert 0.5 < found.corrected.low < 0.95


def test_labels_on_sources_of_another_kind_are_cautioned_against():
    rng = np.random.default_rng(8)
    grades, labels, _ = planted(rng, 400, labelled=400)
    favourable = np.where((grades > 0) & (rng.random(400) < 0.4), labels, nan)
    (caution,) = corrected(grades, favourable).cautions
    assert caution.startswith("the grades have an influence of +1.00 on the labelled sources")
    assert "random sample" in caution
    warned = [bool(corrected(*planted(rng, 200)[:2]).cautions) for _ in range(300)]
    assert np.mean(warned) < 0.03


@pytest.mark.parametrize(
    ("labels", "options", "problem"),
    [
        ([1, 2, nan], {}, "labels hold 2. Must be one of: -1, 0, 1, or NaN without a label"),
        ([1, nan], {}, r"labels have shape \(2,\); expected \(3,\), one a row"),
        ([1, 1, nan], {"weight": 1.5}, "weight is 1.5; it must lie between 0 and 1"),
        ([1, 1, nan], {"minimum": 2}, "minimum is 2; a weight needs at least 3 labelled groups"),
    ],
)
def test_what_cannot_be_used_is_refused(labels, options, problem):
    with pytest.raises(ValueError, match=problem):
        corrected([1, 1, -1], labels, **options)
    with pytest.raises(ValueError, match="factor 'charm' is not in the table"):
        corrected_influence(table([1]), "charm", [1])
