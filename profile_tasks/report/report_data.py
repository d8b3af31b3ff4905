"""What a report shows of one run: numbers that a log already has, as frozen records.

Nothing is estimated here. A finished Inspect log has the full profile as a record; lm-eval has flat
metrics of the same names; ``influence`` has one perspective. Each becomes the same ``Run``, and
what a file does not hold stands in ``Run.absent``, in words.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from profile_tasks.report.examples import Example
from profile_tasks.runs.reported import finite_or_none
from profile_tasks.scorers.statistics.metric_catalogue import names
from profile_tasks.untrusted_text import shown

COEFFICIENTS = ("tau_b", "spearman", "pearson")
PERSPECTIVES = ("human", "generation", "discrimination")
MODEL_PERSPECTIVES = ("generation", "discrimination")
SIGNIFICANT = 0.05

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Number:
    """A value with its 95 % interval; None where it is not defined, or the file has none."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str | None = None

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of 0."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    def overlaps(self, other: "Number") -> bool | None:
        """Whether the two intervals overlap; None where one is missing."""
        if self.low is None or self.high is None or other.low is None or other.high is None:
            return None
        return self.low <= other.high and other.low <= self.high


NOTHING = Number()


@dataclass(frozen=True)
class Influence:
    """How strongly one perspective's preference follows a factor, and the counts behind it."""

    tau: Number
    rank: Number = NOTHING
    adjusted: Number = NOTHING
    vif: float | None = None
    p_holm: float | None = None
    n: int | None = None
    concordant: int | None = None
    discordant: int | None = None
    tied: int | None = None
    missing: int | None = None
    groups: int | None = None


@dataclass(frozen=True)
class Profile:
    """The factor profile of one perspective.

    Attributes:
        influences: By factor.
        n_pairs: Decided pairs.
        n_groups: Groups behind them.
        n_ties: Preference ties, which are left out.
        reliability: By coefficient.
        methods: How its numbers were found, in words.
    """

    influences: Mapping[str, Influence]
    n_pairs: int | None = None
    n_groups: int | None = None
    n_ties: int | None = None
    reliability: Mapping[str, Number] = field(default_factory=dict)
    methods: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """Influence on the model's preference less that on the human one."""

    number: Number
    p_holm: float | None = None

    @property
    def significant(self) -> bool:
        """Whether it is told from 0, all factors of the perspective considered."""
        return self.p_holm is not None and self.p_holm < SIGNIFICANT


@dataclass(frozen=True)
class Alignment:
    """Correlation of a model's profile with the human one, by one coefficient."""

    number: Number
    p_value: float | None = None
    ceiling: Number = NOTHING
    corrected: Number = NOTHING


@dataclass(frozen=True)
class Run:
    """One model on one task.

    Attributes:
        file: Name of the file.
        kind: What the file is, e.g. "Inspect log".
        model: The evaluated model; "people" where only recorded preferences are profiled.
        task: Name of the task.
        factors: Factor ids in their order.
        profiles: By perspective.
        differences: Perspective -> factor -> difference to the human influence.
        alignments: Perspective -> coefficient -> alignment.
        gap: Alignment as a judge less alignment as a writer.
        metrics: Standard metrics by name.
        human_bar: Alignment of one half of the annotators with the other, by name.
        correlations: Table of pairs ("annotated", "written") -> factor x factor; None: unknown.
        words: Target score -> lengths in words of the responses written for it.
        mean_words: Target score -> mean length, where single lengths are not in the file.
        examples: Perspective -> factor -> the pairs that speak most for it, and against it.
        examples_from: Of how many of the sources examples were looked for, and of how many.
        measured: How it was measured: label -> text.
        warnings: Warnings that the file itself holds.
        graders: The grading models.
        absent: What the file does not hold, in words.
    """

    file: str
    kind: str
    model: str
    task: str
    factors: tuple[str, ...]
    profiles: Mapping[str, Profile]
    differences: Mapping[str, Mapping[str, Difference]] = field(default_factory=dict)
    alignments: Mapping[str, Mapping[str, Alignment]] = field(default_factory=dict)
    gap: Number = NOTHING
    metrics: Mapping[str, Number] = field(default_factory=dict)
    human_bar: Mapping[str, Number] = field(default_factory=dict)
    correlations: Mapping[str, tuple[tuple[float | None, ...], ...]] = field(default_factory=dict)
    words: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    mean_words: Mapping[int, float] = field(default_factory=dict)
    examples: Mapping[str, Mapping[str, tuple[tuple[Example, ...], tuple[Example, ...]]]] = field(
        default_factory=dict
    )
    examples_from: tuple[int, int] = (0, 0)
    measured: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    graders: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    @property
    def compared(self) -> tuple[str, ...]:
        """The model's perspectives that were measured, in their order."""
        return tuple(name for name in MODEL_PERSPECTIVES if name in self.profiles)

    def misaligned(self, perspective: str) -> tuple[str, ...]:
        """Factors whose influence is told from the human one, the greatest difference first."""
        found = {
            factor: abs(difference.number.value or 0)
            for factor, difference in self.differences.get(perspective, {}).items()
            if difference.significant
        }
        return tuple(sorted(found, key=lambda factor: -found[factor]))


