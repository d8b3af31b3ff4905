"""Contributions by their definition over all orders, and with planted people of known tastes."""

import itertools

import numpy as np
import pytest

from profile_tasks.scorers.statistics.comparisons import Comparisons, with_factors
from profile_tasks.scorers.statistics.dominance import factor_contributions


def planted(weights, n=600, pairs=3, seed=0, copy: int | None = None) -> Comparisons:
    """People who weigh the factors so; ``copy`` adds a copy of that factor, of weight 0."""
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1, 0, 1], size=(n, len(weights)), p=[0.4, 0.2, 0.4])
    utility = signs @ np.asarray(weights, float) + rng.logistic(size=n)
    if copy is not None:
        signs = np.column_stack([signs, signs[:, copy]])
    return Comparisons(
        np.sign(utility).astype(np.int8),
        signs.astype(np.int8),
        np.zeros(signs.shape, bool),
        np.arange(n, dtype=np.int32) // pairs,
        tuple(f"f{i}" for i in range(signs.shape[1])),
        "human",
    )


def values(estimates) -> list[float]:
    return [estimate.value for estimate in estimates]


def test_contributions_are_the_mean_over_all_orders_of_what_a_factor_adds():
    table = planted([1.5, 0.7, -0.4])
    worth = {
        names: factor_contributions(with_factors(table, names)).explained.value if names else 0.0
        for size in range(4)
        for names in itertools.combinations(table.factors, size)
    }
    orders = list(itertools.permutations(table.factors))
    expected = dict.fromkeys(table.factors, 0.0)
    for order in orders:
        for at, factor in enumerate(order):
            before = tuple(sorted(order[:at]))
            with_it = tuple(sorted(order[: at + 1]))
            expected[factor] += (worth[with_it] - worth[before]) / len(orders)
    found = factor_contributions(table)
    np.testing.assert_allclose(values(found.contribution), list(expected.values()), atol=1e-9)
    np.testing.assert_allclose(values(found.alone), [worth[f,] for f in table.factors], atol=1e-9)
    assert found.without[0].value == pytest.approx(worth["f1", "f2"])
    assert found.lost[0].value == pytest.approx(found.explained.value - worth["f1", "f2"])


def test_contributions_add_up_to_what_is_explained_and_shares_to_one():
    found = factor_contributions(planted([1.5, 0.7, -0.4, 0.0]))
    assert sum(values(found.contribution)) == pytest.approx(found.explained.value)
    assert sum(values(found.share)) == pytest.approx(1)


def test_a_factor_that_decides_all_has_the_whole_share():
    rng = np.random.default_rng(0)
    signs = rng.choice([-1, 1], size=(600, 3))
    table = Comparisons(
        signs[:, 0], signs, np.zeros((600, 3), bool), np.arange(600) // 3, ("a", "b", "c"), "human"
    )
    found = factor_contributions(table)
    assert found.explained.value > 0.97
    assert found.share[0].value == pytest.approx(1, abs=0.02)
    np.testing.assert_allclose(values(found.share)[1:], 0, atol=0.02)


def test_two_copies_of_one_factor_share_its_part():
    found = factor_contributions(planted([1.5, 0.5], n=1500, copy=0))
    once = factor_contributions(planted([1.5, 0.5], n=1500))
    first, other, copy = values(found.share)
    assert first == pytest.approx(copy, abs=1e-6)
    assert first + copy == pytest.approx(once.share[0].value, abs=0.01)
    assert other == pytest.approx(once.share[1].value, abs=0.01)
    # Nothing is lost without either, for the other has it; alone each has nearly all.
    assert abs(found.lost[0].value) < 0.005
    assert found.alone[0].value > 0.7 * found.explained.value


@pytest.mark.parametrize("seed", range(5))
def test_a_factor_of_no_influence_has_a_share_near_0(seed):
    found = factor_contributions(planted([1.5, 0.0], n=900, seed=seed))
    assert found.share[1].low < 0.0 < found.share[1].high
    assert abs(found.share[1].value) < 0.02


