"""Feedback-driven generation: the model drafts, something is said of the draft, the model revises.

PROFILE (arXiv 2410.06965) feeds an evaluator's feedback back to the writer. Here every condition
revises the same draft (this implementation's choice), so that they differ in the feedback alone:

* ``none``: no feedback. What revising does by itself.
* ``self``: the model's own critique of its draft.
* ``evaluator``: the model in Inspect's role ``grader`` compares the draft with a second one, drawn
  with another seed, says which is better and why, and what to change.
* ``factor``: the factors on which the model's profile departs most from the human one.

Then the model judges each revision against the draft, in both orders.
"""

from collections.abc import Awaitable, Callable, Sequence

from inspect_ai.model import GenerateConfig, Model, get_model, model_roles
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import collect
from pydantic import BaseModel

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.settings import CONDITIONS, Condition, JudgeBy
from profile_tasks.solvers.both_orders import PairVerdict, Picks, pair_requests
from profile_tasks.solvers.feedback_requests import (
    CritiqueRequest,
    DraftComparisonRequest,
    RevisionRequest,
)
from profile_tasks.solvers.pairwise_discrimination import check_judge, verdicts_of
from profile_tasks.solvers.reply import as_chat, reply
from profile_tasks.solvers.requests import NeutralRequest
from profile_tasks.solvers.score_conditioned_generation import was_cut_off, written_text

FactorFeedback = Callable[[], Awaitable[str | None]]
"""Finds the feedback of the condition ``factor`` when it is first wanted; None: there is none."""

ROLE = "grader"
"""The role of the evaluator, as of the grader of factors."""

_KEY = "revised_draft"  # in the sample's store
_SECOND_DRAW = 1  # added to the seed of the first draft, where that has one


class Revision(BaseModel, frozen=True):
    """What one condition made of a draft.

    Attributes:
        feedback: What was said of the draft; None where nothing was, or it is missing.
        text: The revision; None where it is missing: it is empty or was refused, or there was no
            feedback to revise by.
        truncated: Whether a token limit cut it off.
        picks: The model's verdict on revision and draft, in this order; no picks where the
            revision is missing or equals the draft, which nobody need be asked about.
        margins: Of the same verdict; empty where the model judged in words.
    """

    feedback: str | None = None
    text: str | None = None
    truncated: bool = False
    picks: Picks = ()
    margins: tuple[float, ...] = ()

    @property
    def verdict(self) -> PairVerdict:
        """What the model said of revision and draft."""
        return PairVerdict(self.picks, self.margins)


class RevisedDraft(BaseModel, frozen=True):
    """A draft and all its revisions.

    Attributes:
        draft: The draft; None where it is missing, and then all revisions are.
        other_draft: The second one, for the comparison; None where it is missing or not wanted.
        revisions: Condition -> what it made of the draft.
    """

    draft: str | None
    other_draft: str | None
    revisions: dict[Condition, Revision]


