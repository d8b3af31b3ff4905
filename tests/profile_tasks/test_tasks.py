"""The three Inspect tasks, run end to end against the planted annotator."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from inspect_ai import eval as inspect_eval
from inspect_ai import eval_retry, score
from inspect_ai.log import EvalLog, EvalScore, read_eval_log, recompute_metrics
from inspect_ai.model import ModelOutput, get_model

from profile_tasks.document_qa import document_qa
from profile_tasks.instruction_following import instruction_following
from profile_tasks.scorers.inspect.complete_log import complete_log
from profile_tasks.summarization import summarization

TASKS = ("summarization", "instruction_following", "document_qa")
"""Those with a name of their own in Inspect."""

# What one task shows, the others show among the slow tests.
FIRST_AND_SLOW = [TASKS[0], *(pytest.param(task, marks=pytest.mark.slow) for task in TASKS[1:])]
pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

BUILD = {
    "summarization": summarization,
    "instruction_following": instruction_following,
    "document_qa": document_qa,
}
ReadLog = Callable[..., EvalLog]
FILES = {
    "summarization": "tldr_llmeval2.jsonl",
    "instruction_following": "pandalm.jsonl",
    "document_qa": "qa_feedback.jsonl",
}


def run(task: str, tmp_path: Path, model: str = "planted/verbose", **arguments: object) -> EvalLog:
    model_args = arguments.pop("model_args", {})
    (log,) = inspect_eval(
        BUILD[task],
        task_args=arguments,
        model=get_model(model, memoize=False, **model_args),
        log_dir=str(tmp_path / "logs"),
        display="none",
        log_realtime=False,
    )
    assert log.status == "success", log.error
    return log


def result(log: EvalLog) -> EvalScore:
    assert log.results is not None
    (only,) = log.results.scores
    return only


def metrics(log: EvalLog) -> dict[str, float]:
    return {name: metric.value for name, metric in result(log).metrics.items()}


@pytest.mark.parametrize("task", TASKS)
def test_each_task_runs_on_its_demo_data(task: str, read_inspect_log: ReadLog) -> None:
    log = read_inspect_log("verbose", task)
    found = metrics(log)
    assert log.eval.dataset.samples == 24
    assert found["unreadable_rate"] == 0
    assert found["generation_missing_rate"] == 0
    assert found["tau_discrimination_length"] >= 0.5
    assert found["tau_generation_length"] >= 0.5


@pytest.mark.parametrize("task", TASKS)
def test_each_task_runs_on_real_preferences(task: str, tmp_path: Path, shared_data: Path) -> None:
    log = run(task, tmp_path, dataset=str(shared_data / FILES[task]), limit=10)
    assert metrics(log)["tau_discrimination_length"] > 0


@pytest.mark.parametrize("task", FIRST_AND_SLOW)
@pytest.mark.parametrize("weight", [1.0, -1.0])
def test_without_noise_the_only_weight_is_recovered_exactly(
    task: str, weight: float, tmp_path: Path
) -> None:
    only = {"weights": {"length": weight}, "temperature": 0.0}
    log = run(task, tmp_path, model_args=only, limit=8)
    profile = result(log).metadata["profile"]
    for perspective in ("discrimination", "generation"):
        length = profile[perspective]["factors"]["length"]
        with_sign = (length["concordant"], length["discordant"])
        assert with_sign[weight < 0] > 0
        assert with_sign[weight > 0] == 0
        # Pairs of equal length are ties of this annotator: both orders pick the first.
        assert length["tied"] == 0
        assert metrics(log)[f"tau_{perspective}_length"] == weight


@pytest.mark.parametrize("task", FIRST_AND_SLOW)
def test_verbose_and_concise_are_ordered_as_named(task: str, read_inspect_log: ReadLog) -> None:
    verbose, concise = (
        metrics(read_inspect_log(profile, task)) for profile in ("verbose", "concise")
    )
    for perspective in ("discrimination", "generation"):
        name = f"tau_{perspective}_length"
        assert concise[name] <= -0.5
        assert verbose[name] >= 0.5
    assert verbose["tau_human_length"] == concise["tau_human_length"]


def test_the_headline_is_first_and_the_printed_table_fits_a_screen(
    read_inspect_log: ReadLog,
) -> None:
    log = read_inspect_log("verbose", "summarization")
    assert log.results is not None
    assert log.results.headline is not None
    assert log.results.headline.metric == "self_agreement_pearson"
    assert next(iter(metrics(log))) == "self_agreement_pearson"
    recompute_metrics(log)  # what the scorer itself returns, and Inspect prints
    assert 10 < len(metrics(log)) <= 24


def test_the_log_file_holds_the_full_profile_and_that_of_another_run_the_same(
    tmp_path: Path, read_inspect_log: ReadLog
) -> None:
    returned = run("summarization", tmp_path)
    log = read_eval_log(returned.location)
    found = metrics(log)
    assert found == pytest.approx(metrics(returned), nan_ok=True)
    another = metrics(read_inspect_log("verbose", "summarization"))
    assert found == pytest.approx(another, nan_ok=True, abs=0)
    assert log.eval.metadata is not None
    for factor in log.eval.metadata["factors"]:
        for perspective in ("human", "generation", "discrimination"):
            name = f"tau_{perspective}_{factor}"
            assert found[f"{name}_ci_low"] <= found[name] <= found[f"{name}_ci_high"]
    assert all("," not in name and "/" not in name for name in found)
    counts = result(log).metadata["profile"]["human"]["factors"]["length"]
    assert counts["concordant"] + counts["discordant"] + counts["tied"] + counts["missing"] == 132


def test_printed_and_full_metrics_are_the_same_numbers(tmp_path: Path) -> None:
    log = run("document_qa", tmp_path, seed=5, limit=8)
    full = metrics(log)
    recompute_metrics(log)
    printed = metrics(log)
    assert printed == pytest.approx({name: full[name] for name in printed}, nan_ok=True)


def test_what_is_not_defined_has_its_reason_in_the_log(tmp_path: Path) -> None:
    log = run("summarization", tmp_path, factors="length,readability", limit=9)
    assert str(metrics(log)["alignment_discrimination_tau_b"]) == "nan"
    reasons = result(log).metadata["profile"]["reasons"]
    assert "3" in reasons["alignment_discrimination_tau_b"]
    assert "alignment_gap_tau_b" in reasons
    assert "tau_human_length" not in reasons


def test_a_factor_that_is_not_defined_for_the_language_has_that_reason_in_the_log(
    tmp_path: Path,
) -> None:
    rows = [
        {"id": f"{i}", "prompt": "p", "source": "今天下雨。我们在家。", "preference": "a"}
        | {"response_a": "今天下雨。我们在家。", "response_b": "今天下雨。"}
        for i in range(9)
    ]
    file = tmp_path / "chinese.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    log = run("summarization", tmp_path, dataset=str(file), factors="length,readability")
    profile = result(log).metadata["profile"]
    assert metrics(log)["tau_human_length"] == 1
    assert profile["human"]["factors"]["length"]["unit"].startswith("words (grapheme clusters")
    for reason in (
        profile["reasons"]["tau_human_readability"],
        profile["human"]["factors"]["readability"]["reason"],
    ):
        assert "it is defined for responses mostly in Latin script" in reason


def test_a_log_can_be_completed_again_after_rescoring(read_inspect_log: ReadLog) -> None:
    log = read_inspect_log("verbose", "document_qa")
    full = metrics(log)
    recompute_metrics(log)
    assert len(metrics(log)) < len(full)
    assert metrics(complete_log(log)) == pytest.approx(full, nan_ok=True)


def test_completing_an_older_log_gives_todays_numbers(
    older_log: Path, read_inspect_log: ReadLog
) -> None:
    today = metrics(read_inspect_log("verbose", own_pairs=False))
    completed = metrics(complete_log(read_eval_log(str(older_log))))
    assert {name: completed[name] for name in today} == pytest.approx(today, nan_ok=True)


def test_the_order_of_samples_does_not_matter(read_inspect_log: ReadLog) -> None:
    log = read_inspect_log("verbose", "summarization")
    before = metrics(log)
    assert log.samples is not None
    log.samples.reverse()
    recompute_metrics(log)
    after = metrics(log)
    assert after == pytest.approx({name: before[name] for name in after}, nan_ok=True)


@pytest.mark.parametrize(
    ("setting", "absent"), [("generation", "discrimination"), ("discrimination", "generation")]
)
def test_one_setting_alone_measures_only_that(
    setting: str, absent: str, read_inspect_log: ReadLog
) -> None:
    found = metrics(read_inspect_log("verbose", "summarization", setting=setting))
    assert not [name for name in found if absent in name or "gap" in name or "_own_" in f"_{name}"]
    assert next(iter(found)) == f"alignment_{setting}_tau_b"


def test_scores_pairing_and_orders_set_the_number_of_requests(tmp_path: Path) -> None:
    log = run("document_qa", tmp_path, scores="1,3,5", pairing="adjacent", orders=1, limit=2)
    assert log.samples is not None
    for sample in log.samples:
        assert sum(event.event == "model" for event in sample.events) == 3 + 6 + 2
        assert [
            (pair["higher"], pair["lower"])
            for pair in sample.scores["factor_profile"].metadata["pairs_written"]
        ] == [(3, 1), (5, 3)]


def test_own_pairs_are_judged_unless_it_is_said_otherwise(
    tmp_path: Path, read_inspect_log: ReadLog
) -> None:
    without = metrics(run("document_qa", tmp_path, own_pairs=False))
    judged = metrics(read_inspect_log("verbose", "document_qa"))
    added = judged.keys() - without.keys()
    assert {"tau_own_length", "tau_own_length_ci_low", "own_flip_rate"} <= added
    assert without == pytest.approx({name: judged[name] for name in without}, nan_ok=True, abs=0)


def test_a_judge_of_its_own_texts_follows_the_factors_that_it_wrote_by(
    tmp_path: Path, read_inspect_log: ReadLog
) -> None:
    same = metrics(read_inspect_log("balanced", "summarization"))
    weights = {"length": 1.0, "markdown": 0.5}
    opposite = metrics(
        run(
            "summarization",
            tmp_path,
            limit=12,
            model_args={
                "weights": weights,
                "judging_weights": {factor: -weight for factor, weight in weights.items()},
                "temperature": 0.0,
            },
        )
    )
    written = [name for name in same if name.startswith("tau_generation_") and "_ci" not in name]
    compared = 0
    for name in written:
        if "_p_" not in name:
            own = name.replace("generation", "own")
            assert same[own] == pytest.approx(same[name], abs=0.12), name
            # Without noise it judges every pair against the order in which it wrote it.
            assert opposite[own] == pytest.approx(-opposite[name], abs=1e-12), name
            compared += 1
    assert compared == 8
    assert opposite["tau_generation_length"] == 1


def test_epochs_count_human_preferences_once(tmp_path: Path) -> None:
    once = run("document_qa", tmp_path, limit=4)
    (twice,) = inspect_eval(
        document_qa(limit=4),
        model="planted/verbose",
        epochs=2,
        log_dir=str(tmp_path / "twice"),
        display="none",
        log_realtime=False,
    )
    profile = result(twice).metadata["profile"]
    assert profile["human"] == result(once).metadata["profile"]["human"]
    assert profile["generation"]["n_pairs"] == 2 * 40


def test_the_log_says_how_factors_were_chosen_and_that_the_model_is_simulated(
    tmp_path: Path,
) -> None:
    log = run("summarization", tmp_path, limit=2)
    assert log.eval.metadata is not None
    assert "surface factors" in log.eval.metadata["factors_note"]
    assert log.samples is not None
    outputs = [e.output for e in log.samples[0].events if e.event == "model"]
    assert all("simulated" in output.metadata["simulation"] for output in outputs)


def test_rescoring_a_log_makes_no_model_call(tmp_path: Path) -> None:
    log = run("summarization", tmp_path, limit=3)
    before = metrics(log)
    from profile_tasks.scorers.inspect.profile_scorer import factor_profile

    rescored = score(
        log,
        factor_profile(task="summarization", factors="auto"),
        action="overwrite",
        display="none",
    )
    assert rescored.samples is not None
    for name, value in metrics(rescored).items():
        if "_ci_" not in name:
            assert value == pytest.approx(before[name], nan_ok=True)


def answers(*texts: str) -> object:
    return get_model(
        "mockllm/model",
        custom_outputs=(
            ModelOutput.from_content("mockllm/model", text) for text in _forever(texts)
        ),
        memoize=False,
    )


def _forever(texts: tuple[str, ...]) -> object:
    while True:
        yield from texts


def judge_with(model: object, tmp_path: Path, **arguments: object) -> EvalLog:
    (log,) = inspect_eval(
        summarization(setting="discrimination", limit=3, **arguments),
        model=model,
        log_dir=str(tmp_path / "logs"),
        display="none",
        log_realtime=False,
        max_connections=1,
    )
    assert log.status == "success", log.error
    return log


@pytest.mark.slow
def test_a_log_is_scored_again_without_naming_its_scorer(
    inspect_log: Callable[..., Path], tmp_path: Path
) -> None:
    again = tmp_path / "again.eval"
    again.write_bytes(inspect_log("verbose").read_bytes())
    done = subprocess.run(
        [sys.executable, "-m", "inspect_ai", "score", str(again), "--overwrite",
         "--action", "overwrite"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tau_discrimination_length" in done.stdout


@pytest.mark.usefixtures("tokenless")
def test_unreadable_verdicts_are_missing_and_never_ties(tmp_path: Path) -> None:
    log = judge_with(answers("I cannot decide between them."), tmp_path)
    found = metrics(log)
    assert found["unreadable_rate"] == 1
    assert "discrimination" not in result(log).metadata["profile"] or (
        result(log).metadata["profile"]["discrimination"]["n_pairs"] == 0
    )
    assert str(found["alignment_discrimination_tau_b"]) == "nan"


@pytest.mark.usefixtures("tokenless")
def test_a_model_that_always_picks_the_first_flips_every_pair(tmp_path: Path) -> None:
    found = metrics(judge_with(answers("Verdict: A"), tmp_path))
    assert found["flip_rate"] == 1
    assert found["first_position_rate"] == 1
    assert found["unreadable_rate"] == 0


@pytest.mark.usefixtures("tokenless")
def test_empty_responses_are_missing_and_counted(tmp_path: Path) -> None:
    (log,) = inspect_eval(
        summarization(setting="generation", limit=2),
        model=answers(""),
        log_dir=str(tmp_path / "logs"),
        display="none",
        log_realtime=False,
    )
    assert log.status == "success", log.error
    found = metrics(log)
    assert found["generation_missing_rate"] == 1
    assert str(found["alignment_generation_tau_b"]) == "nan"


@pytest.mark.usefixtures("tokenless")
def test_identical_responses_tie_on_every_factor_and_are_counted(tmp_path: Path) -> None:
    (log,) = inspect_eval(
        summarization(setting="generation", limit=2),
        model=answers("The same few words."),
        log_dir=str(tmp_path / "logs"),
        display="none",
        log_realtime=False,
    )
    found = metrics(log)
    assert found["generation_identical_rate"] == 1
    assert found["tau_generation_length"] == 0
    assert result(log).metadata["profile"]["generation"]["factors"]["length"]["tied"] == 20


@pytest.mark.usefixtures("tokenless")
def test_of_its_own_equal_texts_the_model_is_not_asked(tmp_path: Path) -> None:
    (log,) = inspect_eval(
        summarization(limit=2),
        model=answers("Verdict: A"),
        log_dir=str(tmp_path / "logs"),
        display="none",
        log_realtime=False,
    )
    assert log.samples is not None
    for sample in log.samples:
        pairs = len(sample.metadata["pairs"])
        assert sum(event.event == "model" for event in sample.events) == 5 + 2 * pairs
    own = result(log).metadata["profile"]["own"]
    assert (own["n_pairs"], own["n_preference_ties"]) == (0, 20)
    assert str(metrics(log)["own_flip_rate"]) == "nan"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"setting": "all"}, "setting is 'all'. Must be one of: both, generation, discrimination"),
        ({"pairing": "some"}, "pairing is 'some'. Must be one of: all, half, adjacent"),
        ({"orders": 3}, "orders is 3. Must be one of: 1, 2"),
        ({"orders": True}, "orders is True. Must be one of: 1, 2"),
        ({"seed": -1}, "seed is -1; expected a whole number of at least 0"),
        ({"seed": "abc"}, "seed is 'abc'; expected a whole number of at least 0"),
        ({"limit": "many"}, "limit is 'many'; expected a whole number of at least 1"),
        ({"limit": 2.5}, "limit is 2.5; expected a whole number of at least 1"),
        ({"max_pairs_per_source": 0}, "max_pairs_per_source is 0; expected a whole number"),
        ({"skip_bad_rows": "maybe"}, "skip_bad_rows is 'maybe'; expected true or false"),
        ({"factors": None}, "factors is None; expected auto, core, surface, all"),
        ({"factors": "auto,length"}, "'auto' stands alone"),
        ({"scores": "3"}, "scores is '3'; expected at least two different whole numbers"),
        ({"scores": "1,1,2"}, "expected at least two different whole numbers"),
        ({"scores": "low,high"}, "expected at least two different whole numbers"),
        ({"factors": "charm"}, "charm"),
        ({"dataset": "nowhere"}, "Must be one of"),
        ({"dataset": "nowhere.jsonl"}, "nowhere.jsonl"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message.replace(".", r"\.").replace("'", ".")):
        summarization(**arguments)


def test_data_of_another_task_are_refused(shared_data: Path) -> None:
    with pytest.raises(ValueError, match="document_qa"):
        summarization(dataset=str(shared_data / "qa_feedback.jsonl"))


def test_summaries_cannot_be_written_without_sources(shared_data: Path) -> None:
    with pytest.raises(ValueError, match="setting=discrimination"):
        summarization(dataset=str(shared_data / "booookscore.jsonl"))


def test_unjoined_sources_ask_for_the_side_file(shared_data: Path) -> None:
    with pytest.raises(ValueError, match="sources=FILE"):
        document_qa(dataset=str(shared_data / "squality_qa.jsonl"))
    joined = document_qa(
        dataset=str(shared_data / "squality_qa.jsonl"),
        sources=str(shared_data / "squality_sources.jsonl"),
        limit=2,
    )
    assert len(joined.dataset) == 2


def test_skipped_rows_are_counted_in_the_log(tmp_path: Path) -> None:
    good = {
        "id": "1", "prompt": "Summarize.", "source": "A long text. With two sentences.",
        "response_a": "One.", "response_b": "One two.", "preference": "b",
    }  # fmt: skip
    rows = [good, {**good, "id": "2", "preference": "A>B"}]
    file = tmp_path / "pairs.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows))
    log = run("summarization", tmp_path, dataset=str(file), skip_bad_rows=True)
    assert log.eval.metadata is not None
    assert log.eval.metadata["skipped_rows"] == 1
    assert "A>B" in log.eval.metadata["first_skipped_rows"][0]


def test_a_retried_evaluation_has_the_profile_of_all_its_samples(tmp_path: Path) -> None:
    failing = {"left": 20}

    def sometimes(*_: object) -> ModelOutput:
        failing["left"] -= 1
        if failing["left"] == 0:
            raise RuntimeError("the provider broke")
        output = ModelOutput.from_content("mockllm/model", "Verdict: A")
        output.usage = None
        return output

    from inspect_ai.model import ModelAPI

    with pytest.MonkeyPatch.context() as patch:

        async def words(self: ModelAPI, text: str) -> int:
            return len(text.split())

        patch.setattr(ModelAPI, "count_text_tokens", words)
        model = get_model("mockllm/model", custom_outputs=sometimes, memoize=False)
        (broken,) = inspect_eval(
            summarization(setting="discrimination", limit=3),
            model=model,
            log_dir=str(tmp_path / "logs"),
            display="none",
            log_realtime=False,
            max_samples=1,
        )
        assert broken.status == "error"
        (retried,) = eval_retry(
            broken, log_dir=str(tmp_path / "logs"), display="none", log_realtime=False
        )
    assert retried.status == "success"
    assert result(retried).metadata["profile"]["human"]["n_groups"] == 3
