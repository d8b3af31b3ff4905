"""What the samples of an Inspect log show beside its numbers: lengths, correlations, examples.

The samples are read one at a time, and only the sources of the examples stay in memory.
"""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from profile_tasks.report.examples import Candidate, Examples, LoudestPairs, known_factors
from profile_tasks.scorers.grading.record import read_grades
from profile_tasks.scorers.statistics.factor_correlation import FactorCorrelation

if TYPE_CHECKING:
    from profile_tasks.runs.inspect_log import InspectLog

EXAMPLE_SOURCES = 500
"""Examples are looked for in this many sources, a random choice of them: finding the loudest pairs
of a surface factor means computing it on every text again."""


@dataclass(frozen=True)
class Texts:
    """What the samples of a run show.

    Attributes:
        factors: Factor ids in the order in which they were measured.
        correlations: Table of pairs ("annotated", "written") -> factor x factor.
        words: Target score -> lengths in words of the responses written for it.
        examples: Perspective -> factor -> the pairs that speak most for it, and against it.
        examples_from: In how many sources examples were looked for, and of how many.
    """

    factors: tuple[str, ...] = ()
    correlations: Mapping[str, tuple[tuple[float | None, ...], ...]] = field(default_factory=dict)
    words: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    examples: Examples = field(default_factory=dict)
    examples_from: tuple[int, int] = (0, 0)


def logged_texts(log: "InspectLog", score: str) -> Texts:
    """What the samples of a log show.

    Args:
        log: The log.
        score: Name of the score.

    Raises:
        ValueError: The log is damaged, or no sample has the score.
    """
    # Imports Inspect, which takes seconds, and the words about findings need no log.
    from profile_tasks.runs.inspect_log import answered, score_metadata, scored_samples

    header = log.header.eval
    own = (header.metadata or {}).get("own_factors", {})
    drawn = set(sorted(map(str, header.dataset.sample_ids or ()), key=_draw)[:EXAMPLE_SOURCES])
    factors: tuple[str, ...] = ()
    loudest = LoudestPairs({})
    tables: dict[str, FactorCorrelation] = {}
    words: dict[int, list[int]] = {}
    seen: set[str] = set()
    for sample, measured in scored_samples(log, score):
        if not seen:
            factors = measured.factors
            loudest = LoudestPairs(known_factors(factors, own))
            tables = {name: FactorCorrelation(len(factors)) for name in ("annotated", "written")}
        tables["annotated"].add(measured.annotated)
        tables["written"].add(measured.written)
        for target, length in (measured.words_by_score or {}).items():
            if length is not None:
                words.setdefault(target, []).append(length)
        id_ = str(sample["id"])
        if id_ in drawn and id_ not in seen:  # of several epochs, the first
            with suppress(ValueError):  # texts that this version cannot place: no example then
                grades = read_grades(score_metadata(sample, score).get("grades"))
                # What one of several graders found is not what decided.
                only = grades[0] if len(grades) == 1 else None
                loudest.add(Candidate(answered(sample), measured, only))
        seen.add(id_)
    if not seen:
        raise ValueError(f"{log.location}: no sample has a score (status: {log.header.status})")
    return Texts(
        factors=factors,
        correlations={name: found.matrix() for name, found in tables.items() if found.n_pairs},
        words={target: tuple(lengths) for target, lengths in sorted(words.items())},
        examples=loudest.examples(),
        examples_from=(len(drawn & seen), len(seen)),
    )


def _draw(id_: str) -> str:
    """A random order of sources that is the same each time."""
    return hashlib.sha256(id_.encode("utf-8", "surrogatepass")).hexdigest()
