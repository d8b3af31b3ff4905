"""Study: named tables of comparisons, resampled together once, and what is said of them.

Every harness, command and report asks a study, so a number that two of them give is the same
number. All tables share each bootstrap resample of the sources (docs/method.md), so differences of
what is estimated from them have paired intervals. What each estimate is, and the JSON of a whole
study, stand in ``records``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.alignment import (
    COEFFICIENTS,
    Coefficient,
    align,
    alignment_replicates,
)
from profile_tasks.scorers.statistics.annotators import Votes
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import Estimate, flat_metrics, standard_errors
from profile_tasks.scorers.statistics.influence import FactorProfile, profile_of
from profile_tasks.scorers.statistics.reliability import HalfProfiles, split_halves
from profile_tasks.scorers.statistics.resampling import bootstrap_taus
from profile_tasks.scorers.statistics.significance import FactorTests, difference_tests

HUMAN, JUDGE, WRITER = "human", "discrimination", "generation"
"""Names of the tables of a run: whose preference each of them holds."""

MODEL_PERSPECTIVES = (JUDGE, WRITER)

OWN: Final = "own"
"""Name of the table of the model's preferences as a judge of the pairs that it wrote."""

AGREEMENT = "agreement"
"""Name of the table of shares that says how the model judged."""

GAP = "alignment_gap_tau_b"

REPLICATES = 1000
"""Bootstrap replicates; cheap enough for the metrics that Inspect refreshes during a run."""


