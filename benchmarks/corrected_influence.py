"""What intervals of a graded factor's influence cover, as graded and corrected by human labels.

    python benchmarks/corrected_influence.py [--studies 1000]

Writes its tables into docs/corrected.md, between the two marks there. Pairs of one source go
together; graders are planted, with errors of four kinds at stated rates; a random sample of the
sources has labels, which are the truth. SIMULATION: no figure here is about a model or about
people.
"""

import argparse
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from calibration import ROOT, write
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.corrected import CorrectedInfluence, corrected_influence
from profile_tasks.scorers.statistics.estimate import Estimate

PAGE = ROOT / "docs" / "corrected.md"

TAU, TAUS = 0.5, (0.2, 0.5, 0.7)
RATES = (0.1, 0.2, 0.3)
ERRORS = (
    "says the opposite",
    "sees no difference",
    "takes the preferred response",
    "takes the longer response",
)
"""What a grader does where it errs: the second is blind in one way only, the last two have errors
that depend on the preference, and on length, which the preference follows."""

FACTOR_TIES, WITHIN, LONGER_PREFERRED = 0.2, 0.3, 0.7
"""Pairs without a difference; how the pairs of a source go together; preferred responses that are
the longer ones."""


@dataclass(frozen=True)
class Design:
    """Sources, pairs of each (least and most), sources with labels, pairs labelled in these."""

    sources: int
    pairs: tuple[int, int]
    labelled: int
    share: float = 1.0


DESIGNS = (
    Design(200, (3, 3), 30),
    Design(200, (3, 3), 50),
    Design(200, (1, 10), 50, 0.5),
    Design(1000, (1, 1), 100),
    Design(100, (10, 10), 30),
    Design(200, (10, 10), 200, 0.1),
)

LABELLED = (8, 12, 16, 20, 30, 50, 100)
FEW_LABELLED = tuple(product(((200, (1, 10)), (1000, (1, 1))), TAUS, (ERRORS[0], ERRORS[2])))
"""Where so many have labels: sources and pairs of each, influence, errors."""


def study(
    rng: np.random.Generator, design: Design, tau: float, errors: str, rate: float
) -> tuple[Comparisons, NDArray[np.float64]]:
    """The table of grades of one study of this tau_14, and the labels of its rows."""
    least, most = design.pairs
    group = np.repeat(np.arange(design.sources), rng.integers(least, most + 1, design.sources))
    share = (1 + tau / (1 - FACTOR_TIES)) / 2
    rates = rng.beta(*(part * (1 / WITHIN - 1) for part in (share, 1 - share)), design.sources)
    tied = rng.random(group.size) < FACTOR_TIES
    preference = rng.choice([1, -1], group.size)
    truth = np.where(tied, 0, np.where(rng.random(group.size) < rates[group], 1, -1) * preference)
    longer = np.where(rng.random(group.size) < LONGER_PREFERRED, 1, -1) * preference
    meant = {
        "says the opposite": np.where(tied, rng.choice([1, -1], group.size), -truth),
        "sees no difference": np.zeros_like(truth),
        "takes the preferred response": preference,
        "takes the longer response": longer,
    }[errors]
    # Taking the longer response is no error where that is right: drawn so often that rate are.
    right = {
        "says the opposite": 0.0,
        "sees no difference": FACTOR_TIES,
        "takes the preferred response": (1 - FACTOR_TIES) * share,
        "takes the longer response": (1 - FACTOR_TIES)
        * (share * LONGER_PREFERRED + (1 - share) * (1 - LONGER_PREFERRED)),
    }[errors]
    grades = np.where(rng.random(group.size) < rate / (1 - right), meant, truth)
    table = Comparisons(
        preference.astype(np.int8),
        grades[:, None].astype(np.int8),
        np.zeros((group.size, 1), bool),
        group.astype(np.int32),
        ("graded",),
        "human",
    )
    asked = rng.permutation(design.sources)[: design.labelled]
    # Within a source the labelled pairs are a random sample, one at least.
    place = rng.random(group.size)
    place = np.argsort(np.lexsort((place, group))) - np.searchsorted(group, group)
    wanted = np.maximum(1, np.round(design.share * np.bincount(group)))[group]
    return table, np.where(np.isin(group, asked) & (place < wanted), truth, np.nan)


def corrected(
    design: Design, tau: float, errors: str, rate: float, studies: int
) -> list[CorrectedInfluence]:
    """What each of so many studies finds."""
    seed = [
        *(design.sources, *design.pairs, design.labelled, int(10 * design.share)),
        *(int(100 * tau), int(100 * rate), ERRORS.index(errors)),
    ]
    rng = np.random.default_rng(seed)
    return [
        corrected_influence(table, "graded", labels, minimum=3)
        for table, labels in (study(rng, design, tau, errors, rate) for _ in range(studies))
    ]


def covered(estimates: list[Estimate], tau: float) -> float:
    """Share of intervals that hold the truth, in %."""
    return 100 * float(np.mean([each.low - 1e-9 <= tau <= each.high + 1e-9 for each in estimates]))


def width(estimates: list[Estimate]) -> float:
    """Mean width of the intervals."""
    return float(np.mean([each.high - each.low for each in estimates]))


def by_error(studies: int) -> list[str]:
    """Coverage and width by kind and rate of the grader's errors, over the designs."""
    lines = [
        "| where the grader errs it | in % | as graded: covers, % | corrected: covers, % | "
        "least, most | width as graded | corrected | labels alone |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for errors, rate in [(ERRORS[0], 0.0), *product(ERRORS, RATES)]:
        found = [corrected(design, TAU, errors, rate, studies) for design in DESIGNS]
        forms = {
            name: [[getattr(each, name) for each in of_design] for of_design in found]
            for name in ("graded", "corrected", "labels_alone")
        }
        plain, now = (
            [covered(of_design, TAU) for of_design in forms[name]]
            for name in ("graded", "corrected")
        )
        widths = [f"{np.mean([width(each) for each in form]):.2f}" for form in forms.values()]
        lines.append(
            f"| {errors if rate else 'does not'} | {100 * rate:.0f} | {np.mean(plain):.1f} | "
            f"{np.mean(now):.1f} | {min(now):.1f}, {max(now):.1f} | {' | '.join(widths)} |"
        )
        print(lines[-1], flush=True)
    return lines


def by_labelled(studies: int) -> list[str]:
    """Coverage of the corrected interval by how many sources have labels."""
    lines = [
        "| labelled sources | 2 % errors: covers, % | least, most | 20 % errors: covers, % | "
        "least, most | corrected width |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for labelled in LABELLED:
        cells = []
        for rate in (0.02, 0.2):
            shares, widths = [], []
            for (n, pairs), tau, errors in FEW_LABELLED:
                design = Design(n, pairs, labelled)
                made = [x.corrected for x in corrected(design, tau, errors, rate, studies)]
                shares.append(covered(made, tau))
                widths.append(width(made))
            cells.append(f"{np.mean(shares):.1f} | {min(shares):.1f}, {max(shares):.1f}")
        lines.append(f"| {labelled} | {' | '.join(cells)} | {np.mean(widths):.2f} |")
        print(lines[-1], flush=True)
    return lines


def main() -> None:
    """Simulate, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args()
    tables = [by_error(options.studies), by_labelled(options.studies)]
    write(options.page, "\n\n".join("\n".join(table) for table in tables), "corrected-influence")


if __name__ == "__main__":
    main()
