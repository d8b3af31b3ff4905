"""Grading one source: which requests its factors need, and what their answers make together.

The harness gives ``ask``; here is only what is asked. The same code estimates the cost of a run,
with an ``ask`` that counts.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

import anyio

from profile_tasks.scorers.factors.batch import Batch, Batchable
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.facts import (
    Fact,
    FactsBatch,
    FactsRequest,
    KeyFactsRequest,
    ResponseFacts,
    distinct,
    parts,
)
from profile_tasks.scorers.factors.grader_answer import GraderRequest
from profile_tasks.scorers.factors.judged import (
    JudgedBatch,
    JudgedRequest,
    batches,
    shown_backwards,
)
from profile_tasks.scorers.grading.record import (
    GradedPair,
    SourceGrades,
    applies,
    digest,
    reusable,
    wording,
)
from profile_tasks.scorers.grading.response_ids import is_written
from profile_tasks.settings import Grading, JudgeSettings
from profile_tasks.solvers.both_orders import Pick, named, shown_swapped

_T = TypeVar("_T")
_U = TypeVar("_U")
_R = TypeVar("_R", bound=Batchable[Any])


@dataclass(frozen=True)
class GraderAnswer(Generic[_T]):
    """What became of one request.

    Attributes:
        value: What was read; None where the answer is missing.
        requests: How many answers were wanted of the grader, repairs included.
        problem: What is missing and why; None where all is there.
        repairs: How many of them were to repair one.
    """

    value: _T | None
    requests: int = 1
    problem: str | None = None
    repairs: int = 0


class Ask(Protocol):
    """Sends a request to the grader. It never raises for what a grader may answer."""

    async def __call__(self, request: GraderRequest[_T], /) -> GraderAnswer[_T]:
        """The answer, as far as it can be read."""
        ...


@dataclass(frozen=True)
class SourceToGrade:
    """What a grader is shown of one source.

    Attributes:
        prompt: What was asked.
        source: The document, None where there is none.
        responses: Response id -> text.
        pairs: Pairs of response ids that are compared.
    """

    prompt: str
    source: str | None
    responses: Mapping[str, str]
    pairs: Sequence[tuple[str, str]]


async def grade_source(
    shown: SourceToGrade,
    factors: Sequence[Factor],
    ask: Ask,
    *,
    grader: str,
    grader_settings: str = "",
    judging: JudgeSettings = JudgeSettings(),
    known: SourceGrades | None = None,
) -> SourceGrades:
    """Ask the grader for everything that the factors need and known grades do not hold.

    With five written responses, r annotated ones and k annotated pairs these are at most
    5 + r + 1 requests for facts and 2 x (10 + k) for judged factors, each repaired at most once.
    Equal texts are graded once, a pair of equal texts not at all. A response of more than
    ``WORDS_PER_FACTS_REQUEST`` words takes a facts request for each of its parts. With
    ``grading="batched"`` responses share requests as ``FactsBatch`` and pairs as ``JudgedBatch``
    say, annotated and written ones apart: what is said of the annotated ones must not lean on
    what the evaluated model wrote, and serves other models from the cache.

    Args:
        shown: What the grader is shown.
        factors: The factors of the run; those that need no grader are ignored.
        ask: Sends one request.
        grader: Name of the grader; grades of another one are not reused.
        grader_settings: Digest of its settings; nor are grades with other settings.
        judging: How judged factors are asked for.
        known: Grades of an earlier scoring of the same source.
    """
    graded = [f for f in factors if f.graded and applies(f, shown.source)]
    same_as = _same_as(shown.responses)
    asked = SourceGrades(
        grader=grader,
        grader_settings=grader_settings,
        judge_batch=judging.judge_batch,
        judge_orders=judging.judge_orders,
        grading=judging.grading,
        scoring=0 if known is None else known.scoring + 1,
        material=digest(shown.prompt, shown.source),
        texts={response: digest(shown.responses[response]) for response in same_as.values()},
        same_as=same_as,
    )
    kept = reusable(known, asked, graded)
    counting = _Counting(ask, judging.grading)
    facts_factors = [factor for factor in graded if factor.kind == "facts"]
    judged_factors = [factor for factor in graded if factor.kind == "judged"]
    (key_facts, responses), pairs = await _both(
        partial(_grade_facts, shown, same_as, facts_factors, kept, counting),
        partial(_grade_pairs, shown, same_as, judged_factors, kept, counting, judging),
    )
    return asked.model_copy(
        update={
            "wordings": kept.wordings | {factor.id: wording(factor) for factor in graded},
            "key_facts": key_facts,
            "responses": responses,
            "pairs": pairs,
            "requests": counting.requests,
            "repairs": counting.repairs,
            "problems": tuple(counting.problems),
        }
    )


class _Counting:
    """Passes requests on, and keeps count of what became of them."""

    def __init__(self, ask: Ask, grading: Grading) -> None:
        self._ask, self._grading = ask, grading
        self.requests = self.repairs = 0
        self.problems: list[str] = []

    async def ask(self, request: GraderRequest[_T], place: str) -> _T | None:
        answer = await self._ask(request)
        self.requests += answer.requests
        self.repairs += answer.repairs
        if answer.problem is not None:
            self.problems.append(f"{place}: {answer.problem}")
        return answer.value

    async def ask_all(
        self, asked: Sequence["_Asked[_R]"], batch: type[Batch[_R, _T]]
    ) -> list[_T | None]:
        """What is said on each question, in batches of this kind where the grading has them."""
        requests = [each.request for each in asked]
        if self._grading == "single":
            packs = [[place] for place in range(len(asked))]
        else:
            packs = batch.packed(requests, [each.written for each in asked])
        said: dict[int, _T | None] = {}

        async def ask(pack: Sequence[int]) -> None:
            if len(pack) == 1:
                (place,) = pack
                said[place] = await self.ask(requests[place], asked[place].place)
                return
            together = batch(tuple(requests[place] for place in pack))
            places = (f"{n}. {asked[place].place}" for n, place in enumerate(pack, start=1))
            answers = await self.ask(together, ", ".join(places))
            said.update(zip(pack, answers or [None] * len(pack), strict=True))

        await together([partial(ask, pack) for pack in packs])
        return [said[place] for place in range(len(asked))]


@dataclass(frozen=True)
class _Asked(Generic[_R]):
    """A question.

    Attributes:
        request: What is asked.
        place: What it concerns, in words.
        written: Whether that is what the evaluated model wrote.
    """

    request: _R
    place: str
    written: bool


def _same_as(responses: Mapping[str, str]) -> dict[str, str]:
    """Response id -> id of the first response with the same text."""
    first_with: dict[str, str] = {}
    for response, text in responses.items():
        first_with.setdefault(text, response)
    return {response: first_with[text] for response, text in responses.items()}


async def _grade_facts(
    shown: SourceToGrade,
    same_as: Mapping[str, str],
    factors: Sequence[Factor],
    kept: SourceGrades,
    counting: _Counting,
) -> tuple[tuple[str, ...] | None, dict[str, ResponseFacts]]:
    """The source's key facts, and the facts of every distinct response."""
    covering = any(factor.measure == "coverage" for factor in factors)
    key_facts = kept.key_facts
    if covering and key_facts is None and shown.source is not None:
        request = KeyFactsRequest(shown.prompt, shown.source)
        key_facts = await counting.ask(request, "key facts")
    known = {
        response: kept.responses.get(response, ResponseFacts())
        for response in dict.fromkeys(same_as.values())
    }
    asked = {
        response: [
            _Asked(request, f"facts of {response}", is_written(response))
            for request in _facts_requests(
                shown, shown.responses[response], factors, key_facts if covering else None, held
            )
        ]
        for response, held in known.items()
    }
    said = await counting.ask_all([a for each in asked.values() for a in each], FactsBatch)
    answers = iter(said)
    found = {
        response: _merged(held, [next(answers) for _ in asked[response]])
        for response, held in known.items()
    }
    return key_facts, kept.responses | found


