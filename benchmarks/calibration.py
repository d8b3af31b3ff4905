"""What the intervals cover and how often the tests reject, on real designs of known truth.

    python benchmarks/calibration.py [--data ../shared/data] [--repetitions 40]
    python benchmarks/calibration.py --repetitions 2 --page /tmp/page.md     # a quick look

Writes its tables into docs/calibration.md, between the two marks there. A design is a file of
recorded pairs: its sources, its pairs and what the two responses of each show of the surface
factors are real; who prefers which is planted, by weights of the factors that vary from source to
source, with noise and ties. Studies draw sources from the file, with replacement, and up to so many
pairs of each; the truth is the expectation over all that is drawn, by quadrature. Each study has
tastes of its own; how far single tastes are off is seen where tastes are held. SIMULATION: no
figure here is about a model or about people.
"""

import argparse
import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from profile_tasks.data.preferences import load_preferences
from profile_tasks.scorers.measurement.recorded import human_comparisons
from profile_tasks.scorers.statistics.adjusted import adjusted_influence
from profile_tasks.scorers.statistics.alignment import COEFFICIENTS, observed_alignment
from profile_tasks.scorers.statistics.comparisons import Comparisons, Perspective
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.significance import difference_tests, influence_tests
from profile_tasks.scorers.statistics.study import Study
from profile_tasks.scorers.statistics.taste import taste_difference
from profile_tasks.scorers.statistics.true_alignment import alignment_difference

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "calibration.md"
DATA = ROOT.parent / "shared" / "data"

LIKENESS = (-0.5, 0.0, 0.5, 0.9, 1.0)
"""How much of a judge's weights are people's."""

SPREAD_OF_SOURCES, OWN_SPREAD, NOISE, TIE = 0.3, 0.2, 1.0, 0.15
NODES = 40
"""Of the quadrature over the spread of tastes."""

HELD_TASTES, HELD_LIKENESS = 10, 0.9
"""Tastes that are held while sources are drawn anew: coverage of single ones."""

LEAST, FEWEST = 0.93, 50
"""Coverage that is called too little, where so many studies have the interval at all."""

AGREEING = 0.86
"""Share of coin-flip labels that a judge who knows them repeats."""

NULLS = 5
"""Studies of true hypotheses, to one study of each likeness."""

JUDGES = ("human", "discrimination", "own")
ALIGNED = tuple(f"alignment, {name}" for name in COEFFICIENTS)

_Array = NDArray[np.float64]
Sums = dict[str, list[float]]


@dataclass(frozen=True)
class Cell:
    """A design: a file, how many pairs of a source count, how many sources there are."""

    file: str
    pairs: int
    sources: int

    @property
    def named(self) -> str:
        """The cell in words."""
        some = f"up to {self.pairs}" if self.pairs > 1 else "1"
        return f"{self.file.removesuffix('.jsonl')}, {some} a source"


CELLS = tuple(
    Cell(file, pairs, sources)
    for file, pairs, sizes in (
        ("haluquestqa.jsonl", 1, (12, 20, 50, 200, 1000)),
        ("llmbar.jsonl", 1, (20, 100)),
        ("qa_feedback.jsonl", 3, (12, 20, 50, 200)),
        ("pandalm.jsonl", 10, (12, 20, 50, 200)),
        ("mtbench_faireval.jsonl", 10, (20, 100)),
    )
    for sources in sizes
)
HELD_CELLS = tuple(cell for cell in CELLS if cell.sources in (50, 100))


@dataclass(frozen=True, eq=False)
class Design:
    """What a file's pairs show: signs (n, F), 0 where missing, and the rows of each source."""

    signs: _Array
    missing: NDArray[np.bool_]
    groups: tuple[NDArray[np.intp], ...]
    factors: tuple[str, ...]


