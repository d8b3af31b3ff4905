"""``profile-tasks pairs``: two finished runs of somebody's benchmark as rows to be judged."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput

Run = Callable[..., Result]
Rows = list[dict[str, Any]]

pytestmark = pytest.mark.filterwarnings("ignore")  # both harnesses and their dependencies warn

ARTICLES = [
    f"Article {n}: the town has a harbour, a market and {n} old bridges." for n in range(12)
]
SHORT = {text: f"Text {n} in short." for n, text in enumerate(ARTICLES)}
LONG = {text: f"Text {n} in many words more than anybody needs." for n, text in enumerate(ARTICLES)}


def samples(texts: list[str]) -> list[Sample]:
    return [Sample(input=t, target="It is short.", id=f"s{ARTICLES.index(t)}") for t in texts]


def rows(text: str) -> Rows:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def two_logs(logged: Callable[..., str]) -> tuple[str, str]:
    """A terse and a wordy model on the same articles, of which the second run has another order."""
    return (
        logged(samples(ARTICLES), SHORT, model="terse"),
        logged(samples(ARTICLES[::-1]), LONG, model="wordy"),
    )


def test_two_logs_become_rows_on_standard_output(run: Run, two_logs: tuple[str, str]) -> None:
    result = run("pairs", *two_logs)
    made = rows(result.stdout)
    assert {row["id"] for row in made} == {f"s{n}" for n in range(12)}
    for row in made:
        n = int(row["id"][1:])
        texts = {row["system_a"]: row["response_a"], row["system_b"]: row["response_b"]}
        assert texts == {
            "mockllm/terse": SHORT[ARTICLES[n]],
            "mockllm/wordy": LONG[ARTICLES[n]],
        }
        assert (row["prompt"], row["source"]) == (ARTICLES[n], None)
        assert (row["reference"], "preference" in row) == ("It is short.", False)
    assert {row["system_a"] for row in made} == {"mockllm/terse", "mockllm/wordy"}
    assert result.stderr == (
        "12 pairs on 12 inputs: mockllm/terse, mockllm/wordy\n  samples read: 12, 12\n"
    )


def test_a_file_is_written_whole_and_never_over_another(
    run: Run, two_logs: tuple[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "pairs.jsonl"
    told = run("pairs", *two_logs, "-o", file, "--task", "summarization").stdout
    assert told.startswith("12 pairs on 12 inputs: mockllm/terse, mockllm/wordy\n")
    assert f"written to {file}\n" in told
    assert f"inspect eval profile_tasks/summarization --model MODEL -T dataset={file}" in told
    first = file.read_text(encoding="utf-8")
    assert {row["task"] for row in rows(first)} == {"summarization"}
    refused = run("pairs", *two_logs, "-o", file, exit_code=2)
    assert "is there already; name another file, or --overwrite" in refused.stderr
    assert file.read_text(encoding="utf-8") == first
    run("pairs", *two_logs, "-o", file, "--overwrite", "--name", "T", "--name", "W")
    assert {row["system_a"] for row in rows(file.read_text())} == {"T", "W"}


def test_which_factors_differ_is_one_more_command(
    run: Run, two_logs: tuple[str, str], tmp_path: Path
) -> None:
    run("pairs", *two_logs, "-o", tmp_path / "pairs.jsonl")
    found = run(
        "influence", tmp_path / "pairs.jsonl", "--preference-column", "written_by_mockllm/wordy",
        "--factors", "length,includes", "--format", "json",
    )  # fmt: skip
    record = json.loads(found.stdout)
    assert (record["n_pairs"], record["factors"]["length"]["tau"]) == (12, 1.0)
    # Neither has the target in its answer, so that the benchmark's own score ties throughout.
    assert (record["factors"]["includes"]["tied"], record["factors"]["includes"]["tau"]) == (12, 0)


def test_everything_that_is_left_out_is_told_by_name(run: Run, logged: Callable[..., str]) -> None:
    terse: dict[str, Any] = dict(SHORT)
    terse[ARTICLES[0]] = ""
    terse[ARTICLES[1]] = ModelOutput.from_content("mockllm/terse", "Text 1 in", "max_tokens")
    terse[ARTICLES[2]] = ModelOutput.from_content("mockllm/terse", "No.", "content_filter")
    terse[ARTICLES[3]] = ValueError("the server is down")
    wordy = LONG | {ARTICLES[4]: "<think>Without end"}
    logs = (
        logged(samples(ARTICLES[:10]), terse, model="terse"),
        logged(samples(ARTICLES[:9] + ARTICLES[10:]), wordy, model="wordy"),
    )
    result = run("pairs", *logs)
    assert [row["id"] for row in rows(result.stdout)] == ["s5", "s6", "s7", "s8"]
    assert result.stderr.splitlines() == [
        "4 pairs on 4 inputs: mockllm/terse, mockllm/wordy",
        "  samples read: 10, 11",
        "  left out: answer cut off by a limit: 1, 0",
        "  left out: empty answer: 1, 1",
        "  left out: input only in this run: 1, 2",
        "  left out: refused (content filter): 1, 0",
        "  left out: sample failed or was invalidated: 1, 0",
        "  left out: the other run's answer is left out: 1, 4",
    ]
    kept = run("pairs", *logs, "--keep-cut-off")
    assert "s1" in {row["id"] for row in rows(kept.stdout)}
    assert "note: 1 answers are kept though a limit cut them off" in kept.stderr


def test_two_runs_of_lm_eval(run: Run, evaluated: Callable[..., Path]) -> None:
    documents = [{"question": f"Q{n}?", "article": f"Text {n}.", "answer": str(n)} for n in "12"]
    terse = evaluated(documents, lambda request: request[-3:-1], model="terse")
    wordy = evaluated(documents, lambda request: f"It is: {request}", model="wordy")
    result = run("pairs", terse, wordy, "--source-field", "article")
    for n, row in zip("12", rows(result.stdout), strict=True):
        assert (row["prompt"], row["source"]) == (f"Read: Text {n}. Q{n}?", f"Text {n}.")
        assert {row["system_a"], row["system_b"]} == {"told/terse", "told/wordy"}
        assert row["reference"] == n
    assert "note: 4 answers may be cut off: nothing says why they ended" in result.stderr


def test_a_chat_and_a_base_model_meet_by_the_field_of_the_request(
    run: Run, evaluated: Callable[..., Path]
) -> None:
    documents = [{"question": "Q?", "article": "Text.", "answer": "A"}]
    base = evaluated(documents, lambda _: "Yes.", model="base", description="Answer.\n")
    chat = evaluated(documents, lambda _: "No.", model="chat", chat=True)
    refused = run("pairs", base, chat, exit_code=2)
    assert "the runs sent different requests for sample '0'" in refused.stderr
    (row,) = rows(run("pairs", base, chat, "--prompt-field", "question").stdout)
    assert row["prompt"] == "Q?"


def test_a_log_of_inspect_meets_samples_of_lm_eval(
    run: Run, logged: Callable[..., str], evaluated: Callable[..., Path]
) -> None:
    log = logged([Sample(input="Q?", id="s", target="A")], {"Q?": "Yes."})
    documents = [{"question": "Q?", "article": "Text.", "answer": "A"}]
    told = evaluated(documents, lambda _: "No.")
    result = run("pairs", log, told, "--prompt-field", "question", exit_code=2)
    assert "sample 's': its data hold no text 'question'" in result.stderr
    log = logged([Sample(input="Q?", id="s", metadata={"question": "Q?"})], {"Q?": "Yes."})
    (row,) = rows(run("pairs", log, told, "--prompt-field", "question").stdout)
    assert {row["response_a"], row["response_b"]} == {"Yes.", "No."}


def test_runs_of_this_project_meet_by_source(run: Run, inspect_log: Any) -> None:
    logs = [inspect_log(name, setting="generation") for name in ("verbose", "concise")]
    result = run("pairs", *logs)
    made = rows(result.stdout)
    assert len(made) == 24
    assert all(row["source"] and row["task"] == "summarization" for row in made)
    told = result.stderr
    assert told.count("of each source the text for target score 5 is taken") == 2
    assert "SIMULATED: a planted annotator took part" in told


@pytest.mark.parametrize("given", [["one.eval"], ["one.eval", "one.eval"]])
def test_one_run_makes_no_pairs(run: Run, given: list[str]) -> None:
    assert "give two different runs" in run("pairs", *given, exit_code=2).stderr


def test_two_benchmarks_are_refused_by_name(run: Run, logged: Callable[..., str]) -> None:
    one = logged([Sample(input="p")], {"p": "A"})
    two = logged([Sample(input="q")], {"q": "A"})
    told = run("pairs", one, two, exit_code=2).stderr
    assert f"{one} and {two}: no input is in both; give two runs of one benchmark" in told


def test_names_in_a_log_are_not_obeyed(
    run: Run, logged: Callable[..., str], tmp_path: Path
) -> None:
    one, two = (logged([Sample(input="p")], {"p": n}, model=f"{n}\x1b[31m") for n in "ab")
    for result in (run("pairs", one, two), run("pairs", one, two, "-o", tmp_path / "p.jsonl")):
        assert "\x1b" not in result.output


def test_a_planted_judge_has_its_profile_on_the_pairs(
    run: Run, two_logs: tuple[str, str], tmp_path: Path
) -> None:
    from inspect_ai import eval as inspect_eval

    run("pairs", *two_logs, "-o", tmp_path / "pairs.jsonl")
    for judge, sign in (("verbose", 1), ("concise", -1)):
        (log,) = inspect_eval(
            "profile_tasks/summarization",
            model=f"planted/{judge}",
            task_args={
                "dataset": str(tmp_path / "pairs.jsonl"),
                "setting": "discrimination",
                "factors": "length",
            },
            log_dir=str(tmp_path / "judged"),
            display="none",
            log_realtime=False,
        )
        assert log.status == "success", log.error
        assert log.results is not None
        metrics = log.results.scores[0].metrics
        assert sign * metrics["tau_discrimination_length"].value > 0.8
