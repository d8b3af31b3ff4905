"""Recorded preferences: annotated pairs of responses, by the source they answer.

A row is one annotated pair in the plain schema (`id`, `prompt`, `source`, `response_a`,
`response_b`, `preference`, ...) of a .jsonl, .json, .csv or .parquet file, of the embedded demo
or of one of three public sets. Everything is checked here, once, so that what computes on the
pairs need not doubt them: a row that cannot be understood is an error that names its place, and
is never read as a tie or as an empty text.
"""

import csv
import difflib
import hashlib
import io
import json
import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

TASKS = ("summarization", "instruction_following", "document_qa")

Preference = Literal["a", "b", "tie"]
PREFERENCES: tuple[Preference, ...] = get_args(Preference)

PUBLIC_SETS = ("tldr", "shp2", "webgpt")
"""Names of the data sets that `public_sets` fetches."""

Row = dict[str, JsonValue]

_DEMO = Path(__file__).parent / "demo"


class PreferenceDataError(ValueError):
    """Preference data that cannot be used; the message names the place and the remedy."""


class RowError(ValueError):
    """Why one row cannot be used; its place is added by whoever knows it."""


class Record(NamedTuple):
    """One row as read: its place in words, and its columns or why it could not be read."""

    place: str
    row: Row | RowError


class AnnotatedPair(BaseModel):
    """Two responses to one source, and which of them the annotators preferred.

    Attributes:
        id: Unique in its file.
        response_a: One response, never blank.
        response_b: The other response, never blank.
        preference: The better response, or "tie".
        annotators: The single votes, where they are known.
        factors_a: Human factor values of response_a by factor name; None where one is missing.
        factors_b: The same of response_b.
        extra: All other columns as they came, among them the factor column with its texts.

    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    response_a: str
    response_b: str
    preference: Preference
    annotators: tuple[Preference, ...] = ()
    factors_a: dict[str, float | None] = {}
    factors_b: dict[str, float | None] = {}
    extra: dict[str, JsonValue] = {}


class AnnotatedSource(BaseModel):
    """What the responses answer, with all its annotated pairs.

    Attributes:
        id: Unique in the data: the group, or "group#k" (k from 1) where a group holds several.
        group: What is resampled as one; e.g. all questions about one story.
        task: The task as the file names it, "" where it does not.
        prompt: The request; blank only where the source alone is the request.
        source: The text to work on, None where there is none.
        reference: A human-written response, None where there is none.
        pairs: In the order of the file, never empty.

    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    group: str
    task: str
    prompt: str
    source: str | None = None
    reference: str | None = None
    pairs: tuple[AnnotatedPair, ...]


@dataclass(frozen=True)
class SkippedRow:
    """A bad row that was left out: its place and what is wrong with it."""

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


@dataclass(frozen=True)
class PreferenceData:
    """Annotated sources, and what was left out on the way to them.

    Attributes:
        sources: In the order of first appearance.
        skipped: The bad rows left out (only with ``skip_bad_rows``).
        other_task_rows: How many rows belong to other tasks and were left out, unread.
        unjoined_rows: How many rows name a source_id but have no source, for want of a source
            file; counted before ``limit``.
        name: What the data are called in reports: file name, "demo", or repository[split].

    """

    sources: tuple[AnnotatedSource, ...]
    skipped: tuple[SkippedRow, ...]
    other_task_rows: int
    unjoined_rows: int
    name: str


