"""Attention checks: pairs with an obvious answer, a text beside the same words in disorder."""

import random
from collections.abc import Sequence

_LEAST_WORDS, _LEAST_CHARACTERS = 8, 24
"""A shorter text in disorder might still read."""


def in_disorder(text: str, seed: str) -> str | None:
    """A text with its words in disorder, its characters where it has no spaces.

    It is as long as the text and says nothing. None where the text is too short to tell.

    Args:
        text: A text that reads.
        seed: Of the disorder.

    >>> sorted(in_disorder("a b c d e f g h", "1").split())
    ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    >>> in_disorder("Too short.", "1") is None
    True
    """
    words = text.split()
    if len(words) >= _LEAST_WORDS:
        return _shuffled(words, seed, " ")
    if len(text) >= _LEAST_CHARACTERS and len(words) <= len(text) / 15:
        return _shuffled("".join(words), seed, "")
    return None


def _shuffled(parts: Sequence[str], seed: str, between: str) -> str | None:
    mixed = random.Random(seed).sample(parts, len(parts))  # noqa: S311 - no secret
    return between.join(mixed) if mixed != list(parts) else None
