"""One row of preference data: the rules it must keep, and the annotated pair it holds."""

import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue

from profile_tasks.data.conversation import (
    Message,
    looks_like_messages,
    read_messages,
    transcript,
)
from profile_tasks.data.files import (
    PreferenceDataError,
    Row,
    RowError,
    quoted,
    read_file,
)
from profile_tasks.data.formats import nearest_format
from profile_tasks.data.preference import PREFERENCE_SIGNS, PREFERENCES, Preference, label_of
from profile_tasks.nearest_name import nearest


class AnnotatedPair(BaseModel):
    """Two responses to one source, and which of them the annotators preferred.

    Attributes:
        id: Unique in its file.
        response_a: One response, never blank.
        response_b: The other response, never blank.
        preference: The better response, or "tie"; None where nobody said, which is missing.
        annotators: The single votes, where they are known.
        before_a: What was said between the request and response_a, where conversations part ways.
        before_b: The same of response_b.
        factors_a: Human factor values of response_a by factor name; None where one is missing.
        factors_b: The same of response_b.
        extra: All other columns as they came, among them the factor column with its texts.

    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    response_a: str
    response_b: str
    preference: Preference | None
    annotators: tuple[Preference, ...] = ()
    before_a: tuple[Message, ...] = ()
    before_b: tuple[Message, ...] = ()
    factors_a: dict[str, float | None] = {}
    factors_b: dict[str, float | None] = {}
    extra: dict[str, JsonValue] = {}

    @property
    def sign(self) -> int | None:
        """The preference as 1 (a), 0 (tie) or -1 (b); None where it is missing."""
        return None if self.preference is None else PREFERENCE_SIGNS[self.preference]

    @property
    def shown(self) -> tuple[str, str]:
        """The two responses as a judge reads them, each with what was said before it."""
        a, b = (
            transcript([*before, Message(role="assistant", content=text)]) if before else text
            for before, text in (
                (self.before_a, self.response_a),
                (self.before_b, self.response_b),
            )
        )
        return a, b

    def recorded(self, factor: str) -> tuple[float, float]:
        """Recorded values of a factor, of response_a and response_b; NaN where one is missing."""
        values = (self.factors_a.get(factor), self.factors_b.get(factor))
        a, b = (math.nan if value is None else value for value in values)
        return a, b


@dataclass(frozen=True)
class Stories:
    """Sources by source_id, kept apart from the rows because they are long."""

    name: str
    by_id: Mapping[str, str]


def read_stories(path: Path) -> Stories:
    """Read a file of sources.

    Raises:
        PreferenceDataError: The file cannot be read, or one of its rows cannot.
    """
    by_id: dict[str, str] = {}
    places: dict[str, str] = {}
    for place, row in read_file(path, (), None):
        try:
            if isinstance(row, RowError):
                raise row
            source_id, source = _identifier(row, "source_id"), _text(row, "source")
            if not source.strip():
                raise RowError("field 'source' is blank; expected the text of the source")
            if source_id in by_id:
                raise RowError(f"duplicate source_id {source_id!r}; first at {places[source_id]}")
        except RowError as error:
            raise PreferenceDataError(f"{place}: {error}") from error
        by_id[source_id], places[source_id] = source, place
    return Stories(path.name, by_id)


@dataclass(frozen=True)
class CheckedRow:
    """A row that keeps the rules, with its source joined."""

    pair: AnnotatedPair
    task: str
    group: str
    prompt: str
    conversation: tuple[Message, ...]
    source: str | None
    source_id: str | None
    reference: str | None


PEOPLES_COLUMNS = ("preference", "annotators")
"""Where the preference of people stands; any other column is a recorded judge's."""

_RESPONSES = ("response_a", "response_b")
_SOURCE_COLUMNS = frozenset({"prompt", "source", "reference", "group", "task"})
COLUMNS = _SOURCE_COLUMNS | {
    "id",
    "source_id",
    "response_a",
    "response_b",
    "before_a",
    "before_b",
    "preference",
    "annotators",
    "factors",
}
"""Names of the columns that mean something here; all others are kept with the pair."""


