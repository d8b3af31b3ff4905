"""Judge audit: what does a model's verdict hang on beside the texts that it judges?

    inspect eval profile_tasks/summarization_judge_audit --model openai/gpt-4o-mini -T limit=50
    inspect eval profile_tasks/summarization_judge_audit --model M -T probes=position,wording
    inspect eval profile_tasks/summarization_judge_audit --model planted/verbose \
        -M position_bias=0.5

On annotated pairs, of which nobody's preference is needed: the order shown, the same request again,
other wordings of it, texts that differ in nothing or in what should not matter, the model's own
texts, a bogus source, an order to the judge (docs/judge-audit.md). Recorded verdicts are audited by
``profile-tasks judges``.
"""

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset
from inspect_ai.model import get_model

from profile_tasks.data.sources import check_sources, load_data
from profile_tasks.data.task_definition import read_definition, task_metadata
from profile_tasks.scorers.factors.selection import measured_factors, needing_grader
from profile_tasks.scorers.inspect.arguments import (
    definition_in_log,
    in_evaluation,
    told_in_one_line,
)
from profile_tasks.scorers.inspect.probe_scorer import judge_sensitivity, probe_metrics
from profile_tasks.settings import JudgeAuditSettings, PreferenceJudgeAuditSettings, takes
from profile_tasks.solvers.judge_probes import judge_probes
from profile_tasks.solvers.pairwise_discrimination import check_judge
from profile_tasks.solvers.probe_texts import probe_lists
from profile_tasks.solvers.prompts import wordings, wordings_version
from profile_tasks.tasks.profile_task import data_metadata, source_sample

JUDGE_AUDIT_VERSION = 1
"""Goes up with every change that makes old results incomparable."""


@task
@told_in_one_line()
@takes(JudgeAuditSettings)
def summarization_judge_audit(settings: JudgeAuditSettings) -> Task:
    """Probes of a judge of summaries."""
    return _judge_audit("summarization", settings)


@task
@told_in_one_line()
@takes(JudgeAuditSettings)
def instruction_following_judge_audit(settings: JudgeAuditSettings) -> Task:
    """Probes of a judge of responses to instructions."""
    return _judge_audit("instruction_following", settings)


@task
@told_in_one_line()
@takes(JudgeAuditSettings)
def document_qa_judge_audit(settings: JudgeAuditSettings) -> Task:
    """Probes of a judge of answers from documents."""
    return _judge_audit("document_qa", settings)


@definition_in_log
@task
@told_in_one_line()
@takes(PreferenceJudgeAuditSettings)
def preference_judge_audit(settings: PreferenceJudgeAuditSettings) -> Task:
    """Probes of a judge of the task that a definition describes."""
    return _judge_audit(read_definition(settings.task).key, settings)


def _judge_audit(of_task: str, settings: JudgeAuditSettings) -> Task:
    # Importing it registers its hook, which other people's evaluations should not carry.
    import profile_tasks.scorers.inspect.viewer_labels  # noqa: F401

    chosen = measured_factors(settings.factors, of_task, grader=False, learned_by={})
    if graded := needing_grader(chosen):
        raise ValueError(
            f"factors {', '.join(graded)} need a grader, and this task asks none; choose surface "
            "factors"
        )
    if in_evaluation():
        check_judge(get_model(), settings.judge_by)
    data = load_data(settings, of_task)
    check_sources(of_task, data, "discrimination")
    return Task(
        dataset=MemoryDataset([source_sample(source) for source in data.sources], name=data.title),
        solver=judge_probes(settings.chosen_probes, settings.judge_by, settings.seed),
        scorer=judge_sensitivity(task=of_task, factors=settings.factors),
        metrics=[probe_metrics(settings.seed)],
        version=JUDGE_AUDIT_VERSION,
        metadata=task_metadata(of_task)
        | data_metadata(data)
        | {
            "factors": [factor.id for factor in chosen],
            "wordings": list(wordings()),
            "wordings_version": wordings_version(),
            "probe_texts_version": probe_lists().version,
            "settings": settings.record(),
        },
    )
