"""What judges are sensitive to: a row a probe and judge, its effect as a dot on one shared scale.

Effects have one scale, on which 0 is where the texts alone decide; rates, of which no value is a
null, have another. Of several judges the rows of a probe stand together.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from profile_tasks.report.dots import Axis, Dot
from profile_tasks.report.findings import Findings
from profile_tasks.report.headline import decimal
from profile_tasks.scorers.statistics.estimate import Estimate, none_for_nan
from profile_tasks.scorers.statistics.probes import PROBES, Probe, ProbeFinding

COLUMNS = (
    "judge",
    "probe",
    "value",
    "low",
    "high",
    "p Holm",
    "told",
    "would have shown",
    "verdicts",
    "sources",
    "of what",
    "note",
)
"""Of the same as a table for programs."""


@dataclass(frozen=True)
class ProbeRow:
    """What one probe found of one judge, as it is shown.

    Attributes:
        judge: The judge's name in the report.
        dots: Its effect, none where it has no value.
        effect: The same in figures; or why there is none.
        told: Whether it is told, in words; empty where nothing is tested.
        is_told: Whether it is.
        shown: The smallest effect that would have shown, where nothing is told.
        n: Verdicts, and the sources behind them.
        where: Of which factor and wordings.
    """

    judge: str
    dots: tuple[Dot, ...]
    effect: str
    told: str
    is_told: bool
    shown: str
    n: str
    where: str


@dataclass(frozen=True)
class ProbeRows:
    """The rows of one probe, a judge each."""

    probe: Probe
    rows: tuple[ProbeRow, ...]


@dataclass(frozen=True)
class ProbeTable:
    """Probes whose effects share a scale."""

    id: str
    heading: str
    axis: Axis
    probes: tuple[ProbeRows, ...]


def probe_tables(judges: Sequence[tuple[str, Findings]]) -> list[ProbeTable]:
    """The effects, then the rates, of each probe that was run on any of the judges.

    Args:
        judges: The name of each in the report, with what its audit found.
    """
    found = [
        (probe, [(name, f.probes[probe.name]) for name, f in judges if probe.name in f.probes])
        for probe in PROBES
    ]
    kinds = (
        ("effects", "Effects: 0 where the texts alone decide", False),
        ("rates", "Rates and likeness: noise alone moves them, so none is tested", True),
    )
    tables = []
    for id_, heading, rates in kinds:
        own = [(probe, rows) for probe, rows in found if rows and probe.is_rate == rates]
        # A rate of 1 is what could be; of effects none comes near it.
        ends = [Estimate(1.0)] if rates else []
        axis = Axis.holding([*(_drawn(each) for _, rows in own for _, each in rows), *ends])
        shown = tuple(
            ProbeRows(probe, tuple(_row(name, each, axis) for name, each in rows))
            for probe, rows in own
        )
        if shown:
            tables.append(ProbeTable(id_, heading, axis, shown))
    return tables


def probe_cells(judges: Sequence[tuple[str, Findings]]) -> Iterator[tuple[str | float | None, ...]]:
    """The same as rows for programs, as of ``COLUMNS``."""
    for name, findings in judges:
        for each in findings.probes.values():
            yield (
                name,
                each.probe.metric,
                *each.estimate.cells(),
                none_for_nan(each.p_adjusted),
                "" if not each.probe.null else "told" if each.found else "not told",
                none_for_nan(each.detectable),
                float(each.n),
                float(each.n_groups),
                each.where,
                each.estimate.reason,
            )


def _row(judge: str, found: ProbeFinding, axis: Axis) -> ProbeRow:
    drawn, estimate = _drawn(found), found.estimate
    tested = not math.isnan(found.p_adjusted)
    effect = found.number if estimate.defined else estimate.reason or "not defined"
    return ProbeRow(
        judge,
        (Dot.of("discrimination", drawn, axis),) if drawn.defined else (),
        effect.replace("-", "−") if estimate.defined else effect,
        f"{'told' if found.found else 'not told'}, p {_p(found.p_adjusted)}" if tested else "",
        found.found,
        "" if found.found or math.isnan(found.detectable) else decimal(found.detectable),
        f"{found.n:,} in {found.n_groups:,}",
        found.where,
    )


def _drawn(found: ProbeFinding) -> Estimate:
    """The effect on the scale of the others: of log-odds the share that they make, less half."""
    estimate = found.estimate
    if found.probe.kind != "log-odds":
        return estimate
    ends = (estimate.value, estimate.low, estimate.high)
    value, low, high = (math.tanh(end / 2) / 2 for end in ends)
    return replace(estimate, value=value, low=low, high=high)


def _p(value: float) -> str:
    return "< .001" if value < 0.001 else decimal(value, 3)
