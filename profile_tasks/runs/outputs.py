"""What a system answered in a finished run of any task: one text an input, from either harness.

The readers beside this one read what this project measured. Here a run is somebody's benchmark (or
one of this project's, of which the text for the highest target score is taken), and all that counts
is what was asked and what came back.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, cast

from profile_tasks.data.task_definition import PREFERENCE, name_of, packaged_tasks
from profile_tasks.runs.inspect_log import LoggedSample, answered, open_log
from profile_tasks.runs.lm_eval import (
    MEASURED,
    UNKNOWN_MODEL,
    model_of,
    read_results,
    read_samples,
    results_beside,
)
from profile_tasks.runs.reading import is_log
from profile_tasks.runs.run import AnsweredSource
from profile_tasks.scorers.inspect.evaluated_model import evaluated_model
from profile_tasks.solvers.score_conditioned_generation import has_responses
from profile_tasks.solvers.target_scores import response_text
from profile_tasks.untrusted_text import without_halves

Prompt = str | list[dict[str, str]]
"""A request: its text, or several messages with "role" and "content"."""

Flaw = Literal[
    "sample failed or was invalidated",
    "input is not text alone",
    "empty answer",
    "refused (content filter)",
    "answer cut off by a limit",
]
"""Why an answer cannot stand in a pair."""

CUT_OFF: Flaw = "answer cut off by a limit"
FAILED: Flaw = "sample failed or was invalidated"

_FIELDS = frozenset({"id", "epoch", "input", "target", "messages", "output", "scores"})
_FIELDS |= {"metadata", "store", "error", "limit", "invalidation"}
_ROLES = {"system", "user", "assistant"}
_GRADES = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
"""Inspect's letters, worth what they are worth there."""

_OWN = "profile_tasks/"


@dataclass(frozen=True)
class Output:
    """What a system answered to one input.

    Attributes:
        key: Tells inputs apart: equal for equal texts (Inspect) or documents (lm-eval).
        id: Of the sample in its data set.
        epoch: Which of several answers to the input, from 1.
        text: The answer without thoughts; empty where there is none.
        flaw: Why it cannot stand in a pair; None where it can.
        prompt: The request as the data set has it; None where the file does not say.
        sent: The request as it was sent, where it can be told from the answer, or as a field that
            the user named has it.
        source: The text to work on, where a field of the data set holds it.
        reference: The target, where it is one text.
        group: What is resampled as one.
        task: The task of this project that it is; empty for any other.
        scores: What the run's own scorers gave, by name.
        ended: Whether the file says why the answer ended.
    """

    key: str
    id: str
    epoch: int
    text: str
    flaw: Flaw | None
    prompt: Prompt | None
    sent: Prompt | None = None
    source: str | None = None
    reference: str | None = None
    group: str = ""
    task: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    ended: bool = True


@dataclass(frozen=True)
class SystemRun:
    """All that a system answered in a run.

    Attributes:
        file: Where it was read.
        system: What the system is called: its model, in Inspect's form "provider/name".
        harness: Who ran it.
        status: "success" where it came to its end.
        outputs: In the order of the file.
        score: The target score of the texts, of a run of this project; None for any other.
    """

    file: str
    system: str
    harness: Literal["inspect", "lm-eval"]
    status: str
    outputs: tuple[Output, ...]
    score: int | None = None


@dataclass(frozen=True)
class Fields:
    """Fields of the data set (metadata in Inspect, the document in lm-eval) to read; None: none.

    Attributes:
        prompt: Holds the request.
        source: Holds the text to work on.
    """

    prompt: str | None = None
    source: str | None = None


def read_outputs(location: str, fields: Fields) -> SystemRun:
    """What a system answered, by input and epoch.

    Args:
        location: An Inspect log, or a file of samples of lm-eval (``samples_*.jsonl``).
        fields: Fields of the data set to read.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is neither, or holds no texts; a named field is missing.
    """
    if "://" not in location and Path(location).is_dir():
        raise ValueError(f"{location}: a folder; name the log in it (*.eval, samples_*.jsonl)")
    if location.endswith(".json") and Path(location).is_file() and not is_log(Path(location)):
        raise ValueError(
            f"{location}: neither an Inspect log nor samples of lm-eval (samples_*.jsonl of a run "
            "with --log_samples)"
        )
    read = _lm_eval_outputs if location.endswith(".jsonl") else _inspect_outputs
    run = read(location, fields)
    if not run.outputs:
        raise ValueError(f"{location}: holds no samples (status: {run.status})")
    return run


