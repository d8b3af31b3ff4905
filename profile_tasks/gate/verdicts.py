"""Verdicts: whether a run meets a bar, misses it, or cannot tell."""

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
from profile_tasks.nearest_name import nearest
from profile_tasks.scorers.statistics.coverage import NEAR_THE_END, OF_RANKS, of_few_sources
from profile_tasks.scorers.statistics.estimate import CONFIDENCE, MINIMUM_GROUPS, Estimate
from profile_tasks.scorers.statistics.metric_catalogue import find, higher_is_better
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
    groups = _groups_of(evidence)
    return [*of_few_sources(groups), *([OF_RANKS] if _has_ranks(words) else [])]


def _has_ranks(words: str) -> bool:
    """Whether a rank coefficient is named."""
    return "_tau_b" in words or "_spearman" in words


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
    has one side, so with 95 % confidence it is met by an interval that covers 90 %. Of fewer than
    ``MINIMUM_GROUPS`` groups even a point estimate tells nothing.
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
    rests_on = (*bar.left.metrics, *bar.right.metrics)
    if few := next(filter(None, (_too_few(metric, evidence) for metric in rests_on)), None):
        return _untold(name, bar.text, few, value, limit)
    if bar.confidence is None:
        outcome: Outcome = "met" if _holds(value, relation, limit) else "missed"
        why = f"{subject.text} is {value:z.3f}, the point estimate"
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
        relation, limit = (">=", 0.0 - bar.margin) if better else ("<=", bar.margin)
        subject = f"{metric}, less that of the baseline {record['model_b']},"
        if bar.confidence is None:
            outcome: Outcome = "met" if _holds(found.value, relation, limit) else "missed"
            why = f"{subject} is {found.value:+z.3f}, the point estimate"
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

    A metric alone has the interval that the log has, at another coverage, and the difference of two
    influences or alignments one of its own. What is linear in one of these has that interval, its
    ends put into the expression: however a bar is written, its verdict is the same. Other
    expressions of several metrics have percentile intervals of their replicates, which alignments
    are not to be had from (scorers/statistics/true_alignment.py says why). That of abs() follows
    from what stands in it, as replicates of an absolute value never lie below 0.
    """
    inner = subject.inside_abs
    if inner is not None:
        return estimate_of(inner, evidence, coverage).absolute()
    points = {metric: evidence.metrics[metric] or 0.0 for metric in subject.metrics}
    value = float(subject.value(points))
    linear = subject.linear
    metrics = sorted(subject.metrics if linear is None else linear)
    found = None
    if linear is not None and len(metrics) == 1:
        found = _alone(metrics[0], evidence, coverage)
    elif linear is not None and len(metrics) == 2 and sum(linear.values()) == 0:
        found = _difference(metrics[0], metrics[1], evidence, coverage)
    if found is None:
        found = _combined(value, subject, metrics, evidence, coverage)
    elif found.has_interval:
        low, high = sorted(
            # Of a difference, its first metric stands for all of it where the other one is 0.
            float(subject.value(points | dict(zip(metrics, (end, 0.0), strict=False))))
            for end in (found.low, found.high)
        )
        found = replace(found, value=value, low=low, high=high)
    return found if found.has_interval else Estimate(value, reason=f"no interval: {found.reason}")


def _alone(metric: str, evidence: Evidence, coverage: float) -> Estimate:
    """A metric with the interval of the log, at this coverage where it can be made anew."""
    known = evidence.at(coverage)
    if metric in known:
        return known[metric]
    reported = evidence.run.estimate(metric)
    # A wider interval than is asked for errs on the side of "cannot tell".
    if reported.has_interval and coverage <= CONFIDENCE:
        return replace(reported, method=_REPORTED)
    if not reported.has_interval and (why := _reason(metric, evidence)):
        return Estimate.undefined(why)
    only = "; only its 95 % interval is reported" if reported.has_interval else ""
    return Estimate.undefined(_why_not_resampled([metric], evidence) + only)


_REPORTED = "reported"
"""The method of an interval that a file reports; it covers 95 %, whatever is asked for."""


def _reason(metric: str, evidence: Evidence) -> str | None:
    """Why a run reports no value, or no interval, of a metric; None where it does not say."""
    known: Mapping[str, str] = evidence.run.profile.get("reasons", {})
    return known.get(metric)


def _difference(first: str, second: str, evidence: Evidence, coverage: float) -> Estimate | None:
    """The difference of two influences or alignments; None of other metrics."""
    known = evidence.at(coverage)
    one, other = (known.get(metric) for metric in (first, second))
    if one and other and one.method == other.method == ALIGNMENT:
        return alignment_difference(one, other, coverage)
    return evidence.difference(first, second, coverage)


def _combined(
    value: float, subject: Expression, metrics: Sequence[str], evidence: Evidence, coverage: float
) -> Estimate:
    """An expression of several metrics, by replicates that were drawn together."""
    known = evidence.at(coverage)
    if missing := [m for m in metrics if m not in known or known[m].drawn is None]:
        return Estimate.undefined(_why_not_resampled(missing, evidence))
    parts = {metric: known[metric] for metric in metrics}
    if any(part.method == ALIGNMENT for part in parts.values()):
        return Estimate.undefined("of alignments, only one alone or one less another has one")
    if not parts:
        return Estimate.undefined("no metric is left in it")
    if len(parts) == 1:
        return Estimate.undefined("it is not linear; state the bar on the metric itself")
    if steep := [metric for metric, part in parts.items() if _is_near_the_end(part)]:
        return Estimate.undefined(
            f"near the end of the scale ({', '.join(steep)}) percentile intervals cover 17 to 75 % "
            "where sources are few (docs/calibration.md); state the bar on one metric"
        )
    drawn = {name: part.drawn for name, part in parts.items() if part.drawn is not None}
    groups = min(part.n_groups for part in parts.values() if part.n_groups is not None)
    return Estimate.percentile(value, np.asarray(subject.value(drawn)), groups, confidence=coverage)


def _is_near_the_end(part: Estimate) -> bool:
    """Whether an influence, or a share as 2 * share - 1, is near -1 or 1."""
    middle = (1 + part.least) / 2
    on_a_scale = not math.isnan(part.effective)
    return on_a_scale and abs(part.value - middle) > NEAR_THE_END * (1 - middle)


_NO_WIDTH = 1e-12
"""Ends nearer to each other than this differ by rounding alone."""


def _by_interval(
    name: str,
    text: str,
    subject: str,
    found: Estimate,
    relation: str,
    limit: float,
    confidence: float,
) -> Verdict:
    low, high = _holds(found.low, relation, limit), _holds(found.high, relation, limit)
    outcome: Outcome = "met" if low and high else "cannot tell" if low or high else "missed"
    where = {
        "met": "wholly on the right side of",
        "missed": "wholly on the wrong side of",
        "cannot tell": "on both sides of",
    }[outcome]
    number = f"{{:z.{_decimals(found.low, found.high, limit)}f}}".format
    covers = CONFIDENCE if found.method == _REPORTED else coverage_of(confidence)
    why = (
        f"{subject} is {found.value:z.3f}; its {100 * covers:g} % interval, "
        f"{found.ends_text(number, ' to ')}, lies {where} {limit:zg}"
    )
    if found.high - found.low < _NO_WIDTH:
        few = "a rank coefficient has few possible values and " if _has_ranks(subject) else ""
        why += f"; it has no width, since {few}all draws agree, which is no certainty"
    if found.method.startswith("percentile"):
        why += "; percentile intervals cover less near the ends of a scale (docs/calibration.md)"
    if found.value < found.low or found.value > found.high:
        why += "; what was observed lies outside it, lowered by noise or raised by noise shared"
    return Verdict(name, text, outcome, found, limit, why)


def _decimals(*numbers: float) -> int:
    """How many decimals tell these numbers apart, at least three."""
    apart = {round(number, _MOST_DECIMALS) for number in numbers}
    return next(
        (n for n in range(3, _MOST_DECIMALS) if len({round(a, n) for a in apart}) == len(apart)),
        _MOST_DECIMALS,
    )


_MOST_DECIMALS = 12


def _holds(value: float, relation: str, limit: float) -> bool:
    if math.isclose(value, limit, rel_tol=1e-12, abs_tol=1e-15):
        value = limit  # 1 - 0.7 is more than 0.3 by rounding
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


def _groups_of(evidence: Evidence) -> int | None:
    """How many groups of sources the whole run has."""
    return evidence.run.groups if evidence.study is None else evidence.study.n_groups


def _too_few(metric: str, evidence: Evidence) -> str | None:
    """Why a metric rests on too little to be judged at all; None where it does not."""
    estimate, audit = evidence.estimates.get(metric), evidence.run.audit
    groups = _groups_of(evidence) if estimate is None else estimate.n_groups
    if audit is not None and metric.startswith("probe_"):
        groups = audit.groups
    if groups is None or groups >= MINIMUM_GROUPS:
        return None
    return f"{metric} rests on {groups} groups of sources; a bar needs at least {MINIMUM_GROUPS}"


def _why_undefined(metric: str, evidence: Evidence) -> str:
    if metric in evidence.metrics:
        estimate = evidence.estimates.get(metric)
        reason = (
            estimate.reason if estimate else evidence.run.profile.get("reasons", {}).get(metric)
        )
        return f"{metric} is not defined here" + (f": {reason}" if reason else "")
    if metric.startswith("probe_") and not (evidence.run.is_audit or evidence.run.audit):
        return (
            f"the run reports no metric {metric}; an audit of its judge does, and none of "
            f"{evidence.run.model} on the same task and data is among the logs"
        )
    graders = evidence.run.graders
    if metric.startswith(("grader_alpha_", "grader_agreement_")) and len(graders) < 2:
        return (
            f"the run reports no metric {metric}: {len(graders)} models graded, and agreement "
            "needs two (--model-role grader=MODEL,MODEL)"
        )
    near = nearest(metric, [name for name in evidence.metrics if find(name)])
    hint = f"; did you mean {near}?" if near else ""
    return f"the run reports no metric {metric}{hint}"


def _why_not_resampled(missing: Sequence[str], evidence: Evidence) -> str:
    names = ", ".join(missing)
    if evidence.without_samples is not None:
        return (
            f"{evidence.without_samples}, so only single metrics with a reported 95 % interval can "
            f"be judged with confidence, and this needs {names} resampled"
        )
    if any(metric in evidence.estimates for metric in missing):
        return (
            f"{names}: each slice is resampled by itself, and so are own pairs that people judged; "
            "only one metric alone has an interval"
        )
    return f"{names} {'is' if len(missing) == 1 else 'are'} not resampled"


def _why_not_compared(metric: str, differences: Mapping[str, Any]) -> str:
    if higher_is_better(metric) is None:
        return f"{metric} has no better side, so no run can be worse; state a comparison instead"
    there = ", ".join(name for name in differences if higher_is_better(name) is not None)
    return f"the runs cannot be compared on {metric}; on these they can: {there or 'none'}"
