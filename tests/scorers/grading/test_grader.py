"""The grader over a real socket: whatever a server does, verdicts are right or counted missing."""

import json
import shlex
import shutil
import time
import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import pytest
from inspect_ai import Task, score
from inspect_ai import eval as inspect_eval
from inspect_ai.log import EvalLog, EvalScore, read_eval_log, write_eval_log
from inspect_ai.model import GenerateConfig, get_model

from profile_tasks.scorers.factors.taxonomy import load_taxonomy
from profile_tasks.scorers.grading.grader import Grader, grader_warning
from profile_tasks.scorers.grading.record import SourceGrades
from profile_tasks.scorers.grading.requests import SourceToGrade, grade_source
from profile_tasks.scorers.inspect.complete_log import complete_log
from profile_tasks.scorers.inspect.profile_scorer import factor_profile
from profile_tasks.summarization import summarization
from profile_tasks.tasks.grader_validation import grader_validation

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

PAIR = {
    "id": "p",
    "prompt": "Summarize.",
    "source": "The ferry sank. Nobody was hurt. The inquiry goes on.",
    "response_a": "The ferry sank. Nobody was hurt at all.",
    "response_b": "A ferry sank.",
    "preference": "a",
}
OTHER = PAIR | {"id": "q", "source": "Two cats slept. One woke.", "response_b": "Cats slept."}
JUDGED = {"fluency", "coherence", "intent_alignment", "formality_alignment"}
SHARES = {"hallucination", "off_focus"}
RIGHT = (
    dict.fromkeys(JUDGED, 1)
    | dict.fromkeys(SHARES, 0)
    | {"number_of_facts": 1, "source_coverage": 0}
)
"""What the proper answers come to: a shows more of everything judged, and has one fact more."""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def evaluate(server: Any, tmp_path: Path) -> Callable[..., EvalLog]:
    """Evaluate the planted judge on pairs, graded by the server."""

    def evaluate(
        *rows: dict[str, str],
        model: object = "planted/verbose",
        roles: Any = None,
        **arguments: Any,
    ) -> EvalLog:
        (log,) = inspect_eval(
            summarization,
            task_args={"setting": "discrimination", "factors": "core"}
            | {"dataset": data(tmp_path, *rows or (PAIR,))}
            | arguments,
            model=model,
            model_roles={"grader": server.model(max_retries=0)} if roles is None else roles,
            log_dir=str(tmp_path / "logs"),
            display="none",
            log_realtime=False,
        )
        assert log.status == "success", log.error
        return log

    return evaluate


def data(folder: Path, *rows: dict[str, str]) -> str:
    file = folder / "pairs.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    return str(file)


def result(log: EvalLog) -> EvalScore:
    assert log.results is not None
    (only,) = log.results.scores
    return only


def metrics(log: EvalLog) -> dict[str, float]:
    return {name: metric.value for name, metric in result(log).metrics.items()}


def measured(log: EvalLog) -> dict[str, Any]:
    assert log.samples
    assert log.samples[0].scores
    metadata = log.samples[0].scores["factor_profile"].metadata
    assert metadata is not None
    return metadata


def grades(log: EvalLog) -> SourceGrades:
    return SourceGrades.model_validate(measured(log)["grades"])


def signs(log: EvalLog) -> dict[str, int | None]:
    """Manifestations of the one pair, of the graded factors."""
    record = measured(log)
    found = dict(zip(record["factors"], record["annotated"][0], strict=True))
    return {factor: sign for factor, sign in found.items() if factor in RIGHT}


def is_recorded_order(asked: Any) -> bool:
    return asked.kind == "judged" and asked.sections["first_response"] == PAIR["response_a"]


def changed(**entries: object) -> Callable[[str], str]:
    """The proper answer with some of its entries changed; None takes one out."""

    def change(text: str) -> str:
        content = json.loads(text) | entries
        return json.dumps({name: entry for name, entry in content.items() if entry is not None})

    return change


def relabelled(**labels: object) -> Callable[[str], str]:
    """The same for the first fact."""

    def change(text: str) -> str:
        content = json.loads(text)
        content["facts"][0] = json.loads(changed(**labels)(json.dumps(content["facts"][0])))
        return json.dumps(content)

    return change


