"""A project: what each annotator is shown, and the key by which their answers are read.

Nothing that an annotator sees tells which text is whose: tasks have opaque ids, the sides are
drawn, and what they stand for is in the key alone, which stays with whoever asks. So does every row
of the data, so that the answers need nothing but the key to become rows again.
"""

import random
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from profile_tasks.annotation.attention_checks import in_disorder
from profile_tasks.annotation.malformed import first_problem
from profile_tasks.annotation.pair_sample import spread
from profile_tasks.annotation.wording import Wording
from profile_tasks.data.content_hash import short_hash
from profile_tasks.data.preference import JUDGE_PREFIX
from profile_tasks.data.preferences import (
    AnnotatedPair,
    AnnotatedSource,
    PreferenceData,
    plain_rows,
)
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.untrusted_text import shown
from profile_tasks.whole_files import read_whole

KEY = "key.json"
"""The file of the key. Annotators must not see it."""


WRITER = f"{JUDGE_PREFIX}writer"
"""The column of a model's own pairs that says which text was written for the higher score: the
writer's preference, which commands read as they read any recorded judge's."""

RightSide = Literal["first", "second"]

_SAID = {"preference", "annotators", "annotator_names", "seconds", "comments", "skipped_by"}
"""The columns of what people said, which would otherwise stand beside what others say now."""


@dataclass(frozen=True)
class ShownTask:
    """What an annotator sees of one task; characters that would reorder a text are named in it.

    Attributes:
        task: Its opaque id.
        request: What was asked for.
        source: The document, None where there is none.
        first: The text on the left, or above.
        second: The other one.
    """

    task: str
    request: str
    source: str | None
    first: str
    second: str

    @property
    def content(self) -> str:
        """The hash of its texts, by which an edited task is known."""
        return short_hash([self.request, self.source or "", self.first, self.second])


class KeptTask(BaseModel):
    """What the key says of a task.

    Attributes:
        row: Which row of the data it shows; None: an attention check.
        swapped: Whether response_b stands first.
        right: The right answer to an attention check.
        content: The hash of the texts shown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    row: int | None
    swapped: bool = False
    right: RightSide | None = None
    content: str


class Key(BaseModel):
    """What turns answers into rows again.

    Attributes:
        version: Of its form.
        project: Id of the project, which every task and every answer names.
        salt: Makes annotators' pseudonyms, which tell nothing to who does not have it.
        data: What the pairs are of.
        seed: Of the draw of pairs, sides and order.
        wording: Version and hash of what annotators read.
        asked: Ids of the factors they are asked about.
        rows: The pairs that are asked about, in the form of docs/data.md.
        tasks: By id.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    project: str
    salt: str
    data: str
    seed: int
    wording: str
    asked: tuple[str, ...]
    rows: tuple[dict[str, JsonValue], ...]
    tasks: dict[str, KeptTask]

    def pseudonym(self, annotator: str) -> str:
        """What an annotator is called whose name or number in the tool must not be told."""
        return f"annotator-{sha256(f'{self.salt}:{annotator}'.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class Project:
    """A project.

    Attributes:
        key: Stays with whoever asks.
        wording: What annotators read.
        questions: Factor id -> the question about it.
        sheets: The tasks of each annotator in their order; a single sheet where a tool deals them
            out to its annotators.
        annotators: How many people judge a pair that several judge.
        overlap: Share of the pairs that they do.
    """

    key: Key
    wording: Wording
    questions: Mapping[str, str]
    sheets: tuple[tuple[ShownTask, ...], ...]
    annotators: int
    overlap: float

    @property
    def instructions(self) -> tuple[str, ...]:
        """The paragraphs that are read before the first pair."""
        checked = any(task.row is None for task in self.key.tasks.values())
        return self.wording.instructions + ((self.wording.checks,) if checked else ())

    @property
    def has_sources(self) -> bool:
        """Whether any task shows a document."""
        return any(task.source is not None for sheet in self.sheets for task in sheet)


