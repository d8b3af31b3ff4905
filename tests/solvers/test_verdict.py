"""A verdict is read where a model names one, and never guessed."""

import pytest

from profile_tasks.solvers.verdict import read_verdict


@pytest.mark.parametrize(
    ("completion", "verdict"),
    [
        ("Verdict: A", "A"),
        ("verdict: **B**", "B"),
        ("**Verdict:** B", "B"),
        ("**Verdict: A**", "A"),
        ("Verdict: [A]", "A"),
        ("Verdict: [[B]]", "B"),
        ("Verdict: $\\boxed{B}$", "B"),
        ("Verdict: 'A'", "A"),
        ("Verdict: A (clearer)", "A"),
        ("Verdict: A because it is exact", "A"),
        ("Verdict: Response B is better", "B"),
        ("Verdict A", "A"),
        ("Verdict：A", "A"),
        ("The verdict is A", "A"),
        ("Answer: Response B", "B"),
        ("Final answer: B", "B"),
        ("My choice is response A", "A"),
        ("I prefer A", "A"),
        ("The better response is B.", "B"),
        ('{"verdict": "A"}', "A"),
        ('{"verdict":"B", "why": "A is long"}', "B"),
        ("<verdict>B</verdict>", "B"),
        ("A", "A"),
        ("B.", "B"),
        ("a", "A"),
        ("(b)", "B"),
        ("**A**", "A"),
        ("\\boxed{A}", "A"),
        ("Summary A", "A"),
        ("A\n\nIt is shorter and it is true.", "A"),
        ("It is shorter and it is true.\n\nB", "B"),
        ("Response A is better because it is exact.", "A"),
        ("Response A is clearly better than Response B.", "A"),
        ("I think answer B wins.", "B"),
        ("Verdict: tie", "tie"),
        ("Neither.", "tie"),
    ],
)
def test_a_named_verdict_is_read(completion: str, verdict: str) -> None:
    assert read_verdict(completion) == verdict


def test_the_last_marked_verdict_counts() -> None:
    assert read_verdict("First I thought\nVerdict: A\nbut no.\nVerdict: B") == "B"


def test_a_marked_verdict_outranks_a_statement() -> None:
    assert read_verdict("Response A is better written, but wrong.\nVerdict: B") == "B"


@pytest.mark.parametrize(
    "completion",
    [
        "",
        " \n",
        "I cannot decide.",
        "A good summary keeps the facts.",
        "Verdict: a good answer is hard to find",
        "Verdict: A or B",
        "Verdict: A/B",
        "Verdict: neither of them is good",
        "The answer is a short one",
        "The better answer is a matter of taste",
        "This is a better summary",
        "It's a tie-breaker",
        "Response A is better. Response B is better.",
        "Response B is not better than A",
        "I'm sorry, I can't help with that.",
        "Verdict: C",
    ],
)
def test_nothing_is_guessed(completion: str) -> None:
    assert read_verdict(completion) is None


def test_long_adversarial_text_is_read_in_linear_time() -> None:
    assert read_verdict("answer " * 20_000 + "((((" * 20_000) is None
