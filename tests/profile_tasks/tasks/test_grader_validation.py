"""The task grader_validation, run end to end against the planted grader.

The planted grader counts words. Its figures on human labels are the answer of a simulation, and no
evidence about any model that grades.
"""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from inspect_ai import eval as inspect_eval
from inspect_ai.log import EvalLog, recompute_metrics
from inspect_ai.model import ModelOutput, ModelUsage, get_model

from profile_tasks.scorers.inspect.arguments import ArgumentError
from profile_tasks.scorers.inspect.grader_validation_scorer import (
    SCORER,
    SourceValidation,
    validation_of,
)
from profile_tasks.tasks.grader_validation import grader_validation

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

LABELS = {
    "order": {"factor": "coherence", "kind": "pairwise"},
    "wording": {"factor": "fluency", "kind": "pairwise"},
    "facts": {"factor": "number_of_facts", "kind": "values", "tolerance": 0},
    "beside": {"factor": "off_focus", "kind": "spans", "types": ["Off"]},
}
SENTENCES = (
    "The ferry leaves the harbour at nine and it comes back from the island at ten each morning.",
    "However the ferry is painted green",
    "Tickets cost four crowns; children pay half, and dogs travel free on the upper deck.",
    "My uncle once owned a bicycle.",
    "The harbour has two cranes.",
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "cache"))


def run(
    dataset: str | Path, tmp_path: Path, model_args: dict[str, Any] | None = None, **arguments: Any
) -> EvalLog:
    (log,) = inspect_eval(
        grader_validation(str(dataset), **arguments),
        model=get_model("planted/grader", memoize=False, **(model_args or {})),
        log_dir=str(tmp_path / "logs"),
        display="none",
        log_realtime=False,
    )
    assert log.status == "success", log.error
    return log


def metrics(log: EvalLog) -> dict[str, float]:
    assert log.results is not None
    (only,) = log.results.scores
    return {name: metric.value for name, metric in only.metrics.items()}


def validations(log: EvalLog) -> list[SourceValidation]:
    return [validation_of(sample.scores[SCORER]) for sample in log.samples or ()]


def write_mapping(folder: Path, names: list[str]) -> str:
    path = folder / "labels.yaml"
    entries = [{"label": name, "direction": "same", **LABELS[name]} for name in names]
    path.write_text(yaml.safe_dump({"version": 1, "data_sets": {"planted": entries}}))
    return str(path)


def write_pairs(folder: Path, said: dict[str, dict[str, int]] | None = None) -> str:
    """Pairs with the labels that were said of them; any labels where nothing was said yet."""
    rows = []
    for i in range(20):
        order = [SENTENCES[(i * k + k) % len(SENTENCES)] for k in range(1, 4)]
        texts = {
            "a": " ".join(order),
            "b": " ".join([*order[: 1 + i % 2], SENTENCES[i % 4], f"Ask at pier {i}."]),
        }
        known = {name: said[name].get(f"p{i}", 0) if said else 0 for name in LABELS}
        factors: dict[str, Any] = {
            "pairwise": {
                name: {1: "a", 0: "tie", -1: "b"}[known[name]] for name in ("order", "wording")
            },
            "a": {"facts": known["facts"]},
            "b": {"facts": 0},
        }
        off = said is None or said["beside"].get(f"p{i} a", 0)
        factors["a"]["errors"] = [{"type": "Off"}] if off else []
        rows.append(
            {
                "id": f"p{i}",
                "group": f"g{i}",
                "prompt": f"When does the ferry leave? ({i})",
                "source": "The ferry leaves at nine.",
                "response_a": texts["a"],
                "response_b": texts["b"],
                "preference": "ab"[i % 3 == 0],
                "origin": "planted",
                "factors": factors,
            }
        )
    path = folder / "planted.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return str(path)


