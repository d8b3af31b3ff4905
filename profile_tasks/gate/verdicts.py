"""Verdicts: whether a run meets a bar, misses it, or cannot tell."""

import difflib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from profile_tasks.gate.bars import (
    DEFAULT_METRICS,
    Expression,
    Inequality,
    NamedBar,
    NoWorse,
)
from profile_tasks.gate.evidence import Evidence
from profile_tasks.scorers.statistics.coverage import OF_RANKS, of_few_sources
from profile_tasks.scorers.statistics.estimate import CONFIDENCE, Estimate
from profile_tasks.scorers.statistics.metric_catalogue import higher_is_better
from profile_tasks.scorers.statistics.study import SELF_AGREEMENT
from profile_tasks.scorers.statistics.true_alignment import METHOD as ALIGNMENT
from profile_tasks.scorers.statistics.true_alignment import alignment_difference

Outcome = Literal["met", "missed", "cannot tell"]

EXIT_STATUS: Mapping[Outcome, int] = {"met": 0, "missed": 1, "cannot tell": 2}

Compared = Mapping[str, Any]
"""A record of ``profile_tasks.runs.compare.compare_runs``."""


@dataclass(frozen=True)
class Verdict:
    """What became of a bar.

    Attributes:
        name: Its name.
        bar: Its text.
        outcome: What became of it.
        found: What was compared with the limit; without an interval where none was asked for.
        limit: The limit, None where the bar could not be evaluated.
        why: The verdict in words.
    """

    name: str
    bar: str
    outcome: Outcome
    found: Estimate
    limit: float | None
    why: str

    def record(self) -> dict[str, str | float | None]:
        """The verdict as JSON and CSV have it; None where something is not defined."""
        value, low, high = self.found.cells()
        return {
            "name": self.name,
            "bar": self.bar,
            "outcome": self.outcome,
            "value": value,
            "low": low,
            "high": high,
            "limit": self.limit,
            "why": self.why,
        }


def overall(verdicts: Iterable[Verdict]) -> Outcome:
    """Missed where one bar is missed; else not told where one is not; else met.

    Example:
        >>> overall([])
        'met'
    """
    found = {verdict.outcome for verdict in verdicts}
    return next((worst for worst in ("missed", "cannot tell") if worst in found), "met")


def judge(
    bars: Sequence[NamedBar], evidence: Evidence, compared_with: Callable[[str], Compared]
) -> list[Verdict]:
    """Judge every bar, in order.

    Args:
        bars: The bars.
        evidence: What the run has to show.
        compared_with: The comparison of the run (A) with the log of that name (B).
    """
    verdicts: list[Verdict] = []
    for named in bars:
        if isinstance(named.bar, Inequality):
            verdicts.append(judge_inequality(named.name, named.bar, evidence))
        elif not evidence.run.measurements:
            why = f"{evidence.without_samples}, and runs are compared source by source"
            verdicts.append(_untold(named.name, named.bar.text, why))
        else:
            verdicts += judge_no_worse(named.name, named.bar, compared_with(named.bar.baseline))
    return verdicts


def cautions(verdicts: Iterable[Verdict], evidence: Evidence) -> list[str]:
    """What must be said of the intervals that verdicts rest on."""
    words = " ".join(f"{verdict.name} {verdict.bar} {verdict.why}" for verdict in verdicts)
    groups = None if evidence.study is None else evidence.study.n_groups
    ranks = "_tau_b" in words or "_spearman" in words
    return [*of_few_sources(groups), *([OF_RANKS] if ranks else [])]


def coverage_of(confidence: float) -> float:
    """Coverage of the two-sided interval whose one end holds with a confidence.

    >>> round(coverage_of(0.95), 3)
    0.9
    """
    return 2 * confidence - 1


