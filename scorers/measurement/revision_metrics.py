"""What feedback does to what a model writes: every metric of revisions, by name.

All that is compared shares each bootstrap resample of the sources: the human profile, every
condition's revisions, their win rates and lengths. So the differences between conditions, which
revise the same drafts, have paired intervals.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.measurement.revisions import MeasuredRevision, RevisionMeasurement
from profile_tasks.scorers.measurement.tables import (
    comparison_tables,
    shared_group_codes,
    table_of_signs,
)
from profile_tasks.scorers.statistics.alignment import COEFFICIENTS, align, alignment_replicates
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import (
    Estimate,
    flat_metrics,
    percentile_estimate,
    symmetric_estimate,
    tau_estimates,
    undefined,
)
from profile_tasks.scorers.statistics.influence import FactorProfile, factor_profile
from profile_tasks.scorers.statistics.study import REPLICATES, by_factor, paired_alignments
from profile_tasks.scorers.statistics.uncertainty import bootstrap_taus, resampled_sums

BASELINE = "none"
"""The condition that the others are compared with."""

OUTCOMES = ("win_rate", "loss_rate", "tie_rate", "unchanged_rate", "unreadable_rate")
"""Shares of the revisions; the first three are of those with a readable verdict, and add up to 1.
A tie is also where the two orders disagree, and where the revision is the draft."""


@dataclass(frozen=True)
class RevisionMetrics:
    """Profiles of revisions over drafts, and everything estimated from them.

    Attributes:
        human: The human factor profile.
        profiles: Condition -> profile of its revisions over their drafts.
        estimates: Metric name -> estimate.
        rates: Metric name -> share of missing texts and the like, without interval.
        replicates: Number of bootstrap replicates.
        seed: Seed of the bootstrap.
    """

    human: FactorProfile
    profiles: Mapping[str, FactorProfile]
    estimates: Mapping[str, Estimate]
    rates: Mapping[str, float]
    replicates: int
    seed: int

    def values(self) -> dict[str, float]:
        """Flat metrics: each name, then its ``_ci_low`` and ``_ci_high``; then the rates."""
        return flat_metrics(self.estimates) | dict(self.rates)

    def reasons(self) -> dict[str, str]:
        """Why a metric is NaN, or has no interval, by the metric's name."""
        return undefined(self.estimates)

    def record(self) -> dict[str, object]:
        """The counts behind the profiles, as JSON has them."""
        profiles = {"human": self.human, **self.profiles}
        return {
            "profiles": {
                name: {
                    "n_pairs": profile.n_pairs,
                    "n_groups": profile.n_groups,
                    "factors": {f: profile.record(i) for i, f in enumerate(profile.factors)},
                }
                for name, profile in profiles.items()
            },
            "reasons": self.reasons(),
            "replicates": self.replicates,
            "seed": self.seed,
        }


def revision_metrics(
    measurements: Iterable[RevisionMeasurement], *, replicates: int = REPLICATES, seed: int = 0
) -> RevisionMetrics:
    """Profiles, alignments, win rates and lengths of revisions, and what feedback adds to them.

    Of each condition: ``tau_revision_{condition}_{factor}``, tau_14 of the revision over its draft;
    ``alignment_revision_{condition}_{coefficient}`` of these with the human profile;
    ``revision_{outcome}_{condition}``; ``revision_length_ratio_{condition}``, the geometric mean of
    the words of a revision over those of its draft. Of each but ``none``, what it adds to it:
    ``alignment_revision_{condition}_less_none_{coefficient}``,
    ``revision_win_rate_{condition}_less_none`` and, as a factor,
    ``revision_length_ratio_{condition}_over_none``, over the drafts that both revised.

    Args:
        measurements: At least one; all of the same conditions.
        replicates: Bootstrap replicates.
        seed: Seed of the bootstrap.

    Raises:
        ValueError: No measurement, or measurements of different factors or conditions.
    """
    records = sorted(measurements, key=lambda r: (r.source.group, r.source.source_id))
    conditions = {tuple(record.revisions) for record in records}
    if len(conditions) != 1:
        raise ValueError(f"expected revisions under the same conditions, got {sorted(conditions)}")
    (names,) = conditions
    (human,) = comparison_tables(record.source for record in records)
    study = _Study(human, records, replicates, seed)
    estimates: dict[str, Estimate] = {}
    alone = {name: study.revised(name) for name in names}
    for name, one in alone.items():
        estimates |= one.alignments(f"alignment_revision_{name}_{{}}")
    for name in names:
        if name != BASELINE and BASELINE in names:
            estimates |= study.added(name)
    for name, one in alone.items():
        estimates |= {
            f"revision_{outcome}_{name}": share for outcome, share in one.shares().items()
        }
        estimates[f"revision_length_ratio_{name}"] = one.length_ratio()
    human_profile = factor_profile(human)
    estimates |= _taus("tau_human", human_profile, next(iter(alone.values())).human_drawn)
    for name, one in alone.items():
        estimates |= _taus(f"tau_revision_{name}", one.profile, one.drawn)
    return RevisionMetrics(
        human_profile,
        {name: one.profile for name, one in alone.items()},
        estimates,
        _rates(records, names),
        replicates,
        seed,
    )


