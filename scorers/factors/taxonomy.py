"""The factor taxonomy: which factors exist and what each means.

The factors are data (``task_configs/factors.yaml``), so that a factor can be added or its meaning
read without opening code. This module loads and checks that data, and files of users' own.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from profile_tasks.data.content_hash import short_hash
from profile_tasks.data.task_definition import (
    TaskDefinition,
    TaskDefinitionError,
    definition_of,
    is_given_here,
    known_definitions,
    packaged_tasks,
)
from profile_tasks.nearest_name import instead_of
from profile_tasks.scorers.factors.factor import FactLabel, Factor, OnlyInALog

SELECTIONS = ("auto", "core", "surface", "all")
"""Names that stand for several factors (``selection``), so that no factor may have one."""

LEARNED_FACTORS = ("fluency", "coherence")
"""Ids of the factors for which the project has a local scoring model."""

_VERSION = 1
_ID = re.compile(r"[a-z][a-z0-9_]*")
_TAKEN = ("group", "preference", "fact", "number")
_FUNCTION = re.compile(r"[\w.]+:\w+")
_LABEL_VALUE = re.compile(r"[a-z]+(-[a-z]+)*")
_DEFAULTS: Mapping[str, Mapping[str, object]] = {
    "judged": {"level": 3, "unit": "verdict", "more": "more of it", "range": (-1, 1)},
    "surface": {"level": 1, "unit": "value", "more": "a larger value"},
}
"""What a new factor of a kind may leave unsaid."""


def load_taxonomy(
    path: str | Path | None = None, known: Mapping[str, Factor] | None = None
) -> dict[str, Factor]:
    """Load the factors of a taxonomy file, by id and in the file's order.

    `path` is a YAML file in the shape of ``task_configs/factors.yaml``; None loads that one. Only
    the factors of the one file are returned: ``load_taxonomy() | load_taxonomy("mine.yaml")`` adds
    your own.

    `known` are factors that the file builds on, by default the packaged ones. Its factors may name
    them in ``mirrors``, and an entry with the id of a known factor overrides the fields that it
    states (of ``label`` too) and takes the others over. A definition of its own takes no citation
    over, and an entry of another ``kind`` takes nothing over. A new judged factor needs only
    ``id``, ``kind`` and ``definition``, a new surface factor ``function`` or ``pattern`` besides;
    ``tasks`` are those that it is meant for, where not any.

    Raises ValueError naming the file, the factor and the field for anything malformed, and
    FileNotFoundError where there is no such file.

    >>> load_taxonomy()["source_compression"].mirrors
    'length'
    """
    packaged = {factor.id: factor for factor in _packaged_factors()}
    if path is None:
        return packaged
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not a text in UTF-8 ({error}).") from error
    known = packaged if known is None else known
    return {factor.id: factor for factor in _parse(text, str(path), known)}


def own_factors(chosen: Iterable[Factor]) -> dict[str, dict[str, Any]]:
    """The factors that this package defines otherwise or not at all, by id: their fields."""
    packaged = load_taxonomy()
    own = {
        factor.id: asdict(factor)
        for factor in chosen
        if factor.kind != "learned" and not _same(factor, packaged.get(factor.id))
    }
    for of_factor in own.values():  # so that factors without a pattern keep their hash
        for field in ("pattern", "per"):
            if of_factor[field] is None:
                del of_factor[field]
    return own


def _same(factor: Factor, packaged: Factor | None) -> bool:
    """Whether it is the packaged one, for whatever tasks."""
    return packaged is not None and factor == replace(packaged, tasks=factor.tasks)


def own_factors_hash(chosen: Iterable[Factor]) -> str | None:
    """A hash of the definitions of the user's own factors; None where there are none.

    Of a Python function the definition is its docstring. What the data record is hashed with them.
    """
    own = own_factors(factor for factor in chosen if factor.kind != "recorded")
    for definition in own.values():
        if callable(definition["function"]):
            definition["function"] = None
    return short_hash(own) if own else None


@cache
def _packaged_factors() -> tuple[Factor, ...]:
    file = files("profile_tasks.task_configs") / "factors.yaml"
    factors = _parse(file.read_text(encoding="utf-8"), file.name, known={})
    named = {task: definition_of(task).factors for task in packaged_tasks()}
    return tuple(
        replace(factor, tasks=tuple(task for task, ids in named.items() if factor.id in ids))
        for factor in factors
    )


def taxonomy_of(tasks: Iterable[str]) -> dict[str, Factor]:
    """The packaged factors, and those that tasks define for themselves, by id.

    Args:
        tasks: Keys of tasks; one that is not known adds nothing.

    Raises:
        TaskDefinitionError: A definition names a factor that there is not, or a factor in it cannot
            be used.

    >>> "summarization" in taxonomy_of(["summarization"])["source_compression"].tasks
    True
    """
    known = load_taxonomy()
    asked = set(tasks)
    for definition in known_definitions():
        if definition.key in asked and definition.own:
            known |= _task_factors(definition, known)
    return known


def _task_factors(definition: TaskDefinition, known: Mapping[str, Factor]) -> dict[str, Factor]:
    """The factors that a task's definition names or defines, as meant for it."""
    where = f"{definition.place}, field 'factors'"
    entries = [each for each in definition.factors if not isinstance(each, str)]
    if stated := next((each for each in entries if "tasks" in each), None):
        raise TaskDefinitionError(
            f"{where}, {stated.get('id')!r}: states tasks; it is meant for this one, leave them out"
        )
    # Who writes a definition wants its factors measured, without asking for each.
    completed = [{"core": True, **each} for each in entries]
    try:
        own = {factor.id: factor for factor in _factors(completed, where, known)}
    except ValueError as error:
        raise TaskDefinitionError(str(error)) from error
    if not is_given_here(definition.key):
        own = {name: _not_called(factor) for name, factor in own.items()}
    named = [each for each in definition.factors if isinstance(each, str)]
    for name in named:
        twice = name in own or named.count(name) > 1
        if twice or name not in known:
            problem = "is given twice" if twice else f"is unknown{instead_of(name, known)}"
            raise TaskDefinitionError(f"{where}: {name!r} {problem}")
    return {
        factor.id: replace(factor, tasks=(*factor.tasks, definition.of_factors))
        for factor in (*(known[name] for name in named), *own.values())
    }


