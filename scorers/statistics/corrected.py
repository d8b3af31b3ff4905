"""Corrected influence: tau_14 of a graded factor, corrected by human labels on some of the pairs.

A grader errs, so the influence of a factor that it grades is that of its grades: nearer to 0 where
its errors have nothing to do with the preference, off to either side where they have. People who
label the factor on a sample of the sources measure what the grades make of it there. The difference
estimator of surveys (Sarndal, Swensson & Wretman 1992, Model Assisted Survey Sampling, chapter 6),
as prediction-powered inference has it (Angelopoulos et al. 2023, Science 382; power-tuned as PPI++,
Angelopoulos, Duchi & Zrnic 2023, arXiv 2311.01453), takes it off::

    corrected = labels on the sample + weight * (grades on all pairs - grades on the sample)

Each of the three is a ratio of sums over sources, net over counted, as tau_14 is. The weight is the
one that makes the error least: 1 where grades are as good as labels, 0 where they say nothing; then
the labels stand alone. In the interval, every source is one observation.

What is assumed: a label is the truth; the labelled sources are a random sample of the sources, and
within such a source the labelled pairs one of its pairs. Labels on what looked interesting, or on
the first rows of a sorted file, correct nothing. What of it can be seen is tested: on a random
sample the grades have the influence that they have elsewhere.
"""

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from profile_tasks.scorers.statistics.comparisons import Comparisons, with_factors
from profile_tasks.scorers.statistics.estimate import CONFIDENCE, MINIMUM_GROUPS, Estimate
from profile_tasks.scorers.statistics.influence import group_sums, profile_of

UNLIKE = 0.01
"""Below this p-value the labelled sources are said not to look like a random sample."""

METHOD = "difference estimator, Wilson; clustered by group"
"""How the correction is estimated, and which interval it has."""

_LEAST = 3

_NO_VARIANCE = 1e-15

_Array = NDArray[np.float64]


@dataclass(frozen=True)
class CorrectedInfluence:
    """Influence of a graded factor, as graded and corrected by human labels.

    Attributes:
        factor: its name.
        graded: tau_14 of the grades, over all pairs with one.
        corrected: of the labels, had they been given to all of these pairs. NaN with the reason
            where the labels are too few.
        labels_alone: of the labels, over the labelled sources alone; what needs no grader.
        weight: of the grades in the correction, from 0 to 1; NaN where there is none.
        n_labelled: pairs with a preference, a grade and a label.
        n_labelled_groups: groups of these.
        n_ungraded: pairs with a preference and a label but no grade, which are left out.
        cautions: what speaks against the correction, in sentences.

    """

    factor: str
    graded: Estimate
    corrected: Estimate
    labels_alone: Estimate
    weight: float
    n_labelled: int
    n_labelled_groups: int
    n_ungraded: int
    cautions: tuple[str, ...] = ()

    @property
    def cost(self) -> float:
        """Width of the corrected interval over that of the graded one; NaN without either."""
        widths = [each.high - each.low for each in (self.corrected, self.graded)]
        return widths[0] / widths[1] if widths[1] > 0 else math.nan


