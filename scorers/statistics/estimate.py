"""A number with its interval, and how many of them become the flat metrics of a harness."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.influence import FactorProfile, none_for_nan
from profile_tasks.scorers.statistics.uncertainty import (
    Interval,
    percentile_interval,
    symmetric_interval,
)


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; NaN with a reason where it is not defined.

    Attributes:
        value: The point estimate.
        interval: Its interval; ``interval.method`` says which.
        reason: Why the value is NaN, else None.
    """

    value: float
    interval: Interval
    reason: str | None = None

    @classmethod
    def undefined(cls, reason: str) -> Self:
        """NaN, without an interval either."""
        return cls(math.nan, Interval.none(reason), reason)


def json_record(estimate: Estimate) -> dict[str, float | str | None]:
    """The estimate as JSON has it: NaN is None, with the reason.

    >>> json_record(Estimate.undefined("there are no pairs"))
    {'value': None, 'ci_low': None, 'ci_high': None, 'reason': 'there are no pairs'}
    """
    return {
        "value": none_for_nan(estimate.value),
        "ci_low": none_for_nan(estimate.interval.low),
        "ci_high": none_for_nan(estimate.interval.high),
        "reason": estimate.reason or estimate.interval.reason,
    }


def percentile_estimate(
    value: float, replicates: NDArray[np.float64], n_groups: int, reason: str | None
) -> Estimate:
    """A share, an influence, or a difference of two, with its percentile interval.

    Args:
        value: The estimate; NaN where it is not defined.
        replicates: (B,) bootstrap replicates of it.
        n_groups: Groups behind it.
        reason: Why it is NaN, where it is.
    """
    if math.isnan(value):
        return Estimate.undefined(reason or "")
    return Estimate(value, percentile_interval(replicates, n_groups=n_groups))


def tau_estimates(profile: FactorProfile, drawn: NDArray[np.float64]) -> dict[str, Estimate]:
    """Each influence of a profile with its percentile interval, by factor.

    Args:
        profile: The profile.
        drawn: (B, F) bootstrap replicates of its influences.
    """
    return {
        factor: percentile_estimate(
            float(profile.tau[i]), drawn[:, i], int(profile.groups[i]), profile.reasons[i]
        )
        for i, factor in enumerate(profile.factors)
    }


def symmetric_estimate(
    value: float,
    replicates: NDArray[np.float64],
    n_groups: int,
    reason: str | None,
    *,
    limit: float = 1,
) -> Estimate:
    """An alignment, or a difference of several, with its symmetric interval.

    Args:
        value: The estimate; NaN where it is not defined.
        replicates: (B,) bootstrap replicates of it.
        n_groups: Groups behind it.
        reason: Why it is NaN, where it is.
        limit: The greatest absolute value that it can have.
    """
    if math.isnan(value):
        return Estimate.undefined(reason or "")
    interval = symmetric_interval(value, replicates, n_groups=n_groups, limits=(-limit, limit))
    return Estimate(value, interval)


def flat_metrics(estimates: Mapping[str, Estimate]) -> dict[str, float]:
    """Each name with its value, then its ``_ci_low`` and ``_ci_high``.

    >>> interval = Interval(0.4, 0.6, 1.0, None, "percentile")
    >>> flat_metrics({"kappa": Estimate(0.5, interval)})
    {'kappa': 0.5, 'kappa_ci_low': 0.4, 'kappa_ci_high': 0.6}
    """
    flat: dict[str, float] = {}
    for name, estimate in estimates.items():
        flat[name] = estimate.value
        flat[f"{name}_ci_low"] = estimate.interval.low
        flat[f"{name}_ci_high"] = estimate.interval.high
    return flat


def undefined(estimates: Mapping[str, Estimate]) -> dict[str, str]:
    """Why an estimate is NaN, or has no interval, by its name."""
    return {
        name: reason
        for name, estimate in estimates.items()
        if (reason := estimate.reason or estimate.interval.reason)
    }
