"""`profile-tasks selftest`: planted truths are found again, and a broken instrument is told."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from profile_tasks import known_answers
from profile_tasks.known_answers import KnownAnswer

Run = Callable[..., Result]

pytestmark = pytest.mark.filterwarnings("ignore")  # both harnesses and their dependencies warn


@pytest.mark.slow
def test_every_known_answer_is_found_again(tmp_path: Any) -> None:
    command = ["profile-tasks", "selftest", "--format", "json"]
    program = str(Path(sys.executable).with_name(command[0]))
    done = subprocess.run(
        [program, *command[1:]], check=False, capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert [each["name"] for each in record["checks"]] == list(known_answers.checks())
    assert [each for each in record["checks"] if not each["holds"]] == []
    assert record["holds"] is True
    assert "SIMULATED" in record["note"]


@pytest.mark.slow
@pytest.mark.parametrize("wrong", ["a judge and writer for length", "tests of simulated studies"])
def test_an_instrument_that_reads_the_wrong_way_round_fails(
    wrong: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(known_answers, "influence_tests", _certain(known_answers.influence_tests))
    monkeypatch.setattr(known_answers, "read_run", _turned(known_answers.read_run))
    assert not known_answers.checks()[wrong](tmp_path).holds


def _certain(tests: Any) -> Any:
    """Tests that reject whatever there is."""

    def rejecting(*arguments: Any, **options: Any) -> Any:
        found = tests(*arguments, **options)
        return replace(found, p_value=0 * found.p_value)

    return rejecting


def _turned(read: Any) -> Any:
    """A reader that turns every number."""

    def turned(location: str) -> Any:
        found = read(location)
        return replace(found, metrics={n: v and -v for n, v in found.metrics.items()})

    return turned


def answers() -> Iterator[KnownAnswer]:
    yield KnownAnswer("one", "1", "1.00", holds=True)
    yield KnownAnswer("two", "2", "1.00", holds=False)


def test_what_is_not_found_again_is_said_and_is_the_status(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_answers, "known_answers", answers)
    shown = run("selftest", exit_code=1).stdout
    assert shown.startswith("1 of 2 known answers are found again (SIMULATED")
    assert "- holds: one: 1.00 (planted: 1)\n- FAILS: two: 1.00 (planted: 2)\n" in shown
    record = json.loads(run("selftest", "--format", "json", exit_code=1).stdout)
    assert (record["holds"], len(record["checks"])) == (False, 2)


def test_a_check_that_ends_in_an_error_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> KnownAnswer:
        raise OSError("no disk")

    monkeypatch.setattr(known_answers, "checks", lambda: {"this": broken})
    (found,) = known_answers.known_answers()
    assert (found.name, found.found, found.holds) == ("this", "OSError: no disk", False)
