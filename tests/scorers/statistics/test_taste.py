"""Taste told apart from consistency: known signs, one taste with other noise, equivalence."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.influence import profile_of
from profile_tasks.scorers.statistics.significance import difference_tests
from profile_tasks.scorers.statistics.taste import (
    EQUIVALENT,
    MARGIN,
    TasteDifference,
    taste_difference,
)

FACTORS = ("length", "novel_words", "readability", "fluency", "markdown")
WEIGHTS = np.array([1.0, -0.7, 0.5, 0.3, 0.0])


def judges(
    first: Sequence[float] | np.ndarray,
    second: Sequence[float] | np.ndarray,
    *,
    consistent: tuple[float, float] = (1.0, 1.0),
    groups: int = 200,
    seed: int = 0,
) -> tuple[Comparisons, Comparisons]:
    """Two judges' preferences on the same pairs, four a group, with these weights."""
    rng = np.random.default_rng(seed)
    n = 4 * groups
    signs = rng.choice([-1, 0, 1], (n, len(FACTORS)))
    return tuple(  # type: ignore[return-value]
        Comparisons(
            np.sign(scale * (signs @ np.asarray(weights)) + rng.logistic(size=n)),
            signs,
            np.zeros(signs.shape, bool),
            np.arange(n) // 4,
            FACTORS,
            whose,
        )
        for weights, scale, whose in zip(
            (first, second), consistent, ("discrimination", "human"), strict=True
        )
    )


def compared(first: Comparisons, second: Comparisons, **options: float) -> TasteDifference:
    return taste_difference(first, second, difference_tests(first, second), **options)


def departures(found: TasteDifference) -> np.ndarray:
    return np.array([each.value for each in found.departures])


def test_a_judge_with_less_noise_differs_in_consistency_and_not_in_taste() -> None:
    tables = judges(WEIGHTS, WEIGHTS, consistent=(2.0, 0.5), groups=500)
    found = compared(*tables, margin=0.01)  # too strict to be shown
    assert found.verdict == found.verdicts[0] == "differs in consistency"
    assert found.consistency.low > 1.5
    assert (found.p_holm > 0.05).all()
    # The plain differences are far from 0.
    assert difference_tests(*tables).p_holm[0] < 1e-20


def test_tastes_may_be_equivalent_of_judges_who_differ_in_consistency() -> None:
    found = compared(*judges(WEIGHTS, WEIGHTS, consistent=(2.0, 0.5), groups=500))
    assert found.verdict == found.verdicts[0] == "equivalent in taste, differs in consistency"
    assert found.verdicts[4] == "equivalent"  # nobody heeds the last factor
    assert {found.verdict, *found.verdicts} == set(EQUIVALENT)
    assert (found.p_equivalent < 0.001).all()


def test_the_first_judge_less_the_second() -> None:
    longer = WEIGHTS + np.array([0, 0, 0, 0, 1.0])
    more, less = judges(longer, WEIGHTS)
    found, mirrored = compared(more, less), compared(less, more)
    assert found.verdicts[4] == mirrored.verdicts[4] == "differs in taste"
    assert found.departures[4].low > 0
    np.testing.assert_allclose(departures(mirrored), -departures(found), atol=1e-3)
    assert mirrored.consistency.value == pytest.approx(1 / found.consistency.value, rel=0.01)
    assert found.verdict == "differs in taste"


def test_a_departing_factor_does_not_make_the_others_depart() -> None:
    """However much it outweighs them."""
    found = compared(*judges(WEIGHTS + np.array([0, 0, 0, 0, 2.5]), WEIGHTS, groups=400))
    assert found.verdicts[4] == "differs in taste"
    assert found.p_holm[:4] == pytest.approx(np.clip(found.p_holm[:4], 0.05, 1))


def test_opposite_tastes_differ_in_taste() -> None:
    found = compared(*judges(WEIGHTS, -WEIGHTS))
    assert found.verdict == "differs in taste"
    assert not found.consistency.defined
    assert "no scale" in (found.consistency.reason or "")


def test_without_a_scale_only_what_departs_at_every_scale_differs() -> None:
    """Two factors that both follow alike held the scale of none, and "differed" by 0.9."""
    without = 0
    for seed in range(100):
        tables = judges([1.5, -1.5, 1, 0, 0], [1.5, 0, 0, 1, 0], groups=12, seed=seed)
        found = compared(*tables)
        if found.consistency.defined:
            continue
        without += 1
        same_sign = np.prod([profile_of(table).tau for table in tables], axis=0) > 0
        differing = np.array([each == "differs in taste" for each in found.verdicts])
        assert not (same_sign & differing).any(), seed
    assert without > 5


def test_without_a_scale_nothing_is_equivalent_and_no_departure_has_a_size() -> None:
    """A judge of a strong taste and people who flip coins were "equivalent", with 800 pairs on."""
    for seed in range(10):
        found = compared(*judges(WEIGHTS, np.zeros(5), groups=1000, seed=seed))
        if found.consistency.defined:
            continue  # the coins fell alike by chance
        assert {found.verdict, *found.verdicts} == {"undecided"}
        for sizes in (found.p_equivalent, found.smallest, departures(found)):
            assert np.isnan(sizes).all()
        assert {each.reason for each in found.departures} == {found.consistency.reason}


def test_where_no_factor_can_be_compared_consistency_has_the_reasons() -> None:
    first, second = judges(WEIGHTS, WEIGHTS)
    tied = replace(second, preference=np.zeros_like(second.preference))
    found = compared(first, tied)
    assert found.consistency.reason == "human: all 800 pairs are preference ties"


