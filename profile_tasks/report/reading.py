"""What a file is, and the runs in it: an Inspect log, lm-eval results, or JSON of ``influence``."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from profile_tasks.report.inspect_run import inspect_run
from profile_tasks.report.lm_eval_runs import lm_eval_runs
from profile_tasks.report.report_data import (
    PERSPECTIVES,
    Run,
    profile_of_record,
    recorded,
)
from profile_tasks.report.unusable import UnusableInput
from profile_tasks.runs.reported import finite_or_none
from profile_tasks.untrusted_text import shown

_EXPECTED = (
    "expected an Inspect log, results of lm-eval (results_*.json), or JSON of "
    "`profile-tasks influence`"
)


def read_runs(path: Path, score: str | None = None) -> list[Run]:
    """The runs in a file.

    Args:
        path: The file.
        score: Name of the score in Inspect logs, where one holds several.

    Raises:
        UnusableInput: The file is missing, of another kind, or damaged.
    """
    if path.is_dir():
        raise UnusableInput(path, "a folder; name the logs in it, e.g. with *.eval")
    if not path.is_file():
        raise UnusableInput(path, "there is no such file")
    if path.suffix == ".eval":
        return [inspect_run(path, score)]
    content = _json(path)
    try:
        if "eval" in content and "status" in content:
            return [inspect_run(path, score)]
        if "lm_eval_version" in content or ("results" in content and "configs" in content):
            return lm_eval_runs(content, path)
        if isinstance(content.get("factors"), dict) and "n_pairs" in content:
            return [_recorded_run(content, path)]
    except UnusableInput:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnusableInput(path, f"not as this version writes it ({error!r:.200})") from error
    raise UnusableInput(path, f"unknown content; {_EXPECTED}")


def _json(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise UnusableInput(path, f"not JSON, or cut off ({error}); {_EXPECTED}") from error
    except OSError as error:
        raise UnusableInput(path, error.strerror or error) from error
    if not isinstance(content, dict):
        raise UnusableInput(path, f"not a JSON object; {_EXPECTED}")
    return content


def _recorded_run(record: Mapping[str, Any], path: Path) -> Run:
    perspective = record.get("perspective", "human")
    if perspective not in PERSPECTIVES:
        raise UnusableInput(path, f"perspective {perspective!r:.60} is unknown")
    annotators = record.get("annotators") or {}
    return Run(
        file=shown(path.name),
        kind="JSON of `profile-tasks influence`",
        model="people" if perspective == "human" else f"{perspective} preferences",
        task=shown(path.stem),
        factors=tuple(shown(factor) for factor in record["factors"]),
        profiles={perspective: profile_of_record(record)},
        metrics={
            f"annotator_{name}": recorded(annotators[name])
            for name in ("agreement", "kappa")
            if name in annotators
        },
        human_bar={
            name: recorded(found["tau_b"])
            for name, found in annotators.get("alignment", {}).items()
        },
        measured={
            label: shown(record[name])
            for label, name in (
                ("decided pairs", "n_pairs"),
                ("groups", "n_groups"),
                ("preference ties left out", "n_preference_ties"),
                ("seed of the statistics", "seed"),
                ("bootstrap replicates", "replicates"),
            )
            if finite_or_none(record.get(name)) is not None
        },
        absent=(
            "One profile of recorded preferences: no model, so no alignment and no gap.",
            "The file holds no texts: no lengths, no correlation of factors, no examples.",
        ),
    )
