"""Two models on the same sources: differences, paired by source, as one record."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from profile_tasks.scorers.statistics.comparisons import Comparisons, Perspective
from profile_tasks.scorers.statistics.estimate import FEW_GROUPS, Estimate
from profile_tasks.scorers.statistics.records import compared_record, side
from profile_tasks.scorers.statistics.significance import difference_tests
from profile_tasks.scorers.statistics.study import AGREEMENT, Study

FACTORS = ("length", "novel_words", "fluency", "markdown")
ALIGNMENTS = {
    f"alignment_{perspective}_{coefficient}"
    for perspective in ("discrimination", "generation")
    for coefficient in ("tau_b", "spearman", "pearson")
} | {"alignment_gap_tau_b"}


def table(
    perspective: Perspective, seed: int, *, groups: range = range(30), length: float = 1.0
) -> Comparisons:
    """Six pairs a group, the same for every judge; each judge has noise of its own."""
    manifestation = np.vstack(
        [np.random.default_rng(group).integers(-1, 2, (6, len(FACTORS))) for group in groups]
    )
    noise = np.random.default_rng([9, seed]).logistic(size=len(manifestation))
    return Comparisons(
        np.sign(manifestation @ [length, -0.5, 0.3, 0.0] + noise), manifestation,
        np.zeros(manifestation.shape, bool), np.repeat(np.array(groups), 6), FACTORS, perspective,
    )  # fmt: skip


def model(
    seed: int, *, groups: range = range(30), written: int = 0, **taste: float
) -> list[Comparisons]:
    """A model's tables beside those of the same people."""
    return [
        table("human", 0, groups=groups),
        table("discrimination", seed, groups=groups, **taste),
        table("generation", seed + 100 + written, groups=groups, **taste),
    ]


def study_of(
    first: Sequence[Comparisons],
    second: Sequence[Comparisons],
    *,
    names: tuple[str, str] = ("A", "B"),
    seed: int = 0,
) -> Study:
    both = zip(names, (first, second), strict=True)
    named = {side(name, table.perspective): table for name, own in both for table in own}
    return Study(named, replicates=200, seed=seed)


def compared(
    first: Sequence[Comparisons],
    second: Sequence[Comparisons],
    *,
    names: tuple[str, str] = ("A", "B"),
    seed: int = 0,
) -> dict[str, Any]:
    record = compared_record(study_of(first, second, names=names, seed=seed), names=names)
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    return record