# Name -> kind of request that is answered badly, the bad answer, which factors it leaves missing.
# Of judged requests only that in the recorded order, of facts requests only that of response a.
BAD = {
    "wrong enum": ("judged", {"text": changed(fluency="A")}, {"fluency"}),
    "missing factor": ("judged", {"text": changed(fluency=None)}, {"fluency"}),
    "not a word": (
        "judged",
        {"text": changed(fluency=1, coherence=None)},
        {"fluency", "coherence"},
    ),
    "truncated": ("judged", {"text": lambda text: text[:-9], "finish": "length"}, JUDGED),
    "empty": ("judged", {"text": lambda _: ""}, JUDGED),
    "no choices": ("judged", {"no_choices": True}, JUDGED),
    "no object": ("judged", {"text": lambda _: '"first"'}, JUDGED),
    "only words": ("judged", {"text": lambda _: "Both are equal."}, JUDGED),
    "refusal in words": (
        "judged",
        {"text": lambda _: "I'm sorry, I can't help with that."},
        JUDGED,
    ),
    "refusal": ("judged", {"refusal": "I can't help with that."}, JUDGED),
    "content filter": ("judged", {"text": lambda text: text, "finish": "content_filter"}, JUDGED),
    "wrong label": ("facts", {"text": relabelled(hallucination="tie")}, {"hallucination"}),
    "missing label": ("facts", {"text": relabelled(off_focus=None)}, {"off_focus"}),
    "wrong numbers": ("facts", {"text": changed(covered=[9])}, {"source_coverage"}),
    "truncated facts": (
        "facts",
        {"text": lambda text: text[:-20], "finish": "length"},
        SHARES | {"number_of_facts", "source_coverage"},
    ),
    "no key facts": ("key_facts", {"text": changed(key_facts="none")}, {"source_coverage"}),
}


def badly(server: Any, name: str, *, repairs_too: bool) -> None:
    """Let the server answer one request badly."""
    kind, behaviour, _ = BAD[name]

    def script(asked: Any) -> object:
        ours = (
            asked.kind == kind
            and {
                "judged": lambda: is_recorded_order(asked),
                "facts": lambda: asked.sections["response"] == PAIR["response_a"],
                "key_facts": lambda: True,
            }[kind]()
        )
        if not ours or (asked.is_repair and not repairs_too):
            return None
        values = dict(behaviour)
        if "text" in values:
            values["text"] = values["text"](server.proper(asked))
        return server.Behaviour(**values)

    server.script = script


def test_structured_output_is_asked_for_and_read(server: Any, evaluate: Any) -> None:
    log = evaluate()
    assert signs(log) == RIGHT
    assert (grades(log).requests, grades(log).repairs, grades(log).problems) == (5, 0, ())
    found = metrics(log)
    assert found["grader_missing"] == found["grader_missing_rate"] == found["grader_repairs"] == 0
    assert found["grader_requests"] == len(server.asked) == 5
    for asked in server.asked:
        assert asked.body["response_format"]["json_schema"]["strict"] is True
        assert asked.schema["additionalProperties"] is False
        assert asked.schema["required"] == list(asked.schema["properties"]) == list(asked.form)
        assert asked.body["temperature"] == 0
        assert asked.key == server.key


@pytest.mark.parametrize(
    "around",
    [
        "Here you are:\n\n{}\n\nLet me know if you need more.",
        "I compared them.\n```\n{}\n```",
        "<think>Is {{this}} better?</think>\n{}",
        "Perhaps {{first}}?</think>{}",
    ],
)
def test_prose_around_the_object_changes_nothing(around: str, server: Any, evaluate: Any) -> None:
    server.script = lambda asked: server.Behaviour(text=around.format(server.proper(asked)))
    log = evaluate()
    assert signs(log) == RIGHT
    assert (grades(log).requests, grades(log).repairs) == (5, 0)


@pytest.mark.parametrize("name", BAD)
def test_what_stays_unreadable_is_missing_and_counted(
    name: str, server: Any, evaluate: Any
) -> None:
    badly(server, name, repairs_too=True)
    log = evaluate()
    _, _, missing = BAD[name]
    assert signs(log) == RIGHT | dict.fromkeys(missing)
    found, counts = metrics(log), result(log).metadata["profile"]["human"]["factors"]
    for factor, sign in RIGHT.items():
        assert counts[factor]["missing"] == (factor in missing)
        assert counts[factor]["tied"] == (factor not in missing and sign == 0)
        assert (found[f"grader_missing_rate_{factor}"] > 0) == (factor in missing)
    assert found["grader_missing"] >= len(missing)
    assert 0 < found["grader_missing_rate"] < 1
    assert found["grader_repairs"] == grades(log).repairs == 1
    assert found["grader_requests"] == grades(log).requests == len(server.asked) == 6
    assert len(grades(log).problems) == 1


@pytest.mark.parametrize(
    "name",
    ["wrong enum", "truncated", "empty", "no choices", "refusal", "wrong label", "no key facts"],
)
def test_one_repair_makes_it_whole(name: str, server: Any, evaluate: Any) -> None:
    badly(server, name, repairs_too=False)
    log = evaluate()
    assert signs(log) == RIGHT
    assert (grades(log).requests, grades(log).repairs, grades(log).problems) == (6, 1, ())
    assert metrics(log)["grader_missing"] == 0
    assert metrics(log)["grader_repairs"] == 1
    (repair,) = [asked for asked in server.asked if asked.is_repair]
    assert [message["role"] for message in repair.body["messages"]] == ["user", "assistant", "user"]
    assert repair.schema is not None


