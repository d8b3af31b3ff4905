"""Recorded preferences column by column: what is measured of many rows at once.

What rows must keep is checked on whole Arrow columns. Rows that hold anything else than plain
texts, verdicts and numbers are read one by one, by the rules of all data (``rows``): an error names
its place, and what is rare is read all the same.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profile_tasks.data.content_hash import (
    content_hashes,
    contents_of,
    is_read,
    row_hashes,
    told_rest,
)
from profile_tasks.data.conversation import looks_like_messages
from profile_tasks.data.files import Record
from profile_tasks.data.preference import PREFERENCE_SIGNS, Preference
from profile_tasks.data.preferences import recorded_factors, sources_of_records
from profile_tasks.data.rows import PEOPLES_COLUMNS, is_a_name, plurality
from profile_tasks.data.task_definition import name_of

TEXTS = ("prompt", "source", "response_a", "response_b")
"""The texts that factors are computed of."""


@dataclass(frozen=True)
class RowRules:
    """How rows are read.

    Attributes:
        preference_column: where the preference stands.
        factors_column: where recorded factors stand.
        task: key of the task whose rows count, and those that name none; None: all.
        people: whether a file is known to hold preferences of people, whatever a part of it has.

    """

    preference_column: str = "preference"
    factors_column: str = "factors"
    task: str | None = None
    people: bool = False

    @property
    def of_people(self) -> bool:
        """Whether the preferences are people's, and not a recorded judge's."""
        return self.preference_column in PEOPLES_COLUMNS

    def reads(self, column: str) -> bool:
        """Whether a column bears on what is measured."""
        named = (self.preference_column, self.factors_column, *PEOPLES_COLUMNS, *_READ)
        return column in named or is_read(column)


_READ = (
    *TEXTS,
    "id",
    "source_id",
    "group",
    "task",
    "reference",
    "before_a",
    "before_b",
)


@dataclass(frozen=True, eq=False)
class PreferenceColumns:
    """Rows of recorded preferences, column by column.

    Attributes:
        group: (n,) Arrow texts, which group each row is of.
        sign: int8 (n,), 1 where the first response is preferred, -1 the second, else 0.
        judged: bool (n,), whether there is a preference at all; ties are one.
        factors: (n, 2) recorded values of both responses, by factor; NaN: there is none.
        texts: (n,) Arrow texts by name, of ``TEXTS``; a source that is not there is null.
        votes: the single votes behind each preference; empty where there are none of any.
        hashes: uint64 (n,), of which the content hash is the sum.
        tasks: that the rows name; "" where one names none.
        ids: uint64 (n,), hashes of the rows' ids.
        n_other: rows of other tasks, which were left out.

    """

    group: Any
    sign: NDArray[np.int8]
    judged: NDArray[np.bool_]
    factors: Mapping[str, NDArray[np.float64]]
    texts: Mapping[str, Any]
    votes: Sequence[tuple[Preference, ...]]
    hashes: NDArray[np.uint64]
    tasks: frozenset[str]
    ids: NDArray[np.uint64]
    n_other: int = 0

    def __len__(self) -> int:
        return len(self.sign)


def columns_of_records(
    records: Iterable[Record], rules: RowRules, columns: Collection[str]
) -> PreferenceColumns:
    """Return rows that are read one by one, those of a source one after the other.

    Args:
        records: the rows with their places.
        rules: how they are read.
        columns: those that the data have, in any row.

    Raises:
        PreferenceDataError: a row cannot be used; it names the place.
    """
    import pyarrow as pa

    sources, n_other = sources_of_records(
        records,
        {*columns, *(PEOPLES_COLUMNS if rules.people else ())},
        task=rules.task,
        preference_column=rules.preference_column,
        factors_column=rules.factors_column,
    )
    pairs = [(source, pair) for source in sources for pair in source.pairs]
    factors = {
        name: np.array([pair.recorded(name) for _, pair in pairs]).reshape(-1, 2)
        for name in recorded_factors(sources)
    }
    texts = {
        "prompt": [source.prompt for source, _ in pairs],
        "source": [source.source for source, _ in pairs],
        "response_a": [pair.response_a for _, pair in pairs],
        "response_b": [pair.response_b for _, pair in pairs],
    }
    votes = [pair.annotators for _, pair in pairs]
    return PreferenceColumns(
        group=pa.array([source.group for source, _ in pairs], pa.string()),
        sign=np.array([pair.sign or 0 for _, pair in pairs], np.int8),
        judged=np.array([pair.preference is not None for _, pair in pairs], np.bool_),
        factors=factors,
        texts={name: pa.array(values, pa.string()) for name, values in texts.items()},
        votes=votes if any(votes) else (),
        hashes=row_hashes(contents_of(sources), by_side(factors)),
        tasks=frozenset(source.task for source in sources),
        n_other=n_other,
        ids=content_hashes(pair.id.encode() for _, pair in pairs),
    )


def by_side(factors: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Return values of both responses as the content hash takes them."""
    return {
        f"{side}.{name}": np.ascontiguousarray(values[:, at])
        for name, values in factors.items()
        for at, side in enumerate("ab")
    }


