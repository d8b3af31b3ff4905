"""Which factors a run measures: what a user selects, and how each factor is found."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

from profile_tasks.data.task_definition import definition_of
from profile_tasks.nearest_name import instead_of
from profile_tasks.scorers.factors.factor import Factor, surface_function
from profile_tasks.scorers.factors.own_function import (
    OwnFunction,
    function_factor,
    function_factors,
)
from profile_tasks.scorers.factors.taxonomy import SELECTIONS, load_taxonomy, taxonomy_of
from profile_tasks.settings import LearnedBy

FactorChoice = str | Sequence[str | OwnFunction] | Mapping[str, OwnFunction] | OwnFunction
"""What a user may ask for; in a list also mappings of name -> function (`own_function`)."""

_FILE_ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True)
class Selection:
    """What a user asks for, before it is known for which task.

    Attributes:
        names: factor ids in their order, or one of `SELECTIONS` alone.
        taxonomy: the factors to choose from, by id; those of the user's own included.
        from_files: for each of the user's files, the ids that it adds or overrides.
        functions: the ids of those that are given as functions.

    """

    names: tuple[str, ...]
    taxonomy: Mapping[str, Factor]
    from_files: Mapping[str, frozenset[str]]
    functions: frozenset[str] = frozenset()

    @property
    def word(self) -> str | None:
        """The one of `SELECTIONS` that is asked for; None where ids are."""
        return next((name for name in self.names if name in SELECTIONS), None)


def read_selection(
    selection: FactorChoice, taxonomy: Mapping[str, Factor] | None = None
) -> Selection:
    """Read what a user asks for, with the taxonomy files in it, as `resolve_factors` takes it.

    Raises ValueError for a name given twice, one of `SELECTIONS` beside other names, a file that
    does not exist, and a malformed one; for functions as `function_factor`.

    >>> read_selection("length, charm").names
    ('length', 'charm')
    """
    parts = _parts(selection.split(",") if isinstance(selection, str) else selection)
    functions = {part.id: part for part in parts if isinstance(part, Factor)}
    given = [part.id if isinstance(part, Factor) else part for part in parts]
    if repeated := sorted({name for name in given if given.count(name) > 1}):
        raise ValueError(f"Factors given more than once: {', '.join(repeated)}. Name each once.")
    paths = [name for name in given if name.lower().endswith(_FILE_ENDINGS)]
    names = tuple(name for name in given if name not in paths)
    if words := sorted(set(names) & set(SELECTIONS)):
        names = tuple(name for name in names if name not in functions)
        if len(names) > 1:
            raise ValueError(
                f"Factors {', '.join(given)}: {words[0]!r} stands alone, or beside taxonomy files "
                "and functions."
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
    return Selection(names, known | functions, from_files, frozenset(functions))


def _parts(selection: object) -> list[str | Factor]:
    """What is asked for, one by one: a name, or the factor of a function."""
    if isinstance(selection, Mapping):
        return list(function_factors(selection))
    if callable(selection):
        return [function_factor(selection)]
    if isinstance(selection, Iterable) and not isinstance(selection, str):
        return [found for part in selection for found in _parts(part)]
    return [str(selection).strip()]


def resolve_factors(
    selection: FactorChoice,
    task: str | Sequence[str],
    taxonomy: Mapping[str, Factor] | None = None,
    *,
    grader: bool = False,
    recorded: Collection[str] = (),
) -> tuple[Factor, ...]:
    """Turn a selection of factors into the factors, for the task with this key.

    `selection` is a list or a comma-separated string (a command line may give either). It holds
    one of

    - ``"auto"``: ``"core"`` where there is a `grader`, otherwise ``"surface"``.
    - ``"core"``: the task's core factors, those that need a grader included.
    - ``"surface"``: the task's surface factors, without those that mirror another one. Such a
      factor would enter an alignment as a second copy of the same evidence; ask for it by id.
    - ``"all"``: all of the task's factors, again without mirrors.
    - ids; they keep their order.

    Each name that ends in ``.yaml`` or ``.yml`` is the path of a taxonomy file. Files are loaded
    in their order over `taxonomy`, by default the packaged one with what the tasks define for
    themselves. Without ids, the factors of the
    files that are meant for the task come along with ``"auto"`` or the other word, in the order of
    the taxonomy; with ids, only the factors with these ids. A function, or a mapping of name ->
    function, is a factor of its own (`own_function`), beside ids or a word.

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
    names = tuple(definition_of(key).of_factors for key in tasks)
    asked = read_selection(selection, taxonomy_of(tasks) if taxonomy is None else taxonomy)
    known = with_recorded(asked, recorded, grader=grader)
    meant = {f.id: f for f in known.values() if _fits(f, names)}
    for file, ids in asked.from_files.items():
        if not ids & meant.keys():
            raise ValueError(f"The file {file!r} holds no factor for {_named(names)}.")
    if asked.word is None:
        chosen = [_meant_for(names, name, known, recorded) for name in asked.names]
    else:
        word = ("core" if grader else "surface") if asked.word == "auto" else asked.word
        own = asked.functions.union(*asked.from_files.values())
        chosen = [f for f in meant.values() if f.id in own or _belongs(f, word)]
    if not chosen:
        graded = bool(meant) and all(factor.graded for factor in meant.values())
        why = "; all that it has need a grader (--model-role grader=MODEL)" if graded else ""
        raise ValueError(f"The selection {selection!r} holds no factor for {_named(names)}{why}.")
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
                definition="As the data record it for each annotated response.",
                unit="as recorded",
                more="a larger recorded value",
            )
    return known


