"""Self-guided data: which of its own responses does a model prefer, and what would they teach?

    inspect eval profile_tasks/summarization_self_guided --model hf/local -M model_path=MODEL
    inspect eval profile_tasks/document_qa_self_guided --model planted/concise -T samples=6
    inspect eval profile_tasks/instruction_following_self_guided --model M -T tournament=knock_out
    inspect eval profile_tasks/summarization_self_guided --model M --model-role judge=JUDGE
    inspect eval profile_tasks/summarization_self_guided --model hf/M -T judge_by=likelihood

For each source the model writes n responses and judges them against each other, each pair in both
orders. With n samples that takes n + n (n - 1) requests a source in a round robin (n = 4: 16) and
n + 2 (n - 1) in a knock-out (n = 4: 10). ``profile-tasks export`` makes training data of the log.
"""

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset

from profile_tasks.data.sources import check_sources, load_data
from profile_tasks.data.task_definition import read_definition, task_metadata
from profile_tasks.scorers.factors.selection import measured_factors, needing_grader
from profile_tasks.scorers.inspect.arguments import (
    definition_in_log,
    in_evaluation,
    told_in_one_line,
)
from profile_tasks.scorers.inspect.self_guided_scorer import (
    self_guided_metrics,
    self_guided_ranking,
)
from profile_tasks.scorers.statistics.study import REPLICATES
from profile_tasks.settings import PreferenceSelfGuidedSettings, SelfGuidedSettings, takes
from profile_tasks.solvers.pairwise_discrimination import REQUESTS_A_VERDICT, check_judge
from profile_tasks.solvers.self_guided import judging_model, self_guided_sampling
from profile_tasks.solvers.tournament import tournament_requests
from profile_tasks.tasks.profile_task import data_metadata, source_sample

SELF_GUIDED_VERSION = 2
"""Goes up with every change that makes old results incomparable."""


def self_guided_task(of_task: str, settings: SelfGuidedSettings) -> Task:
    """Build the task.

    Raises:
        ValueError: A factor needs a grader, or the data lack sources.
    """
    # Importing it registers its hook, which other people's evaluations should not carry.
    import profile_tasks.scorers.inspect.viewer_labels  # noqa: F401

    chosen = measured_factors(settings.factors, of_task, grader=False, learned_by={})
    if graded := needing_grader(chosen):
        raise ValueError(
            f"factors {', '.join(graded)} need a grader, and this task asks none; choose surface "
            "factors, and have the exported pairs graded by the ordinary tasks"
        )
    if in_evaluation():
        check_judge(judging_model(), settings.judge_by)
    data = load_data(settings, of_task)
    check_sources(of_task, data, "generation")
    return Task(
        dataset=MemoryDataset([source_sample(source) for source in data.sources], name=data.title),
        solver=self_guided_sampling(
            settings.samples,
            settings.temperature,
            settings.tournament,
            settings.seed,
            settings.judge_by,
        ),
        scorer=self_guided_ranking(
            task=of_task, factors=settings.factors, tournament=settings.tournament
        ),
        metrics=[self_guided_metrics(REPLICATES, settings.seed)],
        version=SELF_GUIDED_VERSION,
        metadata=task_metadata(of_task)
        | data_metadata(data)
        | {
            "factors": [factor.id for factor in chosen],
            "requests_per_source": settings.samples
            + tournament_requests(settings.samples, settings.tournament)
            * REQUESTS_A_VERDICT[settings.judge_by],
            "settings": settings.record(),
        },
    )


@task
@told_in_one_line()
@takes(SelfGuidedSettings)
def summarization_self_guided(settings: SelfGuidedSettings) -> Task:
    """Ranked samples of summaries."""
    return self_guided_task("summarization", settings)


@task
@told_in_one_line()
@takes(SelfGuidedSettings)
def instruction_following_self_guided(settings: SelfGuidedSettings) -> Task:
    """Ranked samples of responses."""
    return self_guided_task("instruction_following", settings)


@task
@told_in_one_line()
@takes(SelfGuidedSettings)
def document_qa_self_guided(settings: SelfGuidedSettings) -> Task:
    """Ranked samples of answers from documents."""
    return self_guided_task("document_qa", settings)


@definition_in_log
@task
@told_in_one_line()
@takes(PreferenceSelfGuidedSettings)
def preference_self_guided(settings: PreferenceSelfGuidedSettings) -> Task:
    """Ranked samples of the task that a definition describes."""
    return self_guided_task(read_definition(settings.task).key, settings)
