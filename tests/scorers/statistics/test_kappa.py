"""Cohen's kappa with an interval by group."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from profile_tasks.scorers.statistics.comparisons import Comparisons
from profile_tasks.scorers.statistics.estimate import Estimate
from profile_tasks.scorers.statistics.kappa import cohens_kappa, kappa_indicators
from profile_tasks.scorers.statistics.study import Study


def kappa(first: list[int], second: list[int], replicates: int = 400) -> Estimate:
    columns = kappa_indicators(np.array(first), np.array(second))
    holds = np.column_stack(list(columns.values()))
    table = Comparisons(
        np.ones(len(first)),
        holds.astype(int),
        np.zeros_like(holds),
        np.arange(len(first)),
        tuple(columns),
        "human",
    )
    study = Study({}, {"kappa": table}, replicates=replicates)
    profile, drawn = study.profiles["kappa"], study.drawn["kappa"]
    return cohens_kappa(profile, drawn, "nothing counts", ("one", "other"))


def test_it_is_that_of_scikit_learn_within_an_interval() -> None:
    rng = np.random.default_rng(3)
    first = rng.integers(-1, 2, 200)
    second = np.where(rng.random(200) < 0.6, first, rng.integers(-1, 2, 200))
    found = kappa(first.tolist(), second.tolist())
    assert found.value == pytest.approx(cohen_kappa_score(first, second), rel=0, abs=1e-12)
    assert found.low < found.value < found.high
    assert found.high - found.low < 0.4


def test_two_who_always_say_the_same_have_none_with_the_reason() -> None:
    found = kappa([1] * 10, [1] * 10)
    assert not found.defined
    assert found.reason == "one and other always give the same one label, so chance agrees fully"