@dataclass(frozen=True)
class _Revised:
    """The revisions of one condition, with bootstrap replicates that others share.

    Attributes:
        human: The human profile.
        human_drawn: (B, F) replicates of it.
        profile: Profile of the revisions over their drafts.
        drawn: (B, F) replicates of it.
        outcomes: The shares ``OUTCOMES`` as a profile of indicators.
        outcomes_drawn: (B, 5) replicates of them.
        log_ratio: Mean log ratio of lengths; NaN without revisions.
        log_ratio_drawn: (B,) replicates of it.
    """

    human: FactorProfile
    human_drawn: NDArray[np.float64]
    profile: FactorProfile
    drawn: NDArray[np.float64]
    outcomes: FactorProfile
    outcomes_drawn: NDArray[np.float64]
    log_ratio: float
    log_ratio_drawn: NDArray[np.float64]

    @property
    def n_groups(self) -> int:
        return min(self.human.n_groups, self.profile.n_groups)

    def alignments(self, name: str) -> dict[str, Estimate]:
        aligned = align(by_factor(self.human), by_factor(self.profile), permutations=0)
        drawn = alignment_replicates(self.human_drawn, self.drawn)
        return {
            name.format(coefficient): symmetric_estimate(
                getattr(aligned, coefficient),
                getattr(drawn, coefficient),
                self.n_groups,
                aligned.reason,
            )
            for coefficient in COEFFICIENTS
        }

    def shares(self) -> dict[str, Estimate]:
        return tau_estimates(self.outcomes, self.outcomes_drawn)

    def length_ratio(self) -> Estimate:
        return percentile_estimate(
            math.exp(self.log_ratio),
            np.exp(self.log_ratio_drawn),
            self.profile.n_groups,
            "there are no revisions",
        )


