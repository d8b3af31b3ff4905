"""A leaderboard as Markdown, CSV, JSON, HTML, or rows for a terminal.

Names of models, data sets and files were written by others, so each form escapes them in its own
way.
"""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from profile_tasks.leaderboard.boards import HEADLINE, MARGIN, METHOD, Board, Row
from profile_tasks.report.cautions import Badge, run_badges
from profile_tasks.report.dots import Axis, Dot
from profile_tasks.report.web_page import packaged, web_page
from profile_tasks.runs.run import LIKELIHOOD, Run
from profile_tasks.runs.signature import shared_signature, signature
from profile_tasks.runs.words import first_named
from profile_tasks.scorers.statistics.estimate import flat_names
from profile_tasks.scorers.statistics.metric_catalogue import (
    CATALOGUE,
    OWN_PREFIX,
    higher_is_better,
    label,
)
from profile_tasks.untrusted_text import markdown_text, one_line, spreadsheet_cell

NAMED = 5
"""So many files that were left out are named where people read."""

_SHOWN = {metric.name: metric.column for metric in CATALOGUE if metric.column}
"""Metrics of the forms that people read, with their headings."""


@dataclass(frozen=True)
class Leaderboard:
    """Boards with what was left out of them.

    Attributes:
        sort: The metric that ranks the rows.
        boards: The boards.
        left_out: Files that report nothing, and superseded runs, each with the reason.
        margin: Models that are shown to differ by less are tied.
    """

    sort: str
    boards: tuple[Board, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    margin: float = MARGIN

    @property
    def method(self) -> str:
        """How places are found, in words."""
        return METHOD.format(margin=self.margin)


def shown_metrics(sort: str) -> dict[str, str]:
    """Metrics of the forms that people read, the ranking one first, with their headings."""
    return {sort: _SHOWN.get(sort, sort)} | _SHOWN


def value_text(run: Run, metric: str) -> str:
    """A metric with its interval, "–" where it has no value."""
    return " ".join(filter(None, _value_and_interval(run, metric)))


def _value_and_interval(run: Run, metric: str) -> tuple[str, str]:
    found = run.estimate(metric)
    if not found.defined:
        return "–", ""
    ends = found.ends_text("{:.2f}".format)
    return f"{found.value:.3f}", f"[{ends}]" if ends else ""


def places_text(row: Row) -> str:
    """The range of places: "2", "1-3", or "–" where there is none."""
    if row.places is None:
        return "–"
    best, worst = row.places
    return str(best) if best == worst else f"{best}-{worst}"


def setting_text(run: Run) -> str:
    """What was measured, and how the model judged where that was not in words."""
    named = run.setting == LIKELIHOOD or not run.judged_by_likelihood
    return run.setting if named else f"{run.setting}, by likelihood"


def standing_text(row: Row) -> str:
    """How many of the others are no better and no worse: "1 tied, 3 cannot tell"; else empty."""
    counts = {"tied": len(row.tied), "cannot tell": row.undecided}
    return ", ".join(f"{n} {words}" for words, n in counts.items() if n)


def title(board: Board) -> str:
    """What the rows of a board have in common."""
    return f"{board.task}, data {board.data}, factors: {', '.join(board.factors) or 'none'}"


def signatures(board: Board) -> list[str]:
    """The signatures of a board's rows; of those that differ in the model alone, one with ``*``."""
    alike: dict[str, list[Run]] = {}
    for row in board.rows:
        alike.setdefault(signature(replace(row.run, model="")), []).append(row.run)
    return [shared_signature(runs) for runs in alike.values()]


def printed_rows(board: Board, sort: str) -> list[dict[str, str]]:
    """The rows of a board as texts, by heading; probes where a judge was audited.

    Likewise what is of the texts that models wrote, where people judged them.
    """
    audited = any(row.run.audit or row.run.is_audit for row in board.rows)
    there = {metric for row in board.rows for metric in row.run.metrics}
    columns = {
        metric: heading
        for metric, heading in shown_metrics(sort).items()
        if metric == sort
        or (audited if metric.startswith("probe_") else metric in there)
        or not metric.startswith(("probe_", OWN_PREFIX))
    }
    return [
        {
            "place": places_text(row),
            "others": standing_text(row) or "–",
            "model": one_line(row.run.model),
            **{heading: value_text(row.run, m) for m, heading in columns.items()},
            "sources": _sources_text(row.run),
            "setting": one_line(setting_text(row.run)),
            "date": row.run.date[:10],
        }
        for row in board.rows
    ]


def terminal_rows(board: Board, sort: str) -> list[dict[str, str]]:
    """The same for a terminal: what ranks first, and no metric that no row has."""
    there = {m for row in board.rows for m in shown_metrics(sort) if row.run.estimate(m).defined}
    rows = []
    for row in board.rows:
        values = {
            heading: found.text(signed=False) if found.defined else "–"
            for metric, heading in shown_metrics(sort).items()
            if metric == sort or metric in there
            for found in [row.run.estimate(metric)]
        }
        first = next(iter(values))
        rows.append(
            {
                "model": one_line(row.run.model),
                "place": places_text(row),
                first: values.pop(first),
                "others": standing_text(row) or "–",
                **values,
                "sources": _sources_text(row.run),
            }
        )
    return rows


def board_words(board: Board, sort: str) -> str:
    """Who leads whom on a board, or that places are shared.

    Args:
        board: The board.
        sort: The metric that ranks.
    """
    ranked = [row for row in board.rows if row.places is not None]
    by = f"by {label(sort)}"
    if len(ranked) < 2:
        alone = f"only {ranked[0].run.model} has a place" if ranked else "no model has a place"
        return f"{alone} {by}"
    first = [row.run.model for row in ranked if row.places and row.places[0] == 1]
    behind = [row.run.model for row in ranked if row.places and row.places[0] > 1]
    leaders, others = first_named(first, NAMED), first_named(behind, NAMED)
    if len(first) == 1:
        return f"{leaders} leads {by}, ahead of all others: {others}"
    if behind:
        return f"{leaders} share the first place {by}; behind at least one: {others}"
    if all(row.places == (1, len(ranked)) for row in ranked):
        tied = sum(len(row.tied) for row in ranked) // 2
        told = f", and {tied} pair{'s' * (tied != 1)} of them tied" if tied else ""
        return f"places are shared {by}: none of {len(ranked)} models is told to be better{told}"
    return f"{leaders} share the first place {by}"


def _sources_text(run: Run) -> str:
    """How many sources there were, and how many of their pairs tell of the model as a judge."""
    if run.sources is None:
        return "–"
    decided = run.estimate("discrimination_decided_pairs")
    if not decided.defined:
        return f"{run.sources:,}"
    return f"{run.sources:,} ({decided.value:,.0f} decided pairs)"


def left_out_lines(board: Leaderboard) -> list[str]:
    """What was left out, in words; JSON and HTML name every file."""
    lines = [f"left out: {one_line(file)}: {one_line(why)}" for file, why in board.left_out[:NAMED]]
    if more := len(board.left_out) - len(lines):
        lines.append(f"left out: {more} more, which --format json names")
    return lines


# Markdown ----------------------------------------------------------------------------------------


def markdown_tables(board: Leaderboard) -> str:
    """The boards as Markdown tables, each with its notes."""
    parts = []
    for each in board.boards:
        rows = printed_rows(each, board.sort)
        lines = [
            f"### {markdown_text(title(each))}",
            "",
            _md_row(rows[0]),
            "|---|---" + "|--:" * 6 + "|",
        ]
        words = ("others", "model", "setting")
        lines[3] = "|" + "|".join("---" if c in words else "--:" for c in rows[0])
        lines[3] += "|"
        lines += [_md_row(row.values()) for row in rows]
        lines += ["", *(f"- {markdown_text(note)}" for note in each.notes)]
        lines += [f"- `{line}`" for line in signatures(each)]
        parts.append("\n".join(lines))
    ending = [f"Ranked by {markdown_text(board.sort)}, with 95 % intervals. {board.method}"]
    if said := left_out_lines(board):
        ending += ["", *(f"- {markdown_text(note)}" for note in said)]
    return "\n\n".join([*parts, "\n".join(ending)]) + "\n"


def _md_row(cells: Any) -> str:  # noqa: ANN401 - any iterable of texts
    return "| " + " | ".join(map(markdown_text, cells)) + " |"


# CSV ---------------------------------------------------------------------------------------------


def csv_text(board: Leaderboard) -> str:
    """One flat row a run, with every metric as a column; empty where it is not defined."""
    rows = [row for each in board.boards for row in each.rows]
    conditions = list(dict.fromkeys(name for row in rows for name in row.run.conditions))
    metrics = _metric_names(board)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_facts(rows[0]), *conditions, *metrics])
    for row in rows:
        facts = [*_facts(row).values(), *(row.run.conditions.get(name) for name in conditions)]
        writer.writerow(
            [
                *(_cell(fact) for fact in facts),
                *("" if (v := row.run.metrics.get(name)) is None else v for name in metrics),
            ]
        )
    return text.getvalue()


