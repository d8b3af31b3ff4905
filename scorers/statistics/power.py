"""Power: how many sources a study needs, found by simulating studies.

A study of n sources is a draw of n sources, with replacement, from a population of them: the groups
of a pilot, or sources made up from stated assumptions. Whole sources are drawn, because pairs of
one source are not independent (docs/method.md). tau_14 is a ratio of sums over sources, so all that
a simulated study needs are sums of each source's ``C - D`` and ``C + D + T``, of their squares and
of their products: multinomial weights times one matrix.

* **Interval.** Half its width is ``t * se``: se is the linearised, cluster-robust standard error of
  a ratio (Cochran 1977, Sampling Techniques, chapter 6), t the quantile of Student's t with one
  degree less than there are sources. The percentile bootstrap of ``estimate`` gives the same
  width but for the noise of its replicates and, in small studies, a factor close to 1; it would
  take a bootstrap within every simulated study.
* **Test against 0.** The sign-flip test of ``significance``, by its normal approximation:
  ``z = sum(net) / sqrt(sum(net ** 2))``, and no p-value below ``2 / 2**k`` of k sources.
* **Difference of two judges** on the same sources: the paired t-test of their linearised taus.

The influence and the difference that are to be found are set by shifting every source alike, which
leaves the spread of the sources about them as it is.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.estimate import MINIMUM_GROUPS
from profile_tasks.scorers.statistics.influence import ratio
from profile_tasks.scorers.statistics.simulated_studies import (
    JudgeSums,
    StudySums,
    difference_variance,
    simulated_studies,
    tau_variance,
)
from profile_tasks.scorers.statistics.source_population import NO_SPREAD, SourcePopulation

Goal = Literal["width", "influence", "difference"]

LEVEL = 0.05
"""Of the tests; the intervals cover 1 - LEVEL."""

DEFAULT_SOURCES = (20, 50, 100, 200, 500, 1000)

_Array = NDArray[np.float64]


@dataclass(frozen=True)
class StudyDesign:
    """What a study is to show, and how it is simulated.

    Attributes:
        width: half the width of the 95 % interval of tau_14 that is wanted; None asks for none.
        effect: size of the influence to find, 0 to 1, with the sign of the population's own; None
            takes the population's own size.
        difference: of two judges' taus to find, 0 to 1; None asks for none.
        power: chance wanted that a study finds what there is.
        assurance: chance wanted that a study's interval is narrow enough; 0.5 is the median study.
        holm: whether findings are adjusted for testing several factors.
        sources: the numbers of sources to show.
        most: greatest number of sources to consider.
        simulations: studies simulated at each number of sources.
        seed: of the simulation.

    Raises:
        ValueError: a value is outside its range.

    """

    width: float | None = None
    effect: float | None = None
    difference: float | None = None
    power: float = 0.8
    assurance: float = 0.5
    holm: bool = False
    sources: tuple[int, ...] = DEFAULT_SOURCES
    most: int = 100_000
    simulations: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.width is not None and not self.width > 0:
            raise ValueError(f"width is {self.width}; give half the width wanted, above 0")
        for name in ("effect", "difference"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise ValueError(f"{name} is {value}; give its size, from 0 to 1")
        for name in ("power", "assurance"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must lie between 0 and 1")
        for name, least in (("most", MINIMUM_GROUPS), ("simulations", 100)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}; give at least {least}")
        if not self.sources or min(self.sources) < 1 or max(self.sources) > self.most:
            raise ValueError(
                f"sources is {self.sources}; give numbers of sources from 1 to {self.most}"
            )


@dataclass(frozen=True)
class SampleSize:
    """The number of sources that one factor needs.

    Attributes:
        factor: its name.
        n: the smallest number that reaches the goal; None where there is none, with the reason.
        low: the number if the pilot overstates the spread of the sources: lower end of its 95 %
            interval. None without a pilot.
        high: the same if the pilot understates it.
        value: half-width or power at ``n``, at the greatest number considered where ``n`` is None;
            NaN where the factor cannot be planned for.
        error: Monte Carlo standard error of a power; NaN of a half-width.
        reason: why there is no ``n``, or None.

    """

    factor: str
    n: int | None
    low: int | None
    high: int | None
    value: float
    error: float
    reason: str | None


@dataclass(frozen=True, eq=False)
class PowerCurve:
    """How a goal comes nearer with the number of sources.

    Attributes:
        goal: ``width``: half the width of the 95 % interval of tau_14; ``influence``: the power of
            the test against 0; ``difference``: the power to tell two judges apart.
        wanted: half-width, size of the influence (None: each factor's own) or of the difference.
        factors: the F factor names.
        sources: the N numbers of sources.
        values: float (N, F), half-widths or powers; infinite where the typical study has no
            interval, NaN where the factor cannot be planned for.
        needed: what each factor needs; empty where no half-width was wanted.
        method: what was simulated.

    """

    goal: Goal
    wanted: float | None
    factors: tuple[str, ...]
    sources: tuple[int, ...]
    values: _Array
    needed: tuple[SampleSize, ...]
    method: str

    @property
    def needed_by_all(self) -> int | None:
        """The sources with which every factor that can be planned for reaches the goal.

        None where one of them cannot reach it, or there is none.
        """
        planned = [size for size in self.needed if not math.isnan(size.value)]
        numbers = [size.n for size in planned if size.n is not None]
        return max(numbers) if planned and len(numbers) == len(planned) else None


def power_curves(population: SourcePopulation, design: StudyDesign) -> tuple[PowerCurve, ...]:
    """Return what studies of the population show, and how many sources they need.

    Args:
        population: the sources.
        design: what is wanted. A difference needs a population with a second judge.

    Returns:
        The curve of the half-width, of the power to find the influence and, where a difference is
        asked for, of the power to find it. With ``holm``, a factor's influence is tested beside
        those of the other factors as they are in the population, its difference as if no other
        factor differed (level 0.05 / F).

    Raises:
        ValueError: no factor can be planned for, or a difference is asked for and there is no
            second judge.

    Example:
        >>> from profile_tasks.scorers.statistics import source_population
        >>> Assumptions = source_population.Assumptions
        >>> assumed_population = source_population.assumed_population
        >>> population = assumed_population(Assumptions(responses=2, tau=0.0))
        >>> width, influence = power_curves(population, StudyDesign(width=0.1, simulations=500))
        >>> abs(width.needed[0].n - (1.96 / 0.1) ** 2) < 10
        True

    """
    if all(population.reasons):
        reasons = zip(population.factors, population.reasons, strict=True)
        raise ValueError(
            "no factor can be planned for: "
            + "; ".join(f"{factor}: {reason}" for factor, reason in reasons)
        )
    goals: dict[Goal, tuple[float | None, Callable[[StudySums], _Array]]] = {
        "width": (design.width, partial(_half_width, design)),
        "influence": (design.effect, partial(_influence_power, population, design)),
    }
    if design.difference is not None:
        if len(population.judges) == 1:
            raise ValueError(
                "a difference needs a second judge; give its preferences or an agreement"
            )
        goals["difference"] = (
            design.difference,
            partial(_difference_power, population, design, design.difference),
        )
    studies = simulated_studies(population, simulations=design.simulations, seed=design.seed)
    return tuple(
        _curve(goal, wanted, population, design, studies, outcome)
        for goal, (wanted, outcome) in goals.items()
    )


def _half_width(design: StudyDesign, studies: StudySums) -> _Array:
    """Return half the width (F,) of the 95 % interval that the wanted share of the studies keeps.

    A study without an interval has an infinite one.
    """
    from scipy.special import stdtrit

    judge = studies.judges[0]
    enough = (judge.sources >= MINIMUM_GROUPS) & (judge.residual > NO_SPREAD * judge.counted)
    error = np.full(enough.shape, np.inf)
    error[enough] = np.sqrt(tau_variance(judge)[enough])
    widths = stdtrit(np.maximum(judge.sources - 1, 1), 1 - LEVEL / 2) * error
    # The quantile is one of the values: between a number and infinity there is nothing.
    return np.asarray(np.quantile(widths, design.assurance, axis=0, method="higher"))


def _influence_power(
    population: SourcePopulation, design: StudyDesign, studies: StudySums
) -> _Array:
    """Return the share (F,) of the studies that find the influence of each factor."""
    tau, judge = population.taus[0], studies.judges[0]
    shifted = own = _sign_flip_p_values(judge, np.zeros(len(tau)))
    if design.effect is not None:
        shifted = _sign_flip_p_values(judge, np.copysign(design.effect, np.nan_to_num(tau)) - tau)
    if not design.holm:
        return np.asarray((shifted <= LEVEL).mean(axis=0))
    found = np.zeros(len(tau))
    for index in range(len(tau)):
        p_values = own.copy()
        p_values[:, index] = shifted[:, index]
        adjusted = _holm(p_values, population.other_factors)[:, index]
        found[index] = np.mean(adjusted <= LEVEL)
    return found


def _sign_flip_p_values(judge: JudgeSums, shift: _Array) -> _Array:
    """Return p-values (studies, F) with every source's influence moved by ``shift``."""
    from scipy.special import ndtr

    net = judge.net + shift * judge.counted
    squares = judge.net_net + 2 * shift * judge.net_counted + shift**2 * judge.counted_counted
    z = np.sqrt(ratio(net**2, np.maximum(squares, 0)))
    p_values = np.maximum(2 * ndtr(-z), 2.0 ** (1 - judge.flippable))
    # A study in which a factor never differs does not find it; one without pairs does not test it.
    p_values = np.where(np.isnan(z), 1.0, np.minimum(p_values, 1.0))
    return np.where(judge.counted > 0, p_values, np.nan)


def _holm(p_values: _Array, others: int) -> _Array:
    """Return p-values (studies, F) adjusted for F factors and others that are never found.

    ``significance.adjust_p_values`` gives the same for a single study.
    """
    order = np.argsort(p_values, axis=1)  # NaN goes last
    tested = np.count_nonzero(~np.isnan(p_values), axis=1, keepdims=True) + others
    ranked = np.take_along_axis(p_values, order, axis=1)
    steps = np.maximum.accumulate(ranked * (tested - np.arange(p_values.shape[1])), axis=1)
    adjusted = np.empty_like(p_values)
    np.put_along_axis(adjusted, order, np.minimum(steps, 1), axis=1)
    return adjusted


def _difference_power(
    population: SourcePopulation, design: StudyDesign, difference: float, studies: StudySums
) -> _Array:
    """Return the share (F,) of the studies that tell the two judges apart on each factor."""
    from scipy.special import stdtr

    first, second = studies.judges
    seen = first.tau - second.tau - np.subtract(*population.taus) + difference
    sources = np.minimum(first.sources, second.sources)
    t = np.sqrt(ratio(seen**2, difference_variance(studies)))
    tests = len(population.factors) + population.other_factors if design.holm else 1
    p_values = 2 * stdtr(np.maximum(sources - 1, 1), -t)
    found = (sources >= MINIMUM_GROUPS) & (p_values <= LEVEL / tests)
    return np.asarray(found.mean(axis=0))


def _curve(
    goal: Goal,
    wanted: float | None,
    population: SourcePopulation,
    design: StudyDesign,
    studies: Callable[[int], StudySums],
    outcome: Callable[[StudySums], _Array],
) -> PowerCurve:
    reasons = _goal_reasons(goal, wanted, population, design)
    planned = np.array([reason is None for reason in reasons])

    @cache
    def values(n: int) -> _Array:
        return np.where(planned, outcome(studies(n)), np.nan)

    def reached(n: int, index: int) -> bool:
        value = float(values(n)[index])
        return value >= design.power if goal != "width" else wanted is not None and value <= wanted

    sizes = []
    for index, reason in enumerate(reasons if goal != "width" or wanted is not None else ()):
        n, low, high = None, None, None
        if reason is None:
            n = smallest(partial(reached, index=index), design.most)
        if n is not None and population.n_groups is not None:
            low, high = _range(n, index, goal, studies(population.n_groups))
        value = float(values(design.most if n is None else n)[index])
        error = math.nan if goal == "width" else math.sqrt(value * (1 - value) / design.simulations)
        why = reason or (_out_of_reach(goal, value, design) if n is None else None)
        sizes.append(SampleSize(population.factors[index], n, low, high, value, error, why))
    return PowerCurve(
        goal=goal,
        wanted=wanted,
        factors=population.factors,
        sources=design.sources,
        values=np.stack([values(n) for n in design.sources]),
        needed=tuple(sizes),
        method=_METHODS[goal] + (_HOLM[goal] if design.holm else ""),
    )


_METHODS: dict[Goal, str] = {
    "width": "half-width of the 95 % interval: t times the linearised cluster-robust error",
    "influence": "power of the sign-flip test by source against 0, two-sided at .05",
    "difference": "power of the paired t-test by source of two judges, two-sided at .05",
}


_HOLM: dict[Goal, str] = {
    "width": "",
    "influence": "; Holm, the other factors as they are",
    "difference": "; Holm, as if no other factor differed",
}


def _goal_reasons(
    goal: Goal, wanted: float | None, population: SourcePopulation, design: StudyDesign
) -> list[str | None]:
    """Why a goal cannot be planned for, factor by factor; None where it can."""
    reasons: list[str | None] = [None] * len(population.factors)
    if goal == "influence":
        sizes = np.abs(population.taus[0]) if wanted is None else np.full(len(reasons), wanted)
        zero = "the influence to find is 0, and a test of it finds only errors; give its size"
        reasons = [zero if size == 0 else None for size in sizes]
    elif goal == "difference":
        zero = "the difference to find is 0, and a test of it finds only errors"
        reasons = [zero if wanted == 0 else _indistinct(population, i) for i in range(len(reasons))]
    return [own or reason for own, reason in zip(population.reasons, reasons, strict=True)]


def _indistinct(population: SourcePopulation, index: int) -> str | None:
    """Why two judges' difference on a factor cannot be planned for, or None."""
    residuals = []
    for (net, counted), tau in zip(population.judges, population.taus, strict=True):
        if math.isnan(tau[index]):
            return "one of the two judges has no pair with a preference where the factor is known"
        pairs = population.share @ counted[:, index]
        residuals.append((net[:, index] - tau[index] * counted[:, index]) / pairs)
    if population.share @ np.subtract(*residuals) ** 2 > NO_SPREAD:
        return None
    return "the two judges do not differ in any group, so there is no spread to plan with"


def smallest(reached: Callable[[int], bool], most: int) -> int | None:
    """Return the smallest number up to ``most`` that reaches the goal, by binary search.

    Every number tried is the greatest one known to be too small and a power of two, so that its
    studies are those of that number and some more sources.

    Args:
        reached: whether a number does; all greater ones than one that does must.
        most: the greatest to consider.

    Returns:
        None where ``most`` does not reach it either.

    Example:
        >>> smallest(lambda n: n * n >= 50, 100)
        8

    """
    if not reached(most):
        return None
    too_small = 0
    for digit in reversed(range(most.bit_length())):
        tried = too_small + (1 << digit)
        if tried < most and not reached(tried):
            too_small = tried
    return too_small + 1


def _range(n: int, index: int, goal: Goal, pilot: StudySums) -> tuple[int, int]:
    """Return the 95 % interval of n, which is in proportion to the variance that a pilot finds.

    Pilots of the same size find variances this much above and below the true one; so the true one
    may lie as far below and above that of the pilot at hand.
    """
    variance = difference_variance(pilot) if goal == "difference" else tau_variance(pilot.judges[0])
    found = variance[:, index]
    found = found[found > 0] / np.median(found[found > 0])
    least, most = np.quantile(found, (LEVEL / 2, 1 - LEVEL / 2))
    return max(MINIMUM_GROUPS, math.floor(n / most)), math.ceil(n / least)


def _out_of_reach(goal: Goal, value: float, design: StudyDesign) -> str:
    if goal == "width":
        return f"with {design.most:,} sources half the width is still {value:.3f}"
    return f"with {design.most:,} sources the power is {value:.0%}"
