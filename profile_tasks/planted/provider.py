"""The planted annotator and grader as an Inspect model provider: ``--model planted/<profile>``.

    inspect eval profile_tasks/summarization --model planted/verbose
    inspect eval profile_tasks/summarization --model planted/verbose \
        -M weights='{"length": 1.0, "novel_words": -0.5}' -M temperature=0.0 -M seed=1
    inspect eval profile_tasks/summarization --model planted/verbose \
        --model-role grader=planted/grader
    inspect eval profile_tasks/summarization --model planted/verbose \
        --model-role 'grader={model: planted/grader, model_args: {error_rate: 0.1}}'
    inspect eval profile_tasks/summarization_judge_audit --model planted/verbose \
        -M position_bias=0.5 -M padding_bias=0.5

Every profile also answers grader requests, and those of ``profile-tasks discover`` for proposals;
``planted/grader`` answers nothing else. Offline and
deterministic. Simulations with a known answer, and every output says so.
"""

import json
import logging
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, cast

from inspect_ai.model import ChatMessage, GenerateConfig, ModelOutput
from inspect_ai.tool import ToolChoice, ToolInfo

from profile_tasks.planted import proposer
from profile_tasks.planted.annotator import (
    BIASES,
    PROFILES,
    PlantedAnnotator,
    planted_profile,
)
from profile_tasks.planted.grader import (
    GRADER_RULES_VERSION,
    PlantedGrader,
)
from profile_tasks.planted.grader_request import is_grader_request
from profile_tasks.scorers.inspect.arguments import told_in_one_line
from profile_tasks.solvers.feedback_requests import parse_feedback_request
from profile_tasks.solvers.offline_model import OfflineAPI, asked_in, offline_output
from profile_tasks.solvers.simulated_answers import (
    GRADER_SIMULATION_NOTE,
    PROPOSER_SIMULATION_NOTE,
    SIMULATION_NOTE,
)

logger = logging.getLogger(__name__)

GRADER = "grader"
"""The model name that is no profile: it grades only."""

_BIAS = "_bias"
"""What the model arguments end in that are named after a bias."""


