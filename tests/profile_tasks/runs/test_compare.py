"""Two finished runs compared over what both measured."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from profile_tasks.runs.compare import compare_runs
from profile_tasks.runs.run import Run
from profile_tasks.scorers.measurement.source_measurement import (
    GenerationPair,
    SourceMeasurement,
    standard_metrics,
)
from profile_tasks.scorers.measurement.tables import agreement_table, comparison_tables
from profile_tasks.scorers.statistics.influence import profile_of
from profile_tasks.scorers.statistics.records import compared_record, side
from profile_tasks.scorers.statistics.study import AGREEMENT, Study

FACTORS = ("length", "novel_words", "fluency", "markdown")


def measured(
    source: int,
    *,
    taste: float = 1.0,
    factors: tuple[str, ...] = FACTORS,
    judged: bool = True,
    wrote: bool = True,
    grader: str | None = None,
) -> SourceMeasurement:
    """Four annotated pairs that people prefer by the first factor, and the model by its taste."""
    rng = np.random.default_rng(source)
    signs = rng.choice([-1, 1], (4, len(FACTORS)))
    human = np.where(rng.random(4) < 0.8, signs[:, 0], -signs[:, 0])
    model = np.where(rng.random(4) < 0.9, np.sign(taste), -np.sign(taste)) * signs[:, 0]
    verdicts = {1: ("first", "second"), -1: ("second", "first")}
    written = rng.choice([-1, 1], (3, len(FACTORS)))
    written[:, 0] = np.sign(taste)
    kept = [FACTORS.index(name) if name in FACTORS else 0 for name in factors]
    return SourceMeasurement(
        source_id=f"s{source:02}",
        group=f"g{source:02}",
        factors=factors,
        human=tuple(human.tolist()),
        annotated=tuple(map(tuple, signs[:, kept].tolist())),
        picks=tuple(verdicts[sign] for sign in model.tolist()) if judged else None,
        pairs_written=tuple(
            GenerationPair(higher=i + 1, lower=i, identical=False) for i in range(3)
        )
        if wrote
        else None,
        written=tuple(map(tuple, written[:, kept].tolist())) if wrote else (),
        grader=grader,
    )


def run(
    name: str = "a",
    sources: Iterable[int] = range(20),
    *,
    task: str = "profile_tasks/document_qa",
    status: str = "success",
    **how: Any,
) -> Run:
    measurements = tuple(measured(source, **how) for source in sources)
    return Run(
        file=f"{name}.eval",
        harness="inspect",
        model=f"model/{name}",
        task=task.rpartition("/")[2],
        name=task,
        setting="both",
        status=status,
        measurements=measurements,
    )


def compared(first: Run, second: Run) -> dict[str, Any]:
    record = compare_runs(first, second, replicates=100)
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    return record


def test_the_comparison_is_that_of_the_tables_of_the_two_runs() -> None:
    first, second = run("a"), run("b", taste=-1.0)
    record = compared(first, second)
    runs = (("A", first.measurements), ("B", second.measurements))
    study = Study(
        {side(name, t.perspective): t for name, own in runs for t in comparison_tables(own)},
        {side(name, AGREEMENT): agreement_table(own) for name, own in runs},
        replicates=100,
    )
    expected = compared_record(study)
    assert {name: record[name] for name in expected} == expected
    assert (record["log_a"], record["model_b"]) == ("a.eval", "model/b")
    assert (record["n_sources"], record["n_groups"], record["notes"]) == (20, 20, [])


def test_run_a_comes_first_in_every_difference() -> None:
    longer, shorter = run("longer"), run("shorter", taste=-1.0)
    for first, second, sign in ((longer, shorter, 1), (shorter, longer, -1)):
        record = compared(first, second)
        assert (record["log_a"], record["log_b"]) == (first.file, second.file)
        assert (record["model_a"], record["model_b"]) == (first.model, second.model)
        # All that is written for a higher score shows more length, or less of it.
        length = record["perspectives"]["generation"]["factors"]["length"]
        assert [length[key] for key in ("a", "b", "value")] == [sign, -sign, 2 * sign]
        # Of texts that all show the same one pair may not, and no difference is greater than 2.
        near, end = sorted((length["ci_low"], length["ci_high"]), key=abs)
        assert end == 2 * sign
        assert 1.8 < sign * near < 2
        accuracy = record["agreement"]["discrimination_accuracy"]
        assert sign * accuracy["a"] > sign * accuracy["b"]
        assert sign * accuracy["value"] > 0


def test_human_influence_stands_beside_the_models() -> None:
    first, second = run("a"), run("b", taste=-1.0)
    human = profile_of(comparison_tables(first.measurements)[0])
    for part in compared(first, second)["perspectives"].values():
        assert [found["human"] for found in part["factors"].values()] == human.tau.tolist()


def test_accuracy_and_flip_rate_of_the_judges_are_compared() -> None:
    first, second = run("a"), run("b", taste=-1.0)
    record = compared(first, second)
    accuracy = record["agreement"]["discrimination_accuracy"]
    for key, each in (("a", first), ("b", second)):
        rates = standard_metrics(each.measurements)
        for name, found in record["agreement"].items():
            assert found[key] == pytest.approx(rates[name])
    assert accuracy["ci_low"] > 0
    assert record["words"][0].startswith("as a")
    assert [words.partition("A judges")[0] for words in record["words"] if "accuracy" in words] == [
        "",
        "of the pairs that each decides, ",
    ]


def test_a_run_does_not_differ_from_itself() -> None:
    record = compared(run(), run())
    numbers = [
        *record["alignments"].values(),
        *record["agreement"].values(),
        *(f for part in record["perspectives"].values() for f in part["factors"].values()),
    ]
    assert {n["value"] for n in numbers} == {0}
    for each in numbers:
        assert each["ci_low"] is None or each["ci_low"] == pytest.approx(-each["ci_high"])


def test_only_the_sources_of_both_runs_are_compared_whatever_their_order() -> None:
    first, second = run("a", range(18)), run("b", range(19, 3, -1), taste=-1.0)
    record = compared(first, second)
    assert (record["n_sources"], record["n_groups"]) == (14, 14)
    assert record["notes"] == [
        "4 sources that only A was measured on are left out",
        "2 sources that only B was measured on are left out",
    ]
    alone = compared(run("a", range(4, 18)), run("b", range(4, 18), taste=-1.0))
    assert record["perspectives"] == alone["perspectives"]
    assert record["alignments"] == alone["alignments"]


def test_only_the_factors_of_both_runs_are_compared() -> None:
    record = compared(run("a"), run("b", factors=("fluency", "length", "charm")))
    assert record["factors"] == ["length", "fluency"]
    assert record["notes"] == ["only the 2 factors that both measured are compared"]


def test_the_same_factors_in_another_order_are_all_compared() -> None:
    record = compared(run("a"), run("b", factors=FACTORS[::-1]))
    assert record["factors"] == list(FACTORS)
    assert record["notes"] == []
    assert record["perspectives"]["discrimination"]["factors"]["fluency"]["value"] == 0


def test_in_what_else_two_runs_differ_is_said_in_words() -> None:
    first, second = run("a", grader="x/one"), run("b", task="profile_tasks/summarization")
    record = compared(first, second)
    assert record["differ_in"] == (
        "the two differ in: task (document_qa / summarization); model; grader (x/one / none)"
    )
    assert "|grader:x/one" in record["signature_a"]
    assert "|grader:none" in record["signature_b"]
    same = compared(run("a", grader="x/one"), run("a", grader="x/one"))
    assert same["differ_in"] == "the two signatures are the same"
    assert same["signature_a"] == same["signature_b"]


def test_a_run_that_was_computed_anew_is_noted_and_an_unfinished_one_refused() -> None:
    assert compared(replace(run("a"), restated="why"), run("b"))["notes"] == ["A: why"]
    with pytest.raises(ValueError, match=r"an unfinished run \(status: error\)"):
        compared(run("a", status="error"), run("b"))


def test_runs_without_verdicts_have_no_agreement() -> None:
    record = compared(run("a", judged=False), run("b"))
    assert record["agreement"] == {}
    assert set(record["perspectives"]) == {"generation"}


def test_epochs_count_every_time_for_the_model() -> None:
    twice = run("a", [*range(20), *range(20)])
    record = compared(twice, run("b", taste=-1.0))
    once = compared(run("a"), run("b", taste=-1.0))
    assert record["n_sources"] == 20
    for name in ("alignments", "agreement"):
        assert {k: v["value"] for k, v in record[name].items()} == {
            k: v["value"] for k, v in once[name].items()
        }


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (run("b", range(20, 40)), "a.eval and b.eval have no source in common; compare runs over"),
        (run("b", factors=("charm", "wit")), "a.eval and b.eval have no factor in common"),
    ],
    ids=["sources", "factors"],
)
def test_runs_with_nothing_in_common_are_refused(second: Run, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compare_runs(run("a"), second)


def test_a_judge_and_a_writer_are_refused() -> None:
    with pytest.raises(ValueError, match=r"a\.eval and b\.eval have no setting in common"):
        compare_runs(run("a", wrote=False), run("b", judged=False))


def test_runs_over_other_preferences_are_refused_with_the_source() -> None:
    other = run("b")
    changed = tuple(
        m.model_copy(update={"human": tuple(-sign for sign in m.human)}) if i == 7 else m
        for i, m in enumerate(other.measurements)
    )
    second = replace(other, measurements=changed)
    with pytest.raises(ValueError, match=r"source 's07' has other human preferences in b\.eval"):
        compare_runs(run("a"), second)


def test_it_is_said_where_only_one_model_judged_its_own_pairs() -> None:
    first, second = run("a", range(9)), run("b", range(9), taste=-1)
    judged = replace(
        first,
        measurements=tuple(
            each.model_copy(update={"own_picks": (("first", "second"),) * 3})
            for each in first.measurements
        ),
    )
    assert compare_runs(judged, second)["notes"] == ["only A judged the pairs that it wrote"]
    assert compare_runs(second, judged)["notes"] == ["only B judged the pairs that it wrote"]
    writes_not = run("c", range(9), wrote=False)
    assert compare_runs(judged, writes_not)["notes"] == ["only A has a generation setting"]
