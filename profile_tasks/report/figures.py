"""The figures of a report, by matplotlib, each with the table it was drawn from.

They are drawn once in the colours of light paper. In the page those colours become CSS variables,
so that the same drawing follows dark mode and print; as files they stay as they are. Perspectives
differ by shape as well as by colour, and colour-blind readers tell the colours apart (Okabe & Ito).
"""

import io
import math
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from profile_tasks.report.findings import Findings
from profile_tasks.report.headline import decimal, interval, label, told_apart
from profile_tasks.report.report_data import NOTHING
from profile_tasks.runs.run import PERSPECTIVES
from profile_tasks.scorers.statistics.alignment import COEFFICIENTS
from profile_tasks.scorers.statistics.estimate import Estimate, none_for_nan
from profile_tasks.scorers.statistics.metric_catalogue import CATALOGUE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

COLOURS: Mapping[str, str] = {
    "ink": "#1b1b1c",
    "muted": "#5a5a5b",
    "line": "#cfcfd0",
    "human": "#0072b3",
    "generation": "#c85200",
    "discrimination": "#00795c",
    "flag": "#a4005d",
    "positive": "#2166ad",
    "negative": "#b35807",
}
"""Name -> colour on light paper; in the page, ``var(--name)``. No two are equal."""

_SHAPES = {"human": "o", "generation": "s", "discrimination": "D"}
_WIDTH = 4.6  # inches; at 96 pixels an inch it fits a narrow screen unscaled
_ROW = 0.44
_MISALIGNED = "\N{BLACK UP-POINTING TRIANGLE}"

_STYLE: Any = {
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


def figures(findings: Findings, *, files: bool = False) -> list[Figure]:
    """Every figure that a run's numbers allow, the central one first.

    Args:
        findings: One model on one task.
        files: Whether to keep them as SVG and PNG files too.
    """
    from matplotlib import rc_context

    drawn = []
    # A text may hold characters that the measuring font lacks; the reader's own font has them.
    with rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+")
        for draw in (_scores, _ranking, _alignment, _adjusted, _correlation, _lengths, _rates):
            drawn += [_finished(sketch, files=files) for sketch in draw(findings)]
    return drawn


@dataclass(frozen=True)
class _Sketch:
    name: str
    title: str
    caption: str
    alt: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str | float | None, ...]]
    drawing: "Drawing"
    wide: bool = False


def _scores(findings: Findings) -> Iterator[_Sketch]:
    perspectives = [p for p in PERSPECTIVES if p in findings.profiles]
    order = _order(findings)
    if not order:
        return
    apart = {
        p: set(told_apart(findings, p)) for p in findings.compared if "human" in findings.profiles
    }
    drawing, axes = _axes(len(order))
    _dots(axes, order, perspectives, lambda p, f: findings.profiles[p].influences[f].tau)
    axes.set_xlim(-1.05, 1.05)
    axes.set_xticks((-1, -0.5, 0, 0.5, 1))
    axes.set_xlabel("influence tau")
    _name_factors(axes, order, set().union(*apart.values()) if apart else set())
    _legend(drawing, perspectives)
    rows: list[tuple[str | float | None, ...]] = []
    for factor in order:
        for perspective in perspectives:
            found = findings.profiles[perspective].influences.get(factor)
            if found is None:
                continue
            difference = findings.differences.get(perspective, {}).get(factor)
            rows.append((
                factor, perspective, *found.tau.cells(),
                found.n, found.concordant, found.discordant, found.tied, found.missing,
                found.groups, found.p_holm,
                None if difference is None else none_for_nan(difference.number.value),
                None if difference is None else difference.p_holm,
                found.tau.reason,
            ))  # fmt: skip
    yield _Sketch(
        "scores",
        "Factor scores",
        "How strongly each preference follows a factor: 1, the preferred response always shows "
        "more of it; −1, always less. Bars are 95 % intervals, sources resampled. "
        + (_marked(findings) if apart else ""),
        _alt_scores(findings, order, perspectives, apart),
        ("factor", "perspective", "tau", "low", "high", "pairs", "concordant", "discordant", "tied",
         "missing", "groups", "p (Holm)", "difference to human", "its p (Holm)", "note"),
        rows,
        drawing,
    )  # fmt: skip


def _marked(findings: Findings) -> str:
    how = (
        "beyond chance (5 %, adjusted over the factors)"
        if findings.differences
        else "by intervals that do not overlap"
    )
    return f"{_MISALIGNED} marks factors in which the model differs from people {how}."


