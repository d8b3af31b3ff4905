"""What a preference between two responses may be, and how others write it."""

import re
from collections.abc import Mapping
from typing import Literal, get_args

Preference = Literal["a", "b", "tie"]
PREFERENCES: tuple[Preference, ...] = get_args(Preference)
PREFERENCE_SIGNS: Mapping[Preference, int] = {"a": 1, "tie": 0, "b": -1}

JUDGE_PREFIX = "judge_"
"""How the columns are named that hold a recorded judge's verdicts."""
PICKS_PREFIX = "picks_"
"""How those are named that hold them by order and position shown."""
PROBABILITY_PREFIX = "probability_"
"""How those are named that hold, order by order, how probable the first shown was to be picked."""
VERDICT_PREFIXES = (JUDGE_PREFIX, PICKS_PREFIX, PROBABILITY_PREFIX)


def is_judge(column: str) -> bool:
    """Whether a column is named as those of recorded judges are.

    >>> is_judge("judge_gpt4"), is_judge("judge_"), is_judge("judge")
    (True, False, False)
    """
    return column.startswith(JUDGE_PREFIX) and len(column) > len(JUDGE_PREFIX)


def turned(preference: Preference | None) -> Preference | None:
    """The preference of the same response, of two that change their names; None stays."""
    if preference in (None, "tie"):
        return preference
    return "b" if preference == "a" else "a"


def label_of(value: object) -> str:
    """How a label is written in ``labels``, whatever kind of value a file holds.

    >>> label_of(1.0), label_of("1.0"), label_of(True), label_of(" model_a ")
    ('1', '1', 'true', 'model_a')
    """
    if isinstance(value, bool):
        return str(value).lower()
    return re.sub(r"\A([+-]?\d+)\.0+\Z", r"\1", str(value).strip())
