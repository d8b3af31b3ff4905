"""Finding results in folders, and reading only what is new or changed."""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from profile_tasks.leaderboard.files import Gathered, found_files, gathered

pytestmark = pytest.mark.filterwarnings("ignore")  # both harnesses and their dependencies warn


def held(files: Sequence[Path], cache: Path | None = None) -> Gathered:
    *_, last = gathered(files, cache)
    assert isinstance(last, Gathered)
    return last


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


def test_unchanged_files_are_not_read_again(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache.json"
    files = found_files([folder])
    first = held(files, cache)
    assert (first.read, len(first.runs)) == (2, 2)
    second = held(files, cache)
    assert second.read == 0
    assert second.runs == first.runs == held(files).runs


def test_changed_and_new_files_are_read(folder: Path, lm_eval_results: Any, tmp_path: Path) -> None:
    cache = tmp_path / "cache.json"
    held(found_files([folder]), cache)
    changed = folder / "below" / "results_2026.json"
    found = json.loads(changed.read_text())
    found["config"]["model_args"] = {"profile": "copyist"}
    changed.write_text(json.dumps(found))
    shutil.copy(lm_eval_results("verbose"), folder / "results_new.json")
    again = held(found_files([folder]), cache)
    assert again.read == 2
    assert {run.model for run in again.runs} == {
        "planted/concise", "planted/copyist", "planted/verbose",
    }  # fmt: skip


def test_a_file_that_is_gone_has_no_row_any_more(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache.json"
    held(found_files([folder]), cache)
    (folder / "concise.eval").unlink()
    assert [run.model for run in held(found_files([folder]), cache).runs] == ["planted/verbose"]


def test_a_touched_file_counts_as_changed(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache.json"
    held(found_files([folder]), cache)
    os.utime(folder / "concise.eval", (1, 1))
    assert held(found_files([folder]), cache).read == 1


def test_a_broken_file_is_named_and_not_remembered(folder: Path, tmp_path: Path) -> None:
    (folder / "broken.eval").write_text("nothing")
    for _ in range(2):
        found = held(found_files([folder]), tmp_path / "cache.json")
        (problem,) = found.unreadable
        assert "broken.eval: not an Inspect log" in problem
        assert len(found.runs) == 2


def test_a_cache_never_overwrites_another_file(folder: Path, tmp_path: Path) -> None:
    precious = tmp_path / "results.json"
    for text in ('{"results": 1}', "no json", "[]"):
        precious.write_text(text)
        with pytest.raises(ValueError, match=r"results\.json: not a cache of this command"):
            held(found_files([folder]), precious)
        assert precious.read_text() == text


def test_a_cache_of_another_version_is_read_anew(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache.json"
    held(found_files([folder]), cache)
    cache.write_text(json.dumps(json.loads(cache.read_text()) | {"version": 0}))
    assert held(found_files([folder]), cache).read == 2


def test_a_cache_that_cannot_be_written_is_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"c\.json: the cache cannot be written \(No such file"):
        held(found_files([folder]), tmp_path / "no" / "c.json")
