"""A judge that cannot be read is asked once more; a refusal, a cut-off and a repair are told."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import eval as inspect_eval
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import ContentText, ModelOutput, ModelUsage, get_model
from inspect_ai.model._model_output import StopReason

from profile_tasks.solvers.prompts import VERDICT_REPAIR
from profile_tasks.summarization import summarization

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # Inspect and its dependencies warn
    pytest.mark.usefixtures("tokenless"),
]


def run(
    answers: Sequence[ModelOutput], tmp_path: Path, max_tokens: int | None = None, **settings: Any
) -> EvalLog:
    """An evaluation by a model that gives these answers one after the other, and then the last."""
    given = iter(answers)

    def answer(*_: object) -> ModelOutput:
        return next(given, answers[-1])

    (log,) = inspect_eval(
        summarization(limit=1, max_pairs_per_source=1, factors="length", **settings),
        model=get_model("mockllm/model", custom_outputs=answer, memoize=False),
        log_dir=str(tmp_path), display="none", max_tokens=max_tokens,
    )  # fmt: skip
    assert log.status == "success", log.error
    return log


def said(text: str, stop: StopReason = "stop", tokens: int | None = None) -> ModelOutput:
    output = ModelOutput.from_content("mockllm/model", text, stop_reason=stop)
    if tokens is not None:
        output.usage = ModelUsage(input_tokens=1, output_tokens=tokens, total_tokens=1 + tokens)
    return output


def metrics(log: EvalLog) -> dict[str, float]:
    assert log.results is not None
    return {name: metric.value for name, metric in log.results.scores[0].metrics.items()}


def asked(log: EvalLog) -> list[list[str]]:
    (sample,) = read_eval_log(log.location, resolve_attachments=True).samples or ()
    return [
        [message.text for message in event.input]
        for event in sample.events
        if event.event == "model"
    ]


def test_an_unreadable_verdict_is_asked_for_once_more(tmp_path: Path) -> None:
    log = run(
        [said("Both have merits."), said("Hm."), said("Verdict: A")],
        tmp_path, setting="discrimination",
    )  # fmt: skip
    found = metrics(log)
    assert found["unreadable_rate"] == 0
    assert found["verdict_repairs"] == 2
    again = [messages for messages in asked(log) if len(messages) > 1]
    assert sorted(messages[1] for messages in again) == ["Both have merits.", "Hm."]
    assert {messages[2] for messages in again} == {VERDICT_REPAIR}


def test_what_is_unreadable_twice_is_missing_and_never_a_tie(tmp_path: Path) -> None:
    log = run([said("Who knows?")], tmp_path, setting="discrimination")
    assert metrics(log)["unreadable_rate"] == 1
    assert metrics(log)["verdict_repairs"] == 2
    assert len(asked(log)) == 4


def test_a_refusal_of_the_providers_filter_is_not_asked_again(tmp_path: Path) -> None:
    log = run([said("No.", "content_filter")], tmp_path, setting="discrimination")
    assert metrics(log)["unreadable_rate"] == 1
    assert metrics(log)["verdict_repairs"] == 0
    assert len(asked(log)) == 2


def test_a_marked_refusal_is_no_response(tmp_path: Path) -> None:
    refusal = said("")
    refusal.choices[0].message.content = [ContentText(text="I cannot.", refusal=True)]
    found = metrics(run([refusal, said("A summary.")], tmp_path, setting="generation"))
    assert found["generation_missing_rate"] == pytest.approx(1 / 5)


def test_where_nothing_tells_why_texts_ended_their_share_is_not_defined(tmp_path: Path) -> None:
    log = run([said("A summary.", "unknown")], tmp_path, setting="generation")
    assert math.isnan(metrics(log).get("generation_truncated_rate", math.nan))


def test_a_text_that_used_up_its_tokens_was_cut_off(tmp_path: Path) -> None:
    answers = [said("Cut", "unknown", 5), *[said("Whole.", "unknown", 2)] * 4]
    found = metrics(run(answers, tmp_path, setting="generation", max_tokens=5))
    assert found["generation_truncated_rate"] == pytest.approx(1 / 5)
