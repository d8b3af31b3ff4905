"""Power: how many sources a study needs, found by simulating studies.

A study of n sources is a draw of n sources, with replacement, from a population of them: the groups
of a pilot, or sources made up from stated assumptions. Whole sources are drawn, because pairs of
one source are not independent (docs/method.md). tau_14 is a ratio of sums over sources, so all that
a simulated study needs are sums of each source's ``C - D`` and ``C + D + T``, of their squares and
of their products: multinomial weights times one matrix.

* **Interval.** Half its width is ``t * se``: se is the linearised, cluster-robust standard error of
  a ratio (Cochran 1977, Sampling Techniques, chapter 6), t the quantile of Student's t with one
  degree less than there are sources. The percentile bootstrap of ``uncertainty`` gives the same
  width but for the noise of its replicates and, in small studies, a factor close to 1; it would
  take a bootstrap within every simulated study.
* **Test against 0.** The sign-flip test of ``significance``, by its normal approximation:
  ``z = sum(net) / sqrt(sum(net ** 2))``, and no p-value below ``2 / 2**k`` of k sources.
* **Difference of two judges** on the same sources: the paired t-test of their linearised taus.

The influence and the difference that are to be found are set by shifting every source alike, which
leaves the spread of the sources about them as it is.

A study of n sources is a study of fewer sources and some more: n without its lowest binary digit,
and a draw of the rest. The binary search for the needed n compares nested studies so, and what it
finds depends on the seed only.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.comparisons import Comparisons
from profile_tasks.scorers.influence import FactorProfile, factor_profile, group_sums, ratio
from profile_tasks.scorers.uncertainty import MINIMUM_GROUPS

Goal = Literal["width", "influence", "difference"]

LEVEL = 0.05
"""Of the tests; the intervals cover 1 - LEVEL."""

DEFAULT_AGREEMENT = 0.8
"""Share of pairs on which two judges agree, where nothing is known of it."""

DEFAULT_SOURCES = (20, 50, 100, 200, 500, 1000)

# Sources that a population made up by chance has at least.
_MADE_UP = 20_000
_MADE_UP_COPIES = 1_000

# One chunk of weights (studies x sources, 8 bytes each) stays within this.
_CHUNK_BYTES = 16_000_000

# Below this share of the counted pairs a sum of squares is rounding error.
_NO_SPREAD = 1e-9

_Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SourcePopulation:
    """The sources that studies are drawn from.

    Attributes:
        factors: the F factor names.
        judges: for one judge, or for two on the same sources: C - D and C + D + T of each kind of
            source, both float (U, F).
        share: float (U,), how often each kind is drawn; sums to 1.
        n_groups: sources of the pilot; None where there is none.
        groups: int (F,), those with at least one counted pair.
        other_factors: factors beside these, without any influence, that Holm's adjustment counts.
        reasons: F entries: why the factor cannot be planned for, or None.
        method: where the sources, and the second judge, come from.

    """

    factors: tuple[str, ...]
    judges: tuple[tuple[_Array, _Array], ...]
    share: _Array
    n_groups: int | None
    groups: NDArray[np.int64]
    other_factors: int
    reasons: tuple[str | None, ...]
    method: str

    @property
    def taus(self) -> tuple[_Array, ...]:
        """tau_14 (F,) of each judge over the whole population; NaN where no pair counts."""
        return tuple(ratio(self.share @ net, self.share @ counted) for net, counted in self.judges)


@dataclass(frozen=True)
class Assumptions:
    """What is assumed of the sources where there is no pilot.

    Each response has a latent utility and an amount of the factor, both normal, with one
    correlation in each source. All pairs of a source's responses are compared, so they are coherent
    and depend on each other. A pair ties in either where the difference is below a threshold. A
    source's own tau_14 follows a beta distribution over the range that the ties leave.

    Attributes:
        responses: to each source, 2 or more.
        tau: mean influence of the factor, tau_14.
        tie_rate: share of the pairs with equal amounts of the factor (T), 0 to 1.
        preference_tie_rate: share of the pairs without a preference, which are dropped, 0 to 1.
        source_spread: standard deviation of tau_14 between sources.
        factors: number of factors that are tested; the others have no influence.

    Raises:
        ValueError: a value is outside its range, or they cannot hold together.

    """

    responses: int
    tau: float
    tie_rate: float = 0.0
    preference_tie_rate: float = 0.0
    source_spread: float = 0.0
    factors: int = 1

    def __post_init__(self) -> None:
        if self.responses < 2 or self.factors < 1:
            raise ValueError(
                f"responses is {self.responses} and factors {self.factors}; "
                "give at least 2 responses to a source and 1 factor"
            )
        for name in ("tie_rate", "preference_tie_rate"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must lie in [0, 1)")
        self.check_tau(self.tau)

    @property
    def greatest_tau(self) -> float:
        """The influence of a factor that decides every pair in which it differs."""
        return min(1.0, (1 - self.tie_rate) / (1 - self.preference_tie_rate))

    def check_tau(self, tau: float) -> None:
        """Refuse a mean influence that the ties and the spread between sources leave no room for.

        Raises:
            ValueError: no distribution of sources has this mean and this spread.
        """
        most = self.greatest_tau
        if not abs(tau) < most:
            raise ValueError(
                f"tau is {tau:g}; with these tie rates it must lie between {-most:g} and {most:g}"
            )
        widest = math.sqrt(most**2 - tau**2)
        if not 0 <= self.source_spread < widest:
            raise ValueError(
                f"source_spread is {self.source_spread:g}; "
                f"with tau {tau:g} it must be 0 or more and below {widest:.3f}"
            )


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


def pilot_population(
    comparisons: Comparisons, second: Comparisons | None = None
) -> SourcePopulation:
    """Return the sources of a pilot as the population of later studies.

    The spread of G resampled sources is too small by (G - 1) / G, so each factor's deviations are
    enlarged to make up for it.

    Args:
        comparisons: the pilot.
        second: the preferences of another judge on the same sources, group codes shared, for
            differences between the two.

    Raises:
        ValueError: the factors of the two tables differ.

    Example:
        >>> table = Comparisons(
        ...     [1] * 8, [[1]] * 6 + [[-1]] * 2, [[False]] * 8, range(8), ("length",), "human"
        ... )
        >>> population = pilot_population(table)
        >>> population.taus[0].tolist(), population.n_groups, population.reasons
        ([0.5], 8, (None,))

    """
    if second is not None and second.factors != comparisons.factors:
        raise ValueError(
            f"the factors of the two judges differ: {comparisons.factors}, {second.factors}"
        )
    return _population(
        comparisons,
        second,
        factor_profile(comparisons),
        "sources of the pilot, drawn with replacement"
        + ("; the second judge's preferences are the pilot's own" if second else ""),
    )


def pilot_with_second_judge(
    comparisons: Comparisons, agreement: float = DEFAULT_AGREEMENT, *, seed: int = 0
) -> SourcePopulation:
    """Return the sources of a pilot with a second judge, made up from the first.

    On each pair with a preference the second judge agrees with the first one with the chance
    ``agreement``, else it prefers the other response. Its disagreements are independent of each
    other; where real ones cluster in sources, a difference needs more sources than this says.

    Args:
        comparisons: the pilot.
        agreement: above 0.5 and below 1.
        seed: of the second judge.

    Raises:
        ValueError: ``agreement`` is out of range.

    """
    _check_agreement(agreement)
    profile = factor_profile(comparisons)
    # One realisation of a small pilot would leave the answer to chance.
    copies = max(1, math.ceil(_MADE_UP_COPIES / max(1, profile.n_groups)))
    codes = np.unique(comparisons.group, return_inverse=True)[1]
    group = np.concatenate([codes + copy * profile.n_groups for copy in range(copies)])
    preference = np.tile(comparisons.preference, copies)
    disagree = np.random.default_rng(seed).random(preference.size) >= agreement
    first, second = (
        Comparisons(
            signs,
            np.tile(comparisons.manifestation, (copies, 1)),
            np.tile(comparisons.missing, (copies, 1)),
            group,
            comparisons.factors,
            comparisons.perspective,
        )
        for signs in (preference, np.where(disagree, -preference, preference))
    )
    return _population(
        first,
        second,
        profile,
        "sources of the pilot, drawn with replacement; a second judge made up that agrees on "
        f"{agreement:.0%} of the pairs, independently from pair to pair",
    )


def assumed_population(
    assumptions: Assumptions,
    *,
    difference: float | None = None,
    agreement: float = DEFAULT_AGREEMENT,
    seed: int = 0,
) -> SourcePopulation:
    """Return sources made up from assumptions.

    Args:
        assumptions: the model of a source.
        difference: with a value, a second judge is made up whose mean influence is so much nearer
            to 0, or beyond. The two judges' utilities, and their sources' deviations, are
            correlated so that forced choices agree on the share ``agreement`` of the pairs.
        agreement: above 0.5 and below 1.
        seed: of the sources.

    Raises:
        ValueError: the two judges cannot both agree and differ as much, or ``agreement`` is out of
            range.

    Example:
        >>> population = assumed_population(Assumptions(responses=2, tau=0.5))
        >>> population.taus[0].round(3).tolist(), population.share.round(1).tolist()
        ([0.5], [0.2, 0.8])

    """
    rng = np.random.default_rng(seed)
    shape = (_MADE_UP, assumptions.responses)
    amounts, noise, deviations = (
        rng.standard_normal(shape), rng.standard_normal(shape), rng.standard_normal(_MADE_UP)
    )  # fmt: skip
    correlation = _correlations(assumptions, assumptions.tau, deviations)
    utilities, means = [(correlation, noise)], [assumptions.tau]
    method = "sources made up from the assumptions"
    if difference is not None:
        _check_agreement(agreement)
        other_tau = assumptions.tau - math.copysign(difference, assumptions.tau)
        check_difference(difference, agreement)
        assumptions.check_tau(other_tau)
        # P(two standard normal differences have one sign) = 1/2 + arcsin(r) / pi.
        likeness = math.sin(math.pi * (agreement - 0.5))
        independent = math.sqrt(1 - likeness**2)
        other = _correlations(
            assumptions,
            other_tau,
            likeness * deviations + independent * rng.standard_normal(_MADE_UP),
        )
        # Of the two utilities' correlation, the amounts give one part and the noise the rest.
        room = np.sqrt((1 - correlation**2) * (1 - other**2))
        shared = np.clip((likeness - correlation * other) / np.maximum(room, 1e-12), -1, 1)
        fresh = rng.standard_normal(shape)
        means.append(other_tau)
        utilities.append((other, shared * noise + np.sqrt(1 - shared**2) * fresh))
        method += f"; a second judge made up that agrees on {agreement:.0%} of forced choices"
    sums = []
    for slope, own in utilities:
        utility = slope * amounts + np.sqrt(1 - slope**2) * own
        sums += _source_sums(assumptions, amounts, utility)
    rows, counts = np.unique(np.column_stack(sums), axis=0, return_counts=True)
    share = counts / _MADE_UP
    columns = np.split(rows.astype(np.float64), len(sums), axis=1)
    judges = []
    for mean, net, counted in zip(means, columns[::2], columns[1::2], strict=True):
        # Moved by the error of so many sources, so that the mean is the assumed one.
        judges.append((net + (mean - ratio(share @ net, share @ counted)) * counted, counted))
    return SourcePopulation(
        factors=("assumed",),
        judges=tuple(judges),
        share=share,
        n_groups=None,
        groups=np.array([np.count_nonzero(sums[1])]),
        other_factors=assumptions.factors - 1,
        reasons=(None,),
        method=method,
    )


def check_difference(difference: float, agreement: float) -> None:
    """Refuse a difference that two judges who agree so often cannot show.

    Each pair they disagree on moves the difference of their taus by 2 pairs at most.

    Raises:
        ValueError: it is greater than ``2 * (1 - agreement)``.
    """
    if difference > 2 * (1 - agreement) + 1e-12:
        raise ValueError(
            f"difference is {difference:g}, but judges that agree on {agreement:.0%} of the pairs "
            f"differ by {2 * (1 - agreement):g} at most; lower the difference or the agreement"
        )


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
    goals: dict[Goal, tuple[float | None, Callable[[_Sums], _Array]]] = {
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
    studies = _studies(population, design)
    return tuple(
        _curve(goal, wanted, population, design, studies, outcome)
        for goal, (wanted, outcome) in goals.items()
    )


@dataclass(frozen=True, eq=False)
class _JudgeSums:
    """Sums over the sources of each simulated study; every array is (studies, F)."""

    net: _Array
    counted: _Array
    sources: _Array
    flippable: _Array
    net_net: _Array
    net_counted: _Array
    counted_counted: _Array

    @property
    def tau(self) -> _Array:
        return ratio(self.net, self.counted)

    @property
    def residual(self) -> _Array:
        """Sum of the squares of ``net - tau * counted``."""
        tau = self.tau
        return self.net_net - 2 * tau * self.net_counted + tau**2 * self.counted_counted


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums over the sources of each simulated study; every array is (studies, F).

    ``cross`` holds those of the products of two judges, none of one.
    """

    judges: tuple[_JudgeSums, ...]
    cross: _Array


