"""The requests of a discovery as Inspect tasks: a proposer that proposes and merges, a grader.

Each is asked with the care, the cache and the repairs of every grader, and all is kept in a log.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import EvalLog
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState
from pydantic import TypeAdapter

from profile_tasks.discovery.contrasts import Contrasts
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.proposal import MergeRequest, Proposal, ProposalRequest
from profile_tasks.scorers.grading.grader import Grader, RunNotes, grader_model, model_in_role
from profile_tasks.scorers.grading.record import graded_signs
from profile_tasks.scorers.grading.requests import SourceToGrade, grade_source
from profile_tasks.settings import JudgeSettings
from profile_tasks.tasks.grader_validation import nothing_to_solve

PROPOSER = "proposer"
"""The role of the model that proposes."""

Asked = ProposalRequest | MergeRequest
"""What a proposer is asked."""

_ASKED: TypeAdapter[Asked] = TypeAdapter(Asked)
_ANSWER: TypeAdapter[Any] = TypeAdapter(Any)
_PROPOSALS = TypeAdapter(tuple[Proposal, ...])
_GROUPS = TypeAdapter(tuple[tuple[int, ...], ...])
_FACTORS = TypeAdapter(tuple[Factor, ...])


def proposing(requests: Sequence[ProposalRequest]) -> Task:
    """The task in which the proposer reads pairs and proposes factors."""
    return _task("discover_proposals", _samples(requests), proposer_answers())


def merging(definitions: Sequence[str]) -> Task:
    """The task in which the proposer says which definitions mean the same."""
    request = MergeRequest(tuple(definitions))
    return _task("discover_merge", _samples([request]), proposer_answers())


def _samples(requests: Sequence[Asked]) -> list[Sample]:
    return [
        Sample(
            id=number,
            input="contrasting pairs",
            metadata={"request": _ASKED.dump_python(request, mode="json")},
        )
        for number, request in enumerate(requests, start=1)
    ]


def grading(contrasts: Contrasts, factors: Sequence[Factor], judging: JudgeSettings) -> Task:
    """The task in which the grader compares the responses of each pair on each factor."""
    by_source: dict[tuple[int, str, str | None], list[int]] = {}
    for at in range(len(contrasts)):
        source = (int(contrasts.group[at]), contrasts.prompts[at], contrasts.sources[at])
        by_source.setdefault(source, []).append(at)
    samples = [
        Sample(
            id=number,
            input=prompt or "pairs",
            metadata={
                "prompt": prompt,
                "source": source,
                "pairs": [[at, contrasts.preferred[at], contrasts.other[at]] for at in places],
                "factors": _FACTORS.dump_python(tuple(factors), mode="json"),
                "judging": judging.model_dump(mode="json", include=set(JudgeSettings.model_fields)),
            },
        )
        for number, ((_, prompt, source), places) in enumerate(by_source.items(), start=1)
    ]
    return _task("discover_grades", samples, graded_contrasts())


def _task(name: str, samples: list[Sample], by: Scorer) -> Task:
    return Task(
        name=name,
        dataset=MemoryDataset(samples, name="contrasting pairs"),
        solver=nothing_to_solve(),
        scorer=by,
    )


@scorer(metrics=[mean()])
def proposer_answers() -> Scorer:
    """Ask the proposer for factors, or which of them mean the same; the value is how many."""
    notes = RunNotes()

    async def score(state: TaskState, target: Target) -> Score:
        request: Any = _ASKED.validate_python(state.metadata["request"])
        answer = await Grader(model_in_role(PROPOSER), notes=notes).ask(request)
        return Score(
            value=len(answer.value or ()),
            metadata={
                "answer": _ANSWER.dump_python(answer.value, mode="json"),
                "requests": answer.requests,
                "problem": answer.problem,
            },
        )

    return score


@scorer(metrics=[mean()])
def graded_contrasts() -> Scorer:
    """Ask the grader which response of each pair shows more of each factor."""
    notes = RunNotes()

    async def score(state: TaskState, target: Target) -> Score:
        about = state.metadata
        factors = _FACTORS.validate_python(about["factors"])
        pairs = [(f"{at} one", f"{at} two") for at, _, _ in about["pairs"]]
        texts = {f"{at} one": one for at, one, _ in about["pairs"]}
        texts |= {f"{at} two": two for at, _, two in about["pairs"]}
        grader = Grader(grader_model(), notes=notes)
        grades = await grade_source(
            SourceToGrade(about["prompt"], about["source"], texts, pairs),
            factors,
            grader.ask,
            grader=grader.name,
            grader_settings=grader.settings,
            judging=JudgeSettings.model_validate(about["judging"]),
        )
        return Score(
            value=len(pairs),
            metadata={
                "signs": {factor.id: graded_signs(grades, factor, pairs) for factor in factors},
                "requests": grades.requests,
                "problems": list(grades.problems),
            },
        )

    return score


def answers_of(log: EvalLog) -> list[Mapping[str, Any]]:
    """What the scorer found out about each sample of a finished log, in their order.

    Raises:
        ValueError: The run did not finish.
    """
    if log.status != "success" or not log.samples:
        reason = "it asked nothing" if log.error is None else log.error.message
        raise ValueError(f"the run did not finish: {reason} (log: {log.location})")
    found: list[Mapping[str, Any]] = []
    for sample in sorted(log.samples, key=lambda each: int(each.id)):
        (score,) = (sample.scores or {}).values()
        found.append((sample.metadata or {}) | (score.metadata or {}))
    return found


def read_proposals(log: EvalLog) -> list[Proposal]:
    """Every proposal of a finished log of ``proposing``."""
    return [
        proposal
        for answer in answers_of(log)
        for proposal in _PROPOSALS.validate_python(answer["answer"] or ())
    ]


def read_groups(log: EvalLog) -> list[tuple[int, ...]]:
    """The places of definitions that mean the same, of a finished log of ``merging``.

    Of an unreadable answer, each stands for itself.
    """
    (answer,) = answers_of(log)
    alone = [(at,) for at, _ in enumerate(answer["request"]["definitions"])]
    return list(_GROUPS.validate_python(answer["answer"] or alone))
