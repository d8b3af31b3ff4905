"""What would fail late in lm-eval, found before a model is loaded or paid for.

lm-eval says "Tasks not found" for a YAML file with a mistake, drops metrics that are listed and
never returned, and asks a chat model for log-likelihoods after its generations were paid for. Here
each task is built, its first requests are written, and made-up answers are measured.
"""

import io
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lm_eval.api.task import Task
from lm_eval.models import MODEL_MAPPING

from profile_tasks.data.task_definition import PREFERENCE
from profile_tasks.nearest_name import instead_of

CHAT_MODELS = frozenset(
    {
        "anthropic-chat",
        "anthropic-chat-completions",
        "litellm",
        "litellm-chat",
        "litellm-chat-completions",
        "local-chat-completions",
        "openai-chat-completions",
    }
)
"""Models of lm-eval that only take chats, and have no log-likelihoods."""

NO_LIKELIHOODS = CHAT_MODELS | {"anthropic-completions"}
NO_GENERATION = frozenset({"onnxruntime"})

OWN_MODELS = ("planted",)

_LIKELIHOODS = frozenset({"loglikelihood", "loglikelihood_rolling", "multiple_choice"})
_MADE_UP: Mapping[str, Any] = {
    "loglikelihood": (-1.0, False),
    "loglikelihood_rolling": -1.0,
    "generate_until": "Verdict: A",
}


@dataclass(frozen=True)
class CheckedTask:
    """A task that can run.

    Attributes:
        name: The task.
        documents: How many there are, one a source for tasks of this project.
        requests: How many the first document takes.
        output_type: What the model is asked for.
        metrics: Metrics that it gives.
    """

    name: str
    documents: int
    requests: int
    output_type: str
    metrics: int


def check_model(model: str) -> None:
    """Refuse a model type that lm-eval does not know.

    Raises:
        ValueError: It does not know it.
    """
    if model not in MODEL_MAPPING and model not in OWN_MODELS:
        known = sorted({*MODEL_MAPPING, *OWN_MODELS})
        raise ValueError(f"--model {model!r} is unknown{instead_of(model, known)}")


def check_chats(model: str, chat_template: bool) -> None:
    """Refuse to send a model that takes only chats something else.

    Args:
        model: The model type, as of ``--model``.
        chat_template: Whether requests are put into chats.

    Raises:
        ValueError: It takes only chats.
    """
    if model in CHAT_MODELS and not chat_template:
        raise ValueError(f"--model {model} takes chats only; add --apply_chat_template")


def check_backend(task: Task, model: str) -> None:
    """Refuse a task that asks a model for what its backend does not have.

    Raises:
        ValueError: It does not have it.
    """
    name, kind = task.config.task, task.OUTPUT_TYPE
    if kind in _LIKELIHOODS and model in NO_LIKELIHOODS:
        instead = name.removesuffix("_loglikelihood")
        use = f"use {instead}, or " if instead != name else "use "
        raise ValueError(
            f"--tasks {name} needs log-likelihoods, which {model} does not give; {use}a model such "
            "as hf or vllm"
        )
    if kind == "generate_until" and model in NO_GENERATION:
        raise ValueError(f"--tasks {name} needs generated text, which {model} does not give")


def check_task(task: Task) -> CheckedTask:
    """Write the first requests of a task, and measure made-up answers to them.

    Raises:
        ValueError: There is no document or no request, or the metrics do not fit what is returned.
    """
    name = task.config.task
    with redirect_stderr(io.StringIO()):  # a progress bar over one document
        task.build_all_requests(limit=1)
    if not task.instances:
        raise ValueError(f"{name}: its first document has no request; check the data")
    for instance in task.instances:
        instance.resps.append(_MADE_UP[instance.request_type])
    task.apply_filters()
    (key, *_) = task.instances[0].filtered_resps
    document = next(iter(task.eval_docs))
    returned = task.process_results(document, [i.filtered_resps[key] for i in task.instances])
    aggregations = task.aggregation()
    if never := sorted(set(aggregations) - set(returned)):
        raise ValueError(
            f"{name}: metrics {', '.join(never)} are listed and never returned; process_results "
            f"returns: {', '.join(returned)}"
        )
    if without := sorted(set(returned) - set(aggregations)):
        raise ValueError(f"{name}: metrics {', '.join(without)} have no aggregation")
    for metric, item in returned.items():
        try:
            aggregations[metric]([item])
        except Exception as error:  # a user's aggregation may raise anything
            raise ValueError(f"{name}: metric {metric!r} cannot be aggregated: {error}") from error
    return CheckedTask(
        name, len(task.eval_docs), len(task.instances), str(task.OUTPUT_TYPE), len(returned)
    )


def check_folder(folder: str | Path) -> None:
    """Refuse a folder with a YAML file that lm-eval would silently leave out.

    Raises:
        ValueError: There is no such folder, or a file in it is not valid YAML.
    """
    import yaml

    if not Path(folder).is_dir():
        raise ValueError(f"--include_path {folder}: no such folder")

    class _Loader(yaml.SafeLoader):
        """Safe, and at ease with lm-eval's ``!function``, whose value says nothing here."""

    _Loader.add_constructor("!function", lambda loader, node: None)
    for path in sorted(Path(folder).rglob("*.yaml")):
        try:
            yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a safe loader
        except yaml.MarkedYAMLError as error:
            line = 1 + error.problem_mark.line if error.problem_mark else 1
            raise ValueError(f"{path}:{line}: not valid YAML: {error.problem}") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: not valid YAML in UTF-8: {error}") from error


def meant_by(pattern: str, matched: Sequence[str]) -> list[str]:
    """What a pattern means of what it matches: without those that have to be told a task.

    >>> meant_by("profile_*", ["profile_summarization", "profile_preference"])
    ['profile_summarization']
    """
    told = f"profile_{PREFERENCE}"
    return [name for name in matched if pattern.startswith(told) or not name.startswith(told)]


def chosen_names(listed: Sequence[str] | str, known: Sequence[str]) -> list[str]:
    """The names in ``--tasks``, which may hold commas and patterns.

    Raises:
        ValueError: One names no task.
    """
    from lm_eval.utils import pattern_match

    names: list[str] = []
    for name in ",".join([listed] if isinstance(listed, str) else listed).split(","):
        if name.endswith(".yaml"):
            if not Path(name).is_file():
                raise ValueError(f"--tasks {name}: there is no such file")
            names.append(name)
        elif name:
            matched = meant_by(name, pattern_match([name], known))
            if not matched:
                raise ValueError(f"--tasks {name!r} is unknown{instead_of(name, known)}")
            names += matched
    return list(dict.fromkeys(names))
