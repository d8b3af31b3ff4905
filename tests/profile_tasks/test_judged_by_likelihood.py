"""Judging by likelihood in every task: known answers, lm-eval's numbers, refusals, what is told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import eval as inspect_eval
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import GenerateConfig, ModelAPI, ModelOutput, get_model, modelapi
from inspect_ai.tool import ToolChoice, ToolInfo

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.planted.annotator import PlantedAnnotator, planted_profile
from profile_tasks.runs.compare import compare_runs
from profile_tasks.runs.inspect_log import read_run
from profile_tasks.scorers.inspect.profile_scorer import measurement_of
from profile_tasks.scorers.inspect.self_guided_scorer import ranking_of
from profile_tasks.solvers.both_orders import pair_requests
from profile_tasks.solvers.requests import parse_request
from profile_tasks.solvers.score_conditioned_generation import written_responses

TASKS = ("summarization", "instruction_following", "document_qa")
"""Those with a name of their own in Inspect."""

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

LIKELY = {"judge_by": "likelihood"}


def metrics(log: EvalLog) -> dict[str, float]:
    assert log.results is not None, log.error
    return {name: metric.value for name, metric in log.results.scores[0].metrics.items()}


def liking(annotated: AnnotatedSource, first: str, second: str, profile: str = "verbose") -> float:
    """How much better the planted annotator finds the first text, in units of utility."""
    annotator = PlantedAnnotator(planted_profile(profile))
    return annotator.difference(pair_requests(annotated, first, second)[0])


# Known answers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("task", TASKS)
def test_the_margins_are_the_planted_utilities_in_both_orders(
    read_inspect_log: Callable[..., EvalLog], task: str
) -> None:
    log = read_inspect_log("verbose", task, **LIKELY)
    for sample in log.samples or ():
        annotated = AnnotatedSource.model_validate(sample.metadata)
        measured = measurement_of(sample.scores["factor_profile"])
        expected = [liking(annotated, p.response_a, p.response_b) for p in annotated.pairs]
        assert measured.margins == tuple(
            (pytest.approx(d, abs=1e-9), pytest.approx(-d, abs=1e-9)) for d in expected
        )
        assert measured.discrimination == tuple((d > 0) - (d < 0) for d in expected)
        # Its own pairs likewise: the first is the text for the higher score.
        texts, _ = written_responses(sample.store)
        for (pair, verdict), margins in zip(
            measured.own_verdicts or (), measured.own_margins or (), strict=True
        ):
            if not pair.identical:
                own = liking(annotated, texts[pair.higher], texts[pair.lower])
                assert margins == (pytest.approx(own, abs=1e-9), pytest.approx(-own, abs=1e-9))
                assert verdict.preference == (own > 0) - (own < 0)
    found = metrics(log)
    assert found["tau_own_length"] > 0.9
    assert found["unreadable_rate"] == found["own_unreadable_rate"] == found["verdict_repairs"] == 0
    assert "discrimination_accuracy_tie_calibrated" in found


@pytest.mark.parametrize("task", TASKS)
def test_the_numbers_are_those_of_lm_evals_likelihood_task(
    read_inspect_log: Callable[..., EvalLog], lm_eval_results: Callable[..., Path], task: str
) -> None:
    name = f"profile_{task}_discrimination_loglikelihood"
    row = json.loads(lm_eval_results("verbose", name).read_text("utf-8"))["results"][name]
    found = metrics(read_inspect_log("verbose", task, setting="discrimination", **LIKELY))
    shared = {key.removesuffix(",none") for key in row} & found.keys()
    assert {"tau_discrimination_length", "discrimination_tie_threshold"} <= shared
    for metric in shared:
        if row[f"{metric},none"] is not None:
            assert found[metric] == pytest.approx(row[f"{metric},none"], rel=0, abs=1e-9), metric


def test_winners_of_a_tournament_are_what_the_judge_finds_likelier(
    read_inspect_log: Callable[..., EvalLog],
) -> None:
    task = "document_qa_self_guided"
    log = read_inspect_log("concise", task, limit=6, **LIKELY)
    assert log.eval.metadata["requests_per_source"] == 4 + 2 * 4 * 3
    for sample in log.samples or ():
        ranking = ranking_of(sample.scores["self_guided_ranking"])
        annotated = AnnotatedSource.model_validate(sample.metadata)
        assert ranking.judge_by == "likelihood"
        assert ranking.requests == 4 + 4 * len(ranking.matches)
        assert "by likelihood" in (sample.scores["self_guided_ranking"].explanation or "")
        for match in ranking.matches:
            first, second = (ranking.samples[i].text or "" for i in (match.first, match.second))
            better = liking(annotated, first, second, "concise")
            assert match.margins == pytest.approx((better, -better), abs=1e-9)
            assert match.preference == (better > 0) - (better < 0)
    assert metrics(log)["tau_self_guided_length"] == -1


def test_compliance_and_revisions_are_judged_so_too(
    read_inspect_log: Callable[..., EvalLog], inspect_log: Callable[..., Path]
) -> None:
    written = str(inspect_log("verbose", setting="generation"))
    validity = read_inspect_log(
        "verbose", "summarization_score_validity", texts=written, measure="compliance", **LIKELY
    )
    assert metrics(validity)["score_compliance"] == 1
    for sample in validity.samples or ():
        told = (sample.scores["text_validity"].metadata or {})["margins"]
        assert told == [pytest.approx(-told[1]), pytest.approx(-told[0])]
        assert told[0] > 0
    feedback = read_inspect_log(
        "verbose", "summarization_feedback", condition="none", limit=4, **LIKELY
    )
    for sample in feedback.samples or ():
        (revision,) = sample.store["revised_draft"]["revisions"].values()
        assert bool(revision["margins"]) is (
            revision["text"] != sample.store["revised_draft"]["draft"]
        )


# Refusals ----------------------------------------------------------------------------------------


def spoken(task: str, folder: Path, **arguments: Any) -> EvalLog:
    model = get_model("mockllm/model", memoize=False)
    (log,) = inspect_eval(
        f"profile_tasks/{task}", model=model, task_args=arguments, log_dir=str(folder),
        display="none",
    )  # fmt: skip
    return log


@pytest.mark.parametrize(
    "task",
    ["summarization", "document_qa_self_guided", "summarization_score_validity",
     "summarization_feedback"],
)  # fmt: skip
def test_a_model_that_tells_no_likelihoods_is_refused_in_one_line(
    task: str, tmp_path: Path
) -> None:
    more = {"measure": "compliance"} if "validity" in task else {}
    with pytest.raises(Exception, match="-T judge_by=words, which needs none") as refused:
        spoken(task, tmp_path, limit=2, **more, **LIKELY)
    assert str(refused.value).startswith("mockllm/model gives no log-likelihoods of given texts")
    assert "\n" not in str(refused.value)


def test_a_model_that_only_writes_is_asked_for_no_likelihoods(
    tmp_path: Path, tokenless: None
) -> None:
    log = spoken("summarization", tmp_path, limit=1, setting="generation", **LIKELY)
    assert log.status == "success", log.error


class Broken(ModelAPI):
    """Tells likelihoods of which one is none, or refuses to tell one."""

    def log_likelihood(self, request: str, text: str) -> float:
        from profile_tasks.solvers.log_likelihood import RequestRefusedError

        if self.model_name == "nan":
            return float("nan")
        parsed = parse_request(request)
        if "A" in text and len(parsed.response_a) > len(parsed.response_b):
            raise RequestRefusedError("too long")
        return -1.0 if "A" in text else -2.0

    async def generate(
        self,
        input: Any,  # noqa: A002 - Inspect's own name
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        raise NotImplementedError


@pytest.fixture(scope="module", autouse=True)
def broken() -> None:
    modelapi(name="broken")(Broken)


def judged(model: str, folder: Path) -> EvalLog:
    (log,) = inspect_eval(
        "profile_tasks/summarization", model=model, log_dir=str(folder), display="none",
        task_args={"limit": 2, "setting": "discrimination", **LIKELY},
    )  # fmt: skip
    return log


def test_an_order_that_cannot_be_told_leaves_the_verdict_missing(tmp_path: Path) -> None:
    log = read_eval_log(judged("broken/long", tmp_path).location)
    assert log.status == "success", log.error
    for sample in log.samples or ():
        measured = measurement_of(sample.scores["factor_profile"])
        for verdict in measured.verdicts or ():
            # One response of each pair is the longer one, in one order of two.
            assert verdict.margins == ()
            assert verdict.unreadable == 1
            assert verdict.preference is None
    assert metrics(log)["unreadable_rate"] == 0.5


def test_a_likelihood_that_is_no_number_ends_the_run(tmp_path: Path) -> None:
    log = judged("broken/nan", tmp_path)
    assert log.status == "error"
    assert "a log-likelihood is nan; the model's outputs are broken" in log.error.message


# What is told ------------------------------------------------------------------------------------


def test_the_log_says_how_it_was_judged_and_older_ones_were_judged_in_words(
    inspect_log: Callable[..., Path], older_log: Path
) -> None:
    likely = read_run(str(inspect_log("verbose", **LIKELY)))
    assert (
        likely.conditions["judged_by"]
        == likely.settings["judge_by"]
        == likely.described["the model judged by"]
        == "likelihood"
    )
    assert read_run(str(older_log)).conditions["judged_by"] == "words"
    wrote = read_run(str(inspect_log("verbose", setting="generation")))
    assert "judged_by" not in wrote.conditions


def test_a_comparison_and_a_board_of_both_kinds_say_so(
    inspect_log: Callable[..., Path], tmp_path: Path
) -> None:
    from click.testing import CliRunner

    from profile_tasks.cli import main

    logs = inspect_log("verbose", **LIKELY), inspect_log("verbose")
    likely, spoken_ = (read_run(str(log)) for log in logs)
    said = "A judged by likelihood and B in words"
    assert said in " ".join(compare_runs(likely, spoken_, replicates=100)["notes"])
    assert said not in " ".join(compare_runs(likely, likely, replicates=100)["notes"])
    done = CliRunner().invoke(main, ["leaderboard", *map(str, logs)])
    assert done.exit_code == 0, done.output
    # Both rows stand: a newer run in words measured something else.
    assert "differ in judged by: " in " ".join(done.output.split())
    done = CliRunner().invoke(main, ["leaderboard", *map(str, logs), "--format", "md"])
    assert "both, by likelihood" in done.output
    page = tmp_path / "report.html"
    done = CliRunner().invoke(main, ["report", *map(str, logs), "-o", str(page)])
    assert done.exit_code == 0, done.output
    assert "(judged by log-likelihood)" in page.read_text("utf-8")
    assert said in page.read_text("utf-8")


def test_exported_pairs_say_how_they_were_judged(
    inspect_log: Callable[..., Path], tmp_path: Path
) -> None:
    from click.testing import CliRunner

    from profile_tasks.cli import main

    log = inspect_log("concise", "document_qa_self_guided", limit=6, **LIKELY)
    folder = tmp_path / "data"
    done = CliRunner().invoke(
        main, ["export", str(log), "--format", "dpo", "--output", str(folder)]
    )
    assert done.exit_code == 0, done.output
    assert "likelihood" in (folder / "README.md").read_text("utf-8")
    (about,) = json.loads((folder / "card.json").read_text("utf-8"))["inputs"]
    assert about["judged by"] == "likelihood"
