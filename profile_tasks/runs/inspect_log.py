"""Finished runs, read from their Inspect logs, and two of them compared."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from profile_tasks.runs.words import comparison_words
from profile_tasks.scorers.inspect.evaluated_model import evaluated_model
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement
from profile_tasks.scorers.measurement.tables import (
    agreement_table,
    comparison_tables,
    shared_group_codes,
)
from profile_tasks.scorers.statistics.comparisons import common_factors
from profile_tasks.scorers.statistics.records import compared_record, side
from profile_tasks.scorers.statistics.study import AGREEMENT, Study

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog


@dataclass(frozen=True)
class MeasuredRun:
    """What a finished run measured.

    Attributes:
        location: The log.
        model: The evaluated model.
        task: Name of the task.
        measurements: One a sample.
        status: "success" where the run came to its end.
    """

    location: str
    model: str
    task: str
    measurements: tuple[SourceMeasurement, ...]
    status: str = "success"

    @property
    def graders(self) -> set[str]:
        """The models that graded."""
        return {m.grader for m in self.measurements if m.grader is not None}


def read_log(location: str, *, header_only: bool = False) -> "EvalLog":
    """An Inspect log.

    Args:
        location: File, or address that Inspect can read.
        header_only: Without its samples.

    Raises:
        FileNotFoundError: There is no such log.
        ValueError: The file is no log.
    """
    from inspect_ai.log import read_eval_log

    if "://" not in location and not Path(location).is_file():
        raise FileNotFoundError(f"{location}: there is no such log")
    try:
        return read_eval_log(location, header_only=header_only)
    except FileNotFoundError:
        raise
    except Exception as error:  # Inspect raises what its readers raise: KeyError, BadZipFile, ...
        problem = str(error).partition("\n")[0] or type(error).__name__
        raise ValueError(f"{location}: not an Inspect log ({problem})") from error


def read_run(location: str, score: str | None = None) -> MeasuredRun:
    """The run in an Inspect log.

    Args:
        location: File, or address that Inspect can read.
        score: Name of the score; None where the log holds one of this project.

    Raises:
        FileNotFoundError: There is no such log.
        ValueError: The file is no log, holds no score of this project, or holds several and none
            is named.
    """
    from profile_tasks.scorers.inspect.full_profile import is_own_score, logged_measurements

    log = read_log(location)
    names = list(
        dict.fromkeys(
            name
            for sample in log.samples or []
            for name in sample.scores or {}
            if is_own_score(name)
        )
    )
    if score is None and len(names) > 1:
        raise ValueError(
            f"{location}: holds several scores; name one (--score): {', '.join(names)}"
        )
    if not names or (score is not None and score not in names):
        wanted = "score of profile_tasks/factor_profile" if score is None else f"score {score!r}"
        held = f"; it holds: {', '.join(names)}" if names else ""
        raise ValueError(f"{location}: no sample has a {wanted}{held} (status: {log.status})")
    return MeasuredRun(
        location=location,
        model=evaluated_model(log),
        task=log.eval.task,
        measurements=tuple(logged_measurements(log, score or names[0])),
        status=log.status,
    )


def compare_runs(
    first: MeasuredRun, second: MeasuredRun, *, replicates: int = 2000, seed: int = 0
) -> dict[str, Any]:
    """Compare two runs over the sources and the factors that both measured.

    Args:
        first: Run A.
        second: Run B; differences are A - B.
        replicates: Bootstrap replicates.
        seed: Of everything random.

    Returns:
        The record of ``compared_record``, with ``notes`` on what was left out, and ``words``: what
        the two differ in, in sentences.

    Raises:
        ValueError: The runs share no source or no factor, or their human preferences differ.
    """
    notes = _differences(first, second)
    shared = _shared_sources(first, second)
    sides = [[m for m in run.measurements if m.source_id in shared] for run in (first, second)]
    codes = shared_group_codes(*sides)
    tables = [comparison_tables(side, codes) for side in sides]
    every = common_factors([table for side in tables for table in side])
    if not every[0].factors:
        raise ValueError(f"{first.location} and {second.location} have no factor in common")
    if len(every[0].factors) < max(len(table.factors) for side in tables for table in side):
        notes.append(f"only the {len(every[0].factors)} factors that both measured are compared")
    tables = [every[: len(tables[0])], every[len(tables[0]) :]]
    in_a, in_b = ({table.perspective for table in side} for side in tables)
    for name, own, other in (("A", in_a, in_b), ("B", in_b, in_a)):
        notes += [f"only {name} has a {alone} setting" for alone in sorted(own - other)]
    if in_a & in_b == {"human"}:
        raise ValueError(
            f"{first.location} and {second.location} have no setting in common: one judged and the "
            "other wrote"
        )
    agreement = [agreement_table(each, codes) for each in sides]
    study = Study(
        {
            side(name, table.perspective): table
            for name, own in zip("AB", tables, strict=True)
            for table in own
        },
        {
            side(name, AGREEMENT): table
            for name, table in zip("AB", agreement, strict=True)
            if all(each.preference.size for each in agreement)
        },
        replicates=replicates,
        seed=seed,
    )
    compared = {
        "log_a": first.location,
        "log_b": second.location,
        "model_a": first.model,
        "model_b": second.model,
        "n_sources": len(shared),
        "notes": notes,
        **compared_record(study),
    }
    return compared | {"words": comparison_words(compared)}


def _shared_sources(first: MeasuredRun, second: MeasuredRun) -> set[str]:
    """The sources of both runs; their groups and human preferences must be the same."""
    known = [{m.source_id: m for m in run.measurements} for run in (first, second)]
    shared = known[0].keys() & known[1].keys()
    if not shared:
        raise ValueError(
            f"{first.location} and {second.location} have no source in common; compare runs over "
            "the same data"
        )
    for source in sorted(shared):
        a, b = known[0][source], known[1][source]
        for what, differs in (
            ("another group", a.group != b.group),
            ("other human preferences", a.human != b.human),
        ):
            if differs:
                raise ValueError(
                    f"source {source!r} has {what} in {second.location} than in "
                    f"{first.location}; compare runs over the same data"
                )
    return shared


def _differences(first: MeasuredRun, second: MeasuredRun) -> list[str]:
    """What makes the two runs less comparable, in words."""
    notes = [
        f"{name} did not finish (status: {run.status}): only some of its sources count"
        for name, run in (("A", first), ("B", second))
        if run.status != "success"
    ]
    if first.task != second.task:
        notes.append(f"A is a run of {first.task}, B of {second.task}")
    if first.graders != second.graders:
        graders = [", ".join(sorted(run.graders)) or "none" for run in (first, second)]
        notes.append(f"the graders differ: A {graders[0]}, B {graders[1]}")
    in_a, in_b = ({m.source_id for m in run.measurements} for run in (first, second))
    for name, own, other in (("A", in_a, in_b), ("B", in_b, in_a)):
        if alone := len(own - other):
            notes.append(f"{alone} sources that only {name} was measured on are left out")
    return notes
