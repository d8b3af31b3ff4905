"""The three tasks over the full taxonomy, graded by the planted grader."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import eval as inspect_eval
from inspect_ai.log import EvalLog, EvalSample, EvalScore, read_eval_log
from inspect_ai.model import get_model

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.document_qa import document_qa
from profile_tasks.instruction_following import instruction_following
from profile_tasks.scorers.factors.selection import resolve_factors
from profile_tasks.scorers.inspect.arguments import ArgumentError
from profile_tasks.summarization import summarization

TASKS = ("summarization", "instruction_following", "document_qa")
"""Those with a name of their own in Inspect."""

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

BUILD = {
    "summarization": summarization,
    "instruction_following": instruction_following,
    "document_qa": document_qa,
}
GRADER = "planted/grader"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "cache"))


def run(task: str, tmp_path: Path, model: str = "planted/balanced", **arguments: object) -> EvalLog:
    grader = arguments.pop("grader", GRADER)
    (log,) = inspect_eval(
        BUILD[task],
        task_args=arguments,
        model=get_model(model, memoize=False),
        model_roles={"grader": grader} if grader else None,
        log_dir=str(tmp_path / "logs"),
        display="none",
        log_realtime=False,
    )
    assert log.status == "success", log.error
    return read_eval_log(log.location, resolve_attachments=True)


def result(log: EvalLog) -> EvalScore:
    assert log.results is not None
    (only,) = log.results.scores
    return only


def metrics(log: EvalLog) -> dict[str, float]:
    return {name: metric.value for name, metric in result(log).metrics.items()}


def samples(log: EvalLog) -> list[EvalSample]:
    assert log.samples
    return log.samples


def requests(sample: EvalSample) -> Counter[str | None]:
    return Counter(event.role for event in sample.events if event.event == "model")


@pytest.mark.parametrize("task", TASKS)
def test_each_task_runs_over_the_full_taxonomy(task: str, read_inspect_log: Any) -> None:
    log = read_inspect_log("verbose", task, grader=GRADER, limit=8)
    found, core = metrics(log), [factor.id for factor in resolve_factors("core", task)]
    assert log.eval.metadata is not None
    assert log.eval.metadata["factors"] == core
    assert log.eval.metadata["grader"] == GRADER
    for factor in core:
        for perspective in ("human", "generation", "discrimination"):
            name = f"tau_{perspective}_{factor}"
            if found[name] == found[name]:  # a factor may be missing in every pair
                assert found[f"{name}_ci_low"] <= found[name] <= found[f"{name}_ci_high"]
    assert found["grader_missing"] == found["grader_repairs"] == 0
    assert found["grader_flip_rate"] == 0
    assert result(log).metadata["profile"]["grading"] == {"graders": [GRADER], "warnings": []}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "file"),
    [("summarization", "tldr_llmeval2.jsonl"), ("document_qa", "qa_feedback.jsonl")],
)
def test_real_preferences_are_graded(
    task: str, file: str, tmp_path: Path, shared_data: Path
) -> None:
    log = run(task, tmp_path, dataset=str(shared_data / file), limit=20)
    found = metrics(log)
    assert len(samples(log)) == 20
    assert found["grader_missing"] == 0
    assert abs(found["tau_human_hallucination"]) <= 1


def test_a_batched_grading_measures_the_same_for_a_quarter_of_the_requests(tmp_path: Path) -> None:
    single, batched = (
        run("document_qa", tmp_path, limit=8, grading=grading) for grading in ("single", "batched")
    )
    before, after = metrics(single), metrics(batched)
    assert after.pop("grader_requests") < before.pop("grader_requests") / 4
    assert after == pytest.approx(before, nan_ok=True)
    graded = samples(batched)[0].scores["factor_profile"].metadata["grades"]
    assert graded["grading"] == "batched"
    assert graded["problems"] == []


@pytest.mark.parametrize("task", TASKS)
def test_a_source_takes_no_more_requests_than_promised(task: str, read_inspect_log: Any) -> None:
    log = read_inspect_log("verbose", task, grader=GRADER, limit=8)
    for sample in samples(log):
        source = AnnotatedSource.model_validate(sample.metadata)
        k = len(source.pairs)
        responses = len({text for p in source.pairs for text in (p.response_a, p.response_b)})
        asked = requests(sample)
        assert 0 < asked["grader"] <= 5 + responses + 1 + 2 * (10 + k)
        own = sample.scores["factor_profile"].metadata["own_picks"]
        assert len(own) == 10
        assert asked[None] == 5 + 2 * k + sum(map(len, own))
    total = sum(requests(sample)["grader"] for sample in samples(log))
    assert metrics(log)["grader_requests"] == total


def test_the_graders_tokens_show_apart(read_inspect_log: Any) -> None:
    log = read_inspect_log("verbose", grader=GRADER)
    assert set(log.stats.model_usage) == {"planted/verbose", GRADER}
    assert log.stats.role_usage["grader"].total_tokens > 0


def test_every_fact_and_verdict_is_in_the_log(tmp_path: Path) -> None:
    log = run("summarization", tmp_path, limit=1)
    (sample,) = samples(log)
    assert sample.scores is not None
    metadata = sample.scores["factor_profile"].metadata
    assert metadata is not None
    assert f"graded by {GRADER}: 0 of " in str(sample.scores["factor_profile"].explanation)
    grades = metadata["grades"]
    assert grades["grader"] == GRADER
    assert grades["key_facts"]
    for response, values in metadata["values"]["hallucination"].items():
        facts = grades["responses"][grades["same_as"][response]]["facts"]
        labels = [fact["labels"]["hallucination"] for fact in facts]
        unsupported = sum(label != "supported" for label in labels)
        assert values == (unsupported / len(labels) if labels else None)
    assert all(len(pair["verdicts"]["fluency"]) == 2 for pair in grades["pairs"])


def test_one_order_and_one_factor_a_request(tmp_path: Path) -> None:
    both = run("summarization", tmp_path, limit=1, factors="fluency,coherence")
    one = run("summarization", tmp_path, limit=1, factors="fluency,coherence", judge_orders=1)
    apart = run("summarization", tmp_path, limit=1, factors="fluency,coherence", judge_batch="one")
    asked = [metrics(log)["grader_requests"] for log in (both, one, apart)]
    assert asked == [asked[0], asked[0] / 2, asked[0] * 2]
    names = [name for name in metrics(both) if name.startswith("tau_") and "_ci_" not in name]
    assert [metrics(both)[name] for name in names] == [metrics(one)[name] for name in names]


OWN = """
version: 1
factors:
  - id: politeness
    kind: judged
    tasks: [summarization]
    definition: How politely the writer of the post is spoken of.
  - id: question_marks
    kind: surface
    tasks: [summarization]
    definition: Number of question marks.
    function: own_surface_factors:question_marks
  - id: fluency
    definition: How easily it reads aloud.