@lru_cache(maxsize=8)
def design(path: Path) -> Design:
    """The design of a file."""
    table = human_comparisons(load_preferences(str(path)), "surface")
    varies = table.manifestation.any(axis=0)
    return Design(
        table.manifestation[:, varies].astype(np.float64),
        table.missing[:, varies],
        tuple(np.flatnonzero(table.group == code) for code in np.unique(table.group)),
        tuple(name for name, kept in zip(table.factors, varies, strict=True) if kept),
    )


@dataclass(frozen=True, eq=False)
class Sources:
    """Drawn sources: rows of the design, the group of each row, and each source's own taste."""

    rows: NDArray[np.intp]
    group: NDArray[np.intp]
    taste: _Array


def drawn_sources(found: Design, cell: Cell, n: int, rng: np.random.Generator) -> Sources:
    """Draw n sources with up to so many pairs of each."""
    chosen = [found.groups[at] for at in rng.integers(len(found.groups), size=n)]
    kept = [
        own if own.size <= cell.pairs else rng.choice(own, cell.pairs, replace=False)
        for own in chosen
    ]
    taste = SPREAD_OF_SOURCES * rng.standard_normal((n, len(found.factors)))
    group = np.repeat(np.arange(n), [own.size for own in kept])
    return Sources(np.concatenate(kept), group, taste)


def judged(
    found: Design,
    drawn: Sources,
    weights: _Array,
    rng: np.random.Generator,
    who: Perspective,
    noise: float = NOISE,
) -> Comparisons:
    """Preferences of a judge of these weights on the drawn sources."""
    own = drawn.taste + OWN_SPREAD * rng.standard_normal(drawn.taste.shape)
    signs = found.signs[drawn.rows]
    utility = (signs * (weights + own[drawn.group])).sum(axis=1)
    utility += noise * rng.logistic(size=utility.size)
    return _table(found, drawn, np.where(np.abs(utility) < TIE, 0, np.sign(utility)), who)


def _table(found: Design, drawn: Sources, preference: _Array, who: Perspective) -> Comparisons:
    return Comparisons(
        preference.astype(np.int8),
        found.signs[drawn.rows].astype(np.int8),
        found.missing[drawn.rows],
        drawn.group,
        found.factors,
        who,
    )


def weights_of(n_factors: int, likeness: float, seed: int) -> tuple[_Array, _Array, _Array]:
    """People's weights, those of a judge so alike, and those of another who is half alike."""
    rng = np.random.default_rng([seed, n_factors])
    human, *others = 0.8 * rng.standard_normal((3, n_factors))
    first, second = (
        r * human + np.sqrt(1 - r**2) * other
        for r, other in zip((likeness, 0.5), others, strict=True)
    )
    return human, first, second


def study_of(
    found: Design, cell: Cell, weights: tuple[_Array, ...], n: int, rng: np.random.Generator
) -> Study:
    """Three judges of one study, and how the first two agree."""
    drawn = drawn_sources(found, cell, n, rng)
    tables = {
        name: judged(found, drawn, own, rng, name)  # type: ignore[arg-type]
        for name, own in zip(JUDGES, weights, strict=True)
    }
    both = tables["human"].preference.astype(int) * tables["discrimination"].preference
    agreement = Comparisons(
        np.ones(both.size, np.int8),
        (both > 0).astype(np.int8)[:, None],
        (both == 0)[:, None],
        drawn.group,
        ("accuracy",),
        "discrimination",
    )
    return Study(tables, {"agreement": agreement})


