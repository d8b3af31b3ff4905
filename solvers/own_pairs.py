"""The model's own pairs: what it wrote for two target scores, put before it as a judge.

Only on the same texts can the judge's taste be held against the writer's. Annotated pairs are other
texts: there, both profiles differ for one and the same taste (docs/method.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.settings import Pairing
from profile_tasks.solvers.both_orders import PairVerdict, pair_requests, shown_swapped
from profile_tasks.solvers.requests import DiscriminationRequest
from profile_tasks.solvers.target_scores import generation_pairs, same_text

ScorePair = tuple[int, int]
"""A pair of written responses by their target scores, the higher one first."""


@dataclass(frozen=True)
class OwnPairs:
    """The pairs of responses to one source that their writer judges, in the protocol of all pairs.

    Attributes:
        source: What was written about.
        responses: What was written by target score, None where it is missing.
        pairing: Which pairs are compared, as of ``generation_pairs``.
        orders: 2 shows each pair in both orders, 1 in one that is drawn: as recorded, the response
            for the higher score would always come first, and a liking for that position would
            look like agreement with the writer.
    """

    source: AnnotatedSource
    responses: Mapping[int, str | None]
    pairing: Pairing
    orders: int

    @cached_property
    def asked(self) -> dict[ScorePair, tuple[str, str]]:
        """The texts of each pair that the judge is asked about, that for the higher score first.

        Of two equal texts neither can be better, and whatever was picked would be a position: they
        tie without a request.
        """
        return {
            (high, low): (first, second)
            for high, low in generation_pairs(list(self.responses), self.pairing, self.source.id)
            if (first := self.responses[high]) is not None
            and (second := self.responses[low]) is not None
            and not same_text(first, second)
        }

    def requests(self) -> list[DiscriminationRequest]:
        """The requests about all of them, pair by pair."""
        return [
            request
            for texts in self.asked.values()
            for request in pair_requests(
                self.source, *(texts[::-1] if self._swapped(texts) else texts), self.orders
            )
        ]

    def verdicts(self, shown: Sequence[PairVerdict]) -> dict[ScorePair, PairVerdict]:
        """The verdict on each pair; of its two responses that for the higher score is the first.

        Args:
            shown: What was said of each pair, as its requests showed it.
        """
        return {
            pair: verdict.exchanged() if self._swapped(texts) else verdict
            for (pair, texts), verdict in zip(self.asked.items(), shown, strict=True)
        }

    def _swapped(self, texts: tuple[str, str]) -> bool:
        return self.orders == 1 and shown_swapped(*texts)
