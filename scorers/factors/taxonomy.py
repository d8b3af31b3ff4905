"""The factor taxonomy: which factors exist, what each means and which a run uses.

The factors are data (``task_configs/factors.yaml``), so that a factor can be added or its meaning
read without opening code. This module loads and checks that data and turns what a user selects on
a command line into a tuple of factors.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from importlib import import_module
from importlib.resources import files
from math import inf
from pathlib import Path
from typing import Any, Literal

from profile_tasks.data.preferences import TASKS
from profile_tasks.nearest_name import instead_of

SELECTIONS = ("auto", "core", "surface", "all")
"""Names that `resolve_factors` takes in place of factor ids."""

LEARNED_FACTORS = ("fluency", "coherence")
"""Ids of the factors for which the project has a local scoring model."""

SurfaceFunction = Callable[[str, str | None, str], float]
"""A surface factor: (response, source, prompt) -> value, NaN where it is missing."""

_VERSION = 1
_ID = re.compile(r"[a-z][a-z0-9_]*")
_TAKEN = ("group", "preference", "fact", "number")
_FUNCTION = re.compile(r"[\w.]+:\w+")
_LABEL_VALUE = re.compile(r"[a-z]+(-[a-z]+)*")
_FILE_ENDINGS = (".yaml", ".yml")

_DEFAULTS: Mapping[str, Mapping[str, object]] = {
    "judged": {"level": 3, "unit": "verdict", "more": "more of it", "range": (-1, 1)},
    "surface": {"level": 1, "unit": "value", "more": "a larger value"},
}
"""What a new factor of a kind may leave unsaid."""


@dataclass(frozen=True)
class FactLabel:
    """What the grader decides about each atomic fact of a response.

    Attributes:
        question: the decision, as the grader reads it; one sentence that explains the values.
        values: the labels it may give, at least two; lower-case words.
        counted: the values whose facts make up the share; some of them, not all.
        among: the values whose facts the share is taken of, the counted ones included; empty: all.

    """

    question: str
    values: tuple[str, ...]
    counted: tuple[str, ...]
    among: tuple[str, ...] = ()


@dataclass(frozen=True)
class Factor:
    """One interpretable property of a response.

    Attributes:
        id: name in tables and metric names; lower-case letters, digits and underscores.
        level: 1 read off the text, 2 needs its facts, 3 needs the whole response.
        kind: how the manifestation is found: computed (``surface``), from atomic facts
            (``facts``), by a grader (``judged``), by a local scoring model (``learned``), or read
            where the data record it, for the annotated responses alone (``recorded``).
        tasks: the tasks it is meant for, out of `TASKS`.
        definition: what one response's value is. Of a judged factor, the grader reads it as it
            stands and says which response shows more of it.
        unit: unit of that value.
        more: what a response with the larger value shows.
        core: whether the selection ``"core"`` holds it.
        needs_source: whether it is missing where there is no source.
        function: ``"package.module:name"`` of its `SurfaceFunction`; None for other kinds.
        measure: what is counted of the facts: all of them (``count``), the share with a counted
            label (``share``), or the share of the source's key facts that the response holds
            (``coverage``); None for other kinds than ``facts``.
        label: what is decided about each fact; None for other measures than ``share``.
        mirrors: id of the factor that this one repeats by construction within one source, so
            that using both would count the same evidence twice; None for an independent one.
        range: lowest and highest possible value.
        citation: where the definition comes from.

    """

    id: str
    level: Literal[1, 2, 3]
    kind: Literal["surface", "facts", "judged", "learned", "recorded"]
    tasks: tuple[str, ...]
    definition: str
    unit: str
    more: str
    core: bool = False
    needs_source: bool = False
    function: str | None = None
    measure: Literal["count", "share", "coverage"] | None = None
    label: FactLabel | None = None
    mirrors: str | None = None
    range: tuple[float, float] = (-inf, inf)
    citation: str = ""

    @property
    def graded(self) -> bool:
        """Whether measuring it needs a grader model."""
        return self.kind in {"facts", "judged"}


@dataclass(frozen=True)
class Selection:
    """What a user asks for, before it is known for which task.

    Attributes:
        names: factor ids in their order, or one of `SELECTIONS` alone.
        taxonomy: the factors to choose from, by id; those of the user's files included.
        from_files: for each of these files, the ids that it adds or overrides.

    """

    names: tuple[str, ...]
    taxonomy: Mapping[str, Factor]
    from_files: Mapping[str, frozenset[str]]

    @property
    def word(self) -> str | None:
        """The one of `SELECTIONS` that is asked for; None where ids are."""
        return next((name for name in self.names if name in SELECTIONS), None)


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
    ``id``, ``kind``, ``definition`` and ``tasks``, a new surface factor ``function`` besides.

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


def read_selection(
    selection: str | Sequence[str], taxonomy: Mapping[str, Factor] | None = None
) -> Selection:
    """Read what a user asks for, with the taxonomy files in it, as `resolve_factors` takes it.

    Raises ValueError for a name given twice, one of `SELECTIONS` beside other names, a file that
    does not exist, and a malformed one.

    >>> read_selection("length, charm").names
    ('length', 'charm')
    """
    parts = selection.split(",") if isinstance(selection, str) else selection
    given = [str(part).strip() for part in parts]
    if repeated := sorted({name for name in given if given.count(name) > 1}):
        raise ValueError(f"Factors given more than once: {', '.join(repeated)}. Name each once.")
    paths = [name for name in given if name.lower().endswith(_FILE_ENDINGS)]
    names = tuple(name for name in given if name not in paths)
    if len(names) > 1 and (words := sorted(set(names) & set(SELECTIONS))):
        raise ValueError(
            f"Factors {', '.join(given)}: {words[0]!r} stands alone, or beside taxonomy files."
        )
    known = dict(load_taxonomy() if taxonomy is None else taxonomy)
    from_files: dict[str, frozenset[str]] = {}
    for name in paths:
        path = Path(name).expanduser()
        if not path.is_file():
            raise ValueError(
                f"Factors {', '.join(given)}: there is no taxonomy file {name!r} "
                f"(the working folder is {Path.cwd()})."
            )
        added = load_taxonomy(path, known)
        known |= added
        from_files[name] = frozenset(added)
    if paths and not names:
        names = ("auto",)
    return Selection(names, known, from_files)


def resolve_factors(
    selection: str | Sequence[str],
    task: str | Sequence[str],
    taxonomy: Mapping[str, Factor] | None = None,
    *,
    grader: bool = False,
    recorded: Collection[str] = (),
) -> tuple[Factor, ...]:
    """Turn a selection of factors into the factors, for one of `TASKS`.

    `selection` is a list or a comma-separated string (a command line may give either). It holds
    one of

    - ``"auto"``: ``"core"`` where there is a `grader`, otherwise ``"surface"``.
    - ``"core"``: the task's core factors, those that need a grader included.
    - ``"surface"``: the task's surface factors, without those that mirror another one. Such a
      factor would enter an alignment as a second copy of the same evidence; ask for it by id.
    - ``"all"``: all of the task's factors, again without mirrors.
    - ids; they keep their order.

    Each name that ends in ``.yaml`` or ``.yml`` is the path of a taxonomy file. Files are loaded
    in their order over `taxonomy`, by default the packaged one. Without ids, the factors of the
    files that are meant for the task come along with ``"auto"`` or the other word, in the order of
    the taxonomy; with ids, only the factors with these ids.

    `task` may be several tasks; a factor must then be meant for one of them at least. `recorded`
    are the names of factors that the data record: `with_recorded` says what they can stand for.

    Raises ValueError for an unknown task or id, a name given twice, an id that is not meant for
    the task, a selection or a file that holds no factor for it, and a file that does not exist or
    is malformed.

    >>> [factor.id for factor in resolve_factors("markdown, length", "instruction_following")]
    ['markdown', 'length']
    >>> [factor.id for factor in resolve_factors("core", "summarization") if not factor.graded]
    ['length', 'novel_words']
    """
    tasks = (task,) if isinstance(task, str) else tuple(task)
    for name in tasks:
        if name not in TASKS:
            raise ValueError(f"Task {name!r} is unknown. Must be one of: {', '.join(TASKS)}.")
    asked = read_selection(selection, taxonomy)
    known = with_recorded(asked, recorded, grader=grader)
    meant = {f.id: f for f in known.values() if set(tasks) & set(f.tasks)}
    for file, ids in asked.from_files.items():
        if not ids & meant.keys():
            raise ValueError(f"The file {file!r} holds no factor for {_named(tasks)}.")
    if asked.word is None:
        chosen = [_meant_for(tasks, name, known, recorded) for name in asked.names]
    else:
        word = ("core" if grader else "surface") if asked.word == "auto" else asked.word
        of_files = frozenset().union(*asked.from_files.values())
        chosen = [f for f in meant.values() if f.id in of_files or _belongs(f, word)]
    if not chosen:
        raise ValueError(f"The selection {selection!r} holds no factor for {_named(tasks)}.")
    return tuple(chosen)


def with_recorded(
    asked: Selection, recorded: Collection[str], *, grader: bool
) -> dict[str, Factor]:
    """The factors to choose from, on data that record values of some for annotated responses.

    A name that is asked for and that the data alone know becomes a factor of kind ``recorded``. So
    does a factor that needs a grader, where there is none and the data record it. A factor that can
    be computed is computed.

    >>> known = with_recorded(read_selection("charm"), ["charm", "length"], grader=False)
    >>> known["charm"].kind, known["length"].kind
    ('recorded', 'surface')
    """
    known = dict(asked.taxonomy)
    for name in recorded:
        if name in known:
            if known[name].graded and not grader:
                known[name] = replace(
                    known[name],
                    kind="recorded",
                    unit="as recorded",
                    measure=None,
                    label=None,
                    range=(-inf, inf),
                )
        elif name in asked.names:
            known[name] = Factor(
                name,
                level=3,
                kind="recorded",
                tasks=TASKS,
                definition="As the data record it for each annotated response.",
                unit="as recorded",
                more="a larger recorded value",
            )
    return known


def surface_function(factor: Factor) -> SurfaceFunction:
    """Import the function of a surface factor.

    Raises ValueError where the factor is of another kind or the name is not callable, and
    ImportError where its module or the name in it cannot be imported.

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
    except Exception as error:  # a user's module may fail in any way
        raise ImportError(
            f"Factor {factor.id!r}: cannot import its function {factor.function!r}: {error}. "
            "Name a function of a module that is installed or on PYTHONPATH, as "
            "'package.module:name'."
        ) from error
    if not callable(function):
        raise ValueError(
            f"Factor {factor.id!r}: {factor.function!r} is not callable. Name a function of "
            "(response, source, prompt)."
        )
    return function


