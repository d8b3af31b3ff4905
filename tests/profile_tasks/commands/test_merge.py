"""``profile-tasks shards`` and ``merge``: in two commands what other commands then read as one."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

Run = Callable[..., Result]


@pytest.fixture
def folder(shard_runs: Any, tmp_path: Path) -> Path:
    """Logs as a set of runs leaves them: a folder a shard."""
    for k, log in enumerate(shard_runs("verbose"), 1):
        (tmp_path / "demo.shards" / str(k)).mkdir(parents=True)
        shutil.copy(log, tmp_path / "demo.shards" / str(k) / "run.eval")
    return tmp_path


@pytest.fixture
def both(folder: Path, merged_log: Any, inspect_log: Any) -> tuple[Path, Path]:
    """The log of one run of all the data, and that of its shards."""
    whole, merged = folder / "whole.eval", folder / "demo.eval"
    shutil.copy(inspect_log("verbose"), whole)
    shutil.copy(merged_log("verbose"), merged)
    return whole, merged


def test_shards_tells_what_is_in_each(run: Run, tmp_path: Path) -> None:
    told = run("shards", "demo", "--task", "summarization", "-n", 3, "-o", tmp_path / "shards")
    assert "shards/demo-1-of-3.jsonl: 72 pairs of 12 sources\n" in told.output
    assert len(told.output.splitlines()) == 3


def test_shards_are_of_one_task(run: Run, tmp_path: Path) -> None:
    rows = [
        {
            "id": task,
            "task": task,
            "prompt": "?",
            "response_a": "x",
            "response_b": "y",
            "group": task,
        }
        | {"preference": "a"}
        for task in ("document_qa", "summarization")
    ]
    (tmp_path / "two.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    told = run("shards", tmp_path / "two.jsonl", "-n", 2, "-o", tmp_path / "shards", exit_code=2)
    assert "give --task: document_qa, summarization" in told.output


def test_a_file_is_no_folder_for_shards(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept", encoding="utf-8")
    for folder, why in (("file", "is a file; name a folder"), ("file/in", "Not a directory")):
        into = str(tmp_path / folder)
        result = run(
            *("shards", "demo", "--task", "summarization", "-n", "2", "-o", into), exit_code=2
        )
        assert f"{into}: {why}" in " ".join(result.stderr.split())
    assert (tmp_path / "file").read_text(encoding="utf-8") == "kept"


def test_what_is_taken_of_the_data_stands_in_the_merged_settings(run: Run, tmp_path: Path) -> None:
    run(
        *("shards", "demo", "--task", "summarization", "-n", 2, "--limit", 10),
        *("--max-pairs-per-source", 2, "--seed", 1, "-o", tmp_path / "shards"),
    )
    record = json.loads((tmp_path / "shards" / "shards.json").read_text())
    assert record["about"]["loaded_sources"] == 10
    assert record["about"]["loaded_pairs"] == 20
    assert {name: value for name, value in record["settings"].items() if value} == {
        "dataset": "demo",
        "limit": 10,
        "max_pairs_per_source": 2,
    }


def test_an_earlier_log_is_replaced_only_when_asked(
    folder: Path, shards: Path, run: Run, tmp_path: Path
) -> None:
    merged = tmp_path / "demo.eval"
    command = ("merge", folder / "demo.shards", "--shards", shards, "-o")
    told = run(*command, merged.with_suffix(".json"), exit_code=2)
    assert "a log's name ends in .eval" in told.output
    merged.write_text("another")
    told = run(*command, merged, exit_code=2)
    assert "there already; name another file, or --overwrite" in told.output
    assert merged.read_text() == "another"
    told = run(*command, merged, "--overwrite")
    assert re.search(r"demo\.eval: 3 of 3 shards, 24 sources of demo#\w{8}$", told.output.strip())
    assert zipfile.is_zipfile(merged)


def test_a_lost_shard_leaves_no_log(folder: Path, shards: Path, run: Run) -> None:
    (folder / "demo.shards" / "2" / "run.eval").unlink()
    told = run(
        *("merge", folder / "demo.shards", "--shards", shards, "-o", folder / "demo.eval"),
        exit_code=2,
    )
    assert "no log of 1 of 3 shards: demo-2-of-3.jsonl; run them" in told.output
    assert [path.name for path in folder.iterdir()] == ["demo.shards"]


def same(both: tuple[Path, Path], told: Callable[[Path], str]) -> str:
    """What a command tells of both logs, where it is the same but for name and time of the log."""
    whole, merged = (
        re.sub(r"\d{4}-\d\d-\d\dT[\d:.+]+|(whole|demo)\.eval", "", told(log)) for log in both
    )
    assert merged == whole
    return whole


def test_gate_compare_and_leaderboard_give_the_numbers_of_one_run(
    both: tuple[Path, Path], inspect_log: Any, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "bars.yaml").write_text(
        "version: 1\nbars:\n"
        "  - flip_rate <= 0.2 with 95% confidence\n"
        "  - abs(tau_generation_length - tau_human_length) <= 0.2 with 90% confidence\n"
    )
    gate = ("gate", "--bars", tmp_path / "bars.yaml", "--format", "json")
    assert "flip_rate" in same(both, lambda log: run(*gate, log, exit_code=1).output)
    other = inspect_log("concise")
    compare = ("compare", "--format", "json", other)
    assert "difference" in same(both, lambda log: run(*compare, log).output)
    board = ("leaderboard", "--format", "json", other)
    assert "planted/verbose" in same(both, lambda log: run(*board, log).output)


def test_report_and_export_give_those_of_one_run(
    both: tuple[Path, Path], run: Run, tmp_path: Path
) -> None:
    def reported(log: Path) -> str:
        run("report", log, "-o", tmp_path / "page.html")
        page = (tmp_path / "page.html").read_text()
        return re.sub(
            r"<tr>\s*<th[^>]*>\s*<bdi>merged of shards</bdi>.*?</tr>\s*", "", page, flags=re.S
        )

    def exported(log: Path) -> str:
        out = tmp_path / log.stem
        run("export", log, "--format", "dpo", "--output", out)
        return "".join(path.read_text() for path in sorted(out.glob("*.jsonl")))

    assert "planted/verbose" in same(both, reported)
    assert "rejected" in same(both, exported)


def test_a_board_of_the_folder_counts_the_shards_once(both: tuple[Path, Path], run: Run) -> None:
    both[0].unlink()
    board = json.loads(run("leaderboard", both[1].parent, "--format", "json").output)
    assert json.dumps(board).count("run.eval") == 0
    assert json.dumps(board).count("demo.eval") >= 1


@pytest.mark.slow
def test_a_merge_that_is_killed_and_run_again_ends_as_one_that_was_not(
    both: tuple[Path, Path], shards: Path
) -> None:
    _, merged = both

    def merge(target: Path) -> "subprocess.Popen[bytes]":
        words = ["merge", merged.parent / "demo.shards", "--shards", shards, "-o", target]
        start = "from profile_tasks.cli import main; main()"
        command = [sys.executable, "-c", start, *map(str, words)]
        return subprocess.Popen(command, cwd=merged.parent)

    def content(log: Path) -> dict[str, bytes]:
        with zipfile.ZipFile(log) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    target = merged.parent / "again.eval"
    killed = merge(target)
    while not list(merged.parent.glob(".*.half/half.eval")) and killed.poll() is None:
        time.sleep(0.001)
    os.kill(killed.pid, signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert not target.exists()
    assert merge(target).wait() == 0
    assert content(target) == content(merged)
