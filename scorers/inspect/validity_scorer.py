"""The Inspect scorer of score validity: a thin skin over ``score_validity``."""

from collections.abc import Sequence

from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, Value, metric, scorer
from inspect_ai.solver import TaskState
from pydantic import BaseModel

from profile_tasks.scorers.inspect.live_metrics import seldom_while_running
from profile_tasks.scorers.statistics.metric_catalogue import points_first
from profile_tasks.scorers.statistics.score_validity import (
    COMPLIANCE,
    REPLICATES,
    ScoredTexts,
    per_byte,
    score_compliance,
    score_validity,
    source_correlation,
)
from profile_tasks.solvers.both_orders import PairVerdict, Picks
from profile_tasks.solvers.text_likelihood import (
    SourceTexts,
    compliance_verdict,
    likelihood_problems,
    told_likelihoods,
)


class TextsMeasured(BaseModel, frozen=True):
    """What was measured on the texts about one source.

    Attributes:
        texts: Those whose log-probability is known; None if not asked.
        missing: Texts whose log-probability is not known.
        problems: Why.
        group: What is resampled as one.
        picks: Of the verdict on the best and the worst text by score; None if not asked.
        margins: The same; empty where the model judged in words.
    """

    group: str
    texts: ScoredTexts | None
    missing: int = 0
    problems: tuple[str, ...] = ()
    picks: Picks | None = None
    margins: tuple[float, ...] = ()

    @property
    def won(self) -> int | None:
        """1: the best text is judged better; -1: worse; 0: neither; None: missing."""
        return None if self.picks is None else PairVerdict(self.picks, self.margins).preference


@metric(scores="unreduced")
def validity_metrics(replicates: int = REPLICATES, seed: int = 0) -> Metric:
    """Both correlations and score compliance, with intervals.

    Args:
        replicates: Bootstrap replicates.
        seed: Seed of the bootstrap.
    """

    def compute(scores: list[SampleScore]) -> Value:
        measured = [TextsMeasured.model_validate(score.score.metadata) for score in scores]
        every = validity_values(measured, replicates=replicates, seed=seed)
        return {name: every[name] for name in points_first(every)}

    return seldom_while_running(compute)


@scorer(metrics=[validity_metrics()])
def text_validity() -> Scorer:
    """Keep scores, log-probabilities per byte and verdicts of the texts about a source."""

    async def score(state: TaskState, target: Target) -> Score:
        known = state.metadata_as(SourceTexts)
        told, verdict = told_likelihoods(state), compliance_verdict(state)
        texts = None
        if told is not None:
            pairs = [
                (score, per_byte(value, text))
                for value, (score, text) in zip(told, known.texts, strict=True)
                if value is not None
            ]
            texts = ScoredTexts(
                source_id=known.source.id,
                group=known.source.group,
                scores=tuple(score for score, _ in pairs),
                log_probabilities=tuple(log for _, log in pairs),
            )
        measured = TextsMeasured(
            group=known.source.group,
            texts=texts,
            missing=0 if told is None else sum(value is None for value in told),
            problems=tuple(dict.fromkeys(likelihood_problems(state))),
            picks=None if verdict is None else verdict.picks,
            margins=() if verdict is None else verdict.margins,
        )
        return Score(
            value={"texts": len(known.texts), "missing": measured.missing},
            explanation=explanation(measured),
            metadata=measured.model_dump(mode="json"),
        )

    return score


def validity_values(
    measured: Sequence[TextsMeasured], *, replicates: int = REPLICATES, seed: int = 0
) -> dict[str, float]:
    """Flat metrics of what was asked; NaN where a number is not defined."""
    values: dict[str, float] = {}
    if texts := [record.texts for record in measured if record.texts is not None]:
        values |= score_validity(texts, replicates=replicates, seed=seed).values()
        values["score_validity_missing"] = float(sum(record.missing for record in measured))
    outcomes = [(record.group, record.won) for record in measured if record.picks is not None]
    if outcomes:
        estimate = score_compliance(outcomes, replicates=replicates, seed=seed)
        values |= estimate.flat(COMPLIANCE)
        values[f"{COMPLIANCE}_unreadable"] = float(sum(won is None for _, won in outcomes))
    return values


def explanation(measured: TextsMeasured) -> str:
    """The sample in words, for the log viewer."""
    parts = []
    if measured.texts is not None:
        correlation = source_correlation(measured.texts)
        parts.append(f"r of score and log-probability per byte: {correlation:.2f}")
    if measured.missing:
        parts.append(f"{measured.missing} missing: {'; '.join(measured.problems[:1])}")
    if measured.picks is not None:
        words = {1: "the better", 0: "as good", -1: "the worse", None: "unreadably judged"}
        parts.append(f"the text for the highest score is {words[measured.won]} of the extremes")
    return "; ".join(parts)
