"""Finding results in folders, and reading them."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from profile_tasks.leaderboard.files import found_files, gathered

pytestmark = pytest.mark.filterwarnings("ignore")  # both harnesses and their dependencies warn


@pytest.fixture
def folder(inspect_log: Any, lm_eval_results: Any, tmp_path: Path) -> Path:
    """A log, a results file below, and files that are neither."""
    (tmp_path / "all" / "below").mkdir(parents=True)
    shutil.copy(inspect_log("concise"), tmp_path / "all" / "concise.eval")
    shutil.copy(lm_eval_results("verbose"), tmp_path / "all" / "below" / "results_2026.json")
    (tmp_path / "all" / "logs.json").write_text("{}")
    (tmp_path / "all" / "below" / "samples_x.jsonl").write_text("{}")
    return tmp_path / "all"


def test_a_folder_is_searched_for_results_alone(folder: Path) -> None:
    assert {file.name for file in found_files([folder])} == {"concise.eval", "results_2026.json"}


def test_a_file_is_read_once_however_often_it_is_named(folder: Path) -> None:
    named = folder / "below" / ".." / "concise.eval"
    assert len(found_files([folder, named, folder / "below"])) == 2


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="logs: there is no such file or folder"):
        found_files([tmp_path / "logs"])


def test_each_file_gives_its_runs_and_counts_as_done(folder: Path) -> None:
    done: list[int] = []
    found = gathered(found_files([folder]), lambda: done.append(1))
    assert {run.model for run in found.runs} == {"planted/concise", "planted/verbose"}
    assert len(done) == 2


def test_a_broken_file_is_named_and_costs_no_other(folder: Path) -> None:
    (folder / "broken.eval").write_text("nothing")
    found = gathered(found_files([folder]))
    (problem,) = found.unreadable
    assert "broken.eval: not an Inspect log" in problem
    assert len(found.runs) == 2
