"""Discrimination: the model picks the better of each annotated pair.

Every pair is shown in both orders, because models favour a position; verdicts that name
different responses make a tie (this implementation's choice). An unreadable verdict is missing.
"""

from collections.abc import Sequence

from inspect_ai.model import ModelOutput, get_model
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import collect

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.solvers.requests import discrimination_requests
from profile_tasks.solvers.score_conditioned_generation import was_cut_off
from profile_tasks.solvers.verdict import ShownPick, read_pick

_PICKS_KEY, _MARGINS_KEY = "picks", "margins"  # in the sample's store


@solver
def pairwise_discrimination(orders: int = 2) -> Solver:
    """Ask which response of each annotated pair is better.

    Args:
        orders: 2 shows each pair in both orders; 1 only as recorded (half the requests, and a
            position bias goes unseen).
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        annotated = state.metadata_as(AnnotatedSource)

        outputs = await collect(
            *(
                get_model().generate(request.render())
                for request in discrimination_requests(annotated, orders)
            )
        )
        picks = [shown_pick(output) for output in outputs]
        put_picks(state, [picks[at : at + orders] for at in range(0, len(picks), orders)])
        return state

    return solve


def put_picks(
    state: TaskState,
    picks: Sequence[Sequence[ShownPick | None]],
    margins: Sequence[Sequence[float]] | None = None,
) -> None:
    """Put how the model judged each pair where the scorer and the log's reader find it."""
    state.store.set(_PICKS_KEY, [list(pair) for pair in picks])
    if margins is not None:
        state.store.set(_MARGINS_KEY, [list(pair) for pair in margins])


def picks_by_pair(state: TaskState) -> list[list[ShownPick | None]] | None:
    """The picks on each of the source's pairs, in their order; None if not asked.

    One pick a request: as recorded, then (with two orders) with the responses swapped. None where
    a verdict was unreadable.
    """
    picks: list[list[ShownPick | None]] | None = state.store.get(_PICKS_KEY)
    return picks


def margins_by_pair(state: TaskState) -> list[list[float]] | None:
    """The margins behind the picks where they come from log-likelihoods; None elsewhere."""
    margins: list[list[float]] | None = state.store.get(_MARGINS_KEY)
    return margins


def shown_pick(output: ModelOutput) -> ShownPick | None:
    """The pick that an output names; None when there is no readable verdict."""
    if output.empty or output.stop_reason == "content_filter":
        return None
    return read_pick(output.completion, truncated=was_cut_off(output))