def _not_called(factor: Factor) -> Factor:
    """A factor that only a log defines: no function of its own is called, but a package's is."""
    packaged = {each.function for each in load_taxonomy().values()}
    if not isinstance(factor.function, str) or factor.function in packaged:
        return factor
    return replace(factor, function=OnlyInALog(factor.function))


def _parse(text: str, file: str, known: Mapping[str, Factor]) -> tuple[Factor, ...]:
    """Parse and check a taxonomy file's text; its factors may override and mirror known ones."""
    import yaml

    from profile_tasks.data.unique_keys import RepeatedKeyError, load_unique_keys

    try:
        content = load_unique_keys(text)
    except RepeatedKeyError as error:
        raise ValueError(f"{file}, {error}: is given twice. Keep one of the two.") from error
    except yaml.YAMLError as error:
        raise ValueError(f"{file}: not valid YAML: {error}") from error
    if not isinstance(content, dict) or content.keys() != {"version", "factors"}:
        raise ValueError(f"{file}: must be a mapping of exactly 'version' and 'factors'.")
    if content["version"] != _VERSION:
        raise ValueError(f"{file}: version is {content['version']!r}. Must be {_VERSION}.")
    if not isinstance(content["factors"], list):
        raise ValueError(f"{file}: 'factors' must be a list of mappings.")
    return _factors(content["factors"], file, known)


def _factors(
    entries: Sequence[object], file: str, known: Mapping[str, Factor]
) -> tuple[Factor, ...]:
    """The factors that entries define, checked; they may override and mirror known ones."""
    factors = tuple(
        _factor(entry, f"{file}, factor number {number}", known)
        for number, entry in enumerate(entries, start=1)
    )
    ids = [factor.id for factor in factors]
    for factor in factors:
        where = f"{file}, factor {factor.id!r}"
        if ids.count(factor.id) > 1:
            raise ValueError(f"{where}: field 'id' is not unique.")
        for field, problem in problems(factor, mirrorable={*ids, *known} - {factor.id}):
            raise ValueError(f"{where}, field {field!r}: {problem}")
    return factors