def test_a_repair_that_spoils_one_field_costs_nothing_that_was_said_before(
    server: Any, evaluate: Any
) -> None:
    def script(asked: Any) -> object:
        if asked.kind != "facts":
            return None
        spoilt = changed(facts="none") if asked.is_repair else relabelled(hallucination="tie")
        return server.Behaviour(text=spoilt(server.proper(asked)))

    server.script = script
    log = evaluate()
    assert signs(log) == RIGHT | {"hallucination": None}
    assert (grades(log).requests, grades(log).repairs) == (7, 2)


def test_verdicts_that_follow_the_position_are_zero_and_counted_as_flips(
    server: Any, evaluate: Any
) -> None:
    server.script = lambda asked: (
        server.Behaviour(text=json.dumps(dict.fromkeys(asked.factors, "first")))
        if asked.kind == "judged"
        else None
    )
    log = evaluate()
    assert signs(log) == RIGHT | dict.fromkeys(JUDGED, 0)
    found = metrics(log)
    assert found["grader_flip_rate"] == 1
    assert found["grader_missing"] == 0
    assert result(log).metadata["profile"]["human"]["factors"]["fluency"]["tied"] == 1


def test_equal_in_both_orders_is_zero_and_no_flip(server: Any, evaluate: Any) -> None:
    server.script = lambda asked: (
        server.Behaviour(text=json.dumps(dict.fromkeys(asked.factors, "equal")))
        if asked.kind == "judged"
        else None
    )
    log = evaluate()
    assert signs(log) == RIGHT | dict.fromkeys(JUDGED, 0)
    assert metrics(log)["grader_flip_rate"] == metrics(log)["grader_missing"] == 0
    assert grades(log).pairs[0].verdicts["fluency"] == ("tie", "tie")


def test_equal_in_one_order_only_is_zero_and_a_flip(server: Any, evaluate: Any) -> None:
    server.script = lambda asked: (
        server.Behaviour(text=json.dumps(dict.fromkeys(asked.factors, "equal")))
        if is_recorded_order(asked)
        else None
    )
    log = evaluate()
    assert signs(log) == RIGHT | dict.fromkeys(JUDGED, 0)
    assert metrics(log)["grader_flip_rate"] == 1


