"""Discrimination: the model picks the better of each annotated pair."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageUser,
    Model,
    ModelOutput,
    get_model,
)
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import collect, store

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.solvers.both_orders import (
    PairVerdict,
    Pick,
    by_pair,
    discrimination_requests,
    read_pick,
    without_position,
)
from profile_tasks.solvers.own_pairs import ScorePair
from profile_tasks.solvers.prompts import VERDICT_REPAIR
from profile_tasks.solvers.reply import reply
from profile_tasks.solvers.requests import DiscriminationRequest
from profile_tasks.solvers.score_conditioned_generation import was_cut_off
from profile_tasks.solvers.structured_output import structured

_PICKS_KEY, _MARGINS_KEY, _OWN_PICKS_KEY = "picks", "margins", "own_picks"  # in the sample's store
_REPAIRS_KEY = "verdict_repairs"

_FORM = {
    "type": "object",
    "properties": {"verdict": {"type": "string", "enum": ["A", "B"]}},
    "required": ["verdict"],
    "additionalProperties": False,
}
"""Of a verdict, for providers with structured output."""


@solver
def pairwise_discrimination(orders: int = 2) -> Solver:
    """Ask which response of each annotated pair is better.

    Args:
        orders: 2 shows each pair in both orders; 1 only as recorded (half the requests, and a
            position bias goes unseen).
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        requests = discrimination_requests(state.metadata_as(AnnotatedSource), orders)
        picks = await picks_of(get_model(), requests)
        put_verdicts(state, [PairVerdict(pair) for pair in by_pair(picks, orders)])
        return state

    return solve


async def picks_of(
    judge: Model, requests: Iterable[DiscriminationRequest]
) -> tuple[Pick | None, ...]:
    """What a judge picks, request by request; all are sent together."""
    return tuple(await collect(*(_pick(judge, request) for request in requests)))


async def _pick(judge: Model, request: DiscriminationRequest) -> Pick | None:
    """What a judge picks; where that cannot be read it is asked once more."""
    asked: list[ChatMessage] = [ChatMessageUser(content=request.render())]
    output = await _answer(judge, asked)
    pick = _read(output, request)
    again = not (_refused(output) or getattr(judge.api, "answers_once", False))
    if pick is None and again:
        said = ChatMessageAssistant(content="" if output.empty else output.completion)
        asked += [*([said] if said.text else []), ChatMessageUser(content=VERDICT_REPAIR)]
        _count_repair()
        pick = _read(await _answer(judge, asked), request)
    return pick


async def _answer(judge: Model, messages: Sequence[ChatMessage]) -> ModelOutput:
    return await structured(judge, "verdict", _FORM, partial(reply, judge, messages))


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
    picks, margins = state.store.get(_PICKS_KEY), state.store.get(_MARGINS_KEY)
    if picks is None:
        return None
    each = zip(picks, margins or [()] * len(picks), strict=True)
    return [PairVerdict(tuple(pair), tuple(margin)) for pair, margin in each]


def put_own_verdicts(state: TaskState, verdicts: Mapping[ScorePair, PairVerdict]) -> None:
    """Put how the model judged the pairs that it wrote where the scorer finds it.

    Each with its target scores: a scorer of another ``pairing`` compares other pairs.
    """
    state.store.set(
        _OWN_PICKS_KEY, [[*pair, list(verdict.picks)] for pair, verdict in verdicts.items()]
    )


def own_verdicts(state: TaskState) -> dict[ScorePair, PairVerdict] | None:
    """The verdicts on the pairs that the model wrote; None if it was not asked for any."""
    stored = state.store.get(_OWN_PICKS_KEY)
    if stored is None:
        return None
    return {(high, low): PairVerdict(tuple(picks)) for high, low, picks in stored}
