"""Adjusted influence: a factor's influence with all other factors held fixed.

Factors move together (longer responses hold more facts), so beside each marginal tau_14 stands its
coefficient in a logistic regression of the preference on all manifestations (docs/method.md;
the Bradley-Terry model with covariates). Which response of a pair comes first is arbitrary, and
swapping the two turns every sign of the row. Hence no intercept, and manifestations scaled by their
root mean square but not centred: only then does the result not depend on the order.

Two designs have no finite, usable answer, and are named instead of printed as huge numbers:

* *collinear* factors, which the data cannot tell apart (variance inflation above
  :data:`COLLINEAR_VIF`). The other factors are still adjusted for what these have in common.
* *separated* factors, which decide every preference that they bear on, so that the likelihood grows
  without end. In that limit the pairs they decide are fitted perfectly and say nothing more; the
  other factors are estimated from the rest (Geyer 2009, Electronic Journal of Statistics 3).
  Separation is decided by a linear programme (Konis 2007), not guessed from large estimates.

Errors are robust to dependence within groups. The plain ones, on groups - 1 degrees of freedom,
reject too often where groups are few or differ in size, so they are corrected for what a group
pulls the fit towards itself (CR2), with degrees of freedom that its size and design leave
(Satterthwaite; Bell & McCaffrey 2002, Survey Methodology 28; Pustejovsky & Tipton 2018, Journal of
Business & Economic Statistics 36). statsmodels has neither.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import Estimate

# A factor whose variance inflation exceeds this shares over 99 % of its variation with the others:
# its standard error is ten times that of the same factor in an orthogonal design.
COLLINEAR_VIF = 100.0

# Variance inflation this large differs from an exact linear dependence by rounding only.
_EXACT_VIF = 1e8

# A standard error below this is zero but for rounding; manifestations are scaled to about 1.
_NO_ERROR = 1e-8

# A group with this much of a direction's leverage decides it alone, but for rounding.
_ALONE = 1e-9

# Separating directions come from a linear programme, scaled to a greatest coefficient of 1.
_DIRECTION_TOLERANCE = 1e-7


@dataclass(frozen=True, eq=False)
class AdjustedInfluence:
    """Coefficients of the logistic regression of the preference on all factors.

    Attributes:
        factors: the F factor names.
        coefficient: (F,) change of the log odds of being preferred per root mean square of the
            manifestation, the other factors fixed; NaN with a reason where there is none.
        low: (F,) lower end of the confidence interval.
        high: (F,) upper end.
        p_value: (F,) two-sided p-value of a zero coefficient.
        vif: (F,) variance inflation, uncentred, at least 1; infinite where the factor is an exact
            combination of others, NaN where it is not in the regression.
        n_pairs: pairs that the regression rests on: with a preference, with every factor known, and
            not decided by a separated factor.
        n_groups: groups among them.
        reasons: F entries: why the coefficient is NaN, or None.
        method: the method in words.

    """

    factors: tuple[str, ...]
    coefficient: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    p_value: NDArray[np.float64]
    vif: NDArray[np.float64]
    n_pairs: int
    n_groups: int
    reasons: tuple[str | None, ...]
    method: str

    def estimate(self, index: int) -> Estimate:
        """Return the coefficient of one factor with its interval."""
        return Estimate(
            float(self.coefficient[index]),
            float(self.low[index]),
            float(self.high[index]),
            "cluster-robust",
            self.reasons[index],
        )


def adjusted_influence(comparisons: Comparisons, confidence: float = 0.95) -> AdjustedInfluence:
    """Return every factor's influence with all other factors held fixed.

    Preference ties are dropped, and so are pairs with any factor missing, apart from factors that
    are missing or equal in every pair, which leave the regression. Errors are robust to dependence
    within groups (CR2), with t quantiles on each coefficient's own degrees of freedom.

    Args:
        comparisons: the table.
        confidence: coverage of the intervals, between 0 and 1.

    Returns:
        The coefficients. A factor has NaN and a reason where it never differs, is collinear or
        separated, or where there are fewer groups than factors in the regression plus one.

    Raises:
        ValueError: ``confidence`` is not between 0 and 1.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> manifestation = rng.choice([-1, 1], size=(400, 2))
        >>> utility = manifestation @ [1.5, -0.5] + rng.logistic(size=400)
        >>> table = Comparisons(
        ...     np.sign(utility), manifestation, np.zeros((400, 2), bool), np.arange(400) // 4,
        ...     ("length", "fluency"), "human",
        ... )
        >>> adjusted_influence(table).coefficient.round(1).tolist()
        [1.6, -0.5]

    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; it must lie between 0 and 1")
    factors = comparisons.factors
    reasons: list[str | None] = [None] * len(factors)
    design, group = _complete_pairs(comparisons, reasons)
    scale = _root_mean_square(design)
    vif = np.full(len(factors), np.nan)
    kept = np.array([index for index, reason in enumerate(reasons) if reason is None], dtype=int)
    differs = kept[design[:, kept].any(axis=0)]
    vif[differs] = _variance_inflation(design[:, differs])

    # Each round either ends or takes away the pairs that some factors decide.
    while True:
        kept = _drop_unidentified(design, kept, factors, reasons)
        n_groups = np.unique(group).size
        if n_groups < kept.size + 1:
            _explain(
                reasons,
                kept,
                f"{n_groups} groups for {kept.size} factors; "
                "the regression needs more groups than factors",
            )
            break
        direction = _separating_direction(design[:, kept])
        if direction is None:
            break
        involved = kept[np.abs(direction) > _DIRECTION_TOLERANCE]
        names = ", ".join(factors[index] for index in involved)
        _explain(reasons, involved, f"separated: every preference that {names} bears on follows it")
        undecided = design[:, kept] @ direction <= _DIRECTION_TOLERANCE
        design, group = design[undecided], group[undecided]

    estimates = np.full((4, len(factors)), np.nan)
    if any(reasons[index] is None for index in kept):
        estimates[:, kept] = _logit(design[:, kept] / scale[kept], group, confidence)
        undetermined = np.isnan(estimates[:, kept]).any(axis=0)
        _explain(reasons, kept[undetermined], "the regression found no estimate with an error")
        estimates[:, [reason is not None for reason in reasons]] = np.nan
    coefficient, low, high, p_value = estimates
    return AdjustedInfluence(
        factors=factors,
        coefficient=coefficient,
        low=low,
        high=high,
        p_value=p_value,
        vif=vif,
        n_pairs=len(design),
        n_groups=np.unique(group).size,
        reasons=tuple(reasons),
        method=(
            "logistic regression without intercept on manifestations scaled by their root mean "
            "square; cluster-robust by group (CR2), t on Satterthwaite's degrees of freedom, "
            f"{confidence:.0%}"
        ),
    )


