"""Results files of lm-eval: which belongs to which samples, and whose results they are."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_SAMPLES = re.compile(r"samples_.+_(?P<date>\d{4}-\d\d-\d\dT[^_]+)\.jsonl")
_NAMES = ("peft", "delta", "pretrained", "model", "path", "engine", "profile")
"""Model arguments that name the model, in lm-eval's own order; the last is of planted models."""

GRADING = "profile_tasks_grading"
"""What ``score-lm-eval`` adds to a results file: who graded which factors, and warnings."""

PLANTED_PROFILE = "balanced"
"""The planted annotator's profile where no argument names one."""


def read_results(location: str | Path) -> dict[str, Any]:
    """A results file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no results file of lm-eval.
    """
    path = Path(location)
    if not path.is_file():
        raise FileNotFoundError(f"{location}: there is no such results file")
    try:
        results = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{location}: not JSON in UTF-8 ({error})") from error
    if not isinstance(results, dict) or not isinstance(results.get("results"), dict):
        raise ValueError(f"{location}: no results file of lm-eval: field 'results' is missing")
    return results


def results_beside(samples: str | Path) -> Path | None:
    """The results file that lm-eval wrote with a file of samples; None where it is gone.

    >>> results_beside("out/samples_profile_document_qa_generation_2026-01-02T03-04-05.6.jsonl")
    """
    named = _SAMPLES.fullmatch(Path(samples).name)
    if named is None:
        return None
    beside = Path(samples).with_name(f"results_{named['date']}.json")
    return beside if beside.is_file() else None


def model_of(results: Mapping[str, Any]) -> str:
    """The model behind results, as ``<lm-eval's model type>/<name>``, which is Inspect's form too.

    lm-eval's own ``model_name`` is a random word where no argument names the model.

    >>> model_of({"config": {"model": "hf", "model_args": {"pretrained": "gpt2"}}})
    'hf/gpt2'
    >>> model_of({"config": {"model": "planted", "model_args": "profile=verbose,seed=1"}})
    'planted/verbose'
    """
    config = results.get("config") or {}
    kind, arguments = str(config.get("model") or "unknown"), config.get("model_args") or {}
    if isinstance(arguments, str):
        arguments = dict(part.partition("=")[::2] for part in arguments.split(","))
    if kind == "planted":
        arguments = {"profile": PLANTED_PROFILE} | arguments
    names = [str(arguments[name]) for name in _NAMES if arguments.get(name)]
    return f"{kind}/{names[0]}" if names else kind
