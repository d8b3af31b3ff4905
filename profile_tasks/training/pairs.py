"""Pairs that a model can be trained on: of two responses to one source, the better one.

They come from a self-guided log (the model's own verdicts on its samples), from an ordinary log
of the three tasks (of two responses written for target scores, the one for the higher score), or
from recorded preferences (people's).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Literal, get_args

from profile_tasks.data.preferences import AnnotatedSource, Preference, PreferenceData

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

    from profile_tasks.scorers.inspect.self_guided_scorer import SelfGuidedRanking

Origin = Literal["self-guided", "score-conditioned", "recorded"]

PairChoice = Literal["best-worst", "all"]
PAIR_CHOICES: tuple[str, ...] = get_args(PairChoice)

MARGIN_UNITS: Mapping[Origin, str] = {
    "self-guided": "share of its matches that a sample won, of the chosen less of the rejected",
    "score-conditioned": "target score of the chosen less of the rejected",
    "recorded": "share of the votes for the chosen less for the rejected",
}


@dataclass(frozen=True)
class TrainingPair:
    """Two responses to one source, the better one first.

    Attributes:
        source_id: The source.
        group: What is split as one.
        task: One of ``TASKS``.
        prompt: The request.
        source: The text to work on, if any.
        chosen: The better response.
        rejected: The other one.
        margin: By how much, in the unit of ``MARGIN_UNITS``; None where it is not known.
    """

    source_id: str
    group: str
    task: str
    prompt: str
    source: str | None
    chosen: str
    rejected: str
    margin: float | None


@dataclass(frozen=True)
class FoundPairs:
    """The pairs of one input, and what it was.

    Attributes:
        name: File or data set.
        origin: Whose preference it is.
        pairs: In the order of the input.
        groups: Every group of the input, also those without a pair.
        left_out: Why pairs were not made, with counts.
        description: What a reader of the data must know, e.g. the model.
    """

    name: str
    origin: Origin
    pairs: tuple[TrainingPair, ...]
    groups: tuple[str, ...]
    left_out: Mapping[str, int]
    description: Mapping[str, str]


def recorded_pairs(data: PreferenceData) -> FoundPairs:
    """The recorded pairs in which one response is preferred; margins from the votes.

    Raises:
        ValueError: A row names no task, so that there is no wording of its prompt.
    """
    left_out: Counter[str] = Counter()
    pairs = []
    for source in data.sources:
        if not source.task:
            raise ValueError(
                f"{data.name}: the pairs of source {source.id!r} name no task; give it (--task)"
            )
        for pair in source.pairs:
            if pair.preference == "tie":
                left_out["tie"] += 1
                continue
            texts = (pair.response_a, pair.response_b)
            better, worse = texts if pair.preference == "a" else texts[::-1]
            votes = Counter(pair.annotators)
            other: Preference = "b" if pair.preference == "a" else "a"
            margin = (
                (votes[pair.preference] - votes[other]) / len(pair.annotators)
                if pair.annotators
                else None
            )
            pairs.append(_pair(source, better, worse, margin))
    return FoundPairs(
        name=data.name,
        origin="recorded",
        pairs=tuple(pairs),
        groups=tuple(source.group for source in data.sources),
        left_out=left_out,
        description={"preferences": "recorded"},
    )


def logged_pairs(log: "EvalLog", name: str, choice: PairChoice) -> FoundPairs:
    """The pairs in a finished log of this project.

    Args:
        log: A log of a self-guided task, or of one of the three tasks with written responses.
        name: What to call it.
        choice: Of each source the best response over the worst, or all pairs that differ.

    Raises:
        ValueError: The log holds neither.
    """
    from profile_tasks.scorers.inspect.self_guided_scorer import SCORER, ranking_of
    from profile_tasks.solvers.score_conditioned_generation import has_responses

    rankings = [
        ranking_of(sample.scores[SCORER])
        for sample in log.samples or []
        if sample.scores and SCORER in sample.scores
    ]
    if rankings:
        return self_guided_pairs(rankings, name, choice, model=log.eval.model)
    written = [
        (AnnotatedSource.model_validate(sample.metadata), sample.store)
        for sample in log.samples or []
        if has_responses(sample.store)
    ]
    if written:
        return _score_conditioned_pairs(written, name, choice, model=log.eval.model)
    raise ValueError(
        f"{name}: no sample holds responses of the model: not a log of a self-guided task, nor of "
        f"one of the three tasks with setting generation or both (status: {log.status})"
    )


def self_guided_pairs(
    rankings: Sequence["SelfGuidedRanking"], name: str, choice: PairChoice, *, model: str
) -> FoundPairs:
    """Of each source the sample with the greater share of wins over the other one.

    After a knock-out only samples that met are paired, the winner over the loser: shares of
    different opponents say little about two samples that never met.
    """
    left_out: Counter[str] = Counter()
    pairs = []
    for ranking in rankings:
        samples = dict(enumerate(ranking.samples))
        if ranking.tournament == "knock_out":
            met = [m for m in ranking.matches if m.preference]
            left_out["tie"] += sum(m.preference == 0 for m in ranking.matches)
            decided = [
                (m.first, m.second) if m.preference == 1 else (m.second, m.first) for m in met
            ]
        else:
            placed = [i for i, sample in samples.items() if sample.share is not None]
            # Equal texts met once, so that a match is one of texts.
            read = {
                frozenset((samples[m.first].text, samples[m.second].text))
                for m in ranking.matches
                if m.preference is not None
            }
            decided = []
            for i, j in combinations(placed, 2):
                if frozenset((samples[i].text, samples[j].text)) not in read:
                    continue  # equal, or their own verdict was unreadable
                difference = (samples[i].share or 0.0) - (samples[j].share or 0.0)
                left_out["tie"] += not difference
                if difference:
                    decided.append((i, j) if difference > 0 else (j, i))
        unreadable = sum(m.preference is None for m in ranking.matches)
        left_out["unreadable verdict"] += unreadable
        kept = []
        for better, worse in decided:
            margin = (samples[better].share or 0.0) - (samples[worse].share or 0.0)
            if samples[better].truncated or samples[worse].truncated:
                left_out["truncated response"] += 1
                continue
            kept.append((margin, better, worse))
        if choice == "best-worst" and kept:
            # The first of equals, so that the choice depends on nothing but the log.
            kept = [max(kept, key=lambda found: (found[0], samples[found[1]].share or 0.0))]
        pairs += [
            TrainingPair(
                source_id=ranking.source_id,
                group=ranking.group,
                task=ranking.task,
                prompt=ranking.prompt,
                source=ranking.source,
                chosen=samples[better].text or "",
                rejected=samples[worse].text or "",
                margin=margin,
            )
            for margin, better, worse in kept
        ]
    judges = dict.fromkeys(ranking.judge for ranking in rankings)
    return FoundPairs(
        name=name,
        origin="self-guided",
        pairs=tuple(pairs),
        groups=tuple(ranking.group for ranking in rankings),
        left_out=left_out,
        description={
            "model": model,
            "judge": ", ".join(judges),
            "tournament": ", ".join(dict.fromkeys(ranking.tournament for ranking in rankings)),
        },
    )


def _score_conditioned_pairs(
    written: Iterable[tuple[AnnotatedSource, Mapping[str, object]]],
    name: str,
    choice: PairChoice,
    *,
    model: str,
) -> FoundPairs:
    from profile_tasks.solvers.score_conditioned_generation import written_responses

    left_out: Counter[str] = Counter()
    pairs, groups = [], []
    for source, store in written:
        responses, cut_off = written_responses(store)
        groups.append(source.group)
        present = sorted(score for score, text in responses.items() if text is not None)
        wanted = [(high, low) for low, high in combinations(present, 2)]
        if choice == "best-worst":
            wanted = [(present[-1], present[0])] if len(present) > 1 else []
        for high, low in wanted:
            if {high, low} & set(cut_off):
                left_out["truncated response"] += 1
                continue
            better, worse = responses[high] or "", responses[low] or ""
            pairs.append(_pair(source, better, worse, float(high - low)))
    return FoundPairs(
        name=name,
        origin="score-conditioned",
        pairs=tuple(pairs),
        groups=tuple(groups),
        left_out=left_out,
        description={"model": model},
    )


def _pair(
    source: AnnotatedSource, chosen: str, rejected: str, margin: float | None
) -> TrainingPair:
    return TrainingPair(
        source_id=source.id,
        group=source.group,
        task=source.task,
        prompt=source.prompt,
        source=source.source,
        chosen=chosen,
        rejected=rejected,
        margin=margin,
    )
