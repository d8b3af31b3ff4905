"""The grader: the model in Inspect's role ``grader``, asked with care.

Nothing that a grader may answer ends a run: what cannot be read is asked for once more, and what is
still missing is counted as missing. Every answer is cached, so that none is paid for twice; one
that cannot be read is not held against a grader for ever, and asked for anew by the next run.
"""

import hashlib
import json
import logging
import re
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import TypeVar

from inspect_ai.model import (
    CachePolicy,
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageUser,
    GenerateConfig,
    Model,
    ModelOutput,
    get_model,
    model_roles,
)
from inspect_ai.util import LimitExceededError

from profile_tasks.scorers.factors.grader_answer import GraderRequest, Reading
from profile_tasks.scorers.factors.grader_prompts import REPAIR_PROMPT
from profile_tasks.scorers.grading.api_key import hide_keys
from profile_tasks.scorers.grading.claims import claimed
from profile_tasks.scorers.grading.grader_names import model_named
from profile_tasks.scorers.grading.requests import GraderAnswer
from profile_tasks.scorers.grading.sent_requests import note_requests, sent_requests
from profile_tasks.secrets import without_keys
from profile_tasks.solvers.reply import clean_replies, is_unreadable, was_tried_again
from profile_tasks.solvers.score_conditioned_generation import was_cut_off
from profile_tasks.solvers.structured_output import form, reason_of, status_of, structured

logger = logging.getLogger(__name__)

_T = TypeVar("_T")

ROLE = "grader"

GRADER_CONFIG = GenerateConfig(temperature=0.0, max_retries=5, attempt_timeout=300)
"""What a grader is asked with where its role says nothing else. A dead server must not hold up a
run for ever; its requests become missing."""

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
        ValueError: One model stands in the role twice, with the same settings.
    """
    if factors and grader_is_bound():
        grader_models()
    if factors and not allow_self_grading and not grader_is_bound():
        raise GraderRequiredError(
            f"factors {', '.join(factors)} need a grader. Add --model-role grader=MODEL, choose "
            "factors that need none (-T factors=surface), or let the evaluated model grade with "
            "-T allow_self_grading=true"
        )


def grader_models(*, under_test: bool = False) -> list[Model]:
    """The models in the role ``grader``, else the evaluated one (see ``check_grader``).

    Args:
        under_test: The evaluated model is the grader, so that its settings are the grader's own.
            Else those that change its answers are left behind: it grades as any grader would.

    Raises:
        ValueError: One model stands in the role twice, with the same settings.
    """
    if grader_is_bound():
        bound = model_roles()[ROLE]
        models = [_with_care(model) for model in (bound if isinstance(bound, list) else [bound])]
        _check_different(models)
        return models
    model = get_model(role=ROLE, default=get_model())  # a copy, whose usage counts as the grader's
    taken = model.config.model_dump(
        exclude_none=True, include=None if under_test else _CHANGES_NO_ANSWER
    )
    model.config = GRADER_CONFIG.merge(GenerateConfig.model_validate(taken))
    return [model]


def grader_model(*, under_test: bool = False) -> Model:
    """The only one of ``grader_models``, for what takes one grader.

    Raises:
        ValueError: There are several.
    """
    models = grader_models(under_test=under_test)
    if len(models) > 1:
        raise ValueError(
            f"the role {ROLE} holds {len(models)} models, and this task takes one: "
            f"--model-role {ROLE}={models[0]}. Panels grade the profile tasks, and score-lm-eval"
        )
    return models[0]


def model_in_role(role: str) -> Model:
    """The model in another role of the running evaluation, asked as a grader is."""
    return _with_care(get_model(role=role, required=True))


def _with_care(model: Model) -> Model:
    """A model of the role that is asked as ``GRADER_CONFIG`` says where the role does not."""
    model = copy(model)
    model.config = GRADER_CONFIG.merge(model.config)
    return model


def _check_different(models: Sequence[Model]) -> None:
    """Refuse one model twice: its word would count double, and agree with itself."""
    seen: dict[tuple[str, str], int] = {}
    for place, model in enumerate(models, 1):
        first = seen.setdefault((str(model), model_settings(model)), place)
        if first != place:
            raise ValueError(
                f"role {ROLE}: models {first} and {place} are the same, {model} with the same "
                "settings, which would count its word twice; name it once, or give one of them "
                "other settings"
            )


def model_settings(model: Model) -> str:
    """Digest of where and with which arguments a model runs, and of how it generates.

    Inspect's cache does not know the arguments, and one checkpoint's grades are not another's.
    """
    arguments = without_keys(model.model_args)
    if model.api.base_url:
        arguments["base_url"] = without_keys(model.api.base_url)
    config = model.config.model_dump(exclude_none=True, exclude=_CHANGES_NO_ANSWER)
    text = json.dumps([arguments, without_keys(config)], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


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


def grader_warnings(evaluated: str, graders: Sequence[str]) -> list[str]:
    """Why the word of any of these graders on this model needs care, each reason once.

    Args:
        evaluated: The model.
        graders: By names that may be numbered, as of ``grader_names.named_apart``.
    """
    models = dict.fromkeys(map(model_named, graders))
    return [warning for model in models if (warning := grader_warning(evaluated, model))]


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
        told: Warnings that have been given; hundreds of requests tend to fail alike.
    """

    told: set[str] = field(default_factory=set)

    def warn(self, message: str) -> None:
        """Give a warning, once a run."""
        if message not in self.told:
            self.told.add(message)
            logger.warning("%s", message)


