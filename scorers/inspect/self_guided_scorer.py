"""The Inspect scorer of self-guided data: a source's samples ranked, and what the winners show.

Each score's metadata hold one ``SelfGuidedRanking``; ``profile-tasks export`` reads them. The
metrics are the factor profile of the winners over the losers, i.e. what training on these pairs
would teach, and the rates that say how far the judge can be trusted.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, Value, metric, scorer
from inspect_ai.solver import TaskState
from pydantic import BaseModel

from profile_tasks.data.preferences import AnnotatedPair, AnnotatedSource
from profile_tasks.data.task_definition import is_known, task_key
from profile_tasks.scorers.factors.factor import Factor
from profile_tasks.scorers.factors.selection import measured_factors
from profile_tasks.scorers.factors.words import word_count
from profile_tasks.scorers.inspect.arguments import told_of_a_scorer
from profile_tasks.scorers.inspect.live_metrics import seldom_while_running
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement, measure_source
from profile_tasks.scorers.measurement.standard_metrics import mean, verdict_rates
from profile_tasks.scorers.measurement.tables import comparison_tables
from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.metric_catalogue import points_first
from profile_tasks.scorers.statistics.study import JUDGE, REPLICATES, Study
from profile_tasks.settings import JudgeBy, Text, Tournament, WinnerSettings, takes
from profile_tasks.solvers.self_guided import JudgedSamples, judged_samples
from profile_tasks.solvers.tournament import Match, standings

SCORER = "self_guided_ranking"


class RankedSample(BaseModel, frozen=True):
    """One sample with its place.

    Attributes:
        text: The response; None where it was empty or refused.
        words: Its length; None without a text.
        truncated: Whether a token limit cut it off.
        same_as: Index of the earlier sample with this text; such a sample did not meet others.
        wins: Matches won in both orders.
        losses: Matches lost in both orders.
        ties: Matches in which the orders disagreed.
        unreadable: Matches with an unreadable verdict.
        share: Share of its matches won, ties half, 0 to 1; None where no match counts.
        rank: 1 for the greatest share, equal shares alike; None without a share.
    """

    text: str | None
    words: int | None
    truncated: bool
    same_as: int | None
    wins: int
    losses: int
    ties: int
    unreadable: int
    share: float | None
    rank: int | None


class SelfGuidedRanking(BaseModel, frozen=True):
    """The samples of a source, ranked.

    Attributes:
        source_id: The source.
        group: What is split and resampled as one.
        task: The key of a task.
        prompt: The request.
        source: The text to work on, if any.
        judge: The model that judged.
        judge_by: How it judged.
        tournament: Who met whom.
        requests: Requests sent for this source.
        samples: In the order of their seeds.
        matches: Who met, by index, and the verdicts.
        measurement: Factor manifestations of the matches' samples, and the verdicts.
    """

    source_id: str
    group: str
    task: str
    prompt: str
    source: str | None
    judge: str
    judge_by: JudgeBy = "words"
    tournament: Tournament
    requests: int
    samples: tuple[RankedSample, ...]
    matches: tuple[Match, ...]
    measurement: SourceMeasurement


def ranked(
    annotated: AnnotatedSource,
    judged: JudgedSamples,
    factors: Sequence[Factor],
    tournament: Tournament,
) -> SelfGuidedRanking:
    """Rank a source's samples and measure those that met."""
    table = standings(range(len(judged.samples)), judged.matches)
    shares = [table[index].share for index in range(len(judged.samples))]
    samples = tuple(
        RankedSample(
            text=sample.text,
            words=None if sample.text is None else word_count(sample.text),
            truncated=sample.truncated,
            same_as=sample.same_as,
            wins=table[index].wins,
            losses=table[index].losses,
            ties=table[index].ties,
            unreadable=table[index].unreadable,
            share=shares[index],
            rank=_rank(shares[index], shares),
        )
        for index, sample in enumerate(judged.samples)
    )
    met = annotated.model_copy(update={"pairs": tuple(_pair(m, judged) for m in judged.matches)})
    return SelfGuidedRanking(
        source_id=annotated.id,
        group=annotated.group,
        task=annotated.task,
        prompt=annotated.prompt,
        source=annotated.source,
        judge=judged.judge,
        judge_by=judged.judge_by,
        tournament=tournament,
        requests=judged.requests,
        samples=samples,
        matches=judged.matches,
        measurement=measure_source(met, factors, verdicts=[m.verdict for m in judged.matches]),
    )


def _rank(share: float | None, shares: Iterable[float | None]) -> int | None:
    if share is None:
        return None
    return 1 + sum(other is not None and other > share for other in shares)


