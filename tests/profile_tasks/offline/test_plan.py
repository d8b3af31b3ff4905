"""Evaluation through files: what is planned, and that the answers make the log of a live run."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import get_model

import profile_tasks._registry  # noqa: F401 - the tasks
from profile_tasks.offline.plan import AskedModel, Plan, PlanError, Step, begin, go_on
from profile_tasks.planted.batch import answers

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

TASKS = ("summarization", "instruction_following", "document_qa")
VERBOSE, GRADER = AskedModel(model="planted/verbose"), AskedModel(model="planted/grader")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "cache"))


def judging(**further: Any) -> Plan:
    """The smallest plan: 2 sources of 6 pairs in both orders, so 24 requests."""
    settings = {"setting": "discrimination", "limit": 2, **further}
    return Plan(task="summarization", model=VERBOSE, settings=settings)


def answered(step: Step, change: Callable[[dict[str, Any]], None] = lambda line: None) -> Path:
    """The requests of a step, answered by the planted models that they name, in one file."""
    (folder,) = {path.parent for path in step.requests}
    lines = [line for path in step.requests for line in path.read_text().splitlines()]
    found = [json.loads(line) for line in anyio.run(answers, lines)]
    for line in found:
        change(line)
    return write(folder.parent / f"answers-to-{folder.name}.jsonl", found)


def write(path: Path, lines: list[Any]) -> Path:
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return path


def lines_of(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def to_the_end(plan: Plan, folder: Path) -> tuple[EvalLog, list[int]]:
    """The log, and how many requests each plan on the way to it held."""
    step, files, asked = begin(plan, folder), list[Path](), list[int]()
    while step.log is None:
        asked.append(sum(step.requests.values()))
        files.append(answered(step))
        step = go_on(folder, files)
    return read_eval_log(str(step.log)), asked


def metrics(log: EvalLog) -> dict[str, str]:
    """Every metric; as text, in which one that is not defined equals itself."""
    assert log.results is not None
    return {n: repr(m.value) for score in log.results.scores for n, m in score.metrics.items()}


def measured(log: EvalLog) -> dict[tuple[Any, int], Any]:
    """What each sample measured, without the grader's name."""
    return {
        (sample.id, sample.epoch): json.loads(
            json.dumps((sample.scores or {})["factor_profile"].metadata).replace("offline/", "")
        )
        | {"grades": None, "grading": None}
        for sample in log.samples or ()
    }


# The known answer ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "task", ["summarization", *(pytest.param(task, marks=pytest.mark.slow) for task in TASKS[1:])]
)
def test_planted_models_through_files_give_the_live_run_metric_for_metric(
    task: str, tmp_path: Path, read_inspect_log: Callable[..., EvalLog]
) -> None:
    plan = Plan(task=task, model=VERBOSE, graders=(GRADER,), settings={"limit": 2})
    offline, asked = to_the_end(plan, tmp_path / "plan")
    live = read_inspect_log(task=task, grader="planted/grader", limit=2)
    assert metrics(offline) == metrics(live)
    assert measured(offline) == measured(live)
    assert len(metrics(live)) > 300
    assert len(asked) == 2  # writing and judging with what is known to grade; then what follows


@pytest.mark.slow
def test_so_do_models_whose_grader_is_asked_in_batches(
    tmp_path: Path, read_inspect_log: Callable[..., EvalLog]
) -> None:
    settings: dict[str, Any] = {"limit": 2, "grading": "batched"}
    plan = Plan(task="summarization", model=VERBOSE, graders=(GRADER,), settings=settings)
    offline, asked = to_the_end(plan, tmp_path / "plan")
    assert metrics(offline) == metrics(read_inspect_log(grader="planted/grader", **settings))
    assert len(asked) == 2


@pytest.mark.parametrize(
    "settings",
    [
        {"setting": "generation", "pairing": "adjacent", "scores": [1, 3, 5]},
        {"setting": "discrimination", "orders": 1},
        {"orders": 1, "own_pairs": False, "factors": "length,novel_words"},
        {"setting": "both", "seed": 3, "faulty_texts": "missing"},
    ],
)
def test_so_do_other_settings(
    settings: dict[str, Any], tmp_path: Path, read_inspect_log: Callable[..., EvalLog]
) -> None:
    settings = {"limit": 3, **settings}
    plan = Plan(task="document_qa", model=VERBOSE, settings=settings)
    offline, _ = to_the_end(plan, tmp_path / "plan")
    live = read_inspect_log(task="document_qa", **settings)
    assert metrics(offline) == metrics(live)
    assert measured(offline) == measured(live)