def every(record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every compared number of a record by its name."""
    return record["alignments"] | {
        f"tau_{perspective}_{factor}": found
        for perspective, part in record["perspectives"].items()
        for factor, found in part["factors"].items()
    }


def test_every_difference_is_the_first_model_less_the_second(
    five_pairs: Callable[..., Comparisons],
) -> None:
    human = five_pairs("human", length=5, novel_words=4, fluency=3, markdown=2)
    # One, and five, of the six pairs of factors the other way round than people: +-(5 - 1) / 6.
    near = {"length": 5, "novel_words": 4, "fluency": 2, "markdown": 3}
    far = {"length": 2, "novel_words": 3, "fluency": 5, "markdown": 4}
    first = [human, five_pairs("discrimination", **near), five_pairs("generation", **far)]
    second = [human, five_pairs("discrimination", **far), five_pairs("generation", **near)]
    found = every(compared(first, second))
    for name, a, b in (
        ("tau_discrimination_length", 1.0, -0.2),
        ("tau_discrimination_fluency", -0.2, 1.0),
        ("tau_generation_length", -0.2, 1.0),
        ("alignment_discrimination_tau_b", 2 / 3, -2 / 3),
        ("alignment_generation_tau_b", -2 / 3, 2 / 3),
        ("alignment_gap_tau_b", 4 / 3, -4 / 3),
    ):
        numbers = [found[name][key] for key in ("a", "b", "value")]
        assert numbers == pytest.approx([a, b, a - b]), name
        ends = [found[name][key] for key in ("ci_low", "ci_high")]
        if "alignment" in name:
            # Sources that are all alike do not tell how far the true alignments are.
            assert ends == [None, None], name
        else:
            assert ends[0] < a - b < ends[1] < ends[0] + 0.2, name
    alone = every(compared(first[:2], second[:2]))["tau_discrimination_length"]
    assert [alone[key] for key in ("a", "b", "value")] == pytest.approx([1.0, -0.2, 1.2])


def test_influences_of_either_model_and_their_difference() -> None:
    first, second = model(1), model(2, length=-1.0)
    record = compared(first, second, seed=4)
    study = study_of(first, second, seed=4)
    for place, perspective in ((1, "discrimination"), (2, "generation")):
        tests = difference_tests(first[place], second[place], names=("A", "B"), seed=4)
        part = record["perspectives"][perspective]
        assert part["p_family"] == "influence on A less that on B: 4 factors"
        differences, _ = study.difference(side("A", perspective), side("B", perspective))
        for i, (factor, found) in enumerate(part["factors"].items()):
            assert found["value"] == found["a"] - found["b"] == tests.value[i]
            interval = differences[factor]
            assert (found["ci_low"], found["ci_high"]) == (interval.low, interval.high)
            assert found["p_value"] == tests.p_value[i]
    length = record["perspectives"]["discrimination"]["factors"]["length"]
    assert length["ci_low"] > 0
    assert length["p_adjusted"] < 0.01


def test_alignments_and_gaps_of_either_model_and_their_difference() -> None:
    first, second = model(1), model(2, length=-1.0)
    record = compared(first, second, seed=4)
    assert set(record["alignments"]) == ALIGNMENTS
    study = study_of(first, second, seed=4)
    for name, found in record["alignments"].items():
        a, b = (_alignment(study, run, name) for run in "AB")
        assert (found["a"], found["b"]) == (a.value, b.value)
        assert found["value"] == found["a"] - found["b"]
        apart = a.disattenuated - b.disattenuated
        assert found["ci_low"] <= apart <= found["ci_high"]
        if "gap" not in name:  # of few groups, from end to end
            assert study.n_groups < FEW_GROUPS
            assert found["ci_low"] == pytest.approx(a.low - b.high)


def test_self_agreement_of_either_model_and_its_difference() -> None:
    # The first writes as it judges; the second judges its own texts by another taste.
    first = [*model(1), table("own", 11)]
    second = [*model(2), table("own", 12, length=-2.0)]
    record = compared(first, second)
    assert set(record["alignments"]) == ALIGNMENTS | {
        f"self_agreement_{coefficient}" for coefficient in ("tau_b", "spearman", "pearson")
    }
    study = study_of(first, second)
    found = record["alignments"]["self_agreement_pearson"]
    for key, run in (("a", "A"), ("b", "B")):
        own = study.self_agreement(side(run, "own"), side(run, "generation"))["pearson"]
        assert found[key] == own.value
    assert found["a"] > 0.9
    assert found["b"] < 0
    assert found["value"] == found["a"] - found["b"]
    assert found["ci_low"] > 0
    mirrored = compared(second, first)["alignments"]["self_agreement_pearson"]
    assert mirrored["ci_high"] < 0
    alone = compared(first, model(2))["alignments"]
    assert "self_agreement_pearson" not in alone


def _alignment(study: Study, run: str, name: str) -> Estimate:
    if name == "alignment_gap_tau_b":
        return study.gap(*(side(run, p) for p in ("human", "discrimination", "generation")))[
            "tau_b"
        ]
    _, perspective, coefficient = name.split("_", 2)
    return study.alignment(side(run, "human"), side(run, perspective))[coefficient]


def test_a_model_does_not_differ_from_itself() -> None:
    record = compared(model(1), model(1))
    for name, found in every(record).items():
        assert found["a"] == found["b"]
        assert (found["value"], found["reason"]) == (0, None)
        # On a pair more the two might differ; and two intervals are each longer on one side.
        assert found["ci_low"] == pytest.approx(-found["ci_high"])
        if "tau_" in name.removesuffix("tau_b"):
            assert found["ci_high"] < 0.1
    for part in record["perspectives"].values():
        for found in part["factors"].values():
            assert (found["p_value"], found["p_adjusted"], found["p_adjusted_bh"]) == (1, 1, 1)


def test_the_models_may_change_places() -> None:
    first, second = model(1), model(2, groups=range(10, 40), length=-1.0)
    one, other = every(compared(first, second)), every(compared(second, first))
    for name, found in one.items():
        mirrored = other[name]
        assert (found["a"], found["b"]) == (mirrored["b"], mirrored["a"])
        assert found["value"] == pytest.approx(-mirrored["value"])
        assert found["ci_low"] == pytest.approx(-mirrored["ci_high"])
        assert found["ci_high"] == pytest.approx(-mirrored["ci_low"])
        assert found.get("p_value") == mirrored.get("p_value")


def test_groups_that_only_one_model_has_are_resampled_too() -> None:
    record = compared(model(1), model(2, groups=range(10, 40)))
    assert record["n_groups"] == 40
    part = record["perspectives"]["discrimination"]["factors"]
    assert {found["groups"] for found in part.values()} == {40}
    assert all(found["ci_low"] < found["value"] < found["ci_high"] for found in part.values())


def test_sharing_sources_makes_the_difference_of_like_judges_more_certain() -> None:
    # The second judge follows the first one on nine pairs of ten.
    def like(tables: list[Comparisons], shift: int) -> list[Comparisons]:
        flip = np.random.default_rng(5).random(180) < 0.1
        return [
            Comparisons(
                np.where(flip, -t.preference, t.preference), t.manifestation, t.missing,
                t.group + shift, FACTORS, t.perspective,
            )
            for t in tables
        ]  # fmt: skip

    def width(shift: int) -> float:
        found = compared(model(1), like(model(1), shift))["perspectives"]["discrimination"]
        return found["factors"]["length"]["ci_high"] - found["factors"]["length"]["ci_low"]

    assert width(0) < 0.7 * width(30)


def test_only_what_both_models_were_asked_is_compared() -> None:
    judge, both = model(1)[:2], model(2)
    record = compared(judge, both)
    assert set(record["perspectives"]) == {"discrimination"}
    assert set(record["alignments"]) == {
        f"alignment_discrimination_{c}" for c in ("tau_b", "spearman", "pearson")
    }


def test_a_judge_and_a_writer_have_nothing_to_compare() -> None:
    judge, writer = model(1)[:2], [model(2)[0], model(2)[2]]
    with pytest.raises(ValueError, match="first and second have no perspective of a model in"):
        compared(judge, writer, names=("first", "second"))


def test_models_with_different_factors_are_refused() -> None:
    fewer = [
        Comparisons(
            t.preference, t.manifestation[:, :3], t.missing[:, :3], t.group, FACTORS[:3],
            t.perspective,
        )
        for t in model(2)
    ]  # fmt: skip
    with pytest.raises(ValueError, match="the factors of the two judges differ"):
        compared(model(1), fewer)


def test_the_record_says_what_it_rests_on() -> None:
    record = compared(model(1), model(2), names=("old", "new"), seed=7)
    assert record["names"] == ["old", "new"]
    assert record["factors"] == list(FACTORS)
    assert (record["replicates"], record["seed"], record["n_groups"]) == (200, 7, 30)
    assert "old less that on new" in record["perspectives"]["generation"]["p_family"]


def test_few_sources_have_differences_without_intervals() -> None:
    few = every(compared(model(1, groups=range(7)), model(2, groups=range(7))))
    for name, found in few.items():
        alignment = "alignment" in name
        assert (found["value"] is None) == alignment
        assert found["ci_low"] is None
        decided = "groups with decided pairs: 7; an alignment needs at least 8"
        assert found["reason"] == (
            decided if alignment else "groups: 7; an interval needs at least 8"
        )


def test_agreement_is_compared_share_by_share() -> None:
    def judged(seed: int, shares: Sequence[float]) -> Comparisons:
        rng = np.random.default_rng(seed)
        return Comparisons(
            np.ones(200), (rng.random((200, 2)) < shares).astype(int), np.zeros((200, 2), bool),
            np.repeat(np.arange(40), 5), ("discrimination_accuracy", "flip_rate"),
            "discrimination",
        )  # fmt: skip

    first, second = judged(1, [0.9, 0.1]), judged(2, [0.6, 0.1])

    def agreement(*tables: Comparisons) -> dict[str, Any]:
        shares = {side(run, AGREEMENT): t for run, t in zip("AB", tables, strict=True)}
        tables_of_both = study_of(model(1), model(2)).tables
        return compared_record(Study(tables_of_both, shares, replicates=200))["agreement"]

    accuracy, flips = agreement(first, second).values()
    assert accuracy["a"] == first.manifestation[:, 0].mean()
    assert accuracy["value"] == accuracy["a"] - accuracy["b"]
    assert accuracy["ci_low"] > 0
    assert flips["ci_low"] < 0 < flips["ci_high"]
    same = agreement(first, first)["flip_rate"]
    assert (same["value"], same["p_value"]) == (0, 1)
    # One verdict more of 200 on which they differ, by t of 40 sources.
    assert (same["ci_low"], same["ci_high"]) == pytest.approx(
        (-2.0227 / 200, 2.0227 / 200), rel=1e-3
    )


def test_judges_are_compared_in_taste_and_writers_are_not() -> None:
    first, second = model(1), model(2, length=-1.0)
    perspectives = compared(first, second)["perspectives"]
    judged = perspectives["discrimination"]
    assert judged["taste"]["verdict"] == "differs in taste"
    assert judged["factors"]["length"]["taste"]["verdict"] == "differs in taste"
    assert judged["factors"]["length"]["taste"]["value"] > 0
    assert "taste" not in perspectives["generation"]


def test_the_margin_of_equivalence_may_be_set() -> None:
    many = range(300)
    study = study_of(model(1, groups=many), model(2, groups=many))
    wide, narrow = (
        compared_record(study, margin=margin)["perspectives"]["discrimination"]["taste"]
        for margin in (0.3, 0.001)
    )
    assert (wide["verdict"], wide["margin"]) == ("equivalent", 0.3)
    assert (narrow["verdict"], narrow["margin"]) == ("undecided", 0.001)
