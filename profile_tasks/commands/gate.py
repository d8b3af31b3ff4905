"""``profile-tasks gate``: whether a run meets stated bars."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from profile_tasks.commands.printing import FORMAT_OPTION, emit, say, say_signature
from profile_tasks.commands.unusable import Unusable
from profile_tasks.whole_files import write_whole

if TYPE_CHECKING:
    from profile_tasks.gate.bars import NamedBar
    from profile_tasks.gate.evidence import Evidence
    from profile_tasks.gate.reports import Judged
    from profile_tasks.gate.verdicts import Outcome


@click.command(epilog="Example: profile-tasks gate logs/*.eval --bars bars.yaml --junit gate.xml")
@click.argument("logs", nargs=-1, required=True, metavar="LOG...", type=click.Path(path_type=Path))
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
    logs: tuple[Path, ...],
    bars_file: Path,
    task: str | None,
    score: str | None,
    junit: Path | None,
    summary_file: Path | None,
    format_: str,
) -> None:
    """Whether finished runs meet stated bars: exit status 0 met, 1 missed, 2 cannot tell.

    LOG is an Inspect log, or a file for bars that need no samples: results of lm-eval, JSON of
    `influence` or of `contributions`. Of several each has its verdict, an audit of a judge one
    together with the run of the same model on the same data; the worst is the status. Status 2 is
    also that of a log or a file of bars that cannot be used.
    """
    # Inspect and the statistics take seconds to import, so that --help must not wait for them.
    from profile_tasks.gate.bars import check_metrics, load_bars
    from profile_tasks.gate.evidence import beside_audits, read_evidence
    from profile_tasks.gate.reports import junit_xml, summary
    from profile_tasks.gate.verdicts import EXIT_STATUS, overall

    try:
        bars = load_bars(bars_file)
        shown = beside_audits([read_evidence(log, task, score) for log in logs])
        check_metrics(bars, {name for each in shown for name in each.metrics}, bars_file)
        runs = [_judged(each, bars, bars_file.parent, score) for each in shown]
    except (OSError, ValueError) as error:
        raise Unusable(f"no verdict: {error}") from error
    if junit is not None:
        _write(junit, junit_xml(runs))
    told = "\n".join(summary(run) for run in runs)
    if summary_file is not None:
        _write(summary_file, told)
    if beside_the_job := os.environ.get("GITHUB_STEP_SUMMARY"):
        _write(Path(beside_the_job), told, append=True)
    outcome = overall(verdict for run in runs for verdict in run.verdicts)
    status = EXIT_STATUS[outcome]
    if format_ == "table":
        _print(runs)
    elif len(runs) == 1:
        emit(format_, _record(runs[0]), _rows(runs[0]), "", [])
    else:
        record = {
            "outcome": outcome,
            "exit_status": status,
            "runs": [{"log": run.file} | _record(run) for run in runs],
        }
        rows = [{"log": run.file} | row for run in runs for row in _rows(run)]
        emit(format_, record, rows, "", [])
    context.exit(status)


def _judged(
    evidence: "Evidence", bars: "Sequence[NamedBar]", folder: Path, score: str | None
) -> "Judged":
    from profile_tasks.gate.reports import Judged
    from profile_tasks.gate.verdicts import cautions, judge
    from profile_tasks.runs.signature import signature

    run = evidence.run
    notes = [note for note in (run.not_live, run.restated) if note]
    if run.audit is not None:
        notes.append(f"probes are those of {run.audit.file}, an audit of the same model")
    if run.harness == "contributions":
        notes += run.warnings
    verdicts = judge(bars, evidence, _comparing(evidence, folder, score, notes))
    notes += cautions(verdicts, evidence)
    return Judged(
        run.model,
        run.task + _ABOUT.get(run.setting, ""),
        tuple(verdicts),
        tuple(notes),
        signature(run),
        run.not_live,
        run.file,
    )


_ABOUT = {"judge_audit": ", audited as a judge", "contributions": ", what factors contribute"}
"""What is judged where it is no profile, by the setting."""


def _record(run: "Judged") -> dict[str, Any]:
    from profile_tasks.gate.verdicts import EXIT_STATUS

    return {
        "model": run.model,
        "task": run.task,
        "outcome": run.outcome,
        "exit_status": EXIT_STATUS[run.outcome],
        "not_live": run.not_live,
        "verdicts": [verdict.record() for verdict in run.verdicts],
        "notes": list(run.notes),
        "signature": run.signature,
    }


def _rows(run: "Judged") -> list[dict[str, Any]]:
    return [verdict.record() | {"not_live": run.not_live} for verdict in run.verdicts]


def _print(runs: "Sequence[Judged]") -> None:
    """The verdict, that on each run, then what became of its bars, the missed ones first."""
    from profile_tasks.gate.verdicts import EXIT_STATUS, overall

    outcome = overall(verdict for run in runs for verdict in run.verdicts)
    say(f"gate: {outcome} (exit status {EXIT_STATUS[outcome]})")
    for run in runs:
        counts = {which: run.outcomes.count(which) for which in _WORST_FIRST}
        told = ", ".join(f"{n} {which}" for which, n in counts.items() if n)
        say(f"{run.name}: {run.outcome} ({told} of {_bars(len(run.verdicts))})")
    for run in runs:
        say(f"\n{run.name}" if len(runs) > 1 else "")
        for verdict in sorted(run.verdicts, key=lambda each: _WORST_FIRST.index(each.outcome)):
            say(f"{verdict.outcome}: {verdict.name}")
            say(f"  {verdict.why}")
    for note in dict.fromkeys(note for run in runs for note in run.notes):
        say(f"note: {note}")
    for run in runs:
        say_signature(run.signature, run.name if len(runs) > 1 else "")


def _bars(n: int) -> str:
    return f"{n} bar{'s' * (n != 1)}"


_WORST_FIRST: "tuple[Outcome, ...]" = ("missed", "cannot tell", "met")


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
                for note in (known[baseline]["differ_in"], *known[baseline]["notes"])
                if note != f"A: {evidence.run.not_live}"  # which is said of the run already
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
