"""What a run has to show: its metrics, their intervals, and replicates that were drawn together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from profile_tasks.runs.reading import finished_runs
from profile_tasks.runs.run import Run, finite_or_none
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement, standard_metrics
from profile_tasks.scorers.measurement.tables import agreement_table, comparison_tables
from profile_tasks.scorers.statistics.influence import factor_profile
from profile_tasks.scorers.statistics.study import REPLICATES, profile_metrics
from profile_tasks.scorers.statistics.uncertainty import bootstrap_taus


@dataclass(frozen=True)
class Drawn:
    """Bootstrap replicates of one metric.

    Attributes:
        replicates: (B,), the same resamples of the sources as of every other metric of the run.
        n_groups: Groups behind the metric.
    """

    replicates: NDArray[np.float64]
    n_groups: int


@dataclass(frozen=True)
class Evidence:
    """What a run has to show.

    Attributes:
        run: What it reported, and what was measured on its samples, for pairing.
        metrics: Value of each metric; None where it is not defined.
        drawn: Replicates by metric; empty where there are no samples.
        reasons: Why a metric is not defined, by its name.
        without_samples: Why there are no measurements, in words.
    """

    run: Run
    metrics: Mapping[str, float | None]
    drawn: Mapping[str, Drawn] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    without_samples: str | None = None

    def reported_interval(self, metric: str) -> tuple[float, float] | None:
        """The 95 % interval that the run reported; None where there is none."""
        low, high = (self.run.metrics.get(f"{metric}_ci_{end}") for end in ("low", "high"))
        return None if low is None or high is None else (low, high)


def read_evidence(path: Path, task: str | None = None, score: str | None = None) -> Evidence:
    """Read a log or a results file.

    Args:
        path: An Inspect log or a results file of lm-eval.
        task: Which task is meant, where a results file holds several.
        score: Name of the score, where a log holds several.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no finished run of this project, or holds several.
    """
    held = finished_runs(path, score)
    runs = [run for run in held if task in (None, run.task)]
    if len(runs) != 1:
        named = ", ".join(f"{run.task} ({run.setting})" for run in held)
        raise ValueError(f"{path}: name one task of it (--task); it holds: {named}")
    (run,) = runs
    if run.harness != "inspect":
        return Evidence(
            run, run.metrics, without_samples="a results file of lm-eval holds no samples"
        )
    from profile_tasks.runs.inspect_log import with_measurements

    run = with_measurements(run, score)
    if not run.measurements:
        return Evidence(run, run.metrics, without_samples="the log holds no samples")
    seed = run.conditions.get("seed")
    drawn, metrics, reasons = drawn_metrics(
        run.measurements, seed=seed if isinstance(seed, int) else 0
    )
    return Evidence(run, {**run.metrics, **metrics}, drawn, reasons)


def drawn_metrics(
    measurements: tuple[SourceMeasurement, ...], *, replicates: int = REPLICATES, seed: int = 0
) -> tuple[dict[str, Drawn], dict[str, float | None], dict[str, str]]:
    """Replicates, values, and reasons of what has no value, of every metric that is resampled.

    Args:
        measurements: One a sample.
        replicates: Bootstrap replicates; those of the log by default.
        seed: Seed of the bootstrap.
    """
    tables = comparison_tables(measurements)
    judged = agreement_table(measurements)
    # Resamples depend on the groups and the seed alone, so these are the ones of the log.
    taus = bootstrap_taus([*tables, judged], replicates=replicates, seed=seed)
    profiled = profile_metrics(tables, replicates=replicates, seed=seed, taus=taus[:-1])
    values = {name: estimate.value for name, estimate in profiled.estimates.items()}
    groups = {name: profile.n_groups for name, profile in profiled.profiles.items()}
    drawn = {
        name: Drawn(
            correlation,
            min(
                n
                for perspective, n in groups.items()
                if perspective == "human" or _of(perspective, name)
            ),
        )
        for name, correlation in profiled.correlations.items()
    }
    for perspective, profile in profiled.profiles.items():
        for index, factor in enumerate(profile.factors):
            drawn[f"tau_{perspective}_{factor}"] = Drawn(
                profiled.taus[perspective][:, index], int(profile.groups[index])
            )
    if judged.preference.size:
        agreement = factor_profile(judged)
        for index, name in enumerate(agreement.factors):
            drawn[name] = Drawn(taus[-1][:, index], int(agreement.groups[index]))
            values[name] = float(agreement.tau[index])
    values |= standard_metrics(measurements)
    return (
        drawn,
        {name: finite_or_none(value) for name, value in values.items()},
        profiled.reasons(),
    )


def _of(perspective: str, metric: str) -> bool:
    """Whether an alignment, or the gap, rests on that profile of the model."""
    return metric.startswith(("alignment_gap", f"alignment_{perspective}"))
