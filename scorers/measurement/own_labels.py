"""People's labels of the pairs that a model wrote: which pair each is about, and what they make.

Labels come after the run, since people judge finished texts. They are rows of recorded preferences
like any others. A row is about the pair of the source that it names which has its two texts, on
whichever sides: neither the order of the rows nor the sides matter. With them people, judge and
writer have preferences among the same texts, and only then can people and writer be held against
each other as tastes (docs/method.md).
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from profile_tasks.data.preference import PREFERENCE_SIGNS
from profile_tasks.data.preferences import AnnotatedSource, PreferenceData, load_preferences
from profile_tasks.scorers.measurement.source_measurement import (
    GenerationPair,
    GraderMeasurement,
    OwnLabelling,
    SourceMeasurement,
    standard_metrics,
)
from profile_tasks.scorers.measurement.tables import run_study
from profile_tasks.scorers.statistics.estimate import Estimate, flat_metrics
from profile_tasks.scorers.statistics.metric_catalogue import own_name
from profile_tasks.scorers.statistics.records import Record, study_record
from profile_tasks.scorers.statistics.study import AGREEMENT, REPLICATES, Study
from profile_tasks.solvers.target_scores import response_text

LABELLED_PAIRS = "own_labelled_pairs"
LABELLED_SHARE = "own_labelled_share"
"""The metrics that say on how many of the model's own pairs people have a preference."""

OTHER_TEXTS = "the model did not write both of the texts about the source"
NOT_COMPARED = "the two texts are no compared pair"
EQUAL_TEXTS = "the two texts are equal, but for digits, so neither can be better"
UNKNOWN_SOURCE = "no source of the run has the label's group as its id, or as its group and prompt"
"""Why a label is about none of the model's pairs."""

_NAMED = 3


_Value = TypeVar("_Value")
_Texts = tuple[str, str]


class _Label(NamedTuple):
    """What people prefer of two texts, 1 being the first of them in their order."""

    preference: int
    votes: tuple[int, ...]
    place: str

    def turned(self, sign: int) -> "_Label":
        """The label of the two texts the other way round, where the sign is -1."""
        votes = tuple(sign * vote for vote in self.votes)
        return _Label(sign * self.preference, votes, self.place)


@dataclass
class _LabelledSource:
    """The labels of one source of the file: the two texts, in their order -> the label."""

    prompt: str
    source: str | None
    labels: dict[_Texts, _Label] = field(default_factory=dict)


@dataclass(frozen=True)
class OwnLabels:
    """People's labels, by the source that they name.

    Attributes:
        name: The file, with a hash of what it says.
        by_group: What rows name as their group -> the sources that they are about.
        places: Of every label, source by source.
    """

    name: str
    by_group: Mapping[str, Sequence[_LabelledSource]]
    places: tuple[str, ...]

    @classmethod
    def of_data(cls, data: PreferenceData) -> "OwnLabels":
        """The labels that preferences hold; a pair that nobody judged has none.

        Raises:
            ValueError: The preferences are no people's, or there is none; two rows about the same
                texts contradict each other.
        """
        by_group: dict[str, list[_LabelledSource]] = defaultdict(list)
        for source in data.sources:
            held = _LabelledSource(source.prompt, source.source)
            by_group[source.group].append(held)
            for pair in source.pairs:
                if pair.sign is None:
                    continue
                texts = (_as_logged(pair.response_a), _as_logged(pair.response_b))
                votes = tuple(PREFERENCE_SIGNS[vote] for vote in pair.annotators)
                place = data.places.get(pair.id, f"{data.name}: pair {pair.id!r}")
                key, sign = _in_order(texts)
                label = _Label(pair.sign, votes, place).turned(sign)
                # Of two equal texts neither is the first: whatever was said is about no pair.
                _add(held.labels, key, _Label(0, (), place) if texts[0] == texts[1] else label)
        places = [
            label.place
            for sources in by_group.values()
            for held in sources
            for label in held.labels.values()
        ]
        if data.judge is not None or not places:
            raise ValueError(
                f"{data.name}: no row has a preference of people; give the labels in the column "
                "'preference', or the votes in 'annotators'"
            )
        return cls(f"{data.name}#{data.content_hash}", dict(by_group), tuple(places))

    def labelled(
        self,
        measured: SourceMeasurement,
        annotated: AnnotatedSource,
        responses: Mapping[int, str | None],
    ) -> SourceMeasurement:
        """A measurement with what people say of the pairs that the model wrote.

        Args:
            measured: What was measured on the source.
            annotated: The source.
            responses: What the model wrote for each target score, None where it is missing.

        Raises:
            ValueError: Two labels of the same texts contradict each other.
        """
        if measured.pairs_written is None:
            return measured
        found: dict[_Texts, _Label] = {}
        for held in self._about(annotated):
            for texts, label in held.labels.items():
                _add(found, texts, label)
        written = {s: _as_logged(text) for s, text in responses.items() if text is not None}
        compared = {
            pair: _in_order((written[pair.higher], written[pair.lower]))
            for pair in measured.pairs_written
        }
        of_pairs = [
            None if pair.identical or texts not in found else found[texts].turned(sign)
            for pair, (texts, sign) in compared.items()
        ]
        equal = {texts: pair.identical for pair, (texts, _) in compared.items()}
        unused: dict[str, list[str]] = defaultdict(list)
        for texts, label in found.items():
            if equal.get(texts, True):
                unused[_why_unused(texts, set(written.values()), texts in equal)].append(
                    label.place
                )
        return measured.model_copy(
            update={
                "own_human": OwnLabelling(
                    labels=self.name,
                    preferences=tuple(None if e is None else e.preference for e in of_pairs),
                    votes=tuple(() if e is None else e.votes for e in of_pairs),
                    places=tuple(None if e is None else e.place for e in of_pairs),
                    unused={why: tuple(places) for why, places in unused.items()},
                )
            }
        )

    def _about(self, annotated: AnnotatedSource) -> Iterator[_LabelledSource]:
        """What is said of a source: by its id; by its group, which may hold several, and prompt."""
        for group in dict.fromkeys((annotated.id, annotated.group)):
            for held in self.by_group.get(group, ()):
                same = (held.prompt, held.source or annotated.source) == (
                    annotated.prompt,
                    annotated.source,
                )
                if group == annotated.id or same:
                    yield held

    def notes(self, measurements: Iterable[SourceMeasurement]) -> list[str]:
        """What became of the labels in a run, in sentences: how many count, and why others do not.

        Args:
            measurements: The run, after ``labelled``.
        """
        records = list(measurements)
        pairs, labelled = _counts(records)
        notes = [f"{self.name}: people's labels on {labelled} of {pairs} pairs of different texts"]
        told = {place for r in records if r.own_human for place in r.own_human.places}
        for why, places in unused_labels(records).items():
            told |= set(places)
            notes.append(left_out(places, why))
        if unknown := [place for place in self.places if place not in told]:
            notes.append(left_out(unknown, UNKNOWN_SOURCE))
        return notes


