"""What intervals of a graded factor cover where several graders, drawn anew each time, grade it.

    python benchmarks/grader_panels.py [--studies 500]

Writes its tables into docs/panel.md, between the marks there. Each study draws its sources, and its
graders from a population of graders with errors of their own. What an interval must hold is what
the majority of as many graders shows on average; beside it, whether it holds the influence by
labels without error. SIMULATION: no figure here is about a model or about people.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
from calibration import ROOT, write
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.comparisons import Comparisons, Perspective
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.grader_panel import GraderPanel, majority
from profile_tasks.scorers.statistics.study import Study

PAGE = ROOT / "docs" / "panel.md"

PAIRS, WITHIN, FACTOR_TIES, TAU = 3, 0.3, 0.2, 0.4
LONGER_PREFERRED = 0.9
"""Preferred responses that are the longer ones."""

ERRORS = {
    "by chance, all alike": (0.2, 0.0, None),
    "by chance, some more often": (0.2, 0.1, None),
    "takes the longer or the shorter": (0.3, 0.12, 0.7),
    "takes the longer, every one": (0.3, 0.12, 1.0),
}
"""How often a grader errs on average, how far graders differ in that, and where it then names a
response by its length, which share of the graders names the longer one."""

GRADERS = (3, 5)
SOURCES = (50, 200, 1000)
ALIGNED_SOURCES = 200

WEIGHTS = (
    (1.5, 1.0, 0.7, 0.4, 0.0, -0.4, -0.8, -1.2),
    (1.2, 0.2, 1.0, 0.0, 0.6, -1.0, -0.2, -0.8),
)
"""What people and the judge weigh eight graded factors with."""

_Signs = NDArray[np.int8]


def graded(
    rng: np.random.Generator, truth: _Signs, longer: _Signs, errors: str, graders: int
) -> _Signs:
    """The signs (G, n, F) of so many graders, drawn with their errors.

    Args:
        rng: of the draws.
        truth: (n, F), without error.
        longer: (n,), which response is the longer one.
        errors: a name in ``ERRORS``.
        graders: G.
    """
    mean, spread, by_length = ERRORS[errors]
    total = mean * (1 - mean) / spread**2 - 1 if spread else np.inf
    found = []
    for _ in range(graders):
        # One grader errs on each factor at a rate of its own.
        rates = (
            rng.beta(mean * total, (1 - mean) * total, truth.shape[1])
            if spread
            else np.full(truth.shape[1], mean)
        )
        wrong = np.where(truth == 0, rng.choice([1, -1], truth.shape), -truth)
        wrong = np.where(rng.random(truth.shape) < 0.5, wrong, 0)
        if by_length is not None:
            named = longer * rng.choice([1, -1], p=[by_length, 1 - by_length])
            wrong = np.broadcast_to(named[:, None], truth.shape)
        found.append(np.where(rng.random(truth.shape) < rates, wrong, truth))
    return np.array(found, np.int8)


def world(rng: np.random.Generator, sources: int, pairs: int) -> tuple[_Signs, _Signs]:
    """One factor's exact signs (n, 1) on pairs whose first response is preferred, and lengths."""
    n = sources * pairs
    share = (1 + TAU / (1 - FACTOR_TIES)) / 2
    rates = rng.beta(*(part * (1 / WITHIN - 1) for part in (share, 1 - share)), sources)
    more = np.where(rng.random(n) < np.repeat(rates, pairs), 1, -1)
    truth = np.where(rng.random(n) < FACTOR_TIES, 0, more)
    longer = np.where(rng.random(n) < LONGER_PREFERRED, 1, -1)
    return truth[:, None].astype(np.int8), longer.astype(np.int8)


def study(
    signs: _Signs, pairs: int, preferences: Sequence[_Signs], names: Sequence[Perspective]
) -> Study:
    """The study of a panel that gave these signs (G, n, F), on each of these preferences (n,)."""
    graders, n, count = signs.shape
    nowhere = np.zeros((n, count), bool)
    group = np.arange(n, dtype=np.int32) // pairs
    factors = tuple(f"f{i}" for i in range(count))

    def tables(of: _Signs) -> list[Comparisons]:
        return [
            Comparisons(preference, of, nowhere, group, factors, name)
            for preference, name in zip(preferences, names, strict=True)
        ]

    most, _ = majority(signs, np.zeros(signs.shape, bool))
    by_grader = [tables(one) for one in signs]
    return Study(
        dict(zip(names, tables(most), strict=True)),
        replicates=2,  # nothing here is of the bootstrap
        panel=GraderPanel(
            tuple(f"g{i}" for i in range(graders)),
            factors,
            {name: tuple(one[i] for one in by_grader) for i, name in enumerate(names)},
            signs,
            np.zeros(signs.shape, bool),
            group,
        ),
    )


