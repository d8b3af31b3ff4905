"""Feedback-driven generation: does feedback bring what a model writes nearer to what people like?

    inspect eval profile_tasks/summarization_feedback --model M --model-role grader=G
    inspect eval profile_tasks/document_qa_feedback --model M -T condition=none,self
    inspect eval profile_tasks/summarization_feedback --model M --model-role grader=G \
        -T profiles=logs/summarization.eval
    inspect eval profile_tasks/summarization_feedback --model M -T profiles=own
    inspect eval profile_tasks/summarization_feedback --model planted/verbose \
        --model-role grader=planted/copyist

The model drafts, revises its draft under each condition, and judges the revisions: without feedback
(``none``), by its own critique (``self``), by that of a second model which compares two drafts
(``evaluator``), and by the factors on which its profile departs from the human one (``factor``).
"""

from collections.abc import Sequence

from inspect_ai import Task, task

from profile_tasks.scorers.grading.requests import JudgeBatch
from profile_tasks.tasks.departures import MOST_FACTORS
from profile_tasks.tasks.feedback_task import feedback_task


@task
def summarization_feedback(
    dataset: str = "demo",
    sources: str | None = None,
    factors: str | Sequence[str] = "auto",
    condition: str | Sequence[str] | None = None,
    profiles: str | None = None,
    most_factors: int = MOST_FACTORS,
    judge_orders: int = 2,
    judge_batch: JudgeBatch = "all",
    allow_self_grading: bool = False,
    grader_cache: bool = True,
    limit: int | None = None,
    max_pairs_per_source: int | None = None,
    seed: int = 0,
    skip_bad_rows: bool = False,
    revision: str | None = None,
    split: str | None = None,
) -> Task:
    """Feedback-driven generation of summaries.

    Args:
        dataset: "demo", "tldr", "shp2", "webgpt", or a .jsonl, .json, .csv or .parquet file of
            annotated pairs.
        sources: File of source texts by ``source_id``, for data that keep them apart.
        factors: "auto" (with a grader the core factors, else the surface factors), "core",
            "surface", "all", factor ids, or the path of a YAML file with factors of your own.
        condition: One or several of "none", "self", "evaluator" and "factor"; all that the run
            allows where it is left out.
        profiles: What factor feedback rests on: a finished log of the task without "_feedback",
            or "own": let this run write for target scores first (5 more requests a source).
        most_factors: Name at most so many factors in factor feedback.
        judge_orders: Show the grader each pair in 2 orders, or in 1.
        judge_batch: "all" judged factors in one grader request, or "one" factor a request.
        allow_self_grading: Let the evaluated model compare drafts and grade where no model has the
            role grader.
        grader_cache: Take the grader's answers on factors from, and put them into, Inspect's cache.
        limit: Use this many sources, chosen by the seed.
        max_pairs_per_source: Use at most this many annotated pairs of each source.
        seed: Seed of every choice and of the bootstrap.
        skip_bad_rows: Leave bad rows out, counted in the log, instead of stopping.
        revision: Revision of a public data set, instead of the pinned one.
        split: Split of a public data set, instead of the usual one.
    """
    return feedback_task(
        "summarization",
        dataset=dataset,
        sources=sources,
        factors=factors,
        condition=condition,
        profiles=profiles,
        most_factors=most_factors,
        judge_orders=judge_orders,
        judge_batch=judge_batch,
        allow_self_grading=allow_self_grading,
        grader_cache=grader_cache,
        limit=limit,
        max_pairs_per_source=max_pairs_per_source,
        seed=seed,
        skip_bad_rows=skip_bad_rows,
        revision=revision,
        split=split,
    )


@task
def instruction_following_feedback(
    dataset: str = "demo",
    sources: str | None = None,
    factors: str | Sequence[str] = "auto",
    condition: str | Sequence[str] | None = None,
    profiles: str | None = None,
    most_factors: int = MOST_FACTORS,
    judge_orders: int = 2,
    judge_batch: JudgeBatch = "all",
    allow_self_grading: bool = False,
    grader_cache: bool = True,
    limit: int | None = None,
    max_pairs_per_source: int | None = None,
    seed: int = 0,
    skip_bad_rows: bool = False,
    revision: str | None = None,
    split: str | None = None,
) -> Task:
    """Feedback-driven generation of responses.

    The arguments are those of ``summarization_feedback``.
    """
    return feedback_task(
        "instruction_following",
        dataset=dataset,
        sources=sources,
        factors=factors,
        condition=condition,
        profiles=profiles,
        most_factors=most_factors,
        judge_orders=judge_orders,
        judge_batch=judge_batch,
        allow_self_grading=allow_self_grading,
        grader_cache=grader_cache,
        limit=limit,
        max_pairs_per_source=max_pairs_per_source,
        seed=seed,
        skip_bad_rows=skip_bad_rows,
        revision=revision,
        split=split,
    )


@task
def document_qa_feedback(
    dataset: str = "demo",
    sources: str | None = None,
    factors: str | Sequence[str] = "auto",
    condition: str | Sequence[str] | None = None,
    profiles: str | None = None,
    most_factors: int = MOST_FACTORS,
    judge_orders: int = 2,
    judge_batch: JudgeBatch = "all",
    allow_self_grading: bool = False,
    grader_cache: bool = True,
    limit: int | None = None,
    max_pairs_per_source: int | None = None,
    seed: int = 0,
    skip_bad_rows: bool = False,
    revision: str | None = None,
    split: str | None = None,
) -> Task:
    """Feedback-driven generation of answers.

    The arguments are those of ``summarization_feedback``.
    """
    return feedback_task(
        "document_qa",
        dataset=dataset,
        sources=sources,
        factors=factors,
        condition=condition,
        profiles=profiles,
        most_factors=most_factors,
        judge_orders=judge_orders,
        judge_batch=judge_batch,
        allow_self_grading=allow_self_grading,
        grader_cache=grader_cache,
        limit=limit,
        max_pairs_per_source=max_pairs_per_source,
        seed=seed,
        skip_bad_rows=skip_bad_rows,
        revision=revision,
        split=split,
    )
