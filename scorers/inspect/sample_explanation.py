"""One sample in words, for Inspect's log viewer: which pairs, which factors."""

from collections.abc import Iterator, Sequence

from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement
from profile_tasks.untrusted_text import one_line

LINES = 24
"""Pairs that are explained; the log's metadata has all of them."""


def sample_value(measurement: SourceMeasurement) -> dict[str, int]:
    """Counts that Inspect shows beside a sample."""
    counts = {"annotated_pairs": len(measurement.human)}
    if (judged := measurement.discrimination) is not None:
        # As the accuracy counts: where neither people nor the model say that both are as good.
        counts["judged_as_human"] = sum(
            human is not None and human == model != 0
            for human, model in zip(measurement.human, judged, strict=True)
        )
    if measurement.pairs_written is not None:
        counts["written_pairs"] = len(measurement.pairs_written)
    return counts


def sample_answer(measurement: SourceMeasurement) -> str | None:
    """How the model judged, in the few words of the viewer's column."""
    if measurement.picks is None:
        return None
    agreed = sample_value(measurement)["judged_as_human"]
    return f"{agreed} of {_by_people(measurement)} pairs judged as by people"


def _by_people(measurement: SourceMeasurement) -> int:
    return sum(preference is not None for preference in measurement.human)


def sample_explanation(measurement: SourceMeasurement, pair_ids: Sequence[str]) -> str:
    """What was measured, then each pair with the factors that either response shows more of.

    Args:
        measurement: What was measured on the source.
        pair_ids: Ids of its annotated pairs, in their order.
    """
    lines = [*_annotated(measurement, pair_ids), *_written(measurement)]
    left_out = len(lines) - LINES
    if left_out > 0:
        lines = [*lines[:LINES], f"and {left_out} pairs more, in the score's metadata"]
    return "\n".join([_summary(measurement), *(f"- {line}" for line in lines)])


def _summary(measurement: SourceMeasurement) -> str:
    parts = [f"{len(measurement.human)} annotated pairs"]
    if (judged := measurement.discrimination) is not None:
        missing = sum(preference is None for preference in judged)
        agreed = sample_value(measurement)["judged_as_human"]
        parts.append(f"judged: {agreed} as the human label, {missing} unreadable")
    if measurement.words_by_score is not None:
        words = ", ".join(
            f"{score}: {'missing' if count is None else count}"
            for score, count in measurement.words_by_score.items()
        )
        parts.append(f"words written by target score: {words}")
    if (own := measurement.own) is not None:
        parts.append(f"own pairs judged: {own.count(1)} as written, {own.count(None)} missing")
    if measurement.own_human is not None:
        people = measurement.own_human.preferences
        missing = people.count(None)
        parts.append(f"own pairs judged by people: {people.count(1)} as written, {missing} missing")
    if measurement.grader is not None:
        asked = sum(grading.asked for grading in measurement.grading.values())
        missing = sum(grading.missing for grading in measurement.grading.values())
        parts.append(f"graded by {measurement.grader}: {missing} of {asked} judgements missing")
    return "; ".join(parts)


def _annotated(measurement: SourceMeasurement, pair_ids: Sequence[str]) -> Iterator[str]:
    judged = measurement.discrimination
    for index, (name, human, signs) in enumerate(
        zip(pair_ids, measurement.human, measurement.annotated, strict=True)
    ):
        model = "" if judged is None else f", the model {_JUDGED[judged[index]]}"
        shown = _shown_more(measurement.factors, signs, ("A", "B"))
        people = "nobody's preference" if human is None else f"people prefer {_PREFERRED[human]}"
        yield f"{one_line(name)}: {people}{model}; {shown}"


def _written(measurement: SourceMeasurement) -> Iterator[str]:
    judged = measurement.own
    labels = measurement.own_human
    for index, (pair, signs) in enumerate(
        zip(measurement.pairs_written or (), measurement.written, strict=True)
    ):
        high, low = f"score {pair.higher}", f"score {pair.lower}"
        if pair.identical:
            yield f"{high} over {low}: equal texts"
            continue
        model = "" if judged is None else f", the model judges {_JUDGED_OWN[judged[index]]}"
        said = None if labels is None else labels.preferences[index]
        people = "" if said is None else f", people {_PREFERRED_OWN[said]}"
        shown = _shown_more(measurement.factors, signs, (high, low))
        yield f"{high} over {low}{model}{people}: {shown}"


_PREFERRED = {1: "A", -1: "B", 0: "neither", None: "nothing that is known"}
_PREFERRED_OWN = {1: "prefer it so", -1: "prefer it the other way", 0: "prefer neither"}
_JUDGED_OWN = {1: "so", -1: "the other way", 0: "alike, or with the order", None: "unreadably"}
_JUDGED = {1: "A", -1: "B", 0: "neither, or with the order", None: "unreadably"}


def _shown_more(factors: Sequence[str], signs: Sequence[int | None], names: tuple[str, str]) -> str:
    """Which factors either response shows more of; those that tie or are missing go unsaid."""
    parts = []
    for name, sign in zip(names, (1, -1), strict=True):
        more = [factor for factor, found in zip(factors, signs, strict=True) if found == sign]
        if more:
            parts.append(f"{name} shows more {', '.join(more)}")
    return "; ".join(parts) or "no factor tells them apart"
