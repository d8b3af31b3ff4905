"""Both settings at once: the model writes and judges, and then judges what it wrote."""

from collections.abc import Sequence

from inspect_ai.model import get_model
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import collect

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.settings import DEFAULT_SCORES, JudgeBy, Pairing
from profile_tasks.solvers.own_pairs import OwnPairs
from profile_tasks.solvers.pairwise_discrimination import (
    check_judge,
    pairwise_discrimination,
    put_own_verdicts,
    verdicts_of,
)
from profile_tasks.solvers.score_conditioned_generation import (
    responses_by_score,
    score_conditioned_generation,
)


@solver
def both_settings(
    scores: Sequence[int] = DEFAULT_SCORES,
    orders: int = 2,
    own_pairs: Pairing | None = "all",
    judge_by: JudgeBy = "words",
) -> Solver:
    """Send the requests of both settings together, then those about the model's own pairs.

    Writing and judging the annotated pairs do not wait for each other, so a source takes as long
    as its slowest request, and the one about its own texts after that. One solver also spares
    Inspect a comparison of the whole state, which two in a row cost.

    Args:
        scores: Target scores, as of ``score_conditioned_generation``.
        orders: Orders in which a pair is shown, as of ``pairwise_discrimination``.
        own_pairs: Which pairs of its responses the model judges, as of ``generation_pairs``; None:
            none of them.
        judge_by: How it judges, as of ``verdicts_of``.
    """
    write, judge = score_conditioned_generation(scores), pairwise_discrimination(orders, judge_by)

    async def write_and_judge(state: TaskState, generate: Generate) -> None:
        await write(state, generate)
        if own_pairs is not None:
            annotated, written = state.metadata_as(AnnotatedSource), responses_by_score(state) or {}
            own = OwnPairs(annotated, written, own_pairs, orders)
            shown = await verdicts_of(get_model(), own.requests(), orders, judge_by)
            put_own_verdicts(state, own.verdicts(shown))

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        check_judge(get_model(), judge_by)
        await collect(write_and_judge(state, generate), judge(state, generate))
        return state

    return solve