@pytest.mark.parametrize(
    ("task", "rounds"),
    [
        ("document_qa_self_guided", 2),
        pytest.param("summarization_judge_audit", 2, marks=pytest.mark.slow),
    ],
)
def test_so_do_other_tasks_in_as_many_plans_as_answers_build_on_answers(
    task: str, rounds: int, tmp_path: Path, read_inspect_log: Callable[..., EvalLog]
) -> None:
    settings: dict[str, Any] = {"limit": 2}
    offline, asked = to_the_end(
        Plan(task=task, model=VERBOSE, settings=settings), tmp_path / "plan"
    )
    assert metrics(offline) == metrics(read_inspect_log(task=task, **settings))
    assert len(asked) == rounds


def test_each_epoch_has_answers_of_its_own_and_shares_those_of_the_grader(tmp_path: Path) -> None:
    graded = {"limit": 2, "setting": "discrimination", "factors": "fluency"}
    plan = Plan(task="summarization", model=VERBOSE, graders=(GRADER,), settings=graded, epochs=2)
    step = begin(plan, tmp_path / "plan")
    assert {path.name: number for path, number in step.requests.items()} == {
        "planted-verbose.jsonl": 48,  # 2 sources x 6 pairs x 2 orders x 2 epochs
        "planted-grader.jsonl": 24,  # the same pairs and orders once: a live run has them cached
    }
    log = read_eval_log(str(go_on(tmp_path / "plan", [answered(step)]).log))
    assert len(log.samples or ()) == 4


def test_the_settings_of_a_model_reach_its_requests_and_change_them(tmp_path: Path) -> None:
    sent = {"temperature": 0.5, "max_tokens": 77, "extra_body": {"top_k": 3}}
    warm = AskedModel(model="planted/verbose", settings=sent)
    (path,) = begin(judging().model_copy(update={"model": warm}), tmp_path / "warm").requests
    line = lines_of(path)[0]
    assert set(line) == {"custom_id", "method", "url", "body"}
    assert (line["method"], line["url"]) == ("POST", "/v1/chat/completions")
    body = line["body"]
    assert (body["model"], body["temperature"], body["max_tokens"], body["top_k"]) == (
        *("planted/verbose", 0.5, 77, 3),
    )
    assert body["messages"][0]["role"] == "user"
    assert body["response_format"]["json_schema"]["name"] == "verdict"
    (other,) = begin(judging(), tmp_path / "cold").requests
    ids = [{line["custom_id"] for line in lines_of(each)} for each in (path, other)]
    assert len(ids[0]) == len(ids[1]) == 24
    assert not ids[0] & ids[1]


def test_the_log_says_what_it_is_made_of(tmp_path: Path) -> None:
    log, _ = to_the_end(judging(), tmp_path / "plan")
    assert log.eval.model == "offline/planted/verbose"
    said = (log.eval.metadata or {})["offline"]
    assert said["note"].startswith("OFFLINE: ")
    assert (said["answered"], said["missing"]) == (24, 0)
    assert re.fullmatch("[0-9a-f]{12}", said["plan"])
    output = next(e.output for e in (log.samples or [])[0].events if e.event == "model")
    assert (output.metadata or {})["offline"] == said["note"]
    assert output.usage is not None
    assert output.usage.input_tokens > 100
    again, _ = to_the_end(judging(), tmp_path / "again")
    assert (again.eval.metadata or {})["offline"] == said


def test_a_model_of_a_log_that_is_asked_something_new_says_what_to_do() -> None:
    with pytest.raises(ValueError, match="plan it: profile-tasks plan"):
        anyio.run(get_model("offline/planted/verbose").generate, "Hello?")


# Answers that are not as they should be -----------------------------------------------------------


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Step]:
    """A plan's folder, a file with all its answers, and where these lead."""
    folder = tmp_path_factory.mktemp("plans") / "plan"
    file = answered(begin(judging(), folder))
    return folder, file, go_on(folder, [file])


def test_order_and_files_do_not_matter(begun: tuple[Path, Path, Step], tmp_path: Path) -> None:
    folder, file, step = begun
    before = read_eval_log(str(step.log))
    lines = lines_of(file)
    lines = lines[::-1][7:] + lines[::-1][:7]
    parts = [write(tmp_path / f"{n}.jsonl", lines[n::3]) for n in (2, 0, 1)]
    again = go_on(folder, parts)
    assert not again.problems.counts
    log = read_eval_log(str(again.log))
    assert metrics(log) == metrics(before)
    assert measured(log) == measured(before)