@dataclass(frozen=True, eq=False)
class Study:
    """Named tables, resampled together once.

    Attributes:
        tables: whose preferences -> the table. A group code must mean the same source in all.
        shares: tables of indicators, of which tau_14 is the share of rows where they hold, by name.
        votes: the single votes behind the human preferences, row by row with the human table.
        replicates: number of bootstrap replicates.
        seed: of everything random.

    Example:
        >>> human = Comparisons(
        ...     [1] * 8, [[1]] * 6 + [[-1]] * 2, [[False]] * 8, range(8), ("length",), "human"
        ... )
        >>> study = Study({"human": human}, replicates=200)
        >>> print(study.influence("human")["length"])
        +0.50 [-0.25, +1.00]

    """

    tables: Mapping[str, Comparisons]
    shares: Mapping[str, Comparisons] = field(default_factory=dict)
    votes: Votes | None = None
    replicates: int = REPLICATES
    seed: int = 0

    @cached_property
    def profiles(self) -> dict[str, FactorProfile]:
        """The influences and counts of each table, shares among them."""
        return {name: profile_of(table) for name, table in self._all.items()}

    @cached_property
    def drawn(self) -> dict[str, NDArray[np.float64]]:
        """(B, F) bootstrap replicates of each profile, all from the same resamples."""
        drawn = bootstrap_taus(list(self._all.values()), replicates=self.replicates, seed=self.seed)
        return dict(zip(self._all, drawn, strict=True))

    @cached_property
    def halves(self) -> dict[str, HalfProfiles]:
        """Profiles of random halves of the groups, split alike for all tables."""
        halves = split_halves(list(self.tables.values()), seed=self.seed)
        return dict(zip(self.tables, halves, strict=True))

    @property
    def _all(self) -> dict[str, Comparisons]:
        return {**self.tables, **self.shares}

    @property
    def n_groups(self) -> int:
        """Groups that occur in at least one of the tables."""
        groups = [table.group for table in self._all.values()]
        return int(np.unique(np.concatenate(groups)).size) if groups else 0

    def influence(self, name: str) -> dict[str, Estimate]:
        """Return the influence of every factor on one preference, with percentile intervals.

        Args:
            name: of a table; of a table of shares, the shares.
        """
        profile, drawn = self.profiles[name], self.drawn[name]
        return {
            factor: Estimate.percentile(
                float(profile.tau[i]), drawn[:, i], int(profile.groups[i]), profile.reasons[i]
            )
            for i, factor in enumerate(profile.factors)
        }

    def share(self, name: str, column: str) -> Estimate:
        """Return one share, of the rows that count."""
        return self.influence(name)[column]

    def alignment(
        self, first: str, second: str, *, beside: Sequence[str] = ()
    ) -> dict[Coefficient, Estimate]:
        """Return how alike two profiles are, with symmetric intervals.

        Args:
            first: name of a table.
            second: that of another.
            beside: names of further tables: only factors that these define too count. Two
                alignments over different factors would differ for that reason alone.
        """
        names = (first, second, *beside)
        known = np.all([np.isfinite(self.profiles[name].tau) for name in names], axis=0)
        known_drawn = np.all([np.isfinite(self.drawn[name]) for name in names], axis=0) & known
        profiles = [self.profiles[name] for name in (first, second)]
        aligned = align(*(_by_factor(profile, known) for profile in profiles), permutations=0)
        drawn = alignment_replicates(
            *(np.where(known_drawn, self.drawn[name], np.nan) for name in (first, second))
        )
        n_groups = min(profile.n_groups for profile in profiles)
        return {
            name: Estimate.symmetric(
                getattr(aligned, name), getattr(drawn, name), n_groups, aligned.reason
            )
            for name in COEFFICIENTS
        }

    def gap(
        self, human: str = HUMAN, judge: str = JUDGE, writer: str = WRITER
    ) -> dict[Coefficient, Estimate]:
        """Return the alignment of the judge with people less that of the writer.

        Over the factors that all three profiles define.

        Args:
            human: name of the table of people's preferences.
            judge: of those of the model as a judge.
            writer: of those of the model as a writer.
        """
        judged = self.alignment(human, judge, beside=[writer])
        written = self.alignment(human, writer, beside=[judge])
        return {name: judged[name].less(written[name]) for name in COEFFICIENTS}

    def difference(
        self, first: str, second: str, *, names: tuple[str, str] | None = None
    ) -> tuple[dict[str, Estimate], FactorTests]:
        """Return each influence on one preference less that on another, and its test by group.

        Args:
            first: name of a table.
            second: of the table whose influences are taken away.
            names: what to call the two; by default their perspectives.
        """
        tests = difference_tests(self._all[first], self._all[second], names=names, seed=self.seed)
        drawn = self.drawn[first] - self.drawn[second]
        differences = {
            factor: Estimate.percentile(
                float(tests.value[i]), drawn[:, i], int(tests.n_groups[i]), tests.reasons[i]
            )
            for i, factor in enumerate(tests.factors)
        }
        return differences, tests

    @cached_property
    def estimates(self) -> dict[str, Estimate]:
        """What a run prints while it goes on, by metric name: alignments, the gap, influences.

        tau_b alignments and the gap come first, the other coefficients last.
        """
        found: dict[str, Estimate] = {}
        for model in self.models:
            aligned = self.alignment(HUMAN, model)
            found |= {f"alignment_{model}_{name}": each for name, each in aligned.items()}
        if self.models == MODEL_PERSPECTIVES:  # all three profiles are there
            found[GAP] = self.gap()["tau_b"]
        headline = [name for name in found if name.endswith("_tau_b")]
        taus = {
            f"tau_{table}_{factor}": each
            for table in self.tables
            for factor, each in self.influence(table).items()
        }
        rest = {name: each for name, each in found.items() if name not in headline}
        return {name: found[name] for name in headline} | taus | rest

    def flat(self) -> dict[str, float]:
        """Return the estimates as flat metrics, each value with its ends."""
        return flat_metrics(self.estimates)

    def errors(self) -> dict[str, float]:
        """Return the standard errors of the estimates, under the names that lm-eval looks for."""
        return standard_errors(self.estimates)

    @property
    def models(self) -> tuple[str, ...]:
        """The model's perspectives that can be held against people."""
        return tuple(p for p in MODEL_PERSPECTIVES if p in self.tables and HUMAN in self.tables)


def _by_factor(profile: FactorProfile, known: NDArray[np.bool_]) -> dict[str, float]:
    """Return the influence of each known factor by its name."""
    return {
        factor: float(tau)
        for factor, tau, is_known in zip(profile.factors, profile.tau, known, strict=True)
        if is_known
    }
