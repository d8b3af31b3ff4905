"""Recorded judges and writers as Inspect has them: a model that answers, and logs of a replay."""

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from inspect_ai import eval as inspect_eval
from inspect_ai.log import EvalLog, read_eval_log

from profile_tasks.cli import main
from profile_tasks.instruction_following import instruction_following
from profile_tasks.scorers.inspect.complete_log import complete_log
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement
from profile_tasks.solvers.recorded_answers import RECORDED_NOTE

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

Run = Callable[..., str]
Replay = Callable[..., dict[str, EvalLog]]

PICKS = (["first", "second"], ["second", "first"], ["first", "first"], ["tie", "first"])


def rows(n: int = 24) -> list[dict[str, Any]]:
    """Two pairs a source: judges in both orders, in one, and alone; a writer who writes longer."""
    found = []
    for i in range(n):
        source = i // 2
        found.append(
            {
                "id": f"r{i}",
                "task": "instruction_following",
                "prompt": f"Say something of {source}.",
                "group": f"g{source}",
                "response_a": "word " * (4 + i % 3) + f"{i}.",
                "response_b": f"short {i}.",
                "preference": "ab"[i % 5 == 0],
                "judge_both": ["a", "b", "tie", "tie"][i % 4],
                "picks_both": PICKS[i % 4],
                "picks_once": [None if i == 3 else "first" if i % 3 else "second"],
                "judge_alone": None if i == 5 else "ab"[i % 4 == 0],
                "texts_writer": {
                    str(score): f"About {source}: " + "more words " * score for score in (1, 3, 5)
                },
            }
        )
    found[7] |= {"judge_both": None, "picks_both": [None, "first"]}
    found[9] |= {"judge_both": None, "picks_both": [None, None]}
    return found


def write(path: Path, content: list[dict[str, Any]]) -> Path:
    path.write_text("\n".join(map(json.dumps, content)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("recorded") / "answers.jsonl", rows())


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """What ``profile-tasks`` prints with these arguments, where there is room for a sentence."""
    monkeypatch.setenv("COLUMNS", "1000")

    def shown(*arguments: object) -> str:
        result = CliRunner().invoke(main, list(map(str, arguments)))
        assert result.exit_code == 0, result.output
        return result.stdout

    return shown


def asked(file: Path, model: str, folder: Path, **settings: Any) -> EvalLog:
    """The log of a run in which the recorded model was asked."""
    (log,) = inspect_eval(
        instruction_following(dataset=str(file), **settings),
        model=f"recorded/{model}",
        model_args={"file": str(file)},
        log_dir=str(folder),
        display="none",
        log_realtime=False,
    )
    return read_eval_log(log.location)


@pytest.fixture
def replayed(run: Run, file: Path, tmp_path: Path) -> Replay:
    def replay(*options: str) -> dict[str, EvalLog]:
        run("judges", file, "--log-dir", tmp_path / "logs", *options)
        logs = {p.stem: read_eval_log(str(p)) for p in (tmp_path / "logs").glob("*.eval")}
        return {name.removeprefix("answers_"): log for name, log in logs.items()}

    return replay


def metrics(log: EvalLog) -> dict[str, float | None]:
    """The metrics of a log; NaN as None, which equals itself."""
    assert log.results is not None
    values = {name: m.value for name, m in log.results.scores[0].metrics.items()}
    return {
        n: None if isinstance(v, float) and math.isnan(v) else v  # type: ignore[misc]
        for n, v in values.items()
    }


def measured(log: EvalLog) -> dict[str, SourceMeasurement]:
    return {
        str(sample.id): SourceMeasurement.model_validate(
            (sample.scores or {})["factor_profile"].metadata
        )
        for sample in log.samples or ()
    }


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("both", {"setting": "discrimination"}),
        ("once", {"setting": "discrimination", "orders": 1}),
        ("alone", {"setting": "discrimination", "orders": 1}),
        ("writer", {"setting": "generation", "scores": (1, 3, 5)}),
    ],
)
def test_a_replay_is_the_log_of_a_run_that_asks_the_recorded_model(
    replayed: Replay, file: Path, tmp_path: Path, model: str, settings: dict[str, Any]
) -> None:
    replay = replayed("--judge", model)[model]
    live = asked(file, model, tmp_path, **settings)
    ran, written = measured(live), measured(replay)
    if model == "writer":  # a run knows that nothing was cut off, a file does not say
        ran = {i: m.model_copy(update={"truncated_scores": None}) for i, m in ran.items()}
    assert ran == written
    unknown = "generation_truncated_rate"
    assert {**metrics(live), unknown: 0} == {**metrics(replay), unknown: 0}
    for log in (live, replay):
        assert log.eval.model == f"recorded/{model}"
        assert log.eval.metadata is not None
        assert log.eval.metadata["recorded"] == RECORDED_NOTE
    assert (replay.eval.task, replay.eval.task_version) == (
        "profile_tasks/instruction_following",
        live.eval.task_version,
    )


