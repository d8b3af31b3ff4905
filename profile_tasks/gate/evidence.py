"""What a run has to show: its metrics, their intervals, and replicates that were drawn together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from profile_tasks.data.task_definition import is_meant
from profile_tasks.nearest_name import nearest
from profile_tasks.runs.reading import read_runs
from profile_tasks.runs.run import Harness, Run, check_finished, finite_or_none, with_audits
from profile_tasks.scorers.measurement.own_labels import own_estimates, own_metrics, own_study
from profile_tasks.scorers.measurement.source_measurement import (
    SourceMeasurement,
    standard_metrics,
)
from profile_tasks.scorers.measurement.tables import estimates_in_slices, run_study
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.study import AGREEMENT, Study


@dataclass(frozen=True)
class Evidence:
    """What a run has to show.

    Attributes:
        run: What it reported, and what was measured on its samples, for pairing.
        metrics: Value of each metric; None where it is not defined.
        estimates: Metrics with replicates that were drawn together; empty without samples.
        without_samples: Why there are no measurements, in words.
        study: What the estimates were made from.
    """

    run: Run
    metrics: Mapping[str, float | None]
    estimates: Mapping[str, Estimate] = field(default_factory=dict)
    without_samples: str | None = None
    study: Study | None = None

    def at(self, confidence: float) -> Mapping[str, Estimate]:
        """The estimates with intervals of this coverage, between 0 and 1."""
        if self.study is None or confidence == self.study.confidence:
            return self.estimates
        return estimates_of(replace(self.study, confidence=confidence), self.run.measurements)

    def difference(self, first: str, second: str, confidence: float) -> Estimate | None:
        """One influence less another on the same factor, as the log has it; None of other metrics.

        Args:
            first: Name of a metric.
            second: Of the one taken away.
            confidence: Coverage of the interval.
        """
        if self.study is None:
            return None
        of_tables = {
            f"tau_{table}_{factor}": (table, factor)
            for table in self.study.tables
            for factor in self.study.profiles[table].factors
        }
        (one, factor), (other, same) = (of_tables.get(m, ("", m)) for m in (first, second))
        if not one or factor != same:
            return None
        study = replace(self.study, confidence=confidence)
        return study.difference(one, other)[0][factor]


def read_evidence(path: Path, task: str | None = None, score: str | None = None) -> Evidence:
    """Read a log, a results file, or JSON of ``influence`` or ``contributions``.

    Args:
        path: The file.
        task: Which task is meant, where a results file holds several.
        score: Name of the score, where a log holds several.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no finished run of this project, or holds several.
    """
    held = read_runs(path, score)
    for run in held:
        check_finished(run)
    runs = [run for run in held if task is None or is_meant(run.task, task)]
    if len(runs) > 1 and {run.harness for run in runs} == {"judges"}:
        judges = ", ".join(run.model for run in runs)
        raise ValueError(
            f"{path}: {len(runs)} judges, and a gate holds one at a time: write its JSON alone "
            f"(profile-tasks judges --judge NAME); it holds: {judges}"
        )
    if len(runs) != 1:
        named = ", ".join(f"{run.task} ({run.setting})" for run in held)
        near = nearest(task, [run.task for run in held]) if task and not runs else None
        meant = f"; did you mean {near!r}?" if near else ";"
        raise ValueError(f"{path}: name one task of it (--task){meant} it holds: {named}")
    (run,) = runs
    if run.is_audit or run.harness != "inspect":
        why = _NO_SAMPLES.get(run.harness, "an audit of a judge is held to what it reports")
        return Evidence(run, run.metrics, without_samples=why)
    from profile_tasks.runs.inspect_log import with_measurements

    run = with_measurements(run, score)
    if not run.measurements:
        return Evidence(run, run.metrics, without_samples="the log holds no samples")
    seed = run.settings.get("seed")
    study = run_study(run.measurements, seed=seed if isinstance(seed, int) else 0)
    estimates = estimates_of(study, run.measurements)
    values = {name: each.value for name, each in estimates.items()}
    values |= standard_metrics(run.measurements)
    values |= own_metrics(run.measurements, own_study(run.measurements, seed=study.seed))
    metrics = {name: finite_or_none(value) for name, value in values.items()}
    return Evidence(run, {**run.metrics, **metrics}, estimates, study=study)


_NO_SAMPLES: Mapping[Harness, str] = {
    "lm-eval": "a results file of lm-eval holds no samples",
    "influence": "JSON of `profile-tasks influence` holds no samples",
    "contributions": "JSON of `profile-tasks contributions` holds no samples",
    "judges": "JSON of `profile-tasks judges` holds no samples",
}


def beside_audits(shown: Sequence[Evidence]) -> list[Evidence]:
    """The evidence, that of a run with the probes of the audit of its model.

    An audit whose model, task and data no run has stands as it is.
    """
    joined = {run.file: run for run in with_audits([each.run for each in shown])}
    return [
        replace(each, run=run, metrics={**run.metrics, **each.metrics})
        for each in shown
        if (run := joined.get(each.run.file)) is not None
    ]


def estimates_of(
    study: Study, measurements: Sequence[SourceMeasurement] = ()
) -> dict[str, Estimate]:
    """Every metric of a run that has an interval.

    Resamples depend on the groups and the seed alone, so these are the ones of the log.

    Args:
        study: The run.
        measurements: What was measured on each source, where slices and labelled own pairs count.
    """
    shares = study.influence(AGREEMENT) if AGREEMENT in study.shares else {}
    if not measurements:
        return study.estimates | shares
    own = own_study(measurements, replicates=study.replicates, seed=study.seed)
    on_own = {} if own is None else own_estimates(replace(own, confidence=study.confidence))
    # These are resampled by themselves: their replicates are paired with those of nothing else.
    alone = {name: replace(each, drawn=None) for name, each in on_own.items()}
    return study.estimates | shares | estimates_in_slices(measurements, study) | alone
