"""Judged factors: the grader compares the two responses of a pair, factor by factor.

All judged factors of one ordered pair stand in one request. What the two orders make together is
the verdict of ``solvers/both_orders.py``: its preference is the manifestation.
"""

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from profile_tasks.scorers.factors.batch import Batch
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.grader_answer import (
    Reading,
    UnreadableAnswerError,
    object_schema,
    own_objects,
)
from profile_tasks.scorers.factors.grader_prompts import (
    CRITERION_LINE,
    JUDGED_BATCH_PROMPT,
    JUDGED_PROMPT,
    PAIR_LINE,
    PAIRS_PER_BATCH,
    WORDS_PER_JUDGED_BATCH,
)
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
        sections = render_sections(
            {
                "request": self.prompt,
                "source": self.source,
                "first_response": self.first,
                "second_response": self.second,
            }
        )
        return JUDGED_PROMPT.format(criteria=self.criteria, answer=self.form, sections=sections)

    @property
    def criteria(self) -> str:
        """What is compared, a line a factor."""
        return "\n".join(
            CRITERION_LINE.format(id=factor.id, definition=" ".join(factor.definition.split()))
            for factor in self.factors
        )

    @property
    def form(self) -> str:
        """The answer's form as the grader is shown it."""
        return "{" + ", ".join(f'"{factor.id}": "..."' for factor in self.factors) + "}"

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the answer."""
        verdict = {"type": "string", "enum": list(_ANSWERS)}
        return object_schema({factor.id: verdict for factor in self.factors})

    @property
    def material(self) -> tuple[str, ...]:
        """The untrusted texts that are shown."""
        return (self.prompt, self.source or "", self.first, self.second)

    def read(self, *answers: str) -> Reading[dict[str, Pick]]:
        """Which response shown shows more, by factor id, where readable; of several, the last."""
        ids = [factor.id for factor in self.factors]
        try:
            return self.reading(own_objects(answers, ids, self.material))
        except UnreadableAnswerError as error:
            return Reading(None, (str(error),))

    def reading(self, contents: Sequence[Mapping[str, Any]]) -> Reading[dict[str, Pick]]:
        """The same out of the grader's objects."""
        ids = [factor.id for factor in self.factors]
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


class JudgedBatch(Batch[JudgedRequest, dict[str, Pick]]):
    """The same of several pairs of responses to one source, each response shown once.

    Written responses come in the order of their scores, which a reader of all of them would see.
    So responses stand in an order of chance that is always the same, and the pairs that are to be
    shown the other way round in a batch that shows them backwards.
    """

    entries, number = "verdicts", "pair"

    @staticmethod
    def alike(request: JudgedRequest) -> Hashable:
        """The factors, and which way round the responses stand."""
        return request.criteria, shown_backwards(request.first, request.second)

    @classmethod
    def fit(cls, requests: Sequence[JudgedRequest]) -> bool:
        """Whether they are few enough, and the responses together short enough."""
        words = sum(len(response.split()) for response in cls(tuple(requests)).responses)
        return len(requests) <= PAIRS_PER_BATCH and words <= WORDS_PER_JUDGED_BATCH

    @property
    def responses(self) -> list[str]:
        """Every response once, in an order in which each pair stands as its request shows it."""
        shown = {text for request in self.requests for text in (request.first, request.second)}
        one = self.requests[0]
        return sorted(shown, key=_chance, reverse=shown_backwards(one.first, one.second))

    def render(self) -> str:
        """The text of the request."""
        one = self.requests[0]
        numbers = {text: number for number, text in enumerate(self.responses, start=1)}
        return JUDGED_BATCH_PROMPT.format(
            pairs="\n".join(
                PAIR_LINE.format(number=n, first=numbers[r.first], second=numbers[r.second])
                for n, r in enumerate(self.requests, start=1)
            ),
            criteria=one.criteria,
            last=len(self.requests),
            answer=self.form_of(one.form),
            sections=render_sections(
                {"request": one.prompt, "source": one.source}
                | {f"response_{number}": text for text, number in numbers.items()}
            ),
        )


def shown_backwards(first: str, second: str) -> bool:
    """Whether two responses stand the other way round where a batch has but one order.

    As ``shown_swapped`` by chance, yet always the same; here one order of all responses, so that
    all pairs fit into it.
    """
    return _chance(first) > _chance(second)


def _chance(text: str) -> bytes:
    """Where a text stands in an order of chance."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _verdict(said: object) -> Pick | None:
    return _ANSWERS.get(said.strip().casefold()) if isinstance(said, str) else None


def batches(factors: Sequence[Factor], batch: Literal["all", "one"]) -> list[tuple[Factor, ...]]:
    """The factors by request: all in one, or each in its own as a check of halo effects."""
    if batch == "one":
        return [(factor,) for factor in factors]
    return [tuple(factors)] if factors else []