class PlantedAPI(OfflineAPI):
    """Provider ``planted``: the model name is the profile's name, or ``grader``."""

    @told_in_one_line(in_python=True)
    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008 - Inspect's own signature
        weights: str | Mapping[str, float] | None = None,
        temperature: float | None = None,
        seed: int = 0,
        error_rate: float = 0.0,
        judging_weights: str | Mapping[str, float] | None = None,
        judging_weights_where: str | Mapping[str, Mapping[str, float]] | None = None,
        **model_args: Any,  # noqa: ANN401 - Inspect hands over whatever -M holds
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        biased = {f"{name}{_BIAS}" for name in BIASES} if model_name != GRADER else set()
        if unknown := sorted(model_args.keys() - biased):
            raise ValueError(
                f"planted/{model_name}: unknown model argument {', '.join(unknown)}. "
                f"Must be one of: {'weights, temperature, ' * (model_name != GRADER)}"
                f"seed, error_rate"
                f"{', judging_weights, judging_weights_where' * (model_name != GRADER)}"
                + "".join(f", {name}{_BIAS}" for name in BIASES if biased)
            )
        if model_name not in (*PROFILES, GRADER):
            raise ValueError(
                f"planted profile {model_name!r} is unknown. "
                f"Must be one of: {', '.join(PROFILES)}; or {GRADER}, which only grades"
            )
        own, judging = (
            _parsed_weights(name, given)
            for name, given in (("weights", weights), ("judging_weights", judging_weights))
        )
        where = _parsed_weights("judging_weights_where", judging_weights_where)
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise ValueError(f"planted seed is {seed!r}; expected a whole number")
        self.grader = PlantedGrader(seed, error_rate)
        self.annotator: PlantedAnnotator | None = None
        if model_name != GRADER:
            biases = {name.removesuffix(_BIAS): value for name, value in model_args.items()}
            profile = planted_profile(model_name, own, temperature, judging, biases, where)
            self.annotator = PlantedAnnotator(profile, seed)
        elif any(given is not None for given in (own, judging, where, temperature)):
            raise ValueError(
                "planted/grader has no weights and no temperature: its rules are fixed. Remove "
                f"them, or name a profile: {', '.join(PROFILES)}"
            )
        # Inspect caches answers by a model's name and address, not by its arguments: with the
        # arguments in the address, a cached answer is always one of the same simulation.
        arguments: dict[str, object] = {
            "rules": GRADER_RULES_VERSION,
            "seed": seed,
            "error_rate": error_rate,
        }
        if self.annotator is not None:
            chosen = self.annotator.profile
            arguments |= {"weights": dict(chosen.weights), "temperature": chosen.temperature}
            if chosen.judging_weights is not None:
                arguments["judging_weights"] = dict(chosen.judging_weights)
            if chosen.judging_weights_where:
                arguments["judging_weights_where"] = dict(chosen.judging_weights_where)
            if chosen.biases:
                arguments["biases"] = dict(chosen.biases)
        self.base_url = f"simulation:{json.dumps(arguments, sort_keys=True)}"
        _announce(model_name)

    async def generate(
        self,
        input: list[ChatMessage],  # noqa: A002 - Inspect's own name
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        """Answer the last user message; asked once more for a verdict, the one before."""
        request = asked_in(input)[-1]
        answer, note = self._answer(request, config)
        return offline_output(f"planted/{self.model_name}", request, answer, {"simulation": note})

    def _answer(self, request: str, config: GenerateConfig) -> tuple[str, str]:
        """The answer, and the note that says what gave it."""
        if is_grader_request(request):
            return self.grader.answer(request), GRADER_SIMULATION_NOTE
        if (proposed := proposer.answer(request)) is not None:
            return proposed, PROPOSER_SIMULATION_NOTE
        if self.annotator is None and parse_feedback_request(request) is not None:
            raise ValueError(
                "planted/grader grades factors only; to compare drafts takes a taste. Give the "
                "role of the grader to a profile, which grades by the same rules: "
                "--model-role grader=planted/copyist"
            )
        if self.annotator is None:
            raise ValueError(
                "planted/grader answers grader requests only; it neither writes nor prefers. "
                "Evaluate a profile and give this model the role of the grader: "
                "--model planted/verbose --model-role grader=planted/grader. "
                f"It was sent: {request[:80]!r}"
            )
        heat = 1.0 if config.temperature is None else config.temperature
        return self.annotator.answer(request, config.seed, heat), SIMULATION_NOTE

    def log_likelihood(self, request: str, text: str) -> float:
        """As of ``PlantedAnnotator``; planted/grader has none."""
        if self.annotator is None:
            raise ValueError("planted/grader answers grader requests only; evaluate a profile")
        return self.annotator.log_likelihood(request, text)


@cache
def _announce(model_name: str) -> None:
    """Say once a process and name what this is; Inspect may build a model several times."""
    note = GRADER_SIMULATION_NOTE if model_name == GRADER else SIMULATION_NOTE
    logger.warning("planted/%s: %s", model_name, note)


_Weights = TypeVar("_Weights", bound=Mapping[str, Any])


def _parsed_weights(name: str, given: str | _Weights | None) -> _Weights | None:
    """Weights as ``-M`` gives them: a mapping, or one in JSON."""
    if isinstance(given, str):
        try:
            given = cast("_Weights", json.loads(given))
        except json.JSONDecodeError as error:
            raise ValueError(
                f"planted {name} are not JSON: {given!r} ({error}); "
                f"""expected e.g. -M {name}='{{"length": 1.0}}'"""
            ) from None
    if given is not None and not isinstance(given, Mapping):
        raise ValueError(
            f"planted {name} are {given!r}; "
            f"""expected a JSON object, e.g. -M {name}='{{"length": 1.0}}'"""
        )
    return given
