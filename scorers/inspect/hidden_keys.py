"""Hides the keys of models whose task was built in Python, before its evaluation had begun.

Where the evaluation builds the task, ``hide_keys_of_run`` has looked after them in time.
"""

import logging

from inspect_ai.hooks import Hooks, RunStart, TaskStart, hooks

from profile_tasks.scorers.grading.api_key import hide_keys, models_of_run
from profile_tasks.secrets import key_names

logger = logging.getLogger(__name__)

_OWN = "profile_tasks/"


@hooks(name="hidden_keys", description="Keeps the keys of models out of the log")
class HiddenKeys(Hooks):
    """Looks after evaluations of this project's tasks, and leaves every other one alone."""

    async def on_run_start(self, data: RunStart) -> None:
        """Hide the keys before a log begins; of several evaluated models, Inspect names one."""
        if any(name.startswith(_OWN) for name in data.task_names):
            _hide_keys()

    async def on_task_start(self, data: TaskStart) -> None:
        """Hide what is not written yet, and tell of what is."""
        if not data.spec.task.startswith(_OWN):
            return
        _hide_keys()
        written = data.spec.model_dump(
            include={"model_args", "model_base_url", "model_generate_config", "model_roles"}
        )
        if names := key_names({**written, "config": data.plan.config.model_dump()}):
            logger.warning(
                "the log of %s holds keys: %s. Do not share it. Inspect begins the log of a task "
                "that was built before eval(); give eval() the name of the task, or the keys in "
                "environment variables",
                data.spec.task,
                ", ".join(names),
            )


def _hide_keys() -> None:
    for _, model in models_of_run():
        hide_keys(model)
