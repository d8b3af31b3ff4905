"""Verdicts for machines that build: JUnit XML, and a summary in Markdown."""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from profile_tasks.gate.verdicts import Verdict, overall
from profile_tasks.untrusted_text import markdown_text, one_line

_MARK = {"met": "✅ met", "missed": "❌ missed", "cannot tell": "❔ cannot tell"}


def junit_xml(verdicts: Sequence[Verdict], run: str) -> str:
    """One test case a bar: a failure where it is missed, an error where nobody can tell.

    Args:
        verdicts: The verdicts.
        run: What was judged, as in "planted/verbose on summarization".
    """
    counted = [verdict.outcome for verdict in verdicts]
    suite = ET.Element(
        "testsuite",
        name="profile-tasks gate",
        tests=str(len(verdicts)),
        failures=str(counted.count("missed")),
        errors=str(counted.count("cannot tell")),
        skipped="0",
    )
    for verdict in verdicts:
        case = ET.SubElement(
            suite, "testcase", classname=one_line(run), name=one_line(verdict.name)
        )
        why = one_line(f"{verdict.bar}: {verdict.why}")
        if verdict.outcome == "met":
            ET.SubElement(case, "system-out").text = why
        else:
            kind = "failure" if verdict.outcome == "missed" else "error"
            ET.SubElement(case, kind, type=verdict.outcome, message=why).text = why
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def summary(verdicts: Sequence[Verdict], run: str, notes: Sequence[str] = ()) -> str:
    """The verdicts as Markdown, as GitHub shows it beside a job.

    Args:
        verdicts: The verdicts.
        run: What was judged.
        notes: What else a reader must know.
    """
    lines = [
        f"### Preference alignment gate: {_MARK[overall(verdicts)]}",
        "",
        markdown_text(run),
        "",
        "| | bar | found |",
        "|---|---|---|",
    ]
    for verdict in verdicts:
        bar = verdict.bar if verdict.bar == verdict.name else f"{verdict.name}: {verdict.bar}"
        lines.append(
            f"| {_MARK[verdict.outcome]} | {markdown_text(bar)} | {markdown_text(verdict.why)} |"
        )
    lines += ["", *(f"- {markdown_text(note)}" for note in notes)] if notes else []
    return "\n".join(lines) + "\n"
