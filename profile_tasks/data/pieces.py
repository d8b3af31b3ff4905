"""A data file in pieces, each read by itself: lines of JSON, cells of CSV, row groups of Parquet.

A piece can be handed to another process. It gives its rows in columns, some ten thousand at a time,
so that memory does not grow with the file.
"""

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
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
    RowError,
    check_columns,
    csv_lines,
    csv_row,
    json_row,
    no_parquet,
    no_utf8,
    not_whole,
    parquet_records,
    unzstandard,
)

STREAMED_ENDINGS = (".jsonl", ".csv", ".tsv", ".parquet")
"""Files that are read in pieces, all but Parquet also compressed; an array of JSON is one piece."""

BLOCK_BYTES = 1 << 25
"""Of a text file that are read as one piece."""

_ROWS, _FEW_ROWS = 1 << 14, 1 << 8
"""Rows of Parquet in memory at a time: as columns, and one by one."""

_TEXTS = ("prompt", "response_a", "response_b", "source", "reference", "task")
_NAMES = ("id", "group", "source_id")


class NotInPiecesError(PreferenceDataError):
    """A file that can be read as a whole alone."""


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

    def records(self, rules: RowRules) -> Iterator[Record]:
        """Yield its rows one by one."""
        lines = self.lines.decode(errors="surrogateescape").split("\n")
        for number, line in enumerate(lines, start=self.first_line):
            if not line.strip():
                continue
            _check_utf8(line, f"{self.name}:{number}")
            yield Record(f"{self.name}:{number}", json_row(line))

    def columns(self, rules: RowRules) -> Iterator[PreferenceColumns]:
        """Its rows.

        Raises:
            PreferenceDataError: a row cannot be used.
        """
        table = self._table(rules)
        found = None if table is None else columns_of_table(table, rules)
        if found is None:
            records = list(self.records(rules))
            named = {name for _, row in records if not isinstance(row, RowError) for name in row}
            found = columns_of_records(records, rules, named)
        yield found

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
        if not _one_a_line(self.lines, table.num_rows):
            return None
        return table.select([name for name in table.column_names if rules.reads(name)])


