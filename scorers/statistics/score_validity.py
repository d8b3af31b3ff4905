"""Is score conditioning real? Whether a model finds likelier what stands for a higher score.

PROFILE (arXiv 2410.06965) shows a figure of target scores against log-probabilities of the
generated texts. Here (this implementation's choice) it is Pearson's r between the target score and
the log-probability of the text under the neutral prompt, which names no score: within each source,
and pooled over all texts, with intervals that resample the groups.

Log-probabilities are normalised by the length of the text in UTF-8 bytes, as lm-eval's ``acc_norm``
and ``bits_per_byte`` are. Bytes, unlike tokens, are the same for every model.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from profile_tasks.scorers.statistics.estimate import (
    Estimate,
    flat_metrics,
    reasons,
)
from profile_tasks.scorers.statistics.resampling import resampled_sums

WITHIN, POOLED = "score_validity_within", "score_validity_pooled"
COMPLIANCE = "score_compliance"

REPLICATES = 1000


class ScoredTexts(BaseModel, frozen=True):
    """Texts that answer one source, each with its score and how likely a model finds it.

    Attributes:
        source_id: The source.
        group: What is resampled as one.
        scores: Score of each text.
        log_probabilities: Natural logarithm, per byte of the text.
    """

    source_id: str
    group: str
    scores: tuple[float, ...]
    log_probabilities: tuple[float, ...]


@dataclass(frozen=True)
class ValidityEstimates:
    """The two correlations over many sources.

    Attributes:
        estimates: ``score_validity_within``, the mean over sources of the correlation within each,
            and ``score_validity_pooled``, that over all texts. Both in [-1, 1].
        n_sources: Sources with a correlation of their own.
        n_texts: All texts.
    """

    estimates: Mapping[str, Estimate]
    n_sources: int
    n_texts: int

    def values(self) -> dict[str, float]:
        """Flat metrics: each name, then its ``_ci_low`` and ``_ci_high``; then the counts."""
        return flat_metrics(self.estimates) | {
            "score_validity_sources": float(self.n_sources),
            "score_validity_texts": float(self.n_texts),
        }

    def reasons(self) -> dict[str, str]:
        """Why a correlation is NaN, or has no interval."""
        return reasons(self.estimates)


_DECIMALS = 12
"""Beyond these stands the rounding of sums, which must not look like a difference."""


def per_byte(log_likelihood: float, text: str) -> float:
    """Log-probability of a text per byte.

    Args:
        log_likelihood: Natural logarithm of the probability of the whole text.
        text: The text.

    Raises:
        ValueError: The text is empty, or the log-likelihood is no finite number.

    Example:
        >>> per_byte(-6.0, "yes")
        -2.0
    """
    if not text:
        raise ValueError("an empty text has no log-probability per byte")
    if not math.isfinite(log_likelihood):
        raise ValueError(
            f"a log-likelihood is {log_likelihood}; the model's outputs are broken "
            "(try dtype=float32)"
        )
    return round(log_likelihood / len(text.encode("utf-8", "surrogatepass")), _DECIMALS)


def source_correlation(texts: ScoredTexts) -> float:
    """Pearson's r within one source; NaN where scores or log-probabilities do not vary.

    Example:
        >>> texts = ScoredTexts(
        ...     source_id="s", group="s", scores=(1, 2, 3), log_probabilities=(-3.0, -2.0, -1.0)
        ... )
        >>> round(source_correlation(texts), 6)
        1.0
    """
    sums = _moments(np.array(texts.scores), np.array(texts.log_probabilities))
    return float(_pearson(sums[None])[0])


def score_validity(
    measured: Sequence[ScoredTexts], *, replicates: int = REPLICATES, seed: int = 0
) -> ValidityEstimates:
    """Correlate scores and log-probabilities over many sources.

    Args:
        measured: One record a source; the order does not matter.
        replicates: Bootstrap replicates.
        seed: Seed of the bootstrap.

    Example:
        >>> texts = [
        ...     ScoredTexts(
        ...         source_id=name, group=name, scores=(1, 5), log_probabilities=(-2.0, -1.0)
        ...     )
        ...     for name in "abcdefgh"
        ... ]
        >>> score_validity(texts).values()["score_validity_within"]
        1.0
    """
    records = sorted(measured, key=lambda record: (record.group, record.source_id))
    groups = sorted({record.group for record in records})
    rows = {group: row for row, group in enumerate(groups)}
    scores = np.array([score for record in records for score in record.scores], dtype=float)
    logs = np.array([log for record in records for log in record.log_probabilities], dtype=float)
    centres = (scores.mean(), logs.mean()) if scores.size else (0.0, 0.0)
    columns = np.zeros((len(groups), 8))
    n_groups: set[str] = set()
    for record in records:
        row = columns[rows[record.group]]
        # Around the means of all texts, so that the differences of sums lose no digits.
        row[:6] += _moments(
            np.array(record.scores, dtype=float) - centres[0],
            np.array(record.log_probabilities) - centres[1],
        )
        if not math.isnan(own := source_correlation(record)):
            row[6:] += (own, 1.0)
            n_groups.add(record.group)
    drawn = resampled_sums(columns, replicates=replicates, seed=seed)
    total = columns.sum(axis=0)
    within, pooled = _mean(total[None]), _pearson(total[None, :6])
    estimates = {
        WITHIN: Estimate.percentile(
            float(within[0]),
            _mean(drawn),
            len(n_groups),
            "in no source do both the scores and the log-probabilities vary",
        ),
        POOLED: Estimate.percentile(
            float(pooled[0]),
            _pearson(drawn[:, :6]),
            len(groups),
            "the scores or the log-probabilities do not vary",
        ),
    }
    return ValidityEstimates(estimates, int(total[7]), scores.size)


def score_compliance(
    outcomes: Sequence[tuple[str, int | None]], *, replicates: int = REPLICATES, seed: int = 0
) -> Estimate:
    """How often a model judges its text for the highest score better than that for the lowest.

    It needs no log-probabilities. A tie, so also verdicts that depend on the order shown, counts
    as half; 0.5 is chance.

    Args:
        outcomes: Group, and preference in {1, 0, -1} of the text for the highest score; None
            where a verdict was unreadable.
        replicates: Bootstrap replicates.
        seed: Seed of the bootstrap.

    Example:
        >>> score_compliance([("a", 1), ("b", 0), ("c", None)]).value
        0.75
    """
    judged = sorted((group, won) for group, won in outcomes if won is not None)
    rows = {group: row for row, group in enumerate(sorted({group for group, _ in judged}))}
    columns = np.zeros((len(rows), 2))
    for group, won in judged:
        columns[rows[group]] += ((1 + won) / 2, 1)
    won, total = columns.sum(axis=0)
    drawn = resampled_sums(columns, replicates=replicates, seed=seed)
    with np.errstate(invalid="ignore"):
        shares = drawn[:, 0] / drawn[:, 1]
    value = float(won / total) if total else math.nan
    return Estimate.share(value, columns[:, 0], columns[:, 1], shares, "no text was judged")


def _moments(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The number of values, and the sums of x, y, x^2, y^2 and xy."""
    return np.array([x.size, x.sum(), y.sum(), (x * x).sum(), (y * y).sum(), (x * y).sum()])


_CONSTANT = 1e-12
"""A variance this small beside the mean square is rounding."""


def _pearson(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlation of each row of moments; NaN where one side does not vary."""
    n, x, y, xx, yy, xy = sums.T
    with np.errstate(invalid="ignore", divide="ignore"):
        var_x, var_y = xx - x * x / n, yy - y * y / n
        r = (xy - x * y / n) / np.sqrt(var_x * var_y)
    constant = ~((var_x > _CONSTANT * xx) & (var_y > _CONSTANT * yy))
    return np.where(constant, np.nan, np.clip(r, -1, 1))


def _mean(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the correlations within sources; NaN where none was drawn."""
    with np.errstate(invalid="ignore"):
        return np.asarray(sums[:, 6] / sums[:, 7])
