"""The report as one HTML page: what goes where."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from profile_tasks.report.by_grader import (
    AGREEMENT_COLUMNS,
    agreement_rows,
    grader_columns,
    grader_rows,
    panel_of,
)
from profile_tasks.report.cautions import Badge, badges, cautions
from profile_tasks.report.comparison import COLUMNS, PairedRuns
from profile_tasks.report.dots import INFLUENCE, DotRow
from profile_tasks.report.drawing import Figure
from profile_tasks.report.examples import MOST_CHARACTERS, Example
from profile_tasks.report.figures import figures
from profile_tasks.report.findings import Findings
from profile_tasks.report.headline import (
    at_a_glance,
    decimal,
    farthest_first,
    headline,
    in_words,
    interval,
    summary,
)
from profile_tasks.report.influence_rows import (
    STRONGEST,
    WHO,
    influence_rows,
    shown_perspectives,
)
from profile_tasks.report.report_data import NOTHING, WRITER_AND_JUDGE
from profile_tasks.report.sensitivity import COLUMNS as PROBE_COLUMNS
from profile_tasks.report.sensitivity import ProbeTable, probe_cells, probe_tables
from profile_tasks.report.slice_panels import (
    INFLUENCE_COLUMNS,
    JUDGE_COLUMNS,
    SlicePanel,
    influence_cells,
    judge_cells,
    slice_notes,
    slice_panels,
    whose_slices,
)
from profile_tasks.report.web_page import packaged, web_page
from profile_tasks.runs.signature import signature
from profile_tasks.runs.words import COULD_HAVE_SHOWN, PROBES_TOLD, sensitivity_words
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.study import GAP

Cell = str | float | None


@dataclass(frozen=True)
class Table:
    """A table: its id in the page, what it shows, heads and rows."""

    id: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Panel:
    """One model's figure among those of several, with its data and the run's id."""

    run: str
    model: str
    figure: Figure
    table: Table


@dataclass(frozen=True)
class ShownPair:
    """A pair among those of a task.

    Attributes:
        factor: The factor that it speaks for or against.
        perspective: Whose preference it is.
        whose: The same in words, with the model's name.
        more: Whether the preferred response shows more of the factor, or less.
        example: The pair.
    """

    factor: str
    perspective: str
    whose: str
    more: bool
    example: Example


@dataclass(frozen=True)
class SlicedSection:
    """A run by the labels of one column: what is told, the figures, and the tables behind them."""

    column: str
    words: Mapping[str, str]
    notes: tuple[str, ...]
    perspectives: Mapping[str, str]
    panels: tuple[SlicePanel, ...]
    n_factors: int
    influences: Table
    judge: Table


@dataclass(frozen=True)
class Card:
    """What is said of one run or audit first: its name here, a summary, its warnings.

    Attributes:
        glance: What decides, in a line; of an audit its rates.
    """

    id: str
    findings: Findings
    name: str
    summary: str
    glance: str
    badges: tuple[Badge, ...]
    cautions: tuple[str, ...]


@dataclass(frozen=True)
class RunSection(Card):
    """What is said of one run: beside its card the headline and its influences.

    Attributes:
        own_rows: The influences on the pairs that the model wrote and people judged; empty where
            nobody did.
        slices: The run held apart, column by column.
    """

    headline: tuple[str, ...]
    rows: tuple[DotRow, ...]
    own_rows: tuple[DotRow, ...]
    slices: tuple[SlicedSection, ...]

    @property
    def perspectives(self) -> dict[str, str]:
        """Whose influences the rows show."""
        return shown_perspectives(self.findings)

    @property
    def own_perspectives(self) -> dict[str, str]:
        """Whose influences the rows of its own pairs show."""
        return {} if self.findings.own is None else shown_perspectives(self.findings.own)

    @property
    def shown_own_rows(self) -> str:
        """What the figure below the headline shows where people judged its own pairs, in words."""
        total = len(self.own_rows)
        which = f"Its {_counted(total, 'factor')}"
        if total > STRONGEST:
            which = f"{STRONGEST} of {total} factors"
        return f"{which} on the same texts, the writer farthest from people first"

    @property
    def shown_rows(self) -> str:
        """What the figure below the headline shows, in words."""
        total, found = len(self.rows), self.findings
        if total <= STRONGEST:
            which = f"Its {_counted(total, 'factor')}"
        else:
            which = f"{STRONGEST} of {total} factors"
        if "human" not in found.profiles or not found.compared:
            return f"{which}, the strongest first"
        if "discrimination" in found.compared:
            return f"{which}, the judge farthest from people first"
        return f"{which}, the writer farthest from people first"


@dataclass(frozen=True)
class AuditSection(Card):
    """What is said of one audit: the judge's name here, what its verdicts hang on.

    Attributes:
        run: Id of the run of the same model, which it then stands with; None where there is none.
    """

    run: str | None


@dataclass(frozen=True)
class Paired:
    """Two runs of a task compared: their names here, what differs, the numbers."""

    first: str
    second: str
    lead: tuple[str, ...]
    words: tuple[str, ...]
    notes: tuple[str, ...]
    table: Table


@dataclass(frozen=True)
class TaskSection:
    """All runs of one task.

    Attributes:
        audits: The audits of judges of its pairs.
        probes: What their probes found, as it is drawn.
        probed: The same as a table.
        figures: Name of a figure -> the runs' figures, side by side.
        pairs: The examples of all runs, those of a factor together.
    """

    id: str
    task: str
    runs: tuple[RunSection, ...]
    paired: tuple[Paired, ...]
    figures: Mapping[str, tuple[Panel, ...]]
    pairs: tuple[ShownPair, ...]
    metrics: Table
    measured: Table
    by_grader: tuple[Table, ...]
    audits: tuple[AuditSection, ...]
    probes: tuple[ProbeTable, ...]
    probed: Table


def task_sections(
    found: Sequence[Findings],
    comparisons: Mapping[str, Sequence[PairedRuns]] = MappingProxyType({}),
    *,
    with_files: bool = False,
) -> list[TaskSection]:
    """The runs by task, with their figures drawn.

    Args:
        found: What each run shows, in the order in which they were named.
        comparisons: Task -> its runs compared, as of ``paired_comparisons``.
        with_files: Whether figures keep their contents as files.
    """
    by_task: dict[str, list[Findings]] = {}
    for findings in found:
        by_task.setdefault(findings.run.task, []).append(findings)
    return [
        _section(f"task-{number}", task, own, comparisons.get(task, ()), with_files=with_files)
        for number, (task, own) in enumerate(by_task.items(), 1)
    ]


def rendered(sections: Sequence[TaskSection]) -> str:
    """The page.

    Args:
        sections: One a task, at least one.
    """
    from markupsafe import Markup

    return web_page(
        packaged("report.html"),
        {"shown_number": shown_number, "in_words": in_words, "counted": _counted},
        sections=sections,
        overview=_overview(sections),
        axis=INFLUENCE,
        strongest=STRONGEST,
        tabs=_tabs(sections),
        orders=_orders(sections),
        choices=_choices(sections),
        told=PROBES_TOLD,
        could_have_shown=COULD_HAVE_SHOWN,
        most_characters=MOST_CHARACTERS,
        drawing=lambda figure: Markup(figure.svg),  # noqa: S704 - matplotlib escapes its texts
    )


_TABS = {"measured": "how it was measured", "sensitivity": "what the judge is sensitive to"}


def _tabs(sections: Sequence[TaskSection]) -> dict[str, str]:
    """The parts of the page that have something to show: id -> name."""
    there = {
        "factors": any(section.runs for section in sections),
        "sensitivity": any(section.audits for section in sections),
        "examples": any(section.pairs for section in sections),
        "slices": any(run.slices for section in sections for run in section.runs),
        "alignment": any("alignment" in section.figures for section in sections),
        "agreement": any("rates" in s.figures or s.metrics.rows or s.by_grader for s in sections),
        "measured": True,
    }
    return {name: _TABS.get(name, name) for name, is_there in there.items() if is_there}


def _orders(sections: Sequence[TaskSection]) -> dict[str, str]:
    """What the rows of factors can be ordered by."""
    keys = {key for s in sections for run in s.runs for row in run.rows for key in row.keys}
    first = "told apart, then farthest from people" if "difference" in keys else "strongest first"
    names = {"difference": "farthest from people", **WHO}
    found = {key: name for key, name in names.items() if key in keys}
    return {"": first, **found, "name": "name of the factor"}


def _choices(sections: Sequence[TaskSection]) -> dict[str, tuple[str, dict[str, str]]]:
    """What the examples can be chosen by: attribute -> label, and value -> its name."""
    pairs = [pair for section in sections for pair in section.pairs]
    return {
        "factor": ("Factor", {pair.factor: in_words(pair.factor) for pair in pairs}),
        "whose": ("Whose preference", {pair.whose: pair.whose for pair in pairs}),
        "side": ("Preferred shows", {"more": "more of it", "less": "less of it"}),
    }


def shown_number(value: Cell) -> str:
    """A cell as the page shows it.

    >>> shown_number(None), shown_number(3.0), shown_number(0.12345), shown_number("a")
    ('–', '3', '0.123', 'a')
    """
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    return f"{value:.0f}" if float(value).is_integer() else f"{value:z.3f}".replace("-", "−")


def _counted(count: int, noun: str) -> str:
    """A count with its noun.

    >>> _counted(1, "model"), _counted(2, "model")
    ('1 model', '2 models')
    """
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _section(
    id_: str,
    task: str,
    found: Sequence[Findings],
    comparisons: Sequence[PairedRuns],
    *,
    with_files: bool,
) -> TaskSection:
    audited = [findings for findings in found if findings.run.is_audit]
    found = [findings for findings in found if not findings.run.is_audit]
    names = _names(found)
    runs = tuple(
        RunSection(
            id=f"{id_}-run-{number}",
            findings=findings,
            name=name,
            summary=summary(findings),
            glance=" · ".join(at_a_glance(findings)),
            badges=tuple(badges(findings)),
            headline=tuple(headline(findings)),
            cautions=tuple(cautions(findings)),
            rows=influence_rows(findings),
            own_rows=() if findings.own is None else influence_rows(findings.own),
            slices=tuple(_slices(f"{id_}-run-{number}", name, findings)),
        )
        for number, (findings, name) in enumerate(zip(found, names, strict=True), 1)
    )
    audits = tuple(_audits(id_, audited, runs))
    judges = [(audit.name, audit.findings) for audit in audits]
    by_kind: dict[str, list[Panel]] = {}
    for run in runs:
        for figure in figures(run.findings, files=with_files):
            table = Table(
                f"{run.id}-{figure.name}",
                f"{figure.title}: {run.name}, {task}",
                figure.columns,
                figure.rows,
            )
            by_kind.setdefault(figure.name, []).append(Panel(run.id, run.name, figure, table))
    return TaskSection(
        id=id_,
        task=task,
        runs=runs,
        paired=tuple(_paired(id_, task, each, names) for each in comparisons),
        figures={kind: tuple(panels) for kind, panels in by_kind.items()},
        pairs=tuple(_pairs(runs)),
        metrics=_metrics(id_, task, runs),
        measured=_measured(id_, task, [*runs, *audits]),
        by_grader=tuple(table for run in runs for table in _by_grader(task, run)),
        audits=audits,
        probes=tuple(probe_tables(judges)),
        probed=Table(
            f"{id_}-probes",
            f"What the judge is sensitive to, {task}",
            PROBE_COLUMNS,
            tuple(probe_cells(judges)),
        ),
    )


def _slices(id_: str, name: str, findings: Findings) -> Iterator[SlicedSection]:
    order = farthest_first(findings)
    for number, each in enumerate(findings.slices, 1):
        yield SlicedSection(
            column=each.column,
            words={WHO.get(whose, whose): said for whose, said in each.words.items()},
            notes=tuple(slice_notes(each)),
            perspectives=whose_slices(each),
            panels=slice_panels(each, order),
            n_factors=len(order),
            influences=Table(
                f"{id_}-slices-{number}",
                f"Influences by {each.column}: {name}",
                INFLUENCE_COLUMNS,
                influence_cells(each),
            ),
            judge=Table(
                f"{id_}-slices-{number}-judge",
                f"The judge by {each.column}: {name}",
                JUDGE_COLUMNS,
                judge_cells(each),
            ),
        )


def _audits(
    id_: str, found: Sequence[Findings], runs: Sequence[RunSection]
) -> Iterator[AuditSection]:
    """The audits of a task, each with the run of the same model, if there is one."""
    of_models = {run.findings.run.model: run.id for run in reversed(runs)}
    for number, (findings, name) in enumerate(zip(found, _names(found), strict=True), 1):
        said = sensitivity_words(findings.probes)
        yield AuditSection(
            id=f"{id_}-audit-{number}",
            findings=findings,
            name=name,
            summary=f"{said[:1].upper()}{said[1:]}.",
            glance=" · ".join(
                f"{findings.probes[rate].probe.label}: {findings.probes[rate].estimate.value:.0%}"
                for rate in ("position_flips", "repeat", "wording")
                if rate in findings.probes and findings.probes[rate].estimate.defined
            ),
            badges=tuple(badges(findings)),
            cautions=tuple(cautions(findings)),
            run=of_models.get(findings.run.model),
        )


def _paired(id_: str, task: str, found: PairedRuns, names: Sequence[str]) -> Paired:
    first, second = names[found.first], names[found.second]
    table = Table(
        f"{id_}-compared-{found.second}",
        f"A {first} against B {second}, {task}",
        COLUMNS,
        found.rows,
    )
    return Paired(first, second, found.lead, found.words, found.notes, table)


def _names(found: Sequence[Findings]) -> list[str]:
    """The model of each run, numbered where several are of one model."""
    models = [findings.model for findings in found]
    return [
        model if models.count(model) == 1 else f"{model} (run {models[: index + 1].count(model)})"
        for index, model in enumerate(models)
    ]


def _pairs(runs: Sequence[RunSection]) -> Iterator[ShownPair]:
    """The examples of runs over the same data, each pair of people's once."""
    seen = set()
    for factor in dict.fromkeys(row.name for run in runs for row in run.rows):
        for perspective in WHO:
            for run in runs:
                whose = run.perspectives.get(perspective, "")
                if perspective != "human":
                    whose = f"{run.name} {whose}"
                by_factor = run.findings.texts.examples.get(perspective, {})
                for more, found in zip((True, False), by_factor.get(factor, ()), strict=False):
                    for example in found:
                        key = (factor, perspective, whose, more, example)
                        if key not in seen:
                            seen.add(key)
                            yield ShownPair(*key)


