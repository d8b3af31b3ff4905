"""JSON of ``profile-tasks judges``: what the probes tell of each judge of recorded verdicts."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from profile_tasks.runs.run import AUDIT, PROBES, NothingReportedError, Run, stated
from profile_tasks.scorers.statistics.estimate import none_for_nan
from profile_tasks.scorers.statistics.probes import ProbeFinding
from profile_tasks.solvers.recorded_answers import RECORDED


def judges_runs(record: Mapping[str, Any], location: str) -> tuple[Run, ...]:
    """An audit of each judge in the JSON; one that was asked in several wordings is one judge.

    Args:
        record: The file's JSON.
        location: Where it stands.

    Raises:
        KeyError: The record lacks a part, or has a probe that is unknown.
        NothingReportedError: It tells of no judge what its verdicts hang on.
    """
    found = [_run(record, location, *each) for each in _judges(record)]
    if not found:
        why = "verdicts in one order and one wording, which tell nothing of what they hang on"
        raise NothingReportedError(location, why)
    return tuple(found)


def by_wording(record: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What is told of each judge that was asked in several wordings, by what it is called then."""
    return {
        f"{name}, {len(each['judges'])} wordings": each for name, each in record["wordings"].items()
    }


def _judges(record: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    in_words = {name for each in record["wordings"].values() for name in each["judges"]}
    for name, each in by_wording(record).items():
        yield name, each["probes"]
    for name, each in record["judges"].items():
        if name not in in_words and each["probes"]:
            yield name, each["probes"]


def _run(record: Mapping[str, Any], location: str, name: str, probes: Mapping[str, Any]) -> Run:
    found = {probe: ProbeFinding.of_record(probe, each) for probe, each in probes.items()}
    flat = {metric: value for each in found.values() for metric, value in each.flat().items()}
    return Run(
        file=location,
        harness="judges",
        model=f"{RECORDED}{name}",
        task=Path(location).stem,
        name="judges",
        setting=AUDIT,
        groups=max((each.n_groups for each in found.values()), default=None),
        data=str(record["data"]),
        conditions=stated({"seed": record["seed"]}),
        described={"data": record["data"]},
        metrics={metric: none_for_nan(value) for metric, value in flat.items()},
        profile={PROBES: probes},
    )
