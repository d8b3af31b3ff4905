"""The factor taxonomy: which factors exist, what each means and which a run uses.

The factors are data (``task_configs/factors.yaml``), so that a factor can be added or its meaning
read without opening code. This module loads and checks that data and turns what a user selects on
a command line into a tuple of factors.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib import import_module
from importlib.resources import files
from math import inf
from pathlib import Path
from typing import Literal

from profile_tasks.preference_data import TASKS

SELECTIONS = ("auto", "core", "surface")
"""Names that `resolve_factors` takes in place of factor ids."""

SurfaceFunction = Callable[[str, str | None, str], float]
"""A surface factor: (response, source, prompt) -> value, NaN where it is missing."""

_VERSION = 1
_ID = re.compile(r"[a-z][a-z0-9_]*")
_FUNCTION = re.compile(r"[\w.]+:\w+")


@dataclass(frozen=True)
class Factor:
    """One interpretable property of a response.

    Attributes:
        id: name in tables and metric names; lower-case letters, digits and underscores.
        level: 1 read off the text, 2 needs its facts, 3 needs the whole response.
        kind: how the manifestation is found: computed (``surface``), from atomic facts
            (``facts``), by a grader (``judged``) or by a local scoring model (``learned``).
        tasks: the tasks it is meant for, out of `TASKS`.
        definition: what one response's value is.
        unit: unit of that value.
        more: what a response with the larger value shows.
        core: whether the selection ``"core"`` holds it.
        function: ``"package.module:name"`` of its `SurfaceFunction`; None for other kinds.
        mirrors: id of the factor that this one repeats by construction within one source, so
            that using both would count the same evidence twice; None for an independent one.
        range: lowest and highest possible value.
        citation: where the definition comes from.

    """

    id: str
    level: Literal[1, 2, 3]
    kind: Literal["surface", "facts", "judged", "learned"]
    tasks: tuple[str, ...]
    definition: str
    unit: str
    more: str
    core: bool = False
    function: str | None = None
    mirrors: str | None = None
    range: tuple[float, float] = (-inf, inf)
    citation: str = ""


def load_taxonomy(path: str | Path | None = None) -> dict[str, Factor]:
    """Load the factors of a taxonomy file, by id and in the file's order.

    `path` is a YAML file in the shape of ``task_configs/factors.yaml``; None loads that one. Only
    the factors of the one file are returned: ``load_taxonomy() | load_taxonomy("mine.yaml")`` adds
    your own. A factor of yours may name a packaged one in ``mirrors``.

    Raises ValueError naming the file, the factor and the field for anything malformed, and
    FileNotFoundError where there is no such file.

    >>> load_taxonomy()["source_compression"].mirrors
    'length'
    """
    packaged = {factor.id: factor for factor in _packaged_factors()}
    if path is None:
        return packaged
    text = Path(path).read_text(encoding="utf-8")
    return {factor.id: factor for factor in _parse(text, str(path), mirrored=packaged)}


def resolve_factors(
    selection: str | Sequence[str],
    task: str,
    taxonomy: Mapping[str, Factor] | None = None,
) -> tuple[Factor, ...]:
    """Turn a selection of factors into the factors, for one of `TASKS`.

    `selection` is one of

    - ``"auto"``: the task's surface factors, without those that mirror another one. Such a factor
      would enter an alignment as a second copy of the same evidence; ask for it by id.
    - ``"core"``: the task's surface factors that are core.
    - ``"surface"``: all of the task's surface factors.
    - ids, as a list, a comma-separated string or a single one (a command line may give any of
      these); they keep their order.

    `taxonomy` maps ids to factors, by default those of `load_taxonomy`.

    Raises ValueError for an unknown task or id, an id given twice, an id that is not meant for the
    task, and a selection that holds no factor.

    >>> [factor.id for factor in resolve_factors("core", "document_qa")]
    ['length', 'novel_words']
    >>> [factor.id for factor in resolve_factors("markdown, length", "instruction_following")]
    ['markdown', 'length']
    """
    if task not in TASKS:
        raise ValueError(f"Task {task!r} is unknown. Must be one of: {', '.join(TASKS)}.")
    known = load_taxonomy() if taxonomy is None else taxonomy
    parts = selection.split(",") if isinstance(selection, str) else selection
    names = [str(part).strip() for part in parts]
    surface = [f for f in known.values() if f.kind == "surface" and task in f.tasks]
    match names:
        case ["auto"]:
            chosen = [factor for factor in surface if factor.mirrors is None]
        case ["core"]:
            chosen = [factor for factor in surface if factor.core]
        case ["surface"]:
            chosen = surface
        case _ if alone := sorted(set(names) & set(SELECTIONS)):
            raise ValueError(f"Factors {', '.join(names)}: {alone[0]!r} stands alone.")
        case _:
            chosen = [_meant_for(task, name, known) for name in names]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"Factors given more than once: {', '.join(repeated)}. Name each once.")
    if not chosen:
        raise ValueError(f"The selection {selection!r} holds no factor for task {task!r}.")
    return tuple(chosen)


def surface_function(factor: Factor) -> SurfaceFunction:
    """Import the function of a surface factor.

    Raises ValueError where the factor is of another kind, ImportError where its module or the name
    in it cannot be imported, and TypeError where that name is not callable.

    >>> surface_function(load_taxonomy()["length"])("three short words", None, "")
    3.0
    """
    if factor.kind != "surface" or factor.function is None:
        raise ValueError(
            f"Factor {factor.id!r} (kind {factor.kind!r}) has no surface function to import."
        )
    module, _, name = factor.function.partition(":")
    try:
        function: SurfaceFunction = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ImportError(
            f"Factor {factor.id!r}: cannot import its function {factor.function!r}: {error}. "
            "Name a function of an installed module as 'package.module:name'."
        ) from error
    if not callable(function):
        raise TypeError(f"Factor {factor.id!r}: {factor.function!r} is not callable.")
    return function


def _meant_for(task: str, name: str, known: Mapping[str, Factor]) -> Factor:
    if name not in known:
        raise ValueError(
            f"Factor {name!r} is unknown. Must be one of: {', '.join((*SELECTIONS, *known))}."
        )
    factor = known[name]
    if task not in factor.tasks:
        raise ValueError(
            f"Factor {name!r} is not meant for task {task!r}, only for: {', '.join(factor.tasks)}."
        )
    return factor


@cache
def _packaged_factors() -> tuple[Factor, ...]:
    file = files("profile_tasks.task_configs") / "factors.yaml"
    return _parse(file.read_text(encoding="utf-8"), file.name, mirrored={})


def _parse(text: str, file: str, mirrored: Mapping[str, Factor]) -> tuple[Factor, ...]:
    """Parse and check a taxonomy file's text; `mirrored` it may mirror besides its own factors."""
    import yaml

    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"{file}: not valid YAML: {error}") from error
    if not isinstance(content, dict) or content.keys() != {"version", "factors"}:
        raise ValueError(f"{file}: must be a mapping of exactly 'version' and 'factors'.")
    if content["version"] != _VERSION:
        raise ValueError(f"{file}: version is {content['version']!r}. Must be {_VERSION}.")
    if not isinstance(content["factors"], list):
        raise ValueError(f"{file}: 'factors' must be a list of mappings.")
    factors = tuple(
        _factor(entry, f"{file}, factor number {number}")
        for number, entry in enumerate(content["factors"], start=1)
    )
    ids = [factor.id for factor in factors]
    for factor in factors:
        where = f"{file}, factor {factor.id!r}"
        if ids.count(factor.id) > 1:
            raise ValueError(f"{where}: field 'id' is not unique.")
        for field, problem in _problems(factor, mirrorable={*ids, *mirrored} - {factor.id}):
            raise ValueError(f"{where}, field {field!r}: {problem}")
    return factors


