"""Runs of shards of data; finished runs of other people's tasks, of both harnesses."""

import itertools
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import MadeOnce


@pytest.fixture(scope="session")
def shards(made_once: "MadeOnce") -> Path:
    """The demonstration data of summarization in three shards."""

    def split(folder: Path) -> Path:
        from click.testing import CliRunner

        from profile_tasks.cli import main

        command = f"shards demo --task summarization -n 3 -o {folder / 'shards'}"
        done = CliRunner().invoke(main, command.split())
        assert done.exit_code == 0, done.output
        return folder / "shards"

    return made_once(("shards",), split)


@pytest.fixture(scope="session")
def shard_runs(shards: Path, inspect_log: Callable[..., Path]) -> Callable[..., list[str]]:
    """The logs of a run of each shard; arguments as of ``inspect_log``."""

    def runs(*which: str, **arguments: Any) -> list[str]:
        files = sorted(shards.glob("*.jsonl"))
        return [str(inspect_log(*which, dataset=str(file), **arguments)) for file in files]

    return runs


@pytest.fixture(scope="session")
def merged_log(
    made_once: "MadeOnce", shards: Path, shard_runs: Callable[..., list[str]]
) -> Callable[..., Path]:
    """The log of all shards; arguments as of ``inspect_log``."""

    def merged(*which: str, **arguments: Any) -> Path:
        def merge(folder: Path) -> Path:
            from profile_tasks.data.shards import read_split
            from profile_tasks.runs.merged import shard_logs, write_merged

            split = read_split(shards)
            logs = shard_logs(shard_runs(*which, **arguments), split)
            write_merged(logs, split, folder / "demo.eval")
            return folder / "demo.eval"

        return made_once(("merged", *which, *sorted(arguments.items())), merge)

    return merged


@pytest.fixture
def logged(tokenless: None, tmp_path: Path) -> Callable[..., str]:
    """Run a task in Inspect, and return where its log is.

    ``answers`` says what the model returns to the last message of a request: a text, an output, or
    an error that is raised. Other arguments are those of ``eval``.
    """

    def run(
        samples: list[Any],
        answers: Mapping[str, Any],
        scorers: Any = None,
        *,
        model: str = "one",
        solver: Any = None,
        **arguments: Any,
    ) -> str:
        from inspect_ai import Task
        from inspect_ai import eval as inspect_eval
        from inspect_ai.model import ModelOutput, get_model
        from inspect_ai.scorer import includes
        from inspect_ai.solver import generate

        def answer(messages: list[Any], *_: Any) -> ModelOutput:
            found = answers[messages[-1].text]
            if isinstance(found, Exception):
                raise found
            if isinstance(found, ModelOutput):
                return found.model_copy(deep=True)
            return ModelOutput.from_content(f"mockllm/{model}", found)

        task = Task(
            samples, solver=solver or generate(), scorer=scorers or includes(), name="benchmark"
        )
        (log,) = inspect_eval(
            task,
            model=get_model(f"mockllm/{model}", custom_outputs=answer, memoize=False),
            log_dir=str(tmp_path / "logs"),
            display="none",
            log_realtime=False,
            fail_on_error=arguments.pop("fail_on_error", False),
            **arguments,
        )
        return str(log.location)

    return run


@cache
def told_model() -> Any:
    """A model of lm-eval that answers as its ``answer`` says."""
    from lm_eval.api.model import LM
    from lm_eval.api.registry import register_model
    from lm_eval.models.api_models import JsonChatStr

    @register_model("told")
    class Told(LM):
        tokenizer_name = "none"
        answer: Callable[[Any], Any]

        def __init__(self, pretrained: str, **_: Any) -> None:
            super().__init__()

        def generate_until(self, requests: Any, disable_tqdm: bool = False) -> list[Any]:
            return [type(self).answer(request.args[0]) for request in requests]

        def loglikelihood(self, requests: Any, disable_tqdm: bool = False) -> list[Any]:
            return [(-1.0, True) for _ in requests]

        loglikelihood_rolling = loglikelihood

        def chat_template(self, chat_template: Any = False) -> str:
            return ""

        def apply_chat_template(self, chat_history: Any, **_: Any) -> Any:
            return JsonChatStr(json.dumps(chat_history))

    return Told


@pytest.fixture
def evaluated(tmp_path: Path) -> Callable[..., Path]:
    """Evaluate documents with a task in YAML in lm-eval, and return its file of samples.

    ``answer`` says what the model returns to a request. Other arguments stand in the YAML.
    """
    numbers = itertools.count()

    def run(
        documents: list[dict[str, Any]],
        answer: Callable[[Any], Any],
        *,
        model: str = "one",
        chat: bool = False,
        system: str | None = None,
        **config: Any,
    ) -> Path:
        from lm_eval import simple_evaluate
        from lm_eval.loggers import EvaluationTracker
        from lm_eval.tasks import TaskManager

        folder = tmp_path / f"lm-eval-{next(numbers)}"
        folder.mkdir()
        lines = "".join(f"{json.dumps(document)}\n" for document in documents)
        (folder / "documents.jsonl").write_text(lines, encoding="utf-8")
        task = {
            "task": "benchmark",
            "dataset_path": "json",
            "dataset_kwargs": {
                "data_files": {"test": str(folder / "documents.jsonl")},
                "cache_dir": str(folder / "cache"),
            },
            "test_split": "test",
            "output_type": "generate_until",
            "doc_to_text": "Read: {{article}} {{question}}",
            "doc_to_target": "{{answer}}",
            "metric_list": [{"metric": "exact_match"}],
        }
        # JSON is YAML.
        (folder / "benchmark.yaml").write_text(json.dumps(task | config), encoding="utf-8")
        tracker = EvaluationTracker(output_path=str(folder / "out"))
        told_model().answer = staticmethod(answer)
        results = simple_evaluate(
            model="told",
            model_args={"pretrained": model},
            tasks=["benchmark"],
            task_manager=TaskManager(include_path=str(folder), include_defaults=False),
            bootstrap_iters=0,
            apply_chat_template=chat,
            system_instruction=system,
            evaluation_tracker=tracker,
        )
        assert results is not None
        samples = results.pop("samples")
        tracker.save_results_aggregated(results=results, samples=samples)
        tracker.save_results_samples("benchmark", samples["benchmark"])
        (written,) = folder.rglob("samples_*.jsonl")
        return written

    return run


@pytest.fixture(scope="session")
def lm_eval_samples(made_once: "MadeOnce") -> Callable[[str], Path]:
    """The samples of one of this project's tasks in lm-eval, with a planted annotator."""

    def samples(setting: str) -> Path:
        def run(folder: Path) -> Path:
            from click.testing import CliRunner

            from profile_tasks.cli import main

            command = (
                f"lm-eval --model planted --model_args profile=verbose --log_samples --tasks "
                f"profile_summarization_{setting} --output_path {folder}"
            )
            done = CliRunner().invoke(main, command.split())
            assert done.exit_code == 0, done.output
            (written,) = folder.rglob("samples_*.jsonl")
            return written

        return made_once(("lm-eval samples", setting), run)

    return samples
