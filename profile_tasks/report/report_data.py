"""The numbers of one run as a report shows them, read from what the run reported.

Nothing is estimated here. A finished Inspect log has the full profile as a record, lm-eval has flat
metrics of the same names, and ``influence`` has one perspective.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from profile_tasks.runs.run import Run, finite_or_none
from profile_tasks.scorers.statistics.alignment import COEFFICIENTS
from profile_tasks.scorers.statistics.estimate import (
    MINIMUM_GROUPS,
    RANK_ENDS,
    Estimate,
    too_few,
)
from profile_tasks.scorers.statistics.metric_catalogue import names
from profile_tasks.untrusted_text import shown

WRITER_AND_JUDGE = ("generation", "discrimination")

Record = Mapping[str, Any]


NOTHING = Estimate(math.nan)
"""What a file does not hold: it has neither a value nor a reason for that."""


@dataclass(frozen=True)
class Influence:
    """How strongly one perspective's preference follows a factor, and the counts behind it.

    ``controlled`` is adjusted with the strengths of systems held fixed too.
    """

    tau: Estimate
    rank: Estimate = NOTHING
    adjusted: Estimate = NOTHING
    controlled: Estimate = NOTHING
    vif: float | None = None
    system_share: float | None = None
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
        control_cautions: What speaks against the control of systems, in words.
    """

    influences: Mapping[str, Influence]
    n_pairs: int | None = None
    n_groups: int | None = None
    n_ties: int | None = None
    reliability: Mapping[str, Estimate] = field(default_factory=dict)
    methods: Mapping[str, str] = field(default_factory=dict)
    control_cautions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """Influence on the model's preference less that on the human one."""

    number: Estimate
    p_holm: float | None = None


@dataclass(frozen=True)
class Departure:
    """What of a difference between two judges of the same pairs is taste.

    Attributes:
        number: Influence on the first less that on the second after one scale.
        verdict: In the words of ``scorers/statistics/taste.py``.
        smallest: Smallest departure that would have shown.
    """

    number: Estimate
    verdict: str
    smallest: float | None = None


@dataclass(frozen=True)
class Taste:
    """What two judges of the same pairs differ in: taste, by factor, and consistency.

    Attributes:
        verdict: Of the whole.
        consistency: How many times as consistent the first is as the second.
        margin: Departure that "equivalent" excludes.
        factors: Departure by factor.
    """

    verdict: str
    consistency: Estimate
    margin: float
    factors: Mapping[str, Departure]

    @property
    def differing(self) -> tuple[str, ...]:
        """Factors that differ in taste, the greatest departure first."""
        found = {
            factor: abs(departure.number.value)
            for factor, departure in self.factors.items()
            if departure.verdict == "differs in taste"
        }
        return tuple(sorted(found, key=lambda factor: -found[factor]))


@dataclass(frozen=True)
class FoundAlignment:
    """Correlation of two profiles, by one coefficient.

    Attributes:
        number: As observed, with the interval of the true one.
        disattenuated: Without the sampling noise.
        unrelated: Share of unrelated tastes that come as close, where they were drawn.
        distance: Root mean square difference of the true profiles.
    """

    number: Estimate
    disattenuated: Estimate = NOTHING
    unrelated: float | None = None
    distance: Estimate = NOTHING


STANDARD_METRICS = names(lambda metric: metric.tabled)
"""Metrics beside the profile, in the order of the report's table."""


def recorded(record: Record, value: str = "value") -> Estimate:
    """A number in a record that names its value, interval and reason."""
    return _shown(Estimate.of_record(record, value), record.get("reason"))


def _shown(found: Estimate, reason: object) -> Estimate:
    """The estimate with its reason, which others may have worded, such that it can be shown."""
    return replace(found, reason=None if reason is None else shown(reason))


