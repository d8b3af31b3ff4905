"""The notebook of the documentation runs, and shows what it gives."""

import re
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = "docs/python.ipynb"


def shown(notebook: Any) -> list[list[str]]:
    """What each cell ends in, as text; how it is spaced is the affair of pandas."""
    return [
        [
            re.sub(r"\s+", " ", output.data["text/plain"])
            for output in cell.outputs
            if output.output_type == "execute_result"
        ]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Jupyter and its dependencies warn
def test_the_notebook_gives_what_it_shows(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = "notebooks are optional: pip install 'profile-tasks[notebook]'"
    nbformat = pytest.importorskip("nbformat", reason=reason)
    nbclient = pytest.importorskip("nbclient", reason=reason)
    pytest.importorskip("ipykernel", reason=reason)
    pytest.importorskip("ipywidgets", reason=reason)
    monkeypatch.setenv("PYTHONPATH", str(repository))
    notebook = nbformat.read(repository / NOTEBOOK, as_version=4)
    committed = shown(notebook)
    nbclient.NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    assert shown(notebook) == committed
    pictures = [o for cell in notebook.cells for o in cell.get("outputs", ()) if "data" in o]
    assert any("image/png" in output.data for output in pictures)


def test_the_notebook_is_shown_with_its_outputs_and_calls_its_models_simulated(
    repository: Path,
) -> None:
    text = (repository / NOTEBOOK).read_text(encoding="utf-8")
    assert text.count("SIMULATED") >= 3
    assert '"image/png"' in text
    assert "/tmp/" not in text  # noqa: S108 - no place of a machine that it ran on
    assert "Traceback" not in text