def corrected_influence(
    comparisons: Comparisons,
    factor: str,
    labels: ArrayLike,
    *,
    weight: float | None = None,
    minimum: int = MINIMUM_GROUPS,
    confidence: float = CONFIDENCE,
) -> CorrectedInfluence:
    """Return tau_14 of a graded factor with the grader's errors taken off.

    Args:
        comparisons: the table, with the grades as the factor's manifestations.
        factor: the graded factor.
        labels: (n,) human labels of the same factor, row by row with the table: 1 where the first
            response shows more of it, -1 the second, 0 neither, NaN where nobody labelled.
        weight: of the grades, from 0 (labels alone) to 1 (plain difference estimator); None: the
            one that makes the error least.
        minimum: labelled groups, at least 3, below which nothing is corrected (docs/corrected.md
            has what is covered from there on).
        confidence: of every interval, between 0 and 1.

    Raises:
        ValueError: the factor is not in the table, a label has another value, their number is not
            that of the rows, the weight is not between 0 and 1, or the minimum below 3.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> true = rng.choice([1, -1], 400, p=[0.75, 0.25])
        >>> grades = np.where(rng.random(400) < 0.2, -true, true)[:, None]
        >>> table = Comparisons([1] * 400, grades, grades == 2, range(400), ("fluency",), "human")
        >>> labels = np.where(np.arange(400) < 100, true, np.nan)
        >>> found = corrected_influence(table, "fluency", labels)
        >>> print(found.graded, "->", found.corrected)
        +0.26 [+0.16, +0.36] -> +0.39 [+0.23, +0.53]

    """
    labels = np.asarray(labels, dtype=np.float64)
    _check(comparisons, labels, weight, minimum)
    table = with_factors(comparisons, [factor])
    profile = profile_of(table)
    sums, n_ungraded = _sums(table, labels)
    graded = Estimate.share(
        float(profile.tau[0]),
        sums.net,
        sums.counted,
        reason=profile.reasons[0],
        least=-1,
        confidence=confidence,
    )
    n_groups = int(np.count_nonzero(sums.labelled))
    reason = graded.reason if not graded.defined else _too_few(n_groups, minimum)
    if reason:
        weight = math.nan
        corrected = alone = Estimate.undefined(reason, METHOD)
    else:
        corrected, weight = _estimate(sums, weight, confidence)
        alone, _ = _estimate(sums, 0, confidence)
    return CorrectedInfluence(
        factor,
        graded,
        corrected,
        alone,
        weight,
        n_labelled=int(sums.n_labelled.sum()),
        n_labelled_groups=n_groups,
        n_ungraded=n_ungraded,
        cautions=() if reason else _unlike_the_others(sums),
    )


def _check(comparisons: Comparisons, labels: _Array, weight: float | None, minimum: int) -> None:
    if labels.shape != comparisons.preference.shape:
        raise ValueError(
            f"labels have shape {labels.shape}; expected {comparisons.preference.shape}, one a row"
        )
    for wrong in labels[~np.isin(labels, (-1, 0, 1)) & ~np.isnan(labels)][:1]:
        raise ValueError(f"labels hold {wrong:g}. Must be one of: -1, 0, 1, or NaN without a label")
    if weight is not None and not 0 <= weight <= 1:
        raise ValueError(f"weight is {weight}; it must lie between 0 and 1")
    if minimum < _LEAST:
        raise ValueError(f"minimum is {minimum}; a weight needs at least {_LEAST} labelled groups")


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums over the pairs with a preference and a grade of each of the G sources that has any.

    Attributes:
        net: (G,) C - D of the grades.
        counted: (G,) pairs.
        n_labelled: (G,) those of them that have a label.
        labels: (G,) C - D of the labels, raised from the labelled pairs to all of the source.
        grades: (G,) the same of the grades on the labelled pairs.

    """

    net: _Array
    counted: _Array
    n_labelled: _Array
    labels: _Array
    grades: _Array

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Whether a source has a label."""
        return self.n_labelled > 0


def _sums(table: Comparisons, labels: _Array) -> tuple[_Sums, int]:
    """The sums of a table with one factor, and how many labelled pairs have no grade."""
    n_codes = 1 + int(table.group.max(initial=-1))
    net, counted = (each[:, 0] for each in group_sums(table, n_codes))
    wanted = (table.preference != 0) & np.isfinite(labels)
    rows = np.flatnonzero(wanted & ~table.missing[:, 0])
    group, preference = table.group[rows], table.preference[rows].astype(np.float64)

    def of_each(weights: _Array | None = None) -> _Array:
        return np.bincount(group, weights, n_codes).astype(np.float64)

    n_labelled = of_each()
    raised = counted / np.maximum(n_labelled, 1)
    sums = _Sums(
        net,
        counted,
        n_labelled,
        raised * of_each(preference * labels[rows]),
        raised * of_each(preference * table.manifestation[rows, 0]),
    )
    present = counted > 0
    held = (getattr(sums, each.name)[present] for each in fields(_Sums))
    return _Sums(*held), int(np.count_nonzero(wanted) - rows.size)


