"""Pairs among which somebody prefers by length and, if asked to, by a question at the end."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from profile_tasks.data.preferences import PreferenceData, load_preferences

WORDS = [
    "amber",
    "birch",
    "cedar",
    "dune",
    "ember",
    "fjord",
    "grove",
    "heath",
    "inlet",
    "jetty",
    "knoll",
    "larch",
    "mesa",
]

Rows = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="session")
def rows() -> Rows:
    """Rows of preferences: ``asking`` and ``longer`` are what a question and length weigh."""

    def made(
        n: int = 240, *, asking: float = 2.0, longer: float = 1.0, seed: int = 0
    ) -> list[dict[str, Any]]:
        rng = np.random.default_rng(seed)

        def text() -> tuple[str, int, bool]:
            length, asks = int(rng.integers(3, 12)), bool(rng.random() < 0.4)
            said = " ".join(rng.choice(WORDS, length)).capitalize()
            return said + (" and you?" if asks else "."), length, asks

        found = []
        for number in range(n):
            (a, long_a, asks_a), (b, long_b, asks_b) = text(), text()
            utility = asking * (asks_a - asks_b) + longer * np.log(long_a / long_b)
            first = utility + rng.logistic() > 0
            found.append(
                {
                    "id": f"p{number}",
                    "task": "instruction_following",
                    "prompt": f"Name some, {number // 2}.",
                    "group": f"g{number // 2:03}",
                    "response_a": a,
                    "response_b": b,
                    "preference": "a" if first else "b",
                }
            )
        return found

    return made


@pytest.fixture(scope="session")
def loaded() -> Callable[[list[dict[str, Any]]], PreferenceData]:
    """Rows as the data that commands read."""

    def load(found: list[dict[str, Any]]) -> PreferenceData:
        return load_preferences(pd.DataFrame(found))

    return load
