"""Attenuation: how high an alignment can come out in spite of noise, and without it.

An alignment of two profiles is lowered by the sampling error of both (Spearman 1904, American
Journal of Psychology 15). The ceiling is the alignment to be expected of two equal tastes with so
much error; the corrected alignment is an estimate of the one without it. Both divide by what
``reliability`` finds.

**Shared sources.** Human and model are measured on the same pairs, so their sampling errors are
correlated, and the classical correction (observed alignment divided by the root of both
reliabilities) counts the common error as agreement. The half of one profile and the *other* half of
the other have no pair in common. Hence, with h and m halves of two profiles,
``mean r(h1, m2) / sqrt(mean r(h1, h2) * mean r(m1, m2))`` is free of it.

For tau_b and rho all of this is a heuristic (``reliability`` says why). docs/reliability.md has the
simulation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.alignment import COEFFICIENTS, MINIMUM_FACTORS, Coefficient
from profile_tasks.scorers.statistics.comparisons import Perspective
from profile_tasks.scorers.statistics.estimate import MINIMUM_DEFINED, Estimate
from profile_tasks.scorers.statistics.reliability import (
    NEARLY_ONE,
    HalfProfiles,
    around,
    from_pearson_scale,
    lengthened,
    mean_correlations,
    pearson_scale,
    stepped_up,
    too_few_factors,
)


@dataclass(frozen=True)
class AttainableAlignment:
    """The alignment that two noisy profiles can reach, and the observed one corrected for noise.

    Attributes:
        perspectives: whose profiles they are.
        observed: the alignment of the two profiles.
        ceiling: the alignment to be expected of two profiles that truly are proportional, if their
            errors are independent: ``sqrt(reliability * reliability)`` on Pearson's scale. On
            shared sources an alignment can exceed it, since common errors look like agreement.
        corrected: an estimate of the alignment without sampling error. NaN with a reason unless
            the intervals of both reliabilities lie above 0: it divides by their root.
        clipped: coefficients whose correction came out above 1 or below -1, as the sampling error
            of the correction itself can make it, and was set to that limit.
        n_factors: factors that both profiles define, over which all of this is.
        n_groups: groups with a pair that counts, in the perspective with fewer of them.
        n_splits: number of random splits.
        errors: ``shared`` where the profiles have a source in common, and the correction is by
            cross-halves; else ``independent``, and it is the classical one.
        method: the method of the correction in words.

    """

    perspectives: tuple[Perspective, Perspective]
    observed: Mapping[Coefficient, float]
    ceiling: Mapping[Coefficient, Estimate]
    corrected: Mapping[Coefficient, Estimate]
    clipped: tuple[Coefficient, ...]
    n_factors: int
    n_groups: int
    n_splits: int
    errors: Literal["shared", "independent"]
    method: str


def attainable_alignment(first: HalfProfiles, second: HalfProfiles) -> AttainableAlignment:
    """Return the ceiling of an alignment, and the alignment corrected for sampling error.

    Args:
        first: half-profiles of one perspective.
        second: those of the other, from the same call of :func:`split_halves`.

    Raises:
        ValueError: the two were not split together.

    Example:
        >>> from profile_tasks.scorers.statistics.comparisons import Comparisons
        >>> from profile_tasks.scorers.statistics.reliability import split_halves
        >>> rng = np.random.default_rng(0)
        >>> manifestation = rng.choice([-1, 1], (400, 4))
        >>> utility = manifestation @ [3, 1, -1, 0]
        >>> tables = [
        ...     Comparisons(
        ...         np.sign(utility + rng.logistic(size=400)), manifestation,
        ...         np.zeros((400, 4), bool), np.arange(400) // 4, ("a", "b", "c", "d"), who,
        ...     )
        ...     for who in ("human", "discrimination")
        ... ]
        >>> found = attainable_alignment(*split_halves(tables))
        >>> found.errors, round(found.corrected["pearson"].value, 2)
        ('shared', 1.0)

    """
    if (
        first.seed != second.seed
        or first.first.shape[1] != second.first.shape[1]
        or not np.array_equal(first.groups, second.groups)
    ):
        raise ValueError(
            "the two profiles were not split together; give both tables to one call of split_halves"
        )
    # A reliability is one of certain factors: here, of those that the alignment is over.
    names = [name for name in first.factors if name in _defined(first) & _defined(second)]
    (a1, a2, a), (b1, b2, b) = (
        [array[..., [half.factors.index(name) for name in names]] for array in arrays]
        for half in (first, second)
        for arrays in [(half.first, half.second, half.whole)]
    )
    shared = bool(np.any(first.present & second.present))
    n_groups = min(int(np.count_nonzero(half.present)) for half in (first, second))
    n_splits = first.first.shape[1]
    reason = first.reason or second.reason or too_few_factors(len(names))
    wholes = mean_correlations(a[:, None], b[:, None])
    within = mean_correlations(a1, a2), mean_correlations(b1, b2)
    across = mean_correlations(np.hstack([a1, a2]), np.hstack([b2, b1]))
    labels = (f"first ({first.perspective})", f"second ({second.perspective})")
    observed = {}
    ceiling = {}
    corrected = {}
    clipped = []
    for name in COEFFICIENTS:
        whole = wholes[name]
        reliabilities = {
            whose: stepped_up(means[name], name, 2, n_groups=n_groups, reason=reason)
            for whose, means in zip(labels, within, strict=True)
        }
        halves = np.stack([pearson_scale(means[name], name) for means in within])
        full = lengthened(halves, 2)
        observed[name] = round(float(whole[0]), 12)  # as an alignment is
        ceiling[name] = _ceiling(full, name, n_groups, _unreliable(reliabilities))
        # Of the same length, numerator and denominator need no step up.
        noisy, root = (across[name], _root(halves)) if shared else (whole, _root(full))
        ratios = pearson_scale(noisy, name) / root
        corrected[name] = _corrected(ratios, name, n_groups, _not_shown(reliabilities))
        # Equal profiles give 1 but for rounding.
        if np.isfinite(corrected[name].value) and abs(ratios[0]) > 1 + 1e-9:
            clipped.append(name)
    return AttainableAlignment(
        perspectives=(first.perspective, second.perspective),
        observed=observed,
        ceiling=ceiling,
        corrected=corrected,
        clipped=tuple(clipped),
        n_factors=len(names),
        n_groups=n_groups,
        n_splits=n_splits,
        errors="shared" if shared else "independent",
        method=(
            f"{'cross-half' if shared else 'classical'} correction, mean of {n_splits} random "
            f"splits by group; interval: jackknife, {len(a) - 1} blocks of groups"
        ),
    )


def _root(pair: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the geometric mean of two rows (2, K + 1); NaN where one is not positive."""
    return np.sqrt(np.where((pair > 0).all(axis=0), pair.prod(axis=0), np.nan))


