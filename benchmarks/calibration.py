"""What the intervals cover and how often the tests reject, on simulated studies of known truth.

    python benchmarks/calibration.py [--repetitions 1000] [--output calibration.json]
    python benchmarks/calibration.py --repetitions 20 --page /tmp/page.md     # a quick look

Writes its tables into docs/calibration.md, between the two marks there. Every study has 20, 50 or
200 sources with five responses each, so ten pairs a source that depend on each other. The truth is
that of a population of hundreds of thousands of sources. SIMULATION: no figure here is about a
model or about people.
"""

import argparse
import json
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from profile_tasks.scorers.statistics.adjusted import adjusted_influence
from profile_tasks.scorers.statistics.alignment import COEFFICIENTS, align, alignment_replicates
from profile_tasks.scorers.statistics.comparisons import Comparisons, Perspective, manifestations
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.influence import group_sums, profile_of
from profile_tasks.scorers.statistics.ranks import factor_ranks
from profile_tasks.scorers.statistics.resampling import bootstrap_taus
from profile_tasks.scorers.statistics.significance import (
    adjust_p_values,
    difference_tests,
    influence_tests,
    sign_flip_p_values,
)

SOURCES = (20, 50, 200)
RESPONSES = 5
FIRST, SECOND = (np.array(side) for side in zip(*combinations(range(RESPONSES), 2), strict=True))
N_FACTORS = 13
FACTORS = tuple(f"f{index}" for index in range(N_FACTORS))
REPLICATES = 1000
PERMUTATIONS = 1999
TRUE_SOURCES = 300_000

PAGE = Path(__file__).parents[1] / "docs" / "calibration.md"
BEGIN, END = "<!-- calibration: begin -->", "<!-- calibration: end -->"

# Loadings of the factors on what they have in common, and whether a factor has few values (ties).
LOADING = np.where(np.arange(N_FACTORS) % 2 == 0, 0.5, -0.3)
COARSE = np.arange(N_FACTORS) % 3 == 2
SPREAD_OF_SOURCES = 0.4
OWN_SPREAD = 0.2
NOISE = 1.2
HUMAN_TIES = 0.1

Sums = dict[str, dict[str, list[float]]]


@dataclass(frozen=True)
class Population:
    """Planted tastes, as weights of the factors; every source's tastes vary about them.

    Attributes:
        human: (F,).
        discrimination: (F,).
        generation: (F,), how much the factor rises with the target score.
        loading: (F,) loadings of the factors on what they have in common.

    """

    human: NDArray[np.float64]
    discrimination: NDArray[np.float64]
    generation: NDArray[np.float64]
    loading: NDArray[np.float64]


DISTINCT = Population(
    human=np.array([1.2, -0.9, 0.7, -0.6, 0.5, -0.4, 0.3, 0.2, -0.2, 0.1, -0.1, 0, 0]),
    discrimination=np.array([1.6, -0.8, 0.2, -0.5, 0.7, -0.1, 0.3, 0.3, -0.3, 0, 0.1, 0.2, 0]),
    generation=np.array([2, -0.1, 0.3, -0.1, -0.2, 0.4, 0.1, -0.2, 0.5, 0.2, 0, 0, 0.3]),
    loading=LOADING,
)
"""Human, judge and writer of different tastes; no two influences are equal."""

ALIKE = replace(DISTINCT, discrimination=DISTINCT.human)
"""Human and judge of one taste: the true alignment is 1, the end of the scale."""

NULL = Population(
    human=np.array([1.2, -0.9, 0.7, -0.6, 0.5, -0.4, 0, 0, 0, 0, 0, 0, 0]),
    discrimination=np.array([1.2, -0.9, 0.7, -0.6, 0.5, -0.4, 0, 0, 0, 0, 0, 0, 0]),
    generation=np.zeros(N_FACTORS),
    loading=np.where(np.arange(N_FACTORS) < 6, LOADING, 0.0),
)
"""Seven factors without influence, which the other six say nothing about; two judges alike."""

NO_INFLUENCE = NULL.human == 0


