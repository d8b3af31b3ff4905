"""A panel of graders: their majority, their agreement, and what their spread adds to an error.

Several graders label the same pairs. A factor's manifestation is then the sign that most of those
give who can be read, and 0 where several signs are given equally often, as with people's votes
(``annotators``). Graders differ, so the majority of other graders would show other influences:

* **Spread.** The graders are taken for a random sample of those one could have taken. With T the
  majority's influence and T_(i) that of the majority without grader i, the variance between panels
  is the jackknife's, (G - 1) / G * sum (T_(i) - mean T_(.))^2 (Efron & Stein 1981, Annals of
  Statistics 9); for two graders, and for three that never see a tie, that is the variance of the
  mean of single influences. It is added to the variance between sources, as two-way clustered
  errors are (Cameron, Gelbach & Miller 2011, Journal of Business & Economic Statistics 29); what
  graders and sources have in common is in both and not taken off, since so few graders tell too
  little of it. Degrees of freedom are Satterthwaite's (1946, Biometrics Bulletin 2), so that few
  graders who differ much widen an interval as Student's t with G - 1 does.
* **Target.** What the majority of G graders of this population shows on average. Not the truth: an
  error that all graders share is in every one of them and widens nothing.
* **Agreement.** Krippendorff's alpha (2004, Content Analysis, chapter 11) of the signs as unordered
  categories: 1 is full agreement, 0 no more than chance. Every pair counts in both orders, since
  which response is called the first is arbitrary, as in ``annotators``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.adjusted import adjusted_influence
from profile_tasks.scorers.statistics.annotators import plurality, vote_counts
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.influence import profile_of, ratio
from profile_tasks.scorers.statistics.resampling import resampled_sums

_Signs = NDArray[np.int8]
_Mask = NDArray[np.bool_]

METHOD = (
    "alpha: nominal, each pair in both orders, bootstrap by group; agreement: Korn-Graubard; "
    "between graders: jackknife over the majority"
)


def majority(signs: _Signs, missing: _Mask) -> tuple[_Signs, _Mask]:
    """Return the sign that most graders give, and where none can be read.

    Args:
        signs: (G, ...) of each grader: 1, 0 or -1; 0 where it is missing.
        missing: (G, ...), where a grader cannot be read.

    Returns:
        Signs (...), 0 where several are given equally often, and a mask (...) of what no grader
        gave.

    Example:
        >>> signs = np.array([[1, 1, 0, 0], [1, -1, 0, -1], [-1, 0, 0, 1]], np.int8)
        >>> missing = np.array([[False, False, True, False]] * 3)
        >>> found, absent = majority(signs, missing)
        >>> found.tolist(), absent.tolist()
        ([1, 0, 0, 0], [False, False, True, False])

    """
    counts = vote_counts(np.moveaxis(signs, 0, -1), ~np.moveaxis(missing, 0, -1))
    return plurality(counts).astype(np.int8), np.asarray(missing.all(axis=0))


@dataclass(frozen=True)
class PanelAgreement:
    """How far graders agree on one factor.

    Attributes:
        alpha: Krippendorff's alpha of the signs.
        agreement: share of agreeing pairs of graders, averaged over the pairs of responses.
        n_pairs: pairs of responses on which two graders or more can be read.
        n_groups: groups of those.

    """

    alpha: Estimate
    agreement: Estimate
    n_pairs: int
    n_groups: int


def panel_agreement(
    signs: _Signs,
    missing: _Mask,
    group: NDArray[np.int32],
    *,
    replicates: int = 1000,
    seed: int = 0,
) -> PanelAgreement:
    """Return how far graders agree on a factor, with intervals by group.

    Alpha is a function of sums over groups, so a replicate needs no signs. The interval is that of
    other sources, with these graders.

    Args:
        signs: (G, n) of each grader: 1, 0 or -1; 0 where it is missing.
        missing: (G, n), where a grader cannot be read.
        group: (n,) code of each pair's source.
        replicates: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        The agreement; NaN with a reason where no pair has two readable graders, and alpha also
        where all signs are the same, so that chance agrees fully.

    Raises:
        ValueError: ``replicates`` is below 1.

    Example:
        >>> signs = np.array([[1, 1, -1, 0], [1, -1, -1, 0], [1, 1, -1, -1]], np.int8)
        >>> found = panel_agreement(signs, np.zeros((3, 4), bool), np.arange(4, dtype=np.int32))
        >>> round(found.alpha.value, 3), round(found.agreement.value, 3)
        (0.489, 0.667)

    """
    counts = vote_counts(signs.T, ~missing.T)
    n = counts.sum(axis=1)
    several = n >= 2
    counts, n = counts[several], n[several]
    codes, of = np.unique(group[several], return_inverse=True)
    differ = n**2 - np.square(counts).sum(axis=1)
    by_pair = np.column_stack(
        [
            np.ones(len(n)),
            1 - differ / (n * (n - 1)),
            n,
            differ / (n - 1),
            counts[:, 0] + counts[:, 1],
            counts[:, 2],
        ]
    )
    sums = np.column_stack(
        [np.bincount(of, column, codes.size).astype(np.float64) for column in by_pair.T]
    )
    drawn = resampled_sums(sums, replicates=replicates, seed=seed)
    none = None if len(n) else f"pairs that two graders or more can be read on: 0 of {len(several)}"
    whole = sums.sum(axis=0)[None]
    return PanelAgreement(
        alpha=Estimate.percentile(
            float(_alpha(whole)[0]),
            _alpha(drawn),
            codes.size,
            none or "all signs are the same, so chance agrees fully",
        ),
        agreement=Estimate.share(
            float(ratio(whole[:, 1], whole[:, 0])[0]),
            sums[:, 1],
            sums[:, 0],
            ratio(drawn[:, 1], drawn[:, 0]),
            none,
        ),
        n_pairs=len(n),
        n_groups=codes.size,
    )


def _alpha(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (B,) alphas, from sums (B, 6) over pairs, each of which counts in both orders."""
    signs, differ, decided, ties = 2 * sums[:, 2], sums[:, 3], sums[:, 4], 2 * sums[:, 5]
    observed = ratio(2 * differ, signs)
    chance = ratio(signs**2 - 2 * decided**2 - ties**2, signs * (signs - 1))
    return 1 - ratio(observed, chance)


