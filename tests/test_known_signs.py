"""Every difference with a direction, end to end, on a model and on people known beforehand.

The people of these data want the longer text, but for every ninth pair, on which they differ with
themselves: where all verdicts are the same nothing is told of how other ones would differ. One
planted model judges as they do and writes as short as it can for a high score; the other one judges
against them and writes as they want. So the alignment of the first as a judge is about 1 and of the
second about -1, and what is greater in which of the two is known before anything is measured.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from profile_tasks.cli import main
from profile_tasks.planted.annotator import PlantedAnnotator, planted_profile
from profile_tasks.report.headline import headline
from profile_tasks.report.reading import read_findings

pytestmark = pytest.mark.filterwarnings("ignore")  # both harnesses and their dependencies warn

GAP = "alignment_gap_tau_b"
FACTORS = "length,sentence_count,novel_words,lexical_diversity,readability"


@dataclass(frozen=True)
class Planted:
    """A model without noise that wants longer texts (1), or shorter ones (-1), in either role."""

    as_judge: int
    as_writer: int

    @property
    def arguments(self) -> Mapping[str, object]:
        return {
            "weights": {"length": float(self.as_writer)},
            "judging_weights": {"length": float(self.as_judge)},
            "temperature": 0.0,
        }


JUDGES_AS_PEOPLE = Planted(as_judge=1, as_writer=-1)
WRITES_AS_PEOPLE = Planted(as_judge=-1, as_writer=1)


@pytest.fixture(scope="module")
def people(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration pairs, with the preferences of people who want the longer text."""
    rows = []
    demo = repository / "profile_tasks" / "data" / "demo" / "summarization.jsonl"
    for at, line in enumerate(demo.read_text(encoding="utf-8").splitlines()):
        row = json.loads(line)
        longer = len(row["response_a"].split()) - len(row["response_b"].split())
        row.pop("annotators", None)
        longer *= -1 if at % 9 == 4 else 1
        row["preference"] = "a" if longer > 0 else "b" if longer < 0 else "tie"
        rows.append(json.dumps(row))
    path = tmp_path_factory.mktemp("data") / "longer.jsonl"
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def logs(people: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[Planted, Path]:
    """The Inspect log of either model."""
    from inspect_ai import eval as inspect_eval

    from profile_tasks.summarization import summarization

    made = {}
    for model in (JUDGES_AS_PEOPLE, WRITES_AS_PEOPLE):
        (log,) = inspect_eval(
            summarization(dataset=str(people), factors=FACTORS),
            model="planted/balanced",
            model_args=dict(model.arguments),
            log_dir=str(tmp_path_factory.mktemp("logs")),
            display="none",
            log_realtime=False,
        )
        assert log.status == "success", log.error
        made[model] = Path(log.location)
    return made


def logged(log: Path) -> dict[str, float]:
    from inspect_ai.log import read_eval_log

    results = read_eval_log(str(log), header_only=True).results
    assert results is not None
    return {name: metric.value for name, metric in results.scores[0].metrics.items()}


def evaluated(
    model: object, people: Path, factors: str = FACTORS, **model_args: object
) -> dict[str, float]:
    """Metrics of lm-eval, in which the second task of a group has the gap."""
    from lm_eval import simple_evaluate

    from profile_tasks.lm_eval_runner.run import OwnTaskManager

    results = simple_evaluate(
        model=model,
        model_args=model_args or None,
        tasks=["profile_summarization"],
        task_manager=OwnTaskManager(metadata={"dataset": str(people), "factors": factors}),
        bootstrap_iters=0,
    )
    assert results is not None
    rows = [results["results"][f"profile_summarization_{kind}"]
            for kind in ("generation", "discrimination")]  # fmt: skip
    return {name.removesuffix(",none"): value for row in rows for name, value in row.items()}


def assert_signs(found: Mapping[str, float], model: Planted) -> None:
    """What must hold of the metrics of either harness."""
    assert 0.6 < found["tau_human_length"] < 1
    assert found["tau_discrimination_length"] == model.as_judge
    assert found["tau_generation_length"] == model.as_writer
    judge, writer = (found[f"alignment_{role}_tau_b"] for role in ("discrimination", "generation"))
    assert model.as_judge * judge > 0.5
    assert model.as_judge * writer < 0
    assert found[GAP] == pytest.approx(judge - writer)
    assert model.as_judge * found[GAP] > 1
    assert model.as_judge * found[f"{GAP}_ci_{'low' if model.as_judge > 0 else 'high'}"] > 0
    assert (found["discrimination_accuracy"] > 0.8) == (model.as_judge > 0)
    assert (found["discrimination_accuracy_half_credit"] < 0.2) == (model.as_judge < 0)


@pytest.mark.parametrize("model", [JUDGES_AS_PEOPLE, WRITES_AS_PEOPLE])
def test_the_gap_in_inspect_is_that_of_the_judge_less_the_writer(
    logs: Mapping[Planted, Path], model: Planted
) -> None:
    found = logged(logs[model])
    assert_signs(found, model)
    # Of what it wrote itself it wants what it wants of the annotated pairs, in whatever role.
    assert found["tau_own_length"] == model.as_judge
    # It judges its own texts against its writing.
    assert found["self_agreement_pearson"] < -0.5
    # Influence on the model less influence on people.
    human = found["tau_human_length"]
    assert found["difference_discrimination_length"] == pytest.approx(model.as_judge - human)
    assert found["difference_generation_length"] == pytest.approx(model.as_writer - human)
    assert found["rank_human_length"] == 1
    assert (found["rank_generation_length"] == 1) == (model.as_writer > 0)


@pytest.mark.parametrize("model", [JUDGES_AS_PEOPLE, WRITES_AS_PEOPLE])
def test_the_gap_in_lm_eval_is_that_of_the_judge_less_the_writer(
    people: Path, model: Planted
) -> None:
    from profile_tasks.task_configs.planted_lm import PlantedLM

    planted = PlantedLM(profile="balanced")
    planted.annotator = PlantedAnnotator(planted_profile("balanced", **model.arguments))
    assert_signs(evaluated(planted, people), model)


@pytest.mark.parametrize("weight", [1.0, -1.0])
def test_lm_evals_own_planted_model_is_nearer_to_people_or_to_their_opposite_as_a_judge(
    people: Path, weight: float
) -> None:
    # Of one taste, the judge has about the profile of these people, or about its opposite.
    # What it writes differs in other ways than the annotated pairs do, and so has neither.
    found = evaluated(
        "planted", people, "auto", profile="balanced", weight_length=weight, temperature=0.0
    )
    judge, writer = (found[f"alignment_{k}_tau_b"] for k in ("discrimination", "generation"))
    assert weight * judge > 0.7
    assert 0 < weight * writer < 1
    assert found[GAP] == pytest.approx(judge - writer)


def test_the_report_says_in_which_role_a_model_is_closer_to_people(
    logs: Mapping[Planted, Path],
) -> None:
    judge, writer = (
        headline(*read_findings(logs[model]))[-1] for model in (JUDGES_AS_PEOPLE, WRITES_AS_PEOPLE)
    )
    start = "The paper's gap, judge less writer across different texts, is "
    assert judge.startswith(f"{start}2.00")
    assert writer.startswith(f"{start}\N{MINUS SIGN}2.00")


def revised(model: Planted, people: Path, folder: Path, **arguments: object) -> dict[str, float]:
    """Metrics of feedback-driven generation, in Inspect."""
    from inspect_ai import eval as inspect_eval

    from profile_tasks.tasks.feedback import summarization_feedback

    (log,) = inspect_eval(
        summarization_feedback(dataset=str(people), factors=FACTORS, **arguments),
        model="planted/balanced",
        model_args=dict(model.arguments),
        log_dir=str(folder),
        display="none",
        log_realtime=False,
    )
    assert log.status == "success", log.error
    return logged(Path(log.location))


@pytest.mark.parametrize("taste", [1, -1])
def test_a_revision_is_measured_and_judged_over_its_draft(
    people: Path, tmp_path: Path, taste: int
) -> None:
    # It drafts a text of middling length, and revises it to the longest one that it knows.
    model = Planted(as_judge=taste, as_writer=1)
    found = revised(model, people, tmp_path, condition="none")
    assert found["tau_revision_none_length"] == 1
    assert found["tau_revision_none_length_ci_low"] > 0
    assert found["revision_length_ratio_none_ci_low"] > 1
    assert found["revision_win_rate_none"] == (taste + 1) / 2
    assert found["revision_loss_rate_none"] == (1 - taste) / 2


def test_factor_feedback_turns_the_writer_to_people_and_that_is_what_it_adds(
    people: Path, tmp_path: Path
) -> None:
    # By itself it revises to the shortest text; told what readers want, to the longest one.
    found = revised(
        JUDGES_AS_PEOPLE, people, tmp_path, condition="none,factor", profiles="own", most_factors=1
    )
    assert (found["tau_revision_none_length"], found["tau_revision_factor_length"]) == (-1, 1)
    assert (found["revision_win_rate_none"], found["revision_win_rate_factor"]) == (0, 1)
    assert found["revision_win_rate_factor_less_none"] == 1
    assert found["revision_length_ratio_none"] < 1 < found["revision_length_ratio_factor"]
    assert found["revision_length_ratio_factor_over_none_ci_low"] > 1
    assert found["alignment_revision_factor_less_none_tau_b"] > 1


def test_departures_of_a_log_say_what_readers_want_of_the_writer(
    logs: Mapping[Planted, Path],
) -> None:
    from profile_tasks.tasks.feedback_profiles import log_departures

    found, _ = log_departures(str(logs[JUDGES_AS_PEOPLE]), "summarization", most=5)
    (length,) = (one for one in found if one.factor == "length")
    assert length.human > 0.6
    assert (length.model, length.direction) == (-1, "more")


def test_two_models_are_compared_as_a_less_b(logs: Mapping[Planted, Path]) -> None:
    done = CliRunner().invoke(
        main,
        ["compare", str(logs[JUDGES_AS_PEOPLE]), str(logs[WRITES_AS_PEOPLE]), "--replicates", "200",
         "--format", "json"],
    )  # fmt: skip
    record = json.loads(done.stdout)
    judged = record["alignments"]["alignment_discrimination_tau_b"]
    assert judged["a"] > 0.5
    assert judged["b"] < -0.5
    assert judged["value"] == pytest.approx(judged["a"] - judged["b"])
    accuracy = record["agreement"]["discrimination_accuracy"]
    assert accuracy["a"] > 0.8
    assert accuracy["b"] < 0.2
    assert accuracy["value"] == pytest.approx(accuracy["a"] - accuracy["b"])
    gap = record["alignments"][GAP]
    assert gap["a"] > 0 > gap["b"]
    assert gap["value"] == pytest.approx(gap["a"] - gap["b"])
    assert gap["ci_low"] > 0
    for perspective, difference in (("discrimination", 2), ("generation", -2)):
        length = record["perspectives"][perspective]["factors"]["length"]
        assert length["value"] == difference
        assert length["human"] > 0.6
    starts = [
        "it is undecided whether A or B writes more as it judges: r -",
        "as a writer (across texts: people chose among others), B is closer to people than A: ",
        "as a judge, A is closer to people than B: ",
        "the paper's gap, alignment as a judge less alignment as a writer on other texts, is "
        "greater in A than in B: ",
        "A judges more like people than B: accuracy with half credit 0.8",
    ]
    for sentence, start in zip(record["words"], starts, strict=False):
        assert sentence.startswith(start)
    assert any(
        words.startswith(
            "as a judge, differs in taste: A follows length, and B goes against it, "
            "+1.00 against -1.00, whatever the scale; people "
        )
        for words in record["words"]
    )


@pytest.mark.parametrize(
    ("bar", "status"),
    [
        ("no worse than base.eval on discrimination_accuracy", 0),
        ("no worse than base.eval on alignment_discrimination_tau_b with 95% confidence", 0),
        ("no worse than base.eval on alignment_generation_tau_b with 95% confidence", 1),
        ("tau_discrimination_length > tau_generation_length with 95% confidence", 0),
        ("alignment_generation_tau_b > alignment_discrimination_tau_b with 95% confidence", 1),
    ],
)
def test_a_gate_compares_the_run_with_its_baseline_and_not_the_other_way_round(
    logs: Mapping[Planted, Path], tmp_path: Path, bar: str, status: int
) -> None:
    (tmp_path / "base.eval").write_bytes(logs[WRITES_AS_PEOPLE].read_bytes())
    bars = tmp_path / "bars.yaml"
    bars.write_text(json.dumps({"version": 1, "bars": [bar]}))  # JSON is YAML
    done = CliRunner().invoke(main, ["gate", str(logs[JUDGES_AS_PEOPLE]), "--bars", str(bars)])
    assert done.exit_code == status, done.output
