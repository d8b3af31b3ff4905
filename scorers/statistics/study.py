"""Study: named tables of comparisons, resampled together once, and what is said of them.

Every harness, command and report asks a study, so a number that two of them give is the same
number. All tables share each bootstrap resample of the sources (docs/method.md), so differences of
what is estimated from them have paired intervals. What each estimate is, and the JSON of a whole
study, stand in ``records``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.alignment import (
    COEFFICIENTS,
    Coefficient,
    alignment_replicates,
)
from profile_tasks.scorers.statistics.annotators import Votes
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import (
    CONFIDENCE,
    Estimate,
    flat_metrics,
    standard_errors,
)
from profile_tasks.scorers.statistics.grader_panel import GraderPanel
from profile_tasks.scorers.statistics.influence import FactorProfile, profile_of, ratio
from profile_tasks.scorers.statistics.moments import Moments
from profile_tasks.scorers.statistics.reliability import HalfProfiles, split_halves
from profile_tasks.scorers.statistics.resampling import GroupSums, resampled_taus, sums_by_table
from profile_tasks.scorers.statistics.significance import (
    FactorTests,
    difference_tests,
    influence_tests,
)
from profile_tasks.scorers.statistics.systems import Systems
from profile_tasks.scorers.statistics.true_alignment import (
    DRAWS,
    METHOD,
    TrueAlignment,
    alignment_difference,
    true_alignment,
)

HUMAN, JUDGE, WRITER = "human", "discrimination", "generation"
OWN: Final = "own"
"""Names of the tables of a run: whose preference each of them holds. People and judge prefer among
the annotated responses; writer, and judge of its own, among what the model wrote."""

MODEL_PERSPECTIVES = (JUDGE, WRITER)

AGREEMENT = "agreement"
"""Name of the table of shares that says how the model judged."""

_NOTHING_COUNTS: Mapping[str, str] = {
    "discrimination_accuracy_half_credit": "no pair has a human preference and a readable verdict",
    "discrimination_accuracy": "there is no pair on which both people and the model decide",
    "flip_rate": "no pair has two readable verdicts",
    "first_position_rate": "of no verdict for a response is it known which was shown first",
}
"""Why a share of verdicts is not defined."""

GAP = "alignment_gap_tau_b"
GAP_PARTS = ("alignment_gap_texts_tau_b", "alignment_gap_taste_tau_b")
"""Into which the gap falls: the shift of texts, and what is the model's taste."""

