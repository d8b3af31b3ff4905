"""Reading rows from files (JSON Lines, JSON, CSV, TSV, Parquet) and frames, each with its place.

A row that cannot be read becomes a ``RowError`` in its place, so that the reader of the rows
decides whether to stop or to count it; a file that cannot be read is an error at once.
"""

import csv
import gzip
import io
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, NamedTuple

from pydantic import JsonValue

from profile_tasks.whole_files import read_whole

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
    packed = path.suffix.lower() in _UNPACKERS
    reader = READERS.get((path.with_suffix("") if packed else path).suffix.lower())
    if reader is None or (packed and reader is _read_parquet):
        raise PreferenceDataError(
            f"{path}: the file name must end in {', '.join(READERS)}; all but Parquet may be "
            "compressed, .gz or .zst"
        )
    try:
        if not path.is_file():
            raise PreferenceDataError(f"{path}: {'not a' if path.exists() else 'no such'} file")
        records = reader(path, nested, votes)
    except OSError as error:  # unreadable, or a name longer than names may be
        raise PreferenceDataError(f"{path}: cannot be read ({error.strerror or error})") from error
    if not records:
        raise PreferenceDataError(f"{path.name}: the file holds no rows")
    return records


def _decoded(path: Path) -> str:
    data = read_whole(path)
    if unpack := _UNPACKERS.get(path.suffix.lower()):
        data = unpack(data, path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise no_utf8(f"{path.name}:{line}", data[error.start]) from error


def no_utf8(place: str, byte: int) -> PreferenceDataError:
    """The error of a file that is in another encoding."""
    return PreferenceDataError(f"{place}: not UTF-8 (byte 0x{byte:02x}); save the file in UTF-8")


def not_whole(path: Path, error: object) -> PreferenceDataError:
    """The error of a compressed file that is none, damaged or cut off."""
    kind = "gzip" if path.suffix.lower() == ".gz" else "zstd"
    return PreferenceDataError(f"{path.name}: not a whole {kind} file ({error})")


def _gunzipped(data: bytes, path: Path) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise not_whole(path, error) from error


def _unzstandard(data: bytes, path: Path) -> bytes:
    return b"".join(unzstandard(io.BytesIO(data), path))


def unzstandard(file: IO[bytes], path: Path) -> Iterator[bytes]:
    """What a file of zstd holds, part by part.

    zstandard's own readers take a file that was cut off for a whole one.

    Raises:
        PreferenceDataError: It is no such file, damaged or cut off.
    """
    import zstandard

    frame = None
    try:
        while data := file.read(1 << 16):
            while data:
                frame = frame or zstandard.ZstdDecompressor().decompressobj()
                yield frame.decompress(data)
                data = frame.unused_data
                if frame.eof:
                    frame = None
    except zstandard.ZstdError as error:
        raise not_whole(path, error) from error
    if frame is not None:
        raise not_whole(path, "it ends in the middle")


_UNPACKERS: Mapping[str, Callable[[bytes, Path], bytes]] = {
    ".gz": _gunzipped,
    ".zst": _unzstandard,
}


def read_frame(frame: Any) -> list[Record]:  # noqa: ANN401 - of a library that need not be there
    """The rows of a pandas or Polars frame.

    Raises:
        PreferenceDataError: It is neither, or a column stands twice in it.
    """
    if hasattr(frame, "to_dicts"):
        rows = frame.to_dicts()
    elif hasattr(frame, "to_dict") and hasattr(frame, "columns"):
        check_columns([str(column) for column in frame.columns], "data frame")
        # As objects, because a column of whole numbers with one missing would become floats.
        rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    else:
        raise PreferenceDataError(
            f"dataset is a {type(frame).__name__}; expected a name, a path, or a frame of pandas "
            "or Polars"
        )
    return [
        Record(f"data frame: row {n}", parquet_row({str(k): v for k, v in row.items()}, ()))
        for n, row in enumerate(rows, start=1)
    ]


def _read_jsonl(path: Path, nested: Sequence[str], votes: str | None) -> list[Record]:
    # Split at \n alone: str.splitlines would also cut at U+2028, which JSON allows in a text.
    lines = enumerate(_decoded(path).split("\n"), start=1)
    return [Record(f"{path.name}:{n}", json_row(line)) for n, line in lines if line.strip()]


def json_row(line: str) -> Row | RowError:
    """The row in a line of JSON."""
    try:
        return _row(_loaded(line))
    except json.JSONDecodeError as error:
        return RowError(f"broken JSON ({error.msg}, column {error.colno})")
    except RowError as error:
        return error
    except (ValueError, RecursionError) as error:
        return RowError(f"broken JSON ({error})")


def _loaded(text: str) -> Any:  # noqa: ANN401 - whatever the text holds
    """JSON in which no object holds a key twice: which one is meant, nobody knows."""
    return json.loads(text, object_pairs_hook=_unrepeated)


def _unrepeated(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    held = dict(pairs)
    if len(held) < len(pairs):
        raise RowError(f"field {_repeated(key for key, _ in pairs)!r} stands twice; remove one")
    return held


def _repeated(names: Iterable[str]) -> str | None:
    """The first name that stands there more than once."""
    return next((name for name, times in Counter(names).items() if times > 1), None)


def _row(value: JsonValue) -> Row | RowError:
    return value if isinstance(value, dict) else RowError(f"{quoted(value)} is not an object")


def _read_json(path: Path, nested: Sequence[str], votes: str | None) -> list[Record]:
    text = _decoded(path)
    try:
        rows = json.loads(text)
        if not isinstance(rows, list):
            raise PreferenceDataError(f"{path.name}: not an array of objects")
        try:
            rows = _loaded(text)
        except RowError:  # then row by row, to tell which
            rows = _elements(text)
    except json.JSONDecodeError as error:
        raise PreferenceDataError(
            f"{path.name}:{error.lineno}: broken JSON ({error.msg}, column {error.colno}); "
            "a file with one object a line must end in .jsonl"
        ) from error
    except PreferenceDataError:
        raise
    except (ValueError, RecursionError) as error:
        raise PreferenceDataError(f"{path.name}: broken JSON ({error})") from error
    return [
        Record(f"{path.name}: record {n}", row if isinstance(row, RowError) else _row(row))
        for n, row in enumerate(rows, start=1)
    ]


def _elements(array: str) -> list[JsonValue | RowError]:
    """The elements of a valid JSON array, of which one or several repeat a key."""
    decoder, found = json.JSONDecoder(), list[JsonValue | RowError]()
    start = array.index("[") + 1
    while True:
        start += len(array[start:]) - len(array[start:].lstrip(" \t\n\r,"))
        if array[start] == "]":
            return found
        _, end = decoder.raw_decode(array, start)
        try:
            found.append(_loaded(array[start:end]))
        except RowError as error:
            found.append(error)
        start = end


def _read_tsv(path: Path, nested: Sequence[str], votes: str | None) -> list[Record]:
    return _read_csv(path, nested, votes, delimiter="\t")


def _read_csv(
    path: Path, nested: Sequence[str], votes: str | None, delimiter: str = ","
) -> list[Record]:
    lines = csv_lines(io.StringIO(_decoded(path), newline=""), path.name, delimiter)
    _, header = next(lines, (0, []))
    return [
        Record(f"{path.name}:{line}", csv_row(header, cells, nested, votes))
        for line, cells in lines
    ]


def csv_lines(
    text: Iterable[str], name: str, delimiter: str = ","
) -> Generator[tuple[int, list[str]], None, None]:
    """The cells of a CSV file, row by row with the line where each begins; first its header.

    Args:
        text: Its lines.
        name: Of the file.
        delimiter: Between cells.

    Raises:
        PreferenceDataError: It is broken, or a column stands twice.
    """
    # The limit of csv, 131,072 characters a cell, is less than a long document has.
    previous_limit = csv.field_size_limit(2**31 - 1)
    reader = csv.reader(text, strict=True, delimiter=delimiter)
    start, header = 1, None
    try:
        for cells in reader:
            if cells and header is None:
                header = cells
                if len(header) == 1 and header[0].count(";") > 1:
                    raise PreferenceDataError(
                        f"{name}:1: the columns are separated by ';'; save the file with commas or "
                        "tabs"
                    )
                if len(header) == 1 and "\t" in header[0]:
                    raise PreferenceDataError(
                        f"{name}:1: the columns are separated by tabs; such a file must end in .tsv"
                    )
                check_columns(header, f"{name}:{start}")
            if cells:
                yield start, cells
            start = reader.line_num + 1
    except csv.Error as error:
        raise PreferenceDataError(f"{name}:{start}: broken CSV ({error})") from error
    finally:
        csv.field_size_limit(previous_limit)


def check_columns(names: Sequence[str], place: str) -> None:
    """Check that no column stands twice.

    Raises:
        PreferenceDataError: One does.
    """
    if (column := _repeated(names)) is not None:
        raise PreferenceDataError(
            f"{place}: {names.count(column)} columns are named {column!r}; remove or rename"
        )


def csv_row(
    header: Sequence[str], cells: Sequence[str], nested: Sequence[str], votes: str | None
) -> Row | RowError:
    """The row in a line of cells; `nested` and `votes` as of ``read_file``."""
    if len(cells) != len(header):
        return RowError(f"the row has {len(cells)} cells, the header {len(header)}")
    row: Row = {}
    for column, cell in zip(header, cells, strict=True):
        row[column] = cell or None
        if cell and (column in nested or (column == votes and cell.startswith("["))):
            try:
                row[column] = _numbers_of_texts(_loaded(cell))
            except RowError as error:
                return RowError(f"field {column!r}: {error}")
            except (ValueError, RecursionError):
                if column in nested:  # else it is a text, which others may read in their way
                    return RowError(f"field {column!r} is {quoted(cell)}; expected JSON")
    return row


def _numbers_of_texts(value: JsonValue) -> JsonValue:
    """The JSON of a cell; what fills spreadsheets quotes numbers as it does texts."""
    if isinstance(value, dict):
        return {name: _numbers_of_texts(held) for name, held in value.items()}
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value)
    return value


_NUMBER = re.compile(r"\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\s*")


def _read_parquet(path: Path, nested: Sequence[str], votes: str | None) -> list[Record]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path, page_checksum_verification=True).read()
        check_columns(table.column_names, path.name)
        return parquet_records(table, path.name, 1, nested)
    except PreferenceDataError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise no_parquet(path.name, error) from error


