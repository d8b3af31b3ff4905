"""Human factor labels: which the data hold, and which factor each of them is a label of.

The mapping from labels to factors is data (``task_configs/human_labels.yaml``), so that it can be
read, doubted and replaced without opening code. What a row holds is turned into the same terms as
a grader's: for a pair, which response shows more of the factor; for a single response, whether it
shows any.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from profile_tasks.data.preference import PREFERENCE_SIGNS
from profile_tasks.data.preferences import AnnotatedPair, AnnotatedSource, PreferenceData
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.selection import read_selection
from profile_tasks.scorers.grading.response_ids import annotated_id

Direction = Literal["same", "opposite"]
Kind = Literal["pairwise", "values", "spans"]

_VERSION = 1
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_COLUMN = "factors"
_SIDES: tuple[Literal["a", "b"], ...] = ("a", "b")


_ASKED = "people asked about "

DERIVED_NOTE = (
    "the recorded preference is computed from these same human ratings (preference_derived): the "
    "taus and the alignment of profiles are circular here; only agreement, kappa and rates count"
)


class HumanLabelError(ValueError):
    """A mapping, a selection or a recorded label that cannot be used."""


@dataclass(frozen=True)
class HumanLabel:
    """A human label, and the factor that it is a label of.

    Attributes:
        name: In tables and metric names; of kinds ``pairwise`` and ``values`` also in the data.
        factor: A factor that a grader measures, or whose grades the data record.
        direction: Whether more of the label is more of the factor (``same``) or less of it.
        kind: Where the data hold it: which response of a pair is better (``pairwise``), a number
            for each of the two (``values``), or error spans in one response (``spans``).
        tolerance: Numbers that differ by no more than this tie; 0 for other kinds.
        types: The types of error span that count; empty for other kinds.

    """

    name: str
    factor: Factor
    direction: Direction
    kind: Kind
    tolerance: float = 0.0
    types: tuple[str, ...] = ()


class _Entry(BaseModel):
    """One entry of the file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    label: str
    factor: str
    direction: Direction
    kind: Kind
    tolerance: int | float | None = None
    types: list[str] | None = None


def load_labels(
    path: str | Path | None = None, taxonomy: Mapping[str, Factor] | None = None
) -> dict[str, tuple[HumanLabel, ...]]:
    """Load a mapping from human labels to factors, by data set.

    Args:
        path: A YAML file in the shape of ``task_configs/human_labels.yaml``; None loads that one.
        taxonomy: The factors that there are, by default the packaged ones.

    Raises:
        HumanLabelError: Anything malformed; names the file, the entry and the field.

    >>> [(label.name, label.factor.id) for label in load_labels()["haluquestqa"]][:2]
    [('factuality', 'misinformation'), ('relevance', 'off_focus')]
    """
    known = read_selection("auto").taxonomy if taxonomy is None else taxonomy
    if path is None:
        file = files("profile_tasks.task_configs") / "human_labels.yaml"
        return _parsed(file.read_text(encoding="utf-8"), file.name, known)
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise HumanLabelError(f"{path}: not a text in UTF-8 ({error})") from error
    except OSError as error:
        raise HumanLabelError(
            f"{path}: cannot be read ({error.strerror}); the working folder is {Path.cwd()}"
        ) from error
    return _parsed(text, str(path), known)


def chosen_labels(
    data_set: str, path: str | None = None, factors: str | Sequence[str] | None = None
) -> tuple[HumanLabel, ...]:
    """The labels of one data set that are validated.

    Args:
        data_set: The rows' origin, or the file's name without its ending.
        path: The mapping's file; None is the packaged one.
        factors: Only the labels of these factor ids; taxonomy files (.yaml) among them add factors
            of your own. None takes all.

    Raises:
        HumanLabelError: No labels for the data set, or none for one of the factors.
        ValueError: A selection or a taxonomy file that cannot be used.
    """
    asked = read_selection("auto" if factors is None else factors)
    labels = labels_of_data_set(data_set, path, asked.taxonomy)
    if asked.word == "auto":
        return labels
    labelled = dict.fromkeys(label.factor.id for label in labels)
    for name in asked.names:
        if name not in labelled:
            raise HumanLabelError(
                f"factor {name!r} has no label for data set {data_set!r} in {_named(path)}. "
                f"Must be one of: {', '.join(labelled)}"
            )
    return tuple(label for label in labels if label.factor.id in asked.names)


