"""Grading after the fact: factors that need a grader, on samples that lm-eval logged.

lm-eval has no grader. So the logged answers are replayed through the scorer of the Inspect tasks:
its requests, cache and repairs are the very same code, and the run leaves an ordinary Inspect log
behind. Its numbers are then written into a copy of lm-eval's results file.
"""

import math
from collections.abc import Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from profile_tasks import __version__
from profile_tasks.runs.lm_eval import lm_eval_name, read_results, results_beside
from profile_tasks.runs.run import OWN_PAIRS, Run
from profile_tasks.scorers.statistics.study import GAP
from profile_tasks.settings import MeasuringSettings

if TYPE_CHECKING:
    from inspect_ai import Task

    from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement


def grading_task(
    run: Run,
    settings: MeasuringSettings,
    *,
    seed: int = 0,
    grader: bool = True,
    own_labels: str | None = None,
) -> "Task":
    """The Inspect task that grades logged samples; it asks only the model in the role ``grader``.

    Args:
        run: The samples of one evaluation.
        settings: What is measured. The responses that are compared, and the slices, are those of
            the samples.
        seed: Seed of the bootstrap.
        grader: Whether there is such a model.
        own_labels: File of people's preferences among the written texts.

    Raises:
        ValueError: The factors are not known, or need a grader and there is none.
    """
    from inspect_ai import Task
    from inspect_ai.dataset import MemoryDataset

    import profile_tasks.scorers.inspect.full_profile  # noqa: F401 - registers its hook
    from profile_tasks.data.preferences import recorded_factors
    from profile_tasks.data.task_definition import name_of, task_metadata
    from profile_tasks.runs.replay import replayed_answers
    from profile_tasks.scorers.factors.selection import measured_factors, needing_grader
    from profile_tasks.scorers.inspect.profile_scorer import (
        factor_profile,
        headline_metrics,
        scorer_options,
    )
    from profile_tasks.scorers.statistics.study import REPLICATES
    from profile_tasks.tasks.profile_task import TASK_VERSION, source_sample

    samples = list(run.parts)
    settings = settings.model_copy(
        update={
            "pairing": run.settings["pairing"],
            "slices": tuple(run.measurements[0].slices) or None,
        }
    )
    chosen = measured_factors(
        settings.factors,
        run.task,
        grader=grader,
        learned_by=settings.learned_by,
        recorded=recorded_factors(answered.source for answered in run.answers),
    )
    if not grader and (graded := needing_grader(chosen)):
        raise ValueError(f"factors {', '.join(graded)} need a grader; name one (--grader)")
    return Task(
        name=f"{name_of(run.task)}_graded",
        dataset=MemoryDataset(
            [source_sample(answered.source) for answered in run.answers],
            name="samples of lm-eval",
        ),
        solver=replayed_answers(samples),
        scorer=factor_profile(**scorer_options(run.task, settings, chosen), own_labels=own_labels),
        metrics=[headline_metrics(REPLICATES, seed)],
        version=TASK_VERSION,
        metadata={
            **task_metadata(run.task),
            "samples": samples,
            "answered_by": run.model,
            "data_hash": run.conditions["data_hash"],
            "package_version": __version__,
            "factors": [factor.id for factor in chosen],
            "settings": settings.record(),
        },
    )


def graded_results(
    run: Run, measurements: Sequence["SourceMeasurement"], *, seed: int = 0
) -> dict[str, Any]:
    """lm-eval's results with the metrics of the graded factors, in its own form.

    Metrics that lm-eval's run had already are replaced: an alignment is now one over the graded
    factors too. What is not defined is None.

    Args:
        run: The samples.
        measurements: What the graded run measured, one a source.
        seed: Seed of the bootstrap.
    """
    beside = results_beside(next(iter(run.parts)))
    results: dict[str, Any] = {"results": {}} if beside is None else deepcopy(read_results(beside))
    # The gap was over other factors, and may stand with either task.
    for task, row in results["results"].items():
        if task.startswith(f"{lm_eval_name(run.task)}_"):
            for name in [name for name in row if name.startswith(GAP)]:
                del row[name]
    for kind in run.parts.values():
        task = lm_eval_name(run.task, kind)
        row = results["results"].setdefault(task, {"alias": task})
        answered = _of_kind(kind, measurements)
        for name, value in _metrics(answered, kind, measurements, seed).items():
            row[f"{name},none"] = value
    return results


def _of_kind(kind: str, measurements: Sequence["SourceMeasurement"]) -> list["SourceMeasurement"]:
    """What one lm-eval task measured, without what the others add."""
    judged: dict[str, Any] = {"picks": None, "margins": None}
    judged_own: dict[str, Any] = {"own_picks": None, "own_margins": None}
    written = {
        "pairs_written": None,
        "written": (),
        "own_human": None,
        "words_by_score": None,
        "rouge": None,
    }
    asked, without = {
        "generation": ("pairs_written", judged | judged_own),
        OWN_PAIRS: ("own_picks", judged),
    }.get(kind, ("picks", written | judged_own))
    return [m.model_copy(update=without) for m in measurements if getattr(m, asked) is not None]


def _metrics(
    answered: list["SourceMeasurement"],
    kind: str,
    every: Sequence["SourceMeasurement"],
    seed: int,
) -> dict[str, float | str | None]:
    from profile_tasks.scorers.statistics.estimate import STANDARD_ERROR
    from profile_tasks.task_configs.profile_task_class import estimated_metrics
    from profile_tasks.task_configs.source_task import NOT_AVAILABLE

    has_gap = kind not in ("generation", OWN_PAIRS)
    found = estimated_metrics(answered, every if has_gap else None, seed)
    found.pop("generation_truncated_rate", None)  # lm-eval does not say what was cut off
    undefined = {name: NOT_AVAILABLE for name in found if name.endswith(STANDARD_ERROR)}
    return {
        name: value if math.isfinite(value) else undefined.get(name)
        for name, value in found.items()
    }
