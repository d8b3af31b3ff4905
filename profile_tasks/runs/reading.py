"""What a file is, and the runs in it: an Inspect log, lm-eval results, JSON of a command."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from profile_tasks.runs.contributions_json import contributions_run
from profile_tasks.runs.influence_json import influence_run
from profile_tasks.runs.judges_json import judges_runs
from profile_tasks.runs.lm_eval import read_samples, results_runs
from profile_tasks.runs.run import (
    A_FOLDER,
    AnsweredSource,
    NothingReportedError,
    Run,
    check_finished,
)
from profile_tasks.whole_files import read_whole

_NO_RUN = {
    "influence": "a profile of recorded preferences",
    "contributions": "what factors contribute to a preference",
    "judges": "what recorded verdicts tell of judges",
}
"""What a file holds where nobody ran a model for it."""

_FIRST_OF_A_LOG = ("version", "status", "eval")


def read_runs(path: Path, score: str | None = None) -> tuple[Run, ...]:
    """The runs in a file, without their samples.

    Args:
        path: An Inspect log (``.eval`` or ``.json``), a results file of lm-eval, or JSON of
            ``profile-tasks influence``, ``contributions`` or ``judges``.
        score: Name of the score in an Inspect log; None: the last one of this project.

    Raises:
        FileNotFoundError: There is no such file.
        NothingReportedError: A readable file of another task.
        ValueError: The file is none of these, or a broken one.
    """
    if path.is_dir():
        raise ValueError(f"{path}: {A_FOLDER}")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file")
    if is_log(path):
        from profile_tasks.runs.inspect_log import inspect_run, judge_audit_run, open_log

        log = open_log(str(path))
        return (judge_audit_run(log) or inspect_run(log, score),)
    content = _json(path)
    try:
        if isinstance(content.get("factors"), dict) and "n_pairs" in content:
            return (influence_run(content, str(path)),)
        if {"judges", "wordings", "reference"} <= content.keys():
            return judges_runs(content, str(path))
        if {"profiles", "held_out", "n_folds"} <= content.keys():
            return (contributions_run(content, str(path)),)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: not as this version writes it ({error!r:.200})") from error
    for field in ("results", "configs"):
        if not isinstance(content.get(field), dict):
            raise _unknown(path, f"no {field!r}")
    return results_runs(content, str(path))


def finished_runs(path: Path, score: str | None = None) -> tuple[Run, ...]:
    """The runs in a file whose models were evaluated to the end.

    Raises:
        As ``read_runs``; NothingReportedError: also of a run that did not finish.
    """
    runs = read_runs(path, score)
    for run in runs:
        if (what := _NO_RUN.get(run.harness)) is not None:
            raise NothingReportedError(str(path), f"{what}, not of a run")
        check_finished(run)
    return runs


def read_answers(location: str) -> Iterator[AnsweredSource]:
    """The sources of a finished run with what the model wrote about each, epoch by epoch.

    Args:
        location: A samples file of lm-eval (``samples_profile_<task>_generation_*.jsonl``, written
            with ``--log_samples``), or an Inspect log.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is neither; samples name the line.
    """
    if location.endswith(".jsonl"):
        for _, answered, _ in read_samples(location):
            yield answered
        return
    from profile_tasks.runs.inspect_log import answers, open_log

    yield from answers(open_log(location))


def is_log(path: Path) -> bool:
    """Whether a file is an Inspect log, by its ending and, where it is JSON, by its first key."""
    if path.suffix != ".json" or not path.is_file():
        return path.suffix == ".eval"
    start = read_whole(path, 4096).decode("utf-8-sig", errors="replace")
    first = re.match(r'\s*\{\s*"([^"]*)"', start)
    return first is not None and first[1] in _FIRST_OF_A_LOG


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_whole(path))
    except (ValueError, RecursionError) as error:
        raise _unknown(path, f"not JSON, or cut off: {error}") from error
    if not isinstance(content, dict):
        raise _unknown(path, "not a JSON object")
    return content


def _unknown(path: Path, problem: str) -> ValueError:
    return ValueError(
        f"{path}: neither an Inspect log nor a results file of lm-eval (results_*.json), nor JSON "
        f"of `profile-tasks influence`, `contributions` or `judges` ({problem})"
    )
