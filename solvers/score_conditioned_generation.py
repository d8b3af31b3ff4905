"""Generation: the model writes one response per target score.

PROFILE (arXiv 2410.06965) reads a model's preference as a writer off score-conditioned
generation: of two responses to one source, the one written for the higher score counts as
preferred. Here each score is asked for in a conversation of its own, so that the responses do
not see each other (this implementation's choice).
"""

import math
import random
from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Literal, get_args

from inspect_ai.model import ModelOutput, get_model
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import collect

from profile_tasks.preference_data import AnnotatedSource
from profile_tasks.solvers.requests import GenerationRequest

Pairing = Literal["all", "half", "adjacent"]
PAIRINGS: tuple[str, ...] = get_args(Pairing)

DEFAULT_SCORES = (1, 2, 3, 4, 5)


_RESPONSES, _TRUNCATED = "responses_by_score", "truncated_scores"  # in the sample's store


@solver
def score_conditioned_generation(scores: Sequence[int] = DEFAULT_SCORES) -> Solver:
    """Ask for one response per target score, one request each.

    Args:
        scores: Target scores, at least two, rising. The scale that the model is told runs from
            the lowest to the highest of ``1..5`` and these.
    """
    low, high = min(1, *scores), max(5, *scores)

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        annotated = state.metadata_as(AnnotatedSource)

        async def write(score: int) -> ModelOutput:
            request = GenerationRequest(
                annotated.task, annotated.prompt, annotated.source, score, low, high
            )
            return await get_model().generate(request.render())

        outputs = await collect(*(write(score) for score in scores))
        written = dict(zip(scores, outputs, strict=True))
        # Keys as JSON has them, so that a log read back is what was written.
        state.store.set(_RESPONSES, {str(s): written_text(o) for s, o in written.items()})
        state.store.set(_TRUNCATED, [s for s, output in written.items() if was_cut_off(output)])
        return state

    return solve


def responses_by_score(state: TaskState) -> dict[int, str | None] | None:
    """What the model wrote, by target score, None where it wrote nothing; None if not asked."""
    stored = state.store.get(_RESPONSES)
    return None if stored is None else {int(score): text for score, text in stored.items()}


def truncated_scores(state: TaskState) -> list[int]:
    """Target scores whose response was cut off by a token limit."""
    return list(state.store.get(_TRUNCATED, []))


def was_cut_off(output: ModelOutput) -> bool:
    """Whether a token limit ended an output; one without any choice has no reason to stop."""
    return not output.empty and output.stop_reason in ("max_tokens", "model_length")


def written_text(output: ModelOutput) -> str | None:
    """The response in an output; None when it is empty or the provider's filter refused it."""
    if output.empty or output.stop_reason == "content_filter":
        return None
    return output.completion.strip() or None


def generation_pairs(
    scores: Sequence[int], pairing: Pairing, source_id: str = ""
) -> list[tuple[int, int]]:
    """The pairs (higher score, lower score) whose responses are compared.

    Args:
        scores: The target scores.
        pairing: "all" pairs; a random "half" of them, another one for each source, so that over
            many sources the profile is that of all pairs with a wider interval; or those of
            "adjacent" scores, which is another, smaller contrast.
        source_id: What the random half depends on.

    >>> generation_pairs((1, 2, 3), "all")
    [(2, 1), (3, 1), (3, 2)]
    >>> generation_pairs((1, 2, 3), "adjacent")
    [(2, 1), (3, 2)]
    >>> len(generation_pairs((1, 2, 3, 4, 5), "half", "a source"))
    5
    """
    rising = sorted(scores)
    if pairing == "adjacent":
        return [(high, low) for low, high in pairwise(rising)]
    pairs = [(high, low) for low, high in combinations(rising, 2)]
    if pairing == "all":
        return pairs
    chosen = random.Random(source_id).sample(range(len(pairs)), math.ceil(len(pairs) / 2))  # noqa: S311 - no secret
    return [pairs[index] for index in sorted(chosen)]