def test_where_nothing_is_explained_nothing_is_shared():
    found = factor_contributions(planted([0.0, 0.0], n=300))
    assert found.explained.low < 0 < found.explained.high
    assert not found.share[0].defined
    assert "not told from 0, so nothing is shared" in found.share[0].reason
    assert found.contribution[0].defined


def test_a_share_is_as_wide_as_what_is_explained_is_unknown():
    few, many = (factor_contributions(planted([1.0, 0.5], n=n)) for n in (240, 4800))
    assert few.share[0].high - few.share[0].low > 3 * (many.share[0].high - many.share[0].low)


def test_drawn_orders_come_near_all_of_them_as_near_as_they_say():
    table = planted([1.0, 0.8, 0.5, -0.5, 0.2], n=900, copy=0)
    exact, drawn = factor_contributions(table), factor_contributions(table, orders=40)
    assert exact.orders == 0
    assert exact.n_models == 64
    assert drawn.orders == 40
    apart = np.subtract(values(exact.contribution), values(drawn.contribution))
    assert (drawn.sampling_error[:2] > 0).all()
    assert (np.abs(apart) < 4 * drawn.sampling_error + 1e-9).all()
    assert drawn.explained.value == pytest.approx(exact.explained.value)
    np.testing.assert_allclose(values(drawn.alone), values(exact.alone))
    np.testing.assert_allclose(values(drawn.without), values(exact.without))
    assert sum(values(drawn.contribution)) == pytest.approx(drawn.explained.value)


def test_more_than_thirteen_factors_are_drawn(monkeypatch):
    monkeypatch.setattr("profile_tasks.scorers.statistics.dominance.EXACT_FACTORS", 2)
    assert factor_contributions(planted([1.0, 0.5, 0.2], n=90)).orders == 200


def test_sets_of_factors_add_up_their_members():
    found = factor_contributions(
        planted([1.0, 0.5, 0.2]), {"1": ["f0", "f2"], "2": ["f1"], "3": ["absent"]}
    )
    contribution, share = found.of_sets["1"]
    assert contribution.value == pytest.approx(
        found.contribution[0].value + found.contribution[2].value
    )
    assert share.value == pytest.approx(found.share[0].value + found.share[2].value)
    assert found.of_sets["2"][1].value == pytest.approx(found.share[1].value)
    assert found.of_sets["3"][0].reason == "no such factor differs between two responses"


def test_the_order_of_pairs_and_their_sides_change_nothing():
    table = planted([1.0, 0.5])
    rng = np.random.default_rng(5)
    order, turn = rng.permutation(600), rng.choice([-1, 1], 600)
    turned = Comparisons(
        (table.preference * turn)[order],
        (table.manifestation * turn[:, None])[order],
        table.missing[order],
        table.group[order],
        table.factors,
        "human",
    )
    for one, two in zip(
        factor_contributions(table).share, factor_contributions(turned).share, strict=True
    ):
        assert (one.value, one.low) == pytest.approx((two.value, two.low))


def test_what_cannot_be_said_has_a_reason():
    one = factor_contributions(planted([1.0], n=3))
    assert one.explained.reason == ("groups with a preference: 1; held-out sources need at least 2")
    table = planted([1.0, 0.5])
    constant = Comparisons(
        table.preference,
        table.manifestation * np.array([1, 0]),
        table.missing,
        table.group,
        table.factors,
        "human",
    )
    found = factor_contributions(constant)
    assert found.share[0].value == pytest.approx(1)
    assert found.contribution[1].reason == "no such factor differs between two responses"
    with pytest.raises(ValueError, match="orders is 1"):
        factor_contributions(table, orders=1)


def test_few_sources_have_values_without_intervals():
    found = factor_contributions(planted([2.0, 0.5], n=18))
    assert found.explained.reason == "groups: 6; an interval needs at least 8"
    assert not found.share[0].defined