@dataclass(frozen=True, eq=False)
class Cells:
    """Rows of a CSV file, all cells as texts."""

    name: str
    first_row: int
    table: Any
    size: int

    def records(self, rules: RowRules) -> Iterator[Record]:
        """Yield its rows one by one."""
        nested = (rules.factors_column, "annotators")
        header = self.table.column_names
        rows = zip(*(column.to_pylist() for column in self.table.columns), strict=True)
        for number, cells in enumerate(rows, start=self.first_row):
            filled = [cell or "" for cell in cells]
            row = csv_row(header, filled, nested, rules.preference_column)
            yield Record(f"{self.name}: row {number}", row)

    def columns(self, rules: RowRules) -> Iterator[PreferenceColumns]:
        """Its rows.

        Raises:
            PreferenceDataError: a row cannot be used.
        """
        table = self.table.select([n for n in self.table.column_names if rules.reads(n)])
        nested = _structured(table, [rules.factors_column, "annotators"])
        found = None if nested is None else columns_of_table(nested, rules)
        if found is None:
            found = columns_of_records(self.records(rules), rules, self.table.column_names)
        yield found


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

    def records(self, rules: RowRules) -> Iterator[Record]:
        """Yield its rows one by one, with all columns.

        Raises:
            PreferenceDataError: the file cannot be read.
        """
        for rows in self._tables(_FEW_ROWS, lambda name: True):
            yield from rows.records(rules)

    def columns(self, rules: RowRules) -> Iterator[PreferenceColumns]:
        """Its rows.

        Raises:
            PreferenceDataError: a row cannot be used, or the file cannot be read.
        """
        for rows in self._tables(_ROWS, rules.reads):
            yield from rows.columns(rules)

    def _tables(self, size: int, reads: Callable[[str], bool]) -> Iterator["TableRows"]:
        """Yield its rows with some columns, some rows at a time."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        start = self.first_row
        try:
            with pq.ParquetFile(self.path, page_checksum_verification=True) as file:
                names = [name for name in file.schema_arrow.names if reads(name)]
                for batch in file.iter_batches(
                    batch_size=size, row_groups=self.groups, columns=names, use_threads=False
                ):
                    yield TableRows(self.name, start, pa.Table.from_batches([batch]))
                    start += len(batch)
        except (pa.ArrowException, OSError) as error:
            raise no_parquet(self.name, error) from error


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

    def records(self, rules: RowRules) -> Iterator[Record]:
        """Yield its rows one by one.

        Raises:
            PreferenceDataError: they cannot be read.
        """
        import pyarrow as pa

        try:
            nested = (rules.factors_column, "annotators")
            yield from parquet_records(self.table, self.name, self.first_row, nested)
        except (pa.ArrowException, ValueError) as error:
            raise no_parquet(self.name, error) from error

    def columns(self, rules: RowRules) -> Iterator[PreferenceColumns]:
        """Its rows.

        Raises:
            PreferenceDataError: a row cannot be used.
        """
        names = self.table.column_names
        read = replace(self, table=self.table.select([n for n in names if rules.reads(n)]))
        found = columns_of_table(read.table, rules)
        yield columns_of_records(read.records(rules), rules, names) if found is None else found


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
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise not_whole(path, error) from error
    except OSError as error:
        raise PreferenceDataError(f"{path}: cannot be read ({error.strerror or error})") from error
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
    try:
        return (total_size(path) or 0) >= _LARGE_ROWS
    except PreferenceDataError:  # told by whoever reads it
        return False


_LARGE_BYTES, _LARGE_PACKED, _LARGE_ROWS = 1 << 25, 1 << 23, 1 << 15
"""From where on a file is large: of JSON lines, of CSV and what is compressed, rows of Parquet."""


def total_size(path: Path) -> int | None:
    """What the sizes of a file's pieces add up to; None where it is not known before."""
    if _kind(path) == ".parquet":
        return int(_held(path).num_rows)
    return path.stat().st_size if path.suffix.lower() == ".jsonl" else None


def _kind(path: Path) -> str:
    """The ending that says what a file holds; of compressed Parquet there is none."""
    packed = path.suffix.lower() in (".gz", ".zst")
    kind = (path.with_suffix("") if packed else path).suffix.lower()
    return "" if packed and kind == ".parquet" else kind


def _opened(path: Path) -> IO[bytes]:
    if path.suffix.lower() == ".gz":
        return cast("IO[bytes]", gzip.open(path))
    file = path.open("rb")
    if path.suffix.lower() == ".zst":
        return cast("IO[bytes]", io.BufferedReader(_Parts(file, unzstandard(file, path))))
    return file