def make_project(
    data: PreferenceData,
    wording: Wording,
    asked: Mapping[str, Factor],
    *,
    pairs: int,
    checks: int = 0,
    annotators: int = 1,
    overlap: float = 1.0,
    seed: int = 0,
    dealt: bool = False,
) -> Project:
    """Draw the pairs, the sides and the order.

    Args:
        data: All pairs that there are.
        wording: What annotators read.
        asked: The factors that they are asked about.
        pairs: How many pairs are drawn; of fewer, all.
        checks: Attention checks among them, the same for everybody.
        annotators: How many people are asked.
        overlap: Share of the pairs that all of them judge; each other pair has one of them.
        seed: Of all that is drawn.
        dealt: Whether each annotator has a sheet of their own, with its own sides and order.

    Raises:
        ValueError: There are fewer texts that make an attention check than are wanted.
    """
    every = [(source, pair) for source in data.sources for pair in source.pairs]
    rows = list(plain_rows(data))
    places = spread([source.group for source, _ in every], pairs, seed)
    drawn = [every[at] for at in places]
    asked_rows = [_unanswered(rows[at]) for at in places]
    planted = list(_checks(drawn, checks, seed))
    told = {"rows": asked_rows, "asked": list(asked), "wording": wording.identity, "seed": seed}
    project = short_hash(told | {"checks": [[s.prompt, *texts] for s, texts in planted]})
    shared = round(overlap * len(drawn))
    tasks: dict[str, KeptTask] = {}
    sheets = []
    for number in range(annotators if dealt else 1):
        name = f"{project}:{seed}:{number}"  # annotators see the project's id, and no seed
        own = [
            at for at in range(len(drawn)) if at < shared or not dealt or at % annotators == number
        ]
        sheet = [_task(f"{name}:{at}", drawn[at], row=at) for at in own]
        sheet += [_check(f"{name}:check:{at}", *each) for at, each in enumerate(planted)]
        random.Random(name).shuffle(sheet)  # noqa: S311 - no secret
        tasks |= {task.task: kept for task, kept in sheet}
        sheets.append(tuple(task for task, _ in sheet))
    key = Key(
        project=project,
        salt=secrets.token_hex(8),
        data=data.name,
        seed=seed,
        wording=wording.identity,
        asked=tuple(asked),
        rows=tuple(asked_rows),
        tasks=tasks,
    )
    questions = {name: wording.question(factor) for name, factor in asked.items()}
    return Project(key, wording, questions, tuple(sheets), annotators, overlap)


def read_key(folder: Path) -> Key:
    """The key of a project.

    Raises:
        OSError: It cannot be read.
        ValueError: The file is no key.
    """
    try:
        return Key.model_validate_json(read_whole(folder / KEY))
    except ValidationError as error:
        raise ValueError(
            f"{folder / KEY}: not a key as profile-tasks annotate writes it "
            f"({first_problem(error)})"
        ) from error


def _unanswered(row: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """A row without what people said of it before, which stays beside what is asked now."""
    kept = {name: value for name, value in row.items() if name not in _SAID}
    return kept | ({"earlier_preference": row["preference"]} if "preference" in row else {})


def _task(
    name: str, drawn: tuple[AnnotatedSource, AnnotatedPair], row: int
) -> tuple[ShownTask, KeptTask]:
    source, pair = drawn
    swapped = _coin(name)
    task = _shown(name, source, pair.shown[::-1] if swapped else pair.shown)
    return task, KeptTask(row=row, swapped=swapped, content=task.content)


def _check(
    name: str, source: AnnotatedSource, texts: tuple[str, str]
) -> tuple[ShownTask, KeptTask]:
    swapped = _coin(name)
    task = _shown(name, source, texts[::-1] if swapped else texts)
    right: RightSide = "second" if swapped else "first"
    return task, KeptTask(row=None, right=right, content=task.content)


def _shown(name: str, source: AnnotatedSource, texts: Sequence[str]) -> ShownTask:
    first, second = map(shown, texts)
    about = None if source.source is None else shown(source.source)
    return ShownTask(_digest(name)[:12], shown(source.prompt), about, first, second)


def _coin(name: str) -> bool:
    return int(_digest(f"side {name}"), 16) % 2 == 1


def _digest(name: str) -> str:
    return sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def _checks(
    drawn: Iterable[tuple[AnnotatedSource, AnnotatedPair]], wanted: int, seed: int
) -> Iterator[tuple[AnnotatedSource, tuple[str, str]]]:
    """Texts beside themselves in disorder, of different pairs; of each the right one first."""
    found = 0
    pairs = list(drawn)
    order = random.Random(f"checks {seed}").sample(range(len(pairs)), len(pairs))  # noqa: S311
    for at in order:
        if found == wanted:
            return
        source, pair = pairs[at]
        text = max(pair.shown, key=len)
        disorder = in_disorder(text, f"{seed}:{pair.id}")
        if disorder is not None:
            found += 1
            yield source, (text, disorder)
    if found < wanted:
        raise ValueError(
            f"only {found} of the {len(pairs)} pairs have a text that is long enough for an "
            f"attention check, and {wanted} are wanted; ask for fewer (--checks), or more pairs"
        )
