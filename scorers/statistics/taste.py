"""Two judges' tastes told apart from their consistency: profiles compared after one scale.

Somebody with the same weights and more noise follows every factor less, so two profiles that differ
may differ in consistency alone (docs/method.md). Where a judge prefers by a weighted sum of the
manifestations plus noise, of whatever distribution, more noise takes all influences down in about
one proportion: exactly so where each factor's mean given that sum is linear in it (Bussgang 1952).
So two judges of the same pairs with influences ``x, y`` have one taste if ``x = s t``, ``y = r t``.
With ``tan(angle) = s / r``, how consistent the first is beside the second, a factor's

    departure = sqrt(2) (cos(angle) x - sin(angle) y)

is 0 for one taste, and the plain difference ``x - y`` for judges of one consistency. The angle is
the one that the fewest factors depart from: it minimises the sum of squared departures over their
own errors, each counted at most up to where it is told from 0 (Talwar's loss), so that a factor
that departs does not pull the scale; where so few factors are left that they show no scale, all
count. Where these show none either, a factor departs if it does whatever the scale: at the angle at
which its departure is the least told. Two that follow one factor alike are never told apart then,
opposite ones are; by how much is not known without a scale, nor that it is little. Departures are
linear in the sums of each group, which gives their errors with that of the angle in them. What one
proportion leaves of one taste (:data:`CURVATURE`) is not counted as a departure.

Logistic regressions of both judges, compared coefficient by coefficient, are the alternative. In
simulations on real designs they called noise a taste as rarely, had no answer for up to a quarter
of studies of 20 groups, and found fewer differences of taste; and they need pairs with every factor
known. Of influences it is true that a factor that goes along with a departing one departs too.

Only for judges of the same pairs: influences on other texts differ with the texts.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import CONFIDENCE, MINIMUM_GROUPS, Estimate
from profile_tasks.scorers.statistics.influence import group_sums, ratio
from profile_tasks.scorers.statistics.significance import FactorTests, adjust_p_values

MARGIN = 0.1
"""Tastes are equivalent where every departure is shown to be smaller, in units of tau_14."""

LEVEL = 0.05
"""Of every test here; those of departures are adjusted by Holm over the factors."""

POWER = 0.8
"""The chance with which the smallest departure that would have shown is found."""

CURVATURE = 0.1
"""How far one taste departs from one proportion, as a share of the greatest common influence: a
judge almost without noise follows his strongest factor less than in proportion. In simulations on
real designs by up to so much times ``|cos(2 angle)|``, which is 0 for judges of one consistency."""

Verdict = Literal[
    "differs in taste",
    "differs in consistency",
    "equivalent in taste, differs in consistency",
    "equivalent",
    "undecided",
]
EQUIVALENT: tuple[Verdict, ...] = ("equivalent", "equivalent in taste, differs in consistency")
"""The verdicts that say that tastes are equivalent."""

# Angles that are tried: every half degree, then twice ten times finer about the best.
_ANGLES = np.linspace(0, np.pi / 2, 181)
_FINER = np.linspace(-1, 1, 21)

_NO_SCALE = "the two profiles' common part is not told from noise, so no scale is known"


@dataclass(frozen=True, eq=False)
class TasteDifference:
    """What two judges' profiles differ in after one scale.

    Attributes:
        factors: the F factor names.
        departures: F departures, first judge less second, in [-sqrt(2), sqrt(2)], with intervals of
            ``CONFIDENCE``; NaN with a reason where there is none, as without a scale.
        p_value: (F,) two-sided, of a departure of at most ``tolerance``; without a scale at
            the scale where it is told least.
        p_holm: (F,) adjusted by Holm.
        p_equivalent: (F,) of a departure of ``margin`` or more: the greater of two one-sided tests
            (Schuirmann 1987); NaN without a scale.
        smallest: (F,) smallest departure that is found with chance ``POWER``, if it alone differs;
            NaN without a scale, where the size does not decide what is found.
        verdicts: F verdicts. A factor "differs in consistency" where its plain difference is told
            from 0, its departure is not, and the judges' consistency differs; it may be equivalent
            in taste beside that.
        tolerance: the departure that one taste may show for the curvature of its scale.
        consistency: how many times as consistent the first judge is as the second, above 0; NaN
            without a scale, with the reason.
        verdict: of the whole. Tastes are equivalent where they are in every factor.
        margin: the departure that equivalence excludes.
        family: which tests were adjusted together, in words.
        method: in words.

    """

    factors: tuple[str, ...]
    departures: tuple[Estimate, ...]
    p_value: NDArray[np.float64]
    p_holm: NDArray[np.float64]
    p_equivalent: NDArray[np.float64]
    smallest: NDArray[np.float64]
    verdicts: tuple[Verdict, ...]
    tolerance: float
    consistency: Estimate
    verdict: Verdict
    margin: float
    family: str
    method: str


def taste_difference(
    first: Comparisons, second: Comparisons, raw: FactorTests, *, margin: float = MARGIN
) -> TasteDifference:
    """Compare two judges' tastes after one scale.

    Args:
        first: preferences of one judge.
        second: those of another on the same pairs; a group code means the same source in both.
        raw: the tests of their plain differences (``difference_tests``), with the same factors.
        margin: see :data:`MARGIN`; above 0.

    Returns:
        The departures with their verdicts. A factor has none where it has no plain difference, or
        where either judge's influence rests on fewer than ``MINIMUM_GROUPS`` groups. With fewer
        than two factors left nothing can be told: one factor's scale is its influence.

    Raises:
        ValueError: the factors differ, or ``margin`` is not above 0.

    Example:
        >>> from profile_tasks.scorers.statistics.significance import difference_tests
        >>> rng = np.random.default_rng(0)
        >>> signs = rng.choice([-1, 1], (4000, 3))
        >>> judges = [
        ...     Comparisons(
        ...         np.sign(signs @ [1.0, -0.5, 0.3] + noise * rng.logistic(size=4000)), signs,
        ...         np.zeros((4000, 3), bool), np.arange(4000) // 4, ("a", "b", "c"), whose,
        ...     )
        ...     for noise, whose in ((0.5, "discrimination"), (2.0, "human"))
        ... ]
        >>> found = taste_difference(*judges, difference_tests(*judges))
        >>> found.verdict, f"{found.consistency.value:.1f}"
        ('equivalent in taste, differs in consistency', '2.6')

    """
    if not first.factors == second.factors == raw.factors:
        raise ValueError(
            f"the factors differ: {', '.join(first.factors)}; {', '.join(second.factors)}; "
            f"{', '.join(raw.factors)}"
        )
    if not margin > 0:
        raise ValueError(f"margin is {margin}; it must lie above 0")
    n_groups = max(int(table.group.max(initial=-1)) + 1 for table in (first, second))
    from scipy.special import stdtr, stdtrit

    sums = [group_sums(table, n_groups) for table in (first, second)]
    reasons = _reasons(raw, [counted for _, counted in sums])
    known = np.array([reason is None for reason in reasons], dtype=np.bool_)
    judges = [_Judge.of(net[:, known], counted[:, known]) for net, counted in sums]
    if known.any():
        fitted, tolerance, consistency = _after_one_scale(*judges)
    else:
        fitted, tolerance = np.zeros((3, 0)), 0.0
        consistency = Estimate.undefined("; ".join(filter(None, dict.fromkeys(reasons))))
    departure, error, freedom = every = np.full((3, known.size), np.nan)
    every[:, known] = fitted
    beyond, within = tolerance - np.abs(departure), -tolerance - np.abs(departure)
    p_value = np.minimum(1, stdtr(freedom, beyond / error) + stdtr(freedom, within / error))
    p_holm = adjust_p_values(p_value, "holm")
    if not consistency.defined:  # that a factor departs at every scale is all that is told
        error = np.full_like(error, np.nan)
        reasons = [reason or consistency.reason for reason in reasons]
    p_equivalent = stdtr(freedom, -(margin - np.abs(departure)) / error)
    tested = max(1, int(np.count_nonzero(known)))
    told = stdtrit(freedom, 1 - LEVEL / (2 * tested)) + stdtrit(freedom, POWER)
    ends = stdtrit(freedom, (1 + CONFIDENCE) / 2) * error
    inconsistent = consistency.has_interval and not consistency.low <= 1 <= consistency.high
    verdicts = tuple(
        _verdict(bool(p_holm[i] < LEVEL), bool(raw.p_holm[i] < LEVEL) and inconsistent, bool(same))
        for i, same in enumerate(p_equivalent < LEVEL)
    )
    departures = tuple(
        Estimate(
            float(departure[i]),
            float(departure[i] - ends[i]),
            float(departure[i] + ends[i]),
            _METHOD,
        )
        if reason is None
        else Estimate.undefined(reason)
        for i, reason in enumerate(reasons)
    )
    return TasteDifference(
        factors=first.factors,
        departures=departures,
        p_value=p_value,
        p_holm=p_holm,
        p_equivalent=p_equivalent,
        smallest=tolerance + told * error,
        verdicts=verdicts,
        tolerance=tolerance,
        consistency=consistency,
        verdict=_verdict(
            "differs in taste" in verdicts,
            inconsistent,
            bool(known.any() and (p_equivalent < LEVEL).all()),
        ),
        margin=margin,
        family=f"departures after one scale: {np.count_nonzero(known)} factors",
        method=_METHOD,
    )


@dataclass(frozen=True, eq=False)
class _Judge:
    """One judge's influences, linear in what each group adds.

    Attributes:
        tau: (F,).
        rows: (G, F), with ``rows.T @ rows`` the covariance of tau. A group pulls tau towards
            itself, and what that takes of its part is given back (CR2).
        counted: (G, F), pairs.

    """

    tau: NDArray[np.float64]
    rows: NDArray[np.float64]
    counted: NDArray[np.float64]

    @classmethod
    def of(cls, net: NDArray[np.float64], counted: NDArray[np.float64]) -> "_Judge":
        total = counted.sum(axis=0)
        tau = ratio(net.sum(axis=0), total)
        rows = (net - tau * counted) / total / np.sqrt(1 - counted / total)
        return cls(tau, rows, counted)


def _after_one_scale(first: _Judge, second: _Judge) -> tuple[NDArray[np.float64], float, Estimate]:
    """Fit the angle that the fewest factors depart from, or all depart from the least.

    Returns:
        (3, F): departures, their errors and degrees of freedom; their tolerance; the consistency.

    """
    from scipy.special import stdtrit

    counted = first.counted + second.counted
    # Pairs of a group speak alike, so that groups of unequal size count for fewer equal ones.
    freedom = np.maximum(1, counted.sum(axis=0) ** 2 / (counted**2).sum(axis=0) - 1)
    # Judges who never disagree leave no spread, which is not certainty: one more pair might.
    fewest_pairs = np.minimum(first.counted.sum(axis=0), second.counted.sum(axis=0))
    least = np.sqrt(2) / fewest_pairs
    told = stdtrit(freedom, 1 - LEVEL / (2 * freedom.size))

    def departures(angle: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return departures and their errors (A, F) at these angles (A,), without the sqrt(2)."""
        cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
        variance = (
            cos**2 * (first.rows**2).sum(axis=0)
            - 2 * cos * sin * (first.rows * second.rows).sum(axis=0)
            + sin**2 * (second.rows**2).sum(axis=0)
        )
        return cos * first.tau - sin * second.tau, np.sqrt(np.maximum(variance, least**2))

    for bound in (
        told,
        np.full_like(told, np.inf),
    ):  # all factors together, where few show no scale
        angle, step = 0.0, _ANGLES[1]
        for tried in (_ANGLES, _FINER, _FINER / 10):
            angles = tried if tried is _ANGLES else np.clip(angle + step * tried, 0, np.pi / 2)
            departed, error = departures(angles)
            loss = np.minimum((departed / error) ** 2, bound**2).sum(axis=1)
            angle = float(angles[loss.argmin()])
        departed, error = (each[0] for each in departures(np.array([angle])))

        cos, sin = math.cos(angle), math.sin(angle)
        common = sin * first.tau + cos * second.tau  # how fast departures change with the angle
        noise = ((sin * first.rows + cos * second.rows) ** 2).sum(axis=0)
        weight = np.where(np.abs(departed) < bound * error, 1 / error**2, 0)
        rows = cos * first.rows - sin * second.rows
        # What holds the angle is the square of the common part, less what its noise adds to that.
        signal = float(weight @ (common**2 - noise))
        consistency = Estimate.undefined(_NO_SCALE)
        if signal > 0:
            pull = weight * common / signal
            turned = rows @ pull
            spread = math.sqrt(max(turned @ turned, (pull * least) @ (pull * least)))
            consistency = _consistency(angle, spread, float(np.median(freedom)))
        if consistency.defined:
            rows -= np.outer(turned, common)
            error = np.maximum(np.sqrt((rows**2).sum(axis=0)), least)
            break
    else:  # whatever the scale: each factor at the angle at which its departure is the least told
        departed, error = departures(_ANGLES)
        least_told = np.abs(departed / error).argmin(axis=0)[None]
        departed, error = (
            np.take_along_axis(each, least_told, axis=0)[0] for each in (departed, error)
        )
    scale = math.sqrt(2)
    tolerance = scale * CURVATURE * abs(math.cos(2 * angle)) * float(np.abs(common).max())
    return np.stack([scale * departed, scale * error, freedom]), tolerance, consistency


