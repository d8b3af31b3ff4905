"""Grading one source: which requests its factors need, and what their answers make together.

The harness gives ``ask``; here is only what is asked. The same code estimates the cost of a run,
with an ``ask`` that counts.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

import anyio

from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.facts import (
    Fact,
    FactsRequest,
    KeyFactsRequest,
    ResponseFacts,
    distinct,
    parts,
)
from profile_tasks.scorers.factors.grader_answer import GraderRequest
from profile_tasks.scorers.factors.judged import JudgedRequest, batches
from profile_tasks.scorers.grading.record import (
    GradedPair,
    SourceGrades,
    applies,
    digest,
    reusable,
    wording,
)
from profile_tasks.settings import JudgeSettings
from profile_tasks.solvers.both_orders import Pick, named, shown_swapped

_T = TypeVar("_T")
_U = TypeVar("_U")


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
    ``WORDS_PER_FACTS_REQUEST`` words takes a facts request for each of its parts.

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
        scoring=0 if known is None else known.scoring + 1,
        material=digest(shown.prompt, shown.source),
        texts={response: digest(shown.responses[response]) for response in same_as.values()},
        same_as=same_as,
    )
    kept = reusable(known, asked, graded)
    counting = _Counting(ask)
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

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.requests = self.repairs = 0
        self.problems: list[str] = []

    async def ask(self, request: GraderRequest[_T], place: str) -> _T | None:
        answer = await self._ask(request)
        self.requests += answer.requests
        self.repairs += answer.repairs
        if answer.problem is not None:
            self.problems.append(f"{place}: {answer.problem}")
        return answer.value


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
    distinct = list(dict.fromkeys(same_as.values()))
    found = await together(
        [
            partial(
                _grade_response,
                shown,
                response,
                factors,
                key_facts if covering else None,
                kept.responses.get(response, ResponseFacts()),
                counting,
            )
            for response in distinct
        ]
    )
    return key_facts, kept.responses | dict(zip(distinct, found, strict=True))


async def _grade_response(
    shown: SourceToGrade,
    response: str,
    factors: Sequence[Factor],
    key_facts: tuple[str, ...] | None,
    known: ResponseFacts,
    counting: _Counting,
) -> ResponseFacts:
    """The facts of one response: what is known of them, and what is not yet."""
    text = shown.responses[response]
    labelled = tuple(factor for factor in factors if factor.measure == "share")
    listed = any(factor.measure in ("count", "share") for factor in factors)
    uncovered = key_facts if key_facts and known.covered is None else None
    if listed and known.facts is None:
        requests = [
            FactsRequest(shown.prompt, shown.source, part, labelled, None, uncovered)
            for part in parts(text)
        ]
    else:
        facts = known.facts or ()
        unlabelled = tuple(
            factor for factor in labelled if any(factor.id not in fact.labels for fact in facts)
        )
        texts = tuple(fact.text for fact in facts)
        requests = [
            FactsRequest(shown.prompt, shown.source, text, unlabelled, texts, uncovered)
            for _ in range(1)
            if unlabelled or uncovered
        ]
    place = f"facts of {response}"
    answers = await together([partial(counting.ask, request, place) for request in requests])
    return _merged(known, answers) if requests else known


def _merged(known: ResponseFacts, answers: Sequence[ResponseFacts | None]) -> ResponseFacts:
    """Known and new facts together; a missing part makes the whole missing."""
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
    graded: dict[frozenset[str], GradedPair] = {}
    for first, second in ((same_as[a], same_as[b]) for a, b in shown.pairs):
        ids = frozenset((first, second))  # two pairs may hold the same texts in swapped roles
        if first != second and ids not in graded:
            graded[ids] = known.get(ids, GradedPair(first=first, second=second))
    return tuple(
        await together(
            [
                partial(_grade_pair, shown, pair, factors, counting, judging)
                for pair in graded.values()
            ]
        )
    )


async def _grade_pair(
    shown: SourceToGrade,
    pair: GradedPair,
    factors: Sequence[Factor],
    counting: _Counting,
    judging: JudgeSettings,
) -> GradedPair:
    texts = (shown.responses[pair.first], shown.responses[pair.second])
    drawn = shown_swapped(*texts)
    wanted = (False, True) if judging.judge_orders == 2 else (drawn,)
    known = {factor.id: _by_order(pair.verdicts.get(factor.id, ()), drawn) for factor in factors}
    asked = [
        (
            swapped,
            JudgedRequest(shown.prompt, shown.source, *(texts[::-1] if swapped else texts), batch),
        )
        for swapped in wanted
        for batch in batches(
            [f for f in factors if known[f.id].get(swapped) is None], judging.judge_batch
        )
    ]
    place = f"{pair.first} against {pair.second}"
    answers = await together([partial(counting.ask, request, place) for _, request in asked])
    for (swapped, request), answer in zip(asked, answers, strict=True):
        for factor in request.factors:
            known[factor.id][swapped] = named((answer or {}).get(factor.id), swapped=swapped)
    verdicts = {name: tuple(said[order] for order in sorted(said)) for name, said in known.items()}
    return pair.model_copy(update={"swapped": drawn, "verdicts": pair.verdicts | verdicts})


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
