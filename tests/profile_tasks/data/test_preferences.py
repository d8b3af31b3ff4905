"""Preference files load the same from every format, and a bad row names its place and its fault."""

import csv
import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profile_tasks.data.preferences import (
    AnnotatedPair,
    PreferenceData,
    PreferenceDataError,
    load_preferences,
)
from profile_tasks.data.rows import PREFERENCES, plurality
from profile_tasks.data.task_definition import packaged_tasks

TASKS = packaged_tasks()

Row = dict[str, object]

GOOD: Row = {
    "id": "p1",
    "prompt": "Summarize.",
    "source": "The ferry left at nine and came back at ten.",
    "response_a": "A ferry left.",
    "response_b": "It came back.",
    "preference": "a",
}


def good(**changes: object) -> Row:
    return {**GOOD, **changes}


def without(*fields: str) -> Row:
    return {name: value for name, value in GOOD.items() if name not in fields}


def write_jsonl(path: Path, rows: list[Row]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def write_json(path: Path, rows: list[Row]) -> Path:
    path.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return path


def write_csv(path: Path, rows: list[Row]) -> Path:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in rows:
            cells = [row.get(name) for name in columns]
            writer.writerow(
                [json.dumps(cell) if isinstance(cell, dict | list) else cell for cell in cells]
            )
    return path


def write_parquet(path: Path, rows: list[Row]) -> Path:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    pq.write_table(pa.table({name: [row.get(name) for row in rows] for name in columns}), path)
    return path


WRITERS: dict[str, Callable[[Path, list[Row]], Path]] = {
    "jsonl": write_jsonl,
    "json": write_json,
    "csv": write_csv,
    "parquet": write_parquet,
}

# Where the second row stands: one object a line, objects, a header before the rows, rows.
SECOND_PLACE = {
    "jsonl": "pairs.jsonl:2",
    "json": "pairs.json: record 2",
    "csv": "pairs.csv:3",
    "parquet": "pairs.parquet: row 2",
}

every_format = pytest.mark.parametrize("ending", WRITERS)


def write(folder: Path, rows: list[Row], ending: str = "jsonl", name: str = "pairs") -> Path:
    return WRITERS[ending](folder / f"{name}.{ending}", rows)


def load(path: Path, **arguments: object) -> PreferenceData:
    return load_preferences(str(path), **arguments)


def error_of(path: Path | str, **arguments: object) -> str:
    with pytest.raises(PreferenceDataError) as caught:
        load_preferences(str(path), **arguments)
    return str(caught.value)


def pairs_of(data: PreferenceData) -> list[AnnotatedPair]:
    return [pair for source in data.sources for pair in source.pairs]


# --- one bad row --------------------------------------------------------------------------------


@every_format
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"preference": "A>B"},
            "field 'preference' is 'A>B'; expected 'a', 'b' or 'tie', or labels that say what it "
            "means, as in labels=A>B=a",
        ),
        ({"response_a": "  "}, "empty response: field 'response_a' is blank"),
        ({"response_b": None}, "empty response: field 'response_b' is null"),
        ({"id": "p1"}, "duplicate id 'p1'; first at FIRST"),
        ({"id": " "}, "field 'id' is ' '; expected text, not blank, or a whole number"),
        (
            {"prompt": " ", "source": None},
            "field 'prompt' is blank, and there is no source either",
        ),
        (
            {"annotators": ["b", "b", "a"]},
            "field 'preference' says 'a', but the votes in 'annotators' make 'b'; "
            "correct one of them, or remove 'preference' to count the votes",
        ),
        (
            {"annotators": ["a", "left"]},
            "field 'annotators' holds 'left'; expected 'a', 'b' or 'tie', or labels that say what "
            "it means, as in labels=left=a",
        ),
        (
            {"factors": {"a": {"errors": float("inf")}, "b": {"errors": 1.0}}},
            "field 'factors.a.errors' is Infinity; "
            "expected a finite number, or null where it is missing",
        ),
    ],
)
def test_a_bad_row_is_named_with_its_place_in_every_format(
    ending: str, changes: Row, reason: str, tmp_path: Path
) -> None:
    path = write(tmp_path, [good(), good(**{"id": "p2", **changes})], ending)
    first = re.sub(r"\d$", lambda digit: str(int(digit[0]) - 1), SECOND_PLACE[ending])
    assert error_of(path) == f"{SECOND_PLACE[ending]}: {reason.replace('FIRST', first)}"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (
            without("response_a"),
            "missing field 'response_a'; the row has: id, prompt, source, response_b, preference",
        ),
        (
            {**without("response_a"), "Response_A": "x"},
            "missing field 'response_a'; is 'Response_A' meant? Rename it, or "
            "map=Response_A=response_a",
        ),
        (
            {**without("preference"), "preferences": "a"},
            "missing field 'preference' (or 'annotators'); is 'preferences' meant? Rename it, "
            "or map=preferences=preference",
        ),
        ({**without("id"), "Id": 3}, "missing field 'id'; is 'Id' meant? Rename it, or map=Id=id"),
        (
            {},
            "missing fields 'id', 'prompt', 'response_a', 'response_b' and 'preference' (or "
            "'annotators'); the row has: no fields",
        ),
        (
            good(preference=None),
            "field 'preference' is null; expected 'a', 'b' or 'tie'",
        ),
        (
            good(preference=1),
            "field 'preference' is 1; expected 'a', 'b' or 'tie', or labels that say what it "
            "means, as in labels=1=a",
        ),
        (good(preference=[]), "field 'preference' is []; expected 'a', 'b' or 'tie'"),
        (
            good(preference=["a", None]),
            "field 'preference' holds null; expected 'a', 'b' or 'tie'",
        ),
        (good(annotators="aab"), "field 'annotators' is 'aab'; expected a list of votes"),
        (good(response_a=7), "field 'response_a' is 7; expected text"),
        (
            good(prompt=["x"]),
            "field 'prompt' holds 'x'; expected a message with 'role' (system, user or assistant) "
            "and 'content', a text",
        ),
        (good(source=7), "field 'source' is 7; expected text or null"),
        (good(reference=True), "field 'reference' is true; expected text or null"),
        (good(task=3), "field 'task' is 3; expected text or null"),
        (good(id=True), "field 'id' is true; expected text, not blank, or a whole number"),
        (good(id=1.5), "field 'id' is 1.5; expected text, not blank, or a whole number"),
        (good(group=""), "field 'group' is ''; expected text, not blank, or a whole number"),
        (
            good(source_id=[]),
            "field 'source_id' is []; expected text, not blank, or a whole number",
        ),
        (good(factors=3), "field 'factors' is 3; expected an object or null"),
        (
            good(factors={"a": [1]}),
            "field 'factors.a' is [1]; expected an object or null",
        ),
        (
            good(factors={"b": {"errors": float("nan")}}),
            "field 'factors.b.errors' is NaN; "
            "expected a finite number, or null where it is missing",
        ),
        (
            good(factors={"b": {"errors": 10**400}}),
            f"field 'factors.b.errors' is 1{'0' * 56}...; "
            "expected a finite number, or null where it is missing",
        ),
        (
            good(response_a="x" * 100, preference="y" * 100),
            f"field 'preference' is '{'y' * 56}...; expected 'a', 'b' or 'tie'",
        ),
        (good(source="half \ud83d"), r"the row holds '\ud83d', half of a character; remove it"),
    ],
)
def test_a_wrong_or_missing_field_is_named_with_what_was_expected(
    row: Row, reason: str, tmp_path: Path
) -> None:
    assert error_of(write(tmp_path, [row])) == f"pairs.jsonl:1: {reason}"


