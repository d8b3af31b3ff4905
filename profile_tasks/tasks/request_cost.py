"""What a run costs, before it: requests and estimated tokens by role, without asking a model.

The grader's requests are counted by the code that sends them, ``grade_source``, here with an
``ask`` that counts and answers with stand-ins. So the number cannot drift from what a run does.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any, Literal, TypeVar

import anyio

from profile_tasks.data.preferences import AnnotatedSource, PreferenceData
from profile_tasks.scorers.factors.batch import Batch
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.facts import FactsBatch, FactsRequest, KeyFactsRequest
from profile_tasks.scorers.factors.grader_answer import GraderRequest
from profile_tasks.scorers.factors.grader_prompts import MOST_KEY_FACTS, WORDS_PER_FACTS_REQUEST
from profile_tasks.scorers.factors.judged import JudgedBatch, JudgedRequest
from profile_tasks.scorers.grading.requests import (
    GraderAnswer,
    SourceToGrade,
    grade_source,
)
from profile_tasks.scorers.measurement.source_measurement import compared_responses
from profile_tasks.settings import (
    PROBES,
    JudgeAuditSettings,
    JudgeBy,
    ProbeName,
    ProfileSettings,
)
from profile_tasks.solvers.both_orders import discrimination_requests
from profile_tasks.solvers.own_pairs import OwnPairs
from profile_tasks.solvers.probe_requests import IDENTICAL, OWN, REPEAT, ProbeRequests
from profile_tasks.solvers.prompts import STANDARD, VERDICTS
from profile_tasks.solvers.requests import (
    DiscriminationRequest,
    GenerationRequest,
    NeutralRequest,
)
from profile_tasks.solvers.target_scores import generation_pairs, score_scale

_T = TypeVar("_T")

# What the tokens are estimated with. Rules of thumb for English and usual tokenizers.
CHARACTERS_PER_TOKEN = 4
TOKENS_PER_VERDICT = 5  # "Verdict: A" and the end of the turn
WORDS_PER_FACT = 12  # how much of a response makes one atomic fact
CHARACTERS_PER_FACT = 80  # with its JSON around about 25 tokens, labels not included

Role = Literal["evaluated model", "grader"]
Purpose = (
    Literal["generation", "discrimination", "own pairs", "key facts", "facts", "judged"] | ProbeName
)
Purposes = Mapping[Role, tuple[Purpose, ...]]

PURPOSES: Purposes = {
    "evaluated model": ("generation", "discrimination", "own pairs"),
    "grader": ("key facts", "facts", "judged"),
}
"""What each role is asked for in a profile."""

AUDITED: Purposes = {"evaluated model": PROBES}
"""In an audit of a judge: what each probe adds; ``position`` is the pairs as they are."""

_ASKED_FOR: Mapping[str, ProbeName] = {
    STANDARD: "position",
    REPEAT: "repeat",
    IDENTICAL: "null_pairs",
    "white_space": "null_pairs",
    "synonym": "null_pairs",
    "padding": "padding",
    "style": "style",
    OWN: "self_preference",
    "authority": "authority",
    "injection": "injection",
}
"""For which probe something is asked; what is no key here is another wording."""


@dataclass(frozen=True)
class RequestCount:
    """Requests, and their estimated tokens."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: "RequestCount") -> "RequestCount":
        """Both together."""
        return RequestCount(
            self.requests + other.requests,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
        )


@dataclass(frozen=True)
class RequestCost:
    """What a run costs.

    Attributes:
        n_sources: How many sources are run.
        n_pairs: How many annotated pairs they have.
        by_purpose: Count of every purpose, zeros included.
        notes: What the numbers rest on, in words.
        purposes: What each role is asked for.
    """

    n_sources: int
    n_pairs: int
    by_purpose: Mapping[Purpose, RequestCount]
    notes: tuple[str, ...]
    purposes: Purposes = field(default_factory=lambda: PURPOSES)

    def total(self, role: Role) -> RequestCount:
        """All that the role is asked for."""
        return sum((self.by_purpose[purpose] for purpose in self.purposes[role]), RequestCount())


