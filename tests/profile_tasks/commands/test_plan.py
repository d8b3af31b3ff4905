"""``profile-tasks plan`` and ``ingest``: from requests in files to a log like any other."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from inspect_ai.log import EvalLog, read_eval_log

from profile_tasks.cli import main
from profile_tasks.planted.batch import main as planted_batch
from profile_tasks.runs.reading import read_runs

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

Command = Callable[..., Result]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: Any) -> Result:
        return CliRunner().invoke(main, list(map(str, words)))

    return run


def planned(command: Command, *further: str) -> Result:
    words = ("--model", "planted/verbose", "-T", "limit=2", "-T", "setting=discrimination")
    return command("plan", "summarization", *words, "-o", "study", *further)


def answered(requests: Path, answers: str = "answers.jsonl") -> None:
    done = CliRunner().invoke(planted_batch, [str(requests), "-o", answers])
    assert done.exit_code == 0, done.output
    assert "SIMULATED" in done.output


@pytest.mark.slow
def test_from_a_plan_to_a_log_that_report_compare_gate_and_board_read(
    command: Command, inspect_log: Callable[..., Path]
) -> None:
    done = planned(command)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "study/requests-1/planted-verbose.jsonl: 24 requests",
        "have each file answered by a batch endpoint, then:",
        "  profile-tasks ingest study ANSWERS.jsonl",
    ]
    answered(Path("study/requests-1/planted-verbose.jsonl"))
    done = command("ingest", "study", "answers.jsonl")
    assert done.exit_code == 0, done.output
    log = "study/summarization_planted-verbose.eval"
    assert done.stdout.splitlines()[0] == f"{log}: the log, made of answers in files (OFFLINE)"

    (run,) = read_runs(Path(log))
    assert run.model == "offline/planted/verbose"
    assert run.not_live is not None
    assert "OFFLINE: its answers were read from files" in run.not_live
    assert "SIMULATED" in run.not_live  # whoever answered was no live model either
    assert command("report", log, "-o", "report.html").exit_code == 0
    assert "OFFLINE: its answers" in Path("report.html").read_text(encoding="utf-8")
    live = inspect_log(limit=2, setting="discrimination")
    compared = command("compare", log, live)
    assert compared.exit_code == 0, compared.output
    assert "OFFLINE: its answers" in compared.output
    board = command("leaderboard", "study")
    assert board.exit_code == 0, board.output
    assert "OFFLINE: its answers" in board.output
    Path("bars.yaml").write_text(
        "version: 1\nbars:\n  - unreadable_rate <= 0.1\n", encoding="utf-8"
    )
    gate = command("gate", log, "--bars", "bars.yaml")
    assert "OFFLINE: its answers" in gate.output
    assert "unreadable_rate rests on 2 groups" in gate.output


@pytest.mark.slow
def test_shards_are_planned_and_ingested_one_by_one_and_merged(
    command: Command, read_inspect_log: Callable[..., EvalLog]
) -> None:
    command("shards", "demo", "--task", "summarization", "--limit", 8, "-n", 2, "-o", "shards")
    for n in (1, 2):
        data = ("-T", f"dataset=shards/demo-{n}-of-2.jsonl", "-T", "setting=discrimination")
        command("plan", "summarization", "--model", "planted/verbose", *data, "-o", f"logs/{n}")
        answered(Path(f"logs/{n}/requests-1/planted-verbose.jsonl"))
        assert command("ingest", f"logs/{n}", "answers.jsonl").exit_code == 0
    done = command("merge", "logs", "--shards", "shards", "-o", "all.eval")
    assert done.exit_code == 0, done.output
    merged = read_eval_log("all.eval")
    said = (merged.eval.metadata or {})["offline"]
    assert (said["answered"], said["missing"]) == (8 * 6 * 2, 0)
    assert said["plan"].count(", ") == 1
    live = read_inspect_log(limit=8, setting="discrimination")
    assert merged.results is not None
    assert live.results is not None
    found, expected = (
        {n: repr(m.value) for n, m in log.results.scores[0].metrics.items() if log.results}
        for log in (merged, live)
    )
    assert found == expected


def test_what_is_missing_is_said_with_ids_and_exit_status_1(command: Command) -> None:
    planned(command)
    answered(Path("study/requests-1/planted-verbose.jsonl"))
    lines = Path("answers.jsonl").read_text(encoding="utf-8").splitlines()
    lost = json.loads(lines[0])["custom_id"]
    failed = json.loads(lines[1]) | {"error": {"message": "expired\x1b[31m"}}
    Path("answers.jsonl").write_text("\n".join([json.dumps(failed), *lines[2:]]), encoding="utf-8")
    done = command("ingest", "study", "answers.jsonl")
    assert done.exit_code == 1
    assert done.stdout.splitlines()[0] == "study/requests-2/planted-verbose.jsonl: 2 requests"
    told = done.stderr[done.stderr.index("1 requests failed") :].splitlines()
    assert told[0] == "1 requests failed; asked again:"
    assert told[1].lstrip().startswith("answers.jsonl:1: expired")
    assert "\x1b" not in done.output
    assert "planned requests have no answer; give the files of earlier answers too" in told[2]
    assert told[3] == f"  requests-1: {lost}"
    allowed = command("ingest", "study", "answers.jsonl", "--allow-missing")
    assert allowed.exit_code == 0, allowed.output
    assert "1 requests failed; they count as missing:" in allowed.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["summarisation", "--model", "m"], "did you mean 'summarization'?"),
        (["summarization", "--model", "m", "-T", "datset=demo"], "did you mean 'dataset'?"),
        (["summarization", "--model", "m", "-T", "limit"], "-T limit: expected KEY=VALUE"),
        (["summarization", "--model", "{model: m, seeds: 1}"], "did you mean 'seed'?"),
        (["summarization", "--model", "{model: m"], "expected NAME or {model: NAME, ...}"),
        (["summarization", "--model", "m", "-T", "judge_by=likelihood"], "no log-likelihoods"),
        (["summarization", "--model", "m", "-T", "factors=fluency"], "need a grader"),
    ],
)
def test_what_cannot_be_planned_is_one_line_and_exit_status_2(
    words: list[str], told: str, command: Command
) -> None:
    done = command("plan", *words, "-o", "study")
    assert done.exit_code == 2
    assert told in done.stderr.splitlines()[-1]
    assert not list(Path().glob("study/requests-*"))


def test_ingest_without_a_plan_is_refused(command: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = command("ingest", "empty")
    assert done.exit_code == 2
    assert "empty holds no plan.json; begin with profile-tasks plan" in done.stderr


def test_what_was_typed_stays_nowhere_where_nothing_is_planned(
    command: Command, tmp_path: Path
) -> None:
    key = "sk-0123456789abcdef"
    result = planned(command, "-T", f"api_key={key}")
    assert result.exit_code == 2
    assert "api_key is no setting" in result.stderr
    kept = [path.read_text(encoding="utf-8") for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(key in text for text in kept)
