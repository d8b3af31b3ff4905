"""Answers of models that stand in the data beside the pairs: verdicts of judges, texts of writers.

They are columns of the rows, named after the model (docs/recorded.md):

- ``judge_<name>``: "a", "b" or "tie", the verdict on the pair; null where there is none.
- ``picks_<name>``: [with the two as recorded, swapped], each "first", "second" or "tie", by the
  position shown, or null; one entry where the judge was asked in one order.
- ``probability_<name>``: [as recorded, swapped], each the probability of the response shown first,
  in [0, 1], or null.
- ``texts_<name>``: {"1": text, ..., "5": text}, what a writer wrote to the source for each score.

A verdict in ``judge_<name>`` alone may come of one order or of both: it says nothing of flips or
of a position.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from profile_tasks.data.files import PreferenceDataError, quoted
from profile_tasks.data.preference import (
    JUDGE_PREFIX,
    PICKS_PREFIX,
    PREFERENCE_SIGNS,
    PREFERENCES,
    PROBABILITY_PREFIX,
    VERDICT_PREFIXES,
    Preference,
)
from profile_tasks.data.preferences import AnnotatedPair, AnnotatedSource
from profile_tasks.nearest_name import instead_of
from profile_tasks.solvers.both_orders import PairVerdict, Pick

RECORDED = "recorded/"
"""How the names of models begin whose answers are recorded ones."""

RECORDED_NOTE = (
    "RECORDED: its answers stand in the data, given to whatever prompts its recorders used; no "
    "model was asked in this run"
)

_TEXTS = "texts_"
_PREFIXES = (*VERDICT_PREFIXES, _TEXTS)
_POSITIONS: tuple[Pick, ...] = ("first", "second", "tie")
_SUREST = math.log(2.0**53 - 1)
"""Log odds of the greatest probability below 1; one rounded to 0 or 1 has at most these."""


@dataclass(frozen=True)
class RecordedModel:
    """What is recorded of one model.

    Attributes:
        name: As the columns are named after it.
        verdicts: By id of the pair, with an unreadable pick where none is recorded; empty: it is no
            judge.
        texts: By id of the source, then by target score, None where one is missing; empty: it is no
            writer.
    """

    name: str
    verdicts: Mapping[str, PairVerdict] = field(default_factory=dict)
    texts: Mapping[str, Mapping[int, str | None]] = field(default_factory=dict)

    @property
    def model(self) -> str:
        """Its name as a log has it: "recorded/<name>"."""
        return RECORDED + self.name

    @property
    def orders(self) -> int:
        """In how many orders it judged a pair at most; 1 too where the order is not recorded."""
        return max((len(verdict.picks) for verdict in self.verdicts.values()), default=0)

    def judged(self, source: AnnotatedSource) -> list[PairVerdict] | None:
        """The verdict on each pair of a source; None where the model is no judge."""
        return [self.verdicts[pair.id] for pair in source.pairs] if self.verdicts else None

    def written(self, source: AnnotatedSource) -> dict[int, str | None] | None:
        """The texts by target score; None where the model is no writer."""
        if not self.texts:
            return None
        scores = sorted({score for texts in self.texts.values() for score in texts})
        return {score: self.texts.get(source.id, {}).get(score) for score in scores}


def recorded_names(sources: Iterable[AnnotatedSource]) -> tuple[str, ...]:
    """Names of the models of which the rows record something, in the order of the columns."""
    columns = dict.fromkeys(c for s in sources for pair in s.pairs for c in pair.extra)
    found = (c.removeprefix(p) for c in columns for p in _PREFIXES if c.startswith(p))
    return tuple(dict.fromkeys(filter(None, found)))


def recorded_models(
    sources: Sequence[AnnotatedSource], data: str, names: Sequence[str] = ()
) -> list[RecordedModel]:
    """What the rows record of models, all of it checked.

    Args:
        sources: The rows, by source.
        data: What the data are called in errors.
        names: The models that are wanted; without any, all of them.

    Raises:
        PreferenceDataError: Nothing is recorded, a name is not there, or a value is not as it
            should be; the message names the row and the column.
    """
    known = recorded_names(sources)
    if not known:
        raise PreferenceDataError(
            f"{data}: no column of recorded answers ({', '.join(p + '<name>' for p in _PREFIXES)})"
        )
    if unknown := [name for name in names if name not in known]:
        raise PreferenceDataError(
            f"{data}: nothing is recorded of {unknown[0]!r}{instead_of(unknown[0], known)}"
        )
    return [_model(name, sources, data) for name in names or known]


def _model(name: str, sources: Sequence[AnnotatedSource], data: str) -> RecordedModel:
    pairs = [pair for source in sources for pair in source.pairs]
    judges = any(prefix + name in pair.extra for prefix in VERDICT_PREFIXES for pair in pairs)
    writes = any(_TEXTS + name in pair.extra for pair in pairs)
    verdicts = {pair.id: _verdict(_Row(data, pair, name)) for pair in pairs} if judges else {}
    # Who was asked in both orders and has nothing in a row has two missing answers there.
    orders = max((len(verdict.picks) for verdict in verdicts.values()), default=0)
    unread = PairVerdict((None,) * orders)
    return RecordedModel(
        name,
        {pair: unread if v.picks == (None,) else v for pair, v in verdicts.items()},
        {source.id: _texts(source, data, name) for source in sources} if writes else {},
    )


@dataclass(frozen=True)
class _Row:
    """One row of the file, and what stands in it about one model."""

    data: str
    pair: AnnotatedPair
    name: str

    def value(self, prefix: str) -> JsonValue:
        """The value of a column; None where it is null or absent."""
        value = self.pair.extra.get(prefix + self.name)
        if isinstance(value, str) and value[:1] in ("[", "{"):  # as CSV has it
            try:
                return json.loads(value)  # type: ignore[no-any-return]
            except ValueError as error:
                raise self.wrong(prefix, f"is broken JSON ({error})") from error
        return value

    def wrong(self, prefix: str, what: str) -> PreferenceDataError:
        return PreferenceDataError(
            f"{self.data}: row {self.pair.id!r}: field {prefix + self.name!r} {what}"
        )

    def listed(self, prefix: str, expected: str) -> list[JsonValue] | None:
        """A value for each order shown."""
        value = self.value(prefix)
        if value is None:
            return None
        if not isinstance(value, list) or not 1 <= len(value) <= 2:
            raise self.wrong(
                prefix,
                f"is {quoted(value)}; expected a list [as recorded, swapped], or of one order "
                f"alone, of {expected}, or null",
            )
        return value


def _verdict(row: _Row) -> PairVerdict:
    alone, picks, probabilities = _alone(row), _picks(row), _probabilities(row)
    if probabilities is not None:
        verdict = _by_probability(probabilities)
        if picks is not None and picks != verdict.picks:
            raise row.wrong(
                PICKS_PREFIX,
                f"is {quoted(list(picks))}, but those in {PROBABILITY_PREFIX + row.name!r} "
                f"make {quoted(list(verdict.picks))}; correct or remove one of the two columns",
            )
    elif picks is not None:
        verdict = PairVerdict(picks)
    else:
        return PairVerdict((alone,))
    # Of probabilities too it may say what the picks make together, a tie where they disagree.
    if alone is not None and _sign(alone) not in (
        verdict.preference,
        PairVerdict(verdict.picks).preference,
    ):
        raise row.wrong(
            JUDGE_PREFIX,
            f"is {alone!r}, but the picks by order make {_named(verdict.preference)}; correct one "
            f"of them, or remove the column {JUDGE_PREFIX + row.name!r}, which then follows",
        )
    return verdict


def _alone(row: _Row) -> Preference | None:
    value = row.value(JUDGE_PREFIX)
    if value is None:
        return None
    for verdict in PREFERENCES:
        if value == verdict:
            return verdict
    raise row.wrong(
        JUDGE_PREFIX, f"is {quoted(value)}; expected 'a', 'b', 'tie', or null where it is missing"
    )


def _picks(row: _Row) -> tuple[Pick | None, ...] | None:
    expected = "'first', 'second', 'tie' or null"
    listed = row.listed(PICKS_PREFIX, expected)
    if listed is None:
        return None
    for value in listed:
        if value is not None and value not in _POSITIONS:
            raise row.wrong(PICKS_PREFIX, f"holds {quoted(value)}; expected {expected}")
    return tuple(next((p for p in _POSITIONS if p == value), None) for value in listed)


def _probabilities(row: _Row) -> tuple[float | None, ...] | None:
    expected = "probabilities of the response shown first, 0 to 1, or null"
    listed = row.listed(PROBABILITY_PREFIX, expected)
    if listed is None:
        return None
    found: list[float | None] = []
    for value in listed:
        number = not isinstance(value, bool) and isinstance(value, int | float)
        if value is not None and not (number and 0 <= float(str(value)) <= 1):
            raise row.wrong(PROBABILITY_PREFIX, f"holds {quoted(value)}; expected {expected}")
        found.append(None if value is None else float(str(value)))
    return tuple(found)


def _by_probability(probabilities: Sequence[float | None]) -> PairVerdict:
    """The verdict of the odds; where one of them is missing, it has the other's pick alone."""
    known = [p for p in probabilities if p is not None]
    verdict = PairVerdict.by_likelihood([_log_odds(p) for p in known])
    if len(known) == len(probabilities):
        return verdict
    picks = iter(verdict.picks)
    return PairVerdict(tuple(None if p is None else next(picks) for p in probabilities))


