"""Slices as small multiples: a few rows of dots a slice, and the tables behind them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from profile_tasks.report.dots import INFLUENCE, Dot, DotRow
from profile_tasks.report.headline import decimal, interval
from profile_tasks.report.influence_rows import WHO
from profile_tasks.report.slice_data import SlicedColumn, SliceInfluence, SlicePart

TOLD = "\N{ASTERISK OPERATOR}"
"""Marks a factor that is told to weigh otherwise in a slice than elsewhere."""

MOST_FACTORS = 8
"""So many factors stand in each panel; the table holds all."""

INFLUENCE_COLUMNS = (
    "slice",
    "preference",
    "factor",
    "tau",
    "low",
    "high",
    "less elsewhere",
    "its low",
    "its high",
    "p, BH",
    "interaction",
    "its p, BH",
    "pairs",
    "groups",
    "note",
)
JUDGE_COLUMNS = (
    "slice",
    "pairs",
    "groups",
    "alignment, tau_b",
    "alignment, r",
    "accuracy, half credit",
    "flip rate",
    "note",
)
_JUDGE = (
    "alignment_discrimination_tau_b",
    "alignment_discrimination_pearson",
    "discrimination_accuracy_half_credit",
    "flip_rate",
)

_Cell = str | float | None


@dataclass(frozen=True)
class SlicePanel:
    """One of several small figures: of which slice, the counts behind it, its rows."""

    label: str
    counts: str
    rows: tuple[DotRow, ...]


def slice_panels(found: SlicedColumn, order: Sequence[str]) -> tuple[SlicePanel, ...]:
    """One panel a slice, all with the same factors.

    Args:
        found: The run by one column.
        order: Every factor; what is told to differ in some slice is put before them.
    """
    told: dict[str, float] = {}
    for parts in found.parts.values():
        for factor, each in (entry for part in parts.values() for entry in part.factors.items()):
            if each.told:
                told[factor] = max(told.get(factor, 0.0), abs(each.difference.value))
    first = sorted(told, key=lambda factor: -told[factor])
    factors = list(dict.fromkeys([*first, *order]))[:MOST_FACTORS]
    return tuple(
        SlicePanel(label, _counts(parts), tuple(_row(parts, factor) for factor in factors))
        for label, parts in found.parts.items()
    )


def slice_notes(found: SlicedColumn) -> Iterator[str]:
    """What is not held apart, and why."""
    for label, groups in found.too_small.items():
        said = ", ".join(f"{WHO.get(whose, whose)} {n}" for whose, n in groups.items())
        yield f"{label}: too few sources in it or beside it ({said}); counted among the others"
    for whose, n in found.unlabelled.items():
        yield f"{WHO.get(whose, whose)}: {n:,} pairs without a label, counted among the others"


def influence_cells(found: SlicedColumn) -> tuple[tuple[_Cell, ...], ...]:
    """The rows of ``INFLUENCE_COLUMNS``."""
    return tuple(
        (
            label,
            WHO.get(whose, whose),
            factor,
            *each.tau.cells(),
            *each.difference.cells(),
            each.p,
            each.interaction,
            each.interaction_p,
            float(part.n_pairs),
            float(part.n_groups),
            each.tau.reason,
        )
        for label, parts in found.parts.items()
        for whose, part in parts.items()
        for factor, each in part.factors.items()
    )


def judge_cells(found: SlicedColumn) -> tuple[tuple[_Cell, ...], ...]:
    """The rows of ``JUDGE_COLUMNS``."""
    return tuple(
        (
            label,
            float(each.n_pairs),
            float(each.n_groups),
            *(interval(n) if n.defined else "–" for n in (each.estimates[name] for name in _JUDGE)),
            "; ".join(dict.fromkeys(e.reason for e in each.estimates.values() if e.reason)),
        )
        for label, each in found.judge.items()
    )


def whose_slices(found: SlicedColumn) -> dict[str, str]:
    """Whose preferences are held apart, in the order of the dots."""
    there = {whose for parts in found.parts.values() for whose in parts}
    return {whose: name for whose, name in WHO.items() if whose in there}


def _counts(parts: Mapping[str, SlicePart]) -> str:
    """How many pairs and groups a panel rests on; what several have in common is said once."""
    said: dict[str, list[str]] = {}
    for whose, part in parts.items():
        pairs = f"{part.n_pairs:,} pairs in {part.n_groups:,} groups"
        said.setdefault(pairs, []).append(WHO.get(whose, whose))
    if len(said) == 1:
        return next(iter(said))
    return "; ".join(f"{', '.join(who)}: {pairs}" for pairs, who in said.items())


def _row(parts: Mapping[str, SlicePart], factor: str) -> DotRow:
    found = {
        whose: parts[whose].factors[factor]
        for whose in WHO
        if whose in parts and factor in parts[whose].factors
    }
    return DotRow(
        name=factor,
        dots=tuple(
            Dot.of(whose, each.tau, INFLUENCE) for whose, each in found.items() if each.tau.defined
        ),
        said=tuple(f"{WHO[whose]}: {_said(each)}" for whose, each in found.items()),
        mark=TOLD if any(each.told for each in found.values()) else "",
    )


def _said(found: SliceInfluence) -> str:
    if not found.tau.defined:
        return found.tau.reason or "not defined"
    if not found.difference.defined:
        return interval(found.tau)
    p = "" if found.p is None else f", p {decimal(found.p, 3)}"
    differs = "told to differ" if found.told else "not told to differ"
    return f"{interval(found.tau)}; {differs} from elsewhere: {interval(found.difference)}{p}"
