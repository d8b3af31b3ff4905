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
  Separation is decided by a linear programme (Konis 2007), not guessed from large estimates; where
  the likelihood is seen to have a maximum, there is none, and nothing is left to decide.

What systems differ in beside the factors may be held fixed too: one strength a system, oriented
like the factors (``systems``). Factors that only tell systems apart are then collinear with them,
and a system that always wins is a separation like any other.

Errors are robust to dependence within groups. The plain ones, on groups - 1 degrees of freedom,
reject too often where groups are few or differ in size, so they are corrected for what a group
pulls the fit towards itself (CR2), with degrees of freedom that its size and design leave
(Satterthwaite; Bell & McCaffrey 2002, Survey Methodology 28; Pustejovsky & Tipton 2018, Journal of
Business & Economic Statistics 36).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import Estimate, added_variance
from profile_tasks.scorers.statistics.systems import (
    FEW_GROUPS,
    HIGH_SHARE,
    MINIMUM_REPEATS,
    PAIRS_A_COEFFICIENT,
    UNNAMED,
    Strengths,
    SystemControl,
    Systems,
    groups_by_system,
    named,
    share_of_systems,
    strengths,
)

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

# Newton's method takes some seven steps to a maximum; one that is not there is not looked for long.
_NEWTON_STEPS = 30