def _alt_scores(
    findings: Findings,
    order: Sequence[str],
    perspectives: Sequence[str],
    apart: Mapping[str, set[str]],
) -> str:
    parts = []
    for perspective in perspectives:
        taus = {
            f: found.tau.value
            for f in order
            if (found := findings.profiles[perspective].influences.get(f)) and found.tau.defined
        }
        if taus:
            top, low = max(taus, key=lambda f: taus[f]), min(taus, key=lambda f: taus[f])
            parts.append(
                f"{perspective}: greatest {label(top)} {decimal(taus[top])}, "
                f"least {label(low)} {decimal(taus[low])}"
            )
    parts += [
        f"differs from people in {perspective}: {', '.join(label(f) for f in order if f in names)}"
        for perspective, names in apart.items()
        if names
    ]
    return f"Dots with intervals for {len(order)} factors. " + ". ".join(parts) + "."


def _drawn_ranking(
    findings: Findings,
    places: Mapping[str, Mapping[str, int]],
    ranked: Mapping[str, Mapping[str, Estimate]],
    apart: Mapping[str, set[str]],
) -> "Drawing":
    """Ranked lists side by side, the same factor joined by a line."""
    from matplotlib.figure import Figure as Drawing

    perspectives = list(places)
    height = max(map(len, places.values()))
    drawing = Drawing(figsize=(6.0, 0.46 * height + 0.5))
    axes = drawing.add_axes((0.01, 0.01, 0.98, 0.98))
    axes.set_axis_off()
    axes.set_xlim(-0.5, len(perspectives) - 0.5)
    axes.set_ylim(height - 0.4, -1.1)
    half = 0.36
    for left, right in pairwise(perspectives):
        x = perspectives.index(left)
        model = left if left != "human" else right
        for factor in (f for f in places[left] if f in places[right]):
            marked = factor in apart.get(model, ())
            axes.plot(
                (x + half, x + 1 - half),
                (places[left][factor], places[right][factor]),
                color=COLOURS["flag" if marked else "line"],
                linewidth=1.6 if marked else 1.0,
            )
    for x, perspective in enumerate(perspectives):
        axes.text(x, -0.85, perspective, ha="center", va="center", weight="bold",
                  color=COLOURS[perspective], fontsize=10)  # fmt: skip
        for factor, place in places[perspective].items():
            rank = ranked[perspective][factor]
            tau = findings.profiles[perspective].influences[factor].tau
            marked = factor in apart.get(perspective, ())
            axes.text(x, place - 0.16, label(factor) + (f" {_MISALIGNED}" if marked else ""),
                      ha="center", va="center", fontsize=8.5, weight="bold" if marked else "normal",
                      color=COLOURS["flag" if marked else "ink"])  # fmt: skip
            ends = rank.ends_text("{:g}".format, "–")
            bounds = f", rank {ends}" if ends else ""
            axes.text(x, place + 0.22, f"{decimal(tau.value)}{bounds}", ha="center",
                      va="center", fontsize=7.5, color=COLOURS["muted"])  # fmt: skip
    return drawing


def _ranking_row(
    factor: str, ranked: Mapping[str, Mapping[str, Estimate]], apart: Mapping[str, set[str]]
) -> tuple[str | float | None, ...]:
    ranks = [found.get(factor, NOTHING) for found in ranked.values()]
    return (
        factor,
        *(cell for rank in ranks for cell in rank.cells()),
        *("yes" if factor in apart.get(p, ()) else "no" for p in ranked if p != "human"),
    )


def _ranking(findings: Findings) -> Iterator[_Sketch]:
    perspectives = [p for p in ("generation", "human", "discrimination") if p in findings.profiles]
    ranked = {
        p: {f: i.rank for f, i in findings.profiles[p].influences.items() if i.rank.defined}
        for p in perspectives
    }
    if len(perspectives) < 2 or not all(ranked.values()):
        return
    # Equal influences share a rank; drawn one below the other, in the same order everywhere.
    places = {
        p: {f: i for i, f in enumerate(sorted(found, key=lambda f: (found[f].value, f)))}
        for p, found in ranked.items()
    }
    apart = {p: set(told_apart(findings, p)) for p in findings.compared}
    drawing = _drawn_ranking(findings, places, ranked, apart)
    yield _Sketch(
        "ranking",
        "Ranking of the factors",
        "From the factor that a preference follows most (top) to the one it goes against most, "
        "with tau and the 95 % interval of the rank. "
        + _marked(findings),
        "Ranked lists side by side. " + " ".join(
            f"{p}: {', '.join(label(f) for f in sorted(places[p], key=places[p].__getitem__))}."
            for p in perspectives
        ),
        ("factor", *(f"{p} {what}" for p in perspectives for what in ("rank", "low", "high")),
         *(f"{p} differs from people" for p in perspectives if p != "human")),
        [_ranking_row(factor, ranked, apart) for factor in _order(findings)],
        drawing,
        wide=True,
    )  # fmt: skip