def labels_of_data_set(
    data_set: str, path: str | None = None, taxonomy: Mapping[str, Factor] | None = None
) -> tuple[HumanLabel, ...]:
    """All labels of one data set.

    Args:
        data_set: As of ``chosen_labels``.
        path: As there.
        taxonomy: As of ``load_labels``.

    Raises:
        HumanLabelError: No labels for the data set, or a malformed file.
    """
    if path is None and data_set.startswith(_ASKED):
        known = read_selection("auto").taxonomy if taxonomy is None else taxonomy
        return _labels_asked_for(data_set.removeprefix(_ASKED).split(", "), known)
    labels = load_labels(path, taxonomy)
    if data_set not in labels:
        raise HumanLabelError(
            f"{_named(path)} has no labels for data set {data_set!r}, only for: "
            f"{', '.join(labels)}. Write a mapping of your own (-T labels=FILE, --labels FILE, or "
            "--human-labels FILE; docs/grader.md)"
        )
    return labels[data_set]


def asked_about(factors: Sequence[str]) -> str:
    """The origin of rows whose people were asked about factors in the words of their definitions.

    Their labels need no mapping: each is called by its factor.

    >>> [label.factor.id for label in labels_of_data_set(asked_about(["fluency", "coherence"]))]
    ['fluency', 'coherence']
    """
    return _ASKED + ", ".join(factors)


def _labels_asked_for(
    names: Sequence[str], taxonomy: Mapping[str, Factor]
) -> tuple[HumanLabel, ...]:
    for name in names:
        if name not in taxonomy:
            raise HumanLabelError(
                f"people were asked about factor {name!r}, which is unknown; add the taxonomy file "
                "that defines it to the factors (-T factors=..., or --factors)"
            )
    return tuple(HumanLabel(name, taxonomy[name], "same", "pairwise") for name in names)


def _named(path: str | None) -> str:
    return "the packaged mapping" if path is None else path


def data_set_name(data: PreferenceData) -> str:
    """What the mapping calls these data: the rows' one origin, else the name of the file.

    Raises:
        HumanLabelError: Rows of several origins.
    """
    origins = dict.fromkeys(
        pair.extra.get("origin") for source in data.sources for pair in source.pairs
    )
    if len(origins) > 1:
        listed = ", ".join(str(origin) for origin in origins)
        raise HumanLabelError(
            f"{data.name}: rows of several origins ({listed}), and each has labels of its own; "
            "validate one file an origin"
        )
    (origin,) = origins
    return Path(data.name).stem if origin is None else str(origin)


def is_derived(data: PreferenceData) -> bool:
    """Whether the recorded preferences are computed from ratings."""
    return any(p.extra.get("preference_derived") is True for s in data.sources for p in s.pairs)


def check_labels(data: PreferenceData, labels: Sequence[HumanLabel]) -> None:
    """Refuse labels that the data do not hold, and factors that the data do not allow.

    Raises:
        HumanLabelError: A label that no row holds, a factor that needs a source where a labelled
            row has none, or a malformed label in a row.
    """
    for label in labels:
        labelled = [source for source in data.sources if labels_of(source, label)]
        if not labelled:
            raise HumanLabelError(
                f"{data.name}: label {label.name!r} ({label.kind}) is in none of the "
                f"{sum(len(source.pairs) for source in data.sources)} rows loaded, where it would "
                f"be {_place(label)}; load more rows, or leave factor {label.factor.id!r} out"
            )
        without = sum(source.source is None for source in labelled)
        if label.factor.needs_source and without:
            raise HumanLabelError(
                f"{data.name}: label {label.name!r}: factor {label.factor.id!r} needs a source, "
                f"and {without} of the {len(labelled)} sources with this label hold no text; "
                "choose other factors (-T factors=..., or --factors), or data with sources"
            )


