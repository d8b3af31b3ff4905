"""Texts that a finished run wrote for target scores, from lm-eval's samples or an Inspect log."""

from collections.abc import Iterator, Mapping

from profile_tasks.lm_eval_samples import read_samples, sampled_responses

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


def _of_samples(location: str) -> Iterator[tuple[str, dict[int, str]]]:
    for _, sample, measurement in read_samples(location):
        written = sampled_responses(sample, measurement)
        yield measurement.source_id, _present(written)


def _of_log(location: str) -> Iterator[tuple[str, dict[int, str]]]:
    from profile_tasks.run_log import read_log
    from profile_tasks.solvers.score_conditioned_generation import (
        has_responses,
        written_responses,
    )

    for sample in read_log(location).samples or []:
        if has_responses(sample.store):
            yield str(sample.id), _present(written_responses(sample.store)[0])


def _present(written: Mapping[int, str | None]) -> dict[int, str]:
    return {score: text for score, text in written.items() if text is not None}
