"""Standard errors for lm-eval's column: the spread of the replicates that intervals come from."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement
from profile_tasks.scorers.measurement.tables import agreement_table, comparison_tables
from profile_tasks.scorers.statistics.estimate import flat_metrics
from profile_tasks.scorers.statistics.run_statistics import agreement_estimates
from profile_tasks.scorers.statistics.study import REPLICATES, ProfileMetrics, profile_metrics

NOT_AVAILABLE = "N/A"
"""What lm-eval writes where there is no standard error."""


def profile_estimates(measurements: list[SourceMeasurement], seed: int) -> dict[str, float]:
    """The metrics of a profile, each with its interval and its standard error."""
    profiled = profile_metrics(comparison_tables(measurements), seed=seed)
    return profiled.values() | standard_errors(profiled)


def agreement_metrics(measurements: list[SourceMeasurement], seed: int) -> dict[str, float]:
    """Accuracy and flip rate, each with its interval and its standard error; none if not judged."""
    table = agreement_table(measurements)
    if not table.preference.size:
        return {}
    estimates, drawn = agreement_estimates(table, replicates=REPLICATES, seed=seed)
    return flat_metrics(estimates) | {
        f"{name}_stderr": np.nan if estimate.interval.reason else spread(drawn[name])
        for name, estimate in estimates.items()
    }


def standard_errors(profiled: ProfileMetrics) -> dict[str, float]:
    """Standard deviation of the bootstrap replicates behind each estimate, as ``NAME_stderr``."""
    errors = {name: spread(drawn) for name, drawn in profiled.correlations.items()}
    for perspective, taus in profiled.taus.items():
        for index, factor in enumerate(profiled.profiles[perspective].factors):
            errors[f"tau_{perspective}_{factor}"] = spread(taus[:, index])
    # No interval, no error: both rest on the same replicates.
    return {
        f"{name}_stderr": np.nan if profiled.estimates[name].interval.reason else error
        for name, error in errors.items()
    }


def with_errors(names: Sequence[str]) -> list[str]:
    """Each metric with its standard error behind it; the ends of intervals have none."""
    return [
        with_error
        for name in names
        for with_error in (
            (name,) if name.endswith(("_ci_low", "_ci_high")) else (name, f"{name}_stderr")
        )
    ]


def spread(replicates: NDArray[np.float64]) -> float:
    """Standard deviation of the replicates that are defined; NaN where fewer than two are."""
    known = replicates[np.isfinite(replicates)]
    return float(known.std(ddof=1)) if known.size > 1 else np.nan