def measured_factors(
    selection: str | Sequence[str],
    task: str,
    *,
    grader: bool,
    learned_by: Mapping[str, LearnedBy],
    recorded: Collection[str] = (),
) -> tuple[Factor, ...]:
    """The factors of a run, in the order of every table; all surface functions can be imported.

    Args:
        selection: As of ``resolve_factors``.
        task: The key of a task.
        grader: Whether there is a grader; decides what "auto" is.
        learned_by: Factor id -> how it is found. A factor found by UniEval is measured even where
            the selection, for want of a grader, leaves it out.
        recorded: Names of factors that the data record, as of ``with_recorded``.

    Raises:
        ValueError: As ``resolve_factors``, and as ``surface_function``; or a recorded name cannot
            be a metric's.
        ImportError: A surface function cannot be imported. Found here, before a model is paid.

    >>> chosen = measured_factors(
    ...     "length", "summarization", grader=False, learned_by={"fluency": "unieval"}
    ... )
    >>> [(factor.id, factor.kind) for factor in chosen]
    [('length', 'surface'), ('fluency', 'learned')]
    """
    chosen = {f.id: f for f in resolve_factors(selection, task, grader=grader, recorded=recorded)}
    for name in (name for name, how in learned_by.items() if how == "unieval"):
        judged = chosen.get(name) or taxonomy_of([task])[name]
        chosen[name] = replace(
            judged, kind="learned", unit="UniEval's probability of yes", range=(0.0, 1.0)
        )
    for factor in chosen.values():
        if factor.kind == "surface":
            surface_function(factor)
        if factor.kind == "recorded" and "/" in factor.id:
            raise ValueError(
                f"recorded factor {factor.id!r}: no metric may have a slash in its name; rename it "
                "in the data"
            )
    return tuple(chosen.values())


def needing_grader(factors: Sequence[Factor]) -> tuple[str, ...]:
    """Ids of the factors that only a grader can measure."""
    return tuple(factor.id for factor in factors if factor.graded)


def _fits(factor: Factor, tasks: Collection[str]) -> bool:
    """Whether it is meant for one of the tasks with these names."""
    return not factor.tasks or not set(tasks).isdisjoint(factor.tasks)


def _belongs(factor: Factor, word: str) -> bool:
    if word == "core":
        return factor.core
    return factor.mirrors is None and (word == "all" or factor.kind == "surface")


def _meant_for(
    tasks: Collection[str], name: str, known: Mapping[str, Factor], recorded: Collection[str]
) -> Factor:
    if name not in known:
        choices = dict.fromkeys((*SELECTIONS, *known, *recorded))
        raise ValueError(
            f"Factor {name!r} is unknown{instead_of(name, choices)}; or a taxonomy file (.yaml)."
        )
    factor = known[name]
    if not _fits(factor, tasks):
        raise ValueError(
            f"Factor {name!r} is not meant for {_named(tasks)}, only for: "
            f"{', '.join(factor.tasks)}."
        )
    return factor


def _named(tasks: Collection[str]) -> str:
    return f"task {' or '.join(map(repr, tasks))}"
