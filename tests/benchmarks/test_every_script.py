"""Every script of benchmarks/ runs, small, wherever the slow tests run: none dies unseen."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE: dict[str, tuple[str, ...]] = {
    "cheaper_grading": ("requests", "--limit", "2"),
    "discovery": ("--small", "--data", "{data}"),
    "growth": ("--small",),
    "held_out_accuracy": ("{data}", "--page", "{page}"),
    "recorded_judges": ("{data}/recorded", "--page", "{page}"),
    "report_size": ("--sources", "30"),
    "same_taste": ("--studies", "1", "--data", "{data}"),
}
"""Script -> its arguments for a small run; all others have a test of their own."""

ELSEWHERE = {
    "real_model": "two hours with a real model; tests/benchmarks/test_real_model.py has its parts",
    "smollm2": "serves a model until it is stopped; tests/test_real_model.py asks it",
}


def scripts(repository: Path) -> set[str]:
    return {path.stem for path in (repository / "benchmarks").glob("*.py")}


def test_a_script_runs_here_or_in_a_test_of_its_own(repository: Path) -> None:
    own = {
        path.stem.removeprefix("test_")
        for path in (repository / "tests" / "benchmarks").glob("test_*.py")
        if f'"{path.stem.removeprefix("test_")}.py"' in path.read_text(encoding="utf-8")
    }
    assert scripts(repository) == own | HERE.keys() | ELSEWHERE.keys()


def test_a_script_is_in_the_table_of_the_folder(repository: Path) -> None:
    told = (repository / "benchmarks" / "README.md").read_text(encoding="utf-8")
    assert not [name for name in scripts(repository) if f"python benchmarks/{name}.py" not in told]


@pytest.mark.slow
@pytest.mark.parametrize("script", HERE)
def test_a_small_run_ends_well_and_prints_something(
    script: str, repository: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    page = shutil.copy(repository / "docs" / "findings.md", tmp_path / "page.md")
    given = " ".join(HERE[script])
    data = request.getfixturevalue("shared_data") if "{data}" in given else ""
    done = subprocess.run(
        [sys.executable, repository / "benchmarks" / f"{script}.py",
         *given.format(data=data, page=page).split()],
        check=False, capture_output=True, text=True, cwd=tmp_path,
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    written = page.read_text(encoding="utf-8")
    assert done.stdout or written.count("|") > 100  # tables go to the screen, or into the page
