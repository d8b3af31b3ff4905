"""``profile-tasks report``: finished runs as one page for people."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from profile_tasks.commands.printing import say
from profile_tasks.commands.progress import progress
from profile_tasks.commands.unusable import Unusable
from profile_tasks.whole_files import write_whole

if TYPE_CHECKING:
    from profile_tasks.report.page import TaskSection


@click.command(epilog="Example: profile-tasks report logs/a.eval logs/b.eval -o report.html")
@click.argument("logs", nargs=-1, required=True, metavar="LOG...")
@click.option(
    "-o",
    "--output",
    default="report.html",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The page to write.",
)
@click.option(
    "--figures",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write each figure into this folder too, as SVG and PNG.",
)
@click.option("--score", help="Name of the score in the logs, where one holds several.")
def report(logs: tuple[str, ...], output: Path, figures: Path | None, score: str | None) -> None:
    """One self-contained HTML page of one run or several: headline, figures, examples.

    LOG is an Inspect log of this project's tasks, results of lm-eval (results_*.json), or JSON of
    `profile-tasks influence`. Runs of one task stand side by side, and
    its Inspect logs are compared with the first of them, paired by source.
    """
    # Inspect and the plots take seconds to import, so that --help must not wait for them.
    from profile_tasks.report.comparison import paired_comparisons
    from profile_tasks.report.page import rendered, task_sections
    from profile_tasks.report.reading import read_findings

    read = []
    with progress("making the report", len(logs) + 2) as advance:
        try:
            for log in logs:
                read += [(Path(log), found) for found in read_findings(Path(log), score)]
                advance()
        except (OSError, ValueError) as error:
            raise Unusable(str(error)) from error
        comparisons = paired_comparisons(read, score)
        advance()
        found = [each for _, each in read]
        sections = task_sections(found, comparisons, with_files=figures is not None)
        advance()
    try:
        write_whole(output, rendered(sections))
        if figures is not None:
            _write_figures(figures, sections)
    except OSError as error:
        raise Unusable(f"{error.filename or output}: {error.strerror}") from error
    say(f"{output}: {len(found)} run{'s' * (len(found) > 1)}", whole=True)


def _write_figures(folder: Path, sections: "list[TaskSection]") -> None:
    from profile_tasks.untrusted_text import file_name

    folder.mkdir(parents=True, exist_ok=True)
    for place, section in enumerate(sections, 1):
        for panels in section.figures.values():
            for number, panel in enumerate(panels, 1):
                parts = (section.task, panel.model, panel.figure.name)
                name = "_".join(file_name(part) for part in parts)
                if len(panels) > 1:
                    name = f"{number}_{name}"  # two models may have one name as file names go
                if len(sections) > 1:
                    name = f"{place}_{name}"  # and so may two tasks
                for ending, content in (panel.figure.files or {}).items():
                    write_whole(folder / f"{name}.{ending}", content)
