"""The planted annotator behind lm-eval's model interface: ``--model planted``. A SIMULATION.

    profile-tasks lm-eval --model planted --model_args profile=verbose --tasks profile_summarization

``model_args``: ``profile`` (a planted profile), ``seed``, ``temperature``, and weights of surface
factors as ``weight_<factor>=<number>``. It answers as ``planted/<profile>`` does in Inspect. As a
log-likelihood model it prefers "Verdict: A" to "Verdict: B" by its noise-free utility, and finds
a text likelier the more it likes it: its log-probability per byte is log(sigmoid(utility)).
"""

import logging
import math
from collections.abc import Sequence
from typing import Any

import lm_eval.models  # noqa: F401 - the stock models: lm-eval registers them only while none is
from lm_eval.api.instance import Instance
from lm_eval.api.model import LM
from lm_eval.api.registry import register_model

from profile_tasks.nearest_name import instead_of
from profile_tasks.planted.annotator import PlantedAnnotator, planted_profile
from profile_tasks.solvers.simulated_answers import SIMULATION_NOTE

logger = logging.getLogger(__name__)

_WEIGHT = "weight_"
_OF_ANY_MODEL = ("batch_size", "max_batch_size", "device")
"""What lm-eval tells every model, and a simulation has no use for."""


@register_model("planted")
class PlantedLM(LM):
    """The planted annotator as a model of lm-eval."""

    def __init__(
        self,
        profile: str = "balanced",
        seed: int = 0,
        temperature: float | None = None,
        **others: Any,  # noqa: ANN401 - weights, and what lm-eval gives every model
    ) -> None:
        super().__init__()
        known = ("profile", "seed", "temperature", *_OF_ANY_MODEL)
        for name in sorted(others.keys() - {*known}):
            if not name.startswith(_WEIGHT):
                choices = (*known[:3], f"{_WEIGHT}<factor>")
                raise ValueError(
                    f"{name} is no model argument of planted{instead_of(name, choices)}"
                )
        weights = {
            name.removeprefix(_WEIGHT): value
            for name, value in others.items()
            if name.startswith(_WEIGHT)
        }
        chosen = planted_profile(profile, weights or None, temperature)
        self.annotator = PlantedAnnotator(chosen, seed)
        logger.warning("planted: %s", SIMULATION_NOTE)

    def generate_until(self, requests: Sequence[Instance], **_: object) -> list[str]:
        """Answer every request."""
        return [self.annotator.answer(request.args[0]) for request in requests]

    def loglikelihood(self, requests: Sequence[Instance], **_: object) -> list[tuple[float, bool]]:
        """Log-probability of a verdict, or of a text under the neutral request."""
        return [self._likelihood(*request.args) for request in requests]

    def loglikelihood_rolling(self, requests: Sequence[Instance], **_: object) -> list[float]:
        """A simulation of preferences has no probability of texts."""
        raise NotImplementedError("the planted annotator is no language model")

    def apply_chat_template(
        self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True
    ) -> str:
        """The last message, which is the request."""
        return chat_history[-1]["content"]

    @property
    def tokenizer_name(self) -> str:
        """There is no tokenizer."""
        return "planted"

    def chat_template(self, chat_template: bool | str = False) -> str:
        """There is no template."""
        return ""

    def _likelihood(self, context: str, continuation: str) -> tuple[float, bool]:
        told = self.annotator.log_likelihood(context.removesuffix("\n\n"), continuation)
        return told, told >= math.log(0.5)
