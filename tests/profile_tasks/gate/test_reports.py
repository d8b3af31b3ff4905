"""JUnit XML and the Markdown summary: what builds read, and no text that gets out of its place."""

import xml.etree.ElementTree as ET

from profile_tasks.gate.reports import Judged, junit_xml, summary
from profile_tasks.gate.verdicts import Outcome, Verdict
from profile_tasks.scorers.statistics.estimate import Estimate

HOSTILE = 'm"/><failure>&|<b>\n# x \x1b[31m\x00'


def judged(*outcomes: Outcome, model: str = "m", name: str = "bar", note: str = "") -> Judged:
    verdicts = tuple(
        Verdict(f"{name} {n}", "flip_rate < 0.2", outcome, Estimate(0.1), 0.2, "why")
        for n, outcome in enumerate(outcomes)
    )
    return Judged(model, "t", verdicts, (note,) * bool(note))


def test_a_missed_bar_is_a_failure_and_an_open_one_an_error() -> None:
    (suite,) = ET.fromstring(junit_xml([judged("met", "missed", "cannot tell")]))  # noqa: S314
    assert suite.attrib == {
        "name": "profile-tasks gate: m on t",
        "tests": "3", "failures": "1", "errors": "1", "skipped": "0",
    }  # fmt: skip
    assert [(case.get("name"), case[0].tag) for case in suite] == [
        ("bar 0", "system-out"),
        ("bar 1", "failure"),
        ("bar 2", "error"),
    ]
    assert suite[1][0].get("message") == "flip_rate < 0.2: why"


def test_every_run_has_a_suite_of_its_own() -> None:
    suites = ET.fromstring(junit_xml([judged("met"), judged("missed", model="n")]))  # noqa: S314
    assert [(suite.get("name"), suite.get("failures")) for suite in suites] == [
        ("profile-tasks gate: m on t", "0"),
        ("profile-tasks gate: n on t", "1"),
    ]


def test_hostile_names_stay_in_their_attributes() -> None:
    (suite,) = ET.fromstring(junit_xml([judged("met", name=HOSTILE, model=HOSTILE)]))  # noqa: S314
    (case,) = suite
    assert len(case) == 1
    assert "<failure>" in case.get("classname", "")


def test_the_summary_is_a_table_with_the_outcome_above() -> None:
    text = summary(judged("met", "cannot tell", note="the graders differ"))
    assert text.startswith("### Preference alignment gate: ❔ cannot tell\n")
    assert "| ✅ met | bar 0: flip\\_rate \\< 0.2 | why |" in text
    assert text.endswith("\n- the graders differ\n")


def test_a_hostile_name_stays_in_its_cell() -> None:
    text = summary(judged("met", name=HOSTILE, model=HOSTILE))
    (row,) = [line for line in text.splitlines() if line.startswith("| ✅")]
    assert row.replace("\\|", "").count("|") == 4
    assert "<b>" not in text.replace("\\<b\\>", "")
    assert "\x1b" not in text