STANDARD_METRICS = names(lambda metric: metric.tabled)
"""Metrics beside the profile, in the order of the report's table."""


def recorded(record: Record, name: str = "value", low: str = "ci_low", high: str = "ci_high",
             reason: str = "reason") -> Number:  # fmt: skip
    """A number in a record that names its value, interval and reason."""
    why = record.get(reason)
    return Number(
        finite_or_none(record.get(name)),
        finite_or_none(record.get(low)),
        finite_or_none(record.get(high)),
        None if why is None else shown(why),
    )


def metric(metrics: Mapping[str, float | None], name: str) -> Number:
    """A number among flat metrics, with ``_ci_low`` and ``_ci_high`` where they are there."""
    value, low, high = (
        finite_or_none(metrics.get(name + end)) for end in ("", "_ci_low", "_ci_high")
    )
    return Number(value, low, high)


def profile_of_record(record: Record) -> Profile:
    """A profile in the shape of ``scorers/statistics/influence_record.py``."""
    reliability = record.get("reliability", {})
    return Profile(
        influences={
            shown(factor): Influence(
                tau=recorded(found, "tau"),
                rank=recorded(found, "rank", "rank_low", "rank_high", ""),
                adjusted=recorded(
                    found, "adjusted", "adjusted_ci_low", "adjusted_ci_high", "adjusted_reason"
                ),
                vif=finite_or_none(found.get("vif")),
                p_holm=finite_or_none(found.get("p_adjusted")),
                **{
                    name: _count(found.get(name))
                    for name in ("n", "concordant", "discordant", "tied", "missing", "groups")
                },
            )
            for factor, found in record["factors"].items()
        },
        n_pairs=_count(record.get("n_pairs")),
        n_groups=_count(record.get("n_groups")),
        n_ties=_count(record.get("n_preference_ties")),
        reliability={name: recorded(reliability.get(name, {})) for name in COEFFICIENTS},
        methods={
            what: shown(record[name])
            for what, name in (
                ("intervals of influence", "interval_method"),
                ("p-values", "p_method"),
                ("adjusted influence", "adjusted_method"),
                ("ranks", "rank_method"),
            )
            if name in record
        },
    )


def profile_of_metrics(
    metrics: Mapping[str, float | None], perspective: str, factors: Iterable[str]
) -> Profile:
    """A profile out of flat metrics, which have no counts."""
    return Profile(
        influences={
            shown(factor): Influence(
                tau=metric(metrics, f"tau_{perspective}_{factor}"),
                rank=metric(metrics, f"rank_{perspective}_{factor}"),
                adjusted=metric(metrics, f"adjusted_{perspective}_{factor}"),
                p_holm=finite_or_none(metrics.get(f"tau_{perspective}_{factor}_p_adjusted")),
            )
            for factor in factors
        }
    )


def alignments_of_metrics(
    metrics: Mapping[str, float | None], record: Record | None = None
) -> dict[str, dict[str, Alignment]]:
    """The alignments among flat metrics; a record of ``alignment_to_human`` gives the reasons."""
    found = {}
    for perspective in MODEL_PERSPECTIVES:
        known = (record or {}).get(perspective, {})
        entries = {}
        for coefficient in COEFFICIENTS:
            name = f"alignment_{perspective}_{coefficient}"
            if name not in metrics:
                continue
            ceiling, corrected = (
                recorded(known[kind][coefficient])
                if kind in known
                else metric(metrics, f"{name}_{kind}")
                for kind in ("ceiling", "corrected")
            )
            entries[coefficient] = Alignment(
                metric(metrics, name),
                finite_or_none(metrics.get(f"{name}_p_value")),
                ceiling,
                corrected,
            )
        if entries:
            found[perspective] = entries
    return found


def differences_of_record(record: Record) -> dict[str, dict[str, Difference]]:
    """Differences to the human influence in the record of a run."""
    return {
        perspective: {
            shown(factor): Difference(recorded(entry), finite_or_none(entry.get("p_adjusted")))
            for factor, entry in found["factors"].items()
        }
        for perspective, found in record.items()
        if perspective in MODEL_PERSPECTIVES
    }


def standard_metrics_of(metrics: Mapping[str, float | None]) -> dict[str, Number]:
    """The standard metrics that are there."""
    return {name: metric(metrics, name) for name in STANDARD_METRICS if name in metrics}


def mean_words_of(metrics: Mapping[str, float | None]) -> dict[int, float]:
    """Mean length of the written responses by target score."""
    start = "words_at_score_"
    return {
        int(name.removeprefix(start)): mean
        for name, value in metrics.items()
        if name.startswith(start) and name.removeprefix(start).isdigit()
        and (mean := finite_or_none(value)) is not None
    }  # fmt: skip


def _count(value: object) -> int | None:
    number = finite_or_none(value)
    return None if number is None else int(number)
