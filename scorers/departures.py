"""Where a model's profile departs from the human one, most significant first, and which way.

What a writer can do about a departure depends on more than its sign. Where readers prefer more of a
factor and the model follows that too little, it should write more of it. Where the model overdoes
what readers weigh less, the opposite would be as wrong: it should leave the factor alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from profile_tasks.scorers.comparisons import Comparisons
from profile_tasks.scorers.influence import factor_profile
from profile_tasks.scorers.significance import difference_tests
from profile_tasks.scorers.uncertainty import bootstrap_taus
from profile_tasks.solvers.prompts import FACTOR_FEEDBACK, FACTOR_LINES

Direction = Literal["more", "less", "keep"]

SIGNIFICANT = 0.05
"""A departure counts where its p-value, adjusted by Holm over the factors, lies below."""

MOST_FACTORS = 3
"""How many departures feedback names, unless more or fewer are asked for."""


@dataclass(frozen=True)
class Departure:
    """One factor on which a model's profile departs from the human one.

    Attributes:
        factor: Its id.
        human: Its influence on the human preference, in [-1, 1].
        model: Its influence on what the model writes, in [-1, 1].
        p_adjusted: p-value of the difference, adjusted over the factors by Holm.
        direction: What the writer should do: show "more" of it or "less", as readers prefer and
            the model does too little; or "keep" it, where the model follows it more than readers.
    """

    factor: str
    human: float
    model: float
    p_adjusted: float
    direction: Direction


def direction(human: float, model: float) -> Direction:
    """What a writer with this influence should do for readers with that.

    >>> direction(0.3, -0.1), direction(-0.3, 0.9), direction(0.1, 0.9), direction(-0.1, -0.9)
    ('more', 'less', 'keep', 'keep')
    """
    if human > max(model, 0):
        return "more"
    return "less" if human < min(model, 0) else "keep"


def departures(
    human: Comparisons, model: Comparisons, *, most: int = MOST_FACTORS, seed: int = 0
) -> tuple[Departure, ...]:
    """The significant departures, most significant first.

    Ordered by the adjusted p-value of the test paired by group (``difference_tests``). Equal
    p-values are common, since random flips give none below 1 in 10,000; then the difference over
    its bootstrap standard error decides, never its raw size.

    Args:
        human: Human preferences.
        model: What the model wrote, on sources of the same codes where they are the same.
        most: At most so many of them, >= 1.
        seed: Of the test and the bootstrap.

    Raises:
        ValueError: ``most`` is below 1.

    >>> signs = [[1, -1]] * 20
    >>> table = Comparisons([1] * 20, signs, [[False] * 2] * 20, range(20), ("a", "b"), "human")
    >>> other = Comparisons(
    ...     [1] * 20, [[1, 1]] * 20, [[False] * 2] * 20, range(20), ("a", "b"), "generation"
    ... )
    >>> [(found.factor, found.direction) for found in departures(table, other)]
    [('b', 'less')]
    """
    if most < 1:
        raise ValueError(f"most is {most}; name at least 1 factor")
    tests = difference_tests(human, model, seed=seed)
    drawn = bootstrap_taus([human, model], replicates=1000, seed=seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        standardised = np.abs(tests.value) / np.nanstd(drawn[0] - drawn[1], axis=0)
    taus = [factor_profile(table).tau for table in (human, model)]
    found = [
        (float(tests.p_holm[i]), -float(standardised[i]), i)
        for i in range(len(tests.factors))
        if tests.p_holm[i] < SIGNIFICANT
    ]
    return tuple(
        Departure(
            tests.factors[i],
            float(taus[0][i]),
            float(taus[1][i]),
            p,
            direction(float(taus[0][i]), float(taus[1][i])),
        )
        for p, _, i in sorted(found)[:most]
    )


def factor_feedback(found: tuple[Departure, ...], meanings: Mapping[str, str]) -> str:
    """Departures in words, for the writer.

    Args:
        found: At least one.
        meanings: Factor id -> what a text that shows more of it is like.

    >>> found = Departure("length", -0.2, 0.9, 0.01, "less")
    >>> print(factor_feedback((found,), {"length": "longer"}))
    Readers' preferences were compared with what you write, over many texts like this one. \
These properties differ most:
    - length: less. Readers prefer less of it (-0.20) than you write for them (+0.90). \
More of it means: longer.
    The numbers are influences from -1 (always less of it in the preferred text) to +1 \
(always more).
    """
    lines = [
        FACTOR_LINES[one.direction].format(
            id=one.factor,
            human=one.human,
            model=one.model,
            meaning=" ".join(meanings.get(one.factor, "more of it").split()),
        )
        for one in found
    ]
    return FACTOR_FEEDBACK.format(lines="\n".join(lines))
