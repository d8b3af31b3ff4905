"""What a grader said about one source, kept in the log so that a person can check it.

The record is also what saves requests: a finished log that is scored again asks the grader only for
what its grades do not hold yet.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel

from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.facts import ResponseFacts, facts_value
from profile_tasks.scorers.factors.grader_prompts import (
    COVERAGE_TASK,
    GRADER_PROMPT_VERSION,
    LIST_FACTS_TASK,
)
from profile_tasks.solvers.both_orders import PairVerdict, Picks

_T = TypeVar("_T")


class GradedPair(BaseModel, frozen=True):
    """The grader's verdicts on one pair of responses, one a factor.

    Attributes:
        first: Id of the response that the recorded order shows first.
        second: Id of the other one.
        swapped: Whether the order that is drawn for the two texts, where they are shown in one, is
            the swapped one.
        verdicts: Factor id -> which of them shows more of it, whatever the order shown; None where
            the answer is unreadable. Of two, the first was given in the recorded order and the
            second in the swapped one; a single one in the order that is drawn.
    """

    first: str
    second: str
    swapped: bool = False
    verdicts: dict[str, Picks] = {}

    def verdict(self, factor: str, orders: int) -> PairVerdict:
        """The verdict on a factor, where a pair is shown in so many orders.

        Of two answers that were paid for, one order takes the one it would have asked for.
        """
        said = self.verdicts.get(factor, ())
        return PairVerdict.of_recorded(said if len(said) <= orders else (said[self.swapped],))


class SourceGrades(BaseModel, frozen=True):
    """Everything that the grader said about one source.

    Attributes:
        grader: The model that graded.
        grader_settings: Digest of where and with which arguments it ran.
        prompt_version: Version of the words it was asked with.
        judge_batch: Whether "all" judged factors shared a request, or "one" factor had its own.
        judge_orders: How many verdicts on a pair count, 1 or 2; more may be held, from an earlier
            scoring.
        grading: Whether each response and each pair had a request of its own ("single"), or a
            source's shared them ("batched").
        wordings: Factor id -> what the grader was told to look for, of every factor asked about.
        scoring: How often the sample had been graded before.
        material: Digest of the prompt and the source.
        texts: Id of each graded response -> digest of its text.
        key_facts: The source's key facts; None where not asked, or missing.
        responses: Response id -> what was found in it.
        same_as: Response id -> id of the equal response that was graded in its place.
        pairs: The verdicts on the compared pairs; equal texts are not compared.
        requests: How many answers were wanted of the grader in this scoring, repairs included.
        repairs: How many of them asked to repair an answer.
        problems: What could not be read or had, each with the place it concerns.
    """

    grader: str
    grader_settings: str = ""
    prompt_version: int = GRADER_PROMPT_VERSION
    judge_batch: str = "all"
    judge_orders: int = 2
    grading: str = "single"
    wordings: dict[str, str] = {}
    scoring: int = 0
    material: str = ""
    texts: dict[str, str] = {}
    key_facts: tuple[str, ...] | None = None
    responses: dict[str, ResponseFacts] = {}
    same_as: dict[str, str] = {}
    pairs: tuple[GradedPair, ...] = ()
    requests: int = 0
    repairs: int = 0
    problems: tuple[str, ...] = ()

    def verdict_on(self, first: str, second: str, factor: str) -> PairVerdict:
        """The verdict that counts on two responses, in this order; no picks where not asked."""
        for pair in self.pairs:
            if {pair.first, pair.second} == {first, second}:
                verdict = pair.verdict(factor, self.judge_orders)
                return verdict if pair.first == first else verdict.exchanged()
        return PairVerdict(())


def read_grades(entry: object) -> tuple[SourceGrades, ...]:
    """The grades of a sample as a log holds them: of one grader, or a list of several graders'.

    Args:
        entry: None where nothing was graded.

    Raises:
        ValueError: They are no grades.
    """
    if entry is None:
        return ()
    each = entry if isinstance(entry, list) else [entry]
    return tuple(map(SourceGrades.model_validate, each))


def logged(grades: Sequence[SourceGrades]) -> dict[str, object]:
    """The grades of a sample as its score's metadata holds them; none where nothing was graded."""
    each = [one.model_dump(mode="json") for one in grades]
    return {"grades": each if len(each) > 1 else each[0]} if each else {}


@dataclass(frozen=True)
class FactorGrading:
    """How the grading of one factor went on one source.

    Attributes:
        asked: Judgements that were wanted: responses (facts factors) or pairs (judged factors).
        missing: Those that the grader did not give.
        both_orders: Pairs with readable verdicts in both orders.
        flipped: Those of them that flip.
    """

    asked: int
    missing: int
    both_orders: int = 0
    flipped: int = 0

    def __add__(self, other: "FactorGrading") -> "FactorGrading":
        """Both together, as of two graders."""
        return FactorGrading(
            self.asked + other.asked,
            self.missing + other.missing,
            self.both_orders + other.both_orders,
            self.flipped + other.flipped,
        )


