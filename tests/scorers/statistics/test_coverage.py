"""What is said beside intervals is what the page of the calibration shows."""

import re
from pathlib import Path

import pytest

from profile_tasks.scorers.statistics.coverage import (
    OF_RANKS,
    of_few_sources,
    of_steep_influences,
)
from profile_tasks.scorers.statistics.estimate import FEW_GROUPS


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "calibration.md").read_text(encoding="utf-8")


def rows(page: str, heading: str) -> list[list[str]]:
    section = page.split(f"### {heading}")[1].split("###", maxsplit=1)[0]
    return [line.strip("| ").split(" | ") for line in section.splitlines() if line[:3] != "|--"][1:]


def test_single_tastes_cover_as_little_as_is_said_of_rank_coefficients(page: str) -> None:
    held = [row for row in rows(page, "The same for tastes that are held") if len(row) == 8]
    assert len(held) == 1 + 5  # the heads first
    least = min(float(row[at]) for row in held[1:] for at in (2, 4))
    assert f"down to {least:.0f} %" in OF_RANKS
    assert min(float(row[6]) for row in held[1:]) >= 90


def test_no_interval_covers_less_over_tastes_drawn_at_random(page: str) -> None:
    assert re.search(r"### Intervals that cover less than 93 %\n\nNone\.", page)


def test_of_few_sources_it_is_said_that_intervals_are_wide() -> None:
    assert of_few_sources(FEW_GROUPS) == of_few_sources(None) == []
    (said,) = of_few_sources(FEW_GROUPS - 1)
    assert said.startswith("few sources (49 groups): intervals are wide")


def test_of_steep_influences_it_is_said_where_a_source_has_many_pairs() -> None:
    assert of_steep_influences({"a": 0.5, "b": None}, 1000, 50) == []
    assert of_steep_influences({"a": -0.97}, 150, 50) == []
    (said,) = of_steep_influences({"a": -0.97, "b": 0.2}, 151, 50)
    assert "(a)" in said
    assert "down to 87 %" in said