def _estimate(sums: _Sums, weight: float | None, confidence: float) -> tuple[Estimate, float]:
    """The corrected influence, and the weight of the grades in it."""
    on = sums.labelled
    n, sampled = int(np.count_nonzero(on)), sums.counted * on
    label, grade = (each.sum() / sampled.sum() for each in (sums.labels, sums.grades))
    overall = sums.net.sum() / sums.counted.sum()
    # What each source adds to the error of the labels, and of the grades that are taken off.
    of_labels = _errors((sums.labels - label * sampled) / sampled.sum(), on)
    of_grades = _errors(
        (sums.net - overall * sums.counted) / sums.counted.sum()
        - (sums.grades - grade * sampled) / sampled.sum(),
        on,
    )
    # Where no label contradicts a grade it is not known that none would: one pair more does.
    step = 2 / (sums.n_labelled.sum() + 1)
    spread = of_grades @ of_grades + step**2
    tuned = weight is None and bool(np.any(of_grades))  # else all pairs have labels
    if weight is None:
        weight = float(np.clip(-(of_labels @ of_grades) / spread, 0, 1))
    value = float(np.clip(label + weight * (overall - grade), -1, 1))
    errors = of_labels + weight * of_grades
    if tuned:  # the weight is estimated too
        errors[on] *= math.sqrt((n - 1) / (n - 2))
    variance = float(errors @ errors + (weight * step) ** 2)
    low, high = _wilson(value, variance, n, confidence)
    return Estimate(value, low, high, METHOD, n_groups=n), weight


def _errors(rows: _Array, labelled: NDArray[np.bool_]) -> _Array:
    """Rows of which the sum of squares is a variance, labelled and other sources drawn apart."""
    rows = rows.copy()
    for part in (labelled, ~labelled):
        n = int(np.count_nonzero(part))
        if n:
            rows[part] -= rows[part].mean()
            rows[part] *= math.sqrt(n / max(n - 1, 1))
    return rows


def _wilson(value: float, variance: float, n_groups: int, confidence: float) -> tuple[float, float]:
    """Ends of Wilson's interval, with as many observations as would have this variance."""
    from scipy.special import ndtri, stdtrit

    share = (1 + value) / 2
    least = 0.5 / n_groups  # at an end of the scale a share has no variance of its own
    inner = min(max(share, least), 1 - least)
    n = max(1.0, 4 * inner * (1 - inner) / variance) if variance > _NO_VARIANCE else float(n_groups)
    tail = (1 - confidence) / 2
    z = float(ndtri(tail))
    n *= (z / float(stdtrit(n_groups - 1, tail))) ** 2
    middle = share + z**2 / (2 * n)
    margin = abs(z) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = (2 * (middle + side * margin) / (1 + z**2 / n) - 1 for side in (-1, 1))
    return max(-1.0, min(low, value)), min(1.0, max(high, value))


def _too_few(n_groups: int, minimum: int) -> str | None:
    if n_groups == 0:
        return "no pair has a preference, a grade and a human label"
    if n_groups < minimum:
        return f"labelled groups: {n_groups}; a correction needs at least {minimum}"
    return None


def _unlike_the_others(sums: _Sums) -> tuple[str, ...]:
    """Whether grades have another influence on the labelled sources than elsewhere, in words."""
    from scipy.special import stdtr

    on = sums.labelled
    n = min(np.count_nonzero(on), np.count_nonzero(~on))
    if n < 2:
        return ()
    rows, taus = np.zeros(on.size), []
    for part in (on, ~on):
        total = sums.counted[part].sum()
        taus.append(sums.net[part].sum() / total)
        rows[part] = (sums.net[part] - taus[-1] * sums.counted[part]) / total
    error = float(np.linalg.norm(_errors(rows, on)))
    apart = abs(taus[0] - taus[1])
    p_value = 2 * float(stdtr(n - 1, -apart / error)) if error else float(apart == 0)
    if p_value >= UNLIKE:
        return ()
    return (
        f"the grades have an influence of {taus[0]:+.2f} on the labelled sources and of "
        f"{taus[1]:+.2f} on the others (p {p_value:.2g}): these do not look like a random sample, "
        "and on another the correction is wrong",
    )
