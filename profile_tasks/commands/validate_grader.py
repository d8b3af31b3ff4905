"""``profile-tasks validate-grader``: how far a grader agrees with human factor labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from profile_tasks.commands.grader_run import called_grader, grader_options, run_to_end
from profile_tasks.commands.printing import (
    FORMAT_OPTION,
    Record,
    emit,
    metric,
    number,
    reasons,
    say,
    say_signature,
)
from profile_tasks.commands.settings_options import settings_options
from profile_tasks.commands.unusable import Unusable
from profile_tasks.settings import GraderValidationSettings

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

    from profile_tasks.scorers.statistics.estimate import Estimate

_PLANTED_NOTE = "a simulated grader: these figures say nothing about any real one"


@click.command(epilog="Example: profile-tasks validate-grader pairs.jsonl --grader openai/gpt-4o")
@click.argument("file")
@grader_options()
@settings_options(
    GraderValidationSettings, ["format", "map", "labels", "factors", "limit", "retest"]
)
@FORMAT_OPTION
def validate_grader(
    file: str,
    grader: str,
    model_args: Sequence[str],
    log_dir: Path,
    format_: str,
    **options: Any,  # noqa: ANN401 - settings, checked by the task
) -> None:
    """A grader's verdicts beside the human factor labels in FILE.

    FILE holds annotated pairs with human labels in `factors`, as .jsonl, .json, .csv or .parquet.
    Runs the Inspect task grader_validation; every answer is kept in its log.
    """
    from profile_tasks.tasks.grader_validation import grader_validation

    try:
        task = grader_validation(dataset=file, **options)
    except (ImportError, ValueError) as error:
        raise Unusable(str(error)) from error
    model = called_grader(grader, model_args)
    say(f"asking {model} about {len(task.dataset)} sources of {file}", err=True)
    log = run_to_end(task, log_dir, model=model)
    record = validation_record(log)
    rows = [{"label": label, **values} for label, values in record["labels"].items()]
    title = f"{record['grader']} against people on {record['data']}"
    emit(format_, record, rows, title, _printed_rows(record))
    if format_ == "table":
        _print_closing(record)


def validation_record(log: "EvalLog") -> dict[str, Any]:
    """What a finished log of the task says, as JSON has it; NaN is None with a reason.

    Raises:
        click.ClickException: The run gave no result.
    """
    from profile_tasks.runs.inspect_log import conditions_of
    from profile_tasks.runs.signature import hashed, signature_line
    from profile_tasks.scorers.inspect.grader_validation_scorer import (
        SCORER,
        run_agreement,
        validation_of,
    )
    from profile_tasks.scorers.statistics.grader_agreement import ALIGNMENT, METRICS

    validations = [
        validation_of(sample.scores[SCORER])
        for sample in log.samples or ()
        if sample.scores and SCORER in sample.scores
    ]
    if log.status != "success" or not validations:
        reason = "it scored nothing" if log.error is None else log.error.message
        raise click.ClickException(f"the run did not finish: {reason} (log: {log.location})")
    agreement = run_agreement(validations, seed=_seed(log))
    metadata = log.eval.metadata or {}
    grader = validations[0].grader
    notes = [metadata["preference_note"]] if metadata.get("preference_derived") else []
    if grader.startswith("planted/"):
        notes.append(_PLANTED_NOTE)
    return {
        "grader": grader,
        "data": metadata.get("data"),
        "n_sources": len(validations),
        "n_groups": len({validation.group for validation in validations}),
        "labels": {
            entry.label: {
                "factor": entry.factor,
                "unit": entry.unit,
                "n_labels": entry.n_labels,
                "n": entry.n,
                "n_groups": entry.n_groups,
                **_flat({name: entry.estimates.get(name) for name in METRICS}),
            }
            for entry in agreement.labels
        },
        **_flat({ALIGNMENT: agreement.alignment}),
        "replicates": agreement.replicates,
        "seed": agreement.seed,
        "reasons": agreement.reasons(),
        "notes": notes,
        "log": log.location,
        "signature": signature_line(
            {
                **conditions_of(log, [grader]),
                "judged_by": None,  # no model is asked what it prefers
                "task": "grader_validation",
                "data": hashed(metadata.get("data", ""), metadata.get("data_hash")),
                "data_hash": None,
                "sources": len(validations),
                "retest": (metadata.get("settings") or {}).get("retest") or None,
                "labels": tuple(entry.label for entry in agreement.labels),
            }
        ),
    }


def _seed(log: "EvalLog") -> int:
    return int(log.eval.task_args.get("seed", 0))


def _flat(estimates: dict[str, "Estimate | None"]) -> dict[str, float | None]:
    from profile_tasks.scorers.statistics.estimate import Estimate, flat_metrics, none_for_nan

    known = {name: each or Estimate.undefined("") for name, each in estimates.items()}
    return {name: none_for_nan(value) for name, value in flat_metrics(known).items()}


def _printed_rows(record: Record) -> list[dict[str, str]]:
    return [
        {
            "label": label,
            "factor": values["factor"],
            "n": str(values["n"]),
            "agreement [95 %]": metric(values, "agreement"),
            "kappa [95 %]": metric(values, "kappa"),
            "flip": number(values["flip_rate"]),
            "missing": number(values["missing_rate"]),
            "retest": number(values["retest"]),
            "tau people [95 %]": metric(values, "tau_human_label"),
            "tau grader [95 %]": metric(values, "tau_grader"),
        }
        for label, values in record["labels"].items()
    ]


def _print_closing(record: Record) -> None:
    from profile_tasks.scorers.statistics.grader_agreement import ALIGNMENT

    if record[ALIGNMENT] is not None:
        found = metric(record, ALIGNMENT)
        say(f"alignment of the two profiles over these labels (tau_b): {found}")
    # Of agreement on decided pairs there is no column.
    reasons(
        (name, reason)
        for name, reason in record["reasons"].items()
        if not name.startswith("agreement_decided")
    )
    for note in record["notes"]:
        say(f"note: {note}")
    say(f"log: {record['log']}", whole=True)
    say_signature(record["signature"])