def _belongs(factor: Factor, word: str) -> bool:
    if word == "core":
        return factor.core
    return factor.mirrors is None and (word == "all" or factor.kind == "surface")


def _meant_for(
    tasks: Sequence[str], name: str, known: Mapping[str, Factor], recorded: Collection[str]
) -> Factor:
    if name not in known:
        choices = dict.fromkeys((*SELECTIONS, *known, *recorded))
        raise ValueError(
            f"Factor {name!r} is unknown{instead_of(name, choices)}; or a taxonomy file (.yaml)."
        )
    factor = known[name]
    if not set(tasks) & set(factor.tasks):
        raise ValueError(
            f"Factor {name!r} is not meant for {_named(tasks)}, only for: "
            f"{', '.join(factor.tasks)}."
        )
    return factor


def _named(tasks: Sequence[str]) -> str:
    return f"task {' or '.join(map(repr, tasks))}"


@cache
def _packaged_factors() -> tuple[Factor, ...]:
    file = files("profile_tasks.task_configs") / "factors.yaml"
    return _parse(file.read_text(encoding="utf-8"), file.name, known={})


def _parse(text: str, file: str, known: Mapping[str, Factor]) -> tuple[Factor, ...]:
    """Parse and check a taxonomy file's text; its factors may override and mirror known ones."""
    import yaml

    from profile_tasks.scorers.factors.unique_keys import RepeatedKeyError, load_unique_keys

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
    factors = tuple(
        _factor(entry, f"{file}, factor number {number}", known)
        for number, entry in enumerate(content["factors"], start=1)
    )
    ids = [factor.id for factor in factors]
    for factor in factors:
        where = f"{file}, factor {factor.id!r}"
        if ids.count(factor.id) > 1:
            raise ValueError(f"{where}: field 'id' is not unique.")
        for field, problem in _problems(factor, mirrorable={*ids, *known} - {factor.id}):
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


def _problems(factor: Factor, mirrorable: set[str]) -> list[tuple[str, str]]:
    """Name each field of a well-typed factor that breaks a rule, with the rule."""
    unknown_tasks = [task for task in factor.tasks if task not in TASKS]
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
            factor.function is None or factor.kind == "surface",
            f"is for surface factors only, and this one is of kind {factor.kind!r}",
        ),
        (
            "function",
            factor.function is None or _FUNCTION.fullmatch(factor.function) is not None,
            f"is {factor.function!r}. Must be 'package.module:name'",
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
