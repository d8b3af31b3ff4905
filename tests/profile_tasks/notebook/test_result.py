"""A result as people see it: a table in a terminal and a notebook, and a figure."""

import io
import math
from collections.abc import Iterator
from xml.etree.ElementTree import fromstring

import pytest

from profile_tasks.notebook.result import Result, Row
from profile_tasks.scorers.statistics.estimate import Estimate

HOSTILE = "<script>alert(1)</script> $x_{ \x1b[31m_"


@pytest.fixture(autouse=True)
def figures_closed() -> Iterator[None]:
    from matplotlib import pyplot

    yield
    pyplot.close("all")


def result(models: int = 1, factors: tuple[str, ...] = ("length", "markdown")) -> Result:
    rows = [
        Row("influence", Estimate(0.1 * i - 0.2, -0.5, 0.5), "t", f"m{m}", "discrimination", f, 9)
        for m in range(models)
        for i, f in enumerate(factors)
    ]
    people = [
        Row("influence", Estimate(0.3, 0.1, 0.5), "t", "people", "human", f, 9) for f in factors
    ]
    return Result("Something measured", (*people, *rows))


def test_a_table_has_a_row_a_factor_and_a_column_for_each() -> None:
    lines = repr(result(2)).splitlines()
    assert lines[0] == "Something measured"
    assert lines[3].split() == ["factor", "people", "m0", "m1"]
    assert " ".join(lines[4].split()) == "length .30 [.10, .50] −.20 [−.50, .50] −.20 [−.50, .50]"


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_no_line_is_wider_than_the_terminal(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    many = result(9, tuple("a_very_long_name_of_a_factor_" * 3 + str(i) for i in range(40)))
    shown = Result("word " * 60, many.rows, ("sentence " * 40,), ("note " * 40,))
    assert max(map(len, repr(shown).splitlines())) <= max(80, int(columns))
    assert "10 more factors in .frame()" in repr(shown)
    assert "4 more columns in .frame()" in repr(shown)


def test_no_interval_is_cut() -> None:
    wide = Estimate(-1.382, -1.503, -1.204)
    rows = [Row("influence", wide, "t", f"m{m}", "discrimination", "length") for m in range(4)]
    assert repr(Result("Wide", tuple(rows))).count("−1.38 [−1.50, −1.20]") == 4


def test_why_a_number_is_missing_stands_below() -> None:
    rows = [
        Row("influence", Estimate.undefined("no pair is left"), "t", "people", "human", "length"),
        Row("influence", Estimate(0.1, 0, 0.2), "t", "people", "human", "markdown"),
    ]
    shown = Result("Missing", tuple(rows))
    assert "length: no pair is left" in repr(shown)
    assert "length: no pair is left" in shown._repr_html_()
    assert math.isnan(shown.frame().estimate[0])


def test_hostile_names_are_inert() -> None:
    rows = [
        Row("influence", Estimate(0.1, 0, 0.2), HOSTILE, model, perspective, f"_{HOSTILE}", 3)
        for model, perspective in (("people", "human"), (HOSTILE, "discrimination"))
    ]
    hostile = Result(HOSTILE, tuple(rows), (HOSTILE,), (HOSTILE,))
    html = hostile._repr_html_()
    assert "<script" not in html
    fromstring(f"<body>{html}</body>")  # noqa: S314
    assert "\x1b" not in repr(hostile)
    drawn = io.BytesIO()
    hostile.plot().figure.savefig(drawn, format="svg")
    assert b"<script" not in drawn.getvalue()


def test_a_figure_has_a_mark_for_each_number() -> None:
    axes = result(2).plot()
    values = sorted(
        float(line.get_xdata()[0]) for line in axes.lines if line.get_marker() in {"o", "D", "s"}
    )
    assert values == pytest.approx([-0.2, -0.2, -0.1, -0.1, 0.3, 0.3])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["people", "m0", "m1"]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["length", "markdown"]


def test_a_figure_is_drawn_on_axes_that_are_given() -> None:
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2)
    assert result().plot(left) is left
    assert result().plot(ax=right, factors=["markdown"]) is right
    assert [text.get_text() for text in right.get_yticklabels()] == ["markdown"]
    svg = io.BytesIO()
    figure.savefig(svg, format="svg")
    assert fromstring(svg.getvalue()).tag.endswith("svg")  # noqa: S314
    assert len(pyplot.get_fignums()) == 1


def test_models_perspectives_and_factors_are_chosen() -> None:
    axes = result(3).plot(models=["people", "m2"], factors=["markdown", "length"])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["people", "m2"]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["markdown", "length"]
    assert result(3).plot(perspectives=["human"]).get_legend() is None


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"quantity": "kappa"}, "'kappa' is not here by factor; there are: influence"),
        ({"models": ["m70"]}, "no model 'm70' here; there are: people, m0"),
        ({"perspectives": ["own"]}, "no perspective 'own' here; there are: human, discrimination"),
        ({"factors": ["charm"]}, "no factor 'charm' here; there are: length, markdown"),
        ({}, "10 series cannot be told apart in one figure"),
    ],
)
def test_what_cannot_be_drawn_is_told(arguments: dict[str, object], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        result(9).plot(**arguments)
