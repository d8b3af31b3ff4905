"""``profile-tasks export``: preference pairs for training, from logs or recorded preferences."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from profile_tasks.commands.printing import Record, emit, estimate, say
from profile_tasks.commands.recorded import FORMAT_SETTINGS, format_of
from profile_tasks.commands.settings_options import settings_options
from profile_tasks.commands.unusable import Unusable
from profile_tasks.settings import DataSettings
from profile_tasks.whole_files import write_whole

if TYPE_CHECKING:
    from profile_tasks.training.export import ExportedData, ExportFormat, Prompts
    from profile_tasks.training.pairs import FoundPairs, PairChoice

FILES = ("train.jsonl", "heldout.jsonl", "card.json", "README.md")
"""What the folder holds."""


@click.command(epilog="Example: profile-tasks export logs/samples.eval --format dpo --output pairs")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["dpo", "sft", "kto", "jsonl"]),
    required=True,
    help="dpo: prompt, chosen, rejected. sft: prompt, completion. kto: prompt, completion, label. "
    "jsonl: this project's own schema.",
)
@click.option("--output", type=click.Path(path_type=Path), required=True, help="Folder to write.")
@click.option(
    "--conversational/--plain",
    default=True,
    show_default=True,
    help="Messages with roles, or texts.",
)
@click.option(
    "--prompts",
    type=click.Choice(["neutral", "scores", "both"]),
    default="neutral",
    show_default=True,
    help="Ask without a target score; for score 5 (the chosen response is wanted) and for score 1 "
    "(the rejected one is); or all three.",
)
@click.option(
    "--pairs",
    "choice",
    type=click.Choice(["best-worst", "all"]),
    default="best-worst",
    show_default=True,
    help="Of each source in a log: the best response over the worst, or all pairs.",
)
@click.option(
    "--margin",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="Least margin: of shares of wins (self-guided), of target scores, or of shares of votes.",
)
@click.option(
    "--heldout",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.1,
    show_default=True,
    help="Share of the sources that is held out.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the split.")
@settings_options(DataSettings, FORMAT_SETTINGS)
@click.option("--task", help="Recorded preferences: only the rows of this task.")
@click.option("--sources", help="Recorded preferences: file of source texts by source_id.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier export in the folder.")
def export(
    inputs: tuple[str, ...],
    format_: "ExportFormat",
    output: Path,
    conversational: bool,
    prompts: "Prompts",
    choice: "PairChoice",
    margin: float,
    heldout: float,
    seed: int,
    task: str | None,
    sources: str | None,
    overwrite: bool,
    **read_as: object,
) -> None:
    """Training data in TRL's formats, with a held-out split by source and a data card.

    INPUT is a log of a self-guided task (the model's own verdicts rank its samples), a log of
    summarization, instruction_following or document_qa (of two responses written for target scores
    the one for the higher score), a file of recorded preferences, or demo (with --task).
    """
    from profile_tasks.training.export import ExportSettings, export_pairs

    try:
        settings = ExportSettings(format_, conversational, prompts, margin, heldout, seed)
        _check_folder(output, overwrite=overwrite)
        found = [_found(name, choice, task, sources, read_as) for name in inputs]
        data = export_pairs(found, settings)
        _write(output, data)
    except (ImportError, OSError, ValueError) as error:
        raise Unusable(str(error)) from error
    _print(output, data)


def _check_folder(output: Path, *, overwrite: bool) -> None:
    if output.exists() and not output.is_dir():
        raise ValueError(f"{output} is a file; name a folder (--output)")
    there = [name for name in FILES if (output / name).exists()]
    if there and not overwrite:
        raise ValueError(
            f"{output} holds {', '.join(there)} already; name another folder, or --overwrite"
        )


def _found(
    name: str, choice: "PairChoice", task: str | None, sources: str | None, read_as: Record
) -> "FoundPairs":
    """The pairs of one input: a log by its ending, else recorded preferences."""
    from profile_tasks.data.preferences import load_preferences
    from profile_tasks.runs.reading import is_log
    from profile_tasks.training.pairs import logged_pairs, recorded_pairs

    if "://" in name or is_log(Path(name)):
        from profile_tasks.runs.inspect_log import open_log

        return logged_pairs(open_log(name), Path(name).name, choice)
    return recorded_pairs(
        load_preferences(name, task=task, source_file=sources, **format_of(read_as))
    )


def _write(output: Path, data: "ExportedData") -> None:
    from profile_tasks.training.export import card_text, json_lines

    output.mkdir(parents=True, exist_ok=True)
    texts = {
        "train.jsonl": json_lines(data.train),
        "heldout.jsonl": json_lines(data.heldout),
        "card.json": json.dumps(data.card, indent=2, ensure_ascii=False, allow_nan=False) + "\n",
        "README.md": card_text(data.card),
    }
    if not data.heldout:
        texts.pop("heldout.jsonl")
        (output / "heldout.jsonl").unlink(missing_ok=True)
    for name, text in texts.items():
        write_whole(output / name, text)


def _print(output: Path, data: "ExportedData") -> None:
    from profile_tasks.training.export import counted

    card: Record = data.card
    for name, split in card["splits"].items():
        say(
            f"{name}: {split['records']} records of {split['pairs']} pairs, "
            f"{split['groups']} sources"
        )
    say(counted(card))
    if card["simulated"]:
        say("SIMULATED: a planted annotator took part; no evidence about any model")
    rows = [
        {
            "factor": factor,
            "tau [95 %]": estimate(found, "tau"),
        }
        for factor, found in card["chosen_over_rejected"].items()
    ]
    emit("table", {}, [], "\nfactor profile of chosen over rejected", rows)
    say(f"\nwritten to {output}", whole=True)
