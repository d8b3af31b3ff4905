"""Who meets whom, what it costs, and how the samples fare."""

from itertools import product
from typing import get_args

import anyio
import pytest

from profile_tasks.scorers.measurement.standard_metrics import combined_preference
from profile_tasks.solvers.tournament import (
    Match,
    Picks,
    Tournament,
    play,
    standings,
    tournament_requests,
)
from profile_tasks.solvers.verdict import ShownPick

FIRST: Picks = ("first", "second")
SECOND: Picks = ("second", "first")
FLIP: Picks = ("first", "first")


def played(samples: list[int], tournament: Tournament, better: list[int]) -> list[Match]:
    """The matches before a judge who likes samples in the order of `better`."""

    async def judge(first: int, second: int) -> Picks:
        return FIRST if better.index(first) < better.index(second) else SECOND

    async def run() -> list[Match]:
        return await play(samples, tournament, judge)

    return anyio.run(run)


@pytest.mark.parametrize("tournament", get_args(Tournament))
@pytest.mark.parametrize("n", range(2, 9))
def test_a_tournament_takes_the_requests_that_are_announced(tournament: Tournament, n: int) -> None:
    matches = played(list(range(n)), tournament, list(range(n)))
    assert 2 * len(matches) == tournament_requests(n, tournament)


def test_in_a_round_robin_shares_follow_the_judges_order() -> None:
    found = standings(range(4), played([0, 1, 2, 3], "round_robin", [2, 0, 3, 1]))
    assert [found[i].share for i in (2, 0, 3, 1)] == [1.0, 2 / 3, 1 / 3, 0.0]


@pytest.mark.parametrize("n", range(2, 9))
def test_a_knock_out_finds_the_best_and_lets_each_other_sample_lose_once(n: int) -> None:
    matches = played(list(range(n)), "knock_out", list(range(n))[::-1])
    found = standings(range(n), matches)
    assert (found[n - 1].share, found[n - 1].losses) == (1.0, 0)
    assert [found[i].losses for i in range(n - 1)] == [1] * (n - 1)


def test_where_a_match_has_no_winner_the_sample_of_the_lower_number_goes_on() -> None:
    async def judge(first: int, second: int) -> Picks:
        return (None, "first") if second == 3 else FLIP

    async def run() -> list[Match]:
        return await play([0, 1, 2, 3], "knock_out", judge)

    matches = anyio.run(run)
    assert [(match.first, match.second) for match in matches] == [(0, 1), (2, 3), (0, 2)]


def test_one_sample_or_none_meets_nobody() -> None:
    assert played([3], "round_robin", [3]) == played([], "knock_out", []) == []


def test_two_verdicts_make_the_preference_that_they_make_everywhere() -> None:
    verdicts: tuple[ShownPick | None, ...] = ("first", "second", "tie", None)
    for picks in product(verdicts, repeat=2):
        assert Match(0, 1, picks).preference == combined_preference(picks)


def test_ties_count_half_and_unreadable_matches_not_at_all() -> None:
    found = standings(
        range(3), [Match(0, 1, FLIP), Match(0, 2, (None, "first")), Match(1, 2, FIRST)]
    )
    assert (found[0].share, found[0].unreadable) == (0.5, 1)
    assert found[1].share == 0.75
    assert found[2].share == 0.0
    assert standings([0], [])[0].share is None