"""


def test_factors_of_a_users_own_are_measured_and_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_surface_factors.py").write_text(
        "def question_marks(response, source, prompt):\n    return response.count('?')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "own.yaml").write_text(OWN)
    log = run("summarization", tmp_path, limit=2, factors=f"{tmp_path / 'own.yaml'},core")
    found = metrics(log)
    for factor in ("politeness", "question_marks", "fluency", "length"):
        assert f"tau_human_{factor}" in found
    assert found["grader_missing_rate_politeness"] == 0
    assert log.eval.metadata is not None
    own = log.eval.metadata["own_factors"]
    assert own["politeness"]["definition"] == "How politely the writer of the post is spoken of."
    assert own["question_marks"]["kind"] == "surface"
    assert own["fluency"]["definition"] == "How easily it reads aloud."
    assert "length" not in own
    prompts = [e.input[0].text for s in samples(log) for e in s.events if e.event == "model"]
    assert any("- politeness: How politely the writer" in prompt for prompt in prompts)
    assert any("- fluency: How easily it reads aloud." in prompt for prompt in prompts)


@pytest.mark.parametrize("function", ["no_such_module:question_marks", "math:pi"])
def test_a_function_that_cannot_be_used_is_told_before_a_model_is_asked(
    function: str, tmp_path: Path
) -> None:
    own = OWN.replace("own_surface_factors:question_marks", function)
    (tmp_path / "own.yaml").write_text(own)
    with pytest.raises(ArgumentError, match=f"Factor 'question_marks': .*'{function}'"):
        run("summarization", tmp_path, factors=f"{tmp_path / 'own.yaml'},core")
    assert not list(tmp_path.glob("logs/*"))


def test_a_grader_that_errs_flips_and_is_seen_to(tmp_path: Path) -> None:
    careless = get_model(GRADER, memoize=False, error_rate=0.3)
    found = metrics(run("summarization", tmp_path, limit=3, grader=careless))
    assert 0.2 < found["grader_flip_rate"] < 0.8


def test_two_settings_of_a_grader_do_not_share_answers(tmp_path: Path) -> None:
    exact = metrics(run("summarization", tmp_path, limit=1))
    grader = get_model(GRADER, memoize=False, error_rate=0.5)
    careless = metrics(run("summarization", tmp_path, limit=1, grader=grader))
    assert exact["grader_flip_rate"] == 0 < careless["grader_flip_rate"]