def load_preferences(
    dataset: str,
    *,
    task: str | None = None,
    source_file: str | Path | None = None,
    preference_column: str = "preference",
    factors_column: str = "factors",
    skip_bad_rows: bool = False,
    limit: int | None = None,
    max_pairs_per_source: int | None = None,
    seed: int = 0,
    revision: str | None = None,
    split: str | None = None,
) -> PreferenceData:
    """Load annotated pairs and gather them by source.

    Rows need `id`, `prompt`, `response_a`, `response_b` and a preference: "a", "b" or "tie", a
    list of votes, or votes in `annotators`. Votes are counted by plurality; equal top votes are a
    tie. A missing `group` is the `source_id`, else a short hash of the source, else of the prompt.
    In CSV an empty cell is null, and the factor column and votes are JSON.

    >>> data = load_preferences("demo", task="document_qa", limit=2, max_pairs_per_source=3)
    >>> [len(source.pairs) for source in data.sources]
    [3, 3]

    Args:
        dataset: "demo" (needs `task`), "tldr", "shp2", "webgpt", or the path of a .jsonl, .json
            (an array of objects), .csv or .parquet file in UTF-8.
        task: Take only rows whose `task` is this; rows without one count as this task. None
            takes all rows.
        source_file: A file of `source_id` and `source`, joined to the rows that name a source_id
            and hold no source themselves.
        preference_column: Where the preference stands. Only the default one is compared with,
            and replaced by, the votes in `annotators`; those belong to it.
        factors_column: Where human factor values stand, as objects under "a" and "b". Numbers
            become factor values; texts, booleans and nested values stay in `extra` only.
        skip_bad_rows: Leave bad rows out and list them in `skipped`. What is wrong with a whole
            file is an error all the same.
        limit: How many sources to take at most, >= 1. They are a random choice, since files are
            often sorted by system or subset, and keep the order of the file.
        max_pairs_per_source: The same within each source, >= 1.
        seed: Of both random choices.
        revision: Of a public set, instead of the pinned one.
        split: Of a public set, instead of its default one.

    Raises:
        PreferenceDataError: An argument, a file or a row that cannot be used, or no row left.

    """
    for argument, number in (("limit", limit), ("max_pairs_per_source", max_pairs_per_source)):
        if number is not None and number < 1:
            raise PreferenceDataError(f"{argument} is {number}; expected at least 1, or None")
    if source_file is not None and dataset in ("demo", *PUBLIC_SETS):
        raise PreferenceDataError(
            f"source_file goes with a data file; data set {dataset!r} holds its sources itself"
        )
    name, records = _records(
        dataset,
        task,
        nested=(factors_column, "annotators"),
        votes=preference_column,
        revision=revision,
        split=split,
    )
    stories = None if source_file is None else _read_stories(Path(source_file).expanduser())
    gathered = _gather(
        records,
        task=task,
        read=lambda row: _read_row(
            row,
            task=task,
            stories=stories,
            preference_column=preference_column,
            factors_column=factors_column,
        ),
        skip_bad_rows=skip_bad_rows,
    )
    _check_not_empty(gathered, name, task)
    if stories is not None and not gathered.rows_with_source_id:
        raise PreferenceDataError(
            f"{name}: no row has a 'source_id', so {stories.name} cannot be joined; "
            "leave source_file out"
        )
    return PreferenceData(
        sources=_selected(_sources(gathered.drafts), limit, max_pairs_per_source, seed),
        skipped=tuple(gathered.skipped),
        other_task_rows=gathered.other_tasks.total(),
        unjoined_rows=gathered.unjoined_rows,
        name=name,
    )


# --- rows of a data set -------------------------------------------------------------------------


def _records(
    dataset: str,
    task: str | None,
    *,
    nested: Sequence[str],
    votes: str,
    revision: str | None,
    split: str | None,
) -> tuple[str, Iterable[Record]]:
    """Name and rows of a data set."""
    if dataset in PUBLIC_SETS:
        # Imported here because public_sets builds on this module.
        from profile_tasks import public_sets

        return public_sets.records(dataset, task=task, revision=revision, split=split)
    if revision is not None or split is not None:
        raise PreferenceDataError(
            f"revision and split go with a public data set ({', '.join(PUBLIC_SETS)}), "
            f"not with {dataset!r}"
        )
    if dataset == "demo":
        if task not in TASKS:
            raise PreferenceDataError(
                f"data set 'demo' has one file a task, and task is {task!r}. "
                f"Must be one of: {', '.join(TASKS)}"
            )
        return "demo", _read_file(_DEMO / f"{task}.jsonl", nested, votes)
    path = Path(dataset).expanduser()
    if path.suffix.lower() not in _READERS:
        raise PreferenceDataError(
            f"dataset is {dataset!r}. Must be one of: demo, {', '.join(PUBLIC_SETS)}, "
            f"or a path that ends in {', '.join(_READERS)}"
        )
    return path.name, _read_file(path, nested, votes)