def test_every_request_is_answered_once_offline_and_a_missing_one_counted(
    file: Path, tmp_path: Path
) -> None:
    log = asked(file, "both", tmp_path, setting="discrimination")
    found = metrics(log)
    assert found["unreadable_rate"] == 3 / 48
    assert found["verdict_repairs"] == 0
    usage = log.stats.model_usage["recorded/both"]
    assert usage.input_tokens > usage.output_tokens > 0
    outputs = [e.output for s in log.samples or () for e in s.events if e.event == "model"]
    assert len(outputs) == 48
    assert {(each.metadata or {})["recorded"] for each in outputs} == {RECORDED_NOTE}
    assert {each.completion for each in outputs} == {
        "Verdict: A", "Verdict: B", "Verdict: tie", "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("model", "settings", "told"),
    [
        ("once", {}, "in another order; answers.jsonl is recorded in one order only.*orders=1"),
        ("alone", {}, "is recorded in one order only; ask in that one: -T orders=1"),
        ("writer", {}, "is recorded as a writer only"),
        ("both", {"setting": "generation"}, "is recorded as a judge only"),
        (
            "writer",
            {"setting": "generation", "scores": (1, 2)},
            r"the target score 2; answers.jsonl has texts for 1, 3, 5; ask for these: -T scores",
        ),
        ("both", {"dataset": "demo"}, "has no row about it; give the data of that file"),
    ],
)
def test_a_request_that_the_file_does_not_answer_is_told(
    file: Path, tmp_path: Path, model: str, settings: dict[str, Any], told: str
) -> None:
    chosen = {"dataset": str(file), "setting": "discrimination"} | settings
    (log,) = inspect_eval(
        instruction_following(**chosen),
        model=f"recorded/{model}",
        model_args={"file": str(file)},
        log_dir=str(tmp_path),
        display="none",
        log_realtime=False,
        max_samples=1,  # the first error ends the run, and Inspect is long about each
    )
    assert log.status == "error"
    assert log.error is not None
    assert f"recorded/{model}: asked about" in log.error.message
    assert re.search(told, log.error.message)


def test_rows_of_equal_texts_and_other_verdicts_are_replayed_by_row_alone(
    run: Run, tmp_path: Path
) -> None:
    twice = rows(12)
    twice[1] |= {k: twice[0][k] for k in ("prompt", "group", "response_a", "response_b")}
    file = write(tmp_path / "twice.jsonl", twice)
    (log,) = inspect_eval(
        instruction_following(dataset=str(file), setting="discrimination"),
        model="recorded/both",
        model_args={"file": str(file)},
        log_dir=str(tmp_path),
        display="none",
        log_realtime=False,
    )
    assert log.error is not None
    assert "has several rows with these texts, and different verdicts" in log.error.message
    run("judges", file, "--judge", "both", "--log-dir", tmp_path / "logs")
    (path,) = (tmp_path / "logs").glob("*.eval")
    (first,) = [m for m in measured(read_eval_log(str(path))).values() if m.group == "g0"]
    assert first.discrimination == (1, -1)


