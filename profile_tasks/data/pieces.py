"""A data file in pieces, each read by itself: lines of JSON, cells of CSV, row groups of Parquet.

A piece can be handed to another process. It gives its rows in columns, some ten thousand at a time,
so that memory does not grow with the file.
"""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

from profile_tasks.data.columns import (
    PreferenceColumns,
    RowRules,
    columns_of_records,
    columns_of_table,
)
from profile_tasks.data.files import (
    PreferenceDataError,
    Record,
    Row,
    RowError,
    check_columns,
    csv_row,
    json_row,
    parquet_row,
)

STREAMED_ENDINGS = (".jsonl", ".csv", ".tsv", ".parquet")
"""Files that are read in pieces, all but Parquet also compressed; an array of JSON is one piece."""

BLOCK_BYTES = 1 << 25
"""Of a text file that are read as one piece."""

_ROWS = 1 << 14
"""Rows of Parquet or CSV in memory at a time."""

_TEXTS = ("prompt", "response_a", "response_b", "source", "reference", "task")
_NAMES = ("id", "group", "source_id")


@dataclass(frozen=True)
class JsonLines:
    """Lines of a file, the last of which is whole."""

    name: str
    first_line: int
    lines: bytes

    @property
    def size(self) -> int:
        """How much of the file it is."""
        return len(self.lines)

    def first_rows(self, most: int) -> list[Row]:
        """Its first rows, those left out that cannot be read."""
        found = (record.row for record in self._records())
        return [row for row, _ in zip(found, range(most)) if not isinstance(row, RowError)]  # noqa: B905

    def columns(self, rules: RowRules) -> Iterator[PreferenceColumns]:
        """Its rows.

        Raises:
            PreferenceDataError: a row cannot be used.
        """
        table = self._table(rules)
        found = None if table is None else columns_of_table(table, rules)
        if found is None:
            records = list(self._records())
            named = {name for _, row in records if not isinstance(row, RowError) for name in row}
            found = columns_of_records(records, rules, named)
        yield found

    def _records(self) -> Iterator[Record]:
        lines = self.lines.decode(errors="surrogateescape").split("\n")
        for number, line in enumerate(lines, start=self.first_line):
            if not line.strip():
                continue
            if not line.isascii() and any("\ud800" <= each <= "\udfff" for each in line):
                raise PreferenceDataError(
                    f"{self.name}:{number}: not UTF-8; save the file in UTF-8"
                )
            yield Record(f"{self.name}:{number}", json_row(line))

    def _table(self, rules: RowRules) -> Any:  # noqa: ANN401 - pyarrow has no types
        """All of the lines; None where they are to be looked at one by one."""
        import pyarrow as pa
        import pyarrow.json as pj

        texts = dict.fromkeys([*_TEXTS, rules.preference_column], pa.string())
        while True:
            schema = pa.schema(list(texts.items()))
            try:
                table = pj.read_json(
                    io.BytesIO(self.lines),
                    read_options=pj.ReadOptions(block_size=1 << 22, use_threads=False),
                    parse_options=pj.ParseOptions(explicit_schema=schema),
                )
            except pa.ArrowInvalid:
                return None
            # What looks like a time is one to Arrow, and a text here.
            times = [
                each.name
                for each in table.schema
                if each.name in _NAMES and pa.types.is_temporal(each.type)
            ]
            if not times:
                break
            texts |= dict.fromkeys(times, pa.string())
        newlines = self.lines.count(b"\n") + (not self.lines.endswith(b"\n"))
        if table.num_rows != newlines and table.num_rows != sum(
            1 for line in self.lines.split(b"\n") if line.strip()
        ):
            return None  # several objects stand in one line
        return table.select([name for name in table.column_names if rules.reads(name)])


@dataclass(frozen=True, eq=False)
class Cells:
    """Rows of a CSV file, all cells as texts."""

    name: str
    first_row: int
    table: Any
    size: int

    def first_rows(self, most: int) -> list[Row]:
        """Its first rows, those left out that cannot be read."""
        rules = RowRules()
        found = [record.row for record in self._records(self.table.slice(0, most), rules)]
        return [row for row in found if not isinstance(row, RowError)]

    def columns(self, rules: RowRules) -> Iterator[PreferenceColumns]:
        """Its rows.

        Raises:
            PreferenceDataError: a row cannot be used.
        """
        table = self.table.select([n for n in self.table.column_names if rules.reads(n)])
        nested = _structured(table, [rules.factors_column, "annotators"])
        found = None if nested is None else columns_of_table(nested, rules)
        if found is None:
            records = self._records(self.table, rules)
            found = columns_of_records(records, rules, self.table.column_names)
        yield found

    def _records(self, table: Any, rules: RowRules) -> Iterator[Record]:  # noqa: ANN401
        nested = (rules.factors_column, "annotators")
        header = table.column_names
        rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
        for number, cells in enumerate(rows, start=self.first_row):
            filled = [cell or "" for cell in cells]
            row = csv_row(header, filled, nested, rules.preference_column)
            yield Record(f"{self.name}: row {number}", row)