def _factor(entry: object, where: str) -> Factor:
    """One entry as a Factor with its fields and their types checked."""
    from pydantic import TypeAdapter, ValidationError

    if not isinstance(entry, dict):
        raise ValueError(f"{where}: must be a mapping of fields, not {entry!r}.")
    if "id" in entry:
        where = f"{where} ({entry['id']!r})"
    known = [field.name for field in fields(Factor)]
    for field in entry:
        if field not in known:
            raise ValueError(
                f"{where}: field {field!r} is unknown. Must be one of: {', '.join(known)}."
            )
    try:
        return TypeAdapter(Factor).validate_python(entry)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(
            f"{where}, field {first['loc'][0]!r}: {first['msg']} (found {first['input']!r})."
        ) from error


def _problems(factor: Factor, mirrorable: set[str]) -> list[tuple[str, str]]:
    """Name each field of a well-typed factor that breaks a rule, with the rule."""
    unknown_tasks = [task for task in factor.tasks if task not in TASKS]
    rules = [
        (
            "id",
            _ID.fullmatch(factor.id) is not None,
            "only lower-case letters, digits and underscores (it becomes part of metric names)",
        ),
        ("id", factor.id not in SELECTIONS, "is the name of a selection; take another"),
        ("tasks", bool(factor.tasks), f"is empty. Must hold some of: {', '.join(TASKS)}"),
        (
            "tasks",
            not unknown_tasks,
            f"holds {', '.join(unknown_tasks)}. Must be one of: {', '.join(TASKS)}",
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
            factor.function is not None or factor.kind != "surface",
            "is missing. A surface factor needs one",
        ),
        (
            "function",
            factor.function is None or _FUNCTION.fullmatch(factor.function) is not None,
            f"is {factor.function!r}. Must be 'package.module:name'",
        ),
        (
            "mirrors",
            factor.mirrors is None or factor.mirrors in mirrorable,
            f"names {factor.mirrors!r}, which is no other factor",
        ),
        ("range", factor.range[0] < factor.range[1], "must be [lowest, highest]"),
    ]
    return [(field, f"{problem}.") for field, kept, problem in rules if not kept]
