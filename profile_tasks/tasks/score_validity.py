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

from profile_tasks.data.sources import check_sources, load_data
from profile_tasks.data.task_definition import read_definition, task_metadata
from profile_tasks.runs.scored_texts import scored_texts
from profile_tasks.scorers.inspect.arguments import (
    definition_in_log,
    in_evaluation,
    told_in_one_line,
)
from profile_tasks.scorers.inspect.validity_scorer import text_validity, validity_metrics
from profile_tasks.scorers.statistics.score_validity import REPLICATES
from profile_tasks.settings import PreferenceScoreValiditySettings, ScoreValiditySettings, takes
from profile_tasks.solvers.log_likelihood import check_log_likelihoods
from profile_tasks.solvers.pairwise_discrimination import check_judge
from profile_tasks.solvers.prompts import PROMPT_VERSION
from profile_tasks.solvers.text_likelihood import SourceTexts, text_likelihood

TASK_VERSION = 3
"""Goes up with every change that makes old results incomparable."""


@task
@told_in_one_line()
@takes(ScoreValiditySettings)
def summarization_score_validity(settings: ScoreValiditySettings) -> Task:
    """Score validity of summarization."""
    return _score_validity("summarization", settings)


@task
@told_in_one_line()
@takes(ScoreValiditySettings)
def instruction_following_score_validity(settings: ScoreValiditySettings) -> Task:
    """Score validity of instruction following."""
    return _score_validity("instruction_following", settings)


@task
@told_in_one_line()
@takes(ScoreValiditySettings)
def document_qa_score_validity(settings: ScoreValiditySettings) -> Task:
    """Score validity of document QA."""
    return _score_validity("document_qa", settings)


@definition_in_log
@task
@told_in_one_line()
@takes(PreferenceScoreValiditySettings)
def preference_score_validity(settings: PreferenceScoreValiditySettings) -> Task:
    """Score validity of the task that a definition describes."""
    return _score_validity(read_definition(settings.task).key, settings)


def _score_validity(of_task: str, settings: ScoreValiditySettings) -> Task:
    # Importing it registers its hook, which other people's evaluations should not carry.
    import profile_tasks.scorers.inspect.viewer_labels  # noqa: F401

    if in_evaluation():
        if settings.measure != "compliance":
            check_log_likelihoods(get_model())
        if settings.measure != "likelihood":
            check_judge(get_model(), settings.judge_by)
    data = load_data(settings, of_task)
    check_sources(of_task, data, "generation")
    found = scored_texts(data, settings.texts)
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
        solver=text_likelihood(settings.measure, settings.judge_by),
        scorer=text_validity(),
        metrics=[validity_metrics(REPLICATES, settings.seed)],
        version=TASK_VERSION,
        metadata={
            **task_metadata(of_task),
            **data.identity,
            "texts": settings.texts or "annotated responses",
            "sources_without_texts": len(data.sources) - len(known),
            "prompt_version": PROMPT_VERSION,
            "settings": settings.record(),
        },
    )
