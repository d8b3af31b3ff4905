"""``profile-tasks influence``: the factor profile of recorded preferences."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from profile_tasks.commands.printing import (
    FORMAT_OPTION,
    Record,
    emit,
    estimate,
    estimate_or_why,
    metric,
    number,
    p_value,
    say,
    say_signature,
)
from profile_tasks.commands.progress import progress
from profile_tasks.commands.recorded import (
    given,
    load_recorded,
    recorded_options,
    say_if_no_task,
    unjudged_words,
)
from profile_tasks.commands.settings_options import settings_options
from profile_tasks.commands.unusable import Unusable
from profile_tasks.settings import Control, MeasuringSettings

if TYPE_CHECKING:
    from profile_tasks.data.preferences import PreferenceData


@click.command(epilog="Example: profile-tasks influence pairs.jsonl --factors length,readability")
@click.argument("file")
@recorded_options
@settings_options(MeasuringSettings, ["control"])
@click.option(
    "--human-labels",
    metavar="FILE",
    help="Correct recorded grades by the human labels that FILE (.yaml, or packaged) names.",
)
@click.option(
    "--slices",
    metavar="COLUMN,...",
    help="Whether influences differ between the values of these columns, or of length_class.",
)
@click.option(
    "--stream/--no-stream",
    default=None,
    help="Read FILE in pieces, in constant memory; by default where it is large.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    help="Processes that read a large FILE.  [default: all cores]",
)
@click.option(
    "--ray",
    metavar="ADDRESS",
    help="Read FILE, or all files of a pattern in quotes, by Ray Data: on the cluster there, or on "
    "this machine (local).",
)
@click.option("--replicates", type=click.IntRange(100, 1_000_000), default=2000, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@FORMAT_OPTION
@click.pass_context
def influence(
    ctx: click.Context,
    /,
    file: str,
    control: Control,
    human_labels: str | None,
    slices: str | None,
    stream: bool | None,
    workers: int | None,
    ray: str | None,
    replicates: int,
    seed: int,
    format_: str,
    **_: object,
) -> None:
    """Factor profile of the recorded preferences in FILE; no model is needed.

    FILE holds annotated pairs as .jsonl, .json, .csv or .parquet, or is one of the data sets
    demo (with --task), tldr, shp2, webgpt; or the Inspect log of a run with a grader, whose grades
    are then recorded factors (--preference-column discrimination: of the model as a judge).
    """
    # The statistics take seconds to import, so that --help must not wait for them.
    from profile_tasks.runs.influence_json import influence_run
    from profile_tasks.runs.signature import signature
    from profile_tasks.runs.words import influence_words
    from profile_tasks.scorers.factors.words import without_spaces
    from profile_tasks.scorers.measurement.recorded import recorded_profile

    try:
        if ray is None:
            record = _streamed(ctx, file, stream, workers or os.cpu_count() or 1)
        else:
            record = _by_ray(ctx, file, ray, workers)
        if record is None:
            data = _graded_run(ctx, file) or load_recorded(file, ctx.params, seed=seed)
            with progress("estimating"):
                record = recorded_profile(
                    data,
                    ctx.params["factors"],
                    control=control,
                    human_labels=human_labels,
                    slices=() if slices is None else [name.strip() for name in slices.split(",")],
                    replicates=replicates,
                    seed=seed,
                )
            pairs = (pair for source in data.sources for pair in source.pairs)
            record["unspaced"] = format_ == "table" and any(
                without_spaces(pair.response_a + pair.response_b) for pair in pairs
            )
    except (ImportError, ValueError) as error:
        raise Unusable(str(error)) from error
    unspaced = record.pop("unspaced")
    record["signature"] = signature(influence_run(record, file))
    columns = [{"factor": factor, **values} for factor, values in record["factors"].items()]
    judge = record["judge"]
    title = f"recorded judge {judge}: " if judge else ""
    title += (
        f"{record['n_pairs']} decided pairs in {record['n_groups']} groups; "
        f"{record['n_preference_ties']} preference ties left out"
    )
    if format_ == "table":
        judges = f"the verdicts of {judge}" if judge else "people"
        say(influence_words(record["factors"], judges))
    emit(format_, record, columns, title, _printed_rows(record))
    if format_ == "table":
        if unspaced:
            say("words: in scripts without spaces, grapheme clusters")
        for line in _notes(record):
            say(line)
        for column, found in record.get("slices", {}).items():
            _say_slices(column, found)
        say_signature(record["signature"])


def _say_slices(column: str, found: Record) -> None:
    """What differs between the slices of a column, then the influences in each of them."""
    from profile_tasks.runs.words import slice_words

    slices = found["slices"]
    say(f"\nby {column}: {slice_words(slices)}")
    factors = next(iter(slices.values()), {"factors": ()})["factors"]
    rows = [
        {
            "factor": factor,
            **{
                f"{label} ({each['n_pairs']} pairs)": _in_a_slice(each["factors"][factor])
                for label, each in slices.items()
            },
        }
        for factor in factors
    ]
    if slices:
        emit("table", {}, [], "tau in each slice; * told to differ from all other pairs", rows)
    for label, groups in found["too_small"].items():
        say(f"{label}: {groups} groups in it or beside it, too few; counted among the others")
    if found["n_unlabelled"]:
        say(f"{found['n_unlabelled']} pairs without {column}, counted among the others")
    if slices:
        say(
            "told: sign-flip test by group of the slice less all other pairs, Benjamini and "
            "Hochberg over slices and factors; with the other factors held fixed: an interaction "
            "in the adjusted regression, likewise"
        )


def _in_a_slice(values: Record) -> str:
    from profile_tasks.runs.words import LEVEL

    p = values["p_adjusted_bh"]
    return metric(values, "tau") + ("*" if p is not None and p < LEVEL else "")


_OF_WHOLE_FILES = (
    *("format", "map", "labels", "sources", "limit", "skip_bad_rows"),
    *("control", "human_labels", "slices"),
)
"""Options for which all rows are looked at together."""


def _streamed(
    ctx: click.Context, file: str, stream: bool | None, workers: int
) -> dict[str, Any] | None:
    """The influences in a file that is read in pieces; None where it is read as a whole.

    Raises:
        ValueError: It is to be read in pieces and cannot be, or a row cannot be used.
    """
    from profile_tasks.data.pieces import NotInPiecesError, in_pieces, is_large, total_size
    from profile_tasks.scorers.measurement.recorded import streamed_profile

    path = Path(file).expanduser()
    fits = path.is_file() and in_pieces(path) and not given(ctx, _OF_WHOLE_FILES)
    if stream is False or (stream is None and not (fits and is_large(path))):
        return None
    _check_in_pieces(ctx, [path], "--stream")
    try:
        with progress("reading", total_size(path)) as step:
            record = streamed_profile(path, workers=workers, step=step, **_measuring(ctx))
    except NotInPiecesError as error:
        if stream is None:  # as a whole it may be read
            say(f"note: read as a whole, in memory: {error}", err=True)
            return None
        raise
    return _told_unjudged(ctx, record)


def _by_ray(ctx: click.Context, file: str, address: str, workers: int | None) -> dict[str, Any]:
    """The influences in one file or more, measured by Ray Data.

    Raises:
        ImportError: Ray is not installed.
        ValueError: A file or a row cannot be used, or there is no cluster.
    """
    from glob import glob

    from profile_tasks.scorers.measurement.ray_profile import ray_profile

    if workers and address != "local":
        raise ValueError("--workers are of this machine: leave it out, or give --ray local")
    path = Path(file).expanduser()
    # Path.glob takes no pattern that begins at a root.
    files = [path] if path.is_file() else sorted(map(Path, glob(str(path), recursive=True)))  # noqa: PTH207
    if not files:
        raise ValueError(f"{file}: there is no such file, and none that fits the pattern")
    _check_in_pieces(ctx, files, "--ray")
    record = ray_profile(files, name=path.name, address=address, workers=workers, **_measuring(ctx))
    return _told_unjudged(ctx, record)


def _check_in_pieces(ctx: click.Context, files: list[Path], option: str) -> None:
    from profile_tasks.data.pieces import STREAMED_ENDINGS, in_pieces

    others = given(ctx, _OF_WHOLE_FILES)
    for path in files:
        if in_pieces(path) and not path.is_file():
            raise ValueError(f"{path}: {'not a' if path.exists() else 'no such'} file")
    unfit = [path for path in files if not in_pieces(path)]
    if others or unfit:
        raise ValueError(
            f"{(unfit or files)[0]}: {option} reads files in our schema that end in "
            f"{', '.join(STREAMED_ENDINGS)}"
            + (f", without {', '.join(others)}, which looks at all rows together" * bool(others))
        )


def _measuring(ctx: click.Context) -> dict[str, Any]:
    """What is measured of files in pieces."""
    from profile_tasks.data.columns import RowRules
    from profile_tasks.data.task_definition import task_key

    options = ctx.params
    columns = (options["preference_column"], options["factors_column"])
    return {
        "factors": options["factors"],
        "rules": RowRules(*columns, task_key(options["task"])),
        "replicates": options["replicates"],
        "seed": options["seed"],
    }


def _told_unjudged(ctx: click.Context, record: dict[str, Any]) -> dict[str, Any]:
    say_if_no_task(ctx.params["factors"], without_task=record.pop("without_task"))
    if record["n_unjudged_pairs"]:
        say(unjudged_words(record["n_unjudged_pairs"], record["judge"]), err=True)
    return record


_OF_FILES = (
    "format",
    "map",
    "labels",
    "factors_column",
    "sources",
    "task",
    "limit",
    "skip_bad_rows",
)
"""Options about the reading of rows, of which a log has none."""


def _graded_run(ctx: click.Context, file: str) -> "PreferenceData | None":
    """The preferences in a log, with its grades; None where the file is no log.

    Raises:
        ValueError: The log holds no grades, or an option makes no sense for one.
    """
    from profile_tasks.runs.reading import is_log

    if not is_log(Path(file)):
        return None
    from profile_tasks.runs.graded import graded_preferences
    from profile_tasks.runs.inspect_log import read_run  # imports Inspect, which takes a second

    if refused := given(ctx, _OF_FILES):
        raise ValueError(f"{file} is a log, for which {', '.join(refused)} says nothing")
    data = graded_preferences(read_run(file, texts=True), ctx.params["preference_column"])
    say(f"note: {data.read_as}", err=True)
    return data


def _printed_rows(record: Record) -> list[dict[str, str]]:
    """The factors of an influence record as they are printed."""
    return [
        {
            "factor": factor,
            "tau [95 %]": estimate(values, "tau"),
            **(_corrected(values) if "human_labels" in record else {}),
            "p Holm": p_value(values["p_adjusted"]),
            "rank": _rank(values),
            "n": f"{values['n']:,}",
            "C/D/T": f"{values['concordant']}/{values['discordant']}/{values['tied']}",
            "adjusted [95 %]": metric(values, "adjusted"),
            "adjusted, p": p_value(values["adjusted_p_value"]),
            **(_controlled(values) if "control" in record else {}),
        }
        for factor, values in record["factors"].items()
    ]


def _controlled(values: Record) -> dict[str, str]:
    """The adjusted influence with systems held fixed too."""
    return {
        "with control [95 %]": metric(values, "adjusted_control"),
        "with control, p": p_value(values["adjusted_control_p_value"]),
    }


def _corrected(values: Record) -> dict[str, str]:
    """What human labels make of a graded factor."""
    cost = values["corrected_cost"]
    return {
        "corrected [95 %]": metric(values, "corrected"),
        "labels alone [95 %]": metric(values, "labels_alone"),
        "labelled": (
            f"{values['n_labelled']:,} in {values['n_labelled_groups']:,} groups"
            if values["n_labelled"]
            else "-"
        ),
        "width": "-" if cost is None else f"x {cost:.1f}",
    }


_REASONS = {
    "tau": "reason",
    "corrected": "corrected_reason",
    "adjusted": "adjusted_reason",
    "with control": "adjusted_control_reason",
}
"""What is printed of a factor, by where the record says why there is none."""


def _of_control(record: Record) -> list[str]:
    """What was controlled for, how it bears on each factor, and what speaks against it."""
    if (control := record.get("control")) is None:
        return []
    shares = {f: values["system_share"] for f, values in record["factors"].items()}
    known = ", ".join(f"{f} {share:.0%}" for f, share in shares.items() if share is not None)
    return [
        f"with control: adjusted with the strengths of {control['n_systems']} systems held fixed, "
        f"over {control['n_pairs']} pairs in {control['n_groups']} groups"
        + (f"; systems explain of the variance of {known}" if known else ""),
        *(f"control: {caution}" for caution in control["cautions"]),
    ]


def _of_labels(record: Record) -> list[str]:
    """By which labels graded factors were corrected, and what speaks against it."""
    if (about := record.get("human_labels")) is None:
        return []
    lines = []
    for factor, label in about["labels"].items():
        values = record["factors"][factor]
        line = f"{factor}: corrected by the label {label!r}"
        if (weight := values["corrected_weight"]) is not None:
            line += f"; beside the labels its grades count {number(weight)} (0 to 1)"
        if left_out := values["n_labelled_ungraded"]:
            line += f"; {left_out} labelled pairs without a grade are left out"
        lines.append(line)
    return [*lines, about["assumption"], *(f"correction: {each}" for each in about["cautions"])]


def _rank(values: Record) -> str:
    from profile_tasks.scorers.statistics.estimate import RANK_ENDS, Estimate

    rank = Estimate.of_metrics(values, "rank", RANK_ENDS)
    if not rank.defined:
        return "-"
    ends = rank.ends_text("{:g}".format, "-")
    return f"{rank.value:g} [{ends}]" if ends else f"{rank.value:g}"


def _notes(record: Record) -> list[str]:
    """What belongs to the table: what the numbers are, and why some are not there."""
    from profile_tasks.scorers.statistics.coverage import (
        OF_RANKS,
        of_few_sources,
        of_steep_influences,
    )

    taus = {factor: values["tau"] for factor, values in record["factors"].items()}
    n_pairs, n_groups = record["n_pairs"], record["n_groups"]
    cautions = [
        *of_few_sources(n_groups, alignments=bool(record["annotators"])),
        *of_steep_influences(taus, n_pairs, n_groups),
    ]
    lines = [
        "tau: 1 where the preferred response always shows more, -1 where always less; C/D/T: pairs "
        "where it shows more, less, as much; rank: [those that the data allow]; adjusted: with "
        "the other factors held fixed, p of each alone; a group is what shares a source",
        f"p Holm: adjusted over the {record['p_family']} ({record['p_method']})",
    ]
    if record["adjusted_n_pairs"] < record["n_pairs"]:
        lines.append(
            f"adjusted over the {record['adjusted_n_pairs']} pairs where every factor is known "
            "and that no factor alone decides"
        )
    if (n_sampled := record.get("n_sampled_groups")) is not None:
        lines.append(
            f"adjusted and reliability: of a random sample of {n_sampled:,} groups, chosen by the "
            "hashes of their names; all else of all groups"
        )
    labelled = record.get("human_labels", {}).get("labels", ())
    for factor, values in record["factors"].items():
        if values["missing"] and values["n"]:
            where = values["defined_for"]
            lines.append(
                f"{factor}: missing in {values['missing']} pairs, left out there"
                + (f"; it is defined for {where}" if where else "")
            )
        parts: dict[str, list[str]] = {}  # by reason, since what hinders one may hinder others
        for part, key in _REASONS.items():
            if (why := values.get(key)) and (part != "corrected" or factor in labelled):
                parts.setdefault(why, []).append(part)
        lines += [f"{factor}, {' and '.join(which)}: {why}" for why, which in parts.items()]
    lines += [*_of_labels(record), *_of_control(record)]
    reliable = estimate_or_why(record["reliability"]["pearson"])
    lines.append(f"reliability of the profile (split halves): r {reliable}")
    if annotators := record["annotators"]:
        agreement, kappa = (estimate_or_why(annotators[name]) for name in ("agreement", "kappa"))
        panels = annotators["alignment"]["half_panel"]
        lines += [
            f"annotators, over {annotators['n_pairs']} pairs with several votes: agreement "
            f"{agreement}, Fleiss' kappa {kappa}",
            "the bar for a model, one half of the annotators against the other: "
            f"r {estimate_or_why(panels['pearson'])}, tau_b {estimate_or_why(panels['tau_b'])}",
            OF_RANKS,
        ]
    return [*lines, *cautions]