def _read_file(path: Path, nested: Sequence[str], votes: str | None) -> list[Record]:
    """Read the rows of a file, by its ending.

    `nested` and `votes` name the CSV columns that are JSON always, and if they hold a list.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise PreferenceDataError(f"{path}: the file name must end in {', '.join(_READERS)}")
    if not path.is_file():
        raise PreferenceDataError(f"{path}: {'not a' if path.exists() else 'no such'} file")
    records = reader(path, nested, votes)
    if not records:
        raise PreferenceDataError(f"{path.name}: the file holds no rows")
    return records


def _decoded(path: Path) -> str:
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PreferenceDataError(
            f"{path.name}:{line}: not UTF-8 (byte 0x{data[error.start]:02x}); "
            "save the file in UTF-8"
        ) from error


def _read_jsonl(path: Path, nested: Sequence[str], votes: str | None) -> list[Record]:
    # Split at \n alone: str.splitlines would also cut at U+2028, which JSON allows in a text.
    lines = enumerate(_decoded(path).split("\n"), start=1)
    return [Record(f"{path.name}:{n}", _json_row(line)) for n, line in lines if line.strip()]


def _json_row(line: str) -> Row | RowError:
    try:
        return _row(json.loads(line))
    except json.JSONDecodeError as error:
        return RowError(f"broken JSON ({error.msg}, column {error.colno})")
    except (ValueError, RecursionError) as error:
        return RowError(f"broken JSON ({error})")


def _row(value: JsonValue) -> Row | RowError:
    return value if isinstance(value, dict) else RowError(f"{_shown(value)} is not an object")


def _read_json(path: Path, nested: Sequence[str], votes: str | None) -> list[Record]:
    text = _decoded(path)
    try:
        rows = json.loads(text)
    except json.JSONDecodeError as error:
        raise PreferenceDataError(
            f"{path.name}:{error.lineno}: broken JSON ({error.msg}, column {error.colno}); "
            "a file with one object a line must end in .jsonl"
        ) from error
    except (ValueError, RecursionError) as error:
        raise PreferenceDataError(f"{path.name}: broken JSON ({error})") from error
    if not isinstance(rows, list):
        raise PreferenceDataError(f"{path.name}: not an array of objects")
    return [Record(f"{path.name}: record {n}", _row(row)) for n, row in enumerate(rows, start=1)]


def _read_csv(path: Path, nested: Sequence[str], votes: str | None) -> list[Record]:
    # The limit of csv, 131,072 characters a cell, is less than a long document has.
    previous_limit = csv.field_size_limit(2**31 - 1)
    reader = csv.reader(io.StringIO(_decoded(path), newline=""), strict=True)
    lines: list[tuple[int, list[str]]] = []
    start = 1
    try:
        for cells in reader:
            if cells:
                lines.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        raise PreferenceDataError(f"{path.name}:{start}: broken CSV ({error})") from error
    finally:
        csv.field_size_limit(previous_limit)
    if not lines:
        return []
    (_, header), *rows = lines
    for column, times in Counter(header).items():
        if times > 1:
            raise PreferenceDataError(f"{path.name}: {times} columns are named {column!r}")
    return [
        Record(f"{path.name}:{line}", _csv_row(header, cells, nested, votes))
        for line, cells in rows
    ]


def _csv_row(
    header: Sequence[str], cells: Sequence[str], nested: Sequence[str], votes: str | None
) -> Row | RowError:
    if len(cells) != len(header):
        return RowError(f"the row has {len(cells)} cells, the header {len(header)}")
    row: Row = {}
    for column, cell in zip(header, cells, strict=True):
        row[column] = cell or None
        if cell and (column in nested or (column == votes and cell.startswith("["))):
            try:
                row[column] = json.loads(cell)
            except (ValueError, RecursionError):
                return RowError(f"field {column!r} is {_shown(cell)}; expected JSON")
    return row


def _read_parquet(path: Path, nested: Sequence[str], votes: str | None) -> list[Record]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.ParquetFile(path).read().to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise PreferenceDataError(f"{path.name}: not a readable Parquet file ({error})") from error
    return [
        Record(f"{path.name}: row {n}", _parquet_row(row)) for n, row in enumerate(rows, start=1)
    ]


def _parquet_row(row: Mapping[str, object]) -> Row | RowError:
    """Parquet also holds times, decimals and bytes; by way of JSON these become texts."""
    try:
        return _json_row(json.dumps(row, default=_parquet_text))
    except UnicodeDecodeError as error:
        return RowError(f"a column of bytes is not UTF-8 ({error.reason}); store it as text")


def _parquet_text(value: object) -> str:
    # Some writers store texts as bytes without saying that they are texts.
    return value.decode() if isinstance(value, bytes) else str(value)


_READERS: Mapping[str, Callable[[Path, Sequence[str], str | None], list[Record]]] = {
    ".jsonl": _read_jsonl,
    ".json": _read_json,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}


# --- one row ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Stories:
    """Sources by source_id, kept apart from the rows because they are long."""

    name: str
    by_id: Mapping[str, str]


def _read_stories(path: Path) -> _Stories:
    by_id: dict[str, str] = {}
    places: dict[str, str] = {}
    for place, row in _read_file(path, (), None):
        try:
            if isinstance(row, RowError):
                raise row
            source_id, source = _identifier(row, "source_id"), _text(row, "source")
            if not source.strip():
                raise RowError("field 'source' is blank; expected the text of the source")
            if source_id in by_id:
                raise RowError(f"duplicate source_id {source_id!r}; first at {places[source_id]}")
        except RowError as error:
            raise PreferenceDataError(f"{place}: {error}") from error
        by_id[source_id], places[source_id] = source, place
    return _Stories(path.name, by_id)


@dataclass(frozen=True)
class _CheckedRow:
    pair: AnnotatedPair
    task: str
    group: str
    prompt: str
    source: str | None
    source_id: str | None
    reference: str | None


_SOURCE_COLUMNS = frozenset({"prompt", "source", "reference", "group", "task"})
_COLUMNS = _SOURCE_COLUMNS | {
    "id",
    "source_id",
    "response_a",
    "response_b",
    "preference",
    "annotators",
    "factors",
}


def _read_row(
    row: Row,
    *,
    task: str | None,
    stories: _Stories | None,
    preference_column: str,
    factors_column: str,
) -> _CheckedRow:
    _check_encodable(row)
    pair_id = _identifier(row, "id")
    source_id = None if row.get("source_id") is None else _identifier(row, "source_id")
    source = _optional_text(row, "source")
    if source is None and source_id is not None and stories is not None:
        if source_id not in stories.by_id:
            raise RowError(f"source_id {source_id!r} is not in {stories.name}")
        source = stories.by_id[source_id]
    prompt = _prompt(row, source)
    responses = {side: _response(row, f"response_{side}") for side in ("a", "b")}
    # Votes belong to the recorded preference; another column is another judgement.
    votes_column = "annotators" if preference_column in ("preference", "annotators") else None
    preference, votes = _preference(row, preference_column, votes_column)
    factors = _object(row, factors_column)
    modelled = {"id", "response_a", "response_b", preference_column, votes_column}
    extra = {k: v for k, v in row.items() if k not in modelled and k not in _SOURCE_COLUMNS}
    try:
        pair = AnnotatedPair(
            id=pair_id,
            response_a=responses["a"],
            response_b=responses["b"],
            preference=preference,
            annotators=votes,
            factors_a=_numbers(factors, "a", factors_column),
            factors_b=_numbers(factors, "b", factors_column),
            extra=extra,
        )
    except ValidationError as error:  # an extra column nested too deeply
        first = error.errors()[0]
        column = ".".join(map(str, first["loc"][:2]))
        raise RowError(f"field {column!r} cannot be kept: {first['msg']}") from error
    return _CheckedRow(
        pair=pair,
        task=_optional_text(row, "task") or task or "",
        group=_group(row, source_id, source, prompt),
        prompt=prompt,
        source=source,
        source_id=source_id,
        reference=_optional_text(row, "reference"),
    )


def _check_encodable(row: Row) -> None:
    # JSON can escape half of a surrogate pair, which no file or request could hold later on.
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        character = error.object[error.start]
        raise RowError(f"the row holds {character!r}, half of a character; remove it") from error


def _shown(value: JsonValue) -> str:
    """Quote a value in a message, shortened if long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _missing(row: Row, column: str, alternative: str = "") -> RowError:
    """Says which column is missing, and which one may be meant for it."""
    others = {name.lower(): name for name in row if name not in _COLUMNS}
    near = difflib.get_close_matches(column.lower(), others, n=1, cutoff=0.7)
    if near:
        remedy = f"is {others[near[0]]!r} meant? Rename it"
    else:
        listed = ", ".join(row) or "no fields"
        remedy = f"the row has: {listed if len(listed) <= 200 else f'{listed[:197]}...'}"
    return RowError(f"missing field {column!r}{alternative}; {remedy}")


