"""Target scores of the generation setting, and which responses written for them are compared."""

import math
import random
import re
from collections.abc import Sequence
from itertools import combinations, pairwise

from profile_tasks.settings import Pairing
from profile_tasks.solvers.final_answer import final_answer

_DIGITS = re.compile(r"\d+")


def score_scale(scores: Sequence[int]) -> tuple[int, int]:
    """The scale that the model is told: from the lowest to the highest of ``1..5`` and these.

    >>> score_scale((1, 7))
    (1, 7)
    """
    return min(1, *scores), max(5, *scores)


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


def same_text(first: str | None, second: str | None) -> bool:
    """Whether two written responses are equal, but for their digits.

    A text that names its target score is no other text for another score.

    >>> same_text("Rated 2 of 5.", "Rated 4 of 5."), same_text("Short.", "Longer.")
    (True, False)
    """
    if first is None or second is None:
        return first is second
    return _DIGITS.sub("", first) == _DIGITS.sub("", second)


def response_text(completion: str) -> str | None:
    """The response in what a model wrote, without thoughts; None where it wrote nothing.

    >>> response_text("<think>Short, then.</think> A summary. ")
    'A summary.'
    """
    return final_answer(completion, prose=True)
