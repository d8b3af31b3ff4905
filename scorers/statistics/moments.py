"""A study as sums: what influences and alignments need of any number of groups, in little.

tau_14 is a ratio of sums over groups, its error a sum of squares, and the distribution of its
flipped sum depends on how often each size of a net sum occurs. So a study of tables over the same
groups is held by sums and cross products of each group's net and counted pairs, however many groups
there are. They are added batch by batch, those of two parts are added to those of the whole, and
since all of them are whole numbers, neither the order nor the way of merging changes anything.

A group must stand in one batch as a whole: its pairs are counted together before they are squared.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, reduce
from itertools import combinations, pairwise
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.alignment import Coefficient, alignment_replicates
from profile_tasks.scorers.statistics.comparisons import Comparisons, Perspective
from profile_tasks.scorers.statistics.estimate import CONFIDENCE, Estimate
from profile_tasks.scorers.statistics.influence import FactorProfile, profile_of, ratio, undefined
from profile_tasks.scorers.statistics.resampling import sums_by_table
from profile_tasks.scorers.statistics.sampling_error import ProfileErrors
from profile_tasks.scorers.statistics.sign_flips import p_value_of_sizes
from profile_tasks.scorers.statistics.significance import FactorTests, adjusted_tests, untold
from profile_tasks.scorers.statistics.true_alignment import (
    DRAWS,
    TrueAlignment,
    TwoProfiles,
    aligned,
)

_Whole = NDArray[np.int64]
_Array = NDArray[np.float64]


class MeasuredTable(NamedTuple):
    """What is known of a table beside its numbers."""

    name: str
    perspective: Perspective
    factors: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over the groups of P tables, of C columns in all: table by table, factor by factor.

    Attributes:
        tables: the P tables.
        n_groups: groups with a row in any of the tables.
        counts: (5, C) concordant, discordant, tied and missing pairs, and groups with a pair that
            counts.
        rows: (3, P) pairs with a preference, pairs without, and groups with a row.
        products: (2 C, 2 C), sums over groups of the products of net (the first C) and counted
            pairs (the others).
        jointly: (C, C), groups in which something counts in either of two columns.
        either: (P, P), groups in which something counts in either of two tables.
        signs: (C, C), sums over pairs with a preference of the products of two manifestations in
            one table; 0 between tables.
        sizes: C counters, how many groups have a net sum of each size above 0.
        apart: by two tables of the same factors, as many counters: of the differences of their net
            sums.

    """

    tables: tuple[MeasuredTable, ...]
    n_groups: int
    counts: _Whole
    rows: _Whole
    products: _Whole
    jointly: _Whole
    either: _Whole
    signs: _Whole
    sizes: tuple[Counter[int], ...]
    apart: Mapping[tuple[int, int], tuple[Counter[int], ...]]

    @classmethod
    def of(cls, tables: Mapping[str, Comparisons]) -> Self:
        """Return the moments of tables whose groups are whole.

        Args:
            tables: by name. A group code must mean the same group in all of them.

        Example:
            >>> table = Comparisons(
            ...     [1, 1, -1], [[1], [0], [1]], [[False]] * 3, [0, 0, 2], ("length",), "human"
            ... )
            >>> moments = Moments.of({"human": table})
            >>> moments.n_groups, moments.products.tolist()
            (2, [[2, 1], [1, 5]])

        """
        each = list(tables.values())
        sums = sums_by_table(each)
        net, counted = (np.hstack([pair[side] for pair in sums]) for side in (0, 1))
        both = np.hstack([net, counted])
        profiles = [profile_of(table) for table in each]
        counts = [
            np.concatenate([getattr(profile, name) for profile in profiles])
            for name in ("concordant", "discordant", "tied", "missing", "groups")
        ]
        within = _columns([table.factors for table in each])
        counts_here = np.column_stack([pair[1].any(axis=1) for pair in sums])
        return cls(
            tables=tuple(
                MeasuredTable(name, table.perspective, table.factors)
                for name, table in tables.items()
            ),
            n_groups=len(net),
            counts=np.array(counts, np.int64),
            rows=np.array(
                [[p.n_pairs, p.n_preference_ties, p.n_groups] for p in profiles], np.int64
            ).T,
            products=_whole(both.T @ both),
            jointly=_in_either(counted > 0),
            either=_in_either(counts_here),
            signs=_signs(each, within),
            sizes=tuple(map(_sizes, net.T)),
            apart={
                (i, j): tuple(map(_sizes, (net[:, within[i]] - net[:, within[j]]).T))
                for i, j in combinations(range(len(each)), 2)
                if each[i].factors == each[j].factors
            },
        )

    def __add__(self, other: Self) -> Self:
        """Return the moments of the groups of both, of which none may be in the two.

        Raises:
            ValueError: they are of other tables, or of other factors.
        """
        if self.tables != other.tables:
            raise ValueError(
                f"{_told(self.tables)} and {_told(other.tables)} are no parts of one study"
            )
        whole = ("n_groups", "counts", "rows", "products", "jointly", "either", "signs")
        return type(self)(
            tables=self.tables,
            **{name: getattr(self, name) + getattr(other, name) for name in whole},
            sizes=_added(self.sizes, other.sizes),
            apart={two: _added(self.apart[two], other.apart[two]) for two in self.apart},
        )

    def record(self) -> dict[str, Any]:
        """Return the moments as JSON holds them; :meth:`of_record` reads them."""
        held = {each.name: getattr(self, each.name) for each in fields(self)}
        return {
            **{n: v.tolist() if isinstance(v, np.ndarray) else v for n, v in held.items()},
            "tables": [table._asdict() for table in self.tables],
            "sizes": _listed(self.sizes),
            "apart": [[*two, _listed(self.apart[two])] for two in sorted(self.apart)],
        }

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Self:
        """Return the moments that :meth:`record` gave.

        Example:
            >>> table = Comparisons([1], [[1]], [[False]], [0], ("length",), "human")
            >>> moments = Moments.of({"human": table})
            >>> Moments.of_record(moments.record()).record() == moments.record()
            True

        """
        tables = tuple(
            MeasuredTable(each["name"], each["perspective"], tuple(each["factors"]))
            for each in record["tables"]
        )
        n = sum(len(table.factors) for table in tables)
        shapes = {
            "counts": (5, n),
            "rows": (3, len(tables)),
            "products": (2 * n, 2 * n),
            "jointly": (n, n),
            "either": (len(tables), len(tables)),
            "signs": (n, n),
        }
        return cls(
            tables=tables,
            n_groups=record["n_groups"],
            **{
                name: np.array(record[name], np.int64).reshape(shape)
                for name, shape in shapes.items()
            },
            sizes=_counters(record["sizes"]),
            apart={(i, j): _counters(each) for i, j, each in record["apart"]},
        )

    def profile(self, name: str) -> FactorProfile:
        """Return the influences on one preference, with their counts.

        Args:
            name: of a table.
        """
        place = self._place(name)
        _, perspective, factors = self.tables[place]
        concordant, discordant, tied, missing, groups = self.counts[:, self._within[place]]
        n_pairs, n_ties, n_groups = self.rows[:, place].tolist()
        total = n_pairs - missing
        why = undefined(n_pairs + n_ties, n_pairs)
        return FactorProfile(
            perspective=perspective,
            factors=factors,
            tau=ratio(concordant - discordant, total),
            concordant=concordant,
            discordant=discordant,
            tied=tied,
            missing=missing,
            groups=groups,
            n_pairs=n_pairs,
            n_groups=n_groups,
            n_preference_ties=n_ties,
            reasons=tuple(None if n else why for n in total),
        )

    def influence(
        self, name: str, *, least: float = -1, confidence: float = CONFIDENCE
    ) -> dict[str, Estimate]:
        """Return the influence of every factor on one preference, with Korn-Graubard intervals.

        Args:
            name: of a table.
            least: of the scale: -1 of influences, 0 of shares.
            confidence: of the intervals.
        """
        profile, within = self.profile(name), self._within[self._place(name)]
        return {
            factor: Estimate.share_of_sums(
                float(profile.tau[i]),
                int(profile.groups[i]),
                float(self._total[within][i]),
                float(self._squares[within, within][i, i]),
                reason=profile.reasons[i],
                least=least,
                confidence=confidence,
            )
            for i, factor in enumerate(profile.factors)
        }

    def tests(self, name: str) -> FactorTests:
        """Return the tests of every influence against 0, as ``influence_tests`` has them."""
        place, profile = self._place(name), self.profile(name)
        net = profile.concordant - profile.discordant
        p_values = [
            p_value_of_sizes(sizes, abs(int(observed))) if n else np.nan
            for sizes, observed, n in zip(
                self.sizes[self._within[place]], net, self._total[self._within[place]], strict=True
            )
        ]
        return adjusted_tests(
            profile.factors,
            profile.tau,
            np.array(p_values),
            profile.groups,
            profile.reasons,
            f"influence on the {profile.perspective} preference",
            "sign-flip test by group, exact",
        )

    def difference(
        self, first: str, second: str, *, confidence: float = CONFIDENCE
    ) -> tuple[dict[str, Estimate], FactorTests]:
        """Return each influence on one preference less that on another, and its test by group.

        Flips are counted exactly where both count the same pairs of every group; else the test is
        Student's, on the error that the interval has.

        Args:
            first: name of a table.
            second: of another, of the same factors, whose influences are taken away.
            confidence: of the intervals.

        Raises:
            ValueError: the factors differ.
        """
        from scipy.special import stdtr

        i, j = self._place(first), self._place(second)
        factors = self._same_factors(i, j)
        one, other = self._within[i], self._within[j]
        profiles = [self.profile(name) for name in (first, second)]
        value = profiles[0].tau - profiles[1].tau
        total, other_total = self._total[one], self._total[other]
        own, theirs = (
            ratio(np.diagonal(self._squares[at, at]), n.astype(float) ** 2)
            for at, n in ((one, total), (other, other_total))
        )
        between = ratio(np.diagonal(self._squares[one, other]), (total * other_total).astype(float))
        groups = np.diagonal(self.jointly[one, other])
        enough = np.maximum(groups, 2)
        variance = enough / (enough - 1) * np.maximum(own + theirs - 2 * between, 0)
        step = 4 / np.maximum(total + other_total, 1)  # one pair on which they differ altogether
        error = np.sqrt(variance + step**2)
        same = self._count_alike(one, other)
        p_values = np.full(len(factors), np.nan)
        for at in np.flatnonzero(~np.isnan(value)).tolist():
            if same[at]:
                net = self.counts[0] - self.counts[1]
                observed = abs(int(net[one][at] - net[other][at]))
                p_values[at] = p_value_of_sizes(self.apart[min(i, j), max(i, j)][at], observed)
            else:
                p_values[at] = 2 * stdtr(int(enough[at]) - 1, -abs(value[at]) / error[at])
        reasons = untold((first, second), profiles)
        tests = adjusted_tests(
            factors,
            value,
            p_values,
            groups,
            reasons,
            f"influence on {first} less that on {second}",
            "paired sign-flip test by group, exact"
            if all(same)
            else "paired test by group: sign flips where both count the same pairs, else Student's",
        )
        return {
            factor: Estimate.student(
                float(value[at]),
                float(error[at]),
                int(groups[at]),
                reason=reasons[at],
                limit=2.0,
                confidence=confidence,
            )
            for at, factor in enumerate(factors)
        }, tests

    def alignment(
        self,
        first: str,
        second: str,
        *,
        draws: int = DRAWS,
        seed: int = 0,
        confidence: float = CONFIDENCE,
    ) -> dict[Coefficient, Estimate]:
        """Return how alike two profiles are: observed, with the interval of the true coefficient.

        Args:
            first: name of a table.
            second: of another, of the same factors.
            draws: of errors, and of true profiles.
            seed: of those.
            confidence: of the intervals.

        Raises:
            ValueError: the factors differ.
        """
        found = self.true_alignment(first, second, draws=draws, seed=seed, confidence=confidence)
        drawn = self.drawn(replicates=draws, seed=seed)
        replicates = alignment_replicates(drawn[first], drawn[second])
        return {
            name: replace(each, drawn=getattr(replicates, name))
            for name, each in found.coefficients.items()
        }

    def true_alignment(
        self, first: str, second: str, *, draws: int, seed: int, confidence: float
    ) -> TrueAlignment:
        """Return all that is known of how alike two profiles are; as of :meth:`alignment`."""
        i, j = self._place(first), self._place(second)
        self._same_factors(i, j)
        profiles = [self.profile(name) for name in (first, second)]
        counts = np.isfinite(profiles[0].tau) & np.isfinite(profiles[1].tau)
        columns = np.concatenate(
            [np.arange(self._n)[self._within[place]][counts] for place in (i, j)]
        )
        n_groups = int(self.either[i, j])

        def errors() -> ProfileErrors:
            return ProfileErrors(
                np.array([profile.tau[counts] for profile in profiles]),
                _root(self._covariance(columns, n_groups)),
                n_groups,
                np.zeros((0, columns.size)),
            )

        def same(sign: int) -> bool:
            half = columns.size // 2
            mine, theirs = columns[:half], columns[half:]
            apart = self._squares_of(mine, theirs, sign, counted=False)
            return not apart.any() and not self._squares_of(mine, theirs, 1, counted=True).any()

        return aligned(
            TwoProfiles(
                tau=np.array([profile.tau[counts] for profile in profiles]),
                n_groups=n_groups,
                fewest=int(min(self.either[i, i], self.either[j, j])),
                same=lambda: same(1),
                opposite=lambda: same(-1),
                errors=errors,
                gram=lambda: self._gram(j, counts),
            ),
            names=(profiles[0].perspective, profiles[1].perspective),
            draws=draws,
            seed=seed,
            confidence=confidence,
        )

    def drawn(self, *, replicates: int, seed: int) -> dict[str, _Array]:
        """Return joint draws (B, F) of each table's influences, as their errors vary.

        They stand in for bootstrap replicates where groups are so many that these are normal.

        Args:
            replicates: B.
            seed: of the draws.
        """
        defined = np.flatnonzero(self._total > 0)
        errors = ProfileErrors(
            np.zeros((1, defined.size)),
            _root(self._covariance(defined, self.n_groups)),
            self.n_groups,
            np.zeros((0, defined.size)),
        )
        found = np.full((replicates, self._n), np.nan)
        found[:, defined] = errors.draws(replicates, np.random.default_rng(seed))[0]
        found += self._tau
        return {
            table.name: found[:, within]
            for table, within in zip(self.tables, self._within, strict=True)
        }

    @property
    def _n(self) -> int:
        """C."""
        return int(self.counts.shape[1])

    @cached_property
    def _within(self) -> list[slice]:
        """The columns of each table."""
        return _columns([table.factors for table in self.tables])

    @cached_property
    def _total(self) -> _Whole:
        """(C,) pairs that count."""
        return np.asarray(self.counts[:3].sum(axis=0))

    @cached_property
    def _tau(self) -> _Array:
        return ratio(self.counts[0] - self.counts[1], self._total)

    @cached_property
    def _squares(self) -> _Array:
        """(C, C) sums over groups of the products of net less what tau expects of the counted."""
        tau, n = np.nan_to_num(self._tau), self._n
        net, mixed, counted = (
            self.products[:n, :n].astype(np.float64),
            self.products[:n, n:].astype(np.float64),
            self.products[n:, n:].astype(np.float64),
        )
        expected = mixed * tau
        return np.asarray(net - expected - expected.T + counted * np.outer(tau, tau))

    def _covariance(self, columns: NDArray[np.intp], n_groups: int) -> _Array:
        """Return that of the influences of some columns, all of which are defined."""
        total = self._total[columns].astype(np.float64)
        squares = self._squares[np.ix_(columns, columns)]
        return np.asarray(squares / np.outer(total, total) * (n_groups / max(1, n_groups - 1)))

    def _squares_of(
        self, mine: NDArray[np.intp], theirs: NDArray[np.intp], sign: int, *, counted: bool
    ) -> _Whole:
        """Return sums over groups of the squared differences (1) or sums (-1) of two columns."""
        shift = self._n * counted
        one, other = mine + shift, theirs + shift
        diagonal = np.diagonal(self.products)
        return np.asarray(diagonal[one] + diagonal[other] - 2 * sign * self.products[one, other])

    def _count_alike(self, one: slice, other: slice) -> NDArray[np.bool_]:
        """Return (F,) whether two tables count the same number of pairs in every group."""
        columns = np.arange(self._n)
        apart = self._squares_of(columns[one], columns[other], 1, counted=True)
        return np.asarray(apart == 0)

    def _gram(self, place: int, counts: NDArray[np.bool_]) -> _Array:
        """Return how the signs of factors go together in a table, as an alignment's null has it."""
        within = self._within[place]
        products = self.signs[within, within][np.ix_(counts, counts)].astype(np.float64)
        n = max(1, int(self.rows[0, place]))
        size = np.sqrt(np.diagonal(products) / n)
        return np.asarray(products / np.where(size > 0, size, 1.0) / n)

    def _place(self, name: str) -> int:
        names = [table.name for table in self.tables]
        if name not in names:
            raise ValueError(f"there is no table {name!r}. Must be one of: {', '.join(names)}")
        return names.index(name)

    def _same_factors(self, i: int, j: int) -> tuple[str, ...]:
        first, second = self.tables[i], self.tables[j]
        if first.factors != second.factors:
            raise ValueError(
                f"the factors of {first.name} and {second.name} differ: "
                f"{', '.join(first.factors)}; {', '.join(second.factors)}"
            )
        return first.factors


