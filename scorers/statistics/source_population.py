"""Populations of sources that simulated studies are drawn from: a pilot's, or made-up ones.

Whole sources are drawn, because pairs of one source are not independent (docs/method.md). tau_14 is
a ratio of sums over sources, so all that is kept of a source is its C - D and its C + D + T, for
one judge or for two on the same sources.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import MINIMUM_GROUPS
from profile_tasks.scorers.statistics.influence import (
    FactorProfile,
    group_sums,
    profile_of,
    ratio,
)

DEFAULT_AGREEMENT = 0.8
"""Share of pairs on which two judges agree, where nothing is known of it."""

# Sources that a population made up by chance has at least.
_MADE_UP = 20_000

_MADE_UP_COPIES = 1_000

# Below this share of the counted pairs a sum of squares is rounding error.
NO_SPREAD = 1e-9

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
        profile_of(comparisons),
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
    profile = profile_of(comparisons)
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
        rng.standard_normal(shape),
        rng.standard_normal(shape),
        rng.standard_normal(_MADE_UP),
    )
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
        spreads.append(share @ (net - expected) ** 2 > NO_SPREAD)
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
