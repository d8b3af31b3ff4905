"""Self-guided data: a model writes several responses, and its own verdicts rank them.

After the self-guided training of PROFILE (arXiv 2410.06965): a model judges closer to people than
it writes, so its verdicts on its own samples can train it. How samples meet is this
implementation's choice (``tournament.py``).
"""

from inspect_ai.model import GenerateConfig, Model, ModelOutput, get_model, model_roles
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import collect
from pydantic import BaseModel

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.settings import MAXIMUM_SAMPLES, JudgeBy, Tournament
from profile_tasks.solvers.both_orders import PairVerdict, pair_requests
from profile_tasks.solvers.pairwise_discrimination import (
    REQUESTS_A_VERDICT,
    check_judge,
    verdicts_of,
)
from profile_tasks.solvers.reply import as_chat, reply
from profile_tasks.solvers.requests import NeutralRequest
from profile_tasks.solvers.score_conditioned_generation import was_cut_off, written_text
from profile_tasks.solvers.tournament import Match, play

JUDGE_ROLE = "judge"
"""Model role of another judge than the evaluated model; unbound, the model judges itself."""

_KEY = "self_guided"  # in the sample's store


class WrittenSample(BaseModel, frozen=True):
    """One response that the model wrote.

    Attributes:
        text: The response; None where it was empty or refused.
        truncated: Whether a token limit cut it off.
        same_as: Index of the first sample with the same text, None where it is the first.
    """

    text: str | None
    truncated: bool = False
    same_as: int | None = None


class JudgedSamples(BaseModel, frozen=True):
    """The samples of a source, and how the judge decided between them.

    Attributes:
        samples: In the order of their seeds.
        matches: Who met, and the verdicts.
        judge: The model that judged.
        judge_by: How it judged.
        requests: Requests sent, for writing and for judging.
    """

    samples: tuple[WrittenSample, ...]
    matches: tuple[Match, ...]
    judge: str
    judge_by: JudgeBy = "words"
    requests: int


@solver
def self_guided_sampling(
    samples: int = 4,
    temperature: float = 1.0,
    tournament: Tournament = "round_robin",
    seed: int = 0,
    judge_by: JudgeBy = "words",
) -> Solver:
    """Write several responses to the neutral request, then let the model choose between them.

    A source takes ``samples`` requests for writing, and for judging ``samples * (samples - 1)``
    (round robin) or ``2 * (samples - 1)`` (knock-out), both orders of each match; fewer where
    samples are equal.

    Args:
        samples: Responses to each source.
        temperature: Of their sampling; judging uses the model's own settings.
        tournament: Which samples meet: "round_robin" or "knock_out".
        seed: Each sample is asked for with a seed of its own, counted up from this one times
            ``MAXIMUM_SAMPLES``. Not every provider heeds it.
        judge_by: How the judge decides, as of ``verdicts_of``; by likelihood it takes twice the
            requests.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        annotated = state.metadata_as(AnnotatedSource)
        judge = judging_model()
        check_judge(judge, judge_by)
        asked = NeutralRequest(
            annotated.task, annotated.prompt, annotated.source, annotated.conversation
        )
        request = as_chat(asked.messages())

        async def write(index: int) -> ModelOutput:
            config = GenerateConfig(temperature=temperature, seed=seed * MAXIMUM_SAMPLES + index)
            return await reply(get_model(), request, config)

        outputs = await collect(*(write(index) for index in range(samples)))
        written = written_samples(list(outputs))

        async def decide(first: int, second: int) -> PairVerdict:
            texts = written[first].text or "", written[second].text or ""
            (verdict,) = await verdicts_of(
                judge, pair_requests(annotated, *texts), judge_by=judge_by
            )
            return verdict

        matches = await play(distinct_samples(written), tournament, decide)
        judged = JudgedSamples(
            samples=written,
            matches=tuple(matches),
            judge=str(judge),
            judge_by=judge_by,
            requests=samples + 2 * len(matches) * REQUESTS_A_VERDICT[judge_by],
        )
        state.store.set(_KEY, judged.model_dump(mode="json"))
        return state

    return solve


def judging_model() -> Model:
    """The model that judges: that of the role, or else the evaluated one."""
    bound = JUDGE_ROLE in model_roles()
    return get_model(role=JUDGE_ROLE, required=True) if bound else get_model()


def written_samples(outputs: list[ModelOutput]) -> tuple[WrittenSample, ...]:
    """The samples in a model's outputs; what was written before is marked."""
    first_of: dict[str, int] = {}
    found = []
    for index, output in enumerate(outputs):
        text = written_text(output)
        earlier = None if text is None else first_of.setdefault(text, index)
        same_as = None if earlier == index else earlier
        found.append(WrittenSample(text=text, truncated=bool(was_cut_off(output)), same_as=same_as))
    return tuple(found)


def distinct_samples(samples: tuple[WrittenSample, ...]) -> list[int]:
    """Indices of the samples with a text that is no earlier sample's."""
    return [
        index
        for index, sample in enumerate(samples)
        if sample.text is not None and sample.same_as is None
    ]


def judged_samples(state: TaskState) -> JudgedSamples:
    """What the solver found.

    Raises:
        ValueError: The sample was not made by ``self_guided_sampling``.
    """
    stored = state.store.get(_KEY)
    if stored is None:
        raise ValueError("the sample holds no self-guided samples; its solver was another one")
    return JudgedSamples.model_validate(stored)