_JUDGE_SUMS = 7


def _check_agreement(agreement: float) -> None:
    if not 0.5 < agreement < 1:
        raise ValueError(f"agreement is {agreement}; it must lie between 0.5 and 1")


def _population(
    first: Comparisons, second: Comparisons | None, pilot: FactorProfile, method: str
) -> SourcePopulation:
    """Return the groups of the tables as a population, the spread enlarged for the pilot's size."""
    tables = [first] if second is None else [first, second]
    present = np.unique(np.concatenate([table.group for table in tables]))
    n_groups = int(present[-1]) + 1 if present.size else 0
    n_factors = len(first.factors)
    sums = [part[present] for table in tables for part in group_sums(table, n_groups)]
    rows, counts = np.unique(np.hstack(sums), axis=0, return_counts=True)
    share = counts / max(1, present.size)
    parts = np.split(rows, len(sums), axis=1)
    enlarged, spreads = [], []
    for net, counted in zip(parts[::2], parts[1::2], strict=True):
        expected = np.nan_to_num(ratio(share @ net, share @ counted)) * counted
        enlargement = np.sqrt(pilot.groups / np.maximum(pilot.groups - 1, 1))
        enlarged.append((expected + enlargement * (net - expected), counted))
        spreads.append(share @ (net - expected) ** 2 > _NO_SPREAD)
    return SourcePopulation(
        factors=first.factors,
        judges=tuple(enlarged),
        share=share,
        n_groups=pilot.n_groups,
        groups=pilot.groups,
        other_factors=0,
        reasons=tuple(_unplannable(pilot, i, bool(spreads[0][i])) for i in range(n_factors)),
        method=method,
    )