def labels_of(source: AnnotatedSource, label: HumanLabel) -> dict[str, int]:
    """What people said of one source, in the factor's terms.

    Returns:
        Pair id -> which response shows more of the factor (1: the first, -1: the second, 0: none).
        Of kind ``spans``, response id -> whether it shows any (1 or 0), each text once. What has
        no label is absent.

    Raises:
        HumanLabelError: A label that cannot be read; names the pair and the field.
    """
    if label.kind == "spans":
        return _response_labels(source, label)
    read = _pairwise if label.kind == "pairwise" else _values
    sign = 1 if label.direction == "same" else -1
    found = {pair.id: read(pair, label) for pair in source.pairs}
    return {pair: sign * said for pair, said in found.items() if said is not None}


def is_its_factor(source: AnnotatedSource, label: HumanLabel) -> bool:
    """Whether a label's numbers are those of the recorded factor of its name, in all pairs."""
    return label.kind == "values" and all(
        _object(pair, side).get(label.name) == recorded.get(label.name)
        for pair in source.pairs
        for side, recorded in zip(_SIDES, (pair.factors_a, pair.factors_b), strict=True)
    )


def _pairwise(pair: AnnotatedPair, label: HumanLabel) -> int | None:
    votes = _object(pair, "pairwise")
    vote = votes.get(label.name)
    if vote is None:
        return None
    for preference, sign in PREFERENCE_SIGNS.items():
        if vote == preference:
            return sign
    raise _unreadable(pair, f"pairwise.{label.name}", vote, "'a', 'b' or 'tie'")


