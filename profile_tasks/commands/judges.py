"""``profile-tasks judges``: judges whose verdicts stand in one file, each beside people."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from profile_tasks.commands.printing import (
    FORMAT_OPTION,
    Record,
    emit,
    estimate,
    metric,
    number,
    p_value,
    reasons,
    say,
    say_signature,
)
from profile_tasks.commands.progress import progress
from profile_tasks.commands.recorded import format_of, load_recorded, recorded_options
from profile_tasks.commands.unusable import Unusable

if TYPE_CHECKING:
    from profile_tasks.data.preferences import PreferenceData
    from profile_tasks.solvers.recorded_answers import RecordedModel

_METRICS = (
    "accuracy_half_credit",
    "accuracy_decided",
    "kappa",
    "flip_rate",
    "first_position_rate",
    "unreadable_rate",
)


@click.command(epilog="Example: profile-tasks judges verdicts.jsonl --log-dir logs")
@click.argument("file")
@click.option("--judge", "names", multiple=True, help="Only this judge; may be repeated.")
@click.option(
    "--wordings",
    "asked_in_words",
    multiple=True,
    metavar="JUDGE",
    help="The judges JUDGE_... are one, asked in other words each; may be repeated.",
)
@recorded_options
@click.option(
    "--log-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write an Inspect log of every judge (and recorded writer) into this folder too.",
)
@click.option("--replicates", type=click.IntRange(100, 1_000_000), default=2000, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@FORMAT_OPTION
@click.pass_context
def judges(
    ctx: click.Context,
    /,
    file: str,
    names: tuple[str, ...],
    asked_in_words: tuple[str, ...],
    log_dir: Path | None,
    replicates: int,
    seed: int,
    format_: str,
    **_: object,
) -> None:
    """People beside every judge whose verdicts FILE records; no model is asked.

    FILE holds annotated pairs with columns judge_NAME, picks_NAME or probability_NAME. Accuracy,
    kappa, flips and position, and how strongly each factor drives people's preference and the
    judge's, with intervals by source.
    """
    # The statistics take seconds to import, so that --help must not wait for them.
    from profile_tasks.runs.signature import judges_signature
    from profile_tasks.scorers.measurement.recorded import chosen_factors
    from profile_tasks.scorers.measurement.recorded_judges import RecordedJudges
    from profile_tasks.solvers.recorded_answers import RECORDED_NOTE, recorded_models

    try:
        data = load_recorded(file, ctx.params, seed=seed, one_judge=False)
        if log_dir is not None and data.judge:
            raise ValueError(
                f"--log-dir: a log holds people's preference beside a model's, and {data.judge!r} "
                "is a judge's; leave --preference-column out"
            )
        models = recorded_models(data.sources, data.name, names)
        factors = chosen_factors(data, ctx.params["factors"])
        found = RecordedJudges.of_data(data, models, factors, replicates=replicates, seed=seed)
        by_wording = {judge: found.wordings(judge) for judge in asked_in_words}
        logs = [] if log_dir is None else _written(file, data, models, ctx.params, seed, log_dir)
    except (ImportError, ValueError) as error:
        raise Unusable(str(error)) from error
    with progress("estimating", len(found.measurements)) as advance:
        record: dict[str, Any] = {
            "data": data.name,
            "recorded": RECORDED_NOTE,
            "reference": found.reference,
            "replicates": replicates,
            "seed": seed,
            found.reference: found.people(),
            "judges": {},
            "writers": {
                model.name: {"n_sources": len(model.texts)} for model in models if model.texts
            },
            "logs": [str(path) for path in logs],
            "signature": judges_signature(data, factors, found),
        }
        for name in found.measurements:
            judged = found.record(name)
            probes = {probe: each.record() for probe, each in found.probes([name]).items()}
            words = {"words": _words(judged, record)}
            record["judges"][name] = {**words, **judged, "probes": probes}
            advance()
        record["wordings"] = {
            judge: {
                "judges": columns,
                "probes": {probe: f.record() for probe, f in found.probes(columns).items()},
            }
            for judge, columns in by_wording.items()
        }
    if format_ != "table":
        emit(format_, record, _rows(record), "", [])
        return
    _print(record, detailed=bool(names))


def _written(
    file: str,
    data: "PreferenceData",
    models: "Sequence[RecordedModel]",
    options: Record,
    seed: int,
    folder: Path,
) -> list[Path]:
    """The logs of all models, about the rows of each task."""
    from profile_tasks.recorded.logs import replays, write_logs

    settings = {
        **format_of(options),
        "sources": options["sources"],
        "factors": options["factors"],
        "limit": options["limit"],
        "skip_bad_rows": options["skip_bad_rows"],
        "seed": seed,
    }
    # What Inspect says of itself must not stand in the middle of JSON.
    with redirect_stdout(sys.stderr), progress("writing logs", len(models)) as advance:
        paths = []
        for path in write_logs(replays(file, data, settings), models, folder):
            paths.append(path)
            advance()
    return paths


def _words(judged: Record, record: Record) -> str:
    """The strongest difference of a judge from people in words, and what is known of its kind."""
    from profile_tasks.report.headline import contrast, in_words, interval
    from profile_tasks.runs.words import KINDS
    from profile_tasks.scorers.statistics.estimate import Estimate

    people = record["reference"]
    differences = {
        factor: entry["difference"]
        for factor, entry in judged["factors"].items()
        if entry["difference"]["value"] is not None
    }
    if not differences:
        return f"no influence can be held against {people}"
    told = {factor: each for factor, each in differences.items() if _differs(each)}
    factor = max(told or differences, key=lambda f: abs(differences[f]["value"]))
    difference = interval(Estimate.of_record(differences[factor]))
    if not told:
        return (
            f"no influence is told to differ from {people}, which does not show that they agree; "
            f"widest apart is {in_words(factor)}, by {difference}"
        )
    own, theirs = (
        Estimate.of_record(of["factors"][factor], "tau") for of in (judged, record[people])
    )
    said = (
        contrast(factor, own, theirs)
        if people == "people"
        else f"{in_words(factor)} {interval(own)} against {interval(theirs)} of {people}"
    )
    return f"{said}; difference {difference}, {KINDS[differences[factor]['taste']['verdict']]}"


def _rows(record: Record) -> list[Record]:
    """One row of CSV a judge and factor."""
    from profile_tasks.scorers.statistics.estimate import Estimate

    people = record[record["reference"]]["factors"]
    return [
        {
            "judge": name,
            **{key: judged[key] for key in ("n", "n_missing", "n_decided", "n_groups")},
            **{key: judged[key] for m in _METRICS for key in (m, f"{m}_ci_low", f"{m}_ci_high")},
            "factor": factor,
            "tau": entry["tau"],
            "ci_low": entry["ci_low"],
            "ci_high": entry["ci_high"],
            f"tau_{record['reference']}": people[factor]["tau"],
            **Estimate.of_record(entry["difference"]).flat("difference"),
            "difference_p_adjusted": entry["difference"]["p_adjusted"],
            "verdict": entry["difference"]["taste"]["verdict"],
        }
        for name, judged in record["judges"].items()
        for factor, entry in judged["factors"].items()
    ]


def _print(record: Record, *, detailed: bool) -> None:
    people, found = record["reference"], record["judges"]
    for name, judged in found.items():
        say(f"{name}: {judged['words']}")
    say(f"{record['data']}: {len(found)} judge{'s' * (len(found) != 1)} beside {people}")
    say(record["recorded"])
    if found:
        emit("table", {}, [], "\nverdicts, intervals by source", _agreements(found))
    reasons(
        (name.replace("_", " "), judged[f"{name}_reason"])
        for judged in found.values()
        for name in _METRICS
        if judged[name] is None
    )
    _sensitivities(record, detailed=detailed)
    title = f"\ntau by factor; * differs from {people} (5 %, Holm over the factors of a judge)"
    emit("table", {}, [], title, _taus(record))
    for name in found if detailed else ():
        emit("table", {}, [], f"\n{name} beside {people}", _differences(record, name))
    if record["writers"]:
        say(f"recorded as writers, which logs show (--log-dir): {', '.join(record['writers'])}")
    if record["logs"]:
        say(f"\nlogs in {Path(record['logs'][0]).parent}: {len(record['logs'])}")
    say_signature(record["signature"])


def _agreements(found: Record) -> list[dict[str, str]]:
    return [
        {
            "judge": name,
            "n": f"{judged['n']:,}",
            "half credit [95 %]": metric(judged, "accuracy_half_credit"),
            "decided (n)": f"{number(judged['accuracy_decided'])} ({judged['n_decided']:,})",
            "kappa": number(judged["kappa"]),
            "flips": number(judged["flip_rate"]),
            "first": number(judged["first_position_rate"]),
            "unreadable": number(judged["unreadable_rate"]),
        }
        for name, judged in found.items()
    ]


def _sensitivities(record: Record, *, detailed: bool) -> None:
    """What judges are sensitive to; of many of them their position alone."""
    from profile_tasks.runs.judges_json import by_wording
    from profile_tasks.runs.words import COULD_HAVE_SHOWN, PROBES_TOLD, sensitivity_words
    from profile_tasks.scorers.statistics.estimate import none_for_nan
    from profile_tasks.scorers.statistics.probes import ProbeFinding

    in_words = by_wording(record)
    probed = {
        name: {probe: ProbeFinding.of_record(probe, each) for probe, each in of["probes"].items()}
        for name, of in (in_words | record["judges"]).items()
    }
    rows = [
        {
            "judge": name,
            "probe": f"{each.probe.label}: {each.where or each.probe.effect}",
            "effect [95 %]": each.estimate.text(signed=False) + "*" * each.found,
            "p Holm": p_value(none_for_nan(each.p_adjusted)),
            "could have shown": "" if each.found else number(none_for_nan(each.detectable)),
        }
        for name, found in probed.items()
        for each in found.values()
        if each.estimate.defined and (detailed or name in in_words or each.probe.name == "position")
    ]
    if not rows:
        return
    title = f"\nwhat the judge is sensitive to; * {PROBES_TOLD}, else {COULD_HAVE_SHOWN}"
    emit("table", {}, [], title, rows)
    for name, found in probed.items():
        if detailed or name in in_words:
            say(f"{name}: {sensitivity_words(found)}")
    reasons(
        (f"{each.probe.label} of {name}", each.estimate.reason)
        for name in in_words
        for each in probed[name].values()
        if not each.estimate.defined
    )


def _taus(record: Record) -> list[dict[str, str]]:
    people = record["reference"]
    rows = {people: record[people]} | record["judges"]
    return [
        {"judge": name}
        | {
            factor.replace("_", " "): number(entry["tau"]) + "*" * _differs(entry.get("difference"))
            for factor, entry in judged["factors"].items()
        }
        for name, judged in rows.items()
    ]


def _differs(difference: Mapping[str, Any] | None) -> bool:
    from profile_tasks.runs.words import LEVEL

    p = None if difference is None else difference["p_adjusted"]
    return p is not None and p < LEVEL


def _differences(record: Record, name: str) -> list[dict[str, str]]:
    people = record["reference"]
    people_taus = record[people]["factors"]
    return [
        {
            "factor": factor,
            f"{people} [95 %]": estimate(people_taus[factor], "tau"),
            "judge [95 %]": estimate(entry, "tau"),
            "difference [95 %]": estimate(entry["difference"]),
            "p Holm": p_value(entry["difference"]["p_adjusted"]),
            "verdict": entry["difference"]["taste"]["verdict"],
        }
        for factor, entry in record["judges"][name]["factors"].items()
    ]