def read_row(
    row: Row,
    *,
    task: str | None,
    stories: Stories | None,
    preference_column: str,
    factors_column: str,
    people: bool = True,
) -> CheckedRow:
    """Check one row.

    Args:
        row: The row.
        task: That of rows which name none.
        stories: Sources by source_id.
        preference_column: Where the preference stands.
        factors_column: Where factor values stand.
        people: Whether the file holds preferences of people at all.

    Raises:
        RowError: What is wrong with it; the caller knows its place.
    """
    _check_values(row)
    votes_column = "annotators" if preference_column in PEOPLES_COLUMNS else None
    _check_columns(row, preference_column, votes_column, people)
    pair_id = _identifier(row, "id")
    source_id = None if row.get("source_id") is None else _identifier(row, "source_id")
    source = optional_text(row, "source")
    if source is None and source_id is not None and stories is not None:
        if source_id not in stories.by_id:
            raise RowError(f"source_id {source_id!r} is not in {stories.name}")
        source = stories.by_id[source_id]
    conversation = _conversation(row, "prompt")
    prompt = transcript(conversation) if conversation else _prompt(row, source)
    if conversation and conversation[-1].role != "user":
        raise RowError("field 'prompt' ends with what the assistant said; expected a user's turn")
    responses = {side: _response(row, f"response_{side}") for side in ("a", "b")}
    # Votes belong to people's preference; another column is another judge's, and null in it is a
    # verdict that is missing.
    told = people if votes_column is not None else row.get(preference_column, "") is not None
    preference, votes = _preference(row, preference_column, votes_column) if told else (None, ())
    factors = _object(row, factors_column)
    modelled = {*_RESPONSES, "id", "before_a", "before_b", preference_column, votes_column}
    extra = {k: v for k, v in row.items() if k not in modelled and k not in _SOURCE_COLUMNS}
    pair = AnnotatedPair.model_construct(  # all of it is checked, which takes long once more
        id=pair_id,
        response_a=responses["a"],
        response_b=responses["b"],
        preference=preference,
        annotators=votes,
        before_a=_conversation(row, "before_a", even_one=True),
        before_b=_conversation(row, "before_b", even_one=True),
        factors_a=_numbers(factors, "a", factors_column),
        factors_b=_numbers(factors, "b", factors_column),
        extra=extra,
    )
    return CheckedRow(
        pair=pair,
        task=optional_text(row, "task") or task or "",
        group=_group(row, source_id, source, prompt),
        prompt=prompt,
        conversation=conversation if len(conversation) > 1 else (),
        source=source,
        source_id=source_id,
        reference=optional_text(row, "reference"),
    )


def _check_values(row: Row) -> None:
    """Check that every value can be kept and written again."""
    for column, value in row.items():
        try:
            column.encode()
            _check_value(value, _DEEPEST)
        except UnicodeEncodeError as error:
            # JSON can escape half of a surrogate pair, which no file or request can hold later on.
            character = error.object[error.start]
            raise RowError(f"the row holds {character!r}, half of a character; remove it") from None
        except RecursionError:
            raise RowError(
                f"field {column!r} is nested more than {_DEEPEST} levels deep, and cannot be kept"
            ) from None


_DEEPEST = 100


def _check_value(value: JsonValue, levels: int) -> None:
    if isinstance(value, str):
        if not value.isascii():
            value.encode()
    elif isinstance(value, dict | list):
        if not levels:
            raise RecursionError
        if isinstance(value, dict):
            for name in value:
                name.encode()
        for each in value.values() if isinstance(value, dict) else value:
            if not isinstance(each, int | float):
                _check_value(each, levels - 1)


