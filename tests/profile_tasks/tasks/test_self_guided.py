"""The self-guided tasks, run end to end against the planted annotator."""

from pathlib import Path
from typing import Any

import pytest
from inspect_ai import eval as inspect_eval
from inspect_ai.log import EvalLog
from inspect_ai.model import ModelOutput, ModelUsage, get_model

from profile_tasks.scorers.inspect.self_guided_scorer import SelfGuidedRanking, ranking_of
from profile_tasks.tasks.self_guided import (
    document_qa_self_guided,
    instruction_following_self_guided,
    summarization_self_guided,
)

TASKS = ("summarization", "instruction_following", "document_qa")
"""Those with a name of their own in Inspect."""

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

BUILD = {
    "summarization": summarization_self_guided,
    "instruction_following": instruction_following_self_guided,
    "document_qa": document_qa_self_guided,
}


def run(
    task: str, tmp_path: Path, model: object = "planted/concise", **arguments: object
) -> EvalLog:
    roles = arguments.pop("roles", None)
    (log,) = inspect_eval(
        BUILD[task](**arguments),
        model=get_model(model, memoize=False) if isinstance(model, str) else model,
        model_roles=roles,
        log_dir=str(tmp_path),
        display="none",
        log_realtime=False,
    )
    assert log.status == "success", log.error
    return log


def rankings(log: EvalLog) -> list[SelfGuidedRanking]:
    return [ranking_of(sample.scores["self_guided_ranking"]) for sample in log.samples or []]


def metrics(log: EvalLog) -> dict[str, float]:
    return {name: metric.value for name, metric in log.results.scores[0].metrics.items()}


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(("taste", "sign"), [("verbose", 1), ("concise", -1)])
def test_the_winners_show_what_the_model_likes(
    task: str, taste: str, sign: int, read_inspect_log: Any
) -> None:
    found = metrics(read_inspect_log(taste, f"{task}_self_guided"))
    bound = "low" if sign > 0 else "high"
    assert sign * found[f"tau_self_guided_length_ci_{bound}"] > 0
    assert found["unreadable_rate"] == found["sample_missing_rate"] == 0


def test_samples_of_one_source_differ_and_a_second_run_draws_the_same(tmp_path: Path) -> None:
    first, second = (rankings(run("document_qa", tmp_path, limit=4)) for _ in range(2))
    assert sorted(first, key=lambda r: r.source_id) == sorted(second, key=lambda r: r.source_id)
    assert all(len({sample.text for sample in ranking.samples}) > 1 for ranking in first)


def test_another_seed_draws_other_samples(tmp_path: Path, read_inspect_log: Any) -> None:
    first = read_inspect_log("concise", "document_qa_self_guided")
    other = run("document_qa", tmp_path, seed=1)
    assert first.eval.task_args["seed"] == 0
    drawn = [{s.text for r in rankings(log) for s in r.samples} for log in (first, other)]
    assert drawn[0] != drawn[1]


@pytest.mark.parametrize(("arguments", "announced"), [({}, 16), ({"tournament": "knock_out"}, 10)])
def test_the_cost_is_logged_before_and_after(
    arguments: dict[str, str], announced: int, read_inspect_log: Any
) -> None:
    log = read_inspect_log("concise", "summarization_self_guided", **arguments)
    assert log.eval.task_args["tournament"] == arguments.get("tournament", "round_robin")
    assert log.eval.metadata["requests_per_source"] == announced
    for ranking in rankings(log):
        repeated = any(sample.same_as is not None for sample in ranking.samples)
        assert (ranking.requests < announced) if repeated else (ranking.requests == announced)


def test_another_judge_decides_where_one_has_the_role(tmp_path: Path) -> None:
    log = run(
        "summarization", tmp_path, "planted/concise", roles={"judge": get_model("planted/verbose")}
    )
    assert {ranking.judge for ranking in rankings(log)} == {"planted/verbose"}
    assert metrics(log)["tau_self_guided_length"] > 0


def test_equal_empty_and_unreadable_answers_are_counted_and_never_ranked(tmp_path: Path) -> None:
    def answer(text: str) -> ModelOutput:
        output = ModelOutput.from_content("mockllm/model", text)
        output.usage = ModelUsage()  # else Inspect fetches a tokenizer
        return output

    outputs = [
        answer(text) for text in ("One.", "One.", "", "Two words.", "Verdict: A", "Well.", "Hm.")
    ]
    model = get_model("mockllm/model", custom_outputs=outputs, memoize=False)
    (ranking,) = rankings(run("document_qa", tmp_path, model, limit=1))
    assert [sample.same_as for sample in ranking.samples] == [None, 0, None, None]
    assert ranking.samples[2].text is None
    assert [(match.first, match.second) for match in ranking.matches] == [(0, 3)]
    assert ranking.matches[0].preference is None
    assert [sample.rank for sample in ranking.samples] == [None] * 4


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"samples": 1}, "samples is 1; expected 2 to 64"),
        ({"samples": True}, "samples is True"),
        ({"temperature": 0}, "temperature is 0; expected more than 0"),
        ({"tournament": "cup"}, "tournament is 'cup'. Must be one of: round_robin, knock_out"),
        ({"factors": "fluency"}, "factors fluency need a grader"),
    ],
)
def test_wrong_arguments_are_told_before_a_model_is_asked(
    arguments: dict[str, object], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        summarization_self_guided(**arguments)
