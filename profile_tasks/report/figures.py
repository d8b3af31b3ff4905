"""Which figures a report has, and what each one shows, with the table it was drawn from."""

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from profile_tasks.report.drawing import (
    COLOURS,
    MISALIGNED,
    ROW,
    STYLE,
    WIDTH,
    Figure,
    Sketch,
    add_legend,
    draw_dot,
    draw_dots,
    finished,
    name_factors,
    rows_of_axes,
)
from profile_tasks.report.findings import Findings
from profile_tasks.report.headline import decimal, in_words, interval, n_factors, told_apart
from profile_tasks.report.report_data import NOTHING
from profile_tasks.runs.run import PERSPECTIVES
from profile_tasks.scorers.statistics.alignment import COEFFICIENTS
from profile_tasks.scorers.statistics.estimate import Estimate, none_for_nan
from profile_tasks.scorers.statistics.metric_catalogue import CATALOGUE
from profile_tasks.scorers.statistics.study import GAP, GAP_PARTS

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing


def figures(findings: Findings, *, files: bool = False) -> list[Figure]:
    """Every figure that a run's numbers allow, the central one first.

    Args:
        findings: One model on one task.
        files: Whether to keep them as SVG and PNG files too.
    """
    from matplotlib import rc_context

    drawn = []
    # A text may hold characters that the measuring font lacks; the reader's own font has them.
    with rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+")
        for draw in (
            _scores,
            _own_scores,
            _ranking,
            _alignment,
            _adjusted,
            _correlation,
            _lengths,
            _rates,
        ):
            drawn += [finished(sketch, files=files) for sketch in draw(findings)]
    return drawn


def _scores(findings: Findings) -> Iterator[Sketch]:
    perspectives = [p for p in PERSPECTIVES if p in findings.profiles]
    order = _order(findings)
    if not order:
        return
    apart = {
        p: set(told_apart(findings, p)) for p in findings.compared if "human" in findings.profiles
    }
    drawing, axes = rows_of_axes(len(order))
    draw_dots(axes, order, perspectives, lambda p, f: findings.profiles[p].influences[f].tau)
    axes.set_xlim(-1.05, 1.05)
    axes.set_xticks((-1, -0.5, 0, 0.5, 1))
    axes.set_xlabel("influence tau")
    name_factors(axes, order, set().union(*apart.values()) if apart else set())
    add_legend(drawing, perspectives)
    rows: list[tuple[str | float | None, ...]] = []
    for factor in order:
        for perspective in perspectives:
            found = findings.profiles[perspective].influences.get(factor)
            if found is None:
                continue
            difference = findings.differences.get(perspective, {}).get(factor)
            beside = (
                None if difference is None else none_for_nan(difference.number.value),
                None if difference is None else difference.p_holm,
            )
            rows.append(
                (
                    factor,
                    perspective,
                    *found.tau.cells(),
                    found.n,
                    found.concordant,
                    found.discordant,
                    found.tied,
                    found.missing,
                    found.groups,
                    found.p_holm,
                    *(beside if apart else ()),
                    found.tau.reason,
                )
            )
    yield Sketch(
        "scores",
        "Factor scores",
        "How strongly each preference follows a factor: 1, the preferred response always shows "
        "more of it; −1, always less. Bars are 95 % intervals, clustered by source. "
        + (_marked(findings) if apart else ""),
        _alt_scores(findings, order, perspectives, apart),
        (
            "factor",
            "perspective",
            "tau",
            "low",
            "high",
            "pairs",
            "concordant",
            "discordant",
            "tied",
            "missing",
            "groups",
            "p (Holm)",
            *(("difference to human", "its p (Holm)") if apart else ()),
            "note",
        ),
        rows,
        drawing,
    )


def _own_scores(findings: Findings) -> Iterator[Sketch]:
    """The same on the pairs that the model wrote, where people judged them."""
    for sketch in _scores(findings.own) if findings.own is not None else ():
        yield replace(
            sketch,
            name="own-scores",
            title="Factor scores on the texts that the model wrote",
            caption="People, judge and writer on the same texts: the model's own pairs that people "
            f"judged. {sketch.caption}",
        )


