"""Discrimination: the model picks the better of each annotated pair, in words or by likelihood.

A weak model answers such a question by position, or not at all; which of the two verdicts it finds
likelier still tells them apart.
"""

import logging
from collections.abc import Mapping, Sequence

from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageUser,
    GenerateConfig,
    Model,
    ModelOutput,
    get_model,
)
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import collect, store

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.settings import JudgeBy
from profile_tasks.solvers.both_orders import (
    PairVerdict,
    Pick,
    by_pair,
    discrimination_requests,
    margin_between,
    without_position,
)
from profile_tasks.solvers.log_likelihood import (
    RequestRefusedError,
    check_log_likelihoods,
    log_likelihoods,
)
from profile_tasks.solvers.own_pairs import ScorePair
from profile_tasks.solvers.prompts import VERDICT_REPAIR, VERDICTS
from profile_tasks.solvers.reply import reply
from profile_tasks.solvers.requests import DiscriminationRequest
from profile_tasks.solvers.score_conditioned_generation import was_cut_off
from profile_tasks.solvers.structured_output import form, structured
from profile_tasks.solvers.verdict import read_pick

logger = logging.getLogger(__name__)

_PICKS_KEY, _MARGINS_KEY, _OWN_PICKS_KEY = "picks", "margins", "own_picks"  # in the sample's store
_REPAIRS_KEY = "verdict_repairs"

REQUESTS_A_VERDICT: Mapping[JudgeBy, int] = {"words": 1, "likelihood": len(VERDICTS)}
"""Requests about a pair in one order: its answer, or the likelihood of either verdict."""

_FORM = form(
    "verdict",
    {
        "type": "object",
        "properties": {"verdict": {"type": "string", "enum": ["A", "B"]}},
        "required": ["verdict"],
        "additionalProperties": False,
    },
)
"""Of a verdict, for providers with structured output."""


@solver
def pairwise_discrimination(orders: int = 2, judge_by: JudgeBy = "words") -> Solver:
    """Ask which response of each annotated pair is better.

    Args:
        orders: 2 shows each pair in both orders; 1 only as recorded (half the requests, and a
            position bias goes unseen).
        judge_by: How the verdicts are found, as of ``verdicts_of``.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        check_judge(get_model(), judge_by)
        requests = discrimination_requests(state.metadata_as(AnnotatedSource), orders)
        put_verdicts(state, await verdicts_of(get_model(), requests, orders, judge_by))
        return state

    return solve


def check_judge(judge: Model, judge_by: JudgeBy) -> None:
    """Refuse a judge that cannot judge so, before any model is called.

    Raises:
        LogLikelihoodError: It tells no log-likelihoods.
    """
    if judge_by == "likelihood":
        check_log_likelihoods(judge, "-T judge_by=words, which needs none")


async def verdicts_of(
    judge: Model,
    requests: Sequence[DiscriminationRequest],
    orders: int = 2,
    judge_by: JudgeBy = "words",
    seed: int | None = None,
) -> list[PairVerdict]:
    """What a judge says of several pairs; all requests are sent together.

    Args:
        judge: The model that judges.
        requests: About all pairs, pair by pair, each in so many orders.
        orders: How many.
        judge_by: "words": by what it answers. "likelihood": by how likely it finds the two
            ``VERDICTS``; for an order in which it cannot tell, the verdict is missing.
        seed: Sent along, so that the same requests are asked again and not read from a cache; by
            likelihood there is nothing to draw.

    Raises:
        LogLikelihoodError: Its server tells no log-likelihoods.
        ValueError: A log-likelihood is no finite number.
    """
    if judge_by == "likelihood":
        margins = await collect(*(_margin(judge, request) for request in requests))
        return [PairVerdict.by_likelihood(pair) for pair in by_pair(margins, orders)]
    picks = await collect(*(_pick(judge, request, seed) for request in requests))
    return [PairVerdict(pair) for pair in by_pair(picks, orders)]


async def _margin(judge: Model, request: DiscriminationRequest) -> float | None:
    """How much likelier a judge finds the first verdict; None where it cannot tell."""
    try:
        told = await log_likelihoods(judge, request.render(), VERDICTS, spaced=True)
    except RequestRefusedError as error:
        logger.warning("%s; missing", error)
        return None
    return margin_between(*told)


async def _pick(
    judge: Model, request: DiscriminationRequest, seed: int | None = None
) -> Pick | None:
    """What a judge picks; where that cannot be read it is asked once more."""
    asked: list[ChatMessage] = [ChatMessageUser(content=request.render())]
    output = await _answer(judge, asked, seed)
    pick = _read(output, request)
    again = not (_refused(output) or getattr(judge.api, "answers_once", False))
    if pick is None and again:
        said = ChatMessageAssistant(content="" if output.empty else output.completion)
        asked += [*([said] if said.text else []), ChatMessageUser(content=VERDICT_REPAIR)]
        _count_repair()
        pick = _read(await _answer(judge, asked, seed), request)
    return pick


async def _answer(
    judge: Model, messages: Sequence[ChatMessage], seed: int | None = None
) -> ModelOutput:
    async def call(config: GenerateConfig) -> ModelOutput:
        config.seed = seed
        return await reply(judge, messages, config)

    return await structured(judge, _FORM, call)


def _read(output: ModelOutput, request: DiscriminationRequest) -> Pick | None:
    if output.empty or _refused(output):
        return None
    pick = read_pick(
        output.completion, truncated=bool(was_cut_off(output)), material=request.material
    )
    # A recorded verdict may be known without the position of the response that it names.
    alone = (output.metadata or {}).get("position", "known") is None
    return without_position(pick) if alone else pick


def _refused(output: ModelOutput) -> bool:
    return not output.empty and output.stop_reason == "content_filter"


def _count_repair() -> None:
    """Count a verdict that was asked for once more, in the sample's store."""
    store().set(_REPAIRS_KEY, store().get(_REPAIRS_KEY, 0) + 1)


