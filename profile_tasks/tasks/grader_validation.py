"""Grader validation: does a grader see the factors that people see?

    inspect eval profile_tasks/grader_validation --model openai/gpt-4o -T dataset=summeval.jsonl
    inspect eval profile_tasks/grader_validation --model G -T dataset=haluquestqa.jsonl \
        -T limit=50 -T retest=true
    inspect eval profile_tasks/grader_validation --model G -T dataset=pairs.jsonl \
        -T labels=my_labels.yaml -T factors=coherence,fluency
    inspect eval profile_tasks/grader_validation --model planted/grader -T dataset=summeval.jsonl

The model under test is the one in the role grader, or the evaluated one where no model has that
role. It neither writes nor prefers here: it grades, as it would in the three other tasks.
"""

import logging
from collections.abc import Sequence
from dataclasses import asdict

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.solver import Generate, Solver, TaskState, solver

from profile_tasks.data.preferences import AnnotatedSource, PreferenceData
from profile_tasks.data.sources import load_data
from profile_tasks.scorers.factors.grader_prompts import GRADER_PROMPT_VERSION
from profile_tasks.scorers.grading.grader import grader_model
from profile_tasks.scorers.inspect.arguments import in_evaluation, told_in_one_line
from profile_tasks.scorers.inspect.grader_validation_scorer import (
    REPLICATES,
    agreement_metrics,
    human_agreement,
)
from profile_tasks.scorers.measurement.human_labels import (
    DERIVED_NOTE,
    HumanLabel,
    check_labels,
    chosen_labels,
    data_set_name,
    is_derived,
    labels_of,
)
from profile_tasks.settings import GraderValidationSettings, LabelSettings, takes

logger = logging.getLogger(__name__)

TASK_VERSION = 2
"""Goes up with every change that makes old results incomparable."""


@task
@told_in_one_line()
@takes(GraderValidationSettings)
def grader_validation(settings: GraderValidationSettings) -> Task:
    """A grader's verdicts beside human factor labels.

    Raises:
        ValueError: The data hold no such labels, or several models have the role of the grader.
    """
    # Importing it registers its hook, which other people's evaluations should not carry.
    import profile_tasks.scorers.inspect.viewer_labels  # noqa: F401

    if in_evaluation():
        grader_model(under_test=True)  # refuses a panel before a model is paid for
    data = load_data(settings)
    data_set = data_set_name(data)
    chosen = chosen_labels(data_set, settings.labels, settings.factors)
    check_labels(data, chosen)
    labelled = [s for s in data.sources if any(labels_of(s, label) for label in chosen)]
    return Task(
        dataset=MemoryDataset([_sample(source) for source in labelled], name=data.name),
        solver=nothing_to_solve(),
        scorer=human_agreement(
            data_set=data_set, **settings.model_dump(include=set(LabelSettings.model_fields))
        ),
        metrics=[agreement_metrics(REPLICATES, settings.seed)],
        version=TASK_VERSION,
        metadata=_metadata(data, chosen, len(labelled)) | {"settings": settings.record()},
    )


@solver
def nothing_to_solve() -> Solver:
    """Ask the model nothing; the scorer has all the questions."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        return state

    return solve


def _sample(source: AnnotatedSource) -> Sample:
    return Sample(
        id=source.id,
        input=source.prompt if source.source is None else f"{source.prompt}\n\n{source.source}",
        metadata=source.model_dump(mode="json"),
    )


def _metadata(
    data: PreferenceData, chosen: Sequence[HumanLabel], labelled: int
) -> dict[str, object]:
    """What a reader of the log must know about the data and the labels."""
    metadata: dict[str, object] = {
        **data.identity,
        "labelled_sources": labelled,
        "unlabelled_sources": len(data.sources) - labelled,
        "skipped_rows": len(data.skipped),
        "labels": [{**asdict(label), "factor": label.factor.id} for label in chosen],
        "grader_prompt_version": GRADER_PROMPT_VERSION,
        "preference_derived": is_derived(data),
    }
    if metadata["preference_derived"]:
        metadata["preference_note"] = DERIVED_NOTE
        logger.info("%s: %s", data.name, DERIVED_NOTE)
    if data.skipped:
        metadata["first_skipped_rows"] = [str(row) for row in data.skipped[:20]]
        logger.warning(
            "%s: %d bad rows skipped, the first: %s", data.name, len(data.skipped), data.skipped[0]
        )
    return metadata
