"""What the control of systems does to an adjusted influence of known size.

    python benchmarks/system_control.py [--studies 1000]

Writes its table into docs/adjusted.md, between the two marks there. SIMULATION: no figure here is
about a model or about people. Systems differ in strength, and the stronger may write longer; the
preference is drawn by the Bradley-Terry model of both, so the true influence of length is known.
"""

import argparse
from pathlib import Path

import numpy as np
from calibration import ROOT, write
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.adjusted import adjusted_influence
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.systems import Systems

PAGE = ROOT / "docs" / "adjusted.md"
WIDEST = 1.2
"""Strength of the best system, in log-odds; the worst has as much below 0."""

DESIGNS = (  # sources, pairs of each, systems, do strengths differ, do the stronger write longer
    (100, 4, 2, True, True),
    (100, 4, 6, True, True),
    (100, 4, 6, True, False),
    (100, 4, 6, False, False),
    (30, 20, 6, True, True),
    (400, 1, 6, True, True),
    (100, 4, 20, True, True),
    (100, 20, 50, True, True),
    (100, 4, 50, True, True),
)
INFLUENCES = (0.0, 0.5)

Design = tuple[int, int, int, bool, bool]


def study(
    rng: np.random.Generator, design: Design, influence: float
) -> tuple[Comparisons, Systems]:
    """One study: length, and a second factor that goes along with it."""
    sources, pairs, n_systems, differ, longer = design
    n = sources * pairs
    place = np.linspace(-1, 1, n_systems)
    strength = WIDEST * place * differ
    a = rng.integers(0, n_systems, n)
    b = (a + rng.integers(1, n_systems, n)) % n_systems
    group = np.repeat(np.arange(sources), pairs)
    of_source = 0.5 * rng.standard_normal(sources)[group]
    words = 1.5 * longer * (place[a] - place[b]) + of_source + rng.standard_normal(n)
    facts = 0.7 * words + rng.standard_normal(n)
    signs = np.sign(np.column_stack([words, facts])).astype(np.int8)
    signs[rng.random(signs.shape) < 0.1] = 0
    utility = signs @ [influence, 0.4] + strength[a] - strength[b] + rng.logistic(size=n)
    table = Comparisons(
        np.sign(utility).astype(np.int8),
        signs,
        np.zeros(signs.shape, bool),
        group.astype(np.int32),
        ("length", "number_of_facts"),
        "human",
    )
    names = tuple(f"model {index}" for index in range(n_systems))
    return table, Systems(np.column_stack([a, b]).astype(np.int32), names)


def measured(design: Design, influence: float, studies: int) -> NDArray[np.float64]:
    """(studies, 2, 4): without and with control: truth, estimate, low, high; then the share."""
    rng = np.random.default_rng([*map(int, design), round(100 * influence)])
    rows = []
    for _ in range(studies):
        table, systems = study(rng, design, influence)
        truth = influence * np.sqrt((table.manifestation[:, 0].astype(float) ** 2).mean())
        row = []
        for found in (adjusted_influence(table), adjusted_influence(table, systems=systems)):
            share = np.nan if found.control is None else found.control.share[0]
            row.append([truth, found.coefficient[0], found.low[0], found.high[0], share])
        rows.append(row)
    return np.array(rows)


def line(design: Design, influence: float, studies: int) -> str:
    """One row of the table."""
    sources, pairs, n_systems, differ, longer = design
    found = measured(design, influence, studies)
    found = found[np.isfinite(found[:, :, 1]).all(axis=1)]
    truth, estimate, low, high, share = np.moveaxis(found, 2, 0)
    bias = (estimate - truth).mean(axis=0)
    covered = 100 * ((low <= truth) & (truth <= high)).mean(axis=0)
    width = np.median((high - low)[:, 1] / (high - low)[:, 0])
    strengths = ("better ones longer" if longer else "unrelated") if differ else "all equal"
    cells = [f"{sources} x {pairs}", n_systems, strengths, f"{influence:g}"]
    cells += [f"{100 * np.nanmean(share[:, 1]):.0f}" if np.isfinite(share[:, 1]).any() else "-"]
    for column in (0, 1):
        cells += [f"{bias[column]:+.2f}".replace("-", "−"), f"{covered[column]:.1f}"]
    cells += [f"{width:.2f}", len(found)]
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    """Simulate, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args()
    lines = [
        "| sources x pairs | systems | their strengths | true influence | variance by systems, % | "
        "bias without | covers, % | bias with control | covers, % | width, times | studies |",
        "|---|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for design in DESIGNS:
        for influence in INFLUENCES:
            lines.append(line(design, influence, options.studies))
            print(lines[-1], flush=True)
    write(options.page, "\n".join(lines), "system-control")


if __name__ == "__main__":
    main()