def _text(row: Row, column: str) -> str:
    if column not in row:
        raise _missing(row, column)
    value = row[column]
    if not isinstance(value, str):
        raise RowError(f"field {column!r} is {_shown(value)}; expected text")
    return value


def _optional_text(row: Row, column: str) -> str | None:
    """Text, or None where it is null, blank or absent: a blank source is no source."""
    value = row.get(column)
    if value is None or isinstance(value, str):
        return value if value and value.strip() else None
    raise RowError(f"field {column!r} is {_shown(value)}; expected text or null")


def _identifier(row: Row, column: str) -> str:
    if column not in row:
        raise _missing(row, column)
    value = row[column]
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise RowError(
            f"field {column!r} is {_shown(value)}; expected text, not blank, or a whole number"
        )
    return str(value)


def _prompt(row: Row, source: str | None) -> str:
    # Null is blank, because CSV has no other way to write a blank prompt.
    prompt = "" if "prompt" in row and row["prompt"] is None else _text(row, "prompt")
    # Some sets put the whole request into the source (an instruction's input).
    if not prompt.strip() and source is None:
        raise RowError("field 'prompt' is blank, and there is no source either")
    return prompt


def _response(row: Row, column: str) -> str:
    if column in row and row[column] is None:
        raise RowError(f"empty response: field {column!r} is null")
    response = _text(row, column)
    if not response.strip():
        raise RowError(f"empty response: field {column!r} is blank")
    return response