class _Parts(io.RawIOBase):
    """Parts of bytes as a file, which is closed with it."""

    def __init__(self, file: IO[bytes], parts: Iterator[bytes]) -> None:
        self._file, self._parts, self._left = file, parts, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - whatever holds bytes
        while not self._left:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._left = part
        n = min(len(buffer), len(self._left))
        buffer[:n], self._left = self._left[:n], self._left[n:]
        return n

    def close(self) -> None:
        self._file.close()
        super().close()


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

    with closing(_csv_lines(path, delimiter)) as lines:
        _, names = next(lines, (0, []))
    if not names:
        return
    text = {name: pa.string() for name in names}
    first = 1
    try:
        with (
            _opened(path) as opened,
            _QuotesSeen(opened, delimiter) as file,
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
            if reader.schema.names != names:
                raise NotInPiecesError(f"{path.name}: its header {_AS_A_WHOLE}")
            for batch in reader:
                if len(batch):
                    table = pa.Table.from_batches([batch])
                    yield Cells(path.name, first, table, len(batch))
                    first += len(batch)
            if file.doubtful:
                _check_csv(path, delimiter)
    except pa.ArrowInvalid as error:
        _check_csv(path, delimiter)
        raise NotInPiecesError(f"{path.name}: broken CSV ({error}), which {_AS_A_WHOLE}") from error


class _QuotesSeen(io.RawIOBase):
    """A CSV file as Arrow reads it, which takes whatever stands behind a cell in quotes.

    Attributes:
        doubtful: whether something may stand there so far.
    """

    def __init__(self, file: IO[bytes], delimiter: str) -> None:
        self._file, self.doubtful, self._end = file, False, b"\n"
        other = b'[^%b\r\n"]' % delimiter.encode()
        # An odd number of quotes within a cell, or an even one where it begins.
        self._lone = re.compile(
            b'"(?:(?<=%b")(?:"")*|(?<=[%b\r\n]")"(?:"")*)(?=%b)'
            % (other, delimiter.encode(), other)
        )

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        if not self.doubtful:
            self.doubtful = self._lone.search(self._end + block) is not None
            self._end = block[-_QUOTES:] or self._end
        return block


_QUOTES = 16
"""Bytes at the end of a block that are looked at with the next one."""

_AS_A_WHOLE = "cannot be read in pieces; read the file as a whole (--no-stream)"


def _check_csv(path: Path, delimiter: str) -> None:
    """Say where a CSV file is broken, in the words of those that are read as a whole.

    Raises:
        PreferenceDataError: of the first row that is.
    """
    with closing(_csv_lines(path, delimiter)) as lines:
        _, header = next(lines)
        for line, cells in lines:
            row = csv_row(header, cells, (), None)
            if isinstance(row, RowError):
                raise PreferenceDataError(f"{path.name}:{line}: {row}")


def _csv_lines(path: Path, delimiter: str) -> Generator[tuple[int, list[str]], None, None]:
    with (
        _opened(path) as file,
        io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="") as text,
    ):
        lines = (_check_utf8(line, f"{path.name}:{n}") for n, line in enumerate(text, start=1))
        yield from csv_lines(lines, path.name, delimiter)


def _check_utf8(line: str, place: str) -> str:
    """Return a line in which bytes that are no UTF-8 became surrogates.

    Raises:
        PreferenceDataError: there is one.
    """
    if not line.isascii() and (wrong := re.search("[\udc80-\udcff]", line)):
        raise no_utf8(place, ord(wrong[0]) - 0xDC00)
    return line


def _one_a_line(lines: bytes, n: int) -> bool:
    """Whether each line that is not blank holds one of n objects.

    One that begins and ends as objects do holds some, since two never stand side by side in one.
    """
    whole = lines.strip()
    if whole[:1] + whole[-1:] == b"{}" and whole.count(b"\n") == n - 1:
        between = whole.count(b"}\n{")
        if between == n - 1 or between + whole.count(b"}\r\n{") == n - 1:
            return True
    found = [line.strip() for line in lines.split(b"\n")]
    found = [line for line in found if line]
    return len(found) == n and all(each[:1] + each[-1:] == b"{}" for each in found)


def _held(path: Path) -> Any:  # noqa: ANN401
    """What a file of Parquet says it holds.

    Raises:
        PreferenceDataError: it is none, or a column stands twice.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        held = pq.read_metadata(path)
        check_columns(held.schema.to_arrow_schema().names, path.name)
    except PreferenceDataError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise no_parquet(path.name, error) from error
    return held


def _row_groups(path: Path) -> Iterator[RowGroups]:
    held = _held(path)
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
        if found.num_rows != table.num_rows or found.column_names not in ([], ["cell"]):
            return None
        column = found["cell"] if found.column_names else pa.nulls(len(cells))
        table = table.set_column(table.column_names.index(name), name, column)
    return table


def _one_line(cell: str) -> str:
    """JSON without line ends, which mean nothing between its parts and cannot stand within them."""
    return cell.replace("\r", " ").replace("\n", " ")
