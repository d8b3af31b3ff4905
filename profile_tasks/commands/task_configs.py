"""``profile-tasks task-configs``: the folder for ``lm_eval --include_path``."""

import click


@click.command(epilog="Example: profile-tasks task-configs")
def task_configs() -> None:
    """Print the folder of this project's lm-eval tasks.

    lm_eval --include_path "$(profile-tasks task-configs)" --tasks profile_summarization ...
    """
    from profile_tasks.task_configs import FOLDER

    click.echo(FOLDER)
