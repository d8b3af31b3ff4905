"""Ranking the samples of one source by verdicts on pairs of them.

A round robin lets every two samples meet; a knock-out lets the winners of one round meet in the
next, for a fraction of the requests. Every meeting is shown in both orders. What identical samples
would say of each other is nothing, so the caller lets distinct samples meet only.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from inspect_ai.util import collect
from pydantic import BaseModel, computed_field

from profile_tasks.settings import Tournament
from profile_tasks.solvers.both_orders import PairVerdict, Picks


class Match(BaseModel, frozen=True):
    """Two samples that met, as a log holds it.

    Attributes:
        first: Index of the sample shown first in the first request.
        second: Index of the other one.
        picks: The picks of the verdict on them.
        margins: Its margins; empty where the judge answered in words.
    """

    first: int
    second: int
    picks: Picks
    margins: tuple[float, ...] = ()

    @property
    def verdict(self) -> PairVerdict:
        """What the judge said of the two."""
        return PairVerdict(self.picks, self.margins)

    @computed_field  # type: ignore[prop-decorator] # a log holds it, for whoever reads one
    @property
    def preference(self) -> int | None:
        """1: the first is better; -1: the second; 0: a tie or a flip; None: unreadable."""
        return self.verdict.preference


@dataclass(frozen=True)
class Standing:
    """How a sample fared.

    Attributes:
        wins: Matches that it won in both orders.
        losses: Matches that it lost in both orders.
        ties: Matches in which the orders disagreed.
        unreadable: Matches with an unreadable verdict; they count for nothing.
    """

    wins: int = 0
    losses: int = 0
    ties: int = 0
    unreadable: int = 0

    @property
    def share(self) -> float | None:
        """Share of its matches that it won, a tie being half a win, 0 to 1; None without any.

        >>> Standing(wins=1, ties=1).share, Standing(unreadable=1).share
        (0.75, None)
        """
        decided = self.wins + self.losses + self.ties
        return (self.wins + self.ties / 2) / decided if decided else None


def tournament_requests(n: int, tournament: Tournament) -> int:
    """The requests that ranking n distinct samples takes, both orders of each match.

    >>> tournament_requests(4, "round_robin"), tournament_requests(4, "knock_out")
    (12, 6)
    """
    return n * (n - 1) if tournament == "round_robin" else 2 * (n - 1)


async def play(
    samples: Sequence[int],
    tournament: Tournament,
    judge: Callable[[int, int], Awaitable[PairVerdict]],
) -> list[Match]:
    """Let samples meet, as many at a time as do not depend on each other.

    In a knock-out an odd sample out passes a round, and where a match has no winner the sample of
    the lower number goes on: samples are drawn alike, so that favours none for what it says.

    Args:
        samples: Indices of distinct samples, rising.
        tournament: Who meets whom.
        judge: The verdict on a pair of samples.
    """

    async def meet(first: int, second: int) -> Match:
        verdict = await judge(first, second)
        return Match(first=first, second=second, picks=verdict.picks, margins=verdict.margins)

    if tournament == "round_robin":
        return list(await collect(*(meet(*pair) for pair in combinations(samples, 2))))
    matches: list[Match] = []
    left = list(samples)
    while len(left) > 1:
        pairs = list(zip(left[::2], left[1::2], strict=False))
        played = list(await collect(*(meet(*pair) for pair in pairs)))
        matches += played
        going_on = [m.second if m.preference == -1 else m.first for m in played]
        left = going_on + (left[-1:] if len(left) % 2 else [])
    return matches


def standings(samples: Iterable[int], matches: Iterable[Match]) -> dict[int, Standing]:
    """How each sample fared.

    >>> standings([0, 1], [Match(first=0, second=1, picks=("second", "first"))])[1].wins
    1
    """
    tally = {sample: [0, 0, 0, 0] for sample in samples}
    for match in matches:
        preference = match.preference
        for sample, sign in ((match.first, 1), (match.second, -1)):
            column = 3 if preference is None else {1: 0, -1: 1, 0: 2}[sign * preference]
            tally[sample][column] += 1
    return {sample: Standing(*counts) for sample, counts in tally.items()}
