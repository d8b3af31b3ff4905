"""JUnit XML and the Markdown summary: what builds read, and no text that gets out of its place."""

import xml.etree.ElementTree as ET

from profile_tasks.gate.reports import junit_xml, summary
from profile_tasks.gate.verdicts import Outcome, Verdict
from profile_tasks.scorers.statistics.estimate import Estimate

HOSTILE = 'm"/><failure>&|<b>\n# x \x1b[31m\x00'


def verdicts(*outcomes: Outcome, name: str = "bar") -> list[Verdict]:
    return [
        Verdict(f"{name} {n}", "flip_rate < 0.2", outcome, Estimate(0.1), 0.2, "why")
        for n, outcome in enumerate(outcomes)
    ]


def test_a_missed_bar_is_a_failure_and_an_open_one_an_error() -> None:
    (suite,) = ET.fromstring(junit_xml(verdicts("met", "missed", "cannot tell"), "m on t"))  # noqa: S314
    assert suite.attrib == {
        "name": "profile-tasks gate", "tests": "3", "failures": "1", "errors": "1", "skipped": "0",
    }  # fmt: skip
    assert [(case.get("name"), case[0].tag) for case in suite] == [
        ("bar 0", "system-out"),
        ("bar 1", "failure"),
        ("bar 2", "error"),
    ]
    assert suite[1][0].get("message") == "flip_rate < 0.2: why"


def test_hostile_names_stay_in_their_attributes() -> None:
    (suite,) = ET.fromstring(junit_xml(verdicts("met", name=HOSTILE), HOSTILE))  # noqa: S314
    (case,) = suite
    assert len(case) == 1
    assert "<failure>" in case.get("classname", "")


def test_the_summary_is_a_table_with_the_outcome_above() -> None:
    text = summary(verdicts("met", "cannot tell"), "m on t", ["the graders differ"])
    assert text.startswith("### Preference alignment gate: ❔ cannot tell\n")
    assert "| ✅ met | bar 0: flip\\_rate \\< 0.2 | why |" in text
    assert text.endswith("\n- the graders differ\n")


def test_a_hostile_name_stays_in_its_cell() -> None:
    text = summary(verdicts("met", name=HOSTILE), HOSTILE)
    (row,) = [line for line in text.splitlines() if line.startswith("| ✅")]
    assert row.replace("\\|", "").count("|") == 4
    assert "<b>" not in text.replace("\\<b\\>", "")
    assert "\x1b" not in text
