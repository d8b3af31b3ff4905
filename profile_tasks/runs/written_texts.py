"""Texts that a finished run wrote for target scores, from lm-eval's samples or an Inspect log."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.runs.lm_eval_samples import read_samples, sampled_responses, sampled_source

WrittenTexts = dict[str, "WrittenSource"]
"""Source id -> what was written about it."""


class WrittenSource(NamedTuple):
    """What was written about one source.

    Attributes:
        prompt: The request that it answers.
        source: Its document, None where there is none.
        texts: Target score -> text; a missing response is left out.
    """

    prompt: str
    source: str | None
    texts: dict[int, str]


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
    texts: WrittenTexts = {}
    for name, written in _of_samples(location) if samples else _of_log(location):
        if name in texts and samples:
            raise ValueError(f"{location}: source {name!r} stands in the file twice")
        texts.setdefault(name, written)
    if not any(written.texts for written in texts.values()):
        raise ValueError(
            f"{location}: holds no responses to target scores; give the log or the samples of a "
            "generation run"
        )
    return texts


def _of_samples(location: str) -> Iterator[tuple[str, WrittenSource]]:
    for place, sample, measurement in read_samples(location):
        written = sampled_responses(sample, measurement)
        source = sampled_source(sample, place)
        yield source.id, WrittenSource(source.prompt, source.source, _present(written))


def _of_log(location: str) -> Iterator[tuple[str, WrittenSource]]:
    from profile_tasks.runs.inspect_log import read_log
    from profile_tasks.solvers.score_conditioned_generation import (
        has_responses,
        written_responses,
    )

    for sample in read_log(location).samples or []:
        if has_responses(sample.store):
            written = _present(written_responses(sample.store)[0])
            source = AnnotatedSource.model_validate(sample.metadata)
            yield source.id, WrittenSource(source.prompt, source.source, written)


def _present(written: Mapping[int, str | None]) -> dict[int, str]:
    return {score: text for score, text in written.items() if text is not None}
