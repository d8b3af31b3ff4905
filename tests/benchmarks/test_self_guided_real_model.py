"""The loop on a real model: what it measures by hand, and the whole script on a small model."""

import importlib
import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest
from scipy import stats


@pytest.fixture
def loop(repository: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(repository / "benchmarks")
    return importlib.import_module("self_guided_real_model")


def test_prompts_are_taken_once_and_none_that_comes_with_a_document(
    loop: ModuleType, tmp_path: Path
) -> None:
    demo = loop.rows_by_prompt([])
    rows = [
        {"id": "1", "prompt": demo[0]["prompt"].upper(), "source": None},
        {"id": "2", "prompt": "Name a colour.", "source": None},
        {"id": "3", "prompt": "Sum up.", "source": "A long story."},
    ]
    beside = {
        "task": "instruction_following", "response_a": "Red.", "response_b": "It is red.",
        "preference": "b",
    }  # fmt: skip
    file = tmp_path / "more.jsonl"
    file.write_text("".join(json.dumps(row | beside) + "\n" for row in rows))
    more = loop.rows_by_prompt([str(file)])[len(demo) :]
    assert [row["prompt"] for row in more] == ["Name a colour."]


def test_new_texts_stand_beside_old_ones_of_the_same_seed(loop: ModuleType) -> None:
    row = {"id": "s", "task": "instruction_following", "prompt": "Why?", "group": "s"}
    after, before = {"s": ["new", "same", None]}, {"s": ["old", "same", "lost"]}
    (paired,) = loop.paired_rows([row], after, before)
    assert (paired["response_a"], paired["response_b"], paired["preference"]) == ("new", "old", "a")
    assert (paired["id"], paired["group"]) == ("s-0", "s")


def test_words_differ_by_source_with_students_interval(loop: ModuleType) -> None:
    before = {"a": ["one", "one two"], "b": ["one"], "c": ["one two three"]}
    after = {"a": ["one two", "one two three"], "b": ["one two three"], "c": [None]}
    found = loop.words_difference(after, before)
    differences = [1.0, 2.0, -3.0]
    interval = stats.ttest_1samp(differences, 0).confidence_interval()
    assert found["value"] == 0
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((interval.low, interval.high))


def test_sources_needed_follow_from_the_scatter(loop: ModuleType) -> None:
    # 100 sources whose wins scatter by one half: a win rate of .6 takes (2.8 x .5 / .1)^2 of them.
    deviation = loop.scatter({"ci_low": 0.402, "ci_high": 0.598, "groups": 100})
    assert deviation == pytest.approx(0.5)
    assert loop.sources_needed(deviation, 0.1) == 196
    assert loop.sources_needed(deviation, 0.05) == 784
    assert loop.sources_needed(float("nan"), 0.05) is None


@pytest.mark.slow
@pytest.mark.skipif(
    find_spec("trl") is None or find_spec("peft") is None,
    reason="training is optional: pip install 'profile-tasks[train]'",
)
def test_the_whole_loop_runs_and_goes_on_where_it_stopped(
    repository: Path, tiny_model: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    shutil.copytree(tiny_model, model)
    # Random weights hardly ever end a text by themselves, and what is cut off is not exported.
    settings = model / "generation_config.json"
    ends = {"eos_token_id": list(range(3, 260, 13))}
    settings.write_text(json.dumps(json.loads(settings.read_text("utf-8")) | ends))
    script = repository / "benchmarks" / "self_guided_real_model.py"
    work, output = tmp_path / "work", tmp_path / "record.json"
    rows = [
        {"id": f"{n}", "task": "instruction_following", "prompt": f"What is {n} and {n}?",
         "response_a": "One.", "response_b": "One and two.", "preference": "a"}
        for n in range(12)
    ]  # fmt: skip
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text("".join(f"{json.dumps(row)}\n" for row in rows))

    def run() -> str:
        return subprocess.run(
            [sys.executable, script, model, "--prompts", prompts, "--train", "8",
             "--heldout", "14", "--work", work, "--output", output],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip

    table = run()
    record = json.loads(output.read_text("utf-8"))
    assert record["sources"] == 8
    assert 0 <= record["win_rate"]["ci_low"] <= record["win_rate"]["value"] <= 1
    assert record["self_guided"]["before"]["sample_words"] > 0
    assert "| win rate of the new texts |  |  | " in table
    assert run() == table
    again = json.loads(output.read_text("utf-8"))
    assert "train" not in again["seconds"]
