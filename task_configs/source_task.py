"""A task of this project in lm-eval: one document a source, its requests, metrics over sources.

A task class rather than rows: a document is a source with all its requests, so that ``--limit``
cuts between sources. A source's record is the item of every metric, and all metrics share one
estimation over the same items.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
from lm_eval.api.instance import Instance, OutputType
from lm_eval.api.task import Task
from lm_eval.config.task import TaskConfig
from lm_eval.filters import build_filter_ensemble

from profile_tasks.data.conversation import Message
from profile_tasks.data.preferences import AnnotatedSource, PreferenceData
from profile_tasks.data.sources import check_sources, load_data
from profile_tasks.data.task_definition import (
    PREFERENCE,
    packaged_tasks,
    read_definition,
    task_metadata,
)
from profile_tasks.runs.lm_eval import MEASURED
from profile_tasks.scorers.statistics.estimate import STANDARD_ERROR
from profile_tasks.scorers.statistics.metric_catalogue import higher_is_better
from profile_tasks.settings import Setting
from profile_tasks.solvers.prompts import PROMPT_VERSION
from profile_tasks.solvers.requests import GenerationRequest
from profile_tasks.task_configs.run_settings import run_settings

Request = tuple[str | GenerationRequest, Any]
"""A request or its text, and what the request type takes beside it."""


class SourceRecord(Protocol):
    """What a task measures on one source."""

    @property
    def source_id(self) -> str:
        """The source."""
        ...

    def model_dump(self, *, mode: str) -> dict[str, Any]:
        """The record as JSON has it."""
        ...


NOT_AVAILABLE = "N/A"
"""What lm-eval writes where there is no standard error."""

_Record = TypeVar("_Record", bound=SourceRecord)


class MeasuredSource(Generic[_Record]):
    """A record as the item of many metrics; the log shows its source instead of copies."""

    def __init__(self, record: _Record) -> None:
        self.record = record

    def __str__(self) -> str:
        return self.record.source_id


class SourceTask(Task, Generic[_Record]):
    """A task whose documents are sources.

    Attributes:
        setting: What the data must allow.
    """

    OUTPUT_TYPE: OutputType = "generate_until"
    setting: ClassVar[Setting]

    def __init__(self, config: Mapping[str, Any]) -> None:
        known = dict(config)
        known.pop("class", None)
        named: str | None = known.pop("profile_task", None)
        self._config = TaskConfig(**known)
        metadata = self._config.metadata or {}
        self.VERSION = metadata.get("version")
        self.settings = run_settings(metadata)
        self.profile_task = self._key(named)
        self._filters = [build_filter_ensemble("none", [["take_first", None]])]
        self._instances: list[Instance] | None = None
        self.fewshot_rnd = None
        self.data = self._load()
        # lm-eval writes a task's configuration into its results.
        self._config.metadata = (
            metadata
            | {"settings": self.settings.record(), "prompt_version": PROMPT_VERSION}
            | task_metadata(self.profile_task)
            | self.data.identity
        )
        self.sources = {source.id: source for source in self.data.sources}
        self.items: list[MeasuredSource[_Record]] = []
        self._docs: list[dict[str, Any]] | None = None
        self._names: list[str] | None = None
        self._estimated: tuple[tuple[int, ...], Mapping[str, float]] = ((), {})

    # What a task of this project adds ------------------------------------------------------------

    @abstractmethod
    def requests(self, source: AnnotatedSource) -> list[Request]:
        """The requests about one source, in the order in which ``measure`` gets the answers."""

    @abstractmethod
    def measure(self, source: AnnotatedSource, answers: Sequence[Any]) -> _Record:
        """Measure what the model answered about one source."""

    @abstractmethod
    def estimate(self, records: list[_Record]) -> Mapping[str, float]:
        """Every metric by its name; NaN, or absent, where it is not defined."""

    @abstractmethod
    def estimated_names(self) -> list[str]:
        """Names of the metrics that ``estimate`` gives, each standard error behind its metric."""

    # What lm-eval asks of a task -----------------------------------------------------------------

    def build_all_requests(self, **options: Any) -> None:  # noqa: ANN401 - as lm-eval has them
        """Build the requests of an evaluation.

        Never from lm-eval's cache of requests, whose key does not know the data or the settings.
        """
        self.items = []
        self._names = None
        super().build_all_requests(**options | {"cache_requests": False})

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
        if self._docs is None:
            self._docs = [source.model_dump(mode="json") for source in self.sources.values()]
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
        template = chat_template if apply_chat_template else None
        return [
            Instance(
                request_type=self.OUTPUT_TYPE,
                doc=doc,
                arguments=(self._prompted(request, ctx, template), beside),
                idx=index,
                metadata=metadata,
            )
            for index, (request, beside) in enumerate(self.requests(self.sources[doc["id"]]))
        ]

    def process_results(self, doc: dict[str, Any], results: Sequence[Any]) -> dict[str, Any]:
        """The source's record, as the item of every metric."""
        record = self.measure(self.sources[doc["id"]], results)
        item = MeasuredSource(record)
        self.items.append(item)
        return {
            MEASURED: record.model_dump(mode="json"),
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
            self._names = self.estimated_names()
        return self._names

    def _aggregated(self, name: str, items: list[MeasuredSource[_Record]]) -> Any:  # noqa: ANN401
        """The metric of that name over these items; None where it is not defined."""
        same = tuple(map(id, items))
        if self._estimated[0] != same:
            self.items = items  # over all processes, where several ran
            self._estimated = (same, self.estimate([item.record for item in items]))
        value = self._estimated[1].get(name)
        missing = value is None or np.isnan(value)
        return (NOT_AVAILABLE if name.endswith(STANDARD_ERROR) else None) if missing else value

    def _key(self, named: str | None) -> str:
        """The key of the task: that of its configuration, or else the one in the settings."""
        given = self.settings.task
        if given is None and named is not None:
            return named
        if given is None:
            raise ValueError(
                f"{self._config.task}: metadata 'task' is missing; give the name of a task "
                f"({', '.join(packaged_tasks())}) or the YAML file of yours"
            )
        if named is not None:
            raise ValueError(
                f"{self._config.task}: metadata 'task' says which task is meant, and this is of "
                f"{named}; leave it out, or run --tasks profile_{PREFERENCE}"
            )
        return read_definition(given).key

    def _load(self) -> PreferenceData:
        data = load_data(self.settings, self.profile_task)
        check_sources(self.profile_task, data, self.setting)
        return data

    def _prompted(
        self,
        request: str | GenerationRequest,
        system: str,
        chat_template: Callable[..., str] | None,
    ) -> str:
        if isinstance(request, str):
            text, said = request, [Message(role="user", content=request)]
        else:
            text, said = request.render(), request.messages()
        if chat_template is not None:
            messages = [{"role": "system", "content": system}] if system else []
            return chat_template([*messages, *(message.model_dump() for message in said)])
        # An answer that is given, and not written, begins a paragraph of its own.
        ending = "\n\n" if self.OUTPUT_TYPE == "loglikelihood" else ""
        return f"{system}\n\n{text}{ending}" if system else f"{text}{ending}"
