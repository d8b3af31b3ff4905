"""The folder of a project: the key, and what annotators or their tool are given."""

import json
from collections.abc import Mapping
from pathlib import Path

from profile_tasks.annotation.label_studio import labelling_config, studio_project, studio_tasks
from profile_tasks.annotation.page import annotation_page
from profile_tasks.annotation.project import KEY, Project
from profile_tasks.annotation.table import task_table
from profile_tasks.whole_files import write_whole

TABLE = "tasks.csv"
CONFIG, SETTINGS, TASKS = "labels.xml", "project.json", "tasks.json"
"""What Label Studio is given: its labelling configuration, alone and within the settings of a
project, and the tasks."""


def files_for(tool: str, project: Project) -> Mapping[str, str]:
    """The files that annotators or their tool are given: name -> content.

    Args:
        tool: "label-studio"; "html" for a page an annotator; "csv" for a table.
        project: The project.
    """
    if tool == "html":
        return {
            f"annotator-{number}.html": annotation_page(project, number)
            for number in range(1, len(project.sheets) + 1)
        }
    if tool == "csv":
        return {TABLE: task_table(project)}
    return {
        CONFIG: labelling_config(project),
        SETTINGS: _json(studio_project(project)),
        TASKS: _json(studio_tasks(project)),
    }


def write_folder(folder: Path, project: Project, files: Mapping[str, str]) -> None:
    """Write a project.

    Raises:
        OSError: A file cannot be written.
        ValueError: The folder holds a project already, whose answers could not be read any more.
    """
    if (folder / KEY).exists():
        raise ValueError(
            f"{folder} holds a project already, whose answers only its key can read; name another "
            "folder (-o)"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        write_whole(folder / name, text)
    write_whole(folder / KEY, project.key.model_dump_json(indent=1) + "\n")


def _json(content: object) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
