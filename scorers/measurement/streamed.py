"""A data file of any size, measured in pieces: in this process or in several, in constant memory.

The rows of a group have to be counted together. Where they stand one after the other, as in most
files, a piece keeps what it has of its first and its last group for its neighbours; where a group
is met again after others, DuckDB brings the signs in order first, on disk.

Rows are checked as those of a whole file are, but for this: of more ids than ``MOST_IDS``, and of
references of one source, only those of one piece are seen to contradict each other.
"""

import multiprocessing
import signal
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profile_tasks.data.columns import RowRules
from profile_tasks.data.content_hash import content_hashes
from profile_tasks.data.files import PreferenceDataError, RowError
from profile_tasks.data.pieces import NotInPiecesError, Piece, pieces
from profile_tasks.data.task_definition import name_of
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.measurement.signs import (
    GROUP,
    PreferenceState,
    merged_states,
    signs_of,
    state_and_groups,
)
from profile_tasks.scorers.statistics.comparisons import Perspective
from profile_tasks.scorers.statistics.group_sample import ScatteredGroupError

_SCATTERED = "the rows of a group stand apart from each other"

MOST_GROUPS = 1 << 25
"""Groups of a file in no order whose names' hashes are kept, 8 bytes each, to see any again."""

FEW_GROUPS = 1 << 22
"""Of so many they are kept though their names rise so far; of more, names that rise are enough."""

MOST_IDS = 1 << 22
"""So many first ids of a file have their hashes kept, to see any again."""


@dataclass(frozen=True)
class Measuring:
    """What is measured of each row.

    Attributes:
        rules: how rows are read.
        factors: what is measured.
        recorded: factors that rows may record; None: any.
        tasks: that rows may name; None: any.
        perspective: whose preferences they are.

    """

    rules: RowRules
    factors: tuple[Factor, ...]
    recorded: frozenset[str] | None
    tasks: frozenset[str] | None
    perspective: Perspective

    def signs(self, piece: Piece, ids: list[NDArray[np.uint64]] | None = None) -> Iterator[Any]:
        """Yield the signs of a piece's rows.

        Args:
            piece: of a file.
            ids: to which the hashes of the rows' ids are added.

        Raises:
            PreferenceDataError: a row cannot be used.
            ChoiceError: rows are of another kind than the first ones.
        """
        for columns in piece.columns(self.rules):
            for what, found, known in (
                ("factor", set(columns.factors), self.recorded),
                ("task", set(columns.tasks), self.tasks),
            ):
                if known is not None and (new := sorted(found - known)):
                    raise ChoiceError(
                        f"{piece.name}: the first rows have no {what} {new[0]!r}, and what is "
                        "measured is chosen by them; name the --factors, or read the file as a "
                        "whole (--no-stream)"
                    )
            if ids is not None:
                ids.append(columns.ids)
            yield signs_of(columns, self.factors)


class ChoiceError(NotInPiecesError):
    """What is measured cannot be chosen by the first rows of a file."""


@dataclass(frozen=True, eq=False)
class MeasuredPiece:
    """What is known of a piece.

    Attributes:
        state: after the groups that begin and end in it; None where there is none.
        edges: signs of its first and last group, which may go on in its neighbours.
        hashes: of the names of the groups within.
        ends: the names of its first and last group.
        rising: whether the names of its groups rise, as texts and as texts by their length first.
        size: of the piece.
        ids: hashes of its rows' ids.

    """

    state: PreferenceState | None
    edges: tuple[Any, ...]
    hashes: NDArray[np.uint64]
    ends: tuple[str, str]
    rising: tuple[bool, bool]
    size: int
    ids: NDArray[np.uint64]


def measured(piece: Piece, measuring: Measuring) -> MeasuredPiece:
    """Return what is known of a piece, in whatever process.

    Raises:
        PreferenceDataError: a row cannot be used.
        ScatteredGroupError: a group is met again after others.
    """
    ids: list[NDArray[np.uint64]] = []
    return measured_signs(measuring.signs(piece, ids), measuring.perspective, piece.size, ids)