def _marked(findings: Findings) -> str:
    if findings.told_of not in findings.compared:
        return ""
    who = "writer" if findings.same_texts else "judge"
    if not findings.tastes:
        return (
            f"{MISALIGNED} marks factors in which the intervals of the {who} and of people do not "
            "overlap, be it by taste or by consistency."
        )
    return (
        f"{MISALIGNED} marks factors in which the {who} differs from people in taste (5 %, after "
        "one scale, adjusted over the factors)."
    )


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
                f"{perspective}: greatest {in_words(top)} {decimal(taus[top])}, "
                f"least {in_words(low)} {decimal(taus[low])}"
            )
    for perspective, names in apart.items():
        if names:
            listed = ", ".join(in_words(factor) for factor in order if factor in names)
            parts.append(f"differs from people in {perspective}: {listed}")
    return f"Dots with intervals for {n_factors(len(order))}. " + ". ".join(parts) + "."


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
        axes.text(
            x,
            -0.85,
            perspective,
            ha="center",
            va="center",
            weight="bold",
            color=COLOURS[perspective],
            fontsize=10,
        )
        for factor, place in places[perspective].items():
            rank = ranked[perspective][factor]
            tau = findings.profiles[perspective].influences[factor].tau
            marked = factor in apart.get(perspective, ())
            axes.text(
                x,
                place - 0.16,
                in_words(factor) + (f" {MISALIGNED}" if marked else ""),
                ha="center",
                va="center",
                fontsize=8.5,
                weight="bold" if marked else "normal",
                color=COLOURS["flag" if marked else "ink"],
            )
            ends = rank.ends_text("{:g}".format, "–")
            bounds = f", rank {ends}" if ends else ""
            axes.text(
                x,
                place + 0.22,
                f"{decimal(tau.value)}{bounds}",
                ha="center",
                va="center",
                fontsize=7.5,
                color=COLOURS["muted"],
            )
    return drawing


def _ranking_row(
    factor: str, ranked: Mapping[str, Mapping[str, Estimate]], apart: Mapping[str, set[str]]
) -> tuple[str | float | None, ...]:
    ranks = [found.get(factor, NOTHING) for found in ranked.values()]
    return (
        factor,
        *(cell for rank in ranks for cell in rank.cells()),
        *("yes" if factor in apart.get(p, ()) else "no" for p in ranked if p == "discrimination"),
    )


def _ranking(findings: Findings) -> Iterator[Sketch]:
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
    yield Sketch(
        "ranking",
        "Ranking of the factors",
        "From the factor that a preference follows most (top) to the one it goes against most, "
        "with tau and the 95 % interval of the rank. " + _marked(findings),
        "Ranked lists side by side. "
        + " ".join(
            f"{p}: {', '.join(in_words(f) for f in sorted(places[p], key=places[p].__getitem__))}."
            for p in perspectives
        ),
        (
            "factor",
            *(f"{p} {what}" for p in perspectives for what in ("rank", "low", "high")),
            *(f"{p} differs from people" for p in perspectives if p == "discrimination"),
        ),
        [_ranking_row(factor, ranked, apart) for factor in _order(findings)],
        drawing,
        wide=True,
    )


