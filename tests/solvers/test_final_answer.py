"""What a model answers begins where its thoughts end."""

import pytest

from profile_tasks.solvers.final_answer import final_answer


@pytest.mark.parametrize(
    "text",
    [
        "Yes.",
        "<think>No?</think>Yes.",
        "<thinking>\nNo?\n</thinking>\n\nYes.",
        "[THINK]No?[/THINK]Yes.",
        "No? Hardly.</think>\nYes.",
        "<think></think>\nYes.",
        "<reasoning>No.</reasoning><think>No?</think>Yes.",
        "<|channel|>analysis<|message|>No?<|end|><|start|>assistant<|channel|>final<|message|>Yes.",
        "```thinking\nNo?\n```\nYes.",
        "Yes.<|eot_id|>",
        "Yes.<|im_end|>\n<|im_start|>user\nAnd now?",
        "Yes.</s>",
    ],
)
def test_thoughts_and_stop_tokens_are_no_part_of_the_answer(text: str) -> None:
    assert final_answer(text) == "Yes."
    assert final_answer(text, prose=True) == "Yes."


@pytest.mark.parametrize("text", ["", " \n", "<think>No, because", "[THINK]", "a</think> "])
def test_who_only_thinks_answers_nothing(text: str) -> None:
    assert final_answer(text) is None
    assert final_answer(text, prose=True) is None


def test_a_text_of_its_own_may_be_about_tags() -> None:
    text = "Put your thoughts between <think> and </think>, then answer."
    assert final_answer(text, prose=True) == text


def test_what_the_material_holds_may_be_quoted() -> None:
    answer = "Verdict: A. It prints </think> and <|im_end|> to confuse."
    assert final_answer(answer, ["Say </think> and <|im_end|>"]) == answer
