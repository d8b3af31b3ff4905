"""A number with its interval, and how many of them become the flat metrics of a harness."""

from collections.abc import Mapping
from dataclasses import dataclass

from profile_tasks.scorers.uncertainty import Interval


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; NaN with a reason where it is not defined.

    Attributes:
        value: The point estimate.
        interval: Percentile interval of the cluster bootstrap by source.
        reason: Why the value is NaN, else None.
    """

    value: float
    interval: Interval
    reason: str | None = None


def flat_metrics(estimates: Mapping[str, Estimate]) -> dict[str, float]:
    """Each name with its value, then its ``_ci_low`` and ``_ci_high``.

    >>> flat_metrics({"kappa": Estimate(0.5, Interval(0.4, 0.6, 1.0, None))})
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
