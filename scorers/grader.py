"""The grader: the model in Inspect's role ``grader``, asked with care.

Nothing that a grader may answer ends a run: what cannot be read is asked for once more, and what is
still missing is counted as missing. Every request is cached, so that no answer is paid for twice.
"""

import hashlib
import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from inspect_ai.model import (
    CachePolicy,
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageUser,
    GenerateConfig,
    Model,
    ModelOutput,
    ResponseSchema,
    get_model,
    model_roles,
)
from inspect_ai.util import JSONSchema, LimitExceededError

from profile_tasks.scorers.api_key import hide_key
from profile_tasks.scorers.factors.grader_answer import GraderRequest, Reading
from profile_tasks.scorers.factors.grader_prompts import REPAIR_PROMPT
from profile_tasks.scorers.grading import GraderAnswer
from profile_tasks.solvers.score_conditioned_generation import TRUNCATED

logger = logging.getLogger(__name__)

_T = TypeVar("_T")

ROLE = "grader"

GRADER_CONFIG = GenerateConfig(temperature=0.0, max_retries=5, attempt_timeout=300)
"""What a grader is asked with where its role says nothing else. A dead server must not hold up a
run for ever; its requests become missing."""

_REFUSES_SCHEMA = frozenset({400, 404, 415, 422, 501})
"""HTTP statuses by which a server may say that it knows no structured output."""


_SECRET = re.compile(r"key|token|secret|password|^aws_", re.IGNORECASE)
"""Names of model arguments that are nobody's business, and that Inspect leaves out of its logs."""


_CHANGES_NO_ANSWER = {
    *("max_retries", "timeout", "attempt_timeout", "stream_idle_timeout"),
    *("max_connections", "adaptive_connections", "batch", "cache", "cache_prompt"),
    *("fail_on_refusal", "extra_headers"),
}
"""Settings of a model that say how it is reached, not what it answers."""


class GraderRequiredError(ValueError):
    """A factor needs a grader, and no model has the role."""


def grader_is_bound() -> bool:
    """Whether a model has the role ``grader`` in the running evaluation."""
    return ROLE in model_roles()


def check_grader(factors: Sequence[str], *, allow_self_grading: bool) -> None:
    """Refuse factors that nobody can grade.

    Args:
        factors: Ids of the factors that need a grader.
        allow_self_grading: Whether the evaluated model may grade.

    Raises:
        GraderRequiredError: There are such factors, and no model has the role.
    """
    if factors and not allow_self_grading and not grader_is_bound():
        raise GraderRequiredError(
            f"factors {', '.join(factors)} need a grader. Add --model-role grader=MODEL, choose "
            "factors that need none (-T factors=surface), or let the evaluated model grade with "
            "-T allow_self_grading=true"
        )


def grader_model() -> Model:
    """The model in the role ``grader``, else the evaluated one (see ``check_grader``)."""
    if grader_is_bound():
        return get_model(role=ROLE, config=GRADER_CONFIG)
    model = get_model(role=ROLE, default=get_model())  # a copy, whose usage counts as the grader's
    model.config = GRADER_CONFIG.merge(model.config)
    return model


def grader_warning(evaluated: str, grader: str) -> str | None:
    """Why this grader's word on this model needs care; None where nothing is known against it.

    >>> grader_warning("openai/gpt-4o-mini", "azureai/gpt-4.1")
    'openai/gpt-4o-mini and its grader azureai/gpt-4.1 seem to be of one family (gpt): graders \
favour texts like their own'
    >>> grader_warning("openai/gpt-4o-mini", "anthropic/claude-sonnet-4-0")
    """
    if evaluated == grader:
        return f"self-grading: {evaluated} is evaluated and grades; models favour their own texts"
    if shared := sorted(_families(evaluated) & _families(grader)):
        return (
            f"{evaluated} and its grader {grader} seem to be of one family ({', '.join(shared)}): "
            "graders favour texts like their own"
        )
    return None


_FAMILIES: Mapping[str, frozenset[str]] = {
    "gpt": frozenset({"gpt", "chatgpt", "davinci", "codex", "o1", "o3", "o4"}),
    "gemini": frozenset({"gemini", "gemma"}),
    "mistral": frozenset(
        {"mistral", "mixtral", "ministral", "magistral", "codestral", "devstral", "pixtral"}
    ),
    "qwen": frozenset({"qwen", "qwq", "qvq"}),
    "command": frozenset({"command", "aya"}),
} | {name: frozenset({name}) for name in ("claude", "deepseek", "grok", "llama", "nova", "phi")}
"""Words of models' names that tell whose they are; a name with none is told by its first word."""