def test_a_missing_field_lists_long_rows_in_short(tmp_path: Path) -> None:
    row = {f"column_{n}": n for n in range(100)}
    message = error_of(write(tmp_path, [row]))
    assert "...; say which column is what, as in map=COLUMN=prompt," in message
    assert len(message) < 400


def test_a_column_nested_too_deeply_is_a_bad_row(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    deep = json.dumps(good(notes=0)).removesuffix("0}") + "[" * 300 + "]" * 300 + "}"
    path.write_text(deep)
    assert error_of(path).startswith(
        "pairs.jsonl:1: field 'notes' is nested more than 100 levels deep"
    )
    path.write_text(deep.replace("[", "[" * 100).replace("]", "]" * 100))
    assert error_of(path).startswith("pairs.jsonl:1: broken JSON (")


def test_two_references_for_one_source_are_named_at_both_places(tmp_path: Path) -> None:
    rows = [good(), good(id="p2", reference="One."), good(id="p3", reference="Two.", group="g")]
    assert load(write(tmp_path, rows)).sources[0].reference == "One."
    rows[0]["group"] = rows[1]["group"] = "g"
    assert error_of(write(tmp_path, rows)) == (
        "pairs.jsonl:3: field 'reference' differs from the one at pairs.jsonl:2 for the same "
        "source (group 'g'); one source has one reference"
    )


# --- a bad file ---------------------------------------------------------------------------------


def test_a_broken_json_line_is_named_with_its_line_and_column(tmp_path: Path) -> None:
    path = write(tmp_path, [good()])
    path.write_text(path.read_text() + '\n{"id": "p2", "prompt" "x"}\n')
    assert error_of(path) == "pairs.jsonl:3: broken JSON (Expecting ':' delimiter, column 23)"
    path.write_text(path.read_text().splitlines()[0] + "\n[1, 2]\n")
    assert error_of(path) == "pairs.jsonl:2: [1, 2] is not an object"
    path.write_text('{"id": ' + "9" * 5000 + "}")
    assert error_of(path).startswith("pairs.jsonl:1: broken JSON (Exceeds the limit")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            '[{"id": 1},\n {"id" 2}]',
            ":2: broken JSON (Expecting ':' delimiter, column 8); "
            "a file with one object a line must end in .jsonl",
        ),
        (
            '{"id": 1}\n{"id": 2}',
            ":2: broken JSON (Extra data, column 1); "
            "a file with one object a line must end in .jsonl",
        ),
        ('{"rows": []}', ": not an array of objects"),
        (
            '[{"id": 1}, 2]',
            ": record 1: missing fields 'prompt', 'response_a', 'response_b' and 'preference' (or "
            "'annotators'); the row has: id",
        ),
        ("[2]", ": record 1: 2 is not an object"),
        ("[]", ": the file holds no rows"),
    ],
)
def test_a_broken_json_file_is_named(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "pairs.json"
    path.write_text(text)
    assert error_of(path) == f"pairs.json{reason}"


@pytest.mark.parametrize("text", ["[" * 100_000, '[{"id": ' + "9" * 5000 + "}]"])
def test_json_that_python_cannot_hold_is_an_error_of_the_file(text: str, tmp_path: Path) -> None:
    path = tmp_path / "pairs.json"
    path.write_text(text)
    assert error_of(path).startswith("pairs.json: broken JSON (")


@pytest.mark.parametrize("ending", ["jsonl", "json", "csv"])
def test_text_that_is_not_utf8_is_named_with_its_line(ending: str, tmp_path: Path) -> None:
    rows = [good(id=f"p{n}", response_a=f"Un café {n}") for n in range(5)]
    path = write(tmp_path, rows, ending)
    text = path.read_bytes().decode("utf-8").replace("\\u00e9", "é")
    cut = text.index("Un caf", text.index("p2"))
    path.write_bytes(text[:cut].encode() + text[cut:].encode("latin-1"))
    line = 1 + text.count("\n", 0, cut)
    assert line >= 3
    assert error_of(path) == (
        f"pairs.{ending}:{line}: not UTF-8 (byte 0xe9); save the file in UTF-8"
    )
    # The whole file is in doubt, so that leaving out one row would not do.
    assert "not UTF-8" in error_of(path, skip_bad_rows=True)


def test_utf16_is_not_read_as_something_else(tmp_path: Path) -> None:
    path = write(tmp_path, [good()])
    path.write_bytes(path.read_text().encode("utf-16"))
    assert error_of(path) == "pairs.jsonl:1: not UTF-8 (byte 0xff); save the file in UTF-8"


@pytest.mark.parametrize(
    ("ending", "content"),
    [("jsonl", ""), ("jsonl", "\n \n"), ("csv", ""), ("csv", "id,prompt\n"), ("json", "[]")],
)
def test_a_file_without_rows_is_an_error(ending: str, content: str, tmp_path: Path) -> None:
    path = tmp_path / f"pairs.{ending}"
    path.write_text(content)
    assert error_of(path) == f"pairs.{ending}: the file holds no rows"


def test_a_parquet_file_without_rows_or_sense_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "pairs.parquet"
    pq.write_table(pa.table({"id": pa.array([], pa.string())}), path)
    assert error_of(path) == "pairs.parquet: the file holds no rows"
    path.write_bytes(b"PAR1 and then nothing of the kind")
    assert error_of(path).startswith("pairs.parquet: not a readable Parquet file (")


@every_format
def test_a_missing_file_is_named_with_its_path(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"none.{ending}"
    assert error_of(path) == f"{path}: no such file"
    path.mkdir()
    assert error_of(path) == f"{path}: not a file"


@pytest.mark.parametrize("name", ["tdlr", "pairs.txt", "pairs", ""])
def test_an_unknown_data_set_lists_what_there_is(name: str) -> None:
    assert error_of(name) == (
        f"dataset is {name!r}. Must be one of: demo, tldr, shp2, webgpt, "
        "or a path that ends in .jsonl, .json, .csv, .tsv, .parquet, also with .gz or .zst"
    )


@pytest.mark.parametrize("task", [None, "translation"])
def test_the_demo_needs_a_task_that_it_has(task: str | None) -> None:
    assert error_of("demo", task=task) == (
        f"data set 'demo' has one file a task, and task is {task!r}. "
        "Must be one of: summarization, instruction_following, document_qa, dialogue, code_review"
    )


@pytest.mark.parametrize("argument", ["revision", "split"])
@pytest.mark.parametrize("dataset", ["demo", "pairs.jsonl"])
def test_revision_and_split_go_with_public_sets_only(dataset: str, argument: str) -> None:
    assert error_of(dataset, task="document_qa", **{argument: "main"}) == (
        f"revision and split go with a public data set (tldr, shp2, webgpt), not with {dataset!r}"
    )


@pytest.mark.parametrize("dataset", ["demo", "tldr"])
def test_a_source_file_goes_with_data_files_only(dataset: str, tmp_path: Path) -> None:
    assert error_of(dataset, task="summarization", source_file=tmp_path) == (
        f"a file of sources goes with a data file; data set {dataset!r} holds its own"
    )


# --- CSV ----------------------------------------------------------------------------------------


def test_csv_rows_with_too_few_or_too_many_cells_are_bad_rows(tmp_path: Path) -> None:
    path = write(tmp_path, [good(), good(id="p2")], "csv")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, "p3,Summarize.", "p4" + lines[1][2:] + ",more"]))
    assert error_of(path) == "pairs.csv:4: the row has 2 cells, the header 6"
    skipped = load(path, skip_bad_rows=True).skipped
    assert [str(row) for row in skipped] == [
        "pairs.csv:4: the row has 2 cells, the header 6",
        "pairs.csv:5: the row has 7 cells, the header 6",
    ]