def _complete_pairs(
    comparisons: Comparisons, reasons: list[str | None]
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return the oriented manifestations (m, F) and groups (m,) of the pairs that can be used.

    Every pair is turned so that its first response is the preferred one, which the model allows and
    which makes the result the same, to the last bit, however the pairs were given.
    """
    decided = comparisons.preference != 0
    missing = comparisons.missing[decided]
    oriented = comparisons.manifestation[decided] * comparisons.preference[decided][:, None]
    for index, unknown in enumerate(missing.T):
        if not decided.any():
            reasons[index] = "there are no pairs with a preference"
        elif unknown.all():
            reasons[index] = f"the factor is missing in all {unknown.size} pairs with a preference"
        elif not oriented[:, index].any():
            reasons[index] = "the factor never differs between two responses"
    used = [index for index, reason in enumerate(reasons) if reason is None]
    complete = ~missing[:, used].any(axis=1)
    if not complete.any():
        _explain(reasons, np.array(used, dtype=int), "no pair has all of the factors known")
    return oriented[complete].astype(np.float64), comparisons.group[decided][complete]


def _drop_unidentified(
    design: NDArray[np.float64],
    kept: NDArray[np.int_],
    factors: tuple[str, ...],
    reasons: list[str | None],
) -> NDArray[np.int_]:
    """Return the kept columns that are independent of each other, and explain the others.

    Of a collinear set all factors are explained, but only as many columns leave as it takes: the
    rest stay as controls, so that the other factors remain adjusted for the set.
    """
    differs = design[:, kept].any(axis=0)
    _explain(reasons, kept[~differs], "the factor differs in no pair left for the regression")
    kept = kept[differs]
    collinear = kept[_variance_inflation(design[:, kept]) > COLLINEAR_VIF]
    names = ", ".join(factors[index] for index in collinear)
    _explain(reasons, collinear, f"collinear: {names} cannot be told apart; leave out all but one")
    while (vif := _variance_inflation(design[:, kept])).max(initial=0.0) > COLLINEAR_VIF:
        kept = np.delete(kept, int(vif.argmax()))
    return kept


def _explain(reasons: list[str | None], indices: NDArray[np.int_], reason: str) -> None:
    """Give each index a reason; the first one found stands."""
    for index in indices:
        if reasons[index] is None:
            reasons[index] = reason


def _root_mean_square(design: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sqrt((design**2).sum(axis=0) / max(1, len(design))))


def _variance_inflation(design: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (k,) uncentred variance inflation factors of columns that are not all zero.

    These are the diagonal of the inverse of the columns' cosine matrix. Its eigenvectors give them
    even where there is no inverse: only factors that take part in a dependence become infinite.
    """
    if design.shape[1] == 0:
        return np.zeros(0)
    unit = design / np.linalg.norm(design, axis=0)
    eigenvalues, eigenvectors = np.linalg.eigh(unit.T @ unit)
    floor = len(eigenvalues) * np.finfo(np.float64).eps
    vif = (eigenvectors**2 / np.maximum(eigenvalues, floor)).sum(axis=1)
    return np.asarray(np.where(vif > _EXACT_VIF, np.inf, vif))


def _separating_direction(design: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return coefficients that contradict no pair and decide at least one, or None.

    Rows are oriented to the preferred response, so such coefficients b have ``design @ b >= 0`` in
    all rows and ``> 0`` in some; they exist exactly if the likelihood has no maximum (Albert &
    Anderson 1984, Biometrika 71).
    """
    from scipy.optimize import linprog

    if design.size == 0:
        return None
    rows = np.unique(design, axis=0)
    # Coefficients are the difference of two non-negative halves, which makes their size linear.
    halves = np.hstack([rows, -rows])
    gain = halves.sum(axis=0)
    no_pair_contradicted = np.zeros(len(rows))
    best = linprog(-gain, A_ub=-halves, b_ub=no_pair_contradicted, bounds=(0, 1))
    if best.status == 0 and gain @ best.x <= _DIRECTION_TOLERANCE:
        return None
    # Among all such directions the smallest one names the fewest factors.
    smallest = linprog(
        np.ones(gain.size),
        A_ub=-halves,
        b_ub=no_pair_contradicted,
        A_eq=gain[None, :],
        b_eq=[len(rows)],
    )
    if smallest.status != 0:
        raise RuntimeError(f"the linear programme for separation failed: {smallest.message}")
    plus, minus = np.split(np.asarray(smallest.x, dtype=np.float64), 2)
    return np.asarray((plus - minus) / np.abs(plus - minus).max())


def _logit(
    design: NDArray[np.float64], group: NDArray[np.int32], confidence: float
) -> NDArray[np.float64]:
    """Return (4, k): coefficient, its interval's ends and its p-value; NaN where there is none."""
    from scipy.special import stdtr, stdtrit
    from statsmodels.discrete.discrete_model import Logit

    # Rows are oriented to the preferred response, so that the outcome is 1 throughout.
    result = Logit(np.ones(len(design)), design).fit(disp=0, warn_convergence=False, maxiter=100)
    if not result.mle_retvals["converged"]:
        return np.full((4, design.shape[1]), np.nan)
    coefficient = np.asarray(result.params, dtype=np.float64)
    error, freedom = _cluster_errors(design, coefficient, group)
    # Groups that each balance exactly show no variance between groups, which is not certainty.
    error[error < _NO_ERROR] = np.nan
    margin = stdtrit(freedom, (1 + confidence) / 2) * error
    p_value = 2 * stdtr(freedom, -np.abs(coefficient) / error)
    return np.stack([coefficient, coefficient - margin, coefficient + margin, p_value])


def _cluster_errors(
    design: NDArray[np.float64], coefficient: NDArray[np.float64], group: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each coefficient's standard error (k,), CR2, and its degrees of freedom (k,).

    With X the design, W the weights of the last step of the fit and Z = W^1/2 X (X'WX)^-1/2, the
    hat matrix is ZZ'. CR2 multiplies the residuals of group g by (I - Z_g Z_g')^-1/2, which comes
    down to k x k matrices: that power times Z_g is Z_g times (I - Z_g'Z_g)^-1/2.
    """
    from scipy.special import expit

    residual = expit(-design @ coefficient)  # the outcome is 1 throughout
    spread = residual * (1 - residual)
    values, vectors = np.linalg.eigh((design * spread[:, None]).T @ design)
    root = vectors / np.sqrt(values) @ vectors.T  # (X'WX)^-1/2
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    rows = (design @ root)[order]
    scores = np.add.reduceat(rows * residual[order, None], starts)  # (groups, k)
    weighted = rows * spread[order, None]
    own = np.stack(  # Z_g'Z_g, (groups, k, k)
        [np.add.reduceat(rows * column[:, None], starts) for column in weighted.T], axis=1
    )
    leverage, axes = np.linalg.eigh(own)
    # A direction that one group alone decides is fitted without residual, and has no correction.
    room = np.where(leverage < 1 - _ALONE, 1 - leverage, np.inf)
    correction = axes / np.sqrt(room)[:, None, :] @ axes.transpose(0, 2, 1)
    corrected = np.einsum("gij,gj->gi", correction, scores) @ root
    error = np.sqrt((corrected**2).sum(axis=0))

    # Under independent pairs the variance of coefficient j is a quadratic form in the residuals
    # with the matrix diag(size) - pull pull' over groups, whose trace and squares are enough.
    own_corrected = correction @ root
    pull = own @ own_corrected  # (groups, k, k), one column a coefficient
    size = (own_corrected * pull).sum(axis=1)
    together = np.einsum("gij,gkj->jik", pull, pull)
    trace = size.sum(axis=0) - np.einsum("jii->j", together)
    squares = (
        (size**2).sum(axis=0)
        - 2 * (size * (pull**2).sum(axis=1)).sum(axis=0)
        + (together**2).sum(axis=(1, 2))
    )
    return error, np.divide(trace**2, squares, out=np.ones_like(trace), where=squares > 0)