def _check_columns(row: Row, preference: str, votes: str | None, people: bool) -> None:
    """Name all columns that a row lacks, what they may be called in it, and the nearest format."""
    needed = [column for column in ("id", "prompt", *_RESPONSES) if column not in row]
    if (people or not votes) and not {preference, votes} & row.keys():
        needed.append(preference)
    if needed:
        near = nearest_format(row, than=1 - len(needed) / 5)
        told = _missing(row, needed, votes, mapped=True)
        if near is None and min(len(needed), len(row)) > 2 and "the row has" in told:
            wanted = ",".join(f"COLUMN={ours}" for ours in needed if ours != "id")
            near = f"say which column is what, as in map={wanted}, and its labels by labels"
        raise RowError(f"{told}; {near}" if near else told)


def _missing(
    row: Row, needed: Sequence[str], votes: str | None = None, *, mapped: bool = False
) -> str:
    names = " and ".join(filter(None, [", ".join(map(repr, needed[:-1])), repr(needed[-1])]))
    if "preference" in needed and votes:
        names += f" (or {votes!r})"
    others = {name.lower(): name for name in row if name not in COLUMNS}
    meant: dict[str, str] = {}
    for ours in needed:
        left = [name for name, theirs in others.items() if theirs not in meant.values()]
        near = nearest(ours.lower(), left, cutoff=0.7)
        if near is not None:
            meant[ours] = others[near]
    if set(_RESPONSES) <= meant.keys():  # the first column is the first response
        both = sorted((meant[name] for name in _RESPONSES), key=list(row).index)
        meant |= dict(zip(_RESPONSES, both, strict=True))
    if meant:
        known = " and ".join(map(repr, meant.values()))
        remedy = f"{'are' if len(meant) > 1 else 'is'} {known} meant? Rename it"
        if mapped and COLUMNS.issuperset(meant):
            remedy += ", or map=" + ",".join(f"{theirs}={ours}" for ours, theirs in meant.items())
    else:
        listed = ", ".join(row) or "no fields"
        remedy = f"the row has: {listed if len(listed) <= 100 else f'{listed[:97]}...'}"
    return f"missing field{'s' * (len(needed) > 1)} {names}; {remedy}"


def _text(row: Row, column: str) -> str:
    if column not in row:
        raise RowError(_missing(row, [column]))
    value = row[column]
    if looks_like_messages(value):
        raise RowError(
            f"field {column!r} is a list of messages, {quoted(value)}; expected the text alone, "
            "such as the 'content' of the last message"
        )
    if not isinstance(value, str):
        raise RowError(f"field {column!r} is {quoted(value)}; expected text")
    return value


def _conversation(row: Row, column: str, *, even_one: bool = False) -> tuple[Message, ...]:
    """The messages in a column; none where it holds something else, which others look at."""
    value = row.get(column)
    if value is None or not (even_one or isinstance(value, list) or looks_like_messages(value)):
        return ()
    return read_messages(value, column)


def optional_text(row: Row, column: str) -> str | None:
    """Text, or None where it is null, blank or absent: a blank source is no source."""
    value = row.get(column)
    if value is None or isinstance(value, str):
        return value if value and value.strip() else None
    raise RowError(f"field {column!r} is {quoted(value)}; expected text or null")


def _identifier(row: Row, column: str) -> str:
    if column not in row:
        raise RowError(_missing(row, [column]))
    value = row[column]
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise RowError(
            f"field {column!r} is {quoted(value)}; expected text, not blank, or a whole number"
        )
    return str(value)


def _prompt(row: Row, source: str | None) -> str:
    # Null is blank, because CSV has no other way to write a blank prompt.
    prompt = "" if "prompt" in row and row["prompt"] is None else _text(row, "prompt")
    # Some sets put the whole request into the source (an instruction's input).
    if not prompt.strip() and source is None:
        raise RowError("field 'prompt' is blank, and there is no source either")
    return prompt


def _response(row: Row, column: str) -> str:
    if column in row and row[column] is None:
        raise RowError(f"empty response: field {column!r} is null")
    response = _text(row, column)
    if not response.strip():
        raise RowError(f"empty response: field {column!r} is blank")
    return response