def test_what_is_missing_is_told_and_asked_again_alone(
    begun: tuple[Path, Path, Step], tmp_path: Path
) -> None:
    folder, file, _ = begun
    lines = lines_of(file)
    step = go_on(folder, [write(tmp_path / "some.jsonl", lines[3:])])
    assert step.log is None
    assert step.problems.counts == {"lost": 3}
    told = [place.removeprefix("requests-1: ") for place in step.problems.places["lost"]]
    assert sorted(told) == sorted(line["custom_id"] for line in lines[:3])
    (path,) = step.requests
    assert path.parent.name == "requests-2"
    assert {each["custom_id"] for each in lines_of(path)} == set(told)
    assert go_on(folder, [tmp_path / "some.jsonl"]).requests == {path: 3}  # and not a third time
    done = go_on(folder, [tmp_path / "some.jsonl", answered(step)])
    assert metrics(read_eval_log(str(done.log))) == metrics(read_eval_log(str(begun[2].log)))


def test_a_plan_holds_all_that_can_be_asked_whatever_else_waits(tmp_path: Path) -> None:
    folder = tmp_path / "plan"
    plan = Plan(task="summarization", model=VERBOSE, graders=(GRADER,), settings={"limit": 1})
    step = begin(plan, folder)
    assert {path.name: number for path, number in step.requests.items()} == {
        "planted-verbose.jsonl": 17,  # 5 texts, 6 pairs in both orders
        "planted-grader.jsonl": 13,  # key facts of the source, the same pairs
    }
    file = answered(step)
    whole = sum(go_on(folder, [file]).requests.values())
    lines = lines_of(file)
    judged = next(n for n, line in enumerate(lines) if "fluency" in json.dumps(line["response"]))
    some = write(tmp_path / "some.jsonl", lines[:judged] + lines[judged + 1 :])
    assert sum(go_on(folder, [some]).requests.values()) == whole + 1


def test_a_failed_answer_is_told_with_its_place_and_gives_way_to_one_that_did_not_fail(
    begun: tuple[Path, Path, Step], tmp_path: Path
) -> None:
    folder, file, _ = begun
    lines = lines_of(file)
    refused = {"status_code": 429, "body": {"error": {"message": "slow down"}}}
    broken = {"status_code": 200, "body": {"choices": [{"message": 3}]}}
    hollow = {"status_code": 200, "body": {"choices": [{"message": {"content": 3}}]}}
    failing = [
        {"custom_id": lines[0]["custom_id"], "response": refused, "error": None},
        {"custom_id": lines[1]["custom_id"], "response": None, "error": {"message": "expired"}},
        {"custom_id": lines[2]["custom_id"], "response": broken, "error": None},
        {"custom_id": lines[3]["custom_id"], "response": hollow, "error": None},
    ]
    bad, rest = write(tmp_path / "bad.jsonl", failing), write(tmp_path / "rest.jsonl", lines[4:])
    step = go_on(folder, [bad, rest])
    assert step.problems.counts == {"failed": 4}
    assert sorted(step.problems.places["failed"]) == [
        f"{bad}:1: status 429: slow down: {lines[0]['custom_id']}",
        f"{bad}:2: expired: {lines[1]['custom_id']}",
        f"{bad}:3: its body is no chat completion with a choice: {lines[2]['custom_id']}",
        f"{bad}:4: its body is no chat completion with a choice: {lines[3]['custom_id']}",
    ]
    write(bad, failing[:3])
    for files in ([bad, file], [file, bad]):
        done = go_on(folder, files)
        assert done.log is not None
        assert not done.problems.counts


def test_two_answers_that_say_the_same_count_once_and_two_that_do_not_are_refused(
    begun: tuple[Path, Path, Step], tmp_path: Path
) -> None:
    folder, file, _ = begun
    line = lines_of(file)[4]
    line["response"]["body"] |= {"id": "another", "created": 7}  # sent again, with the same word
    twice = go_on(folder, [file, write(tmp_path / "twice.jsonl", [line])])
    assert twice.log is not None
    assert twice.problems.counts == {"equal": 1}
    line["response"]["body"]["choices"][0]["message"]["content"] = "Verdict: tie"
    other = write(tmp_path / "other.jsonl", [line])
    with pytest.raises(PlanError) as told:
        go_on(folder, [file, other])
    assert f"{other}:1: {line['custom_id']} (another in {file}:5)" in str(told.value)
    assert "remove one" in str(told.value)


