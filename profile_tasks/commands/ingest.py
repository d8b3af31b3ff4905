"""``profile-tasks ingest``: answers to planned requests as a log."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from profile_tasks.commands.plan import say_requests
from profile_tasks.commands.printing import command_line, say
from profile_tasks.commands.progress import progress
from profile_tasks.commands.unusable import Unusable

if TYPE_CHECKING:
    from profile_tasks.offline.answers import Problems

_TOLD = {
    "unreadable": "lines answer no request that can be told",
    "unknown": "answers are to no request of this plan, and left out; are they of another one?",
    "equal": "answers came more than once and say the same; each counts once",
    "failed": "requests failed",
    "lost": "planned requests have no answer; give the files of earlier answers too",
    "cut off": "answers were cut off by a token limit, and count so; a higher max_tokens takes a "
    "new plan",
}
"""What is wrong with answers, in this order."""


@click.command(epilog="Example: profile-tasks ingest study answers-1.jsonl answers-2.jsonl")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER")
@click.argument(
    "answers",
    nargs=-1,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="[ANSWERS...]",
)
@click.option(
    "--allow-missing",
    is_flag=True,
    help="Count planned requests without an answer as answered by nothing: a verdict or a text "
    "that is missing, never a tie and never 0.",
)
def ingest(folder: Path, answers: tuple[Path, ...], allow_missing: bool) -> None:
    """Read the ANSWERS to the plan in FOLDER, all of them so far, in any order of files and lines.

    Where every request is answered, the log is written: exit status 0. Where the answers lead to
    further requests, or some are missing or failed, these are written: exit status 1. Answers that
    cannot be used: exit status 2.
    """
    # Inspect takes seconds to import, so that --help must not wait for it.
    import profile_tasks._registry  # noqa: F401 - the tasks, also where nothing is installed
    from profile_tasks.commands.grader_run import inspect_on_stderr
    from profile_tasks.offline.plan import go_on

    try:
        with inspect_on_stderr(), progress("reading answers", len(answers)) as advance:
            step = go_on(folder, answers, allow_missing=allow_missing, advance=advance)
    except (ImportError, ValueError) as error:
        raise Unusable(str(error)) from error
    _say_problems(step.problems, allow_missing=allow_missing)
    if step.log is None:
        say_requests(step, folder)
        sys.exit(1)
    say(f"{step.log}: the log, made of answers in files (OFFLINE)", whole=True)
    say(command_line("profile-tasks", "report", str(step.log), "-o", "report.html"), whole=True)


def _say_problems(problems: "Problems", *, allow_missing: bool) -> None:
    for kind, told in _TOLD.items():
        if not (number := problems.counts[kind]):
            continue
        missing = kind in ("failed", "lost")
        then = ("; they count as missing" if allow_missing else "; asked again") * missing
        say(f"{number:,} {told}{then}:", err=True)
        for place in problems.places[kind]:
            say(f"  {place}", err=True)
        if number > len(problems.places[kind]):
            say(f"  and {number - len(problems.places[kind]):,} more", err=True)
