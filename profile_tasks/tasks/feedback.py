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

from inspect_ai import Task, task

from profile_tasks.data.task_definition import read_definition
from profile_tasks.scorers.inspect.arguments import definition_in_log, told_in_one_line
from profile_tasks.settings import FeedbackSettings, PreferenceFeedbackSettings, takes
from profile_tasks.tasks.feedback_task import feedback_task


@task
@told_in_one_line()
@takes(FeedbackSettings)
def summarization_feedback(settings: FeedbackSettings) -> Task:
    """Feedback-driven generation of summaries."""
    return feedback_task("summarization", settings)


@task
@told_in_one_line()
@takes(FeedbackSettings)
def instruction_following_feedback(settings: FeedbackSettings) -> Task:
    """Feedback-driven generation of responses."""
    return feedback_task("instruction_following", settings)


@task
@told_in_one_line()
@takes(FeedbackSettings)
def document_qa_feedback(settings: FeedbackSettings) -> Task:
    """Feedback-driven generation of answers."""
    return feedback_task("document_qa", settings)


@definition_in_log
@task
@told_in_one_line()
@takes(PreferenceFeedbackSettings)
def preference_feedback(settings: PreferenceFeedbackSettings) -> Task:
    """Feedback-driven generation in the task that a definition describes."""
    return feedback_task(read_definition(settings.task).key, settings)