class _UnusualError(Exception):
    """The rows hold what is to be looked at one by one."""


def columns_of_table(table: Any, rules: RowRules) -> PreferenceColumns | None:  # noqa: ANN401
    """Return the rows of an Arrow table; None where they are to be read one by one.

    Args:
        table: with the columns of our schema.
        rules: how they are read.
    """
    import pyarrow as pa

    if len(set(table.column_names)) < len(table.column_names) or not table.num_rows:
        return None
    try:
        table.validate(full=True)
        return _Checked(table.combine_chunks(), rules).columns()
    except (_UnusualError, pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


class _Checked:
    """A table while its columns are checked."""

    def __init__(self, table: Any, rules: RowRules) -> None:  # noqa: ANN401
        self.table, self.rules = table, rules

    def columns(self) -> PreferenceColumns:
        import pyarrow as pa
        import pyarrow.compute as pc

        n_other = 0
        task = self._optional("task")
        if self.rules.task is not None:
            named = name_of(self.rules.task)
            own = pc.fill_null(pc.equal(task, named), fill_value=True)
            n_other = len(own) - pc.sum(own).as_py()
            if n_other == len(own):
                raise _UnusualError
            if n_other:
                self.table = self.table.filter(own).combine_chunks()
                task = task.filter(own)
        if any(self._held(name) is not None for name in ("before_a", "before_b")):
            raise _UnusualError
        ids = self._identifier("id")
        if pc.count_distinct(ids).as_py() < len(ids):
            raise _UnusualError
        responses = [self._filled(name) for name in ("response_a", "response_b")]
        prompt, source = self._filled("prompt"), self._optional("source")
        if any(map(_has_messages, (prompt, *responses))):
            raise _UnusualError
        self._check_source_id()
        group = self._group(source, prompt)
        reference = self._reference(group, prompt, source)
        label, votes = self._preferences()
        factors = self._factors()
        signs = np.array([0, *PREFERENCE_SIGNS.values()])
        return PreferenceColumns(
            group=group,
            sign=signs.astype(np.int8)[label],
            judged=label > 0,
            factors=factors,
            texts=dict(zip(TEXTS, (prompt, source, *responses), strict=True)),
            votes=votes,
            hashes=row_hashes(
                self._contents([group, prompt, source, reference, *responses], label, votes),
                by_side(factors),
            ),
            tasks=frozenset(
                {self.rules.task}
                if self.rules.task
                else {each or "" for each in task.unique().to_pylist()}
            ),
            n_other=n_other,
            ids=content_hashes(ids.cast(pa.binary()).to_pylist()),
        )

    def _held(self, name: str) -> Any:  # noqa: ANN401 - pyarrow has no types
        """The column, in one piece; None where there is none, or nothing in it."""
        import pyarrow as pa

        if name not in self.table.column_names:
            return None
        column = self.table[name]
        if column.null_count == len(column):
            return None
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        return column.combine_chunks()

    def _text(self, name: str) -> Any:  # noqa: ANN401
        import pyarrow as pa

        column = self._held(name)
        if column is None:
            return pa.nulls(self.table.num_rows, pa.string())
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            raise _UnusualError
        return column.cast(pa.string())

    def _filled(self, name: str) -> Any:  # noqa: ANN401
        """A text that is not blank anywhere."""
        import pyarrow.compute as pc

        column = self._text(name)
        if column.null_count or pc.any(_blank(column)).as_py():
            raise _UnusualError
        return column

    def _optional(self, name: str) -> Any:  # noqa: ANN401
        """A text that is null where it is blank."""
        import pyarrow as pa
        import pyarrow.compute as pc

        column = self._text(name)
        if column.null_count == len(column):
            return column
        return pc.if_else(_blank(column), pa.scalar(None, pa.string()), column)

    def _identifier(self, name: str) -> Any:  # noqa: ANN401
        import pyarrow as pa

        column = self._held(name)
        if column is not None and pa.types.is_integer(column.type) and not column.null_count:
            return column.cast(pa.string())
        return self._filled(name)

    def _check_source_id(self) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        column = self._held("source_id")
        if column is None or pa.types.is_integer(column.type):
            return
        if pc.any(_blank(self._text("source_id"))).as_py():
            raise _UnusualError

    def _group(self, source: Any, prompt: Any) -> Any:  # noqa: ANN401
        """What is resampled as one, as ``rows`` has it."""
        import pyarrow as pa
        import pyarrow.compute as pc

        for name in ("group", "source_id"):
            if self._held(name) is not None:
                return self._identifier(name)
        about = pc.coalesce(source, prompt).dictionary_encode()
        digests = [
            hashlib.sha256(text.encode()).hexdigest()[:12] for text in about.dictionary.to_pylist()
        ]
        return pa.array(digests, pa.string()).take(about.indices)

    def _reference(self, *source: Any) -> Any:  # noqa: ANN401
        """The reference of each source, the same in all its rows."""
        import pyarrow.compute as pc

        column = self._optional("reference")
        if column.null_count < len(column):
            known = pc.binary_join_element_wise(*(pc.fill_null(each, "") for each in source), "\0")
            told = pc.binary_join_element_wise(known, pc.fill_null(column, ""), "\0")
            if pc.count_distinct(known).as_py() < pc.count_distinct(told).as_py():
                raise _UnusualError
        return column

    def _preferences(self) -> tuple[NDArray[np.int64], Sequence[tuple[Preference, ...]]]:
        """(n,) places of the preferences among those there are, 0 where there is none; votes."""
        column = self._text(self.rules.preference_column).dictionary_encode()
        places = {name: place for place, name in enumerate(PREFERENCE_SIGNS, start=1)}
        known = column.dictionary.to_pylist()
        if not places.keys() >= set(known):
            raise _UnusualError
        codes = np.array([*(places[name] for name in known), 0])
        indices = column.indices.fill_null(len(known)).to_numpy(zero_copy_only=False)
        label = codes[indices]
        lists = self._held("annotators") if self.rules.of_people else None
        if lists is None:
            if self.rules.of_people and not label.all():
                raise _UnusualError
            return label, ()
        if not _holds_texts(lists.type):
            raise _UnusualError
        votes = [None if each is None else tuple(each) for each in lists.to_pylist()]
        outcome = {each: places[_outcome(each)] for each in set(votes) if each}
        for at, each in enumerate(votes):
            if each and not label[at]:
                label[at] = outcome[each]
            elif (each and outcome[each] != label[at]) or (each is None and not label[at]):
                raise _UnusualError
        return label, [each or () for each in votes] if any(votes) else ()

    def _factors(self) -> dict[str, NDArray[np.float64]]:
        import pyarrow as pa
        import pyarrow.compute as pc

        column = self._held(self.rules.factors_column)
        if column is None:
            return {}
        if not pa.types.is_struct(column.type):
            raise _UnusualError
        found: dict[str, NDArray[np.float64]] = {}
        for field in column.type:
            if field.name not in ("a", "b") or not pa.types.is_struct(field.type):
                if not pa.types.is_null(field.type):
                    raise _UnusualError
                continue
            side = pc.struct_field(column, field.name)
            for name in (each.name for each in field.type):
                values = found.setdefault(name, np.full((len(column), 2), np.nan))
                values[:, "ab".index(field.name)] = _numbers(pc.struct_field(side, name))
        if not all(map(is_a_name, found)):
            raise _UnusualError
        return found

    def _contents(
        self, texts: Sequence[Any], label: NDArray[np.int64], votes: Sequence[tuple[str, ...]]
    ) -> list[bytes]:
        """The bytes of each row's texts and of all else that is no number, as its hash is of."""
        import pyarrow as pa
        import pyarrow.compute as pc

        preferences: list[str | None] = [None, *PREFERENCE_SIGNS]
        beside = self._beside()
        if beside or votes:
            rests = [
                told_rest(
                    preferences[place],
                    votes[at] if votes else (),
                    {name: values[at] for name, values in beside.items() if values[at] is not None},
                )
                for at, place in enumerate(label.tolist())
            ]
            rest = pa.array(rests, pa.string())
        else:
            rest = pa.array([told_rest(each) for each in preferences]).take(pa.array(label))
        told = [
            pc.binary_join_element_wise(pc.binary_length(each).cast(pa.string()), each, ":")
            for each in (*texts, rest)
        ]
        whole = pc.binary_join_element_wise(*(pc.fill_null(each, "-") for each in told), "")
        return list(whole.cast(pa.binary()).to_numpy(zero_copy_only=False))

    def _beside(self) -> dict[str, list[str | None]]:
        """Other columns that something measures."""
        found = {}
        for name in self.table.column_names:
            if name in (self.rules.preference_column, self.rules.factors_column):
                continue
            if is_read(name) and self._held(name) is not None:
                found[name] = self._text(name).to_pylist()
        return found


def _blank(column: Any) -> Any:  # noqa: ANN401
    import pyarrow.compute as pc

    return pc.equal(pc.binary_length(_trimmed(column)), 0)


def _has_messages(column: Any) -> bool:  # noqa: ANN401
    """Whether a text is meant as messages; the few that begin as a list are looked at."""
    import pyarrow.compute as pc

    lists = column.filter(pc.equal(pc.utf8_slice_codeunits(_trimmed(column), 0, 1), "["))
    return any(map(looks_like_messages, lists.to_pylist()))


def _holds_texts(kind: Any) -> bool:  # noqa: ANN401
    """Whether values of a type are lists of texts, or of nothing."""
    import pyarrow as pa

    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return False
    held = kind.value_type
    return any(of(held) for of in (pa.types.is_string, pa.types.is_large_string, pa.types.is_null))


def _trimmed(column: Any) -> Any:  # noqa: ANN401
    """Texts without white space before them; most have none, and need not be copied."""
    import pyarrow.compute as pc

    first = pc.utf8_slice_codeunits(column, 0, 1)
    return pc.utf8_ltrim_whitespace(column) if pc.any(pc.utf8_is_space(first)).as_py() else first


def _numbers(column: Any) -> NDArray[np.float64]:  # noqa: ANN401
    import pyarrow as pa

    kind = column.type
    if pa.types.is_null(kind):
        return np.full(len(column), np.nan)
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise _UnusualError
    values = np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False))
    if np.count_nonzero(np.isfinite(values)) + column.null_count < len(values):
        raise _UnusualError
    return values


def _outcome(votes: tuple[Any, ...]) -> Preference:
    if not set(votes) <= PREFERENCE_SIGNS.keys():
        raise _UnusualError
    return plurality(votes)
