"""The export command: logs, files and the demo become a folder of training data."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from datasets import load_dataset
from inspect_ai.log import convert_eval_logs

from profile_tasks.data.preferences import load_preferences
from profile_tasks.training.data import METHODS, read_training_data

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def self_guided(inspect_log: Callable[..., Path]) -> str:
    return str(inspect_log("concise", "summarization_self_guided"))


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("format_", METHODS)
def test_a_self_guided_log_becomes_data_that_training_and_datasets_read(
    format_: str, plain: bool, self_guided: str, run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    run("export", self_guided, "--format", format_, "--output", folder, *["--plain"] * plain)
    assert sorted(file.name for file in folder.iterdir()) == [
        "README.md",
        "card.json",
        "heldout.jsonl",
        "train.jsonl",
    ]
    data = read_training_data(folder, format_)
    assert data.conversational is not plain
    loaded = load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert {name: len(split) for name, split in loaded.items()} == {
        "train": len(data.train),
        "heldout": len(data.heldout),
    }


def test_the_card_holds_the_model_the_seed_and_what_the_data_teach(
    self_guided: str, run: Run, tmp_path: Path
) -> None:
    printed = run(
        "export", self_guided, "--format", "dpo", "--seed", 3, "--output", tmp_path / "data"
    )
    card = json.loads((tmp_path / "data" / "card.json").read_text(encoding="utf-8"))
    assert card["inputs"][0]["model"] == "planted/concise"
    assert (card["seed"], card["origin"], card["simulated"]) == (3, "self-guided", True)
    assert card["chosen_over_rejected"]["length"]["tau"] < -0.5
    assert "SIMULATED" in printed.stdout
    assert "length" in printed.stdout


def test_own_records_are_read_again_by_the_project(
    self_guided: str, run: Run, tmp_path: Path
) -> None:
    run("export", self_guided, "--format", "jsonl", "--output", tmp_path / "data")
    train = tmp_path / "data" / "train.jsonl"
    card = json.loads((tmp_path / "data" / "card.json").read_text(encoding="utf-8"))
    assert len(load_preferences(str(train)).sources) == card["splits"]["train"]["groups"]
    record = json.loads(run("influence", train, "--factors", "length", "--format", "json").stdout)
    assert record["factors"]["length"]["tau"] < 0


def test_an_ordinary_log_and_recorded_preferences_export_the_same_way(
    run: Run, inspect_log: Callable[..., Path], tmp_path: Path
) -> None:
    log = inspect_log("concise", setting="generation")
    run("export", log, "--format", "dpo", "--output", tmp_path / "scores")
    run("export", "demo", "--task", "summarization", "--format", "kto", "--output", tmp_path / "r")
    assert len(read_training_data(tmp_path / "scores", "dpo").train) == 22
    labels = [record["label"] for record in read_training_data(tmp_path / "r", "kto").train]
    assert {True, False} == set(labels)


def test_a_log_in_json_is_told_from_a_file_of_rows(
    self_guided: str, run: Run, tmp_path: Path
) -> None:
    convert_eval_logs(self_guided, "json", str(tmp_path / "json"))
    (log,) = (tmp_path / "json").glob("*.json")
    run("export", log, "--format", "sft", "--output", tmp_path / "data")
    row = {"id": 1, "prompt": "Q", "response_a": "A", "response_b": "B", "preference": "a"}
    (tmp_path / "rows.json").write_text(
        json.dumps([row | {"id": n, "prompt": f"Q{n}"} for n in "ab"])
    )
    run(
        "export",
        tmp_path / "rows.json",
        "--task",
        "document_qa",
        "--format",
        "sft",
        "--output",
        tmp_path / "r",
    )


def test_nothing_is_written_over_without_being_asked(
    self_guided: str, run: Run, tmp_path: Path
) -> None:
    arguments = ("export", self_guided, "--format", "dpo", "--output", tmp_path)
    run(*arguments)
    told = run(*arguments, exit_code=2).output
    assert f"{tmp_path} holds train.jsonl, heldout.jsonl" in told
    run(*arguments, "--overwrite", "--heldout", 0)
    assert not (tmp_path / "heldout.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--margin", 2), "no pair reaches the margin 2; the greatest"),
        (("--prompts", "scores", "--format", "jsonl"), "jsonl holds the parts of a prompt"),
    ],
)
def test_what_gives_no_data_is_told_and_leaves_no_folder(
    arguments: tuple[object, ...], told: str, self_guided: str, run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    found = run(
        "export", self_guided, "--format", "dpo", "--output", folder, *arguments, exit_code=2
    )
    assert told in found.output
    assert not folder.exists()


def test_inputs_that_are_none_are_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "broken.eval").write_bytes(b"no log")
    for name, told in (
        (tmp_path / "none.eval", "there is no such log"),
        (tmp_path / "broken.eval", "not an Inspect log"),
        ("nowhere", "dataset is 'nowhere'. Must be one of"),
        ("demo", "has one file a task"),
    ):
        found = run("export", name, "--format", "dpo", "--output", tmp_path / "x", exit_code=2)
        assert told in found.output


def test_inputs_of_several_kinds_are_told(self_guided: str, run: Run, tmp_path: Path) -> None:
    found = run(
        *("export", self_guided, "demo", "--task", "summarization", "--format", "dpo"),
        *("--output", tmp_path / "x"),
        exit_code=2,
    )
    assert "the inputs are of several kinds (recorded, self-guided)" in found.output


@pytest.mark.parametrize("status", ["started", "error", "cancelled"])
def test_an_unfinished_log_is_refused_as_gates_and_reports_refuse_it(
    run: Callable[..., Result], read_inspect_log: Any, tmp_path: Path, status: str
) -> None:
    from inspect_ai.log import write_eval_log

    log = read_inspect_log()
    log.status, log.results = status, None
    file = tmp_path / "log.json"
    write_eval_log(log, str(file))
    (tmp_path / "bars.yaml").write_text("version: 1\nbars: [flip_rate <= 1]\n")
    told = f"(status: {status})"
    output = tmp_path / "pairs"
    assert told in run("export", file, "--format", "dpo", "--output", output, exit_code=2).stderr
    assert not output.exists()
    assert told in run("report", file, "-o", tmp_path / "page.html", exit_code=2).stderr
    assert told in run("gate", file, "--bars", tmp_path / "bars.yaml", exit_code=2).stderr
    assert told in run("leaderboard", file, exit_code=2).stderr
    assert told in run("compare", file, file, exit_code=2).stderr