def _alignment(findings: Findings) -> Iterator[Sketch]:
    own = findings.own or replace(findings, alignments={}, gap={})
    entries = [
        (whose, coefficient, found[coefficient])
        for whose, found in (
            ("self-agreement", findings.self_agreement),
            *((f"{p}, own texts", found) for p, found in own.alignments.items()),
            *((p, findings.alignments.get(p, {})) for p in findings.compared),
        )
        for coefficient in COEFFICIENTS
        if coefficient in found
    ]
    if not entries:
        return
    every_gap = [("gap on the same texts", each) for each in own.gap.values()]
    every_gap += [(_GAP_NAMES[name], number) for name, number in findings.gap.items()]
    gaps = [(name, number) for name, number in every_gap if number.defined]
    bars = [(name, bar) for name, bar in findings.human_bar.items() if bar.defined]
    drawing, axes = rows_of_axes(len(entries) + len(gaps) + len(bars), row=0.36)
    names = []
    for y, (whose, coefficient, found) in enumerate(entries):
        names.append(f"{whose}, {coefficient}")
        draw_dot(axes, y, found.number, whose if whose in COLOURS else "ink")
        if found.disattenuated.defined:
            axes.plot(
                found.disattenuated.value,
                y,
                marker="*",
                markersize=9,
                markerfacecolor="none",
                color=COLOURS[whose if whose in COLOURS else "ink"],
                linestyle="none",
            )
    for name, number in gaps:
        names.append(f"{name}, tau_b")
        draw_dot(axes, len(names) - 1, number, "ink")
    for name, bar in bars:
        names.append(f"people, {in_words(name)}, tau_b")
        draw_dot(axes, len(names) - 1, bar, "human")
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_yticks(range(len(names)), names)
    axes.axvline(0, color=COLOURS["muted"], linewidth=1)
    axes.set_xlabel("correlation of two profiles")
    rows: list[tuple[str | float | None, ...]] = [
        (
            whose,
            coefficient,
            *found.number.cells(),
            none_for_nan(found.disattenuated.value),
            found.unrelated if coefficient == "pearson" else None,
            *(found.distance.cells() if coefficient == "pearson" else [None] * 3),
            found.number.reason or found.disattenuated.reason,
        )
        for whose, coefficient, found in entries
    ]
    rows += [
        (name, "tau_b", *number.cells(), *[None] * 5, number.reason)
        for name, number in every_gap
        if number.defined or number.reason
    ]
    rows += [
        (f"people, {in_words(name)}", "tau_b", *bar.cells(), *[None] * 5, bar.reason)
        for name, bar in findings.human_bar.items()
    ]
    yield Sketch(
        "alignment",
        "Alignment",
        "Correlation of two profiles: of the model as judge and as writer of the same texts "
        "(self-agreement, without the sampling noise), and of each with people's. A dot is what "
        "was observed, its line the 95 % interval of the true correlation, the star an estimate of "
        "it without the noise. The writer is held against people across different texts, which "
        "even one taste does not make 1; where people judged the model's own texts, both are held "
        "against them on these. Distance: root mean square difference of the influences.",
        "; ".join(
            f"{whose} {coefficient} {interval(found.number)}"
            for whose, coefficient, found in entries
        )
        + "".join(f"; {name} {interval(number)}" for name, number in gaps),
        (
            "whose",
            "coefficient",
            "alignment",
            "low",
            "high",
            "without noise",
            "unrelated tastes as close",
            "distance",
            "distance low",
            "distance high",
            "note",
        ),
        rows,
        drawing,
    )


_GAP_NAMES = {
    GAP: "gap, judge less writer",
    GAP_PARTS[0]: "gap: shift of texts",
    GAP_PARTS[1]: "gap: taste",
}


_CONTROLLED = (
    *("systems held fixed", "its low", "its high", "share of variance by systems", "its note"),
)


def _adjusted(findings: Findings) -> Iterator[Sketch]:
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

    influences = {p: findings.profiles[p].influences for p in perspectives}
    every = [i for found in influences.values() for i in found.values()]
    controlled = not all(i.controlled.says_nothing for i in every)
    drawing = Drawing(figsize=(WIDTH, ROW * len(order) + 0.95), layout="constrained")
    marginal, adjusted, *systems = drawing.subplots(1, 3 if controlled else 2, sharey=True)
    draw_dots(marginal, order, perspectives, lambda p, f: influences[p][f].tau)
    draw_dots(adjusted, order, perspectives, lambda p, f: influences[p][f].adjusted)
    for axes in systems:
        draw_dots(axes, order, perspectives, lambda p, f: influences[p][f].controlled)
        axes.set_xlabel("systems held fixed")
    marginal.set_xlim(-1.05, 1.05)
    marginal.set_xlabel("marginal: tau")
    adjusted.set_xlabel("adjusted: log-odds")
    # One wild interval must not flatten all the others; the table has its ends.
    values = [
        abs(v)
        for i in every
        for found in (i.adjusted, i.controlled)
        if found.has_interval
        for v in (found.low, found.high)
    ]
    if values:
        limit = 1.1 * float(np.quantile(values, 0.9))
        for axes in (adjusted, *systems):
            axes.set_xlim(-limit, limit)
    name_factors(marginal, order, set())
    add_legend(drawing, perspectives)
    yield Sketch(
        "adjusted",
        "Marginal and adjusted influence",
        "Left, the influence of a factor as it stands; right, with all other factors held fixed "
        "(log-odds). A factor that is strong on the left and near 0 on the right goes along with "
        "another one. Where factors cannot be told apart there is none; the table says why."
        + (
            " Farthest right, the strengths of the systems that wrote the responses are held fixed "
            "too: a factor that is near 0 only there came from which system is better." * controlled
        ),
        f"Dots with intervals for {n_factors(len(order))}, marginal on the left and adjusted "
        "on the right; the values are in the table.",
        (
            *("factor", "perspective", "tau", "adjusted", "low", "high", "variance inflation"),
            "note",
            *(_CONTROLLED if controlled else ()),
        ),
        [
            (
                factor,
                p,
                none_for_nan(found.tau.value),
                *found.adjusted.cells(),
                found.vif,
                found.adjusted.reason,
                *(
                    (*found.controlled.cells(), found.system_share, found.controlled.reason)
                    if controlled
                    else ()
                ),
            )
            for factor in order
            for p in perspectives
            if (found := influences[p].get(factor)) is not None
        ],
        drawing,
    )


