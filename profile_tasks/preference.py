"""Any task: which factors drive preferences, where a definition says what is asked and shown?

    inspect eval profile_tasks/preference --model openai/gpt-4o-mini -T task=my_task.yaml
    inspect eval profile_tasks/preference --model planted/verbose -T task=dialogue
    inspect eval profile_tasks/preference --model M --model-role grader=G -T task=code_review
    inspect eval profile_tasks/preference --model M -T task=my_task.yaml -T dataset=pairs.jsonl

The tasks with names of their own are this one with their definitions. The log holds the definition,
so that a run can be taken up, scored and reported without its file (docs/own-task.md).
"""

from inspect_ai import Task, task

from profile_tasks.data.task_definition import read_definition
from profile_tasks.scorers.inspect.arguments import definition_in_log, told_in_one_line
from profile_tasks.settings import PreferenceSettings, takes
from profile_tasks.tasks.profile_task import profile_task


@definition_in_log
@task
@told_in_one_line()
@takes(PreferenceSettings)
def preference(settings: PreferenceSettings) -> Task:
    """Factor profiles of the task that a definition describes."""
    return profile_task(read_definition(settings.task).key, settings)
