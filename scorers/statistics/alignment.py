"""Alignment: how alike two factor profiles are (docs/method.md).

Kendall's tau_b and Spearman's rho ask whether the factors matter in the same order, Pearson's r
whether they matter in proportion. What is computed here is what was observed; what may be concluded
of the true profiles is found in ``true_alignment``.

All three are one formula, Daniels' general correlation coefficient
``sum a_ij b_ij / sqrt(sum a_ij^2 sum b_ij^2)``, with the signs of all pairwise differences for
tau_b, and the cosine of deviations for the others; half the row sum of those signs is the deviation
of the midrank, which spares a sort (Daniels 1944, Biometrika 33; Kendall 1948, Rank Correlation
Methods, chapter 2).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

MINIMUM_FACTORS = 3

Coefficient = Literal["tau_b", "spearman", "pearson"]
COEFFICIENTS: tuple[Coefficient, ...] = get_args(Coefficient)

# What is observed, and what is drawn, is rounded to: 1 would lie outside an interval that ends at
# 0.9999999999999999.
_DECIMALS = 12

# The sign tensors of one chunk of replicates stay within this.
_CHUNK_BYTES = 16_000_000


@dataclass(frozen=True)
class Alignment:
    """Correlation of two factor profiles over the factors that both define.

    Attributes:
        tau_b: Kendall's tau_b in [-1, 1].
        spearman: Spearman's rho in [-1, 1].
        pearson: Pearson's r in [-1, 1].
        n_factors: number of factors with a finite value in both profiles.
        reason: why the correlations are NaN, or None.

    """

    tau_b: float
    spearman: float
    pearson: float
    n_factors: int
    reason: str | None


@dataclass(frozen=True, eq=False)
class AlignmentReplicates:
    """Alignments of many pairs of profiles; each array is (B,), NaN where undefined."""

    tau_b: NDArray[np.float64]
    spearman: NDArray[np.float64]
    pearson: NDArray[np.float64]


def align(a: Mapping[str, float], b: Mapping[str, float]) -> Alignment:
    """Return the alignment of two profiles over the factors that both define.

    Args:
        a: influence by factor name; NaN and infinite values count as undefined.
        b: the other profile.

    Returns:
        The alignment. Fewer than three shared factors, or a profile that is constant over them,
        give NaN and a reason.

    Example:
        >>> human = {"length": 0.3, "fluency": 0.2, "hallucination": -0.4, "off_focus": -0.1}
        >>> model = {"length": 0.5, "fluency": 0.1, "hallucination": -0.2, "off_focus": -0.3}
        >>> result = align(human, model)
        >>> round(result.tau_b, 3), round(result.spearman, 3)
        (0.667, 0.8)

    """
    shared = sorted(
        name for name in a.keys() & b.keys() if math.isfinite(a[name]) and math.isfinite(b[name])
    )
    found, reason = observed_alignment(
        np.array([a[name] for name in shared], dtype=np.float64),
        np.array([b[name] for name in shared], dtype=np.float64),
    )
    return Alignment(found["tau_b"], found["spearman"], found["pearson"], len(shared), reason)


def observed_alignment(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[dict[Coefficient, float], str | None]:
    """Return the coefficients of two profiles (F,), finite; NaN with the reason where undefined."""
    reason = _undefined(x, y)
    if reason is not None:
        return dict.fromkeys(COEFFICIENTS, math.nan), reason

    found = alignment_replicates(x[None, :], y[None, :])
    return {name: float(getattr(found, name)[0]) for name in COEFFICIENTS}, None


def alignment_replicates(x: NDArray[np.float64], y: NDArray[np.float64]) -> AlignmentReplicates:
    """Return the alignment of every row of x with the same row of y.

    A factor that is undefined (NaN or infinite) in either row is left out of that replicate only,
    and the ranks are taken over the rest. Equals ``kendalltau``, ``spearmanr`` and ``pearsonr`` of
    ``scipy.stats`` row by row, to rounding.

    Args:
        x: (B, F) profiles, one replicate a row.
        y: (B, F) profiles of the other perspective, same factors in the same order.

    Returns:
        Three arrays (B,). NaN where fewer than three factors are left or either row is constant.

    Raises:
        ValueError: the shapes differ or are not (B, F).

    Example:
        >>> x = np.array([[0.1, 0.2, 0.3, 0.4], [0.1, 0.2, np.nan, 0.4]])
        >>> y = np.array([[0.1, 0.3, 0.2, 0.4], [0.3, 0.2, 0.5, 0.1]])
        >>> alignment_replicates(x, y).tau_b.round(3).tolist()
        [0.667, -1.0]

    """
    if x.ndim != 2 or x.shape != y.shape:
        raise ValueError(f"x has shape {x.shape}, y {y.shape}; both must be the same (B, F)")
    n_replicates, n_factors = x.shape
    rows = _chunk_rows(n_factors)
    correlations = np.empty((3, n_replicates))
    for start in range(0, n_replicates, rows):
        chunk = slice(start, start + rows)
        correlations[:, chunk] = _correlations(x[chunk], y[chunk])
    return AlignmentReplicates(*correlations)


def _correlations(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (3, ...): tau_b, Spearman and Pearson along the last axis, broadcasting the others."""
    defined = np.isfinite(x) & np.isfinite(y)
    x, y = np.where(defined, x, np.nan), np.where(defined, y, np.nan)
    # Comparisons with NaN are false, so an undefined factor has sign 0 against every other one and
    # drops out of all the sums below by itself.
    sign_x, sign_y = _pairwise_signs(x), _pairwise_signs(y)
    untied_x = np.count_nonzero(sign_x, axis=(-2, -1))
    untied_y = np.count_nonzero(sign_y, axis=(-2, -1))
    n_defined = np.count_nonzero(defined, axis=-1)
    informative = (n_defined >= MINIMUM_FACTORS) & (untied_x > 0) & (untied_y > 0)
    concordance = np.einsum("...ij,...ij->...", sign_x, sign_y, dtype=np.int64)
    # Undefined replicates divide 0 by 0 on the way; they are set to NaN at the end.
    with np.errstate(invalid="ignore", divide="ignore"):
        tau_b = concordance / np.sqrt(untied_x) / np.sqrt(untied_y)
        spearman = _cosine(sign_x.sum(axis=-1), sign_y.sum(axis=-1))
        pearson = _cosine(_deviations(x, n_defined), _deviations(y, n_defined))
    found = np.clip([tau_b, spearman, pearson], -1, 1)
    return np.where(informative, found.round(_DECIMALS), np.nan)