def test_a_writer_answers_in_conversations_that_end_alike(tmp_path: Path) -> None:
    content = rows()
    for i, row in enumerate(content):
        row["prompt"] = [
            {"role": "user", "content": f"Let us talk of {i // 2}."},
            {"role": "assistant", "content": "Gladly."},
            {"role": "user", "content": "Say more."},
        ]
    file = write(tmp_path / "answers.jsonl", content)
    log = asked(file, "writer", tmp_path, setting="generation", scores=(1, 3, 5))
    assert metrics(log)["generation_missing_rate"] == 0.0
    written = {str(s.id): s.store["responses_by_score"]["1"] for s in log.samples or ()}
    assert len(set(written.values())) == 12


def test_the_model_reads_files_of_other_people_as_tasks_do(tmp_path: Path) -> None:
    content = [
        {{"prompt": "instruction", "preference": "best"}.get(k, k): v for k, v in row.items()}
        for row in rows()
    ]
    file = write(tmp_path / "theirs.jsonl", content)
    read = {"map": {"instruction": "prompt", "best": "preference"}}
    (log,) = inspect_eval(
        instruction_following(dataset=str(file), setting="discrimination", **read),
        model="recorded/both",
        model_args={"file": str(file), **read},
        log_dir=str(tmp_path),
        display="none",
        log_realtime=False,
    )
    assert log.status == "success"
    assert log.results is not None
    assert log.results.scores[0].metrics["unreadable_rate"].value == 3 / 48


def test_a_writer_becomes_the_generation_perspective(replayed: Replay) -> None:
    found = metrics(replayed()["writer"])
    assert found["tau_generation_length"] == 1.0
    assert found["generation_missing_rate"] == 0.0
    assert found["words_at_score_5"] == 12.0
    assert "flip_rate" not in found


def test_a_verdict_alone_has_no_flip_and_no_position_in_a_log_either(replayed: Replay) -> None:
    found = metrics(replayed()["alone"])
    assert found["flip_rate"] is found["first_position_rate"] is None
    assert found["unreadable_rate"] == 1 / 24


def test_a_replayed_log_can_be_completed_again_and_gives_the_same(replayed: Replay) -> None:
    log = replayed("--judge", "both")["both"]
    assert metrics(complete_log(log)) == metrics(log)


def test_rows_without_a_task_become_no_logs(tmp_path: Path) -> None:
    file = write(tmp_path / "answers.jsonl", [{**row, "task": ""} for row in rows()])
    asked = ["judges", str(file), "--log-dir", str(tmp_path / "logs")]
    told = CliRunner().invoke(main, asked)
    assert told.exit_code == 2
    assert "the rows name no task, and a log is of one; give --task: " in told.stderr


def test_wherever_it_is_shown_a_recorded_model_is_said_to_be_one(
    run: Run, replayed: Replay, tmp_path: Path
) -> None:
    replayed()
    folder = tmp_path / "logs"
    both, once = (folder / f"answers_{name}.eval" for name in ("both", "once"))
    board = run("leaderboard", folder)
    assert f"note: every row: {RECORDED_NOTE}" in board
    assert RECORDED_NOTE in run("leaderboard", folder, "--format", "json")
    assert f"A: recorded/both: {RECORDED_NOTE}" in run("compare", both, once)
    bars = tmp_path / "bars.yaml"
    bars.write_text("version: 1\nbars:\n  - unreadable_rate <= 0.9\n", encoding="utf-8")
    assert f"note: recorded/both: {RECORDED_NOTE}" in run("gate", both, "--bars", bars)
    run("report", both, "-o", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert f"recorded/both: {RECORDED_NOTE}" in page
    assert "not a language model" not in page  # that is said of simulations
