"""Which answer stands where in the files, and what is wrong with them.

Files of many gigabytes are read once, line by line, into an index on disk: an answer itself is read
from its place when it is asked for.
"""

import os
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from profile_tasks.offline.batch_lines import AnswerLine, read_answer
from profile_tasks.secrets import hidden, keys_in
from profile_tasks.untrusted_text import one_line

SHOWN = 5
"""So many places are named of each kind of problem."""

_ID = 64
"""Characters that are shown of an id; ours have less."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass
class Problems:
    """What is to be told of files of answers.

    Attributes:
        counts: How often each kind occurs.
        places: The first places of each, with what stands there.
    """

    counts: Counter[str] = field(default_factory=Counter)
    places: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def note(self, kind: str, place: str) -> None:
        """Count a problem of a kind."""
        self.counts[kind] += 1
        if len(self.places[kind]) < SHOWN:
            self.places[kind].append(place)


class Answers:
    """The answers in files, by the id of the request.

    Args:
        database: Where the index stands.
        is_planned: Whether a request of this id was planned.
    """

    def __init__(self, database: sqlite3.Connection, is_planned: Callable[[str], bool]) -> None:
        self.problems = Problems()
        self._files: list[Path] = []
        self._open: dict[int, IO[bytes]] = {}
        self._is_planned = is_planned
        self._keys = keys_in(os.environ)  # which a server may quote that says why it failed
        self._index = database
        self._index.execute(
            "CREATE TABLE answers (id TEXT PRIMARY KEY, file INT, line INT, start INT, said TEXT, "
            "failed TEXT) WITHOUT ROWID"
        )

    def read(self, files: Sequence[Path], advance: Callable[[], object] = lambda: None) -> None:
        """Read files of answers; each line is an answer, or a problem.

        A failed answer gives way to one that did not fail. Two that say the same count once.

        Args:
            files: The files.
            advance: Called when one is done with.

        Raises:
            OSError: One cannot be read.
        """
        for path in files:
            self._files.append(path)
            with path.open("rb") as lines:
                self._read(len(self._files) - 1, lines)
            advance()

    def _read(self, file: int, lines: IO[bytes]) -> None:
        start = 0
        for number, line in enumerate(lines, 1):
            text = line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
            if text.strip():
                try:
                    answer = read_answer(text)
                except ValueError as error:
                    self.problems.note("unreadable", f"{self._files[file]}:{number}: {error}")
                else:
                    self._add(answer, file, number, start)
            start += len(line)

    def _add(self, answer: AnswerLine, file: int, number: int, start: int) -> None:
        name = answer.custom_id
        place = f"{self._files[file]}:{number}: {one_line(name[:_ID])}"
        if not name.isascii() or not self._is_planned(name):
            self.problems.note("unknown", place)
            return
        failed = None if answer.failed is None else hidden(answer.failed, self._keys)
        row = (name, file, number, start, answer.said, failed)
        before = self._row(name)
        if before is not None and not (before.failed is not None and failed is None):
            if failed is None and before.said == answer.said:
                self.problems.note("equal", f"{place} (first in {self.place(before)})")
            elif failed is None:
                self.problems.note("different", f"{place} (another in {self.place(before)})")
            return
        if answer.cut_off:
            self.problems.note("cut off", place)
        self._index.execute("REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?)", row)

    def _row(self, name: str) -> "_Row | None":
        found = self._index.execute(
            "SELECT file, line, start, said, failed FROM answers WHERE id = ?", (name,)
        ).fetchone()
        return None if found is None else _Row(*found)

    def place(self, row: "_Row") -> str:
        """File and line of an answer."""
        return f"{self._files[row.file]}:{row.line}"

    def failed(self, name: str) -> str | None:
        """Where the answer to a request says that it failed, and why; None where none does."""
        row = self._row(name)
        return None if row is None or row.failed is None else f"{self.place(row)}: {row.failed}"

    def body_of(self, name: str) -> dict[str, Any] | None:
        """The completion that answers a request; None where none does."""
        row = self._row(name)
        if row is None or row.failed is not None:
            return None
        if row.file not in self._open:
            self._open[row.file] = self._files[row.file].open("rb")
        lines = self._open[row.file]
        lines.seek(row.start)
        return read_answer(lines.readline().removeprefix(_BYTE_ORDER_MARK)).body

    def refuse(self, name: str, why: str) -> None:
        """Count an answer as failed, whose completion has not the form of one."""
        self._index.execute("UPDATE answers SET failed = ? WHERE id = ?", (why, name))

    def close(self) -> None:
        """Close the files."""
        for each in self._open.values():
            each.close()


@dataclass(frozen=True)
class _Row:
    file: int
    line: int
    start: int
    said: str
    failed: str | None