def _group(row: Row, source_id: str | None, source: str | None, prompt: str) -> str:
    if row.get("group") is not None:
        return _identifier(row, "group")
    return source_id or hashlib.sha256((source or prompt).encode()).hexdigest()[:12]


def _votes(value: JsonValue, column: str) -> tuple[Preference, ...]:
    if not isinstance(value, list):
        raise RowError(f"field {column!r} is {quoted(value)}; expected a list of votes")
    return tuple(_vote(vote, f"field {column!r} holds") for vote in value)


def _vote(value: JsonValue, where: str) -> Preference:
    for preference in PREFERENCES:
        if value == preference:
            return preference
    told = f"{where} {quoted(value)}; expected 'a', 'b' or 'tie'"
    if isinstance(value, str | int | float) and 0 < len(label := label_of(value)) <= 20:
        meant = label.lower() if label.lower() in PREFERENCES else "a"
        told += f", or labels that say what it means, as in labels={label}={meant}"
    raise RowError(told)


def plurality(votes: Sequence[Preference]) -> Preference:
    """Return the most frequent of one or more votes; equally frequent ones make a tie.

    >>> plurality(["a", "b", "a"]), plurality(["a", "b"])
    ('a', 'tie')
    """
    counts = Counter(votes)
    top = [vote for vote in PREFERENCES if counts[vote] == max(counts.values())]
    return top[0] if len(top) == 1 else "tie"


def _preference(
    row: Row, column: str, votes_column: str | None
) -> tuple[Preference | None, tuple[Preference, ...]]:
    """Preference and votes of a row; the votes of `votes_column` check or replace the column.

    An empty list of votes says that nobody was asked.
    """
    value = row.get(column)
    recorded_votes = None if votes_column is None else row.get(votes_column)
    votes = () if recorded_votes is None else _votes(recorded_votes, votes_column or "")
    if value is None or value == []:
        if votes:
            return plurality(votes), votes
        if value is None and recorded_votes == []:
            return None, ()
        raise RowError(f"field {column!r} is {quoted(value)}; expected 'a', 'b' or 'tie'")
    if isinstance(value, list):
        own_votes = _votes(value, column)
        preference, votes = plurality(own_votes), votes or own_votes
    else:
        preference = _vote(value, f"field {column!r} is")
    if votes and plurality(votes) != preference:
        raise RowError(
            f"field {column!r} says {preference!r}, but the votes in {votes_column!r} make "
            f"{plurality(votes)!r}; correct one of them, or remove {column!r} to count the votes"
        )
    return preference, votes


def _object(row: Row, column: str) -> Row:
    value = row.get(column)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RowError(f"field {column!r} is {quoted(value)}; expected an object or null")
    return value


def _numbers(factors: Row, side: str, column: str) -> dict[str, float | None]:
    """Keep the factor values of one side that are numbers, or missing ones."""
    values = factors.get(side)
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise RowError(f"field '{column}.{side}' is {quoted(values)}; expected an object or null")
    numbers: dict[str, float | None] = {}
    for name, value in values.items():
        if not is_a_name(name):
            raise RowError(
                f"field '{column}.{side}' names a factor {name!r}; expected a name of printable "
                "characters without commas and outer spaces"
            )
        if value is None:
            numbers[name] = None
        elif isinstance(value, int | float) and not isinstance(value, bool):
            try:
                number = float(value)
            except OverflowError:
                number = math.inf
            if not math.isfinite(number):
                raise RowError(
                    f"field '{column}.{side}.{name}' is {quoted(value)}; "
                    "expected a finite number, or null where it is missing"
                )
            numbers[name] = number
        elif isinstance(value, str) and _meant_as_number(value):
            raise RowError(
                f"field '{column}.{side}.{name}' is {quoted(value)}, a text; "
                "expected a number, without quotes, or null where it is missing"
            )
    return numbers


@lru_cache(maxsize=1024)  # the same few names stand in every row
def is_a_name(text: str) -> bool:
    """Whether a text can be the name of a factor."""
    return text.isprintable() and text == text.strip() and bool(text) and "," not in text


def _meant_as_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True