def read_own_labels(file: str, task: str | None = None) -> OwnLabels:
    """The labels in a file of recorded preferences, as of ``load_preferences``.

    Args:
        file: The file.
        task: Rows of other tasks are left out.

    Raises:
        ValueError: As of ``load_preferences`` and ``OwnLabels.of_data``.
    """
    return OwnLabels.of_data(load_preferences(file, task=task))


def _as_logged(text: str) -> str:
    """A text as a log holds what a model wrote."""
    return response_text(text) or text


def _in_order(texts: _Texts) -> tuple[_Texts, int]:
    """Two texts in an order that does not depend on their sides; -1 where they change sides."""
    return (texts, 1) if texts[0] <= texts[1] else (texts[::-1], -1)


def _add(labels: dict[_Texts, _Label], texts: _Texts, label: _Label) -> None:
    """Add the label of two texts; nothing is changed by another row that says the same.

    Raises:
        ValueError: Another row says something else.
    """
    known = labels.setdefault(texts, label)
    if (known.preference, sorted(known.votes)) != (label.preference, sorted(label.votes)):
        raise ValueError(
            f"{label.place}: says something else of two texts than {known.place}; keep one of "
            "the rows, or put the votes of both into 'annotators' of one row"
        )


def _why_unused(texts: _Texts, written: set[str], compared: bool) -> str:
    if not written.issuperset(texts):
        return OTHER_TEXTS
    return EQUAL_TEXTS if compared or texts[0] == texts[1] else NOT_COMPARED


def left_out(places: Sequence[str], why: str) -> str:
    """That labels are about none of the pairs that a model wrote, and why.

    Args:
        places: Where they stand.
        why: As of ``OTHER_TEXTS``.
    """
    more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
    return (
        f"{', '.join(places[:_NAMED])}{more}: left out, since {why}; labels count only for the "
        "texts of this run, as its log holds them"
    )


def unused_labels(measurements: Iterable[SourceMeasurement]) -> dict[str, tuple[str, ...]]:
    """Why labels of sources of a run are about none of its pairs -> where they stand."""
    labelled = [record.own_human for record in measurements if record.own_human is not None]
    used = {place for each in labelled for place in each.places}
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for each in labelled:
        for why, places in each.unused.items():
            # Another epoch may have written what this one did not.
            found[why] |= dict.fromkeys(place for place in places if place not in used)
    return {why: tuple(places) for why, places in found.items() if places}


def _counts(records: Sequence[SourceMeasurement]) -> tuple[int, int]:
    """How many pairs of different texts the model wrote, and how many of them are labelled."""
    pairs = sum(not pair.identical for r in records for pair in r.pairs_written or ())
    labelled = sum(p is not None for r in records if r.own_human for p in r.own_human.preferences)
    return pairs, labelled


