"""A factor: one interpretable property of a response."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from math import inf
from typing import Literal

SurfaceFunction = Callable[[str, str | None, str], float]
"""A surface factor: (response, source, prompt) -> value, NaN where it is missing."""


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
        definition: what one response's value is. Of a judged factor, the grader reads it as it
            stands and says which response shows more of it.
        unit: unit of that value.
        more: what a response with the larger value shows.
        tasks: names of the tasks it is meant for; empty: any. Of a packaged factor, the packaged
            tasks whose definitions name it.
        core: whether the selection ``"core"`` holds it.
        needs_source: whether it is missing where there is no source.
        defined_for: the responses that it is defined for, where not for those of every language;
            missing for others.
        function: its `SurfaceFunction`, or ``"package.module:name"`` of it; None for other kinds,
            and where a pattern stands in its place.
        pattern: regular expression whose matches are counted (`counted_pattern`), in place of a
            function; None elsewhere.
        per: whether they are counted in the whole response or per word of it; None: in the whole.
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
    definition: str
    unit: str
    more: str
    tasks: tuple[str, ...] = ()
    core: bool = False
    needs_source: bool = False
    defined_for: str = ""
    function: str | SurfaceFunction | None = None
    pattern: str | None = None
    per: Literal["response", "word"] | None = None
    measure: Literal["count", "share", "coverage"] | None = None
    label: FactLabel | None = None
    mirrors: str | None = None
    range: tuple[float, float] = (-inf, inf)
    citation: str = ""

    @property
    def graded(self) -> bool:
        """Whether measuring it needs a grader model."""
        return self.kind in {"facts", "judged"}


class OnlyInALog(str):
    """The name of a function that only a log or data state: somebody's text, and never called."""


def surface_function(factor: Factor) -> SurfaceFunction:
    """Import the function of a surface factor, or make that of its pattern.

    Raises ValueError where the factor is of another kind, the name is not callable or only a log
    states it, and ImportError where its module or the name in it cannot be imported.

    >>> from profile_tasks.scorers.factors.taxonomy import load_taxonomy
    >>> surface_function(load_taxonomy()["length"])("three short words", None, "")
    3.0
    """
    if factor.kind == "surface" and factor.pattern is not None:
        from profile_tasks.scorers.factors.counted_pattern import CountedPattern

        return CountedPattern(factor.id, factor.pattern, per_word=factor.per == "word")
    if factor.kind != "surface" or factor.function is None:
        raise ValueError(
            f"Factor {factor.id!r} (kind {factor.kind!r}) has no surface function to import."
        )
    if not isinstance(factor.function, str):
        return factor.function
    if isinstance(factor.function, OnlyInALog):
        raise ValueError(
            f"Factor {factor.id!r} is computed by {str(factor.function)!r}, a Python function that "
            "only the log names. If you trust it, name the task's file yourself (task=FILE), or a "
            "file of factors that holds it (factors=FILE)."
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