def test_csv_of_a_spreadsheet_loads_with_its_byte_order_mark(tmp_path: Path) -> None:
    path = write(tmp_path, [good()], "csv")
    plain = load(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load(path) == plain


def test_csv_places_count_lines_of_the_file_not_rows(tmp_path: Path) -> None:
    rows = [good(response_a="One.\nTwo.\n\nThree."), good(id="p2", preference="left")]
    path = write(tmp_path, rows, "csv")
    line = 1 + path.read_text().split("p2")[0].count("\n")
    assert error_of(path).startswith(f"pairs.csv:{line}: field 'preference' is 'left'")
    assert line == 6


def test_csv_cells_may_be_longer_than_pythons_limit(tmp_path: Path) -> None:
    limit = csv.field_size_limit()
    path = write(tmp_path, [good(source="word " * 40_000)], "csv")
    assert load(path).sources[0].source == "word " * 40_000
    assert csv.field_size_limit() == limit


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,prompt,id\n1,2,3\n", "pairs.csv:1: 2 columns are named 'id'; remove or rename"),
        ('id,prompt\n1,2\n"3"x,4\n', "pairs.csv:3: broken CSV (',' expected after '\"')"),
        ('id,prompt\n1,"2\n', "pairs.csv:2: broken CSV (unexpected end of data)"),
    ],
)
def test_broken_csv_is_an_error_of_the_file(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text(text)
    assert error_of(path) == message
    assert error_of(path, skip_bad_rows=True) == message


def test_csv_cells_that_should_be_json_are_named(tmp_path: Path) -> None:
    path = write(tmp_path, [good(factors="errors=2")], "csv")
    assert error_of(path) == "pairs.csv:2: field 'factors' is 'errors=2'; expected JSON"
    path = write(tmp_path, [good(annotators="a;b")], "csv")
    assert error_of(path) == "pairs.csv:2: field 'annotators' is 'a;b'; expected JSON"


# --- what stands twice --------------------------------------------------------------------------

TWICE = json.dumps(GOOD)[:-1] + ', "preference": "b"}'
NESTED_TWICE = json.dumps(good(id="p3"))[:-1] + ', "factors": {"a": {"errors": 1, "errors": 2}}}'


@pytest.mark.parametrize(
    ("ending", "place", "nested_place"),
    [
        ("jsonl", "pairs.jsonl:2", "pairs.jsonl:3"),
        ("json", "pairs.json: record 2", "pairs.json: record 3"),
    ],
)
def test_a_key_that_stands_twice_is_a_bad_row(
    ending: str, place: str, nested_place: str, tmp_path: Path
) -> None:
    rows = [json.dumps(good(id="p0")), TWICE, NESTED_TWICE]
    text = "\n".join(rows) if ending == "jsonl" else f"[{', '.join(rows)} ]"
    path = tmp_path / f"pairs.{ending}"
    path.write_text(text)
    reason = f"{place}: field 'preference' stands twice; remove one"
    assert error_of(path) == reason
    data = load(path, skip_bad_rows=True)
    assert [pair.id for pair in pairs_of(data)] == ["p0"]
    assert [str(row) for row in data.skipped] == [
        reason,
        f"{nested_place}: field 'errors' stands twice; remove one",
    ]


def test_a_key_that_stands_twice_in_a_cell_is_a_bad_row(tmp_path: Path) -> None:
    path = write(tmp_path, [good(factors="FACTORS")], "csv")
    cell = '"{""a"": {""errors"": 1, ""errors"": 2}}"'
    path.write_text(path.read_text().replace("FACTORS", cell))
    reason = "pairs.csv:2: field 'factors': field 'errors' stands twice; remove one"
    assert error_of(path) == reason


def test_a_parquet_column_that_stands_twice_is_an_error_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "pairs.parquet"
    names = [*GOOD, "preference"]
    pq.write_table(pa.Table.from_arrays([pa.array([GOOD[n]]) for n in names], names), path)
    assert error_of(path) == ("pairs.parquet: 2 columns are named 'preference'; remove or rename")


# --- files that cannot be opened ----------------------------------------------------------------


@every_format
def test_a_file_that_cannot_be_opened_is_one_line(ending: str, tmp_path: Path) -> None:
    folder = tmp_path / f"folder.{ending}"
    folder.mkdir()
    assert error_of(folder) == f"{folder}: not a file"
    long = f"{'x' * 300}.{ending}"
    assert error_of(long) == f"{long}: cannot be read (File name too long)"
    unreadable = tmp_path / f"unreadable.{ending}"
    unreadable.symlink_to("/proc/self/mem")  # opens, and fails when it is read
    assert re.search(r"read", error_of(unreadable))
    assert "\n" not in error_of(unreadable)


# --- the same from every format -----------------------------------------------------------------

RICH: list[Row] = [
    {
        "id": "p1",
        "task": "summarization",
        "prompt": "Summarize, “briefly”.",
        "source": 'Line one,\nline "two"; naïve 船\u2028end.',
        "response_a": "One\n\n- two",
        "response_b": " Two. ",
        "preference": "a",
        "annotators": ["a", "tie", "a"],
        "group": "g1",
        "reference": "Both.",
        "factors": {"a": {"errors": 2.0, "tone": None}, "b": {"errors": 0.5, "tone": 1.0}},
        "system_a": "long-plain",
    },
    {
        "id": "p2",
        "task": "summarization",
        "prompt": "What happened?",
        "source": None,
        "response_a": "Nothing.",
        "response_b": "A lot.",
        "preference": "tie",
        "annotators": ["a", "b", "tie"],
        "group": "g2",
        "reference": None,
        "factors": None,
        "system_a": None,
    },
]


@every_format
def test_the_same_rows_load_equal_from_every_format(ending: str, tmp_path: Path) -> None:
    data = load(write(tmp_path, RICH, ending))
    first, second = data.sources
    assert (data.name, data.skipped, data.other_task_rows) == (f"pairs.{ending}", (), 0)
    assert (first.id, first.group, first.task) == ("g1", "g1", "summarization")
    assert (first.prompt, first.source) == (RICH[0]["prompt"], RICH[0]["source"])
    assert (first.reference, second.reference, second.source) == ("Both.", None, None)
    (pair,) = first.pairs
    assert (pair.id, pair.preference) == ("p1", "a")
    assert (pair.response_a, pair.response_b) == ("One\n\n- two", " Two. ")
    assert pair.annotators == ("a", "tie", "a")
    assert pair.factors_a == {"errors": 2.0, "tone": None}
    assert pair.factors_b == {"errors": 0.5, "tone": 1.0}
    assert pair.extra["system_a"] == "long-plain"
    (pair,) = second.pairs
    assert (pair.preference, pair.annotators) == ("tie", ("a", "b", "tie"))
    assert (pair.factors_a, pair.extra["system_a"]) == ({}, None)
    assert data.sources == load(write(tmp_path, RICH, "jsonl", "same")).sources


@every_format
def test_a_blank_prompt_is_allowed_where_the_source_is_the_request(
    ending: str, tmp_path: Path
) -> None:
    (source,) = load(write(tmp_path, [good(prompt="")], ending)).sources
    assert (source.prompt, source.source) == ("", GOOD["source"])


@every_format
@pytest.mark.parametrize("blank", [None, "", " \n"])
def test_a_blank_source_or_reference_is_none(
    ending: str, blank: str | None, tmp_path: Path
) -> None:
    # Else every word would count as new against it, or a ROUGE of 0 would be measured.
    rows = [good(source=blank, reference=blank, task=blank), good(id="p2", source=None)]
    (source,) = load(write(tmp_path, rows, ending)).sources
    assert (source.source, source.reference, source.task) == (None, None, "")
    assert len(source.pairs) == 2


def test_lists_of_votes_in_the_preference_column_load_equal(tmp_path: Path) -> None:
    rows = [good(preference=["a", "b", "b"]), good(id="p2", preference=["tie"])]
    loaded = [load(write(tmp_path, rows, ending)).sources for ending in WRITERS]
    assert loaded == [loaded[0]] * 4
    assert [(pair.preference, pair.annotators) for pair in loaded[0][0].pairs] == [
        ("b", ("a", "b", "b")),
        ("tie", ("tie",)),
    ]


def test_parquet_columns_of_other_types_are_read_as_text(tmp_path: Path) -> None:
    path = tmp_path / "pairs.parquet"
    columns = {name: [value] for name, value in GOOD.items()}
    when = pa.array([0], pa.timestamp("s"))
    pq.write_table(pa.table({**columns, "response_a": ["café".encode()], "when": when}), path)
    (pair,) = pairs_of(load(path))
    assert pair.response_a == "café"
    assert pair.extra == {"when": "1970-01-01 00:00:00"}
    pq.write_table(pa.table({**columns, "response_a": ["café".encode("latin-1")]}), path)
    assert error_of(path) == (
        "pairs.parquet: row 1: field 'response_a' is not UTF-8; store it as text in UTF-8"
    )


@pytest.mark.parametrize("rows", [2, 3])
def test_broken_text_in_parquet_costs_its_row_alone(rows: int, tmp_path: Path) -> None:
    broken = pa.array([b"Yes.", b"No \xff", b"Yes."][:rows]).view(pa.string())
    columns = {name: [value] * rows for name, value in GOOD.items()}
    columns |= {"id": ["p1", "p2", "p3"][:rows], "response_b": broken}
    path = tmp_path / "pairs.parquet"
    pq.write_table(pa.table(columns), path)
    reason = "pairs.parquet: row 2: field 'response_b' is not UTF-8; store it as text in UTF-8"
    assert error_of(path) == reason
    data = load(path, skip_bad_rows=True)
    assert len(pairs_of(data)) == rows - 1
    assert [str(row) for row in data.skipped] == [reason]


def test_a_text_with_a_unicode_line_separator_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps(good(source="a\u2028b\u0085c"), ensure_ascii=False) + "\r\n")
    assert load(path).sources[0].source == "a\u2028b\u0085c"