@solver
def feedback_revision(
    conditions: Sequence[Condition] | None = None,
    factor_feedback: str | FactorFeedback | None = None,
    allow_self_grading: bool = False,
    judge_by: JudgeBy = "words",
) -> Solver:
    """Draft once, and revise the draft under each condition.

    Args:
        conditions: The conditions; None: all that the run allows.
        factor_feedback: The feedback of ``factor``, or what finds it.
        allow_self_grading: Whether the evaluated model is the evaluator where no model has the
            role ``grader``.
        judge_by: How the model judges its revisions, as of ``verdicts_of``.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        check_judge(get_model(), judge_by)
        wanted = allowed_conditions(
            conditions,
            evaluator=evaluator_is_bound() or allow_self_grading,
            factor=factor_feedback is not None,
        )
        annotated = state.metadata_as(AnnotatedSource)
        draft, other = await _drafts(annotated, two="evaluator" in wanted)

        async def revised(condition: Condition) -> Revision:
            if draft is None:
                return Revision()
            feedback = None
            if condition == "factor":
                feedback = (
                    factor_feedback
                    if isinstance(factor_feedback, str) or factor_feedback is None
                    else await factor_feedback()
                )
            elif condition != "none":
                feedback = await _said_of(draft, other, annotated, condition)
            if feedback is None and condition != "none":
                return Revision()
            return await _revise(draft, annotated, feedback, judge_by)

        revisions = await collect(*(revised(condition) for condition in wanted))
        record = RevisedDraft(
            draft=draft, other_draft=other, revisions=dict(zip(wanted, revisions, strict=True))
        )
        state.store.set(_KEY, record.model_dump(mode="json"))
        return state

    return solve


def revised_draft(state: TaskState) -> RevisedDraft:
    """The draft of a sample and its revisions.

    Raises:
        ValueError: The sample has none.
    """
    stored = state.store.get(_KEY)
    if stored is None:
        raise ValueError(
            f"sample {state.sample_id!r} holds no revised draft; its solver must be "
            "profile_tasks/feedback_revision"
        )
    return RevisedDraft.model_validate(stored)


def allowed_conditions(
    conditions: Sequence[Condition] | None, *, evaluator: bool, factor: bool
) -> tuple[Condition, ...]:
    """The conditions of a run, in the order of ``CONDITIONS``.

    Args:
        conditions: Those asked for; None: all that are possible.
        evaluator: Whether there is an evaluator.
        factor: Whether there is, or will be found, factor feedback.

    Raises:
        ValueError: One that was asked for is not possible.

    >>> allowed_conditions(None, evaluator=False, factor=True)
    ('none', 'self', 'factor')
    """
    possible = {"evaluator": evaluator, "factor": factor}
    if conditions is None:
        return tuple(name for name in CONDITIONS if possible.get(name, True))
    if "evaluator" in conditions and not evaluator:
        raise ValueError(
            "condition evaluator needs a second model that compares drafts. Add --model-role "
            "grader=MODEL, leave it out (-T condition=none,self), or let the evaluated model "
            "compare its own with -T allow_self_grading=true"
        )
    if "factor" in conditions and not factor:
        raise ValueError(
            "condition factor needs profiles. Give the finished log of a run that wrote for "
            "target scores, -T profiles=LOG; let this run write for them first, -T profiles=own; "
            "or leave it out (-T condition=none,self)"
        )
    return tuple(name for name in CONDITIONS if name in conditions)


def evaluator_is_bound() -> bool:
    """Whether a model has the role ``grader`` in the running evaluation."""
    return ROLE in model_roles()


def _evaluator() -> Model:
    """The model in the role ``grader``, else the evaluated one, counted as the grader."""
    if evaluator_is_bound():
        return get_model(role=ROLE, required=True, config=GenerateConfig(temperature=0.0))
    return get_model(role=ROLE, default=get_model())


async def _drafts(annotated: AnnotatedSource, *, two: bool) -> tuple[str | None, str | None]:
    """A draft, and where two are wanted another one, drawn with another seed."""
    asked = NeutralRequest(
        annotated.task, annotated.prompt, annotated.source, annotated.conversation
    )
    request = as_chat(asked.messages())
    model = get_model()
    second = GenerateConfig(seed=(model.config.seed or 0) + _SECOND_DRAW)
    outputs = await collect(
        reply(model, request), *([reply(model, request, second)] if two else [])
    )
    texts = [written_text(output) for output in outputs]
    return texts[0], texts[1] if two else None


async def _said_of(
    draft: str, other: str | None, annotated: AnnotatedSource, condition: Condition
) -> str | None:
    """Feedback of the model itself or of the evaluator; None where it is missing."""
    shown = (annotated.task, annotated.prompt, annotated.source, draft)
    if condition == "self":
        return written_text(await reply(get_model(), CritiqueRequest(*shown).render()))
    if other is None:
        return None
    request = DraftComparisonRequest(*shown, other)
    return written_text(await reply(_evaluator(), request.render()))


async def _revise(
    draft: str, annotated: AnnotatedSource, feedback: str | None, judge_by: JudgeBy
) -> Revision:
    """The revision, judged by the model against its draft."""
    shown = (annotated.task, annotated.prompt, annotated.source)
    output = await reply(get_model(), RevisionRequest(*shown, draft, feedback).render())
    text = written_text(output)
    verdict = PairVerdict(())
    if text is not None and text != draft:
        requests = pair_requests(annotated, text, draft)
        (verdict,) = await verdicts_of(get_model(), requests, judge_by=judge_by)
    return Revision(
        feedback=feedback,
        text=text,
        truncated=bool(was_cut_off(output)),
        picks=verdict.picks,
        margins=verdict.margins,
    )
