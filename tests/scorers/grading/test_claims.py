"""Two runs that share a cache pay for an answer once, and no dead run holds another one up."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from profile_tasks.scorers.factors.taxonomy import load_taxonomy
from profile_tasks.scorers.grading import claims
from profile_tasks.scorers.grading.claims import claimed
from profile_tasks.scorers.grading.grader import Grader
from profile_tasks.scorers.grading.requests import SourceToGrade, grade_source

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

SHOWN = SourceToGrade("Q", "S", {"a": "One. Two.", "b": "One."}, [("a", "b")])

HOLD = """
import anyio, sys
from profile_tasks.scorers.grading.claims import claimed

async def hold():
    async with claimed(["a request"]):
        print("held", flush=True)
        await anyio.sleep(60)

anyio.run(hold)
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_two_runs_at_once_send_each_request_once(server: Any, cache: Path) -> None:
    factors = [load_taxonomy()[name] for name in ("number_of_facts", "fluency")]
    server.script = lambda asked: server.Behaviour(stalls=0.3)
    found = []

    async def grade() -> None:
        grader = Grader(server.model())
        found.append(await grade_source(SHOWN, factors, grader.ask, grader=grader.name))

    async def both() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(grade)
            group.start_soon(grade)

    anyio.run(both)
    assert found[0] == found[1]
    sent = [asked.text for asked in server.asked]
    assert len(sent) == len(set(sent)) == 4
    assert list((cache / "claims").iterdir()) == []


@pytest.mark.slow
def test_the_claim_of_a_killed_run_is_free(repository: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True, cwd=repository
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.send_signal(signal.SIGKILL)

    async def take() -> None:
        async with claimed(["a request"]):
            pass

    started = time.monotonic()
    anyio.run(take)
    assert time.monotonic() - started < 5


def test_a_claim_that_is_held_for_too_long_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(claims, "LONGEST_WAIT", 0.5)

    async def take() -> None:
        async with claimed(["a request"]), claimed(["a request"]):
            pass

    started = time.monotonic()
    anyio.run(take)
    assert 0.5 <= time.monotonic() - started < 5
