"""Figures: safe, the same each time, and in the page's colours."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from profile_tasks.report.drawing import COLOURS
from profile_tasks.report.figures import figures
from profile_tasks.report.findings import Findings
from profile_tasks.report.reading import read_findings
from profile_tasks.report.report_data import FoundAlignment, Influence, Profile
from profile_tasks.report.texts import Texts
from profile_tasks.runs.run import Run
from profile_tasks.scorers.statistics.estimate import Estimate

RUN = Run(file="x", harness="inspect", model="x", task="x", name="x", setting="both")

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn


@pytest.fixture(scope="module")
def drawn(verbose_log: Path):
    return figures(read_findings(verbose_log)[0], files=True)


def test_every_part_of_a_run_is_drawn(drawn) -> None:
    assert [figure.name for figure in drawn] == [
        "scores", "ranking", "alignment", "adjusted", "correlation-annotated",
        "correlation-written", "lengths", "rates",
    ]  # fmt: skip


def test_each_has_a_description_and_its_data(drawn) -> None:
    for figure in drawn:
        assert len(figure.alt) > 20
        assert figure.rows
        assert all(len(row) == len(figure.columns) for row in figure.rows)


def test_colours_are_those_of_the_page(drawn) -> None:
    assert len(set(COLOURS.values())) == len(COLOURS)
    for figure in drawn:
        assert set(re.findall(r"#[0-9a-f]{6}\b", figure.svg)) <= {"#000000"}
        assert "var(--" in figure.svg


def test_files_are_an_svg_and_a_png(drawn) -> None:
    for figure in drawn:
        ET.fromstring(figure.files["svg"])  # noqa: S314 - our own
        assert figure.files["png"].startswith(b"\x89PNG")


def test_the_same_run_gives_the_same_drawing(verbose_log: Path, drawn) -> None:
    again = figures(read_findings(verbose_log)[0])
    assert [figure.svg for figure in again] == [figure.svg for figure in drawn]


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "$\\frac{", "名前", "a&b\"'"])
def test_a_factor_may_be_called_anything(name: str) -> None:
    profile = Profile(
        {name: Influence(Estimate(0.5, 0.4, 0.6), Estimate(1, 1, 1), Estimate(1, 0, 2))}
    )
    found = Findings(
        RUN,
        factors=(name, "b"),
        profiles={"human": profile, "generation": profile},
        texts=Texts(correlations={"annotated": ((1.0, 0.5), (0.5, 1.0))}),
    )
    drawn = figures(found, files=True)
    assert len(drawn) == 4
    for figure in drawn:
        assert "<script" not in figure.svg
        texts = "".join(ET.fromstring(figure.files["svg"]).itertext())  # noqa: S314 - our own
        assert name in texts


def test_what_is_followed_most_stands_first_and_every_number_in_its_own_column() -> None:
    def profile(**found: tuple[float, int]) -> Profile:
        return Profile(
            {
                name: Influence(Estimate(tau, tau - 0.125, tau + 0.125), Estimate(rank, rank, rank))
                for name, (tau, rank) in found.items()
            }
        )

    found = Findings(
        RUN,
        factors=("length", "markdown"),
        profiles={
            "human": profile(length=(-0.25, 2), markdown=(0.5, 1)),
            "generation": profile(length=(0.75, 1), markdown=(-0.5, 2)),
        },
        alignments={
            "generation": {
                "tau_b": FoundAlignment(
                    Estimate(-0.5, -0.75, -0.25),
                    Estimate(-0.625),
                    0.0625,
                    Estimate(0.875, 0.8125, 1),
                )
            }
        },
        self_agreement={"pearson": FoundAlignment(Estimate(0.9, 0.8, 1), unrelated=0.25)},
        texts=Texts(correlations={"annotated": ((1.0, -0.5), (-0.5, 1.0))}),
    )
    drawn = {figure.name: figure for figure in figures(found)}
    ranking = drawn["ranking"]
    assert ranking.alt == (
        "Ranked lists side by side. generation: length, markdown. human: markdown, length."
    )
    rows = [dict(zip(ranking.columns, row, strict=True)) for row in ranking.rows]
    assert [(r["factor"], r["generation rank"], r["human rank"]) for r in rows] == [
        ("markdown", 2, 1),
        ("length", 1, 2),
    ]
    own, aligned = (
        dict(zip(drawn["alignment"].columns, row, strict=True)) for row in drawn["alignment"].rows
    )
    assert (aligned["alignment"], aligned["low"], aligned["high"]) == (-0.5, -0.75, -0.25)
    assert aligned["without noise"] == -0.625
    assert (own["whose"], own["alignment"]) == ("self-agreement", 0.9)
    assert own["unrelated tastes as close"] == 0.25
    cells = ET.fromstring(drawn["correlation-annotated"].svg)  # noqa: S314 - our own
    assert "−.5" in "".join(cells.itertext())


def test_a_run_without_numbers_has_no_figure() -> None:
    empty = Findings(RUN, factors=(), profiles={})
    assert figures(empty) == []