def _log_odds(probability: float) -> float:
    if probability in (0.0, 1.0):
        return math.copysign(_SUREST, probability - 0.5)
    return math.log(probability) - math.log1p(-probability)


def _sign(verdict: Preference) -> int:
    return PREFERENCE_SIGNS[verdict]


def _named(sign: int | None) -> str:
    return next((repr(v) for v, each in PREFERENCE_SIGNS.items() if each == sign), "none (null)")


def _texts(source: AnnotatedSource, data: str, name: str) -> dict[int, str | None]:
    """What a writer wrote to a source; its rows must not contradict each other."""
    found: dict[int, str | None] = {}
    first = None
    for pair in source.pairs:
        row = _Row(data, pair, name)
        texts = _read_texts(row)
        if texts is None:
            continue
        if first is not None and texts != found:
            raise row.wrong(
                _TEXTS,
                f"differs from that of row {first!r} about the same source; a writer has one text "
                "for each score of a source",
            )
        found, first = texts, first or pair.id
    return found


def _read_texts(row: _Row) -> dict[int, str | None] | None:
    expected = 'expected {"1": text, ..., "5": text} by target score, or null'
    value = row.value(_TEXTS)
    if value is None:
        return None
    if not isinstance(value, dict) or not value:
        raise row.wrong(_TEXTS, f"is {quoted(value)}; {expected}")
    texts: dict[int, str | None] = {}
    for score, text in value.items():
        if not (score.isascii() and score.isdigit() and int(score) >= 1):
            raise row.wrong(_TEXTS, f"holds the score {score!r}; {expected}")
        if text is not None and not isinstance(text, str):
            raise row.wrong(_TEXTS, f"holds {quoted(text)} for score {score}; {expected}")
        texts[int(score)] = text if text and text.strip() else None
    return dict(sorted(texts.items()))
