"""Adjusted influence with one strength a system: known answers, and what it cannot tell apart."""

import time

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from profile_tasks.scorers.statistics.adjusted import adjusted_influence
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.systems import UNNAMED, Systems, share_of_systems

FIELDS = ("coefficient", "low", "high", "p_value")


def table(preference, signs, group=None):
    signs = np.asarray(signs)
    return Comparisons(
        preference,
        signs,
        np.zeros(signs.shape, bool),
        np.arange(len(signs)) if group is None else group,
        tuple("abcd"[: signs.shape[1]]),
        "human",
    )


def systems_of(code):
    code = np.asarray(code, dtype=np.int32)
    return Systems(code, tuple(f"model {i}" for i in range(code.max(initial=0) + 1)))


def met(rng, n, n_systems):
    a = rng.integers(0, n_systems, n)
    return np.column_stack([a, (a + rng.integers(1, n_systems, n)) % n_systems])


def study(rng, influence, *, n=400, n_systems=5, strength=1.2, longer=1.5, pairs=4):
    """Stronger systems write longer; length itself has this influence. SIMULATION."""
    place = np.linspace(-1, 1, n_systems)
    code = met(rng, n, n_systems)
    apart = place[code[:, 0]] - place[code[:, 1]]
    words = longer * apart + rng.standard_normal(n)
    signs = np.sign(np.column_stack([words, rng.standard_normal(n)])).astype(int)
    utility = signs @ [influence, 0.4] + strength * apart + rng.logistic(size=n)
    return table(np.sign(utility), signs, np.arange(n) // pairs), systems_of(code)


def rows(comparisons, systems, chosen):
    return (
        table(
            comparisons.preference[chosen],
            comparisons.manifestation[chosen],
            comparisons.group[chosen],
        ),
        Systems(systems.code[chosen], systems.names),
    )


def controlled(comparisons, systems):
    return adjusted_influence(comparisons, systems=systems)


def assert_same(one, other, *, rtol=1e-7):
    for name in FIELDS:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=rtol, atol=1e-9)


# Known answers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("influence", [0.0, 0.5])
def test_control_finds_the_influence_of_length_that_strength_hides(influence):
    rng = np.random.default_rng(7)
    covered = np.zeros(2)
    for _ in range(200):
        comparisons, systems = study(rng, influence)
        for column, given_systems in enumerate((None, systems)):
            found = adjusted_influence(comparisons, systems=given_systems)
            covered[column] += found.low[0] <= influence <= found.high[0]
    assert covered[0] < 20  # without it nearly every interval lies above the truth
    assert 182 <= covered[1] <= 198  # 91 to 99 %


def test_where_systems_are_equal_control_costs_width_only():
    rng = np.random.default_rng(8)
    without, beside = [], []
    for _ in range(40):
        comparisons, systems = study(rng, 0.5, strength=0.0)
        without.append(adjusted_influence(comparisons))
        beside.append(controlled(comparisons, systems))
    gap = np.mean(
        [w.coefficient[0] - b.coefficient[0] for w, b in zip(without, beside, strict=True)]
    )
    wider = [
        (b.high - b.low)[0] / (w.high - w.low)[0] for w, b in zip(without, beside, strict=True)
    ]
    assert abs(gap) < 0.05
    assert 1 < np.median(wider) < 1.6


def newton(design, preferred):
    """Maximum likelihood by definition, not oriented, without any library."""
    coefficient = np.zeros(design.shape[1])
    for _ in range(50):
        share = 1 / (1 + np.exp(-design @ coefficient))
        information = (design * (share * (1 - share))[:, None]).T @ design
        coefficient += np.linalg.solve(information, design.T @ (preferred - share))
    return coefficient


def test_coefficients_are_those_of_a_logit_with_a_column_a_system():
    comparisons, systems = study(np.random.default_rng(3), 0.5)
    signs = comparisons.manifestation / np.sqrt(
        (comparisons.manifestation.astype(float) ** 2).mean(axis=0)
    )
    dummies = np.zeros((400, 5))
    dummies[np.arange(400), systems.code[:, 0]] = 1
    dummies[np.arange(400), systems.code[:, 1]] = -1
    preferred = (comparisons.preference > 0).astype(float)
    found = controlled(comparisons, systems)
    for reference in (0, 4):  # whichever system is the reference
        design = np.hstack([signs, np.delete(dummies, reference, axis=1)])
        np.testing.assert_allclose(found.coefficient, newton(design, preferred)[:2], rtol=1e-6)
    fit = sm.Logit(preferred, design).fit(
        disp=0, cov_type="cluster", cov_kwds={"groups": comparisons.group}
    )
    np.testing.assert_allclose(found.coefficient, fit.params[:2], rtol=1e-6)
    # With a hundred groups the corrected errors differ from the plain ones by a few per cent.
    width = (found.high - found.low) / 2 / 1.98
    np.testing.assert_allclose(width, fit.bse[:2], rtol=0.06)
    assert (found.n_pairs, found.n_groups, found.control.n_systems) == (400, 100, 5)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10)
