"""Summarization: which factors drive preferences between summaries?

    inspect eval profile_tasks/summarization --model openai/gpt-4o-mini
    inspect eval profile_tasks/summarization --model planted/verbose
    inspect eval profile_tasks/summarization --model M -T dataset=tldr
    inspect eval profile_tasks/summarization --model M --model-role grader=G
    inspect eval profile_tasks/summarization --model M -T dataset=pairs.jsonl -T setting=generation

The model is compared with people twice: as a writer of summaries and as a judge of them.
"""

from inspect_ai import Task, task

from profile_tasks.scorers.inspect.arguments import told_in_one_line
from profile_tasks.settings import ProfileSettings, takes
from profile_tasks.tasks.profile_task import profile_task


@task
@told_in_one_line()
@takes(ProfileSettings)
def summarization(settings: ProfileSettings) -> Task:
    """Factor profiles of summarization."""
    return profile_task("summarization", settings)