def no_parquet(name: str, error: object) -> PreferenceDataError:
    """The error of a file of Parquet that is none, or damaged."""
    return PreferenceDataError(f"{name}: not a readable Parquet file ({error})")


def parquet_records(
    table: Any,  # noqa: ANN401 - pyarrow has no types
    name: str,
    first: int,
    nested: Sequence[str],
) -> list[Record]:
    """The rows of an Arrow table.

    Args:
        table: Of a file.
        name: Of the file.
        first: Number of the first row.
        nested: Columns that hold objects.
    """
    columns = [_parquet_column(column) for column in table.columns]
    rows = (dict(zip(table.column_names, row, strict=True)) for row in zip(*columns, strict=True))
    return [
        Record(f"{name}: row {n}", parquet_row(row, nested)) for n, row in enumerate(rows, first)
    ]


_NOT_UTF8 = "is not UTF-8; store it as text in UTF-8"


def _parquet_column(column: Any) -> list[Any]:  # noqa: ANN401 - pyarrow has no types
    """The values of a column, an error in the place of each that is no text."""
    try:
        values: list[Any] = column.to_pylist()
    except UnicodeDecodeError:  # then one by one, to tell which
        values = []
        for cell in column:
            try:
                values.append(cell.as_py())
            except UnicodeDecodeError:
                values.append(RowError(_NOT_UTF8))
    return values


