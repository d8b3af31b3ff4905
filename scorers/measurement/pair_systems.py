"""Which systems wrote the responses of annotated pairs."""

from collections.abc import Iterable

from profile_tasks.data.preferences import AnnotatedPair, AnnotatedSource

SYSTEM_COLUMNS = ("system_a", "system_b")
"""Where the data name who wrote response_a and response_b."""


def named_systems(pair: AnnotatedPair) -> tuple[str | None, str | None]:
    """Who wrote the two responses of a pair; None where the data do not say.

    Raises:
        ValueError: A name is no text.
    """
    a, b = (_system(pair, column) for column in SYSTEM_COLUMNS)
    return a, b


def _system(pair: AnnotatedPair, column: str) -> str | None:
    name = pair.extra.get(column)
    if name is not None and not isinstance(name, str):
        raise ValueError(
            f"pair {pair.id!r:.60}: field {column!r} is {name!r:.60}; expected the name of a "
            "system, as a text"
        )
    return (name or "").strip() or None


def check_systems(sources: Iterable[AnnotatedSource]) -> None:
    """Check that systems can be controlled for: at least one pair names both of its.

    Raises:
        ValueError: None does, or a name is no text.
    """
    named = [named_systems(pair) for source in sources for pair in source.pairs]
    if not any(None not in names for names in named):
        raise ValueError(
            f"control=system: none of the {len(named)} pairs names who wrote its responses. "
            f"Give the columns {' and '.join(SYSTEM_COLUMNS)}, or leave the control out"
        )