def _pair(match: Match, judged: JudgedSamples) -> AnnotatedPair:
    """A match as a pair. Nobody annotated it: the preference is a tie that no table reads."""
    texts = (judged.samples[index].text or "" for index in (match.first, match.second))
    first, second = texts
    return AnnotatedPair(
        id=f"{match.first}-{match.second}",
        response_a=first,
        response_b=second,
        preference="tie",
    )


@metric(scores="unreduced")
def self_guided_metrics(replicates: int = REPLICATES, seed: int = 0) -> Metric:
    """The factor profile of winners over losers with intervals, and the judge's rates.

    Args:
        replicates: Bootstrap replicates; sources are resampled.
        seed: Seed of the bootstrap.
    """

    def compute(scores: list[SampleScore]) -> Value:
        if not scores:
            return {}
        rankings = [ranking_of(score.score) for score in scores]
        every = ranking_metrics(rankings, replicates=replicates, seed=seed)
        return {name: every[name] for name in points_first(every)}

    return seldom_while_running(compute)


def ranking_metrics(
    rankings: Sequence[SelfGuidedRanking], *, replicates: int = REPLICATES, seed: int = 0
) -> dict[str, float]:
    """Metrics of a run by name: rates and means of the samples, then ``tau_self_guided_{factor}``.

    Args:
        rankings: One a source, at least one.
        replicates: Bootstrap replicates.
        seed: Seed of the bootstrap.
    """
    matches = [match for ranking in rankings for match in ranking.matches]
    samples = [sample for ranking in rankings for sample in ranking.samples]
    metrics = {
        "decided_rate": mean(bool(match.preference) for match in matches),
        **verdict_rates([match.verdict for match in matches]),
        "sample_missing_rate": mean(sample.text is None for sample in samples),
        "sample_truncated_rate": mean(sample.truncated for sample in samples),
        "sample_identical_rate": mean(sample.same_as is not None for sample in samples),
        "sample_words": mean(sample.words for sample in samples if sample.words is not None),
        "requests": float(sum(ranking.requests for ranking in rankings)),
    }
    tables = comparison_tables(ranking.measurement for ranking in rankings)
    judged: dict[str, Comparisons] = {t.perspective: t for t in tables if t.perspective == JUDGE}
    study = Study(judged, replicates=replicates, seed=seed)
    profile = study.flat()
    return metrics | {
        name.replace("tau_discrimination_", "tau_self_guided_", 1): value
        for name, value in profile.items()
    }


class SelfGuidedRankingSettings(WinnerSettings):
    """Settings of the scorer."""

    task: Text
    """The task whose factors are meant."""


@scorer(metrics=[self_guided_metrics()])
@told_of_a_scorer()
@takes(SelfGuidedRankingSettings)
def self_guided_ranking(settings: SelfGuidedRankingSettings) -> Scorer:
    """Rank the samples of a source by the verdicts, and measure winners against losers."""
    task = task_key(settings.task) or settings.task

    @cache
    def chosen() -> tuple[Factor, ...]:
        return measured_factors(settings.factors, task, grader=False, learned_by={})

    if is_known(task):  # a wrong selection is told before a sample is scored
        chosen()

    async def score(state: TaskState, target: Target) -> Score:
        source = state.metadata_as(AnnotatedSource)
        ranking = ranked(source, judged_samples(state), chosen(), settings.tournament)
        best = next((sample for sample in ranking.samples if sample.rank == 1), None)
        return Score(
            value=sample_value(ranking),
            answer=None if best is None else best.text,
            explanation=explanation(ranking),
            metadata=ranking.model_dump(mode="json"),
        )

    return score


def ranking_of(score: Score) -> SelfGuidedRanking:
    """The ranking that a score of this scorer holds."""
    return SelfGuidedRanking.model_validate(score.metadata)


def sample_value(ranking: SelfGuidedRanking) -> Mapping[str, int]:
    """Counts that Inspect shows beside a source."""
    return {
        "samples": sum(sample.text is not None for sample in ranking.samples),
        "distinct": sum(
            sample.text is not None and sample.same_as is None for sample in ranking.samples
        ),
        "matches": len(ranking.matches),
        "decided": sum(bool(match.preference) for match in ranking.matches),
    }


_WAYS: Mapping[JudgeBy, str] = {"words": "in words", "likelihood": "by likelihood"}


def explanation(ranking: SelfGuidedRanking) -> str:
    """The source in words, for the log viewer."""
    places = ", ".join(
        f"{index}: {'no place' if sample.rank is None else f'{sample.rank}. ({sample.share:.2f})'}"
        for index, sample in enumerate(ranking.samples)
    )
    met = ranking.tournament.replace("_", " ")
    return (
        f"judged by {ranking.judge} {_WAYS[ranking.judge_by]} in a {met}; "
        f"{ranking.requests} requests; place (share of wins) by sample: {places}"
    )
