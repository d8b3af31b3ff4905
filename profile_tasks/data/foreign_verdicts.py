"""Verdicts of other people's rows: labels, votes, rankings, winners' columns, judges by order."""

import math
from collections.abc import Mapping

from pydantic import JsonValue

from profile_tasks.data.files import Row, RowError, quoted
from profile_tasks.data.formats import Format
from profile_tasks.data.preference import (
    JUDGE_PREFIX,
    PICKS_PREFIX,
    PREFERENCES,
    Preference,
    is_judge,
    label_of,
    turned,
)


def verdict_of(format_: Format, value: JsonValue, field: str) -> Preference | None:
    """What a label says; None where it says that there is no verdict.

    A ranking says it by its first, as a list, or by its ranks, as Argilla has them.

    Raises:
        RowError: The label is unknown.
    """
    if value is None:
        return None
    if isinstance(value, dict) and isinstance(value.get("rank"), list):
        return _ranked(format_, value, field)
    if isinstance(value, list) and value:
        value = value[0]
    if format_.middle is not None:
        number = number_of(value, field)
        return "tie" if number == format_.middle else "a" if number < format_.middle else "b"
    labels = format_.labels or {preference: preference for preference in PREFERENCES}
    label = label_of(value)
    if label not in labels:
        raise RowError(
            f"field {field!r} is {quoted(value)}; expected {', '.join(map(repr, labels))}"
            + ("" if format_.labels else "; give labels=THEIRS=ours for others")
        )
    return labels[label]


def _ranked(format_: Format, value: Mapping[str, JsonValue], field: str) -> Preference | None:
    ranks, names = value["rank"], value.get("value")
    if not isinstance(ranks, list) or not isinstance(names, list) or len(ranks) != len(names) != 2:
        raise RowError(f"field {field!r} is {quoted(dict(value))}; expected two ranks with values")
    if ranks[0] == ranks[1]:
        return "tie"
    best = names[0] if number_of(ranks[0], field) < number_of(ranks[1], field) else names[1]
    return verdict_of(format_, best, field)


def number_of(value: JsonValue, field: str) -> float:
    """A finite number, also one that is written as a text.

    Raises:
        RowError: It is none.
    """
    try:
        number = math.nan if isinstance(value, bool) else float(str(value))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise RowError(f"field {field!r} is {quoted(value)}; expected a number")
    return number


def verdicts_of(format_: Format, held: Row, judge: str | None) -> Row:
    """People's preference with its votes, and recorded judges' verdicts.

    Args:
        format_: Of the file.
        held: What a row holds, by the fields of ``formats.FIELDS``.
        judge: Whose verdicts these are; None: people's.

    Raises:
        RowError: A label is unknown.
    """
    found: Row = {
        field: verdict_of(format_, held[field], field)
        for field in held
        if field == "preference" or is_judge(field)
    }
    if isinstance(votes := held.get("annotators"), list):
        told = [verdict_of(format_, vote, "annotators") for vote in votes]
        found["annotators"] = [verdict for verdict in told if verdict is not None]
    if {"win_a", "win_b"} <= held.keys():
        found["preference"] = _winner(held)
    return found if judge is None else _judged(format_, held, found, judge)


def _winner(held: Row) -> Preference:
    sides: dict[str, Preference] = {"win_a": "a", "win_b": "b", "win_tie": "tie"}
    flags = {field: label_of(held[field]).lower() for field in sides if field in held}
    won = [sides[field] for field, flag in flags.items() if flag in ("1", "true")]
    if len(won) != 1 or not set(flags.values()) <= {"0", "1", "true", "false"}:
        raise RowError(
            f"the winner's columns are {', '.join(f'{k} {v}' for k, v in flags.items())}; "
            "expected a single 1 among 0"
        )
    return won[0]


def _judged(format_: Format, held: Row, found: Row, name: str) -> Row:
    """The verdicts of a judge, by order where both are told."""
    column = JUDGE_PREFIX + name
    if "picks" not in held and "verdicts" not in held:
        return {k: v for k, v in found.items() if k != "preference"} | {
            column: found.get("preference")
        }
    by_order = held.get("picks", held.get("verdicts"))
    if not isinstance(by_order, list) or not 1 <= len(by_order) <= 2:
        raise RowError(f"the verdicts of both orders are {quoted(by_order)}; expected two")
    told = [verdict_of(format_, each, column) for each in by_order]
    recorded = [turned(v) if at and "picks" in held else v for at, v in enumerate(told)]
    agreed = recorded[0] if len(set(recorded)) == 1 else "tie"
    picks: list[JsonValue] = [_PICKS.get(turned(v) if at else v) for at, v in enumerate(recorded)]
    return {column: None if None in recorded else agreed, PICKS_PREFIX + name: picks}


_PICKS: Mapping[Preference | None, str] = {"a": "first", "b": "second", "tie": "tie"}
