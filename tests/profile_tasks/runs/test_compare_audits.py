"""Two audits compared: their own effects, and differences paired by source."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from profile_tasks.cli import main
from profile_tasks.runs.compare_audits import Audit, compare_audits, read_audit
from profile_tasks.runs.words import compared_audits_words
from profile_tasks.scorers.measurement.probed_source import ProbedSource
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement
from profile_tasks.solvers.probe_requests import IDENTICAL, ProbeAnswers, Told

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

AUDITED = {"limit": 10, "max_pairs_per_source": 2}


@pytest.fixture
def verbose(inspect_log: Any) -> Path:
    return Path(inspect_log("verbose", "summarization_judge_audit", **AUDITED))


@pytest.fixture
def concise(inspect_log: Any) -> Path:
    probes = "position,padding"
    return Path(inspect_log("concise", "summarization_judge_audit", probes=probes, **AUDITED))


def opened(log: Path) -> Audit:
    audit = read_audit(str(log))
    assert audit is not None
    return audit


def test_the_effects_are_those_of_the_logs_and_the_difference_is_theirs(
    verbose: Path, concise: Path
) -> None:
    a, b = opened(verbose), opened(concise)
    record = compare_audits(a, b)
    assert list(record["probes"]) == ["position", "position_flips", "padding"]
    for name, found in record["probes"].items():
        of_a, of_b = (audit.run.metrics[f"probe_{name}"] for audit in (a, b))
        assert (found["a"], found["b"]) == pytest.approx((of_a, of_b)), name
        assert found["value"] == pytest.approx(of_a - of_b), name
        assert found["ci_low"] < found["value"] < found["ci_high"]
    padding = record["probes"]["padding"]
    assert padding["value"] > 0.2  # one likes longer texts, the other shorter ones
    assert padding["p_adjusted"] < 0.05
    assert "padding (+" in compared_audits_words(record)
    assert any(note.startswith("only A has: ") and "Markdown" in note for note in record["notes"])
    assert "not compared, own texts, length held: log-odds" in " ".join(record["notes"])
    assert record["differ_in"] == "the two differ in: model"


def said(source: int, pick: str) -> ProbedSource:
    """A judge that names the text shown first, or second, of two identical ones."""
    measured = SourceMeasurement(
        source_id=f"s{source}", group=f"s{source}", factors=(), human=(), annotated=()
    )
    told = Told(picks=("first" if pick == "a" else "second",))
    return ProbedSource(measured=measured, answers=ProbeAnswers(probed={IDENTICAL: (told,)}))


def test_what_two_judges_share_by_source_cancels(verbose: Path) -> None:
    run = opened(verbose).run
    # Both lean to either side in half of the sources, the same ones but for four.
    one = [said(n, "ab"[n % 2]) for n in range(24)]
    other = [said(n, "ab"[(n + (n < 4)) % 2]) for n in range(24)]
    paired = compare_audits(Audit(run, one), Audit(run, other))["probes"]["identical"]
    moved = [said(n, "ab"[(n + 1) % 2]) for n in range(24)]
    apart = compare_audits(Audit(run, one), Audit(run, moved))["probes"]["identical"]
    assert paired["value"] == apart["value"] == 0
    assert paired["ci_high"] < apart["ci_high"] / 1.5


def test_alike_audits_are_not_told_apart(verbose: Path) -> None:
    record = compare_audits(opened(verbose), opened(verbose))
    assert {found["value"] for found in record["probes"].values()} == {0}
    assert "are not told to differ in any probe, of which differences from" in (
        compared_audits_words(record)
    )


def compare(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["compare", *map(str, arguments)])


def test_the_command_says_in_which_probes_the_judges_differ(verbose: Path, concise: Path) -> None:
    done = compare(verbose, concise)
    assert done.exit_code == 0, done.output
    told = " ".join(done.stdout.split())
    assert "A beside B: planted/verbose and planted/concise are told to differ in padding" in told
    assert "SIMULATED" in told
    assert "setting:judge_audit" in told
    record = json.loads(compare(verbose, concise, "--format", "json").stdout)
    assert record["not_live_a"].startswith("SIMULATED") or "SIMULATED" in record["not_live_a"]
    header, *rows = compare(verbose, concise, "--format", "csv").stdout.splitlines()
    assert header.startswith("metric,a,b,difference,ci_low,ci_high,p_value,p_adjusted")
    assert [row.split(",")[0] for row in rows] == [
        "probe_position",
        "probe_position_flips",
        "probe_padding",
    ]


def test_an_audit_and_a_profile_are_not_compared(verbose: Path, inspect_log: Any) -> None:
    profile = inspect_log("verbose", limit=9, own_pairs=False)
    for logs in ((verbose, profile), (profile, verbose)):
        done = compare(*logs)
        assert done.exit_code == 2
        assert f"{verbose} is an audit of a judge and {profile} a profile" in done.stderr


def test_audits_of_other_data_are_not_compared(verbose: Path, inspect_log: Any) -> None:
    other = inspect_log("verbose", "document_qa_judge_audit", limit=9, probes="padding")
    done = compare(verbose, other)
    assert done.exit_code == 2
    assert "have no source in common" in done.stderr


def test_an_audit_without_its_samples_is_named(verbose: Path) -> None:
    audit = opened(verbose)
    with pytest.raises(ValueError, match="holds no samples, which an audit is compared by"):
        compare_audits(audit, replace(audit, sources=()))