def _consistency(angle: float, error: float, freedom: float) -> Estimate:
    """Return the tangent of the angle, with the tangents of its ends."""
    from scipy.special import stdtrit

    margin = float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * error
    if not 0 < angle - margin <= angle + margin < np.pi / 2:
        return Estimate.undefined(_NO_SCALE)
    return Estimate(math.tan(angle), math.tan(angle - margin), math.tan(angle + margin))


_METHOD = (
    "difference after one scale a judge; linearised, cluster-robust by group, t on the effective "
    "number of groups - 1"
)


def _verdict(taste: bool, consistency: bool, equivalent: bool) -> Verdict:
    if taste:
        return "differs in taste"
    if consistency:
        return EQUIVALENT[1] if equivalent else "differs in consistency"
    return EQUIVALENT[0] if equivalent else "undecided"


def _reasons(raw: FactorTests, counted: list[NDArray[np.float64]]) -> list[str | None]:
    """Return for each factor why it cannot be compared, or None."""
    fewest = np.min([np.count_nonzero(pairs, axis=0) for pairs in counted], axis=0)
    reasons = [
        f"groups: {n}; tastes are compared from {MINIMUM_GROUPS} on"
        if why is None and n < MINIMUM_GROUPS
        else why
        for why, n in zip(raw.reasons, fewest, strict=True)
    ]
    if reasons.count(None) == 1:
        reasons[reasons.index(None)] = "one factor: its influence cannot be told from the scale"
    return reasons
