"""Where a 95 % interval covers more or less than it says, in words.

The figures are those of docs/calibration.md and docs/own-labels.md: simulated studies of known
truth on real designs. Whatever prints intervals prints these sentences beside them.
"""

from collections.abc import Mapping

from profile_tasks.scorers.statistics.estimate import FEW_GROUPS

OF_RANKS = (
    "tau_b and rho: where a taste's influences nearly tie, their intervals cover less than 95 %, "
    "down to 65 %; Pearson's r covers 93 to 98 %, of a model's own pairs 89 to 95 %"
)
"""Said of all intervals of rank coefficients: whether true influences tie is not to be seen."""

FEW_FOR_CONTRIBUTIONS = {"sources": 100, "pairs": 300}

NEAR_THE_END, PAIRS_OF_A_SOURCE = 0.95, 3.0


def of_few_sources(n_groups: int | None, *, alignments: bool = True) -> list[str]:
    """Return what must be said of the intervals of so many groups; None is not known.

    Args:
        n_groups: their number.
        alignments: whether alignments are among what is shown.

    Example:
        >>> of_few_sources(200)
        []
        >>> of_few_sources(12)
        ['few sources (12 groups): intervals are wide and cover up to 100 %; an alignment can \
often not be estimated, and differences of alignments may reach from end to end']

    """
    if n_groups is None or n_groups >= FEW_GROUPS:
        return []
    said = f"few sources ({n_groups} groups): intervals are wide and cover up to 100 %"
    if alignments:
        said += (
            "; an alignment can often not be estimated, and differences of alignments may reach "
            "from end to end"
        )
    return [said]


def of_steep_influences(
    taus: Mapping[str, float | None], n_pairs: int | None, n_groups: int | None
) -> list[str]:
    """Return what must be said of the intervals of influences near the end of their scale.

    Args:
        taus: by factor.
        n_pairs: decided pairs behind them.
        n_groups: their groups.

    Example:
        >>> len(of_steep_influences({"length": 0.97}, 400, 40))
        1
        >>> of_steep_influences({"length": 0.97}, 40, 40)
        []

    """
    steep = [factor for factor, tau in taus.items() if tau and abs(tau) > NEAR_THE_END]
    if not steep or not n_groups or (n_pairs or 0) <= PAIRS_OF_A_SOURCE * n_groups:
        return []
    return [
        f"influences near the end of the scale ({', '.join(steep)}): where the pairs of a source "
        "go together, their intervals cover down to 87 %"
    ]


def of_contributions(n_pairs: int, n_groups: int) -> list[str]:
    """Return what must be said of the intervals of contributions (docs/contributions.md).

    Args:
        n_pairs: decided pairs behind them.
        n_groups: their groups.

    Example:
        >>> of_contributions(600, 100)
        []
        >>> of_contributions(150, 50)
        ['few sources or pairs: 95 % intervals of contributions and shares cover 87 to 94 %']

    """
    few = FEW_FOR_CONTRIBUTIONS
    if n_groups >= few["sources"] and n_pairs >= few["pairs"]:
        return []
    return ["few sources or pairs: 95 % intervals of contributions and shares cover 87 to 94 %"]
