"""Which two of the texts about a source are judged, and which of them is the better by score."""

from profile_tasks.data.preferences import AnnotatedSource
from profile_tasks.solvers.text_likelihood import SourceTexts

SOURCE = AnnotatedSource(
    id="s", group="s", task="document_qa", prompt="Why?", source="Because.", pairs=()
)


def known(*texts: tuple[float, str]) -> SourceTexts:
    return SourceTexts(source=SOURCE, texts=texts)


def test_the_text_for_the_highest_score_comes_first_and_that_for_the_lowest_second() -> None:
    assert known((2, "fair"), (5, "best"), (1, "worst"), (5, "too")).extremes == ("best", "worst")


def test_one_score_or_one_text_has_no_extremes() -> None:
    assert known((3, "a"), (3, "b")).extremes is None
    assert known((1, "same"), (5, "same")).extremes is None
    assert known().extremes is None
