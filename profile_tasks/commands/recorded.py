"""The options about recorded preferences, and their loading: the same in every command."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from profile_tasks.commands.printing import Record, say
from profile_tasks.commands.settings_options import settings_options
from profile_tasks.settings import DataSettings

if TYPE_CHECKING:
    from profile_tasks.data.preferences import PreferenceData

_Command = TypeVar("_Command", bound=Callable[..., Any])

FORMAT_SETTINGS = ("format", "map", "labels")
"""The settings that say how a file of other people reads."""

_OPTIONS = (
    click.option(
        "--factors",
        default="auto",
        show_default=True,
        help="auto, surface, factor ids, taxonomy files (.yaml); with commas.",
    ),
    settings_options(DataSettings, FORMAT_SETTINGS),
    click.option("--preference-column", default="preference", show_default=True),
    click.option("--factors-column", default="factors", show_default=True),
    click.option("--sources", help="File of source texts, for rows that name a source_id."),
    click.option("--task", help="Only the rows of this task; or the YAML file of a task of yours."),
    click.option(
        "--limit", type=click.IntRange(1), help="Use this many sources, chosen by the seed."
    ),
    click.option("--skip-bad-rows", is_flag=True, help="Leave bad rows out and count them."),
)

RECORDED_OPTIONS = (
    "factors",
    *FORMAT_SETTINGS,
    "preference_column",
    "factors_column",
    "sources",
    "task",
    "limit",
    "skip_bad_rows",
)
"""Names of the parameters that :func:`recorded_options` adds."""


def recorded_options(command: _Command) -> _Command:
    """Add the options about recorded preferences to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def given(context: click.Context, names: Sequence[str]) -> list[str]:
    """The options of these parameter names that stand on the command line."""
    return [
        "--" + ("data-format" if name == "format" else name.replace("_", "-"))
        for name in names
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]


def load_recorded(
    file: str,
    options: Record,
    *,
    seed: int,
    preference_column: str | None = None,
    notes: bool = True,
    one_judge: bool = True,
) -> "PreferenceData":
    """The preferences in a file; what is left out of them is told on stderr.

    Args:
        file: File, or name of a data set.
        options: Values of ``RECORDED_OPTIONS``.
        seed: Of the choice of sources.
        preference_column: Another column than the one in the options.
        notes: Whether to tell what is left out.
        one_judge: Whether the only judge of a file without a preference of people stands for them.

    Raises:
        ImportError: A library that the file's format needs is not installed.
        ValueError: The file is not as it should be.
    """
    from profile_tasks.data.preferences import load_of_only_judge, load_preferences
    from profile_tasks.data.task_definition import packaged_tasks

    if file == "demo" and options["task"] is None:
        raise ValueError(
            f"data set 'demo' has one file a task; give --task: {', '.join(packaged_tasks())}"
        )
    column = preference_column or options["preference_column"]

    def load(column: str) -> "PreferenceData":
        return load_preferences(
            file,
            task=options["task"],
            **format_of(options),
            source_file=options["sources"],
            preference_column=column,
            factors_column=options["factors_column"],
            skip_bad_rows=options["skip_bad_rows"],
            limit=options["limit"],
            seed=seed,
        )

    data = load_of_only_judge(load, column) if one_judge else load(column)
    if data.read_as and notes:
        say(f"note: {data.read_as}", err=True)
    for row in data.skipped if notes else ():
        say(f"skipped: {row}", err=True)
    if notes:
        without_task = any(not source.task for source in data.sources)
        say_if_no_task(options["factors"], without_task=without_task)
    if data.unjudged_pairs and data.told and notes:
        say(unjudged_words(data.unjudged_pairs, data.judge), err=True)
    if data.unjoined_rows and notes:
        say(
            f"note: {data.unjoined_rows} rows name a source_id without --sources; "
            "factors that need the source are missing there",
            err=True,
        )
    return data


def say_if_no_task(factors: str, *, without_task: bool) -> None:
    """Tell that factors were chosen for rows that name no task, where some do not."""
    from profile_tasks.scorers.factors.taxonomy import SELECTIONS

    if without_task and not set(factors.split(",")).isdisjoint(SELECTIONS):
        say(
            "note: rows name no task, so the factors are those that every task has; --task adds "
            "those of one",
            err=True,
        )


def unjudged_words(n_pairs: int, judge: str | None) -> str:
    """What is told of pairs without a preference, of people or of a recorded judge."""
    lacking = f"a verdict in {judge!r} (null)" if judge else "a preference of people"
    return f"note: {n_pairs} pairs without {lacking} are left out"


def format_of(options: Record) -> dict[str, Any]:
    """How a file of other people reads, of a command's options, as ``load_preferences`` takes it.

    Raises:
        SettingError: It is said in another form than a format's.
    """
    settings = DataSettings.read({name: options[name] for name in FORMAT_SETTINGS})
    return {name: getattr(settings, name) for name in FORMAT_SETTINGS}


def load_two_judges(
    file: str, options: Record, *, seed: int, second_column: str
) -> "tuple[PreferenceData, PreferenceData]":
    """Two columns of one file, over the pairs that both judged; their number is told on stderr.

    Raises:
        ImportError, ValueError: As of ``load_recorded``; there is no such pair.
    """
    from profile_tasks.scorers.measurement.recorded import common_pairs

    first, second = (
        load_recorded(file, options, seed=seed, preference_column=column, notes=notes)
        for column, notes in ((None, True), (second_column, False))
    )
    columns = f"{first.judge or options['preference_column']!r} and {second_column!r}"
    one, other = common_pairs(first, second)
    if not one.sources:
        raise ValueError(f"{file}: {columns} judge no pair in common")
    both = sum(len(source.pairs) for source in one.sources)
    say(f"note: {both} pairs, those with a verdict in both {columns}", err=True)
    return one, other