def _group(row: Row, source_id: str | None, source: str | None, prompt: str) -> str:
    if row.get("group") is not None:
        return _identifier(row, "group")
    return source_id or hashlib.sha256((source or prompt).encode()).hexdigest()[:12]


def _votes(value: JsonValue, column: str) -> tuple[Preference, ...]:
    if not isinstance(value, list):
        raise RowError(f"field {column!r} is {_shown(value)}; expected a list of votes")
    return tuple(_vote(vote, f"field {column!r} holds") for vote in value)


def _vote(value: JsonValue, where: str) -> Preference:
    for preference in PREFERENCES:
        if value == preference:
            return preference
    raise RowError(f"{where} {_shown(value)}; expected 'a', 'b' or 'tie'")


def plurality(votes: Sequence[Preference]) -> Preference:
    """Return the most frequent of one or more votes; equally frequent ones make a tie.

    >>> plurality(["a", "b", "a"]), plurality(["a", "b"])
    ('a', 'tie')
    """
    counts = Counter(votes)
    top = [vote for vote in PREFERENCES if counts[vote] == max(counts.values())]
    return top[0] if len(top) == 1 else "tie"


def _preference(
    row: Row, column: str, votes_column: str | None
) -> tuple[Preference, tuple[Preference, ...]]:
    """Preference and votes of a row; the votes of `votes_column` check or replace the column."""
    value = row.get(column)
    recorded_votes = None if votes_column is None else row.get(votes_column)
    votes = () if recorded_votes is None else _votes(recorded_votes, votes_column or "")
    if value is None or value == []:
        if votes:
            return plurality(votes), votes
        if column in row:
            raise RowError(f"field {column!r} is {_shown(value)}; expected 'a', 'b' or 'tie'")
        raise _missing(row, column, " (or 'annotators')" if votes_column else "")
    if isinstance(value, list):
        own_votes = _votes(value, column)
        preference, votes = plurality(own_votes), votes or own_votes
    else:
        preference = _vote(value, f"field {column!r} is")
    if votes and plurality(votes) != preference:
        raise RowError(
            f"field {column!r} says {preference!r}, but the votes in {votes_column!r} make "
            f"{plurality(votes)!r}; correct one of them, or remove {column!r} to count the votes"
        )
    return preference, votes


def _object(row: Row, column: str) -> Row:
    value = row.get(column)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RowError(f"field {column!r} is {_shown(value)}; expected an object or null")
    return value


def _numbers(factors: Row, side: str, column: str) -> dict[str, float | None]:
    """Keep the factor values of one side that are numbers, or missing ones."""
    values = factors.get(side)
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise RowError(f"field '{column}.{side}' is {_shown(values)}; expected an object or null")
    numbers: dict[str, float | None] = {}
    for name, value in values.items():
        if value is None:
            numbers[name] = None
        elif isinstance(value, int | float) and not isinstance(value, bool):
            # As text, because float() of a whole number beyond the range raises.
            number = float(str(value))
            if not math.isfinite(number):
                raise RowError(
                    f"field '{column}.{side}.{name}' is {_shown(value)}; "
                    "expected a finite number, or null where it is missing"
                )
            numbers[name] = number
    return numbers


# --- rows to sources ----------------------------------------------------------------------------

_SourceKey = tuple[str, str, str, str | None, str | None]
"""Task, group, prompt, source and source_id. A group may hold several sources (the questions
about one story), and one prompt without a source may stand in many groups."""


