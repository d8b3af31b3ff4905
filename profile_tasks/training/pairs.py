"""Pairs that a model can be trained on: of two responses to one source, the better one.

They come from a self-guided log (the model's own verdicts on its samples), from an ordinary log
of the three tasks (of two responses written for target scores, the one for the higher score), or
from recorded preferences (people's).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Literal, get_args

from profile_tasks.data.preferences import AnnotatedSource, Preference, PreferenceData
from profile_tasks.runs.run import AnsweredSource

if TYPE_CHECKING:
    from profile_tasks.runs.inspect_log import InspectLog
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
        task: The key of a task.
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
            if pair.preference in (None, "tie"):
                left_out[pair.preference or "no preference"] += 1
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


def logged_pairs(log: "InspectLog", name: str, choice: PairChoice) -> FoundPairs:
    """The pairs in a finished log of this project.

    Args:
        log: A log of a self-guided task, or of one of the three tasks with written responses.
        name: What to call it.
        choice: Of each source the best response over the worst, or all pairs that differ.

    Raises:
        ValueError: The log holds neither, or its run did not finish.
    """
    from profile_tasks.runs.inspect_log import answers, score_metadata
    from profile_tasks.scorers.inspect.evaluated_model import evaluated_model
    from profile_tasks.scorers.inspect.self_guided_scorer import SCORER, SelfGuidedRanking

    if log.header.status != "success":
        raise ValueError(
            f"{name}: an unfinished run (status: {log.header.status}); finish it first, for "
            "example with inspect eval-retry"
        )
    model = evaluated_model(log.header)
    rankings = [
        SelfGuidedRanking.model_validate(metadata)
        for sample in log.samples()
        if (metadata := score_metadata(sample, SCORER))
    ]
    if rankings:
        return self_guided_pairs(rankings, name, choice, model=model)
    if answered := list(answers(log)):
        return _score_conditioned_pairs(answered, name, choice, model=model)
    raise ValueError(
        f"{name}: no sample holds responses of the model: not a log of a self-guided task, nor of "
        f"one of the three tasks with setting generation or both (status: {log.header.status})"
    )


def self_guided_pairs(
    rankings: Sequence["SelfGuidedRanking"], name: str, choice: PairChoice, *, model: str
) -> FoundPairs:
    """Of each source the sample with the greater share of wins over the other one."""
    left_out: Counter[str] = Counter()
    pairs = []
    for ranking in rankings:
        decided, ties = (_by_match if ranking.tournament == "knock_out" else _by_share)(ranking)
        left_out["tie"] += ties
        left_out["unreadable verdict"] += sum(m.preference is None for m in ranking.matches)
        whole = [pair for pair in decided if not any(ranking.samples[i].truncated for i in pair)]
        left_out["truncated response"] += len(decided) - len(whole)
        if choice == "best-worst" and whole:
            whole = [_widest(ranking, whole)]
        pairs += [_of_samples(ranking, better, worse) for better, worse in whole]
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
            "judged by": ", ".join(dict.fromkeys(ranking.judge_by for ranking in rankings)),
            "tournament": ", ".join(dict.fromkeys(ranking.tournament for ranking in rankings)),
        },
    )


_Decided = tuple[list[tuple[int, int]], int]
"""Indices of the better and the worse sample of each pair that is decided; and how many tie."""


def _by_match(ranking: "SelfGuidedRanking") -> _Decided:
    """After a knock-out only samples that met are paired, the winner over the loser.

    Shares of different opponents say little about two samples that never met.
    """
    decided = [
        (m.first, m.second) if m.preference == 1 else (m.second, m.first)
        for m in ranking.matches
        if m.preference
    ]
    return decided, sum(m.preference == 0 for m in ranking.matches)


def _by_share(ranking: "SelfGuidedRanking") -> _Decided:
    """Where all met, the sample that won the greater share of its matches over the other one."""
    samples = ranking.samples
    # Equal texts met once, so that a match is one of texts.
    read = {
        frozenset((samples[m.first].text, samples[m.second].text))
        for m in ranking.matches
        if m.preference is not None
    }
    placed = [i for i, sample in enumerate(samples) if sample.share is not None]
    decided, ties = [], 0
    for i, j in combinations(placed, 2):
        if frozenset((samples[i].text, samples[j].text)) not in read:
            continue  # equal, or their own verdict was unreadable
        difference = _margin(ranking, i, j)
        if difference:
            decided.append((i, j) if difference > 0 else (j, i))
        else:
            ties += 1
    return decided, ties


def _widest(ranking: "SelfGuidedRanking", pairs: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The pair of the greatest margin, and of equals the one whose better sample won most.

    The first of equals in both, so that the choice depends on nothing but the log.
    """
    return max(pairs, key=lambda pair: (_margin(ranking, *pair), _share(ranking, pair[0])))


def _margin(ranking: "SelfGuidedRanking", better: int, worse: int) -> float:
    return _share(ranking, better) - _share(ranking, worse)


def _share(ranking: "SelfGuidedRanking", index: int) -> float:
    return ranking.samples[index].share or 0.0


def _of_samples(ranking: "SelfGuidedRanking", better: int, worse: int) -> TrainingPair:
    return TrainingPair(
        source_id=ranking.source_id,
        group=ranking.group,
        task=ranking.task,
        prompt=ranking.prompt,
        source=ranking.source,
        chosen=ranking.samples[better].text or "",
        rejected=ranking.samples[worse].text or "",
        margin=_margin(ranking, better, worse),
    )


def _score_conditioned_pairs(
    answered: Sequence[AnsweredSource], name: str, choice: PairChoice, *, model: str
) -> FoundPairs:
    left_out: Counter[str] = Counter()
    pairs = []
    for each in answered:
        present = sorted(each.texts)
        wanted = [(high, low) for low, high in combinations(present, 2)]
        if choice == "best-worst":
            wanted = [(present[-1], present[0])] if len(present) > 1 else []
        for high, low in wanted:
            if {high, low} & set(each.cut_off):
                left_out["truncated response"] += 1
                continue
            pairs.append(_pair(each.source, each.texts[high], each.texts[low], float(high - low)))
    return FoundPairs(
        name=name,
        origin="score-conditioned",
        pairs=tuple(pairs),
        groups=tuple(each.source.group for each in answered),
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
