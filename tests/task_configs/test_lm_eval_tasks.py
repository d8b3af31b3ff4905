"""The lm-eval tasks: the numbers of Inspect and of the command line, source by source."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from inspect_ai import eval as inspect_eval
from inspect_ai.model import get_model

from profile_tasks.cli import main
from profile_tasks.planted.annotator import PlantedAnnotator
from profile_tasks.scorers.statistics.study import GAP
from profile_tasks.summarization import summarization

TASKS = ("summarization", "instruction_following", "document_qa")
"""Those with a name of their own in lm-eval."""

pytestmark = pytest.mark.filterwarnings("ignore")  # both harnesses and their dependencies warn

Results = dict[str, Any]
PROFILE = "verbose"


@pytest.fixture(scope="module")
def evaluate() -> Callable[..., Results]:
    """Run lm-eval's own evaluation over this project's tasks with a planted annotator."""
    from lm_eval import simple_evaluate

    from profile_tasks.lm_eval_runner.run import OwnTaskManager

    def evaluate(*tasks: str, first: int | None = None, **metadata: Any) -> Results:
        results = simple_evaluate(
            model="planted",
            model_args={"profile": PROFILE},
            tasks=list(tasks),
            task_manager=OwnTaskManager(metadata=metadata),
            limit=first,
            bootstrap_iters=0,
        )
        assert results is not None
        return results

    return evaluate


def values(results: Results, task: str) -> dict[str, float]:
    """Metric -> value, without the filter in its name."""
    return {
        name.removesuffix(",none"): value
        for name, value in results["results"][task].items()
        if name.endswith(",none") and not name.endswith("_stderr,none")
    }


def inspect_values(log: Any) -> dict[str, float]:
    (score,) = log.results.scores
    return {name: metric.value for name, metric in score.metrics.items()}


@pytest.mark.parametrize("task", TASKS)
def test_inspect_and_lm_eval_give_the_same_numbers(
    evaluate: Callable[..., Results], read_inspect_log: Callable[..., Any], task: str
) -> None:
    theirs = inspect_values(read_inspect_log(PROFILE, task))
    results = evaluate(f"profile_{task}")
    compared = 0
    for kind in ("generation", "discrimination"):
        for name, value in values(results, f"profile_{task}_{kind}").items():
            if name not in ("measured_sources", "measured_groups"):
                expected = theirs[name]
                if value is None:
                    assert math.isnan(expected), name
                else:
                    assert value == pytest.approx(expected, rel=0, abs=1e-12), name
                compared += 1
    assert compared > 100
    assert GAP in values(results, f"profile_{task}_discrimination")


THOUGHTS = (
    "{}",
    "<think>Perhaps the other one. Verdict: B</think>\n{}",
    "[THINK]Verdict: A? Hm.[/THINK]{}",
    "It was opened by the template. Verdict: A.</think>\n\n{}",
    "<think>\nVerdict: B, or rather {}",  # without an end, as of an answer that was cut off
)
"""What a model may think aloud before its answer."""


def test_thoughts_change_no_number_and_cut_off_ones_hold_none(
    evaluate: Callable[..., Results], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = PlantedAnnotator.answer

    def aloud(self: PlantedAnnotator, request: str, *others: Any) -> str:
        form = THOUGHTS[sum(request.encode()) % len(THOUGHTS)]
        return form.format(answer(self, request, *others))

    monkeypatch.setattr(PlantedAnnotator, "answer", aloud)
    (log,) = inspect_eval(
        summarization(own_pairs=False), model=get_model(f"planted/{PROFILE}", memoize=False),
        log_dir=str(tmp_path), display="none", log_realtime=False,
    )  # fmt: skip
    theirs = inspect_values(log)
    results = evaluate("profile_summarization")
    assert 0 < theirs["unreadable_rate"] < 0.5
    assert 0 < theirs["generation_missing_rate"] < 0.5
    compared = 0
    for kind in ("generation", "discrimination"):
        for name, value in values(results, f"profile_summarization_{kind}").items():
            if name not in ("measured_sources", "measured_groups") and value is not None:
                assert value == pytest.approx(theirs[name], rel=0, abs=1e-12), name
                compared += 1
    assert compared > 100


def test_the_command_line_gives_the_same_human_profile(evaluate: Callable[..., Results]) -> None:
    run = CliRunner().invoke(
        main,
        ["influence", "demo", "--task", "document_qa", "--replicates", "1000", "--format", "json"],
    )
    found = values(evaluate("profile_document_qa_generation"), "profile_document_qa_generation")
    factors = json.loads(run.stdout)["factors"]
    assert len(factors) >= 8
    for factor, record in factors.items():
        for key, name in (("tau", ""), ("ci_low", "_ci_low"), ("ci_high", "_ci_high")):
            assert found[f"tau_human_{factor}{name}"] == pytest.approx(record[key], abs=1e-12)


def test_a_limit_cuts_between_sources(evaluate: Callable[..., Results]) -> None:
    results = evaluate("profile_summarization_generation", first=3)
    task = "profile_summarization_generation"
    assert values(results, task)["measured_sources"] == 3
    assert {len(sample["resps"]) for sample in results["samples"][task]} == {5}


def test_the_settings_are_those_of_inspect(
    evaluate: Callable[..., Results], read_inspect_log: Callable[..., Any]
) -> None:
    settings = {"factors": "length,readability,markdown", "limit": 9, "pairing": "half"}
    theirs = inspect_values(read_inspect_log(PROFILE, **settings))
    task = "profile_summarization_generation"
    found = values(evaluate(task, **settings), task)
    assert found["measured_sources"] == 9
    assert found["measured_groups"] == 9
    assert set(found) - {"measured_sources", "measured_groups"} <= set(theirs)
    for name in ("tau_generation_length", "alignment_generation_pearson"):
        assert found[name] == pytest.approx(theirs[name], abs=1e-12)


def test_no_gap_is_left_over_from_an_earlier_evaluation(evaluate: Callable[..., Results]) -> None:
    both = evaluate("profile_summarization")
    assert GAP in values(both, "profile_summarization_discrimination")
    alone = evaluate("profile_summarization_discrimination")
    assert GAP not in values(alone, "profile_summarization_discrimination")


def test_no_gap_is_left_over_from_an_evaluation_that_failed(
    evaluate: Callable[..., Results], monkeypatch: pytest.MonkeyPatch
) -> None:
    from profile_tasks.task_configs.planted_lm import PlantedLM

    def fail(*_: object, **__: object) -> None:
        raise ConnectionError("gone")

    with monkeypatch.context() as broken:
        broken.setattr(PlantedLM, "generate_until", fail)
        with pytest.raises(ConnectionError):
            evaluate("profile_summarization")
    alone = evaluate("profile_summarization_generation")
    assert GAP not in values(alone, "profile_summarization_generation")


def test_every_metric_has_its_error_where_it_has_an_interval(
    evaluate: Callable[..., Results],
) -> None:
    task = "profile_summarization_generation"
    row = evaluate(task)["results"][task]
    assert 0 < row["tau_human_length_stderr,none"] < 0.5
    assert row["tau_human_length_ci_low_stderr,none"] == "N/A"
    # A bootstrap of an alignment holds the sampling noise twice.
    assert row["alignment_generation_pearson_stderr,none"] == "N/A"


def test_results_are_strict_json(evaluate: Callable[..., Results]) -> None:
    # Two sources allow no interval: nothing of that may become NaN, which JSON does not have.
    results = evaluate("profile_instruction_following", first=2)
    json.dumps(results["results"], allow_nan=False)
    found = values(results, "profile_instruction_following_generation")
    assert found["tau_human_length_ci_low"] is None


def test_a_sample_holds_its_measurement_once(evaluate: Callable[..., Results]) -> None:
    task = "profile_summarization_generation"
    (sample, *_) = evaluate(task, first=2)["samples"][task]
    assert sample["measured_sources"]["factors"][0] == "length"
    assert str(sample["tau_human_length"]) == sample["measured_sources"]["source_id"]


def test_factors_that_need_a_grader_are_refused_with_the_way_out(
    evaluate: Callable[..., Results],
) -> None:
    with pytest.raises(ValueError, match="need a grader, which lm-eval does not have"):
        evaluate("profile_summarization_generation", factors="core")


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"factor": "length"}, "metadata 'factor' is no setting; did you mean 'factors'"),
        ({"limit": 0}, "metadata 'limit' is 0; expected a whole number of at least 1"),
        ({"pairing": "none"}, "metadata 'pairing' is 'none'. Must be one of: all, half, adjacent"),
        ({"orders": 3}, "metadata 'orders' is 3. Must be one of: 1, 2"),
        ({"factors": []}, "metadata 'factors' is []"),
        ({"skip_bad_rows": "yes"}, "metadata 'skip_bad_rows' is 'yes'; expected true or false"),
    ],
)
def test_wrong_settings_are_named(
    evaluate: Callable[..., Results], metadata: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match="metadata") as error:
        evaluate("profile_summarization_generation", **metadata)
    assert message in str(error.value)


def test_likelihoods_give_the_noise_free_verdicts(evaluate: Callable[..., Results]) -> None:
    # Without noise the planted annotator says what it finds more likely.
    from lm_eval import simple_evaluate

    from profile_tasks.lm_eval_runner.run import OwnTaskManager

    spoken, likely = (
        values(
            simple_evaluate(
                model="planted",
                model_args={"profile": PROFILE, "temperature": 0.0},
                tasks=[name],
                task_manager=OwnTaskManager(),
                bootstrap_iters=0,
            ),
            name,
        )
        for name in (
            "profile_document_qa_discrimination",
            "profile_document_qa_discrimination_loglikelihood",
        )
    )
    of_margins = {"discrimination_accuracy_tie_calibrated", "discrimination_tie_threshold"}
    assert set(likely) - of_margins == set(spoken)
    # Where both are as likely it has to say one of them, and says it in both orders: a flip.
    by_order = {name for name in spoken if name.startswith(("flip_rate", "first_position_rate"))}
    assert (likely["flip_rate"], likely["first_position_rate"]) == (0, 0.5)
    for name in spoken.keys() - by_order:
        assert likely[name] == pytest.approx(spoken[name], abs=1e-12), name


@pytest.mark.parametrize("liking", [9.0, -9.0])
def test_of_likelihoods_a_liking_for_a_position_cancels_and_the_longer_response_is_left(
    liking: float, tmp_path: Path
) -> None:
    from lm_eval import simple_evaluate

    from profile_tasks.lm_eval_runner.run import OwnTaskManager
    from profile_tasks.planted.annotator import PlantedAnnotator, planted_profile
    from profile_tasks.task_configs.planted_lm import PlantedLM

    class Biased(PlantedLM):
        """Likes a position by far more than it likes a longer response."""

        def loglikelihood(self, requests: Any, **options: object) -> list[tuple[float, bool]]:
            return [
                (told + liking * request.args[1].endswith("A"), likely)
                for request, (told, likely) in zip(
                    requests, super().loglikelihood(requests, **options), strict=True
                )
            ]

    model = Biased(profile="verbose")
    model.annotator = PlantedAnnotator(planted_profile("verbose", {"length": 1.0}, 0.0))
    rows = [
        {
            "id": f"{n}", "prompt": "Why?", "source": "Because.", "preference": "ab"[n % 2],
            "response_a": "word " * (n % 3 + 1), "response_b": "word " * (6 - n % 3),
        }
        for n in range(9)
    ]  # fmt: skip
    data = tmp_path / "pairs.jsonl"
    data.write_text("\n".join(map(json.dumps, rows)))
    task = "profile_document_qa_discrimination_loglikelihood"
    settings = {"dataset": str(data), "factors": "length,markdown,lexical_diversity"}
    manager = OwnTaskManager(metadata=settings)
    results = simple_evaluate(model=model, tasks=[task], task_manager=manager, bootstrap_iters=0)
    found = values(results, task)
    # In either order it names the position that it likes, so that its words would say nothing.
    assert (found["flip_rate"], found["first_position_rate"]) == (1, liking > 0)
    assert found["tau_discrimination_length"] == 1
    (sample,) = results["samples"][task]
    margins = sample["measured_sources"]["margins"]
    assert len(margins) == len(rows)
    # The response that is recorded first is the shorter one of each pair.
    assert all(recorded < liking < swapped for recorded, swapped in margins)


def test_a_misspelt_argument_of_the_planted_model_is_refused_with_the_nearest() -> None:
    from profile_tasks.task_configs.planted_lm import PlantedLM

    PlantedLM.create_from_arg_string("weight_length=2", {"batch_size": 4, "device": "cpu"})
    with pytest.raises(ValueError, match="profle is no model argument of planted; did you mean"):
        PlantedLM.create_from_arg_string("profle=verbose")
