"""Formats: what other people's preference files hold, as data, and their rows as ours.

A format is a YAML file: which of its columns hold what, what its labels mean, how conversations
become a prompt and two responses. Columns are named by JMESPath expressions over a row
(https://jmespath.org), so that nested ones can be told. The packaged formats stand in
``named_formats/``; users write their own, or say the same in one line: ``map`` and ``labels``.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Self

import jmespath
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from profile_tasks.data.conversation import structured
from profile_tasks.data.files import PreferenceDataError, Row, RowError
from profile_tasks.data.preference import Preference, is_judge, label_of
from profile_tasks.nearest_name import instead_of

_FOLDER = Path(__file__).parent / "named_formats"

OURS = "profile-tasks"
"""The format of docs/data.md, whose rows are taken as they are."""

TEXTS = ("prompt", "response_a", "response_b")
TAKEN_AS_THEY_ARE = (
    *("id", "task", "source", "source_id", "reference", "group", "system_a", "system_b"),
    "factors",
)
VERDICTS = ("preference", "annotators")
FIELDS = (
    *(*TEXTS, *TAKEN_AS_THEY_ARE, *VERDICTS, "vote"),
    *("conversation_a", "conversation_b", "turn", "chosen", "rejected"),
    *("win_a", "win_b", "win_tie", "picks", "verdicts", "statuses"),
)
"""What a column of other people may hold; ``judge_<name>`` beside them."""


class ResponseColumns(BaseModel):
    """Where rated responses stand, of which every two to one prompt make a pair.

    Attributes:
        each: Expression of the list of responses in a row; None where each row is a response.
        text: Expression of the response.
        rating: Expression of a number; the higher, the better.
        system: Expression of who wrote it.
        factors: Name of a recorded factor -> expression of its value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    each: str | None = None
    text: str
    rating: str
    system: str | None = None
    factors: Mapping[str, str] = {}


