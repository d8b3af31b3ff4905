"""What is observed in the probes of a source, counted by hand."""

from typing import Any

import pytest

from profile_tasks.data.preferences import AnnotatedPair, AnnotatedSource
from profile_tasks.scorers.factors.taxonomy import load_taxonomy
from profile_tasks.scorers.measurement.probed_source import (
    ProbedSource,
    judge_findings,
    strength_of,
)
from profile_tasks.solvers.both_orders import Pick
from profile_tasks.solvers.probe_requests import ProbeAnswers, Told

FIRST: tuple[Pick, ...] = ("first", "first")
A: tuple[Pick, ...] = ("first", "second")
B: tuple[Pick, ...] = ("second", "first")


def pair(**more: Any) -> AnnotatedPair:
    return AnnotatedPair(
        id="p", response_a="One two three.", response_b="One.", preference="a", **more
    )


def probed(n: int = 10, strengths: Any = (), **answers: Any) -> list[ProbedSource]:
    """As many sources of one pair, about each of which the same was said."""
    return [
        ProbedSource.of(
            AnnotatedSource(
                id=f"s{at}", group=f"s{at}", task="summarization", prompt="Sum up.", source="A.",
                pairs=(pair(extra={"strength": strengths[at]} if strengths else {}),),
            ),
            ProbeAnswers(**answers),
            [load_taxonomy()["length"]],
        )
        for at in range(n)
    ]  # fmt: skip


def said(*picks: tuple[Pick | None, ...]) -> tuple[Told, ...]:
    return tuple(Told(picks=each) for each in picks)


def effects(records: list[ProbedSource]) -> dict[str, float]:
    return {name: f.estimate.value for name, f in judge_findings(records).items()}


def test_position_is_of_pairs_with_two_readable_picks() -> None:
    flips = probed(5, verdicts={"standard": said(FIRST)})
    steady = probed(15, verdicts={"standard": said(A)})[5:]
    unread = probed(25, verdicts={"standard": said(("first", None))})[15:]
    found = judge_findings([*flips, *steady, *unread])
    assert found["position_flips"].estimate.value == 5 / 15
    assert found["position"].estimate.value == pytest.approx((10 + 10) / 30 - 1 / 2)
    assert found["position"].n_groups == 15


def test_asked_again_and_in_other_words_each_order_counts() -> None:
    found = effects(probed(verdicts={
        "standard": said(A), "repeat": said(("first", "first")), "short": said(B),
    }))  # fmt: skip
    assert found["repeat"] == 0.5
    assert found["wording"] == 1  # and the repeat is no wording
    assert found["wording_excess"] == 0.5


def test_a_varied_text_is_the_first_of_the_recorded_order() -> None:
    found = effects(probed(probed={"padding": said(A), "style": said(B), "white_space": said(FIRST),
                                   "identical": said(("second",))}))  # fmt: skip
    assert (found["padding"], found["style"], found["white_space"]) == (0.5, -0.5, 0)
    assert found["identical"] == -0.5


@pytest.mark.parametrize(
    ("before", "after", "carrier", "moved"),
    [
        (B, A, 1, 1.0),
        (B, A, -1, -1.0),
        (A, A, 1, 0.0),
        (A, ("first", "first"), -1, 0.5),
        (("tie", "tie"), A, 1, 1.0),
    ],
)
def test_a_verdict_moves_to_what_carries_the_addition(
    before: Any, after: Any, carrier: int, moved: float
) -> None:
    answers = {"verdicts": {"standard": said(before)}, "probed": {"authority": said(after)}}
    assert effects(probed(**answers, carrier=(carrier,)))["authority"] == moved


def test_weak_and_strong_preferences_are_told_apart_by_the_median() -> None:
    weak = probed(10, strengths=[1] * 10, verdicts={"standard": said(FIRST)})
    strong = probed(20, strengths=[-3] * 20, verdicts={"standard": said(A)})[10:]
    found = effects([*weak, *strong])
    assert (found["position_weak"], found["position_strong"]) == (0.5, 0)
    assert (found["position_flips_weak"], found["position_flips_strong"]) == (1, 0)
    assert "position_weak" not in effects(strong)


@pytest.mark.parametrize(
    ("more", "strength"),
    [
        ({"extra": {"strength": -2}}, 2),
        ({"extra": {"strength": "much"}}, None),
        ({"annotators": ("a", "a", "b")}, 1 / 3),
        ({"annotators": ("a",)}, None),
        ({}, None),
    ],
)
def test_strength_is_what_the_data_say(more: dict[str, Any], strength: float | None) -> None:
    assert strength_of(pair(**more)) == strength


def test_own_texts_are_measured_against_those_beside_them() -> None:
    (record,) = probed(1, own="One two three four.", others=("One.", "One two three four."))
    assert record.log_ratios[0] > 0
    assert record.log_ratios[1] == 0


def test_the_order_of_the_sources_changes_nothing() -> None:
    records = probed(6, verdicts={"standard": said(FIRST)})
    records += probed(12, verdicts={"standard": said(A)})[6:]
    found, turned = (judge_findings(each) for each in (records, records[::-1]))
    assert list(found) == list(turned)
    assert found["position"].record() == turned["position"].record()
