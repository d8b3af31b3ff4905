"""Instruction following: which factors drive preferences between responses to a request?

    inspect eval profile_tasks/instruction_following --model openai/gpt-4o-mini
    inspect eval profile_tasks/instruction_following --model planted/verbose
    inspect eval profile_tasks/instruction_following --model M -T dataset=shp2
    inspect eval profile_tasks/instruction_following --model M -T dataset=pairs.jsonl

The model is compared with people twice: as a writer of responses and as a judge of them.
"""

from collections.abc import Sequence

from inspect_ai import Task, task

from profile_tasks.profile_task import Setting, profile_task
from profile_tasks.solvers.score_conditioned_generation import DEFAULT_SCORES, Pairing


@task
def instruction_following(
    dataset: str = "demo",
    sources: str | None = None,
    factors: str | Sequence[str] = "auto",
    setting: Setting = "both",
    scores: Sequence[int | str] | int | str = DEFAULT_SCORES,
    pairing: Pairing = "all",
    orders: int = 2,
    limit: int | None = None,
    max_pairs_per_source: int | None = None,
    seed: int = 0,
    skip_bad_rows: bool = False,
    revision: str | None = None,
    split: str | None = None,
) -> Task:
    """Factor profiles of instruction following.

    Args:
        dataset: "demo", "tldr", "shp2", "webgpt", or a .jsonl, .json, .csv or .parquet file of
            annotated pairs.
        sources: File of source texts by ``source_id``, for data that keep them apart.
        factors: "auto" (the surface factors), "core", "surface", or factor ids.
        setting: "both", "generation" (the model writes) or "discrimination" (the model judges).
        scores: Target scores of the generation setting.
        pairing: Compare "all" pairs of written responses, or "adjacent" scores only.
        orders: Show each pair in 2 orders, or in 1.
        limit: Use this many sources, chosen by the seed.
        max_pairs_per_source: Use at most this many annotated pairs of each source.
        seed: Seed of every choice and of the bootstrap.
        skip_bad_rows: Leave bad rows out, counted in the log, instead of stopping.
        revision: Revision of a public data set, instead of the pinned one.
        split: Split of a public data set, instead of the usual one.
    """
    return profile_task(
        "instruction_following",
        dataset=dataset,
        sources=sources,
        factors=factors,
        setting=setting,
        scores=scores,
        pairing=pairing,
        orders=orders,
        limit=limit,
        max_pairs_per_source=max_pairs_per_source,
        seed=seed,
        skip_bad_rows=skip_bad_rows,
        revision=revision,
        split=split,
    )
