"""``profile-tasks discover`` as people and programs get it."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

Run = Callable[..., Result]

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn


def planted(weight: float, hostile: str = "", n: int = 240) -> list[dict[str, Any]]:
    """Pairs of which the one with a semicolon, or with a hostile word, is preferred more."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(n):
        shows = rng.random(2) < 0.4
        words = [" ".join(rng.choice(["one", "two", "three", "four"], 6)) for _ in "ab"]
        mark = f" {hostile}" if hostile else ";"
        texts = [w + mark * int(s) + f" and {number}." for w, s in zip(words, shows, strict=True)]
        first = weight * (int(shows[0]) - int(shows[1])) + rng.logistic() > 0
        rows.append(
            {
                "id": str(number),
                "task": "instruction_following",
                "prompt": f"Count {number}.",
                "response_a": texts[0],
                "response_b": texts[1],
                "preference": "a" if first else "b",
            }
        )
    return rows


def file_of(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "pairs.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


@pytest.fixture
def joining(tmp_path: Path) -> Path:
    return file_of(tmp_path, planted(2.5))


def test_what_is_found_is_said_written_and_usable(run: Run, joining: Path, tmp_path: Path) -> None:
    out = tmp_path / "factors.yaml"
    said = run("discover", joining, "-o", out).output
    assert said.startswith("found: semicolons")
    assert "semicolons: more of it is preferred. Semicolons." in said
    assert f"written: {out}" in said
    assert "signature: task:discover|" in said
    used = run("influence", joining, "--factors", f"{out},length", "--format", "json")
    used_all = run("influence", joining, "--factors", out, "--format", "json")
    assert list(json.loads(used.output)["factors"]) == ["length"]
    assert json.loads(used_all.output)["factors"]["semicolons"]["tau"] > 0.2


def test_json_and_csv_hold_every_test(run: Run, joining: Path) -> None:
    record = json.loads(run("discover", joining, "--format", "json").output)
    rows = list(csv.DictReader(io.StringIO(run("discover", joining, "--format", "csv").output)))
    assert record["found"][0] == "semicolons"
    assert [row["factor"] for row in rows] == [each["factor"] for each in record["tested"]]
    assert float(rows[0]["added"]) == pytest.approx(record["tested"][0]["added"]["value"])
    assert record["data"] == "pairs.jsonl"


def test_nothing_found_is_said_in_plain_words_and_ends_well(run: Run, tmp_path: Path) -> None:
    path = file_of(tmp_path, planted(0.0))
    out = tmp_path / "factors.yaml"
    said = run("discover", path, "-o", out).output
    assert said.startswith("nothing was found: none of the ")
    assert "would have shown, with a chance of 80 %" in said
    assert f"nothing is written to {out}" in said
    assert not out.exists()


@pytest.mark.parametrize("word", ["<b>a.*b</b>", "=1+1", "x|y`z`", "a\x1b[31mb", "[red]q[/red]"])
def test_a_hostile_word_is_told_as_a_text(run: Run, tmp_path: Path, word: str) -> None:
    path = file_of(tmp_path, planted(3.0, word))
    out = tmp_path / "factors.yaml"
    said = run("discover", path, "-o", out).output
    assert "\x1b" not in said
    if out.exists():
        assert "\x1b" not in out.read_text(encoding="utf-8")
        run("factors", "--factors", out)


def test_what_cannot_be_searched_is_one_line(run: Run, tmp_path: Path) -> None:
    path = file_of(tmp_path, planted(1.0, n=1))
    error = run("discover", path, exit_code=2).output
    assert (
        error.strip().splitlines()[-1] == "Error: 1 groups cannot be parted into 50% and the rest"
    )
    assert "need a grader" in run("discover", path, "--factors", "fluency", exit_code=2).output


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """Pairs of which the one with a question is preferred, and length is not to be told by it."""
    rows = planted(5.0, n=160)
    for row in rows:
        for side in ("response_a", "response_b"):
            asks = ";" in row[side]
            row[side] = row[side].replace(";", "").rstrip(".") + ("?" if asks else ".")
    return file_of(tmp_path, rows)


def test_the_budget_is_told_before_and_alone_on_a_dry_run(
    run: Run, questions: Path, tmp_path: Path
) -> None:
    said = run(
        "discover",
        questions,
        "--proposer",
        "planted/grader",
        "--dry-run",
        "--log-dir",
        tmp_path / "l",
    )
    assert said.output.strip() == (
        "models: at most 6 requests to the proposer and 320 to the grader, unless an answer has to "
        "be repaired or is cached"
    )
    assert not (tmp_path / "l").exists()


def test_a_planted_proposer_is_said_to_be_simulated(
    run: Run, questions: Path, tmp_path: Path
) -> None:
    out = tmp_path / "factors.yaml"
    options = ("--proposer", "planted/grader", "--graded", 60, "--log-dir", tmp_path / "logs")
    options += ("--factors", "length", "--at-most", 1)
    said = run("discover", questions, *options, "-o", out).output
    assert "SIMULATED: a simulated proposer" in said
    assert "found: " in said
    (alike,) = re.findall("cannot be told apart: (.*) and (.*); keep", said)
    assert set(alike) == {"asks_back_2", "questions"}
    assert "kind: judged" in out.read_text(encoding="utf-8")
    assert run("factors", "--factors", out).output.count("judged") >= 1


def test_what_only_models_need_goes_with_a_proposer(run: Run, questions: Path) -> None:
    error = run("discover", questions, "--grader", "planted/grader", exit_code=2).output
    assert "Error: --grader: only with --proposer" in error
    fewer = run("discover", questions, "--graded", 10, exit_code=2).output
    assert "Error: --graded: only with --proposer" in fewer
    wrong = run("discover", questions, "--train-share", 1, exit_code=2).output
    assert "Error: train_share is 1.0; expected more than 0 and less than 1" in wrong
    unknown = run("discover", questions, "--proposer", "nobody/knows", exit_code=2).output
    assert "Error: --proposer nobody/knows: " in unknown
