"""Recorded answers as an Inspect model provider: ``--model recorded/<name>``.

    inspect eval profile_tasks/instruction_following -T dataset=judges.jsonl \
        -T setting=discrimination --model recorded/gpt4 -M file=judges.jsonl

It answers each request with what the file records of that model (docs/recorded.md), and every
output says so. Offline; no model is asked.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from inspect_ai.model import ChatMessage, GenerateConfig, ModelOutput
from inspect_ai.tool import ToolChoice, ToolInfo

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.data.sources import load_data
from profile_tasks.scorers.inspect.arguments import ArgumentError, told_in_one_line
from profile_tasks.settings import DataSettings, PairSettings
from profile_tasks.solvers.both_orders import Pick, pair_requests
from profile_tasks.solvers.offline_model import OfflineAPI, asked_in, offline_output
from profile_tasks.solvers.recorded_answers import (
    RECORDED_NOTE,
    RecordedModel,
    recorded_models,
)
from profile_tasks.solvers.requests import (
    DiscriminationRequest,
    GenerationRequest,
    parse_request,
)

logger = logging.getLogger(__name__)

_Asked = tuple[str, ...]
"""What tells a request from others: the texts that it shows."""

_SAID: dict[Pick | None, str] = {
    "first": "Verdict: A",
    "second": "Verdict: B",
    "a": "Verdict: A",
    "b": "Verdict: B",
    "tie": "Verdict: tie",
    None: "",
}


class RecordedSettings(DataSettings, PairSettings):
    """How the file is read: as a task reads it."""


class RecordedAPI(OfflineAPI):
    """Provider ``recorded``: the model's name is that of its columns."""

    answers_once = True
    """Asked again it has nothing else to say."""

    @told_in_one_line(in_python=True)
    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008 - Inspect's own signature
        file: str | None = None,
        format: str | None = None,  # noqa: A002 - as the setting is called
        map: str | Mapping[str, str] | None = None,  # noqa: A002
        labels: str | Mapping[str, str] | None = None,
        sources: str | None = None,
        **model_args: Any,  # noqa: ANN401 - Inspect hands over whatever -M holds
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        if model_args:
            raise ValueError(
                f"recorded/{model_name}: unknown model argument {', '.join(sorted(model_args))}. "
                "Must be one of: file, format, map, labels, sources"
            )
        if file is None:
            raise ValueError(
                f"recorded/{model_name}: name the file that holds its answers: -M file=FILE"
            )
        named = {"dataset": str(file), "format": format, "map": map, "labels": labels}
        data = load_data(RecordedSettings.read(named | {"sources": sources}))
        (self.recorded,) = recorded_models(data.sources, data.name, [model_name])
        self.data = data.name
        self.verdicts = _by_request(self.recorded, data.sources)
        self.texts = _by_source(self.recorded, data.sources)
        # Inspect caches answers by a model's name and address, not by its arguments.
        self.base_url = f"recorded:{json.dumps(str(Path(file).expanduser().resolve()))}"
        _announce(model_name)

    async def generate(
        self,
        input: list[ChatMessage],  # noqa: A002 - Inspect's own name
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        """The recorded answer to the last request; empty where none is recorded."""
        *before, text = asked_in(input)
        request = parse_request(text)
        metadata: dict[str, object] = {"recorded": RECORDED_NOTE}
        if isinstance(request, DiscriminationRequest):
            pick = self._pick(request)
            answer = _SAID[pick]
            if pick in ("a", "b"):
                metadata["position"] = None
        elif isinstance(request, GenerationRequest):
            answer = self._text(request, before) or ""
        else:
            raise self._unknown("a request without a target score", "writes for target scores only")
        return offline_output(self.recorded.model, text, answer, metadata)

    def _pick(self, request: DiscriminationRequest) -> Pick | None:
        if not self.recorded.verdicts:
            raise self._unknown("a pair to judge", "is recorded as a writer only")
        picks = self.verdicts.get(_shown(request))
        if picks is None:
            turned = (request.prompt, request.source or "", request.response_b, request.response_a)
            if turned in self.verdicts:
                raise self._unknown(
                    f"{_about(request)} in another order",
                    "is recorded in one order only; ask in that one: -T orders=1",
                )
            raise self._unknown(
                _about(request),
                "has no row about it; give the data of that file: -T dataset=FILE",
            )
        if len(picks) > 1:
            raise self._unknown(
                _about(request),
                "has several rows with these texts, and different verdicts; replay it by row: "
                "profile-tasks judges FILE --log-dir DIR",
            )
        (pick,) = picks
        return pick

    def _text(self, request: GenerationRequest, before: Sequence[str]) -> str | None:
        if not self.recorded.texts:
            raise self._unknown("a request to write", "is recorded as a judge only")
        written = self.texts.get((*before, request.prompt, request.source or ""))
        if written is None:
            raise self._unknown(_about(request), "has no row about that source")
        if request.score not in written:
            raise self._unknown(
                f"the target score {request.score}",
                f"has texts for {', '.join(map(str, written))}; ask for these: -T scores=...",
            )
        return written[request.score]

    def _unknown(self, what: str, but: str) -> ArgumentError:
        return ArgumentError(f"{self.recorded.model}: asked about {what}; {self.data} {but}")


def _by_request(
    model: RecordedModel, sources: tuple[AnnotatedSource, ...]
) -> dict[_Asked, set[Pick | None]]:
    """What is picked in each request about a pair; several where rows of equal texts differ."""
    found: defaultdict[_Asked, set[Pick | None]] = defaultdict(set)
    for request, pick in _recorded_picks(model, sources):
        found[_shown(request)].add(pick)
    return dict(found)


def _recorded_picks(
    model: RecordedModel, sources: tuple[AnnotatedSource, ...]
) -> Iterator[tuple[DiscriminationRequest, Pick | None]]:
    for source in sources:
        for pair, verdict in zip(source.pairs, model.judged(source) or (), strict=False):
            requests = pair_requests(source, *pair.shown, model.orders)
            # A row without any verdict is missing in each order in which others were judged.
            picks = verdict.picks if any(verdict.picks) else (None,) * model.orders
            yield from zip(requests, picks, strict=False)


def _about(request: DiscriminationRequest | GenerationRequest) -> str:
    first = getattr(request, "response_a", "")
    shown = f", {first[:60]!r} shown first," if first else ""
    return f"the request {request.prompt[:60]!r}{shown}"


def _shown(request: DiscriminationRequest) -> _Asked:
    return request.prompt, request.source or "", request.response_a, request.response_b


def _by_source(
    model: RecordedModel, sources: tuple[AnnotatedSource, ...]
) -> dict[_Asked, dict[int, str | None]]:
    """What is written to each prompt and source, by target score."""
    written = ((source, model.written(source)) for source in sources)
    return {
        (*_turns(source), source.source or ""): texts
        for source, texts in written
        if texts is not None
    }


def _turns(source: AnnotatedSource) -> list[str]:
    """What the user says to ask for a text: the prompt, or turn by turn."""
    said = [message.content for message in source.conversation if message.role == "user"]
    return said or [source.prompt]


@cache
def _announce(model_name: str) -> None:
    """Say once a process and name what this is; Inspect may build a model several times."""
    logger.warning("recorded/%s: %s", model_name, RECORDED_NOTE)
