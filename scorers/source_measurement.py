"""What is measured on one source, and the tables that many of them make.

A harness measures source by source and keeps each record in its log; everything that is
estimated over sources reads the records again. So a finished log can be re-read, re-scored and
compared without a model.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from profile_tasks.preference_data import AnnotatedSource, Preference
from profile_tasks.scorers.comparisons import Comparisons, Perspective, manifestations
from profile_tasks.scorers.factors.surface import factor_values
from profile_tasks.scorers.factors.taxonomy import Factor
from profile_tasks.scorers.standard_metrics import (
    combined_preference,
    discrimination_accuracy,
    discrimination_kappa,
    rouge,
    verdict_rates,
)

PREFERENCE_SIGNS: Mapping[Preference, int] = {"a": 1, "tie": 0, "b": -1}

Manifestations = tuple[tuple[int | None, ...], ...]
"""One row a pair, one sign a factor; None where the factor is missing."""


class GenerationPair(BaseModel, frozen=True):
    """Two responses that the model wrote to one source; the higher score counts as preferred."""

    higher: int
    lower: int
    identical: bool


class SourceMeasurement(BaseModel, frozen=True):
    """Everything measured on one source.

    Attributes:
        source_id: The source; unique in a data set.
        group: What is resampled as one.
        factors: Factor ids, in the order of every row of manifestations.
        human: Human preference of each annotated pair, in {1, 0, -1}.
        annotated: Manifestations of the annotated pairs.
        picks: Verdicts by position shown, one or two a pair; None where that was not asked.
        pairs_written: Compared pairs of written responses; None where that was not asked.
        written: Manifestations of those pairs.
        words_by_score: Length in words of each written response; None where it is missing.
        truncated_scores: Target scores whose response was cut off by a token limit.
        rouge: ROUGE F1 of the response for the highest score against the reference, if any.
    """

    source_id: str
    group: str
    factors: tuple[str, ...]
    human: tuple[int, ...]
    annotated: Manifestations
    picks: tuple[tuple[str | None, ...], ...] | None = None
    pairs_written: tuple[GenerationPair, ...] | None = None
    written: Manifestations = ()
    words_by_score: dict[int, int | None] | None = None
    truncated_scores: tuple[int, ...] = ()
    rouge: dict[str, float] | None = None

    @property
    def discrimination(self) -> tuple[int | None, ...] | None:
        """The model's preference of each annotated pair; None where a verdict was unreadable."""
        if self.picks is None:
            return None
        return tuple(combined_preference(picks) for picks in self.picks)


def measure_source(
    annotated: AnnotatedSource,
    factors: Sequence[Factor],
    *,
    picks: Sequence[Sequence[str | None]] | None = None,
    responses_by_score: Mapping[int, str | None] | None = None,
    truncated_scores: Sequence[int] = (),
    generation_pairs: Sequence[tuple[int, int]] = (),
) -> SourceMeasurement:
    """Measure one source: its annotated pairs, and what a model judged and wrote.

    Args:
        annotated: The source with its annotated pairs.
        factors: Which factors to compute.
        picks: One or two picks per annotated pair ("first", "second", "tie" or None).
        responses_by_score: What the model wrote for each target score.
        truncated_scores: Target scores whose response was cut off; compared all the same.
        generation_pairs: Pairs (higher score, lower score) to compare; a pair with a missing
            response is left out.
    """
    pairs = annotated.pairs
    human_signs = tuple(PREFERENCE_SIGNS[pair.preference] for pair in pairs)
    measurement = SourceMeasurement(
        source_id=annotated.id,
        group=annotated.group,
        factors=tuple(factor.id for factor in factors),
        human=human_signs,
        annotated=_manifestations(
            annotated, factors, [(pair.response_a, pair.response_b) for pair in pairs]
        ),
        picks=None if picks is None else tuple(tuple(pick) for pick in picks),
    )
    if responses_by_score is None:
        return measurement
    present = {score: text for score, text in responses_by_score.items() if text is not None}
    compared = [(h, low) for h, low in generation_pairs if h in present and low in present]
    best = present.get(max(responses_by_score))
    return measurement.model_copy(
        update={
            "pairs_written": tuple(
                GenerationPair(higher=h, lower=low, identical=present[h] == present[low])
                for h, low in compared
            ),
            "written": _manifestations(
                annotated, factors, [(present[h], present[low]) for h, low in compared]
            ),
            "words_by_score": {
                score: None if text is None else len(text.split())
                for score, text in responses_by_score.items()
            },
            "truncated_scores": tuple(truncated_scores),
            "rouge": (
                asdict(rouge(best, annotated.reference))
                if best is not None and annotated.reference
                else None
            ),
        }
    )