def _unplannable(pilot: FactorProfile, index: int, spread: bool) -> str | None:
    if (reason := pilot.reasons[index]) is not None:
        return reason
    if (groups := int(pilot.groups[index])) < MINIMUM_GROUPS:
        return f"groups: {groups}; a pilot needs at least {MINIMUM_GROUPS}"
    total = pilot.n_pairs - int(pilot.missing[index])
    if pilot.tied[index] == total:
        return f"the two responses show the factor alike in all {total} pairs"
    if not spread:
        return f"all {groups} groups have the same influence, so there is no spread to plan with"
    return None


def _correlations(assumptions: Assumptions, tau: float, deviations: _Array) -> _Array:
    """Return each source's correlation of amount and utility, (G, 1).

    tau_14 rises with the correlation, so its inverse is interpolated.
    """
    from scipy.special import ndtr, ndtri
    from scipy.stats import beta

    most = assumptions.greatest_tau
    taus = np.full(deviations.shape, tau)
    if assumptions.source_spread > 0:
        mean = (tau + most) / (2 * most)
        variance = (assumptions.source_spread / (2 * most)) ** 2
        weight = mean * (1 - mean) / variance - 1
        taus = beta.ppf(ndtr(deviations), mean * weight, (1 - mean) * weight) * 2 * most - most
    slopes = np.sin(np.linspace(-np.pi / 2, np.pi / 2, 401))
    # Standardised differences of the utility, of the pairs that do not tie, the first one better.
    decided = (1 - assumptions.preference_tie_rate) / 2
    better = ndtri(1 - decided + decided * (np.arange(2000) + 0.5) / 2000)
    threshold = ndtri((1 + assumptions.tie_rate) / 2)
    room = np.maximum(np.sqrt(1 - slopes**2), 1e-9)[:, None]
    pull = slopes[:, None] * better
    curve = ndtr((pull - threshold) / room) - ndtr((-pull - threshold) / room)
    return np.asarray(np.interp(taus, curve.mean(axis=1), slopes)[:, None])


