"""Log-odds of words with an informative Dirichlet prior: what one of two bodies of text says more.

Of word w with y_1 and y_2 occurrences among n_1 and n_2, and a prior of a_w occurrences among a_0,

    delta = log (y_1 + a_w) / (n_1 + a_0 - y_1 - a_w) - log (y_2 + a_w) / (n_2 + a_0 - y_2 - a_w)

with the variance 1 / (y_1 + a_w) + 1 / (y_2 + a_w) (Monroe, Colaresi & Quinn 2008, Political
Analysis 16, equations 16 to 22). The prior is the vocabulary of both bodies together, so that a
rare word needs more than chance to stand out, and a frequent one shows little for being frequent.

That variance takes every word for a draw of its own. Words come in texts and texts in sources, so
beside it stands the linearised variance between groups, and the larger of the two counts: this
implementation's choice.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

PRIOR_WORDS = 1000.0
"""So many words of prior text stand beside each body."""

_Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LogOdds:
    """How much more one body says each of K words.

    Attributes:
        delta: (K,) difference of log-odds, positive where the first says it more.
        error: (K,) standard errors.

    """

    delta: _Array
    error: _Array

    @property
    def z(self) -> _Array:
        """(K,) differences over their errors."""
        return self.delta / self.error


def log_odds(
    first: Any,  # noqa: ANN401 - sparse matrices of scipy have several types
    second: Any,  # noqa: ANN401
    group: NDArray[np.integer],
    prior_words: float = PRIOR_WORDS,
) -> LogOdds:
    """Return the log-odds ratios of K words, with errors that are robust by group.

    Args:
        first: (n, K) counts of words in the texts of one body, a sparse matrix or an array.
        second: (n, K) likewise of the other; row by row the two are of one group.
        group: (n,) group codes.
        prior_words: a_0, more than 0.

    Raises:
        ValueError: the shapes differ, there is no word, or ``prior_words`` is not above 0.

    Example:
        >>> found = log_odds([[3, 5]] * 4, [[1, 7]] * 4, np.arange(4), prior_words=4)
        >>> found.delta.round(2).tolist()
        [1.25, -1.25]

    """
    from scipy.sparse import csr_array

    one, two = (csr_array(each, dtype=np.float64) for each in (first, second))
    if one.shape != two.shape or len(group) != one.shape[0]:
        raise ValueError(
            f"first has shape {one.shape}, second {two.shape}, group {np.shape(group)}; they must "
            "be equal, (n, K) and (n,)"
        )
    if not prior_words > 0:
        raise ValueError(f"prior_words is {prior_words}; it must be above 0")
    both = one.sum(axis=0) + two.sum(axis=0)
    if not both.sum():
        raise ValueError("there are no words to compare")
    # A word that nobody says has no prior either, and no log-odds.
    prior = np.maximum(prior_words * both / both.sum(), np.finfo(np.float64).tiny)
    groups, code = np.unique(group, return_inverse=True)
    member = csr_array(
        (np.ones(len(code)), (np.reshape(code, -1), np.arange(len(code)))),
        (groups.size, len(code)),
    )
    sides = [_side(member @ body, prior, prior_words) for body in (one, two)]
    delta = sides[0].odds - sides[1].odds
    # A group's pull on delta is terms - length * slope, of the first body less that of the second.
    terms = sides[0].terms - sides[1].terms
    clustered = np.asarray((terms * terms).sum(axis=0), np.float64)
    for side, sign in zip(sides, (-2.0, 2.0), strict=True):
        clustered += sign * (terms.T @ side.lengths) * side.slope
    lengths = [side.lengths for side in sides]
    slopes = [side.slope for side in sides]
    clustered += (lengths[0] @ lengths[0]) * slopes[0] ** 2 + (lengths[1] @ lengths[1]) * (
        slopes[1] ** 2
    )
    clustered -= 2 * (lengths[0] @ lengths[1]) * slopes[0] * slopes[1]
    published = 1 / sides[0].count + 1 / sides[1].count
    return LogOdds(delta, np.sqrt(np.maximum(published, clustered)))


@dataclass(frozen=True, eq=False)
class _Side:
    """One body of text: its log-odds, and what each group adds to them.

    Attributes:
        odds: (K,) log-odds with the prior.
        count: (K,) occurrences with the prior.
        terms: (G, K) sparse: what the occurrences in a group add.
        lengths: (G,) words of each group.
        slope: (K,) what each word of a group takes away.

    """

    odds: _Array
    count: _Array
    terms: Any
    lengths: _Array
    slope: _Array


def _side(by_group: Any, prior: _Array, prior_words: float) -> _Side:  # noqa: ANN401
    from scipy.sparse import diags_array

    count = by_group.sum(axis=0) + prior
    rest = np.maximum(by_group.sum() + prior_words - count, np.finfo(np.float64).tiny)
    return _Side(
        odds=np.log(count) - np.log(rest),
        count=count,
        terms=by_group @ diags_array(1 / count + 1 / rest),
        lengths=np.asarray(by_group.sum(axis=1), np.float64),
        slope=1 / rest,
    )
