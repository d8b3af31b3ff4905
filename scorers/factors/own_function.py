"""A factor of the user's own that is given as a Python function, as in a notebook."""

from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from typing import Any

from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.taxonomy import load_taxonomy, problems

OwnFunction = Callable[..., float]
"""A response to its value, NaN where it is missing. What else it may take: ``source``, the text to
work on or None, and ``prompt``, the request; by these names."""

_BESIDE_THE_RESPONSE = ("source", "prompt")


def function_factor(function: OwnFunction, name: str | None = None) -> Factor:
    """The surface factor that a function computes.

    Args:
        function: Takes the response, and ``source`` and ``prompt`` where it has parameters of these
            names; further ones need a default. What it returns is checked where it is called.
        name: Id of the factor; None: the function's name.

    Raises:
        TypeError: It is no function, or takes other arguments.
        ValueError: The name cannot be a factor's, or is that of a packaged one.

    >>> def exclamations(response):
    ...     return response.count("!")
    >>> factor = function_factor(exclamations)
    >>> factor.id, factor.function("Look! There!", None, "")
    ('exclamations', 2)
    """
    if not callable(function):
        raise TypeError(
            f"factor {name or function!r}: {function!r} is no function; give one of a response"
        )
    own = getattr(function, "__name__", type(function).__name__) if name is None else name
    also = _asked_for(function, own)

    def computed(response: str, source: str | None, prompt: str) -> float:
        given = {"source": source, "prompt": prompt}
        return function(response, **{parameter: given[parameter] for parameter in also})

    factor = Factor(
        own,
        level=1,
        kind="surface",
        definition=(getattr(function, "__doc__", None) or "").strip() or f"What {own} returns.",
        unit="as returned",
        more="a larger returned value",
        function=computed,
    )
    for _, problem in problems(factor):  # only its name is not ours
        raise ValueError(
            f"factor {own!r}: its name is no factor's id: {problem} Name it: "
            "{'my_factor': function}"
        )
    if own in load_taxonomy():
        raise ValueError(
            f"factor {own!r}: this package has another of that name; name yours otherwise: "
            f"{{'my_{own}': {own}}}"
        )
    return factor


def function_factors(functions: Mapping[Any, Any]) -> tuple[Factor, ...]:
    """The factors of functions under names of the user's own.

    Args:
        functions: Id -> function.

    Raises:
        TypeError, ValueError: As of ``function_factor``.
    """
    return tuple(function_factor(function, str(name)) for name, function in functions.items())


def _asked_for(function: OwnFunction, name: str) -> tuple[str, ...]:
    """Which of source and prompt a function takes beside the response.

    Raises:
        TypeError: It takes no response, or needs something else.
    """
    try:
        parameters = list(signature(function).parameters.values())
    except ValueError:  # some built-in ones do not say what they take
        return ()
    expected = "expected (response), and by these names source and prompt"
    if not parameters or parameters[0].kind in {Parameter.KEYWORD_ONLY, Parameter.VAR_KEYWORD}:
        raise TypeError(f"factor {name!r}: its function takes no response; {expected}")
    others = [] if parameters[0].kind is Parameter.VAR_POSITIONAL else parameters[1:]
    asked = tuple(
        p.name
        for p in others
        if p.name in _BESIDE_THE_RESPONSE and p.kind is not Parameter.POSITIONAL_ONLY
    )
    if unknown := [
        p.name
        for p in others
        if p.name not in asked
        and p.default is Parameter.empty
        and p.kind not in {Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD}
    ]:
        raise TypeError(f"factor {name!r}: its function needs {', '.join(unknown)} too; {expected}")
    return asked