def judge_inequality(name: str, bar: Inequality, evidence: Evidence) -> Verdict:
    """Judge a bar for the run itself.

    Without confidence the point estimate decides. With it, the whole interval must lie on the
    right side of the limit; wholly on the wrong side it is missed, and else nobody can tell. A bar
    has one side, so with 95 % confidence it is met by an interval that covers 90 %.
    """
    for side in (bar.left, bar.right):
        for metric in side.metrics:
            if evidence.metrics.get(metric) is None:
                return _untold(name, bar.text, _why_undefined(metric, evidence))
    points = {m: v for m, v in evidence.metrics.items() if v is not None}
    relation, subject, limit = bar.relation, bar.left, 0.0
    if bar.left.metrics and bar.right.metrics:
        subject = bar.left.less(bar.right)  # it is their difference that has an interval
    elif bar.left.metrics:
        limit = float(bar.right.value(points))
    else:
        subject, limit = bar.right, float(bar.left.value(points))
        relation = relation.translate(str.maketrans("<>", "><"))
    value = float(subject.value(points))
    if not (math.isfinite(value) and math.isfinite(limit)):
        return _untold(name, bar.text, f"{subject.text} is not defined here (a division by 0)")
    if bar.confidence is None:
        outcome: Outcome = "met" if _holds(value, relation, limit) else "missed"
        why = f"{subject.text} is {value:.3f}, the point estimate"
        return Verdict(name, bar.text, outcome, Estimate(value), limit, why)
    found = estimate_of(subject, evidence, coverage_of(bar.confidence))
    if not found.has_interval:
        return _untold(name, bar.text, found.reason or "", value, limit)
    return _by_interval(name, bar.text, subject.text, found, relation, limit, bar.confidence)


def judge_no_worse(name: str, bar: NoWorse, record: Compared) -> list[Verdict]:
    """Judge a bar relative to a baseline, one verdict a metric.

    Args:
        name: Name of the bar.
        bar: The bar.
        record: The run (A) compared with its baseline (B), paired by source.
    """
    differences = {**record["alignments"], **record["agreement"]}
    metrics = [bar.metric] if bar.metric else [m for m in DEFAULT_METRICS if m in differences]
    if not bar.metric and metrics:
        # A run that leaves out its worse half must not pass by the other one.
        metrics += [m for m in DEFAULT_METRICS if m not in differences and _one_sided(m, record)]
    verdicts = []
    for metric in metrics:
        shown = name if bar.metric or len(metrics) == 1 else f"{name} ({metric})"
        better = higher_is_better(metric)
        if better is None or metric not in differences:
            verdicts.append(_untold(shown, bar.text, _why_not_compared(metric, differences)))
            continue
        found = Estimate.of_record(differences[metric])
        if not found.defined:
            verdicts.append(_untold(shown, bar.text, f"{metric}: {found.reason}"))
            continue
        relation, limit = (">=", -bar.margin) if better else ("<=", bar.margin)
        subject = f"{metric}, less that of the baseline {record['model_b']},"
        if bar.confidence is None:
            outcome: Outcome = "met" if _holds(found.value, relation, limit) else "missed"
            why = f"{subject} is {found.value:+.3f}, the point estimate"
            verdicts.append(Verdict(shown, bar.text, outcome, Estimate(found.value), limit, why))
        elif not found.has_interval:
            why = f"{metric}: no interval of the difference ({found.reason})"
            verdicts.append(_untold(shown, bar.text, why, found.value, limit))
        else:
            verdicts.append(
                _by_interval(shown, bar.text, subject, found, relation, limit, bar.confidence)
            )
    if not verdicts:
        why = f"the runs have none of {', '.join(DEFAULT_METRICS)} in common"
        verdicts.append(_untold(name, bar.text, why))
    return verdicts


def _one_sided(metric: str, record: Compared) -> bool:
    """Whether only one of the two runs has the setting of an alignment.

    Of self-agreement, whether only the baseline has it: older ones lack what a run has.
    """
    if metric.startswith(SELF_AGREEMENT):
        return any(note.startswith("only B judged") for note in record["notes"])
    setting = metric.split("_")[1]
    return any(note.endswith(f"has a {setting} setting") for note in record["notes"])


def estimate_of(subject: Expression, evidence: Evidence, coverage: float) -> Estimate:
    """An expression with its interval, or why there is none.

    A metric alone has the interval that the log has, at another coverage. The difference of two
    alignments has one too; other expressions have percentile intervals of their replicates, which
    alignments are not to be had from (scorers/statistics/true_alignment.py says why). That of abs()
    follows from what stands in it, as replicates of an absolute value never lie below 0.
    """
    inner = subject.inside_abs
    if inner is not None:
        return estimate_of(inner, evidence, coverage).absolute()
    points = {metric: evidence.metrics[metric] or 0.0 for metric in subject.metrics}
    value = float(subject.value(points))
    single = subject.metrics[0] if subject.text == subject.metrics[0] else None
    known = evidence.at(coverage)
    missing = [m for m in subject.metrics if m not in known or known[m].drawn is None]
    if single and single in known:
        found = known[single]
    elif missing:
        reported = evidence.run.estimate(single) if single else None
        # A wider interval than is asked for errs on the side of "cannot tell".
        if reported is not None and reported.has_interval and coverage <= CONFIDENCE:
            return reported
        return Estimate(value, reason=_why_no_interval(missing, single, evidence))
    elif subject.difference and (paired := evidence.difference(*subject.difference, coverage)):
        found = paired
    else:
        found = _combined(value, subject, {m: known[m] for m in subject.metrics}, coverage)
    return found if found.has_interval else replace(found, reason=f"no interval: {found.reason}")


