"""The record of a difference of two judges holds what the statistics say, as JSON has it."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from profile_tasks.scorers.statistics.comparisons import Comparisons, Perspective
from profile_tasks.scorers.statistics.records import difference_record
from profile_tasks.scorers.statistics.significance import difference_tests
from profile_tasks.scorers.statistics.study import Study

FACTORS = ("length", "fluency", "coherence")


def table(seed: int, perspective: Perspective, *, groups: int = 30) -> Comparisons:
    rng = np.random.default_rng(seed)
    manifestation = rng.integers(-1, 2, (4 * groups, 3))
    utility = manifestation @ [seed - 0.5, 0.5, 0.0] + rng.logistic(size=len(manifestation))
    return Comparisons(
        np.sign(utility), manifestation, np.zeros(manifestation.shape, bool),
        np.repeat(np.arange(groups), 4), FACTORS, perspective,
    )  # fmt: skip


def recorded(
    first: Comparisons, second: Comparisons, *, seed: int = 0, **options: Any
) -> dict[str, Any]:
    study = Study({"one": first, "other": second}, replicates=300, seed=seed)
    record = difference_record(study, "one", "other", **options)
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    return record


def test_the_difference_is_the_first_judge_less_the_second(
    five_pairs: Callable[..., Comparisons],
) -> None:
    model = five_pairs("discrimination", length=5, fluency=2, coherence=3)  # 1, -0.2, 0.2
    human = five_pairs("human", length=3, fluency=4, coherence=3)  # 0.2, 0.6, 0.2
    record = recorded(model, human)["factors"]
    for factor, difference in (("length", 0.8), ("fluency", -0.8), ("coherence", 0.0)):
        found = record[factor]
        assert found["value"] == pytest.approx(difference)
        # Ten sources that all say the same do not tell that an eleventh would.
        assert found["ci_low"] < difference < found["ci_high"]
    # All ten sources say the same: of 2 ** 10 flips, none but all or nothing is as far from 0.
    assert [found["p_value"] for found in record.values()] == [2 / 1024, 2 / 1024, 1]


def test_difference_interval_and_p_values_are_those_of_the_statistics() -> None:
    model, human = table(1, "discrimination"), table(0, "human")
    record = recorded(model, human, seed=5)
    tests = difference_tests(model, human, seed=5)
    study = Study({"one": model, "other": human}, replicates=300, seed=5)
    differences, _ = study.difference("one", "other")
    assert tuple(record["factors"]) == FACTORS
    for i, (factor, found) in enumerate(record["factors"].items()):
        interval = differences[factor]
        assert found == {
            "value": tests.value[i],
            "ci_low": interval.low,
            "ci_high": interval.high,
            "reason": None,
            "p_value": tests.p_value[i],
            "p_adjusted": tests.p_holm[i],
            "p_adjusted_bh": tests.p_bh[i],
            "groups": 30,
        }
    assert record["p_family"] == "influence on discrimination less that on human: 3 factors"
    assert (record["p_method"], record["p_adjustment"]) == (tests.method, "holm")


def test_a_judge_less_the_other_is_the_other_less_the_judge_with_the_opposite_sign() -> None:
    model, human = table(1, "discrimination"), table(0, "human")
    one, other = recorded(model, human), recorded(human, model)
    for factor in FACTORS:
        found, mirrored = one["factors"][factor], other["factors"][factor]
        assert found["value"] == -mirrored["value"]
        assert np.isclose(found["ci_low"], -mirrored["ci_high"])
        assert found["p_value"] == mirrored["p_value"]


def test_the_judges_may_be_named() -> None:
    record = recorded(table(1, "discrimination"), table(0, "discrimination"), names=("A", "B"))
    assert record["p_family"] == "influence on A less that on B: 3 factors"


def test_of_the_same_pairs_the_p_values_need_no_seed() -> None:
    tables = table(1, "discrimination"), table(0, "human")
    first, other = (recorded(*tables, seed=seed)["factors"] for seed in (1, 2))
    assert first["fluency"]["p_value"] == other["fluency"]["p_value"]


def test_what_one_judge_lacks_is_null_with_a_reason() -> None:
    model, human = table(1, "discrimination"), table(0, "human")
    gone = np.zeros(human.missing.shape, bool)
    gone[:, 1] = True
    partial = Comparisons(
        human.preference, np.where(gone, 0, human.manifestation), gone, human.group, FACTORS,
        "human",
    )  # fmt: skip
    found = recorded(model, partial)["factors"]["fluency"]
    for name in ("value", "ci_low", "ci_high", "p_value", "p_adjusted", "p_adjusted_bh"):
        assert found[name] is None
    assert found["reason"].startswith("human: the factor is missing in all")


def test_few_groups_have_a_difference_without_an_interval() -> None:
    record = recorded(table(1, "discrimination", groups=7), table(0, "human", groups=7))
    for found in record["factors"].values():
        assert found["value"] is not None
        assert found["p_value"] is not None
        assert found["ci_low"] is None
        assert found["reason"] == "groups: 7; an interval needs at least 8"
