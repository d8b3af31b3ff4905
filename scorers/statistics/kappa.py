"""Cohen's kappa of two who label the same things, with an interval by group.

Kappa is a function of shares over the same rows: how often the two agree, and how often either
gives each label. Each share is tau_14 of an indicator, so a ``Study`` resamples them with all else.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.influence import FactorProfile

AGREED = "agreement"
"""The indicator of equal labels."""

_LABELS = (-1, 0, 1)


def kappa_indicators(
    first: NDArray[np.generic], second: NDArray[np.generic]
) -> dict[str, NDArray[np.bool_]]:
    """The indicators that kappa is a function of, by name; each (n,).

    Args:
        first: (n,) labels of one, in {-1, 0, 1}.
        second: (n,) labels of the other; where NaN is missing, the row must be left out.
    """
    return {
        AGREED: first == second,
        **{
            f"{who} {label}": labels == label
            for label in _LABELS
            for who, labels in (("first", first), ("second", second))
        },
    }


def cohens_kappa(
    shares: FactorProfile, drawn: NDArray[np.float64], nothing: str, names: tuple[str, str]
) -> Estimate:
    """Cohen's kappa, unweighted, with its percentile interval (Cohen 1960).

    Args:
        shares: Of the rows, with the columns of ``kappa_indicators`` among others.
        drawn: (B, F) replicates of the shares.
        nothing: Why there is no kappa where no row counts.
        names: What the two are called.
    """
    at = shares.factors.index(AGREED)
    reason = nothing
    if np.isfinite(shares.tau[at]):
        reason = f"{' and '.join(names)} always give the same one label, so chance agrees fully"
    return Estimate.percentile(
        float(_kappa(shares.tau[None, :], shares.factors)[0]),
        _kappa(drawn, shares.factors),
        int(shares.groups[at]),
        reason,
    )


def kappa_of_labels(first: NDArray[np.generic], second: NDArray[np.generic]) -> float:
    """Cohen's kappa of two (n,) lists of labels, as of ``kappa_indicators``; NaN without rows.

    NaN, too, where chance already agrees fully: both always give the same one label.

    Example:
        >>> kappa_of_labels(np.array([1, 1, -1, 0]), np.array([1, 1, -1, 0]))
        1.0

    """
    if not first.size:
        return float("nan")
    indicators = kappa_indicators(first, second)
    shares = np.array([[indicator.mean() for indicator in indicators.values()]])
    return float(_kappa(shares, list(indicators))[0])


def _kappa(shares: NDArray[np.float64], names: Sequence[str]) -> NDArray[np.float64]:
    """Cohen's kappa of each row of shares; NaN where chance already agrees fully."""
    first, second = (
        shares[:, [names.index(f"{who} {label}") for label in _LABELS]]
        for who in ("first", "second")
    )
    observed = shares[:, names.index(AGREED)]
    by_chance: NDArray[np.float64] = (first * second).sum(axis=1)
    # Shares are ratios of whole numbers: by_chance is 1 exactly where both are constant and equal.
    kappa = np.full(observed.shape, np.nan)
    np.divide(observed - by_chance, 1 - by_chance, out=kappa, where=by_chance < 1)
    return kappa