def _facts_requests(
    shown: SourceToGrade,
    text: str,
    factors: Sequence[Factor],
    key_facts: tuple[str, ...] | None,
    known: ResponseFacts,
) -> list[FactsRequest]:
    """What is to be asked about one response: what is not yet known of its facts."""
    labelled = tuple(factor for factor in factors if factor.measure == "share")
    listed = any(factor.measure in ("count", "share") for factor in factors)
    uncovered = key_facts if key_facts and known.covered is None else None
    if listed and known.facts is None:
        return [
            FactsRequest(shown.prompt, shown.source, part, labelled, None, uncovered)
            for part in parts(text)
        ]
    facts = known.facts or ()
    unlabelled = tuple(
        factor for factor in labelled if any(factor.id not in fact.labels for fact in facts)
    )
    texts = tuple(fact.text for fact in facts)
    request = FactsRequest(shown.prompt, shown.source, text, unlabelled, texts, uncovered)
    return [request] if unlabelled or uncovered else []


def _merged(known: ResponseFacts, answers: Sequence[ResponseFacts | None]) -> ResponseFacts:
    """Known and new facts together; a missing part makes the whole missing."""
    if not answers:
        return known
    facts, covered = known.facts, known.covered
    listed = [None if answer is None else answer.facts for answer in answers]
    if facts is None and None not in listed:
        facts = distinct(fact for part in listed if part is not None for fact in part)
    elif facts is not None and listed[0] is not None:
        facts = tuple(
            Fact(text=old.text, labels=old.labels | new.labels)
            for old, new in zip(facts, listed[0], strict=True)
        )
    conveyed = [None if answer is None else answer.covered for answer in answers]
    if covered is None and None not in conveyed:
        covered = tuple(dict.fromkeys(f for part in conveyed if part is not None for f in part))
    return ResponseFacts(facts=facts, covered=covered)