def _cell(fact: object) -> object:
    """A cell that no spreadsheet takes for a formula."""
    if isinstance(fact, tuple):
        fact = " ".join(fact)
    if isinstance(fact, str):
        return spreadsheet_cell(fact)
    return "" if fact is None else fact


# JSON --------------------------------------------------------------------------------------------


def json_text(board: Leaderboard) -> str:
    """Everything, as strict JSON: what is not defined is null."""
    record = {
        "sort": board.sort,
        "method": board.method,
        "margin": board.margin,
        "boards": [
            {
                "task": each.task,
                "data": each.data,
                "factors": list(each.factors),
                "notes": list(each.notes),
                "rows": [
                    _facts(row)
                    | {
                        "conditions": dict(row.run.conditions),
                        "metrics": {name: row.run.metrics.get(name) for name in names},
                    }
                    for row in each.rows
                ],
            }
            for each in board.boards
            for names in [_metric_names(Leaderboard(board.sort, (each,)))]
        ],
        "left_out": [{"file": file, "why": why} for file, why in board.left_out],
    }
    return json.dumps(record, indent=2, allow_nan=False) + "\n"


def _facts(row: Row) -> dict[str, Any]:
    """What a row says beside its conditions and metrics."""
    best, worst = row.places or (None, None)
    run = row.run
    return {
        "rank_low": best,
        "rank_high": worst,
        "tied": row.tied,
        "undecided": row.undecided,
        "model": run.model,
        "not_live": run.not_live,
        "task": run.task,
        "setting": run.setting,
        "data": run.data,
        "sources": run.sources,
        "factors": run.factors,
        "harness": run.harness,
        "date": run.date,
        "file": run.file,
        "audit": None if run.audit is None else run.audit.file,
        "signature": signature(run),
    }


