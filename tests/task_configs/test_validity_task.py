"""Score validity in lm-eval, with the planted annotator whose log-probabilities are known."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import pearsonr

from profile_tasks.data.preferences import load_preferences
from profile_tasks.planted.annotator import PlantedAnnotator, planted_profile
from profile_tasks.runs.scored_texts import recorded_scores
from profile_tasks.solvers.requests import NeutralRequest

TASKS = ("summarization", "instruction_following", "document_qa")
"""Those with a name of their own in lm-eval."""

pytestmark = pytest.mark.filterwarnings("ignore")  # lm-eval and its dependencies warn

Results = dict[str, Any]


@pytest.fixture(scope="module")
def evaluate() -> Callable[..., Results]:
    from lm_eval import simple_evaluate

    from profile_tasks.lm_eval_runner.run import OwnTaskManager

    def evaluate(task: str, profile: str = "verbose", **metadata: Any) -> Results:
        results = simple_evaluate(
            model="planted",
            model_args={"profile": profile},
            tasks=[task],
            task_manager=OwnTaskManager(metadata=metadata),
            bootstrap_iters=0,
        )
        assert results is not None
        return results

    return evaluate


def value(results: Results, task: str, metric: str) -> float:
    found = results["results"][task][f"{metric},none"]
    assert isinstance(found, int | float)
    return found


@pytest.fixture(scope="module")
def samples(evaluate: Callable[..., Results], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Samples of a generation run, as lm-eval logs them."""
    from lm_eval.loggers import EvaluationTracker

    task = "profile_summarization_generation"
    results = evaluate(task)
    folder = tmp_path_factory.mktemp("out")
    tracker = EvaluationTracker(output_path=str(folder))
    tracker.general_config_tracker.model_name_sanitized = "planted"
    tracker.date_id = "now"
    tracker.save_results_samples(task, results["samples"][task])
    (path,) = folder.rglob("samples_*.jsonl")
    return path


def test_texts_for_higher_scores_are_likelier_to_who_wrote_them(
    evaluate: Callable[..., Results], samples: Path
) -> None:
    task = "profile_summarization_score_validity"
    own = evaluate(task, texts=str(samples))
    other = evaluate(task, profile="concise", texts=str(samples))
    assert value(own, task, "score_validity_texts") > 5 * 0.9 * value(own, task, "measured_sources")
    assert value(own, task, "score_validity_within_ci_low") > 0.5
    # Who likes what the writer dislikes finds the high scores unlikelier.
    assert value(other, task, "score_validity_within_ci_high") < -0.5


@pytest.mark.parametrize("task", TASKS)
def test_recorded_responses_are_scored_by_their_comparisons(
    evaluate: Callable[..., Results], task: str
) -> None:
    name = f"profile_{task}_score_validity"
    results = evaluate(name)
    scores, logs = [], []
    annotator = PlantedAnnotator(planted_profile("verbose"))
    for source in load_preferences("demo", task=task).sources:
        asked = NeutralRequest(source.task, source.prompt, source.source)
        for score, text in recorded_scores(source):
            utility = annotator.utility(asked, text)
            scores.append(score)
            logs.append(-math.log1p(math.exp(-utility)))
    expected = pearsonr(scores, logs).statistic
    assert value(results, name, "score_validity_pooled") == pytest.approx(expected, abs=1e-9)
    json.dumps(results["results"], allow_nan=False)
    assert results["higher_is_better"][name]["score_validity_within"] is True


@pytest.mark.parametrize("chat", [False, True])
def test_to_a_model_that_finds_all_bytes_alike_no_text_is_likelier(
    samples: Path, chat: bool
) -> None:
    # lm-eval counts the white space that ends a context to the text: a short one must not pay.
    from lm_eval import simple_evaluate
    from lm_eval.api.model import LM

    from profile_tasks.lm_eval_runner.run import OwnTaskManager

    class Uniform(LM):
        tokenizer_name = "uniform"

        def loglikelihood(self, requests: Any, **_: object) -> list[tuple[float, bool]]:
            told = []
            for context, text in (request.args for request in requests):
                moved = context[len(context.rstrip()) :] + text
                told.append((-math.log(256) * len(moved.encode()), False))
            return told

        def apply_chat_template(self, chat_history: Any, add_generation_prompt: bool = True) -> str:
            return f"<user>{chat_history[-1]['content']}</user>\n<assistant>\n"

        def chat_template(self, chat_template: bool | str = False) -> str:
            return "template"

        def generate_until(self, requests: Any, **_: object) -> list[str]:
            raise NotImplementedError

        loglikelihood_rolling = generate_until

    task = "profile_summarization_score_validity"
    results = simple_evaluate(
        model=Uniform(),
        tasks=[task],
        task_manager=OwnTaskManager(metadata={"texts": str(samples)}),
        apply_chat_template=chat,
        bootstrap_iters=0,
    )
    row = results["results"][task]
    assert row["score_validity_within,none"] is None
    assert row["score_validity_pooled,none"] is None
    assert row["score_validity_texts,none"] > 50


def test_texts_about_another_source_of_the_same_name_are_refused(
    evaluate: Callable[..., Results], samples: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.jsonl"
    lines = [json.loads(line) for line in samples.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        line["doc"]["source"] = "Another text."
    other.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    with pytest.raises(ValueError, match="is another one than in demo"):
        evaluate("profile_summarization_score_validity", texts=str(other))


def test_an_error_stands_beside_each_correlation(evaluate: Callable[..., Results]) -> None:
    task = "profile_document_qa_score_validity"
    row = evaluate(task)["results"][task]
    assert 0 < row["score_validity_pooled_stderr,none"] < 0.5


def test_texts_without_a_source_of_these_data_are_refused(
    evaluate: Callable[..., Results], samples: Path
) -> None:
    with pytest.raises(ValueError, match="have no source in common; give the settings of the run"):
        evaluate("profile_document_qa_score_validity", texts=str(samples))
    with pytest.raises(
        FileNotFoundError, match=r"nowhere\.jsonl: there is no such file of samples"
    ):
        evaluate("profile_document_qa_score_validity", texts="nowhere.jsonl")
