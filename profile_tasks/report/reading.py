"""What a report shows of each run in a file."""

from pathlib import Path

from profile_tasks.report.findings import Findings, findings
from profile_tasks.report.texts import logged_texts
from profile_tasks.runs.reading import is_log, read_runs
from profile_tasks.runs.run import check_finished


def read_findings(path: Path, score: str | None = None) -> list[Findings]:
    """The findings in a file.

    Args:
        path: An Inspect log, results of lm-eval, or JSON of ``profile-tasks influence``.
        score: Name of the score in Inspect logs, where one holds several.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is of another kind, of another task, damaged, or without results.
    """
    if not is_log(path):
        return [findings(run) for run in read_runs(path)]
    from profile_tasks.runs.inspect_log import (
        inspect_run,
        judge_audit_run,
        open_log,
        score_name,
        with_probes,
    )

    log = open_log(str(path))
    if audit := judge_audit_run(log):
        check_finished(audit)
        return [findings(with_probes(audit, log))]
    name = score_name(log, score)
    run = inspect_run(log, name)
    check_finished(run)
    return [findings(run, logged_texts(log, name))]