def test_whole_number_ids_are_read_as_text(tmp_path: Path) -> None:
    data = load(write(tmp_path, [good(id=7, group=3)]))
    assert (data.sources[0].group, data.sources[0].pairs[0].id) == ("3", "7")
    assert "duplicate id '7'" in error_of(write(tmp_path, [good(id=7), good(id="7")]))


# --- votes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        (["a"], "a"),
        (["a", "a", "b"], "a"),
        (["b", "b", "tie"], "b"),
        (["tie", "tie", "a"], "tie"),
        (["a", "b"], "tie"),
        (["a", "a", "b", "b", "tie"], "tie"),
        (["a", "tie"], "tie"),
        (["a", "a", "tie", "tie", "b"], "tie"),
        (["a", "a", "b", "tie"], "a"),
    ],
)
def test_the_most_frequent_vote_counts_and_equal_ones_tie(
    votes: list[str], expected: str, tmp_path: Path
) -> None:
    row = {**without("preference"), "annotators": votes}
    (pair,) = pairs_of(load(write(tmp_path, [row])))
    assert pair.preference == plurality(votes) == expected
    assert pair.annotators == tuple(votes)
    assert load(write(tmp_path, [{**row, "preference": expected}])).sources[0].pairs == (pair,)


@given(st.lists(st.sampled_from(PREFERENCES), min_size=1))
def test_plurality_minds_neither_order_nor_names(votes: list[str]) -> None:
    other = {"a": "b", "b": "a", "tie": "tie"}
    assert plurality(votes[::-1]) == plurality(votes)
    assert plurality([other[vote] for vote in votes]) == other[plurality(votes)]


