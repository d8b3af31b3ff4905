"""Requests out, answers in: what stands between a run and the files.

The tasks run as ever. A request whose answer is there is answered; one whose answer is not is noted
for the next plan, and its sample ends with it, so that nothing is asked on the strength of an
answer that nobody gave.
"""

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import IO

import anyio
from inspect_ai.model import ChatMessage, GenerateConfig, ModelOutput
from inspect_ai.util import LimitExceededError

from profile_tasks.offline.answers import Answers
from profile_tasks.offline.batch_lines import (
    NO_CHAT,
    content_id,
    output_of,
    request_body,
    request_line,
)
from profile_tasks.solvers.kept_answers import asking_sample
from profile_tasks.untrusted_text import file_name

_QUIET = 200
"""So many turns of the event loop without a request, and a sample has asked all that it can."""

WAITS = "its answer is not there yet"
"""What an error of a sample says that waits for answers."""


class UnansweredError(LimitExceededError):
    """A request has no answer yet: its sample ends here, and is scored as far as it came.

    Inspect ends a sample so at a limit. Of an error it would lay out every traceback, which takes
    longer than the sample.
    """

    def __init__(self) -> None:
        super().__init__("custom", value=1, limit=0, message=WAITS)


class Exchange:
    """One run over what is answered so far.

    Args:
        work: A folder for the index and for what is asked; must be empty.
        planned: Ids of requests, a file for each plan before, the first plan first.
        allow_missing: Requests that were planned and not answered count as answered by nothing a
            model could use, as a live run counts them.
    """

    def __init__(
        self, work: Path, planned: Sequence[Path] = (), *, allow_missing: bool = False
    ) -> None:
        self._work, self._allow_missing = work, allow_missing
        self._database = work / "index.sqlite"
        self._index = sqlite3.connect(self._database, isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF"):
            self._index.execute(f"PRAGMA {pragma}")
        self._index.execute("BEGIN")
        self._index.execute(
            "CREATE TABLE requests (id TEXT PRIMARY KEY, plan INT, asked INT) WITHOUT ROWID"
        )
        for plan, path in enumerate(planned, 1):
            with path.open(encoding="ascii") as ids:
                self._index.executemany(
                    "INSERT OR IGNORE INTO requests VALUES (?, ?, 0)",
                    ((line.rstrip("\n"), plan) for line in ids),
                )
        self.answers = Answers(self._index, lambda name: self._plan_of(name) is not None)
        self.requests: Counter[str] = Counter()
        self.missing = 0
        self._file_names: dict[str, str] = {}
        self._files: dict[str, IO[str]] = {}
        self._asking: Counter[tuple[str, int]] = Counter()
        self._without: set[str] = set()
        self._waiting: dict[tuple[str, int], anyio.Event] = {}

    async def answer(
        self,
        model: str,
        messages: Sequence[ChatMessage],
        config: GenerateConfig,
        *,
        shared: bool,
    ) -> ModelOutput:
        """The answer to a request.

        Args:
            model: As the endpoint calls it.
            messages: The conversation.
            config: Settings of the request.
            shared: One answer serves all who ask the same, as those of a cached grader do; else
                each sample, epoch and repetition has its own.

        Raises:
            UnansweredError: It is not there. The request is noted.
        """
        self._asking[asking_sample()] += 1
        body = await request_body(model, messages, config)
        name = self._name(body, shared)
        found = self.answers.body_of(name)
        plan, again = self._plan_of(name), self._is_asked(name)
        self._index.execute(
            "INSERT INTO requests VALUES (?, NULL, 1) "
            "ON CONFLICT (id) DO UPDATE SET asked = MAX(asked, 1)",
            (name,),
        )
        if found is not None:
            try:
                return output_of(found)
            except ValueError:
                self.answers.refuse(name, NO_CHAT)
        if self._allow_missing and (plan is not None or self._goes_on(body["messages"])):
            if plan is not None and not again:
                self.missing += 1
                self._tell(name, plan)
            self._without.add(content_id(body["messages"]))
            return ModelOutput(model=model)
        self._note(name, model, body, plan)
        await self._all_have_asked()
        raise UnansweredError

    def _name(self, body: Mapping[str, object], shared: bool) -> str:
        if shared:
            return content_id(body)
        asked = content_id(body, *asking_sample())
        return next(name for n in count(1) if not self._is_asked(name := content_id(asked, n)))

    def _is_asked(self, name: str) -> bool:
        found = self._index.execute("SELECT asked FROM requests WHERE id = ?", (name,)).fetchone()
        return found is not None and found[0] > 0

    def _goes_on(self, messages: Sequence[object]) -> bool:
        """Whether a conversation goes on from a request that has no answer."""
        return any(content_id(messages[:end]) in self._without for end in range(1, len(messages)))

    def _plan_of(self, name: str) -> int | None:
        """The plan in which a request stood first."""
        found = self._index.execute("SELECT plan FROM requests WHERE id = ?", (name,)).fetchone()
        return None if found is None else found[0]

    def _note(self, name: str, model: str, body: Mapping[str, object], plan: int | None) -> None:
        """Put a request into the next plan, once."""
        file = self._file_of(model)
        noted = self._index.execute(
            "UPDATE requests SET asked = 2 WHERE id = ? AND asked < 2", (name,)
        )
        if not noted.rowcount:
            return
        if plan is not None:
            self._tell(name, plan)
        self.requests[file] += 1
        for written, text in ((file, request_line(name, body)), ("ids", f"{name}\n")):
            if written not in self._files:
                self._files[written] = (self._work / written).open("w", encoding="ascii")
            self._files[written].write(text)

    def _file_of(self, model: str) -> str:
        """The file of a model's requests alone, as endpoints want them."""
        if model not in self._file_names:
            name = file_name(model) or "model"
            if name.casefold() in map(str.casefold, self._file_names.values()):
                name += f"-{content_id(model)[:6]}"
            self._file_names[model] = name
        return f"{self._file_names[model]}.jsonl"

    def _tell(self, name: str, plan: int) -> None:
        """Count a request that was planned before and has no answer."""
        failed = self.answers.failed(name)
        self.answers.problems.note(
            "lost" if failed is None else "failed", f"{failed or f'requests-{plan}'}: {name}"
        )

    async def _all_have_asked(self) -> None:
        """Wait until the sample asks nothing further.

        The error of one request ends those that its sample sends beside it; they shall be asked.
        """
        sample = asking_sample()
        if sample in self._waiting:
            await self._waiting[sample].wait()
            return
        self._waiting[sample] = ended = anyio.Event()
        try:
            quiet = 0
            while quiet < _QUIET:
                before = self._asking[sample]
                await anyio.sleep(0)
                quiet = quiet + 1 if self._asking[sample] == before else 0
        finally:
            del self._waiting[sample]
            ended.set()

    def unasked(self, plan: int) -> int:
        """How many requests that stood first in a plan are not asked for in this run."""
        counted = self._index.execute(
            "SELECT COUNT(*) FROM requests WHERE plan = ? AND asked = 0", (plan,)
        )
        return int(counted.fetchone()[0])

    def answered(self) -> int:
        """How many requests of this run were answered."""
        counted = self._index.execute(
            "SELECT COUNT(*) FROM requests JOIN answers USING (id) WHERE asked > 0 "
            "AND failed IS NULL"
        )
        return int(counted.fetchone()[0])

    def digest(self) -> str:
        """What tells the requests of this run from others: 12 hexadecimal digits."""
        asked = self._index.execute("SELECT id FROM requests WHERE asked > 0 ORDER BY id")
        digest = hashlib.sha256()
        for (name,) in asked:
            digest.update(name.encode())
        return digest.hexdigest()[:12]

    def close(self) -> None:
        """Write what is asked to disk, and let the index go."""
        for each in self._files.values():
            each.close()
        self.answers.close()
        self._index.close()
        self._database.unlink(missing_ok=True)
