"""Generation: the model writes one response per target score.

PROFILE (arXiv 2410.06965) reads a model's preference as a writer off score-conditioned
generation: of two responses to one source, the one written for the higher score counts as
preferred. Here each score is asked for in a conversation of its own, so that the responses do
not see each other (this implementation's choice).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from inspect_ai.model import ModelOutput, get_model
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import collect

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.settings import DEFAULT_SCORES
from profile_tasks.solvers.reply import reply
from profile_tasks.solvers.requests import GenerationRequest
from profile_tasks.solvers.target_scores import response_text, score_scale

_RESPONSES, _TRUNCATED = "responses_by_score", "truncated_scores"  # in the sample's store


@solver
def score_conditioned_generation(scores: Sequence[int] = DEFAULT_SCORES) -> Solver:
    """Ask for one response per target score, one request each.

    Args:
        scores: Target scores, at least two, rising. The scale that the model is told runs from
            the lowest to the highest of ``1..5`` and these.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        written = await _outputs(state.metadata_as(AnnotatedSource), scores)
        put_responses(
            state,
            {score: written_text(output) for score, output in written.items()},
            [score for score, output in written.items() if was_cut_off(output)],
        )
        return state

    return solve


def put_responses(
    state: TaskState, written: Mapping[int, str | None], truncated: Sequence[int] = ()
) -> None:
    """Put what the model wrote where the scorer and the log's reader find it."""
    # Keys as JSON has them, so that a log read back is what was written.
    state.store.set(_RESPONSES, {str(score): text for score, text in written.items()})
    state.store.set(_TRUNCATED, list(truncated))


async def written_for_scores(
    annotated: AnnotatedSource, scores: Sequence[int] = DEFAULT_SCORES
) -> dict[int, str | None]:
    """What the model writes for each target score, asked for anew; None where it writes nothing."""
    outputs = await _outputs(annotated, scores)
    return {score: written_text(output) for score, output in outputs.items()}


async def _outputs(annotated: AnnotatedSource, scores: Sequence[int]) -> dict[int, ModelOutput]:
    low, high = score_scale(scores)

    async def write(score: int) -> ModelOutput:
        request = GenerationRequest(
            annotated.task, annotated.prompt, annotated.source, score, low, high
        )
        return await reply(get_model(), request.render())

    outputs = await collect(*(write(score) for score in scores))
    return dict(zip(scores, outputs, strict=True))


def responses_by_score(state: TaskState) -> dict[int, str | None] | None:
    """What the model wrote, by target score, None where it wrote nothing; None if not asked."""
    stored = state.store.get(_RESPONSES)
    return None if stored is None else {int(score): text for score, text in stored.items()}


def truncated_scores(state: TaskState) -> list[int]:
    """Target scores whose response was cut off by a token limit."""
    return list(state.store.get(_TRUNCATED, []))


def has_responses(store: Mapping[str, Any]) -> bool:
    """Whether the model was asked to write for target scores in a logged sample."""
    return bool(store.get(_RESPONSES))


def written_responses(store: Mapping[str, Any]) -> tuple[dict[int, str | None], list[int]]:
    """Of a logged sample's store: what the model wrote by target score, and what was cut off."""
    responses = {int(score): text for score, text in store[_RESPONSES].items()}
    return responses, list(store.get(_TRUNCATED, []))


def was_cut_off(output: ModelOutput) -> bool:
    """Whether a token limit ended an output; one without any choice has no reason to stop."""
    return not output.empty and output.stop_reason in ("max_tokens", "model_length")


def written_text(output: ModelOutput) -> str | None:
    """The response in an output; None when it is empty or the provider's filter refused it."""
    if output.empty or output.stop_reason == "content_filter":
        return None
    return response_text(output.completion)
