"""The profiles behind factor feedback: of a finished log, or of the run's own data."""

import logging
from collections.abc import Sequence

import anyio
from inspect_ai.model import Model, get_model
from inspect_ai.util import collect

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.runs.inspect_log import read_run
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.selection import read_selection, resolve_factors
from profile_tasks.scorers.factors.taxonomy import taxonomy_of
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement, measure_source
from profile_tasks.scorers.measurement.tables import comparison_tables
from profile_tasks.scorers.statistics.study import OWN as OWN_JUDGEMENT
from profile_tasks.settings import DEFAULT_SCORES
from profile_tasks.solvers.feedback_revision import FactorFeedback
from profile_tasks.solvers.score_conditioned_generation import written_for_scores
from profile_tasks.solvers.target_scores import generation_pairs
from profile_tasks.tasks.departures import (
    SIGNIFICANT,
    Departure,
    departures,
    factor_feedback,
)

logger = logging.getLogger(__name__)

OTHER_TEXTS = (
    "people compared other texts than the model wrote, so part of a departure may be the texts'; a "
    "log with own_pairs lets feedback name only what the same texts show"
)

OWN = "own"
"""In place of a log: let the run write for target scores before it revises."""


def log_departures(
    location: str, task: str, *, most: int, seed: int = 0
) -> tuple[tuple[Departure, ...], str]:
    """Where the profile of a finished log departs from the human one; and the log's model.

    Where the log holds no judgement of the model's own pairs, a warning says what that leaves open.

    Raises:
        FileNotFoundError: There is no such log.
        ValueError: It is no log of this task in the generation setting, or nothing departs.
    """
    run = read_run(location)
    if run.task != task:
        raise ValueError(f"profiles: {location} is a run of {run.task}; expected one of {task}")
    tables = {table.perspective: table for table in comparison_tables(run.measurements)}
    if "generation" not in tables:
        raise ValueError(
            f"profiles: {location} has no generation setting, so no profile of what the model "
            "writes; run it with -T setting=both or generation"
        )
    own = tables.get(OWN_JUDGEMENT)
    found = departures(
        tables["human"],
        tables["generation"],
        judged=tables.get("discrimination"),
        own=own,
        most=most,
        seed=seed,
    )
    if not found:
        raise ValueError(
            f"profiles: in {location} the model's profile departs from the human one on no factor "
            f"(p adjusted < {SIGNIFICANT}; on the same pairs too, where own pairs were judged), so "
            "there is nothing to say; use more sources, or leave the condition factor out"
        )
    if own is None:
        logger.warning("profiles: %s: %s", location, OTHER_TEXTS)
    return found, run.model


def meanings(factors: str | Sequence[str], task: str) -> dict[str, str]:
    """What a text that shows more of each factor is like, by id.

    Args:
        factors: The selection of factors, for the files with factors of one's own in it.
        task: The key of the task, which may define some too.
    """
    return {
        factor.id: factor.more
        for factor in read_selection(factors, taxonomy_of([task])).taxonomy.values()
    }


def own_profiles(
    sources: Sequence[AnnotatedSource], *, most: int = 3, seed: int = 0
) -> FactorFeedback:
    """What finds factor feedback when it is first wanted: the model writes for target scores.

    It takes five requests a source, in the sample that comes first, whose transcript holds them.
    Surface factors only, since no grader is asked. The human profile is that of the sources.

    Args:
        sources: The sources of the run.
        most: Name at most so many factors.
        seed: Of the tests.
    """
    task = sources[0].task
    factors = resolve_factors("surface", task)
    lock = anyio.Lock()
    done: dict[Model, str | None] = {}  # one task may be run with several models

    async def own() -> str | None:
        model = get_model()
        async with lock:
            if model not in done:
                measured = await collect(*(_measured(source, factors) for source in sources))
                done[model] = _said(measured, factors, most, seed)
        return done[model]

    return own


async def _measured(source: AnnotatedSource, factors: Sequence[Factor]) -> SourceMeasurement:
    written = await written_for_scores(source, DEFAULT_SCORES)
    return measure_source(
        source,
        factors,
        responses_by_score=written,
        generation_pairs=generation_pairs(DEFAULT_SCORES, "all", source.id),
    )


def _said(
    measured: Sequence[SourceMeasurement], factors: Sequence[Factor], most: int, seed: int
) -> str | None:
    tables = {table.perspective: table for table in comparison_tables(measured)}
    found = departures(tables["human"], tables["generation"], most=most, seed=seed)
    if not found:
        logger.warning(
            "condition factor: the model's profile departs from the human one on no factor "
            "(p adjusted < %s), so there is no such feedback and no such revision",
            SIGNIFICANT,
        )
        return None
    return factor_feedback(found, {factor.id: factor.more for factor in factors})
