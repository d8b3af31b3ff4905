"""How a report's figures are drawn, by matplotlib, in one style and set of colours.

They are drawn once in the colours of light paper. In the page those colours become CSS variables,
so that the same drawing follows dark mode and print; as files they stay as they are. Perspectives
differ by shape as well as by colour, and colour-blind readers tell the colours apart (Okabe & Ito).
"""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from profile_tasks.report.headline import in_words
from profile_tasks.scorers.statistics.estimate import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

COLOURS: Mapping[str, str] = {
    "ink": "#1b1b1c",
    "muted": "#5a5a5b",
    "line": "#cfcfd0",
    "human": "#0072b3",
    "generation": "#b84b00",
    "discrimination": "#00795c",
    "recorded": "#6a4fa3",
    "flag": "#a4005d",
    "positive": "#2166ad",
    "negative": "#b35807",
}
"""Name -> colour on light paper; in the page, ``var(--name)``. No two are equal."""

_SHAPES = {"human": "o", "generation": "s", "discrimination": "D", "recorded": "v"}
WIDTH = 4.6  # inches; at 96 pixels an inch it fits a narrow screen unscaled
ROW = 0.44
MISALIGNED = "\N{BLACK UP-POINTING TRIANGLE}"

STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "text.color": COLOURS["ink"],
    "text.parse_math": False,  # a factor may be called anything
    "axes.labelcolor": COLOURS["muted"],
    "axes.edgecolor": COLOURS["line"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": COLOURS["line"],
    "grid.linewidth": 0.6,
    "xtick.color": COLOURS["muted"],
    "ytick.color": COLOURS["ink"],
    "ytick.left": False,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 8,
}


@dataclass(frozen=True)
class Figure:
    """One figure of one run.

    Attributes:
        name: For ids and file names.
        title: What it shows.
        caption: How to read it.
        alt: What is seen in it, in words.
        columns: Heads of its table.
        rows: Its data.
        svg: The drawing for the page.
        wide: Whether it needs more room than a narrow screen has.
        files: Ending ("svg", "png") -> content, for files.
    """

    name: str
    title: str
    caption: str
    alt: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | None, ...], ...]
    svg: str
    wide: bool = False
    files: Mapping[str, bytes] | None = None


@dataclass(frozen=True)
class Sketch:
    """A figure before it is written down; attributes as of :class:`Figure`."""

    name: str
    title: str
    caption: str
    alt: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str | float | None, ...]]
    drawing: "Drawing"
    wide: bool = False


def rows_of_axes(rows: int, *, row: float = ROW) -> "tuple[Drawing, Axes]":
    """Axes with room for so many rows, each so many inches high."""
    from matplotlib.figure import Figure as Drawing

    drawing = Drawing(figsize=(WIDTH, row * rows + 0.95), layout="constrained")
    return drawing, drawing.add_subplot()


def draw_dots(
    axes: "Axes",
    order: Sequence[str],
    perspectives: Sequence[str],
    number: Callable[[str, str], Estimate],
) -> None:
    """A row a factor, with a dot for each perspective's ``number(perspective, factor)``."""
    offsets = np.linspace(-0.24, 0.24, len(perspectives)) if len(perspectives) > 1 else [0.0]
    for y, factor in enumerate(order):
        for offset, perspective in zip(offsets, perspectives, strict=True):
            draw_dot(axes, y + float(offset), number(perspective, factor), perspective)
    axes.axvline(0, color=COLOURS["muted"], linewidth=1)
    axes.set_ylim(len(order) - 0.5, -0.5)


def draw_dot(axes: "Axes", y: float, number: Estimate, colour: str) -> None:
    """A value with its interval, at a height, in a colour of this module by name."""
    if not number.defined:
        return
    if number.has_interval:
        axes.plot((number.low, number.high), (y, y), color=COLOURS[colour], linewidth=1.5)
    axes.plot(
        number.value,
        y,
        marker=_SHAPES.get(colour, "o"),
        markersize=4.8,
        color=COLOURS[colour],
        linestyle="none",
    )


def name_factors(axes: "Axes", order: Sequence[str], marked: set[str]) -> None:
    """The factors' names beside their rows, some of them marked."""
    names = [f"{MISALIGNED} {in_words(f)}" if f in marked else in_words(f) for f in order]
    axes.set_yticks(range(len(order)), names)
    for text, factor in zip(axes.get_yticklabels(), order, strict=True):
        if factor in marked:
            text.set_color(COLOURS["flag"])
            text.set_fontweight("bold")


def add_legend(drawing: "Drawing", perspectives: Sequence[str]) -> None:
    """Which mark is which perspective, above the drawing."""
    from matplotlib.lines import Line2D

    drawing.legend(
        handles=[
            Line2D(
                [], [], color=COLOURS[p], marker=_SHAPES[p], markersize=5, linewidth=1.5, label=p
            )
            for p in perspectives
        ],
        loc="outside upper center",
        ncols=3,
        columnspacing=1.2,
        handletextpad=0.5,
    )


def finished(sketch: Sketch, *, files: bool) -> Figure:
    """The figure as the page has it, and as files where they are wanted."""
    svg = _svg(sketch)
    kept = None
    if files:
        png = io.BytesIO()
        sketch.drawing.savefig(png, format="png", dpi=200, facecolor="white")
        kept = {"svg": svg, "png": png.getvalue()}
    return Figure(
        name=sketch.name,
        title=sketch.title,
        caption=sketch.caption.strip(),
        alt=sketch.alt,
        columns=sketch.columns,
        rows=tuple(sketch.rows),
        svg=_for_page(svg.decode("utf-8")),
        wide=sketch.wide,
        files=kept,
    )


def _svg(sketch: Sketch) -> bytes:
    from matplotlib import rc_context

    content = io.BytesIO()
    with rc_context({"svg.hashsalt": sketch.name}):  # the same drawing, the same file
        sketch.drawing.savefig(
            content, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    return content.getvalue()


def _for_page(svg: str) -> str:
    """The drawing alone, in the page's colours and font, with no id that another one has."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    svg = re.sub(r'(?<=<svg )(.*?)(height|width)="[^"]*" ?', r"\1", svg, count=1)
    svg = re.sub(r'(?<=<svg )(.*?)(height|width)="[^"]*" ?', r"\1", svg, count=1)
    svg = svg.replace("'DejaVu Sans'", "var(--font)").replace("DejaVu Sans", "var(--font)")
    for name, colour in COLOURS.items():
        svg = svg.replace(colour, f"var(--{name})")
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, flags=re.DOTALL)
    return re.sub(r"\n\s*", "\n", svg)
