"""Everything that Inspect must find by name.

Inspect imports this module in every evaluation on a machine that has the package, other people's
included: nothing here or in what it imports may load the statistics or data libraries.
"""
# inspect-evals-lint: ignore-file[IECQ001] -- not public in Inspect; tests/test_dependencies.py

from collections.abc import Callable
from functools import partial
from typing import Any

from inspect_ai._util.registry import RegistryInfo, registry_add
from inspect_ai.model import ModelAPI, modelapi
from inspect_ai.util import registry_info

from profile_tasks.document_qa import document_qa
from profile_tasks.instruction_following import instruction_following
from profile_tasks.preference import preference
from profile_tasks.scorers.inspect.feedback_scorer import feedback_profile, revision_headline
from profile_tasks.scorers.inspect.grader_validation_scorer import (
    agreement_metrics,
    human_agreement,
)
from profile_tasks.scorers.inspect.probe_scorer import judge_sensitivity, probe_metrics
from profile_tasks.scorers.inspect.profile_scorer import factor_profile, headline_metrics
from profile_tasks.scorers.inspect.self_guided_scorer import (
    self_guided_metrics,
    self_guided_ranking,
)
from profile_tasks.scorers.inspect.validity_scorer import text_validity, validity_metrics
from profile_tasks.solvers.both_settings import both_settings
from profile_tasks.solvers.feedback_revision import feedback_revision
from profile_tasks.solvers.judge_probes import judge_probes
from profile_tasks.solvers.pairwise_discrimination import pairwise_discrimination
from profile_tasks.solvers.score_conditioned_generation import score_conditioned_generation
from profile_tasks.solvers.self_guided import self_guided_sampling
from profile_tasks.solvers.text_likelihood import text_likelihood
from profile_tasks.summarization import summarization
from profile_tasks.tasks.feedback import (
    document_qa_feedback,
    instruction_following_feedback,
    preference_feedback,
    summarization_feedback,
)
from profile_tasks.tasks.grader_validation import grader_validation, nothing_to_solve
from profile_tasks.tasks.judge_audit import (
    document_qa_judge_audit,
    instruction_following_judge_audit,
    preference_judge_audit,
    summarization_judge_audit,
)
from profile_tasks.tasks.score_validity import (
    document_qa_score_validity,
    instruction_following_score_validity,
    preference_score_validity,
    summarization_score_validity,
)
from profile_tasks.tasks.self_guided import (
    document_qa_self_guided,
    instruction_following_self_guided,
    preference_self_guided,
    summarization_self_guided,
)


def _by_bare_name(scorer: Callable[..., Any]) -> None:
    """Let a scorer be found under its name alone.

    Logs hold no more of it, so that `inspect score LOG` without --scorer finds none of a package.
    """
    registry_add(partial(scorer), RegistryInfo(type="scorer", name=scorer.__name__))


for _scorer in (
    factor_profile,
    feedback_profile,
    human_agreement,
    judge_sensitivity,
    self_guided_ranking,
    text_validity,
):
    _by_bare_name(_scorer)


for _task in (
    preference,
    preference_feedback,
    preference_judge_audit,
    preference_score_validity,
    preference_self_guided,
):
    # Reads the file of a definition, before Inspect logs what it was called with.
    registry_add(_task, registry_info(_task))


@modelapi(name="planted")
def planted() -> type[ModelAPI]:
    """The planted annotator, a simulated model with a known profile."""
    from profile_tasks.planted.provider import PlantedAPI

    return PlantedAPI


@modelapi(name="recorded")
def recorded() -> type[ModelAPI]:
    """Judges and writers whose answers are recorded in a file."""
    from profile_tasks.recorded.provider import RecordedAPI

    return RecordedAPI


@modelapi(name="offline")
def offline() -> type[ModelAPI]:
    """Models whose requests were planned, and are answered in files."""
    from profile_tasks.offline.provider import PlannedAPI

    return PlannedAPI


__all__ = [
    "agreement_metrics",
    "both_settings",
    "document_qa",
    "document_qa_feedback",
    "document_qa_judge_audit",
    "document_qa_score_validity",
    "document_qa_self_guided",
    "factor_profile",
    "feedback_profile",
    "feedback_revision",
    "grader_validation",
    "headline_metrics",
    "human_agreement",
    "instruction_following",
    "instruction_following_feedback",
    "instruction_following_judge_audit",
    "instruction_following_score_validity",
    "instruction_following_self_guided",
    "judge_probes",
    "judge_sensitivity",
    "nothing_to_solve",
    "offline",
    "pairwise_discrimination",
    "planted",
    "preference",
    "preference_feedback",
    "preference_judge_audit",
    "preference_score_validity",
    "preference_self_guided",
    "probe_metrics",
    "recorded",
    "revision_headline",
    "score_conditioned_generation",
    "self_guided_metrics",
    "self_guided_ranking",
    "self_guided_sampling",
    "summarization",
    "summarization_feedback",
    "summarization_judge_audit",
    "summarization_score_validity",
    "summarization_self_guided",
    "text_likelihood",
    "text_validity",
    "validity_metrics",
]
