"""A provider's errors keep their type and lose the key."""

import anyio
import pytest
from inspect_ai.model import ModelAPI, ModelOutput

from profile_tasks.scorers.grading.api_key import hide_key

KEY = "sk-9d81f0"


class Failing(ModelAPI):
    """A provider whose every request raises one error."""

    def __init__(self, error: Exception) -> None:
        super().__init__("failing", api_key=KEY)
        self.error = error

    async def generate(self, *_: object) -> ModelOutput:
        raise self.error


def raised(error: Exception) -> Exception:
    api = Failing(error)
    hide_key(api)
    with pytest.raises(type(error)) as caught:
        anyio.run(api.generate, [], [], "auto", None)
    return caught.value


def test_the_key_leaves_the_message_and_the_attributes_of_an_error() -> None:
    error = ValueError(f"bad key {KEY}")
    error.body = {"errors": [f"{KEY} is unknown"]}  # type: ignore[attr-defined]
    found = raised(error)
    assert str(found) == "bad key [API key]"
    assert vars(found)["body"] == {"errors": ["[API key] is unknown"]}


def test_the_key_leaves_the_errors_behind_an_error() -> None:
    error = RuntimeError("it failed")
    error.__cause__ = ValueError(f"bad key {KEY}")
    assert str(raised(error).__cause__) == "bad key [API key]"


def test_errors_that_cause_each_other_end() -> None:
    first, second = RuntimeError(f"first {KEY}"), ValueError(f"second {KEY}")
    first.__cause__, second.__cause__ = second, first
    assert str(raised(first)) == "first [API key]"
    assert str(second) == "second [API key]"