def test_judges_of_one_consistency_depart_by_their_plain_difference() -> None:
    first, second = judges(WEIGHTS, WEIGHTS, groups=2000)
    found = compared(first, second)
    raw = difference_tests(first, second).value
    assert found.consistency.low < 1 < found.consistency.high
    np.testing.assert_allclose(departures(found), raw, atol=0.02)


def test_one_taste_is_equivalent_with_enough_pairs_and_undecided_with_few() -> None:
    many, few = (compared(*judges(WEIGHTS, WEIGHTS, groups=groups)) for groups in (2000, 20))
    assert set(many.verdicts) == {many.verdict} == {"equivalent"}
    assert few.verdict == "undecided"
    assert all(abs(each.low) < MARGIN and abs(each.high) < MARGIN for each in many.departures)
    assert (few.smallest > MARGIN).all()
    assert (many.smallest < MARGIN).all()


def test_the_margin_decides_what_is_equivalent() -> None:
    tables = judges(WEIGHTS, WEIGHTS, groups=300)
    assert compared(*tables, margin=0.5).verdict == "equivalent"
    strict = compared(*tables, margin=0.01)
    assert strict.verdict == "undecided"
    assert (strict.margin, set(strict.verdicts)) == (0.01, {"undecided"})
    with pytest.raises(ValueError, match="margin is 0"):
        compared(*tables, margin=0)


def test_the_smallest_departure_that_would_have_shown_is_found_four_times_in_five() -> None:
    found = compared(*judges(WEIGHTS, WEIGHTS, groups=300))
    errors = [(each.high - each.low) / 2 / 1.96 for each in found.departures]
    # Beyond the tolerance, two-sided at 5 % over five factors: 2.58 errors, and 0.84 for 80 %.
    expected = found.tolerance + 3.42 * np.array(errors)
    assert found.smallest == pytest.approx(expected, rel=0.02)


def test_the_tolerance_is_a_tenth_of_the_greatest_influence_where_consistency_differs() -> None:
    equal, unequal = (
        compared(*judges(WEIGHTS, WEIGHTS, consistent=consistent, groups=1000))
        for consistent in ((1.0, 1.0), (4.0, 0.5))
    )
    assert equal.tolerance < 0.01
    angle = np.arctan(unequal.consistency.value)
    first, second = judges(WEIGHTS, WEIGHTS, consistent=(4.0, 0.5), groups=1000)
    greatest = np.sin(angle) * profile_of(first).tau[0] + np.cos(angle) * profile_of(second).tau[0]
    assert unequal.tolerance == pytest.approx(0.1 * abs(np.cos(2 * angle)) * np.sqrt(2) * greatest)


def test_judges_who_never_disagree_are_equivalent_with_enough_pairs_only() -> None:
    for groups, verdict in ((200, "equivalent"), (8, "undecided")):
        judge, _ = judges(WEIGHTS, WEIGHTS, groups=groups)
        found = compared(judge, judge)
        assert found.verdict == verdict
        assert departures(found) == pytest.approx(np.zeros(5), abs=1e-12)
        assert found.p_value == pytest.approx(np.ones(5))


def test_few_groups_and_lacking_factors_have_a_reason() -> None:
    found = compared(*judges(WEIGHTS, WEIGHTS, groups=7))
    assert {each.reason for each in found.departures} == {
        "groups: 7; tastes are compared from 8 on"
    }
    assert (found.verdict, set(found.verdicts)) == ("undecided", {"undecided"})
    first, second = judges(WEIGHTS, WEIGHTS)
    gone = np.zeros(second.missing.shape, bool)
    gone[:, 1] = True
    partial = Comparisons(
        second.preference, np.where(gone, 0, second.manifestation), gone, second.group, FACTORS,
        "human",
    )  # fmt: skip
    lacking = compared(first, partial)
    assert lacking.departures[1].reason.startswith("human: the factor is missing in all")
    assert np.isnan(lacking.p_holm[1])
    assert lacking.departures[0].defined
    assert lacking.family == "departures after one scale: 4 factors"


def test_one_factor_has_no_taste_apart_from_its_scale() -> None:
    first, second = (
        Comparisons(t.preference, t.manifestation[:, :1], t.missing[:, :1], t.group, ("length",),
                    t.perspective)
        for t in judges(WEIGHTS, WEIGHTS)
    )  # fmt: skip
    found = compared(first, second)
    reason = "one factor: its influence cannot be told from the scale"
    assert found.departures[0].reason == found.consistency.reason == reason


def test_other_factors_are_refused() -> None:
    first, second = judges(WEIGHTS, WEIGHTS)
    renamed = Comparisons(
        second.preference, second.manifestation, second.missing, second.group, tuple("abcde"),
        "human",
    )  # fmt: skip
    with pytest.raises(ValueError, match="the factors differ: length"):
        taste_difference(first, renamed, difference_tests(first, second))


@pytest.mark.parametrize("consistent", [(1.0, 1.0), (2.0, 0.5)])
def test_one_taste_is_rarely_said_to_differ(consistent: tuple[float, float]) -> None:
    """Simulated studies of 40 sources; the plain difference tells most of the second kind apart."""
    found = [
        compared(*judges(WEIGHTS, WEIGHTS, consistent=consistent, groups=40, seed=seed))
        for seed in range(100)
    ]
    assert sum(each.verdict == "differs in taste" for each in found) <= 10


def test_the_result_does_not_depend_on_which_response_stands_first() -> None:
    first, second = judges(WEIGHTS, WEIGHTS, consistent=(2.0, 0.5))
    turn = np.random.default_rng(1).choice([-1, 1], len(first.preference))
    turned = [
        Comparisons(
            t.preference * turn, t.manifestation * turn[:, None], t.missing, t.group, FACTORS,
            t.perspective,
        )
        for t in (first, second)
    ]  # fmt: skip
    np.testing.assert_array_equal(
        departures(compared(*turned)), departures(compared(first, second))
    )
