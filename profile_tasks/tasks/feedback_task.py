"""The Inspect task that the feedback tasks share: data, drafts and revisions, scorer."""

import logging
from collections.abc import Sequence
from dataclasses import asdict

from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset
from inspect_ai.model import get_model

from profile_tasks.data.preferences import PreferenceData
from profile_tasks.data.sources import check_sources, load_data
from profile_tasks.data.task_definition import task_metadata
from profile_tasks.scorers.factors.selection import measured_factors, needing_grader
from profile_tasks.scorers.grading.grader import (
    check_grader,
    grader_is_bound,
    grader_model,
    grader_warning,
)
from profile_tasks.scorers.inspect.arguments import in_evaluation
from profile_tasks.scorers.inspect.feedback_scorer import feedback_profile, revision_headline
from profile_tasks.scorers.statistics.study import REPLICATES
from profile_tasks.settings import CONDITIONS, Condition, FeedbackSettings, GradingSettings
from profile_tasks.solvers.feedback_revision import (
    FactorFeedback,
    allowed_conditions,
    feedback_revision,
)
from profile_tasks.solvers.pairwise_discrimination import check_judge
from profile_tasks.tasks.departures import factor_feedback
from profile_tasks.tasks.profile_task import (
    data_metadata,
    factor_metadata,
    grader_check,
    source_sample,
)

logger = logging.getLogger(__name__)

TASK_VERSION = 2
"""Goes up with every change that makes old results incomparable."""


def feedback_task(task: str, settings: FeedbackSettings) -> Task:
    """Build the task.

    Raises:
        ValueError: The data do not allow the task, a condition lacks its evaluator or its
            profiles, or several models have the role of the grader.
    """
    # Importing it registers its hook, which other people's evaluations should not carry.
    import profile_tasks.scorers.inspect.full_revision  # noqa: F401

    evaluator = grader_is_bound() or settings.allow_self_grading
    if in_evaluation():
        grader_model()  # refuses a panel before a model is paid for
    allowed_conditions(
        settings.conditions,
        evaluator=evaluator or not in_evaluation(),
        factor=settings.profiles is not None,
    )
    chosen = measured_factors(settings.factors, task, grader=evaluator, learned_by={})
    graded = needing_grader(chosen)
    if in_evaluation():
        check_grader(graded, allow_self_grading=settings.allow_self_grading)
        check_judge(get_model(), settings.judge_by)
    data = load_data(settings, task)
    check_sources(task, data, "generation")
    said, about = _factor_feedback(task, settings, data)
    return Task(
        dataset=MemoryDataset([source_sample(source) for source in data.sources], name=data.title),
        # Where the task is built before its models are known, the first sample has to look.
        setup=(
            grader_check(graded, settings.allow_self_grading)
            if graded and not in_evaluation()
            else None
        ),
        solver=feedback_revision(
            settings.conditions, said, settings.allow_self_grading, settings.judge_by
        ),
        scorer=feedback_profile(
            task=task,
            factors=settings.factors,
            **settings.model_dump(include=set(GradingSettings.model_fields)),
        ),
        metrics=[revision_headline(REPLICATES, settings.seed)],
        version=TASK_VERSION,
        metadata=task_metadata(task)
        | data_metadata(data)
        | factor_metadata(chosen, auto=settings.factors == "auto")
        | _evaluator_metadata(settings.conditions, evaluator=evaluator)
        | about
        | {"settings": settings.record()},
    )


def _evaluator_metadata(
    conditions: Sequence[Condition] | None, *, evaluator: bool
) -> dict[str, object]:
    """Who compares the drafts, and why its word needs care; where the models are known."""
    if not in_evaluation() or not evaluator or "evaluator" not in (conditions or CONDITIONS):
        return {}
    metadata: dict[str, object] = {"evaluator": str(grader_model())}
    if warning := grader_warning(str(get_model()), str(grader_model())):
        metadata["evaluator_warning"] = warning
        logger.warning("%s", warning)
    return metadata


def _factor_feedback(
    task: str, settings: FeedbackSettings, data: PreferenceData
) -> tuple[str | FactorFeedback | None, dict[str, object]]:
    """The feedback of the condition factor, and what a reader of the log must know about it."""
    profiles, most, seed = settings.profiles, settings.most_factors, settings.seed
    conditions = settings.conditions
    if profiles is None or (conditions is not None and "factor" not in conditions):
        return None, {}
    # Only here: what reads logs takes long to import.
    from profile_tasks.tasks.feedback_profiles import OWN, log_departures, meanings, own_profiles

    if profiles == OWN:
        return own_profiles(data.sources, most=most, seed=seed), {"profiles": OWN}
    found, model = log_departures(profiles, task, most=most, seed=seed)
    about = {"profiles": profiles, "profiles_of": model, "departures": list(map(asdict, found))}
    return factor_feedback(found, meanings(settings.factors, task)), about | _other_model(model)


def _other_model(profiled: str) -> dict[str, object]:
    """A warning where the profile is that of another model than the evaluated one."""
    if not in_evaluation() or str(get_model()) == profiled:
        return {}
    warning = f"profiles: the log is a run of {profiled}, and {get_model()} is evaluated"
    logger.warning("%s", warning)
    return {"profiles_warning": warning}
