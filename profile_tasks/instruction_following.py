"""Instruction following: which factors drive preferences between responses to a request?

    inspect eval profile_tasks/instruction_following --model openai/gpt-4o-mini
    inspect eval profile_tasks/instruction_following --model planted/verbose
    inspect eval profile_tasks/instruction_following --model M -T dataset=shp2
    inspect eval profile_tasks/instruction_following --model M -T dataset=pairs.jsonl

The model is compared with people twice: as a writer of responses and as a judge of them.
"""

from inspect_ai import Task, task

from profile_tasks.scorers.inspect.arguments import told_in_one_line
from profile_tasks.settings import ProfileSettings, takes
from profile_tasks.tasks.profile_task import profile_task


@task
@told_in_one_line()
@takes(ProfileSettings)
def instruction_following(settings: ProfileSettings) -> Task:
    """Factor profiles of instruction following."""
    return profile_task("instruction_following", settings)
