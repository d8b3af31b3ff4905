"""A provider's errors keep their type and lose the keys; its logged arguments have none."""

import anyio
import pytest
from inspect_ai.model import GenerateConfig, Model, ModelAPI, ModelCall, ModelOutput

from profile_tasks.scorers.grading.api_key import hide_keys

KEY = "sk-9d81f0"
OTHER = "gate-71c22e"

Returned = ModelOutput | tuple[ModelOutput | Exception, ModelCall]


class Failing(ModelAPI):
    """A provider that raises one error in every request, or returns what it is given."""

    def __init__(self, outcome: Exception | Returned, base_url: str | None = None) -> None:
        super().__init__("failing", base_url, api_key=KEY)
        self.outcome = outcome

    async def generate(self, *_: object) -> Returned:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def asked(api: Failing, arguments: dict[str, object] | None = None, **settings: object) -> Returned:
    hide_keys(Model(api, GenerateConfig(), arguments))
    config = GenerateConfig.model_validate(settings)
    return anyio.run(api.generate, [], [], "auto", config)  # type: ignore[arg-type]


def raised(error: Exception) -> Exception:
    with pytest.raises(type(error)) as caught:
        asked(Failing(error))
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


def test_an_error_that_is_returned_loses_the_key_and_so_does_its_request() -> None:
    call = ModelCall.create({"extra_headers": {"x": OTHER}}, {"error": f"bad key {KEY}"})
    result = asked(
        Failing((ValueError(f"bad key {KEY}"), call)), extra_headers={"x-api-key": OTHER}
    )
    assert isinstance(result, tuple)
    assert str(result[0]) == "bad key [API key]"
    assert (call.request, call.response) == (
        {"extra_headers": {"x": "[API key]"}},
        {"error": "bad key [API key]"},
    )


@pytest.mark.parametrize(
    ("arguments", "base_url", "settings"),
    [
        ({"default_headers": {"Authorization": f"Bearer {OTHER}"}}, None, {}),
        ({"aws_secret_access_key": OTHER}, None, {}),
        ({}, f"https://me:{OTHER}@host/v1", {}),
        ({}, f"https://host/v1?key={OTHER}", {}),
        ({}, None, {"extra_headers": {"Cookie": OTHER}}),
        ({}, None, {"extra_body": {"auth": {"token": OTHER}}}),
    ],
)
def test_every_key_that_a_model_was_given_leaves_its_errors(
    arguments: dict[str, object], base_url: str | None, settings: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match=r"^sent \[API key\]$"):
        asked(Failing(ValueError(f"sent {OTHER}"), base_url), arguments, **settings)


def test_a_key_of_the_environment_leaves_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", OTHER)
    assert str(raised(ValueError(f"sent {OTHER}"))) == "sent [API key]"


def test_an_answer_is_left_alone() -> None:
    answer = ModelOutput.from_content("failing", f"my key is {KEY}")
    assert asked(Failing(answer)) is answer
    call = ModelCall.create({"messages": [KEY]}, {"content": KEY})
    assert asked(Failing((answer, call))) == (answer, call)
    assert call.request == {"messages": [KEY]}


def test_arguments_that_are_keys_are_taken_from_the_model_and_still_hidden_after() -> None:
    api = Failing(ValueError(f"sent {OTHER}"))
    model = Model(api, GenerateConfig(), {"hf_token": OTHER, "headers": {"A": "b"}, "seed": 1})
    for _ in range(2):
        hide_keys(model)
        assert model.model_args == {"headers": {"A": "b"}, "seed": 1}
        with pytest.raises(ValueError, match=r"^sent \[API key\]$"):
            anyio.run(api.generate, [], [], "auto", GenerateConfig())
