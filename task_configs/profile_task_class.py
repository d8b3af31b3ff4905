"""What the lm-eval tasks share: one document a source, its requests, and metrics over sources.

A task class rather than rows: a document is a source with all its requests, so that ``--limit``
cuts between sources. Everything estimated is estimated by the functions that the Inspect tasks use,
from the same measurements, with the same seed: the numbers are the same numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
from lm_eval.api.instance import Instance, OutputType
from lm_eval.api.task import Task
from lm_eval.config.task import TaskConfig
from lm_eval.filters import build_filter_ensemble

from profile_tasks.preference_data import AnnotatedSource, PreferenceData, load_preferences
from profile_tasks.scorers.comparison_tables import comparison_tables
from profile_tasks.scorers.factor_choice import measured_factors, needing_grader
from profile_tasks.scorers.factors.taxonomy import Factor
from profile_tasks.scorers.metric_sense import higher_is_better
from profile_tasks.scorers.profile_metrics import GAP, ProfileMetrics, profile_metrics
from profile_tasks.scorers.source_measurement import SourceMeasurement, standard_metrics
from profile_tasks.task_configs.run_settings import RunSettings, run_settings
from profile_tasks.task_sources import Setting, check_sources

MEASURED = "measured_sources"
"""The metric that counts the sources, and under which a logged sample holds its measurement."""

NOT_AVAILABLE = "N/A"
"""What lm-eval writes where there is no standard error."""

Request = tuple[str, Any]
"""Text of a request, and what the request type takes beside it."""

_together: list["ProfileTask"] = []
"""The tasks of the evaluation that is being built or run: their requests are built in a row."""


class MeasuredSource:
    """A measurement as the item of many metrics; the log shows its name instead of copies."""

    def __init__(self, measurement: SourceMeasurement) -> None:
        self.measurement = measurement

    def __str__(self) -> str:
        return self.measurement.source_id


class ProfileTask(Task):
    """A task of this project for lm-eval.

    Attributes:
        setting: What the model is asked for.
    """

    OUTPUT_TYPE: OutputType = "generate_until"
    setting: ClassVar[Setting]

    def __init__(self, config: Mapping[str, Any]) -> None:
        known = dict(config)
        known.pop("class", None)
        self.profile_task: str = known.pop("profile_task")
        self._config = TaskConfig(**known)
        metadata = self._config.metadata or {}
        self.VERSION = metadata.get("version")
        self.settings: RunSettings = run_settings(metadata)
        self._filters = [build_filter_ensemble("none", [["take_first", None]])]
        self._instances: list[Instance] | None = None
        self.fewshot_rnd = None
        self.data = self._load()
        self.factors = self._chosen_factors()
        self._docs = [source.model_dump(mode="json") for source in self.data.sources]
        self.items: list[MeasuredSource] = []
        self._names: list[str] | None = None
        self._estimated: tuple[tuple[int, ...], dict[str, Any]] = ((), {})

    # What a task of this project adds ------------------------------------------------------------

    def requests(self, source: AnnotatedSource) -> list[Request]:
        """The requests about one source, in the order in which ``measure`` gets the answers."""
        raise NotImplementedError

    def measure(self, source: AnnotatedSource, answers: Sequence[Any]) -> SourceMeasurement:
        """Measure what the model answered about one source."""
        raise NotImplementedError

    def standard_names(self) -> list[str]:
        """Names of the metrics beside the profile."""
        raise NotImplementedError

    # What lm-eval asks of a task -----------------------------------------------------------------

    def build_all_requests(self, **options: Any) -> None:  # noqa: ANN401 - as lm-eval has them
        """Build the requests; the tasks that are built in a row belong to one evaluation."""
        if any(task.items for task in _together):
            _together.clear()
        self.items = []
        self._names = None
        if self not in _together:
            _together.append(self)
        super().build_all_requests(**options)

    def has_training_docs(self) -> bool:
        """There are none."""
        return False

    def has_validation_docs(self) -> bool:
        """There are none."""
        return False

    def has_test_docs(self) -> bool:
        """The sources."""
        return True

    def test_docs(self) -> list[dict[str, Any]]:
        """The sources with their annotated pairs."""
        return self._docs

    def doc_to_text(self, doc: dict[str, Any]) -> str:
        """The request of the source, without its material."""
        return str(doc["prompt"])

    def doc_to_target(self, doc: dict[str, Any]) -> str:
        """The reference, where there is one."""
        return doc["reference"] or ""

    def fewshot_context(
        self,
        doc: dict[str, Any],
        num_fewshot: int,
        **options: Any,  # noqa: ANN401
    ) -> str:
        """The system instruction alone: a document has several requests, written later."""
        if num_fewshot:
            raise ValueError(
                f"{self.task_name} takes no examples: --num_fewshot is {num_fewshot}; leave it out"
            )
        return options.get("system_instruction") or ""

    def construct_requests(
        self,
        doc: dict[str, Any],
        ctx: str,
        *,
        apply_chat_template: bool = False,
        chat_template: Callable[..., str] | None = None,
        metadata: tuple[str | None, int | None, int | None] = (None, None, None),
        **_: object,
    ) -> list[Instance]:
        """One instance a request, of the type of this task."""
        source = AnnotatedSource.model_validate(doc)
        return [
            Instance(
                request_type=self.OUTPUT_TYPE,
                doc=doc,
                arguments=(self._prompted(text, ctx, apply_chat_template, chat_template), beside),
                idx=index,
                metadata=metadata,
            )
            for index, (text, beside) in enumerate(self.requests(source))
        ]

    def process_results(self, doc: dict[str, Any], results: Sequence[Any]) -> dict[str, Any]:
        """The source's measurement, as the item of every metric."""
        measurement = self.measure(AnnotatedSource.model_validate(doc), results)
        item = MeasuredSource(measurement)
        self.items.append(item)
        return {
            MEASURED: measurement.model_dump(mode="json"),
            **dict.fromkeys(self.metric_names(), item),
        }

    def aggregation(self) -> dict[str, Callable[[list[Any]], Any]]:
        """Every metric's function; all of them share one estimation over the same items."""
        return {MEASURED: len} | {
            name: partial(self._aggregated, name) for name in self.metric_names()
        }

    def higher_is_better(self) -> dict[str, bool | None]:
        """Of alignments and agreement more is better, of errors less; influences have no side."""
        return {name: higher_is_better(name) for name in self.metric_names()}

    # ---------------------------------------------------------------------------------------------

    def metric_names(self) -> list[str]:
        """Every metric, each with its standard error behind it."""
        if self._names is None:
            self._names = self._all_names()
        return self._names

    def _all_names(self) -> list[str]:
        empty = comparison_tables([self._nothing_measured()])
        names = list(profile_metrics(empty, replicates=1).values())
        if self._completes_an_evaluation():
            names += [GAP, f"{GAP}_ci_low", f"{GAP}_ci_high"]
        estimated = [
            with_error
            for name in names
            for with_error in (
                (name,) if name.endswith(("_ci_low", "_ci_high")) else (name, f"{name}_stderr")
            )
        ]
        return estimated + self.standard_names()

    def _aggregated(self, name: str, items: list[MeasuredSource]) -> Any:  # noqa: ANN401
        """The metric of that name over these items; None where it is not defined."""
        same = tuple(map(id, items))
        if self._estimated[0] != same:
            self.items = items  # over all processes, where several ran
            self._estimated = (same, self._estimate([item.measurement for item in items]))
        value = self._estimated[1].get(name)
        missing = value is None or np.isnan(value)
        return (NOT_AVAILABLE if name.endswith("_stderr") else None) if missing else value

    def _estimate(self, measurements: list[SourceMeasurement]) -> dict[str, float]:
        profiled = self._profiled(measurements)
        estimates = profiled.values() | standard_errors(profiled)
        if self._completes_an_evaluation():
            others = [item.measurement for task in self._siblings() for item in task.items]
            together = self._profiled(measurements + others)
            all_values = together.values() | standard_errors(together)
            estimates |= {name: all_values[name] for name in all_values if name.startswith(GAP)}
        return estimates | standard_metrics(measurements)

    def _profiled(self, measurements: list[SourceMeasurement]) -> ProfileMetrics:
        return profile_metrics(comparison_tables(measurements), seed=self.settings.profile_seed)

    def _siblings(self) -> list["ProfileTask"]:
        """Tasks of the same evaluation that measure the other setting on the same sources."""
        return [
            task
            for task in _together
            if task is not self
            and task.setting != self.setting
            and task.OUTPUT_TYPE == "generate_until"
            and (task.profile_task, task.settings) == (self.profile_task, self.settings)
        ]

    def _completes_an_evaluation(self) -> bool:
        """Whether the other setting has been measured before, so that the gap is known here."""
        if self.OUTPUT_TYPE != "generate_until" or self not in _together:
            return False
        before = _together[: _together.index(self)]
        return any(task in before for task in self._siblings())

    def _nothing_measured(self) -> SourceMeasurement:
        return SourceMeasurement(
            source_id="",
            group="",
            factors=tuple(factor.id for factor in self.factors),
            human=(),
            annotated=(),
            picks=() if self.setting == "discrimination" else None,
            pairs_written=() if self.setting == "generation" else None,
        )

    def _load(self) -> PreferenceData:
        settings = self.settings
        data = load_preferences(
            settings.dataset,
            task=self.profile_task,
            source_file=settings.sources,
            skip_bad_rows=settings.skip_bad_rows,
            limit=settings.limit,
            max_pairs_per_source=settings.max_pairs_per_source,
            seed=settings.profile_seed,
            revision=settings.dataset_revision,
            split=settings.dataset_split,
        )
        check_sources(self.profile_task, data, self.setting)
        return data

    def _chosen_factors(self) -> tuple[Factor, ...]:
        factors = self.settings.factors
        chosen = measured_factors(
            factors if isinstance(factors, str) else list(factors),
            self.profile_task,
            grader=False,
            learned_by={},
        )
        if graded := needing_grader(chosen):
            raise ValueError(
                f"factors {', '.join(graded)} need a grader, which lm-eval does not have; choose "
                f"surface factors, or run the Inspect task profile_tasks/{self.profile_task}"
            )
        return chosen

    @staticmethod
    def _prompted(
        text: str, system: str, as_chat: bool, chat_template: Callable[..., str] | None
    ) -> str:
        if as_chat and chat_template is not None:
            messages = [{"role": "system", "content": system}] if system else []
            return chat_template([*messages, {"role": "user", "content": text}])
        return f"{system}\n\n{text}" if system else text


def standard_errors(profiled: ProfileMetrics) -> dict[str, float]:
    """Standard deviation of the bootstrap replicates behind each estimate, as ``NAME_stderr``."""
    errors = {name: _spread(drawn) for name, drawn in profiled.correlations.items()}
    for perspective, taus in profiled.taus.items():
        for index, factor in enumerate(profiled.profiles[perspective].factors):
            errors[f"tau_{perspective}_{factor}"] = _spread(taus[:, index])
    # No interval, no error: both rest on the same replicates.
    return {
        f"{name}_stderr": np.nan if profiled.estimates[name].interval.reason else error
        for name, error in errors.items()
    }


def _spread(replicates: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    known = replicates[np.isfinite(replicates)]
    return float(known.std(ddof=1)) if known.size > 1 else np.nan