def merged(parts: Sequence[Moments]) -> Moments:
    """Return the moments of all groups of one or more parts."""
    return reduce(Moments.__add__, parts)


def _columns(factors: Sequence[Sequence[str]]) -> list[slice]:
    ends = np.cumsum([0, *map(len, factors)]).tolist()
    return [slice(start, stop) for start, stop in pairwise(ends)]


def _whole(values: _Array) -> _Whole:
    return np.rint(values).astype(np.int64)


def _in_either(present: NDArray[np.bool_]) -> _Whole:
    """Return how many rows are present in either of two columns."""
    absent = (~present).astype(np.float64)
    return _whole(len(present) - absent.T @ absent)


def _signs(tables: Sequence[Comparisons], within: Sequence[slice]) -> _Whole:
    n = within[-1].stop if within else 0
    found = np.zeros((n, n), np.int64)
    for table, at in zip(tables, within, strict=True):
        signs = table.manifestation[table.preference != 0].astype(np.float32)
        # Of a million rows at once, since single precision counts no farther than 2**24.
        for start in range(0, len(signs), 1 << 20):
            part = signs[start : start + (1 << 20)]
            found[at, at] += np.rint(part.T @ part).astype(np.int64)
    return found


def _sizes(net: _Array) -> Counter[int]:
    counts = np.bincount(np.abs(net).astype(np.int64), minlength=1)
    sizes = np.flatnonzero(counts[1:]) + 1
    return Counter(dict(zip(sizes.tolist(), counts[sizes].tolist(), strict=True)))


def _added(
    first: Sequence[Counter[int]], second: Sequence[Counter[int]]
) -> tuple[Counter[int], ...]:
    return tuple(a + b for a, b in zip(first, second, strict=True))


def _listed(counters: Sequence[Counter[int]]) -> list[list[tuple[int, int]]]:
    return [sorted(each.items()) for each in counters]


def _counters(listed: Sequence[Sequence[Sequence[int]]]) -> tuple[Counter[int], ...]:
    return tuple(Counter({size: n for size, n in each}) for each in listed)  # noqa: C416


def _root(covariance: _Array) -> _Array:
    """Return rows of which the products sum to the covariance."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0))).T)


def _told(tables: Sequence[MeasuredTable]) -> str:
    return "; ".join(f"{table.name} over {', '.join(table.factors)}" for table in tables)