@dataclass
class _Draft:
    """A source while its rows are read."""

    first: _CheckedRow
    reference: str | None = None
    reference_place: str = ""
    pairs: list[AnnotatedPair] = field(default_factory=list)


@dataclass
class _Gathered:
    drafts: dict[_SourceKey, _Draft] = field(default_factory=dict)
    skipped: list[SkippedRow] = field(default_factory=list)
    other_tasks: Counter[str] = field(default_factory=Counter)
    unjoined_rows: int = 0
    rows_with_source_id: int = 0


def _gather(
    records: Iterable[Record],
    *,
    task: str | None,
    read: Callable[[Row], _CheckedRow],
    skip_bad_rows: bool,
) -> _Gathered:
    gathered = _Gathered()
    places: dict[str, str] = {}
    for place, row in records:
        try:
            if isinstance(row, RowError):
                raise row
            row_task = _optional_text(row, "task")
            if task is not None and row_task and row_task != task:
                gathered.other_tasks[row_task] += 1
                continue
            checked = read(row)
            _add(gathered.drafts, checked, place, places)
        except RowError as error:
            if not skip_bad_rows:
                raise PreferenceDataError(f"{place}: {error}") from error
            gathered.skipped.append(SkippedRow(place, str(error)))
            continue
        gathered.rows_with_source_id += checked.source_id is not None
        gathered.unjoined_rows += checked.source_id is not None and checked.source is None
    return gathered


def _add(
    drafts: dict[_SourceKey, _Draft], row: _CheckedRow, place: str, places: dict[str, str]
) -> None:
    """Add a row to its source; nothing is changed if the row contradicts an earlier one."""
    if row.pair.id in places:
        raise RowError(f"duplicate id {row.pair.id!r}; first at {places[row.pair.id]}")
    key = (row.task, row.group, row.prompt, row.source, row.source_id)
    draft = drafts.get(key) or _Draft(row)
    if row.reference is not None:
        if draft.reference is None:
            draft.reference, draft.reference_place = row.reference, place
        elif draft.reference != row.reference:
            raise RowError(
                f"field 'reference' differs from the one at {draft.reference_place} for the same "
                f"source (group {row.group!r}); one source has one reference"
            )
    draft.pairs.append(row.pair)
    drafts[key] = draft
    places[row.pair.id] = place


def _check_not_empty(gathered: _Gathered, name: str, task: str | None) -> None:
    if gathered.drafts:
        return
    if gathered.skipped:
        others = gathered.other_tasks.total()
        raise PreferenceDataError(
            f"{name}: all {len(gathered.skipped)} rows "
            f"{f'but {others} of other tasks ' if others else ''}are bad; "
            f"the first: {gathered.skipped[0]}"
        )
    if not gathered.other_tasks:
        raise PreferenceDataError(f"{name}: there are no rows")
    held = ", ".join(f"{other} ({n})" for other, n in gathered.other_tasks.most_common())
    raise PreferenceDataError(f"{name}: no row has task {task!r}; the rows have: {held}")


def _sources(drafts: Mapping[_SourceKey, _Draft]) -> list[AnnotatedSource]:
    sizes = Counter(draft.first.group for draft in drafts.values())
    taken: Counter[str] = Counter()
    sources = []
    for draft in drafts.values():
        group = source_id = draft.first.group
        while source_id in sizes and sizes[group] > 1:
            taken[group] += 1
            source_id = f"{group}#{taken[group]}"
        sources.append(
            AnnotatedSource(
                id=source_id,
                group=group,
                task=draft.first.task,
                prompt=draft.first.prompt,
                source=draft.first.source,
                reference=draft.reference,
                pairs=tuple(draft.pairs),
            )
        )
    return sources


def _selected(
    sources: Sequence[AnnotatedSource], limit: int | None, max_pairs: int | None, seed: int
) -> tuple[AnnotatedSource, ...]:
    # One stream a source, so that the pairs of a source do not depend on which others are taken.
    return tuple(
        source.model_copy(
            update={"pairs": tuple(_chosen(source.pairs, max_pairs, f"{seed}:{source.id}"))}
        )
        for source in _chosen(sources, limit, f"{seed}")
    )


_T = TypeVar("_T")


def _chosen(items: Sequence[_T], most: int | None, seed: str) -> Sequence[_T]:
    """Choose at most so many items at random, and keep their order."""
    if most is None or most >= len(items):
        return items
    picks = random.Random(seed).sample(range(len(items)), most)  # noqa: S311 - no secret
    return [items[pick] for pick in sorted(picks)]
