"""Which of its own pairs a model judges, and what its picks say of the two scores."""

import pytest

from profile_tasks.data.preferences import AnnotatedPair, AnnotatedSource
from profile_tasks.solvers.both_orders import PairVerdict, by_pair
from profile_tasks.solvers.own_pairs import OwnPairs

SOURCE = AnnotatedSource(
    id="s",
    group="s",
    task="document_qa",
    prompt="Why?",
    pairs=(AnnotatedPair(id="p", response_a="a", response_b="b", preference="a"),),
)


def own(orders: int = 2, **texts: str | None) -> OwnPairs:
    responses = {int(score[1:]): text for score, text in texts.items()}
    return OwnPairs(SOURCE, responses, "all", orders)


def said(pairs: OwnPairs, picks: list[str]) -> dict[tuple[int, int], PairVerdict]:
    return pairs.verdicts(list(map(PairVerdict, by_pair(picks, pairs.orders))))


def shown(pairs: OwnPairs) -> list[tuple[str, str]]:
    return [(request.response_a, request.response_b) for request in pairs.requests()]


def test_each_pair_is_shown_in_both_orders() -> None:
    pairs = own(s1="low", s3="middle", s5="high")
    assert shown(pairs) == [
        ("middle", "low"), ("low", "middle"),
        ("high", "low"), ("low", "high"),
        ("high", "middle"), ("middle", "high"),
    ]  # fmt: skip
    picks = ["first", "second", "second", "first", "first", "first"]
    assert {pair: verdict.preference for pair, verdict in said(pairs, picks).items()} == {
        (3, 1): 1, (5, 1): -1, (5, 3): 0,
    }  # fmt: skip


def test_of_equal_or_missing_texts_nobody_is_asked() -> None:
    pairs = own(s1="same", s2="same", s3=None, s4="other")
    assert list(pairs.asked) == [(4, 1), (4, 2)]
    assert own(s1="same", s2="same").requests() == []
    assert own(s1="same", s2="same").verdicts([]) == {}


@pytest.mark.parametrize("orders", [1, 2])
def test_a_judge_of_texts_says_the_same_whichever_order_it_is_shown(orders: int) -> None:
    for pairs in (own(orders, s1=f"word {n}", s2=f"longer word {n}") for n in range(20)):
        picks = ["first" if len(a) > len(b) else "second" for a, b in shown(pairs)]
        assert said(pairs, picks)[2, 1] == PairVerdict(("first", "second")[:orders])


def test_in_one_order_a_liking_for_a_position_is_no_agreement_with_the_writer() -> None:
    found = [
        said(own(1, s1=f"word {n}", s2=f"longer word {n}"), ["first"])[2, 1].preference
        for n in range(400)
    ]
    assert abs(sum(found)) < 80  # four standard errors of 400 fair draws