def test_no_votes_leave_the_preference_as_it_is(tmp_path: Path) -> None:
    (pair,) = pairs_of(load(write(tmp_path, [good(annotators=[])])))
    assert (pair.preference, pair.annotators) == ("a", ())


def test_another_preference_column_stands_alone(tmp_path: Path) -> None:
    # Its judges are others, so that the votes in `annotators` cannot contradict it.
    row = good(annotators=["a", "a"], judge="b")
    (pair,) = pairs_of(load(write(tmp_path, [row]), preference_column="judge"))
    assert (pair.preference, pair.annotators) == ("b", ())
    assert pair.extra == {"preference": "a", "annotators": ["a", "a"]}
    assert error_of(write(tmp_path, [row]), preference_column="jugde") == (
        "pairs.jsonl:1: missing field 'jugde'; is 'judge' meant? Rename it"
    )
    (pair,) = pairs_of(load(write(tmp_path, [row]), preference_column="annotators"))
    assert (pair.preference, pair.annotators) == ("a", ("a", "a"))


# --- factors and other columns ------------------------------------------------------------------


def test_factors_keep_numbers_and_missing_ones_and_leave_texts_to_extra(tmp_path: Path) -> None:
    factors = {
        "a": {"errors": 2, "tone": None, "note": "short", "cited": True, "spans": [1]},
        "pairwise": {"detail": "a"},
    }
    (pair,) = pairs_of(load(write(tmp_path, [good(factors=factors)])))
    assert (pair.factors_a, pair.factors_b) == ({"errors": 2.0, "tone": None}, {})
    assert pair.extra == {"factors": factors}


@pytest.mark.parametrize("text", ["3", "0.5", " 1e-3", "1,5", "nan"])
def test_a_number_in_quotes_is_refused_where_quotes_mean_a_text(text: str, tmp_path: Path) -> None:
    rows = [good(factors={"a": {"errors": text}, "b": {"errors": 1}})]
    assert error_of(write(tmp_path, rows)) == (
        f"pairs.jsonl:1: field 'factors.a.errors' is {text!r}, a text; "
        "expected a number, without quotes, or null where it is missing"
    )


