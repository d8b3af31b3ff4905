"""Verdicts of other people's rows: labels, votes, rankings, winners' columns, judges by order."""

import math
from collections.abc import Mapping

from pydantic import JsonValue

from profile_tasks.data.conversation import structured
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

    Raises:
        RowError: The label is unknown.
    """
    if value is None:
        return None
    labels = format_.labels
    label = label_of(value)
    name = format_.theirs(field)
    if format_.scale is not None and label not in labels:
        low, high = format_.scale
        number = number_of(value, name)
        if not low <= number <= high:
            raise RowError(f"field {name!r} is {quoted(value)}; expected {low:g} to {high:g}")
        return "tie" if 2 * number == low + high else "a" if 2 * number < low + high else "b"
    labels = labels or {preference: preference for preference in PREFERENCES}
    if label not in labels:
        told = f"is {quoted(value)}; expected {', '.join(map(repr, labels))}"
        if label and not isinstance(value, list | dict):
            means = f"labels={label}={'tie' if format_.labels else 'a'} (a, b, tie or none)"
            told += f". Say what it means by labels, as in {means}"
        raise RowError(f"field {name!r} {told}")
    return labels[label]


def _vote_of(format_: Format, value: JsonValue, field: str) -> Preference | None:
    """A vote: a label, or a ranking of both responses.

    Argilla writes a ranking as names in their order, each with its rank in some versions, or as
    an object of both lists.
    """
    if isinstance(value, dict):
        names, ranks = value.get("value"), value.get("rank")
    elif isinstance(value, list):
        names = [each.get("value") if isinstance(each, dict) else each for each in value]
        ranks = [
            each.get("rank") if isinstance(each, dict) else at for at, each in enumerate(value)
        ]
    else:
        return verdict_of(format_, value, field)
    if not (isinstance(names, list) and isinstance(ranks, list) and len(names) == len(ranks) == 2):
        raise RowError(f"field {field!r} holds {quoted(value)}; expected a ranking of two")
    one, other = (number_of(rank, field) for rank in ranks)
    best = verdict_of(format_, names[0] if one < other else names[1], field)
    return "tie" if one == other else best


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
        if (field == "preference" and not _is_list(held[field])) or is_judge(field)
    }
    for field in ("preference", "annotators"):
        if field in held and field not in found:
            found[field] = _votes(format_, held, field)
    if {"win_a", "win_b"} <= held.keys():
        found["preference"] = _winner(format_, held)
    if judge is not None:
        return _judged(format_, held, found, judge)
    if held.get("preference") is not None and found["preference"] is None:
        return {"annotators": [], **found}  # asked, and without a verdict
    return found


def _is_list(value: JsonValue) -> bool:
    return isinstance(value, list) or (isinstance(value, str) and value.startswith("["))


def _votes(format_: Format, held: Row, field: str) -> list[JsonValue]:
    """A list of votes; without those that say nothing, or were not submitted."""
    votes = structured(held[field], field)
    statuses = held.get("statuses")
    if not isinstance(votes, list):
        raise RowError(f"field {field!r} is {quoted(votes)}; expected a list of votes")
    if isinstance(statuses, list):
        if len(statuses) != len(votes):
            raise RowError(
                f"field {field!r} holds {len(votes)} votes, and {len(statuses)} statuses"
            )
        votes = [v for v, said in zip(votes, statuses, strict=True) if said == "submitted"]
    told = [_vote_of(format_, vote, field) for vote in votes]
    return [verdict for verdict in told if verdict is not None]


def _winner(format_: Format, held: Row) -> Preference:
    sides: dict[str, Preference] = {"win_a": "a", "win_b": "b", "win_tie": "tie"}
    flags = {field: label_of(held[field]).lower() for field in sides if field in held}
    won = [sides[field] for field, flag in flags.items() if flag in ("1", "true")]
    if len(won) != 1 or not set(flags.values()) <= {"0", "1", "true", "false"}:
        told = ", ".join(f"{format_.theirs(field)} {flag!r}" for field, flag in flags.items())
        raise RowError(f"the winner's columns are {told}; expected a single 1 among 0")
    return won[0]


def _judged(format_: Format, held: Row, found: Row, name: str) -> Row:
    """The verdicts of a judge, by order where both are told."""
    column = JUDGE_PREFIX + name
    if "picks" not in held and "verdicts" not in held:
        return {k: v for k, v in found.items() if k != "preference"} | {
            column: found.get("preference")
        }
    field = "picks" if "picks" in held else "verdicts"
    by_order = held[field]
    if not isinstance(by_order, list) or not 1 <= len(by_order) <= 2:
        raise RowError(f"the verdicts of both orders are {quoted(by_order)}; expected two")
    told = [verdict_of(format_, each, field) for each in by_order]
    recorded = [turned(v) if at and field == "picks" else v for at, v in enumerate(told)]
    agreed = recorded[0] if len(set(recorded)) == 1 else "tie"
    picks: list[JsonValue] = [_PICKS.get(turned(v) if at else v) for at, v in enumerate(recorded)]
    return {column: None if None in recorded else agreed, PICKS_PREFIX + name: picks}


_PICKS: Mapping[Preference | None, str] = {"a": "first", "b": "second", "tie": "tie"}