def _values(pair: AnnotatedPair, label: HumanLabel) -> int | None:
    numbers = []
    for side in _SIDES:
        value = _object(pair, side).get(label.name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _unreadable(pair, f"{side}.{label.name}", value, "a number")
        numbers.append(float(value))
    difference = numbers[0] - numbers[1]
    return 0 if abs(difference) <= label.tolerance else int(math.copysign(1, difference))


def _response_labels(source: AnnotatedSource, label: HumanLabel) -> dict[str, int]:
    found: dict[str, int] = {}
    first_with: dict[str, str] = {}
    for pair in source.pairs:
        for side, text in zip(_SIDES, (pair.response_a, pair.response_b), strict=True):
            spans = _object(pair, side).get("errors")
            if spans is None:
                continue
            has_span = any(kind in label.types for kind in _types(pair, side, spans))
            said = int(has_span == (label.direction == "same"))
            # A response stands in several pairs, with the same spans each time.
            response = first_with.setdefault(text, annotated_id(pair.id, side))
            if found.setdefault(response, said) != said:
                raise HumanLabelError(
                    f"pair {pair.id!r}: field '{_COLUMN}.{side}.errors' contradicts the one of "
                    f"the same text in {response!r} on label {label.name!r}; correct one of them"
                )
    return found


def _types(pair: AnnotatedPair, side: str, spans: JsonValue) -> list[str]:
    kinds = [span.get("type") if isinstance(span, dict) else None for span in _listed(spans)]
    if not isinstance(spans, list) or not all(isinstance(kind, str) for kind in kinds):
        raise _unreadable(pair, f"{side}.errors", spans, "a list of objects with a 'type' each")
    return [str(kind) for kind in kinds]


def _listed(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _object(pair: AnnotatedPair, part: str) -> dict[str, JsonValue]:
    """A part of the factor column; empty where the row has none."""
    column = pair.extra.get(_COLUMN)
    value = column.get(part) if isinstance(column, dict) else None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _unreadable(pair, part, value, "an object")
    return value


def _unreadable(
    pair: AnnotatedPair, field: str, value: JsonValue, expected: str
) -> HumanLabelError:
    return HumanLabelError(
        f"pair {pair.id!r}: field '{_COLUMN}.{field}' is {value!r:.60}; expected {expected}, or "
        "null where it is missing"
    )


def _place(label: HumanLabel) -> str:
    if label.kind == "pairwise":
        return f"{_COLUMN}.pairwise.{label.name}"
    if label.kind == "values":
        return f"{_COLUMN}.a.{label.name} and {_COLUMN}.b.{label.name}"
    return f"{_COLUMN}.a.errors or {_COLUMN}.b.errors"


def _parsed(
    text: str, file: str, taxonomy: Mapping[str, Factor]
) -> dict[str, tuple[HumanLabel, ...]]:
    import yaml

    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise HumanLabelError(f"{file}: not valid YAML: {error}") from error
    if not isinstance(content, dict) or content.keys() != {"version", "data_sets"}:
        raise HumanLabelError(f"{file}: must be a mapping of exactly 'version' and 'data_sets'")
    if content["version"] != _VERSION:
        raise HumanLabelError(f"{file}: version is {content['version']!r}. Must be {_VERSION}")
    data_sets = content["data_sets"]
    if not isinstance(data_sets, dict) or not data_sets:
        raise HumanLabelError(f"{file}: 'data_sets' must be a mapping of data sets to labels")
    return {
        str(name): _data_set(entries, file, name, taxonomy) for name, entries in data_sets.items()
    }


def _data_set(
    entries: object, file: str, name: object, taxonomy: Mapping[str, Factor]
) -> tuple[HumanLabel, ...]:
    where = f"{file}, data set {name!r}"
    if not isinstance(entries, list) or not entries:
        raise HumanLabelError(f"{where}: must be a list of labels, not {entries!r:.60}")
    labels: list[HumanLabel] = []
    for number, entry in enumerate(entries, start=1):
        label = _label(entry, f"{where}, label number {number}", taxonomy)
        if any(label.name == other.name for other in labels):
            raise HumanLabelError(f"{where}, label {label.name!r}: field 'label' is not unique")
        labels.append(label)
    return tuple(labels)


def _label(entry: object, where: str, taxonomy: Mapping[str, Factor]) -> HumanLabel:
    if not isinstance(entry, dict):
        raise HumanLabelError(f"{where}: must be a mapping of fields, not {entry!r:.60}")
    if "label" in entry:
        where = f"{where} ({entry['label']!r:.60})"
    try:
        read = _Entry.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        if first["type"] == "extra_forbidden":
            problem = f"is unknown. Must be one of: {', '.join(_Entry.model_fields)}"
        elif first["type"] == "missing":
            problem = "is missing"
        else:
            problem = f"is {entry.get(field)!r:.60}: {first['msg']}"
        raise HumanLabelError(f"{where}, field {field!r}: {problem}") from error
    for field, kept, problem in _rules(read, taxonomy):
        if not kept:
            raise HumanLabelError(f"{where}, field {field!r}: {problem}")
    return HumanLabel(
        name=read.label,
        factor=taxonomy[read.factor],
        direction=read.direction,
        kind=read.kind,
        tolerance=float(read.tolerance or 0.0),
        types=tuple(read.types or ()),
    )


def _rules(entry: _Entry, taxonomy: Mapping[str, Factor]) -> list[tuple[str, bool, str]]:
    """Field, whether it keeps a rule, and the rule."""
    factor = taxonomy.get(entry.factor)
    graded = [known.id for known in taxonomy.values() if known.graded]
    tolerance = entry.tolerance
    return [
        (
            "label",
            _NAME.fullmatch(entry.label) is not None,
            "only letters, digits and underscores, a letter first (metric names hold it)",
        ),
        (
            "factor",
            factor is not None,
            f"{entry.factor!r} is unknown. Must be one of: {', '.join(graded)}; or a factor of "
            "your own (-T factors=FILE.yaml, or --factors FILE.yaml)",
        ),
        (
            "factor",
            factor is None or factor.graded or factor.kind == "recorded",
            f"{entry.factor!r} needs no grader, so there is none to validate. "
            f"Must be one of: {', '.join(graded)}",
        ),
        (
            "factor",
            factor is None or entry.kind != "spans" or factor.measure == "share",
            f"{entry.factor!r} has no share of a single response, which spans are compared with. "
            "Must be a facts factor of measure 'share'",
        ),
        (
            "tolerance",
            (tolerance is not None) == (entry.kind == "values"),
            "goes with kind 'values', and that kind needs it",
        ),
        (
            "tolerance",
            tolerance is None or (math.isfinite(tolerance) and tolerance >= 0),
            f"is {tolerance}; expected a number of at least 0",
        ),
        (
            "types",
            bool(entry.types) == (entry.kind == "spans"),
            "goes with kind 'spans', and that kind needs at least one",
        ),
    ]
