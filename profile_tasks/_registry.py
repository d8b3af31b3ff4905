"""Everything that Inspect must find by name.

Inspect imports this module in every evaluation on a machine that has the package, other people's
included: nothing here or in what it imports may load the statistics or data libraries.
"""

from inspect_ai.model import ModelAPI, modelapi

from profile_tasks.document_qa import document_qa
from profile_tasks.instruction_following import instruction_following
from profile_tasks.scorers.factor_profile import factor_profile, headline_metrics
from profile_tasks.solvers.both_settings import both_settings
from profile_tasks.solvers.pairwise_discrimination import pairwise_discrimination
from profile_tasks.solvers.score_conditioned_generation import score_conditioned_generation
from profile_tasks.summarization import summarization


@modelapi(name="planted")
def planted() -> type[ModelAPI]:
    """The planted annotator, a simulated model with a known profile."""
    from profile_tasks.planted_api import PlantedAPI

    return PlantedAPI


__all__ = [
    "both_settings",
    "document_qa",
    "factor_profile",
    "headline_metrics",
    "instruction_following",
    "pairwise_discrimination",
    "planted",
    "score_conditioned_generation",
    "summarization",
]