def measured_signs(
    tables: Iterable[Any],
    perspective: Perspective,
    size: int,
    ids: Sequence[NDArray[np.uint64]] = (),
) -> MeasuredPiece:
    """Return what is known of rows whose signs come table by table; as of ``measured``."""
    import pyarrow as pa

    states: list[PreferenceState] = []
    hashes = [np.zeros(0, np.uint64)]
    head = waiting = None
    first = last = ""
    rising = np.array([True, True])
    for table in tables:
        rows = table if waiting is None else pa.concat_tables([waiting, table])
        if not rows.num_rows:
            continue
        starts, names = _runs(rows[GROUP])
        first = first or names[0].as_py()
        last = names[-1].as_py()
        rising &= _rising(names)
        if head is None and len(starts) > 1:
            head = rows.slice(0, starts[1])
            begin = int(starts[1])
        else:
            begin = 0
        if len(starts) == 1:
            waiting = rows
            continue
        end = int(starts[-1])
        if end > begin:
            state, closed = state_and_groups(rows.slice(begin, end - begin), perspective)
            n_runs = len(starts) - 1 - (begin > 0)
            if len(closed) < n_runs:
                raise ScatteredGroupError(_SCATTERED)
            states.append(state)
            hashes.append(closed)
        waiting = rows.slice(end)
    # A slice would keep all rows that it was cut from.
    edges = tuple(each.take(np.arange(len(each))) for each in (head, waiting) if each is not None)
    return MeasuredPiece(
        _merged(states),
        edges,
        np.concatenate(hashes),
        (first, last),
        (bool(rising[0]), bool(rising[1])),
        size,
        np.concatenate([np.zeros(0, np.uint64), *ids]),
    )


def streamed_state(
    path: Path,
    measuring: Measuring,
    *,
    workers: int = 1,
    step: Callable[[int], None] = lambda size: None,
) -> PreferenceState:
    """Return the state after all groups of a file; the same with any number of workers.

    Args:
        path: of a file that is read in pieces.
        measuring: what is measured.
        workers: processes.
        step: is called with the size of each piece that is done.

    Raises:
        PreferenceDataError: the file or a row cannot be used, or a group's rows are scattered and
            DuckDB is not installed.
    """
    ids = _Ids(path, measuring.rules)
    try:
        state = _state_of_pieces(_measured_pieces(path, measuring, workers), measuring, step, ids)
    except ScatteredGroupError:
        ids = _Ids(path, measuring.rules)
        state = _state_of_scattered(path, measuring, step, ids)
    ids.check()
    return state


def _state_of_pieces(
    found: Iterable[MeasuredPiece], measuring: Measuring, step: Callable[[int], None], ids: "_Ids"
) -> PreferenceState:
    import pyarrow as pa

    groups, state = _Groups(), None
    edges: list[Any] = []
    for piece in found:
        state = _merged([each for each in (state, piece.state) if each is not None])
        edges += piece.edges
        groups.add(piece)
        ids.add(piece.ids)
        step(piece.size)
    if not edges:
        named = name_of(measuring.rules.task or "")
        raise NotInPiecesError(
            f"{ids.path.name}: no row has task {named!r}; without --task all rows count"
        )
    # Groups that go on from one piece to the next; those at either end of the file are no others.
    left = pa.concat_tables(edges)
    starts, _ = _runs(left[GROUP])
    whole, hashes = state_and_groups(left, measuring.perspective)
    if len(hashes) < len(starts):
        raise ScatteredGroupError(_SCATTERED)
    groups.check(hashes)
    return whole if state is None else state + whole


class _Groups:
    """The groups so far, to see any again: by their hashes, or by their order if there is one."""

    def __init__(self) -> None:
        self.hashes: list[NDArray[np.uint64]] = []
        self.n = 0
        self.forgotten = False
        self.last = ""
        self.rising = np.array([True, True])

    def add(self, piece: MeasuredPiece) -> None:
        if not piece.edges:  # no row counts
            return
        self.rising &= piece.rising
        first, last = piece.ends
        # The first group of a piece may be the last one of the piece before.
        if self.last and first != self.last:
            self.rising &= [self.last < first, _by_length(self.last) < _by_length(first)]
        self.last = last
        self.n += len(piece.hashes)
        if self.n > FEW_GROUPS and self.rising.any():
            self.hashes, self.forgotten = [], True
        elif self.forgotten or self.n > MOST_GROUPS:
            raise ScatteredGroupError(_SCATTERED)
        else:
            self.hashes.append(piece.hashes)

    def check(self, edges: NDArray[np.uint64]) -> None:
        """Raise where a group came twice."""
        if self.rising.any():
            return
        # A part at a time, by the first bits, so that little is in memory twice.
        for part in range(16):
            among = np.concatenate(
                [each[each >> np.uint64(60) == part] for each in (*self.hashes, edges)]
            )
            if len(np.unique(among)) < len(among):
                raise ScatteredGroupError(_SCATTERED)


