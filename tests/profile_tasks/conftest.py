"""Results of the planted annotator, as both harnesses write them."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from profile_tasks.cli import main

Results = Callable[..., Path]


@pytest.fixture(scope="session")
def inspect_log(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Run a task in Inspect with a planted annotator; the log, made once for all tests."""
    made: dict[tuple[Any, ...], Path] = {}

    def log(profile: str, task: str = "summarization", **arguments: Any) -> Path:
        from inspect_ai import eval as inspect_eval

        key = (profile, task, *sorted(arguments.items()))
        if key not in made:
            model_args = {
                name: arguments.pop(name)
                for name in ("weights", "temperature")
                if name in arguments
            }
            (done,) = inspect_eval(
                getattr(import_module(f"profile_tasks.{task}"), task)(**arguments),
                model=f"planted/{profile}",
                model_args=model_args,
                log_dir=str(tmp_path_factory.mktemp("logs")),
                display="none",
                log_realtime=False,
            )
            assert done.status == "success"
            made[key] = Path(done.location)
        return made[key]

    return log


@pytest.fixture(scope="session")
def lm_eval_results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Run tasks in lm-eval with a planted annotator; the results file, made once for all tests."""
    made: dict[tuple[str, str], Path] = {}

    def results(profile: str, tasks: str = "profile_summarization") -> Path:
        if (profile, tasks) not in made:
            folder = tmp_path_factory.mktemp("out")
            command = f"lm-eval --model planted --model_args profile={profile} --tasks {tasks}"
            run = CliRunner().invoke(main, [*command.split(), "--output_path", str(folder)])
            assert run.exit_code == 0, run.output
            (made[profile, tasks],) = folder.rglob("results_*.json")
        return made[profile, tasks]

    return results