@lru_cache(maxsize=8)
def truth(data: Path, cell: Cell, likeness: float, taste: int) -> dict[str, _Array]:
    """The true profiles, and the true accuracy: ratios of expectations over a drawn source."""
    found = design(data / cell.file)
    nodes, chance = np.polynomial.hermite_e.hermegauss(NODES)
    chance /= chance.sum()
    spread = np.sqrt((found.signs != 0).sum(axis=1))[:, None, None]
    drawn = np.empty(len(found.signs))
    for rows in found.groups:
        drawn[rows] = min(1.0, cell.pairs / rows.size)
    wins, losses = [], []  # (n, NODES) chances at each deviation that the judges share
    for weights in weights_of(len(found.factors), likeness, taste):
        utility = (found.signs @ weights)[:, None, None]
        utility = utility + spread * (SPREAD_OF_SOURCES * nodes[:, None] + OWN_SPREAD * nodes)
        wins.append(expit((utility - TIE) / NOISE) @ chance)
        losses.append(expit((-utility - TIE) / NOISE) @ chance)
    known = ~found.missing
    profiles = [
        (drawn * ((up - down) @ chance)) @ found.signs / ((drawn * ((up + down) @ chance)) @ known)
        for up, down in zip(wins, losses, strict=True)
    ]
    agree = drawn @ ((wins[0] * wins[1] + losses[0] * losses[1]) @ chance)
    disagree = drawn @ ((wins[0] * losses[1] + losses[0] * wins[1]) @ chance)
    accuracy = np.array([agree / (agree + disagree)])
    return dict(zip((*JUDGES, "agreement"), (*profiles, accuracy), strict=True))


def intervals(
    data: Path, cell: Cell, likeness: float, number: int, taste: int
) -> Iterator[tuple[str, float]]:
    """Whether each interval of one study holds the truth: 1 or 0, by what it is of."""
    found, true = design(data / cell.file), truth(data, cell, likeness, taste)
    weights = weights_of(len(found.factors), likeness, taste)
    rng = np.random.default_rng([number, cell.sources, round(100 * likeness) + 100])
    study = study_of(found, cell, weights, cell.sources, rng)
    for name, tau in true.items():
        what = "accuracy" if name == "agreement" else "tau"
        for value, each in zip(tau, study.influence(name).values(), strict=True):
            yield from _covers(what, each, value)
    differences, _ = study.difference("discrimination", "human")
    apart = true["discrimination"] - true["human"]
    for value, each in zip(apart, differences.values(), strict=True):
        yield from _covers("difference of taus", each, value)
    aligned = [study.true_alignment("human", name) for name in ("discrimination", "own")]
    known, other = (
        observed_alignment(true["human"], true[name])[0] for name in ("discrimination", "own")
    )
    for name in COEFFICIENTS:
        first, second = (each.coefficients[name] for each in aligned)
        yield from _covers(f"alignment, {name}", first, known[name])
        difference = alignment_difference(first, second)
        yield from _covers(
            f"difference of alignments, {name}", difference, known[name] - other[name]
        )
    yield "alignments not estimable", float(aligned[0].refusal is not None)
    root = float(np.sqrt(np.mean((true["human"] - true["discrimination"]) ** 2)))
    yield from _covers("distance", aligned[0].distance, root)


def _covers(what: str, found: Estimate, value: float) -> Iterator[tuple[str, float]]:
    if found.has_interval:
        yield what, float(found.low - 1e-9 <= value <= found.high + 1e-9)