def parquet_row(row: Mapping[str, object], nested: Sequence[str]) -> Row | RowError:
    """Parquet also holds times, decimals and bytes; by way of JSON these become texts.

    In the columns that hold objects, decimals become numbers.
    """
    held: Row = {}
    for name, value in row.items():
        try:
            if isinstance(value, RowError):
                raise value
            as_json = _parquet_number if name in nested else _parquet_text
            held[name] = json.loads(json.dumps(value, default=as_json))
        except (ValueError, RecursionError) as error:
            why = _NOT_UTF8 if isinstance(error, UnicodeDecodeError) else error
            return RowError(f"field {name!r} {why}")
    return held


def _parquet_number(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else _parquet_text(value)


def _parquet_text(value: object) -> object:
    if hasattr(value, "tolist"):  # numpy's, as pandas reads lists
        return value.tolist()
    # Some writers store texts as bytes without saying that they are texts.
    return value.decode() if isinstance(value, bytes) else str(value)


READERS: Mapping[str, Callable[[Path, Sequence[str], str | None], list[Record]]] = {
    ".jsonl": _read_jsonl,
    ".json": _read_json,
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".parquet": _read_parquet,
}
ENDINGS = (*READERS, *(f"{ending}{packed}" for ending in READERS for packed in _UNPACKERS))
"""How the names of files end that can be read."""


def quoted(value: JsonValue) -> str:
    """Quote a value in a message, a text as Python does and all else as JSON; shortened if long."""
    try:
        text = repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except RecursionError:
        text = "nested too deeply"
    return text if len(text) <= 60 else f"{text[:57]}..."