def request_cost(
    data: PreferenceData,
    factors: Sequence[Factor],
    settings: ProfileSettings = ProfileSettings(),
    epochs: int = 1,
    graders: int = 1,
) -> RequestCost:
    """Count the requests of a run and estimate their tokens.

    The number of requests is exact when nothing is cached and nothing is asked again, and the
    written responses are all there, different from one another and from the annotated ones, and
    of at most ``WORDS_PER_FACTS_REQUEST`` words. Where ``source_coverage`` is the only facts
    factor, it also takes sources that have key facts. Not to be called where an event loop runs.

    Args:
        data: The annotated sources.
        factors: The factors of the run; those that need no grader cost nothing.
        settings: The settings of the run.
        epochs: How often every source is run, >= 1.
        graders: Models in the role of the grader, >= 1; each is asked everything.

    >>> from profile_tasks.data.preferences import load_preferences
    >>> from profile_tasks.scorers.factors.selection import resolve_factors
    >>> data = load_preferences("demo", task="summarization", limit=1, max_pairs_per_source=2)
    >>> cost = request_cost(data, resolve_factors("fluency", "summarization"))
    >>> [cost.by_purpose[purpose].requests for purpose in ("generation", "discrimination")]
    [5, 4]
    >>> [cost.by_purpose[purpose].requests for purpose in ("own pairs", "judged")]
    [20, 24]
    """
    sent = {purpose: _Sent() for purposes in PURPOSES.values() for purpose in purposes}
    batched = {purpose: _Sent() for purpose in PURPOSES["grader"]}

    async def count() -> None:
        for source in data.sources:
            written = _count_model(source, settings, sent)
            await _count_grader(source, written, factors, settings, sent)
            if settings.grading == "single":
                in_batches = settings.model_copy(update={"grading": "batched"})
                await _count_grader(source, written, factors, in_batches, batched)

    anyio.run(count)
    cost = RequestCost(
        n_sources=len(data.sources),
        n_pairs=sum(len(source.pairs) for source in data.sources),
        by_purpose={
            purpose: sent[purpose].count(epochs * (graders if role == "grader" else 1))
            for role, purposes in PURPOSES.items()
            for purpose in purposes
        },
        notes=_notes(data, factors, settings, epochs, graders),
    )
    counts = (each.count(epochs * graders) for each in batched.values())
    less = sum(counts, RequestCount())
    if not less.requests or less.requests == cost.total("grader").requests:
        return cost
    saved = (
        f"grading=batched: {less.requests:,} requests of the grader, ~ {less.input_tokens:,} input "
        f"and {less.output_tokens:,} output tokens (docs/cost.md)"
    )
    return replace(cost, notes=(*cost.notes, saved))


def audit_cost(data: PreferenceData, settings: JudgeAuditSettings, epochs: int = 1) -> RequestCost:
    """Count the requests of an audit of a judge and estimate their tokens.

    The number is exact under the conditions of ``request_cost``; with ``self_preference``, where
    the judge writes a text of each source that equals no response.

    Args:
        data: The annotated sources.
        settings: The settings of the audit.
        epochs: How often every source is run, >= 1.

    >>> from profile_tasks.data.preferences import load_preferences
    >>> data = load_preferences("demo", task="summarization", limit=1, max_pairs_per_source=1)
    >>> audit_cost(data, JudgeAuditSettings(probes="padding")).total("evaluated model").requests
    2
    """
    sent = {probe: _Sent() for probe in PROBES}
    for source in data.sources:
        own = None
        if "self_preference" in settings.chosen_probes:
            own = stand_in_responses(source, (1,))[1]
            writing = NeutralRequest(source.task, source.prompt, source.source)
            sent["self_preference"].add(writing.render(), _tokens(own))
        asked = ProbeRequests(source, settings.chosen_probes, own)
        for name, each in (*asked.verdicts.items(), *asked.probed.items()):
            probe = _ASKED_FOR.get(name, "wording")
            _count_verdicts(each.requests, settings.judge_by, sent[probe])
    notes = [_exact(asks_again=settings.judge_by == "words")]
    if settings.judge_by == "likelihood":
        notes.append(_BY_LIKELIHOOD)
    if sent["position"].requests and "position" not in settings.chosen_probes:
        notes.append("position: the pairs as they are, which the chosen probes are held against")
    if "self_preference" in settings.chosen_probes:
        notes.append(
            "the judge is taken to write a text of each source that equals no response, as long as "
            "these are on average: a missing or equal one takes fewer requests"
        )
    notes.append(
        f"~ tokens are estimates: {CHARACTERS_PER_TOKEN} characters a token; {TOKENS_PER_VERDICT} "
        "tokens a verdict; no tokens of thought"
    )
    return RequestCost(
        n_sources=len(data.sources),
        n_pairs=sum(len(source.pairs) for source in data.sources),
        by_purpose={probe: one.count(epochs) for probe, one in sent.items()},
        notes=tuple(notes),
        purposes=AUDITED,
    )


