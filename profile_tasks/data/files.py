"""Reading rows from files: JSON Lines, JSON, CSV and Parquet, each row with its place.

A row that cannot be read becomes a ``RowError`` in its place, so that the reader of the rows
decides whether to stop or to count it; a file that cannot be read is an error at once.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

Row = dict[str, JsonValue]


class PreferenceDataError(ValueError):
    """Preference data that cannot be used; the message names the place and the remedy."""


class RowError(ValueError):
    """Why one row cannot be used; its place is added by whoever knows it."""


class Record(NamedTuple):
    """One row as read: its place in words, and its columns or why it could not be read."""

    place: str
    row: Row | RowError


def read_file(path: Path, nested: Sequence[str], votes: str | None) -> list[Record]:
    """Read the rows of a file, by its ending.

    `nested` and `votes` name the CSV columns that are JSON always, and if they hold a list.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise PreferenceDataError(f"{path}: the file name must end in {', '.join(READERS)}")
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
    return value if isinstance(value, dict) else RowError(f"{quoted(value)} is not an object")


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
    if len(header) == 1 and header[0].count(";") > 1:
        raise PreferenceDataError(
            f"{path.name}:1: the columns are separated by ';'; save the file with commas"
        )
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
                return RowError(f"field {column!r} is {quoted(cell)}; expected JSON")
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


READERS: Mapping[str, Callable[[Path, Sequence[str], str | None], list[Record]]] = {
    ".jsonl": _read_jsonl,
    ".json": _read_json,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}


def quoted(value: JsonValue) -> str:
    """Quote a value in a message, shortened if long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
