"""What the functions of the Python API return: numbers as tidy rows, shown as a table or a figure.

Names come from data, models and files: whatever they hold, they show as text.
"""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

from profile_tasks.report.headline import in_words, interval
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.untrusted_text import one_line, shown

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = (
    "quantity",
    "task",
    "model",
    "perspective",
    "factor",
    "slice",
    "estimate",
    "low",
    "high",
    "n",
    "reason",
)
"""The columns of every frame, in their order."""

INFLUENCE, DIFFERENCE = "influence", "difference"
IN_SLICE, LESS_ELSEWHERE = "influence_in_slice", "difference_in_slice"

PEOPLE = "people"
"""The model of rows about people's preference."""

_FOUND_FIRST = (
    "self_agreement_pearson",
    "alignment_tau_b",
    "discrimination_accuracy_half_credit",
)
"""Of a result's other quantities, those that are shown above the table."""

_LEAST_WIDTH = 80
_MOST_FACTORS = 30
_MOST_SERIES = 6
_MOST_TOLD = 5
_MOST_WORDS = 3


@dataclass(frozen=True)
class Row:
    """One number of a result.

    Attributes:
        quantity: What it is, e.g. "influence"; docs/python.md lists them.
        number: Its value with the interval, or why there is none.
        task: Of which task; None where the data name none.
        model: Whose it is: a model, "people" or a recorded judge.
        perspective: In which role: "human", "discrimination", "generation", "own" or "recorded";
            None where it is of the whole run.
        factor: Of which factor; None where it is of all.
        slice: In which slice, as "column: label"; None of the whole.
        n: Pairs behind an influence, factors behind an alignment, verdicts behind a judge's shares;
            None elsewhere.
    """

    quantity: str
    number: Estimate
    task: str | None = None
    model: str | None = None
    perspective: str | None = None
    factor: str | None = None
    n: int | None = None
    slice: str | None = None


@dataclass(frozen=True)
class Series:
    """Numbers by factor that belong together: one column of the table, one mark in the figure."""

    label: str
    task: str | None
    perspective: str | None
    numbers: Mapping[str, Estimate]


