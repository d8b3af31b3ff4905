"""``profile-tasks score-lm-eval``: graded factors on samples that lm-eval logged."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from profile_tasks import __version__
from profile_tasks.commands.grader_run import called_grader, grader_options, run_to_end
from profile_tasks.commands.printing import (
    FORMAT_OPTION,
    Record,
    emit,
    metric,
    number,
    say,
    say_signature,
)
from profile_tasks.commands.settings_options import settings_options
from profile_tasks.commands.unusable import Unusable
from profile_tasks.settings import MeasuringSettings
from profile_tasks.whole_files import write_whole

if TYPE_CHECKING:
    from profile_tasks.runs.run import Run


@click.command(
    epilog="Example: profile-tasks score-lm-eval out/samples_*.jsonl --grader openai/gpt-4o"
)
@click.argument("samples", nargs=-1, required=True)
@grader_options(several=True)
@settings_options(MeasuringSettings, ["factors", "judge_batch"])
@click.option(
    "--own-labels",
    metavar="FILE",
    help="People's preferences among the texts that the model wrote; without a grader, only these.",
)
@click.option("--no-cache", is_flag=True, help="Ask anew for what the cache holds.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Results file; by default beside lm-eval's own.",
)
@FORMAT_OPTION
def score_lm_eval(
    samples: Sequence[str],
    graders: Sequence[str],
    model_args: Sequence[str],
    seed: int,
    log_dir: Path,
    own_labels: str | None,
    no_cache: bool,
    output: Path | None,
    format_: str,
    **options: object,
) -> None:
    """Grade the SAMPLES that lm-eval logged, and write its results with the added metrics.

    SAMPLES are the samples_profile_*.jsonl files of one evaluation with --log_samples: that of the
    generation task, that of a discrimination task, or both, which give the gap too; with those of
    the generation task also those of the own pairs that it wrote. The evaluated model is not asked
    again. Several graders each grade all, and their majority counts. Every answer is cached, and
    kept in an Inspect log. With --own-labels the results hold what people prefer among the written
    texts too.
    """
    from profile_tasks.lm_eval_runner.grading import grading_task
    from profile_tasks.runs.labelled import labelled_run
    from profile_tasks.runs.lm_eval import read_sampled_run

    if not graders and own_labels is None:
        raise click.UsageError("Missing option '--grader' or '--own-labels'.")
    try:
        run = read_sampled_run(samples)
        settings = MeasuringSettings.read({"grader_cache": not no_cache, **options})
        if own_labels is not None:  # told before a grader is asked
            told = labelled_run(run, own_labels)
            run = replace(run, conditions=told.conditions, warnings=told.warnings)
        task = grading_task(run, settings, seed=seed, grader=bool(graders), own_labels=own_labels)
    except (FileNotFoundError, ImportError, ValueError) as error:
        raise Unusable(str(error)) from error
    panel = [called_grader(grader, model_args) for grader in graders]
    asked = ", ".join(map(str, panel))
    if panel:
        about = f"what {run.model} answered on {len(run.answers)} sources"
        say(f"asking {asked} about {about}", err=True)
    roles: dict[str, Any] | None = {"grader": panel} if panel else None
    log = run_to_end(task, log_dir, model="none/none", roles=roles)
    if log.status != "success":
        reason = "it scored nothing" if log.error is None else log.error.message
        raise click.ClickException(f"the run did not finish: {reason} (log: {log.location})")
    results = _graded(run, log.location, seed)
    path = output or _output(samples[0], "_".join(map(str, panel)), labelled=own_labels is not None)
    _write(path, results)
    _print(format_, results, path)


def _graded(run: "Run", log: str, seed: int) -> dict[str, Any]:
    """The results, with what a reader must know about the grading."""
    from profile_tasks.lm_eval_runner.grading import graded_results
    from profile_tasks.runs.inspect_log import read_run
    from profile_tasks.runs.lm_eval import GRADING
    from profile_tasks.runs.run import OWN_LABELS
    from profile_tasks.runs.signature import signature
    from profile_tasks.scorers.factors.grader_prompts import GRADER_PROMPT_VERSION
    from profile_tasks.scorers.inspect.full_profile import graded_by
    from profile_tasks.scorers.measurement.tables import run_study
    from profile_tasks.scorers.statistics.records import panel_record

    # Read again: the measurements are the whole truth, and the run returns a shortened log.
    measurements = list(read_run(log).measurements)
    results = graded_results(run, measurements, seed=seed)
    grading = graded_by(measurements, run.model)
    factors = measurements[0].factors
    conditions = {**run.conditions, "seed": seed, "version": __version__}
    if grading["graders"]:
        conditions["grader"] = ", ".join(grading["graders"])
        conditions["grader_prompt_version"] = GRADER_PROMPT_VERSION
    panel = panel_record(run_study(measurements, seed=seed))
    labels = run.conditions.get(OWN_LABELS)
    results[GRADING] = {
        **grading,
        "warnings": [*grading["warnings"], *run.warnings],
        **({} if labels is None else {OWN_LABELS: labels}),
        **({"panel": panel} if panel else {}),
        "answered_by": run.model,
        "factors": list(factors),
        "samples": list(run.parts),
        "log": log,
        "signature": signature(replace(run, factors=factors, conditions=conditions)),
    }
    return results


def _output(samples: str, grader: str, *, labelled: bool) -> Path:
    from profile_tasks.runs.lm_eval import results_beside

    beside = results_beside(samples)
    stem = "results" if beside is None else beside.stem
    named = re.sub(r"[^\w.-]+", "_", grader)
    graded = f"_graded_by_{named}" if grader else ""
    return Path(samples).with_name(f"{stem}{graded}{'_labelled' * labelled}.json")


def _write(path: Path, results: Record) -> None:
    import json

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(results, indent=2, allow_nan=False, ensure_ascii=True)
        write_whole(path, f"{text}\n")
    except OSError as error:
        raise Unusable(f"--output {path}: {error.strerror}") from error


def _print(format_: str, results: Record, path: Path) -> None:
    from profile_tasks.runs.lm_eval import GRADING
    from profile_tasks.scorers.statistics.metric_catalogue import OWN_PREFIX

    grading = results[GRADING]
    values = {
        name.removesuffix(",none"): value
        for row in results["results"].values()
        for name, value in row.items()
        if name.endswith(",none") and not name.endswith("_stderr,none")
    }
    rows: list[Record] = [{"metric": name, "value": value} for name, value in values.items()]
    printed = [
        {"factor": factor}
        | {of: metric(values, f"tau_{of}_{factor}") for of in _PERSPECTIVES}
        | {of: number(values.get(f"grader_{of}_rate_{factor}")) for of in ("missing", "flip")}
        | ({"alpha": number(values.get(f"grader_alpha_{factor}"))} if "panel" in grading else {})
        for factor in grading["factors"]
    ]
    title = str(grading["answered_by"])
    if grading["graders"]:
        title += f", graded by {', '.join(grading['graders'])}"
    emit(format_, results, rows, title, printed)
    if format_ == "table":
        for of in ("discrimination", "generation", "gap"):
            for start, where in (("", ""), (OWN_PREFIX, " on texts that people judged too")):
                if (name := f"{start}alignment_{of}_tau_b") in values:
                    say(f"alignment, {of}{where}: {metric(values, name)}")
        for warning in grading["warnings"]:
            say(f"warning: {warning}")
        say(f"results: {path}\nlog: {grading['log']}", whole=True)
        say_signature(grading["signature"])


_PERSPECTIVES = ("human", "discrimination", "generation")
