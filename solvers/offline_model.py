"""What models have in common that are computed or looked up here, and not asked for elsewhere."""

from collections.abc import Mapping, Sequence
from typing import Any

from inspect_ai.model import ChatMessage, ChatMessageUser, ModelAPI, ModelOutput, ModelUsage

from profile_tasks.solvers.prompts import VERDICT_REPAIR


class OfflineAPI(ModelAPI):
    """A provider whose answers cost nothing. Words stand in for tokens.

    Without a usage of its own, Inspect would look for a tokenizer online.
    """

    costs_nothing = True
    """So that its answers need not be kept for a run that goes on."""

    async def count_text_tokens(self, text: str) -> int:
        """Words."""
        return len(text.split())

    def max_connections(self) -> int:
        """Waiting in a queue gains nothing."""
        return 100


def asked_in(messages: Sequence[ChatMessage]) -> list[str]:
    """What the user said, the request last; asked once more for a verdict, without that."""
    said = [message.text for message in messages if isinstance(message, ChatMessageUser)]
    return said[:-1] if said[-1] == VERDICT_REPAIR and len(said) > 1 else said


def offline_output(
    model: str, request: str, answer: str, metadata: Mapping[str, Any]
) -> ModelOutput:
    """An answer as Inspect has it.

    Args:
        model: The model's name, with its provider.
        request: What was asked.
        answer: What is answered.
        metadata: Says that no model was asked.
    """
    output = ModelOutput.from_content(model=model, content=answer)
    read, written = len(request.split()), len(answer.split())
    output.usage = ModelUsage(input_tokens=read, output_tokens=written, total_tokens=read + written)
    output.metadata = dict(metadata)
    return output