def rejections(data: Path, cell: Cell, number: int) -> Iterator[tuple[str, float]]:
    """Whether each test of one study rejects, where what it tests is true: 1 or 0."""
    found = design(data / cell.file)
    rng = np.random.default_rng([number, cell.sources, 1000])
    n_factors = len(found.factors)
    drawn = drawn_sources(found, cell, cell.sources, rng)
    human, unrelated = 0.8 * rng.standard_normal((2, n_factors))
    human[0] = 0
    people = judged(found, drawn, human, rng, "human")
    study = Study(
        {"human": people, "discrimination": judged(found, drawn, unrelated, rng, "discrimination")}
    )
    yield from _rejects("unrelated tastes", study.true_alignment(*study.tables).unrelated)
    coin = rng.choice([-1.0, 1.0], people.preference.size)
    agreeing = np.where(rng.random(coin.size) < AGREEING, coin, -coin)
    tables = {
        "human": _table(found, drawn, coin, "human"),
        "discrimination": _table(found, drawn, agreeing, "discrimination"),
    }
    aligned = Study(tables).true_alignment(*tables)
    yield from _rejects("coin-flip labels, a judge who knows them", aligned.unrelated)
    for p_value in influence_tests(tables["human"]).p_value:
        yield from _rejects("influence on coin flips, sign flips", p_value)
    twin = judged(found, drawn, human, rng, "discrimination")
    for p_value in difference_tests(people, twin, permutations=999, seed=number).p_value:
        yield from _rejects("two judges of one taste, sign flips", p_value)
    noisy = judged(found, drawn, human, rng, "discrimination", 3 * NOISE)
    plain = difference_tests(people, noisy, permutations=999, seed=number)
    told = taste_difference(people, noisy, plain).verdicts
    yield (
        "one taste, three times the noise: any factor differs (plain, Holm)",
        float((plain.p_holm <= 0.05).any()),
    )
    yield "the same: any factor differs in taste", float("differs in taste" in told)
    yield from _rejects("adjusted influence of weight 0", adjusted_influence(people).p_value[0])


def _rejects(what: str, p_value: float) -> Iterator[tuple[str, float]]:
    if np.isfinite(p_value):
        yield what, float(p_value <= 0.05)


def repetition(job: tuple[Path, Cell, int, int | None]) -> tuple[Cell, Sums, Sums]:
    """One study of each likeness, and some in which all that is tested is true.

    Where a taste is held, one study of that taste.
    """
    data, cell, number, held = job
    covered: Sums = defaultdict(list)
    if held is not None:
        for what, holds in intervals(data, cell, HELD_LIKENESS, number, held):
            if what in ALIGNED:
                covered[f"{what}, taste {held}"].append(holds)
        return cell, dict(covered), {}
    for likeness in LIKENESS:
        for what, holds in intervals(data, cell, likeness, number, number):
            covered[what].append(holds)
            if what == "alignment, pearson":
                covered[f"alignment, pearson, likeness {likeness:g}"].append(holds)
    rejected: Sums = defaultdict(list)
    for again in range(NULLS):
        for what, rejects in rejections(data, cell, NULLS * number + again):
            rejected[what].append(rejects)
    return cell, dict(covered), dict(rejected)


def calibrate(data: Path, repetitions: int, cells: tuple[Cell, ...] = CELLS) -> dict[str, Any]:
    """Means over the repetitions, by cell: coverage and rejection rate of each quantity."""
    jobs: list[tuple[Path, Cell, int, int | None]] = [
        (data, cell, number, None) for cell in cells for number in range(repetitions)
    ]
    jobs += [
        (data, cell, number, held)
        for cell in cells
        if cell in HELD_CELLS
        for held in range(HELD_TASTES)
        for number in range(repetitions)
    ]
    covered: dict[Cell, Sums] = defaultdict(lambda: defaultdict(list))
    rejected: dict[Cell, Sums] = defaultdict(lambda: defaultdict(list))
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for done, (cell, held, wrong) in enumerate(pool.map(repetition, jobs, chunksize=5), 1):
            for into, found in ((covered[cell], held), (rejected[cell], wrong)):
                for what, values in found.items():
                    into[what] += values
            if done % 100 == 0:
                print(f"{done} of {len(jobs)}", flush=True)
    return {"covered": _means(covered), "rejected": _means(rejected)}


def _means(sums: Mapping[Cell, Sums]) -> list[dict[str, Any]]:
    return [
        {
            "design": cell.named,
            "sources": cell.sources,
            "studies": {what: len(values) for what, values in found.items()},
            **{what: float(np.mean(values)) for what, values in found.items()},
        }
        for cell, found in sums.items()
    ]


