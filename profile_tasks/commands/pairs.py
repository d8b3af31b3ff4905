"""``profile-tasks pairs``: what two models answered in finished runs of any task, as pairs."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from profile_tasks.commands.new_rows import check_new_rows
from profile_tasks.commands.printing import command_line, say
from profile_tasks.commands.task_name import TaskName
from profile_tasks.commands.unusable import Unusable
from profile_tasks.whole_files import write_whole

if TYPE_CHECKING:
    from profile_tasks.runs.output_pairs import PairedRuns


@click.command(epilog="Example: profile-tasks pairs logs/a.eval logs/b.eval -o pairs.jsonl")
@click.argument("logs", nargs=-1, required=True, metavar="LOG LOG...")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write (.jsonl).  [default: standard output]",
)
@click.option(
    "--task",
    type=TaskName(),
    help="What the rows name as their task.  [default: none; they fit every task]",
)
@click.option(
    "--name", "names", multiple=True, help="What to call a system; once a LOG, in their order."
)
@click.option(
    "--prompt-field",
    help="Field of the data set (metadata in Inspect, the document in lm-eval) with the request.  "
    "[default: the request as it was sent]",
)
@click.option(
    "--source-field", help="Field of the data set with the text to work on.  [default: none]"
)
@click.option("--keep-cut-off", is_flag=True, help="Keep answers that a limit cut off.")
@click.option("--overwrite", is_flag=True, help="Replace the output file.")
def pairs(
    logs: tuple[str, ...],
    output: Path | None,
    task: str | None,
    names: tuple[str, ...],
    prompt_field: str | None,
    source_field: str | None,
    keep_cut_off: bool,
    overwrite: bool,
) -> None:
    """Pairs of what two models answered to the same inputs, for a judge or for annotators.

    LOG is an Inspect log of any task, or a samples_*.jsonl file of lm-eval with generated texts. Of
    more than two, every two make pairs. Inputs are matched by their text. The rows are in this
    project's schema and have no preference: nobody has judged them.
    """
    from profile_tasks.data.task_definition import read_definition
    from profile_tasks.runs.output_pairs import named_apart, paired
    from profile_tasks.runs.outputs import Fields, read_outputs
    from profile_tasks.training.export import json_lines

    try:
        if len(logs) < 2 or len(set(logs)) < len(logs):
            raise ValueError(f"{' '.join(logs)}: give two different runs, or more")
        check_new_rows(output, overwrite=overwrite)
        fields = Fields(prompt_field, source_field)
        runs = named_apart([read_outputs(log, fields) for log in logs], names)
        definition = None if task is None else read_definition(task)
        named = None if definition is None else definition.name
        made = paired(runs, task=named, keep_cut_off=keep_cut_off)
    except (OSError, ValueError) as error:
        raise Unusable(str(error)) from error
    text = json_lines(row for each in made for row in each.rows)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_whole(output, text)
    for each in made:
        _print(each, err=output is None)
    if output is not None:
        _print_next(output, made[0], task)


def _print(made: "PairedRuns", *, err: bool) -> None:
    """What became of every sample of two runs."""
    first, second = made.runs
    groups = len({row["group"] for row in made.rows})
    say(f"{len(made.rows)} pairs on {groups} inputs: {first.system}, {second.system}", err=err)
    kinds = {"samples read": (len(first.outputs), len(second.outputs)), **made.left_out}
    for what, (one, two) in kinds.items():
        said = what if what == "samples read" else f"left out: {what}"
        say(f"  {said}: {one}, {two}", err=err)
    for note in made.notes:
        say(f"note: {note}", err=err)
    if any("planted/" in run.system for run in made.runs):
        say("SIMULATED: a planted annotator took part; no evidence about any model", err=err)


def _print_next(output: Path, made: "PairedRuns", task: str | None) -> None:
    from profile_tasks.data.task_definition import PREFERENCE, is_file, is_known
    from profile_tasks.tasks.profile_task import inspect_task

    file, system = str(output), made.runs[0].system
    meant = task or made.rows[0].get("task", "instruction_following")
    if not is_file(meant) and not is_known(meant):
        meant += ".yaml"  # a task of somebody's own, whose file stands with its owner
    name = PREFERENCE if is_file(meant) else inspect_task(meant)[0]
    also = () if name == meant else ("-T", f"task={meant}")
    say(f"written to {output}\nwhich factors differ:", whole=True)
    whose = ("--preference-column", f"written_by_{system}")
    say(command_line("profile-tasks", "influence", file, *whose), whole=True)
    say("ask a judge:")
    asked = ("-T", f"dataset={file}", "-T", "setting=discrimination")
    judge = ("inspect", "eval", f"profile_tasks/{name}", "--model", "MODEL", *also, *asked)
    say(command_line(*judge), whole=True)
