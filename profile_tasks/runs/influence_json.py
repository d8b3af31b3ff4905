"""JSON of ``profile-tasks influence``: one profile of recorded preferences, without a model."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from profile_tasks.runs.run import PERSPECTIVES, Run, finite_or_none, stated
from profile_tasks.scorers.statistics.estimate import Estimate, flat_metrics, none_for_nan, reasons

_DESCRIBED = {
    "decided pairs": "n_pairs",
    "groups": "n_groups",
    "preference ties left out": "n_preference_ties",
    "pairs without a verdict": "n_unjudged_pairs",
    "seed of the statistics": "seed",
    "bootstrap replicates": "replicates",
}


def influence_run(record: Mapping[str, Any], location: str) -> Run:
    """The profile in the JSON, as a run.

    Args:
        record: The file's JSON.
        location: Where it stands.

    Raises:
        ValueError: The perspective is unknown.
    """
    perspective = record.get("perspective", "human")
    if perspective not in PERSPECTIVES:
        raise ValueError(f"{location}: perspective {perspective!r:.60} is unknown")
    whose = {"human": "people", "recorded": str(record.get("judge") or "a recorded judge")}
    annotators = record.get("annotators") or {}
    found = {
        f"annotator_{name}": Estimate.of_record(annotators[name])
        for name in ("agreement", "kappa")
        if name in annotators
    }
    for factor, each in record["factors"].items():
        found[f"tau_{perspective}_{factor}"] = Estimate.of_record(each, "tau")
        found |= {
            f"{name}_{perspective}_{factor}": replace(
                Estimate.of_metrics(each, name), reason=each.get(f"{name}_reason")
            )
            for name in ("adjusted", "corrected", "labels_alone")
            if name in each
        }
    return Run(
        file=location,
        harness="influence",
        model=whose.get(perspective, f"{perspective} preferences"),
        task=Path(location).stem,
        name="influence",
        setting=perspective,
        groups=record.get("n_groups"),
        data=str(record.get("data") or ""),
        factors=tuple(record["factors"]),
        conditions=stated(
            {
                "data_hash": record.get("data_hash"),
                "own_factors": record.get("own_factors_hash"),
                "control": "system" if "control" in record else None,
                "replicates": record.get("replicates"),
                "seed": record.get("seed"),
                "version": record.get("package_version"),
            }
        ),
        described={
            label: record[name]
            for label, name in _DESCRIBED.items()
            if finite_or_none(record.get(name)) is not None
        },
        metrics={name: none_for_nan(value) for name, value in flat_metrics(found).items()},
        profile={
            perspective: record,
            "annotators": annotators,
            "slices": {
                column: {"perspectives": {perspective: found}, "judge": {}}
                for column, found in record.get("slices", {}).items()
            },
            "reasons": reasons(found),
        },
    )
