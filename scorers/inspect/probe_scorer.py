"""The Inspect scorer of the probes of a judge: a thin skin over ``probed_source``."""

from collections.abc import Sequence

from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, Value, metric, scorer
from inspect_ai.solver import TaskState

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.data.task_definition import task_key
from profile_tasks.scorers.factors.selection import measured_factors
from profile_tasks.scorers.inspect.arguments import told_of_a_scorer
from profile_tasks.scorers.inspect.live_metrics import seldom_while_running
from profile_tasks.scorers.measurement.probed_source import ProbedSource, judge_findings
from profile_tasks.scorers.statistics.metric_catalogue import points_first
from profile_tasks.solvers.judge_probes import probe_answers

JUDGE_AUDIT = "judge_sensitivity"
"""Name of the scorer, and of its score in a log."""


@metric(scores="unreduced")
def probe_metrics(seed: int = 0) -> Metric:
    """What each probe found, with its interval, p-value and what it could have shown.

    Args:
        seed: Of the tests.
    """

    def compute(scores: list[SampleScore]) -> Value:
        records = [ProbedSource.model_validate(score.score.metadata) for score in scores]
        if not records:
            return {}
        every = {"measured_groups": float(len({record.measured.group for record in records}))}
        for finding in judge_findings(records, seed=seed).values():
            every |= finding.flat()
        return {name: every[name] for name in points_first(every)}

    return seldom_while_running(compute)


@scorer(metrics=[probe_metrics()])
def judge_sensitivity(task: str | None = None, factors: str | Sequence[str] = "surface") -> Scorer:
    """Keep what the judge said in the probes of a source.

    Args:
        task: The task whose factors are meant; else that of the sample.
        factors: Factors whose influence is compared between wordings.
    """

    async def score(state: TaskState, target: Target) -> Score:
        source = state.metadata_as(AnnotatedSource)
        with told_of_a_scorer():
            chosen = measured_factors(
                factors, task_key(task) or source.task, grader=False, learned_by={}
            )
        answers = probe_answers(state)
        record = ProbedSource.of(source, answers, chosen)
        told = [
            each for said in (answers.verdicts, answers.probed) for s in said.values() for each in s
        ]
        unreadable = sum(each.verdict.unreadable for each in told)
        return Score(
            value={"pairs": len(source.pairs), "unreadable": unreadable},
            explanation=_explanation(record, sum(len(each.picks) for each in told), unreadable),
            metadata=record.model_dump(mode="json"),
        )

    return score


def _explanation(record: ProbedSource, n: int, unreadable: int) -> str:
    """The sample in words, for the log viewer."""
    skipped = [f"{n} texts without {name}" for name, n in record.answers.skipped.items() if n]
    parts = [f"{n} verdicts", *([f"{unreadable} unreadable"] if unreadable else []), *skipped]
    return "; ".join(parts)
