"""A real model, SmolLM2-135M-Instruct, in both harnesses: what it is asked, how that is counted.

Not how good it is: 135 million parameters in four bits repeat themselves and follow the position.
"""

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import eval as inspect_eval
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import GenerateConfig, Model, get_model

from profile_tasks.data.preferences import AnnotatedSource, load_preferences
from profile_tasks.planted.grader_request import is_grader_request
from profile_tasks.runs.inspect_log import read_run, with_measurements
from profile_tasks.runs.reading import read_answers
from profile_tasks.runs.run import AnsweredSource
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement
from profile_tasks.solvers.both_orders import discrimination_requests
from profile_tasks.solvers.own_pairs import OwnPairs
from profile_tasks.solvers.requests import GenerationRequest
from profile_tasks.solvers.verdict import read_pick

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # both harnesses warn

TASKS = ("summarization", "instruction_following", "document_qa")
BOTH = "instruction_following"
"""The task of the shortest requests, which both harnesses and all kinds of model run."""

SCORES, TOKENS = (1, 5), 64
DATA = {"limit": 2, "max_pairs_per_source": 1}
SETTINGS = DATA | {"scores": ",".join(map(str, SCORES))}
MOST_ECHOES = 0.75
"""Share of texts; in the runs seen, 0 to 0.5."""
PICKED = {"A": "first", "B": "second"}


def metrics(log: EvalLog) -> dict[str, float]:
    assert log.status == "success", log.error
    assert log.results is not None
    return {name: metric.value for name, metric in log.results.scores[0].metrics.items()}


def in_log(log: EvalLog) -> list[tuple[AnsweredSource, SourceMeasurement]]:
    """What was written about each source, and what was measured, as reports read them."""
    measured = with_measurements(read_run(log.location)).measurements
    return list(zip(read_answers(log.location), measured, strict=True))


def evaluate(task: str, model: Model, folder: Path, **arguments: Any) -> EvalLog:
    """Run one task greedily, one request after the other, within so many tokens."""
    (log,) = inspect_eval(
        f"profile_tasks/{task}", model=model, task_args=arguments, temperature=0,
        max_tokens=TOKENS, max_connections=1, max_samples=1, log_dir=str(folder), display="none",
        log_realtime=False,
    )  # fmt: skip
    return read_eval_log(log.location)