@pytest.fixture(scope="module")
def own_verdicts(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A data file whose human labels are the planted grader's own results, and its mapping."""
    folder = tmp_path_factory.mktemp("planted")
    mapping = write_mapping(folder, list(LABELS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSPECT_CACHE_DIR", str(folder / "cache"))
        first = run(write_pairs(folder), folder, labels=mapping)
    said: dict[str, dict[str, int]] = {name: {} for name in LABELS}
    for found in validations(first):
        for name, record in found.labels.items():
            for unit in record.units:
                assert unit.grader is not None
                said[name][unit.unit] = unit.grader
    assert all(len(set(results.values())) > 1 for results in said.values())
    return write_pairs(folder, said), mapping


def test_a_grader_that_made_the_labels_agrees_with_them_fully(
    own_verdicts: tuple[str, str], tmp_path: Path
) -> None:
    data, mapping = own_verdicts
    log = run(data, tmp_path, labels=mapping, retest=True)
    assert [step.solver for step in log.plan.steps] == ["profile_tasks/nothing_to_solve"]
    assert [scorer.name for scorer in log.eval.scorers or ()] == ["human_agreement"]
    found = metrics(log)
    assert log.results is not None
    heading = [(n, m.name) for n, m in log.results.scores[0].metrics.items()][:2]
    assert heading == [
        ("profile_alignment_tau_b", "alignment"),
        ("kappa_order", "kappa order"),
    ]
    assert list(found)[-1].endswith("_ci_high")
    for name in LABELS:
        assert found[f"n_{name}"] == 20
        assert found[f"agreement_{name}"] == 1
        assert found[f"kappa_{name}"] == 1
        assert found[f"missing_rate_{name}"] == 0
        assert found[f"retest_{name}"] == 1
    for name in ("order", "wording"):
        assert found[f"flip_rate_{name}"] == 0
        assert found[f"agreement_decided_{name}"] == 1
        assert found[f"tau_human_label_{name}"] == found[f"tau_grader_{name}"]
    assert found["profile_alignment_tau_b"] == 1


def test_errors_of_the_grader_lower_agreement_and_flip_verdicts(
    own_verdicts: tuple[str, str], tmp_path: Path
) -> None:
    data, mapping = own_verdicts
    found = metrics(run(data, tmp_path, {"error_rate": 0.2}, labels=mapping))
    for name in ("order", "wording"):
        # A single verdict is right four times out of five, and a pair takes two of them.
        assert 0.35 <= found[f"agreement_{name}"] <= 0.9
        assert found[f"kappa_{name}"] < 0.9
        assert 0.1 <= found[f"flip_rate_{name}"] <= 0.65
    assert found["agreement_facts"] == 1  # the errors are in labels and verdicts, not in lists
    assert found["agreement_beside"] < 1


def test_every_metric_has_its_interval_and_a_name_that_consumers_can_split(
    own_verdicts: tuple[str, str], tmp_path: Path
) -> None:
    data, mapping = own_verdicts
    found = metrics(run(data, tmp_path, {"error_rate": 0.2}, labels=mapping))
    names = [n for n in found if not n.endswith(("_ci_low", "_ci_high")) and n[:2] != "n_"]
    assert len(names) == 1 + 2 * 7 + 6 + 3
    for name in names:
        assert found[f"{name}_ci_low"] <= found[name] <= found[f"{name}_ci_high"]
    assert all("," not in name and "/" not in name for name in found)


def test_factors_that_are_asked_once_have_no_flips_and_responses_no_taus(
    own_verdicts: tuple[str, str], tmp_path: Path
) -> None:
    data, mapping = own_verdicts
    found = metrics(run(data, tmp_path, labels=mapping))
    assert "flip_rate_facts" not in found
    assert "flip_rate_beside" not in found
    assert "tau_grader_beside" not in found
    assert "retest_order" not in found


def test_one_order_asks_half_and_has_no_flips(
    own_verdicts: tuple[str, str], tmp_path: Path
) -> None:
    data, mapping = own_verdicts
    log = run(data, tmp_path, labels=mapping, factors="coherence", judge_orders=1)
    assert requests(log) == 20
    assert "flip_rate_order" not in metrics(log)
    assert metrics(log)["agreement_order"] == 1


def requests(log: EvalLog) -> int:
    return sum(
        grades["requests"]
        for s in log.samples or ()
        for grades in s.scores[SCORER].metadata["grades_by_run"]
    )


def test_the_second_run_has_a_part_of_the_cache_to_itself(
    own_verdicts: tuple[str, str], tmp_path: Path
) -> None:
    data, mapping = own_verdicts
    for retest, asked, read in ((False, 40, 0), (True, 80, 40), (True, 80, 80)):
        log = run(data, tmp_path, labels=mapping, factors="fluency", retest=retest)
        calls = [e for s in log.samples or () for e in s.events if e.event == "model"]
        assert requests(log) == len(calls) == asked
        assert sum(call.cache == "read" for call in calls) == read


def test_only_labelled_pairs_and_responses_are_shown(tmp_path: Path, shared_data: Path) -> None:
    log = run(shared_data / "qa_feedback.jsonl", tmp_path, limit=3)
    assert requests(log) == 3  # one response a question has spans, in three of its six pairs
    assert {len(v.labels["irrelevant"].units) for v in validations(log)} == {1}


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("booookscore", {"detail", "structure", "logic"}),
        ("summeval", {"coherence", "consistency", "fluency", "relevance"}),
        ("haluquestqa", {"factuality", "relevance", "completeness"}),
        ("qa_feedback", {"ungrounded", "irrelevant"}),
    ],
)
def test_real_labels_are_compared(
    name: str, labels: set[str], tmp_path: Path, shared_data: Path
) -> None:
    log = run(shared_data / f"{name}.jsonl", tmp_path, limit=10, max_pairs_per_source=3)
    found = metrics(log)
    assert {n.removeprefix("agreement_") for n in found if n.startswith("agreement_")} >= labels
    for label in labels:
        assert found[f"n_{label}"] > 0
        assert 0 <= found[f"agreement_{label}"] <= 1
        assert found[f"missing_rate_{label}"] == 0


def test_the_log_says_that_a_preference_was_computed_from_the_labels(
    tmp_path: Path, shared_data: Path
) -> None:
    derived, recorded = (
        run(shared_data / f"{name}.jsonl", tmp_path, limit=1).eval.metadata or {}
        for name in ("summeval", "haluquestqa")
    )
    assert derived["preference_derived"] is True
    assert "circular" in derived["preference_note"]
    assert recorded["preference_derived"] is False
    assert "preference_note" not in recorded
    assert recorded["labels"][0]["factor"] == "misinformation"


def test_sources_without_a_label_are_left_out_and_counted(
    tmp_path: Path, shared_data: Path
) -> None:
    log = run(shared_data / "booookscore.jsonl", tmp_path, factors="coherence")
    assert log.eval.metadata is not None
    assert (log.eval.metadata["labelled_sources"], log.eval.metadata["unlabelled_sources"]) == (
        56,
        14,
    )
    assert log.eval.dataset.samples == 56


def test_the_model_in_the_role_of_the_grader_is_the_one_under_test(
    own_verdicts: tuple[str, str], tmp_path: Path
) -> None:
    data, mapping = own_verdicts
    (log,) = inspect_eval(
        grader_validation(data, labels=mapping, factors="coherence", limit=2),
        model=get_model("mockllm/model"),
        model_roles={"grader": get_model("planted/grader", memoize=False)},
        log_dir=str(tmp_path / "logs"),
        display="none",
        log_realtime=False,
    )
    assert {found.grader for found in validations(log)} == {"planted/grader"}


def test_unreadable_answers_are_missing_and_never_ties(
    own_verdicts: tuple[str, str], tmp_path: Path
) -> None:
    data, mapping = own_verdicts
    output = ModelOutput.from_content("mockllm/model", "I cannot say.")
    output.usage = ModelUsage()  # without one, Inspect looks for a tokenizer online
    (log,) = inspect_eval(
        grader_validation(data, labels=mapping, factors="fluency,off_focus", grader_cache=False),
        model=get_model("mockllm/model", custom_outputs=[output] * 200, memoize=False),
        log_dir=str(tmp_path / "logs"),
        display="none",
        log_realtime=False,
    )
    found = metrics(log)
    for name in ("wording", "beside"):
        assert found[f"missing_rate_{name}"] == 1
        assert found[f"n_{name}"] == 0
        assert math.isnan(found[f"agreement_{name}"])
        assert math.isnan(found[f"kappa_{name}"])


def test_the_order_of_samples_does_not_matter(
    own_verdicts: tuple[str, str], tmp_path: Path
) -> None:
    data, mapping = own_verdicts
    log = run(data, tmp_path, {"error_rate": 0.3}, labels=mapping)
    before = metrics(log)
    assert log.samples is not None
    log.samples.reverse()
    recompute_metrics(log)
    assert metrics(log) == pytest.approx(before, abs=0, nan_ok=True)


def test_in_an_evaluation_a_wrong_argument_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="no labels for data set 'planted'"):
        inspect_eval(
            grader_validation,
            task_args={"dataset": write_pairs(tmp_path)},
            model="planted/grader",
            log_dir=str(tmp_path / "logs"),
            display="none",
            log_realtime=False,
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"judge_orders": 3}, "judge_orders is 3. Must be one of: 1, 2"),
        ({"judge_batch": "two"}, "judge_batch is 'two'. Must be one of: all, one"),
        ({"retest": "yes"}, "retest is 'yes'"),
        ({"grader_cache": None}, "grader_cache is None"),
        ({"limit": 0}, "limit is 0"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        grader_validation(write_pairs(tmp_path), **arguments)


def test_a_second_epoch_is_refused(tmp_path: Path) -> None:
    (log,) = inspect_eval(
        grader_validation(write_pairs(tmp_path), labels=write_mapping(tmp_path, ["order"])),
        model="planted/grader",
        epochs=2,
        log_dir=str(tmp_path / "logs"),
        display="none",
        log_realtime=False,
    )
    assert log.status == "error"
    assert log.error is not None
    assert "takes one epoch" in log.error.message
    assert "-T retest=true asks the grader twice" in log.error.message