@dataclass(frozen=True, repr=False, eq=False)
class Result:
    """Numbers with their intervals.

    Attributes:
        title: What they are of, in one line.
        rows: Every number.
        words: What they say, in sentences, where that is told.
        notes: What was left out, and what is not a model's or not live.
        record: The JSON behind it, with p-values, counts and verdicts.
        drawn: The quantity that the table and the figure show.
        signature: What they are of, in one line to copy into a paper (docs/metrics.md); of several
            runs one a run.
    """

    title: str
    rows: tuple[Row, ...]
    words: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict)
    drawn: str = INFLUENCE
    signature: str = ""

    def frame(self) -> "pd.DataFrame":
        """Every number as one row, with the columns of ``COLUMNS``.

        ``estimate``, ``low`` and ``high`` are floats, NaN where they are not defined, which
        ``reason`` then explains; ``n`` is a whole number, or missing; the others are texts, or
        missing.
        """
        import pandas as pd

        frame = pd.DataFrame(
            [
                (
                    row.quantity,
                    row.task,
                    row.model,
                    row.perspective,
                    row.factor,
                    row.slice,
                    row.number.value,
                    row.number.low,
                    row.number.high,
                    row.n,
                    row.number.reason,
                )
                for row in self.rows
            ],
            columns=list(COLUMNS),
        )
        texts = dict.fromkeys((*COLUMNS[:6], "reason"), "string")
        floats = dict.fromkeys(("estimate", "low", "high"), "float64")
        return frame.astype({**texts, **floats, "n": "Int64"})

    def plot(
        self,
        ax: "Axes | None" = None,
        *,
        quantity: str | None = None,
        models: Sequence[str] | None = None,
        perspectives: Sequence[str] | None = None,
        factors: Sequence[str] | None = None,
    ) -> "Axes":
        """Draw the numbers by factor as dots with their 95 % intervals.

        Args:
            ax: Axes to draw on; None: a new figure of pyplot's, as high as the factors need.
            quantity: Which one, by its name in the frame; None: the one that the table shows.
            models: Only these, as the frame names them, "people" among them.
            perspectives: Only these, as the frame names them.
            factors: Only these, in this order; None: all, from the greatest value down.

        Returns:
            The axes; ``ax.figure.savefig("profile.svg")`` writes them for a paper.

        Raises:
            ValueError: The result does not hold the quantity by factor, or not the models or
                factors; or there are more series than can be told apart.
        """
        from profile_tasks.notebook.plot import draw

        name = self.drawn if quantity is None else quantity
        series = self.series(name, models, perspectives)
        known = dict.fromkeys(factor for each in series for factor in each.numbers)
        if unknown := [factor for factor in factors or () if factor not in known]:
            raise ValueError(f"no factor {unknown[0]!r} here; there are: {', '.join(known)}")
        if len(series) > _MOST_SERIES:
            raise ValueError(
                f"{len(series)} series cannot be told apart in one figure, at most {_MOST_SERIES}; "
                "choose some with models=[...] and perspectives=[...]: "
                + ", ".join(each.label for each in series)
            )
        order = list(factors or _from_the_greatest(series, list(known)))
        return draw(series, order, name, ax, mark=self._mark())

    def series(
        self,
        quantity: str,
        models: Sequence[str] | None = None,
        perspectives: Sequence[str] | None = None,
    ) -> list[Series]:
        """The numbers of one quantity by factor, apart by task, model, perspective and slice.

        Args:
            quantity: As of ``plot``.
            models: As of ``plot``.
            perspectives: As of ``plot``.

        Raises:
            ValueError: As of ``plot``.
        """
        rows = [row for row in self.rows if row.quantity == quantity and row.factor is not None]
        if not rows:
            held = dict.fromkeys(row.quantity for row in self.rows if row.factor is not None)
            raise ValueError(f"{quantity!r} is not here by factor; there are: {', '.join(held)}")
        for what, wanted in (("model", models), ("perspective", perspectives)):
            there = dict.fromkeys(getattr(row, what) for row in rows)
            if unknown := [name for name in wanted or () if name not in there]:
                held_names = ", ".join(map(str, there))
                raise ValueError(f"no {what} {unknown[0]!r} here; there are: {held_names}")
            if wanted is not None:
                rows = [row for row in rows if getattr(row, what) in wanted]
        found: dict[_Key, dict[str, Estimate]] = {}
        for row in rows:
            key = (row.task, row.model, row.perspective, row.slice)
            found.setdefault(key, {})[str(row.factor)] = row.number
        labels = _labels(list(found))
        return [
            Series(label, task, perspective, numbers)
            for label, ((task, _, perspective, _), numbers) in zip(
                labels, found.items(), strict=True
            )
        ]

    def __repr__(self) -> str:
        width = max(_LEAST_WIDTH, get_terminal_size((_LEAST_WIDTH, 24)).columns)
        told = [f"{name}: {text}" for name, text in self._found()]
        lines = [
            *_wrapped(self.title, width),
            *(line for note in self.notes for line in _wrapped(f"note: {note}", width)),
            *(line for said in self.words[:_MOST_WORDS] for line in _wrapped(f"- {said}", width)),
            *(line for each in told for line in _wrapped(each, width)),
        ]
        for quantity in self._tabled():
            heads, body = self._table(quantity)
            lines += ["", f"{in_words(quantity)} by factor [95 %]", *_columns(heads, body, width)]
            left = self._left_over(quantity, len(heads) - 1)
            lines += [line for each in left for line in _wrapped(each, width)]
        lines += [line for each in self._others() for line in _wrapped(each, width)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        told = [*(f"note: {note}" for note in self.notes), *self.words[:_MOST_WORDS]]
        told += [f"{name}: {text}" for name, text in self._found()]

        def cells(kind: str, texts: Sequence[str]) -> str:
            return "".join(f"<{kind}>{escape(shown(text))}</{kind}>" for text in texts)

        def table(quantity: str) -> Iterator[str]:
            heads, body = self._table(quantity)
            yield f"<table><caption>{escape(in_words(quantity))} by factor [95 %]</caption>"
            yield f"<thead><tr>{cells('th', heads)}</tr></thead><tbody>"
            yield from (f"<tr>{cells('td', row)}</tr>" for row in body)
            yield "</tbody></table>"
            left = self._left_over(quantity, len(heads) - 1)
            yield from (f"<p>{escape(shown(text))}</p>" for text in left)

        return "".join(
            [
                f"<p><strong>{escape(shown(self.title))}</strong></p>",
                *(f"<p>{escape(shown(text))}</p>" for text in told),
                *(part for quantity in self._tabled() for part in table(quantity)),
                *(f"<p>{escape(shown(text))}</p>" for text in self._others()),
                *(f"<p><code>{escape(line)}</code></p>" for line in self.signature.splitlines()),
            ]
        )

    def _tabled(self) -> list[str]:
        """The quantities that have a table: what is drawn, and the same by slice."""
        return [self.drawn, *([IN_SLICE] if any(r.quantity == IN_SLICE for r in self.rows) else [])]

    def _table(self, quantity: str) -> tuple[list[str], list[list[str]]]:
        """Heads and rows of the table of a quantity: a factor a row, a series a column."""
        if not any(row.quantity == quantity and row.factor is not None for row in self.rows):
            return ["factor"], []
        series = self.series(quantity)
        factors = list(dict.fromkeys(factor for each in series for factor in each.numbers))
        kept = series[:_MOST_SERIES]
        return (
            ["factor", *(each.label for each in kept)],
            [
                [
                    in_words(factor),
                    *(
                        interval(each.numbers[factor]) if factor in each.numbers else ""
                        for each in kept
                    ),
                ]
                for factor in factors[:_MOST_FACTORS]
            ],
        )

    def _found(self) -> list[tuple[str, str]]:
        """The first of the other numbers, each with its name."""
        return [
            (
                " ".join(filter(None, (row.quantity, row.model, row.perspective))),
                interval(row.number)
                + (
                    f" ({row.number.reason})"
                    if not row.number.defined and row.number.reason
                    else ""
                ),
            )
            for row in self.rows
            if row.quantity in _FOUND_FIRST
        ][:_MOST_TOLD]

    def _mark(self) -> str:
        """What a note says in capitals at its beginning: that numbers are simulated or recorded."""
        begins = [note.partition(":")[0] for note in self.notes]
        return ", ".join(dict.fromkeys(begin for begin in begins if begin.isupper()))

    def _left_over(self, quantity: str, shown_series: int) -> list[str]:
        """What the table of a quantity does not show, in words."""
        lines = []
        drawn = [r for r in self.rows if r.quantity == quantity and r.factor is not None]
        factors = len({row.factor for row in drawn})
        series = len({(row.task, row.model, row.perspective, row.slice) for row in drawn})
        for what, more in (
            ("factors", factors - _MOST_FACTORS),
            ("columns", series - shown_series),
        ):
            if more > 0:
                lines.append(f"{more} more {what} in .frame()")
        reasons: dict[str, list[str]] = {}
        for row in drawn:
            if row.number.reason and not row.number.has_interval:
                reasons.setdefault(row.number.reason, []).append(in_words(str(row.factor)))
        lines += [
            f"{', '.join(dict.fromkeys(which))}: {reason}" for reason, which in reasons.items()
        ][:_MOST_TOLD]
        return lines

    def _others(self) -> list[str]:
        """Which quantities no table shows, in words."""
        tabled = self._tabled()
        others = list(dict.fromkeys(r.quantity for r in self.rows if r.quantity not in tabled))
        if not others:
            return []
        named, more = ", ".join(others[:_MOST_TOLD]), len(others) - _MOST_TOLD
        return [f"also in .frame(), by quantity: {named}" + f" and {more} more" * (more > 0)]


_Key = tuple[str | None, str | None, str | None, str | None]
"""Task, model, perspective and slice."""


def _labels(keys: Sequence[_Key]) -> list[str]:
    """Names of series by what tells them apart: task, model, perspective, slice."""
    own = [key for key in keys if key[1] != PEOPLE]
    tasks, models, perspectives = (
        {key[i] for key in part} for i, part in enumerate((keys, own, own))
    )
    labels = []
    for task, model, perspective, part in keys:
        parts = [task] if len(tasks) > 1 else []
        if part is not None and len({key[:3] for key in keys}) == 1:
            pass  # whose it is goes without saying
        elif model == PEOPLE:
            parts.append(PEOPLE)
        else:
            by_perspective = len(perspectives) > 1
            parts += [model] if len(models) > 1 or not by_perspective else []
            parts += [perspective] if by_perspective else []
        parts.append(part)
        labels.append(" ".join(filter(None, parts)))
    return labels


def _from_the_greatest(series: Sequence[Series], factors: Sequence[str]) -> list[str]:
    first = series[0].numbers

    def place(factor: str) -> tuple[bool, float]:
        number = first.get(factor)
        known = number is not None and number.defined
        return not known, -number.value if known and number is not None else 0.0

    return sorted(factors, key=place)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(one_line(text), width, subsequent_indent="  ") or [""]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


_HEAD_WIDTH = 22


def _columns(heads: Sequence[str], body: Sequence[Sequence[str]], width: int) -> list[str]:
    """The table as lines; columns that do not fit beside the others stand below them."""
    if not body:
        return []
    texts = [
        # A name may be cut, but no interval.
        [
            _cut(one_line(heads[i]), _HEAD_WIDTH),
            *(one_line(row[i]) if i else _cut(one_line(row[i]), _HEAD_WIDTH) for row in body),
        ]
        for i in range(len(heads))
    ]
    first, *others = ([cell.ljust(max(map(len, column))) for cell in column] for column in texts)
    lines: list[str] = []
    while others:
        block, used = [first], len(first[0])
        while others and (len(block) == 1 or used + 2 + len(others[0][0]) <= width):
            used += 2 + len(others[0][0])
            block.append(others.pop(0))
        lines += ["  ".join(cells).rstrip() for cells in zip(*block, strict=True)]
        lines += [""] * bool(others)
    return lines
