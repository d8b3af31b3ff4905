"""The Inspect model provider ``offline``: its answers stand in files (docs/offline.md)."""

from typing import Any, cast

from inspect_ai.model import ChatMessage, GenerateConfig, Model, ModelOutput, get_model
from inspect_ai.tool import ToolChoice, ToolInfo

from profile_tasks.offline.exchange import Exchange
from profile_tasks.scorers.inspect.arguments import ArgumentError
from profile_tasks.solvers.offline_answers import OFFLINE, OFFLINE_NOTE
from profile_tasks.solvers.offline_model import OfflineAPI

_AT_ONCE = 1_000_000
"""Requests that wait for the next plan hold no connection that others could need."""


class PlannedAPI(OfflineAPI):
    """Provider ``offline``: the model's name is that by which the endpoint calls it."""

    holds_answers = True
    """So that none is taken from, or put into, the cache of other runs."""

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008 - Inspect's own signature
        **model_args: Any,  # noqa: ANN401 - Inspect hands over whatever -M holds
    ) -> None:
        if model_args:
            raise ArgumentError(f"{OFFLINE}{model_name}: it takes no model arguments")
        super().__init__(model_name, base_url, api_key, [], config)
        self.exchange: Exchange | None = None
        self.shared = False

    def max_connections(self) -> int:
        """None is held."""
        return _AT_ONCE

    async def generate(
        self,
        input: list[ChatMessage],  # noqa: A002 - Inspect's own name
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        """The answer in the files.

        Raises:
            UnansweredError: There is none yet.
            ArgumentError: The model has no files: it stands in a log, and is asked something new.
        """
        if self.exchange is None:
            raise ArgumentError(
                f"{OFFLINE}{self.model_name}: its answers stand in files, and this was not among "
                "the requests; plan it: profile-tasks plan"
            )
        output = await self.exchange.answer(self.model_name, input, config, shared=self.shared)
        output.metadata = {**(output.metadata or {}), "offline": OFFLINE_NOTE}
        return output


def offline_model(
    name: str, config: GenerateConfig, exchange: Exchange, *, shared: bool = False
) -> Model:
    """A model that is answered out of files.

    Args:
        name: As the endpoint calls it.
        config: Settings of its requests.
        exchange: Where its requests go.
        shared: As of ``Exchange.answer``.
    """
    model = get_model(OFFLINE + name, config=config, memoize=False)
    api = cast("PlannedAPI", model.api)
    api.exchange, api.shared = exchange, shared
    return model
