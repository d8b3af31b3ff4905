"""The audit of a judge in Inspect: every planted bias is found by its probe, and by that alone."""

from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.log import EvalLog, read_eval_log, recompute_metrics
from inspect_ai.model import (
    CachePolicy,
    GenerateConfig,
    Model,
    ModelOutput,
    ModelUsage,
    cache_path,
    get_model,
)

from profile_tasks.gate.bars import parse_bar
from profile_tasks.gate.evidence import read_evidence
from profile_tasks.gate.verdicts import judge_inequality
from profile_tasks.scorers.statistics.metric_catalogue import find
from profile_tasks.tasks.judge_audit import (
    document_qa_judge_audit,
    instruction_following_judge_audit,
    summarization_judge_audit,
)

pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect and its dependencies warn

NO_TASTE = {"weights": {"length": 0.001}, "temperature": 0.3}
AT_ONCE = {
    "white_space": 2.0,
    "synonym": 2.0,
    "padding": 2.0,
    "style": -2.0,
    "authority": 2.0,
    "injection": -2.0,
}


def run(task: Task, folder: Path, model: str | Model = "planted/verbose", **more: Any) -> EvalLog:
    (log,) = inspect_eval(
        task, model=model, log_dir=str(folder), display="none", log_realtime=False, **more
    )
    return read_eval_log(log.location)


def values(log: EvalLog) -> dict[str, float]:
    assert log.results is not None, log.error
    return {name: metric.value for name, metric in log.results.scores[0].metrics.items()}


def planted(**biases: float) -> Model:
    arguments = {f"{name}_bias": value for name, value in biases.items()}
    return get_model("planted/verbose", memoize=False, **NO_TASTE, **arguments)


def test_planted_biases_are_found_in_their_direction(tmp_path: Path) -> None:
    task = summarization_judge_audit(
        limit=10,
        max_pairs_per_source=1,
        probes="null_pairs,padding,style,authority,injection",
    )
    log = run(task, tmp_path, planted(**AT_ONCE))
    found = values(log)
    for name, bias in AT_ONCE.items():
        assert found[f"probe_{name}"] * bias > 0, name
        if name in ("white_space", "padding", "style"):  # of which every text has its own
            assert found[f"probe_{name}_p_value"] < 0.05, name
    assert found["probe_identical_p_value"] > 0.001
    assert {name for name in found if find(name) is None} == set()
    recompute_metrics(log)
    assert values(log) == pytest.approx(found, nan_ok=True)


def test_a_liking_for_the_first_position_leaves_no_other_mark(tmp_path: Path) -> None:
    task = instruction_following_judge_audit(
        limit=12, max_pairs_per_source=2, probes="position,padding"
    )
    log = run(task, tmp_path, planted(position=0.6))
    found = values(log)
    assert found["probe_position"] > 0.25
    assert found["probe_position_p_value"] < 0.01
    assert found["probe_position_flips"] > 0.5
    assert abs(found["probe_padding"]) < 0.2


def test_a_taste_that_turns_with_the_wording_is_one(tmp_path: Path) -> None:
    task = document_qa_judge_audit(limit=12, max_pairs_per_source=1, probes="repeat,wording")
    found = values(run(task, tmp_path, planted(wording=2.0)))
    assert abs(found["probe_wording_taste"]) > 0.8
    assert found["probe_wording_taste_p_value"] < 0.05


def test_own_texts_are_told_from_their_length(tmp_path: Path) -> None:
    task = summarization_judge_audit(limit=12, max_pairs_per_source=3, probes="self_preference")
    verbose = get_model("planted/verbose", memoize=False, weights={"length": 1.0}, temperature=0.5)
    found = values(run(task, tmp_path / "length", verbose))
    assert found["probe_self_preference_ci_low"] < 0 < found["probe_self_preference_ci_high"]
    biased = get_model("planted/verbose", memoize=False, self_bias=0.4, **NO_TASTE)
    assert values(run(task, tmp_path / "own", biased))["probe_own_texts"] > 0.1


def counting(answers: list[GenerateConfig]) -> Model:
    """A model that notes every request that reaches it, and always picks the first."""

    def answer(_: Any, __: Any, ___: Any, config: GenerateConfig) -> ModelOutput:
        answers.append(config)
        output = ModelOutput.from_content("mockllm/model", "Verdict: A")
        output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
        return output

    return get_model("mockllm/model", custom_outputs=answer, memoize=False)


def test_what_is_asked_again_reaches_the_model_also_with_a_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "cache"))
    sent: list[GenerateConfig] = []
    task = summarization_judge_audit(probes="repeat", limit=2, max_pairs_per_source=1, seed=4)
    log = run(task, tmp_path / "logs", counting(sent), cache=CachePolicy(expiry=None))
    assert Path(cache_path()).is_relative_to(tmp_path)
    assert sorted((config.seed or 0) for config in sent) == [0] * 4 + [5] * 4
    found = values(log)
    assert found["probe_repeat"] == 0
    assert found["probe_position"] == 0.5


def test_a_judge_by_likelihood_is_audited_too(tmp_path: Path) -> None:
    task = summarization_judge_audit(
        probes="position,padding,repeat", judge_by="likelihood", limit=9, max_pairs_per_source=1
    )
    found = values(run(task, tmp_path, planted(padding=1.0)))
    assert found["probe_padding"] == 0.5
    assert (found["probe_repeat"], found["probe_position"]) == (0, 0)


def test_a_gate_holds_an_audit_to_bars(tmp_path: Path) -> None:
    task = summarization_judge_audit(probes="position", limit=12, max_pairs_per_source=2)
    log = run(task, tmp_path, planted(position=0.6))
    evidence = read_evidence(Path(log.location))
    for bar, outcome in (
        ("abs(probe_position) <= 0.05", "missed"),
        ("probe_position >= 0 with 95% confidence", "met"),
        ("probe_padding <= 0.1", "cannot tell"),
    ):
        assert judge_inequality("x", parse_bar(bar), evidence).outcome == outcome, bar


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"probes": "position,charm"}, "probes 'charm' is unknown. Must be one or several of: pos"),
        ({"probes": "position,position"}, "name each one once"),
        ({"factors": "fluency"}, "need a grader|needs a grader"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        summarization_judge_audit(**arguments)