def _factor(entry: object, where: str, known: Mapping[str, Factor]) -> Factor:
    """One entry as a Factor with its fields and their types checked."""
    from pydantic import TypeAdapter, ValidationError

    if not isinstance(entry, dict):
        raise ValueError(f"{where}: must be a mapping of fields, not {entry!r}.")
    if "id" in entry:
        where = f"{where} ({entry['id']!r})"
    _refuse_unknown_fields(entry, Factor, where)
    if isinstance(entry.get("label"), dict):
        _refuse_unknown_fields(entry["label"], FactLabel, where, inside="label.")
    base = known.get(str(entry.get("id")))
    if base is None or entry.get("kind", base.kind) != base.kind:
        completed = {**_DEFAULTS.get(str(entry.get("kind")), {}), **entry}
    else:
        completed = _overridden(base, entry, where)
    try:
        return TypeAdapter(Factor).validate_python(completed)
    except ValidationError as error:
        problems = error.errors()
        # Which other fields are missing depends on the kind.
        first = next((p for p in problems if p["loc"] == ("kind",)), problems[0])
        field = ".".join(part for part in first["loc"] if isinstance(part, str))
        if first["type"] == "missing" and first["input"] is completed:
            found = "only an entry that overrides fields of a known factor may leave it out"
        elif first["type"] == "string_type" and isinstance(first["input"], bool):
            # In YAML 1.1, yes, no, on, off, true and false are truth values.
            found = f"found {first['input']!r}; put yes, no, on, off, true and false in quotes"
        else:
            found = f"found {first['input']!r}"
        if first["type"] == "tuple_type":
            first["msg"] = "must be a list, as in [summarization, document_qa]"
        raise ValueError(f"{where}, field {field!r}: {first['msg']} ({found}).") from error


def _refuse_unknown_fields(
    entry: Mapping[object, object], shape: type[Factor | FactLabel], where: str, inside: str = ""
) -> None:
    names = [field.name for field in fields(shape)]
    for field in entry:
        if field not in names:
            raise ValueError(
                f"{where}: field '{inside}{field}' is unknown. Must be one of: {', '.join(names)}."
            )


def _overridden(base: Factor, entry: Mapping[str, Any], where: str) -> dict[str, Any]:
    """All fields of the known factor, with those that the entry states in their place."""
    fields_of_base = asdict(base)
    label = entry.get("label")
    if isinstance(label, dict):
        label = {**(fields_of_base["label"] or {}), **label}
    if "pattern" in entry:  # what is computed is one or the other
        fields_of_base["function"] = None
    elif "function" in entry:
        fields_of_base |= {"pattern": None, "per": None}
    if "definition" in entry:
        fields_of_base["citation"] = ""
        if base.kind == "judged":  # the old words would say another thing
            fields_of_base["more"] = _DEFAULTS["judged"]["more"]
        asked_anew = isinstance(entry.get("label"), dict) and "question" in entry["label"]
        if base.measure == entry.get("measure", base.measure) == "share" and not asked_anew:
            raise ValueError(
                f"{where}, field 'definition': override label.question too. It is what the grader "
                "reads; with the definition alone, the factor would be measured as before."
            )
    return {**fields_of_base, **entry, **({"label": label} if "label" in entry else {})}


