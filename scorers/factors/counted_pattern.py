"""A surface factor given as data: how often a regular expression matches in a response.

Patterns are those of the package ``regex``, version 1: sets may be nested, ``(?i)`` goes by full
case-folding. A pattern that runs wild on a text is stopped.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import regex

from profile_tasks.scorers.factors.words import word_count

PATTERN_SECONDS = 5.0
"""So long may the matches of one pattern in one response be looked for."""


@dataclass(frozen=True)
class CountedPattern:
    r"""Counts the matches of a pattern that do not overlap; a `SurfaceFunction`.

    Attributes:
        factor: Id of the factor, for errors.
        pattern: The regular expression.
        per_word: Whether the count is divided by the words of the response, as of ``length``;
            missing where it has none.

    >>> CountedPattern("questions", r"\?")("Why? Who knows?"), CountedPattern(
    ...     "rate_of_the", r"(?i)\bthe\b", per_word=True
    ... )("The cat and the dog")
    (2.0, 0.4)
    """

    factor: str
    pattern: str
    per_word: bool = False

    def __call__(self, response: str, source: str | None = None, prompt: str = "") -> float:
        """The count, or the count per word.

        Raises:
            ValueError: The pattern cannot be used, or its matches are not found in time.
        """
        try:
            found = compiled(self.pattern).finditer(response, timeout=PATTERN_SECONDS)
            count = float(sum(1 for _ in found))
        except TimeoutError as error:
            raise ValueError(
                f"factor {self.factor!r}: the matches of its pattern {self.pattern!r} were not "
                f"found within {PATTERN_SECONDS:g} s in a response of {len(response):,} "
                "characters; write it without repetitions inside repetitions"
            ) from error
        if not self.per_word:
            return count
        words = word_count(response)
        return count / words if words else math.nan


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Any:  # noqa: ANN401 - the package has no types
    """The compiled pattern.

    Raises:
        ValueError: It is no regular expression, or matches where there is nothing.
    """
    try:
        found = regex.compile(pattern, regex.V1)
    except (regex.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
    if found.fullmatch("") is not None:
        raise ValueError(f"{pattern!r} matches nothing at all, so it has no count")
    return found