@pytest.mark.parametrize(("text", "number"), [("3", 3.0), ("0.5", 0.5), ("-.5e1", -5.0)])
def test_a_number_in_quotes_is_a_number_in_csv(text: str, number: float, tmp_path: Path) -> None:
    rows = [good(factors={"a": {"errors": text, "note": "short"}})]
    (pair,) = pairs_of(load(write(tmp_path, rows, "csv")))
    assert pair.factors_a == {"errors": number}


def test_decimals_of_parquet_are_numbers_among_the_factors(tmp_path: Path) -> None:
    rows = [good(factors={"a": {"errors": Decimal("0.50")}}, price=Decimal("0.50"))]
    (pair,) = pairs_of(load(write(tmp_path, rows, "parquet")))
    assert pair.factors_a == {"errors": 0.5}
    assert pair.extra["price"] == "0.50"


@pytest.mark.parametrize("column", ["response_a", "response_b"])
@pytest.mark.parametrize(
    "messages", ['[{"role": "user", "content": "Hi."}]', "[{'content': 'Hi.', 'role': 'user'}]"]
)
def test_messages_written_as_text_are_no_text(column: str, messages: str, tmp_path: Path) -> None:
    assert error_of(write(tmp_path, [good(**{column: messages})], "csv")).startswith(
        f"pairs.csv:2: field {column!r} is a list of messages, "
    )


# --- another judge ------------------------------------------------------------------------------


@every_format
def test_a_null_of_a_recorded_judge_is_a_verdict_that_is_missing(
    ending: str, tmp_path: Path
) -> None:
    rows = [good(id=f"p{n}", judge_x=verdict) for n, verdict in enumerate(["b", None, "tie"])]
    data = load(write(tmp_path, rows, ending), preference_column="judge_x")
    assert [(p.id, p.preference) for p in pairs_of(data)] == [
        ("p0", "b"),
        ("p1", None),
        ("p2", "tie"),
    ]
    assert (data.judge, data.unjudged_pairs, data.skipped) == ("judge_x", 1, ())
    people = load(write(tmp_path, rows, ending))
    assert (people.judge, people.unjudged_pairs, len(pairs_of(people))) == (None, 0, 3)


def test_a_judge_chooses_the_sources_that_people_have_whatever_it_judged(tmp_path: Path) -> None:
    rows = [good(id=f"p{n}", group=f"g{n}", judge_x=None if n % 3 else "a") for n in range(30)]
    path = write(tmp_path, rows)
    people = {pair.id for pair in pairs_of(load(path, limit=9))}
    judge = load(path, limit=9, preference_column="judge_x")
    assert {pair.id for pair in pairs_of(judge)} == people
    assert judge.unjudged_pairs == sum(int(name[1:]) % 3 != 0 for name in people)


def test_an_empty_list_of_votes_says_that_nobody_was_asked(tmp_path: Path) -> None:
    rows = [{**without("preference"), "annotators": []}, good(id="p2")]
    data = load(write(tmp_path, rows))
    assert [pair.preference for pair in pairs_of(data)] == [None, "a"]
    assert (data.unjudged_pairs, data.told, data.judge) == (1, True, None)


def test_a_file_of_judges_alone_has_no_preference_of_people(tmp_path: Path) -> None:
    rows = [{**without("preference"), "judge_x": "b", "judge_y": None}]
    data = load(write(tmp_path, rows))
    assert [pair.preference for pair in pairs_of(data)] == [None]
    assert (data.told, data.judges) == (False, ("judge_x", "judge_y"))


def test_a_judge_without_a_verdict_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path, [good(judge_x=None)])
    assert error_of(path, preference_column="judge_x") == (
        "pairs.jsonl: field 'judge_x' is null in every row"
    )


def test_factors_can_stand_in_another_column(tmp_path: Path) -> None:
    row = good(ratings={"a": {"tone": 1}, "b": {"tone": 2}}, factors="of another kind")
    for ending in ("jsonl", "csv"):
        (pair,) = pairs_of(load(write(tmp_path, [row], ending), factors_column="ratings"))
        assert (pair.factors_a, pair.factors_b) == ({"tone": 1.0}, {"tone": 2.0})
        assert pair.extra["factors"] == "of another kind"


def test_all_other_columns_are_kept_as_they_came(tmp_path: Path) -> None:
    others: Row = {"system_a": "x", "year": 2020, "swapped": False, "tags": ["m", {"n": None}]}
    (pair,) = pairs_of(load(write(tmp_path, [good(**others, source_id="s")])))
    assert pair.extra == {**others, "source_id": "s"}


# --- leaving out --------------------------------------------------------------------------------


@every_format
def test_skipped_rows_are_listed_and_the_rest_is_kept(ending: str, tmp_path: Path) -> None:
    rows = [good(), good(id="p2", preference="left"), good(id="p1"), good(id="p4")]
    data = load(write(tmp_path, rows, ending), skip_bad_rows=True)
    assert [pair.id for pair in pairs_of(data)] == ["p1", "p4"]
    assert data.skipped[0].place == SECOND_PLACE[ending]
    assert [row.reason.split("'")[0] for row in data.skipped] == ["field ", "duplicate id "]


def test_the_id_of_a_skipped_row_is_free_for_another(tmp_path: Path) -> None:
    rows = [good(preference="left"), good(response_a="Kept.")]
    data = load(write(tmp_path, rows), skip_bad_rows=True)
    assert [pair.response_a for pair in pairs_of(data)] == ["Kept."]
    assert len(data.skipped) == 1


def test_only_bad_rows_are_an_error_even_when_skipped(tmp_path: Path) -> None:
    rows = [good(preference="left"), good(preference="right")]
    assert error_of(write(tmp_path, rows), skip_bad_rows=True) == (
        "pairs.jsonl: all 2 rows are bad; the first: "
        "pairs.jsonl:1: field 'preference' is 'left'; expected 'a', 'b' or 'tie', or labels that "
        "say what it means, as in labels=left=a"
    )
    rows.append(good(task="document_qa"))
    message = error_of(write(tmp_path, rows), skip_bad_rows=True, task="summarization")
    assert message.startswith("pairs.jsonl: all 2 rows but 1 of other tasks are bad; the first: ")