def test_swapping_responses_or_renaming_systems_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    comparisons, systems = study(np.random.default_rng(1), 0.5, n=200)
    found = controlled(comparisons, systems)
    turn = rng.choice([-1, 1], 200)
    swapped = table(
        comparisons.preference * turn, comparisons.manifestation * turn[:, None], comparisons.group
    )
    code = np.where(turn[:, None] > 0, systems.code, systems.code[:, ::-1])
    again = controlled(swapped, Systems(code, systems.names))
    for name in (*FIELDS, "vif"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))
    renamed = Systems(rng.permutation(5).astype(np.int32)[systems.code], systems.names)
    assert_same(controlled(comparisons, renamed), found)


# What cannot be told apart -----------------------------------------------------------------------


@pytest.mark.parametrize("n_systems", [2, 4])
def test_a_factor_with_one_value_a_system_cannot_be_told_from_strength(n_systems):
    """Of four systems the signs are no sum of strengths: only that would tell them apart."""
    rng = np.random.default_rng(5)
    code = met(rng, 400, n_systems)
    fixed = np.sign(code[:, 0] - code[:, 1])
    signs = np.column_stack([fixed, rng.choice([-1, 0, 1], 400)])
    preference = np.sign(signs @ [0.5, 0.8] + rng.logistic(size=400))
    found = controlled(table(preference, signs), systems_of(code))
    assert np.isnan(found.coefficient[0])
    assert found.reasons[0].startswith("collinear with the systems: within pairs of the same two")
    assert found.control.share[0] == 1
    assert found.reasons[1] is None
    assert found.low[1] > 0
    assert adjusted_influence(table(preference, signs)).reasons == (None, None)


def test_little_variance_within_pairs_of_systems_is_told_with_its_share():
    rng = np.random.default_rng(6)
    comparisons, systems = study(rng, 0.0, n=1200, n_systems=2, strength=0.5, longer=0.9)
    found = controlled(comparisons, systems)
    assert found.reasons == (None, None)
    assert 0.8 < found.control.share[0] < 1
    assert found.control.share[1] < 0.05
    assert found.vif[0] == pytest.approx(1 / (1 - found.control.share[0]), rel=0.02)
    share = f"{found.control.share[0]:.0%}"
    assert found.control.cautions == (
        f"a: systems explain {share} of its variance; only the rest tells it from strength",
    )


def test_a_system_that_always_wins_leaves_the_estimate_to_the_other_pairs():
    rng = np.random.default_rng(9)
    comparisons, systems = study(rng, 0.5, n=600)
    wins = (systems.code == 2).any(axis=1)
    won = np.where(systems.code[:, 0] == 2, 1, -1)
    always = table(
        np.where(wins, won, comparisons.preference), comparisons.manifestation, comparisons.group
    )
    found = controlled(always, systems)
    assert found.reasons == (None, None)
    assert found.n_pairs == 600 - wins.sum()
    # Only the units differ: the root mean square is that of all pairs.
    rest = controlled(*rows(always, systems, ~wins))
    np.testing.assert_allclose(found.p_value, rest.p_value, rtol=1e-6)
    np.testing.assert_allclose(found.coefficient / rest.coefficient, 1, rtol=0.05)
    assert found.control.n_systems == 4
    assert found.control.cautions == (
        "separated: model 2 always won, or always lost, against the other systems; that strength "
        f"has no end, and {wins.sum()} decided pairs say nothing of the factors",
    )


def test_of_two_systems_one_of_which_always_wins_nothing_is_left():
    rng = np.random.default_rng(10)
    signs = rng.choice([-1, 1], (60, 2))
    found = controlled(table(np.ones(60), signs), systems_of([[0, 1]] * 60))
    assert np.isnan(found.coefficient).all()
    assert found.reasons == ("the factor differs in no pair left for the regression",) * 2
    assert "60 decided pairs" in found.control.cautions[0]


def test_a_system_and_a_factor_that_separate_together_are_named_together():
    code = np.array([[0, 1]] * 40)
    long = np.repeat([1, -1], 20)
    # System 0 always wins where it is the longer, and half the time where it is the shorter.
    preference = np.r_[np.ones(20), np.tile([1, -1], 10)]
    other = np.random.default_rng(0).choice([-1, 1], 40)
    found = controlled(table(preference, np.column_stack([long, other])), systems_of(code))
    assert found.reasons[0] == (
        "separated: every preference that a with the system model 0 bears on follows it"
    )
    assert found.n_pairs == 20


def test_sets_of_systems_that_never_meet_have_strengths_of_their_own():
    rng = np.random.default_rng(11)
    halves = [study(rng, 0.5, n=400, n_systems=3) for _ in range(2)]
    both = table(
        np.concatenate([c.preference for c, _ in halves]),
        np.vstack([c.manifestation for c, _ in halves]),
        np.arange(800),
    )
    code = np.vstack([halves[0][1].code, halves[1][1].code + 3])
    found = controlled(both, systems_of(code))
    assert (found.control.n_systems, found.control.n_sets) == (6, 2)
    assert found.control.cautions == (
        "the systems fall into 2 sets that never meet; strengths are held fixed within each",
    )
    dummies = np.zeros((800, 6))
    dummies[np.arange(800), code[:, 0]] = 1
    dummies[np.arange(800), code[:, 1]] = -1
    design = np.hstack([both.manifestation, np.delete(dummies, [1, 5], axis=1)])
    expected = newton(design.astype(float), (both.preference > 0).astype(float))[:2]
    np.testing.assert_allclose(found.coefficient, expected, rtol=1e-6)


