"""What a finished evaluation reported: its metrics by name, and what they were measured on.

Two kinds of file report the same metrics under the same names: the header of an Inspect log, and
the results file of lm-eval. Neither needs the samples, so reading one takes milliseconds; what
needs samples (resampling, pairing) reads ``profile_tasks.runs.inspect_log`` instead.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from profile_tasks.runs.lm_eval_results import GRADING, model_of
from profile_tasks.scorers.inspect.evaluated_model import evaluated_model

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

Metrics = Mapping[str, float | None]
Facts = Mapping[str, str | int | float | None]

LIKELIHOOD = "discrimination_loglikelihood"
"""The setting of the lm-eval tasks that judge by log-likelihoods."""

_LM_EVAL_TASK = re.compile(
    rf"profile_(summarization|instruction_following|document_qa)_(generation|{LIKELIHOOD}"
    r"|discrimination)"
)
_OF_AN_ESTIMATE = re.compile(r"_(ci_low|ci_high|stderr|p_value|p_adjusted|p_adjusted_bh)$")
_PRINTED_CONFIG = ("temperature", "top_p", "max_tokens", "reasoning_effort")


class NothingReportedError(ValueError):
    """A readable file that reports nothing of this project; ``why`` says which kind it is."""

    def __init__(self, location: str, why: str) -> None:
        super().__init__(f"{location}: {why}")
        self.why = why


@dataclass(frozen=True)
class ReportedRun:
    """One evaluation of one model on one task.

    Attributes:
        model: The evaluated model, in Inspect's form "provider/name".
        task: "summarization", "instruction_following" or "document_qa".
        setting: "both", "generation", "discrimination" or "discrimination_loglikelihood".
        harness: "inspect" or "lm-eval".
        date: When it ended, ISO 8601 in UTC.
        file: Where it was read.
        sources: Number of sources measured; None where the file does not say.
        data: Name of the data set.
        factors: Ids of the factors of the human profile.
        conditions: What else tells runs apart: seed, versions, grader and so on; a name is absent
            where the file does not state it.
        metrics: Every reported metric; None where it is not defined.
    """

    model: str
    task: str
    setting: str
    harness: str
    date: str
    file: str
    sources: int | None
    data: str
    factors: tuple[str, ...]
    conditions: Facts = field(default_factory=dict)
    metrics: Metrics = field(default_factory=dict)

    @property
    def measured(self) -> frozenset[str]:
        """The settings that were measured, one by one."""
        parts = ("generation", "discrimination") if self.setting == "both" else (self.setting,)
        return frozenset(parts)


def read_reported_runs(path: Path, score: str | None = None) -> tuple[ReportedRun, ...]:
    """What one file reports.

    Args:
        path: An Inspect log (``.eval`` or ``.json``) or a results file of lm-eval.
        score: Name of the score in an Inspect log; None: the last one of this project.

    Raises:
        FileNotFoundError: There is no such file.
        NothingReportedError: A readable file that reports nothing: another task's, or a run that
            did not finish.
        ValueError: The file is neither a log nor a results file, or a broken one.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file")
    if path.suffix == ".json" and _first_key(path) not in ("version", "status", "eval"):
        return _lm_eval_runs(path)
    return (_inspect_run(path, score),)


def finite_or_none(value: object) -> float | None:
    """A metric's value as strict JSON has it."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def human_factors(metrics: Metrics) -> tuple[str, ...]:
    """The factors of the human profile among the metrics, in their order.

    Example:
        >>> human_factors({"tau_human_length": 0.1, "tau_human_length_ci_low": None, "rougeL": 0.2})
        ('length',)
    """
    return tuple(
        name.removeprefix("tau_human_")
        for name in metrics
        if name.startswith("tau_human_") and not _OF_AN_ESTIMATE.search(name)
    )


# Inspect -----------------------------------------------------------------------------------------


def _inspect_run(path: Path, name: str | None) -> ReportedRun:
    from profile_tasks.runs.inspect_log import read_log
    from profile_tasks.scorers.inspect.full_profile import is_own_score

    log = read_log(str(path), header_only=True)
    used = [own for own in log.eval.scorers or () if is_own_score(own.name.rpartition("/")[2])]
    scores = (
        [
            score
            for score in log.results.scores
            if is_own_score(score.name) and name in (None, score.name)
        ]
        if log.results
        else []
    )
    if not used and not scores:
        raise NothingReportedError(str(path), f"a log of another task, {log.eval.task}")
    if log.status != "success" or log.results is None or not scores:
        raise NothingReportedError(str(path), f"an unfinished run (status: {log.status})")
    metrics = {name: finite_or_none(found.value) for name, found in scores[-1].metrics.items()}
    # The scorer knows what it measured, whatever the task that uses it is called.
    names = [task for own in used if (task := (own.options or {}).get("task"))]
    known = log.eval.metadata or {}
    arguments = log.eval.task_args
    return ReportedRun(
        model=evaluated_model(log),
        task=str(next(iter(names), log.eval.task.rpartition("/")[2])),
        setting=str(arguments.get("setting", "both")),
        harness="inspect",
        date=_utc(datetime.fromisoformat(log.stats.completed_at or log.eval.created)),
        file=str(path),
        sources=scores[-1].scored_samples
        and scores[-1].scored_samples // (log.eval.config.epochs or 1),
        data=str(known.get("data", "not stated")),
        factors=human_factors(metrics),
        conditions=_stated(
            {
                "task_version": log.eval.task_version,
                "prompt_version": known.get("prompt_version"),
                "pairs": known.get("loaded_pairs"),
                "seed": arguments.get("seed"),
                "revision": arguments.get("revision"),
                "split": arguments.get("split"),
                "scores": arguments.get("scores"),
                "pairing": arguments.get("pairing"),
                "orders": arguments.get("orders"),
                "grader": known.get("grader") or _graders(scores[-1].metadata),
                "grader_prompt_version": known.get("grader_prompt_version"),
                "judge_orders": arguments.get("judge_orders") if known.get("grader") else None,
                "epochs": log.eval.config.epochs if log.eval.config.epochs != 1 else None,
            }
            | _sampling(log)
        ),
        metrics=dict(sorted(metrics.items())),
    )


def _graders(metadata: Mapping[str, Any] | None) -> str | None:
    grading = ((metadata or {}).get("profile") or {}).get("grading") or {}
    return ", ".join(grading.get("graders") or ()) or None


def _sampling(log: "EvalLog") -> dict[str, Any]:
    """What was set for the model's sampling. Not its headers or arguments, which may hold a key."""
    config = log.eval.model_generate_config
    return {name: getattr(config, name) for name in _PRINTED_CONFIG}