def test_a_task_takes_its_own_rows_and_those_without_a_task(tmp_path: Path) -> None:
    tasks = ["summarization", "document_qa", None, "", "document_qa"]
    rows = [good(id=f"p{n}", task=task) for n, task in enumerate(tasks)]
    rows[1]["preference"] = "a row of another task is not looked at"
    data = load(write(tmp_path, rows), task="summarization")
    assert [pair.id for pair in pairs_of(data)] == ["p0", "p2", "p3"]
    assert {source.task for source in data.sources} == {"summarization"}
    assert data.other_task_rows == 2


def test_without_a_task_all_rows_count_and_keep_theirs(tmp_path: Path) -> None:
    rows = [good(id="p1", task="summarization"), good(id="p2", task="poetry"), good(id="p3")]
    data = load(write(tmp_path, rows))
    assert [source.task for source in data.sources] == ["summarization", "poetry", ""]
    assert data.other_task_rows == 0


def test_no_row_of_the_task_lists_the_tasks_there_are(tmp_path: Path) -> None:
    tasks = ["poetry", "document_qa", "document_qa"]
    rows = [good(id=f"p{n}", task=task) for n, task in enumerate(tasks)]
    assert error_of(write(tmp_path, rows), task="summarization") == (
        "pairs.jsonl: no row has task 'summarization'; the rows have: document_qa (2), poetry (1)"
    )


# --- sources and groups -------------------------------------------------------------------------


def test_several_prompts_of_a_group_are_several_sources(tmp_path: Path) -> None:
    prompts = ["Who?", "When?", "Who?", "Why?"]
    rows = [good(id=f"p{n}", prompt=prompt, group="g") for n, prompt in enumerate(prompts)]
    rows.append(good(id="p9", group="g#2"))
    sources = load(write(tmp_path, rows)).sources
    assert [(source.id, source.group) for source in sources] == [
        ("g#1", "g"),
        ("g#3", "g"),  # g#2 is a group of its own
        ("g#4", "g"),
        ("g#2", "g#2"),
    ]
    assert [pair.id for pair in sources[0].pairs] == ["p0", "p2"]


def test_one_prompt_in_several_groups_is_several_sources(tmp_path: Path) -> None:
    rows = [good(id=f"p{n}", source=None, group=f"g{n % 2}") for n in range(4)]
    sources = load(write(tmp_path, rows)).sources
    assert [source.id for source in sources] == ["g0", "g1"]
    assert [source.source for source in sources] == [None, None]


def test_pairs_without_a_group_share_their_source_else_their_prompt(tmp_path: Path) -> None:
    rows = [
        good(id="p1", prompt="Who?"),
        good(id="p2", prompt="When?"),
        good(id="p3", source=None, prompt="Who?"),
        good(id="p4", source=None, prompt="Who?"),
        good(id="p5", source=None, prompt="When?"),
        good(id="p6", source_id="s"),
    ]
    sources = load(write(tmp_path, rows)).sources
    groups = {pair.id: source.group for source in sources for pair in source.pairs}
    assert groups["p1"] == groups["p2"]
    assert groups["p3"] == groups["p4"]
    assert groups["p6"] == "s"
    assert len(set(groups.values())) == 4
    assert all(re.fullmatch("[0-9a-f]{12}", groups[pair]) for pair in ("p1", "p3", "p5"))
    assert len({source.id for source in sources}) == len(sources) == 5


# --- sources in a file of their own -------------------------------------------------------------


def stories(folder: Path, rows: list[Row], ending: str = "jsonl") -> Path:
    return write(folder, rows, ending, "stories")


@every_format
def test_sources_are_joined_from_a_file_of_their_own(ending: str, tmp_path: Path) -> None:
    rows = [
        good(id="p1", source=None, source_id="s1", prompt="Who?"),
        good(id="p2", source=None, source_id="s1", prompt="When?"),
        good(id="p3", source="Its own.", source_id="s2"),
    ]
    path = write(tmp_path, rows, ending)
    side = stories(tmp_path, [{"source_id": "s1", "source": "A long story."}], ending)
    data = load(path, source_file=side)
    assert [(source.id, source.group, source.source) for source in data.sources] == [
        ("s1#1", "s1", "A long story."),
        ("s1#2", "s1", "A long story."),
        ("s2", "s2", "Its own."),
    ]
    assert data.unjoined_rows == 0
    assert load(path).unjoined_rows == 2
    assert load(path, limit=1).unjoined_rows == 2


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (
            [{"source_id": "s1", "source": "A."}, {"source_id": "s1", "source": "B."}],
            "stories.jsonl:2: duplicate source_id 's1'; first at stories.jsonl:1",
        ),
        (
            [{"source_id": "s2", "source": "A."}],
            "pairs.jsonl:1: source_id 's1' is not in stories.jsonl",
        ),
        (
            [{"source_id": "s1", "source": None}],
            "stories.jsonl:1: field 'source' is null; expected text",
        ),
        (
            [{"source_id": "s1", "source": " "}],
            "stories.jsonl:1: field 'source' is blank; expected the text of the source",
        ),
        (
            [{"source_id": "s1", "text": "A."}],
            "stories.jsonl:1: missing field 'source'; the row has: source_id, text",
        ),
        (
            [{"sourceid": "s1", "source": "A."}],
            "stories.jsonl:1: missing field 'source_id'; is 'sourceid' meant? Rename it",
        ),
        ([], "stories.jsonl: the file holds no rows"),
    ],
)
def test_a_bad_source_file_is_named(rows: list[Row], reason: str, tmp_path: Path) -> None:
    path = write(tmp_path, [good(source=None, source_id="s1")])
    assert error_of(path, source_file=stories(tmp_path, rows)) == reason