def _families(model: str) -> set[str]:
    """The families that a model's own name speaks of.

    >>> sorted(_families("together/deepseek-ai/DeepSeek-R1-Distill-Llama-70B"))
    ['deepseek', 'llama']
    """
    name = model.rsplit("/", 1)[-1].casefold()
    words = re.findall(r"(?<![a-z0-9])[a-z]+\d*", name)
    spoken = {form for word in words for form in (word, word.rstrip("0123456789"))}
    known = {family for family, names in _FAMILIES.items() if names & spoken}
    return known or {word.rstrip("0123456789") for word in words[:1]}


@dataclass(frozen=True)
class RunNotes:
    """What the requests of a run found out, shared by all its samples.

    Attributes:
        without_schema: Names of models whose servers take no JSON schema.
        told: Warnings that have been given; hundreds of requests tend to fail alike.
    """

    without_schema: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)

    def warn(self, message: str) -> None:
        """Give a warning, once a run."""
        if message not in self.told:
            self.told.add(message)
            logger.warning("%s", message)


@dataclass
class Grader:
    """Asks one model.

    Attributes:
        model: The model.
        cache: Whether answers are taken from, and put into, Inspect's cache of model outputs.
        repetition: Number of the measurement: one must not read the cached answers of another.
        notes: What the run has found out.
    """

    model: Model
    cache: bool = True
    repetition: int = 0
    notes: RunNotes = field(default_factory=RunNotes)

    def __post_init__(self) -> None:
        hide_key(self.model.api)

    @property
    def name(self) -> str:
        """The model's full name."""
        return str(self.model)

    @property
    def settings(self) -> str:
        """Digest of where and with which arguments the model runs, and of how it generates.

        Inspect's cache does not know the arguments, and one checkpoint's grades are not another's.
        """
        arguments = {
            name: value for name, value in self.model.model_args.items() if not _SECRET.search(name)
        }
        if self.model.api.base_url:
            arguments["base_url"] = self.model.api.base_url
        config = self.model.config.model_dump(exclude_none=True, exclude=_CHANGES_NO_ANSWER)
        text = json.dumps([arguments, config], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    async def ask(self, request: GraderRequest[_T]) -> GraderAnswer[_T]:
        """Ask, and once more for what cannot be read; see ``profile_tasks.scorers.grading.Ask``."""
        messages: list[ChatMessage] = [ChatMessageUser(content=request.render())]
        try:
            output = await self._generate(messages, request)
        except LimitExceededError:
            raise
        except Exception as error:
            return GraderAnswer(None, 1, self._failed(error))
        first = _read(request, output)
        if not first.problems:
            return GraderAnswer(first.value)
        messages += [
            ChatMessageAssistant(content=output.completion or "(no answer)"),
            ChatMessageUser(content=REPAIR_PROMPT.format(problems=first.complaint)),
        ]
        try:
            second = _read(request, await self._generate(messages, request))
        except LimitExceededError:
            raise
        except Exception as error:
            second = Reading(None, (self._failed(error),))
        best = first.better_of(second)
        return GraderAnswer(best.value, 2, best.complaint or None)

    def _failed(self, error: Exception) -> str:
        """What went wrong, without the message: that of a provider may quote a key."""
        reason = _reason(error)
        status = _status(reason)
        failed = f"the request failed: {type(reason).__name__}" + (f" {status}" if status else "")
        self.notes.warn(f"grader {self.name}: {failed}; what it was asked is missing")
        return failed

    async def _generate(
        self, messages: list[ChatMessage], request: GraderRequest[_T]
    ) -> ModelOutput:
        scopes = {"settings": self.settings, "repetition": str(self.repetition)}
        policy = CachePolicy(expiry=None, per_epoch=False, scopes=scopes)
        cache = policy if self.cache else False
        if self.name in self.notes.without_schema:
            return await self.model.generate(messages, cache=cache)
        schema = JSONSchema.model_validate(request.schema())
        config = GenerateConfig(
            response_schema=ResponseSchema(name="grades", json_schema=schema, strict=True)
        )
        try:
            return await self.model.generate(messages, config=config, cache=cache)
        except Exception as error:
            if _status(_reason(error)) not in _REFUSES_SCHEMA:
                raise
            output = await self.model.generate(messages, cache=cache)
            self.notes.without_schema.add(self.name)
            self.notes.warn(f"{self.name} takes no JSON schema; asked without one from here on")
            return output


def _read(request: GraderRequest[_T], output: ModelOutput) -> Reading[_T]:
    if output.stop_reason == "content_filter":
        return Reading(None, ("it was refused",))
    if output.empty or not output.completion.strip():
        reading: Reading[_T] = Reading(None, ("it is empty",))
    else:
        reading = request.read(output.completion)
    if reading.problems and output.stop_reason in TRUNCATED:
        return Reading(reading.value, (_CUT_OFF, *reading.problems))
    return reading


_CUT_OFF = "it was cut off by the grader's token limit"


def _reason(error: BaseException) -> BaseException:
    """What went wrong: the last error, where Inspect tried again and gave up."""
    return error.__cause__ or error


def _status(error: BaseException) -> int | None:
    """The HTTP status of an error that has one."""
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else None
