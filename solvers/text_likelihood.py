"""Asking about texts that are there already: how likely they are, and which is better."""

from inspect_ai.model import get_model
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import collect
from pydantic import BaseModel

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.settings import JudgeBy, Measure
from profile_tasks.solvers.both_orders import PairVerdict, pair_requests
from profile_tasks.solvers.log_likelihood import (
    LogLikelihoodError,
    check_log_likelihoods,
    log_likelihoods,
)
from profile_tasks.solvers.pairwise_discrimination import check_judge, verdicts_of
from profile_tasks.solvers.requests import NeutralRequest

_LIKELIHOODS, _PROBLEMS = "log_likelihoods", "likelihood_problems"
_PICKS, _MARGINS = "compliance_picks", "compliance_margins"


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
def text_likelihood(measure: Measure = "both", judge_by: JudgeBy = "words") -> Solver:
    """Ask how likely each text is under the neutral request, and whether the best one is better.

    Args:
        measure: "likelihood", "compliance" (the verdict on the texts for the highest and the
            lowest score, in both orders), or "both".
        judge_by: How that verdict is found, as of ``verdicts_of``.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        known = state.metadata_as(SourceTexts)
        if measure != "compliance":
            check_log_likelihoods(get_model())
            told = await collect(*(_likelihood(known.source, text) for _, text in known.texts))
            state.store.set(_LIKELIHOODS, [value for value, _ in told])
            state.store.set(_PROBLEMS, [problem for _, problem in told if problem])
        if measure != "likelihood" and known.extremes is not None:
            check_judge(get_model(), judge_by)
            requests = pair_requests(known.source, *known.extremes)
            (verdict,) = await verdicts_of(get_model(), requests, judge_by=judge_by)
            state.store.set(_PICKS, list(verdict.picks))
            state.store.set(_MARGINS, list(verdict.margins))
        return state

    return solve


def told_likelihoods(state: TaskState) -> list[float | None] | None:
    """Log-likelihood of each text, None where it is missing; None if not asked."""
    told: list[float | None] | None = state.store.get(_LIKELIHOODS)
    return told


def likelihood_problems(state: TaskState) -> list[str]:
    """Why log-likelihoods are missing."""
    return list(state.store.get(_PROBLEMS, []))


def compliance_verdict(state: TaskState) -> PairVerdict | None:
    """The verdict on the best and the worst text, in this order; None if not asked."""
    picks, margins = state.store.get(_PICKS), state.store.get(_MARGINS, ())
    return None if picks is None else PairVerdict(tuple(picks), tuple(margins))


async def _likelihood(source: AnnotatedSource, text: str) -> tuple[float | None, str | None]:
    request = NeutralRequest(source.task, source.prompt, source.source).render()
    try:
        (told,) = await log_likelihoods(get_model(), request, (text,))
    except LogLikelihoodError as error:
        return None, str(error)
    return told, None