async def _grade_pairs(
    shown: SourceToGrade,
    same_as: Mapping[str, str],
    factors: Sequence[Factor],
    kept: SourceGrades,
    counting: _Counting,
    judging: JudgeSettings,
) -> tuple[GradedPair, ...]:
    """The verdicts on every distinct pair of different texts."""
    known = {frozenset((pair.first, pair.second)): pair for pair in kept.pairs}
    compared: dict[frozenset[str], _ComparedPair] = {}
    for ids in shown.pairs:
        first, second = (same_as[response] for response in ids)
        texts = frozenset((first, second))  # two pairs may hold the same texts in swapped roles
        if first != second and texts not in compared:
            pair = known.get(texts, GradedPair(first=first, second=second))
            written = any(map(is_written, ids))
            compared[texts] = _ComparedPair.of(pair, shown, factors, judging, written=written)
    pairs = list(compared.values())
    said = await counting.ask_all([a for pair in pairs for a in pair.asked], JudgedBatch)
    answers = iter(said)
    return tuple(pair.graded([next(answers) for _ in pair.asked]) for pair in pairs)


@dataclass(frozen=True)
class _ComparedPair:
    """A pair of different texts while it is graded.

    Attributes:
        pair: What is known of it.
        drawn: Whether the order that is drawn for it is the swapped one.
        said: The known verdicts by factor and order.
        orders: For each question whether it shows the responses swapped.
        asked: The questions.
    """

    pair: GradedPair
    drawn: bool
    said: Mapping[str, Mapping[bool, Pick | None]]
    orders: Sequence[bool]
    asked: Sequence[_Asked[JudgedRequest]]

    @classmethod
    def of(
        cls,
        pair: GradedPair,
        shown: SourceToGrade,
        factors: Sequence[Factor],
        judging: JudgeSettings,
        *,
        written: bool,
    ) -> "_ComparedPair":
        """What is to be asked about a pair."""
        texts = (shown.responses[pair.first], shown.responses[pair.second])
        drawn = (shown_swapped if judging.grading == "single" else shown_backwards)(*texts)
        wanted = (False, True) if judging.judge_orders == 2 else (drawn,)
        said = {factor.id: _by_order(pair.verdicts.get(factor.id, ()), drawn) for factor in factors}
        asked = [
            (swapped, JudgedRequest(shown.prompt, shown.source, *_turned(texts, swapped), batch))
            for swapped in wanted
            for batch in batches(
                [f for f in factors if said[f.id].get(swapped) is None], judging.judge_batch
            )
        ]
        place = f"{pair.first} against {pair.second}"
        return cls(
            pair,
            drawn,
            said,
            [swapped for swapped, _ in asked],
            [_Asked(request, place, written) for _, request in asked],
        )

    def graded(self, answers: Sequence[Mapping[str, Pick] | None]) -> GradedPair:
        """The pair with what was answered."""
        said = {factor: dict(by_order) for factor, by_order in self.said.items()}
        for swapped, asked, answer in zip(self.orders, self.asked, answers, strict=True):
            for factor in asked.request.factors:
                said[factor.id][swapped] = named((answer or {}).get(factor.id), swapped=swapped)
        verdicts = {name: tuple(by[order] for order in sorted(by)) for name, by in said.items()}
        return self.pair.model_copy(
            update={"swapped": self.drawn, "verdicts": self.pair.verdicts | verdicts}
        )


def _turned(texts: tuple[str, str], swapped: bool) -> tuple[str, str]:
    return (texts[1], texts[0]) if swapped else texts


def _by_order(said: Sequence[Pick | None], drawn: bool) -> dict[bool, Pick | None]:
    """Verdicts by whether the responses were swapped when they were given."""
    return dict(zip((drawn,) if len(said) == 1 else (False, True), said, strict=False))


async def together(calls: Sequence[Callable[[], Awaitable[_T]]]) -> list[_T]:
    """The results of calls that run side by side, in the order of the calls."""
    results: dict[int, _T] = {}

    async def run(index: int, call: Callable[[], Awaitable[_T]]) -> None:
        results[index] = await call()

    try:
        async with anyio.create_task_group() as group:
            for index, call in enumerate(calls):
                group.start_soon(run, index, call)
    except BaseExceptionGroup as raised:
        # A harness knows its own exceptions, not groups of them.
        raise raised.exceptions[0] from None
    return [results[index] for index in range(len(calls))]


async def _both(
    first: Callable[[], Awaitable[_T]], second: Callable[[], Awaitable[_U]]
) -> tuple[_T, _U]:
    """The same for two calls with results of different types."""
    results: list[Any] = await together([first, second])
    return results[0], results[1]