@dataclass
class _Conversation:
    """A question, and the repair of its answer.

    Attributes:
        outputs: What the model answered.
        requests: How many answers were wanted of it.
        failure: Why the last one did not come; None where it did.
        replayed: Whether all of it came from the cache.
    """

    outputs: list[ModelOutput] = field(default_factory=list)
    requests: int = 0
    failure: str | None = None
    replayed: bool = True


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
        clean_replies(self.model.api)
        hide_keys(self.model)
        note_requests(self.model.api)

    @property
    def name(self) -> str:
        """The model's full name."""
        return str(self.model)

    @property
    def settings(self) -> str:
        """Digest of what tells its answers from another's, as ``model_settings`` has it."""
        return model_settings(self.model)

    async def ask(self, request: GraderRequest[_T]) -> GraderAnswer[_T]:
        """Ask, and once more for what cannot be read; see ``grading.requests.Ask``.

        What cannot be read and comes from the cache is an older run's bad luck. So it is asked
        anew, in a part of the cache of its own, where the next run finds the answer.
        """
        tried: list[_Conversation] = []
        for attempt in count():  # no more than one beyond those that earlier runs left unreadable
            tried.append(await self._converse(request, attempt))
            outputs = [output for conversation in tried for output in conversation.outputs]
            reading = _read(request, outputs, tried[-1].failure)
            if not reading.problems or not tried[-1].replayed:
                break
        return GraderAnswer(
            reading.value,
            requests=sum(conversation.requests for conversation in tried),
            problem=reading.complaint or None,
            repairs=sum(conversation.requests - 1 for conversation in tried),
        )

    async def _converse(self, request: GraderRequest[_T], attempt: int) -> _Conversation:
        """One question, and one repair where its answer cannot be read, or no answer at all."""
        done = _Conversation()
        messages: list[ChatMessage] = [ChatMessageUser(content=request.render())]
        while done.requests < 2:
            done.requests += 1
            try:
                output, cached = await self._generate(messages, request, attempt)
            except LimitExceededError:
                raise
            except Exception as error:
                done.replayed = False
                if is_unreadable(error) and done.requests < 2 and not was_tried_again(error):
                    continue
                done.failure = self._failed(error)
                break
            done.outputs.append(output)
            done.replayed &= cached
            reading = _read(request, [output])
            if not reading.problems:
                break
            messages += [
                ChatMessageAssistant(content=output.completion or "(no answer)"),
                ChatMessageUser(content=REPAIR_PROMPT.format(problems=reading.complaint)),
            ]
        return done

    def _failed(self, error: Exception) -> str:
        """What went wrong, without the message: that of a provider may quote a key."""
        reason, status = reason_of(error), status_of(error)
        failed = f"the request failed: {type(reason).__name__}" + (f" {status}" if status else "")
        self.notes.warn(f"grader {self.name}: {failed}; what it was asked is missing")
        return failed

    async def _generate(
        self, messages: list[ChatMessage], request: GraderRequest[_T], attempt: int
    ) -> tuple[ModelOutput, bool]:
        """The output, and whether it came from the cache."""
        scopes = {"settings": self.settings, "repetition": str(self.repetition)}
        if attempt:  # the first has no such entry in the caches of earlier versions
            scopes["attempt"] = str(attempt)
        kept = self.cache and not getattr(self.model.api, "holds_answers", False)
        cache = CachePolicy(expiry=None, per_epoch=False, scopes=scopes) if kept else False
        return await structured(
            self.model,
            form("grades", request.schema()),
            partial(self._call, messages, cache),
            lambda: self.notes.warn(
                f"{self.name} takes no JSON schema; asked without one from here on"
            ),
        )

    async def _call(
        self,
        messages: list[ChatMessage],
        cache: CachePolicy | bool,
        config: GenerateConfig,
    ) -> tuple[ModelOutput, bool]:
        """The output, and whether it came from the cache."""
        asked = [self.name, self.settings, config.model_dump_json(), str(cache)]
        asked += [f"{message.role}: {message.text}" for message in messages]
        async with claimed(asked) if cache else nullcontext():
            with sent_requests() as sent:
                output = await self.model.generate(messages, config=config, cache=cache)
        return output, not sent


def _read(
    request: GraderRequest[_T], outputs: Sequence[ModelOutput], failure: str | None = None
) -> Reading[_T]:
    """What the outputs say together; and why not all, where something is missing."""
    answers = [output.completion for output in outputs if _silence(output) is None]
    silences = [why for output in outputs if (why := _silence(output)) is not None]
    reading = request.read(*answers) if answers else Reading[_T](None, tuple(silences[-1:]))
    if answers and not reading.problems:
        return reading
    reasons = [_CUT_OFF] if any(map(was_cut_off, outputs)) else []
    reasons += [failure] if failure else []
    return Reading(reading.value, (*reasons, *reading.problems))


def _silence(output: ModelOutput) -> str | None:
    """Why an output says nothing; None where it says something."""
    if output.empty:
        return "it is empty"
    if output.stop_reason == "content_filter":
        return "it was refused"
    return None if output.completion.strip() else "it is empty"


_CUT_OFF = "it was cut off by the grader's token limit"