def _metric_names(board: Leaderboard) -> list[str]:
    """Every metric of the rows: the ranking one and the headline first, with their intervals."""
    runs: Sequence[Run] = [row.run for each in board.boards for row in each.rows]
    every = sorted({name for run in runs for name in run.metrics})
    first = [
        name
        for metric in dict.fromkeys([board.sort, *HEADLINE])
        for name in flat_names(metric)
        if name in every
    ]
    return list(dict.fromkeys([*first, *every]))


# HTML --------------------------------------------------------------------------------------------


def html(board: Leaderboard) -> str:
    """One self-contained page: a board a metric, all of its intervals on one axis."""
    headings = shown_metrics(board.sort)
    runs = [row.run for each in board.boards for row in each.rows]
    return web_page(
        packaged("leaderboard.html", "profile_tasks.leaderboard"),
        sort=board.sort,
        method=board.method,
        left_out=[tuple(map(one_line, left_out)) for left_out in board.left_out],
        metrics={
            f"metric-{number}": {
                "name": metric,
                "heading": headings[metric],
                "better": _BETTER[higher_is_better(metric)],
                "axis": (axis := Axis.holding(run.estimate(metric) for run in runs)),
                "boards": [
                    (_html_title(each), [_html_row(row, metric, axis) for row in rows])
                    for each in board.boards
                    for rows in [each.rows if metric == board.sort else _by(each.rows, metric)]
                ],
            }
            for number, metric in enumerate(headings, 1)
            if metric == board.sort or any(run.estimate(metric).defined for run in runs)
        },
        boards=[
            {
                "title": _html_title(each),
                "factors": [one_line(factor) for factor in each.factors],
                "notes": [one_line(note) for note in each.notes],
                "signatures": signatures(each),
            }
            for each in board.boards
        ],
    )


_BETTER = {
    True: "More is better.",
    False: "Less is better.",
    None: "Neither side is better.",
}


def _html_title(board: Board) -> str:
    return one_line(f"{board.task} · {board.data}")


def _by(rows: Sequence[Row], metric: str) -> list[Row]:
    """The rows in the order of a metric, the best first; where no side is better, the greatest."""
    sign = 1 if higher_is_better(metric) is False else -1
    found = [(row.run.metrics.get(metric), row) for row in rows]
    known = sorted((sign * value, at) for at, (value, _) in enumerate(found) if value is not None)
    return [rows[at] for _, at in known] + [row for value, row in found if value is None]


def _html_row(row: Row, metric: str, axis: Axis) -> dict[str, Any]:
    run = row.run
    text, interval = _value_and_interval(run, metric)
    found = run.estimate(metric)
    return {
        "places": places_text(row),
        "standing": standing_text(row),
        "best": None if row.places is None else row.places[0],
        "model": one_line(run.model),
        "badges": [Badge(b.word, one_line(b.sentence)) for b in run_badges(run)],
        "text": text,
        "interval": interval,
        "value": run.metrics.get(metric),
        "dots": [Dot.of("value", found, axis)] if found.defined else [],
        "sources": run.sources,
        "setting": one_line(setting_text(run)),
        "date": run.date,
        "file": one_line(run.file),
        "harness": run.harness,
    }