@dataclass(frozen=True, eq=False)
class GraderPanel:
    """What each of G graders says, beside tables that hold what their majority says.

    Attributes:
        graders: G names.
        factors: those that are graded; the others are the same in all tables.
        tables: name of a table of the study -> that table by each grader alone.
        signs: int8 (G, n, F) of each graded pair, by the F factors above; 0 where it is missing.
        missing: bool (G, n, F).
        group: int32 (n,), code of each pair's source.

    """

    graders: tuple[str, ...]
    factors: tuple[str, ...]
    tables: Mapping[str, tuple[Comparisons, ...]]
    signs: _Signs
    missing: _Mask
    group: NDArray[np.int32]

    def agreement(self, *, replicates: int, seed: int) -> dict[str, PanelAgreement]:
        """Return how far the graders agree on each factor; arguments as there."""
        return {
            factor: panel_agreement(
                self.signs[:, :, i],
                self.missing[:, :, i],
                self.group,
                replicates=replicates,
                seed=seed,
            )
            for i, factor in enumerate(self.factors)
        }

    def spread(self, name: str) -> NDArray[np.float64]:
        """Return the rows (K, F) of which the squares sum to the variance between panels.

        Over all F factors of the table, by the K graders of whom anything can be read: the others
        do not show how far graders differ. 0 for factors that are not graded, NaN for those of
        which the graders that are left leave nothing.

        Args:
            name: of a table.
        """
        if name not in self._spread:
            self._spread[name] = jackknifed(self._by_readable(name))
        return self._spread[name]

    def adjusted_spread(self, name: str) -> NDArray[np.float64]:
        """Return such rows of the adjusted influences, which all hang on what is graded."""
        return jackknifed(
            self._by_readable(name), lambda table: adjusted_influence(table).coefficient
        )

    def widened(
        self, name: str, influence: Mapping[str, Estimate], confidence: float
    ) -> dict[str, Estimate]:
        """Return the influences of a table, of which those of graded factors bear the spread.

        Args:
            name: of the table; one that holds no factors is left as it is.
            influence: of each of its factors, in their order.
            confidence: of the intervals.
        """
        if name not in self.tables:
            return dict(influence)
        variance = np.square(self.spread(name)).sum(axis=0)
        freedom = len(self.spread(name)) - 1
        return {
            factor: found.with_spread(float(variance[i]), freedom, "graders", confidence)
            if factor in self.factors
            else found
            for i, (factor, found) in enumerate(influence.items())
        }

    def _by_readable(self, name: str) -> Sequence[Comparisons]:
        """Return a table by each grader of whom anything can be read; by all if that is one."""
        readable = np.flatnonzero(~self.missing.all(axis=(1, 2)))
        tables = self.tables[name]
        return [tables[place] for place in readable] if len(readable) > 1 else tables

    @cached_property
    def _spread(self) -> dict[str, NDArray[np.float64]]:
        return {}


def jackknifed(
    tables: Sequence[Comparisons],
    statistic: Callable[[Comparisons], NDArray[np.float64]] = lambda table: profile_of(table).tau,
) -> NDArray[np.float64]:
    """Return rows (G, F) of which the squares sum to the variance of the majority's influences.

    Args:
        tables: (G,) the same pairs by each grader, two at least.
        statistic: (F,) of a table, by default tau_14.

    Example:
        >>> tables = [
        ...     Comparisons([1] * 4, [[s] for s in signs], [[False]] * 4, range(4), ("f",), "human")
        ...     for signs in ([1, 1, 1, 1], [1, 1, 1, -1], [1, 1, -1, -1])
        ... ]
        >>> round(float((jackknifed(tables) ** 2).sum()), 3)  # of 1, 0.5, 0: variance / 3
        0.083

    """
    signs = np.stack([table.manifestation for table in tables])
    missing = np.stack([table.missing for table in tables])
    without = []
    for i in range(len(tables)):
        found, absent = majority(np.delete(signs, i, axis=0), np.delete(missing, i, axis=0))
        table = replace(tables[0], manifestation=found, missing=absent)
        without.append(statistic(table))
    taus = np.array(without)
    return np.asarray((taus - taus.mean(axis=0)) * np.sqrt((len(tables) - 1) / len(tables)))
