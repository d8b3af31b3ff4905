"""Recorded judges and writers as ordinary Inspect logs, written without a run.

Inspect takes some 20 ms for a sample, most of it for what a live model needs. Here the annotated
pairs are measured once for all models, and each log is written as the run of that model would have
left it: the same samples, scores, metrics and profile, so that report, compare, leaderboard and
gate read it like any other. A test holds one against a run with the provider ``recorded``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inspect_ai.log import (
    EvalConfig,
    EvalDataset,
    EvalLog,
    EvalMetric,
    EvalPlan,
    EvalResults,
    EvalSample,
    EvalScore,
    EvalSpec,
    EvalStats,
    HeadlineMetric,
    write_eval_log,
)
from inspect_ai.model import ChatMessageUser, ModelName, ModelOutput
from inspect_ai.solver import TaskState

from profile_tasks.data.preferences import (
    AnnotatedSource,
    PreferenceData,
    recorded_factors,
)
from profile_tasks.data.sources import check_sources
from profile_tasks.data.task_definition import known_definitions, packaged_tasks, task_metadata
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.selection import measured_factors, needing_grader
from profile_tasks.scorers.inspect.full_profile import METRIC, SCORER, metrics_and_profile
from profile_tasks.scorers.inspect.log_completion import with_metrics
from profile_tasks.scorers.inspect.profile_scorer import (
    PRINTED_FACTORS,
    printed_names,
    score_of,
    scorer_options,
)
from profile_tasks.scorers.measurement.recorded_judges import measure_recorded, measured_alone
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement
from profile_tasks.scorers.statistics.study import REPLICATES
from profile_tasks.settings import ProfileSettings, Setting
from profile_tasks.solvers.pairwise_discrimination import put_verdicts
from profile_tasks.solvers.recorded_answers import RECORDED_NOTE, RecordedModel
from profile_tasks.solvers.score_conditioned_generation import put_responses
from profile_tasks.tasks.profile_task import (
    TASK_VERSION,
    data_metadata,
    factor_metadata,
    inspect_task,
    source_sample,
)
from profile_tasks.tasks.viewer import VIEWER
from profile_tasks.untrusted_text import file_name


@dataclass(frozen=True, eq=False)
class Replay:
    """The models recorded in one file, about the rows of one task.

    Attributes:
        file: The file, as the settings of a run name it.
        data: Its rows of that task.
        task: The key of a task.
        factors: Which factors are measured.
        measured: The annotated pairs of each source, measured without a model.
        settings: Those of a run that would have read the file so, beside setting and orders.
        about: What a reader of each log must know about data and factors.
    """

    file: str
    data: PreferenceData
    task: str
    factors: Sequence[Factor]
    measured: Sequence[SourceMeasurement]
    settings: Mapping[str, Any]
    about: Mapping[str, Any]

    def log(self, model: RecordedModel) -> EvalLog:
        """The log of a run of a model.

        Raises:
            ValueError: The rows lack the sources that its setting needs.
        """
        setting = _setting(model)
        check_sources(self.task, self.data, setting)
        settings = ProfileSettings.read(
            {
                **self.settings,
                "dataset": self.file,
                "setting": setting,
                "orders": model.orders or 2,
                **_written(model),
            }
        )
        measured = [
            measure_recorded(
                source,
                alone,
                self.factors,
                model,
                pairing=settings.pairing,
                faulty_texts=settings.faulty_texts,
            )
            for source, alone in zip(self.data.sources, self.measured, strict=True)
        ]
        samples = [
            _sample(source, measurement, model)
            for source, measurement in zip(self.data.sources, measured, strict=True)
        ]
        options = scorer_options(self.task, settings, self.factors)
        name, arguments = inspect_task(self.task)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return EvalLog(
            status="success",
            # Validated, since Inspect keeps the class of a scorer's record to itself.
            eval=EvalSpec.model_validate(
                {
                    "created": now,
                    "task": f"profile_tasks/{name}",
                    "task_registry_name": f"profile_tasks/{name}",
                    "task_display_name": self.task,
                    "task_version": TASK_VERSION,
                    "task_args": settings.record() | arguments,
                    "dataset": EvalDataset(
                        name=self.data.title,
                        samples=len(samples),
                        sample_ids=[sample.id for sample in samples],
                        shuffled=False,
                    ),
                    "model": model.model,
                    "model_args": {"file": self.file},
                    "config": EvalConfig(epochs=1),
                    "metadata": {
                        **task_metadata(self.task),
                        **self.about,
                        "settings": settings.record(),
                        "recorded": RECORDED_NOTE,
                    },
                    "viewer": VIEWER,
                    "scorers": [_scorer(options, settings.seed)],
                }
            ),
            plan=EvalPlan(name="replay of recorded answers"),
            results=_results(measured, options, settings.seed, model.model),
            stats=EvalStats(started_at=now, completed_at=now),
            samples=samples,
        )


def replays(file: str, data: PreferenceData, settings: Mapping[str, Any]) -> list[Replay]:
    """The models recorded in a file, task by task.

    Args:
        file: The file, as the settings of a run name it.
        data: Its rows.
        settings: As of ``ProfileSettings``, beside the data set.

    Raises:
        ValueError: Rows name no task, or the factors are not known or need a grader.
    """
    by_task: dict[str, list[AnnotatedSource]] = {}
    for source in data.sources:
        by_task.setdefault(source.task, []).append(source)
    if "" in by_task:
        raise ValueError(
            f"{data.name}: the rows name no task, and a log is of one; give --task: "
            f"{', '.join(packaged_tasks())}"
        )
    if unknown := by_task.keys() - {each.key for each in known_definitions()}:
        raise ValueError(
            f"{data.name}: rows name the task {min(unknown)!r}, and a log is one of "
            f"{', '.join(packaged_tasks())}; name it in the file, or give it: --task"
        )
    found = []
    for task, sources in by_task.items():
        factors = measured_factors(
            settings["factors"],
            task,
            grader=False,
            learned_by={},
            recorded=recorded_factors(sources),
        )
        if graded := needing_grader(factors):
            raise ValueError(
                f"factors {', '.join(graded)} need a grader model, and here none is asked; score "
                "the logs with one afterwards: inspect score"
            )
        of_task = replace(data, sources=tuple(sources))
        measured = measured_alone(sources, factors)
        about = data_metadata(of_task) | factor_metadata(factors, auto=False)
        found.append(Replay(file, of_task, task, factors, measured, settings, about))
    return found


def write_logs(
    replays: Sequence[Replay], models: Sequence[RecordedModel], folder: Path
) -> Iterator[Path]:
    """Write the log of every model and task; each path as it is done.

    A file is named after the data, the task where there are several, and the model; one of that
    name is replaced.

    Raises:
        ValueError: As of ``Replay.log``; two models have one name as file names go.
    """
    paths: set[Path] = set()
    folder.mkdir(parents=True, exist_ok=True)
    for replay in replays:
        held = {source.id for source in replay.data.sources}
        for model in models:
            if not (model.verdicts or held & model.texts.keys()):
                continue
            parts = [Path(replay.data.name).stem, *[replay.task] * (len(replays) > 1), model.name]
            path = folder / f"{'_'.join(map(file_name, parts))}.eval"
            if path in paths:
                raise ValueError(
                    f"{path} would hold two models, the last of them {model.name!r}; rename the "
                    "columns of one"
                )
            paths.add(path)
            write_eval_log(replay.log(model), str(path))
            yield path


def _setting(model: RecordedModel) -> Setting:
    if model.verdicts and model.texts:
        return "both"
    return "discrimination" if model.verdicts else "generation"


def _written(model: RecordedModel) -> dict[str, Any]:
    """The settings about writing: what was asked for, and that nobody judged it."""
    scores = sorted({score for texts in model.texts.values() for score in texts})
    return {"scores": scores, "own_pairs": False} if scores else {}


def _sample(
    source: AnnotatedSource, measurement: SourceMeasurement, model: RecordedModel
) -> EvalSample:
    asked = source_sample(source)
    state = TaskState(
        ModelName(model.model),
        source.id,
        1,
        asked.input,
        [ChatMessageUser(content=str(asked.input))],
    )
    if (verdicts := model.judged(source)) is not None:
        put_verdicts(state, verdicts)
    if (written := model.written(source)) is not None:
        put_responses(state, written, None)
    return EvalSample(
        id=source.id,
        epoch=1,
        input=asked.input,
        target=asked.target,
        metadata=asked.metadata or {},
        messages=state.messages,
        output=ModelOutput(model=model.model),
        scores={SCORER: score_of(source, measurement)},
        store=dict(state.store.items()),
    )


def _scorer(options: dict[str, Any], seed: int) -> dict[str, Any]:
    resampled = {"replicates": REPLICATES, "seed": seed}
    metrics = [{"name": f"profile_tasks/{METRIC}", "options": resampled}]
    return {"name": SCORER, "options": options, "metrics": metrics, "metadata": {}}


def _results(
    measured: list[SourceMeasurement], options: dict[str, Any], seed: int, evaluated: str
) -> EvalResults:
    """Every metric, those first that a run prints."""
    metrics, profile = metrics_and_profile(measured, evaluated, REPLICATES, seed)
    first = printed_names(metrics, measured[0].factors[:PRINTED_FACTORS])
    params = {"replicates": REPLICATES, "seed": seed}
    score = EvalScore(
        name=SCORER,
        scorer=SCORER,
        params=options,
        scored_samples=len(measured),
        metrics={
            name: EvalMetric(name=name, group=METRIC, value=metrics[name], params=params)
            for name in first
        },
    )
    return EvalResults(
        total_samples=len(measured),
        completed_samples=len(measured),
        scores=[with_metrics(score, METRIC, metrics, {"profile": profile})],
        headline=HeadlineMetric(scorer=SCORER, score=SCORER, metric=first[0]),
    )
