"""The figure of a result: dots with intervals by factor, as the report draws them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from profile_tasks.report.drawing import COLOURS, ROW, STYLE, WIDTH, draw_dot, name_factors
from profile_tasks.report.headline import in_words
from profile_tasks.untrusted_text import one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from profile_tasks.notebook.result import Series

_COLOURS = ("discrimination", "generation", "recorded", "flag", "muted", "human")
"""Colours of series that have none of their own, by name; people's is taken last."""

_AXES = {
    "influence": ("influence tau", (-1.05, 1.05)),
    "difference": ("difference in tau", None),
    "departure": ("difference in tau after one scale", None),
}
"""What the axis says of a quantity, and where it ends."""

_SPREAD = 0.6
_LEAST_GAP = 0.12
"""Of the marks of one factor: which part of its row they take, and inches between two."""


def draw(
    series: "Sequence[Series]",
    factors: Sequence[str],
    quantity: str,
    ax: "Axes | None" = None,
    *,
    mark: str = "",
) -> "Axes":
    """Draw the series beside each other, a row a factor.

    Args:
        series: At most as many as there are colours.
        factors: Those that are drawn, from top to bottom.
        quantity: What the numbers are.
        ax: Axes to draw on; None: a new figure.
        mark: What must be seen beside the numbers, e.g. that they are simulated.
    """
    from matplotlib import pyplot, rc_context

    # A name may hold what matplotlib takes for mathematics.
    with rc_context(STYLE if ax is None else {"text.parse_math": False}):
        if ax is None:
            row = max(ROW, _LEAST_GAP * len(series) / _SPREAD)
            figure = pyplot.figure(figsize=(WIDTH, row * len(factors) + 0.95), layout="constrained")
            ax = figure.add_subplot()
        _draw_on(ax, series, factors)
        label, ends = _AXES.get(quantity, (in_words(quantity), None))
        ax.set_xlabel(f"{label}\n{mark}" if mark else label)
        if ends is not None:
            ax.set_xlim(*ends)
        for text in (*ax.get_yticklabels(), *ax.get_xticklabels()):
            text.set_parse_math(False)
    return ax


def _draw_on(ax: "Axes", series: "Sequence[Series]", factors: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    colours = _colours(series)
    half = _SPREAD / 2 * (len(series) > 1)
    marks = []
    for each, colour, offset in zip(
        series, colours, np.linspace(-half, half, len(series)), strict=True
    ):
        before = len(ax.lines)
        for y, factor in enumerate(factors):
            if factor in each.numbers:
                draw_dot(ax, y + float(offset), each.numbers[factor], colour)
        dots = [line for line in ax.lines[before:] if line.get_marker() not in {"None", "", None}]
        marker = dots[0].get_marker() if dots else "o"
        marks.append(Line2D([], [], color=COLOURS[colour], marker=marker, linewidth=1.5))
    ax.axvline(0, color=COLOURS["muted"], linewidth=1)
    ax.set_ylim(len(factors) - 0.5, -0.5)
    name_factors(ax, [one_line(factor) for factor in factors], set())
    if len(series) > 1:
        legend = ax.legend(
            handles=marks,
            labels=["series"] * len(series),
            loc="lower center",
            bbox_to_anchor=(0.5, 1.0),
            ncols=2,
        )
        # Set afterwards: a label that begins with "_" would be taken for one to leave out.
        for text, each in zip(legend.get_texts(), series, strict=True):
            text.set_text(one_line(each.label))


def _colours(series: "Sequence[Series]") -> list[str]:
    """A colour for each series, its perspective's own where no other has it yet."""
    taken: list[str] = []
    for each in series:
        own = each.perspective if each.perspective in COLOURS else None
        free = [colour for colour in _COLOURS if colour not in taken]
        taken.append(own if own in free else free[0])
    return taken
