"""``profile-tasks compare``: two models on the same sources."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from profile_tasks.commands.printing import (
    FORMAT_OPTION,
    Record,
    emit,
    estimate,
    number,
    p_value,
    reasons,
    say,
    say_signature,
)
from profile_tasks.commands.progress import progress
from profile_tasks.commands.unusable import Unusable

if TYPE_CHECKING:
    from profile_tasks.runs.run import Run


@click.command(epilog="Example: profile-tasks compare logs/before.eval logs/after.eval")
@click.argument("log_a")
@click.argument("log_b")
@click.option("--score", help="Name of the score in the logs, where one holds several.")
@click.option("--replicates", type=click.IntRange(100, 1_000_000), default=2000, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option(
    "--margin",
    type=click.FloatRange(0, 2, min_open=True),
    default=0.1,
    show_default=True,
    help="Judges' tastes are equivalent where every departure, in tau, is shown to be smaller.",
)
@FORMAT_OPTION
def compare(
    log_a: str,
    log_b: str,
    score: str | None,
    replicates: int,
    seed: int,
    margin: float,
    format_: str,
) -> None:
    """Two models on the same sources, from their Inspect logs: A less B, paired by source.

    LOG_A and LOG_B are finished logs of one task of this project, over the same data, or of two
    audits of judges. Sources that only one of them holds are left out and counted.
    """
    # Inspect and the statistics take seconds to import, so that --help must not wait for them.
    from profile_tasks.runs.compare import compare_runs
    from profile_tasks.runs.compare_audits import compare_audits, read_audit
    from profile_tasks.runs.inspect_log import read_run

    try:
        with progress("comparing"):
            a, b = read_audit(log_a), read_audit(log_b)
            if a and b:
                audits = compare_audits(a, b, replicates=replicates, seed=seed)
            elif a or b:
                one, other = (log_a, log_b) if a else (log_b, log_a)
                raise ValueError(
                    f"{one} is an audit of a judge and {other} a profile; compare two of a kind"
                )
            else:
                runs = (read_run(log_a, score), read_run(log_b, score))
                record = compare_runs(*runs, replicates=replicates, seed=seed, margin=margin)
    except (FileNotFoundError, ValueError) as error:
        raise Unusable(str(error)) from error
    if a and b:
        _emit_audits(audits, format_)
        return
    if format_ == "table":
        _print(record, runs)
    else:
        emit(format_, record, _rows(record), "", [])


def _emit_audits(record: Record, format_: str) -> None:
    """Two audits, in the form that was asked for."""
    from profile_tasks.runs.words import compared_audits_words
    from profile_tasks.scorers.statistics.probes import BY_NAME

    rows = [
        {
            "metric": BY_NAME[name].metric,
            "a": found["a"],
            "b": found["b"],
            "difference": found["value"],
            **{k: found[k] for k in ("ci_low", "ci_high", "p_value", "p_adjusted", "reason")},
            **{k: record[k] for k in ("not_live_a", "not_live_b")},
        }
        for name, found in record["probes"].items()
    ]
    if format_ != "table":
        emit(format_, record, rows, "", [])
        return
    say(f"A beside B: {compared_audits_words(record)}")
    for side in "ab":
        say(f"{side.upper()}: {record[f'model_{side}']}, {Path(record[f'log_{side}']).name}")
    say(
        f"{record['n_sources']} sources in {record['n_groups']} groups, which both were asked about"
    )
    for note in record["notes"]:
        say(f"note: {note}")
    printed = [
        {
            "probe": f"{BY_NAME[name].label}: {BY_NAME[name].effect}",
            "A": number(found["a"]),
            "B": number(found["b"]),
            "A - B [95 %]": estimate(found),
            "p Holm": p_value(found["p_adjusted"]),
        }
        for name, found in record["probes"].items()
    ]
    title = f"\nwhat the judges are sensitive to; p adjusted over the {record['p_family']}"
    emit("table", {}, [], title, printed)
    reasons((BY_NAME[name].label, found["reason"]) for name, found in record["probes"].items())
    say(f"p: {record['p_method']}")
    say(f"\n{record['differ_in']}")
    for side in "ab":
        say_signature(record[f"signature_{side}"], side.upper())


def _rows(record: Record) -> list[Record]:
    """Every compared number as one row of CSV."""
    from profile_tasks.scorers.statistics.estimate import Estimate

    return [
        {
            "metric": name,
            "a": found["a"],
            "b": found["b"],
            "difference": found["value"],
            **Estimate.of_record(found).interval(),
            **{k: found.get(k) for k in ("p_value", "p_adjusted", "p_adjusted_bh", "reason")},
            **_departure(found.get("taste", {})),
            **{k: record[k] for k in ("not_live_a", "not_live_b")},
        }
        for name, found in (
            *record["alignments"].items(),
            *record["agreement"].items(),
            *(
                (f"tau_{perspective}_{factor}", found)
                for perspective, compared in record["perspectives"].items()
                for factor, found in compared["factors"].items()
            ),
        )
    ]


def _departure(taste: Record) -> Record:
    """What of a difference is taste, as columns of CSV; empty where judges had other pairs."""
    columns = {
        "departure": "value",
        "departure_ci_low": "ci_low",
        "departure_ci_high": "ci_high",
        "departure_p_adjusted": "p_adjusted",
        "departure_smallest_shown": "smallest_shown",
        "verdict": "verdict",
    }
    return {column: taste.get(name) for column, name in columns.items()}


def _print(record: Record, runs: "tuple[Run, Run]") -> None:
    from profile_tasks.runs.words import strongest_difference
    from profile_tasks.scorers.statistics.coverage import OF_RANKS, of_few_sources
    from profile_tasks.scorers.statistics.metric_catalogue import label

    a, b = (run.model for run in runs)
    say(f"A, {a}, beside B, {b}: {strongest_difference(record)}")
    for side, run in zip("AB", runs, strict=True):
        say(f"{side}: {run.model}, {Path(run.file).name}")
    say(
        f"{record['n_sources']} sources in {record['n_groups']} groups, which both were measured on"
    )
    for note in record["notes"]:
        say(f"note: {note}")
    say("\nin words")
    for sentence in record["words"]:
        say(f"- {sentence}")
    headline = {**record["alignments"], **record["agreement"]}
    emit(
        *("table", {}, [], "\nalignment with people, and agreement"),
        _printed({label(name): found for name, found in headline.items()}, tests=False),
    )
    lacking = [(label(row["metric"]), row["reason"], row["ci_low"]) for row in _rows(record)]
    reasons((name, why) for name, why, low in lacking if low is None)
    # An alignment is observed, and its interval there, where the true value has no estimate.
    reasons(
        ((name, why) for name, why, low in lacking if low is not None),
        "no value without sampling noise",
    )
    for perspective, compared in record["perspectives"].items():
        title = f"\ninfluence on the {perspective} preference; p adjusted over the "
        emit("table", {}, [], title + compared["p_family"], _printed(compared["factors"]))
        say(f"p: {compared['p_method']}")
        if taste := compared.get("taste"):
            say(f"verdict: {taste['method']}; p adjusted over the {taste['family']}")
            if why := taste["consistency"]["reason"]:
                say(f"after one scale: {why}")
    say(
        "\nA - B: [95 %] and p are paired by source, but [95 %] of alignments and the gap, which "
        "is put together from the intervals of A and of B (docs/calibration.md)"
    )
    for caution in (
        *of_few_sources(record["n_groups"]),
        *([OF_RANKS] * bool(record["alignments"])),
    ):
        say(caution)
    say(f"\n{record['differ_in']}")
    for side in "ab":
        say_signature(record[f"signature_{side}"], side.upper())


def _printed(entries: Record, *, tests: bool = True) -> list[dict[str, str]]:
    printed = []
    for name, found in entries.items():
        row = {"": name}
        if "human" in found:
            row["human"] = number(found["human"])
        row |= {
            "A": number(found["a"]),
            "B": number(found["b"]),
            "A - B [95 %]": estimate(found),
        }
        if tests:
            row |= {
                "p Holm": p_value(found["p_adjusted"]),
                "A - B, p": p_value(found["p_value"]),
                "A - B, p BH": p_value(found["p_adjusted_bh"]),
            }
        if "taste" in found:
            row |= {
                "verdict": found["taste"]["verdict"],
                "after one scale [95 %]": estimate(found["taste"]),
            }
        printed.append(row)
    return printed
