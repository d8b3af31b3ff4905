"""The cluster bootstrap: exact replicates, shared resamples, and intervals that cover."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profile_tasks.scorers.statistics import resampling
from profile_tasks.scorers.statistics.alignment import alignment_replicates
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.influence import profile_of
from profile_tasks.scorers.statistics.resampling import bootstrap_taus, resampled_sums


def random_table(seed, *, n=60, n_factors=4, n_groups=12, perspective="human"):
    rng = np.random.default_rng(seed)
    missing = rng.random((n, n_factors)) < 0.1
    return Comparisons(
        rng.integers(-1, 2, n),
        np.where(missing, 0, rng.integers(-1, 2, (n, n_factors))),
        missing,
        rng.integers(0, n_groups, n),
        tuple("abcdefgh"[:n_factors]),
        perspective,
    )


def one_factor(agreement, group):
    """Pairs that agree (1), disagree (-1) or tie (0) with one factor."""
    agreement = np.asarray(agreement)[:, None]
    return Comparisons(
        np.ones(len(agreement)), agreement, np.zeros(agreement.shape, bool), group, ("f",), "human"
    )


def test_a_replicate_is_tau_of_the_drawn_groups():
    # Three groups with tau 1, 0 and -1 of one pair each: a draw of three gives multiples of 1/3.
    (taus,) = bootstrap_taus([one_factor([1, 0, -1], [0, 1, 2])], replicates=500)
    assert set(np.round(3 * taus[:, 0]).astype(int)) == {-3, -2, -1, 0, 1, 2, 3}
    np.testing.assert_allclose(3 * taus, np.round(3 * taus), atol=1e-12)


def test_a_group_weighs_by_its_pairs_not_as_one():
    # Group 0 has three concordant pairs, group 1 one discordant: one of each gives (3 - 1) / 4.
    (taus,) = bootstrap_taus([one_factor([1, 1, 1, -1], [0, 0, 0, 1])], replicates=200)
    assert set(taus[:, 0]) == {1.0, 0.5, -1.0}


def test_replicates_are_those_of_repeated_groups():
    table = random_table(0)
    (taus,) = bootstrap_taus([table], replicates=5, seed=3)
    present = np.unique(table.group)
    drawn = np.random.default_rng(3).integers(present.size, size=(5, present.size))
    for tau, groups in zip(taus, present[drawn], strict=True):
        rows = np.concatenate([np.flatnonzero(table.group == group) for group in groups])
        resampled = Comparisons(
            table.preference[rows],
            table.manifestation[rows],
            table.missing[rows],
            table.group[rows],
            table.factors,
            table.perspective,
        )
        np.testing.assert_allclose(tau, profile_of(resampled).tau)


def test_replicates_centre_on_the_estimate():
    table = random_table(1, n=400, n_groups=100)
    (taus,) = bootstrap_taus([table])
    np.testing.assert_allclose(taus.mean(axis=0), profile_of(table).tau, atol=0.01)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_identical_perspectives_get_identical_replicates_and_so_alignment_one(seed, replicates):
    human = random_table(2)
    model = random_table(2, perspective="discrimination")
    other = random_table(5, perspective="generation")
    first, _, second = bootstrap_taus([human, other, model], replicates=replicates, seed=seed)
    np.testing.assert_array_equal(first, second)
    tau_b = alignment_replicates(first, second).tau_b
    assert (np.isnan(tau_b) | np.isclose(tau_b, 1.0)).all()
    assert not np.isnan(tau_b).all()


def test_perspectives_may_have_different_factors_and_groups():
    human = random_table(3, n_factors=4, n_groups=5)
    model = random_table(4, n_factors=2, n_groups=30)
    taus = bootstrap_taus([human, model], replicates=7)
    assert [each.shape for each in taus] == [(7, 4), (7, 2)]


def test_only_groups_that_occur_are_drawn():
    sparse = one_factor([1, -1, 1], [2, 5, 900])
    dense = one_factor([1, -1, 1], [0, 1, 2])
    np.testing.assert_array_equal(bootstrap_taus([sparse])[0], bootstrap_taus([dense])[0])


def test_the_seed_decides_the_replicates():
    table = random_table(6)
    (first,), (again,), (other,) = (
        bootstrap_taus([table], replicates=20, seed=seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@given(st.integers(1, 30))
def test_the_chunks_do_not_change_the_replicates(rows):
    table = random_table(7)
    (whole,) = bootstrap_taus([table], replicates=30)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resampling, "_CHUNK_BYTES", 8 * np.unique(table.group).size * rows)
        (chunked,) = bootstrap_taus([table], replicates=30)
    np.testing.assert_array_equal(chunked, whole)


def test_a_replicate_without_counted_pairs_is_nan():
    # The factor is known in one of three groups: (2/3)**3 of the draws miss it.
    missing = np.array([[False], [True], [True]])
    table = Comparisons([1, 1, 1], [[1], [0], [0]], missing, [0, 1, 2], ("f",), "human")
    (taus,) = bootstrap_taus([table], replicates=4000)
    assert np.isnan(taus).mean() == pytest.approx(8 / 27, abs=0.03)
    assert (taus[~np.isnan(taus)] == 1).all()


@pytest.mark.parametrize(
    "table",
    [
        Comparisons([], np.empty((0, 2)), np.empty((0, 2), bool), [], ("a", "b"), "human"),
        Comparisons([0], [[1, 1]], np.zeros((1, 2), bool), [0], ("a", "b"), "human"),
        Comparisons([1], [[0, 0]], np.ones((1, 2), bool), [0], ("a", "b"), "human"),
    ],
    ids=["no rows", "only preference ties", "all missing"],
)
def test_a_table_without_counted_pairs_has_undefined_replicates(table):
    (taus,) = bootstrap_taus([table], replicates=3)
    assert taus.shape == (3, 2)
    assert np.isnan(taus).all()


def test_nothing_to_resample_gives_nothing():
    assert bootstrap_taus([]) == ()


def test_without_replicates_the_bootstrap_is_refused():
    with pytest.raises(ValueError, match="replicates is 0"):
        bootstrap_taus([random_table(8)], replicates=0)


def test_the_interval_covers_the_truth_and_one_over_pairs_does_not():
    # Ten pairs of one source agree with the factor at the source's own rate, uniform on (0.3, 1):
    # true tau 0.3. Taking every pair for a group of its own ignores what they share.
    rng = np.random.default_rng(9)
    n_tables, n_groups, n_pairs, truth = 250, 40, 10, 0.3
    covered = {"clusters": 0, "pairs": 0}
    for _ in range(n_tables):
        rate = np.repeat(rng.uniform(0.3, 1.0, n_groups), n_pairs)
        agreement = np.where(rng.random(rate.size) < rate, 1, -1)
        clusters = np.repeat(np.arange(n_groups), n_pairs)
        for name, group in (("clusters", clusters), ("pairs", np.arange(rate.size))):
            (taus,) = bootstrap_taus([one_factor(agreement, group)], replicates=300)
            interval = Estimate.percentile(0.3, taus[:, 0])
            covered[name] += interval.low <= truth <= interval.high
    assert 0.91 <= covered["clusters"] / n_tables <= 0.98
    assert covered["pairs"] / n_tables < 0.88


def test_resampled_sums_are_those_of_the_drawn_groups():
    columns = np.arange(12.0).reshape(4, 3) ** 2
    drawn = np.random.default_rng(5).integers(4, size=(6, 4))
    np.testing.assert_array_equal(
        resampled_sums(columns, replicates=6, seed=5), columns[drawn].sum(axis=1)
    )


def test_resampled_sums_of_no_groups_are_zero():
    assert resampled_sums(np.zeros((0, 2)), replicates=3, seed=0).tolist() == [[0.0, 0.0]] * 3


def test_resampled_sums_depend_on_the_number_of_groups_and_the_seed_alone():
    columns = np.random.default_rng(0).normal(size=(9, 4))
    whole = resampled_sums(columns, replicates=20, seed=1)
    np.testing.assert_allclose(resampled_sums(columns[:, 2:], replicates=20, seed=1), whole[:, 2:])
    assert (resampled_sums(columns, replicates=20, seed=2) != whole).all()


def test_without_replicates_no_sums_are_resampled():
    with pytest.raises(ValueError, match="replicates is 0"):
        resampled_sums(np.ones((2, 1)), replicates=0, seed=0)


def test_wider_tails_make_up_for_few_groups():
    # Means of ten groups: percentiles as they are cover a true mean of 0 too rarely.
    rng = np.random.default_rng(1)
    covered = np.zeros(2)
    for seed in range(1000):
        values = rng.normal(size=(10, 1))
        means = resampled_sums(values, replicates=999, seed=seed)[:, 0] / 10
        for place, n_groups in enumerate([None, 10]):
            interval = Estimate.percentile(0.0, means, n_groups)
            covered[place] += interval.low <= 0 <= interval.high
    plain, widened = covered / 1000
    assert plain < 0.925
    assert 0.93 <= widened <= 0.97
