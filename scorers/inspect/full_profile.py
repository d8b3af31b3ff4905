"""Every metric of a factor profile, with its interval, in the finished Inspect log.

Under ``results`` as metrics of the names that lm-eval and the command line use, and as a
``profile`` with the counts and the reasons behind them in the score's metadata.
"""

import logging
import shlex
from inspect import signature
from typing import Any

from inspect_ai.hooks import hooks
from inspect_ai.log import EvalLog, EvalScore

from profile_tasks.scorers.grading.grader import grader_warnings
from profile_tasks.scorers.inspect.log_completion import (
    CompletesLogs,
    LogCompletion,
    bootstrap_of,
    with_metrics,
)
from profile_tasks.scorers.inspect.profile_scorer import factor_profile, measurement_of
from profile_tasks.scorers.measurement.own_labels import (
    labelling_record,
    own_metrics,
    own_named,
    own_record,
    own_study,
)
from profile_tasks.scorers.measurement.source_measurement import (
    SourceMeasurement,
    standard_metrics,
)
from profile_tasks.scorers.measurement.tables import (
    reasons_of_recorded,
    run_study,
    slices_of_run,
    with_units,
)
from profile_tasks.scorers.statistics.records import flat_record, study_record
from profile_tasks.scorers.statistics.study import REPLICATES, Study

logger = logging.getLogger(__name__)

SCORER = "factor_profile"
METRIC = "headline_metrics"


def _completed(
    score: EvalScore, measurements: list[SourceMeasurement], evaluated: str
) -> EvalScore:
    metrics, profile = every_metric(score, measurements, evaluated)
    return with_metrics(score, METRIC, metrics, {"profile": profile})


def every_metric(
    score: EvalScore, measurements: list[SourceMeasurement], evaluated: str
) -> tuple[dict[str, float], dict[str, Any]]:
    """Every metric of a finished run by name, and the profile behind them.

    Args:
        score: Says how the printed metrics were resampled.
        measurements: What was measured on each source.
        evaluated: The evaluated model.
    """
    replicates, seed = bootstrap_of(score, REPLICATES)
    return metrics_and_profile(measurements, evaluated, replicates, seed)


def metrics_and_profile(
    measurements: list[SourceMeasurement], evaluated: str, replicates: int, seed: int
) -> tuple[dict[str, float], dict[str, Any]]:
    """The same of what was measured, resampled so many times."""
    study = run_study(measurements, replicates=replicates, seed=seed)
    record = study_record(study)
    _add_units(record, study)
    record["reasons"] |= reasons_of_recorded(measurements)
    if slices := slices_of_run(measurements, study):
        record["slices"] = slices
    metrics = study.flat() | standard_metrics(measurements) | flat_record(record)
    own = own_study(measurements, replicates=replicates, seed=seed)
    metrics |= own_metrics(measurements, own)
    if labels := labelling_record(measurements):
        record["own_labels"] = labels
    if own is not None:
        record["own_pairs"] = own_record(own)
        _add_units(record["own_pairs"], own)
        metrics |= own_named(flat_record(record["own_pairs"]))
        record["reasons"] |= own_named(record["own_pairs"]["reasons"])
    return metrics, record | grading_record(measurements, evaluated)


def _add_units(record: dict[str, Any], study: Study) -> None:
    """Say what each factor of a study's record counts, and so why it is missing."""
    for perspective in study.tables:
        record[perspective] = with_units(record[perspective])
        for factor, entry in record[perspective]["factors"].items():
            if (name := f"tau_{perspective}_{factor}") in record["reasons"]:
                record["reasons"][name] = entry["reason"]


def _tell_gaps(log: EvalLog, measurements: list[SourceMeasurement]) -> None:
    if gaps := missing_judgements(measurements):
        logger.warning("%s. Scoring the log again asks for them: %s", gaps, rescoring(log))


COMPLETION = LogCompletion(SCORER, measurement_of, _completed, _tell_gaps)
is_own_score = COMPLETION.is_own_score
completed_results = COMPLETION.results


@hooks(name="full_profile", description="Adds the full factor profile to a finished log")
class FullProfile(CompletesLogs[SourceMeasurement]):
    """Completes the logs of this project's scorer."""

    completion = COMPLETION


def grading_record(measurements: list[SourceMeasurement], evaluated: str) -> dict[str, object]:
    """The entry about the grading in a log's profile; empty where nothing was graded."""
    found = graded_by(measurements, evaluated)
    return {"grading": found} if found["graders"] else {}


def graded_by(measurements: list[SourceMeasurement], evaluated: str) -> dict[str, list[str]]:
    """Who graded, and what speaks against taking its word."""
    graders = sorted({grader for m in measurements for grader in m.graders})
    warnings = grader_warnings(evaluated, graders)
    if len({m.graders for m in measurements}) > 1:
        warnings.append(
            "not every source was graded by the same models: how far these agree is not told, and "
            "their spread stands in no interval"
        )
    if gaps := missing_judgements(measurements):
        warnings.append(gaps)
    return {"graders": graders, "warnings": warnings}


def missing_judgements(measurements: list[SourceMeasurement]) -> str | None:
    """How many judgements are missing, why the first one is, and what to do; None for none."""
    gradings = [grading for m in measurements for grading in m.grading.values()]
    missing, asked = (sum(getattr(g, name) for g in gradings) for name in ("missing", "asked"))
    if not missing:
        return None
    problems = [problem for m in measurements for problem in m.grader_problems]
    return (
        f"the grader left {missing} of {asked} judgements missing ({missing / asked:.0%})"
        + (f"; the first: {problems[0]}" if problems else "")
        + ". They count for no factor"
    )


def rescoring(log: EvalLog) -> str:
    """The command that scores a log again as it was scored, and so asks for what is missing."""
    usual = signature(factor_profile).parameters
    used = next((s.options or {} for s in log.eval.scorers or () if s.name == SCORER), {})
    arguments = [
        "-S " + shlex.quote(f"{name}={','.join(value) if isinstance(value, list) else value}")
        for name, value in used.items()
        if value != usual[name].default
    ]
    # By default, a second score with a name of its own would stand beside the incomplete one.
    options = ["--action overwrite --overwrite", f"--scorer profile_tasks/{SCORER}", *arguments]
    return f"inspect score {shlex.quote(log.location)} {' '.join(options)}"