# What the labels make -----------------------------------------------------------------------------


def labelled_own_pairs(measurements: Iterable[SourceMeasurement]) -> list[SourceMeasurement]:
    """The labelled own pairs of a run as if they were its annotated pairs.

    People's preference of each is its label, the judge's its verdict on its own pair, the writer's
    the order of the target scores. So all that is said of annotated pairs can be said of them, and
    all three preferred among the same pairs of texts. Pairs without a label are not there: they are
    missing, never ties. Sources without a label are left out.
    """
    times: dict[str, int] = defaultdict(int)
    found = []
    for record in measurements:
        if record.own_human is None or record.pairs_written is None:
            continue
        times[record.source_id] += 1  # what it wrote in another epoch are other texts
        labels, pairs = record.own_human, record.pairs_written
        kept = [at for at, preference in enumerate(labels.preferences) if preference is not None]
        if kept:
            found.append(_as_annotated(record, labels, pairs, kept, times[record.source_id]))
    return found


def _as_annotated(
    record: SourceMeasurement,
    labels: OwnLabelling,
    pairs: Sequence[GenerationPair],
    kept: Sequence[int],
    time: int,
) -> SourceMeasurement:
    signs = tuple(record.written[at] for at in kept)
    return SourceMeasurement.model_construct(  # all of it is checked
        source_id=f"{record.source_id}:{time}",
        group=record.group,
        factors=record.factors,
        human=tuple(labels.preferences[at] for at in kept),
        votes=tuple(labels.votes[at] for at in kept),
        annotated=signs,
        written=signs,
        pairs_written=tuple(pairs[at] for at in kept),
        picks=_at(record.own_picks, kept),
        margins=_at(record.own_margins, kept),
        grading=record.grading,
        panel=tuple(_graded_at(grader, kept) for grader in record.panel),
    )


def _graded_at(grader: GraderMeasurement, kept: Sequence[int]) -> GraderMeasurement:
    signs = {factor: tuple(column[at] for at in kept) for factor, column in grader.written.items()}
    return grader.model_copy(update={"annotated": signs, "written": signs})


def _at(column: Sequence[_Value] | None, kept: Sequence[int]) -> tuple[_Value, ...] | None:
    return None if column is None else tuple(column[at] for at in kept)


def own_study(
    measurements: Iterable[SourceMeasurement], *, replicates: int = REPLICATES, seed: int = 0
) -> Study | None:
    """The study of people, judge and writer on the labelled own pairs; None without any label.

    Args:
        measurements: The run.
        replicates: As of ``run_study``.
        seed: Likewise.
    """
    labelled = labelled_own_pairs(measurements)
    return run_study(labelled, replicates=replicates, seed=seed) if labelled else None


def own_estimates(study: Study) -> dict[str, Estimate]:
    """The estimates of ``own_study`` by the names that a run has for them."""
    shares = study.influence(AGREEMENT) if AGREEMENT in study.shares else {}
    return own_named(study.estimates | shares)


def own_named(values: Mapping[str, _Value]) -> dict[str, _Value]:
    """What is said of own pairs, by the names of the metrics of a run; all else is left out."""
    named = ((own_name(name), value) for name, value in values.items())
    return {name: value for name, value in named if name is not None}


def own_metrics(measurements: Iterable[SourceMeasurement], study: Study | None) -> dict[str, float]:
    """What is known of people, judge and writer on the labelled own pairs while a run goes on.

    Args:
        measurements: The run.
        study: As of ``own_study``.

    Returns:
        By the names of metrics; on how many pairs people have a preference too, where labels were
        given at all.
    """
    records = [record for record in measurements if record.own_human is not None]
    if not records:
        return {}
    pairs, labelled = _counts(records)
    share = labelled / pairs if pairs else math.nan
    found = {LABELLED_PAIRS: float(labelled), LABELLED_SHARE: share}
    if study is None:
        return found
    standard = own_named(standard_metrics(labelled_own_pairs(records)))
    return found | flat_metrics(own_estimates(study)) | standard


def own_record(study: Study) -> Record:
    """All that a finished run is told of its labelled own pairs, in the shape of its profile.

    Args:
        study: As of ``own_study``.
    """
    record = study_record(study, same_texts=True)
    record.pop("panel", None)  # how far graders agree is told of all that they graded
    return record


def labelling_record(measurements: Iterable[SourceMeasurement]) -> Record:
    """Which labels were given, on how many pairs, and which are about none; empty without any."""
    records = [record for record in measurements if record.own_human is not None]
    if not records:
        return {}
    pairs, labelled = _counts(records)
    return {
        "file": ", ".join(dict.fromkeys(r.own_human.labels for r in records if r.own_human)),
        "n_pairs": pairs,
        "n_labelled": labelled,
        "unused": {why: list(places) for why, places in unused_labels(records).items()},
    }
