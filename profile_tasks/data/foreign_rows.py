"""Rows of other people's files as rows of ours, as their format says."""

import hashlib
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations

from pydantic import JsonValue

from profile_tasks.data.files import Record, Row, RowError, quoted
from profile_tasks.data.foreign_texts import texts_of
from profile_tasks.data.foreign_verdicts import number_of, verdicts_of
from profile_tasks.data.formats import (
    TAKEN_AS_THEY_ARE,
    TEXTS,
    VERDICTS,
    Format,
    ResponseColumns,
    value_of,
)
from profile_tasks.data.preference import (
    JUDGE_PREFIX,
    PREFERENCES,
    VERDICT_PREFIXES,
    Preference,
    is_judge,
    label_of,
    turned,
)
from profile_tasks.data.rows import COLUMNS

_SIDED = ("response", "before", "system")
_REQUIRED = {*TEXTS, "preference", "conversation_a", "conversation_b", "chosen", "rejected"}


def converted(format_: Format, records: Iterable[Record]) -> list[Record]:
    """The rows of a file as rows of ours, each with its place.

    Args:
        format_: Of the file.
        records: As read; bad rows stay what they are.
    """
    opened = _each(records, lambda row, _: format_.opened(row))
    if format_.responses is not None:
        return list(_pairs_of_responses(format_, format_.responses, opened))
    found = list(_each(opened, lambda row, number: _told(format_, _as_ours(format_, row, number))))
    found = _merged(found) if format_.merged else found
    people = any(_is_vote(row) for _, row in found if not isinstance(row, RowError))
    if format_.ours or not people:
        return found
    return list(_each(found, lambda row, _: row if _is_vote(row) else row | {"annotators": []}))


def _each(records: Iterable[Record], read: Callable[[Row, int], Row]) -> Iterator[Record]:
    """What is read of each good row and its number; or why it cannot be."""
    for number, (place, row) in enumerate(records, start=1):
        try:
            yield Record(place, row if isinstance(row, RowError) else read(row, number))
        except RowError as error:
            yield Record(place, error)


def _told(format_: Format, row: Row) -> Row:
    """The row, if it says whom it prefers, or what a judge does."""
    untold = row.get("preference", "") is None and row.get("annotators") is None
    if untold and not (format_.ours or any(map(is_judge, row))):
        labels = ", ".join(map(repr, format_.labels or PREFERENCES))
        raise RowError(f"field {format_.theirs('preference')!r} is null; expected {labels}")
    return row


def _is_vote(row: Row) -> bool:
    """Whether people speak in it, and no judge alone."""
    return not {"preference", "annotators"}.isdisjoint(row)


def _as_ours(format_: Format, row: Row, number: int) -> Row:
    for sign, why in format_.refused.items():
        if value_of(sign, row) is not None:
            raise RowError(why)
    held = _fields(format_, row)
    told = (theirs for theirs, ours in format_.columns.items() if ours != "turn")
    named = (*told, *format_.extract)
    taken = {name for theirs in named for name in (theirs, *re.findall(r"\w+", theirs))}
    ours: Row = {
        name: value
        for name, value in row.items()
        if name not in taken and (format_.ours or _stays(name, value, held))
    }
    ours |= {name: held[name] for name in TAKEN_AS_THEY_ARE if name in held}
    if ours.get("id") is None:
        ours["id"] = str(number)
    ours |= texts_of(format_, held)
    return ours | (
        _sides(ours) if "chosen" in held else verdicts_of(format_, held, _judge(format_, row))
    )


def _stays(name: str, value: JsonValue, held: Row) -> bool:
    """Whether a column of which the format does not speak stays.

    What others call as we do need not be the same. A judge's verdicts are told by what they hold,
    and where chosen and rejected become a and b there are none.
    """
    if name.startswith(VERDICT_PREFIXES):
        verdicts = value if isinstance(value, list) else [value]
        known = (None, *PREFERENCES, "first", "second")
        return "chosen" not in held and all(
            said in known or isinstance(said, int | float) for said in verdicts
        )
    return name == "id" or name not in COLUMNS


def _judge(format_: Format, row: Row) -> str | None:
    name = None if format_.judge is None else value_of(format_.judge, row)
    return None if name in (None, False, "") else re.sub(r"[^\w.-]+", "_", str(name))