@dataclass(frozen=True)
class RowGroups:
    """Some of a Parquet file's groups of rows."""

    path: Path
    groups: tuple[int, ...]
    first_row: int
    size: int

    @property
    def name(self) -> str:
        """Of the file."""
        return self.path.name

    def first_rows(self, most: int) -> list[Row]:
        """Its first rows, those left out that cannot be read."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        with pq.ParquetFile(self.path) as file:
            batches = file.iter_batches(batch_size=most, row_groups=self.groups)
            table = pa.Table.from_batches(islice(batches, 1), file.schema_arrow)
        return TableRows(self.name, self.first_row, table).first_rows(most)

    def columns(self, rules: RowRules) -> Iterator[PreferenceColumns]:
        """Its rows.

        Raises:
            PreferenceDataError: a row cannot be used, or the file cannot be read.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        start = self.first_row
        try:
            with pq.ParquetFile(self.path, page_checksum_verification=True) as file:
                names = [name for name in file.schema_arrow.names if rules.reads(name)]
                for batch in file.iter_batches(
                    batch_size=_ROWS, row_groups=self.groups, columns=names, use_threads=False
                ):
                    rows = TableRows(self.name, start, pa.Table.from_batches([batch]))
                    start += len(batch)
                    yield rows.read(rules, file.schema_arrow.names)
        except (pa.ArrowException, OSError) as error:
            raise PreferenceDataError(
                f"{self.path.name}: not a readable Parquet file ({error})"
            ) from error


@dataclass(frozen=True, eq=False)
class TableRows:
    """Rows of an Arrow table, whoever read it."""

    name: str
    first_row: int
    table: Any

    @property
    def size(self) -> int:
        """How many they are."""
        return int(self.table.num_rows)

    def first_rows(self, most: int) -> list[Row]:
        """Its first rows, those left out that cannot be read."""
        rows = [parquet_row(row, ()) for row in self.table.slice(0, most).to_pylist()]
        return [row for row in rows if not isinstance(row, RowError)]

    def columns(self, rules: RowRules) -> Iterator[PreferenceColumns]:
        """Its rows.

        Raises:
            PreferenceDataError: a row cannot be used.
        """
        names = self.table.column_names
        read = replace(self, table=self.table.select([n for n in names if rules.reads(n)]))
        yield read.read(rules, names)

    def read(self, rules: RowRules, names: Sequence[str]) -> PreferenceColumns:
        """Return its rows, of data with columns of these names."""
        found = columns_of_table(self.table, rules)
        return columns_of_records(self._records(rules), rules, names) if found is None else found

    def _records(self, rules: RowRules) -> Iterator[Record]:
        nested = (rules.factors_column, "annotators")
        for at in range(self.table.num_rows):
            try:
                (row,) = self.table.slice(at, 1).to_pylist()
                read = parquet_row(row, nested)
            except UnicodeDecodeError:
                read = RowError("the row holds what is not UTF-8; store it as text in UTF-8")
            yield Record(f"{self.name}: row {self.first_row + at}", read)


Piece = JsonLines | Cells | RowGroups | TableRows


def pieces(path: Path) -> Iterator[Piece]:
    """Yield the pieces of a file one after the other.

    Raises:
        PreferenceDataError: it cannot be read, or holds no rows.
    """
    kind = _kind(path)
    found = (
        _row_groups(path)
        if kind == ".parquet"
        else _blocks(path)
        if kind == ".jsonl"
        else _cells(path, "\t" if kind == ".tsv" else ",")
    )
    n = 0
    try:
        for piece in found:
            n += 1
            yield piece
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        raise PreferenceDataError(f"{path}: cannot be read ({why})") from error
    if not n:
        raise PreferenceDataError(f"{path.name}: the file holds no rows")


def in_pieces(path: Path) -> bool:
    """Whether a file is of a kind that is read in pieces."""
    return _kind(path) in STREAMED_ENDINGS


def is_large(path: Path) -> bool:
    """Whether a file takes long or much memory as a whole."""
    if _kind(path) != ".parquet":
        return path.stat().st_size >= (
            _LARGE_BYTES if path.suffix.lower() == ".jsonl" else _LARGE_PACKED
        )
    import pyarrow as pa

    try:
        return (total_size(path) or 0) >= _LARGE_ROWS
    except (pa.ArrowException, OSError, ValueError):  # told by whoever reads it
        return False


