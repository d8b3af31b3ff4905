"""How often slices are told to differ, where they do not and where one does. SIMULATION.

    python benchmarks/slice_tests.py --studies 500

Sources have tastes of their own for three factors; a third of them stands in slice x, the rest in
y. Where an effect is planted, the first factor weighs so much more in x. Prints the shares of
studies in which p is at most .05: of the marginal difference of each factor, of its interaction,
and of any after Benjamini and Hochberg.
"""

import argparse

import numpy as np

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.slices import sliced

FACTORS = ("length", "fluency", "idle")
WEIGHTS = (0.8, 0.3, 0.0)
SPREAD_OF_SOURCES = 0.4
DESIGNS = ((60, 3), (200, 1))
PLANTED = (0.0, 1.5)


def study(groups: int, pairs: int, planted: float, seed: int) -> tuple[Comparisons, list[str]]:
    """A simulated study, and the slice of each pair."""
    drawn = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), pairs)
    in_x = group % 3 == 0
    weights = (WEIGHTS + SPREAD_OF_SOURCES * drawn.normal(size=(groups, 3)))[group]
    weights[in_x, 0] += planted
    manifestation = drawn.choice([-1, 1], size=(len(group), 3))
    utility = (weights * manifestation).sum(axis=1) + drawn.logistic(size=len(group))
    table = Comparisons(
        np.sign(utility).astype(np.int8),
        manifestation.astype(np.int8),
        np.zeros(manifestation.shape, dtype=bool),
        group.astype(np.int32),
        FACTORS,
        "human",
    )
    return table, ["x" if each else "y" for each in in_x]


def rejected(groups: int, pairs: int, planted: float, studies: int) -> str:
    """A row of the table."""
    found = [
        sliced(*study(groups, pairs, planted, seed), replicates=100).slices
        for seed in range(studies)
    ]
    of_x = [next(each for each in slices if each.label == "x") for slices in found]

    def share(name: str) -> str:
        values = np.array([getattr(each, name) for each in of_x])
        return " / ".join(f"{100 * share:.1f}" for share in (values <= 0.05).mean(axis=0))

    def any_told(name: str) -> str:
        told = [np.any(getattr(each, name) <= 0.05) for slices in found for each in slices]
        by_study = np.reshape(told, (studies, -1)).any(axis=1)
        return f"{100 * by_study.mean():.1f}"

    cells = (
        share("p_value"),
        share("interaction_p_value"),
        any_told("p_adjusted"),
        any_told("interaction_p_adjusted"),
    )
    return f"| {groups} x {pairs} | {planted:g} | {' | '.join(cells)} |"


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=500)
    studies = parser.parse_args(arguments).studies
    print(
        "| sources x pairs | planted in x | differences: length / fluency / idle (%) "
        "| interactions (%) | any difference, BH (%) | any interaction, BH (%) |\n"
        "|---|---|---|---|---|---|"
    )
    for groups, pairs in DESIGNS:
        for planted in PLANTED:
            print(rejected(groups, pairs, planted, studies), flush=True)


if __name__ == "__main__":
    main()