def applies(factor: Factor, source: str | None) -> bool:
    """Whether a source allows the factor at all; where not, it is missing and nothing is asked."""
    return source is not None or not factor.needs_source


def graded_values(grades: SourceGrades, factor: Factor) -> dict[str, float]:
    """Value of a facts factor by response id; NaN where it is missing."""
    n_key_facts = None if grades.key_facts is None else len(grades.key_facts)
    return {
        response: facts_value(factor, grades.responses.get(graded), n_key_facts)
        for response, graded in grades.same_as.items()
    }


def graded_signs(
    grades: SourceGrades, factor: Factor, pairs: Sequence[tuple[str, str]]
) -> list[int | None]:
    """Which response of each pair shows more of a judged factor, 1, 0 or -1; None: missing.

    Equal texts show equally much, but only of a factor that applies to the source.
    """
    signs: list[int | None] = []
    for pair in pairs:
        first, second = (grades.same_as[response] for response in pair)
        if first == second:
            signs.append(0 if factor.id in grades.wordings else None)
        else:
            signs.append(grades.verdict_on(first, second, factor.id).preference)
    return signs


def factor_grading(grades: SourceGrades, factor: Factor, source: str | None) -> FactorGrading:
    """How the grading of a factor went."""
    if not applies(factor, source):
        return FactorGrading(asked=0, missing=0)
    if factor.kind == "judged":
        verdicts = [pair.verdict(factor.id, grades.judge_orders) for pair in grades.pairs]
        flips = [verdict.flipped for verdict in verdicts if verdict.flipped is not None]
        return FactorGrading(
            asked=len(verdicts),
            missing=sum(verdict.preference is None for verdict in verdicts),
            both_orders=len(flips),
            flipped=sum(flips),
        )
    graded = set(grades.same_as.values())
    missing = sum(
        _is_missing(factor, grades.responses.get(response), grades.key_facts) for response in graded
    )
    return FactorGrading(asked=len(graded), missing=missing)


def _is_missing(
    factor: Factor, response: ResponseFacts | None, key_facts: Sequence[str] | None
) -> bool:
    """Whether the grader failed; a share of nothing is undefined, but was answered."""
    if factor.measure == "coverage":
        return key_facts is None or (
            len(key_facts) > 0 and (response is None or response.covered is None)
        )
    if response is None or response.facts is None:
        return True
    wanted = factor.measure == "share"
    return wanted and any(factor.id not in fact.labels for fact in response.facts)


def wording(factor: Factor) -> str:
    """What a grader is told to look for; grades by other words are not reused."""
    if factor.label is not None:
        return f"{factor.label.question} {'/'.join(factor.label.values)}"
    # No request holds the definition of what is merely counted.
    return _COUNTED.get(factor.measure, factor.definition)


_COUNTED: Mapping[str | None, str] = {"count": LIST_FACTS_TASK, "coverage": COVERAGE_TASK.strip()}


def digest(*texts: str | None) -> str:
    """A short name of texts, to tell whether two of them are the same."""
    joined = "\0".join("absent" if text is None else f"text {text}" for text in texts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def reusable(
    known: SourceGrades | None, asked: SourceGrades, factors: Sequence[Factor]
) -> SourceGrades:
    """Of known grades, what the same grader said of the same texts in answer to the same words.

    Args:
        known: Grades of an earlier scoring, None where there are none.
        asked: Who is asked about what now; returned where nothing can be reused.
        factors: The graded factors.
    """
    if known is None or _asked_of(known) != _asked_of(asked):
        return asked
    changed = {factor.id for factor in factors if known.wordings.get(factor.id) != wording(factor)}
    ids = {text: response for response, text in asked.texts.items()}
    now = {response: ids[text] for response, text in known.texts.items() if text in ids}
    return asked.model_copy(
        update={
            "wordings": _without(known.wordings, changed),
            "key_facts": known.key_facts,
            "responses": {
                now[response]: _without_labels(found, changed)
                for response, found in known.responses.items()
                if response in now
            },
            "pairs": tuple(
                GradedPair(
                    first=now[pair.first],
                    second=now[pair.second],
                    verdicts=_without(pair.verdicts, changed),
                )
                for pair in known.pairs
                if pair.first in now
                and pair.second in now
                # Verdicts in one request lean on one another: another batch is another question.
                and known.judge_batch == asked.judge_batch
            ),
        }
    )


def _asked_of(grades: SourceGrades) -> tuple[object, ...]:
    """Who was asked about what, and how; of grades that differ in it none serves the other."""
    asker = (grades.grader, grades.grader_settings, grades.prompt_version)
    return (*asker, grades.grading, grades.material)


def _without_labels(response: ResponseFacts, factors: set[str]) -> ResponseFacts:
    if response.facts is None:
        return response
    facts = tuple(
        fact.model_copy(update={"labels": _without(fact.labels, factors)})
        for fact in response.facts
    )
    return response.model_copy(update={"facts": facts})


def _without(entries: Mapping[str, _T], names: set[str]) -> dict[str, _T]:
    return {name: entry for name, entry in entries.items() if name not in names}
