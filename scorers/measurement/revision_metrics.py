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
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import Estimate, flat_metrics, reasons
from profile_tasks.scorers.statistics.resampling import resampled_sums
from profile_tasks.scorers.statistics.study import HUMAN, REPLICATES, Study
from profile_tasks.scorers.statistics.true_alignment import alignment_difference

BASELINE = "none"
"""The condition that the others are compared with."""

OUTCOMES = ("win_rate", "loss_rate", "tie_rate", "unchanged_rate", "unreadable_rate")
"""Shares of the revisions; the first three are of those with a readable verdict, and add up to 1.
A tie is also where the two orders disagree, and where the revision is the draft."""


_LogRatios = Mapping[str, tuple[float, NDArray[np.float64]]]
"""Of each table: mean log ratio of lengths, and (B,) replicates of it."""


@dataclass(frozen=True)
class RevisionMetrics:
    """Profiles of revisions over drafts, and everything estimated from them.

    Attributes:
        study: The human table, and one of each condition's revisions over their drafts.
        conditions: Their names.
        estimates: Metric name -> estimate.
        rates: Metric name -> share of missing texts and the like, without interval.
    """

    study: Study
    conditions: tuple[str, ...]
    estimates: Mapping[str, Estimate]
    rates: Mapping[str, float]

    def values(self) -> dict[str, float]:
        """Flat metrics: each name, then its ends; then the rates."""
        return flat_metrics(self.estimates) | dict(self.rates)

    def record(self) -> dict[str, object]:
        """The counts behind the profiles, as JSON has them."""
        profiles = {name: self.study.profiles[name] for name in (HUMAN, *self.conditions)}
        return {
            "profiles": {
                name: {
                    "n_pairs": profile.n_pairs,
                    "n_groups": profile.n_groups,
                    "factors": {f: profile.record(i) for i, f in enumerate(profile.factors)},
                }
                for name, profile in profiles.items()
            },
            "reasons": reasons(self.estimates),
            "replicates": self.study.replicates,
            "seed": self.study.seed,
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
    codes = shared_group_codes([record.source for record in records])
    # What a condition adds is over the drafts that both revised.
    compared = [name for name in names if name != BASELINE and BASELINE in names]
    alone = [(name, name) for name in names]
    paired = [pair for name in compared for pair in ((name, BASELINE), (BASELINE, name))]
    rows = {_rows_of(*pair): _rows(records, codes, *pair) for pair in (*alone, *paired)}
    (human,) = comparison_tables(record.source for record in records)
    study = _study(human, rows, replicates=replicates, seed=seed)
    # Every group has an annotated pair, so these are the groups, and the draws, of the study.
    logs = {name: each.log_ratios(len(codes), study) for name, each in rows.items()}
    return RevisionMetrics(
        study, names, _estimates(study, names, compared, logs), _rates(records, names)
    )


@dataclass(frozen=True)
class _Rows:
    """Revisions of one condition, each with its source's group and the words of its draft."""

    groups: tuple[int, ...]
    draft_words: tuple[int, ...]
    revisions: tuple[MeasuredRevision, ...]

    def log_ratios(self, n_groups: int, study: Study) -> tuple[float, NDArray[np.float64]]:
        """Mean log ratio of lengths, NaN without revisions, and (B,) replicates of it."""
        # A revision without a word is missing, so that every ratio is above 0.
        logs = [
            math.log(revision.words / words)
            for words, revision in zip(self.draft_words, self.revisions, strict=True)
        ]
        sums = np.zeros((n_groups, 2))
        np.add.at(sums[:, 0], list(self.groups), logs)
        np.add.at(sums[:, 1], list(self.groups), 1)
        total = resampled_sums(sums, replicates=study.replicates, seed=study.seed)
        with np.errstate(invalid="ignore", divide="ignore"):
            drawn = total[:, 0] / total[:, 1]
        return (math.fsum(logs) / len(logs) if logs else math.nan), drawn


def _rows_of(condition: str, beside: str) -> str:
    """Name of the table of a condition's revisions, of the drafts that another one revised too."""
    return condition if beside == condition else f"{condition} beside {beside}"


def _outcomes_of(name: str) -> str:
    return f"outcomes of {name}"


def _rows(
    records: Sequence[RevisionMeasurement], codes: Mapping[str, int], condition: str, beside: str
) -> _Rows:
    kept = [
        (codes[record.source.group], record.draft_words, one)
        for record in records
        if (one := record.revisions[condition]) is not None
        and record.revisions[beside] is not None
        and record.draft_words
    ]
    groups, draft_words, revisions = zip(*kept, strict=True) if kept else ((), (), ())
    return _Rows(groups, draft_words, revisions)


def _study(human: Comparisons, rows: Mapping[str, _Rows], *, replicates: int, seed: int) -> Study:
    """People, each condition's revisions over their drafts, and the outcomes as shares."""
    revised = {
        name: _table([r.signs for r in each.revisions], each.groups, human.factors)
        for name, each in rows.items()
    }
    outcomes = {
        _outcomes_of(name): _table([_outcomes(r) for r in each.revisions], each.groups, OUTCOMES)
        for name, each in rows.items()
    }
    return Study({HUMAN: human} | revised, outcomes, replicates=replicates, seed=seed)


def _estimates(
    study: Study, names: Sequence[str], compared: Sequence[str], logs: _LogRatios
) -> dict[str, Estimate]:
    estimates: dict[str, Estimate] = {}
    for name in names:
        aligned = study.alignment(HUMAN, name)
        estimates |= {f"alignment_revision_{name}_{c}": each for c, each in aligned.items()}
    for name in compared:
        estimates |= _added(study, name, logs)
    for name in names:
        shares = study.influence(_outcomes_of(name))
        estimates |= {f"revision_{outcome}_{name}": share for outcome, share in shares.items()}
        estimates[f"revision_length_ratio_{name}"] = _ratio(
            *logs[name], study.profiles[name].n_groups, "there are no revisions"
        )
    for name in (HUMAN, *names):
        prefix = "tau_human" if name == HUMAN else f"tau_revision_{name}"
        estimates |= {f"{prefix}_{f}": tau for f, tau in study.influence(name).items()}
    return estimates


def _added(study: Study, condition: str, logs: _LogRatios) -> dict[str, Estimate]:
    """What a condition adds to revising without feedback, over the drafts that both revised."""
    one, none = _rows_of(condition, BASELINE), _rows_of(BASELINE, condition)
    ours = study.alignment(HUMAN, one, beside=[none])
    theirs = study.alignment(HUMAN, none, beside=[one])
    outcomes, _ = study.difference(_outcomes_of(one), _outcomes_of(none))
    (value, drawn), (value_without, drawn_without) = logs[one], logs[none]
    return {
        f"alignment_revision_{condition}_less_{BASELINE}_{name}": alignment_difference(
            each, theirs[name]
        )
        for name, each in ours.items()
    } | {
        f"revision_win_rate_{condition}_less_{BASELINE}": outcomes["win_rate"],
        f"revision_length_ratio_{condition}_over_{BASELINE}": _ratio(
            value - value_without,
            drawn - drawn_without,
            study.profiles[one].n_groups,
            "there are no revisions of the same draft",
        ),
    }


def _ratio(log: float, drawn: NDArray[np.float64], n_groups: int, reason: str) -> Estimate:
    """The geometric mean of ratios from the mean of their logarithms."""
    return Estimate.percentile(math.exp(log), np.exp(drawn), n_groups, reason)


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