def test_answers_of_another_plan_and_broken_lines_are_told_with_file_and_line(
    begun: tuple[Path, Path, Step], tmp_path: Path
) -> None:
    folder, file, _ = begun
    text = file.read_text(encoding="utf-8")
    foreign = {**lines_of(file)[0], "custom_id": "theirs"}
    other = write(tmp_path / "other.jsonl", [foreign, 5])
    cut = tmp_path / "cut.jsonl"
    cut.write_text("\ufeff" + text[:-40], encoding="utf-8")  # the last line is broken off
    step = go_on(folder, [other, cut])
    assert step.problems.counts == {"unknown": 1, "unreadable": 2, "lost": 1}
    assert step.problems.places["unknown"] == [f"{other}:1: theirs"]
    first, second = step.problems.places["unreadable"]
    assert first == f"{other}:2: no custom_id; expected a line of an OpenAI batch's output"
    assert second.startswith(f"{cut}:24: no JSON (")
    assert sum(step.requests.values()) == 1


def test_an_answer_that_a_limit_cut_off_counts_as_in_a_live_run_and_is_told(
    tmp_path: Path,
) -> None:
    settings = {"setting": "generation", "limit": 2}
    step = begin(Plan(task="summarization", model=VERBOSE, settings=settings), tmp_path / "plan")

    def cut(line: dict[str, Any]) -> None:
        line["response"]["body"]["choices"][0]["finish_reason"] = "length"

    done = go_on(tmp_path / "plan", [answered(step, cut)])
    assert done.problems.counts == {"cut off": 10}
    assert metrics(read_eval_log(str(done.log)))["generation_truncated_rate"] == "1.0"


def test_an_unreadable_verdict_is_asked_for_once_more_in_the_next_plan(
    tmp_path: Path,
) -> None:
    step = begin(judging(), tmp_path / "plan")

    def mumble(line: dict[str, Any]) -> None:
        line["response"]["body"]["choices"][0]["message"]["content"] = "Hm."

    first = answered(step, mumble)
    again = go_on(tmp_path / "plan", [first])
    (path,) = again.requests
    said = [message["content"] for message in lines_of(path)[0]["body"]["messages"]]
    assert len(lines_of(path)) == 24
    assert said[1] == "Hm."
    log = read_eval_log(str(go_on(tmp_path / "plan", [first, answered(again)]).log))
    assert metrics(log)["unreadable_rate"] == "0.0"


def test_missing_answers_that_are_allowed_are_missing_verdicts_and_never_ties(
    begun: tuple[Path, Path, Step], tmp_path: Path
) -> None:
    folder, file, full = begun
    lines = lines_of(file)
    some = write(tmp_path / "some.jsonl", lines[6:])
    step = go_on(folder, [some], allow_missing=True)
    assert step.problems.counts == {"lost": 6}
    log = read_eval_log(str(step.log))
    assert (log.eval.metadata or {})["offline"]["missing"] == 6
    assert metrics(log)["unreadable_rate"] == repr(6 / 24)
    kept, whole = measured(log), measured(read_eval_log(str(full.log)))
    picks = [
        (mine, theirs)
        for key in whole
        for both in zip(kept[key]["picks"], whole[key]["picks"], strict=True)
        for mine, theirs in zip(*both, strict=True)
    ]
    assert sum(mine is None for mine, _ in picks) == 6
    assert all(mine in (None, theirs) for mine, theirs in picks)


# Plans that cannot be used ------------------------------------------------------------------------


def test_a_plan_that_no_longer_fits_the_data_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "pairs.jsonl"
    row = {"task": "summarization", "prompt": "Sum up.", "source": "It left at nine.", "group": "g"}
    pair = {"response_a": "It left.", "response_b": "At nine.", "preference": "a"}
    write(data, [{"id": "p", **row, **pair}])
    plan = Plan(
        task="summarization",
        model=VERBOSE,
        settings={"dataset": str(data), "setting": "discrimination"},
    )
    file = answered(begin(plan, tmp_path / "plan"))
    write(data, [{"id": "p", **row, **pair, "response_a": "It is gone."}])
    with pytest.raises(
        PlanError, match=r"2 requests of .*requests-1 are not asked any more: the data"
    ):
        go_on(tmp_path / "plan", [file])
    data.unlink()
    with pytest.raises(PlanError, match=re.escape(str(data))):
        go_on(tmp_path / "plan", [file])


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"temprature": 1}, "'temprature' reaches no request; did you mean 'temperature'"),
        ({"max_connections": 3}, "'max_connections' reaches no request"),
        ({"extra_body": {"api_key": "sk-12345678"}}, "api_key is a key"),
        ({"temperature": "hot"}, "temperature"),
    ],
)
def test_settings_that_reach_no_request_are_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        AskedModel(model="m", settings=settings)