def lm_eval(folder: Path, *arguments: object) -> tuple[dict[str, dict[str, Any]], Path]:
    """Run lm-eval in a process of its own; task -> metric -> value, and the folder of samples."""
    done = subprocess.run(
        [sys.executable, "-c", "from profile_tasks.cli import main; main()", "lm-eval",
         *map(str, arguments), "--apply_chat_template", "--metadata", json.dumps(SETTINGS),
         "--log_samples", "--output_path", str(folder)],
        check=False, capture_output=True, text=True, cwd=folder,
        env=os.environ | {"OPENAI_API_KEY": "none", "HF_HUB_OFFLINE": "1"}
        | {"NO_PROXY": "127.0.0.1", "PYTHONPATH": str(Path(__file__).parents[1])},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = folder.rglob("results_*.json")
    results = json.loads(file.read_text("utf-8"))["results"]
    return {
        task: {name.removesuffix(",none"): value for name, value in row.items()}
        for task, row in results.items()
    }, file.parent


def samples(folder: Path, task: str) -> list[dict[str, Any]]:
    (file,) = folder.glob(f"samples_{task}_20*.jsonl")
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def same_numbers(found: Mapping[str, float], others: Mapping[str, Any]) -> int:
    """How many numbers both have, each the same one; what one cannot define, the other cannot."""
    both = found.keys() & others.keys()
    defined = [name for name in both if not math.isnan(found[name])]
    assert {name for name in both if others[name] is None} == both - {*defined}
    for name in defined:
        assert others[name] == pytest.approx(found[name], abs=1e-9), name
    return len(defined)


# Served -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(smollm2: Any) -> Iterator[Any]:
    """The real server, with all that goes through."""
    with smollm2.served() as address, smollm2.Recorder(address).listening() as recorder:
        yield recorder


def served_model(server: Any, **config: Any) -> Model:
    return get_model(
        "openai-api/local/smollm2", base_url=server.address, api_key="none", memoize=False,
        config=GenerateConfig(max_retries=0, **config),
    )  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A finished run, and what went through."""

    log: EvalLog
    exchanges: list[Any]

    @property
    def answers(self) -> dict[str, Any]:
        """Request -> the exchange with its answer."""
        return {each.body["messages"][0]["content"]: each for each in self.exchanges}


@pytest.fixture(scope="module", params=TASKS)
def asked(request: pytest.FixtureRequest, asked_of: Any) -> tuple[str, Asked]:
    return request.param, asked_of(request.param)


@pytest.fixture(scope="module")
def asked_of(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Inspect's run of a task, made when it is first wanted."""
    made: dict[str, Asked] = {}

    def of(task: str) -> Asked:
        if task not in made:
            start = len(server.exchanges)
            log = evaluate(task, served_model(server), tmp_path_factory.mktemp(task), **SETTINGS)
            made[task] = Asked(log, server.exchanges[start:])
        return made[task]

    return of


def sources(task: str) -> dict[str, AnnotatedSource]:
    return {each.id: each for each in load_preferences("demo", task=task, **DATA).sources}


def writing(source: AnnotatedSource) -> dict[int, str]:
    """Target score -> what is asked for."""
    return {
        score: GenerationRequest(source.task, source.prompt, source.source, score).render()
        for score in SCORES
    }


def test_the_server_is_asked_what_the_task_says_and_nothing_else(asked: tuple[str, Asked]) -> None:
    task, run = asked
    wanted = []
    for source in sources(task).values():
        requests = writing(source)
        wanted += requests.values()
        wanted += [each.render() for each in discrimination_requests(source, 2)]
        written = {score: run.answers[text].answer.strip() for score, text in requests.items()}
        wanted += [each.render() for each in OwnPairs(source, written, "all", 2).requests()]
    sent = [each.body["messages"] for each in run.exchanges]
    assert sorted(each[0]["content"] for each in sent if len(each) == 1) == sorted(wanted)
    assert {each.status for each in run.exchanges} == {200}


def test_settings_and_the_form_of_a_verdict_reach_the_server(asked: tuple[str, Asked]) -> None:
    task, run = asked
    texts = {text for source in sources(task).values() for text in writing(source).values()}
    for each in run.exchanges:
        assert each.body["model"] == "smollm2"
        assert (each.body["temperature"], each.body["max_tokens"]) == (0, TOKENS)
        form = each.body.get("response_format")
        if each.body["messages"][0]["content"] in texts:
            assert form is None
        else:
            schema = form["json_schema"]["schema"]
            assert schema["properties"]["verdict"]["enum"] == ["A", "B"]


def test_the_log_holds_what_the_server_answered(asked: tuple[str, Asked]) -> None:
    task, run = asked
    answers = run.answers
    for answered, found in in_log(run.log):
        source = sources(task)[found.source_id]
        said = {score: answers[text].answer.strip() for score, text in writing(source).items()}
        assert answered.responses == said
        assert found.picks is not None
        assert found.picks[0] == tuple(
            PICKED[json.loads(answers[each.render()].answer)["verdict"]]
            for each in discrimination_requests(source, 2)
        )


def test_the_rates_are_those_of_the_answers(asked: tuple[str, Asked]) -> None:
    task, run = asked
    found = metrics(run.log)
    texts = [
        run.answers[text] for source in sources(task).values() for text in writing(source).values()
    ]
    cut = [each.reply["choices"][0]["finish_reason"] == "length" for each in texts]
    assert found["generation_missing_rate"] == 0
    assert found["generation_truncated_rate"] == sum(cut) / len(cut)
    assert found["unreadable_rate"] == 0  # the server holds every verdict to its form
    assert all(each.verdict_repairs == 0 for _, each in in_log(run.log))
    assert found["generation_echo_rate"] <= MOST_ECHOES
    assert found["words_at_score_1"] > 0


@pytest.fixture(scope="module")
def asked_in_lm_eval(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The results, the folder of the samples, and what went through."""
    start, folder = len(server.exchanges), tmp_path_factory.mktemp("lm-eval")
    results, written = lm_eval(
        folder, "--model", "local-chat-completions", "--model_args",
        f"base_url={server.address}/chat/completions,model=smollm2,max_retries=1,"
        "tokenizer_backend=none",
        "--tasks", f"profile_{BOTH}", "--gen_kwargs", f"max_gen_toks={TOKENS}",
    )  # fmt: skip
    return results, written, server.exchanges[start:]


def test_lm_eval_asks_for_the_same_texts_and_gets_the_same_numbers(
    asked_of: Any, asked_in_lm_eval: Any
) -> None:
    run, (results, _, exchanges) = asked_of(BOTH), asked_in_lm_eval
    answers = {each.body["messages"][0]["content"]: each for each in exchanges}
    for source in sources(BOTH).values():
        for text in writing(source).values():
            here, there = answers[text].body, run.answers[text].body
            assert [here[name] for name in ("messages", "max_tokens", "temperature")] == [
                there[name] for name in ("messages", "max_tokens", "temperature")
            ]
            assert answers[text].answer == run.answers[text].answer
    assert same_numbers(metrics(run.log), results[f"profile_{BOTH}_generation"]) > 15


def test_lm_eval_asks_in_words_and_reads_what_was_answered(asked_in_lm_eval: Any) -> None:
    results, folder, exchanges = asked_in_lm_eval
    answers = {each.body["messages"][0]["content"]: each for each in exchanges}
    picks: list[str | None] = []
    for sample in samples(folder, f"profile_{BOTH}_discrimination"):
        source = sources(BOTH)[sample["doc"]["id"]]
        requests = discrimination_requests(source, 2)
        assert not any("response_format" in answers[each.render()].body for each in requests)
        said = [answers[each.render()].answer for each in requests]
        read = [
            read_pick(text, material=each.material)
            for text, each in zip(said, requests, strict=True)
        ]
        bare = [PICKED.get(text.strip().removeprefix("Verdict: ")) for text in said]
        assert all(pick in (None, found) for pick, found in zip(bare, read, strict=True))
        picks += read
        assert [text for (text,) in sample["resps"]] == said
    found = results[f"profile_{BOTH}_discrimination"]
    assert found["unreadable_rate"] == picks.count(None) / len(picks)
    readable = [pick for pick in picks if pick is not None]
    if readable:
        assert found["first_position_rate"] == readable.count("first") / len(readable)


def test_as_grader_what_cannot_be_read_is_missing_and_counted(server: Any, tmp_path: Path) -> None:
    start = len(server.exchanges)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "cache"))
        (log,) = inspect_eval(
            "profile_tasks/instruction_following",
            task_args={"limit": 1, "max_pairs_per_source": 1, "setting": "discrimination"}
            | {"factors": "length,fluency,receptiveness,number_of_facts"},
            model="planted/verbose",
            model_roles={"grader": served_model(server, max_tokens=TOKENS, temperature=0)},
            max_connections=1, log_dir=str(tmp_path), display="none", log_realtime=False,
        )  # fmt: skip
    found, sent = metrics(log), server.exchanges[start:]
    assert all(is_grader_request(each.body["messages"][-1]["content"]) for each in sent[:2])
    assert all(each.status == 200 and "response_format" in each.body for each in sent)
    assert found["grader_requests"] == len(sent)
    (measurement,) = with_measurements(read_run(log.location)).measurements
    shown = dict(zip(measurement.factors, measurement.annotated[0], strict=True))
    for factor, grading in measurement.grading.items():
        assert (shown[factor] is None) == bool(grading.missing)
        if grading.flipped:
            assert shown[factor] == 0
    missing = sum(grading.missing for grading in measurement.grading.values())
    assert found["grader_missing"] == missing
    # A list of facts that the token limit cuts off was asked for once more, then given up.
    cut = [each.reply["choices"][0]["finish_reason"] == "length" for each in sent]
    assert missing <= sum(cut)
    assert found["grader_repairs"] <= sum(cut)


# As float32 weights -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def weights(smollm2: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    for library in ("torch", "transformers", "accelerate", "gguf"):
        pytest.importorskip(library, reason=f"{library} is missing: pip install '.[hf]' gguf")
    return Path(smollm2.float32(tmp_path_factory.mktemp("smollm2") / "float32"))


@pytest.fixture(scope="module")
def local_in_lm_eval(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    kinds = ("generation", "discrimination_loglikelihood", "score_validity")
    return lm_eval(
        tmp_path_factory.mktemp("hf"), "--model", "hf", "--device", "cpu",
        "--model_args", f"pretrained={weights},dtype=float32",
        "--tasks", ",".join(f"profile_{BOTH}_{kind}" for kind in kinds),
        "--gen_kwargs", f"max_gen_toks={TOKENS}",
    )  # fmt: skip


@pytest.fixture(scope="module")
def local(weights: Path) -> Model:
    return get_model(
        "hf/smollm2", model_path=str(weights), device="cpu", do_sample=False, memoize=False
    )


def test_a_local_model_writes_the_same_in_both_harnesses(
    local: Model, local_in_lm_eval: Any, tmp_path: Path
) -> None:
    log = evaluate(BOTH, local, tmp_path, setting="generation", **SETTINGS)
    results, folder = local_in_lm_eval
    logged = samples(folder, f"profile_{BOTH}_generation")
    for (answered, _), sample in zip(in_log(log), logged, strict=True):
        assert answered.source.id == sample["doc"]["id"]
        assert list(answered.responses.values()) == [text.strip() for (text,) in sample["resps"]]
    assert same_numbers(metrics(log), results[f"profile_{BOTH}_generation"]) > 15
    assert metrics(log)["generation_missing_rate"] == 0


def test_by_likelihood_it_has_a_verdict_on_every_pair(local_in_lm_eval: Any) -> None:
    results, folder = local_in_lm_eval
    found = results[f"profile_{BOTH}_discrimination_loglikelihood"]
    assert found["unreadable_rate"] == 0
    for sample in samples(folder, f"profile_{BOTH}_discrimination_loglikelihood"):
        told = [float(value) for ((value, _),) in sample["resps"]]
        assert len(told) == 4
        assert len(set(told)) > 1
        assert all(value < 0 for value in told)


def test_by_likelihood_it_judges_the_same_in_both_harnesses(
    local: Model, local_in_lm_eval: Any, tmp_path: Path
) -> None:
    log = evaluate(BOTH, local, tmp_path, setting="discrimination", judge_by="likelihood", **DATA)
    others = local_in_lm_eval[0][f"profile_{BOTH}_discrimination_loglikelihood"]
    assert same_numbers(metrics(log), others) > 15


def test_score_validity_is_the_same_in_both_harnesses(
    local: Model, local_in_lm_eval: Any, tmp_path: Path
) -> None:
    log = evaluate(f"{BOTH}_score_validity", local, tmp_path, measure="likelihood", **DATA)
    found, others = metrics(log), local_in_lm_eval[0][f"profile_{BOTH}_score_validity"]
    assert found["score_validity_texts"] == 4
    assert found["score_validity_pooled"] == pytest.approx(
        others["score_validity_pooled"], abs=1e-4
    )
