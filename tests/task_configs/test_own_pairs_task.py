"""Own pairs in lm-eval: the numbers of an Inspect run in which the model wrote and then judged."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from profile_tasks.data.preferences import load_preferences
from profile_tasks.runs.lm_eval import read_results
from profile_tasks.runs.reading import read_runs
from profile_tasks.scorers.statistics.study import GAP

TASKS = ("summarization", "instruction_following", "document_qa")
"""Those with a name of their own in lm-eval."""

pytestmark = pytest.mark.filterwarnings("ignore")  # lm-eval and its dependencies warn

Logged = tuple[dict[str, Any], Path]
PROFILE = "verbose"


@pytest.fixture(scope="module")
def evaluate(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Logged]:
    """Run tasks as a user does, and return the results with the folder of what was logged."""
    from click.testing import CliRunner

    from profile_tasks.cli import main

    def evaluate(*tasks: str, **metadata: Any) -> Logged:
        folder = tmp_path_factory.mktemp("out")
        done = CliRunner().invoke(
            main,
            ["lm-eval", "--model", "planted", "--model_args", f"profile={PROFILE}",
             "--tasks", ",".join(tasks), "--metadata", json.dumps(metadata),
             "--log_samples", "--output_path", str(folder)],
        )  # fmt: skip
        if done.exit_code:
            raise ValueError(done.output)
        (file,) = folder.rglob("results_*.json")
        return read_results(file), file

    return evaluate


def values(results: dict[str, Any], task: str) -> dict[str, float]:
    return {
        name.removesuffix(",none"): value
        for name, value in results["results"][task].items()
        if name.endswith(",none") and not name.endswith("_stderr,none")
    }


def assert_as_in_inspect(found: dict[str, float], log: Any) -> None:
    (score,) = log.results.scores
    for name in found.keys() - {"measured_sources", "measured_groups"}:
        expected = score.metrics[name].value
        if found[name] is None:
            assert math.isnan(expected), name
        else:
            assert found[name] == pytest.approx(expected, rel=0, abs=1e-12), name


@pytest.mark.parametrize("task", TASKS)
def test_generation_and_own_pairs_are_inspects_run_of_both(
    evaluate: Callable[..., Logged], read_inspect_log: Callable[..., Any], task: str
) -> None:
    _, written = evaluate(f"profile_{task}_generation")
    (samples,) = written.parent.glob("samples_*_generation_*.jsonl")
    name = f"profile_{task}_own_pairs"
    results, file = evaluate(name, texts=str(samples))
    found = values(results, name)
    assert {"tau_own_length", "tau_own_length_ci_high", "tau_generation_length"} <= found.keys()
    assert {"own_flip_rate", "own_unreadable_rate", "generation_identical_rate"} <= found.keys()
    assert {"self_agreement_pearson", "self_agreement_tau_b_ci_low"} <= found.keys()
    assert found["tau_own_length"] > 0.5
    assert_as_in_inspect(found, read_inspect_log(PROFILE, task))
    (run,) = read_runs(file)
    assert (run.setting, run.metrics["tau_own_length"]) == ("own_pairs", found["tau_own_length"])


def test_texts_of_an_inspect_log_and_the_settings_of_all_pairs(
    evaluate: Callable[..., Logged], read_inspect_log: Callable[..., Any], inspect_log: Any
) -> None:
    settings = {"limit": 9, "pairing": "adjacent", "orders": 1, "factors": "length,readability"}
    name = "profile_summarization_own_pairs"
    texts = str(inspect_log(PROFILE, **settings))
    results, _ = evaluate(name, texts=texts, **settings)
    found = values(results, name)
    assert found["measured_sources"] == 9
    assert found["own_flip_rate"] is None
    assert_as_in_inspect(found, read_inspect_log(PROFILE, **settings))


def test_the_gap_of_the_other_tasks_is_not_touched(
    evaluate: Callable[..., Logged], inspect_log: Any, read_inspect_log: Callable[..., Any]
) -> None:
    results, _ = evaluate(
        "profile_document_qa_generation",
        "profile_document_qa_own_pairs",
        "profile_document_qa_discrimination",
        texts=str(inspect_log(PROFILE, "document_qa")),
    )
    found = values(results, "profile_document_qa_discrimination")
    assert GAP in found
    assert_as_in_inspect(found, read_inspect_log(PROFILE, "document_qa"))


def written_samples(folder: Path, *texts: list[str]) -> str:
    """Samples of a generation task about the first sources of the demo, with these texts."""
    lines = []
    for source, answers in zip(
        load_preferences("demo", task="summarization").sources, texts, strict=False
    ):
        measured = {
            "source_id": source.id, "group": source.group, "factors": [], "human": [],
            "annotated": [],
            "words_by_score": {str(n): len(t.split()) or None for n, t in enumerate(answers, 1)},
        }  # fmt: skip
        sample = {"doc": source.model_dump(mode="json"), "resps": [[text] for text in answers]}
        lines.append(json.dumps(sample | {"measured_sources": measured}))
    path = folder / "samples.jsonl"
    path.write_text("\n".join(lines))
    return str(path)


def test_equal_texts_tie_and_a_lone_text_is_left_out(
    evaluate: Callable[..., Logged], tmp_path: Path
) -> None:
    texts = written_samples(
        tmp_path, ["same", "same"], ["alone", " "], ["one", "far more words " * 30]
    )
    name = "profile_summarization_own_pairs"
    results, file = evaluate(name, texts=texts)
    found = values(results, name)
    assert found["measured_sources"] == 2
    assert found["generation_identical_rate"] == 0.5
    (samples,) = file.parent.glob("samples_*.jsonl")
    logged = [json.loads(line) for line in samples.read_text().splitlines()]
    assert [len(sample["resps"]) for sample in logged] == [1, 2]
    equal, different = (sample["measured_sources"] for sample in logged)
    assert equal["own_picks"] == [[]]
    assert different["own_picks"] == [["first", "second"]]  # it is verbose


def test_without_texts_there_is_nothing_to_judge(evaluate: Callable[..., Logged]) -> None:
    with pytest.raises(ValueError, match="metadata 'texts' is missing; give the samples"):
        evaluate("profile_summarization_own_pairs")
