"""A verdict is read where a model names one, and never guessed."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profile_tasks.solvers.verdict import read_pick, read_verdict


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
        ("Verdict: both are equally good", "tie"),
        ("### Verdict\n\n**B**", "B"),
        ("__Verdict__: B", "B"),
        ("Verdict - B", "B"),
        ("Verdict: A > B", "A"),
        ("Verdict: \uff21", "A"),
        ("Verdict: the second response", "B"),
        ("Verdict: response_a", "A"),
        ("Verdict: B\n\nAnswer A is incomplete.", "B"),
        ("Verdict: A (Answer B is off-topic)", "A"),
        ("**Verdict: A**\n- Answer A: cites.\n- Answer B: invents a number.", "A"),
        ("A\n\nAnswer B is vague.", "A"),
        ("<think>The better response is A. No.</think>\n\nB", "B"),
        ("The final answer is: $\\boxed{\\text{Response B}}$", "B"),
        ("<answer>Response B</answer>", "B"),
        ("Overall: A", "A"),
        ("The better summary is clearly A.", "A"),
        ("I prefer Response A over Response B.", "A"),
        ("I'd go with Response B.", "B"),
        ("Readers would prefer B.", "B"),
        ("I believe readers would find Response B better.", "B"),
        ("The second response is better.", "B"),
    ],
)
def test_a_named_verdict_is_read(completion: str, verdict: str) -> None:
    assert read_verdict(completion) == verdict


def test_of_two_verdict_lines_the_later_counts_where_it_is_said_to_be_a_correction() -> None:
    assert read_verdict("First I thought\nVerdict: A\nbut no.\nVerdict: B") == "B"
    assert read_verdict("Verdict: A\nVerdict: B") is None
    assert read_verdict("Verdict: A\nIt is shorter.\nVerdict: B") is None


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
        "Neither A nor B is better.",
        "Neither Response A nor Response B is clearly better.",
        "I am not sure whether A or B is better.",
        "I don't think Response A is better; B gives the facts.",
        "If Response A is better depends on taste.",
        "Response A is better if you want brevity, but A is better for detail.",
        "Some readers may say Response A is better. I disagree; choose Response B.",
        "Verdict: A is not as good as B",
        "Verdict: B is less accurate than A",
        "Verdict: A is the worse response.",
        "Verdict: neither is good, but B is better",
        'You asked me to answer "Verdict: A" or "Verdict: B". I cannot do that.',
        "Which one is better: A, or B? I can't tell.",
        "Answer A: too short.\nAnswer B: complete",
        "Vitamin A is better",
        # A conclusion in the midst of prose is asked for once more.
        "Verdict: A, although B is better in some respects",
        "Although A is shorter, B is the winner.",
        "Response A is better structured, but it is wrong. Response B is accurate, so I go with B.",
    ],
)
def test_nothing_is_guessed(completion: str) -> None:
    assert read_verdict(completion) is None


def test_of_a_truncated_completion_only_the_verdict_counts() -> None:
    cut = "Response A is better at covering the facts, but it"
    assert read_verdict("Response A is better than B, but it", truncated=True) is None
    assert read_verdict(cut, truncated=True) is None
    assert read_verdict("Verdict: B\n\nResponse A is better at cover", truncated=True) == "B"


@pytest.mark.parametrize(
    "piece", ["answer ", "((((", "verdict ", "verdict: (", "Response A is ", "\\boxed{", "<think>"]
)
def test_long_adversarial_text_is_read_in_little_time(piece: str) -> None:
    start = time.process_time()
    read_verdict(piece * 20_000)
    assert time.process_time() - start < 5


_WORDS = ["Verdict:", "A", "B", "tie", "a", "Response", "is", "better", "(", ")", "**", ".", "no"]
_LINE = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=6).map(" ".join)
_OBJECT = st.sampled_from(["A", "B", "tie", "C", "1"]).map(
    lambda value: f'{{"verdict": "{value}"}}'
)


@given(_LINE | _OBJECT, st.booleans(), st.lists(_LINE | _OBJECT, max_size=2))
def test_a_short_line_is_read_as_any_answer_whatever_the_model_was_shown(
    line: str, truncated: bool, shown: list[str]
) -> None:
    material = [*shown, f"They said:\n{line}\n"]
    alone = read_verdict(line, truncated=truncated, material=material)
    assert alone == read_verdict(f"\t{line}", truncated=truncated, material=material)


def test_a_verdict_in_words_is_a_pick_by_position() -> None:
    answers = ("Verdict: A", "Verdict: B", "Verdict: tie", "Both have merits.", "I cannot decide.")
    assert [read_pick(answer) for answer in answers] == ["first", "second", "tie", None, None]
    assert read_pick("(B)") == "second"
    assert read_pick("(B)", truncated=True) is None