def _correlation(findings: Findings) -> Iterator[Sketch]:
    from matplotlib.figure import Figure as Drawing
    from matplotlib.patches import Rectangle

    for table, what in (("annotated", "annotated pairs"), ("written", "pairs the model wrote")):
        if table not in findings.texts.correlations or len(findings.factors) < 2:
            continue
        matrix, n = findings.texts.correlations[table], len(findings.factors)
        drawing = Drawing(figsize=(WIDTH, WIDTH), layout="constrained")
        axes = drawing.add_subplot()
        for i in range(n):
            for j in range(i + 1):
                r = matrix[i][j]
                if r is None:
                    axes.text(j, i, "×", ha="center", va="center", color=COLOURS["muted"])
                    continue
                axes.add_patch(
                    Rectangle(
                        (j - 0.48, i - 0.48),
                        0.96,
                        0.96,
                        linewidth=0,
                        alpha=0.75 * abs(r),
                        facecolor=COLOURS["positive" if r >= 0 else "negative"],
                    )
                )
                if i != j:
                    axes.text(
                        j,
                        i,
                        ("−" if r < 0 else "") + f"{abs(r):.1f}".lstrip("0"),
                        ha="center",
                        va="center",
                        fontsize=7,
                    )
        names = [in_words(factor) for factor in findings.factors]
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
        yield Sketch(
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


def _lengths(findings: Findings) -> Iterator[Sketch]:
    means = findings.mean_words
    targets = sorted(set(findings.texts.words) | set(means))
    if not targets:
        return
    drawing, axes = rows_of_axes(len(targets), row=0.4)
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
            axes.barh(
                y, third - first, left=first, height=0.5, color=COLOURS["generation"], alpha=0.45
            )
            axes.plot((median, median), (y - 0.25, y + 0.25), color=COLOURS["ink"], linewidth=1.6)
        if mean is not None:
            axes.plot(mean, y, marker="s", markersize=5, color=COLOURS["generation"])
        rows.append((target, len(lengths) if lengths else None, mean, *ends))
    axes.set_yticks(range(len(targets)), [f"score {target}" for target in targets])
    axes.set_ylim(len(targets) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.set_xlabel("words")
    yield Sketch(
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


def _rates(findings: Findings) -> Iterator[Sketch]:
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
    drawing, axes = rows_of_axes(len(found), row=0.34)
    for y, (_, _, colour, number) in enumerate(found):
        axes.barh(y, number.value, height=0.55, color=COLOURS[colour], alpha=0.55)
        if number.has_interval:
            axes.plot((number.low, number.high), (y, y), color=COLOURS["ink"], linewidth=1.4)
        axes.text(1.02, y, f"{number.value:.1%}", va="center", fontsize=8)
    axes.set_yticks(range(len(found)), [text for _, text, _, _ in found])
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.set_xticks((0, 0.5, 1), ("0", "50 %", "100 %"))
    yield Sketch(
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
