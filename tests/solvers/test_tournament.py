"""Who meets whom, what it costs, and how the samples fare."""

from typing import get_args

import anyio
import pytest

from profile_tasks.solvers.both_orders import PairVerdict
from profile_tasks.solvers.tournament import (
    Match,
    Tournament,
    play,
    standings,
    tournament_requests,
)

FIRST = PairVerdict(("first", "second"))
SECOND = PairVerdict(("second", "first"))
FLIP = PairVerdict(("first", "first"))
UNREADABLE = PairVerdict((None, "first"))


def match(first: int, second: int, verdict: PairVerdict) -> Match:
    return Match(first=first, second=second, picks=verdict.picks)


def played(samples: list[int], tournament: Tournament, better: list[int]) -> list[Match]:
    """The matches before a judge who likes samples in the order of `better`."""

    async def judge(first: int, second: int) -> PairVerdict:
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
    async def judge(first: int, second: int) -> PairVerdict:
        return UNREADABLE if second == 3 else FLIP

    async def run() -> list[Match]:
        return await play([0, 1, 2, 3], "knock_out", judge)

    matches = anyio.run(run)
    assert [(match.first, match.second) for match in matches] == [(0, 1), (2, 3), (0, 2)]


def test_one_sample_or_none_meets_nobody() -> None:
    assert played([3], "round_robin", [3]) == played([], "knock_out", []) == []


def test_a_match_is_logged_with_its_preference_and_read_without() -> None:
    logged = match(0, 2, SECOND).model_dump(mode="json")
    assert logged == {
        "first": 0, "second": 2, "picks": ["second", "first"], "margins": [], "preference": -1,
    }  # fmt: skip
    assert Match.model_validate(logged) == match(0, 2, SECOND)
    del logged["preference"], logged["margins"]  # as stores of version 0.1 have it
    assert Match.model_validate(logged).preference == -1


def test_ties_count_half_and_unreadable_matches_not_at_all() -> None:
    found = standings(range(3), [match(0, 1, FLIP), match(0, 2, UNREADABLE), match(1, 2, FIRST)])
    assert (found[0].share, found[0].unreadable) == (0.5, 1)
    assert found[1].share == 0.75
    assert found[2].share == 0.0
    assert standings([0], [])[0].share is None