@dataclass
class _Sent:
    """Requests of one purpose while they are counted."""

    requests: int = 0
    input_tokens: float = 0.0
    output_tokens: float = 0.0

    def add(self, request: str, output_tokens: float) -> None:
        self.requests += 1
        self.input_tokens += _tokens(request)
        self.output_tokens += output_tokens

    def count(self, times: int) -> RequestCount:
        return RequestCount(
            self.requests * times,
            round(self.input_tokens * times),
            round(self.output_tokens * times),
        )


def _count_model(
    source: AnnotatedSource, settings: ProfileSettings, sent: Mapping[Purpose, _Sent]
) -> dict[int, str]:
    """What the evaluated model is asked; returns stand-ins for what it writes."""
    scores = settings.target_scores
    written = stand_in_responses(source, scores) if settings.writes else {}
    low, high = score_scale(scores)
    for score, text in written.items():
        writing = GenerationRequest(source.task, source.prompt, source.source, score, low, high)
        sent["generation"].add(writing.render(), _tokens(text))
    if settings.judges:
        asked = discrimination_requests(source, settings.orders)
        _count_verdicts(asked, settings.judge_by, sent["discrimination"])
    if settings.judged_own is not None:
        own = OwnPairs(source, written, settings.judged_own, settings.orders)
        _count_verdicts(own.requests(), settings.judge_by, sent["own pairs"])
    return written


async def _count_grader(
    source: AnnotatedSource,
    written: Mapping[int, str],
    factors: Sequence[Factor],
    settings: ProfileSettings,
    sent: Mapping[Purpose, _Sent],
) -> None:
    """What the grader is asked."""

    async def ask(request: GraderRequest[_T], /) -> GraderAnswer[_T]:
        purpose = _purpose(request)
        answer = json.dumps(_stand_in_answer(request))
        sent[purpose].add(request.render(), _tokens(answer))
        # Read as a grader's answer is, so that the requests that follow from it are a run's.
        reading = request.read(answer)
        return GraderAnswer(reading.value, problem="; ".join(reading.problems) or None)

    compared = compared_responses(
        source, written, generation_pairs(list(written), settings.pairing, source.id)
    )
    grades = await grade_source(
        SourceToGrade(
            source.prompt,
            source.source,
            compared.texts,
            [*compared.annotated, *compared.written],
        ),
        factors,
        ask,
        grader="stand-in",
        judging=settings,
    )
    if grades.problems:
        raise RuntimeError(f"a stand-in answer cannot be read: {grades.problems[0]}")


def _count_verdicts(asked: Sequence[DiscriminationRequest], judge_by: JudgeBy, sent: _Sent) -> None:
    """In words one request each; by likelihood one for either verdict, which is sent along."""
    for judging in asked:
        if judge_by == "words":
            sent.add(judging.render(), TOKENS_PER_VERDICT)
        else:
            for verdict in VERDICTS:
                sent.add(f"{judging.render()}\n\n{verdict}", 1)


def stand_in_responses(source: AnnotatedSource, scores: Sequence[int]) -> dict[int, str]:
    """A text for each score: all different, with as many words as annotated ones have on average.

    Made of the annotated responses' own words, so that it has sentences like theirs.
    """
    texts = dict.fromkeys(text for p in source.pairs for text in (p.response_a, p.response_b))
    words = [word for text in texts for word in text.split()]
    average = " ".join(words[: round(len(words) / len(texts))])
    # Differing in more than digits: texts that do not are equal.
    return {score: f"({chr(96 + at)}){average}" for at, score in enumerate(scores, 1)}


