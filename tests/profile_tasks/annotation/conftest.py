"""Projects on small data, and exports as Label Studio 1.23 writes them, with planted annotators."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from profile_tasks.annotation.project import Key, Project, ShownTask, make_project
from profile_tasks.annotation.wording import asked_factors, read_wording
from profile_tasks.data.preferences import PreferenceData, load_preferences

Given = str | None
Choose = Callable[[ShownTask], Mapping[str, Given]]

LONG = "Robin sings in the old garden all morning, and {n} wrens answer from the wall."


@pytest.fixture
def data(tmp_path: Path) -> PreferenceData:
    """Twelve sources with two pairs each, of a long text and a short one."""
    rows = [
        {
            "id": f"s{source}-{pair}", "group": f"s{source}", "task": "summarization",
            "prompt": "Sum up the text.", "source": f"Text {source} about birds in a garden.",
            "response_a": LONG.format(n=pair + 2), "response_b": f"Bird {pair} sings.",
            "preference": "b", "system_a": "wordy", "note": "kept",
        }
        for source in range(12)
        for pair in range(2)
    ]  # fmt: skip
    file = tmp_path / "pairs.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return load_preferences(str(file))


@pytest.fixture
def project(data: PreferenceData) -> Callable[..., Project]:
    """A project on the data; arguments as of ``make_project``."""

    def made(ask: Sequence[str] = (), **settings: Any) -> Project:
        settings = {"pairs": 24} | settings
        return make_project(data, read_wording(), asked_factors(ask), **settings)

    return made


def longer(task: ShownTask) -> str:
    """What somebody answers who always likes the longer text."""
    return "first" if len(task.first) > len(task.second) else "second"


def studio_export(
    project: Project, said: Sequence[tuple[int, ShownTask, Mapping[str, Given]]]
) -> list[dict[str, Any]]:
    """An export: who said what of which task. Nothing said of the pair as a whole is a skip."""
    from profile_tasks.annotation.label_studio import studio_tasks

    datas: dict[str, Any] = {}
    for held in studio_tasks(project):
        assert isinstance(held, dict)
        assert isinstance(held["data"], dict)
        datas[str(held["data"]["task"])] = held["data"]
    by_task: dict[str, list[dict[str, Any]]] = {}
    for number, (annotator, task, answers) in enumerate(said, start=1):
        result = [
            {
                "from_name": name, "to_name": "request",
                "type": "textarea" if name == "comment" else "choices",
                "value": {"text": [given]} if name == "comment" else {"choices": [given]},
            }
            for name, given in answers.items()
            if given is not None
        ]  # fmt: skip
        by_task.setdefault(task.task, []).append(
            {
                "id": number, "completed_by": annotator, "result": result,
                "was_cancelled": answers.get("preference", "") is None, "ground_truth": False,
                "created_at": "2026-11-29T11:25:19.881817Z", "lead_time": 7.5, "draft_created_at":
                None, "prediction": {}, "result_count": len(result), "unique_id": str(number),
            }
        )  # fmt: skip
    return [
        {
            "id": number, "annotations": annotations, "drafts": [], "predictions": [],
            "data": datas[task], "meta": {}, "project": 1, "total_annotations": len(annotations),
        }
        for number, (task, annotations) in enumerate(by_task.items(), start=1)
    ]  # fmt: skip


def of_pairs(key: Key, tasks: Sequence[ShownTask]) -> list[ShownTask]:
    """The tasks that are no attention checks."""
    return [task for task in tasks if key.tasks[task.task].row is not None]
