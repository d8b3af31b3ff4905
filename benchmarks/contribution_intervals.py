"""What the intervals of contributions and shares cover: SIMULATED studies of known truth.

    python benchmarks/contribution_intervals.py [--studies 500] [--page docs/contributions.md]

Planted people weigh four factors, of which two go together; the fourth has no influence. The truth
is what the best model of each set of factors explains in the population (200,000 pairs, fitted and
tested on the same). In half of the designs people of a source go together: a source has weights of
its own about the common ones. Held-out accuracies are those of the model, and of the model less the
strong factor alone; their truth is the mean over all studies, since each is of models that are
fitted to so many sources. Writes its table into the page. Minutes of CPU time; fixed seeds.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.dominance import FactorContributions, factor_contributions
from profile_tasks.scorers.statistics.held_out import (
    half_credit,
    half_credit_difference,
    held_out_predictions,
)

START, END = "<!-- contribution-intervals: begin -->", "<!-- contribution-intervals: end -->"
WEIGHTS = np.array([1.0, 0.5, 0.5, 0.0])
FACTORS = ("strong", "twin", "other twin", "none")
DESIGNS = [(30, 3), (60, 3), (100, 1), (100, 6), (300, 2)]
"""Sources, and pairs of each."""


def study(rng: np.random.Generator, n_sources: int, pairs: int, apart: float) -> Comparisons:
    """Preferences of planted people; ``apart`` is how much sources differ in their weights."""
    n = n_sources * pairs
    signs = rng.choice([-1, 0, 1], size=(n, 4), p=[0.4, 0.2, 0.4])
    same = rng.random(n) < 0.6
    signs[same, 2] = signs[same, 1]
    group = np.repeat(np.arange(n_sources), pairs)
    weights = WEIGHTS + apart * rng.standard_normal((n_sources, 4))[group]
    utility = (signs * weights).sum(axis=1) + rng.logistic(size=n)
    return Comparisons(
        np.sign(utility).astype(np.int8),
        signs.astype(np.int8),
        np.zeros((n, 4), bool),
        group.astype(np.int32),
        FACTORS,
        "human",
    )


def held(found: FactorContributions) -> NDArray[np.float64]:
    """Values, lower and upper ends (3, 9): what is explained, contributions, shares."""
    each = [found.explained, *found.contribution, *found.share]
    return np.array([[e.value for e in each], [e.low for e in each], [e.high for e in each]])


def accuracies(table: Comparisons, seed: int) -> NDArray[np.float64]:
    """The same (3, 2) of the held-out accuracy, and of its difference to the strong factor's."""
    said, alone = (
        held_out_predictions(table, names, seed=seed) for names in (FACTORS, FACTORS[:1])
    )
    own = half_credit(table.preference, said, table.group)
    better = half_credit_difference(table.preference, said, alone, table.group)
    return np.array([[e.value, e.low, e.high] for e in (own, better)]).T


def coverage(n_sources: int, pairs: int, apart: float, studies: int) -> list[float]:
    """In %: covered of the explained, of contributions that are not 0, of shares, of accuracies."""
    truth = held(factor_contributions(study(np.random.default_rng(1), 100_000, 2, apart)))[0]
    rng = np.random.default_rng(2)
    drawn, accurate = [], []
    for seed in range(studies):
        table = study(rng, n_sources, pairs, apart)
        drawn.append(held(factor_contributions(table, seed=seed)))
        accurate.append(accuracies(table, seed))
    _, low, high = np.moveaxis(np.array(drawn), 1, 0)
    known = np.isfinite(low)
    by = np.nanmean(np.where(known, (low <= truth) & (truth <= high), np.nan), axis=0) * 100
    of_none = np.nanmean(high[:, 4] < truth[4]) * 100
    value, low, high = np.moveaxis(np.array(accurate), 1, 0)
    mean = value.mean(axis=0)
    right = ((low <= mean) & (mean <= high)).mean(axis=0) * 100
    told = known[:, 5].mean() * 100
    return [by[0], by[1:4].mean(), by[5:8].mean(), of_none, told, *right, truth[0]]


def main() -> None:
    """Simulate and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=500)
    page = Path(__file__).parents[1] / "docs" / "contributions.md"
    parser.add_argument("--page", type=Path, default=page)
    options = parser.parse_args()
    lines = [
        "| sources x pairs | sources differ by | explained, truth | explained: covers, % | "
        "contributions | shares | none: interval below 0, % | shares told in, % | "
        "held-out accuracy: covers, % | its difference |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for n_sources, pairs in DESIGNS:
        for apart in (0.0, 0.7):
            *found, truth = coverage(n_sources, pairs, apart, options.studies)
            cells = [f"{n_sources} x {pairs}", f"{apart:g}", f"{truth:.3f}"]
            lines.append(f"| {' | '.join(cells + [f'{each:.1f}' for each in found])} |")
            print(lines[-1], flush=True)
    text = options.page.read_text(encoding="utf-8")
    before, after = text.split(START)[0], text.split(END)[1]
    written = before + START + "\n" + "\n".join(lines) + "\n" + END + after
    options.page.write_text(written, encoding="utf-8")


if __name__ == "__main__":
    main()
