"""The planted annotator as an Inspect model provider: ``--model planted/<profile>``.

    inspect eval profile_tasks/summarization --model planted/verbose
    inspect eval profile_tasks/summarization --model planted/verbose \
        -M weights='{"length": 1.0, "novel_words": -0.5}' -M temperature=0.0 -M seed=1

Offline and deterministic. A simulation with a known answer, and every output says so.
"""

import json
import logging
from collections.abc import Mapping
from functools import cache
from typing import Any

from inspect_ai.model import (
    ChatMessage,
    ChatMessageUser,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    ModelUsage,
)
from inspect_ai.tool import ToolChoice, ToolInfo

from profile_tasks.planted import SIMULATION_NOTE, PlantedAnnotator, planted_profile

logger = logging.getLogger(__name__)


class PlantedAPI(ModelAPI):
    """Provider ``planted``: the model name is the profile's name."""

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008 - Inspect's own signature
        weights: str | Mapping[str, float] | None = None,
        temperature: float | None = None,
        seed: int = 0,
        **model_args: Any,  # noqa: ANN401 - Inspect hands over whatever -M holds
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        if model_args:
            raise ValueError(
                f"planted/{model_name}: unknown model argument {', '.join(sorted(model_args))}. "
                "Must be one of: weights, temperature, seed"
            )
        if isinstance(weights, str):
            weights = _parsed_weights(weights)
        if weights is not None and not isinstance(weights, Mapping):
            raise ValueError(
                f"planted weights are {weights!r}; "
                """expected a JSON object, e.g. -M weights='{"length": 1.0}'"""
            )
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise ValueError(f"planted seed is {seed!r}; expected a whole number")
        profile = planted_profile(model_name, weights, temperature)
        self.annotator = PlantedAnnotator(profile, seed)
        _announce(model_name)

    async def generate(
        self,
        input: list[ChatMessage],  # noqa: A002 - Inspect's own name
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        """Answer the last user message."""
        request = next(
            message.text for message in reversed(input) if isinstance(message, ChatMessageUser)
        )
        output = ModelOutput.from_content(
            model=f"planted/{self.model_name}", content=self.annotator.answer(request)
        )
        # Words stand in for tokens: without a usage Inspect would look for a tokenizer online.
        read, written = len(request.split()), len(output.completion.split())
        output.usage = ModelUsage(
            input_tokens=read, output_tokens=written, total_tokens=read + written
        )
        output.metadata = {"simulation": SIMULATION_NOTE}
        return output

    async def count_text_tokens(self, text: str) -> int:
        """Words, for the same reason."""
        return len(text.split())

    def max_connections(self) -> int:
        """Answers are computed here, so waiting in a queue gains nothing."""
        return 100


@cache
def _announce(model_name: str) -> None:
    """Say once a process and profile what this is; Inspect may build a model several times."""
    logger.warning("planted/%s: %s", model_name, SIMULATION_NOTE)


def _parsed_weights(text: str) -> Mapping[str, float]:
    try:
        weights: Mapping[str, float] = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"planted weights are not JSON: {text!r} ({error}); "
            """expected e.g. -M weights='{"length": 1.0}'"""
        ) from None
    return weights
