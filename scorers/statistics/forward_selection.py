"""Which of many candidates predict preferences: a sparse regression, grown by one at a time.

The model is that of ``adjusted``: a logistic regression of the preference on differences between
the two responses, without intercept. It begins with the controls; each step adds the candidate with
the largest score statistic, which is robust to dependence within groups, until enough are in it. So
a candidate counts for what it adds to the controls and to those before it, and of two that say the
same only one comes in.

This selects; it tests nothing. The statistics of those that were chosen out of many are too large,
and tests are made on other groups (``added_factor``).
"""

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.adjusted import COLLINEAR_VIF
from profile_tasks.scorers.statistics.held_out import fitted, sums_by_group

ALIKE = 0.8
"""A candidate with such a cosine to one that is chosen is not chosen too."""

_Array = NDArray[np.float64]


def forward_selection(
    candidates: _Array,
    controls: _Array,
    group: NDArray[np.integer],
    at_most: int,
    alike: float = ALIKE,
) -> list[tuple[int, float]]:
    """Return the candidates that come in, in their order, each with its score statistic there.

    Args:
        candidates: (n, K) differences, each row turned to the preferred response.
        controls: (n, C) differences of what is known, turned alike, on whatever scale.
        group: (n,) group codes.
        at_most: how many.
        alike: two whose cosine is at least this, in either direction, do not both come in.

    Raises:
        ValueError: the numbers of rows differ.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> shown = rng.choice([-1.0, 0.0, 1.0], size=(300, 4))
        >>> turn = np.sign(shown[:, 2] + rng.logistic(size=300))
        >>> [(at, z)] = forward_selection(
        ...     shown * turn[:, None], np.zeros((300, 0)), np.arange(300), at_most=1
        ... )
        >>> at, z > 3
        (2, True)

    """
    if not len(candidates) == len(controls) == len(group):
        raise ValueError(
            f"candidates have {len(candidates)} rows, controls {len(controls)}, group "
            f"{len(group)}; they must be equal"
        )
    controls = controls / root_mean_square(controls)  # the regression's penalty goes by size
    size = np.linalg.norm(candidates, axis=0)
    unit = candidates / np.where(size > 0, size, 1.0)
    open_ = size > 0
    chosen: list[tuple[int, float]] = []
    while open_.any() and len(chosen) < at_most:
        known = np.hstack([controls, candidates[:, [at for at, _ in chosen]]])
        z = score_statistics(candidates, known, group)
        # Rounded, so that of equal ones the first comes in whatever the machine.
        strength = np.where(open_, np.abs(z).round(9), 0.0)
        at = int(strength.argmax())
        if not strength[at]:
            break
        chosen.append((at, float(z[at])))
        open_ &= np.abs(unit.T @ unit[:, at]) < alike
    return chosen


def root_mean_square(columns: _Array) -> _Array:
    """Return the root mean square of each column, (C,); 1 of one that is 0 throughout."""
    size = np.sqrt((columns**2).mean(axis=0))
    return np.where(size > 0, size, 1.0)


def score_statistics(candidates: _Array, controls: _Array, group: NDArray[np.integer]) -> _Array:
    """Return how strongly each candidate by itself pulls at the regression on the controls, (K,).

    The score of one more column, less what the controls make of it, over its error between groups:
    about standard normal where the candidate adds nothing; 0 of one that never differs.

    Args:
        candidates: as of :func:`forward_selection`.
        controls: as there.
        group: as there.
    """
    width = controls.shape[1]
    ones, every = np.ones(len(controls)), np.ones((1, width), bool)
    lost = 1 / (1 + np.exp(controls @ fitted(controls, ones, every)[0]))
    weighted = controls * (lost * (1 - lost))[:, None]
    curve = controls.T @ weighted + np.eye(width)  # with the penalty of the fit
    left = candidates - controls @ np.linalg.solve(curve, weighted.T @ candidates)
    by_group = sums_by_group(group.astype(np.int32), left * lost[:, None])
    error = np.sqrt((by_group**2).sum(axis=0))
    # As in ``adjusted``: of what the controls make nearly whole nothing is told.
    told = (left**2).sum(axis=0) * COLLINEAR_VIF > (candidates**2).sum(axis=0)
    told &= error > 0
    return np.where(told, by_group.sum(axis=0) / np.where(error > 0, error, 1.0), 0.0)