def _combined(
    value: float, subject: Expression, parts: Mapping[str, Estimate], coverage: float
) -> Estimate:
    """An expression of several estimates whose replicates were drawn together."""
    if any(part.method == ALIGNMENT for part in parts.values()):
        alike = all(part.method == ALIGNMENT for part in parts.values())
        if subject.difference is None or not alike:
            why = "of alignments, only one alone or one less another has one"
            return Estimate(value, reason=why)
        first, second = (parts[metric] for metric in subject.difference)
        return alignment_difference(first, second, coverage)
    drawn = {name: part.drawn for name, part in parts.items() if part.drawn is not None}
    groups = min(part.n_groups for part in parts.values() if part.n_groups is not None)
    return Estimate.percentile(value, np.asarray(subject.value(drawn)), groups, confidence=coverage)


_NO_WIDTH = 1e-12
"""An interval narrower than this is one in which all sources are alike, but for rounding."""


def _by_interval(
    name: str,
    text: str,
    subject: str,
    found: Estimate,
    relation: str,
    limit: float,
    confidence: float,
) -> Verdict:
    alike, value = "", found.value
    if found.high - found.low < _NO_WIDTH:
        alike = "; it has no width, since all sources are alike, which is no certainty about others"
    low, high = _holds(found.low, relation, limit), _holds(found.high, relation, limit)
    outcome: Outcome = "met" if low and high else "cannot tell" if low or high else "missed"
    where = {
        "met": "wholly on the right side of",
        "missed": "wholly on the wrong side of",
        "cannot tell": "on both sides of",
    }[outcome]
    why = (
        f"{subject} is {value:.3f}; its {100 * coverage_of(confidence):g} % interval, "
        f"{found.ends_text('{:.3f}'.format, ' to ')}, lies {where} {limit:g}{alike}"
    )
    if value < found.low or value > found.high:
        why += "; what was observed lies outside it, lowered by noise or raised by noise shared"
    return Verdict(name, text, outcome, found, limit, why)


def _holds(value: float, relation: str, limit: float) -> bool:
    return {
        ">=": value >= limit,
        ">": value > limit,
        "<=": value <= limit,
        "<": value < limit,
    }[relation]


def _untold(
    name: str, text: str, why: str, value: float = math.nan, limit: float | None = None
) -> Verdict:
    return Verdict(name, text, "cannot tell", Estimate(value), limit, why)


def _why_undefined(metric: str, evidence: Evidence) -> str:
    if metric in evidence.metrics:
        estimate = evidence.estimates.get(metric)
        reason = estimate and estimate.reason
        return f"{metric} is not defined here" + (f": {reason}" if reason else "")
    close = difflib.get_close_matches(metric, evidence.metrics, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"the run reports no metric {metric}{hint}"


def _why_no_interval(missing: Sequence[str], single: str | None, evidence: Evidence) -> str:
    if evidence.without_samples is not None:
        return (
            f"{evidence.without_samples}, so only single metrics with a reported 95 % interval can "
            f"be judged with confidence, and this needs {', '.join(missing)} resampled"
        )
    return f"{', '.join(missing)}: not resampled, so there is no interval" + (
        " but the reported 95 % one"
        if single and evidence.run.estimate(single).has_interval
        else ""
    )


def _why_not_compared(metric: str, differences: Mapping[str, Any]) -> str:
    if higher_is_better(metric) is None:
        return f"{metric} has no better side, so no run can be worse; state a comparison instead"
    there = ", ".join(name for name in differences if higher_is_better(name) is not None)
    return f"the runs cannot be compared on {metric}; on these they can: {there or 'none'}"