# Steps in log-odds: so near a maximum Newton's own is right, and none is left. A gradient above
# the level says that the search failed.
_SHORT_STEP = 1e-4
_LAST_STEP = 1e-13
_LEVEL_GRADIENT = 1e-6


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
        error: (F,) standard error.
        freedom: (F,) its degrees of freedom.
        vif: (F,) variance inflation, uncentred, at least 1; infinite where the factor is an exact
            combination of others, NaN where it is not in the regression.
        n_pairs: pairs that the regression rests on: with a preference, with every factor known, and
            not decided by a separated factor.
        n_groups: groups among them.
        reasons: F entries: why the coefficient, or its interval, is NaN, or None.
        method: the method in words.
        control: what the control of systems rests on; None where they were not controlled for.

    """

    factors: tuple[str, ...]
    coefficient: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    p_value: NDArray[np.float64]
    error: NDArray[np.float64]
    freedom: NDArray[np.float64]
    vif: NDArray[np.float64]
    n_pairs: int
    n_groups: int
    reasons: tuple[str | None, ...]
    method: str
    control: SystemControl | None = None

    def estimate(self, index: int) -> Estimate:
        """Return the coefficient of one factor with its interval."""
        return Estimate(
            float(self.coefficient[index]),
            float(self.low[index]),
            float(self.high[index]),
            "cluster-robust",
            self.reasons[index],
        )

    def with_spread(
        self, rows: NDArray[np.float64], confidence: float = 0.95
    ) -> "AdjustedInfluence":
        """Return the influences whose errors bear how much the graders of a panel differ.

        Args:
            rows: (K, F), of which the squares sum to the variance between panels of K graders; NaN
                where a panel without one of them leaves the coefficient undefined, so that there
                is no interval.
            confidence: coverage of the intervals, between 0 and 1.
        """
        variance, freedom = added_variance(
            self.error**2, self.freedom, np.square(rows).sum(axis=0), len(rows) - 1
        )
        low, high, p_value = t_interval(self.coefficient, np.sqrt(variance), freedom, confidence)
        unknown = "without one of the graders there is no estimate, so their spread is not known"
        return replace(
            self,
            low=low,
            high=high,
            p_value=p_value,
            error=np.sqrt(variance),
            freedom=freedom,
            reasons=tuple(
                unknown if reason is None and np.isnan(v) else reason
                for reason, v in zip(self.reasons, variance, strict=True)
            ),
            method=f"{self.method}; with the spread of graders",
        )


def t_interval(
    coefficient: NDArray[np.float64],
    error: NDArray[np.float64],
    freedom: NDArray[np.float64],
    confidence: float,
) -> NDArray[np.float64]:
    """Return (3, F): both ends of Student's intervals of coefficients, and their p-values.

    Args:
        coefficient: (F,).
        error: (F,) standard errors.
        freedom: (F,) their degrees of freedom.
        confidence: coverage of the intervals, between 0 and 1.
    """
    from scipy.special import stdtr, stdtrit

    margin = stdtrit(freedom, (1 + confidence) / 2) * error
    p_value = 2 * stdtr(freedom, -np.abs(coefficient) / error)
    return np.stack([coefficient - margin, coefficient + margin, p_value])


def adjusted_influence(
    comparisons: Comparisons, confidence: float = 0.95, systems: Systems | None = None
) -> AdjustedInfluence:
    """Return every factor's influence with all other factors held fixed.

    Preference ties are dropped, and so are pairs with any factor missing, apart from factors that
    are missing or equal in every pair, which leave the regression. Errors are robust to dependence
    within groups (CR2), with t quantiles on each coefficient's own degrees of freedom.

    Args:
        comparisons: the table.
        confidence: coverage of the intervals, between 0 and 1.
        systems: who wrote the two responses of each row. Their strengths are held fixed too, and
            pairs that do not name both are dropped and counted.

    Returns:
        The coefficients. A factor has NaN and a reason where it never differs, is collinear or
        separated, cannot be told from the strength of systems, or where there are fewer groups
        than coefficients in the regression plus one.

    Raises:
        ValueError: ``confidence`` is not between 0 and 1, or ``systems`` has other rows.

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
    n = len(comparisons.preference)
    if systems is not None and len(systems.code) != n:
        raise ValueError(f"systems has {len(systems.code)} rows; expected {n}, one a pair")
    factors = comparisons.factors
    reasons: list[str | None] = [None] * len(factors)
    pairs = _complete_pairs(comparisons, systems, reasons)
    scale = _root_mean_square(pairs.design)
    vif = np.full(len(factors), np.nan)
    kept = np.array([index for index, reason in enumerate(reasons) if reason is None], dtype=int)
    differs = kept[pairs.design[:, kept].any(axis=0)]
    start = np.hstack([pairs.design[:, differs], pairs.strengths.columns])
    vif[differs] = _variance_inflation(start)[: differs.size]
    decided = _Decided()

    # Each round either ends or takes away the pairs that some factors or systems decide.
    while True:
        kept = _drop_unidentified(pairs, kept, factors, reasons)
        design = np.hstack([pairs.design[:, kept], pairs.strengths.columns])
        n_groups = np.unique(pairs.group).size
        if n_groups < design.shape[1] + 1:
            of_systems = f" and {pairs.strengths.n_systems} systems" if systems else ""
            _explain(
                reasons,
                kept,
                f"{n_groups} groups for {kept.size} factors{of_systems}; "
                f"the regression needs more groups than {'coefficients' if systems else 'factors'}",
            )
            break
        if design.size == 0:
            break
        direction = separating_direction(design, fit := _fitted(design))
        if direction is None:
            break
        involved = kept[np.abs(direction[: kept.size]) > _DIRECTION_TOLERANCE]
        names = ", ".join(factors[index] for index in involved)
        apart = pairs.strengths.apart(direction[kept.size :], _DIRECTION_TOLERANCE)
        if systems is not None and apart:
            names += f" with the system {named([systems.names[code] for code in apart])}"
        _explain(reasons, involved, f"separated: every preference that {names} bears on follows it")
        left = design @ direction <= _DIRECTION_TOLERANCE
        if not involved.size:
            decided.systems += apart
            decided.n_pairs += int((~left).sum())
        pairs = pairs.where(left)

    estimates = np.full((6, len(factors)), np.nan)
    if any(reasons[index] is None for index in kept):
        scales = np.append(scale[kept], np.ones(design.shape[1] - kept.size))
        estimates[:, kept] = clustered_logit(
            design / scales, pairs.group, confidence, kept.size, fit[0] * scales
        )
        undetermined = np.isnan(estimates[:, kept]).any(axis=0)
        _explain(reasons, kept[undetermined], "the regression found no estimate with an error")
        estimates[:, [reason is not None for reason in reasons]] = np.nan
    coefficient, low, high, p_value, error, freedom = estimates
    controlled = "" if systems is None else ", with one strength a system"
    return AdjustedInfluence(
        factors=factors,
        coefficient=coefficient,
        low=low,
        high=high,
        p_value=p_value,
        error=error,
        freedom=freedom,
        vif=vif,
        n_pairs=len(pairs.design),
        n_groups=np.unique(pairs.group).size,
        reasons=tuple(reasons),
        method=(
            "logistic regression without intercept on manifestations scaled by their root mean "
            f"square{controlled}; cluster-robust by group (CR2), t on Satterthwaite's degrees of "
            f"freedom, {confidence:.0%}"
        ),
        control=(
            None if systems is None else _control(comparisons, systems, pairs, decided, reasons)
        ),
    )


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Pairs turned so that the first response is the preferred one.

    Attributes:
        design: (m, F) manifestations.
        group: (m,) group codes, rising.
        code: (m, 2) systems. Without control all pairs are of one system, whose strength cancels.
        n_systems: how many codes there are.

    """

    design: NDArray[np.float64]
    group: NDArray[np.int32]
    code: NDArray[np.int32]
    n_systems: int

    @cached_property
    def strengths(self) -> Strengths:
        """One column a system, as far as they can be told apart."""
        return strengths(self.code, self.n_systems)

    @cached_property
    def share(self) -> NDArray[np.float64]:
        """(F,) share of each factor's variance that systems explain."""
        return share_of_systems(self.design, self.code, self.n_systems)

    def where(self, rows: NDArray[np.bool_]) -> "_Pairs":
        return _Pairs(self.design[rows], self.group[rows], self.code[rows], self.n_systems)