def _purpose(request: GraderRequest[Any]) -> Purpose:
    """What a request is for."""
    match request:
        case KeyFactsRequest():
            return "key facts"
        case FactsRequest() | FactsBatch():
            return "facts"
        case JudgedRequest() | JudgedBatch():
            return "judged"
    raise TypeError(f"no purpose is known for a {type(request).__name__}")


def _stand_in_answer(request: GraderRequest[Any]) -> dict[str, Any]:
    """An answer of the form asked for, with as many facts as a response of its length has."""
    match request:
        case Batch():
            return {
                request.entries: [
                    {request.number: number} | _stand_in_answer(one)
                    for number, one in enumerate(request.requests, start=1)
                ]
            }
        case FactsRequest():
            entries = ceil(len(request.response.split()) / WORDS_PER_FACT)
        case _:
            entries = MOST_KEY_FACTS
    properties = request.schema()["properties"]
    return {name: _filled(of, entries) for name, of in properties.items()}


def _filled(schema: Mapping[str, Any], entries: int, number: int = 1) -> object:
    """An answer of the form that the JSON schema of a request asks for; no two facts are equal."""
    if "enum" in schema:
        return schema["enum"][0]
    if schema["type"] == "object":
        return {name: _filled(of, entries, number) for name, of in schema["properties"].items()}
    if schema["type"] == "array":
        return [_filled(schema["items"], entries, n) for n in range(1, entries + 1)]
    return 1 if schema["type"] == "integer" else f"{number} ".ljust(CHARACTERS_PER_FACT, "x")


def _tokens(text: str) -> float:
    return len(text) / CHARACTERS_PER_TOKEN


_BY_LIKELIHOOD = (
    "by likelihood: two requests for each order shown, one a verdict, that write one token; hf "
    "computes both in one pass and sends none"
)


def _exact(*, asks_again: bool) -> str:
    again = "after a failure or for a repair" if asks_again else "after a failure"
    return f"requests are exact when nothing is cached and nothing is asked again {again}"


def _notes(
    data: PreferenceData,
    factors: Sequence[Factor],
    settings: ProfileSettings,
    epochs: int,
    graders: int,
) -> tuple[str, ...]:
    """What the numbers of this run rest on."""
    graded = any(factor.graded for factor in factors)
    measures = {factor.measure for factor in factors if factor.kind == "facts"}
    lists_facts = bool(measures & {"count", "share"})
    by_likelihood = settings.judges and settings.judge_by == "likelihood"
    asks_again = graded or (settings.judges and not by_likelihood)
    notes = [_exact(asks_again=asks_again)]
    if by_likelihood:
        notes.append(_BY_LIKELIHOOD)
    if settings.judged_own is not None or (settings.writes and graded):
        parts = f"; one of more than {WORDS_PER_FACTS_REQUEST} words takes more" * lists_facts
        notes.append(
            "written responses are taken to be all there, different from one another and from the "
            "annotated ones, and as long as these are on average: a missing or equal one takes "
            f"fewer requests{parts}"
        )
    if settings.writes and lists_facts:
        n_long = sum(
            len(stand_in_responses(source, (1,))[1].split()) > WORDS_PER_FACTS_REQUEST
            for source in data.sources
        )
        if n_long:
            notes.append(
                f"annotated responses average more than {WORDS_PER_FACTS_REQUEST} words in "
                f"{n_long} of {len(data.sources)} sources: there, the facts requests of written "
                "responses are an estimate"
            )
    if measures == {"coverage"}:
        notes.append("every source is taken to have key facts; without, no facts are asked for")
    if graders > 1 and graded:
        notes.append(
            f"the grader's rows are those of {graders} graders together, each asked everything; a "
            "grader that lists more or fewer facts has other tokens"
        )
    if epochs > 1 and graded:
        notes.append(
            "in later epochs the grader's answers on annotated responses can come from the cache"
        )
    notes.append(
        f"~ tokens are estimates: {CHARACTERS_PER_TOKEN} characters a token; {TOKENS_PER_VERDICT} "
        f"tokens a verdict; a fact for every {WORDS_PER_FACT} words of a response; no tokens of "
        "thought, and no JSON schema that is sent beside a request"
    )
    return tuple(notes)