def _fields(format_: Format, row: Row) -> Row:
    """What the row holds, by the fields of ours; what is not there is left out.

    Raises:
        RowError: Columns are missing, all of them named.
    """
    fields = {*TEXTS, *VERDICTS}
    held: Row = {
        name: value
        for name, value in row.items()
        if format_.ours
        and (name in fields or (is_judge(name) and label_of(value) in format_.labels))
    }
    implied = {"prompt"} if "chosen" in format_.columns.values() else set()
    lacking = [name for name in format_.recognised_by if name not in row]
    votes: list[JsonValue] = []
    for theirs, ours in format_.columns.items():
        value = without_nan(value_of(theirs, row))
        if ours == "vote" and theirs in row:
            votes.append(value)
            held["annotators"] = votes
        elif value is not None or (theirs in row and _says_by_null(ours)):
            held[ours] = value
        elif ours in _REQUIRED - implied and theirs not in row and theirs not in lacking:
            lacking.append(theirs)
    extracted = {theirs: value_of(theirs, row) for theirs in format_.extract}
    for theirs, text in extracted.items():
        if text is not None:
            held |= _extracted(text, format_.extract[theirs], theirs)
        elif any("user_1" in pattern for pattern in format_.extract[theirs]):
            lacking.append(theirs)
    if lacking:
        at = format_.columns.get(lacking[0])
        raise RowError(
            f"missing field{'s' * (len(lacking) > 1)} {', '.join(map(repr, lacking))} of format "
            f"{format_.name}; the row has: {', '.join(row) or 'no fields'}"
            + (f". Is it another column: format={format_.name} and map=COLUMN={at}" if at else "")
        )
    return held


def _says_by_null(field: str) -> bool:
    return field in ("preference", "win_a", "win_b", "win_tie") or is_judge(field)


