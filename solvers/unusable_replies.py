"""Which replies nobody can use, and from when on a model sends nothing else.

Both harnesses hold to these, and neither is imported here: who runs lm-eval waits for no Inspect.
"""

import json
from dataclasses import dataclass

from pydantic import ValidationError

UNREADABLE = (
    *(json.JSONDecodeError, ValidationError, UnicodeError),
    *(TypeError, AttributeError, KeyError, IndexError),
)
"""What reading a reply raises that has not the form it should have."""

ONE_REQUEST_REFUSED = frozenset({400, 413, 422})
"""HTTP statuses that speak of a request, and not of the model, its key or its state."""

LONGEST = 1_000_000
"""Characters of an answer that are read; one with more of them is a fault."""

FROM_THE_START, IN_A_ROW = 5, 20
"""So many requests in vain, with no answer before or since the last one, and none is sent on."""


@dataclass
class Standing:
    """What came of a model's requests so far.

    Attributes:
        answered: Whether one was answered.
        in_vain: How many were not, since the last one that was.
    """

    answered: bool = False
    in_vain: int = 0

    def note_answer(self) -> None:
        """Note that a request was answered."""
        self.answered, self.in_vain = True, 0

    def still_answers(self) -> bool:
        """Note a request in vain; whether that can be the request's fault, and not the model's."""
        self.in_vain += 1
        return self.in_vain < (IN_A_ROW if self.answered else FROM_THE_START)
