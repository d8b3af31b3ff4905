"""Verdicts for machines that build: JUnit XML, and a summary in Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from profile_tasks.gate.verdicts import Outcome, Verdict, overall
from profile_tasks.untrusted_text import markdown_text, one_line

_MARK = {"met": "✅ met", "missed": "❌ missed", "cannot tell": "❔ cannot tell"}


@dataclass(frozen=True)
class Judged:
    """A run with the verdicts on it.

    Attributes:
        model: Name of the model.
        task: Name of the task.
        verdicts: One a bar, or several.
        notes: What else a reader must know.
        signature: What was judged, in one line.
        not_live: What to say of its models that were not asked live, as of ``Run.not_live``.
        file: Where it was read.
    """

    model: str
    task: str
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...] = ()
    signature: str = ""
    not_live: str | None = None
    file: str = ""

    @property
    def name(self) -> str:
        """What was judged, as in "planted/verbose on summarization"."""
        return f"{self.model} on {self.task}"

    @property
    def outcomes(self) -> list[Outcome]:
        """What became of each bar."""
        return [verdict.outcome for verdict in self.verdicts]

    @property
    def outcome(self) -> Outcome:
        """What became of the whole."""
        return overall(self.verdicts)


def junit_xml(runs: Sequence[Judged]) -> str:
    """A suite a run, a test case a bar: a failure where it is missed, an error if it is not told.

    Args:
        runs: The runs.
    """
    suites = ET.Element("testsuites")
    for run in runs:
        suite = ET.SubElement(
            suites,
            "testsuite",
            name=one_line(f"profile-tasks gate: {run.name}"),
            tests=str(len(run.verdicts)),
            failures=str(run.outcomes.count("missed")),
            errors=str(run.outcomes.count("cannot tell")),
            skipped="0",
        )
        stated = [("signature", run.signature)] if run.signature else []
        stated += [("note", one_line(note)) for note in run.notes]
        if stated:
            properties = ET.SubElement(suite, "properties")
            for name, value in stated:
                ET.SubElement(properties, "property", name=name, value=value)
        for verdict in run.verdicts:
            case = ET.SubElement(
                suite, "testcase", classname=one_line(run.name), name=one_line(verdict.name)
            )
            why = one_line(f"{verdict.bar}: {verdict.why}")
            if verdict.outcome == "met":
                ET.SubElement(case, "system-out").text = why
            else:
                kind = "failure" if verdict.outcome == "missed" else "error"
                ET.SubElement(case, kind, type=verdict.outcome, message=why).text = why
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def summary(run: Judged) -> str:
    """The verdicts on a run as Markdown, as GitHub shows it beside a job."""
    lines = [
        f"### Preference alignment gate: {_MARK[run.outcome]}",
        "",
        markdown_text(run.name),
        "",
        "| | bar | found |",
        "|---|---|---|",
    ]
    for verdict in run.verdicts:
        bar = verdict.bar if verdict.bar == verdict.name else f"{verdict.name}: {verdict.bar}"
        lines.append(
            f"| {_MARK[verdict.outcome]} | {markdown_text(bar)} | {markdown_text(verdict.why)} |"
        )
    lines += ["", *(f"- {markdown_text(note)}" for note in run.notes)] if run.notes else []
    lines += ["", f"`{run.signature}`"] if run.signature else []
    return "\n".join(lines) + "\n"
