"""How often a board of equal models parts: places must come from the data, not from chance.

    python benchmarks/board_places.py [--boards 300] [--models 20]

Simulates boards of judges who are equally good by plan: every pair is as hard for all of them, and
what one of them is better at on one source it is worse at on another. A board parts where any two
get different places. SIMULATION: no figure here is about a model or about people.
"""

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import combinations

import numpy as np

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.places import places, simultaneous_differences
from profile_tasks.scorers.statistics.study import Study

DESIGNS = ((12, 1), (12, 3), (20, 3), (50, 1), (50, 3), (200, 3))
"""Sources, and pairs of each."""

METRICS = ("accuracy, half credit", "accuracy, decided", "flip rate")
SHARE_FLIPPED = 0.2
ABILITY = {"middling": 0.6, "near the end": 3.0}
"""Log-odds of judging a pair of middling hardness as people do."""
HARDNESS_OF_SOURCES = 0.7
HARDNESS_OF_PAIRS = 0.5
OWN_OF_SOURCES = 0.7


def equal_judges(
    rng: np.random.Generator, models: int, sources: int, pairs: int, ability: float
) -> dict[str, Comparisons]:
    """Tables of shares of judges who are equally good, by their number."""
    shape = (sources, pairs)
    hard = HARDNESS_OF_SOURCES * rng.standard_normal((sources, 1))
    hard = hard + HARDNESS_OF_PAIRS * rng.standard_normal(shape)
    tables = {}
    for model in range(models):
        odds = ability - hard + OWN_OF_SOURCES * rng.standard_normal((sources, 1))
        right = (rng.random(shape) < 1 / (1 + np.exp(-odds))).ravel()
        flipped = (rng.random(shape) < SHARE_FLIPPED).ravel()
        tables[str(model)] = _table(right, flipped, np.repeat(np.arange(sources), pairs))
    return tables


def _table(right: np.ndarray, flipped: np.ndarray, group: np.ndarray) -> Comparisons:
    """Two rows a pair, as the product has them, so that a flip is half a credit."""
    halves = [
        np.column_stack([np.where(flipped, credit, right), right, flipped])
        for credit in (True, False)
    ]
    out = np.column_stack([np.zeros_like(flipped), flipped, np.zeros_like(flipped)])
    signs = np.concatenate(halves) & ~np.concatenate([out, out])
    return Comparisons(
        np.ones(2 * right.size, np.int8),
        signs.astype(np.int8),
        np.concatenate([out, out]),
        np.concatenate([group, group]),
        METRICS,
        "discrimination",
    )


def board(
    sources: int, pairs: int, ability: float, models: int, seed: int
) -> dict[str, tuple[bool, bool, bool]]:
    """Whether places part, by samples and by intervals alone, and any two intervals, by metric."""
    rng = np.random.default_rng([sources, pairs, seed])
    study = Study({}, equal_judges(rng, models, sources, pairs, ability), seed=seed)
    found = {}
    for metric in METRICS:
        values = [study.share(str(model), metric) for model in range(models)]
        flat = [replace(value, drawn=None) for value in values]
        apart = any(one.overlaps(other) is False for one, other in combinations(values, 2))
        found[metric] = _part(values), _part(flat), apart
    return found


def _part(values: list[Estimate]) -> bool:
    return len(set(places(simultaneous_differences(values)))) > 1


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--boards", type=int, default=300)
    parser.add_argument("--models", type=int, default=20)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    n = arguments.boards
    print(f"{n} boards of {arguments.models} equal models, of which part, %: the highest of")
    print(f"{', '.join(METRICS)}.\n")
    print("| sources, pairs | judges | places, logs | places, results files | single intervals |")
    print("|---|---|---:|---:|---:|")
    with ProcessPoolExecutor(arguments.workers) as pool:
        for sources, pairs in DESIGNS:
            for name, ability in ABILITY.items():
                one = partial(board, sources, pairs, ability, arguments.models)
                boards = list(pool.map(one, range(n), chunksize=10))
                parted = [np.mean([each[metric] for each in boards], axis=0) for metric in METRICS]
                highest = (f"{100 * share:.1f}" for share in np.max(parted, axis=0))
                print(f"| {sources}, {pairs} | {name} | {' | '.join(highest)} |", flush=True)


if __name__ == "__main__":
    main()