@dataclass
class _Decided:
    """Systems that always won or always lost, and the pairs that this decides."""

    systems: list[int] = field(default_factory=list)
    n_pairs: int = 0


def _complete_pairs(
    comparisons: Comparisons, systems: Systems | None, reasons: list[str | None]
) -> _Pairs:
    """Return the pairs that can be used, each turned so that its first response is preferred.

    The model allows it, and it makes the result the same, to the last bit, however the pairs were
    given. So does the order by group, and within one by what the pairs show.
    """
    usable = comparisons.preference != 0
    why = "there are no pairs with a preference"
    if systems is not None and usable.any():
        usable &= (systems.code != UNNAMED).all(axis=1)
        why = "no pair with a preference names both of its systems"
    preference, missing = comparisons.preference[usable], comparisons.missing[usable]
    oriented = comparisons.manifestation[usable] * preference[:, None]
    for index, unknown in enumerate(missing.T):
        if not usable.any():
            reasons[index] = why
        elif unknown.all():
            reasons[index] = f"the factor is missing in all {unknown.size} pairs with a preference"
        elif not oriented[:, index].any():
            reasons[index] = "the factor never differs between two responses"
    used = [index for index, reason in enumerate(reasons) if reason is None]
    complete = ~missing[:, used].any(axis=1)
    if not complete.any():
        _explain(reasons, np.array(used, dtype=int), "no pair has all of the factors known")
    code = np.zeros((len(preference), 2), np.int32)
    if systems is not None:
        code = np.where(
            preference[:, None] > 0, systems.code[usable], systems.code[usable][:, ::-1]
        )
    group = comparisons.group[usable]
    rows = np.flatnonzero(complete)
    rows = rows[np.lexsort((*code[rows].T, *oriented[rows].T, group[rows]))]
    return _Pairs(
        oriented[rows].astype(np.float64),
        group[rows],
        code[rows],
        1 if systems is None else len(systems.names),
    )


def _drop_unidentified(
    pairs: _Pairs, kept: NDArray[np.int_], factors: tuple[str, ...], reasons: list[str | None]
) -> NDArray[np.int_]:
    """Return the kept factors that are independent of each other, and explain the others.

    Of a collinear set all factors are explained, but only as many columns leave as it takes: the
    rest stay as controls, so that the other factors remain adjusted for the set.
    """
    design, strength = pairs.design, pairs.strengths.columns
    differs = design[:, kept].any(axis=0)
    _explain(reasons, kept[~differs], "the factor differs in no pair left for the regression")
    kept = kept[differs]
    collinear = kept[_variance_inflation(design[:, kept]) > COLLINEAR_VIF]
    names = ", ".join(factors[index] for index in collinear)
    _explain(reasons, collinear, f"collinear: {names} cannot be told apart; leave out all but one")

    def inflation() -> NDArray[np.float64]:
        return _variance_inflation(np.hstack([design[:, kept], strength]))[: kept.size]

    # What differs between systems only may still not be a sum of strengths: that alone would tell
    # the factor from strength.
    between = pairs.share[kept] > 1 - 1 / COLLINEAR_VIF
    _explain(
        reasons,
        kept[between | (inflation() > COLLINEAR_VIF)],
        "collinear with the systems: within pairs of the same two systems the factor does not "
        "vary enough to be told from their strength",
    )
    while (vif := inflation()).max(initial=0.0) > COLLINEAR_VIF:
        kept = np.delete(kept, int(vif.argmax()))
    return kept


