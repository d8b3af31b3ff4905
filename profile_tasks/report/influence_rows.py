"""The influences of a run as rows of dots: people against judge against writer."""

from collections.abc import Iterator

from profile_tasks.report.dots import INFLUENCE, Dot, DotRow
from profile_tasks.report.drawing import MISALIGNED
from profile_tasks.report.findings import Findings
from profile_tasks.report.headline import (
    farthest_first,
    influences_apart,
    interval,
    told_apart,
)
from profile_tasks.report.report_data import WRITER_AND_JUDGE, Influence

WHO = {
    "human": "people",
    "discrimination": "as a judge",
    "generation": "as a writer",
    "recorded": "recorded verdicts",
}
"""Perspective -> whose preferences these are, as a reader has it; in the order of the dots."""

APART = "\N{WHITE UP-POINTING TRIANGLE}"
"""Marks factors in which the judge differs from people, be it by taste or by consistency; the
writer, where people judged what it wrote."""

STRONGEST = 5
"""So many factors stand in the figure below the headline."""


def influence_rows(findings: Findings) -> tuple[DotRow, ...]:
    """A row a factor, that in which the model is farthest from people first."""
    marks: dict[str, str] = {}
    if {"human", findings.told_of} <= set(findings.profiles):
        marks = dict.fromkeys(influences_apart(findings), APART)
        in_taste = findings.told_of in findings.tastes
        apart = told_apart(findings, findings.told_of)
        marks |= dict.fromkeys(apart, MISALIGNED if in_taste else APART)
    return tuple(
        _row(findings, factor, marks.get(factor, "")) for factor in farthest_first(findings)
    )


def shown_perspectives(findings: Findings) -> dict[str, str]:
    """The perspectives that a run has, with whose they are."""
    return {p: who for p, who in WHO.items() if p in findings.profiles}


def _row(findings: Findings, factor: str, mark: str) -> DotRow:
    found = {
        p: findings.profiles[p].influences[factor]
        for p in shown_perspectives(findings)
        if factor in findings.profiles[p].influences
    }
    taus = {p: each.tau for p, each in found.items() if each.tau.defined}
    keys = {p: tau.value for p, tau in taus.items()}
    for perspective in sorted(WRITER_AND_JUDGE, key=lambda p: p == findings.told_of):
        # of both the one that is held against people
        if perspective in taus and "human" in taus:
            keys["difference"] = abs(taus[perspective].value - taus["human"].value)
    return DotRow(
        name=factor,
        dots=tuple(Dot.of(p, tau, INFLUENCE) for p, tau in taus.items()),
        said=tuple(f"{WHO[p]}: {'; '.join(_said(each))}" for p, each in found.items()),
        mark=mark,
        keys=keys,
    )


def _said(found: Influence) -> Iterator[str]:
    yield interval(found.tau) if found.tau.defined else found.tau.reason or "not defined"
    if found.n is not None:
        yield (
            f"{found.n} pairs: the preferred response shows more in {found.concordant}, less in "
            f"{found.discordant}, as much in {found.tied}"
        )
    if found.missing:
        yield f"{found.missing} missing"
    if found.groups is not None:
        yield f"{found.groups} groups of sources"