@cache
def target(errors: str, graders: int) -> float:
    """What the majority of so many graders shows on average."""
    rng = np.random.default_rng(7)
    taus = []
    for _ in range(400):
        signs = graded(rng, *world(rng, 3000, 1), errors, graders)
        taus.append(majority(signs, np.zeros(signs.shape, bool))[0].mean())
    return float(np.mean(taus))


@dataclass(frozen=True)
class Covered:
    """What the intervals of many studies hold, in %, and how wide they are."""

    held: float
    truth: float
    width: float

    @classmethod
    def of(cls, found: Sequence[Estimate], aim: float, truth: float) -> "Covered":
        """Of intervals that must hold an aim; the truth is another thing."""
        held, true = (
            100 * float(np.mean([each.low <= x <= each.high for each in found]))
            for x in (aim, truth)
        )
        return cls(held, true, float(np.mean([each.high - each.low for each in found])))


def influences(errors: str, graders: int, sources: int, studies: int) -> tuple[Covered, Covered]:
    """What intervals of one influence cover without the spread, and with it."""
    rng = np.random.default_rng([graders, sources, list(ERRORS).index(errors)])
    plain, spread = [], []
    preference = np.ones(sources * PAIRS, np.int8)
    for _ in range(studies):
        signs = graded(rng, *world(rng, sources, PAIRS), errors, graders)
        found = study(signs, PAIRS, [preference], ["human"])
        spread.append(found.influence("human")["f0"])
        plain.append(Study(found.tables, replicates=2).influence("human")["f0"])
    aim = target(errors, graders)
    return Covered.of(plain, aim, TAU), Covered.of(spread, aim, TAU)


def judged(rng: np.random.Generator, n: int) -> tuple[_Signs, _Signs, list[_Signs]]:
    """Exact signs (n, 8), which response is longer, and the preferences of people and judge."""
    truth = rng.choice(np.array([1, 0, -1], np.int8), (n, 8), p=[0.4, 0.2, 0.4])
    longer = np.where(rng.random(n) < 0.5, 1, -1).astype(np.int8)
    preferences = [
        np.where(truth @ w + 0.5 * longer + rng.logistic(size=n) > 0, 1, -1).astype(np.int8)
        for w in np.array(WEIGHTS)
    ]
    return truth, longer, preferences


@cache
def aligned_target(errors: str, graders: int) -> tuple[float, float]:
    """Pearson's r of what the majority shows of both on average, and of labels without error."""
    rng = np.random.default_rng(7)
    profiles, exact = [], []
    for _ in range(200):
        truth, longer, preferences = judged(rng, 3000)
        signs = graded(rng, truth, longer, errors, graders)
        most = majority(signs, np.zeros(signs.shape, bool))[0]
        profiles.append([(p[:, None] * most).mean(axis=0) for p in preferences])
        exact.append([(p[:, None] * truth).mean(axis=0) for p in preferences])
    aim, right = (float(np.corrcoef(*np.mean(each, axis=0))[0, 1]) for each in (profiles, exact))
    return aim, right


def alignments(errors: str, graders: int, studies: int) -> tuple[Covered, Covered]:
    """What intervals of an alignment cover without the spread, and with it."""
    rng = np.random.default_rng([graders, list(ERRORS).index(errors)])
    plain, spread = [], []
    for _ in range(studies):
        truth, longer, preferences = judged(rng, ALIGNED_SOURCES * PAIRS)
        signs = graded(rng, truth, longer, errors, graders)
        found = study(signs, PAIRS, preferences, ["human", "discrimination"])
        without = Study(found.tables, replicates=2)
        for kept, each in ((spread, found), (plain, without)):
            kept.append(each.alignment("human", "discrimination")["pearson"])
    aim, right = aligned_target(errors, graders)
    return Covered.of(plain, aim, right), Covered.of(spread, aim, right)


HEAD = (
    "| where a grader errs | graders | sources | without the spread covers, % | **with it, %** | "
    "width without | with it | with it covers the truth, % |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|"
)


def line(errors: str, graders: int, sources: int, plain: Covered, spread: Covered) -> str:
    """A row of a table."""
    return (
        f"| {errors} | {graders} | {sources} | {plain.held:.1f} | {spread.held:.1f} | "
        f"{plain.width:.2f} | {spread.width:.2f} | {spread.truth:.1f} |"
    )


def main() -> None:
    """Simulate, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=500)
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args()
    rows = [
        line(errors, graders, sources, *influences(errors, graders, sources, options.studies))
        for errors, graders, sources in product(ERRORS, GRADERS, SOURCES)
    ]
    write(options.page, "\n".join([HEAD, *rows]), "influences")
    rows = [
        line(errors, graders, ALIGNED_SOURCES, *alignments(errors, graders, options.studies))
        for errors, graders in product(ERRORS, GRADERS)
    ]
    write(options.page, "\n".join([HEAD, *rows]), "alignments")


if __name__ == "__main__":
    main()