def _control(
    comparisons: Comparisons,
    systems: Systems,
    pairs: _Pairs,
    decided: _Decided,
    reasons: Sequence[str | None],
) -> SystemControl:
    """Return what the control of systems rests on.

    Args:
        comparisons: the whole table.
        systems: its systems.
        pairs: what is left for the regression.
        decided: what was left out because who wrote it decides it.
        reasons: why a factor has no coefficient.
    """
    unnamed = (systems.code[comparisons.preference != 0] == UNNAMED).sum(axis=1)
    n_unnamed, n_half = int((unnamed == 2).sum()), int((unnamed == 1).sum())
    n_same = int((pairs.code[:, 0] == pairs.code[:, 1]).sum())
    sets, names, share = pairs.strengths.sets, systems.names, pairs.share
    n_coefficients = sum(reason is None for reason in reasons) + pairs.strengths.columns.shape[1]
    cautions = []
    if n_unnamed or n_half:
        cautions.append(
            f"left out: {n_unnamed} pairs that name no system, {n_half} that name only one"
        )
    if n_same:
        cautions.append(f"{n_same} pairs are of one system; strength says nothing in them")
    if decided.systems:
        told = named([names[code] for code in dict.fromkeys(decided.systems)])
        cautions.append(
            f"separated: {told} always won, or always lost, against the other systems; that "
            f"strength has no end, and {decided.n_pairs} decided pairs say nothing of the factors"
        )
    if len(sets) > 1:
        cautions.append(
            f"the systems fall into {len(sets)} sets that never meet; strengths are held fixed "
            "within each"
        )
    if len(pairs.design) and np.isnan(share).all():
        cautions.append(
            f"fewer than {MINIMUM_REPEATS} pairs are of two systems that met before: whether a "
            "factor varies within them cannot be told, and strengths that add up are taken on trust"
        )
    cautions += [
        f"{factor}: systems explain {each:.0%} of its variance; only the rest tells it from "
        "strength"
        for factor, each, reason in zip(comparisons.factors, share, reasons, strict=True)
        if reason is None and each > HIGH_SHARE
    ]
    count = groups_by_system(pairs.code, pairs.group, len(names))
    if few := [name for name, n in zip(names, count, strict=True) if 0 < n < FEW_GROUPS]:
        cautions.append(
            f"{len(few)} systems are in fewer than {FEW_GROUPS} groups, so their strength is "
            f"hardly known: {named(few)}"
        )
    if 0 < len(pairs.design) < PAIRS_A_COEFFICIENT * n_coefficients:
        cautions.append(
            f"{len(pairs.design)} pairs for {n_coefficients} coefficients: with fewer than "
            f"{PAIRS_A_COEFFICIENT} pairs for each, estimates run too far from 0"
        )
    return SystemControl(
        share, pairs.strengths.n_systems, n_unnamed, n_half, n_same, len(sets), tuple(cautions)
    )


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


def separating_direction(
    design: NDArray[np.float64], fit: "_Fit | None" = None
) -> NDArray[np.float64] | None:
    """Return coefficients that contradict no pair and decide at least one, or None.

    Rows are oriented to the preferred response, so such coefficients b have ``design @ b >= 0`` in
    all rows and ``> 0`` in some; they exist exactly if the likelihood has no maximum (Albert &
    Anderson 1984, Biometrika 71).
    """
    if design.size == 0 or _has_a_maximum(fit or _fitted(design)):
        return None
    from scipy.optimize import linprog

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


def _has_a_maximum(fit: "_Fit") -> bool:
    """Whether Newton's steps come so near a maximum of the likelihood that no pair is separated.

    At any coefficients pair i is lost with a chance w_i > 0, and the gradient is X'w. A direction d
    of coefficients up to 1 that contradicts no pair has ``min(w) * sum(X d) <= w'X d <= |X'w|_1``:
    a gradient that small leaves it nothing to decide. False where the steps do not show it.
    """
    _, lost, gradient = fit
    return bool(np.abs(gradient).sum() <= _DIRECTION_TOLERANCE * lost.min())


_Fit = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def _fitted(design: NDArray[np.float64], start: NDArray[np.float64] | None = None) -> _Fit:
    """Return coefficients after Newton's steps, each pair's chance to be lost, and the gradient.

    Rows are oriented to the preferred response, so that the outcome is 1 throughout.
    """
    coefficient = np.zeros(design.shape[1]) if start is None else start
    for _ in range(_NEWTON_STEPS):
        lost = np.exp(-np.logaddexp(0, design @ coefficient))  # no overflow at either end
        gradient = design.T @ lost
        curvature = design.T @ (design * (lost * (1 - lost))[:, None])
        try:
            step = np.linalg.solve(curvature, gradient)
        except np.linalg.LinAlgError:
            break
        if np.abs(step).max() <= _LAST_STEP:
            break
        # Far from the maximum, never beyond where the likelihood falls again.
        reached = _log_likelihood(design @ coefficient)
        while np.abs(step).max() > _SHORT_STEP and not (
            _log_likelihood(design @ (coefficient + step)) >= reached
        ):
            step = step / 2
        coefficient = coefficient + step
    return coefficient, lost, gradient


