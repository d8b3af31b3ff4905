"""Recorded answers of a real model, SmolLM2-135M-Instruct, through the reading of both harnesses.

``smollm2_answers.jsonl`` holds what it answered at temperature 0, within 96 tokens, to requests on
this project's demonstration data; llama.cpp served the Q4_1 weights (``benchmarks/smollm2.py`` says
how; the weights, and so their answers, are Apache-2.0). ``request`` is where the SHA-256 of the
request's text begins. ``faults`` of texts and ``read`` of verdicts are what is found, and each was
looked at; ``by_hand`` is what a reader finds. A prompt that changes needs a new recording.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from profile_tasks.data.preferences import AnnotatedSource, load_preferences
from profile_tasks.scorers.measurement.text_faults import text_faults
from profile_tasks.solvers.both_orders import discrimination_requests
from profile_tasks.solvers.requests import GenerationRequest
from profile_tasks.solvers.target_scores import response_text
from profile_tasks.solvers.verdict import read_verdict

pytestmark = pytest.mark.filterwarnings("ignore")  # both harnesses and their dependencies warn

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parent / "smollm2_answers.jsonl").read_text("utf-8").splitlines()
]
TEXTS = [row for row in ROWS if "score" in row]
VERDICTS = [row for row in ROWS if "score" not in row]
TASKS = ("summarization", "instruction_following", "document_qa")
SETTINGS = {"limit": 2, "max_pairs_per_source": 1, "scores": "1,5"}

Answers = Mapping[tuple[str, bool], Mapping[str, Any]]


def key(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def name(row: Mapping[str, Any]) -> str:
    about = f"score {row['score']}" if "score" in row else row["about"]
    return f"{row['source']}, {about}{', as JSON' if row.get('form') else ''}"


def source_of(row: Mapping[str, Any]) -> AnnotatedSource:
    (found,) = (
        source
        for source in load_preferences("demo", task=row["task"]).sources
        if source.id == row["source"]
    )
    return found


# Reading ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", TEXTS, ids=map(name, TEXTS))
def test_a_text_was_written_for_this_request_and_is_called_what_it_is(row: dict[str, Any]) -> None:
    source = source_of(row)
    request = GenerationRequest(row["task"], source.prompt, source.source, row["score"]).render()
    assert key(request) == row["request"]
    text = response_text(row["answer"])
    assert text == row["answer"].strip()
    found = text_faults(source, {row["score"]: text})[row["score"]]
    assert list(found) == row["faults"]
    assert set(found) <= set(row["by_hand"])


@pytest.mark.parametrize("row", VERDICTS, ids=map(name, VERDICTS))
def test_an_answer_is_read_as_the_verdict_that_it_states_or_as_none(row: dict[str, Any]) -> None:
    read = read_verdict(row["answer"], truncated=row["finish_reason"] == "length")
    assert read == row["read"]
    assert read in (row["by_hand"], None)


def test_every_answer_in_the_form_that_was_asked_for_is_read() -> None:
    formed = [row for row in VERDICTS if row["form"]]
    assert len(formed) > 10
    assert all(row["read"] == row["by_hand"] is not None for row in formed)


# Counting -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def answers() -> Answers:
    """Request and whether a form was asked for -> what was answered."""
    return {(row["request"], row.get("form", False)): row for row in ROWS}


@pytest.fixture(params=TASKS)
def task(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def settings(task: str, tmp_path: Path) -> dict[str, Any]:
    """On the demonstration data as they were when the answers were recorded: 72 pairs a task."""
    demo = files("profile_tasks") / "data" / "demo" / f"{task}.jsonl"
    file = tmp_path / demo.name
    file.write_text("".join(demo.read_text("utf-8").splitlines(keepends=True)[:72]), "utf-8")
    return SETTINGS | {"dataset": str(file)}


@pytest.fixture
def sources(task: str, settings: Mapping[str, Any]) -> Sequence[AnnotatedSource]:
    file, limit, pairs = (settings[n] for n in ("dataset", "limit", "max_pairs_per_source"))
    return load_preferences(file, task=task, limit=limit, max_pairs_per_source=pairs).sources


def written(sources: Sequence[AnnotatedSource], answers: Answers) -> list[Mapping[str, Any]]:
    return [
        answers[
            key(GenerationRequest(source.task, source.prompt, source.source, score).render()), False
        ]
        for source in sources
        for score in (1, 5)
    ]


def judged(
    sources: Sequence[AnnotatedSource], answers: Answers, *, form: bool
) -> list[Mapping[str, Any]]:
    """Order by order, pair by pair."""
    return [
        answers[key(request.render()), form]
        for source in sources
        for request in discrimination_requests(source, 2)
    ]


def assert_counted(
    found: Mapping[str, float], texts: Sequence[Mapping[str, Any]], said: Sequence[str | None]
) -> None:
    """The rates that lm-eval and Inspect both have, worked out from the pinned readings."""
    for fault in ("echo", "score_talk", "loop"):
        told = [fault in row["faults"] for row in texts]
        assert found[f"generation_{fault}_rate"] == sum(told) / len(told)
    assert found["generation_missing_rate"] == 0
    for at, score in enumerate((1, 5)):
        lengths = [len(row["answer"].split()) for row in texts[at::2]]
        assert found[f"words_at_score_{score}"] == pytest.approx(sum(lengths) / 2, abs=1)
    assert found["unreadable_rate"] == said.count(None) / len(said)
    assert found["discrimination_decided_pairs"] == 0
    pairs = list(zip(said[::2], said[1::2], strict=True))
    read = [pair for pair in pairs if None not in pair]
    if read:  # whatever it is shown first
        assert found["flip_rate"] == sum(a == b for a, b in read) / len(read) == 1
        assert found["first_position_rate"] == 1


def test_inspect_counts_what_was_answered(
    task: str,
    sources: Sequence[AnnotatedSource],
    settings: dict[str, Any],
    answers: Answers,
    tmp_path: Path,
) -> None:
    from inspect_ai import eval as inspect_eval
    from inspect_ai.model import ModelOutput, ModelUsage, get_model

    def answer(messages: Any, tools: Any, choice: Any, config: Any) -> ModelOutput:
        row = answers[key(messages[0].text), config.response_schema is not None]
        cut = row["finish_reason"] == "length"
        output = ModelOutput.from_content(
            "mockllm/model", row["answer"], stop_reason="max_tokens" if cut else "stop"
        )
        output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
        return output

    (log,) = inspect_eval(
        f"profile_tasks/{task}", task_args=settings, log_dir=str(tmp_path), display="none",
        model=get_model("mockllm/model", custom_outputs=answer, memoize=False),
        log_realtime=False,
    )  # fmt: skip
    assert log.status == "success", log.error
    assert log.results is not None
    found = {name: metric.value for name, metric in log.results.scores[0].metrics.items()}
    texts = written(sources, answers)
    assert_counted(found, texts, [row["read"] for row in judged(sources, answers, form=True)])
    cut = [row["finish_reason"] == "length" for row in texts]
    assert found["generation_truncated_rate"] == sum(cut) / len(cut)


def test_lm_eval_counts_what_was_answered(
    sources: Sequence[AnnotatedSource],
    answers: Answers,
    replayed: Callable[[Answers], Mapping[str, float]],
) -> None:
    found = replayed(answers)
    said = [row["read"] for row in judged(sources, answers, form=False)]
    assert_counted(found, written(sources, answers), said)


@pytest.fixture
def replayed(task: str, settings: dict[str, Any]) -> Callable[[Answers], Mapping[str, float]]:
    """Both tasks in words of lm-eval, on recorded answers."""
    import lm_eval.models  # noqa: F401 - registered first, or never
    from lm_eval import simple_evaluate
    from lm_eval.api.model import LM

    from profile_tasks.lm_eval_runner.run import OwnTaskManager

    class Recorded(LM):
        def __init__(self, answers: Answers) -> None:
            super().__init__()
            self.answers = answers

        def generate_until(self, requests: Sequence[Any], **_: object) -> list[str]:
            return [str(self.answers[key(each.args[0]), False]["answer"]) for each in requests]

        def loglikelihood(self, requests: Sequence[Any], **_: object) -> Any:
            raise NotImplementedError

        loglikelihood_rolling = loglikelihood

    def run(answers: Answers) -> Mapping[str, float]:
        results = simple_evaluate(
            model=Recorded(answers), tasks=[f"profile_{task}"], bootstrap_iters=0,
            task_manager=OwnTaskManager(metadata=settings),
        )  # fmt: skip
        assert results is not None
        return {
            metric.removesuffix(",none"): value
            for row in results["results"].values()
            for metric, value in row.items()
        }

    return run