# lm-eval -----------------------------------------------------------------------------------------


def _lm_eval_runs(path: Path) -> tuple[ReportedRun, ...]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        reported, configs = found["results"], found["configs"]
        model, date = model_of(found), _utc(datetime.fromtimestamp(found["date"], UTC))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        problem = f"no {error}" if isinstance(error, KeyError) else str(error).partition("\n")[0]
        raise ValueError(
            f"{path}: neither an Inspect log nor a results file of lm-eval ({problem})"
        ) from error
    parts: dict[tuple[str, str], dict[str, Any]] = {}
    for name in reported:
        if (own := _LM_EVAL_TASK.fullmatch(name)) and name in configs:
            task, setting = own.groups()
            side = "likelihood" if setting == LIKELIHOOD else "asked"
            parts.setdefault((task, side), {})[setting] = name
    if not parts:
        raise NothingReportedError(
            str(path), f"results of other tasks: {', '.join(reported) or 'none'}"
        )
    try:
        return tuple(
            _lm_eval_run(path, found, task, settings, model, date)
            for (task, _), settings in parts.items()
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: a broken results file of lm-eval ({error!r})") from error


def _lm_eval_run(
    path: Path,
    found: Mapping[str, Any],
    task: str,
    settings: Mapping[str, str],
    model: str,
    date: str,
) -> ReportedRun:
    """One run of the tasks that ask for generation and discrimination of the same sources."""
    metrics: dict[str, float | None] = {}
    sources = []
    for name in settings.values():
        values = _plain(found["results"][name])
        sources.append(values.pop("measured_sources", None))
        metrics |= values
    metadata = found["configs"][next(iter(settings.values()))].get("metadata") or {}
    dataset = str(metadata.get("dataset", "demo"))
    grading = found.get(GRADING) or {}
    factors = human_factors(metrics)
    return ReportedRun(
        model=model,
        task=task,
        setting="both" if len(settings) == 2 else next(iter(settings)),
        harness="lm-eval",
        date=date,
        file=str(path),
        sources=None if sources[0] is None else int(min(s for s in sources if s is not None)),
        data=Path(dataset).name,
        factors=factors,
        conditions=_stated(
            {
                "lm_eval_task_version": metadata.get("version"),
                "grader": " ".join(grading.get("graders") or ()) or None,
                "seed": metadata.get("profile_seed", 0),
                "revision": metadata.get("dataset_revision"),
                "split": metadata.get("dataset_split"),
                "scores": metadata.get("scores", [1, 2, 3, 4, 5]),
                "pairing": metadata.get("pairing", "all"),
                "orders": metadata.get("orders", 2),
            }
        ),
        metrics=dict(sorted(metrics.items())),
    )


def _plain(row: Mapping[str, Any]) -> dict[str, float | None]:
    """Metrics of lm-eval by their names; standard errors are left to the intervals."""
    return {
        name.removesuffix(",none"): finite_or_none(value)
        for name, value in row.items()
        if name.endswith(",none") and not name.endswith("_stderr,none")
    }


# -------------------------------------------------------------------------------------------------


def _stated(facts: Mapping[str, Any]) -> dict[str, str | int | float]:
    """Facts that a file states; lists as texts."""
    return {
        name: " ".join(map(str, value)) if isinstance(value, list | tuple) else value
        for name, value in facts.items()
        if value is not None
    }


def _utc(moment: datetime) -> str:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _first_key(path: Path) -> str | None:
    with path.open(encoding="utf-8", errors="replace") as file:
        found = re.match(r'\s*\{\s*"([^"]*)"', file.read(4096))
    return found[1] if found else None