def _of_source(
    each: AnsweredSource, id_: str, epoch: int, *, failed: bool = False
) -> tuple[Output, int | None]:
    """The text that this project had written for the highest target score, and that score."""
    score, source = max(each.responses, default=None), each.source
    text = "" if score is None else each.responses[score] or ""
    flaw: Flaw | None = None if text else "empty answer"
    if score in each.cut_off:
        flaw = CUT_OFF
    output = Output(
        key=_hash([source.prompt, source.source]),
        id=id_,
        epoch=epoch,
        text=text,
        flaw=FAILED if failed else flaw,
        prompt=source.prompt,
        sent=source.prompt,
        source=source.source,
        reference=source.reference,
        group=source.group,
        task=name_of(source.task),
    )
    return output, score


def _wrote_nothing(location: str, what: str) -> ValueError:
    return ValueError(
        f"{location}: {what} of this project in which no text was written for target scores; give "
        f"one of {', '.join((*packaged_tasks(), PREFERENCE))} with setting generation or both "
        "(self-guided samples: profile-tasks export)"
    )


# Inspect -----------------------------------------------------------------------------------------


def _inspect_outputs(location: str, fields: Fields) -> SystemRun:
    log = open_log(location, _FIELDS)
    task = log.header.eval.task_registry_name or log.header.eval.task
    own = task.startswith(_OWN)
    found = [
        _of_sample(sample, f"{location}: sample {sample.get('id')!r}", fields, own=own)
        for sample in log.samples()
    ]
    scores = {score for _, score in found if score is not None}
    if own and not scores:
        raise _wrote_nothing(location, f"a log of {task}, a task")
    return SystemRun(
        file=location,
        system=without_halves(evaluated_model(log.header)),
        harness="inspect",
        status=log.header.status,
        outputs=tuple(output for output, _ in found),
        score=max(scores, default=None),
    )


def _of_sample(
    sample: LoggedSample, place: str, fields: Fields, *, own: bool
) -> tuple[Output, int | None]:
    """An answer, and the target score that it was written for in this project."""
    try:
        id_, epoch = str(sample["id"]), int(sample["epoch"])
        failed = bool(sample.get("error") or sample.get("invalidation"))
        if has_responses(sample.get("store") or {}) or (own and failed):
            return _of_source(answered(sample), id_, epoch, failed=failed)
        output = _logged(sample, id_, epoch, place, fields)
        return (replace(output, flaw=FAILED) if failed else output), None
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{place}: not as Inspect logs one ({error!r:.200})") from error


def _logged(sample: LoggedSample, id_: str, epoch: int, place: str, fields: Fields) -> Output:
    given, output = _messages(sample["input"]), sample.get("output") or {}
    text, flaw = _answer(output)
    if given is None:
        flaw = "input is not text alone"
    elif sample.get("limit"):  # of messages, tokens or time of the whole sample
        flaw = CUT_OFF
    prompt, source = _named(sample.get("metadata") or {}, fields, place)
    key = _hash([sample["input"] if given is None else _prompt(given), source])
    targets = sample.get("target")
    return Output(
        key=key,
        id=id_,
        epoch=epoch,
        text=text,
        flaw=flaw,
        prompt=prompt or (None if given is None else _prompt(given)),
        sent=prompt or (None if given is None else _sent(sample.get("messages") or (), given)),
        source=source,
        reference=_reference(targets if isinstance(targets, list) else [targets]),
        group=key[:12],
        scores=_scores(sample.get("scores") or {}),
        ended=_stop_reason(output) != "unknown",
    )


def _messages(value: object) -> list[dict[str, str]] | None:
    """Messages as role and text; None where there is more to them (images, calls of tools)."""
    if isinstance(value, str):
        return [{"role": "user", "content": without_halves(value)}]
    messages = []
    for message in cast("Sequence[Mapping[str, Any]]", value):
        content = message["content"]
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        plain = all(part["type"] in ("text", "reasoning") for part in parts)
        if message["role"] not in _ROLES or message.get("tool_calls") or not plain:
            return None
        messages.append({"role": message["role"], "content": without_halves(_text(content))})
    return messages


