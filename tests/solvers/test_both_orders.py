"""Two orders make one verdict, by the same rules whoever judges and whatever a pick is."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profile_tasks.data.preferences import AnnotatedPair, AnnotatedSource
from profile_tasks.solvers.both_orders import (
    PairVerdict,
    Pick,
    by_pair,
    discrimination_requests,
    margin_between,
    named,
    pair_requests,
)

PICK = st.sampled_from(["first", "second", "tie", None])
MARGIN = st.floats(-1e6, 1e6)


def source(*pairs: tuple[str, str]) -> AnnotatedSource:
    return AnnotatedSource(
        id="s",
        group="s",
        task="summarization",
        prompt="Sum up.",
        source="A story.",
        pairs=tuple(
            AnnotatedPair(id=f"s-{at}", response_a=a, response_b=b, preference="a")
            for at, (a, b) in enumerate(pairs)
        ),
    )


@pytest.mark.parametrize(
    ("picks", "preference", "flipped", "unreadable"),
    [
        # As recorded, then swapped: "second" is then the first response of the recorded order.
        (("first", "second"), 1, False, 0),
        (("second", "first"), -1, False, 0),
        (("tie", "tie"), 0, False, 0),
        (("first", "first"), 0, True, 0),
        (("second", "second"), 0, True, 0),
        (("first", "tie"), 0, True, 0),
        (("second", "tie"), 0, True, 0),
        (("tie", "first"), 0, True, 0),
        (("tie", "second"), 0, True, 0),
        (("first", None), None, None, 1),
        (("second", None), None, None, 1),
        (("tie", None), None, None, 1),
        ((None, "first"), None, None, 1),
        ((None, "second"), None, None, 1),
        ((None, "tie"), None, None, 1),
        ((None, None), None, None, 2),
        # In one order nothing can flip.
        (("first",), 1, None, 0),
        (("second",), -1, None, 0),
        (("tie",), 0, None, 0),
        ((None,), None, None, 1),
        # Nobody was asked.
        ((), None, None, 0),
    ],
)
def test_every_combination_of_picks(
    picks: tuple[Pick | None, ...],
    preference: int | None,
    flipped: bool | None,
    unreadable: int,
) -> None:
    verdict = PairVerdict(picks)
    assert verdict.preference == preference
    assert verdict.flipped is flipped
    assert verdict.unreadable == unreadable


@pytest.mark.parametrize(
    ("margins", "picks", "preference", "flipped"),
    [
        # The second order shows the responses swapped: there a margin below 0 speaks for the first.
        ((2.0, -1.0), ("first", "second"), 1, False),
        ((1.0, -1.0), ("first", "second"), 1, False),
        ((-2.0, 1.0), ("second", "first"), -1, False),
        ((-1.0, 1.0), ("second", "first"), -1, False),
        # A liking for what is shown first cancels: what is left decides.
        ((3.0, 1.0), ("first", "first"), 1, True),
        ((1.0, 3.0), ("first", "first"), -1, True),
        ((2.0, 2.0), ("first", "first"), 0, True),
        # A liking for the second position likewise.
        ((-1.0, -3.0), ("second", "second"), 1, True),
        ((-3.0, -1.0), ("second", "second"), -1, True),
        ((-2.0, -2.0), ("second", "second"), 0, True),
        ((0.0, -1.0), ("tie", "second"), 1, True),
        ((0.0, 1.0), ("tie", "first"), -1, True),
        ((0.0, 0.0), ("tie", "tie"), 0, False),
        ((0.5,), ("first",), 1, None),
        ((-0.5,), ("second",), -1, None),
        ((0.0,), ("tie",), 0, None),
    ],
)
def test_margins_are_averaged_with_the_second_turned_round(
    margins: tuple[float, ...],
    picks: tuple[Pick | None, ...],
    preference: int,
    flipped: bool | None,
) -> None:
    verdict = PairVerdict.by_likelihood(margins)
    assert (verdict.picks, verdict.margins) == (picks, margins)
    assert (verdict.preference, verdict.flipped) == (preference, flipped)


def test_a_margin_that_is_not_known_leaves_the_verdict_missing() -> None:
    verdict = PairVerdict.by_likelihood((2.0, None))
    assert verdict == PairVerdict(("first", None))
    assert (verdict.preference, verdict.margin, verdict.unreadable) == (None, None, 1)


def test_a_margin_takes_two_finite_likelihoods() -> None:
    assert margin_between(-1.0, -3.5) == 2.5
    for broken in (math.nan, math.inf, -math.inf):
        for pair in ((broken, -1.0), (-1.0, broken)):
            with pytest.raises(ValueError, match=r"a log-likelihood is .*try dtype=float32"):
                margin_between(*pair)


def test_picks_in_the_terms_of_the_recorded_order() -> None:
    assert PairVerdict(("first", "first")).recorded == ("first", "second")
    assert PairVerdict(("tie", None)).recorded == ("tie", None)
    # Of a grader: both orders name the first response, whatever was shown where.
    assert PairVerdict.of_recorded(("first", "first")).picks == ("first", "second")
    assert PairVerdict.of_recorded(("first", "first")).preference == 1
    assert PairVerdict.of_recorded(("second",)).preference == -1
    assert [named(pick, swapped=False) for pick in ("first", None)] == ["first", None]
    assert [named(pick, swapped=True) for pick in ("first", "second", "tie", None)] == [
        "second",
        "first",
        "tie",
        None,
    ]


@given(st.lists(PICK, max_size=2))
def test_the_recorded_terms_can_be_turned_back(picks: list[Pick | None]) -> None:
    assert PairVerdict.of_recorded(PairVerdict(tuple(picks)).recorded) == PairVerdict(tuple(picks))


def minus(preference: int | None) -> int | None:
    return None if preference is None else -preference


@given(PICK, PICK, MARGIN, MARGIN, st.sampled_from([1, 2]))
def test_swapping_the_responses_in_the_data_turns_the_sign_and_nothing_else(
    ab: Pick | None, ba: Pick | None, margin_ab: float, margin_ba: float, orders: int
) -> None:
    # Any judge: what it answers depends on which response it is shown first.
    says = {("x", "y"): ab, ("y", "x"): ba}
    finds = {("x", "y"): margin_ab, ("y", "x"): margin_ba}

    def judged(first: str, second: str) -> tuple[PairVerdict, PairVerdict]:
        shown = [
            (request.response_a, request.response_b)
            for request in pair_requests(source(), first, second)
        ]
        return (
            PairVerdict(tuple(says[pair] for pair in shown)),
            PairVerdict.by_likelihood([finds[pair] for pair in shown]),
        )

    for verdict, swapped in zip(judged("x", "y"), judged("y", "x"), strict=True):
        assert swapped.preference == minus(verdict.preference)
        assert swapped.flipped is verdict.flipped
        assert swapped.unreadable == verdict.unreadable
        one = PairVerdict(verdict.picks[:orders], verdict.margins[:orders])
        exchanged = one.exchanged()
        assert exchanged.preference == minus(one.preference)
        assert exchanged.flipped is one.flipped
        assert exchanged.exchanged() == one


def test_a_pair_is_shown_as_recorded_and_then_swapped() -> None:
    requests = pair_requests(source(), "x", "y")
    assert [(r.response_a, r.response_b) for r in requests] == [("x", "y"), ("y", "x")]
    assert {(r.task, r.prompt, r.source) for r in requests} == {
        ("summarization", "Sum up.", "A story.")
    }
    (only,) = pair_requests(source(), "x", "y", orders=1)
    assert (only.response_a, only.response_b) == ("x", "y")


@pytest.mark.parametrize(
    ("orders", "shown"),
    [
        (1, [("a", "b"), ("c", "d")]),
        (2, [("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")]),
    ],
)
def test_the_requests_about_a_source_come_pair_by_pair_as_recorded_then_swapped(
    orders: int, shown: list[tuple[str, str]]
) -> None:
    asked = discrimination_requests(source(("a", "b"), ("c", "d")), orders)
    assert [(request.response_a, request.response_b) for request in asked] == shown
    assert by_pair(shown, orders) == [
        (("a", "b"), ("b", "a"))[:orders],
        (("c", "d"), ("d", "c"))[:orders],
    ]