def _pairwise_signs(values: NDArray[np.float64]) -> NDArray[np.int8]:
    """Return (..., F, F): sign of every difference along the last axis, 0 against NaN."""
    left, right = values[..., :, None], values[..., None, :]
    return (left > right).astype(np.int8) - (left < right).astype(np.int8)


def _deviations(values: NDArray[np.float64], n_defined: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the deviations from the mean of the defined values, 0 where undefined."""
    mean = np.nansum(values, axis=-1) / n_defined
    return np.where(np.isnan(values), 0.0, values - mean[..., None])


def _cosine(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((_unit(u) * _unit(v)).sum(axis=-1))


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    # Scaled before squaring: the squares of very small deviations underflow.
    scaled = vectors / np.abs(vectors).max(axis=-1, keepdims=True)
    return np.asarray(scaled / np.linalg.norm(scaled, axis=-1, keepdims=True))


def _chunk_rows(n_factors: int) -> int:
    """Return how many replicates to correlate at once: 8 bytes a cell of the sign tensors."""
    return max(1, _CHUNK_BYTES // (8 * max(1, n_factors) ** 2))


def _undefined(x: NDArray[np.float64], y: NDArray[np.float64]) -> str | None:
    if x.size < MINIMUM_FACTORS:
        return (
            f"factors defined in both profiles: {x.size}; "
            f"an alignment needs at least {MINIMUM_FACTORS}"
        )
    for name, values in (("first", x), ("second", y)):
        if values.min() == values.max():
            return f"the {name} profile is constant over the {x.size} shared factors"
    return None
