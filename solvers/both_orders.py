"""The one verdict protocol: a pair is shown in both orders, and its two picks make one verdict.

Models favour a position, so two responses are shown as recorded and then swapped (this
implementation's choice). Picks that name the same response are the preference, picks that do not
are a tie and a flip. An unreadable pick makes the preference missing, since a tie would claim a
judgement that nobody made. A pair that was shown in one order has no flip to speak of.

Here stand both sides of it for every judge: a model that judges annotated pairs, its own samples
or its revisions, in words or by log-likelihood, in either harness; and the grader, whose picks say
which response shows more of a factor.
"""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import neg
from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.solvers.requests import DiscriminationRequest

_T = TypeVar("_T")

Pick = Literal["first", "second", "tie", "a", "b"]
"""Which of two responses shown is picked, by its position; "a" and "b", of a recorded verdict, are
the responses themselves, where nobody recorded which of them was shown first."""

Picks = Annotated[tuple[Pick | None, ...], Field(max_length=2)]
"""A pick for each order shown; None where it could not be read. A log holds verdicts so."""

_ALONE: Mapping[Pick | None, Pick] = {"first": "a", "second": "b"}
_SIGNS: Mapping[Pick | None, int] = {"first": 1, "a": 1, "tie": 0, "second": -1, "b": -1}
_PICK_OF_SIGN: Mapping[int, Pick] = {1: "first", 0: "tie", -1: "second"}
_OPPOSITE: Mapping[Pick | None, Pick | None] = {
    "first": "second",
    "second": "first",
    "tie": "tie",
    "a": "b",
    "b": "a",
    None: None,
}


def named(pick: Pick | None, *, swapped: bool) -> Pick | None:
    """What a pick names in the recorded order, of two responses that were shown swapped or not.

    >>> named("first", swapped=True), named("tie", swapped=True), named("first", swapped=False)
    ('second', 'tie', 'first')
    """
    return _OPPOSITE[pick] if swapped else pick


def without_position(pick: Pick | None) -> Pick | None:
    """What a pick of two responses shown as recorded names, where nobody knows that they were.

    >>> without_position("first"), without_position("tie")
    ('a', 'tie')
    """
    return _ALONE.get(pick, pick)


def _second_turned(answers: Sequence[_T], opposite: Callable[[_T], _T]) -> tuple[_T, ...]:
    """Answers by position shown, in the terms of the recorded order; and back."""
    return tuple(opposite(answer) if at == 1 else answer for at, answer in enumerate(answers))


@dataclass(frozen=True)
class PairVerdict:
    """What came back about two responses that were shown in one order or in both.

    Attributes:
        picks: By position shown: with the two as recorded, then swapped; one where they were shown
            in one order, or the verdict was recorded alone; none where nobody was asked.
        margins: Where the judge is a likelihood, how much likelier it finds the verdict for the
            response shown first than that for the other (difference of natural logarithms), in the
            order of the picks; empty elsewhere.

    >>> PairVerdict(("second", "first")).preference, PairVerdict(("first", "first")).preference
    (-1, 0)
    """

    picks: Picks
    margins: tuple[float, ...] = ()

    @classmethod
    def by_likelihood(cls, margins: Sequence[float | None]) -> Self:
        """The verdict of these margins, with what each of them picks alone.

        One that is not known is an unreadable pick, and leaves the verdict without margins.
        """
        known = tuple(margin for margin in margins if margin is not None)
        picks = tuple(None if m is None else _PICK_OF_SIGN[(m > 0) - (m < 0)] for m in margins)
        return cls(picks, known if len(known) == len(margins) else ())

    @classmethod
    def of_recorded(cls, picks: Sequence[Pick | None]) -> Self:
        """The verdict of picks that are in the terms of the recorded order already."""
        return cls(_second_turned(picks, _OPPOSITE.__getitem__))

    @property
    def recorded(self) -> Picks:
        """The picks in the terms of the recorded order."""
        return _second_turned(self.picks, _OPPOSITE.__getitem__)

    @property
    def preference(self) -> int | None:
        """1: the first of the recorded order; -1: the second; 0: neither, or a flip; None: missing.

        By likelihood it is the sign of the margins' mean in the recorded order, so that a liking
        for a position cancels.

        >>> PairVerdict.by_likelihood((2.0, 1.0)).preference
        1
        """
        if (margin := self.margin) is not None:
            return (margin > 0) - (margin < 0)
        if not self.picks or self.unreadable:
            return None
        return 0 if self.flipped else _SIGNS[self.picks[0]]

    @property
    def margin(self) -> float | None:
        """Mean of the margins in the recorded order, above 0 for its first; None without any.

        >>> PairVerdict.by_likelihood((2.0, 1.0)).margin
        0.5
        """
        turned = _second_turned(self.margins, neg)
        return sum(turned) / len(turned) if turned else None

    @property
    def flipped(self) -> bool | None:
        """Whether the picks name different responses; None without two readable ones.

        A tie in one order alone is a flip too.
        """
        if len(self.picks) < 2 or self.unreadable:
            return None
        return len(set(self.recorded)) > 1

    @property
    def unreadable(self) -> int:
        """Number of picks that could not be read."""
        return self.picks.count(None)

    def exchanged(self) -> "PairVerdict":
        """The same answers, about the two responses named in the other order."""
        return PairVerdict(
            tuple(_OPPOSITE[pick] for pick in self.picks), tuple(-m for m in self.margins)
        )


def shown_swapped(first: str, second: str) -> bool:
    """Which of the two orders a pair is shown in where it is shown in one that is drawn.

    By chance, yet always the same: written responses come in the order of their scores, and a
    judge's taste for a position must not look like a taste for a factor, or for a score.
    """
    digest = hashlib.sha256(f"{first}\0{second}".encode("utf-8", "surrogatepass")).digest()
    return bool(digest[0] & 1)


def pair_requests(
    source: AnnotatedSource, first: str, second: str, orders: int = 2
) -> list[DiscriminationRequest]:
    """The requests about two responses to a source: in this order and, of two, swapped."""
    return [
        DiscriminationRequest(source.task, source.prompt, source.source, *shown)
        for shown in ((first, second), (second, first))[:orders]
    ]


def discrimination_requests(source: AnnotatedSource, orders: int) -> list[DiscriminationRequest]:
    """The requests about all annotated pairs of a source, pair by pair."""
    return [
        request for pair in source.pairs for request in pair_requests(source, *pair.shown, orders)
    ]


def by_pair(answers: Sequence[_T], orders: int) -> list[tuple[_T, ...]]:
    """What was answered to the requests about several pairs, pair by pair.

    >>> by_pair([3, 1, -2, 0], orders=2)
    [(3, 1), (-2, 0)]
    """
    return [tuple(answers[at : at + orders]) for at in range(0, len(answers), orders)]


def margin_between(of_first: float, of_second: float) -> float:
    """How much likelier the verdict for the response shown first is than that for the other.

    Args:
        of_first: Log-likelihood of the first of ``VERDICTS``.
        of_second: That of the second.

    Raises:
        ValueError: One is no finite number.
    """
    for value in (of_first, of_second):
        if not math.isfinite(value):
            raise ValueError(
                f"a log-likelihood is {value}; the model's outputs are broken (try dtype=float32)"
            )
    return of_first - of_second
