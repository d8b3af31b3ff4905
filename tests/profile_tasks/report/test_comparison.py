"""The runs of a report compared: the numbers of the command, and what cannot be compared."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from inspect_ai import eval as inspect_eval

from profile_tasks.cli import main
from profile_tasks.document_qa import document_qa
from profile_tasks.report.comparison import COLUMNS, paired_comparisons
from profile_tasks.report.findings import Findings
from profile_tasks.report.reading import read_findings
from profile_tasks.runs.compare import compare_runs
from profile_tasks.runs.inspect_log import read_run

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn


def found(path: Path, **changes: str) -> tuple[Path, Findings]:
    """The findings of a log, its run with these changes."""
    (findings,) = read_findings(path)
    return path, replace(findings, run=replace(findings.run, **changes))


def test_the_numbers_are_those_of_the_command(verbose_log: Path, concise_log: Path) -> None:
    read = [found(path) for path in (verbose_log, concise_log)]
    ((compared,),) = paired_comparisons(read).values()
    record = compare_runs(*(read_run(str(path)) for path, _ in read))
    assert (compared.first, compared.second) == (0, 1)
    assert list(compared.words) == record["words"]
    # First what the command says first: one pair of runs has one headline.
    printed = CliRunner().invoke(main, ["compare", str(verbose_log), str(concise_log)]).stdout
    strongest, like_people = compared.lead
    said = strongest.replace("As a judge", "as a judge")
    assert f"beside B, planted/concise: {said} A: planted" in " ".join(printed.split())
    assert re.fullmatch(
        r"A judges as people do in 7\d % of pairs, B in 3\d %: difference \+\d+ points "
        r"\[\+\d+, \+\d+\]",
        like_people,
    )
    rows = {row[0]: row[1:] for row in compared.rows}
    assert {len(row) for row in compared.rows} == {len(COLUMNS)}
    length = record["perspectives"]["generation"]["factors"]["length"]
    assert rows["tau_generation_length"] == tuple(
        length[key] for key in ("a", "b", "value", "ci_low", "ci_high", "p_adjusted")
    )
    assert COLUMNS == ("metric", "A", "B", "A - B", "low", "high", "p Holm")
    # The verbose model is A: it writes longer for a higher score, and the concise one shorter.
    a, b, difference, low, *_ = rows["tau_generation_length"]
    assert a > 0 > b
    assert difference > low > 0


def test_one_log_of_a_task_is_compared_with_nothing(verbose_log: Path) -> None:
    assert paired_comparisons([found(verbose_log)]) == {}


def test_runs_of_several_tasks_are_not_mixed(verbose_log: Path, concise_log: Path) -> None:
    read = [found(verbose_log), found(concise_log, task="other")]
    assert paired_comparisons(read) == {}


def test_runs_that_share_no_source_say_why(verbose_log: Path, tmp_path: Path) -> None:
    (log,) = inspect_eval(
        document_qa(limit=3),
        model="planted/verbose",
        log_dir=str(tmp_path),
        display="none",
        log_realtime=False,
    )
    read = [found(path, task="one") for path in (verbose_log, Path(log.location))]
    (compared,) = paired_comparisons(read)["one"]
    assert compared.lead == compared.words == ()
    assert "compare runs of one task over the same data" in compared.notes[0]
