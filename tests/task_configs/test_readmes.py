"""The README of each folder of lm-eval tasks names what its YAML files define, and nothing else."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from profile_tasks.data.preferences import TASKS
from profile_tasks.task_configs import FOLDER

HEADINGS = [
    "### Paper",
    "### Citation",
    "### Groups and Tasks",
    "#### Groups",
    "#### Tasks",
    "### Checklist",
    "### Changelog",
]
"""lm-eval's template for the README of a task."""


class Loader(yaml.SafeLoader):
    """Reads lm-eval's files without importing what ``!function`` names."""


Loader.add_constructor("!function", lambda loader, node: loader.construct_scalar(node))


def configurations(folder: Path) -> list[Mapping[str, Any]]:
    return [yaml.load(file.read_text(), Loader) for file in sorted(folder.glob("*.yaml"))]  # noqa: S506


def sections(task: str) -> dict[str, str]:
    """Heading -> what stands below it."""
    text = (FOLDER / task / "README.md").read_text(encoding="utf-8")
    parts = re.split(r"^(#{3,4} .+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def listed(section: str) -> list[str]:
    return re.findall(r"^\* `(\w+)`", section, re.MULTILINE)


def test_every_task_has_a_folder_with_a_readme() -> None:
    assert {file.parent.name for file in FOLDER.glob("*/README.md")} == set(TASKS)


@pytest.mark.parametrize("task", TASKS)
def test_the_readme_follows_the_template(task: str) -> None:
    assert list(sections(task)) == HEADINGS


@pytest.mark.parametrize("task", TASKS)
def test_the_readme_names_exactly_the_tasks_and_groups_of_its_folder(task: str) -> None:
    found = configurations(FOLDER / task)
    groups = {content["group"] for content in found if "group" in content}
    tasks = {content["task"] for content in found if "group" not in content}
    assert len(tasks) >= 3
    written = sections(task)
    assert sorted(listed(written["#### Groups"])) == sorted(groups)
    assert sorted(listed(written["#### Tasks"])) == sorted(tasks)


@pytest.mark.parametrize("task", TASKS)
def test_the_changelog_names_the_version_of_every_task(task: str) -> None:
    versions = {str(content["metadata"]["version"]) for content in configurations(FOLDER / task)}
    named = re.findall(r"^\* ([\d.]+):", sections(task)["### Changelog"], re.MULTILINE)
    assert named[0] == max(versions)  # a change may be one of some tasks alone
    assert versions <= set(named)
