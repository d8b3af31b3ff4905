"""Target scores of the generation setting, and which responses written for them are compared."""

import math
import random
from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Literal, get_args

Pairing = Literal["all", "half", "adjacent"]
PAIRINGS: tuple[str, ...] = get_args(Pairing)

DEFAULT_SCORES = (1, 2, 3, 4, 5)


def score_scale(scores: Sequence[int]) -> tuple[int, int]:
    """The scale that the model is told: from the lowest to the highest of ``1..5`` and these.

    >>> score_scale((1, 7))
    (1, 7)
    """
    return min(1, *scores), max(5, *scores)


def parsed_scores(scores: Sequence[int | str] | int | str) -> tuple[int, ...]:
    """Target scores as given on a command line, rising.

    >>> parsed_scores("1,3,5")
    (1, 3, 5)

    Raises:
        ValueError: Not at least two different whole numbers >= 1.
    """
    listed = scores.split(",") if isinstance(scores, str) else scores
    listed = [listed] if isinstance(listed, int) else listed
    try:
        numbers = sorted({int(score) for score in listed})
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) < 2 or numbers[0] < 1 or len(numbers) != len(list(listed)):
        raise ValueError(
            f"scores is {scores!r}; expected at least two different whole numbers >= 1, "
            "e.g. 1,2,3,4,5"
        )
    return tuple(numbers)


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


def response_text(completion: str) -> str | None:
    """The response in what a model wrote; None where it wrote nothing.

    >>> response_text(" A summary. ")
    'A summary.'
    """
    return completion.strip() or None