class Format(BaseModel):
    """How the rows of a file become ours.

    Attributes:
        name: What users call it.
        ours: Whether columns that it does not speak of are named as ours.
        about: What it is, in a few words.
        recognised_by: Columns that each row of a file in this format has; none where somebody said
            that a file is in it.
        recognised_when: Expression that is true of some of its rows.
        refused: Expression -> why a row in which it finds something is not to be read so.
        columns: Expression -> the field of ours that it holds, one of ``FIELDS`` or judge_<name>.
        json_columns: Columns of lists and objects, which are JSON where a file has cells of text.
        labels: Label -> preference; null: no verdict. Empty: a, b and tie.
        scale: Lowest and highest number, where labels are numbers: below its middle a is better,
            above it b.
        speakers: Where a conversation is one text: what a turn begins with -> role.
        extract: Expression -> patterns, of which the first that fits gives fields by its groups;
            the groups user_1, a_1, b_1, user_2, ... are the turns of two conversations.
        judge: Expression of the name of the judge whose verdicts these are; without a name they
            are people's.
        merged: Several rows about the same two responses are votes and verdicts on one pair.
        responses: Where rated responses stand, of which pairs are made.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    about: str = ""
    ours: bool = False
    recognised_by: tuple[str, ...] = ()
    recognised_when: str | None = None
    refused: Mapping[str, str] = {}
    columns: Mapping[str, str]
    json_columns: tuple[str, ...] = ()
    labels: Mapping[str, Preference | None] = {}
    scale: tuple[float, float] | None = None
    speakers: Mapping[str, str] = {}
    extract: Mapping[str, tuple[str, ...]] = {}
    judge: str | None = None
    merged: bool = False
    responses: ResponseColumns | None = None

    @field_validator("labels", mode="before")
    @classmethod
    def _labels_as_texts(cls, given: object) -> object:
        return {label_of(k): v for k, v in given.items()} if isinstance(given, Mapping) else given

    @field_validator("columns")
    @classmethod
    def _fields_of_ours(cls, columns: Mapping[str, str]) -> Mapping[str, str]:
        for theirs, ours in columns.items():
            if ours not in FIELDS and not is_judge(ours):
                raise ValueError(f"maps {theirs!r} to {ours!r}{instead_of(ours, FIELDS)}")
            several = [repr(other) for other in columns if columns[other] == ours]
            if len(several) > 1 and ours != "vote":
                raise ValueError(
                    f"maps {', '.join(several)} to {ours!r}; map one, or an expression of both"
                )
        return columns

    @field_validator("extract")
    @classmethod
    def _patterns(cls, extract: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
        for pattern in (pattern for patterns in extract.values() for pattern in patterns):
            try:
                groups = re.compile(pattern).groupindex.keys()
            except re.error as error:
                raise ValueError(f"{pattern!r} is no pattern: {error}") from error
            turns = {
                f"{who}_{n}" for n in range(1, 1 + len(groups) // 3) for who in ("user", "a", "b")
            }
            if not groups <= set(FIELDS) and groups != turns:
                raise ValueError(f"the groups of {pattern!r} are neither fields nor turns")
        return extract

    @model_validator(mode="after")
    def _orders_are_a_judges(self) -> Self:
        if self.judge is None and not {"picks", "verdicts"}.isdisjoint(self.columns.values()):
            raise ValueError("picks and verdicts are a judge's; a YAML file names it with 'judge'")
        return self

    def opened(self, row: Row) -> Row:
        """The row with its lists and objects, where it holds them as texts.

        Raises:
            RowError: A text begins like one, and is none.
        """
        texts = {column: row.get(column) for column in self.json_columns}
        return row | {
            column: structured(text, column)
            for column, text in texts.items()
            if isinstance(text, str) and text.lstrip()[:1] in ("[", "{")
        }

    def fits(self, rows: Sequence[Row]) -> bool:
        """Whether these rows, taken together, look as this format has them.

        A single one that does not is told in its place, when it is read.
        """
        if not set(self.recognised_by) <= set().union(*rows):
            return False
        return self.recognised_when is None or any(map(self._looks_so, rows))

    def _looks_so(self, row: Row) -> bool:
        try:
            return value_of(self.recognised_when or "", self.opened(row)) is True
        except RowError:
            return False

    def theirs(self, field: str) -> str:
        """What the file calls a field of ours; where only a long expression tells, as we do."""
        meant = (field, "vote") if field == "annotators" else (field,)
        named = [name for name, ours in self.columns.items() if ours in meant and len(name) < 30]
        return " or ".join(named) or field

    def told(self, columns: Collection[str]) -> str:
        """One line about what is read as what."""
        about = f" ({self.about})" if self.about else ""
        parts = [
            f"{theirs} as {ours}"
            for theirs, ours in self.columns.items()
            if theirs in columns and theirs != ours
        ]
        if self.responses is not None:
            parts.append(f"the higher {self.responses.rating} as preferred")
        parts += [f"{label!r} as {meant or 'missing'}" for label, meant in self.labels.items()]
        if self.scale is not None:
            parts.append("numbers from {:g} (a) to {:g} (b)".format(*self.scale))
        return f"read as format {self.name}{about}" + (f": {', '.join(parts)}" if parts else "")


# Which format -------------------------------------------------------------------------------------


@cache
def named_formats() -> Mapping[str, Format]:
    """The packaged formats by name."""
    return {path.stem: read_format(path) for path in sorted(_FOLDER.glob("*.yaml"))}


def read_format(path: Path) -> Format:
    """A format's YAML file; it is called as the file, without its ending.

    Raises:
        PreferenceDataError: It cannot be read, or is not as it should be.
    """
    try:
        held = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Format.model_validate({"name": path.stem, **(held or {})})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PreferenceDataError(f"{path}: field {where!r}: {_told(first['msg'])}") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError) as error:
        told = " ".join(str(error).split())
        raise PreferenceDataError(f"{path}: not a readable format ({told})") from error


def chosen_format(
    format_: str | None,
    columns: Mapping[str, str] | None,
    labels: Mapping[str, Preference | None] | None,
    rows: Sequence[Row],
    place: str,
) -> Format | None:
    """The format of a file; None where its rows are ours as they stand.

    Args:
        format_: Its name or YAML file, where somebody says it.
        columns: Their columns -> our fields, beside or instead of those of the format.
        labels: Their labels -> preferences, the same.
        rows: The first rows of the file.
        place: The file, for messages.

    Raises:
        PreferenceDataError: There is no such format, or the rows fit several.
    """
    if format_ is None and columns is None and labels is None:
        return _recognised(rows, place)
    if format_ in (None, OURS):
        base = Format(name=OURS, ours=True, columns={})
    elif format_.endswith((".yaml", ".yml")):
        base = read_format(Path(format_).expanduser())
        if base.judge and rows and all(value_of(base.judge, row) is None for row in rows):
            raise PreferenceDataError(
                f"{place}: judge: no row has {base.judge!r}; a name is written in quotes of both "
                f"kinds, \"'{base.judge}'\""
            )
    elif format_ in named_formats():
        base = named_formats()[format_]
    else:
        known = [OURS, *named_formats()]
        raise PreferenceDataError(
            f"format {format_!r} is unknown{instead_of(format_, known)}, or a YAML file of yours"
        )
    base = base.model_copy(update={"recognised_by": ()})
    if not (columns or labels):
        return base
    lacking = [
        repr(theirs)
        for theirs in columns or {}
        if all(theirs not in row and value_of(theirs, row) is None for row in rows)
    ]
    if rows and lacking:
        held = ", ".join(dict.fromkeys(name for row in rows for name in row))
        turned = next((each for each in (columns or {}).items() if each[0] in FIELDS), None)
        raise PreferenceDataError(
            f"{place}: map: no row has {', '.join(lacking)}; the rows have: {held}"
            + (f". The file's name comes first: map={turned[1]}={turned[0]}" if turned else "")
        )
    replaced = set((columns or {}).values())
    kept = {theirs: ours for theirs, ours in base.columns.items() if ours not in replaced}
    return _checked(
        base.model_dump()
        | {"columns": kept | dict(columns or {}), "labels": {**base.labels, **(labels or {})}}
    )


def _checked(held: Mapping[str, Any]) -> Format:
    try:
        return Format.model_validate(held)
    except ValidationError as error:
        told = _told(error.errors()[0]["msg"])
        raise PreferenceDataError(f"map or labels: {told}") from error


def _told(message: str) -> str:
    return message.removeprefix("Value error, ")  # which pydantic puts before our own


def _recognised(rows: Sequence[Row], place: str) -> Format | None:
    if not rows:
        return None
    fitting = [each for each in named_formats().values() if each.fits(rows)]
    ours = _ours(rows)
    if len(fitting) + ours > 1:
        names = [OURS] * ours + [each.name for each in fitting]
        raise PreferenceDataError(
            f"{place}: fits several formats; say which one it is, format={names[0]} or "
            f"format={' or format='.join(names[1:])} (on the command line --data-format)"
        )
    return fitting[0] if fitting else None


def _ours(rows: Sequence[Row]) -> bool:
    columns = set().union(*rows)
    told = {"preference", "annotators"} & columns or any(map(is_judge, columns))
    return set(TEXTS) <= columns and bool(told)


def nearest_format(row: Row, than: float) -> str | None:
    """Which format a row is nearest to, and what it lacks of it; None where none is near.

    Args:
        row: Of a file that fits no format.
        than: The share of our own columns that it has, which is nearer than less.
    """
    formats = [each for each in named_formats().values() if each.recognised_by]
    shares = {
        each.name: len(set(each.recognised_by) & row.keys()) / len(each.recognised_by)
        for each in formats
    }
    most = max(shares.values())
    if most < max(0.5, than):
        return None
    best = [name for name, share in shares.items() if share == most]
    lacking = [c for c in named_formats()[best[0]].recognised_by if c not in row]
    without = " (say so by format=NAME, on the command line --data-format NAME)"
    if lacking:
        without = f", without {', '.join(lacking)}" if len(best) == 1 else ""
    return f"nearest format: {' or '.join(best)}{without}"


# Expressions --------------------------------------------------------------------------------------


def value_of(expression: str, row: Row) -> Any:  # noqa: ANN401 - whatever the row holds
    """What a row holds where an expression says; None where there is nothing.

    >>> value_of("data.prompt", {"data": {"prompt": "Why?"}}), value_of("model a", {"model a": 1})
    ('Why?', 1)
    """
    if expression in row:  # also a name that is no expression
        return row[expression]
    try:
        return _compiled(expression).search(row)
    except jmespath.exceptions.JMESPathError:
        return None


@cache
def _compiled(expression: str) -> Any:  # noqa: ANN401 - jmespath has no types
    try:
        return jmespath.compile(expression)
    except jmespath.exceptions.JMESPathError:
        return jmespath.compile(json.dumps(expression))