SELF_AGREEMENT = "self_agreement"

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
        confidence: of every interval, between 0 and 1.
        draws: of true alignments. Estimates without the noise depend on them a little, so runs that
            are held against each other should have as many.
        systems: who wrote the responses, row by row with the table of the same name, where their
            strengths are to be held fixed too beside the adjusted influence.
        panel: what each of several graders says, where the tables hold their majority. Intervals
            of influences and alignments then bear how much graders differ.
        moments: of all groups, where the tables hold a sample of them only. Influences and their
            tests are then those of all groups, what is drawn varies as their errors do, and
            the rest is estimated on the sample.

    Example:
        >>> human = Comparisons(
        ...     [1] * 8, [[1]] * 6 + [[-1]] * 2, [[False]] * 8, range(8), ("length",), "human"
        ... )
        >>> study = Study({"human": human}, replicates=200)
        >>> print(study.influence("human")["length"])
        +0.50 [-0.53, +0.98]

    """

    tables: Mapping[str, Comparisons]
    shares: Mapping[str, Comparisons] = field(default_factory=dict)
    votes: Votes | None = None
    replicates: int = REPLICATES
    seed: int = 0
    confidence: float = CONFIDENCE
    draws: int = DRAWS
    systems: Mapping[str, Systems] = field(default_factory=dict)
    panel: GraderPanel | None = None
    moments: Moments | None = None

    @cached_property
    def profiles(self) -> dict[str, FactorProfile]:
        """The influences and counts of each table, shares among them."""
        if self.moments is not None:
            return {name: self.moments.profile(name) for name in self._all}
        return {name: profile_of(table) for name, table in self._all.items()}

    @cached_property
    def sums(self) -> dict[str, GroupSums]:
        """The sums of each table, row by row over the groups that occur in any of them."""
        return dict(zip(self._all, sums_by_table(list(self._all.values())), strict=True))

    @cached_property
    def drawn(self) -> dict[str, NDArray[np.float64]]:
        """(B, F) bootstrap replicates of each profile, all from the same resamples."""
        if self.moments is not None:
            return self.moments.drawn(replicates=self.replicates, seed=self.seed)
        sums = list(self.sums.values())
        drawn = resampled_taus(sums, replicates=self.replicates, seed=self.seed)
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
        """Return the influence of every factor on one preference, with Korn-Graubard intervals.

        Args:
            name: of a table; of a table of shares, the shares.
        """
        if self.moments is not None:
            found = self.moments.influence(name, confidence=self.confidence)
            drawn = self.drawn[name].T
            return {
                factor: replace(each, drawn=drawn[i])
                for i, (factor, each) in enumerate(found.items())
            }
        profile, drawn, (net, counted) = self.profiles[name], self.drawn[name], self.sums[name]
        found = {
            factor: Estimate.share(
                float(profile.tau[i]),
                net[:, i],
                counted[:, i],
                drawn[:, i],
                self._why_undefined(name, factor, profile.reasons[i]),
                least=0 if name in self.shares else -1,
                confidence=self.confidence,
            )
            for i, factor in enumerate(profile.factors)
        }
        return found if self.panel is None else self.panel.widened(name, found, self.confidence)

    def tests(self, name: str) -> FactorTests:
        """Return the tests of every influence on one preference against 0.

        Args:
            name: of a table.
        """
        return (
            influence_tests(self.tables[name]) if self.moments is None else self.moments.tests(name)
        )

    def _why_undefined(self, name: str, factor: str, reason: str | None) -> str | None:
        """Return the reason in words that fit a share, of which the rows are verdicts."""
        if reason is None or name not in self.shares:
            return reason
        return _NOTHING_COUNTS.get(factor, "no verdict counts")

    def share(self, name: str, column: str) -> Estimate:
        """Return one share, of the rows that count."""
        return self.influence(name)[column]

    def alignment(
        self, first: str, second: str, *, beside: Sequence[str] = ()
    ) -> dict[Coefficient, Estimate]:
        """Return how alike two profiles are: observed, with the interval of the true coefficient.

        Args:
            first: name of a table.
            second: that of another.
            beside: names of further tables: only factors that these define too count. Two
                alignments over different factors would differ for that reason alone.
        """
        return dict(self.true_alignment(first, second, beside=beside).coefficients)

    def true_alignment(
        self, first: str, second: str, *, beside: Sequence[str] = ()
    ) -> TrueAlignment:
        """Return all that is known of how alike two profiles are.

        Args:
            first: as in :meth:`alignment`.
            second: likewise.
            beside: likewise.
        """
        names = (first, second, *beside)
        known = np.all([np.isfinite(self.profiles[name].tau) for name in names], axis=0)
        spread = [] if self.panel is None else [self.panel.spread(name) for name in names]
        for rows in spread:
            known &= np.isfinite(rows).all(axis=0)
        key = (first, second, known.tobytes())
        if key not in self._true_alignments:
            found = true_alignment(
                self.tables[first],
                self.tables[second],
                known=known,
                draws=self.draws,
                seed=self.seed,
                confidence=self.confidence,
                spread=spread[:2],
            )
            known_drawn = np.all([np.isfinite(self.drawn[name]) for name in names], axis=0) & known
            drawn = alignment_replicates(
                *(np.where(known_drawn, self.drawn[name], np.nan) for name in (first, second))
            )
            coefficients = {
                name: replace(each, drawn=getattr(drawn, name), n_groups=found.n_groups)
                for name, each in found.coefficients.items()
            }
            self._true_alignments[key] = replace(found, coefficients=coefficients)
        return self._true_alignments[key]

    @cached_property
    def _true_alignments(self) -> dict[tuple[str, str, bytes], TrueAlignment]:
        return {}

    def by_grader(self, name: str) -> "Study":
        """Return the study of what one grader of the panel alone says.

        Args:
            name: of the grader.

        Raises:
            ValueError: there is no such grader, or no panel.
        """
        graders = () if self.panel is None else self.panel.graders
        if self.panel is None or name not in graders:
            raise ValueError(f"no grader {name!r} in a panel of {len(graders)}")
        place = graders.index(name)
        alone = {table: by_grader[place] for table, by_grader in self.panel.tables.items()}
        return replace(self, tables=alone, shares={}, systems={}, panel=None)

    def gap(
        self, human: str = HUMAN, judge: str = JUDGE, writer: str = WRITER
    ) -> dict[Coefficient, Estimate]:
        """Return the alignment of the judge with people less that of the writer: the paper's gap.

        Over the factors that all three profiles define. The judge prefers among the annotated
        responses, the writer among its own: the gap compares across texts, and even one taste
        makes a gap where the texts are others. ``gap_parts`` takes it apart.

        Args:
            human: name of the table of people's preferences.
            judge: of those of the model as a judge.
            writer: of those of the model as a writer.
        """
        judged = self.alignment(human, judge, beside=[writer])
        written = self.alignment(human, writer, beside=[judge])
        return {
            name: alignment_difference(judged[name], written[name], self.confidence)
            for name in COEFFICIENTS
        }

    def gap_parts(
        self, human: str = HUMAN, judge: str = JUDGE, writer: str = WRITER, own: str = OWN
    ) -> dict[str, Estimate]:
        """Return the two parts of the gap in tau_b, over the factors that all profiles define.

        The shift of texts is what the judge's alignment with people loses where it judges the
        model's own texts; the rest is taste: that alignment less the writer's, 0 for one taste.

        Args:
            human: as in :meth:`gap`.
            judge: likewise.
            writer: likewise.
            own: name of the table of the model's preferences as a judge of what it wrote.
        """
        names = (judge, own, writer)
        judged, on_own, written = (
            self.alignment(human, name, beside=names)["tau_b"] for name in names
        )
        parts = (
            alignment_difference(judged, on_own, self.confidence),
            alignment_difference(on_own, written, self.confidence),
        )
        return dict(zip(GAP_PARTS, parts, strict=True))

    def self_agreement(self, own: str = OWN, writer: str = WRITER) -> dict[Coefficient, Estimate]:
        """Return how alike the model is as judge and as writer of the same texts, noise removed.

        One taste: 1, however noisy; unrelated tastes: about 0. NaN where it cannot be estimated,
        with the reason.

        Args:
            own: name of the table of the model's preferences as a judge of what it wrote.
            writer: of those as a writer.
        """
        found = self.alignment(own, writer)
        return {name: each.without_noise() for name, each in found.items()}

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
        error, span = self._difference_error(first, second)
        differences = {
            factor: Estimate.student(
                float(tests.value[i]),
                float(error[i]),
                int(tests.n_groups[i]),
                drawn[:, i],
                self._why_undefined(first, factor, tests.reasons[i]),
                limit=span,
                confidence=self.confidence,
            )
            for i, factor in enumerate(tests.factors)
        }
        return differences, tests

    def _difference_error(self, first: str, second: str) -> tuple[NDArray[np.float64], float]:
        """Return the errors (F,) of the differences of two tables, and how large one can be.

        Beside what the groups show, one pair counts on which the two differ as far as they can: of
        judges who never differed on so few pairs it is not known that they never would.
        """
        span = 1.0 if first in self.shares else 2.0
        rows, totals = [], []
        for name in (first, second):
            net, counted = self.sums[name]
            total = counted.sum(axis=0)
            rows.append(ratio(net - np.nan_to_num(self.profiles[name].tau) * counted, total))
            totals.append(total)
        apart = np.nan_to_num(rows[0] - rows[1])
        present = np.count_nonzero(self.sums[first][1] + self.sums[second][1], axis=0)
        groups = np.maximum(present, 2)
        variance = groups / (groups - 1) * np.square(apart).sum(axis=0)
        step = 2 * span * ratio(np.ones_like(totals[0]), totals[0] + totals[1])
        return np.sqrt(variance + np.nan_to_num(step) ** 2), span

    @cached_property
    def estimates(self) -> dict[str, Estimate]:
        """What a run prints while it goes on, by metric name: alignments, the gap, influences.

        Self-agreement, tau_b alignments and the gap come first, the other coefficients last.
        """
        found: dict[str, Estimate] = {}
        if OWN in self.tables and WRITER in self.tables:
            found |= {f"{SELF_AGREEMENT}_{name}": e for name, e in self.self_agreement().items()}
        for model in self.models:
            aligned = self.alignment(HUMAN, model)
            found |= {f"alignment_{model}_{name}": each for name, each in aligned.items()}
        if self.models == MODEL_PERSPECTIVES:  # all three profiles are there
            if OWN in self.tables:
                found |= self.gap_parts()
            found[GAP] = self.gap()["tau_b"]
        headline = [name for name in found if name.endswith("_tau_b") or SELF_AGREEMENT in name]
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
        """Return the standard errors of the estimates, under the names that lm-eval looks for.

        Alignments, and what is reckoned of them, have none: replicates hold the noise once more.
        """
        return standard_errors({n: e for n, e in self.estimates.items() if e.method != METHOD})

    @property
    def models(self) -> tuple[str, ...]:
        """The model's perspectives that can be held against people."""
        return tuple(p for p in MODEL_PERSPECTIVES if p in self.tables and HUMAN in self.tables)
