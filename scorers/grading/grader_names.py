"""What the graders of a run are called: one model may be several of them."""

from collections.abc import Sequence


def named_apart(graders: Sequence[str]) -> tuple[str, ...]:
    """Names that tell graders apart: one model in several places is numbered by its place.

    >>> named_apart(["openai/gpt-4o", "planted/grader", "planted/grader"])
    ('openai/gpt-4o', 'planted/grader #2', 'planted/grader #3')
    """
    return tuple(
        name if graders.count(name) == 1 else f"{name} #{place}"
        for place, name in enumerate(graders, 1)
    )


def model_named(grader: str) -> str:
    """The model of a grader's name, which ``named_apart`` may have numbered.

    >>> model_named("planted/grader #2")
    'planted/grader'
    """
    return grader.partition(" #")[0]
