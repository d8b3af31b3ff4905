"""What judges are sensitive to: one table of probes, whose figures are those of the log."""

import html
import math
import re
from pathlib import Path
from typing import Any

import pytest

from profile_tasks.report.dots import Axis
from profile_tasks.report.findings import Findings
from profile_tasks.report.reading import read_findings
from profile_tasks.report.sensitivity import COLUMNS, probe_cells, probe_tables
from profile_tasks.runs.inspect_log import judge_audit_run, open_log
from profile_tasks.runs.run import AUDIT, Run
from profile_tasks.runs.words import sensitivity_words
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.probes import BY_NAME, ProbeFinding

from .conftest import HOSTILE, built_page

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn


def found(name: str, value: float, low: float, high: float, p: float, **more: Any) -> ProbeFinding:
    detectable = more.pop("detectable", 0.1)
    estimate = Estimate(value, low, high)
    return ProbeFinding(BY_NAME[name], estimate, p, detectable, 40, 20, p_adjusted=p, **more)


@pytest.fixture(scope="session")
def audited(audit_log: Path) -> Findings:
    (findings,) = read_findings(audit_log)
    return findings


def test_an_audit_is_read_with_all_that_its_metrics_leave_out(
    audited: Findings, audit_log: Path
) -> None:
    run = judge_audit_run(open_log(str(audit_log)))
    assert run is not None
    for name, each in audited.probes.items():
        for metric, value in each.flat().items():
            logged = run.metrics[metric]
            assert logged == pytest.approx(value) if logged is not None else math.isnan(value)
        assert (each.n > 0, each.n_groups <= 10) == (True, True), name
    assert audited.probes["padding"].found
    assert "less" in audited.probes["wording_taste"].where
    assert (audited.run.task, audited.run.sources) == ("summarization", 10)


def test_effects_share_a_scale_and_rates_have_another() -> None:
    probes = {
        "position": found("position", 0.2, 0.1, 0.3, 0.01),
        "self_preference": found("self_preference", 2.0, 1.0, 3.0, 0.2, detectable=1.4),
        "repeat": found("repeat", 0.2, 0.1, 0.3, math.nan, detectable=math.nan),
    }
    run = Run("a.eval", "inspect", "a judge", "summarization", "audit", AUDIT)
    findings = Findings(run, factors=(), profiles={}, probes=probes)
    effects, rates = probe_tables([("a judge", findings)])
    assert effects.axis == Axis.holding([Estimate(0.5)])
    assert rates.axis == Axis.holding([Estimate(1.0)])
    ((position,), (own,)) = (each.rows for each in effects.probes)
    assert (position.told, position.is_told, position.shown) == ("told, p .010", True, "")
    assert (own.told, own.is_told, own.shown) == ("not told, p .200", False, "1.40")
    # Log-odds of 2 make a share of 1 / (1 + exp(-2)), which is drawn less one half.
    assert own.dots[0].at == effects.axis.at(1 / (1 + math.exp(-2)) - 0.5)
    assert own.effect == "+2.00 [+1.00, +3.00]"
    (repeat,) = rates.probes[0].rows
    assert (repeat.effect, repeat.told, repeat.n) == ("0.20 [0.10, 0.30]", "", "40 in 20")


def test_rows_of_several_judges_stand_together_and_lack_what_was_not_asked(
    audited: Findings, other_audit_log: Path
) -> None:
    (other,) = read_findings(other_audit_log)
    judges = [("one", audited), ("other", other)]
    by_probe = {
        each.probe.name: [row.judge for row in each.rows]
        for table in probe_tables(judges)
        for each in table.probes
    }
    assert by_probe["padding"] == by_probe["position"] == ["one", "other"]
    assert by_probe["style"] == ["one"]
    cells = [dict(zip(COLUMNS, row, strict=True)) for row in probe_cells(judges)]
    (padding,) = [c for c in cells if (c["judge"], c["probe"]) == ("one", "probe_padding")]
    assert padding["told"] == "told"
    assert padding["value"] == audited.probes["padding"].estimate.value


@pytest.mark.parametrize(
    ("probes", "said"),
    [
        (
            [("position", 0.2, 0.01), ("padding", 0.3, 0.01)],
            "its verdicts hang on sentences that add nothing (+0.30 [+0.20, +0.40]) and which "
            "response is shown first (+0.20 [+0.10, +0.30])",
        ),
        (
            [("position", 0.1, 0.4), ("wording_taste", 0.1, 0.6)],
            "nothing is told of position, where an effect of 0.10 would have been shown; nor of "
            "taste by wording (0.10 in tau)",
        ),
        (
            [("wording_taste", 0.1, 0.6)],
            "nothing is told of taste by wording (0.10 in tau would have been shown)",
        ),
        ([("repeat", 0.1, math.nan)], "no probe whose effect can be tested was run"),
    ],
)
def test_the_first_sentence_says_what_is_told_and_what_would_have_been(
    probes: list[tuple[str, float, float]], said: str
) -> None:
    told = {name: found(name, v, v - 0.1, v + 0.1, p) for name, v, p in probes}
    assert sensitivity_words(told) == said


def test_of_too_few_sources_it_says_that(audited: Findings) -> None:
    few = {"style": found("style", 0.1, math.nan, math.nan, 0.5, detectable=math.nan)}
    assert sensitivity_words(few) == "there is too little to tell of Markdown"


def test_an_audit_stands_with_the_run_of_its_model_and_others_alone(audit_page: Path) -> None:
    text = audit_page.read_text(encoding="utf-8")
    first = text.split('<nav class="tabs"')[0]
    of_the_run, alone, hostile = first.split("<article")[1:]
    assert "Audited as a judge</h4>" in of_the_run
    assert "Its verdicts hang on sentences that add nothing" in of_the_run
    assert "<bdi>planted/concise</bdi>, audited as a judge" in alone
    assert "SIMULATED" in alone
    assert "audited as a judge" in hostile
    table = text.split('<section id="sensitivity"')[1].split("</section>")[0]
    padding = table.split("sentences that add nothing")[1].split("<tbody>")[0]
    assert re.findall(r'<th scope="row".*?<bdi>(planted/\w+)</bdi>', padding) == [
        "planted/verbose",
        "planted/concise",
    ]
    assert padding.count("told, p") == 3
    assert HOSTILE["image"] not in text
    assert html.escape(HOSTILE["image"], quote=False).split(" ")[0] in table


def test_a_page_of_audits_alone_has_no_part_of_profiles(audit_log: Path, tmp_path: Path) -> None:
    text = built_page(tmp_path, audit_log).read_text(encoding="utf-8")
    assert "<h1>What judges are sensitive to: <bdi>summarization</bdi></h1>" in text
    assert re.findall(r'<li><a href="#(\w+)">', text) == ["sensitivity", "measured"]
    assert "task:summarization|" in text
    assert "setting:judge_audit" in text


def test_an_unfinished_audit_is_refused(audit_log: Path, tmp_path: Path) -> None:
    from inspect_ai.log import read_eval_log, write_eval_log

    log = read_eval_log(str(audit_log))
    log.status = "cancelled"
    write_eval_log(log, str(tmp_path / "cut.eval"))
    with pytest.raises(ValueError, match=r"cut\.eval: an unfinished run \(status: cancelled\)"):
        read_findings(tmp_path / "cut.eval")
