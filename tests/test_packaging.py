"""The wheel holds the tree under one import name, and works away from the checkout."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

MAPPED = ("solvers", "scorers", "task_configs")
SHIPPED_SUFFIXES = {".py", ".yaml", ".jsonl", ".typed", ".html", ".css", ".js"}


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    # A copy, because setuptools packs whatever an earlier build left in build/.
    tree = shutil.copytree(
        repository, folder / "tree", ignore=shutil.ignore_patterns(".*", "build", "dist", "logs")
    )
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(tree)],
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment that holds the wheel, not the checkout.

    The dependencies are those of the running environment, so that the test needs no network.
    """
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-deps", str(wheel)],
        check=True,
        capture_output=True,
    )
    (site,) = (folder / "lib").glob("python*/site-packages")
    outer = [path for path in sys.path if path.endswith("site-packages")]
    # Behind the wheel's own folder, and without the .pth files of an editable install.
    (site / "dependencies.pth").write_text("\n".join(outer) + "\n")
    return folder / "bin"


def test_the_wheel_holds_every_module_and_data_file_and_nothing_else(
    wheel: Path, repository: Path
) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {n for n in archive.namelist() if ".dist-info/" not in n}
    tree = {
        path.relative_to(repository)
        for folder in ("profile_tasks", *MAPPED)
        for path in (repository / folder).rglob("*")
        if path.suffix in SHIPPED_SUFFIXES or path.name == "README.md"
    }
    expected = {
        str(path if path.parts[0] == "profile_tasks" else Path("profile_tasks") / path)
        for path in tree
    }
    assert packed == expected


def test_the_installed_wheel_is_what_runs(installed: Path, tmp_path: Path) -> None:
    where = subprocess.run(
        [installed / "python", "-c", "import profile_tasks.scorers as s; print(s.__path__[0])"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    ).stdout
    assert where.startswith(str(installed.parent))


@pytest.mark.parametrize("task", ["summarization", "instruction_following", "document_qa"])
def test_inspect_finds_each_task_of_the_installed_wheel(
    installed: Path, tmp_path: Path, task: str
) -> None:
    run = subprocess.run(
        (
            f"{installed}/python -m inspect_ai eval profile_tasks/{task} "
            "--model planted/verbose --display plain -T limit=3"
        ).split(),
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"INSPECT_LOG_DIR": str(tmp_path / "logs")},
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "alignment_discrimination_tau_b" in run.stdout


def test_the_command_of_the_installed_wheel_answers(installed: Path, tmp_path: Path) -> None:
    run = subprocess.run(
        f"{installed}/profile-tasks influence demo --task summarization --format json".split(),
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert '"n_groups": 24' in run.stdout


def test_the_installed_wheel_runs_its_tasks_in_lm_eval(installed: Path, tmp_path: Path) -> None:
    run = subprocess.run(
        (
            f"{installed}/profile-tasks lm-eval --model planted --tasks profile_summarization "
            "--limit 9"
        ).split(),
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "alignment_gap_tau_b" in run.stdout


def test_lm_eval_can_find_the_model_and_the_tasks_of_the_installed_wheel(
    installed: Path, tmp_path: Path
) -> None:
    """As lm-eval reads entry points after 0.4.13: an object, and a package with YAML files."""
    code = """
from importlib.metadata import entry_points
from importlib.util import find_spec
from lm_eval.tasks import TaskManager

(model,) = entry_points(group="lm_eval.models", name="planted")
found = model.load()
assert model.value == f"{found.__module__}:{found.__name__}", "else its decorator would clash"
(tasks,) = entry_points(group="lm_eval.tasks", name="profile_tasks")
(folder,) = find_spec(tasks.value).submodule_search_locations
print(*TaskManager(include_path=folder, include_defaults=False).all_tasks)
"""
    names = subprocess.run(
        [installed / "python", "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    ).stdout.split()
    assert {"profile", "profile_summarization", "profile_document_qa_generation"} <= set(names)