def _source_sums(
    assumptions: Assumptions, amounts: _Array, utility: _Array
) -> list[NDArray[np.int64]]:
    """Return ``net`` and ``counted`` of each made-up source, both (G,)."""
    from scipy.special import ndtri

    i, j = np.triu_indices(assumptions.responses, 1)
    signs = []
    for values, ties in (
        (amounts, assumptions.tie_rate),
        (utility, assumptions.preference_tie_rate),
    ):
        # The difference of two standard normal values has the variance 2.
        threshold = math.sqrt(2) * float(ndtri((1 + ties) / 2))
        steps = values[:, i] - values[:, j]
        signs.append((steps > threshold).astype(np.int64) - (steps < -threshold))
    return [(signs[0] * signs[1]).sum(axis=1), np.abs(signs[1]).sum(axis=1)]


def _studies(population: SourcePopulation, design: StudyDesign) -> Callable[[int], _Sums]:
    """Return a function from a number of sources to the sums of the simulated studies."""
    moments = _moments(population)
    flat = moments.reshape(len(moments), -1)
    rows = max(1, _CHUNK_BYTES // (8 * max(1, len(flat))))

    @lru_cache(maxsize=32)
    def sums(n: int) -> _Array:
        fewer = n & (n - 1)
        rng = np.random.default_rng([design.seed, n])
        total = np.zeros((design.simulations, flat.shape[1])) if fewer == 0 else sums(fewer).copy()
        for start in range(0, design.simulations, rows):
            part = total[start : start + rows]
            part += rng.multinomial(n - fewer, population.share, size=len(part)) @ flat
        return total

    def studies(n: int) -> _Sums:
        columns = np.moveaxis(sums(n).reshape(design.simulations, *moments.shape[1:]), 1, 0)
        ends = [_JUDGE_SUMS * (judge + 1) for judge in range(len(population.judges))]
        *judges, cross = np.split(columns, ends)
        return _Sums(tuple(_JudgeSums(*judge) for judge in judges), cross)

    return studies


def _moments(population: SourcePopulation) -> _Array:
    """Return (U, P, F): what each kind of source adds to the sums of a study, in their order."""
    columns = []
    for net, counted in population.judges:
        columns += [net, counted, counted > 0, net != 0, net**2, net * counted, counted**2]
    if len(population.judges) == 2:
        (net, counted), (other_net, other_counted) = population.judges
        columns += [
            net * other_net, net * other_counted, counted * other_net, counted * other_counted
        ]  # fmt: skip
    return np.stack(columns, axis=1).astype(np.float64)


def _half_width(design: StudyDesign, studies: _Sums) -> _Array:
    """Return half the width (F,) of the 95 % interval that the wanted share of the studies keeps.

    A study without an interval has an infinite one.
    """
    from scipy.special import stdtrit

    judge = studies.judges[0]
    enough = (judge.sources >= MINIMUM_GROUPS) & (judge.residual > _NO_SPREAD * judge.counted)
    error = np.full(enough.shape, np.inf)
    error[enough] = np.sqrt(_variance(judge)[enough])
    widths = stdtrit(np.maximum(judge.sources - 1, 1), 1 - LEVEL / 2) * error
    # The quantile is one of the values: between a number and infinity there is nothing.
    return np.asarray(np.quantile(widths, design.assurance, axis=0, method="higher"))


def _variance(judge: _JudgeSums) -> _Array:
    """Return the linearised variance of tau_14; NaN where no pair counts."""
    freedom = judge.sources / np.maximum(judge.sources - 1, 1)
    return ratio(np.maximum(judge.residual, 0) * freedom, judge.counted**2)


def _influence_power(population: SourcePopulation, design: StudyDesign, studies: _Sums) -> _Array:
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


def _sign_flip_p_values(judge: _JudgeSums, shift: _Array) -> _Array:
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
    population: SourcePopulation, design: StudyDesign, difference: float, studies: _Sums
) -> _Array:
    """Return the share (F,) of the studies that tell the two judges apart on each factor."""
    from scipy.special import stdtr

    first, second = studies.judges
    seen = first.tau - second.tau - np.subtract(*population.taus) + difference
    sources = np.minimum(first.sources, second.sources)
    t = np.sqrt(ratio(seen**2, _difference_variance(studies)))
    tests = len(population.factors) + population.other_factors if design.holm else 1
    p_values = 2 * stdtr(np.maximum(sources - 1, 1), -t)
    found = (sources >= MINIMUM_GROUPS) & (p_values <= LEVEL / tests)
    return np.asarray(found.mean(axis=0))


