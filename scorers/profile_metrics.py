"""Every metric of a run, by name: the one place where perspectives become numbers.

A harness prints what this module returns, so a number that two harnesses give is the same number.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.alignment import align, alignment_replicates
from profile_tasks.scorers.comparisons import Comparisons, Perspective
from profile_tasks.scorers.estimates import Estimate, flat_metrics, undefined
from profile_tasks.scorers.influence import FactorProfile, factor_profile
from profile_tasks.scorers.uncertainty import Interval, bootstrap_taus, percentile_interval

COEFFICIENTS = ("tau_b", "spearman", "pearson")
MODEL_PERSPECTIVES: tuple[Perspective, ...] = ("discrimination", "generation")
GAP = "alignment_gap_tau_b"


@dataclass(frozen=True)
class ProfileMetrics:
    """The profiles of one run and everything estimated from them.

    Attributes:
        profiles: Factor profile of each perspective that was measured.
        estimates: Metric name -> estimate, headline first.
        replicates: Bootstrap replicates behind the intervals.
        seed: Seed of the bootstrap.
    """

    profiles: Mapping[Perspective, FactorProfile]
    estimates: Mapping[str, Estimate]
    replicates: int
    seed: int

    def values(self) -> dict[str, float]:
        """Flat metrics: each name, then its ``_ci_low`` and ``_ci_high``."""
        return flat_metrics(self.estimates)

    def reasons(self) -> dict[str, str]:
        """Why a metric is NaN, or has no interval, by the metric's name."""
        return undefined(self.estimates)


def profile_metrics(
    perspectives: Sequence[Comparisons], *, replicates: int = 1000, seed: int = 0
) -> ProfileMetrics:
    """Profiles, alignments with the human profile and the gap, with intervals.

    All perspectives share each bootstrap resample of the sources (docs/method.md), so the
    interval of the gap accounts for their common sources.

    Args:
        perspectives: One table per perspective. The same group code must mean the same source,
            and the factors must be the same, in all of them.
        replicates: Bootstrap replicates.
        seed: Seed of the bootstrap.
    """
    profiles = {table.perspective: factor_profile(table) for table in perspectives}
    taus = {
        table.perspective: drawn
        for table, drawn in zip(
            perspectives,
            bootstrap_taus(perspectives, replicates=replicates, seed=seed),
            strict=True,
        )
    }
    estimates: dict[str, Estimate] = {}
    for perspective in MODEL_PERSPECTIVES:
        if perspective not in profiles or "human" not in profiles:
            continue
        human, model = profiles["human"], profiles[perspective]
        aligned = align(_by_factor(human), _by_factor(model), permutations=0)
        drawn = alignment_replicates(taus["human"], taus[perspective])
        n_groups = min(human.n_groups, model.n_groups)
        for coefficient in COEFFICIENTS:
            estimates[f"alignment_{perspective}_{coefficient}"] = _estimate(
                getattr(aligned, coefficient), getattr(drawn, coefficient), n_groups, aligned.reason
            )
    if len(profiles) == len(MODEL_PERSPECTIVES) + 1:
        estimates[GAP] = _gap(profiles, taus)
    for perspective, profile in profiles.items():
        for index, factor in enumerate(profile.factors):
            estimates[f"tau_{perspective}_{factor}"] = _estimate(
                float(profile.tau[index]),
                taus[perspective][:, index],
                int(profile.groups[index]),
                profile.reasons[index],
            )
    return ProfileMetrics(profiles, _headline_first(estimates), replicates, seed)


def _estimate(
    value: float, replicates: NDArray[np.float64], n_groups: int, reason: str | None
) -> Estimate:
    """A value with its interval; what is not defined has no interval either."""
    if reason is not None:
        return Estimate(value, Interval(math.nan, math.nan, 0.0, reason), reason)
    return Estimate(value, percentile_interval(replicates, n_groups=n_groups))


def _by_factor(profile: FactorProfile) -> dict[str, float]:
    return dict(zip(profile.factors, profile.tau.tolist(), strict=True))


def _gap(
    profiles: Mapping[Perspective, FactorProfile],
    taus: Mapping[Perspective, NDArray[np.float64]],
) -> Estimate:
    """Alignment of the judge less alignment of the writer, over the factors of all profiles.

    Two alignments over different factors would differ for that reason alone.
    """
    known = np.all([np.isfinite(profile.tau) for profile in profiles.values()], axis=0)
    drawn_known = np.all([np.isfinite(drawn) for drawn in taus.values()], axis=0) & known
    drawn = {name: np.where(drawn_known, values, np.nan) for name, values in taus.items()}
    shared = {
        name: {f: tau for (f, tau), k in zip(_by_factor(p).items(), known, strict=True) if k}
        for name, p in profiles.items()
    }
    points, replicates = [], []
    for perspective in MODEL_PERSPECTIVES:
        points.append(align(shared["human"], shared[perspective], permutations=0))
        replicates.append(alignment_replicates(drawn["human"], drawn[perspective]).tau_b)
    return _estimate(
        points[0].tau_b - points[1].tau_b,
        replicates[0] - replicates[1],
        min(profile.n_groups for profile in profiles.values()),
        points[0].reason or points[1].reason,
    )


def _headline_first(estimates: Mapping[str, Estimate]) -> dict[str, Estimate]:
    """tau_b alignments and the gap, then the profiles, then the other coefficients."""
    leading = [f"alignment_{perspective}_tau_b" for perspective in MODEL_PERSPECTIVES] + [GAP]
    taus = [name for name in estimates if name.startswith("tau_")]
    order = [name for name in leading if name in estimates] + taus
    return {name: estimates[name] for name in [*order, *(n for n in estimates if n not in order)]}