FAILURES = {
    "429 with Retry-After": {"status": 429, "headers": {"Retry-After": "1"}, "text": "slow down"},
    "500": {"status": 500, "text": "broken"},
    "a dropped connection": {"drops": True},
}
FAILED_BY = {
    "429 with Retry-After": "RateLimitError 429",
    "500": "InternalServerError 500",
    "a dropped connection": "APIConnectionError",
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_passing_failure_is_tried_again(name: str, server: Any, evaluate: Any) -> None:
    failed: list[object] = []

    def once(asked: Any) -> object:
        if failed or asked.kind != "judged":
            return None
        failed.append(asked)
        return server.Behaviour(**FAILURES[name])

    server.script = once
    started = time.monotonic()
    log = evaluate()
    assert signs(log) == RIGHT
    assert (grades(log).requests, grades(log).repairs, grades(log).problems) == (5, 0, ())
    assert len(server.asked) == 6
    if "Retry-After" in name:
        assert time.monotonic() - started >= 1


@pytest.mark.parametrize("name", FAILURES)
def test_a_lasting_failure_is_missing_and_ends_no_run(
    name: str, server: Any, evaluate: Any
) -> None:
    server.script = lambda asked: server.Behaviour(**FAILURES[name])
    log = evaluate(roles={"grader": server.model(client_retries=0, max_retries=0)})
    assert signs(log) == dict.fromkeys(RIGHT)
    found = metrics(log)
    assert found["grader_missing_rate"] == 1
    assert found["grader_repairs"] == 0
    assert str(found["grader_flip_rate"]) == str(found["tau_human_fluency"]) == "nan"
    assert found["tau_human_length"] == 1
    counts = result(log).metadata["profile"]["human"]["factors"]
    assert all(counts[factor]["missing"] == 1 for factor in RIGHT)
    assert len(grades(log).problems) == 5
    reason = f"the request failed: {FAILED_BY[name]}"
    assert all(problem.endswith(reason) for problem in grades(log).problems)


@pytest.mark.slow
def test_a_server_that_stays_broken_is_given_up(server: Any, evaluate: Any) -> None:
    """With both kinds of waiting, the client's and Inspect's, that a user's run has."""
    server.script = lambda asked: server.Behaviour(status=500, text="broken")
    log = evaluate(PAIR, OTHER, roles={"grader": server.model(max_retries=1)})
    assert metrics(log)["grader_missing_rate"] == 1
    assert signs(log) == dict.fromkeys(RIGHT)
    assert len(server.asked) == 10 * 2 * 3


def test_a_stalled_request_is_missing_after_its_time(server: Any, evaluate: Any) -> None:
    server.script = lambda asked: server.Behaviour(stalls=30) if is_recorded_order(asked) else None
    started = time.monotonic()
    roles = {"grader": server.model(max_retries=0, attempt_timeout=1)}
    log = evaluate(roles=roles)
    assert 1 <= time.monotonic() - started < 20
    assert signs(log) == RIGHT | dict.fromkeys(JUDGED)
    (problem,) = grades(log).problems
    assert "AttemptTimeoutError" in problem


@pytest.mark.slow
def test_a_request_that_stalled_once_is_asked_again(server: Any, evaluate: Any) -> None:
    server.script = lambda asked: (
        server.Behaviour(stalls=30)
        if is_recorded_order(asked) and sum(map(is_recorded_order, server.asked)) == 1
        else None
    )
    log = evaluate(roles={"grader": server.model(max_retries=1, attempt_timeout=1)})
    assert signs(log) == RIGHT
    assert len(server.asked) == 6


@pytest.mark.parametrize("status", [400, 422, 501])
def test_without_structured_output_the_server_is_asked_plainly(
    status: int, server: Any, tmp_path: Path
) -> None:
    server.script = lambda asked: (
        server.Behaviour(status=status, text="response_format is not supported")
        if asked.schema
        else None
    )
    (log,) = inspect_eval(
        summarization,
        task_args={
            "setting": "discrimination",
            "factors": "core",
            "dataset": data(tmp_path, PAIR, OTHER),
        },
        model="planted/verbose",
        model_roles={"grader": server.model(client_retries=0, max_retries=0)},
        log_dir=str(tmp_path / "logs"),
        display="none",
        log_realtime=False,
        max_samples=1,
    )
    assert log.status == "success"
    assert metrics(log)["grader_missing"] == 0
    assert metrics(log)["grader_requests"] == 10
    assert signs(log) == RIGHT
    refused = [asked for asked in server.asked if asked.schema]
    plain = [asked for asked in server.asked if not asked.schema]
    assert len(plain) == 10
    # Those that were on their way together; the second source asks none in vain.
    assert 1 <= len(refused) <= 3


def test_a_request_that_is_bad_either_way_is_missing(server: Any, evaluate: Any) -> None:
    server.script = lambda asked: (
        server.Behaviour(status=400, text="too long") if asked.kind == "key_facts" else None
    )
    log = evaluate()
    assert signs(log) == RIGHT | {"source_coverage": None}
    (problem,) = grades(log).problems
    assert problem.startswith("key facts: the request failed")
    # Structured output is not given up for a request that was refused for another reason.
    assert all(asked.schema for asked in server.asked if asked.kind != "key_facts")


@pytest.mark.parametrize("status", [200, 400, 401, 403, 500])
def test_the_key_is_in_no_log(
    status: int, server: Any, evaluate: Any, caplog: pytest.LogCaptureFixture
) -> None:
    if status != 200:
        server.script = lambda asked: server.Behaviour(
            status=status, text=f"Incorrect API key provided: {server.key}."
        )
    log = evaluate(roles={"grader": server.model(client_retries=0, max_retries=0)})
    assert {asked.key for asked in server.asked} == {server.key}
    assert metrics(log)["grader_missing_rate"] == (status != 200)
    assert server.key not in caplog.text
    with zipfile.ZipFile(log.location) as written:
        held = b"".join(written.read(name) for name in written.namelist())
    assert (b"Incorrect API key provided: [API key]." in held) == (status != 200)
    assert server.key.encode() not in held


def test_a_grader_can_be_asked_outside_an_evaluation(server: Any) -> None:
    shown = SourceToGrade("Q", "S", {"a": "One. Two.", "b": "One."}, [("a", "b")])
    factors = [load_taxonomy()[name] for name in ("number_of_facts", "fluency")]
    grader = Grader(server.model(), cache=False)

    async def grade() -> SourceGrades:
        return await grade_source(shown, factors, grader.ask, grader=grader.name)

    found = anyio.run(grade)
    assert found.grader == "openai-api/local/grader"
    assert found.pairs[0].verdicts == {"fluency": ("first", "first")}
    assert {name: len(response.facts or ()) for name, response in found.responses.items()} == {
        "a": 2,
        "b": 1,
    }


# Scoring a finished log again


def test_what_a_failing_grader_leaves_out_is_said_once_and_at_the_end(
    server: Any, evaluate: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server.script = lambda asked: server.Behaviour(status=401, text="no such key")
    log = evaluate(roles={"grader": server.model(client_retries=0, max_retries=0)})
    assert caplog.text.count("AuthenticationError 401; what it was asked is missing") == 1
    (warning,) = result(log).metadata["profile"]["grading"]["warnings"]
    assert "judgements missing (100%); the first: " in warning
    assert "AuthenticationError 401. They count for no factor" in warning
    assert warning in caplog.text
    assert measured(log)["grader_problems"]


def test_a_grader_that_answers_everything_gets_no_warning(server: Any, evaluate: Any) -> None:
    assert result(evaluate()).metadata["profile"]["grading"]["warnings"] == []


def test_an_answer_that_was_cut_off_says_so(server: Any, evaluate: Any) -> None:
    badly(server, "truncated", repairs_too=True)
    (problem,) = grades(evaluate()).problems
    assert "cut off by the grader's token limit" in problem


def test_scoring_by_another_task_is_refused(server: Any, evaluate: Any) -> None:
    log = evaluate()
    with pytest.raises(ValueError, match="the scorer is for 'document_qa', and the samples are of"):
        score(log, factor_profile("document_qa"), action="overwrite", display="none")
    again = score(log, factor_profile(), action="overwrite", display="none")
    assert measured(again)["factors"] == measured(log)["factors"]


def rescored(log: EvalLog, factors: str = "core", **arguments: Any) -> EvalLog:
    return score(
        log,
        factor_profile(task="summarization", factors=factors, **arguments),
        action="overwrite",
        display="none",
    )


def newly(server: Any, done: Callable[[], EvalLog]) -> tuple[EvalLog, list[Any]]:
    """What the server is asked meanwhile."""
    before = len(server.asked)
    log = done()
    return log, server.asked[before:]


def test_scoring_a_finished_log_again_asks_nothing(server: Any, evaluate: Any, cache: Path) -> None:
    log = evaluate(PAIR, OTHER, setting="both", scores="1,3,5")
    assert len(server.asked) > 20
    shutil.rmtree(cache)  # the grades in the log are enough
    for finished in (log, read_eval_log(log.location)):
        again, asked = newly(server, lambda finished=finished: rescored(finished))
        assert asked == []
        before = metrics(log)
        assert metrics(again) == pytest.approx(
            {name: before[name] for name in metrics(again)}, nan_ok=True
        )
        assert measured(again)["annotated"] == measured(log)["annotated"]
        assert measured(again)["written"] == measured(log)["written"]
        assert grades(again).requests == 0


def test_one_more_judged_factor_asks_for_that_factor_only(
    server: Any, evaluate: Any, cache: Path
) -> None:
    log = evaluate(factors="fluency,number_of_facts")
    shutil.rmtree(cache)
    again, asked = newly(server, lambda: rescored(log, "fluency,coherence,number_of_facts"))
    assert [(request.kind, request.factors) for request in asked] == [("judged", {"coherence"})] * 2
    assert signs(again) == {"fluency": 1, "coherence": 1, "number_of_facts": 1}


def test_one_more_facts_factor_labels_the_known_facts(
    server: Any, evaluate: Any, cache: Path
) -> None:
    log = evaluate(factors="fluency,off_focus")
    shutil.rmtree(cache)
    again, asked = newly(server, lambda: rescored(log, "fluency,off_focus,hallucination"))
    assert [(request.kind, request.factors) for request in asked] == [
        ("labels", {"hallucination"})
    ] * 2
    assert {request.sections["facts"] for request in asked} == {
        "1. The ferry sank.\n2. Nobody was hurt at all.",
        "1. A ferry sank.",
    }
    assert signs(again) == {"fluency": 1, "off_focus": 0, "hallucination": 0}


def test_after_a_failure_only_what_is_missing_is_asked_again(server: Any, evaluate: Any) -> None:
    def failing(asked: Any) -> object:
        if is_recorded_order(asked) or (
            asked.kind == "facts" and asked.sections["response"] == PAIR["response_b"]
        ):
            return server.Behaviour(status=500, text="broken")
        return None

    server.script = failing
    log = evaluate(roles={"grader": server.model(client_retries=0, max_retries=0)})
    missing = SHARES | JUDGED | {"number_of_facts", "source_coverage"}
    assert signs(log) == RIGHT | dict.fromkeys(missing)
    failed = {asked.text for asked in server.asked if failing(asked)}
    server.script = lambda asked: None
    again, asked = newly(server, lambda: rescored(log))
    assert sorted(request.text for request in asked) == sorted(failed)
    assert signs(again) == RIGHT


def test_grades_of_other_factors_outlive_a_failure_without_the_cache(
    server: Any, evaluate: Any, cache: Path
) -> None:
    server.script = lambda asked: (
        server.Behaviour(text=changed(fluency="both")(server.proper(asked)))
        if asked.kind == "judged"
        else None
    )
    log = evaluate(factors="fluency,coherence,number_of_facts")
    assert signs(log) == {"fluency": None, "coherence": 1, "number_of_facts": 1}
    shutil.rmtree(cache)
    server.script = lambda asked: None
    again, asked = newly(server, lambda: rescored(log, "fluency,coherence,number_of_facts"))
    assert [(request.kind, request.factors) for request in asked] == [("judged", {"fluency"})] * 2
    assert signs(again) == {"fluency": 1, "coherence": 1, "number_of_facts": 1}


def test_the_order_that_was_answered_is_not_asked_again_without_the_cache(
    server: Any, evaluate: Any, cache: Path
) -> None:
    server.script = lambda asked: (
        server.Behaviour(status=500, text="broken") if is_recorded_order(asked) else None
    )
    log = evaluate(
        factors="fluency", roles={"grader": server.model(client_retries=0, max_retries=0)}
    )
    shutil.rmtree(cache)
    server.script = lambda asked: None
    again, asked = newly(server, lambda: rescored(log, "fluency"))
    assert signs(again) == {"fluency": 1}
    assert len(asked) == 1


def test_what_a_rescoring_found_is_known_to_the_next_one_without_the_cache(
    server: Any, evaluate: Any, cache: Path, tmp_path: Path
) -> None:
    again = rescored(evaluate(factors="fluency"), "fluency,coherence")
    write_eval_log(again, str(tmp_path / "again.eval"))
    shutil.rmtree(cache)
    again = read_eval_log(str(tmp_path / "again.eval"))
    _, asked = newly(server, lambda: rescored(again, "fluency,coherence"))
    assert asked == []


def test_an_unreadable_answer_in_the_cache_does_not_stop_the_next_scoring(
    server: Any, evaluate: Any
) -> None:
    badly(server, "wrong enum", repairs_too=True)
    log = evaluate(factors="fluency")
    assert signs(log) == {"fluency": None}
    server.script = lambda asked: None
    again, asked = newly(server, lambda: rescored(log, "fluency"))
    assert signs(again) == {"fluency": 1}
    assert asked


def test_an_unreadable_answer_in_the_cache_is_asked_anew_by_the_next_run(
    server: Any, evaluate: Any
) -> None:
    def run() -> EvalLog:
        log: EvalLog = evaluate(factors="fluency")
        calls = [event for event in log.samples[0].events if event.event == "model"]  # type: ignore[index]
        assert len([call for call in calls if call.role == "grader"]) == grades(log).requests
        return log

    badly(server, "wrong enum", repairs_too=True)
    first, asked = newly(server, run)
    assert (signs(first), len(asked), grades(first).repairs) == ({"fluency": None}, 3, 1)
    still_bad, asked = newly(server, run)
    assert (signs(still_bad), len(asked), grades(still_bad).repairs) == ({"fluency": None}, 2, 2)
    server.script = lambda asked: None
    recovered, asked = newly(server, run)
    assert (signs(recovered), len(asked), grades(recovered).repairs) == ({"fluency": 1}, 1, 2)
    for done in (run, lambda: rescored(recovered, "fluency")):
        again, asked = newly(server, done)
        assert (signs(again), asked) == ({"fluency": 1}, [])


def test_what_was_readable_outlives_a_failure_of_the_next_run(server: Any, evaluate: Any) -> None:
    badly(server, "wrong enum", repairs_too=True)
    roles = {"grader": server.model(client_retries=0, max_retries=0)}
    evaluate(factors="fluency,coherence", roles=roles)
    server.script = lambda asked: server.Behaviour(status=500, text="broken")
    log = evaluate(factors="fluency,coherence", roles=roles)
    assert signs(log) == {"fluency": None, "coherence": 1}
    (problem,) = grades(log).problems
    assert "the request failed: InternalServerError 500" in problem
    assert '"fluency" must be one of' in problem


def test_a_grader_under_test_is_asked_anew_for_what_could_not_be_read(
    server: Any, tmp_path: Path
) -> None:
    labels = tmp_path / "labels.yaml"
    labels.write_text(
        "version: 1\ndata_sets:\n  pairs:\n"
        "    - {label: style, factor: fluency, direction: same, kind: pairwise}\n"
    )
    labelled = PAIR | {"factors": {"pairwise": {"style": "a"}}}

    def validate() -> EvalLog:
        (log,) = inspect_eval(
            grader_validation(data(tmp_path, labelled), labels=str(labels)),
            model=server.model(max_retries=0, temperature=0.3),
            log_dir=str(tmp_path / "logs"),
            display="none",
            log_realtime=False,
        )
        return log

    badly(server, "wrong enum", repairs_too=True)
    assert metrics(validate())["missing_rate_style"] == 1
    server.script = lambda asked: None
    for requests in (1, 0):
        log, asked = newly(server, validate)
        assert metrics(log)["missing_rate_style"] == 0
        assert len(asked) == requests
    # It is the evaluated model, so its settings are the grader's own.
    assert {asked.body["temperature"] for asked in server.asked} == {0.3}


def test_verdicts_in_a_second_order_are_kept_while_one_order_counts(
    server: Any, evaluate: Any, cache: Path, tmp_path: Path
) -> None:
    server.script = lambda asked: (
        server.Behaviour(text=json.dumps({"fluency": "first"})) if asked.kind == "judged" else None
    )
    log = evaluate(factors="fluency")
    shutil.rmtree(cache)
    one, asked = newly(server, lambda: rescored(log, "fluency", judge_orders=1))
    assert asked == []
    assert signs(one)["fluency"] in (1, -1)
    assert "grader_flip_rate_fluency" not in metrics(one)
    two, asked = newly(server, lambda: rescored(one, "fluency"))
    assert asked == []
    assert signs(two) == signs(log) == {"fluency": 0}
    assert metrics(two)["grader_flip_rate"] == 1


@pytest.mark.parametrize(
    ("argument", "told_apart"),
    [
        *((name, True) for name in ("tokenizer", "max_tokens", "eos_token", "aws_region")),
        *((name, False) for name in ("api_key", "hf_token", "client_secret", "Password")),
        *((name, False) for name in ("aws_session_token", "azure_ad_token_provider")),
    ],
)
def test_graders_are_told_apart_by_all_arguments_but_keys(argument: str, told_apart: bool) -> None:
    one, other = (
        Grader(get_model("mockllm/model", memoize=False, **{argument: value})).settings
        for value in ("one", "other")
    )
    assert (one != other) == told_apart


def test_another_password_in_its_address_or_key_in_its_requests_is_no_other_grader() -> None:
    one, other, elsewhere = (
        Grader(
            get_model(
                "mockllm/model",
                base_url=f"http://me:{key}@{host}/v1",
                config=GenerateConfig(extra_body={"api_key": key, "top_k": 3}),
            )
        ).settings
        for key, host in (("3kXy9q", "h"), ("8mQz2w", "h"), ("3kXy9q", "i"))
    )
    assert one == other
    assert one != elsewhere


def test_other_settings_of_the_same_grader_are_another_grader(
    server: Any, evaluate: Any, cache: Path
) -> None:
    evaluate(factors="fluency")
    for setting in ({"temperature": 0.7}, {"seed": 7}, {"top_p": 0.5}):
        roles = {"grader": server.model(max_retries=0, **setting)}
        _, asked = newly(server, lambda roles=roles: evaluate(factors="fluency", roles=roles))
        assert len(asked) == 2, setting
    patient = {"grader": server.model(max_retries=1, max_connections=3)}
    _, asked = newly(server, lambda: evaluate(factors="fluency", roles=patient))
    assert asked == []


def test_the_command_that_is_told_asks_for_what_is_missing(
    server: Any, evaluate: Any, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    badly(server, "wrong enum", repairs_too=True)
    evaluate(factors="fluency,length", pairing="half")
    command = caplog.text.split("Scoring the log again asks for them: ")[1].splitlines()[0]
    words = shlex.split(command)
    assert words[:2] == ["inspect", "score"]
    given = dict(word.split("=", 1) for flag, word in pairwise(words) if flag == "-S")
    assert given == {"task": "summarization", "factors": "fluency,length", "pairing": "half"}
    assert words[3:8] == [
        *("--action", "overwrite", "--overwrite"),
        *("--scorer", "profile_tasks/factor_profile"),
    ]


def test_a_second_score_in_a_log_is_completed_from_its_own_measurements(
    server: Any, evaluate: Any
) -> None:
    badly(server, "wrong enum", repairs_too=True)
    log = evaluate(factors="fluency")
    server.script = lambda asked: None
    both = complete_log(
        score(
            log,
            factor_profile(task="summarization", factors="fluency"),
            action="append",
            display="none",
        )
    )
    assert both.results is not None
    first, second = both.results.scores
    assert second.name == "factor_profile1"
    assert first.metrics["grader_missing"].value == 1
    assert second.metrics["grader_missing"].value == 0
    assert second.metrics["tau_human_fluency"].value == 1


def test_a_second_evaluation_of_the_same_texts_asks_nothing(server: Any, evaluate: Any) -> None:
    first = evaluate()
    second, asked = newly(server, evaluate)
    assert asked == []
    assert metrics(second) == pytest.approx(metrics(first), nan_ok=True)
    third, asked = newly(server, lambda: evaluate(grader_cache=False))
    assert len(asked) == 5
    assert metrics(third) == pytest.approx(metrics(first), nan_ok=True)


def test_a_repair_is_cached_with_what_it_repaired(server: Any, evaluate: Any) -> None:
    badly(server, "wrong enum", repairs_too=False)
    evaluate()
    second, asked = newly(server, evaluate)
    assert asked == []
    assert signs(second) == RIGHT


# Who grades


def test_without_a_grader_a_run_stops_before_any_request(server: Any, tmp_path: Path) -> None:
    arguments = {"factors": "core", "dataset": data(tmp_path, PAIR)}
    with pytest.raises(ValueError, match=r"need a grader\. Add --model-role grader=MODEL"):
        inspect_eval(
            summarization,
            task_args=arguments,
            model=server.model("evaluated"),
            log_dir=str(tmp_path / "logs"),
            display="none",
            log_realtime=False,
        )
    assert server.asked == []


def test_nor_does_a_task_that_was_built_beforehand_ask(server: Any, tmp_path: Path) -> None:
    task: Task = summarization(factors="core", dataset=data(tmp_path, PAIR, OTHER))
    (log,) = inspect_eval(
        task,
        model=server.model("evaluated"),
        log_dir=str(tmp_path / "logs"),
        display="none",
        log_realtime=False,
    )
    assert log.status == "error"
    assert log.error is not None
    assert "need a grader. Add --model-role grader=MODEL" in log.error.message
    assert server.asked == []


def test_the_evaluated_model_never_grades_beside_a_grader(server: Any, evaluate: Any) -> None:
    log = evaluate(model=server.model("evaluated"), setting="both", scores="1,5")
    assert len(server.of("evaluated")) == 2 + 2 + 2  # writes, judges, judges what it wrote
    assert not [asked for asked in server.of("evaluated") if asked.form]
    assert all(asked.form for asked in server.of("grader"))
    assert log.stats.role_usage["grader"].total_tokens == 10 * len(server.of("grader"))
    assert "grader_warning" not in (log.eval.metadata or {})


def test_self_grading_is_allowed_and_said_and_counted_apart(server: Any, evaluate: Any) -> None:
    log = evaluate(
        model=server.model("evaluated"),
        roles={},
        setting="both",
        scores="1,5",
        allow_self_grading=True,
    )
    grading = [asked for asked in server.asked if asked.form]
    assert {asked.model for asked in server.asked} == {"evaluated"}
    assert len(grading) == grades(log).requests > 0
    assert len(server.asked) - len(grading) == 2 + 2 + 2
    assert log.eval.metadata is not None
    assert "self-grading" in log.eval.metadata["grader_warning"]
    (warning,) = result(log).metadata["profile"]["grading"]["warnings"]
    assert warning.startswith("self-grading: openai-api/local/evaluated")
    assert grades(log).grader == "openai-api/local/evaluated"
    assert log.stats.role_usage["grader"].total_tokens == 10 * len(grading)
    (used,) = log.stats.model_usage.values()
    assert used.total_tokens == 10 * len(server.asked)


def test_a_model_that_grades_itself_does_so_with_a_graders_settings(
    server: Any, evaluate: Any
) -> None:
    log = evaluate(
        model=server.model("evaluated", temperature=0.9, max_tokens=99, max_retries=0),
        roles={},
        factors="fluency",
        allow_self_grading=True,
    )
    assert signs(log) == {"fluency": 1}
    for asked in server.asked:
        assert asked.body["temperature"] == (0 if asked.form else 0.9)
        assert asked.body.get("max_tokens") == (None if asked.form else 99)


def test_an_evaluated_model_that_answers_with_no_choices_is_missing_and_ends_no_run(
    server: Any, evaluate: Any
) -> None:
    server.script = lambda asked: server.Behaviour(no_choices=True)
    log = evaluate(
        model=server.model("evaluated"), roles={}, setting="both", scores="1,5", factors="length"
    )
    found = metrics(log)
    assert found["generation_missing_rate"] == found["unreadable_rate"] == 1
    assert found["generation_truncated_rate"] == 0


@pytest.mark.parametrize(("graded", "held"), [(True, True), (False, False)])
def test_auto_is_core_with_a_grader_and_surface_without(
    graded: bool, held: bool, server: Any, evaluate: Any
) -> None:
    log = evaluate(factors="auto", **({} if graded else {"roles": {}}))
    factors = measured(log)["factors"]
    assert log.eval.metadata is not None
    assert log.eval.metadata["factors"] == factors
    assert ("fluency" in factors) == ("number_of_facts" in factors) == held
    assert ("readability" in factors) != held
    assert bool(server.asked) == held


@pytest.mark.parametrize(
    ("evaluated", "grader", "family"),
    [
        ("openai/gpt-4o-mini", "azureai/o3", "gpt"),
        ("openai/chatgpt-4o-latest", "openrouter/openai/gpt-5", "gpt"),
        ("together/meta-llama/Meta-Llama-3-8B", "groq/llama-3.3-70b", "llama"),
        ("hf/Qwen/Qwen2.5-7B", "together/Qwen/QwQ-32B", "qwen"),
        ("bedrock/anthropic.claude-3-5-sonnet", "anthropic/claude-opus-4-1", "claude"),
        ("google/gemma-3-27b", "google/gemini-2.5-pro", "gemini"),
        ("together/deepseek-ai/DeepSeek-R1-Distill-Llama-70B", "groq/llama-3.3-70b", "llama"),
        ("hf/acme/zephyrus-2", "hf/other/zephyrus-1-chat", "zephyrus"),
    ],
)
def test_models_of_one_family_are_told_by_their_names(
    evaluated: str, grader: str, family: str
) -> None:
    assert f"of one family ({family})" in (grader_warning(evaluated, grader) or "")


@pytest.mark.parametrize(
    ("evaluated", "grader"),
    [
        ("openai/gpt-4o", "anthropic/claude-opus-4-1"),
        ("mistral/mistral-large", "google/gemini-2.5-pro"),
        ("vllm/8b", "vllm/70b"),
    ],
)
def test_models_of_different_families_get_no_warning(evaluated: str, grader: str) -> None:
    assert grader_warning(evaluated, grader) is None