def _text(content: str | Sequence[Mapping[str, Any]]) -> str:
    """The text of a message, without the parts that are thoughts."""
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part["type"] == "text")


def _prompt(messages: list[dict[str, str]]) -> Prompt:
    """Messages as a prompt: a single one of the user is its text."""
    if len(messages) == 1 and messages[0]["role"] == "user":
        return messages[0]["content"]
    return messages


def _sent(messages: Sequence[Mapping[str, Any]], given: list[dict[str, str]]) -> Prompt | None:
    """What was sent for the answer; None where the model was asked more than once."""
    # A solver may have put a template round the input, or a message before it.
    answers = sum(message["role"] == "assistant" for message in messages)
    asked = 1 + sum(message["role"] == "assistant" for message in given)
    if answers != asked or messages[-1]["role"] != "assistant":
        return None
    sent = _messages(messages[:-1])
    return None if sent is None else _prompt(sent)


def _stop_reason(output: Mapping[str, Any]) -> str | None:
    choices = output.get("choices") or ()
    return choices[0].get("stop_reason") if choices else None


def _answer(output: Mapping[str, Any]) -> tuple[str, Flaw | None]:
    """The first choice's text, and what is wrong with it."""
    choices = output.get("choices") or ()
    if not choices:
        return "", "empty answer"
    content = choices[0]["message"]["content"]
    text = without_halves(response_text(_text(content)) or "")
    refused = not isinstance(content, str) and any(part.get("refusal") for part in content)
    reason = _stop_reason(output)
    if refused or reason == "content_filter":
        return text, "refused (content filter)"
    if reason in ("max_tokens", "model_length"):
        return text, CUT_OFF
    return text, None if text else "empty answer"


