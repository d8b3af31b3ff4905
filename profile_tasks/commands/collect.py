"""``profile-tasks collect``: what annotators answered, as a preference file."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from profile_tasks.commands.new_rows import check_new_rows
from profile_tasks.commands.printing import command_line, emit, say
from profile_tasks.commands.unusable import Unusable
from profile_tasks.whole_files import write_whole

if TYPE_CHECKING:
    from profile_tasks.annotation.answers import CollectedRows

_TOLD = {
    "unknown": "answers are to tasks that the key does not have, and are left out; were tasks "
    "added in the tool?",
    "edited": "answers are to tasks whose texts were changed in the tool, and are left out; "
    "import the tasks again and have them judged anew",
    "contradictory": "tasks were answered twice by one annotator, and differently: both are left "
    "out; delete the wrong one in the tool",
    "equal": "tasks were answered twice by one annotator, and alike; each counts once",
    "unanswered": "tasks were sent off without an answer, and count as missing",
    "unasked": "answers are about a factor that the project does not ask about, and are left out; "
    "is its name right?",
}
"""What is wrong with answers, in this order."""

_PLACES = 5


@click.command(epilog="Example: profile-tasks collect study export.json -o people.jsonl")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER")
@click.argument(
    "exports",
    nargs=-1,
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="EXPORT...",
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write (.jsonl).",
)
@click.option(
    "--most-failed",
    type=click.IntRange(0),
    help="Leave out who failed more attention checks than so.  [default: nobody]",
)
@click.option(
    "--keep-names", is_flag=True, help="Call annotators as the tool does, not by pseudonyms."
)
@click.option("--overwrite", is_flag=True, help="Replace the output file.")
def collect(
    folder: Path,
    exports: tuple[Path, ...],
    output: Path,
    most_failed: int | None,
    keep_names: bool,
    overwrite: bool,
) -> None:
    """The answers to the project in FOLDER as preference data, with every vote.

    EXPORT is Label Studio's export (JSON, or JSON-MIN), a file that the page saved, or a table of
    answers (.csv); give all of them at once. A pair that is skipped has no vote of who skipped it:
    it is missing, and never a tie.
    """
    from profile_tasks.annotation.answers import collected
    from profile_tasks.annotation.project import read_key
    from profile_tasks.annotation.reading import read_answers
    from profile_tasks.training.export import json_lines

    try:
        check_new_rows(output, overwrite=overwrite)
        found = collected(
            read_key(folder),
            [answer for export in exports for answer in read_answers(export)],
            most_failed=most_failed,
            keep_names=keep_names,
        )
        write_whole(output, json_lines(found.rows))
    except (OSError, ValueError) as error:
        raise Unusable(str(error)) from error
    _say_problems(found)
    _print(found, output)


def _say_problems(found: "CollectedRows") -> None:
    for what, told in _TOLD.items():
        places = found.problems.get(what, ())  # type: ignore[call-overload]
        if places:
            say(f"{len(places)} {told}:", err=True)
        for place in places[:_PLACES]:
            say(f"  {place}", err=True)
        if len(places) > _PLACES:
            say(f"  and {len(places) - _PLACES} more", err=True)


def _print(found: "CollectedRows", output: Path) -> None:
    from profile_tasks.annotation.project import WRITER

    rows = [
        {
            "annotator": person.name,
            "votes": str(person.votes),
            "ties": str(person.ties),
            "shown first": str(person.first),
            "skipped": str(person.skipped),
            "checks failed": f"{person.failed} of {person.checks}",
            "seconds a pair": "-" if person.seconds is None else f"{person.seconds:.0f}",
            "counted": "no" if person.left_out else "yes",
        }
        for person in found.annotators
    ]
    people = len(found.annotators)
    by = f"{people} annotator{'s' * (people != 1)}"
    title = f"{found.judged} of {len(found.rows)} pairs judged by {by}"
    emit("table", {}, [], title, rows)
    out = [person.name for person in found.annotators if person.left_out]
    if out:
        say(f"votes left out, for failed attention checks: {', '.join(out)}")
    say(f"written to {output}\nwhich factors their preferences follow:", whole=True)
    say(command_line("profile-tasks", "influence", str(output)), whole=True)
    if any(WRITER in row for row in found.rows):
        say("people beside the model that wrote the texts:")
        say(command_line("profile-tasks", "judges", str(output)), whole=True)