def comparison_tables(measurements: Iterable[SourceMeasurement]) -> list[Comparisons]:
    """The human table and, where asked, the discrimination and generation tables.

    Group codes are shared by all tables. A source measured several times (epochs) gives its
    human preferences once and its model preferences every time.

    Raises:
        ValueError: No measurement, or measurements of different factors.
    """
    # Sorted, because samples finish in any order and the resamples follow the group codes.
    records = sorted(measurements, key=lambda record: (record.group, record.source_id))
    factors = {record.factors for record in records}
    if len(factors) != 1:
        raise ValueError(f"expected measurements of the same factors, got {sorted(factors)}")
    codes = {group: code for code, group in enumerate(dict.fromkeys(r.group for r in records))}
    tables: dict[Perspective, _Rows] = {"human": _Rows()}
    seen: set[str] = set()
    for record in records:
        code = codes[record.group]
        if record.source_id not in seen:
            seen.add(record.source_id)
            tables["human"].extend(code, record.human, record.annotated)
        if (judged := record.discrimination) is not None:
            tables.setdefault("discrimination", _Rows()).extend(code, judged, record.annotated)
        if record.pairs_written is not None:
            preferred = (1,) * len(record.pairs_written)
            tables.setdefault("generation", _Rows()).extend(code, preferred, record.written)
    (names,) = factors
    return [rows.comparisons(names, perspective) for perspective, rows in tables.items()]


def standard_metrics(measurements: Iterable[SourceMeasurement]) -> dict[str, float]:
    """The metrics beside the profile, by name; only those that the measurements allow.

    Discrimination: accuracy, kappa, flip rate, first-position rate, unreadable rate. Generation:
    shares of missing and of truncated responses, share of identical pairs, mean length by target
    score, mean ROUGE where sources have a reference.
    """
    records = list(measurements)
    metrics: dict[str, float] = {}
    judged = [
        (human, model)
        for record in records
        if (models := record.discrimination) is not None
        for human, model in zip(record.human, models, strict=True)
        if model is not None
    ]
    picks = [pick for record in records if record.picks is not None for pick in record.picks]
    if picks:
        human, model = (np.array([pair[side] for pair in judged], dtype=np.int8) for side in (0, 1))
        rates = verdict_rates(picks)
        metrics |= {
            "discrimination_accuracy": discrimination_accuracy(human, model),
            "discrimination_kappa": discrimination_kappa(human, model),
            "flip_rate": rates.flip_rate,
            "first_position_rate": rates.first_position_rate,
            "unreadable_rate": rates.unreadable_rate,
        }
    written = [record for record in records if record.words_by_score is not None]
    if written:
        metrics |= _generation_metrics(written)
    return metrics


def _generation_metrics(records: Sequence[SourceMeasurement]) -> dict[str, float]:
    words = [(s, n) for r in records for s, n in (r.words_by_score or {}).items()]
    identical = [pair.identical for r in records for pair in r.pairs_written or ()]
    metrics = {}
    references = [record.rouge for record in records if record.rouge is not None]
    for name in references[0] if references else ():
        metrics[name] = _mean(reference[name] for reference in references)
    metrics["generation_missing_rate"] = _mean(count is None for _, count in words)
    truncated = sum(len(record.truncated_scores) for record in records)
    metrics["generation_truncated_rate"] = truncated / len(words)
    metrics["generation_identical_rate"] = _mean(identical)
    for score in sorted({score for score, _ in words}):
        metrics[f"words_at_score_{score}"] = _mean(
            count for s, count in words if s == score and count is not None
        )
    return metrics


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return math.fsum(listed) / len(listed) if listed else math.nan


def _manifestations(
    annotated: AnnotatedSource, factors: Sequence[Factor], pairs: Sequence[tuple[str, str]]
) -> Manifestations:
    """Signs of the factor differences of each pair of responses to one source."""
    firsts, seconds = [pair[0] for pair in pairs], [pair[1] for pair in pairs]

    def values(responses: Sequence[str]) -> NDArray[np.float64]:
        count = len(responses)
        return factor_values(
            factors, responses, [annotated.source] * count, [annotated.prompt] * count
        )

    signs, missing = manifestations(values(firsts), values(seconds))
    return tuple(
        tuple(
            None if absent else int(sign)
            for sign, absent in zip(sign_row, missing_row, strict=True)
        )
        for sign_row, missing_row in zip(signs, missing, strict=True)
    )


class _Rows:
    """Rows of one table while it is gathered."""

    def __init__(self) -> None:
        self.groups: list[int] = []
        self.preferences: list[int] = []
        self.manifestations: list[tuple[int | None, ...]] = []

    def extend(self, group: int, preferences: Sequence[int | None], signs: Manifestations) -> None:
        for preference, row in zip(preferences, signs, strict=True):
            if preference is not None:
                self.groups.append(group)
                self.preferences.append(preference)
                self.manifestations.append(row)

    def comparisons(self, factors: tuple[str, ...], perspective: Perspective) -> Comparisons:
        shape = (len(self.groups), len(factors))
        signs = np.array(
            [[0 if sign is None else sign for sign in row] for row in self.manifestations],
            dtype=np.int8,
        ).reshape(shape)
        missing = np.array(
            [[sign is None for sign in row] for row in self.manifestations], dtype=np.bool_
        ).reshape(shape)
        return Comparisons(
            preference=np.array(self.preferences, dtype=np.int8),
            manifestation=signs,
            missing=missing,
            group=np.array(self.groups, dtype=np.int32),
            factors=factors,
            perspective=perspective,
        )