def without_nan(value: JsonValue) -> JsonValue:
    """A value; None for the NaN with which pandas, and JSON of Python's, say that there is none."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _extracted(text: JsonValue, patterns: Sequence[str], theirs: str) -> Row:
    """The fields that a text holds, by the first pattern that fits."""
    tries = (re.search(pattern, text, re.DOTALL) for pattern in patterns if isinstance(text, str))
    found = next(filter(None, tries), None)
    if found is None or not isinstance(text, str):
        raise RowError(f"field {theirs!r} is {quoted(text)}; expected a text as the format has it")
    groups = found.groupdict()
    longest = re.search(found.re.pattern.replace(".*?", ".*"), text, re.DOTALL)
    if longest is None or longest.groupdict() != groups:
        raise RowError(
            f"field {theirs!r} can be read in two ways: what stands between the texts "
            "also stands within one of them"
        )
    turns = [n for n in range(1, 1 + len(groups)) if f"user_{n}" in groups]
    if not turns:
        return dict(groups)
    return {
        f"conversation_{side}": [
            message
            for turn in turns
            for message in (
                {"role": "user", "content": groups[f"user_{turn}"]},
                {"role": "assistant", "content": groups[f"{side}_{turn}"]},
            )
        ]
        for side in ("a", "b")
    }


def _sides(row: Row) -> Row:
    """The chosen response as a or b, by a hash: the place of the better one must tell nothing."""
    texts = "\0".join(str(row.get(field)) for field in TEXTS)
    if not hashlib.sha256(texts.encode("utf-8", "surrogatepass")).digest()[0] & 1:
        return {"preference": "a"}
    sides = ((f"{name}_{one}", f"{name}_{two}") for name in _SIDED for one, two in ("ab", "ba"))
    return {"preference": "b"} | {
        one: row.get(other) for one, other in sides if one in row or other in row
    }


# Several rows, one pair ---------------------------------------------------------------------------


def _merged(records: Iterable[Record]) -> list[Record]:
    """Rows about the same two responses as one pair, in the place of the first.

    It holds the votes of people and the verdicts of each judge. What the same judge says once more
    stands in a second such pair; pairs of one question are given ids of their own.
    """
    pairs: list[tuple[str, list[tuple[Row, bool]]]] = []
    about: defaultdict[str, list[list[tuple[Row, bool]]]] = defaultdict(list)
    others: list[Record] = []
    for place, row in records:
        votes = [] if isinstance(row, RowError) else row.get("annotators") or row.get("preference")
        if isinstance(row, RowError) or (votes and isinstance(votes, list)):
            others.append(Record(place, row))
            continue
        a, b = (json.dumps([row.get(f"{name}_{side}") for name in _SIDED]) for side in "ab")
        same = about[json.dumps([row.get("prompt"), row.get("source"), *sorted((a, b))])]
        rows = next((rows for rows in same if _goes_with(rows, row, a > b)), None)
        if rows is None:
            same.append(rows := [])
            pairs.append((place, rows))
        rows.append((row, a > b))
    merged = [Record(place, _as_one(rows)) for place, rows in pairs] + others
    times: Counter[str] = Counter()
    for _, row in merged:
        if not isinstance(row, RowError):
            times[question := str(row["id"])] += 1
            if times[question] > 1:
                row["id"] = f"{question}#{times[question]}"
    return merged


def _verdicts(row: Row, *, swapped: bool) -> Row:
    """What judges say in it, of responses that change their names where it is swapped."""
    said = {name: value for name, value in row.items() if name.startswith(VERDICT_PREFIXES)}
    return {name: _turned(value) for name, value in said.items()} if swapped else said


def _goes_with(rows: Sequence[tuple[Row, bool]], row: Row, swapped: bool) -> bool:
    """Whether no judge speaks twice, and what was seen in one order alone keeps its order.

    A judge's verdict beside each vote of people is one verdict, where it is the same.
    """
    for held, order in rows:
        said, before = _verdicts(row, swapped=swapped != order), _verdicts(held, swapped=False)
        if swapped != order and any(isinstance(v, list) and len(v) < 2 for v in said.values()):
            return False
        beside = _is_vote(row) and _is_vote(held)
        for name in said.keys() & before.keys():
            if not (beside and (said[name] == before[name] or None in (said[name], before[name]))):
                return False
    return True


def _as_one(rows: Sequence[tuple[Row, bool]]) -> Row:
    """The first row, with people's votes and judges' verdicts of all rows, sides as there."""
    first, order = rows[0]
    if len(rows) == 1:
        return first
    sided = [(row, swapped != order) for row, swapped in rows]
    votes = [
        _turned(row.get("preference")) if swapped else row.get("preference")
        for row, swapped in sided
        if _is_vote(row)
    ]
    told = {name: value for name, value in first.items() if name != "preference"}
    for row, swapped in sided:
        told |= {
            name: value
            for name, value in _verdicts(row, swapped=swapped).items()
            if told.get(name) is None
        }
    return told | ({"annotators": [vote for vote in votes if vote is not None]} if votes else {})


def _turned(verdict: JsonValue) -> JsonValue:
    """A verdict, or picks by the position shown; whoever reads it refuses what is neither."""
    if isinstance(verdict, list):
        return verdict[::-1]
    return turned(verdict) if verdict in PREFERENCES else verdict


# One row, or several, with rated responses; several pairs -----------------------------------------


def _pairs_of_responses(
    format_: Format, where: ResponseColumns, records: Iterable[Record]
) -> Iterator[Record]:
    """Every two rated responses to one prompt; the better rated one is preferred."""
    gathered: defaultdict[str, list[tuple[str, Row]]] = defaultdict(list)
    for number, (place, row) in enumerate(records, start=1):
        try:
            if isinstance(row, RowError):
                raise row
            held = _fields(format_, row)
            about = {n: held[n] for n in TAKEN_AS_THEY_ARE if n in held and n != "id"}
            about |= texts_of(format_, held)
            judge = _judge(format_, row)
            each = [row] if where.each is None else value_of(where.each, row)
            if not isinstance(each, list) or not each:
                raise RowError(f"field {where.each!r} is {quoted(each)}; expected a list")
            key = json.dumps([about, None if where.each is None else number])
            gathered[key] += [
                (place, {"about": about, "judge": judge, **_rated(where, response)})
                for response in each
            ]
        except RowError as error:
            yield Record(place, error)
    for number, rated in enumerate(gathered.values(), start=1):
        if len(rated) == 1:
            alone = RowError("there is no other rated response to the same prompt to make a pair")
            yield Record(rated[0][0], alone)
        for (at, (place, one)), (to, (_, other)) in combinations(enumerate(rated, start=1), 2):
            yield Record(place, _rated_pair(one, other, f"{number}-{at}-{to}"))


def _rated(where: ResponseColumns, response: JsonValue) -> Row:
    if not isinstance(response, dict):
        raise RowError(f"a response is {quoted(response)}; expected an object")
    values = {name: without_nan(value_of(of, response)) for name, of in where.factors.items()}
    known = {name: value for name, value in values.items() if value not in (None, "N/A")}
    return {
        "text": value_of(where.text, response),
        "rating": number_of(without_nan(value_of(where.rating, response)), where.rating),
        "system": value_of(where.system, response) if where.system else None,
        "factors": {name: number_of(value, name) for name, value in known.items()},
    }


def _rated_pair(one: Row, other: Row, pair_id: str) -> Row:
    row: Row = {"id": pair_id, **one["about"]}  # type: ignore[dict-item]
    for side, response in (("a", one), ("b", other)):
        row[f"response_{side}"] = response["text"]
        row[f"rating_{side}"] = response["rating"]
        if response["system"] is not None:
            row[f"system_{side}"] = response["system"]
    if one["factors"] or other["factors"]:
        row["factors"] = {"a": one["factors"], "b": other["factors"]}
    a, b = (float(str(each["rating"])) for each in (one, other))
    better: Preference = "tie" if a == b else "a" if a > b else "b"
    column = f"{JUDGE_PREFIX}{one['judge']}" if one["judge"] else "preference"
    return row | {column: better, "preference_derived": True}
