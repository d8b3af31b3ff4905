"""Log-odds of words: the published formula, and errors that know groups."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from profile_tasks.scorers.statistics.log_odds import log_odds

RNG = np.random.default_rng(3)
FIRST, SECOND = RNG.poisson(2.0, (60, 4)), RNG.poisson(2.0, (60, 4))
GROUP = np.arange(60) // 3


def test_it_is_the_published_ratio() -> None:
    found = log_odds(FIRST, SECOND, GROUP, prior_words=50)
    one, two = FIRST.sum(0), SECOND.sum(0)
    prior = 50 * (one + two) / (one + two).sum()
    expected = np.log((one + prior) / (one.sum() + 50 - one - prior)) - np.log(
        (two + prior) / (two.sum() + 50 - two - prior)
    )
    assert np.allclose(found.delta, expected)


def test_the_error_is_the_published_one_or_that_between_groups_if_larger() -> None:
    found = log_odds(FIRST, SECOND, GROUP, prior_words=50)
    prior = 50 * (FIRST + SECOND).sum(0) / (FIRST + SECOND).sum()
    published = np.sqrt(1 / (FIRST.sum(0) + prior) + 1 / (SECOND.sum(0) + prior))
    assert (found.error >= published - 1e-12).all()
    # Without groups to speak of the two agree: words were drawn one by one.
    alone = log_odds(FIRST, SECOND, np.arange(60), prior_words=1e-6)
    assert alone.error == pytest.approx(published, rel=0.5)


def test_the_error_between_groups_is_that_of_leaving_groups_out() -> None:
    """A word that one source says often is no evidence of as many."""
    first, second = FIRST.copy(), SECOND.copy()
    first[:3, 0] += 8
    found = log_odds(first, second, GROUP)
    without = [g != GROUP for g in range(20)]
    left = np.array([log_odds(first[w], second[w], GROUP[w]).delta for w in without])
    jackknife = np.sqrt(((left - left.mean(0)) ** 2).sum(0) * 19 / 20)
    assert found.error[0] == pytest.approx(jackknife[0], rel=0.25)


def test_the_two_bodies_change_places() -> None:
    there, back = log_odds(FIRST, SECOND, GROUP), log_odds(SECOND, FIRST, GROUP)
    assert np.allclose(there.delta, -back.delta)
    assert np.allclose(there.error, back.error)


def test_sparse_counts_are_counts() -> None:
    dense, sparse = (log_odds(m(FIRST), m(SECOND), GROUP) for m in (np.asarray, csr_array))
    assert np.allclose(dense.z, sparse.z)


def test_a_word_that_nobody_says_shows_nothing() -> None:
    first, second = (np.hstack([each, np.zeros((60, 1), int)]) for each in (FIRST, SECOND))
    found = log_odds(first, second, GROUP)
    assert np.isfinite(found.delta).all()
    assert found.z[-1] == pytest.approx(0)


@pytest.mark.parametrize(
    ("first", "second", "prior", "said"),
    [
        (FIRST, SECOND[:, :3], 1.0, "must be equal"),
        (FIRST, SECOND, 0.0, "prior_words is 0.0"),
        (0 * FIRST, 0 * SECOND, 1.0, "no words"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    first: np.ndarray, second: np.ndarray, prior: float, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        log_odds(first, second, GROUP, prior)
