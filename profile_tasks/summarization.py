"""Summarization: which factors drive preferences between summaries?

    inspect eval profile_tasks/summarization --model openai/gpt-4o-mini
    inspect eval profile_tasks/summarization --model planted/verbose
    inspect eval profile_tasks/summarization --model M -T dataset=tldr
    inspect eval profile_tasks/summarization --model M --model-role grader=G
    inspect eval profile_tasks/summarization --model M -T dataset=pairs.jsonl -T setting=generation

The model is compared with people twice: as a writer of summaries and as a judge of them.
"""

from collections.abc import Sequence

from inspect_ai import Task, task

from profile_tasks.data.sources import Setting
from profile_tasks.scorers.factors.choice import LearnedBy
from profile_tasks.scorers.factors.learned import UNIEVAL_CHECKPOINT
from profile_tasks.scorers.grading.requests import JudgeBatch
from profile_tasks.solvers.target_scores import DEFAULT_SCORES, Pairing
from profile_tasks.tasks.profile_task import profile_task


@task
def summarization(
    dataset: str = "demo",
    sources: str | None = None,
    factors: str | Sequence[str] = "auto",
    setting: Setting = "both",
    scores: Sequence[int | str] | int | str = DEFAULT_SCORES,
    pairing: Pairing = "all",
    orders: int = 2,
    judge_orders: int = 2,
    judge_batch: JudgeBatch = "all",
    fluency: LearnedBy = "judged",
    coherence: LearnedBy = "judged",
    unieval_checkpoint: str = UNIEVAL_CHECKPOINT,
    allow_self_grading: bool = False,
    grader_cache: bool = True,
    limit: int | None = None,
    max_pairs_per_source: int | None = None,
    seed: int = 0,
    skip_bad_rows: bool = False,
    revision: str | None = None,
    split: str | None = None,
) -> Task:
    """Factor profiles of summarization.

    Args:
        dataset: "demo", "tldr", "shp2", "webgpt", or a .jsonl, .json, .csv or .parquet file of
            annotated pairs.
        sources: File of source texts by ``source_id``, for data that keep them apart.
        factors: "auto" (with a grader the core factors, else the surface factors), "core",
            "surface", "all", factor ids, or the path of a YAML file with factors of your own.
        setting: "both", "generation" (the model writes) or "discrimination" (the model judges).
        scores: Target scores of the generation setting.
        pairing: Compare "all" pairs of written responses, a random "half" of them, or those of
            "adjacent" scores only.
        orders: Show each pair in 2 orders, or in 1.
        judge_orders: Show the grader each pair in 2 orders, or in 1.
        judge_batch: "all" judged factors in one grader request, or "one" factor a request.
        fluency: Found by the grader ("judged"), or by a local model ("unieval").
        coherence: The same.
        unieval_checkpoint: Folder, or name on the hub, of the UniEval checkpoint.
        allow_self_grading: Let the evaluated model grade where no model has the role grader.
        grader_cache: Take the grader's answers from, and put them into, Inspect's cache.
        limit: Use this many sources, chosen by the seed.
        max_pairs_per_source: Use at most this many annotated pairs of each source.
        seed: Seed of every choice and of the bootstrap.
        skip_bad_rows: Leave bad rows out, counted in the log, instead of stopping.
        revision: Revision of a public data set, instead of the pinned one.
        split: Split of a public data set, instead of the usual one.
    """
    return profile_task(
        "summarization",
        dataset=dataset,
        sources=sources,
        factors=factors,
        setting=setting,
        scores=scores,
        pairing=pairing,
        orders=orders,
        judge_orders=judge_orders,
        judge_batch=judge_batch,
        fluency=fluency,
        coherence=coherence,
        unieval_checkpoint=unieval_checkpoint,
        allow_self_grading=allow_self_grading,
        grader_cache=grader_cache,
        limit=limit,
        max_pairs_per_source=max_pairs_per_source,
        seed=seed,
        skip_bad_rows=skip_bad_rows,
        revision=revision,
        split=split,
    )