def _alignment(findings: Findings) -> Iterator[_Sketch]:
    entries = [
        (perspective, coefficient, findings.alignments[perspective][coefficient])
        for perspective in findings.compared
        for coefficient in COEFFICIENTS
        if coefficient in findings.alignments.get(perspective, {})
    ]
    if not entries:
        return
    gap = findings.gap.defined
    bars = [(name, bar) for name, bar in findings.human_bar.items() if bar.defined]
    drawing, axes = _axes(len(entries) + gap + len(bars), row=0.36)
    names = []
    for y, (perspective, coefficient, found) in enumerate(entries):
        names.append(f"{perspective}, {coefficient}")
        _dot(axes, y, found.number, perspective)
        if found.ceiling.defined:
            axes.plot([found.ceiling.value] * 2, [y - 0.3, y + 0.3], color=COLOURS["ink"],
                      linewidth=2)  # fmt: skip
        if found.corrected.defined:
            axes.plot(found.corrected.value, y, marker="*", markersize=9, markerfacecolor="none",
                      markeredgecolor=COLOURS[perspective])  # fmt: skip
    if gap:
        names.append("gap, judge less writer, tau_b")
        _dot(axes, len(entries), findings.gap, "ink")
    for name, bar in bars:
        names.append(f"people, {label(name)}, tau_b")
        _dot(axes, len(names) - 1, bar, "human")
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_yticks(range(len(names)), names)
    axes.axvline(0, color=COLOURS["muted"], linewidth=1)
    axes.set_xlabel("correlation with the human profile")
    rows: list[tuple[str | float | None, ...]] = [
        (
            perspective, coefficient, *found.number.cells(), found.p_value,
            *found.ceiling.cells(), *found.corrected.cells(),
            found.number.reason or found.corrected.reason,
        )
        for perspective, coefficient, found in entries
    ]  # fmt: skip
    if gap or findings.gap.reason:
        rows.append(("gap", "tau_b", *findings.gap.cells(), *[None] * 7, findings.gap.reason))
    rows += [
        (f"people, {name.replace('_', ' ')}", "tau_b", *bar.cells(), *[None] * 7, bar.reason)
        for name, bar in findings.human_bar.items()
    ]  # fmt: skip
    yield _Sketch(
        "alignment",
        "Alignment with people",
        "Correlation of the model's profile with the human one, with 95 % intervals. The upright "
        "stroke is the ceiling: what two equal tastes would reach with so much sampling error. The "
        "star is an estimate without that error, where there is one.",
        "; ".join(
            f"{perspective} {coefficient} {interval(found.number)}"
            + (
                f", ceiling {decimal(found.ceiling.value)}"
                if found.ceiling.defined
                else ""
            )
            for perspective, coefficient, found in entries
        )
        + (f"; gap {interval(findings.gap)}" if gap else ""),
        ("perspective", "coefficient", "alignment", "low", "high", "p", "ceiling", "ceiling low",
         "ceiling high", "corrected", "corrected low", "corrected high", "note"),
        rows,
        drawing,
    )  # fmt: skip


def _adjusted(findings: Findings) -> Iterator[_Sketch]:
    perspectives = [
        p
        for p in PERSPECTIVES
        if p in findings.profiles
        and not all(i.adjusted.says_nothing for i in findings.profiles[p].influences.values())
    ]
    order = _order(findings)
    if not perspectives or not order:
        return
    from matplotlib.figure import Figure as Drawing

    drawing = Drawing(figsize=(_WIDTH, _ROW * len(order) + 0.95), layout="constrained")
    marginal, adjusted = drawing.subplots(1, 2, sharey=True)
    _dots(marginal, order, perspectives, lambda p, f: findings.profiles[p].influences[f].tau)
    _dots(adjusted, order, perspectives, lambda p, f: findings.profiles[p].influences[f].adjusted)
    marginal.set_xlim(-1.05, 1.05)
    marginal.set_xlabel("marginal: tau")
    adjusted.set_xlabel("adjusted: log-odds")
    # One wild interval must not flatten all the others; the table has its ends.
    values = [
        abs(v)
        for p in perspectives
        for i in findings.profiles[p].influences.values()
        if i.adjusted.has_interval
        for v in (i.adjusted.low, i.adjusted.high)
    ]
    if values:
        limit = 1.1 * float(np.quantile(values, 0.9))
        adjusted.set_xlim(-limit, limit)
    _name_factors(marginal, order, set())
    _legend(drawing, perspectives)
    yield _Sketch(
        "adjusted",
        "Marginal and adjusted influence",
        "Left, the influence of a factor as it stands; right, with all other factors held fixed "
        "(log-odds). A factor that is strong on the left and near 0 on the right goes along with "
        "another one. Where factors cannot be told apart there is none; the table says why.",
        f"Dots with intervals for {len(order)} factors, marginal on the left and adjusted on the "
        "right; the values are in the table.",
        ("factor", "perspective", "tau", "adjusted", "low", "high", "variance inflation", "note"),
        [
            (factor, p, none_for_nan(found.tau.value), *found.adjusted.cells(), found.vif,
             found.adjusted.reason)
            for factor in order
            for p in perspectives
            if (found := findings.profiles[p].influences.get(factor)) is not None
        ],
        drawing,
    )  # fmt: skip