def verdict_repairs(state: TaskState) -> int:
    """Verdicts that were asked for once more, since the first answer could not be read."""
    return int(state.store.get(_REPAIRS_KEY, 0))


def put_verdicts(state: TaskState, verdicts: Sequence[PairVerdict]) -> None:
    """Put how the model judged each pair where the scorer and the log's reader find it."""
    state.store.set(_PICKS_KEY, [list(verdict.picks) for verdict in verdicts])
    if any(verdict.margins for verdict in verdicts):
        state.store.set(_MARGINS_KEY, [list(verdict.margins) for verdict in verdicts])


def verdicts_by_pair(state: TaskState) -> list[PairVerdict] | None:
    """The verdicts on the source's pairs, in their order; None if the model was not asked."""
    picks = state.store.get(_PICKS_KEY)
    if picks is None:
        return None
    margins = state.store.get(_MARGINS_KEY) or [()] * len(picks)
    return [
        PairVerdict(tuple(picked), tuple(by)) for picked, by in zip(picks, margins, strict=True)
    ]


def put_own_verdicts(state: TaskState, verdicts: Mapping[ScorePair, PairVerdict]) -> None:
    """Put how the model judged the pairs that it wrote where the scorer finds it.

    Each with its target scores: a scorer of another ``pairing`` compares other pairs. Margins stand
    behind the picks, where the model judged by likelihood.
    """
    state.store.set(
        _OWN_PICKS_KEY,
        [
            [*pair, list(verdict.picks), *([list(verdict.margins)] if verdict.margins else [])]
            for pair, verdict in verdicts.items()
        ],
    )


def own_verdicts(state: TaskState) -> dict[ScorePair, PairVerdict] | None:
    """The verdicts on the pairs that the model wrote; None if it was not asked for any."""
    stored = state.store.get(_OWN_PICKS_KEY)
    if stored is None:
        return None
    return {(high, low): PairVerdict(*map(tuple, said)) for high, low, *said in stored}
