"""How many sources an alignment needs, from a pilot: how wide its interval will typically be.

Of the pilot the true lengths of both profiles, their true correlation and the errors are
estimated (``true_alignment``). With n sources the errors are sqrt(G / n) times as large; the
profiles that are then typically observed lie at the angle which noise so large leaves, and their
interval is that of a typical study. What the pilot does not know of r gives the number of sources a
range; that the noise is an estimate too is left out.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import MINIMUM_GROUPS, Estimate
from profile_tasks.scorers.statistics.influence import profile_of
from profile_tasks.scorers.statistics.power import smallest
from profile_tasks.scorers.statistics.sampling_error import profile_errors
from profile_tasks.scorers.statistics.true_alignment import (
    DRAWS,
    NOT_TOLD_FROM_NOISE,
    pearson_interval,
    true_alignment,
)

_Array = NDArray[np.float64]


@dataclass(frozen=True)
class AlignmentPlan:
    """How an alignment's interval narrows with the number of sources.

    Attributes:
        r: Pearson's r of the pilot, without the noise, with its 95 % interval; NaN where it cannot
            be estimated.
        n_groups: groups of the pilot.
        sources: the numbers of sources.
        half_widths: half the width of the 95 % interval of r in a typical study of so many; NaN
            where such a study could not tell the profiles from noise; empty where nothing can be
            planned.
        needed: the fewest sources whose interval is as narrow as wanted; None where none was
            wanted, or not so many are enough.
        needed_range: the same where r is what in the pilot's interval takes fewest, and most.
        reason: why it cannot be planned, or None.

    """

    r: Estimate
    n_groups: int
    sources: tuple[int, ...]
    half_widths: tuple[float, ...]
    needed: int | None
    needed_range: tuple[int | None, int | None]
    reason: str | None


def planned_alignment(
    first: Comparisons,
    second: Comparisons,
    *,
    sources: Sequence[int],
    width: float | None = None,
    most: int = 100_000,
    draws: int = DRAWS,
    seed: int = 0,
) -> AlignmentPlan:
    """Return how wide the interval of two tables' true alignment will be with more sources.

    Args:
        first: one judge's preferences in the pilot.
        second: another's, over the same factors, group codes shared.
        sources: numbers of sources, each at least ``MINIMUM_GROUPS``.
        width: half the width that is wanted; None asks for no number of sources.
        most: greatest number of sources to consider.
        draws: of errors.
        seed: of those.

    Raises:
        ValueError: the factors differ, or a number of sources is too small.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> manifestation = rng.choice([-1, 1], (400, 4))
        >>> utility = manifestation @ [3, 1, -1, 0]
        >>> tables = [
        ...     Comparisons(
        ...         np.sign(utility + 3 * rng.logistic(size=400)), manifestation,
        ...         np.zeros((400, 4), bool), np.arange(400) // 4, ("a", "b", "c", "d"), who,
        ...     )
        ...     for who in ("human", "discrimination")
        ... ]
        >>> plan = planned_alignment(*tables, sources=[100, 400], width=0.1)
        >>> plan.half_widths[0] > plan.half_widths[1], plan.reason
        (True, None)

    """
    if small := [n for n in sources if n < MINIMUM_GROUPS]:
        raise ValueError(
            f"{small[0]} sources: an alignment has an interval from {MINIMUM_GROUPS} sources on"
        )
    pilot = true_alignment(first, second, draws=draws, seed=seed)
    r = pilot.coefficients["pearson"].without_noise()
    if pilot.refusal is not None:
        nothing = (None, None)
        return AlignmentPlan(r, pilot.n_groups, tuple(sources), (), None, nothing, pilot.refusal)
    half_width = _half_width(first, second, draws, seed)

    def needed(r: float) -> int | None:
        if width is None:
            return None
        return smallest(lambda n: n >= MINIMUM_GROUPS and half_width(n, r) <= width, most)

    # The nearer to 0, the wider: the range ends at the ends of the interval, or at 0 within it.
    extremes = [needed(each) for each in (r.low, r.value, min(max(0.0, r.low), r.high), r.high)]
    known = [number for number in extremes if number is not None]
    return AlignmentPlan(
        r,
        pilot.n_groups,
        tuple(sources),
        tuple(half_width(n, r.value) for n in sources),
        extremes[1],
        (min(known, default=None), None if None in extremes else max(known)),
        None,
    )


def _half_width(
    first: Comparisons, second: Comparisons, draws: int, seed: int
) -> Callable[[int, float], float]:
    """Return the function from a number of sources and r to the half-width of a typical interval.

    NaN where a typical study of so many could not tell the profiles from noise.
    """
    known = np.isfinite(profile_of(first).tau) & np.isfinite(profile_of(second).tau)
    errors = profile_errors([first, second], known)
    rng = np.random.default_rng(seed)
    both = [errors.draws(draws, rng) for _ in range(2)]
    both = [each - each.mean(axis=2, keepdims=True) for each in both]
    observed = errors.tau - errors.tau.mean(axis=1, keepdims=True)
    noise = [float((each**2).sum(axis=1).mean()) for each in both[0]]
    shared = float((both[0][0] * both[0][1]).sum(axis=1).mean())
    lengths = [
        math.sqrt(max(1e-12, float(x @ x) - spread))
        for x, spread in zip(observed, noise, strict=True)
    ]

    def half_width(n: int, r: float) -> float:
        part = errors.n_groups / n
        a, b = (
            math.sqrt(length**2 + part * spread)
            for length, spread in zip(lengths, noise, strict=True)
        )
        seen = (r * lengths[0] * lengths[1] + part * shared) / (a * b)
        x, y = _at_angle(observed[0], observed[1], min(1.0, max(-1.0, seen)))
        first_drawn, second_drawn = (math.sqrt(part) * each for each in both)
        found = pearson_interval(a * x, b * y, first_drawn, second_drawn)
        told = (found.lengths <= 0).mean(axis=1).max() <= NOT_TOLD_FROM_NOISE
        return (found.high - found.low) / 2 if told else math.nan

    return half_width


def _at_angle(x: _Array, y: _Array, r: float) -> tuple[_Array, _Array]:
    """Return unit vectors of this correlation in the plane of two others."""
    u: _Array = x / np.linalg.norm(x)
    across: _Array = y - (y @ u) * u
    length = float(np.linalg.norm(across))
    if length < 1e-9:  # the two coincide: any direction across will do
        across = np.arange(len(x), dtype=np.float64) - (len(x) - 1) / 2.0
        across -= (across @ u) * u
        length = float(np.linalg.norm(across))
    return u, r * u + math.sqrt(1 - r**2) * across / length
