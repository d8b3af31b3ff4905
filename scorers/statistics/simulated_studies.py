"""Simulated studies: the sums over the sources that studies of a population would draw.

A study of n sources is a study of fewer sources and some more: n without its lowest binary digit,
and a draw of the rest. So a search over n compares nested studies, and what it finds depends on the
seed only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.influence import ratio
from profile_tasks.scorers.statistics.source_population import SourcePopulation

# One chunk of weights (studies x sources, 8 bytes each) stays within this.
_CHUNK_BYTES = 16_000_000

_Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class JudgeSums:
    """Sums over the sources of each simulated study; every array is (studies, F)."""

    net: _Array
    counted: _Array
    sources: _Array
    flippable: _Array
    net_net: _Array
    net_counted: _Array
    counted_counted: _Array

    @property
    def tau(self) -> _Array:
        """tau_14 of each study; NaN where no pair counts."""
        return ratio(self.net, self.counted)

    @property
    def residual(self) -> _Array:
        """Sum of the squares of ``net - tau * counted``."""
        tau = self.tau
        return self.net_net - 2 * tau * self.net_counted + tau**2 * self.counted_counted


@dataclass(frozen=True, eq=False)
class StudySums:
    """Sums over the sources of each simulated study; every array is (studies, F).

    ``cross`` holds those of the products of two judges, none of one.
    """

    judges: tuple[JudgeSums, ...]
    cross: _Array


_JUDGE_SUMS = 7


def simulated_studies(
    population: SourcePopulation, *, simulations: int, seed: int
) -> Callable[[int], StudySums]:
    """Return a function from a number of sources to the sums of the simulated studies.

    Args:
        population: The sources.
        simulations: Studies of each number of sources.
        seed: What is drawn depends on it and the number of sources only.
    """
    moments = _moments(population)
    flat = moments.reshape(len(moments), -1)
    rows = max(1, _CHUNK_BYTES // (8 * max(1, len(flat))))

    @lru_cache(maxsize=32)
    def sums(n: int) -> _Array:
        fewer = n & (n - 1)
        rng = np.random.default_rng([seed, n])
        total = np.zeros((simulations, flat.shape[1])) if fewer == 0 else sums(fewer).copy()
        for start in range(0, simulations, rows):
            part = total[start : start + rows]
            part += rng.multinomial(n - fewer, population.share, size=len(part)) @ flat
        return total

    def studies(n: int) -> StudySums:
        columns = np.moveaxis(sums(n).reshape(simulations, *moments.shape[1:]), 1, 0)
        ends = [_JUDGE_SUMS * (judge + 1) for judge in range(len(population.judges))]
        *judges, cross = np.split(columns, ends)
        return StudySums(tuple(JudgeSums(*judge) for judge in judges), cross)

    return studies


def tau_variance(judge: JudgeSums) -> _Array:
    """Return the linearised variance of tau_14; NaN where no pair counts."""
    freedom = judge.sources / np.maximum(judge.sources - 1, 1)
    return ratio(np.maximum(judge.residual, 0) * freedom, judge.counted**2)


def difference_variance(studies: StudySums) -> _Array:
    """Return the linearised variance of the difference of the two judges' taus."""
    first, second = studies.judges
    nets, net_counted, counted_net, counts = studies.cross
    a, b = first.tau, second.tau
    shared = nets - b * net_counted - a * counted_net + a * b * counts
    sources = np.minimum(first.sources, second.sources)
    shared *= sources / np.maximum(sources - 1, 1)
    covariance = ratio(shared, first.counted * second.counted)
    return np.maximum(tau_variance(first) + tau_variance(second) - 2 * covariance, 0)


def _moments(population: SourcePopulation) -> _Array:
    """Return (U, P, F): what each kind of source adds to the sums of a study, in their order."""
    columns = []
    for net, counted in population.judges:
        columns += [net, counted, counted > 0, net != 0, net**2, net * counted, counted**2]
    if len(population.judges) == 2:
        (net, counted), (other_net, other_counted) = population.judges
        columns += [
            net * other_net,
            net * other_counted,
            counted * other_net,
            counted * other_counted,
        ]
    return np.stack(columns, axis=1).astype(np.float64)
