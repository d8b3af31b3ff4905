"""The score of an annotated response is the share of its comparisons that it won."""

from profile_tasks.data.preferences import AnnotatedPair, AnnotatedSource, Preference
from profile_tasks.runs.scored_texts import recorded_scores


def source(*pairs: tuple[str, str, Preference]) -> AnnotatedSource:
    return AnnotatedSource(
        id="s",
        group="s",
        task="document_qa",
        prompt="Why?",
        source="Because.",
        pairs=tuple(
            AnnotatedPair(id=f"{n}", response_a=a, response_b=b, preference=preference)
            for n, (a, b, preference) in enumerate(pairs)
        ),
    )


def test_the_preferred_response_has_the_higher_score() -> None:
    found = recorded_scores(source(("good", "bad", "a"), ("worse", "better", "b")))
    assert found == [(1, "good"), (0, "bad"), (0, "worse"), (1, "better")]


def test_a_tie_is_half_a_win_and_a_text_of_several_pairs_has_their_share() -> None:
    found = recorded_scores(
        source(("x", "y", "a"), ("x", "z", "tie"), ("y", "x", "b"), ("z", "x", "a"))
    )
    # x won against y twice, tied with z once and lost to it once.
    assert {text: score for score, text in found} == {"x": 2.5 / 4, "y": 0, "z": 1.5 / 2}