def _ceiling(
    reliabilities: NDArray[np.float64], name: Coefficient, n_groups: int, reason: str | None
) -> Estimate:
    if reason is not None:
        return Estimate.undefined(reason)
    root = _root(reliabilities)
    z = Estimate.jackknife(np.arctanh(np.minimum(root, NEARLY_ONE)), n_groups)
    ends = np.array([root[0], np.tanh(z.low), np.tanh(z.high)])
    return around(z, *from_pearson_scale(ends, name).tolist())


def _corrected(
    ratios: NDArray[np.float64], name: Coefficient, n_groups: int, reason: str | None
) -> Estimate:
    if reason is None and np.isnan(ratios[0]):
        reason = (
            "a half of one profile and the other half of the other are constant, or share fewer "
            f"than {MINIMUM_FACTORS} factors, in more than {1 - MINIMUM_DEFINED:.0%} of the splits"
        )
    if reason is not None:
        return Estimate.undefined(reason)
    # Before it is cut at 1, or the interval of what lies far above would have no width.
    found = Estimate.jackknife(ratios, n_groups)
    ends = np.array([found.value, found.low, found.high])
    return around(found, *from_pearson_scale(ends, name).tolist())


def _defined(halves: HalfProfiles) -> set[str]:
    """Return the factors with a finite influence."""
    finite = np.isfinite(halves.whole[0])
    return {name for name, known in zip(halves.factors, finite, strict=True) if known}


def _unreliable(reliabilities: Mapping[str, Estimate]) -> str | None:
    for whose, estimate in reliabilities.items():
        if not estimate.defined:
            return estimate.reason
        if estimate.value <= 0:
            return f"the estimated reliability of the {whose} profile is {estimate.value:.2f}"
    return None


def _not_shown(reliabilities: Mapping[str, Estimate]) -> str | None:
    """Say why the reliabilities may as well be 0, which nothing can be divided by, if so."""
    for whose, estimate in reliabilities.items():
        if not estimate.defined:
            return estimate.reason
        if not estimate.has_interval:
            return f"the reliability of the {whose} profile has no interval: {estimate.reason}"
        if estimate.low <= 0:
            return (
                f"the reliability of the {whose} profile is not shown to be above 0: "
                + estimate.ends_text("{:.2f}".format, " to ")
            )
    return None