@dataclass(frozen=True)
class _Study:
    """All measurements of a run, from which conditions are taken with the same resamples."""

    human: Comparisons
    records: Sequence[RevisionMeasurement]
    replicates: int
    seed: int

    def revised(self, condition: str, beside: str | None = None) -> _Revised:
        """One condition; with another one beside it, over the drafts that both revised."""
        codes = shared_group_codes([record.source for record in self.records])
        kept: list[tuple[int, int, MeasuredRevision]] = []
        for record in self.records:
            one, other = (record.revisions[name] for name in (condition, beside or condition))
            if one is not None and other is not None and record.draft_words:
                kept.append((codes[record.source.group], record.draft_words, one))
        groups = [group for group, _, _ in kept]
        revisions = [revision for _, _, revision in kept]
        table = _table([r.signs for r in revisions], groups, self.human.factors)
        shares = _table([_outcomes(r) for r in revisions], groups, OUTCOMES)
        drawn = bootstrap_taus(
            [self.human, table, shares], replicates=self.replicates, seed=self.seed
        )
        # A revision without a word is missing, so that every ratio is above 0.
        logs = [math.log(revision.words / words) for _, words, revision in kept]
        # Every group has an annotated pair, so these are the groups, and the draws, of above.
        sums = np.zeros((len(codes), 2))
        np.add.at(sums[:, 0], groups, logs)
        np.add.at(sums[:, 1], groups, 1)
        total = resampled_sums(sums, replicates=self.replicates, seed=self.seed)
        with np.errstate(invalid="ignore", divide="ignore"):
            log_ratio_drawn = total[:, 0] / total[:, 1]
        return _Revised(
            factor_profile(self.human),
            drawn[0],
            factor_profile(table),
            drawn[1],
            factor_profile(shares),
            drawn[2],
            math.fsum(logs) / len(logs) if logs else math.nan,
            log_ratio_drawn,
        )

    def added(self, condition: str) -> dict[str, Estimate]:
        """What a condition adds to revising without feedback, over the drafts that both revised."""
        one, none = self.revised(condition, BASELINE), self.revised(BASELINE, condition)
        (ours, ours_drawn), (theirs, theirs_drawn) = paired_alignments(
            one.human, [one.profile, none.profile], [one.human_drawn, one.drawn, none.drawn]
        )
        added = {
            f"alignment_revision_{condition}_less_{BASELINE}_{coefficient}": symmetric_estimate(
                getattr(ours, coefficient) - getattr(theirs, coefficient),
                getattr(ours_drawn, coefficient) - getattr(theirs_drawn, coefficient),
                min(one.n_groups, none.n_groups),
                ours.reason or theirs.reason,
                limit=2,
            )
            for coefficient in COEFFICIENTS
        }
        win = OUTCOMES.index("win_rate")
        added[f"revision_win_rate_{condition}_less_{BASELINE}"] = percentile_estimate(
            float(one.outcomes.tau[win] - none.outcomes.tau[win]),
            one.outcomes_drawn[:, win] - none.outcomes_drawn[:, win],
            int(min(one.outcomes.groups[win], none.outcomes.groups[win])),
            one.outcomes.reasons[win] or none.outcomes.reasons[win],
        )
        added[f"revision_length_ratio_{condition}_over_{BASELINE}"] = percentile_estimate(
            math.exp(one.log_ratio - none.log_ratio),
            np.exp(one.log_ratio_drawn - none.log_ratio_drawn),
            one.profile.n_groups,
            "there are no revisions of the same draft",
        )
        return added


def _outcomes(revision: MeasuredRevision) -> tuple[int | None, ...]:
    """Indicators of ``OUTCOMES``, of which tau_14 is the share; None does not count."""
    preference = revision.preference
    shares = [None if preference is None else int(preference == sign) for sign in (1, -1, 0)]
    return (*shares, int(revision.unchanged), int(preference is None))


def _table(
    signs: Sequence[Sequence[int | None]], groups: Sequence[int], factors: tuple[str, ...]
) -> Comparisons:
    """Revision over draft: the revision counts as preferred."""
    return table_of_signs([1] * len(signs), signs, groups, factors, "revision")


def _taus(name: str, profile: FactorProfile, drawn: NDArray[np.float64]) -> dict[str, Estimate]:
    return {f"{name}_{factor}": tau for factor, tau in tau_estimates(profile, drawn).items()}


def _rates(records: Sequence[RevisionMeasurement], names: Sequence[str]) -> dict[str, float]:
    """Shares of what is missing, cut off, or the same twice."""
    drafted = [record for record in records if record.draft_words is not None]
    rates = {"draft_missing_rate": 1 - len(drafted) / len(records)}
    twice = [record.drafts_equal for record in records if record.drafts_equal is not None]
    if twice:
        rates["drafts_equal_rate"] = sum(twice) / len(twice)
    for name in names:
        found = [r for record in records if (r := record.revisions[name]) is not None]
        rates[f"revision_missing_rate_{name}"] = 1 - len(found) / len(records)
        rates[f"revision_truncated_rate_{name}"] = (
            sum(revision.truncated for revision in found) / len(found) if found else math.nan
        )
        if name != BASELINE:
            without = sum(name in record.without_feedback for record in drafted)
            rates[f"feedback_missing_rate_{name}"] = without / len(drafted) if drafted else math.nan
    return rates
