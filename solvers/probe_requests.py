"""What the probes ask a judge about one source: which requests, and what is kept of the answers.

Every pair of texts is shown in both orders, in the protocol of all pairs (``both_orders``).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from pydantic import BaseModel

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.settings import PROBES, ProbeName
from profile_tasks.solvers.both_orders import PairVerdict, Picks, pair_requests, shown_swapped
from profile_tasks.solvers.probe_texts import (
    marked_up,
    padded,
    with_citation,
    with_injection,
    with_synonyms,
    with_white_space,
)
from profile_tasks.solvers.prompts import STANDARD, wordings
from profile_tasks.solvers.requests import DiscriminationRequest
from profile_tasks.solvers.target_scores import same_text

REPEAT = "repeat"
IDENTICAL = "identical"
OWN = "own_texts"
VARIED = ("white_space", "synonym", "padding", "style")
"""What shows a text beside the same one, varied."""
CARRIED = ("authority", "injection")
"""What shows an annotated pair once more, with something added to one response."""

_ON_PAIRS: tuple[ProbeName, ...] = ("position", "repeat", "wording", "authority", "injection")
"""The probes that need the verdicts on the annotated pairs as they are."""


class Told(BaseModel, frozen=True):
    """A verdict as a log holds it; the attributes are those of ``PairVerdict``."""

    picks: Picks
    margins: tuple[float, ...] = ()

    @property
    def verdict(self) -> PairVerdict:
        """The same as a verdict."""
        return PairVerdict(self.picks, self.margins)


class ProbeAnswers(BaseModel, frozen=True):
    """What a judge said in the probes of one source.

    Attributes:
        verdicts: On the annotated pairs, by the wording that asked; ``REPEAT`` is the standard one
            asked again.
        probed: By what was shown (``IDENTICAL``, ``VARIED``, ``OWN``, ``CARRIED``), on each pair of
            texts: the varied, or the own, text is the first of the recorded order; of ``IDENTICAL``
            there is one pick; of ``CARRIED`` they are the annotated pairs.
        carrier: Of each annotated pair, the response that something is added to: 1 the first, -1
            the second.
        own: What the judge wrote itself; None where it was not asked, or the text is missing.
        others: What that was shown beside.
        skipped: Texts that a rule found nothing to change in, by what would have been shown.
    """

    verdicts: dict[str, tuple[Told, ...]] = {}
    probed: dict[str, tuple[Told, ...]] = {}
    carrier: tuple[int, ...] = ()
    own: str | None = None
    others: tuple[str, ...] = ()
    skipped: dict[str, int] = {}


@dataclass(frozen=True)
class Asked:
    """Requests that go together.

    Attributes:
        requests: Pair by pair, each in so many orders.
        orders: How many.
        again: Whether they are sent a second time.
    """

    requests: Sequence[DiscriminationRequest]
    orders: int = 2
    again: bool = False


@dataclass(frozen=True)
class ProbeRequests:
    """The requests about one source.

    Attributes:
        source: The source with its annotated pairs.
        probes: Which probes.
        own: What the judge wrote about the source itself, where it was asked.
    """

    source: AnnotatedSource
    probes: Sequence[ProbeName] = PROBES
    own: str | None = None

    @property
    def texts(self) -> list[str]:
        """One response of each annotated pair, drawn yet always the same; no two equal."""
        drawn = (pair.shown[int(shown_swapped(*pair.shown))] for pair in self.source.pairs)
        return list(dict.fromkeys(drawn))

    @property
    def carrier(self) -> tuple[int, ...]:
        """Which response of each annotated pair something is added to; drawn likewise."""
        return tuple(-1 if shown_swapped(*pair.shown[::-1]) else 1 for pair in self.source.pairs)

    @property
    def others(self) -> list[str]:
        """The texts that the own one is shown beside; none that equals it."""
        return [text for text in self.texts if self.own and not same_text(text, self.own)]

    @property
    def verdicts(self) -> dict[str, Asked]:
        """About the annotated pairs as they are, by wording."""
        if not set(_ON_PAIRS).intersection(self.probes):
            return {}
        asked = {STANDARD: Asked(self._pairs())}
        if "repeat" in self.probes:
            asked[REPEAT] = replace(asked[STANDARD], again=True)
        for name in wordings() if "wording" in self.probes else ():
            asked.setdefault(name, Asked([replace(r, wording=name) for r in self._pairs()]))
        return asked

    @property
    def probed(self) -> dict[str, Asked]:
        """About texts that were varied, added to or written."""
        asked: dict[str, Asked] = {}
        if "null_pairs" in self.probes:
            same = [r for text in self.texts for r in pair_requests(self.source, text, text, 1)]
            asked[IDENTICAL] = Asked(same, orders=1)
        for name, pairs in self._varied.items():
            known = [pair for pair in pairs if pair is not None]
            asked[name] = Asked([r for pair in known for r in pair_requests(self.source, *pair)])
        if "self_preference" in self.probes and self.own is not None:
            beside = (pair_requests(self.source, self.own, other) for other in self.others)
            asked[OWN] = Asked([request for both in beside for request in both])
        if "authority" in self.probes:
            asked["authority"] = Asked(list(self._carrying(lambda text, _: with_citation(text))))
        if "injection" in self.probes:
            asked["injection"] = Asked(list(self._carrying(with_injection)))
        return asked

    @property
    def skipped(self) -> dict[str, int]:
        """Texts that a rule found nothing to change in, by what would have been shown."""
        return {name: pairs.count(None) for name, pairs in self._varied.items()}

    def _pairs(self) -> list[DiscriminationRequest]:
        return [r for pair in self.source.pairs for r in pair_requests(self.source, *pair.shown)]

    @cached_property
    def _varied(self) -> Mapping[str, list[tuple[str, str] | None]]:
        found: dict[str, list[tuple[str, str] | None]] = {}
        if "null_pairs" in self.probes:
            for name, rule in (("white_space", with_white_space), ("synonym", with_synonyms)):
                varied = ((rule(text), text) for text in self.texts)
                found[name] = [None if new is None else (new, text) for new, text in varied]
        if "padding" in self.probes:
            found["padding"] = [(padded(text), text) for text in self.texts]
        if "style" in self.probes:
            found["style"] = [marked_up(text) for text in self.texts]
        return found

    def _carrying(self, added: Callable[[str, str], str]) -> Iterator[DiscriminationRequest]:
        """The annotated pairs in both orders, with something added to one response.

        Args:
            added: A text, and the letter by which it is shown -> that text with the addition.
        """
        for pair, side in zip(self.source.pairs, self.carrier, strict=True):
            for swapped in (False, True):
                first, second = pair.shown[::-1] if swapped else pair.shown
                if (side == 1) != swapped:
                    first = added(first, "A")
                else:
                    second = added(second, "B")
                yield DiscriminationRequest(
                    self.source.task, self.source.prompt, self.source.source, first, second
                )
