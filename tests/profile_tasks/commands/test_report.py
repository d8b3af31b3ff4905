"""``profile-tasks report`` as a user meets it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from profile_tasks.cli import main


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """A small file that a report can be made of."""
    arguments = "influence demo --task summarization --factors length,readability --format json"
    file = tmp_path / "people.json"
    file.write_text(CliRunner().invoke(main, arguments.split()).stdout)
    assert json.loads(file.read_text())["n_pairs"]
    return file


def test_a_page_and_its_figures_are_written(run, profile: Path, tmp_path: Path) -> None:
    page, folder = tmp_path / "page.html", tmp_path / "figures"
    result = run("report", profile, "-o", page, "--figures", folder)
    assert result.stdout == f"{page}: 1 run\n"
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert sorted(file.name for file in folder.iterdir()) == [
        f"people_people_{figure}.{ending}"
        for figure in ("adjusted", "scores")
        for ending in ("png", "svg")
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("missing.eval", None),
        ("cut.json", '{"factors": {'),
    ],
)
def test_unusable_input_is_one_line_and_status_2(
    run, profile: Path, tmp_path: Path, name: str, content: str | None
) -> None:
    file, page = tmp_path / name, tmp_path / "page.html"
    if content is not None:
        file.write_text(content)
    result = run("report", profile, file, "-o", page, exit_code=2)
    assert result.stderr.startswith(f"Error: {file}: ")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.output
    assert not page.exists()


def test_a_place_that_cannot_be_written_is_one_line_and_status_2(
    run, profile: Path, tmp_path: Path
) -> None:
    result = run("report", profile, "-o", tmp_path / "no folder" / "page.html", exit_code=2)
    assert "No such file or directory" in result.stderr
    assert result.stderr.count("\n") == 1


def test_no_log_is_told_as_usage(run) -> None:
    assert "Missing argument 'LOG...'" in run("report", exit_code=2).stderr
