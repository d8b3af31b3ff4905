"""What each grader of a panel alone says, and how far the graders agree, as rows of tables."""

from collections.abc import Iterator, Mapping

from profile_tasks.report.findings import Findings
from profile_tasks.report.headline import in_words
from profile_tasks.report.influence_rows import WHO
from profile_tasks.report.report_data import NOTHING, Record, recorded
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.study import OWN
from profile_tasks.untrusted_text import shown

AGREEMENT_COLUMNS = ("factor", "Krippendorff's alpha", "share of agreement", "pairs")

_WHOSE = {**WHO, OWN: "model as judge of its own"}
_ALIGNMENTS = {
    "alignment_discrimination": ("judge with people, tau_b", "tau_b"),
    "alignment_generation": ("writer with people across texts, tau_b", "tau_b"),
    "self_agreement": ("self-agreement, r", "pearson"),
}


def panel_of(found: Findings) -> Record:
    """The record of the run's panel; empty where one grader graded, or none."""
    record: Record = found.run.profile.get("panel") or {}
    return record


def agreement_rows(found: Findings) -> Iterator[tuple[str, ...]]:
    """How far the graders agree on each factor, in the order of ``AGREEMENT_COLUMNS``."""
    for factor, entry in panel_of(found).get("factors", {}).items():
        yield (
            in_words(shown(factor)),
            _cell(recorded(entry["alpha"])),
            recorded(entry["agreement"]).text(signed=False),
            str(int(entry["n_pairs"])),
        )


def grader_columns(found: Findings) -> tuple[str, ...]:
    """The heads of ``grader_rows``."""
    return ("what", "whose", "majority", *map(shown, panel_of(found).get("graders", {})))


def grader_rows(found: Findings) -> Iterator[tuple[str, ...]]:
    """Each influence of a graded factor, and each alignment, by the majority and by each grader."""
    record = panel_of(found)
    graders: Mapping[str, Record] = record.get("graders", {})
    for factor in record.get("factors", {}):
        for perspective, who in _WHOSE.items():
            if all(perspective in each for each in graders.values()):
                by_each = [recorded(each[perspective][factor]) for each in graders.values()]
                most = found.run.estimate(f"tau_{perspective}_{factor}")
                yield (in_words(shown(factor)), who, *map(_cell, (most, *by_each)))
    for name, (words, coefficient) in _ALIGNMENTS.items():
        if all(name in each for each in graders.values()):
            by_each = [recorded(each[name][coefficient]) for each in graders.values()]
            most = found.run.estimate(f"{name}_{coefficient}")
            yield ("alignment", words, *map(_cell, (most, *by_each)))


def _cell(number: Estimate) -> str:
    return "–" if number is NOTHING or not number.defined else number.text()
