"""Both settings at once: the model writes and judges, and neither waits for the other."""

from collections.abc import Sequence

from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import collect

from profile_tasks.settings import DEFAULT_SCORES
from profile_tasks.solvers.pairwise_discrimination import pairwise_discrimination
from profile_tasks.solvers.score_conditioned_generation import score_conditioned_generation


@solver
def both_settings(scores: Sequence[int] = DEFAULT_SCORES, orders: int = 2) -> Solver:
    """Send the requests of both settings together.

    No request sees another one's answer, so a source takes as long as its slowest request. One
    solver also spares Inspect a comparison of the whole state, which two in a row cost.

    Args:
        scores: Target scores, as of ``score_conditioned_generation``.
        orders: Orders in which a pair is shown, as of ``pairwise_discrimination``.
    """
    write, judge = score_conditioned_generation(scores), pairwise_discrimination(orders)

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        await collect(write(state, generate), judge(state, generate))
        return state

    return solve
