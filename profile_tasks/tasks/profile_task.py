"""The Inspect task that the three task files share: data, solvers, scorer."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import get_args

from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import get_model
from inspect_ai.solver import Generate, Solver, TaskState, solver

from profile_tasks.data.preferences import AnnotatedSource, PreferenceData, load_preferences
from profile_tasks.data.sources import Setting, check_sources
from profile_tasks.scorers.factors.choice import (
    LEARNED_BY,
    LearnedBy,
    measured_factors,
    needing_grader,
)
from profile_tasks.scorers.factors.grader_prompts import GRADER_PROMPT_VERSION
from profile_tasks.scorers.factors.learned import UniEval
from profile_tasks.scorers.factors.taxonomy import Factor, load_taxonomy
from profile_tasks.scorers.grading.grader import (
    check_grader,
    grader_is_bound,
    grader_model,
    grader_warning,
)
from profile_tasks.scorers.grading.requests import JUDGE_BATCHES, JudgeBatch
from profile_tasks.scorers.inspect.profile_scorer import factor_profile, headline_metrics
from profile_tasks.scorers.statistics.study import REPLICATES
from profile_tasks.solvers.both_settings import both_settings
from profile_tasks.solvers.pairwise_discrimination import pairwise_discrimination
from profile_tasks.solvers.prompts import PROMPT_VERSION
from profile_tasks.solvers.score_conditioned_generation import score_conditioned_generation
from profile_tasks.solvers.target_scores import PAIRINGS, Pairing, parsed_scores
from profile_tasks.tasks.arguments import check_choice, in_evaluation, told_in_one_line
from profile_tasks.tasks.viewer import VIEWER, headline_metric

logger = logging.getLogger(__name__)

TASK_VERSION = 2
"""Goes up with every change that makes old results incomparable."""

SETTINGS: tuple[str, ...] = get_args(Setting)

AUTO_NOTE = (
    "factors=auto without a grader: the surface factors only; add --model-role grader=MODEL for "
    "the core factors (facts and judgements)"
)


@told_in_one_line()
def profile_task(
    task: str,
    *,
    dataset: str,
    sources: str | None,
    factors: str | Sequence[str],
    setting: Setting,
    scores: Sequence[int | str] | int | str,
    pairing: Pairing,
    orders: int,
    judge_orders: int,
    judge_batch: JudgeBatch,
    fluency: LearnedBy,
    coherence: LearnedBy,
    unieval_checkpoint: str,
    allow_self_grading: bool,
    grader_cache: bool,
    limit: int | None,
    max_pairs_per_source: int | None,
    seed: int,
    skip_bad_rows: bool,
    revision: str | None,
    split: str | None,
) -> Task:
    """Build one of the three tasks; the arguments are described in each task file.

    Raises:
        ValueError: An argument is not one of its choices, or the data do not allow the setting.
    """
    # Importing it registers its hook, which other people's evaluations should not carry.
    import profile_tasks.scorers.inspect.full_profile  # noqa: F401

    check_choice("setting", setting, SETTINGS)
    check_choice("pairing", pairing, PAIRINGS)
    check_choice("orders", orders, (1, 2))
    check_choice("judge_orders", judge_orders, (1, 2))
    check_choice("judge_batch", judge_batch, JUDGE_BATCHES)
    check_choice("fluency", fluency, LEARNED_BY)
    check_choice("coherence", coherence, LEARNED_BY)
    check_choice("allow_self_grading", allow_self_grading, (True, False))
    check_choice("grader_cache", grader_cache, (True, False))
    target_scores = parsed_scores(scores)
    if not factors:
        raise ValueError(
            f"factors is {factors!r}; expected auto, core, surface, all, factor ids or a YAML file"
        )
    grader = grader_is_bound() or allow_self_grading
    chosen = measured_factors(
        factors, task, grader=grader, learned_by={"fluency": fluency, "coherence": coherence}
    )
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
    check_sources(task, data, setting)
    if any(factor.kind == "learned" for factor in chosen):
        UniEval.load(unieval_checkpoint)  # before a model is paid for
    solvers: dict[Setting, Callable[[], Solver]] = {
        "both": lambda: both_settings(target_scores, orders),
        "generation": lambda: score_conditioned_generation(target_scores),
        "discrimination": lambda: pairwise_discrimination(orders),
    }
    return Task(
        dataset=MemoryDataset([source_sample(source) for source in data.sources], name=data.name),
        # Where the task is built before its models are known, the first sample has to look.
        setup=(
            grader_check(graded, allow_self_grading) if graded and not in_evaluation() else None
        ),
        solver=solvers[setting](),
        scorer=factor_profile(
            task,
            factors if isinstance(factors, str) else list(factors),
            pairing,
            judge_orders,
            judge_batch,
            fluency,
            coherence,
            unieval_checkpoint,
            allow_self_grading,
            grader_cache,
        ),
        metrics=[headline_metrics(REPLICATES, seed)],
        headline_metric=headline_metric(setting),
        viewer=VIEWER,
        version=TASK_VERSION,
        metadata=data_metadata(data) | factor_metadata(chosen, auto=factors == "auto"),
    )


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
        "data": data.name,
        "loaded_sources": len(data.sources),
        "loaded_pairs": sum(len(source.pairs) for source in data.sources),
        "rows_of_other_tasks": data.other_task_rows,
        "skipped_rows": len(data.skipped),
        "prompt_version": PROMPT_VERSION,
    }
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
    packaged = load_taxonomy()
    metadata: dict[str, object] = {"factors": [factor.id for factor in chosen]}
    own = {f.id: asdict(f) for f in chosen if f.kind != "learned" and f != packaged.get(f.id)}
    if own:
        metadata["own_factors"] = own
    if not needing_grader(chosen):
        if auto:
            metadata["factors_note"] = AUTO_NOTE
            logger.info(AUTO_NOTE)
        return metadata
    metadata["grader_prompt_version"] = GRADER_PROMPT_VERSION
    if in_evaluation():
        evaluated, grader = str(get_model()), str(grader_model())
        metadata["grader"] = grader
        if warning := grader_warning(evaluated, grader):
            metadata["grader_warning"] = warning
            logger.warning(warning)
    return metadata
