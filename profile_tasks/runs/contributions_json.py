"""JSON of ``profile-tasks contributions``: what factors contribute, as metrics of a run."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from profile_tasks.runs.run import Run, stated
from profile_tasks.scorers.statistics.estimate import (
    Estimate,
    finite_or_nan,
    flat_metrics,
    none_for_nan,
    reasons,
)

_OF_A_FACTOR = ("contribution", "share", "lost")


def contributions_run(record: Mapping[str, Any], location: str) -> Run:
    """The figures in the JSON, as a run.

    Args:
        record: The file's JSON.
        location: Where it stands.

    Raises:
        KeyError: The record lacks a part.
        ValueError: Two figures would have one name.
    """
    found: dict[str, Estimate] = {}
    for name, each in _figures(record):
        if name in found:
            raise ValueError(f"{location}: two figures would be called {name!r}; rename a judge")
        found[name] = each
    people = next(iter(record["profiles"].values()))
    cautions = (each for profile in record["profiles"].values() for each in profile["cautions"])
    return Run(
        file=location,
        harness="contributions",
        model=str(record.get("model") or "people"),
        task=str(record.get("task") or Path(location).stem),
        name="contributions",
        setting="contributions",
        groups=people["n_groups"],
        data=str(record.get("data") or ""),
        factors=tuple(record["levels"]),
        conditions=stated(
            {
                "data_hash": record.get("data_hash"),
                "seed": record["seed"],
                "version": record.get("package_version"),
            }
        ),
        metrics={name: none_for_nan(value) for name, value in flat_metrics(found).items()},
        profile={"reasons": reasons(found)},
        graders=tuple(record.get("graders") or ()),
        warnings=tuple(dict.fromkeys((*record["notes"], *cautions))),
    )


def _figures(record: Mapping[str, Any]) -> Iterator[tuple[str, Estimate]]:
    """Every figure by the name that a bar calls it by."""
    for name, profile in record["profiles"].items():
        whose = _word(name)
        yield f"explained_{whose}", Estimate.of_record(profile["explained"])
        parts = dict(profile["factors"])
        parts |= {f"level_{level}": each for level, each in profile["by_level"].items()}
        for factor, each in parts.items():
            for kind in _OF_A_FACTOR:
                if kind in each:
                    yield f"{kind}_{whose}_{factor}", Estimate.of_record(each[kind])
    for name, found in record["correlation"].items():
        whose = _word(name)
        yield (
            f"effective_factors_{whose}",
            Estimate(
                finite_or_nan(found["effective_number"]),
                reason="the number of factors in effect has no interval",
            ),
        )
        for pair in found["pairs"]:
            both = f"{pair['first']}_{pair['second']}"
            yield f"factor_correlation_{whose}_{both}", Estimate.of_record(pair["corrected"])
    held_out = record["held_out"]
    yield "held_out_accuracy", Estimate.of_record(held_out["accuracy"])
    for name, each in held_out["beside"].items():
        yield f"held_out_less_{_word(name)}", Estimate.of_record(each["difference"])


def _word(name: str) -> str:
    """A name as one word of a metric's name; people are called as in all of these.

    >>> _word("length alone"), _word("gpt-4.1"), _word("people")
    ('length_alone', 'gpt_4_1', 'human')
    """
    if name == "people":
        return "human"
    return re.sub(r"\W+", "_", name).strip("_")
