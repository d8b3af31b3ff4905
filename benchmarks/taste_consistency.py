"""How often noise reads as taste, and taste as taste, where two judges see the same pairs.

    python benchmarks/taste_consistency.py [--data ../shared/data] [--studies 150]

Writes its table into docs/calibration.md, between the two marks there. Pairs and what they show of
the surface factors are those of files of recorded pairs; the two judges are planted. SIMULATION: no
figure here is about a model or about people.
"""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
from calibration import DATA, PAGE, write
from numpy.typing import NDArray

from profile_tasks.data.preferences import load_preferences
from profile_tasks.scorers.factors.selection import resolve_factors
from profile_tasks.scorers.factors.surface import factor_values
from profile_tasks.scorers.statistics.comparisons import Comparisons, Perspective, manifestations
from profile_tasks.scorers.statistics.significance import difference_tests
from profile_tasks.scorers.statistics.taste import EQUIVALENT, taste_difference

DESIGNS = (
    ("summeval.jsonl", 12, 10),
    ("tldr_llmeval2.jsonl", 112, 10),
    ("pandalm.jsonl", 20, 10),
    ("pandalm.jsonl", 115, 10),
    ("summeval.jsonl", 70, 10),
    ("summeval.jsonl", 500, 3),
)
"""File, groups, and up to so many pairs of each."""

TASTES = (
    {"length": 0.3, "novel_words": -0.6, "lexical_diversity": 0.5, "readability": 0.5},
    {"length": 1.0, "sentence_count": -0.5, "lexical_diversity": 0.7, "readability": -0.4},
    {"length": 2.0, "novel_words": -1.5, "lexical_diversity": 1.0, "readability": 0.7},
)
JUDGES = {
    "one taste, equal noise": (1.0, 1.0, 0.0),
    "one taste, noise 1 : 4": (2.0, 0.5, 0.0),
    "one taste, one judge nearly without noise": (50.0, 0.5, 0.0),
    "tastes differ, equal noise": (1.0, 1.0, -0.7),
    "tastes differ, noise 1 : 4": (2.0, 0.5, -1.0),
}
"""Scale of both utilities against noise, and what is added to the second's lexical diversity."""

SPREAD = 0.4
"""Of tastes between groups, as a part of the mean weight."""

FEW_TIES, SOME_MISSING = 0.05, 0.3
LEVELS = frozenset({"novel_words", "lexical_diversity", "readability"})
"""Amounts of the other factors have long tails: their logarithms count."""

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pairs:
    """What a file's pairs show: amounts (scaled to 1) and signs (n, F), and rows of each group."""

    amounts: Array
    signs: Array
    groups: tuple[NDArray[np.intp], ...]
    factors: tuple[str, ...]


@cache
def pairs_of(path: Path) -> Pairs:
    """The pairs of a file, where all factors are known that most pairs define."""
    sources = load_preferences(str(path)).sources
    rows = [(source, pair) for source in sources for pair in source.pairs]
    factors = resolve_factors("surface", rows[0][0].task)
    sides = [
        factor_values(
            factors,
            [getattr(pair, side) for _, pair in rows],
            [source.source for source, _ in rows],
            [source.prompt for source, _ in rows],
        )
        for side in ("response_a", "response_b")
    ]
    often = np.isnan(sides).any(axis=0).mean(axis=0) < SOME_MISSING
    known = ~np.isnan(sides)[:, :, often].any(axis=(0, 2))
    first, second = (each[known][:, often] for each in sides)
    ids = [factor.id for factor, kept in zip(factors, often, strict=True) if kept]
    signs = manifestations(first, second)[0].astype(np.float64)
    tailed = np.array([factor not in LEVELS for factor in ids])
    for values in (first, second):
        values[:, tailed] = np.log1p(values[:, tailed])
    differs = (signs != 0).mean(axis=0) > FEW_TIES
    amounts = (first - second)[:, differs]
    group = np.array([source.group for source, _ in rows])[known]
    return Pairs(
        amounts / np.sqrt((amounts**2).mean(axis=0)),
        signs[:, differs],
        tuple(np.flatnonzero(group == each) for each in np.unique(group)),
        tuple(factor for factor, kept in zip(ids, differs, strict=True) if kept),
    )


