"""Score validity: do target scores mean something to a model?

    inspect eval profile_tasks/summarization_score_validity --model hf/local -M model_path=PATH \
        -T texts=logs/generation.eval
    inspect eval profile_tasks/summarization_score_validity --model openai/gpt-4o-mini \
        -T texts=logs/generation.eval -T measure=compliance
    inspect eval profile_tasks/summarization_score_validity --model planted/verbose

Is what a model wrote for a higher score likelier to it when no score is named (for models that can
tell how likely a given text is), and does it judge its text for the highest score better than that
for the lowest (for every model)?
"""

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import get_model

from profile_tasks.data.preferences import load_preferences
from profile_tasks.data.sources import check_sources
from profile_tasks.runs.scored_texts import scored_texts
from profile_tasks.scorers.inspect.validity_scorer import text_validity, validity_metrics
from profile_tasks.scorers.statistics.score_validity import REPLICATES
from profile_tasks.solvers.log_likelihood import check_log_likelihoods
from profile_tasks.solvers.prompts import PROMPT_VERSION
from profile_tasks.solvers.text_likelihood import (
    MEASURES,
    Measure,
    SourceTexts,
    text_likelihood,
)
from profile_tasks.tasks.arguments import check_choice, in_evaluation, told_in_one_line

TASK_VERSION = 1
"""Goes up with every change that makes old results incomparable."""


@task
def summarization_score_validity(
    dataset: str = "demo",
    texts: str | None = None,
    measure: Measure = "both",
    sources: str | None = None,
    limit: int | None = None,
    max_pairs_per_source: int | None = None,
    seed: int = 0,
    skip_bad_rows: bool = False,
    revision: str | None = None,
    split: str | None = None,
) -> Task:
    """Score validity of summarization.

    Args:
        dataset: "demo", "tldr", "shp2", "webgpt", or a file of annotated pairs.
        texts: Inspect log, or samples file of lm-eval, of a run that wrote for target scores; None:
            the annotated responses, scored by the share of their comparisons that they won.
        measure: "likelihood", "compliance", or "both".
        sources: File of source texts by ``source_id``, for data that keep them apart.
        limit: Use this many sources, chosen by the seed.
        max_pairs_per_source: Use at most this many annotated pairs of each source.
        seed: Seed of every choice and of the bootstrap.
        skip_bad_rows: Leave bad rows out instead of stopping.
        revision: Revision of a public data set, instead of the pinned one.
        split: Split of a public data set, instead of the usual one.
    """
    return _score_validity("summarization", **locals())


@task
def instruction_following_score_validity(
    dataset: str = "demo",
    texts: str | None = None,
    measure: Measure = "both",
    sources: str | None = None,
    limit: int | None = None,
    max_pairs_per_source: int | None = None,
    seed: int = 0,
    skip_bad_rows: bool = False,
    revision: str | None = None,
    split: str | None = None,
) -> Task:
    """Score validity of instruction following; arguments as of ``summarization_score_validity``."""
    return _score_validity("instruction_following", **locals())


@task
def document_qa_score_validity(
    dataset: str = "demo",
    texts: str | None = None,
    measure: Measure = "both",
    sources: str | None = None,
    limit: int | None = None,
    max_pairs_per_source: int | None = None,
    seed: int = 0,
    skip_bad_rows: bool = False,
    revision: str | None = None,
    split: str | None = None,
) -> Task:
    """Score validity of document QA; arguments as of ``summarization_score_validity``."""
    return _score_validity("document_qa", **locals())


@told_in_one_line()
def _score_validity(
    of_task: str,
    *,
    dataset: str,
    texts: str | None,
    measure: Measure,
    sources: str | None,
    limit: int | None,
    max_pairs_per_source: int | None,
    seed: int,
    skip_bad_rows: bool,
    revision: str | None,
    split: str | None,
) -> Task:
    check_choice("measure", measure, MEASURES)
    if measure != "compliance" and in_evaluation():
        check_log_likelihoods(get_model())
    data = load_preferences(
        dataset,
        task=of_task,
        source_file=sources,
        skip_bad_rows=skip_bad_rows,
        limit=limit,
        max_pairs_per_source=max_pairs_per_source,
        seed=seed,
        revision=revision,
        split=split,
    )
    check_sources(of_task, data, "generation")
    found = scored_texts(data, texts)
    known = [
        SourceTexts(source=source, texts=tuple(found[source.id]))
        for source in data.sources
        if source.id in found
    ]
    return Task(
        dataset=MemoryDataset(
            [
                Sample(id=k.source.id, input=k.source.prompt, metadata=k.model_dump(mode="json"))
                for k in known
            ],
            name=data.name,
        ),
        solver=text_likelihood(measure),
        scorer=text_validity(),
        metrics=[validity_metrics(REPLICATES, seed)],
        version=TASK_VERSION,
        metadata={
            "data": data.name,
            "texts": texts or "annotated responses",
            "sources_without_texts": len(data.sources) - len(known),
            "prompt_version": PROMPT_VERSION,
        },
    )