def _correlation(findings: Findings) -> Iterator[_Sketch]:
    from matplotlib.figure import Figure as Drawing
    from matplotlib.patches import Rectangle

    for table, what in (("annotated", "annotated pairs"), ("written", "pairs the model wrote")):
        if table not in findings.texts.correlations or len(findings.factors) < 2:
            continue
        matrix, n = findings.texts.correlations[table], len(findings.factors)
        drawing = Drawing(figsize=(_WIDTH, _WIDTH), layout="constrained")
        axes = drawing.add_subplot()
        for i in range(n):
            for j in range(i + 1):
                r = matrix[i][j]
                if r is None:
                    axes.text(j, i, "×", ha="center", va="center", color=COLOURS["muted"])
                    continue
                axes.add_patch(Rectangle(
                    (j - 0.48, i - 0.48), 0.96, 0.96, linewidth=0, alpha=0.75 * abs(r),
                    facecolor=COLOURS["positive" if r >= 0 else "negative"],
                ))  # fmt: skip
                if i != j:
                    axes.text(j, i, ("−" if r < 0 else "") + f"{abs(r):.1f}".lstrip("0"),
                              ha="center", va="center", fontsize=7)  # fmt: skip
        names = [label(factor) for factor in findings.factors]
        axes.set_xlim(-0.5, n - 0.5)
        axes.set_ylim(n - 0.5, -0.5)
        axes.set_xticks(range(n), names, rotation=90, color=COLOURS["ink"])
        axes.set_yticks(range(n), names)
        axes.grid(visible=False)
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(length=0)
        strongest = sorted(
            ((abs(r), i, j) for i in range(n) for j in range(i) if (r := matrix[i][j]) is not None),
            reverse=True,
        )[:3]
        yield _Sketch(
            f"correlation-{table}",
            f"How factors go together in the {what}",
            "Correlation of the manifestations of two factors: near 1 (blue), the response that "
            "shows more of one shows more of the other; near −1 (brown), less. Pairs are not "
            "centred, since their order is arbitrary. × is not defined.",
            "Strongest: "
            + "; ".join(
                f"{names[i]} and {names[j]} {decimal(matrix[i][j] or 0)}" for _, i, j in strongest
            ),
            ("factor", *findings.factors),
            [(factor, *matrix[i]) for i, factor in enumerate(findings.factors)],
            drawing,
        )


