"""What the intervals of influences and shares cover, up to the ends of their scale.

    python benchmarks/share_intervals.py [--studies 1000]

Simulates studies of known tau_14 (a share is (1 + tau_14) / 2) whose pairs of one source go
together as far as stated, and prints how often the interval in use, Korn-Graubard, and the expanded
percentile interval of a bootstrap by source hold the truth. SIMULATION: no figure here is about a
model or about people.
"""

import argparse
from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.resampling import resampled_sums

SOURCES = (12, 20, 50, 200)
TAUS = (0.0, 0.3, 0.6, 0.9, 0.97)
DESIGNS = ((1, 0.0), (3, 0.0), (3, 0.3), (10, 0.0), (10, 0.3))
"""Pairs of a source, and how their outcomes are correlated within it."""
FACTOR_TIES = (0.0, 0.3)
REPLICATES = 1000

Design = tuple[int, float]


def studies(
    rng: np.random.Generator, n: int, sources: int, tau: float, design: Design, ties: float
) -> NDArray[np.float64]:
    """C - D of every source in n studies of this tau_14, (n, sources)."""
    pairs, within = design
    share = (1 + tau / (1 - ties)) / 2
    rates = np.full((n, sources), share)
    if within:
        total = 1 / within - 1
        rates = rng.beta(share * total, (1 - share) * total, size=(n, sources))
    decided = rng.binomial(pairs, 1 - ties, size=(n, sources))
    return 2.0 * rng.binomial(decided, rates) - decided


def intervals(net: NDArray[np.float64], pairs: int) -> Iterator[tuple[Estimate, Estimate]]:
    """The percentile and the Korn-Graubard interval of every study."""
    sources = net.shape[1]
    counted = np.full(sources, float(pairs))
    # All studies share the resamples, which say nothing of any of them.
    drawn = resampled_sums(net.T, replicates=REPLICATES, seed=0) / counted.sum()
    for of_one, replicates in zip(net, drawn.T, strict=True):
        value = float(of_one.sum() / counted.sum())
        yield (
            Estimate.percentile(value, replicates, sources),
            Estimate.share(value, of_one, counted, least=-1),
        )


def coverage(n: int, sources: int, tau: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of intervals that hold the truth, and their mean width, by design and by method."""
    covered, width = [], []
    for design, ties in product(DESIGNS, FACTOR_TIES):
        if tau < 1 - ties:
            rng = np.random.default_rng([sources, int(100 * tau), design[0], int(10 * design[1])])
            made = intervals(studies(rng, n, sources, tau, design, ties), design[0])
            ends = np.array([[(each.low, each.high) for each in both] for both in made])
            low, high = ends[..., 0], ends[..., 1]
            covered.append(((low <= tau + 1e-9) & (tau - 1e-9 <= high)).mean(axis=0))
            width.append((high - low).mean(axis=0))
    return np.array(covered), np.array(width)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--studies", type=int, default=1000)
    n = parser.parse_args().studies
    print(
        f"{n:,} studies of each design: coverage in %, mean (lowest) over the designs; mean width."
    )
    print("\n| sources | tau_14 | percentile | width | Korn-Graubard | width |")
    print("|---:|---:|---:|---:|---:|---:|")
    for sources, tau in product(SOURCES, TAUS):
        covered, width = coverage(n, sources, tau)
        cells = [
            f"{100 * covered[:, at].mean():.1f} ({100 * covered[:, at].min():.1f}) "
            f"| {width[:, at].mean():.2f}"
            for at in range(2)
        ]
        print(f"| {sources} | {tau:g} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
