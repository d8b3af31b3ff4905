"""One result in three forms."""

import csv
import io
import json

import pytest

from profile_tasks.commands.printing import emit, p_value

RECORD = {"n": 2, "parts": {"a": 1, "b": None}}
ROWS = [{"part": "a", "value": 1}, {"part": "b", "value": None}]
PRINTED = [{"part": "a", "value": "1 of 2"}, {"part": "[b]", "value": "not defined"}]


def test_json_is_the_record(capsys: pytest.CaptureFixture[str]) -> None:
    emit("json", RECORD, ROWS, "title", PRINTED)
    assert json.loads(capsys.readouterr().out) == RECORD


def test_what_json_cannot_hold_is_refused_rather_than_written_as_nan() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        emit("json", {"n": float("nan")}, ROWS, "title", PRINTED)


def test_csv_is_the_rows(capsys: pytest.CaptureFixture[str]) -> None:
    emit("csv", RECORD, ROWS, "title", PRINTED)
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert rows == [{"part": "a", "value": "1"}, {"part": "b", "value": ""}]


def test_a_table_has_its_title_and_the_texts_as_they_stand(
    capsys: pytest.CaptureFixture[str],
) -> None:
    emit("table", RECORD, ROWS, "title", PRINTED)
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["title"],
        ["part", "value"],
        ["a", "1", "of", "2"],
        ["[b]", "not", "defined"],
    ]


@pytest.mark.parametrize(("format_", "told"), [("table", "title\n"), ("csv", ""), ("json", "{}\n")])
def test_without_rows_there_is_nothing_but_the_title(
    format_: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    emit(format_, {}, [], "title", [])
    assert capsys.readouterr().out == told


@pytest.mark.parametrize(
    ("justify", "line"), [("left", "a     1 of 2"), ("right", "a          1 of 2")]
)
def test_columns_align_on_the_side_asked_for(
    capsys: pytest.CaptureFixture[str], justify: str, line: str
) -> None:
    emit("table", RECORD, ROWS, "title", PRINTED, justify=justify)
    assert capsys.readouterr().out.splitlines()[2].rstrip() == line


def test_a_table_wraps_only_beyond_the_width(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    long = [{"part": "a", "value": "word " * 30}]
    emit("table", RECORD, ROWS, "title", long)
    assert len(capsys.readouterr().out.splitlines()) == 3
    monkeypatch.setenv("COLUMNS", "100")
    emit("table", RECORD, ROWS, "title", long)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0123, ".012"), (0.001, ".001"), (0.0004, "<.001"), (1.0, "1.000"), (None, "-")],
)
def test_p_values_are_shown_without_false_precision(value: float | None, shown: str) -> None:
    assert p_value(value) == shown
