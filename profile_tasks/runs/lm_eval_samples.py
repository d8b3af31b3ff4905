"""Samples that lm-eval logged (``--log_samples``) of this project's tasks."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement
from profile_tasks.settings import Pairing
from profile_tasks.solvers.both_orders import PairVerdict
from profile_tasks.solvers.target_scores import generation_pairs, response_text

MEASURED = "measured_sources"
"""The field of a sample that holds its measurement."""


@dataclass(frozen=True)
class LoggedAnswers:
    """What a model once answered about one source.

    Attributes:
        responses: What it wrote by target score, None where it is missing; None: not asked.
        verdicts: Its verdict on each annotated pair; None: not asked.
    """

    responses: Mapping[int, str | None] | None = None
    verdicts: tuple[PairVerdict, ...] | None = None


@dataclass(frozen=True)
class SampledRun:
    """The logged samples of one evaluation: of its generation task, of a discrimination task.

    Attributes:
        task: One of ``TASKS``.
        kinds: File -> which of the lm-eval tasks it holds, e.g. "generation".
        sources: Source id -> the source.
        answers: Source id -> what the model answered about it.
        pairing: Which written responses are compared.
    """

    task: str
    kinds: Mapping[str, str]
    sources: Mapping[str, AnnotatedSource]
    answers: Mapping[str, LoggedAnswers]
    pairing: Pairing


def read_sampled_run(files: Sequence[str]) -> SampledRun:
    """Join the samples files of one evaluation by source.

    Args:
        files: At most one of generation and one of discrimination, of the same task.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: A line is no sample of this project, or the files do not go together.
    """
    sources: dict[str, AnnotatedSource] = {}
    answers: dict[str, LoggedAnswers] = {}
    kinds: dict[str, str] = {}
    compared: list[tuple[str, SourceMeasurement]] = []
    if len(set(files)) < len(files):
        raise ValueError(f"{', '.join(files)}: a file is given twice")
    for file in files:
        seen: set[str] = set()
        for place, sample, measurement in read_samples(file):
            kind = _kind(measurement)
            if kinds.setdefault(file, kind) != kind:
                raise ValueError(f"{place}: a sample of {kind} among those of {kinds[file]}")
            source = sampled_source(sample, place)
            if source.id in seen:
                raise ValueError(f"{place}: source {source.id!r} stands in the file twice")
            seen.add(source.id)
            known = answers.get(source.id, LoggedAnswers())
            if sources.setdefault(source.id, source) != source:
                raise ValueError(
                    f"{place}: source {source.id!r} is not the same as in {files[0]}; give the "
                    "samples of one evaluation"
                )
            answers[source.id] = LoggedAnswers(
                known.responses or sampled_responses(sample, measurement) or None,
                known.verdicts or measurement.verdicts,
            )
            if kind == "generation":
                compared.append((source.id, measurement))
    tasks = {source.task for source in sources.values()}
    if len(tasks) != 1:
        raise ValueError(
            f"{', '.join(files)}: "
            + (f"samples of several tasks ({', '.join(sorted(tasks))})" if tasks else "no samples")
        )
    settings = [kind.partition("_")[0] for kind in kinds.values()]
    if len(settings) != len(set(settings)):
        raise ValueError(
            f"{', '.join(files)}: several files of one setting ({', '.join(kinds.values())}); give "
            "at most one of generation and one of discrimination"
        )
    return SampledRun(tasks.pop(), kinds, sources, answers, _pairing(compared))


def read_samples(location: str) -> Iterator[tuple[str, dict[str, Any], SourceMeasurement]]:
    """The samples in a file.

    Yields:
        Place (file and line), the sample, and its measurement.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A line is no sample of this project; its place is named.
    """
    path = Path(location)
    if not path.is_file():
        raise FileNotFoundError(f"{location}: there is no such file of samples")
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            place = f"{location}:{number}"
            try:
                sample = json.loads(line)
            except ValueError as error:
                raise ValueError(f"{place}: not JSON in UTF-8 ({error})") from error
            if not isinstance(sample, dict) or MEASURED not in sample:
                raise ValueError(
                    f"{place}: no sample of this project: field {MEASURED!r} is missing; give a "
                    "samples_profile_*.jsonl file of a run with --log_samples"
                )
            try:
                measurement = SourceMeasurement.model_validate(sample[MEASURED])
            except ValueError as error:
                raise ValueError(
                    f"{place}: field {MEASURED!r} holds no measurement of a generation or "
                    "discrimination task"
                ) from error
            yield place, sample, measurement


def sampled_responses(
    sample: Mapping[str, Any], measurement: SourceMeasurement
) -> dict[int, str | None]:
    """What was written for each target score, None where it is missing, as the task read it."""
    scores = list(measurement.words_by_score or {})
    if not scores:
        return {}
    answers = sample.get("resps")
    if (
        not isinstance(answers, list)
        or len(answers) != len(scores)
        or not all(isinstance(a, list) and a and isinstance(a[0], str) for a in answers)
    ):
        raise ValueError(
            f"source {measurement.source_id!r}: field 'resps' does not hold one text for each of "
            f"{len(scores)} target scores"
        )
    return {score: response_text(a[0]) for score, a in zip(scores, answers, strict=True)}


def _kind(measurement: SourceMeasurement) -> str:
    if measurement.words_by_score is not None:
        return "generation"
    if measurement.picks is None:
        raise ValueError(
            f"source {measurement.source_id!r}: the sample holds neither responses nor verdicts"
        )
    return "discrimination" if measurement.margins is None else "discrimination_loglikelihood"


def sampled_source(sample: Mapping[str, Any], place: str) -> AnnotatedSource:
    """The source that a sample is about.

    Raises:
        ValueError: It holds none.
    """
    try:
        return AnnotatedSource.model_validate(sample.get("doc"))
    except ValueError as error:
        raise ValueError(f"{place}: field 'doc' holds no annotated source") from error


def _pairing(compared: Sequence[tuple[str, SourceMeasurement]]) -> Pairing:
    """The pairing that gives the pairs of responses that were compared."""
    for pairing in get_args(Pairing):
        if all(_compared_as(pairing, source, measured) for source, measured in compared):
            return cast("Pairing", pairing)
    raise ValueError(
        f"source {compared[0][0]!r}: the compared responses are those of no pairing "
        f"({', '.join(get_args(Pairing))}); give samples as this version of the tasks logs them"
    )


def _compared_as(pairing: Pairing, source: str, measured: SourceMeasurement) -> bool:
    words = measured.words_by_score or {}
    expected = [
        pair
        for pair in generation_pairs(list(words), pairing, source)
        if None not in (words[pair[0]], words[pair[1]])
    ]
    return [(pair.higher, pair.lower) for pair in measured.pairs_written or ()] == expected
