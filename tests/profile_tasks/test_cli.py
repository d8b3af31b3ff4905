"""The group of commands: listed without waiting for them, imported when they run."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from profile_tasks import __version__
from profile_tasks.cli import COMMANDS, main

LOADED = """
import json, sys
from profile_tasks.cli import main
main(sys.argv[1:], standalone_mode=False)
print(json.dumps(sorted(sys.modules)))
"""

HARNESSES = ("inspect_ai", "lm_eval")
ONE_TASK = ("--task", "summarization")


def modules_loaded_by(*arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_help_lists_every_command_and_imports_none() -> None:
    shown = CliRunner().invoke(main, ["--help"]).stdout
    for command, line in COMMANDS.items():
        assert f"  {command} " in shown
        assert line in " ".join(shown.split())
    loaded = modules_loaded_by("--help")
    assert not [name for name in loaded if name.startswith("profile_tasks.commands")]


def test_each_command_is_told_in_one_line() -> None:
    shown = CliRunner().invoke(main, ["--help"]).stdout
    assert not [line for line in COMMANDS.values() if line not in shown]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_imports_no_data_or_statistics_library(command: str) -> None:
    loaded = modules_loaded_by(command, "--help")
    assert f"profile_tasks.commands.{command.replace('-', '_')}" in loaded
    assert not {"numpy", "pandas", "scipy", "inspect_ai"} & set(loaded)
    # The options of these are settings of the tasks, which stand once, as pydantic models.
    of_settings = {"cost", "validate-grader", "score-lm-eval", "convert", "export", "judges"}
    of_settings |= {"influence", "align", "power", "contributions", "shards", "annotate"}
    of_settings |= {"discover"}
    of_settings |= {"factors", "ingest", "pairs", "plan"}  # the names of tasks: models likewise
    assert ("pydantic" in loaded) == (command in of_settings)


@pytest.mark.parametrize("command", ["influence", "judges"])
def test_a_command_about_a_file_waits_for_no_harness_and_no_data_library(
    command: str, tmp_path: Path
) -> None:
    file = tmp_path / "pairs.jsonl"
    row = {"prompt": "Why?", "response_a": "So.", "response_b": "Because of it.", "judge_x": "a"}
    rows = [row | {"id": n, "preference": "ab"[n % 2], "group": n} for n in range(12)]
    file.write_text("".join(json.dumps(each) + "\n" for each in rows))
    loaded = modules_loaded_by(command, str(file))
    assert "numpy" in loaded
    assert not {*HARNESSES, "pandas", "datasets", "matplotlib", "scipy.stats"} & set(loaded)


def test_a_report_of_no_log_waits_for_no_harness(tmp_path: Path) -> None:
    profile = tmp_path / "profile.json"
    shown = CliRunner().invoke(main, ["influence", "demo", "--format", "json", *ONE_TASK]).stdout
    profile.write_text(shown)
    loaded = modules_loaded_by("report", str(profile), "-o", str(tmp_path / "report.html"))
    assert "matplotlib" in loaded
    assert not {*HARNESSES, "pandas", "datasets"} & set(loaded)


@pytest.mark.slow
def test_lm_evals_tasks_wait_for_no_inspect() -> None:
    loaded = modules_loaded_by("validate", "--tasks", "profile_summarization")
    assert "lm_eval" in loaded
    assert "inspect_ai" not in loaded


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_carries_the_name_that_it_is_listed_under(command: str) -> None:
    found = main.get_command(None, command)
    assert found is not None
    assert found.name == command
    assert found.help


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_with_an_example_that_the_command_takes(command: str) -> None:
    shown = CliRunner().invoke(main, [command, "--help"]).stdout
    _, example = shown.split("Example: ")
    program, name, *arguments = shlex.split(" ".join(example.split()))
    assert (program, name) == ("profile-tasks", command)
    found = main.get_command(None, command)
    assert found is not None
    found.make_context(command, arguments)  # raises where an option or a value does not fit


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_complete_commands_and_options(shell: str) -> None:
    asked = {"COMP_WORDS": "profile-tasks infl", "COMP_CWORD": "infl" if shell == "fish" else "1"}
    done = subprocess.run(
        [sys.executable, "-c",
         "from profile_tasks.cli import main; main(prog_name='profile-tasks')"],
        check=True, capture_output=True, text=True,
        env=os.environ | asked | {"_PROFILE_TASKS_COMPLETE": f"{shell}_complete"},
    )  # fmt: skip
    assert "influence" in done.stdout


def test_an_unknown_command_is_named() -> None:
    result = CliRunner().invoke(main, ["profile"])
    assert result.exit_code == 2
    assert "No such command 'profile'" in result.stderr


def test_the_version_is_the_packages() -> None:
    assert __version__ in CliRunner().invoke(main, ["--version"]).stdout