def tables_of(results: Mapping[str, Any], repetitions: int) -> str:
    """The results as the tables of the page, with where they are off before them."""
    covered, rejected = results["covered"], results["rejected"]
    single = ("tau", "accuracy", "difference of taus", "distance")
    aligned = [*ALIGNED, *(f"difference of alignments, {name}" for name in COEFFICIENTS)]
    by_likeness = [f"alignment, pearson, likeness {each:g}" for each in LIKENESS]
    off = [
        f"- {row['design']}, {row['sources']:,} sources: {name} {100 * row[name]:.1f} % "
        f"of {row['studies'][name]:,}"
        for row in covered
        for name in (*single, *aligned)
        if name in row and row[name] < LEAST and row["studies"][name] >= FEWEST
    ]
    held = [
        {
            "design": row["design"],
            "sources": row["sources"],
            **{f"{name}, {word}": value for name in ALIGNED for word, value in _spread(row, name)},
        }
        for row in covered
        if f"{ALIGNED[0]}, taste 0" in row
    ]
    tests = [name for name in rejected[0] if name not in ("design", "sources", "studies")]
    studies = repetitions * len(LIKENESS)
    parts = [
        f"{studies:,} studies a design, {repetitions:,} of each likeness of the two judges "
        f"({', '.join(f'{each:g}' for each in LIKENESS)}), each with tastes of its own; "
        f"{NULLS * repetitions:,} for the rejections.",
        "### Intervals that cover less than 93 %",
        "\n".join(off) or "None.",
        "### Coverage of 95 % intervals, %: influences, accuracy, differences, distance",
        _table_of(covered, single),
        "### Coverage of 95 % intervals of the true alignment, %",
        _table_of(covered, [*aligned, "alignments not estimable"]),
        "### The same of Pearson's r, by the likeness of the judges' weights",
        _table_of(covered, by_likeness),
        "### The same for tastes that are held",
        f"{HELD_TASTES} tastes, each held in {repetitions:,} studies, likeness {HELD_LIKENESS:g}: "
        "coverage of the taste that is covered least, and of all.",
        _table_of(held, [name for name in held[0] if name not in ("design", "sources")])
        if held
        else "None.",
        "### Rejections of true hypotheses at .05, %",
        _table_of(rejected, tests),
    ]
    return "\n\n".join(parts)


def _spread(row: Mapping[str, Any], name: str) -> Iterator[tuple[str, float]]:
    each = [row[f"{name}, taste {taste}"] for taste in range(HELD_TASTES)]
    yield "least", min(each)
    yield "all", float(np.mean(each))


def _table_of(rows: list[dict[str, Any]], columns: "list[str] | tuple[str, ...]") -> str:
    lines = [
        _row("design", "sources", *columns),
        "|---|---:|" + "---:|" * len(columns),
    ]
    for row in rows:
        cells = [f"{100 * row[name]:.1f}" if name in row else "–" for name in columns]
        lines.append(_row(row["design"], f"{row['sources']:,}", *cells))
    return "\n".join(lines)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def write(page: Path, table: str, mark: str = "calibration") -> None:
    """Put a table between its marks in a page; a page without the marks gets them at its end."""
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    if begin not in text:
        text += f"\n{begin}\n{end}\n"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    page.write_text(f"{before}{begin}\n{table}\n{end}{after}", encoding="utf-8")


def main() -> None:
    """Simulate, and write page and file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA, help="folder of recorded pairs")
    parser.add_argument("--repetitions", type=int, default=100)
    parser.add_argument("--cells", type=int, help="only so many of the designs, the first ones")
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--output", type=Path, help="write the results as JSON")
    options = parser.parse_args()
    cells = CELLS[: options.cells]
    if missing := [cell.file for cell in cells if not (options.data / cell.file).is_file()]:
        sys.exit(f"{options.data}: no {missing[0]} there; name the folder with --data")
    results = calibrate(options.data, options.repetitions, cells)
    write(options.page, tables_of(results, options.repetitions))
    if options.output is not None:
        options.output.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