def _difference_variance(studies: _Sums) -> _Array:
    """Return the linearised variance of the difference of the two judges' taus."""
    first, second = studies.judges
    nets, net_counted, counted_net, counts = studies.cross
    a, b = first.tau, second.tau
    shared = nets - b * net_counted - a * counted_net + a * b * counts
    sources = np.minimum(first.sources, second.sources)
    shared *= sources / np.maximum(sources - 1, 1)
    covariance = ratio(shared, first.counted * second.counted)
    return np.maximum(_variance(first) + _variance(second) - 2 * covariance, 0)


def _curve(
    goal: Goal,
    wanted: float | None,
    population: SourcePopulation,
    design: StudyDesign,
    studies: Callable[[int], _Sums],
    outcome: Callable[[_Sums], _Array],
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
            n = _smallest(partial(reached, index=index), design.most)
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
    if population.share @ np.subtract(*residuals) ** 2 > _NO_SPREAD:
        return None
    return "the two judges do not differ in any group, so there is no spread to plan with"


def _smallest(reached: Callable[[int], bool], most: int) -> int | None:
    """Return the smallest number up to ``most`` that reaches the goal, by binary search.

    Every number tried is the greatest one known to be too small and a power of two, so that its
    studies are those of that number and some more sources.
    """
    if not reached(most):
        return None
    too_small = 0
    for digit in reversed(range(most.bit_length())):
        tried = too_small + (1 << digit)
        if tried < most and not reached(tried):
            too_small = tried
    return too_small + 1


def _range(n: int, index: int, goal: Goal, pilot: _Sums) -> tuple[int, int]:
    """Return the 95 % interval of n, which is in proportion to the variance that a pilot finds.

    Pilots of the same size find variances this much above and below the true one; so the true one
    may lie as far below and above that of the pilot at hand.
    """
    variance = _difference_variance(pilot) if goal == "difference" else _variance(pilot.judges[0])
    found = variance[:, index]
    found = found[found > 0] / np.median(found[found > 0])
    least, most = np.quantile(found, (LEVEL / 2, 1 - LEVEL / 2))
    return max(MINIMUM_GROUPS, math.floor(n / most)), math.ceil(n / least)


def _out_of_reach(goal: Goal, value: float, design: StudyDesign) -> str:
    if goal == "width":
        return f"with {design.most:,} sources half the width is still {value:.3f}"
    return f"with {design.most:,} sources the power is {value:.0%}"
