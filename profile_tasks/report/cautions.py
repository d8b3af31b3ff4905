"""What speaks against taking a run's numbers at face value, in words."""

from collections.abc import Iterator

from profile_tasks.report.examples import packaged_factors
from profile_tasks.report.findings import Findings
from profile_tasks.scorers.statistics.coverage import OF_RANKS, of_few_sources, of_steep_influences
from profile_tasks.scorers.statistics.metric_catalogue import cautioned

HIGH_VIF = 5.0
"""Variance inflation from which on an adjusted influence says little about one factor alone."""


def cautions(findings: Findings) -> list[str]:
    """Warnings about a run, those that its file holds first."""
    every = (*findings.run.warnings, *_from_the_run(findings), *_from_numbers(findings))
    return list(dict.fromkeys(every))


def _from_the_run(findings: Findings) -> Iterator[str]:
    from profile_tasks.planted.annotator import SIMULATION_NOTE

    run = findings.run
    if run.model.startswith("planted/"):
        yield f"{run.model} is {SIMULATION_NOTE}"
    if run.recorded:
        yield run.recorded
    known = packaged_factors()
    own = [factor for factor in findings.factors if factor not in known]
    if own and run.harness == "inspect":
        yield f"factors of the user's own, defined in the log: {', '.join(own)}"


def _from_numbers(findings: Findings) -> Iterator[str]:
    groups = [p.n_groups for p in findings.profiles.values() if p.n_groups is not None]
    yield from of_few_sources(min(groups, default=None))
    if findings.alignments:
        yield OF_RANKS
    if findings.run.model in findings.run.graders:
        yield (
            f"self-grading: {findings.run.model} is evaluated and grades; models favour their own "
            "texts"
        )
    for name, caution in cautioned():
        rate = findings.metrics.get(name)
        if rate is not None and rate.value > caution.above:
            yield f"{rate.value:.0%} {caution.words}"
    for perspective, profile in findings.profiles.items():
        taus = {factor: found.tau.value for factor, found in profile.influences.items()}
        for said in of_steep_influences(taus, profile.n_pairs, profile.n_groups):
            yield f"{perspective}: {said}"
        inflated = [
            f"{factor} ({found.vif:.1f})"
            for factor, found in profile.influences.items()
            if found.vif is not None and found.vif > HIGH_VIF
        ]
        if inflated:
            yield (
                f"collinear in {perspective}: {', '.join(inflated)} (variance inflation above "
                f"{HIGH_VIF:g}). Their adjusted influence cannot be told apart well"
            )
        for said in profile.control_cautions:
            yield f"control of systems in {perspective}: {said}"
        unfit = [f for f, found in profile.influences.items() if found.adjusted.reason]
        if unfit:
            yield (
                f"adjusted influence in {perspective} is not defined for {len(unfit)} of "
                f"{len(profile.influences)} factors ({', '.join(unfit)}); the table says why"
            )
