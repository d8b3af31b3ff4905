"""Self-guided data: which of its own responses does a model prefer, and what would they teach?

    inspect eval profile_tasks/summarization_self_guided --model hf/local -M model_path=MODEL
    inspect eval profile_tasks/document_qa_self_guided --model planted/concise -T samples=6
    inspect eval profile_tasks/instruction_following_self_guided --model M -T tournament=knock_out
    inspect eval profile_tasks/summarization_self_guided --model M --model-role judge=JUDGE

For each source the model writes n responses and judges them against each other, each pair in both
orders. With n samples that takes n + n (n - 1) requests a source in a round robin (n = 4: 16) and
n + 2 (n - 1) in a knock-out (n = 4: 10). ``profile-tasks export`` makes training data of the log.
"""

from collections.abc import Sequence

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset

from profile_tasks.data.preferences import load_preferences
from profile_tasks.data.sources import check_sources
from profile_tasks.scorers.factors.choice import measured_factors, needing_grader
from profile_tasks.scorers.inspect.self_guided_scorer import (
    self_guided_metrics,
    self_guided_ranking,
)
from profile_tasks.scorers.statistics.study import REPLICATES
from profile_tasks.solvers.self_guided import MAXIMUM_SAMPLES, self_guided_sampling
from profile_tasks.solvers.tournament import TOURNAMENTS, Tournament, tournament_requests
from profile_tasks.tasks.arguments import check_choice, told_in_one_line
from profile_tasks.tasks.profile_task import data_metadata, source_sample

SELF_GUIDED_VERSION = 1
"""Goes up with every change that makes old results incomparable."""


@told_in_one_line()
def self_guided_task(
    of_task: str,
    *,
    dataset: str,
    sources: str | None,
    samples: int,
    temperature: float,
    tournament: Tournament,
    factors: str | Sequence[str],
    limit: int | None,
    seed: int,
    skip_bad_rows: bool,
    revision: str | None,
    split: str | None,
) -> Task:
    """Build one of the three tasks; the arguments are those of ``summarization_self_guided``.

    Raises:
        ValueError: An argument is out of its range, a factor needs a grader, or the data lack
            sources.
    """
    check_choice("tournament", tournament, TOURNAMENTS)
    if type(samples) is not int or not 2 <= samples <= MAXIMUM_SAMPLES:
        raise ValueError(f"samples is {samples!r}; expected 2 to {MAXIMUM_SAMPLES}")
    if type(temperature) not in (int, float) or not 0 < temperature <= 2:
        raise ValueError(
            f"temperature is {temperature!r}; expected more than 0 and at most 2: without it all "
            "samples are alike"
        )
    chosen = measured_factors(factors, of_task, grader=False, learned_by={})
    if graded := needing_grader(chosen):
        raise ValueError(
            f"factors {', '.join(graded)} need a grader, and this task asks none; choose surface "
            "factors, and have the exported pairs graded by the ordinary tasks"
        )
    data = load_preferences(
        dataset,
        task=of_task,
        source_file=sources,
        skip_bad_rows=skip_bad_rows,
        limit=limit,
        seed=seed,
        revision=revision,
        split=split,
    )
    check_sources(of_task, data, "generation")
    return Task(
        dataset=MemoryDataset([source_sample(source) for source in data.sources], name=data.name),
        solver=self_guided_sampling(samples, float(temperature), tournament, seed),
        scorer=self_guided_ranking(
            of_task, factors if isinstance(factors, str) else list(factors), tournament
        ),
        metrics=[self_guided_metrics(REPLICATES, seed)],
        version=SELF_GUIDED_VERSION,
        metadata=data_metadata(data)
        | {
            "factors": [factor.id for factor in chosen],
            "requests_per_source": samples + tournament_requests(samples, tournament),
        },
    )


@task
def summarization_self_guided(
    dataset: str = "demo",
    sources: str | None = None,
    samples: int = 4,
    temperature: float = 1.0,
    tournament: Tournament = "round_robin",
    factors: str | Sequence[str] = "surface",
    limit: int | None = None,
    seed: int = 0,
    skip_bad_rows: bool = False,
    revision: str | None = None,
    split: str | None = None,
) -> Task:
    """Ranked samples of summaries.

    Args:
        dataset: "demo", "tldr", "shp2", "webgpt", or a file in the project's schema; only its
            sources are used.
        sources: File of source texts by ``source_id``, for data that keep them apart.
        samples: Responses to each source, n.
        temperature: Of their sampling.
        tournament: "round_robin" (n (n - 1) requests for judging) or "knock_out" (2 (n - 1)).
        factors: Surface factors by which winners and losers are compared.
        limit: Use this many sources, chosen by the seed.
        seed: Seed of the choice, of the samples and of the bootstrap.
        skip_bad_rows: Leave bad rows out, counted in the log, instead of stopping.
        revision: Revision of a public data set, instead of the pinned one.
        split: Split of a public data set, instead of the usual one.
    """
    return self_guided_task(
        "summarization",
        dataset=dataset,
        sources=sources,
        samples=samples,
        temperature=temperature,
        tournament=tournament,
        factors=factors,
        limit=limit,
        seed=seed,
        skip_bad_rows=skip_bad_rows,
        revision=revision,
        split=split,
    )


@task
def instruction_following_self_guided(
    dataset: str = "demo",
    sources: str | None = None,
    samples: int = 4,
    temperature: float = 1.0,
    tournament: Tournament = "round_robin",
    factors: str | Sequence[str] = "surface",
    limit: int | None = None,
    seed: int = 0,
    skip_bad_rows: bool = False,
    revision: str | None = None,
    split: str | None = None,
) -> Task:
    """Ranked samples of responses to requests; arguments as of ``summarization_self_guided``."""
    return self_guided_task(
        "instruction_following",
        dataset=dataset,
        sources=sources,
        samples=samples,
        temperature=temperature,
        tournament=tournament,
        factors=factors,
        limit=limit,
        seed=seed,
        skip_bad_rows=skip_bad_rows,
        revision=revision,
        split=split,
    )


@task
def document_qa_self_guided(
    dataset: str = "demo",
    sources: str | None = None,
    samples: int = 4,
    temperature: float = 1.0,
    tournament: Tournament = "round_robin",
    factors: str | Sequence[str] = "surface",
    limit: int | None = None,
    seed: int = 0,
    skip_bad_rows: bool = False,
    revision: str | None = None,
    split: str | None = None,
) -> Task:
    """Ranked samples of answers from documents; arguments as of ``summarization_self_guided``."""
    return self_guided_task(
        "document_qa",
        dataset=dataset,
        sources=sources,
        samples=samples,
        temperature=temperature,
        tournament=tournament,
        factors=factors,
        limit=limit,
        seed=seed,
        skip_bad_rows=skip_bad_rows,
        revision=revision,
        split=split,
    )
