"""The table of factors beside plain judges is what the command gives."""

import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_first_row_of_the_page_is_measured_again(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = repository.parent / "shared" / "data"
    if not data.is_dir():
        pytest.skip("no folder shared/data beside the checkout")
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    module = __import__("held_out_accuracy")
    monkeypatch.setattr(module, "FILES", module.FILES[:1])
    *_, row = module.rows(data)
    assert row.startswith("| LLMBar |")
    assert row in (repository / "docs" / "findings.md").read_text(encoding="utf-8")
    assert sys.modules.pop("held_out_accuracy")


def test_the_page_has_every_file_that_is_measured(repository: Path) -> None:
    page = (repository / "docs" / "findings.md").read_text(encoding="utf-8")
    table = page.split("<!-- held-out accuracy: start -->")[1].split("<!--")[0].strip()
    rows = [line.split(" | ")[0].strip("| ") for line in table.splitlines()[2:]]
    assert len(rows) == 13
    assert len(set(rows)) == 11