def study(population: Population, rng: np.random.Generator, n: int) -> list[Comparisons]:
    """The tables of one simulated study: human, discrimination and generation."""
    taste = SPREAD_OF_SOURCES * rng.standard_normal((n, 1, N_FACTORS))
    annotated = _factor_values(population, rng, n)
    scores = (np.arange(RESPONSES) - 2) / 1.4
    written = _factor_values(population, rng, n)
    written += 0.5 * scores[None, :, None] * (population.generation + taste)
    return [
        _judged(population.human, taste, annotated, rng, "human", HUMAN_TIES),
        _judged(population.discrimination, taste, annotated, rng, "discrimination", 0.0),
        _table(np.full((n, FIRST.size), -1), written, "generation"),
    ]


def _factor_values(population: Population, rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    common = rng.standard_normal((n, RESPONSES, 1))
    own = rng.standard_normal((n, RESPONSES, N_FACTORS))
    return np.asarray(
        common * population.loading + own * np.sqrt(1 - population.loading**2), dtype=np.float64
    )


def _judged(
    weights: NDArray[np.float64],
    taste: NDArray[np.float64],
    values: NDArray[np.float64],
    rng: np.random.Generator,
    perspective: Perspective,
    ties: float,
) -> Comparisons:
    """Preferences of a judge whose taste varies from source to source."""
    n = len(values)
    own = OWN_SPREAD * rng.standard_normal((n, 1, N_FACTORS))
    utility = (values * (weights + taste + own)).sum(axis=2)
    utility += NOISE * rng.standard_normal(utility.shape)
    preference = np.sign(utility[:, FIRST] - utility[:, SECOND])
    return _table(np.where(rng.random(preference.shape) < ties, 0, preference), values, perspective)


def _table(
    preference: NDArray[Any], values: NDArray[np.float64], perspective: Perspective
) -> Comparisons:
    seen = np.where(COARSE, np.round(values), values)
    signs, missing = manifestations(
        seen[:, FIRST].reshape(-1, N_FACTORS), seen[:, SECOND].reshape(-1, N_FACTORS)
    )
    group = np.repeat(np.arange(len(values)), FIRST.size)
    return Comparisons(preference.ravel(), signs, missing, group, FACTORS, perspective)


@lru_cache
def true_taus(name: str) -> dict[str, NDArray[np.float64]]:
    """Influences in a population, from very many of its sources."""
    population = {"distinct": DISTINCT, "alike": ALIKE}[name]
    rng = np.random.default_rng(2026)
    part = 10_000
    sums = np.zeros((3, 2, N_FACTORS))
    for _ in range(TRUE_SOURCES // part):
        tables = study(population, rng, part)
        sums += [[side.sum(axis=0) for side in group_sums(table, part)] for table in tables]
    taus = dict(
        zip(("human", "discrimination", "generation"), sums[:, 0] / sums[:, 1], strict=True)
    )
    if name == "alike":
        taus["discrimination"] = taus["human"]
    return taus


def alignments(
    taus: Mapping[str, NDArray[np.float64]], perspective: str
) -> dict[str, NDArray[np.float64]]:
    """Alignments with the human profile, row by row."""
    found = alignment_replicates(np.atleast_2d(taus["human"]), np.atleast_2d(taus[perspective]))
    return {name: getattr(found, name) for name in COEFFICIENTS}


def statistics(
    taus: Mapping[str, NDArray[np.float64]],
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Every statistic of profiles (B, F) with an interval: its kind, and its values (B,)."""
    for perspective in ("human", "discrimination", "generation"):
        for column in np.atleast_2d(taus[perspective]).T:
            yield "tau_14", column
    judge, writer = (alignments(taus, name) for name in ("discrimination", "generation"))
    for name in COEFFICIENTS:
        yield f"alignment, {name}, judge", judge[name]
        yield f"alignment, {name}, writer", writer[name]
    yield "gap, tau_b", judge["tau_b"] - writer["tau_b"]


def intervals(
    tables: Sequence[Comparisons], truth: Mapping[str, NDArray[np.float64]], n: int, seed: int
) -> Sums:
    """Whether each interval of one study covers the truth, and how wide it is."""
    names = [table.perspective for table in tables]
    found = {table.perspective: profile_of(table).tau for table in tables}
    # Pairs as if they were independent: every pair is a group of its own.
    pairs = np.arange(len(tables[0].group))
    alone = [
        replace(tables[0], group=pairs),
        replace(tables[1], group=pairs),
        replace(tables[2], group=pairs + pairs.size),
    ]
    drawn, naive = (
        dict(zip(names, bootstrap_taus(each, replicates=REPLICATES, seed=seed), strict=True))
        for each in (tables, alone)
    )
    sums: Sums = defaultdict(lambda: defaultdict(list))
    for (kind, true), (_, own), (_, replicates), (_, by_pair) in zip(
        *(statistics(each) for each in (truth, found, drawn, naive)), strict=True
    ):
        estimate = float(own[0])
        limit = 1 if "gap" not in kind else 2
        made = {
            "pairs as independent": Estimate.percentile(estimate, by_pair),
            "percentile": Estimate.percentile(estimate, replicates),
            "percentile, expanded": Estimate.percentile(estimate, replicates, n),
            "symmetric": Estimate.symmetric(estimate, replicates, n, limit=limit),
        }
        for method, interval in made.items():
            _count(sums, f"{kind} | {method}", interval, float(true[0]))
        sums[f"{kind} | bias"]["bias"].append(estimate - float(true[0]))
    for name in names:
        ranks = factor_ranks(FACTORS, found[name], drawn[name], n_groups=np.full(N_FACTORS, n))
        order = N_FACTORS - truth[name].argsort().argsort()
        for interval, rank in zip(ranks.estimates, order, strict=True):
            _count(sums, "rank | simultaneous differences", interval, float(rank))
    return sums


def _count(sums: Sums, name: str, interval: Estimate, truth: float) -> None:
    tolerance = 1e-9  # alignments at the end of the scale come out at 1 but for rounding
    covered = interval.low - tolerance <= truth <= interval.high + tolerance
    sums[name]["covered"].append(float(covered))
    sums[name]["width"].append(interval.high - interval.low)


def tests(tables: Sequence[Comparisons], rng: np.random.Generator, seed: int) -> Sums:
    """Which tests of one study reject at .05, where nothing is to be found and elsewhere."""
    human, judge, _ = tables
    sums: Sums = defaultdict(lambda: defaultdict(list))

    def count(name: str, p_values: NDArray[np.float64]) -> None:
        sums[name]["rejected"] += (p_values <= 0.05).tolist()

    found = influence_tests(human, permutations=PERMUTATIONS, seed=seed)
    alone = replace(human, group=np.arange(len(human.group)))
    count("influence | sign flips by source", found.p_value[NO_INFLUENCE])
    count("influence | cluster-robust z", _robust_p_values(human)[NO_INFLUENCE])
    count(
        "influence | pairs as independent",
        sign_flip_p_values(alone, permutations=PERMUTATIONS, seed=seed)[NO_INFLUENCE],
    )
    difference = difference_tests(human, judge, permutations=PERMUTATIONS, seed=seed)
    count("two judges of one taste | paired sign flips by source", difference.p_value)
    adjusted = adjusted_influence(human)
    known = NO_INFLUENCE & np.isfinite(adjusted.p_value)
    count("adjusted influence | cluster-robust t", adjusted.p_value[known])
    x, y = rng.standard_normal((2, N_FACTORS))
    permuted = align(*(dict(zip(FACTORS, each.tolist(), strict=True)) for each in (x, y)))
    count("alignment, tau_b | permuted factors", np.array([permuted.p_value]))
    count("alignment, spearman | permuted factors", np.array([permuted.p_value_spearman]))
    count("alignment, pearson | permuted factors", np.array([permuted.p_value_pearson]))
    for name, p_values in (
        ("Benjamini-Hochberg", found.p_bh),
        ("none", found.p_value),
    ):
        wrong = np.count_nonzero(p_values[NO_INFLUENCE] <= 0.05)
        discoveries = np.count_nonzero(p_values <= 0.05)
        sums[f"false discovery rate | {name}"]["rejected"].append(wrong / max(1, discoveries))
    for name, p_values in (("Holm", found.p_holm), ("none", found.p_value)):
        sums[f"chance of any false finding | {name}"]["rejected"].append(
            float((p_values[NO_INFLUENCE] <= 0.05).any())
        )
    # Where every hypothesis is true, the false discovery rate is the chance of any discovery.
    nothing = adjust_p_values(difference.p_value, "fdr_bh")
    sums["false discovery rate, nothing to find | Benjamini-Hochberg"]["rejected"].append(
        float((nothing <= 0.05).any())
    )
    return sums


def _robust_p_values(table: Comparisons) -> NDArray[np.float64]:
    """The test that was not chosen: tau over its linearised cluster-robust error."""
    net, counted = group_sums(table, int(table.group.max()) + 1)
    tau = net.sum(axis=0) / counted.sum(axis=0)
    error = np.sqrt(((net - tau * counted) ** 2).sum(axis=0)) / counted.sum(axis=0)
    return np.asarray(2 * norm.sf(np.abs(tau) / error))


def repetition(n: int, number: int) -> dict[str, Sums]:
    """All that one simulated study of each population gives."""
    seeds = np.random.SeedSequence([n, number]).spawn(3)
    distinct, alike, null = (np.random.default_rng(seed) for seed in seeds)
    return {
        "distinct": _plain(
            intervals(study(DISTINCT, distinct, n), true_taus("distinct"), n, number)
        ),
        "alike": _plain(intervals(study(ALIKE, alike, n), true_taus("alike"), n, number)),
        "null": _plain(tests(study(NULL, null, n), null, number)),
    }


def _plain(sums: Sums) -> Sums:
    return {name: dict(values) for name, values in sums.items()}


def calibrate(repetitions: int) -> dict[str, dict[int, dict[str, dict[str, float]]]]:
    """Means over the repetitions: population -> number of sources -> quantity -> mean."""
    results: dict[str, dict[int, dict[str, dict[str, float]]]] = defaultdict(dict)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for n in SOURCES:
            gathered: dict[str, Sums] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
            for done, one in enumerate(
                pool.map(partial(repetition, n), range(repetitions), chunksize=5), 1
            ):
                for population, sums in one.items():
                    for name, values in sums.items():
                        for key, listed in values.items():
                            gathered[population][name][key] += listed
                if done % 100 == 0:
                    print(f"{n} sources: {done} of {repetitions} studies", flush=True)
            for population, sums in gathered.items():
                results[population][n] = {
                    name: {key: float(np.nanmean(listed)) for key, listed in values.items()}
                    for name, values in sums.items()
                }
    return results


def tables_of(results: Mapping[str, Any], repetitions: int) -> str:
    """The results as the tables of the page."""
    parts = [
        f"{repetitions:,} simulated studies of each size and population; "
        f"{REPLICATES:,} bootstrap replicates, {PERMUTATIONS:,} flips."
    ]
    for population, title in (
        ("distinct", "### Coverage of 95 % intervals: three different tastes"),
        ("alike", "### Coverage where human and judge have one taste (true alignment 1)"),
    ):
        by_size = results[population]
        kinds = list(dict.fromkeys(name.split(" | ")[0] for name in by_size[SOURCES[0]]))
        if population == "alike":
            kinds = [kind for kind in kinds if "judge" in kind]
        parts += [title, _header("of", "interval", "coverage, % (mean width)")]
        lines = []
        for kind in kinds:
            for name in by_size[SOURCES[0]]:
                of, _, method = name.partition(" | ")
                if of == kind and method != "bias":
                    cells = [
                        f"{100 * by_size[n][name]['covered']:.1f} ({by_size[n][name]['width']:.2f})"
                        for n in SOURCES
                    ]
                    lines.append(_row(kind, method, *cells))
            bias = f"{kind} | bias"
            if bias in by_size[SOURCES[0]]:
                cells = [f"{by_size[n][bias]['bias']:+.3f}" for n in SOURCES]
                lines.append(_row(kind, "*bias of the estimate*", *cells))
        parts[-1] += "\n" + "\n".join(lines)
    parts += [
        "### Rejections of true hypotheses at .05",
        _header("test", "by", "rejected, %")
        + "\n"
        + "\n".join(
            _row(
                *name.split(" | "),
                *(f"{100 * results['null'][n][name]['rejected']:.1f}" for n in SOURCES),
            )
            for name in results["null"][SOURCES[0]]
        ),
    ]
    return "\n\n".join(parts)


def _header(of: str, method: str, what: str) -> str:
    cells = [of, method, *(f"{n} sources: {what}" if n == SOURCES[0] else str(n) for n in SOURCES)]
    return _row(*cells) + "\n|---|---|" + "---:|" * len(SOURCES)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def write(page: Path, tables: str) -> None:
    """Put the tables between the marks of a page; a page without marks gets them at its end."""
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    if BEGIN not in text:
        text += f"\n{BEGIN}\n{END}\n"
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{tables}\n{END}{after}", encoding="utf-8")


def main() -> None:
    """Simulate, and write page and file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--output", type=Path, help="write the results as JSON")
    options = parser.parse_args()
    results = calibrate(options.repetitions)
    write(options.page, tables_of(results, options.repetitions))
    if options.output is not None:
        options.output.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
