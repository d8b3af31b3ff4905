"""Hidden factors: what planted models may like or see that is in no taxonomy. SIMULATED.

A planted annotator may weigh them as any factor of its profile, and a planted grader tells them by
their rule wherever it reads one of their definitions, so that a search for factors that nobody
named has a right answer. A rule is a pattern, whose presence in the response is all there is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from profile_tasks.scorers.factors.counted_pattern import CountedPattern


@dataclass(frozen=True)
class HiddenFactor:
    """A factor that planted models know and the taxonomy does not.

    Attributes:
        id: Its name.
        definitions: How it may be put, in words for a grader; all mean the same.
        pattern: A response shows it where this matches.
    """

    id: str
    definitions: tuple[str, ...]
    pattern: str

    def __call__(self, response: str, source: str | None = None, prompt: str = "") -> float:
        """1 where the response shows it, else 0; as a surface factor is called."""
        return float(CountedPattern(self.id, self.pattern)(response) > 0)


HIDDEN: Mapping[str, HiddenFactor] = MappingProxyType(
    {
        factor.id: factor
        for factor in (
            HiddenFactor(
                "asks_back",
                (
                    "How far the response asks its reader a question back.",
                    "Whether the response turns to the reader with a question of its own.",
                ),
                r"[?]",
            ),
            HiddenFactor(
                "own_experience",
                (
                    "How far the response speaks of the writer's own experience.",
                    "Whether the writer tells what happened to them.",
                ),
                r"(?i)\bin my experience\b",
            ),
            HiddenFactor(
                "exclaims",
                (
                    "How far the response exclaims.",
                    "Whether the response raises its voice with exclamation marks.",
                ),
                r"[!]",
            ),
        )
    }
)
"""Id -> factor."""

BY_DEFINITION: Mapping[str, HiddenFactor] = MappingProxyType(
    {definition: factor for factor in HIDDEN.values() for definition in factor.definitions}
)
"""Definition, as a grader reads it -> factor."""
