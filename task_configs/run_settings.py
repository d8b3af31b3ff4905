"""Settings of the lm-eval tasks: what ``--metadata '{...}'`` may hold."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from profile_tasks.solvers.target_scores import (
    DEFAULT_SCORES,
    PAIRINGS,
    Pairing,
    parsed_scores,
)

# Names of model arguments that are near a setting's and mean something else.
_OF_MODELS = frozenset({"revision", "seed", "tokenizer_revision"})
_CLOSE = 0.8


@dataclass(frozen=True)
class RunSettings:
    """Settings of one run, as in the Inspect tasks.

    lm-eval merges the model's arguments into a task's metadata, and models have a ``seed`` and a
    ``revision`` of their own: hence ``profile_seed`` and ``dataset_revision`` here.

    Attributes:
        dataset: "demo", "tldr", "shp2", "webgpt", or a file of annotated pairs.
        sources: File of source texts by ``source_id``, for data that keep them apart.
        factors: "auto" (the surface factors), "surface", factor ids or a YAML file. lm-eval has no
            grader, so factors that need one are refused; ``score-lm-eval`` grades afterwards.
        limit: Use this many sources, chosen by the seed; lm-eval's ``--limit`` takes the first.
        max_pairs_per_source: Use at most this many annotated pairs of each source.
        profile_seed: Seed of every choice and of the bootstrap.
        skip_bad_rows: Leave bad rows out instead of stopping.
        dataset_revision: Revision of a public data set, instead of the pinned one.
        dataset_split: Split of a public data set, instead of the usual one.
        scores: Target scores of the generation task.
        pairing: Which written responses are compared: "all" pairs, a random "half", "adjacent".
        orders: Show each pair in 2 orders, or in 1.
        texts: For score validity: samples file or Inspect log of a generation run; None: the
            annotated responses, scored by their comparisons.
    """

    dataset: str = "demo"
    sources: str | None = None
    factors: str | tuple[str, ...] = "auto"
    limit: int | None = None
    max_pairs_per_source: int | None = None
    profile_seed: int = 0
    skip_bad_rows: bool = False
    dataset_revision: str | None = None
    dataset_split: str | None = None
    scores: tuple[int, ...] = DEFAULT_SCORES
    pairing: Pairing = "all"
    orders: int = 2
    texts: str | None = None


def run_settings(metadata: Mapping[str, Any]) -> RunSettings:
    """Read the settings out of a task's metadata, which holds other things too.

    Raises:
        ValueError: A value does not fit, or a name is nearly that of a setting.

    Example:
        >>> run_settings({"factors": ["length", "readability"], "version": 1.0}).factors
        ('length', 'readability')
    """
    known = {field.name for field in fields(RunSettings)}
    for name in metadata.keys() - known - _OF_MODELS:
        if close := difflib.get_close_matches(name, known, n=1, cutoff=_CLOSE):
            raise ValueError(f"metadata {name!r} is no setting; did you mean {close[0]!r}?")
    given = {name: metadata[name] for name in known & metadata.keys()}
    for name, value in given.items():
        given[name] = _checked(name, value)
    return RunSettings(**given)


def unknown_settings(metadata: Mapping[str, Any]) -> list[str]:
    """Names that are no settings; in metadata that a user gave, these are mistakes."""
    return sorted(metadata.keys() - {field.name for field in fields(RunSettings)})


def _checked(name: str, value: Any) -> Any:  # noqa: ANN401 - values of JSON
    """The value as the setting holds it."""
    if name == "scores":
        return parsed_scores(value)
    if name == "factors":
        texts = isinstance(value, str) or (
            isinstance(value, Sequence) and all(isinstance(item, str) for item in value)
        )
        _require(texts and len(value) > 0, name, value, "factor ids, a selection or a YAML file")
        return value if isinstance(value, str) else tuple(value)
    if name == "pairing":
        _require(value in PAIRINGS, name, value, f"one of: {', '.join(PAIRINGS)}")
    elif name == "orders":
        _require(value in (1, 2) and type(value) is int, name, value, "1 or 2")
    elif name == "skip_bad_rows":
        _require(isinstance(value, bool), name, value, "true or false")
    elif name in ("limit", "max_pairs_per_source", "profile_seed"):
        whole = isinstance(value, int) and not isinstance(value, bool)
        least = 0 if name == "profile_seed" else 1
        may_be_none = value is None and name != "profile_seed"
        _require(may_be_none or (whole and value >= least), name, value, f"a number >= {least}")
    else:
        nothing = value is None and name != "dataset"
        _require(nothing or (isinstance(value, str) and value != ""), name, value, "a text")
    return value


def _require(holds: bool, name: str, value: object, expected: str) -> None:
    if not holds:
        raise ValueError(f"metadata {name!r} is {value!r}; expected {expected}")
