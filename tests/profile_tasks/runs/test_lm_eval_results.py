"""Results files of lm-eval: whose they are, and which samples they belong to."""

from pathlib import Path

import pytest

from profile_tasks.runs.lm_eval_results import model_of, read_results, results_beside


def test_results_of_samples_have_their_date(tmp_path: Path) -> None:
    name = "profile_document_qa_generation_2026-01-02T03-04-05.678901"
    samples = tmp_path / f"samples_{name}.jsonl"
    assert results_beside(samples) is None
    (tmp_path / "results_2026-01-02T03-04-05.678901.json").write_text("{}")
    assert results_beside(samples) == tmp_path / "results_2026-01-02T03-04-05.678901.json"
    assert results_beside(tmp_path / "renamed.jsonl") is None


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ({"model": "hf", "model_args": {"pretrained": "org/m", "dtype": "auto"}}, "hf/org/m"),
        ({"model": "hf", "model_args": "dtype=auto,pretrained=org/m"}, "hf/org/m"),
        ({"model": "local-chat-completions", "model_args": {"model": "m"}},
         "local-chat-completions/m"),
        ({"model": "planted", "model_args": {}}, "planted/balanced"),
        ({"model": "hf", "model_args": {"pretrained": "org/m", "peft": "a/b"}}, "hf/a/b"),
        ({"model": "vllm"}, "vllm"),
        ({}, "unknown"),
    ],
)  # fmt: skip
def test_a_model_is_named_by_its_arguments(config: dict[str, object], name: str) -> None:
    assert model_of({"config": config}) == name


@pytest.mark.parametrize(
    ("text", "message"), [("{", "not JSON in UTF-8"), ("[]", "field 'results' is missing")]
)
def test_other_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_results(path)
    with pytest.raises(FileNotFoundError, match="no such results file"):
        read_results(tmp_path / "other.json")
