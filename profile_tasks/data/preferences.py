"""Recorded preferences: annotated pairs of responses, by the source they answer.

A row is one annotated pair in the plain schema (`id`, `prompt`, `source`, `response_a`,
`response_b`, `preference`, ...) of a file, of the embedded demo or of one of three public sets;
rows of other formats (`formats`) are made such rows first. Everything is checked here, once, so
that what computes on the pairs need not doubt them: a row that cannot be understood is an error
that names its place, and is never read as a tie or as an empty text.
"""

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
)

from profile_tasks import __version__
from profile_tasks.data.content_hash import content_hash
from profile_tasks.data.conversation import Message, listed
from profile_tasks.data.files import (
    ENDINGS,
    READERS,
    PreferenceDataError,
    Record,
    Row,
    RowError,
    read_file,
    read_frame,
)
from profile_tasks.data.foreign_rows import converted
from profile_tasks.data.formats import chosen_format
from profile_tasks.data.preference import VERDICT_PREFIXES, Preference, is_judge
from profile_tasks.data.rows import (
    PEOPLES_COLUMNS,
    AnnotatedPair,
    CheckedRow,
    Stories,
    optional_text,
    read_row,
    read_stories,
)
from profile_tasks.data.task_definition import (
    TaskDefinition,
    definition_of,
    name_of,
    own_definition,
    packaged_tasks,
    remembered,
    task_key,
)
from profile_tasks.nearest_name import instead_of, nearest

__all__ = [
    "PUBLIC_SETS",
    "AnnotatedPair",
    "AnnotatedSource",
    "Preference",
    "PreferenceData",
    "PreferenceDataError",
    "SkippedRow",
    "load_of_only_judge",
    "load_preferences",
    "plain_rows",
    "recorded_factors",
]

PUBLIC_SETS = ("tldr", "shp2", "webgpt")
"""Names of the data sets that `public_sets` fetches."""

DEMO = "demo"
"""Stands for the data of a task's own."""


class AnnotatedSource(BaseModel):
    """What the responses answer, with all its annotated pairs.

    Attributes:
        id: Unique in the data: the group, or "group#k" (k from 1) where a group holds several.
        group: What is resampled as one; e.g. all questions about one story.
        task: The task as the file names it, or the key of the one that was asked for; "" where
            neither is.
        task_definition: Of a task that is none of this package's, so that a source in a log can be
            understood without the file of the task.
        prompt: The request; blank only where the source alone is the request. Of a conversation,
            all its turns as one text.
        conversation: Its turns, where there are several; the last one is a user's.
        source: The text to work on, None where there is none.
        reference: A human-written response, None where there is none.
        pairs: In the order of the file, never empty.

    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    group: str
    task: str
    prompt: str
    conversation: tuple[Message, ...] = ()
    source: str | None = None
    reference: str | None = None
    pairs: tuple[AnnotatedPair, ...]
    task_definition: TaskDefinition | None = None

    @field_validator("task_definition")
    @classmethod
    def _found_by_its_key(cls, definition: TaskDefinition | None) -> TaskDefinition | None:
        return None if definition is None else remembered(definition)

    @model_serializer(mode="wrap")
    def _without_a_definition_that_is_packaged(
        self, dump: SerializerFunctionWrapHandler
    ) -> dict[str, Any]:
        fields: dict[str, Any] = dump(self)
        definition = fields.pop("task_definition")
        if definition is None or self.task_definition is None:
            return fields
        return fields | {"task_definition": self.task_definition.record()}


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
        judge: The column whose preferences these are, where it is a recorded judge's; None:
            people's.
        judges: The columns of recorded judges' verdicts that the rows have.
        format: The format of the rows, where it is another than ours.
        read_as: What was read as what in it, in one line.
        places: Where each pair stands, by its id: file and line, or row.

    """

    sources: tuple[AnnotatedSource, ...]
    skipped: tuple[SkippedRow, ...]
    other_task_rows: int
    unjoined_rows: int
    name: str
    judge: str | None = None
    judges: tuple[str, ...] = ()
    format: str | None = None
    read_as: str | None = None
    places: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def title(self) -> str:
        """The name, with the format where it is another than ours."""
        return self.name if self.format is None else f"{self.name} (format {self.format})"

    @cached_property
    def content_hash(self) -> str:
        """The hash of what is measured on the sources, whatever file they stand in."""
        return content_hash(self.sources)

    @property
    def identity(self) -> dict[str, str]:
        """Which data these are and which version read them, as logs and results keep it."""
        return {
            "data": self.name,
            "data_hash": self.content_hash,
            "package_version": __version__,
        }

    @property
    def told(self) -> bool:
        """Whether any pair has a preference."""
        return any(pair.preference is not None for source in self.sources for pair in source.pairs)

    @property
    def unjudged_pairs(self) -> int:
        """How many pairs have no preference: nobody gave one, or it could not be read."""
        return sum(pair.preference is None for source in self.sources for pair in source.pairs)