def profile_of_record(record: Record) -> Profile:
    """A profile in the shape of ``scorers/statistics/records.py``."""
    reliability, control = record.get("reliability", {}), record.get("control", {})
    return Profile(
        influences={
            shown(factor): Influence(
                tau=recorded(found, "tau"),
                rank=Estimate.of_metrics(found, "rank", RANK_ENDS),
                adjusted=_shown(
                    Estimate.of_metrics(found, "adjusted"), found.get("adjusted_reason")
                ),
                controlled=_shown(
                    Estimate.of_metrics(found, "adjusted_control"),
                    found.get("adjusted_control_reason"),
                ),
                vif=finite_or_none(found.get("vif")),
                system_share=finite_or_none(found.get("system_share")),
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
        }
        | ({"with systems held fixed": shown(control["method"])} if control else {}),
        control_cautions=tuple(map(shown, control.get("cautions", ()))),
    )


def profile_of_metrics(
    metrics: Mapping[str, float | None],
    perspective: str,
    factors: Iterable[str],
    n_groups: int | None = None,
) -> Profile:
    """A profile out of flat metrics, which have no counts but the groups of the whole run."""
    return Profile(
        influences={
            shown(factor): Influence(
                tau=Estimate.of_metrics(metrics, f"tau_{perspective}_{factor}"),
                rank=Estimate.of_metrics(metrics, f"rank_{perspective}_{factor}"),
                adjusted=Estimate.of_metrics(metrics, f"adjusted_{perspective}_{factor}"),
                controlled=Estimate.of_metrics(metrics, f"adjusted_control_{perspective}_{factor}"),
                p_holm=finite_or_none(metrics.get(f"tau_{perspective}_{factor}_p_adjusted")),
            )
            for factor in factors
        },
        n_groups=n_groups,
    )


def alignments_of_metrics(run: Run) -> dict[str, dict[str, FoundAlignment]]:
    """The alignments with people among the metrics of a run, by perspective and coefficient."""
    records = run.profile.get("alignment_to_human", {})
    found = {
        perspective: found_alignments(run, f"alignment_{perspective}", records.get(perspective, {}))
        for perspective in WRITER_AND_JUDGE
    }
    return {perspective: entries for perspective, entries in found.items() if entries}


def found_alignments(run: Run, name: str, record: Record) -> dict[str, FoundAlignment]:
    """One alignment among the metrics of a run, coefficient by coefficient.

    Args:
        run: The run.
        name: What the metrics' names begin with.
        record: What is known of the true alignment, for the reasons.
    """
    metrics = run.metrics
    return {
        coefficient: FoundAlignment(
            _with_reason(Estimate.of_metrics(metrics, f"{name}_{coefficient}"), record, run.groups),
            recorded(record["disattenuated"][coefficient])
            if "disattenuated" in record
            else Estimate.of_metrics(metrics, f"{name}_{coefficient}_disattenuated"),
            finite_or_none(metrics.get(f"{name}_pearson_p_value")),
            Estimate.of_metrics(metrics, f"{name}_distance"),
        )
        for coefficient in COEFFICIENTS
        if f"{name}_{coefficient}" in metrics
    }


def _with_reason(found: Estimate, record: Record, n_groups: int | None) -> Estimate:
    """An alignment with why it is not known: as recorded, else as the numbers themselves tell."""
    reason = record.get("refusal")
    if not record and n_groups is not None and n_groups < MINIMUM_GROUPS:
        reason = too_few(n_groups)
    elif not record and not found.defined and found.has_interval:
        within = found.ends_text("{:.2f}".format)
        reason = f"a profile is not told from noise alone; the true one lies within [{within}]"
    return _shown(found, reason)


def differences_of_record(record: Record) -> dict[str, dict[str, Difference]]:
    """Differences to the human influence in the record of a run."""
    return {
        perspective: {
            shown(factor): Difference(recorded(entry), finite_or_none(entry.get("p_adjusted")))
            for factor, entry in found["factors"].items()
        }
        for perspective, found in record.items()
        if perspective in WRITER_AND_JUDGE
    }


def taste_of_record(record: Record) -> Taste | None:
    """What of the differences in a record is taste; None where it was not compared."""
    if "taste" not in record:
        return None
    whole = record["taste"]
    return Taste(
        shown(whole["verdict"]),
        recorded(whole["consistency"]),
        float(whole["margin"]),
        {
            shown(factor): Departure(
                recorded(entry["taste"]),
                shown(entry["taste"]["verdict"]),
                finite_or_none(entry["taste"].get("smallest_shown")),
            )
            for factor, entry in record["factors"].items()
        },
    )


def reasoned_metric(run: Run, name: str) -> Estimate:
    """A metric of a run, with the reason where the run says why it is not defined."""
    reason = run.profile.get("reasons", {}).get(name)
    return _shown(run.estimate(name), reason or None)


def mean_words_of(metrics: Mapping[str, float | None]) -> dict[int, float]:
    """Mean length of the written responses by target score."""
    start = "words_at_score_"
    return {
        int(name.removeprefix(start)): mean
        for name, value in metrics.items()
        if name.startswith(start)
        and name.removeprefix(start).isdigit()
        and (mean := finite_or_none(value)) is not None
    }


def _count(value: object) -> int | None:
    number = finite_or_none(value)
    return None if number is None else int(number)
