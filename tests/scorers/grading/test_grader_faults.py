"""A grader whose replies cannot be read, or hold what no file can: see ``benchmarks/faults.py``."""

from pathlib import Path
from typing import Any

import anyio
import pytest
from inspect_ai.model import GenerateConfig, get_model

from profile_tasks.scorers.factors.taxonomy import load_taxonomy
from profile_tasks.scorers.grading.grader import Grader
from profile_tasks.scorers.grading.record import SourceGrades
from profile_tasks.scorers.grading.requests import SourceToGrade, grade_source

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

SHOWN = SourceToGrade("Q", "S", {"a": "One. Two.", "b": "One."}, [("a", "b")])
REQUESTS = 4


@pytest.fixture
def graded(faults: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The grades by a server that commits a fault the first so many times of each request."""
    monkeypatch.setenv("LOCAL_API_KEY", "sk-local-4f9c2d7e81b35a60")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("INSPECT_HTTP_POOL_KEEPALIVE_CONNECTIONS", "0")

    def grade(kind: str, times: int) -> tuple[SourceGrades, Any]:
        server = faults.FaultyServer()
        fault = faults.KINDS[kind]
        monkeypatch.setattr(server, "_fault", lambda _, asked: fault if asked <= times else None)
        model = get_model(
            "openai-api/local/m", base_url=server.url, memoize=False, max_retries=0,
            config=GenerateConfig(max_retries=0),
        )  # fmt: skip
        factors = [load_taxonomy()[name] for name in ("number_of_facts", "fluency")]

        async def ask() -> SourceGrades:
            grader = Grader(model)
            return await grade_source(SHOWN, factors, grader.ask, grader=grader.name)

        try:
            return anyio.run(ask), server
        finally:
            server.close()

    return grade


@pytest.mark.parametrize("kind", ["200, broken JSON", "200, {}", "200, usage a string"])
def test_a_reply_of_no_form_is_asked_for_once_more(kind: str, graded: Any) -> None:
    known, _ = graded("200, broken JSON", 0)
    grades, server = graded(kind, 1)
    assert grades.problems == ()
    assert grades.pairs == known.pairs
    assert grades.responses == known.responses
    assert len(server.asked) == 2 * REQUESTS


def test_half_a_character_costs_no_judgement(graded: Any) -> None:
    grades, server = graded("200, lone surrogate in the text", 9)
    assert grades.problems == ()
    assert len(server.asked) == REQUESTS


def test_an_answer_beyond_all_measure_is_missing_and_not_read(graded: Any) -> None:
    grades, server = graded("200, 20 MB of text", 9)
    assert len(grades.problems) == REQUESTS
    assert all(problem.endswith("it is empty") for problem in grades.problems)
    assert len(server.asked) == 2 * REQUESTS
