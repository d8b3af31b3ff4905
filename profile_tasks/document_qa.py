"""Document QA: which factors drive preferences between answers from documents?

    inspect eval profile_tasks/document_qa --model openai/gpt-4o-mini
    inspect eval profile_tasks/document_qa --model planted/verbose
    inspect eval profile_tasks/document_qa --model M -T dataset=webgpt
    inspect eval profile_tasks/document_qa --model M --model-role grader=G
    inspect eval profile_tasks/document_qa --model M -T dataset=pairs.jsonl -T setting=generation

The model is compared with people twice: as a writer of answers and as a judge of them.
"""

from inspect_ai import Task, task

from profile_tasks.scorers.inspect.arguments import told_in_one_line
from profile_tasks.settings import ProfileSettings, takes
from profile_tasks.tasks.profile_task import profile_task


@task
@told_in_one_line()
@takes(ProfileSettings)
def document_qa(settings: ProfileSettings) -> Task:
    """Factor profiles of question answering from documents."""
    return profile_task("document_qa", settings)