def _metrics(id_: str, task: str, runs: Iterable[RunSection]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for run in runs:
        findings = run.findings
        entries = dict(findings.metrics)
        entries |= {
            f"alignment_human_{name}_tau_b": bar for name, bar in findings.human_bar.items()
        }
        for perspective, profile in findings.profiles.items():
            entries |= {
                f"reliability_{perspective}_{name}": number
                for name, number in profile.reliability.items()
                if not number.says_nothing
            }
        rows += [
            (run.name, name, *number.cells(), number.reason) for name, number in entries.items()
        ]
    columns = ("model", "metric", "value", "low", "high", "note")
    return Table(
        f"{id_}-metrics", f"Standard metrics and reliability, {task}", columns, tuple(rows)
    )


def _by_grader(task: str, run: RunSection) -> Iterator[Table]:
    """How far several graders agree, and what each alone says; nothing of one grader."""
    if not panel_of(found := run.findings):
        return
    yield Table(
        f"{run.id}-agreement-of-graders",
        f"How far the graders agree: {run.name}, {task}",
        AGREEMENT_COLUMNS,
        tuple(agreement_rows(found)),
    )
    yield Table(
        f"{run.id}-by-grader",
        f"By the majority of the graders, and by each alone: {run.name}, {task}",
        grader_columns(found),
        tuple(grader_rows(found)),
    )


def _measured(id_: str, task: str, runs: Sequence[RunSection | AuditSection]) -> Table:
    rows: dict[str, dict[str, Cell]] = {}
    names = [
        run.name if isinstance(run, RunSection) else f"{run.name}, audited as a judge"
        for run in runs
    ]
    for name_here, run in zip(names, runs, strict=True):
        findings = run.findings
        entries: dict[str, Cell] = {
            "signature": signature(findings.run),
            "file": findings.run.file,
            "kind of file": findings.kind,
        }
        entries |= {label: str(value) for label, value in findings.run.described.items()}
        for perspective, profile in findings.profiles.items():
            for name, count in (
                ("decided pairs", profile.n_pairs),
                ("groups", profile.n_groups),
                ("preference ties left out", profile.n_ties),
            ):
                if count is not None:
                    entries[f"{name}, {perspective}"] = str(count)
            entries |= profile.methods
        for name, value in entries.items():
            rows.setdefault(name, {})[name_here] = value
    return Table(
        f"{id_}-measured",
        f"How it was measured, {task}",
        ("what", *names),
        tuple((what, *(by_run.get(name) for name in names)) for what, by_run in rows.items()),
    )


_ON_OWN_TEXTS = (
    "alignment as a writer, same texts",
    "alignment as a judge, own texts",
    "gap, same texts",
)


def _aligned(findings: Findings) -> list[Estimate]:
    """Alignments with people as a writer and as a judge, and the gap."""
    found = [findings.alignments.get(p, {}).get("tau_b") for p in WRITER_AND_JUDGE]
    return [
        *(NOTHING if each is None else each.number for each in found),
        findings.gap.get(GAP, NOTHING),
    ]


def _overview(sections: Sequence[TaskSection]) -> Table:
    """The models; a profile of recorded preferences is held against nobody's."""
    rows: list[tuple[Cell, ...]] = []
    labelled = any(run.findings.own for section in sections for run in section.runs)
    for section in sections:
        for run in section.runs:
            findings = run.findings
            if not findings.compared:
                continue
            numbers = _aligned(findings)
            own = findings.self_agreement.get("pearson")
            numbers.insert(0, NOTHING if own is None else own.number)
            if labelled:
                numbers[1:1] = [NOTHING] * 3 if findings.own is None else _aligned(findings.own)
            accuracy = findings.metrics.get("discrimination_accuracy_half_credit", NOTHING)
            groups = [p.n_groups for p in findings.profiles.values() if p.n_groups is not None]
            rows.append(
                (
                    section.task,
                    run.name,
                    *(interval(n) if n.defined else "–" for n in numbers),
                    decimal(accuracy.value) if accuracy.defined else "–",
                    float(min(groups)) if groups else None,
                )
            )
    columns = (
        "task",
        "model",
        "self-agreement, r",
        *_ON_OWN_TEXTS * labelled,
        "alignment as a writer, across texts",
        "alignment as a judge",
        "gap",
        "accuracy as a judge, half credit",
        "groups",
    )
    caption = "Self-agreement, and alignment with people (tau_b), with 95 % intervals"
    return Table("overview", caption, columns, tuple(rows))
