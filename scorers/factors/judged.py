"""Judged factors: the grader compares the two responses of a pair, factor by factor.

All judged factors of one ordered pair stand in one request. What the two orders make together is
the verdict of ``solvers/both_orders.py``: its preference is the manifestation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.grader_answer import (
    Reading,
    UnreadableAnswerError,
    own_objects,
)
from profile_tasks.scorers.factors.grader_prompts import CRITERION_LINE, JUDGED_PROMPT
from profile_tasks.solvers.both_orders import Pick
from profile_tasks.solvers.sections import render_sections

_ANSWERS: Mapping[str, Pick] = {"first": "first", "second": "second", "equal": "tie"}


@dataclass(frozen=True)
class JudgedRequest:
    """Which of two responses, shown in this order, shows more of each factor?

    Attributes:
        prompt: What was asked.
        source: The document, None where there is none.
        first: The response shown first.
        second: The response shown second.
        factors: Factors of kind "judged".
    """

    prompt: str
    source: str | None
    first: str
    second: str
    factors: tuple[Factor, ...]

    def render(self) -> str:
        """The text of the request."""
        criteria = "\n".join(
            CRITERION_LINE.format(id=factor.id, definition=" ".join(factor.definition.split()))
            for factor in self.factors
        )
        form = ", ".join(f'"{factor.id}": "..."' for factor in self.factors)
        sections = render_sections(
            {
                "request": self.prompt,
                "source": self.source,
                "first_response": self.first,
                "second_response": self.second,
            }
        )
        return JUDGED_PROMPT.format(criteria=criteria, answer="{" + form + "}", sections=sections)

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the answer."""
        verdict = {"type": "string", "enum": list(_ANSWERS)}
        ids = [factor.id for factor in self.factors]
        return {
            "type": "object",
            "properties": dict.fromkeys(ids, verdict),
            "required": ids,
            "additionalProperties": False,
        }

    def read(self, *answers: str) -> Reading[dict[str, Pick]]:
        """Which response shown shows more, by factor id, where readable; of several, the last."""
        ids = [factor.id for factor in self.factors]
        material = [self.prompt, self.source or "", self.first, self.second]
        try:
            contents = own_objects(answers, ids, material)
        except UnreadableAnswerError as error:
            return Reading(None, (str(error),))
        verdicts = {
            name: verdict
            for content in contents
            for name in ids
            if (verdict := _verdict(content.get(name))) is not None
        }
        problems = (
            f'"{name}" must be one of: {", ".join(_ANSWERS)}'
            for name in ids
            if name not in verdicts
        )
        return Reading(verdicts or None, tuple(problems))


def _verdict(said: object) -> Pick | None:
    return _ANSWERS.get(said.strip().casefold()) if isinstance(said, str) else None


def batches(factors: Sequence[Factor], batch: Literal["all", "one"]) -> list[tuple[Factor, ...]]:
    """The factors by request: all in one, or each in its own as a check of halo effects."""
    if batch == "one":
        return [(factor,) for factor in factors]
    return [tuple(factors)] if factors else []
