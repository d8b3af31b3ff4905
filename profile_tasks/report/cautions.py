"""What speaks against taking a run's numbers at face value, in words, and in a word each."""

from collections.abc import Iterator
from dataclasses import dataclass

from profile_tasks.report.examples import packaged_factors
from profile_tasks.report.findings import Findings
from profile_tasks.report.headline import n_factors
from profile_tasks.runs.run import Run
from profile_tasks.scorers.statistics.coverage import OF_RANKS, of_few_sources, of_steep_influences
from profile_tasks.scorers.statistics.estimate import FEW_GROUPS
from profile_tasks.scorers.statistics.metric_catalogue import cautioned

HIGH_VIF = 5.0
"""Variance inflation from which on an adjusted influence says little about one factor alone."""


def cautions(findings: Findings) -> list[str]:
    """Warnings about a run, those that its file holds first."""
    every = (*findings.run.warnings, *_from_the_run(findings), *_from_numbers(findings))
    return list(dict.fromkeys(every))


@dataclass(frozen=True)
class Badge:
    """What nobody may overlook: in a word or three, and in a sentence."""

    word: str
    sentence: str


def badges(findings: Findings) -> list[Badge]:
    """What a report shows of a run's cautions beside its headline, never folded."""
    found = list(run_badges(findings.run))
    groups = _groups(findings)
    if groups is not None and groups < FEW_GROUPS:
        found.append(Badge(f"{groups} groups of sources: few", of_few_sources(groups)[0]))
    for name, caution in cautioned():
        rate = findings.metrics.get(name)
        if rate is not None and rate.value > caution.above and name.endswith("flip_rate"):
            of = {"flip_rate": "judge", "own_flip_rate": "judge of its own texts"}
            word = f"{rate.value:.0%} flips, {of.get(name, 'grader')}"
            found.append(Badge(word, f"{rate.value:.0%} {caution.words}"))
    return found


def run_badges(run: Run) -> Iterator[Badge]:
    """What a run is, wherever it stands beside others: no live model, or its own grader."""
    for model, note in run.offline.items():
        word = note.partition(":")[0]
        yield Badge(word if model == run.model else f"{word} GRADER", f"{model}: {note}")
    if run.model in run.graders:
        yield Badge("SELF-GRADED", _self_grading(run))


def _self_grading(run: Run) -> str:
    return f"self-grading: {run.model} is evaluated and grades; models favour their own texts"


def _groups(findings: Findings) -> int | None:
    groups = [p.n_groups for p in findings.profiles.values() if p.n_groups is not None]
    return min(groups, default=findings.run.groups if findings.run.is_audit else None)


def _from_the_run(findings: Findings) -> Iterator[str]:
    run = findings.run
    yield from (f"{model}: {note}" for model, note in run.offline.items())
    known = packaged_factors()
    own = [factor for factor in findings.factors if factor not in known]
    if own and run.harness == "inspect":
        yield f"factors of the user's own, defined in the log: {', '.join(own)}"


def _from_numbers(findings: Findings) -> Iterator[str]:
    yield from of_few_sources(_groups(findings))
    if findings.alignments:
        yield OF_RANKS
    if findings.run.model in findings.run.graders:
        yield _self_grading(findings.run)
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
                f"{n_factors(len(profile.influences))} ({', '.join(unfit)}); the table says why"
            )