def two_judges(
    found: Pairs,
    design: tuple[str, int, int],
    taste: dict[str, float],
    judges: tuple[float, float, float],
    on_signs: bool,
    rng: np.random.Generator,
) -> list[Comparisons]:
    """The tables of both judges on drawn groups."""
    _, n_groups, most = design
    drawn = [found.groups[at] for at in rng.integers(len(found.groups), size=n_groups)]
    rows = [own if own.size <= most else rng.choice(own, most, replace=False) for own in drawn]
    group = np.repeat(np.arange(n_groups), [own.size for own in rows])
    at = np.concatenate(rows)
    turned = rng.choice([-1, 1], at.size)[:, None]
    signs = found.signs[at] * turned
    shown = signs if on_signs else found.amounts[at] * turned
    tables = []
    whose: tuple[Perspective, ...] = ("discrimination", "human")
    for who, scale, added in zip(whose, judges[:2], (0.0, judges[2]), strict=True):
        weights = np.array([taste.get(factor, 0.0) for factor in found.factors])
        weights[found.factors.index("lexical_diversity")] += added
        spread = SPREAD * np.abs(weights).mean()
        own = weights + spread * rng.standard_normal((n_groups, weights.size))
        noise = rng.logistic(size=at.size) if on_signs else 1.7 * rng.standard_normal(at.size)
        tables.append(
            Comparisons(
                np.sign(scale * (shown * own[group]).sum(axis=1) + noise).astype(np.int8),
                signs.astype(np.int8),
                np.zeros(signs.shape, bool),
                group.astype(np.int32),
                found.factors,
                who,
            )
        )
    return tables


def row(job: tuple[Path, str, tuple[str, int, int], int]) -> str:
    """A row of the table: a kind of judges on a design."""
    data, name, design, studies = job
    found = pairs_of(data / design[0])
    told = []
    for number, (taste, on_signs) in enumerate(product(TASTES, (True, False))):
        rng = np.random.default_rng([number, design[1], list(JUDGES).index(name)])
        for _ in range(studies if design[1] < 500 else studies // 2):
            first, second = two_judges(found, design, taste, JUDGES[name], on_signs, rng)
            plain = difference_tests(first, second, permutations=499)
            compared = taste_difference(first, second, plain)
            ratio = compared.consistency
            told.append(
                (
                    (plain.p_holm <= 0.05).any(),
                    "differs in taste" in compared.verdicts,
                    ratio.defined and not ratio.low <= 1 <= ratio.high,
                    compared.verdict in EQUIVALENT,
                )
            )
    shares = " | ".join(f"{100 * share:.1f}" for share in np.mean(told, axis=0))
    file, groups, most = design
    sizes = np.array([min(most, each.size) for each in found.groups])
    each = f"{sizes.min()} to {sizes.max()}" if sizes.min() < sizes.max() else f"{sizes.max()}"
    return f"| {name} | {file.removesuffix('.jsonl')} | {groups} | {each} | {shares} |"


def main() -> None:
    """Simulate, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=DATA, help="folder of recorded pairs")
    parser.add_argument("--studies", type=int, default=150, help="of each taste and kind of noise")
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args()
    if missing := [file for file, *_ in DESIGNS if not (options.data / file).is_file()]:
        sys.exit(f"{options.data}: no {missing[0]} there; name the folder with --data")
    jobs = [(options.data, *each, options.studies) for each in product(JUDGES, DESIGNS)]
    lines = [
        "| judges | pairs of | groups | pairs a group | plain difference told | differs in taste "
        "| consistency told | equivalent |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for line in pool.map(row, jobs):
            print(line, flush=True)
            lines.append(line)
    write(options.page, "\n".join(lines), "taste-consistency")


if __name__ == "__main__":
    main()
