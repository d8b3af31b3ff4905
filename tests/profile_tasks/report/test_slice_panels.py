"""Slices in a report: one small figure a slice, on one axis and in one order; labels are texts."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from profile_tasks.cli import main
from profile_tasks.report.page import rendered, task_sections
from profile_tasks.report.reading import read_findings
from profile_tasks.report.slice_data import slices_of_record
from profile_tasks.report.slice_panels import (
    INFLUENCE_COLUMNS,
    MOST_FACTORS,
    TOLD,
    influence_cells,
    slice_notes,
    slice_panels,
)

HOSTILE = '</caption></table><script>document.title="owned"</script>\u202eturned'


def rows(*labels: str, sources: int = 20) -> list[dict[str, Any]]:
    """Pairs in which the longer text is preferred; in the second label's slice the shorter one."""
    drawn = np.random.default_rng(0)
    found = []
    for number in range(len(labels) * sources):
        place = number % len(labels)
        a, b = drawn.choice(np.arange(3, 60), 2, replace=False).tolist()
        longer = (a > b) ^ (drawn.random() < 0.1) ^ (place == 1)
        found.append(
            {
                "id": f"p{number}", "group": f"g{number}", "task": "instruction_following",
                "prompt": f"Question {number}?", "response_a": "word " * a,
                "response_b": "word " * b, "preference": "ab"[not longer], "of": labels[place],
            }
        )  # fmt: skip
    return found


Profiled = Callable[..., Path]


@pytest.fixture
def profiled(tmp_path: Path) -> Profiled:
    """JSON of ``profile-tasks influence --slices of``."""

    def run(rows: list[dict[str, Any]]) -> Path:
        data, out = tmp_path / "data.jsonl", tmp_path / "profile.json"
        data.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
        asked = ["influence", str(data), "--slices", "of", "--format", "json"]
        done = CliRunner().invoke(main, [*asked, "--factors", "length,markdown"])
        assert done.exit_code == 0, done.output
        out.write_text(done.stdout, encoding="utf-8")
        return out

    return run


def test_each_slice_has_a_panel_of_the_same_factors_in_the_same_order(profiled: Profiled) -> None:
    (found,) = read_findings(profiled(rows("en", "de", "fr")))
    (sliced,) = found.slices
    panels = slice_panels(sliced, ["markdown", "length"])
    assert sorted(panel.label for panel in panels) == ["de", "en", "fr"]
    assert {panel.counts for panel in panels} == {"20 pairs in 20 groups"}
    # What is told to differ comes first, whatever the order is.
    assert {tuple(row.name for row in panel.rows) for panel in panels} == {("length", "markdown")}
    (german,) = (panel for panel in panels if panel.label == "de")
    assert [row.mark for row in german.rows] == [TOLD, ""]
    assert german.rows[0].dots[0].high < 50  # % of the axis: below 0
    assert "told to differ from elsewhere: −" in german.rows[0].said[0]


def test_the_table_behind_the_panels_holds_every_number(profiled: Profiled) -> None:
    file = profiled(rows("en", "de"))
    (found,) = read_findings(file)
    record = json.loads(file.read_text("utf-8"))["slices"]["of"]["slices"]
    cells = [
        dict(zip(INFLUENCE_COLUMNS, row, strict=True)) for row in influence_cells(found.slices[0])
    ]
    assert len(cells) == 2 * 2
    for row in cells:
        entry = record[row["slice"]]["factors"][row["factor"]]
        assert (row["tau"], row["low"], row["high"]) == (
            entry["tau"], entry["tau_ci_low"], entry["tau_ci_high"],
        )  # fmt: skip
        assert row["less elsewhere"] == entry["difference"]
        assert (row["p, BH"], row["its p, BH"]) == (
            entry["p_adjusted_bh"], entry["interaction_p_adjusted_bh"],
        )  # fmt: skip


def test_a_small_slice_is_told_and_has_no_panel(profiled: Profiled) -> None:
    few = rows("en", "de") + [row | {"id": "x", "group": "x", "of": "la"} for row in rows("la")[:1]]
    (found,) = read_findings(profiled(few))
    assert [panel.label for panel in slice_panels(found.slices[0], [])] == ["de", "en"]
    assert list(slice_notes(found.slices[0])) == [
        "la: too few sources in it or beside it (people 1); counted among the others"
    ]


def test_of_many_factors_a_panel_shows_a_few() -> None:
    entry = {
        "tau": 0.1, "difference": 0.2, "p_adjusted_bh": 0.5, "interaction": None,
        "interaction_p_adjusted_bh": None, "reason": None,
    }  # fmt: skip
    factors = {f"factor_{i}": entry for i in range(20)}
    found = slices_of_record(
        {
            "of": {
                "perspectives": {
                    "human": {
                        "slices": {"a": {"n_pairs": 9, "n_groups": 9, "factors": factors}},
                        "too_small": {},
                        "n_unlabelled": 0,
                    }
                },
                "judge": {},
            }
        }
    )
    (panel,) = slice_panels(found[0], list(factors))
    assert [row.name for row in panel.rows] == list(factors)[:MOST_FACTORS]


def test_a_label_is_a_text_wherever_it_stands(profiled: Profiled) -> None:
    page = rendered(task_sections(read_findings(profiled(rows("en", HOSTILE)))))
    slices = page.split('<section id="slices"')[1].split("</section>")[0]
    assert "<script" not in slices
    assert "\u202e" not in page
    assert slices.count("&lt;/caption&gt;&lt;/table&gt;&lt;script&gt;") >= 3
    assert slices.count('<table class="dots">') == 2
    assert '<a href="#slices">slices</a>' in page


def test_without_slices_there_is_no_such_part(profiled: Profiled) -> None:
    file = profiled(rows("en", "de"))
    record = json.loads(file.read_text("utf-8"))
    del record["slices"]
    file.write_text(json.dumps(record), encoding="utf-8")
    page = rendered(task_sections(read_findings(file)))
    assert 'id="slices"' not in page


def test_slices_of_another_shape_are_refused(profiled: Profiled) -> None:
    file = profiled(rows("en", "de"))
    record = json.loads(file.read_text("utf-8"))
    del record["slices"]["of"]["slices"]["en"]["factors"]["length"]["p_adjusted_bh"]
    file.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(ValueError, match="not as this version writes it"):
        read_findings(file)
