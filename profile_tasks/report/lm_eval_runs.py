"""Results of lm-eval, read as one ``Run`` for each of this project's tasks."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from profile_tasks.report.report_data import (
    MODEL_PERSPECTIVES,
    PERSPECTIVES,
    Run,
    alignments_of_metrics,
    mean_words_of,
    metric,
    profile_of_metrics,
    standard_metrics_of,
)
from profile_tasks.report.unusable import UnusableInput
from profile_tasks.runs.lm_eval_results import GRADING, model_of
from profile_tasks.runs.reported import finite_or_none
from profile_tasks.untrusted_text import shown

_TASK = re.compile(r"profile_(?P<task>\w+?)_(generation|discrimination)(?P<how>_loglikelihood)?")
_FACTOR = re.compile(r"tau_(human|generation|discrimination)_(?P<factor>\w+)")
_ENDS = ("_ci_low", "_ci_high", "_stderr", "_p_value", "_p_adjusted", "_p_adjusted_bh")

_NOT_HERE = (
    "lm-eval's results hold no tests of differences, ranks, adjusted influence, reliability or "
    "ceilings: what differs is told from intervals that do not overlap, which misses more.",
    "They hold no texts either: no distribution of lengths, no correlation of factors, no "
    "examples. An Inspect log has all of these.",
)


def lm_eval_runs(content: Mapping[str, Any], path: Path) -> list[Run]:
    """The runs in a results file: one for each task, its two settings together.

    Args:
        content: The file's JSON.
        path: Where it stands.

    Raises:
        UnusableInput: It holds none of this project's tasks.
    """
    metrics_of: dict[tuple[str, bool], dict[str, float | None]] = {}
    for name, results in content["results"].items():
        if (found := _TASK.fullmatch(name)) is None:
            continue
        entries = {
            key.removesuffix(",none"): finite_or_none(value)
            for key, value in results.items()
            if key.endswith(",none")
        }
        by_likelihood = found["how"] is not None
        metrics_of.setdefault((found["task"], by_likelihood), {}).update(entries)
    if not metrics_of:
        held = ", ".join(map(shown, content["results"])) or "nothing"
        raise UnusableInput(
            path, f"results of lm-eval without a task of profile-tasks; it holds: {held:.200}"
        )
    return [
        _run(content, path, task, metrics, by_likelihood=by_likelihood)
        for (task, by_likelihood), metrics in metrics_of.items()
    ]


def _run(
    content: Mapping[str, Any],
    path: Path,
    task: str,
    metrics: Mapping[str, float | None],
    *,
    by_likelihood: bool,
) -> Run:
    from profile_tasks.planted.annotator import SIMULATION_NOTE

    factors = dict.fromkeys(
        found["factor"]
        for name in metrics
        if (found := _FACTOR.fullmatch(name)) and not name.endswith(_ENDS)
    )
    perspectives = [
        p for p in PERSPECTIVES if any(f"tau_{p}_{factor}" in metrics for factor in factors)
    ]
    model = model_of(content)
    grading = content.get(GRADING) or {}
    absent = [f"No {name} setting was run." for name in MODEL_PERSPECTIVES
              if name not in perspectives]  # fmt: skip
    return Run(
        file=shown(path.name),
        kind="lm-eval results",
        model=shown(model) + (" (judged by log-likelihood)" if by_likelihood else ""),
        task=shown(task),
        factors=tuple(factors),
        profiles={p: profile_of_metrics(metrics, p, factors) for p in perspectives},
        alignments=alignments_of_metrics(metrics),
        gap=metric(metrics, "alignment_gap_tau_b"),
        metrics=standard_metrics_of(metrics),
        mean_words=mean_words_of(metrics),
        measured=_measured(content, metrics),
        graders=tuple(shown(grader) for grader in grading.get("graders") or ()),
        warnings=(
            *((f"{shown(model)} is {SIMULATION_NOTE}",) if model.startswith("planted") else ()),
            *(shown(warning) for warning in grading.get("warnings") or ()),
        ),
        absent=(*_NOT_HERE, *absent),
    )


def _measured(content: Mapping[str, Any], metrics: Mapping[str, float | None]) -> dict[str, str]:
    date = finite_or_none(content.get("date"))
    config = content.get("config") or {}
    versions = content.get("versions") or {}
    entries: dict[str, object] = {
        "run at": None
        if date is None
        else datetime.fromtimestamp(date, UTC).isoformat("T", "seconds"),
        "model": model_of({"config": config}),
        "sources": metrics.get("measured_sources"),
        "limit": config.get("limit"),
        "seed": config.get("random_seed"),
        "task versions": ", ".join(f"{name} {v}" for name, v in versions.items()),
        "versions": f"lm-eval {content.get('lm_eval_version', 'unknown')}",
    }
    sources = finite_or_none(entries["sources"])
    entries["sources"] = None if sources is None else int(sources)
    return {label: shown(value) for label, value in entries.items() if value is not None}