# Rows --------------------------------------------------------------------------------------------


def test_pairs_of_one_system_stay_and_are_counted():
    comparisons, _ = study(np.random.default_rng(12), 0.5)
    found = controlled(comparisons, systems_of(np.full((400, 2), 3)))
    assert_same(found, adjusted_influence(comparisons), rtol=1e-12)
    assert (found.control.n_same, found.control.n_systems) == (400, 1)
    assert found.control.share.tolist() == [0, 0]
    assert found.control.cautions[0] == (
        "400 pairs are of one system; strength says nothing in them"
    )


def test_pairs_that_do_not_name_both_systems_are_left_out_and_counted():
    comparisons, systems = study(np.random.default_rng(13), 0.5)
    code = systems.code.copy()
    code[:30] = UNNAMED
    code[30:50, 1] = UNNAMED
    partly = Systems(code, systems.names)
    found = controlled(comparisons, partly)
    assert_same(found, controlled(*rows(comparisons, partly, slice(50, None))), rtol=1e-12)
    assert (found.n_pairs, found.control.n_unnamed, found.control.n_half_named) == (350, 30, 20)
    assert found.control.cautions == (
        "left out: 30 pairs that name no system, 20 that name only one",
    )


def test_without_a_pair_that_names_both_there_is_a_reason():
    found = controlled(table([1, -1], [[1], [1]]), Systems.from_names([("m", None), (None, None)]))
    assert found.reasons == ("no pair with a preference names both of its systems",)
    assert (found.control.n_unnamed, found.control.n_half_named) == (1, 1)


def test_rows_must_be_those_of_the_table():
    with pytest.raises(ValueError, match="systems has 1 rows; expected 2, one a pair"):
        controlled(table([1, -1], [[1], [1]]), Systems.from_names([("m", "n")]))


@pytest.mark.parametrize("code", [[0, 1], [[0, 1, 2]], [[0, 3]], [[-2, 0]]])
def test_systems_are_two_places_a_pair(code):
    with pytest.raises(ValueError, match=r"^code"):
        Systems(np.array(code, np.int32), ("m", "n"))


# How far it may be trusted -----------------------------------------------------------------------


def test_few_pairs_few_groups_and_few_repeats_are_told():
    rng = np.random.default_rng(14)
    comparisons, systems = study(rng, 0.0, n=90, n_systems=20, strength=0.3, pairs=1)
    said = controlled(comparisons, systems).control.cautions
    assert any("pairs for 21 coefficients: with fewer than 10 pairs for each" in s for s in said)
    some = study(rng, 0.0, n=40, n_systems=40, strength=0.3, pairs=1)
    found = controlled(*some)
    assert np.isnan(found.control.share).all()
    said = found.control.cautions
    assert any("fewer than 30 pairs are of two systems that met before" in s for s in said)
    assert any("systems are in fewer than 5 groups, so their strength" in s for s in said)


def test_fewer_groups_than_coefficients_leave_no_regression():
    comparisons, systems = study(np.random.default_rng(15), 0.5, n=120, n_systems=8, pairs=20)
    found = controlled(comparisons, systems)
    assert found.reasons[0] == (
        "6 groups for 2 factors and 8 systems; the regression needs more groups than coefficients"
    )


def test_the_share_is_not_raised_by_many_pairs_of_systems_that_explain_nothing():
    rng = np.random.default_rng(16)
    shares = [
        share_of_systems(rng.choice([-1.0, 1.0], (300, 1)), met(rng, 300, 15), 15)[0]
        for _ in range(50)
    ]
    assert np.median(shares) < 0.05


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_no_table_gives_a_huge_number_or_a_warning(seed):
    rng = np.random.default_rng(seed)
    n, n_factors = int(rng.integers(1, 60)), int(rng.integers(1, 4))
    comparisons = table(
        rng.integers(-1, 2, n), rng.integers(-1, 2, (n, n_factors)), rng.integers(0, 30, n)
    )
    systems = Systems(rng.integers(-1, 5, (n, 2)).astype(np.int32), tuple("vwxyz"))
    found = controlled(comparisons, systems)
    for coefficient, low, high, reason in zip(
        found.coefficient, found.low, found.high, found.reasons, strict=True
    ):
        if reason is None:
            assert abs(coefficient) < 50
            assert low <= coefficient <= high
        else:
            assert np.isnan([coefficient, low, high]).all()


def test_fifty_systems_and_twenty_thousand_pairs_are_quick():
    comparisons, systems = study(np.random.default_rng(17), 0.5, n=20_000, n_systems=50)
    begun = time.process_time()
    found = controlled(comparisons, systems)
    assert time.process_time() - begun < 10
    assert found.low[0] < 0.5 < found.high[0]
