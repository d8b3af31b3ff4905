"""Where a model's profile departs from the human one, most significant first, and which way.

What a writer should do about a departure depends on more than its sign. Where readers prefer more
of a factor and the model follows that too little, it should write more of it. Where the model
overdoes what readers weigh less, the opposite would be as wrong: it should leave the factor alone.
And a direction that the human data do not show is not given.

People compared other texts than the model wrote, so a departure may be the texts' alone. Where the
model judged what it wrote, two comparisons on the same pairs tell: its judging of the annotated
pairs beside people's, and its writing beside its own judging of the texts. A departure counts where
one of the two differs in taste.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import MINIMUM_GROUPS
from profile_tasks.scorers.statistics.significance import difference_tests, influence_tests
from profile_tasks.scorers.statistics.study import HUMAN, WRITER, Study
from profile_tasks.scorers.statistics.taste import taste_difference
from profile_tasks.settings import MOST_FACTORS
from profile_tasks.solvers.prompts import FACTOR_FEEDBACK, FACTOR_LINES

Direction = Literal["more", "less", "keep"]

SIGNIFICANT = 0.05
"""A departure counts where its p-value, adjusted by Holm over the factors, lies below; a human
influence has a direction where its own, single p-value does."""


@dataclass(frozen=True)
class Departure:
    """One factor on which a model's profile departs from the human one.

    Attributes:
        factor: Its id.
        human: Its influence on the human preference, in [-1, 1].
        model: Its influence on what the model writes, in [-1, 1].
        p_adjusted: p-value of the difference, adjusted over the factors by Holm.
        direction: What the writer should do: show "more" of it or "less", as readers prefer and
            the model does too little; or "keep" it, since the model follows it more than readers.
    """

    factor: str
    human: float
    model: float
    p_adjusted: float
    direction: Direction


def direction(human: float, model: float, human_p: float) -> Direction:
    """What a writer with this influence should do for readers with that, where the two differ.

    Args:
        human: Influence on the human preference.
        model: Influence on what the model writes.
        human_p: p-value of the human influence against 0. A smaller influence than the model's
            has no direction without; of a larger one, the difference already shows it.

    >>> direction(0.3, -0.1, 0.2), direction(-0.3, 0.9, 0.01), direction(-0.3, 0.9, 0.2)
    ('more', 'less', 'keep')
    >>> direction(0.1, 0.9, 0.01)
    'keep'
    """
    if human_p < SIGNIFICANT or abs(human) >= abs(model):
        if human > max(model, 0):
            return "more"
        if human < min(model, 0):
            return "less"
    return "keep"


def departures(
    human: Comparisons,
    model: Comparisons,
    *,
    judged: Comparisons | None = None,
    own: Comparisons | None = None,
    most: int = MOST_FACTORS,
    seed: int = 0,
) -> tuple[Departure, ...]:
    """The significant departures, those to change first, each kind most significant first.

    Ordered by the adjusted p-value of the test paired by group (``difference_tests``). Equal
    p-values are common, since random flips give none below 1 in 10,000; then the difference over
    its bootstrap standard error decides, never its raw size. A factor on which annotated pairs
    of fewer than ``MINIMUM_GROUPS`` groups differ is left out: the human data say nothing of it.

    Args:
        human: Human preferences.
        model: What the model wrote, on sources of the same codes where they are the same.
        judged: Its preferences on the pairs that people judged.
        own: Its preferences on the pairs that it wrote; without, all significant departures count.
        most: At most so many to change ("more", "less"), and as many to "keep"; >= 1.
        seed: Of the tests and the bootstrap.

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
    study = Study({HUMAN: human, WRITER: model}, seed=seed)
    _, tests = study.difference(HUMAN, WRITER)
    human_p = influence_tests(human).p_value
    spread = np.std(study.drawn[HUMAN] - study.drawn[WRITER], axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        standardised = np.abs(tests.value) / spread
    taus = [study.profiles[name].tau.tolist() for name in (HUMAN, WRITER)]
    significant = (tests.p_holm < SIGNIFICANT) & (_differing_groups(human) >= MINIMUM_GROUPS)
    if own is not None:
        same_pairs = [(model, own)] if judged is None else [(model, own), (judged, human)]
        significant &= np.any([_in_taste(*pair) for pair in same_pairs], axis=0)
    order = sorted(
        np.flatnonzero(significant).tolist(), key=lambda i: (tests.p_holm[i], -standardised[i])
    )
    found = [
        Departure(
            tests.factors[i],
            taus[0][i],
            taus[1][i],
            float(tests.p_holm[i]),
            direction(taus[0][i], taus[1][i], float(human_p[i])),
        )
        for i in order
    ]
    changed = [one for one in found if one.direction != "keep"]
    kept = [one for one in found if one.direction == "keep"]
    return (*changed[:most], *kept[:most])


def _in_taste(first: Comparisons, second: Comparisons) -> list[bool]:
    """Whether two judges of the same pairs differ in taste, factor by factor."""
    found = taste_difference(first, second, difference_tests(first, second))
    return [verdict == "differs in taste" for verdict in found.verdicts]


def _differing_groups(table: Comparisons) -> NDArray[np.int64]:
    """In how many groups two responses with a preference differ on each factor."""
    differs = (table.manifestation != 0) & (table.preference != 0)[:, None]
    return np.array([np.unique(table.group[column]).size for column in differs.T], dtype=np.int64)


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