def _scores(scores: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for scorer, score in scores.items():
        value = score.get("value")
        values = value if isinstance(value, Mapping) else {"": value}
        for part, each in values.items():
            number = _GRADES.get(each) if isinstance(each, str) else _number(each)
            if number is not None:
                found[_factor_name(scorer, part)] = number
    return found


# lm-eval -----------------------------------------------------------------------------------------


def _lm_eval_outputs(location: str, fields: Fields) -> SystemRun:
    if not Path(location).is_file():
        raise FileNotFoundError(f"{location}: there is no such file of samples")
    score = None
    first = next(_lines(location), None)
    if first is not None and MEASURED in first[1]:
        found = [
            _of_source(each, each.source.id, epoch=1)
            for _, each, _ in read_samples(location)
            if each.responses
        ]
        if not found:
            raise _wrote_nothing(location, "samples")
        outputs = [output for output, _ in found]
        score = max(score for _, score in found if score is not None)
    else:
        outputs = _of_documents(location, fields)
    beside = results_beside(location)
    model = UNKNOWN_MODEL if beside is None else model_of(read_results(beside))
    return SystemRun(
        file=location,
        system=Path(location).stem if model == UNKNOWN_MODEL else without_halves(model),
        harness="lm-eval",
        status="success",
        outputs=tuple(replace(output, ended=False) for output in outputs),
        score=score,
    )


def _lines(location: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    with Path(location).open("rb") as lines:
        for number, line in enumerate(lines, 1):
            place = f"{location}:{number}"
            try:
                sample = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise ValueError(f"{place}: not JSON in UTF-8 ({error})") from error
            if not isinstance(sample, dict):
                raise ValueError(f"{place}: not a JSON object")
            yield place, sample


def _of_documents(location: str, fields: Fields) -> list[Output]:
    """One answer a repeat of each document; a line a filter holds the same answers again."""
    documents: dict[str, list[Output]] = {}
    seen: set[tuple[str, str]] = set()
    for place, sample in _lines(location):
        try:
            id_, filter_ = str(sample["doc_id"]), str(sample.get("filter", "none"))
            if (id_, filter_) in seen:
                raise ValueError(f"{place}: document {id_} stands in the file twice")
            seen.add((id_, filter_))
            outputs = documents.get(id_) or _of_document(sample, id_, place, fields)
            if len(outputs) == 1:  # those of repeats are of all of them together
                scores = {**outputs[0].scores, **_metrics(sample, filter_)}
                outputs = [replace(outputs[0], scores=scores)]
            documents[id_] = outputs
        except (AttributeError, KeyError, TypeError, IndexError) as error:
            raise ValueError(
                f"{place}: no sample of lm-eval ({error!r:.200}); give a samples_*.jsonl file of "
                "a run with --log_samples"
            ) from error
    return [output for outputs in documents.values() for output in outputs]


def _of_document(sample: Mapping[str, Any], id_: str, place: str, fields: Fields) -> list[Output]:
    document = sample["doc"]
    requests = [list(request.values()) for request in sample["arguments"].values()]
    answers = sample["resps"][0]
    # Requests for likelihoods have no second argument that says how to generate.
    generated = len(requests[0]) > 1 and isinstance(requests[0][1], dict)
    if len(requests) > 1 or not generated or not all(isinstance(a, str) for a in answers):
        raise ValueError(
            f"{place}: not one generated text a document, but likelihoods or several requests; "
            "pairs are made of tasks with output_type generate_until"
        )
    named = document if isinstance(document, dict) else {}
    prompt, source = _named(named, fields, place)
    sent = _sent_by_lm_eval(requests[0][0])
    key = _hash([document if prompt is None else prompt, source])
    target = sample.get("target")
    printed_list = isinstance(target, str) and (target[:1], target[-1:]) == ("[", "]")
    flaw: Flaw | None = None
    if len(requests[0]) > 2 or sent is None:
        flaw = "input is not text alone"
    # lm-eval writes None as a text where an answer is missing.
    texts = ["" if a == "None" else without_halves(response_text(a) or "") for a in answers]
    return [
        Output(
            key=key,
            id=id_,
            epoch=epoch,
            text=text,
            flaw=flaw if flaw or text else "empty answer",
            prompt=prompt,
            sent=prompt or sent,
            source=source,
            reference=None if printed_list else _reference([target]),
            group=key[:12],
        )
        for epoch, text in enumerate(texts, 1)
    ]


def _sent_by_lm_eval(request: object) -> Prompt | None:
    """A request; for a chat API it is messages in JSON, for others what a template made of them."""
    if isinstance(request, list) and len(request) == 1 and isinstance(request[0], str):
        messages = _messages(json.loads(request[0]))
        return None if messages is None else _prompt(messages)
    return without_halves(request) if isinstance(request, str) else None


def _metrics(sample: Mapping[str, Any], filter_: str) -> dict[str, float]:
    part = "" if filter_ == "none" else filter_
    values = {name: _number(sample.get(name)) for name in sample.get("metrics") or ()}
    return {_factor_name(name, part): v for name, v in values.items() if v is not None}


# Either ------------------------------------------------------------------------------------------


def _named(data: Mapping[str, Any], fields: Fields, place: str) -> tuple[str | None, str | None]:
    """The named fields of a sample's data.

    Raises:
        ValueError: A named field is not there, or no text.
    """
    prompt, source = (
        None if name is None else _field(data, name, place)
        for name in (fields.prompt, fields.source)
    )
    return prompt, source


def _field(data: Mapping[str, Any], name: str, place: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value.strip():
        texts = ", ".join(key for key, each in data.items() if isinstance(each, str)) or "none"
        raise ValueError(f"{place}: its data hold no text {name!r}; texts there: {texts}")
    return without_halves(value)


def _reference(targets: Sequence[object]) -> str | None:
    """The target, where it is one text."""
    if len(targets) != 1 or not isinstance(targets[0], str) or not targets[0].strip():
        return None
    return without_halves(targets[0])


def _number(value: object) -> float | None:
    if not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _factor_name(*parts: str) -> str:
    """A score's name as factors may be called: a part of metrics' names, without , and /."""
    return "_".join(
        "".join(c if c.isprintable() and c not in ",/ " else "_" for c in without_halves(part))
        for part in parts
        if part
    )


def _hash(value: object) -> str:
    text = json.dumps(value, ensure_ascii=True, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