def _log_likelihood(utility: NDArray[np.float64]) -> float:
    return -float(np.logaddexp(0, -utility).sum())


def clustered_logit(
    design: NDArray[np.float64],
    group: NDArray[np.int32],
    confidence: float,
    count: int,
    start: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return the first coefficients of a logistic regression without intercept, robust by group.

    Args:
        design: (n, K) each row oriented to the preferred response; separation must be ruled out.
        group: (n,) group codes, rising.
        confidence: coverage of the intervals, between 0 and 1.
        count: how many of the coefficients.
        start: (K,) coefficients near the maximum, where some are known.

    Returns:
        (6, count): coefficients, both ends of their intervals, p-values, standard errors, their
        degrees of freedom; NaN where there is none.
    """
    every, _, gradient = _fitted(design, start)
    if not np.abs(gradient).max(initial=0.0) <= _LEVEL_GRADIENT:
        return np.full((6, count), np.nan)
    error, freedom = _cluster_errors(design, every, group, count)
    # Groups that each balance exactly show no variance between groups, which is not certainty.
    error[error < _NO_ERROR] = np.nan
    coefficient = every[:count]
    return np.vstack(
        [coefficient, t_interval(coefficient, error, freedom, confidence), error, freedom]
    )


def _cluster_errors(
    design: NDArray[np.float64],
    coefficient: NDArray[np.float64],
    group: NDArray[np.int32],
    count: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the first coefficients' standard errors (count,), CR2, and degrees of freedom.

    With X the design, W the weights of the last step of the fit and Z = W^1/2 X (X'WX)^-1/2, the
    hat matrix is ZZ'. CR2 multiplies the residuals of group g by (I - Z_g Z_g')^-1/2. The rows of
    a group stand together.
    """
    utility = design @ coefficient
    # The outcome is 1 throughout; residuals are over the root of their variance.
    residual, spread = np.exp(-utility / 2), 1 / (2 * np.cosh(utility / 2))
    weighted = design * spread[:, None]
    values, vectors = np.linalg.eigh(weighted.T @ weighted)
    root = vectors / np.sqrt(values) @ vectors.T  # (X'WX)^-1/2
    hat = weighted @ root  # Z
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    sizes = np.diff(starts, append=len(group))
    pull = np.empty((len(group), count))  # of each residual on each coefficient
    for size in np.unique(sizes):
        rows = starts[sizes == size][:, None] + np.arange(size)
        pull[rows] = _corrected(hat[rows]) @ root[:, :count]
    error = np.sqrt((np.add.reduceat(pull * residual[:, None], starts) ** 2).sum(axis=0))

    # Under independent pairs the variance of coefficient j is a quadratic form in the residuals
    # with the matrix diag(size) - fitted fitted' over groups, whose trace and squares are enough.
    trace, squares = np.empty(count), np.empty(count)
    for j in range(count):
        size = np.add.reduceat(pull[:, j] ** 2, starts)
        fitted = np.add.reduceat(hat * pull[:, j, None], starts)  # (groups, k)
        own, together = (fitted**2).sum(axis=1), fitted.T @ fitted
        trace[j] = (size - own).sum()
        squares[j] = (size**2 - 2 * size * own).sum() + (together**2).sum()
    return error, np.divide(trace**2, squares, out=np.ones_like(trace), where=squares > 0)


def _corrected(hat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (I - Z_g Z_g')^-1/2 Z_g of groups of one size, (groups, size, k).

    By the smaller of Z_g Z_g' and Z_g'Z_g: the power of the one times Z_g is Z_g times that of the
    other.
    """
    turned = hat.transpose(0, 2, 1)
    small = hat.shape[1] <= hat.shape[2]
    leverage, axes = np.linalg.eigh(hat @ turned if small else turned @ hat)
    # A direction that one group alone decides is fitted without residual, and has no correction.
    room = np.where(leverage < 1 - _ALONE, 1 - leverage, np.inf)
    power = axes / np.sqrt(room)[:, None, :] @ axes.transpose(0, 2, 1)
    return np.asarray(power @ hat if small else hat @ power)