def problems(factor: Factor, mirrorable: Collection[str] = ()) -> list[tuple[str, str]]:
    """Name each field of a well-typed factor that breaks a rule, with the rule."""
    tasks = dict.fromkeys((*packaged_tasks(), *(each.of_factors for each in known_definitions())))
    unknown_tasks = [task for task in factor.tasks if task not in tasks]
    label = factor.label
    rules = [
        (
            "id",
            _ID.fullmatch(factor.id) is not None,
            "only lower-case letters, digits and underscores (it becomes part of metric names)",
        ),
        ("id", factor.id not in SELECTIONS, "is the name of a selection; take another"),
        ("id", factor.id not in _TAKEN, "is a name in the tables or the grader's answers"),
        (
            "kind",
            factor.kind != "recorded",
            "is 'recorded', which a factor is by the data alone: name it, without an entry here. "
            "Must be one of: surface, facts, judged",
        ),
        (
            "kind",
            factor.kind != "learned" or factor.id in LEARNED_FACTORS,
            f"is 'learned', which is known of {' and '.join(LEARNED_FACTORS)} only. "
            "Must be one of: surface, facts, judged",
        ),
        (
            "tasks",
            not unknown_tasks,
            f"holds {', '.join(unknown_tasks)}. Must be one of: {', '.join(tasks)}",
        ),
        *(
            (field, bool(text.strip()), "must not be blank")
            for field, text in (
                ("definition", factor.definition),
                ("unit", factor.unit),
                ("more", factor.more),
            )
        ),
        (
            "function",
            factor.function is not None or factor.kind != "surface" or factor.pattern is not None,
            "is missing. A surface factor needs one, or a pattern",
        ),
        (
            "function",
            factor.function is None or factor.kind == "surface",
            f"is for surface factors only, and this one is of kind {factor.kind!r}",
        ),
        (
            "function",
            not isinstance(factor.function, str)
            or _FUNCTION.fullmatch(factor.function) is not None,
            f"is {factor.function!r}. Must be 'package.module:name'",
        ),
        (
            "pattern",
            factor.pattern is None or factor.kind == "surface",
            f"is for surface factors only, and this one is of kind {factor.kind!r}",
        ),
        (
            "pattern",
            factor.pattern is None or factor.function is None,
            "stands beside 'function'. Keep one of the two",
        ),
        ("pattern", not (fault := _pattern_fault(factor.pattern)), fault),
        (
            "per",
            factor.per is None or factor.pattern is not None,
            "is for factors with a pattern only",
        ),
        (
            "measure",
            factor.measure is not None or factor.kind != "facts",
            "is missing. Must be one of: count, share, coverage",
        ),
        (
            "measure",
            factor.measure is None or factor.kind == "facts",
            f"is for facts factors only, and this one is of kind {factor.kind!r}",
        ),
        (
            "label",
            label is not None or factor.measure != "share",
            "is missing. A share needs the label that is given to each fact",
        ),
        (
            "label",
            label is None or factor.measure == "share",
            "is for facts factors of measure 'share' only",
        ),
        *(_label_rules(label) if label is not None else ()),
        (
            "mirrors",
            factor.mirrors is None or factor.mirrors in mirrorable,
            f"names {factor.mirrors!r}, which is no other factor",
        ),
        ("range", factor.range[0] < factor.range[1], "must be [lowest, highest]"),
    ]
    return [(field, f"{problem}.") for field, kept, problem in rules if not kept]


def free_id(stem: str, taken: Collection[str]) -> str:
    """An id that a new factor may have: the stem, with a number where that is taken.

    Args:
        stem: Lower-case letters, digits and underscores, a letter first.
        taken: Ids of others; names that no factor may have need not be among them.

    >>> free_id("charm", ["charm", "charm_2"]), free_id("number", [])
    ('charm_3', 'number_2')
    """
    found, number = stem, 1
    while found in taken or found in (*SELECTIONS, *_TAKEN):
        number += 1
        found = f"{stem}_{number}"
    return found


def _pattern_fault(pattern: str | None) -> str:
    """What is wrong with a pattern; "" where nothing is."""
    from profile_tasks.scorers.factors.counted_pattern import compiled

    if pattern is not None:
        try:
            compiled(pattern)
        except ValueError as error:
            return str(error)
    return ""


def _label_rules(label: FactLabel) -> list[tuple[str, bool, str]]:
    values = set(label.values)
    return [
        ("label.question", bool(label.question.strip()), "must not be blank"),
        (
            "label.values",
            all(_LABEL_VALUE.fullmatch(value) for value in values),
            f"must be lower-case words, not {', '.join(map(repr, label.values))}",
        ),
        (
            "label.values",
            len(values) == len(label.values) >= 2,
            "must be at least two different words",
        ),
        (
            "label.counted",
            bool(label.counted) and set(label.counted) < values,
            f"must be some of {', '.join(label.values)}, not none or all of them",
        ),
        (
            "label.among",
            not label.among or set(label.counted) < set(label.among) <= values,
            f"must be some of {', '.join(label.values)}, the counted ones and others",
        ),
    ]
