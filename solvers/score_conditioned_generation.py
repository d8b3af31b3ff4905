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
from profile_tasks.solvers.reply import as_chat, reply
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
            _cut_off(written),
        )
        return state

    return solve


def put_responses(
    state: TaskState, written: Mapping[int, str | None], truncated: Sequence[int] | None = ()
) -> None:
    """Put what the model wrote where the scorer and the log's reader find it.

    Args:
        state: The sample.
        written: Target score -> text.
        truncated: Scores whose text was cut off; None where that is not known of each.
    """
    # Keys as JSON has them, so that a log read back is what was written.
    state.store.set(_RESPONSES, {str(score): text for score, text in written.items()})
    state.store.set(_TRUNCATED, None if truncated is None else list(truncated))


def _cut_off(written: Mapping[int, ModelOutput]) -> list[int] | None:
    found = {score: was_cut_off(output) for score, output in written.items()}
    return None if None in found.values() else [score for score, cut in found.items() if cut]


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
            annotated.task,
            annotated.prompt,
            annotated.source,
            score,
            low,
            high,
            annotated.conversation,
        )
        return await reply(get_model(), as_chat(request.messages()))

    outputs = await collect(*(write(score) for score in scores))
    return dict(zip(scores, outputs, strict=True))


def responses_by_score(state: TaskState) -> dict[int, str | None] | None:
    """What the model wrote, by target score, None where it wrote nothing; None if not asked."""
    stored = state.store.get(_RESPONSES)
    return None if stored is None else {int(score): text for score, text in stored.items()}


def truncated_scores(state: TaskState) -> list[int] | None:
    """Target scores whose response was cut off by a token limit; None where nobody knows."""
    stored: list[int] | None = state.store.get(_TRUNCATED, [])
    return None if stored is None else list(stored)


def has_responses(store: Mapping[str, Any]) -> bool:
    """Whether the model was asked to write for target scores in a logged sample."""
    return bool(store.get(_RESPONSES))


def written_responses(store: Mapping[str, Any]) -> tuple[dict[int, str | None], list[int]]:
    """Of a logged sample's store: what the model wrote by target score, and what was cut off."""
    responses = {int(score): text for score, text in store[_RESPONSES].items()}
    return responses, list(store.get(_TRUNCATED) or [])


def was_cut_off(output: ModelOutput) -> bool | None:
    """Whether a token limit ended an output; None where nothing tells why it ended.

    One without any choice has no reason to stop.
    """
    if output.empty:
        return False
    if output.stop_reason == "unknown":
        return None
    return output.stop_reason in ("max_tokens", "model_length")


def written_text(output: ModelOutput) -> str | None:
    """The response in an output; None when it is empty, or a refusal as ``reply`` marks them."""
    if output.empty or output.stop_reason == "content_filter":
        return None
    return response_text(output.completion)
