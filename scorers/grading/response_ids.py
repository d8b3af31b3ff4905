"""What responses are called in grades and human labels."""

import re


def annotated_id(pair_id: str, side: str) -> str:
    """Id of a response of an annotated pair; side is "a" or "b"."""
    return f"{pair_id} {side}"


def written_id(score: int) -> str:
    """Id of the response that the model wrote for a target score."""
    return f"score {score}"


def is_written(response: str) -> bool:
    """Whether it is the id of a written response; one of an annotated pair ends in its side."""
    return re.fullmatch(r"score \d+", response) is not None