def load_preferences(
    dataset: object,
    *,
    task: str | None = None,
    format: str | None = None,  # noqa: A002 - as the setting is called
    map: Mapping[str, str] | None = None,  # noqa: A002
    labels: Mapping[str, Preference | None] | None = None,
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
    In CSV an empty cell is null, and the factor column and votes are JSON. Files in other formats
    are recognised where only one fits, or read as `format` and `map` say.

    >>> data = load_preferences("demo", task="document_qa", limit=2, max_pairs_per_source=3)
    >>> [len(source.pairs) for source in data.sources]
    [3, 3]

    Args:
        dataset: "demo" (needs `task`), "tldr", "shp2", "webgpt", or the path of a .jsonl, .json
            (an array of objects), .csv, .tsv or .parquet file in UTF-8, also compressed (.gz,
            .zst); or a pandas or Polars frame.
        format: Name of a format, or a YAML file that describes one; None: the only one that fits.
        map: Their column, or JMESPath expression -> field of ours, beside those of the format.
        labels: Their label -> preference, the same; None: no verdict.
        task: Take only rows whose `task` is this; rows without one count as this task. The key of
            a task, or the YAML file of one's own; None takes all rows.
        source_file: A file of `source_id` and `source`, joined to the rows that name a source_id
            and hold no source themselves.
        preference_column: Where the preference stands. Only the default one is compared with,
            and replaced by, the votes in `annotators`; those belong to it. Any other column is
            a recorded judge's. A preference is missing where a judge's column is null, where
            `annotators` is an empty list, and where a file holds judges' verdicts alone.
        factors_column: Where human factor values stand, as objects under "a" and "b". Numbers
            become factor values, in CSV those in quotes as well; other texts, booleans and nested
            values stay in `extra` only.
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
        if number is not None and not _is_count(number, least=1):
            raise PreferenceDataError(
                f"{argument} is {number!r}; expected a whole number of at least 1, or None"
            )
    if not _is_count(seed, least=0):
        raise PreferenceDataError(f"seed is {seed!r}; expected a whole number of at least 0")
    if not isinstance(skip_bad_rows, bool):
        raise PreferenceDataError(f"skip_bad_rows is {skip_bad_rows!r}; expected true or false")
    task = task_key(task)
    if (own := own_definition(task)) is not None:
        dataset, format, map, labels = _as_defined(  # noqa: A001
            own, dataset, format, map, labels
        )
    packaged = isinstance(dataset, str) and dataset in (DEMO, *PUBLIC_SETS)
    if source_file is not None and packaged:
        raise PreferenceDataError(
            f"a file of sources goes with a data file; data set {dataset!r} holds its own"
        )
    name, found = _records(
        dataset,
        task,
        nested=(factors_column, "annotators"),
        votes=preference_column,
        revision=revision,
        split=split,
    )
    records = list(found)
    rows = [row for _, row in records if not isinstance(row, RowError)]
    as_format = None
    if not packaged:
        as_format = chosen_format(format, map, labels, rows[:LOOKED_AT], name)
    elif format or map or labels:
        raise PreferenceDataError(f"format, map and labels go with a data file, not {dataset!r}")
    theirs = {column for row in rows for column in row}
    if as_format is not None:
        records = converted(as_format, records)
        rows = [row for _, row in records if not isinstance(row, RowError)]
    columns = dict.fromkeys(column for row in rows for column in row)
    if factors_column not in ("factors", *columns):
        meant = instead_of(factors_column, columns)
        raise PreferenceDataError(
            f"{name}: no row has the factors column {factors_column!r}{meant}"
        )
    judges = tuple(filter(is_judge, columns))
    stories = None if source_file is None else read_stories(Path(source_file).expanduser())
    gathered = _gather(
        records,
        columns,
        task=task,
        stories=stories,
        preference_column=preference_column,
        factors_column=factors_column,
        skip_bad_rows=skip_bad_rows,
    )
    _check_not_empty(gathered, name, task)
    if stories is not None and not gathered.rows_with_source_id:
        raise PreferenceDataError(
            f"{name}: no row has a 'source_id', so {stories.name} cannot be joined; "
            "leave the file of sources out"
        )
    chosen = _selected(_sources(gathered.drafts, task), limit, max_pairs_per_source, seed)
    judge = None if preference_column in PEOPLES_COLUMNS else preference_column
    data = PreferenceData(
        sources=chosen,
        skipped=tuple(gathered.skipped),
        other_task_rows=gathered.other_tasks.total(),
        unjoined_rows=gathered.unjoined_rows,
        name=name,
        judge=judge,
        judges=judges,
        format=None if as_format is None else as_format.name,
        read_as=None if as_format is None else as_format.told(theirs),
        places=gathered.places,
    )
    if judge is not None and not data.told:
        raise PreferenceDataError(f"{name}: field {judge!r} is null in every row")
    return data


def sources_of_records(
    records: Iterable[Record],
    columns: Collection[str],
    *,
    task: str | None,
    preference_column: str,
    factors_column: str,
) -> tuple[list[AnnotatedSource], int]:
    """Gather rows in our schema by source, of whatever part of a file.

    Args:
        records: The rows.
        columns: Those that the file has, in any row.
        task: As of ``load_preferences``.
        preference_column: As there.
        factors_column: As there.

    Returns:
        The sources, and how many rows are of other tasks.

    Raises:
        PreferenceDataError: A row that cannot be used.
    """
    gathered = _gather(
        records,
        columns,
        task=task,
        stories=None,
        preference_column=preference_column,
        factors_column=factors_column,
        skip_bad_rows=False,
    )
    return _sources(gathered.drafts, task), gathered.other_tasks.total()


def of_people(columns: Collection[str]) -> bool:
    """Whether a file with these columns holds preferences of people at all."""
    return not any(column.startswith(VERDICT_PREFIXES) for column in columns) or not set(
        columns
    ).isdisjoint(PEOPLES_COLUMNS)


def load_of_only_judge(load: Callable[[str], PreferenceData], column: str) -> PreferenceData:
    """The preferences in a column; where nobody's stand there, those of the only judge there is.

    Nobody else's preferences are in such data, and they are called by the judge's name.

    Args:
        load: Loads the preferences of a column.
        column: The column that is wanted.
    """
    data = load(column)
    alone = not data.judge and not data.told and len(data.judges) == 1
    return load(data.judges[0]) if alone else data


LOOKED_AT = 50
"""Rows by which a format is recognised."""


def plain_rows(data: PreferenceData) -> Iterator[Row]:
    """The pairs as rows of the plain schema, which read as the same pairs.

    Other columns are kept. Sources that were joined stand in the rows.
    """
    told_by = data.judge or "preference"
    for source in data.sources:
        shared: Row = {
            "source": source.source,
            "reference": source.reference,
            "group": source.group,
            "task": name_of(source.task) or None,
        }
        for pair in source.pairs:
            optional: Row = {
                **shared,
                "before_a": listed(pair.before_a) or None,
                "before_b": listed(pair.before_b) or None,
                "annotators": list(pair.annotators) or None,
            }
            nobody: Row = {"annotators": []} if data.judge is None else {data.judge: None}
            yield {
                "id": pair.id,
                "prompt": listed(source.conversation) or source.prompt,
                "response_a": pair.response_a,
                "response_b": pair.response_b,
                **({told_by: pair.preference} if pair.preference else nobody),
                **{name: value for name, value in optional.items() if value is not None},
                **pair.extra,
            }


def _as_defined(
    own: TaskDefinition,
    dataset: object,
    format_: str | None,
    columns: Mapping[str, str] | None,
    labels: Mapping[str, Preference | None] | None,
) -> tuple[object, str | None, Mapping[str, str] | None, Mapping[str, Preference | None] | None]:
    """Data set, format, map and labels as they are given, and as the task's definition has them.

    Raises:
        PreferenceDataError: The task's own data are wanted, and it names none.
    """
    if dataset == DEMO:
        if own.dataset is None:
            raise PreferenceDataError(
                f"{own.place} names no data of its own; give a file (dataset=FILE), or write "
                "'dataset: FILE' into the definition"
            )
        dataset = own.dataset
    if isinstance(dataset, str) and dataset in PUBLIC_SETS:
        return dataset, format_, columns, labels
    if format_ or columns or labels:  # a file in another form than those of the task
        return dataset, format_, columns, labels
    return dataset, own.format, own.map, own.labels


def _is_count(value: object, *, least: int) -> bool:
    """Whether it is such a whole number; command lines hand over whatever was typed."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _records(
    dataset: object,
    task: str | None,
    *,
    nested: Sequence[str],
    votes: str,
    revision: str | None,
    split: str | None,
) -> tuple[str, Iterable[Record]]:
    """Name and rows of a data set."""
    if not isinstance(dataset, str | Path):
        return "data frame", read_frame(dataset)
    dataset = str(dataset)
    if dataset in PUBLIC_SETS:
        # Imported here because public_sets builds on this module.
        from profile_tasks.data import public_sets

        named = None if task is None else name_of(task)
        return public_sets.records(dataset, task=named, revision=revision, split=split)
    if revision is not None or split is not None:
        raise PreferenceDataError(
            f"revision and split go with a public data set ({', '.join(PUBLIC_SETS)}), "
            f"not with {dataset!r}"
        )
    if dataset == DEMO:
        if task not in packaged_tasks():
            raise PreferenceDataError(
                f"data set 'demo' has one file a task, and task is {task!r}"
                f"{instead_of(task or '', packaged_tasks())}"
            )
        return DEMO, read_file(Path(str(definition_of(task).dataset)), nested, votes)
    path = Path(dataset).expanduser()
    if not path.name.lower().endswith(ENDINGS):
        raise PreferenceDataError(
            f"dataset is {dataset!r}. Must be one of: demo, {', '.join(PUBLIC_SETS)}, "
            f"or a path that ends in {', '.join(READERS)}, also with .gz or .zst"
        )
    return path.name, read_file(path, nested, votes)


def recorded_factors(sources: Iterable[AnnotatedSource]) -> tuple[str, ...]:
    """Names of the factors whose values the data record, in the order of first appearance."""
    pairs = (pair for source in sources for pair in source.pairs)
    return tuple(dict.fromkeys(name for p in pairs for name in (*p.factors_a, *p.factors_b)))


_SourceKey = tuple[str, str, str, str | None, str | None]
"""Task, group, prompt, source and source_id. A group may hold several sources (the questions
about one story), and one prompt without a source may stand in many groups."""


@dataclass
class _Draft:
    """A source while its rows are read."""

    first: CheckedRow
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
    places: dict[str, str] = field(default_factory=dict)


def _gather(
    records: Iterable[Record],
    columns: Collection[str],
    *,
    task: str | None,
    stories: Stories | None,
    preference_column: str,
    factors_column: str,
    skip_bad_rows: bool,
) -> _Gathered:
    gathered, people = _Gathered(), of_people(columns)
    named = None if task is None else name_of(task)
    for place, row in records:
        try:
            if isinstance(row, RowError):
                raise row
            row_task = optional_text(row, "task")
            if named is not None and row_task and row_task != named:
                gathered.other_tasks[row_task] += 1
                continue
            checked = read_row(
                row,
                task=task,
                stories=stories,
                preference_column=preference_column,
                factors_column=factors_column,
                people=people,
            )
            _add(gathered.drafts, checked, place, gathered.places)
        except RowError as error:
            if not skip_bad_rows:
                raise PreferenceDataError(f"{place}: {error}") from error
            gathered.skipped.append(SkippedRow(place, str(error)))
            continue
        gathered.rows_with_source_id += checked.source_id is not None
        gathered.unjoined_rows += checked.source_id is not None and checked.source is None
    return gathered


def _add(
    drafts: dict[_SourceKey, _Draft], row: CheckedRow, place: str, places: dict[str, str]
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
    named = name_of(task or "")
    near = nearest(named, gathered.other_tasks)
    meant = "" if near is None else f"; did you mean {near!r}?"
    raise PreferenceDataError(
        f"{name}: no row has task {name_of(task or '')!r}{meant}; the rows have: {held}"
    )


def _sources(drafts: Mapping[_SourceKey, _Draft], task: str | None) -> list[AnnotatedSource]:
    """The sources; ``task`` is the key of the one that was asked for, as whose all rows count."""
    own = own_definition(task)
    definition = None if own is None else own.without_data()
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
                task=draft.first.task if task is None else task,
                task_definition=definition,
                prompt=draft.first.prompt,
                conversation=draft.first.conversation,
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
