"""The probes of a judge, asked: every request about a source, sent together."""

from inspect_ai.model import get_model
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import collect

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.settings import PROBES, JudgeBy, ProbeName
from profile_tasks.solvers.pairwise_discrimination import check_judge, verdicts_of
from profile_tasks.solvers.probe_requests import Asked, ProbeAnswers, ProbeRequests, Told
from profile_tasks.solvers.reply import as_chat, reply
from profile_tasks.solvers.requests import NeutralRequest
from profile_tasks.solvers.score_conditioned_generation import written_text

_KEY = "judge_probes"  # in the sample's store


@solver
def judge_probes(
    probes: tuple[ProbeName, ...] = PROBES, judge_by: JudgeBy = "words", seed: int = 0
) -> Solver:
    """Ask for every verdict that the probes need, and for the judge's own text where one does.

    Args:
        probes: Which probes.
        judge_by: How the judge decides, as of ``verdicts_of``.
        seed: What is asked again is asked with this seed, counted up by one: else a cache would
            answer. Nothing else is asked with a seed, and not every provider heeds one.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        source, judge = state.metadata_as(AnnotatedSource), get_model()
        check_judge(judge, judge_by)

        async def said(asked: Asked) -> tuple[Told, ...]:
            found = await verdicts_of(
                judge, asked.requests, asked.orders, judge_by, seed + 1 if asked.again else None
            )
            return tuple(Told(picks=each.picks, margins=each.margins) for each in found)

        own = await _own_text(source) if "self_preference" in probes else None
        asked = ProbeRequests(source, probes, own)
        verdicts, probed = asked.verdicts, asked.probed
        told = await collect(*(said(each) for each in (*verdicts.values(), *probed.values())))
        answers = ProbeAnswers(
            verdicts=dict(zip(verdicts, told, strict=False)),
            probed=dict(zip(probed, told[len(verdicts) :], strict=True)),
            carrier=asked.carrier,
            own=own,
            others=tuple(asked.others),
            skipped=asked.skipped,
        )
        state.store.set(_KEY, answers.model_dump(mode="json"))
        return state

    return solve


async def _own_text(source: AnnotatedSource) -> str | None:
    request = NeutralRequest(source.task, source.prompt, source.source, source.conversation)
    return written_text(await reply(get_model(), as_chat(request.messages())))


def probe_answers(state: TaskState) -> ProbeAnswers:
    """What the solver found.

    Raises:
        ValueError: The sample was not made by ``judge_probes``.
    """
    stored = state.store.get(_KEY)
    if stored is None:
        raise ValueError("the sample holds no answers to probes; its solver was another one")
    return ProbeAnswers.model_validate(stored)
