"""Writes every metric, with its interval, into the finished Inspect log.

Inspect prints all the metrics that a scorer returns, and a full profile (three perspectives,
every factor, intervals) would fill several screens. So the scorer returns the headline, and when
the task has ended this hook adds the rest to the log's header: under ``results`` as metrics of
the names that lm-eval and the command line use, and as a ``profile`` with the counts and the
reasons behind them in the score's metadata.
"""

import logging
import re
import shlex
from collections.abc import Mapping
from inspect import signature

from inspect_ai.hooks import Hooks, SampleEnd, TaskEnd, hooks
from inspect_ai.log import (
    EvalLog,
    EvalMetric,
    EvalResults,
    EvalScore,
    write_eval_log_async,
)

from profile_tasks.scorers.comparison_tables import (
    agreement_table,
    comparison_tables,
    human_votes,
)
from profile_tasks.scorers.evaluated_model import evaluated_model
from profile_tasks.scorers.factor_profile import factor_profile, measurement_of
from profile_tasks.scorers.grader import grader_warning
from profile_tasks.scorers.profile_metrics import REPLICATES, profile_metrics
from profile_tasks.scorers.run_statistics import run_statistics
from profile_tasks.scorers.source_measurement import (
    SourceMeasurement,
    standard_metrics,
)

logger = logging.getLogger(__name__)

SCORER = "factor_profile"
_METRIC = "headline_metrics"


@hooks(name="full_profile", description="Adds the full factor profile to a finished log")
class FullProfile(Hooks):
    """Completes the logs of this project's scorer; leaves every other log alone."""

    def __init__(self) -> None:
        self._measured: dict[str, list[SourceMeasurement]] = {}

    async def on_sample_end(self, data: SampleEnd) -> None:
        """Keep the measurement, so that the log need not be read again."""
        if data.sample.scores and SCORER in data.sample.scores:
            measurement = measurement_of(data.sample.scores[SCORER])
            self._measured.setdefault(data.eval_id, []).append(measurement)

    async def on_task_end(self, data: TaskEnd) -> None:
        """Add all metrics to the log's header."""
        measured, log = self._measured.pop(data.eval_id, []), data.log
        ours = (
            [score for score in log.results.scores if is_own_score(score.name)]
            if log.results
            else []
        )
        if log.results is None or not ours:
            return
        if len(measured) != ours[0].scored_samples:
            # A retried evaluation takes samples over from the log before.
            measured = logged_measurements(log)
        log.results = completed_results(log.results, {ours[0].name: measured}, evaluated_model(log))
        if gaps := missing_judgements(measured):
            logger.warning("%s. Scoring the log again asks for them: %s", gaps, rescoring(log))
        await write_eval_log_async(log, log.location, header_only=True)


def complete_log(log: EvalLog) -> EvalLog:
    """A finished log with every metric again, e.g. after `inspect score` has rescored it.

    Raises:
        ValueError: The log holds no samples, or no results.
    """
    if log.results is None:
        raise ValueError(f"{log.location} holds no results, so there is no profile to complete")
    measured = {
        score.name: logged_measurements(log, score.name)
        for score in log.results.scores
        if is_own_score(score.name)
    }
    results = completed_results(log.results, measured, evaluated_model(log))
    return log.model_copy(update={"results": results})


def is_own_score(name: str) -> bool:
    """Whether this project's scorer made a score; one that is appended to a log gets a number."""
    return re.fullmatch(rf"{SCORER}\d*", name) is not None


def logged_measurements(log: EvalLog, score: str = SCORER) -> list[SourceMeasurement]:
    """The measurements that the samples of a finished log hold.

    Args:
        log: The log.
        score: Name of the score.

    Raises:
        ValueError: The log holds no samples.
    """
    if not log.samples:
        raise ValueError(f"{log.location} holds no samples, so no profile can be read from it")
    return [
        measurement_of(sample.scores[score])
        for sample in log.samples
        if sample.scores and score in sample.scores
    ]


def completed_results(
    results: EvalResults, measured: Mapping[str, list[SourceMeasurement]], evaluated: str
) -> EvalResults:
    """A copy of the results in which this project's scores hold every metric.

    Args:
        results: The results.
        measured: Name of a score -> what was measured on each source.
        evaluated: The evaluated model.
    """
    return results.model_copy(
        update={
            "scores": [
                _completed_score(score, measured[score.name], evaluated)
                if score.name in measured
                else score
                for score in results.scores
            ]
        }
    )


def _completed_score(
    score: EvalScore, measurements: list[SourceMeasurement], evaluated: str
) -> EvalScore:
    printed = next(iter(score.metrics.values()), None)
    params = printed.params if printed else {}
    tables = comparison_tables(measurements)
    profiled = profile_metrics(
        tables,
        replicates=params.get("replicates", REPLICATES),
        seed=params.get("seed", 0),
    )
    statistics = run_statistics(
        tables, profiled, human_votes(measurements), agreement_table(measurements)
    )
    every = profiled.values() | standard_metrics(measurements) | statistics.values()
    added = {
        name: EvalMetric(name=name, group=_METRIC, value=value, params=params)
        for name, value in every.items()
        if name not in score.metrics
    }
    return score.model_copy(
        update={
            "metrics": score.metrics | added,
            "metadata": (score.metadata or {})
            | {
                "profile": statistics.record()
                | {
                    "replicates": profiled.replicates,
                    "seed": profiled.seed,
                    "reasons": profiled.reasons(),
                }
                | grading_record(measurements, evaluated)
            },
        }
    )


def grading_record(measurements: list[SourceMeasurement], evaluated: str) -> dict[str, object]:
    """The entry about the grading in a log's profile; empty where nothing was graded."""
    found = graded_by(measurements, evaluated)
    return {"grading": found} if found["graders"] else {}


def graded_by(measurements: list[SourceMeasurement], evaluated: str) -> dict[str, list[str]]:
    """Who graded, and what speaks against taking its word."""
    graders = sorted({m.grader for m in measurements if m.grader is not None})
    warnings = [warning for g in graders if (warning := grader_warning(evaluated, g))]
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
