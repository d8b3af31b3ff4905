"""Other people's files in the project's own form, as the command writes them."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result

from profile_tasks.data.preferences import load_preferences, plain_rows

Run = Callable[..., Result]


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    said = [
        {"role": "user", "content": "Hi."},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "Name a bird."},
    ]
    rows = [
        {
            "question_id": f"q{n}",
            "winner": winner,
            "model_a": "m1",
            "model_b": "m2",
            "conversation_a": [*said, {"role": "assistant", "content": f"A wren, {n}."}],
            "conversation_b": [*said, {"role": "assistant", "content": f"Wren {n}."}],
        }
        for n, winner in enumerate(["model_a", "tie", "model_b"])
    ]
    path = tmp_path / "arena.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_what_is_written_reads_as_what_was_read(theirs: Path, run: Run, tmp_path: Path) -> None:
    output = tmp_path / "pairs.jsonl"
    result = run("convert", str(theirs), "-o", str(output), "--task", "instruction_following")
    assert f"3 pairs of 1 sources, written to {output}" in result.stderr
    assert result.stderr.startswith("read as format arena (")
    original = load_preferences(str(theirs), task="instruction_following")
    converted = load_preferences(str(output))
    assert converted.sources == original.sources
    assert converted.read_as is None


OURS = {"id": "1", "prompt": "Why?", "response_a": "So.", "response_b": "Thus."}
TURN = [{"role": "assistant", "content": "What?"}, {"role": "user", "content": "Why?"}]


@pytest.mark.parametrize(
    "row",
    [
        {"preference": "tie", "annotators": ["a", "b"], "group": "g", "reference": "As."},
        {"preference": "b", "factors": {"a": {"errors": 2}, "b": {"errors": None, "note": "x"}}},
        {"annotators": []},
        {"judge_x": None},
        {"judge_x": "b", "picks_x": ["first", None], "preference": "a"},
        {"preference": "a", "before_a": TURN, "note": None, "more": [], "empty": ""},
        {"preference": "a", "prompt": "", "source": "A text.", "source_id": "s"},
    ],
)
def test_nothing_is_lost_on_the_way(row: dict[str, object], run: Run, tmp_path: Path) -> None:
    other = {"id": "2", "prompt": "How?", "judge_x": "a"}
    told = {name: row[name] for name in ("preference", "annotators") if name in row}
    given, output = tmp_path / "given.jsonl", tmp_path / "pairs.jsonl"
    lines = [json.dumps(OURS | row), json.dumps(OURS | told | other)]
    given.write_text("\n".join(lines), encoding="utf-8")
    run("convert", str(given), "-o", str(output))
    assert load_preferences(str(output)) == replace(
        load_preferences(str(given)), name="pairs.jsonl"
    )


def test_the_rows_of_a_judge_are_not_peoples(tmp_path: Path) -> None:
    path = tmp_path / "judged.jsonl"
    path.write_text(json.dumps(OURS | {"preference": "a", "judge_x": "b"}) + "\n")
    (row,) = plain_rows(load_preferences(str(path), preference_column="judge_x"))
    assert (row["preference"], row["judge_x"]) == ("a", "b")


def test_without_an_output_rows_are_printed(theirs: Path, run: Run) -> None:
    result = run("convert", str(theirs))
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["preference"] for row in rows] == ["a", "tie", "b"]


def test_a_file_is_not_overwritten_unasked(theirs: Path, run: Run, tmp_path: Path) -> None:
    output = tmp_path / "pairs.jsonl"
    output.write_text("mine")
    result = run("convert", str(theirs), "-o", str(output), exit_code=2)
    assert "is there already; name another file, or --overwrite" in result.stderr
    assert output.read_text() == "mine"
    run("convert", str(theirs), "-o", str(output), "--overwrite")
    assert "mine" not in output.read_text()


def test_options_say_how_a_file_reads(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("nr,question,one,two,best\n1,Why?,Because.,So.,1\n2,Who?,Me.,You.,0\n")
    result = run(
        "convert", str(path), "--map", "nr=id,question=prompt,one=response_a,two=response_b,"
        "best=preference", "--labels", "1=a,2=b,0=tie",
    )  # fmt: skip
    assert [json.loads(line)["preference"] for line in result.stdout.splitlines()] == ["a", "tie"]
    refused = run("convert", str(path), "--map", "question", exit_code=2)
    assert "map is 'question'; expected theirs=ours" in refused.stderr


@pytest.mark.parametrize("name", ["pairs.csv", "pairs.parquet", "pairs.json", "pairs.jsonl.gz"])
def test_a_name_that_says_something_else_than_json_lines_is_refused(
    name: str, theirs: Path, run: Run, tmp_path: Path
) -> None:
    result = run("convert", str(theirs), "-o", str(tmp_path / name), exit_code=2)
    assert result.stderr.endswith("name a file that ends in .jsonl\n")
    assert not (tmp_path / name).exists()
