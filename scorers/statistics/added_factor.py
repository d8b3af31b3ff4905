"""Does a factor add to what is known of preferences: one more column in the adjusted regression.

The regression is that of ``adjusted``: logistic, without intercept, robust by group (CR2, t on
Satterthwaite's degrees of freedom). Beside the candidate stand controls, which may be of any size,
not signs alone: where people like longer texts, how much longer they are says more than which one
is, and whatever goes with that amount would seem to add something.

Where a candidate decides every preference that it bears on, its coefficient has no end. Its score
at 0 of it, robust by group, is tested in its place (``forward_selection``), on Student's t.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.adjusted import (
    COLLINEAR_VIF,
    clustered_logit,
    separating_direction,
)
from profile_tasks.scorers.statistics.estimate import CONFIDENCE, Estimate
from profile_tasks.scorers.statistics.forward_selection import root_mean_square, score_statistics

GROUPS_A_CONTROL = 5
"""A regression has no more controls than allow so many groups for each."""

_DEPENDENT = 1e-6
_DIRECTION_TOLERANCE = 1e-7

_Array = NDArray[np.float64]


@dataclass(frozen=True)
class AddedFactor:
    """What a factor adds to the controls.

    Attributes:
        estimate: change of the log odds of being preferred per root mean square of the
            manifestation, the controls fixed; NaN with a reason where there is none.
        p_value: two-sided, of no change; NaN where there is no test.
        n_pairs: pairs with a known manifestation that the controls do not decide.
        n_groups: groups among them.
        n_controls: so many of the controls, the first ones, were held fixed.
        direction: 1 where more of it is preferred, -1 where less is; NaN where there is no test.

    """

    estimate: Estimate
    p_value: float
    n_pairs: int
    n_groups: int
    n_controls: int
    direction: float


def added_factor(
    manifestation: _Array,
    controls: _Array,
    group: NDArray[np.integer],
    confidence: float = CONFIDENCE,
) -> AddedFactor:
    """Return what a factor adds to the controls.

    Args:
        manifestation: (n,) signs, turned so that the first response is the preferred one; NaN where
            missing, and such pairs take no part.
        controls: (n, C) differences of what is known, turned alike. Only the first ones where there
            are few groups (`GROUPS_A_CONTROL`), and none that those before it determine.
        group: (n,) group codes, rising.
        confidence: of the interval.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> known, new = rng.normal(size=400), rng.choice([-1.0, 0.0, 1.0], size=400)
        >>> turn = np.sign(known + 1.5 * new + rng.logistic(size=400))
        >>> found = added_factor(new * turn, (known * turn)[:, None], np.arange(400) // 2)
        >>> found.estimate.low > 0.5, found.p_value < 0.001
        (True, True)

    """
    from scipy.special import stdtr

    known = ~np.isnan(manifestation)
    n_controls = min(controls.shape[1], max(1, np.unique(group[known]).size // GROUPS_A_CONTROL))
    design = np.column_stack([manifestation, controls[:, :n_controls]])[known]
    code = group[known]
    try:
        design, code = _left_open(design, code)
        found = clustered_logit(design, code.astype(np.int32), confidence, 1)[:, 0]
        if np.isnan(found[3]):
            raise _UntestedError("the regression found no estimate with an error")
        coefficient, low, high, p_value, _, _ = map(float, found)
        estimate = Estimate(coefficient, low, high, "cluster-robust")
        direction = float(np.sign(coefficient))
    except _UntestedError as error:
        estimate, p_value, direction = Estimate.undefined(str(error)), np.nan, np.nan
    except _SeparatedError as error:
        # The coefficient has no end, and the score at 0 of it has a test all the same.
        estimate, design, code = Estimate.undefined(str(error)), error.design, error.group
        (z,) = score_statistics(design[:, :1], design[:, 1:], code)
        freedom = np.unique(code).size - design.shape[1]
        p_value, direction = float(2 * stdtr(freedom, -abs(z))), float(np.sign(z))
    n_groups = int(np.unique(code).size)
    return AddedFactor(estimate, p_value, len(design), n_groups, n_controls, direction)


class _UntestedError(ValueError):
    """Why there is no test."""


class _SeparatedError(ValueError):
    """The candidate's coefficient has no end; with the pairs that are left open."""

    def __init__(self, design: _Array, group: NDArray[np.integer]) -> None:
        super().__init__("separated: every preference that the factor bears on follows it")
        self.design, self.group = design, group


def _left_open(design: _Array, group: NDArray[np.integer]) -> tuple[_Array, NDArray[np.integer]]:
    """Return the pairs that the controls leave open, columns scaled, controls independent.

    Pairs that controls decide are fitted perfectly and say nothing more, as in ``adjusted``.

    Raises:
        _UntestedError: the candidate, in the first column, cannot be tested.
        _SeparatedError: it can, but has no coefficient.
    """
    while True:
        if not design[:, 0].any():
            raise _UntestedError("the factor differs in no pair that the known ones leave open")
        design = np.column_stack([design[:, 0], _independent(design[:, 1:])])
        design /= root_mean_square(design)
        n_groups, n_columns = int(np.unique(group).size), design.shape[1]
        if n_groups < n_columns + 1:
            raise _UntestedError(
                f"{n_groups} groups for {n_columns} coefficients; the regression needs more"
            )
        if _share_left(design) < 1 / COLLINEAR_VIF:
            raise _UntestedError("collinear: the factor cannot be told from the known ones")
        direction = separating_direction(design)
        if direction is None:
            return design, group
        if abs(direction[0]) > _DIRECTION_TOLERANCE:
            raise _SeparatedError(design, group)
        left = design @ direction <= _DIRECTION_TOLERANCE
        design, group = design[left], group[left]


def _share_left(design: _Array) -> float:
    """Return which share of the first column the others do not make."""
    own, rest = design[:, 0], design[:, 1:]
    solution, *_ = np.linalg.lstsq(rest, own, rcond=None)
    left = own - rest @ solution
    return float((left @ left) / (own @ own))


def _independent(columns: _Array) -> _Array:
    """Return the columns that those before them do not determine."""
    kept: list[_Array] = []
    basis: list[_Array] = []
    for column in columns.T:
        left = column.astype(np.float64)
        size = np.linalg.norm(left)
        for _ in range(2):  # the second time takes away what rounding left
            for axis in basis:
                left = left - (axis @ left) * axis
        if size and np.linalg.norm(left) > _DEPENDENT * size:
            kept.append(column)
            basis.append(left / np.linalg.norm(left))
    return np.column_stack(kept) if kept else np.zeros((len(columns), 0))