def test_a_folder_holds_one_plan_and_one_worker(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="begin with profile-tasks plan"):
        go_on(tmp_path, [])
    folder = tmp_path / "plan"
    with pytest.raises(PlanError, match="limt"):
        begin(judging(limt=3), folder)
    begin(judging(), folder)  # what was refused leaves no requests behind
    with pytest.raises(PlanError, match="holds the requests of a plan already"):
        begin(judging(), folder)
    (folder / "plan.json").write_text('{"task": "summarization"}')
    with pytest.raises(PlanError, match=r"plan.json: model: .*; plan anew"):
        go_on(folder, [])


def test_no_key_of_the_environment_reaches_a_file_or_what_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-3kXy9q3kXy9q")
    step = begin(judging(), tmp_path / "plan")

    def quote(line: dict[str, Any]) -> None:
        line["error"] = {"message": "no such key: sk-3kXy9q3kXy9q"}

    file = answered(step, quote)
    told = go_on(tmp_path / "plan", [file]).problems.places["failed"]
    assert "no such key: [API key]" in told[0]
    file.unlink()
    held = [p.read_bytes() for p in (tmp_path / "plan").rglob("*") if p.is_file()]
    assert not any(b"sk-3kX" in each for each in held)


# Broken off ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_killed_ingest_leaves_nothing_half_and_is_given_again(tmp_path: Path) -> None:
    folder = tmp_path / "plan"
    plan = judging(limit=12)
    file = answered(begin(plan, folder))
    command = [sys.executable, "-c", "from profile_tasks.cli import main; main()"]
    command += ["ingest", str(folder), str(file)]
    for moment in ("asked/index.sqlite", "logs/*.eval"):
        with subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as running:
            while running.poll() is None and not list(folder.glob(f".half-*/{moment}")):
                time.sleep(0.005)
            running.send_signal(signal.SIGKILL)
        assert running.returncode == -signal.SIGKILL
        assert list(folder.glob(".half-*"))
        assert not list(folder.glob("*.eval"))
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.eval")
    assert not list(folder.glob(".half-*"))
    log = read_eval_log(str(path))
    undisturbed = read_eval_log(str(go_on(folder, [file]).log))
    assert metrics(log) == metrics(undisturbed)
    assert measured(log) == measured(undisturbed)


def test_hostile_lines_cost_no_answer_and_are_told_in_one_line(tmp_path: Path) -> None:
    step = begin(judging(), tmp_path / "study")
    good = answered(step).read_bytes()
    hostile = tmp_path / "hostile.jsonl"
    ids = ["\ud800", "\x1b[2J\nTwo lines" + "x" * 9000]
    unknown = [json.dumps({"custom_id": each}).encode() for each in ids]
    hostile.write_bytes(b"\n".join([b"[" * 200_000, *unknown, good]))
    step = go_on(tmp_path / "study", [hostile])
    assert step.log is not None
    assert step.problems.counts == {"unreadable": 1, "unknown": 2}
    told = [place for places in step.problems.places.values() for place in places]
    assert all(place.isprintable() and len(place) < len(str(hostile)) + 150 for place in told)


def test_why_a_request_failed_is_told_in_one_line(tmp_path: Path) -> None:
    step = begin(judging(), tmp_path / "study")

    def failed(line: dict[str, Any]) -> None:
        line |= {"response": None, "error": {"message": "\x1b[2J\nno \ud800 quota" * 99}}

    step = go_on(tmp_path / "study", [answered(step, failed)])
    assert step.problems.counts["failed"] == sum(step.requests.values())
    assert all(place.isprintable() for place in step.problems.places["failed"])


def test_each_model_has_a_file_of_its_own_whatever_its_name(tmp_path: Path) -> None:
    names = ["Some/model", "some-model", ".."]
    graders = tuple(AskedModel(model=name) for name in names)
    plan = Plan(task="summarization", model=VERBOSE, graders=graders, settings={"limit": 1})
    asked = begin(plan, tmp_path / "study").requests
    models = [{line["body"]["model"] for line in lines_of(path)} for path in asked]
    assert sorted(map(sorted, models)) == sorted([[VERBOSE.model], *([name] for name in names)])
    assert len({path.name.casefold() for path in asked}) == 4
    assert not any(path.name.startswith(".") for path in asked)
