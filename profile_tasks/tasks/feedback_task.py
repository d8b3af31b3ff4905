"""The Inspect task that the three feedback tasks share: data, drafts and revisions, scorer."""

import logging
from collections.abc import Sequence
from dataclasses import asdict

from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset
from inspect_ai.model import get_model

from profile_tasks.data.preferences import PreferenceData, load_preferences
from profile_tasks.data.sources import check_sources
from profile_tasks.scorers.factors.choice import measured_factors, needing_grader
from profile_tasks.scorers.grading.grader import (
    check_grader,
    grader_is_bound,
    grader_model,
    grader_warning,
)
from profile_tasks.scorers.grading.requests import JUDGE_BATCHES, JudgeBatch
from profile_tasks.scorers.inspect.feedback_scorer import feedback_profile, revision_headline
from profile_tasks.scorers.statistics.study import REPLICATES
from profile_tasks.solvers.feedback_revision import (
    CONDITIONS,
    Condition,
    FactorFeedback,
    allowed_conditions,
    feedback_revision,
    parsed_conditions,
)
from profile_tasks.tasks.arguments import check_choice, in_evaluation, told_in_one_line
from profile_tasks.tasks.departures import factor_feedback
from profile_tasks.tasks.profile_task import (
    data_metadata,
    factor_metadata,
    grader_check,
    source_sample,
)

logger = logging.getLogger(__name__)

TASK_VERSION = 1
"""Goes up with every change that makes old results incomparable."""


@told_in_one_line()
def feedback_task(
    task: str,
    *,
    dataset: str,
    sources: str | None,
    factors: str | Sequence[str],
    condition: str | Sequence[str] | None,
    profiles: str | None,
    most_factors: int,
    judge_orders: int,
    judge_batch: JudgeBatch,
    allow_self_grading: bool,
    grader_cache: bool,
    limit: int | None,
    max_pairs_per_source: int | None,
    seed: int,
    skip_bad_rows: bool,
    revision: str | None,
    split: str | None,
) -> Task:
    """Build one of the three tasks; the arguments are described in ``feedback_tasks``.

    Raises:
        ValueError: An argument is not one of its choices, the data do not allow the task, or a
            condition lacks its evaluator or its profiles.
    """
    # Importing it registers its hook, which other people's evaluations should not carry.
    import profile_tasks.scorers.inspect.full_revision  # noqa: F401

    check_choice("judge_orders", judge_orders, (1, 2))
    check_choice("judge_batch", judge_batch, JUDGE_BATCHES)
    check_choice("allow_self_grading", allow_self_grading, (True, False))
    check_choice("grader_cache", grader_cache, (True, False))
    if not isinstance(most_factors, int) or isinstance(most_factors, bool) or most_factors < 1:
        raise ValueError(f"most_factors is {most_factors!r}; expected a whole number >= 1")
    conditions = parsed_conditions(condition)
    evaluator = grader_is_bound() or allow_self_grading
    allowed_conditions(
        conditions, evaluator=evaluator or not in_evaluation(), factor=profiles is not None
    )
    chosen = measured_factors(factors, task, grader=evaluator, learned_by={})
    graded = needing_grader(chosen)
    if in_evaluation():
        check_grader(graded, allow_self_grading=allow_self_grading)
    data = load_preferences(
        dataset,
        task=task,
        source_file=sources,
        skip_bad_rows=skip_bad_rows,
        limit=limit,
        max_pairs_per_source=max_pairs_per_source,
        seed=seed,
        revision=revision,
        split=split,
    )
    check_sources(task, data, "generation")
    said, about = _factor_feedback(conditions, profiles, task, data, factors, most_factors, seed)
    return Task(
        dataset=MemoryDataset([source_sample(source) for source in data.sources], name=data.name),
        # Where the task is built before its models are known, the first sample has to look.
        setup=(
            grader_check(graded, allow_self_grading) if graded and not in_evaluation() else None
        ),
        solver=feedback_revision(conditions, said, allow_self_grading),
        scorer=feedback_profile(
            task,
            factors if isinstance(factors, str) else list(factors),
            judge_orders,
            judge_batch,
            allow_self_grading,
            grader_cache,
        ),
        metrics=[revision_headline(REPLICATES, seed)],
        version=TASK_VERSION,
        metadata=data_metadata(data)
        | factor_metadata(chosen, auto=factors == "auto")
        | _evaluator_metadata(conditions, evaluator=evaluator)
        | about,
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
    conditions: Sequence[Condition] | None,
    profiles: str | None,
    task: str,
    data: PreferenceData,
    factors: str | Sequence[str],
    most: int,
    seed: int,
) -> tuple[str | FactorFeedback | None, dict[str, object]]:
    """The feedback of the condition factor, and what a reader of the log must know about it."""
    if profiles is None or (conditions is not None and "factor" not in conditions):
        return None, {}
    # Only here: what reads logs takes long to import.
    from profile_tasks.tasks.feedback_profiles import OWN, log_departures, meanings, own_profiles

    if profiles == OWN:
        return own_profiles(data.sources, most=most, seed=seed), {"profiles": OWN}
    found, model = log_departures(profiles, task, most=most, seed=seed)
    about = {"profiles": profiles, "profiles_of": model, "departures": list(map(asdict, found))}
    return factor_feedback(found, meanings(factors)), about | _other_model(model)


def _other_model(profiled: str) -> dict[str, object]:
    """A warning where the profile is that of another model than the evaluated one."""
    if not in_evaluation() or str(get_model()) == profiled:
        return {}
    warning = f"profiles: the log is a run of {profiled}, and {get_model()} is evaluated"
    logger.warning("%s", warning)
    return {"profiles_warning": warning}
