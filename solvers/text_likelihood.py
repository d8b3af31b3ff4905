"""Asking about texts that are there already: how likely they are, and which is better."""

from inspect_ai.model import get_model
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import collect
from pydantic import BaseModel

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.settings import Measure
from profile_tasks.solvers.both_orders import Picks, pair_requests
from profile_tasks.solvers.log_likelihood import (
    LogLikelihoodError,
    check_log_likelihoods,
    log_likelihood,
)
from profile_tasks.solvers.pairwise_discrimination import picks_of
from profile_tasks.solvers.requests import NeutralRequest

_LIKELIHOODS, _PROBLEMS, _PICKS = "log_likelihoods", "likelihood_problems", "compliance_picks"


class SourceTexts(BaseModel, frozen=True):
    """A source, and texts about it with their scores."""

    source: AnnotatedSource
    texts: tuple[tuple[float, str], ...]

    @property
    def extremes(self) -> tuple[str, str] | None:
        """The first texts for the highest and for the lowest score; None where they are one."""
        scores = [score for score, _ in self.texts]
        if not scores or min(scores) == max(scores):
            return None
        high, low = (
            next(text for score, text in self.texts if score == end)
            for end in (max(scores), min(scores))
        )
        return None if high == low else (high, low)


@solver
def text_likelihood(measure: Measure = "both") -> Solver:
    """Ask how likely each text is under the neutral request, and whether the best one is better.

    Args:
        measure: "likelihood", "compliance" (the verdict on the texts for the highest and the
            lowest score, in both orders), or "both".
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        known = state.metadata_as(SourceTexts)
        if measure != "compliance":
            check_log_likelihoods(get_model())
            told = await collect(*(_likelihood(known.source, text) for _, text in known.texts))
            state.store.set(_LIKELIHOODS, [value for value, _ in told])
            state.store.set(_PROBLEMS, [problem for _, problem in told if problem])
        if measure != "likelihood" and known.extremes is not None:
            requests = pair_requests(known.source, *known.extremes)
            state.store.set(_PICKS, list(await picks_of(get_model(), requests)))
        return state

    return solve


def told_likelihoods(state: TaskState) -> list[float | None] | None:
    """Log-likelihood of each text, None where it is missing; None if not asked."""
    told: list[float | None] | None = state.store.get(_LIKELIHOODS)
    return told


def likelihood_problems(state: TaskState) -> list[str]:
    """Why log-likelihoods are missing."""
    return list(state.store.get(_PROBLEMS, []))


def compliance_picks(state: TaskState) -> Picks | None:
    """The verdict on the best and the worst text, in this order; None if not asked."""
    picks = state.store.get(_PICKS)
    return None if picks is None else tuple(picks)


async def _likelihood(source: AnnotatedSource, text: str) -> tuple[float | None, str | None]:
    request = NeutralRequest(source.task, source.prompt, source.source).render()
    try:
        return await log_likelihood(get_model(), request, text), None
    except LogLikelihoodError as error:
        return None, str(error)
