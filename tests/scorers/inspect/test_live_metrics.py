"""While samples run a metric may be some samples old; at the end of a run it never is."""

from collections.abc import Callable
from pathlib import Path

import pytest
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import Sample
from inspect_ai.scorer import SampleScore, Score, Value
from inspect_ai.solver import Generate, Solver, TaskState, solver

from profile_tasks.scorers.inspect.live_metrics import seldom_while_running

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

SCORES = [SampleScore(score=Score(value=n), sample_id=n) for n in range(20)]


def metric(computed: list[int]) -> Callable[[list[SampleScore]], Value]:
    def compute(scores: list[SampleScore]) -> dict[str, float]:
        computed.append(len(scores))
        return {"sum": float(sum(each.score.value for each in scores))}

    return seldom_while_running(compute)


def in_a_sample(folder: Path, work: Callable[[], object]) -> None:
    @solver
    def working() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            work()
            return state

        return solve

    task = Task(dataset=[Sample(input="x")], solver=working())
    (log,) = inspect_eval(
        task, model="planted/verbose", display="none", log_dir=str(folder), log_realtime=False
    )
    assert log.status == "success"


def test_in_a_sample_it_is_made_again_where_half_as_many_again(tmp_path: Path) -> None:
    computed: list[int] = []
    seldom = metric(computed)

    def work() -> None:
        for n in range(1, 21):
            value = seldom(SCORES[:n])
            assert value == {"sum": sum(range(computed[-1]))}

    in_a_sample(tmp_path, work)
    assert computed == [1, 2, 3, 5, 8, 12, 18]


def test_where_no_sample_runs_it_is_always_computed(tmp_path: Path) -> None:
    computed: list[int] = []
    seldom = metric(computed)
    in_a_sample(tmp_path, lambda: (seldom(SCORES[:19]), seldom(SCORES)))
    assert seldom(SCORES) == seldom(SCORES) == {"sum": 190.0}
    assert computed == [19, 20, 20]


def test_other_scores_are_never_given_the_last_value(tmp_path: Path) -> None:
    computed: list[int] = []
    seldom = metric(computed)
    others = [SampleScore(score=Score(value=1), sample_id=n) for n in range(20)]

    def work() -> None:
        seldom(SCORES)
        assert seldom(others) == {"sum": 20.0}
        assert seldom(others[:10]) == {"sum": 10.0}
        assert seldom([]) == {"sum": 0.0}

    in_a_sample(tmp_path, work)
    assert computed == [20, 20, 10, 0]


def test_a_value_that_is_changed_by_who_gets_it_is_not_given_again(tmp_path: Path) -> None:
    computed: list[int] = []
    seldom = metric(computed)

    def work() -> None:
        seldom(SCORES).clear()
        assert seldom(SCORES) == {"sum": 190.0}

    in_a_sample(tmp_path, work)
    assert computed == [20]
