"""``profile-tasks annotate``: pairs for people to judge, as a project of an annotation tool."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from profile_tasks.commands.printing import command_line, say
from profile_tasks.commands.recorded import FORMAT_SETTINGS, format_of
from profile_tasks.commands.settings_options import settings_options
from profile_tasks.commands.unusable import Unusable
from profile_tasks.settings import DataSettings, ProfileSettings

if TYPE_CHECKING:
    from profile_tasks.annotation.pair_sample import AskedSample
    from profile_tasks.annotation.project import Project
    from profile_tasks.data.preferences import PreferenceData


@click.command(epilog="Example: profile-tasks annotate pairs.jsonl --pairs 200 -o study")
@click.argument("pairs_of", metavar="LOG|FILE")
@click.option(
    "-o",
    "--output",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the project; its key.json stays with you.",
)
@click.option(
    "--for",
    "tool",
    type=click.Choice(["label-studio", "html", "csv"]),
    default="label-studio",
    show_default=True,
    help="Who asks: Label Studio; a page that opens from disk, one an annotator; or whatever takes "
    "a table.",
)
@click.option("--pairs", "n_pairs", type=click.IntRange(1), help="How many.  [default: all]")
@click.option(
    "--width",
    type=click.FloatRange(0, 1, min_open=True),
    help="As many as a 95 % interval of tau ± so takes.",
)
@click.option(
    "--ask", help="Factors to ask about too, and taxonomy files (.yaml); with commas.", default=""
)
@click.option(
    "--checks",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Attention checks: pairs with an obvious answer.",
)
@click.option(
    "--annotators", type=click.IntRange(1), default=1, show_default=True, help="People asked."
)
@click.option(
    "--overlap",
    type=click.FloatRange(0, 1),
    default=1.0,
    show_default=True,
    help="Share of the pairs that all of them judge.",
)
@click.option(
    "--wording",
    type=click.Path(dir_okay=False, path_type=Path),
    help="YAML of instructions and questions of your own.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of all draws.")
@settings_options(ProfileSettings, ["pairing"])
@settings_options(DataSettings, [*FORMAT_SETTINGS, "sources"])
@click.option("--task", help="Only the rows of this task; demo needs it.")
def annotate(
    pairs_of: str,
    folder: Path,
    tool: str,
    n_pairs: int | None,
    width: float | None,
    ask: str,
    checks: int,
    annotators: int,
    overlap: float,
    wording: Path | None,
    seed: int,
    **read_as: Any,  # noqa: ANN401 - how the input reads
) -> None:
    """A project in which people judge pairs: those of a preference file, or a model's own.

    LOG is a log of a task in which the model wrote for target scores: any two of its texts on one
    source are a pair. FILE holds pairs as profile-tasks influence and pairs read and write them,
    judged or not. The answers are read by profile-tasks collect.
    """
    from profile_tasks.annotation.folder import files_for, write_folder
    from profile_tasks.annotation.pair_sample import pairs_for, size_of
    from profile_tasks.annotation.project import make_project
    from profile_tasks.annotation.wording import asked_factors, read_wording

    try:
        if n_pairs is not None and width is not None:
            raise ValueError("--pairs says how many, and --width finds it out; give one of them")
        data, left_out = _read(pairs_of, read_as)
        groups = [source.group for source in data.sources for _ in source.pairs]
        if width is not None:
            n_pairs = pairs_for(groups, width, seed)
        project = make_project(
            data,
            read_wording(wording),
            asked_factors(
                [name.strip() for name in ask.split(",") if name.strip()],
                {source.task for source in data.sources},
            ),
            pairs=len(groups) if n_pairs is None else n_pairs,
            checks=checks,
            annotators=annotators,
            overlap=overlap,
            seed=seed,
            dealt=tool == "html",
        )
        files = files_for(tool, project)
        write_folder(folder, project, files)
    except (ImportError, OSError, ValueError) as error:
        raise Unusable(str(error)) from error
    asked = size_of([str(row["group"]) for row in project.key.rows], seed)
    _say(project, asked, len(groups), left_out)
    _say_next(tool, folder, list(files))


def _read(name: str, read_as: dict[str, Any]) -> "tuple[PreferenceData, dict[str, int]]":
    """The pairs of a log, by its ending, or of a file; and what was left out of a log."""
    from profile_tasks.data.preferences import load_preferences
    from profile_tasks.runs.reading import is_log

    if "://" in name or is_log(Path(name)):
        from profile_tasks.annotation.written_pairs import written_pairs

        return written_pairs(name, read_as["pairing"])
    data = load_preferences(
        name, task=read_as["task"], source_file=read_as["sources"], **format_of(read_as)
    )
    return data, {}


def _say(project: "Project", asked: "AskedSample", there: int, left_out: dict[str, int]) -> None:
    key = project.key
    drawn = f"{asked.pairs} of {there} pairs, {asked.groups} sources"
    say(f"project {key.project}: {drawn}, seed {key.seed}")
    for what, number in left_out.items():
        if number:
            say(f"  left out: {number} {what}")
    if math.isfinite(asked.half_width):
        say(
            "  95 % interval of an influence of 0, in half of such studies: "
            f"±{asked.half_width:.2f} or less "
            f"(profile-tasks power --responses {asked.responses} --tau 0)"
        )
    else:
        say("  too few sources for an interval of an influence (docs/power.md)")
    if any(str(row.get("writer")).startswith("planted/") for row in key.rows):
        say("SIMULATED: a planted annotator wrote the texts; no evidence about any model")
    checks = sum(task.row is None for task in key.tasks.values()) // len(project.sheets)
    if project.annotators > 1:
        share = f"{project.overlap:.0%} of the pairs have all of them"
        say(f"  {project.annotators} annotators; {share}")
    say(f"  {checks} attention checks; wording {key.wording}; {_asked(key.asked)}")


def _asked(factors: tuple[str, ...]) -> str:
    return f"asked about: {', '.join(factors)}" if factors else "no question about a factor"


def _say_next(tool: str, folder: Path, files: list[str]) -> None:
    for name in files:
        say(str(folder / name), whole=True)
    say(f"{folder / 'key.json'}: yours alone; it tells which text is whose", whole=True)
    export = {"label-studio": "EXPORT.json", "html": "SAVED.json", "csv": "ANSWERS.csv"}[tool]
    say("once people have answered:")
    collect = command_line("profile-tasks", "collect", str(folder), export, "-o", "people.jsonl")
    say(collect, whole=True)
