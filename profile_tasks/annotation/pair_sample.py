"""Which pairs people are asked about: spread over sources, and as many as an interval needs.

Pairs of one source are not independent, so that a pair of another source tells more than a second
one of the same (docs/power.md). Every source therefore has one pair before any has two.
"""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from profile_tasks.scorers.statistics.power import PowerCurve, StudyDesign, power_curves
from profile_tasks.scorers.statistics.source_population import Assumptions, assumed_population

SOURCE_SPREAD = 0.1
"""Assumed standard deviation of tau between sources, as of ``profile-tasks power``."""

_RESPONSES = {1: 2, 3: 3, 6: 4, 10: 5}
"""Pairs a source -> responses of which they are all the pairs."""


@dataclass(frozen=True)
class AskedSample:
    """How many pairs are asked about.

    Attributes:
        pairs: All of them.
        groups: Of how many sources they are.
        half_width: Of the 95 % interval of an influence of 0, where it is widest, in the median
            study of as many sources; infinite where it has none.
        responses: To a source, all of whose pairs this is simulated with.
    """

    pairs: int
    groups: int
    half_width: float
    responses: int


def size_of(groups: Sequence[str], seed: int) -> AskedSample:
    """What pairs of these groups, one entry a pair, let expect.

    >>> size_of([f"s{n}" for n in range(50) for _ in range(3)], seed=0).responses
    3
    """
    n_groups = len(set(groups))
    # Pairs that are spread over more sources tell no less than as many in fewer of them.
    like = [(min(n_groups, len(groups) // each), r) for each, r in _RESPONSES.items()]
    half_width, responses = min((_half_width(n, r, seed), r) for n, r in like if n)
    return AskedSample(len(groups), n_groups, half_width, responses)


def pairs_for(groups: Sequence[str], width: float, seed: int) -> int:
    """The fewest pairs whose interval of an influence is narrow enough.

    One pair of each of as many sources as that takes; where there are fewer sources, all pairs of
    three responses to each, of four, of five.

    Args:
        groups: Of all pairs that there are, one entry a pair.
        width: Half the width of the 95 % interval that is wanted.
        seed: Of the simulated studies.

    Raises:
        ValueError: There are not so many.
    """
    sizes = Counter(groups)
    for each, responses in _RESPONSES.items():
        n_groups = sum(size >= each for size in sizes.values())
        needed = _needed(width, responses, seed)
        if needed is not None and needed <= n_groups:
            return needed * each
    reached = size_of(groups, seed).half_width
    raise ValueError(
        f"the {len(groups)} pairs of {len(sizes)} sources do not give a 95 % interval of "
        f"±{width:g}: all of them give ±{reached:.2f}; ask for a wider one (--width)"
    )


def spread(groups: Sequence[str], pairs: int, seed: int) -> list[int]:
    """Places of some pairs, drawn at random: one of every group before a second one of any.

    Args:
        groups: Of all pairs, one entry a pair.
        pairs: How many are drawn; of fewer, all.
        seed: Of the draw.

    >>> sorted(("one", "one", "one", "two")[at] for at in spread(["one"] * 3 + ["two"], 2, seed=0))
    ['one', 'two']
    """
    drawn = random.Random(f"pairs {seed}").sample(range(len(groups)), len(groups))  # noqa: S311
    turns: Counter[str] = Counter()
    turn = {}
    for at in drawn:
        turns[groups[at]] += 1
        turn[at] = turns[groups[at]]
    return sorted(drawn, key=turn.__getitem__)[:pairs]


def _needed(width: float, responses: int, seed: int) -> int | None:
    (size,) = _curve(StudyDesign(width=width, seed=seed), responses).needed
    return size.n


def _half_width(n_groups: int, responses: int, seed: int) -> float:
    design = StudyDesign(sources=(n_groups,), most=max(n_groups, 100), seed=seed)
    return float(_curve(design, responses).values[0, 0])


def _curve(design: StudyDesign, responses: int) -> PowerCurve:
    assumed = Assumptions(responses=responses, tau=0.0, source_spread=SOURCE_SPREAD)
    curves = power_curves(assumed_population(assumed, seed=design.seed), design)
    return next(each for each in curves if each.goal == "width")
