"""The README of each folder of lm-eval tasks names what its YAML files define, and nothing else."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from profile_tasks.task_configs import FOLDER

TASKS = ("summarization", "instruction_following", "document_qa")
"""Those with a name of their own in lm-eval."""

HEADINGS = [
    "### Paper",
    "### Citation",
    "### Groups, Tags, and Tasks",
    "#### Groups",
    "#### Tags",
    "#### Tasks",
    "### Checklist",
    "### Changelog",
]
"""lm-eval's template for the README of a task: ``templates/new_yaml_task/README.md`` there."""

CHECKLIST = [
    "Is the task an existing benchmark in the literature?",
    "Have you referenced the original paper that introduced the task?",
    "If yes, does the original paper provide a reference implementation? If so, have you checked "
    "against the reference implementation and documented how to run such a test?",
    'Is the "Main" variant of this task clearly denoted?',
    "Have you provided a short sentence in a README on what each new variant adds / evaluates?",
    "Have you noted which, if any, published evaluation setups are matched by this variant?",
]
"""The template's questions; the third is the one that cannot be ticked here."""


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
    assert {file.parent.name for file in FOLDER.glob("*/README.md")} == {*TASKS, "preference"}


@pytest.mark.parametrize("task", [*TASKS, "preference"])
def test_the_readme_follows_the_template(task: str) -> None:
    assert list(sections(task)) == HEADINGS


@pytest.mark.parametrize("task", [*TASKS, "preference"])
def test_the_readme_answers_what_the_template_asks(task: str) -> None:
    written = sections(task)
    paper = re.findall(r"^(Title|Abstract|Homepage): (.+)$", written["### Paper"], re.MULTILINE)
    assert [name for name, _ in paper] == ["Title", "Abstract", "Homepage"]
    assert re.search(r"^@\w+\{", written["### Citation"], re.MULTILINE)
    answers = re.findall(r"^ *\* \[([ x])\] (.+)$", written["### Checklist"], re.MULTILINE)
    assert [question for _, question in answers] == CHECKLIST
    assert [tick for tick, _ in answers] == ["x", "x", " ", "x", "x", "x"]


@pytest.mark.parametrize("task", [*TASKS, "preference"])
def test_the_readme_names_exactly_the_tasks_and_groups_of_its_folder(task: str) -> None:
    found = configurations(FOLDER / task)
    groups = {content["group"] for content in found if "group" in content}
    tasks = {content["task"] for content in found if "group" not in content}
    assert len(tasks) >= 3
    tags = {tag for content in found for tag in content.get("tag", ())}
    written = sections(task)
    assert sorted(listed(written["#### Groups"])) == sorted(groups)
    assert sorted(listed(written["#### Tags"])) == sorted(tags)
    assert sorted(listed(written["#### Tasks"])) == sorted(tasks)


@pytest.mark.parametrize("task", [*TASKS, "preference"])
def test_the_changelog_names_the_version_of_every_task(task: str) -> None:
    versions = {str(content["metadata"]["version"]) for content in configurations(FOLDER / task)}
    named = re.findall(r"^\* ([\d.]+):", sections(task)["### Changelog"], re.MULTILINE)
    assert named[0] == max(versions)  # a change may be one of some tasks alone
    assert versions <= set(named)
