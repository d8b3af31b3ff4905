"""Finished runs, read from real logs, and two of them compared over what both measured."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from inspect_ai import Task, score
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog, read_eval_log, write_eval_log
from inspect_ai.model import get_model
from inspect_ai.scorer import includes

from profile_tasks.document_qa import document_qa
from profile_tasks.runs.inspect_log import MeasuredRun, compare_runs, read_run
from profile_tasks.scorers.inspect.full_profile import logged_measurements
from profile_tasks.scorers.inspect.profile_scorer import factor_profile as factor_profile_scorer
from profile_tasks.scorers.measurement.source_measurement import (
    GenerationPair,
    SourceMeasurement,
    standard_metrics,
)
from profile_tasks.scorers.measurement.tables import agreement_table, comparison_tables
from profile_tasks.scorers.statistics.influence import factor_profile
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
    **how: Any,
) -> MeasuredRun:
    measurements = tuple(measured(source, **how) for source in sources)
    return MeasuredRun(f"{name}.eval", f"model/{name}", task, measurements)


def compared(first: MeasuredRun, second: MeasuredRun) -> dict[str, Any]:
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


def test_human_influence_stands_beside_the_models() -> None:
    first, second = run("a"), run("b", taste=-1.0)
    human = factor_profile(comparison_tables(first.measurements)[0])
    for part in compared(first, second)["perspectives"].values():
        assert [found["human"] for found in part["factors"].values()] == human.tau.tolist()


def test_accuracy_and_flip_rate_of_the_judges_are_compared() -> None:
    first, second = run("a"), run("b", taste=-1.0)
    record = compared(first, second)
    accuracy = record["agreement"]["discrimination_accuracy"]
    for key, each in (("a", first), ("b", second)):
        rate = standard_metrics(each.measurements)["discrimination_accuracy"]
        assert accuracy[key] == pytest.approx(rate)
    assert accuracy["ci_low"] > 0


def test_a_run_does_not_differ_from_itself() -> None:
    record = compared(run(), run())
    numbers = [
        *record["alignments"].values(),
        *record["agreement"].values(),
        *(f for part in record["perspectives"].values() for f in part["factors"].values()),
    ]
    assert {(n["value"], n["ci_low"], n["ci_high"]) for n in numbers} == {(0, 0, 0)}


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


def test_runs_of_other_tasks_and_graders_are_noted() -> None:
    first, second = run("a", grader="x/one"), run("b", task="profile_tasks/summarization")
    notes = compared(first, second)["notes"]
    assert notes == [
        "A is a run of profile_tasks/document_qa, B of profile_tasks/summarization",
        "the graders differ: A x/one, B none",
    ]
    assert compared(run("a", grader="x/one"), run("b", grader="x/one"))["notes"] == []


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
def test_runs_with_nothing_in_common_are_refused(second: MeasuredRun, message: str) -> None:
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
    second = MeasuredRun(other.location, other.model, other.task, changed)
    with pytest.raises(ValueError, match=r"source 's07' has other human preferences in b\.eval"):
        compare_runs(run("a"), second)


def test_the_graders_of_a_run_are_named() -> None:
    assert run(grader="x/one").graders == {"x/one"}
    assert run().graders == set()


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> EvalLog:
    """A real run of a judge."""
    (log,) = inspect_eval(
        document_qa(setting="discrimination", limit=3),
        model=get_model("planted/verbose", memoize=False),
        log_dir=str(tmp_path_factory.mktemp("logs")),
        display="none",
        log_realtime=False,
    )
    assert log.status == "success", log.error
    return log


@pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn
class TestReading:
    def test_a_log_gives_what_its_samples_measured(self, log: EvalLog) -> None:
        read = read_run(log.location)
        assert (read.location, read.model) == (log.location, "planted/verbose")
        assert read.task == log.eval.task
        assert list(read.measurements) == logged_measurements(log)
        assert len(read.measurements) == 3

    def test_of_several_scores_one_is_to_be_named(self, log: EvalLog, tmp_path: Path) -> None:
        again = score(
            read_eval_log(log.location), factor_profile_scorer("document_qa", "length"),
            action="append", display="none",
        )  # fmt: skip
        file = str(tmp_path / "two.eval")
        write_eval_log(again, file)
        with pytest.raises(ValueError, match=r"two\.eval: holds several scores; name one") as error:
            read_run(file)
        names = str(error.value).split("(--score): ")[1].split(", ")
        assert names[0] == "factor_profile"
        assert read_run(file, names[0]).measurements == read_run(log.location).measurements
        assert read_run(file, names[1]).measurements[0].factors == ("length",)

    def test_an_unknown_score_is_refused_with_those_there_are(self, log: EvalLog) -> None:
        with pytest.raises(ValueError, match="no sample has a score 'other'; it holds: factor_pro"):
            read_run(log.location, "other")

    def test_a_log_of_another_scorer_is_refused(self, tmp_path: Path) -> None:
        (other,) = inspect_eval(
            Task(dataset=[Sample(input="x", target="x")], solver=[], scorer=includes()),
            model="planted/verbose", log_dir=str(tmp_path), display="none", log_realtime=False,
        )  # fmt: skip
        with pytest.raises(ValueError, match=r"no sample has a score of profile_tasks/factor_pro"):
            read_run(other.location)

    def test_a_missing_log_is_named(self, tmp_path: Path) -> None:
        for missing in (tmp_path / "nowhere.eval", tmp_path):
            with pytest.raises(FileNotFoundError, match=f"{missing}: there is no such log"):
                read_run(str(missing))

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("a.eval", "text"),
            ("a.txt", "text"),
            ("a.json", "{"),
            ("a.json", "[1]"),
            ("a.json", "{}"),
        ],
    )
    def test_what_is_no_log_is_named(self, tmp_path: Path, name: str, content: str) -> None:
        (tmp_path / name).write_text(content)
        with pytest.raises(ValueError, match=f"{tmp_path / name}: not an Inspect log"):
            read_run(str(tmp_path / name))
