"""``profile-tasks gate``: whether a run meets stated bars."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from profile_tasks.commands.printing import FORMAT_OPTION, emit
from profile_tasks.commands.unusable import Unusable
from profile_tasks.whole_files import write_whole

if TYPE_CHECKING:
    from profile_tasks.gate.evidence import Evidence


@click.command(epilog="Example: profile-tasks gate run.eval --bars bars.yaml --junit gate.xml")
@click.argument("log", type=click.Path(path_type=Path))
@click.option(
    "--bars",
    "bars_file",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="YAML file of the bars.",
)
@click.option("--task", help="Which task, where a results file of lm-eval holds several.")
@click.option("--score", help="Name of the score, where a log holds several.")
@click.option(
    "--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write JUnit XML to this file."
)
@click.option(
    "--summary",
    "summary_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a Markdown summary to this file.",
)
@FORMAT_OPTION
@click.pass_context
def gate(
    context: click.Context,
    log: Path,
    bars_file: Path,
    task: str | None,
    score: str | None,
    junit: Path | None,
    summary_file: Path | None,
    format_: str,
) -> None:
    """Whether a finished run meets stated bars: exit status 0 met, 1 missed, 2 cannot tell.

    LOG is an Inspect log, or a results file of lm-eval for bars that need no samples. Status 2 is
    also that of a log or a file of bars that cannot be used.
    """
    # Inspect and the statistics take seconds to import, so that --help must not wait for them.
    from profile_tasks.gate.bars import load_bars
    from profile_tasks.gate.evidence import read_evidence
    from profile_tasks.gate.reports import junit_xml, summary
    from profile_tasks.gate.verdicts import EXIT_STATUS, cautions, judge, overall
    from profile_tasks.untrusted_text import one_line

    notes: list[str] = []
    try:
        bars = load_bars(bars_file)
        evidence = read_evidence(log, task, score)
        notes += filter(None, [evidence.run.recorded, evidence.run.restated])
        verdicts = judge(bars, evidence, _comparing(evidence, bars_file.parent, score, notes))
        notes += cautions(verdicts, evidence)
    except (OSError, ValueError) as error:
        raise Unusable(f"no verdict: {error}") from error
    run = f"{evidence.run.model} on {evidence.run.task}"
    if junit is not None:
        _write(junit, junit_xml(verdicts, run))
    told = summary(verdicts, run, notes)
    if summary_file is not None:
        _write(summary_file, told)
    if beside_the_job := os.environ.get("GITHUB_STEP_SUMMARY"):
        _write(Path(beside_the_job), told, append=True)
    outcome = overall(verdicts)
    status = EXIT_STATUS[outcome]
    rows = [verdict.record() for verdict in verdicts]
    record = {
        "model": evidence.run.model,
        "task": evidence.run.task,
        "outcome": outcome,
        "exit_status": status,
        "verdicts": rows,
        "notes": notes,
    }
    if format_ != "table":
        emit(format_, record, rows, "", [])
    else:
        click.echo(one_line(run))
        for verdict in verdicts:
            click.echo(f"{verdict.outcome:<11}  {one_line(verdict.name)}")
            click.echo(f"{'':<11}  {one_line(verdict.why)}")
        for note in notes:
            click.echo(f"note: {one_line(note)}")
        click.echo(f"gate: {outcome} (exit status {status})")
    context.exit(status)


def _comparing(
    evidence: "Evidence", folder: Path, score: str | None, notes: list[str]
) -> Callable[[str], dict[str, Any]]:
    """Compare the run with a baseline, whose path is relative to the file of bars; each once."""
    from profile_tasks.gate.bars import NO_WORSE_CONFIDENCE
    from profile_tasks.gate.verdicts import coverage_of
    from profile_tasks.runs.compare import compare_runs
    from profile_tasks.runs.inspect_log import read_run

    known: dict[str, dict[str, Any]] = {}

    def compared_with(baseline: str) -> dict[str, Any]:
        if baseline not in known:
            location = baseline if "://" in baseline else str(folder / baseline)
            other = read_run(location, score)
            coverage = coverage_of(NO_WORSE_CONFIDENCE)
            known[baseline] = compare_runs(evidence.run, other, confidence=coverage)
            notes.extend(
                f"A is the run, B the baseline {baseline}: {note}"
                for note in known[baseline]["notes"]
            )
        return known[baseline]

    return compared_with


def _write(path: Path, text: str, *, append: bool = False) -> None:
    try:
        if append:
            with path.open("a", encoding="utf-8") as file:
                file.write(text)
        else:
            write_whole(path, text)
    except OSError as error:
        raise Unusable(f"{path}: cannot be written ({error.strerror})") from error
