"""Wrong arguments are told in one line where Inspect runs, and raised where Python builds."""

import subprocess
import sys
from pathlib import Path

import pytest
from inspect_ai.model import get_model

from profile_tasks.scorers.inspect.arguments import ArgumentError
from profile_tasks.summarization import summarization

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn


def test_python_gets_the_exception_itself() -> None:
    with pytest.raises(ValueError, match="no such file") as raised:
        summarization(dataset="none.jsonl")
    assert not isinstance(raised.value, ArgumentError)


def test_a_message_is_shown_as_it_is() -> None:
    error = ArgumentError("factor [bold]x[/bold] is unknown")
    assert "\\[bold]" in str(error)  # rich prints the brackets


def test_a_wrong_argument_of_a_planted_model_is_one_line_too() -> None:
    with pytest.raises(ArgumentError, match="planted seed is 'x'; expected a whole number"):
        get_model("planted/verbose", memoize=False, seed="x")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("factors=core", "need a grader. Add --model-role"),
        ("dataset=none.jsonl", "none.jsonl: no such file"),
        ("factors=none.yaml", "there is no taxonomy file 'none.yaml'"),
        ("judge_batch=two", "judge_batch is 'two'. Must be one of: all, one"),
        ("dateset=mine.jsonl", "dateset is no setting of summarization; did you mean 'dataset'?"),
    ],
)
def test_inspect_prints_no_traceback(argument: str, message: str, tmp_path: Path) -> None:
    inspect = Path(sys.executable).parent / "inspect"
    run = subprocess.run(
        [
            *(inspect, "eval", "profile_tasks/summarization", "--model", "planted/verbose"),
            *("--display", "plain", "-T", argument),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert message in " ".join((run.stdout + run.stderr).split())
    assert "Traceback" not in run.stdout + run.stderr
