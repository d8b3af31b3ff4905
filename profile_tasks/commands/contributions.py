"""``profile-tasks contributions``: what each factor, and each level of factors, contributes."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from profile_tasks import __version__
from profile_tasks.commands.printing import (
    FORMAT_OPTION,
    Record,
    emit,
    estimate,
    reasons,
    say,
    say_signature,
)
from profile_tasks.commands.progress import progress
from profile_tasks.commands.recorded import RECORDED_OPTIONS, given, load_recorded, recorded_options
from profile_tasks.commands.unusable import Unusable

if TYPE_CHECKING:
    from profile_tasks.scorers.measurement.contributions import Preferences

_COEFFICIENT = "pearson"

_SIMULATED = "SIMULATED: a planted annotator took part; no evidence about any model"

_MOST_PAIRS = 10
"""Of so many pairs of factors the correlation is printed, the strongest first; JSON has all."""


@click.command(
    epilog="Example: profile-tasks contributions pairs.jsonl --factors length,novel_words"
)
@click.argument("file")
@click.option("--judge", "names", multiple=True, help="Only this judge; may be repeated.")
@recorded_options
@click.option(
    "--human-labels",
    metavar="FILE",
    help="Reliability of recorded grades by the human labels that FILE (.yaml, packaged) names.",
)
@click.option("--folds", type=click.IntRange(2, 100), default=10, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@FORMAT_OPTION
@click.pass_context
def contributions(
    ctx: click.Context,
    /,
    file: str,
    names: tuple[str, ...],
    human_labels: str | None,
    folds: int,
    seed: int,
    format_: str,
    **_: object,
) -> None:
    """What each factor, and each level of factors, contributes; no model is asked.

    FILE holds annotated pairs, maybe with verdicts of judges (columns judge_NAME, as of `judges`),
    or is the Inspect log of a finished run. Shares of what the factors explain of each preference,
    the alignment of profiles by level and without each factor, which factors cannot be told apart,
    and how well the factors predict people on held-out sources, beside length alone and judges.
    """
    # The statistics take seconds to import, so that --help must not wait for them.
    from profile_tasks.scorers.measurement.contributions import contributions_record

    try:
        found, facts = (
            _of_run(ctx, file)
            if _is_log(file)
            else _of_file(file, ctx.params, names, human_labels, seed)
        )
        with progress("estimating"):
            record = {**contributions_record(found, n_folds=folds, seed=seed), **facts}
    except (ImportError, ValueError) as error:
        raise Unusable(str(error)) from error
    if format_ == "table":
        _print(record)
    else:
        emit(format_, record, _rows(record), "", [])


def _is_log(file: str) -> bool:
    from profile_tasks.runs.reading import is_log

    return is_log(Path(file))


def _of_file(
    file: str, options: Record, names: tuple[str, ...], human_labels: str | None, seed: int
) -> tuple["Preferences", Record]:
    """The preferences in a file, and what the record says of them."""
    from profile_tasks.runs.signature import data_signature
    from profile_tasks.scorers.measurement.contributions import recorded_preferences
    from profile_tasks.scorers.measurement.recorded import chosen_factors
    from profile_tasks.solvers.recorded_answers import RECORDED_NOTE

    data = load_recorded(file, options, seed=seed, one_judge=False)
    factors = chosen_factors(data, options["factors"])
    found = recorded_preferences(data, names, options["factors"], human_labels)
    judges = tuple(found.verdicts)
    return found, {
        "data": data.name,
        "data_hash": data.content_hash,
        "package_version": __version__,
        "notes": [RECORDED_NOTE] if judges else [],
        "signature": data_signature("contributions", data, factors, judges=judges, seed=seed),
    }


def _of_run(ctx: click.Context, file: str) -> tuple["Preferences", Record]:
    """The preferences in a log, and what the record says of them."""
    from profile_tasks.runs.inspect_log import read_run
    from profile_tasks.runs.signature import signature
    from profile_tasks.scorers.factors.taxonomy import load_taxonomy
    from profile_tasks.scorers.measurement.contributions import measured_preferences

    if refused := given(ctx, (*RECORDED_OPTIONS, "names", "human_labels")):
        raise ValueError(f"{file} is a log, for which {', '.join(refused)} says nothing")
    run = read_run(file)
    planted = any("planted/" in name for name in (run.model, *run.graders))
    return measured_preferences(run.measurements, load_taxonomy()), {
        "model": run.model,
        "graders": list(run.graders),
        "task": run.task,
        "data": run.data,
        "data_hash": run.conditions.get("data_hash"),
        "package_version": __version__,
        "notes": [_SIMULATED] if planted else [],
        "signature": signature(run),
    }


def _rows(record: Record) -> list[Record]:
    """One row of CSV a preference and factor."""
    from profile_tasks.scorers.statistics.estimate import Estimate

    columns = ("contribution", "share", "alone", "without", "lost")
    return [
        {"profile": name, "factor": factor, "level": entry["level"]}
        | {
            key: value
            for column in columns
            for key, value in {
                column: entry[column]["value"],
                f"{column}_ci_low": entry[column]["ci_low"],
                f"{column}_ci_high": entry[column]["ci_high"],
            }.items()
        }
        | {"reason": Estimate.of_record(entry["share"]).reason}
        for name, profile in record["profiles"].items()
        for factor, entry in profile["factors"].items()
    ]


def _print(record: Record) -> None:
    for note in record["notes"]:
        say(note)
    for name, profile in record["profiles"].items():
        _print_profile(name, profile)
    for pair in record["alignment"]:
        _print_alignment(pair)
    for name, found in record["correlation"].items():
        _print_correlation(name, found)
    _print_held_out(record["held_out"])
    say_signature(record["signature"])


def _print_profile(name: str, profile: Record) -> None:
    title = (
        f"{name}: {profile['n_pairs']:,} decided pairs in {profile['n_groups']:,} groups; all "
        f"factors explain {estimate(profile['explained'])} of what a coin does not (1: all)"
    )
    rows = [
        {
            "factor": factor,
            "level": str(entry["level"] or "-"),
            "share [95 %]": estimate(entry["share"]),
            "contribution [95 %]": estimate(entry["contribution"]),
            "alone": estimate(entry["alone"]),
            "lost without it": estimate(entry["lost"]),
        }
        for factor, entry in profile["factors"].items()
    ]
    of_levels = {
        level: entry
        for level, entry in profile["by_level"].items()
        if entry["contribution"]["value"] is not None
    }
    rows += [
        {
            "factor": f"level {level} together",
            "level": level,
            "share [95 %]": estimate(entry["share"]),
            "contribution [95 %]": estimate(entry["contribution"]),
            "alone": "-",
            "lost without it": "-",
        }
        for level, entry in of_levels.items()
        if len(of_levels) > 1
    ]
    emit("table", {}, [], title, rows)
    reasons(((factor, each["share"]["reason"]) for factor, each in profile["factors"].items()))
    for caution in profile["cautions"]:
        say(caution)
    if profile["orders"]:
        worst = max(each["sampling_error"] or 0.0 for each in profile["factors"].values())
        say(
            f"contributions by {profile['orders']} random orders of the factors and their "
            f"reverses: standard error {worst:.4f} at most by that choice"
        )
    say("")


def _print_alignment(pair: Record) -> None:
    parts: dict[str, Any] = {"all factors": pair["whole"]}
    parts |= {f"level {level}": each for level, each in pair["by_level"].items()}
    parts |= {f"without {factor}": each for factor, each in pair["without"].items()}
    rows = [
        {
            "over": over,
            "factors": str(each["n_factors"]),
            **{f"{column} [95 %]": estimate(each[column]) for column in (_COEFFICIENT, "tau_b")},
        }
        for over, each in parts.items()
    ]
    title = f"alignment of {pair['first']} and {pair['second']}, observed [of the true one]"
    emit("table", {}, [], title, rows)
    reasons((over, each[_COEFFICIENT]["reason"]) for over, each in parts.items())
    say("")


def _print_correlation(name: str, found: Record) -> None:
    if not found["pairs"]:
        return
    effective = found["effective_number"]
    title = (
        f"factors on the pairs of {name}: {found['n_factors']}, that spread as "
        f"{'-' if effective is None else f'{effective:.1f}'} uncorrelated ones would"
    )
    errs = any(value < 1 for value in found["reliability"].values())
    strongest = sorted(found["pairs"], key=lambda each: -abs(each["corrected"]["value"] or 0.0))
    rows = [
        {
            "factors": f"{each['first']}, {each['second']}",
            "correlation [95 %]": estimate(each["observed"]),
            **({"corrected [95 %]": estimate(each["corrected"])} if errs else {}),
        }
        for each in strongest[:_MOST_PAIRS]
    ]
    emit("table", {}, [], title, rows)
    if reliable := found["reliability"]:
        known = ", ".join(f"{factor} {value:.2f}" for factor, value in reliable.items())
        say(f"corrected by reliabilities of the grades, taken as known: {known}")
    for each in found["pairs"]:
        if each["alike"]:
            say(
                f"cannot be told apart: {each['first']} and {each['second']} (correlation, "
                f"corrected, {estimate(each['corrected'])}); read their influences as one"
            )
    say("")


def _print_held_out(found: Record) -> None:
    rows = [
        {
            "beside": name,
            "n": f"{each['n']:,}",
            "its accuracy": estimate(each["accuracy"]),
            "factors": estimate(each["factors"]),
            "factors less it": estimate(each["difference"]),
        }
        for name, each in found["beside"].items()
    ]
    title = (
        f"held-out accuracy of the factors, ties half, 95 %: {estimate(found['accuracy'])} over "
        f"{found['n']:,} pairs"
    )
    emit("table", {}, [], title, rows)
