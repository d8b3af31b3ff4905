"""Every metric of a run, by name: the one place where perspectives become numbers.

A harness prints what this module returns, so a number that two harnesses give is the same number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.alignment import (
    COEFFICIENTS,
    Alignment,
    AlignmentReplicates,
    align,
    alignment_replicates,
)
from profile_tasks.scorers.statistics.comparisons import Comparisons, Perspective
from profile_tasks.scorers.statistics.estimate import (
    Estimate,
    flat_metrics,
    symmetric_estimate,
    tau_estimates,
    undefined,
)
from profile_tasks.scorers.statistics.influence import FactorProfile, factor_profile
from profile_tasks.scorers.statistics.uncertainty import bootstrap_taus

MODEL_PERSPECTIVES: tuple[Perspective, ...] = ("discrimination", "generation")
GAP = "alignment_gap_tau_b"

REPLICATES = 1000
"""Bootstrap replicates; cheap enough for the metrics that Inspect refreshes during a run."""


@dataclass(frozen=True)
class ProfileMetrics:
    """The profiles of one run and everything estimated from them.

    Attributes:
        profiles: Factor profile of each perspective that was measured.
        estimates: Metric name -> estimate, headline first.
        taus: Bootstrap replicates (B, F) of each profile, drawn together.
        correlations: Replicates (B,) of each alignment and the gap, by metric name.
        replicates: B, their number.
        seed: Seed of the bootstrap.
    """

    profiles: Mapping[Perspective, FactorProfile]
    estimates: Mapping[str, Estimate]
    taus: Mapping[Perspective, NDArray[np.float64]]
    correlations: Mapping[str, NDArray[np.float64]]
    replicates: int
    seed: int

    def values(self) -> dict[str, float]:
        """Flat metrics: each name, then its ``_ci_low`` and ``_ci_high``."""
        return flat_metrics(self.estimates)

    def reasons(self) -> dict[str, str]:
        """Why a metric is NaN, or has no interval, by the metric's name."""
        return undefined(self.estimates)


def profile_metrics(
    perspectives: Sequence[Comparisons],
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
    taus: Sequence[NDArray[np.float64]] | None = None,
) -> ProfileMetrics:
    """Profiles, alignments with the human profile and the gap, with intervals.

    All perspectives share each bootstrap resample of the sources (docs/method.md), so the
    interval of the gap accounts for their common sources. Influences have percentile intervals,
    alignments and the gap symmetric ones (scorers/statistics/uncertainty.py says why).

    Args:
        perspectives: One table per perspective. The same group code must mean the same source,
            and the factors must be the same, in all of them.
        replicates: Bootstrap replicates.
        seed: Seed of the bootstrap.
        taus: Bootstrap replicates of each table, where they were drawn together with others.
    """
    profiles = {table.perspective: factor_profile(table) for table in perspectives}
    if taus is None:
        taus = bootstrap_taus(perspectives, replicates=replicates, seed=seed)
    drawn_taus = dict(zip(profiles, taus, strict=True))
    estimates: dict[str, Estimate] = {}
    correlations: dict[str, NDArray[np.float64]] = {}
    for perspective in MODEL_PERSPECTIVES:
        if perspective not in profiles or "human" not in profiles:
            continue
        human, model = profiles["human"], profiles[perspective]
        aligned = align(by_factor(human), by_factor(model), permutations=0)
        drawn = alignment_replicates(drawn_taus["human"], drawn_taus[perspective])
        n_groups = min(human.n_groups, model.n_groups)
        for coefficient in COEFFICIENTS:
            name = f"alignment_{perspective}_{coefficient}"
            correlations[name] = getattr(drawn, coefficient)
            estimates[name] = symmetric_estimate(
                getattr(aligned, coefficient), correlations[name], n_groups, aligned.reason
            )
    if len(profiles) == len(MODEL_PERSPECTIVES) + 1:
        estimates[GAP], correlations[GAP] = _gap(profiles, drawn_taus)
    for perspective, profile in profiles.items():
        estimates |= {
            f"tau_{perspective}_{factor}": estimate
            for factor, estimate in tau_estimates(profile, drawn_taus[perspective]).items()
        }
    return ProfileMetrics(
        profiles, _headline_first(estimates), drawn_taus, correlations, replicates, seed
    )


def by_factor(profile: FactorProfile) -> dict[str, float]:
    """The influence of each factor by its name."""
    return dict(zip(profile.factors, profile.tau.tolist(), strict=True))


def paired_alignments(
    human: FactorProfile,
    models: Sequence[FactorProfile],
    drawn: Sequence[NDArray[np.float64]],
) -> list[tuple[Alignment, AlignmentReplicates]]:
    """Alignment of several profiles with the human one, over the factors that all of them define.

    Two alignments over different factors would differ for that reason alone.

    Args:
        human: The human profile.
        models: The others.
        drawn: (B, F) bootstrap replicates of the human profile, then of the others, drawn together.
    """
    profiles = [human, *models]
    known = np.all([np.isfinite(profile.tau) for profile in profiles], axis=0)
    drawn_known = np.all([np.isfinite(taus) for taus in drawn], axis=0) & known
    masked = [np.where(drawn_known, taus, np.nan) for taus in drawn]
    shared = [
        {f: tau for (f, tau), k in zip(by_factor(p).items(), known, strict=True) if k}
        for p in profiles
    ]
    return [
        (align(shared[0], taus, permutations=0), alignment_replicates(masked[0], replicates))
        for taus, replicates in zip(shared[1:], masked[1:], strict=True)
    ]


def _gap(
    profiles: Mapping[Perspective, FactorProfile],
    taus: Mapping[Perspective, NDArray[np.float64]],
) -> tuple[Estimate, NDArray[np.float64]]:
    """Alignment of the judge less that of the writer, and its replicates."""
    (judge, judge_drawn), (writer, writer_drawn) = paired_alignments(
        profiles["human"],
        [profiles[perspective] for perspective in MODEL_PERSPECTIVES],
        [taus[perspective] for perspective in ("human", *MODEL_PERSPECTIVES)],
    )
    difference = judge_drawn.tau_b - writer_drawn.tau_b
    estimate = symmetric_estimate(
        judge.tau_b - writer.tau_b,
        difference,
        min(profile.n_groups for profile in profiles.values()),
        judge.reason or writer.reason,
        limit=2,
    )
    return estimate, difference


def _headline_first(estimates: Mapping[str, Estimate]) -> dict[str, Estimate]:
    """tau_b alignments and the gap, then the profiles, then the other coefficients."""
    leading = [f"alignment_{perspective}_tau_b" for perspective in MODEL_PERSPECTIVES] + [GAP]
    taus = [name for name in estimates if name.startswith("tau_")]
    order = [name for name in leading if name in estimates] + taus
    return {name: estimates[name] for name in [*order, *(n for n in estimates if n not in order)]}
