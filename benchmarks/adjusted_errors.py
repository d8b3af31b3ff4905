"""How often the adjusted influence rejects where there is none, with few and unequal groups.

    python benchmarks/adjusted_errors.py [--studies 600]

Writes its table into docs/adjusted.md, between the two marks there: the test in use (CR2 with
Satterthwaite's degrees of freedom) beside plain cluster-robust errors with groups - 1 degrees of
freedom. SIMULATION: no figure here is about a model or about people.
"""

import argparse
from itertools import product
from pathlib import Path

import numpy as np
from calibration import ROOT, write
from numpy.typing import NDArray
from scipy.stats import t
from statsmodels.discrete.discrete_model import Logit

from profile_tasks.scorers.statistics.adjusted import adjusted_influence
from profile_tasks.scorers.statistics.comparisons import Comparisons

PAGE = ROOT / "docs" / "adjusted.md"
GROUPS, FACTORS = (12, 20, 50), (3, 8)
SIZES = ("10 each", "1 to 30, geometric", "one of 60, 4 each")
FACTOR_TIES, TASTE_SPREAD = 0.25, 0.5


def sizes_of(groups: int, sizes: str) -> NDArray[np.intp]:
    """Pairs of each group."""
    if sizes == "10 each":
        return np.full(groups, 10)
    if sizes == "1 to 30, geometric":
        return np.round(np.geomspace(1, 30, groups)).astype(np.intp)
    return np.array([60] + [4] * (groups - 1))


def study(rng: np.random.Generator, group: NDArray[np.intp], n_factors: int) -> Comparisons:
    """A judge to whom the first factor means nothing; each group has a taste of its own."""
    n, groups = group.size, group[-1] + 1
    common = 0.5 * rng.standard_normal((n, 1))
    own = 0.6 * rng.standard_normal((groups, n_factors))
    manifestation = np.sign(rng.standard_normal((n, n_factors)) + common + own[group])
    manifestation[rng.random(manifestation.shape) < FACTOR_TIES] = 0
    weights = np.r_[0, rng.uniform(-0.8, 0.8, n_factors - 1)]
    taste = weights + TASTE_SPREAD * rng.standard_normal((groups, n_factors))
    utility = (manifestation * taste[group]).sum(axis=1) + rng.logistic(size=n)
    return Comparisons(
        np.sign(utility).astype(np.int8),
        manifestation.astype(np.int8),
        np.zeros(manifestation.shape, bool),
        group.astype(np.int32),
        tuple(f"factor {index}" for index in range(n_factors)),
        "human",
    )


def plain(table: Comparisons) -> float:
    """Two-sided p-value of the first factor by plain cluster-robust errors."""
    fitted = Logit((table.preference > 0).astype(float), table.manifestation.astype(float)).fit(
        disp=False, cov_type="cluster", cov_kwds={"groups": table.group}
    )
    return float(2 * t.sf(abs(fitted.tvalues[0]), table.group.max()))


def rates(groups: int, sizes: str, n_factors: int, studies: int) -> tuple[float, float, int]:
    """Rejection rates at 5 % of the plain test and of the one in use; studies that have both."""
    group = np.repeat(np.arange(groups), sizes_of(groups, sizes))
    rng = np.random.default_rng([groups, n_factors, len(sizes)])
    rejected = []
    for _ in range(studies):
        table = study(rng, group, n_factors)
        p_value = adjusted_influence(table).p_value[0]
        if np.isfinite(p_value):
            rejected.append((plain(table) <= 0.05, p_value <= 0.05))
    before, now = np.mean(rejected, axis=0)
    return float(before), float(now), len(rejected)


def main() -> None:
    """Simulate, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--studies", type=int, default=600)
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args()
    lines = [
        "| groups | their pairs | factors | plain cluster-robust, % | CR2, % | studies |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    for groups, sizes, n_factors in product(GROUPS, SIZES, FACTORS):
        before, now, counted = rates(groups, sizes, n_factors, options.studies)
        rejected = f"{100 * before:.1f} | {100 * now:.1f}"
        lines.append(f"| {groups} | {sizes} | {n_factors} | {rejected} | {counted} |")
        print(lines[-1], flush=True)
    write(options.page, "\n".join(lines), "adjusted-errors")


if __name__ == "__main__":
    main()
