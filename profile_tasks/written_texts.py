"""Texts that a finished run wrote for target scores, from lm-eval's samples or an Inspect log."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from profile_tasks.scorers.source_measurement import SourceMeasurement
from profile_tasks.solvers.target_scores import response_text

MEASURED = "measured_sources"
"""The field of a logged lm-eval sample that holds its measurement."""

WrittenTexts = dict[str, dict[int, str]]
"""Source id -> target score -> text; a missing response is left out."""


def read_written_texts(location: str) -> WrittenTexts:
    """What a finished generation run wrote.

    Args:
        location: A samples file of lm-eval (``samples_profile_<task>_generation_*.jsonl``, written
            with ``--log_samples``), or an Inspect log.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is neither, or its run wrote nothing.
    """
    samples = location.endswith(".jsonl")
    texts = dict(_of_samples(location) if samples else _of_log(location))
    if not any(texts.values()):
        raise ValueError(
            f"{location}: holds no responses to target scores; give the log or the samples of a "
            "generation run"
        )
    return texts


def read_samples(location: str) -> Iterator[tuple[int, dict[str, Any], SourceMeasurement]]:
    """The samples that lm-eval logged of a task of this project.

    Yields:
        Line number, the sample, and its measurement.

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
            yield number, sample, measurement


def sampled_responses(
    sample: Mapping[str, Any], measurement: SourceMeasurement
) -> dict[int, str | None]:
    """What was written for each target score, None where it is missing, as the task read it."""
    scores = list(measurement.words_by_score or {})
    answers = [answers[0] for answers in sample["resps"]]
    return dict(zip(scores, map(response_text, answers), strict=True)) if scores else {}


def _of_samples(location: str) -> Iterator[tuple[str, dict[int, str]]]:
    for _, sample, measurement in read_samples(location):
        written = sampled_responses(sample, measurement)
        yield measurement.source_id, _present(written)


def _of_log(location: str) -> Iterator[tuple[str, dict[int, str]]]:
    from profile_tasks.run_log import read_log

    for sample in read_log(location).samples or []:
        stored = sample.store.get("responses_by_score") or {}
        yield str(sample.id), _present({int(score): text for score, text in stored.items()})


def _present(written: Mapping[int, str | None]) -> dict[int, str]:
    return {score: text for score, text in written.items() if text is not None}
