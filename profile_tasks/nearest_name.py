"""What a misspelt name was probably meant to be."""

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The known name that is most like this one; None where none is near.

    Args:
        name: An unknown name.
        known: Names that there are.
        cutoff: How near it must be, from 0 (anything is) to 1 (the same), as ``difflib`` counts.

    >>> nearest("dateset", ["seed", "dataset"])
    'dataset'
    """
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=cutoff)), None)


def instead_of(name: str, known: Iterable[str]) -> str:
    """How a sentence about an unknown name ends: with the nearest one, if any, and all there are.

    >>> instead_of("dateset", ["seed", "dataset"])
    "; did you mean 'dataset'? Must be one of: seed, dataset"
    >>> instead_of("x", ["seed", "dataset"])
    '. Must be one of: seed, dataset'
    """
    names = list(known)
    near = nearest(name, names)
    meant = "." if near is None else f"; did you mean {near!r}?"
    return f"{meant} Must be one of: {', '.join(names)}"