_LARGE_BYTES, _LARGE_PACKED, _LARGE_ROWS = 1 << 25, 1 << 23, 1 << 15


def total_size(path: Path) -> int | None:
    """What the sizes of a file's pieces add up to; None where it is not known before."""
    if _kind(path) == ".parquet":
        import pyarrow.parquet as pq

        return int(pq.read_metadata(path).num_rows)
    return path.stat().st_size if path.suffix.lower() == ".jsonl" else None


def _kind(path: Path) -> str:
    """The ending that says what a file holds; of compressed Parquet there is none."""
    packed = path.suffix.lower() in (".gz", ".zst")
    kind = (path.with_suffix("") if packed else path).suffix.lower()
    return "" if packed and kind == ".parquet" else kind


def _opened(path: Path) -> IO[bytes]:
    if path.suffix.lower() == ".gz":
        return cast("IO[bytes]", gzip.open(path))
    if path.suffix.lower() == ".zst":
        import zstandard

        return cast("IO[bytes]", zstandard.open(path, "rb"))
    return path.open("rb")


def _blocks(path: Path) -> Iterator[JsonLines]:
    line = 1
    with _opened(path) as file:
        rest = file.read(3).removeprefix(codecs.BOM_UTF8)
        while True:
            block = file.read(BLOCK_BYTES)
            ends = block.rfind(b"\n") + 1
            if block and not ends:  # a line that is longer than a block
                rest += block
                continue
            lines, rest = rest + block[:ends], block[ends:]
            if not block:
                lines, rest = lines + rest, b""
            if lines.strip():
                yield JsonLines(path.name, line, lines)
            line += lines.count(b"\n")
            if not block:
                return


def _cells(path: Path, delimiter: str) -> Iterator[Cells]:
    import pyarrow as pa
    import pyarrow.csv as pc

    with _opened(path) as file:
        header = file.readline().decode("utf-8-sig")
    names = next(_header(header, delimiter), [])
    check_columns(names, f"{path.name}:1")
    text = {name: pa.string() for name in names}
    first = 1
    try:
        with (
            _opened(path) as file,
            pc.open_csv(
                file,
                read_options=pc.ReadOptions(block_size=BLOCK_BYTES, use_threads=False),
                parse_options=pc.ParseOptions(delimiter=delimiter, newlines_in_values=True),
                convert_options=pc.ConvertOptions(
                    column_types=text,
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                    null_values=[""],
                ),
            ) as reader,
        ):
            for batch in reader:
                if len(batch):
                    table = pa.Table.from_batches([batch])
                    yield Cells(path.name, first, table, len(batch))
                    first += len(batch)
    except pa.ArrowInvalid as error:
        raise PreferenceDataError(f"{path.name}: broken CSV ({error})") from error


def _header(line: str, delimiter: str) -> Iterator[list[str]]:
    import csv

    return csv.reader([line], delimiter=delimiter)


def _row_groups(path: Path) -> Iterator[RowGroups]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        held = pq.read_metadata(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise PreferenceDataError(f"{path.name}: not a readable Parquet file ({error})") from error
    first, waiting = 1, RowGroups(path, (), 1, 0)
    for index in range(held.num_row_groups):
        n = held.row_group(index).num_rows
        waiting = replace(waiting, groups=(*waiting.groups, index), size=waiting.size + n)
        first += n
        if waiting.size >= _PIECE_ROWS:
            yield waiting
            waiting = RowGroups(path, (), first, 0)
    if waiting.size:
        yield waiting


_PIECE_ROWS = 1 << 17
"""Rows of Parquet in one piece, at least; a group of rows is never split."""


def _structured(table: Any, names: Sequence[str]) -> Any:  # noqa: ANN401
    """A table whose cells of JSON became columns of Arrow; None where they cannot."""
    import pyarrow as pa
    import pyarrow.json as pj

    for name in names:
        if name not in table.column_names:
            continue
        cells = table[name].to_pylist()
        lines = ["{}" if each is None else f'{{"cell":{_one_line(each)}}}' for each in cells]
        try:
            found = pj.read_json(io.BytesIO("\n".join(lines).encode()))
        except pa.ArrowInvalid:
            return None
        if found.num_rows != table.num_rows:
            return None
        column = found["cell"] if "cell" in found.column_names else pa.nulls(len(cells))
        table = table.set_column(table.column_names.index(name), name, column)
    return table


def _one_line(cell: str) -> str:
    """JSON without line ends, which mean nothing between its parts and cannot stand within them."""
    return cell.replace("\r", " ").replace("\n", " ")