def test_a_source_file_that_is_none_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, [good(source=None, source_id="s1")])
    assert error_of(path, source_file=tmp_path / "no.jsonl") == f"{tmp_path}/no.jsonl: no such file"
    assert error_of(path, source_file=tmp_path / "no.txt") == (
        f"{tmp_path}/no.txt: the file name must end in .jsonl, .json, .csv, .tsv, .parquet; "
        "all but Parquet may be compressed, .gz or .zst"
    )
    broken = tmp_path / "broken.jsonl"
    broken.write_text("{")
    assert error_of(path, source_file=broken, skip_bad_rows=True).startswith(
        "broken.jsonl:1: broken JSON ("
    )


def test_a_source_file_without_rows_to_join_is_an_error(tmp_path: Path) -> None:
    side = stories(tmp_path, [{"source_id": "s1", "source": "A."}])
    assert error_of(write(tmp_path, [good()]), source_file=side) == (
        "pairs.jsonl: no row has a 'source_id', so stories.jsonl cannot be joined; "
        "leave the file of sources out"
    )


# --- choosing -----------------------------------------------------------------------------------


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """20 sources of 6 pairs each, sorted."""
    rows = [good(id=f"p{n:03}", group=f"g{n // 6:02}") for n in range(120)]
    return write(tmp_path, rows)


def test_limits_choose_at_random_and_keep_the_order_of_the_file(many: Path) -> None:
    data = load(many, limit=7, max_pairs_per_source=2, seed=3)
    groups = [source.group for source in data.sources]
    assert len(groups) == 7
    assert groups == sorted(groups) != [f"g{n:02}" for n in range(7)]
    assert all(len(source.pairs) == 2 for source in data.sources)
    ids = [pair.id for pair in pairs_of(data)]
    assert ids == sorted(ids)
    assert data == load(many, limit=7, max_pairs_per_source=2, seed=3)
    assert data != load(many, limit=7, max_pairs_per_source=2, seed=4)


def test_the_choice_is_the_same_in_every_process_and_version(many: Path) -> None:
    data = load(many, limit=2, max_pairs_per_source=2)
    assert [pair.id for pair in pairs_of(data)] == ["p015", "p017", "p066", "p069"]


def test_the_pairs_of_a_source_do_not_hang_on_which_others_are_taken(many: Path) -> None:
    every = {source.id: source for source in load(many, max_pairs_per_source=3).sources}
    some = load(many, limit=5, max_pairs_per_source=3).sources
    assert [every[source.id] for source in some] == list(some)
    positions = [[int(pair.id[1:]) % 6 for pair in source.pairs] for source in every.values()]
    assert len({tuple(position) for position in positions}) > 1


def test_limits_above_what_there_is_take_everything(many: Path) -> None:
    assert load(many, limit=20, max_pairs_per_source=6, seed=9) == load(many)


@pytest.mark.parametrize("argument", ["limit", "max_pairs_per_source"])
@pytest.mark.parametrize("number", [0, -1])
def test_limits_below_one_are_refused(argument: str, number: int) -> None:
    message = error_of("demo", task="document_qa", **{argument: number})
    assert message == f"{argument} is {number}; expected a whole number of at least 1, or None"


# --- real data ----------------------------------------------------------------------------------


def published_table(shared_data: Path) -> dict[str, tuple[int, int, dict[str, int]]]:
    """Rows, groups and preferences of each file, from the table of its README."""
    text = (shared_data / "README.md").read_text(encoding="utf-8")
    found = re.findall(
        r"^\| (\w+)\.jsonl \|.*\| (\d+) \((\d+)\) \| (\d+) / (\d+) / (\d+) \|$", text, re.MULTILINE
    )
    return {
        name: (int(rows), int(groups), {"a": int(a), "b": int(b), "tie": int(tie)})
        for name, rows, groups, a, b, tie in found
    }


def test_every_real_file_loads_with_its_published_counts(shared_data: Path) -> None:
    table = published_table(shared_data)
    files = {path.stem for path in shared_data.glob("*.jsonl")} - {"squality_sources"}
    assert set(table) == files
    assert len(table) == 12
    for name, (rows, groups, preferences) in table.items():
        data = load(shared_data / f"{name}.jsonl")
        pairs = pairs_of(data)
        counted = {side: sum(pair.preference == side for pair in pairs) for side in PREFERENCES}
        assert (name, len(pairs), counted) == (name, rows, preferences)
        assert (name, len({source.group for source in data.sources})) == (name, groups)
        assert len({source.id for source in data.sources}) == len(data.sources)
        assert {source.task for source in data.sources} <= set(TASKS)


def test_the_squality_stories_are_joined(shared_data: Path) -> None:
    sources = shared_data / "squality_sources.jsonl"
    for name, questions in (("squality_plot", 1), ("squality_qa", 4)):
        path = shared_data / f"{name}.jsonl"
        data = load(path, source_file=sources)
        assert len({source.source for source in data.sources}) == 14
        assert len({source.group for source in data.sources}) == 14
        assert len(data.sources) == 14 * questions
        assert all(len((source.source or "").split()) > 1000 for source in data.sources)
        assert data.unjoined_rows == 0
        assert load(path).unjoined_rows == len(pairs_of(data))


def test_real_rows_load_equal_from_every_format(shared_data: Path, tmp_path: Path) -> None:
    lines = (shared_data / "pandalm.jsonl").read_text(encoding="utf-8").splitlines()
    kept = ("id", "task", "prompt", "source", "response_a", "response_b", "preference", "group")
    rows = [{name: row[name] for name in (*kept, "annotators")} for row in map(json.loads, lines)]
    loaded = [load(write(tmp_path, rows, ending)).sources for ending in WRITERS]
    assert sum(len(source.pairs) for source in loaded[0]) == len(rows)
    assert loaded == [loaded[0]] * 4