class _Ids:
    """The ids of a file's rows, to see any again."""

    def __init__(self, path: Path, rules: RowRules) -> None:
        self.path, self.rules = path, rules
        self.hashes: list[NDArray[np.uint64]] = []
        self.n = 0

    def add(self, hashes: NDArray[np.uint64]) -> None:
        self.n += len(hashes)
        if self.n <= MOST_IDS:
            self.hashes.append(hashes)

    def check(self) -> None:
        """Raise where a row has an id that another has, and say where both stand."""
        found = np.sort(np.concatenate([np.zeros(0, np.uint64), *self.hashes]))
        twice = set(found[1:][found[1:] == found[:-1]].tolist())
        places: dict[str, str] = {}
        records = (r for piece in pieces(self.path) for r in piece.records(self.rules))
        for place, row in records if twice else ():
            if isinstance(row, RowError) or (
                self.rules.task and row.get("task") not in (None, "", name_of(self.rules.task))
            ):
                continue
            name = str(row.get("id"))
            if int(content_hashes([name.encode()])[0]) not in twice:
                continue
            if name in places:
                raise PreferenceDataError(
                    f"{place}: duplicate id {name!r}; first at {places[name]}"
                )
            places[name] = place


def _by_length(name: str) -> tuple[int, str]:
    return len(name.encode()), name


def _measured_pieces(path: Path, measuring: Measuring, workers: int) -> Iterator[MeasuredPiece]:
    """Yield what is known of the pieces of a file, in order, measured side by side."""
    found = pieces(path)
    begun = list(islice(found, 2 * workers))
    if workers < 2 or len(begun) < 2 * workers:  # so few are sooner done than a pool begins
        for piece in begun:
            yield measured(piece, measuring)
        for piece in found:
            yield measured(piece, measuring)
        return
    pool = ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_IGN),  # Ctrl-C ends this process, which ends them
    )
    waiting: deque[Future[MeasuredPiece]] = deque()
    try:
        waiting += [pool.submit(measured, piece, measuring) for piece in begun]
        for piece in found:
            yield waiting.popleft().result()
            waiting.append(pool.submit(measured, piece, measuring))
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise PreferenceDataError(
            f"{path.name}: a worker process was killed, perhaps for want of memory; "
            "give fewer --workers"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _state_of_scattered(
    path: Path, measuring: Measuring, step: Callable[[int], None], ids: _Ids
) -> PreferenceState:
    """Return the state of a file whose groups are scattered; DuckDB sorts the signs on disk."""
    import pyarrow.parquet as pq

    try:
        import duckdb
    except ImportError as error:
        raise NotInPiecesError(
            f"{path.name}: {_SCATTERED}; sort the file by "
            "group, or install DuckDB, which is used for it: pip install 'profile-tasks[stream]'"
        ) from error
    with tempfile.TemporaryDirectory(prefix="profile-tasks-") as folder:
        writer = None
        try:
            for piece in pieces(path):
                of_piece: list[NDArray[np.uint64]] = []
                for signs in measuring.signs(piece, of_piece):
                    writer = writer or pq.ParquetWriter(f"{folder}/signs.parquet", signs.schema)
                    writer.write_table(signs)
                for each in of_piece:
                    ids.add(each)
        finally:
            if writer is not None:
                writer.close()
        with duckdb.connect(
            config={"temp_directory": folder, "memory_limit": "300MB", "threads": 1}
        ) as engine:
            query = (
                "SELECT * EXCLUDE file_row_number FROM read_parquet(?, file_row_number = true) "
                'ORDER BY "group", file_row_number'
            )
            rows = engine.sql(query, params=[f"{folder}/signs.parquet"]).to_arrow_reader(1 << 16)
            tables = (_as_table(batch) for batch in rows)
            found = measured_signs(tables, measuring.perspective, 0)
            return _state_of_pieces([found], measuring, step, ids)


def _as_table(batch: Any) -> Any:  # noqa: ANN401
    import pyarrow as pa

    return pa.Table.from_batches([batch])


def _merged(states: list[PreferenceState]) -> PreferenceState | None:
    return merged_states(states) if states else None


def _runs(group: Any) -> tuple[NDArray[np.intp], Any]:  # noqa: ANN401
    """Return where each group begins that stands after another, and their names."""
    import pyarrow.compute as pc

    column = group.combine_chunks()
    changes = pc.not_equal(column[1:], column[:-1]).to_numpy(zero_copy_only=False)
    starts = np.concatenate([[0], np.flatnonzero(changes) + 1])
    return starts, column.take(starts)


def _rising(names: Any) -> list[bool]:  # noqa: ANN401
    """Return whether texts rise one by one, as they are and by their length first."""
    import pyarrow.compute as pc

    less = pc.less(names[:-1], names[1:]).to_numpy(zero_copy_only=False)
    length = pc.binary_length(names).to_numpy(zero_copy_only=False)
    longer, same = length[1:] > length[:-1], length[1:] == length[:-1]
    return [bool(less.all()), bool((longer | (same & less)).all())]
