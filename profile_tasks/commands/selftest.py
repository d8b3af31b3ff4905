"""``profile-tasks selftest``: what the installed instrument recovers of truths that are planted."""

import sys

import click

from profile_tasks.commands.printing import FORMAT_OPTION, emit, say
from profile_tasks.commands.progress import progress

_NOTE = "SIMULATED: no number here is about a model or about people"


@click.command(epilog="Example: profile-tasks selftest")
@FORMAT_OPTION
def selftest(format_: str) -> None:
    """Plant known truths and measure them with the package as it is installed here.

    Exit status 1 where one is not found again. Simulated: it says nothing about any model.
    """
    # Both harnesses take seconds to import, so that --help must not wait for them.
    from dataclasses import asdict

    from profile_tasks.known_answers import checks, known_answers

    with progress("checking", len(checks())) as advance:
        found = []
        for answer in known_answers():
            found.append(answer)
            advance()
    held = sum(answer.holds for answer in found)
    rows = [asdict(answer) for answer in found]
    record = {"holds": held == len(found), "note": _NOTE, "checks": rows}
    title = f"{held} of {len(found)} known answers are found again ({_NOTE})"
    emit(format_, record, rows, title, [])
    if format_ == "table":
        for answer in found:
            holds = "holds" if answer.holds else "FAILS"
            say(f"- {holds}: {answer.name}: {answer.found} (planted: {answer.expected})")
    if held < len(found):
        sys.exit(1)
