"""The Inspect task that every profile is: data, solvers, scorer."""

import logging
from collections.abc import Callable, Sequence
from importlib.util import find_spec

from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import get_model
from inspect_ai.solver import Generate, Solver, TaskState, solver

from profile_tasks.data.preferences import AnnotatedSource, PreferenceData, recorded_factors
from profile_tasks.data.sources import check_sources, load_data
from profile_tasks.data.task_definition import PREFERENCE, own_definition, task_metadata
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.grader_prompts import GRADER_PROMPT_VERSION
from profile_tasks.scorers.factors.learned import UniEval
from profile_tasks.scorers.factors.selection import measured_factors, needing_grader
from profile_tasks.scorers.factors.taxonomy import own_factors, own_factors_hash
from profile_tasks.scorers.grading.grader import (
    check_grader,
    grader_is_bound,
    grader_models,
    grader_warnings,
)
from profile_tasks.scorers.grading.grader_names import named_apart
from profile_tasks.scorers.inspect.arguments import in_evaluation
from profile_tasks.scorers.inspect.profile_scorer import headline_metrics, profile_scorer
from profile_tasks.scorers.measurement.pair_systems import check_systems
from profile_tasks.scorers.measurement.slice_labels import check_slices
from profile_tasks.scorers.statistics.study import REPLICATES
from profile_tasks.settings import ProfileSettings, Setting
from profile_tasks.solvers.both_settings import both_settings
from profile_tasks.solvers.pairwise_discrimination import check_judge, pairwise_discrimination
from profile_tasks.solvers.prompts import PROMPT_VERSION
from profile_tasks.solvers.score_conditioned_generation import score_conditioned_generation
from profile_tasks.tasks.viewer import VIEWER

logger = logging.getLogger(__name__)

TASK_VERSION = 4
"""Goes up with every change that makes old results incomparable."""

AUTO_NOTE = (
    "factors=auto without a grader: the surface factors only; add --model-role grader=MODEL for "
    "the core factors (facts and judgements)"
)


def profile_task(task: str, settings: ProfileSettings) -> Task:
    """Build the task with this key.

    Raises:
        ValueError: The data do not allow the setting, a factor is not known or lacks its grader.
    """
    # Importing it registers its hook, which other people's evaluations should not carry.
    import profile_tasks.scorers.inspect.full_profile  # noqa: F401

    grader = grader_is_bound() or settings.allow_self_grading
    data = load_data(settings, task)
    chosen = measured_factors(
        settings.factors,
        task,
        grader=grader,
        learned_by=settings.learned_by,
        recorded=recorded_factors(data.sources),
    )
    graded = needing_grader(chosen)
    if in_evaluation():
        check_grader(graded, allow_self_grading=settings.allow_self_grading)
        check_judge(get_model(), settings.judge_by if settings.judges else "words")
    check_sources(task, data, settings.setting)
    if settings.control == "system":
        check_systems(data.sources)
    check_slices(data.sources, settings.slice_columns)
    if any(factor.kind == "learned" for factor in chosen):
        UniEval.load(settings.unieval_checkpoint)  # before a model is paid for
    scores, orders, judge_by = settings.target_scores, settings.orders, settings.judge_by
    solvers: dict[Setting, Callable[[], Solver]] = {
        "both": lambda: both_settings(scores, orders, settings.judged_own, judge_by),
        "generation": lambda: score_conditioned_generation(scores),
        "discrimination": lambda: pairwise_discrimination(orders, judge_by),
    }
    return Task(
        display_name=task,
        dataset=MemoryDataset([source_sample(source) for source in data.sources], name=data.title),
        # Where the task is built before its models are known, the first sample has to look.
        setup=(
            grader_check(graded, settings.allow_self_grading)
            if graded and not in_evaluation()
            else None
        ),
        solver=solvers[settings.setting](),
        scorer=profile_scorer(task, settings, chosen),
        metrics=[headline_metrics(REPLICATES, settings.seed)],
        viewer=VIEWER,
        version=TASK_VERSION,
        metadata=task_metadata(task)
        | data_metadata(data)
        | factor_metadata(chosen, auto=settings.factors == "auto")
        | {"settings": settings.record()},
    )


def inspect_task(key: str) -> tuple[str, dict[str, object]]:
    """The Inspect task by which a task is run, without the package, and the argument for it.

    >>> inspect_task("summarization"), inspect_task("dialogue")
    (('summarization', {}), ('preference', {'task': 'dialogue'}))
    """
    if find_spec(f"profile_tasks.{key}") is not None:  # it has a file and a name of its own
        return key, {}
    own = own_definition(key)
    return PREFERENCE, {"task": key if own is None else own.record()}


@solver
def grader_check(graded: tuple[str, ...], allow_self_grading: bool = False) -> Solver:
    """Stop before a model is called where factors need a grader and there is none.

    Args:
        graded: Ids of the factors that need one.
        allow_self_grading: Whether the evaluated model may grade.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        check_grader(graded, allow_self_grading=allow_self_grading)
        return state

    return solve


def source_sample(source: AnnotatedSource) -> Sample:
    """A source as Inspect has it, with its annotated pairs in the metadata."""
    return Sample(
        id=source.id,
        input=source.prompt if source.source is None else f"{source.prompt}\n\n{source.source}",
        target=source.reference or "",
        metadata=source.model_dump(mode="json"),
    )


def data_metadata(data: PreferenceData) -> dict[str, object]:
    """What a reader of the log must know about the data."""
    metadata: dict[str, object] = {
        **data.identity,
        "loaded_sources": len(data.sources),
        "loaded_pairs": sum(len(source.pairs) for source in data.sources),
        "rows_of_other_tasks": data.other_task_rows,
        "skipped_rows": len(data.skipped),
        "prompt_version": PROMPT_VERSION,
    }
    if data.read_as:
        metadata["data_read_as"] = data.read_as
        logger.info("%s: %s", data.name, data.read_as)
    if data.unjudged_pairs:
        metadata["pairs_without_preference"] = data.unjudged_pairs
        logger.warning(
            "%s: %d of %d pairs have no preference of people, and count for the model's alone",
            data.name,
            data.unjudged_pairs,
            metadata["loaded_pairs"],
        )
    if data.skipped:
        metadata["first_skipped_rows"] = [str(row) for row in data.skipped[:20]]
        logger.warning(
            "%s: %d bad rows skipped, the first: %s", data.name, len(data.skipped), data.skipped[0]
        )
    return metadata


def factor_metadata(chosen: Sequence[Factor], *, auto: bool) -> dict[str, object]:
    """What a reader of the log must know about the factors and the grader.

    Nothing about "auto" where the models are not known yet: the samples will say what it was.
    """
    if auto and not in_evaluation():
        return {}
    metadata: dict[str, object] = {"factors": [factor.id for factor in chosen]}
    if own := own_factors(chosen):
        metadata["own_factors"] = own
        metadata["own_factors_hash"] = own_factors_hash(chosen)
    if not needing_grader(chosen):
        if auto:
            metadata["factors_note"] = AUTO_NOTE
            logger.info(AUTO_NOTE)
        return metadata
    metadata["grader_prompt_version"] = GRADER_PROMPT_VERSION
    if in_evaluation():
        graders = named_apart([str(model) for model in grader_models()])
        metadata["grader"] = ", ".join(graders)
        if warnings := grader_warnings(str(get_model()), graders):
            metadata["grader_warning"] = "; ".join(warnings)
            logger.warning("%s", metadata["grader_warning"])
    return metadata