def _lengths(findings: Findings) -> Iterator[_Sketch]:
    means = findings.mean_words
    targets = sorted(set(findings.texts.words) | set(means))
    if not targets:
        return
    drawing, axes = _axes(len(targets), row=0.4)
    shares = (0.05, 0.25, 0.5, 0.75, 0.95)
    rows: list[tuple[str | float | None, ...]] = []
    for y, target in enumerate(targets):
        lengths = findings.texts.words.get(target)
        mean = means.get(target)
        ends: list[float | None] = [None] * 5
        if lengths:
            low, first, median, third, high = (float(q) for q in np.quantile(lengths, shares))
            ends = [low, first, median, third, high]
            axes.plot((low, high), (y, y), color=COLOURS["generation"], linewidth=1.2)
            axes.barh(y, third - first, left=first, height=0.5, color=COLOURS["generation"],
                      alpha=0.45)  # fmt: skip
            axes.plot((median, median), (y - 0.25, y + 0.25), color=COLOURS["ink"], linewidth=1.6)
        if mean is not None:
            axes.plot(mean, y, marker="s", markersize=5, color=COLOURS["generation"])
        rows.append((target, len(lengths) if lengths else None, mean, *ends))
    axes.set_yticks(range(len(targets)), [f"score {target}" for target in targets])
    axes.set_ylim(len(targets) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.set_xlabel("words")
    yield _Sketch(
        "lengths",
        "Length by target score",
        "Lengths of the responses written for each target score: the square is the mean"
        + (
            ", the box holds the middle half with the median, the line nine in ten."
            if findings.texts.words
            else "; this file holds no single lengths."
        ),
        "Mean words: " + ", ".join(f"score {t} {means[t]:.0f}" for t in targets if t in means),
        ("target score", "responses", "mean", "5 %", "25 %", "median", "75 %", "95 %"),
        rows,
        drawing,
    )


def _rates(findings: Findings) -> Iterator[_Sketch]:
    found = [
        (metric.name, metric.label, "muted" if metric.of == "grader" else metric.of, number)
        for metric in CATALOGUE
        if metric.unit == "share"
        and metric.label
        and (number := findings.metrics.get(metric.name)) is not None
        and number.defined
    ]
    if not found:
        return
    drawing, axes = _axes(len(found), row=0.34)
    for y, (_, _, colour, number) in enumerate(found):
        axes.barh(y, number.value, height=0.55, color=COLOURS[colour], alpha=0.55)
        if number.has_interval:
            axes.plot((number.low, number.high), (y, y), color=COLOURS["ink"], linewidth=1.4)
        axes.text(1.02, y, f"{number.value:.1%}", va="center", fontsize=8)
    axes.set_yticks(range(len(found)), [text for _, text, _, _ in found])
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.set_xticks((0, 0.5, 1), ("0", "50 %", "100 %"))
    yield _Sketch(
        "rates",
        "Flip and missing rates",
        "Shares that tell how far the verdicts and texts can be relied on; a line is a 95 % "
        "interval, where there is one. Half of the verdicts for the first shown: no liking for a "
        "position.",
        "; ".join(f"{text} {number.value:.1%}" for _, text, _, number in found),
        ("rate", "meaning", "value", "low", "high"),
        [(name, text, *number.cells()) for name, text, _, number in found],
        drawing,
    )


def _order(findings: Findings) -> list[str]:
    """The factors of all perspectives, those that people follow most first."""
    reference = findings.profiles.get("human") or next(iter(findings.profiles.values()), None)
    if reference is None:
        return []

    def tau(factor: str) -> float:
        found = reference.influences[factor].tau
        return found.value if found.defined else -math.inf

    everywhere = set(reference.influences).intersection(
        *(profile.influences for profile in findings.profiles.values())
    )
    return sorted(everywhere, key=lambda factor: (-tau(factor), factor))


def _axes(rows: int, *, row: float = _ROW) -> "tuple[Drawing, Axes]":
    from matplotlib.figure import Figure as Drawing

    drawing = Drawing(figsize=(_WIDTH, row * rows + 0.95), layout="constrained")
    return drawing, drawing.add_subplot()


def _dots(
    axes: "Axes",
    order: Sequence[str],
    perspectives: Sequence[str],
    number: Callable[[str, str], Estimate],
) -> None:
    offsets = np.linspace(-0.24, 0.24, len(perspectives)) if len(perspectives) > 1 else [0.0]
    for y, factor in enumerate(order):
        for offset, perspective in zip(offsets, perspectives, strict=True):
            _dot(axes, y + float(offset), number(perspective, factor), perspective)
    axes.axvline(0, color=COLOURS["muted"], linewidth=1)
    axes.set_ylim(len(order) - 0.5, -0.5)


def _dot(axes: "Axes", y: float, number: Estimate, colour: str) -> None:
    if not number.defined:
        return
    if number.has_interval:
        axes.plot((number.low, number.high), (y, y), color=COLOURS[colour], linewidth=1.5)
    axes.plot(number.value, y, marker=_SHAPES.get(colour, "o"), markersize=4.8,
              color=COLOURS[colour], linestyle="none")  # fmt: skip


def _name_factors(axes: "Axes", order: Sequence[str], marked: set[str]) -> None:
    names = [f"{_MISALIGNED} {label(f)}" if f in marked else label(f) for f in order]
    axes.set_yticks(range(len(order)), names)
    for text, factor in zip(axes.get_yticklabels(), order, strict=True):
        if factor in marked:
            text.set_color(COLOURS["flag"])
            text.set_fontweight("bold")


def _legend(drawing: "Drawing", perspectives: Sequence[str]) -> None:
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


def _finished(sketch: _Sketch, *, files: bool) -> Figure:
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


def _svg(sketch: _Sketch) -> bytes:
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
